"""Which of several options is best, from their values in the same draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TIE = 1e-9
"""Values closer than this, relative to the largest (or to 1), are the same: rounding makes no winner."""
SURE = 0.95
"""Probability from which one option counts as told apart from another, or as the winner."""
TAIL = 1.6448536269514722
"""Standard normal quantile of `SURE`, for the one-sided limit of simulation error."""


@dataclass(frozen=True, eq=False)
class Standings(Frozen):
    """Options held against each other; arrays of shape (n_options,) unless said otherwise.

    Attributes
    ----------
    prob_better : ndarray, shape (n_options, n_options)
        Probability that the option of the row is better than that of the column; a tie counts half to each.
    prob_same : ndarray, shape (n_options, n_options)
        Probability that the two are the same.
    prob_best : ndarray
        Probability of being the best; options that tie for it share it. Sums to 1.
    expected_regret : ndarray
        Mean over draws of what the best option of the draw has over this one; 0 or more.
    expected_rank : ndarray
        1 is best; options that tie share the mean of their ranks.
    rank_lower, rank_upper : ndarray of int
        Interval of the rank, from the best to the worst of the ranks that options which tie share between them.
    leader : int
        The option with the smallest expected regret, which is the one with the best mean.
    level_with_leader : ndarray of bool
        Options that cannot be told apart from the leader, the leader included: the probability that the leader is
        better does not surely reach `SURE`.
    winner : int or None
        The leader, if the probability that it is better than all others at once surely reaches `SURE`.
    """

    prob_better: Floats
    prob_same: Floats
    prob_best: Floats
    expected_regret: Floats
    expected_rank: Floats
    rank_lower: Ints
    rank_upper: Ints
    leader: int
    level_with_leader: Bools
    winner: int | None


def standings(values: Floats, level: float = 0.9) -> Standings:
    """Hold options against each other.

    Parameters
    ----------
    values : ndarray, shape (n_options, n_draws)
        Value of each option in the same draws; more is better.
    level : float
        Of the interval of ranks.

    Examples
    --------
    >>> found = standings(np.array([[1.0, 2.0], [1.0, 0.0]]))
    >>> found.prob_better.tolist(), found.prob_best.tolist(), found.expected_regret.tolist()
    ([[0.5, 0.75], [0.25, 0.5]], [0.75, 0.25], [0.0, 1.0])

    References
    ----------
    Savage (1951), JASA 46, 55-67 (regret). Wilson (1927), JASA 22, 209-212 (limit of a probability counted in draws).
    """
    tie = TIE * max(1.0, float(np.abs(values).max()))
    better, same, first, last = _pairs(values, tie)
    top = values.max(axis=0)
    at_top = values >= top - tie
    prob_best = (at_top / at_top.sum(axis=0)).mean(axis=1)
    regret = np.where(at_top, 0.0, top - values).mean(axis=1)
    lower = np.quantile(first, (1 - level) / 2, axis=1, method="inverted_cdf")
    upper = np.quantile(last, (1 + level) / 2, axis=1, method="inverted_cdf")
    leader = int(np.flatnonzero(regret <= regret.min() + tie)[0])
    behind = [_surely(p, values.shape[1]) for p in better[leader]]
    return Standings(
        prob_better=better,
        prob_same=same,
        prob_best=prob_best,
        expected_regret=regret,
        expected_rank=0.5 + better.sum(axis=0),
        rank_lower=lower.astype(np.int64),
        rank_upper=upper.astype(np.int64),
        leader=leader,
        level_with_leader=~np.array(behind),
        winner=leader if len(values) > 1 and _surely(prob_best[leader], values.shape[1]) else None,
    )


def _pairs(values: Floats, tie: float) -> tuple[Floats, Floats, Ints, Ints]:
    """Return P(row better than column), P(same), and the best and the worst rank of each option in each draw."""
    n_options = len(values)
    better, same = np.empty((n_options, n_options)), np.empty((n_options, n_options))
    first, last = np.empty(values.shape, dtype=np.int64), np.empty(values.shape, dtype=np.int64)
    for i, own in enumerate(values):
        apart = own - values
        level = np.abs(apart) <= tie
        same[i] = level.mean(axis=1)
        better[i] = (apart > tie).mean(axis=1) + same[i] / 2
        first[i] = 1 + (apart < -tie).sum(axis=0)
        last[i] = len(values) - (apart > tie).sum(axis=0)
    return better, same, first, last


def _surely(p: float, n: int) -> bool:
    """Tell whether a probability counted in draws reaches `SURE` even at the lower end of its simulation error."""
    spread = TAIL**2 / n
    centre, half = p + spread / 2, TAIL * np.sqrt(p * (1 - p) / n + spread / (4 * n))
    return bool((centre - half) / (1 + spread) >= SURE)
