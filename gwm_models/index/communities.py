"""Communities of a graph by linearised Markov Stability, over a range of scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TIMES: tuple[float, ...] = tuple(float(10 ** (step / 20)) for step in range(-6, 21))
"""Markov times of a scan: 0.5 to 10, twenty a decade; longer times give fewer, larger communities."""
RUNS = 20
NEAR = 2
"""Scales on each side with which a scale is compared."""


@dataclass(frozen=True, eq=False)
class Scan:
    """The best partition at each scale, and how far repeated runs and neighbouring scales agree.

    Attributes
    ----------
    time : ndarray, shape (n_scales,)
        Markov time; the resolution is its inverse.
    labels : ndarray of int, shape (n_scales, n_nodes)
        The partition of highest stability among the runs, numbered by first appearance.
    n_groups : ndarray of int, shape (n_scales,)
    stability : ndarray, shape (n_scales,)
        Linearised Markov Stability of that partition.
    run_variation : ndarray, shape (n_scales,)
        Mean normalised variation of information between repeated runs; 0 if all agree.
    scale_variation : ndarray, shape (n_scales,)
        The same between the best partition and those of the scales within `NEAR` steps.
    n_runs : int
    """

    time: Floats
    labels: Ints
    n_groups: Ints
    stability: Floats
    run_variation: Floats
    scale_variation: Floats
    n_runs: int

    @property
    def variation(self) -> Floats:
        """Disagreement of runs and of neighbouring scales, added; the lowest is the most robust scale."""
        return np.asarray(self.run_variation + self.scale_variation)

    @property
    def robust(self) -> NDArray[np.bool_]:
        """Scales with no more disagreement than either neighbour, and more than one group."""
        padded = np.pad(self.variation, 1, constant_values=np.inf)
        inner = padded[1:-1]
        return np.asarray((inner <= padded[:-2]) & (inner <= padded[2:]) & (self.n_groups > 1))


def canonical(labels: ArrayLike) -> Ints:
    """Return a partition with its groups numbered by first appearance.

    Examples
    --------
    >>> canonical([7, 7, 2, 7, 5]).tolist()
    [0, 0, 1, 0, 2]
    """
    values = np.asarray(labels)
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.int64)


def linearised_stability(adjacency: Floats, labels: ArrayLike, time: float) -> float:
    """Return the linearised Markov Stability of a partition at a Markov time.

    ``(1 - t) + sum over groups of [t * links inside - (share of degrees)^2]``: the chance that a random walker is in
    its group at the start and after a short time `t`, less what chance gives. It is ``(1 - t) + t Q``, where `Q` is
    modularity at resolution ``1 / t``.

    References
    ----------
    Delvenne, Yaliraki & Barahona (2010), PNAS 107, 12755-12760. Lambiotte, Delvenne & Barahona (2014), IEEE
    Transactions on Network Science and Engineering 1, 76-90.
    """
    member = np.eye(int(np.max(labels)) + 1)[np.asarray(labels)]
    degree = adjacency.sum(axis=1)
    inside = np.einsum("ig,ij,jg->g", member, adjacency, member, optimize=True) / degree.sum()
    share = degree @ member / degree.sum()
    return float(1 - time + (time * inside - share**2).sum())


def normalised_variation(first: Ints, second: Ints) -> float:
    """Return the variation of information between two partitions over their joint entropy, 0 (equal) to 1.

    References
    ----------
    Meila (2007), Journal of Multivariate Analysis 98, 873-895.
    """
    table = np.bincount(first * (second.max() + 1) + second).astype(float)
    joint, one, two = (_entropy(counts / len(first)) for counts in (table, np.bincount(first), np.bincount(second)))
    return 0.0 if joint == 0 else max(0.0, (2 * joint - one - two) / joint)


def louvain_runs(adjacency: Floats, time: float, *, n_runs: int = RUNS, seed: int = 1) -> Ints:
    """Maximise linearised Markov Stability `n_runs` times, each from its own random order of the nodes.

    Returns
    -------
    ndarray of int, shape (n_runs, n_nodes)
        Partitions, numbered by first appearance.

    References
    ----------
    Blondel et al. (2008), Journal of Statistical Mechanics, P10008 (the Louvain method).
    """
    import networkx as nx

    graph = nx.from_numpy_array(adjacency)
    labels = np.empty((n_runs, len(adjacency)), dtype=np.int64)
    for run, order in enumerate(keyed_rng(seed, "louvain", f"{time:.6g}").integers(2**31, size=n_runs).tolist()):
        found = nx.community.louvain_communities(graph, weight="weight", resolution=1 / time, seed=order)
        for group, members in enumerate(found):
            labels[run, list(members)] = group
        labels[run] = canonical(labels[run])
    return labels


def best_partition(adjacency: Floats, time: float, runs: Ints) -> Ints:
    """Return the run of highest stability; of equal ones, the first in the order of their labels."""
    partitions = np.unique(runs, axis=0)
    stability = [linearised_stability(adjacency, labels, time) for labels in partitions]
    return np.asarray(partitions[int(np.argmax(np.round(stability, 12)))])


def scan_scales(
    adjacency: Floats, *, times: Sequence[float] = TIMES, n_runs: int = RUNS, seed: int = 1, near: int = NEAR
) -> Scan:
    """Find communities at every scale, and how robust each scale is.

    A robust partition is one on which repeated runs agree and which stays over a range of times.

    References
    ----------
    Schindler, Clarke & Barahona (2023), Royal Society Open Science 10, 230405 (robust scales). Arnaudon et al. (2024),
    ACM Transactions on Mathematical Software 50, 15.
    """
    runs = [louvain_runs(adjacency, time, n_runs=n_runs, seed=seed) for time in times]
    best = [best_partition(adjacency, time, found) for time, found in zip(times, runs, strict=True)]
    close = [[j for j in range(max(0, i - near), min(len(best), i + near + 1)) if j != i] for i in range(len(best))]
    return Scan(
        time=np.array(times),
        labels=np.array(best),
        n_groups=np.array([labels.max() + 1 for labels in best]),
        stability=np.array([linearised_stability(adjacency, labels, t) for labels, t in zip(best, times, strict=True)]),
        run_variation=np.array([_mean_variation(found) for found in runs]),
        scale_variation=np.array([_variation_from(best[i], [best[j] for j in close[i]]) for i in range(len(best))]),
        n_runs=n_runs,
    )


def choose_scale(scan: Scan, n_groups: int) -> int:
    """Return the place of the most robust scale whose best partition has `n_groups` groups.

    Raises
    ------
    ModelError
        If no scale has that number of groups.
    """
    fits = np.flatnonzero(scan.n_groups == n_groups)
    if not len(fits):
        found = ", ".join(str(n) for n in sorted(set(scan.n_groups.tolist())))
        raise ModelError(f"No scale has {n_groups} groups; the scan found {found}. Ask for one of these.")
    return int(fits[np.argmin(np.round(scan.variation[fits], 9))])


def split_into(
    adjacency: Floats, n_groups: int, *, times: Sequence[float], start: int, n_runs: int, seed: int
) -> tuple[Ints, bool]:
    """Find a partition into `n_groups`, from one scale outwards.

    Returns
    -------
    labels : ndarray of int, shape (n_nodes,)
        The best partition at the first scale with `n_groups` groups on the way from `start` to fewer or more; where
        the number is jumped over, the one with more.
    exact : bool
        Whether it has `n_groups` groups.
    """
    place = start
    tried: dict[int, Ints] = {}
    while 0 <= place < len(times) and place not in tried:
        runs = louvain_runs(adjacency, times[place], n_runs=n_runs, seed=seed)
        tried[place] = best_partition(adjacency, times[place], runs)
        size = int(tried[place].max()) + 1
        if size == n_groups:
            return tried[place], True
        place += 1 if size > n_groups else -1
    larger = [labels for labels in tried.values() if labels.max() + 1 > n_groups] or list(tried.values())
    return min(larger, key=lambda labels: abs(int(labels.max()) + 1 - n_groups)), False


def match_labels(labels: Ints, reference: Ints) -> Ints:
    """Rename the groups of a partition after the groups of a reference that they overlap with the most.

    One to one, by the assignment of largest overlap; a group left over joins the reference group that most of its
    members are in.

    References
    ----------
    Kuhn (1955), Naval Research Logistics Quarterly 2, 83-97 (the Hungarian method).

    Examples
    --------
    >>> match_labels(np.array([1, 1, 0, 0, 2]), np.array([0, 0, 1, 1, 1])).tolist()
    [0, 0, 1, 1, 1]
    """
    from scipy.optimize import linear_sum_assignment

    overlap = np.zeros((labels.max() + 1, reference.max() + 1))
    np.add.at(overlap, (labels, reference), 1)
    name = overlap.argmax(axis=1)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    name[rows] = columns
    return np.asarray(name[labels])


def _entropy(shares: Floats) -> float:
    kept = shares[shares > 0]
    return float(-(kept * np.log(kept)).sum())


def _variation_from(labels: Ints, others: Sequence[Ints]) -> float:
    """Return the mean variation between a partition and others; 0 without any."""
    return float(np.mean([normalised_variation(labels, other) for other in others])) if others else 0.0


def _mean_variation(runs: Ints) -> float:
    """Return the mean over all pairs of runs; equal runs are counted, not compared again."""
    partitions, counts = np.unique(runs, axis=0, return_counts=True)
    total = sum(
        2.0 * counts[i] * counts[j] * normalised_variation(partitions[i], partitions[j])
        for i in range(len(partitions))
        for j in range(i)
    )
    return float(total / max(1, len(runs) * (len(runs) - 1)))
