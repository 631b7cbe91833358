"""Promised CPU seconds, kept or broken whatever else the machine does.

A promise is made for the idle machine of results/benchmarks. Rounds of the work and of a yardstick take turns; the
yardstick is a limit of ``limits.csv``, so that its seconds on that machine are known. Other work on the machine only
adds to a round, so the quickest one counts, and where the yardstick takes longer than it should, the promise is
stretched by as much. A promise is broken only after further rounds. One thread, as in the command line. Ratios to peers
are measured by table.py, not here.
"""

from __future__ import annotations

import csv
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import curves_made as made
import numpy as np
from curves_limits import cpu
from pairs import CHECKOUT, child_seconds
from threadpoolctl import threadpool_limits

SORT = ("ranks inside draws", "NumPy sort of the same array")
START = ("gwm --help", "Python that imports NumPy")
OFTEN, MORE = 3, 2
"""Yardsticks before each round and at the end; rounds more before a promise counts as broken."""
Side = Callable[[], float]
"""Do the work once and return its CPU seconds."""


@dataclass(frozen=True)
class Yardstick:
    """Work of known length.

    Attributes
    ----------
    known : tuple of str
        Work and limit of the row of ``limits.csv`` whose `limit_seconds` it takes.
    side : callable
        Does it once.
    """

    known: tuple[str, str]
    side: Side

    def seconds(self) -> float:
        """Return the CPU seconds that it takes on the idle machine of results/benchmarks."""
        with (CHECKOUT / "results" / "benchmarks" / "limits.csv").open(encoding="utf-8", newline="") as file:
            (row,) = (row for row in csv.DictReader(file) if (row["work"], row["limit"]) == self.known)
        return float(row["limit_seconds"])


def sort() -> Yardstick:
    """Return the sort of 100,000 draws of 118 areas, for work of this process."""
    draws = made.scores(118, 100_000)
    return Yardstick(SORT, cpu(lambda: np.sort(draws, axis=1)))


def start() -> Yardstick:
    """Return the start of a Python that imports NumPy, for whole commands."""
    return Yardstick(START, lambda: child_seconds([sys.executable, "-c", "import numpy"])[0])


@dataclass(frozen=True)
class Kept:
    """What rounds of some work took, and what was promised.

    Attributes
    ----------
    ours, yardstick : tuple of float
        CPU seconds of each time.
    promised : float
        Seconds on the idle machine of results/benchmarks.
    known : float
        Those of the yardstick there.
    """

    ours: tuple[float, ...]
    yardstick: tuple[float, ...]
    promised: float
    known: float

    @property
    def stretch(self) -> float:
        """How many times as long as there this machine takes now, 1 if it is no slower."""
        return max(1.0, statistics.median(self.yardstick) / self.known)

    def __bool__(self) -> bool:
        """Whether the quickest round kept the promise."""
        return min(self.ours) < self.promised * self.stretch

    def __repr__(self) -> str:
        """Return the seconds, and what is allowed now."""
        return (
            f"{statistics.median(self.ours):.3g} CPU s ({min(self.ours):.3g} to {max(self.ours):.3g}, "
            f"{len(self.ours)} rounds); promised {self.promised:g}, stretched {self.stretch:.2g} times"
        )


def keep(
    benchmark: Any, capsys: Any, name: str, ours: Side, promised: float, yardstick: Yardstick, rounds: int = 5
) -> Kept:
    """Time some work and the yardstick in turns, and tell what was found; a first turn warms up where one is not all.

    Parameters
    ----------
    benchmark, capsys : fixture
        Of pytest-benchmark and pytest.
    name : str
    ours : callable
    promised : float
        CPU seconds of `ours`.
    yardstick : Yardstick
    rounds : int
    """
    costs: list[float] = []
    known: list[float] = []

    def measure() -> None:
        known.extend(yardstick.side() for _ in range(OFTEN))

    def kept() -> Kept:
        return Kept(tuple(costs), tuple(known), promised, yardstick.seconds())

    with threadpool_limits(1):
        if rounds > 1:
            yardstick.side(), ours()
        benchmark.pedantic(lambda: costs.append(ours()), setup=measure, rounds=rounds)
        measure()
        while not kept() and len(costs) < rounds + MORE:
            costs.append(ours())
            measure()
    found = kept()
    benchmark.extra_info.update(cpu_seconds=costs, yardstick_seconds=known, stretch=found.stretch)
    with capsys.disabled():
        print(f"\n{name}: {found}")
    return found
