"""A page of ranks: caterpillar, heat map, and a table of all areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gwm_models.files import write_text
from gwm_models.plots.rank_charts import rank_caterpillar, rank_distribution, rank_heat_map
from gwm_models.plots.words import chance, interval, level_words, number
from gwm_models.report.shell import render
from gwm_models.report.views import Cell, Column, Figure, TableView, figure_of, text_cell

Row = Mapping[str, Any]


def write_rank_page(path: Path, rows: Sequence[Row], prob: ArrayLike, **parts: Any) -> None:
    """Write the page under a temporary name, then rename it; parameters as in `rank_html`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(path, rank_html(rows, prob, **parts))


def rank_html(
    rows: Sequence[Row],
    prob: ArrayLike,
    *,
    title: str,
    lead: Sequence[str] = (),
    facts: str = "",
    notes: Sequence[str] = (),
    area: str | None = None,
) -> str:
    """Return a page of ranks as text.

    Parameters
    ----------
    rows : sequence of mapping
        One an area, as printed by ``gwm ranks``, with its fifths; confidence sets if they are there.
    prob : array_like, shape (n_areas, n_areas)
        Probability of each rank of each area, in the order of the rows.
    title, facts : str
    lead, notes : sequence of str
        Sentences at the top and at the end.
    area : str, optional
        Code of an area whose ranks are drawn first.
    """
    p = np.asarray(prob, dtype=float)
    codes, names = [str(row["area_code"]) for row in rows], [str(row["area_name"]) for row in rows]
    level = level_words(rows[0]["level"])
    drawn: list[tuple[Figure | None, str, str]] = []
    if area is not None:
        i = codes.index(area)
        one = figure_of("one", rank_distribution(rows[i], p[i]))
        drawn.append((one, f"Ranks of {names[i]}", f"Darker bars are the ranks inside the {level}."))
    sets = "set_lower" in rows[0]
    drawn.append(
        (
            figure_of("caterpillar", rank_caterpillar(rows)),
            "All areas with their intervals",
            f"A ring is the median rank, a line the {level}{', a pale bar the confidence set' if sets else ''}.",
        )
    )
    words = "One line for each area, one cell for each rank: the darker, the more probable."
    drawn.append((figure_of("heat", rank_heat_map(p, codes, names)), "The probability of every rank", words))
    figures = [(figure, heading, reading) for figure, heading, reading in drawn if figure is not None]
    specs = {
        name: spec for figure, _, _ in figures for (name, _, _), spec in zip(figure.charts, figure.specs, strict=True)
    }
    return render(
        "ranks.html.j2",
        specs,
        title=title,
        lead=list(lead),
        facts=facts,
        notes=list(notes),
        figures=figures,
        view=_table(rows, level),
    )


def _table(rows: Sequence[Row], level: str) -> TableView:
    basis = "published" if "published_rank" in rows[0] else "computed"
    sets = "set_lower" in rows[0]
    titles = [f"{basis.capitalize()} score", f"{basis.capitalize()} rank", "Median rank", level, "Expected rank"]
    titles += [*(["Confidence set"] if sets else []), "P(highest fifth)", "P(lowest fifth)"]
    return TableView(
        key="ranks",
        caption=f"Ranks of all areas, 1 is best, with {level}.",
        columns=[Column("Area", numeric=False), *(Column(title) for title in titles)],
        rows=[
            [
                text_cell(row["area_name"]),
                _cell(row[f"{basis}_score"], 1),
                _cell(row[f"{basis}_rank"], 0),
                _cell(row["estimate"], 0),
                Cell(interval(row["lower"], row["upper"], 0), "", float(row["lower"])),
                _cell(row["expected_rank"], 1),
                *([Cell(interval(row["set_lower"], row["set_upper"], 0), "", float(row["set_lower"]))] if sets else []),
                Cell(chance(row["prob_fifth_1"]), "", row["prob_fifth_1"]),
                Cell(chance(row["prob_fifth_5"]), "", row["prob_fifth_5"]),
            ]
            for row in rows
        ],
        tall=True,
    )


def _cell(value: float, places: int) -> Cell:
    return Cell(number(value, places), "", float(value))
