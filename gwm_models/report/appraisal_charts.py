"""The charts of one measure of an appraisal, for its own page and for the report of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwm_models.evaluation.appraisal_text import UNWEIGHTED, pounds
from gwm_models.plots.appraisal import acceptability_curve, cost_plane
from gwm_models.report.views import figure_of

Row = Mapping[str, Any]


def measure_section(summary: Row, place: int, measure: Row) -> dict[str, Any]:
    """Return what a page shows of one measure: words, cost plane and acceptability curve.

    Parameters
    ----------
    summary : mapping
        With the rows ``ratios, net_benefit, plane, curve`` of an appraisal.
    place : int
        Number of the section on its page.
    measure : mapping
        Its ``measure, label, unit, units, definition``.
    """
    name = measure["measure"]
    ratio = next(row for row in summary["ratios"] if row["measure"] == name and row["equity"] == UNWEIGHTED)
    values = [row["value"] for row in summary["net_benefit"] if row["measure"] == name and row["equity"] == UNWEIGHTED]
    cloud = [row for row in summary["plane"] if row["measure"] == name]
    curve = [row for row in summary["curve"] if row["measure"] == name]
    at = values[0] if values else ratio["estimate"]
    return {
        "key": f"measure-{place}",
        "label": measure["label"],
        "definition": measure["definition"],
        "words": ratio["words"],
        "value": pounds(at) if values else None,
        "plane": figure_of(f"plane-{place}", cost_plane(cloud, measure, ratio, at)),
        "curve": figure_of(f"curve-{place}", acceptability_curve(curve, measure, values)),
    }
