"""The baseline of a projection: true scores and indicator levels, drawn or at their most probable values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_normals
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import sampling_error
from gwm_models.ranks.edition import edition_posterior
from gwm_models.ranks.posterior import shrink

Floats = NDArray[np.float64]

BLOCK = 500
"""Draws worked on at a time, so that no more than the results takes memory."""


@dataclass(frozen=True, eq=False)
class Baseline(Frozen):
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


@lru_cache(maxsize=1)
def draw_baseline(edition: Edition, n_draws: int, seed: int) -> Baseline:
    """Draw true scores, and indicator levels that agree with them.

    The indicators of a domain have a hierarchical model of their own, so that each level is shrunk by its own noise. A
    draw of the domain's true score fixes the sum of their sampling errors; the errors are drawn from that model given
    the sum, and taken off the published levels.
    """
    posterior = edition_posterior(edition, n_draws=n_draws, seed=seed)
    mean, cov = _expected_errors(edition)
    area, k = edition.areas.code, len(edition.spec.indicators)
    root = _root(cov)
    level = keyed_normals(seed, "indicator", area, n_draws, k)
    for start in range(0, n_draws, BLOCK):
        part = slice(start, start + BLOCK)
        errors = mean + np.einsum("njk,snk->snj", root, level[part])
        level[part] = _levels(edition, cov, posterior.draws[part], errors)
    return Baseline(
        score=posterior.draws,
        level=level,
        shrunk_score=posterior.shrunk,
        shrunk_level=_levels(edition, cov, posterior.shrunk[None], mean[None])[0],
        limits=level_limits(edition),
        efficiency=posterior.efficiency,
    )


def _root(cov: Floats) -> Floats:
    """Return symmetric square roots of covariances, (n, k, k); a figure taken as exact has a row of zeros."""
    value, vector = np.linalg.eigh(cov)
    return np.asarray((vector * np.sqrt(np.maximum(value, 0))[:, None]) @ vector.transpose(0, 2, 1))


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


def _expected_errors(edition: Edition) -> tuple[Floats, Floats]:
    """Return the mean and covariance of each area's sampling errors by indicator, in points, before its domain's draw.

    An indicator without open figures has its assumed sampling error alone.
    """
    spec, sampled = edition.spec, sampling_error(edition).cov_points
    points, region = points_per_unit(edition).estimate, edition.areas.region_index()
    mean, cov = np.zeros(edition.values.shape), np.zeros_like(sampled)
    for d in range(len(spec.domains)):
        columns = [j for j, domain in enumerate(spec.domain_of()) if domain == d]
        known = [j for j in columns if np.isfinite(edition.values[:, j]).all()]
        for j in set(columns) - set(known):
            cov[:, j, j] = sampled[:, j, j]
        if known:
            scored = edition.values[:, known] * points[known]
            true = shrink(scored, sampled[:, known][:, :, known], region)
            mean[:, known] = scored - true.mean
            for a, j in enumerate(known):
                cov[:, j, known] = true.cov[:, a]
    return mean, cov


def _levels(edition: Edition, cov: Floats, score: Floats, errors: Floats) -> Floats:
    """Return levels that agree with draws of the domain scores, given draws of the errors that do not yet."""
    spec = edition.spec
    member = np.eye(len(spec.domains))[list(spec.domain_of())]
    carried = np.einsum("njk,kd->njd", cov, member)
    variance = np.einsum("jd,njd->nd", member, carried)
    missing = edition.domain_scores - score - errors @ member
    share = np.divide(carried, variance[:, None], out=np.zeros_like(carried), where=variance[:, None] > 0)
    errors = errors + np.einsum("njd,snd->snj", share, missing)
    level = edition.values - errors / points_per_unit(edition).estimate
    limits = level_limits(edition)
    for j, indicator in enumerate(spec.indicators):
        if indicator.unit == "points":
            level[..., j] = score[..., spec.domain_of()[j]]
    return np.asarray(np.clip(level, limits[:, 0], limits[:, 1]))
