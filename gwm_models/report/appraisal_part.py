"""What the report of a run says about the cost of its effects."""

from __future__ import annotations

from typing import Any

from gwm_models.errors import DataError
from gwm_models.evaluation.appraisal import Appraisal, appraise
from gwm_models.evaluation.appraisal_effects import HEALTHY, POINT_YEARS
from gwm_models.evaluation.appraisal_text import statement
from gwm_models.evaluation.appraisal_words import headline, notes
from gwm_models.scenarios.projection import Projection

DRAWN = (HEALTHY, POINT_YEARS)
"""The measure with charts in the report of a run: the first of these that it has."""


def costs_part(projection: Projection) -> dict[str, Any]:
    """Return what the report of a run says about costs and effects: headline, rows and notes, under ``appraisal``.

    Nothing where no action has a cost. Costs that cannot be added up say so, and nothing is held against them. Along a
    trend every year is drawn anew, which takes longer than the run itself: the command that does it is named instead.
    """
    if not any(action.cost is not None for action in projection.scenario.actions):
        return {}
    scenario = projection.scenario
    if scenario.baseline.counterfactual == "trend":
        return _only(f"Costs are held against effects, year by year along the trend, by: gwm appraise {scenario.id}")
    try:
        found = appraise(projection)
    except DataError as error:
        return _only(str(error))
    rows = [row | {"words": statement(row)} for row in found.rows()]
    return {"appraisal": {"headline": headline(found), "ratios": rows, "notes": notes(found), **_drawn(found)}}


def _drawn(found: Appraisal) -> dict[str, Any]:
    """Return the measure that gets charts, and the rows they are drawn from; nothing where it has no effect."""
    effects = {effect.measure: effect for effect in found.effects if effect.draws.any()}
    name = next((name for name in DRAWN if name in effects), None)
    if name is None:
        return {}
    fields = ("measure", "label", "unit", "units", "definition")
    rows = {"net_benefit": found.benefit_rows(), "plane": found.plane_rows(), "curve": found.curve_rows()}
    return {
        "measure": {field: getattr(effects[name], field) for field in fields},
        **{part: [row for row in lines if row["measure"] == name] for part, lines in rows.items()},
    }


def _only(words: str) -> dict[str, Any]:
    return {"appraisal": {"headline": words, "ratios": [], "notes": []}}
