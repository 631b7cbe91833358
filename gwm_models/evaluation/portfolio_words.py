"""The answer to a portfolio in words and rows: what to choose, what it costs and gives, how sure the choice is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.evaluation.portfolio import PortfolioFound
from gwm_models.evaluation.portfolio_menu import Menu
from gwm_models.evaluation.portfolio_rules import OF_YEAR, TOTAL
from gwm_models.scenarios.layers import NAMES as LAYERS
from gwm_models.scenarios.measured import measured_plain
from gwm_models.scenarios.notes import assumptions
from gwm_models.scenarios.portfolio_explain import label_of, statistic_words
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.spread import Row, one, plain
from gwm_models.scenarios.words import counted, level_words, number, signed, span

Floats = NDArray[np.float64]

SCHEMA = "gwm-portfolio/1"
TIGHT = 1e-6
"""Slack of a rule, as a share of its largest number, below which it binds."""
WORTH = 1e-9
"""What information is worth is nothing below this share of what is measured."""


def summarise_portfolio(found: PortfolioFound) -> dict[str, Any]:
    """Return the answer to a portfolio as plain values, ready to be written as JSON.

    Parameters
    ----------
    found : PortfolioFound

    Returns
    -------
    dict
        Rows under ``options``, ``effect``, ``years``, ``regions``, ``frontier``, ``information``, ``regret``; words.
    """
    menu, scenario = found.menu, found.menu.scenario
    objective, budget, level = menu.portfolio.objective, menu.portfolio.budget, max(scenario.analysis.intervals)
    label, unit = label_of(menu.edition, objective.measure)
    cost = cost_draws(found)
    return {
        "schema": SCHEMA,
        "id": scenario.id,
        "title": scenario.title,
        "question": scenario.question,
        "headline": headline(found),
        "edition": {"name": scenario.baseline.edition, "title": menu.edition.spec.title},
        "year": scenario.horizon.end,
        "draws": menu.n_draws,
        "seed": scenario.analysis.seed,
        "level": level,
        "measure": measured_plain(objective.measure) | {"label": label, "unit": unit},
        "statistic": objective.statistic,
        "statistic_words": statistic_words(objective),
        "probability": objective.probability,
        "objective": plain(found.objective),
        "objective_joint": plain(found.objective_joint),
        "method": found.method,
        "optimal": found.optimal,
        "sets": found.n_sets,
        "chosen": [menu.label(j) for j in found.choices],
        "budget": {
            "total": budget.total,
            "price_base": budget.price_base,
            "discount_rate": budget.discount_rate,
            "discounted_to": scenario.horizon.start,
            "unit": "GBP",
        },
        "cost": {"unit": "GBP", "price_base": budget.price_base, **one(cost, level), "level": level, "n": len(cost)}
        | {"prob_over_budget": None if budget.total is None else float((cost > budget.total).mean())},
        "options": option_rows(found, level),
        "effect": effect_rows(found, level),
        "years": year_rows(found),
        "regions": region_rows(found),
        "frontier": frontier_rows(found),
        "regret": regret_row(found, level),
        "information": information_rows(found),
        "binding": binding(found),
        "meets": [list(pair) for pair in found.meets],
        "notes": notes(found),
    }


def portfolio_assumptions(projection: Projection) -> list[str]:
    """List what a projection assumes; its costs are stated undiscounted, and discounted in a portfolio."""
    return [line.replace("costs are undiscounted", "costs are stated undiscounted") for line in assumptions(projection)]


def cost_draws(found: PortfolioFound) -> Floats:
    """Return the discounted cost of the chosen set in every draw, GBP."""
    nothing = np.zeros(found.menu.n_draws)
    return np.asarray(sum((found.menu.money[j].draws for j in found.choices), nothing))


def option_rows(found: PortfolioFound, level: float) -> list[Row]:
    """Return a row for each option at each size: cost, effect alone, and how often the best set of a draw holds it."""
    menu = found.menu
    rows: list[Row] = []
    for j in range(len(menu.option)):
        option = menu.options[int(menu.option[j])]
        alone = menu.values(_only(menu, j))[:, 0] - menu.base
        cost = one(menu.money[j].draws, level)
        any_size = found.best_choices[:, menu.option == menu.option[j]].any(axis=1)
        rows.append(
            {
                "option": option.id,
                "size": float(menu.size[j]),
                "chosen": j in found.choices,
                "areas": int(menu.reached[menu.option[j]].sum()),
                "cost": cost["estimate"],
                "cost_lower": cost["lower"],
                "cost_upper": cost["upper"],
                **one(alone, level),
                "prob_in_best": float(found.best_choices[:, j].mean()),
                "prob_option_in_best": float(any_size.mean()),
                "level": level,
                "n": len(found.best_choices),
            }
        )
    return rows


def _only(menu: Menu, j: int) -> Floats:
    flags = np.zeros((1, len(menu.option)))
    flags[0, j] = 1.0
    return flags


def effect_rows(found: PortfolioFound, level: float) -> list[Row]:
    """Return what is measured under the chosen set: effects added up, projected together, and their difference."""
    parts = {
        "effects added up": found.draws,
        "projected together": found.joint,
        "together less added up": found.joint - found.draws,
    }
    return [{"what": what, **one(draws, level), "level": level, "n": len(draws)} for what, draws in parts.items()]


def year_rows(found: PortfolioFound) -> list[Row]:
    """Return expected cost by year, not discounted, with the budget of the year where it has one."""
    menu = found.menu
    budget = menu.portfolio.budget
    limits = dict(budget.years or ())
    paid: dict[int, float] = {}
    for j in found.choices:
        for year, amount in menu.money[j].by_year.items():
            paid[year] = paid.get(year, 0.0) + amount
    return [
        {
            "year": year,
            "cost": plain(paid.get(year, 0.0)),
            "budget": limits.get(year),
            "unit": "GBP",
            "price_base": budget.price_base,
        }
        for year in sorted({*paid, *limits})
    ]


def region_rows(found: PortfolioFound) -> list[Row]:
    """Return expected discounted spend and the number of chosen options by region, with what was asked for it."""
    menu = found.menu
    regions = np.array(menu.edition.areas.region)
    floors = {floor.region: floor for floor in menu.portfolio.constraints.floors}
    rows: list[Row] = []
    for region in sorted(set(regions.tolist())):
        inside, floor = regions == region, floors.get(region)
        spent = sum(float(menu.money[j].by_area[inside].sum()) for j in found.choices)
        there = sum(bool(menu.reached[menu.option[j]][inside].any()) for j in found.choices)
        rows.append(
            {
                "region": region,
                "cost": plain(spent),
                "options": there,
                "least_cost": None if floor is None else floor.spend,
                "least_options": None if floor is None else floor.options,
                "unit": "GBP",
                "price_base": menu.portfolio.budget.price_base,
            }
        )
    return rows


def frontier_rows(found: PortfolioFound) -> list[Row]:
    """Return the efficient frontier: the best set for each amount of money, the cheapest first."""
    return [
        {
            "cost": plain(point.cost),
            "objective": plain(point.objective),
            "within_budget": point.within,
            "chosen": "; ".join(found.menu.label(j) for j in point.choices),
            "unit": "GBP",
            "price_base": found.menu.portfolio.budget.price_base,
        }
        for point in found.frontier
    ]


def regret_row(found: PortfolioFound, level: float) -> Row:
    """Return what the chosen set falls short of the best one of the same draw."""
    best = found.regret <= WORTH * max(float(np.abs(found.best).mean()), 1e-12)
    return one(found.regret, level) | {
        "prob_best": float(best.mean()),
        "level": level,
        "n": len(found.regret),
    }


def information_rows(found: PortfolioFound) -> list[Row]:
    """Return what it would be worth to know each layer of uncertainty, and everything, before choosing."""
    unit = label_of(found.menu.edition, found.menu.portfolio.objective.measure)[1]
    floor = WORTH * max(float(np.abs(found.best).mean()), 1e-12)
    return [
        {
            "layer": each.layer,
            "label": LAYERS.get(each.layer, "Everything at once"),
            "estimate": plain(each.value if each.value > floor else 0.0),
            "unit": unit,
            "n": each.n,
        }
        for each in found.information
    ]


def headline(found: PortfolioFound) -> str:
    """Give the answer in two or three sentences."""
    menu, objective = found.menu, found.menu.portfolio.objective
    label, unit = label_of(menu.edition, objective.measure)
    level = max(menu.scenario.analysis.intervals)
    if not found.choices:
        return (
            f"Choose nothing: no set of the {counted(len(menu.options), 'option')} that keeps to the budget and the "
            f"constraints does better than none by the {statistic_words(objective)} of: {label}."
        )
    named = ", ".join(menu.label(j) for j in found.choices)
    spent = one(cost_draws(found), level)
    effect = one(found.joint, level)
    regret = regret_row(found, level)
    places = decimals([_float(effect[name]) for name in ("estimate", "lower", "upper")])
    ends = span(_float(effect["lower"]), _float(effect["upper"]), places)
    write = number if objective.measure.state == "scenario" else signed
    low, middle, high = (_millions(_float(spent[name])) for name in ("lower", "estimate", "upper"))
    unsure = f" ({level_words(level)} interval {low} to {high})" if low != high else ""
    return (
        f"Choose {counted(len(found.choices), 'option')}: {named}. Expected cost {middle}{unsure}. {told(label)}: "
        f"{write(_float(effect['estimate']), places)} {unit} ({level_words(level)} interval {ends}) in "
        f"{menu.scenario.horizon.end}. It is the best set in {level_words(_float(regret['prob_best']))} of draws, and "
        f"falls short of each draw's best by {number(_float(regret['estimate']), places)} on average."
    )


def told(label: str) -> str:
    """Return the label of a measure as the head of a phrase that gives its value; a sign says that it is a change.

    Examples
    --------
    >>> told("Total, mean of all areas: change"), told("Coefficient of variation over areas: after")
    ('Total, mean of all areas', 'Coefficient of variation over areas, after')
    """
    return label.removesuffix(": change").replace(": after", ", after")


def decimals(values: Sequence[float]) -> int:
    """Give the decimals with which the largest of some numbers has about three figures.

    Examples
    --------
    >>> decimals([0.884, 1.3]), decimals([1333.1]), decimals([-0.0024])
    (2, 0, 5)
    """
    largest = max((abs(value) for value in values if np.isfinite(value)), default=0.0)
    return 2 if largest == 0 else int(np.clip(2 - np.floor(np.log10(largest)), 0, 6))


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _millions(pounds: float) -> str:
    return f"£{number(pounds / 1e6, 1)} million"


def binding(found: PortfolioFound) -> list[str]:
    """Name the rules that the chosen set leaves no room in, and what is left of the budget."""
    slack = found.rules.slack(found.chosen)
    tight = [name for name, left in zip(found.rules.names, slack, strict=True) if left <= TIGHT]
    said = [f"Met exactly: {name}." for name in dict.fromkeys(tight) if not name.startswith("one size of")]
    budget, menu = found.menu.portfolio.budget, found.menu
    if budget.total is not None and TOTAL not in tight:
        left = budget.total - float(menu.cost @ found.chosen)
        said.append(f"Of the budget, {_millions(left)} is not spent: nothing that fits into it makes the set better.")
    if any(name.startswith(OF_YEAR) for name in tight):
        said.append("A year's budget holds against what is expected to be paid in it, not discounted.")
    return said


def notes(found: PortfolioFound) -> list[str]:
    """Say how the set was found, and what the figures rest on."""
    menu, budget = found.menu, found.menu.portfolio.budget
    whole = "without the total budget" if found.frontier and not found.frontier[-1].within else "within the budget"
    stopped = "" if found.optimal else ", which stopped before it had proved it the best"
    how = (
        f"All {found.n_sets:,} sets that keep to the budget and the constraints were tried, so no better one exists "
        f"(effects added up); the frontier is over all sets {whole}."
        if found.method == "enumeration"
        else f"The set was found by integer programming (HiGHS){stopped}; frontier, regret and information are over "
        f"{found.n_sets:,} sets: the best ones of single draws and of other budgets."
    )
    said = [
        how,
        f"Costs are expected ones at {budget.price_base} prices, discounted at {100 * budget.discount_rate:g}% a year "
        f"to {menu.scenario.horizon.start}; effects are those of {menu.scenario.horizon.end} and are not discounted.",
        _together(found),
        "Inclusion is the share of draws whose own best set holds the option. Regret is what the chosen set falls "
        "short of that set. What information is worth is the gain in the mean from knowing a layer before choosing: "
        "effects are regressed on what each option does if that layer alone is uncertain "
        f"({found.information[-1].n:,} draws).",
    ]
    if found.first != found.choices:
        named = ", ".join(menu.label(j) for j in found.first)
        said.append(f"By effects added up another set is best: {named}. Projected together it is not.")
    if len(found.choices) > 1:
        said.append(
            "Sizes of different actions are drawn independently. If programmes succeed or fail together, a set of "
            "several is less sure than shown."
        )
    if menu.portfolio.objective.statistic != "mean":
        said.append("What information is worth is counted for the mean, whatever the objective.")
    counts = {
        amount.unit
        for action in menu.scenario.actions
        if action.cost is not None
        for amount in (action.cost.fixed, action.cost.recurring)
        if amount is not None
    }
    if counts & {"GBP", "GBP_per_job"}:
        said.append("Amounts in all and per job are spread over areas by residents aged 16 to 64.")
    return said


def _together(found: PortfolioFound) -> str:
    apart = float(np.abs(found.joint - found.draws).max())
    scale = max(float(np.abs(found.joint).max()), 1e-12)
    if apart <= 1e-6 * scale:
        return "Projected together, the chosen options do what their effects add up to."
    named = "; ".join(" and ".join(pair) for pair in found.meets) or "limits or neighbours"
    mean = float((found.joint - found.draws).mean())
    return (
        f"Projected together, the chosen options differ from the sum of their effects by "
        f"{signed(mean, decimals([mean]))} on average: they meet ({named}). The effect given is the one "
        "projected together."
    )
