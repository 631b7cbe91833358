"""Exact critical values of rank confidence sets, for errors independent but for pairs: no simulation, no seed.

Given the error of one area, the differences of the others from it are independent (or those of two paired areas go
together), so the chance that none is too large is a product of normal probabilities, averaged over that error: one
integral an area.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gwm_models.ranks.sets_pairs import Pairs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SMOOTH = 0.3
"""Least ratio of another area's standard error to this one's for which evenly spaced nodes are exact."""
REACH = 7.5
BLOCK = 2_000_000
"""Numbers held at a time."""


def equal_critical(n_areas: int, level: float) -> float:
    """Return the critical value of the largest of all standardised differences, equal independent errors.

    References
    ----------
    Tukey (1953), The problem of multiple comparisons. The studentized range with infinite degrees of freedom.

    Examples
    --------
    >>> round(equal_critical(118, 0.95), 6)
    4.373541
    """
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(level, n_areas, np.inf) / np.sqrt(2))


def marginal_critical(pairs: Pairs, rows: Ints, gap_se: Floats, above: Bools, below: Bools, alpha: float) -> Floats:
    """Return the critical value of the largest standardised difference from one area, for many areas at once.

    Parameters
    ----------
    pairs : Pairs
        Standard errors of all areas, and which of them are correlated.
    rows : ndarray of int, shape (n_rows,)
        The areas asked for.
    gap_se : ndarray, shape (n_rows, n_areas)
        Standard errors of their differences from all areas.
    above, below : ndarray of bool, shape (n_rows, n_areas)
        Which areas count when they come out too far above the one asked for, or too far below. Differences without
        error must not count.
    alpha : float in (0, 1)
        Probability that the critical value is exceeded.

    Returns
    -------
    ndarray, shape (n_rows,)
        Never below 0; 0 where nothing counts.
    """
    own, critical = pairs.sd[rows], np.zeros(len(rows))
    active = above | below
    ratio = np.where(active, pairs.own_sd(), np.inf).min(axis=1, initial=np.inf) / np.where(own > 0, own, 1)
    asked = np.flatnonzero(active.any(axis=1))
    asked = asked[np.argsort(ratio[asked])]
    rough = int((ratio[asked] < SMOOTH).sum())
    for group, graded in ((asked[:rough], True), (asked[rough:], False)):
        step = max(1, BLOCK // (len(pairs.sd) * (500 if graded else 200)))
        for first in range(0, len(group), step):
            part = group[first : first + step]
            rule = _graded if graded else _even(float(ratio[part[0]]), len(pairs.sd))
            critical[part] = _solve_rows(pairs, rows[part], gap_se[part], above[part], below[part], rule, alpha)
    return critical


Rule = Callable[[Floats], tuple[Floats, Floats]]
"""Critical values, (n_rows,), to nodes and weights of a standard normal, symmetric, (n_rows or 1, n_nodes)."""


def _even(ratio: float, n_areas: int) -> Rule:
    """Evenly spaced nodes: the error falls exponentially for integrands as smooth as these.

    The spacing keeps it near 1e-9 or below; more areas, or others measured better, make the integrand sharper.
    """
    half = int(np.ceil(REACH * n_areas**0.1 / (0.4 * min(ratio, 1.0))))
    nodes = np.linspace(-REACH, REACH, 2 * half + 1)[None]
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()
    return lambda critical: (nodes, weights)


def _graded(critical: Floats) -> tuple[Floats, Floats]:
    """Gauss-Legendre panels that shrink towards plus and minus the critical value.

    There the integrand turns sharply, or jumps, when others have a much smaller error or none.
    """
    x, w = np.polynomial.legendre.leggauss(12)
    away = np.array([0.003, 0.012, 0.04, 0.1, 0.2, 0.4, 0.6, 0.9, 1.3])
    inner = critical[:, None] + np.concatenate([-away[::-1], [0.0], away])
    ends = np.clip(np.pad(inner, ((0, 0), (1, 1)), constant_values=(0.0, REACH)), 0, REACH)
    half = np.diff(ends) / 2
    right = ((ends[:, :-1] + half)[..., None] + half[..., None] * x).reshape(len(critical), -1)
    weight = (half[..., None] * w).reshape(len(critical), -1) * np.exp(-(right**2) / 2) / np.sqrt(2 * np.pi)
    return np.hstack([-right[:, ::-1], right]), np.hstack([weight[:, ::-1], weight])


def _solve_rows(
    pairs: Pairs, rows: Ints, gap_se: Floats, above: Bools, below: Bools, rule: Rule, alpha: float
) -> Floats:
    from scipy.special import ndtri

    events = above.sum(axis=1) + below.sum(axis=1)

    def exceeded(critical: Floats) -> Floats:
        nodes, weights = rule(critical)
        return _exceedance(critical, nodes, weights, pairs, rows, gap_se, above, below)

    lowest = np.full(len(rows), max(0.0, -float(ndtri(alpha))))
    return _solve(exceeded, lowest, np.maximum(-ndtri(alpha / events), lowest), alpha)


def _exceedance(
    critical: Floats,
    nodes: Floats,
    weights: Floats,
    pairs: Pairs,
    rows: Ints,
    gap_se: Floats,
    above: Bools,
    below: Bools,
) -> Floats:
    """Return the probability that a difference that counts is larger than the critical value, shape (n_rows,)."""
    from scipy.special import ndtr

    error, reach = nodes * pairs.sd[rows, None], critical[:, None] * gap_se
    sd = np.where(pairs.sd > 0, pairs.sd, 1e-200)
    with np.errstate(over="ignore"):
        far_below = ndtr((error[..., None] - reach[:, None]) / sd)
    inside = np.where(above[:, None], far_below[:, ::-1], 0)
    far_below *= below[:, None]
    inside += far_below
    np.subtract(1, inside, out=inside)
    pairs.correct(inside, rows, error, reach, above, below)
    return np.asarray(((1 - inside.prod(axis=2)) * weights).sum(axis=1))


def _solve(exceeded: Callable[[Floats], Floats], low: Floats, high: Floats, alpha: float) -> Floats:
    """Find where a falling probability passes `alpha`, for many at once: secant on the probit scale, kept in bounds."""
    from scipy.special import ndtri

    def miss(critical: Floats) -> Floats:
        return np.asarray(ndtri(np.clip(exceeded(critical), 1e-300, 1 - 1e-16)) - ndtri(alpha))

    before, missed_before = high, miss(high)
    high = high.copy()
    now = np.clip(high + missed_before / 2, low, high)
    for _ in range(100):
        missed = miss(now)
        low = np.where(missed > 0, now, low)
        high = np.where(missed < 0, now, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            guess = now - missed * (now - before) / (missed - missed_before)
        guess = np.where(missed == missed_before, now, guess)
        inside = (guess >= low) & (guess <= high)
        following = np.where(inside, guess, (low + high) / 2)
        if np.abs(following - now).max() < 1e-11:
            return following
        before, missed_before, now = now, missed, following
    return now
