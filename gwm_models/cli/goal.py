"""`gwm goal`: the value of one number with which a goal is reached surely enough."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.options import DrawsOption, SeedOption
from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped
from gwm_models.cli.run import busy, command_line, with_analysis

if TYPE_CHECKING:
    from gwm_models.scenarios.reader import CheckedScenario


def goal(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A file of kind goal, or the name of a shipped one.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the answer; results/runs/ID here if left out.")
    ] = None,
    draws: DrawsOption = None,
    seed: SeedOption = None,
    format: Annotated[Format, typer.Option("--format", help="How to print; CSV is the curve.")] = Format.table,
) -> None:
    """Find the least change of one number that reaches a goal with the probability asked.

    Exit code 2 if no value in the range does; the best one is then named, and what stands in the way.

    Example: gwm goal participation-goal
    """
    from gwm_models.errors import InfeasibleError
    from gwm_models.report.goal import check_goal_folder, write_goal
    from gwm_models.scenarios.goal import seek_goal
    from gwm_models.scenarios.goal_words import one_line

    checked = read_kind(scenario, "goal")
    asked = with_analysis(checked.scenario, draws, seed)
    folder = out or Path("results") / "runs" / asked.id
    check_goal_folder(folder)
    with busy("Searching"):
        found = seek_goal(asked)
        options = {"--out": out, "--draws": draws, "--seed": seed}
        summary = write_goal(folder, found, command=command_line("goal", [scenario], options))
    if format is Format.json:
        write_json(summary)
    elif format is Format.csv:
        emit(summary["curve"], format=format)
    else:
        _print(summary, folder)
    if found.value is None:
        sys.stdout.flush()
        raise InfeasibleError(one_line(found))


def read_kind(name: str, kind: str) -> CheckedScenario:
    """Read a file that must be of one kind; its warnings are written to standard error.

    Raises
    ------
    DataError
        If it is of another kind.
    ScenarioError
        With every fault of the file.
    """
    from gwm_models.errors import DataError
    from gwm_models.scenarios.reader import read_scenario, resolve_scenario_path

    checked = read_scenario(resolve_scenario_path(name))
    for warning in checked.warnings:
        sys.stderr.write(f"{warning}\n")
    found = checked.scenario.kind
    if found != kind:
        use = "run" if found == "scenario" else found
        raise DataError(f"{checked.path} is a {found}, not a {kind}. Use gwm {use} {shlex.quote(name)}.")
    return checked


def _print(summary: dict[str, Any], folder: Path) -> None:
    from gwm_models.plots.words import chance, interval, number, places_for

    measure, best = summary["measure"], summary["best"]
    rows = [row for row in summary["curve"] if row["grid"] or row["value"] == best["value"]]
    ends = [row[end] for row in rows for end in ("estimate", "lower", "upper")]
    places = places_for(measure["unit"], ends, change=True)
    write_line(summary["title"])
    write_line()
    write_wrapped(summary["headline"])
    for line in summary["binding"]:
        write_wrapped(line)
    write_line()
    shown = [
        {
            "value": row["value"],
            "P(goal)": chance(row["probability"]),
            "estimate": number(row["estimate"], places),
            "interval": interval(row["lower"], row["upper"], places),
            "": "<" if row["value"] == best["value"] else "",
        }
        for row in rows
    ]
    emit(shown, format=Format.table, title=f"{measure['label']}, {measure['unit']}, by {summary['path']}")
    for note in summary["notes"]:
        write_wrapped(f"Note: {note}")
    write_line()
    write_line(f"Scenario with the value: {folder / 'scenario.yaml'}")
    write_line(f"Report: {folder / 'report.html'}")
