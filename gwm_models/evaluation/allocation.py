"""Money spread over the areas of one action, with diminishing returns in each: where the next pound does most."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import InfeasibleError, ModelError
from gwm_models.evaluation.allocation_programme import Aim, Curves, Limits, Spread, spread_money
from gwm_models.evaluation.portfolio_menu import money_of, portfolio_of
from gwm_models.evaluation.portfolio_programme import statistic_of, tail_size
from gwm_models.scenarios.groups import one_group
from gwm_models.scenarios.known import HEALTHY_YEARS, MEASURES
from gwm_models.scenarios.measured import TOTAL, better_is
from gwm_models.scenarios.measures import gap_of_tenths
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.spec import Allocation, Measured, Objective, Scenario
from gwm_models.scenarios.sums import healthy_years
from gwm_models.scenarios.words import thousands

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

BUDGETS = (0.5, 0.75, 1.25, 1.5)
"""Multiples of the budget for which the spread is worked out as well."""


@dataclass(frozen=True, eq=False)
class Allocated:
    """An amount of money spread over areas.

    Attributes
    ----------
    scenario : Scenario
    edition : Edition
    projection : Projection
        Of the action at its stated size and cost.
    places : ndarray of int, shape (m,)
        The areas it reaches.
    curves : Curves
    limits : Limits
    weight : ndarray, shape (m,)
        Weight of each area.
    spread : Spread
        The best one.
    draws, even : ndarray, shape (n_draws,)
        What is measured, unweighted, under it, and under the same money by residents aged 16 to 64.
    objective, objective_even : float
        Statistic asked for of what is measured, weighted.
    per_head : ndarray, shape (m,)
        Money by residents aged 16 to 64, floors and caps kept, GBP.
    budgets : tuple of (float, float)
        Amount and objective for other budgets and this one, in order; those that cannot be are left out.
    """

    scenario: Scenario
    edition: Edition
    projection: Projection
    places: Ints
    curves: Curves
    limits: Limits
    weight: Floats
    spread: Spread
    draws: Floats
    even: Floats
    objective: float
    objective_even: float
    per_head: Floats
    budgets: tuple[tuple[float, float], ...]


def allocate(scenario: Scenario, edition: Edition | None = None) -> Allocated:
    """Spread an amount of money over the areas of an action so that a stated objective is best.

    An area in which the action's stated cost is spent has its stated change; more or less money changes it along the
    response that the file states. What is spent where is decided before anything is known, so one spread holds in all
    draws.

    Parameters
    ----------
    scenario : Scenario
        Checked, of kind portfolio with an allocation.
    edition : Edition, optional
        The one named in the scenario by default.

    Raises
    ------
    InfeasibleError
        If floors are more than the budget or the caps allow.
    ModelError
        If the scenario has no allocation, or its action costs nothing somewhere.
    """
    portfolio = portfolio_of(scenario)
    asked = portfolio.allocation
    if asked is None:
        raise ModelError(f"{scenario.id} has no allocation. Use gwm_models.evaluation.portfolio for options.")
    edition = edition or load_edition(scenario.baseline.edition)
    actions = tuple(action for action in scenario.actions if action.id == asked.action)
    plain = scenario.model_copy(update={"kind": "scenario", "portfolio": None, "actions": actions})
    projection = project(plain, edition, variance=False)
    places = np.flatnonzero(projection.treated)
    cost = money_of(projection, 1.0, portfolio.budget.discount_rate).by_area[places]
    if not (cost > 0).all():
        raise ModelError(f"{asked.action} costs nothing in some of its areas, so money there has no effect to go by.")
    curves = Curves(cost, asked.response.elasticity, asked.response.half_saturation)
    limits = _limits(scenario, edition, places)
    weight = _weights(asked, projection, places)
    gain = _Gain(projection, portfolio.objective, places, weight)
    spread = spread_money(gain.aim(), curves, limits)
    if spread is None:
        raise InfeasibleError(_why_not(scenario, limits))
    per_head = _per_head(limits, edition.areas.population_16_64[places], float(spread.money.sum()))
    unweighted = replace(gain, weight=np.ones(len(places)))
    others = ((share * limits.budget, _objective_at(gain, curves, limits, share)) for share in BUDGETS)
    budgets = [(amount, value) for amount, value in others if value is not None]
    sign = better_is(portfolio.objective.measure)
    return Allocated(
        scenario=scenario,
        edition=edition,
        projection=projection,
        places=places,
        curves=curves,
        limits=limits,
        weight=weight,
        spread=spread,
        draws=sign * unweighted.benefit(curves.effect(spread.money)),
        even=sign * unweighted.benefit(curves.effect(per_head)),
        objective=sign * spread.objective,
        objective_even=sign * gain.statistic(curves.effect(per_head)),
        per_head=per_head,
        budgets=tuple(sorted([*((a, sign * v) for a, v in budgets), (limits.budget, sign * spread.objective)])),
    )


def _limits(scenario: Scenario, edition: Edition, places: Ints) -> Limits:
    portfolio = portfolio_of(scenario)
    asked, residents = portfolio.allocation, edition.areas.population_16_64[places]
    assert asked is not None  # noqa: S101 - told by the caller
    region = np.array(edition.areas.region)[places]
    floors = [floor for floor in portfolio.constraints.floors if floor.spend is not None]
    return Limits(
        budget=float(portfolio.budget.total or 0.0),
        floor=asked.floor * residents,
        cap=np.full(len(places), np.inf) if asked.cap is None else asked.cap * residents,
        grant=asked.smallest_grant * residents,
        groups=np.array([region == floor.region for floor in floors], dtype=bool).reshape(len(floors), len(places)),
        least=np.array([float(floor.spend or 0.0) for floor in floors]),
    )


def _weights(asked: Allocation, projection: Projection, places: Ints) -> Floats:
    """Return the weight of each area: the mean total over its own, to the power asked for.

    Raises
    ------
    ModelError
        If a total is not positive.
    """
    total = projection.total_before.mean(axis=0)
    if asked.equity and not (total > 0).all():
        raise ModelError("equity weights need positive totals, and this edition has others. Leave equity out.")
    return np.asarray((total.mean() / total[places]) ** asked.equity) if asked.equity else np.ones(len(places))


@dataclass(frozen=True, eq=False)
class _Gain:
    """What is gained by effects of given sizes, more being better."""

    projection: Projection
    objective: Objective
    places: Ints
    weight: Floats

    def by_area(self) -> Floats:
        """Return what each area adds at the stated cost, shape (n_draws, m), its sign turned so that more is better."""
        measure = self.objective.measure
        return better_is(measure) * _parts(self.projection, measure)[:, self.places] * self.weight

    def is_gap(self) -> bool:
        return self.objective.measure.quantity in MEASURES

    def benefit(self, effect: Floats) -> Floats:
        """Return the gain in every draw, shape (n_draws,)."""
        if not self.is_gap():
            return np.asarray(self.by_area() @ effect)
        before = self.projection.total_before
        return np.asarray(gap_of_tenths(before) - gap_of_tenths(before + self._change(effect)))

    def statistic(self, effect: Floats) -> float:
        return float(
            statistic_of(self.benefit(effect)[:, None], self.objective.statistic, self.objective.probability)[0]
        )

    def _change(self, effect: Floats) -> Floats:
        change = np.zeros_like(self.projection.change)
        change[:, self.places] = self.projection.change[:, self.places] * effect
        return change

    def aim(self) -> Aim:
        """Return the objective with its slope."""
        n_draws = len(self.projection.change)
        if self.is_gap():
            return self._gap_aim()
        parts = self.by_area()
        mean = parts.mean(axis=0)
        if self.objective.statistic == "mean" or self.objective.probability is None:
            return lambda effect: (float(mean @ effect), mean)
        m = tail_size(n_draws, self.objective.probability)

        def tail(effect: Floats) -> tuple[float, Floats]:
            values = parts @ effect
            worst = np.argsort(values, kind="stable")[:m]
            return float(values[worst].mean()), np.asarray(parts[worst].mean(axis=0))

        return tail

    def _gap_aim(self) -> Aim:
        before, change = self.projection.total_before, self.projection.change[:, self.places]
        n_draws, n = before.shape
        tenth = max(1, round(n / 10))
        first = gap_of_tenths(before)
        probability = self.objective.probability
        m = n_draws if self.objective.statistic == "mean" or probability is None else tail_size(n_draws, probability)

        def gap(effect: Floats) -> tuple[float, Floats]:
            order = np.argsort(before + self._change(effect), axis=1, kind="stable")
            side = np.zeros((n_draws, n))
            np.put_along_axis(side, order[:, :tenth], 1.0 / tenth, axis=1)
            np.put_along_axis(side, order[:, n - tenth :], -1.0 / tenth, axis=1)
            slope = side[:, self.places] * change
            values = first + (side * before).sum(axis=1) + slope @ effect
            worst = np.argsort(values, kind="stable")[:m]
            return float(values[worst].mean()), np.asarray(slope[worst].mean(axis=0))

        return gap


def _parts(projection: Projection, measure: Measured) -> Floats:
    """Return what each area adds to the change of a sum or a mean, shape (n_draws, n_areas)."""
    areas, spec = projection.edition.areas, projection.edition.spec
    mask = one_group(areas, projection.treated, measure.group)[1]
    if measure.quantity == TOTAL:
        return np.asarray(projection.change * (mask / mask.sum()))
    if measure.quantity in spec.domain_ids:
        d = spec.domain_ids.index(measure.quantity)
        return np.asarray(projection.domain_change[:, :, d] * (mask / mask.sum()))
    if measure.quantity == HEALTHY_YEARS:
        counted = [
            healthy_years(effect, projection.edition) * mask
            for effect in projection.health
            if effect.model.outcome.variable.startswith("healthy_life_expectancy")
        ]
        return np.asarray(np.sum(counted, axis=0))
    effects = {effect.link.outcome: effect for effect in projection.health}
    residents = areas.population * mask
    return np.asarray(effects[measure.quantity].stated * (residents / residents.sum()))


def _objective_at(gain: _Gain, curves: Curves, limits: Limits, share: float) -> float | None:
    found = spread_money(gain.aim(), curves, replace(limits, budget=share * limits.budget))
    return None if found is None else found.objective


def _per_head(limits: Limits, residents: Floats, amount: float) -> Floats:
    """Return an amount spread by residents, floors and caps kept."""
    low, high = 0.0, amount / float(residents.min())
    for _ in range(200):
        middle = (low + high) / 2
        spent = float(np.clip(middle * residents, limits.floor, limits.cap).sum())
        low, high = (middle, high) if spent < amount else (low, middle)
    return np.asarray(np.clip(low * residents, limits.floor, limits.cap))


def _why_not(scenario: Scenario, limits: Limits) -> str:
    """Say in one line what keeps any spread from being possible."""
    said = f"Out of reach: no spread of {thousands(limits.budget)} pounds keeps to the limits of {scenario.id}."
    least = float(limits.floor.sum())
    if least > limits.budget:
        return f"{said} The floors of the areas alone take {thousands(least)} pounds."
    spare = np.minimum(limits.cap, limits.budget)
    short = [i for i, group in enumerate(limits.groups) if float(spare[group].sum()) < limits.least[i]]
    if short:
        return (
            f"{said} The caps allow {thousands(float(spare[limits.groups[short[0]]].sum()))} pounds in a region whose "
            f"least is {thousands(float(limits.least[short[0]]))}."
        )
    return f"{said} What the regions must get and the floors of the other areas take more than that."
