"""Differences between groups of units, tested and bounded by dealing the groups out again."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

DOUBLINGS, HALVINGS = 40, 50
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Permuted:
    """A difference by permutation.

    Attributes
    ----------
    p_value : float
        Two-sided, of no difference; never zero.
    lower, upper : float
        Effects that are not rejected; infinite where none is on that side.
    n_draws : int
        Ways the groups were dealt, their own among them.
    """

    p_value: float
    lower: float
    upper: float
    n_draws: int


@dataclass(frozen=True, eq=False)
class _Terms(Frozen):
    """Difference and its variance of every deal, its own first, as polynomials in the effect."""

    difference: Floats
    variance: Floats

    def p_value(self, effect: float) -> float:
        """Return the share of deals as far out as the sample once `effect` is taken off; the sample counts too."""
        gap = self.difference[0] - effect * self.difference[1]
        spread = self.variance[0] - 2 * effect * self.variance[1] + effect**2 * self.variance[2]
        floor = TINY * max(float(spread.max()), 1e-300)
        size = np.abs(gap) / np.sqrt(np.maximum(spread, floor))
        return float(np.mean(size >= size[0] * (1 - 1e-9)))


def permute(value: Floats, treated: Mask, rng: np.random.Generator, level: float, n_draws: int = 1999) -> Permuted:
    """Test a difference of two means by a studentised permutation, and invert the test into an interval.

    Parameters
    ----------
    value : ndarray, shape (n_units,)
        Such as each unit's mean after less its mean before.
    treated : ndarray of bool, shape (n_units,)
        Two or more, and two or more that are not.
    rng, level, n_draws
        See `permute_groups`.
    """
    return permute_groups(value[:, None], treated[:, None].astype(float), treated.astype(np.int64), rng, level, n_draws)


def permute_groups(
    value: Floats, effect: Floats, group: Ints, rng: np.random.Generator, level: float, n_draws: int = 1999
) -> Permuted:
    """Test a sum of differences between groups and one control group by dealing the units out again.

    The sum is, over groups g, the mean of ``value[:, g - 1]`` in group g less that in group 0. The test is studentised:
    it holds its level exactly where the groups were as good as drawn from among the units, whatever the distribution,
    and in large samples where groups only differ in spread.

    Parameters
    ----------
    value : ndarray, shape (n_units, n_groups)
    effect : ndarray, shape (n_units, n_groups)
        What an effect of one adds to `value` of each unit as it was treated.
    group : ndarray of int, shape (n_units,)
        0 for controls, then 1 to n_groups; two units or more in each.
    rng : Generator
        Not used where every deal can be made.
    level : float
    n_draws : int
        Deals; with one group, each is made once where there are no more than this.

    References
    ----------
    Janssen (1997), Statistics & Probability Letters 36, 9-21. Chung & Romano (2013), Annals of Statistics 41, 484-507.
    """
    terms = _terms(value - value.mean(axis=0), effect, _deals(group, rng, n_draws), np.bincount(group))
    estimate = float(terms.difference[0, 0] / terms.difference[1, 0])
    error = float(np.sqrt(max(_at(terms, estimate), 0.0)) / abs(terms.difference[1, 0]))
    bounds = [_bound(terms, estimate, error, level, side) for side in (-1, 1)]
    return Permuted(terms.p_value(0.0), bounds[0], bounds[1], terms.difference.shape[1])


def _at(terms: _Terms, effect: float) -> float:
    one, two, three = terms.variance[:, 0]
    return float(one - 2 * effect * two + effect**2 * three)


def _deals(group: Ints, rng: np.random.Generator, n_draws: int) -> Ints:
    """Return units in the order of their groups, one row for each deal, the sample's own first."""
    own, n, m = np.argsort(group, kind="stable"), len(group), int((group == 1).sum())
    if group.max() == 1 and comb(n, m) <= n_draws:
        chosen = [set(own[n - m :].tolist()), *map(set, combinations(range(n), m))]
        rows = [[*(i for i in range(n) if i not in some), *sorted(some)] for some in chosen]
        return np.array([rows[0], *(row for row in rows[1:] if row != rows[0])])
    return np.concatenate([own[None], np.argsort(rng.random((n_draws, n)), axis=1)])


def _terms(value: Floats, effect: Floats, deals: Ints, sizes: Ints) -> _Terms:
    difference, variance = np.zeros((2, len(deals))), np.zeros((3, len(deals)))
    ends = np.cumsum(sizes)
    for g, (first, last) in enumerate(zip(ends - sizes, ends, strict=True)):
        members = deals[:, first:last]
        z, a = (x.sum(axis=1)[members] if g == 0 else x[:, g - 1][members] for x in (value, effect))
        sign = -1.0 if g == 0 else 1.0
        difference += sign * np.array([z.mean(axis=1), a.mean(axis=1)])
        z, a = (x - x.mean(axis=1, keepdims=True) for x in (z, a))
        n = last - first
        variance += np.array([(x * y).sum(axis=1) for x, y in ((z, z), (z, a), (a, a))]) / (n * (n - 1))
    return _Terms(difference, variance)


def _bound(terms: _Terms, estimate: float, error: float, level: float, side: int) -> float:
    """Return where the p value falls to 1 - level on one side of the estimate, by bisection."""

    def rejected(effect: float) -> bool:
        return terms.p_value(effect) <= 1 - level + 1e-12

    inside, outside = estimate, estimate + 2 * side * error
    if not error > 0:
        return side * float("inf")
    for _ in range(DOUBLINGS):
        if rejected(outside):
            break
        inside, outside = outside, estimate + 2 * (outside - estimate)
    else:
        return side * float("inf")
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
    return float((inside + outside) / 2)
