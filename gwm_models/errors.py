"""Errors a user can act on, and the shape of one problem found in a file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

LAYOUT = "\t\n\r"
LONGEST = 5_000
"""Of a line of a message, in characters: a path can have 4,096."""


INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Letters and marks that show as nothing: Unicode 15.1, DerivedCoreProperties.txt, Default_Ignorable_Code_Point."""


class GwmError(Exception):
    """Base of every error that is the user's to mend; the command line prints it without a traceback.

    Attributes
    ----------
    exit_code : int
        What the command line returns: 1 for bad input, 2 where what was asked for cannot be had.
    """

    exit_code = 1

    def __str__(self) -> str:
        """Return the message, each line cut to length, with every hidden character spelled out."""
        return "\n".join(printable(line) for line in super().__str__().split("\n"))


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

    Texts are kept on one line, cut to length, with every hidden character spelled out.
    """

    file: str
    line: int
    column: int
    severity: Literal["error", "warning"]
    path: str
    what: str
    fix: str = ""

    def __post_init__(self) -> None:
        """Make every text one line that shows as what it is."""
        for name in ("file", "path", "what", "fix"):
            text = getattr(self, name)
            if not shows(text) or len(text) > LONGEST:
                object.__setattr__(self, name, printable(text))

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


def printable(text: str, most: int = LONGEST) -> str:
    r"""Return a text on one line, cut to length, with every hidden character spelled out.

    Controls, direction marks and characters without width could make a message say something else than it does.

    Examples
    --------
    >>> printable("a\u200bb\n"), printable("long" * 3, most=6)
    ('a\\u200bb\\n', 'lon...')
    """
    short = text if len(text) <= most else text[: most - 3] + "..."
    if shows(short):
        return short
    return "".join(char if shows(char) else char.encode("unicode_escape").decode("ascii") for char in short)


def shows(text: str) -> bool:
    r"""Tell whether every character of a text can be seen; the end of a line cannot.

    Examples
    --------
    >>> shows("Hull"), shows("Hu\u3164ll"), shows("Hull\n")
    (True, False, False)
    """
    return text.isprintable() and INVISIBLE.search(text) is None


def is_hidden(char: str) -> bool:
    """Tell whether a character has no place in a text: controls, zero-width, direction marks."""
    unsafe = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    return char not in LAYOUT and (unsafe or ord(char) & 0xFFFE == 0xFFFE or INVISIBLE.match(char) is not None)


def some(items: Sequence[object], most: int = 3) -> str:
    """Name the first few of many offenders and say how many more there are.

    Examples
    --------
    >>> some(["Hull", "York", "Leeds", "Derby"])
    'Hull, York, Leeds and 1 more'
    """
    named = ", ".join(str(item) for item in items[:most])
    return named if len(items) <= most else f"{named} and {len(items) - most} more"
