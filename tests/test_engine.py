"""The engine's array functions: by hand, and laws that must hold."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwm_models.scenarios.engine import apply_actions
from gwm_models.scenarios.engine_parts import ActionPlan, Layers, Setting, TrendLayer, neighbour_lists, spread_to
from gwm_models.scenarios.phases import along_path, peak, phase_in, response_weights
from gwm_models.scenarios.sizes import Size, benchmark_level, change_of_level, quantile_level

N, K, T = 5, 2, 3
BORDERS = np.array([[0, 1], [1, 2], [3, 4]])
NEAR = neighbour_lists(BORDERS, N)
DIRECTION = (1, -1)
LEVEL = np.array([[70.0, 5.0], [75, 4], [80, 3], [60, 8], [90, 2]])
EVERYONE = np.arange(N)


def layers(sizes=(), draws=1, **changes):
    rng = np.random.default_rng(1)
    base = Layers(
        level=LEVEL + rng.normal(0, 0.1, (draws, N, K)) * (draws > 1),
        score=np.full((draws, N, 2), 100.0),
        points=np.array([[5.0, -12.0]]),
        effect=tuple(np.full((draws, 1), float(size)) for size in sizes),
        own=(None,) * len(sizes),
        additional=(np.ones(1),) * len(sizes),
        slopes=(None,) * len(sizes),
        full=np.array([[0.03]]),
        stated=np.array([[[0.02, 0.01]]]),
    )
    return replace(base, **changes)


def plan(**changes):
    base = ActionPlan(
        id="a", quantity=0, size=Size("absolute"), places=np.array([0, 3]), phase=np.array([0.0, 0.5, 1.0])
    )
    return replace(base, **changes)


def setting(**changes):
    base = Setting(
        domain=(0, 1),
        limits=np.array([[0.0, 100.0], [0.0, 100.0], [0.0, 60.0]]),
        scale=np.array([[-1e3, 1e3], [-1e3, 1e3]]),
        conditions=np.array([[20.0], [30], [40], [50], [np.nan]]),
        groups=(np.array([True, False, False, True, False]), np.ones(N, dtype=bool)),
        responses=np.array([response_weights(T, 1, 0)[::-1]]),
        n_years=T,
    )
    return replace(base, **changes)


def apply(plans, state, **changes):
    return apply_actions(plans, state, setting(**changes))


def test_no_action_changes_nothing_exactly():
    effects = apply([], layers(draws=7))
    assert effects.total.shape == (7, N)
    assert effects.beyond.dtype == bool and all(clamped.dtype == bool for clamped in effects.clamped)
    assert not effects.total.any() and not effects.domain.any() and not effects.level.any()
    assert not effects.stated[0].any() and not np.concatenate(effects.history).any()


def test_an_absolute_change_by_hand():
    state = layers([2.0])
    effects = apply([plan()], state)
    assert effects.level_before is state.level and effects.score_before is state.score
    assert effects.clamped[0].dtype == effects.beyond.dtype == bool
    assert effects.total[0].tolist() == [10, 0, 0, 10, 0]
    assert effects.domain[0].tolist() == [[10, 0], [0, 0], [0, 0], [10, 0], [0, 0]]
    assert effects.delivered[0].tolist() == [[2, 0, 0, 2, 0]]
    assert effects.history[0][:, 0].tolist() == [0, 5, 10]
    assert effects.history[1][:, 0].tolist() == [0, 2, 4]


def test_health_follows_the_change_of_earlier_years():
    """One year's lag: the response of the last year is that to half of the change, in both lines."""
    effects = apply([plan(), plan(id="b", quantity=1)], layers([2.0, -1.0]))
    assert effects.total[0, 0] == 22
    assert effects.full[0][0].tolist() == pytest.approx([0.03 * 11, 0, 0, 0.03 * 11, 0])
    assert effects.stated[0][0].tolist() == pytest.approx([0.02 * 5 + 0.01 * 6, 0, 0, 0.02 * 5 + 0.01 * 6, 0])


def test_health_follows_what_has_come_through_of_several_years():
    """Half of the change of each of the first two years: of 4 and 5 points, and of 5 in both."""
    slow = setting(responses=np.array([[0.5, 0.5, 0.0]]))
    for phase, points in (([0.4, 0.5, 1.0], 4.5), ([0.5, 0.5, 1.0], 5.0)):
        effects = apply_actions([plan(phase=np.array(phase))], layers([2.0]), slow)
        assert effects.stated[0][0, 0] == pytest.approx(0.02 * points)
        assert effects.full[0][0, 0] == pytest.approx(0.03 * points)


def test_each_outcome_follows_with_the_lag_of_its_own():
    """10 points by the last year and 5 the year before; one outcome follows at once, the other a year on."""
    slopes = {"full": np.array([[0.1, 0.2]]), "stated": np.array([[[0.02, 9.0], [0.03, 9.0]]])}
    lags = np.array([response_weights(T, lag, 0)[::-1] for lag in (0, 1)])
    effects = apply_actions([plan()], layers([2.0], **slopes), setting(responses=lags))
    assert [change[0].tolist() for change in effects.stated] == [
        pytest.approx([size, 0, 0, size, 0]) for size in (0.02 * 10, 0.03 * 5)
    ]
    assert [change[0, 0] for change in effects.full] == pytest.approx([0.1 * 10, 0.2 * 5])


def test_an_action_that_is_not_there_yet_keeps_no_other_out():
    weight = np.array([1000.0, 200.0])
    later = plan(phase=np.zeros(T), quantity=1, people=weight)
    effects = apply([later, plan(id="b", people=weight)], layers([3.0, 2.0]))
    assert effects.total[0].tolist() == [10, 0, 0, 10, 0]
    assert effects.people[0].tolist() == [[0.0]] * T and effects.people[1][:, 0].tolist() == [0, 1200, 2400]


def test_less_of_what_is_bad_raises_the_score():
    assert apply([plan(quantity=1)], layers([-1.0])).total[0].tolist() == [12, 0, 0, 12, 0]


@pytest.mark.parametrize(
    ("size", "value", "indicator", "expected"),
    [
        (Size("relative"), 10.0, 0, [7, 7.5, 8, 6, 9]),
        (Size("target", 1), 78.0, 0, [8, 3, 0, 18, 0]),
        (Size("target", -1), 3.5, 1, [-1.5, -0.5, 0, -4.5, 0]),
        (Size("close_gap", 1, "median"), 0.5, 0, [2.5, 0, 0, 7.5, 0]),
        (Size("close_gap", -1, "median"), 0.5, 1, [-0.5, 0, 0, -2, 0]),
        (Size("close_gap", 1, np.array([0, 0, 0, 0, 1.0])), 1.0, 0, [20, 15, 10, 30, 0]),
        (Size("close_gap", 1, np.array([0.25, 0.75, 0, 0, 0])), 1.0, 0, [3.75, 0, 0, 13.75, 0]),
        (Size("close_gap", -1, np.array([0, 0.5, 0.5, 0, 0])), 1.0, 1, [-1.5, -0.5, 0, -4.5, 0]),
        (Size("to_quantile", 1), 0.5, 0, [5, 0, 0, 15, 0]),
        (Size("to_quantile", 1), 0.75, 0, [10, 5, 0, 20, 0]),
        (Size("to_quantile", -1), 0.75, 1, [-2, -1, 0, -5, 0]),
        (Size("points"), 10.0, 1, [-10 / 12] * 5),
        (Size("absolute"), 3.0, 1, [3.0] * 5),
    ],
)
def test_change_of_level_by_kind(size, value, indicator, expected):
    change = change_of_level(
        size, np.full((1, 1), value), LEVEL[None, :, indicator], EVERYONE, np.array([[5.0], [-12.0]])[indicator]
    )
    assert np.broadcast_to(change, (1, N))[0].tolist() == pytest.approx(expected)


def test_the_best_quintile_is_reached_by_a_fifth_of_areas_in_the_right_direction():
    level = np.arange(11.0)[None]
    assert benchmark_level(Size("close_gap", 1, "best_quintile"), level).tolist() == [[8.0]]
    assert benchmark_level(Size("close_gap", -1, "best_quintile"), level).tolist() == [[2.0]]


def test_benchmarks_leave_out_areas_without_a_figure():
    level = np.array([[1.0, np.nan, 3.0, 5.0]])
    assert benchmark_level(Size("close_gap", 1, "median"), level).tolist() == [[3.0]]
    change = change_of_level(Size("to_quantile", 1), np.ones((1, 1)), level, np.array([0, 3]), np.ones(1))
    assert change.tolist() == [[4.0, 0.0]]


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.sampled_from([1, -1]))
def test_a_quantile_by_draw_and_area_is_that_of_numpy(shares, direction):
    rng = np.random.default_rng(3)
    level, share = rng.normal(size=(2, 7)), np.array(shares).reshape(2, 2)
    found = quantile_level(level, share, direction)
    for draw in range(2):
        expected = direction * np.quantile(direction * level[draw], share[draw])
        assert found[draw] == pytest.approx(expected, abs=1e-12)


def test_a_quantile_beyond_all_areas_is_the_best_of_them():
    assert quantile_level(np.arange(3.0)[None], np.array([[1.7], [-2.0]]), 1).tolist() == [[2.0], [0.0]]


def test_hard_limits_cut_the_sum_of_all_actions_in_each_draw():
    effects = apply([plan(), plan(id="b")], layers([25.0, 10.0]))
    assert effects.level[0, :, 0].tolist() == [30, 0, 0, 35, 0]
    assert effects.clamped[0][0].tolist() == [True, False, False, False, False]
    assert sum(effects.delivered)[0, 0] == pytest.approx(30)
    assert effects.asked[0][0].tolist() == [25, 0, 0, 25, 0]


def test_domain_scores_stay_on_their_scale_and_estimates_beyond_it_have_no_room_outwards():
    score = np.array([[[190.0, 100], [205, 100], [205, 100], [4, 100], [1, 100]]])
    state = layers([8.0, -3.0], score=score, stated=np.array([[[0.1, 0.0]]]))
    ends = np.array([[2.0, 200.0], [2.0, 200.0]])
    gain, loss = plan(places=np.array([0, 1])), plan(id="b", places=np.array([2, 3, 4]))
    effects = apply([gain, loss], state, scale=ends)
    # Asked for: +40 points in areas 0 and 1, -15 in areas 2 to 4.
    assert effects.domain[0, :, 0].tolist() == [10, 0, -15, -2, 0]
    assert effects.beyond[0, :, 0].tolist() == [True, True, False, True, True] and not effects.beyond[..., 1].any()
    assert effects.total[0].tolist() == [10, 0, -15, -2, 0]
    assert effects.level[0, :, 0].tolist() == [8, 8, -3, -3, -3]
    assert not any(clamped.any() for clamped in effects.clamped)
    # Half in place in the second year: +20 and -7.5 asked for; the response sums the years inside the scale.
    assert effects.history[0][:, 0].tolist() == pytest.approx([0, (10 - 2) / 2, (10 - 2) / 2])
    assert effects.stated[0][0].tolist() == pytest.approx([1.0, 0, -0.75, -0.2, 0])


def test_an_indicator_in_points_is_cut_as_its_domain_is():
    limits = np.array([[-np.inf, np.inf], [0, 100], [0, 60]])
    state = layers([30.0], points=np.array([[1.0, -12.0]]), score=np.full((1, N, 2), 180.0))
    effects = apply([plan()], state, limits=limits, scale=np.array([[2.0, 200.0]] * 2))
    assert effects.total[0].tolist() == [20, 0, 0, 20, 0]
    assert effects.level[0, :, 0].tolist() == pytest.approx([20, 0, 0, 20, 0])
    assert effects.delivered[0][0].tolist() == pytest.approx([20, 0, 0, 20, 0])
    assert effects.asked[0][0].tolist() == [30, 0, 0, 30, 0]
    assert effects.clamped[0][0].tolist() == [True, False, False, True, False]


def test_an_indicator_with_one_limit_keeps_its_change_where_its_domain_is_cut():
    limits = np.array([[0, np.inf], [0, 100], [0, 60]])
    state = layers([30.0], points=np.array([[1.0, -12.0]]), score=np.full((1, N, 2), 180.0))
    effects = apply([plan()], state, limits=limits, scale=np.array([[2.0, 200.0]] * 2))
    assert effects.total[0].tolist() == [20, 0, 0, 20, 0]
    assert effects.level[0, :, 0].tolist() == effects.delivered[0][0].tolist() == [30, 0, 0, 30, 0]
    assert not effects.clamped[0].any()


def test_a_trend_ends_at_the_scale_and_a_change_is_measured_from_there():
    moving = layers([-4.0], trend=trend([1.0, 2.0, 15.0]))
    effects = apply([plan()], moving, scale=np.array([[2.0, 160.0], [2.0, 160.0]]))
    assert effects.score_before[0, :, 0].tolist() == [160, 160, 160, 160, 150]
    assert effects.total[0].tolist() == [-20, 0, 0, -20, 0] and not effects.beyond.any()


def test_rounding_is_not_taken_for_a_limit():
    faded = plan(phase=np.array([0.0, 1.0, 1e-9]))
    effects = apply([faded, plan(id="b", phase=np.array([0.0, 1.0, -1e-9]))], layers([2.0, 2.0000001], draws=50))
    assert not any(clamped.any() for clamped in effects.clamped)


def test_additionality_reach_and_spillover_by_hand():
    action = plan(reach=0.5, spread=spread_to(NEAR, np.array([0, 3]), 0.2))
    effects = apply([action], layers([8.0], additional=(np.array([0.5]),)))
    assert effects.asked[0][0].tolist() == [4, 0, 0, 4, 0]
    # Area 1 borders 0 (treated) and 2: half of its neighbours changed by 2. Area 4 borders 3 alone.
    assert effects.level[0, :, 0] == pytest.approx([2, 0.2, 0, 2, 0.4])
    assert effects.delivered[0][0] == pytest.approx([2, 0.2, 0, 2, 0.4])


def test_neighbours_of_unequal_numbers_of_treated_areas_each_receive_their_mean():
    """Area 1 borders 0 and 2, which change by 2 and 6; area 3 borders 4 alone, which changes by 8."""
    places = np.array([0, 2, 4])
    action = plan(places=places, spread=spread_to(NEAR, places, 0.5))
    state = layers([0.0], effect=(np.array([[2.0, 6.0, 8.0]]),))
    assert apply([action], state).level[0, :, 0].tolist() == [2, 0.5 * (2 + 6) / 2, 6, 0.5 * 8, 8]


def test_negative_spillover_takes_from_neighbours():
    action = plan(spread=spread_to(NEAR, np.array([0, 3]), -0.5))
    assert apply([action], layers([2.0])).level[0, :, 0] == pytest.approx([2, -0.5, 0, 2, -1])


def test_a_treated_neighbour_receives_no_spillover():
    both = np.array([0, 1])
    effects = apply([plan(places=both, spread=spread_to(NEAR, both, 0.5))], layers([2.0]))
    assert effects.level[0, :, 0] == pytest.approx([2, 2, 0.5 * 2, 0, 0])


def test_an_area_with_another_programme_on_the_same_receives_nothing():
    alone, beside = spread_to(NEAR, np.array([0]), 0.5), spread_to(NEAR, np.array([0]), 0.5, {1})
    assert 1 in alone.places and 1 not in beside.places
    assert set(beside.places.tolist()) == set(alone.places.tolist()) - {1}


def test_spillover_of_all_areas_and_of_an_island_is_nothing():
    assert not len(spread_to(NEAR, EVERYONE, 0.5).places)
    island = neighbour_lists(np.array([[0, 1]]), 3)
    assert island == [[1], [0], []]
    assert spread_to(island, np.array([0]), 0.5).places.tolist() == [1]
    # Area 2 has a neighbour, which is not treated.
    assert spread_to(NEAR, np.array([0]), 0.5).places.tolist() == [1]


def test_a_condition_moves_every_domain_by_its_slopes():
    slopes = np.array([[0.5, 2.0]])
    effects = apply([plan(quantity=2)], layers([4.0], slopes=(slopes,)))
    assert effects.domain[0].tolist() == [[2, 8], [0, 0], [0, 0], [2, 8], [0, 0]]
    assert effects.total[0].tolist() == [10, 0, 0, 10, 0] and not effects.level.any()
    assert effects.asked[0][0].tolist() == effects.delivered[0][0].tolist() == [4, 0, 0, 4, 0]


def test_a_condition_stays_in_its_limits_and_each_action_keeps_its_own_slopes():
    one, other = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    both = [plan(quantity=2), plan(id="b", quantity=2, places=np.array([3]))]
    effects = apply(both, layers([6.0, 9.0], slopes=(one, other)))
    assert effects.domain[0, 3].tolist() == pytest.approx([4.0, 6.0])
    assert effects.clamped[0][0].tolist() == [False, False, False, True, False]
    assert effects.delivered[1][0, 3] == pytest.approx(6.0)


def test_what_areas_add_by_themselves_has_its_own_course():
    own = np.array([[1.0, -1.0]])
    shocked = plan(phase=np.array([1.0, 0.5, 0.25]), own_phase=np.array([1.0, 1.0, 0.5]))
    effects = apply([shocked], layers([4.0], own=(own,)))
    assert effects.asked[0][0].tolist() == [1.5, 0, 0, 0.5, 0]
    assert effects.history[0][:, 0].tolist() == [20, 10, 5]
    alone = apply([replace(shocked, phase=np.zeros(3))], layers([4.0], own=(own,)))
    assert alone.level[0, :, 0].tolist() == [0.5, 0, 0, -0.5, 0]


def test_people_are_counted_each_year_before_additionality():
    counted = plan(people=np.array([1000.0, 200.0]), reach=0.5)
    effects = apply([counted, plan(id="b")], layers([-4.0, 1.0], additional=(np.array([0.1]), np.ones(1))))
    assert effects.people[1] is None
    assert effects.people[0][:, 0].tolist() == [0, 1200, 2400]


def test_people_are_no_more_than_there_are():
    """A level of 2 that is asked to fall by 5 falls by 2; two actions share what there is by what they ask for."""
    two = layers([-5.0]).level.copy()
    two[:] = 2.0
    weight = np.array([1000.0, 200.0])
    full = np.ones(3)
    alone = apply([plan(people=weight, phase=full)], replace(layers([-5.0]), level=two))
    assert alone.people[0][-1, 0] == pytest.approx(2 * weight.sum())
    half = replace(layers([-5.0], additional=(np.array([0.1]),)), level=two)
    assert apply([plan(people=weight, phase=full)], half).people[0][-1, 0] == pytest.approx(2 * weight.sum())
    both = apply(
        [plan(people=weight, phase=full), plan(id="b", people=weight, phase=full)],
        replace(layers([-6.0, -2.0]), level=two),
    )
    assert [people[-1, 0] for people in both.people] == pytest.approx([1.5 * weight.sum(), 0.5 * weight.sum()])
    drawn = replace(layers([0.0, 0.0], draws=3), level=np.full((3, N, K), 2.0))
    drawn = replace(drawn, effect=(np.full((3, 1), -6.0), np.full((1, 1), -2.0)))
    mixed = apply([plan(people=weight, phase=full), plan(id="b", people=weight, phase=full)], drawn)
    assert [people[-1].tolist() for people in mixed.people] == [[1.5 * weight.sum()] * 3, [0.5 * weight.sum()] * 3]


def by_loops(plans, state, where, draw):
    """Work out one draw of the last year and of the response area by area, with nothing but loops."""
    totals, stated = np.zeros((T, N)), np.zeros(N)
    for t in range(T):
        asked = {}
        for a, one in enumerate(plans):
            change = {i: state.effect[a][draw, m] * one.reach for m, i in enumerate(one.places.tolist())}
            if one.size.kind == "relative":
                change = {i: state.level[draw, i, one.quantity] * size / 100 for i, size in change.items()}
            kept = state.additional[a][draw] * one.phase[t]
            for i in range(N):
                near = NEAR[i]
                share = 0.0 if one.spread is None else one.spread.share
                got = change[i] if i in change else share * sum(change.get(j, 0) for j in near) / max(len(near), 1)
                asked.setdefault(one.quantity, np.zeros((len(plans), N)))[a, i] = got * kept
        for quantity, parts in asked.items():
            for i in range(N):
                wanted = parts[:, i].sum()
                level = state.level[draw, i, quantity] if quantity < K else where.conditions[i, quantity - K]
                low, high = where.limits[quantity]
                moved = wanted if np.isnan(level) else min(max(level + wanted, low), high) - level
                if quantity < K:
                    points = moved * state.points[0, quantity]
                    totals[t, i] += points
                    stated[i] += where.responses[0, t] * points * state.stated[0, 0, where.domain[quantity]]
                    continue
                for a in range(len(plans)):
                    part = parts[a, i] * (moved / wanted if wanted else 0)
                    for d in range(2):
                        points = 0.0 if state.slopes[a] is None else part * state.slopes[a][draw, d]
                        totals[t, i] += points
                        stated[i] += where.responses[0, t] * points * state.stated[0, 0, d]
    return totals, stated


@given(st.integers(0, 2**32), st.floats(-0.5, 0.5), st.integers(1, 3))
def test_the_engine_agrees_with_plain_loops(seed, share, lag):
    rng = np.random.default_rng(seed)
    where = setting(responses=np.array([response_weights(T, lag - 1, 1)[::-1]]))
    places = [np.sort(rng.choice(4, size=rng.integers(1, 5), replace=False)) for _ in range(4)]
    plans = [
        plan(id=f"p{a}", places=at, quantity=q, phase=rng.random(T), reach=0.7, spread=spread_to(NEAR, at, share))
        for a, (at, q) in enumerate(zip(places, (0, 0, 1, 2), strict=True))
    ]
    plans[2] = replace(plans[2], size=Size("relative"))
    plans[1] = replace(plans[1], spread=None)
    state = layers(
        draws=3,
        effect=tuple(rng.normal(0, 30, (3, len(at))) for at in places),
        own=(None,) * 4,
        additional=tuple(rng.random(3) for _ in plans),
        slopes=(None, None, None, rng.normal(size=(3, 2))),
    )
    plans[2] = replace(plans[2], reach=1.0)
    found = apply_actions(plans, state, where)
    for draw in range(3):
        totals, stated = by_loops(plans, state, where, draw)
        assert found.total[draw] == pytest.approx(totals[-1], abs=1e-8)
        assert found.history[1][:, draw] == pytest.approx(totals.mean(axis=1), abs=1e-8)
        assert found.stated[0][draw] == pytest.approx(stated, abs=1e-8)


def trend(sizes):
    """A trend of the first indicator, the same in all areas, by year."""
    path = np.zeros((T, 1, N, K))
    path[..., 0] = np.array(sizes)[:, None, None]
    return TrendLayer(
        1, lambda rows, place, years: path[list(years), ..., place], lambda place, level, growth: level + growth
    )


def test_under_a_trend_levels_and_scores_without_the_action_move_too():
    effects = apply([plan()], layers([2.0], trend=trend([1.0, 2.0, 15.0])))
    assert effects.level_before[0, :, 0].tolist() == [85, 90, 95, 75, 100]
    assert effects.score_before[0, :, 0].tolist() == [175, 175, 175, 175, 150]
    assert effects.score_before[0, :, 1].tolist() == [100] * N
    assert effects.total[0].tolist() == [10, 0, 0, 10, 0]


def test_under_a_trend_only_domains_that_actions_change_are_drawn_in_every_year():
    asked = []

    def growth(rows, place, years):
        asked.append((place, years))
        return np.zeros((len(years), 1, N))

    moving = layers([2.0], trend=TrendLayer(1, growth, lambda place, level, growth: level + growth))
    apply([plan()], moving)
    assert sorted(asked) == [(0, (0, 1, 2)), (1, (2,))]
    asked.clear()
    apply([plan()], moving, domain=(0, 0))
    assert sorted(asked) == [(0, (0, 1, 2)), (1, (0, 1, 2))]


def test_draws_of_a_trend_are_cut_with_the_others_and_a_single_one_serves_them_all():
    """The growth of a draw is its number."""

    def growth(rows, place, years):
        return np.tile(np.arange(rows.start, rows.stop, dtype=float)[:, None], (len(years), 1, N))

    many = TrendLayer(4, growth, lambda place, level, change: level + change)
    part = many.cut(slice(2, 4))
    assert part.n_draws == 2
    assert part.growth(slice(0, 2), 0, (1,))[0, :, 0].tolist() == [2, 3]
    assert part.growth(slice(1, 2), 0, (1,))[0, :, 0].tolist() == [3]
    assert part.cut(slice(1, 2)).growth(slice(0, 1), 0, (1,))[0, :, 0].tolist() == [3]
    one = TrendLayer(1, growth, many.grown)
    assert one.cut(slice(2, 4)) is one


def test_variances_are_worked_out_without_keeping_where_a_trend_goes():
    moving = layers([2.0], trend=trend([1.0, 2.0, 15.0]))
    whole, short = apply([plan()], moving), apply_actions([plan()], moving, setting(), before=False)
    assert np.array_equal(whole.total, short.total)
    assert np.array_equal(short.level_before, moving.level)


def test_under_a_trend_a_goal_is_worked_out_on_the_level_of_each_year():
    goal = plan(size=Size("target", 1), phase=np.ones(T))
    effects = apply([goal], layers([80.0], trend=trend([1.0, 2.0, 15.0])))
    assert effects.asked[0][0].tolist() == [0, 0, 0, 5, 0]
    assert effects.history[0][:, 0].tolist() == [(9 + 19) / 2 * 5, (8 + 18) / 2 * 5, 5 / 2 * 5]


@given(st.floats(-3, 3), st.floats(0, 1), st.floats(-0.5, 0.5))
def test_twice_the_change_is_twice_the_score_away_from_limits(size, additional, spillover):
    action = plan(spread=spread_to(NEAR, np.array([0, 3]), spillover))
    once, twice = (
        apply([action], layers([k * size], draws=4, additional=(np.array([additional]),))).total for k in (1, 2)
    )
    assert twice == pytest.approx(2 * once, abs=1e-9)


@given(st.permutations(range(3)), st.lists(st.floats(-40, 40), min_size=3, max_size=3))
def test_the_order_of_actions_changes_no_byte(order, sizes):
    plans = [
        plan(),
        plan(id="b", quantity=1, size=Size("relative")),
        plan(id="c", places=np.array([1, 3]), spread=spread_to(NEAR, np.array([1, 3]), 0.3)),
    ]
    straight = apply(plans, layers(sizes, draws=3))
    shuffled = apply([plans[i] for i in order], layers([sizes[i] for i in order], draws=3))
    assert np.array_equal(shuffled.total, straight.total)
    assert all(np.array_equal(shuffled.delivered[place], straight.delivered[i]) for place, i in enumerate(order))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_three_changes_of_one_level_are_added_up_in_the_order_of_their_ids(order):
    """In floating point 0.1 + 0.2 + 0.3 is one step more than 0.3 + 0.2 + 0.1."""
    sizes = [0.1, 0.2, 0.3]
    found = apply([plan(id="abc"[i], phase=np.ones(T)) for i in order], layers([sizes[i] for i in order]))
    assert found.level[0, 0, 0] == 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1


@pytest.mark.parametrize("block", [1, 2, 7, 50])
def test_the_size_of_a_block_changes_no_byte(block):
    rng = np.random.default_rng(5)
    own = rng.normal(size=(50, 2))
    plans = [
        plan(own_phase=np.array([1.0, 0.5, 0.2]), spread=spread_to(NEAR, np.array([0, 3]), 0.3)),
        plan(id="b", quantity=1, size=Size("close_gap", -1, "median"), people=np.array([10.0, 3.0])),
    ]
    slopes = {"points": rng.normal(size=(50, 2)), "full": rng.random((50, 1)), "stated": rng.random((50, 1, 2))}
    state = layers([8.0, 0.5], draws=50, own=(own, None), additional=(rng.random(50), np.ones(1)), **slopes)
    whole, parts = (apply(plans, state, block=size) for size in (1000, block))
    for name in ("total", "domain", "level"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))
    for name in ("asked", "delivered", "clamped", "history", "full", "stated"):
        for one, other in zip(getattr(whole, name), getattr(parts, name), strict=True):
            assert np.array_equal(one, other)
    assert np.array_equal(whole.people[1], parts.people[1])


@pytest.mark.parametrize("block", [1, 7])
def test_the_size_of_a_block_changes_no_byte_of_a_condition_under_a_trend(block):
    rng = np.random.default_rng(6)
    path = rng.normal(size=(T, 50, N, K))
    moving = TrendLayer(
        50, lambda rows, place, years: path[list(years)][:, rows, :, place], lambda place, level, growth: level + growth
    )
    state = layers([4.0], draws=50, slopes=(rng.normal(size=(50, 2)),), trend=moving)
    whole, parts = (apply([plan(quantity=2)], state, block=size) for size in (1000, block))
    for name in ("total", "domain", "level_before", "score_before"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


@given(st.lists(st.floats(-500, 500), min_size=2, max_size=2))
def test_levels_stay_inside_their_hard_limits_and_domains_add_up(sizes):
    state = layers(sizes, draws=3)
    effects = apply([plan(), plan(id="b", quantity=1)], state)
    after = state.level + effects.level
    assert (after >= -1e-9).all() and (after <= 100 + 1e-9).all()
    assert effects.domain.sum(axis=2) == pytest.approx(effects.total, abs=1e-9)


def test_phasing_and_response_by_hand():
    assert phase_in(range(2026, 2031), 2027, 2029).tolist() == [0, 0, 0.5, 1, 1]
    assert phase_in(range(2026, 2030), 2026, 2028, shape="step").tolist() == [0, 0, 1, 1]
    assert phase_in(range(2026, 2029), 2027, 2027).tolist() == [0, 1, 1]
    assert phase_in(range(2026, 2031), 2026, 2030, shape="s_curve").tolist() == [0, 0.15625, 0.5, 0.84375, 1]
    faded = phase_in(range(2026, 2031), 2026, 2028, shape="s_curve", half_life=2)
    assert faded.tolist() == pytest.approx([0, 0.5, 1, 0.5**0.5, 0.5])
    assert along_path(range(2025, 2030), [(2026, -1.0), (2028, 3.0)]).tolist() == [0, -1, 1, 3, 3]
    assert peak([1.0, -3.0, 3.0]) == -3 and peak([0.0]) == 0
    assert response_weights(4, 0, 0).tolist() == [1, 0, 0, 0]
    assert response_weights(4, 2, 0).tolist() == [0, 0, 1, 0]
    assert response_weights(6, 1, 2).tolist() == [0, 0, 0.5, 0.5, 0, 0]


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_lasting_change_has_its_whole_response_after_lag_and_build_up(lag, build_up):
    weights = response_weights(lag + build_up + 1, lag, build_up)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all() and not weights[:lag].any()
