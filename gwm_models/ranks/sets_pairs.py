"""Areas whose errors are correlated two by two, such as neighbours that share one survey figure.

Given the error of one area, an area paired with it is normal about another mean, and two areas paired with each other
fall inside two intervals with a bivariate normal probability: one integral an area is still all that is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.ranks.sets_input import Errors, Joint

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOST_PAIRS = 10
"""Up to so many pairs the integral is cheaper than simulation."""
LEAST_OWN = 1e-4
"""Least share of a variance that is not common to a pair."""
FAR = 40.0
"""Standard deviations that stand for infinity."""


@dataclass(frozen=True, eq=False)
class Pairs(Frozen):
    """Areas whose errors are correlated with those of one other area each.

    Attributes
    ----------
    first, second : ndarray of int, shape (n_pairs,)
    cov : ndarray, shape (n_pairs,)
        Covariances of the two errors.
    sd : ndarray, shape (n_areas,)
        Standard errors.
    """

    first: Ints
    second: Ints
    cov: Floats
    sd: Floats

    @classmethod
    def of(cls, errors: Errors) -> Pairs | None:
        """Return the pairs of a covariance; nothing if it has larger groups, too many pairs, or nearly equal errors."""
        if not isinstance(errors, Joint):
            none = np.empty(0, dtype=np.int64)
            return cls(none, none, np.empty(0), errors.sd)
        first, second = np.nonzero(np.triu(errors.cov, 1))
        ends = np.concatenate([first, second])
        if len(first) > MOST_PAIRS or len(np.unique(ends)) < len(ends):
            return None
        pairs = cls(first, second, errors.cov[first, second], np.sqrt(np.diag(errors.cov)))
        return pairs if (1 - pairs.correlation**2 >= LEAST_OWN).all() else None

    @property
    def correlation(self) -> Floats:
        """Correlations of the errors."""
        return np.asarray(self.cov / self.sd[self.first] / self.sd[self.second])

    def own_sd(self) -> Floats:
        """Return the standard deviation of each error given that of the area paired with it, shape (n_areas,)."""
        sd = self.sd.copy()
        for ends in (self.first, self.second):
            sd[ends] *= np.sqrt(1 - self.correlation**2)
        return sd

    def correct(self, inside: Floats, rows: Ints, error: Floats, reach: Floats, above: Bools, below: Bools) -> None:
        """Put right the chances that no difference from an area is too large, where they were taken as independent.

        Parameters
        ----------
        inside : ndarray, shape (n_rows, n_nodes, n_areas)
            Chances that the difference from each area is not too large; the second of two paired areas gets 1, the
            first the chance of both.
        rows : ndarray of int, shape (n_rows,)
            Which areas.
        error : ndarray, shape (n_rows, n_nodes)
            Their errors.
        reach : ndarray, shape (n_rows, n_areas)
            What is too large, in the unit of the errors.
        above, below : ndarray of bool, shape (n_rows, n_areas)
            Which areas count when they come out too far above, or too far below.
        """
        for i, j, cov, correlation in zip(self.first, self.second, self.cov, self.correlation, strict=True):
            ends = []
            for area in (i, j):
                low = np.where(below[:, area], -reach[:, area], -np.inf)
                high = np.where(above[:, area], reach[:, area], np.inf)
                ends.append([np.clip((error + end[:, None]) / self.sd[area], -FAR, FAR) for end in (low, high)])
            other = np.flatnonzero((rows != i) & (rows != j))
            (low, high), (other_low, other_high) = ([end[other] for end in both] for both in ends)
            inside[other, :, i] = _rectangle(low, high, other_low, other_high, float(correlation))
            inside[other, :, j] = 1
            for own, area, (low, high) in ((i, j, ends[1]), (j, i, ends[0])):
                at = np.flatnonzero(rows == own)
                mean = cov / self.sd[own] ** 2 * error[at] / self.sd[area]
                inside[at, :, area] = _between(low[at], high[at], mean, np.sqrt(1 - correlation**2))


def _between(low: Floats, high: Floats, mean: Floats, sd: float) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr((high - mean) / sd) - ndtr((low - mean) / sd))


def _rectangle(low: Floats, high: Floats, other_low: Floats, other_high: Floats, correlation: float) -> Floats:
    """Return the chance that two standard normals fall inside their intervals."""
    chance = _both_below(high, other_high, correlation) - _both_below(low, other_high, correlation)
    return chance - _both_below(high, other_low, correlation) + _both_below(low, other_low, correlation)


def _both_below(h: Floats, k: Floats, correlation: float) -> Floats:
    """Return the bivariate normal distribution function.

    References
    ----------
    Owen (1956), Tables for computing bivariate normal probabilities, Annals of Mathematical Statistics 27, 1075-1090,
    doi:10.1214/aoms/1177728074.
    """
    from scipy.special import ndtr, owens_t

    h, k = (np.where(np.abs(x) < 1e-150, 1e-150, x) for x in (h, k))
    root = np.sqrt(1 - correlation**2)
    with np.errstate(over="ignore"):
        tails = owens_t(h, (k / h - correlation) / root) + owens_t(k, (h / k - correlation) / root)
    return np.asarray((ndtr(h) + ndtr(k)) / 2 - tails - np.where(h * k < 0, 0.5, 0.0))
