"""Errors that trends of a yearly series would have made: fitted to the years up to each origin, judged later."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.models.damped import Damped, fit_damped
from gwm_models.models.panel.noise import wave_correlation
from gwm_models.models.panel.within import two_way
from gwm_models.models.shocks import spread_between
from gwm_models.models.trend_fit import fit_series
from gwm_models.models.trend_scale import Scale
from gwm_models.models.yearly import LEAST_YEARS, RHO, Yearly

Floats = NDArray[np.float64]

FURTHEST = 10
"""Years ahead at most."""
SHARE_AT_LEAST = 0.1
"""Least factor on a variance: a sum of squares below its noise is chance."""


@dataclass(frozen=True, eq=False)
class Origin(Frozen):
    """What was known of a series at the end of one year, on its scale.

    Attributes
    ----------
    year : int
    units : Damped
    common : Damped or None
        As `fit_series` gives them for the years up to that one.
    figure : ndarray, shape (n_units,)
        Of that year.
    error : ndarray, shape (n_units,)
        Standard error of a figure: of survey sampling, or where limits say nothing of changes, of what comes and goes.
    memory : ndarray, shape (n_years_ahead + 1,)
        Correlation of the error with that of a later figure of the same unit, by years between.
    """

    year: int
    units: Damped
    common: Damped | None
    figure: Floats
    error: Floats
    memory: Floats


@dataclass(frozen=True, eq=False)
class PastErrors(Frozen):
    """Errors of forecasts by origin and years ahead, on the scale of the trend.

    Attributes
    ----------
    variable : str
    scale : Scale
    origins : tuple of Origin
    origin, horizon : ndarray of int, shape (n,)
        Of each forecast.
    mean, mean_variance, mean_noise : ndarray, shape (n,)
        Error of the mean of the units, the variance that its forecast has, and that of noise in it. The variance is NaN
        where the series holds no national movement.
    own, own_variance, own_noise : ndarray, shape (n, n_units)
        The same of each unit less the mean; NaN without a figure.
    """

    variable: str
    scale: Scale
    origins: tuple[Origin, ...]
    origin: NDArray[np.int64]
    horizon: NDArray[np.int64]
    mean: Floats
    mean_variance: Floats
    mean_noise: Floats
    own: Floats
    own_variance: Floats
    own_noise: Floats

    def until(self, year: int | None) -> PastErrors:
        """Return the errors that had been seen by the end of a year."""
        if year is None:
            return self
        kept = self.origin + self.horizon <= year
        names = ("origin", "horizon", "mean", "mean_variance", "mean_noise", "own", "own_variance", "own_noise")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    def mean_score(self) -> Floats:
        """Return standardised errors of the mean, shape (n,)."""
        return np.asarray(self.mean / np.sqrt(self.mean_variance + self.mean_noise))

    def own_factor(self) -> tuple[float, float]:
        """Return the factor on the variance of units that their squared errors show, and how many errors it is worth.

        Least squares of squared errors, noise taken off, on forecast variances, each weighted by the inverse square of
        what it should be.
        """
        h = self.horizon[:, None]
        expected = self.own_variance + self.own_noise
        weight = np.where(np.isfinite(self.own), 1 / (h * expected**2), 0.0)
        excess = np.nan_to_num(self.own) ** 2 - self.own_noise
        below = float((weight * self.own_variance**2).sum())
        if below <= 0:
            return 1.0, 0.0
        above = float((weight * excess * self.own_variance).sum())
        return max(above / below, SHARE_AT_LEAST), float((1 / self.horizon).sum())


def past_errors(series: Yearly, scale: Scale) -> PastErrors:
    """Forecast a series from every year on, from figures of that year and before alone.

    Parameters
    ----------
    series : Yearly
        As published.
    scale : Scale
        Of its trend. The error of a figure is put on it by the years up to that figure alone.

    References
    ----------
    Tashman (2000), International Journal of Forecasting 16, 437-450 (rolling origins).
    """
    origins = tuple(origin_of(series, year, scale) for year in series.year[LEAST_YEARS - 1 : -1])
    then = {year: scale.on(series.between(series.year[0], year)) for year in series.year}
    found = [
        (origin.year, h, *_errors(then[origin.year + h], origin, h))
        for origin in origins
        for h in range(1, min(FURTHEST, series.year[-1] - origin.year) + 1)
        if origin.year + h in series.year
    ]
    year, ahead, mean, variance, noise, own, own_variance, own_noise = zip(*found, strict=True)
    return PastErrors(
        series.variable,
        scale,
        origins,
        np.array(year),
        np.array(ahead),
        *map(np.array, (mean, variance, noise, own, own_variance, own_noise)),
    )


def origin_of(series: Yearly, year: int, scale: Scale) -> Origin:
    """Fit the trends of a series to the years up to one."""
    past = scale.on(series.between(series.year[0], year))
    units, common = fit_series(past)
    error, memory = _noise(past)
    return Origin(year, units, common, past.value[:, -1], error, memory)


def _noise(past: Yearly) -> tuple[Floats, Floats]:
    """Return the error of the last figures and how it fades; of pay, the swings that trends leave out."""
    if not past.relative:
        return past.error[:, -1], wave_correlation(FURTHEST + 1, RHO)[0]
    seen = np.asarray(np.isfinite(past.value))
    own = np.where(seen, two_way(seen).residual(past.value), np.nan)
    whole = fit_damped(own, past.noise())
    swing, memory = whole.weight @ whole.scales[:, 3], whole.weight @ whole.scales[:, 4]
    return np.full(len(past.unit), swing), memory ** np.arange(FURTHEST + 1)


def _errors(series: Yearly, origin: Origin, h: int) -> tuple[float, float, float, Floats, Floats, Floats]:
    """Return error, variance and noise of the mean, then of each unit less it; the series ends in the year judged."""
    later = series.value[:, -1]
    later_error = origin.error if series.relative else series.error[:, -1]
    seen = np.isfinite(later) & np.isfinite(origin.figure)
    level, doubt = shrunk(origin.figure[seen], origin.error[seen])
    kept = origin.memory[h] * np.divide(
        later_error[seen], origin.error[seen], out=np.zeros(seen.sum()), where=origin.error[seen] > 0
    )
    change, variance = moments(origin.units, h)
    error = later[seen] - level - change[seen] - kept * (origin.figure[seen] - level)
    noise = doubt * (1 - kept) ** 2 + (1 - origin.memory[h] ** 2) * later_error[seen] ** 2
    ahead, spread = (0.0, np.nan) if origin.common is None else (float(x[0]) for x in moments(origin.common, h))
    own, own_variance, own_noise = np.full((3, len(later)), np.nan)
    own[seen], own_variance[seen], own_noise[seen] = error - error.mean(), variance[seen], noise
    own_variance, own_noise = np.nan_to_num(own_variance, nan=1.0), np.nan_to_num(own_noise)
    return float(error.mean()) - ahead, spread, float(noise.mean()) / len(noise), own, own_variance, own_noise


def shrunk(figure: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Shrink figures towards their mean by known errors; return true levels and their variance (empirical Bayes)."""
    spread = spread_between(figure, error**2)
    total = spread + error**2
    kept = np.divide(spread, total, out=np.zeros_like(total), where=total > 0)
    return figure.mean() + kept * (figure - figure.mean()), kept * error**2


def moments(fit: Damped, years_ahead: int) -> tuple[Floats, Floats]:
    """Return mean and variance of each series' change over that many years, its scales averaged over."""
    reach, spread = ahead(fit, years_ahead)
    by_node = reach[:, None] * fit.mean
    within = spread[:, None] + reach[:, None] ** 2 * fit.sd**2
    mean = fit.weight @ by_node
    return mean, np.asarray(fit.weight @ (within + by_node**2) - mean**2)


def ahead(fit: Damped, years: int) -> tuple[Floats, Floats]:
    """Return what a slope adds up to over some years and the variance of all that is still to come, node by node."""
    year = np.arange(1, years + 1)
    apart, both = np.abs(np.subtract.outer(year, year)), np.add.outer(year, year)
    damping, slope, step, swing, memory = (column[:, None, None] for column in fit.scales.T)
    slopes = (slope**2 * (damping**apart - damping**both)).sum(axis=(1, 2))
    swings = 2 * swing**2 * (1 - memory**years)
    reach = (fit.scales[:, :1] ** year).sum(axis=1)
    return reach, np.asarray(slopes + years * step[:, 0, 0] ** 2 + swings[:, 0, 0])
