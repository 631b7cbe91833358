"""Regression slopes with what a reader needs to trust them: sample, exclusions, robust errors, influence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]

LEAST_UNITS = 10
Z_95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Slope(Frozen):
    """One slope of a health outcome on index points, in years per 100 points.

    Attributes
    ----------
    term : str
        ``between`` (areas compared at one time) or ``within`` (an area compared with itself over time).
    outcome, label, exposure, period, method : str
    estimate, std_error : float
    n : int
        Observations.
    cluster : tuple of str
        The units of the sample.
    influence : ndarray, shape (n_clusters,)
        Each unit's share of the estimate's error: ``sum of squares = cluster-robust variance`` before small-sample
        factors. Slopes of one population are made joint draws through it.
    excluded : tuple of str
        Units left out, with the reason.
    """

    term: str
    outcome: str
    label: str
    exposure: str
    period: str
    method: str
    estimate: float
    std_error: float
    n: int
    cluster: tuple[str, ...]
    influence: Floats
    excluded: tuple[str, ...]

    @property
    def lower(self) -> float:
        """Lower bound of the 95% interval."""
        return self.estimate - Z_95 * self.std_error

    @property
    def upper(self) -> float:
        """Upper bound of the 95% interval."""
        return self.estimate + Z_95 * self.std_error

    def to_row(self) -> dict[str, object]:
        """Return one row in the toolkit's column names."""
        strongest = int(np.argmax(np.abs(self.influence)))
        return {
            "term": self.term,
            "outcome": self.outcome,
            "label": self.label,
            "exposure": self.exposure,
            "estimate": self.estimate,
            "std_error": self.std_error,
            "lower": self.lower,
            "upper": self.upper,
            "level": 0.95,
            "unit": "years per 100 points",
            "n": self.n,
            "n_clusters": len(self.cluster),
            "period": self.period,
            "method": self.method,
            "most_influential": self.cluster[strongest],
            "excluded": "; ".join(self.excluded),
        }


@dataclass(frozen=True, eq=False)
class SlopeFit:
    """Numbers of one fitted slope, before it is given names."""

    estimate: float
    std_error: float
    influence: Floats


def cross_section(outcome: Floats, exposure: Floats, weights: Floats | None = None, *, robust: bool = True) -> SlopeFit:
    """Fit one slope over areas by least squares; see `cross_sections`."""
    return cross_sections(outcome, exposure[:, None], weights, robust=robust)[0]


def cross_sections(
    outcome: Floats, exposures: Floats, weights: Floats | None = None, *, robust: bool = True
) -> list[SlopeFit]:
    """Fit slopes on several exposures together by least squares, precision-weighted where weights are given.

    Parameters
    ----------
    outcome : ndarray, shape (n_units,)
    exposures : ndarray, shape (n_units, n_exposures)
        Finite, like the outcome.
    weights : ndarray, shape (n_units,), optional
        Precision weights, one over the squared standard error of the outcome.
    robust : bool
        HC3 standard errors; classical ones if False.

    Raises
    ------
    ModelError
        If there are too few units, or the exposure is constant.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29, 305-325.
    """
    from statsmodels.regression.linear_model import WLS

    for exposure in exposures.T:
        check_sample(outcome, exposure)
    weights = np.ones(len(outcome)) if weights is None else weights
    design = np.column_stack([np.ones(len(exposures)), exposures])
    model = WLS(outcome, design, weights=weights)
    fit = model.fit(cov_type="HC3") if robust else model.fit()
    bread = fit.normalized_cov_params
    leverage = weights * np.einsum("ij,jk,ik->i", design, bread, design)
    error = weights * fit.resid / (1 - leverage)
    return [
        SlopeFit(float(fit.params[j]), float(fit.bse[j]), (design @ bread[j]) * error)
        for j in range(1, design.shape[1])
    ]


def within_units(outcome: Floats, exposure: Floats) -> SlopeFit:
    """Fit one slope within units over time: area and year effects, standard errors clustered by area.

    Parameters
    ----------
    outcome, exposure : ndarray, shape (n_units, n_years)
        NaN where there is no figure.

    Raises
    ------
    ModelError
        If there are too few units, or the exposure does not move.

    References
    ----------
    Arellano (1987), Oxford Bulletin of Economics and Statistics 49, 431-434; the small-sample factor is
    ``G / (G - 1) (n - 1) / (n - k)``.
    """
    from statsmodels.regression.linear_model import OLS

    seen = np.isfinite(outcome) & np.isfinite(exposure)
    unit, year = np.nonzero(seen)
    check_sample(outcome[seen], exposure[seen])
    effects = np.column_stack([_dummies(unit), _dummies(year)[:, 1:]])
    design = np.column_stack([exposure[seen], effects])
    fit = OLS(outcome[seen], design).fit(method="qr", cov_type="cluster", cov_kwds={"groups": unit})
    score = (design @ fit.normalized_cov_params[0]) * fit.resid
    influence = np.bincount(unit, weights=score, minlength=len(outcome)).astype(float)
    return SlopeFit(float(fit.params[0]), float(fit.bse[0]), influence)


def _dummies(groups: NDArray[np.int64]) -> Floats:
    _, place = np.unique(groups, return_inverse=True)
    return np.eye(place.max() + 1)[place]


def two_way_residual(values: Floats) -> Floats:
    """Take unit and year effects out of a panel with gaps, (n_units, n_years), by least squares."""
    seen = np.isfinite(values)
    unit, year = np.nonzero(seen)
    effects = np.column_stack([_dummies(unit), _dummies(year)[:, 1:]])
    left = np.full(values.shape, np.nan)
    left[seen] = values[seen] - effects @ np.linalg.lstsq(effects, values[seen], rcond=None)[0]
    return left


def check_sample(outcome: Floats, exposure: Floats) -> None:
    """Refuse a regression that cannot be made.

    Raises
    ------
    ModelError
        With what is missing.
    """
    if len(outcome) < LEAST_UNITS:
        raise ModelError(f"A slope needs {LEAST_UNITS} areas or more with figures; there are {len(outcome)}.")
    if not np.ptp(exposure) > 0:
        raise ModelError("The exposure is the same in every area, so no slope can be fitted.")


def joint_correlation(slopes: Sequence[Slope]) -> Floats:
    """Return the correlation of slopes fitted to overlapping sets of units.

    Slopes share units, so their errors move together; the correlation is that of their influence by unit.

    Returns
    -------
    ndarray, shape (n_slopes, n_slopes)

    References
    ----------
    Weesie (1999), Stata Technical Bulletin 52, 34-47 (seemingly unrelated estimation).
    """
    units = sorted({code for slope in slopes for code in slope.cluster})
    place = {code: i for i, code in enumerate(units)}
    influence = np.zeros((len(slopes), len(units)))
    for row, slope in enumerate(slopes):
        influence[row, [place[code] for code in slope.cluster]] = slope.influence
    cov = influence @ influence.T
    sd = np.sqrt(np.diag(cov))
    return np.asarray(cov / np.outer(sd, sd))
