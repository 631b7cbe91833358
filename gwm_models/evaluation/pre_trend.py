"""Trends before the start: were they alike, and would the data have shown it if they were not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.evaluation.effect import Check

Floats = NDArray[np.float64]

POWERS = (0.5, 0.8)
DOUBLINGS, HALVINGS = 60, 60
APART = (
    "The treated stood apart from the controls before the start (p {:.2g}), and areas far out tend to come closer by "
    "themselves. Name donors like the treated, or use synthetic_control."
)
PARTED = "Treated and controls moved apart before the start (p {:.2g}), so they would not have moved alike after it."


@dataclass(frozen=True, slots=True)
class PreTrend:
    """A test of no difference in trend before the start.

    Attributes
    ----------
    test : {"joint", "slope", "placebo"}
        All leads together; the straight line through them, where too few treated units leave no joint test; or the
        leads of placebo units.
    p_value : float
    slopes : tuple of float
        The straight lines, in units of the outcome per time, that the test finds with a probability of 50% and 80%;
        infinite where it finds none.
    n_leads : int
    """

    test: str
    p_value: float
    slopes: tuple[float, ...]
    n_leads: int


def joint_test(coef: Floats, cov: Floats, distance: Floats, freedom: Floats, level: float = 0.95) -> PreTrend:
    """Test that all leads are zero, and say which straight line the test would find.

    Parameters
    ----------
    coef, distance : ndarray, shape (q,)
        Leads, and how many times each lies from the reference (negative before it).
    cov : ndarray, shape (q, q)
    freedom : ndarray, shape (q + 1,)
        Degrees of freedom of each lead, and of the straight line through them last.
    level : float
        One less the size of the test.

    Returns
    -------
    PreTrend
        Hotelling's T squared with the least freedom of a lead; the line through the leads where that is no more than
        their number.

    References
    ----------
    Roth (2022), American Economic Review: Insights 4, 305-322 (power of pre-tests).
    """
    q, least = len(coef), float(freedom[:-1].min())
    if least > q + 1 and np.linalg.cond(cov) < 1e12:
        size = float(coef @ np.linalg.solve(cov, coef))
        unit = float(distance @ np.linalg.solve(cov, distance))
        return _hotelling(size, unit, q, least, level)
    weights = distance / float(distance @ distance)
    error, own = float(np.sqrt(weights @ cov @ weights)), float(freedom[-1])
    if not error > 0 or not own > 0:
        return PreTrend("slope", float("nan"), (float("inf"),) * len(POWERS), q)
    return _hotelling((float(weights @ coef) / error) ** 2, 1 / error**2, 1, own, level, "slope", q)


def _hotelling(
    size: float, unit: float, q: int, freedom: float, level: float, test: str = "joint", n_leads: int = 0
) -> PreTrend:
    from scipy.stats import f, ncf

    below = freedom - q + 1
    scale = below / (freedom * q)
    limit = float(f.isf(1 - level, q, below))
    slopes = solve_slopes(lambda slope: float(ncf.sf(limit, q, below, slope**2 * unit)), float(1 / np.sqrt(unit)))
    return PreTrend(test, float(f.sf(scale * size, q, below)), slopes, n_leads or q)


def placebo_test(coef: Floats, placebo: Floats, distance: Floats, level: float = 0.95) -> PreTrend:
    """Set the leads of the treated against those of placebos, by their root mean square.

    Parameters
    ----------
    coef, distance : ndarray, shape (q,)
    placebo : ndarray, shape (n_placebos, q)
    level : float
    """
    size, sizes = float((coef**2).sum()), (placebo**2).sum(axis=1)
    n = len(sizes)
    place = int(np.ceil(level * (n + 1))) - 1
    limit = float(np.sort(sizes)[place]) if place < n else float("inf")

    def power(slope: float) -> float:
        return float(np.mean(((placebo + slope * distance) ** 2).sum(axis=1) > limit))

    start = float(np.sqrt(np.median(sizes) / (distance**2).sum())) or 1.0
    slopes = solve_slopes(power, start) if np.isfinite(limit) else (float("inf"),) * len(POWERS)
    return PreTrend("placebo", float((1 + np.sum(sizes >= size * (1 - 1e-9))) / (n + 1)), slopes, len(coef))


def solve_slopes(power: Callable[[float], float], start: float) -> tuple[float, ...]:
    """Return the smallest slopes at which a test finds a line with the powers of `POWERS`, by bisection."""
    return tuple(_solve(power, start, target) for target in POWERS)


def _solve(power: Callable[[float], float], start: float, target: float) -> float:
    low, high = 0.0, start
    for _ in range(DOUBLINGS):
        if power(high) >= target:
            break
        low, high = high, 2 * high
    else:
        return float("inf")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= target else (middle, high)
    return high


def levels_apart(before: Floats, treated: NDArray[np.bool_]) -> tuple[float, float]:
    """Return p values of treated and controls having the same level before the start, by ranks.

    At the last time with figures of both, and on average. One treated unit is placed among the controls; more are
    tested by Wilcoxon's rank sum.

    Parameters
    ----------
    before : ndarray, shape (n_units, n_times)
        NaN where there is no figure.
    treated : ndarray of bool, shape (n_units,)
    """
    both = np.isfinite(before[treated]).any(axis=0) & np.isfinite(before[~treated]).any(axis=0)
    number = np.isfinite(before).sum(axis=1)
    average = np.divide(np.nansum(before, axis=1), number, out=np.full(len(before), np.nan), where=number > 0)
    last = before[:, np.flatnonzero(both)[-1]] if both.any() else average
    return _rank_p(last, treated), _rank_p(average, treated)


def _rank_p(level: Floats, treated: NDArray[np.bool_]) -> float:
    from scipy.stats import norm, rankdata

    there = np.isfinite(level)
    rank, mine = rankdata(level[there]), treated[there]
    n, m = len(rank), int(mine.sum())
    if m == 0 or m == n:
        return 1.0
    if m == 1:
        place = float(rank[mine][0])
        return min(1.0, 2 * min(place, n + 1 - place) / n)
    z = (rank[mine].sum() - m * (n + 1) / 2) / np.sqrt(m * (n - m) * (n + 1) / 12)
    return 2 * float(norm.sf(abs(z)))


def level_check(apart: float) -> Check:
    """Put the comparison of levels in words."""
    far = apart < 0.05
    words = f"The treated stood {'apart from' if far else 'among'} the controls before the start (p {apart:.3g})."
    return Check("level_before", apart, "fail" if far else "pass", words)


def trend_checks(found: PreTrend | None, reach: float) -> tuple[Check, ...]:
    """Put a pre-trend test in words.

    Parameters
    ----------
    found : PreTrend or None
        None where there is a single time before the start.
    reach : float
        Times from the mean of those before the start to the mean of those from it on: a line of slope s that went on
        would be taken for an effect of s times this.
    """
    if found is None:
        words = "There is a single time before the start, so trends before it cannot be compared."
        return (Check("pre_trend", None, "warn", words),)
    if not np.isfinite(found.p_value):
        return (Check("pre_trend", None, "warn", "Too few treated units to test trends before the start."),)
    what = {
        "joint": f"The {found.n_leads} leads together",
        "slope": f"The line through the {found.n_leads} leads",
        "placebo": f"The {found.n_leads} leads, set against those of placebos,",
    }[found.test]
    differ = found.p_value < 0.05
    told = "cannot be taken for zero: trends were not parallel" if differ else "can be taken for zero"
    rows = [Check("pre_trend", found.p_value, "fail" if differ else "pass", f"{what} {told} (p {found.p_value:.3g}).")]
    for power, slope in zip(POWERS, found.slopes, strict=True):
        words = (
            f"The test finds a straight difference in trend of {slope:.3g} per time with a probability of {power:.0%}; "
            f"one that went on would be taken for an effect of {slope * reach:.3g}."
            if np.isfinite(slope)
            else f"No difference in trend, however large, is found with a probability of {power:.0%}."
        )
        rows.append(Check(f"pre_trend_power_{100 * power:.0f}", slope if np.isfinite(slope) else None, "info", words))
    return tuple(rows)
