"""Appraisal: costs against effects in joint draws, with a ratio only where there is one."""

from __future__ import annotations

import json
from copy import deepcopy
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gwm_models.cli.app import app
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError
from gwm_models.evaluation.appraisal import appraise, reference_value
from gwm_models.evaluation.appraisal_arrays import (
    acceptability,
    cost_ratio,
    discount_factors,
    even_value,
    information_value,
    net_benefit,
    quadrants,
)
from gwm_models.evaluation.appraisal_effects import equity_weights, weights_of_income
from gwm_models.evaluation.appraisal_terms import Terms, Value, prices_factor, read_deflator
from gwm_models.evaluation.appraisal_text import WEIGHTED, pounds, statement
from gwm_models.evaluation.appraisal_words import summarise_appraisal
from gwm_models.plots.appraisal import acceptability_curve, cost_plane
from gwm_models.report.appraisal import appraisal_html
from gwm_models.report.appraisal_part import costs_part
from gwm_models.scenarios.inequality import inequality
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.sums import life_expectancy, sum_rows

NORMAL = NormalDist()
DRAWS = 300
YEARS = (2026, 2030)

PUSH: dict[str, Any] = {
    "id": "push",
    "indicator": "economic_activity_rate",
    "change": {"kind": "absolute", "value": 1.0, "unit": "pp"},
    "uncertainty": {"low": 0.4, "high": 1.8},
    "target": {"regions": ["North East"]},
    "phasing": {"start": 2026, "full_by": 2026},
    "cost": {"recurring": {"value": 10, "unit": "GBP_per_resident_16_64"}, "price_base": 2025},
    "evidence": {"source": "made up for a test", "grade": "assumed"},
}
MEN = {"outcome": "healthy_life_expectancy_male", "link": "between", "lag": {"years": 0, "build_up": 0}}
DEATHS = {"outcome": "drug_poisoning_deaths", "link": "between", "lag": {"years": 0, "build_up": 0}}


def scenario(*actions: dict[str, Any], health: list[dict[str, Any]] | None = None, **more: Any) -> Scenario:
    """Return a small scenario; one push with a cost by default."""
    content = {
        "schema": "gwm-scenario/1",
        "id": "a-run",
        "title": "A run",
        "question": "Is it worth it?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": YEARS[0], "end": YEARS[1]},
        "actions": list(actions or (PUSH,)),
        "health": [MEN] if health is None else health,
        "analysis": {"draws": DRAWS, "seed": 5, "intervals": [0.9]},
    }
    found, problems = check_mapping(deepcopy(content | more))
    assert found is not None, problems
    return found


def appraised(*actions: dict[str, Any], terms: Terms | None = None, **more: Any) -> Any:
    return appraise(project(scenario(*actions, **more), variance=False), terms)


@pytest.fixture(scope="module")
def usual() -> Any:
    return appraised()


def normals(
    n: int, cost: tuple[float, float], effect: tuple[float, float], correlation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw costs and effects from a bivariate normal, its mean and covariance matched exactly."""
    raw = keyed_rng(11, "appraisal", "normals").standard_normal((n, 2))
    raw -= raw.mean(axis=0)
    raw = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T, bias=True))).T
    mixed = np.column_stack([raw[:, 0], correlation * raw[:, 0] + np.sqrt(1 - correlation**2) * raw[:, 1]])
    return cost[0] + cost[1] * mixed[:, 0], effect[0] + effect[1] * mixed[:, 1]


# Arrays


def test_the_ratio_is_mean_cost_over_mean_effect_and_its_interval_that_of_the_draws_where_all_do_good():
    effect = np.linspace(1, 3, 1001)
    found = cost_ratio(np.full(1001, 60.0), effect, 0.9)
    assert (found.verdict, found.estimate) == ("ratio", pytest.approx(30))
    lower, upper = np.quantile(60 / effect, [0.05, 0.95])
    assert (found.lower, found.upper) == (pytest.approx(lower, rel=2e-3), pytest.approx(upper, rel=2e-3))


def test_the_interval_of_a_ratio_is_fiellers_for_normal_draws():
    (mc, sc), (me, se), r, z = (100.0, 20.0), (10.0, 3.0), 0.4, NORMAL.inv_cdf(0.95)
    cost, effect = normals(40_000, (mc, sc), (me, se), r)
    # (mc - R me)^2 = z^2 (sc^2 - 2 R r sc se + R^2 se^2)
    a, b, c = me**2 - z**2 * se**2, -2 * (mc * me - z**2 * r * sc * se), mc**2 - z**2 * sc**2
    ends = (-b + np.array([-1, 1]) * np.sqrt(b**2 - 4 * a * c)) / (2 * a)
    found = cost_ratio(cost, effect, 0.9)
    assert found.estimate == pytest.approx(10)
    assert [found.lower, found.upper] == pytest.approx(list(ends), rel=0.01)


@pytest.mark.parametrize(
    ("cost", "effect", "verdict"),
    [
        (1.0, np.linspace(-1, 3, 200), "unsure"),
        (1.0, np.linspace(-0.04, 1, 200), "ratio"),
        (-1.0, np.linspace(1, 2, 200), "dominant"),
        (1.0, -np.linspace(1, 2, 200), "dominated"),
        (-1.0, -np.linspace(1, 2, 200), "saves_and_harms"),
        (1.0, np.zeros(200), "no_effect"),
    ],
)
def test_there_is_a_ratio_only_where_the_interval_of_the_effect_lies_above_zero(cost, effect, verdict):
    found = cost_ratio(np.full(200, cost), effect, 0.9)
    assert found.verdict == verdict
    ends = (found.estimate, found.lower, found.upper)
    assert all(np.isfinite(end) for end in ends) if verdict == "ratio" else ends == (None, None, None)


def test_there_is_no_ratio_where_the_mean_effect_is_not_good_though_most_draws_are():
    rare_harm = np.array([1.0] * 19 + [-30])
    assert cost_ratio(np.ones(20), rare_harm, 0.8).verdict == "unsure"
    assert cost_ratio(np.ones(20), np.ones(20), 0.8).verdict == "ratio"


def test_the_acceptability_curve_of_a_bivariate_normal_is_its_closed_form():
    (mc, sc), (me, se), r = (50.0, 10.0), (2.0, 1.5), -0.3
    cost, effect = normals(50_000, (mc, sc), (me, se), r)
    values = np.array([0.0, 10, 20, 30, 60, 120])
    spread = np.sqrt(values**2 * se**2 + sc**2 - 2 * values * r * sc * se)
    exact = [NORMAL.cdf(m / s) for m, s in zip(values * me - mc, spread, strict=True)]
    assert acceptability(cost, effect, values) == pytest.approx(exact, abs=0.006)


def test_the_value_of_information_of_a_normal_net_benefit_is_its_closed_form():
    cost, effect = normals(50_000, (50.0, 10.0), (2.0, 1.5), 0.0)
    for value in (10.0, 25.0, 60.0):
        mean, sd = value * 2 - 50, np.hypot(value * 1.5, 10)
        exact = sd * (NORMAL.pdf(mean / sd) - abs(mean / sd) * NORMAL.cdf(-abs(mean / sd)))
        assert information_value(cost, effect, value) == pytest.approx(exact, rel=0.02)


AMOUNTS = st.lists(st.tuples(st.integers(-6, 6), st.integers(-4, 8)), min_size=2, max_size=30)


def joint(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    found = np.array(pairs, dtype=float)
    return found[:, 0], found[:, 1]


@given(AMOUNTS, st.sampled_from([0.5, 0.8, 0.9]))
def test_doubling_costs_doubles_the_ratio_and_doubling_effects_halves_it(pairs, level):
    cost, effect = joint(pairs)
    once, twice, half = (cost_ratio(c, e, level) for c, e in ((cost, effect), (2 * cost, effect), (cost, 2 * effect)))
    assert once.verdict == twice.verdict == half.verdict
    if once.verdict == "ratio":
        for name in ("estimate", "lower", "upper"):
            assert getattr(twice, name) == pytest.approx(2 * getattr(once, name))
            assert getattr(half, name) == pytest.approx(getattr(once, name) / 2)


@settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much])  # few pairs have a ratio
@given(AMOUNTS, st.sampled_from([0.5, 0.8, 0.9]))
def test_a_ratio_interval_is_bounded_and_the_chance_of_a_loss_beyond_it_is_a_tail_at_most(pairs, level):
    cost, effect = joint(pairs)
    found = cost_ratio(cost, effect, level)
    assume(found.verdict == "ratio")
    tail = (1 - level) / 2
    assert found.lower <= found.upper
    step = 1e-6 * (1 + abs(found.upper))
    assert (net_benefit(cost, effect, found.upper + step) < 0).mean() <= tail + 1e-9
    step = 1e-6 * (1 + abs(found.lower))
    assert (net_benefit(cost, effect, found.lower - step) > 0).mean() <= tail + 1e-9


@given(AMOUNTS, st.floats(0, 20), st.floats(0, 20), st.floats(0, 1))
def test_net_benefit_is_linear_in_the_value(pairs, low, high, part):
    cost, effect = joint(pairs)
    between = net_benefit(cost, effect, low + part * (high - low))
    mixed = (1 - part) * net_benefit(cost, effect, low) + part * net_benefit(cost, effect, high)
    assert between == pytest.approx(mixed, abs=1e-9)


@given(AMOUNTS, st.floats(0.1, 20))
def test_shares_add_up_information_is_worth_something_and_at_value_zero_only_savings_count(pairs, value):
    cost, effect = joint(pairs)
    assert sum(quadrants(cost, effect).values()) == pytest.approx(1)
    assert acceptability(cost, effect, [0.0])[0] == (cost < 0).mean()
    worth = information_value(cost, effect, value)
    net = net_benefit(cost, effect, value)
    assert worth >= -1e-9
    if (net >= 0).all() or (net <= 0).all():
        assert worth == pytest.approx(0, abs=1e-9)


@given(AMOUNTS)
def test_just_above_the_even_value_half_of_the_draws_or_more_are_worth_it_and_below_it_never(pairs):
    cost, effect = joint(pairs)
    found = even_value(cost, effect)
    grid = np.linspace(0, 60, 241) + 1e-4
    enough = acceptability(cost, effect, grid) >= 0.5
    if found is None:
        assert not enough.any()
        return
    assert acceptability(cost, effect, [found + 1e-7])[0] >= 0.5 or found == 0
    assert not enough[grid < found - 1e-6].any()


def test_draws_without_a_cost_or_an_effect_lie_where_they_are_said_to():
    found = quadrants(np.array([0.0, 0, 0, 1]), np.array([1.0, -1, 0, 0]))
    assert (found["costs_less_does_good"], found["costs_less_does_harm"], found["no_effect"]) == (0.25, 0.25, 0.5)
    assert even_value(np.array([0.0, 1]), np.array([1.0, -1])) == 0
    # The draw with a cost and no effect is a loss at any value, so the upper end is the next dearest.
    cost, effect = np.ones(10), np.array([0, 1, 1, 1, 1, 1, 1, 1, 1, 0.5])
    assert cost_ratio(cost, effect, 0.7).upper == 2


def test_discount_factors_by_hand():
    assert discount_factors([2025, 2026, 2028], 2026, 0.1) == pytest.approx([1.1, 1, 1 / 1.21])


# Costs


def test_costs_are_discounted_year_by_year_to_the_first_year():
    cost = {
        "fixed": {"value": 100, "unit": "GBP"},
        "recurring": {"value": 10, "unit": "GBP", "years": [2026, 2028]},
        "price_base": 2025,
    }
    found = appraised({**PUSH, "cost": cost}, terms=Terms(cost_rate=0.25)).cost
    assert found.by_year[:, 0].tolist() == [110, 10, 10]
    assert (found.total == 130).all()
    assert found.discounted == pytest.approx(110 + 10 * 0.8 + 10 * 0.64)
    late = {"recurring": {"value": 10, "unit": "GBP", "years": [2028, 2028]}, "price_base": 2025}
    assert appraised({**PUSH, "cost": late}, terms=Terms(cost_rate=0.25)).cost.discounted == pytest.approx(6.4)


def two_bases() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two actions with fixed costs at prices of 2020 and of 2025."""
    old = {"fixed": {"value": 100, "unit": "GBP"}, "price_base": 2020}
    new = {"fixed": {"value": 50, "unit": "GBP"}, "price_base": 2025}
    return {**PUSH, "cost": old}, {**PUSH, "id": "again", "cost": new}


def test_costs_at_prices_of_different_years_are_refused_in_one_message():
    with pytest.raises(DataError, match=r"push 2020, again 2025.*no price index is shipped"):
        appraised(*two_bases())


def test_a_deflator_brings_costs_to_one_price_base():
    index = {2020: 80.0, 2025: 100.0}
    found = appraised(*two_bases(), terms=Terms(deflator=index, deflator_source="made up")).cost
    assert (found.price_base, found.converted) == (2025, (2020,))
    assert found.total == pytest.approx(100 / 0.8 + 50)
    back = appraised(*two_bases(), terms=Terms(deflator=index, price_base=2020, deflator_source="made up")).cost
    assert back.total == pytest.approx(100 + 50 * 0.8)
    with pytest.raises(DataError, match="no index of 2025; it covers 2019 to 2020"):
        prices_factor(Terms(deflator={2019: 1.0, 2020: 1.0}), 2020, 2025)


def test_a_run_without_costs_has_nothing_to_appraise():
    with pytest.raises(DataError, match="a-run: no action has a cost"):
        appraised({name: part for name, part in PUSH.items() if name != "cost"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("year,price\n2020,1\n", "expected columns year, index"),
        ("year,index\n2020,zero\n", r"d\.csv:2: expected a year and a number"),
        ("year,index\n2020,0\n", "expected one index above zero"),
        ("year,index\n2020,1\n2020,2\n", "2020 stands there twice"),
    ],
)
def test_a_deflator_that_cannot_be_used_says_where(tmp_path, text, message):
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_deflator(path)


# Effects


def test_points_are_changes_weighted_by_residents_and_point_years_their_discounted_sum(usual):
    projection = usual.projection
    people = projection.edition.areas.population
    last = (projection.change * people).sum(axis=1) / people.mean()
    assert usual.effect("points_last_year").draws == pytest.approx(last)
    held = usual.effect("point_years")
    assert held.undiscounted == pytest.approx(5 * last)
    assert held.draws == pytest.approx(last * sum(1.035**-t for t in range(5)))


def test_years_of_healthy_life_follow_the_lag_year_by_year_and_the_last_is_that_of_the_run():
    found = appraised(health=[{**MEN, "lag": {"years": 1, "build_up": 2}}])
    healthy = found.effect("healthy_years")
    full = healthy.by_year[-1]
    assert healthy.by_year == pytest.approx(np.outer([0, 0, 0.5, 1, 1], full), abs=1e-9)
    assert healthy.draws == pytest.approx(full * (0.5 * 1.015**-2 + 1.015**-3 + 1.015**-4), abs=1e-9)
    rows = sum_rows(found.projection, 0.9)
    run = next(row for row in rows if row["kind"] == "healthy_years" and row["group"] == "All areas")
    assert full.mean() == pytest.approx(run["estimate"], abs=1e-5)


def test_a_phased_change_counts_in_each_year_with_its_share():
    found = appraised({**PUSH, "phasing": {"start": 2026, "full_by": 2028}}).effect("point_years")
    assert found.by_year == pytest.approx(np.outer([0, 0.5, 1, 1, 1], found.by_year[-1]), abs=1e-9)


def test_deaths_averted_are_the_fall_of_a_crude_rate_times_the_residents():
    found = appraised(health=[DEATHS])
    effect = found.projection.health[0]
    averted = -(effect.stated * found.projection.edition.areas.population).sum(axis=1) / 100_000
    draws = found.effect("deaths:drug_poisoning_deaths")
    assert draws.undiscounted == pytest.approx(5 * averted)
    assert draws.unit == "death averted"
    assert not any("Deaths are not counted" in note for note in summarise_appraisal(found)["notes"])


def test_a_gap_closed_is_the_measure_of_inequality_before_less_after(usual):
    projection = usual.projection
    before, after = projection.total_before, projection.total_before + projection.change
    for name in ("gap_10_10", "sii"):
        scores = [np.abs(inequality(name, each, projection.edition.areas)) for each in (before, after)]
        assert usual.effect(f"{name}:total").draws == pytest.approx(scores[0] - scores[1])
    assert usual.effect("sii:healthy_life_expectancy_male").weighted is None


def test_equity_weights_are_relative_income_to_the_elasticity_and_without_one_change_nothing(usual):
    found = weights_of_income(np.array([100.0, 400.0, 800.0]), np.array([1.0, 5.0, 1.0]), 0.5)
    assert found == pytest.approx([2, 1, np.sqrt(0.5)])
    flat = appraised(terms=Terms(elasticity=0))
    for effect in flat.effects:
        if effect.weighted is not None:
            assert effect.weighted == pytest.approx(effect.draws)
    projection, people = usual.projection, usual.projection.edition.areas.population
    weights = equity_weights(projection.edition, 1.3)
    assert weights[projection.treated].std() > 0
    by_area = projection.change * people / people.mean()
    assert usual.effect("points_last_year").weighted == pytest.approx(by_area @ weights)
    effect = projection.health[0]
    years = effect.stated * people / 2 / life_expectancy(projection.edition, effect.model.outcome)
    assert usual.effect("healthy_years").weighted == pytest.approx(years @ weights * sum(1.015**-t for t in range(5)))


def test_the_same_run_gives_the_same_bytes(usual):
    again = json.dumps(summarise_appraisal(appraised()))
    assert json.dumps(summarise_appraisal(usual)) == again


# Values, net benefit, break-even


def test_a_value_needs_a_source_and_an_effect_that_the_run_has():
    with pytest.raises(DataError, match="value of point_years: has no source"):
        Terms(values=(Value("point_years", 5.0, " "),))
    with pytest.raises(DataError, match=r"no 'healthy_year'\. It has points_last_year, point_years, healthy_years"):
        appraised(terms=Terms(values=(Value("healthy_year", 5.0, "made up"),)))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"cost_rate": 3.5}, r"found 3\.5\. Did you mean 0\.035"),
        ({"health_rate": -0.01}, "health_rate: expected a share"),
        ({"elasticity": float("nan")}, "elasticity: expected"),
        ({"level": 90.0}, "level: expected a probability"),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms, message):
    with pytest.raises(DataError, match=message):
        Terms(**terms)


def test_the_figure_of_the_green_book_is_converted_or_says_that_it_is_not():
    plain = reference_value(2025, Terms())
    assert plain.pounds == 70_000
    assert "not converted" in plain.source
    moved = reference_value(2025, Terms(deflator={2020: 80.0, 2025: 100.0}, deflator_source="made up"))
    assert moved.pounds == pytest.approx(87_500)
    assert "not converted" not in reference_value(2020, Terms()).source


def test_net_benefit_rows_hold_value_times_effect_less_cost(usual):
    row = next(row for row in usual.benefit_rows() if row["equity"] == "unweighted")
    net = 70_000 * usual.effect("healthy_years").draws - usual.cost.discounted
    assert (row["measure"], row["value"], row["price_base"]) == ("healthy_years", 70_000, 2025)
    assert row["estimate"] == pytest.approx(net.mean())
    assert row["prob_positive"] == (net > 0).mean()
    at_value = [r for r in usual.curve_rows() if r["measure"] == "healthy_years" and r["value"] == 70_000]
    assert at_value[0]["prob_positive"] == row["prob_positive"]


def test_a_run_at_its_break_even_share_has_a_net_benefit_of_zero(usual):
    assert usual.break_even_rows()[0]["share_stated"] == pytest.approx(1)
    within = appraised(health=[{**MEN, "link": "within"}])
    row = within.break_even_rows()[0]
    assert row["verdict"] == "ratio"
    assert row["lower"] < row["estimate"] < row["upper"]
    effect = within.projection.health[0]
    assert row["share_stated"] == pytest.approx(
        (effect.stated.mean(axis=0) @ within.projection.edition.areas.population)
        / (effect.full.mean(axis=0) @ within.projection.edition.areas.population),
        rel=0.02,
    )
    link = {"causal_share": {"mean": row["estimate"], "sd": 0.0}}
    net = appraised(health=[{**MEN, "link": link}]).benefit_rows()[0]
    assert net["estimate"] == pytest.approx(0, abs=1e-4 * usual.cost.discounted.mean())


def test_no_row_has_a_ratio_interval_across_a_zero_effect():
    found = appraised({**PUSH, "uncertainty": {"low": -1.0, "high": 3.0}})
    for row in found.rows():
        effect = found.effect(row["measure"])
        draws = effect.weighted if row["equity"] == WEIGHTED else effect.draws
        assert (draws <= 0).mean() > 0.05
        assert (row["verdict"], row["lower"], row["upper"]) == ("unsure", None, None)
        assert "No ratio" in statement(row)
    assert found.break_even_rows()[0]["estimate"] is None
    assert "can be named: the whole of it may do good or harm" in summarise_appraisal(found)["headline"]


def test_an_action_that_saves_money_and_does_good_needs_no_ratio():
    saving = {"recurring": {"value": -5, "unit": "GBP_per_resident"}, "price_base": 2025}
    found = appraised({**PUSH, "cost": saving})
    assert found.ratio("healthy_years").verdict == "dominant"
    assert "costs nothing, on balance" in summarise_appraisal(found)["headline"]


def test_an_edition_without_health_or_income_is_appraised_on_its_scores():
    found = appraised(health=[], baseline={"edition": "open-2019"})
    assert {effect.measure for effect in found.effects} == {
        "points_last_year",
        "point_years",
        "gap_10_10:total",
        "sii:total",
    }
    assert not found.break_even_rows()
    assert "area-point-year" in summarise_appraisal(found)["headline"]


def test_actions_without_a_cost_are_named_and_a_long_horizon_is_said():
    free = {name: part for name, part in PUSH.items() if name != "cost"} | {"id": "free"}
    notes = summarise_appraisal(appraised(PUSH, free, health=[], horizon={"start": 2026, "end": 2060}))["notes"]
    assert any("count as free: free" in note for note in notes)
    assert any("longer than 30 years" in note for note in notes)


def test_money_is_written_to_three_figures():
    assert pounds(999_600) == "£1 million"
    assert pounds(0) == "£0"
    assert pounds(None) == "–"


# Page and command


def test_the_page_has_the_charts_with_their_tables_and_no_ratio_where_there_is_none(usual):
    summary = summarise_appraisal(usual) | {"assumptions": [], "warnings": [], "sources": []}
    made = dict.fromkeys(("toolkit_version", "command", "created", "data_sha256", "code_sha256"), "x")
    page = appraisal_html(summary, made)
    for key in ("plane-1", "curve-1", "plane-2", "curve-2"):
        assert f'id="figure-{key}"' in page
        assert f'id="data-{key}-1-table"' in page
    assert "Share of the association with health" in page
    assert "Green Book" in page


def test_the_plane_shows_draws_as_they_are_and_the_curve_ends_where_its_rows_do(usual):
    measure = summarise_appraisal(usual)["measures"][2]
    rows = [row for row in usual.plane_rows() if row["measure"] == "healthy_years"]
    ratio = next(row for row in usual.rows() if row["measure"] == "healthy_years")
    spec = cost_plane(rows, measure, ratio, 70_000)[0]
    drawn = spec["data"]["values"]
    assert len(drawn) == DRAWS
    assert drawn[7]["effect"] == pytest.approx(usual.effect("healthy_years").draws[7], abs=1e-5)
    assert drawn[7]["cost"] == pytest.approx(usual.cost.discounted[7] / 1e6, abs=1e-5)
    curve = [row for row in usual.curve_rows() if row["measure"] == "healthy_years"]
    values = acceptability_curve(curve, measure, [70_000])[0]["data"]["values"]
    assert values[0]["value"] == 0
    assert values[-1]["probability"] == pytest.approx(
        [r for r in curve if r["equity"] != WEIGHTED][-1]["prob_positive"]
    )
    assert not cost_plane([], measure, ratio)
    assert not acceptability_curve([], measure)


def test_the_command_writes_a_folder_whose_tables_are_the_answer(tmp_path, shipped):
    file = str(shipped.scenario("northern-participation-2026"))
    words = ["appraise", file, "--draws", "200", "--out", str(tmp_path / "out"), "--format", "json"]
    words += ["--value", "healthy_years=30,000", "--value-source", "made up for a test"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert {row["value"] for row in summary["net_benefit"]} == {30_000}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"appraisal.json", "manifest.json", "plane.csv", "curve.csv", "report.html"} <= names
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["terms"]["cost_rate"] == 0.035
    assert manifest["seed"] == summary["seed"]
    again = CliRunner().invoke(app, ["rerun", str(tmp_path / "out")])
    assert "Run it again with: gwm appraise" in str(again.exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["participation-goal"], "is a goal, not a scenario"),
        (["nothing"], "no action has a cost"),
        (["northern-participation-2026", "--value", "healthy_years=1"], "has no source"),
        (["northern-participation-2026", "--value-source", "x"], "--value-source goes with --value"),
        (
            [
                "northern-participation-2026",
                *("--value", "point_years=1", "--value", "point_years=2", "--value-source", "x"),
            ],
            "value of point_years: is given more than once",
        ),
        (
            ["northern-participation-2026", "--deflator", "no-such.csv"],
            "no-such.csv: cannot be read (No such file or directory)",
        ),
        (["northern-participation-2026", "--value", "much", "--value-source", "x"], "expected MEASURE=POUNDS"),
        (["northern-participation-2026", "--value", "5", "--value-source", "x"], "says not of what"),
        (["northern-participation-2026", "--discount-cost", "3.5"], "Did you mean 0.035"),
    ],
)
def test_what_cannot_be_appraised_is_refused_in_one_line(tmp_path, words, message):
    done = CliRunner().invoke(app, ["appraise", *words, "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, DataError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_the_report_of_a_run_says_why_nothing_is_held_against_its_costs():
    free = {name: part for name, part in PUSH.items() if name != "cost"}
    assert costs_part(project(scenario(free), variance=False)) == {}
    mixed = costs_part(project(scenario(*two_bases()), variance=False))["appraisal"]
    assert "no price index is shipped" in mixed["headline"]
    trend = {"edition": "monitor-2021", "counterfactual": "trend"}
    along = costs_part(project(scenario(baseline=trend, health=[]), variance=False))["appraisal"]
    assert along["headline"].endswith("gwm appraise a-run")
    assert not mixed["ratios"] + along["ratios"]


def test_the_report_of_a_run_with_costs_says_what_its_effects_cost(tmp_path, shipped):
    file = str(shipped.scenario("northern-participation-2026"))
    done = CliRunner().invoke(app, ["run", file, "--draws", "200", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert 'id="appraisal-table"' in page
    assert "A year of healthy life costs £" in page
