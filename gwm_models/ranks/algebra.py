"""Algebra of many small matrices at once: lists of lists of arrays, one array for each pair of rows and columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = list[list[Floats]]

SINGULAR = 1e-12
"""Share of a variance that is left when it is known from those before it, but for rounding."""


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


@dataclass
class Scratch:
    """Arrays of one shape that are overwritten from tile to tile, each under a name of its own."""

    shape: tuple[int, int]
    held: dict[tuple[object, ...], Floats] = field(default_factory=dict)

    def __call__(self, *name: object) -> Floats:
        """Return the array of that name; it holds what was last written to it."""
        if name not in self.held:
            self.held[name] = np.empty(self.shape)
        return self.held[name]

    def stack(self, names: Sequence[tuple[object, ...]]) -> Floats:
        """Put the arrays of those names one behind the other, (n_names, *shape); asked for before any of them is."""
        if names[0] not in self.held:
            self.held.update(zip(names, np.empty((len(names), *self.shape)), strict=True))
        return np.asarray(self.held[names[0]].base)

    def of(self, width: int) -> Scratch:
        """Return this store, or an empty one if the tile has another width."""
        return self if self.shape[1] == width else Scratch((self.shape[0], width))

    def sum_of(self, products: Iterable[tuple[Floats, Floats]], *name: object) -> Floats:
        """Add up products of two arrays, one or more, in the array of that name."""
        total, spare = self(*name), self("product")
        for place, (one, other) in enumerate(products):
            np.multiply(one, other, out=spare if place else total)
            if place:
                total += spare
        return total
