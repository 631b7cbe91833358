"""Money spread over areas: against the closed solution by its price, laws, limits, and its folder."""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.cli import run_command
from gwm_models.errors import InfeasibleError, ModelError
from gwm_models.evaluation.allocation import Allocated, allocate
from gwm_models.evaluation.allocation_programme import Curves, Limits, spread_money
from gwm_models.evaluation.allocation_words import summarise_allocation
from gwm_models.report.allocation import write_allocation
from gwm_models.report.run_folder import resolved_yaml
from gwm_models.scenarios.inequality import inequality
from gwm_models.scenarios.reader import check_mapping, read_scenario
from gwm_models.scenarios.spec import Scenario

TOTAL = {"quantity": "total", "group": "all areas"}


def asked(
    total: float = 50e6,
    allocation: dict[str, Any] | None = None,
    objective: dict[str, Any] | None = None,
    constraints: dict[str, Any] | None = None,
    **more: Any,
) -> Scenario:
    content = {
        "schema": "gwm-scenario/1",
        "kind": "portfolio",
        "id": "an-allocation",
        "title": "An allocation",
        "question": "Who gets what?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": 2026, "end": 2032},
        "actions": [
            {
                "id": "push",
                "indicator": "economic_activity_rate",
                "change": {"kind": "absolute", "value": 1.0, "unit": "pp"},
                "uncertainty": {"low": 0.2, "high": 1.8, "across_areas": 0.3},
                "target": {"regions": ["North East", "North West"]},
                "phasing": {"start": 2026, "full_by": 2030},
                "cost": {"fixed": {"value": 30, "unit": "GBP_per_resident_16_64"}, "price_base": 2025},
                "evidence": {"source": "made up for a test", "grade": "assumed"},
            }
        ],
        "analysis": {"draws": 200, "seed": 3},
        "portfolio": {
            "allocation": {"action": "push", "response": {"elasticity": 0.5}} | (allocation or {}),
            "budget": {"total": total, "price_base": 2025},
            "constraints": constraints or {},
            "objective": {"measure": TOTAL} | (objective or {}),
        },
    }
    scenario, problems = check_mapping(content | more)
    assert scenario is not None, problems
    return scenario


@lru_cache(maxsize=1)
def usual() -> Allocated:
    return allocate(asked(allocation={"floor": 1.0, "cap": 25.0}, constraints=FLOOR))


FLOOR = {"floors": [{"region": "North East", "spend": 30e6}]}


def at_price(worth: np.ndarray, curves: Curves, limits: Limits, price: np.ndarray) -> np.ndarray:
    """Return the amounts at which the next pound is worth a price, floors and caps kept."""
    if curves.elasticity is not None:
        e = curves.elasticity
        share = (worth * e / (curves.cost * price)) ** (1 / (1 - e))
    else:
        half = curves.half_saturation
        share = np.maximum(np.sqrt(worth * (1 + half) * half / (curves.cost * price)) - half, 0)
    return np.clip(share * curves.cost, limits.floor, limits.cap)


def halved(spend: Any, amount: float) -> float:
    """Return the price at which an amount is spent: spending falls with the price."""
    low, high = 1e-30, 1e6
    for _ in range(400):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if spend(middle) > amount else (low, middle)
    return float(np.sqrt(low * high))


def by_price(worth: np.ndarray, curves: Curves, limits: Limits) -> np.ndarray:
    """Return the best amounts in closed form: one price for all, a lower one in groups that must get more."""

    def own_price(group: np.ndarray, least: float) -> float:
        return halved(lambda price: at_price(worth, curves, limits, np.full(len(worth), price))[group].sum(), least)

    ceilings = [own_price(group, least) for group, least in zip(limits.groups, limits.least, strict=True)]

    def prices(price: float) -> np.ndarray:
        each = np.full(len(worth), price)
        for group, ceiling in zip(limits.groups, ceilings, strict=True):
            each[group] = min(price, ceiling)
        return each

    price = halved(lambda price: at_price(worth, curves, limits, prices(price)).sum(), limits.budget)
    return at_price(worth, curves, limits, prices(price))


def made_up(seed: int, m: int, form: str) -> tuple[np.ndarray, Curves, Limits]:
    rng = np.random.default_rng(seed)
    cost = rng.uniform(1e6, 9e6, m)
    curves = Curves(cost, elasticity=rng.uniform(0.2, 0.9)) if form == "power" else Curves(cost, half_saturation=1.5)
    floor, cap = rng.uniform(0, 0.05, m) * cost, rng.uniform(0.5, 3.0, m) * cost
    groups = np.arange(m)[None] < max(m // 2, 1)
    budget = float(rng.uniform(floor.sum(), cap.sum()))
    least = np.array([min(0.5 * budget, 0.9 * float(cap[groups[0]].sum()))])
    least = np.minimum(least, budget - floor[~groups[0]].sum())
    return rng.uniform(0.1, 2.0, m), curves, Limits(budget, floor, cap, np.zeros(m), groups, least)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.sampled_from(["power", "half"]))
def test_the_spread_is_the_one_at_which_the_next_pound_is_worth_the_same_everywhere(seed, m, form):
    worth, curves, limits = made_up(seed, m, form)
    found = spread_money(lambda effect: (float(worth @ effect), worth), curves, limits)
    exact = by_price(worth, curves, limits)
    assert found is not None
    best = float(worth @ curves.effect(exact))
    assert found.objective == pytest.approx(best, rel=2e-6)
    assert found.bound >= best * (1 - 1e-7)
    assert found.money.sum() <= limits.budget * (1 + 1e-7)
    assert (found.money >= limits.floor * (1 - 1e-9)).all() and (found.money <= limits.cap * (1 + 1e-9)).all()
    assert (limits.groups @ found.money >= limits.least * (1 - 1e-6)).all()


def test_two_areas_by_hand():
    # Square roots: amounts go with worth squared over cost, so 4 to 1 here; effects 2 and 1 times the square root.
    curves = Curves(np.array([1.0, 1.0]), elasticity=0.5)
    limits = Limits(5.0, np.zeros(2), np.full(2, np.inf), np.zeros(2), np.zeros((0, 2), dtype=bool), np.zeros(0))
    worth = np.array([2.0, 1.0])
    found = spread_money(lambda effect: (float(worth @ effect), worth), curves, limits)
    assert found is not None
    assert found.money == pytest.approx([4.0, 1.0], rel=1e-2)
    assert found.objective == pytest.approx(5.0, rel=1e-6)
    assert found.price == pytest.approx(0.5, rel=1e-2)


def test_without_diminishing_returns_money_goes_where_it_is_worth_most():
    curves = Curves(np.array([1.0, 2.0, 4.0]), elasticity=1.0)
    limits = Limits(4.0, np.zeros(3), np.full(3, 3.0), np.zeros(3), np.zeros((0, 3), dtype=bool), np.zeros(0))
    worth = np.array([1.0, 3.0, 3.0])
    found = spread_money(lambda effect: (float(worth @ effect), worth), curves, limits)
    assert found is not None
    assert found.money == pytest.approx([1.0, 3.0, 0.0], abs=1e-6)


def test_a_smallest_grant_is_paid_whole_or_not_at_all():
    curves = Curves(np.ones(4), half_saturation=1.0)
    limits = Limits(2.0, np.zeros(4), np.full(4, 9.0), np.ones(4), np.zeros((0, 4), dtype=bool), np.zeros(0))
    worth = np.array([1.0, 0.9, 0.8, 0.1])
    found = spread_money(lambda effect: (float(worth @ effect), worth), curves, limits)
    assert found is not None
    assert found.money == pytest.approx([1.0, 1.0, 0.0, 0.0], abs=1e-6)
    assert found.price is None
    none = Limits(2.0, np.full(4, 0.6), np.full(4, 9.0), np.zeros(4), np.zeros((0, 4), dtype=bool), np.zeros(0))
    assert spread_money(lambda effect: (float(worth @ effect), worth), curves, none) is None


def test_slopes_and_inverses_of_responses_are_those_of_the_curves():
    money = np.array([0.2, 1.0, 3.0])
    for curves in (Curves(np.full(3, 2.0), elasticity=0.4), Curves(np.full(3, 2.0), half_saturation=0.7)):
        step = (curves.effect(money + 1e-6) - curves.effect(money - 1e-6)) / 2e-6
        assert curves.slope(money) == pytest.approx(step, rel=1e-6)
        assert curves.inverse(curves.effect(money)) == pytest.approx(money)
        assert curves.effect(curves.cost) == pytest.approx(1.0)


# On the real areas


def test_the_real_spread_is_the_closed_one_and_keeps_to_its_limits():
    found = usual()
    worth = found.projection.change[:, found.places].mean(axis=0) / len(found.edition.areas)
    exact = by_price(worth, found.curves, found.limits)
    assert found.spread.objective == pytest.approx(float(worth @ found.curves.effect(exact)), rel=2e-6)
    region = np.array(found.edition.areas.region)[found.places]
    assert found.spread.money[region == "North East"].sum() >= 30e6 * (1 - 1e-6)
    assert found.spread.money.sum() <= 50e6 * (1 + 1e-7)
    assert found.objective >= found.objective_even


def test_what_is_measured_is_each_areas_change_times_its_effect():
    found = usual()
    effect = found.curves.effect(found.spread.money)
    assert found.draws == pytest.approx(found.projection.change[:, found.places] @ effect / len(found.edition.areas))
    assert found.per_head.sum() == pytest.approx(found.spread.money.sum())


def test_more_money_is_never_worse():
    amounts, values = zip(*usual().budgets, strict=True)
    assert list(amounts) == sorted(amounts) and list(values) == sorted(values)
    assert 50e6 in amounts


@pytest.mark.parametrize("statistic", [{}, {"statistic": "tail_mean", "probability": 0.2}])
def test_a_gap_is_made_as_small_as_it_can_be(statistic):
    found = allocate(asked(allocation={"cap": 60.0}, objective={"measure": {"quantity": "gap_10_10"}} | statistic))
    assert found.spread.bound - found.spread.objective <= 1e-5 * abs(found.spread.bound)
    before, areas = found.projection.total_before, found.edition.areas
    change = np.zeros_like(before)
    change[:, found.places] = found.projection.change[:, found.places] * found.curves.effect(found.spread.money)
    gap = inequality("gap_10_10", before + change, areas) - inequality("gap_10_10", before, areas)
    assert found.draws == pytest.approx(gap)
    worst = np.sort(gap)[-40:].mean() if statistic else gap.mean()
    assert found.objective == pytest.approx(worst, abs=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = rng.dirichlet(found.spread.money / found.spread.money.sum() * 200 + 1e-3) * 50e6
        other = np.minimum(other, found.limits.cap)
        change[:, found.places] = found.projection.change[:, found.places] * found.curves.effect(other)
        own = inequality("gap_10_10", before + change, areas) - inequality("gap_10_10", before, areas)
        assert (np.sort(own)[-40:].mean() if statistic else own.mean()) >= found.objective - 1e-6


def test_the_worst_draws_can_be_what_counts():
    found = allocate(asked(objective={"statistic": "tail_mean", "probability": 0.1}))
    assert found.objective == pytest.approx(np.sort(found.draws)[:20].mean())
    assert found.objective >= np.sort(usual().draws)[:20].mean() * 0.9
    assert found.objective >= found.objective_even - 1e-9


def test_weaker_areas_get_more_where_they_count_more():
    plain, fair = (allocate(asked(allocation={"equity": power})) for power in (0.0, 2.0))
    total = plain.projection.total_before.mean(axis=0)
    assert fair.weight == pytest.approx((total.mean() / total[fair.places]) ** 2)
    weakest = np.argsort(total[fair.places])[:10]
    assert fair.spread.money[weakest].sum() > plain.spread.money[weakest].sum()
    assert fair.draws.mean() <= plain.draws.mean()


@pytest.mark.parametrize(
    ("total", "allocation", "constraints", "said"),
    [
        (1e6, {"floor": 5.0}, {}, "floors of the areas alone take"),
        (50e6, {"cap": 1.0}, {"floors": [{"region": "North East", "spend": 9e6}]}, "The caps allow"),
        (20e6, {"floor": 2.0}, {"floors": [{"region": "North East", "spend": 18e6}]}, "take more than that"),
    ],
)
def test_limits_that_no_spread_keeps_to_say_why(total, allocation, constraints, said):
    with pytest.raises(InfeasibleError, match=said):
        allocate(asked(total, allocation, constraints=constraints))


def test_a_portfolio_of_options_is_no_allocation():
    scenario = asked()
    with pytest.raises(ModelError, match="has no allocation"):
        allocate(scenario.model_copy(update={"portfolio": scenario.portfolio.model_copy(update={"allocation": None})}))


def test_the_folder_and_the_command_give_a_row_for_each_area(tmp_path, monkeypatch, capsys):
    summary = write_allocation(tmp_path / "out", usual(), command="gwm portfolio x")
    assert sum(row["amount"] for row in summary["areas"]) == pytest.approx(summary["budget"]["spent"])
    assert sum(row["amount"] for row in summary["regions"]) == pytest.approx(summary["budget"]["spent"])
    assert {row["limit"] for row in summary["areas"]} <= {None, "floor", "cap"}
    assert read_scenario(tmp_path / "out" / "question.yaml").scenario == usual().scenario
    assert "What each area gets" in (tmp_path / "out" / "report.html").read_text("utf-8")
    file = tmp_path / "allocation.yaml"
    file.write_text(resolved_yaml(usual().scenario), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["gwm", "portfolio", str(file), "--out", str(tmp_path / "o"), "--format", "json"])
    assert run_command() == 0
    told = json.loads(capsys.readouterr().out)
    assert told["areas"] == summary["areas"] and told["headline"] == summary["headline"]
    assert summarise_allocation(usual())["headline"] == told["headline"]
