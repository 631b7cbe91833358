"""Versions of a scenario in which some of its numbers have other values: what goals and sweeps project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwm_models.errors import ScenarioError
from gwm_models.scenarios.findings import number_text
from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.vary import find_number, set_number, without_search

Content = dict[str, Any]


def plain_content(scenario: Scenario) -> Content:
    """Return a goal, sweep or scenario as the plain data of an ordinary scenario, ready to be varied."""
    return without_search(scenario.model_dump(mode="json", by_alias=True, exclude_none=True))


def version_of(content: Content, values: Mapping[str, float]) -> Scenario:
    """Return a checked version of a scenario.

    Parameters
    ----------
    content : dict
        From `plain_content`; it is not changed.
    values : mapping of str to float
        Path of a number, such as ``actions.participation.change.value``, to its value. The interval of a change or a
        cost keeps its proportion to the value; see `gwm_models.scenarios.vary.set_number`.

    Raises
    ------
    ScenarioError
        If the scenario has a fault with these values.
    """
    made = content
    for path, value in values.items():
        made = set_number(made, path, value)
    chosen = " and ".join(f"{path} at {number_text(value)}" for path, value in values.items())
    scenario, problems = check_mapping(made, name=f"{content.get('id', 'scenario')} with {chosen}" if chosen else "")
    if scenario is None:
        raise ScenarioError(problem for problem in problems if problem.severity == "error")
    return scenario


def unit_at(content: Content, path: str) -> str:
    """Return the unit that is written beside a number of a scenario; empty where none is.

    Examples
    --------
    >>> unit_at({"actions": [{"id": "a", "change": {"value": 2, "unit": "pp"}}]}, "actions.a.change.value")
    'pp'
    """
    part: Any = content
    for key in find_number(content, path).keys[:-1]:
        part = part.get(key, {}) if isinstance(part, dict) else part[key]
        if isinstance(part, dict) and isinstance(part.get("unit"), str):
            return str(part["unit"])
    return ""
