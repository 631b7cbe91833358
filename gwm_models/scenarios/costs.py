"""What actions cost, in every draw."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.spec import Action, Amount
from gwm_models.scenarios.spread import Row, one

Floats = NDArray[np.float64]

LEVEL = 0.9
"""Probability that the stated interval of an amount holds it."""


@dataclass(frozen=True, eq=False)
class CostDraws:
    """What one action costs in GBP at its price base, undiscounted, in every draw.

    Attributes
    ----------
    price_base : int
    start : int
        Year in which the action begins: that of the fixed amount.
    fixed : ndarray, shape (n_draws,)
        Paid once.
    years : tuple of int
        Years of the recurring amount; none without one.
    recurring : ndarray, shape (n_paid_years, n_draws)
        Paid in each of them.
    """

    price_base: int
    start: int
    fixed: Floats
    years: tuple[int, ...]
    recurring: Floats

    @property
    def total(self) -> Floats:
        """Return the sum over all years, shape (n_draws,)."""
        return np.asarray(self.fixed + self.recurring.sum(axis=0))


def cost_draws(projection: Projection, a: int) -> Floats | None:
    """Return the whole cost of an action in GBP at its price base, undiscounted, in every draw; None without a cost.

    Parameters
    ----------
    projection : Projection
    a : int
        Place of the action.

    Returns
    -------
    ndarray, shape (n_draws,)
        As `cost_by_year`, all years together.
    """
    cost = cost_by_year(projection, a)
    return None if cost is None else cost.total


def cost_by_year(projection: Projection, a: int) -> CostDraws | None:
    """Return what an action costs, year by year, in every draw; None without a cost.

    Parameters
    ----------
    projection : Projection
    a : int
        Place of the action.

    Returns
    -------
    CostDraws or None
        A recurring amount without years of its own is paid in each year of the horizon. Amounts per resident and per
        job count those reached: a fixed amount per job is paid for the jobs of the year in which they are most, a
        recurring one for those of each year in which it is paid, after limits and before additionality. Years outside
        the horizon count the jobs of its nearest year.

    Raises
    ------
    ModelError
        If an amount is per job and the jobs were not counted.
    """
    action, horizon = projection.scenario.actions[a], projection.years
    cost = action.cost
    if cost is None:
        return None
    n_draws, seed = projection.scenario.analysis.draws, projection.scenario.analysis.seed
    fixed, recurring = np.zeros(n_draws), np.zeros((0, n_draws))
    years: tuple[int, ...] = ()
    if cost.fixed is not None:
        units = _units(projection, a, cost.fixed)
        most = units if isinstance(units, float) else units.max(axis=0)
        fixed = most * _amounts(cost.fixed, n_draws, seed, action.drawn_as, "fixed")
    if cost.recurring is not None:
        first, last = cost.recurring.years or (horizon[0], horizon[-1])
        years = tuple(range(first, last + 1))
        units = _units(projection, a, cost.recurring)
        if not isinstance(units, float):
            units = units[np.clip(np.array(years), horizon[0], horizon[-1]) - horizon[0]]
        amounts = _amounts(cost.recurring, n_draws, seed, action.drawn_as, "recurring")
        recurring = np.broadcast_to(units * amounts, (len(years), n_draws))
    return CostDraws(cost.price_base, start_of(action, horizon[0]), fixed, years, recurring)


def start_of(action: Action, first: int) -> int:
    """Return the year in which an action begins; `first` where it does not say."""
    if action.phasing is not None:
        return action.phasing.start
    if action.change.path is not None:
        return action.change.path[0][0]
    return action.start if action.start is not None else first


def _amounts(amount: Amount, n_draws: int, seed: int, action: str, name: str) -> Floats:
    """Draw an amount: a split normal with the stated value as median and the stated limits as quantiles.

    References
    ----------
    Wallis (2014), Statistical Science 29, 106-112 (two-piece normal).
    """
    if amount.low is None or amount.high is None:
        return np.full(n_draws, amount.value)
    tail = NormalDist().inv_cdf((1 + LEVEL) / 2)
    normal = keyed_rng(seed, "cost", action, name).standard_normal(n_draws)
    below, above = (amount.value - amount.low) / tail, (amount.high - amount.value) / tail
    return np.asarray(amount.value + normal * np.where(normal < 0, below, above))


def _units(projection: Projection, a: int, amount: Amount) -> Floats | float:
    """Return how many units an amount is paid for in a year; jobs by year of the horizon and draw."""
    action, treated = projection.scenario.actions[a], projection.selections[a].treated
    areas = projection.edition.areas
    if amount.unit == "GBP_per_job":
        return _jobs(projection, a)
    counted = {
        "GBP": 1.0,
        "GBP_per_area": float(treated.sum()),
        "GBP_per_resident": action.reach * float(areas.population[treated].sum()),
        "GBP_per_resident_16_64": action.reach * float(areas.population_16_64[treated].sum()),
    }
    return counted[amount.unit]


def _jobs(projection: Projection, a: int) -> Floats:
    """Return the people whose work an action changes, by year and draw."""
    people = projection.people[a]
    if people is None:
        raise ModelError(f"{projection.scenario.actions[a].id}: its jobs were not counted. Project the scenario anew.")
    return people


def cost_rows(projection: Projection, level: float) -> list[Row]:
    """Return the cost of each action, and of all actions with the same price base together, from joint draws.

    Parameters
    ----------
    projection : Projection
    level : float
        Of the intervals.
    """
    rows: list[Row] = []
    sums: dict[int, list[Floats]] = {}
    for a, action in enumerate(projection.scenario.actions):
        draws = cost_draws(projection, a)
        if draws is not None and action.cost is not None:
            sums.setdefault(action.cost.price_base, []).append(draws)
            rows.append(_row(action.id, action.cost.price_base, draws, level))
    for price_base, costs in sums.items():
        if len(costs) > 1:
            rows.append(_row("all actions", price_base, np.sum(costs, axis=0), level))
    return rows


def _row(action: str, price_base: int, draws: Floats, level: float) -> Row:
    shared: Row = {"action": action, "unit": "GBP", "price_base": price_base}
    return shared | one(draws, level) | {"level": level, "n": len(draws)}
