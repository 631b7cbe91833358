"""The form of the page and the scenario file: one plain mapping, read and checked as `gwm check` does.

A form is a scenario with its few top parts laid flat (`edition`, `start`, `draws`). What it cannot show (shocks, paths,
rules on fields, searches) is refused by name, so that nothing is lost without a word.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gwm_models.data.vocabulary import Vocabulary, load_vocabulary
from gwm_models.errors import Problem
from gwm_models.scenarios.findings import escaped, listed, shown, suggestion
from gwm_models.scenarios.reader import check_text
from gwm_models.scenarios.spec import Analysis, Scenario

FORM = "form.yaml"
SCHEMA = "gwm-scenario/1"
MOST_UNKNOWN = 20
"""Keys of a form that are named as unknown."""
LEAST_DRAWS, MOST_DRAWS = 100, 10_000
"""Draws of a projection on the page; more are for the command line."""

HOMES: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "title": ("title",),
    "question": ("question",),
    "source": ("source",),
    "edition": ("baseline", "edition"),
    "rescale": ("baseline", "rescale"),
    "counterfactual": ("baseline", "counterfactual"),
    "start": ("horizon", "start"),
    "end": ("horizon", "end"),
    "actions": ("actions",),
    "health": ("health",),
    "draws": ("analysis", "draws"),
    "seed": ("analysis", "seed"),
    "evaluation": ("evaluation",),
}
"""Keys of a form, each with where it stands in the file."""
FILE = ("schema", "kind", "id", "title", "question", "source", "baseline", "horizon", "actions", "health", "analysis")
KINDS = ("absolute", "relative", "target", "close_gap", "to_quantile")
SHAPES = ("linear", "step", "s_curve")
BEYOND = {
    (): ("goal", "sweep", "portfolio"),
    ("action",): ("start", "draws_of"),
    ("action", "change"): ("path", "profile"),
    ("action", "target"): ("clusters", "where"),
    ("action", "phasing"): ("path",),
}
"""Keys of a file that the form has no place for."""


@dataclass(frozen=True)
class Checked:
    """A form or file as it was found.

    Attributes
    ----------
    scenario : Scenario or None
        None where there is an error.
    problems : tuple of Problem
    yaml : str
        The file.
    content : object
        The file as plain data; None where it cannot be read.
    """

    scenario: Scenario | None
    problems: tuple[Problem, ...]
    yaml: str
    content: Any = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is possible but unusual, as a run states it."""
        return tuple(f"{problem.path}: {problem.what}" for problem in self.problems)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The problems as plain values; ``field`` is the same place in the form."""
        return [
            {
                "severity": problem.severity,
                "path": problem.path,
                "field": field_of(problem.path),
                "what": problem.what,
                "fix": problem.fix,
                "line": problem.line,
                "column": problem.column,
            }
            for problem in self.problems
        ]


@lru_cache(maxsize=1)
def vocabulary(edition: str) -> Vocabulary:
    """Return the words of the edition that the page shows."""
    return load_vocabulary(edition)


def check_form(form: Mapping[str, Any], edition: str) -> Checked:
    """Write a form as a scenario file and check it as `gwm check` checks a file.

    Parameters
    ----------
    form : mapping
        As it came from the page; anything may stand in it.
    edition : str
        The one that the page shows; a form may name no other.
    """
    unknown = [key for key in form if key not in HOMES]
    return _checked(file_text(file_content(form)), edition, [_unknown(key) for key in unknown[:MOST_UNKNOWN]])


def check_file(text: str, edition: str) -> Checked:
    """Check the text of a scenario file, for a form of it."""
    return _checked(text, edition, [])


def _checked(text: str, edition: str, problems: list[Problem]) -> Checked:
    words = vocabulary(edition)
    scenario, found, content = check_text(text, words, name=FORM)
    if isinstance(content, dict):
        problems += [Problem(FORM, 0, 0, "error", path, what, fix) for path, what, fix in beyond_form(content)]
    faulty = scenario is None or any(problem.severity == "error" for problem in (*problems, *found))
    return Checked(None if faulty else scenario, (*problems, *found), text, content)


def _unknown(key: str) -> Problem:
    fix = f"remove it; the keys of a form are {listed(HOMES, len(HOMES))}"
    what = f"unknown key '{escaped(key)}'{suggestion(key, HOMES)}"
    return Problem(FORM, 0, 0, "error", escaped(key), what, fix)


def file_content(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form as the content of a scenario file; what is empty is left out."""
    content: dict[str, Any] = {"schema": SCHEMA}
    for key, (home, *inner) in HOMES.items():
        if form.get(key) is None:
            continue
        if inner:
            content.setdefault(home, {})[inner[0]] = form[key]
        else:
            content[home] = _without_nothing(form[key])
    order = [*(key for key in FILE if key in content), *(key for key in content if key not in FILE)]
    return {key: content[key] for key in order}


def _without_nothing(value: Any) -> Any:
    """Leave out keys without a value: a form sends them empty."""
    if isinstance(value, dict):
        return {key: _without_nothing(inner) for key, inner in value.items() if inner is not None}
    return [_without_nothing(inner) for inner in value] if isinstance(value, list) else value


def file_text(content: Mapping[str, Any]) -> str:
    """Write the content of a scenario file as YAML that reads back as the same content."""
    from ruamel.yaml import YAML

    buffer = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 100_000
    yaml.representer.ignore_aliases = lambda data: True
    yaml.dump(dict(content), buffer)
    return buffer.getvalue()


def form_of(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as a form; what a form has no place for is `beyond_form`."""
    content = json.loads(scenario.model_dump_json(by_alias=True, exclude_none=True))
    for action in content["actions"]:
        action["target"] = {key: value for key, value in action["target"].items() if value not in (False, [])}
    form = {}
    for key, keys in HOMES.items():
        part: Any = content
        for step in keys:
            part = part.get(step) if isinstance(part, dict) else None
        if part not in (None, ""):
            form[key] = part
    return form


def why_no_form(checked: Checked, edition: str) -> str:
    """Say in a sentence why the form cannot show a file; empty where it can."""
    content = checked.content if isinstance(checked.content, dict) else {}
    baseline = content.get("baseline")
    named = baseline.get("edition", edition) if isinstance(baseline, dict) else edition
    if isinstance(named, str) and named != edition:
        return f"This scenario is about {escaped(named)}; this page shows {edition}."
    found = next(iter(beyond_form(content)), None)
    if found is not None:
        return f"The form cannot show this scenario: {found[0]}: {found[1]}. Use gwm on the file."
    first = next((problem for problem in checked.problems if problem.severity == "error"), None)
    if first is None:
        return ""
    place = f"line {first.line}, column {first.column}: " if first.line else ""
    path = f"{first.path}: " if first.path else ""
    return f"The file has faults. The first: {place}{path}{first.what.rstrip('.')}. Mend: {first.fix.rstrip('.')}."


def beyond_form(content: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what a file holds that the form has no place for, as path, fault and mend."""
    fix = "remove it, or run the file with gwm run"
    if content.get("kind", "scenario") != "scenario":
        yield "kind", f"{shown(content['kind'])} is not for the form", "use the command of that name on the file"
    yield from _keys_beyond(content, (), "")
    analysis = content.get("analysis")
    usual = Analysis().model_dump(mode="json")
    for key in ("intervals", "inequality"):
        if isinstance(analysis, dict) and key in analysis and analysis[key] != usual[key]:
            yield f"analysis.{key}", "the form shows the usual ones only", fix
    draws = analysis.get("draws") if isinstance(analysis, dict) else None
    if isinstance(draws, int) and draws > MOST_DRAWS:
        what = f"the page takes {LEAST_DRAWS} to {MOST_DRAWS:,} draws; found {draws:,}"
        yield "analysis.draws", what, "ask for fewer, or run the file with gwm run"
    actions = content.get("actions")
    for place, action in enumerate(actions if isinstance(actions, list) else [], start=1):
        if isinstance(action, dict):
            name = action.get("id")
            yield from _action_beyond(action, f"actions.{escaped(name) if isinstance(name, str) else place}", fix)


def _action_beyond(action: Mapping[str, Any], path: str, fix: str) -> Iterator[tuple[str, str, str]]:
    for part, key, known in (("change", "kind", KINDS), ("phasing", "shape", SHAPES)):
        inner = action.get(part)
        word = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(word, str) and word in ("path", "shock"):
            yield f"{path}.{part}.{key}", f"the form has {listed(known)}; found '{word}'", fix
    yield from _keys_beyond(action, ("action",), path)
    for part in ("change", "target", "phasing"):
        yield from _keys_beyond(action.get(part), ("action", part), f"{path}.{part}")


def _keys_beyond(part: Any, kind: tuple[str, ...], path: str) -> Iterator[tuple[str, str, str]]:
    for key in BEYOND[kind]:
        if isinstance(part, dict) and part.get(key) is not None:
            yield f"{path}.{key}".lstrip("."), "the form has no place for it", "remove it, or run the file with gwm run"


def field_of(path: str) -> str:
    """Return the place in the form of a place in the file.

    Examples
    --------
    >>> field_of("baseline.edition"), field_of("actions.a.change.value"), field_of("horizon")
    ('edition', 'actions.a.change.value', 'start')
    """
    by_path = {".".join(map(str, keys)): key for key, keys in HOMES.items()}
    first = {"horizon": "start", "baseline": "edition", "analysis": "draws"}
    return by_path.get(path) or first.get(path) or path
