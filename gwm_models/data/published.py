"""Read any CSV of published figures: columns typed by what they hold, every row with its line."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.descriptor import Field, Resource
from gwm_models.data.placed import PlacedTable, capped
from gwm_models.data.tables import Cells, Column, frozen_table, read_cells, shown
from gwm_models.errors import DataError, Problem, some

NO_FIGURE = {"", "..", ".", ":", "*", "-", "\u2013", "x", "[x]", "[c]", "[u]", "[z]", "c", "na", "n/a", "#n/a", "nan"}
"""What statistical offices print where there is no figure."""
THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
RANK = re.compile(r"=?(\d+(?:\.5)?)=?")


@dataclass(frozen=True, slots=True)
class RawTable:
    """A CSV as text: its header, its cells, and why some rows cannot be used."""

    path: Path
    cells: Cells
    columns: tuple[str, ...]
    problems: tuple[Problem, ...]

    def column(self, name: str) -> list[str]:
        """Return the cells of one column, without blanks around them."""
        return [cell.strip() for cell in self.cells.column(self.columns.index(name))]

    def numeric(self) -> list[str]:
        """Return the columns most of whose cells are numbers."""
        found = []
        for name in self.columns:
            cells = [cell for cell in self.column(name) if cell.casefold() not in NO_FIGURE]
            if cells and 2 * sum(to_number(cell) is not None for cell in cells) > len(cells):
                found.append(name)
        return found


def read_raw(path: Path) -> RawTable:
    """Read a CSV with a header.

    Raises
    ------
    DataError
        If the file cannot be read, is not UTF-8, has no rows, or two columns have one name.
    """
    file = shown(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as CSV in UTF-8 ({error}).") from error
    names = [name.strip() for name in header]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice or not all(names):
        what = f"two columns are called {some(twice)}" if twice else "a column has no name"
        raise DataError(f"{file}:1: {what}. Give every column its own name.")
    cells, problems = read_cells(path, _resource(path, header, ()))
    if not cells.rows:
        raise DataError(str(problems[0]) if problems else f"{file}: the table has no rows.")
    return RawTable(path, cells, tuple(names), tuple(problems))


def place_raw(
    raw: RawTable, *, numeric: Collection[str], texts: Collection[str], rank: str = ""
) -> tuple[PlacedTable, list[Problem]]:
    """Give the columns of a table their types.

    Parameters
    ----------
    raw : RawTable
    numeric, texts : collection of str
        Columns of numbers, and columns that stay text even if they look like numbers.
    rank : str
        A column of ranks, in which ``12=`` is a shared rank 12.

    Returns
    -------
    table : PlacedTable
        A cell that is no number is NaN in a column of numbers.
    problems : list of Problem
        Errors for such cells; a warning for cells that hold a mark for no figure.
    """
    columns: dict[str, Column] = {}
    figures = [name for name in raw.columns if name in numeric and name not in texts]
    for name in raw.columns:
        cells = raw.column(name)
        columns[name] = _numbers(cells, name == rank) if name in figures else np.array(cells, dtype=object)
    resource = _resource(raw.path, raw.columns, figures)
    table = PlacedTable(resource, raw.cells, frozen_table(resource.name, columns))
    return table, [*raw.problems, *(problem for name in figures for problem in _odd_cells(table, name))]


def to_number(cell: str) -> float | None:
    """Return the number a cell holds, None if it holds none; commas may part thousands.

    Examples
    --------
    >>> [to_number(cell) for cell in ("12.5", "1,234", "12%", "")]
    [12.5, 1234.0, None, None]
    """
    text = cell.replace(",", "") if THOUSANDS.fullmatch(cell) else cell
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in text else None


def printed_decimals(table: PlacedTable, column: str) -> int:
    """Return the number of decimals most cells of a column are printed with."""
    texts = [text.strip() for text in table.text(column)]
    seen = Counter(len(text.partition(".")[2]) for text in texts if to_number(text) is not None)
    return max(seen, key=lambda decimals: (seen[decimals], decimals)) if seen else 0


def _numbers(cells: list[str], ranks: bool) -> NDArray[np.float64]:
    if ranks:
        cells = [match[1] if (match := RANK.fullmatch(cell)) else cell for cell in cells]
    found = [to_number(cell) for cell in cells]
    return np.array([np.nan if number is None else number for number in found])


def _odd_cells(table: PlacedTable, name: str) -> list[Problem]:
    """Find cells of a column of numbers that hold none."""
    wrong, marks = [], []
    for row in map(int, np.flatnonzero(np.isnan(table[name]))):
        cell = table.text(name)[row].strip()
        if cell.casefold() in NO_FIGURE:
            marks.append(row)
        else:
            wrong.append(table.error(name, f"expected a number, found '{cell}'", "correct it", row))
    if marks:
        lines = some([table.cells.lines[row] for row in marks])
        what = f"{len(marks)} of {len(table)} rows have no figure (line {lines}): left out of the checks"
        return [*capped(wrong), table.warning(name, what, marks[0])]
    return capped(wrong)


def _resource(path: Path, columns: Collection[str], numeric: Collection[str]) -> Resource:
    fields = tuple(
        Field(name, "number" if name in numeric else "string", name, "", "", False, False, None, None, (), "")
        for name in columns
    )
    return Resource(path.stem, path.name, path.stem, "", fields, (), (), (), "", None, "")
