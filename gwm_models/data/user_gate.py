"""What is looked at before a folder of a stranger's tables is read: sizes, hidden characters, YAML that grows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from gwm_models.data.edition import Edition
from gwm_models.data.index_checks import Fault, problems
from gwm_models.data.plain_yaml import read_plain
from gwm_models.data.tables import shown
from gwm_models.data.user_editions import FILES, INDEX, EditionError, build_edition
from gwm_models.errors import Problem, is_hidden, printable

MOST_BYTES = 200_000_000
"""Of a table; figures of 34,000 small areas take about a tenth."""
MOST_COLUMNS = 50
MOST_FAULTS = 200
LONGEST = 200
"""Of a cell, in characters: a name or a number."""


def build_user_edition(folder: Path, out: Path) -> Edition:
    """Look at a folder of tables, then check and write it as `build_edition` does.

    Parameters
    ----------
    folder, out : Path

    Raises
    ------
    EditionError
        As `build_edition`; and if a file is no regular one or too large, ``index.yaml`` holds what could grow when it
        is read (see `gwm_models.data.plain_yaml`), a table is not UTF-8, or one of its cells is too long or has
        characters that do not show.
    OutputError
        As `build_edition`.
    """
    found = [problem for name in FILES for problem in _file_problems(folder / name)]
    if found:
        raise EditionError(folder, found)
    return build_edition(folder, out)


def _file_problems(path: Path) -> list[Problem]:
    """Return the faults of one file that are told before it is read; none of a file that is not there."""
    file = shown(path)
    try:
        if not path.exists():
            return []
        if not path.is_file():
            return [Problem(file, 0, 0, "error", "", "is not a regular file", "give a file of that name")]
        with path.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        return [Problem(file, 0, 0, "error", "", f"the file cannot be read ({error.strerror})", "mend its permissions")]
    if len(raw) > MOST_BYTES:
        what = f"the file has over {MOST_BYTES // 10**6} MB"
        return [Problem(file, 0, 0, "error", "", what, "leave out what is not needed")]
    if path.name == INDEX:
        text, content, found = read_plain(file, raw)
        return found or problems(_nameless(content), file, text, content)
    return list(islice(_table_faults(file, raw), MOST_FAULTS))


def _nameless(content: object) -> list[Fault]:
    """Find domains and indicators without an id, where there are both: they could not be told from each other."""
    lists = {name: content.get(name) for name in ("domains", "indicators")} if isinstance(content, dict) else {}
    faults = {
        name: [
            Fault((name, place), "'id' is missing", "add id")
            for place, item in enumerate(items if isinstance(items, list) else [])
            if isinstance(item, dict) and item.get("id") is None
        ]
        for name, items in lists.items()
    }
    return [fault for found in faults.values() for fault in found] if all(faults.values()) else []


def _table_faults(file: str, raw: bytes) -> Iterator[Problem]:
    """Find cells that are too long or do not show as what they are; what is no CSV is told when it is read."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    columns = text.partition("\n")[0].count(",") + 1
    if columns > MOST_COLUMNS:
        what = f"the first line has {columns:,} columns"
        yield Problem(file, 1, 1, "error", "", what, "give the columns that are asked for")
        return
    if '"' not in text and all(line.isprintable() and len(line) <= LONGEST for line in text.splitlines()):
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
    odd = "" if cell.isprintable() else next((char for char in cell if is_hidden(char) or char in "\n\r"), "")
    return (f"hidden character {printable(odd)}", "delete it and type the text again") if odd else None
