"""The scores of an edition as rows."""

from __future__ import annotations

from gwm_models.data.edition import Edition
from gwm_models.index.sampling import sampling_error
from gwm_models.index.scoring import access_scores


def score_rows(edition: Edition) -> list[dict[str, object]]:
    """Return one row an area: published scores, the recomputed access domain, the total's sampling error."""
    error, access = sampling_error(edition).total_std_error, access_scores(edition)
    return [
        {
            "rank": int(edition.rank[i]),
            "area_code": code,
            "area_name": edition.areas.name[i],
            **{d: float(edition.domain_scores[i, k]) for k, d in enumerate(edition.spec.domain_ids)},
            "total": float(edition.total[i]),
            "access_recomputed": round(float(access[i]), 2),
            "std_error": round(float(error[i]), 2),
        }
        for i, code in enumerate(edition.areas.code)
    ]
