"""Weights that honour the hierarchy (indicators, domains, total), means of scores, and what one domain buys of another.

Arithmetic, geometric and harmonic means are means of a transformed score (the score, its logarithm, its inverse). With
the same mean at both levels, the mean of the domain means is therefore one weighted mean of the indicators, whose
weights are domain weight times weight within the domain: exact, and what makes thousands of rebuilds quick.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.errors import DataError
from gwm_models.index.normalise import Floats, normalise

AGGREGATIONS = ("arithmetic", "geometric", "harmonic")
WEIGHTINGS = ("equal", "random", "pca", "leave_one_out")
POWER = {"arithmetic": 1, "geometric": 0, "harmonic": -1}


def composite(
    levels: ArrayLike,
    direction: ArrayLike,
    domain: Sequence[str],
    *,
    normalisation: str = "min_max",
    aggregation: str = "arithmetic",
    weights: ArrayLike | None = None,
    domain_weights: ArrayLike | None = None,
) -> Floats:
    """Score areas by one index: normalise, average into domains, average the domains.

    Parameters
    ----------
    levels : array_like, shape (n_areas, n_indicators)
        Indicator levels in any unit.
    direction : array_like of {1, -1}, shape (n_indicators,)
        -1 where less is better.
    domain : sequence of str, length n_indicators
        Domain of each indicator.
    normalisation, aggregation : str
        One of `NORMALISATIONS`, one of `AGGREGATIONS`.
    weights : array_like, shape (n_indicators,), optional
        Weight of an indicator within its domain; equal by default. They may sum to anything.
    domain_weights : array_like, shape (n_domains,), optional
        Weights of the domains in order of first mention; equal by default. They may sum to anything.

    Returns
    -------
    ndarray, shape (n_areas,)
        Scores on the scale 1-100. Equal weights, min-max and the arithmetic mean are the Monitor's method: its total
        is six times this score when every domain has two indicators.

    Examples
    --------
    >>> composite([[60, 9], [80, 5], [70, 1]], [1, -1], ["work", "work"]).tolist()
    [1.0, 75.25, 75.25]
    """
    x = np.asarray(levels, dtype=float)
    member = membership(domain)
    within = np.ones(len(domain)) if weights is None else np.asarray(weights, dtype=float)
    across = np.ones(member.shape[1]) if domain_weights is None else np.asarray(domain_weights, dtype=float)
    if within.shape != (len(domain),) or across.shape != (member.shape[1],):
        raise DataError(f"Expected {len(domain)} weights and {member.shape[1]} domain weights.")
    if (within < 0).any() or (across < 0).any() or not (within @ member) @ across > 0:
        raise DataError("Weights must be zero or more, and some indicator of some domain must have weight.")
    scores = normalise((x * np.asarray(direction)).T, normalisation)
    flat = flat_weights(within, across, member)
    return average_inverse(flat @ average_terms(scores, aggregation), aggregation)


def domain_names(domain: Sequence[str]) -> tuple[str, ...]:
    """Return the domains in order of first mention."""
    return tuple(dict.fromkeys(domain))


def membership(domain: Sequence[str]) -> Floats:
    """Return 1 where an indicator belongs to a domain, shape (n_indicators, n_domains)."""
    names = domain_names(domain)
    return np.eye(len(names))[[names.index(name) for name in domain]]


def flat_weights(within: Floats, across: Floats, member: Floats) -> Floats:
    """Return each indicator's weight in the total: domain weight times its weight within the domain.

    Parameters
    ----------
    within : ndarray, shape (..., n_indicators)
    across : ndarray, shape (..., n_domains)
        Neither needs to sum to one. A domain with no weight left inside it is dropped; the others share its weight.
    member : ndarray, shape (n_indicators, n_domains)

    Returns
    -------
    ndarray, shape (..., n_indicators)
        Sums to one.
    """
    inside = within @ member
    live = np.where(inside > 0, across, 0.0)
    per_domain = live / (np.where(inside > 0, inside, 1.0) * live.sum(axis=-1, keepdims=True))
    return np.asarray(within * (per_domain @ member.T))


def random_weights(rng: np.random.Generator, n: int, member: Floats, concentration: float) -> Floats:
    """Draw weights from the simplex: Dirichlet over the domains, and Dirichlet over the indicators of each domain.

    Parameters
    ----------
    rng : Generator
    n : int
        Number of draws.
    member : ndarray, shape (n_indicators, n_domains)
    concentration : float
        Of every component; 1 is uniform over the simplex, more keeps the weights nearer to equal.

    Returns
    -------
    ndarray, shape (n, n_indicators)
        Weights in the total, summing to one.
    """
    across = rng.standard_gamma(concentration, (n, member.shape[1]))
    within = rng.standard_gamma(concentration, (n, len(member)))
    return flat_weights(within, across, member)


def leave_one_out_weights(member: Floats) -> Floats:
    """Return equal weights without indicator `j`, a row for each `j`, shape (n_indicators, n_indicators)."""
    return flat_weights(1 - np.eye(len(member)), np.ones(member.shape[1]), member)


def pca_weights(scores: Floats, member: Floats) -> Floats:
    """Return weights from principal components, at each level of the hierarchy.

    Weights are the squared loadings on the first component of the correlations: of the indicators inside a domain, then
    of the domain scores (arithmetic means with those weights). Two indicators always get equal weights.

    Parameters
    ----------
    scores : ndarray, shape (..., n_indicators, n_areas)
        Normalised, higher is better.
    member : ndarray, shape (n_indicators, n_domains)

    Returns
    -------
    ndarray, shape (..., n_indicators)
        Weights in the total, summing to one.

    References
    ----------
    Nicoletti, Scarpetta & Boylaud (2000), OECD Economics Working Paper 226; OECD/JRC (2008), section 6.1.
    """
    centred = scores - scores.mean(axis=-1, keepdims=True)
    cov = centred @ np.swapaxes(centred, -1, -2)
    within = np.empty(scores.shape[:-1])
    for d in range(member.shape[1]):
        inside = np.flatnonzero(member[:, d])
        within[..., inside] = _squared_loadings(cov[..., inside[:, None], inside])
    mix = within[..., None] * member
    across = _squared_loadings(np.swapaxes(mix, -1, -2) @ cov @ mix)
    return flat_weights(within, across, member)


def _squared_loadings(cov: Floats) -> Floats:
    """Return squared loadings on the first principal component of the correlations; they sum to one."""
    size = cov.shape[-1]
    if size <= 2:  # the first component of two variables always loads equally on both
        return np.full(cov.shape[:-1], 1 / size)
    sd = np.sqrt(np.einsum("...jj->...j", cov))
    vectors = np.linalg.eigh(cov / (sd[..., None] * sd[..., None, :]))[1]
    return np.asarray(vectors[..., -1] ** 2)


def average_terms(scores: Floats, aggregation: str) -> Floats:
    """Return what a mean averages: the scores, their logarithms, or minus their inverses; all rise with the score."""
    check_aggregation(aggregation)
    if aggregation == "geometric":
        return np.log(scores)
    return scores if aggregation == "arithmetic" else np.asarray(-1 / scores)


def average_inverse(terms: Floats, aggregation: str) -> Floats:
    """Return the mean on the scale of the scores, from the mean of its terms."""
    check_aggregation(aggregation)
    if aggregation == "geometric":
        return np.exp(terms)
    return terms if aggregation == "arithmetic" else np.asarray(-1 / terms)


def check_aggregation(aggregation: str) -> None:
    """Raise ValueError for an unknown mean."""
    if aggregation not in AGGREGATIONS:
        raise ValueError(f"aggregation must be one of {', '.join(AGGREGATIONS)}; got {aggregation!r}.")


def substitution_rates(domain_scores: ArrayLike, aggregation: str, domain_weights: ArrayLike | None = None) -> Floats:
    """Say what one domain buys of another: the marginal rate of substitution.

    Parameters
    ----------
    domain_scores : array_like, shape (n_domains,)
        Where the rates are taken, on the positive scale.
    aggregation : str
        One of `AGGREGATIONS`.
    domain_weights : array_like, shape (n_domains,), optional
        Equal by default.

    Returns
    -------
    ndarray, shape (n_domains, n_domains)
        Entry (a, b): points of domain b that make up for one point lost in a, the total unchanged,
        ``(w_a / w_b) (s_b / s_a)^(1 - p)`` with p = 1, 0, -1 for the arithmetic, geometric and harmonic mean.

    References
    ----------
    OECD/JRC (2008), section 6.3; Munda & Nardo (2009), Applied Economics 41, 1513-1523 (compensability).

    Examples
    --------
    >>> substitution_rates([40, 80], "geometric").tolist()
    [[1.0, 2.0], [0.5, 1.0]]
    """
    check_aggregation(aggregation)
    score: NDArray[np.float64] = np.asarray(domain_scores, dtype=float)
    weight = np.ones(len(score)) if domain_weights is None else np.asarray(domain_weights, dtype=float)
    marginal = weight * score ** (POWER[aggregation] - 1.0)
    return np.asarray(marginal[:, None] / marginal)
