"""The tables of a comparison: the league of one measure, the pairs, and the scenarios with areas and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.words import chance, interval, level_words, number, places_for, unit_words
from gwm_models.report.views import Cell, Column, TableView, number_cell, text_cell

Row = Mapping[str, Any]
Names = Mapping[str, str]

MOST_IN_MATRIX = 12
"""Scenarios whose pairs are printed as a matrix; the pairs of more are in the table of pairs alone."""


def league_table(key: str, rows: Sequence[Row], summary: Row, names: Names) -> TableView:
    """Make the table of one measure of every scenario, the best first.

    Parameters
    ----------
    key : str
        Its identity on the page.
    rows : sequence of mapping
        Of one measure of the league.
    summary : mapping
        Of the comparison.
    names : mapping of str to str
        What each scenario is called on the page, by its label.
    """
    first, level = rows[0], level_words(summary["level"])
    unit = unit_words(first["unit"])
    places = places_for(
        first["unit"], [row[end] for row in rows for end in ("estimate", "lower", "upper")], change=True
    )
    change = not str(first["measure"]).endswith(":scenario")
    titles = (
        f"Estimate{f' ({unit})' if unit else ''}",
        "P(better than doing nothing)",
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
        rows=[_league_line(row, first, places, summary["reference"], names, change=change) for row in rows],
        note=f"From {number(first['n'], 0)} draws that all scenarios share, seed {summary['seed']}. Expected regret: "
        "what the best scenario of a draw has over this one, on average. Rank: its interval below.",
    )


def _league_line(row: Row, first: Row, places: int, reference: str, names: Names, *, change: bool) -> list[Cell]:
    ranks = interval(row["rank_lower"], row["rank_upper"], 0)
    if row is first:
        standing = "best" if row["winner"] else "first"
    else:
        standing = "not told apart" if row["level_with_leader"] else "behind"
    better = Cell("\u2013") if row["scenario"] == reference else _chance_cell(row["prob_better"])
    return [
        text_cell(names[row["scenario"]]),
        number_cell(row, places=places, change=change),
        better,
        _chance_cell(row["prob_best"]),
        Cell(number(row["expected_regret"], places), "", row["expected_regret"]),
        Cell(number(row["expected_rank"], 1), ranks, row["expected_rank"]),
        text_cell(standing),
    ]


def _chance_cell(p: float) -> Cell:
    return Cell(chance(p), "", p)


def pair_table(key: str, rows: Sequence[Row], pairs: Sequence[Row], names: Names) -> TableView | None:
    """Make the table of the probability that each scenario is better than each other; None for many.

    Parameters
    ----------
    key : str
    rows, pairs : sequence of mapping
        Of one measure of the league, the best first, and of the pairs.
    names : mapping of str to str
    """
    labels = [str(row["scenario"]) for row in rows]
    if not 2 < len(labels) <= MOST_IN_MATRIX:
        return None
    found = {(row["scenario"], row["other"]): row for row in pairs}
    return TableView(
        key=key,
        caption="Probability that the scenario of the row is better than that of the column.",
        columns=[Column("Scenario", numeric=False), *(Column(names[label]) for label in labels)],
        rows=[[text_cell(names[label]), *(_pair_cell(found, label, other) for other in labels)] for label in labels],
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


def scenario_table(summary: Row, names: Names) -> TableView:
    """Make the table of the scenarios with their files, areas and costs.

    Parameters
    ----------
    summary : mapping
    names : mapping of str to str
    """
    costs: dict[str, list[Row]] = {}
    for row in summary["costs"]:
        costs.setdefault(row["scenario"], []).append(row)
    columns = [Column("Scenario", numeric=False), Column("Name in files and tables", numeric=False)]
    columns.append(Column("Areas reached"))
    rows = [
        [text_cell(names[row["scenario"]]), text_cell(row["scenario"]), Cell(str(row["n_areas"]), "", row["n_areas"])]
        for row in summary["scenarios"]
    ]
    if costs:
        columns.append(Column("Cost, £ million"))
        for line in rows:
            line.append(_cost_cell(costs.get(line[1].text, [])))
    note = "Costs are whole, undiscounted, at the prices of the year stated." if costs else ""
    return TableView("scenarios", "The scenarios compared.", columns, rows, note)


def _cost_cell(rows: Sequence[Row]) -> Cell:
    if not rows:
        return text_cell("")
    words = "; ".join(f"{number(row['estimate'] / 1e6, 1)} ({row['price_base']} prices)" for row in rows)
    first = rows[0]
    sub = interval(first["lower"] / 1e6, first["upper"] / 1e6, 1) if len(rows) == 1 and first["std_error"] else ""
    return Cell(words, sub, sum(float(row["estimate"]) for row in rows))


def overview_table(summary: Row, names: Names, most: int) -> TableView:
    """Make the table a reader decides by: every measure of every scenario, and which leads how surely.

    Parameters
    ----------
    summary : mapping
        Of the comparison.
    names : mapping of str to str
        What each scenario is called on the page, by its label.
    most : int
        Scenarios that get a column; of more, only the leader is shown.
    """
    acting = [row["scenario"] for row in summary["scenarios"] if row["scenario"] != summary["reference"]]
    shown = acting if len(acting) <= most else []
    lines = [_overview_line(summary, verdict, shown, names) for verdict in summary["verdicts"]]
    columns = [Column("Measure", numeric=False), *(Column(names[label]) for label in shown)]
    columns += [Column("Leads", numeric=False), Column("Chance that it is best")]
    return TableView(
        key="overview",
        caption=f"Every measure of every scenario in {summary['year']}, against doing nothing; "
        f"{level_words(summary['level'])} below each estimate.",
        columns=columns,
        rows=lines,
    )


def _overview_line(summary: Row, verdict: Row, shown: Sequence[str], names: Names) -> list[Cell]:
    found = {row["scenario"]: row for row in summary["league"] if row["measure"] == verdict["measure"]}
    first = found[verdict["leader"]]
    unit = unit_words(first["unit"])
    ends = [row[end] for row in found.values() for end in ("estimate", "lower", "upper")]
    places = places_for(first["unit"], ends, change=True)
    change = not str(first["measure"]).endswith(":scenario")
    head = f"{first['label']}{f' ({unit})' if unit else ''}"
    return [
        text_cell(head, f"{first['better']} is better"),
        *(number_cell(found[label], places=places, change=change) for label in shown),
        text_cell(names[verdict["leader"]], "best" if verdict["winner"] else "not surely best"),
        _chance_cell(first["prob_best"]),
    ]


def leading_words(summary: Row, names: Names, most: int) -> str:
    """Say the first measure of every scenario that acts, with its interval; empty where there are many.

    Parameters
    ----------
    summary, names, most
        As for `overview_table`.
    """
    measure = summary["verdicts"][0]["measure"]
    rows = [row for row in summary["league"] if row["measure"] == measure and row["scenario"] != summary["reference"]]
    if not 0 < len(rows) <= most:
        return ""
    ends = [row[end] for row in rows for end in ("estimate", "lower", "upper")]
    places = places_for(rows[0]["unit"], ends, change=True)
    change = not str(measure).endswith(":scenario")
    level = f"{level_words(summary['level'])} "
    said = []
    for row in rows:
        span = interval(row["lower"], row["upper"], places)
        said.append(f"{names[row['scenario']]} {number(row['estimate'], places, sign=change)} ({level}{span})")
        level = ""
    unit = unit_words(rows[0]["unit"])
    return f"{rows[0]['label']}{f', {unit}' if unit else ''}, {summary['year']}: {'; '.join(said)}."
