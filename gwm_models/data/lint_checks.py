"""Checks of a table of scores whose columns have roles: areas, ranges, sums, and statements of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.claims import claim_faults
from gwm_models.data.consistency import domain_gaps, rounding_allows, total_problems
from gwm_models.data.faults import sum_faults
from gwm_models.data.placed import PlacedTable, capped
from gwm_models.data.published import place_raw, printed_decimals, read_raw
from gwm_models.data.roles import Roles
from gwm_models.errors import DataError, Problem, some

CLAIM_COLUMNS = ("claim_id", "check", "table", "column", "area_name", "region_name", "period", "sex", "top_n", "stated")
BY_REGION = ("top_n_outside_region", "first_in_region")
LAST = 10**6
"""Rank of an area without one."""


def duplicate_problems(table: PlacedTable, roles: Roles) -> list[Problem]:
    """Find areas that are on two lines, by key or by name."""
    found = []
    for column in dict.fromkeys((roles.key, roles.name)):
        seen: dict[str, int] = {}
        for row, text in enumerate(map(_plain, table[column])):
            first = seen.setdefault(text, row) if text else row
            if first != row and (column == roles.key or table[roles.key][row] != table[roles.key][first]):
                what = f"'{table[column][row]}' is already on line {table.cells.lines[first]}"
                found.append(table.error(column, what, "keep one of the two rows, or correct the name", row))
    return capped(found)


def area_problems(
    table: PlacedTable, roles: Roles, keys: Sequence[str], other: tuple[PlacedTable, Roles]
) -> list[Problem]:
    """Find areas of another table that are missing here, and areas here that it does not have."""
    theirs, there = other[0], other[1]
    _, known = matched(table, roles, theirs, there)
    names = dict(zip(known, theirs[there.name], strict=True))
    missing = [str(names[key]) for key in names if key not in set(keys)]
    name = theirs.resource.path
    found = []
    if missing:
        what = f"missing areas: {some(missing, 5)} ({len(missing)} of the {len(names)} in {name})"
        found.append(table.error(roles.key, what, "add their rows, or name the right table with --against"))
    lost = [row for row, key in enumerate(keys) if key not in names]
    return found + capped([table.warning(roles.key, f"{table[roles.name][row]} is not in {name}", row) for row in lost])


def range_problems(table: PlacedTable, roles: Roles, ranges: Mapping[str, tuple[float, float]]) -> list[Problem]:
    """Find values outside the range of the index; columns with limits of their own are left to those."""
    found = []
    for column, (low, high) in ranges.items():
        field = table.resource.field(column)
        if field.minimum is not None or field.maximum is not None:
            continue
        slack = 0.5 * 10.0 ** -printed_decimals(table, column) + 1e-9
        outside = np.flatnonzero((table[column] < low - slack) | (table[column] > high + slack))
        found += capped(
            [
                table.error(
                    column,
                    f"{table[roles.name][row]}: {table.cell(column, row)} is outside {low:g} to {high:g}, the range "
                    "of the index",
                    "correct the figure",
                    row,
                )
                for row in map(int, outside)
            ]
        )
    return found


def sum_problems(table: PlacedTable, roles: Roles, decimals: int) -> list[Problem]:
    """Compare totals with parts: errors row by row, or one warning where most rows disagree."""
    unit = 10.0 ** -min([decimals, *(printed_decimals(table, part) for part in roles.parts)])
    most = rounding_allows(len(roles.parts), unit)
    gaps = domain_gaps(table, roles.parts, roles.total)
    known = np.isfinite(gaps)
    if 2 * (np.abs(gaps[known]) > most).sum() > known.sum():
        said = f"Taken as its parts: {', '.join(roles.parts)}; name others with --parts"
        return sum_faults(table, roles.parts, most=most, roles=roles, kept=said)
    return total_problems(table, roles.parts, total=roles.total, name=roles.name, most=most, decimals=decimals)


def matched(table: PlacedTable, roles: Roles, other: PlacedTable, theirs: Roles) -> tuple[list[str], list[str]]:
    """Return the keys of both tables, in the pair of columns (codes or names) that have most in common."""
    pairs = [(mine, their) for mine in (roles.key, roles.name) for their in (theirs.key, theirs.name)]
    keys = [(list(map(_plain, table[mine])), list(map(_plain, other[their]))) for mine, their in pairs]
    return max(keys, key=lambda pair: len({*pair[0]} & {*pair[1]}))


def text_problems(table: PlacedTable, roles: Roles, claims_file: Path, *, best: str) -> list[Problem]:
    """Compare the statements of a text with the table, its columns under the names the checks know.

    Parameters
    ----------
    table : PlacedTable
    roles : Roles
    claims_file : Path
        Columns claim_id, check and stated, and those of `CLAIM_COLUMNS` that the check needs; without a table, the
        statement is about this one.
    best : {"high", "low"}
        Which end of the total has rank 1, where the table prints no ranks.

    Raises
    ------
    DataError
        If the file cannot be read or lacks a column.
    """
    name = table.resource.name
    raw = read_raw(claims_file)
    lacking = [column for column in ("claim_id", "check", "stated") if column not in raw.columns]
    if lacking:
        found = f"{claims_file} has no column {some(lacking)}"
        raise DataError(f"{found}; expected those of report_claims: {', '.join(CLAIM_COLUMNS)}.")
    claims, problems = place_raw(raw, numeric=(), texts=raw.columns)
    columns = {column: np.array([""] * len(claims), dtype=object) for column in CLAIM_COLUMNS}
    columns |= {column: claims[column] for column in raw.columns}
    columns["top_n"] = np.array([text if text.isdecimal() else "" for text in columns["top_n"]], dtype=object)
    about = []
    for row, check in enumerate(columns["check"]):
        skipped = check in BY_REGION and not roles.region
        if skipped:
            what = f"{columns['claim_id'][row]}: not checked, the table has no column of regions"
            problems.append(claims.warning("check", what, row))
        about.append("" if skipped else columns["table"][row] or name)
    columns["table"] = np.array(about, dtype=object)
    given = replace(claims, table=replace(claims.table, columns=columns))
    own = {**table.table.columns, "area_name": table[roles.name], "rank": _ranks(table, roles, best)}
    own |= {"region_as_printed": table[roles.region]} if roles.region else {}
    named = replace(table, table=replace(table.table, columns=own))
    found_ = claim_faults({"report_claims": given, name: named}, score_tables=(name,), about=name)
    return problems + [replace(p, what=p.what.rsplit(". The toolkit", 1)[0]) for p in found_]


def _ranks(table: PlacedTable, roles: Roles, best: str) -> NDArray[np.int64]:
    """Return printed ranks, or where there are none those the totals give; areas without one come last."""
    if roles.rank:
        ranks = np.array(table[roles.rank], dtype=float)
    elif roles.total:
        score = table[roles.total] * (1 if best == "low" else -1)
        ranks = np.where(np.isfinite(score), (score[:, None] > score).sum(axis=1) + 1.0, np.nan)
    else:
        ranks = np.full(len(table), np.nan)
    return np.where(np.isfinite(ranks), ranks, LAST).astype(np.int64)


def _plain(text: str) -> str:
    return " ".join(str(text).casefold().split())
