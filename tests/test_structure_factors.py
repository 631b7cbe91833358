"""Components and one factor: against scikit-learn, statsmodels and closed forms, and by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from gwm_models.data.edition import load_edition
from gwm_models.index.structure import Items, correlation, covariance, domain_items, indicator_items
from gwm_models.index.structure_factors import (
    FLOOR,
    adequacy,
    components,
    discrepancy,
    factor,
    noncentrality,
    one_factor,
    principal,
    shuffled_eigenvalues,
    standardised,
)

LOADINGS = st.lists(st.floats(0.2, 0.9), min_size=4, max_size=7)


@pytest.fixture(scope="module")
def indicators():
    return indicator_items(load_edition("monitor-2021"))


@pytest.fixture(scope="module")
def domains():
    return domain_items(load_edition("monitor-2021"))


def made(values):
    n, k = values.shape
    return Items("made", tuple("abcdefgh"[:k]), values, np.zeros((n, k, k)), tuple(map(str, range(n))), values.sum(1))


def one_factor_data(rng, n, loading):
    loading = np.asarray(loading)
    return rng.normal(size=(n, 1)) * loading + rng.normal(size=(n, len(loading))) * np.sqrt(1 - loading**2)


def pick(found, statistic, term="", other=""):
    (one,) = [x for x in found if (x.statistic, x.term, x.other) == (statistic, term, other)]
    return one


def test_components_agree_with_scikit_learn(indicators):
    from sklearn.decomposition import PCA

    found, k = components(indicators, n_draws=100), len(indicators.term)
    reference = PCA().fit(standardised(indicators.values))
    loadings = reference.components_ * np.sqrt(reference.explained_variance_)[:, None]
    for c in range(k):
        name = f"component {c + 1}"
        assert pick(found, "eigenvalue", name).estimate == pytest.approx(reference.explained_variance_[c])
        assert pick(found, "share", name).estimate == pytest.approx(reference.explained_variance_ratio_[c])
        ours = [pick(found, "loading", term, name).estimate for term in indicators.term]
        assert np.abs(ours) == pytest.approx(np.abs(loadings[c]))


def test_a_loading_is_the_correlation_of_an_item_with_its_component(indicators):
    z = standardised(indicators.values)
    _, loadings = principal(correlation(covariance(indicators.values)))
    scores = z @ loadings
    expected = np.corrcoef(z.T, scores.T)[:5, 5:]
    assert loadings == pytest.approx(expected)


@given(LOADINGS, st.integers(0, 10_000))
@settings(max_examples=30)
def test_eigenvalues_sum_to_the_items_and_loadings_give_the_correlations_back(loading, seed):
    matrix = correlation(covariance(one_factor_data(np.random.default_rng(seed), 60, loading)))
    values, loadings = principal(matrix)
    assert values.sum() == pytest.approx(len(loading))
    assert loadings @ loadings.T == pytest.approx(matrix)
    assert (loadings.sum(axis=0) >= -1e-9).all()


def test_one_component_of_the_monitor_is_more_than_chance(indicators, domains):
    for items, share in ((indicators, 0.691), (domains, 0.640)):
        found = components(items, n_draws=500)
        assert pick(found, "kept_parallel").estimate == pick(found, "kept_kaiser").estimate == 1
        first = pick(found, "share", "component 1")
        assert first.estimate == pytest.approx(share, abs=5e-4)
        assert first.lower < first.estimate < first.upper
        assert pick(found, "share_true", "component 1").estimate > first.estimate


def test_a_component_behind_more_error_than_variance_is_not_known():
    x = one_factor_data(np.random.default_rng(14), 30, [0.8, 0.7, 0.6])
    items = Items("made", ("a", "b", "c"), x, np.full((30, 3, 3), 9.0) * np.eye(3), ("u",) * 30, x.sum(1))
    found = pick(components(items, n_draws=100), "share_true", "component 1")
    assert np.isnan(found.estimate) and found.method == "cannot be resampled"


def test_parallel_analysis_keeps_nothing_of_unrelated_items_and_two_of_two_factors():
    rng = np.random.default_rng(8)
    unrelated = components(made(rng.normal(size=(117, 5))), n_draws=500)
    assert pick(unrelated, "kept_parallel").estimate == 0
    two = np.hstack([one_factor_data(rng, 117, [0.8] * 3), one_factor_data(rng, 117, [0.8] * 3)])
    assert pick(components(made(two), n_draws=500), "kept_parallel").estimate == 2


def test_shuffling_keeps_the_items_and_breaks_their_correlation():
    x = one_factor_data(np.random.default_rng(9), 117, [0.9] * 4)
    values = shuffled_eigenvalues(x, 400, seed=1)
    assert values.sum(axis=1) == pytest.approx(np.full(400, 4.0))
    normal = np.random.default_rng(1).normal(size=(400, 117, 4))
    reference = np.array([np.linalg.eigvalsh(np.corrcoef(each.T))[::-1] for each in normal])
    assert values.mean(axis=0) == pytest.approx(reference.mean(axis=0), abs=0.03)


def test_adequacy_equals_that_from_partial_correlations_by_regression(indicators):
    x = standardised(indicators.values)
    matrix = np.corrcoef(x.T)
    partial = np.zeros((5, 5))
    for i in range(5):
        for j in set(range(5)) - {i}:
            rest = [m for m in range(5) if m not in (i, j)]
            left = [x[:, m] - x[:, rest] @ np.linalg.lstsq(x[:, rest], x[:, m])[0] for m in (i, j)]
            partial[i, j] = np.corrcoef(left)[0, 1]
    simple = matrix - np.eye(5)
    expected = (simple**2).sum() / ((simple**2).sum() + (partial**2).sum())
    assert adequacy(matrix)[0] == pytest.approx(expected)
    assert pick(components(indicators, n_draws=100), "adequacy").estimate == pytest.approx(expected)


def test_the_factor_agrees_with_scikit_learn_and_statsmodels(indicators):
    from sklearn.decomposition import FactorAnalysis
    from statsmodels.multivariate.factor import Factor as Reference

    z = (indicators.values - indicators.values.mean(axis=0)) / indicators.values.std(axis=0)
    fit = one_factor(correlation(covariance(indicators.values)))
    sklearn = FactorAnalysis(1, tol=1e-12, max_iter=20_000).fit(z)
    assert fit.loading == pytest.approx(np.abs(sklearn.components_[0]), abs=2e-6)
    assert fit.uniqueness == pytest.approx(sklearn.noise_variance_, abs=2e-6)
    reference = Reference(corr=np.corrcoef(z.T), n_factor=1, nobs=117, method="ml").fit()
    assert fit.loading == pytest.approx(np.abs(reference.loadings[:, 0]), abs=1e-5)
    assert fit.uniqueness == pytest.approx(reference.uniqueness, abs=1e-5)


def test_three_items_have_the_loadings_of_the_closed_form():
    """The first loading squared is r12 r13 / r23."""
    r12, r13, r23 = 0.56, 0.48, 0.42
    fit = one_factor(np.array([[1, r12, r13], [r12, 1, r23], [r13, r23, 1]]))
    assert fit.loading == pytest.approx(np.sqrt([r12 * r13 / r23, r12 * r23 / r13, r13 * r23 / r12]), abs=1e-7)


@given(LOADINGS)
@settings(max_examples=30)
def test_correlations_that_one_factor_made_give_its_loadings_back(loading):
    loading = np.array(loading)
    matrix = np.outer(loading, loading) + np.diag(1 - loading**2)
    fit = one_factor(matrix)
    assert fit.loading == pytest.approx(loading, abs=1e-5)
    assert discrepancy(matrix, fit.implied) == pytest.approx(0, abs=1e-9)


def test_no_other_factor_has_a_higher_likelihood(indicators):
    matrix = correlation(covariance(indicators.values))

    def misfit(theta):
        loading, uniqueness = theta[:5], np.exp(theta[5:])
        return discrepancy(matrix, np.outer(loading, loading) + np.diag(uniqueness))

    best = optimize.minimize(misfit, np.r_[np.full(5, 0.5), np.full(5, -1.0)], method="BFGS", options={"gtol": 1e-8})
    assert discrepancy(matrix, one_factor(matrix).implied) == pytest.approx(best.fun, abs=1e-8)


def test_a_stack_of_matrices_is_fitted_as_each_alone():
    rng = np.random.default_rng(10)
    stack = np.stack([np.corrcoef(one_factor_data(rng, 60, [0.8, 0.7, 0.6, 0.5]).T) for _ in range(5)])
    together = one_factor(stack)
    for b in range(5):
        assert together.loading[b] == pytest.approx(one_factor(stack[b]).loading, abs=1e-8)


def test_the_domains_are_a_heywood_case_and_the_answer_says_so(domains):
    """r(access, status) r(status, pay) / r(access, pay) is above 1: status would be explained more than whole."""
    r = np.corrcoef(domains.values.T)
    assert r[0, 1] * r[1, 2] / r[0, 2] > 1
    found = factor(domains, n_draws=300)
    improper = pick(found, "heywood")
    assert improper.estimate == 1 and improper.method == "uniqueness at its floor: status"
    assert pick(found, "uniqueness", "status").estimate == FLOOR
    assert pick(found, "heywood_share").estimate > 0.5
    assert pick(found, "degrees_of_freedom").method == "cannot be tested"
    assert not [x for x in found if x.statistic in ("chi2_p", "rmsea", "cfi", "tli")]


def test_one_factor_does_not_fit_the_indicators_and_access_is_why(indicators):
    found = factor(indicators, n_draws=300)
    assert pick(found, "chi2_p").estimate < 1e-6
    rmsea = pick(found, "rmsea")
    assert 0.2 < rmsea.lower < rmsea.estimate < rmsea.upper < 0.36
    largest = next(x for x in found if x.statistic == "residual_correlation")
    assert (largest.term, largest.other) == ("economic_activity_rate", "unemployment_rate")
    assert largest.estimate == pytest.approx(0.317, abs=1e-3)
    assert pick(found, "pearson", "factor", "published total").estimate > 0.9


def test_fit_indices_by_their_formulas(indicators):
    found = factor(indicators, n_draws=100)
    matrix = correlation(covariance(indicators.values))
    fit = one_factor(matrix)
    chi2 = 116 * discrepancy(matrix, fit.implied)
    chi2_0 = 116 * discrepancy(matrix, np.eye(5))
    assert pick(found, "chi2").estimate == pytest.approx(chi2)
    assert pick(found, "rmsea").estimate == pytest.approx(np.sqrt((chi2 - 5) / 5 / 116))
    assert pick(found, "cfi").estimate == pytest.approx(1 - (chi2 - 5) / (chi2_0 - 10))
    assert pick(found, "tli").estimate == pytest.approx((chi2_0 / 10 - chi2 / 5) / (chi2_0 / 10 - 1))
    total = fit.loading.sum() ** 2
    assert pick(found, "omega").estimate == pytest.approx(total / (total + fit.uniqueness.sum()))


def test_bounds_of_a_noncentrality_give_the_statistic_its_tail_probabilities():
    low, high = noncentrality(40.0, 5, 0.9)
    assert stats.ncx2.cdf(40, 5, [low, high]) == pytest.approx([0.95, 0.05])
    assert noncentrality(2.0, 5, 0.9)[0] == 0.0
    assert noncentrality(0.0, 5, 0.9) == (0.0, 0.0)


@pytest.mark.slow
def test_chi_square_and_intervals_of_loadings_keep_their_level():
    rng, runs, true = np.random.default_rng(13), 600, np.array([0.8, 0.7, 0.6, 0.75, 0.5])
    rejected, inside = 0, np.zeros(5)
    for run in range(runs):
        found = factor(made(one_factor_data(rng, 117, true)), n_draws=300, seed=run)
        rejected += pick(found, "chi2_p").estimate < 0.05
        for j, term in enumerate("abcde"):
            number = pick(found, "loading", term)
            inside[j] += number.lower <= true[j] <= number.upper
    assert rejected / runs == pytest.approx(0.05, abs=0.025)
    assert inside / runs == pytest.approx(np.full(5, 0.94), abs=0.03)
