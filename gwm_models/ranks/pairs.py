"""Two areas against each other: which is above, by how much, and which areas cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError
from gwm_models.ranks.counting import Draws, Floats, Ints, blocks_of, check_draws, place_of, rank_order, ranks_of

ROWS = 2048
"""Draws compared at a time, so that they stay in the processor's cache."""


def prob_above(draws: Draws, area: Sequence[str]) -> Floats:
    """Return the probability that each area's score is higher than each other's.

    Parameters
    ----------
    draws : array_like, shape (n_draws, n_areas); or an iterator over blocks of rows, or a function that returns one
        Scores; higher is better.
    area : sequence of str
        Area codes, in column order.

    Returns
    -------
    ndarray of float, shape (n_areas, n_areas)
        Row above column. Equal scores count half either way, so that ``p + p.T`` is 1 and the diagonal 0.5.

    Raises
    ------
    DataError
        If there is no draw, or a block has the wrong shape or a value that is not finite.

    Examples
    --------
    >>> prob_above([[3, 2], [1, 2], [3, 0], [2, 2]], ["A", "B"]).tolist()
    [[0.5, 0.625], [0.375, 0.5]]
    """
    above, n_draws = np.zeros((len(area), len(area)), dtype=np.int64), 0
    for block in blocks_of(draws, area):
        n_draws += len(block)
        for first in range(0, len(block), ROWS):
            _count_above(block[first : first + ROWS], above)
    return np.asarray((n_draws + above - above.T) / (2 * n_draws))


def _count_above(scores: Floats, above: Ints) -> None:
    """Add to `above` the draws in which the row area is strictly above the column area."""
    m, n = scores.shape
    order = rank_order(scores)
    falling = np.take_along_axis(scores, order, axis=1)
    if (falling[:, 1:] == falling[:, :-1]).any():
        columns = np.ascontiguousarray(scores.T)
        for i, own in enumerate(columns):
            above[i] += _count_true(own > columns)
        return
    ranks = np.ascontiguousarray(ranks_of(order, np.min_scalar_type(n)).T)
    for i in range(n - 1):  # without ties the other half follows
        better = _count_true(ranks[i] < ranks[i + 1 :])
        above[i, i + 1 :] += better
        above[i + 1 :, i] += m - better


def _count_true(found: NDArray[np.bool_]) -> Ints:
    """Count along the last axis: bits are counted faster than booleans are added."""
    return np.asarray(np.bitwise_count(np.packbits(found, axis=1)).sum(axis=1, dtype=np.int64))


@dataclass(frozen=True)
class PairComparison:
    """Area `first` set against area `second`, on joint draws.

    Attributes
    ----------
    first, second : str
        Area codes.
    prob_above : float
        Probability that the first has the higher score; equal scores count half.
    estimate, lower, upper : float
        Median difference of scores, first minus second, and the bounds of its interval.
    std_error : float
        Standard deviation of the difference over the draws.
    rank_estimate, rank_lower, rank_upper : int
        The same for the difference of ranks, in places: negative where the first is placed better, 0 in draws where
        the two are tied.
    level : float
        Least probability of each interval.
    n_draws : int
    """

    first: str
    second: str
    prob_above: float
    estimate: float
    lower: float
    upper: float
    std_error: float
    rank_estimate: int
    rank_lower: int
    rank_upper: int
    level: float
    n_draws: int

    def to_rows(self) -> list[dict[str, object]]:
        """Return two rows, the score and the rank, in the toolkit's column names."""
        shared: dict[str, object] = {"prob_above": self.prob_above, "level": self.level, "n": self.n_draws}
        pair: dict[str, object] = {"area_code": self.first, "other_area_code": self.second}
        score = {"estimate": self.estimate, "lower": self.lower, "upper": self.upper}
        rank = {"estimate": self.rank_estimate, "lower": self.rank_lower, "upper": self.rank_upper}
        return [{**pair, "quantity": "score", **score, **shared}, {**pair, "quantity": "rank", **rank, **shared}]


def compare(draws: ArrayLike, area: Sequence[str], first: str, second: str, *, level: float = 0.9) -> PairComparison:
    """Set one area against another: difference of scores and of ranks.

    Much of the uncertainty of two scores is often shared, so the interval of the difference is not what the two
    areas' own intervals suggest; overlapping intervals do not mean that two areas cannot be told apart.

    Parameters
    ----------
    draws : array_like, shape (n_draws, n_areas)
        Joint draws of the score; higher is better. Ranks are among all areas.
    area : sequence of str
        Area codes, in column order.
    first, second : str
        Two different codes.
    level : float in (0, 1)

    Raises
    ------
    DataError
        If `draws` cannot be ranked, or a code is not there.
    ValueError
        If `level` is outside (0, 1), or the two areas are one.

    References
    ----------
    Goldstein & Healy (1995), The graphical presentation of a collection of means, JRSS A 158(1), 175-177,
    doi:10.2307/2983411.

    Examples
    --------
    >>> found = compare([[3, 2, 1], [3, 1, 2], [2, 3, 1]], ["A", "B", "C"], "A", "C")
    >>> found.prob_above, found.estimate, found.rank_estimate
    (1.0, 1.0, -1)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    if first == second:
        raise ValueError(f"two different areas are needed; got {first!r} twice.")
    scores = check_draws(draws, area)
    one, other = place_of(first, area), place_of(second, area)
    gap = scores[:, one] - scores[:, other]
    places = np.where(gap == 0, 0, _rank_of(scores, one) - _rank_of(scores, other))
    tails = [0.5, (1 - level) / 2, (1 + level) / 2]
    middle, low, high = np.quantile(gap, tails, method="inverted_cdf")
    rank_middle, rank_low, rank_high = np.quantile(places, tails, method="inverted_cdf")
    return PairComparison(
        first=first,
        second=second,
        prob_above=float(((gap > 0).sum() + (gap >= 0).sum()) / (2 * len(gap))),
        estimate=float(middle),
        lower=float(low),
        upper=float(high),
        std_error=float(gap.std()),
        rank_estimate=int(rank_middle),
        rank_lower=int(rank_low),
        rank_upper=int(rank_high),
        level=level,
        n_draws=len(gap),
    )


def _rank_of(scores: Floats, column: int) -> Ints:
    """Rank one area inside each draw without sorting; ties go by column order."""
    own = scores[:, [column]]
    return np.asarray(1 + (scores > own).sum(axis=1) + (scores[:, :column] == own).sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class AlikeGroups(Frozen):
    """Groups of areas that cannot be told apart: every two areas of a group are closer than `sure`.

    Attributes
    ----------
    groups : tuple of tuple of str
        Codes inside each group and the groups themselves from best to worst; groups overlap.
    prob : float
        Two areas are told apart if one is above the other with more than this probability.
    area : tuple of str
        All areas, in the order of their expected ranks.
    first, last : ndarray of int, shape (n_groups,)
        Where each group begins and ends in `area`, from 0; both ends belong to it.
    """

    groups: tuple[tuple[str, ...], ...]
    prob: float
    area: tuple[str, ...]
    first: Ints
    last: Ints

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row a group and area."""
        return [
            {"group": number, "area_code": code, "n": len(group), "prob": self.prob}
            for number, group in enumerate(self.groups, start=1)
            for code in group
        ]


def alike_groups(above: ArrayLike, expected: ArrayLike, area: Sequence[str], *, prob: float = 0.95) -> AlikeGroups:
    """Return the groups of neighbouring areas that cannot be told apart.

    Areas are put in the order of their expected ranks. A group is a run of that order in which, of every two areas,
    neither is above the other with a probability of more than `prob`, and which no longer such run contains: the
    letters under the means of a multiple comparison, for posterior probabilities. Being alike is not transitive, so
    groups overlap. Areas without a common group may yet be alike if areas between them are more exactly known.

    Parameters
    ----------
    above : array_like, shape (n_areas, n_areas)
        Probability of the row area above the column area, as from `prob_above`.
    expected : array_like, shape (n_areas,)
        Expected ranks; ties go by column order.
    area : sequence of str
    prob : float in [0.5, 1)

    Raises
    ------
    DataError
        If the arrays do not fit together, or are not probabilities and finite ranks.
    ValueError
        If `prob` is outside [0.5, 1).

    References
    ----------
    Piepho (2004), An algorithm for a letter-based representation of all-pairwise comparisons, Journal of
    Computational and Graphical Statistics 13(2), 456-466, doi:10.1198/1061860043515.

    Examples
    --------
    >>> above = [[0.5, 0.8, 0.99], [0.2, 0.5, 0.9], [0.01, 0.1, 0.5]]
    >>> alike_groups(above, [1.2, 1.9, 2.9], ["A", "B", "C"]).groups
    (('A', 'B'), ('B', 'C'))
    """
    if not 0.5 <= prob < 1:
        raise ValueError(f"prob must lie between 0.5 and 1; got {prob!r}.")
    p, rank, n = np.asarray(above, dtype=float), np.asarray(expected, dtype=float), len(area)
    if p.shape != (n, n) or rank.shape != (n,) or not n:
        raise DataError(f"above {p.shape} and expected {rank.shape} do not fit {n} areas.")
    if not ((p >= 0) & (p <= 1)).all() or not np.isfinite(rank).all():
        raise DataError("above must hold probabilities, and expected finite ranks. Make both from the same draws.")
    order = np.argsort(rank, kind="stable")
    apart = np.maximum(p, p.T)[np.ix_(order, order)] > prob
    first, last = _runs(apart)
    codes = tuple(area[i] for i in order)
    groups = tuple(codes[i : j + 1] for i, j in zip(first, last, strict=True))
    return AlikeGroups(groups, prob, codes, first, last)


def _runs(apart: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return the ends of the maximal runs in which no two places are apart."""
    n = len(apart)
    later = np.triu(apart, k=1)
    nearest = np.where(later.any(axis=1), later.argmax(axis=1), n)  # the first place after each that is apart from it
    end = np.minimum.accumulate(nearest[::-1])[::-1] - 1  # no later place of the run may be apart from another
    starts = np.flatnonzero(np.diff(end, prepend=-1) > 0)
    return starts, end[starts]
