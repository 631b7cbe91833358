"""What rank confidence sets say, as finished results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Side = Literal["both", "best", "worst"]
End = Literal["best", "worst"]

DIGITS = 9
"""Decimals of a critical value in rows; the last bits of one hang on the processor and on the libraries."""


@dataclass(frozen=True, eq=False)
class RankSets(Frozen):
    """Confidence sets for ranks, 1 is best; all arrays have shape (n_areas,), in the order of `area`.

    Attributes
    ----------
    area : tuple of str
    estimate : ndarray of int
        Ranks of the estimates; tied areas share the better rank.
    lower, upper : ndarray of int
        Best and worst rank of each set.
    level : float
        Least probability that the set holds the true rank, or that all do if `simultaneous`.
    simultaneous, stepdown : bool
    side : {"both", "best", "worst"}
        Which end is bounded; the other is 1 or n_areas.
    critical : ndarray
        How many standard errors of their difference two areas must be apart to be told apart, in the set of each
        area; the same for all if `simultaneous`; that of the last step if `stepdown`.
    critical_error : ndarray
        Simulation standard error of `critical`; 0 where it is exact.
    settled : ndarray of bool
        Whether the bounds would stay as they are if `critical` were up to three of its errors larger or smaller:
        where they would not, other draws may move them; ask for more.
    method : str
        How `critical` was found, such as ``exact: studentized range`` or ``10,000 draws``.
    n_draws : int
        Draws behind `critical`; 0 where it is exact.
    """

    area: tuple[str, ...]
    estimate: Ints
    lower: Ints
    upper: Ints
    level: float
    simultaneous: bool
    stepdown: bool
    side: Side
    critical: Floats
    critical_error: Floats
    settled: Bools
    method: str
    n_draws: int

    def __repr__(self) -> str:
        """Return one line: how many areas, which kind of set, how wide."""
        kind = "simultaneous" if self.simultaneous else "marginal"
        width = np.mean(self.upper - self.lower + 1)
        return f"RankSets({len(self.area)} areas, {100 * self.level:g}% {kind}, mean size {width:.1f}, {self.method})"

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row an area, in the toolkit's column names; `n` is the number of draws, 0 if exact."""
        return [
            {
                "area_code": self.area[i],
                "estimate": int(self.estimate[i]),
                "lower": int(self.lower[i]),
                "upper": int(self.upper[i]),
                "level": self.level,
                "simultaneous": self.simultaneous,
                "stepdown": self.stepdown,
                "side": self.side,
                "critical": round(float(self.critical[i]), DIGITS),
                "critical_error": round(float(self.critical_error[i]), DIGITS),
                "settled": bool(self.settled[i]),
                "method": self.method,
                "n": self.n_draws,
            }
            for i in range(len(self.area))
        ]


@dataclass(frozen=True, eq=False)
class EndSet(Frozen):
    """Which areas may be, and which surely are, among the best or worst `tau`; arrays in the order of `area`.

    Attributes
    ----------
    area : tuple of str
    possible : ndarray of bool
        Holds every area that truly is among the `tau`, with probability `level`.
    certain : ndarray of bool
        Areas that truly are among the `tau`, all of them, with probability `level`, jointly with `possible`.
    tau : int
    end : {"best", "worst"}
    level : float
    method : str
    n_draws : int
    """

    area: tuple[str, ...]
    possible: Bools
    certain: Bools
    tau: int
    end: End
    level: float
    method: str
    n_draws: int

    def __repr__(self) -> str:
        """Return one line: how many areas may be at that end, how many surely are."""
        return (
            f"EndSet({self.tau} {self.end} of {len(self.area)} areas, {100 * self.level:g}%: "
            f"{self.possible.sum()} possible, {self.certain.sum()} certain)"
        )

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row an area, in the toolkit's column names."""
        return [
            {
                "area_code": code,
                "possible": bool(self.possible[i]),
                "certain": bool(self.certain[i]),
                "tau": self.tau,
                "end": self.end,
                "level": self.level,
                "method": self.method,
                "n": self.n_draws,
            }
            for i, code in enumerate(self.area)
        ]
