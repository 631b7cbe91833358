"""Correlations of the index with outcomes: by hand, known answers, other programs, laws and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gwm_models.data.edition import load_edition, unit_values
from gwm_models.errors import ModelError
from gwm_models.index.correlation import fisher_interval, interval_of_z
from gwm_models.models.association.core import (
    border_steps,
    correlate,
    correlation_of_t,
    effective_size,
    p_of_t,
    t_of_correlation,
)
from gwm_models.models.association.specs import SPECS, correlation_rows
from gwm_models.models.cross_section import cross_section
from gwm_models.models.outcomes import OUTCOMES, TOPICS, find_outcome, find_subject

LINE = np.array([[i, i + 1] for i in range(11)])
CORRELATIONS = st.floats(-0.99, 0.99)
OUTCOME_VALUES = st.lists(st.integers(-99, 99), min_size=12, max_size=12).filter(
    lambda v: len(set(v)) > 1 and v != [i**2 for i in range(12)]
)


def fit_of(topic):
    return SPECS[0].make(load_edition(), find_subject(topic), n_draws=4000, seed=1)


@pytest.fixture(scope="module")
def every_row():
    """Return the table over every outcome, by outcome."""
    return {row["term"]: row for row in correlation_rows(load_edition(), OUTCOMES)}


@pytest.fixture(scope="module")
def despair():
    return fit_of("despair")


# By hand


def test_a_correlation_of_twelve_points_by_hand():
    x = np.arange(12.0)
    y = np.where(x < 6, 0.0, 1.0)
    # Sums of squares 143 and 3, of products 3 x 6 = 18.
    found = correlate(y, x)
    assert found.r == pytest.approx(18 / np.sqrt(143 * 3), abs=1e-12)
    assert (found.n, found.reliability) == (12, 1.0)
    assert found.corrected == found.r


def test_noise_of_known_variance_is_taken_out_by_hand():
    x = np.arange(12.0)
    y = x % 5 + x
    # Variance 13 with one off the count; noise of variance 2 on average leaves 11 of 13.
    found = correlate(y, x, np.tile([1.0, 3.0], 6))
    assert found.reliability == pytest.approx(11 / 13, abs=1e-12)
    assert found.corrected == pytest.approx(found.r / np.sqrt(11 / 13), abs=1e-12)


def test_noise_larger_than_the_spread_leaves_no_corrected_correlation():
    x = np.arange(12.0)
    found = correlate(x % 5, x, np.full(12, 14.0))
    assert found.reliability < 0
    assert np.isnan(found.corrected)
    assert np.isnan(found.corrected_influence).all()
    assert np.isfinite(found.influence).all()


def test_a_correlation_that_rests_on_one_unit_has_no_jackknife_error():
    y = np.zeros(12)
    y[3] = 1.0
    found = correlate(y, np.arange(12.0))
    assert np.isfinite(found.r)
    assert np.isnan(found.influence).all()


def test_steps_between_units_and_units_out_of_reach():
    steps = border_steps(np.array([[0, 1], [1, 2], [2, 3]]), 5)
    assert steps[0].tolist() == [0, 1, 2, 3, np.inf]
    assert (steps == steps.T).all()


# Against other computations


def test_influence_is_that_of_leaving_out_each_unit_in_turn():
    rng = np.random.default_rng(1)
    x, e, noise = rng.normal(size=(3, 20))
    y, noise = x + e, 0.1 * np.abs(noise)
    found = correlate(y, x, noise)
    z, corrected = np.empty((2, 20))
    for i in range(20):
        rest = np.arange(20) != i
        r = np.corrcoef(y[rest], x[rest])[0, 1]
        share = 1 - noise[rest].mean() / np.var(x[rest], ddof=1)
        z[i], corrected[i] = np.arctanh(r), np.arctanh(r / np.sqrt(share))
    for ours, without in ((found.influence, z), (found.corrected_influence, corrected)):
        assert ours == pytest.approx((without.mean() - without) * np.sqrt(19 / 20), abs=1e-10)
        assert (ours**2).sum() == pytest.approx(19 / 20 * ((without - without.mean()) ** 2).sum(), abs=1e-12)


def test_r_t_p_and_interval_are_those_of_scipy():
    rng = np.random.default_rng(2)
    x = rng.normal(size=40)
    y = 0.5 * x + rng.normal(size=40)
    theirs = stats.pearsonr(y, x)
    found = correlate(y, x)
    t = t_of_correlation(found.r, 40)
    assert found.r == pytest.approx(theirs.statistic, abs=1e-12)
    assert float(p_of_t(t, 38)) == pytest.approx(theirs.pvalue, rel=1e-8)
    interval = theirs.confidence_interval(0.95)
    assert [float(bound) for bound in fisher_interval(found.r, 40)] == pytest.approx([*interval], abs=1e-10)


def test_effective_size_is_that_of_explicit_matrices():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 12)).cumsum(axis=1)
    steps = border_steps(LINE, 12)
    centre = np.eye(12) - 1 / 12
    covariances = []
    for values in (x, y):
        away = values - values.mean()
        cov = np.empty((12, 12))
        for k in range(12):
            pairs = [(i, j) for i in range(12) for j in range(12) if abs(i - j) == k]
            mean = np.mean([away[i] * away[j] for i, j in pairs])
            for i, j in pairs:
                cov[i, j] = mean
        covariances.append(cov)
    one, two = (centre @ cov for cov in covariances)
    size = 1 + np.trace(one) * np.trace(two) / np.trace(one @ two)
    assert 3 < size < 12
    assert effective_size(x, y, steps) == pytest.approx(size, abs=1e-10)


# Known answers

KNOWN = {
    "healthy_life_expectancy_male": (0.82, 116),
    "healthy_life_expectancy_female": (0.80, 116),
    "alcohol_related_admissions": (-0.59, 115),
    "drug_misuse_admissions": (-0.53, 116),
    "self_harm_admissions": (-0.26, 115),
    "avoidable_mortality": (-0.74, 116),
    "covid19_mortality": (-0.24, 116),
    "non_covid19_mortality": (-0.71, 116),
    "furlough_takeup": (-0.29, 115),
}


@pytest.mark.parametrize("outcome", KNOWN)
def test_known_correlations_without_shared_units(every_row, outcome):
    r, n = KNOWN[outcome]
    row = every_row[outcome]
    assert row["estimate_no_shared"] == pytest.approx(r, abs=0.005)
    assert row["n_no_shared"] == n
    assert row["n"] == n + 1
    assert row["estimate"] == pytest.approx(r, abs=0.015)


def test_the_known_correlation_of_suicide_counts_a_rate_published_as_unreliable(every_row):
    c = cross_section(load_edition(), find_outcome("suicide"))
    published = unit_values("outcomes", "suicide_asmr", "2016-18", c.code)["value"]
    apart = ~c.shared
    assert apart.sum() == 116
    assert np.corrcoef(published[apart], c.total[apart])[0, 1] == pytest.approx(-0.33, abs=0.005)
    assert every_row["suicide"]["n_no_shared"] == 115
    assert every_row["suicide"]["estimate_no_shared"] == pytest.approx(-0.31, abs=0.005)
    assert every_row["suicide"]["n_with_unreliable"] == 116
    assert every_row["suicide"]["estimate_with_unreliable"] == pytest.approx(-0.330, abs=0.0005)
    for name, row in every_row.items():
        if name != "suicide":
            assert (row["estimate_with_unreliable"], row["n_with_unreliable"]) == (
                row["estimate_no_shared"],
                row["n_no_shared"],
            )


# The table and its fit


def test_covid_deaths_are_counted_once_where_the_table_has_their_rate_too(every_row):
    crude = every_row["covid19_deaths"]
    assert crude["label"].endswith("(crude rate)")
    assert np.isnan([crude["q_value"], crude["q_spatial"]]).all()
    alone = correlation_rows(load_edition(), [find_outcome("covid19_deaths"), find_outcome("suicide")])[0]
    assert not alone["label"].endswith("(crude rate)")
    assert alone["q_value"] >= alone["p_value"]
    fit = fit_of("covid")
    assert (fit.diagnostics["n_outcomes"], len(fit.term)) == (4, 5)
    assert "of 4 outcomes" in fit.found
    assert any("crude rate" in line for line in fit.assumptions)


def test_both_counts_follow_one_rule():
    fit = fit_of("all")
    rows = [row for row in fit.tables["correlations"] if np.isfinite(row["q_value"])]
    plain, spatial = (sum(row[q] <= 0.05 for row in rows) for q in ("q_value", "q_spatial"))
    assert plain > spatial
    assert f"{plain} of {len(rows)} outcomes" in fit.found
    assert f"({spatial} once neighbours that are alike" in fit.found


def test_outcomes_that_share_deaths_are_said(despair):
    assert any(line.startswith("Avoidable mortality holds suicides") for line in despair.assumptions)
    assert any(line.startswith("Deaths from drug poisoning hold suicides") for line in despair.assumptions)
    assert not any("suicides" in line for line in fit_of("healthy_life_expectancy").assumptions)


def test_every_row_holds_together(every_row):
    counted = [row for name, row in every_row.items() if name != "covid19_deaths"]
    for one, other in (("p_value", "q_value"), ("p_spatial", "q_spatial")):
        p, q = (np.array([row[name] for row in counted]) for name in (one, other))
        assert q == pytest.approx(stats.false_discovery_control(p), rel=1e-10)
    for row in every_row.values():
        r, n = row["estimate"], row["n"]
        assert row["t_statistic"] == pytest.approx(r * np.sqrt((n - 2) / (1 - r**2)), rel=1e-12)
        assert row["lower"] < r < row["upper"]
        assert row["robust_lower"] < r < row["robust_upper"]
        assert row["r_squared"] == pytest.approx(row["partial_r2"], abs=1e-12)
        assert abs(row["corrected"]) > abs(r)
        assert row["corrected_lower"] < row["corrected"] < row["corrected_upper"]
        assert 3 <= row["effective_n"] <= n
        assert row["p_spatial"] >= row["p_value"]
        assert row["moran_p"] <= 1


def test_spearman_is_that_of_ranks_and_counts_are_rates(every_row):
    c = cross_section(load_edition(), find_outcome("drug_poisoning_deaths"))
    kept = np.isfinite(c.value)
    rate = (c.value / c.population)[kept]
    row = every_row["drug_poisoning_deaths"]
    assert row["estimate"] == pytest.approx(np.corrcoef(rate, c.total[kept])[0, 1], abs=1e-12)
    ranks = [stats.rankdata(values) for values in (rate, c.total[kept])]
    assert row["spearman"] == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-12)
    assert row["unit"] == "deaths per 100,000 a year"


def test_the_fit_has_one_correlation_for_each_outcome_and_their_joint_covariance(despair):
    rows = despair.tables["correlations"]
    assert despair.term == tuple(row["term"] for row in rows) == find_subject("despair").members
    assert despair.std_error == pytest.approx([row["std_error"] for row in rows], rel=0.02)
    assert np.linalg.eigvalsh(despair.cov).min() > 0
    assert despair.cov == pytest.approx(despair.cov.T)
    correlation = despair.cov / np.outer(despair.std_error, despair.std_error)
    assert 0 < correlation[0, 1] < 1
    assert set(despair.unit) == {"correlation"}


def test_units_that_one_outcome_counts_together_are_one_unit_of_the_joint_sample(despair):
    merged = [code for code in despair.sample if "+" in code]
    assert merged == ["E06000058+E06000059"]
    assert not {"E06000058", "E06000059"} & {*despair.sample}
    assert despair.n == len(despair.sample) == 116


def test_covariance_of_two_correlations_is_that_of_samples_drawn_anew():
    rng = np.random.default_rng(11)
    drawn = rng.multivariate_normal(np.zeros(3), [[1, 0.6, 0.5], [0.6, 1, 0.7], [0.5, 0.7, 1]], size=(400, 100))
    z, cov = np.empty((400, 2)), np.empty(400)
    for i, sample in enumerate(drawn):
        one, two = (correlate(sample[:, j], sample[:, 0]) for j in (1, 2))
        z[i] = np.arctanh([one.r, two.r])
        cov[i] = (one.influence * two.influence).sum()
    assert cov.mean() == pytest.approx(np.cov(z.T)[0, 1], rel=0.2)


def test_the_fit_says_what_was_left_out_and_what_it_does_not_show(despair):
    assert "Suicide, ages 10 and over: Rutland (few deaths, published as unreliable)" in despair.excluded
    assert "Over 115 to 117 units, 7 of 7 outcomes are correlated with the Monitor total" in despair.found
    assert "r = -0.75, 95% interval -0.82 to -0.66" in despair.found
    assert "does not show that better work would change" in despair.not_shown
    assert despair.found.count(". ") + despair.not_shown.count(". ") == 0


def test_every_topic_of_areas_has_the_table_and_no_other_subject():
    found = {subject.id for subject in (*OUTCOMES, *TOPICS) if SPECS[0].applies(subject)}
    assert {"healthy_life_expectancy", "despair", "covid"} <= found
    assert not {"disease_burden", *(outcome.id for outcome in OUTCOMES)} & found


def test_the_table_is_made_for_an_open_edition_too():
    fit = SPECS[0].make(load_edition("open-2019"), find_subject("healthy_life_expectancy"))
    assert fit.n == 117
    assert "the total of open-2019" in fit.found
    assert fit.estimate[0] > 0.5


def test_too_few_or_constant_figures_are_refused():
    with pytest.raises(ModelError, match="10 areas or more with figures; there are 9"):
        correlate(np.arange(9.0), np.arange(9.0))
    with pytest.raises(ModelError, match="The outcome is the same in every area"):
        correlate(np.ones(12), np.arange(12.0))
    with pytest.raises(ModelError, match="The exposure is the same in every area"):
        correlate(np.arange(12.0), np.ones(12))
    with pytest.raises(ModelError, match="follows exactly from the exposure"):
        correlate(3 - 2 * np.arange(12.0), np.arange(12.0))
    with pytest.raises(ModelError, match="four pairs or more"):
        fisher_interval(0.5, 3)


# Laws


@given(CORRELATIONS, st.integers(5, 10_000))
def test_t_and_r_are_one_and_the_same(r, n):
    assert float(correlation_of_t(t_of_correlation(r, n), n)) == pytest.approx(r, abs=1e-9)


@given(CORRELATIONS, st.integers(4, 10_000), st.floats(0.1, 0.99))
def test_intervals_hold_the_estimate_and_mirror(r, n, level):
    lower, upper = fisher_interval(r, n, level)
    assert -1 <= lower <= r <= upper <= 1
    assert fisher_interval(-r, n, level)[0] == pytest.approx(-upper, abs=1e-12)


@given(OUTCOME_VALUES, st.floats(0.01, 100), st.floats(-100, 100))
def test_shift_and_scale_change_no_correlation(values, scale, shift):
    x = np.arange(12.0) ** 2
    y = np.array(values, dtype=float)
    first, second = correlate(y, x), correlate(scale * y + shift, x)
    assert second.r == pytest.approx(first.r, abs=1e-9)
    assert second.influence == pytest.approx(first.influence, abs=1e-6, nan_ok=True)
    steps = border_steps(LINE, 12)
    assert effective_size(scale * y + shift, x, steps) == pytest.approx(effective_size(y, x, steps), rel=1e-6)


# Simulation


def shares_inside(rng, n, n_samples, draw, rho):
    """Return how often Fisher's, the jackknife and the corrected interval hold the true correlation."""
    inside = np.zeros((n_samples, 3), dtype=bool)
    noise = np.linspace(0.05, 0.25, n)
    for k in range(n_samples):
        x, y = draw(rng, n)
        plain, corrected = correlate(y, x), correlate(y, x + rng.normal(size=n) * np.sqrt(noise), noise)
        bounds = (
            fisher_interval(plain.r, n),
            interval_of_z(plain.r, np.linalg.norm(plain.influence)),
            interval_of_z(corrected.corrected, np.linalg.norm(corrected.corrected_influence)),
        )
        inside[k] = [lower < rho < upper for lower, upper in bounds]
    return inside.mean(axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, -0.5, 0.8])
def test_intervals_hold_the_correlation_of_normal_variables_as_often_as_they_say(rho):
    def draw(rng, n):
        x = rng.normal(size=n)
        return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)

    shares = shares_inside(np.random.default_rng(20260101), 115, 4000, draw, rho)
    assert ((shares >= 0.93) & (shares <= 0.97)).all(), shares


@pytest.mark.slow
def test_the_jackknife_interval_holds_heavy_tails_where_fishers_does_not():
    def draw(rng, n):
        x, e = rng.normal(size=(2, n)) * np.sqrt(6 / rng.chisquare(6, size=n) * 4 / 6)
        return x, 0.7 * x + np.sqrt(1 - 0.7**2) * e

    fisher, jackknife, _ = shares_inside(np.random.default_rng(20260101), 115, 4000, draw, 0.7)
    assert fisher < 0.91
    assert 0.93 <= jackknife <= 0.97


@pytest.mark.slow
def test_the_test_with_fewer_units_keeps_its_level_where_neighbours_are_alike():
    c = cross_section(load_edition(), find_outcome("life_expectancy_male"))
    n = len(c)
    joined = np.zeros((n, n))
    joined[c.borders[:, 0], c.borders[:, 1]] = joined[c.borders[:, 1], c.borders[:, 0]] = 1
    pull = np.linalg.inv(np.eye(n) - 0.7 * joined / np.maximum(joined.sum(axis=1, keepdims=True), 1))
    steps = border_steps(c.borders, n)
    pairs = np.random.default_rng(20260101).normal(size=(1500, 2, n)) @ pull.T
    naive, spatial = np.zeros((2, 1500))
    for k, (x, y) in enumerate(pairs):
        r = np.corrcoef(x, y)[0, 1]
        size = effective_size(x, y, steps)
        naive[k], spatial[k] = (p_of_t(t_of_correlation(r, m), m - 2) for m in (n, size))
    assert (naive < 0.05).mean() > 0.15
    assert 0.03 < (spatial < 0.05).mean() < 0.09
