"""Laws that every projection keeps, tried on random scenarios over all parts of the file."""

from itertools import pairwise

import made_scenario
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.models.trend import draw_trend
from gwm_models.scenarios.baseline import draw_baseline
from gwm_models.scenarios.conditions import edition_conditions
from gwm_models.scenarios.inputs import area_normals, draw_inputs, trend_draws
from gwm_models.scenarios.layers import central_effect, draw_additional
from gwm_models.scenarios.outcomes import outcome_level
from gwm_models.scenarios.plans import phase_of
from gwm_models.scenarios.projection import group_masks, project

DRAWS = 150
YEARS = (2026, 2032)
REGIONS = ("North East", "North West", "South West", "East Midlands")
AREAS = ("Blackpool", "Leeds", "Cornwall", "Bournemouth", "Oxfordshire")
INDICATORS = ("economic_activity_rate", "unemployment_rate", "professional_share", "median_pay")
CONDITION = "nvq4plus_share"
GOOD = {"economic_activity_rate": 1, "unemployment_rate": -1, "professional_share": 1, "median_pay": 1, CONDITION: 1}

ROOM_LEFT_BY_ROUNDING = {
    "id": "a0",
    "change": {"kind": "absolute", "value": 14.0, "unit": "pp"},
    "target": {"everyone": True},
    "condition": CONDITION,
    "link": "between",
    "phasing": {"start": 2026, "full_by": 2030, "shape": "linear"},
    "uncertainty": {"low": 7.0, "high": 21.0, "across_areas": 0.0},
}
"""Carries domains to the top of their scale where the published total is 0.1 above their sum."""

laws = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def whole(low, high):
    return st.integers(low, high).map(float)


targets = st.one_of(
    st.just({"everyone": True}),
    st.lists(st.sampled_from(REGIONS), min_size=1, max_size=2, unique=True).map(lambda r: {"regions": r}),
    st.lists(st.sampled_from(AREAS), min_size=1, max_size=3, unique=True).map(lambda a: {"areas": a}),
    st.integers(1, 40).map(lambda n: {"worst": {"by": "total", "n": n}}),
    st.integers(1, 9).map(lambda q: {"best": {"by": "unemployment_rate", "quantile": q / 10}, "exclude": ["Leeds"]}),
    st.integers(1, 5).map(lambda m: {"where": [{"field": "population", "at_least": m * 1e5}]}),
    st.integers(80, 300).map(
        lambda d: {"where": [{"field": "area_type", "equals": "County"}, {"field": "density", "at_least": d}]}
    ),
)
phasings = st.one_of(
    st.sampled_from(["linear", "s_curve"]).map(lambda s: {"start": 2026, "full_by": 2030, "shape": s}),
    st.just({"start": 2028, "full_by": 2028, "shape": "step"}),
    st.integers(1, 8).map(lambda h: {"start": 2026, "full_by": 2027, "fade": {"half_life": h}}),
    st.just({"start": 2026, "full_by": 2030, "shape": "path", "path": [[2026, 0.1], [2028, 0.7], [2030, 1.0]]}),
)


links = st.sampled_from(["within", "between", {"causal_share": {"mean": 0.4, "sd": 0.1}}])
baselines = st.sampled_from(["held", "trend"]).map(lambda c: {"edition": "monitor-2021", "counterfactual": c})


@st.composite
def changes(draw, indicator, linear=False):
    """Draw a change of an indicator or the condition for the better; `linear` ones scale with their value."""
    sign, pounds = GOOD[indicator], indicator == "median_pay"
    unit = "GBP_per_week" if pounds else "pp"
    sizes = whole(1, 4) if linear else st.one_of(whole(1, 4), st.just(14.0))
    size = draw(sizes) / (2 if indicator == "unemployment_rate" else 1)
    kinds = ["absolute", "relative", "path", *["points"] * (indicator != CONDITION)]
    kinds += ["shock"] * (indicator in INDICATORS[:2])
    if not linear:
        kinds += ["close_gap", "to_quantile", "target"]
    kind = draw(st.sampled_from(kinds))
    found = {
        "absolute": {"kind": "absolute", "value": sign * size, "unit": unit},
        "points": {"kind": "absolute", "value": size, "unit": "points"},
        "relative": {"kind": "relative", "value": sign * size, "unit": "percent"},
        "path": {"kind": "path", "unit": unit, "path": [[2027, sign * size / 2], [2030, sign * size], [2032, sign]]},
        "shock": {"kind": "shock", "value": size / 4, "unit": "times", "profile": "2009"},
        "close_gap": {
            "kind": "close_gap",
            "value": 0.5,
            "unit": "share",
            "to": draw(st.sampled_from(["median", "best_quintile", "mean", "South East", "Leeds"])),
        },
        "to_quantile": {"kind": "to_quantile", "value": 0.6, "unit": "quantile"},
        "target": {
            "kind": "target",
            "value": {"economic_activity_rate": 80.0, "unemployment_rate": 4.0}.get(
                indicator, 45.0 if not pounds else 600.0
            ),
            "unit": "GBP_per_week" if pounds else "percent",
        },
    }
    return found[kind]


@st.composite
def actions(draw, name="a", linear=False):
    subject = draw(st.sampled_from([*INDICATORS, CONDITION]))
    change = draw(changes(subject, linear))
    action = {"id": name, "change": change, "target": draw(targets)}
    if subject == CONDITION:
        action |= {"condition": subject, "link": draw(links)}
    else:
        action["indicator"] = subject
    if change["kind"] == "shock":
        action["start"] = 2027
    elif change["kind"] != "path":
        action["phasing"] = draw(phasings)
    if change["kind"] in ("absolute", "relative"):
        low, high = sorted((0.5 * change["value"], 1.5 * change["value"]))
        action["uncertainty"] = {"low": low, "high": high, "across_areas": draw(st.sampled_from([0.0, 0.2]))}
    action["reach"] = draw(st.sampled_from([1.0, 0.6]))
    action["additionality"] = draw(
        st.sampled_from([{}, {"deadweight": 0.2}, {"deadweight": {"mean": 0.3, "sd": 0.1}, "leakage": 0.1}])
    )
    if draw(st.booleans()):
        action["spillover"] = {"weights": "contiguity", "share": draw(st.sampled_from([0.2, -0.1]))}
    return action


def lists_of_actions(most=3, **kinds):
    return st.integers(1, most).flatmap(lambda n: st.tuples(*(actions(f"a{i}", **kinds) for i in range(n))).map(list))


def scenario(actions_, **changes_):
    parts = {"horizon": {"start": YEARS[0], "end": YEARS[1]}, "draws": DRAWS} | changes_
    return made_scenario.scenario(*actions_, **parts)


def run(actions_, **changes_):
    return project(scenario(actions_, **changes_), variance=False)


def ends_of_domains(edition):
    """Return the lowest and highest score that the publisher prints for each domain, shape (2, d)."""
    return np.array([edition.spec.score_range(domain) for domain in edition.spec.domain_ids]).T


def inside(before, change, ends):
    """Cut a change of scores where it leaves the scale, or goes farther out."""
    low, high = ends
    return np.clip(before + change, np.minimum(low, before), np.maximum(high, before)) - before


def away_from_the_ends(projection):
    """Return draws and areas where no domain score is cut or moved by a trend that is cut."""
    low, high = ends_of_domains(projection.edition)
    before = projection.score_before
    return ~projection.beyond.any(axis=2) & ((before > low + 1e-9) & (before < high - 1e-9)).all(axis=2)


def everything(projection):
    """Return every array of a projection as bytes."""
    arrays = [getattr(projection, name) for name in ("change", "domain_change", "level_change", "rank_after")]
    arrays += [projection.total_before, projection.level_before, projection.renormalised, *projection.history.values()]
    arrays += [*projection.asked, *projection.delivered, *projection.clamped]
    arrays += [part for effect in projection.health for part in (effect.full, effect.stated, effect.baseline)]
    return [np.ascontiguousarray(array).tobytes() for array in arrays]


@pytest.mark.parametrize("counterfactual", ["held", "trend"])
@pytest.mark.parametrize("end", [2026, 2034])
def test_no_action_changes_nothing_anywhere(counterfactual, end):
    baseline = {"edition": "monitor-2021", "counterfactual": counterfactual}
    projection = project(scenario([], baseline=baseline, horizon={"start": 2026, "end": end}))
    for name in ("change", "domain_change", "level_change", "renormalised"):
        assert not getattr(projection, name).any()
    assert not any(effect.full.any() or effect.stated.any() for effect in projection.health)
    assert not any(mean.any() for mean in projection.history.values())
    assert np.array_equal(projection.rank_before, projection.rank_after)
    moved = projection.level_before - projection.baseline.level
    assert moved.any() == (counterfactual == "trend")


def nothing_of(action):
    """Return an action of size 0, None for a path, which has no such size."""
    if "path" in action["change"] or action["change"]["kind"] in ("target", "to_quantile"):
        return None
    still = {key: value for key, value in action.items() if key != "uncertainty"}
    return still | {"change": action["change"] | {"value": 0.0}}


@laws
@given(lists_of_actions(), baselines)
def test_actions_of_size_zero_change_nothing_anywhere(drawn, baseline):
    still = [nothing for nothing in map(nothing_of, drawn) if nothing is not None]
    assume(still)
    projection = run(still, baseline=baseline)
    assert not any(getattr(projection, name).any() for name in ("change", "domain_change", "level_change"))
    assert not projection.renormalised.any()
    assert not any(effect.full.any() or effect.stated.any() for effect in projection.health)
    assert np.array_equal(projection.rank_before, projection.rank_after)


@laws
@example([ROOM_LEFT_BY_ROUNDING], {"edition": "monitor-2021", "counterfactual": "held"})
@given(lists_of_actions(), baselines)
def test_levels_ranks_and_parts_keep_their_rules(drawn, baseline):
    projection = run(drawn, baseline=baseline)
    limits = projection.baseline.limits
    after = projection.level_before + projection.level_change
    assert (after >= limits[:, 0] - 1e-9).all() and (after <= limits[:, 1] + 1e-9).all()
    n = len(projection.edition.areas)
    for ranks in (projection.rank_before, projection.rank_after):
        assert (np.sort(ranks, axis=1) == np.arange(1, n + 1)).all()
    assert projection.domain_change.sum(axis=2) == pytest.approx(projection.change, abs=1e-9)
    low, high = np.array(projection.edition.spec.scale) * len(projection.edition.spec.indicators)
    printed = projection.edition.total + projection.renormalised
    assert (printed >= low - 1e-9).all() and (printed <= high + 1e-9).all()


@laws
@given(lists_of_actions(), baselines)
def test_the_whole_is_the_sum_of_regions_and_of_actions(drawn, baseline):
    projection = run(drawn, baseline=baseline)
    areas = projection.edition.areas
    number = {name: areas.region.count(name) for name in set(areas.region)}
    parts = sum(projection.history[name] * n for name, n in number.items())
    assert parts == pytest.approx(projection.history["All areas"] * len(areas), abs=1e-8)
    assert projection.history["All areas"][-1] == pytest.approx(projection.change.mean(axis=1), abs=1e-9)
    treated = projection.change[:, projection.treated].mean(axis=1)
    assert projection.history["Target areas"][-1] == pytest.approx(treated, abs=1e-9)
    ids = projection.edition.spec.indicator_ids
    for j, name in enumerate(ids):
        by_action = [
            d for d, a in zip(projection.delivered, projection.scenario.actions, strict=True) if a.indicator == name
        ]
        delivered = sum(by_action, np.zeros_like(projection.change))
        assert delivered == pytest.approx(projection.level_change[:, :, j], abs=1e-8)


@laws
@given(lists_of_actions(), baselines)
def test_the_total_is_what_each_action_delivers_times_what_a_unit_is_worth(drawn, baseline):
    """Points per unit of an indicator, slopes of a condition: both drawn apart from the engine."""
    projection = run(drawn, baseline=baseline)
    edition, points = projection.edition, draw_inputs(projection.edition, DRAWS, 1).points
    between, within = edition_conditions(edition).slopes(CONDITION, DRAWS, 1)
    domain = np.zeros_like(projection.domain_change)
    for action, delivered in zip(projection.scenario.actions, projection.delivered, strict=True):
        if action.indicator is not None:
            j = edition.spec.indicator_ids.index(action.indicator)
            domain[:, :, edition.spec.domain_of()[j]] += delivered * points[:, j, None]
        elif action.link in ("within", "between"):
            slopes = between if action.link == "between" else within
            domain += delivered[:, :, None] * slopes[:, None, :]
        else:
            assume(False)
    kept = inside(projection.score_before, domain, ends_of_domains(edition))
    assert kept == pytest.approx(projection.domain_change, abs=1e-8)
    assert kept.sum(axis=2) == pytest.approx(projection.change, abs=1e-8)


LARGE = {"economic_activity_rate": ("pp", 45), "unemployment_rate": ("pp", -30), "median_pay": ("GBP_per_week", 400)}
LARGE |= {"satisfactory_hours": ("points", 95), CONDITION: ("pp", 40)}


@st.composite
def large_actions(draw, name):
    """Draw an action of a size that takes scores off the scale, for the better or the worse."""
    subject = draw(st.sampled_from(sorted(LARGE)))
    unit, size = LARGE[subject]
    action = {
        "id": name,
        ("condition" if subject == CONDITION else "indicator"): subject,
        "change": {"kind": "absolute", "value": size * draw(st.sampled_from([-1.0, 0.2, 1.0])), "unit": unit},
        "target": draw(targets),
        "phasing": draw(phasings),
        "spillover": {"weights": "contiguity", "share": draw(st.sampled_from([-0.5, 0.5]))},
    }
    return action | ({"link": draw(links)} if subject == CONDITION else {})


@laws
@given(st.tuples(large_actions("a"), large_actions("b")).map(list), lists_of_actions(most=1), baselines)
def test_scores_stay_in_range_however_much_is_asked(large, small, baseline):
    projection = run(large + [action | {"id": "small"} for action in small], baseline=baseline)
    low, high = ends = ends_of_domains(projection.edition)
    assert (low == 2).all() and high.tolist() == [200, 200, 200]
    start, before = projection.baseline.score, projection.score_before
    after = before + projection.domain_change
    for earlier, later in ((start, before), (before, after)):
        assert (later >= np.minimum(low, earlier) - 1e-9).all() and (later <= np.maximum(high, earlier) + 1e-9).all()
    estimated = ((start >= low) & (start <= high)).all(axis=2)
    total = after.sum(axis=2)[estimated]
    assert (total >= 6 - 1e-9).all() and (total <= 600 + 1e-9).all()
    at_end = (np.abs(after - low) < 1e-9) | (np.abs(after - high) < 1e-9) | (np.abs(projection.domain_change) < 1e-9)
    assert at_end[projection.beyond].all()
    assert projection.domain_change.sum(axis=2) == pytest.approx(projection.change, abs=1e-9)
    assert inside(before, projection.domain_change, ends) == pytest.approx(projection.domain_change, abs=1e-9)


@laws
@given(lists_of_actions(), st.randoms(use_true_random=False), baselines)
def test_the_order_of_actions_changes_no_byte_of_the_result(drawn, random, baseline):
    shuffled = list(drawn)
    random.shuffle(shuffled)
    one, other = run(drawn, baseline=baseline), run(shuffled, baseline=baseline)
    for name in ("change", "level_change", "rank_after", "renormalised"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    place = {action["id"]: i for i, action in enumerate(shuffled)}
    for i, action in enumerate(drawn):
        assert np.array_equal(one.delivered[i], other.delivered[place[action["id"]]])


def doubled(action):
    change, unsure = dict(action["change"]), action.get("uncertainty")
    if "path" in change:
        change["path"] = [[year, 2 * size] for year, size in change["path"]]
    else:
        change["value"] = 2 * change["value"]
    twice = action | {"change": change}
    if unsure:
        twice["uncertainty"] = {key: 2 * value for key, value in unsure.items()}
    return twice


@laws
@given(lists_of_actions(most=2, linear=True), baselines)
def test_twice_the_change_is_twice_the_difference_away_from_limits(drawn, baseline):
    once, twice = run(drawn, baseline=baseline), run([doubled(action) for action in drawn], baseline=baseline)
    free = ~np.any([clamped for p in (once, twice) for clamped in p.clamped], axis=0) & away_from_the_ends(twice)
    # Areas that only receive spillover may meet a limit, too: those whose level after is at one are left out.
    after = twice.level_before + twice.level_change
    free &= ((after > twice.baseline.limits[:, 0]) & (after < twice.baseline.limits[:, 1])).all(axis=2)
    assume(free.any())
    assert twice.change[free] == pytest.approx(2 * once.change[free], abs=1e-8)
    assert twice.domain_change[free] == pytest.approx(2 * once.domain_change[free], abs=1e-8)


@laws
@given(actions("a"), actions("b"))
def test_an_action_elsewhere_leaves_the_draws_of_the_first_as_they_were(first, second):
    alone, both = run([first]), run([second, first])
    assert np.array_equal(alone.asked[0], both.asked[1])
    assert np.array_equal(alone.total_before, both.total_before)
    if (first.get("indicator"), first.get("condition")) != (second.get("indicator"), second.get("condition")):
        assert np.array_equal(alone.delivered[0], both.delivered[1])


@laws
@given(actions("a"), baselines, st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_more_causal_share_is_never_less_effect(drawn, baseline, shares):
    outcome = "healthy_life_expectancy_female"
    less, more = (
        run(
            [drawn],
            baseline=baseline,
            health=[{"outcome": outcome, "link": {"causal_share": {"mean": share, "sd": 0.0}}}],
        ).health[0]
        for share in shares
    )
    assert np.array_equal(less.full, more.full)
    assert (np.abs(more.stated) >= np.abs(less.stated) - 1e-12).all()
    assert (np.abs(more.stated) <= np.abs(more.full) + 1e-12).all()


def forget():
    for cached in (draw_inputs, draw_baseline, outcome_level, area_normals, trend_draws, draw_trend):
        cached.cache_clear()


@settings(laws, max_examples=5)
@given(lists_of_actions(), baselines)
def test_the_same_seed_gives_the_same_bytes(drawn, baseline):
    first = everything(run(drawn, baseline=baseline))
    forget()
    assert everything(run(drawn, baseline=baseline)) == first


@settings(laws, max_examples=5)
@given(lists_of_actions(most=2), baselines)
def test_the_memory_allowed_changes_no_byte(drawn, baseline):
    results = [
        everything(run(drawn, baseline=baseline, analysis={"draws": 301, "seed": 1, "memory": memory}))
        for memory in (0.25, 1.0, 8.0)
    ]
    assert results[0] == results[1] == results[2]


@settings(laws, max_examples=5)
@given(lists_of_actions(most=2), baselines)
def test_another_seed_gives_the_same_answer_within_simulation_error(drawn, baseline):
    one, other = (run(drawn, baseline=baseline, analysis={"draws": 1000, "seed": seed}) for seed in (1, 2))
    for first, second in (
        (one.history["Target areas"][-1], other.history["Target areas"][-1]),
        (one.health[0].stated[:, one.treated].mean(axis=1), other.health[0].stated[:, one.treated].mean(axis=1)),
    ):
        error = np.sqrt((first.var() + second.var()) / 1000)
        assert abs(first.mean() - second.mean()) <= 5 * error + 1e-9


def free_areas(projection):
    """Return the areas whose levels stay inside their limits in every draw, before and after."""
    limits = projection.baseline.limits
    after = projection.level_before + projection.level_change
    inside = ((after > limits[:, 0]) & (after < limits[:, 1])).all(axis=(0, 2))
    return inside & ~np.any([cut.any(axis=0) for cut in projection.clamped], axis=0)


@laws
@given(actions("a"), st.sampled_from([0.2, 0.5]), baselines)
def test_what_is_delivered_is_what_is_asked_of_those_reached_less_what_is_not_additional(drawn, reach, baseline):
    own = drawn | {"reach": reach, "additionality": {"deadweight": 0.3, "leakage": {"mean": 0.2, "sd": 0.1}}}
    whole_area, projection = (run([own | {"reach": share}], baseline=baseline) for share in (1.0, reach))
    assert projection.asked[0] == pytest.approx(reach * whole_area.asked[0], abs=1e-9)
    free = free_areas(projection) & projection.treated
    kept = draw_additional(projection.scenario.actions[0], DRAWS, 1)
    assert 0.4 < kept.mean() < 0.7 and kept.std() > 0.03
    assert projection.delivered[0][:, free] == pytest.approx(kept[:, None] * projection.asked[0][:, free], abs=1e-9)


@laws
@given(actions("a"), st.sampled_from([0.5, 0.1, -0.3]), baselines)
def test_neighbours_receive_their_share_of_the_mean_change_around_them(drawn, share, baseline):
    projection = run([drawn | {"spillover": {"weights": "contiguity", "share": share}}], baseline=baseline)
    edition, delivered, treated = projection.edition, projection.delivered[0], projection.treated
    near = np.zeros((len(edition.areas), len(edition.areas)))
    for one, other in edition.areas.borders:
        near[one, other] = near[other, one] = 1.0
    own = np.where(treated, delivered, 0.0)
    received = share * own @ near.T / np.maximum(near.sum(axis=1), 1)
    bound = near[:, treated].any(axis=1) & ~treated
    free = free_areas(projection) & ~(near @ ~free_areas(projection)).astype(bool)
    assert delivered[:, bound & free] == pytest.approx(received[:, bound & free], abs=1e-9)
    assert not delivered[:, ~bound & ~treated].any()


def share_in_place(phasing, year):
    """Return what is in place in a year, written down again from the description of the file."""
    start, full, shape = phasing["start"], phasing["full_by"], phasing.get("shape", "linear")
    if shape == "path":
        points = phasing["path"]
        between = [(a, b) for a, b in pairwise(points) if a[0] <= year <= b[0]]
        if not between:
            return points[-1][1] if year > points[-1][0] else 0.0
        (before, low), (after, high) = between[0]
        return low + (high - low) * (year - before) / (after - before)
    if year >= full:
        return 0.5 ** ((year - full) / phasing["fade"]["half_life"]) if "fade" in phasing else 1.0
    if shape == "step" or year < start:
        return 0.0
    x = (year - start) / (full - start)
    return x if shape == "linear" else 3 * x**2 - 2 * x**3


@laws
@given(phasings)
def test_the_share_in_place_is_what_the_file_describes(phasing):
    push = {
        "id": "push",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 1.0, "unit": "pp"},
        "target": {"areas": ["Leeds"]},
        "phasing": phasing,
    }
    now = run([push]).history["Target areas"]
    worth = draw_inputs(load_edition(), DRAWS, 1).points[:, 0]
    expected = [share_in_place(phasing, year) for year in range(YEARS[0], YEARS[1] + 1)]
    assert now == pytest.approx(np.outer(expected, worth), abs=1e-9)


@laws
@given(actions("a"))
def test_the_years_follow_the_phasing_away_from_limits(drawn):
    assume(drawn["change"]["kind"] != "shock")
    assume(all(abs(size) < 10 for _, size in drawn["change"].get("path", ())))
    projection = run([drawn])
    assume(not projection.clamped[0].any())
    phase = phase_of(projection.scenario.actions[0], range(YEARS[0], YEARS[1] + 1))
    assume(phase[-1] != 0)
    # The last year is not the largest where the effect fades: no year may meet a limit, so the extreme ones must not.
    ends = ends_of_domains(projection.edition)
    for size in (phase.min() / phase[-1], phase.max() / phase[-1]):
        level = projection.level_before + projection.level_change * size
        assume(((level > projection.baseline.limits[:, 0]) & (level < projection.baseline.limits[:, 1])).all())
        moved = projection.domain_change * size
        assume(np.allclose(inside(projection.score_before, moved, ends), moved, rtol=0, atol=1e-9))
    before, (low, high) = projection.score_before, ends_of_domains(projection.edition)
    score = before + projection.domain_change * np.abs(phase).max() / abs(phase[-1])
    cut = projection.beyond | (score < np.minimum(low, before)) | (score > np.maximum(high, before))
    free = [name for name, of in group_masks(projection.edition, projection.treated).items() if not cut[:, of].any()]
    assume(free)
    for history in (projection.history[name] for name in free):
        assert history == pytest.approx(np.outer(phase / phase[-1], history[-1]), abs=1e-8)


def test_a_condition_moves_scores_by_the_share_that_is_taken_as_effect():
    skills = {
        "id": "skills",
        "condition": "nvq4plus_share_16_64",
        "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
        "target": {"regions": ["North East"]},
        "phasing": {"start": 2026, "full_by": 2028},
    }
    within, between, none, half = (
        run([skills | link])
        for link in (
            {},
            {"link": "between"},
            {"link": {"causal_share": {"mean": 0.0, "sd": 0.0}}},
            {"link": {"causal_share": {"mean": 0.5, "sd": 0.0}}},
        )
    )
    assert not none.change.any() and not between.level_change.any()
    assert half.change == pytest.approx(0.5 * between.change, abs=1e-9)
    assert abs(within.change.mean()) < 0.3 * between.change.mean()
    assert between.domain_change.sum(axis=2) == pytest.approx(between.change, abs=1e-9)
    assert np.array_equal(within.asked[0], between.asked[0])
    assert within.asked[0][:, within.treated] == pytest.approx(2.0)


def test_goals_under_a_trend_are_worked_out_on_where_levels_have_gone():
    goal = {
        "id": "goal",
        "indicator": "economic_activity_rate",
        "change": {"kind": "target", "value": 85.0, "unit": "percent"},
        "target": {"regions": ["North East"]},
        "phasing": {"start": 2026, "full_by": 2026},
    }
    baseline = {"edition": "monitor-2021", "counterfactual": "trend"}
    held, moving = run([goal]), run([goal], baseline=baseline)
    treated = moving.treated
    reached = (moving.level_before + moving.level_change)[:, treated, 0]
    assert reached == pytest.approx(np.maximum(moving.level_before[:, treated, 0], 85.0))
    assert not np.allclose(held.asked[0], moving.asked[0])
    points = draw_inputs(load_edition(), DRAWS, 1).points
    member = np.eye(3)[list(moving.edition.spec.domain_of())]
    gone = ((moving.level_before - held.level_before) * points[:, None, :]) @ member
    moved = inside(held.score_before, gone, ends_of_domains(moving.edition))
    assert moving.score_before - held.score_before == pytest.approx(moved, abs=1e-8)
    assert moving.total_before == pytest.approx(moving.score_before.sum(axis=2))


def test_a_path_is_drawn_at_its_largest_size():
    path = {
        "id": "path",
        "indicator": "economic_activity_rate",
        "change": {"kind": "path", "unit": "pp", "path": [[2027, -1.0], [2029, -3.0], [2032, 1.0]]},
        "target": {"areas": ["Leeds"]},
    }
    projection = run([path])
    assert central_effect(projection.scenario.actions[0]) == -3.0
    years = projection.history["Target areas"][:, 0] / projection.history["Target areas"][3, 0]
    assert years.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 5 / 9, 1 / 9, -1 / 3])
