"""Errors a user can act on, and the shape of one problem found in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


class GwmError(Exception):
    """Base of every error that is the user's to mend; the command line prints it without a traceback.

    Attributes
    ----------
    exit_code : int
        What the command line returns: 1 for bad input, 2 where what was asked for cannot be had.
    """

    exit_code = 1


class DataError(GwmError):
    """A table, edition or array that cannot be used as it stands."""


class ModelError(GwmError):
    """A fit that cannot be made from the data it was given."""


class OutputError(GwmError):
    """A file or folder that cannot be written."""


class InfeasibleError(GwmError):
    """A goal that no allowed choice reaches; its message names the best that can be reached."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of one file.

    Attributes
    ----------
    file : str
        The file as the user named it.
    line, column : int
        Where, from 1; 0 where the fault has no place (a missing file).
    severity : {"error", "warning"}
        An error stops the run; a warning is printed and stored.
    path : str
        Dotted place inside the file, such as ``actions.participation.change.unit``; empty for the file itself.
    what : str
        What was expected and what was found.
    fix : str
        What to do about it; may be empty for a warning.
    """

    file: str
    line: int
    column: int
    severity: Literal["error", "warning"]
    path: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        """Return the problem as one line, ``file:line:column: severity: path: what. Fix: ...``."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        path = f"{self.path}: " if self.path else ""
        fix = f" Fix: {self.fix.rstrip('.')}." if self.fix else ""
        return f"{place}: {self.severity}: {path}{self.what.rstrip('.')}.{fix}"


class ScenarioError(GwmError):
    """A scenario file with one or more faults.

    Parameters
    ----------
    problems : iterable of Problem
        Every fault found, warnings included; kept sorted by place.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def some(items: Sequence[object], most: int = 3) -> str:
    """Name the first few of many offenders and say how many more there are.

    Examples
    --------
    >>> some(["Hull", "York", "Leeds", "Derby"])
    'Hull, York, Leeds and 1 more'
    """
    named = ", ".join(str(item) for item in items[:most])
    return named if len(items) <= most else f"{named} and {len(items) - most} more"
