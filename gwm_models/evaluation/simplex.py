"""Least squares on the simplex: weights that are at least zero and sum to one, exact and unique."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

TOLERANCE = 1e-11
"""Of a gradient on data scaled to at most 1: below it a constraint counts as met with equality."""
TIE = 1e-9
"""Columns whose gradient is this near to the least one may share weight without a worse fit."""
NOISE = 1e-14
"""Share by which rounding may raise the dual in a step that lowers it: near its minimum every step is that short."""


@dataclass(frozen=True, eq=False)
class SimplexFit(Frozen):
    """Weights of a fit on the simplex.

    Attributes
    ----------
    weight : ndarray, shape (n_columns,)
        At least 0, sum 1.
    unique : bool
        Whether no other weights fit as well; if not, `weight` has the least sum of squares of all that do.
    """

    weight: Floats
    unique: bool


def simplex_fit(columns: Floats, target: Floats, *, ridge: float = 0.0) -> SimplexFit:
    """Return the weights that minimise ``|target - columns @ w|^2 + ridge |w|^2`` over the simplex.

    With a ridge the minimum is unique. Without one, ties are broken by the least sum of squares of the weights, the
    limit of a ridge that goes to zero.

    Parameters
    ----------
    columns : ndarray, shape (n_rows, n_columns)
    target : ndarray, shape (n_rows,)
    ridge : float, at least 0

    Returns
    -------
    SimplexFit

    Raises
    ------
    ModelError
        If there is no column.

    References
    ----------
    Wolfe (1976), Finding the nearest point in a polytope, Mathematical Programming 11, 128-149,
    doi:10.1007/BF01580381. Hintermüller, Ito & Kunisch (2002), SIAM J. Optimization 13(3), 865-888,
    doi:10.1137/S1052623401383558.

    Examples
    --------
    >>> simplex_fit(np.array([[0.0, 2.0, 9.0]]), np.array([0.5])).weight.round(3).tolist()
    [0.75, 0.25, 0.0]
    """
    count = columns.shape[1]
    if not count:
        raise ModelError("no donor is left to weight. Name donors, or exclude fewer.")
    shifted = columns - target[:, None]
    size = float(np.abs(shifted).max(initial=0.0))
    if count == 1 or size == 0.0:
        return SimplexFit(np.full(count, 1 / count), count == 1)
    shifted = shifted / size
    small = ridge / size**2
    if small > TIE:
        weight = _newton_ridge(shifted, small)
        if weight is not None:
            return SimplexFit(weight, True)
    if small > 0:
        shifted = np.vstack([shifted, np.sqrt(small) * np.eye(count)])
    weight = _nearest_point(shifted)
    return SimplexFit(weight, True) if small > 0 else _least_norm(shifted, weight)


def kkt_gap(columns: Floats, target: Floats, weight: Floats, *, ridge: float = 0.0) -> float:
    """Return how far weights are from the conditions of a minimum, on the scale of the squared data.

    Zero at the minimum: every column with weight has the least gradient, and no column has a lower one.
    """
    shifted = columns - target[:, None]
    size = float(np.abs(shifted).max(initial=0.0)) or 1.0
    slope = shifted.T @ (shifted @ weight) / size**2 + ridge * weight / size**2
    return float(max(weight @ (slope - slope.min()), abs(weight.sum() - 1), -weight.min(), 0.0))


def _nearest_point(points: Floats) -> Floats:
    """Return convex weights of the point nearest to the origin in the hull of the columns (Wolfe's algorithm)."""
    count = points.shape[1]
    held = [int(np.argmin(np.einsum("ij,ij->j", points, points)))]
    weight = np.zeros(count)
    weight[held] = 1.0
    for _ in range(20 * count + 100):
        slope = points.T @ (points @ weight)
        best = float(weight @ slope)
        slope[held] = np.inf
        enters = int(np.argmin(slope))
        if len(held) == count or slope[enters] >= best - TOLERANCE:
            return weight
        held.append(enters)
        weight, held = _settle(points, weight, held)
    raise ModelError(f"weights of {count} donors did not settle. Leave out donors that are alike.")


def _settle(points: Floats, weight: Floats, held: list[int]) -> tuple[Floats, list[int]]:
    """Move to the best weights on the held columns, letting go of those that would become negative."""
    while True:
        affine = _affine_weights(points[:, held])
        if (affine > 0).all():
            found = np.zeros_like(weight)
            found[held] = affine / affine.sum()
            return found, held
        now = weight[held]
        falls = affine <= 0
        steps = now[falls] / np.maximum(now[falls] - affine[falls], np.finfo(float).tiny)
        reach = float(steps.min())
        moved = now + reach * (affine - now)
        gone = falls & (moved <= np.finfo(float).eps)
        gone[np.flatnonzero(falls)[int(np.argmin(steps))]] = True
        weight = np.zeros_like(weight)
        held = [j for j, out in zip(held, gone.tolist(), strict=True) if not out]
        weight[held] = moved[~gone] / moved[~gone].sum()


def _affine_weights(points: Floats) -> Floats:
    """Return weights with sum 1, of any sign, of the point nearest to the origin."""
    first = points[:, 0]
    if points.shape[1] == 1:
        return np.ones(1)
    rest = np.linalg.lstsq(points[:, 1:] - first[:, None], -first, rcond=None)[0]
    return np.concatenate([[1 - rest.sum()], rest])


def _newton_ridge(points: Floats, ridge: float) -> Floats | None:
    """Solve the ridge problem by its active sets; None where they do not settle or the answer is not a minimum.

    Systems are solved in the rows of `points`, which are fewer than its columns where there are many donors.
    """
    rows, count = points.shape
    held = np.ones(count, dtype=bool)
    for _ in range(60):
        part = points[:, held]
        across = np.linalg.solve(part @ part.T + ridge * np.eye(rows), part.sum(axis=1))
        free = 1 - part.T @ across
        multiplier = ridge / free.sum()
        weight = np.zeros(count)
        weight[held] = free / free.sum()
        slope = points.T @ (points @ weight) - multiplier
        now = np.where(held, weight > 0, slope < -TOLERANCE)
        if (now == held).all():
            done = weight / weight.sum()
            return done if kkt_gap(points, np.zeros(rows), done, ridge=ridge) < TIE else None
        if not now.any():
            return None
        held = now
    return None


def _least_norm(points: Floats, weight: Floats) -> SimplexFit:
    """Among weights that fit as well as these, return those of least sum of squares."""
    slope = points.T @ (points @ weight)
    face = (slope - slope.min() <= TIE) | (weight > 0)
    system = np.vstack([points[:, face], np.ones(int(face.sum()))])
    _, size, right = np.linalg.svd(system, full_matrices=False)
    rank = int((size > size[0] * 1e-10).sum())
    if rank == int(face.sum()):
        return SimplexFit(weight, True)
    rows = right[:rank]
    found = _positive_part(rows, rows @ weight[face])
    if found is None or np.abs(system @ (found - weight[face])).max() > TIE:
        return SimplexFit(weight, False)
    spread = np.zeros_like(weight)
    spread[face] = found / found.sum()
    return SimplexFit(spread, bool(np.abs(spread - weight).max() < 1e-7))


def _positive_part(rows: Floats, level: Floats) -> Floats | None:
    """Return the least-norm ``w >= 0`` with ``rows @ w = level`` by Newton steps on its dual; None if they stall.

    The solution is the positive part of ``rows.T @ mu``; `rows` are orthonormal.
    """

    def dual(mu: Floats) -> float:
        return float(0.5 * np.sum(np.maximum(rows.T @ mu, 0) ** 2) - level @ mu)

    mu = level.copy()
    for _ in range(200):
        found = np.maximum(rows.T @ mu, 0)
        gap = rows @ found - level
        if np.abs(gap).max() < 1e-13:
            return np.asarray(found)
        active = rows[:, found > 0]
        step = np.linalg.solve(active @ active.T + 1e-12 * np.eye(len(rows)), -gap)
        size, now = 1.0, dual(mu)
        most = now + NOISE * max(1.0, abs(now))
        while size > 1e-12 and dual(mu + size * step) > most + 1e-4 * size * float(gap @ step):
            size /= 2
        if size <= 1e-12:
            return np.asarray(found) if np.abs(gap).max() < 1e-10 else None
        mu = mu + size * step
    return np.asarray(found) if np.abs(gap).max() < 1e-10 else None
