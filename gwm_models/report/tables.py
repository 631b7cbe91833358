"""The tables of a scenario report, built from result rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gwm_models.plots.ranking import STATE_WORDS
from gwm_models.plots.words import (
    GAP,
    base_unit,
    chance,
    is_missing,
    level_words,
    money,
    number,
    percent,
    places_for,
    unit_words,
)
from gwm_models.report.views import Cell, Column, TableView, number_cell, pivot, text_cell
from gwm_models.scenarios.words import thousands

Row = Mapping[str, Any]

STATES = ("baseline", "scenario", "difference")
MEAN_PLACES = {"rank": 1, "areas": 1}
"""Decimals of means over groups, by unit, where they differ from those of one area."""
TERMS = {"between": "Between areas", "within": "Within areas, over time"}
EXPOSURES = {
    "total": "the Monitor total",
    "access": "the access domain",
    "status": "the status and autonomy domain",
    "pay": "the pay and conditions domain",
}
OPEN_LICENCE = "Open Government Licence v3.0"
OPEN = (
    f"Contains public sector information licensed under the {OPEN_LICENCE}: "
    "www.nationalarchives.gov.uk/doc/open-government-licence/version/3"
)
"""What the licence asks those who use the figures to say."""
STATUS_WORDS = {
    "reproduced": "exact: reproduced from official figures",
    "calibrated": "estimated from open figures",
    "unknown": "unknown: the change is stated in score points",
}


def group_table(key: str, rows: Iterable[Row], caption: str, note: str) -> TableView | None:
    """Make the table of groups of areas: each quantity before, after and the difference, and the chance of better.

    Quantities that change in no group are left out, unless none changes.
    """
    rows = [row for row in rows if not is_missing(row.get("estimate"))]
    moved = {row["quantity"] for row in rows if row["state"] == "difference" and _changes(row)}
    rows = [row for row in rows if not moved or row["quantity"] in moved]
    if not rows:
        return None
    found = pivot(rows, ["group", "quantity"])
    heads = {str(row["quantity"]): _with_unit(row, detail=True) for row in rows}
    sizes = {str(row["group"]): row.get("n_areas") for row in rows}
    lines = []
    for group, size in sizes.items():
        cells = [
            cell for quantity in heads for cell in _group_cells(found.get((group, quantity), {}), chances=bool(moved))
        ]
        lines.append([text_cell(group), Cell(number(size, 0), "", size), *cells])
    columns = [Column("Group", numeric=False), Column("Areas")]
    shown = [*(STATE_WORDS[state] for state in STATES), *(["Chance of better"] if moved else [])]
    columns += [Column(name, head) for head in heads.values() for name in shown]
    return TableView(key, caption, columns, lines, note)


def _group_cells(states: Mapping[str, Row], *, chances: bool) -> list[Cell]:
    """Write one quantity of one group: before, after, difference and, where asked for, the chance of better."""
    places = MEAN_PLACES.get(str(next(iter(states.values()))["unit"])) if states else None
    cells = [number_cell(states.get(state), change=state == "difference", places=places) for state in STATES]
    moved = states.get("difference", {})
    share = moved.get("prob_better") if _changes(moved) else None
    return [*cells, Cell(chance(share), "", share)] if chances else cells


def _changes(row: Row) -> bool:
    """Tell whether a row differs from zero, in its estimate or its interval."""
    return any(row.get(name) for name in ("estimate", "lower", "upper"))


def sum_table(rows: Iterable[Row], caption: str, note: str) -> TableView | None:
    """Make the table of sums over areas, a row for each group: people, years of healthy life, deaths."""
    rows = [row for row in rows if not is_missing(row.get("estimate"))]
    if not any(_changes(row) for row in rows):
        return None
    heads = {(row["kind"], row["quantity"]): str(row["label"]) for row in rows}
    found = {(row["group"], row["kind"], row["quantity"]): row for row in rows}
    lines = [
        [text_cell(group), *(_sum_cell(found.get((group, *key), {})) for key in heads)]
        for group in dict.fromkeys(str(row["group"]) for row in rows)
    ]
    columns = [Column("Group", numeric=False), *(Column(head) for head in heads.values())]
    return TableView("sums", caption, columns, lines, note)


def _sum_cell(row: Row) -> Cell:
    """Write a sum to three figures; '0' where nothing changes in any draw."""
    if not row or not _changes(row):
        return Cell("0" if row else GAP, "", 0.0 if row else None)
    sub = f"{thousands(row['lower'])} to {thousands(row['upper'])}" if row.get("std_error") else ""
    return Cell(thousands(row["estimate"], sign=True), sub, row["estimate"])


def split_table(rows: Iterable[Row], caption: str, note: str) -> TableView | None:
    """Make the table of the change of the Gini coefficient and its parts; None where nothing changes."""
    rows = [row for row in rows if not is_missing(row.get("estimate"))]
    if not any(_changes(row) for row in rows if row["state"] == "difference"):
        return None
    words = {"baseline": "before", "scenario": "after", "difference": "difference"}
    lines = []
    for row in rows:
        part = row["measure"] != "gini"
        label = str(row["label"]) if part else f"{row['label']}, {words[str(row['state'])]}"
        lines.append([text_cell(label), number_cell(row, places=5, change=row["state"] == "difference")])
    columns = [Column("Part", numeric=False), Column("Estimate")]
    return TableView("inequality-split", caption, columns, lines, note, sortable=False)


def _with_unit(row: Row, *, detail: bool = False) -> str:
    """Give the label of a row with its unit in brackets, where it has one."""
    words = unit_words(str(row["unit"]), detail=detail)
    return f"{row['label']} ({words})" if words else str(row["label"])


def rescaled_table(rows: Iterable[Row], caption: str, note: str) -> TableView | None:
    """Make the table of the mean change of each group under frozen and under renewed bounds."""
    rows = [row for row in rows if not is_missing(row.get("estimate"))]
    scalings = list(dict.fromkeys(str(row["scaling"]) for row in rows))
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(str(row["group"]), {})[str(row["scaling"])] = row
    if not found:
        return None
    lines = [
        [text_cell(group), *(number_cell(by_scaling.get(name), change=True) for name in scalings)]
        for group, by_scaling in found.items()
    ]
    over = f"Difference ({unit_words(str(rows[0]['unit']))})"
    columns = [
        Column("Group", numeric=False),
        *(Column(f"{name.capitalize()} bounds", over) for name in scalings),
    ]
    return TableView("renormalised-groups", caption, columns, lines, note)


def health_table(rows: Iterable[Row], caption: str, note: str) -> TableView | None:
    """Make the table of the three lines of every health outcome, a row for each group of areas."""
    rows = [row for row in rows if not is_missing(row.get("estimate"))]
    if not rows:
        return None
    lines = list(dict.fromkeys(str(row["line"]) for row in rows))
    heads = {str(row["outcome"]): _with_unit(row) for row in rows}
    found = {(row["group"], row["outcome"], row["line"]): row for row in rows}
    body = [
        [text_cell(group)]
        + [number_cell(found.get((group, name, line)), change=True) for name in heads for line in lines]
        for group in dict.fromkeys(str(row["group"]) for row in rows)
    ]
    columns = [Column("Group", numeric=False)]
    columns += [Column(line[0].upper() + line[1:], head) for head in heads.values() for line in lines]
    return TableView("health-lines", caption, columns, body, note)


def inequality_table(rows: Iterable[Row], caption: str, note: str) -> TableView | None:
    """Make the table of measures of inequality before, after and the difference."""
    found = pivot([row for row in rows if not is_missing(row.get("estimate"))], ["measure"])
    if not found:
        return None
    lines = []
    for states in found.values():
        row = next(iter(states.values()))
        moved = states.get("difference", {})
        share = moved.get("prob_narrower") if moved.get("estimate") else None
        values = [state.get("estimate") for state in states.values()]
        places = places_for(str(row["unit"]), values)
        finer = places_for(str(row["unit"]), values, change=True)
        cells = [number_cell(states.get(state), places=places) for state in STATES[:2]]
        change = number_cell(states.get("difference"), change=True, places=finer)
        lines.append([text_cell(_with_unit(row)), *cells, change, Cell(chance(share), "", share)])
    columns = [Column("Measure", numeric=False), *(Column(STATE_WORDS[state]) for state in STATES)]
    return TableView("inequality-measures", caption, [*columns, Column("Chance that it narrows")], lines, note)


def action_table(actions: Sequence[Row], caption: str, note: str) -> TableView | None:
    """Make the table of actions: what was asked for, what arrives, and what a unit is worth."""
    if not actions:
        return None
    columns = [Column("Action", numeric=False), Column("Areas"), Column("Asked"), Column("Delivered")]
    columns += [Column("Draws stopped at a limit"), Column("Points per unit"), Column("Cost")]
    return TableView("action-list", caption, columns, [_action_row(action) for action in actions], note)


def _action_row(action: Row) -> list[Cell]:
    """Write one action."""
    unit = base_unit(str(action.get("unit", "")))
    unit = "pp" if unit == "percent" else unit
    cost, clamped = action.get("cost") or {}, action.get("prob_clamped")
    spent = Cell(money(cost.get("total"), str(cost.get("unit", "GBP"))), _cost_words(cost), cost.get("total"))
    return [
        text_cell(action.get("indicator_label") or action.get("indicator"), str(action.get("id", ""))),
        Cell(number(action.get("n_targets"), 0), "", action.get("n_targets")),
        _change_cell(action.get("asked"), unit),
        _change_cell(action.get("delivered"), unit),
        Cell(percent(clamped), "", clamped),
        _points_cell(action.get("points_per_unit") or {}, unit),
        spent,
    ]


def _cost_words(cost: Row) -> str:
    """Say the interval of a cost, where it has one, and the prices it is in."""
    unit = str(cost.get("unit", "GBP"))
    span = f"{money(cost['lower'], unit)} to {money(cost['upper'], unit)}, " if cost.get("std_error") else ""
    return span + (f"{cost['price_base']} prices" if cost.get("price_base") else "")


def _change_cell(value: Row | None, unit: str) -> Cell:
    """Write a change asked for or delivered, with its unit."""
    cell = number_cell(value, unit=unit, change=True)
    return Cell(cell.text, f"{cell.sub} {unit_words(unit)}".strip(), cell.sort)


def _points_cell(value: Row, unit: str) -> Cell:
    """Write the points that one unit of the indicator is worth, its standard error and its status."""
    estimate, error = value.get("estimate"), value.get("std_error")
    if is_missing(estimate):
        return text_cell(STATUS_WORDS.get(str(value.get("status")), value.get("status")))
    per = "£1 a week" if unit == "GBP_per_week" else "percentage point" if unit == "pp" else unit_words(unit)
    status = STATUS_WORDS.get(str(value.get("status")), str(value.get("status", "")))
    spread = f"; standard error {number(error, 3)}" if error else ""
    return Cell(f"{number(estimate, 3)} per {per}", status + spread, estimate)


def target_table(action: Row, key: str) -> TableView | None:
    """Make the table of the areas that an action was aimed at, with the value they were chosen by."""
    targets = action.get("targets") or []
    if not targets:
        return None
    named = {"value": "Chosen by (shrunk for sampling error)", "published": "Published"}
    shown = [name for name in named if any(not is_missing(target.get(name)) for target in targets)]
    by = f"Value of {action['picked_by']}" if action.get("picked_by") else "Value"
    columns = [Column("Area", numeric=False), Column("Area code", numeric=False)]
    columns += [Column(named[name], by) for name in shown]
    rows = [
        [text_cell(target["area_name"]), text_cell(target["area_code"])]
        + [Cell(number(target.get(name), 1), "", target.get(name)) for name in shown]
        for target in targets
    ]
    return TableView(key, f"Areas of the action {action.get('id', '')}.", columns, rows)


def model_table(models: Sequence[Row], caption: str, note: str) -> TableView | None:
    """Make the table of outcome models: every slope between areas and within areas over time."""
    rows = [
        _slope_row(model, slope)
        for model in models
        for name, slope in model.items()
        if name.startswith("slope") and slope
    ]
    columns = [Column(title, numeric=False) for title in ("Outcome", "Slope")]
    columns += [
        Column("Estimate"),
        Column("n"),
        Column("Period", numeric=False),
        Column("Method", numeric=False),
    ]
    return TableView("model-slopes", caption, columns, rows, note) if rows else None


def _slope_row(model: Row, slope: Row) -> list[Cell]:
    """Write one slope with its interval, sample, period and method."""
    term, exposure = str(slope.get("term", "")), str(slope.get("exposure", ""))
    cell = number_cell(slope, places=2)
    unit, left_out = unit_words(str(slope.get("unit", ""))), slope.get("excluded")
    return [
        text_cell(model["label"]),
        text_cell(TERMS.get(term, term), f"on {EXPOSURES.get(exposure, exposure)}" if exposure else ""),
        Cell(
            f"{cell.text} {unit}",
            f"{level_words(slope.get('level'))} {cell.sub}" if cell.sub else "",
            cell.sort,
        ),
        Cell(number(slope.get("n"), 0), _clusters(slope), slope.get("n")),
        text_cell(slope.get("period")),
        text_cell(slope.get("method"), f"left out: {left_out}" if left_out else ""),
    ]


def _clusters(slope: Row) -> str:
    """Say how many areas the observations come from, where that is not their number."""
    clusters = slope.get("n_clusters")
    return f"{number(clusters, 0)} areas" if clusters not in (None, slope.get("n")) else ""


def source_table(sources: Sequence[Row], caption: str) -> TableView | None:
    """Make the table of data sources with period and licence; a column that is empty throughout is left out."""
    names = ("title", "producer", "period", "licence", "attribution", "table")
    shown = [name for name in names if any(source.get(name) for source in sources)]
    columns = [Column(name.capitalize(), numeric=False) for name in shown]
    rows = [[text_cell(source.get(name)) for name in shown] for source in sources]
    note = OPEN if any(OPEN_LICENCE in str(source.get("licence")) for source in sources) else ""
    return TableView("source-list", caption, columns, rows, note, sortable=False) if sources else None
