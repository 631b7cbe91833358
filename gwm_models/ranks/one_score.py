"""Posterior of one true score an area, such as the total, when its standard errors are known.

Normal-normal model: area `i` of region `r` has a published score ``y_i ~ N(theta_i, s_i^2)`` and a true score
``theta_i ~ N(mu_r, tau^2)``; `mu_r` has a flat prior, `tau` a half-normal one. `theta` and `mu` are integrated out in
closed form; `tau`, the one parameter left, is drawn by the inverse of its distribution on a fine grid; the rest follows
from exact Gaussian conditionals, so draws are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.ranks.hierarchy import STREAM, tiles
from gwm_models.ranks.score_checks import (
    check_codes,
    check_errors,
    check_n_draws,
    check_prior,
    check_regions,
    check_spread,
    check_table,
    spread_seen,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID, ROUNDS = 500, 3
"""Points of the grid of log `tau`, and how often it closes in on where the posterior is."""
NEGLIGIBLE = 20.0
"""Log density below its largest value that is left out."""

SMALLEST = 1e-10
"""Least `tau`, as a share of the farthest score from its region mean, that double precision can tell from zero."""


@dataclass(frozen=True, eq=False)
class TotalPosterior(Frozen):
    """Independent draws of one true score an area.

    Attributes
    ----------
    draws : ndarray, shape (n_draws, n_areas)
        In the unit of the scores.
    mean, sd : ndarray, shape (n_areas,)
        Posterior mean and standard deviation, integrated over `tau`: free of simulation noise.
    between : ndarray, shape (n_draws,)
        Draws of `tau`, the standard deviation between areas of one region; the one observed if all scores are exact.
    """

    draws: Floats
    mean: Floats
    sd: Floats
    between: Floats


def total_posterior(
    estimate: ArrayLike,
    std_error: ArrayLike,
    area: Sequence[str],
    *,
    region: ArrayLike | None = None,
    prior_sd: float | None = None,
    n_draws: int = 4000,
    seed: int = 1,
) -> TotalPosterior:
    """Draw true scores given published ones and their standard errors.

    Parameters
    ----------
    estimate : array_like, shape (n_areas,)
        Published scores.
    std_error : array_like, shape (n_areas,), or float
        Their standard errors, independent between areas; a score without error is kept as published.
    area : sequence of str
        Codes: draws are keyed by seed and code.
    region : array_like of int, shape (n_areas,), optional
        Group of each area, 0 to n_regions - 1. One mean for all areas if left out.
    prior_sd : float, optional
        Scale of the half-normal prior of the standard deviation between areas, in the unit of the scores. By default
        it follows the scores: twice their standard deviation, or twice their root mean square error if that is larger.
    n_draws, seed : int

    Raises
    ------
    DataError
        If an array has the wrong shape or is not finite, or a standard error is negative.
    ModelError
        If exact scores that are all tied leave no spread to estimate, or the scores are at odds with the prior.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 5.4. Gelman (2006), Bayesian Analysis 1, 515-534
    (half-normal priors of standard deviations).

    Examples
    --------
    >>> posterior = total_posterior([10.0, 20.0, 60.0], 5.0, ["A", "B", "C"], n_draws=1000)
    >>> posterior.draws.shape
    (1000, 3)
    >>> posterior.mean.round(1).tolist()
    [10.7, 20.3, 59.0]
    """
    score = check_table(estimate, "estimate", area, ndim=1)
    check_codes(area)
    check_n_draws(n_draws)
    groups = np.zeros(len(score), dtype=np.int64) if region is None else check_regions(region, len(score))
    error = check_errors(std_error, area)
    (scale,) = check_prior(prior_sd, score[:, None], error[:, None] ** 2, groups)
    exact = error == 0
    if exact.all():
        seen = np.full(n_draws, np.sqrt(spread_seen(score[:, None], groups)[0, 0]))
        return TotalPosterior(np.tile(score, (n_draws, 1)), score.copy(), np.zeros(len(score)), seen)
    check_spread(score[:, None], exact[:, None], groups)
    model = _Model.of(score, error, groups)
    grid, density = _posterior_grid(model, float(scale))
    tau = draw_from_grid(grid, density, keyed_rng(seed, "total:between").random(n_draws))
    mean, sd = model.moments(np.exp(grid), density)
    draws = _draws(model, tau, area, seed)
    draws[:, exact], mean[exact] = score[exact], score[exact]
    return TotalPosterior(draws, mean, sd, tau)


def _draws(model: _Model, tau: Floats, area: Sequence[str], seed: int) -> Floats:
    """Draw true scores, one stream of random numbers for each area, (m, n_areas)."""
    streams = [keyed_rng(seed, "total", code) for code in area]
    region_stream = keyed_rng(seed, "total:region-mean")
    n_draws, n = len(tau), len(area)
    draws = np.empty((n_draws, n))
    for part in tiles(n_draws, n, STREAM):
        white = np.empty((n, part.stop - part.start))
        for stream, held in zip(streams, white, strict=True):
            stream.standard_normal(out=held)
        region_white = region_stream.standard_normal((white.shape[1], len(model.size)))
        for tile in tiles(white.shape[1], n):
            model.draw(tau[part][tile], white[:, tile], region_white[tile], draws[part][tile])
    return draws


@dataclass(frozen=True, eq=False)
class _Model(Frozen):
    """Published scores in order of region, less the mean of each region.

    Attributes
    ----------
    score, centre : ndarray, shape (n_areas,)
    variance : ndarray, shape (n_areas,) or (1,)
        Of the published scores; one figure if it is the same for all.
    start, size : ndarray of int, shape (n_regions,)
    place, order : ndarray of int, shape (n_areas,)
        From the order given to that of regions, and back.
    """

    score: Floats
    centre: Floats
    variance: Floats
    start: Ints
    size: Ints
    place: Ints
    order: Ints

    @classmethod
    def of(cls, score: Floats, error: Floats, region: Ints) -> _Model:
        order = np.argsort(region, kind="stable")
        size = np.bincount(region)
        start = np.cumsum(size) - size
        centre = np.repeat(np.add.reduceat(score[order], start) / size, size)
        variance = error[:1] ** 2 if (error == error[0]).all() else error[order] ** 2
        return cls(score[order] - centre, centre, variance, start, size, np.argsort(order), order)

    def log_likelihood(self, tau: Floats) -> Floats:
        """Return the log density of the published scores, true scores and region means integrated out, (m,)."""
        return np.concatenate([self._log_likelihood(tau[tile]) for tile in tiles(len(tau), len(self.score))])

    def _log_likelihood(self, tau: Floats) -> Floats:
        precision, of_region, mean = self._region_mean(tau)
        left = (precision * (self.score - self._spread(mean)) ** 2).sum(axis=1)
        repeats = len(self.score) / precision.shape[1]
        log_det = np.log(of_region).sum(axis=1) - repeats * np.log(precision).sum(axis=1)
        return np.asarray(-0.5 * (log_det + left))

    def draw(self, tau: Floats, white: Floats, region_white: Floats, out: Floats) -> None:
        """Draw true scores given `tau` into `out`, shape (m, n_areas).

        Normals have shapes (n_areas, m) and (m, n_regions); areas, here and there, stand in the order given to `of`.
        """
        one_region = len(self.size) == 1
        precision, of_region, mean = self._region_mean(tau)
        region = self._spread(mean + region_white / np.sqrt(of_region))
        shrinkage = self.variance * precision
        np.multiply(white.T if one_region else white.T[:, self.order], tau[:, None] * np.sqrt(shrinkage), out=out)
        out += self.score + self.centre
        moved = self.score - region
        moved *= shrinkage
        out -= moved
        if not one_region:
            out[:] = out[:, self.place]

    def moments(self, tau: Floats, weight: Floats) -> tuple[Floats, Floats]:
        """Return posterior mean and standard deviation of true scores over a weighted grid of `tau`."""
        first, second = np.zeros(len(self.score)), np.zeros(len(self.score))
        for tile in tiles(len(tau), len(self.score)):
            precision, of_region, mean = self._region_mean(tau[tile])
            moved = self.variance * precision * (self.score - self._spread(mean))
            variance = self.variance * tau[tile, None] ** 2 * precision
            variance = variance + (self.variance * precision) ** 2 * self._spread(1 / of_region)
            first += weight[tile] @ moved
            second += weight[tile] @ (variance + moved**2)
        sd = np.sqrt(np.maximum(second - first**2, 0))
        return (self.score + self.centre - first)[self.place], sd[self.place]

    def _region_mean(self, tau: Floats) -> tuple[Floats, Floats, Floats]:
        """Return precisions of scores given their region mean, their sums, and the means of the region means."""
        precision = 1 / (tau[:, None] ** 2 + self.variance)
        if precision.shape[1] == len(self.score):
            of_region = np.add.reduceat(precision, self.start, axis=1)
            return precision, of_region, np.add.reduceat(precision * self.score, self.start, axis=1) / of_region
        return precision, precision * self.size, np.zeros((len(tau), len(self.size)))

    def _spread(self, by_region: Floats) -> Floats:
        return by_region if len(self.size) == 1 else np.repeat(by_region, self.size, axis=1)


def _posterior_grid(model: _Model, prior_sd: float) -> tuple[Floats, Floats]:
    """Return a grid of log `tau` that covers its posterior, and the probability of each point.

    The grid starts far wider than any posterior and closes in; on the log scale a posterior is smooth from end to end,
    however near to zero `tau` may be.
    """
    seen = np.concatenate([np.sqrt(model.variance), np.abs(model.score)])
    least = min(float(seen[seen > 0].min()), prior_sd)
    farthest = float(np.abs(model.score).max())
    low = max(np.log(least) - 1.5 * NEGLIGIBLE, np.log(SMALLEST * farthest) if farthest else -np.inf)
    ends = low, np.log(max(prior_sd, farthest)) + 5
    for _ in range(ROUNDS):
        grid = np.linspace(*ends, GRID)
        log_density = model.log_likelihood(np.exp(grid)) + grid - 0.5 * (np.exp(grid) / prior_sd) ** 2
        log_density -= log_density.max()
        inside = np.flatnonzero(log_density > -NEGLIGIBLE)
        ends = grid[max(inside[0] - 1, 0)], grid[min(inside[-1] + 1, GRID - 1)]
    density = np.exp(log_density)
    return grid, density / density.sum()


def draw_from_grid(grid: Floats, density: Floats, uniform: Floats) -> Floats:
    """Draw `tau` by the inverse of its distribution function, the density of log `tau` linear between points.

    Parameters
    ----------
    grid, density : ndarray, shape (g,)
        Equally spaced log `tau`, and its density up to a constant.
    uniform : ndarray, shape (m,)
        Probabilities.
    """
    rise = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    target = uniform * rise[-1]
    cell = np.clip(np.searchsorted(rise, target, side="right") - 1, 0, len(grid) - 2)
    low, slope, left = density[cell], density[cell + 1] - density[cell], target - rise[cell]
    # The root of slope x^2 / 2 + low x = left, written so that a flat cell divides by no zero.
    share = 2 * left / np.maximum(low + np.sqrt(np.maximum(low**2 + 2 * slope * left, 0)), np.finfo(float).tiny)
    return np.asarray(np.exp(grid[cell] + np.minimum(share, 1) * (grid[1] - grid[0])))
