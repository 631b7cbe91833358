"""Statistical models and policy simulation around the Good Work Monitor.

Names below are loaded on first use, so that importing the package costs nothing.

Scenarios, from a file to its results:

- `shipped_scenarios`, `read_scenario`, `check_scenario`, `check_mapping`: find, read and check files or plain data;
  `Scenario` is what they hold, `explain` says it in plain English, `differences` says what sets two apart, `stack`
  makes one scenario of several.
- `project` gives a `Projection`, with draws of all that changes; `measure_draws` one number of it in every draw,
  `summarise` all rows and words, `write_report` a page.
- `compare` holds several against each other on common draws, `seek_goal` finds the number that reaches a goal,
  `write_sweep` tries many values and writes their table (`run_sweep` does so without a folder).

The index and its uncertainty: `load_edition`, `read_table`, `access_scores`, `min_max_score`, `points_per_unit`,
`sampling_error`; `score_posterior`, `total_posterior`, `rank_areas`, `rank_sets`, `tau_best`, `tau_worst`. Health:
`fit_outcome`, `health_models`, `slope_index_of_inequality`. Errors are `GwmError` and its kinds.

Examples
--------
>>> checked = read_scenario(shipped_scenarios()["nothing"])
>>> project(checked.scenario, variance=False).change.any()
np.False_
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition, load_edition
    from gwm_models.data.tables import read_table
    from gwm_models.errors import DataError, GwmError, InfeasibleError, ModelError, OutputError, ScenarioError
    from gwm_models.evaluation.allocation import allocate
    from gwm_models.evaluation.appraisal import appraise
    from gwm_models.evaluation.backtests import backtest
    from gwm_models.evaluation.effect import Effect
    from gwm_models.evaluation.event_studies import event_study
    from gwm_models.evaluation.interrupted import interrupted_series
    from gwm_models.evaluation.planned import evaluate_plan
    from gwm_models.evaluation.portfolio import choose_portfolio
    from gwm_models.evaluation.staggered_starts import staggered
    from gwm_models.evaluation.synthetic import synthetic_control, synthetic_controls
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
    from gwm_models.report.sweep import write_sweep
    from gwm_models.scenarios.compare import Comparison, compare
    from gwm_models.scenarios.difference import differences
    from gwm_models.scenarios.explain import explain
    from gwm_models.scenarios.goal import GoalFound, seek_goal
    from gwm_models.scenarios.measured import measure_draws
    from gwm_models.scenarios.projection import Projection, project
    from gwm_models.scenarios.reader import (
        CheckedScenario,
        check_mapping,
        check_scenario,
        read_scenario,
        shipped_scenarios,
    )
    from gwm_models.scenarios.slope_index import slope_index_of_inequality
    from gwm_models.scenarios.spec import Scenario
    from gwm_models.scenarios.stack import stack
    from gwm_models.scenarios.summary import summarise
    from gwm_models.scenarios.sweep import SweepResult, run_sweep

_HOMES = {
    "CheckedScenario": "scenarios.reader",
    "Comparison": "scenarios.compare",
    "DataError": "errors",
    "Edition": "data.edition",
    "Effect": "evaluation.effect",
    "EndSet": "ranks.sets_result",
    "Fit": "models.fit",
    "GoalFound": "scenarios.goal",
    "GwmError": "errors",
    "InfeasibleError": "errors",
    "ModelError": "errors",
    "OutputError": "errors",
    "Projection": "scenarios.projection",
    "RankSets": "ranks.sets_result",
    "RankTable": "ranks.table",
    "Scenario": "scenarios.spec",
    "ScenarioError": "errors",
    "SweepResult": "scenarios.sweep",
    "access_scores": "index.scoring",
    "allocate": "evaluation.allocation",
    "appraise": "evaluation.appraisal",
    "backtest": "evaluation.backtests",
    "check_mapping": "scenarios.reader",
    "check_scenario": "scenarios.reader",
    "choose_portfolio": "evaluation.portfolio",
    "compare": "scenarios.compare",
    "differences": "scenarios.difference",
    "evaluate_plan": "evaluation.planned",
    "event_study": "evaluation.event_studies",
    "explain": "scenarios.explain",
    "fit_outcome": "models.catalogue",
    "health_models": "models.health",
    "interrupted_series": "evaluation.interrupted",
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
    "run_sweep": "scenarios.sweep",
    "sampling_error": "index.sampling",
    "score_posterior": "ranks.posterior",
    "seek_goal": "scenarios.goal",
    "shipped_scenarios": "scenarios.reader",
    "slope_index_of_inequality": "scenarios.slope_index",
    "stack": "scenarios.stack",
    "staggered": "evaluation.staggered_starts",
    "summarise": "scenarios.summary",
    "synthetic_control": "evaluation.synthetic",
    "synthetic_controls": "evaluation.synthetic",
    "tau_best": "ranks.sets",
    "tau_worst": "ranks.sets",
    "total_posterior": "ranks.one_score",
    "write_report": "report",
    "write_sweep": "report.sweep",
}

__all__ = [
    "CheckedScenario",
    "Comparison",
    "DataError",
    "Edition",
    "Effect",
    "EndSet",
    "Fit",
    "GoalFound",
    "GwmError",
    "InfeasibleError",
    "ModelError",
    "OutputError",
    "Projection",
    "RankSets",
    "RankTable",
    "Scenario",
    "ScenarioError",
    "SweepResult",
    "access_scores",
    "allocate",
    "appraise",
    "backtest",
    "check_mapping",
    "check_scenario",
    "choose_portfolio",
    "compare",
    "differences",
    "evaluate_plan",
    "event_study",
    "explain",
    "fit_outcome",
    "health_models",
    "interrupted_series",
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
    "run_sweep",
    "sampling_error",
    "score_posterior",
    "seek_goal",
    "shipped_scenarios",
    "slope_index_of_inequality",
    "stack",
    "staggered",
    "summarise",
    "synthetic_control",
    "synthetic_controls",
    "tau_best",
    "tau_worst",
    "total_posterior",
    "write_report",
    "write_sweep",
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
