"""Ranks: laws, a reference posterior, and coverage by simulation."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError
from gwm_models.index.sampling import sampling_error
from gwm_models.ranks.counting import rank_distributions
from gwm_models.ranks.posterior import score_posterior
from gwm_models.ranks.table import rank_areas, rank_draws

DRAWS = arrays(float, st.tuples(st.integers(20, 60), st.integers(2, 8)), elements=st.floats(-1e3, 1e3))


def codes(n):
    return tuple(f"area-{i}" for i in range(n))


@given(DRAWS)
def test_ranks_inside_a_draw_are_a_permutation(draws):
    expected = np.arange(1, draws.shape[1] + 1)
    assert (np.sort(rank_draws(draws), axis=1) == expected).all()


@given(DRAWS)
def test_a_higher_score_never_has_a_worse_rank(draws):
    ranks = rank_draws(draws)
    for score, rank in zip(draws, ranks, strict=True):
        assert (np.diff(score[np.argsort(rank)]) <= 0).all()


@given(DRAWS, st.sampled_from([0.5, 0.8, 0.95]))
def test_interval_holds_the_probability_asked_for(draws, level):
    area = codes(draws.shape[1])
    table, found = rank_areas(draws, area, level=level, n_ends=1), rank_distributions(draws, area)
    inside = [
        found.of(code)[low - 1 : high].sum() for code, low, high in zip(area, table.lower, table.upper, strict=True)
    ]
    assert min(inside) >= level - 1e-9


def test_rank_table_by_hand():
    table = rank_areas([[3, 2, 1], [3, 1, 2], [2, 3, 1], [3, 2, 1]], ["A", "B", "C"], level=0.5, n_ends=1)
    assert table.estimate.tolist() == [1, 2, 3]
    assert table.expected.tolist() == [1.25, 2.0, 2.75]
    assert table.prob_top.tolist() == [0.75, 0.25, 0.0]
    assert table.prob_bottom.tolist() == [0.0, 0.25, 0.75]
    assert table.to_rows()[0]["prob_top_1"] == 0.75


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        ([[1.0, np.nan]], "not finite for 1 of 2 areas \\(B\\)"),
        ([[1.0, 2.0, 3.0]], r"shape \(1, 3\); expected \(n_draws, 2\)"),
        ([], r"expected \(n_draws, 2\)"),
    ],
)
def test_draws_that_cannot_be_ranked_are_refused(draws, message):
    with pytest.raises(DataError, match=message):
        rank_areas(draws, ["A", "B"], n_ends=1)


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5])
def test_a_level_outside_0_to_1_is_refused(level):
    with pytest.raises(ValueError, match="level must lie between 0 and 1"):
        rank_areas([[1.0, 2.0]], ["A", "B"], level=level, n_ends=1)


def simulated(rng, n=60, k=3, regions=4):
    region = np.arange(n) % regions
    root = np.array([[30, 0, 0], [15, 25, 0], [5, 10, 20]])[:k, :k]
    truth = rng.normal(100, 20, (regions, k))[region] + rng.normal(size=(n, k)) @ root.T
    cov = np.einsum("nj,jk->njk", rng.uniform(8, 16, (n, k)) ** 2, np.eye(k))
    published = truth + np.einsum("njk,nk->nj", np.linalg.cholesky(cov), rng.normal(size=(n, k)))
    return truth, published, cov, region, root @ root.T


def test_with_next_to_no_sampling_error_the_posterior_is_the_published_score():
    _, published, cov, region, _ = simulated(np.random.default_rng(1))
    posterior = score_posterior(published, cov * 1e-8, region, codes(60), n_draws=200, seed=1)
    assert posterior.draws.mean(axis=0) == pytest.approx(published, abs=0.01)
    assert posterior.shrunk == pytest.approx(published, abs=0.01)


def test_draws_agree_with_the_posterior_by_brute_force_on_a_grid():
    """One domain, one region: integrate the spread on a fine grid instead of drawing it."""
    rng = np.random.default_rng(5)
    y, se = rng.normal(50, 25, 30), rng.uniform(5, 15, 30)
    posterior = score_posterior(
        y[:, None],
        se[:, None, None] ** 2,
        np.zeros(30, dtype=int),
        codes(30),
        prior_sd=100,
        n_draws=40_000,
        seed=3,
    )
    spread = np.linspace(0.01, 120, 6000)
    variance = spread[:, None] ** 2 + se**2
    precision = (1 / variance).sum(axis=1)
    mean = (y / variance).sum(axis=1) / precision
    log_density = (
        -0.5 * (np.log(variance).sum(axis=1) + np.log(precision) + ((y - mean[:, None]) ** 2 / variance).sum(axis=1))
        - 0.5 * (spread / 100) ** 2
    )
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    gain = spread[:, None] ** 2 / variance
    centre = mean[:, None] + gain * (y - mean[:, None])
    exact_mean = weight @ centre
    within = gain * se**2 + (1 - gain) ** 2 / precision[:, None]
    exact_sd = np.sqrt(weight @ (within + centre**2) - exact_mean**2)
    drawn = posterior.draws[:, :, 0]
    assert drawn.mean(axis=0) == pytest.approx(exact_mean, abs=0.3)
    assert drawn.std(axis=0) == pytest.approx(exact_sd, rel=0.03)


def test_reference_posterior_of_the_totals(known):
    """A normal-normal model of the published totals, error 15, without regions: 400,000 reference draws."""
    with (known / "bayes_hier_ref_hom15.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    y = np.array([float(row["total"]) for row in rows])
    posterior = score_posterior(
        y[:, None],
        np.full((118, 1, 1), 225.0),
        np.zeros(118, dtype=int),
        codes(118),
        prior_sd=100,
        n_draws=20_000,
        seed=1,
    )
    draws = posterior.draws[:, :, 0]
    assert draws.mean(axis=0) == pytest.approx([float(row["post_mean"]) for row in rows], abs=0.6)
    assert draws.std(axis=0) == pytest.approx([float(row["post_sd"]) for row in rows], rel=0.04)
    table = rank_areas(draws, codes(118), level=0.95)
    assert np.abs(table.lower - [int(row["q025"]) for row in rows]).max() <= 1
    assert np.abs(table.upper - [int(row["q975"]) for row in rows]).max() <= 1
    assert table.prob_top == pytest.approx([float(row["p_top10"]) for row in rows], abs=0.015)
    assert table.prob_bottom == pytest.approx([float(row["p_bottom10"]) for row in rows], abs=0.015)
    assert table.prob_fifth[:, 0] == pytest.approx([float(row["p_top24"]) for row in rows], abs=0.015)
    assert table.prob_fifth[:, 4] == pytest.approx([float(row["p_bottom24"]) for row in rows], abs=0.015)
    assert table.expected == pytest.approx([float(row["mean_rank"]) for row in rows], abs=0.3)
    assert np.abs(table.estimate - [int(row["median_rank"]) for row in rows]).max() <= 1


def test_the_monitor_is_shrunk_towards_its_regions_and_the_sample_is_efficient():
    edition = load_edition()
    posterior = score_posterior(
        edition.domain_scores,
        sampling_error(edition).domain_cov,
        edition.areas.region_index(),
        edition.areas.code,
        n_draws=2000,
        seed=1,
    )
    assert posterior.efficiency > 0.5
    total = posterior.shrunk.sum(axis=1)
    assert total.std() < edition.total.std()
    assert posterior.draws.sum(axis=2).mean(axis=0) == pytest.approx(total, abs=3)


def test_draws_of_an_area_do_not_depend_on_the_order_of_areas():
    _, published, cov, region, _ = simulated(np.random.default_rng(2))
    turned = np.arange(60)[::-1]
    first = score_posterior(published, cov, region, codes(60), n_draws=100, seed=1).draws
    second = score_posterior(
        published[turned], cov[turned], region[turned], tuple(np.array(codes(60))[turned]), n_draws=100, seed=1
    ).draws
    assert second[:, turned] == pytest.approx(first, abs=1e-3)


@pytest.mark.slow
def test_rank_intervals_hold_the_true_rank_as_often_as_they_say():
    rng = np.random.default_rng(21)
    rank_inside, score_inside = [], []
    for replicate in range(150):
        truth, published, cov, region, _ = simulated(rng)
        draws = score_posterior(published, cov, region, codes(60), n_draws=1000, seed=replicate).draws
        table = rank_areas(draws.sum(axis=2), codes(60), level=0.9)
        true_rank = rank_draws(truth.sum(axis=1)[None])[0]
        rank_inside.append(((table.lower <= true_rank) & (true_rank <= table.upper)).mean())
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        score_inside.append(((low <= truth) & (truth <= high)).mean())
    assert 0.88 <= np.mean(score_inside) <= 0.92
    assert 0.88 <= np.mean(rank_inside) <= 0.94


@pytest.mark.slow
def test_the_spread_between_areas_is_recovered():
    rng = np.random.default_rng(22)
    ratio = []
    for replicate in range(40):
        _, published, cov, region, between = simulated(rng, n=118)
        posterior = score_posterior(published, cov, region, codes(118), n_draws=400, seed=replicate)
        ratio.append(posterior.between_sd / np.sqrt(np.diag(between)))
    assert np.mean(ratio, axis=0) == pytest.approx(np.ones(3), abs=0.06)
