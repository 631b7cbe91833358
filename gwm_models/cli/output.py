"""Print rows as a table, CSV or JSON: the one way every command writes to standard output."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from gwm_models.cli.table import terminal_width, write_table
from gwm_models.files import cell_text, csv_text, plain

WIDTH = 100
"""Characters of a line of words at most."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Format(StrEnum):
    """How a command writes its rows."""

    table = "table"
    csv = "csv"
    json = "json"


def emit(
    rows: Iterable[Mapping[str, Any]],
    *,
    format: Format | str,
    title: str = "",
    columns: Sequence[str] | None = None,
) -> None:
    """Write rows to standard output.

    Parameters
    ----------
    rows : iterable of mapping
        One mapping per row, column name to value. None and nan are missing: an empty cell, or null.
    format : {"table", "csv", "json"}
        A table has borders on a terminal and is plain aligned text in a pipe. JSON is one array. In CSV a
        text cell that a spreadsheet would take for a formula gets a leading apostrophe.
    title : str, optional
        Heading of the table; not written in CSV and JSON.
    columns : sequence of str, optional
        Columns to write, in order; by default all of them, in the order they are first seen.
    """
    listed = [dict(row) for row in rows]
    seen = dict.fromkeys(name for row in listed for name in row)
    names = list(seen if columns is None else columns)
    cells = [[plain(row.get(name)) for name in names] for row in listed]
    if format == Format.json:
        write_json([dict(zip(names, row, strict=True)) for row in cells])
    elif format == Format.csv:
        sys.stdout.write(csv_text([dict(zip(names, row, strict=True)) for row in cells], names))
    elif sys.stdout.isatty():
        right = [_numeric(cells, place) for place in range(len(names))]
        write_table(names, [[_shown(cell) for cell in row] for row in cells], right, CONTROL.sub(" ", title))
    else:
        _write_plain(names, cells, title)


def write_line(text: str = "") -> None:
    """Write one line, without control characters that could move the cursor of a terminal.

    On a terminal that is too narrow for it, it goes on in further lines, broken between words.
    """
    plain_text = CONTROL.sub(" ", text)
    if sys.stdout.isatty() and len(plain_text) > (width := terminal_width()):
        indent = plain_text[: len(plain_text) - len(plain_text.lstrip(" "))]
        plain_text = "\n".join(_lines(plain_text, width, "", indent)) or plain_text
    sys.stdout.write(plain_text + "\n")


def write_wrapped(text: str, indent: str = "") -> None:
    """Write a text in lines no wider than the terminal, and never wider than `WIDTH`; lines after the first stand in.

    Words longer than a line, such as lists without spaces, are not broken.
    """
    columns = min(terminal_width(), WIDTH) if sys.stdout.isatty() else WIDTH
    for line in _lines(text, columns, indent, indent + ("  " if indent else "")):
        write_line(line)


def _lines(text: str, width: int, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
        replace_whitespace=False,
    )


def write_json(value: Any) -> None:
    """Write one value as indented JSON; nan and infinity become null."""
    json.dump(plain(value), sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def _shown(value: Any) -> str:
    text = f"{value:.5g}" if isinstance(value, float) else cell_text(value)
    return CONTROL.sub(" ", text)


def _numeric(cells: list[list[Any]], place: int) -> bool:
    """Whether a column holds numbers only, and so is aligned to the right."""
    kinds = {type(row[place]) for row in cells if row[place] is not None}
    return bool(kinds) and kinds <= {int, float}


def _write_plain(names: list[str], cells: list[list[Any]], title: str) -> None:
    lines = [names, *([_shown(cell) for cell in row] for row in cells)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    right = [_numeric(cells, place) for place in range(len(names))]
    if title:
        write_line(title)
    for line in lines:
        padded = (
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, right, strict=True)
        )
        write_line("  ".join(padded).rstrip())
