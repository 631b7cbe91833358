"""The versions of a scenario that a goal or a sweep will run: its smallest and largest numbers must be sound too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from gwm_models.errors import Problem
from gwm_models.scenarios.findings import Keys, number_text
from gwm_models.scenarios.spec import Scenario, Vary
from gwm_models.scenarios.vary import set_number, without_search
from gwm_models.scenarios.view import View

Check = Callable[[dict[str, Any]], list[Problem]]
MOST_CORNERED = 6
"""Numbers of which every combination of ends is checked."""


def check_versions(file: View, scenario: Scenario, check: Check) -> None:
    """Check a goal or a sweep with each of its numbers at its ends, and with combinations of these.

    Parameters
    ----------
    file : View
        The whole file.
    scenario : Scenario
        As read; without a fault so far.
    check : callable
        Checks plain data and returns what is wrong.
    """
    plain = without_search(file.findings.data)
    varied = list(_varied(scenario))
    for keys, vary in varied:
        for value in _ends(vary):
            _report(View(file.findings, file.vocabulary, file.bad, keys), plain, [(vary.path, value)], check)
    if len(varied) < 2 or any(file.findings.has_error(keys) for keys, _ in varied):
        return
    for values in _corners([_ends(vary) for _, vary in varied]):
        chosen = [(vary.path, value) for (_, vary), value in zip(varied, values, strict=True)]
        if _report(file / "sweep" / "vary", plain, chosen, check):
            return


def _corners(ends: list[list[float]]) -> Iterator[tuple[float, ...]]:
    """Yield the corners of the space that is swept; of many numbers only the two where all are at the same end."""
    yield from product(*ends) if len(ends) <= MOST_CORNERED else zip(*ends, strict=True)


def _varied(scenario: Scenario) -> Iterator[tuple[Keys, Vary]]:
    if scenario.goal is not None:
        yield ("goal", "vary"), scenario.goal.vary
    for place, vary in enumerate(scenario.sweep.vary if scenario.sweep is not None else ()):
        yield ("sweep", "vary", place), vary


def _ends(vary: Vary) -> list[float]:
    values = [value for value in (vary.low, vary.high, *(vary.values or ())) if value is not None]
    return [min(values), max(values)]


def _report(at: View, plain: dict[str, Any], chosen: list[tuple[str, float]], check: Check) -> bool:
    """Report the first fault of a version; return whether there is one."""
    made = plain
    for path, value in chosen:
        made = set_number(made, path, value)
    fault = next((problem for problem in check(made) if problem.severity == "error"), None)
    if fault is not None:
        values = " and ".join(f"{path} at {number_text(value)}" for path, value in chosen)
        at.error(f"with {values}: {fault.path}: {fault.what}", "narrow the values it is varied over")
    return fault is not None
