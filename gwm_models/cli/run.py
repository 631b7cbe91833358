"""`gwm run`: project a scenario, print the answer, write the run folder."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.options import BoundariesOption, DrawsOption, SeedOption, shapes_of
from gwm_models.cli.output import Format, emit, write_json, write_line

if TYPE_CHECKING:
    from gwm_models.scenarios.reader import CheckedScenario
    from gwm_models.scenarios.spec import Scenario

MOST_ROWS = 12
MOST_COLUMNS = 200
NARROW = (
    (80, ("rank", "rank change", "HLE male", "HLE male change", "HLE female", "HLE female change")),
    (120, ("HLE male", "HLE male change", "HLE female", "HLE female change")),
    (165, ("HLE male", "HLE female")),
)
"""Columns left out of the table where a terminal is narrower than that; the report has them all."""


def run(
    scenario: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="A scenario file, or the name of a shipped one.")
    ],
    stack: Annotated[bool, typer.Option("--stack", help="Run several scenarios together, as one.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the run; results/runs/ID here if left out.")
    ] = None,
    draws: DrawsOption = None,
    seed: SeedOption = None,
    keep_draws: Annotated[bool, typer.Option("--keep-draws", help="Write every draw as well, in draws.nc.")] = False,
    boundaries: BoundariesOption = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Project a scenario: scores, ranks and health before and after, with intervals.

    Example: gwm run northern-participation-2026
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.files import check_run_folder
    from gwm_models.report.run_folder import run_scenario

    checked = _stacked(scenario) if stack else _single(scenario)
    for warning in checked.warnings:
        sys.stderr.write(f"{warning}\n")
    asked = with_analysis(checked.scenario, draws, seed)
    folder = out or Path("results") / "runs" / asked.id
    check_run_folder(folder)
    shapes = shapes_of(boundaries, load_edition(asked.baseline.edition).areas.code)
    options = {"--stack": stack, "--out": out, "--draws": draws, "--seed": seed, "--keep-draws": keep_draws}
    command = command_line("run", scenario, options | {"--boundaries": boundaries})
    with busy("Projecting"):
        summary, areas = run_scenario(checked, asked, folder, command=command, draws_file=keep_draws, boundaries=shapes)
    if format is Format.json:
        write_json({"summary": summary, "areas": areas})
    elif format is Format.csv:
        emit(areas, format=format)
    else:
        _print_answer(summary, areas, folder)


def _single(names: list[str]) -> CheckedScenario:
    from gwm_models.errors import DataError
    from gwm_models.scenarios.reader import read_scenario, resolve_scenario_path

    if len(names) > 1:
        raise DataError(
            f"gwm run takes one scenario; {len(names)} given. Add --stack to run them together as one, or use gwm "
            "compare to hold them against each other."
        )
    checked = read_scenario(resolve_scenario_path(names[0]))
    kind = checked.scenario.kind
    if kind != "scenario":
        raise DataError(f"{checked.path} is a {kind}, not a scenario. Use gwm {kind} {shlex.quote(names[0])}.")
    return checked


def _stacked(names: list[str]) -> CheckedScenario:
    """Read several files and make one scenario of them, with the warnings of each and of the whole."""
    from gwm_models.report.run_folder import resolved_yaml
    from gwm_models.scenarios.reader import CheckedScenario
    from gwm_models.scenarios.stack import stack

    parts = read_all(names)
    whole, met = stack([part.scenario for part in parts])
    own = [warning for part in parts for warning in part.warnings]
    said = {(warning.path, warning.what) for warning in own}
    warnings = (*own, *(warning for warning in met if (warning.path, warning.what) not in said))
    return CheckedScenario(whole, warnings, resolved_yaml(whole), Path(f"{whole.id}.yaml"))


def read_all(names: list[str]) -> list[CheckedScenario]:
    """Read several scenario files; the faults of all are reported at once."""
    from gwm_models.errors import Problem, ScenarioError
    from gwm_models.scenarios.reader import read_scenario, resolve_scenario_path

    found: list[CheckedScenario] = []
    problems: list[Problem] = []
    for name in names:
        try:
            found.append(read_scenario(resolve_scenario_path(name)))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return found


def with_analysis(scenario: Scenario, draws: int | None, seed: int | None) -> Scenario:
    """Return a scenario with another number of draws or seed, where one is given."""
    changed = {name: value for name, value in (("draws", draws), ("seed", seed)) if value is not None}
    return scenario.model_copy(update={"analysis": scenario.analysis.model_copy(update=changed)})


def command_line(command: str, names: list[str], options: dict[str, Any]) -> str:
    """Return a command as it can be typed again; options that are None or False are left out."""
    words: list[str] = []
    for option, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one is not False:
                words += [option] if one is True else [option, str(one)]
    return shlex.join(["gwm", command, *names, *words])


@contextmanager
def busy(words: str) -> Iterator[None]:
    """Show that work goes on, on a terminal only."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(words):
        yield


def _print_answer(summary: dict[str, Any], areas: list[dict[str, Any]], folder: Path) -> None:
    from gwm_models.report.area_tables import MEDIANS

    width = shutil.get_terminal_size((MOST_COLUMNS, 24)).columns if sys.stdout.isatty() else MOST_COLUMNS
    left_out = next((names for least, names in NARROW if width < least), ())
    write_line(summary["scenario"]["title"])
    write_line()
    sys.stdout.write(textwrap.fill(summary["headline"], min(width, 110)) + "\n\n")
    whole = decision_rows(areas)
    rows = [{name: row[name] for name in row if name not in left_out} for row in whole]
    if rows:
        shown = rows[:MOST_ROWS]
        level = f"{100 * summary['level']:g}%"
        title = f"Most affected areas ({len(shown)} of {len(rows)} that change), {summary['year']}, {level} intervals"
        emit(shown, format=Format.table, title=title)
        hidden = [name for name in whole[0] if name in left_out]
        if hidden:
            write_line(f"Not shown for want of width: {', '.join(hidden)}. --format csv has every area and quantity.")
        words = f"Score: the total of the index, points, shrunk for sampling error. {MEDIANS}"
        if any(name.startswith("HLE") for name in shown[0]):
            words += " HLE: healthy life expectancy at birth, years, 2016-18 before, stated link after."
        write_line(words)
    for warning in summary["warnings"]:
        write_line(f"Note: {warning}")
    sys.stdout.write(f"\nReport: {folder / 'report.html'}\n")


def decision_rows(areas: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the areas that change, the most affected first, each with score, rank and health before and after."""
    from gwm_models.report.area_tables import by_change, moves
    from gwm_models.scenarios.words import number, signed, span

    table: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for row in areas:
        table.setdefault(row["area_code"], {}).setdefault(row["quantity"], {})[row["state"]] = row

    def cell(states: dict[str, dict[str, Any]], digits: int) -> tuple[str, str]:
        before, after, change = (states[name] for name in ("baseline", "scenario", "difference"))
        moved = f"{signed(change['estimate'], digits)} ({span(change['lower'], change['upper'], digits)})"
        if before["estimate"] is None:
            return "", moved
        return f"{number(before['estimate'], digits)} > {number(after['estimate'], digits)}", moved

    shown = []
    totals = {code: found["total"] for code, found in table.items() if moves(found["total"]["difference"])}
    for code in by_change(totals):
        found = table[code]
        line = {"area": found["total"]["difference"]["area_name"]}
        line["score"], line["change"] = cell(found["total"], 1)
        line["rank"], line["rank change"] = cell(found["rank"], 0)
        for sex in ("male", "female"):
            states = found.get(f"healthy_life_expectancy_{sex}")
            if states:
                line[f"HLE {sex}"], line[f"HLE {sex} change"] = cell(states, 2)
        shown.append(line)
    return shown
