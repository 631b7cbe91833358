"""A portfolio in plain English: what can be chosen, within what, and what is to be best."""

from __future__ import annotations

from gwm_models.data.edition import Edition
from gwm_models.scenarios.known import HEALTHY_YEARS
from gwm_models.scenarios.measured import measure_label
from gwm_models.scenarios.spec import Allocation, Constraints, Measured, Objective, Option, Portfolio
from gwm_models.scenarios.words import counted, level_words, number, short

MILLION = 1e6


def label_of(edition: Edition, measure: Measured) -> tuple[str, str]:
    """Name what a portfolio measures, and its unit."""
    if measure.quantity != HEALTHY_YEARS:
        return measure_label(edition, measure)
    group = measure.group if measure.group not in ("target areas", "all areas") else f"the {measure.group}"
    return f"Years of healthy life in the year, {group}: change", "years of healthy life"


def statistic_words(objective: Objective) -> str:
    """Say which statistic is to be best."""
    if objective.statistic == "mean" or objective.probability is None:
        return "mean"
    share = level_words(objective.probability)
    return f"{share} lower quantile" if objective.statistic == "quantile" else f"mean of the worst {share} of draws"


def portfolio_lines(portfolio: Portfolio, edition: Edition) -> tuple[str, ...]:
    """Return what a portfolio asks for, in sentences.

    Parameters
    ----------
    portfolio : Portfolio
    edition : Edition
        Where names are looked up.
    """
    label, unit = label_of(edition, portfolio.objective.measure)
    aim = f"What is to be best is the {statistic_words(portfolio.objective)} of: {label} ({unit})."
    if portfolio.allocation is not None:
        what = _allocation_lines(portfolio.allocation)
    else:
        options = portfolio.options or ()
        what = [f"It chooses among {counted(len(options), 'option')}, each at one size or not at all."]
        what += [_option_line(option) for option in options]
    return (*what, *_budget_lines(portfolio), *_constraint_lines(portfolio.constraints), aim)


def _option_line(option: Option) -> str:
    carried = ", ".join(option.actions or ())
    if option.sizes == (1.0,):
        return f"{option.id}: {carried}."
    costs = option.costs or option.sizes
    sizes = "; ".join(
        f"size {short(size)} at {short(cost)} times the cost" for size, cost in zip(option.sizes, costs, strict=True)
    )
    return f"{option.id}: {carried}; {sizes}."


def _allocation_lines(asked: Allocation) -> list[str]:
    response = (
        f"the money to the power {short(asked.response.elasticity)}"
        if asked.response.elasticity is not None
        else f"a curve that reaches half of its most at {short(asked.response.half_saturation or 0)} times the cost"
    )
    said = [
        f"It spreads money over the areas of {asked.action}: where its stated cost is spent it has its stated change, "
        f"and the change goes with {response}. That is assumed."
    ]
    for words, amount in (("at least", asked.floor), ("at most", asked.cap)):
        if amount:
            said.append(f"Each area gets {words} {short(amount)} pounds per resident aged 16 to 64.")
    if asked.smallest_grant:
        said.append(
            f"An area gets nothing or at least {short(asked.smallest_grant)} pounds per resident aged 16 to 64."
        )
    if asked.equity:
        said.append(f"Areas count by the mean total over their own, to the power {short(asked.equity)}.")
    return said


def _budget_lines(portfolio: Portfolio) -> list[str]:
    budget, said = portfolio.budget, []
    if budget.total is not None:
        rate = f", discounted at {100 * budget.discount_rate:g}% a year" if budget.discount_rate else ""
        said.append(f"The budget is £{number(budget.total / MILLION, 1)} million at {budget.price_base} prices{rate}.")
    for year, amount in budget.years or ():
        said.append(f"In {year} at most £{number(amount / MILLION, 1)} million is paid.")
    return [*said, "Expected costs are held against the budget."]


def _constraint_lines(rules: Constraints) -> list[str]:
    said = []
    for floor in rules.floors:
        parts = []
        if floor.spend is not None:
            parts.append(f"at least £{number(floor.spend / MILLION, 1)} million")
        if floor.options is not None:
            parts.append(f"at least {counted(floor.options, 'option')}")
        said.append(f"{floor.region} gets {' and '.join(parts)}.")
    said += [f"At most one of {', '.join(group)} is chosen." for group in rules.exclusive]
    said += [f"{rule.option} needs {', '.join(rule.needs)}." for rule in rules.requires]
    said += [f"{name} is chosen in any case." for name in rules.include]
    if rules.at_least is not None:
        said.append(f"At least {counted(rules.at_least, 'option')} must be chosen.")
    if rules.at_most is not None:
        said.append(f"At most {counted(rules.at_most, 'option')} may be chosen.")
    return said
