"""What the scenario engine works on: plans and layers of draws in, effects out. No names, no files.

Shapes: B draws of a block (or 1, broadcast), S draws in all, n areas, k indicators, d domains, T years. What an action
changes is a quantity: an indicator (0 to k - 1), or a condition behind the scores (k and up).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.scenarios.sizes import Size

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrendLayer:
    """Where levels go without any action.

    Attributes
    ----------
    n_draws : int
    growth : callable
        Growth of one indicator for a slice of the draws, its place and places of years, shape (len(years), B, n).
    grown : callable
        Levels of an indicator, by its place, after growth from levels of a shape that goes with it.
    """

    n_draws: int
    growth: Callable[[slice, int, tuple[int, ...]], Floats]
    grown: Callable[[int, Floats, Floats], Floats]

    def cut(self, part: slice) -> TrendLayer:
        """Return some draws of it; a single central draw stays as it is."""
        if self.n_draws == 1:
            return self
        start, stop, _ = part.indices(self.n_draws)

        def growth(rows: slice, place: int, years: tuple[int, ...]) -> Floats:
            return self.growth(slice(start + rows.start, start + rows.stop), place, years)

        return TrendLayer(stop - start, growth, self.grown)


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
    effect : tuple of ndarray, shape (S, m or 1)
        Size of each action's change in the m areas it reaches.
    own : tuple of ndarray, shape (S, m), or None
        What each area adds to it, with a course of its own (`ActionPlan.own_phase`); None for nothing.
    additional : tuple of ndarray, shape (S,)
        Share of each action's change that would not have happened anyway and stays in the area.
    slopes : tuple of ndarray, shape (S, d), or None
        Points of each domain per unit of the condition that an action changes; None for an action on an indicator.
    full : ndarray, shape (S, n_outcomes)
        Years per point of the total: the full association.
    stated : ndarray, shape (S, n_outcomes, d)
        Years per point of each domain that the stated link takes as effect.
    trend : TrendLayer or None
        None where levels stay as they are.
    """

    level: Floats
    score: Floats
    points: Floats
    effect: tuple[Floats, ...]
    own: tuple[Floats | None, ...]
    additional: tuple[Floats, ...]
    slopes: tuple[Floats | None, ...]
    full: Floats
    stated: Floats
    trend: TrendLayer | None = None

    @property
    def n_draws(self) -> int:
        """Number of draws: the most that any part holds."""
        arrays = [self.level, self.score, self.points, *self.effect, *self.additional, self.full, self.stated]
        arrays += [array for array in (*self.slopes, *self.own) if array is not None]
        return max([len(array) for array in arrays] + ([] if self.trend is None else [self.trend.n_draws]))


@dataclass(frozen=True, eq=False)
class Spread:
    """What untreated areas receive from treated neighbours.

    Attributes
    ----------
    share : float
        Share of the mean change of their neighbours.
    places : ndarray of int, shape (r,)
        The areas that receive.
    neighbour : ndarray of int, shape (r, w)
        Places of their treated neighbours among the areas the action reaches.
    weight : ndarray, shape (r, w)
        One over the number of all neighbours; 0 fills the rows up.
    """

    share: float
    places: Ints
    neighbour: Ints
    weight: Floats


@dataclass(frozen=True, eq=False)
class ActionPlan:
    """One action as the arrays need it.

    Attributes
    ----------
    id : str
        Changes are added up in the order of their ids, so that the order in a file changes no byte.
    quantity : int
    size : Size
    places : ndarray of int, shape (m,)
        The areas it reaches.
    phase : ndarray, shape (T,)
        Share of the change in place in each year.
    reach : float
        Share of each area's residents that it reaches.
    spread : Spread or None
    own_phase : ndarray, shape (T,), or None
        The same for what each area adds by itself.
    people : ndarray, shape (m,), or None
        Base population of the indicator over 100, where the people whose work it changes are to be counted.
    """

    id: str
    quantity: int
    size: Size
    places: Ints
    phase: Floats
    reach: float = 1.0
    spread: Spread | None = None
    own_phase: Floats | None = None
    people: Floats | None = None


@dataclass(frozen=True, eq=False)
class Setting:
    """What does not vary between draws.

    Attributes
    ----------
    domain : tuple of int, length k
        Domain of each indicator.
    limits : ndarray, shape (k + n_conditions, 2)
        Hard limits of the levels; infinite for an indicator known only in points, which the scale of its domain limits.
    scale : ndarray, shape (d, 2)
        Ends of the printed scale of each domain.
    conditions : ndarray, shape (n, n_conditions)
        Levels of the conditions.
    groups : tuple of ndarray of bool, shape (n,)
        Groups of areas whose mean change is followed over the years.
    responses : ndarray, shape (n_outcomes, T)
        How much of the change of each year is in an outcome's response in the last.
    n_years : int
    block : int
        Draws worked on at a time.
    """

    domain: tuple[int, ...]
    limits: Floats
    scale: Floats
    conditions: Floats
    groups: tuple[Bools, ...]
    responses: Floats
    n_years: int
    block: int = 500


@dataclass(frozen=True, eq=False)
class Effects:
    """What the actions change; without a year of its own, a field is of the last.

    Attributes
    ----------
    total : ndarray, shape (S, n)
        Change of the total, score points.
    domain : ndarray, shape (S, n, d)
        Change of the domain scores, inside the scale.
    level : ndarray, shape (S, n, k)
        Change of the indicator levels, after limits.
    asked, delivered : tuple of ndarray, shape (S, n)
        Each action's change of the level: before additionality and hard limits, and after.
    clamped : tuple of ndarray of bool, shape (S, n)
        Where a hard limit cut an action's change.
    beyond : ndarray of bool, shape (S, n, d)
        Where an end of the scale cut the change of a domain score.
    history : tuple of ndarray, shape (T, S)
        Mean change of the total of each group by year.
    people : tuple of ndarray, shape (T, S), or None
        People whose work each action changes, by year: after limits, before additionality.
    full, stated : tuple of ndarray, shape (S, n)
        Change of each outcome under the full association and under the stated link.
    level_before : ndarray, shape (S, n, k)
        Levels without the actions; those of the layers where there is no trend.
    score_before : ndarray, shape (S, n, d)
        The same for domain scores.
    """

    total: Floats
    domain: Floats
    level: Floats
    asked: tuple[Floats, ...]
    delivered: tuple[Floats, ...]
    clamped: tuple[Bools, ...]
    beyond: Bools
    history: tuple[Floats, ...]
    people: tuple[Floats | None, ...]
    full: tuple[Floats, ...]
    stated: tuple[Floats, ...]
    level_before: Floats
    score_before: Floats


def neighbour_lists(borders: Ints, n_areas: int) -> list[list[int]]:
    """Return the neighbours of each area, in order.

    Parameters
    ----------
    borders : ndarray of int, shape (n_pairs, 2)
    n_areas : int
    """
    found: list[set[int]] = [set() for _ in range(n_areas)]
    for one, other in borders.tolist():
        found[one].add(other)
        found[other].add(one)
    return [sorted(near) for near in found]


def spread_to(
    neighbours: Sequence[Sequence[int]], places: Ints, share: float, having: Collection[int] = frozenset()
) -> Spread:
    """Return what untreated areas receive from treated ones over shared borders, by row-standardised weights.

    Each neighbour of an area has the same weight; those without the action count with no change. An area that has the
    action, or another that changes the same, receives nothing, so that no change is counted twice; an island has no
    neighbours.

    Parameters
    ----------
    neighbours : sequence of sequence of int
    places : ndarray of int
        The areas with the action.
    share : float
    having : collection of int
        Places of areas that another action on the same indicator or condition reaches.
    """
    at = {place: i for i, place in enumerate(places.tolist())}
    rows = [(i, [at[j] for j in near if j in at], len(near)) for i, near in enumerate(neighbours)]
    rows = [row for row in rows if row[0] not in at and row[0] not in having]
    rows = [row for row in rows if row[1]]
    width = max((len(near) for _, near, _ in rows), default=0)
    neighbour, weight = np.zeros((len(rows), width), dtype=np.int64), np.zeros((len(rows), width))
    for r, (_, near, number) in enumerate(rows):
        neighbour[r, : len(near)], weight[r, : len(near)] = near, 1 / number
    return Spread(share, np.array([row[0] for row in rows], dtype=np.int64), neighbour, weight)


def rows_of(layers: Layers, part: slice) -> Layers:
    """Return some draws of the layers; single central draws stay as they are."""

    def cut(array: Floats) -> Floats:
        return array if len(array) == 1 else array[part]

    return replace(
        layers,
        level=cut(layers.level),
        score=cut(layers.score),
        points=cut(layers.points),
        effect=tuple(map(cut, layers.effect)),
        additional=tuple(map(cut, layers.additional)),
        own=tuple(None if array is None else cut(array) for array in layers.own),
        slopes=tuple(None if array is None else cut(array) for array in layers.slopes),
        full=cut(layers.full),
        stated=cut(layers.stated),
        trend=None if layers.trend is None else layers.trend.cut(part),
    )
