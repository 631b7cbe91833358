"""Regression of a time series, of levels or of counts, with errors that hold under autocorrelation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Family = Literal["gaussian", "poisson", "negative_binomial"]

STEPS = 60
ROUNDING = 1e-11
"""Share of the largest figure up to which what lines leave over is rounding."""
GRID = np.linspace(-0.6, 0.98, 80)
"""Autocorrelations that are tried."""


@dataclass(frozen=True, eq=False)
class SeriesFit(Frozen):
    """Coefficients of a series.

    Attributes
    ----------
    coef : ndarray, shape (p,)
    mean : ndarray, shape (n,)
    white : ndarray, shape (n, p)
        Regressors times the square root of the weights.
    residual : ndarray, shape (n,)
        Pearson residuals; of levels, residuals.
    dispersion : float
        Variance of `residual`: of counts, 1 is Poisson.
    alpha : float
        Of the negative binomial; 0 otherwise.
    """

    coef: Floats
    mean: Floats
    white: Floats
    residual: Floats
    dispersion: float
    alpha: float

    @property
    def bread(self) -> Floats:
        """Inverse of the cross-products of `white`."""
        return np.asarray(np.linalg.inv(self.white.T @ self.white))


@dataclass(frozen=True, eq=False)
class SeriesErrors(Frozen):
    """Covariance of the coefficients of a series.

    Attributes
    ----------
    cov : ndarray, shape (p, p)
    autocorrelation : float
        Of errors one time apart.
    """

    cov: Floats
    autocorrelation: float


def fit_series(outcome: Floats, design: Floats, family: Family = "gaussian", offset: Floats | None = None) -> SeriesFit:
    """Fit a series by least squares, or counts by a log-linear model.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    design : ndarray, shape (n, p)
    family : {"gaussian", "poisson", "negative_binomial"}
        Poisson counts may vary more or less than Poisson: only their mean has to be right. The negative binomial has
        variance ``mean + alpha mean^2`` with alpha by maximum likelihood.
    offset : ndarray, shape (n,), optional
        Logarithm of the population, of counts.

    Raises
    ------
    ModelError
        If a column follows from the others, there are no more figures than coefficients, or the fit does not converge.
    """
    n, p = design.shape
    if n < p + 3:
        raise ModelError(f"{n} figures are too few for {p} coefficients. Use a longer series or a simpler model.")
    scale = np.sqrt((design**2).sum(axis=0))
    if not (scale > 0).all() or np.linalg.cond(design / scale) > 1e8:
        raise ModelError("a column of the model follows from the others: too few times on one side of the start.")
    if family == "gaussian":
        coef = np.linalg.lstsq(design, outcome, rcond=None)[0]
        left = outcome - design @ coef
        if np.abs(left).max() <= ROUNDING * np.abs(outcome).max():
            left = np.zeros(n)
        return SeriesFit(np.asarray(coef), np.asarray(design @ coef), design, left, float(left @ left) / (n - p), 0.0)
    base = np.zeros(n) if offset is None else offset
    alpha, coef = 0.0, _counts(outcome, design, base, 0.0)
    if family == "negative_binomial":
        coef, alpha = _negative_binomial(outcome, design, base, coef)
    mean = np.exp(base + design @ coef)
    spread = mean * (1 + alpha * mean)
    residual = (outcome - mean) / np.sqrt(spread)
    white = design * (mean / np.sqrt(spread))[:, None]
    return SeriesFit(coef, mean, white, residual, float(residual @ residual) / (n - p), alpha)


def _counts(outcome: Floats, design: Floats, offset: Floats, alpha: float) -> Floats:
    """Return log-linear coefficients by iteratively reweighted least squares."""
    linear = np.log(np.maximum(outcome, 0.5))
    coef: Floats = np.zeros(design.shape[1])
    for _ in range(STEPS):
        mean = np.exp(linear)
        root = np.sqrt(mean / (1 + alpha * mean))
        working = linear - offset + (outcome - mean) / mean
        new = np.linalg.lstsq(design * root[:, None], working * root, rcond=None)[0]
        step = float(np.abs(design @ (new - coef)).max())
        coef, linear = np.asarray(new), np.clip(offset + design @ new, -30.0, 30.0 + float(offset.max()))
        if step < 1e-11:
            return coef
    raise ModelError("the model of counts does not converge: some stretch of the series may have no events.")


def _negative_binomial(outcome: Floats, design: Floats, offset: Floats, coef: Floats) -> tuple[Floats, float]:
    """Return coefficients and alpha by maximum likelihood in turn; alpha is 0 where counts vary no more."""
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    alpha = 0.0
    for _ in range(STEPS):
        mean = np.exp(offset + design @ coef)
        if ((outcome - mean) ** 2 - mean).sum() <= 0 and alpha == 0.0:
            return coef, 0.0

        def loss(log_alpha: float, mean: Floats = mean) -> float:
            size = np.exp(-log_alpha)
            likelihood = gammaln(outcome + size) - gammaln(size) + size * np.log(size / (size + mean))
            return -float((likelihood + outcome * np.log(mean / (size + mean))).sum())

        found = minimize_scalar(loss, bounds=(-18.0, 5.0), method="bounded", options={"xatol": 1e-9})
        new, alpha_was = float(np.exp(found.x)), alpha
        again = _counts(outcome, design, offset, new)
        done = np.abs(again - coef).max() < 1e-9 and abs(new - alpha_was) < 1e-7 * max(new, 1e-6)
        coef, alpha = again, new
        if done:
            return coef, alpha
    return coef, alpha


def ar1_errors(fit: SeriesFit, position: Ints, series: Ints) -> SeriesErrors:
    """Return the covariance of the coefficients when errors one time apart are correlated.

    The autocorrelation is the one whose residuals, after the fit has taken out its share, would on average show that
    of the sample: plain residuals show too little. Two series may have variances of their own, and be correlated at
    the same time.

    Parameters
    ----------
    fit : SeriesFit
    position : ndarray of int, shape (n,)
        Time of each figure, in steps.
    series : ndarray of int, shape (n,)
        0 for the first series, 1 for the second.

    References
    ----------
    Turner et al. (2021), BMC Medical Research Methodology 21, 181 (autocorrelation in interrupted time series). The
    match of residual autocorrelations follows Park & Mitchell (1980), Journal of Econometrics 13, 185-201.
    """
    n = len(fit.residual)
    q, _ = np.linalg.qr(fit.white)
    maker = np.eye(n) - q @ q.T
    sizes = np.array([np.sqrt(np.mean(fit.residual[series == s] ** 2)) for s in np.unique(series)])
    if not (sizes > 0).all():
        return SeriesErrors(np.zeros((len(fit.coef),) * 2), 0.0)
    scale = sizes[series]
    apart = np.abs(position[:, None] - position)
    same = series[:, None] == series
    cross = np.where(same, 1.0, together(fit.residual, position, series))
    weight = np.outer(scale, scale) * cross
    near = np.where(same & (apart == 1), 0.5, 0.0) / np.outer(scale, scale)
    seen = float(fit.residual @ near @ fit.residual) / float(((fit.residual / scale) ** 2).sum())
    spun, plain = maker @ near @ maker, maker @ np.diag(1 / scale**2) @ maker
    lag = np.arange(int(apart.max()) + 1)
    by_lag = [np.bincount(apart.ravel(), (part * weight).ravel()) for part in (spun, plain)]
    powers = GRID[:, None] ** lag
    shown = (powers @ by_lag[0]) / (powers @ by_lag[1])
    rho = float(np.interp(seen, np.maximum.accumulate(shown), GRID))
    cov = weight * (rho**lag)[apart]
    size = float(fit.residual @ fit.residual) / float((maker * cov).sum())
    to_coef = fit.bread @ fit.white.T
    return SeriesErrors(size * to_coef @ cov @ to_coef.T, rho)


def together(residual: Floats, position: Ints, series: Ints) -> float:
    """Return the correlation of two series at the same time; 0 for a single one."""
    if len(np.unique(series)) < 2:
        return 0.0
    _, one, two = np.intersect1d(position[series == 0], position[series == 1], return_indices=True)
    a, b = residual[series == 0][one], residual[series == 1][two]
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip(a @ b / size, -0.95, 0.95)) if size > 0 else 0.0


def independent_errors(fit: SeriesFit, position: Ints, series: Ints) -> SeriesErrors:
    """Return the covariance of the coefficients when errors are independent, with the autocorrelation they show.

    Of counts it is that of quasi-Poisson: as many times wider as counts vary more than the family says.

    Parameters
    ----------
    fit, position, series
        As of `ar1_errors`.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, second edition, section 6.2.
    """
    return SeriesErrors(fit.dispersion * fit.bread, ar1_errors(fit, position, series).autocorrelation)


def newey_west(fit: SeriesFit, position: Ints, lags: int) -> SeriesErrors:
    """Return the Newey-West covariance, scores at one time summed over series, times n / (n - p).

    Parameters
    ----------
    fit : SeriesFit
    position : ndarray of int, shape (n,)
    lags : int
        Times apart at which the weights of products of scores have fallen to nothing, less one.

    References
    ----------
    Newey & West (1987), Econometrica 55, 703-708.
    """
    score = fit.white * fit.residual[:, None]
    kernel = np.maximum(1 - np.abs(position[:, None] - position) / (lags + 1), 0.0)
    n, p = fit.white.shape
    cov = n / (n - p) * fit.bread @ score.T @ kernel @ score @ fit.bread
    near = np.abs(position[:, None] - position) == 1
    size = float(fit.residual @ fit.residual)
    seen = float(fit.residual @ near @ fit.residual) / 2 / size if size > 0 else 0.0
    return SeriesErrors(np.asarray(cov), seen)
