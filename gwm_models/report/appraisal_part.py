"""What the report of a run says about the cost of its effects."""

from __future__ import annotations

from typing import Any

from gwm_models.errors import DataError
from gwm_models.evaluation.appraisal import appraise
from gwm_models.evaluation.appraisal_text import statement
from gwm_models.evaluation.appraisal_words import headline, notes
from gwm_models.scenarios.projection import Projection


def run_part(projection: Projection) -> dict[str, Any]:
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
    return {"appraisal": {"headline": headline(found), "ratios": rows, "notes": notes(found)}}


def _only(words: str) -> dict[str, Any]:
    return {"appraisal": {"headline": words, "ratios": [], "notes": []}}
