"""Writing files so that a reader finds the old one or the new one, never half of one."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwm_models.errors import OutputError, some

Content = str | bytes | Callable[[Path], object]

LANDMARK = "manifest.json"
TRIES = 5


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


def write_text(path: Path, text: str) -> None:
    """Write a text file under a temporary name, then rename it.

    Raises
    ------
    OutputError
        If the file cannot be written; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}). Choose another place.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written ({error.strerror}). Choose another place.") from error


def check_file(path: Path) -> None:
    """Make sure, before slow work, that `write_text` will be able to write here.

    Raises
    ------
    OutputError
        If the path is a folder, or its place cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Name a file in it.")
    above = next((place for place in path.absolute().parents if place.exists()), Path("/"))
    try:
        tempfile.TemporaryFile(dir=above).close()
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}). Choose another place.") from error


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
    above = next((place for place in folder.absolute().parents if place.exists()), Path("/"))
    try:
        tempfile.TemporaryDirectory(dir=above, prefix=".gwm.").cleanup()
    except OSError as error:
        raise _unwritable(folder, error) from error


@contextmanager
def new_folder(folder: Path, kind: FolderKind) -> Iterator[Path]:
    """Give a temporary folder that becomes `folder` when the block ends without an error.

    Parameters
    ----------
    folder : Path
        Replaced whole if it is an earlier one of its kind and holds nothing else. A link is followed.
    kind : FolderKind

    Raises
    ------
    OutputError
        If the place cannot be written, or holds something of another kind; it is then left as it was.
    """
    _check_free(folder, kind)
    try:
        place = folder.resolve()
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name[:100]}."))
    except (OSError, RuntimeError) as error:
        raise _unwritable(folder, error) from error
    try:
        yield fresh
        fresh.chmod(0o755)
        _replace(fresh, place)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


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


def _check_free(folder: Path, kind: FolderKind) -> None:
    try:
        if not folder.exists():
            return
        if not folder.is_dir():
            raise OutputError(f"{folder} is a file, not a folder. Choose another place with --out, or remove it.")
        names = sorted(path.name for path in folder.iterdir())
        landmark = folder / kind.landmark
        ours = kind.landmark in names and kind.mark in landmark.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise _unwritable(folder, error) from error
    strange = [name for name in names if name not in kind.files]
    if names and (strange or not ours):
        if strange:
            what = f"it holds {some(strange)}"
        elif kind.landmark in names:
            what = f"its {kind.landmark} is not that of {kind.words}"
        else:
            what = f"it has no {kind.landmark}"
        raise OutputError(f"{folder} exists and is not just {kind.words}: {what}. Choose another place with --out.")


def _unwritable(folder: Path, error: OSError | RuntimeError) -> OutputError:
    why = error.strerror if isinstance(error, OSError) else error
    return OutputError(f"{folder} cannot be written ({why}). Choose another place with --out.")


def _replace(fresh: Path, place: Path) -> None:
    """Put a finished folder in its place; an earlier one is put back if that fails.

    Another run may put its own folder there in between: the last one to finish stays.
    """
    for attempt in range(TRIES):
        aside = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name[:100]}.old."))
        try:
            with suppress(FileNotFoundError):
                place.rename(aside / "run")
            try:
                fresh.rename(place)
                return
            except OSError:
                with suppress(OSError):
                    (aside / "run").rename(place)
                if attempt == TRIES - 1:
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


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
