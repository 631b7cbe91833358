"""Checks across columns and tables that datapackage.json cannot state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.placed import Placed, PlacedTable, capped
from gwm_models.errors import Problem

LONG_TABLES = ("indicators", "outcomes")
MONITOR_DOMAINS = ("access", "status", "pay")
LARGE = 1e9
MOST_ROUNDING = 0.15  # a total and three domains, each printed to one decimal, differ by less than this


def consistency_problems(tables: Placed) -> list[Problem]:
    """Run every check whose tables are all present and readable."""
    problems: list[Problem] = []
    for name in LONG_TABLES:
        if name in tables:
            problems += limit_problems(tables[name])
        if name in tables and "variables" in tables:
            problems += variable_problems(tables[name], tables["variables"])
    if "monitor_scores" in tables:
        problems += total_problems(tables["monitor_scores"], MONITOR_DOMAINS)
    for needs, check in CHECKS:
        if all(name in tables for name in needs):
            problems += check(tables)
    return problems


def limit_problems(table: PlacedTable) -> list[Problem]:
    """Find values outside their own 95% limits, and limits that come alone."""
    value, lower, upper = table["value"], table["lower_95"], table["upper_95"]
    fix = "correct the figure or its limits"
    outside = []
    for i in map(int, np.flatnonzero((value < lower) | (value > upper))):
        figure, low, high = (table.cell(name, i) for name in ("value", "lower_95", "upper_95"))
        outside.append(table.error("value", f"{figure} is outside its limits, {low} to {high}", fix, i))
    alone = [
        table.error("lower_95", "only one of the two 95% limits is given", "give both or neither", i)
        for i in map(int, np.flatnonzero(np.isnan(lower) != np.isnan(upper)))
    ]
    return capped(outside) + capped(alone)


def variable_problems(table: PlacedTable, variables: PlacedTable) -> list[Problem]:
    """Find figures outside the range that variables.csv allows, and variables in the wrong table."""
    name = table.resource.name
    column = table["variable"]
    problems: list[Problem] = []
    for row, variable in enumerate(variables["variable"]):
        here = np.flatnonzero(column == variable)
        listed = variables["table"][row] == name
        if listed and not len(here):
            what = f"'{variable}' has no row in {name}"
            problems.append(variables.error("variable", what, "add its rows, or drop the variable", row))
        if len(here) and not listed:
            what = f"'{variable}' is listed under table {variables['table'][row]}"
            fix = "move its rows, or correct variables.csv"
            problems.append(table.error("variable", what, fix, int(here[0])))
        low, high = variables["lower_limit"][row], variables["upper_limit"][row]
        for part in ("value", "lower_95", "upper_95"):
            problems += _outside(table, part, here, float(low), float(high), variables["unit"][row])
    return problems


def _outside(
    table: PlacedTable, part: str, here: NDArray[np.intp], low: float, high: float, unit: str
) -> list[Problem]:
    figures = table[part][here]
    ends = f"{low:g} to {high:g}".replace("nan to ", "at most ").replace(" to nan", " or more")
    return capped(
        [
            table.error(
                part,
                f"{table.cell(part, row)} is outside the range of {table['variable'][row]}, {ends} {unit}",
                "correct the figure, or the range in variables.csv",
                row,
            )
            for row in map(int, here[(figures < low) | (figures > high)])
        ]
    )


def rounding_allows(parts: int, unit: float) -> float:
    """Return the most that a printed total can differ from the sum of its printed parts.

    Each of them is rounded to a multiple of `unit`, so each is off by half of it at most; the difference is itself a
    multiple of `unit`.

    Examples
    --------
    >>> rounding_allows(2, 0.1), rounding_allows(3, 0.1), rounding_allows(4, 0.1)
    (0.1, 0.1, 0.2)
    """
    return round(parts // 2 * unit, 9)


def domain_gaps(table: PlacedTable, domains: tuple[str, ...], total: str = "total") -> NDArray[np.float64]:
    """Return the printed total minus the sum of the printed domains, to the printed decimal, per area."""
    printed: NDArray[np.float64] = table[total]
    with np.errstate(over="ignore"):  # a figure of the wrong size is an error of its own
        gaps: NDArray[np.float64] = printed - np.sum([table[name] for name in domains], axis=0)
        return np.where(np.abs(gaps) < LARGE, np.round(np.clip(gaps, -LARGE, LARGE), 6), gaps)


def total_problems(
    table: PlacedTable,
    domains: tuple[str, ...],
    *,
    total: str = "total",
    name: str = "area_name",
    most: float = MOST_ROUNDING,
    decimals: int = 1,
) -> list[Problem]:
    """Find totals that differ from the sum of their domains by more than printing explains."""
    gaps = domain_gaps(table, domains, total)
    return capped(
        [
            table.error(
                total,
                f"{table[name][i]}: total {table[total][i]:g} is not the sum of its domains, "
                f"{table[total][i] - gaps[i]:.{decimals}f}",
                "correct the total or the domain",
                i,
            )
            for i in map(int, np.flatnonzero(np.abs(gaps) > most))
        ]
    )


def unit_problems(tables: Placed) -> list[Problem]:
    """Find units below the country that no area belongs to."""
    units, used = tables["units"], set(tables["areas"]["unit_code"])
    return capped(
        [
            units.error("unit_code", f"no area belongs to unit '{code}'", "add its area, or drop the unit", row)
            for row, code in enumerate(units["unit_code"])
            if units["unit_level"][row] != "country" and code not in used
        ]
    )


def population_problems(tables: Placed) -> list[Problem]:
    """Find areas with more people aged 16-64 than people."""
    areas = tables["areas"]
    part, whole = areas["population_16_64"], areas["population"]
    return capped(
        [
            areas.error("population_16_64", f"{part[i]} is more than the population, {whole[i]}", "correct it", i)
            for i in map(int, np.flatnonzero(part > whole))
        ]
    )


def border_problems(tables: Placed) -> list[Problem]:
    """Find areas that border themselves, and pairs given in both orders."""
    borders = tables["borders"]
    seen: dict[frozenset[str], int] = {}
    found = []
    for row, pair in enumerate(zip(borders["area_code_1"], borders["area_code_2"], strict=True)):
        first = seen.setdefault(frozenset(pair), row)
        if pair[0] == pair[1]:
            found.append(borders.error("area_code_2", f"'{pair[0]}' borders itself", "drop the row", row))
        elif first != row and pair[0] != borders["area_code_1"][first]:
            what = f"'{pair[0]}, {pair[1]}' is line {borders.cells.lines[first]} the other way round"
            found.append(borders.error("area_code_1", what, "give each pair once", row))
    return capped(found)


def period_problems(tables: Placed) -> list[Problem]:
    """Find periods that end before they start."""
    periods = tables["periods"]
    return capped(
        [
            periods.error("last_month", f"{last} is before the first month, {first}", "correct the months", row)
            for row, (first, last) in enumerate(zip(periods["first_month"], periods["last_month"], strict=True))
            if first and last and last < first
        ]
    )


def access_problems(tables: Placed) -> list[Problem]:
    """Find access scores that are not those of the Monitor table, and residuals that do not add up."""
    rates, monitor = tables["access_domain_reproduction"], tables["monitor_scores"]
    printed = dict(zip(monitor["area_code"], monitor["access"], strict=True))
    found = []
    for row, code in enumerate(rates["area_code"]):
        published, residual = rates["access_score_published"][row], rates["residual"][row]
        if code in printed and published != printed[code]:
            what = f"{published:g} is not the access score in monitor_scores, {printed[code]:g}"
            found.append(rates.error("access_score_published", what, "correct the one that is wrong", row))
        gap = published - rates["access_score_reproduced"][row]
        if abs(gap - residual) > 0.006:
            what = f"{residual:g} is not published minus reproduced, {gap:.2f}"
            found.append(rates.error("residual", what, "correct the one that is wrong", row))
    return capped(found)


CHECKS: tuple[tuple[tuple[str, ...], Callable[[Placed], list[Problem]]], ...] = (
    (("areas", "units"), unit_problems),
    (("areas",), population_problems),
    (("borders",), border_problems),
    (("periods",), period_problems),
    (("access_domain_reproduction", "monitor_scores"), access_problems),
)
