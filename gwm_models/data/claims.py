"""Statements of the report's text, compared with the tables they are about."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from gwm_models.data.placed import Placed, PlacedTable
from gwm_models.errors import Problem

DECIMAL = 0.05 + 1e-9  # a figure printed to one decimal is within this of the exact one
SCORE_TABLES = {"monitor_scores": "the Monitor table", "conditions_scores": "the conditions table"}

Claim = dict[str, Any]


def claim_faults(
    tables: Placed, *, score_tables: Collection[str] = tuple(SCORE_TABLES), about: str | None = None
) -> list[Problem]:
    """Find the statements of report_claims.csv that their tables contradict.

    Each kind of statement has one check. A statement that holds gives nothing; one that cannot be tested as
    it is written is an error.

    Parameters
    ----------
    tables : mapping of name to PlacedTable
        The tables, and the statements as ``report_claims``.
    score_tables : collection of str
        Tables of scores, with columns area_name, rank and region_as_printed.
    about : str, optional
        Only the statements about this table.
    """
    claims = tables.get("report_claims")
    if claims is None:
        return []
    faults = []
    for row, claim in enumerate(claims.table.rows()):
        if about not in (None, claim["table"]):
            continue
        unfit = _unfit(claim, score_tables)
        if unfit:
            faults.append(claims.error("check", f"{claim['claim_id']}: {unfit}", "correct the row", row))
        elif claim["table"] in tables:
            found = CHECKS[claim["check"]](claim, tables)
            if found:
                faults.append(claims.warning("stated", f"{claim['claim_id']}: {found}", row))
    return faults


def _unfit(claim: Claim, score_tables: Collection[str]) -> str:
    """Say what a statement lacks for its check; "" if it can be tested."""
    check, table = claim["check"], claim["table"]
    if check not in CHECKS:
        return f"there is no check '{check}'"
    if (check == "outcome_value") != (table not in score_tables):
        return f"check {check} does not apply to table {table}"
    absent = [name for name in NEEDS[check] if not claim[name]]
    if absent:
        return f"check {check} needs {' and '.join(absent)}"
    numeric = check != "top_n_outside_region"
    if numeric and not claim["stated"].removeprefix("-").replace(".", "", 1).isdecimal():
        return f"stated is '{claim['stated']}', expected a number"
    return ""


def ordinal(number: int) -> str:
    """Return a rank as it is said.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 11, 41, 112)]
    ['1st', '2nd', '3rd', '11th', '41st', '112th']
    """
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _area_count(claim: Claim, tables: Placed) -> str:
    stated, found = round(float(claim["stated"])), len(tables[claim["table"]])
    if stated == found:
        return ""
    return f"the text says {stated} areas; {_label(claim)} has {found}. The toolkit uses the {found}"


def _rank(claim: Claim, tables: Placed) -> str:
    table, area = tables[claim["table"]], claim["area_name"]
    stated, found = round(float(claim["stated"])), _ranks(table).get(area)
    if found is None or stated == found:
        return ""
    return (
        f"the text ranks {area} {ordinal(stated)}; {_label(claim)} ranks it {ordinal(found)}. "
        "The toolkit uses the table"
    )


def _top_n_outside_region(claim: Claim, tables: Placed) -> str:
    table, region, n = tables[claim["table"]], claim["region_name"], int(claim["top_n"])
    ranks = _ranks(table)
    regions = dict(zip(table["area_name"], table["region_as_printed"], strict=True))
    top = sorted((area for area in ranks if ranks[area] <= n), key=ranks.__getitem__)
    found = [area for area in top if regions[area] != region]
    stated = claim["stated"].split(";")
    if set(stated) == set(found):
        return ""
    wrong = [f"{area} is {ordinal(ranks[area])}" for area in stated if area in ranks and area not in found]
    listed = ", ".join(f"{area} {ordinal(ranks[area])}" for area in found)
    return (
        f"the text names {' and '.join(stated)} as the only top-{n} areas outside the {region}; "
        f"{_label(claim)} has {'; '.join([listed, *wrong])}. The toolkit uses the table"
    )


def _first_in_region(claim: Claim, tables: Placed) -> str:
    table, area, region = tables[claim["table"]], claim["area_name"], claim["region_name"]
    stated, ranks = round(float(claim["stated"])), _ranks(table)
    inside = table["area_name"][table["region_as_printed"] == region].tolist()
    if not inside or area not in ranks:
        return ""
    first = min(inside, key=ranks.__getitem__)
    if first == area and ranks[area] == stated:
        return ""
    elsewhere = [
        f"; {ordinal(stated)} is its rank in {label}"
        for name, label in SCORE_TABLES.items()
        if name != claim["table"] and name in tables and _ranks(tables[name]).get(area) == stated
    ]
    return (
        f"the text puts {area} first of the {region}, at {ordinal(stated)}; in {_label(claim)} {first} is "
        f"first, at {ordinal(ranks[first])}, and {area} is {ordinal(ranks[area])}{''.join(elsewhere)}. "
        "The toolkit uses the table"
    )


def _value(claim: Claim, tables: Placed) -> str:
    table, area, column = tables[claim["table"]], claim["area_name"], claim["column"]
    if column not in table.table.columns or area not in table["area_name"]:
        return ""
    found = float(table[column][list(table["area_name"]).index(area)])
    decimals = len(claim["stated"].partition(".")[2])
    if np.isnan(found) or abs(found - float(claim["stated"])) <= 0.5 * 10**-decimals + 1e-9:
        return ""
    return (
        f"the text gives {claim['stated']} for {area} ({column}); {_label(claim)} has {found:g}. "
        "The toolkit uses the table"
    )


def _outcome_value(claim: Claim, tables: Placed) -> str:
    table, areas = tables[claim["table"]], tables.get("areas")
    if areas is None:
        return ""
    units = dict(zip(areas["area_name"], areas["unit_code"], strict=True))
    rows = (
        (table["unit_code"] == units.get(claim["area_name"], ""))
        & (table["variable"] == claim["column"])
        & (table["sex"] == claim["sex"])
    )
    figures = dict(zip(table["period"][rows], map(float, table["value"][rows]), strict=True))
    stated, official = float(claim["stated"]), figures.get(claim["period"], np.nan)
    if np.isnan(official) or abs(official - stated) <= DECIMAL:
        return ""
    place = f"{claim['area_name']} ({claim['sex'].lower()}, {claim['period']})"
    near = min((round(figure, 1) for figure in figures.values()), key=lambda figure: abs(figure - stated))
    when = [period for period, figure in figures.items() if round(figure, 1) == near]
    return (
        f"the text gives {stated:g} for {place}; the official figure is {official:.1f} (the nearest in any "
        f"period is {near:.1f}, in {' and '.join(when)}). The toolkit uses the official figure"
    )


NEEDS = {
    "area_count": (),
    "rank": ("area_name",),
    "top_n_outside_region": ("region_name", "top_n"),
    "first_in_region": ("area_name", "region_name"),
    "outcome_value": ("area_name", "period", "sex"),
    "value": ("area_name", "column"),
}
CHECKS: dict[str, Callable[[Claim, Placed], str]] = {
    "area_count": _area_count,
    "rank": _rank,
    "top_n_outside_region": _top_n_outside_region,
    "first_in_region": _first_in_region,
    "outcome_value": _outcome_value,
    "value": _value,
}


def _ranks(table: PlacedTable) -> dict[str, int]:
    return {name: int(rank) for name, rank in zip(table["area_name"], table["rank"], strict=True)}


def _label(claim: Claim) -> str:
    return SCORE_TABLES.get(claim["table"], f"the table {claim['table']}")
