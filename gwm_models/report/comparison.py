"""The folder of a comparison: league and pairs as tables, the scenarios as run, and one self-contained page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gwm_models import __version__
from gwm_models.data.home import data_home
from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text, new_folder
from gwm_models.plots.comparison import league_chart
from gwm_models.plots.words import chance, interval, level_words, number, places_for, unit_words
from gwm_models.report.run_folder import code_hash, data_hash, resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.views import Cell, Column, TableView, figure_of, number_cell, text_cell
from gwm_models.scenarios.compare import Comparison
from gwm_models.scenarios.compare_rows import headline, league_rows, pair_rows, verdicts
from gwm_models.scenarios.league import SURE

Row = Mapping[str, Any]

SCHEMA = "gwm-comparison/1"
FILE = "comparison.json"
COMPARISON = FolderKind(
    "a comparison", FILE, f'"{SCHEMA}"', (FILE, LANDMARK, "costs.csv", "league.csv", "pairs.csv", "report.html")
)
MOST_IN_TITLE = 6
MOST_IN_MATRIX = 12
"""Scenarios whose pairs are printed as a matrix; the pairs of more are in the table of pairs alone."""


def check_comparison_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_comparison` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a comparison.
    """
    check_folder(folder, COMPARISON)


def summarise_comparison(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values, JSON-ready.

    Parameters
    ----------
    comparison : Comparison
    """
    reference = comparison.entrants[comparison.reference].label
    return {
        "schema": SCHEMA,
        "edition": {"name": comparison.edition.name, "title": comparison.edition.spec.title},
        "year": comparison.year,
        "draws": comparison.draws,
        "seed": comparison.seed,
        "level": comparison.level,
        "reference": reference,
        "headline": headline(comparison),
        "scenarios": [
            {"scenario": entrant.label, "title": entrant.title, "n_areas": entrant.n_areas}
            for entrant in comparison.entrants
        ],
        "verdicts": verdicts(comparison),
        "league": league_rows(comparison),
        "pairs": pair_rows(comparison),
        "costs": list(comparison.costs),
        "notes": list(comparison.notes),
    }


def write_comparison(folder: Path, comparison: Comparison, *, command: str) -> dict[str, Any]:
    """Write the folder of a comparison, whole or not at all.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds a comparison.
    comparison : Comparison
    command : str
        How it was asked for.

    Returns
    -------
    dict
        The summary, as `summarise_comparison` gives it.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a comparison.
    """
    summary = summarise_comparison(comparison)
    made = {
        "toolkit_version": __version__,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
        "scenarios_as_run": [
            json.loads(entrant.scenario.model_dump_json(by_alias=True, exclude_none=True))
            for entrant in comparison.entrants
            if entrant.scenario is not None
        ],
    }
    texts = {
        FILE: json_text(summary | made),
        "league.csv": csv_text(summary["league"]),
        "pairs.csv": csv_text(summary["pairs"]),
        "report.html": comparison_html(summary, made),
    }
    if summary["costs"]:
        texts["costs.csv"] = csv_text(summary["costs"])
    first = next(entrant.scenario for entrant in comparison.entrants if entrant.scenario is not None)
    numbers = {name: text for name, text in texts.items() if name != "report.html"}
    manifest = search_manifest("comparison", first, command=command, numbers=numbers)
    manifest["compared_sha256"] = {
        entrant.label: hashlib.sha256(resolved_yaml(entrant.scenario).encode()).hexdigest()
        for entrant in comparison.entrants
        if entrant.scenario is not None
    }
    texts[LANDMARK] = json_text(manifest)
    with new_folder(folder, COMPARISON) as fresh:
        for name, text in texts.items():
            (fresh / name).write_text(text, encoding="utf-8", newline="")
    return summary


def comparison_html(summary: Row, made: Row) -> str:
    """Return the page of a comparison as text.

    Parameters
    ----------
    summary : mapping
        From `summarise_comparison`.
    made : mapping
        Version, command, time and hashes.
    """
    sections: list[dict[str, Any]] = []
    specs: dict[str, Any] = {}
    for place, found in enumerate(summary["verdicts"], start=1):
        rows = [row for row in summary["league"] if row["measure"] == found["measure"]]
        drawn = figure_of(f"league-{place}", league_chart(rows, summary["reference"]))
        if drawn is not None:
            specs |= {name: spec for (name, _, _), spec in zip(drawn.charts, drawn.specs, strict=True)}
        pairs = [row for row in summary["pairs"] if row["measure"] == found["measure"]]
        sections.append(
            {
                **found,
                "key": f"measure-{place}",
                "drawn": drawn,
                "table": _league_table(f"league-table-{place}", rows, summary),
                "matrix": _matrix(f"pairs-{place}", rows, pairs),
            }
        )
    names = [str(row["scenario"]) for row in summary["scenarios"]]
    return render(
        "comparison.html.j2",
        specs,
        title=" / ".join(names) if len(names) <= MOST_IN_TITLE else f"{names[0]} and {len(names) - 1} more",
        summary=summary,
        made=made,
        level=level_words(summary["level"]),
        sections=sections,
        scenarios=_scenario_table(summary),
        most=MOST_IN_MATRIX,
        sure=f"{SURE:.0%}",
    )


def _league_table(key: str, rows: Sequence[Row], summary: Row) -> TableView:
    first, level = rows[0], level_words(summary["level"])
    unit = unit_words(first["unit"])
    places = places_for(
        first["unit"], [row[end] for row in rows for end in ("estimate", "lower", "upper")], change=True
    )
    change = not str(first["measure"]).endswith(":scenario")
    titles = (
        f"Estimate{f' ({unit})' if unit else ''}",
        f"P(better than {summary['reference']})",
        "P(best)",
        "Expected regret",
        "Expected rank",
    )
    return TableView(
        key=key,
        caption=f"{first['label']} by {summary['year']}; {first['better']} is better. {level} below each estimate.",
        columns=[
            Column("Scenario", numeric=False),
            *(Column(title) for title in titles),
            Column("Against the first", numeric=False),
        ],
        rows=[_league_line(row, first, places, summary["reference"], change=change) for row in rows],
        note=f"From {number(first['n'], 0)} draws that all scenarios share, seed {summary['seed']}. Expected regret: "
        "what the best scenario of a draw has over this one, on average. Rank: its interval below.",
    )


def _league_line(row: Row, first: Row, places: int, reference: str, *, change: bool) -> list[Cell]:
    ranks = interval(row["rank_lower"], row["rank_upper"], 0)
    if row is first:
        standing = "best" if row["winner"] else "first"
    else:
        standing = "not told apart" if row["level_with_leader"] else "behind"
    better = Cell("\u2013") if row["scenario"] == reference else _chance_cell(row["prob_better"])
    return [
        text_cell(row["scenario"]),
        number_cell(row, places=places, change=change),
        better,
        _chance_cell(row["prob_best"]),
        Cell(number(row["expected_regret"], places), "", row["expected_regret"]),
        Cell(number(row["expected_rank"], 1), ranks, row["expected_rank"]),
        text_cell(standing),
    ]


def _chance_cell(p: float) -> Cell:
    return Cell(chance(p), "", p)


def _matrix(key: str, rows: Sequence[Row], pairs: Sequence[Row]) -> TableView | None:
    """Return the probability that each scenario is better than each other, the best first; None for many."""
    names = [str(row["scenario"]) for row in rows]
    if not 2 < len(names) <= MOST_IN_MATRIX:
        return None
    found = {(row["scenario"], row["other"]): row for row in pairs}
    return TableView(
        key=key,
        caption="Probability that the scenario of the row is better than that of the column.",
        columns=[Column("Scenario", numeric=False), *(Column(name) for name in names)],
        rows=[[text_cell(name), *(_pair_cell(found, name, other) for other in names)] for name in names],
        note="The same in a draw counts half.",
        sortable=False,
    )


def _pair_cell(found: Mapping[tuple[str, str], Row], name: str, other: str) -> Cell:
    if name == other:
        return Cell("")
    row = found.get((name, other)) or found[other, name]
    if row["prob_same"] == 1:
        return Cell("the same")
    p = row["prob_better"] if (name, other) in found else 1 - row["prob_better"]
    return _chance_cell(p)


def _scenario_table(summary: Row) -> TableView:
    """Return the scenarios with their areas and costs."""
    costs: dict[str, list[Row]] = {}
    for row in summary["costs"]:
        costs.setdefault(row["scenario"], []).append(row)
    columns = [Column("Scenario", numeric=False), Column("Title", numeric=False), Column("Areas reached")]
    rows = [
        [text_cell(row["scenario"]), text_cell(row["title"]), Cell(str(row["n_areas"]), "", row["n_areas"])]
        for row in summary["scenarios"]
    ]
    if costs:
        columns.append(Column("Cost, £ million"))
        for line in rows:
            line.append(_cost_cell(costs.get(line[0].text, [])))
    note = "Costs are whole, undiscounted, at the prices of the year stated." if costs else ""
    return TableView("scenarios", "The scenarios compared.", columns, rows, note)


def _cost_cell(rows: Sequence[Row]) -> Cell:
    if not rows:
        return text_cell("")
    words = "; ".join(f"{number(row['estimate'] / 1e6, 1)} ({row['price_base']} prices)" for row in rows)
    first = rows[0]
    sub = interval(first["lower"] / 1e6, first["upper"] / 1e6, 1) if len(rows) == 1 and first["std_error"] else ""
    return Cell(words, sub, sum(float(row["estimate"]) for row in rows))
