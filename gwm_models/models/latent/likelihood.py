"""A latent panel: true exposure and outcome by unit and year, with survey noise of known size, as one Gaussian.

True exposure of unit `i` in year `t` is ``xi_it = c_t + mu_i + w_it``: a year effect, what is lasting in the unit and
what moves, a stationary first-order autoregression. The survey gives ``x_it = xi_it + e_it`` with known standard errors
``s_it``; `rho` is the correlation of `e` in neighbouring years, less by equal steps until nobody is asked in both.
The outcome is ``y_it = d_t + a_i + between mu_i + within w_it + u_it + n_it``, with `u` another autoregression and `n`
the known error of figures over a window of years; `shared` is the correlation of the errors of exposure and outcome
within a year, where one survey gives both. Given the few parameters all is normal: `mu`, `w`, `e`, `a`, `u`, `n`
and the (flat) year effects are integrated out exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]

LEAST_VARIANCE = 1e-9
"""Of every figure, so that a covariance can be inverted."""


@dataclass(frozen=True, eq=False)
class LatentData(Frozen):
    """Exposure and outcome by unit and year, NaN where there is no figure.

    Attributes
    ----------
    outcome, error : ndarray, shape (n_units, n_years)
        The outcome and its known standard errors: zero for none, finite wherever the outcome is.
    exposure, noise : ndarray, shape (n_units, n_years + 2 averaged)
        Survey estimates and their known standard errors, finite wherever the estimate is.
    window : int
        Years an outcome figure spans: errors of figures `k` years apart have correlation ``max(0, 1 - k / window)``.
    averaged : int
        Years before and after its own over which the outcome takes the exposure; 0 for the same year. The exposure then
        starts that many years earlier and ends as many later.
    waves : int
        Yearly waves that a household stays in the survey; 0 for noise that fades by one factor a year.
    """

    outcome: Floats
    error: Floats
    exposure: Floats
    noise: Floats
    window: int = 3
    averaged: int = 0
    waves: int = 4

    def __post_init__(self) -> None:
        """Check that the arrays fit together."""
        super().__post_init__()
        n_units, n_years = self.outcome.shape
        wide = (n_units, n_years + 2 * self.averaged)
        if self.error.shape != self.outcome.shape or self.exposure.shape != wide or self.noise.shape != wide:
            raise ModelError(
                f"A latent panel needs errors {self.outcome.shape} and an exposure with its noise {wide}; got "
                f"{self.error.shape}, {self.exposure.shape} and {self.noise.shape}."
            )
        for name, values, errors in (("outcome", self.outcome, self.error), ("exposure", self.exposure, self.noise)):
            if not np.isfinite(errors[np.isfinite(values)]).all():
                raise ModelError(f"Every figure of the {name} needs a standard error; some have none.")


@dataclass(frozen=True, eq=False)
class LatentPanel(Frozen):
    """A panel ready for its likelihood: exposure first, then outcome, each in its standard deviation.

    Units with the same standard errors and the same gaps are one group, known by their number, sums and products.

    Attributes
    ----------
    unit : ndarray, shape (2,)
        Standard deviations of exposure and outcome.
    seen, error : ndarray, shape (n_groups, n_columns)
        Which figures there are, and their standard errors.
    count : ndarray, shape (n_groups,)
    sums : ndarray, shape (n_groups, n_columns)
    products : ndarray, shape (n_groups, n_columns, n_columns)
    average : ndarray, shape (n_years, n_exposure_years)
        Takes the exposure that an outcome responds to.
    window, waves : int
    """

    unit: Floats
    seen: NDArray[np.bool_]
    error: Floats
    count: Floats
    sums: Floats
    products: Floats
    average: Floats
    window: int
    waves: int


def latent_panel(data: LatentData) -> LatentPanel:
    """Scale a panel and gather its sums and products.

    Raises
    ------
    ModelError
        If the exposure or the outcome is the same everywhere.
    """
    unit = np.array([spread(data.exposure), spread(data.outcome)])
    if not (unit > 0).all():
        raise ModelError("Exposure or outcome is the same everywhere, so no slope can be fitted.")
    values = np.hstack([data.exposure / unit[0], data.outcome / unit[1]])
    errors = np.hstack([data.noise / unit[0], data.error / unit[1]])
    alike, place = np.unique(np.where(np.isfinite(values), errors, -1.0), axis=0, return_inverse=True)
    seen = alike >= 0
    filled = np.where(np.isfinite(values), values, 0.0)
    sums, products = np.zeros(seen.shape), np.zeros((*seen.shape, seen.shape[1]))
    np.add.at(sums, place, filled)
    np.add.at(products, place, filled[:, :, None] * filled[:, None, :])
    years, span = data.outcome.shape[1], 2 * data.averaged + 1
    return LatentPanel(
        unit=unit,
        seen=seen,
        error=np.where(seen, alike, 0.0),
        count=np.bincount(place).astype(float),
        sums=sums,
        products=products,
        average=np.sum([np.eye(years, years + span - 1, k) for k in range(span)], axis=0) / span,
        window=data.window,
        waves=data.waves,
    )


def spread(values: Floats) -> float:
    """Return the standard deviation of figures over units and years, year means taken out.

    Parameters
    ----------
    values : ndarray, shape (n_units, n_years)
        NaN where there is no figure; a year may have none at all.
    """
    seen = np.isfinite(values)
    number = np.maximum(seen.sum(axis=0), 1)
    centred = np.where(seen, values - np.where(seen, values, 0.0).sum(axis=0) / number, 0.0)
    return float(np.sqrt((centred**2).sum() / seen.sum()))


def log_likelihood(panel: LatentPanel, parameters: Floats) -> Floats:
    """Return the log density of the figures, all that is latent and the year effects integrated out.

    Parameters
    ----------
    panel : LatentPanel
    parameters : ndarray, shape (m, 10)
        Those of `core.PARAMETERS`.

    Returns
    -------
    ndarray, shape (m,)
    """
    cov = covariance(panel, parameters)
    root = np.linalg.cholesky(cov)
    log_det = 2 * np.log(np.einsum("mgtt->mgt", root)).sum(axis=-1) @ panel.count
    precision = np.linalg.inv(cov) * panel.seen[:, :, None] * panel.seen[:, None, :]
    fit = np.einsum("mgst,gst->m", precision, panel.products)
    weight = np.einsum("mgst,g->mst", precision, panel.count)
    weighted = np.einsum("mgst,gt->ms", precision, panel.sums)
    weight += np.diag(~panel.seen.any(axis=0)).astype(float)
    fit -= np.einsum("ms,ms->m", weighted, np.linalg.solve(weight, weighted[..., None])[..., 0])
    return np.asarray(-0.5 * (log_det + np.linalg.slogdet(weight)[1] + fit))


def covariance(panel: LatentPanel, parameters: Floats) -> Floats:
    """Return the covariance of the figures of a unit of each group around the year effects.

    A missing figure is a column of its own, with variance one.

    Returns
    -------
    ndarray, shape (m, n_groups, n_columns, n_columns)
    """
    sd_lasting, sd_moving, phi, sd_outcome, sd_rest, phi_rest, between, within, rho, shared = parameters.T[
        :, :, None, None
    ]
    years, wide = panel.average.shape
    apart = np.abs(np.subtract.outer(np.arange(wide), np.arange(wide)))
    near = apart[:years, :years]
    moving = sd_moving**2 * phi**apart
    to_outcome = moving @ panel.average.T
    lasting = sd_lasting**2
    cov = np.empty((len(parameters), 1, wide + years, wide + years))
    cov[:, 0, :wide, :wide] = lasting + moving
    cov[:, 0, :wide, wide:] = between * lasting + within * to_outcome
    cov[:, 0, wide:, :wide] = cov[:, 0, :wide, wide:].swapaxes(1, 2)
    rest = sd_outcome**2 + sd_rest**2 * phi_rest**near
    cov[:, 0, wide:, wide:] = between**2 * lasting + within**2 * (panel.average @ to_outcome) + rest
    cov = np.repeat(cov, len(panel.count), axis=1)
    noise, error = panel.error[:, :wide], panel.error[:, wide:]
    both = shared[..., None] * shared_error(panel)
    cov[:, :, :wide, :wide] += noise_correlation(rho[:, None], apart, panel.waves) * (
        noise[:, :, None] * noise[:, None, :]
    )
    cov[:, :, wide:, wide:] += np.maximum(0, 1 - near / panel.window) * (error[:, :, None] * error[:, None, :])
    cov[:, :, :wide, wide:] += both
    cov[:, :, wide:, :wide] += both.swapaxes(-2, -1)
    cov *= panel.seen[:, :, None] & panel.seen[:, None, :]
    column = np.arange(wide + years)
    cov[:, :, column, column] += np.where(panel.seen, LEAST_VARIANCE, 1.0)
    return cov


def noise_correlation(rho: Floats, apart: NDArray[np.int64], waves: int) -> Floats:
    """Return the correlation of survey noise between years.

    Where households stay for a number of yearly waves, the share of people asked in both years falls evenly with the
    years between, to none: `rho` for neighbours, then less by equal steps. Without waves it is ``rho ** apart``.

    Parameters
    ----------
    rho : ndarray
        Of neighbouring years, of a shape that goes with that of `apart`.
    apart : ndarray of int
        Years between.
    waves : int
        0 for noise that fades by one factor.
    """
    if not waves:
        return np.asarray(rho**apart)
    return np.asarray(np.where(apart == 0, 1.0, rho * np.maximum(0, waves - apart) / (waves - 1)))


def shared_error(panel: LatentPanel) -> Floats:
    """Return covariances of the errors of exposure and outcome if those of one year were the same.

    A figure over a window holds the mean of the errors of its years, so one year's is a share of it.

    Returns
    -------
    ndarray, shape (n_groups, n_exposure_years, n_years)
    """
    wide = panel.average.shape[1]
    noise, error = panel.error[:, :wide, None], panel.error[:, None, wide:]
    return np.asarray(noise * error * _of_window(panel) / np.sqrt(panel.window))


def _of_window(panel: LatentPanel) -> NDArray[np.bool_]:
    """Return which years of exposure are in the window of which outcome, shape (n_exposure_years, n_years)."""
    years, wide = panel.average.shape
    apart = np.subtract.outer(np.arange(wide) - (wide - years) // 2, np.arange(years))
    return np.asarray(np.abs(apart) <= panel.window // 2)
