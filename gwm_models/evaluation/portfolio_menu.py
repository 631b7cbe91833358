"""What can be chosen in a portfolio: the effect, the cost and the places of every option at every size, in draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import ModelError
from gwm_models.ranks.table import rank_draws
from gwm_models.scenarios.costs import cost_by_year
from gwm_models.scenarios.groups import one_group
from gwm_models.scenarios.inequality import MEASURES, inequality
from gwm_models.scenarios.inputs import draw_inputs
from gwm_models.scenarios.known import HEALTHY_YEARS
from gwm_models.scenarios.measured import RANK, better_is, measure_draws
from gwm_models.scenarios.portfolio_parts import sized
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.spec import Action, Measured, Option, Portfolio, Scenario
from gwm_models.scenarios.sums import healthy_years
from gwm_models.scenarios.targets import Selection, select

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Money:
    """What one choice costs.

    Attributes
    ----------
    draws : ndarray, shape (n_draws,)
        GBP over all years, discounted.
    by_year : dict of int to float
        Expected, GBP, not discounted.
    by_area : ndarray, shape (n_areas,)
        Expected, GBP, discounted.
    """

    draws: Floats
    by_year: dict[int, float]
    by_area: Floats


@dataclass(frozen=True, eq=False)
class Menu:
    """Every choice there is: an option at a size. S draws, n areas, K options, J choices.

    Attributes
    ----------
    scenario : Scenario
    edition : Edition
    options : tuple of Option
    option : ndarray of int, shape (J,)
        Place of the option of each choice.
    size : ndarray, shape (J,)
    factor : ndarray, shape (J,)
        Its cost as a multiple of that of the actions as they stand.
    reached : ndarray of bool, shape (K, n)
        Areas whose actions each option carries out.
    moved : ndarray of bool, shape (K, n, n_domains)
        Where an option changes a domain in any draw, neighbours included.
    sign : int
        1 where more of what is measured is better, -1 where less is.
    base : ndarray, shape (S,)
        What is measured without any option.
    effect : ndarray, shape (S, J), or None
        What each choice adds to it, alone; None where what is measured is no sum.
    total_before : ndarray, shape (S, n)
    change : ndarray, shape (J, S, n), or None
        Change of the total of each choice, alone; None where it is not needed.
    money : tuple of Money
        Of each choice.
    selections : tuple of Selection
        Areas of the actions of all options: the target areas of what is measured.
    """

    scenario: Scenario
    edition: Edition
    options: tuple[Option, ...]
    option: Ints
    size: Floats
    factor: Floats
    reached: Bools
    moved: Bools
    sign: int
    base: Floats
    effect: Floats | None
    total_before: Floats
    change: Floats | None
    money: tuple[Money, ...]
    selections: tuple[Selection, ...]

    @property
    def portfolio(self) -> Portfolio:
        """What was asked."""
        return portfolio_of(self.scenario)

    @property
    def cost(self) -> Floats:
        """Expected discounted cost of each choice in GBP, shape (J,)."""
        return np.array([float(money.draws.mean()) for money in self.money])

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return len(self.base)

    def label(self, choice: int) -> str:
        """Name a choice: the option, and its size where it has several."""
        option = self.options[int(self.option[choice])]
        return option.id if len(option.sizes) == 1 else f"{option.id} x{self.size[choice]:g}"

    def values(self, chosen: Floats, rows: slice = slice(None)) -> Floats:
        """Return what is measured under sets of choices, the effects of choices added up.

        Parameters
        ----------
        chosen : ndarray of 0 and 1, shape (C, J)
        rows : slice
            Of the draws.

        Returns
        -------
        ndarray, shape (n_rows, C)
        """
        if self.effect is not None:
            return np.asarray(self.base[rows, None] + self.effect[rows] @ chosen.T)
        assert self.change is not None  # noqa: S101 - one of the two is always there
        found = np.empty((len(self.base[rows]), len(chosen)))
        for c, each in enumerate(chosen):
            change = sum((self.change[j, rows] for j in np.flatnonzero(each)), np.zeros_like(self.total_before[rows]))
            found[:, c] = self.of_change(change, rows)
        return found

    def of_change(self, change: Floats, rows: slice = slice(None)) -> Floats:
        """Return a measure of inequality, or the mean rank of a group, after a change of the total."""
        measure, before = self.portfolio.objective.measure, self.total_before[rows]
        if measure.quantity == RANK:
            reached = np.asarray(self.reached.any(axis=0))
            mask = one_group(self.edition.areas, reached, measure.group)[1]
            ranks = (rank_draws(totals)[:, mask].mean(axis=1) for totals in (before, before + change))
            return in_state(measure, *ranks)
        after = inequality(measure.quantity, before + change, self.edition.areas)
        if measure.state == "scenario":
            return after
        return in_state(measure, inequality(measure.quantity, before, self.edition.areas), after)


def in_state(measure: Measured, before: Floats, after: Floats) -> Floats:
    """Return a level, a difference or a percentage change, as a measure asks for it."""
    if measure.state == "scenario":
        return after
    change = after - before
    return change if measure.state == "difference" else np.asarray(100 * change / np.where(before != 0, before, np.nan))


def portfolio_of(scenario: Scenario) -> Portfolio:
    """Return the portfolio of a scenario.

    Raises
    ------
    ModelError
        If it has none.
    """
    if scenario.portfolio is None:
        raise ModelError(f"{scenario.id} is no portfolio. Use kind: portfolio with a block 'portfolio', or gwm run.")
    return scenario.portfolio


def make_menu(scenario: Scenario, edition: Edition | None = None) -> Menu:
    """Project every option at every size, each alone, on common draws.

    Parameters
    ----------
    scenario : Scenario
        Checked, of kind portfolio with options.
    edition : Edition, optional
        The one named in the scenario by default.

    Raises
    ------
    ModelError
        If it has no options, or what it measures is not there.
    """
    portfolio = portfolio_of(scenario)
    if portfolio.options is None:
        raise ModelError(f"{scenario.id} has no options. Use gwm_models.evaluation.allocation for money over areas.")
    edition = edition or load_edition(scenario.baseline.edition)
    inputs = draw_inputs(edition, scenario.analysis.draws, scenario.analysis.seed)
    chosen = {action.id: select(action.target, edition, inputs.baseline) for action in scenario.actions}
    carried = [name for option in portfolio.options for name in option.actions or ()]
    selections = tuple(chosen[name] for name in dict.fromkeys(carried))
    measure, sign = portfolio.objective.measure, better_is(portfolio.objective.measure)
    nothing = replace(_projected(scenario, (), edition), selections=selections)
    additive = is_additive(measure)
    base = measured(nothing, measure) if additive else np.zeros(scenario.analysis.draws)
    effects, changes, monies, moved = [], [], [], []
    for option in portfolio.options:
        actions = actions_of(scenario, option)
        whole = _projected(scenario, actions, edition)
        moved.append((whole.domain_change != 0).any(axis=0))
        costs = option.costs or option.sizes
        for size, factor in zip(option.sizes, costs, strict=True):
            made = whole if size == 1 else _projected(scenario, tuple(sized(a, size, 1.0) for a in actions), edition)
            monies.append(money_of(whole, factor, portfolio.budget.discount_rate))
            if additive:
                effects.append(measured(replace(made, selections=selections), measure) - base)
            else:
                changes.append(made.change)
    sizes = [len(option.sizes) for option in portfolio.options]
    before = nothing.total_before
    menu = Menu(
        scenario=scenario,
        edition=edition,
        options=portfolio.options,
        option=np.repeat(np.arange(len(sizes)), sizes),
        size=np.array([size for option in portfolio.options for size in option.sizes]),
        factor=np.array([cost for option in portfolio.options for cost in option.costs or option.sizes]),
        reached=np.array(
            [np.any([chosen[name].treated for name in option.actions or ()], axis=0) for option in portfolio.options]
        ),
        moved=np.array(moved),
        sign=sign,
        base=base,
        effect=np.column_stack(effects) if additive else None,
        total_before=before,
        change=None if additive else np.array(changes),
        money=tuple(monies),
        selections=selections,
    )
    return menu if additive else replace(menu, base=menu.of_change(np.zeros_like(before)))


def is_additive(measure: Measured) -> bool:
    """Tell whether what is measured is a sum over options, up to limits and spillover: all but gaps and ranks."""
    return measure.quantity not in MEASURES and measure.quantity != RANK


def actions_of(scenario: Scenario, option: Option) -> tuple[Action, ...]:
    """Return the actions of an option, as they stand."""
    return tuple(action for action in scenario.actions if action.id in (option.actions or ()))


def measured(projection: Projection, measure: Measured) -> Floats:
    """Return what a portfolio measures, of one projection, in every draw; shape (n_draws,)."""
    if measure.quantity != HEALTHY_YEARS:
        return measure_draws(projection, measure)
    mask = one_group(projection.edition.areas, projection.treated, measure.group)[1]
    counted = [
        healthy_years(effect, projection.edition)[:, mask].sum(axis=1)
        for effect in projection.health
        if effect.model.outcome.variable.startswith("healthy_life_expectancy")
    ]
    return np.asarray(np.sum(counted, axis=0))


def together(menu: Menu, choices: Sequence[int]) -> Scenario:
    """Return the ordinary scenario of a set of choices: their actions at their sizes and costs."""
    actions: list[Action] = []
    for j in choices:
        own = actions_of(menu.scenario, menu.options[int(menu.option[j])])
        actions += [sized(action, float(menu.size[j]), float(menu.factor[j])) for action in own]
    return _plain(menu.scenario, tuple(actions))


def project_together(menu: Menu, choices: Sequence[int]) -> Projection:
    """Project a set of choices jointly."""
    return project(together(menu, choices), menu.edition, variance=False)


def measured_together(menu: Menu, projection: Projection) -> Floats:
    """Return what is measured of choices projected jointly, shape (n_draws,)."""
    if menu.effect is None:
        return menu.of_change(projection.change)
    return measured(replace(projection, selections=menu.selections), menu.portfolio.objective.measure)


def _plain(scenario: Scenario, actions: tuple[Action, ...]) -> Scenario:
    return scenario.model_copy(update={"kind": "scenario", "portfolio": None, "actions": actions})


def _projected(scenario: Scenario, actions: tuple[Action, ...], edition: Edition) -> Projection:
    return project(_plain(scenario, actions), edition, variance=False)


def money_of(projection: Projection, factor: float, rate: float) -> Money:
    """Add up what the actions of a scenario cost, times a factor, discounted at a rate to its first year."""
    scenario, edition = projection.scenario, projection.edition
    draws, by_year = np.zeros(scenario.analysis.draws), dict[int, float]()
    by_area = np.zeros(len(edition.areas))
    for a, action in enumerate(scenario.actions):
        cost = cost_by_year(projection, a)
        if cost is None or action.cost is None:
            continue
        amounts = (
            (action.cost.fixed, {cost.start: cost.fixed}),
            (
                action.cost.recurring,
                dict(zip(cost.years, cost.recurring, strict=True)),
            ),
        )
        for amount, paid in amounts:
            if amount is None:
                continue
            share = _shares(amount.unit, projection.selections[a].treated, edition)
            for year, spent in paid.items():
                now = factor * spent / (1 + rate) ** (year - scenario.horizon.start)
                draws += now
                by_year[year] = by_year.get(year, 0.0) + factor * float(spent.mean())
                by_area += float(now.mean()) * share
    return Money(draws, dict(sorted(by_year.items())), by_area)


def _shares(unit: str, treated: Bools, edition: Edition) -> Floats:
    """Return the share of an amount that is spent in each area: as it is counted, or by residents aged 16 to 64."""
    counted = {"GBP_per_area": np.ones(len(treated)), "GBP_per_resident": edition.areas.population}
    weight = treated * counted.get(unit, edition.areas.population_16_64)
    return np.asarray(weight / weight.sum())
