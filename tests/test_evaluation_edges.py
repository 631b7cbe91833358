"""The ends of evaluations: what is measured besides the total, designs at their limits, and refusals in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError, InfeasibleError, ModelError
from gwm_models.evaluation import (
    allocation,
    event_inference,
    plan_detect,
    plan_panel,
    planned,
    portfolio,
    portfolio_programme,
    portfolio_words,
)
from gwm_models.evaluation.allocation import allocate
from gwm_models.evaluation.allocation_words import binding, notes
from gwm_models.evaluation.answer import _power
from gwm_models.evaluation.answer_words import effect_words, rehearsal_words
from gwm_models.evaluation.appraisal import _top
from gwm_models.evaluation.appraisal_effects import equity_weights
from gwm_models.evaluation.appraisal_terms import Terms, Value, prices_factor, read_deflator
from gwm_models.evaluation.designs import Data, DesignFit, fit_design
from gwm_models.evaluation.detect import Placebo, any_set, detectability, synthetic_run
from gwm_models.evaluation.detect_runs import event_run
from gwm_models.evaluation.effect import Effect, PathRow, Words
from gwm_models.evaluation.event_studies import event_study
from gwm_models.evaluation.group_time import group_time
from gwm_models.evaluation.imputation import impute
from gwm_models.evaluation.inference import normal_bounds
from gwm_models.evaluation.interrupted import interrupted_series
from gwm_models.evaluation.interrupted_offer import offer
from gwm_models.evaluation.panel import as_time
from gwm_models.evaluation.panel_design import _size, _switch
from gwm_models.evaluation.panel_spec import PanelSpec
from gwm_models.evaluation.permutation import permute
from gwm_models.evaluation.plan import _notes, make_plan
from gwm_models.evaluation.plan_detect import PlannedPower
from gwm_models.evaluation.plan_score import score_rows
from gwm_models.evaluation.portfolio import choose_portfolio
from gwm_models.evaluation.portfolio_menu import in_state, measured
from gwm_models.evaluation.portfolio_programme import best_set, statistic_of
from gwm_models.evaluation.portfolio_rules import Rules
from gwm_models.evaluation.portfolio_words import headline
from gwm_models.evaluation.portfolio_words import notes as notes_of_portfolio
from gwm_models.evaluation.pre_trend import joint_test, levels_apart, solve_slopes, trend_checks
from gwm_models.evaluation.series_fit import fit_series
from gwm_models.evaluation.staggered_starts import staggered
from gwm_models.evaluation.structural import _judge
from gwm_models.evaluation.synthetic import _measured, synthetic_control, synthetic_controls
from gwm_models.ranks.table import rank_draws
from gwm_models.scenarios.measured import measure_draws
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping, read_scenario, shipped_scenarios
from gwm_models.scenarios.spec import Measured, Scenario

COLUMNS = {"unit": "area", "time": "year", "outcome": "rate"}
HEALTHY = ("healthy_life_expectancy_female", "healthy_life_expectancy_male")


def long(value: Any, **more: Any) -> dict[str, Any]:
    """Return a long panel of units A, B, ... by years from 2001, without cells that are NaN."""
    value = np.asarray(value, dtype=float)
    cells = [(i, t) for i, t in np.ndindex(*value.shape) if np.isfinite(value[i, t])]
    panel = {
        "area": [chr(65 + i) for i, _ in cells],
        "year": [2001 + t for _, t in cells],
        "rate": [float(value[i, t]) for i, t in cells],
    }
    return panel | {name: [float(column[i, t]) for i, t in cells] for name, column in more.items()}


def walk(seed: int, units: int = 8, times: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(units, times)).cumsum(axis=1)


# Money over areas


def spending(total: float = 50e6, pounds: float = 30.0, **parts: Any) -> Scenario:
    """Return an allocation of money over the areas of two regions."""
    push = {
        "id": "push",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 1.0, "unit": "pp"},
        "target": {"regions": ["North East", "North West"]},
        "phasing": {"start": 2026, "full_by": 2030},
        "cost": {"fixed": {"value": pounds, "unit": "GBP_per_resident_16_64"}, "price_base": 2025},
        "evidence": {"source": "made up for a test", "grade": "assumed"},
    }
    content = {
        "schema": "gwm-scenario/1",
        "kind": "portfolio",
        "id": "an-allocation",
        "title": "An allocation",
        "question": "Who gets what?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": 2026, "end": 2032},
        "actions": [push],
        "health": [{"outcome": name, "link": "between", "lag": {"years": 0, "build_up": 0}} for name in HEALTHY],
        "analysis": {"draws": 100, "seed": 3},
        "portfolio": {
            "allocation": {"action": "push", "response": {"elasticity": 0.5}} | parts,
            "budget": {"total": total, "price_base": 2025},
            "constraints": {},
            "objective": {"measure": {"quantity": "total", "group": "all areas"}},
        },
    }
    scenario, problems = check_mapping(content)
    assert scenario is not None, problems
    return scenario


@pytest.fixture(scope="module")
def pushed() -> Any:
    """What the action of an allocation does by itself."""
    whole = spending()
    return project(whole.model_copy(update={"kind": "scenario", "portfolio": None}), load_edition(), variance=False)


@pytest.mark.parametrize("quantity", ["total", "access", "healthy_years", *HEALTHY])
@pytest.mark.parametrize("group", ["all areas", "target areas", "North East"])
def test_what_areas_add_sums_to_what_is_measured_of_them_together(pushed: Any, quantity: str, group: str) -> None:
    measure = Measured(quantity=quantity, group=group)
    parts, whole = allocation._parts(pushed, measure), measured(pushed, measure)
    assert parts.shape == pushed.change.shape and np.abs(whole).max() > 0
    assert parts.sum(axis=1) == pytest.approx(whole)
    if quantity != "healthy_years":
        assert whole == pytest.approx(measure_draws(pushed, measure))


def test_healthy_years_of_both_sexes_are_added(pushed: Any) -> None:
    measure = Measured(quantity="healthy_years", group="all areas")
    women, men = (
        measured(replace(pushed, health=tuple(one for one in pushed.health if one.link.outcome == name)), measure)
        for name in HEALTHY
    )
    assert measured(pushed, measure) == pytest.approx(women + men)
    assert np.abs(women).max() > 0 and np.abs(men).max() > 0


def test_areas_count_by_the_mean_total_over_their_own() -> None:
    before = np.array([[100.0, 250, 300], [100, 350, 100]])  # means 100, 300, 200
    asked = SimpleNamespace(equity=2.0)
    places = np.array([0, 2])
    assert allocation._weights(asked, SimpleNamespace(total_before=before), places).tolist() == [4, 1]
    with pytest.raises(ModelError, match="equity weights need positive totals"):
        allocation._weights(asked, SimpleNamespace(total_before=before - 150), places)


def test_money_where_nothing_costs_anything_has_no_effect_to_go_by(monkeypatch: pytest.MonkeyPatch) -> None:
    free = SimpleNamespace(by_area=np.zeros(118))
    monkeypatch.setattr(allocation, "money_of", lambda *args: free)
    with pytest.raises(ModelError, match="push costs nothing in some of its areas"):
        allocate(spending())


def test_money_that_no_area_can_use_and_money_beyond_the_stated_cost_are_told() -> None:
    found = allocate(spending(200e6, cap=10.0))
    residents = found.edition.areas.population_16_64[found.places]
    left = (200e6 - 10 * residents.sum()) / 1e6
    assert f"£{left:,.1f} million is not spent: no area can use it under its limits." in binding(found)
    assert not any("more than the stated cost" in line for line in notes(found))
    much = replace(found.spread, money=30 * residents * np.where(np.arange(len(residents)) < 4, 1.5, 0.9))
    said = "4 areas get more than the stated cost: what it does there is read off beyond the action."
    assert said in notes(replace(found, spread=much))


# Portfolios


def test_a_state_is_the_level_the_difference_or_the_change_in_per_cent() -> None:
    before, after = np.array([2.0, 0.0]), np.array([3.0, 1.0])
    level, apart, share = (
        in_state(SimpleNamespace(state=state), before, after) for state in ("scenario", "difference", "percent")
    )
    assert level.tolist() == [3, 1] and apart.tolist() == [1, 1]
    assert share[0] == 50 and np.isnan(share[1])


def test_a_quantile_begins_with_a_set_and_is_never_worse_than_it() -> None:
    rng = np.random.default_rng(5)
    effect, base = rng.normal(0.3, 1.0, (40, 6)), rng.normal(size=40)
    rules = Rules(("most",), np.ones((1, 6)) / 6, np.array([0.5]))
    sets = np.array([s for s in np.ndindex(*(2,) * 6) if sum(s) <= 3], dtype=float)
    values = statistic_of(base[:, None] + effect @ sets.T, "quantile", 0.2)
    found = best_set(effect, base, rules, "quantile", 0.2, sets[values.argmin()])
    own = statistic_of(base[:, None] + effect @ found.chosen[:, None], "quantile", 0.2)[0]
    assert own == pytest.approx(values.max()) and found.chosen.sum() <= 3


def test_a_solver_that_finds_nothing_better_leaves_the_set_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    effect = np.array([[1.0, 2.0], [3.0, 1.0]])
    rules = Rules(("most",), np.ones((1, 2)) / 2, np.array([0.5]))
    monkeypatch.setattr(portfolio_programme, "solve", lambda *args: None)
    found = best_set(effect, np.zeros(2), rules, "quantile", 0.5, np.zeros(2))
    assert found.chosen.sum() == 1 and found.optimal
    assert found.bound == pytest.approx(statistic_of(effect @ found.chosen[:, None], "quantile", 0.5)[0])


def choosing(objective: dict[str, Any], *, total: float = 45e6) -> Scenario:
    """Return a portfolio of three options, two of which meet in Stoke-on-Trent."""

    def one(name: str, indicator: str, value: float, area: str, pounds: float) -> dict[str, Any]:
        return {
            "id": name,
            "indicator": indicator,
            "change": {"kind": "absolute", "value": value, "unit": "pp"},
            "uncertainty": {"low": 0.2 * value, "high": 1.8 * value},
            "target": {"areas": [area]},
            "phasing": {"start": 2026, "full_by": 2028},
            "cost": {"fixed": {"value": pounds, "unit": "GBP"}, "price_base": 2025},
            "evidence": {"source": "made up for a test", "grade": "assumed"},
        }

    actions = [
        one("jobs", "economic_activity_rate", 2.0, "Stoke-on-Trent", 20e6),
        one("skills", "professional_share", 1.5, "Stoke-on-Trent", 18e6),
        one("coast", "economic_activity_rate", 1.5, "Blackpool", 22e6),
    ]
    content = {
        "schema": "gwm-scenario/1",
        "kind": "portfolio",
        "id": "a-portfolio",
        "title": "A portfolio",
        "question": "What is best?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": 2026, "end": 2030},
        "actions": actions,
        "health": [],
        "analysis": {"draws": 100, "seed": 3},
        "portfolio": {
            "options": [{"id": action["id"], "actions": [action["id"]]} for action in actions],
            "budget": {"total": total, "price_base": 2025},
            "constraints": {},
            "objective": {"measure": {"quantity": "total", "group": "all areas"}} | objective,
        },
    }
    scenario, problems = check_mapping(content)
    assert scenario is not None, problems
    return scenario


@pytest.mark.parametrize("statistic", ["mean", "quantile"])
def test_a_programme_over_few_options_chooses_what_trying_all_sets_does(
    statistic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = choosing({"statistic": statistic} | ({"probability": 0.2} if statistic == "quantile" else {}))
    tried = choose_portfolio(asked)
    monkeypatch.setattr(portfolio, "make_menu", lambda *args: tried.menu)
    monkeypatch.setattr(portfolio, "MOST_SETS", 1)
    monkeypatch.setattr(portfolio, "PROGRAMMES", 5)
    found = choose_portfolio(asked)
    assert (tried.method, found.method, found.optimal) == ("enumeration", "programme", True)
    assert found.choices == tried.choices and len(found.choices) == 2
    assert found.objective == pytest.approx(tried.objective)
    assert found.menu.cost @ found.chosen <= 45e6
    said = " ".join(notes_of_portfolio(found))
    assert "found by integer programming (HiGHS);" in said
    assert ("counted for the mean, whatever the objective" in said) == (statistic == "quantile")


def test_the_best_mean_rank_is_that_of_all_sets_ranked_anew() -> None:
    found = choose_portfolio(choosing({"measure": {"quantity": "rank", "group": "target areas"}}))
    menu = found.menu
    reached = menu.reached.any(axis=0)
    before = rank_draws(menu.total_before)[:, reached].mean(axis=1)
    mean = {}
    for chosen in ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)):
        if sum(menu.cost[list(chosen)]) <= 45e6:
            change = sum((menu.change[j] for j in chosen), np.zeros_like(menu.total_before))
            mean[chosen] = (rank_draws(menu.total_before + change)[:, reached].mean(axis=1) - before).mean()
    best = min(mean, key=mean.__getitem__)  # a lower rank is better
    assert found.choices == best and found.draws.mean() == pytest.approx(mean[best])


def test_nothing_is_chosen_where_everything_costs_too_much_and_the_words_say_so() -> None:
    found = choose_portfolio(choosing({}, total=1e6))
    assert found.choices == () and not found.draws.any()
    assert headline(found).startswith("Choose nothing: no set of the 3 options that keeps to the budget")


def test_options_that_do_not_add_up_are_said_to_meet_and_by_how_much() -> None:
    apart = SimpleNamespace(joint=np.array([1.0, 2.0]), draws=np.array([1.2, 2.6]), meets=(("jobs", "skills"),))
    assert portfolio_words._together(apart) == (
        "Projected together, the chosen options differ from the sum of their effects by −0.400 on average: they meet "
        "(jobs and skills). The effect given is the one projected together."
    )
    alone = SimpleNamespace(joint=apart.joint, draws=apart.joint, meets=())
    assert portfolio_words._together(alone).endswith("do what their effects add up to.")


# Words


def an_effect(**parts: Any) -> Effect:
    path = (PathRow(1, 5.0, 5.0, 0.0, post=False), PathRow(2, 6.0, 5.0, 1.0), PathRow(3, 8.0, 5.0, 3.0))
    head = {"method": "did", "outcome": "rate", "treated": ("A",), "start": 2, "att": 2.0, "std_error": None}
    ends = {"lower": 1.0, "upper": 3.0, "level": 0.9, "p_value": None, "interval": "", "valid": True, "valid_why": ""}
    return Effect(**(head | ends | {"path": path, "words": Words("", "", "")} | parts))


def test_an_effect_is_dated_by_its_times_or_its_start_or_not_at_all() -> None:
    assert ", on average from 2 to 3, against" in effect_words(an_effect(), "points")
    assert ", on average from 2 on, against" in effect_words(an_effect(method="event_study"), "points")
    assert effect_words(an_effect(start=None), "points").startswith("rate: +2.00 points in A, against")


def test_a_rehearsal_that_finds_an_effect_or_has_no_interval_is_said_to() -> None:
    assert rehearsal_words(an_effect(), 2016).endswith("or the design does not hold for them.")
    none = rehearsal_words(an_effect(lower=None, upper=None), 2016)
    assert none.endswith("in 2016, and the design gives no interval to judge it by.")
    assert "holds zero, as it should" in rehearsal_words(an_effect(lower=-1.0), 2016)


def test_an_estimate_that_is_missing_is_not_scored() -> None:
    path = (PathRow(1, 5.0, 5.0, 0.0, post=False), PathRow(2, 6.0, None, None), PathRow(3, 8.0, 5.0, 3.0))
    first, second, _ = score_rows(an_effect(path=path), np.ones((2, 9)))
    assert (first["estimate"], first["difference"], first["predicted"]) == (None, None, 1.0)
    assert second["difference"] == 2.0


# Costs


def test_the_range_of_values_ends_at_a_round_number_beyond_the_even_one() -> None:
    assert _top(np.array([2e6]), np.array([10.0]), []) == 1e6  # three times 200,000 is 600,000
    assert _top(np.array([2e6]), np.array([10.0]), [900_000.0]) == 2e6  # 1.2 times that is 1,080,000
    assert _top(np.zeros(3), np.zeros(3), []) == 1.0


def test_no_income_is_known_of_areas_that_the_tables_do_not_have() -> None:
    edition = load_edition()
    assert equity_weights(edition, 1.3) is not None
    elsewhere = replace(edition.areas, unit=tuple(f"Z{k:08d}" for k in range(len(edition.areas))))
    assert equity_weights(replace(edition, areas=elsewhere), 1.3) is None


def test_a_price_index_is_read_with_its_hash_and_prices_of_other_years_need_one(tmp_path: Any) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("year,index\n2020,80\n2025,100\n")
    index, source = read_deflator(path)
    assert index == {2020: 80.0, 2025: 100.0}
    assert source.startswith("prices.csv (sha256 ") and len(source) == len("prices.csv (sha256 )") + 12
    assert prices_factor(Terms(deflator=index), 2020, 2025) == 1.25
    with pytest.raises(DataError, match="Prices of 2020 and of 2025 cannot be added"):
        prices_factor(Terms(), 2020, 2025)
    with pytest.raises(DataError, match=r"value of points: expected pounds of zero or more; found -1"):
        Terms(values=(Value("points", -1.0, "made up"),))


# Designs with few figures


def test_gaps_before_and_from_the_start_have_a_root_mean_square_each() -> None:
    fit = DesignFit(np.array([3.0, -4.0, 6.0, 8.0]), np.ones(1), np.zeros(2), 2, True)
    assert fit.rmspe_pre == pytest.approx(np.sqrt(12.5)) and fit.rmspe_post == pytest.approx(np.sqrt(50))
    assert fit.att == 7


def test_windows_in_which_a_design_gives_no_interval_are_left_out() -> None:
    def run(window: Any, cut: int, treated: Any, seed: int) -> Placebo | None:
        if window[0, 0] == 2:
            raise ModelError("Nothing here. Do something else.")
        return Placebo(cut, 0.5, -1.0, 1.0, True) if window[0, 0] else None

    value = np.tile(np.arange(6.0), (4, 1))
    chosen = any_set(4, 1)
    parts = {"n_before": 2, "n_after": 1, "level": 0.9, "seed": 1}
    found = detectability(value, chosen, run, starts=[2, 3, 4, 5], n_placebo=8, **parts)
    assert found.start.tolist() == [3, 5, 3, 5]  # the window of 2 begins with 0, that of 4 with 2
    with pytest.raises(ModelError, match=r"it can see no effect \(Nothing here\)\. Add units"):
        detectability(value, chosen, run, starts=[4], n_placebo=2, **parts)


def test_a_synthetic_design_needs_two_donors_and_placebos_enough_for_its_level() -> None:
    value = walk(1, 5, 6)
    assert synthetic_run("did", {}, 0.5, 20)(value, 4, np.array([0]), 1) is not None
    assert synthetic_run("did", {}, 0.95, 20)(value, 4, np.array([0]), 1) is None
    assert synthetic_run("did", {}, 0.5, 20)(value[:2], 4, np.array([0]), 1) is None


def test_an_event_study_without_a_finite_interval_is_no_placebo() -> None:
    value, treated = walk(2, 6, 6), np.array([0, 1, 2])  # 20 ways to deal three out of six
    found = event_run(0.5)(value, 4, treated, 1)
    assert found is not None and found.lower < found.att < found.upper
    assert event_run(0.99)(value, 4, treated, 1) is None


def test_an_event_study_with_one_time_before_has_no_trend_to_test() -> None:
    found = event_study(long(walk(3, 12, 3)), **COLUMNS, treated=list("ABCD"), start=2002, errors="clustered")
    assert "a single time before the start" in next(c for c in found.checks if c.name == "pre_trend").words
    assert [row.time for row in found.path] == [-1, 0, 1]


def test_a_single_treated_units_noise_cannot_be_told_from_its_effect() -> None:
    one, two = (SimpleNamespace(treated=np.arange(9) < k) for k in (1, 2))
    valid, why = event_inference._judge(one, 20.0, 1.0)
    assert not valid
    assert why == "With 1 treated and 8 controls a single unit's own noise cannot be told from the effect."
    assert not event_inference._judge(two, 20.0, 0.0)[0]
    assert event_inference._judge(two, 20.0, 1.0) == (
        True,
        "2 treated units and 7 controls leave 20 degrees of freedom.",
    )


def test_event_times_that_no_treated_unit_has_are_refused() -> None:
    value = walk(5, 4, 5)
    value[0, 2] = np.nan  # the year before the start
    with pytest.raises(ModelError, match="no treated unit has a figure at the reference, event time -1"):
        event_study(long(value), **COLUMNS, treated=["A"], start=2004)
    few = walk(5, 3, 3)
    few[1:, 1:] = np.nan
    with pytest.raises(ModelError, match="there are no donors with two figures"):
        event_study(long(few), **COLUMNS, treated=["A"], start=2003)
    value = walk(5, 3, 4)
    value[0, 3], value[1:, 2] = np.nan, np.nan  # after the start the treated has a figure when no control has
    with pytest.raises(ModelError, match="no treated unit and control have figures at one time from the start on"):
        event_study(long(value), **COLUMNS, treated=["A"], start=2003)


def test_effects_without_figures_are_left_out_and_told_and_none_at_all_is_refused() -> None:
    value = np.array([[1.0, 4, 6, 7], [3, 4, 6, 11], [2, 2, 3, 5], [1, 3, 4, 4]])
    start = np.array([1, 1, 4, 4])
    value[:2, 2] = np.nan
    found = group_time(value, start)
    assert found.skipped == ((1, 2),)
    assert dict(zip(found.time.tolist(), found.att.tolist(), strict=True))[3] == pytest.approx(
        (6 + 8) / 2 - (3 + 3) / 2
    )
    value[:2, 1:] = np.nan
    with pytest.raises(ModelError, match="no cohort has figures before and after its start"):
        group_time(value, start)
    with pytest.raises(ModelError, match="a covariate is the same in all controls"):
        group_time(walk(6, 6, 4), np.array([1, 1, 1, 4, 4, 4]), method="reg", covariates=np.ones((1, 6, 4)))


def test_a_missing_effect_is_named_in_the_checks() -> None:
    value = walk(7, 12, 6)
    value[:3, 4] = np.nan
    treated = {"A": 2003, "B": 2003, "C": 2003, "D": 2004, "E": 2004, "F": 2004}
    found = staggered(long(value), **COLUMNS, treated=treated)
    (check,) = (check for check in found.checks if check.name == "not_estimated")
    assert check.value == 1 and check.words.endswith("have no control or figure: 2003 at 2005.")


def test_without_untreated_figures_nothing_is_imputed() -> None:
    value = walk(8, 4, 4)
    with pytest.raises(ModelError, match="no treated figure has a counterfactual"):
        impute(value, np.zeros(4, dtype=np.int64))


def test_a_permutation_of_units_without_noise_has_no_bounds() -> None:
    group = np.array([0, 0, 0, 1, 1, 1])
    found = permute(2.0 * group, group == 1, np.random.default_rng(1), 0.9)
    assert (found.lower, found.upper) == (-np.inf, np.inf)


def test_a_made_up_start_in_a_series_too_short_for_its_seasons_is_not_tried() -> None:
    n = 30
    values = np.random.default_rng(3).normal(size=n)
    months = {"month": [f"{2010 + t // 12}-{t % 12 + 1:02d}" for t in range(n)], "rate": values.tolist()}
    found = interrupted_series(months, time="month", outcome="rate", start="2011-09", seasonality="dummies")
    assert not [check for check in found.checks if check.name == "placebo_start"]
    assert not found.valid


def test_errors_that_hardly_fade_are_a_level_that_wanders() -> None:
    errors = SimpleNamespace(autocorrelation=0.97, cov=np.eye(2))
    fine = SimpleNamespace(verdict="pass")
    valid, why = offer("ar1", 5000, errors, SimpleNamespace(highest=0.975), fine)
    assert not valid and why == "Errors have an autocorrelation of 0.97: the level wanders. Take model='structural'."
    assert offer("ar1", 5000, replace_in(errors, 0.2), SimpleNamespace(highest=0.25), fine)[0]


def replace_in(errors: Any, rho: float) -> Any:
    return SimpleNamespace(autocorrelation=rho, cov=errors.cov)


def test_a_structural_model_that_did_not_foretell_the_past_is_not_offered() -> None:
    failed = SimpleNamespace(verdict="fail")
    valid, why = _judge(SimpleNamespace(effective=1e6), failed, 500)
    assert not valid and why == "The model did not foretell the last third of the time before the start."
    assert _judge(SimpleNamespace(effective=1e6), SimpleNamespace(verdict="pass"), 500)[0]


def test_times_of_an_array_of_dates_and_times_that_are_no_number() -> None:
    assert as_time(np.datetime64("2020-03-01T00:00")) == "2020-03-01"
    assert as_time(float("inf")) == "inf"
    assert [_switch(cell) for cell in ("True", "false", "2003", "2003-04", "NA")] == [1.0, 0.0, 2003.0, "2003-04", None]


def test_placebos_need_two_units_more_than_are_treated() -> None:
    assert _size([None] * 5, 3) == 3
    with pytest.raises(ModelError, match="4 units without gaps are not treated; placebos of 3 treated need at least 5"):
        _size([None] * 4, 3)


def test_trends_of_too_few_units_are_not_tested_and_no_slope_is_found_by_a_test_without_power() -> None:
    found = joint_test(np.ones(2), np.zeros((2, 2)), np.array([-1.0, -2.0]), np.array([1.0, 1.0, 1.0]))
    assert np.isnan(found.p_value) and found.slopes == (np.inf,) * len(found.slopes)
    (check,) = trend_checks(found, 3.0)
    assert (check.verdict, check.value) == ("warn", None) and check.words.startswith("Too few treated units")
    assert solve_slopes(lambda slope: 0.1, 1.0) == (np.inf,) * len(found.slopes)
    assert solve_slopes(lambda slope: slope / 4, 0.5) == pytest.approx((2.0, 3.2))


def test_levels_of_one_side_alone_cannot_be_apart() -> None:
    before = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan]])
    assert levels_apart(before, np.array([False, False, True])) == (1.0, 1.0)


def test_models_of_series_with_too_few_figures_or_columns_that_follow_are_refused() -> None:
    with pytest.raises(ModelError, match="4 figures are too few for 2 coefficients"):
        fit_series(np.arange(4.0), np.ones((4, 2)), "gaussian")
    twice = np.column_stack([np.ones(9), 2 * np.ones(9)])
    with pytest.raises(ModelError, match="a column of the model follows from the others"):
        fit_series(np.arange(9.0), twice, "gaussian")


def test_outcomes_of_different_units_or_none_have_no_common_weights() -> None:
    panel = long(walk(9, 6, 6), other=walk(10, 6, 6))
    with pytest.raises(ModelError, match="no outcome was named"):
        synthetic_controls(panel, unit="area", time="year", outcomes=[], treated="A", start=2005)
    panel["other"][-6:] = [float("nan")] * 6  # the last unit
    with pytest.raises(DataError, match="the outcomes are not there for the same units"):
        synthetic_controls(
            panel, unit="area", time="year", outcomes=["rate", "other"], treated="A", start=2005, missing="drop_units"
        )


def test_donors_that_all_have_gaps_are_none() -> None:
    value = walk(11, 4, 6)
    value[1:, 2] = np.nan
    with pytest.raises(ModelError, match="every donor has a gap, so none is left"):
        synthetic_control(long(value), **COLUMNS, treated="A", start=2005, missing="drop_units")


def test_a_population_is_for_counts() -> None:
    panel = {"month": list(range(2000, 2040)), "rate": list(range(40)), "people": [1.0] * 40}
    with pytest.raises(ValueError, match="population is for counts"):
        interrupted_series(panel, time="month", outcome="rate", start=2020, population="people")


# Plans of scenarios


def test_actions_that_start_apart_and_levels_of_later_years_are_told() -> None:
    whole = read_scenario(shipped_scenarios()["northern-participation-2026"]).scenario
    apart = _notes(whole, whole.evaluation, [2028, 2026])
    assert [note for note in apart if "start" in note] == [
        "Actions start in 2026 to 2028: the effect is counted from the first, in all areas that any action reaches."
    ]
    assert not any(note.startswith("Actions start") for note in _notes(whole, whole.evaluation, [2026, 2026]))


def test_a_plan_is_not_rehearsed_where_no_earlier_start_leaves_years_before_it() -> None:
    series = SimpleNamespace(first=(2018, 2019, 2020), last=(2018, 2019, 2020))
    assert planned.rehearsal_year(SimpleNamespace(start=2026), series) is None
    long_ago = tuple(range(2001, 2021))
    assert planned.rehearsal_year(SimpleNamespace(start=2026), SimpleNamespace(first=long_ago, last=long_ago)) == 2018


def test_no_placebo_is_made_of_all_units_and_no_effect_is_projected_over_part_of_a_window() -> None:
    with pytest.raises(ModelError, match="All 3 units are treated, so no placebo can be made"):
        plan_detect._chosen(SimpleNamespace(), SimpleNamespace(), [None] * 3, 3)
    series = SimpleNamespace(first=(2017, 2018), last=(2019, 2020), measure=None)
    assert plan_detect._projected(SimpleNamespace(start=2026, end=2027), series, [], 1) is None


def test_a_measure_without_a_figure_of_the_units_is_refused() -> None:
    measure = make_plan(read_scenario(shipped_scenarios()["northern-participation-2026"]).scenario).measures[0]
    with pytest.raises(DataError, match="has no figure of any of the 2 units evaluated"):
        plan_panel.yearly_series(measure, ("Z1", "Z2"))


def test_treated_units_with_no_time_in_common_are_refused() -> None:
    value = np.array([[1.0, 2, np.nan, np.nan], [np.nan, np.nan, 1, 2], [1, 2, 3, 4]])
    series = SimpleNamespace(
        unit=("a", "b", "c"), year=(2001, 2002, 2003, 2004), value=value, measure=SimpleNamespace(label="Rate")
    )
    with pytest.raises(ModelError, match="Rate: treated units have no time in common"):
        plan_panel.plan_matrix(series, np.ones(4, dtype=bool), ("a", "b"))


def test_a_single_treated_unit_has_no_jackknife_and_no_test_of_its_size() -> None:
    data = Data(walk(12, 6, 5), 3, walk(12, 6, 5)[:, :3])
    one, rest = np.array([0]), np.arange(1, 6)
    bounds = normal_bounds(data, one, rest, fit_design("did", data, one, rest), 0.9)
    assert (bounds.lower, bounds.upper, bounds.p_value) == (None, None, None)
    known = normal_bounds(data, np.array([0, 1]), rest[1:], fit_design("did", data, np.array([0, 1]), rest[1:]), 0.9)
    assert known.lower < known.upper
    valid, why = _measured(SimpleNamespace(level=0.9), bounds, [])
    assert not valid and why.startswith("No interval at 90% can be made")
    assert _measured(SimpleNamespace(level=0.9), known, [])[1].startswith("There are too few placebos")


def test_areas_picked_by_the_measure_itself_are_told_apart_from_those_picked_by_another() -> None:
    edition, rate = load_edition(), SimpleNamespace(variable="unemployment_rate_16_64")
    by = {name: plan_detect._same_figure(edition, SimpleNamespace(by=name), rate) for name in (*HEALTHY[:1], "total")}
    assert set(by.values()) == {(False, 1.0)}
    assert plan_detect._same_figure(edition, SimpleNamespace(by="unemployment_rate"), rate) == (True, -1.0)
    assert plan_detect._same_figure(edition, SimpleNamespace(by="economic_activity_rate"), rate) == (False, 1.0)


def test_power_that_cannot_be_worked_out_is_told_in_its_own_words() -> None:
    measure = SimpleNamespace(id="rate", label="Rate", unit="percent")
    row = _power(PlannedPower(measure, None, "All 3 units are treated.", 5, 2, (0, 0), ""), SimpleNamespace())
    assert (row["why"], row["words"]) == ("All 3 units are treated.", "All 3 units are treated.")
    assert (row["id"], row["unit"]) == ("rate", "percentage points")


def test_all_that_does_not_go_together_in_a_command_is_told_at_once() -> None:
    def wrong(**parts: Any) -> list[str]:
        usual = {"unit": "area", "time": "year", "outcome": "rate", "treated": ("A",), "start": "2004", "design": "sc"}
        with pytest.raises(DataError) as refused:
            PanelSpec(Path("panel.csv"), **(usual | parts))
        return str(refused.value).splitlines()

    assert wrong(unit=None, treated=("A", "B"), start=None, design="staggered") == [
        "--unit is missing. Name the column of the unit.",
        "--treated names one column for staggered: that of each unit's first treated time.",
    ]
    assert wrong(unit=None, start=None) == [
        "--unit is missing. Name the column of the unit.",
        "--start is missing. Give the first treated time.",
    ]
    assert wrong(design="its", seasonality="fourier", period=1) == [
        "--period must be at least 2, the times in a cycle of seasons; got 1."
    ]
    assert wrong(covariates=("rate",)) == [
        "--outcome and --covariates both name the column 'rate'. Leave it out of the covariates."
    ]
    assert wrong(outcome="year") == ["--time and --outcome both name the column 'year'. Name one for each."]


def test_options_and_an_allocation_are_not_taken_for_each_other_and_no_set_within_limits_says_what_binds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ModelError, match="an-allocation has no options"):
        choose_portfolio(spending())
    tried = choose_portfolio(choosing({}))
    monkeypatch.setattr(portfolio, "what_binds", lambda *args: "the budget binds.")
    never = Rules(("most", "least"), np.array([[1.0] * 3, [-1.0] * 3]), np.array([1.0, -2.0]))
    with pytest.raises(InfeasibleError, match="the budget binds"):
        portfolio._by_programme(tried.menu, never)
