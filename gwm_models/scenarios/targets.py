"""Which areas an action reaches, and what picking the extreme ones implies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import DataError, some
from gwm_models.scenarios.baseline import Baseline
from gwm_models.scenarios.fields import area_clusters, number_field, text_field
from gwm_models.scenarios.findings import limits_text
from gwm_models.scenarios.spec import Pick, Target, Where
from gwm_models.scenarios.words import short

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


def select(target: Target, edition: Edition, baseline: Baseline, *, action: str = "") -> Selection:
    """Choose the areas of a checked target.

    `areas`, `regions`, `clusters`, `where` and `exclude` filter first, all of them; `worst` or `best` then picks among
    what is left, by shrunk values. A quantile takes that share of the areas left, rounded to the nearest whole, at
    least one.

    Parameters
    ----------
    target : Target
    edition : Edition
    baseline : Baseline
        Shrunk levels and scores.
    action : str
        Whose target it is, for the message if it matches nothing.

    Raises
    ------
    DataError
        If no area is left, with the rule that leaves none.
    """
    treated = _filtered(target, edition, baseline)
    pick = target.worst or target.best
    nothing = np.full(len(treated), np.nan)
    if not treated.any():
        raise DataError(f"{action or 'A target'}: {_why_none(target, edition, baseline)}")
    if pick is None:
        return Selection(treated, "", nothing, nothing)
    shrunk, published, direction = pick_values(pick, edition, baseline)
    order = np.argsort(direction * shrunk if target.worst else -direction * shrunk, kind="stable")
    candidates = order[treated[order]]
    chosen = np.zeros(len(treated), dtype=bool)
    chosen[candidates[: pick_size(pick, len(candidates))]] = True
    return Selection(chosen, pick.by, shrunk, published)


def _named(target: Target, edition: Edition) -> NDArray[np.bool_]:
    """Return the areas that pass every filter of a target but its rules."""
    areas = edition.areas
    left = ~np.isin(areas.code, target.exclude)
    if target.areas is not None:
        left &= np.isin(areas.code, target.areas)
    if target.regions is not None:
        left &= np.isin(areas.region, target.regions)
    if target.clusters is not None:
        left &= area_clusters(edition).members(target.clusters, edition.name)
    return left


def _filtered(target: Target, edition: Edition, baseline: Baseline) -> NDArray[np.bool_]:
    """Return the areas that pass every filter of a target."""
    left = _named(target, edition)
    for rule in target.where or ():
        left &= passes(rule, edition, baseline)
    return left


def _why_none(target: Target, edition: Edition, baseline: Baseline) -> str:
    """Say which part of a target leaves no area, and what to do."""
    left = _named(target, edition)
    for number, rule in enumerate(target.where or (), start=1):
        if left.any() and not (left & passes(rule, edition, baseline)).any():
            limits = limits_text(rule.at_least, rule.at_most, rule.equals)
            said = f"none passes rule {number} of where, '{rule.field} {limits}'"
            found, fix = _span_of(rule, edition, baseline, left)
            return f"the target matches no area: {said}: {found}. {fix}."
        left = left & passes(rule, edition, baseline)
    return (
        "the target matches no area. Name areas by code, as a checked scenario does, and regions in full; widen areas "
        "or regions, or shorten exclude."
    )


def _span_of(rule: Where, edition: Edition, baseline: Baseline, left: NDArray[np.bool_]) -> tuple[str, str]:
    """Say what the areas left have of the field of a rule, and what to write."""
    where = f"in the {left.sum()} areas that the rest leaves"
    if rule.equals is not None:
        texts = np.array(text_field(rule.field, edition))[left]
        return f"{where} it is {some(sorted(set(texts.tolist())), 6)}", "Name one of these, or widen the rest"
    value = number_field(rule.field, edition, baseline)[left]
    if not np.isfinite(value).any():
        return f"{where} it has no figure", "Use another field, or widen the rest"
    shrunk = " (levels shrunk for sampling error)" if rule.field in edition.spec.indicator_ids else ""
    span = f"{where} it goes from {short(float(np.nanmin(value)))} to {short(float(np.nanmax(value)))}{shrunk}"
    return span, "Write a limit within that range, or widen the rest"


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
