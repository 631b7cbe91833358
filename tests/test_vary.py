"""One number of a scenario set to another value: where it is found, what moves with it, what is refused."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_corpus import FILES

from gwm_models.errors import GwmError
from gwm_models.scenarios.findings import Findings
from gwm_models.scenarios.reader import check_mapping, read_scenario
from gwm_models.scenarios.source import read_source
from gwm_models.scenarios.spec import Sweep, Vary
from gwm_models.scenarios.vary import PathError, count_points, find_number, set_number


def content_of(name):
    findings = Findings(name)
    read_source(FILES / "ok" / f"{name}.yaml", findings)
    return findings.data


@pytest.mark.parametrize(
    ("path", "value", "whole"),
    [
        ("actions.path.uncertainty.high", 3.0, False),
        ("actions.path.change.path.2029", 2.0, False),
        ("actions.path.reach", 0.6, False),
        ("actions.path.cost.fixed.value", 1_000_000, False),
        ("actions.path.cost.recurring.years.2", 2029, True),
        ("actions.level-up.additionality.deadweight.mean", 0.2, False),
        ("actions.level-up.additionality.displacement", 0.1, False),
        ("actions.level-up.target.where.1.at_least", 100_000, False),
        ("actions.level-up.phasing.fade.half_life", 8, False),
        ("actions.to-the-mean.phasing.path.2028", 0.9, False),
        ("actions.skills.link.causal_share.mean", 0.3, False),
        ("actions.recession.start", 2031, True),
        ("horizon.end", 2036, True),
    ],
)
def test_a_number_is_found_by_names_and_can_be_set(path, value, whole):
    content = content_of("every-new-part")
    found = find_number(content, path)
    assert (found.value, found.whole) == (value, whole)
    new = value + 1 if whole else value * 1.5
    assert find_number(set_number(content, path, new), path).value == pytest.approx(new)


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("actions.skills.reach", 1.0),
        ("actions.skills.additionality.leakage", 0.0),
        ("actions.path.uncertainty.level", 0.9),
    ],
)
def test_a_number_that_is_left_out_has_its_default_and_can_be_set(path, default):
    content = content_of("every-new-part")
    assert find_number(content, path).value == default
    changed = set_number(content, path, 0.5)
    assert find_number(changed, path).value == 0.5
    assert check_mapping(changed)[0] is not None


def test_setting_a_number_leaves_the_content_as_it_was_and_changes_nothing_else():
    content = content_of("every-new-part")
    before = deepcopy(content)
    changed = set_number(content, "actions.skills.change.value", 7)
    assert content == before
    changed["actions"][5]["change"]["value"] = 5
    assert changed == before


def test_a_scenario_that_was_read_can_be_varied_too():
    content = read_scenario(FILES / "ok" / "every-new-part.yaml").scenario.model_dump(by_alias=True)
    assert content["actions"][0]["change"]["path"][1] == (2029, 2.0)
    changed = set_number(content, "actions.path.change.path.2029", 4)
    assert changed["actions"][0]["change"]["path"][1] == [2029, 4.0]
    assert changed["actions"][0]["uncertainty"]["high"] == 6.0
    assert content["actions"][0]["uncertainty"]["high"] == 3.0
    assert check_mapping(set_number(content, "actions.skills.reach", 0.5))[0].actions[5].reach == 0.5


def test_years_are_rounded_to_whole_ones():
    changed = set_number(content_of("goal"), "actions.participation.phasing.full_by", 2030.6)
    year = changed["actions"][0]["phasing"]["full_by"]
    assert (type(year), year) == (int, 2031)


def one(change, interval, **more):
    return {"actions": [{"id": "a", "change": change, "uncertainty": interval, **more}]}


@pytest.mark.parametrize(
    ("change", "interval", "value", "moved"),
    [
        ({"value": 2}, {"low": 1, "high": 3, "across_areas": 0.5}, 4, {"low": 2, "high": 6, "across_areas": 1.0}),
        (
            {"value": 2},
            {"low": 1, "high": 3, "across_areas": 0.5},
            -1,
            {"low": -1.5, "high": -0.5, "across_areas": 0.25},
        ),
        ({"value": 2}, {"low": 1, "high": 3}, 0, {"low": 0, "high": 0}),
        ({"value": 0}, {"low": -1, "high": 3, "across_areas": 0.5}, 4, {"low": 3, "high": 7, "across_areas": 0.5}),
        ({"kind": "close_gap", "unit": "percent", "value": 50}, {"low": 30, "high": 70}, 100, {"low": 60, "high": 100}),
        ({"kind": "close_gap", "unit": "share", "value": 0.5}, {"low": -0.5, "high": 0.7}, 1, {"low": -1, "high": 1}),
        ({"kind": "target", "unit": "percent", "value": 80}, {"low": 79, "high": 84}, 98, {"low": 96.775, "high": 100}),
    ],
)
def test_the_interval_of_a_change_keeps_its_proportion_to_the_value(change, interval, value, moved):
    changed = set_number(one(change, interval), "actions.a.change.value", value)
    assert changed["actions"][0]["uncertainty"] == pytest.approx(moved)


def test_the_interval_of_a_path_moves_with_its_largest_size():
    content = one({"kind": "path", "path": [[2026, 1], [2028, -2]]}, {"low": -3, "high": -1})
    larger = set_number(content, "actions.a.change.path.2028", -4)["actions"][0]["uncertainty"]
    assert larger == {"low": -6, "high": -2}
    same = set_number(content, "actions.a.change.path.2026", 1.5)["actions"][0]["uncertainty"]
    assert same == {"low": -3, "high": -1}


def test_the_interval_of_a_cost_keeps_its_proportion_too():
    changed = set_number(content_of("every-new-part"), "actions.path.cost.fixed.value", 2_000_000)
    assert changed["actions"][0]["cost"]["fixed"] == {
        "value": 2e6, "unit": "GBP", "low": 1.6e6, "high": 3e6,
    }  # fmt: skip


@given(st.floats(-50, 50), st.floats(0, 20), st.floats(0, 20), st.floats(-50, 50))
def test_a_value_stays_inside_its_interval_whatever_it_is_set_to(value, below, above, new):
    content = one({"value": value}, {"low": value - below, "high": value + above})
    interval = set_number(content, "actions.a.change.value", new)["actions"][0]["uncertainty"]
    assert interval["low"] <= new <= interval["high"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("actions.particpation.reach", "'actions' has no 'particpation' (did you mean 'participation'?). Use 'parti"),
        ("actions.participation.change.unit", "'actions.participation.change.unit' is no number. Name a number."),
        ("analysis.seed", "only numbers of 'actions', 'health' or 'horizon' can be varied. Begin it with actions."),
        ("", "only numbers of 'actions', 'health' or 'horizon' can be varied. Begin it with actions."),
        ("actions", "'actions' is no number. Name a number."),
        ("horizon.end.1", "'horizon.end' holds nothing called '1'. End the path there."),
        ("actions..", "'actions' has no ''. Use 'participation'."),
        ("health.healthy_life_expectancy_male.lag.years", "the scenario has no 'health'. Use one of"),
    ],
)  # fmt: skip
def test_a_path_to_nothing_is_one_line_that_says_what_there_is(path, line):
    with pytest.raises(PathError) as error:
        set_number(content_of("goal"), path, 1.0)
    assert str(error.value).startswith(f"{path}: {line}")
    assert isinstance(error.value, GwmError)


@given(
    st.lists(st.sampled_from(["actions", "path", "change", "1", "2029", "health", "target", "0", "é", ""]), max_size=6)
)
def test_no_path_raises_anything_but_a_path_error(words):
    try:
        find_number(content_of("every-new-part"), ".".join(words))
    except PathError as error:
        assert error.fix


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan"), True, "2", [2026, 2029], None])
def test_what_is_no_finite_number_is_refused(number):
    content = one({"value": number}, {"low": 1, "high": 3}, cost={"fixed": {"years": [2026, 2029]}})
    with pytest.raises(PathError):
        find_number(content, "actions.a.change.value")
    with pytest.raises(PathError, match="is no number"):
        find_number(content, "actions.a.cost.fixed.years")


def test_a_grid_has_the_product_of_its_values_and_a_design_its_points():
    assert count_points(read_scenario(FILES / "ok" / "sweep.yaml").scenario.sweep) == 4 * 3 * 3 * 2
    vary = (Vary(path="actions.a.reach", low=0.1, high=1.0),)
    assert count_points(Sweep(vary=vary, design="sobol", points=64)) == 64
