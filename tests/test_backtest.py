"""Back-test: scores by hand, no figure of later years in a forecast, spreads as wide as errors, and stored results."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError
from gwm_models.evaluation.backtest_health import Later, as_forecasts, cut, later_of, slope_row
from gwm_models.evaluation.backtest_origins import RULES
from gwm_models.evaluation.backtest_ranks import brier_rows, chances, gap_rows, reliability_rows, worst_gap
from gwm_models.evaluation.backtest_scores import Forecast, crps, judge, score_rows
from gwm_models.evaluation.backtests import HORIZONS, pooled
from gwm_models.models.damped import Damped, forecast
from gwm_models.models.outcomes import find_outcome
from gwm_models.models.panel.table import load_panel
from gwm_models.models.trend import draw_trend
from gwm_models.models.trend_error import Widening, default_widening, widen, widening
from gwm_models.models.trend_errors_past import PastErrors, ahead, moments, past_errors
from gwm_models.models.trend_scale import Scale
from gwm_models.models.yearly import PAY, Yearly
from gwm_models.report.backtest import TABLES, compare_backtest, compare_rows, read_backtest, read_summary
from gwm_models.report.backtest_words import backtest_words

ONE = Damped(np.array([[0.8, 0.5, 0.3, 0.4, 0.6]]), np.ones(1), np.array([[0.2, -0.1]]), np.array([[0.1, 0.3]]))
TWO = Damped(
    np.array([[0.8, 0.5, 0.3, 0.4, 0.6], [0.6, 0.0, 0.7, 0.0, 0.0]]),
    np.array([0.3, 0.7]),
    np.array([[0.2], [0.0]]),
    np.array([[0.1], [0.0]]),
)


def made(draws, came, *, before=None, rule="trend", origin=2010, horizon=1, direction=1):
    came = np.asarray(came, dtype=float)
    first = came if before is None else np.asarray(before, dtype=float)
    return Forecast("rate", "percent", rule, origin, horizon, np.asarray(draws, dtype=float), first, came, direction)


def series(seed: int = 1, units: int = 5, years: int = 6, variable: str = "made_up") -> Yearly:
    rng = np.random.default_rng(seed)
    value = 60 + np.cumsum(rng.standard_normal((units, years)), axis=1) + 0.5 * rng.standard_normal((units, years))
    year = tuple(range(2001, 2001 + years))
    return Yearly(variable, tuple(map(str, range(units))), year, value, np.full((units, years), 0.5))


def errors(z: list[float], *, horizon: int = 1, own: np.ndarray | None = None) -> PastErrors:
    """Past errors of a mean whose forecasts have a variance of one and no noise."""
    n = len(z)
    own = np.zeros((n, 3)) if own is None else own
    ones = np.ones(n)
    return PastErrors(
        "x",
        Scale("linear"),
        (),
        np.arange(2000, 2000 + n),
        np.full(n, horizon),
        np.array(z),
        ones,
        0 * ones,
        own,
        np.ones(own.shape),
        np.zeros(own.shape),
    )


# Scores


def test_the_score_of_an_ensemble_is_the_area_between_its_steps_and_that_of_what_came():
    draws, came = np.array([1.0, 2.0, 2.5, 4.0, 7.0]), 3.0
    grid = np.linspace(-5, 15, 200_001)
    apart = (draws <= grid[:, None]).mean(axis=1) - (came <= grid)
    assert crps(draws[:, None], np.array([came]))[0] == pytest.approx(np.trapezoid(apart**2, grid), abs=1e-3)


@given(st.floats(-50, 50), st.floats(0.1, 10))
def test_the_score_of_one_number_is_its_distance_and_keeps_the_unit(came, factor):
    draws = np.array([[1.0], [3.0], [8.0]])
    assert crps(np.array([[2.0]]), np.array([came]))[0] == pytest.approx(abs(came - 2))
    one, other = crps(draws, np.array([came]))[0], crps(factor * draws, np.array([factor * came]))[0]
    assert other == pytest.approx(factor * one)


def test_a_forecast_by_hand():
    draws = np.column_stack([np.linspace(0, 10, 101), np.linspace(0, 10, 101)])
    found = judge(made(draws, [5.0, 9.8]))
    assert found.error.tolist() == pytest.approx([0.0, -4.8])
    assert found.width[:, 0].tolist() == pytest.approx([5.0, 9.0])
    assert found.inside.tolist() == [[True, False], [True, False]]
    assert found.mean_inside.tolist() == [True, True]


def test_a_rule_without_a_spread_covers_nothing_and_says_so():
    (row,) = score_rows([judge(made([[1.0, 4.0]], [2.0, 2.0], rule="line"))], ("rule",))
    assert (row["coverage_90"], row["width_90"]) == (None, None)
    assert (row["bias"], row["mae"], row["crps"]) == (0.5, 1.5, 1.5)
    assert row["rmse"] == pytest.approx(np.sqrt((1 + 4) / 2))


def test_origins_count_alike_however_many_areas_had_figures():
    few, many = made([[1.0]], [0.0], origin=2010), made([[3.0, 3.0, 3.0]], [0.0, 0.0, 0.0], origin=2011)
    (row,) = score_rows(map(judge, (few, many)), ("quantity",))
    assert (row["bias"], row["origins"], row["n"]) == (2.0, 2, 4)


def test_intervals_of_a_true_model_cover_as_often_as_they_say():
    rng = keyed_rng(3, "calibrated")
    centre = rng.standard_normal(4000)
    found = judge(made(centre + rng.standard_normal((400, 4000)), centre + rng.standard_normal(4000)))
    assert found.inside.mean(axis=1) == pytest.approx([0.5, 0.9], abs=0.025)
    assert found.crps.mean() == pytest.approx(1 / np.sqrt(np.pi), rel=0.03)  # of a normal: sigma / sqrt(pi)


# Chances and the worst


def test_chances_of_a_better_rank_by_hand():
    one = made([[9.0, 5.0, 4.0], [4.0, 5.0, 9.0]], [1.0, 2.0, 3.0], before=[3.0, 2.0, 1.0])
    found = chances(one)
    assert found.chance.tolist() == [0.0, 0.0, 0.5]
    assert found.better.tolist() == [False, False, True]
    low = chances(replace(one, direction=-1))
    assert low.better.tolist() == [True, False, False]


def test_chances_that_come_true_as_often_as_they_say_lie_on_the_line():
    rng = keyed_rng(5, "chances")
    first = chances(made([[1.0, 0.0]], [1.0, 0.0]))
    chance = rng.random(20_000)
    one = replace(first, chance=chance, better=rng.random(20_000) < chance)
    for row in reliability_rows([one]):
        assert row["share_better"] == pytest.approx(row["mean_chance"], abs=0.04)
    (row,) = brier_rows([one], ("rule",))
    assert row["brier"] == pytest.approx(1 / 6, abs=0.01)  # mean of p (1 - p), p uniform
    assert row["skill"] == pytest.approx(1 / 3, abs=0.04)


def test_the_worst_areas_of_a_year_are_followed():
    before = np.concatenate([np.zeros(20), np.full(20, 10.0)])
    held = made(np.vstack([before * 0.9, before * 0.9]), before * 0.5, before=before, rule="held")
    gap = worst_gap(held)
    assert (gap.published, gap.forecast, gap.came) == pytest.approx((-5.0, -4.5, -2.5))
    (row,) = gap_rows([gap])
    assert (row["share_forecast"], row["share_came"], row["std_error"]) == (pytest.approx(0.1), 0.5, None)
    high = worst_gap(replace(held, direction=-1))
    assert high.published == pytest.approx(5.0)


# What was known then


def test_no_figure_after_an_origin_changes_what_is_forecast_from_it():
    whole = series()
    later = whole.value.copy()
    later[:, 4:] = 100 - later[:, 4:] / 2
    changed = Yearly(whole.variable, whole.unit, whole.year, later, whole.error)
    one, other = past_errors(whole, Scale("logit")), past_errors(changed, Scale("logit"))
    for first, second in zip(one.origins, other.origins, strict=True):
        same = all(
            np.array_equal(getattr(first.units, name), getattr(second.units, name)) for name in ("mean", "sd", "weight")
        )
        assert same == (first.year <= 2004), first.year
    before, after = (widening([each], until=2004) for each in (one, other))
    assert before.common.tolist() == after.common.tolist() and before.own.tolist() == after.own.tolist()
    assert widening([other]).common[0] > widening([one]).common[0]


def test_pay_is_judged_with_the_swings_that_its_trend_leaves_out():
    found = past_errors(series(variable=PAY), Scale("log"))
    assert np.isnan(found.mean_variance).all()
    assert all(origin.error.std() == 0 for origin in found.origins)
    assert widening([found]).errors == 0


def test_moments_are_those_of_the_draws():
    rng, n = keyed_rng(9, "moments"), 200_000
    uniform, normals = rng.random(n), rng.standard_normal((4, n, 1))
    drawn = forecast(TWO, uniform, normals, [1, 3])
    for t, years in enumerate((1, 3)):
        mean, variance = moments(TWO, years)
        assert drawn[t].mean() == pytest.approx(mean[0], abs=0.02)
        assert drawn[t].var() == pytest.approx(variance[0], rel=0.02)
    assert ahead(ONE, 2)[0][0] == pytest.approx(0.8 + 0.64)


# Factors


def test_factors_by_hand():
    found = widening([errors([2.0] * 6)])
    assert found.common.tolist() == pytest.approx([(4 + 6 * 4) / (4 + 6)])
    assert found.freedom.tolist() == [10.0]
    overlapping = widening([errors([2.0] * 6, horizon=3)])
    assert overlapping.common.tolist() == pytest.approx([1, 1, (4 + 2 * 4) / (4 + 2)])
    assert widening([errors([2.0] * 6)], until=2000).common.tolist() == [1.0]


def test_units_that_move_twice_as_much_as_forecast_get_that_factor():
    rng = np.random.default_rng(4)
    found = errors([1.0] * 200, own=np.sqrt(2) * rng.standard_normal((200, 50)))
    factor, worth = found.own_factor()
    assert factor == pytest.approx(2, rel=0.05) and worth == 200
    noisy = replace(found, own=found.own + rng.standard_normal((200, 50)), own_noise=np.ones((200, 50)))
    assert noisy.own_factor()[0] == pytest.approx(2, rel=0.06)
    assert widening([found]).own_factor("unknown") == pytest.approx((4 + 200 * factor) / 204)


@given(st.floats(0.2, 6), st.floats(4.5, 40), st.integers(1, 12))
@settings(max_examples=8)
def test_what_the_mean_is_multiplied_by_has_the_tails_of_few_trials(factor, freedom, years):
    found = Widening((), np.empty(0), 1.0, np.array([1.0, factor]), np.array([90.0, freedom]), 3)
    uniform = (np.arange(20_000) + 0.5) / 20_000
    scale = found.common_scale(years, uniform)
    k, nu = (1.0, 90.0) if years == 1 else (factor, freedom)
    assert np.mean(scale**-2) == pytest.approx(1 / k, rel=0.01)  # chi-squared has its degrees of freedom as mean
    assert np.median(scale) < np.mean(scale)
    assert nu > 0 and (np.diff(scale) >= 0).all()


@pytest.fixture(scope="module")
def trend():
    return draw_trend(load_edition(), 400, 5)


def test_a_widened_trend_expects_the_same_and_spreads_further(trend):
    wide = widen(trend, default_widening())
    for part in trend.parts:
        j = trend.edition.spec.indicator_ids.index(part.indicator)
        plain, widened = (np.log1p(each.growth(j, [7, 9])) for each in (trend, wide))
        assert np.array_equal(wide.expected(j, [7, 9]), trend.expected(j, [7, 9]))
        assert (widened[1].std(axis=0) > 0.93 * plain[1].std(axis=0)).all()
        assert np.abs(np.median(widened, axis=1) - np.median(plain, axis=1)).max() < 0.05
        assert np.array_equal(wide.growth(j, [9], slice(100, 140))[0], wide.growth(j, [7, 9])[1, 100:140])
        assert not wide.growth(j, [0]).any()
    assert "multiplied by" in wide.notes[-1]


def test_factors_of_one_leave_a_trend_as_it_is(trend):
    none = Widening(("x",), np.ones(1), 1.0, np.ones(1), np.full(1, 1e9), 0)
    same = widen(trend, none)
    for j in range(len(trend.edition.spec.indicators)):
        assert np.allclose(same.growth(j, [8]), trend.growth(j, [8]), atol=1e-3)


def test_the_stored_factors_widen_the_mean_more_than_the_areas():
    found = default_widening()
    assert (found.common > 1.5).all() and len(found.common) == 10
    assert found.freedom[0] > found.freedom[-1] > 4
    assert all(0.8 < found.own_factor(name) < 1.8 for name in found.variable)
    assert len(found.rows()) == len(found.variable) + 1 + len(found.common)


# Health


def test_a_panel_that_was_cut_holds_nothing_later():
    whole = load_panel(load_edition(), find_outcome("healthy_life_expectancy_male"))
    past = cut(whole, 2014)
    assert past.year[-1] == past.exposure_year[-1] == 2014
    assert past.value.shape[1] == past.value_error.shape[1] == len(past.year)
    assert np.array_equal(past.at("access"), whole.at("access")[:, : len(past.year)], equal_nan=True)
    later = later_of(whole, 2013, 3)
    assert later.own >= 0 and (later.access_error > 0).all() and (later.noise > 0).all()
    assert np.isfinite(later.change).all()


def test_the_slope_of_later_changes_is_found_and_links_forecast_by_their_slope():
    rng = keyed_rng(8, "health")
    access = 0.3 + 0.5 * rng.standard_normal(400)
    change = -0.2 + 3.0 * access + 0.4 * rng.standard_normal(400)
    later = Later("o", "years", 2013, 3, 0 * access, change, np.full(400, 0.1), 0.06, access, np.zeros(400))
    slopes = {
        "none": np.zeros(500),
        "within": 3 + 0.2 * rng.standard_normal(500),
        "between": 7 + 0.2 * rng.standard_normal(500),
    }
    row = slope_row(later, slopes)
    assert row["later"] == pytest.approx(3, abs=0.12)
    assert (row["within_holds"], row["between_holds"]) == (True, False)
    assert row["mean_access"] == pytest.approx(100 * access.mean())
    bias = {one.rule: judge(one).error.mean() for one in as_forecasts(later, slopes, 1) if "mean" not in one.quantity}
    assert bias["none"] == pytest.approx(-change.mean(), abs=0.05)
    assert bias["between"] == pytest.approx(7 * access.mean() - change.mean(), abs=0.1)


# Stored results


def test_the_tables_tell_of_every_rule_and_year_ahead(checkout: Path):
    rows = read_backtest(checkout / "results", "horizons")
    long = {row["quantity"] for row in rows if row["horizon"] == "8"}
    assert long == {"economic_activity_rate", "unemployment_rate", "median_pay"}
    assert {row["rule"] for row in rows} == set(RULES)
    assert {int(row["horizon"]) for row in rows} == set(HORIZONS)
    assert all(row["coverage_90"] == "" for row in rows if row["rule"] in ("line", "last_figure"))


def test_the_headline_is_worked_out_from_the_tables(checkout: Path):
    rows = [
        {
            "quantity": row["quantity"],
            "rule": row["rule"],
            "horizon": int(row["horizon"]),
            "origins": int(row["origins"]),
            "coverage_90": float(row["coverage_90"] or "nan"),
        }
        for row in read_backtest(checkout / "results", "horizons")
    ]
    (told,) = (
        row
        for row in read_summary(checkout / "results")["scores"]
        if (row["quantity"], row["rule"]) == ("total", "trend")
    )
    used = [row for row in rows if (row["quantity"], row["rule"]) == ("total", "trend")]
    by_hand = np.average([row["coverage_90"] for row in used], weights=[row["origins"] for row in used])
    assert told["coverage_90"] == pytest.approx(by_hand)
    assert pooled(rows, "coverage_90", rule="trend", quantities={"total"}, furthest=4) == pytest.approx(by_hand)
    assert pooled(rows, "coverage_90", rule="nothing", quantities={"total"}, furthest=4) is None


def test_the_widened_spread_covers_better_than_the_trends_own(checkout: Path):
    scores = {(row["quantity"], row["rule"]): row for row in read_summary(checkout / "results")["scores"]}
    plain, wide = (scores["indicators", rule] for rule in ("trend", "trend_widened"))
    for name, aim in (("coverage_90", 0.9), ("coverage_90_of_mean", 0.9)):
        assert abs(wide[name] - aim) < abs(plain[name] - aim)
    assert 0.87 < wide["coverage_90"] < 0.93


def test_a_number_that_has_moved_is_found(checkout: Path):
    assert compare_backtest(checkout / "results", checkout / "results")[0] == []
    rows = read_backtest(checkout / "results", "worst")
    moved = [{**rows[0], "came": str(1.1 * float(rows[0]["came"]))}, *rows[1:]]
    (line,) = compare_rows("worst.csv", rows, moved)[0]
    assert line.startswith("worst.csv: row 1: came is")
    assert "rows" in compare_rows("worst.csv", rows, rows[1:])[0][0]
    assert compare_rows("x", [{"a": "word"}], [{"a": "other"}])[0]


def test_missing_results_say_what_to_do(tmp_path: Path):
    with pytest.raises(DataError, match="Run `gwm reproduce`"):
        read_backtest(tmp_path, TABLES[0])


def test_every_number_that_the_readme_tells_is_of_the_tables(checkout: Path):
    """The README may tell fewer sentences than there are, but no other number."""
    readme = " ".join((checkout / "README.md").read_text(encoding="utf-8").split())
    _, start, rest = readme.partition("- **Back-test.**")
    assert start, "README.md has no paragraph on the back-test"
    told, _, _ = rest.partition(" - **")
    sentences = [each for each in backtest_words(checkout / "results") if each in told]
    for each in sentences:
        told = told.replace(each, "")
    assert len(sentences) >= 3
    assert not re.search(r"\d", told.partition(" ## ")[0])


def test_the_words_tell_what_the_tables_have_for_six_to_eight_years(checkout: Path):
    told = next(each for each in backtest_words(checkout / "results") if "years ahead the widened" in each)
    rows = {(r["quantity"], r["rule"], r["horizon"]): r for r in read_backtest(checkout / "results", "horizons")}
    last = rows["unemployment_rate", "last_figure", "8"]
    trend = rows["unemployment_rate", "trend_widened", "8"]
    assert f"{float(trend['rmse']):.2f} against" in told and f"{float(last['rmse']):.2f}; pay" in told
    shares = [float(rows["economic_activity_rate", "trend_widened", h]["coverage_90_of_mean"]) for h in "678"]
    assert "activity " + ", ".join(f"{share:.0%}" for share in shares) in told
    assert ("no change did better for" in told) == (float(trend["rmse"]) > float(last["rmse"]))


@pytest.mark.slow
def test_a_fresh_back_test_agrees_with_the_stored_one(tmp_path: Path, checkout: Path):
    from gwm_models.report.backtest import write_backtest

    write_backtest(tmp_path)
    differences, cells = compare_backtest(checkout / "results", tmp_path)
    assert differences == [] and cells > 4000
