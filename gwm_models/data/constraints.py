"""Checks that datapackage.json asks for: types, ranges, patterns, keys, the hash of each file."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

from gwm_models.data.descriptor import Field, ForeignKey, Resource
from gwm_models.data.placed import Placed, PlacedTable, capped
from gwm_models.data.tables import Cells, Column, bad_cells, frozen_table, read_cells, shown, to_array
from gwm_models.errors import Problem, some


def place_table(folder: Path, resource: Resource) -> tuple[PlacedTable | None, list[Problem]]:
    """Read a table and check it alone.

    Returns
    -------
    table : PlacedTable or None
        The table; None if a row or a cell could not be read, so that checks across tables leave it out.
    problems : list of Problem
        All faults found.
    """
    cells, problems = read_cells(folder / resource.path, resource)
    if not cells.rows:
        empty = Problem(cells.file, 0, 0, "error", "", "the table has no rows", "restore the file")
        return None, problems or [empty]
    columns = {}
    for place, field in enumerate(resource.fields):
        try:
            columns[field.name] = to_array(field, cells.column(place))
        except (ValueError, OverflowError):
            problems += capped(bad_cells(field, cells, place))
            columns[field.name] = np.full(len(cells.rows), np.nan)
    table = PlacedTable(resource, cells, frozen_table(resource.name, columns))
    usable = None if problems else table
    problems += file_problems(folder, resource)
    for field in resource.fields:
        problems += field_problems(table, field)
    problems += key_problems(table, resource.primary_key)
    return usable, problems


def file_problems(folder: Path, resource: Resource) -> list[Problem]:
    """Compare the file with the size and SHA-256 that datapackage.json states."""
    if not resource.sha256:
        return []
    raw = (folder / resource.path).read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found == resource.sha256 and resource.bytes in (None, len(raw)):
        return []
    what = (
        f"the file is not the one described: it has {len(raw)} bytes and sha256 {found}, "
        f"expected {resource.bytes} bytes and {resource.sha256}"
    )
    fix = "restore the file, or if the change is meant put its bytes and hash into datapackage.json"
    return [Problem(shown(folder / resource.path), 0, 0, "error", "", what, fix)]


def field_problems(table: PlacedTable, field: Field) -> list[Problem]:
    """Check the constraints of one field: enum, pattern, minimum, maximum, unique."""
    text = table.text(field.name)
    problems = _enum(table, field, text) + _pattern(table, field, text)
    if field.type != "string":
        problems += _range(table, field, table[field.name])
    own_key = table.resource.primary_key == (field.name,)
    return problems + (key_problems(table, (field.name,)) if field.unique and not own_key else [])


def _enum(table: PlacedTable, field: Field, text: list[str]) -> list[Problem]:
    if not field.enum:
        return []
    allowed = {*field.enum, ""}
    expected = some([f"'{value}'" for value in field.enum], 10)
    return capped(
        [
            table.error(field.name, f"'{cell}' is not one of {expected}", "use one of these", row)
            for row, cell in enumerate(text)
            if cell not in allowed
        ]
    )


def _pattern(table: PlacedTable, field: Field, text: list[str]) -> list[Problem]:
    if not field.pattern:
        return []
    pattern = re.compile(field.pattern)
    bad = {cell for cell in set(text) if cell and not pattern.fullmatch(cell)}
    return capped(
        [
            table.error(field.name, f"'{cell}' does not match {field.pattern}", "correct it", row)
            for row, cell in enumerate(text)
            if cell in bad
        ]
    )


def _range(table: PlacedTable, field: Field, values: Column) -> list[Problem]:
    low = -np.inf if field.minimum is None else field.minimum
    high = np.inf if field.maximum is None else field.maximum
    ends = f"{low:g} to {high:g} {field.unit}".rstrip()
    return capped(
        [
            table.error(field.name, f"{table.cell(field.name, row)} is outside {ends}", "correct the figure", row)
            for row in map(int, np.flatnonzero((values < low) | (values > high)))
        ]
    )


def key_problems(table: PlacedTable, key: tuple[str, ...]) -> list[Problem]:
    """Find rows whose key is already on an earlier row."""
    if not key:
        return []
    seen: dict[tuple[str, ...], int] = {}
    found = []
    for row, value in enumerate(zip(*(table.text(name) for name in key), strict=True)):
        first = seen.setdefault(value, row)
        if first != row:
            what = f"'{', '.join(value)}' is already on line {table.cells.lines[first]}"
            found.append(table.error(key[0], what, "keep one of the two rows, or correct the key", row))
    return capped(found)


def foreign_key_problems(table: PlacedTable, key: ForeignKey, tables: Placed) -> list[Problem]:
    """Find rows whose values are not in the table they refer to; an empty cell refers to nothing."""
    other = tables.get(key.table)
    if other is None:
        return []
    known = set(_together(other.cells, other.resource, key.reference_fields))
    target = f"{key.table}.{'+'.join(key.reference_fields)}"
    values = _together(table.cells, table.resource, key.fields)
    lost = {value for value in set(values) - known if all(value)}
    fix = f"correct it, or add it to {key.table}"
    return capped(
        [
            table.error(key.fields[0], f"'{', '.join(value)}' is not in {target}", fix, row)
            for row, value in enumerate(values)
            if value in lost
        ]
    )


def _together(cells: Cells, resource: Resource, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    places = [resource.columns.index(name) for name in names]
    return list(zip(*([row[place] for row in cells.rows] for place in places), strict=True))
