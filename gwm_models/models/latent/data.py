"""The figures of a panel as the latent panel takes them: access, its survey noise, the outcome and its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.index.scoring import exact_points_per_unit
from gwm_models.models.latent.likelihood import LatentData
from gwm_models.models.panel.table import ACCESS, PARTS, Panel, find_exposure

Floats = NDArray[np.float64]

NEW_SURVEY = 2020
"""The survey changed its method in this year: its figures are not used beside earlier ones."""


def panel_data(edition: Edition, panel: Panel, *, window: bool = False) -> LatentData:
    """Return the figures of a panel as the latent panel takes them, access in steps of 100 points.

    Parameters
    ----------
    edition : Edition
    panel : Panel
    window : bool
        Whether the outcome takes access averaged over three years around its own, not of the same year.
    """
    shifts = (-1, 0, 1) if window else (0,)
    years = np.array(panel.year)
    exposure, noise = (
        np.hstack([each[:, _ends(shift)] for shift, each in zip(shifts, values, strict=True)])
        for values in (
            [panel.at(ACCESS, shift) / find_exposure(ACCESS).step for shift in shifts],
            [access_noise(edition, panel, shift) for shift in shifts],
        )
    )
    wide = np.arange(years[0] + shifts[0], years[-1] + shifts[-1] + 1)
    return LatentData(
        outcome=np.array(panel.value),
        error=outcome_error(panel),
        exposure=np.where(wide < NEW_SURVEY, exposure, np.nan),
        noise=noise,
        window=panel.window,
        averaged=int(window),
    )


def _ends(shift: int) -> slice:
    """Return the columns that years before, of, and after the outcome add."""
    return {-1: slice(0, 1), 0: slice(None), 1: slice(-1, None)}[shift]


def access_noise(edition: Edition, panel: Panel, shift: int = 0) -> Floats:
    """Return standard errors of access, in steps of 100 points, shape (n_units, n_years).

    Where the unemployment rate has no published limits (most counties), its error is binomial with the effective number
    of active respondents that the published limits of activity imply, scaled to agree with the units that have limits.
    What is left is the unit's mean over other years, or that of all units.
    """
    points = exact_points_per_unit(edition.spec)
    rate, error = ([get(name, shift) for name, _ in PARTS] for get in (panel.at, panel.error_at))
    active = rate[0] ** 2 * (100 - rate[0]) / error[0] ** 2 / 100
    binomial = np.sqrt(rate[1] * (100 - rate[1]) / active)
    filled = np.where(np.isfinite(error[1]), error[1], np.nanmedian(error[1] / binomial) * binomial)
    return _fill(
        np.hypot(*(points[name] * e for (name, _), e in zip(PARTS, (error[0], filled), strict=True)))
        / find_exposure(ACCESS).step
    )


def outcome_error(panel: Panel) -> Floats:
    """Return standard errors of the outcome: a unit's mean where a year has no limits, zero where no year has any."""
    error = np.array(panel.value_error)
    return _fill(error) if np.isfinite(error).any() else np.zeros(error.shape)


def _fill(error: Floats) -> Floats:
    """Fill missing errors by the unit's mean over years, then by the mean over units."""
    known = np.isfinite(error)
    number = known.sum(axis=1)
    of_unit = np.where(known, error, 0.0).sum(axis=1) / np.maximum(number, 1)
    of_unit[number == 0] = of_unit[number > 0].mean()
    return np.where(known, error, of_unit[:, None])
