"""What the page of a run shows beyond ``summary.json``: limits that cut, tenths of areas, costs against effects."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.report.appraisal_part import costs_part
from gwm_models.report.limits import limit_rows
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.rows import total_words
from gwm_models.scenarios.spread import Row, plain, spreads

Floats = NDArray[np.float64]

TENTHS = 10
FEWEST = 20
"""Areas below which tenths are not shown: most would hold one."""


def run_part(projection: Projection) -> dict[str, Any]:
    """Return the parts of the page of a run that are worked out for it alone.

    Parameters
    ----------
    projection : Projection

    Returns
    -------
    dict
        ``cuts`` and ``tenths``, a list of rows each; ``appraisal`` where an action has a cost.
    """
    level = max(projection.scenario.analysis.intervals)
    return {
        "cuts": limit_rows(projection),
        "tenths": tenth_rows(projection, level),
        **costs_part(projection),
    }


def tenth_rows(projection: Projection, level: float) -> list[Row]:
    """Return the mean score of each tenth of areas, the worst first, before and after, and the change of it.

    Areas are sorted anew in every draw and state, so a tenth is a place in the order, not a set of areas; the first
    and the last are those of the gap between the best and the worst tenth. None with fewer than twenty areas.
    """
    n = projection.total_before.shape[1]
    if n < FEWEST:
        return []
    before = _tenths(projection.total_before)
    after = _tenths(projection.total_before + projection.change)
    head = {"quantity": "total", "label": total_words(projection.edition), "unit": "points", "level": level}
    rows: list[Row] = []
    for state, draws in (("baseline", before), ("scenario", after), ("difference", after - before)):
        numbers = spreads(draws, [level])[level]
        rows += [
            {**head, "tenth": k + 1, "state": state, **{name: plain(values[k]) for name, values in numbers.items()}}
            | {"n": len(draws)}
            for k in range(TENTHS)
        ]
    return rows


def _tenths(scores: Floats) -> Floats:
    """Return the mean of each tenth of sorted scores, shape (n_draws, 10)."""
    edges = tenth_edges(scores.shape[1])
    ordered = np.sort(scores, axis=1)
    return np.stack([ordered[:, low:high].mean(axis=1) for low, high in pairwise(edges)], axis=1)


def tenth_edges(n: int) -> list[int]:
    """Return where tenths of sorted areas begin and end: alike from either end, but for the two in the middle.

    Examples
    --------
    >>> tenth_edges(118)
    [0, 12, 24, 35, 47, 59, 71, 83, 94, 106, 118]
    """
    lower = [round(k * n / TENTHS) for k in range(TENTHS // 2 + 1)]
    return lower + [n - edge for edge in reversed(lower[:-1])]
