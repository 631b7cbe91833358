"""Posterior of the true domain scores: what the areas score once sampling error is taken into account.

Hierarchical model, exact apart from the few variance parameters: area `i` of region `r` has published domain scores
``y_i ~ N(theta_i, D_i)`` with known sampling covariance `D_i`, and true scores ``theta_i ~ N(mu_r, T)``. Region means
have a flat prior, the standard deviations of `T` half-normal priors, its correlations a uniform one (LKJ 1).
`theta` and `mu` are integrated out in closed form; the six parameters of `T` are drawn from a Laplace proposal with
importance resampling; scores then follow from their Gaussian conditionals, so draws are independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_normals, keyed_rng
from gwm_models.errors import DataError, ModelError

Floats = NDArray[np.float64]

PRIOR_SD = 100.0
LEAST_EFFICIENCY = 0.1
BLOCK = 2000
"""Draws worked on at a time, so that memory does not grow with their number."""


@dataclass(frozen=True, eq=False)
class ScorePosterior(Frozen):
    """Independent draws of the true domain scores.

    Attributes
    ----------
    draws : ndarray, shape (n_draws, n_areas, n_domains)
        Score points.
    shrunk : ndarray, shape (n_areas, n_domains)
        Posterior means at the most probable `T`: free of simulation noise, used to pick areas.
    between_sd : ndarray, shape (n_domains,)
        Posterior mean of the standard deviation between areas of one region.
    efficiency : float in (0, 1]
        Effective share of the importance sample.
    """

    draws: Floats
    shrunk: Floats
    between_sd: Floats
    efficiency: float


def score_posterior(
    scores: Floats, cov: Floats, region: NDArray[np.int64], area: tuple[str, ...], *, n_draws: int = 4000, seed: int = 1
) -> ScorePosterior:
    """Draw true domain scores given published ones and their sampling error.

    Parameters
    ----------
    scores : ndarray, shape (n_areas, n_domains)
        Published domain scores.
    cov : ndarray, shape (n_areas, n_domains, n_domains)
        Their sampling covariance, positive definite.
    region : ndarray of int, shape (n_areas,)
        Group of each area, 0 to n_regions - 1; each needs one area or more.
    area : tuple of str
        Codes: draws are keyed by seed and code.
    n_draws, seed : int

    Raises
    ------
    DataError
        If an array has the wrong shape or is not finite.
    ModelError
        If the importance sample is too poor to trust.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., sections 5.4 and 10.4. Lewandowski, Kurowicka & Joe (2009),
    Journal of Multivariate Analysis 100, 1989-2001 (LKJ).
    """
    n, k = scores.shape
    if cov.shape != (n, k, k) or region.shape != (n,) or len(area) != n:
        raise DataError(f"scores {scores.shape}, cov {cov.shape} and region {region.shape} do not fit together.")
    if not (np.isfinite(scores).all() and np.isfinite(cov).all()):
        raise DataError("scores and their covariance must be finite. Drop the areas without a published score.")
    model = _Model(scores.T, cov.transpose(1, 2, 0), region)
    between, mode, efficiency = _draw_between(model, n_draws, seed)
    white = keyed_normals(seed, "score", area, n_draws, 2 * k)
    region_white = keyed_rng(seed, "score:region-mean").standard_normal((n_draws, region.max() + 1, k))
    draws = np.empty((n_draws, n, k))
    for block in _blocks(n_draws):
        draws[block] = model.draw_scores(between[..., block], white[block], region_white[block])
    sd = np.sqrt(np.einsum("jjs->js", between)).mean(axis=1)
    return ScorePosterior(draws, model.conditional_mean(mode), sd, efficiency)


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
    model = _Model(scores.T, cov.transpose(1, 2, 0), region)
    between = _covariances(_mode(model)[None], len(scores.T))
    precision, _ = model._precision(between)
    region_cov, _ = _invert(model._by_region(precision))
    gain = np.einsum("ij,jkn->nik", between[..., 0], precision[:, :, 0])
    kept = np.eye(len(scores.T)) - gain
    spread = between[None, ..., 0] - gain @ between[..., 0]
    spread = spread + kept @ region_cov[:, :, 0][..., region].transpose(2, 0, 1) @ kept.transpose(0, 2, 1)
    return Shrunk(model.conditional_mean(between), (spread + spread.transpose(0, 2, 1)) / 2)


def _blocks(n_draws: int) -> list[slice]:
    return [slice(first, first + BLOCK) for first in range(0, n_draws, BLOCK)]


@dataclass(frozen=True, eq=False)
class _Model:
    """The published scores, with domains in front: every array below is (domain, [domain,] draw, area or region).

    Attributes
    ----------
    scores : ndarray, shape (k, n_areas)
    cov : ndarray, shape (k, k, n_areas)
    region : ndarray of int, shape (n_areas,)
    """

    scores: Floats
    cov: Floats
    region: NDArray[np.int64]

    def _precision(self, between: Floats) -> tuple[Floats, Floats]:
        """Return the precision of each published score given its region mean, and its log determinant."""
        return _invert(between[..., None] + self.cov[:, :, None])

    def _by_region(self, terms: Floats) -> Floats:
        """Sum over the areas of each region."""
        order = np.argsort(self.region, kind="stable")
        starts = np.searchsorted(self.region[order], np.arange(self.region.max() + 1))
        return np.add.reduceat(terms[..., order], starts, axis=-1)

    def log_likelihood(self, between: Floats) -> Floats:
        """Return the log density of the published scores with true scores and region means integrated out.

        Parameters
        ----------
        between : ndarray, shape (k, k, m)
        """
        precision, log_det = self._precision(between)
        weighted = np.einsum("ijsn,jn->isn", precision, self.scores)
        region_weighted = self._by_region(weighted)
        region_cov, region_log_det = _invert(self._by_region(precision))
        fit = np.einsum("isn,in->s", weighted, self.scores)
        fit -= np.einsum("isr,ijsr,jsr->s", region_weighted, region_cov, region_weighted)
        return np.asarray(-0.5 * (log_det.sum(axis=-1) + region_log_det.sum(axis=-1) + fit))

    def draw_scores(self, between: Floats, white: Floats, region_white: Floats) -> Floats:
        """Draw region means, then true scores, from their exact conditionals given draws of `T`.

        True scores by conditioning a joint draw: simulate scores and published scores from the model, then move the
        simulated scores by the regression on what was really published (Matheron's rule).
        """
        k = len(self.scores)
        precision, _ = self._precision(between)
        region_cov, _ = _invert(self._by_region(precision))
        weighted = self._by_region(np.einsum("ijsn,jn->isn", precision, self.scores))
        mean = np.einsum("ijsr,jsr->isr", region_cov, weighted)
        mean += np.einsum("ijsr,srj->isr", _cholesky(region_cov), region_white)
        simulated = mean[..., self.region] + np.einsum("ijs,snj->isn", _cholesky(between), white[..., :k])
        published = simulated + np.einsum("ijn,snj->isn", _cholesky(self.cov), white[..., k:])
        missed = np.einsum("ijsn,jsn->isn", precision, self.scores[:, None] - published)
        return np.asarray((simulated + np.einsum("ijs,jsn->isn", between, missed)).transpose(1, 2, 0))

    def conditional_mean(self, between: Floats) -> Floats:
        """Return the mean of the true scores given one `T`, shape (n_areas, k)."""
        precision, _ = self._precision(between)
        region_cov, _ = _invert(self._by_region(precision))
        weighted = self._by_region(np.einsum("ijsn,jn->isn", precision, self.scores))
        prior = np.einsum("ijsr,jsr->isr", region_cov, weighted)[..., self.region]
        missed = np.einsum("ijsn,jsn->isn", precision, self.scores[:, None] - prior)
        return np.asarray((prior + np.einsum("ijs,jsn->isn", between, missed))[:, 0].T)


def _cholesky(matrix: Floats) -> Floats:
    """Return Cholesky factors of small matrices held in front, (k, k, ...): loops over k, arrays over the rest."""
    factor = np.zeros_like(matrix)
    for j in range(len(matrix)):
        factor[j, j] = np.sqrt(matrix[j, j] - (factor[j, :j] ** 2).sum(axis=0))
        for i in range(j + 1, len(matrix)):
            factor[i, j] = (matrix[i, j] - (factor[i, :j] * factor[j, :j]).sum(axis=0)) / factor[j, j]
    return factor


def _invert(matrix: Floats) -> tuple[Floats, Floats]:
    """Return inverses and log determinants of small positive definite matrices held in front, (k, k, ...)."""
    size, factor = len(matrix), _cholesky(matrix)
    root = np.zeros_like(matrix)
    for j in range(size):
        root[j, j] = 1 / factor[j, j]
        for i in range(j + 1, size):
            root[i, j] = -(factor[i, j:i] * root[j:i, j]).sum(axis=0) / factor[i, i]
    inverse = np.empty_like(matrix)
    for j in range(size):
        for i in range(j, size):
            inverse[i, j] = inverse[j, i] = (root[i:, i] * root[i:, j]).sum(axis=0)
    return inverse, 2 * sum(np.log(factor[j, j]) for j in range(size))


def _covariances(parameters: Floats, k: int) -> Floats:
    """Turn log standard deviations and partial correlations (atanh scale), (m, p), into covariances, (k, k, m)."""
    log_sd, z = parameters[:, :k].T, np.tanh(parameters[:, k:]).T
    factor = np.zeros((k, k, len(parameters)))
    place = 0
    for row in range(k):
        left = np.ones(len(parameters))
        for column in range(row):
            factor[row, column] = z[place] * np.sqrt(left)
            left = left - factor[row, column] ** 2
            place += 1
        factor[row, row] = np.sqrt(left)
    factor *= np.exp(log_sd)[:, None]
    return np.asarray(np.einsum("ips,jps->ijs", factor, factor))


def _log_prior(parameters: Floats, k: int) -> Floats:
    """Half-normal standard deviations and LKJ(1) correlations, with both changes of variable."""
    log_sd, z = parameters[:, :k], np.tanh(parameters[:, k:])
    prior = (log_sd - 0.5 * (np.exp(log_sd) / PRIOR_SD) ** 2).sum(axis=1)
    column = [c for row in range(k) for c in range(row)]
    exponent = np.array([1 + (k - 2 - c) / 2 for c in column])
    with np.errstate(divide="ignore"):
        return np.asarray(prior + (exponent * np.log1p(-(z**2))).sum(axis=1))


def _log_posterior(model: _Model, parameters: Floats) -> Floats:
    k = len(model.scores)
    return model.log_likelihood(_covariances(parameters, k)) + _log_prior(parameters, k)


def _mode(model: _Model) -> Floats:
    """Find the most probable parameters of the spread between areas."""
    from scipy.optimize import minimize

    k = len(model.scores)
    start = np.concatenate([np.log(model.scores.std(axis=1) / 2 + 1), np.zeros(k * (k - 1) // 2)])
    found = minimize(lambda p: -_log_posterior(model, p[None])[0], start, method="BFGS", options={"gtol": 1e-3})
    return np.asarray(found.x)


def _draw_between(model: _Model, n_draws: int, seed: int) -> tuple[Floats, Floats, float]:
    """Draw `T`, (k, k, n_draws), and return its mode, (k, k, 1), and the efficiency of the importance sample."""
    k = len(model.scores)

    def log_posterior(parameters: Floats) -> Floats:
        return _log_posterior(model, parameters)

    mode = _mode(model)
    spread = np.linalg.cholesky(np.linalg.inv(_curvature(log_posterior, mode)))
    rng = keyed_rng(seed, "score:between")
    freedom = 6.0
    scale = np.sqrt(freedom / rng.chisquare(freedom, n_draws))[:, None]
    white = rng.standard_normal((n_draws, len(mode))) * scale
    proposal = mode + white @ spread.T
    log_proposal = -0.5 * (freedom + len(mode)) * np.log1p((white**2).sum(axis=1) / freedom)
    log_weight = np.concatenate([log_posterior(proposal[block]) for block in _blocks(n_draws)]) - log_proposal
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    efficiency = float(1 / (weight**2).sum() / n_draws)
    if not efficiency >= LEAST_EFFICIENCY:
        raise ModelError(
            f"The posterior of the spread between areas is poorly explored (efficiency {efficiency:.0%}, least "
            f"{LEAST_EFFICIENCY:.0%}). Too few areas, or scores that hardly differ, for this model."
        )
    places = (np.arange(n_draws) + rng.random()) / n_draws
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), places), n_draws - 1)
    return _covariances(proposal[rng.permutation(chosen)], k), _covariances(mode[None], k), efficiency


def _curvature(log_posterior: Callable[[Floats], Floats], mode: Floats, step: float = 1e-3) -> Floats:
    """Return minus the Hessian of the log posterior at its mode, by central differences in one batch."""
    size = len(mode)
    shifts = np.eye(size) * step
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    points = [mode + a * shifts[i] + b * shifts[j] for i in range(size) for j in range(size) for a, b in signs]
    values = log_posterior(np.array(points)).reshape(size, size, 4)
    hessian = (values[..., 0] - values[..., 1] - values[..., 2] + values[..., 3]) / (4 * step**2)
    return np.asarray(-(hessian + hessian.T) / 2)
