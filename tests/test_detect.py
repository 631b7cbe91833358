"""What a design could see: by hand, against theory, and laws of power."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwm_models.errors import ModelError
from gwm_models.evaluation.answer_words import power_words
from gwm_models.evaluation.detect import (
    Detectability,
    any_set,
    detectability,
    extreme_set,
    synthetic_run,
    windows,
)
from gwm_models.evaluation.detect_runs import event_run, series_run
from gwm_models.evaluation.plan_detect import plan_power
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios


def made(lower, upper, projected=None, level=0.9):
    lower, upper = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    n = len(lower)
    starts, valid = np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool)
    drawn = None if projected is None else np.asarray(projected, dtype=float)
    return Detectability(1, 5, 2, level, starts, (lower + upper) / 2, lower, upper, valid, drawn)


def test_power_and_the_smallest_effect_by_hand():
    """Ten placebos show an effect upwards from 1, 2, ... 10 on: eight of ten see 8."""
    found = made(-np.arange(1.0, 11), np.full(10, 20.0))
    assert found.power(0) == 0 and found.power(4.5) == 0.4 and found.power(10.5) == 1
    assert found.smallest()[0] == pytest.approx(8, abs=1e-6)
    assert found.power(found.smallest()[0]) == 0.8
    assert found.smallest()[1] < 8 < found.smallest()[2]
    assert found.power(-20.5) == 1


def test_assurance_is_the_power_expected_over_what_is_projected():
    found = made(-np.arange(1.0, 11), np.full(10, 99.0), projected=[2.5, 8.5])
    assert found.assurance() == pytest.approx((0.2 + 0.8) / 2)
    assert found.prob_beyond() == 0.5
    assert made([-1.0], [1.0]).assurance() is None


def test_what_was_counted_in_draws_and_windows_is_not_called_never_or_always():
    far = made(-np.full(50, 9.0), np.full(50, 9.0), projected=[1.0, 2.0])
    words = power_words(far, "points")
    assert "seen with a probability of under 1%, and is larger than that size with a probability of under 1%." in words
    near = made(-np.full(50, 0.1), np.full(50, 0.1), projected=[1.0, 2.0])
    assert "seen with a probability of over 99%" in power_words(near, "points")
    none = replace(far, valid=np.zeros(50, dtype=bool))
    assert power_words(none, "points").endswith(" In none of the windows would its interval be offered as valid.")
    some = replace(far, valid=np.arange(50) < 10)
    assert power_words(some, "points").endswith(" Only in 20% of windows would its interval be offered as valid.")


def test_an_effect_projected_downwards_is_looked_for_downwards():
    found = made(np.full(10, -20.0), np.arange(1.0, 11), projected=[-9.0])
    assert found.smallest()[0] == pytest.approx(8, abs=1e-6)
    assert found.curve()[4]["effect"] == pytest.approx(-8, abs=1e-6) and found.curve()[4]["power"] == 0.8
    assert found.prob_beyond() == 1.0


def test_a_design_that_sees_effects_where_there_are_none_does_not_keep_its_level_and_is_advised_against():
    always, sometimes = made(np.full(50, 0.5), np.full(50, 2.0)), made([0.5] * 12 + [-1.0] * 38, np.full(50, 2.0))
    good = made(np.full(50, -1.0), np.full(50, 2.0))
    assert not always.keeps_its_level and "choose another design" in power_words(always, "points")
    assert not sometimes.keeps_its_level and "its power is overstated" in power_words(sometimes, "points")
    assert good.keeps_its_level and "But" not in power_words(good, "points")


@given(
    st.lists(st.floats(-5, 5), min_size=5, max_size=30),
    st.floats(0.1, 4),
    st.floats(0.0, 10),
)
def test_a_wider_interval_never_sees_more_and_power_at_a_large_effect_is_one(att, half, more):
    att = np.array(att)
    narrow, wide = made(att - half, att + half), made(att - half - more, att + half + more)
    for effect in (-3.0, 0.0, 2.0):
        assert wide.power(effect) <= narrow.power(effect)
    assert narrow.power(5 + half + 0.1) == 1
    assert narrow.smallest()[0] <= wide.smallest()[0] + 1e-9


@pytest.mark.parametrize("method", ["sc", "sdid", "did"])
def test_a_constant_added_to_the_treated_moves_the_interval_by_as_much_so_one_run_serves_all_sizes(method):
    value = np.random.default_rng(3).normal(size=(25, 12)).cumsum(axis=1)
    treated = np.array([4, 9])
    run = synthetic_run(method, {}, 0.9, 60)
    plain = run(value, 8, treated, 7)
    with_effect = value.copy()
    with_effect[treated, 8:] += 3.5
    moved = run(with_effect, 8, treated, 7)
    assert moved.att == pytest.approx(plain.att + 3.5, abs=1e-9)
    assert moved.lower == pytest.approx(plain.lower + 3.5, abs=1e-9)
    assert moved.upper == pytest.approx(plain.upper + 3.5, abs=1e-9)


@pytest.mark.parametrize("run", [series_run(0.9), event_run(0.9)], ids=["series", "event"])
def test_the_same_holds_for_a_series_and_an_event_study(run):
    value = np.random.default_rng(5).normal(size=(12, 16))
    treated = np.array([2, 3, 4])
    plain = run(value, 10, treated, 7)
    with_effect = value.copy()
    with_effect[treated, 10:] += 2.0
    moved = run(with_effect, 10, treated, 7)
    assert moved.att == pytest.approx(plain.att + 2, abs=1e-6)
    assert (moved.lower, moved.upper) == pytest.approx((plain.lower + 2, plain.upper + 2), abs=1e-4)


def test_the_smallest_effect_of_difference_in_differences_on_pure_noise_is_that_of_theory():
    """Noise of variance 1: the variance of the effect is (1/8 + 1/4)(1/10 + 1/110)."""
    value = np.random.default_rng(11).normal(size=(120, 36))
    starts, before, after = windows(36, 8, 4)
    found = detectability(
        value,
        any_set(120, 10),
        synthetic_run("did", {}, 0.9, 79),
        starts=starts,
        n_before=before,
        n_after=after,
        n_placebo=200,
        level=0.9,
        seed=1,
    )
    error = np.sqrt((1 / 8 + 1 / 4) * (1 / 10 + 1 / 110))
    assert found.smallest()[0] == pytest.approx((1.645 + 0.842) * error, rel=0.2)
    assert found.size == pytest.approx(0.1, abs=0.06) and found.keeps_its_level


def test_windows_are_cut_to_what_there_is_and_leave_a_gap_where_periods_hold_years_of_both_sides():
    assert windows(20, 14, 10) == ([12, 13, 14], 12, 6)
    assert windows(40, 8, 4) == (list(range(8, 37)), 8, 4)
    starts, before, after = windows(16, 12, 4, gap=2)
    assert min(starts) - 2 - before == 0 and max(starts) + after == 16
    with pytest.raises(ModelError, match="there are 4 times, and two before, 2 left out between, and one after"):
        windows(4, 12, 4, gap=2)


def test_a_gap_is_left_out_of_every_window():
    value, seen = np.tile(np.arange(12.0), (3, 1)), []

    def run(window, cut, treated, seed):
        seen.append((window[0].tolist(), cut))

    with pytest.raises(ModelError, match="no interval at 90%"):
        detectability(
            value, any_set(3, 1), run, starts=[7], n_before=4, n_after=3, n_placebo=1, level=0.9, seed=1, gap=2
        )
    assert seen == [([1, 2, 3, 4, 7, 8, 9], 4)]


def test_units_are_picked_by_the_rule_out_of_a_random_part():
    value = np.array([5.0, 1.0, 4.0, 2.0, 3.0, 0.0])
    rng = np.random.default_rng(1)
    every = extreme_set(value, np.array([0, 1, 2, 3]), 2, kept=1.0)(rng, 0)
    assert every.tolist() == [1, 3]
    by_time = np.column_stack([value, -value])
    assert extreme_set(by_time, np.arange(6), 1, kept=1.0)(rng, 1).tolist() == [5]
    assert extreme_set(by_time, np.arange(6), 1, kept=1.0)(rng, 2).tolist() == [0]
    part = {tuple(extreme_set(value, np.arange(6), 2)(rng, 0).tolist()) for _ in range(40)}
    assert len(part) > 3 and all(5 in rows or 1 in rows or 3 in rows for rows in part)


# Of a scenario


def planned(n_placebo=24, **change):
    found = read_scenario(shipped_scenarios()["northern-participation-2026"]).scenario
    analysis = found.analysis.model_copy(update={"draws": 200})
    block = found.evaluation.model_copy(update=change)
    whole = found.model_copy(update={"analysis": analysis, "evaluation": block})
    return plan_power(whole, n_placebo=n_placebo, n_sets=39)[1][0]


def test_a_size_without_an_upper_bound_is_told_as_at_least_its_lower_one():
    found = made([-1.0, -2.0], [1.0, 2.0])
    assert found.smallest()[1:] == (pytest.approx(1.0, abs=1e-6), float("inf"))
    assert "with 80% power (at least 1.00)." in power_words(found, "points")


def test_the_power_of_a_scenario_is_the_same_with_the_same_seed_and_holds_its_projection():
    once, twice = planned(design="did"), planned(design="did")
    assert (once.found.lower == twice.found.lower).all() and (once.found.upper == twice.found.upper).all()
    assert once.found.n_treated == 20 and (once.asked_before, once.asked_after) == (14, 10)
    assert (once.found.n_before, once.found.n_after) == (12, 6)
    assert once.found.projected.mean() == pytest.approx(0.88, abs=0.1)
    assert 0 < once.found.assurance() < 0.5


def test_a_plan_too_short_for_the_periods_of_its_outcome_says_so():
    found = planned(outcomes=("healthy_life_expectancy_at_birth",), pre=(2023, 2025))
    assert found.found is None and "the plan holds 1 times before" in found.why


@pytest.mark.slow
def test_on_the_real_panel_random_areas_are_found_changed_as_often_as_the_level_says():
    """Synthetic control and difference in differences on ten random areas: about one in ten where nothing happened."""
    found = read_scenario(shipped_scenarios()["evaluate-greater-manchester-2015"]).scenario
    for design in ("synthetic_control", "did"):
        block = found.evaluation.model_copy(
            update={"design": design, "outcomes": ("economic_activity_rate_16_64",), "pre": (2004, 2014)}
        )
        asked = found.model_copy(update={"evaluation": block})
        power = plan_power(asked, n_placebo=160, n_sets=59)[1][0].found
        assert 0.04 <= power.size <= 0.17
