"""Writing many files of one folder together: all of them are new, or none is, whenever the program is killed."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gwm_models.errors import OutputError
from gwm_models.files.place import clear_leftovers, flush, flush_all, taken, temporary_folder

JOURNAL = ".gwm-unfinished"
"""Folder of new files that count, and wait to be moved to their places."""
GONE = "gone.json"
"""Names of files that are to be removed."""
FILES = "files"


class Together:
    """Files that go into a folder together.

    Attributes
    ----------
    files : Path
        Where to write them, each as it is to stand below the folder.
    gone : set of str
        Names of files below the folder that are to be removed; one that is written as well is not.
    """

    def __init__(self, files: Path) -> None:
        self.files = files
        self.gone: set[str] = set()


@contextmanager
def written_together(folder: Path) -> Iterator[Together]:
    """Give a place for files that go into a folder together when the block ends without an error.

    They count from one rename on, which puts all of them into the folder under another name. From there they are
    moved to their places; where the program is killed before the last one, `finish` moves the others.

    Parameters
    ----------
    folder : Path
        May hold other files, which are left alone.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    finish(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole = folder.resolve()
        clear_leftovers(whole / whole.name)
        with temporary_folder(whole / whole.name) as fresh:
            found = Together(fresh / FILES)
            found.files.mkdir()
            yield found
            names = [path.relative_to(found.files) for path in found.files.rglob("*") if path.is_file()]
            gone = sorted(found.gone - {*map(str, names)})
            _check_places(whole, [*names, *gone])
            for name in names:
                (whole / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / GONE).write_text(json.dumps(gone), encoding="utf-8")
            flush_all(fresh)
            with taken(whole):
                _finish(whole)
                fresh.rename(whole / JOURNAL)
            flush(whole)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror or error}). Choose another place.") from error
    finish(folder)


def finish(folder: Path) -> bool:
    """Move new files to their places that a killed program left in a folder; tell whether there were any.

    Raises
    ------
    OutputError
        If they cannot be moved.
    """
    if not (folder / JOURNAL).is_dir():
        return False
    try:
        whole = folder.resolve()
        with taken(whole):
            return _finish(whole)
    except OSError as error:
        what = f"{folder} holds new files in {JOURNAL} that cannot be moved to their places"
        advice = f"Make the folder writable; or remove {JOURNAL}, and have all files written again."
        raise OutputError(f"{what} ({error.strerror or error}). {advice}") from error


def _finish(folder: Path) -> bool:
    """Move what the journal of a folder holds; that may have been done in part."""
    journal = folder / JOURNAL
    if not journal.is_dir():
        return False
    new = [path.relative_to(journal / FILES) for path in sorted((journal / FILES).rglob("*")) if path.is_file()]
    gone = _names(journal / GONE)
    if (journal / FILES).resolve() != journal / FILES:
        raise OSError(errno.ELOOP, "it is a link")
    every: list[str | Path] = [*new, *gone]
    _check_places(folder, every)
    for name in new:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (journal / FILES / name).replace(folder / name)
    for old in gone:
        (folder / old).unlink(missing_ok=True)
    for place in {folder, *((folder / each).parent for each in every)}:
        flush(place)
    shutil.rmtree(journal)
    return True


def _names(path: Path) -> list[str]:
    """Return the names in a list on disk, none where there is no list any more."""
    try:
        found = json.loads(path.read_bytes())
        if isinstance(found, list) and all(isinstance(name, str) and b"\0" not in os.fsencode(name) for name in found):
            return found
    except FileNotFoundError:
        return []
    except (ValueError, RecursionError):
        pass
    raise OSError(errno.EINVAL, f"{GONE} is damaged")


def _check_places(folder: Path, names: Iterable[str | Path]) -> None:
    """Refuse, before the first file is moved, names to which none can be, or that lead out of the folder."""
    for name in names:
        above = (folder / name).parent.resolve()
        if not above.is_relative_to(folder):
            raise OSError(errno.EINVAL, f"{str(name)!r} leads out of it")
        if (folder / name).is_dir():
            raise OSError(errno.EISDIR, f"{str(name)!r} is a folder")
        if above.is_dir() and above.stat().st_dev != folder.stat().st_dev:
            raise OSError(errno.EXDEV, f"{str(name)!r} is on another disk")
