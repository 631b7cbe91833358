"""How alike profiles are: distances, and the sparse graph that joins each profile to those near it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.errors import DataError

Floats = NDArray[np.float64]
Metric = Literal["euclidean", "mahalanobis"]

NEIGHBOURS = 7
"""Neighbours of the graph, as in the published program of Liu & Barahona (2020)."""


def scale_root(scores: ArrayLike, metric: Metric = "euclidean") -> Floats:
    """Return the matrix that turns profiles into coordinates whose plain distance is the metric's.

    Parameters
    ----------
    scores : array_like, shape (n_units, n_indicators)
        Standardised profiles that set the scale.
    metric : {"euclidean", "mahalanobis"}
        Each indicator in its own standard deviations, or also freed of what the indicators share.

    Returns
    -------
    ndarray, shape (n_indicators, n_indicators)
        Divided by the root of the number of indicators: a distance of 1 is one standard deviation an indicator.

    Raises
    ------
    DataError
        If the indicators are collinear, for Mahalanobis.
    ValueError
        If the metric is unknown.
    """
    x = np.asarray(scores, dtype=float)
    n, k = x.shape
    if metric == "euclidean":
        return np.asarray(np.eye(k) / np.sqrt(k))
    if metric != "mahalanobis":
        raise ValueError(f"metric must be 'euclidean' or 'mahalanobis'; got {metric!r}.")
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / n)
    if values[0] < 1e-9 * values[-1]:
        raise DataError("The indicators of the profile are collinear: use the Euclidean distance.")
    return np.asarray(vectors / np.sqrt(values * k))


def distances(scores: ArrayLike, metric: Metric = "euclidean") -> Floats:
    """Return distances between all profiles, in standard deviations (root mean square over the indicators).

    Examples
    --------
    >>> distances([[0.0, 0.0], [3.0, 4.0]]).round(4).tolist()
    [[0.0, 3.5355], [3.5355, 0.0]]
    """
    x = np.asarray(scores, dtype=float) @ scale_root(scores, metric)
    return np.asarray(np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=-1)))


def similarity_graph(distance: ArrayLike, *, neighbours: int = NEIGHBOURS, weighted: bool = False) -> Floats:
    """Join near profiles: a continuous k-nearest-neighbour graph, with a minimum spanning tree to hold it together.

    Profiles `i` and `j` are joined when ``d(i, j) < sqrt(d_k(i) d_k(j))``, with `d_k` the distance to the k-th
    nearest neighbour, so dense and sparse parts are treated alike.

    Parameters
    ----------
    distance : array_like, shape (n, n)
    neighbours : int
        `k`, 1 to n - 1.
    weighted : bool
        Weigh a link by ``1 - d / max(d)`` instead of 1.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric adjacency, zero on the diagonal; connected.

    Raises
    ------
    ValueError
        If `neighbours` is not within 1 to n - 1.

    References
    ----------
    Berry & Sauer (2019), Foundations of Data Science 1, 1-38 (the graph). Liu & Barahona (2020), Applied Network
    Science 5, 3 (with Markov Stability; their program takes k = 7, no weights, and adds the tree).

    Examples
    --------
    >>> similarity_graph([[0, 1, 9], [1, 0, 8], [9, 8, 0]], neighbours=1).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    d = np.asarray(distance, dtype=float)
    if not 1 <= neighbours < len(d):
        raise ValueError(f"neighbours must lie between 1 and {len(d) - 1}; got {neighbours!r}.")
    # Equal profiles are at no distance, which a sparse matrix would read as no link.
    d = d + 1e-9 * (d.max() or 1.0)
    reach = np.partition(d, neighbours, axis=1)[:, neighbours]
    linked = d < np.sqrt(np.outer(reach, reach))
    tree = minimum_spanning_tree(csr_array(np.triu(d, 1))).toarray() > 0
    linked |= tree | tree.T
    np.fill_diagonal(linked, False)
    return np.where(linked, 1 - d / d.max() if weighted else 1.0, 0.0)
