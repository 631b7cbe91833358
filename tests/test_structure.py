"""Structure of the index: worked by hand, against other programs, laws, and coverage by simulation."""

import csv
import io
import json

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

from gwm_models.cli.index_structure import structure
from gwm_models.data.edition import load_edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError
from gwm_models.index import structure as parts
from gwm_models.index.correlation import fisher_interval, z_error
from gwm_models.index.structure import (
    Items,
    alpha,
    correlation,
    correlations,
    covariance,
    domain_items,
    domain_pairs,
    feldt_interval,
    indicator_items,
    reliability,
    resample,
)
from gwm_models.index.structure_estimates import Maker


@pytest.fixture(scope="module")
def edition():
    return load_edition("monitor-2021")


def made(values, error_cov=None, kind="made"):
    values = np.asarray(values, dtype=float)
    n, k = values.shape
    error = np.zeros((n, k, k)) if error_cov is None else np.broadcast_to(error_cov, (n, k, k))
    return Items(kind, tuple("abcdefgh"[:k]), values, error, tuple(map(str, range(n))), values.sum(axis=1))


def one_factor_data(rng, n, loading):
    loading = np.asarray(loading)
    own = rng.normal(size=(n, len(loading))) * np.sqrt(1 - loading**2)
    return rng.normal(size=(n, 1)) * loading + own


def pick(found, statistic, term="", other="", method=None):
    (one,) = [
        number
        for number in found
        if (number.statistic, number.term, number.other) == (statistic, term, other) and method in (None, number.method)
    ]
    return one


def test_alpha_of_a_worked_covariance_matrix_whole_and_with_each_item_left_out():
    """46 is the sum of variances, 118 of all entries: 4/3 (1 - 46/118); without the first, 3/2 (1 - 36/72)."""
    cov = np.full((4, 4), 6.0) + np.diag([4.0, 5, 6, 7])
    assert float(alpha(cov)) == pytest.approx(4 / 3 * (1 - 46 / 118))
    without = [float(alpha(np.delete(np.delete(cov, j, 0), j, 1))) for j in range(4)]
    assert without == pytest.approx([0.75, 0.76056, 0.77143, 0.78261], abs=1e-5)


@given(st.floats(-0.9, 0.9))
def test_alpha_of_two_standardised_items_is_the_spearman_brown_formula(r):
    assert float(alpha([[1, r], [r, 1]])) == pytest.approx(2 * r / (1 + r))


def test_alpha_equals_that_from_an_analysis_of_variance():
    """By areas and items: 1 - mean square of the residual / mean square of the areas."""
    x = one_factor_data(np.random.default_rng(3), 40, [0.8, 0.6, 0.7])
    areas, columns = x.mean(axis=1, keepdims=True), x.mean(axis=0, keepdims=True)
    residual = ((x - areas - columns + x.mean()) ** 2).sum() / (39 * 2)
    between = 3 * ((areas - x.mean()) ** 2).sum() / 39
    assert float(alpha(covariance(x))) == pytest.approx(1 - residual / between)


def test_feldt_interval_is_where_its_f_ratio_has_the_tail_probabilities():
    lower, upper = feldt_interval(0.79, 41, 26, 0.9)
    tails = [stats.f.sf((1 - bound) / (1 - 0.79), 40, 40 * 25) for bound in (lower, upper)]
    assert tails == pytest.approx([0.05, 0.95])
    assert lower < 0.79 < upper


def test_intervals_of_correlations_agree_with_scipy():
    x = one_factor_data(np.random.default_rng(1), 117, [0.8, 0.6])
    found = stats.pearsonr(x[:, 0], x[:, 1])
    bounds = found.confidence_interval(0.9)
    lower, upper = fisher_interval(float(found.statistic), 117, 0.9)
    assert (lower, upper) == pytest.approx((bounds.low, bounds.high))
    items = made(np.round(x, 1))
    numbers = correlations(items, n_draws=100)
    assert pick(numbers, "spearman", "a", "b").estimate == pytest.approx(stats.spearmanr(items.values)[0])
    assert pick(numbers, "pearson", "a", "b").estimate == pytest.approx(np.corrcoef(items.values.T)[0, 1])


def test_the_interval_of_ranks_is_wider_by_bonett_and_wright():
    """r = 0.6 over 28: z is 0.6931, its error sqrt(1.18 / 25) = 0.21726."""
    lower, upper = fisher_interval(0.6, 28, ranks=True)
    assert (lower, upper) == pytest.approx(tuple(np.tanh(np.log(2) + np.array([-1, 1]) * 1.959964 * 0.2172556)))
    assert z_error(0.6, 28, ranks=True) == pytest.approx(0.2172556)
    found = Maker("pair", 28, 0.95).fisher("spearman", 0.6)
    assert found.std_error == pytest.approx(0.64 * 0.2172556)
    assert (found.lower, found.upper) == (lower, upper)


def test_a_perfect_correlation_has_no_width():
    assert fisher_interval(1.0, 50) == (1.0, 1.0)
    assert fisher_interval(-1.0, 50) == (-1.0, -1.0)


def test_true_correlation_takes_errors_out_of_variances_and_covariances_by_hand():
    """Variances 4 and 9, covariance 3; errors 1 and 1 with covariance -0.5: 3.5 / sqrt(3 x 8)."""
    x = np.random.default_rng(2).normal(size=(30, 2))
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(covariance(x))).T
    x = x @ np.linalg.cholesky(np.array([[4.0, 3], [3, 9]])).T
    items = made(x, np.array([[1.0, -0.5], [-0.5, 1]]))
    numbers = correlations(items, n_draws=200)
    assert pick(numbers, "pearson_true", "a", "b").estimate == pytest.approx(3.5 / np.sqrt(24))
    assert pick(numbers, "noise_share", "a").estimate == pytest.approx(1 / 4)
    assert pick(numbers, "noise_share", "b").estimate == pytest.approx(1 / 9)


def test_without_sampling_error_the_true_correlation_is_the_observed_one():
    numbers = correlations(made(one_factor_data(np.random.default_rng(4), 50, [0.8, 0.5, 0.7])), n_draws=200)
    for pair in (("a", "b"), ("a", "c"), ("b", "c")):
        true, seen = pick(numbers, "pearson_true", *pair), pick(numbers, "pearson", *pair)
        assert true.estimate == pytest.approx(seen.estimate)


def test_more_error_than_variance_gives_no_number_instead_of_a_wrong_one():
    assert np.isnan(correlation(np.array([[-0.1, 0.2], [0.2, 1.0]]))[0, 1])
    items = made(np.random.default_rng(5).normal(size=(30, 2)), np.diag([9.0, 0.0]))
    found = pick(correlations(items, n_draws=100), "pearson_true", "a", "b")
    assert np.isnan([found.estimate, found.lower, found.upper]).all()
    assert found.method == "cannot be resampled"


@given(st.lists(st.floats(0.01, 100), min_size=3, max_size=3), st.integers(0, 1000))
@settings(max_examples=25)
def test_a_change_of_units_changes_no_correlation_and_no_standardised_alpha(scale, seed):
    x = one_factor_data(np.random.default_rng(seed), 40, [0.8, 0.6, 0.7])
    first, other = made(x, np.diag([0.1, 0.2, 0.1])), made(x * scale, np.diag([0.1, 0.2, 0.1] * np.square(scale)))
    for a, b in zip(correlations(first, n_draws=100), correlations(other, n_draws=100), strict=True):
        if b.other != "published total":
            assert (a.estimate, a.lower, a.upper) == pytest.approx((b.estimate, b.lower, b.upper), abs=1e-7)
    pair = [pick(reliability(items, n_draws=100), "alpha_standardised") for items in (first, other)]
    assert pair[0].estimate == pytest.approx(pair[1].estimate, abs=1e-9)


def test_resampled_covariances_are_those_of_the_rows_drawn():
    items = made(one_factor_data(np.random.default_rng(6), 25, [0.8, 0.6, 0.7]) + 500, np.eye(3))
    again = resample(items, 50, seed=9)
    counts = keyed_rng(9, "structure", "made").multinomial(25, np.full(25, 1 / 25), size=50)
    for b in (0, 17, 49):
        rows = np.repeat(items.values, counts[b], axis=0)
        assert again.cov[b] == pytest.approx(np.cov(rows.T), abs=1e-9)


def test_the_same_seed_gives_the_same_numbers_and_another_does_not():
    items = made(one_factor_data(np.random.default_rng(7), 40, [0.8, 0.6]), np.eye(2) * 0.1)
    first, again, other = (reliability(items, n_draws=300, seed=seed) for seed in (1, 1, 2))
    assert repr(first) == repr(again), "as words, in which nan is nan"
    assert repr(first) != repr(other)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((30, 2)) * [[1, 2]], "the same value everywhere \\(a, b\\)"),
        (np.random.default_rng(1).normal(size=(30, 1)), "1 items of 30 units; structure needs two items"),
        (np.random.default_rng(1).normal(size=(5, 2)), "2 items of 5 units"),
    ],
)
def test_items_without_a_structure_are_refused(values, message):
    with pytest.raises(DataError, match=message):
        made(values)


def test_indicators_are_the_five_open_ones_over_117_units_higher_is_better(edition):
    items = indicator_items(edition)
    assert items.term == (
        "economic_activity_rate",
        "unemployment_rate",
        "professional_share",
        "routine_share",
        "median_pay",
    )
    assert items.missing == ("satisfactory_hours",)
    assert any("satisfactory_hours" in note for note in items.notes)
    assert len(items) == 117
    assert (np.corrcoef(np.column_stack([items.values, items.total]).T) > 0).all()
    unemployed = edition.values[edition.areas.name.index("Hartlepool"), 1]
    place = items.unit.index(edition.areas.unit[edition.areas.name.index("Hartlepool")])
    assert items.values[place, 1] == pytest.approx(-99 / 8.1 * unemployed)


def test_noise_share_of_an_indicator_is_its_mean_error_variance_over_its_variance(edition):
    from gwm_models.index.sampling import sampling_error

    unit, first = np.unique(edition.areas.unit, return_index=True)
    found = pick(correlations(indicator_items(edition), n_draws=100), "noise_share", "unemployment_rate")
    error, level = sampling_error(edition).std_error[first, 1], edition.values[first, 1]
    assert len(unit) == found.n == 117
    assert found.estimate == pytest.approx((error**2).mean() / level.var(ddof=1))
    assert found.estimate == pytest.approx(0.251, abs=5e-4)


def test_structure_of_the_shipped_edition(edition):
    """Recomputed here from the open levels, signs turned by hand, so that the figures are not the code's own."""
    _, first = np.unique(edition.areas.unit, return_index=True)
    levels = edition.values[first][:, :5] * [1, -1, 1, -1, 1]
    r = np.corrcoef(levels.T)
    indicators = indicator_items(edition)
    found = correlations(indicators, n_draws=100)
    for i, a in enumerate(indicators.term):
        for j, b in list(enumerate(indicators.term))[i + 1 :]:
            assert pick(found, "pearson", a, b).estimate == pytest.approx(r[i, j])
    mean_r = r[np.triu_indices(5, 1)].mean()
    standardised = pick(reliability(indicators, n_draws=100), "alpha_standardised")
    assert standardised.estimate == pytest.approx(5 * mean_r / (1 + 4 * mean_r))
    assert standardised.estimate == pytest.approx(0.887, abs=5e-4)


def test_the_domains_hang_together_less_than_the_indicators_because_of_pay(edition):
    found = reliability(domain_items(edition), n_draws=500)
    whole = pick(found, "alpha", method="Feldt")
    assert whole.estimate == pytest.approx(0.718, abs=5e-4)
    assert 0.6 < whole.lower < whole.estimate < whole.upper < 0.82
    dropped = {term: pick(found, "alpha_if_dropped", term).estimate for term in ("access", "status", "pay")}
    assert max(dropped, key=dropped.get) == "pay" and dropped["pay"] > whole.estimate
    sampling = pick(found, "sampling_reliability", "sum of the items")
    assert sampling.estimate == pytest.approx(0.955, abs=5e-4)


def test_only_domains_with_two_open_indicators_are_sets_of_their_own(edition):
    sets = domain_pairs(edition, indicator_items(edition))
    assert [items.kind for items in sets] == ["indicators of access", "indicators of status"]
    found = reliability(sets[1], n_draws=100)
    r = np.corrcoef(sets[1].values.T)[0, 1]
    assert pick(found, "alpha_standardised").estimate == pytest.approx(2 * r / (1 + r))
    assert not [number for number in found if number.statistic == "alpha_if_dropped"]


def run(*words):
    app = typer.Typer()
    app.command()(structure)
    return CliRunner().invoke(app, list(words))


def test_json_is_one_object_with_every_part_and_says_what_is_missing():
    found = json.loads(run("--format", "json", "--draws", "100").stdout)
    assert set(found) == {"edition", "correlations", "reliability", "pca", "factor", "conditions"}
    for part in ("correlations", "reliability", "pca", "factor"):
        assert found[part]["missing"] == ["satisfactory_hours"]
        terms = {row["term"] for row in found[part]["rows"]} | {row["other"] for row in found[part]["rows"]}
        assert "satisfactory_hours" not in terms
        assert {"estimate", "std_error", "lower", "upper", "n", "level"} <= set(found[part]["rows"][0])
    assert len(found["conditions"]["areas"]) == 118


def test_csv_is_one_part_and_a_table_names_unit_period_and_gap():
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv", "--draws", "100").stdout)))
    assert {row["statistic"] for row in rows} == {"noise_share", "pearson", "spearman", "pearson_true"}
    rows = list(csv.DictReader(io.StringIO(run("--part", "conditions", "--format", "csv").stdout)))
    assert len(rows) == 118 and {"area_code", "studentised", "q_value", "prob_above"} <= set(rows[0])
    shown = run("--part", "reliability", "--draws", "100").stdout
    title = shown.splitlines()[0]
    assert "score points" in title and "April 2018" in title and "missing: satisfactory_hours" in title
    assert "neither a high alpha" in shown


def test_an_area_is_one_row_of_the_conditions_and_fits_no_other_part():
    rows = list(csv.DictReader(io.StringIO(run("--area", "york", "--format", "csv", "--draws", "100").stdout)))
    assert [row["area_name"] for row in rows] == ["York"]
    refused = run("--part", "factor", "--area", "York")
    assert refused.exit_code == 2 and "--area goes with" in refused.output


@pytest.mark.slow
def test_intervals_of_alpha_cover_the_true_alpha_as_often_as_they_say():
    """Items with one variance and one covariance, r = 0.4: alpha is 5 x 0.4 / (1 + 4 x 0.4)."""
    true, rng, runs = 2 / 2.6, np.random.default_rng(11), 1000
    feldt = again = 0
    for run_number in range(runs):
        items = made(one_factor_data(rng, 117, np.full(5, np.sqrt(0.4))))
        found = reliability(items, n_draws=500, seed=run_number)
        by = pick(found, "alpha", method="Feldt"), pick(found, "alpha", method="resampled units")
        feldt += by[0].lower <= true <= by[0].upper
        again += by[1].lower <= true <= by[1].upper
    assert feldt / runs == pytest.approx(0.95, abs=0.02)
    assert again / runs == pytest.approx(0.945, abs=0.025)


@pytest.mark.slow
def test_true_correlations_are_found_behind_uneven_and_correlated_errors():
    """r = 0.7 between true values; errors differ by unit and are correlated -0.5."""
    rng, runs, n = np.random.default_rng(12), 1000, 117
    estimates, inside, observed = [], 0, []
    for run_number in range(runs):
        true = rng.normal(size=(n, 2)) @ np.linalg.cholesky(np.array([[1, 0.7], [0.7, 1]])).T
        sd = rng.uniform(0.2, 0.7, n)
        error = sd[:, None, None] ** 2 * np.array([[1, -0.5], [-0.5, 1]])
        noise = np.einsum("njk,nk->nj", np.linalg.cholesky(error), rng.normal(size=(n, 2)))
        items = made(true + noise, error)
        found = pick(parts.correlations(items, n_draws=500, seed=run_number), "pearson_true", "a", "b")
        estimates.append(found.estimate)
        observed.append(np.corrcoef(items.values.T)[0, 1])
        inside += found.lower <= 0.7 <= found.upper
    assert np.mean(observed) < 0.55
    assert np.mean(estimates) == pytest.approx(0.7, abs=0.01)
    assert inside / runs == pytest.approx(0.945, abs=0.025)
