"""Cost and effect in joint draws: ratio where there is one, quadrants, net benefit, acceptability, information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Verdict = Literal["ratio", "dominant", "dominated", "saves_and_harms", "unsure", "no_effect"]
QUADRANTS = (
    "costs_more_does_good",
    "costs_less_does_good",
    "costs_more_does_harm",
    "costs_less_does_harm",
    "no_effect",
)


@dataclass(frozen=True, slots=True)
class Ratio:
    """What can be said of cost over effect.

    Attributes
    ----------
    verdict : str
        ``ratio``: the effect is surely good, so the ratio and its interval have a meaning. ``dominant``: surely good
        and surely no cost. ``dominated``: surely harm and surely a cost. ``saves_and_harms``: surely harm, not surely a
        cost. ``unsure``: the interval of the effect holds zero, and a ratio would have no bounds. ``no_effect``: none
        in any draw. Surely is: on average, and in all draws but fewer than one tail of the interval.
    estimate, lower, upper : float or None
        Mean cost over mean effect, with a Fieller-type interval; None unless the verdict is ``ratio``.
    """

    verdict: Verdict
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None


def cost_ratio(cost: Floats, effect: Floats, level: float) -> Ratio:
    """Return cost over effect, where the effect's interval excludes zero on the good side; else why there is none.

    The interval holds every value for a unit of effect at which the net benefit, value times effect less cost, could
    be of either sign: its probability of being negative lies between the two tails. Where every draw of the effect is
    above zero these are the quantiles of the ratio of the draws; for normal draws it is the set of Fieller.

    Parameters
    ----------
    cost, effect : ndarray, shape (n_draws,)
        Joint draws; an effect above zero is good.
    level : float in (0, 1)

    References
    ----------
    Fieller (1954), JRSS B 16, 175-185. Willan & O'Brien (1996), Health Economics 5, 297-305. Briggs, O'Brien &
    Blackhouse (2002), Annual Review of Public Health 23, 377-401.

    Examples
    --------
    >>> cost_ratio(np.full(100, 50.0), np.linspace(4, 6, 100), 0.9).estimate
    10.0
    >>> cost_ratio(np.full(100, 50.0), np.linspace(-4, 6, 100), 0.9)
    Ratio(verdict='unsure', estimate=None, lower=None, upper=None)
    """
    if not effect.any():
        return Ratio("no_effect")
    good, harm = _surely(effect, level), _surely(-effect, level)
    if not good:
        if not harm:
            return Ratio("unsure")
        return Ratio("dominated" if _surely(cost, level) else "saves_and_harms")
    if _surely(-cost, level):
        return Ratio("dominant")
    lower, upper = _crossings(cost, effect, level)
    return Ratio("ratio", float(cost.mean() / effect.mean()), lower, upper)


def _surely(draws: Floats, level: float) -> bool:
    """Tell whether draws are above zero on average and but for less than one tail of an interval."""
    return float(draws.mean()) > 0 and float((draws <= 0).mean()) < (1 - level) / 2 - 1e-12


def _crossings(cost: Floats, effect: Floats, level: float) -> tuple[float, float]:
    """Return the first and the last value between which the share of draws with a loss is within the tails."""
    n, tail = len(cost), (1 - level) / 2
    at, step = _steps(cost, effect, effect != 0)
    start = int((effect > 0).sum() + ((effect == 0) & (cost > 0)).sum())
    after = start - np.cumsum(step)
    before = np.concatenate([[start], after[:-1]])
    first = np.flatnonzero(after <= (1 - tail) * n + 1e-9)[0]
    last = np.flatnonzero(before >= tail * n - 1e-9)[-1]
    return float(at[first]), float(at[last])


def _steps(cost: Floats, effect: Floats, kept: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the values at which net benefits change sign, in order, and by how many draws more it is above zero."""
    at, place = np.unique(cost[kept] / effect[kept], return_inverse=True)
    return at, np.bincount(place, weights=np.sign(effect[kept]), minlength=len(at)).astype(float)


def quadrants(cost: Floats, effect: Floats) -> dict[str, float]:
    """Return the share of draws in each quarter of the cost-effectiveness plane; the shares add up to 1.

    A cost of exactly zero counts as no more; draws in which there is no effect are on none of its sides.

    References
    ----------
    Black (1990), Medical Decision Making 10, 212-214.

    Examples
    --------
    >>> quadrants(np.array([1.0, 1.0, -1.0, 1.0]), np.array([2.0, 3.0, 1.0, -1.0]))["costs_more_does_good"]
    0.5
    """
    more, good, harm = cost > 0, effect > 0, effect < 0
    found = (more & good, ~more & good, more & harm, ~more & harm, ~good & ~harm)
    return {name: float(each.mean()) for name, each in zip(QUADRANTS, found, strict=True)}


def net_benefit(cost: Floats, effect: Floats, value: float) -> Floats:
    """Return value times effect less cost, shape (n_draws,)."""
    return np.asarray(value * effect - cost)


def acceptability(cost: Floats, effect: Floats, values: Sequence[float] | Floats) -> Floats:
    """Return the probability that the net benefit is above zero at each value for a unit of effect.

    References
    ----------
    van Hout, Al, Gordon & Rutten (1994), Health Economics 3, 309-319. Fenwick, Claxton & Sculpher (2001), Health
    Economics 10, 779-787.

    Examples
    --------
    >>> acceptability(np.array([10.0, 10.0]), np.array([1.0, 2.0]), [0, 6, 11]).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.array([float((net_benefit(cost, effect, value) > 0).mean()) for value in np.asarray(values, dtype=float)])


def information_value(cost: Floats, effect: Floats, value: float) -> float:
    """Return the expected value of perfect information of the choice between doing it and not doing it.

    What is expected if the better of the two were known in every draw, less what the better one on average brings.

    References
    ----------
    Claxton (1999), Journal of Health Economics 18, 341-364.

    Examples
    --------
    >>> information_value(np.array([1.0, 1.0]), np.array([0.0, 4.0]), 1.0)
    0.5
    """
    net = net_benefit(cost, effect, value)
    return float(np.maximum(net, 0).mean() - max(net.mean(), 0.0))


def even_value(cost: Floats, effect: Floats) -> float | None:
    """Return the least value, not below zero, from which the net benefit is as likely as not to be above zero.

    None where no value is enough: an effect above zero in less than half of the draws.

    Examples
    --------
    >>> even_value(np.full(4, 6.0), np.array([1.0, 2.0, 3.0, 6.0])), even_value(np.ones(2), -np.ones(2))
    (2.0, None)
    """
    enough = 0.5 * len(cost) - 1e-9
    if (cost < 0).sum() >= enough:
        return 0.0
    at, step = _steps(cost, effect, cost * effect > 0)
    wins = ((cost < 0) | ((cost == 0) & (effect > 0))).sum() + np.concatenate([[0.0], np.cumsum(step)])
    reached = np.flatnonzero(wins >= enough)
    if not reached.size:
        return None
    return float(at[reached[0] - 1]) if reached[0] else 0.0


def discount_factors(years: Sequence[int], first: int, rate: float) -> Floats:
    """Return what one unit in each year is worth in the first.

    Examples
    --------
    >>> discount_factors([2026, 2027], 2026, 0.25).tolist()
    [1.0, 0.8]
    """
    return np.asarray((1 + rate) ** -(np.asarray(years, dtype=float) - first))
