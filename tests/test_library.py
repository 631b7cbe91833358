"""The shipped scenarios: each has a source and a question, runs, and answers what it asks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from gwm_models.report.run_folder import resolved_yaml
from gwm_models.scenarios.measured import measure_draws
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios
from gwm_models.scenarios.spec import Measured, Scenario
from gwm_models.scenarios.summary import summarise

NAMES = tuple(shipped_scenarios())
GAP = Measured(quantity="gap_10_10")


def scenario_of(name: str, draws: int = 100) -> Scenario:
    scenario = read_scenario(shipped_scenarios()[name]).scenario
    return scenario.model_copy(update={"analysis": scenario.analysis.model_copy(update={"draws": draws})})


@lru_cache(maxsize=4)
def projected(name: str) -> Projection:
    return project(scenario_of(name), variance=False)


def edition_direction(found: Projection, indicator: str) -> int:
    return found.edition.spec.indicator(indicator).direction


def test_the_library_holds_what_it_promises():
    assert len(NAMES) >= 10
    assert {
        "raise-the-floor",
        "lowest-scoring-support",
        "similar-areas-compact",
        "routine-work-transitions",
        "public-employment-standards",
        "recession-2009",
        "pandemic-2020",
        "everyone-to-the-median",
        "stoke-to-the-average",
        "nothing",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_has_a_source_a_question_and_a_grade_and_its_results_are_finite(name):
    scenario = scenario_of(name)
    assert scenario.id == name
    assert scenario.source and scenario.question.endswith("?")
    assert all(action.evidence is not None for action in scenario.actions)
    summary = summarise(projected(name))
    assert summary["headline"]
    assert np.isfinite(projected(name).change).all()
    if scenario.actions:
        assert np.abs(projected(name).change[:, projected(name).treated]).max() > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_reads_without_a_warning(name):
    assert read_scenario(shipped_scenarios()[name]).warnings == ()


def test_nothing_changes_nothing_at_all():
    nothing = projected("nothing")
    assert not nothing.change.any()
    assert not nothing.domain_change.any()
    assert (nothing.rank_before == nothing.rank_after).all()


@pytest.mark.parametrize("name", ["raise-the-floor", "everyone-to-the-median"])
def test_a_floor_makes_no_area_worse(name):
    assert projected(name).change.min() >= 0


def test_a_floor_leaves_the_areas_above_it_alone_and_lifts_those_below():
    found = projected("raise-the-floor")
    ids = found.edition.spec.indicator_ids
    pay = found.level_before[..., ids.index("median_pay")]
    moved = found.level_change[..., ids.index("median_pay")]
    assert np.allclose(moved, np.maximum(416 - pay, 0))


def test_everyone_at_the_median_takes_more_off_the_gap_than_a_floor():
    narrowed = {
        name: measure_draws(projected(name), GAP).mean() for name in ("everyone-to-the-median", "raise-the-floor")
    }
    assert narrowed["everyone-to-the-median"] < narrowed["raise-the-floor"] < 0


def test_stoke_on_trent_alone_changes_and_reaches_the_average_in_every_draw_in_which_it_is_worse():
    found = projected("stoke-to-the-average")
    assert [found.edition.areas.name[i] for i in np.flatnonzero(found.treated)] == ["Stoke-on-Trent"]
    assert not found.change[:, ~found.treated].any()
    here = found.treated.argmax()
    ids = found.edition.spec.indicator_ids
    population = found.edition.areas.population
    for name in ("economic_activity_rate", "unemployment_rate", "median_pay"):
        level = found.level_before[..., ids.index(name)]
        after = level[:, here] + found.level_change[:, here, ids.index(name)]
        mean = level @ population / population.sum()
        worse = edition_direction(found, name) * (mean - level[:, here]) > 0
        assert worse.mean() > 0.9
        assert np.allclose(after, np.where(worse, mean, level[:, here]))


@pytest.mark.parametrize("name", ["jobs-shock-2009", "recession-2009", "pandemic-2020"])
def test_a_stress_test_lowers_scores_at_its_worst(name):
    path = projected(name).history["Target areas"].mean(axis=1)
    assert path.min() < -1


def test_public_employers_alone_move_little_compared_with_the_same_standard_for_all():
    whole = scenario_of("public-employment-standards")
    actions = tuple(action.model_copy(update={"reach": 1.0}) for action in whole.actions)
    for_all = project(whole.model_copy(update={"actions": actions}), variance=False)
    ours = projected("public-employment-standards").change.mean()
    assert 0.1 < ours / for_all.change.mean() < 0.25


def test_the_group_of_similar_areas_is_the_one_that_the_index_calls_lowest():
    from gwm_models.scenarios.fields import area_clusters

    found = projected("similar-areas-compact")
    groups = area_clusters(found.edition)
    assert (found.treated == groups.members(("lowest",), found.edition.name)).all()


def test_a_lever_behind_the_scores_changes_them_through_its_link_only():
    found = projected("skills-nvq4")
    assert found.conditions is not None
    assert not found.level_change.any()
    assert found.change[:, found.treated].all()
    assert not found.change[:, ~found.treated].any()


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_as_a_run_folder_keeps_it_reads_back_as_the_same(name, tmp_path):
    scenario = scenario_of(name)
    file = tmp_path / "scenario.yaml"
    file.write_text(resolved_yaml(scenario), "utf-8")
    again = read_scenario(file)
    assert again.scenario == scenario
    assert resolved_yaml(again.scenario) == file.read_text("utf-8")


def test_health_follows_after_the_same_time_in_every_shipped_scenario_so_that_they_compare():
    lags = {(link.lag.years, link.lag.build_up) for name in NAMES for link in scenario_of(name).health}
    assert lags == {(2, 5)}
