"""Survey noise in a slope within areas: how much of the movement is noise, and the slope without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError
from gwm_models.models.panel.within import PanelFit, observed, two_way

Floats = NDArray[np.float64]

WAVES = 4
"""Yearly waves a household can stay in the survey."""
LEAST_RELIABILITY = 0.05
LAMBDAS = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
"""Noise that SIMEX adds, in shares of the variance that is there."""


@dataclass(frozen=True, eq=False)
class Corrected(Frozen):
    """A slope within units with survey noise in the exposure taken out.

    Attributes
    ----------
    fit : PanelFit
    reliability : float
        Share of the exposure's movement within units, years apart, that is not noise.
    """

    fit: PanelFit
    reliability: float


@dataclass(frozen=True, eq=False)
class Simex(Frozen):
    """Simulation and extrapolation.

    Attributes
    ----------
    slope : ndarray, shape (n_lambdas,)
        Mean slope with `LAMBDAS` times the noise variance added.
    quadratic, rational : float
        The slope extrapolated to no noise; NaN where the rational curve has no value there.
    """

    slope: Floats
    quadratic: float
    rational: float


def wave_correlation(n_years: int, rho: float) -> Floats:
    """Return the assumed correlation of a unit's noise between years, shape (n_years, n_years).

    The share of people asked in both years falls evenly with the years between, to none after four: `rho` between
    consecutive years, then two thirds and one third of it, then zero.

    Parameters
    ----------
    n_years : int
    rho : float in [0, 0.75]
        Above 0.75, the share asked twice when all stay for four waves, it could not be a correlation.

    Examples
    --------
    >>> wave_correlation(5, 0.6)[0].round(2).tolist()
    [1.0, 0.6, 0.4, 0.2, 0.0]
    """
    if not 0 <= rho <= (WAVES - 1) / WAVES:
        raise ValueError(f"rho must lie between 0 and {(WAVES - 1) / WAVES:g}; got {rho!r}.")
    apart = np.abs(np.subtract.outer(np.arange(n_years), np.arange(n_years)))
    return np.where(apart == 0, 1.0, rho * np.maximum(WAVES - apart, 0) / (WAVES - 1))


def fill_errors(error: Floats, guide: Floats) -> Floats:
    """Give units without published limits the standard error that a related figure suggests.

    Parameters
    ----------
    error, guide : ndarray, shape (n_units, n_years)
        Standard errors; the guide's are scaled by the median ratio of the two. Where neither is published the root
        mean square of the year stands in.
    """
    ratio = np.nanmedian(error / guide)
    filled = np.where(np.isfinite(error), error, ratio * guide)
    return np.where(np.isfinite(filled), filled, np.sqrt(np.nanmean(filled**2, axis=0)))


def noise_cov(error: Floats, correlation: Floats) -> Floats:
    """Return the covariance of each unit's noise between years, shape (n_units, n_years, n_years)."""
    return np.asarray(error[:, :, None] * error[:, None, :] * correlation)


def corrected_within(value: Floats, exposure: Floats, noise: Floats) -> Corrected:
    """Fit the slope within units, survey noise in the exposure taken out by its known variance.

    The moment equation of fixed effects is solved with the noise that the unit and year effects leave subtracted from
    the exposure's sum of squares. Standard errors are clustered by unit and count the sampling of that sum.

    Parameters
    ----------
    value, exposure : ndarray, shape (n_units, n_years)
    noise : ndarray, shape (n_units, n_years, n_years)
        Covariance of each unit's noise, finite wherever value and exposure are: see `noise_cov`.

    Raises
    ------
    ModelError
        If noise could account for all but a twentieth of the movement.

    References
    ----------
    Fuller (1987), Measurement Error Models, sections 1.2 and 3.1. Griliches & Hausman (1986), Journal of
    Econometrics 31, 93-118.
    """
    seen = observed(value, exposure[None])
    effects = two_way(seen)
    left, right = effects.residual(exposure), effects.residual(value)
    known = np.where(seen[:, :, None] & seen[:, None, :], noise, 0.0)
    lost = (effects.blocks() * known).sum(axis=(1, 2))
    square = (left**2).sum(axis=1)
    reliability = float(1 - lost.sum() / square.sum())
    if not reliability >= LEAST_RELIABILITY:
        raise ModelError(
            f"Survey noise leaves {reliability:.0%} of the exposure's movement within units, less than "
            f"{LEAST_RELIABILITY:.0%}: the slope without noise cannot be told."
        )
    signal = square - lost
    slope = (left * right).sum() / signal.sum()
    influence = ((left * right).sum(axis=1) - slope * signal) / signal.sum()
    n, units = int(seen.sum()), int(seen.any(axis=1).sum())
    factor = units / (units - 1) * (n - 1) / (n - effects.rank - 1)
    cov = np.array([[factor * (influence**2).sum()]])
    fit = PanelFit(np.array([slope]), cov, influence[None], np.asarray(seen.any(axis=1)), n)
    return Corrected(fit, reliability)


def difference_reliability(value: Floats, exposure: Floats, error: Floats, length: int, correlation: Floats) -> float:
    """Return the share of changes over `length` years, the common change out, that is not noise."""
    change = exposure[:, length:] - exposure[:, :-length]
    seen = np.isfinite(value[:, length:] - value[:, :-length] + change)
    number = seen.sum(axis=0)
    mean = np.where(seen, change, 0.0).sum(axis=0) / np.maximum(number, 1)
    both = 2 * np.diagonal(correlation, length) * error[:, length:] * error[:, :-length]
    variance = (error[:, length:] ** 2 + error[:, :-length] ** 2 - both) * (1 - 1 / np.maximum(number, 1))
    return float(1 - variance[seen].sum() / ((change - mean)[seen] ** 2).sum())


def mean_reliability(exposure: Floats, error: Floats, correlation: Floats) -> float:
    """Return the share of the variance of unit means that is not noise.

    Parameters
    ----------
    exposure, error : ndarray, shape (n_units, n_years)
        Years of a unit without a figure are left out of its mean.
    correlation : ndarray, shape (n_years, n_years)
    """
    seen = np.isfinite(exposure)
    number = np.maximum(seen.sum(axis=1), 1)
    spread = np.where(seen, error, 0.0)
    noise = np.einsum("it,tu,iu->i", spread, correlation, spread) / number**2
    means = np.where(seen, exposure, 0.0).sum(axis=1) / number
    used = seen.any(axis=1)
    return float(1 - noise[used].mean() / means[used].var(ddof=1))


def shared_error_slope(
    value: Floats,
    exposure: Floats,
    value_error: Floats,
    error: Floats,
    rho: float,
    window: int,
    *,
    averaged: bool = False,
) -> float:
    """Return the slope that survey errors of outcome and exposure make alone, where the two are perfectly correlated.

    Both come from the same people: what chance puts into one year's exposure it also puts into every window of the
    outcome that holds the year. The slope is in proportion to the correlation of the two errors within a year, so the
    slope that was found over this one is the correlation that would account for it.

    Parameters
    ----------
    value, exposure : ndarray, shape (n_units, n_years)
    value_error : ndarray, shape (n_units, n_years)
        Standard errors of the outcome; where it has none, the root mean square of the unit's others, or of all.
    error : ndarray, shape (n_units, n_years + 2 * (window // 2))
        Standard errors of one year's exposure, in every year that a window of the outcome holds; NaN where no exposure
        of that year is used.
    rho : float
        See `wave_correlation`.
    window : int
        Years in the outcome's window, each with as many answers as the next.
    averaged : bool
        Whether the exposure is averaged over the outcome's window, or of its middle year.
    """
    seen = observed(value, exposure[None])
    effects = two_way(seen)
    n_years, reach = value.shape[1], window // 2
    each = wave_correlation(n_years + 2 * reach, rho)
    mean = np.array([np.eye(n_years + 2 * reach)[t : t + window].mean(axis=0) for t in range(n_years)])
    common = mean @ each / np.sqrt(np.diag(mean @ each @ mean.T))[:, None]
    weight = mean if averaged else np.eye(n_years + 2 * reach)[reach : reach + n_years]
    left = effects.residual(exposure)
    spread = np.where(np.isfinite(error), error, 0.0)
    outcome = np.where(seen, _filled_by_unit(value_error), 0.0)
    both = np.einsum("ts,is,us->itu", common, spread, weight)
    return float(np.einsum("itu,it,itu->", effects.blocks(), outcome, both) / (left**2).sum())


def _filled_by_unit(error: Floats) -> Floats:
    known = np.isfinite(error)
    number = known.sum(axis=1, keepdims=True)
    own = np.where(known, error, 0.0) ** 2
    mean = np.where(number > 0, own.sum(axis=1, keepdims=True) / np.maximum(number, 1), np.nanmean(error**2))
    return np.where(known, error, np.sqrt(mean))


def simex(value: Floats, exposure: Floats, noise: Floats, rng: np.random.Generator, n_draws: int = 200) -> Simex:
    """Fit the slope within units with more and more noise added, and extrapolate to none.

    Parameters
    ----------
    value, exposure : ndarray, shape (n_units, n_years)
    noise : ndarray, shape (n_units, n_years, n_years)
        Covariance of each unit's noise, finite wherever value and exposure are: see `noise_cov`.
    rng : Generator
    n_draws : int
        Sets of noise; each is used with both signs.

    References
    ----------
    Cook & Stefanski (1994), Journal of the American Statistical Association 89, 1314-1328. Carroll et al. (2006),
    Measurement Error in Nonlinear Models, 2nd ed., section 5.3.
    """
    seen = observed(value, exposure[None])
    effects = two_way(seen)
    x, y = effects.residual(exposure), effects.residual(value)
    size, axes = np.linalg.eigh(np.where(seen[:, :, None] & seen[:, None, :], noise, 0.0))
    spread = axes * np.sqrt(np.maximum(size, 0.0))[:, None, :]
    normals = rng.standard_normal((n_draws, *seen.shape))
    added = effects.residual(np.einsum("itk,dik->dit", spread, normals))
    sums = [np.tensordot(added, other, axes=2) for other in (x, y)]
    square = (added**2).sum(axis=(1, 2))
    root = np.sqrt(LAMBDAS)[:, None] * np.repeat([1.0, -1.0], n_draws)
    along, with_y, own = (np.tile(part, 2) for part in (*sums, square))
    slopes = ((x * y).sum() + root * with_y) / ((x**2).sum() + 2 * root * along + root**2 * own)
    slope = slopes.mean(axis=1)
    return Simex(slope, float(np.polyval(np.polyfit(LAMBDAS, slope, 2), -1.0)), _rational(slope))


def _rational(slope: Floats) -> float:
    """Extrapolate ``a + b / (c + lambda)`` through the slopes at 0, 1 and 2 to lambda -1."""
    first, second = slope[0] - slope[2], slope[2] - slope[4]
    if not first * second > 0 or not abs(first) > abs(second):
        return float("nan")
    c = 2 * second / (first - second)
    b = first * c * (c + 1)
    return float(slope[0] - b / c + b / (c - 1)) if c > 1 else float("nan")
