"""The back-test among the reference results: its tables and summary, and how fresh ones are compared with them."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from gwm_models.errors import DataError
from gwm_models.evaluation.backtests import DRAWS, LEAKS, SEED, Backtest, backtest, headline
from gwm_models.files import cell_text, csv_text, json_text, plain, write_text

FOLDER = "backtest"
TABLES = tuple(field.name for field in fields(Backtest) if field.name != "notes")
SUMMARY = "summary.json"
SCORE = 0.03
"""Tolerance of scores, chances and shares: absolute up to 1, relative beyond."""
COUNT = 5
"""Tolerance of numbers of areas in a bin of chances, beside `SCORE`."""


def write_backtest(folder: Path) -> None:
    """Run the back-test and write its tables and summary into ``backtest`` in a folder of results."""
    found = backtest()
    for name in TABLES:
        write_text(folder / FOLDER / f"{name}.csv", csv_text(getattr(found, name)))
    summary = {"draws": DRAWS, "seed": SEED, **headline(found), "notes": list(LEAKS)}
    write_text(folder / FOLDER / SUMMARY, json_text(plain(summary)))


def read_backtest(folder: Path, name: str) -> list[dict[str, str]]:
    """Read one table of the back-test.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    return list(csv.DictReader(_text(folder / FOLDER / f"{name}.csv").splitlines()))


def read_summary(folder: Path) -> dict[str, Any]:
    """Read the summary of the back-test.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    path = folder / FOLDER / SUMMARY
    try:
        return dict(json.loads(_text(path)))
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} is not a summary ({error!r}). Run `gwm reproduce` to write it.") from error


def compare_backtest(reference: Path, fresh: Path) -> tuple[list[str], int]:
    """Compare two folders of results by their back-tests; words must be the same.

    Returns
    -------
    differences : list of str
        One line for each cell outside tolerance, or table of another shape.
    cells : int
        Cells compared.
    """
    differences: list[str] = []
    cells = 0
    for name in TABLES:
        found, n = compare_rows(f"{FOLDER}/{name}.csv", read_backtest(reference, name), read_backtest(fresh, name))
        differences, cells = differences + found, cells + n
    old, new = (_flat(read_summary(folder)) for folder in (reference, fresh))
    found, n = compare_rows(f"{FOLDER}/{SUMMARY}", [old], [new])
    return differences + found, cells + n


def compare_rows(name: str, old: list[dict[str, str]], new: list[dict[str, str]]) -> tuple[list[str], int]:
    """Compare rows of cells, numbers within tolerance."""
    if [list(row) for row in old] != [list(row) for row in new]:
        return [f"{name}: {len(old)} rows, fresh {len(new)}, or other columns. Run `gwm reproduce`."], 0
    found = [
        f"{name}: row {place}: {column} is {before[column]}, fresh {after[column]}"
        for place, (before, after) in enumerate(zip(old, new, strict=True), start=1)
        for column in before
        if not _agree(column, before[column], after[column])
    ]
    return found, sum(map(len, old))


def _agree(column: str, first: str, second: str) -> bool:
    if first == second:
        return True
    try:
        one, other = float(first), float(second)
    except ValueError:
        return False
    return abs(one - other) <= SCORE * max(1.0, abs(one)) + (COUNT if column == "n" else 0)


def _flat(value: Any, place: str = "") -> dict[str, str]:
    """Return every leaf of nested data by its place."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {key: cell for name, item in items for key, cell in _flat(item, f"{place}{name}.").items()}
    return {place.rstrip("."): cell_text(value)}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Run `gwm reproduce` to write it.") from error
