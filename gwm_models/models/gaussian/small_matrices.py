"""Many small positive definite matrices at once: the two matrix axes stand in front, loops are over them only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_SD = 1e-4
"""Least standard deviation, in prior scales: covariances must not become singular."""
FARTHEST = 37.0
"""Standard normal quantity beyond which its tail is zero in double precision."""


def cholesky(matrix: Floats) -> Floats:
    """Return lower Cholesky factors.

    Parameters
    ----------
    matrix : ndarray, shape (k, k, ...)
        Positive definite.
    """
    factor = np.zeros_like(matrix)
    for j in range(len(matrix)):
        factor[j, j] = np.sqrt(matrix[j, j] - (factor[j, :j] ** 2).sum(axis=0))
        for i in range(j + 1, len(matrix)):
            factor[i, j] = (matrix[i, j] - (factor[i, :j] * factor[j, :j]).sum(axis=0)) / factor[j, j]
    return factor


def invert(matrix: Floats) -> tuple[Floats, Floats]:
    """Return inverses, shape (k, k, ...), and log determinants, shape (...).

    Parameters
    ----------
    matrix : ndarray, shape (k, k, ...)
        Positive definite.
    """
    size = len(matrix)
    if size == 1:
        return 1 / matrix, np.log(matrix[0, 0])
    if size == 2:
        determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] ** 2
        inverse = np.empty_like(matrix)
        inverse[0, 0], inverse[1, 1] = matrix[1, 1] / determinant, matrix[0, 0] / determinant
        inverse[0, 1] = inverse[1, 0] = -matrix[0, 1] / determinant
        return inverse, np.log(determinant)
    factor = cholesky(matrix)
    root = np.zeros_like(matrix)
    for j in range(size):
        root[j, j] = 1 / factor[j, j]
        for i in range(j + 1, size):
            root[i, j] = -(factor[i, j:i] * root[j:i, j]).sum(axis=0) / factor[i, i]
    inverse = np.empty_like(matrix)
    for j in range(size):
        for i in range(j, size):
            inverse[i, j] = inverse[j, i] = (root[i:, i] * root[i:, j]).sum(axis=0)
    return inverse, 2 * sum(np.log(factor[j, j]) for j in range(size))


def n_pairs(k: int) -> int:
    """Return the number of correlations between k quantities."""
    return k * (k - 1) // 2


def covariances(sd: Floats, partial: Floats) -> Floats:
    """Put standard deviations and partial correlations together.

    Parameters
    ----------
    sd : ndarray, shape (m, k)
    partial : ndarray, shape (m, k (k - 1) / 2)
        Canonical partial correlations as inverse hyperbolic tangents.

    Returns
    -------
    ndarray, shape (k, k, m)
    """
    m, k = sd.shape
    z = np.tanh(partial).T
    factor = np.zeros((k, k, m))
    place = 0
    for row in range(k):
        left = np.ones(m)
        for column in range(row):
            factor[row, column] = z[place] * np.sqrt(left)
            left = left - factor[row, column] ** 2
            place += 1
        factor[row, row] = np.sqrt(left)
    factor *= sd.T[:, None]
    return np.asarray(np.einsum("ips,jps->ijs", factor, factor))


def log_uniform_correlations(partial: Floats, k: int) -> Floats:
    """Return the log density of partial correlations when correlation matrices are uniform (LKJ 1), shape (m,).

    Parameters
    ----------
    partial : ndarray, shape (m, k (k - 1) / 2)
        As for `covariances`; the change of variable is included.

    References
    ----------
    Lewandowski, Kurowicka & Joe (2009), Journal of Multivariate Analysis 100, 1989-2001.
    """
    column = [c for row in range(k) for c in range(row)]
    exponent = np.array([1 + (k - 2 - c) / 2 for c in column])
    with np.errstate(divide="ignore"):
        return np.asarray((exponent * np.log1p(-(np.tanh(partial) ** 2))).sum(axis=1))


def half_normal(u: Floats, scale: float) -> Floats:
    """Turn standard normal quantities into half-normal ones, quantile by quantile.

    A standard deviation with a half-normal prior is drawn on this scale, where its prior is standard normal and its
    posterior has light tails on both sides even if it may be nearly zero (its logarithm would have a long left tail).

    Parameters
    ----------
    u : ndarray
    scale : float

    Returns
    -------
    ndarray
        Above zero, in the shape of `u`.
    """
    from scipy.special import ndtr, ndtri

    return np.asarray(np.maximum(-scale * ndtri(ndtr(-np.minimum(u, FARTHEST)) / 2), LEAST_SD * scale))
