"""Draws of low-dimensional posteriors by weighted Laplace proposals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gwm_models.errors import ModelError
from gwm_models.models.collapse import curvature, find_mode, pareto_tail, resample, sample_collapsed
from gwm_models.models.gaussian.small_matrices import (
    cholesky,
    covariances,
    half_normal,
    invert,
    log_uniform_correlations,
)

COV = np.array([[1.0, 0.6], [0.6, 2.0]])
MEAN = np.array([1.0, -2.0])


def normal(points):
    left = points - MEAN
    return -0.5 * np.einsum("mi,ij,mj->m", left, np.linalg.inv(COV), left)


def draw(log_posterior, start, n_draws=20_000, seed=1, **options):
    return sample_collapsed(log_posterior, np.asarray(start), n_draws=n_draws, seed=seed, key="a", what="it", **options)


def test_the_mode_and_curvature_of_a_normal_posterior_are_its_mean_and_precision():
    mode = find_mode(normal, np.zeros(2))
    assert mode == pytest.approx(MEAN, abs=1e-3)
    assert curvature(normal, mode) == pytest.approx(np.linalg.inv(COV), abs=1e-6)


def test_draws_of_a_normal_posterior_have_its_mean_and_covariance():
    found = draw(normal, [0.0, 0.0])
    assert found.draws.mean(axis=0) == pytest.approx(MEAN, abs=0.03)
    assert np.cov(found.draws.T) == pytest.approx(COV, abs=0.06)
    assert found.efficiency > 0.8
    assert found.tail < 0.3


def test_draws_of_a_skewed_posterior_have_its_quantiles():
    """Logarithm of a gamma variable of shape 0.7, far from normal on the left."""
    found = draw(lambda u: 0.7 * u[:, 0] - np.exp(u[:, 0]), [0.0])
    for level in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert np.mean(found.draws < np.log(stats.gamma(0.7).ppf(level))) == pytest.approx(level, abs=0.012)


def test_a_poor_proposal_moves_to_the_weighted_draws():
    """A mode with far more curvature than the rest of the density: the plain Laplace proposal has no chance."""

    def spiked(u):
        return np.logaddexp(-0.5 * (u / 0.3) ** 2, np.log(0.2) - 0.5 * (u / 2) ** 2).sum(axis=1)

    found = draw(spiked, [0.1, 0.1])
    assert found.efficiency > 0.3
    assert found.tail < 0.7
    share = 0.2 * 2 / (0.3 + 0.2 * 2)
    assert found.draws.var(axis=0) == pytest.approx([(1 - share) * 0.09 + share * 4] * 2, rel=0.1)


def test_the_same_seed_and_key_give_the_same_draws():
    first, again = draw(normal, [0.0, 0.0]), draw(normal, [0.0, 0.0])
    assert np.array_equal(first.draws, again.draws)
    assert not np.array_equal(first.draws, draw(normal, [0.0, 0.0], seed=2).draws)


def test_the_size_of_a_block_does_not_change_the_draws():
    whole = draw(normal, [0.0, 0.0], n_draws=999)
    assert draw(normal, [0.0, 0.0], n_draws=999, block=100).draws == pytest.approx(whole.draws, abs=1e-12)


def test_a_posterior_without_a_peak_is_refused():
    with pytest.raises(ModelError, match="The posterior of it has no clear peak"):
        draw(lambda u: 0.0 * u[:, 0], [0.0])


def test_weights_that_cannot_be_trusted_are_refused():
    weight = stats.genpareto(1.5).ppf((np.arange(4000) + 0.5) / 4000)
    with pytest.raises(ModelError, match="poorly explored"):
        resample(np.log(weight), np.random.default_rng(1), "it")


@pytest.mark.parametrize("shape", [0.0, 0.3, 0.6, 1.0])
def test_the_shape_of_a_pareto_tail_is_found(shape):
    weight = stats.genpareto(shape).ppf((np.arange(20_000) + 0.5) / 20_000)
    assert pareto_tail(weight) == pytest.approx(shape, abs=0.06)


def test_resampled_places_follow_the_weights():
    weight = np.array([0.1, 0.2, 0.3, 0.4])
    found = resample(np.log(np.repeat(weight, 1000)), np.random.default_rng(2), "it")
    assert np.bincount(found.chosen // 1000) == pytest.approx(4000 * weight, abs=4)
    assert found.efficiency == pytest.approx(1 / (4 * (weight**2).sum()))


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_small_inverses_and_roots_equal_those_of_numpy(k):
    root = np.random.default_rng(k).normal(size=(6, 4, k, k + 2))
    matrix = np.einsum("abij,abkj->abik", root, root)
    front = matrix.transpose(2, 3, 0, 1)
    inverse, log_det = invert(front)
    assert inverse.transpose(2, 3, 0, 1) == pytest.approx(np.linalg.inv(matrix), rel=1e-8, abs=1e-8)
    assert log_det == pytest.approx(np.linalg.slogdet(matrix)[1], abs=1e-9)
    assert cholesky(front).transpose(2, 3, 0, 1) == pytest.approx(np.linalg.cholesky(matrix), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 4), st.integers(0, 10_000))
def test_standard_deviations_and_correlations_make_a_covariance(k, seed):
    rng = np.random.default_rng(seed)
    sd = rng.uniform(0.1, 5, (3, k))
    cov = covariances(sd, rng.normal(size=(3, k * (k - 1) // 2))).transpose(2, 0, 1)
    assert np.sqrt(np.diagonal(cov, axis1=1, axis2=2)) == pytest.approx(sd)
    assert (np.linalg.eigvalsh(cov) > 0).all()


def test_correlations_are_uniform_for_two_and_beta_for_three():
    """LKJ 1 for k quantities: each correlation is 2 Beta(k / 2, k / 2) - 1."""
    grid = np.linspace(-8, 8, 4001)[:, None]
    density = np.exp(log_uniform_correlations(grid, 2))
    below = np.cumsum(density) / density.sum()
    assert below[np.searchsorted(grid[:, 0], np.arctanh(0.5))] == pytest.approx(0.75, abs=0.002)
    u = np.random.default_rng(3).standard_normal((200_000, 3)) * 1.2
    log_weight = log_uniform_correlations(u, 3) + 0.5 * (u**2).sum(axis=1) / 1.44
    weight = np.exp(log_weight - log_weight.max())
    for i, j in ((0, 1), (0, 2), (1, 2)):
        correlation = covariances(np.ones((len(u), 3)), u)[i, j]
        assert np.average(correlation < 0.5, weights=weight) == pytest.approx(stats.beta(1.5, 1.5).cdf(0.75), abs=0.02)


def test_half_normal_quantiles_follow_from_normal_ones():
    u = np.array([-1.5, 0.0, 2.0])
    assert half_normal(u, 2.0) == pytest.approx(stats.halfnorm(scale=2).ppf(stats.norm.cdf(u)))
    assert half_normal(np.array([-40.0, 40.0]), 1.0) == pytest.approx([1e-4, 37.0], rel=0.01)
