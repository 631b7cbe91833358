"""How strong something that was not measured would have to be to explain an association away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen

Floats = NDArray[np.float64]

ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Adjusted(Frozen):
    """What a fit would have given with a confounder of stated strength in it; arrays of one shape.

    Attributes
    ----------
    estimate, std_error, t : ndarray
        Of the coefficient, and its distance from zero in standard errors. NaN where no such confounder can be.
    """

    estimate: Floats
    std_error: Floats
    t: Floats


def partial_r2(t: ArrayLike, freedom: ArrayLike) -> Floats:
    """Return the share of the outcome's remaining variance that a coefficient explains, t^2 / (t^2 + df).

    Parameters
    ----------
    t, freedom : array_like of float
        Classical t statistic and residual degrees of freedom. A robust t gives a robust counterpart, not the share
        itself.

    Examples
    --------
    >>> round(float(partial_r2(2.0, 116)), 4)
    0.0333
    """
    squared = np.square(np.asarray(t, dtype=float))
    return np.asarray(squared / (squared + _freedom(freedom)))


def robustness_value(t: ArrayLike, freedom: ArrayLike, *, q: float = 1.0, alpha: float | None = None) -> Floats:
    """Return how strongly a confounder must go with exposure and outcome alike to change what is concluded.

    A confounder that explains this share of what is left of both, and no less, takes the share `q` off the estimate;
    with `alpha`, it brings the estimate within the reach of chance at that level of a two-sided test.

    Parameters
    ----------
    t, freedom : array_like of float
        Of the fit. The critical value has one degree of freedom less, as the confounder would be in the fit.
    q : float
        Share of the estimate that is explained away; 1 for all of it.
    alpha : float, optional
        Level of the test; None leaves chance out.

    Returns
    -------
    ndarray
        Between 0 (already so) and 1.

    References
    ----------
    Cinelli & Hazlett (2020), JRSS B 82, 39-67. Few degrees of freedom and a large t: as in the R package sensemakr, the
    strength with the exposure alone, at the strength with the outcome that does most.

    Examples
    --------
    >>> round(float(robustness_value(-8.12, 116)), 4), round(float(robustness_value(-8.12, 116, alpha=0.05)), 4)
    (0.5215, 0.4298)
    """
    if not q > 0:
        raise ValueError(f"q must be above 0; got {q!r}.")
    strength = q * np.abs(np.asarray(t, dtype=float)) / np.sqrt(_freedom(freedom))
    chance = _chance(freedom, alpha)
    f = np.maximum(strength - chance, 0.0)
    both = (np.sqrt(f**4 + 4 * f**2) - f**2) / 2
    exposure_alone = (strength**2 - chance**2) / (1 + strength**2)
    return np.asarray(np.where(strength * chance > 1, np.where(f > 0, exposure_alone, 0.0), both))


def extreme_scenario(t: ArrayLike, freedom: ArrayLike, share: ArrayLike = 1.0) -> Floats:
    """Return the share of the exposure that takes all of the estimate if a confounder explains `share` of the outcome.

    Parameters
    ----------
    t, freedom : array_like of float
    share : array_like of float
        Of the outcome's remaining variance, above 0. With 1 the result is `partial_r2`.

    References
    ----------
    Cinelli & Hazlett (2020), JRSS B 82, 39-67 (extreme scenarios).
    """
    f2 = np.square(np.asarray(t, dtype=float)) / _freedom(freedom)
    return np.asarray(f2 / (f2 + np.asarray(share, dtype=float)))


def adjusted(
    estimate: ArrayLike, std_error: ArrayLike, freedom: ArrayLike, r2_exposure: ArrayLike, r2_outcome: ArrayLike
) -> Adjusted:
    """Return the estimate that a confounder of stated strength would leave, in the worst direction.

    Parameters
    ----------
    estimate, std_error, freedom : array_like of float
        Of the fit without it.
    r2_exposure : array_like of float
        Share of the exposure's remaining variance that the confounder explains. At 1 or above, nothing is left to
        estimate from, and the result is NaN.
    r2_outcome : array_like of float
        Share of the outcome's remaining variance, given exposure and confounder, between 0 and 1.

    References
    ----------
    Cinelli & Hazlett (2020), JRSS B 82, 39-67 (bias and standard error in terms of partial R2).
    """
    b, error = np.asarray(estimate, dtype=float), np.asarray(std_error, dtype=float)
    freed, outcome = _freedom(freedom), np.asarray(r2_outcome, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.asarray(r2_exposure, dtype=float)
        exposure = np.where((exposure >= 0) & (exposure < 1), exposure, np.nan)
        outcome = np.where((outcome >= 0) & (outcome <= 1), outcome, np.nan)
        bias = error * np.sqrt(freed * outcome * exposure / (1 - exposure))
        left = b - np.where(b < 0, -1.0, 1.0) * bias
        widened = error * np.sqrt((1 - outcome) / (1 - exposure) * freed / (freed - 1))
        return Adjusted(np.asarray(left), np.asarray(widened), np.asarray(left / widened))


def benchmark_strength(partial_exposure: float, partial_outcome: float, times: ArrayLike) -> tuple[Floats, Floats]:
    """Return the strength of a confounder that is so many times as strong as an observed covariate.

    Parameters
    ----------
    partial_exposure : float
        Share of the exposure that the covariate explains beyond the other covariates.
    partial_outcome : float
        Share of the outcome that it explains beyond exposure and other covariates.
    times : array_like of float

    Returns
    -------
    r2_exposure, r2_outcome : ndarray
        For `adjusted`. NaN where so strong a confounder would explain more of the exposure than there is left; the
        share of the outcome is at most 1.

    References
    ----------
    Cinelli & Hazlett (2020), JRSS B 82, 39-67 (bounds from observed covariates; the confounder is taken as independent
    of the covariates in the fit).
    """
    k = np.asarray(times, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = k * partial_exposure / (1 - partial_exposure)
        possible = exposure < 1
        shared = k * partial_exposure**2 / ((1 - k * partial_exposure) * (1 - partial_exposure))
        shared = np.where(possible, shared, np.nan)
        pull = (np.sqrt(k) + np.sqrt(shared)) / np.sqrt(1 - shared)
        outcome = pull**2 * partial_outcome / (1 - partial_outcome)
    return np.where(possible, exposure, np.nan), np.asarray(np.minimum(outcome, 1.0))


def e_value(ratio: ArrayLike) -> Floats:
    """Return the E-value of a rate (or risk) ratio.

    A confounder must be associated with exposure and outcome by a ratio of that size each, beyond what is measured, to
    explain the ratio away; weaker ones could not. The E-value of an interval is that of its limit nearer to 1, and 1
    where the interval holds 1 (`e_value_of_interval`).

    References
    ----------
    VanderWeele & Ding (2017), Annals of Internal Medicine 167, 268-274.

    Examples
    --------
    >>> e_value([2.0, 0.5, 1.0]).round(3).tolist()
    [3.414, 3.414, 1.0]
    """
    rr = np.asarray(ratio, dtype=float)
    if not (rr > 0).all():
        raise ValueError("A ratio must be above 0.")
    above = np.maximum(rr, 1 / rr)
    return np.asarray(above + np.sqrt(above * (above - 1)))


def e_value_of_interval(lower: float, upper: float) -> float:
    """Return the E-value of an interval of a ratio: that of the limit nearer to 1; see `e_value`."""
    if lower <= 1 <= upper:
        return 1.0
    return float(e_value(lower if lower > 1 else upper))


def ratio_of_difference(difference: ArrayLike) -> Floats:
    """Return roughly what risk ratio a difference in standard deviations stands for, exp(0.91 d).

    It takes the outcome as normal and the risk as that of being beyond a cut in its middle: an approximation.

    References
    ----------
    VanderWeele & Ding (2017), table 2; Chinn (2000), Statistics in Medicine 19, 3127-3131.
    """
    return np.asarray(np.exp(0.91 * np.asarray(difference, dtype=float)))


def strength_columns(t: float, freedom: float) -> dict[str, float]:
    """Return the measures of one coefficient as columns of a table."""
    return {
        "partial_r2": float(partial_r2(t, freedom)),
        "robustness_value": float(robustness_value(t, freedom)),
        "robustness_value_5pc": float(robustness_value(t, freedom, alpha=ALPHA)),
    }


def _chance(freedom: ArrayLike, alpha: float | None) -> Floats:
    """Return the critical value of f = t / sqrt(df) once the confounder is in the fit."""
    from scipy.stats import t

    if alpha is None:
        return np.zeros(np.shape(freedom))
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha!r}.")
    left = _freedom(freedom) - 1
    return np.asarray(t.isf(alpha / 2, left) / np.sqrt(left))


def _freedom(freedom: ArrayLike) -> Floats:
    checked = np.asarray(freedom, dtype=float)
    if not (checked > 1).all():
        raise ValueError("Degrees of freedom must be above 1, as a confounder would take one.")
    return checked
