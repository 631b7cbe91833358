"""Conditions against Monitor: the published answer, other programs, brute force and calibration."""

import csv

import numpy as np
import pytest
from scipy import stats

from gwm_models.data.edition import load_edition
from gwm_models.data.home import data_home
from gwm_models.index.sampling import sampling_error
from gwm_models.index.structure_conditions import (
    conditions_fit,
    external_residuals,
    gap_posterior,
    hc3_line,
)


@pytest.fixture(scope="module")
def edition():
    return load_edition("monitor-2021")


@pytest.fixture(scope="module")
def fit(edition):
    return conditions_fit(edition)


@pytest.fixture(scope="module")
def printed():
    """Conditions and Monitor totals by area, read without the toolkit."""
    totals = {}
    for name in ("conditions_scores", "monitor_scores"):
        with (data_home() / f"{name}.csv").open(newline="") as file:
            totals[name] = {row["area_code"]: float(row["total"]) for row in csv.DictReader(file)}
    return totals["conditions_scores"], totals["monitor_scores"]


def number(fit, statistic, term="conditions_total", method=None):
    (one,) = [
        x for x in fit.line if x.statistic == statistic and x.term == term and (method is None or x.method == method)
    ]
    return one


def test_the_correlation_of_the_printed_totals_is_the_published_one(fit, printed):
    conditions, monitor = printed
    r = np.corrcoef([conditions[code] for code in monitor], list(monitor.values()))[0, 1]
    found = number(fit, "pearson", method="Fisher z")
    assert found.n == 118
    assert found.estimate == pytest.approx(r)
    assert round(found.estimate, 2) == 0.71
    assert found.lower == pytest.approx(0.609, abs=5e-4) and found.upper == pytest.approx(0.791, abs=5e-4)


def test_the_line_and_its_hc3_errors_agree_with_statsmodels(fit, printed):
    from statsmodels.regression.linear_model import OLS
    from statsmodels.stats.multitest import multipletests

    conditions, monitor = printed
    order = list(fit.area_code)
    x = np.column_stack([np.ones(118), [conditions[code] for code in order]])
    reference = OLS([monitor[code] for code in order], x).fit(cov_type="HC3", use_t=True)
    for i, name in enumerate(("intercept", "slope")):
        ours = number(fit, name)
        assert ours.estimate == pytest.approx(reference.params[i])
        assert ours.std_error == pytest.approx(reference.bse[i])
        assert (ours.lower, ours.upper) == pytest.approx(tuple(reference.conf_int()[i]))
    band = reference.get_prediction(x).conf_int()
    assert np.column_stack([fit.fitted_lower, fit.fitted_upper]) == pytest.approx(band)
    studentised = OLS(reference.model.endog, x).fit().get_influence().resid_studentized_external
    assert fit.studentised == pytest.approx(studentised)
    p_value = 2 * stats.t.sf(np.abs(studentised), 115)
    assert fit.q_value == pytest.approx(multipletests(p_value, method="fdr_bh")[1])


def test_a_studentised_residual_is_the_t_of_a_dummy_for_the_area():
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(20), rng.normal(size=20)])
    y = rng.normal(size=20)
    _, _, residual, leverage = hc3_line(x, y)
    ours = external_residuals(residual, leverage, 2)
    for i in (0, 7, 19):
        with_dummy = np.column_stack([x, np.arange(20) == i])
        coef, rest, *_ = np.linalg.lstsq(with_dummy, y)
        error = np.sqrt(rest[0] / 17 * np.linalg.inv(with_dummy.T @ with_dummy)[2, 2])
        assert ours[i] == pytest.approx(coef[2] / error)


def test_the_conditions_total_is_never_taken_for_the_sum_of_its_domains(fit):
    assert "not the sum of its four domains (agreement within 0.2 in 3 of 118 areas" in fit.notes[0]
    assert number(fit, "pearson", "sum of domains").estimate != number(fit, "pearson", method="Fisher z").estimate
    assert fit.conditions.max() == 833.8


def test_who_does_better_and_worse_than_conditions_suggest(fit):
    rows = fit.area_rows()
    assert len(rows) == 118
    assert [row["area_name"] for row in rows[:3]] == ["Dorset", "Southend-on-Sea", "Bath and North East Somerset"]
    assert rows[-1]["area_name"] == "Slough"
    residuals = [row["residual"] for row in rows]
    assert residuals[0] > 0 > residuals[-1]
    assert sum(residuals) == pytest.approx(0, abs=1e-6)
    for row in rows:
        assert row["residual"] == pytest.approx(row["monitor_total"] - row["fitted"])
        assert row["lower"] < row["estimate"] < row["upper"]
        assert row["p_value"] <= row["q_value"] + 1e-12


def test_sampling_error_pulls_the_gap_towards_the_line_more_where_it_is_larger(fit, edition):
    residual = fit.monitor - fit.fitted
    far = np.abs(residual) > 30
    kept = fit.gap.estimate[far] / residual[far]
    assert (kept > 0.5).all() and (kept < 1.1).all()
    error = sampling_error(edition).total_std_error[far]
    assert stats.spearmanr(kept, error)[0] < -0.8


def test_the_true_correlation_takes_out_only_the_error_of_the_monitor(fit, edition):
    noise = (sampling_error(edition).total_std_error ** 2).mean() / edition.total.var(ddof=1)
    seen, true = number(fit, "pearson", method="Fisher z").estimate, number(fit, "pearson_true").estimate
    assert true == pytest.approx(seen / np.sqrt(1 - noise))


def line_data(rng, n=30):
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    error = rng.uniform(5, 25, n)
    true = x @ [100.0, 20.0] + rng.normal(0, 15, n)
    return x, error, true, true + rng.normal(size=n) * error


def test_without_error_the_gap_is_the_residual_and_its_sign_is_certain():
    x, _, _, y = line_data(np.random.default_rng(2))
    found = gap_posterior(y, x, 1e-4)
    residual = hc3_line(x, y)[2]
    slack = hc3_line(x, y)[2].std() * 0.05
    assert found.estimate == pytest.approx(residual, abs=slack)
    assert found.coef == pytest.approx(np.linalg.lstsq(x, y)[0], abs=1e-3)


def test_with_nothing_but_error_no_area_is_known_to_be_above_the_line():
    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(60), rng.normal(size=60)])
    found = gap_posterior(x @ [5.0, 1.0] + rng.normal(size=60) * 10, x, 10.0)
    assert (found.prob_above > 0.02).all() and (found.prob_above < 0.98).all()
    assert found.spread < 6


def test_the_gap_posterior_agrees_with_a_gibbs_sampler():
    rng = np.random.default_rng(4)
    x, error, _, y = line_data(rng)
    found = gap_posterior(y, x, error, level=0.9)
    n, spread2, bread = len(y), 200.0, np.linalg.inv(x.T @ x)
    root, true, gaps = np.linalg.cholesky(bread), y.copy(), []
    for step in range(21_000):
        coef = bread @ x.T @ true + np.sqrt(spread2) * root @ rng.normal(size=2)
        spread2 = ((true - x @ coef) ** 2).sum() / rng.chisquare(n - 1)
        weight = spread2 / (spread2 + error**2)
        centre = weight * y + (1 - weight) * (x @ coef)
        true = centre + np.sqrt(weight) * error * rng.normal(size=n)
        if step >= 1000:
            gaps.append(true - x @ coef)
    gaps = np.array(gaps)
    assert found.estimate == pytest.approx(gaps.mean(axis=0), abs=0.6)
    assert found.std_error == pytest.approx(gaps.std(axis=0), rel=0.05)
    assert found.prob_above == pytest.approx((gaps > 0).mean(axis=0), abs=0.02)
    assert found.lower == pytest.approx(np.quantile(gaps, 0.05, axis=0), abs=1.3)
    assert found.upper == pytest.approx(np.quantile(gaps, 0.95, axis=0), abs=1.3)


@pytest.mark.slow
def test_probabilities_and_intervals_of_the_gap_are_calibrated():
    rng, inside, said, above = np.random.default_rng(5), [], [], []
    for _ in range(400):
        x, error, true, y = line_data(rng, 118)
        found = gap_posterior(y, x, error, level=0.9)
        gap = true - x @ [100.0, 20.0]
        inside.append((found.lower <= gap) & (gap <= found.upper))
        said.append(found.prob_above)
        above.append(gap > 0)
    said, above = np.concatenate(said), np.concatenate(above)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.01)
    for low in np.arange(0, 1, 0.2):
        within = (said >= low) & (said < low + 0.2)
        assert above[within].mean() == pytest.approx(said[within].mean(), abs=0.02)
