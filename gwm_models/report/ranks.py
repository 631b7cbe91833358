"""A page of ranks: what can be said of them, map, caterpillar, heat map, and a table of all areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from gwm_models.files import write_text
from gwm_models.plots.maps import tile_map
from gwm_models.plots.rank_charts import rank_caterpillar, rank_distribution, rank_heat_map
from gwm_models.plots.words import chance, interval, level_words, number
from gwm_models.report.keyfigures import KeyFigure
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.report.views import Cell, Column, Figure, TableView, figure_of, text_cell

if TYPE_CHECKING:
    from gwm_models.plots.boundaries import Boundaries

Row = Mapping[str, Any]

SURE = 0.95
"""Probability from which an area is said to be in the highest or the lowest fifth."""
ENDS = (("best", "prob_fifth_1"), ("worst", "prob_fifth_5"))


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
    sources: Sequence[Row] = (),
    manifest: Row | None = None,
    boundaries: Boundaries | None = None,
) -> str:
    """Return a page of ranks as text.

    Parameters
    ----------
    rows : sequence of mapping
        One an area, as printed by ``gwm ranks``, with its fifths; confidence sets and ``region_name`` if they are
        there.
    prob : array_like, shape (n_areas, n_areas)
        Probability of each rank of each area, in the order of the rows.
    title, facts : str
    lead, notes : sequence of str
        Sentences at the top and at the end. Without a lead the page says how sure the ranks are as a whole.
    area : str, optional
        Code of an area whose ranks are drawn first.
    sources : sequence of mapping
        From `gwm_models.scenarios.sources.edition_sources`.
    manifest : mapping, optional
        From `gwm_models.report.made.page_manifest`.
    boundaries : Boundaries, optional
        True shapes of the areas, for the maps; a tile each without them.
    """
    p = np.asarray(prob, dtype=float)
    drawn = _drawn(rows, p, area, boundaries)
    figures = [(figure, heading, reading) for figure, heading, reading in drawn if figure is not None]
    specs = {
        name: spec for figure, _, _ in figures for (name, _, _), spec in zip(figure.charts, figure.specs, strict=True)
    }
    return render(
        "ranks.html.j2",
        specs,
        title=title,
        lead=list(lead) or [whole_words(rows)],
        key_figures=[] if area is not None else _key_figures(rows),
        facts=facts,
        notes=list(notes),
        figures=figures,
        view=_table(rows, level_words(rows[0]["level"])),
        sources=source_table(sources, "Data behind these ranks."),
        manifest=manifest or {},
    )


def whole_words(rows: Sequence[Row]) -> str:
    """Say how sure the ranks are as a whole: the usual width of an interval, and how many areas are surely at an end.

    Parameters
    ----------
    rows : sequence of mapping
    """
    widths = [row["upper"] - row["lower"] + 1 for row in rows]
    sure = [sum(row[name] >= SURE for row in rows) for _, name in ENDS]
    return (
        f"The {level_words(rows[0]['level'])} of a rank is {number(float(np.median(widths)), 0)} places wide for the "
        f"middle area of {len(rows)}; {sure[0]} areas are in the best fifth and {sure[1]} in the worst with a "
        f"probability of {SURE:.0%} or more."
    )


def _key_figures(rows: Sequence[Row]) -> list[KeyFigure]:
    widths = [row["upper"] - row["lower"] + 1 for row in rows]
    fifth = f"With a probability of {SURE:.0%} or more"
    return [
        KeyFigure(
            "Width of the interval, middle area",
            number(float(np.median(widths)), 0),
            "places",
            note=f"{level_words(rows[0]['level'])}; from {min(widths):.0f} to {max(widths):.0f}",
        ),
        *(
            KeyFigure(f"Surely in the {end} fifth", str(sum(row[name] >= SURE for row in rows)), "areas", note=fifth)
            for end, name in ENDS
        ),
        KeyFigure(
            "May be in either",
            str(sum(all(row[name] >= 1 - SURE for _, name in ENDS) for row in rows)),
            "areas",
            note=f"Best and worst fifth both with {1 - SURE:.0%} or more",
        ),
    ]


def _drawn(
    rows: Sequence[Row], p: np.ndarray[Any, np.dtype[np.float64]], area: str | None, boundaries: Boundaries | None
) -> list[tuple[Figure | None, str, str]]:
    """Draw every figure, each with its heading and how to read it."""
    codes, names = [str(row["area_code"]) for row in rows], [str(row["area_name"]) for row in rows]
    level = level_words(rows[0]["level"])
    drawn: list[tuple[Figure | None, str, str]] = []
    if area is not None:
        i = codes.index(area)
        one = figure_of("one", rank_distribution(rows[i], p[i]))
        drawn.append((one, f"Ranks of {names[i]}", f"Darker bars are the ranks inside the {level}."))
    where = "Every area has one tile, near its place."
    if boundaries:
        where = " ".join(["Every area has its own shape.", *boundaries.notes])
    drawn.append(
        (
            figure_of("map", _map(rows, level, boundaries)),
            "Median rank of every area",
            f"{where} The darker, the lower it stands. Point at an area for its {level}.",
        )
    )
    sets = "set_lower" in rows[0]
    drawn.append(
        (
            figure_of("caterpillar", rank_caterpillar(rows)),
            "All areas with their intervals",
            f"A ring is the median rank, a line the {level}{', a pale bar the confidence set' if sets else ''}. Where "
            "intervals overlap widely, the data cannot tell the areas apart.",
        )
    )
    words = "One line for each area, one cell for each rank: the darker, the more probable."
    drawn.append((figure_of("heat", rank_heat_map(p, codes, names)), "The probability of every rank", words))
    return drawn


def _map(rows: Sequence[Row], level: str, boundaries: Boundaries | None) -> list[dict[str, Any]]:
    """Map the median rank; nothing where regions are not known."""
    if "region_name" not in rows[0]:
        return []
    return tile_map(
        rows,
        value="estimate",
        title="",
        description=f"Median rank of every area with its {level}, 1 is best.",
        unit="",
        places=0,
        kind="sequential",
        label="Median rank, 1 is best",
        boundaries=boundaries,
    )


def _table(rows: Sequence[Row], level: str) -> TableView:
    basis = "published" if "published_rank" in rows[0] else "computed"
    sets, regions = "set_lower" in rows[0], "region_name" in rows[0]
    titles = [f"{basis.capitalize()} score", f"{basis.capitalize()} rank", "Median rank", level, "Expected rank"]
    titles += [*(["Confidence set"] if sets else []), "Chance of the best fifth", "Chance of the worst fifth"]
    words = [Column("Area", numeric=False), *([Column("Region", numeric=False)] if regions else [])]
    return TableView(
        key="ranks",
        caption=f"Ranks of all areas, 1 is best, with {level}.",
        columns=[*words, *(Column(title) for title in titles)],
        rows=[
            [
                text_cell(row["area_name"]),
                *([text_cell(row["region_name"])] if regions else []),
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
