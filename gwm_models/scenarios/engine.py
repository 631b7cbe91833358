"""The scenario engine: pure functions on arrays of draws. No names, no files.

Shapes: S draws (or 1, broadcast), n areas, k indicators, d domains, T years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Layers:
    """One set of draws of everything uncertain; any array may hold a single central draw.

    Attributes
    ----------
    level : ndarray, shape (S, n, k)
        True indicator levels in their units; the domain score for an indicator known only in points.
    score : ndarray, shape (S, n, d)
        True domain scores.
    points : ndarray, shape (S, k)
        Score points per unit, signed.
    effect : tuple of ndarray, shape (S, n)
        Size of each action's change by area.
    full : ndarray, shape (S, n_outcomes)
        Years per point of the total: the full association.
    stated : ndarray, shape (S, n_outcomes, d)
        Years per point of each domain that the stated link takes as effect.
    """

    level: Floats
    score: Floats
    points: Floats
    effect: tuple[Floats, ...]
    full: Floats
    stated: Floats


@dataclass(frozen=True, eq=False)
class ActionPlan:
    """One action as the arrays need it.

    Attributes
    ----------
    indicator : int
    kind : str
        ``absolute``, ``points``, ``relative``, ``target`` or ``close_gap``.
    treated : ndarray of bool, shape (n,)
    benchmark : str or int or None
        For ``close_gap``: ``median``, ``best_quintile`` or an area's position.
    phase : ndarray, shape (T,)
        Share of the change in place in each year.
    additional : float
        Share of the change that would not have happened anyway and stays in the area.
    spillover : float
        Share of the mean change of its neighbours that an untreated area receives.
    """

    indicator: int
    kind: str
    treated: Bools
    benchmark: str | int | None
    phase: Floats
    additional: float
    spillover: float


@dataclass(frozen=True, eq=False)
class Effects:
    """What the actions change.

    Attributes
    ----------
    total : ndarray, shape (T, S, n)
        Change of the total by year, score points.
    by_domain : dict of ndarray, shape (T, S, n)
        The same for each domain that an action changes, by its position.
    domain : ndarray, shape (S, n, d)
        Change of the domain scores in the last year.
    level : ndarray, shape (S, n, k)
        Change of the indicator levels in the last year, after limits.
    asked, delivered : tuple of ndarray, shape (S, n)
        Each action's change in the last year: before additionality and limits, and after.
    clamped : tuple of ndarray of bool, shape (S, n)
        Where a hard limit cut an action's change in the last year.
    """

    total: Floats
    by_domain: dict[int, Floats]
    domain: Floats
    level: Floats
    asked: tuple[Floats, ...]
    delivered: tuple[Floats, ...]
    clamped: tuple[Bools, ...]


def change_of_level(plan: ActionPlan, layers: Layers, value: Floats, direction: int) -> Floats:
    """Return the full change of an indicator's level that an action asks for, treated or not.

    Parameters
    ----------
    plan : ActionPlan
    layers : Layers
    value : ndarray, shape (S, n)
        Size of the change, in the unit of its kind: percent for ``relative`` (20), a share for ``close_gap`` (0.5).
    direction : {1, -1}

    Returns
    -------
    ndarray, shape (S, n)
        In the indicator's unit. ``target`` and ``close_gap`` never make an area worse: one that is already there keeps
        its level.
    """
    level = layers.level[:, :, plan.indicator]
    if plan.kind == "absolute":
        return np.broadcast_to(value, np.broadcast_shapes(value.shape, level.shape))
    if plan.kind == "points":
        return np.asarray(value / layers.points[:, plan.indicator, None])
    if plan.kind == "relative":
        return np.asarray(level * value / 100)
    if plan.kind == "target":
        return np.asarray(direction * np.maximum(direction * (value - level), 0))
    gap = benchmark_level(plan.benchmark, level, direction) - level
    return np.asarray(direction * np.maximum(direction * gap, 0) * value)


def benchmark_level(benchmark: str | int | None, level: Floats, direction: int) -> Floats:
    """Return the level that a gap is measured to, in each draw; shape (S, 1).

    ``median`` is the median area; ``best_quintile`` the level that a fifth of areas reach or better; a number is an
    area's position.
    """
    if isinstance(benchmark, int):
        return level[:, benchmark, None]
    if benchmark == "median":
        return np.median(level, axis=1, keepdims=True)
    return np.asarray(direction * np.quantile(direction * level, 0.8, axis=1, keepdims=True))


def phase_in(
    years: Sequence[int], start: int, full_by: int, *, shape: str = "linear", half_life: float | None = None
) -> Floats:
    """Return the share of a change in place in each year.

    Linear: 0 in `start`, 1 in `full_by`; step: 1 from `full_by`. With a half-life, it fades from `full_by`.

    Examples
    --------
    >>> phase_in(range(2026, 2031), 2026, 2028).tolist()
    [0.0, 0.5, 1.0, 1.0, 1.0]
    >>> phase_in(range(2026, 2031), 2026, 2026, half_life=2).round(3).tolist()
    [1.0, 0.707, 0.5, 0.354, 0.25]
    """
    year = np.asarray(years, dtype=float)
    reached = year >= full_by
    if shape == "step" or full_by == start:
        share = reached.astype(float)
    else:
        share = np.clip((year - start) / (full_by - start), 0, 1)
    if half_life is not None:
        share = share * np.where(reached, 0.5 ** ((year - full_by) / half_life), 1)
    return share


def row_standardised(borders: NDArray[np.int64], n_areas: int) -> Floats:
    """Return spatial weights: each row the equal shares of an area's neighbours; zero for an island.

    Parameters
    ----------
    borders : ndarray of int, shape (n_pairs, 2)
    n_areas : int
    """
    touching = np.zeros((n_areas, n_areas))
    touching[borders[:, 0], borders[:, 1]] = touching[borders[:, 1], borders[:, 0]] = 1
    return np.asarray(touching / np.maximum(touching.sum(axis=1, keepdims=True), 1))


def apply_actions(
    plans: Sequence[ActionPlan],
    layers: Layers,
    *,
    direction: Sequence[int],
    limits: Floats,
    domain: Sequence[int],
    neighbours: Floats,
    n_years: int,
) -> Effects:
    """Apply all actions together, year by year.

    Changes of one indicator add up, each worked out from the baseline level; hard limits are applied to the sum, in
    each draw.

    Parameters
    ----------
    plans : sequence of ActionPlan
    layers : Layers
    direction, domain : sequence of int, length k
        Direction and domain of each indicator.
    limits : ndarray, shape (k, 2)
        Hard limits of the levels.
    neighbours : ndarray, shape (n, n)
        Row-standardised weights.
    n_years : int

    Returns
    -------
    Effects
        All zero, exactly, where there is no action.
    """
    n_draws = max(array.shape[0] for array in (layers.level, layers.points, *layers.effect))
    n_areas, n_indicators = layers.level.shape[1:]
    full = [
        change_of_level(plan, layers, layers.effect[a], direction[plan.indicator]) * plan.treated
        for a, plan in enumerate(plans)
    ]
    spread = [
        _with_spillover(change * plan.additional, plan, neighbours) for change, plan in zip(full, plans, strict=True)
    ]
    touched = sorted({plan.indicator for plan in plans})
    by_domain = {domain[j]: np.zeros((n_years, n_draws, n_areas)) for j in touched}
    level = np.zeros((n_draws, n_areas, n_indicators))
    kept: dict[int, Floats] = {}
    cut: dict[int, Bools] = {}
    for t in range(n_years):
        for j in touched:
            asked = sum(
                change * plan.phase[t] for change, plan in zip(spread, plans, strict=True) if plan.indicator == j
            )
            moved, beyond = _within_limits(layers.level[:, :, j], asked, limits[j])
            by_domain[domain[j]][t] += moved * layers.points[:, j, None]
            if t == n_years - 1:
                level[:, :, j], cut[j] = moved, beyond
                kept[j] = np.divide(moved, asked, out=np.ones_like(moved), where=beyond)
    changed = np.zeros((n_draws, n_areas, layers.score.shape[2]))
    for d, history in by_domain.items():
        changed[:, :, d] = history[-1]
    last = [plan.phase[-1] if len(plan.phase) else 0.0 for plan in plans]
    delivered = [change * share * kept[plan.indicator] for change, share, plan in zip(spread, last, plans, strict=True)]
    return Effects(
        total=sum(by_domain.values(), np.zeros((n_years, n_draws, n_areas))),
        by_domain=by_domain,
        domain=changed,
        level=level,
        asked=tuple(change * share for change, share in zip(full, last, strict=True)),
        delivered=tuple(delivered),
        clamped=tuple(cut[plan.indicator] & plan.treated for plan in plans),
    )


def _within_limits(level: Floats, change: Floats, limits: Floats) -> tuple[Floats, Bools]:
    """Return a change cut where it would pass a hard limit, and where it was cut."""
    after = level + change
    beyond = ((after < limits[0]) | (after > limits[1])) & (change != 0)
    return np.where(beyond, np.clip(after, *limits) - level, change), beyond


def _with_spillover(change: Floats, plan: ActionPlan, neighbours: Floats) -> Floats:
    """Add what untreated areas receive from treated neighbours."""
    if plan.spillover == 0:
        return change
    received = plan.spillover * (change @ neighbours.T)
    return np.where(plan.treated, change, received)


def response_weights(n_years: int, lag: int, build_up: int) -> Floats:
    """Return how much of a change made `i` years ago is added to the response, i = 0 .. n_years - 1.

    The response starts after `lag` years and grows evenly over `build_up` years; weights sum to 1 once it is complete.

    Examples
    --------
    >>> response_weights(5, 1, 2).tolist()
    [0.0, 0.0, 0.5, 0.5, 0.0]
    """
    age = np.arange(-1, n_years)
    reached = np.clip((age - lag) / build_up, 0, 1) if build_up else (age >= lag).astype(float)
    return np.diff(reached)


def lagged(history: Floats, weights: Floats) -> Floats:
    """Return the response in the last year to a history of changes.

    Parameters
    ----------
    history : ndarray, shape (T, S, n)
    weights : ndarray, shape (T,)
        By age of the change, from `response_weights`.
    """
    response = np.zeros(history.shape[1:])
    for t, weight in enumerate(weights[::-1]):
        if weight:
            response += weight * history[t]
    return response
