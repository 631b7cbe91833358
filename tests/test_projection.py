"""Projections on the shipped edition: laws, common draws, honest words."""

import json
from functools import partial

import made_scenario
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError
from gwm_models.ranks.table import rank_draws
from gwm_models.scenarios.baseline import draw_baseline
from gwm_models.scenarios.layers import draw_effect
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import read_scenario
from gwm_models.scenarios.rows import area_rows, health_rows, inequality_rows
from gwm_models.scenarios.summary import summarise

SHIPPED = ("northern-participation-2026", "professional-jobs-gap", "jobs-shock-2009")
DRAWS = 400


def action(**changes):
    base = {
        "id": "participation",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
        "uncertainty": {"low": 0.5, "high": 3.2, "level": 0.9, "across_areas": 0.5},
        "target": {"regions": ["North East", "North West"], "worst": {"by": "total", "n": 10}},
        "phasing": {"start": 2026, "full_by": 2028},
    }
    return base | changes


scenario = partial(made_scenario.scenario, draws=DRAWS)


def test_an_empty_scenario_changes_nothing_exactly():
    projection = project(scenario())
    assert not projection.change.any() and not any(mean.any() for mean in projection.history.values())
    assert np.array_equal(projection.rank_before, projection.rank_after)
    assert not projection.renormalised.any()
    for row in area_rows(projection, 0.9):
        if row["state"] == "difference":
            assert row["estimate"] in (0, None) and row["lower"] in (0, None) and row["prob_better"] == 0
    assert all(row["estimate"] == 0 for row in inequality_rows(projection, 0.9) if row["state"] == "difference")
    assert "nothing changes" in summarise(projection)["headline"]


def test_an_action_of_size_zero_changes_nothing_exactly():
    nothing = action(change={"kind": "absolute", "value": 0, "unit": "pp"}, uncertainty=None)
    assert not project(scenario(nothing)).change.any()


def test_baseline_draws_are_the_same_whatever_the_scenario():
    first, second = project(scenario()), project(scenario(action()))
    assert np.array_equal(first.baseline.score, second.baseline.score)
    assert np.array_equal(first.rank_before, second.rank_before)


def test_the_same_action_in_another_file_gives_the_same_draws():
    other = action(id="another", indicator="unemployment_rate", change={"kind": "absolute", "value": -1, "unit": "pp"})
    alone = project(scenario(action()))
    together = project(scenario(other | {"uncertainty": None}, action(), id="other-file"))
    assert np.array_equal(alone.delivered[0], together.delivered[1])


def test_totals_are_the_sum_of_their_parts_in_every_draw():
    projection = project(scenario(action(), action(id="pay", **_pay())))
    assert projection.domain_change.sum(axis=2) == pytest.approx(projection.change, abs=1e-9)
    after = projection.baseline.score + projection.domain_change
    # Added up in another order, totals differ by rounding, which may turn two that are level.
    assert np.mean(rank_draws(after.sum(axis=2)) != projection.rank_after) < 1e-3


def _pay():
    return {
        "indicator": "median_pay",
        "change": {"kind": "relative", "value": 5, "unit": "percent"},
        "uncertainty": None,
        "target": {"worst": {"by": "pay", "quantile": 0.1}},
    }


def test_ranks_are_a_permutation_in_every_draw():
    projection = project(scenario(action()))
    assert (np.sort(projection.rank_after, axis=1) == np.arange(1, 119)).all()


def test_points_per_unit_are_exact_for_access_and_carry_an_error_where_calibrated():
    certain = {"uncertainty": None}
    access = project(scenario(action(**certain)))
    treated = access.treated
    free = ~access.clamped[0][:, treated]
    assert access.change[:, treated][free] == pytest.approx(2 * 99 / 19.3)
    jobs = action(indicator="professional_share", change={"kind": "absolute", "value": 2.0, "unit": "pp"}, **certain)
    status = project(scenario(jobs, analysis={"draws": 4000, "seed": 1}))
    per_unit = status.change[:, status.treated][:, 0] / 2
    assert per_unit.mean() == pytest.approx(3.05, abs=0.03)
    assert per_unit.std() == pytest.approx(0.332, rel=0.05)


def test_a_change_in_points_is_exact_whatever_the_indicator():
    points = action(
        indicator="satisfactory_hours", change={"kind": "absolute", "value": 6, "unit": "points"}, uncertainty=None
    )
    projection = project(scenario(points))
    free = ~projection.clamped[0][:, projection.treated]
    assert projection.change[:, projection.treated][free] == pytest.approx(6)


def test_effect_draws_have_the_stated_median_and_quantiles():
    sure = scenario(action(uncertainty={"low": 0.5, "high": 3.2, "level": 0.9, "across_areas": 0})).actions[0]
    draws = draw_effect(sure, ("a", "b"), 40_000, 3)
    assert draws.shape == (40_000, 1)
    assert np.quantile(draws[:, 0], [0.05, 0.5, 0.95]) == pytest.approx([0.5, 2.0, 3.2], abs=0.03)
    spread = scenario(action()).actions[0]
    apart = draw_effect(spread, ("a", "b"), 40_000, 3)
    assert (apart[:, 0] - apart[:, 1]).std() == pytest.approx(0.5 * np.sqrt(2), rel=0.02)


def test_health_draws_do_not_depend_on_which_outcomes_are_asked_for():
    male, female = ({"outcome": f"healthy_life_expectancy_{sex}"} for sex in ("male", "female"))
    both = project(scenario(action(), health=[female, male]))
    alone = project(scenario(action(), health=[male]))
    assert np.array_equal(both.health[1].stated, alone.health[0].stated)
    assert np.array_equal(both.health[1].full, alone.health[0].full)


def test_the_within_link_applies_the_corrected_slope_to_access_points():
    projection = project(scenario(action(uncertainty=None), analysis={"draws": 4000, "seed": 1}))
    male = projection.health[0]
    per_point = 100 * male.stated[:, projection.treated] / projection.change[:, projection.treated]
    assert per_point.mean() == pytest.approx(male.model.within_access["estimate"], rel=0.01)
    status = action(indicator="routine_share", change={"kind": "absolute", "value": -1, "unit": "pp"}, uncertainty=None)
    other = project(scenario(status, analysis={"draws": 4000, "seed": 1})).health[0]
    share = other.stated.mean() / other.full.mean()
    assert 0.1 < share < 0.4


def test_health_lines_are_ordered_and_more_causal_share_is_never_less_effect():
    shares = [{"causal_share": {"mean": mean, "sd": 0}} for mean in (0.2, 0.6)]
    outcome = "healthy_life_expectancy_male"
    effects = []
    for link in (*shares, "between"):
        projection = project(scenario(action(), health=[{"outcome": outcome, "link": link}]))
        lines = {r["line"]: r["estimate"] for r in health_rows(projection, 0.9) if r["group"] == "Target areas"}
        assert lines["none"] == 0
        effects.append(lines["stated link"])
        full = lines["full association"]
    assert effects[0] == pytest.approx(0.2 * full, rel=1e-4)
    assert effects == sorted(effects) and effects[-1] == pytest.approx(full)


def test_bournemouth_and_poole_share_the_draws_of_their_unit_in_health():
    projection = project(scenario(action()))
    first, second = (projection.edition.areas.name.index(name) for name in ("Bournemouth", "Poole"))
    for health in projection.health:
        assert np.array_equal(health.baseline[:, first], health.baseline[:, second])


def test_northamptonshire_has_no_health_interval_because_it_has_no_published_limits():
    rows = area_rows(project(scenario(action())), 0.9)
    found = [r for r in rows if r["area_name"] == "Northamptonshire" and r["quantity"].startswith("healthy")]
    assert {r["lower"] for r in found if r["state"] == "baseline"} == {None}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_the_same_answer():
    def text(seed):
        return json.dumps(summarise(project(scenario(action(), analysis={"draws": 2000, "seed": seed}))))

    assert text(5) == text(5)
    rise = []
    for seed in (5, 6):
        rows = json.loads(text(seed))["groups"]
        rise.append(next(r for r in rows if r["state"] == "difference"))
    assert rise[0]["estimate"] != rise[1]["estimate"]
    assert abs(rise[0]["estimate"] - rise[1]["estimate"]) < 5 * rise[0]["std_error"] / np.sqrt(2000)


def test_the_areas_chosen_do_not_depend_on_seed_or_draws():
    chosen = [
        project(scenario(action(), analysis={"draws": draws, "seed": seed})).treated
        for draws, seed in ((200, 1), (500, 9))
    ]
    assert np.array_equal(*chosen)


def test_areas_picked_for_being_worst_are_expected_to_come_up_by_themselves():
    summary = summarise(project(scenario(action())))
    pulled = summary["actions"][0]["regression_to_mean"]
    assert pulled["estimate"] > 0
    assert "none of it is counted as effect" in pulled["note"]


def test_exclude_and_regions_filter_before_the_pick():
    picked = project(
        scenario(
            action(target={"regions": ["North East"], "exclude": ["Hartlepool"], "worst": {"by": "total", "n": 3}})
        )
    )
    names = np.array(picked.edition.areas.name)[picked.treated]
    assert len(names) == 3 and "Hartlepool" not in names
    assert set(np.array(picked.edition.areas.region)[picked.treated]) == {"North East"}


def test_the_worst_by_unemployment_are_the_highest():
    edition = load_edition()
    picked = project(scenario(action(target={"worst": {"by": "unemployment_rate", "quantile": 0.1}})))
    j = edition.spec.indicator_ids.index("unemployment_rate")
    shrunk = picked.baseline.shrunk_level[:, j]
    assert picked.treated.sum() == 12
    assert shrunk[picked.treated].min() >= shrunk[~picked.treated].max()


def test_closing_a_gap_never_makes_an_area_worse():
    close = action(
        indicator="professional_share",
        change={"kind": "close_gap", "value": 50, "unit": "percent", "to": "median"},
        uncertainty=None,
        target={"regions": ["South East"]},
    )
    assert (project(scenario(close)).level_change >= 0).all()


def test_renormalised_scores_are_frozen_ones_while_the_bounds_stay():
    middle = action(uncertainty=None, target={"areas": ["Wigan", "Leeds"]})
    projection = project(scenario(middle))
    assert projection.renormalised == pytest.approx(projection.change, abs=1e-9)


def test_raising_the_worst_area_lowers_the_others_when_bounds_move():
    edition = load_edition()
    worst = edition.areas.name[int(np.argmin(edition.values[:, 0]))]
    projection = project(scenario(action(uncertainty=None, target={"areas": [worst]})))
    others = ~projection.treated
    assert not projection.change[:, others].any()
    assert (projection.renormalised[:, others] <= 1e-9).all()
    assert (projection.renormalised[:, others] < -0.5).any()


def test_indicator_draws_agree_with_the_domain_scores_they_belong_to():
    edition = load_edition()
    baseline = draw_baseline(edition, DRAWS, 1)
    access = 2 + 99 / 19.3 * (baseline.level[:, :, 0] - 67.1) + 99 / 8.1 * (9.5 - baseline.level[:, :, 1])
    rounding = 2 + 99 / 19.3 * (edition.values[:, 0] - 67.1) + 99 / 8.1 * (9.5 - edition.values[:, 1])
    inside = ((baseline.level[:, :, :2] > 0) & (baseline.level[:, :, :2] < 100)).all(axis=2)
    assert inside.mean() > 0.999
    error = baseline.score[:, :, 0] - edition.domain_scores[:, 0]
    assert (access - rounding)[inside] == pytest.approx(error[inside], abs=1e-6)


def test_drawn_levels_are_shrunk_by_the_noise_of_their_own_indicator():
    """The spread of drawn rates is that of true ones: published variance less sampling variance."""
    from gwm_models.index.sampling import sampling_error

    edition = load_edition()
    baseline = draw_baseline(edition, 2000, 1)
    for j in (0, 1, 2, 3):
        noise = (sampling_error(edition).std_error[:, j] ** 2).mean()
        true = edition.values[:, j].var() - noise
        assert baseline.level[:, :, j].var(axis=1).mean() == pytest.approx(true, rel=0.15)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phasing": {"start": 2030, "full_by": 2032}}, "it has not begun by 2030"),
        ({"change": {"kind": "target", "value": 60, "unit": "percent"}, "uncertainty": None}, "is already there"),
        (
            {"change": {"kind": "absolute", "value": -30, "unit": "pp"}, "uncertainty": None},
            "A domain score meets the lower end of its scale in",
        ),
        (
            {"change": {"kind": "absolute", "value": 30, "unit": "pp"}, "uncertainty": None},
            "A domain score meets the upper end of its scale in",
        ),
    ],
)
def test_what_a_reader_would_stumble_on_is_said(changes, words):
    assert any(words in line for line in summarise(project(scenario(action(**changes))))["warnings"])


def test_goals_that_meet_and_shares_that_are_none_are_named():
    goal = {"change": {"kind": "target", "value": 80, "unit": "percent"}, "uncertainty": None}
    twice = scenario(
        action(**goal),
        action(id="again", **goal),
        health=[{"outcome": "healthy_life_expectancy_male", "link": {"causal_share": {"mean": 3, "sd": 0.1}}}],
    )
    warnings = summarise(project(twice))["warnings"]
    assert any("both set a goal for economic_activity_rate in 10 areas" in line for line in warnings)
    assert any("100% of the stated causal share lies outside 0 to 1" in line for line in warnings)


def test_an_action_on_pay_says_that_pay_alone_goes_with_little_health():
    summary = summarise(project(scenario(action(**_pay()))))
    assert any("pay and conditions goes with" in line for line in summary["assumptions"])


def test_break_even_says_when_health_has_had_no_time():
    late = [{"outcome": "healthy_life_expectancy_male", "lag": {"years": 9}}]
    summary = summarise(project(scenario(action(), health=late)))
    assert "there is no response by 2030" in summary["break_even"][0]["text"]


def test_a_target_that_names_areas_by_name_is_refused_by_the_engine():
    found = scenario(action(target={"areas": ["Blackpool"]}))
    named = found.actions[0].model_copy(
        update={"target": found.actions[0].target.model_copy(update={"areas": ("Blackpool",)})}
    )
    with pytest.raises(DataError, match="matches no area"):
        project(found.model_copy(update={"actions": (named,)}))


def test_variance_is_shared_between_the_layers_that_are_uncertain():
    summary = summarise(
        project(scenario(action(uncertainty=None, change={"kind": "relative", "value": 2, "unit": "percent"})))
    )
    shares = {(r["quantity"], r["layer"]): r["share"] for r in summary["variance"]}
    assert shares["total", "effect"] == 0 and shares["total", "sampling"] == 1
    male = [share for (quantity, _), share in shares.items() if quantity.endswith("_male")]
    assert sum(male) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_say_what_they_assume_and_where_numbers_come_from(shipped, name):
    checked = read_scenario(shipped.scenario(name))
    assert not checked.warnings
    quick = checked.scenario.model_copy(
        update={"analysis": checked.scenario.analysis.model_copy(update={"draws": DRAWS})}
    )
    summary = summarise(project(quick))
    assert "interval" in summary["headline"] and str(summary["year"]) in summary["headline"]
    assert {row["line"] for row in summary["health"]} == {"full association", "stated link", "none"}
    assert any("frozen" in line for line in summary["assumptions"])
    assert all(source["producer"] and source["licence"] for source in summary["sources"])
    json.dumps(summary, allow_nan=False)


def test_the_jobs_shock_has_the_size_of_the_series(shipped):
    from gwm_models.data.tables import read_table

    rows = read_table("indicators", where={"variable": "unemployment_rate_16_64"})

    def mean(year):
        return rows["value"][rows["period"] == f"{year}-01/{year}-12"].mean()

    shock = read_scenario(shipped.scenario("jobs-shock-2009")).scenario.actions[0].change.value
    assert mean(2009) - mean(2008) == pytest.approx(shock, abs=0.01)
    assert mean(2015) < mean(2008) < mean(2014)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from([("absolute", "pp", 3.0), ("relative", "percent", 4.0), ("target", "percent", 80.0)]),
    n=st.integers(1, 30),
    spill=st.floats(-0.5, 0.5),
    extra=st.floats(0, 0.9),
)
def test_laws_over_random_scenarios(kind, n, spill, extra):
    name, unit, value = kind
    drawn = action(
        change={"kind": name, "value": value, "unit": unit},
        uncertainty=None,
        target={"worst": {"by": "total", "n": n}},
        spillover={"weights": "contiguity", "share": spill},
        additionality={"deadweight": extra},
    )
    projection = project(scenario(drawn))
    after = projection.baseline.level[:, :, 0] + projection.level_change[:, :, 0]
    assert (after >= -1e-9).all() and (after <= 100 + 1e-9).all()
    assert projection.treated.sum() == n
    assert (projection.change[:, projection.treated] >= -1e-9).all()
    assert projection.domain_change.sum(axis=2) == pytest.approx(projection.change, abs=1e-9)
    assert (np.sort(projection.rank_after, axis=1) == np.arange(1, 119)).all()


@pytest.mark.slow
def test_the_gap_of_the_worst_areas_is_neither_over_nor_understated():
    """Known truth: areas are picked and their gap measured through noise, 60 times."""
    from dataclasses import replace

    from gwm_models.index.sampling import sampling_error
    from gwm_models.scenarios.baseline import draw_baseline as draw

    edition = load_edition()
    error = sampling_error(edition).std_error
    spread, noise = np.sqrt(edition.values[:, :2].var(axis=0) - (error[:, :2] ** 2).mean(axis=0)), error[:, :2]
    rng = np.random.default_rng(8)
    ratios, covered = [], []
    for _ in range(60):
        truth = edition.values[:, :2].mean(axis=0) + spread * rng.normal(size=(118, 2))
        seen = np.maximum(truth + noise * rng.normal(size=(118, 2)), 0.5)
        values = np.column_stack([seen, edition.values[:, 2:]])
        access = 2 + 99 / 19.3 * (seen[:, 0] - 67.1) + 99 / 8.1 * (9.5 - seen[:, 1])
        scores = np.column_stack([access, edition.domain_scores[:, 1:]])
        made = draw(replace(edition, values=values, domain_scores=scores, total=scores.sum(axis=1)), 400, 1)
        for j, sign in ((0, 1), (1, -1)):
            worst = np.argsort(sign * made.shrunk_level[:, j])[:30]
            gap = np.median(made.level[:, :, j], axis=1) - made.level[:, worst, j].mean(axis=1)
            true = np.median(truth[:, j]) - truth[worst, j].mean()
            ratios.append(gap.mean() / true)
            low, high = np.quantile(gap, [0.05, 0.95])
            covered.append(low <= true <= high)
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)
    assert 0.8 <= np.mean(covered) <= 0.97
