"""Sensitivity to what is not measured: by hand, known answers, exact algebra, laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from gwm_models.data.edition import load_edition
from gwm_models.errors import ModelError
from gwm_models.models.association.confounding import (
    adjusted,
    benchmark_strength,
    e_value,
    e_value_of_interval,
    extreme_scenario,
    partial_r2,
    ratio_of_difference,
    robustness_value,
)
from gwm_models.models.association.sensitivity import benchmark_rows, sensitivity_rows
from gwm_models.models.association.specs import SPECS as CORRELATIONS
from gwm_models.models.cross_section import cross_section
from gwm_models.models.fit import Fit, wald
from gwm_models.models.linear.meta import spread_between
from gwm_models.models.linear.specs import CHOICES, fit_choice
from gwm_models.models.outcomes import OUTCOMES, find_outcome, find_subject

MALE = find_outcome("healthy_life_expectancy_male")
T_VALUES = st.floats(-200, 200)
FREEDOM = st.integers(3, 5000)
SHARES = st.floats(0, 0.99)


def ols(y, *columns):
    """Return estimate, classical standard error and degrees of freedom of the first column."""
    x = np.column_stack([*columns, np.ones(len(y))])
    bread = np.linalg.inv(x.T @ x)
    slope = bread @ x.T @ y
    freedom = len(y) - x.shape[1]
    return slope[0], np.sqrt(bread[0, 0] * ((y - x @ slope) ** 2).sum() / freedom), freedom


def share(y, x, *rest):
    """Return the squared correlation of y and x once the others are taken out of both."""
    z = np.column_stack([*rest, np.ones(len(y))])
    left = [v - z @ np.linalg.lstsq(z, v, rcond=None)[0] for v in (y, x)]
    return np.corrcoef(*left)[0, 1] ** 2


@pytest.fixture
def made_up():
    """Return a fit of one slope with round numbers: -4 with standard error 1 on 100 degrees of freedom."""
    estimate, cov = np.array([-4.0, 50.0]), np.diag([1.0, 4.0])
    return Fit(
        outcome="made_up",
        label="Made up",
        spec="total",
        title="on the total",
        method="least squares",
        citation="",
        period="2019",
        source="",
        term=("total", "constant"),
        unit=("years per 100 points", "years"),
        estimate=estimate,
        cov=cov,
        **wald(estimate, cov, 100),
        sample=("A", "B"),
        n=102,
        excluded=(),
        focus="total",
        found="",
        not_shown="",
        diagnostics={"degrees_of_freedom": 100.0},
    )


def values_of(rows):
    return {row["measure"]: row["value"] for row in rows}


# By hand and known answers


def test_robustness_values_by_hand():
    # t = 3 on 9 degrees of freedom: f = 1, so RV = (sqrt(5) - 1) / 2, and the partial R2 is a half.
    assert float(robustness_value(3, 9)) == pytest.approx((np.sqrt(5) - 1) / 2, abs=1e-12)
    assert float(partial_r2(3, 9)) == 0.5
    # Half of the estimate: f = 1/2.
    assert float(robustness_value(-3, 9, q=0.5)) == pytest.approx((np.sqrt(1 / 16 + 1) - 1 / 4) / 2, abs=1e-12)
    # If it explains half of the outcome, f^2 / (f^2 + 1/2).
    assert extreme_scenario(3, 9, [1.0, 0.5]).tolist() == pytest.approx([1 / 2, 2 / 3], abs=1e-12)


def test_e_values_of_the_first_published_example():
    # VanderWeele & Ding (2017): risk ratio 3.9, interval 1.8 to 8.7; E-values 7.26 and 3.0.
    assert float(e_value(3.9)) == pytest.approx(7.26, abs=0.005)
    assert e_value_of_interval(1.8, 8.7) == pytest.approx(3.0, abs=0.005)
    assert e_value_of_interval(1 / 8.7, 1 / 1.8) == pytest.approx(3.0, abs=0.005)
    assert e_value_of_interval(0.9, 1.4) == 1.0
    assert float(ratio_of_difference(-0.5)) == pytest.approx(np.exp(-0.455), abs=1e-12)


def test_bounds_of_the_published_example_of_the_method():
    # Cinelli & Hazlett (2020), Darfur: 1, 2 and 3 times "female"; figures of the R package sensemakr.
    estimate, error, freedom = 0.09731582, 0.02325654, 783
    t = estimate / error
    assert float(partial_r2(t, freedom)) == pytest.approx(0.02187, abs=1e-5)
    assert float(robustness_value(t, freedom)) == pytest.approx(0.13878, abs=1e-5)
    assert float(robustness_value(t, freedom, alpha=0.05)) == pytest.approx(0.07626, abs=1e-5)
    with_exposure = 0.00916428667504862 / 1.00916428667504862
    # The share of the outcome follows from the first bound: the other two are predictions.
    pull = (1 + 0.00916428667504862) ** 2 / (1 - 0.00916428667504862**2)
    with_outcome = 0.12464092303637 / (pull + 0.12464092303637)
    exposure, outcome = benchmark_strength(with_exposure, with_outcome, [1, 2, 3])
    assert exposure.tolist() == pytest.approx([0.00916428667504862, 0.0183285733500972, 0.0274928600251459], abs=1e-12)
    assert outcome.tolist() == pytest.approx([0.12464092303637, 0.249324064199975, 0.374050471038094], abs=1e-9)
    left = adjusted(estimate, error, freedom, exposure, outcome)
    assert left.estimate.tolist() == pytest.approx([0.0752202712, 0.0529151724, 0.0303960235], abs=1e-7)
    assert left.std_error.tolist() == pytest.approx([0.0218733277, 0.0203500621, 0.0186700648], abs=1e-7)
    assert left.t[:2].tolist() == pytest.approx([3.4389038602, 2.6002462391], abs=1e-5)


# Exact algebra


@pytest.mark.parametrize("sign", [1, -1])
def test_a_confounder_that_is_left_out_does_to_the_fit_exactly_what_is_said(sign):
    rng = np.random.default_rng(5)
    x, z = rng.normal(size=(2, 80))
    d = x + z + rng.normal(size=80)
    y = sign * (0.4 * d + 2 * z) + x + rng.normal(size=80)
    short, error, freedom = ols(y, d, x)
    long, long_error, _ = ols(y, d, x, z)
    left = adjusted(short, error, freedom, share(d, z, x), share(y, z, d, x))
    assert float(left.estimate) == pytest.approx(long, abs=1e-10)
    assert float(left.std_error) == pytest.approx(long_error, abs=1e-10)
    assert float(left.t) == pytest.approx(long / long_error, abs=1e-8)


def test_a_confounder_just_as_strong_as_a_covariate_has_the_strength_that_is_said():
    # Two orthogonal covariates of the same strength: one is in the fit, the other is not.
    basis = np.linalg.qr(np.column_stack([np.ones(60), np.random.default_rng(6).normal(size=(60, 4))]))[0]
    x, z, own, noise = basis[:, 1:].T
    d = 0.5 * x + 0.5 * z + own
    y = d + 0.7 * x + 0.7 * z + 0.9 * noise
    exposure, outcome = benchmark_strength(share(d, x), share(y, x, d), 1.0)
    assert float(exposure) == pytest.approx(share(d, z, x), abs=1e-10)
    assert float(outcome) == pytest.approx(share(y, z, d, x), abs=1e-10)


@given(T_VALUES, FREEDOM)
def test_a_confounder_of_the_robustness_value_takes_all_of_the_estimate(t, freedom):
    rv = float(robustness_value(t, freedom))
    assume(rv < 1 - 1e-9)
    left = adjusted(t, 1.0, freedom, rv, rv)
    assert float(left.estimate) == pytest.approx(0, abs=1e-6 * max(1, abs(t)))


@given(st.floats(-20, 20), st.integers(30, 5000))
def test_a_confounder_of_the_robustness_value_at_five_percent_leaves_the_critical_t(t, freedom):
    rv = float(robustness_value(t, freedom, alpha=0.05))
    critical = stats.t.isf(0.025, freedom - 1)
    if rv == 0:
        assert abs(t) * np.sqrt((freedom - 1) / freedom) <= critical + 1e-9
    else:
        binding = abs(t) * critical > np.sqrt(freedom * (freedom - 1))
        outcome = rv / (critical**2 / (freedom - 1) + rv) if binding else rv
        assert float(adjusted(abs(t), 1.0, freedom, rv, outcome).t) == pytest.approx(critical, rel=1e-6)


def test_with_few_degrees_of_freedom_and_a_large_t_the_exposure_alone_decides():
    # t = 10 / 3 on 7 degrees of freedom; no share of the outcome is worse than the one given here.
    t, freedom = 10 / 3, 7
    rv = float(robustness_value(t, freedom, alpha=0.05))
    critical = stats.t.isf(0.025, 6)
    worst = rv / (critical**2 / 6 + rv)
    assert float(adjusted(t, 1.0, freedom, rv, worst).t) == pytest.approx(critical, abs=1e-9)
    others = adjusted(t, 1.0, freedom, rv, np.linspace(0, rv, 200)).t
    assert others.min() >= critical - 1e-9


# Laws


@given(T_VALUES, FREEDOM, st.floats(0.01, 2))
def test_shares_lie_between_nought_and_one_and_chance_only_lowers_them(t, freedom, q):
    r2, rv = float(partial_r2(t, freedom)), float(robustness_value(t, freedom, q=q))
    with_chance = float(robustness_value(t, freedom, q=q, alpha=0.05))
    assert r2 == pytest.approx(t**2 / (t**2 + freedom), abs=1e-12)
    assert 0 <= with_chance <= rv + 1e-12
    assert rv <= 1
    assert float(extreme_scenario(t, freedom)) == pytest.approx(r2, abs=1e-12)
    assert float(robustness_value(t, freedom)) >= r2 - 1e-12
    assert float(robustness_value(-t, freedom, q=q)) == rv


@given(st.floats(-50, 50), FREEDOM, SHARES, SHARES, st.floats(0, 0.009))
def test_a_stronger_confounder_never_leaves_more(t, freedom, exposure, outcome, more):
    weak = float(adjusted(t, 1.0, freedom, exposure, outcome).estimate)
    strong = float(adjusted(t, 1.0, freedom, exposure + more, outcome + more).estimate)
    direction = -1 if t < 0 else 1
    assert direction * strong <= direction * weak + 1e-9
    assert float(adjusted(t, 1.0, freedom, 0.0, outcome).estimate) == t


@given(st.floats(0.01, 100))
def test_e_values_do_not_depend_on_which_way_round_a_ratio_is(ratio):
    e = float(e_value(ratio))
    assert e >= max(ratio, 1 / ratio) - 1e-9
    assert float(e_value(1 / ratio)) == pytest.approx(e, rel=1e-9)
    # Ding & VanderWeele (2016): the bias of a confounder of ratio e with both is e^2 / (2 e - 1).
    assert e**2 / (2 * e - 1) == pytest.approx(max(ratio, 1 / ratio), rel=1e-9)


def test_what_cannot_be_is_nan_or_refused():
    assert np.isnan(adjusted(1.0, 1.0, 10, [1.0, 1.5, -0.1], 0.5).estimate).all()
    assert np.isnan(adjusted(1.0, 1.0, 10, 0.5, [1.1, -0.1]).estimate).all()
    exposure, outcome = benchmark_strength(0.5, 0.3, [0.5, 1.0, 3.0])
    assert np.isfinite(exposure).tolist() == np.isfinite(outcome).tolist() == [True, False, False]
    assert float(benchmark_strength(0.4, 0.9, 1.0)[1]) == 1.0
    with pytest.raises(ValueError, match="above 1"):
        partial_r2(2, 1)
    with pytest.raises(ValueError, match="q must be above 0"):
        robustness_value(2, 10, q=0)
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
        robustness_value(2, 10, alpha=1.0)
    with pytest.raises(ValueError, match="ratio must be above 0"):
        e_value([1.0, 0.0])


# Rows of a fit


def test_rows_of_a_linear_fit_are_those_of_its_t(made_up):
    rows = sensitivity_rows(made_up)
    values = values_of(rows)
    assert values["partial_r2"] == pytest.approx(16 / 116, abs=1e-12)
    assert values["robustness_value"] == pytest.approx(float(robustness_value(-4, 100)), abs=1e-12)
    assert values["robustness_value_half"] < values["robustness_value"]
    assert 0 < values["robustness_value_5pc"] < values["robustness_value"]
    assert values["extreme_scenario_100"] == pytest.approx(16 / 116, abs=1e-12)
    assert values["extreme_scenario_50"] == pytest.approx(0.16 / 0.66, abs=1e-12)
    assert {(row["outcome"], row["spec"], row["term"]) for row in rows} == {("made_up", "total", "total")}
    assert len({row["meaning"] for row in rows}) == len(rows)


def test_shares_of_variance_come_from_the_classical_t_where_a_fit_has_it(made_up):
    robust = replace(made_up, diagnostics={"degrees_of_freedom": 100.0, "classical_t": -3.0})
    values = values_of(sensitivity_rows(robust))
    assert values["partial_r2"] == pytest.approx(9 / 109, abs=1e-12)
    assert values["robustness_value"] == pytest.approx(float(robustness_value(3, 100)), abs=1e-12)


def test_the_share_of_the_main_fit_is_its_share_of_explained_variance():
    main = fit_choice(load_edition(), MALE, CHOICES[0])
    assert values_of(sensitivity_rows(main))["partial_r2"] == pytest.approx(main.diagnostics["r_squared"], abs=1e-10)
    assert {row["meaning"] for row in sensitivity_rows(main) if row["measure"] == "risk_ratio_approximate"} == {
        "approximately: the risk ratio of being above the middle that goes with 100 points more"
    }


def test_a_linear_fit_with_the_spread_of_its_outcome_has_an_approximate_e_value(made_up):
    spread = replace(made_up, diagnostics={"degrees_of_freedom": 100.0, "outcome_sd": 8.0})
    values = values_of(sensitivity_rows(spread))
    # d = -0.5, its standard error 1/8.
    assert values["risk_ratio_approximate"] == pytest.approx(np.exp(-0.91 * 0.5), abs=1e-12)
    assert values["e_value_approximate"] == pytest.approx(float(e_value(np.exp(0.455))), abs=1e-12)
    nearer = np.exp(-0.455 + 1.78 / 8)
    assert values["e_value_limit_approximate"] == pytest.approx(float(e_value(nearer)), abs=1e-12)


def test_a_log_rate_has_e_values_and_needs_no_degrees_of_freedom(made_up):
    estimate, cov = np.array([np.log(0.5), 0.0]), np.diag([0.01, 1.0])
    rates = replace(
        made_up,
        unit=("log rate per 100 points", "log rate"),
        estimate=estimate,
        cov=cov,
        diagnostics={},
        **wald(estimate, cov),
    )
    values = values_of(sensitivity_rows(rates))
    assert values["rate_ratio"] == pytest.approx(0.5, abs=1e-12)
    assert values["e_value"] == pytest.approx(2 + np.sqrt(2), abs=1e-9)
    upper = 0.5 * np.exp(1.959963984540054 * 0.1)
    assert values["e_value_limit"] == pytest.approx(float(e_value(upper)), abs=1e-9)


def test_a_table_of_correlations_has_rows_for_each_outcome():
    fit = CORRELATIONS[0].make(load_edition(), find_subject("healthy_life_expectancy"))
    rows = sensitivity_rows(fit)
    assert {row["term"] for row in rows} == {*fit.term}
    male = values_of(row for row in rows if row["term"] == MALE.id)
    assert male["partial_r2"] == pytest.approx(fit.estimate[0] ** 2, abs=1e-12)
    assert male["robustness_value_5pc"] == pytest.approx(0.698, abs=5e-4)


def test_a_fit_without_degrees_of_freedom_or_focus_is_refused_in_one_line(made_up):
    with pytest.raises(ModelError, match=r"made_up, total: robustness values need residual degrees of freedom"):
        sensitivity_rows(replace(made_up, diagnostics={}))
    with pytest.raises(ModelError, match="about no single coefficient"):
        sensitivity_rows(replace(made_up, focus=""))


# Benchmarks on the figures


def test_benchmarks_start_from_the_fit_on_total_deprivation_and_degrees():
    c = cross_section(load_edition(), MALE)
    kept = np.isfinite(c.error)
    x = np.column_stack([c.total / 100, c.deprivation, c.degrees, np.ones(len(c))])[kept]
    variance = c.error[kept] ** 2
    w = 1 / np.sqrt(variance + spread_between(c.value[kept], x, variance))
    x = x * w[:, None]
    bread = np.linalg.inv(x.T @ x)
    y = c.value[kept] * w
    slope = bread @ x.T @ y
    freedom = len(y) - 4
    error = np.sqrt(bread[0, 0] * ((y - x @ slope) ** 2).sum() / freedom)
    rows = benchmark_rows(load_edition(), MALE)
    assert rows[0]["benchmark"] == "none"
    assert rows[0]["n"] == kept.sum() == 116
    assert rows[0]["estimate"] == pytest.approx(slope[0], abs=1e-8)
    assert rows[0]["std_error"] == pytest.approx(error, abs=1e-8)
    reach = stats.t.isf(0.025, freedom) * error
    assert [rows[0]["lower"], rows[0]["upper"]] == pytest.approx([slope[0] - reach, slope[0] + reach], abs=1e-8)
    main = fit_choice(load_edition(), MALE, CHOICES[0])
    assert rows[0]["note"].startswith(f"Slope at the same deprivation and degrees, {slope[0]:.2f}; without them")
    assert f"it is {main.estimate[0]:.2f}." in rows[0]["note"]
    # A confounder half as strong as degrees: shares from whitened columns.
    one, total, deprivation, degrees = (x[:, j] for j in (3, 0, 1, 2))

    def left(v, *columns):
        z = np.column_stack(columns)
        return v - z @ np.linalg.lstsq(z, v, rcond=None)[0]

    a, b = left(total, one, deprivation), left(degrees, one, deprivation)
    r2_exposure = (a @ b) ** 2 / (a @ a * (b @ b))
    half = next(row for row in rows if row["benchmark"] == "degrees" and row["times"] == 0.5)
    assert half["r2_exposure"] == pytest.approx(0.5 * r2_exposure / (1 - r2_exposure), abs=1e-8)


def test_the_multiple_that_leaves_nothing_leaves_nothing():
    rows = benchmark_rows(load_edition(), MALE)
    for name in ("deprivation", "degrees"):
        zero = next(row["times_to_zero"] for row in rows if row["benchmark"] == name)
        again = benchmark_rows(load_edition(), MALE, times=[zero, zero / 2])
        at_zero, at_half = (row for row in again if row["benchmark"] == name)
        assert at_zero["estimate"] == pytest.approx(0, abs=1e-8)
        assert 0 < at_half["estimate"] < rows[0]["estimate"]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=[outcome.id for outcome in OUTCOMES])
def test_benchmarks_of_every_outcome_say_where_there_is_no_bound(outcome):
    rows = benchmark_rows(load_edition(), outcome)
    first = rows[0]
    plain = float(first["note"].split("it is ")[1].split(". ")[0].rstrip("."))
    clear = (first["lower"] > 0 or first["upper"] < 0) and first["estimate"] * plain > 0
    assert (len(rows) > 1) == clear == ("nothing is left" not in first["note"])
    if not clear:
        return
    assert [row["times"] for row in rows] == [0, *(0.25, 0.5, 1, 2, 3) * 2]
    for row in rows[1:]:
        assert np.isnan(row["estimate"]) == ("No bound" in row["note"])
        assert np.isnan(row["std_error"]) == ("No bound" in row["note"] or "Worst case" in row["note"])
        assert "partly the exposure itself" in row["note"]
    signed = np.sign(rows[0]["estimate"])
    for name in ("deprivation", "degrees"):
        left = [signed * row["estimate"] for row in rows if row["benchmark"] == name]
        known = [value for value in left if np.isfinite(value)]
        assert known == sorted(known, reverse=True)


def test_counts_are_benchmarked_as_rates():
    rows = benchmark_rows(load_edition(), find_outcome("drug_poisoning_deaths"))
    assert rows[0]["unit"] == "deaths per 100,000 a year per 100 points"
    assert rows[0]["n"] == 115
