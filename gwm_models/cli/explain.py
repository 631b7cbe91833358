"""`gwm explain`: a scenario in plain English, with the areas that it reaches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gwm_models.scenarios.explain import ExplainedAction, Explanation

MOST_AREAS = 60
"""More areas than this are counted by region; JSON and CSV name them all."""


def explain(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario file, or the name of a shipped one.")],
    format: Annotated[Format, typer.Option("--format", help="How to print; CSV lists the areas.")] = Format.table,
) -> None:
    """Say in plain English what a scenario does, where, when, what it assumes and what it leaves out.

    Example: gwm explain northern-participation-2026
    """
    from dataclasses import asdict

    from gwm_models.scenarios.explain import explain as put_into_words
    from gwm_models.scenarios.reader import read_scenario, resolve_scenario_path

    checked = read_scenario(resolve_scenario_path(scenario))
    for warning in checked.warnings:
        sys.stderr.write(f"{warning}\n")
    found = put_into_words(checked.scenario)
    if format is Format.table:
        _print(found)
        return
    rows = {action.id: _area_rows(action) for action in found.actions}
    if format is Format.csv:
        emit([row for part in rows.values() for row in part], format=format, columns=("action", *COLUMNS))
    else:
        actions = [asdict(action) | {"areas": _without_action(rows[action.id])} for action in found.actions]
        write_json(asdict(found) | {"actions": actions})


COLUMNS = ("area_code", "area_name", "region")


def _area_rows(action: ExplainedAction) -> list[dict[str, str]]:
    return [{"action": action.id, **dict(zip(COLUMNS, area, strict=True))} for area in action.areas]


def _without_action(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: row[name] for name in COLUMNS} for row in rows]


def _print(found: Explanation) -> None:
    write_wrapped(found.title)
    write_wrapped(f"Question: {found.question}")
    if found.source:
        write_wrapped(f"Source: {found.source}")
    _section("The setting", found.setting)
    for action in found.actions:
        _section(f"Action {action.id}", (action.what, action.who, *_named(action), *action.lines))
    _section("Health", found.health)
    _section("The search", found.search)
    _section("What is assumed", found.assumed)
    _section("What is left out", found.left_out)


def _named(action: ExplainedAction) -> list[str]:
    """Name the areas of an action by region, or count them where they are many."""
    regions: dict[str, list[str]] = {}
    for _, name, region in action.areas:
        regions.setdefault(region, []).append(name)
    if len(action.areas) > MOST_AREAS:
        return [", ".join(f"{region} {len(names)}" for region, names in regions.items()) + "."]
    return [f"{region}: {'; '.join(names)}." for region, names in regions.items()]


def _section(title: str, lines: Iterable[str]) -> None:
    said = list(lines)
    if not said:
        return
    write_line()
    write_line(title)
    for line in said:
        write_wrapped(line, "  ")
