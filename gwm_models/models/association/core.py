"""Correlation on arrays: intervals, joint uncertainty over outcomes, noise removed, and neighbours that are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

LEAST_UNITS = 10
LEAST_SPREAD = 1e-10
"""Spread of a variable, as a share of its size, below which it is constant but for rounding."""


@dataclass(frozen=True, eq=False)
class Correlation(Frozen):
    """One Pearson correlation and what each unit adds to it.

    Attributes
    ----------
    r : float
    influence : ndarray, shape (n,)
        What each unit adds to the error of Fisher's z (atanh r); the sum of squares is its jackknife variance. NaN
        where all the spread of a variable is that of one unit.
    corrected : float
        The correlation once known noise is taken out of the exposure; NaN where the noise leaves nothing.
    corrected_influence : ndarray, shape (n,)
        The same for Fisher's z of `corrected`; NaN where that is not below 1 whichever unit is left out.
    reliability : float
        Share of the exposure's variance that is not noise.
    """

    r: float
    influence: Floats
    corrected: float
    corrected_influence: Floats
    reliability: float

    @property
    def n(self) -> int:
        """Units."""
        return len(self.influence)


def correlate(outcome: Floats, exposure: Floats, noise_variance: Floats | None = None) -> Correlation:
    """Correlate an outcome with an exposure, with the jackknife influence of every unit.

    Parameters
    ----------
    outcome, exposure : ndarray, shape (n,)
        Finite.
    noise_variance : ndarray, shape (n,), optional
        Known variance of the noise in each exposure, independent of everything else; none if left out.

    Raises
    ------
    ModelError
        If there are fewer than ten units, either variable is constant, or one follows exactly from the other.

    References
    ----------
    Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, chapter 3. Fisher (1921), Metron 1, 3-32
    (the scale). Spearman (1904), American Journal of Psychology 15, 72-101 (the correction).
    """
    _check(outcome, exposure)
    noise = np.zeros(len(outcome)) if noise_variance is None else noise_variance
    r, reliability = _moments(outcome, exposure, noise, leave_out=False)
    if abs(r[0]) > 1 - LEAST_SPREAD:
        raise ModelError("The outcome follows exactly from the exposure, so their correlation has no uncertainty.")
    without_r, without_reliability = _moments(outcome, exposure, noise, leave_out=True)
    corrected, without = (
        np.where(share > 0, value / np.sqrt(np.where(share > 0, share, 1.0)), np.nan)
        for value, share in ((r, reliability), (without_r, without_reliability))
    )
    return Correlation(
        r=float(r[0]),
        influence=_influence(without_r),
        corrected=float(corrected[0]),
        corrected_influence=_influence(without),
        reliability=float(reliability[0]),
    )


def _moments(y: Floats, x: Floats, noise: Floats, *, leave_out: bool) -> tuple[Floats, Floats]:
    """Return correlation and reliability over all units, or without each unit in turn."""
    n = len(y)
    a, b = y - y.mean(), x - x.mean()
    gone = (lambda column: column) if leave_out else (lambda _: np.zeros(1))
    left = n - 1 if leave_out else n
    sum_a, sum_b = -gone(a), -gone(b)
    yy, xx, xy = (
        (one * two).sum() - gone(one * two) - first * second / left
        for one, two, first, second in ((a, a, sum_a, sum_a), (b, b, sum_b, sum_b), (a, b, sum_a, sum_b))
    )
    yy, xx = (np.where(rest > LEAST_SPREAD * (column**2).sum(), rest, np.nan) for rest, column in ((yy, a), (xx, b)))
    reliability = 1 - (noise.sum() - gone(noise)) / left / (xx / (left - 1))
    return np.asarray(xy / np.sqrt(yy * xx)), np.asarray(reliability)


def _influence(without: Floats) -> Floats:
    """Return jackknife influence on Fisher's z from the correlations without each unit."""
    n = len(without)
    if not (np.abs(without) < 1).all():
        return np.full(n, np.nan)
    z = np.arctanh(without)
    return np.asarray((z.mean() - z) * np.sqrt((n - 1) / n))


def t_of_correlation(r: ArrayLike, n: ArrayLike) -> Floats:
    """Return Student's t of a correlation over n pairs, r sqrt(n - 2) / sqrt(1 - r^2)."""
    a = np.asarray(r, dtype=float)
    with np.errstate(divide="ignore"):
        return np.asarray(a * np.sqrt((np.asarray(n, dtype=float) - 2) / (1 - a**2)))


def correlation_of_t(t: ArrayLike, n: ArrayLike) -> Floats:
    """Return the correlation over n pairs whose Student's t is given, t / sqrt(n - 2 + t^2)."""
    a = np.asarray(t, dtype=float)
    return np.asarray(a / np.sqrt(np.asarray(n, dtype=float) - 2 + a**2))


def p_of_t(t: ArrayLike, freedom: ArrayLike) -> Floats:
    """Return the two-sided p value of Student's t."""
    from scipy.stats import t as student

    return np.asarray(2 * student.sf(np.abs(np.asarray(t, dtype=float)), freedom))


def effective_size(first: Floats, second: Floats, steps: Floats) -> float:
    """Return how many independent pairs a correlation is worth when neighbours are alike.

    Both variables' covariances are averaged over pairs of units so many borders apart; they give the variance of the
    correlation, and one more than its inverse is the effective size. A correlation is not given more than its units.
    Where neighbours are very much alike the size comes out somewhat large, so that a test with it rejects a little too
    often, though far less often than one with n.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
    steps : ndarray, shape (n, n)
        Borders between units, infinite where there is no way over land; see `border_steps`.

    References
    ----------
    Clifford, Richardson & Hemon (1989), Biometrics 45, 123-134. Dutilleul (1993), Biometrics 49, 305-314.
    """
    n = len(first)
    place = np.unique(steps, return_inverse=True)[1].reshape(n, n)
    one, two = (_smoothed(values - values.mean(), place) for values in (first, second))
    # With B = I - J / n, tr(B S) = tr(S) - sum(S) / n.
    variance = _centred_trace(one, two) / (_trace(one) * _trace(two))
    return float(np.clip(1 + 1 / variance, 3.0, n)) if variance > 0 else float(n)


def border_steps(borders: Places, n: int) -> Floats:
    """Return the least number of borders between any two units, shape (n, n); infinite where there is no way.

    Examples
    --------
    >>> border_steps(np.array([[0, 1], [1, 2]]), 4)[0].tolist()
    [0.0, 1.0, 2.0, inf]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    graph = coo_array((np.ones(len(borders)), (borders[:, 0], borders[:, 1])), shape=(n, n))
    return np.asarray(shortest_path(graph.tocsr(), directed=False, unweighted=True))


def _smoothed(centred: Floats, place: Places) -> Floats:
    """Return the covariance matrix that has, for every pair as far apart, the mean of their products."""
    products = np.outer(centred, centred)
    count = np.bincount(place.ravel())
    mean = np.bincount(place.ravel(), products.ravel()) / count
    return np.asarray(mean[place])


def _trace(cov: Floats) -> float:
    return float(np.trace(cov) - cov.sum() / len(cov))


def _centred_trace(first: Floats, second: Floats) -> float:
    """Return tr(B S B T) for symmetric S and T."""
    one, two = (cov - cov.mean(axis=0) - cov.mean(axis=1, keepdims=True) + cov.mean() for cov in (first, second))
    return float((one * two).sum())


def _check(outcome: Floats, exposure: Floats) -> None:
    if len(outcome) < LEAST_UNITS:
        raise ModelError(f"A correlation needs {LEAST_UNITS} areas or more with figures; there are {len(outcome)}.")
    for values, name in ((outcome, "The outcome"), (exposure, "The exposure")):
        if not np.ptp(values) > LEAST_SPREAD * np.abs(values).max():
            raise ModelError(f"{name} is the same in every area, so it has no correlation.")
