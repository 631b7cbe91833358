"""A pair: one answer got our way and a peer's way; first checked to be equal, then timed in turns.

The cost of a turn is CPU seconds, without imports and compiling on either side unless a pair says otherwise. Turns
alternate (theirs, ours, theirs, ours, ...), so that a slow minute of the machine meets both.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from table import THREADS

import gwm_models

Turn = Callable[[], tuple[float, Any]]
"""Do the work once; return its cost and its answer."""
Row = dict[str, object]

CHECKOUT = Path(gwm_models.__file__).resolve().parents[1]
MEASURED, DIFFERENT, NOT_INSTALLED, NO_DATA = "measured", "answers differ", "not installed", "no data"
COLUMNS = (
    "pair",
    "compared",
    "size",
    "unit",
    "ours_median",
    "ours_min",
    "ours_max",
    "theirs_median",
    "theirs_min",
    "theirs_max",
    "ratio",
    "ratio_min",
    "ratio_max",
    "rounds",
    "checked",
    "tolerance",
    "difference",
    "peer",
    "peer_version",
    "status",
    "notes",
)
BRIEF = 0.02
"""Seconds of a turn below which it is repeated."""


class DataNotHereError(Exception):
    """Figures of a pair that are not part of the project were not found; the message says where they would be."""


@dataclass(frozen=True)
class Contest:
    """Both sides of a pair, ready to start.

    Attributes
    ----------
    ours, theirs : callable
        Each does the work once and returns its cost and its answer.
    difference : callable
        Of our answer and theirs: how far they are apart at most.
    warm : bool
        Whether the first turn of each is a warm-up; else it counts as a round.
    """

    ours: Turn
    theirs: Turn
    difference: Callable[[Any, Any], float]
    warm: bool = True


@dataclass(frozen=True)
class Pair:
    """What is compared with what.

    Attributes
    ----------
    name : str
    compared, size, checked, notes : str
        What both do; how much of it; how answers are checked; what the one does that the other does not.
    peer : str
        Distribution, or ``python`` for the interpreter alone.
    build : callable
        Given whether a quick look is enough, prepare data and return the `Contest`.
    tolerance : float
        Largest difference of answers that passes for equal.
    rounds : int
    unit : str
        Of costs.
    """

    name: str
    compared: str
    size: str
    checked: str
    peer: str
    build: Callable[[bool], Contest]
    tolerance: float
    rounds: int = 9
    unit: str = "CPU s"
    notes: str = ""


def timed(work: Callable[[], Any]) -> Turn:
    """Return a turn that does the work in this process, as often as it takes to be measured well.

    The cost is that of once: CPU seconds of all threads.
    """
    often = 1

    def turn() -> tuple[float, Any]:
        nonlocal often
        start = time.process_time()
        for _ in range(often):
            answer = work()
        cost = (time.process_time() - start) / often
        often = max(often, min(1000, int(BRIEF / max(cost, 1e-9)) + 1))
        return cost, answer

    return turn


def child_seconds(command: Sequence[str], folder: Path | None = None) -> tuple[float, str]:
    """Run a command of this checkout on one thread to its end.

    Returns the CPU seconds of it and of its own children, and its output.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(CHECKOUT)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout


def gwm(*words: str) -> list[str]:
    """Return the command that starts the toolkit with some words."""
    return [sys.executable, "-c", "import sys; from gwm_models.cli import main; sys.exit(main())", *words]


def peer_version(peer: str) -> str | None:
    """Return the version of a distribution, or of the interpreter; None where it is not installed."""
    if peer == "python":
        return platform.python_version()
    try:
        return importlib.metadata.version(peer)
    except importlib.metadata.PackageNotFoundError:
        return None


def measure(pair: Pair, *, quick: bool = False) -> Row:
    """Check the answers of a pair, time it, and return its row; a peer or figures that are missing make a row too."""
    version = peer_version(pair.peer)
    if version is None:
        return _row(pair, None, status=NOT_INSTALLED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers' own, about settings and versions
        try:
            contest = pair.build(quick)
        except ImportError as error:
            return _row(pair, version, status=f"{NOT_INSTALLED}: {error}")
        except DataNotHereError as error:
            return _row(pair, version, status=f"{NO_DATA}: {error}")
        return _timed_row(pair, version, contest, 2 if quick else pair.rounds)


def _timed_row(pair: Pair, version: str, contest: Contest, rounds: int) -> Row:
    theirs, their_answer = contest.theirs()
    ours, our_answer = contest.ours()
    apart = float(contest.difference(our_answer, their_answer))
    if not apart <= pair.tolerance:
        return _row(pair, version, status=DIFFERENT, difference=apart)
    costs = [] if contest.warm else [(ours, theirs)]
    while len(costs) < rounds:
        theirs, _ = contest.theirs()
        ours, _ = contest.ours()
        costs.append((ours, theirs))
    return _row(pair, version, status=MEASURED, difference=apart, rounds=rounds, **summary(costs))


def summary(costs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return medians and extremes of our costs and theirs, the ratio of medians, and the spread of ratios by round.

    A ratio is theirs over ours: how many times as much the peer takes.
    """
    ours, theirs = [own for own, _ in costs], [other for _, other in costs]
    ratios = [other / own for own, other in costs]
    found = {"ratio": statistics.median(theirs) / statistics.median(ours)}
    found |= {"ratio_min": min(ratios), "ratio_max": max(ratios)}
    for name, side in (("ours", ours), ("theirs", theirs)):
        found |= {f"{name}_median": statistics.median(side), f"{name}_min": min(side), f"{name}_max": max(side)}
    return found


def _row(pair: Pair, version: str | None, **found: object) -> Row:
    known = {
        "pair": pair.name,
        "compared": pair.compared,
        "size": pair.size,
        "unit": pair.unit,
        "checked": pair.checked,
        "tolerance": pair.tolerance,
        "peer": pair.peer,
        "peer_version": version,
        "notes": pair.notes,
        **{name: float(f"{value:.5g}") if isinstance(value, float) else value for name, value in found.items()},
    }
    return {name: known.get(name) for name in COLUMNS}


def quoted(row: Mapping[str, object], *, inverse: bool = False) -> str:
    """Return a ratio as text quotes it: two significant figures, or their inverse where we take more.

    Examples
    --------
    >>> quoted({"ratio": 786.3}), quoted({"ratio": 1.0449}), quoted({"ratio": 0.742})
    ('790', '1.0', '0.74')
    >>> quoted({"ratio": 0.5}, inverse=True)
    '2.0'
    """
    ratio = float(str(row["ratio"]))
    ratio = 1 / ratio if inverse else ratio
    rounded = float(f"{ratio:.1e}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:#.2g}"
