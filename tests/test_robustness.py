"""Robustness of an index: normalisation, weights, means, Sobol indices, and all of them at once."""

from __future__ import annotations

import csv
import io
import itertools
import json
from dataclasses import fields, replace

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from typer.testing import CliRunner

from gwm_models.cli.index_robustness import robustness as command
from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError
from gwm_models.index.aggregate import (
    AGGREGATIONS,
    WEIGHTINGS,
    average_inverse,
    average_terms,
    composite,
    flat_weights,
    leave_one_out_weights,
    membership,
    pca_weights,
    random_weights,
    substitution_rates,
)
from gwm_models.index.alternatives import compensability, compensability_words, one_at_a_time
from gwm_models.index.normalise import NORMALISATIONS, mid_ranks, normalise, ranks_of
from gwm_models.index.rebuild import Choices, RobustnessSpec, draw_choices, draw_errors, index_data, rebuild_ranks
from gwm_models.index.robustness import edition_index_data, probe, rank_runs, robustness
from gwm_models.index.sampling import sampling_error
from gwm_models.index.scoring import access_scores
from gwm_models.index.sobol import sobol_indices

DIRECTION = (1, -1, 1, -1, 1)
DOMAIN = ("access", "access", "status", "status", "pay")
METHODS = list(itertools.product(NORMALISATIONS, AGGREGATIONS))
STILL = {"normalisations": ("min_max",), "weightings": ("equal",), "aggregations": ("arithmetic",)}


def made_up(n=14, k=5, seed=7):
    return np.random.default_rng(seed).normal(50, 10, (n, k))


def ishigami(x):
    return np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])


def ishigami_runs(n, seed=3, repeats=1):
    a, b = np.random.default_rng(seed).uniform(-np.pi, np.pi, (2, n, repeats, 3))
    swapped = np.stack([ishigami(np.where(np.arange(3) == i, b, a)) for i in range(3)])
    return ishigami(a), ishigami(b), swapped


def ishigami_truth():
    first = np.array([0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 0])
    both = 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    variance = first.sum() + both
    return first / variance, (first + np.array([both, 0, both])) / variance


def salib_indices(base, other, swapped):
    """First-order and total indices by SALib's own analysis of one output."""
    sobol = pytest.importorskip("SALib.analyze.sobol")
    k = len(swapped)
    problem = {"num_vars": k, "names": [f"x{i}" for i in range(k)], "bounds": [[0, 1]] * k}
    runs = np.column_stack([base, *swapped, other]).astype(float).ravel()
    found = sobol.analyze(problem, runs, calc_second_order=False, num_resamples=2, seed=1)
    return found["S1"], found["ST"]


@pytest.fixture(scope="module")
def edition():
    return load_edition("monitor-2021")


@pytest.fixture(scope="module")
def data(edition):
    return edition_index_data(edition)[0]


# Normalisation


def test_min_max_rank_and_percentile_scores_by_hand():
    levels = np.append(np.arange(20.0), 119)[None]
    assert normalise(levels, "min_max")[0, [0, 10, 20]] == pytest.approx([1, 1 + 99 * 10 / 119, 100])
    assert normalise(levels, "rank")[0, [0, 10, 20]] == pytest.approx([1, 50.5, 100])
    assert normalise(levels, "percentile")[0, [0, 1, 10, 19, 20]] == pytest.approx([1, 1, 50.5, 100, 100])


def test_z_scores_keep_equal_spreads_on_one_line_from_1_to_100():
    scores = normalise([[0, 0, 0, 10], [1, 2, 3, 4]], "z")
    assert scores.std(axis=1) == pytest.approx(scores.std(axis=1)[0])
    assert scores.mean(axis=1) == pytest.approx(scores.mean(axis=1)[0])
    low, high = (1 - 2.5) / np.sqrt(1.25), 7.5 / np.sqrt(18.75)
    assert scores[0, 3] == pytest.approx(100) and scores[1, 0] == pytest.approx(1)
    assert scores[1, 3] == pytest.approx(1 + 99 * (-low - low) / (high - low))


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_every_scale_is_positive_and_rises_with_the_level(method):
    levels = made_up(40).T
    scores = normalise(levels, method)
    assert scores.min() >= 1 - 1e-9 and scores.max() <= 100 + 1e-9
    for row, scored in zip(levels, scores, strict=True):
        assert (np.diff(scored[np.argsort(row)]) >= 0).all()


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_a_batch_of_rebuilds_is_normalised_as_each_alone(method):
    batch = np.random.default_rng(2).normal(size=(6, 3, 15))
    assert normalise(batch, method) == pytest.approx(np.stack([normalise(one, method) for one in batch]), abs=1e-12)


def test_percentile_bounds_are_those_of_numpy():
    levels = made_up(118, 1).T
    low, high = np.quantile(levels[0], [0.05, 0.95])
    expected = np.clip(1 + 99 * (levels - low) / (high - low), 1, 100)
    assert normalise(levels, "percentile") == pytest.approx(expected, abs=1e-9)


def test_whole_numbers_are_normalised_as_they_are():
    assert normalise([[2, 4, 3]], "min_max").tolist() == [[1, 100, 50.5]]


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_an_indicator_without_spread_is_refused(method):
    with pytest.raises(DataError, match="no spread between its bounds"):
        normalise([[1, 2, 3], [5, 5, 5]], method)


@given(st.lists(st.lists(st.integers(-5, 5), min_size=4, max_size=4), min_size=1, max_size=5))
def test_ranks_with_ties_are_those_of_scipy(rows):
    values = np.array(rows, dtype=float)
    assert mid_ranks(values).tolist() == rankdata(values, axis=1).tolist()
    assert ranks_of(values).tolist() == rankdata(-values, axis=1, method="min").tolist()


def test_rounding_does_not_break_a_tie():
    assert ranks_of([0.1 + 0.2, 0.3, 1.0, 0.0]).tolist() == [2, 2, 1, 4]


def test_ranks_do_not_depend_on_where_nothing_is():
    for zero in (-1e7, 0, 1e7):
        assert ranks_of(zero + np.array([3.0, 1, 2, 2])).tolist() == [1, 4, 2, 2]


def test_a_tie_is_less_than_half_a_step_of_two_to_the_minus_forty_of_the_range():
    step = 2.0**-40
    assert ranks_of([0, 0.4 * step, 1]).tolist() == [2, 2, 1] and ranks_of([0, 0.6 * step, 1]).tolist() == [3, 2, 1]


# Weights and means


def test_the_monitors_method_gives_the_published_access_domain(edition):
    score = composite(edition.values[:, :2], (1, -1), ("access", "access"))
    assert 2 * score == pytest.approx(access_scores(edition), abs=1e-9)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_one_flat_mean_is_the_mean_of_the_domain_means(aggregation):
    p = {"arithmetic": 1.0, "geometric": 0.0, "harmonic": -1.0}[aggregation]

    def mean(values, weights):
        share = weights / weights.sum()
        if p == 0:
            return np.prod(values**share, axis=-1)
        return ((values**p * share).sum(axis=-1)) ** (1 / p)

    levels = made_up()
    within, across = np.array([1.0, 3, 2, 2, 5]), np.array([1.0, 2, 3])
    scores = normalise((levels * DIRECTION).T, "z").T
    domains = [mean(scores[:, :2], within[:2]), mean(scores[:, 2:4], within[2:4]), scores[:, 4]]
    expected = mean(np.stack(domains, axis=-1), across)
    found = composite(
        levels,
        DIRECTION,
        DOMAIN,
        normalisation="z",
        aggregation=aggregation,
        weights=within,
        domain_weights=across,
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_domain_counts_once_however_many_indicators_it_has():
    member = membership(DOMAIN)
    assert flat_weights(np.ones(5), np.ones(3), member) == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 3])


def test_leaving_an_indicator_out_leaves_its_domain_its_weight_unless_it_is_empty():
    rows = leave_one_out_weights(membership(DOMAIN))
    assert rows[0] == pytest.approx([0, 1 / 3, 1 / 6, 1 / 6, 1 / 3])
    assert rows[4] == pytest.approx([1 / 4, 1 / 4, 1 / 4, 1 / 4, 0])


@settings(max_examples=30)
@given(
    st.sampled_from(METHODS),
    st.lists(st.floats(0.01, 1000), min_size=5, max_size=5),
    st.lists(st.floats(-1000, 1000), min_size=5, max_size=5),
)
def test_scores_are_unchanged_by_a_change_of_unit(method, scale, shift):
    levels = made_up()
    kind = {"normalisation": method[0], "aggregation": method[1]}
    same = composite(levels * scale + np.array(shift), DIRECTION, DOMAIN, **kind)
    assert same == pytest.approx(composite(levels, DIRECTION, DOMAIN, **kind), abs=1e-6)


@pytest.mark.parametrize("method", METHODS, ids="-".join)
def test_reversing_a_direction_and_the_data_keeps_scores(method):
    kind = {"normalisation": method[0], "aggregation": method[1]}
    turned = np.array([1, -1, -1, 1, -1])
    before = composite(made_up(), DIRECTION, DOMAIN, **kind)
    after = composite(made_up() * turned, DIRECTION * turned, DOMAIN, **kind)
    assert after == pytest.approx(before, abs=1e-9)


def test_reversing_every_direction_reverses_the_ranks():
    ranks = [ranks_of(composite(made_up(), d, DOMAIN)) for d in (DIRECTION, [-one for one in DIRECTION])]
    assert (ranks[0] + ranks[1] == 15).all()


@given(st.sampled_from(AGGREGATIONS), st.floats(0.001, 1000), st.floats(0.001, 1000))
def test_weights_summing_to_anything_give_the_same_ranks(aggregation, within, across):
    kind = {"aggregation": aggregation}
    weights, domain_weights = np.array([1.0, 2, 3, 4, 5]), np.array([3.0, 1, 2])
    first = composite(made_up(), DIRECTION, DOMAIN, weights=weights, domain_weights=domain_weights, **kind)
    again = composite(
        made_up(), DIRECTION, DOMAIN, weights=within * weights, domain_weights=across * domain_weights, **kind
    )
    assert (ranks_of(first) == ranks_of(again)).all()


def test_random_weights_are_dirichlet_over_domains_and_inside_them():
    member, n = membership(DOMAIN), 40_000
    weights = random_weights(np.random.default_rng(5), n, member, 2.0)
    assert weights.sum(axis=1) == pytest.approx(np.ones(n)) and weights.min() > 0
    domains = weights @ member
    variance = (1 / 3) * (2 / 3) / (3 * 2 + 1)  # of a component of a symmetric Dirichlet
    assert domains.mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=4 * np.sqrt(variance / n))
    assert domains.var(axis=0) == pytest.approx(np.full(3, variance), rel=0.05)
    inside = weights[:, 0] / domains[:, 0]
    assert inside.var() == pytest.approx(0.25 / (2 * 2 + 1), rel=0.05)
    assert abs(np.corrcoef(inside, domains[:, 0])[0, 1]) < 4 / np.sqrt(n)


def test_pca_weights_are_the_squared_loadings_of_statsmodels_at_both_levels():
    from statsmodels.multivariate.pca import PCA

    rng = np.random.default_rng(4)
    scores = rng.normal(size=(7, 60)) + np.outer([2, 1, 0.5, 1, 1, 1, 2], rng.normal(size=60))
    domain = ("a", "a", "a", "b", "b", "c", "c")
    inner = PCA(scores[:3].T).loadings[:, 0] ** 2
    by_domain = np.stack([inner @ scores[:3], scores[3:5].mean(axis=0), scores[5:].mean(axis=0)])
    outer = PCA(by_domain.T).loadings[:, 0] ** 2
    expected = np.concatenate([inner * outer[0], np.repeat(outer[1:] / 2, 2)])
    assert pca_weights(scores, membership(domain)) == pytest.approx(expected, rel=1e-6)


def test_pca_weights_of_many_rebuilds_are_those_of_each_alone():
    scores, member = np.random.default_rng(8).normal(size=(3, 2, 5, 30)), membership(("a", "a", "a", "b", "b"))
    alone = [[pca_weights(one, member) for one in row] for row in scores]
    assert pca_weights(scores, member) == pytest.approx(np.array(alone))


def test_two_indicators_that_do_not_go_together_have_equal_pca_weights():
    assert pca_weights(np.array([[1.0, -1, 1, -1], [1, 1, -1, -1]]), membership(("a", "a"))).tolist() == [0.5, 0.5]


def test_what_has_no_weight_does_not_count():
    levels, direction = [[60, 9], [80, 5], [70, 1]], [1, -1]
    assert composite(levels, direction, ["work", "work"], weights=[2, 0]).tolist() == [1, 100, 50.5]
    assert composite(levels, direction, ["work", "pay"], domain_weights=[0, 3]).tolist() == [1, 50.5, 100]
    # A domain whose indicators have no weight leaves all of it to the other.
    assert composite(levels, direction, ["work", "pay"], weights=[0, 1]).tolist() == [1, 50.5, 100]


def test_weights_that_fit_nothing_are_refused():
    with pytest.raises(DataError, match="Expected 5 weights and 3 domain weights"):
        composite(made_up(), DIRECTION, DOMAIN, weights=[1, 1])
    for bad in ([0, 0, 1, 1, -1], [0] * 5):
        with pytest.raises(DataError, match="Weights must be zero or more"):
            composite(made_up(), DIRECTION, DOMAIN, weights=bad)
    with pytest.raises(DataError, match="Weights must be zero or more"):
        composite(made_up(), DIRECTION, DOMAIN, domain_weights=[1, -1, 3])
    with pytest.raises(DataError, match="some indicator of some domain must have weight"):
        composite(made_up(), DIRECTION, DOMAIN, weights=[0, 0, 1, 1, 1], domain_weights=[1, 0, 0])


def test_unknown_choices_are_refused_by_name():
    with pytest.raises(ValueError, match="method must be one of min_max, z, rank, percentile; got 'log'"):
        composite(made_up(), DIRECTION, DOMAIN, normalisation="log")
    with pytest.raises(ValueError, match="aggregation must be one of arithmetic, geometric, harmonic; got 'median'"):
        composite(made_up(), DIRECTION, DOMAIN, aggregation="median")
    for of_an_average in (average_terms, average_inverse, substitution_rates):
        with pytest.raises(ValueError, match="aggregation must be one of arithmetic, geometric, harmonic; got 'mean'"):
            of_an_average(np.array([40.0, 80]), "mean")
    with pytest.raises(ValueError, match="weightings must be different words out of equal, random"):
        RobustnessSpec(weightings=("equal", "budget"))
    with pytest.raises(ValueError, match="concentration must lie between"):
        RobustnessSpec(concentration=0)
    with pytest.raises(ValueError, match="level must lie between"):
        RobustnessSpec(level=1)
    with pytest.raises(ValueError, match="draws must be at least 2"):
        RobustnessSpec(draws=1)


# What one domain buys of another


def test_substitution_rates_by_hand():
    assert substitution_rates([40, 80], "arithmetic")[0, 1] == 1
    assert substitution_rates([40, 80], "geometric")[0, 1] == pytest.approx(2)
    assert substitution_rates([40, 80], "harmonic")[0, 1] == pytest.approx(4)
    assert substitution_rates([40, 80], "geometric", [3, 1])[0, 1] == pytest.approx(6)


@given(st.sampled_from(AGGREGATIONS), st.lists(st.floats(5, 95), min_size=3, max_size=3))
def test_a_small_loss_made_up_at_the_rate_leaves_the_total_as_it_was(aggregation, scores):
    weights = np.array([0.5, 0.3, 0.2])
    rate = substitution_rates(scores, aggregation, weights)[2, 0]
    step = 1e-5 * np.array([rate, 0, -1.0])

    def total(point):
        return float(average_inverse(weights @ average_terms(point, aggregation), aggregation))

    gain_alone = total(scores + np.maximum(step, 0)) - total(np.array(scores))
    assert abs(total(scores + step) - total(np.array(scores))) < 1e-3 * gain_alone + 1e-12


def test_compensability_is_said_in_words_and_as_a_number(data):
    exchanges = compensability(data)
    assert len(exchanges) == 3 * 6
    pay_by_access = {row.aggregation: row for row in exchanges if (row.lost, row.gained) == ("pay", "access")}
    assert pay_by_access["arithmetic"].rate == 1
    assert pay_by_access["arithmetic"].score_lost == pytest.approx(
        composite(data.levels[4:].T, [1], ["pay"]).mean(), abs=1e-9
    )
    geometric = pay_by_access["geometric"]
    assert geometric.rate == pytest.approx(geometric.score_gained / geometric.score_lost) and geometric.rate > 1
    assert pay_by_access["harmonic"].rate > geometric.rate
    words = compensability_words(exchanges)
    assert words[0].startswith("Arithmetic mean: a point lost in one domain is made up by 1 in any other")
    assert f"a point lost in pay (score {geometric.score_lost:.1f}) takes {geometric.rate:.3g} points of" in words[1]
    assert {row.place for row in compensability(data, data.area[3])} == {data.area[3]}


def test_one_other_choice_at_a_time_by_the_index_scored_anew(edition, data):
    found = {(row.source, row.choice): row for row in one_at_a_time(data)}
    assert len(found) == 3 + 1 + 5 + 2
    levels, direction = edition.values[:, :5], [spec.direction for spec in edition.spec.indicators[:5]]
    reference = composite(levels, direction, data.domain)
    geometric = composite(levels, direction, data.domain, aggregation="geometric")
    shift = np.abs(rankdata(-geometric, method="min") - rankdata(-reference, method="min"))
    row = found["aggregation", "geometric"]
    assert row.mean_rank_shift == shift.mean() and row.area_code == data.area[shift.argmax()]
    assert row.mean_score_change == pytest.approx(np.abs(geometric - reference).mean())
    kept = [0, 1, 2, 3]
    without = composite(levels[:, kept], np.array(direction)[kept], [data.domain[j] for j in kept])
    shift = np.abs(rankdata(-without, method="min") - rankdata(-reference, method="min"))
    assert found["weights", "without median_pay"].mean_rank_shift == shift.mean()


# Sobol indices


def test_the_ishigami_function_has_the_indices_known_for_it():
    first, total = ishigami_truth()
    assert first == pytest.approx([0.3139, 0.4424, 0], abs=1e-4) and total[2] == pytest.approx(0.2437, abs=1e-4)
    found = sobol_indices(*ishigami_runs(2**14))
    assert (np.abs(found.first_order[:, 0] - first) < 4 * found.first_order_se[:, 0]).all()
    assert (np.abs(found.total[:, 0] - total) < 4 * found.total_se[:, 0]).all()
    assert found.first_order_se.max() < 0.02 and found.total_se.max() < 0.02


def test_standard_errors_are_the_spread_of_the_estimates_over_many_repeats():
    found = sobol_indices(*ishigami_runs(512, repeats=1500))
    for estimate, error in ((found.first_order, found.first_order_se), (found.total, found.total_se)):
        assert error.mean(axis=1) == pytest.approx(estimate.std(axis=1), rel=0.1)
    first, _ = ishigami_truth()
    inside = np.abs(found.first_order - first[:, None]) < 1.96 * found.first_order_se
    assert inside.mean(axis=1) == pytest.approx(np.full(3, 0.95), abs=0.02)


def test_indices_of_the_ishigami_function_equal_those_of_salib_on_the_same_runs():
    a, b, swapped = (part[..., 0] for part in ishigami_runs(1024))
    found = sobol_indices(a, b, swapped)
    first, total = salib_indices(a, b, swapped)
    assert found.first_order == pytest.approx(first, abs=1e-12)
    assert found.total == pytest.approx(total, abs=1e-12)


def test_indices_of_every_areas_rank_equal_those_of_salib_on_the_same_rebuilds(data):
    runs = rank_runs(data, RobustnessSpec(draws=64, data_error=False))
    base, other = runs.joint[:64], runs.joint[64:]
    found = sobol_indices(base, other, runs.swapped)
    for i in range(len(data.area)):
        first, total = salib_indices(base[:, i], other[:, i], runs.swapped[:, :, i])
        assert found.first_order[:, i] == pytest.approx(first, abs=1e-12)
        assert found.total[:, i] == pytest.approx(total, abs=1e-12)


def test_pooled_indices_are_the_means_of_all_weighted_by_their_variances():
    a, b, swapped = ishigami_runs(256, repeats=4)
    scale = np.array([1, 2, 5, 0])
    one = sobol_indices(a * scale, b * scale, swapped * scale)
    together = sobol_indices(a * scale, b * scale, swapped * scale, pooled=True)
    variance = np.concatenate([a, b]).var(axis=0) * scale**2
    assert together.first_order == pytest.approx(one.first_order @ variance / variance.sum())
    assert together.total == pytest.approx(one.total @ variance / variance.sum())
    assert (one.total[:, 3] == 0).all() and (one.total_se[:, 3] == 0).all()


def test_runs_that_do_not_fit_together_are_refused():
    with pytest.raises(DataError, match="do not fit together"):
        sobol_indices(np.zeros(4), np.zeros(5), np.zeros((2, 4)))


# Rebuilds


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_rebuild_is_the_index_scored_with_those_choices(weighting):
    error = 2 + made_up(seed=9) / 50
    data = index_data(made_up(), DIRECTION, DOMAIN, std_error=error)
    choices = draw_choices(data, RobustnessSpec(weightings=(weighting,)), 60)
    ranks = rebuild_ranks(data, choices, np.repeat(np.arange(60)[:, None], 4, axis=1))
    for row in range(60):
        method = NORMALISATIONS[choices.normalisation[row]]
        mean = AGGREGATIONS[choices.aggregation[row]]
        levels = (data.levels + choices.error[row]).T
        scores = normalise(levels.T, method)
        weights = pca_weights(scores, membership(DOMAIN)) if weighting == "pca" else choices.weights[row]
        total = average_inverse(weights @ average_terms(scores, mean), mean)
        assert ranks[row].tolist() == rankdata(-np.round(total, 9), method="min").tolist()
    assert len(set(choices.normalisation[:60])) == 4 and len(set(choices.aggregation[:60])) == 3


def test_indices_over_a_full_table_of_choices_are_those_of_its_analysis_of_variance():
    data = index_data(made_up(30, seed=11), DIRECTION, DOMAIN)
    table = np.empty((4, 3, 30))
    for i, j in itertools.product(range(4), range(3)):
        one = Choices(np.array([i]), np.array([0]), np.full((1, 5), 0.2), np.array([j]), np.zeros((1, 5, 1)))
        one = replace(one, weights=flat_weights(np.ones(5), np.ones(3), membership(DOMAIN))[None])
        table[i, j] = rebuild_ranks(data, one, np.zeros((1, 4), dtype=np.int64))[0]
    variance = table.var(axis=(0, 1))
    moves = variance > 0.05
    rows, columns = table.mean(axis=1).var(axis=0), table.mean(axis=0).var(axis=0)
    found = probe(data, RobustnessSpec(weightings=("equal",), data_error=False, draws=4000)).by_area
    for s, part, other in ((0, rows, columns), (2, columns, rows)):
        first = (part / np.where(moves, variance, 1))[moves]
        total = (1 - other / np.where(moves, variance, 1))[moves]
        assert (np.abs(found.first_order[s, moves] - first) < 4.5 * found.first_order_se[s, moves] + 1e-9).all()
        assert (np.abs(found.total[s, moves] - total) < 4.5 * found.total_se[s, moves] + 1e-9).all()


def test_with_no_uncertainty_nothing_moves(data):
    still = replace(data, error_root=np.zeros_like(data.error_root))
    found = probe(still, RobustnessSpec(**STILL, draws=20))
    for ranks in (found.estimate, found.lower, found.upper):
        assert (ranks == found.reference).all()
    assert (found.shift == 0).all() and (found.alone_shift == 0).all() and (found.alone_share == 0).all()
    for indices in (found.by_area, found.of_shift, found.of_variance):
        assert (indices.first_order == 0).all() and (indices.total == 0).all()


@pytest.mark.parametrize("fixed", ["normalisations", "weightings", "aggregations"])
def test_a_choice_that_does_not_exist_has_index_zero(data, fixed):
    spec = RobustnessSpec(draws=200, data_error=False)
    found = probe(data, replace(spec, **{fixed: STILL[fixed]}))
    s = ["normalisations", "weightings", "aggregations"].index(fixed)
    for indices in (found.by_area, found.of_shift, found.of_variance):
        assert (indices.first_order[s] == 0).all() and (indices.total[s] == 0).all()
        assert np.delete(indices.total, s, axis=0).max() > 0
    assert found.alone_share[s] == 0 and "data" not in found.source


def test_one_source_alone_has_both_indices_one(data):
    found = probe(data, RobustnessSpec(**STILL, draws=3000))
    s = found.source.index("data")
    assert found.of_variance.first_order[s] == pytest.approx(1, abs=4 * found.of_variance.first_order_se[s])
    assert found.of_variance.total[s] == pytest.approx(1, abs=4 * found.of_variance.total_se[s])
    assert found.alone_share[s] == pytest.approx(1, rel=0.03)
    assert found.shift[0] == pytest.approx(found.alone_shift[s, 0], rel=0.02)


def test_method_is_normalisation_and_aggregation_together(data):
    found = probe(data, RobustnessSpec(weightings=("equal",), draws=3000))
    index = {name: s for s, name in enumerate(found.source)}
    shares = found.of_variance
    # With two independent groups of inputs, what one explains alone is what the other does not reach.
    assert shares.total[index["method"]] == pytest.approx(1 - shares.first_order[index["data"]], abs=0.06)
    assert shares.total[index["data"]] == pytest.approx(1 - shares.first_order[index["method"]], abs=0.06)
    parts = shares.first_order[index["normalisation"]] + shares.first_order[index["aggregation"]]
    assert shares.first_order[index["method"]] > parts - 0.02


def test_permuting_the_areas_permutes_the_results():
    rng = np.random.default_rng(8)
    levels, error = made_up(), np.full((14, 5), 3.0)
    area, order = [f"A{i}" for i in range(14)], rng.permutation(14)
    spec = RobustnessSpec(draws=150)
    one = robustness(levels, DIRECTION, DOMAIN, std_error=error, area=area, spec=spec)
    two = robustness(levels[order], DIRECTION, DOMAIN, std_error=error[order], area=[area[i] for i in order], spec=spec)
    assert two.area == tuple(one.area[i] for i in order)
    for name in ("reference", "estimate", "lower", "upper"):
        assert (getattr(two, name) == getattr(one, name)[order]).all()
    assert two.by_area.total == pytest.approx(one.by_area.total[:, order], abs=1e-12)
    assert two.of_shift.first_order == pytest.approx(one.of_shift.first_order, abs=1e-12)


def test_a_change_of_unit_moves_no_rank_interval():
    levels, error, scale = made_up(), np.full((14, 5), 3.0), np.array([10, 0.1, 3, 1000, 7])
    spec = RobustnessSpec(draws=150)
    one = robustness(levels, DIRECTION, DOMAIN, std_error=error, spec=spec)
    two = robustness(levels * scale, DIRECTION, DOMAIN, std_error=error * scale, spec=spec)
    assert (one.lower == two.lower).all() and (one.upper == two.upper).all()
    assert two.by_area.total == pytest.approx(one.by_area.total, abs=1e-9)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(data):
    spec = RobustnessSpec(draws=100)
    one, two, other = (probe(data, choice) for choice in (spec, spec, replace(spec, seed=5)))
    assert (one.by_area.total == two.by_area.total).all()
    assert not (one.by_area.total == other.by_area.total).all()


def test_more_concentrated_weights_move_ranks_less(data):
    shifts = [
        probe(data, RobustnessSpec(weightings=("random",), concentration=c, draws=300, data_error=False))
        for c in (1, 20, 1e6)
    ]
    moved = [found.alone_shift[1, 0] for found in shifts]
    assert moved[0] > 2 * moved[1] > 0 and moved[2] < 0.05


def test_larger_standard_errors_widen_the_intervals():
    widths = []
    for error in (0.5, 3, 9):
        found = robustness(
            made_up(), DIRECTION, DOMAIN, std_error=np.full((14, 5), error), spec=RobustnessSpec(draws=400)
        )
        widths.append((found.upper - found.lower).mean())
    assert widths[0] < widths[1] < widths[2]


def test_drawn_errors_have_the_standard_errors_and_correlations_asked_for():
    error, corr = np.tile([1.0, 2, 3, 4, 5], (14, 1)), np.eye(5)
    corr[2, 3] = corr[3, 2] = -0.6
    data = index_data(made_up(), np.ones(5), DOMAIN, std_error=error, error_corr=corr)
    drawn = draw_errors(data, 1, 5000)
    assert (drawn[-1] == 0).all()
    assert drawn[:-1].std(axis=0) == pytest.approx(error.T, rel=0.06)
    found = np.array([np.corrcoef(drawn[:-1, :, i].T) for i in range(14)]).mean(axis=0)
    assert found == pytest.approx(corr, abs=0.02)
    turned = index_data(made_up(), DIRECTION, DOMAIN, std_error=error, error_corr=corr)
    assert draw_errors(turned, 1, 50)[:, 1] == pytest.approx(-draw_errors(data, 1, 50)[:, 1])


def test_a_drawn_level_stops_at_its_limits():
    levels = np.array([[0.5, 9], [1, 9], [2, 7], [9, 1.0]])
    error = np.full((4, 2), [2.0, 0])
    data = index_data(levels, [1, -1], ["a", "b"], std_error=error, limits=[(0, 100), (0, 10)])
    assert data.limits.tolist() == [[0, 100], [-10, 0]]
    spec = RobustnessSpec(**STILL, draws=400)
    bound = rank_runs(data, spec).joint
    free = rank_runs(replace(data, limits=np.array([[-np.inf, np.inf]] * 2)), spec).joint
    assert not (bound == free).all()
    tied = [int((np.diff(np.sort(ranks, axis=1), axis=1) == 0).any(axis=1).sum()) for ranks in (bound, free)]
    assert tied[0] > 50 and tied[1] == 0  # at a limit, areas meet


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": np.ones((14, 4))}, "do not fit together"),
        ({"levels": np.where(np.eye(14, 5) == 1, np.nan, made_up())}, "not every area has a figure"),
        ({"levels": made_up() * [1, 1, 0, 1, 1]}, "indicator 3: all areas have the same value"),
        ({"direction": (1, -1, 1, -1, 2)}, "direction must be 1 or -1"),
        ({"std_error": -np.ones((14, 5))}, "std_error must be finite, zero or more"),
        ({"std_error": np.full((14, 5), np.nan)}, "std_error must be finite, zero or more"),
        ({"std_error": np.ones((14, 5)), "error_corr": np.ones((5, 5))}, "must be a positive definite correlation"),
        ({"area": ["A"] * 14}, "Expected 14 different areas"),
        ({"limits": [(0, 1)] * 5}, "hold every level"),
    ],
)
def test_figures_that_cannot_be_ranked_are_refused(change, message):
    given = {"levels": made_up(), "direction": DIRECTION, "domain": DOMAIN, **change}
    with pytest.raises(DataError, match=message):
        robustness(**given, spec=RobustnessSpec(draws=10))


# The Monitor


def test_the_monitor_is_rebuilt_from_five_indicators_and_says_which_is_missing(edition):
    data, left_out = edition_index_data(edition)
    assert left_out == ("satisfactory_hours",)
    assert data.indicator == edition.spec.indicator_ids[:5] and data.domain == DOMAIN
    direction = [spec.direction for spec in edition.spec.indicators[:5]]
    found = probe(data, RobustnessSpec(draws=50))
    score = composite(edition.values[:, :5], direction, DOMAIN)
    assert found.reference.tolist() == rankdata(-score, method="min").tolist()


def test_areas_that_carry_the_figures_of_one_unit_are_never_told_apart(edition, data):
    bournemouth, poole = (edition.areas.name.index(name) for name in ("Bournemouth", "Poole"))
    runs = rank_runs(data, RobustnessSpec(draws=300))
    assert (runs.joint[:, bournemouth] == runs.joint[:, poole]).all()
    assert runs.joint[:, bournemouth].std() > 1


def test_job_shares_of_an_area_err_in_opposite_directions(data):
    # Levels are turned so that higher is better: the shares' negative correlation becomes a positive one.
    cov = data.error_root @ np.swapaxes(data.error_root, 1, 2)
    corr = cov[:, 2, 3] / np.sqrt(cov[:, 2, 2] * cov[:, 3, 3])
    assert (corr > 0.1).all() and (corr < 0.9).all()
    assert np.abs(cov[:, 0, 1]).max() < 1e-12


def test_figures_without_sampling_error_are_refused_and_figures_without_error_are_not(edition, monkeypatch):
    known = sampling_error(edition)
    for value, fine in ((0.0, True), (np.nan, False)):
        error, cov = known.std_error.copy(), known.cov_points.copy()
        error[:, 4], cov[:, 4, :], cov[:, :, 4] = value, value, value
        changed = replace(known, std_error=error, cov_points=cov)
        monkeypatch.setattr("gwm_models.index.sampling.sampling_error", lambda _, changed=changed: changed)
        if fine:
            assert (edition_index_data(edition)[0].error_root[:, 4] == 0).all()
            continue
        with pytest.raises(DataError, match=r"no sampling error. Vary the method alone \(--sources method\)"):
            edition_index_data(edition)
        without, _ = edition_index_data(edition, data_error=False)
        assert probe(without, RobustnessSpec(draws=20, data_error=False)).source[0] == "normalisation"


def test_sampling_error_and_weights_move_the_monitors_ranks_more_than_the_method(data):
    found = probe(data, RobustnessSpec(draws=1000))
    index = {name: s for s, name in enumerate(found.source)}
    shares = found.of_variance
    assert shares.first_order[index["data"]] == pytest.approx(0.49, abs=0.06)
    assert shares.first_order[index["weights"]] == pytest.approx(0.24, abs=0.06)
    assert shares.first_order[index["method"]] == pytest.approx(0.074, abs=0.06)
    assert found.shift[0] == pytest.approx(8.5, abs=0.3)
    assert (found.lower <= found.estimate).all() and (found.estimate <= found.upper).all()


def test_a_result_is_a_tidy_table_and_cannot_be_changed(data):
    found = probe(data, RobustnessSpec(draws=50))
    rows = found.to_rows()
    columns = ["area_code", "quantity", "source", "estimate", "std_error", "lower", "upper", "n", "level"]
    assert all(list(row) == columns for row in rows)
    keys = [(row["area_code"], row["quantity"], row["source"]) for row in rows]
    assert len(set(keys)) == len(keys) == 118 * (2 + 5 * 3) + 1 + 5 * 6
    assert repr(found).startswith("Robustness(118 areas, 601 rebuilds, mean rank shift")
    for name in (f.name for f in fields(found)):
        value = getattr(found, name)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value[...] = 0
    assert repr(found.by_area) == "SobolIndices(5 inputs, 118 outputs, n 50)"


# The command


def run(*words):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [*words, "--draws", "100"], catch_exceptions=False)


def test_the_table_names_unit_period_and_what_is_missing():
    text = run().stdout
    title = text.splitlines()[0]
    for part in ("rank (1 is best of 118) in 200 joint rebuilds", "5 of 6 indicators, 2017 to 2018"):
        assert part in title
    assert "without satisfactory_hours, no open figures by area (pay is median_pay alone)" in title
    assert len([line for line in text.splitlines() if line.startswith("Blackpool")]) == 1
    assert "Harmonic mean: at the mean area a point lost in pay" in text
    assert "first_data" in text and "without median_pay" in text


@pytest.mark.parametrize("sources", ["method", "data", "both"])
def test_one_tidy_table_for_other_programs(sources):
    rows = list(csv.DictReader(io.StringIO(run("--sources", sources, "--format", "csv").stdout)))
    again = json.loads(run("--sources", sources, "--format", "json").stdout)
    assert len(rows) == len(again) and list(rows[0]) == list(again[0])
    keys = [(row["area_code"], row["quantity"], row["source"]) for row in again]
    assert len(set(keys)) == len(keys)
    total = {key[2]: row["estimate"] for key, row in zip(keys, again, strict=True) if key[1] == "variance_total_order"}
    assert ("data" in total) == (sources != "method")
    assert (total["weights"] == 0) == (sources == "data")
    assert {row["area_name"] for row in again if row["area_code"] is None} == {"All areas"}
    assert sum(row["quantity"] == "rank_published" for row in again) == 118


def test_one_area_by_name_or_code_and_a_wrong_name_is_one_clear_error():
    rows = json.loads(run("--area", "  blackpool ", "--format", "json").stdout)
    assert {row["area_name"] for row in rows} == {"Blackpool"}
    assert {row["quantity"] for row in rows} >= {"rank", "rank_published", "first_order", "substitution_harmonic"}
    code = rows[0]["area_code"]
    assert "at Blackpool a point lost in" in run("--area", code).stdout
    with pytest.raises(DataError, match=r"There is no area 'Blackpol' in monitor-2021. Did you mean Blackpool\?"):
        run("--area", "Blackpol")
