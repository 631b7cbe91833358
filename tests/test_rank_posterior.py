"""Posteriors of true scores: the algebra against dense matrices, edge cases, calibration and other programs."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymc_reference import sample_scores
from scipy import integrate, stats

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError, ModelError
from gwm_models.index.sampling import sampling_error
from gwm_models.models.collapse import sample_collapsed
from gwm_models.ranks import posterior as posterior_module
from gwm_models.ranks.algebra import Scratch, invert, root, times
from gwm_models.ranks.bent_t import FREEDOM, BentT
from gwm_models.ranks.hierarchy import Hierarchy, tiles
from gwm_models.ranks.one_score import draw_from_grid, total_posterior
from gwm_models.ranks.posterior import half_normal_of, score_posterior, shrink
from gwm_models.ranks.score_checks import check_prior
from gwm_models.ranks.table import rank_areas, rank_draws

REGION = np.array([1, 0, 1, 1, 0, 0, 1])


def codes(n):
    return tuple(f"area-{i}" for i in range(n))


def country(seed, n=7, k=3, regions=REGION, same=False):
    """Return scores, covariances and one `T`, all dense enough to catch a wrong index."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(100, 30, (n, k))
    factor = rng.normal(size=(n, k, k)) * 8
    cov = factor @ factor.transpose(0, 2, 1) + 20 * np.eye(k)
    if same:
        cov = np.repeat(cov[:1], n, axis=0)
    factor = rng.normal(size=(k, k)) * 20
    return scores, cov, factor @ factor.T + 50 * np.eye(k), regions[:n]


def dense(scores, cov, between, region):
    """Return the log density, and the mean and covariance of all true scores, from one large Gaussian model."""
    n, k = scores.shape
    design = np.kron(np.eye(region.max() + 1)[region], np.eye(k))
    known = np.zeros((n * k, n * k))
    for i in range(n):
        known[i * k : (i + 1) * k, i * k : (i + 1) * k] = cov[i]
    prior = np.kron(np.eye(n), between)
    precision, y = np.linalg.inv(prior + known), scores.ravel()
    region_cov = np.linalg.inv(design.T @ precision @ design)
    mean = region_cov @ design.T @ precision @ y
    left = y - design @ mean
    log_density = -0.5 * (-np.linalg.slogdet(precision)[1] - np.linalg.slogdet(region_cov)[1] + left @ precision @ left)
    gain = prior @ precision
    kept = (np.eye(n * k) - gain) @ design
    return log_density, (design @ mean + gain @ left), prior - gain @ prior + kept @ region_cov @ kept.T


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_small_inverses_and_roots_equal_those_of_numpy(k):
    factor = np.random.default_rng(k).normal(size=(4, 6, k, k + 2))
    matrix = factor @ factor.transpose(0, 1, 3, 2)
    split = [[matrix[..., i, j] for j in range(k)] for i in range(k)]
    inverse, pivots = invert(split)
    assert np.moveaxis(np.array(inverse), (0, 1), (2, 3)) == pytest.approx(np.linalg.inv(matrix), rel=1e-8, abs=1e-8)
    assert sum(np.log(pivots)) == pytest.approx(np.linalg.slogdet(matrix)[1], abs=1e-9)
    lower = root(split)
    for i in range(k):
        assert np.moveaxis(np.array(lower[i]), 0, 2) == pytest.approx(np.linalg.cholesky(matrix)[..., i, : i + 1])
    vector = np.random.default_rng(1).normal(size=(k, 4, 6))
    assert np.array(times(split, list(vector))) == pytest.approx(np.einsum("abij,jab->iab", matrix, vector))


def test_the_root_of_a_singular_covariance_has_a_column_of_zeros():
    matrix = np.array([[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 9.0]])
    lower = root([[np.array([x]) for x in row] for row in matrix])
    assert [[float(x[0]) for x in row] for row in lower] == [[2.0], [1.0, 0.0], [0.0, 0.0, 3.0]]


@given(st.integers(0, 50), st.integers(1, 20), st.integers(1, 60))
def test_tiles_cover_every_draw_once(n_draws, n_areas, size):
    found = [i for tile in tiles(n_draws, n_areas, size) for i in range(n_draws)[tile]]
    assert found == list(range(n_draws))


def test_the_likelihood_leaves_its_argument_alone_where_no_score_of_a_domain_has_an_error():
    scores, cov, between, region = country(13)
    cov = with_an_exact_domain(cov)
    both = np.stack([between, 2 * between], axis=2)
    kept = both.copy()
    found = Hierarchy.of(scores, cov, region).log_likelihood(both)
    assert np.array_equal(both, kept)
    expected = [dense(scores, cov, kept[..., i], region)[0] for i in range(2)]
    assert found[1] - found[0] == pytest.approx(expected[1] - expected[0], abs=1e-8)


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_likelihood_and_the_conditional_scores_are_those_of_one_large_gaussian_model(k, same):
    scores, cov, between, region = country(k, k=k, same=same)
    model = Hierarchy.of(scores, cov, region)
    other = between * 2 + np.eye(k)
    log_density, mean, variance = dense(scores, cov, between, region)
    both = model.log_likelihood(np.stack([between, other], axis=2))
    assert both[0] - both[1] == pytest.approx(log_density - dense(scores, cov, other, region)[0], abs=1e-8)
    found, blocks = model.conditional(between)
    assert found.ravel() == pytest.approx(mean, abs=1e-8)
    for i in range(7):
        part = slice(i * k, (i + 1) * k)
        assert blocks[i] == pytest.approx(variance[part, part], abs=1e-8)


def with_exact_scores(cov):
    """Take the errors of some scores away: of one area, of one domain, of all contrasts, and between two domains."""
    cov = cov.copy()
    cov[0] = 0
    cov[1, 1] = cov[1, :, 1] = 0
    cov[2] = 100.0
    cov[3, 0, 2] = cov[3, 2, 0] = 0
    return cov


def with_an_exact_domain(cov, place=0):
    cov = cov.copy()
    cov[:, place] = cov[:, :, place] = 0
    return cov


def unwritten(scratch, *name):
    """Hand out an array that holds no number until one is written to it."""
    return scratch.held.setdefault(name, np.full(scratch.shape, np.nan))


@pytest.mark.parametrize(
    "kind", ["different", "same", "independent", "some exact", "first domain exact", "last domain exact"]
)
@pytest.mark.parametrize("regions", [REGION, np.zeros(7, dtype=int), np.arange(7)])
def test_draws_are_the_right_linear_map_of_the_random_numbers(monkeypatch, kind, regions):
    """Feed each random number alone: the draws then spell out the whole joint covariance, to rounding."""
    scores, cov, between, region = country(11, k=3, regions=regions, same=kind == "same")
    changed = {
        "independent": cov * np.eye(3),
        "some exact": with_exact_scores(cov),
        "first domain exact": with_an_exact_domain(cov),
        "last domain exact": with_an_exact_domain(cov, 2),
    }
    cov = changed.get(kind, cov)
    monkeypatch.setattr("gwm_models.ranks.hierarchy.TILE", 7 * 12)
    monkeypatch.setattr("gwm_models.ranks.hierarchy.LEAST_TILE", 1)
    monkeypatch.setattr(Scratch, "__call__", unwritten)
    model, n_regions = Hierarchy.of(scores, cov, region), regions.max() + 1
    n_white, m = 7 * 3, 7 * 3 + 3 * n_regions + 1
    unit = np.eye(m)[:, : m - 1]
    white = unit[:, :n_white].reshape(m, 7, 3).transpose(1, 0, 2)
    region_white = unit[:, n_white:].reshape(m, n_regions, 3)
    between_draws = np.repeat(between[..., None], m, axis=2)
    region_means = model.sums(between_draws).draw(region_white)
    drawn = model.draw(between_draws, region_means, white).reshape(m, -1)
    _, mean, variance = dense(scores, cov, between, region)
    assert drawn[-1] == pytest.approx(mean, abs=1e-8)
    moved = drawn[:-1] - drawn[-1]
    assert moved.T @ moved == pytest.approx(variance, abs=1e-7)


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_the_likelihood_holds_where_one_score_is_exact_and_true_scores_hardly_differ(unit):
    """The exact score then has an immense precision, which may not swamp the others by rounding, in no unit."""
    scores, cov = country(12, k=1)[0], np.full((7, 1, 1), 100.0)
    cov[2] = 0
    region, spread = np.zeros(7, dtype=int), np.array([1.0, 1e-4, 1e-8, 1e-16])
    model = Hierarchy.of(unit * scores, unit**2 * cov, region)
    found = model.log_likelihood(unit**2 * spread[None, None])
    expected = np.array([dense(scores, cov, np.array([[x]]), region)[0] for x in spread])
    assert found - found[0] == pytest.approx(expected - expected[0], abs=1e-9)


def test_shrinking_is_the_conditional_at_the_most_probable_spread():
    scores, cov, _, region = country(4, n=7)
    drawn = score_posterior(scores, cov, region, codes(7), prior_sd=100, n_draws=500)
    shrunk = shrink(scores, cov, region)
    assert shrunk.mean == pytest.approx(drawn.shrunk, abs=1e-8)
    assert (np.linalg.eigvalsh(shrunk.cov) > 0).all()
    wide = shrink(10 * scores, 100 * cov, region, prior_sd=1000)
    assert wide.mean == pytest.approx(10 * shrunk.mean, rel=1e-9)
    assert wide.cov == pytest.approx(100 * shrunk.cov, rel=1e-9)


def test_draws_do_not_depend_on_how_many_are_worked_on_at_a_time(monkeypatch):
    scores, cov, _, region = country(5)
    drawn = score_posterior(scores, cov, region, codes(7), n_draws=700, seed=3).draws
    total = total_posterior(scores[:, 0], np.sqrt(cov[:, 0, 0]), codes(7), region=region, n_draws=700).draws
    monkeypatch.setattr(posterior_module, "STREAM", 300)
    monkeypatch.setattr("gwm_models.ranks.one_score.STREAM", 300)
    again = score_posterior(scores, cov, region, codes(7), n_draws=700, seed=3).draws
    assert again == pytest.approx(drawn, abs=1e-9)
    again = total_posterior(scores[:, 0], np.sqrt(cov[:, 0, 0]), codes(7), region=region, n_draws=700).draws
    assert again == pytest.approx(total, abs=1e-9)


def by_quadrature(y, error, region, prior_sd=100.0):
    """Return mean and covariance of true scores, and the posterior mean of tau, integrated over tau by quadrature."""

    def of(tau):
        log_density, mean, cov = dense(y[:, None], error[:, None, None] ** 2, np.array([[tau**2]]), region)
        return np.concatenate([[1, tau], mean, (cov + np.outer(mean, mean)).ravel()]), log_density

    top = max(of(tau)[1] for tau in np.geomspace(0.01, 500, 200))

    def weighted(tau):
        values, log_density = of(tau)
        return values * np.exp(log_density - top - 0.5 * (tau / prior_sd) ** 2)

    total = sum(integrate.quad_vec(weighted, *ends, epsrel=1e-9)[0] for ends in ((1e-6, 5), (5, 50), (50, 900)))
    total /= total[0]
    n = len(y)
    mean = total[2 : n + 2]
    return mean, total[n + 2 :].reshape(n, n) - np.outer(mean, mean), total[1]


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("regions", [np.array([0, 1, 1, 0, 1, 0]), np.zeros(6, dtype=int)])
def test_one_score_agrees_with_quadrature(same, regions):
    rng = np.random.default_rng(8)
    y, error = rng.normal(50, 25, 6), np.full(6, 9.0) if same else rng.uniform(3, 20, 6)
    options = {"region": regions, "prior_sd": 100, "n_draws": 100_000, "seed": 2}
    found = total_posterior(y, 9.0 if same else error, codes(6), **options)
    mean, cov, tau = by_quadrature(y, error, regions)
    assert found.mean == pytest.approx(mean, abs=2e-3)
    assert found.sd == pytest.approx(np.sqrt(np.diag(cov)), rel=2e-4)
    assert found.between.mean() == pytest.approx(tau, rel=0.01)
    assert found.draws.mean(axis=0) == pytest.approx(mean, abs=5 * found.sd.max() / np.sqrt(100_000))
    assert np.cov(found.draws.T) == pytest.approx(cov, abs=0.03 * np.diag(cov).max())


def test_draws_from_a_grid_invert_a_density_that_is_linear_between_points():
    """A triangle from 0 over 1 to 2: a quarter of each half lies below its middle, seen from its end."""
    drawn = draw_from_grid(np.arange(3.0), np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.125, 0.5, 0.875]))
    assert np.log(drawn) == pytest.approx([0.0, 0.5, 1.0, 1.5])
    flat = draw_from_grid(np.arange(3.0), np.ones(3), np.array([0.25, 0.6]))
    assert np.log(flat) == pytest.approx([0.5, 1.2])
    for density in (np.ones(3), np.array([1.0, 1.0, 0.0]), np.array([2.0, 0.0, 1.2 * np.finfo(float).eps])):
        ends = draw_from_grid(np.arange(3.0), density, np.array([0.0, 1.0]))
        assert np.log(ends) == pytest.approx([0, 2]), "the whole grid, and nothing beyond it however little is there"


def test_half_normal_deviations_have_the_probability_of_normal_ones():
    u = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
    assert half_normal_of(u) == pytest.approx(stats.halfnorm(scale=100).ppf(stats.norm.cdf(u)), rel=1e-9)
    assert half_normal_of(np.array([-30.0, 10.0])) == pytest.approx(
        [0, stats.halfnorm(scale=100).isf(stats.norm.sf(10))]
    )
    assert half_normal_of(np.array([-30.0]))[0] > 0


def test_one_score_and_one_domain_have_the_same_posterior():
    rng = np.random.default_rng(9)
    y, error, region = rng.normal(50, 25, 30), rng.uniform(5, 15, 30), np.arange(30) % 3
    one = total_posterior(y, error, codes(30), region=region, n_draws=100)
    domain = score_posterior(y[:, None], error[:, None, None] ** 2, region, codes(30), n_draws=40_000, seed=4)
    assert domain.draws[:, :, 0].mean(axis=0) == pytest.approx(one.mean, abs=0.3)
    assert domain.draws[:, :, 0].std(axis=0) == pytest.approx(one.sd, rel=0.02)


@settings(max_examples=25)
@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3), st.integers(0, 1000))
def test_one_score_follows_a_change_of_unit(scale, shift, seed):
    rng = np.random.default_rng(seed)
    y, error = rng.normal(0, 3, 8), rng.uniform(1, 3, 8)
    base = total_posterior(y, error, codes(8), n_draws=50)
    moved = total_posterior(shift + scale * y, scale * error, codes(8), n_draws=50)
    assert moved.mean == pytest.approx(shift + scale * base.mean, rel=1e-3, abs=2e-3 * scale)
    assert moved.sd == pytest.approx(scale * base.sd, rel=1e-3)


@pytest.mark.parametrize("unit", [2.0**-40, 2.0**40])
@pytest.mark.parametrize("exact", [False, True])
def test_one_score_follows_a_unit_however_large_or_small(unit, exact):
    rng = np.random.default_rng(15)
    y, error = rng.normal(0, 3, 8), rng.uniform(1, 3, 8)
    error[2] *= not exact
    base, moved = (total_posterior(x * y, x * error, codes(8), n_draws=50) for x in (1.0, unit))
    for name in ("draws", "mean", "sd", "between"):
        assert getattr(moved, name) / unit == pytest.approx(getattr(base, name), rel=1e-6)


def test_an_area_of_which_nothing_is_known_changes_no_other():
    """The spread of the others is looked for at the size of their own errors, ten million billion times smaller."""
    error, options = np.array([1e-7, 2e-7, 3e-7, 1e9]), {"prior_sd": 1e9, "n_draws": 20}
    alone = total_posterior(np.zeros(3), error[:3], codes(3), **options)
    found = total_posterior(np.zeros(4), error, codes(4), **options)
    assert alone.sd.max() < 3e-7 and 1e-8 < np.median(alone.between) < 1e-6
    assert found.sd[:3] / alone.sd == pytest.approx(np.ones(3), rel=1e-6)
    assert found.between / alone.between == pytest.approx(np.ones(20), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_domain_scores_follow_a_change_of_unit_of_each_domain(scale):
    scores, cov, _, region = country(14)
    unit = np.array([scale, 1.0, 10.0])
    base = score_posterior(scores, cov, region, codes(7), n_draws=400)
    moved = score_posterior(scores * unit, cov * np.outer(unit, unit), region, codes(7), n_draws=400)
    assert moved.shrunk == pytest.approx(base.shrunk * unit, rel=1e-4)
    assert moved.between_sd == pytest.approx(base.between_sd * unit, rel=0.01)
    assert moved.draws.std(axis=0) == pytest.approx(base.draws.std(axis=0) * unit, rel=0.02)


def test_the_prior_scale_is_that_of_the_scores_or_of_their_errors_if_it_is_larger():
    y = np.array([40.0, 60.0, 80.0, 20.0])
    spread = 2 * y.std()
    for error, prior_sd in ((5.0, spread), (100.0, 200.0)):
        found, given = (total_posterior(y, error, codes(4), prior_sd=sd, n_draws=20) for sd in (None, prior_sd))
        assert np.array_equal(found.draws, given.draws)
        options = {"region": np.zeros(4, dtype=int), "area": codes(4), "n_draws": 20}
        cov = np.full((4, 1, 1), error**2)
        found, given = (score_posterior(y[:, None], cov, prior_sd=sd, **options) for sd in (None, prior_sd))
        assert np.array_equal(found.draws, given.draws)


def test_a_prior_at_odds_with_the_scores_is_refused():
    """Scores in thousands, variance 13.3 less 1 of their errors, with a prior for scores up to a hundred."""
    y = 1000 * np.array([0.0, 1, 2, 5, 9])
    with pytest.raises(ModelError, match="The scores spread 35 times as far as prior_sd, beyond their errors"):
        total_posterior(y, 1000.0, codes(5), prior_sd=100)
    with pytest.raises(ModelError, match="Give a larger one, in the unit of the scores, or none"):
        score_posterior(y[:, None], np.full((5, 1, 1), 1e6), np.zeros(5, dtype=int), codes(5), prior_sd=100)
    apart = total_posterior([0.0, 1e6], 1.0, ["A", "B"], region=[0, 1], prior_sd=100, n_draws=10)
    assert apart.mean == pytest.approx([0, 1e6])


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_a_prior_is_at_odds_with_scores_ten_times_as_wide(unit):
    """Two scores 20 apart with errors of 2: a variance of 200 less 4, so a spread of 14 beyond errors."""
    given = unit * np.array([[90.0], [110.0]]), np.full((2, 1), 4 * unit**2)
    one, each = np.zeros(2, dtype=int), np.arange(2)
    assert check_prior(1.41 * unit, *given, one) == 1.41 * unit
    with pytest.raises(ModelError, match="The scores spread 10 times as far as prior_sd"):
        check_prior(1.39 * unit, *given, one)
    assert check_prior(0.01 * unit, *given, each) == 0.01 * unit, "one area a region: no spread is seen"
    close = unit * np.array([[90.0], [91.0]])
    assert check_prior(0.001 * unit, close, given[1], one) == 0.001 * unit, "no more than their errors"


def test_an_area_keeps_its_draws_when_areas_are_put_in_another_order():
    rng = np.random.default_rng(10)
    y, error, region, turned = rng.normal(50, 25, 9), rng.uniform(5, 15, 9), np.arange(9) % 2, np.arange(9)[::-1]
    first = total_posterior(y, error, codes(9), region=region, n_draws=200)
    area = tuple(np.array(codes(9))[turned])
    second = total_posterior(y[turned], error[turned], area, region=region[turned], n_draws=200)
    assert second.draws[:, turned] == pytest.approx(first.draws, abs=1e-6)


def skewed_sample(n=4000):
    rng = np.random.default_rng(14)
    first = stats.skewnorm(4).rvs(n, random_state=rng)
    return np.column_stack([3 + 2 * first, 0.5 * rng.normal(size=n) - 0.4 * first, 10 * rng.normal(size=n)])


def straightened(bent, x):
    return np.sinh(np.arcsinh((x - bent.centre) / bent.width) - bent.bend)


def test_a_bent_t_takes_the_skewness_mean_and_covariance_of_its_sample():
    sample = skewed_sample()
    bent = BentT.like(sample)
    straight = straightened(bent, sample)
    drawn, _ = bent.draw(200_000, np.random.default_rng(15))
    assert stats.skew(sample)[0] > 0.6
    assert stats.skew(drawn)[0] > 0.6
    assert stats.skew(straight) == pytest.approx(np.zeros(3), abs=0.01)
    again = straightened(bent, drawn)
    assert again.mean(axis=0) == pytest.approx(straight.mean(axis=0), abs=0.02)
    assert np.cov(again.T) == pytest.approx(np.cov(straight.T), abs=0.02)


def test_the_density_of_a_bent_t_is_that_of_a_t_after_a_change_of_variables():
    bent = BentT.like(skewed_sample())
    drawn, log_density = bent.draw(50, np.random.default_rng(16))
    step = 1e-5 * bent.width
    slope = (straightened(bent, drawn + step) - straightened(bent, drawn - step)) / (2 * step)
    plain = stats.multivariate_t(bent.mean, bent.spread @ bent.spread.T, df=FREEDOM).logpdf(straightened(bent, drawn))
    expected = plain + np.log(slope).sum(axis=1)
    assert log_density - log_density[0] == pytest.approx(expected - expected[0], abs=1e-7)


def test_a_sample_that_does_not_vary_has_no_bent_t():
    sample = skewed_sample(100)
    sample[:, 1] = 5.0
    with pytest.raises(np.linalg.LinAlgError):
        BentT.like(sample)


def test_the_second_proposal_fits_the_monitor_scores_better_than_the_first(monkeypatch):
    edition = load_edition()
    given = edition.domain_scores, sampling_error(edition).domain_cov, edition.areas.region_index(), edition.areas.code
    second = score_posterior(*given, n_draws=8000)
    monkeypatch.setattr(posterior_module, "GOOD_TAIL", -np.inf)
    first = score_posterior(*given, n_draws=8000)
    assert second.efficiency > 0.9
    assert first.efficiency < 0.85


def test_where_the_second_proposal_serves_worse_the_first_gives_all_draws_of_the_same_posterior(monkeypatch):
    scores, cov, _, region = country(12)
    second = score_posterior(scores, cov, region, codes(7), n_draws=20_000)
    monkeypatch.setattr(posterior_module, "GOOD_TAIL", -np.inf)
    first = score_posterior(scores, cov, region, codes(7), n_draws=20_000)
    assert first.efficiency != second.efficiency
    assert not np.array_equal(first.between, second.between)
    sd = second.draws.std(axis=0)
    assert (first.draws.mean(axis=0) - second.draws.mean(axis=0)) / sd == pytest.approx(np.zeros((7, 3)), abs=0.06)
    assert first.draws.std(axis=0) == pytest.approx(sd, rel=0.05)
    assert first.between_sd == pytest.approx(second.between_sd, rel=0.03)


def test_up_to_2000_draws_are_the_first_of_one_sample_of_2000():
    scores, cov, _, region = country(12)
    few, least, more = (score_posterior(scores, cov, region, codes(7), n_draws=n) for n in (50, 2000, 2001))
    assert (few.between == least.between[:50]).all()
    assert few.efficiency == least.efficiency != more.efficiency


def test_the_second_proposal_is_used_if_its_weights_are_more_even_only():
    model = Hierarchy.of(*(country(12)[i] for i in (0, 1, 3)))
    log_posterior = posterior_module._log_posterior_of_quantiles(model)
    first = sample_collapsed(log_posterior, np.zeros(6), n_draws=2000, seed=1, key="first", what="the spread")
    second = posterior_module._second_stage(model, first, 2500, 1).efficiency
    assert second > first.efficiency
    for efficiency, used in ((0.999 * second, True), (1.001 * second, False)):
        found = posterior_module._second_stage(model, replace(first, efficiency=efficiency), 2500, 1)
        assert (found is not None) is used


def test_a_spread_out_of_reach_of_double_precision_has_a_finite_density():
    """A standard deviation of exp(800) is infinite, and infinity times a correlation of 0 is not a number."""
    scores, cov, _, region = country(12)
    density = posterior_module._log_posterior(Hierarchy.of(scores, cov, region))
    for far in ([800.0, 0, 0, 0, 0, 0], [0, 0, 0, 800.0, 0, 0], [-800.0, 0, 0, 0, 0, 0]):
        near, out = density(np.array([[3.0, 3, 3, 0, 0, 0], far]))
        assert np.isfinite(out)
        assert out < near


@pytest.mark.parametrize("n_draws", [1500, 20_000])
def test_region_means_belong_to_the_spread_they_were_drawn_for(n_draws):
    """With few areas the spread varies widely: region means given another one have another variance."""
    scores, cov, _, region = country(12, k=1)
    model = Hierarchy.of(scores, cov, region)
    spread = posterior_module._spreads(model, np.zeros(1), n_draws, 1)
    assert spread.region.shape == (1, 2, n_draws)
    mean, variance, _ = model.sums(spread.between).region_mean
    z = (spread.region[0] - mean[0]) / np.sqrt(variance[0][0])
    assert variance[0][0].max() > 10 * variance[0][0].min()
    wide = variance[0][0] > np.quantile(variance[0][0], 0.8)
    assert z.std() == pytest.approx(1, abs=0.05)
    assert z[wide].std() == pytest.approx(1, abs=0.08)
    assert stats.kurtosis(z.ravel()) == pytest.approx(0, abs=0.3)


def reference(known):
    with (known / "bayes_hier_ref_hom15.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "area"}


def test_the_reference_posterior_of_the_published_totals_is_reached(known):
    """One mean for all areas, error 15: within one rank and 0.005 of every probability."""
    expected = reference(known)
    found = total_posterior(expected["total"], 15.0, codes(118), prior_sd=100, n_draws=250_000)
    assert found.mean == pytest.approx(expected["post_mean"], abs=0.1)
    assert found.sd == pytest.approx(expected["post_sd"], rel=0.005)
    table = rank_areas(found.draws, codes(118), level=0.95)
    assert np.abs(table.lower - expected["q025"]).max() <= 1
    assert np.abs(table.upper - expected["q975"]).max() <= 1
    assert np.abs(table.estimate - expected["median_rank"]).max() <= 1
    assert table.expected == pytest.approx(expected["mean_rank"], abs=0.15)
    assert table.prob_top == pytest.approx(expected["p_top10"], abs=0.005)
    assert table.prob_bottom == pytest.approx(expected["p_bottom10"], abs=0.005)
    assert table.prob_fifth[:, 0] == pytest.approx(expected["p_top24"], abs=0.005)
    assert table.prob_fifth[:, 4] == pytest.approx(expected["p_bottom24"], abs=0.005)


def test_few_draws_come_from_the_same_posterior_as_many():
    """The spreads of a few draws are taken out of a large enough importance sample."""
    scores, cov, _, region = country(12)
    few = [score_posterior(scores, cov, region, codes(7), n_draws=5, seed=s).between_sd for s in range(40)]
    many = score_posterior(scores, cov, region, codes(7), n_draws=20_000).between
    sd = np.sqrt(np.diagonal(many, axis1=1, axis2=2))
    assert np.abs(np.mean(few, axis=0) - sd.mean(axis=0)).max() < 4 * sd.std(axis=0).max() / np.sqrt(200)


def plain(n, k=3, error=10.0):
    scores = np.random.default_rng(n).normal(100, 30, (n, k))
    return scores, np.tile(np.eye(k) * error**2, (n, 1, 1)), np.zeros(n, dtype=int), codes(n)


def test_one_area_has_its_published_score_and_error_for_posterior():
    scores, cov, region, area = plain(1)
    drawn = score_posterior(scores, cov, region, area, n_draws=20_000).draws
    assert drawn.mean(axis=0) == pytest.approx(scores, abs=0.4)
    assert drawn.std(axis=0) == pytest.approx(np.full((1, 3), 10.0), rel=0.03)
    cov[0, 1] = 0
    exact = score_posterior(scores, cov, region, area, n_draws=2000).draws
    assert (exact[:, 0, 1] == scores[0, 1]).all()
    assert exact.std(axis=0)[0, [0, 2]] == pytest.approx([10.0, 10.0], rel=0.1)
    total = total_posterior([70.0], 10.0, ["A"], n_draws=20_000)
    assert (total.mean[0], total.sd[0]) == pytest.approx((70.0, 10.0), abs=1e-6)
    assert total.draws.std() == pytest.approx(10.0, rel=0.03)


def test_two_areas_are_drawn_towards_each_other():
    total = total_posterior([40.0, 60.0], 10.0, ["A", "B"], prior_sd=100)
    mean, cov, _ = by_quadrature(np.array([40.0, 60.0]), np.full(2, 10.0), np.zeros(2, dtype=int))
    assert 40 < mean[0] < 50
    assert total.mean == pytest.approx(mean, abs=1e-3)
    assert total.sd == pytest.approx(np.sqrt(np.diag(cov)), rel=1e-3)
    scores, cov, region, area = plain(2)
    drawn = score_posterior(scores, cov, region, area).draws
    assert (np.abs(np.diff(drawn.mean(axis=0), axis=0)) < np.abs(np.diff(scores, axis=0))).all()


def test_tied_scores_keep_the_same_mean_and_share_ranks():
    _, cov, region, area = plain(30)
    tied = score_posterior(np.full((30, 3), 100.0), cov, region, area)
    assert tied.shrunk == pytest.approx(np.full((30, 3), 100.0), abs=1e-8)
    total = total_posterior(np.full(30, 5.0), 10.0, area, n_draws=20_000)
    assert total.mean == pytest.approx(np.full(30, 5.0), abs=1e-8)
    assert rank_areas(total.draws, area).expected == pytest.approx(np.full(30, 15.5), abs=0.6)


def test_scores_without_error_stay_as_published_and_the_others_move():
    scores, cov, region, area = plain(30)
    cov[:4] = 0
    cov[10, 1] = cov[10, :, 1] = 0
    posterior = score_posterior(scores, cov, region, area, n_draws=500)
    drawn = posterior.draws
    assert (drawn[:, :4] == scores[:4]).all()
    assert (posterior.shrunk[:4] == scores[:4]).all()
    assert (drawn[:, 10, 1] == scores[10, 1]).all()
    assert drawn[:, 4:, 0].std(axis=0).min() > 5
    error = np.where(np.arange(30) < 4, 0.0, 10.0)
    total = total_posterior(scores[:, 0], error, area, n_draws=500)
    assert (total.draws[:, :4] == scores[:4, 0]).all()
    assert total.mean[:4].tolist() == scores[:4, 0].tolist()
    assert total.sd[:4].tolist() == [0.0] * 4
    assert total.draws[:, 4:].std(axis=0).min() > 5


def test_one_exact_area_does_not_pin_the_others():
    y, error = np.random.default_rng(3).normal(0, 50, 6), np.array([0.0, 10, 12, 9, 11, 10])
    total = total_posterior(y, error, codes(6), prior_sd=100)
    nearly, _, _ = by_quadrature(y, np.maximum(error, 1e-3), np.zeros(6, dtype=int))
    assert total.mean == pytest.approx(nearly, abs=0.01)


def test_scores_that_are_all_exact_are_their_own_posterior():
    scores, cov, region, area = plain(30)
    posterior = score_posterior(scores, cov * 0, region, area, n_draws=50)
    assert (posterior.draws == scores).all()
    assert (posterior.shrunk == scores).all()
    assert posterior.between_sd == pytest.approx(scores.std(axis=0, ddof=1))
    total = total_posterior(scores[:, 0], 0.0, area, n_draws=50)
    assert (total.draws == scores[:, 0]).all()
    assert (total.sd == 0).all()
    assert total.between == pytest.approx(np.full(50, scores[:, 0].std(ddof=1)))
    alone = score_posterior(scores[:1], cov[:1] * 0, region[:1], area[:1], n_draws=5)
    assert (alone.draws == scores[:1]).all()
    assert np.isnan(alone.between_sd).all()


def test_errors_shared_by_the_domains_leave_their_contrasts_exact():
    """Rank-one covariance: the three scores of an area move together."""
    scores, cov, region, area = plain(30)
    moved = score_posterior(scores, np.full_like(cov, 100.0), region, area, n_draws=200).draws - scores
    assert moved == pytest.approx(np.repeat(moved[..., :1], 3, axis=2), abs=1e-9)
    assert moved[..., 0].std(axis=0).min() > 4


def test_exact_scores_that_are_all_tied_are_refused():
    scores, cov, region, area = plain(30)
    scores[:2], cov[:2] = 100.0, 0.0
    with pytest.raises(ModelError, match="All scores without sampling error are tied inside their regions"):
        score_posterior(scores, cov, region, area)
    with pytest.raises(ModelError, match="are tied inside their regions"):
        total_posterior(scores[:, 0], cov[:, 0, 0], area)
    scores[1] = 101.0
    assert np.isfinite(total_posterior(scores[:, 0], cov[:, 0, 0], area, n_draws=10).draws).all()


def damaged(**changes):
    scores, cov, region, area = plain(5)
    given = {"scores": scores, "cov": cov, "region": region, "area": area, "n_draws": 10}
    given.update({name: change(given[name]) for name, change in changes.items()})
    return given


def put(place, value):
    def change(array):
        array = array.copy()
        array[place] = value
        return array

    return change


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": put((2, 1), np.nan)}, r"scores is not finite for 1 of 5 areas \(area-2\)"),
        ({"cov": put((3, 0, 0), np.inf)}, r"cov is not finite for 1 of 5 areas \(area-3\)"),
        ({"cov": put((1, 0, 2), 5.0)}, "the covariance of area-1 is not symmetric"),
        ({"cov": put((4, 1, 1), -4.0)}, "the covariance of area-4 is not positive semi-definite"),
        ({"cov": put((0, [0, 1], [1, 0]), 150.0)}, "the covariance of area-0 is not positive semi-definite"),
        ({"cov": lambda cov: cov[:, :2, :2]}, r"cov has shape \(5, 2, 2\); expected \(5, 3, 3\)"),
        ({"scores": lambda scores: scores[:4]}, r"scores has shape \(4, 3\); expected 2 axes, the first one of 5"),
        ({"region": lambda region: region + 1}, "region must number the groups 0, 1, 2, ... without gaps"),
        ({"region": lambda region: region + 0.5}, "region has shape .* and type float64; expected 5 integers"),
        ({"area": lambda area: (*area[:3], "A", "A")}, "area code 'A' appears more than once"),
        ({"n_draws": lambda _: 0}, "n_draws is 0; expected a whole number, 1 or more"),
    ],
)
def test_figures_that_are_not_scores_with_a_covariance_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        score_posterior(**damaged(**changes))


@pytest.mark.parametrize(
    ("estimate", "error", "options", "message"),
    [
        ([1.0, np.nan, 3.0], 1.0, {}, r"estimate is not finite for 1 of 3 areas \(B\)"),
        ([1.0, 2.0, 3.0], [1.0, 1.0, -1.0], {}, "std_error is negative for C; expected zero or more"),
        ([1.0, 2.0, 3.0], [1.0, np.nan, 1.0], {}, r"std_error is not finite for 1 of 3 areas \(B\)"),
        ([1.0, 2.0, 3.0], [1.0, 1.0], {}, r"std_error has shape \(2,\); expected 1 axes, the first one of 3 areas"),
        ([[1.0, 2.0, 3.0]], 1.0, {}, r"estimate has shape \(1, 3\)"),
        ([1.0, 2.0, 3.0], 1.0, {"region": [0, 2, 2]}, "without gaps"),
        ([1.0, 2.0, 3.0], 1.0, {"n_draws": -1}, "n_draws is -1; expected a whole number, 1 or more"),
        ([1.0, 2.0, 3.0], 1.0, {"prior_sd": 0.0}, "prior_sd is 0.0; expected a number above zero"),
    ],
)
def test_one_score_refuses_what_it_cannot_use(estimate, error, options, message):
    with pytest.raises(DataError, match=message):
        total_posterior(estimate, error, ["A", "B", "C"], **options)


def correlated(rng, k):
    """Draw a correlation matrix uniformly, by trial and error."""
    while True:
        matrix = np.eye(k)
        upper = np.triu_indices(k, 1)
        matrix[upper] = matrix[upper[::-1]] = rng.uniform(-1, 1, len(upper[0]))
        if np.linalg.eigvalsh(matrix)[0] > 0:
            return matrix


def uniform_ranks(ranks, n_bins=10):
    """Return the least p-value of chi-square tests that each column of shares in [0, 1] is uniform, times columns."""
    bins = np.minimum((ranks * n_bins).astype(int), n_bins - 1)
    counts = np.array([np.bincount(column, minlength=n_bins) for column in bins.T])
    return stats.chisquare(counts, axis=1).pvalue.min() * len(counts)


@pytest.mark.slow
def test_simulation_based_calibration_of_the_domain_scores():
    """Talts et al. (2018): the truth, drawn from the prior, has a uniform rank among posterior draws.

    The mean of regions has a flat prior; ranks do not depend on where it lies, so that it may be fixed. There are
    enough draws for the second proposal.
    """
    rng, n, region = np.random.default_rng(31), 12, np.arange(12) % 2
    ranks = []
    for replicate in range(400):
        sd = np.abs(rng.normal(0, 100, 3))
        between = correlated(rng, 3) * np.outer(sd, sd)
        truth = np.array([[80.0] * 3, [120.0] * 3])[region] + rng.multivariate_normal(np.zeros(3), between, n)
        error = rng.uniform(10, 80, (n, 3))
        cov = correlated(rng, 3) * error[:, :, None] * error[:, None, :]
        published = truth + np.einsum("njk,nk->nj", np.linalg.cholesky(cov), rng.normal(size=(n, 3)))
        drawn = score_posterior(published, cov, region, codes(n), prior_sd=100, n_draws=2500, seed=replicate)
        below = [(drawn.draws[:, 0] < truth[0]).mean(axis=0), (drawn.draws[:, 5] < truth[5]).mean(axis=0)]
        total = drawn.draws.sum(axis=2) < truth.sum(axis=1)
        spread = (np.diagonal(drawn.between, axis1=1, axis2=2) < sd**2).mean(axis=0)
        product = [(drawn.between[:, 0, 1] < between[0, 1]).mean(), (drawn.between[:, 1, 2] < between[1, 2]).mean()]
        ranks.append(np.concatenate([*below, total[:, :2].mean(axis=0), spread, product]))
    assert uniform_ranks(np.array(ranks)) > 0.01


@pytest.mark.slow
def test_simulation_based_calibration_of_one_score():
    rng, n, region = np.random.default_rng(32), 10, np.arange(10) % 2
    ranks = []
    for replicate in range(2000):
        tau = abs(rng.normal(0, 100))
        truth = np.array([50.0, 300.0])[region] + tau * rng.normal(size=n)
        error = rng.uniform(5, 120, n)
        published = truth + error * rng.normal(size=n)
        options = {"region": region, "prior_sd": 100, "n_draws": 500, "seed": replicate}
        drawn = total_posterior(published, error, codes(n), **options)
        ranks.append(np.append((drawn.draws < truth).mean(axis=0), (drawn.between < tau).mean()))
    assert uniform_ranks(np.array(ranks), n_bins=20) > 0.01


def inside(table, truth):
    true_rank = rank_draws(truth[None])[0]
    return ((table.lower <= true_rank) & (true_rank <= table.upper)).mean()


@pytest.mark.slow
def test_rank_intervals_of_the_domain_model_hold_the_true_rank_nine_times_in_ten():
    rng, n, region = np.random.default_rng(33), 118, np.arange(118) % 9
    between = np.array([[840.0, 500, 200], [500, 1260, 300], [200, 300, 680]])
    held = []
    for replicate in range(100):
        truth = rng.normal(100, 20, (9, 3))[region] + rng.multivariate_normal(np.zeros(3), between, n)
        cov = np.einsum("nj,jk->njk", rng.uniform(6, 20, (n, 3)) ** 2, np.eye(3))
        published = truth + np.sqrt(np.diagonal(cov, axis1=1, axis2=2)) * rng.normal(size=(n, 3))
        drawn = score_posterior(published, cov, region, codes(n), n_draws=2500, seed=replicate).draws
        held.append(inside(rank_areas(drawn.sum(axis=2), codes(n), level=0.9), truth.sum(axis=1)))
    assert 0.88 <= np.mean(held) <= 0.92


@pytest.mark.slow
@pytest.mark.parametrize("same", [False, True])
def test_rank_intervals_of_one_score_hold_the_true_rank_nine_times_in_ten(same):
    """With an error of 15 for all, and with the errors that the Monitor's totals have."""
    rng, n = np.random.default_rng(34), 118
    error = np.full(n, 15.0) if same else sampling_error(load_edition()).total_std_error
    held = []
    for replicate in range(200):
        truth = 300 + 86 * rng.normal(size=n)
        drawn = total_posterior(truth + error * rng.normal(size=n), error, codes(n), n_draws=2000, seed=replicate)
        held.append(inside(rank_areas(drawn.draws, codes(n), level=0.9), truth))
    assert 0.88 <= np.mean(held) <= 0.92


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_domain_model_agrees_with_pymc():
    pytest.importorskip("nutpie")
    edition = load_edition()
    scores, cov, region = edition.domain_scores, sampling_error(edition).domain_cov, edition.areas.region_index()
    chain, n_mean, n_sd = sample_scores(scores, cov, region, draws=1200, seed=1)
    exact = score_posterior(scores, cov, region, edition.areas.code, prior_sd=100, n_draws=40_000)
    drawn, n_exact = exact.draws, 40_000 * exact.efficiency
    gap = chain.mean(axis=0) - drawn.mean(axis=0)
    distance = gap / np.sqrt(chain.var(axis=0) / n_mean + drawn.var(axis=0) / n_exact)
    assert np.abs(distance).max() < 4.5
    assert distance.std() < 1.3
    ratio = np.log(chain.std(axis=0) / drawn.std(axis=0))
    distance = ratio / np.sqrt(0.5 / n_sd + 0.5 / n_exact)
    assert np.abs(distance).max() < 4.5
    assert np.abs(ratio).mean() < 0.03
    assert ratio.mean() == pytest.approx(0, abs=0.005)
    first, second = (rank_areas(x.sum(axis=2), edition.areas.code, level=0.9) for x in (chain, drawn))
    for bound in ("lower", "upper"):
        moved = np.abs(getattr(first, bound) - getattr(second, bound))
        assert moved.max() <= 2
        assert moved.mean() < 0.4
    assert first.expected == pytest.approx(second.expected, abs=0.8)
    assert first.prob_bottom == pytest.approx(second.prob_bottom, abs=0.03)
