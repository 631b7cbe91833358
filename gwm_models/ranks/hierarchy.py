"""Gaussian algebra of the hierarchical score model, many draws of the spread between areas at once.

A matrix of every area and draw is a list of lists of arrays (n_areas, n_draws), areas in order of region. Work goes in
tiles of draws that fit in the cache, in arrays that are used again from tile to tile: to allocate them anew takes
several times as long as the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.ranks.algebra import Matrix, Scratch, invert, root, times

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TILE = 16_384
"""Draws times areas worked on at a time."""
LEAST_TILE = 32
"""Draws worked on at a time however many areas there are."""
STREAM = 2**18
"""Draws times areas whose random numbers are held at a time."""
SMALL_REGION = 3
"""Areas a region has on average below which sums over regions are taken in one call."""
EXACT = 1e-9
"""Variance that stands for none at all, as a share of the largest, where scores are weighed by their precision."""


def tiles(n_draws: int, n_areas: int, size: int = TILE) -> Iterator[slice]:
    """Yield slices of draws, about `size` numbers each."""
    step = max(1, size // max(n_areas, 1))
    return (slice(first, min(first + step, n_draws)) for first in range(0, n_draws, step))


@dataclass(frozen=True, eq=False)
class RegionSums:
    """Sums over the areas of each region given draws of `T`.

    Attributes
    ----------
    precision : ndarray, shape (k, k, n_regions, m)
        Of the published scores.
    weighted : ndarray, shape (k, n_regions, m)
        Precision times score.
    log_det, fit : ndarray, shape (m,)
        Log determinant of the covariances, and precision times score squared, over all areas.
    """

    precision: Floats
    weighted: Floats
    log_det: Floats
    fit: Floats

    @cached_property
    def region_mean(self) -> tuple[list[Floats], Matrix, list[Floats]]:
        """Mean and covariance of the region means, and the pivots of the inverse of the latter."""
        cov, pivots = invert([list(row) for row in self.precision])
        return times(cov, list(self.weighted)), cov, pivots

    def log_likelihood(self) -> Floats:
        """Return the log density of the published scores, (m,), up to a constant."""
        mean, _, pivots = self.region_mean
        # Scores are centred so that this is no difference of two large sums, not even where some are exact.
        fit = self.fit - sum((m * w).sum(axis=0) for m, w in zip(mean, self.weighted, strict=True))
        log_det = self.log_det + sum(np.log(pivot).sum(axis=0) for pivot in pivots)
        return np.asarray(-0.5 * (log_det + fit))

    def draw(self, white: Floats) -> Floats:
        """Draw region means, (k, n_regions, m), with standard normals of shape (m, n_regions, k)."""
        mean, cov, _ = self.region_mean
        return np.array([a + b for a, b in zip(mean, times(root(cov), list(white.transpose(2, 1, 0))), strict=True)])


@dataclass(frozen=True, eq=False)
class Hierarchy(Frozen):
    """Published scores of areas in order of region; domains in front.

    Attributes
    ----------
    scores : ndarray, shape (k, n_areas, 1)
        Less `centre`.
    centre : ndarray, shape (k, n_areas, 1)
        Mean of each region by precision: where its mean is if true scores hardly differ.
    cov, error : ndarray, shape (k, k, n_areas, 1)
        Sampling covariance and its lower root.
    start : ndarray of int, shape (n_regions,)
        First area of each region.
    region : ndarray of int, shape (n_areas,)
        Region of each area, in order.
    place, order : ndarray of int, shape (n_areas,)
        Where each area, in the order given, stands here; and the inverse.
    """

    scores: Floats
    centre: Floats
    cov: Floats
    error: Floats
    start: Ints
    region: Ints
    place: Ints
    order: Ints

    @classmethod
    def of(cls, scores: Floats, cov: Floats, region: Ints) -> Hierarchy:
        """Put areas in order of region.

        Parameters
        ----------
        scores : ndarray, shape (n_areas, k)
        cov : ndarray, shape (n_areas, k, k)
        region : ndarray of int, shape (n_areas,)
            0 to n_regions - 1, each with one area or more.
        """
        order, size = np.argsort(region, kind="stable"), np.bincount(region)
        centre = _centres(scores, cov, region)[region]
        columns = cov[order].transpose(1, 2, 0)
        error = np.zeros(columns.shape)
        for i, row in enumerate(root([list(row) for row in columns])):
            error[i, : i + 1] = row
        return cls(
            scores=np.ascontiguousarray((scores - centre)[order].T)[..., None],
            centre=np.ascontiguousarray(centre[order].T)[..., None],
            cov=np.ascontiguousarray(columns)[..., None],
            error=error[..., None],
            start=np.cumsum(size) - size,
            region=region[order],
            place=np.argsort(order),
            order=order,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of domains and of areas."""
        return self.scores.shape[0], self.scores.shape[1]

    def log_likelihood(self, between: Floats) -> Floats:
        """Return the log density of the published scores with true scores and region means integrated out.

        Parameters
        ----------
        between : ndarray, shape (k, k, m)
            Covariance of true scores between areas of one region, `T`.

        Returns
        -------
        ndarray, shape (m,)
            Up to a constant; not finite where `T` is singular to working precision.
        """
        return self.sums(between, density=True).log_likelihood()

    def draw(self, between: Floats, region: Floats, white: Floats, *, out: Floats | None = None) -> Floats:
        """Draw true scores from their exact conditional given draws of `T` and of the region means.

        Parameters
        ----------
        between : ndarray, shape (k, k, m)
        region : ndarray, shape (k, n_regions, m)
            From `RegionSums.draw`, given the same `T`.
        white : ndarray, shape (n_areas, m, k)
            Standard normals, areas in order of region.
        out : ndarray, shape (m, n_areas, k), optional
            Where the draws go.

        Returns
        -------
        ndarray, shape (m, n_areas, k)
            Areas in the order given to `of`.
        """
        k, n = self.shape
        m = between.shape[2]
        within = np.array(invert([list(row) for row in between])[0])
        drawn = np.empty((m, n, k)) if out is None else out
        published, work = self.scores + self.centre, Scratch((n, 0))
        for tile in self._tiles(m):
            work = work.of(tile.stop - tile.start)
            errors = self._errors(within[..., tile], region[..., tile], white[:, tile], work)
            for j, error in enumerate(errors):
                score = np.subtract(published[j], error, out=error)
                drawn[tile, :, j] = np.take(score, self.place, axis=0, out=work("placed"), mode="clip").T
        return drawn

    def conditional(self, between: Floats) -> tuple[Floats, Floats]:
        """Return mean and covariance of each area's true scores given one `T`, the error of its region mean included.

        Parameters
        ----------
        between : ndarray, shape (k, k)

        Returns
        -------
        tuple of ndarray, shapes (n_areas, k) and (n_areas, k, k)
            Areas in the order given to `of`.
        """
        mean, region_cov, _ = self.sums(between[..., None]).region_mean
        prior = np.array(mean)[:, self.region, 0].T
        prior_cov = np.array(region_cov)[:, :, self.region, 0].transpose(2, 0, 1)
        total = between + self.cov[..., 0].transpose(2, 0, 1)
        gain = np.linalg.solve(total, np.broadcast_to(between, total.shape)).transpose(0, 2, 1)
        kept = np.eye(len(between)) - gain
        centre = self.centre[..., 0].T + prior + np.einsum("nij,nj->ni", gain, self.scores[..., 0].T - prior)
        cov = between - gain @ between + kept @ prior_cov @ kept.transpose(0, 2, 1)
        return centre[self.place], ((cov + cov.transpose(0, 2, 1)) / 2)[self.place]

    def _tiles(self, n_draws: int) -> Iterator[slice]:
        n = self.shape[1]
        return tiles(n_draws, n, max(TILE, LEAST_TILE * n))

    def sums(self, between: Floats, *, density: bool = False) -> RegionSums:
        """Sum over regions, `between` of shape (k, k, m).

        Without `density` the sums that only the likelihood needs are left at zero.
        """
        (k, n), m = self.shape, between.shape[2]
        pairs = [(i, j) for i in range(k) for j in range(i + 1)]
        names = [*(("inverse", *pair) for pair in pairs), *(("pulled", i) for i in range(k))]
        found, (log_det, fit), work = np.empty((len(names), len(self.start), m)), np.zeros((2, m)), Scratch((n, 0))
        for tile in self._tiles(m):
            work = work.of(tile.stop - tile.start)
            terms = work.stack(names)
            inverse, pivots = self._precision(between[..., tile], work)
            for i in range(k):
                work.sum_of([(inverse[max(i, j)][min(i, j)], self.scores[j]) for j in range(k)], "pulled", i)
            self._add_up(terms, found[..., tile])
            if density:
                for i in range(k):
                    fit[tile] += self.scores[i, :, 0] @ work("pulled", i)
                for pivot in pivots[1:]:
                    pivots[0] *= pivot
                log_det[tile] += np.log(pivots[0], out=pivots[0]).sum(axis=0)
        precision = np.empty((k, k, *found.shape[1:]))
        for (i, j), total in zip(pairs, found, strict=False):
            precision[i, j] = precision[j, i] = total
        return RegionSums(precision, found[len(pairs) :], log_det, fit)

    def _add_up(self, terms: Floats, totals: Floats) -> None:
        """Add up (p, n_areas, m) by region into `totals`: a call for each region is fastest unless they are small."""
        if SMALL_REGION * len(self.start) > self.shape[1]:
            totals[:] = np.add.reduceat(terms, self.start, axis=1)
            return
        for region, areas in enumerate(np.split(terms, self.start[1:], axis=1)):
            np.add.reduce(areas, axis=1, out=totals[:, region])

    def _precision(self, between: Floats, work: Scratch) -> tuple[Matrix, list[Floats]]:
        """Return the lower half of the inverse of ``T + D``, and the pivots of its factors ``L diag(pivots) L'``."""
        k, spare = len(between), work("product")
        lower: Matrix = [[] for _ in range(k)]
        scaled: Matrix = [[] for _ in range(k)]
        shrunk: list[Floats] = []
        for j in range(k):
            for i in range(j, k):
                held = work("scaled", i, j)
                added = i == j or self._shared[i, j]
                left = np.add(between[i, j], self.cov[i, j], out=held) if added else between[i, j]
                for c in range(j):
                    left = np.subtract(left, np.multiply(lower[i][c], scaled[j][c], out=spare), out=held)
                scaled[i].append(left)
                if i == j:
                    shrunk.append(np.divide(1.0, left, out=work("inverse", j, j)))
                else:
                    lower[i].append(np.multiply(left, shrunk[j], out=work("lower", i, j)))
        return _inverse_from(lower, shrunk, work), [scaled[j][j] for j in range(k)]

    @cached_property
    def _shared(self) -> NDArray[np.bool_]:
        """Which pairs of domains have a sampling covariance in any area."""
        return np.asarray(self.cov.any(axis=(2, 3)))

    @cached_property
    def _loads(self) -> NDArray[np.bool_]:
        """Which entries of the root of the sampling covariance are not zero in every area."""
        return np.asarray(self.error.any(axis=(2, 3)))

    @cached_property
    def _pulls(self) -> list[list[list[tuple[int, int, Floats]]]]:
        """What each entry of ``E' K E`` is made of: entries of `K`, and how often they count in each area."""
        k = len(self.error)
        made: list[list[list[tuple[int, int, Floats]]]] = []
        for i in range(k):
            made.append([])
            for j in range(i + 1):
                parts: dict[tuple[int, int], Floats] = {}
                for a in range(i, k):
                    for b in range(j, k):
                        part = self.error[a, i] * self.error[b, j]
                        if part.any():
                            parts[max(a, b), min(a, b)] = parts.get((max(a, b), min(a, b)), 0) + part
                made[i].append([(a, b, part) for (a, b), part in parts.items()])
        return made

    def _errors(self, within: Floats, region: Floats, white: Floats, work: Scratch) -> list[Floats]:
        """Draw the sampling errors of the published scores, by domain.

        With a root `E` of an area's sampling covariance the error is ``E v``, where `v` has precision ``I + E' K E``
        and `K` is the inverse of `T`: a score without error has none in any draw.
        """
        k = len(self.error)
        for j in range(k):
            mean = np.take(region[j], self.region, axis=0, out=work("left", j), mode="clip")
            np.subtract(self.scores[j], mean, out=mean)
        for i in range(k):
            work.sum_of([(within[i, j], work("left", j)) for j in range(k)], "pulled", i)
        drawn: list[Floats] = []
        lower = self._error_root(within, work)
        for i in range(k):
            parts = [(self.error[a, i], work("pulled", a)) for a in range(i, k) if a == i or self._loads[a, i]]
            v = work.sum_of(parts, "v", i)
            for c in range(i):
                v -= np.multiply(lower[i][c], drawn[c], out=work("product"))
            v *= lower[i][i]
            drawn.append(v)
        for i in range(k - 1, -1, -1):
            drawn[i] += white[..., i]
            for c in range(i + 1, k):
                drawn[i] -= np.multiply(lower[c][i], drawn[c], out=work("product"))
            drawn[i] *= lower[i][i]
        return [
            work.sum_of([(self.error[j, a], drawn[a]) for a in range(j + 1) if a == j or self._loads[j, a]], "left", j)
            for j in range(k)
        ]

    def _error_root(self, within: Floats, work: Scratch) -> Matrix:
        """Return the Cholesky factor of ``I + E' K E``, one divided by its diagonal in place of that."""
        lower: Matrix = []
        for i, row in enumerate(self._pulls):
            lower.append([])
            for j, parts in enumerate(row):
                entry = work.sum_of([(part, within[a, b]) for a, b, part in parts], "root", i, j)
                if not parts:
                    entry[:] = 0.0
                if i == j:
                    entry += 1.0
                for c in range(j):
                    entry -= np.multiply(lower[i][c], lower[j][c], out=work("product"))
                if i == j:
                    np.divide(1.0, np.sqrt(entry, out=entry), out=entry)
                else:
                    entry *= lower[j][j]
                lower[i].append(entry)
        return lower


def _centres(scores: Floats, cov: Floats, region: Ints) -> Floats:
    """Return the means of the regions by precision, (n_regions, k), with a little error for scores without any."""
    k, n_regions = scores.shape[1], int(region.max()) + 1
    least = EXACT * np.diagonal(cov, axis1=1, axis2=2).max()
    weight = np.linalg.inv(cov + (least or 1.0) * np.eye(k))
    total, weighted = np.zeros((n_regions, k, k)), np.zeros((n_regions, k))
    np.add.at(total, region, weight)
    np.add.at(weighted, region, np.einsum("nij,nj->ni", weight, scores))
    return np.asarray(np.linalg.solve(total, weighted[..., None])[..., 0])


def _inverse_from(lower: Matrix, shrunk: list[Floats], work: Scratch) -> Matrix:
    """Return the lower half of the inverse of ``L diag(1 / shrunk) L'``, written over both."""
    k, spare = len(shrunk), work("product")
    for i in range(k):  # minus the inverse of L, below its diagonal
        for j in range(i):
            for c in range(j + 1, i):
                lower[i][j] -= np.multiply(lower[i][c], lower[c][j], out=spare)
    above = [[np.multiply(lower[i][j], shrunk[i], out=work("inverse", i, j)) for j in range(i)] for i in range(k)]
    found: Matrix = []
    for i in range(k):
        found.append([*(np.negative(entry, out=entry) for entry in above[i]), shrunk[i]])
        for j in range(i + 1):
            for a in range(i + 1, k):
                found[i][j] += np.multiply(lower[a][i], above[a][j], out=spare)
    return found
