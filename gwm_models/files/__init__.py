"""Writing files so that a reader finds the old one or the new one, never half of one."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwm_models.errors import OutputError, some
from gwm_models.files.place import (
    clear_leftovers,
    flush,
    flush_all,
    is_temporary,
    keep_mode,
    put,
    put_new,
    temporary_file,
    temporary_folder,
)

Content = str | bytes | Callable[[Path], object]

LANDMARK = "manifest.json"
ELSEWHERE = "Choose another place with --out"


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder that the toolkit writes whole, and may replace.

    Attributes
    ----------
    words : str
        What it is, in a message.
    landmark, mark : str
        A file that every such folder has, and what stands in it.
    files : tuple of str
        All files it may hold.
    """

    words: str
    landmark: str
    mark: str
    files: tuple[str, ...]


RUN = FolderKind(
    "a run",
    LANDMARK,
    '"gwm-manifest/1"',
    ("areas.csv", "draws.nc", LANDMARK, "report.html", "scenario.yaml", "summary.json"),
)
EDITION = FolderKind(
    "an edition",
    "edition.json",
    '"gwm-edition/1"',
    ("areas.csv", "borders.csv", "edition.json", "index.yaml", "indicators.csv"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula may begin: ASVS 5.0, requirement 1.2.10, and the full-width signs that some spreadsheets take alike."""
INNER = re.compile(r"((?:;|(?<!^)\t) *)(?=[=@\uff1d\uff0b\uff0d\uff20]|[+-](?![\d.eE+-]+ *(?:[;\t]|$)))")
"""Where a formula would begin if a table were split at semicolons or tabs as well, as some spreadsheets do."""


def read_bytes(path: Path, most: int) -> bytes:
    """Return what a file holds that somebody named: a pipe would be waited for, and a device may have no end.

    Parameters
    ----------
    path : Path
    most : int
        Bytes that it may hold.

    Raises
    ------
    OSError
        If it cannot be read, is no regular file, or holds more.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        with path.open("rb") as file:
            found = file.read(most + 1)
    except ValueError as error:  # a name that no file can have
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    if len(found) > most:
        raise OSError(errno.EFBIG, f"over {most // 10**6} MB", str(path))
    return found


def write_text(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a text file in UTF-8, whole or not at all; see `write_bytes`."""
    write_bytes(path, text.encode(), replace=replace)


def write_bytes(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file under a temporary name, then rename it once it is on disk. A link is followed.

    Parameters
    ----------
    path : Path
    content : bytes
    replace : bool
        Whether a file that is there by then is replaced; it is left as it is otherwise.

    Raises
    ------
    OutputError
        If the file cannot be written; an earlier one is left as it was, and nothing is left behind.
    """
    try:
        place = _followed(path)
        if place.exists() and not place.is_file():
            raise OutputError(f"{path} cannot be written (it is not a file). Choose another place.")
        place.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(place)
        with temporary_file(place) as fresh:
            fresh.write_bytes(content)
            keep_mode(fresh, place)
            flush(fresh)
            if replace or not put_new(fresh, place):
                fresh.replace(place)
        flush(place.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({_why(error)}). Choose another place.") from error


def check_file(path: Path) -> None:
    """Make sure, before slow work, that `write_text` will be able to write here.

    Raises
    ------
    OutputError
        If the path is not that of a file, or its place cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Name a file in it.")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is not a file. Name one.")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"{path} cannot be written ({os.strerror(errno.EACCES)}). Choose another place.")
    _check_place(path, "Choose another place.")


def check_run_folder(folder: Path) -> None:
    """Make sure, before slow work, that a run can be written here; see `check_folder`."""
    check_folder(folder, RUN)


def check_folder(folder: Path, kind: FolderKind) -> None:
    """Make sure, before slow work, that `new_folder` will be able to write here.

    Raises
    ------
    OutputError
        As `new_folder`.
    """
    _check_free(folder, kind)
    _check_place(folder, f"{ELSEWHERE}.")


def check_links(path: Path) -> None:
    """Make sure that the links of a path lead somewhere, before it is followed.

    Raises
    ------
    OutputError
        If they lead to each other.
    """
    try:
        _followed(path)
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def new_folder(folder: Path, kind: FolderKind) -> Iterator[Path]:
    """Give a temporary folder that becomes `folder` when the block ends without an error.

    Parameters
    ----------
    folder : Path
        Replaced whole, in one step, if it is an earlier one of its kind and holds nothing else. A link is followed.
    kind : FolderKind

    Raises
    ------
    OutputError
        If the place cannot be written, or holds something of another kind; it is then left as it was.
    """
    _check_free(folder, kind)
    try:
        place = _followed(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(place) as fresh:
            yield fresh
            keep_mode(fresh, place)
            flush_all(fresh)
            _check_free(folder, kind)
            put(fresh, place)
    except OSError as error:
        raise _unwritable(folder, error) from error


def write_folder(folder: Path, kind: FolderKind, files: Mapping[str, Content]) -> None:
    """Write a folder whole or not at all; see `new_folder`.

    Parameters
    ----------
    folder : Path
    kind : FolderKind
    files : mapping of str to str, bytes or callable
        What each file holds: a text, written as it is in UTF-8; bytes; or a function that writes it, given its path.

    Raises
    ------
    OutputError
        As `new_folder`.
    """
    with new_folder(folder, kind) as fresh:
        for name, content in files.items():
            if callable(content):
                content(fresh / name)
            else:
                (fresh / name).write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give an empty folder that is gone when the block ends.

    Raises
    ------
    OutputError
        If there is no place for one.
    """
    try:
        place = tempfile.TemporaryDirectory(prefix="gwm.", ignore_cleanup_errors=True)
    except OSError as error:
        what = f"No temporary folder can be made ({error.strerror or error})"
        raise OutputError(f"{what}. Name one that can be written in TMPDIR.") from error
    with place as name:
        yield Path(name)


def _check_free(folder: Path, kind: FolderKind) -> None:
    try:
        clear_leftovers(_followed(folder))
        if not folder.exists():
            return
        if not folder.is_dir():
            raise OutputError(f"{folder} is a file, not a folder. {ELSEWHERE}, or remove it.")
        if folder.samefile("."):
            raise OutputError(f"{folder} is the folder that you are in, which cannot be replaced. {ELSEWHERE}.")
        if os.path.ismount(folder):
            raise OutputError(f"{folder} is where a disk is mounted, which cannot be replaced. Name a folder in it.")
        tempfile.TemporaryFile(dir=folder).close()
        names = sorted(path.name for path in folder.iterdir())
        landmark = folder / kind.landmark
        ours = landmark.is_file() and kind.mark in landmark.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise _unwritable(folder, error) from error
    names = [name for name in names if not any(is_temporary(name, file) for file in kind.files)]
    strange = [name for name in names if name not in kind.files]
    if names and (strange or not ours):
        if strange:
            what = f"it holds {some(strange)}"
        elif kind.landmark in names:
            what = f"its {kind.landmark} is not that of {kind.words}"
        else:
            what = f"it has no {kind.landmark}"
        raise OutputError(f"{folder} exists and is not just {kind.words}: {what}. {ELSEWHERE}.")


def _check_place(path: Path, advice: str) -> None:
    """Make sure that something can be made where a path leads."""
    try:
        above = next((place for place in _followed(path).parents if place.exists()), Path("/"))
        tempfile.TemporaryFile(dir=above).close()
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({_why(error)}). {advice}") from error


def _followed(path: Path) -> Path:
    """Return where a path leads when its links are followed."""
    try:
        return path.resolve()
    except RuntimeError as error:  # links that lead to each other
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"{folder} cannot be written ({_why(error)}). {ELSEWHERE}.")


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def csv_text(rows: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None) -> str:
    r"""Write rows as CSV; text that a spreadsheet would run as a formula gets a leading apostrophe.

    Examples
    --------
    >>> csv_text([{"area": "=cmd", "change": -1.5, "n": None}])
    "area,change,n\n'=cmd,-1.5,\n"
    """
    names = list(columns if columns is not None else dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(map(safe_cell, names))
    writer.writerows([safe_cell(row.get(name)) for name in names] for row in rows)
    return buffer.getvalue()


def safe_cell(value: object) -> str:
    """Return the text of a CSV cell, with an apostrophe before text that could be read as a formula.

    Examples
    --------
    >>> [safe_cell(cell) for cell in (-1.5, "-1.5", "=1+1", "Hull", None, True)]
    ['-1.5', '-1.5', "'=1+1", 'Hull', '', 'true']
    """
    if type(value) is float or type(value) is int or value is None:
        return cell_text(value)
    text = cell_text(value)
    if "\r" in text:  # before Python 3.13 the writer leaves it unquoted: what follows would begin a row of its own
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if ";" in text or "\t" in text:
        text = INNER.sub(r"\1'", text)
    return f"'{text}" if text.startswith(FORMULA) and not _is_number(text) else text


def cell_text(value: object) -> str:
    """Return a value as the text of a cell: nothing for None and nan, ``true`` and ``false``, lists with semicolons."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return "; ".join(map(cell_text, value)) if isinstance(value, list) else str(value)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def plain(value: Any, *, keep_nan: bool = False) -> Any:
    """Return a value as plain data for JSON: NumPy scalars and arrays unwrapped, sequences and sets as lists.

    Parameters
    ----------
    value : object
        What is neither data nor a container becomes its text.
    keep_nan : bool
        Keep nan and infinity, as Python's own JSON can; they become None otherwise.

    Examples
    --------
    >>> plain({"bounds": (1.5, float("nan"))})
    {'bounds': [1.5, None]}
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if keep_nan or math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(item, keep_nan=keep_nan) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, keep_nan=keep_nan) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def json_text(value: object) -> str:
    """Write a value as indented JSON; NaN and infinity are refused."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
