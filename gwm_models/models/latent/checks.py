"""Whether the latent panel fits: what part of the exposure's movement is real, and how movement fades with years."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.draws import keyed_rng
from gwm_models.models.latent.core import PARAMETERS, PHI, RHO, LatentDraws, shared_in_mean
from gwm_models.models.latent.likelihood import LatentData, noise_correlation

Floats = NDArray[np.float64]
Row = dict[str, Any]

REPLICATES = 400
"""Panels that are simulated to check the model against the figures."""
LAGS = 4


def reliability(found: LatentDraws, data: LatentData) -> Floats:
    """Return draws of the share of the exposure's variance within units, years apart, that is not survey noise."""
    years = data.outcome.shape[1]
    noise = np.nanmean(np.where(np.isfinite(data.exposure), data.noise**2, np.nan))
    moves = found.of("sd_moving") ** 2 * (1 - shared_in_mean(found.of("phi"), years))
    alike = noise_correlation(found.of("rho_noise")[:, None, None], _apart(years), data.waves).mean(axis=(1, 2))
    return np.asarray(moves / (moves + noise * (1 - alike)))


def _apart(years: int) -> NDArray[Any]:
    """Return years between, shape (years, years)."""
    year = np.arange(years)
    return np.asarray(np.abs(year[:, None] - year))


def observed_reliability(data: LatentData) -> float:
    """Return the share of the observed variance within units that independent noise of the known size leaves over."""
    left = demeaned(data.exposure)
    n_units, n_years = left.shape
    kept = (1 - 1 / n_units) * (1 - 1 / n_years)
    return float(1 - kept * np.nanmean(data.noise**2) / np.nanmean(left**2))


def demeaned(values: Floats) -> Floats:
    """Take the means of years, then of units, out of figures (..., n_units, n_years) with gaps."""
    left = values - np.nanmean(values, axis=-2, keepdims=True)
    return np.asarray(left - np.nanmean(left, axis=-1, keepdims=True))


def autocovariance(values: Floats) -> Floats:
    """Return autocovariances within units at lags 0 to 4, years and units taken out, shape (..., 5)."""
    left, years = demeaned(values), values.shape[-1]
    return np.stack(
        [np.nanmean(left[..., : years - k] * left[..., k:], axis=(-2, -1)) for k in range(LAGS + 1)], axis=-1
    )


def autocovariance_check(data: LatentData, found: LatentDraws, seed: int, step: float = 1.0) -> list[Row]:
    """Set autocovariances of access within units against panels that the model makes up.

    Parameters
    ----------
    data : LatentData
    found : LatentDraws
    seed : int
    step : float
        Points that one unit of the exposure stands for.

    Returns
    -------
    list of dict
        ``lag``, ``observed`` and ``predicted`` (squared points), ``lower``, ``upper`` (95% of made-up panels) and
        ``p_value``, the share of them above what is observed.
    """
    rng = keyed_rng(seed, "latent-panel:check")
    some = found.draws[:REPLICATES]
    n_units, years = data.exposure.shape
    moving, noise = (
        np.einsum("mts,mis->mit", np.linalg.cholesky(alike), rng.standard_normal((len(some), n_units, years)))
        for alike in (
            some[:, PHI, None, None] ** _apart(years),
            noise_correlation(some[:, RHO, None, None], _apart(years), data.waves),
        )
    )
    made_up = np.where(
        np.isfinite(data.exposure),
        some[:, PARAMETERS.index("sd_moving"), None, None] * moving + data.noise * noise,
        np.nan,
    )
    observed, predicted = step**2 * autocovariance(data.exposure), step**2 * autocovariance(made_up)
    low, high = np.quantile(predicted, [0.025, 0.975], axis=0)
    return [
        {
            "lag": lag,
            "observed": float(observed[lag]),
            "predicted": float(predicted[:, lag].mean()),
            "lower": float(low[lag]),
            "upper": float(high[lag]),
            "p_value": float((predicted[:, lag] > observed[lag]).mean()),
        }
        for lag in range(LAGS + 1)
    ]
