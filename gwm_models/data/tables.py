"""Read a table of the data package into named, typed, read-only columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.descriptor import Field, Resource, nearest, read_descriptor
from gwm_models.data.home import data_home
from gwm_models.errors import DataError, Problem, some

if TYPE_CHECKING:
    import pandas as pd

Column = NDArray[Any]
Where = Mapping[str, str | Collection[str]]
NUMBER_CHARACTERS = frozenset("0123456789.+-eE")


class TableError(DataError):
    """A table that cannot be read, with the place of the fault.

    Parameters
    ----------
    problem : Problem
        The first fault found; the message is its text.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table in memory: equally long, read-only columns.

    Attributes
    ----------
    name : str
        Name in the data package.
    columns : dict of str to array
        Text is an object array of str, "" where missing; a number is float64, nan where missing; an integer
        is int64.
    """

    name: str
    columns: dict[str, Column]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, column: str) -> Column:
        """Return one column; an unknown name is a `DataError`."""
        if column not in self.columns:
            raise DataError(f"Table '{self.name}' has no column '{column}'.{nearest(column, self.columns)}")
        return self.columns[column]

    def __repr__(self) -> str:
        """Return name and size in one line."""
        return f"Table({self.name}, {len(self):,} rows, {len(self.columns)} columns)"

    def rows(self) -> list[dict[str, Any]]:
        """Return one dict per row, with plain Python values and None for a missing number."""
        lists = [_plain(column) for column in self.columns.values()]
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*lists, strict=True)]

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas DataFrame with copies of the columns; missing text is ""."""
        import pandas as pd

        return pd.DataFrame({name: pd.Series(column.copy()) for name, column in self.columns.items()})


def read_table(name: str, *, where: Where | None = None, folder: Path | None = None) -> Table:
    """Read a table of the data package, or only the rows that are asked for.

    Parameters
    ----------
    name : str
        Name of the table in datapackage.json, such as ``"indicators"``.
    where : mapping of column to text or collection of text, optional
        Keep the rows whose cell, as written in the file, is that text or one of them. All conditions hold.
    folder : path, optional
        Folder with a datapackage.json; the shipped data by default.

    Returns
    -------
    Table
        Rows in the order of the file. It has no rows if none fits.

    Raises
    ------
    DataError
        If the table or a column of `where` is unknown, the file is missing, not UTF-8 or not the columns
        described, or a cell is not of its field's type.

    Examples
    --------
    >>> table = read_table("monitor_scores", where={"area_name": "Wokingham"})
    >>> float(table["total"][0])
    502.0
    """
    home = data_home() if folder is None else folder
    resource = read_descriptor(home).table(name)
    cells, problems = read_cells(home / resource.path, resource, where)
    if problems:
        raise TableError(problems[0])
    columns = {}
    for place, field in enumerate(resource.fields):
        try:
            columns[field.name] = to_array(field, cells.column(place))
        except (ValueError, OverflowError) as error:
            raise TableError(bad_cells(field, cells, place)[0]) from error
    return frozen_table(name, columns)


def frozen_table(name: str, columns: dict[str, Column]) -> Table:
    """Return a table of these columns, made read-only."""
    for column in columns.values():
        column.setflags(write=False)
    return Table(name, columns)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows of a file as text, each with the line of the file it ends on."""

    file: str
    rows: list[list[str]]
    lines: list[int]

    def column(self, place: int) -> list[str]:
        """Return the cells of one column, by its place from 0."""
        return [row[place] for row in self.rows]


def read_cells(path: Path, resource: Resource, where: Where | None = None) -> tuple[Cells, list[Problem]]:
    """Read the rows of a CSV file that fit `where`, as text.

    Parameters
    ----------
    path : path
        The file.
    resource : Resource
        What datapackage.json says of it: the header must be its columns, in order.
    where : mapping of column to text or collection of text, optional
        Conditions on the text of cells; all must hold.

    Returns
    -------
    cells : Cells
        The rows that have all columns and fit.
    problems : list of Problem
        Why the file, its header or some rows cannot be used; empty if all can.
    """
    file = shown(path)
    wanted = _conditions(resource, where or {})
    try:
        state = path.stat()
    except OSError:
        state = None
    try:
        parsed = _parsed(path, file, state.st_mtime_ns if state else 0, state.st_size if state else 0)
    except TableError as error:
        return Cells(file, [], []), [error.problem]
    if parsed.header != list(resource.columns):
        return Cells(file, [], []), [_header_problem(file, parsed.header, resource)]
    rows, lines = parsed.cells.rows, parsed.cells.lines
    for place, allowed in wanted:
        kept = [i for i, row in enumerate(rows) if row[place] in allowed]
        rows, lines = [rows[i] for i in kept], [lines[i] for i in kept]
    return Cells(file, rows, lines), list(parsed.problems)


@dataclass(frozen=True, slots=True, eq=False)
class _Parsed:
    """A whole file as text, and the rows that cannot be used."""

    header: list[str]
    cells: Cells
    problems: tuple[Problem, ...]


@lru_cache(maxsize=4)
def _parsed(path: Path, file: str, _mtime_ns: int, _size: int) -> _Parsed:
    """Parse a file; kept until it changes, since a run asks the two large tables for many variables."""
    reader = csv.reader(io.StringIO(_text(path, file), newline=""), strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        what = f"the header is not CSV ({error})"
        raise TableError(Problem(file, 1, 1, "error", "", what, "correct the quotes of this row")) from error
    rows: list[list[str]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    try:
        for row in reader:
            if len(row) == len(header):
                rows.append(row)
                lines.append(reader.line_num)
            else:
                problems.append(_row_problem(file, reader.line_num, len(row), len(header)))
    except csv.Error as error:
        what, fix = f"the row is not CSV ({error})", "correct the quotes of this row"
        problems.append(Problem(file, reader.line_num, 1, "error", "", what, fix))
    return _Parsed(header, Cells(file, rows, lines), tuple(problems))


def to_array(field: Field, cells: list[str]) -> Column:
    """Convert the cells of one column; anything that does not fit is a ValueError or OverflowError."""
    if field.required and "" in cells:
        raise ValueError(f"{field.name}: an empty cell")
    if field.type == "string":
        return np.array(cells, dtype=object)
    if not NUMBER_CHARACTERS.issuperset("".join(cells)):
        raise ValueError(f"{field.name}: a cell is not a number")
    if field.type == "integer":
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    numbers = np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    if np.isinf(numbers).any():
        raise OverflowError(f"{field.name}: a number is too large")
    return numbers


def bad_cells(field: Field, cells: Cells, place: int) -> list[Problem]:
    """Return one problem for each cell that is not of its field's type, or empty where it must not be."""
    found = []
    for cell, line in zip(cells.column(place), cells.lines, strict=True):
        fault = _cell_fault(field, cell)
        if fault:
            found.append(Problem(cells.file, line, place + 1, "error", field.name, *fault))
    return found


def shown(path: Path) -> str:
    """Return a path as a message shows it: short where it is below the current folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _cell_fault(field: Field, cell: str) -> tuple[str, str] | None:
    if not cell:
        empty = "the cell is empty, expected a value"
        return (empty, "give the value, or drop the row") if field.required else None
    if field.type == "string":
        return None
    kind = "a whole number" if field.type == "integer" else "a number"
    try:
        to_array(field, [cell])
    except (ValueError, OverflowError):
        empty = "" if field.required else ", or leave it empty where no figure is published"
        return f"expected {kind}, found '{cell}'", f"correct it{empty}"
    return None


def _text(path: Path, file: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        what, fix = f"the file cannot be read ({error.strerror})", "restore the file"
        raise TableError(Problem(file, 0, 0, "error", "", what, fix)) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        what = f"byte {raw[error.start]:#04x} is not UTF-8"
        fix = "save the file as UTF-8"
        raise TableError(Problem(file, line, column, "error", "", what, fix)) from error


def _conditions(resource: Resource, where: Where) -> list[tuple[int, frozenset[str]]]:
    places = []
    for name, wanted in where.items():
        place = resource.columns.index(resource.field(name).name)
        places.append((place, frozenset((wanted,) if isinstance(wanted, str) else wanted)))
    return places


def _header_problem(file: str, header: list[str], resource: Resource) -> Problem:
    expected = resource.columns
    missing = [name for name in expected if name not in header]
    unknown = [name for name in header if name not in expected]
    parts = [f"missing {some(missing, 20)}"] if missing else []
    parts += [f"unknown {some(unknown, 20)}"] if unknown else []
    why = "; ".join(parts) or "another order, or one twice"
    what = f"the columns are not those of datapackage.json: {why}"
    return Problem(file, 1, 1, "error", "", what, f"the first line must be {','.join(expected)}")


def _row_problem(file: str, line: int, found: int, width: int) -> Problem:
    what = f"the row has {found} cells, expected {width}" if found else "the line is blank"
    fix = "give every cell of the row, and quote one that holds a comma" if found else "delete the line"
    return Problem(file, line, 1, "error", "", what, fix)


def _plain(column: Column) -> list[Any]:
    values: list[Any] = column.tolist()
    return [None if value != value else value for value in values] if column.dtype.kind == "f" else values
