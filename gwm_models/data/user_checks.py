"""Checks of the tables of an edition of one's own: every fault is found in one pass, each with its place."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.descriptor import nearest
from gwm_models.data.edition import Areas, own
from gwm_models.errors import Problem, some

Floats = NDArray[np.float64]

COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "areas.csv": (
        ("area_code", "area_name", "region_name", "population"),
        ("population_16_64", "deprivation"),
    ),
    "indicators.csv": (("area_code", "indicator", "value"), ("lower_95", "upper_95")),
    "borders.csv": (("area_code_1", "area_code_2"), ()),
}
"""Columns that each table must have, and those it may have."""

MOST_FAULTS = 200
"""Of one file: who mends so many will check again anyway."""

MOST_COMPARED = 2_000
"""Names among which the nearest to a misspelt one is looked for; of more it would take minutes."""

LARGEST = 1e15
"""No figure of an area is larger; variances of larger ones would not be numbers."""


@dataclass(slots=True)
class Sheet:
    """A table of a folder as text, and the faults found in it.

    Attributes
    ----------
    file : str
        As messages show it.
    header : list of str
    rows : list of (line, cells by column)
        Only rows that have all cells.
    problems : list of Problem
    """

    file: str
    header: list[str] = field(default_factory=list)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def fault(self, line: int, column: str | int, what: str, fix: str) -> None:
        """Note an error at a line, in a column named or counted from 1."""
        place = column if isinstance(column, int) else self.header.index(column) + 1
        path = "" if isinstance(column, int) else column
        severity: Literal["error"] = "error"
        if len(self.problems) == MOST_FAULTS:
            path, what, fix = "", f"more than {MOST_FAULTS} faults", "mend those that are told first"
        if len(self.problems) <= MOST_FAULTS:
            self.problems.append(Problem(self.file, line, place, severity, path, what, fix))

    def number(self, line: int, row: Mapping[str, str], column: str) -> float:
        """Return a cell as a number; NaN where it is empty, not there, or a fault that is noted."""
        text = row.get(column, "")
        if not text:
            return math.nan
        try:
            number = float(text) if "_" not in text else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fault(line, column, f"expected a number, found '{text}'", "write digits, with a point for decimals")
            return math.nan
        if abs(number) >= LARGEST:
            self.fault(line, column, f"expected a number below {LARGEST:g}, found '{text}'", "choose a larger unit")
            return math.nan
        return number


def read_sheet(name: str, file: str, raw: bytes) -> Sheet:
    """Parse a table, and note what cannot be used: encoding, quotes, columns, rows of another width, no rows.

    Parameters
    ----------
    name : str
        A key of `COLUMNS`.
    file : str
        Its path as messages show it.
    raw : bytes
    """
    sheet = Sheet(file)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        sheet.fault(line, column, f"byte {raw[error.start]:#04x} is not UTF-8", "save the file as UTF-8")
        return sheet
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        sheet.header = [cell.strip() for cell in next(reader, [])]
        if _header_holds(sheet, name):
            for cells in reader:
                _keep_row(sheet, reader.line_num, cells)
    except csv.Error as error:
        sheet.fault(max(reader.line_num, 1), 1, f"the row is not CSV ({error})", "correct the quotes of this row")
    if not sheet.rows and not sheet.problems:
        sheet.fault(1, 1, "the file is empty" if not sheet.header else "the table has no rows", "add one row each")
    return sheet


def _header_holds(sheet: Sheet, name: str) -> bool:
    if not any(sheet.header):
        return False
    needed, optional = COLUMNS[name]
    before = len(sheet.problems)
    for column in needed:
        if column not in sheet.header:
            sheet.fault(1, 1, f"the column {column} is missing", f"the first line must have {','.join(needed)}")
    for place, column in enumerate(sheet.header, start=1):
        if column not in (*needed, *optional):
            close = nearest(column, (*needed, *optional))
            sheet.fault(1, place, f"unknown column '{column}'.{close}", "correct or drop it")
        elif column in sheet.header[: place - 1]:
            sheet.fault(1, place, f"the column {column} comes twice", "drop one of the two")
    limits = [column for column in ("lower_95", "upper_95") if column in sheet.header]
    if len(limits) == 1:
        place = sheet.header.index(limits[0]) + 1
        sheet.fault(1, place, "one limit without the other", "give both lower_95 and upper_95, or neither")
    return len(sheet.problems) == before


def _keep_row(sheet: Sheet, line: int, cells: list[str]) -> None:
    if not cells:
        sheet.fault(line, 1, "the line is blank", "delete the line")
    elif len(cells) != len(sheet.header):
        what = f"the row has {len(cells)} cells, expected {len(sheet.header)}"
        sheet.fault(line, 1, what, "give every cell of the row, and quote one that holds a comma")
    else:
        sheet.rows.append((line, {name: cell.strip() for name, cell in zip(sheet.header, cells, strict=True)}))


def read_areas(sheet: Sheet) -> Areas:
    """Return the areas of a sheet, in its order, and note the faults of its cells.

    Residents of working age are taken equal to all residents where the column is not given; deprivation is NaN where
    it is not given; each area is its own unit.
    """
    seen: dict[tuple[str, str], int] = {}
    numbers: dict[str, list[float]] = {"population": [], "population_16_64": [], "deprivation": []}
    for line, row in sheet.rows:
        for column in ("area_code", "area_name", "region_name", "population"):
            if not row[column]:
                sheet.fault(line, column, "the cell is empty, expected a value", "give the value, or drop the row")
        for column in ("area_code", "area_name"):
            first = seen.setdefault((column, _key(row[column])), line)
            if row[column] and first != line:
                what = f"'{row[column]}' is already on line {first}"
                sheet.fault(line, column, what, "give each area one row, and its own code and name")
        for column, found in numbers.items():
            found.append(sheet.number(line, row, column))
        if numbers["population"][-1] <= 0:
            sheet.fault(line, "population", f"expected more than 0, found {row['population']}", "correct it")
        if "population_16_64" in sheet.header:
            _check_working_age(sheet, line, row, numbers["population"][-1], numbers["population_16_64"][-1])
    given = "population_16_64" in sheet.header
    code = tuple(row["area_code"] for _, row in sheet.rows)
    return Areas(
        code=code,
        name=tuple(row["area_name"] for _, row in sheet.rows),
        region=tuple(row["region_name"] for _, row in sheet.rows),
        unit=code,
        population=own(np.array(numbers["population"], dtype=float)),
        population_16_64=own(np.array(numbers["population_16_64" if given else "population"], dtype=float)),
        deprivation=own(np.array(numbers["deprivation"], dtype=float)),
        borders=own(np.empty((0, 2), dtype=np.int64)),
    )


def _check_working_age(sheet: Sheet, line: int, row: Mapping[str, str], everyone: float, working: float) -> None:
    if not row["population_16_64"]:
        what = "the cell is empty, expected a value"
        sheet.fault(line, "population_16_64", what, "give the value, or drop the column")
    elif working <= 0 or working > everyone:
        what = f"expected more than 0 and at most the population, found {row['population_16_64']}"
        sheet.fault(line, "population_16_64", what, "correct it")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the index definition asks of an indicator: its id and the values that are possible."""

    id: str
    hard_limits: tuple[float, float]


def read_values(sheet: Sheet, areas: tuple[str, ...], asked: tuple[Asked, ...]) -> tuple[Floats, Floats]:
    """Return levels and their standard errors by area and indicator, and note the faults of the sheet.

    Returns
    -------
    values, errors : ndarray, shape (n_areas, n_indicators)
        NaN where a level or its limits are missing.
    """
    names = {one.id: j for j, one in enumerate(asked)}
    values = np.full((len(areas), len(asked)), np.nan)
    errors = np.full(values.shape, np.nan)
    place = {code: i for i, code in enumerate(areas)}
    first: dict[tuple[str, str], int] = {}
    for line, row in sheet.rows:
        code, name = row["area_code"], row["indicator"]
        known = _known(sheet, line, "area_code", code, place, "areas.csv")
        known = _known(sheet, line, "indicator", name, names, "index.yaml") and known
        if first.setdefault((code, name), line) != line:
            what = f"'{name}' of {code} is already on line {first[code, name]}"
            sheet.fault(line, "area_code", what, "keep one of the two rows")
            continue
        value, error = _level(sheet, line, row)
        if known and math.isfinite(value):
            _check_possible(sheet, line, value, asked[names[name]])
            values[place[code], names[name]] = value
            errors[place[code], names[name]] = error
    for j, one in enumerate(asked):
        without = [code for code in areas if (code, one.id) not in first]
        if sheet.rows and without:
            whose = "any area" if len(without) == len(areas) else some(without)
            sheet.fault(0, 0, f"no value of '{one.id}' for {whose}", "add a row for each area: nothing is filled in")
        level = values[np.isfinite(values[:, j]), j]
        if len(level) > 1 and not without and np.ptp(level) == 0:
            what = f"'{one.id}' is {level[0]:g} in every area: it tells no area from another"
            sheet.fault(0, 0, what, "correct its values, or drop it from index.yaml")
    return values, errors


def _known(sheet: Sheet, line: int, column: str, text: str, names: Mapping[str, int], where: str) -> bool:
    if not text:
        sheet.fault(line, column, "the cell is empty, expected a value", "give the value, or drop the row")
    elif text not in names:
        noun = "area" if column.startswith("area") else "indicator"
        told = len(sheet.problems) <= MOST_FAULTS
        near = nearest(text, names) if told and len(names) <= MOST_COMPARED else ""
        sheet.fault(line, column, f"unknown {noun} '{text}'.{near}", f"use one of {where}, or add it")
    return text in names


def _level(sheet: Sheet, line: int, row: Mapping[str, str]) -> tuple[float, float]:
    """Return a level and its standard error from the 95% limits, width / 3.92."""
    if not row["value"]:
        sheet.fault(line, "value", "the value is missing", "give it: nothing is filled in, and nothing left out")
    value = sheet.number(line, row, "value")
    limits = {name: sheet.number(line, row, name) for name in ("lower_95", "upper_95")}
    empty = [name for name in limits if not row.get(name, "")]
    if len(empty) == 1:
        sheet.fault(line, empty[0], "one limit without the other", "give both limits, or neither")
    lower, upper = limits["lower_95"], limits["upper_95"]
    if math.isfinite(value) and (lower > value or upper < value):
        shown = f"{row.get('lower_95', '')} to {row.get('upper_95', '')}"
        what = f"the limits {shown} do not hold the value {row['value']}"
        sheet.fault(line, "value", what, "correct one of the three")
    return value, (upper - lower) / 3.92


def _check_possible(sheet: Sheet, line: int, value: float, one: Asked) -> None:
    low, high = one.hard_limits
    if not low <= value <= high:
        what = f"'{one.id}' cannot be {value:g}: its hard limits are {low:g} to {high:g}"
        sheet.fault(line, "value", what, "correct the value, or hard_limits in index.yaml")


def read_borders(sheet: Sheet, areas: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the pairs of areas that share a border, each once, and note the faults of the sheet."""
    first: dict[tuple[int, ...], int] = {}
    place = {code: i for i, code in enumerate(areas)}
    for line, row in sheet.rows:
        ends = (row["area_code_1"], row["area_code_2"])
        if not all([_known(sheet, line, name, row[name], place, "areas.csv") for name in sheet.header]):
            continue
        pair = tuple(sorted(place[code] for code in ends))
        if ends[0] == ends[1]:
            sheet.fault(line, "area_code_2", f"{ends[0]} borders itself", "drop the row")
        elif first.setdefault(pair, line) != line:
            sheet.fault(line, "area_code_1", f"this pair is already on line {first[pair]}", "give each pair once")
    pairs = [pair for pair in first if len(pair) == 2]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
