"""Score points per unit of each indicator: exact where bounds are reproduced, estimated where they are not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.index.scoring import exact_points_per_unit

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PointsPerUnit(Frozen):
    """Score points that one unit of each indicator is worth, signed by direction.

    Attributes
    ----------
    indicator, status : tuple of str, length n_indicators
        Ids; ``reproduced``, ``stated``, ``calibrated``, ``proxy`` or ``unknown`` (a change in an indicator that is not
        scored from its level is stated in points, worth 1 each).
    estimate, std_error : ndarray, shape (n_indicators,)
        Points per unit; the error is 0 where the bounds are exact, NaN where a proxy's range is all there is.
    cov : ndarray, shape (n_indicators, n_indicators)
        Covariance of the estimates (two indicators of one domain are estimated together).
    range_based : ndarray, shape (n_indicators,)
        The same from the range of the open figures, 99 / (max - min), as a check; NaN where there are none.
    r_squared : ndarray, shape (n_indicators,)
        Of the regression behind a calibrated value; NaN elsewhere.
    n : ndarray of int, shape (n_indicators,)
        Units in that regression; 0 elsewhere.
    """

    indicator: tuple[str, ...]
    status: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    cov: Floats
    range_based: Floats
    r_squared: Floats
    n: NDArray[np.int64]

    def rows(self) -> list[dict[str, object]]:
        """Return one row an indicator."""
        columns = zip(
            self.indicator,
            self.status,
            self.estimate.tolist(),
            self.std_error.tolist(),
            self.range_based.tolist(),
            self.r_squared.tolist(),
            self.n.tolist(),
            strict=True,
        )
        names = ("indicator", "status", "estimate", "std_error", "range_based", "r_squared", "n")
        return [dict(zip(names, row, strict=True)) for row in columns]


@lru_cache(maxsize=4)
def points_per_unit(edition: Edition) -> PointsPerUnit:
    """Find the score points per unit of every indicator of an edition.

    A calibrated domain is regressed on the open figures of its indicators by ordinary least squares over the April
    2019 units (published scores of areas that share a unit merged by population), with HC3 standard errors. An
    indicator of the domain without open figures is left out, so the slope of the others also carries what goes with
    it: the standard error does not cover that.

    Notes
    -----
    The published scores rest on survey figures for October 2017 to September 2018; the open job shares are of calendar
    years. With weights 0.25 and 0.75 on 2017 and 2018, quarters that are independent samples of equal size and rates
    that move little in two years, what the mix misses is uncorrelated with either year: a Berkson error, which leaves
    the slope of the regression where it is.
    A correction for survey error in the regressors would overcorrect, and none is made. Both can be checked where the
    answer is known: the access domain on calendar-year rates so mixed gives 5.10 and -12.09 points against the exact
    5.13 and -12.22 (`gwm index reproduce --show choices`, which also shows other mixes and the correction).

    Raises
    ------
    ModelError
        If a calibrated slope comes out with the wrong sign, or a domain cannot be regressed on its open figures.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29, 305-325 (HC3). Berkson (1950), JASA 45, 164-180.
    """
    spec = edition.spec
    k = len(spec.indicators)
    estimate, cov = np.ones(k), np.zeros((k, k))
    r_squared, n = np.full(k, np.nan), np.zeros(k, dtype=np.int64)
    for name, points in exact_points_per_unit(spec).items():
        estimate[spec.indicator_ids.index(name)] = points
    for j in [j for j, indicator in enumerate(spec.indicators) if indicator.bounds_status == "proxy"]:
        low, high = spec.indicators[j].bounds
        estimate[j], cov[j, j] = spec.indicators[j].direction * (spec.scale[1] - spec.scale[0]) / (high - low), np.nan
    for d, domain in enumerate(spec.domain_ids):
        columns = [
            j
            for j, indicator in enumerate(spec.indicators)
            if indicator.domain == domain and indicator.bounds_status == "calibrated"
        ]
        if columns:
            fit = calibrate(edition, d, edition.values[:, columns])
            estimate[columns], cov[np.ix_(columns, columns)] = fit.coef[1:], fit.cov[1:, 1:]
            r_squared[columns], n[columns] = fit.r_squared, fit.n
    for j, indicator in enumerate(spec.indicators):
        if indicator.bounds_status == "calibrated" and estimate[j] * indicator.direction <= 0:
            raise ModelError(f"'{indicator.id}' is calibrated to {estimate[j]:.3g} points a unit: the wrong sign.")
    return PointsPerUnit(
        indicator=spec.indicator_ids,
        status=tuple(indicator.bounds_status for indicator in spec.indicators),
        estimate=estimate,
        std_error=np.sqrt(np.diag(cov)),
        cov=cov,
        range_based=_range_based(edition),
        r_squared=r_squared,
        n=n,
    )


def calibrate(edition: Edition, domain: int, levels: Floats) -> LinearFit:
    """Regress a published domain on figures by area, over the units the areas belong to.

    Parameters
    ----------
    edition : Edition
    domain : int
        Place of the domain.
    levels : ndarray, shape (n_areas, k)
        NaN where there is no figure: the unit is left out.

    Returns
    -------
    LinearFit
        Its rows are the units in the order of `edition.areas.units()`.
    """
    _, weights = edition.areas.units()
    return fit_linear(by_unit(edition.domain_scores[:, domain], weights), by_unit(levels, weights))


def by_unit(values: Floats, weights: Floats) -> Floats:
    """Merge figures by area into units; a unit is missing if one of its areas is.

    Parameters
    ----------
    values : ndarray, shape (n_areas, ...)
    weights : ndarray, shape (n_units, n_areas)
        Rows sum to one, as from `Areas.units`.

    Examples
    --------
    >>> by_unit(np.array([1, 3, np.nan]), np.array([[0.5, 0.5, 0], [0, 0, 1]])).tolist()
    [2.0, nan]
    """
    gaps = weights @ np.isnan(values).astype(float)
    return np.where(gaps > 0, np.nan, weights @ np.nan_to_num(values))


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A least-squares line with an intercept.

    Attributes
    ----------
    coef : ndarray, shape (1 + k,)
        Intercept first.
    cov : ndarray, shape (1 + k, 1 + k)
        HC3, robust to unequal variances.
    left_out : ndarray, shape (n_rows,)
        Each row as predicted by the line through all other rows; a row without an outcome by the line through all;
        NaN where a regressor is missing.
    r_squared : float
    n : int
        Rows used.
    """

    coef: Floats
    cov: Floats
    left_out: Floats
    r_squared: float
    n: int


def fit_linear(y: Floats, x: Floats) -> LinearFit:
    """Fit a line by least squares; rows with a missing value are left out.

    Parameters
    ----------
    y : ndarray, shape (n_rows,)
    x : ndarray, shape (n_rows, k)

    Raises
    ------
    ModelError
        If fewer than k + 2 rows are complete, or a regressor is constant or a copy of others.

    References
    ----------
    Leave-one-out residuals e / (1 - h): Cook & Weisberg (1982), Residuals and Influence in Regression, 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> fit = fit_linear(np.array([1.0, 3, 5, 7]), np.array([[0.0], [1], [2], [3]]))
    >>> fit.coef.round(6).tolist(), fit.left_out.round(6).tolist()
    ([1.0, 2.0], [1.0, 3.0, 5.0, 7.0])
    """
    design = np.column_stack([np.ones(len(y)), x])
    used = np.isfinite(design).all(axis=1) & np.isfinite(y)
    rows, outcome = design[used], y[used]
    if used.sum() <= rows.shape[1]:
        raise ModelError(f"{int(used.sum())} complete rows are too few for {rows.shape[1]} coefficients.")
    size = np.linalg.norm(rows, axis=0)
    if np.linalg.matrix_rank(rows / np.where(size > 0, size, 1)) < rows.shape[1]:
        raise ModelError("A figure is the same everywhere, or repeats another: the regression has no one answer.")
    q, r = np.linalg.qr(rows)
    root = np.linalg.solve(r, np.eye(len(r)))
    coef = root @ (q.T @ outcome)
    residual, leverage = outcome - rows @ coef, (q**2).sum(axis=1)
    # A row that alone fixes a coefficient cannot be left out: its prediction is missing, not its own value.
    alone = 1 - leverage < 1e-10
    jackknife = np.where(alone, np.nan, residual / np.where(alone, 1, 1 - leverage))
    half = (q * np.nan_to_num(jackknife)[:, None]) @ root.T
    left_out = design @ coef
    left_out[used] = outcome - jackknife
    spread = float(((outcome - outcome.mean()) ** 2).sum())
    explained = 1 - float((residual**2).sum()) / spread if spread else np.nan
    return LinearFit(coef, half.T @ half, left_out, explained, int(used.sum()))


def _range_based(edition: Edition) -> Floats:
    span = edition.spec.scale[1] - edition.spec.scale[0]
    found = np.full(len(edition.spec.indicators), np.nan)
    for j, indicator in enumerate(edition.spec.indicators):
        known = edition.values[np.isfinite(edition.values[:, j]), j]
        if len(known) and np.ptp(known) > 0:
            found[j] = indicator.direction * span / np.ptp(known)
    return found
