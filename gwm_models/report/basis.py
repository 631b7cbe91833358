"""What an answer rests on, for every page alike: assumptions, warnings and sources of its projections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.report.limits import limit_rows
from gwm_models.scenarios.cautions import warnings_of
from gwm_models.scenarios.notes import assumptions
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.sources import sources_of
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.versions import plain_content

Basis = Mapping[str, list[Any]]


def basis_of(projection: Projection, *, said: str = "") -> dict[str, list[Any]]:
    """Return what a projection assumes, warns of, and takes its figures from.

    Parameters
    ----------
    projection : Projection
    said : str
        Path of a number of whose size the page warns elsewhere.

    Returns
    -------
    dict
        ``assumptions`` and ``warnings``, a list of str each; ``cuts`` (see `gwm_models.report.limits.limit_rows`) and
        ``sources``, a list of dict each.
    """
    return {
        "assumptions": assumptions(projection),
        "warnings": [*file_warnings(projection.scenario, said), *warnings_of(projection, ())],
        "cuts": limit_rows(projection),
        "sources": sources_of(projection),
    }


def file_warnings(scenario: Scenario, said: str = "") -> list[str]:
    """Return what the checker finds unusual in a scenario as it was run, but for the number at one path."""
    _, problems = check_mapping(plain_content(scenario))
    return [
        f"{problem.path}: {problem.what}"
        for problem in problems
        if problem.severity == "warning" and problem.path != said
    ]


def shared_basis(found: Mapping[str, Basis]) -> dict[str, list[Any]]:
    """Return what several projections rest on: what all share once, and what each has of its own.

    Parameters
    ----------
    found : mapping of str to mapping
        From `basis_of`, by the name of each.

    Returns
    -------
    dict
        ``assumptions``, ``warnings``, ``cuts`` (each with its ``scenario``) and ``sources`` as of `basis_of`; ``own``,
        a list of dict with ``scenario``,
        ``assumptions`` and ``warnings``, of those that have any.

    Examples
    --------
    >>> both = {"a": {"assumptions": ["x", "y"], "warnings": [], "sources": []},
    ...         "b": {"assumptions": ["x"], "warnings": ["w"], "sources": []}}
    >>> shared_basis(both)["assumptions"], shared_basis(both)["own"][1]
    (['x'], {'scenario': 'b', 'assumptions': [], 'warnings': ['w']})
    """
    parts = list(found.values())
    shared = {name: _in_all([part[name] for part in parts]) for name in ("assumptions", "warnings")}
    own = [
        {"scenario": label, **{name: [line for line in part[name] if line not in shared[name]] for name in shared}}
        for label, part in found.items()
    ]
    sources: list[Any] = []
    for part in parts:
        sources += [source for source in part["sources"] if source not in sources]
    cuts = [{"scenario": label, **row} for label, part in found.items() for row in part.get("cuts", [])]
    return {
        **shared,
        "cuts": cuts,
        "sources": sources,
        "own": [one for one in own if one["assumptions"] or one["warnings"]],
    }


def _in_all(lists: Sequence[list[Any]]) -> list[Any]:
    """Return what every list has, in the order of the first."""
    return [line for line in lists[0] if all(line in others for others in lists[1:])] if lists else []
