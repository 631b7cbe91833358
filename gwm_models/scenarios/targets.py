"""Which areas an action reaches, and what picking the extreme ones implies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import DataError
from gwm_models.scenarios.baseline import Baseline
from gwm_models.scenarios.fields import area_clusters, number_field, text_field
from gwm_models.scenarios.spec import Pick, Target, Where

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Selection:
    """The areas an action reaches.

    Attributes
    ----------
    treated : ndarray of bool, shape (n_areas,)
    by : str
        What they were picked by; empty if they were named.
    value, published : ndarray, shape (n_areas,)
        The shrunk and the published value of it; NaN where nothing was picked or published.
    """

    treated: NDArray[np.bool_]
    by: str
    value: Floats
    published: Floats

    @property
    def regression_to_mean(self) -> float:
        """How far the published mean of the picked set is from its most probable true mean.

        A set picked for being extreme would be expected to move that much at the next edition with no policy at all.
        """
        return float((self.value - self.published)[self.treated].mean())


def select(target: Target, edition: Edition, baseline: Baseline) -> Selection:
    """Choose the areas of a checked target.

    `areas`, `regions`, `clusters`, `where` and `exclude` filter first, all of them; `worst` or `best` then picks among
    what is left, by shrunk values. A quantile takes that share of the areas left, rounded to the nearest whole, at
    least one.

    Raises
    ------
    DataError
        If no area is left.
    """
    treated = _filtered(target, edition, baseline)
    pick = target.worst or target.best
    nothing = np.full(len(treated), np.nan)
    if not treated.any():
        raise DataError(
            "A target matches no area. Name areas by code, as a checked scenario does, and regions in full; widen the "
            "rules of where."
        )
    if pick is None:
        return Selection(treated, "", nothing, nothing)
    shrunk, published, direction = pick_values(pick, edition, baseline)
    order = np.argsort(direction * shrunk if target.worst else -direction * shrunk, kind="stable")
    candidates = order[treated[order]]
    chosen = np.zeros(len(treated), dtype=bool)
    chosen[candidates[: pick_size(pick, len(candidates))]] = True
    return Selection(chosen, pick.by, shrunk, published)


def _filtered(target: Target, edition: Edition, baseline: Baseline) -> NDArray[np.bool_]:
    """Return the areas that pass every filter of a target."""
    areas = edition.areas
    left = ~np.isin(areas.code, target.exclude)
    if target.areas is not None:
        left &= np.isin(areas.code, target.areas)
    if target.regions is not None:
        left &= np.isin(areas.region, target.regions)
    if target.clusters is not None:
        left &= area_clusters(edition).members(target.clusters, edition.name)
    for rule in target.where or ():
        left &= passes(rule, edition, baseline)
    return left


def passes(rule: Where, edition: Edition, baseline: Baseline) -> NDArray[np.bool_]:
    """Return the areas that pass a rule on one field; one without a figure passes none."""
    if rule.equals is not None:
        return np.array([text == rule.equals for text in text_field(rule.field, edition)])
    value = number_field(rule.field, edition, baseline)
    low = -np.inf if rule.at_least is None else rule.at_least
    high = np.inf if rule.at_most is None else rule.at_most
    return np.asarray((value >= low) & (value <= high))


def pick_size(pick: Pick, n_candidates: int) -> int:
    """Return how many areas a pick takes out of `n_candidates`."""
    if pick.n is not None:
        return min(pick.n, n_candidates)
    return max(1, round((pick.quantile or 0) * n_candidates))


def pick_values(pick: Pick, edition: Edition, baseline: Baseline) -> tuple[Floats, Floats, int]:
    """Return the shrunk and published values of what a pick goes by, and the direction in which more is better."""
    spec = edition.spec
    if pick.by == "total":
        return baseline.shrunk_score.sum(axis=1), edition.total, 1
    if pick.by in spec.domain_ids:
        d = spec.domain_ids.index(pick.by)
        return baseline.shrunk_score[:, d], edition.domain_scores[:, d], 1
    j = spec.indicator_ids.index(pick.by)
    return baseline.shrunk_level[:, j], edition.values[:, j], spec.indicators[j].direction
