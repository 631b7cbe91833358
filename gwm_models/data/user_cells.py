"""Cells of a stranger's tables that are too long, too many, or do not show as what they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from gwm_models.data.user_checks import MOST_FAULTS
from gwm_models.errors import Problem, is_hidden, printable, shows

MOST_COLUMNS = 50
LONGEST = 200
"""Of a cell, in characters: a name or a number."""


def cell_faults(file: str, raw: bytes) -> list[Problem]:
    """Return the first faults of the cells of a table; what is no CSV in UTF-8 is told where it is read.

    Parameters
    ----------
    file : str
        Its name in a message.
    raw : bytes
    """
    return list(islice(_faults(file, raw), MOST_FAULTS))


def _faults(file: str, raw: bytes) -> Iterator[Problem]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    columns = text.partition("\n")[0].count(",") + 1
    if columns > MOST_COLUMNS:
        what = f"the first line has {columns:,} columns"
        yield Problem(file, 1, 1, "error", "", what, "give the columns that are asked for")
        return
    if '"' not in text and all(shows(line) and len(line) <= LONGEST for line in text.splitlines()):
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    with suppress(csv.Error):
        for cells in reader:
            for place, cell in enumerate(cells, start=1):
                fault = _cell_fault(cell)
                if fault is not None:
                    yield Problem(file, reader.line_num, place, "error", "", *fault)


def _cell_fault(cell: str) -> tuple[str, str] | None:
    """Return what is wrong with the text of a cell, and what to do, if anything is."""
    if len(cell) > LONGEST:
        return f"a cell of {len(cell):,} characters", f"shorten it to {LONGEST}, and check the quotes"
    odd = "" if shows(cell) else next((char for char in cell if is_hidden(char) or char in "\n\r"), "")
    return (f"hidden character {printable(odd)}", "delete it and type the text again") if odd else None
