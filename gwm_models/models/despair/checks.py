"""Checks of the shared-factor model: data that it would make itself, and each figure predicted from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.models.association.moran import moran
from gwm_models.models.chains import LeaveOneOut, leave_one_out
from gwm_models.models.despair.model import DespairData, DespairDraws, conditional, draw_prior

Floats = NDArray[np.float64]

N_REPLICATES = 1000
N_PERMUTATIONS = 1999
N_NODES = 9
NEWTON_STEPS = 6


@dataclass(frozen=True, eq=False)
class Predictive(Frozen):
    """How the correlations in the data compare with those in data that the model makes for new units.

    Attributes
    ----------
    with_score : ndarray, shape (k,)
        Correlation of each outcome with the published score.
    expected : ndarray, shape (k,)
        The same in replicated data, mean.
    p_score : ndarray, shape (k,)
        Two-sided posterior predictive p value of each.
    p_all : float
        Of all correlations together: share of replicated data sets that lie as far from their mean as the data do.
    """

    with_score: Floats
    expected: Floats
    p_score: Floats
    p_all: float


def check_correlations(data: DespairData, draws: DespairDraws, seed: int) -> Predictive:
    """Compare correlations of outcomes with the score and with each other to those of replicated data.

    Factor, group factors, residuals, published errors and counts are all drawn anew; scores stay as published.

    References
    ----------
    Gelman, Meng & Stern (1996), Statistica Sinica 6, 733-760.
    """
    made = replicate(data, draws, seed)
    found, replicated = correlations(_published(data)[None], data.score)[0], correlations(made, data.score)
    mean, sd = replicated.mean(axis=0), replicated.std(axis=0)
    far = (((replicated - mean) / sd) ** 2).sum(axis=1)
    k = len(data.scale)
    above = (replicated[:, :k] >= found[:k]).mean(axis=0)
    return Predictive(
        with_score=found[:k],
        expected=mean[:k],
        p_score=np.minimum(1.0, 2 * np.minimum(above, 1 - above)),
        p_all=float((far >= (((found - mean) / sd) ** 2).sum()).mean()),
    )


def _published(data: DespairData) -> Floats:
    """Return levels and standardised log crude rates, shape (n, k)."""
    crude = np.log((data.counts + 0.5) / data.person_years)
    return np.where(np.isfinite(data.counts), (crude - data.centre) / data.scale, data.levels)


def check_prior(data: DespairData, seed: int) -> dict[str, float]:
    """Return how often the prior makes data that spread as much as the real ones, and that hang together as much.

    Returns
    -------
    dict
        Prior predictive p values: ``prior_p_spread`` of the mean variance of the outcomes between units,
        ``prior_p_correlations`` of the mean squared correlation (with the score, and between outcomes). Near 0 the
        prior holds the data to be very unlikely; near 1 it leaves room for much more than the data show.

    References
    ----------
    Box (1980), Journal of the Royal Statistical Society A 143, 383-430.
    """
    made = replicate(data, draw_prior(data, N_REPLICATES, keyed_rng(seed, "despair:prior")), seed)
    real = _published(data)[None]

    def p_value(figure: Callable[[Floats], Floats]) -> float:
        return float((figure(made) >= figure(real)[0]).mean())

    return {
        "prior_p_spread": p_value(lambda outcomes: np.nanvar(outcomes, axis=1).mean(axis=1)),
        "prior_p_correlations": p_value(lambda outcomes: (correlations(outcomes, data.score) ** 2).mean(axis=1)),
    }


def check_neighbours(deviation: Floats, borders: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Return Moran's I of the units' mean deviation over shared borders, and its permutation p.

    Parameters
    ----------
    deviation : ndarray, shape (n_draws, n)
    borders : ndarray of int, shape (n_pairs, 2)
    seed : int
    """
    found = moran(deviation.mean(axis=0), borders, n_permutations=N_PERMUTATIONS, seed=seed)
    return {"residual_moran": found.statistic, "residual_moran_p": found.p_value}


def replicate(data: DespairData, draws: DespairDraws, seed: int) -> Floats:
    """Make outcomes for new units with the published scores, shape (n_replicates, n, k), NaN where the data have none.

    A count comes back as its standardised log crude rate.
    """
    taken = np.linspace(0, len(draws.beta) - 1, min(N_REPLICATES, len(draws.beta))).astype(int)
    rng = keyed_rng(seed, "despair:replicate")
    n, k = data.levels.shape
    one = (len(taken), n)
    loading, residual, group = (values[taken, None, :] for values in (draws.loading, draws.residual, draws.group))
    mean, variance = draws.score_mean[taken, None], draws.score_sd[taken, None] ** 2
    kept = variance / (variance + data.score_error**2)
    score = mean + kept * (data.score - mean) + np.sqrt(kept) * data.score_error * rng.standard_normal(one)
    factor = draws.beta[taken, None] * score + rng.standard_normal(one)
    shared = rng.standard_normal((*one, data.members.shape[1])) @ data.members.T
    spread = np.sqrt(residual**2 + data.errors**2)
    outcome = draws.intercept[taken, None, :] + loading * factor[..., None] + group * shared
    outcome = outcome + spread * rng.standard_normal((*one, k))
    counted = np.isfinite(data.counts)
    rate = np.exp(data.centre + data.scale * outcome)[:, counted]
    years = data.person_years[counted]
    crude = np.log((rng.poisson(years * rate) + 0.5) / years)
    column = np.nonzero(counted)[1]
    outcome[:, counted] = (crude - data.centre[column]) / data.scale[column]
    return np.where(data.seen, outcome, np.nan)


def correlations(outcomes: Floats, score: Floats) -> Floats:
    """Return correlations over the units that have both figures: with the score first, then between outcomes.

    Parameters
    ----------
    outcomes : ndarray, shape (m, n, k)
        NaN in the same cells of every data set.
    score : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (m, k + k (k - 1) / 2)
    """
    m, n, k = outcomes.shape
    columns = np.concatenate([np.broadcast_to(score[:, None], (m, n, 1)), outcomes], axis=2)
    seen = np.isfinite(columns[0])
    first, second = np.triu_indices(k + 1, 1)
    found = np.empty((m, len(first)))
    for pair, (a, b) in enumerate(zip(first, second, strict=True)):
        both = columns[:, seen[:, a] & seen[:, b]][..., [a, b]]
        both = both - both.mean(axis=1, keepdims=True)
        cross = (both[..., 0] * both[..., 1]).sum(axis=1)
        found[:, pair] = cross / np.sqrt((both**2).sum(axis=1).prod(axis=1))
    return found


def predict_each(data: DespairData, draws: DespairDraws) -> LeaveOneOut:
    """Estimate how well the model predicts each figure from the other figures of its unit and from other units.

    Figures of one unit are not independent given the parameters, so the density of each is taken given the others of
    its unit; that of a count is summed over its log rate by quadrature.

    References
    ----------
    Bürkner, Gabry & Vehtari (2021), Computational Statistics 36, 1243-1261 (non-factorised models).
    """
    normal = conditional(data, draws)
    level = np.isfinite(data.levels)
    mean, variance = normal.mean[:, level], normal.variance[:, level]
    density = -0.5 * (np.log(2 * np.pi * variance) + (data.levels[level] - mean) ** 2 / variance)
    return leave_one_out(np.concatenate([density, count_density(data, normal.mean, normal.variance)], axis=1))


def count_density(data: DespairData, mean: Floats, variance: Floats) -> Floats:
    """Return the log density of each count, its standardised log rate being normal, shape (n_draws, n_counts).

    Gauss-Hermite quadrature around the most probable log rate.

    Parameters
    ----------
    mean, variance : ndarray, shape (n_draws, n, k)

    References
    ----------
    Liu & Pierce (1994), Biometrika 81, 624-629.
    """
    from scipy.special import gammaln, logsumexp

    counted = np.isfinite(data.counts)
    column = np.nonzero(counted)[1]
    count, scale = data.counts[counted], data.scale[column]
    base = np.log(data.person_years[counted]) + data.centre[column]
    middle, spread = mean[:, counted], variance[:, counted]
    crude, weight = (np.log(count + 0.5) - base) / scale, scale**2 * (count + 0.5)
    rate = (weight * crude + middle / spread) / (weight + 1 / spread)
    for _ in range(NEWTON_STEPS):
        expected = np.exp(base + scale * rate)
        slope = scale * (count - expected) - (rate - middle) / spread
        rate = rate + slope / (scale**2 * expected + 1 / spread)
    width = 1 / np.sqrt(scale**2 * np.exp(base + scale * rate) + 1 / spread)
    node, node_weight = np.polynomial.hermite_e.hermegauss(N_NODES)
    terms = []
    for place, share in zip(node, node_weight, strict=True):
        there = rate + width * place
        log_mean = base + scale * there
        law = count * log_mean - np.exp(log_mean) - 0.5 * (there - middle) ** 2 / spread
        terms.append(np.log(share) + 0.5 * place**2 + law)
    known = np.log(width) - 0.5 * np.log(2 * np.pi * spread) - gammaln(count + 1)
    return np.asarray(logsumexp(terms, axis=0) + known)
