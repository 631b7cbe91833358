"""Regression with residuals that are alike between neighbours (BYM2), sampled on a grid.

Unit i has outcome ``y_i = Z_i gamma + beta theta_i + b_i + e_i`` with ``e_i ~ N(0, v_i)`` of known variance and
``b = sigma_b (sqrt(rho) phi + sqrt(1 - rho) u)``: `phi` is a scaled intrinsic autoregression on the map (`graph.icar`),
`u` independent standard normal. Published exposures are ``x_i ~ N(theta_i, s_i^2)`` with known error, true ones
``theta_i ~ N(Z_i delta, tau^2)``.

Priors: flat on `beta`, `gamma`, `delta`; half-normal on `sigma_b` and `tau`, with a scale of `PRIOR_SD` standard
deviations of their figures; uniform on `rho`.

Given `tau`, `delta` and `beta`, true exposures are normal around known means, so that all their error does is to widen
the error of the outcome. At typical values of the three, `beta`, `gamma`, `b` are integrated out in closed form on a
grid of `sigma_b` and `rho`, and drawn from exact conditionals; importance weights then put draws of the three in the
place of typical values. Typical slopes are several where the slope is uncertain. Without exposure error there is
nothing to weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.models.collapse import resample, sample_collapsed
from gwm_models.models.gaussian.bym2 import PRIOR_SD, Drawn, Figures, draw_on_grid, slope_moments, unseen
from gwm_models.models.gaussian.graph import icar
from gwm_models.models.gaussian.small_matrices import half_normal

Floats = NDArray[np.float64]

STEPS = (-2.2, 0.0, 2.2)
"""Typical slopes, in posterior standard deviations from the mean; one is enough where that is small."""
LEAST_PROPOSED = 2000
"""Draws that are weighted at least, however few are asked for: fewer say little about the tail of their weights."""
WORK = 400_000
"""Draws times units worked on at a time, so that memory does not grow with either."""


@dataclass(frozen=True, eq=False)
class SpatialRegression(Frozen):
    """Independent posterior draws, in the units of the figures.

    Attributes
    ----------
    slope : ndarray, shape (n_draws,)
    coefficients : ndarray, shape (n_draws, q + 1)
        Intercept and covariates.
    sigma_b, rho : ndarray, shape (n_draws,)
        Standard deviation of the effect of a typical unit, and the share of its variance that neighbours share.
    exposure_sd : ndarray, shape (n_draws,)
        `tau`; zeros where the exposure has no error.
    structured : ndarray, shape (n_draws, n)
        ``sigma_b sqrt(rho) phi``.
    spatial_share : ndarray, shape (n_draws,)
        Share of the variance of the residual of true figures between units that is spatial: the variance of
        `structured` over units, over itself and ``sigma_b^2 (1 - rho)``.
    residual : ndarray, shape (n,)
        Outcome less posterior mean of the regression and of `structured`.
    discrepancy : ndarray, shape (n_draws, 2)
        Standard deviation and most extreme size of standardised residuals, for posterior predictive checks.
    islands : ndarray of bool, shape (n,)
    efficiency, tail : float
        Of the importance sample that brings the exposure error in; 1 and minus infinity without one.
    """

    slope: Floats
    coefficients: Floats
    sigma_b: Floats
    rho: Floats
    exposure_sd: Floats
    structured: Floats
    spatial_share: Floats
    residual: Floats
    discrepancy: Floats
    islands: NDArray[np.bool_]
    efficiency: float
    tail: float


@dataclass(frozen=True, eq=False)
class _Exposure(Frozen):
    """Draws of what is known of true exposures without the outcome.

    Attributes
    ----------
    sd : ndarray, shape (n_draws,)
        `tau`.
    mean, variance : ndarray, shape (1 + n_draws, n)
        Of true exposures given `tau` and `delta`, typical values first; one row where published exposures are exact.
        Once draws are picked, theirs alone.
    """

    sd: Floats
    mean: Floats
    variance: Floats


def spatial_regression(
    outcome: Floats,
    outcome_error: Floats,
    exposure: Floats,
    exposure_error: Floats,
    borders: NDArray[np.int64],
    covariates: Floats | None = None,
    *,
    n_draws: int = 4000,
    seed: int = 20260101,
    key: str = "spatial",
) -> SpatialRegression:
    """Draw the slope of an outcome on an exposure with spatially structured residuals.

    Parameters
    ----------
    outcome, outcome_error : ndarray, shape (n,)
        Known standard errors; 0 where there is none.
    exposure, exposure_error : ndarray, shape (n,)
        Known standard errors; 0 where there is none.
    borders : ndarray of int, shape (n_pairs, 2)
        Places of units that share a border.
    covariates : ndarray, shape (n, q), optional
        Without the intercept.
    n_draws, seed : int
    key : str
        What is drawn: the same seed and key give the same draws.

    Raises
    ------
    ModelError
        If a figure is missing or does not vary, no two units share a border, or the weights cannot be trusted.

    References
    ----------
    Riebler, Sorbye, Simpson & Rue (2016), Statistical Methods in Medical Research 25, 1145-1165. Morris et al. (2019),
    Spatial and Spatio-temporal Epidemiology 31, 100301. Rue & Held (2005), Gaussian Markov Random Fields, ch. 2.
    """
    noisy = bool((exposure_error > 0).any())
    proposed = max(n_draws, LEAST_PROPOSED) if noisy else n_draws
    setting = _set_up(outcome, outcome_error, exposure, exposure_error, borders, covariates, proposed, seed, key)
    rng = keyed_rng(seed, key, "grid")
    drawn = draw_on_grid(setting.versions, proposed, rng)
    true, efficiency, tail = setting.true, 1.0, -np.inf
    if noisy:
        picked = resample(_log_weight(setting, drawn), rng, "the slope with spatial residuals and exposure error")
        efficiency, tail, chosen = picked.efficiency, picked.tail, rng.permutation(picked.chosen)[:n_draws]
        drawn = drawn.pick(chosen)
        true = _Exposure(true.sd[chosen], true.mean[1:][chosen], true.variance[1:][chosen])
    missed, standardised = _residuals(setting, drawn, true)
    y_scale, x_scale = outcome.std(ddof=1), exposure.std(ddof=1)
    slope = drawn.coefficients[:, -1] * y_scale / x_scale
    coefficients = drawn.coefficients[:, :-1] * y_scale
    coefficients[:, 0] += outcome.mean() - slope * exposure.mean()
    between = drawn.structured.var(axis=1, ddof=1)
    spread = rng.random((n_draws, 2)) - 0.5
    return SpatialRegression(
        slope=slope,
        coefficients=coefficients,
        sigma_b=drawn.sigma_b * np.exp(drawn.cell[0] * spread[:, 0]) * y_scale,
        rho=drawn.rho + drawn.cell[1] * spread[:, 1],
        exposure_sd=true.sd * x_scale,
        structured=drawn.structured * y_scale,
        spatial_share=between / (between + drawn.sigma_b**2 * (1 - drawn.rho)),
        residual=missed.mean(axis=0) * y_scale,
        discrepancy=np.column_stack([standardised.std(axis=1), np.abs(standardised).max(axis=1)]),
        islands=setting.figures.graph.islands,
        efficiency=efficiency,
        tail=tail,
    )


def _residuals(setting: _Setting, drawn: Drawn, true: _Exposure) -> tuple[Floats, Floats]:
    """Return what regression and structured effects leave of the outcome at each draw, and that in deviations."""
    explained = drawn.coefficients[:, :-1] @ setting.covariates.T + drawn.coefficients[:, -1:] * true.mean
    missed = setting.figures.outcome - explained - drawn.structured
    own = (drawn.sigma_b**2 * (1 - drawn.rho))[:, None] + setting.known
    return missed, missed / np.sqrt(own + drawn.coefficients[:, -1:] ** 2 * true.variance)


def spatial_elpd(
    outcome: Floats,
    outcome_error: Floats,
    exposure: Floats,
    exposure_error: Floats,
    borders: NDArray[np.int64],
    covariates: Floats | None = None,
) -> tuple[float, float]:
    """Predict each outcome from its published exposure and all other units; parameters as in `spatial_regression`.

    True exposures are taken at the typical values of what is known of them without the outcome.

    Returns
    -------
    elpd, error : float
        Expected log density summed over units, and its standard error.

    References
    ----------
    Vehtari et al. (2016), Journal of Machine Learning Research 17(103).
    """
    setting = _set_up(outcome, outcome_error, exposure, exposure_error, borders, covariates, 200, 1, "elpd")
    each = unseen(setting.figures) - np.log(outcome.std(ddof=1))
    return float(each.sum()), float(np.sqrt(len(each)) * each.std(ddof=1))


@dataclass(frozen=True, eq=False)
class _Setting(Frozen):
    """Figures at typical true exposures and slope, further versions of them, and what is known without the outcome.

    `known` is the outcome's own error variance. The versions are of smaller, typical and larger slopes.
    """

    figures: Figures
    versions: tuple[Figures, ...]
    true: _Exposure
    covariates: Floats
    known: Floats


def _set_up(
    outcome: Floats,
    outcome_error: Floats,
    exposure: Floats,
    exposure_error: Floats,
    borders: NDArray[np.int64],
    covariates: Floats | None,
    n_draws: int,
    seed: int,
    key: str,
) -> _Setting:
    """Check the figures and put them in standard deviations from their mean."""
    z = _covariates(outcome, outcome_error, exposure, exposure_error, covariates)
    y_scale, x_scale = outcome.std(ddof=1), exposure.std(ddof=1)
    y, known = (outcome - outcome.mean()) / y_scale, (outcome_error / y_scale) ** 2
    x, s = (exposure - exposure.mean()) / x_scale, exposure_error / x_scale
    true = _Exposure(np.zeros(n_draws), x[None], 0 * s[None])
    if (exposure_error > 0).any():
        true = _true_exposures(x, s, z, n_draws, seed, key)
    design = np.column_stack([z, true.mean[0]])
    typical = np.linalg.lstsq(design, y, rcond=None)[0][-1]
    figures = Figures(y, known + typical**2 * true.variance[0], design, icar(borders, len(y)))
    if not (exposure_error > 0).any():
        return _Setting(figures, (figures,), true, z, known)
    mean, sd = slope_moments(figures)
    steps = STEPS if sd * np.sqrt(2 * len(y)) > abs(mean) else (0.0,)
    slopes = np.hypot(mean, sd) * np.exp(np.array(steps) * min(sd / abs(mean), 1.0))
    versions = tuple(replace(figures, variance=known + slope**2 * true.variance[0]) for slope in slopes)
    return _Setting(versions[len(versions) // 2], versions, true, z, known)


def _covariates(
    outcome: Floats, outcome_error: Floats, exposure: Floats, exposure_error: Floats, covariates: Floats | None
) -> Floats:
    """Check the figures and return the covariates with the intercept."""
    n = len(outcome)
    z = np.ones((n, 1)) if covariates is None else np.column_stack([np.ones(n), covariates])
    named = {"outcome": outcome, "outcome error": outcome_error, "exposure": exposure, "exposure error": exposure_error}
    for name, values in named.items():
        if values.shape != (n,) or not np.isfinite(values).all():
            raise ModelError(f"{name} has shape {values.shape} or is not finite; expected {n} finite values.")
    if not (np.isfinite(z).all() and np.ptp(outcome) > 0 and np.ptp(exposure) > 0):
        raise ModelError("The outcome or exposure is the same in every unit, or a covariate is missing.")
    return z


def _true_exposures(x: Floats, s: Floats, z: Floats, n_draws: int, seed: int, key: str) -> _Exposure:
    """Draw `tau` and `delta` given published exposures alone, and the mean and variance of true ones given these."""

    def moments(u: Floats) -> tuple[Floats, Floats, Floats]:
        precision = 1 / (half_normal(u[:, 0], PRIOR_SD)[:, None] ** 2 + s**2)
        bread = np.einsum("mn,np,nq->mpq", precision, z, z)
        return precision, bread, np.linalg.solve(bread, ((precision * x) @ z)[..., None])[..., 0]

    def log_posterior(u: Floats) -> Floats:
        precision, bread, delta = moments(u)
        fit = (precision * (x - delta @ z.T) ** 2).sum(axis=1)
        return np.asarray(0.5 * (np.log(precision).sum(axis=1) - np.linalg.slogdet(bread)[1] - fit - u[:, 0] ** 2))

    collapsed = sample_collapsed(
        log_posterior,
        np.array([-0.5]),
        n_draws=n_draws,
        seed=seed,
        key=f"{key}:exposure",
        what="the spread of the exposure",
    )
    u = np.concatenate([collapsed.mode[None], collapsed.draws])
    _, bread, delta = moments(u)
    white = keyed_rng(seed, key, "exposure", "mean").standard_normal(delta.shape)
    root = np.linalg.cholesky(bread).transpose(0, 2, 1)
    delta[1:] += np.linalg.solve(root[1:], white[1:, :, None])[..., 0]
    variance = half_normal(u, PRIOR_SD) ** 2
    kept = variance / (variance + s**2)
    return _Exposure(np.sqrt(variance[1:, 0]), kept * x + (1 - kept) * (delta @ z.T), kept * s**2)


def _log_weight(setting: _Setting, drawn: Drawn) -> Floats:
    """Return log density of the outcome given each draw and its own true exposures, less that it was drawn from.

    Draws come from several versions of the figures, so what they were drawn from is the mean of these densities.
    """
    figures, true = setting.figures, setting.true
    weight = np.empty(len(drawn.rho))
    step = max(1, WORK // len(figures.outcome))
    for part in (slice(first, first + step) for first in range(0, len(weight), step)):
        own = (drawn.sigma_b[part] ** 2 * (1 - drawn.rho[part]))[:, None]
        slope = drawn.coefficients[part, -1:]
        missed = figures.outcome - drawn.structured[part] - drawn.coefficients[part, :-1] @ figures.design[:, :-1].T
        mean, variance = true.mean[1:][part], true.variance[1:][part]
        exact = _log_density(missed - slope * mean, own + setting.known + slope**2 * variance)
        typical = missed - slope * true.mean[0]
        sources = [_log_density(typical, own + version.variance) for version in setting.versions]
        weight[part] = exact - np.logaddexp.reduce(np.array(sources) - drawn.evidence[:, None], axis=0)
    return weight


def _log_density(missed: Floats, variance: Floats) -> Floats:
    return np.asarray(-0.5 * (np.log(variance) + missed**2 / variance).sum(axis=1))
