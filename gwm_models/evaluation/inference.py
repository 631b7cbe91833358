"""How sure an effect is: placebo test inversion, conformal p values, placebo and jackknife variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.evaluation.designs import Data, DesignFit, Method, fit_design, residuals
from gwm_models.evaluation.placebo import Placebos

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

GRID = 400
"""Effects that a conformal interval is searched on."""


@dataclass(frozen=True, eq=False)
class Bounds(Frozen):
    """An interval and the p value of no effect.

    Attributes
    ----------
    lower, upper, p_value, std_error : float or None
    path : ndarray, shape (n_times,)
        Half-width of the interval of the effect at each time; NaN where there is none.
    """

    lower: float | None
    upper: float | None
    p_value: float | None
    std_error: float | None
    path: Floats


def rank_p(statistic: Floats) -> float:
    """Return the share of sets whose statistic is at least that of the first, the first included.

    Examples
    --------
    >>> rank_p(np.array([2.0, 1.0, 3.0, 0.5]))
    0.5
    """
    return float(np.mean(statistic >= statistic[0] * (1 - 1e-12)))


def invert_placebos(found: Placebos, level: float) -> Bounds:
    """Return the constant effects that the placebo test does not reject.

    The statistic is the mean gap after the start over the size of the gaps before it. An effect ``c`` is rejected
    where fewer than a share ``1 - level`` of all sets, the treated included, have a statistic as large as the treated
    with ``c`` taken off. If the treated are a random choice, the level is exact up to the number of sets.

    References
    ----------
    Firpo & Possebom (2018), Synthetic control method: inference, sensitivity analysis and confidence sets, Journal of
    Causal Inference 6(2), doi:10.1515/jci-2016-0026.
    """
    size = np.abs(found.att) / found.scale
    others = len(found) - 1
    error = float(np.std(found.att[1:])) if others > 1 else None
    p_value = rank_p(size) if others else None
    half = found.scale[0] * _largest(size[1:, None], len(found), level)
    path = found.scale[0] * _largest(np.abs(found.gap[1:]) / found.scale[1:, None], len(found), level)
    if not np.isfinite(half[0]):
        return Bounds(None, None, p_value, error, path)
    return Bounds(float(found.att[0] - half[0]), float(found.att[0] + half[0]), p_value, error, path)


def _largest(sizes: Floats, sets: int, level: float) -> Floats:
    """Return, by column, the size that a share ``1 - level`` of all sets reach; NaN where there are too few sets."""
    place = int(np.floor((1 - level) * sets + 1e-9))
    if place < 1 or place > len(sizes):
        return np.full(sizes.shape[1], np.nan)
    return np.asarray(np.sort(sizes, axis=0)[-place])


def conformal(method: Method, data: Data, treated: Rows, donors: Rows, fit: DesignFit, level: float) -> Bounds:
    """Return a conformal p value of no effect and the constant effects that are not rejected.

    The effect under test is taken off, weights are fitted to all times, and the mean size of the residuals after the
    start is set among those of every other run of times as long (cyclic shifts). It needs residuals that are alike
    over time, not units that are alike.

    References
    ----------
    Chernozhukov, Wüthrich & Zhu (2021), An exact and robust conformal inference method for counterfactual and
    synthetic controls, JASA 116(536), 1849-1864, doi:10.1080/01621459.2021.1920957.
    """
    spread = float(fit.gap[: data.cut].std()) + abs(fit.att) + float(fit.gap[data.cut :].std())
    grid = fit.att + np.linspace(-6, 6, GRID + 1) * max(spread, 1e-12)
    kept = grid[[conformal_p(method, data, treated, donors, float(effect)) > 1 - level for effect in grid]]
    open_ended = not len(kept) or kept[0] == grid[0] or kept[-1] == grid[-1]
    lower, upper = (None, None) if open_ended else (float(kept[0]), float(kept[-1]))
    path = np.full(data.value.shape[1], np.nan)
    return Bounds(lower, upper, conformal_p(method, data, treated, donors), None, path)


def conformal_p(method: Method, data: Data, treated: Rows, donors: Rows, effect: float = 0.0) -> float:
    """Return the conformal p value of a constant effect from the start on."""
    null, after = data.value[treated].mean(axis=0), data.value.shape[1] - data.cut
    null[data.cut :] -= effect
    return _shift_p(residuals(method, null, data.value[donors], after), after)


def _shift_p(residual: Floats, after: int) -> float:
    """Return the share of cyclic shifts whose last residuals are on average at least as large."""
    size = np.abs(residual)
    means = np.array([np.roll(size, shift)[-after:].mean() for shift in range(len(size))])
    return rank_p(means)


def normal_bounds(data: Data, treated: Rows, donors: Rows, fit: DesignFit, level: float) -> Bounds:
    """Return the normal interval from the jackknife standard error; empty where there is one treated unit."""
    from statistics import NormalDist

    error, path = jackknife_error(data, treated, donors, fit), np.full(data.value.shape[1], np.nan)
    if not error:
        return Bounds(None, None, None, error, path)
    half = NormalDist().inv_cdf((1 + level) / 2) * error
    p_value = 2 * NormalDist().cdf(-abs(fit.att) / error)
    return Bounds(fit.att - half, fit.att + half, p_value, error, path)


def jackknife_error(data: Data, treated: Rows, donors: Rows, fit: DesignFit) -> float | None:
    """Return the fixed-weights jackknife standard error, leaving out one unit at a time; None for one treated unit.

    References
    ----------
    Arkhangelsky et al. (2021), algorithm 3, doi:10.1257/aer.20190159.
    """
    if len(treated) < 2 or len(donors) < 2 or fit.weight.max() > 1 - 1e-9:
        return None
    cut = fit.cut
    change = data.value[:, cut:].mean(axis=1) - data.value[:, :cut] @ fit.time_weight
    own, pool = change[treated], change[donors]
    control = fit.weight @ pool
    without_own = (own.sum() - own) / (len(own) - 1) - control
    without_pool = own.mean() - (control - fit.weight * pool) / (1 - fit.weight)
    att = np.concatenate([without_own, without_pool])
    return float(np.sqrt((len(att) - 1) * np.var(att)))


def leave_one_out(
    method: Method, data: Data, treated: Rows, donors: Rows, fit: DesignFit, most: int = 10
) -> dict[int, float]:
    """Return the effect without each of the donors that carry most weight, by row."""
    if len(donors) < 2:
        return {}
    order = np.argsort(-fit.weight, kind="stable")[:most]
    used = order[fit.weight[order] > 0] if method != "did" else np.arange(len(donors))
    return {int(donors[k]): fit_design(method, data, treated, np.delete(donors, k)).att for k in used}
