"""Regression with BYM2 residuals at known exposures: a grid over two parameters, everything else in closed form.

The outcome is ``y ~ N(X c + sigma_b sqrt(rho) phi, d)`` with ``d_i = sigma_b^2 (1 - rho) + v_i``: independent residuals
of the units and known error variances `v_i` are one term. `phi` is a scaled intrinsic autoregression. Priors: flat on
`c`, half-normal on `sigma_b` (scale `PRIOR_SD`, in standard deviations of the outcome), uniform on `rho`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.models.gaussian.graph import Icar, factorise, log_determinant

Floats = NDArray[np.float64]

PRIOR_SD = 2.0
COARSE, FINE = (9, 7), (18, 16)
"""Points of the grid over the logarithm of sigma_b, and over rho: to find the posterior, and to draw from it."""
MOST_ROUNDS, SETTLED = 5, 0.7
"""Coarse grids at most; the last is the one that would leave more than this share of both ranges."""
WIDEST = (np.log(0.01), np.log(4.0))
"""Bounds of the logarithm of sigma_b in standard deviations of the outcome, before the posterior is found."""
DEPTH = 9.0
"""The grid reaches to where the log posterior is that far below its peak."""


@dataclass(frozen=True, eq=False)
class Figures(Frozen):
    """Outcome, its known error variance, the design (slope last) and the map, in standard deviations of the outcome."""

    outcome: Floats
    variance: Floats
    design: Floats
    graph: Icar


def draw_on_grid(versions: Sequence[Figures], n_draws: int, rng: np.random.Generator) -> Drawn:
    """Draw sigma_b, rho, coefficients and structured effects on a grid over the first two.

    Parameters
    ----------
    versions : sequence of Figures
        The same figures with different error variances; each gives its share of the draws, all on one grid.
    n_draws : int
    rng : Generator
    """
    boxes = np.array([_box(figures) for figures in versions])
    grid = _cells(np.column_stack([boxes[..., 0].min(axis=0), boxes[..., 1].max(axis=0)]), FINE)
    shares = np.diff(np.linspace(0, n_draws, len(versions) + 1).astype(int))
    drawn = [_draw(figures, grid, int(share), rng) for figures, share in zip(versions, shares, strict=True)]
    place, coefficients, structured = (np.concatenate([each[part] for each in drawn]) for part in range(3))
    order = rng.permutation(n_draws)
    return Drawn(
        np.exp(grid.middle[place, 0])[order],
        grid.middle[place, 1][order],
        coefficients[order],
        structured[order],
        np.array([each[3] for each in drawn]),
        grid.cell,
    )


def _draw(
    figures: Figures, grid: Grid, n_draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats, Floats, float]:
    """Draw from one version of the figures: places on the grid, coefficients, effects, and the log evidence."""
    log_density = _densities(figures, grid)
    weight = np.exp(log_density - log_density.max())
    count = _systematic(weight / weight.sum(), n_draws, rng)
    used = np.flatnonzero(count)
    drawn = [_point(figures, grid, g).draw(int(count[g]), rng) for g in used.tolist()]
    coefficients, structured = (np.concatenate(piece) for piece in zip(*drawn, strict=True))
    evidence = float(log_density.max() + np.log(weight.sum()))
    return np.repeat(np.arange(len(count)), count), coefficients, structured, evidence


@dataclass(frozen=True, eq=False)
class Drawn(Frozen):
    """Draws at the middles of the cells of a grid, in standard deviations of the outcome.

    `evidence` is the log evidence of each version of the figures, `cell` the widths of a cell.
    """

    sigma_b: Floats
    rho: Floats
    coefficients: Floats
    structured: Floats
    evidence: Floats
    cell: Floats

    def pick(self, chosen: NDArray[np.int64]) -> Drawn:
        """Return some of the draws."""
        parts = (self.sigma_b, self.rho, self.coefficients, self.structured)
        sigma_b, rho, coefficients, structured = (part[chosen] for part in parts)
        return Drawn(sigma_b, rho, coefficients, structured, self.evidence, self.cell)


def slope_moments(figures: Figures) -> tuple[float, float]:
    """Return the posterior mean and standard deviation of the slope, on the last coarse grid."""
    points = [Point(figures, np.exp(a), b) for a, b in _cells(_box(figures), COARSE).middle]
    log_density = np.array([point.log_posterior for point in points])
    weight = np.exp(log_density - log_density.max())
    slope, variance = (np.array([part(point) for point in points]) for part in (_slope, _slope_variance))
    mean = weight @ slope / weight.sum()
    return float(mean), float(np.sqrt(weight @ (variance + (slope - mean) ** 2) / weight.sum()))


def _slope(point: Point) -> float:
    return float(point.coefficients[-1])


def _slope_variance(point: Point) -> float:
    return float(point.bread[-1, -1])


def unseen(figures: Figures) -> Floats:
    """Return the log density of each outcome given all others, averaged over the grid, shape (n,)."""
    grid = _find(figures)
    log_density = _densities(figures, grid)
    held = np.flatnonzero(log_density > log_density.max() - 2 * DEPTH)
    weight = np.exp(log_density[held] - log_density.max())
    each = np.array([_point(figures, grid, g).log_unseen() for g in held.tolist()])
    low = each.min(axis=0)
    return np.asarray(low - np.log((weight / weight.sum()) @ np.exp(low - each)))


def _point(figures: Figures, grid: Grid, place: int) -> Point:
    return Point(figures, float(np.exp(grid.middle[place, 0])), float(grid.middle[place, 1]))


def _densities(figures: Figures, grid: Grid) -> Floats:
    """Return the log posterior at each cell; factors are not kept, as those of a large map fill the memory."""
    return np.array([_point(figures, grid, place).log_posterior for place in range(len(grid.middle))])


def _find(figures: Figures) -> Grid:
    """Return the fine grid that holds the posterior."""
    return _cells(_box(figures), FINE)


def _box(figures: Figures) -> Floats:
    """Return bounds of the logarithm of sigma_b and of rho: what coarse grids, each inside the last, leave of them."""
    box = np.array([WIDEST, (0.0, 1.0)])
    for _ in range(MOST_ROUNDS):
        grid = _cells(box, COARSE)
        found = _densities(figures, grid)
        held = grid.middle[found > found.max() - DEPTH]
        smaller = np.column_stack([held.min(axis=0) - grid.cell, held.max(axis=0) + grid.cell])
        smaller = np.column_stack([np.maximum(smaller[:, 0], box[:, 0]), np.minimum(smaller[:, 1], box[:, 1])])
        settled = (np.ptp(smaller, axis=1) > SETTLED * np.ptp(box, axis=1)).all()
        box = smaller
        if settled:
            break
    return box


@dataclass(frozen=True, eq=False)
class Grid(Frozen):
    """Middles of the cells, shape (n_cells, 2), and their widths: the logarithm of sigma_b, and rho."""

    middle: Floats
    cell: Floats


def _cells(box: Floats, shape: tuple[int, int]) -> Grid:
    cell = np.ptp(box, axis=1) / shape
    axes = [low + width * (np.arange(n) + 0.5) for (low, _), width, n in zip(box, cell, shape, strict=True)]
    return Grid(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2), cell)


def _systematic(weight: Floats, n_draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return how many of the draws each point of the grid gets."""
    edges = np.concatenate([[0.0], np.cumsum(weight)[:-1], [1.0]])
    return np.diff(np.searchsorted((np.arange(n_draws) + rng.random()) / n_draws, edges))


class Point:
    """The model at one value of sigma_b and rho, everything Gaussian integrated out.

    With ``a = sigma_b sqrt(rho)`` and error variances ``d_i = sigma_b^2 (1 - rho) + v_i``, `phi` has conditional
    precision ``M = Q + a^2 / d`` on the space where each connected part sums to zero.
    """

    def __init__(self, figures: Figures, sigma_b: float, rho: float) -> None:
        from scipy.sparse import diags_array

        self.figures, self.graph = figures, figures.graph
        self.scale = float(sigma_b * np.sqrt(rho))
        self.weight = 1 / (sigma_b**2 * (1 - rho) + figures.variance)
        self.factor = factorise(self.graph.precision + diags_array(self.scale**2 * self.weight))
        null = self.graph.null
        self.tied = self.factor.solve(null)
        self.inner = np.linalg.inv(null.T @ self.tied)
        both = np.column_stack([figures.design, figures.outcome])
        weighted = self.weight[:, None] * both
        inverse = weighted - self.scale**2 * self.weight[:, None] * self.solve(weighted)
        self.bread = np.linalg.inv(figures.design.T @ inverse[:, :-1])
        self.coefficients = self.bread @ (figures.design.T @ inverse[:, -1])
        fit = figures.outcome @ inverse[:, -1] - self.coefficients @ (figures.design.T @ inverse[:, -1])
        log_det = log_determinant(self.factor) - np.linalg.slogdet(self.inner)[1] - self.graph.log_det
        log_det -= np.log(self.weight).sum() + np.linalg.slogdet(self.bread)[1]
        prior = np.log(sigma_b) - 0.5 * (sigma_b / PRIOR_SD) ** 2
        self.log_posterior = float(-0.5 * (log_det + fit) + prior)

    def solve(self, right: Floats) -> Floats:
        """Solve by the conditional precision of phi, on the space where each connected part sums to zero."""
        free = self.factor.solve(right)
        return np.asarray(free - self.tied @ (self.inner @ (self.graph.null.T @ free)))

    @cached_property
    def projected(self) -> Floats:
        """Precision of the outcome with coefficients integrated out, shape (n, n)."""
        weight = np.diag(self.weight)
        inverse = weight - self.scale**2 * self.weight[:, None] * self.solve(weight)
        cross = inverse @ self.figures.design
        return np.asarray(inverse - cross @ self.bread @ cross.T)

    def log_unseen(self) -> Floats:
        """Return the log density of each outcome given all others, shape (n,)."""
        precision = np.diag(self.projected)
        missed = (self.projected @ self.figures.outcome) / precision
        return np.asarray(0.5 * (np.log(precision / (2 * np.pi)) - precision * missed**2))

    def draw(self, n_draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw coefficients, (n_draws, q), and structured effects, (n_draws, n), by perturbing the normal equations."""
        figures, root = self.figures, np.linalg.cholesky(self.bread)
        coefficients = self.coefficients + rng.standard_normal((n_draws, len(root))) @ root.T
        missed = figures.outcome - coefficients @ figures.design.T
        right = self.scale * self.weight * missed
        right += rng.standard_normal((n_draws, self.graph.root.shape[0])) @ self.graph.root
        right += self.scale * np.sqrt(self.weight) * rng.standard_normal(missed.shape)
        return coefficients, self.scale * self.solve(right.T).T
