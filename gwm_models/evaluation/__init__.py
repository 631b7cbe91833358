"""Evaluation before and after the event: what is worth doing, what could be seen, and what an intervention changed.

Before the event: `appraise` sets what a projection gains against what it costs.

After the event: `synthetic_control` (synthetic control, synthetic difference in differences and difference in
differences), `synthetic_controls` (one set of weights for several outcomes), `event_study`, `staggered` and
`interrupted_series` (segmented or structural) each return an `Effect`. `evaluate_plan` runs the evaluation block of a
scenario on the figures by unit and year and scores its projection; `plan_power` measures before launch what its design
could see. `backtest` judges what the engine would have projected in earlier years by what came after.

Names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwm_models.evaluation.appraisal import appraise
    from gwm_models.evaluation.backtests import backtest
    from gwm_models.evaluation.effect import Effect
    from gwm_models.evaluation.event_studies import event_study
    from gwm_models.evaluation.interrupted import interrupted_series
    from gwm_models.evaluation.plan_detect import plan_power
    from gwm_models.evaluation.planned import evaluate_plan
    from gwm_models.evaluation.staggered_starts import staggered
    from gwm_models.evaluation.synthetic import synthetic_control, synthetic_controls

_HOMES = {
    "Effect": "effect",
    "appraise": "appraisal",
    "backtest": "backtests",
    "evaluate_plan": "planned",
    "event_study": "event_studies",
    "interrupted_series": "interrupted",
    "plan_power": "plan_detect",
    "staggered": "staggered_starts",
    "synthetic_control": "synthetic",
    "synthetic_controls": "synthetic",
}

__all__ = [
    "Effect",
    "appraise",
    "backtest",
    "evaluate_plan",
    "event_study",
    "interrupted_series",
    "plan_power",
    "staggered",
    "synthetic_control",
    "synthetic_controls",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gwm_models.evaluation' has no attribute {name!r}")
    value = getattr(import_module(f"gwm_models.evaluation.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
