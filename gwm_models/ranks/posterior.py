"""Posterior of the true domain scores: what the areas score once sampling error is taken into account.

Hierarchical model, exact apart from the few variance parameters: area `i` of region `r` has published domain scores
``y_i ~ N(theta_i, D_i)`` with known sampling covariance `D_i`, and true scores ``theta_i ~ N(mu_r, T)``. Region means
have a flat prior, the standard deviations of `T` half-normal priors, its correlations a uniform one (LKJ 1).
`theta` and `mu` are integrated out in closed form; the few parameters of `T` (six for three domains) are drawn from a
Laplace proposal with importance resampling; scores then follow from their Gaussian conditionals, without a chain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.models.collapse import LogDensity, find_mode, sample_collapsed
from gwm_models.models.gaussian.small_matrices import FARTHEST, covariances, log_uniform_correlations, n_pairs
from gwm_models.ranks.hierarchy import STREAM, Hierarchy, tiles
from gwm_models.ranks.score_checks import (
    check_codes,
    check_cov,
    check_n_draws,
    check_regions,
    check_spread,
    check_table,
    spread_seen,
)

Floats = NDArray[np.float64]

PRIOR_SD = 100.0
IMPOSSIBLE = -1e100
"""Log density of a spread out of reach of double precision: finite, so that a search can step back from it."""

LEAST_SAMPLE = 2000
"""Size of the importance sample however few draws are asked for: a small one would lean towards its proposal."""


@dataclass(frozen=True, eq=False)
class ScorePosterior(Frozen):
    """Independent draws of the true domain scores.

    Attributes
    ----------
    draws : ndarray, shape (n_draws, n_areas, n_domains)
        Score points.
    shrunk : ndarray, shape (n_areas, n_domains)
        Posterior means at the most probable `T`: free of simulation noise, used to pick areas.
    between : ndarray, shape (n_draws, n_domains, n_domains)
        Draws of `T`, the covariance between areas of one region; the one observed if all scores are exact.
    efficiency : float in (0, 1]
        Effective share of the importance sample.
    """

    draws: Floats
    shrunk: Floats
    between: Floats
    efficiency: float

    @property
    def between_sd(self) -> Floats:
        """Posterior mean of the standard deviation between areas of one region, by domain."""
        return np.asarray(np.sqrt(np.diagonal(self.between, axis1=1, axis2=2)).mean(axis=0))


def score_posterior(
    scores: Floats, cov: Floats, region: NDArray[np.int64], area: tuple[str, ...], *, n_draws: int = 4000, seed: int = 1
) -> ScorePosterior:
    """Draw true domain scores given published ones and their sampling error.

    Parameters
    ----------
    scores : ndarray, shape (n_areas, n_domains)
        Published domain scores.
    cov : ndarray, shape (n_areas, n_domains, n_domains)
        Their sampling covariance, positive semi-definite. A score without error is kept as published.
    region : ndarray of int, shape (n_areas,)
        Group of each area, 0 to n_regions - 1; each needs one area or more.
    area : tuple of str
        Codes: draws are keyed by seed and code.
    n_draws, seed : int

    Raises
    ------
    DataError
        If an array has the wrong shape, is not finite, or is not a covariance.
    ModelError
        If the importance sample is too poor to trust, or exact scores that are all tied leave no spread to estimate.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., sections 5.4 and 10.4. Lewandowski, Kurowicka & Joe (2009),
    Journal of Multivariate Analysis 100, 1989-2001 (LKJ).
    """
    scores = check_table(scores, "scores", area)
    check_codes(area)
    check_n_draws(n_draws)
    region = check_regions(region, len(area))
    cov = check_cov(cov, scores.shape, area)
    if not cov.any():
        as_published, seen = np.tile(scores, (n_draws, 1, 1)), np.tile(spread_seen(scores, region), (n_draws, 1, 1))
        return ScorePosterior(as_published, scores.copy(), seen, 1.0)
    exact = np.diagonal(cov, axis1=1, axis2=2) == 0
    check_spread(scores, exact, region)
    model, k = Hierarchy.of(scores, cov, region), scores.shape[1]
    mode = find_mode(_log_posterior(model), _start(model))
    collapsed = sample_collapsed(
        _log_posterior_of_quantiles(model),
        np.concatenate([_quantile(np.exp(mode[:k])), mode[k:]]),
        n_draws=max(n_draws, LEAST_SAMPLE),
        seed=seed,
        key="score:between",
        what="the spread between areas",
    )
    parameters = collapsed.draws[:n_draws]
    between = covariances(half_normal_of(parameters[:, :k]), parameters[:, k:])
    draws = _draws(model, between, area, seed)
    shrunk, _ = model.conditional(_between(mode[None], k)[..., 0])
    draws[:, exact], shrunk[exact] = scores[exact], scores[exact]
    return ScorePosterior(draws, shrunk, np.ascontiguousarray(between.transpose(2, 0, 1)), collapsed.efficiency)


def _draws(model: Hierarchy, between: Floats, area: tuple[str, ...], seed: int) -> Floats:
    """Draw true scores, one stream of random numbers for each area, (m, n_areas, k)."""
    k, n = model.shape
    n_draws = between.shape[2]
    streams = [keyed_rng(seed, "score", code) for code in area]
    region_stream = keyed_rng(seed, "score:region-mean")
    draws = np.empty((n_draws, n, k))
    for part in tiles(n_draws, n, STREAM):
        size = part.stop - part.start
        white = np.empty((n, size, k))
        for stream, held in zip(streams, white, strict=True):
            stream.standard_normal(out=held)
        region_white = region_stream.standard_normal((size, len(model.size), k))
        draws[part] = model.draw(between[..., part], white, region_white)
    return draws


@dataclass(frozen=True, eq=False)
class Shrunk:
    """Posterior of true scores at the most probable spread between areas.

    Attributes
    ----------
    mean : ndarray, shape (n_areas, k)
    cov : ndarray, shape (n_areas, k, k)
        Covariance of each area's true scores, the error of its region mean included.
    """

    mean: Floats
    cov: Floats


def shrink(scores: Floats, cov: Floats, region: NDArray[np.int64]) -> Shrunk:
    """Shrink scores of any number of columns towards their region, by the model of `score_posterior` at its mode.

    Parameters
    ----------
    scores : ndarray, shape (n_areas, k)
    cov : ndarray, shape (n_areas, k, k)
    region : ndarray of int, shape (n_areas,)
    """
    model = Hierarchy.of(scores, cov, region)
    mode = find_mode(_log_posterior(model), _start(model))
    return Shrunk(*model.conditional(_between(mode[None], scores.shape[1])[..., 0]))


def _between(parameters: Floats, k: int) -> Floats:
    """Turn log standard deviations and partial correlations, (m, p), into `T`, (k, k, m)."""
    return covariances(np.exp(parameters[:, :k]), parameters[:, k:])


def _log_prior(parameters: Floats, k: int) -> Floats:
    """Half-normal standard deviations and uniform correlations, with both changes of variable."""
    log_sd = parameters[:, :k]
    prior = (log_sd - 0.5 * (np.exp(log_sd) / PRIOR_SD) ** 2).sum(axis=1)
    return np.asarray(prior + log_uniform_correlations(parameters[:, k:], k))


def _log_posterior(model: Hierarchy) -> LogDensity:
    """Return the log density of log standard deviations and partial correlations, (m, p) to (m,)."""
    k, _ = model.shape
    return _guarded(lambda parameters: model.log_likelihood(_between(parameters, k)) + _log_prior(parameters, k))


def _log_posterior_of_quantiles(model: Hierarchy) -> LogDensity:
    """Return the same density with each standard deviation as the normal quantity of the same prior probability.

    Where a standard deviation may be nearly zero its logarithm has a long tail on the left; this scale has none, so
    that the proposal fits better.
    """
    k, _ = model.shape

    def log_posterior(u: Floats) -> Floats:
        likelihood = model.log_likelihood(covariances(half_normal_of(u[:, :k]), u[:, k:]))
        prior = log_uniform_correlations(u[:, k:], k) - 0.5 * (u[:, :k] ** 2).sum(axis=1)
        return np.asarray(likelihood + prior)

    return _guarded(log_posterior)


def _guarded(log_density: LogDensity) -> LogDensity:
    """Return a log density that is finite where `T` is out of reach of double precision."""

    def guarded(parameters: Floats) -> Floats:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value = log_density(parameters)
        return np.where(np.isfinite(value), value, IMPOSSIBLE)

    return guarded


def half_normal_of(u: Floats) -> Floats:
    """Turn standard normal quantities into half-normal standard deviations of the same probability.

    Precise at both ends, in the shape of `u`.
    """
    from scipy.special import erfinv, ndtr, ndtri

    u = np.clip(u, -FARTHEST, FARTHEST)
    return np.asarray(PRIOR_SD * np.where(u < 0, np.sqrt(2) * erfinv(ndtr(u)), -ndtri(ndtr(-u) / 2)))


def _quantile(sd: Floats) -> Floats:
    """Return where the search starts for standard deviations, the inverse of `half_normal_of`."""
    from scipy.special import erfc, ndtri

    return np.asarray(np.clip(-ndtri(erfc(sd / (PRIOR_SD * np.sqrt(2)))), -8.0, FARTHEST))


def _start(model: Hierarchy) -> Floats:
    """Return where the search for the most probable parameters begins."""
    log_sd = np.log((model.scores + model.centre).std(axis=1) / 2 + 1)
    return np.concatenate([log_sd, np.zeros(n_pairs(len(log_sd)))])
