"""Gaussian algebra of the hierarchical score model, many draws of the spread between areas at once.

A matrix of every draw and area is a list of lists of arrays, one for each pair of domains; symmetric ones hold the
same array twice. Work goes in tiles of draws that fit in the cache. Where all areas have the same sampling covariance
the arrays have one column and stand for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Matrix = list[list[Floats]]

TILE = 16_384
"""Draws times areas worked on at a time."""
STREAM = 2**18
"""Draws times areas whose random numbers are held at a time."""
SINGULAR = 1e-12
"""Share of a variance that is left when it is known from the domains before it, but for rounding."""


def tiles(n_draws: int, n_areas: int, size: int = TILE) -> Iterator[slice]:
    """Yield slices of draws, about `size` numbers each."""
    step = max(1, size // max(n_areas, 1))
    return (slice(first, min(first + step, n_draws)) for first in range(0, n_draws, step))


def invert(matrix: Matrix) -> tuple[Matrix, list[Floats]]:
    """Invert symmetric positive definite matrices by symmetric sweeps; return them with the pivots.

    The determinant is the product of the pivots.

    References
    ----------
    Goodnight (1979), The American Statistician 33, 149-158 (the sweep operator).
    """
    a, pivots = [list(row) for row in matrix], []
    for p in range(len(a)):
        pivot = a[p][p]
        pivots.append(pivot)
        inverse = 1 / pivot
        others = [i for i in range(len(a)) if i != p]
        scaled = {i: a[i][p] * inverse for i in others}
        for i in others:
            for j in others:
                if j <= i:
                    a[i][j] = a[j][i] = a[i][j] - scaled[i] * a[p][j]
        for i in others:
            a[i][p] = a[p][i] = scaled[i]
        a[p][p] = -inverse
    for i in range(len(a)):
        for j in range(i + 1):
            a[i][j] = a[j][i] = -a[i][j]
    return a, pivots


def root(matrix: Matrix) -> Matrix:
    """Return lower Cholesky factors of positive semi-definite matrices, of which the lower half is read.

    A quantity that is known from those before it, or exactly, has a column of zeros.
    """
    factor: Matrix = [[] for _ in matrix]
    for j in range(len(matrix)):
        left = matrix[j][j] - sum(factor[j][c] ** 2 for c in range(j))
        known = left <= SINGULAR * matrix[j][j]
        inverse = np.where(known, 0.0, 1 / np.sqrt(np.where(known, 1.0, left))) if known.any() else 1 / np.sqrt(left)
        factor[j].append(left * inverse)
        for i in range(j + 1, len(matrix)):
            below = matrix[i][j] - sum(factor[i][c] * factor[j][c] for c in range(j))
            factor[i].append(below * inverse)
    return factor


def times(matrix: Matrix, vector: list[Floats]) -> list[Floats]:
    """Multiply matrices, square or lower triangular, by vectors."""
    return [sum((row[j] * vector[j] for j in range(1, len(row))), row[0] * vector[0]) for row in matrix]


@dataclass(frozen=True, eq=False)
class Hierarchy(Frozen):
    """Published scores of areas in order of region; domains in front.

    Attributes
    ----------
    scores : ndarray, shape (k, n_areas)
        Less the mean of each region, which `centre` holds.
    centre : ndarray, shape (k, n_areas)
    cov : ndarray, shape (k, k, n_areas) or (k, k, 1)
        Sampling covariance; one column if it is the same for all.
    start, size : ndarray of int, shape (n_regions,)
        First area of each region, and how many it has.
    place : ndarray of int, shape (n_areas,)
        Where each area, in the order given, stands here.
    order : ndarray of int, shape (n_areas,)
        The inverse of `place`.
    """

    scores: Floats
    centre: Floats
    cov: Floats
    start: Ints
    size: Ints
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
        order = np.argsort(region, kind="stable")
        size = np.bincount(region)
        start = np.cumsum(size) - size
        ordered = np.ascontiguousarray(scores[order].T)
        centre = np.repeat(np.add.reduceat(ordered, start, axis=1) / size, size, axis=1)
        same = bool((cov == cov[:1]).all())
        columns = np.ascontiguousarray((cov[:1] if same else cov[order]).transpose(1, 2, 0))
        return cls(ordered - centre, centre, columns, start, size, np.argsort(order), order)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of domains and of areas."""
        return len(self.scores), self.scores.shape[1]

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
        every = tiles(between.shape[2], self.shape[1])
        return np.concatenate([self._log_likelihood(between[..., tile]) for tile in every])

    def _log_likelihood(self, between: Floats) -> Floats:
        precision, pivots = self._precision(between)
        region_cov, region_pivots = invert(self._by_region(precision))
        mean = times(region_cov, [self._sums(w) for w in times(precision, list(self.scores))])
        # From the residuals, not as a difference of two large sums: scores without error have no upper bound on theirs.
        left = [y - self._spread(m) for y, m in zip(self.scores, mean, strict=True)]
        fit = sum((x * w).sum(axis=1) for x, w in zip(left, times(precision, left), strict=True))
        repeats = self.shape[1] / pivots[0].shape[1]
        log_det = repeats * sum(np.log(pivot).sum(axis=1) for pivot in pivots)
        log_det = log_det + sum(np.log(pivot).sum(axis=1) for pivot in region_pivots)
        return np.asarray(-0.5 * (log_det + fit))

    def draw(self, between: Floats, white: Floats, region_white: Floats) -> Floats:
        """Draw region means, then true scores, from their exact conditionals given draws of `T`.

        Parameters
        ----------
        between : ndarray, shape (k, k, m)
        white : ndarray, shape (n_areas, m, k)
            Standard normals, areas in the order given to `of`.
        region_white : ndarray, shape (m, n_regions, k)

        Returns
        -------
        ndarray, shape (m, n_areas, k)
            Areas in the order given to `of`.
        """
        k, n = self.shape
        m = between.shape[2]
        drawn = np.empty((m, n, k))
        for tile in tiles(m, n):
            parts = np.ascontiguousarray(white[:, tile].transpose(2, 1, 0)[..., self.order])
            region_parts = list(region_white[tile].transpose(2, 0, 1))
            for j, score in enumerate(self._draw(between[..., tile], list(parts), region_parts)):
                drawn[tile, :, j] = (score + self.centre[j])[:, self.place]
        return drawn

    def _draw(self, between: Floats, white: list[Floats], region_white: list[Floats]) -> list[Floats]:
        precision, _ = self._precision(between)
        mean, region_cov = self._region_mean(precision)
        drawn = [m + extra for m, extra in zip(mean, times(root(region_cov), region_white), strict=True)]
        region = [self._spread(r) for r in drawn]
        gain = _product(_split(between[..., None]), precision)
        moved = times(gain, [y - r for y, r in zip(self.scores, region, strict=True)])
        # What stays unsure, T - T P T, is T P D: written so, it is zero where there is no error.
        noise = times(root(_lower_product(gain, self.cov)), white)
        return [r + x + e for r, x, e in zip(region, moved, noise, strict=True)]

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
        n = self.shape[1]
        precision, _ = self._precision(between[..., None])
        mean, region_cov = self._region_mean(precision)
        prior = np.array([self._spread(m)[0] + np.zeros(n) for m in mean])
        prior_cov = np.array([[self._spread(c)[0] + np.zeros(n) for c in row] for row in region_cov])
        gain = np.einsum("ij,jkn->nik", between, np.array(precision)[:, :, 0] + np.zeros(n))
        kept = np.eye(len(between)) - gain
        centre = self.centre.T + prior.T + np.einsum("nij,jn->ni", gain, self.scores - prior)
        cov = between - gain @ between + kept @ prior_cov.transpose(2, 0, 1) @ kept.transpose(0, 2, 1)
        return centre[self.place], ((cov + cov.transpose(0, 2, 1)) / 2)[self.place]

    def _precision(self, between: Floats) -> tuple[Matrix, list[Floats]]:
        """Return the precision of each published score given its region mean, and its pivots."""
        total = [[t[:, None] + d for t, d in zip(*rows, strict=True)] for rows in zip(between, self.cov, strict=True)]
        return invert(total)

    def _region_mean(self, precision: Matrix) -> tuple[list[Floats], Matrix]:
        """Return mean and covariance of the region means given the published scores, each (m, n_regions)."""
        region_cov, _ = invert(self._by_region(precision))
        weighted = [self._sums(w) for w in times(precision, list(self.scores))]
        return times(region_cov, weighted), region_cov

    def _by_region(self, matrix: Matrix) -> Matrix:
        """Sum symmetric matrices over the areas of each region."""
        summed = [[self._sums(row[j]) for j in range(i + 1)] for i, row in enumerate(matrix)]
        k = len(matrix)
        return [[summed[max(i, j)][min(i, j)] for j in range(k)] for i in range(k)]

    def _sums(self, terms: Floats) -> Floats:
        if terms.shape[1] < self.shape[1]:
            return terms * self.size
        return np.asarray(np.add.reduceat(terms, self.start, axis=1))

    def _spread(self, by_region: Floats) -> Floats:
        """Give every area the figure of its region; one column does for a single region."""
        return by_region if len(self.size) == 1 else np.repeat(by_region, self.size, axis=1)


def _split(matrix: Floats) -> Matrix:
    return [list(row) for row in matrix]


def _product(left: Matrix, right: Matrix) -> Matrix:
    """Multiply square matrices; the second one is symmetric."""
    return [times(right, row) for row in left]


def _lower_product(left: Matrix, right: Floats) -> Matrix:
    """Return the lower half of a product with fixed matrices, passing over entries that are zero for all areas."""
    k = len(left)
    found: Matrix = []
    for i in range(k):
        terms = [[left[i][c] * right[c, j] for c in range(k) if right[c, j].any()] for j in range(i + 1)]
        found.append([sum(t[1:], t[0]) if t else np.zeros((1, 1)) for t in terms])
    return found
