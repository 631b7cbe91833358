"""What a portfolio must mean: options that exist and have a cost, a budget in their prices, sound constraints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from gwm_models.scenarios.checks_search import check_measured
from gwm_models.scenarios.findings import advice, escaped, listed, number_text, suggestion
from gwm_models.scenarios.known import HEALTHY_YEARS, MEASURES, spelled
from gwm_models.scenarios.view import View

LEVELS = ("target", "to_quantile")
"""Kinds of change that bring to a level, which a multiple of has no meaning."""
OPTIONS = "[{id: a, actions: [participation]}]"
OF_OPTIONS = ("exclusive", "requires", "include", "at_least", "at_most")
"""Constraints that have a meaning for options only."""
CONVEX = "gap_10_10"
"""The one measure of inequality that an allocation can make small for certain."""


def check_portfolio(portfolio: View, scenario: View) -> None:
    """Check what can be chosen, within what, and what is to be best."""
    if not isinstance(portfolio.value, dict):
        return
    if "options" in portfolio and "allocation" in portfolio:
        portfolio.error("has both options and allocation", "keep one of the two")
    elif "allocation" not in portfolio:
        portfolio.need("options", OPTIONS)
    budget, options = portfolio / "budget", list(portfolio.parts("options"))
    _check_budget(budget)
    for option in options:
        _check_option(option, scenario, budget)
    _check_names(options)
    _check_shared(options, portfolio / "constraints")
    _check_constraints(portfolio / "constraints", [name for each in options if (name := each.text("id"))])
    _check_objective(portfolio / "objective", scenario, any("file" in option for option in options))
    if "allocation" in portfolio:
        _check_allocation(portfolio, scenario)


def _check_budget(budget: View) -> None:
    if not isinstance(budget.value, dict):
        return
    if "total" not in budget and "years" not in budget:
        budget.error("has no amount", "add total: 100000000, or years: [[2026, 50000000]]")
    seen: set[int] = set()
    for item in budget.items("years"):
        year = item.whole(0)
        if year is not None and year in seen:
            item.error(f"{year} is given twice", "remove one of the two")
        if year is not None:
            seen.add(year)
        amount = item.number(1)
        if amount is not None and amount < 0:
            item.error(f"a budget of {number_text(amount)} pounds is below nothing", "write 0 or more")


def _check_names(options: Sequence[View]) -> None:
    seen: set[str] = set()
    for option in options:
        name = option.text("id")
        if name is not None and name in seen:
            (option / "id").error(f"option '{escaped(name)}' is there twice", f"rename one, such as '{name[:70]}-2'")
        seen.add(name or "")


def _actions(scenario: View) -> dict[str, View]:
    return {name: action for action in scenario.parts("actions") if (name := action.text("id")) is not None}


def _check_option(option: View, scenario: View, budget: View) -> None:
    if "actions" in option and "file" in option:
        option.error("has both actions and file", "keep one of the two")
    elif "file" not in option:
        option.need("actions", "[participation]")
    known = _actions(scenario)
    seen: set[str] = set()
    for item in option.items("actions"):
        name = item.value if isinstance(item.value, str) else None
        if name is None:
            continue
        if name in seen:
            item.error(f"action '{escaped(name)}' is there twice", "remove one of the two")
        elif name not in known:
            item.error(f"unknown action '{escaped(name)}'{suggestion(name, known)}", advice(name, known))
        else:
            _check_action(item, known[name], budget, scaled=_scaled(option))
        seen.add(name)
    _check_sizes(option)


def _scaled(option: View) -> bool:
    """Tell whether an option has a size at which its actions are not as they stand."""
    return any(item.own_number() not in (None, 1) for item in option.items("sizes"))


def _check_action(at: View, action: View, budget: View, *, scaled: bool) -> None:
    """Check that an action can be chosen: it has a cost in the prices of the budget, and a size that can be scaled."""
    name, base, own = escaped(action.text("id") or ""), budget.whole("price_base"), action / "cost"
    if "cost" not in action:
        at.error(f"action '{name}' has no cost", "add cost to it: without one it would always be chosen")
    elif base is not None and (prices := own.whole("price_base")) is not None and prices != base:
        what = f"the cost of '{name}' is at {prices} prices and the budget at {base} prices"
        at.error(what, "bring both to the prices of one year")
    kind = (action / "change").text("kind")
    if scaled and kind in LEVELS:
        what = f"'{name}' brings its areas to a level (kind '{kind}'), so it has no other size"
        at.error(what, "leave sizes out, or write actions of different sizes and make them exclusive")


def _check_sizes(option: View) -> None:
    seen: set[float] = set()
    for item in option.items("sizes"):
        size = item.own_number()
        if size is not None and size in seen:
            item.error(f"size {number_text(size)} is there twice", "remove one of the two")
        if size is not None:
            seen.add(size)
    sizes, costs = len(list(option.items("sizes"))) or 1, len(list(option.items("costs")))
    if costs and costs != sizes:
        what = f"has {costs} {'cost' if costs == 1 else 'costs'} for {sizes} {'size' if sizes == 1 else 'sizes'}"
        (option / "costs").error(what, "write one for each size, in the same order")


def _check_shared(options: Sequence[View], constraints: View) -> None:
    """Report an action that two options carry out, which could both be chosen."""
    groups = [
        {item.value for item in group.own_items() if isinstance(item.value, str)}
        for group in constraints.items("exclusive")
    ]
    for first, second in combinations(options, 2):
        one, other = first.text("id"), second.text("id")
        if one is None or other is None or one == other or any({one, other} <= group for group in groups):
            continue
        theirs = {item.value for item in second.items("actions") if isinstance(item.value, str)}
        for item in first.items("actions"):
            if isinstance(item.value, str) and item.value in theirs:
                what = f"'{escaped(item.value)}' is carried out by '{escaped(one)}' and '{escaped(other)}'"
                item.error(what, f"add [{one}, {other}] to constraints.exclusive: it can be done once only")


def _check_constraints(constraints: View, options: Sequence[str]) -> None:
    for floor in constraints.parts("floors"):
        region = floor.text("region")
        regions = floor.vocabulary.regions
        if region is not None and region.strip() and spelled(region, regions) is None:
            (floor / "region").error(
                f"unknown region '{escaped(region)}'{suggestion(region, regions)}", advice(region, regions)
            )
        if "spend" not in floor and "options" not in floor:
            floor.error("asks for nothing", "add spend: 10000000, or options: 1")
    if not options:
        return
    for item in _named(constraints):
        name = item.value
        if isinstance(name, str) and name not in options:
            item.error(f"unknown option '{escaped(name)}'{suggestion(name, options)}", advice(name, options))
    for rule in constraints.parts("requires"):
        name = rule.text("option")
        for item in rule.items("needs"):
            if name is not None and item.value == name:
                item.error(f"'{escaped(name)}' cannot need itself", "name another option")
    least, most = constraints.whole("at_least"), constraints.whole("at_most")
    if least is not None and least > len(options):
        what = f"asks for {least} options of {len(options)}"
        (constraints / "at_least").error(what, f"write {len(options)} or less")
    elif least is not None and most is not None and least > most:
        (constraints / "at_least").error(f"at_least {least} is above at_most {most}", "swap the two")


def _named(constraints: View) -> Iterator[View]:
    """Yield every place of the constraints at which an option is named."""
    for group in constraints.items("exclusive"):
        yield from group.own_items()
    for rule in constraints.parts("requires"):
        yield rule / "option"
        yield from rule.items("needs")
    yield from constraints.items("include")


def _check_objective(objective: View, scenario: View, by_file: bool) -> None:
    if not isinstance(objective.value, dict):
        return
    statistic = objective.text("statistic") or "mean"
    if statistic == "mean" and "probability" in objective:
        what = "'probability' has no meaning for the mean"
        (objective / "probability").error(what, "remove it, or write statistic: quantile")
    elif statistic in ("quantile", "tail_mean"):
        objective.need("probability", "0.1")
    measure = objective / "measure"
    check_measured(measure, scenario, more=(HEALTHY_YEARS,), targets=not by_file)
    quantity = measure.text("quantity")
    if quantity == HEALTHY_YEARS and (measure.text("state") or "difference") != "difference":
        (measure / "state").error("healthy years are a difference", "write state: difference, or remove it")
    if quantity == HEALTHY_YEARS and not _has_healthy_life(scenario):
        what = "healthy years need healthy life expectancy among the health outcomes"
        (measure / "quantity").error(what, "add healthy_life_expectancy_male to health")


def _has_healthy_life(scenario: View) -> bool:
    if "health" not in scenario:
        return bool(scenario.vocabulary.outcomes)
    return any((link.text("outcome") or "").startswith("healthy_life") for link in scenario.parts("health"))


def _check_allocation(portfolio: View, scenario: View) -> None:
    allocation, budget = portfolio / "allocation", portfolio / "budget"
    if not isinstance(allocation.value, dict):
        return
    known, name = _actions(scenario), allocation.text("action")
    if name is not None and name in known:
        _check_action(allocation / "action", known[name], budget, scaled=True)
    elif name is not None:
        (allocation / "action").error(f"unknown action '{escaped(name)}'{suggestion(name, known)}", advice(name, known))
    if name in known and "spillover" in known[name]:
        what = "an action whose neighbours receive something has no effect of each area by itself"
        (allocation / "action").error(what, "remove spillover from it")
    _check_response(allocation / "response")
    _check_amounts(allocation)
    if "years" in budget:
        what = "'years' has no meaning for an allocation: the money is paid when the action's own cost is"
        (budget / "years").error(what, "write total")
    for key in OF_OPTIONS:
        rule = portfolio / "constraints" / key
        if key in portfolio / "constraints" and rule.value != []:
            rule.error(f"'{key}' is for options", "remove it")
    for floor in (portfolio / "constraints").parts("floors"):
        if "options" in floor:
            (floor / "options").error("'options' has no meaning for an allocation", "write spend")
    _check_aim(portfolio / "objective", allocation)


def _check_response(response: View) -> None:
    if not isinstance(response.value, dict):
        return
    given = [key for key in ("elasticity", "half_saturation") if key in response]
    if not given:
        response.error("says nothing", "add elasticity: 0.5, or half_saturation: 1.0")
    elif len(given) == 2:
        response.error("has both elasticity and half_saturation", "keep one of the two")


def _check_amounts(allocation: View) -> None:
    cap = allocation.number("cap")
    for key in ("floor", "smallest_grant"):
        amount = allocation.number(key)
        if cap is not None and amount is not None and amount > cap:
            (allocation / key).error(f"{key} {number_text(amount)} is above cap {number_text(cap)}", "swap the two")


def _check_aim(objective: View, allocation: View) -> None:
    """Check that the best allocation can be found for certain."""
    quantity = (objective / "measure").text("quantity")
    if objective.text("statistic") == "quantile":
        what = "the best allocation by a quantile cannot be found for certain"
        (objective / "statistic").error(what, "write tail_mean: the mean over that share of the draws")
    if quantity == "rank" or (quantity in MEASURES and quantity != CONVEX):
        what = f"the best allocation by {quantity} cannot be found for certain"
        (objective / "measure" / "quantity").error(what, f"use {listed(('total', HEALTHY_YEARS, CONVEX))}")
    state = (objective / "measure").text("state")
    if state in ("percent_change", "scenario"):
        what = f"an allocation measures a difference, not '{state}'"
        (objective / "measure" / "state").error(what, "write state: difference, or remove it")
    if (allocation.number("equity") or 0) > 0 and quantity == CONVEX:
        what = "a gap has no weights by area"
        (allocation / "equity").error(what, "remove equity, or measure the total")
    plain: list[Any] = [objective.text("statistic") or "mean", quantity in MEASURES]
    if (allocation.number("smallest_grant") or 0) > 0 and plain != ["mean", False]:
        what = "a smallest grant goes with the mean of a score or of health"
        (allocation / "smallest_grant").error(what, "remove it, or write statistic: mean")
