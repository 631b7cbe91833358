"""The tables of a scenario report, built from result rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gwm_models.plots.ranking import STATE_WORDS, by_area
from gwm_models.plots.words import (
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

Row = Mapping[str, Any]
Found = dict[str, dict[str, dict[str, Row]]]

STATES = ("baseline", "scenario", "difference")
TERMS = {"between": "Between areas", "within": "Within areas, over time"}
EXPOSURES = {
    "total": "the Monitor total",
    "access": "the access domain",
    "status": "the status and autonomy domain",
    "pay": "the pay and conditions domain",
}
STATUS_WORDS = {
    "reproduced": "exact: reproduced from official figures",
    "calibrated": "estimated from open figures",
    "unknown": "unknown: the change is stated in score points",
}


def quantities_of(areas: Iterable[Row]) -> list[str]:
    """Name the quantities that the tables of areas show: total, rank, then the health outcomes."""
    seen = dict.fromkeys(str(row["quantity"]) for row in areas)
    return [name for name in seen if name in ("total", "rank")] + [name for name in seen if "expectancy" in name]


def collect(areas: Sequence[Row]) -> Found:
    """Collect the rows of areas as ``{quantity: {area_code: {state: row}}}``."""
    return {quantity: by_area(areas, quantity) for quantity in quantities_of(areas)}


def most_affected(found: Found, most: int = 20) -> tuple[list[str], int]:
    """Choose the areas whose score changes most.

    Returns
    -------
    tuple of (list of str, int)
        At most `most` area codes, the largest change first, and how many areas change at all.
    """
    changes = {
        code: max(abs(row.get(name) or 0.0) for name in ("estimate", "lower", "upper"))
        for code, states in found.get("total", {}).items()
        for row in [states.get("difference", {})]
    }
    changed = [code for code in changes if changes[code] > 0]
    return sorted(changed, key=lambda code: -abs(found["total"][code]["difference"]["estimate"]))[:most], len(changed)


def _heading(rows: Mapping[str, Mapping[str, Row]]) -> str:
    """Give the words over the columns of one quantity, with its unit."""
    row = next(iter(next(iter(rows.values())).values()))
    label = str(row.get("label") or row["quantity"])
    if row["unit"] == "rank":
        return label if "1 is best" in label else f"{label} (1 is best)"
    return f"{label} ({unit_words(str(row['unit']), detail=True)})"


def _area_cells(found: Found, code: str) -> list[Cell]:
    """Write before, after and difference of one area for every quantity."""
    cells = []
    for rows in found.values():
        states = rows.get(code, {})
        cells += [number_cell(states.get(state), change=state == "difference") for state in STATES]
    better = found.get("total", {}).get(code, {}).get("difference", {})
    moves = any(better.get(name) for name in ("estimate", "lower", "upper"))
    share = better.get("prob_better") if moves else None
    return [*cells, Cell(chance(share), "", share)]


def _area_columns(found: Found) -> list[Column]:
    """Head before, after and difference of every quantity."""
    columns = [Column(STATE_WORDS[state], _heading(rows)) for rows in found.values() if rows for state in STATES]
    return [*columns, Column("Chance of a better score")]


def _names(found: Found) -> dict[str, Row]:
    """Give one row of each area, for its name, region and whether it is treated."""
    return {code: next(iter(states.values())) for rows in found.values() for code, states in rows.items()}


def decision_table(found: Found, codes: Sequence[str], caption: str, note: str) -> TableView:
    """Make the table a reader decides by: score, rank and health of the most affected areas."""
    found = {quantity: rows for quantity, rows in found.items() if rows}
    names = _names(found)
    rows = [[text_cell(names[code]["area_name"]), *_area_cells(found, code)] for code in codes]
    return TableView("decision", caption, [Column("Area", numeric=False), *_area_columns(found)], rows, note)


def full_table(found: Found, caption: str, note: str) -> TableView:
    """Make the table of every area, with its region and its published score and rank."""
    found = {quantity: rows for quantity, rows in found.items() if rows}
    rows = []
    for code, row in _names(found).items():
        printed = [found.get(name, {}).get(code, {}).get("published") for name in ("total", "rank")]
        rows.append(
            [
                text_cell(row["area_name"], "Target area" if row.get("treated") else ""),
                text_cell(row.get("region_name")),
                *(number_cell(value) for value in printed),
                *_area_cells(found, code),
            ]
        )
    columns = [Column("Area", numeric=False), Column("Region", numeric=False)]
    columns += [Column("Score", "Published"), Column("Rank", "Published"), *_area_columns(found)]
    return TableView("areas", caption, columns, rows, note, tall=True)


def group_table(key: str, rows: Iterable[Row], caption: str, note: str) -> TableView | None:
    """Make the table of groups of areas: each quantity before, after and the difference."""
    rows = [row for row in rows if not is_missing(row.get("estimate"))]
    if not rows:
        return None
    found = pivot(rows, ["group", "quantity"])
    heads = {str(row["quantity"]): _with_unit(row, detail=True) for row in rows}
    sizes = {str(row["group"]): row.get("n_areas") for row in rows}
    lines = []
    for group, size in sizes.items():
        states = [found.get((group, quantity), {}) for quantity in heads]
        cells = [number_cell(each.get(state), change=state == "difference") for each in states for state in STATES]
        lines.append([text_cell(group), Cell(number(size, 0), "", size), *cells])
    columns = [Column("Group", numeric=False), Column("Areas")]
    columns += [Column(STATE_WORDS[state], head) for head in heads.values() for state in STATES]
    return TableView(key, caption, columns, lines, note)


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
    spent = Cell(
        money(cost.get("total"), str(cost.get("unit", "GBP"))),
        f"{cost['price_base']} prices" if cost.get("price_base") else "",
        cost.get("total"),
    )
    return [
        text_cell(action.get("indicator_label") or action.get("indicator"), str(action.get("id", ""))),
        Cell(number(action.get("n_targets"), 0), "", action.get("n_targets")),
        _change_cell(action.get("asked"), unit),
        _change_cell(action.get("delivered"), unit),
        Cell(percent(clamped), "", clamped),
        _points_cell(action.get("points_per_unit") or {}, unit),
        spent,
    ]


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
    return TableView("source-list", caption, columns, rows, sortable=False) if sources else None
