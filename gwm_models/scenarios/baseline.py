"""The baseline of a projection: true scores and indicator levels, drawn or at their most probable values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_normals
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import sampling_error
from gwm_models.ranks.posterior import ScorePosterior, score_posterior

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Baseline:
    """True scores and levels of an edition.

    Attributes
    ----------
    score : ndarray, shape (n_draws, n_areas, n_domains)
    level : ndarray, shape (n_draws, n_areas, n_indicators)
        In each indicator's unit; an indicator known only in points holds its domain's score.
    shrunk_score, shrunk_level : ndarray, shape (n_areas, n_domains or n_indicators)
        Most probable values, free of simulation noise.
    limits : ndarray, shape (n_indicators, 2)
        Hard limits of the levels.
    efficiency : float
        Of the importance sample behind the draws.
    """

    score: Floats
    level: Floats
    shrunk_score: Floats
    shrunk_level: Floats
    limits: Floats
    efficiency: float


def edition_posterior(edition: Edition, *, n_draws: int, seed: int) -> ScorePosterior:
    """Draw the true domain scores of an edition, given the sampling error of its indicators."""
    return score_posterior(
        edition.domain_scores,
        sampling_error(edition).domain_cov,
        edition.areas.region_index(),
        edition.areas.code,
        n_draws=n_draws,
        seed=seed,
    )


@lru_cache(maxsize=2)
def draw_baseline(edition: Edition, n_draws: int, seed: int) -> Baseline:
    """Draw true scores, and indicator levels that agree with them.

    A draw of a domain's true score fixes the sum of the sampling errors of its two indicators; the errors are drawn
    from their known covariance given that sum, and taken off the published levels.
    """
    posterior = edition_posterior(edition, n_draws=n_draws, seed=seed)
    cov = sampling_error(edition).cov_points
    area, k = edition.areas.code, len(edition.spec.indicators)
    root = np.linalg.cholesky(cov)
    noise = np.einsum("njk,snk->snj", root, keyed_normals(seed, "indicator", area, n_draws, k))
    return Baseline(
        score=posterior.draws,
        level=_levels(edition, cov, posterior.draws, noise),
        shrunk_score=posterior.shrunk,
        shrunk_level=_levels(edition, cov, posterior.shrunk[None], np.zeros((1, len(area), k)))[0],
        limits=level_limits(edition),
        efficiency=posterior.efficiency,
    )


def level_limits(edition: Edition) -> Floats:
    """Return hard limits by indicator, shape (n_indicators, 2).

    An indicator known only in points is limited by its domain: two scores of 1 to 100.
    """
    spec = edition.spec
    members = np.bincount(spec.domain_of())
    return np.array(
        [
            np.array(spec.scale) * members[d] if indicator.unit == "points" else indicator.hard_limits
            for indicator, d in zip(spec.indicators, spec.domain_of(), strict=True)
        ]
    )


def _levels(edition: Edition, cov: Floats, score: Floats, noise: Floats) -> Floats:
    spec = edition.spec
    member = np.eye(len(spec.domains))[list(spec.domain_of())]
    error = edition.domain_scores - score
    carried = np.einsum("njk,kd->njd", cov, member)
    variance = np.einsum("jd,njd->nd", member, carried)
    error = noise + np.einsum("njd,nd,snd->snj", carried, 1 / variance, error - noise @ member)
    level = edition.values - error / points_per_unit(edition).estimate
    limits = level_limits(edition)
    for j, indicator in enumerate(spec.indicators):
        if indicator.unit == "points":
            level[..., j] = score[..., spec.domain_of()[j]]
    return np.asarray(np.clip(level, limits[:, 0], limits[:, 1]))
