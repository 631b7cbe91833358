"""Regression on exposures with known error: closed forms, fine integration, laws, and coverage by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gwm_models.data.edition import load_edition
from gwm_models.errors import ModelError
from gwm_models.models.gaussian.errors_in_variables import PRIOR_SD, errors_in_variables, make_problem
from gwm_models.models.gaussian.noisy_checks import check_regression
from gwm_models.models.gaussian.specs import SPECS
from gwm_models.models.gaussian.words import sample_of, warnings_of
from gwm_models.models.outcomes import TOPICS, find_outcome

MALE = "healthy_life_expectancy_male"
BY_ID = {spec.id: spec for spec in SPECS}


def simulated(rng, n=116, slope=3.0, sd=1.4):
    """Figures like healthy life expectancy on hundreds of points."""
    x_error, y_error = rng.uniform(0.15, 0.5, n), rng.uniform(0.6, 1.3, n)
    true = 3 + 0.85 * rng.normal(size=n)
    outcome = 52 + slope * true + sd * rng.normal(size=n) + y_error * rng.normal(size=n)
    return outcome, y_error, true + x_error * rng.normal(size=n), x_error


@pytest.fixture(scope="module")
def health():
    return sample_of(load_edition(), find_outcome(MALE))


@pytest.fixture(scope="module")
def fitted(health):
    return errors_in_variables(health.value, health.error, health.total, health.total_error, n_draws=8000)


def test_without_any_error_the_posterior_is_that_of_bayesian_linear_regression():
    """Flat slopes, half-normal deviation: integrate the deviation on a fine grid; given it the slope is normal."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=40)
    y = 2 + 0.7 * x + rng.normal(size=40)
    fit = errors_in_variables(y, np.zeros(40), x, np.zeros(40), n_draws=40_000)
    design = np.column_stack([np.ones(40), x])
    bread = np.linalg.inv(design.T @ design)
    mean = bread @ design.T @ y
    left = ((y - design @ mean) ** 2).sum()
    sd = np.linspace(0.3, 3, 4000)
    log_density = -38 * np.log(sd) - left / (2 * sd**2) - 0.5 * (sd / (PRIOR_SD * y.std(ddof=1))) ** 2
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    assert fit.slope.mean() == pytest.approx(mean[1], abs=0.005)
    assert fit.coefficients[:, 0, 0].mean() == pytest.approx(mean[0], abs=0.005)
    assert fit.residual_sd.mean() == pytest.approx(weight @ sd, abs=0.005)
    for level in (0.025, 0.25, 0.75, 0.975):
        point = np.quantile(fit.slope, level)
        exact = weight @ stats.norm.cdf((point - mean[1]) / (sd * np.sqrt(bread[1, 1])))
        assert exact == pytest.approx(level, abs=0.006)


def test_draws_agree_with_fine_integration_over_slope_and_deviations(health):
    """Ten units: the joint density of all figures on a grid of slope and both deviations, in standardised figures."""
    pick = slice(0, 40, 4)
    y, v, x, s = health.value[pick], health.error[pick], health.total[pick], 2 * health.total_error[pick]
    fit = errors_in_variables(y, v, x, s, n_draws=40_000)
    scale = y.std(ddof=1) / x.std(ddof=1)
    slope = np.linspace(-3, 5, 81)
    sd = stats.halfnorm(scale=PRIOR_SD).ppf((np.arange(40) + 0.5) / 40 * 0.9)
    b, tau, own = (a.ravel() for a in np.meshgrid(slope, sd, sd, indexing="ij"))
    yy, xx = (y - y.mean()) / y.std(ddof=1), (x - x.mean()) / x.std(ddof=1)
    vv, ss = (v / y.std(ddof=1)) ** 2, (s / x.std(ddof=1)) ** 2
    log_density = np.empty(len(b))
    for part in np.array_split(np.arange(len(b)), 20):
        cov = np.empty((len(part), 20, 20))
        cov[:] = 0
        i = np.arange(10)
        cov[:, i, i] = tau[part, None] ** 2 + ss
        cov[:, i, 10 + i] = cov[:, 10 + i, i] = (b * tau**2)[part, None]
        cov[:, 10 + i, 10 + i] = (b**2 * tau**2 + own**2)[part, None] + vv
        w, z = np.concatenate([xx, yy]), np.kron(np.eye(2), np.ones((10, 1)))
        inverse = np.linalg.inv(cov)
        bread = z.T @ inverse @ z
        cross = inverse @ w @ z
        fit_part = w @ inverse @ w - (cross * np.linalg.solve(bread, cross[..., None])[..., 0]).sum(axis=1)
        log_density[part] = -0.5 * (np.linalg.slogdet(cov)[1] + np.linalg.slogdet(bread)[1] + fit_part)
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    mean = weight @ b
    assert fit.slope.mean() / scale == pytest.approx(mean, abs=0.03)
    assert fit.slope.std() / scale == pytest.approx(np.sqrt(weight @ (b - mean) ** 2), rel=0.05)


def test_the_collapsed_density_equals_that_of_all_figures_together(health):
    """Two outcomes, a covariate and groups: the whole covariance, with flat coefficients integrated by hand."""
    rng = np.random.default_rng(2)
    n, groups = 24, np.arange(24) % 4
    y, x = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    root = rng.normal(size=(n, 2, 2)) * 0.3
    error = np.einsum("nij,nkj->nik", root, root) + 0.01 * np.eye(2)
    problem = make_problem(y, rng.uniform(0.1, 0.5, (n, 2)), x, error, rng.normal(size=n), groups)
    parameters = rng.normal(size=(3, len(problem.start()))) * 0.4
    between, groups_cov = problem.spread(problem.split(parameters))
    solved = problem.model.solve(between, groups_cov)
    centre = problem.model.draw_coefficients(solved, np.zeros_like(solved.half))
    effects = problem.model.draw_groups(solved, centre, np.zeros((4, 4, 3)))
    missed, cov = problem.model.leave_one_out(solved, centre, effects)
    w, z = problem.model.figures.T.ravel(), np.kron(problem.model.design, np.eye(4))
    for d in range(3):
        whole = np.kron(problem.model.groups @ problem.model.groups.T, groups_cov[:, :, d])
        for i in range(n):
            own = slice(4 * i, 4 * i + 4)
            whole[own, own] += between[:, :, d] + problem.model.error[:, :, i]
        inverse = np.linalg.inv(whole)
        bread = z.T @ inverse @ z
        mean = np.linalg.solve(bread, z.T @ inverse @ w)
        log_det = np.linalg.slogdet(whole)[1] + np.linalg.slogdet(bread)[1]
        expected = -0.5 * (log_det + w @ inverse @ w - mean @ bread @ mean)
        assert solved.log_likelihood[d] == pytest.approx(expected, abs=1e-8)
        assert centre[:, :, d].T.ravel() == pytest.approx(mean, abs=1e-8)
        assert solved.root[d] @ solved.root[d].T == pytest.approx(
            bread.reshape(2, 4, 2, 4).transpose(1, 0, 3, 2).reshape(8, 8), abs=1e-8
        )
        projected = inverse - inverse @ z @ np.linalg.solve(bread, z.T @ inverse)
        for i in (0, 11):
            own = slice(4 * i, 4 * i + 4)
            alone = np.linalg.inv(projected[own, own])
            assert cov[:, :, d, i] == pytest.approx(alone, abs=1e-8)
            assert missed[:, d, i] == pytest.approx(alone @ (projected @ w)[own], abs=1e-8)


def test_on_real_figures_the_posterior_meets_the_classical_correction(health, fitted):
    """The least-squares slope with equal true weights over the reliability of the total: 3.21 over 0.955."""
    x, s = health.total, health.total_error
    weight = 1 / (health.error**2 + 1.5**2)
    centred = x - np.average(x, weights=weight)
    plain = (weight * centred * health.value).sum() / (weight * centred**2).sum()
    corrected = plain * (weight * centred**2).sum() / (weight * (centred**2 - s**2)).sum()
    assert corrected == pytest.approx(3.21 / 0.955, abs=0.06)
    assert fitted.slope.mean() == pytest.approx(corrected, abs=0.05)
    assert fitted.slope.std() == pytest.approx(0.207, abs=0.01)
    assert fitted.efficiency > 0.8


def test_noise_in_the_exposure_moves_the_slope_away_from_zero(health, fitted):
    naive = errors_in_variables(health.value, health.error, health.total, 0 * health.total_error)
    reliability = 1 - (health.total_error**2).mean() / health.total.var(ddof=1)
    assert naive.slope.mean() / fitted.slope.mean() == pytest.approx(reliability, abs=0.015)


def test_two_outcomes_together_have_the_slopes_they_have_apart(health, fitted):
    other = sample_of(load_edition(), find_outcome("healthy_life_expectancy_female"))
    both = errors_in_variables(
        np.column_stack([health.value, other.value]),
        np.column_stack([health.error, other.error]),
        health.total,
        health.total_error,
    )
    assert both.slope[:, 0, 0].mean() == pytest.approx(fitted.slope.mean(), abs=0.03)
    assert both.residual_sd[:, 0].mean() == pytest.approx(fitted.residual_sd.mean(), abs=0.03)
    sd = both.residual_sd
    assert (both.residual_cov[:, 0, 1] / sd.prod(axis=1)).mean() == pytest.approx(0.84, abs=0.03)
    assert np.corrcoef(both.slope[:, 0].T)[0, 1] > 0.4


def test_slopes_on_domains_that_are_one_exposure_add_up():
    """Three exposures whose sum alone matters have one slope."""
    rng = np.random.default_rng(4)
    true = rng.normal(size=(400, 3))
    x = true + 0.2 * rng.normal(size=true.shape)
    y = 1 + 2 * true.sum(axis=1) + 0.5 * rng.normal(size=400)
    fit = errors_in_variables(y, np.zeros(400), x, np.tile(0.04 * np.eye(3), (400, 1, 1)))
    slope = fit.slope[:, :, 0]
    assert np.abs(slope.mean(axis=0) - 2).max() < 3 * slope.std(axis=0).max()
    assert fit.exposure_sd.mean(axis=0) == pytest.approx(np.ones(3), abs=0.12)


@settings(max_examples=6, deadline=None)
@given(st.floats(-50, 50), st.floats(0.1, 20), st.floats(-50, 50), st.floats(0.1, 20))
def test_a_change_of_unit_changes_nothing_but_the_unit(y_shift, y_scale, x_shift, x_scale):
    y, v, x, s = simulated(np.random.default_rng(5), n=30)
    first = errors_in_variables(y, v, x, s, n_draws=300)
    moved = errors_in_variables(y_shift + y_scale * y, y_scale * v, x_shift + x_scale * x, x_scale * s, n_draws=300)
    assert moved.slope == pytest.approx(first.slope * y_scale / x_scale, rel=1e-4)
    assert moved.residual_sd == pytest.approx(first.residual_sd * y_scale, rel=1e-4, abs=1e-6)
    line = first.coefficients[:, 0, 0] * y_scale + y_shift - moved.slope[:, 0, 0] * x_shift
    assert moved.coefficients[:, 0, 0] == pytest.approx(line, rel=1e-3, abs=1e-2)


def test_the_same_seed_gives_the_same_draws(health):
    figures = (health.value, health.error, health.total, health.total_error)
    first, again, other = (errors_in_variables(*figures, n_draws=200, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.slope, again.slope)
    assert np.array_equal(first.coefficients, again.coefficients)
    assert not np.array_equal(first.slope, other.slope)


def test_predictive_checks_find_an_outlier_and_too_small_an_error():
    rng = np.random.default_rng(6)
    y, v, x, s = simulated(rng)
    fine = check_regression(errors_in_variables(y, v, x, s, n_draws=1000), seed=1)
    assert 0.05 < fine.extreme < 0.95
    assert fine.worst_tail < 0.7
    y[3] += 14
    assert check_regression(errors_in_variables(y, v, x, s, n_draws=1000), seed=1).extreme < 0.01
    y[3] -= 14
    wide = check_regression(errors_in_variables(y, 4 * v, x, s, n_draws=1000), seed=1)
    assert wide.spread > 0.95


def test_prediction_of_unseen_units_equals_refitting_without_them(health):
    """Leave two units out for real, and predict them from published exposures."""
    fit = errors_in_variables(health.value, health.error, health.total, health.total_error, n_draws=2000)
    checks = check_regression(fit, seed=1, n_used=2000)
    assert checks.elpd == pytest.approx(-238.3, abs=0.5)
    for i in (0, 50):
        rest = np.arange(len(health.value)) != i
        y, v, x, s = (a[rest] for a in (health.value, health.error, health.total, health.total_error))
        alone = errors_in_variables(y, v, x, s, n_draws=4000)
        noise = health.total_error[i] ** 2
        tau, slope = alone.exposure_sd[:, 0] ** 2, alone.slope[:, 0, 0]
        centre = x.mean()
        shrunk = centre + tau / (tau + noise) * (health.total[i] - centre)
        predicted = (alone.coefficients[:, 0, 0] + slope * shrunk).mean()
        assert checks.residual[i, 0] == pytest.approx(health.value[i] - predicted, abs=0.1)


def test_checks_that_stand_out_are_said_in_words():
    assert warnings_of({"posterior_p_spread": 0.5, "posterior_p_extreme": 0.3, "elpd_pareto_tail": 0.4}) == []
    notes = warnings_of({"posterior_p_extreme": 0.002, "elpd_pareto_tail": 0.9})
    assert notes[0].startswith("The model does not reproduce the most extreme residual (predictive p 0.002)")
    assert "cannot be trusted" in notes[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": np.ones(20)}, "the same in every unit"),
        ({"exposure": np.full(20, np.nan)}, "exposure is not finite"),
        ({"exposure_error": np.ones(19)}, "do not fit together"),
        ({"covariates": np.column_stack([np.arange(20.0), 2 * np.arange(20.0)])}, "collinear"),
    ],
)
def test_a_fit_that_cannot_be_made_is_refused(change, message):
    rng = np.random.default_rng(7)
    figures = {
        "outcome": rng.normal(size=20),
        "outcome_error": np.ones(20),
        "exposure": rng.normal(size=20),
        "exposure_error": np.ones(20),
    }
    with pytest.raises(ModelError, match=message):
        errors_in_variables(**(figures | change))


def test_fits_of_real_outcomes_say_what_was_left_out_and_how_well_they_were_sampled():
    edition = load_edition()
    fit = BY_ID["errors-in-variables"].make(edition, find_outcome(MALE), n_draws=1000)
    assert fit.excluded == ("Northamptonshire (no published limits)",)
    assert fit.n == len(fit.sample) == 116
    assert fit.unit[fit.place()] == "years per 100 points"
    assert fit.focus_row()["estimate"] == pytest.approx(3.33, abs=0.03)
    assert "3.33 years higher" in fit.found or "3.32 years higher" in fit.found or "3.34 years higher" in fit.found
    assert fit.diagnostics["efficiency"] > 0.8
    assert fit.diagnostics["reliability"] == pytest.approx(0.955, abs=0.01)
    assert fit.draws.shape == (1000, len(fit.term))


def test_without_published_limits_the_error_of_the_outcome_is_said_to_be_in_the_residual():
    fit = BY_ID["errors-in-variables"].make(load_edition(), find_outcome("life_expectancy_male"), n_draws=500)
    assert fit.n == 117
    assert any("No limits of the outcome are published" in note for note in fit.assumptions)


def test_the_topic_has_both_sexes_their_mean_and_their_difference():
    topic = next(topic for topic in TOPICS if topic.id == "healthy_life_expectancy")
    spec = BY_ID["joint-errors-in-variables"]
    assert spec.applies(topic)
    fit = spec.make(load_edition(), topic, n_draws=2000)
    male, female, mean, difference = fit.estimate[:4]
    assert mean == pytest.approx((male + female) / 2)
    assert difference == pytest.approx(female - male)
    assert (male, female) == pytest.approx((3.32, 3.74), abs=0.04)
    assert fit.std_error[3] < np.hypot(*fit.std_error[:2])


def test_adjusting_for_conditions_and_domains_applies_to_levels_only():
    counts = find_outcome("drug_poisoning_deaths")
    assert not any(spec.applies(counts) for spec in SPECS)
    fit = BY_ID["errors-in-variables-domains"].make(load_edition(), find_outcome(MALE), n_draws=1000)
    assert fit.focus == ""
    assert fit.term[:3] == ("access", "status", "pay")
    assert "access +5." in fit.found
    adjusted = BY_ID["errors-in-variables-conditions"].make(load_edition(), find_outcome(MALE), n_draws=1000)
    assert adjusted.diagnostics["adjusted_for"] == "Conditions for Good Work"
    assert adjusted.std_error[0] > 0.25


@pytest.mark.slow
def test_intervals_hold_the_true_slope_as_often_as_they_say_and_naive_ones_do_not():
    rng = np.random.default_rng(31)
    held, naive, centre = [], [], []
    for replicate in range(600):
        slope, sd = rng.uniform(1, 5), rng.uniform(0.3, 2)
        y, v, x, s = simulated(rng, slope=slope, sd=sd)
        draws = errors_in_variables(y, v, x, s, n_draws=1000, seed=replicate).slope.ravel()
        low, high = np.quantile(draws, [0.025, 0.975])
        held.append(low <= slope <= high)
        centre.append(draws.mean() / slope)
        blind = errors_in_variables(y, v, x, 0 * s, n_draws=400, seed=replicate).slope.ravel()
        low, high = np.quantile(blind, [0.025, 0.975])
        naive.append(low <= slope <= high)
    assert 0.93 <= np.mean(held) <= 0.97
    assert np.mean(centre) == pytest.approx(1, abs=0.02)
    assert np.mean(naive) < 0.7


@pytest.mark.slow
def test_draws_agree_with_a_markov_chain_of_the_same_model(health):
    pytest.importorskip("pymc")
    pytest.importorskip("nutpie")
    from pymc_reference import sample_errors_in_variables

    figures = (health.value, health.error, health.total, health.total_error)
    chain = sample_errors_in_variables(*figures, draws=3000, seed=1)
    exact = errors_in_variables(*figures, n_draws=20_000)
    named = {
        "slope": exact.slope[:, 0, 0],
        "intercept": exact.coefficients[:, 0, 0],
        "residual_sd": exact.residual_sd[:, 0],
        "exposure_sd": exact.exposure_sd[:, 0],
    }
    for name, draws in named.items():
        assert chain[name].mean() == pytest.approx(draws.mean(), abs=0.08 * draws.std()), name
        assert chain[name].std() == pytest.approx(draws.std(), rel=0.06), name
