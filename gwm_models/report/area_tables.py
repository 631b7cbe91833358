"""The tables of a scenario report that have a row for each area."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gwm_models.plots.ranking import STATE_WORDS, by_area
from gwm_models.plots.words import chance, unit_words
from gwm_models.report.views import Cell, Column, TableView, number_cell, text_cell

Row = Mapping[str, Any]
Found = dict[str, dict[str, dict[str, Row]]]

STATES = ("baseline", "scenario", "difference")
CHANCE = "Chance of"
SHOWN = 0.05
"""Points of the score below which a change is printed as zero."""
MEDIANS = "Ranks and their differences are medians, each of its own draws, and need not subtract."


def quantities_of(areas: Iterable[Row]) -> list[str]:
    """Name the quantities that the tables of areas show: total, rank, then the health outcomes."""
    seen = dict.fromkeys(str(row["quantity"]) for row in areas)
    return [name for name in seen if name in ("total", "rank")] + [name for name in seen if "expectancy" in name]


def collect(areas: Sequence[Row]) -> Found:
    """Collect the rows of areas as ``{quantity: {area_code: {state: row}}}``."""
    return {quantity: by_area(areas, quantity) for quantity in quantities_of(areas)}


def most_affected(found: Found, most: int = 20) -> tuple[list[str], int]:
    """Choose the areas whose score changes most, in the order of `by_change`.

    Returns
    -------
    tuple of (list of str, int)
        At most `most` area codes, the largest change first, and how many areas change (`moves`).
    """
    totals = found.get("total", {})
    changed = by_change({code: states for code, states in totals.items() if moves(states.get("difference", {}))})
    return changed[:most], len(changed)


def by_change(totals: Mapping[str, Mapping[str, Row]]) -> list[str]:
    """Order areas by the size of the change of their total, the weakest first where it is about the same.

    Sizes within a tenth of the largest count as the same: areas that one action treats alike differ by the noise of the
    draws alone.

    Parameters
    ----------
    totals : mapping
        The rows of the total of each area by state.

    Examples
    --------
    >>> rows = {"A": (6.79, 182.2), "B": (6.74, 161.7), "C": (0.4, 120.0)}
    >>> totals = {a: {"difference": {"estimate": d}, "baseline": {"estimate": s}} for a, (d, s) in rows.items()}
    >>> by_change(totals)
    ['B', 'A', 'C']
    """

    def size(code: str) -> float:
        return abs(float(totals[code]["difference"]["estimate"]))

    def before(code: str) -> float:
        estimate = totals[code].get("baseline", {}).get("estimate")
        return math.inf if estimate is None else float(estimate)

    largest = max(map(size, totals), default=0.0) or 1.0
    return sorted(totals, key=lambda code: (-round(10 * size(code) / largest), before(code)))


def moves(difference: Row) -> bool:
    """Tell whether an area changes: by what a table can show, more likely than not for the better, or surely worse.

    A chance in a thousand that an action reaches an area at all is no change of it.

    Parameters
    ----------
    difference : mapping
        The row of the difference of its total.

    Examples
    --------
    >>> moves({"estimate": 0.003, "prob_better": 0.003}), moves({"estimate": -0.2, "prob_better": 0.0})
    (False, True)
    """
    size, better = abs(difference.get("estimate") or 0.0), difference.get("prob_better") or 0.0
    return size >= SHOWN or (size > 0 and better > 0.5) or (difference.get("upper") or 0.0) < 0


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
    better, moved = (found.get(name, {}).get(code, {}).get("difference", {}) for name in ("total", "rank"))
    moved_at_all = any(better.get(name) for name in ("estimate", "lower", "upper"))
    inside = found.get("rank", {}).get(code, {}).get("baseline", {}).get("prob_bottom_fifth")
    shares = (
        better.get("prob_better") if moved_at_all else None,
        moved.get("prob_rank_improves") if moved_at_all else None,
        moved.get("prob_leaves_bottom_fifth") if moved_at_all and inside else None,
    )
    here = _beside_health(found)
    return [*cells[:here], *(Cell(chance(share), "", share) for share in shares), *cells[here:]]


def _area_columns(found: Found) -> list[Column]:
    """Head before, after and difference of every quantity."""
    columns = [Column(STATE_WORDS[state], _heading(rows)) for rows in found.values() if rows for state in STATES]
    here, chances = _beside_health(found), ("Better score", "Better rank", "Out of bottom fifth")
    return [*columns[:here], *(Column(name, CHANCE) for name in chances), *columns[here:]]


def _beside_health(found: Found) -> int:
    """Return how many columns of score and rank stand before the chances, which then are seen without scrolling."""
    return len(STATES) * sum(name in found for name in ("total", "rank"))


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


def domain_table(areas: Sequence[Row], caption: str, note: str) -> TableView | None:
    """Make the table of the domain scores of every area, for the domains that change in any; None if none does."""
    names = [name for name in dict.fromkeys(str(row["quantity"]) for row in areas) if name not in quantities_of(areas)]
    found = {name: by_area(areas, name) for name in names}
    found = {name: rows for name, rows in found.items() if _any_change(rows)}
    if not found:
        return None
    people = _names(found)
    rows = [
        [text_cell(row["area_name"]), text_cell(row.get("region_name"))]
        + [
            number_cell(found[name].get(code, {}).get(state), change=state == "difference")
            for name in found
            for state in STATES
        ]
        for code, row in people.items()
    ]
    columns = [Column("Area", numeric=False), Column("Region", numeric=False)]
    columns += [Column(STATE_WORDS[state], _heading(states)) for states in found.values() for state in STATES]
    return TableView("domains", caption, columns, rows, note, tall=True)


def _any_change(rows: Mapping[str, Mapping[str, Row]]) -> bool:
    """Tell whether a quantity changes in any area, in its estimate or its interval."""
    ends = ("estimate", "lower", "upper")
    return any(states.get("difference", {}).get(name) for states in rows.values() for name in ends)
