"""Published scores against scores recomputed from open figures, and the calibration behind them."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gwm_models.cli.index_reproduce import reproduce as command
from gwm_models.data.edition import load_edition
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError, ModelError
from gwm_models.index.calibration import by_unit, calibrate, fit_linear, points_per_unit
from gwm_models.index.conditions import load_conditions
from gwm_models.index.open_figures import choice_rows, indicator_rows
from gwm_models.index.reproduction import area_rows, independent_levels, reproduce
from gwm_models.index.scoring import score_index

app = typer.Typer()
app.command()(command)
WORDS = {"reproduced", "calibrated", "proxy", "unknown"}


@pytest.fixture(scope="module")
def monitor():
    return load_edition()


@pytest.fixture(scope="module")
def conditions():
    return load_conditions()


@pytest.fixture(scope="module")
def found(monitor):
    return reproduce(monitor)


def gwm_reproduce(*words):
    return CliRunner().invoke(app, [*words])


def the(ways, domain, start):
    [way] = [way for way in ways if way.domain == domain and way.basis.startswith(start)]
    return way


# Access


def test_all_46_areas_with_rates_published_elsewhere_match_to_the_printed_decimal(found):
    way = the(found, "access", "rates published elsewhere")
    assert (way.status, len(way.labels), way.to_row()["to_the_decimal"]) == ("reproduced", 46, 46)
    assert np.abs(way.difference).max() == pytest.approx(0.0493, abs=5e-5)
    assert np.isnan(way.estimate).sum() == 72


def test_survey_counts_not_rounded_correlate_above_0_9998_over_all_118_areas(found):
    way = the(found, "access", "rates from survey counts, not rounded")
    assert (way.status, len(way.labels)) == ("proxy", 118)
    assert way.correlation == pytest.approx(0.999893, abs=5e-7) and way.correlation > 0.9998
    assert way.std_error == pytest.approx(0.5376, abs=5e-5)
    assert way.to_row()["largest_at"] == "Redcar and Cleveland"
    assert way.to_row()["largest_difference"] == pytest.approx(-1.601, abs=5e-4)


def test_survey_counts_rounded_to_the_decimal_match_76_of_118_exactly(found):
    way = the(found, "access", "rates from survey counts, rounded")
    assert way.correlation == pytest.approx(0.999854, abs=5e-7)
    assert way.to_row()["to_the_decimal"] == 76 and way.status == "proxy"


def test_the_counts_alone_give_the_bounds_so_scoring_by_them_uses_no_published_score(monitor):
    levels = independent_levels(monitor)
    for j, indicator in enumerate(monitor.spec.indicators[:2]):
        assert indicator.bounds == (round(levels[:, j].min(), 1), round(levels[:, j].max(), 1))


def test_no_rate_that_was_inferred_from_a_score_is_used_anywhere(monitor, found):
    table = read_table("access_domain_reproduction")
    inferred = {row["area_code"] for row in table.rows() if row["basis_1dp"].startswith("decoded")}
    assert len(inferred) == 72
    rows = [row for row in area_rows(monitor, found) if row["domain"] == "access"]
    assert {row["area_code"] for row in rows if row["status"] == "proxy"} == inferred
    assert {row["basis"] for row in rows if row["area_code"] in inferred} == {"rates from survey counts, not rounded"}
    assert np.array_equal(independent_levels(monitor)[:, 2:], monitor.values[:, 2:], equal_nan=True)


# Status and pay


def test_status_and_pay_are_calibrated_with_their_error_stated(found):
    status, pay = the(found, "status", "regression"), the(found, "pay", "regression")
    assert (status.status, status.n_open, status.n_indicators) == ("calibrated", 2, 2)
    assert (pay.status, pay.n_open, pay.n_indicators) == ("calibrated", 1, 2)
    assert status.correlation == pytest.approx(0.9559, abs=5e-5) and status.std_error == pytest.approx(12.23, abs=5e-3)
    assert pay.correlation == pytest.approx(0.5823, abs=5e-5) and pay.std_error == pytest.approx(23.64, abs=5e-3)
    assert len(status.labels) == len(pay.labels) == 117


def test_the_range_of_the_open_figures_with_nothing_fitted_does_as_well_for_status(found):
    way = the(found, "status", "range")
    assert way.status == "proxy"
    assert way.correlation == pytest.approx(0.9580, abs=5e-5) and way.std_error == pytest.approx(11.95, abs=5e-3)
    assert not [one for one in found if one.domain == "pay" and one.basis.startswith("range")]


def test_no_score_helps_to_recompute_itself(monitor):
    before = the(reproduce(monitor), "status", "regression").estimate
    scores = np.array(monitor.domain_scores)
    place = monitor.areas.name.index("Gloucestershire")
    scores[place, 1] += 100
    after = the(reproduce(replace(monitor, domain_scores=scores)), "status", "regression").estimate
    assert after[place] == pytest.approx(before[place], abs=1e-9)
    assert np.abs(after - before).max() > 0.5


def test_leaving_each_unit_out_equals_fitting_again_without_it(monitor):
    _, weights = monitor.areas.units()
    y, x = by_unit(monitor.domain_scores[:, 1], weights), by_unit(monitor.values[:, [2, 3]], weights)
    left_out = calibrate(monitor, 1, monitor.values[:, [2, 3]]).left_out
    for i in (0, 50, 116):
        kept = np.arange(len(y)) != i
        coef = np.linalg.lstsq(np.column_stack([np.ones(kept.sum()), x[kept]]), y[kept], rcond=None)[0]
        assert left_out[i] == pytest.approx(coef @ [1, *x[i]], abs=1e-8)


def test_intervals_hold_about_as_many_published_scores_as_they_say(found):
    for way in (
        the(found, "status", "regression"),
        the(found, "pay", "regression"),
        the(found, "total", "sum of the r"),
    ):
        assert 0.92 <= way.to_row()["covered"] <= 0.99
        assert way.to_row(level=0.5)["covered"] < 0.7


def test_the_two_areas_of_one_unit_have_one_estimate_and_count_once(monitor, found):
    way = the(found, "pay", "regression")
    first, second = (monitor.areas.name.index(name) for name in ("Bournemouth", "Poole"))
    assert way.estimate[first] == way.estimate[second] and way.published[first] != way.published[second]
    assert len(way.estimate) == 118 and len(way.labels) == 117


# Totals and rows


def test_all_printed_totals_of_the_monitor_are_the_sums_of_their_domains(found):
    way = the(found, "total", "sum of the printed")
    assert way.status == "reproduced" and np.abs(way.difference).max() <= 0.1 + 1e-9
    assert the(found, "total", "sum of the recomputed").status == "calibrated"


def test_every_area_and_domain_has_a_row_with_one_of_four_words(monitor, conditions, found):
    rows = area_rows(monitor, found)
    assert len(rows) == 118 * 4 and {row["status"] for row in rows} == {"reproduced", "calibrated", "proxy"}
    for row in rows:
        assert row["difference"] == pytest.approx(row["published"] - row["estimate"])
        assert row["lower"] < row["estimate"] < row["upper"]
        assert (row["status"] == "reproduced") <= (abs(row["difference"]) <= 0.05 + 1e-9)
    other = area_rows(conditions, reproduce(conditions))
    assert len(other) == 118 * 5 and {row["status"] for row in other} == {"proxy", "unknown"}
    assert sum(row["status"] == "unknown" for row in other) == 3 + 3 + 23 + 26
    assert all(np.isnan(row["estimate"]) == (row["status"] == "unknown") for row in other)


def test_a_domain_fitted_to_published_scores_is_never_called_reproduced(monitor, conditions):
    for edition in (monitor, conditions):
        for way in reproduce(edition):
            assert way.status in WORDS
            assert way.status != "reproduced" or not way.basis.startswith("regression")
    perfect = np.array(monitor.domain_scores)
    perfect[:, 2] = 10 + 0.1 * monitor.values[:, 4]
    way = the(reproduce(replace(monitor, domain_scores=perfect)), "pay", "regression")
    assert way.std_error < 1e-8 and way.status == "calibrated"


def test_an_edition_scored_from_its_own_levels_is_reproduced_exactly(monitor):
    spec = monitor.spec
    bounds = [(np.nanmin(column), np.nanmax(column)) for column in monitor.values[:, :5].T]
    stated = tuple(
        replace(one, bounds_status="stated", low=low, high=high, values={})
        for one, (low, high) in zip(spec.indicators, bounds, strict=False)
    )
    spec = replace(spec, indicators=stated)
    made = score_index(spec, monitor.values[:, :5])
    edition = replace(monitor, spec=spec, values=monitor.values[:, :5], domain_scores=made.domain, total=made.total)
    assert {way.status for way in reproduce(edition)} == {"reproduced"}


def test_an_edition_that_nobody_published_cannot_be_reproduced():
    with pytest.raises(DataError, match="The scores of open-2019 are computed here, not published"):
        reproduce(load_edition("open-2019"))


# Conditions


def test_each_open_figure_of_the_conditions_stands_beside_its_published_domain(conditions):
    rows = {(row["indicator"], row["figure"]): row for row in indicator_rows(conditions)}
    found = {name: (round(row["correlation"], 2), row["n"], row["sign"]) for (_, name), row in rows.items() if row["n"]}
    assert found == {
        "gva_per_head_current": (0.79, 117, "as expected"),
        "gdhi_per_head": (0.52, 115, "as expected"),
        "gva_growth_2014_16": (0.32, 117, "as expected"),
        "gva_per_filled_job": (0.76, 94, "as expected"),
        "business_births_per_100k": (0.63, 115, "as expected"),
        "industry_hhi_9groups_residents": (-0.16, 117, "not clear"),
        "gcse_english_maths_by_age_19": (0.75, 115, "as expected"),
        "nvq4plus_share_16_64": (0.84, 117, "as expected"),
        "imd2019_rank_sd": (-0.56, 117, "as expected"),
        "imd2019_rank_iqr": (-0.54, 117, "as expected"),
        "imd2019_rank_p80_p20_ratio": (0.05, 117, "not clear"),
    }
    empty = [row for row in rows.values() if not row["n"]]
    assert len(empty) == 4 and {(row["status"], row["figure"]) for row in empty} == {("unknown", "no open figure")}
    assert rows["industry_concentration", "industry_hhi_9groups_residents"]["nearest_domain"] == "prosperity"


def test_the_conditions_reproduce_nothing_and_say_so(conditions):
    ways = reproduce(conditions)
    assert {way.status for way in ways} == {"proxy", "unknown"}
    printed = the(ways, "total", "sum of the printed")
    assert printed.status == "unknown"
    assert (round(printed.difference.mean(), 2), round(printed.difference.max(), 1)) == (8.85, 42.0)
    found = {way.domain: (round(way.correlation, 3), len(way.labels)) for way in ways if way.basis.startswith("regr")}
    assert found == {
        "prosperity": (0.796, 94),
        "demand": (0.6, 115),
        "education": (0.879, 115),
        "inequality": (0.534, 117),
    }


def test_a_correlation_and_its_interval_are_fishers(monitor):
    pay = next(row for row in indicator_rows(monitor) if row["indicator"] == "median_pay")
    _, weights = monitor.areas.units()
    r = np.corrcoef(weights @ monitor.values[:, 4], weights @ monitor.domain_scores[:, 2])[0, 1]
    assert pay["correlation"] == pytest.approx(r) and round(r, 1) == 0.6
    half = 1.959964 / np.sqrt(117 - 3)
    assert (pay["lower"], pay["upper"]) == pytest.approx((np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)))


# The calibration, where the answer is known


def test_the_calibration_finds_the_exact_points_of_the_access_domain_from_calendar_years(monitor):
    used = {row["indicator"]: row for row in choice_rows(monitor) if row["used"]}
    activity, unemployment = used["economic_activity_rate"], used["unemployment_rate"]
    assert activity["exact"] == pytest.approx(99 / 19.3) and unemployment["exact"] == pytest.approx(-99 / 8.1)
    assert (activity["estimate"], unemployment["estimate"]) == pytest.approx((5.096, -12.091), abs=5e-4)
    for row in (activity, unemployment):
        assert abs(row["estimate"] - row["exact"]) < 0.25 * row["std_error"]
    points = points_per_unit(monitor)
    for j in (2, 3, 4):
        assert used[monitor.spec.indicator_ids[j]]["estimate"] == pytest.approx(points.estimate[j])
        assert used[monitor.spec.indicator_ids[j]]["std_error"] == pytest.approx(points.std_error[j])


def test_a_correction_for_survey_error_would_miss_the_known_answer_by_far(monitor):
    rows = [row for row in choice_rows(monitor) if "corrected" in row["choice"] and row["domain"] == "access"]
    assert [round(row["estimate"], 1) for row in rows] == [2.3, -22.9]
    assert not any(row["used"] for row in rows)


def test_what_the_mix_misses_is_uncorrelated_with_either_calendar_year_only_at_a_quarter():
    own = np.array([0, 0, 0, 1, 1, 1, 1, 0]) / 4  # October 2017 to September 2018, in quarters of 2017 and 2018
    years = np.repeat(np.eye(2), 4, axis=1) / 4
    for weight in (0, 0.25, 0.5, 0.75, 1):
        missed = own - np.array([weight, 1 - weight]) @ years
        assert (np.abs(years @ missed).max() < 1e-15) == (weight == 0.25)


@pytest.mark.slow
def test_least_squares_on_the_mix_recovers_the_slope_and_its_error_in_simulation():
    rng = np.random.default_rng(1)
    slopes, errors = [], []
    for _ in range(2000):
        quarters = rng.normal(78, 4, (117, 1)) + rng.normal(0, 3, (117, 8))
        score = 5.13 * quarters[:, 3:7].mean(axis=1) + rng.normal(0, 5, 117)
        mix = 0.25 * quarters[:, :4].mean(axis=1) + 0.75 * quarters[:, 4:].mean(axis=1)
        fit = fit_linear(score, mix[:, None])
        slopes.append(fit.coef[1])
        errors.append(np.sqrt(fit.cov[1, 1]))
    assert np.mean(slopes) == pytest.approx(5.13, abs=4 * np.std(slopes) / np.sqrt(2000))
    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.06)
    covered = np.abs(np.array(slopes) - 5.13) < 1.98 * np.array(errors)
    assert covered.mean() == pytest.approx(0.95, abs=0.02)


def test_a_line_equals_statsmodels_in_slopes_and_robust_errors():
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 2)) * [1, 1000] + [0, 5000]
    y = 3 + x @ [2, 0.01] + rng.normal(size=40) * (1 + np.abs(x[:, 0]))
    x[4, 0], y[9] = np.nan, np.nan
    kept = np.isfinite(x).all(axis=1) & np.isfinite(y)
    reference = OLS(y[kept], np.column_stack([np.ones(38), x[kept]])).fit(cov_type="HC3")
    fit = fit_linear(y, x)
    assert fit.n == 38 and fit.r_squared == pytest.approx(reference.rsquared)
    assert fit.coef == pytest.approx(reference.params, rel=1e-9)
    assert fit.cov == pytest.approx(reference.cov_params(), rel=1e-7)
    assert np.isnan(fit.left_out[4]) and fit.left_out[9] == pytest.approx(reference.params @ [1, *x[9]])


@given(st.floats(0.01, 100), st.floats(-1000, 1000))
def test_a_change_of_unit_changes_the_points_and_not_the_predictions(scale, shift):
    x = np.array([[1.0], [2], [4], [7], [11]])
    y = np.array([2.0, 3, 7, 8, 15])
    first, second = fit_linear(y, x), fit_linear(y, scale * x + shift)
    assert second.coef[1] * scale == pytest.approx(first.coef[1], rel=1e-6)
    assert second.left_out == pytest.approx(first.left_out, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0], [1], [1], [1]], "A figure is the same everywhere"),
        ([[1.0, 2], [2, 4], [3, 6], [5, 10]], "repeats another"),
        ([[1.0], [np.nan], [np.nan], [np.nan]], "1 complete rows are too few for 2 coefficients"),
    ],
)
def test_a_regression_without_one_answer_is_refused(x, message):
    with pytest.raises(ModelError, match=message):
        fit_linear(np.arange(4.0), np.array(x))


# The command


def test_the_command_prints_four_tables_with_units_period_and_what_is_missing():
    text = gwm_reproduce("--area", "Poole").stdout
    titles = [line for line in text.splitlines() if line.startswith("Good Work Monitor, January 2021: ")]
    assert titles[0] == (
        "Good Work Monitor, January 2021: published against recomputed, score points. Figures of 2018 (activity and "
        "unemployment: October 2017 to September 2018). No open figures: satisfactory_hours."
    )
    assert len(titles) == 4
    for title, words in zip(titles[1:], ("by area, score points", "each open figure", "points per unit"), strict=True):
        assert words in title and title.endswith("No open figures: satisfactory_hours.")
    assert text.count("Poole") == 4
    assert "choices" not in gwm_reproduce("--index", "conditions", "--area", "Poole").stdout


def test_the_command_writes_areas_as_csv_and_all_tables_as_json():
    rows = list(csv.DictReader(io.StringIO(gwm_reproduce("--format", "csv").stdout)))
    assert len(rows) == 472 and {row["status"] for row in rows} == {"reproduced", "calibrated", "proxy"}
    assert list(rows[0])[:10] == [
        *("area_code", "area_name", "domain", "status", "published", "estimate", "std_error", "lower", "upper", "level")
    ]
    tables = json.loads(gwm_reproduce("--format", "json").stdout)
    assert list(tables) == ["domains", "areas", "indicators", "choices"]
    assert {row["status"] for row in tables["domains"]} <= WORDS
    only = json.loads(gwm_reproduce("--format", "json", "--show", "domains").stdout)
    assert only == tables["domains"]


# What cannot be done


def test_a_slope_of_the_wrong_sign_is_refused(monitor):
    pay = replace(monitor.spec.indicators[4], direction=-1)
    spec = replace(monitor.spec, indicators=(*monitor.spec.indicators[:4], pay, monitor.spec.indicators[5]))
    with pytest.raises(ModelError, match=r"'median_pay' is calibrated to 0.4 points a unit: the wrong sign"):
        points_per_unit(replace(monitor, spec=spec))


def test_a_domain_without_open_figures_is_unknown_everywhere(monitor):
    values = np.array(monitor.values)
    values[:, 4] = np.nan
    edition = replace(monitor, values=values)
    ways = reproduce(edition)
    pay = the(ways, "pay", "no open figures")
    assert (pay.status, pay.n_open, len(pay.labels)) == ("unknown", 0, 0)
    assert the(ways, "total", "sum of the recomputed").status == "unknown"
    rows = [row for row in area_rows(edition, ways) if row["domain"] in ("pay", "total")]
    assert {(row["status"], row["basis"]) for row in rows} == {("unknown", "open figures are missing")}
