"""Two correlations that share a variable and a sample: their difference, with its interval and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError
from gwm_models.index.correlation import fisher_interval
from gwm_models.models.association.core import p_of_t, t_of_correlation
from gwm_models.models.fit import LEVEL

Floats = NDArray[np.float64]

LEAST_UNITS = 10


@dataclass(frozen=True, eq=False)
class Compared(Frozen):
    """Correlations of two outcomes with one exposure, over the same units.

    Attributes
    ----------
    r : ndarray, shape (3,)
        Of the first outcome, of the second, and the first minus the second.
    lower, upper : ndarray, shape (3,)
        Fisher's interval of each correlation, Zou's of the difference.
    cov : ndarray, shape (3, 3)
        Large-sample covariance if the three variables are jointly normal.
    p_value : ndarray, shape (3,)
        Student's t for each correlation, Steiger's z for the difference.
    z : float
        Steiger's z.
    between : float
        Correlation of the two outcomes with each other.
    n : int
    """

    r: Floats
    lower: Floats
    upper: Floats
    cov: Floats
    p_value: Floats
    z: float
    between: float
    n: int


def compare_correlations(first: float, second: float, between: float, n: int, level: float = LEVEL) -> Compared:
    """Compare the correlations of two outcomes with one exposure, from the three correlations of the three variables.

    Parameters
    ----------
    first, second : float
        Correlation of each outcome with the exposure.
    between : float
        Correlation of the outcomes with each other.
    n : int
        Units, the same for all three.
    level : float

    Raises
    ------
    ModelError
        If there are fewer than ten units, or the three are no correlations of three variables.

    References
    ----------
    Steiger (1980), Psychological Bulletin 87, 245-251 (z with pooled correlation, equation 14). Zou (2007),
    Psychological Methods 12, 399-413 (interval). Olkin & Siotani (1976) for the covariance.

    Examples
    --------
    >>> compared = compare_correlations(0.396, 0.179, 0.088, 66)
    >>> [round(float(bound[2]), 3) for bound in (compared.lower, compared.upper)]
    [-0.093, 0.517]
    """
    from scipy.stats import norm

    _check(first, second, between, n)
    r = np.array([first, second])
    lower, upper = fisher_interval(r, n, level)
    down, up = r - lower, upper - r
    joint = _correlation_of_correlations(first, second, between)
    low = first - second - np.sqrt(down[0] ** 2 + up[1] ** 2 - 2 * joint * down[0] * up[1])
    high = first - second + np.sqrt(up[0] ** 2 + down[1] ** 2 - 2 * joint * up[0] * down[1])
    pooled = (first + second) / 2
    shared = _correlation_of_correlations(pooled, pooled, between)
    z = float((np.arctanh(first) - np.arctanh(second)) * np.sqrt((n - 3) / (2 - 2 * shared)))
    sd = (1 - r**2) / np.sqrt(n)
    by_outcome = np.outer(sd, sd) * np.array([[1, joint], [joint, 1]])
    sums = np.array([[1, 0], [0, 1], [1, -1]])
    alone = p_of_t(t_of_correlation(r, n), n - 2)
    return Compared(
        r=np.append(r, first - second),
        lower=np.append(lower, low),
        upper=np.append(upper, high),
        cov=sums @ by_outcome @ sums.T,
        p_value=np.append(alone, 2 * norm.sf(abs(z))),
        z=z,
        between=between,
        n=n,
    )


def _check(first: float, second: float, between: float, n: int) -> None:
    if n < LEAST_UNITS:
        raise ModelError(f"Two correlations need {LEAST_UNITS} areas or more to be compared; there are {n}.")
    every = np.array([[1, first, second], [first, 1, between], [second, between, 1]])
    if not (np.isfinite(every).all() and np.linalg.eigvalsh(every)[0] > 1e-9):
        raise ModelError(
            f"{first:.3g}, {second:.3g} and {between:.3g} are no correlations of three variables that can be told "
            "apart. One may be constant, or two the same."
        )


def _correlation_of_correlations(first: float, second: float, between: float) -> float:
    """Return the large-sample correlation of two sample correlations that share a variable."""
    squares = 1 - first**2 - second**2 - between**2
    return float(((between - first * second / 2) * squares + between**3) / ((1 - first**2) * (1 - second**2)))


def correlations(exposure: Floats, first: Floats, second: Floats) -> Floats:
    """Return the correlation of each outcome with the exposure, and of the outcomes with each other.

    Parameters
    ----------
    exposure, first, second : ndarray, shape (..., n)
        Leading axes are samples.

    Returns
    -------
    ndarray, shape (3, ...)
    """
    centred = [values - values.mean(axis=-1, keepdims=True) for values in (exposure, first, second)]
    size = [np.sqrt((values**2).sum(axis=-1)) for values in centred]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array([(centred[i] * centred[j]).sum(axis=-1) / (size[i] * size[j]) for i, j in PAIRS])


PAIRS = ((0, 1), (0, 2), (1, 2))


def leave_one_out(exposure: Floats, first: Floats, second: Floats) -> Floats:
    """Return the three `correlations` with each unit left out, shape (3, n)."""
    n = len(exposure)
    others = np.flatnonzero(~np.eye(n, dtype=bool)).reshape(n, n - 1) - n * np.arange(n)[:, None]
    return correlations(exposure[others], first[others], second[others])


def resample(exposure: Floats, first: Floats, second: Floats, rng: np.random.Generator, n_draws: int) -> Floats:
    """Return the three `correlations` in samples of units drawn with replacement, shape (3, n_draws).

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap.
    """
    drawn = rng.integers(0, len(exposure), (n_draws, len(exposure)))
    return correlations(exposure[drawn], first[drawn], second[drawn])
