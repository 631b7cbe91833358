"""Small folders of a goal, a sweep and a comparison, made from shipped scenarios."""

from __future__ import annotations

from pathlib import Path

from gwm_models.report.comparison import write_comparison
from gwm_models.report.goal import write_goal
from gwm_models.report.sweep import write_sweep
from gwm_models.scenarios.compare import compare
from gwm_models.scenarios.goal import seek_goal
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios
from gwm_models.scenarios.spec import Scenario

DRAWS = 150
COMPARED = ("northern-participation-2026", "professional-jobs-gap")
COMMANDS = {
    "goal": "gwm goal participation-goal",
    "sweep": "gwm sweep participation-sweep",
    "comparison": f"gwm compare {' '.join(COMPARED)}",
}


def asked(name: str, draws: int = DRAWS) -> Scenario:
    """Return a shipped scenario with few draws."""
    scenario = read_scenario(shipped_scenarios()[name]).scenario
    return scenario.model_copy(update={"analysis": scenario.analysis.model_copy(update={"draws": draws})})


def made(kind: str, folder: Path) -> Path:
    """Write the folder of a goal, a sweep or a comparison."""
    if kind == "goal":
        write_goal(folder, seek_goal(asked("participation-goal")), command=COMMANDS[kind])
    elif kind == "comparison":
        write_comparison(folder, compare([asked(name) for name in COMPARED]), command=COMMANDS[kind])
    else:
        scenario = asked("participation-sweep")
        few = scenario.sweep.model_copy(update={"points": 32})
        write_sweep(folder, scenario.model_copy(update={"sweep": few}), command=COMMANDS[kind], jobs=1)
    return folder
