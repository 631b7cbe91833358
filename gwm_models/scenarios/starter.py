"""A scenario file to begin with: written from a few answers, with a comment at every choice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.data.vocabulary import MONITOR, Vocabulary
from gwm_models.errors import Problem, ScenarioError
from gwm_models.scenarios.checks_size import CHANGE_UNITS
from gwm_models.scenarios.findings import advice, escaped, is_hidden, listed, number_text, suggestion
from gwm_models.scenarios.known import conditions, has_conditions
from gwm_models.scenarios.reader import check_mapping

SIZES = {"pp": 1.0, "GBP_per_week": 20.0, "GBP": 500.0, "share": 0.01, "points": 5.0}
"""A first size of an absolute change, by its unit."""
PLACES = ("areas", "regions", "worst", "everyone")


@dataclass(frozen=True)
class Answers:
    """What a file is written from.

    Attributes
    ----------
    id, title, question, edition : str
    change : str
        Id of the indicator or condition that is changed.
    value : float or None
        Size in the unit of `unit_of`; a first size in the better direction if None.
    areas, regions : tuple of str
    worst : int or None
        How many of the worst areas.
    by : str
        What they are the worst by.
    start, full_by, end : int
        First year, year of the whole change, last year.
    cost : float or None
        Pounds a year for each resident aged 16 to 64.
    """

    id: str
    title: str
    question: str
    edition: str = MONITOR
    change: str = "economic_activity_rate"
    value: float | None = None
    areas: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    worst: int | None = 20
    by: str = "total"
    start: int = 2026
    full_by: int = 2029
    end: int = 2035
    cost: float | None = None


def levers(words: Vocabulary) -> dict[str, IndicatorSpec]:
    """Return what a first file can change: indicators, then conditions whose unit a change can be stated in."""
    known = dict(words.indicators)
    if has_conditions(words):
        known |= {name: spec for name, spec in conditions().items() if spec.unit in CHANGE_UNITS}
    return known


def unit_of(spec: IndicatorSpec) -> str:
    """Return the unit in which a change is stated."""
    return CHANGE_UNITS.get(spec.unit, "points")


def first_size(spec: IndicatorSpec) -> float:
    """Return a first size of a change, in the better direction."""
    return spec.direction * SIZES[unit_of(spec)]


def starter_text(answers: Answers, words: Vocabulary) -> str:
    """Write a scenario file that can be run.

    Parameters
    ----------
    answers : Answers
    words : Vocabulary
        The names of its edition.

    Returns
    -------
    str
        YAML with comments.

    Raises
    ------
    ScenarioError
        If the answers make no sound scenario, with every fault.
    """
    known = levers(words)
    if answers.change not in known:
        what = f"unknown indicator or condition '{escaped(answers.change)}'{suggestion(answers.change, known)}"
        fix = advice(answers.change, known) if suggestion(answers.change, known) else f"use {listed(known, len(known))}"
        raise ScenarioError([Problem(f"{answers.id}.yaml", 0, 0, "error", "", what, fix)])
    text = _text(answers, known[answers.change], words)
    hidden = next((char for char in text if is_hidden(char)), None)
    if hidden is not None:
        what = f"hidden character {escaped(hidden)} in an answer"
        raise ScenarioError([Problem(f"{answers.id}.yaml", 0, 0, "error", "", what, "type the text again")])
    _, problems = check_mapping(_content(text), words, name=f"{answers.id}.yaml")
    if any(problem.severity == "error" for problem in problems):
        raise ScenarioError(problems)
    return text


def _content(text: str) -> dict[str, Any]:
    from ruamel.yaml import YAML

    return dict(YAML(typ="safe", pure=True).load(text))


def _text(answers: Answers, spec: IndicatorSpec, words: Vocabulary) -> str:
    lever = "indicator" if spec.id in words.indicators else "condition"
    parts = [_head(answers), _action(answers, spec, lever), _health(words), ANALYSIS]
    return "\n".join(parts)


def _head(answers: Answers) -> str:
    return f"""\
# A scenario of the Good Work Monitor toolkit. Check it with gwm check, read it with gwm explain, run it with gwm run.
schema: gwm-scenario/1
id: {_quoted(answers.id)}
title: {_quoted(answers.title)}
question: {_quoted(answers.question)}
source: ""  # where the idea comes from

# What it is compared with. counterfactual: held keeps everything as it is; trend goes on along the damped trends.
baseline: {{edition: {_quoted(answers.edition)}, rescale: frozen, counterfactual: held}}
horizon: {{start: {answers.start}, end: {answers.end}}}  # results are for the last year
"""


def _action(answers: Answers, spec: IndicatorSpec, lever: str) -> str:
    unit, value = unit_of(spec), first_size(spec) if answers.value is None else answers.value
    low, high = sorted((value / 2, value * 3 / 2))
    link = (
        "    link: within  # within | between | {causal_share: {mean: 0.3, sd: 0.15}}\n" if lever == "condition" else ""
    )
    return f"""\
actions:
  - id: {_quoted(spec.id.replace("_", "-"))}
    # {spec.label}
    {lever}: {spec.id}
{link}\
    # kind: absolute | relative | target | close_gap | to_quantile | path | shock; see gwm schema
    change: {{kind: absolute, value: {number_text(value)}, unit: {unit}}}
    # How sure the size is. Half to one and a half times the size is a placeholder: put your own judgement here.
    uncertainty: {{low: {number_text(low)}, high: {number_text(high)}, level: 0.9}}
    # areas | regions | clusters | where | worst | best | everyone, and exclude
    target: {_target(answers)}
    phasing: {{start: {answers.start}, full_by: {answers.full_by}, shape: linear}}  # linear | step | s_curve | path
    # Shares that are no gain: what would have happened anyway, what others in the area lose, what leaves the area.
    additionality: {{deadweight: 0.2, displacement: 0.1, leakage: 0.0}}
{_cost(answers)}\
    # grade: strong | moderate | weak | assumed; or entry: an id of the evidence library (gwm evidence)
    evidence: {{source: "size and shares are assumptions to be replaced", grade: assumed}}
"""


def _target(answers: Answers) -> str:
    parts = []
    if answers.areas:
        parts.append(f"areas: [{', '.join(map(_quoted, answers.areas))}]")
    if answers.regions:
        parts.append(f"regions: [{', '.join(map(_quoted, answers.regions))}]")
    if answers.worst is not None:
        parts.append(f"worst: {{by: {_quoted(answers.by)}, n: {answers.worst}}}")
    return "{" + (", ".join(parts) or "everyone: true") + "}"


def _cost(answers: Answers) -> str:
    if answers.cost is None:
        return "    # cost: {recurring: {value: 40, unit: GBP_per_resident_16_64}, price_base: 2025}\n"
    amount = f"{{value: {number_text(answers.cost)}, unit: GBP_per_resident_16_64}}"
    return f"    cost: {{recurring: {amount}, price_base: 2025}}  # paid every year of the horizon\n"


def _health(words: Vocabulary) -> str:
    if not words.outcomes:
        return "health: []  # this edition has no health outcome\n"
    links = [
        f"  - {{outcome: {outcome}, link: within, lag: {{years: 2, build_up: 5}}}}\n" for outcome in words.outcomes
    ]
    return f"""\
# link: within is cautious (the slope inside areas over time); between takes the whole association as effect.
health:
{"".join(links)}"""


ANALYSIS = """\
analysis: {draws: 4000, seed: 20260101, intervals: [0.5, 0.9], inequality: [sii, gap_10_10, cv, theil_region]}
"""


def _quoted(text: str) -> str:
    """Return a text as YAML, in quotes."""
    return json.dumps(text, ensure_ascii=False)


def slug(text: str) -> str:
    """Return a text as the id of a scenario.

    Examples
    --------
    >>> slug("More work in Hull, 2026!"), slug("???")
    ('more-work-in-hull-2026', 'scenario')
    """
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in text.casefold()).split()
    return "-".join(words)[:80].strip("-") or "scenario"


def default_id(path: Path) -> str:
    """Return the id of a scenario in a file of that name."""
    return slug(path.stem)
