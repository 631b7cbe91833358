"""Ranks of an edition, given the sampling error of its indicators."""

from __future__ import annotations

from gwm_models.data.edition import Edition
from gwm_models.index.sampling import sampling_error
from gwm_models.ranks.posterior import ScorePosterior, score_posterior
from gwm_models.ranks.table import rank_areas

N_ENDS = 10
"""Size of the groups at both ends whose probabilities are given; all areas where there are fewer."""


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


def rank_rows(edition: Edition, *, level: float, n_draws: int, seed: int) -> list[dict[str, object]]:
    """Return the rank table of an edition, areas in published order.

    Parameters
    ----------
    edition : Edition
    level : float in (0, 1)
        Probability of the rank intervals.
    n_draws, seed : int
    """
    posterior = edition_posterior(edition, n_draws=n_draws, seed=seed)
    n_ends = min(N_ENDS, len(edition.areas))
    table = rank_areas(posterior.draws.sum(axis=2), edition.areas.code, level=level, n_ends=n_ends)
    shrunk = posterior.shrunk.sum(axis=1)
    return [
        {
            "area_code": row["area_code"],
            "area_name": edition.areas.name[i],
            "region_name": edition.areas.region[i],
            ("published_score" if edition.published else "computed_score"): round(float(edition.total[i]), 6),
            ("published_rank" if edition.published else "computed_rank"): int(edition.rank[i]),
            "shrunk_score": round(float(shrunk[i]), 1),
            **row,
        }
        for i, row in enumerate(table.to_rows())
    ]
