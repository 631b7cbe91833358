"""Change of rank between two sets of draws: a baseline and a scenario, or two editions of the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError
from gwm_models.ranks.counting import Floats, Ints, check_draws
from gwm_models.ranks.table import fifth, rank_draws

Pairing = Literal["joint", "independent"]
AREAS = 64
"""Areas whose quantiles are taken at a time, so that memory stays a small part of that of the draws."""


@dataclass(frozen=True, eq=False)
class RankChange(Frozen):
    """Change of rank, after minus before: negative is an improvement; arrays have shape (n_areas,).

    Attributes
    ----------
    area : tuple of str
        Areas ranked both times, among each other.
    left_out : tuple of str
        Areas of one set of draws only, which were dropped before ranking.
    estimate, lower, upper : ndarray of int
        Median change, in places, and the bounds of its interval.
    expected : ndarray of float
        Mean change; adds up to 0 over the areas.
    rank_before, rank_after : ndarray of int
        Median ranks. Their difference need not be the median of the change.
    prob_improves, prob_worsens : ndarray of float
        Probability of a better and of a worse rank; what is left is the probability of the same rank.
    prob_bottom_fifth_before, prob_bottom_fifth_after : ndarray of float
        Probability of being in the bottom fifth.
    prob_leaves_bottom_fifth, prob_enters_bottom_fifth : ndarray of float
        Probability of being in it before and not after, and the other way round. Divide the first by
        `prob_bottom_fifth_before` for the chance of leaving of an area that is in it.
    pairing : {"joint", "independent"}
    level : float
    n_draws : int
    """

    area: tuple[str, ...]
    left_out: tuple[str, ...]
    estimate: Ints
    lower: Ints
    upper: Ints
    expected: Floats
    rank_before: Ints
    rank_after: Ints
    prob_improves: Floats
    prob_worsens: Floats
    prob_bottom_fifth_before: Floats
    prob_bottom_fifth_after: Floats
    prob_leaves_bottom_fifth: Floats
    prob_enters_bottom_fifth: Floats
    pairing: Pairing
    level: float
    n_draws: int

    def __repr__(self) -> str:
        """Return one line: how many areas, how many have an interval of the change without 0."""
        sure = int(((self.lower > 0) | (self.upper < 0)).sum())
        return f"RankChange({len(self.area)} areas, {sure} move at {100 * self.level:g}%, {self.pairing} draws)"

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row an area, in the toolkit's column names."""
        probs = [name for name in self.__dataclass_fields__ if name.startswith("prob_")]
        return [
            {
                "area_code": code,
                "estimate": int(self.estimate[i]),
                "lower": int(self.lower[i]),
                "upper": int(self.upper[i]),
                "expected_change": float(self.expected[i]),
                "rank_before": int(self.rank_before[i]),
                "rank_after": int(self.rank_after[i]),
                **{name: float(getattr(self, name)[i]) for name in probs},
                "pairing": self.pairing,
                "level": self.level,
                "n": self.n_draws,
            }
            for i, code in enumerate(self.area)
        ]


def rank_change(
    before: ArrayLike,
    after: ArrayLike,
    area: Sequence[str],
    *,
    pairing: Pairing,
    after_area: Sequence[str] | None = None,
    level: float = 0.9,
    seed: int = 20260101,
) -> RankChange:
    """Compare the ranks of the same areas in two sets of draws.

    Parameters
    ----------
    before, after : array_like, shape (n_draws, n_areas)
        Draws of the score; higher is better. Areas are ranked inside each draw; ties go by column order, also where
        areas are tied in every draw, whose ranks a rank table shares out.
    area : sequence of str
        Area codes, in the column order of `before`.
    after_area : sequence of str, optional
        Area codes in the column order of `after`, if they may differ: columns are then matched by code, and areas of
        one set only are dropped from both before ranking.
    pairing : {"joint", "independent"}
        ``joint``: row `d` of both is one state of the world, as for a scenario and its baseline on common draws.
        ``independent``: two posteriors of their own, such as two editions; see Notes.
    level : float in (0, 1)
    seed : int
        Of the pairing, where it is independent.

    Raises
    ------
    DataError
        If a set of draws cannot be ranked, the two do not fit together, or share no area.
    ValueError
        If `level` or `pairing` is outside the values above.

    Notes
    -----
    Draws of two editions made with one seed share their random numbers, area by area; taken row by row they would
    look dependent although nothing ties them. With ``independent`` the rows of `after` are therefore put in a random
    order first (and the longer set is cut to the shorter), which is a draw from the product of the two posteriors.

    Where the method is drawn as well, `gwm_models.ranks.sources.paired_sources` puts one method in each row of both.

    Editions need not be independent: surveys whose windows overlap or that keep households for several waves, and an
    indicator that is carried over unchanged, make the errors of the two editions move together. An area's own errors
    then partly cancel in its change. Nor does each posterior know of the other edition: each shrinks its areas by as
    much as its own errors ask. Where the second edition is the less precise one, its areas lie nearer to the middle,
    so that those at the bottom look likely to rise and those at the top to fall though nothing has changed. Intervals
    and probabilities of a change may therefore be off either way; read them with the precision of both editions in
    mind. Only a model of both editions together could do without that.

    References
    ----------
    Goldstein & Spiegelhalter (1996), JRSS A 159(3), 385-443, doi:10.2307/2983325.

    Examples
    --------
    >>> change = rank_change([[3, 2, 1], [3, 1, 2]], [[3, 1, 2], [1, 2, 3]], ["A", "B", "C"], pairing="joint")
    >>> change.expected.tolist(), change.prob_improves.tolist()
    ([1.0, 0.0, -1.0], [0.0, 0.5, 1.0])
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    if pairing not in ("joint", "independent"):
        raise ValueError(f"pairing must be 'joint' or 'independent'; got {pairing!r}.")
    codes = tuple(area)
    after_codes = codes if after_area is None else tuple(after_area)
    first, second = check_draws(before, codes), check_draws(after, after_codes)
    both = set(codes) & set(after_codes)
    shared = tuple(code for code in codes if code in both)
    if after_codes != codes:
        first, second = _columns(first, codes, shared), _columns(second, after_codes, shared)
    if pairing == "independent":
        first, second = independent_pairs(first, second, seed=seed)
    elif len(first) != len(second):
        raise DataError(f"{len(first)} draws before and {len(second)} after are not joint. Draw both together.")
    found = change_of_ranks(rank_draws(first), rank_draws(second), shared, pairing=pairing, level=level)
    left_out = dict.fromkeys(code for code in (*codes, *after_codes) if code not in both)
    return replace(found, left_out=tuple(left_out))


def _columns(draws: Floats, area: tuple[str, ...], shared: tuple[str, ...]) -> Floats:
    """Return the columns of the areas shared, or say that they cannot be matched."""
    if not shared or len(set(area)) < len(area):
        raise DataError("the areas before and after cannot be matched: none is shared, or a code comes twice.")
    place = {code: column for column, code in enumerate(area)}
    return draws[:, [place[code] for code in shared]]


def independent_pairs(before: Floats, after: Floats, *, seed: int = 20260101) -> tuple[Floats, Floats]:
    """Pair the rows of two independent sets of draws at random, as many as the shorter set has.

    Parameters
    ----------
    before, after : ndarray, shape (n_draws, ...)
        Rows of each may come in any order; each row stays whole.
    seed : int

    Returns
    -------
    before, after : ndarray
        Of equal length; row `d` of both together is a draw from the product of the two distributions.
    """
    n_draws = min(len(before), len(after))
    order = keyed_rng(seed, "rank-change:pairing").permutation(len(after))[:n_draws]
    return before[:n_draws], after[order]


def change_of_ranks(
    before: Ints, after: Ints, area: Sequence[str], *, pairing: Pairing = "joint", level: float = 0.9
) -> RankChange:
    """Summarise the change between ranks that are at hand, row by row, as a projection keeps them.

    Parameters
    ----------
    before, after : ndarray of int, shape (n_draws, n_areas)
        Ranks inside each draw, 1 is best.
    area : sequence of str
    pairing : {"joint", "independent"}
        How the rows came together; only noted in the result.
    level : float in (0, 1)

    Raises
    ------
    DataError
        If the two do not fit together, or the areas.
    """
    n = len(area)
    if before.shape != after.shape or before.ndim != 2 or before.shape[1] != n or not before.size:
        raise DataError(f"ranks before {before.shape} and after {after.shape} do not fit (n_draws, {n}).")
    change = np.subtract(after, before, dtype=np.int64)  # ranks may be kept in types that hold no negative number
    edge = n - fifth(n)
    low_before, low_after = before > edge, after > edge
    middle, lower, upper = _quantiles(change, (0.5, (1 - level) / 2, (1 + level) / 2))
    return RankChange(
        area=tuple(area),
        left_out=(),
        estimate=middle,
        lower=lower,
        upper=upper,
        expected=change.mean(axis=0),
        rank_before=_quantiles(before, (0.5,))[0],
        rank_after=_quantiles(after, (0.5,))[0],
        prob_improves=(change < 0).mean(axis=0),
        prob_worsens=(change > 0).mean(axis=0),
        prob_bottom_fifth_before=low_before.mean(axis=0),
        prob_bottom_fifth_after=low_after.mean(axis=0),
        prob_leaves_bottom_fifth=(low_before & ~low_after).mean(axis=0),
        prob_enters_bottom_fifth=(~low_before & low_after).mean(axis=0),
        pairing=pairing,
        level=level,
        n_draws=len(change),
    )


def _quantiles(ranks: Ints, probs: Sequence[float]) -> NDArray[np.int64]:
    """Return quantiles of integers over draws, shape (len(probs), n_areas)."""
    found = [
        np.quantile(ranks[:, first : first + AREAS], probs, axis=0, method="inverted_cdf")
        for first in range(0, ranks.shape[1], AREAS)
    ]
    return np.asarray(np.concatenate(found, axis=1), dtype=np.int64)
