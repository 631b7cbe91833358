"""A panel in a CSV file of anyone's: read whole, with every fault of it named at once."""

from __future__ import annotations

import csv
import errno
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from gwm_models.errors import DataError, Problem, is_hidden, shows, some
from gwm_models.evaluation.effect import Time
from gwm_models.evaluation.panel import as_time, label
from gwm_models.evaluation.time_text import check_order, in_form
from gwm_models.files import read_bytes
from gwm_models.scenarios.findings import escaped
from gwm_models.scenarios.words import counted

MISSING = frozenset({"", "NA", "NaN", "nan", "N/A", "null", "NULL", "."})
MOST_BYTES = 200_000_000
LONGEST = 200
"""Of a name or a time, in characters."""
LARGEST, SMALLEST = 1e30, 1e-30
"""No figure is larger, and none but 0 is smaller: sums of squares would not be numbers, or would be 0."""


class PanelFileError(DataError):
    """A panel file that cannot be used.

    Parameters
    ----------
    problems : sequence of Problem
        Every fault found.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is needed of a panel file.

    Attributes
    ----------
    unit : str or None
        Name of the column of units; None for a single series.
    time, outcome : str
        Names of columns.
    numbers : tuple of str
        Further columns that must hold numbers.
    texts : tuple of str
        Further columns that must be there.
    units : tuple of (str, str)
        Units that must be there, each with the option that named it.
    start : str or None
        First treated time.
    """

    unit: str | None
    time: str
    outcome: str
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    units: tuple[tuple[str, str], ...] = ()
    start: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column named, once."""
        units = () if self.unit is None else (self.unit,)
        return tuple(dict.fromkeys((*units, self.time, self.outcome, *self.numbers, *self.texts)))


@dataclass(slots=True)
class _Reading:
    """A file as it is read."""

    name: str
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def fault(self, line: int, path: str, what: str, fix: str, column: int = 1) -> None:
        """Keep one fault."""
        self.problems.append(Problem(self.name, line, column, "error", path, what, fix))

    def column(self, name: str) -> list[str]:
        """Return the cells of a column, without spaces around them."""
        place = self.header.index(name)
        return [row[place].strip() for row in self.rows]


def read_panel_file(path: Path, wanted: Wanted) -> dict[str, list[object]]:
    """Read the columns of a panel from a CSV file.

    Parameters
    ----------
    path : Path
        UTF-8, separated by commas, semicolons or tabs, one header line.
    wanted : Wanted

    Returns
    -------
    dict of str to list
        The columns named: times in one form, numbers as floats with None where a cell is empty or NA.

    Raises
    ------
    PanelFileError
        With every fault of the file: columns that are not there, lines of the wrong length, empty units or times,
        times of two forms, cells that are no number or infinite, unit-times given twice, units that are not there, a
        start outside the times.
    """
    found = _lines(path)
    here = [name for name in wanted.columns if name in found.header]
    for name in wanted.columns:
        if name not in found.header:
            near = get_close_matches(name, found.header, n=1, cutoff=0.6)
            fix = f"write {near[0]}" if near else "name a column of the file"
            found.fault(1, "", f"there is no column '{name}'; the file has {some(found.header, 8)}", fix)
    columns: dict[str, list[object]] = {}
    times: list[Time] = []
    for name in here:
        if name not in (wanted.outcome, *wanted.numbers):
            _check_texts(found, name)
        if name == wanted.time:
            times = _times(found, name)
            columns[name] = list(times)
        elif name in (wanted.outcome, *wanted.numbers):
            columns[name] = list(_numbers(found, name))
        else:
            columns[name] = list(found.column(name))
    units = [""] * len(found.rows)
    if wanted.unit in here:
        units = _units(found, str(wanted.unit), wanted.units)
    if wanted.time in here and (wanted.unit is None or wanted.unit in here):
        _check_twice(found, units, times, single=wanted.unit is None)
    if wanted.time in here and wanted.start is not None:
        _check_start(found, wanted.start, times)
    if found.problems:
        raise PanelFileError(found.problems)
    return columns


def _lines(path: Path) -> _Reading:
    """Read the lines of a file; what leaves nothing to look at is raised at once."""
    found = _Reading(str(path))
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder; expected a CSV file. Name a file in it.")
        raw = read_bytes(path, MOST_BYTES)
    except OSError as error:
        fix = "Leave out columns and rows that are not needed" if error.errno == errno.EFBIG else "Check the name"
        raise DataError(f"{path} cannot be read ({error.strerror}). {fix}.") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = raw.count(b"\n", 0, error.start) + 1, error.start - raw.rfind(b"\n", 0, error.start)
        raise DataError(
            f"{path}:{line}:{column}: is not UTF-8 text (byte {error.start}). Save it as CSV in UTF-8."
        ) from error
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    del text  # read on from the bytes: as a stream in memory a text has four bytes for each character
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline="\n"), delimiter=mark, strict=True)
    try:
        for cells in reader:
            if not found.header:
                found.header = [cell.strip() for cell in cells]
            elif any(cell.strip() for cell in cells):
                found.rows.append(cells)
                found.lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}:1: cannot be read as CSV ({error}). Check its quotes.") from error
    if not found.header:
        raise DataError(f"{path} is empty; expected a header and one row per unit and time.")
    if not found.rows:
        raise DataError(f"{path} has a header and no rows; expected one row per unit and time.")
    twice = sorted(name for name, times in Counter(found.header).items() if times > 1)
    if twice:
        found.fault(1, "", f"column {some(twice)} stands twice in the header", "give every column a name of its own")
    _same_length(found)
    return found


def _same_length(found: _Reading) -> None:
    wrong = [k for k, row in enumerate(found.rows) if len(row) != len(found.header)]
    if wrong:
        first = wrong[0]
        what = (
            f"{counted(len(wrong), 'line')} without the {len(found.header)} cells of the header (line "
            f"{found.lines[first]} has {len(found.rows[first])})"
        )
        found.fault(found.lines[first], "", what, "check commas and quotes")
        bad = set(wrong)
        found.lines = [line for k, line in enumerate(found.lines) if k not in bad]
        found.rows = [row for k, row in enumerate(found.rows) if k not in bad]


def _check_texts(found: _Reading, name: str) -> None:
    """Refuse long names and times, and those that would show as others: two units that look the same would be two."""
    odd = [
        (line, cell)
        for line, cell in zip(found.lines, found.column(name), strict=True)
        if not shows(cell) and any(is_hidden(char) or char in "\n\r" for char in cell)
    ]
    long = [(line, cell) for line, cell in zip(found.lines, found.column(name), strict=True) if len(cell) > LONGEST]
    if long:
        what = f"{_many(len(long), 'cell')} of more than {LONGEST} characters ({len(long[0][1]):,})"
        found.fault(long[0][0], name, what, "shorten it, and check the quotes", found.header.index(name) + 1)
    if odd:
        what = f"{_many(len(odd), 'cell')} with hidden characters ('{escaped(odd[0][1])}')"
        found.fault(odd[0][0], name, what, "type them again", found.header.index(name) + 1)


def _numbers(found: _Reading, name: str) -> list[float | None]:
    values: list[float | None] = []
    odd: list[tuple[int, str]] = []
    for line, cell in zip(found.lines, found.column(name), strict=True):
        try:
            number = None if cell in MISSING else math.inf if "_" in cell else float(cell)
        except ValueError:
            number = math.inf
        if number is not None and not (number == 0 or SMALLEST < abs(number) < LARGEST):
            odd.append((line, cell))
            number = None
        values.append(number)
    if odd:
        cells = some([f"'{escaped(cell)}' in line {line}" for line, cell in odd])
        what = f"{_many(len(odd), 'cell')} no finite number ({cells})"
        found.fault(odd[0][0], name, what, f"write 0 or numbers of {SMALLEST:g} to {LARGEST:g} in size, or leave empty")
    elif values and all(value is None for value in values):
        found.fault(found.lines[0], name, "has no figure at all", "name a column with figures")
    return values


def _times(found: _Reading, name: str) -> list[Time]:
    times = [as_time(cell) for cell in found.column(name)]
    empty = [line for line, time in zip(found.lines, times, strict=True) if time == ""]
    if empty:
        found.fault(
            empty[0], name, f"is empty in {counted(len(empty), 'line')} ({some(empty)})", "give the time of each row"
        )
    texts = [(line, time) for line, time in zip(found.lines, times, strict=True) if isinstance(time, str) and time]
    numbers = sum(not isinstance(time, str) for time in times)
    if texts and numbers:
        line, odd = texts[0] if len(texts) <= numbers else (found.lines[0], times[0])
        rarer = f"{min(len(texts), numbers)} of the rarer, such as {escaped(repr(odd))}"
        found.fault(line, name, f"mixes numbers and text ({rarer})", "write one form")
    elif texts:
        try:
            check_order([str(time) for _, time in texts], name)
        except DataError as error:
            found.fault(found.lines[0], "", str(error), "")
    return times


def _units(found: _Reading, column: str, named: Sequence[tuple[str, str]]) -> list[str]:
    units = [label(cell) for cell in found.column(column)]
    empty = [line for line, unit in zip(found.lines, units, strict=True) if not unit]
    if empty:
        what = f"is empty in {counted(len(empty), 'line')} ({some(empty)})"
        found.fault(empty[0], column, what, "name the unit of each row")
    known = sorted(set(units) - {""})
    for name, option in named:
        if label(name) not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.6)
            fix = f"write {near[0]}" if near else f"name one of {some(known)}"
            found.fault(0, option, f"there is no unit '{name}' among {len(known)}", fix)
    return units


def _check_twice(found: _Reading, units: Sequence[str], times: Sequence[Time], *, single: bool) -> None:
    seen: dict[tuple[str, Time], int] = {}
    twice: list[tuple[int, str]] = []
    for line, unit, time in zip(found.lines, units, times, strict=True):
        if (unit or single) and time != "":
            if (unit, time) in seen:
                at = f"{unit} at {time}".removeprefix(" at ")
                twice.append((line, f"{at} in lines {seen[unit, time]} and {line}"))
            else:
                seen[unit, time] = line
    if twice:
        what = f"{_many(len(twice), 'time' if single else 'unit-time')} given twice ({some([w for _, w in twice])})"
        fix = "keep one row for each time, or name the column of units" if single else "keep one row for each of them"
        found.fault(twice[0][0], "", what, fix)


def _many(n: int, noun: str) -> str:
    return f"{counted(n, noun)} {'is' if n == 1 else 'are'}"


def _check_start(found: _Reading, start: str, times: Sequence[Time]) -> None:
    of_one_form = {time for time in times if time != "" and isinstance(time, str) == isinstance(times[0], str)}
    known: list[Time] = sorted(of_one_form)
    if not known:
        return
    try:
        first = in_form(as_time(start), known)
    except DataError:
        found.fault(0, "--start", f"is '{start}', but times are such as {known[0]!r}", "give it in the same form")
        return
    if first > known[-1]:  # type: ignore[operator]
        what = f"{start} is after the last time, {known[-1]}: there is nothing to evaluate yet"
        found.fault(0, "--start", what, "wait for later figures, or rehearse with an earlier start")
    elif first <= known[0]:  # type: ignore[operator]
        what = f"{start} leaves no time before it: the file begins at {known[0]}"
        found.fault(0, "--start", what, "add earlier times")
