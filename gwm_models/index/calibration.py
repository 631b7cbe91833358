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
        Ids; ``reproduced``, ``calibrated`` or ``unknown`` (a change is then stated in points, worth 1 each).
    estimate, std_error : ndarray, shape (n_indicators,)
        Points per unit; the error is 0 where the bounds are reproduced.
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

    Raises
    ------
    ModelError
        If a calibrated slope comes out with the wrong sign.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29, 305-325 (HC3).
    """
    spec = edition.spec
    k = len(spec.indicators)
    estimate, cov = np.ones(k), np.zeros((k, k))
    r_squared, n = np.full(k, np.nan), np.zeros(k, dtype=np.int64)
    for name, points in exact_points_per_unit(spec).items():
        estimate[spec.indicator_ids.index(name)] = points
    for d, domain in enumerate(spec.domain_ids):
        columns = [
            j
            for j, indicator in enumerate(spec.indicators)
            if indicator.domain == domain and indicator.bounds_status == "calibrated"
        ]
        if columns:
            slopes, slopes_cov, fit_r2, fit_n = _calibrate(edition, d, columns)
            estimate[columns], cov[np.ix_(columns, columns)] = slopes, slopes_cov
            r_squared[columns], n[columns] = fit_r2, fit_n
    for j, indicator in enumerate(spec.indicators):
        if estimate[j] * indicator.direction <= 0:
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


def _calibrate(edition: Edition, domain: int, columns: list[int]) -> tuple[Floats, Floats, float, int]:
    from statsmodels.regression.linear_model import OLS

    _, weights = edition.areas.units()
    score = weights @ edition.domain_scores[:, domain]
    levels = weights @ edition.values[:, columns]
    design = np.column_stack([np.ones(len(score)), levels])
    fit = OLS(score, design).fit(cov_type="HC3")
    return fit.params[1:], fit.cov_params()[1:, 1:], float(fit.rsquared), int(fit.nobs)


def _range_based(edition: Edition) -> Floats:
    span = edition.spec.scale[1] - edition.spec.scale[0]
    direction = np.array([indicator.direction for indicator in edition.spec.indicators])
    return np.asarray(direction * span / np.ptp(edition.values, axis=0))
