"""The scores of an edition as rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gwm_models.data.edition import Edition
from gwm_models.data.index_spec import IndexSpec
from gwm_models.index.sampling import sampling_error
from gwm_models.index.scoring import score_index


def score_rows(edition: Edition) -> list[dict[str, Any]]:
    """Return one row an area: rank, published scores, and what can be recomputed or is known of their error."""
    spec, made = edition.spec, score_index(edition.spec, edition.values)
    beside: dict[str, Any] = {}
    if any(indicator.bounds_status == "proxy" for indicator in spec.indicators):
        printed_sum = edition.domain_scores[:, _tops(spec)].sum(axis=1)
        beside["sum_of_domains"] = np.round(printed_sum, 1)
        beside["total_minus_sum"] = np.round(edition.total - printed_sum, 1)
        beside |= {f"{name}_open": np.round(made.open_mean(name), 2) for name in spec.domain_ids}
    else:
        for place, name in enumerate(spec.domain_ids if edition.published else ()):
            if all(spec.indicators[j].exact for j in spec.members(name)):
                beside[f"{name}_recomputed"] = np.round(made.domain[:, place], 2)
        if all(indicator.sampling for indicator in spec.indicators):
            beside["std_error"] = np.round(sampling_error(edition).total_std_error, 2)
    return [
        {
            "rank": int(edition.rank[i]),
            "area_code": code,
            "area_name": edition.areas.name[i],
            **{name: float(edition.domain_scores[i, k]) for k, name in enumerate(spec.domain_ids)},
            "total": float(edition.total[i]),
            **{name: float(column[i]) for name, column in beside.items()},
        }
        for i, code in enumerate(edition.areas.code)
    ]


def _tops(spec: IndexSpec) -> list[int]:
    return [place for place, above in enumerate(spec.parents) if above is None]
