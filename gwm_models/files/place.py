"""Putting a finished file or folder in its place in one step, and removing what programs that were killed left there.

A temporary file or folder lies beside its place, on the same disk, under a name that nothing else has. It is locked
while the program that made it lives, and the system takes the lock away with the program: so a later one can tell a
leftover, by neither clock nor process number.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path

if sys.platform != "win32":
    import fcntl

TRIES = 5
OLD = "old"
"""Name of an earlier folder, in the folder that it was moved to for a moment."""
LONGEST = 60
"""Characters of a name that are kept in a temporary one, which has 255 bytes at most."""
ENDING = r"\.gwm\.[a-z0-9_]{8}"
AT_HERE, SWAP = -100, 2
CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EXDEV}
"""What a system or a file system says that has no swap."""


def is_temporary(name: str, of: str) -> bool:
    """Tell whether a name is a temporary one of a file or folder.

    Examples
    --------
    >>> is_temporary(".a.csv.gwm.x1_9abcd", "a.csv"), is_temporary(".a.csv.swp", "a.csv")
    (True, False)
    """
    return re.fullmatch(re.escape(f".{of[:LONGEST]}") + ENDING, name) is not None


def temporary_folder(place: Path) -> AbstractContextManager[Path]:
    """Give a new folder beside a place, locked; it is removed at the end if it is still there.

    Raises
    ------
    OSError
        If there can be none.
    """
    return _temporary(place, os.mkdir, partial(shutil.rmtree, ignore_errors=True))


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Keep other programs that ask for the same folder waiting, where the file system has locks."""
    number = _lock(folder, wait=True)
    try:
        yield
    finally:
        _unlock(number)


def temporary_file(place: Path) -> AbstractContextManager[Path]:
    """Give a new, empty file beside a place, locked; it is removed at the end if it is still there.

    Raises
    ------
    OSError
        If there can be none.
    """
    return _temporary(place, partial(Path.touch, exist_ok=False), os.unlink)


def put(fresh: Path, place: Path) -> None:
    """Put a finished folder in its place in one step; an earlier one is then where the fresh one was.

    Where the system cannot swap two folders, the earlier one is moved aside, and put back if anything fails;
    `clear_leftovers` puts it back after a program that was killed in between. Another program may put its own folder
    there at the same time: the last one to finish stays.

    Raises
    ------
    OSError
        If it cannot be put there; the earlier folder is then there still.
    """
    for attempt in range(TRIES):
        try:
            if not place.exists():
                fresh.rename(place)
            elif not swap(fresh, place):
                _move_aside(fresh, place)
        except OSError:
            if attempt == TRIES - 1:
                raise
        else:
            flush(place.parent)
            return


def put_new(fresh: Path, place: Path) -> bool:
    """Put a finished file in its place unless another is there by then; False where the file system cannot do that."""
    try:
        os.link(fresh, place)
    except FileExistsError:
        pass
    except OSError:
        return False
    return True


def keep_mode(fresh: Path, place: Path) -> None:
    """Let the same people read what is new as what it replaces."""
    with suppress(OSError):  # there may be none; and not every file system has modes to set
        fresh.chmod(place.stat().st_mode & 0o7777)


def swap(one: Path, other: Path) -> bool:
    """Swap two folders in one step.

    Returns
    -------
    bool
        False, with both as they were, where the system or the file system cannot do that.

    Raises
    ------
    OSError
        If one is not there, or may not be moved.

    References
    ----------
    Linux manual page renameat2(2), flag RENAME_EXCHANGE; macOS manual page renamex_np(2), flag RENAME_SWAP.
    """
    import ctypes

    if os.name == "nt":
        return False
    system = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if hasattr(system, "renameat2"):
        failed = system.renameat2(AT_HERE, names[0], AT_HERE, names[1], SWAP)
    elif hasattr(system, "renamex_np"):
        failed = system.renamex_np(*names, SWAP)
    else:
        return False
    why = ctypes.get_errno()
    if failed and why not in CANNOT:
        raise OSError(why, os.strerror(why), str(one), None, str(other))
    return not failed


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on disk: else a rename may outlive what it names when the power fails.

    Raises
    ------
    OSError
        If the content of a file cannot be kept. Not every file system can be asked for a folder; that is passed over.
    """
    if path.is_file():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
    elif os.name != "nt":
        with suppress(OSError):
            number = os.open(path, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def flush_all(folder: Path) -> None:
    """Have a folder with all that is in it on disk; see `flush`."""
    for path in (*folder.rglob("*"), folder):
        flush(path)


def clear_leftovers(place: Path) -> None:
    """Remove what programs that were killed left beside a place; what cannot be removed is passed over.

    An earlier folder that one of them had moved aside is put back.
    """
    names: list[str] = []
    with suppress(OSError):
        names = [name for name in os.listdir(place.parent) if is_temporary(name, place.name)]
    for left in [place.parent / name for name in names]:
        number = _lock(left)
        with suppress(OSError):
            if number is not False and (left / OLD).is_dir() and not place.exists():
                (left / OLD).rename(place)
            if number is None or number is False:
                continue  # it is in use, or there is no telling
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        _unlock(number)


@contextmanager
def _temporary(place: Path, make: Callable[[Path], object], remove: Callable[[Path], object]) -> Iterator[Path]:
    """Give something new beside a place; who may read it is left to the user's mask, as for any other file."""
    while True:
        fresh = place.parent / f".{place.name[:LONGEST]}.gwm.{os.urandom(4).hex()}"
        make(fresh)
        number = _lock(fresh)
        if number is not False and fresh.exists():
            break
        _unlock(number)  # another program took it for a leftover before it was locked
    try:
        yield fresh
    finally:
        with suppress(OSError):
            remove(fresh)
        _unlock(number)


def _move_aside(fresh: Path, place: Path) -> None:
    """Put a folder in its place in two steps."""
    with temporary_folder(place) as aside:
        try:
            with suppress(FileNotFoundError):
                place.rename(aside / OLD)
            fresh.rename(place)
        except BaseException:  # Ctrl-C as well: the folder aside is about to be removed
            with suppress(OSError):
                (aside / OLD).rename(place)
            raise


def _lock(path: Path, *, wait: bool = False) -> int | bool | None:
    """Return the number of a lock on a file or folder; False if another program has it, None if there are no locks."""
    if sys.platform == "win32":
        return None
    number = None
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (BlockingIOError, FileNotFoundError):
        _unlock(number)
        return False
    except OSError:
        _unlock(number)
        return None
    return number


def _unlock(number: int | bool | None) -> None:
    if number is not None and number is not False:
        os.close(number)
