"""List, describe and check the tables of a data package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwm_models.data.consistency import consistency_problems
from gwm_models.data.constraints import foreign_key_problems, place_table
from gwm_models.data.descriptor import Field, Package, Resource, read_descriptor
from gwm_models.data.faults import find_faults
from gwm_models.data.home import data_home
from gwm_models.data.placed import PlacedTable
from gwm_models.data.tables import Cells, TableError, read_cells, read_table
from gwm_models.errors import DataError, Problem


@dataclass(frozen=True, slots=True)
class PackageCheck:
    """What a check of a data package found, and how much it looked at.

    Attributes
    ----------
    problems : tuple of Problem
        Errors break the package; warnings are known faults of the published tables, kept as printed.
    tables, rows, values : int
        Sizes of what was read; a value is one cell that is not empty.
    """

    problems: tuple[Problem, ...]
    tables: int
    rows: int
    values: int

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that break the package."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The faults of the published tables."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    def __str__(self) -> str:
        """Return the result in one line."""
        return (
            f"{_count(self.tables, 'table')}, {_count(self.rows, 'row')}, {_count(self.values, 'value')} "
            f"checked: {_count(len(self.errors), 'error')}, {_count(len(self.warnings), 'warning')}"
        )


def list_tables(folder: Path | None = None) -> list[dict[str, Any]]:
    """Return one row per table: its name, title, sizes, producer and licence.

    Parameters
    ----------
    folder : path, optional
        Folder with a datapackage.json; the shipped data by default.

    Returns
    -------
    list of dict
        Keys `table`, `title`, `rows`, `columns`, `producer`, `licence`, in the order of the package.
    """
    package = _package(folder)
    found = []
    for resource in package.resources.values():
        cells = _cells(package, resource)
        producers = dict.fromkeys(source.producer for source in resource.sources)
        found.append(
            {
                "table": resource.name,
                "title": resource.title,
                "rows": len(cells.rows),
                "columns": len(resource.fields),
                "producer": "; ".join(producers),
                "licence": resource.licence,
            }
        )
    return found


def describe_table(name: str, folder: Path | None = None) -> dict[str, Any]:
    """Return what the package says of one table.

    Parameters
    ----------
    name : str
        Name of a table.
    folder : path, optional
        Folder with a datapackage.json; the shipped data by default.

    Returns
    -------
    dict
        `table`, `title`, `description`, `rows`, `primary_key`, `sources`, `licence`; `fields`, one dict per
        column: `column`, `type`, `unit`, `allowed`, `missing`, `refers_to`, `description`; and `variables`,
        the rows of the table variables about this one.

    Raises
    ------
    DataError
        If there is no such table; the message gives the nearest names.
    """
    package = _package(folder)
    variables = _variables(package)
    if name not in package.resources and name in (row["variable"] for row in variables):
        table = next(row["table"] for row in variables if row["variable"] == name)
        raise DataError(f"'{name}' is a variable of the table '{table}', not a table. Describe '{table}'.")
    resource = package.table(name)
    cells = _cells(package, resource)
    targets = {
        field: f"{key.table}.{target}"
        for key in reversed(resource.foreign_keys)
        for field, target in zip(key.fields, key.reference_fields, strict=True)
    }
    return {
        "table": resource.name,
        "title": resource.title,
        "description": resource.description,
        "rows": len(cells.rows),
        "primary_key": list(resource.primary_key),
        "sources": [
            {"title": source.title, "producer": source.producer, "period": source.period} for source in resource.sources
        ],
        "licence": resource.licence,
        "fields": [
            {
                "column": field.name,
                "type": field.type,
                "unit": field.unit,
                "allowed": _allowed(field),
                "missing": cells.column(place).count(""),
                "refers_to": targets.get(field.name, ""),
                "description": field.description or field.title,
            }
            for place, field in enumerate(resource.fields)
        ],
        "variables": [row for row in variables if row["table"] == name],
    }


def examine_package(folder: Path | None = None) -> PackageCheck:
    """Check every table and count what was checked.

    Checked are types, required cells, allowed values and ranges, patterns, keys within and across tables, the
    hash of each file, 95% limits, the range of each variable, and totals against domain sums. A table that
    cannot be read is left out of the checks across tables.

    Parameters
    ----------
    folder : path, optional
        Folder with a datapackage.json; the shipped data by default.

    Returns
    -------
    PackageCheck
        Errors first, then warnings, each in the order of tables and lines.
    """
    package = _package(folder)
    problems: list[Problem] = []
    placed: dict[str, PlacedTable] = {}
    rows = values = 0
    for name, resource in package.resources.items():
        table, found = place_table(package.folder, resource)
        problems += found
        if table is not None:
            placed[name] = table
            rows += len(table)
            values += sum(len(row) - row.count("") for row in table.cells.rows)
    for name, table in placed.items():
        for key in package.resources[name].foreign_keys:
            problems += foreign_key_problems(table, key, placed)
    problems += consistency_problems(placed) + find_faults(placed)
    problems.sort(key=lambda problem: problem.severity)
    return PackageCheck(tuple(problems), len(package.resources), rows, values)


def _package(folder: Path | None) -> Package:
    return read_descriptor(data_home() if folder is None else folder)


def _cells(package: Package, resource: Resource) -> Cells:
    cells, problems = read_cells(package.folder / resource.path, resource)
    if problems:
        raise TableError(problems[0])
    return cells


def _variables(package: Package) -> list[dict[str, Any]]:
    return read_table("variables", folder=package.folder).rows() if "variables" in package.resources else []


def _allowed(field: Field) -> str:
    parts = []
    if field.enum:
        parts.append(" | ".join(field.enum))
    if field.minimum is not None or field.maximum is not None:
        low = "" if field.minimum is None else f"{field.minimum:g}"
        high = "" if field.maximum is None else f"{field.maximum:g}"
        parts.append(f"{low} to {high}" if low and high else f"{low} or more" if low else f"{high} or less")
    if field.pattern:
        parts.append(field.pattern)
    parts += [word for word, holds in (("required", field.required), ("unique", field.unique)) if holds]
    return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
