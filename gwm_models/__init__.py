"""Statistical models and policy simulation around the Good Work Monitor.

Names below are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition, load_edition
    from gwm_models.data.tables import read_table
    from gwm_models.errors import DataError, GwmError, ModelError, OutputError, ScenarioError
    from gwm_models.index.calibration import points_per_unit
    from gwm_models.index.sampling import sampling_error
    from gwm_models.index.scoring import access_scores, min_max_score
    from gwm_models.models.catalogue import fit_outcome
    from gwm_models.models.fit import Fit
    from gwm_models.models.health import health_models
    from gwm_models.ranks.one_score import total_posterior
    from gwm_models.ranks.posterior import score_posterior
    from gwm_models.ranks.sets import rank_sets, tau_best, tau_worst
    from gwm_models.ranks.sets_result import EndSet, RankSets
    from gwm_models.ranks.table import RankTable, rank_areas
    from gwm_models.report import report_html, write_report
    from gwm_models.scenarios.measured import measure_draws
    from gwm_models.scenarios.projection import Projection, project
    from gwm_models.scenarios.reader import read_scenario
    from gwm_models.scenarios.slope_index import slope_index_of_inequality
    from gwm_models.scenarios.summary import summarise

_HOMES = {
    "DataError": "errors",
    "Edition": "data.edition",
    "EndSet": "ranks.sets_result",
    "Fit": "models.fit",
    "GwmError": "errors",
    "ModelError": "errors",
    "OutputError": "errors",
    "Projection": "scenarios.projection",
    "RankSets": "ranks.sets_result",
    "RankTable": "ranks.table",
    "ScenarioError": "errors",
    "access_scores": "index.scoring",
    "fit_outcome": "models.catalogue",
    "health_models": "models.health",
    "load_edition": "data.edition",
    "measure_draws": "scenarios.measured",
    "min_max_score": "index.scoring",
    "points_per_unit": "index.calibration",
    "project": "scenarios.projection",
    "rank_areas": "ranks.table",
    "rank_sets": "ranks.sets",
    "read_scenario": "scenarios.reader",
    "read_table": "data.tables",
    "report_html": "report",
    "sampling_error": "index.sampling",
    "score_posterior": "ranks.posterior",
    "slope_index_of_inequality": "scenarios.slope_index",
    "summarise": "scenarios.summary",
    "tau_best": "ranks.sets",
    "tau_worst": "ranks.sets",
    "total_posterior": "ranks.one_score",
    "write_report": "report",
}

__all__ = [
    "DataError",
    "Edition",
    "EndSet",
    "Fit",
    "GwmError",
    "ModelError",
    "OutputError",
    "Projection",
    "RankSets",
    "RankTable",
    "ScenarioError",
    "access_scores",
    "fit_outcome",
    "health_models",
    "load_edition",
    "measure_draws",
    "min_max_score",
    "points_per_unit",
    "project",
    "rank_areas",
    "rank_sets",
    "read_scenario",
    "read_table",
    "report_html",
    "sampling_error",
    "score_posterior",
    "slope_index_of_inequality",
    "summarise",
    "tau_best",
    "tau_worst",
    "total_posterior",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Load a public name from its room on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gwm_models' has no attribute {name!r}")
    value = getattr(import_module(f"gwm_models.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*globals(), *__all__])
