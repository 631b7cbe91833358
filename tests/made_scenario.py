"""Scenarios made for tests: one mapping to begin with, its parts replaced, checked like a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.spec import Scenario


def content(
    *actions: Mapping[str, Any], name: str = "made-for-a-test", draws: int = 200, seed: int = 1, **parts: Any
) -> dict[str, Any]:
    """Return a scenario on the Monitor from 2026 to 2030 as plain data; `parts` replace or add whole parts."""
    return {
        "schema": "gwm-scenario/1",
        "id": name,
        "title": f"Title of {name}",
        "question": f"Question of {name}?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": 2026, "end": 2030},
        "actions": list(actions),
        "analysis": {"draws": draws, "seed": seed},
    } | parts


def checked(plain: Mapping[str, Any]) -> Scenario:
    """Return a scenario given as plain data, which must be sound."""
    found, problems = check_mapping(plain)
    assert found is not None, [str(problem) for problem in problems]
    return found


def scenario(*actions: Mapping[str, Any], **parts: Any) -> Scenario:
    """Return the scenario of `content`, checked."""
    return checked(content(*actions, **parts))
