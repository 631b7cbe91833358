"""The engine's array functions: by hand, and laws that must hold."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwm_models.scenarios.engine import (
    ActionPlan,
    Layers,
    apply_actions,
    benchmark_level,
    change_of_level,
    lagged,
    phase_in,
    response_weights,
    row_standardised,
)

N, K = 5, 2
BORDERS = np.array([[0, 1], [1, 2], [3, 4]])
DOMAINS = (0, 1)
DIRECTION = (1, -1)
LIMITS = np.array([[0.0, 100.0], [0.0, 100.0]])


def layers(effect=(), draws=1):
    rng = np.random.default_rng(1)
    level = np.array([[70.0, 5.0], [75, 4], [80, 3], [60, 8], [90, 2]]) + rng.normal(0, 0.1, (draws, N, K)) * (
        draws > 1
    )
    return Layers(
        level=level,
        score=np.full((draws, N, 2), 100.0),
        points=np.array([[5.0, -12.0]]),
        effect=tuple(np.full((draws, N), float(size)) for size in effect),
        full=np.array([[0.03]]),
        stated=np.array([[[0.02, 0.01]]]),
    )


def plan(**changes):
    base = ActionPlan(
        indicator=0,
        kind="absolute",
        treated=np.array([True, False, False, True, False]),
        benchmark=None,
        phase=np.array([0.0, 0.5, 1.0]),
        additional=1.0,
        spillover=0.0,
    )
    return replace(base, **changes)


def apply(plans, state):
    return apply_actions(
        plans,
        state,
        direction=DIRECTION,
        limits=LIMITS,
        domain=DOMAINS,
        neighbours=row_standardised(BORDERS, N),
        n_years=3,
    )


def test_no_action_changes_nothing_exactly():
    effects = apply([], layers(draws=7))
    assert not effects.total.any() and not effects.domain.any() and not effects.level.any()


def test_an_absolute_change_by_hand():
    effects = apply([plan()], layers([2.0]))
    assert effects.total[:, 0].tolist() == [[0, 0, 0, 0, 0], [5, 0, 0, 5, 0], [10, 0, 0, 10, 0]]
    assert effects.domain[0].tolist() == [[10, 0], [0, 0], [0, 0], [10, 0], [0, 0]]
    assert effects.delivered[0].tolist() == [[2, 0, 0, 2, 0]]


def test_less_of_what_is_bad_raises_the_score():
    effects = apply([plan(indicator=1)], layers([-1.0]))
    assert effects.total[-1, 0].tolist() == [12, 0, 0, 12, 0]


@pytest.mark.parametrize(
    ("kind", "size", "towards", "indicator", "expected"),
    [
        ("relative", 10.0, None, 0, [7, 7.5, 8, 6, 9]),
        ("target", 78.0, None, 0, [8, 3, 0, 18, 0]),
        ("target", 3.5, None, 1, [-1.5, -0.5, 0, -4.5, 0]),
        ("close_gap", 0.5, "median", 0, [2.5, 0, 0, 7.5, 0]),
        ("close_gap", 0.5, "median", 1, [-0.5, 0, 0, -2, 0]),
        ("close_gap", 1.0, 4, 0, [20, 15, 10, 30, 0]),
        ("points", 10.0, None, 1, [-10 / 12] * 5),
    ],
)
def test_change_of_level_by_kind(kind, size, towards, indicator, expected):
    state = layers([size])
    change = change_of_level(
        plan(kind=kind, benchmark=towards, indicator=indicator), state, state.effect[0], DIRECTION[indicator]
    )
    assert change[0].tolist() == pytest.approx(expected)


def test_the_best_quintile_is_reached_by_a_fifth_of_areas_in_the_right_direction():
    level = np.arange(11.0)[None]
    assert benchmark_level("best_quintile", level, 1).tolist() == [[8.0]]
    assert benchmark_level("best_quintile", level, -1).tolist() == [[2.0]]


def test_hard_limits_cut_the_sum_of_all_actions_in_each_draw():
    effects = apply([plan(), plan()], layers([25.0, 10.0]))
    assert effects.level[0, :, 0].tolist() == [30, 0, 0, 35, 0]
    assert effects.clamped[0][0].tolist() == [True, False, False, False, False]
    assert sum(effects.delivered)[0, 0] == pytest.approx(30)
    assert effects.asked[0][0].tolist() == [25, 0, 0, 25, 0]


def test_rounding_is_not_taken_for_a_limit():
    faded = plan(phase=np.array([0.0, 1.0, 1e-9]))
    effects = apply([faded, plan(phase=np.array([0.0, 1.0, -1e-9]))], layers([2.0, 2.0000001], draws=50))
    assert not any(clamped.any() for clamped in effects.clamped)


def test_additionality_and_spillover_by_hand():
    effects = apply([plan(additional=0.5, spillover=0.2)], layers([4.0]))
    assert effects.asked[0][0].tolist() == [4, 0, 0, 4, 0]
    # Area 1 borders 0 (treated) and 2: half of its neighbours changed by 2. Area 4 borders 3 alone.
    assert effects.level[0, :, 0] == pytest.approx([2, 0.2, 0, 2, 0.4])


def test_a_treated_neighbour_receives_no_spillover():
    both = plan(treated=np.array([True, True, False, False, False]), spillover=0.5)
    assert apply([both], layers([2.0])).level[0, :, 0] == pytest.approx([2, 2, 1, 0, 0])


def test_an_island_has_no_neighbours():
    weights = row_standardised(np.array([[0, 1]]), 3)
    assert weights.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


@given(st.floats(-3, 3), st.floats(0, 1), st.floats(-0.5, 0.5))
def test_twice_the_change_is_twice_the_score_away_from_limits(size, additional, spillover):
    action = plan(additional=additional, spillover=spillover)
    once, twice = (apply([action], layers([k * size], draws=4)).total for k in (1, 2))
    assert twice == pytest.approx(2 * once, abs=1e-9)


@given(st.permutations(range(3)), st.lists(st.floats(-40, 40), min_size=3, max_size=3))
def test_the_order_of_actions_does_not_matter(order, sizes):
    plans = [plan(), plan(indicator=1, kind="relative"), plan(treated=np.ones(N, dtype=bool), spillover=0.3)]
    straight = apply(plans, layers(sizes, draws=3))
    shuffled = apply([plans[i] for i in order], layers([sizes[i] for i in order], draws=3))
    assert shuffled.total == pytest.approx(straight.total, abs=1e-9)


@given(st.lists(st.floats(-500, 500), min_size=2, max_size=2))
def test_levels_stay_inside_their_hard_limits_and_domains_add_up(sizes):
    state = layers(sizes, draws=3)
    effects = apply([plan(), plan(indicator=1)], state)
    after = state.level + effects.level
    assert (after >= LIMITS[:, 0] - 1e-9).all() and (after <= LIMITS[:, 1] + 1e-9).all()
    assert effects.domain.sum(axis=2) == pytest.approx(effects.total[-1], abs=1e-9)


def test_phasing_and_response_by_hand():
    assert phase_in(range(2026, 2031), 2027, 2029).tolist() == [0, 0, 0.5, 1, 1]
    assert phase_in(range(2026, 2030), 2026, 2028, shape="step").tolist() == [0, 0, 1, 1]
    assert phase_in(range(2026, 2029), 2027, 2027).tolist() == [0, 1, 1]
    assert response_weights(4, 0, 0).tolist() == [1, 0, 0, 0]
    assert response_weights(4, 2, 0).tolist() == [0, 0, 1, 0]
    history = np.array([1.0, 1.0, 1.0, 3.0])[:, None, None]
    assert lagged(history, response_weights(4, 1, 0)).item() == 1
    assert lagged(history, response_weights(4, 0, 0)).item() == 3
    assert lagged(history, response_weights(4, 0, 2)).item() == 1.0


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_lasting_change_has_its_whole_response_after_lag_and_build_up(lag, build_up):
    weights = response_weights(lag + build_up + 1, lag, build_up)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all() and not weights[:lag].any()
