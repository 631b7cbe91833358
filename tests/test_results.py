"""Result rows, sums, costs and words of a projection: by hand, against independent sums, and laws."""

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import made_scenario
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gwm_models.data.edition import load_edition, unit_values
from gwm_models.data.index_spec import OutcomeSpec
from gwm_models.errors import ModelError
from gwm_models.ranks.table import fifth
from gwm_models.scenarios import rows as result_rows
from gwm_models.scenarios.bases import base_population
from gwm_models.scenarios.costs import cost_draws, cost_rows
from gwm_models.scenarios.fields import AreaCluster
from gwm_models.scenarios.gap_rows import split_rows
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.rows import (
    area_rows,
    area_rows_at,
    by_population,
    group_rows,
    groups,
    inequality_rows,
    path_rows,
    surely_above,
)
from gwm_models.scenarios.spec import Action
from gwm_models.scenarios.spread import one, spreads
from gwm_models.scenarios.summary import summarise
from gwm_models.scenarios.sums import counts_deaths, sum_rows
from gwm_models.scenarios.words import change_words, subject_of, thousands

DRAWS = 300
JOBS = {
    "id": "jobs",
    "indicator": "professional_share",
    "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
    "uncertainty": {"low": 0.5, "high": 3.0},
    "target": {"regions": ["North East"]},
    "phasing": {"start": 2026, "full_by": 2028},
}
ACTIVE = {
    "id": "active",
    "indicator": "economic_activity_rate",
    "change": {"kind": "absolute", "value": 1.5, "unit": "pp"},
    "uncertainty": {"low": 0.5, "high": 3.0, "across_areas": 0.4},
    "target": {"worst": {"by": "total", "n": 15}},
    "phasing": {"start": 2026, "full_by": 2028},
}


scenario = partial(made_scenario.scenario, draws=DRAWS)


@pytest.fixture(scope="module")
def both():
    return project(scenario(JOBS, ACTIVE), variance=False)


def rows_of(rows, **wanted):
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


@given(arrays(float, (50, 3), elements=st.floats(-1e3, 1e3)), st.floats(0.5, 0.99))
def test_spreads_are_means_and_quantiles(draws, level):
    found = spreads(draws, [level])[level]
    tails = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    assert found["estimate"] == pytest.approx(draws.mean(axis=0), abs=1e-9)
    assert np.array([found["lower"], found["upper"]]) == pytest.approx(tails, abs=1e-9)
    assert found["std_error"] == pytest.approx(draws.std(axis=0), abs=1e-9)


@given(arrays(int, (41, 2), elements=st.integers(1, 118)), st.sampled_from([0.5, 0.8, 0.9]))
def test_spreads_of_ranks_are_ranks_that_were_drawn(ranks, level):
    found = spreads(ranks.astype(float), [level], median=True)[level]
    tails = np.quantile(ranks, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0, method="inverted_cdf")
    assert np.array([found[name] for name in ("lower", "estimate", "upper")]).tolist() == tails.tolist()


def test_a_draw_without_a_number_leaves_the_whole_summary_empty():
    assert one(np.array([1.0, np.nan, 2.0]), 0.9) == dict.fromkeys(("estimate", "std_error", "lower", "upper"))
    assert one(np.full(9, 4.0), 0.9) == {"estimate": 4.0, "std_error": 0.0, "lower": 4.0, "upper": 4.0}


def test_rows_at_two_levels_are_the_rows_of_each(both):
    found = area_rows_at(both, [0.5, 0.9])
    assert found[0.5] == area_rows(both, 0.5)
    assert found[0.9] == area_rows(both, 0.9)


def test_chances_of_an_area_are_shares_of_its_draws(both):
    rows = area_rows(both, 0.9)
    edge = 118 - fifth(118)
    place = int(np.flatnonzero(both.treated)[0])
    code = both.edition.areas.code[place]
    before, after = both.rank_before[:, place], both.rank_after[:, place]
    (moved,) = rows_of(rows, area_code=code, quantity="rank", state="difference")
    assert moved["prob_rank_improves"] == moved["prob_better"] == pytest.approx((after < before).mean(), abs=1e-6)
    assert moved["prob_leaves_bottom_fifth"] == pytest.approx(((before > edge) & (after <= edge)).mean(), abs=1e-6)
    (inside,) = rows_of(rows, area_code=code, quantity="rank", state="baseline")
    assert inside["prob_bottom_fifth"] == pytest.approx((before > edge).mean(), abs=1e-6)
    (score,) = rows_of(rows, area_code=code, quantity="total", state="difference")
    assert score["prob_better"] == pytest.approx((both.change[:, place] > 0).mean(), abs=1e-6)


def test_every_area_and_every_group_has_score_domains_rank_and_outcomes_in_every_state(both):
    quantities = {"total", "access", "status", "pay", "rank"} | {effect.link.outcome for effect in both.health}
    areas = area_rows(both, 0.9)
    assert {row["quantity"] for row in areas} == quantities
    assert len(areas) == 118 * len(quantities) * 4
    found = group_rows(both, 0.9)
    assert {row["group"] for row in found} == {"Target areas", "All areas", *both.edition.areas.region}
    for group in groups(both):
        states = {(row["quantity"], row["state"]) for row in rows_of(found, group=group)}
        names = quantities | {"areas_in_bottom_fifth"}
        assert states == {(name, state) for name in names for state in ("baseline", "scenario", "difference")}


def test_groups_of_similar_areas_have_rows_where_an_action_goes_by_them(monkeypatch, both):
    similar = AreaCluster(np.arange(118) % 2, ("rural", "urban"))
    monkeypatch.setattr(result_rows, "area_clusters", lambda edition: similar)
    target = both.scenario.actions[0].target.model_copy(update={"clusters": ("rural",)})
    action = both.scenario.actions[0].model_copy(update={"target": target})
    made = replace(both, scenario=both.scenario.model_copy(update={"actions": (action, both.scenario.actions[1])}))
    found = {(row["group"], row["quantity"], row["state"]): row for row in group_rows(made, 0.9)}
    wanted = found["Similar areas: urban", "total", "difference"]
    assert wanted["estimate"] == pytest.approx(both.change[:, 1::2].mean(), abs=1e-5)
    assert wanted["n_areas"] == 59
    assert not any(group.startswith("Similar") for group in groups(both))


def test_groups_are_means_and_the_bottom_fifth_is_a_count(both):
    mask = np.array(both.edition.areas.region) == "North East"
    found = rows_of(group_rows(both, 0.9), group="North East", state="difference")
    by_name = {row["quantity"]: row for row in found}
    assert by_name["total"]["estimate"] == pytest.approx(both.change[:, mask].mean(), abs=1e-5)
    assert by_name["status"]["prob_better"] == pytest.approx((both.domain_change[:, mask, 1].mean(axis=1) > 0).mean())
    edge = 118 - fifth(118)
    left = (both.rank_after[:, mask] > edge).sum(axis=1) - (both.rank_before[:, mask] > edge).sum(axis=1)
    assert by_name["areas_in_bottom_fifth"]["estimate"] == pytest.approx(left.mean(), abs=1e-5)
    everyone = rows_of(group_rows(both, 0.9), group="All areas", state="scenario", quantity="areas_in_bottom_fifth")
    assert everyone[0]["estimate"] == fifth(118) and everyone[0]["std_error"] == 0


def test_the_last_year_of_the_path_is_the_change_of_each_group(both):
    last = {row["group"]: row for row in path_rows(both, 0.9) if row["year"] == 2030}
    groups = rows_of(group_rows(both, 0.9), quantity="total", state="difference")
    assert {row["group"] for row in groups} == set(last) and "All areas" in last
    for row in groups:
        assert last[row["group"]]["estimate"] == pytest.approx(row["estimate"], abs=2e-6)
        assert last[row["group"]]["lower"] == pytest.approx(row["lower"], abs=2e-6)


def test_people_are_points_of_whom_the_indicator_is_a_percentage_of(both):
    areas, j = both.edition.areas, both.edition.spec.indicator_ids.index("economic_activity_rate")
    people = both.level_change[:, :, j] @ areas.population_16_64 / 100
    (row,) = rows_of(sum_rows(both, 0.9), kind="people", quantity="economic_activity_rate", group="All areas")
    assert row["estimate"] == pytest.approx(people.mean(), abs=1e-3)
    assert (row["lower"], row["upper"]) == pytest.approx(np.quantile(people, [0.05, 0.95]), abs=1e-3)


def test_means_of_regions_add_up_and_standard_deviations_do_not(both):
    found = rows_of(sum_rows(both, 0.9), kind="people", quantity="economic_activity_rate")
    regions = [row for row in found if row["group"] in both.edition.areas.region]
    (whole,) = rows_of(found, group="All areas")
    assert sum(row["estimate"] for row in regions) == pytest.approx(whole["estimate"], abs=1e-2)
    assert whole["std_error"] < sum(row["std_error"] for row in regions)


def test_whom_an_indicator_counts_follows_from_the_published_rates():
    edition = load_edition()
    spec = edition.spec
    level = {name: edition.values[:, spec.indicator_ids.index(name)] / 100 for name in spec.indicator_ids[:2]}
    active = edition.areas.population_16_64 * level["economic_activity_rate"]
    assert base_population(edition, "economic_activity_rate").people == pytest.approx(edition.areas.population_16_64)
    assert base_population(edition, "unemployment_rate").people == pytest.approx(active)
    employed = active * (1 - level["unemployment_rate"])
    assert base_population(edition, "professional_share").people == pytest.approx(employed)
    assert base_population(edition, "median_pay") is None
    assert base_population(edition, "satisfactory_hours") is None


def test_healthy_years_by_hand(both):
    """Half the residents, times the change in healthy life expectancy, over the life expectancy of that sex."""
    areas, effect = both.edition.areas, both.health[0]
    life = unit_values("outcomes", "life_expectancy_at_birth", "2016-18", areas.unit, sex="Male")["value"]
    years = (effect.stated * areas.population / 2 / life)[:, both.treated].sum(axis=1)
    wanted = {"kind": "healthy_years", "group": "Target areas"}
    (row,) = rows_of(sum_rows(both, 0.9), quantity="healthy_life_expectancy_male", **wanted)
    assert row["estimate"] == pytest.approx(years.mean(), rel=1e-6)
    (other,) = rows_of(sum_rows(both, 0.9), quantity="healthy_life_expectancy_female", **wanted)
    (sexes,) = rows_of(sum_rows(both, 0.9), quantity="both", **wanted)
    assert sexes["estimate"] == pytest.approx(row["estimate"] + other["estimate"], abs=1e-5)


def test_a_condition_that_counts_people_is_told_in_people():
    skills = {name: part for name, part in JOBS.items() if name not in ("indicator", "uncertainty")}
    skills["condition"] = "nvq4plus_share"
    projection = project(scenario(skills), variance=False)
    reached = projection.edition.areas.population_16_64[projection.treated].sum()
    (row,) = rows_of(sum_rows(projection, 0.9), kind="people", group="North East")
    assert (row["quantity"], row["estimate"]) == ("nvq4plus_share", pytest.approx(0.02 * reached))
    assert "qualified to NVQ level 4" in summarise(projection)["headline"]


def test_a_group_is_not_spoilt_by_an_area_outside_it_without_a_figure():
    draws, population = np.array([[1.0, 3.0, np.nan]]), np.array([1.0, 3.0, 2.0])
    found = by_population(draws, population, [np.array([True, True, False]), np.array([False, False, True])])
    assert found[0, 0] == pytest.approx(2.5)
    assert np.isnan(found[0, 1])


def test_deaths_come_from_rates_of_deaths_only():
    def outcome(name, unit):
        return OutcomeSpec(name, name, unit, "2016-18", name, "Persons")

    assert counts_deaths(outcome("drug_poisoning_deaths", "deaths per 100,000 a year"))
    assert not counts_deaths(outcome("all_cause_mortality_asmr", "per_100k"))
    assert not counts_deaths(outcome("alcohol_related_admissions_asr", "per_100k"))
    assert not counts_deaths(outcome("healthy_life_expectancy_male", "years"))


def test_deaths_are_the_rate_times_the_residents(both):
    mortality = OutcomeSpec(
        "drug_poisoning_deaths", "Drug deaths", "per_100k", "2018", "drug_poisoning_deaths", "Persons"
    )
    fewer = np.full((DRAWS, 118), -2.0)
    effect = SimpleNamespace(
        model=SimpleNamespace(outcome=mortality), link=SimpleNamespace(outcome=mortality.id), stated=fewer
    )
    made = SimpleNamespace(
        scenario=both.scenario,
        edition=both.edition,
        treated=both.treated,
        level_change=both.level_change,
        health=(effect,),
    )
    (row,) = rows_of(sum_rows(made, 0.9), kind="deaths", group="All areas")
    assert row["estimate"] == pytest.approx(-2 * both.edition.areas.population.sum() / 100_000)


def test_sums_without_a_rate_of_deaths_say_so(both):
    assert any("Deaths are not counted" in line for line in summarise(both)["assumptions"])


def with_cost(**cost):
    return project(scenario({**JOBS, "reach": 0.5, "cost": {"price_base": 2025, **cost}}), variance=False)


def test_a_certain_cost_by_hand():
    projection = with_cost(
        fixed={"value": 1000, "unit": "GBP_per_area"},
        recurring={"value": 3, "unit": "GBP_per_resident_16_64", "years": [2027, 2029]},
    )
    areas = projection.edition.areas
    reached = np.array(areas.region) == "North East"
    expected = 1000 * reached.sum() + 3 * 3 * 0.5 * areas.population_16_64[reached].sum()
    assert cost_draws(projection, 0) == pytest.approx(np.full(DRAWS, expected))
    (row,) = cost_rows(projection, 0.9)
    assert (row["estimate"], row["std_error"], row["price_base"]) == (pytest.approx(expected), 0.0, 2025)


def test_an_uncertain_amount_has_its_stated_median_and_interval():
    amount = {"value": 100.0, "unit": "GBP", "low": 80.0, "high": 190.0}
    projection = project(
        scenario({**JOBS, "cost": {"price_base": 2025, "fixed": amount}}, analysis={"draws": 2000, "seed": 3}),
        variance=False,
    )
    draws = cost_draws(projection, 0)
    assert np.quantile(draws, [0.05, 0.5, 0.95]) == pytest.approx([80, 100, 190], abs=8)


def test_a_cost_per_job_counts_people_before_additionality_year_by_year():
    projection = with_cost(recurring={"value": 10, "unit": "GBP_per_job"}, fixed={"value": 7, "unit": "GBP_per_job"})
    mask = np.array(projection.edition.areas.region) == "North East"
    base = base_population(projection.edition, "professional_share").people[mask]
    full = np.abs(projection.asked[0][:, mask]) @ base / 100
    assert cost_draws(projection, 0) == pytest.approx(full * (7 + 10 * (0 + 0.5 + 1 + 1 + 1)))
    kept = project(
        scenario(
            {
                **JOBS,
                "reach": 0.5,
                "additionality": {"deadweight": 0.5},
                "cost": {"price_base": 2025, "fixed": {"value": 7, "unit": "GBP_per_job"}},
            }
        ),
        variance=False,
    )
    assert cost_draws(kept, 0) == pytest.approx(7 * full)


def test_costs_of_one_price_base_add_up_within_each_draw():
    first = {**JOBS, "cost": {"price_base": 2025, "fixed": {"value": 10, "unit": "GBP", "low": 5, "high": 20}}}
    second = {**ACTIVE, "cost": {"price_base": 2025, "fixed": {"value": 30, "unit": "GBP", "low": 25, "high": 40}}}
    third = {**ACTIVE, "id": "other", "cost": {"price_base": 2020, "fixed": {"value": 1, "unit": "GBP"}}}
    projection = project(scenario(first, second, third), variance=False)
    rows = {(row["action"], row["price_base"]): row for row in cost_rows(projection, 0.9)}
    assert set(rows) == {("jobs", 2025), ("active", 2025), ("other", 2020), ("all actions", 2025)}
    assert rows["all actions", 2025]["estimate"] == pytest.approx(
        rows["jobs", 2025]["estimate"] + rows["active", 2025]["estimate"], abs=1e-5
    )


def test_a_cost_per_job_that_was_not_counted_is_refused():
    projection = with_cost(fixed={"value": 7, "unit": "GBP"})
    action = projection.scenario.actions[0].model_copy(
        update={"cost": with_cost(fixed={"value": 7, "unit": "GBP_per_job"}).scenario.actions[0].cost}
    )
    changed = SimpleNamespace(
        scenario=projection.scenario.model_copy(update={"actions": (action,)}),
        selections=projection.selections,
        edition=projection.edition,
        years=projection.years,
        people=(None,),
    )
    with pytest.raises(ModelError, match="jobs were not counted"):
        cost_draws(changed, 0)


def test_the_parts_of_the_gini_add_up_in_the_rows(both):
    found = {(row["measure"], row["state"]): row["estimate"] for row in split_rows(both, 0.9)}
    assert found["gini", "difference"] == pytest.approx(
        found["reranking", "difference"] - found["progressivity", "difference"], abs=3e-6
    )
    assert found["gini", "difference"] == pytest.approx(found["gini", "scenario"] - found["gini", "baseline"], abs=3e-6)


def test_the_split_of_the_gini_is_that_of_the_totals_before_and_after():
    """Three areas of one resident: 1, 2, 6 become 4, 2, 6; worked by hand beside `progressivity_and_reranking`."""
    areas, before = SimpleNamespace(population=np.ones(3)), np.array([[1.0, 2, 6]] * 2)
    moved = SimpleNamespace(
        edition=SimpleNamespace(areas=areas), total_before=before, change=np.array([[3.0, 0, 0]] * 2)
    )
    found = {(row["measure"], row["state"]): (row["estimate"], row["n"]) for row in split_rows(moved, 0.9)}
    assert found["gini", "baseline"] == (pytest.approx(10 / 27, abs=1e-6), 2)
    assert found["gini", "scenario"] == (pytest.approx(2 / 9, abs=1e-6), 2)
    assert found["progressivity", "difference"] == (pytest.approx(10 / 27 - 1 / 9, abs=1e-6), 2)
    assert found["reranking", "difference"] == (pytest.approx(1 / 9, abs=1e-6), 2)


def test_a_measure_that_has_no_meaning_in_some_draws_says_in_how_many(both):
    asked = scenario(JOBS, analysis={"draws": DRAWS, "seed": 1, "inequality": ["theil_within", "gap_10_10"]})
    total = both.total_before.copy()
    total[:7, 3] = -1.0
    made = SimpleNamespace(scenario=asked, total_before=total, change=np.zeros_like(total), edition=both.edition)
    found = inequality_rows(made, 0.9)
    assert {(row["measure"], row["n"]) for row in found} == {("theil_within", DRAWS - 7), ("gap_10_10", DRAWS)}
    assert all(row["estimate"] is not None for row in found)
    total[:, 3] = -1.0
    none = rows_of(inequality_rows(made, 0.9), measure="theil_within")
    assert [(row["estimate"], row["n"], row["prob_narrower"]) for row in none] == [(None, 0, None)] * 3


def test_nothing_done_is_zero_everywhere_in_the_summary():
    summary = summarise(project(scenario()))
    for name in ("groups", "inequality", "inequality_split", "health", "renormalised", "path", "sums"):
        for row in summary[name]:
            if row.get("state", "difference") == "difference":
                assert row["estimate"] == row["lower"] == row["upper"] == 0
    assert summary["costs"] == []


def test_the_summary_is_json_and_tells_people_cost_and_range(both):
    summary = summarise(both)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert "more economically active residents aged 16 to 64" in summary["headline"]
    assert {"estimate", "std_error", "lower", "upper"} <= set(summary["sums"][0])


def test_the_headline_names_a_single_area_and_leaves_out_an_interval_of_nothing():
    sure = {name: part for name, part in ACTIVE.items() if name != "uncertainty"} | {"target": {"areas": ["Blackpool"]}}
    text = summarise(project(scenario(sure), variance=False))["headline"]
    assert text.startswith("By 2030 the Monitor total of Blackpool rises by 7.7 points from ")


@pytest.mark.parametrize(
    ("value", "words"), [(41658.9, "41,700"), (-512.2, "−512"), (0.3, "0"), (9950.37, "9,950"), (1234567, "1,230,000")]
)
def test_people_are_written_to_three_figures(value, words):
    assert thousands(value) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "+2 percentage points (90% range 0.5 to 3); linear from 2026, full by 2028"),
        ({"reach": 0.6}, "for 60% of the residents"),
        ({"change": {"kind": "absolute", "value": 1.0, "unit": "pp"}}, "+1 percentage point (90% range"),
        ({"phasing": {"start": 2026, "full_by": 2029, "shape": "s_curve"}}, "along an S-curve from 2026, full by 2029"),
        ({"phasing": {"start": 2026, "full_by": 2027, "shape": "step"}}, "; in 2027"),
        (
            {"phasing": {"start": 2026, "full_by": 2027, "shape": "path", "path": [[2026, 0.25], [2027, 1]]}},
            "in place: 25% in 2026, 100% in 2027",
        ),
        (
            {"change": {"kind": "close_gap", "value": 50, "unit": "percent", "to": "mean"}, "uncertainty": None},
            "50% of the gap to the mean of all areas (by population) closed",
        ),
        (
            {"change": {"kind": "to_quantile", "value": 0.8, "unit": "quantile"}, "uncertainty": None},
            "to the level that the best 20% of areas reach or better",
        ),
        (
            {"change": {"kind": "path", "unit": "pp", "path": [[2026, 0.5], [2029, -2]]}, "phasing": None},
            "+0.5 in 2026, −2 in 2029 (percentage points)",
        ),
        (
            {
                "change": {"kind": "shock", "value": 0.5, "unit": "times", "profile": "2009"},
                "phasing": None,
                "uncertainty": None,
                "start": 2027,
            },
            "0.5 times what happened to it from 2009 on; beginning in 2027",
        ),
    ],
)
def test_every_kind_of_change_is_said_in_words(changes, words):
    action = Action.model_validate(JOBS | changes)
    assert words in change_words(action, subject_of(action, load_edition().spec.indicators))


def test_a_condition_is_named_by_its_label():
    action = Action.model_validate({**JOBS, "indicator": None, "condition": "nvq4plus_share"})
    assert change_words(action, subject_of(action, ())).startswith("Qualified to NVQ level 4")


PATH = {
    **{name: JOBS[name] for name in ("id", "indicator", "target")},
    "change": {"kind": "path", "unit": "pp", "path": [[2027, 0.5], [2029, 2.0]]},
    "reach": 0.6,
    "additionality": {"deadweight": {"mean": 0.2, "sd": 0.05}, "displacement": 0.1},
    "spillover": {"weights": "contiguity", "share": -0.1},
    "cost": {"price_base": 2025, "fixed": {"value": 9, "unit": "GBP_per_job", "low": 8, "high": 12}},
}
SHOCK = {
    **{name: ACTIVE[name] for name in ("id", "indicator", "target")},
    "change": {"kind": "shock", "value": 1.0, "unit": "times", "profile": "2009"},
    "start": 2027,
}


def test_every_new_part_says_what_it_assumes():
    trend = {"edition": "monitor-2021", "counterfactual": "trend"}
    lines = summarise(project(scenario(PATH, SHOCK, baseline=trend), variance=False))["assumptions"]
    text = "\n".join(lines)
    for words in (
        "its indicators going on along their trends to 2030",
        "Along the trend, levels that a change is worked out from",
        "72% of the change is additional on average (deadweight 20% on average (standard deviation 5%)",
        "beta distributions",
        "it reaches 60% of the residents",
        "untreated neighbours receive −10% of the mean additional change",
        "the whole path scales with it",
        "costs are undiscounted, at 2025 prices",
        "a cost per job counts the people whose work the action changes, before additionality",
        "split normal",
        "active: Economic activity rate",
        "People behind",
        "Years of healthy life are counted for the last year alone",
    ):
        assert words in text, words
    assert len(set(lines)) == len(lines)


def test_a_condition_says_its_slopes_and_how_much_of_them_is_taken_as_effect():
    skills = {name: part for name, part in JOBS.items() if name != "indicator"} | {"condition": "nvq4plus_share"}
    text = "\n".join(summarise(project(scenario(skills), variance=False))["assumptions"])
    assert "jobs: scores follow the condition 'nvq4plus_share' at once, by the slope within areas" in text
    assert "between areas, one percentage point goes with" in text
    shared = {**skills, "link": {"causal_share": {"mean": 0.9, "sd": 0.4}}}
    summary = summarise(project(scenario(shared), variance=False))
    assert any("a causal share of the slope between areas (mean 0.9" in line for line in summary["assumptions"])
    assert any(line.startswith("jobs: ") and "lies outside 0 to 1" in line for line in summary["warnings"])


@pytest.mark.parametrize(
    ("late", "why"),
    [
        (
            {**PATH, "change": {"kind": "path", "unit": "pp", "path": [[2027, 2.0], [2030, 0.0]]}},
            "come back to nothing",
        ),
        ({**SHOCK, "start": 2030}, None),
        ({**JOBS, "phasing": {"start": 2030, "full_by": 2033}}, "not begun by 2030"),
        ({**JOBS, "phasing": {"start": 2026, "full_by": 2031, "shape": "step"}}, "not begun by 2030"),
        (
            {
                **{name: JOBS[name] for name in ("id", "indicator", "target", "phasing")},
                "change": {"kind": "target", "value": 1.0, "unit": "percent"},
            },
            "already there",
        ),
    ],
)
def test_an_action_without_effect_says_why(late, why):
    found = [line for line in summarise(project(scenario(late), variance=False))["warnings"] if "nothing" in line]
    assert (len(found), why is None or why in found[0]) == (0 if why is None else 1, True)


def test_goals_that_meet_on_one_indicator_are_named():
    goal = {name: JOBS[name] for name in ("indicator", "target", "phasing")}
    first = {**goal, "id": "first", "change": {"kind": "to_quantile", "value": 0.8, "unit": "quantile"}}
    second = {**goal, "id": "second", "change": {"kind": "close_gap", "value": 50, "unit": "percent", "to": "median"}}
    warnings = summarise(project(scenario(first, second), variance=False))["warnings"]
    assert any(
        line.startswith("first and second both set a goal for professional_share in 12 areas") for line in warnings
    )


def test_an_entry_of_the_evidence_library_is_told_with_its_publication_and_grade():
    summary = summarise(project(scenario({**JOBS, "evidence": {"entry": "poor-quality-work-2018"}}), variance=False))
    evidence = summary["actions"][0]["evidence"]
    assert evidence["source"].startswith("Chandola T, Zhang N (2018), Re-employment")
    assert evidence["grade"] in ("strong", "moderate", "weak")


def test_where_every_area_is_reached_no_rank_is_said_to_move():
    text = summarise(project(scenario(dict(ACTIVE, target={"everyone": True})), variance=False))["headline"]
    assert "the mean Monitor total of all 118 areas" in text
    assert "ranks on average" not in text
    assert "ranks on average" in summarise(project(scenario(ACTIVE), variance=False))["headline"]


def test_the_headline_of_a_shock_names_its_worst_year_and_that_it_is_over():
    shock = {
        "id": "shock",
        "indicator": "unemployment_rate",
        "change": {"kind": "shock", "value": 1.0, "unit": "times", "profile": "2009"},
        "target": {"everyone": True},
        "start": 2026,
    }
    long = project(scenario(shock, horizon={"start": 2026, "end": 2035}), variance=False)
    mean = np.concatenate([long.history["Target areas"].mean(axis=1)])
    worst = long.years[int(mean.argmin())]
    assert mean[-1] == 0 > mean.min()
    assert any("the shock is over after 2031" in words for words in summarise(long)["warnings"])
    text = summarise(long)["headline"]
    assert f"The worst year is {worst}: −{abs(mean.min()):.1f} points" in text
    assert "by 2035 the shock is over" in text
    assert "largest in" not in text
    short = project(scenario(shock, horizon={"start": 2026, "end": worst}), variance=False)
    assert "worst year" not in summarise(short)["headline"]


def test_a_shock_of_size_one_is_what_happened():
    shock = Action.model_validate(
        {
            "id": "s",
            "indicator": "unemployment_rate",
            "change": {"kind": "shock", "value": 1.0, "unit": "times", "profile": "2020"},
            "target": {"everyone": True},
            "start": 2027,
        }
    )
    words = change_words(shock, subject_of(shock, load_edition().spec.indicators))
    assert words == "Unemployment rate, ages 16-64: what happened to it from 2020 on; beginning in 2027"


def test_all_areas_together_cannot_get_a_better_mean_rank(both):
    """The ranks of all areas add up to the same in every draw: a chance above 0 would be rounding error."""
    rows = group_rows(both, 0.9)
    row = next(r for r in rows if (r["group"], r["quantity"], r["state"]) == ("All areas", "rank", "difference"))
    assert (row["estimate"], row["lower"], row["upper"], row["prob_better"]) == (0, 0, 0, 0)


def test_rounding_error_is_no_change_for_the_better():
    change = np.array([[1e-13, 40.0], [-1e-13, -2.0], [0.0, np.nan]])
    assert surely_above(change).tolist() == [[False, True], [False, False], [False, False]]
