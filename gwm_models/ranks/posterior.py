"""Posterior of the true domain scores: what the areas score once sampling error is taken into account.

Hierarchical model, exact apart from the few variance parameters: area `i` of region `r` has published domain scores
``y_i ~ N(theta_i, D_i)`` with known sampling covariance `D_i`, and true scores ``theta_i ~ N(mu_r, T)``. Region means
have a flat prior, the standard deviations of `T` half-normal priors, its correlations a uniform one (LKJ 1).
`theta` and `mu` are integrated out in closed form; the few parameters of `T` (six for three domains) are drawn by
importance resampling, at first from a Laplace proposal, then from one in the shape of those first draws; scores then
follow from their Gaussian conditionals, without a chain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.models.collapse import (
    BLOCK,
    GOOD_TAIL,
    Collapsed,
    LogDensity,
    find_mode,
    pareto_tail,
    resample,
    sample_collapsed,
)
from gwm_models.models.gaussian.small_matrices import FARTHEST, covariances, log_uniform_correlations, n_pairs
from gwm_models.ranks.bent_t import BentT
from gwm_models.ranks.hierarchy import STREAM, Hierarchy, tiles
from gwm_models.ranks.score_checks import (
    check_codes,
    check_cov,
    check_n_draws,
    check_prior,
    check_regions,
    check_spread,
    check_table,
    spread_seen,
)

Floats = NDArray[np.float64]

PRIOR_SD = 100.0
"""Prior scale of the standard deviations between areas, in the unit to which scores are brought inside."""
IMPOSSIBLE = -1e100
"""Log density of a spread out of reach of double precision: finite, so that a search can step back from it."""

LEAST_SAMPLE = 2000
"""Size of an importance sample however few draws are asked for: a small one would lean towards its proposal."""
FIRST_SHARE = 20
"""One draw in that many, if they are more than the least sample, is spent on the shape of the proposal."""
WHAT = "the spread between areas"


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
        Effective share of the importance sample: a spread may be picked more than once, then with the same region
        means; scores are drawn anew.
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
    scores: Floats,
    cov: Floats,
    region: NDArray[np.int64],
    area: tuple[str, ...],
    *,
    prior_sd: ArrayLike | None = None,
    n_draws: int = 4000,
    seed: int = 1,
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
    prior_sd : array_like, shape () or (n_domains,), optional
        Scale of the half-normal priors of the standard deviations between areas, in score points. By default it
        follows the scores, domain by domain: twice their standard deviation, or twice their root mean square error if
        that is larger.
    n_draws, seed : int

    Raises
    ------
    DataError
        If an array has the wrong shape, is not finite, or is not a covariance.
    ModelError
        If the importance sample is too poor to trust, exact scores that are all tied leave no spread to estimate, or
        the scores are at odds with the prior.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., sections 5.4 and 10.4. Lewandowski, Kurowicka & Joe (2009),
    Journal of Multivariate Analysis 100, 1989-2001 (LKJ). Bugallo et al. (2017), IEEE Signal Processing Magazine 34(4),
    60-79 (adaptive importance sampling).
    """
    scores = check_table(scores, "scores", area)
    check_codes(area)
    check_n_draws(n_draws)
    region = check_regions(region, len(area))
    cov = check_cov(cov, scores.shape, area)
    prior = check_prior(prior_sd, scores, np.diagonal(cov, axis1=1, axis2=2), region)
    if not cov.any():
        as_published, seen = np.tile(scores, (n_draws, 1, 1)), np.tile(spread_seen(scores, region), (n_draws, 1, 1))
        return ScorePosterior(as_published, scores.copy(), seen, 1.0)
    exact = np.diagonal(cov, axis1=1, axis2=2) == 0
    check_spread(scores, exact, region)
    unit, k = prior / PRIOR_SD, scores.shape[1]
    model = Hierarchy.of(scores / unit, cov / np.outer(unit, unit), region)
    mode = find_mode(_log_posterior(model), _start(model))
    spread = _spreads(model, np.concatenate([_quantile(np.exp(mode[:k])), mode[k:]]), n_draws, seed)
    draws = _draws(model, spread, area, seed)
    shrunk, _ = model.conditional(_between(mode[None], k)[..., 0])
    between = np.ascontiguousarray(spread.between.transpose(2, 0, 1))
    if (unit != 1).any():
        draws *= unit
        shrunk, between = shrunk * unit, between * np.outer(unit, unit)
    draws[:, exact], shrunk[exact] = scores[exact], scores[exact]
    return ScorePosterior(draws, shrunk, between, spread.efficiency)


@dataclass(frozen=True, eq=False)
class _Spreads:
    """Draws of `T`, (k, k, m), and of the region means given `T`, (k, n_regions, m), with their efficiency."""

    between: Floats
    region: Floats
    efficiency: float


def _spreads(model: Hierarchy, start: Floats, n_draws: int, seed: int) -> _Spreads:
    """Draw `T` and region means by importance sampling in two stages.

    The second stage gives way to the first, of full size, where its weights are less even or have too long a tail.
    """

    def laplace(size: int) -> Collapsed:
        log_posterior = _log_posterior_of_quantiles(model)
        return sample_collapsed(log_posterior, start, n_draws=size, seed=seed, key="score:between", what=WHAT)

    first = laplace(max(LEAST_SAMPLE, n_draws // FIRST_SHARE))
    second = _second_stage(model, first, n_draws, seed) if n_draws > LEAST_SAMPLE else None
    if second is not None:
        return second
    sample = first if n_draws <= LEAST_SAMPLE else laplace(n_draws)
    between, region, _ = _evaluate(model, sample.draws[:n_draws], seed)
    return _Spreads(between, region, sample.efficiency)


def _second_stage(model: Hierarchy, first: Collapsed, n_draws: int, seed: int) -> _Spreads | None:
    """Draw from a proposal in the shape of first draws; nothing if that serves worse than what they were drawn from."""
    rng = keyed_rng(seed, "score:between:second")
    try:
        proposal, log_density = BentT.like(first.draws).draw(n_draws, rng)
    except np.linalg.LinAlgError:
        return None
    between, region, log_posterior = _evaluate(model, proposal, seed)
    log_weight = log_posterior - log_density
    weight = np.exp(log_weight - log_weight.max())
    if weight.mean() ** 2 < first.efficiency * (weight**2).mean() or pareto_tail(weight / weight.sum()) >= GOOD_TAIL:
        return None
    resampled = resample(log_weight, rng, WHAT)
    chosen = rng.permutation(resampled.chosen)
    return _Spreads(between[..., chosen], region[..., chosen], resampled.efficiency)


def _evaluate(model: Hierarchy, parameters: Floats, seed: int) -> tuple[Floats, Floats, Floats]:
    """Return `T`, draws of the region means given `T`, and the log posterior, from the same sums over areas."""
    (k, _), m, n_regions = model.shape, len(parameters), len(model.start)
    stream = keyed_rng(seed, "score:region-mean")
    between, region, log_posterior = np.empty((k, k, m)), np.empty((k, n_regions, m)), np.empty(m)
    for first in range(0, m, BLOCK):
        part = slice(first, first + BLOCK)
        u = parameters[part]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            between[..., part] = covariances(half_normal_of(u[:, :k]), u[:, k:])
            sums = model.sums(between[..., part], density=True)
            region[..., part] = sums.draw(stream.standard_normal((len(u), n_regions, k)))
            log_posterior[part] = sums.log_likelihood() + _log_prior_of_quantiles(u, k)
    return between, region, _finite(log_posterior)


def _draws(model: Hierarchy, spread: _Spreads, area: tuple[str, ...], seed: int) -> Floats:
    """Draw true scores, one stream of random numbers for each area, (m, n_areas, k)."""
    k, n = model.shape
    n_draws = spread.between.shape[2]
    streams = [keyed_rng(seed, "score", area[i]) for i in model.order]
    draws, held = np.empty((n_draws, n, k)), np.empty((0, 0, 0))
    for part in tiles(n_draws, n, STREAM):
        size = part.stop - part.start
        held = held if held.shape[1] == size else np.empty((n, size, k))
        for stream, white in zip(streams, held, strict=True):
            stream.standard_normal(out=white)
        model.draw(spread.between[..., part], spread.region[..., part], held, out=draws[part])
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


def shrink(scores: Floats, cov: Floats, region: NDArray[np.int64], *, prior_sd: float = PRIOR_SD) -> Shrunk:
    """Shrink scores of any number of columns towards their region, by the model of `score_posterior` at its mode.

    Parameters
    ----------
    scores : ndarray, shape (n_areas, k)
    cov : ndarray, shape (n_areas, k, k)
    region : ndarray of int, shape (n_areas,)
    prior_sd : float
        As in `score_posterior`; by default that of scores from 1 to 100.
    """
    unit = prior_sd / PRIOR_SD
    model = Hierarchy.of(scores / unit, cov / unit**2, region)
    mode = find_mode(_log_posterior(model), _start(model))
    mean, within = model.conditional(_between(mode[None], scores.shape[1])[..., 0])
    return Shrunk(mean * unit, within * unit**2)


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
        return np.asarray(likelihood + _log_prior_of_quantiles(u, k))

    return _guarded(log_posterior)


def _log_prior_of_quantiles(u: Floats, k: int) -> Floats:
    """Weigh normal quantities in place of standard deviations, and uniform correlations."""
    return np.asarray(log_uniform_correlations(u[:, k:], k) - 0.5 * (u[:, :k] ** 2).sum(axis=1))


def _guarded(log_density: LogDensity) -> LogDensity:
    """Return a log density that is finite where `T` is out of reach of double precision."""

    def guarded(parameters: Floats) -> Floats:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return _finite(log_density(parameters))

    return guarded


def _finite(log_density: Floats) -> Floats:
    return np.where(np.isfinite(log_density), log_density, IMPOSSIBLE)


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
    log_sd = np.log((model.scores + model.centre)[..., 0].std(axis=1) / 2 + 1)
    return np.concatenate([log_sd, np.zeros(n_pairs(len(log_sd)))])
