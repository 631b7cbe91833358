"""Linear regression on arrays: least squares, robust regression, and slopes with survey noise removed.

Every fit comes with what each unit adds to it: the coefficients less those without the unit, exactly. The sum of
squares of these differences is the HC3 variance of least squares, the delete-a-group variance of clustered data, and
the jackknife variance where noise is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Covariance = Literal["HC3", "classical", "cluster"]

LEAST_ROWS = 10
LEAST_FREEDOM = 5
TOLERANCE = 1e-10
"""Share of a column, or of one unit's say, below which nothing is left of it but rounding."""


@dataclass(frozen=True, eq=False)
class Linear(Frozen):
    """A fitted linear model.

    Attributes
    ----------
    params : ndarray, shape (k,)
    cov : ndarray, shape (k, k)
    residuals : ndarray, shape (n,)
        Outcome less fitted value, not weighted.
    influence : ndarray, shape (n, k) or (n_groups, k)
        Coefficients less those without the unit (or group, in sorted order).
    freedom : float
        Degrees of freedom of t intervals: ``n - k``, or groups less one where errors are clustered.
    """

    params: Floats
    cov: Floats
    residuals: Floats
    influence: Floats
    freedom: float

    @property
    def std_error(self) -> Floats:
        """Standard errors of the coefficients."""
        return np.asarray(np.sqrt(np.diag(self.cov)))


@dataclass(frozen=True, eq=False)
class LeastSquares(Linear):
    """A fit by least squares.

    Attributes
    ----------
    leverage : ndarray, shape (n,)
        How far each row pulls its own fitted value, 0 to 1; it sums to k.
    r_squared : float
        Share of the (weighted) variance of the outcome about its mean.
    """

    leverage: Floats
    r_squared: float


@dataclass(frozen=True, eq=False)
class Corrected(Linear):
    """A fit with known noise removed from its exposures, which come last among the coefficients.

    Attributes
    ----------
    reliability : ndarray, shape (n_exposures,)
        Share of the (weighted) variance of each exposure, given the covariates, that is not noise.
    """

    reliability: Floats


def least_squares(
    outcome: Floats,
    design: Floats,
    weights: Floats | None = None,
    covariance: Covariance = "HC3",
    groups: NDArray[Any] | None = None,
    *,
    names: Sequence[str] = (),
) -> LeastSquares:
    """Fit a linear model by (weighted) least squares.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    design : ndarray, shape (n, k)
        With the constant, if there is one, as its first column.
    weights : ndarray, shape (n,), optional
        Positive; only their ratios matter. Precision weights are one over the squared standard error of the outcome.
    covariance : {"HC3", "classical", "cluster"}
        Robust to unequal variances; for one variance (over the weights); or robust to any dependence inside groups,
        by leaving out one group at a time (CR3), which is HC3 where each row is a group of its own.
    groups : ndarray, shape (n,), optional
        Group of each row, for "cluster".
    names : sequence of str, length k
        Of the columns, for messages.

    Returns
    -------
    LeastSquares

    Raises
    ------
    ModelError
        If there are too few rows, a column is constant or follows from others (it is named), a value or weight is not
        usable, or a coefficient rests on one row or group alone.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29, 305-325. MacKinnon, Nielsen & Webb (2023), Journal of
    Econometrics 232, 272-299.

    Examples
    --------
    >>> x = np.arange(12.0)
    >>> fit = least_squares(1 + 2 * x + np.tile([1.0, -1.0], 6), np.column_stack([np.ones(12), x]))
    >>> round(float(fit.params[1]), 4), fit.freedom
    (1.958, 10.0)
    """
    from statsmodels.regression.linear_model import WLS

    names = names or column_names(design)
    weights = np.ones(len(outcome)) if weights is None else weights
    basis, triangle = check_design(outcome, design, weights, names)
    robust = {"cov_type": "HC3"} if covariance == "HC3" else {}
    fit = WLS(outcome, design, weights=weights).fit(method="qr", **robust)
    influence = _without_each(basis, triangle, np.sqrt(weights) * fit.resid, groups, names)
    clustered = covariance == "cluster"
    return LeastSquares(
        params=np.asarray(fit.params),
        cov=influence.T @ influence if clustered else np.asarray(fit.cov_params()),
        residuals=np.asarray(fit.resid),
        influence=influence,
        freedom=float(len(influence) - 1 if clustered else np.subtract(*design.shape)),
        leverage=(basis**2).sum(axis=1),
        r_squared=float(fit.rsquared),
    )


def _without_each(
    basis: Floats, triangle: Floats, left: Floats, groups: NDArray[Any] | None, names: Sequence[str]
) -> Floats:
    """Return the coefficients less those without each row, or each group of rows.

    With the whitened design QR and whitened residuals e, the difference is ``inv(R) inv(I - Q_g' Q_g) Q_g' e_g``.
    """
    k = len(triangle)
    place = np.arange(len(left)) if groups is None else np.unique(groups, return_inverse=True)[1]
    say, score = np.zeros((place.max() + 1, k, k)), np.zeros((place.max() + 1, k))
    np.add.at(say, place, basis[:, :, None] * basis[:, None, :])
    np.add.at(score, place, basis * left[:, None])
    kept = np.eye(k) - say
    value, vector = np.linalg.eigh(kept)
    if value.min() < TOLERANCE:
        g = int(np.argmin(value[:, 0]))
        alone = names[int(np.argmax(np.abs(np.linalg.solve(triangle, vector[g, :, 0])) * _norms(triangle)))]
        raise ModelError(f"'{alone}' rests on one area alone, so its uncertainty cannot be told. Leave either out.")
    return np.asarray(np.linalg.solve(triangle, np.linalg.solve(kept, score[..., None])[..., 0].T).T)


def _norms(columns: Floats) -> Floats:
    return np.asarray(np.sqrt((columns**2).sum(axis=0)))


def huber(outcome: Floats, design: Floats, *, names: Sequence[str] = ()) -> Linear:
    """Fit a linear model that outlying areas hardly move: Huber's M-estimator, every area weighted equally.

    The tuning constant 1.345 gives 95% efficiency under normal errors; scale by the median absolute deviation. The
    covariance is asymptotic, for errors of one distribution. Influence comes from fitting again without each unit.

    Parameters
    ----------
    outcome, design, names
        See `least_squares`.

    Raises
    ------
    ModelError
        As `least_squares`, and if half of the outcomes lie exactly on the fit, or the iterations do not settle.

    References
    ----------
    Huber & Ronchetti (2009), Robust Statistics, 2nd ed., sections 7.6 and 7.8.
    """
    names = names or column_names(design)
    n = len(outcome)
    check_design(outcome, design, np.ones(n), names)
    params, cov, residuals = huber_estimate(outcome, design)
    rest = ~np.eye(n, dtype=bool)
    without = np.array([huber_estimate(outcome[keep], design[keep])[0] for keep in rest])
    return Linear(params, cov, residuals, params - without, float(n - design.shape[1]))


def huber_estimate(outcome: Floats, design: Floats) -> tuple[Floats, Floats, Floats]:
    """Return coefficients, their covariance and residuals of Huber's M-estimator; see `huber`."""
    from statsmodels.robust.norms import HuberT
    from statsmodels.robust.robust_linear_model import RLM

    most = 200
    start = np.linalg.lstsq(design, outcome, rcond=None)[0]
    spread = float(np.median(np.abs(outcome - design @ start)))
    if not spread > TOLERANCE * float(np.abs(outcome).max()):
        raise ModelError("Half of the areas lie exactly on a line, so a robust fit has no scale. Use least squares.")
    fit = RLM(outcome, design, M=HuberT()).fit(maxiter=most)
    if fit.fit_history["iteration"] >= most:
        raise ModelError(f"The robust fit did not settle in {most} steps. Use least squares.")
    return np.asarray(fit.params), np.asarray(fit.cov_params()), np.asarray(fit.resid)


def corrected_for_noise(
    outcome: Floats,
    exposures: Floats,
    noise: Floats,
    *,
    covariates: Floats | None = None,
    weights: Floats | None = None,
    names: Sequence[str] = (),
    covariate_names: Sequence[str] = (),
) -> Corrected:
    """Fit slopes on exposures that are known with error, the error variances being known.

    The cross-products of the exposures less those that noise alone would give stand in the place of those of the true
    exposures (the method of moments). Noise is taken as independent of the outcome's, of the true exposures and between
    units. The covariance is that of leaving out one unit at a time: HC3 where there is no noise, and robust to unequal
    variances of outcome and noise.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    exposures : ndarray, shape (n,) or (n, p)
    noise : ndarray, shape (n,) or (n, p, p)
        Variance of each unit's exposure, or covariance of its exposures.
    covariates : ndarray, shape (n, q), optional
        Known without error; a constant is always added.
    weights : ndarray, shape (n,), optional
        See `least_squares`.
    names, covariate_names : sequence of str
        Of the exposures and the covariates, for messages.

    Returns
    -------
    Corrected
        Coefficients of the constant, the covariates, and last the exposures.

    Raises
    ------
    ModelError
        As `least_squares`, and if the noise is as large as the differences between the units.

    References
    ----------
    Fuller (1987), Measurement Error Models, sections 2.2 and 3.1.
    """
    n = len(outcome)
    x = exposures.reshape(n, -1)
    p = x.shape[1]
    spread = noise.reshape(n, p, p)
    weights = np.ones(n) if weights is None else weights
    exact = np.ones((n, 1)) if covariates is None else np.column_stack([np.ones(n), covariates])
    names = names or column_names(x)
    covariate_names = covariate_names or [f"covariate {j}" for j in range(1, exact.shape[1])]
    design = np.column_stack([exact, x])
    basis, _ = check_design(outcome, design, weights, ("constant", *covariate_names, *names))
    part = basis[:, : exact.shape[1]]
    reliability = _reliability(x, weights, part, spread, names)
    products = np.einsum("n,ni,nj->nij", weights, design, design)
    moments = (weights * outcome)[:, None] * design
    whole, each = _noise_sums(weights, part, spread, design.shape[1])
    params = np.linalg.solve(products.sum(axis=0) - whole, moments.sum(axis=0))
    rest = products.sum(axis=0) - products - each
    without = np.linalg.solve(rest, (moments.sum(axis=0) - moments)[..., None])[..., 0]
    influence = params - without
    return Corrected(
        params=params,
        cov=influence.T @ influence,
        residuals=outcome - design @ params,
        influence=influence,
        freedom=float(n - design.shape[1]),
        reliability=reliability,
    )


def _noise_sums(weights: Floats, part: Floats, spread: Floats, k: int) -> tuple[Floats, Floats]:
    """Return the cross-products that noise alone gives, with all units, and without each: (k, k) and (n, k, k).

    Fitting the covariates takes a little of the noise out: a unit's share of it is one less its leverage on them. The
    leverages without unit i are ``h_jj + h_ij^2 / (1 - h_ii)``.
    """
    hat = part @ part.T
    leverage = np.diag(hat)
    if leverage.max() > 1 - TOLERANCE:
        raise ModelError("A covariate rests on one area alone, so its uncertainty cannot be told. Leave either out.")
    share = 1 - leverage[None, :] - hat**2 / (1 - leverage)[:, None]
    np.fill_diagonal(share, 0.0)
    p = spread.shape[1]
    whole, each = np.zeros((k, k)), np.zeros((len(weights), k, k))
    whole[-p:, -p:] = np.einsum("n,n,nij->ij", weights, 1 - leverage, spread)
    each[:, -p:, -p:] = np.einsum("mn,n,nij->mij", share, weights, spread)
    return whole, each


def _reliability(x: Floats, weights: Floats, part: Floats, spread: Floats, names: Sequence[str]) -> Floats:
    """Return the share of each exposure that is not noise, after checking that something is left of every mixture."""
    white = np.sqrt(weights)[:, None] * x
    white -= part @ (part.T @ white)
    seen = white.T @ white
    noise = np.einsum("n,n,nij->ij", weights, 1 - (part**2).sum(axis=1), spread)
    root = np.linalg.inv(np.linalg.cholesky(seen))
    if not np.linalg.eigvalsh(root @ noise @ root.T).max() < len(x) / (len(x) + 1):
        raise ModelError(
            f"The noise in {' and '.join(names)} is as large as the differences between areas, so no slope without "
            "noise can be told. Use fewer exposures or covariates."
        )
    return np.asarray(1 - np.diag(noise) / np.diag(seen))


def column_names(design: Floats) -> tuple[str, ...]:
    """Name the columns of a design by their place."""
    return tuple(f"column {j + 1}" for j in range(design.shape[1]))


def check_design(outcome: Floats, design: Floats, weights: Floats, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Refuse a regression that cannot be made, and return the QR factors of the weighted design.

    Raises
    ------
    ModelError
        See `least_squares`.
    """
    n, k = design.shape
    if not (np.isfinite(outcome).all() and np.isfinite(design).all()):
        raise ModelError("A figure is missing in the outcome or a column. Leave out the areas without one.")
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ModelError("Every area needs a positive weight. Leave out the areas without one.")
    least = max(LEAST_ROWS, k + LEAST_FREEDOM)
    if n < least:
        raise ModelError(f"A fit of {k} coefficients needs {least} areas or more with figures; there are {n}.")
    if not np.ptp(outcome) > 0:
        raise ModelError("The outcome is the same in every area, so there is nothing to fit.")
    flat = np.ptp(design, axis=0) <= TOLERANCE * np.abs(design).max(axis=0)
    constant = [names[j] for j in range(k) if flat[j] and (j > 0 or not design[0, 0])]
    if constant:
        raise ModelError(f"'{constant[0]}' is the same in every area, so no slope can be fitted to it.")
    basis, triangle = np.linalg.qr(np.sqrt(weights)[:, None] * design)
    gone = np.abs(np.diag(triangle)) < TOLERANCE * _norms(triangle)
    if gone.any():
        raise ModelError(f"'{names[int(np.argmax(gone))]}' follows from other columns, so it has no slope of its own.")
    return np.asarray(basis), np.asarray(triangle)
