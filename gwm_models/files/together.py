"""Writing many files of one folder together: all of them are new, or none is, whenever the program is killed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
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
            for name in names:
                (whole / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / GONE).write_text(json.dumps(sorted(found.gone - {*map(str, names)})), encoding="utf-8")
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
        with taken(folder):
            return _finish(folder)
    except OSError as error:
        what = f"{folder} holds new files in {JOURNAL} that cannot be moved to their places"
        raise OutputError(f"{what} ({error.strerror or error}). Make the folder writable.") from error


def _finish(folder: Path) -> bool:
    """Move what the journal of a folder holds; that may have been done in part."""
    journal = folder / JOURNAL
    if not journal.is_dir():
        return False
    changed = {folder}
    for path in sorted((journal / FILES).rglob("*")):
        if path.is_file():
            place = folder / path.relative_to(journal / FILES)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
            changed.add(place.parent)
    for name in json.loads((journal / GONE).read_text(encoding="utf-8")) if (journal / GONE).is_file() else ():
        (folder / name).unlink(missing_ok=True)
        changed.add((folder / name).parent)
    for place in changed:
        flush(place)
    shutil.rmtree(journal)
    return True
