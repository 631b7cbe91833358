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
    from gwm_models.models.healthy_life import fit_health
    from gwm_models.ranks.table import RankTable, rank_areas
    from gwm_models.report import report_html, write_report
    from gwm_models.scenarios.projection import Projection, project
    from gwm_models.scenarios.reader import read_scenario
    from gwm_models.scenarios.summary import summarise

_HOMES = {
    "DataError": "errors",
    "Edition": "data.edition",
    "GwmError": "errors",
    "ModelError": "errors",
    "OutputError": "errors",
    "Projection": "scenarios.projection",
    "RankTable": "ranks.table",
    "ScenarioError": "errors",
    "access_scores": "index.scoring",
    "fit_health": "models.healthy_life",
    "load_edition": "data.edition",
    "min_max_score": "index.scoring",
    "points_per_unit": "index.calibration",
    "project": "scenarios.projection",
    "rank_areas": "ranks.table",
    "read_scenario": "scenarios.reader",
    "read_table": "data.tables",
    "report_html": "report",
    "sampling_error": "index.sampling",
    "summarise": "scenarios.summary",
    "write_report": "report",
}

__all__ = [
    "DataError",
    "Edition",
    "GwmError",
    "ModelError",
    "OutputError",
    "Projection",
    "RankTable",
    "ScenarioError",
    "access_scores",
    "fit_health",
    "load_edition",
    "min_max_score",
    "points_per_unit",
    "project",
    "rank_areas",
    "read_scenario",
    "read_table",
    "report_html",
    "sampling_error",
    "summarise",
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
