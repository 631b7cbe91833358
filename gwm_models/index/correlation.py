"""Intervals of correlations on Fisher's scale."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.errors import ModelError

Floats = NDArray[np.float64]

LEVEL = 0.95


def fisher_interval(r: ArrayLike, n: ArrayLike, level: float = LEVEL, *, ranks: bool = False) -> tuple[Floats, Floats]:
    """Return Fisher's interval of a correlation between two normal variables, or between two sets of ranks.

    Parameters
    ----------
    r, n : array_like
        Correlations, and pairs (four or more).
    level : float
    ranks : bool
        Spearman's correlations, by Bonett and Wright.

    Returns
    -------
    lower, upper : ndarray

    Raises
    ------
    ModelError
        If there are fewer than four pairs.

    References
    ----------
    Fisher (1921), Metron 1, 3-32. Bonett & Wright (2000), Psychometrika 65, 23-28 (ranks).

    Examples
    --------
    >>> lower, upper = fisher_interval(0.5, 28)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.156, 0.7358)
    """
    return interval_of_z(r, z_error(r, n, ranks=ranks), level)


def z_error(r: ArrayLike, n: ArrayLike, *, ranks: bool = False) -> Floats:
    """Return the standard error of Fisher's z, `atanh` of a correlation; times ``1 - r^2`` it is that of r.

    It is ``1 / sqrt(n - 3)``, and ``sqrt((1 + r^2 / 2) / (n - 3))`` of ranks; otherwise as `fisher_interval`.
    """
    pairs = np.asarray(n, dtype=float)
    if not (pairs > 3).all():
        raise ModelError("An interval of a correlation needs four pairs or more.")
    wider = 1 + np.asarray(r, dtype=float) ** 2 / 2 if ranks else 1.0
    return np.asarray(np.sqrt(wider / (pairs - 3)))


def interval_of_z(r: ArrayLike, error: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the interval of a correlation from the standard error of Fisher's z; it has no width at -1 and 1."""
    with np.errstate(divide="ignore"):
        z = np.arctanh(np.asarray(r, dtype=float))
    reach = NormalDist().inv_cdf((1 + level) / 2) * np.asarray(error, dtype=float)
    return np.asarray(np.tanh(z - reach)), np.asarray(np.tanh(z + reach))
