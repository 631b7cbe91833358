"""Rank tables: what draws of a score say about each area's rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import freeze
from gwm_models.ranks.counting import Draws, RankDistributions, rank_distributions, rank_order, ranks_of

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
    prob_top_fifth, prob_bottom_fifth : ndarray of float
        Probability of being in the highest fifth of areas, and in the lowest.
    sd : ndarray of float
        Standard deviation of the rank.
    prob_fifth, prob_third : ndarray of float, shape (n_areas, 5) and (n_areas, 3)
        Probability of each fifth and third of the table, the best first; each row adds up to 1. With few areas some
        are empty (`parts` says who is in which).
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
    prob_top_fifth: Floats
    prob_bottom_fifth: Floats
    sd: Floats
    prob_fifth: Floats
    prob_third: Floats
    level: float
    n_ends: int
    n_draws: int

    def __post_init__(self) -> None:
        """Keep read-only copies."""
        for field in fields(self):
            if isinstance(getattr(self, field.name), np.ndarray):
                object.__setattr__(self, field.name, np.array(getattr(self, field.name)))
        freeze(self)

    def __repr__(self) -> str:
        """Return one line: how many areas, how wide the intervals."""
        width = np.median(self.upper - self.lower)
        return f"RankTable({len(self.area)} areas, {100 * self.level:g}% intervals, median width {width:g})"

    def to_rows(self, *, full: bool = False) -> list[dict[str, object]]:
        """Return one row an area, in the toolkit's column names.

        Parameters
        ----------
        full : bool
            Whether to add the standard deviation of the rank and the probabilities of fifths and thirds
            (`prob_fifth_1` is the best fifth, `prob_third_3` the worst third), which `words_for` reads.
        """
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
                **(self._more(i) if full else {}),
                "level": self.level,
                "n": self.n_draws,
            }
            for i in range(len(self.area))
        ]

    def _more(self, i: int) -> dict[str, float]:
        fifths = {f"prob_fifth_{k}": float(prob) for k, prob in enumerate(self.prob_fifth[i], start=1)}
        thirds = {f"prob_third_{k}": float(prob) for k, prob in enumerate(self.prob_third[i], start=1)}
        return {"sd_rank": float(self.sd[i]), **fifths, **thirds}


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
    order = rank_order(x) if np.isfinite(x).all() else np.argsort(-x, axis=1, kind="stable")
    return np.asarray(ranks_of(order))


def rank_areas(draws: Draws, area: Sequence[str], *, level: float = 0.9, n_ends: int = 10) -> RankTable:
    """Rank areas by draws of a score, with rank intervals.

    Each draw is ranked on its own, so intervals carry the dependence between areas.

    Parameters
    ----------
    draws : array_like, shape (n_draws, n_areas); or an iterator over blocks of rows, or a function that returns one
        Draws of the score; higher is better. Not modified. Blocks keep memory small however many draws there are.
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

    Notes
    -----
    Areas tied in every draw share their ranks evenly; areas tied in some are put in column order there. Bounds are
    quantiles of the draws that were really drawn (`numpy.quantile`'s ``inverted_cdf``), so that an interval holds at
    least its probability.

    References
    ----------
    Goldstein & Spiegelhalter (1996), JRSS A 159(3), 385-443, doi:10.2307/2983325.

    Examples
    --------
    >>> rank_areas([[101, 99, 95], [98, 102, 95]], ["A", "B", "C"], n_ends=1).upper.tolist()
    [2, 2, 3]
    """
    _check(level, n_ends, len(area))
    return table_of(rank_distributions(draws, area), level=level, n_ends=n_ends)


def table_of(found: RankDistributions, *, level: float = 0.9, n_ends: int = 10) -> RankTable:
    """Summarise ranks that have been counted; otherwise as `rank_areas`."""
    n = len(found.area)
    _check(level, n_ends, n)
    lower, median, upper = (found.quantile(prob) for prob in ((1 - level) / 2, 0.5, (1 + level) / 2))
    expected, sd = found.moments()
    return RankTable(
        area=found.area,
        estimate=median,
        lower=lower,
        upper=upper,
        expected=expected,
        prob_top=found.at_most(n_ends),
        prob_bottom=found.beyond(n - n_ends),
        prob_top_fifth=found.at_most(fifth(n)),
        prob_bottom_fifth=found.beyond(n - fifth(n)),
        sd=sd,
        prob_fifth=found.between(parts(n, 5)),
        prob_third=found.between(parts(n, 3)),
        level=level,
        n_ends=n_ends,
        n_draws=found.n_draws,
    )


def _check(level: float, n_ends: int, n_areas: int) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    if n_areas and not 1 <= n_ends <= n_areas:
        raise ValueError(f"n_ends must lie between 1 and {n_areas}, the number of areas; got {n_ends!r}.")


def fifth(n_areas: int) -> int:
    """Return how many areas make a fifth, rounded to the nearest whole, at least one."""
    return max(1, round(n_areas / 5))


def parts(n_areas: int, k: int) -> tuple[int, ...]:
    """Return the ranks at which `k` equal parts of a table end, from 0 to `n_areas`, rounded to the nearest whole.

    The first and last part have one area at least, if there are two areas; the only area of a table is its last.

    Examples
    --------
    >>> parts(118, 5), parts(2, 5)
    ((0, 24, 47, 71, 94, 118), (0, 1, 1, 1, 1, 2))
    """
    inner = [min(max(round(n_areas * j / k), 1), n_areas - 1) for j in range(1, k)]
    return (0, *inner, n_areas)
