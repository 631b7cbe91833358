"""Count regressions against explicit scores, another program, hand-worked cases and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln
from scipy.stats import t

from gwm_models.data.edition import load_edition
from gwm_models.errors import ModelError
from gwm_models.models.counts.sample import count_sample, total_column
from gwm_models.models.counts.specs import (
    SPECS,
    negative_binomial,
    overdispersion,
    poisson,
    rate_ratios,
    ratio_rows,
    ratio_words,
)
from gwm_models.models.cross_section import cross_section
from gwm_models.models.outcomes import OUTCOMES, find_outcome

DEATHS = "drug_poisoning_deaths"
N_SIMULATED = 2000
"""The error of a coverage of 95% is then 0.5 points."""


def made_up(seed, n=115, dispersion=0.09, slope=-0.26):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    years = 3 * np.exp(rng.normal(12.5, 0.6, n))
    design = np.column_stack([x - x.mean(), np.ones(n)])
    luck = rng.gamma(1 / dispersion, dispersion, n) if dispersion else 1.0
    return rng.poisson(years * np.exp(design @ [slope, -9.6]) * luck).astype(float), design, years


@pytest.fixture(scope="module")
def sample():
    c = cross_section(load_edition(), find_outcome(DEATHS))
    return count_sample(c, total_column(c))


def log_likelihood(params, dispersion, count, design, years):
    mean, size = years * np.exp(design @ params), 1 / dispersion
    return np.sum(
        gammaln(count + size)
        - gammaln(size)
        - gammaln(count + 1)
        + size * np.log(size / (size + mean))
        + count * np.log(mean / (size + mean))
    )


def test_the_score_equations_hold_at_the_negative_binomial_estimate(sample):
    fit = negative_binomial(sample.count, sample.design, sample.person_years)
    mean = sample.person_years * np.exp(sample.design @ fit.params)
    score = sample.design.T @ ((sample.count - mean) / (1 + fit.dispersion * mean))
    assert np.abs(score).max() < 1e-7 * sample.count.sum()
    assert fit.expected == pytest.approx(mean)
    step = 1e-5
    up, down = (
        log_likelihood(fit.params, fit.dispersion + s, sample.count, sample.design, sample.person_years)
        for s in (step, -step)
    )
    assert (up - down) / (2 * step) == pytest.approx(0, abs=0.1)
    here = log_likelihood(fit.params, fit.dispersion, sample.count, sample.design, sample.person_years)
    assert here == pytest.approx(fit.log_likelihood, abs=1e-8)
    assert here >= max(up, down)


def test_coefficients_are_those_of_a_generalised_linear_model_at_the_same_dispersion(sample):
    import statsmodels.api as sm

    fit = negative_binomial(sample.count, sample.design, sample.person_years)
    law = sm.families.NegativeBinomial(alpha=fit.dispersion)
    other = sm.GLM(sample.count, sample.design, family=law, exposure=sample.person_years).fit(tol=1e-14, maxiter=200)
    assert fit.params == pytest.approx(np.asarray(other.params), abs=1e-8)
    assert fit.residuals == pytest.approx(np.asarray(other.resid_pearson), abs=1e-6)


def test_poisson_covariance_is_the_leverage_corrected_sandwich_of_explicit_matrices(sample):
    fit = poisson(sample.count, sample.design, sample.person_years)
    x, mean = sample.design, sample.person_years * np.exp(sample.design @ fit.params)
    bread = np.linalg.inv(x.T @ (mean[:, None] * x))
    leverage = mean * np.einsum("ij,jk,ik->i", x, bread, x)
    meat = (x * ((sample.count - mean) / (1 - leverage))[:, None] ** 2).T @ x
    assert fit.cov == pytest.approx(bread @ meat @ bread, abs=1e-10)
    assert fit.influence.T @ fit.influence == pytest.approx(fit.cov, abs=1e-12)


def test_negative_binomial_covariance_comes_from_the_numerical_curvature_of_the_likelihood(sample):
    fit = negative_binomial(sample.count, sample.design, sample.person_years)
    x, count, years = sample.design, sample.count, sample.person_years
    best = np.append(fit.params, fit.dispersion)

    def each(params):
        mean, size = years * np.exp(x @ params[:2]), 1 / params[2]
        return (
            gammaln(count + size)
            - gammaln(size)
            - (count + size) * np.log(size + mean)
            + size * np.log(size)
            + (count * np.log(mean))
        )

    step = np.diag([1e-4, 1e-4, 1e-5])
    width = 2 * np.diag(step)
    score = np.array([(each(best + s) - each(best - s)) for s in step]).T / width
    curvature = np.array(
        [
            [
                (each(best + a + b) - each(best + a - b) - each(best - a + b) + each(best - a - b)).sum() / (v * w)
                for b, w in zip(step, width, strict=True)
            ]
            for a, v in zip(step, width, strict=True)
        ]
    )
    weight = fit.expected / (1 + fit.dispersion * fit.expected)
    leverage = weight * np.einsum("ij,jk,ik->i", x, np.linalg.inv(x.T @ (weight[:, None] * x)), x)
    pushed = score @ np.linalg.inv(-curvature) / (1 - leverage)[:, None]
    assert fit.cov == pytest.approx((pushed.T @ pushed)[:2, :2], rel=1e-4)
    assert fit.dispersion_error == pytest.approx(np.sqrt((pushed.T @ pushed)[2, 2]), rel=1e-3)


def test_counts_without_extra_variance_give_the_poisson_fit():
    years = np.full(12, 1e5)
    x = np.tile([-1.0, 1.0], 6)
    count = np.where(x < 0, 40.0, 20.0)
    fit = negative_binomial(count, np.column_stack([x, np.ones(12)]), years)
    assert fit.law == "Poisson"
    assert fit.dispersion == 0
    assert fit.params == pytest.approx([np.log(20 / 40) / 2, (np.log(20e-5) + np.log(40e-5)) / 2], abs=1e-10)


def test_two_groups_of_areas_give_the_ratio_of_their_rates():
    rng = np.random.default_rng(3)
    group = np.repeat([0.0, 1.0], 20)
    years = rng.uniform(1e5, 9e5, 40)
    count = rng.poisson(years * 1e-4 * np.where(group > 0, 1.5, 1.0)).astype(float)
    fit = poisson(count, np.column_stack([group, np.ones(40)]), years)
    rates = [count[group == g].sum() / years[group == g].sum() for g in (0, 1)]
    assert np.exp(fit.params[0]) == pytest.approx(rates[1] / rates[0], rel=1e-10)


def test_overdispersion_statistic_worked_by_hand():
    z, p_value = overdispersion(np.array([0.0, 4.0]), np.array([2.0, 2.0]))
    assert z == pytest.approx((4 - 0 + 4 - 4) / np.sqrt(2 * 8))
    assert p_value == pytest.approx(0.15865525393145707)


def test_rate_ratios_are_exponentials_with_delta_method_errors():
    ratio, error, lower, upper = rate_ratios(np.array([np.log(2)]), np.array([[0.01]]), np.inf)[:, 0]
    assert (ratio, error) == pytest.approx((2.0, 0.2))
    assert (lower, upper) == pytest.approx((2 * np.exp(-0.1959963984540054), 2 * np.exp(0.1959963984540054)))
    assert [row["term"] for row in ratio_rows(("total", "intercept"), np.ones((4, 2)), 9)] == ["total"]
    assert ratio_words(1.5, 0.9, 2.5) == "not clearly different (50% higher; 95% interval 10% lower to 150% higher)"
    assert ratio_words(0.9, 0.81, 0.997) == "10.0% lower (95% interval 0.3% to 19.0%)"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 5))
def test_more_person_years_everywhere_change_only_the_constant(seed, factor):
    count, design, years = made_up(seed, n=40)
    plain, scaled = (negative_binomial(count, design, years * f) for f in (1, factor))
    assert scaled.params == pytest.approx(plain.params - [0, np.log(factor)], abs=1e-6)
    assert scaled.cov == pytest.approx(plain.cov, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c, x, y: (c + 0.5, x, y), "whole numbers"),
        (lambda c, x, y: (c, x, y * 0), "population above 0"),
        (lambda c, x, y: (c[:8], x[:8], y[:8]), "only 8 areas"),
        (lambda c, x, y: (c * 0, x, y), "every count is 0"),
        (lambda c, x, y: (c, np.column_stack([x, x[:, 0]]), y), "constant or follows from the others"),
        (lambda c, x, y: (c, np.column_stack([x, np.arange(len(c)) == 3]), y), "picks out a single area"),
    ],
)
def test_a_count_regression_that_cannot_be_made_is_refused_in_one_line(change, said):
    with pytest.raises(ModelError, match=said) as caught:
        negative_binomial(*change(*made_up(1)))
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def fits():
    return {
        spec.id: spec.make(load_edition(), find_outcome(DEATHS), n_draws=10, seed=1) for spec in SPECS if not spec.bayes
    }


def test_bournemouth_and_dorset_are_one_unit_and_exclusions_are_named(fits):
    for fit in fits.values():
        assert fit.n == len(fit.sample) == len(set(fit.sample)) == 115
        assert "E06000058+E06000059" in fit.sample
        assert fit.excluded == ("Northamptonshire (no published count)",)


def test_drug_deaths_are_lower_where_the_score_is_higher_but_not_at_equal_deprivation(fits):
    total, deprived = fits["total"], fits["deprivation"]
    assert total.focus_row()["estimate"] == pytest.approx(-0.26, abs=0.005)
    assert total.tables["rate_ratios"][0]["estimate"] == pytest.approx(np.exp(total.estimate[0]))
    assert total.tables["rate_ratios"][0]["upper"] < 0.9
    assert deprived.lower[0] < 0 < deprived.upper[0]
    assert total.diagnostics["most_influential"] == "Blackpool"
    assert np.sum(total.influence**2) == pytest.approx(total.cov[0, 0])


def test_specifications_fit_the_drug_deaths_only():
    assert next(spec.id for spec in SPECS) == "total"
    for spec in SPECS:
        assert [outcome.id for outcome in OUTCOMES if spec.applies(outcome)] == [DEATHS]


def test_every_fit_says_what_was_found_and_what_not_in_one_sentence_each(fits):
    for fit in fits.values():
        for text in (fit.found, fit.not_shown):
            assert text.endswith(".") and text.count(". ") == 0
            assert not any(word in text for word in ("effect", "impact", "leads to", "causes"))
    assert "23% lower" in fits["total"].found
    assert "not clearly different" in fits["deprivation"].found


def test_intervals_that_count_neighbours_as_alike_are_given_where_a_fit_is_about_one_term(fits):
    total = fits["total"]
    lower, upper = (total.diagnostics[f"spatial_{end}"] for end in ("lower", "upper"))
    assert total.diagnostics["spatial_std_error"] > total.std_error[0]
    assert lower < total.lower[0] < total.upper[0] < upper < 0
    assert f"the interval is {100 * np.expm1(lower):.1f}% to {100 * np.expm1(upper):.1f}%." in total.not_shown
    assert "spatial_lower" not in fits["domains"].diagnostics
    assert ("likely to be too narrow" in fits["domains"].not_shown) == (fits["domains"].diagnostics["moran_p"] < 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("dispersion", [0.0, 0.09])
def test_robust_intervals_hold_the_true_slope_as_often_as_they_say(dispersion):
    hits = np.zeros(2)
    for seed in range(N_SIMULATED):
        count, design, years = made_up(seed, dispersion=dispersion)
        for j, law in enumerate((negative_binomial, poisson)):
            fit = law(count, design, years)
            hits[j] += abs(fit.params[0] + 0.26) < t.ppf(0.975, fit.df) * np.sqrt(fit.cov[0, 0])
    assert (hits / N_SIMULATED >= 0.93).all() and (hits / N_SIMULATED <= 0.97).all()


@pytest.mark.slow
def test_the_posterior_agrees_with_the_classical_fit_within_simulation_error(fits):
    from gwm_models.models.counts import posterior as count_posterior

    by_id = {spec.id: spec for spec in count_posterior.SPECS}
    plain, corrected = (
        by_id[name].make(load_edition(), find_outcome(DEATHS), n_draws=4000, seed=1)
        for name in ("negative-binomial", "negative-binomial-corrected")
    )
    total = fits["total"]
    for j in range(2):
        assert plain.estimate[j] == pytest.approx(total.estimate[j], abs=0.1 * total.std_error[j])
        assert plain.std_error[j] == pytest.approx(total.std_error[j], rel=0.1)
    assert plain.estimate[2] == pytest.approx(total.diagnostics["dispersion"], abs=0.01)
    reliability = 0.95
    assert corrected.estimate[0] == pytest.approx(plain.estimate[0] / reliability, abs=0.012)
    for fit in (plain, corrected):
        assert fit.draws.shape == (4000, 3)
        assert fit.diagnostics["pareto_k_over_0.7"] == 0
        assert 0.02 < fit.diagnostics["p_predictive_sd_of_rates"] < 0.98
        assert 0.05 < fit.diagnostics["prior_p_sd_of_rates"] < 1
        assert fit.diagnostics["residual_moran"] == pytest.approx(total.diagnostics["moran_i"], abs=0.05)
        assert fit.diagnostics["residual_moran_p"] < 0.05
        assert "neighbours are alike (Moran's I 0.2" in fit.not_shown
        assert fit.not_shown.endswith(".") and fit.not_shown.count(". ") == 0
        assert fit.found.endswith(".") and fit.found.count(". ") == 0


def test_log_densities_are_those_of_the_negative_binomial_law():
    from scipy.stats import nbinom

    from gwm_models.models.counts.posterior import log_densities

    count, expected, dispersion = np.array([0.0, 3.0, 40.0]), np.array([[1.0, 2.0, 50.0]]), np.array([0.2])
    exact = nbinom.logpmf(count, 5, 5 / (5 + expected[0]))
    assert log_densities(count, expected, dispersion)[0] == pytest.approx(exact, abs=1e-10)


def test_replicated_counts_have_the_mean_and_variance_of_the_law():
    from gwm_models.models.counts.posterior import replicate

    expected = np.broadcast_to([4.0, 30.0], (200_000, 2))
    made = replicate(expected, np.full(len(expected), 0.2), np.random.default_rng(1))
    assert made.mean(axis=0) == pytest.approx([4, 30], rel=0.01)
    assert made.var(axis=0) == pytest.approx([4 + 0.2 * 4**2, 30 + 0.2 * 30**2], rel=0.02)


def test_pearson_residuals_worked_by_hand():
    from gwm_models.models.counts.posterior import pearson_residuals

    found = pearson_residuals(np.array([10.0, 1.0]), np.array([[4.0, 4.0], [10.0, 1.0]]), np.array([0.3125, 5.0]))
    assert found == pytest.approx(np.array([[6 / 3, -3 / 3], [0, 0]]))


def test_log_rates_of_the_prior_are_normal_around_the_pooled_one(monkeypatch):
    from scipy.stats import kstest, norm

    from gwm_models.models.counts import posterior

    monkeypatch.setattr(posterior, "DISPERSION_SD", 1e-9)
    score, years = np.array([-1.5, 0.0, 2.0]), np.array([1e10, 2e10, 1e10])
    made = posterior.draw_prior(0.25 * years, score, years, None, np.random.default_rng(1), n_draws=5000)
    rates = np.log(made / years) - np.log(0.25)
    for j in range(3):
        assert kstest(rates[:, j], norm(0, np.sqrt(1 + score[j] ** 2)).cdf).pvalue > 0.001
    slope = (rates[:, 2] - rates[:, 0]) / 3.5
    assert slope == pytest.approx((rates[:, 1] - rates[:, 0]) / 1.5, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("noisy", [False, True])
def test_counts_of_the_prior_are_those_of_the_model(noisy):
    import pymc
    from scipy.stats import ks_2samp

    from gwm_models.models.chains import quiet
    from gwm_models.models.counts.posterior import build_counts, draw_prior

    count, score, years = np.array([30.0, 20.0, 90.0]), np.array([-1.5, 0.0, 1.5]), np.array([3e5, 4e5, 9e5])
    error = np.array([0.1, 0.5, 1.0]) if noisy else None
    with quiet():
        model = build_counts(count, score, years, error)(pymc)
        of_model = pymc.draw(model["count"], draws=4000, random_seed=1, mode="FAST_COMPILE")
    made = draw_prior(count, score, years, error, np.random.default_rng(2), n_draws=4000)
    for j in range(3):
        assert ks_2samp(made[:, j], of_model[:, j]).pvalue > 0.001
    assert ks_2samp(made[:, 2] - made[:, 0], of_model[:, 2] - of_model[:, 0]).pvalue > 0.001


def log_posterior(count, score, years, error=None, n_nodes=5):
    """Return the log density that the chains of the posterior aim at, the true scores summed out by quadrature.

    Over slope, level and log dispersion, and with survey error over mean and log spread of the true scores as well.
    """
    nodes, pooled = np.polynomial.hermite_e.hermegauss(n_nodes), np.log(count.sum() / years.sum())

    def density(at):
        slope, level, size = at[:, [0]], at[:, [1]], np.exp(-at[:, [2]])
        found = at[:, 2] - 0.5 * (at[:, 0] ** 2 + (at[:, 1] - pooled) ** 2 + np.exp(2 * at[:, 2]))
        found += (gammaln(count + size) - gammaln(size) + size * np.log(size)).sum(axis=1)

        def at_score(true):
            log_mean = np.log(years) + level + slope * true
            return count * log_mean - (count + size) * np.log(size + np.exp(log_mean))

        if error is None:
            return found + at_score(score).sum(axis=1)
        mean, spread = at[:, [3]], np.exp(at[:, [4]])
        variance = spread**2 + error**2
        found += at[:, 4] - 0.5 * (mean[:, 0] ** 2 + spread[:, 0] ** 2)
        found -= 0.5 * (np.log(variance) + (score - mean) ** 2 / variance).sum(axis=1)
        middle, wobble = mean + spread**2 / variance * (score - mean), error * spread / np.sqrt(variance)
        at_nodes = [np.log(share) + at_score(middle + node * wobble) for node, share in zip(*nodes, strict=True)]
        return found + np.logaddexp.reduce(at_nodes, axis=0).sum(axis=1)

    return density


def collapsed(count, score, years, error, seed, n_draws=2000):
    """Draw from `log_posterior` without a chain."""
    from gwm_models.models.collapse import sample_collapsed

    start = [-0.2, np.log(count.sum() / years.sum()), -2.4]
    start = start if error is None else [*start, 0.0, np.log(score.std())]
    density = log_posterior(count, score, years, error)
    return sample_collapsed(density, np.array(start), n_draws=n_draws, seed=seed, key="collapsed", what="counts").draws


def noise(sample):
    c = cross_section(load_edition(), find_outcome(DEATHS))
    return c.total_error[sample.kept] / 100


@pytest.mark.slow
@pytest.mark.parametrize("noisy", [False, True])
def test_the_density_of_the_model_is_the_collapsed_one_times_a_constant(noisy):
    import pymc

    from gwm_models.models.chains import quiet
    from gwm_models.models.counts.posterior import build_counts

    count, score, years = np.array([30.0, 90.0]), np.array([-1.0, 0.5]), np.array([3e5, 9e5])
    error = np.array([0.15, 0.3]) if noisy else None
    with quiet():
        model = build_counts(count, score, years, error)(pymc)
        names = [variable.name for variable in model.value_vars]
        function = model.compile_fn(model.logp(sum=True), inputs=model.value_vars, mode="FAST_COMPILE", point_fn=False)
    rng, grid = np.random.default_rng(1), np.linspace(-7, 7, 29)
    raws = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2) if noisy else np.zeros((1, 2))
    at = np.array([-0.3, np.log(1e-4), -1.5, 0.1, -0.2]) + 0.4 * rng.normal(size=(6, 5))
    of_model = []
    for point in at:
        value = dict(
            zip(["slope", "intercept", "dispersion_log__", "score_mean", "score_sd_log__"], point, strict=True)
        )
        of_model.append(
            np.logaddexp.reduce([float(function(*({**value, "raw": raw}[name] for name in names))) for raw in raws])
        )
    apart = np.array(of_model) - log_posterior(count, score, years, error, n_nodes=15)(at if noisy else at[:, :3])
    assert apart == pytest.approx(np.full(6, apart[0]), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("noisy", [False, True])
def test_chains_on_the_real_deaths_have_the_posterior_that_is_drawn_without_them(sample, noisy):
    from gwm_models.models.chains import sample as by_chains
    from gwm_models.models.counts.posterior import build_counts

    error = noise(sample) if noisy else None
    figures = (sample.count, sample.design[:, 0], sample.person_years, error)
    chains = by_chains(build_counts(*figures), n_draws=4000, seed=1, key="agree", what="Drug deaths")
    exact = collapsed(*figures, seed=1, n_draws=8000)
    for j, name in enumerate(("slope", "intercept", "dispersion")):
        drawn = chains.draws[name]
        other = np.exp(exact[:, j]) if name == "dispersion" else exact[:, j]
        # The effective sizes are 400 or more (the chains are checked) and about 6,000, so the error of the mean is at
        # most 0.052 standard deviations, that of a 2.5% quantile 0.14 (density 0.058 of the standard normal law).
        assert drawn.mean() == pytest.approx(other.mean(), abs=0.15 * other.std())
        assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx(
            np.quantile(other, [0.025, 0.975]), abs=0.4 * other.std()
        )


@pytest.mark.slow
@pytest.mark.parametrize(("noisy", "n_simulated"), [(False, 2000), (True, 1000)])
def test_posterior_intervals_hold_known_rates_as_often_as_they_say(sample, noisy, n_simulated):
    """Slope, level, dispersion and spread of the true scores are those of the real fit; so are units and errors."""
    rng, error = np.random.default_rng(20260101), noise(sample)
    n, years, truth = len(error), sample.person_years, np.array([-0.27, -9.54, np.log(0.098)])
    held = []
    for seed in range(n_simulated):
        true = 0.86 * rng.normal(size=n) if noisy else sample.design[:, 0]
        score = true + error * rng.normal(size=n) if noisy else true
        luck = rng.gamma(np.exp(-truth[2]), np.exp(truth[2]), n)
        count = rng.poisson(years * np.exp(truth[1] + truth[0] * true) * luck).astype(float)
        draws = collapsed(count, score, years, error if noisy else None, seed, n_draws=1000)
        low, high = np.quantile(draws[:, :3], [0.025, 0.975], axis=0)
        held.append((low < truth) & (truth < high))
    # The error of a coverage of 95% is 0.5 points over 2,000 data sets, and 0.7 over 1,000.
    covered = np.mean(held, axis=0)
    assert (covered >= 0.93).all() and (covered <= 0.97).all(), covered
