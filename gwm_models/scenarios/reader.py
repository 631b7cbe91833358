"""Read and check a scenario file: every fault in one pass, each with its line, column and mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwm_models.data.home import scenario_home
from gwm_models.data.vocabulary import EDITIONS, LANDMARK, Vocabulary, load_vocabulary
from gwm_models.errors import DataError, Problem, ScenarioError
from gwm_models.scenarios.checks import check_meaning
from gwm_models.scenarios.checks_ends import check_versions
from gwm_models.scenarios.findings import Findings, Stop, advice, as_lists, escaped, nearest, shown, suggestion
from gwm_models.scenarios.known import CLUSTERS, condition, field_texts, outcomes_of, spelled, text_fields
from gwm_models.scenarios.portfolio_parts import check_sizes, with_files
from gwm_models.scenarios.shape import check_shape, repair_keys, report_shape
from gwm_models.scenarios.source import read_source, read_text
from gwm_models.scenarios.spec import Action, Portfolio, Scenario, Where
from gwm_models.scenarios.view import View

SUFFIXES = (".yaml", ".yml")
KINDS = ("goal", "sweep", "portfolio")
"""What a file may be beside a scenario, each with a command of that name."""


@dataclass(frozen=True)
class CheckedScenario:
    """A scenario that can be run.

    Attributes
    ----------
    scenario : Scenario
        Areas as codes, regions as the edition writes them.
    warnings : tuple of Problem
        What is possible but unusual.
    text : str
        The file as read.
    path : Path
        Where it was read from.
    """

    scenario: Scenario
    warnings: tuple[Problem, ...]
    text: str
    path: Path


def read_scenario(path: Path, vocabulary: Vocabulary | None = None) -> CheckedScenario:
    """Read a scenario file that has no fault.

    Parameters
    ----------
    path : Path
        A YAML file.
    vocabulary : Vocabulary, optional
        Names it may use; those of the edition it names by default.

    Raises
    ------
    ScenarioError
        With every fault of the file in ``problems``, warnings included.
    """
    scenario, problems, text = _check_file(Path(path), vocabulary)
    if scenario is None:
        raise ScenarioError(problems)
    return CheckedScenario(scenario, tuple(problems), text, Path(path))


def check_scenario(path: Path, vocabulary: Vocabulary | None = None) -> tuple[Scenario | None, list[Problem]]:
    """Check a scenario file; return it, or None if it has an error, with all that was found, in order."""
    return _check_file(Path(path), vocabulary)[:2]


def check_mapping(
    content: Mapping[str, Any], vocabulary: Vocabulary | None = None, *, name: str = "scenario"
) -> tuple[Scenario | None, list[Problem]]:
    """Check a scenario given as plain data, such as one varied in Python.

    Examples
    --------
    >>> scenario, problems = check_mapping({"schema": "gwm-scenario/1"})
    >>> scenario is None, str(problems[0])
    (True, "scenario: error: actions: missing key 'actions'. Fix: add 'actions: []'.")
    """
    findings = Findings(name, as_lists(content))
    scenario = None
    with suppress(Stop):
        scenario = _check(findings, vocabulary)
    return scenario, findings.problems()


def check_text(
    text: str, vocabulary: Vocabulary, *, name: str = "scenario"
) -> tuple[Scenario | None, list[Problem], Any]:
    """Check the text of a file of kind scenario, such as one that a form has written; no file is opened.

    Parameters
    ----------
    text : str
    vocabulary : Vocabulary
        Names it may use.
    name : str
        What it is called in the problems.

    Returns
    -------
    scenario : Scenario or None
        None if it has an error, or is of another kind: a portfolio may name files.
    problems : list of Problem
    content : object
        The text as plain data; None where it cannot be read.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> scenario, problems, _ = check_text("kind: sweep", load_vocabulary())
    >>> str(problems[0])
    "scenario:1:7: error: kind: expected 'scenario'; found the text 'sweep'. Fix: use gwm sweep on the file."
    """
    findings, scenario = Findings(name), None
    with suppress(Stop):
        read_text(text, findings)
        kind = findings.data.get("kind", "scenario")
        if kind != "scenario":
            fix = f"use gwm {kind} on the file" if kind in KINDS else "write 'kind: scenario', or remove the line"
            findings.error(("kind",), f"expected 'scenario'; found {shown(kind)}", fix)
        else:
            scenario = _check(findings, vocabulary)
    return scenario, findings.problems(), findings.data


def _check_file(
    path: Path, vocabulary: Vocabulary | None, *, taken_in: bool = False
) -> tuple[Scenario | None, list[Problem], str]:
    findings = Findings(escaped(str(path), most=4096))
    scenario, text = None, ""
    with suppress(Stop):
        text = read_source(path, findings)
        scenario = _check(findings, vocabulary, path.parent, taken_in=taken_in)
    return scenario, findings.problems(), text


def _check(
    findings: Findings, vocabulary: Vocabulary | None, folder: Path = Path(), *, taken_in: bool = False
) -> Scenario | None:
    repair_keys(findings)
    scenario, faults = check_shape(findings)
    words = _words(findings, vocabulary)
    file = View(findings, words, frozenset(fault["loc"] for fault in faults))
    check_meaning(file)
    report_shape(findings, faults)
    if scenario is not None and scenario.kind != "scenario" and not findings.faulty:
        check_versions(file, scenario, lambda content: check_mapping(content, words)[1])
        if scenario.kind == "portfolio" and not taken_in:
            scenario = with_files(file, scenario, lambda name: _read_beside(folder, name), _checker(words))
    if scenario is None or findings.faulty:
        return None
    if scenario.kind == "portfolio":
        check_sizes(file, scenario, _checker(words))
    return None if findings.faulty else _resolved(scenario, words)


def _checker(words: Vocabulary) -> Callable[[dict[str, Any]], tuple[Scenario | None, list[Problem]]]:
    return lambda content: check_mapping(content, words)


def _read_beside(folder: Path, name: str) -> tuple[Scenario | None, list[Problem]]:
    """Read a file beside another one, or a shipped one; a portfolio is read without the files it names itself."""
    beside = folder / name
    try:
        path = beside if beside.is_file() else resolve_scenario_path(name)
    except (OSError, ValueError):
        path = beside
    except ScenarioError as error:
        return None, list(error.problems)
    return _check_file(path, None, taken_in=True)[:2]


def _words(findings: Findings, vocabulary: Vocabulary | None) -> Vocabulary:
    """Return the names of the edition; report one that is unknown and go on with the usual one."""
    words = vocabulary or load_vocabulary()
    baseline = findings.data.get("baseline")
    edition = baseline.get("edition") if isinstance(baseline, dict) else None
    if not isinstance(edition, str) or not edition.strip() or edition == words.edition:
        return words
    if vocabulary is None and (edition in EDITIONS or _is_edition(edition)):
        try:
            return load_vocabulary(edition)
        except DataError as error:
            findings.error(("baseline", "edition"), str(error).rstrip("."), "run gwm data build on it again")
            return words
    known = [words.edition] if vocabulary is not None else list(EDITIONS)
    what = f"unknown edition '{escaped(edition)}'{suggestion(edition, known)}"
    findings.error(("baseline", "edition"), what, advice(edition, known))
    return words


def _is_edition(name: str) -> bool:
    """Tell whether a text names a folder that holds an edition; one that no file can have names none."""
    with suppress(OSError, ValueError):
        return (Path(name) / LANDMARK).is_file()
    return False


def _resolved(scenario: Scenario, words: Vocabulary) -> Scenario:
    actions = tuple(_resolved_action(action, words) for action in scenario.actions)
    health = tuple(link for link in scenario.health if link.outcome in outcomes_of(words))
    return scenario.model_copy(
        update={"actions": actions, "health": health, "portfolio": _resolved_portfolio(scenario.portfolio, words)}
    )


def _resolved_portfolio(portfolio: Portfolio | None, words: Vocabulary) -> Portfolio | None:
    """Return a portfolio with its regions as the edition writes them."""
    if portfolio is None:
        return None
    floors = tuple(
        floor.model_copy(update={"region": spelled(floor.region, words.regions) or floor.region})
        for floor in portfolio.constraints.floors
    )
    return portfolio.model_copy(update={"constraints": portfolio.constraints.model_copy(update={"floors": floors})})


def _resolved_action(action: Action, words: Vocabulary) -> Action:
    def area(name: str) -> str:
        return words.area_code(name) or name

    def region(name: str) -> str:
        return spelled(name, words.regions) or name

    target, to = action.target, action.change.to
    places = {
        "areas": _each(area, target.areas),
        "regions": _each(region, target.regions),
        "clusters": _each(lambda name: spelled(name, CLUSTERS) or name, target.clusters),
        "where": target.where and tuple(_resolved_rule(rule, words) for rule in target.where),
        "exclude": _each(area, target.exclude),
    }
    change = action.change.model_copy(update={"to": words.area_code(to) or region(to)}) if to else action.change
    spec = condition(action.condition) if action.condition else None
    update = {"target": target.model_copy(update=places), "change": change, "condition": spec and spec.id}
    return action.model_copy(update=update)


def _each(find: Callable[[str], str], names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return names if names is None else tuple(dict.fromkeys(map(find, names)))


def _resolved_rule(rule: Where, words: Vocabulary) -> Where:
    if rule.equals is not None and rule.field in text_fields(words):
        return rule.model_copy(update={"equals": spelled(rule.equals, field_texts(rule.field, words)) or rule.equals})
    spec = None if rule.field in words.indicators else condition(rule.field)
    return rule if spec is None else rule.model_copy(update={"field": spec.id})


def resolve_scenario_path(text: str | Path) -> Path:
    """Return the scenario file a word on the command line means: a path, or the name of a shipped scenario.

    A file of that name comes first, then a shipped scenario with or without its suffix, then a folder.

    Raises
    ------
    ScenarioError
        If there is neither, with the nearest shipped name.
    """
    path = Path(text)
    try:
        path.stat()
    except OSError as error:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            why = error.strerror or "not a path"
            problem = Problem(
                escaped(str(text), most=200), 0, 0, "error", "", f"cannot be read ({why})", "check the path"
            )
            raise ScenarioError([problem]) from error
    if path.is_file():
        return path
    shipped = shipped_scenarios()
    if path.name == str(text):
        found = shipped.get(path.stem if path.suffix in SUFFIXES else path.name)
        if found is not None:
            return found
    if path.exists():
        return path
    near = nearest(path.stem, shipped)
    what = f"no such file, nor a shipped scenario{suggestion(path.stem, shipped)}"
    fix = f"write {near[0]}" if near else f"check the name; shipped are {', '.join(shipped) or 'none'}"
    raise ScenarioError([Problem(escaped(str(text), most=4096), 0, 0, "error", "", what, fix)])


def shipped_scenarios() -> dict[str, Path]:
    """Return the shipped scenario files by name."""
    try:
        return {path.stem: path for path in sorted(scenario_home().glob("*.yaml"))}
    except DataError:
        return {}
