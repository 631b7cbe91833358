"""Intrinsic autoregression on a map: neighbours are alike, islands are on their own.

The precision of an intrinsic conditional autoregression (ICAR) is the Laplacian of the map. Each connected part of the
map is scaled so that the geometric mean of its variances is 1, and its effects sum to zero; a unit without neighbours
has an independent standard normal effect.

References
----------
Riebler, Sorbye, Simpson & Rue (2016), Statistical Methods in Medical Research 25, 1145-1165. Freni-Sterrantino,
Ventrucci & Rue (2018), Spatial and Spatio-temporal Epidemiology 26, 25-34. Morris et al. (2019), Spatial and
Spatio-temporal Epidemiology 31, 100301.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Icar(Frozen):
    """Scaled intrinsic autoregression on one map.

    Attributes
    ----------
    precision : scipy.sparse.csc_array, shape (n, n)
        ``root.T @ root``.
    root : scipy.sparse.csr_array, shape (n_edges + n_islands, n)
        Differences between neighbours, and the islands' own values.
    null : ndarray, shape (n, n_parts)
        Orthonormal constants of the connected parts; islands have none.
    log_det : float
        Log of the product of the precision's eigenvalues above zero.
    islands : ndarray of bool, shape (n,)
    """

    precision: Any
    root: Any
    null: Floats
    log_det: float
    islands: NDArray[np.bool_]


def icar(borders: NDArray[np.int64], n: int) -> Icar:
    """Build the scaled autoregression of a map.

    Parameters
    ----------
    borders : ndarray of int, shape (n_pairs, 2)
        Places of units that share a border, each pair once.
    n : int
        Units.

    Raises
    ------
    ModelError
        If no two units share a border.
    """
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import connected_components

    if not len(borders):
        raise ModelError("No two units share a border, so a spatial model cannot be fitted.")
    pairs = np.unique(np.sort(borders, axis=1), axis=0)
    ends = (np.repeat(np.arange(len(pairs)), 2), pairs.ravel())
    edges = csr_array(coo_array((np.tile([1.0, -1.0], len(pairs)), ends), shape=(len(pairs), n)))
    _, part = connected_components(abs(edges).T @ abs(edges), directed=False)
    size = np.bincount(part)
    islands = size[part] == 1
    laplacian = (edges.T @ edges).tocsc()
    variance, log_det = _parts(laplacian, part, islands)
    scale = np.ones(n)
    parts = [p for p in range(len(size)) if size[p] > 1]
    for p in parts:
        here = part == p
        scale[here] = np.exp(np.log(variance[here]).mean())
        log_det += (size[p] - 1) * np.log(scale[here][0])
    alone = csr_array((np.ones(islands.sum()), (np.arange(islands.sum()), np.flatnonzero(islands))), (islands.sum(), n))
    root = _stack(edges * np.sqrt(scale[pairs[:, 0]])[:, None], alone)
    null = np.column_stack([(part == p) / np.sqrt(size[p]) for p in parts])
    return Icar((root.T @ root).tocsc(), root, null, log_det, islands)


def _stack(above: Any, below: Any) -> Any:
    from scipy.sparse import csr_array, vstack

    return csr_array(vstack([above, below]))


def _parts(laplacian: Any, part: NDArray[np.int64], islands: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return the diagonal of the pseudo-inverse and the log of the product of eigenvalues above zero.

    One unit of each part is tied to zero; centring the inverse of what is left gives the pseudo-inverse, and the matrix
    tree theorem its determinant.
    """
    variance, log_det = np.ones(len(part)), 0.0
    for p in np.unique(part[~islands]):
        here = np.flatnonzero(part == p)
        solver = factorise(laplacian[here[1:]][:, here[1:]])
        inverse = np.zeros((len(here), len(here)))
        inverse[1:, 1:] = solver.solve(np.eye(len(here) - 1))
        variance[here] = np.diag(inverse) - 2 * inverse.mean(axis=1) + inverse.mean()
        log_det += log_determinant(solver) + np.log(len(here))
    return variance, log_det


def factorise(matrix: Any) -> Any:
    """Factorise a sparse symmetric positive definite matrix."""
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    return splu(csc_array(matrix), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def log_determinant(factor: Any) -> float:
    """Return the log determinant of what was factorised."""
    return float(np.log(factor.U.diagonal()).sum())
