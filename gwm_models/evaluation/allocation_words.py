"""The answer to an allocation in words and rows: what each area gets, and what that gains over an even spread."""

from __future__ import annotations

from typing import Any

import numpy as np

from gwm_models.evaluation.allocation import Allocated
from gwm_models.evaluation.portfolio_menu import portfolio_of
from gwm_models.evaluation.portfolio_words import decimals, told
from gwm_models.scenarios.measured import TOTAL, better_is, measured_plain
from gwm_models.scenarios.portfolio_explain import label_of, statistic_words
from gwm_models.scenarios.spec import Allocation
from gwm_models.scenarios.spread import Row, one, plain
from gwm_models.scenarios.words import level_words, number, signed, span

SCHEMA = "gwm-allocation/1"
TIGHT = 1e-6
MILLION = 1e6
BEYOND = 1.0
"""Multiple of the stated cost above which the response is read off beyond what the action states."""


def asked_of(found: Allocated) -> Allocation:
    """Return the allocation that was asked for."""
    asked = portfolio_of(found.scenario).allocation
    assert asked is not None  # noqa: S101 - there is a result of it
    return asked


def summarise_allocation(found: Allocated) -> dict[str, Any]:
    """Return the answer to an allocation as plain values, ready to be written as JSON.

    Parameters
    ----------
    found : Allocated

    Returns
    -------
    dict
        Rows under ``areas``, ``regions``, ``effect`` and ``frontier``, and words.
    """
    scenario, portfolio = found.scenario, portfolio_of(found.scenario)
    objective, level = portfolio.objective, max(found.scenario.analysis.intervals)
    label, unit = label_of(found.edition, objective.measure)
    asked = asked_of(found)
    return {
        "schema": SCHEMA,
        "id": scenario.id,
        "title": scenario.title,
        "question": scenario.question,
        "headline": headline(found),
        "edition": {"name": scenario.baseline.edition, "title": found.edition.spec.title},
        "year": scenario.horizon.end,
        "draws": len(found.draws),
        "seed": scenario.analysis.seed,
        "level": level,
        "measure": measured_plain(objective.measure) | {"label": label, "unit": unit},
        "statistic": objective.statistic,
        "statistic_words": statistic_words(objective),
        "probability": objective.probability,
        "response": asked.response.model_dump(exclude_none=True),
        "equity": asked.equity,
        "objective": plain(found.objective),
        "objective_even": plain(found.objective_even),
        "bound": plain(better_is(objective.measure) * found.spread.bound),
        "programmes": found.spread.rounds,
        "budget": {
            "total": found.limits.budget,
            "spent": plain(float(found.spread.money.sum())),
            "price_base": portfolio.budget.price_base,
            "discount_rate": portfolio.budget.discount_rate,
            "unit": "GBP",
        },
        "effect_of_the_next_million": None if found.spread.price is None else plain(found.spread.price * MILLION),
        "effect": effect_rows(found, level),
        "areas": area_rows(found),
        "regions": region_rows(found),
        "frontier": [
            {"cost": plain(amount), "objective": plain(value), "chosen": ""} for amount, value in found.budgets
        ],
        "cost": {"estimate": plain(float(found.spread.money.sum()))},
        "binding": binding(found),
        "notes": notes(found),
    }


def effect_rows(found: Allocated, level: float) -> list[Row]:
    """Return what is measured, unweighted, under the best spread, an even one, and their difference on common draws."""
    parts = {
        "best spread": found.draws,
        "same amount per resident aged 16 to 64": found.even,
        "best less even": found.draws - found.even,
    }
    return [{"what": what, **one(draws, level), "level": level, "n": len(draws)} for what, draws in parts.items()]


def area_rows(found: Allocated) -> list[Row]:
    """Return a row for each area: what it gets, in all and per resident aged 16 to 64, and which limit holds it."""
    areas, limits, money = found.edition.areas, found.limits, found.spread.money
    residents = areas.population_16_64[found.places]
    effect = found.curves.effect(money)
    price = portfolio_of(found.scenario).budget.price_base
    return [
        {
            "area_code": areas.code[place],
            "area_name": areas.name[place],
            "region": areas.region[place],
            "amount": plain(float(money[i])),
            "amount_even": plain(float(found.per_head[i])),
            "per_resident_16_64": plain(float(money[i] / residents[i])),
            "share_of_stated_cost": plain(float(money[i] / found.curves.cost[i])),
            "share_of_stated_effect": plain(float(effect[i])),
            "weight": plain(float(found.weight[i])),
            "limit": _limit(float(money[i]), float(limits.floor[i]), float(limits.cap[i])),
            "unit": "GBP",
            "price_base": price,
        }
        for i, place in enumerate(found.places.tolist())
    ]


def _limit(money: float, floor: float, cap: float) -> str | None:
    if floor and money <= floor * (1 + TIGHT):
        return "floor"
    return "cap" if money >= cap * (1 - TIGHT) else None


def region_rows(found: Allocated) -> list[Row]:
    """Return the amount of each region, with its least."""
    regions = np.array(found.edition.areas.region)[found.places]
    floors = {floor.region: floor.spend for floor in portfolio_of(found.scenario).constraints.floors}
    return [
        {
            "region": region,
            "areas": int((regions == region).sum()),
            "amount": plain(float(found.spread.money[regions == region].sum())),
            "amount_even": plain(float(found.per_head[regions == region].sum())),
            "least_cost": floors.get(region),
            "unit": "GBP",
            "price_base": portfolio_of(found.scenario).budget.price_base,
        }
        for region in sorted(set(regions.tolist()))
    ]


def headline(found: Allocated) -> str:
    """Give the answer in two or three sentences."""
    objective = portfolio_of(found.scenario).objective
    label, unit = label_of(found.edition, objective.measure)
    level = max(found.scenario.analysis.intervals)
    best, even = one(found.draws, level), one(found.even, level)
    places = decimals([_float(best[name]) for name in ("estimate", "lower", "upper")])
    spent = float(found.spread.money.sum()) / MILLION
    funded = int((found.spread.money > 0).sum())
    return (
        f"£{number(spent, 1)} million over {funded} of {len(found.places)} areas. {told(label)}: "
        f"{signed(_float(best['estimate']), places)} {unit} ({level_words(level)} interval "
        f"{span(_float(best['lower']), _float(best['upper']), places)}) in {found.scenario.horizon.end}; the same "
        f"amount per resident would give {signed(_float(even['estimate']), places)}."
    )


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def binding(found: Allocated) -> list[str]:
    """Say how many areas a floor or a cap holds, which regions get just their least, and what is not spent."""
    limits = [row["limit"] for row in area_rows(found)]
    said = [f"{limits.count(name)} areas are at the {name}." for name in ("floor", "cap") if name in limits]
    for row in region_rows(found):
        least = row["least_cost"]
        if isinstance(least, float) and _float(row["amount"]) <= least * (1 + TIGHT):
            said.append(f"{row['region']} gets just its least, £{number(least / MILLION, 1)} million.")
    left = found.limits.budget - float(found.spread.money.sum())
    if left > TIGHT * found.limits.budget:
        said.append(f"£{number(left / MILLION, 1)} million is not spent: no area can use it under its limits.")
    return said


def notes(found: Allocated) -> list[str]:
    """Say how the spread was found, and what the figures rest on."""
    asked, budget = asked_of(found), portfolio_of(found.scenario).budget
    response = (
        f"The effect in an area goes with the money to the power {asked.response.elasticity:g}"
        if asked.response.elasticity is not None
        else f"The effect in an area is half of the most it can be at {asked.response.half_saturation:g} times its cost"
    )
    said = [
        f"{response}; it is as the action states where its stated cost is spent. That response is an assumption of the "
        "file, and so is the spread.",
        f"No spread keeps to the limits with an objective beyond {number(_float(plain(_bound(found))), 6)}; the one "
        f"found has {number(found.objective, 6)} (linear programmes with cuts, {found.spread.rounds} solved).",
        f"Amounts are at {budget.price_base} prices, discounted at {100 * budget.discount_rate:g}% a year; the limits "
        "per resident count those aged 16 to 64.",
    ]
    if asked.equity:
        said.append(
            f"The spread counts an area by the mean total over its own, to the power {asked.equity:g}; the effects "
            "given are not weighted."
        )
    if portfolio_of(found.scenario).objective.measure.quantity in (TOTAL, *found.edition.spec.domain_ids):
        said.append("Areas weigh the same in a mean score whatever their size, so a pound goes further in a small one.")
    beyond = int((found.spread.money > BEYOND * found.curves.cost).sum())
    if beyond:
        said.append(f"{beyond} areas get more than the stated cost: what it does there is read off beyond the action.")
    return said


def _bound(found: Allocated) -> float:
    return better_is(portfolio_of(found.scenario).objective.measure) * found.spread.bound
