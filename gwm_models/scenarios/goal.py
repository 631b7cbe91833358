"""Goal seek: the value of one number nearest to changing nothing with which a goal is reached surely enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import ModelError
from gwm_models.scenarios.measured import measure_draws
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.spec import Goal, Scenario
from gwm_models.scenarios.spread import one
from gwm_models.scenarios.vary import find_number
from gwm_models.scenarios.versions import plain_content, version_of

Bools = NDArray[np.bool_]

STEPS = 12
"""Steps of the coarse grid."""
FINE = 1e-3
"""Tolerance of the value found, as a share of the range; rounded down to a power of ten."""
ROUNDS = 3
"""Times that the grid is refined about its best point where no point of it reaches the goal."""
SURE = 3.0
"""Standard errors by which a probability must fall again to count as falling."""
SLACK = 1e-9
LATER = ("start", "full_by", "years", "build_up")
"""Numbers of actions and health of which more asks for less: a later year, a longer wait."""


@dataclass(frozen=True)
class GoalPoint:
    """What one value of the free number gives.

    Attributes
    ----------
    value : float
    probability : float
        Share of draws in which the goal is reached; a draw without a value does not reach it.
    estimate, std_error, lower, upper : float or None
        Of the measure.
    size : float
        Mean over areas and draws of the magnitude of the change of the total.
    coarse : bool
        Whether it is a point of the coarse grid.
    """

    value: float
    probability: float
    estimate: float | None
    std_error: float | None
    lower: float | None
    upper: float | None
    size: float
    coarse: bool


@dataclass(frozen=True, eq=False)
class GoalFound:
    """The answer to a goal.

    Attributes
    ----------
    scenario : Scenario
        The question.
    start : float
        The value of the grid that changes the total least; of several the latest year or the longest lag, or else
        the one nearest 0. The search goes from there.
    tolerance : float
        The value is found to this.
    value : float or None
        The value nearest to `start` whose probability is as asked or more; None if there is none.
    value_lower, value_upper : float or None
        Where another seed would put it, at `level`: simulation error. None where it cannot be told.
    level : float
        Of all intervals.
    points : tuple of GoalPoint
        All values tried, in order.
    best : GoalPoint
        At `value`; where the goal is out of reach, that with the highest probability, then the best estimate.
    rises : bool
        Whether the probability nowhere falls again on the way from `start`, beyond simulation error.
    whole : bool
        Whether the number is a whole one, such as a year.
    later : bool
        Whether more of the number asks for less, as a later year does.
    projection : Projection
        At `best`.
    """

    scenario: Scenario
    start: float
    tolerance: float
    value: float | None
    value_lower: float | None
    value_upper: float | None
    level: float
    points: tuple[GoalPoint, ...]
    best: GoalPoint
    rises: bool
    whole: bool
    later: bool
    projection: Projection

    @property
    def goal(self) -> Goal:
        """What was asked."""
        return _goal_of(self.scenario)


def seek_goal(scenario: Scenario, edition: Edition | None = None) -> GoalFound:
    """Find the least change of one number with which a goal is reached with the probability asked.

    All values are tried on the same draws, so the probability is a step function of the value. It is worked out on a
    grid; the search goes outwards from the value that changes the total least, to both sides, and the first step in
    which the goal comes within reach is halved until it is as short as the tolerance.

    Parameters
    ----------
    scenario : Scenario
        Checked, of kind goal.
    edition : Edition, optional
        The one named in the scenario by default.

    Raises
    ------
    ModelError
        If the scenario has no goal, or what it measures is not there.
    ScenarioError
        If a value between the ends makes no sound scenario.

    References
    ----------
    Glasserman and Yao (1992), Management Science 38, 884-908 (common random numbers). The simulation error of the value
    is that of the probability over its slope, as for a quantile: Serfling (1980), Approximation Theorems, 2.3.
    """
    search = _Search(scenario, edition or load_edition(scenario.baseline.edition))
    grid = search.grid()
    start = search.start(grid)
    found = search.nearest(grid, start) or search.refined(grid, start)
    best = found or max(search.tried(), key=lambda point: search.merit(point, start))
    lower, upper = search.simulation_error(found) if found and found.value != start.value else (None, None)
    return GoalFound(
        scenario=scenario,
        start=start.value,
        tolerance=search.tolerance,
        value=None if found is None else found.value,
        value_lower=lower,
        value_upper=upper,
        level=search.level,
        points=search.tried(),
        best=best,
        rises=search.rises(grid, start),
        whole=search.whole,
        later=search.later,
        projection=search.project(best.value),
    )


def _goal_of(scenario: Scenario) -> Goal:
    if scenario.goal is None:
        raise ModelError(f"{scenario.id} has no goal. Use kind: goal with a block 'goal', or gwm run.")
    return scenario.goal


class _Search:
    """Values of the free number that were tried, and what they gave."""

    def __init__(self, scenario: Scenario, edition: Edition) -> None:
        self.goal, self.edition = _goal_of(scenario), edition
        self.content = plain_content(scenario)
        self.level = max(scenario.analysis.intervals)
        self.n_draws = scenario.analysis.draws
        low, high = self.goal.vary.low, self.goal.vary.high
        if low is None or high is None:
            raise ModelError(f"{scenario.id}: goal.vary needs low and high.")
        free = find_number(self.content, self.goal.vary.path)
        self.whole = free.whole
        self.later = free.keys[0] != "horizon" and free.keys[-1] in LATER
        self.low: float = ceil(low) if self.whole else low
        self.high: float = floor(high) if self.whole else high
        if self.low > self.high:
            raise ModelError(f"{scenario.id}: no whole number lies between {low:g} and {high:g}. Widen goal.vary.")
        self.places = 0 if self.whole else -floor(log10((high - low) * FINE))
        self.tolerance = 1.0 if self.whole else 10.0**-self.places
        self._found: dict[float, tuple[GoalPoint, Bools]] = {}

    def project(self, value: float) -> Projection:
        return project(version_of(self.content, {self.goal.vary.path: value}), self.edition, variance=False)

    def at(self, value: float, *, coarse: bool = False) -> GoalPoint:
        """Try a value, once."""
        if value not in self._found:
            projection = self.project(value)
            draws = measure_draws(projection, self.goal.measure)
            reached = self._reached(draws)
            numbers = {name: number(given) for name, given in one(draws, self.level).items()}
            size = float(np.abs(projection.change).mean())
            self._found[value] = GoalPoint(value, float(reached.mean()), **numbers, size=size, coarse=coarse), reached
        return self._found[value][0]

    def _reached(self, draws: NDArray[np.float64]) -> Bools:
        if self.goal.at_least is not None:
            return np.asarray(draws >= self.goal.at_least - SLACK * max(1.0, abs(self.goal.at_least)))
        most = self.goal.at_most
        assert most is not None  # noqa: S101 - the file has one of the two
        return np.asarray(draws <= most + SLACK * max(1.0, abs(most)))

    def tried(self) -> tuple[GoalPoint, ...]:
        return tuple(self._found[value][0] for value in sorted(self._found))

    def enough(self, point: GoalPoint) -> bool:
        return point.probability >= self.goal.probability - SLACK

    def merit(self, point: GoalPoint, start: GoalPoint) -> tuple[float, float, float]:
        """Return what the better of two points has more of: probability, then estimate, then nearness to the start."""
        toward = 1 if self.goal.at_least is not None else -1
        estimate = -np.inf if point.estimate is None else toward * point.estimate
        return point.probability, estimate, -abs(point.value - start.value)

    def _snapped(self, value: float) -> float:
        return min(max(round(value, self.places) + 0.0, self.low), self.high)

    def grid(self) -> list[GoalPoint]:
        """Try evenly spaced values, both ends and no change among them."""
        values = {self._snapped(value) for value in np.linspace(self.low, self.high, STEPS + 1).tolist()}
        values |= {float(self.low), float(self.high)} | ({0.0} if self.low <= 0 <= self.high else set())
        return [self.at(value, coarse=True) for value in sorted(values)]

    def start(self, grid: Sequence[GoalPoint]) -> GoalPoint:
        """Return the value that changes the total least; of several the one that asks for least."""
        alike = least_changing(grid)
        return max(alike, key=lambda point: point.value) if self.later else min(alike, key=lambda p: abs(p.value))

    def nearest(self, grid: Sequence[GoalPoint], start: GoalPoint) -> GoalPoint | None:
        """Return the value nearest to the start that reaches the goal, from the grid on."""
        found = [self._first(way) for way in _ways(grid, start)]
        return min((point for point in found if point), key=lambda point: abs(point.value - start.value), default=None)

    def _first(self, way: Sequence[GoalPoint]) -> GoalPoint | None:
        place = next((i for i, point in enumerate(way) if self.enough(point)), None)
        if place is None:
            return None
        inside = way[place]
        return inside if place == 0 else self._halved(way[place - 1], inside)

    def _halved(self, outside: GoalPoint, inside: GoalPoint) -> GoalPoint:
        """Halve the step between a value that does not reach the goal and one that does."""
        while True:
            middle = self._snapped((outside.value + inside.value) / 2)
            if middle in (outside.value, inside.value):
                return inside
            tried = self.at(middle)
            outside, inside = (outside, tried) if self.enough(tried) else (tried, inside)

    def refined(self, grid: Sequence[GoalPoint], start: GoalPoint) -> GoalPoint | None:
        """Look closer about the best point of a grid that nowhere reaches the goal."""
        points = list(grid)
        for _ in range(ROUNDS):
            best = max(range(len(points)), key=lambda i: self.merit(points[i], start))
            ends = points[max(best - 1, 0)].value, points[min(best + 1, len(points) - 1)].value
            points = [self.at(self._snapped(value)) for value in np.linspace(*ends, 9).tolist()]
            if any(map(self.enough, points)):
                return self._beside(points, start)
        return None

    def _beside(self, points: Sequence[GoalPoint], start: GoalPoint) -> GoalPoint | None:
        nearest = min(points, key=lambda point: abs(point.value - start.value))
        return self.nearest(points, nearest)

    def rises(self, grid: Sequence[GoalPoint], start: GoalPoint) -> bool:
        """Tell whether the probability nowhere falls on the way from the start, by the same draws."""
        for way in _ways(grid, start):
            top = way[0]
            for point in way[1:]:
                lost = self._found[top.value][1] & ~self._found[point.value][1]
                won = self._found[point.value][1] & ~self._found[top.value][1]
                apart = float(lost.mean() - won.mean())
                if apart > SURE * sqrt(max(float((lost | won).mean()) - apart**2, 0.0) / self.n_draws) + SLACK:
                    return False
                top = max(top, point, key=lambda each: each.probability)
        return True

    def simulation_error(self, found: GoalPoint) -> tuple[float | None, float | None]:
        """Return where other draws would put the value: the error of the probability over its slope there."""
        if self.whole:
            return None, None
        p = self.goal.probability
        error = sqrt(p * (1 - p) / self.n_draws)
        half = (self.high - self.low) / STEPS / 2
        slope = self._slope(found.value, half)
        slope = self._slope(found.value, min(half, max(2 * error / slope, self.tolerance))) if slope > 0 else 0.0
        if slope <= 0:
            return None, None
        apart = NormalDist().inv_cdf((1 + self.level) / 2) * error / slope
        lower, upper = max(found.value - apart, self.low), min(found.value + apart, self.high)
        return round(lower, self.places), round(upper, self.places)

    def _slope(self, value: float, half: float) -> float:
        """Return by how much the probability changes, whichever way, for each unit of the value."""
        below, above = self.at(self._snapped(value - half)), self.at(self._snapped(value + half))
        if above.value == below.value:
            return 0.0
        return abs(above.probability - below.probability) / (above.value - below.value)


def least_changing(points: Sequence[GoalPoint]) -> list[GoalPoint]:
    """Return the values that change the total least, and as little as each other."""
    least = min(point.size for point in points)
    return [point for point in points if point.size <= least * (1 + SLACK) + SLACK]


def number(given: object) -> float | None:
    """Return a number of a row as it is; None where it is missing."""
    return given if isinstance(given, float) else None


def _ways(grid: Sequence[GoalPoint], start: GoalPoint) -> tuple[list[GoalPoint], list[GoalPoint]]:
    """Return the points from the start upwards, and from the start downwards."""
    place = next(i for i, point in enumerate(grid) if point.value == start.value)
    return list(grid[place:]), list(grid[place::-1])
