"""A program that is killed, stopped or refused at the k-th of its steps on disk, for every k.

The work is done in a fork of the test, which takes milliseconds. A step is a call that makes, renames, removes or
flushes something: Python tells of each one before it is done. Files are flushed by name only, so that the tests do not
wait for a disk.
"""

from __future__ import annotations

import errno
import io
import json
import os
import resource
import shutil
import signal
import sys
import warnings
from ast import literal_eval
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwm_models.errors import GwmError
from gwm_models.files import place

LONGEST = 60
"""Seconds that a child may live."""
MAKES = {"os.mkdir", "os.rename", "os.link", "os.symlink"}
REMOVES = {"os.remove", "os.rmdir"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FULL, READ_ONLY, FORBIDDEN = errno.ENOSPC, errno.EROFS, errno.EACCES


@dataclass(frozen=True)
class End:
    """How a child ended.

    Attributes
    ----------
    killed : bool
    steps : int
        How many it took, where it lived.
    code : int
        0 done, 1 an error of the toolkit, 3 anything else.
    said : str
        The error, or what the program wrote.
    names : tuple of str
        Its steps.
    """

    killed: bool
    steps: int = 0
    code: int = 0
    said: str = ""
    names: tuple[str, ...] = ()


class Child:
    """A fork that does some work, and meets its fate at step `at`.

    Parameters
    ----------
    work : callable
        What it returns, if it is a whole number, is the exit code.
    at : int
        0 for never.
    fate : "kill", "stop" or int
        Killed as by ``kill -9``; stopped until `go_on`; or, from that step on, an error of this number.
    most : int, optional
        Bytes that a file may have: the one that would have more kills the program in the middle of a write.
    """

    def __init__(self, work: Callable[[], Any], at: int = 0, fate: str | int = "kill", most: int | None = None) -> None:
        listens, tells = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer Pythons warn of forks with threads; none is used in the child
            self.pid = os.fork()
        if self.pid == 0:
            os.close(listens)
            _live(work, at, fate, most, tells)
        os.close(tells)
        self.listens = listens

    def stops(self) -> bool:
        """Wait until it is stopped; False if it ended before."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        self.status = status
        return os.WIFSTOPPED(status)

    def is_waiting(self, seconds: float) -> bool:
        """Tell whether it is still there after some time."""
        import select

        return not select.select([self.listens], [], [], seconds)[0]

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def end(self, waited: bool = False) -> End:
        with os.fdopen(self.listens, "rb") as told:
            text = told.read()
        if not waited:
            _, self.status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(self.status):
            assert os.WTERMSIG(self.status) in (signal.SIGKILL, signal.SIGXFSZ), text
            return End(killed=True)
        told = json.loads(text)
        return End(killed=False, **told | {"names": tuple(told["names"]), "steps": len(told["names"])})


def forked(work: Callable[[], Any], at: int = 0, fate: str | int = "kill", most: int | None = None) -> End:
    """Do some work in a child to its end."""
    return Child(work, at, fate, most).end()


def _live(work: Callable[[], Any], at: int, fate: str | int, most: int | None, tells: int) -> None:
    """Do the work and leave, whatever comes."""
    code, said, steps = 3, "", Steps(at, fate)
    try:
        signal.alarm(LONGEST)
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        steps.watch()
        if most is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL if fate == "kill" else signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        try:
            found = work()
            code = found if isinstance(found, int) else 0
            said = "".join(one.getvalue() for one in (sys.stdout, sys.stderr) if isinstance(one, io.StringIO))
        except GwmError as error:
            code, said = 1, str(error)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    finally:
        steps.at = 0
        with suppress(BaseException):
            os.write(tells, json.dumps({"code": code, "said": said[:20_000], "names": steps.names}).encode())
        os._exit(0)


class Steps:
    """Counts the steps of this process on disk, and calls in its fate."""

    def __init__(self, at: int, fate: str | int | Callable[[], object]) -> None:
        self.at, self.fate, self.names = at, fate, []

    def watch(self) -> None:
        sys.dont_write_bytecode = True
        sys.addaudithook(self.hear)
        os.fsync = lambda _: self.step("flush")
        whole = place.swap
        place.swap = lambda one, other: (self.step("swap"), whole(one, other))[1]

    def hear(self, event: str, told: tuple[Any, ...]) -> None:
        if event in MAKES or event in REMOVES:
            self.step(event)
        elif event == "open":
            _, mode, flags = told
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (flags or 0) & WRITES:
                self.step("open")

    def step(self, what: str) -> None:
        self.names.append(what)
        if not self.at or len(self.names) < self.at:
            return
        if callable(self.fate):
            self.fate()
        elif self.fate == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.fate == "stop":
            self.at = 0
            os.kill(os.getpid(), signal.SIGSTOP)
        elif not (self.fate == FULL and what in REMOVES):
            raise OSError(self.fate, os.strerror(int(self.fate)), "there")


def states(work: Callable[[], Any], look: Callable[[], Any]) -> list[Any]:
    """Do some work in a child, and return what one sees of the disk before each of its steps, as plain data.

    That is what it would have left behind, had it been killed there.
    """
    seen: list[Any] = []
    listens, tells = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pid = os.fork()
    if pid == 0:
        os.close(listens)
        with suppress(BaseException):
            sys.stdout = sys.stderr = io.StringIO()
            steps = Steps(1, lambda: seen.append(look()))
            steps.watch()
            work()
            steps.at = 0
            with os.fdopen(tells, "wb") as told:
                told.write(repr(seen).encode())
        os._exit(0)
    os.close(tells)
    with os.fdopen(listens, "rb") as told:
        text = told.read()
    os.waitpid(pid, 0)
    return literal_eval(text.decode())


def everything(top: Path) -> dict[str, bytes | None]:
    """Return all files and folders below a folder, by name."""
    found = {}
    for path in sorted(top.rglob("*")):
        with suppress(OSError):
            found[str(path.relative_to(top))] = None if path.is_dir() else path.read_bytes()
    return found


def put_back(top: Path, state: Mapping[str, bytes | None]) -> None:
    """Have that on disk below a folder, and nothing else."""
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    for name, text in state.items():
        if text is None:
            (top / name).mkdir(parents=True)
        else:
            (top / name).write_bytes(text)


def content(folder: Path) -> dict[str, bytes] | None:
    """Return what a folder holds, by name, or None where there is none."""
    if not folder.exists():
        return None
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
