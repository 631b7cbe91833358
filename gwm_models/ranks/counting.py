"""Ranks inside draws, counted fast: one packed sort a draw, and histograms of ranks in place of the ranks themselves.

A sort key holds a score's bits in an order-preserving form, with the number of the area in place of its lowest bits:
one sort of the keys then yields the order of the areas, without an index sort. Scores closer together than those
bits can tell are put right afterwards, so that ranks are exactly those of a stable sort.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError, some

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Draws: TypeAlias = ArrayLike | Iterator[ArrayLike] | Callable[[], Iterable[ArrayLike]]
"""An array (n_draws, n_areas), or an iterator over blocks of its rows, or a function that starts one."""

MOST_COUNTED = 2048
"""Up to so many areas a table of counts, area by rank, is kept; beyond it the ranks, two or four bytes each."""
FEW = 512
"""Up to so many areas counts are taken a block at a time; beyond it, a draw at a time."""
BLOCK_BYTES = 2**19
"""Rows worked on at a time, so that they stay in the processor's cache."""
POSITIVE = np.int64(0x7FFFFFFFFFFFFFFF)


@dataclass(frozen=True, eq=False)
class RankDistributions(Frozen, ABC):
    """How the ranks of areas are spread over draws; 1 is best. Areas tied in every draw share their ranks evenly.

    Attributes
    ----------
    area : tuple of str
    n_draws : int
    """

    area: tuple[str, ...]
    n_draws: int

    @abstractmethod
    def quantile(self, prob: float) -> Ints:
        """Return the least rank of each area that holds at least `prob` of its draws, shape (n_areas,)."""

    @abstractmethod
    def held(self, rank: int) -> Floats | Ints:
        """Return the number of draws in which each area is at `rank` or better, (n_areas,); whole but for ties."""

    @abstractmethod
    def moments(self) -> tuple[Floats, Floats]:
        """Return the mean rank of each area, and the standard deviation of its rank over the draws."""

    @abstractmethod
    def counts_of(self, index: int) -> Floats | Ints:
        """Return in how many draws one area holds each rank, shape (n_areas,); whole but for ties."""

    def of(self, code: str) -> Floats:
        """Return the probability of each rank, 1 to n_areas, for one area.

        Raises
        ------
        DataError
            If there is no such area.
        """
        return np.asarray(self.counts_of(place_of(code, self.area)) / self.n_draws)

    def to_rows(self, code: str) -> list[dict[str, object]]:
        """Return one row a rank for one area: its probability, and that of this rank or a better one."""
        prob = self.of(code)
        return [
            {"area_code": code, "rank": rank, "prob": float(prob[rank - 1]), "prob_at_most": float(total)}
            for rank, total in enumerate(np.minimum(np.cumsum(prob), 1), start=1)
        ]

    def at_most(self, rank: int) -> Floats:
        """Return the probability that each area is at `rank` or better, shape (n_areas,)."""
        return np.asarray(self.held(rank) / self.n_draws)

    def beyond(self, rank: int) -> Floats:
        """Return the probability that each area is worse than `rank`, shape (n_areas,)."""
        return np.asarray((self.n_draws - self.held(rank)) / self.n_draws)

    def between(self, edges: Sequence[int]) -> Floats:
        """Return the probability of a rank beyond one edge and up to the next, shape (n_areas, len(edges) - 1)."""
        return np.diff(np.array([self.held(edge) for edge in edges]), axis=0).T / self.n_draws


@dataclass(frozen=True, eq=False)
class CountedRanks(RankDistributions):
    """Rank distributions as counts.

    Attributes
    ----------
    cumulative : ndarray, shape (n_areas, n_areas + 1)
        Draws in which an area holds rank 0, 1, ..., n_areas or better; whole numbers if no areas are tied throughout.
    """

    cumulative: Floats | Ints

    def quantile(self, prob: float) -> Ints:
        """Return the least rank that holds at least `prob` of the draws."""
        short = self.cumulative <= _place(self.n_draws, prob)
        if self.cumulative.dtype.kind == "f":
            short |= self.cumulative < self.n_draws * prob - 1e-6
        return np.asarray(np.count_nonzero(short, axis=1), dtype=np.int64)

    def held(self, rank: int) -> Floats | Ints:
        """Return the number of draws at `rank` or better."""
        return self.cumulative[:, rank]

    def moments(self) -> tuple[Floats, Floats]:
        """Return means and standard deviations."""
        counts, rank = np.diff(self.cumulative, axis=1), np.arange(1, len(self.area) + 1)
        mean = counts @ rank / self.n_draws
        second = counts @ rank**2 / self.n_draws
        return mean, np.sqrt(np.maximum(second - mean**2, 0))

    def counts_of(self, index: int) -> Floats | Ints:
        """Return one area's counts."""
        return np.asarray(np.diff(self.cumulative[index]))


@dataclass(frozen=True, eq=False)
class SortedRanks(RankDistributions):
    """Rank distributions as the ranks themselves.

    Attributes
    ----------
    ranks : ndarray of unsigned int, shape (n_areas, n_draws)
        Sorted inside each area.
    """

    ranks: NDArray[Any]

    def quantile(self, prob: float) -> Ints:
        """Return the least rank that holds at least `prob` of the draws."""
        return np.asarray(self.ranks[:, _place(self.n_draws, prob)], dtype=np.int64)

    def held(self, rank: int) -> Ints:
        """Return the number of draws at `rank` or better."""
        return np.asarray(np.count_nonzero(self.ranks <= rank, axis=1), dtype=np.int64)

    def moments(self) -> tuple[Floats, Floats]:
        """Return means and standard deviations."""
        mean, sd = np.empty((2, len(self.area)))
        for i, ranks in enumerate(self.ranks):
            mean[i], sd[i] = ranks.mean(), ranks.std()
        return mean, sd

    def counts_of(self, index: int) -> Ints:
        """Return one area's counts."""
        return np.asarray(np.bincount(self.ranks[index], minlength=len(self.area) + 1)[1:], dtype=np.int64)


def rank_distributions(draws: Draws, area: Sequence[str]) -> RankDistributions:
    """Rank the areas inside each draw, 1 for the highest score, and keep how often each held each rank.

    Memory beyond the draws does not grow with their number up to 2,048 areas; with more areas it is two bytes for each
    area and draw (four from 65,536 areas on), twice while it is built.

    Parameters
    ----------
    draws : array_like, shape (n_draws, n_areas); or an iterator over blocks of rows, or a function that returns one
        Scores; higher is better. Not modified. Areas tied in every draw share their ranks evenly; areas tied in some
        go by column order there.
    area : sequence of str
        Area codes, in column order.

    Raises
    ------
    DataError
        If there is no draw, or a block has the wrong shape or a value that is not finite.

    Examples
    --------
    >>> found = rank_distributions(lambda: ([[101 + i, 99, 95]] for i in (0, -4)), ["A", "B", "C"])
    >>> found.of("A").tolist()
    [0.5, 0.5, 0.0]
    """
    tied = _Tied(np.zeros(len(area), dtype=np.int64))
    orders = (order for block in blocks_of(draws, area) for order in _orders(tied.seen(block)))
    return (_counted if len(area) <= MOST_COUNTED else _sorted)(orders, tuple(area), tied)


@dataclass
class _Tied:
    """Which columns have been the same in every draw seen so far: `label` numbers groups of them, (n_areas,)."""

    label: Ints

    def seen(self, scores: Floats) -> Floats:
        """Take in a block of draws, and return it."""
        for group in self.groups():
            split = np.unique(scores[0, group], return_inverse=True)[1]
            self.label[group] = self.label.max() + 1 + split
        for group in self.groups():
            label = int(self.label.max()) + 1
            while len(group):  # the first of those left, and all that equal it
                equal = (scores[:, group] == scores[:, group[:1]]).all(axis=0)
                self.label[group[equal]] = label
                group, label = group[~equal], label + 1
        return scores

    def groups(self) -> list[Ints]:
        """Return the columns of each group of two or more."""
        several = np.flatnonzero(np.bincount(self.label)[self.label] > 1)
        several = several[np.argsort(self.label[several], kind="stable")]
        ends = np.flatnonzero(np.diff(self.label[several])) + 1
        return np.split(several, ends) if len(several) else []


def _counted(orders: Iterable[Ints], area: tuple[str, ...], tied: _Tied) -> CountedRanks:
    n, n_draws = len(area), 0
    counts = np.zeros(n * n, dtype=np.int64)
    for order in orders:
        n_draws += len(order)
        order *= n
        order += np.arange(n)
        if n <= FEW:
            counts += np.bincount(order.ravel(), minlength=n * n)
        else:
            for cells in order:  # no cell comes twice in a draw
                counts[cells] += 1
    cumulative: Floats | Ints = np.zeros((n, n + 1), dtype=np.int64)
    np.cumsum(counts.reshape(n, n), axis=1, out=cumulative[:, 1:])
    groups = tied.groups()
    if groups:
        cumulative = cumulative.astype(float)
    for group in groups:
        cumulative[group] = cumulative[group].mean(axis=0)
    return CountedRanks(area, n_draws, cumulative)


def _sorted(orders: Iterable[Ints], area: tuple[str, ...], tied: _Tied) -> SortedRanks:
    small = np.min_scalar_type(len(area))  # two bytes up to 65,535 areas
    kept = [ranks_of(order, small) for order in orders]
    ranks = np.empty((len(area), sum(map(len, kept))), dtype=small)
    np.concatenate(kept, out=ranks.T)
    ranks.sort(axis=1)
    for group in tied.groups():  # the ranks of all, dealt out evenly: no more than a draw off
        ranks[group] = np.sort(ranks[group], axis=None)[(len(group) - 1) // 2 :: len(group)]
    return SortedRanks(area, ranks.shape[1], ranks)


def rank_order(scores: Floats) -> Ints:
    """Return the columns of each row from the highest score to the lowest; ties stay in column order.

    Parameters
    ----------
    scores : ndarray, shape (n_draws, n_areas)
        Finite.

    Examples
    --------
    >>> rank_order(np.array([[95.0, 101, 95], [2, 1, 3]])).tolist()
    [[1, 0, 2], [2, 0, 1]]
    """
    order = np.empty(scores.shape, dtype=np.int64)
    first = 0
    for part in _orders(scores):
        order[first : first + len(part)] = part
        first += len(part)
    return order


def ranks_of(order: Ints, dtype: Any = np.int64) -> NDArray[Any]:
    """Turn the order of the columns of each row into their ranks, shape (n_draws, n_areas)."""
    m, n = order.shape
    ranks = np.empty((m, n), dtype=dtype)
    ranks[np.arange(m)[:, None], order] = np.arange(1, n + 1, dtype=dtype)
    return ranks


def _orders(scores: Floats) -> Iterator[Ints]:
    """Yield the order of the columns, a few rows at a time, in an array that the next step overwrites."""
    n = scores.shape[1]
    rows = max(1, BLOCK_BYTES // (8 * max(n, 1)))
    bits = (n - 1).bit_length()
    low, column = np.int64((1 << bits) - 1), np.arange(n)
    negated, work = np.empty((rows, n)), np.empty((rows, n), dtype=np.int64)
    for first in range(0, len(scores), rows):
        block = scores[first : first + rows]
        key = np.subtract(0.0, block, out=negated[: len(block)]).view(np.int64)
        spare = np.right_shift(key, 63, out=work[: len(block)])
        spare &= POSITIVE
        key ^= spare  # signed integers in the order of the negated scores
        key &= ~low
        key |= column
        key.sort(axis=1)
        near = np.bitwise_xor(key[:, 1:], key[:, :-1], out=spare[:, 1:]).view(np.uint64) <= np.uint64(low)
        key &= low
        if near.any():
            _put_right(key, block, np.flatnonzero(near.any(axis=1)))
        yield key


def _put_right(order: Ints, scores: Floats, rows: Ints) -> None:
    """Sort again, in place, the rows where scores that share a key are out of order."""
    in_order = np.take_along_axis(scores[rows], order[rows], axis=1)
    wrong = rows[(in_order[:, 1:] > in_order[:, :-1]).any(axis=1)]
    order[wrong] = np.argsort(-scores[wrong], axis=1, kind="stable")


def _place(n_draws: int, prob: float) -> int:
    """Return the place, from 0, of the sorted draw that is the quantile (the inverse of the distribution function)."""
    return min(max(math.ceil(n_draws * prob - 1), 0), n_draws - 1)


def blocks_of(draws: Draws, area: Sequence[str]) -> Iterator[Floats]:
    """Yield `draws` in checked blocks of rows: as they come, or an array as a whole."""
    if not callable(draws) and not isinstance(draws, Iterator):
        yield check_draws(draws, area)
        return
    empty = True
    for block in draws() if callable(draws) else draws:
        yield check_draws(block, area)
        empty = False
    if empty:
        check_draws(np.empty((0, len(area))), area)


def check_draws(draws: ArrayLike, area: Sequence[str]) -> Floats:
    """Return `draws` as an array of floats, or say what is wrong with it."""
    scores = np.asarray(draws, dtype=float)
    if scores.ndim != 2 or scores.shape[1] != len(area) or not scores.size:
        raise DataError(
            f"draws has shape {scores.shape}; expected (n_draws, {len(area)}), one column an area. "
            "Merge chains before ranking."
        )
    fine = np.isfinite(scores)
    if not fine.all():
        bad = [code for code, finite in zip(area, fine.all(axis=0), strict=True) if not finite]
        raise DataError(
            f"draws is not finite for {len(bad)} of {len(area)} areas ({some(bad)}). "
            "Drop them: a rank needs a finite score in every draw."
        )
    return scores


def place_of(code: str, area: Sequence[str]) -> int:
    """Return where an area stands in a sequence of codes.

    Raises
    ------
    DataError
        If it is not there.
    """
    codes = list(area)
    if code not in codes:
        raise DataError(f"no area {code!r} among the {len(codes)} ranked ({some(codes)}). Use one of their codes.")
    return codes.index(code)
