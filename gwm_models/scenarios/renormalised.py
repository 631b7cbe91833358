"""What the next edition would print: scores between bounds that move with the areas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.scenarios.engine_parts import ActionPlan, Effects, Layers

Floats = NDArray[np.float64]


def renormalised_change(
    edition: Edition, effects: Effects, layers: Layers, plans: Sequence[ActionPlan], *, block: int = 500
) -> Floats:
    """Return the change of the total that a new edition with moved bounds would print, shape (n_draws, n_areas).

    Each indicator with open figures is scored anew between its smallest and largest value over the areas, before and
    after the change, in every draw. An indicator known only in points, and what a condition changes, keep their frozen
    change. Printed domain scores and totals stay in their scale: what would leave it is cut. For calibrated indicators
    the bounds are those of the open figures, not the unpublished ones.

    Parameters
    ----------
    edition : Edition
    effects : Effects
    layers : Layers
        The draws behind the effects. Where levels have a trend, bounds move with it before the change, too.
    plans : sequence of ActionPlan
    block : int
        Draws worked on at a time.
    """
    change = np.zeros_like(effects.total)
    k, domain_of = len(edition.spec.indicators), edition.spec.domain_of()
    touched = sorted({plan.quantity for plan in plans if plan.quantity < k})
    domains = {domain_of[j] for j in touched}
    if any(plan.quantity >= k for plan in plans):
        domains |= set(range(len(edition.spec.domains)))
    for start in range(0, len(change), block):
        part = slice(start, min(start + block, len(change)))
        for d in sorted(domains):
            change[part] += _domain(edition, effects, layers, part, d, touched)
    # A published total may differ from the sum of its domains by rounding, so it can pass the scale alone.
    low, high = np.array(edition.spec.scale) * k
    beyond = ((edition.total + change < low) | (edition.total + change > high)) & (change != 0)
    return np.where(beyond, np.clip(edition.total + change, low, high) - edition.total, change)


def _domain(edition: Edition, effects: Effects, layers: Layers, part: slice, d: int, touched: list[int]) -> Floats:
    """Return the printed change of one domain, shape (B, n)."""
    spec = edition.spec
    frozen = effects.domain[part, :, d]
    columns = [j for j in touched if spec.domain_of()[j] == d]
    change = np.zeros_like(frozen)
    for j in columns:
        moved = effects.level[part, :, j]
        if spec.indicators[j].unit == "points":
            change += moved
        else:
            old = edition.values[None, :, j]
            if layers.trend is not None:
                old = old + effects.level_before[part, :, j] - layers.level[part, :, j]
            change += (spec.scale[1] - spec.scale[0]) * _rescored(old, moved, spec.indicators[j].direction)
    if any(slopes is not None for slopes in layers.slopes):
        by_level = sum((effects.level[part, :, j] * layers.points[part, j, None] for j in columns), np.zeros((1, 1)))
        change += frozen - by_level
    low, high = np.array(spec.scale) * spec.domain_of().count(d)
    after = edition.domain_scores[:, d] + change
    beyond = ((after < low) | (after > high)) & (change != 0)
    return np.where(beyond, np.clip(after, low, high) - edition.domain_scores[:, d], change)


def _rescored(old: Floats, moved: Floats, direction: int) -> Floats:
    """Return the change of scores from 0 to 1 between the smallest and the largest level of each draw."""
    before = old * direction
    after = before + moved * direction
    return np.asarray(_between_ends(after) - _between_ends(before))


def _between_ends(level: Floats) -> Floats:
    return np.asarray((level - level.min(axis=1, keepdims=True)) / np.ptp(level, axis=1, keepdims=True))
