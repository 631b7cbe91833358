"""Damped local trends of many series at once, survey noise known: one Gaussian model, its scales on a lattice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen

Floats = NDArray[np.float64]
Node = tuple[int, ...]

Lattice = tuple[tuple[float, ...], ...]
FINE: Lattice = (
    (0.6, 0.8, 0.95),
    (0.0, 0.03, 0.06, 0.1, 0.15, 0.25, 0.4),
    (0.0, 0.05, 0.1, 0.17, 0.25, 0.35, 0.5, 0.7, 1.0),
    (0.0, 0.15, 0.25, 0.35, 0.45, 0.55, 0.7, 0.9),
    (0.0, 0.2, 0.4, 0.6, 0.8),
)
COARSE: Lattice = tuple(axis if len(axis) < 5 else axis[::2] for axis in FINE)
"""Nodes of the scales, in the order of `Scales`: standard deviations in shares of the usual yearly change of a series.
The coarse ones serve a single series and short ones, which say little about their scales."""
LONG = 8
"""Years that make a series long."""
REACH = 7.0
"""Nodes whose log likelihood is this much below the best, a thousandth of its weight, are left out."""
UNSEEN = 1e6
"""Variance, over that of a yearly change, that stands for a year without a figure."""
FLAT = 1e-9
"""Usual yearly change of a series that never changes."""
LEAST = 1e-8
"""Variance, over that of a yearly change, that every figure has: so that any covariance can be inverted."""


@dataclass(frozen=True, slots=True)
class Scales:
    """What series have in common.

    Attributes
    ----------
    damping : float
        Share of a slope that is left a year later.
    slope : float
        Standard deviation of slopes, over series and over time.
    step : float
        Standard deviation of the step that a level takes each year beside its slope, and keeps.
    swing, memory : float
        Standard deviation of a swing around the level, and the share of it that is left a year later.
    """

    damping: float
    slope: float
    step: float
    swing: float
    memory: float


@dataclass(frozen=True, eq=False)
class Damped(Frozen):
    """Posterior of damped trends, node by node of their scales.

    Attributes
    ----------
    scales : ndarray, shape (n_nodes, 5)
        Columns as the fields of `Scales`.
    weight : ndarray, shape (n_nodes,)
        Posterior probability of each node.
    mean, sd : ndarray, shape (n_nodes, n_series)
        The slope of each series in its last year, a year.
    """

    scales: Floats
    weight: Floats
    mean: Floats
    sd: Floats

    def central(self, years_ahead: int) -> Floats:
        """Return the expected change of each series over that many years, shape (n_series,)."""
        reach = (self.scales[:, :1] ** np.arange(1, years_ahead + 1)).sum(axis=1)
        return np.asarray((self.weight * reach) @ self.mean)

    def without_swings(self) -> Damped:
        """Return the same trends with swings left out of what is to come."""
        return Damped(self.scales * [1, 1, 1, 0, 1], self.weight, self.mean, self.sd)

    def summary(self) -> dict[str, float]:
        """Return posterior means of the scales."""
        return dict(zip(Scales.__slots__, (self.weight @ self.scales).tolist(), strict=True))


def fit_damped(value: Floats, noise: Floats, shift: Floats | None = None) -> Damped:
    """Fit damped local trends to series that share their scales.

    A figure is a level, a swing and survey noise. The level takes each year a slope and a step, and keeps both; slopes
    fade and are pulled towards zero, that is towards what all series have in common where that was taken out before;
    swings come and go::

        level(t) = level(t-1) + slope(t) + step(t)
        slope(t) = damping slope(t-1) + ...
        swing(t) = memory swing(t-1) + ...

    Slopes and swings are stationary, the level has a flat prior, and the nodes of the lattice are equally probable
    beforehand. From the most probable node on, all neighbours are looked at that have some weight.

    Parameters
    ----------
    value : ndarray, shape (n_series, n_years)
        Consecutive years; NaN where there is no figure.
    noise : ndarray, shape (n_series, n_years, n_years)
        Known covariance of each series' noise.
    shift : ndarray, shape (n_years,), optional
        A pattern, such as a break, that is in every series with an unknown size.

    References
    ----------
    Gardner & McKenzie (1985), Management Science 31, 1237-1246 (damped trend). Harville (1977), JASA 72, 320-338
    (likelihood with a flat prior on the fixed effects).
    """
    years = value.shape[1]
    seen = np.isfinite(value)
    usual = max(float(np.sqrt(np.nanmean(np.diff(value, axis=1) ** 2))), FLAT)
    gap = usual**2 * np.where(seen, LEAST, UNSEEN)
    known = np.where(seen[:, :, None] & seen[:, None, :], noise, 0.0) + gap[:, :, None] * np.eye(years)
    design = np.column_stack([np.ones(years), *([] if shift is None else [shift])])
    y = np.where(seen, value, 0.0)
    lattice = FINE if len(value) > 1 and years >= LONG else COARSE

    @cache
    def look(node: Node) -> tuple[float, Floats, Floats]:
        return _posterior(y, known, design, _scales(lattice, node, usual))

    nodes = _worth(lattice, lambda node: look(node)[0])
    likelihood, mean, sd = (np.array(part) for part in zip(*map(look, nodes), strict=True))
    weight = np.exp(likelihood - likelihood.max())
    scales = [astuple(_scales(lattice, node, usual)) for node in nodes]
    return Damped(np.array(scales), weight / weight.sum(), mean, sd)


def _scales(lattice: Lattice, node: Node, usual: float) -> Scales:
    damping, slope, step, swing, memory = (axis[place] for axis, place in zip(lattice, node, strict=True))
    return Scales(damping, slope * usual, step * usual, swing * usual, memory)


def _plain(node: Node) -> Node:
    """Return the one node that stands for all with the same model: no slope has no damping, no swing no memory."""
    damping, slope, step, swing, memory = node
    return (damping if slope else 0, slope, step, swing, memory if swing else 0)


def _neighbours(lattice: Lattice, node: Node) -> list[Node]:
    found = []
    for axis, nodes in enumerate(lattice):
        for place in (node[axis] - 1, node[axis] + 1):
            moved = _plain((*node[:axis], place, *node[axis + 1 :]))
            if 0 <= place < len(nodes) and any(moved[1:4]) and moved != node:
                found.append(moved)
    return found


def _worth(lattice: Lattice, likelihood: Callable[[Node], float]) -> list[Node]:
    """Climb to the best node; return it and all nodes linked with it that have some weight, in order."""
    best: Node = tuple(len(axis) // 3 for axis in lattice)
    while True:
        higher = max(_neighbours(lattice, best), key=likelihood)
        if likelihood(higher) <= likelihood(best):
            break
        best = higher
    least = likelihood(best) - REACH
    kept, waiting = {best}, [best]
    while waiting:
        for node in _neighbours(lattice, waiting.pop()):
            if node not in kept and likelihood(node) >= least:
                kept.add(node)
                waiting.append(node)
    return sorted(kept)


def _posterior(y: Floats, known: Floats, design: Floats, scales: Scales) -> tuple[float, Floats, Floats]:
    """Return the likelihood at some scales, and mean and standard deviation of each series' last slope."""
    together, with_last = _moments(y.shape[1], scales)
    inverse = np.linalg.inv(known + together)
    across = inverse @ design
    inner = design.T @ across
    project = inverse - across @ np.linalg.solve(inner, across.transpose(0, 2, 1))
    left = np.einsum("ntu,nu->nt", project, y)
    size = np.linalg.slogdet(inner)[1].sum() - np.linalg.slogdet(inverse)[1].sum()
    variance = scales.slope**2 - np.einsum("ntu,t,u->n", project, with_last, with_last)
    return -0.5 * float(size + (left * y).sum()), left @ with_last, np.sqrt(np.maximum(variance, 0.0))


def _moments(years: int, scales: Scales) -> tuple[Floats, Floats]:
    """Return the covariance of figures without noise, the first level taken as zero, and that with the last slope."""
    apart = np.abs(np.subtract.outer(np.arange(years), np.arange(years)))
    slopes = scales.slope**2 * scales.damping**apart
    later = np.tril(np.ones((years, years)))
    later[:, 0] = 0.0
    levels = later @ (slopes + scales.step**2 * np.eye(years)) @ later.T
    return levels + scales.swing**2 * scales.memory**apart, later @ slopes[:, -1]


def forecast(
    fit: Damped, uniform: Floats, normals: Floats, years: list[int], order: tuple[int, ...] | None = None
) -> Floats:
    """Draw the change of every series since its last year.

    A swing is taken to be anywhere in its range at the start.

    Parameters
    ----------
    fit : Damped
    uniform : ndarray, shape (n_draws,)
        Picks the node of each draw.
    normals : ndarray, shape (1 + n, n_draws, n_series)
        Standard normals: of the last slope, then of each year in `order`.
    years : list of int
        Years since the last figure, 0 for none.
    order : tuple of int, length n, optional
        Years in the order in which they are drawn, each given those before it; one after another by default.

    Returns
    -------
    ndarray, shape (len(years), n_draws, n_series)
    """
    node = np.minimum(np.searchsorted(np.cumsum(fit.weight), uniform), len(fit.weight) - 1)
    slope = fit.mean[node] + fit.sd[node] * normals[0]
    order = order or tuple(range(1, len(normals)))
    reach, root = _ahead(fit, order)
    change = np.zeros((len(years), *normals.shape[:0:-1])).transpose(0, 2, 1)
    part = np.empty_like(change[0])
    for t, year in enumerate(years):
        if year:
            place = order.index(year)
            np.multiply(reach[node, place, None], slope, out=change[t])
            for k in range(place + 1):
                change[t] += np.multiply(root[node, place, k, None], normals[1 + k], out=part)
    return change


@lru_cache(maxsize=32)
def _ahead(fit: Damped, order: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return what a slope adds up to by year, and the root of the covariance of all else, node by node.

    Years stand in the order given. The sums run from the first year on, so that a year's numbers are the same whatever
    years come after it in time or in order.
    """
    year, place = np.arange(1, max(order, default=0) + 1), np.array(order, dtype=np.int64) - 1
    apart, both = np.abs(np.subtract.outer(year, year)), np.add.outer(year, year)
    damping, slope, step, swing, memory = (column[:, None, None] for column in fit.scales.T)
    slopes = slope**2 * (damping**apart - damping**both)
    levels = (slopes + step**2 * np.eye(len(year))).cumsum(axis=1).cumsum(axis=2)
    swings = swing**2 * (memory**apart - memory ** year[:, None] - memory**year + 1)
    cov = (levels + swings)[:, place[:, None], place]
    return np.cumsum(fit.scales[:, :1] ** year, axis=1)[:, place], _root(cov)


def _root(cov: Floats) -> Floats:
    """Return lower triangular roots of covariances, (n, k, k), row by row; a variance of zero has a row of zeros."""
    root = np.zeros(cov.shape)
    for t in range(cov.shape[1]):
        left = cov[:, t, : t + 1].copy()
        for k in range(t):
            size = root[:, k, k]
            root[:, t, k] = np.divide(left[:, k], size, out=np.zeros_like(size), where=size > 0)
            left[:, k + 1 :] -= root[:, t, k, None] * root[:, k + 1 : t + 1, k]
        root[:, t, t] = np.sqrt(np.maximum(left[:, t], 0.0))
    return root
