"""Interrupted time series: worked by hand, against statsmodels, counts, controls, refusals, coverage."""

import json

import numpy as np
import pytest
import statsmodels.api as sm
from binomial_band import may_be_within
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.interrupted import interrupted_series
from gwm_models.evaluation.series_fit import ar1_errors, fit_series, newey_west
from gwm_models.evaluation.series_mixture import Mixture, over_autocorrelations
from gwm_models.evaluation.series_time import positions, season_columns

SERIES = {"time": "month", "outcome": "rate"}


def months(n, first=2010):
    return [f"{first + t // 12}-{t % 12 + 1:02d}" for t in range(n)]


def series(values, **more):
    return {"month": months(len(values)), "rate": [float(v) for v in values], **more}


def ar1(rng, n, rho):
    error = np.empty(n)
    error[0] = rng.normal() / np.sqrt(1 - rho**2)
    for t in range(1, n):
        error[t] = rho * error[t - 1] + rng.normal()
    return error


def lines(n, start):
    t = np.arange(n) - start
    return np.column_stack([np.ones(n), t, t >= 0, t * (t >= 0)]).astype(float)


def test_a_broken_line_without_noise_is_read_off():
    t = np.arange(24)
    found = interrupted_series(series(5 + 2 * t + (t >= 16) * (3 + 0.5 * (t - 16))), **SERIES, start="2011-05")
    # Eight times from the start on: 3, 3.5, ..., 6.5.
    assert found.att == pytest.approx(4.75, abs=1e-8)
    assert found.terms[0]["estimate"] == pytest.approx(3.0, abs=1e-8)
    assert found.terms[1]["estimate"] == pytest.approx(0.5, abs=1e-8)
    assert found.terms[2]["estimate"] == pytest.approx(38.0, abs=1e-8)
    assert found.path[20].counterfactual == pytest.approx(45.0, abs=1e-8)
    assert found.start == "2011-05"


@pytest.mark.parametrize("errors", ["ar1", "newey_west", "independent"])
def test_a_line_without_noise_and_without_a_change_finds_none(errors):
    found = interrupted_series(series(10 + 0.1 * np.arange(60)), **SERIES, start="2013-05", errors=errors)
    assert found.p_value is None and found.lower == found.upper
    assert not found.valid
    assert "fit without any error" in found.valid_why


def test_coefficients_and_newey_west_errors_equal_those_of_statsmodels():
    rng = np.random.default_rng(1)
    design, outcome = lines(60, 40), ar1(rng, 60, 0.5)
    fit = fit_series(outcome, design)
    theirs = sm.OLS(outcome, design).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": True})
    assert fit.coef == pytest.approx(theirs.params, abs=1e-8)
    assert newey_west(fit, np.arange(60), 4).cov == pytest.approx(theirs.cov_params(), abs=1e-8)


def test_counts_equal_those_of_statsmodels():
    rng = np.random.default_rng(2)
    design, people = lines(80, 50), np.full(80, 2e5)
    design[:, 1] /= 10
    design[:, 3] /= 10
    mean = people * np.exp(design @ [-7.5, 0.05, -0.2, 0.02])
    outcome = rng.poisson(mean * rng.gamma(8, 1 / 8, 80)).astype(float)
    offset = np.log(people)
    fit = fit_series(outcome, design, "poisson", offset)
    model = sm.GLM(outcome, design, family=sm.families.Poisson(), offset=offset)
    theirs = model.fit(scale="X2", tol=1e-13)
    assert fit.coef == pytest.approx(theirs.params, abs=1e-8)
    assert fit.dispersion == pytest.approx(theirs.scale, abs=1e-7)
    assert fit.dispersion * fit.bread == pytest.approx(theirs.cov_params(), abs=1e-8)
    robust = model.fit(cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}, tol=1e-13)
    assert newey_west(fit, np.arange(80), 3).cov == pytest.approx(robust.cov_params(), abs=1e-8)
    both = fit_series(outcome, design, "negative_binomial", offset)
    start = [*fit.coef, 0.1]
    nb = sm.NegativeBinomial(outcome, design, offset=offset).fit(start, disp=0, maxiter=500, method="newton")
    assert both.coef == pytest.approx(nb.params[:4], abs=1e-4)
    assert both.alpha == pytest.approx(nb.params[4], rel=1e-3)


def test_counts_that_vary_less_than_poisson_have_no_alpha():
    outcome = np.tile([50.0, 51.0, 49.0, 50.0], 10)
    assert fit_series(outcome, lines(40, 25), "negative_binomial").alpha == 0.0


def test_the_effect_on_counts_is_observed_less_expected_by_hand():
    # 100 a month, then 80: a rate ratio of 0.8 and 20 fewer a month, whatever the population is called.
    counts = np.repeat([100.0, 80.0], [20, 10]) + np.tile([1.0, -1.0], 15)
    found = interrupted_series(series(counts), **SERIES, start="2011-09", family="poisson", change="level")
    fit = sm.GLM(counts, lines(30, 20)[:, :3], family=sm.families.Poisson()).fit(tol=1e-12)
    without = np.exp(lines(30, 20)[20:, :2] @ fit.params[:2])
    assert found.att == pytest.approx((fit.fittedvalues[20:] - without).mean(), abs=1e-8)
    assert found.terms[0]["estimate"] == pytest.approx(np.exp(fit.params[2]), abs=1e-8)


def test_the_error_of_an_effect_on_counts_is_that_of_the_delta_method():
    rng = np.random.default_rng(3)
    counts = rng.poisson(60, 60).astype(float)
    found = interrupted_series(series(counts), **SERIES, start="2013-05", family="poisson", errors="newey_west", lags=0)
    design = lines(60, 40)
    fit = sm.GLM(counts, design, family=sm.families.Poisson()).fit(
        cov_type="HAC", cov_kwds={"maxlags": 0, "use_correction": True}, tol=1e-13
    )

    def mean_effect(coef):
        gone = coef * [1, 1, 0, 0]
        return (np.exp(design[40:] @ coef) - np.exp(design[40:] @ gone)).mean()

    step = 1e-6
    slope = [(mean_effect(fit.params + step * e) - mean_effect(fit.params - step * e)) / (2 * step) for e in np.eye(4)]
    assert found.att == pytest.approx(mean_effect(fit.params), abs=1e-8)
    assert found.std_error == pytest.approx(np.sqrt(slope @ fit.cov_params() @ slope), rel=1e-6)


def test_a_control_takes_off_what_happened_to_both():
    rng = np.random.default_rng(4)
    t = np.arange(48)
    shock = 4.0 * (t >= 30)
    mine, other = (t * 0.1 + shock + 0.1 * rng.normal(size=48) for _ in range(2))
    panel = {"u": ["a"] * 48 + ["b"] * 48, "month": months(48) * 2, "rate": [*(mine + 1.0 * (t >= 30)), *other]}
    alone = interrupted_series(panel, **SERIES, unit="u", treated="a", start="2012-07")
    beside = interrupted_series(panel, **SERIES, unit="u", treated="a", controls=["b"], start="2012-07")
    assert alone.att == pytest.approx(5.0, abs=0.3)
    assert beside.att == pytest.approx(1.0, abs=0.3)
    each = [interrupted_series(series(v), **SERIES, start="2012-07").att for v in (mine + (t >= 30), other)]
    assert beside.att == pytest.approx(each[0] - each[1], abs=1e-8)


def test_seasons_are_taken_out_by_dummies_or_waves():
    t = np.arange(72)
    value = 3 * np.cos(2 * np.pi * t / 12) + 2.0 * (t >= 48)
    for seasonality in ("dummies", "fourier"):
        found = interrupted_series(series(value), **SERIES, start="2014-01", seasonality=seasonality, change="level")
        assert found.att == pytest.approx(2.0, abs=1e-8)
    rough = interrupted_series(series(value), **SERIES, start="2014-01", change="level")
    assert abs(rough.att - 2) > 1e-3


def test_several_units_are_averaged_and_their_counts_added_up():
    rng = np.random.default_rng(5)
    a, b = rng.poisson(40, 30), rng.poisson(60, 30)
    panel = {"u": ["a"] * 30 + ["b"] * 30, "month": months(30) * 2, "rate": [*map(float, a), *map(float, b)]}
    both = interrupted_series(panel, **SERIES, unit="u", treated=["a", "b"], start="2011-09", family="poisson")
    sums = interrupted_series(series(a + b), **SERIES, start="2011-09", family="poisson")
    means = interrupted_series(panel, **SERIES, unit="u", treated=["a", "b"], start="2011-09")
    assert both.att == pytest.approx(sums.att, abs=1e-8)
    mean = interrupted_series(series((a + b) / 2), **SERIES, start="2011-09")
    assert means.att == pytest.approx(mean.att, abs=1e-8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-20, 20), st.floats(-2, 2), st.floats(0.1, 9))
def test_a_line_added_changes_nothing_and_scale_carries_over(seed, level, slope, scale):
    value = ar1(np.random.default_rng(seed), 40, 0.3)
    one = interrupted_series(series(value), **SERIES, start="2012-03")
    two = interrupted_series(series(scale * value + level + slope * np.arange(40)), **SERIES, start="2012-03")
    assert two.att == pytest.approx(scale * one.att, abs=1e-6)
    assert two.std_error == pytest.approx(scale * one.std_error, rel=1e-5)


def test_the_autocorrelation_is_not_the_one_of_the_residuals_but_larger():
    rng, found, plain = np.random.default_rng(6), [], []
    for _ in range(150):
        fit = fit_series(ar1(rng, 60, 0.5), lines(60, 36))
        found.append(ar1_errors(fit, np.arange(60), np.zeros(60, dtype=int)).autocorrelation)
        plain.append(fit.residual[1:] @ fit.residual[:-1] / (fit.residual @ fit.residual))
    assert np.mean(plain) < 0.42
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_the_ar1_error_is_the_sandwich_with_that_correlation():
    fit = fit_series(ar1(np.random.default_rng(7), 50, 0.4), lines(50, 30))
    found = ar1_errors(fit, np.arange(50), np.zeros(50, dtype=int))
    apart = np.abs(np.subtract.outer(np.arange(50), np.arange(50)))
    cov = found.autocorrelation**apart
    x = fit.white
    to_coef = np.linalg.inv(x.T @ x) @ x.T
    maker = np.eye(50) - x @ to_coef
    size = (fit.residual @ fit.residual) / np.trace(maker @ cov @ maker)
    assert found.cov == pytest.approx(size * to_coef @ cov @ to_coef.T, rel=1e-8)


def test_the_mixture_weighs_autocorrelations_by_the_density_of_what_the_fit_leaves_over():
    """The restricted likelihood is the density of n - p contrasts of the series that do not depend on the lines."""
    rng, n = np.random.default_rng(3), 24
    place = np.delete(np.arange(n + 2), [5, 6])
    fit = fit_series(ar1(rng, n, 0.5), lines(n, 14))
    found = over_autocorrelations(fit, place, np.zeros(n, dtype=int))
    left = np.linalg.svd(fit.white)[0][:, 4:].T
    density = []
    for rho in 1 - np.geomspace(1.6, 0.01, 40):
        apart = np.abs(place[:, None] - place)
        cov = left @ (np.sign(rho) ** apart * np.abs(rho) ** apart / 1.0) @ left.T
        own = left @ fit.residual
        density.append(-0.5 * np.linalg.slogdet(cov)[1] - 0.5 * (n - 4) * np.log(own @ np.linalg.solve(cov, own)))
    share = np.exp(np.array(density) - max(density))
    assert found.share == pytest.approx(share / share.sum(), abs=1e-9)


def test_a_mixture_of_one_is_students_t_and_of_two_lies_between():
    covs = np.array([[[1.0]], [[9.0]]])
    one, both = Mixture(np.ones(1), covs[:1], 12, np.zeros(1)), Mixture(np.full(2, 0.5), covs, 12, np.zeros(2))
    gradient = np.ones((1, 1))
    assert one.reach(gradient, 0.95)[0] == pytest.approx(student.isf(0.025, 12))
    assert one.p_value(1.5, gradient[0]) == pytest.approx(2 * student.sf(1.5, 12))
    assert both.p_value(1.5, gradient[0]) == pytest.approx(student.sf(1.5, 12) + student.sf(0.5, 12))
    reach = both.reach(gradient, 0.95)[0]
    assert both.p_value(reach, gradient[0]) == pytest.approx(0.05)
    assert np.isnan(Mixture(np.ones(1), np.zeros((1, 1, 1)), 12, np.zeros(1)).p_value(1.0, gradient[0]))


def test_the_highest_autocorrelation_is_where_nine_tenths_of_the_weight_are_reached():
    covs, rho = np.ones((4, 1, 1)), np.array([-0.2, 0.1, 0.4, 0.8])
    assert Mixture(np.array([0.5, 0.35, 0.05, 0.1]), covs, 9, rho).highest == 0.4
    assert Mixture(np.array([0.5, 0.3, 0.05, 0.15]), covs, 9, rho).highest == 0.8


def test_a_series_that_may_be_wandering_is_not_offered():
    value = np.random.default_rng(12).normal(size=60).cumsum()
    found = interrupted_series(series(value), **SERIES, start="2013-05")
    assert found.check("placebo_start").verdict == "pass"
    assert not found.valid
    assert "60 times do not tell from a level that wanders" in found.valid_why


def test_times_are_read_as_months_quarters_days_years_or_windows():
    assert positions(["2019-11", "2020-02"]).tolist() == [0, 1]
    assert positions(["2019-11", "2019-12", "2020-03"]).tolist() == [0, 1, 4]
    assert positions(["2019-Q4", "2020-Q1", "2020-Q3"]).tolist() == [0, 1, 3]
    assert positions(["2020-01-06", "2020-01-13", "2020-01-27"]).tolist() == [0, 1, 3]
    assert positions(["2009/10", "2010/11", "2012/13"]).tolist() == [0, 1, 3]
    assert positions(["2016-18", "2017-19", "2019-21"]).tolist() == [0, 1, 3]
    assert positions([1.5, 2.5, 9.5]).tolist() == [0, 1, 2]


def test_a_month_that_is_missing_does_not_move_the_seasons():
    t = np.delete(np.arange(60), [7, 20])
    value = 2 * np.sin(2 * np.pi * t / 12) + 1.0 * (t >= 40)
    panel = {"month": [months(60)[k] for k in t], "rate": value.tolist()}
    found = interrupted_series(panel, **SERIES, start="2013-05", seasonality="dummies", change="level")
    assert found.att == pytest.approx(1.0, abs=1e-8)


def test_seasons_of_half_a_cycle_have_no_sine():
    columns = season_columns(np.arange(8), "fourier", 4, 2)
    assert columns.shape == (8, 3)
    assert columns[:, 0] == pytest.approx([1, 0, -1, 0] * 2, abs=1e-12)


def test_a_bend_before_the_start_takes_the_offer_back():
    t = np.arange(80)
    value = np.where(t < 25, 0.0, 0.5 * (t - 25)) + 0.3 * np.random.default_rng(8).normal(size=80)
    found = interrupted_series(series(value), **SERIES, start="2014-03")
    assert found.check("placebo_start").verdict == "fail"
    assert not found.valid


def test_a_short_series_is_estimated_but_its_interval_is_not_offered():
    value = np.random.default_rng(9).normal(size=20)
    found = interrupted_series(series(value), **SERIES, start="2011-03")
    assert np.isfinite([found.att, found.lower, found.upper]).all()
    assert not found.valid
    assert "too few to see whether straight lines" in found.valid_why


def test_a_series_that_is_what_the_model_says_is_offered():
    value = np.random.default_rng(19).normal(size=60)
    assert interrupted_series(series(value), **SERIES, start="2013-05").valid


def test_errors_for_independent_counts_are_those_of_quasi_poisson():
    rng = np.random.default_rng(4)
    people, season = np.linspace(3.6e5, 3.9e5, 59), np.arange(59) * 2 * np.pi / 12
    after = (np.arange(59) >= 36).astype(float)
    mean = people * np.exp(-6.2 + 0.005 * np.arange(59) - 0.11 * after + 0.05 * np.cos(season))
    counts = rng.poisson(mean * rng.gamma(600, 1 / 600, 59))
    options = {"family": "poisson", "change": "level", "population": "people", "seasonality": "fourier"}
    panel = series(counts, people=people.tolist())
    found = interrupted_series(panel, **SERIES, start="2013-01", errors="independent", **options)
    waves = [wave(season * k) for k in (1, 2) for wave in (np.cos, np.sin)]
    design = np.column_stack([np.ones(59), np.arange(59), after, *waves])
    model = sm.GLM(counts, design, family=sm.families.Poisson(), offset=np.log(people)).fit(scale="X2")
    row = next(row for row in found.rows() if row["term"] == "rate ratio of level")
    assert row["estimate"] == pytest.approx(np.exp(model.params[2]), rel=1e-8)
    assert row["std_error"] == pytest.approx(np.exp(model.params[2]) * model.bse[2], rel=1e-8)
    assert found.check("dispersion").value == pytest.approx(model.scale)


def test_independent_errors_are_offered_where_none_is_seen_to_follow_another():
    rng = np.random.default_rng(6)
    steady, slow = (series(ar1(rng, 80, rho) + 0.05 * np.arange(80)) for rho in (0.0, 0.35))
    offered, not_offered = (
        interrupted_series(x, **SERIES, start="2014-01", errors="independent") for x in (steady, slow)
    )
    assert offered.valid
    assert not not_offered.valid
    assert "autocorrelation of 0.4" in not_offered.valid_why or "autocorrelation of 0.3" in not_offered.valid_why
    short = {name: column[:60] for name, column in steady.items()}
    assert (
        "60 times are too few" in interrupted_series(short, **SERIES, start="2012-06", errors="independent").valid_why
    )


def test_newey_west_is_offered_for_long_series_only():
    value = np.random.default_rng(19).normal(size=60)
    found = interrupted_series(series(value), **SERIES, start="2013-05", errors="newey_west")
    assert not found.valid
    assert "too narrow" in found.valid_why


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"start": "2031-01"}, ModelError, "after the last time"),
        ({"start": "2010-03"}, ModelError, "2 times before the start"),
        ({"start": "2012-06"}, ModelError, "1 from it on"),
        ({"family": "binomial"}, ValueError, "family must be one of"),
        ({"seasonality": "fourier", "period": 20}, ModelError, "two cycles"),
        ({"population": "people"}, DataError, "no column 'people'"),
        ({"family": "poisson"}, DataError, "negative figure"),
        ({"level": 1.2}, ValueError, "level must lie"),
        ({"errors": "robust"}, ValueError, "errors must be one of"),
        ({"model": "structural", "family": "poisson"}, DataError, "negative figure"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, error, text):
    value = np.random.default_rng(10).normal(size=30)
    with pytest.raises(error, match=text):
        interrupted_series(series(value), **SERIES, **({"start": "2011-09"} | change))


def test_a_constant_a_unit_on_both_sides_and_a_population_of_zero_are_refused():
    with pytest.raises(ModelError, match="the same at every time"):
        interrupted_series(series(np.ones(30)), **SERIES, start="2011-09")
    panel = {"u": ["a"] * 30 + ["b"] * 30, "month": months(30) * 2, "rate": [*range(30), *range(30)]}
    with pytest.raises(DataError, match="both treated and a control"):
        interrupted_series(panel, **SERIES, unit="u", treated="a", controls=["a"], start="2011-09")
    with pytest.raises(DataError, match="name the treated one"):
        interrupted_series(panel, **SERIES, unit="u", start="2011-09")
    with pytest.raises(DataError, match="must be positive"):
        interrupted_series(
            series(range(30), people=[0.0] * 30), **SERIES, start="2011-09", family="poisson", population="people"
        )


def test_counts_without_an_event_on_one_side_are_refused():
    with pytest.raises(ModelError, match="no event on one side"):
        interrupted_series(series([3.0, 5.0] * 10 + [0.0] * 10), **SERIES, start="2011-09", family="poisson")


def test_counts_that_are_not_whole_are_refused():
    panel = series([3.0, 5.5] * 15)
    with pytest.raises(DataError, match=r"not whole, such as 5\.5, so it is not a count\. Give the counts"):
        interrupted_series(panel, **SERIES, start="2011-09", family="negative_binomial")


def test_gaps_are_left_out_and_named_and_the_result_is_ready_for_json():
    value = np.random.default_rng(11).normal(size=40)
    value[[5, 33]] = np.nan
    found = interrupted_series(series(value), **SERIES, start="2012-03")
    assert found.excluded == ("2010-06: no figure", "2012-10: no figure")
    assert found.sample["observations"] == 38
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["method"] == "interrupted_series"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "rho", "least", "most"),
    [(40, 0.0, 0.03, 0.93), (60, 0.3, 0.03, 0.93), (100, 0.5, 0.03, 0.93), (40, 0.6, 0.0, 1.0), (40, 0.8, 0.0, 1.0)],
)
def test_intervals_cover_under_autocorrelation(n, rho, least, most):
    """With one estimate of the autocorrelation in its place, 8.6% are rejected at 40 times and 0.6: too wide is allowed
    where the autocorrelation is high for the length, too narrow nowhere."""
    rng, rejected, covered, start = np.random.default_rng(n), [], [], int(0.6 * n)
    after = np.arange(n) - start
    weights = np.array([0.0, 0.0, 1.0, after[after >= 0].mean()])
    for _ in range(300):
        fit = fit_series(ar1(rng, n, rho) + 0.05 * np.arange(n), lines(n, start))
        found = over_autocorrelations(fit, np.arange(n), np.zeros(n, dtype=int))
        rejected.append(found.p_value(float(weights @ fit.coef), weights) <= 0.05)
        covered.append(abs(weights @ fit.coef) <= found.reach(weights[None], 0.9)[0])
    assert may_be_within(rejected, least, 0.07)
    assert may_be_within(covered, 0.87, most)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rho"), [(40, 0.8), (60, 0.9), (60, 1.0)])
def test_persistent_series_are_seldom_offered(n, rho):
    """Judged by the estimate of the autocorrelation alone, half were offered, and up to 22% of those rejected."""
    rng, offered = np.random.default_rng([n, int(100 * rho)]), []
    for _ in range(80):
        steps = rng.normal(size=n).cumsum() if rho == 1 else ar1(rng, n, rho)
        offered.append(interrupted_series(series(steps), **SERIES, start=months(n)[2 * n // 3]).valid)
    assert may_be_within(offered, 0.0, 0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rho"), [(40, 0.0), (60, 0.5), (80, 0.7)])
def test_intervals_that_are_offered_as_valid_cover(n, rho):
    rng, rejected, covered = np.random.default_rng([1, n]), [], []
    for _ in range(250):
        found = interrupted_series(series(ar1(rng, n, rho)), **SERIES, start=months(n)[2 * n // 3], level=0.9)
        if found.valid:
            rejected.append(found.p_value <= 0.05)
            covered.append(found.lower <= 0 <= found.upper)
    assert len(covered) > 60
    assert may_be_within(rejected, 0.03, 0.07)
    assert may_be_within(covered, 0.87, 0.93)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_intervals_cover_for_counts_that_vary_more_than_poisson(family):
    rng, inside, truth = np.random.default_rng(12), [], None
    people = np.full(60, 1e5)
    design = lines(60, 36)
    coef = np.array([-7.0, 0.004, -0.25, 0.0])
    mean = people * np.exp(design @ coef)
    truth = (mean[36:] - people[36:] * np.exp(design[36:, :2] @ coef[:2])).mean()
    for _ in range(200):
        counts = rng.poisson(mean * rng.gamma(20, 1 / 20, 60))
        panel = series(counts, people=people.tolist())
        found = interrupted_series(panel, **SERIES, start="2013-01", family=family, population="people", level=0.9)
        inside.append(found.lower <= truth <= found.upper)
    assert may_be_within(inside, 0.87, 0.93)
