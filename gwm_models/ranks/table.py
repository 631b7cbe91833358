"""Rank tables: what draws of a score say about each area's rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.errors import DataError, some

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RankTable:
    """Ranks of areas, 1 is best; all arrays have shape (n_areas,), in the order of `area`.

    Attributes
    ----------
    area : tuple of str
        Area codes.
    estimate, lower, upper : ndarray of int
        Median rank and the bounds of its interval.
    expected : ndarray of float
        Mean rank.
    prob_top, prob_bottom : ndarray of float
        Probability of being among the best `n_ends`, and among the worst.
    prob_bottom_fifth : ndarray of float
        Probability of being in the lowest fifth of areas.
    level : float
        Least probability of each interval, area by area.
    n_ends, n_draws : int
    """

    area: tuple[str, ...]
    estimate: Ints
    lower: Ints
    upper: Ints
    expected: Floats
    prob_top: Floats
    prob_bottom: Floats
    prob_bottom_fifth: Floats
    level: float
    n_ends: int
    n_draws: int

    def __post_init__(self) -> None:
        """Keep read-only copies."""
        names = ("estimate", "lower", "upper", "expected", "prob_top", "prob_bottom", "prob_bottom_fifth")
        for name in names:
            own = np.array(getattr(self, name))
            own.setflags(write=False)
            object.__setattr__(self, name, own)

    def __repr__(self) -> str:
        """Return one line: how many areas, how wide the intervals."""
        width = np.median(self.upper - self.lower)
        return f"RankTable({len(self.area)} areas, {100 * self.level:g}% intervals, median width {width:g})"

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row an area, in the toolkit's column names."""
        return [
            {
                "area_code": self.area[i],
                "estimate": int(self.estimate[i]),
                "lower": int(self.lower[i]),
                "upper": int(self.upper[i]),
                "expected_rank": float(self.expected[i]),
                f"prob_top_{self.n_ends}": float(self.prob_top[i]),
                f"prob_bottom_{self.n_ends}": float(self.prob_bottom[i]),
                "prob_bottom_fifth": float(self.prob_bottom_fifth[i]),
                "level": self.level,
                "n": self.n_draws,
            }
            for i in range(len(self.area))
        ]


def rank_draws(scores: ArrayLike) -> Ints:
    """Rank the areas inside each draw, 1 for the highest score; ties go by column order.

    Parameters
    ----------
    scores : array_like, shape (n_draws, n_areas)

    Examples
    --------
    >>> rank_draws([[101, 99, 95], [98, 102, 95]]).tolist()
    [[1, 2, 3], [2, 1, 3]]
    """
    x = np.asarray(scores, dtype=float)
    order = np.argsort(-x, axis=1, kind="stable")
    ranks = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(1, x.shape[1] + 1)[None], axis=1)
    return ranks


def rank_areas(draws: ArrayLike, area: Sequence[str], *, level: float = 0.9, n_ends: int = 10) -> RankTable:
    """Rank areas by draws of a score, with rank intervals.

    Each draw is ranked on its own, so intervals carry the dependence between areas.

    Parameters
    ----------
    draws : array_like of float, shape (n_draws, n_areas)
        Draws of the score; higher is better. Not modified.
    area : sequence of str
        Area codes, in the column order of `draws`.
    level : float in (0, 1)
        Least probability of each interval (marginal, not simultaneous).
    n_ends : int
        Size of the top and bottom groups whose probabilities are given.

    Raises
    ------
    DataError
        If `draws` has the wrong shape, or a value that is not finite.
    ValueError
        If `level` is outside (0, 1) or `n_ends` outside 1 to n_areas.

    References
    ----------
    Goldstein & Spiegelhalter (1996), JRSS A 159(3), 385-443, doi:10.2307/2983325.

    Examples
    --------
    >>> rank_areas([[101, 99, 95], [98, 102, 95]], ["A", "B", "C"], n_ends=1).upper.tolist()
    [2, 2, 3]
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    ranks = rank_draws(check_draws(draws, area))
    n = len(area)
    if not 1 <= n_ends <= n:
        raise ValueError(f"n_ends must lie between 1 and {n}, the number of areas; got {n_ends!r}.")
    tails = [(1 - level) / 2, 0.5, (1 + level) / 2]
    lower, median, upper = np.quantile(ranks, tails, axis=0, method="inverted_cdf").astype(np.int64)
    return RankTable(
        area=tuple(area),
        estimate=median,
        lower=lower,
        upper=upper,
        expected=ranks.mean(axis=0),
        prob_top=(ranks <= n_ends).mean(axis=0),
        prob_bottom=(ranks > n - n_ends).mean(axis=0),
        prob_bottom_fifth=(ranks > n - fifth(n)).mean(axis=0),
        level=level,
        n_ends=n_ends,
        n_draws=len(ranks),
    )


def fifth(n_areas: int) -> int:
    """Return how many areas make a fifth, rounded to the nearest whole, at least one."""
    return max(1, round(n_areas / 5))


def check_draws(draws: ArrayLike, area: Sequence[str]) -> Floats:
    """Return `draws` as an array of floats, or say what is wrong with it."""
    scores = np.asarray(draws, dtype=float)
    if scores.ndim != 2 or scores.shape[1] != len(area) or not len(scores):
        raise DataError(
            f"draws has shape {scores.shape}; expected (n_draws, {len(area)}), one column an area. "
            "Merge chains before ranking."
        )
    bad = [code for code, fine in zip(area, np.isfinite(scores).all(axis=0), strict=True) if not fine]
    if bad:
        raise DataError(
            f"draws is not finite for {len(bad)} of {len(area)} areas ({some(bad)}). "
            "Drop them: a rank needs a finite score in every draw."
        )
    return scores
