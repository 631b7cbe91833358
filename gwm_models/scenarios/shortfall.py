"""Goals that areas do not reach: what a change brings an area to, against the level that it is to be brought to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.scenarios.baseline import Baseline
from gwm_models.scenarios.conditions import edition_conditions
from gwm_models.scenarios.layers import central_effect, draw_additional
from gwm_models.scenarios.plans import phase_of, size_of
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.sizes import change_of_level
from gwm_models.scenarios.spec import Action
from gwm_models.scenarios.targets import Selection
from gwm_models.scenarios.words import level_unit, number, subject_of

Floats = NDArray[np.float64]

GOALS = ("target", "close_gap", "to_quantile")
"""Kinds of change that bring an area to a level."""
LEAST = 0.05
"""A mean shortfall below this, in the unit of the level, rounds to nothing."""
CUT = 0.01
"""Share of draws cut by a limit from which the limit is named."""
NAMED = 3


@dataclass(frozen=True, eq=False)
class Shortfall:
    """How far an action leaves its areas short of the level that it is to bring them to, in one year.

    Attributes
    ----------
    action : Action
    name : tuple of str, length m
        The areas that it reaches.
    code : tuple of str, length m
    needed, delivered, short : ndarray, shape (m,)
        Mean change that the level takes, mean change made, and what is missing of it, 0 or more; without sign.
    why : tuple of str
        What leaves them short.
    unit : str
    year : int
    """

    action: Action
    name: tuple[str, ...]
    code: tuple[str, ...]
    needed: Floats
    delivered: Floats
    short: Floats
    why: tuple[str, ...]
    unit: str
    year: int

    @property
    def order(self) -> list[int]:
        """Places of the areas that fall short, the furthest first."""
        places = np.argsort(-self.short, kind="stable")
        return [int(i) for i in places if self.short[i] > LEAST]

    def words(self) -> str:
        """Say which areas fall short, how far and why; empty where none does.

        Such as ``by itself it leaves 2 of 12 areas short of the level asked for in 2035, by up to 3.1
        percentage points (Derby 3.1, Hull 0.4): the action reaches 60% of the residents.``
        """
        found = self.order
        if not found:
            return ""
        named = ", ".join(f"{self.name[i]} {number(float(self.short[i]))}" for i in found[:NAMED])
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        areas = f"{len(found)} of {len(self.name)} areas"
        by = f"by up to {number(float(self.short[found[0]]))} {self.unit} ({named}{more})"
        if len(self.name) == 1:
            areas, by = self.name[0], f"by {number(float(self.short[0]))} {self.unit}"
        why = "; ".join(self.why)
        return f"by itself it leaves {areas} short of the level asked for in {self.year}, {by}: {why}."


def projected_shortfall(projection: Projection, a: int) -> Shortfall | None:
    """Return how far an action of a projection leaves its areas short in the last year; None where it sets no level."""
    action, year = projection.scenario.actions[a], projection.years[-1]
    if action.change.kind not in GOALS:
        return None
    treated = np.flatnonzero(projection.selections[a].treated)
    phase = float(phase_of(action, [year])[0])
    if not phase:
        return None
    asked = projection.asked[a][:, treated]
    needed, delivered = asked / (phase * action.reach), projection.delivered[a][:, treated]
    clamped = float(projection.clamped[a][:, treated].mean())
    return _shortfall(action, projection.edition, treated, needed, delivered, phase, year, clamped)


def expected_shortfall(
    action: Action, edition: Edition, baseline: Baseline, chosen: Selection, year: int
) -> Shortfall | None:
    """Return the same before anything is projected: at the most probable levels, with the size as stated."""
    if action.change.kind not in GOALS:
        return None
    phase, treated = float(phase_of(action, [year])[0]), np.flatnonzero(chosen.treated)
    if not phase:
        return None
    if action.indicator is not None:
        level = baseline.shrunk_level[:, edition.spec.indicator_ids.index(action.indicator)]
    else:
        conditions = edition_conditions(edition)
        level = conditions.levels[:, conditions.place(str(action.condition))]
    size = np.full((1, len(treated)), central_effect(action))
    needed = change_of_level(size_of(action, edition), size, level[None], treated, np.ones(1))
    delivered = needed * phase * action.reach * draw_additional(action, None, 0)
    return _shortfall(action, edition, treated, needed, delivered, phase, year, 0.0)


def _shortfall(
    action: Action,
    edition: Edition,
    treated: NDArray[np.int64],
    needed: Floats,
    delivered: Floats,
    phase: float,
    year: int,
    clamped: float,
) -> Shortfall:
    subject = subject_of(action, edition.spec.indicators)
    kept = float(draw_additional(action, None, 0)[0])
    why = [
        f"the action reaches {action.reach:.0%} of the residents" if action.reach < 1 else "",
        f"{kept:.0%} of the change is additional" if kept < 1 else "",
        f"{phase:.0%} of it is in place by then" if phase < 1 else "",
        f"a hard limit cuts it in {clamped:.0%} of draws and areas" if clamped > CUT else "",
    ]
    short = size_of(action, edition).direction * (needed - delivered)
    return Shortfall(
        action=action,
        name=tuple(edition.areas.name[i] for i in treated),
        code=tuple(edition.areas.code[i] for i in treated),
        needed=np.abs(needed.mean(axis=0)),
        delivered=np.abs(delivered.mean(axis=0)),
        short=np.maximum(short.mean(axis=0), 0.0),
        why=tuple(filter(None, why)),
        unit=level_unit(subject),
        year=year,
    )
