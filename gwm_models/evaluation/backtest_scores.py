"""How good forecasts were: bias, size of errors, coverage of intervals, and the continuous ranked probability score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen

Floats = NDArray[np.float64]
Row = dict[str, object]

LEVELS = (0.5, 0.9)
"""Intervals that are judged, from equal tails."""


@dataclass(frozen=True, eq=False)
class Forecast(Frozen):
    """A forecast of one quantity by one rule from one origin, and what came.

    Attributes
    ----------
    quantity, unit, rule : str
    origin, horizon : int
        Year forecast from, and years ahead.
    draws : ndarray, shape (n_draws, n)
        By area; one draw is a rule that gives a number and no spread.
    before, came : ndarray, shape (n,)
        Published figures of the origin, and of the year forecast.
    direction : int
        1 where more is better, -1 where less is.
    """

    quantity: str
    unit: str
    rule: str
    origin: int
    horizon: int
    draws: Floats
    before: Floats
    came: Floats
    direction: int

    @property
    def has_spread(self) -> bool:
        """Whether the rule says how far off it may be."""
        return len(self.draws) > 1


@dataclass(frozen=True, eq=False)
class Judged(Frozen):
    """How good one forecast was, area by area.

    Attributes
    ----------
    quantity, unit, rule : str
    origin, horizon : int
    error : ndarray, shape (n,)
        Mean of the forecast less what came.
    crps : ndarray, shape (n,)
        Continuous ranked probability score; the absolute error of a rule without a spread.
    inside : ndarray of bool, shape (n_levels, n)
        Whether what came lies in the interval of each of `LEVELS`; empty for a rule without a spread.
    width : ndarray, shape (n_levels, n)
    mean_inside : ndarray of bool, shape (n_levels,)
        The same of the mean over the areas.
    """

    quantity: str
    unit: str
    rule: str
    origin: int
    horizon: int
    error: Floats
    crps: Floats
    inside: NDArray[np.bool_]
    width: Floats
    mean_inside: NDArray[np.bool_]


def judge(one: Forecast) -> Judged:
    """Judge a forecast by what came."""
    about = (one.quantity, one.unit, one.rule, one.origin, one.horizon)
    error = one.draws.mean(axis=0) - one.came
    if not one.has_spread:
        none = np.empty((0, len(one.came)))
        return Judged(*about, error, np.abs(error), none.astype(bool), none, np.empty(0, dtype=bool))
    low, high = _bounds(one.draws)
    below, above = _bounds(one.draws.mean(axis=1, keepdims=True))
    mean = one.came.mean()
    return Judged(
        *about,
        error=error,
        crps=crps(one.draws, one.came),
        inside=(low <= one.came) & (one.came <= high),
        width=high - low,
        mean_inside=((below <= mean) & (mean <= above))[:, 0],
    )


def _bounds(draws: Floats) -> Floats:
    """Return both ends of each of `LEVELS`, shape (2, n_levels, n)."""
    tails = [(1 - level) / 2 for level in LEVELS]
    return np.quantile(draws, [tails, [1 - tail for tail in tails]], axis=0)


def crps(draws: Floats, came: Floats) -> Floats:
    """Return the continuous ranked probability score of each column of draws: lower is better, in the unit itself.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, n)
    came : ndarray, shape (n,)

    References
    ----------
    Gneiting & Raftery (2007), JASA 102, 359-378, equation 21 (of the empirical distribution of the draws).

    Examples
    --------
    >>> crps(np.array([[0.0], [2.0]]), np.array([1.0])).tolist()
    [0.5]
    """
    n = len(draws)
    place = (2 * np.arange(1, n + 1) - n - 1) / n**2
    return np.asarray(np.abs(draws - came).mean(axis=0) - place @ np.sort(draws, axis=0))


def score_rows(judged: Iterable[Judged], by: Sequence[str]) -> list[Row]:
    """Pool forecasts that agree in some of their attributes into rows of scores.

    Origins count alike, whatever the number of areas that had figures.

    Parameters
    ----------
    judged : iterable of Judged
    by : sequence of str
        Names of attributes, such as ``rule`` and ``horizon``.

    Returns
    -------
    list of dict
        In the order in which groups come: the attributes, ``unit``, ``origins``, ``n`` (forecasts), ``bias`` (forecast
        less what came), ``mae``, ``rmse``, ``crps``, ``coverage_50``, ``coverage_90``, ``coverage_90_of_mean`` (of the
        mean over the areas) and ``width_90``; None where a rule has no spread.
    """
    groups: dict[tuple[object, ...], list[Judged]] = {}
    for one in judged:
        groups.setdefault(tuple(getattr(one, name) for name in by), []).append(one)
    return [{**dict(zip(by, key, strict=True)), **_scores(group)} for key, group in groups.items()]


def _scores(group: list[Judged]) -> Row:
    spread = all(len(one.inside) for one in group)

    def covered(level: int) -> float | None:
        return _mean([one.inside[level].mean() for one in group]) if spread else None

    return {
        "unit": group[0].unit,
        "origins": len({one.origin for one in group}),
        "n": sum(len(one.error) for one in group),
        "bias": _mean([one.error.mean() for one in group]),
        "mae": _mean([np.abs(one.error).mean() for one in group]),
        "rmse": _mean([(one.error**2).mean() for one in group]) ** 0.5,
        "crps": _mean([one.crps.mean() for one in group]),
        "coverage_50": covered(0),
        "coverage_90": covered(1),
        "coverage_90_of_mean": _mean([one.mean_inside[1] for one in group]) if spread else None,
        "width_90": _mean([one.width[1].mean() for one in group]) if spread else None,
    }


def _mean(values: Sequence[float | np.floating | np.bool_]) -> float:
    return float(np.mean(np.asarray(values, dtype=float)))
