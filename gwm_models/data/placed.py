"""A table that remembers the line of the file each row came from, so that a check can say where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gwm_models.data.descriptor import Resource
from gwm_models.data.tables import Cells, Column, Table
from gwm_models.errors import Problem

Severity = Literal["error", "warning"]
MOST = 5


@dataclass(frozen=True, slots=True, eq=False)
class PlacedTable:
    """A table read without a fault, its description and the text of its cells."""

    resource: Resource
    cells: Cells
    table: Table

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.table)

    def __getitem__(self, column: str) -> Column:
        """Return one typed column."""
        return self.table[column]

    def text(self, column: str) -> list[str]:
        """Return one column as written in the file."""
        return self.cells.column(self.resource.columns.index(column))

    def cell(self, column: str, row: int) -> str:
        """Return one cell as written in the file."""
        return self.cells.rows[row][self.resource.columns.index(column)]

    def error(self, column: str, what: str, fix: str, row: int | None = None) -> Problem:
        """Return an error of a column, at one row (from 0) or of the whole table."""
        return self._problem("error", column, what, fix, row)

    def warning(self, column: str, what: str, row: int | None = None) -> Problem:
        """Return a warning of a column, at one row (from 0) or of the whole table."""
        return self._problem("warning", column, what, "", row)

    def _problem(self, severity: Severity, column: str, what: str, fix: str, row: int | None) -> Problem:
        line = 0 if row is None else self.cells.lines[row]
        place = 0 if row is None else self.resource.columns.index(column) + 1
        return Problem(self.cells.file, line, place, severity, column, what, fix)


Placed = Mapping[str, PlacedTable]


def capped(problems: Sequence[Problem], most: int = MOST) -> list[Problem]:
    """Return the first problems of one kind, and one more that says how many are left."""
    if len(problems) <= most:
        return list(problems)
    last = problems[most]
    more = f"and {len(problems) - most} more of this kind, the next on line {last.line}"
    return [
        *problems[:most],
        Problem(last.file, last.line, last.column, last.severity, last.path, more, last.fix),
    ]
