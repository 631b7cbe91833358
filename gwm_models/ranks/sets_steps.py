"""The tests behind rank confidence sets: all standardised differences, and how far apart is far enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gwm_models.arrays import Frozen
from gwm_models.ranks.sets_exact import equal_critical
from gwm_models.ranks.sets_exact import marginal_critical as exact_marginal
from gwm_models.ranks.sets_input import Errors, Independent
from gwm_models.ranks.sets_pairs import Pairs
from gwm_models.ranks.sets_result import Bools, Floats, Ints, Side
from gwm_models.ranks.sets_simulated import marginal_critical as simulated_marginal
from gwm_models.ranks.sets_simulated import simultaneous_critical

RANGE = "exact: studentized range"
INTEGRAL = "exact: one-dimensional integral"
KNOWN = "exact: no error to allow for"


@dataclass(frozen=True, eq=False)
class Found(Frozen):
    """Critical values and their simulation standard errors, shape (n_areas,), and how they were found."""

    critical: Floats
    error: Floats
    method: str
    n_draws: int


@dataclass(frozen=True, eq=False)
class PairTests:
    """Tests of every difference between two areas.

    Attributes
    ----------
    errors : Errors
    gap_se : ndarray, shape (n_areas, n_areas)
        Standard errors of the differences.
    pairs : Pairs or None
        The errors, if marginal sets are exact.
    gap : ndarray, shape (n_areas, n_areas)
        The row's estimate less the column's, in standard errors; infinite where they differ without error.
    alpha : float
    n_draws : int
    rng : Generator
    """

    errors: Errors
    pairs: Pairs | None
    gap_se: Floats
    gap: Floats
    alpha: float
    n_draws: int
    rng: np.random.Generator

    @classmethod
    def of(cls, estimate: Floats, errors: Errors, alpha: float, n_draws: int, rng: np.random.Generator) -> PairTests:
        """Set the tests up."""
        gap_se = errors.gap_se()
        with np.errstate(over="ignore", under="ignore"):
            gap = np.subtract.outer(estimate, estimate)
            known = gap_se == 0
            side = np.sign(gap[known])
            gap /= errors.unit
            np.divide(gap, gap_se, out=gap, where=~known)
        side[side != 0] *= np.inf
        gap[known] = side
        return cls(errors, Pairs.of(errors), gap_se, gap, alpha, n_draws, rng)

    def bounds(self, critical: Floats) -> tuple[Ints, Ints]:
        """Return the best and worst rank left open, given the critical value of each area."""
        lower = 1 + np.count_nonzero(self.gap < -critical[:, None], axis=1)
        upper = len(self.gap) - np.count_nonzero(self.gap > critical[:, None], axis=1)
        return lower, upper

    def settled(self, critical: Floats, error: Floats) -> Bools:
        """Return which areas keep their bounds if the critical value is up to three of its errors off."""
        if not error.any():
            return np.ones(len(error), dtype=bool)
        gap, off = np.abs(self.gap), (3 * error)[:, None]
        gap -= critical[:, None]
        near = np.abs(gap, out=gap) <= off
        near &= off > 0
        return np.asarray(~near.any(axis=1))

    def simultaneous(self, stepdown: bool) -> Found:
        """Return one critical value for all differences, in every direction."""
        counts = self.gap_se > 0
        critical, error, method = self._first(counts)
        while stepdown and self._more_to_find(counts, critical):
            counts &= self.gap <= critical
            value, error = self._simulated(counts, critical)
            critical, method = min(value, critical), self._drawn
        n = len(self.gap)
        return self._found(np.full(n, critical), np.full(n, error), method)

    def _first(self, counts: Bools) -> tuple[float, float, str]:
        if not counts.any():
            return 0.0, 0.0, KNOWN
        n = len(self.gap)
        if isinstance(self.errors, Independent) and (n == 2 or np.ptp(self.errors.sd) <= 1e-12 * self.errors.sd.max()):
            return equal_critical(n, 1 - self.alpha), 0.0, RANGE
        return (*self._simulated(counts), self._drawn)

    def _simulated(self, counts: Bools, ceiling: float = np.inf) -> tuple[float, float]:
        return simultaneous_critical(self.errors, self.gap_se, counts, self.alpha, self.n_draws, self.rng, ceiling)

    def _more_to_find(self, counts: Bools, critical: float) -> bool:
        """Tell whether a difference was just told apart and one is left that a smaller critical value could catch."""
        caught = counts & (self.gap > critical)
        near = counts & (self.gap <= critical) & (self.gap > self._least)
        return bool(caught.any() and near.any())

    def marginal(self, stepdown: bool, side: Side) -> Found:
        """Return a critical value for each area, for its differences from all others, in the directions of `side`."""
        above, below = self.gap_se > 0, self.gap_se > 0
        if side != "both":
            (above if side == "worst" else below)[:] = False
        if not (above | below).any():
            return self._found(np.zeros(len(self.gap)), np.zeros(len(self.gap)), KNOWN)
        critical, error = self._marginal_first(above, below)
        while stepdown:
            reach = critical[:, None]
            caught = ((below & (self.gap > reach)) | (above & (-self.gap > reach))).any(axis=1)
            above &= -self.gap <= reach
            below &= self.gap <= reach
            near = ((below & (self.gap > self._least)) | (above & (-self.gap > self._least))).any(axis=1)
            rows = np.flatnonzero(caught & near)
            if not len(rows):
                break
            value, error[rows] = self._marginal_rows(rows, above, below, critical[rows])
            critical[rows] = np.minimum(value, critical[rows])
        return self._found(critical, error, self._drawn if self.pairs is None else INTEGRAL)

    def _marginal_first(self, above: Bools, below: Bools) -> tuple[Floats, Floats]:
        rows = np.arange(len(self.gap))
        if self.pairs is None:
            return self._marginal_rows(rows, above, below, np.full(len(rows), np.inf))
        alone = np.isin(rows, (self.pairs.first, self.pairs.second), invert=True)
        kind = np.column_stack([self.pairs.sd, np.where(alone, -1, rows)])  # areas of one kind have one critical value
        _, one, place = np.unique(kind, axis=0, return_index=True, return_inverse=True)
        critical, error = self._marginal_rows(one, above, below, np.full(len(one), np.inf))
        return critical[place], error[place]

    def _marginal_rows(self, rows: Ints, above: Bools, below: Bools, ceiling: Floats) -> tuple[Floats, Floats]:
        if self.pairs is not None:
            exact = exact_marginal(self.pairs, rows, self.gap_se[rows], above[rows], below[rows], self.alpha)
            return exact, np.zeros(len(rows))
        parts = (self.alpha, self.n_draws, self.rng, ceiling)
        return simulated_marginal(self.errors, self.gap_se, rows, above[rows], below[rows], *parts)

    @property
    def _least(self) -> float:
        """No critical value is smaller: that of a single difference."""
        from scipy.special import ndtri

        return max(0.0, -float(ndtri(self.alpha)))

    @property
    def _drawn(self) -> str:
        return f"{self.n_draws:,} draws"

    def _found(self, critical: Floats, error: Floats, method: str) -> Found:
        return Found(critical, error, method, 0 if method.startswith("exact") else self.n_draws)
