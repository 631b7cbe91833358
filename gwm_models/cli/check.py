"""``gwm check`` and ``gwm schema``: is a scenario file sound, and what may one say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gwm_models.cli.output import Format, emit, write_json
from gwm_models.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from gwm_models.scenarios.spec import Pick, Scenario, Target, Where

    Result = tuple[str, Scenario | None, list[Problem]]

FIELDS = ("severity", "line", "column", "path", "what", "fix")


def check(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Scenario files, folders of them, or names of shipped scenarios."),
    ],
    format: Annotated[
        Format, typer.Option("--format", help="How to print; a table is one line a fault.")
    ] = Format.table,
) -> None:
    """Check scenario files: every fault in one pass, with line, column and what to do about it.

    Example: gwm check northern-participation-2026
    """
    results = [result for path in paths for result in _results(path)]
    if format is Format.json:
        write_json([_as_row(*result) for result in results])
    elif format is Format.csv:
        rows = [{"file": name, **_fields(problem)} for name, _, problems in results for problem in problems]
        emit(rows, format=format, columns=("file", *FIELDS))
    else:
        for name, scenario, problems in results:
            for problem in problems:
                typer.echo(str(problem), err=True)
            if scenario is not None:
                typer.echo(f"{name}: {summary_line(scenario, problems)}")
    if any(scenario is None for _, scenario, _ in results):
        raise typer.Exit(code=ScenarioError.exit_code)


def schema() -> None:
    """Print the JSON Schema of a scenario file, for editors that check while typing.

    Example: gwm schema
    """
    from gwm_models.scenarios.spec import scenario_schema

    typer.echo(json.dumps(scenario_schema(), indent=2))


def _results(path: str) -> list[Result]:
    from gwm_models.scenarios.reader import SUFFIXES, check_scenario, resolve_scenario_path

    try:
        found = resolve_scenario_path(path)
    except ScenarioError as error:
        return [(path, None, list(error.problems))]
    if not found.is_dir():
        return [(str(found), *check_scenario(found))]
    try:
        files = sorted(file for file in found.iterdir() if file.suffix in SUFFIXES and file.is_file())
    except OSError as error:
        problem = Problem(str(found), 0, 0, "error", "", f"cannot be read ({error.strerror})", "check its permissions")
        return [(str(found), None, [problem])]
    if not files:
        problem = Problem(str(found), 0, 0, "error", "", "holds no scenario file (*.yaml)", "name another folder")
        return [(str(found), None, [problem])]
    return [(str(file), *check_scenario(file)) for file in files]


def summary_line(scenario: Scenario, problems: list[Problem]) -> str:
    """Return what a sound scenario does in one line."""
    count = len(scenario.actions)
    words = ["no action" if not count else "1 action" if count == 1 else f"{count} actions"]
    words += [f"{action.id}: {target_words(action.target)}" for action in scenario.actions[:3]]
    words.append(f"{scenario.horizon.start} to {scenario.horizon.end}")
    words += _search_words(scenario)
    if problems:
        words.append("1 warning" if len(problems) == 1 else f"{len(problems)} warnings")
    return f"ok ({'; '.join(words)})"


def _search_words(scenario: Scenario) -> list[str]:
    """Return what a goal or a sweep varies, and how many runs it takes."""
    from gwm_models.scenarios.vary import count_points

    if scenario.goal is not None:
        return [f"goal over {scenario.goal.vary.path}"]
    if scenario.portfolio is not None:
        options = scenario.portfolio.options
        return ["money spread over areas" if options is None else f"portfolio of {len(options)} options"]
    if scenario.sweep is None:
        return []
    points, numbers = count_points(scenario.sweep), len(scenario.sweep.vary)
    return [f"sweep of {points} points over {numbers} {'number' if numbers == 1 else 'numbers'}"]


def target_words(target: Target) -> str:
    """Return the rule of a target in words.

    Examples
    --------
    >>> from gwm_models.scenarios.spec import Pick, Target
    >>> target_words(Target(regions=("North East",), worst=Pick(by="total", n=5)))
    'worst 5 by total in 1 region'
    """
    words = [_pick_words(word, pick) for word, pick in (("worst", target.worst), ("best", target.best)) if pick]
    words += ["everyone"] if target.everyone else []
    places = [_counted(target.areas, "area"), _counted(target.regions, "region"), _counted(target.clusters, "group")]
    places += [_rule_words(rule) for rule in target.where or ()]
    within = " and ".join(filter(None, places))
    if within:
        words.append(f"in {within}" if words else within)
    if target.exclude:
        words.append(f"without {_counted(target.exclude, 'area')}")
    return " ".join(words)


def _rule_words(rule: Where) -> str:
    limits = (("at least", rule.at_least), ("at most", rule.at_most), ("equal to", rule.equals))
    named = [
        f"{word} {limit if isinstance(limit, str) else f'{limit:,.12g}'}" for word, limit in limits if limit is not None
    ]
    return f"areas with {rule.field} {' and '.join(named)}"


def _counted(names: tuple[str, ...] | None, noun: str) -> str:
    return f"{len(names)} {noun}{'' if len(names) == 1 else 's'}" if names else ""


def _pick_words(word: str, pick: Pick) -> str:
    size = f"{pick.n}" if pick.n is not None else f"{100 * (pick.quantile or 0):g}%"
    return f"{word} {size} by {pick.by}"


def _as_row(name: str, scenario: Scenario | None, problems: list[Problem]) -> dict[str, object]:
    return {
        "file": name,
        "ok": scenario is not None,
        "id": scenario.id if scenario is not None else None,
        "n_actions": len(scenario.actions) if scenario is not None else None,
        "problems": [_fields(problem) for problem in problems],
    }


def _fields(problem: Problem) -> dict[str, object]:
    return {field: getattr(problem, field) for field in FIELDS}
