"""Confidence sets for ranks: which ranks the data leave open, at a stated error rate, whatever the true scores are.

An area's true rank is 1 plus the number of areas with a higher true score; areas that are truly tied share every rank
of their group. A set is made by testing all differences from an area, with an error rate controlled over the whole
family of tests (of one area, or of all): areas found above it cannot be at or below its rank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gwm_models.draws import keyed_rng
from gwm_models.ranks.sets_input import check_errors, check_estimate
from gwm_models.ranks.sets_result import Bools, End, EndSet, RankSets, Side
from gwm_models.ranks.sets_steps import PairTests

LEAST_DRAWS = 1000


def rank_sets(
    estimate: ArrayLike,
    cov: ArrayLike,
    *,
    level: float = 0.95,
    simultaneous: bool = True,
    stepdown: bool = False,
    side: Side = "both",
    area: Sequence[str] | None = None,
    draws: int = 10_000,
    rng: int | np.random.Generator = 0,
) -> RankSets:
    """Return confidence sets for the ranks of areas; rank 1 is the highest true score.

    Exact, with no draws and no seed: marginal sets for errors that are independent but for a few pairs of areas, and
    simultaneous sets in a single step for equal independent errors. Errors with a common part count as independent: it
    drops out of every difference. Otherwise by simulation in bounded memory; `critical_error` and `settled` of the
    result say whether other draws could move a bound.

    Parameters
    ----------
    estimate : array_like, shape (n_areas,)
        Estimated scores; higher is better.
    cov : array_like, shape (n_areas,) or (n_areas, n_areas)
        Standard errors of independent estimates (one number stands for all), or the covariance of dependent ones. An
        error of 0 is a score known exactly; two areas with one error between them, the same row of the covariance, are
        told apart if they differ at all.
    level : float in (0, 1)
    simultaneous : bool
        Whether `level` holds for all sets together, or for each on its own (marginal).
    stepdown : bool
        Go on testing with the differences not yet told apart: never wider, same error rate.
    side : {"both", "best", "worst"}
        Bound both ends of each set, the best rank only, or the worst rank only. A simultaneous set allows for all
        differences either way, so that its bounds do not change with `side`.
    area : sequence of str, optional
        Area codes, each once; 1, 2, ... if left out.
    draws : int
        Where the sets are not exact; at least 1,000.
    rng : int or Generator
        Seed of the draws, 0 or more.

    Raises
    ------
    DataError
        If the estimates or their errors have the wrong shape, are not finite, or are not possible errors; if an area
        code comes twice; or if two errors have so much in common that rounding hides what is left.
    ValueError
        If `level`, `side`, `draws` or `rng` is outside the values above.

    References
    ----------
    Mogstad, Romano, Shaikh & Wilhelm (2024), Inference for ranks with applications to mobility across neighbourhoods
    and academic achievement across countries, Review of Economic Studies 91(1), 476-518, doi:10.1093/restud/rdad006.

    Examples
    --------
    >>> sets = rank_sets([10, 5, 4, -20], [2, 2, 2, 2])
    >>> list(zip(sets.lower.tolist(), sets.upper.tolist()))
    [(1, 3), (1, 3), (1, 3), (4, 4)]
    """
    if not isinstance(level, (int, float, np.floating)) or not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    if side not in ("both", "best", "worst"):
        raise ValueError(f"side must be 'both', 'best' or 'worst'; got {side!r}.")
    if not _is_whole(draws, LEAST_DRAWS):
        raise ValueError(f"draws must be a whole number of at least {LEAST_DRAWS:,}; got {draws!r}.")
    values, codes = check_estimate(estimate, area)
    order = np.argsort(values, kind="stable")
    errors = check_errors(cov, codes, order)
    tests = PairTests.of(values[order], errors, 1 - level, int(draws), _generator(rng))
    found = tests.simultaneous(stepdown) if simultaneous else tests.marginal(stepdown, side)
    lower, upper = tests.bounds(found.critical)
    settled = tests.settled(found.critical, found.error)
    n, place = len(values), np.argsort(order)
    return RankSets(
        area=codes,
        estimate=1 + n - np.searchsorted(values[order], values, side="right"),
        lower=np.ones(n, dtype=np.int64) if side == "worst" else lower[place],
        upper=np.full(n, n) if side == "best" else upper[place],
        level=float(level),
        simultaneous=simultaneous,
        stepdown=stepdown,
        side=side,
        critical=found.critical[place],
        critical_error=found.error[place],
        settled=settled[place],
        method=found.method,
        n_draws=found.n_draws,
    )


def tau_best(
    estimate: ArrayLike,
    cov: ArrayLike,
    tau: int,
    *,
    level: float = 0.95,
    stepdown: bool = False,
    area: Sequence[str] | None = None,
    draws: int = 10_000,
    rng: int | np.random.Generator = 0,
) -> EndSet:
    """Return which areas may be among the best `tau`, and which surely are: those whose true rank is `tau` or better.

    Read off the simultaneous rank sets, so that one statement holds for all areas at once: with probability `level`,
    no area truly among the best is missing from `possible` and no other area is in `certain`.

    Parameters
    ----------
    estimate, cov, level, stepdown, area, draws, rng
        As in `rank_sets`.
    tau : int
        Size of the group, 1 to n_areas.

    Raises
    ------
    DataError, ValueError
        As `rank_sets`, and if `tau` is outside 1 to n_areas.

    References
    ----------
    Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91(1), 476-518: the projection set.

    Examples
    --------
    >>> best = tau_best([10, 5, 4, -20], [2, 2, 2, 2], 3)
    >>> best.possible.tolist(), best.certain.tolist()
    ([True, True, True, False], [True, True, True, False])
    """
    sets = rank_sets(estimate, cov, level=level, stepdown=stepdown, area=area, draws=draws, rng=rng)
    _check_tau(tau, len(sets.area))
    return _end_set(sets, sets.lower <= tau, sets.upper <= tau, tau, "best")


def tau_worst(
    estimate: ArrayLike,
    cov: ArrayLike,
    tau: int,
    *,
    level: float = 0.95,
    stepdown: bool = False,
    area: Sequence[str] | None = None,
    draws: int = 10_000,
    rng: int | np.random.Generator = 0,
) -> EndSet:
    """Return which areas may be among the worst `tau`, and which surely are; otherwise as `tau_best`.

    An area is truly among the worst `tau` if fewer than `tau` areas have a lower true score.

    Examples
    --------
    >>> tau_worst([10, 5, 4, -20], [2, 2, 2, 2], 1).certain.tolist()
    [False, False, False, True]
    """
    sets = rank_sets(estimate, cov, level=level, stepdown=stepdown, area=area, draws=draws, rng=rng)
    n = len(sets.area)
    _check_tau(tau, n)
    return _end_set(sets, sets.upper > n - tau, sets.lower > n - tau, tau, "worst")


def _is_whole(number: object, least: int) -> bool:
    if not isinstance(number, (int, float, np.integer, np.floating)) or not np.isfinite(number):
        return False
    return bool(number == int(number) and number >= least)


def _generator(rng: int | np.random.Generator) -> np.random.Generator:
    if isinstance(rng, np.random.Generator):
        return rng
    if not _is_whole(rng, 0):
        raise ValueError(f"rng must be a whole number of 0 or more, or a Generator; got {rng!r}.")
    return keyed_rng(int(rng), "rank-sets")


def _check_tau(tau: int, n_areas: int) -> None:
    if not _is_whole(tau, 1) or tau > n_areas:
        raise ValueError(f"tau must lie between 1 and {n_areas}, the number of areas; got {tau!r}.")


def _end_set(sets: RankSets, possible: Bools, certain: Bools, tau: int, end: End) -> EndSet:
    return EndSet(sets.area, possible, certain, int(tau), end, sets.level, sets.method, sets.n_draws)
