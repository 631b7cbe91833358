"""Several scenarios made into one: their actions together, and the conflicts between them named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import DataError, Problem, ScenarioError, some
from gwm_models.scenarios.baseline import draw_baseline
from gwm_models.scenarios.compare_terms import link_text
from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.shock import last_year
from gwm_models.scenarios.shortfall import GOALS
from gwm_models.scenarios.spec import Action, Analysis, EvaluationPlan, HealthLink, Horizon, Scenario
from gwm_models.scenarios.targets import select

LEAST_DRAWS = 100
"""Draws made to choose the areas; shrunk scores do not depend on their number."""
LONGEST = {"id": 80, "title": 200, "question": 2000, "source": 2000}
KIND = "scenario"


def stack(scenarios: Sequence[Scenario], edition: Edition | None = None) -> tuple[Scenario, tuple[Problem, ...]]:
    """Make one scenario of several.

    Parameters
    ----------
    scenarios : sequence of Scenario
        Two or more, checked, on one edition and counterfactual.
    edition : Edition, optional
        The one they name by default.

    Returns
    -------
    scenario : Scenario
        All their actions; changes of one indicator in one area add up. It runs from the first start to the last end,
        with the health outcomes of all, the seed of the first, the largest number of draws, and every interval and
        measure that any asks for. Scenarios go by their ids, so that any order of the files gives the same bytes.
    warnings : tuple of Problem
        How they were joined where they differ, the places where they meet, and what the checker finds unusual.

    Raises
    ------
    DataError
        If they cannot be joined: another edition or counterfactual, two links for one outcome, a goal or a sweep.
    ScenarioError
        If the whole has a fault that no part has.

    Notes
    -----
    An action whose name another scenario uses takes the name of its scenario in front. It keeps the draws that it has
    alone: draws go by the first name, and actions of one name are large or small together, as in a comparison.
    """
    scenarios = sorted(scenarios, key=lambda scenario: (scenario.id, scenario.model_dump_json()))
    _check_joinable(scenarios)
    edition = edition or load_edition(scenarios[0].baseline.edition)
    name = " + ".join(scenario.id for scenario in scenarios)
    actions, renamed = _actions(scenarios)
    rules: list[tuple[str, str]] = [*renamed, *_differing_rules(scenarios), *_shocks_over(scenarios, actions, edition)]
    first = scenarios[0]
    whole = first.model_copy(
        update={
            "id": _joined_id([scenario.id for scenario in scenarios]),
            "title": _cut("Together: " + "; ".join(scenario.title for scenario in scenarios), "title"),
            "question": _cut(" ".join(scenario.question for scenario in scenarios), "question"),
            "source": _cut(" ".join(scenario.source for scenario in scenarios if scenario.source), "source"),
            "horizon": Horizon(
                start=min(scenario.horizon.start for scenario in scenarios),
                end=max(scenario.horizon.end for scenario in scenarios),
            ),
            "actions": tuple(action for part in actions for action in part),
            "health": _health(scenarios),
            "analysis": _analysis(scenarios),
            "evaluation": _evaluation(scenarios),
        }
    )
    plain = whole.model_dump(by_alias=True, exclude_none=True, mode="json")
    checked, problems = check_mapping(plain, name=name)
    if checked is None:
        raise ScenarioError(problems)
    meetings = _meetings(scenarios, actions, edition)
    said = [Problem(name, 0, 0, "warning", path, what) for path, what in [*rules, *meetings]]
    return checked, (*said, *problems)


def _check_joinable(scenarios: Sequence[Scenario]) -> None:
    if len(scenarios) < 2:
        raise DataError(f"Stacking joins two scenarios or more; {len(scenarios)} given. Name another, or leave it out.")
    for scenario in scenarios:
        if scenario.kind != KIND:
            raise DataError(
                f"{scenario.id} is a {scenario.kind}, which cannot be stacked. Run gwm {scenario.kind} on it, and "
                "stack a file with the numbers filled in."
            )
    for first, second in combinations(scenarios, 2):
        if first.model_dump(mode="json") == second.model_dump(mode="json"):
            raise DataError(f"{first.id} is given twice, which would count it twice. Name it once.")
    _one(scenarios, "edition", lambda s: s.baseline.edition)
    _one(scenarios, "counterfactual", lambda s: s.baseline.counterfactual)
    for outcome in dict.fromkeys(link.outcome for scenario in scenarios for link in scenario.health):
        texts = {link_text(s, outcome): s.id for s in scenarios if any(link.outcome == outcome for link in s.health)}
        if len(texts) > 1:
            named = some([f"{text} in {name}" for text, name in texts.items()])
            raise DataError(
                f"The scenarios link {outcome} in different ways ({named}). Write one link and lag in all files."
            )


def _one(scenarios: Sequence[Scenario], noun: str, value: Callable[[Scenario], str]) -> None:
    found: dict[str, str] = {}
    for scenario in scenarios:
        found.setdefault(value(scenario), scenario.id)
    if len(found) > 1:
        named = some([f"{word} in {name}" for word, name in found.items()])
        raise DataError(f"The scenarios differ in their {noun} ({named}), so they cannot be stacked. Write one in all.")


def _actions(scenarios: Sequence[Scenario]) -> tuple[list[tuple[Action, ...]], list[tuple[str, str]]]:
    """Return the actions of each file under names of their own, and what was renamed."""
    taken: set[str] = set()
    parts, said = [], []
    for scenario in scenarios:
        own = []
        for action in scenario.actions:
            name = _free(action.id, scenario.id, taken)
            taken.add(name)
            if name != action.id:
                what = f"'{action.id}' of {scenario.id} is called '{name}', since another file uses its name"
                said.append((f"actions.{name}", f"{what}; the two share their draws, large or small together"))
            # A renamed action is drawn as before.
            key = action.draws_of if name == action.id else action.drawn_as
            own.append(_paid_in_its_years(action, scenario.horizon).model_copy(update={"id": name, "draws_of": key}))
        parts.append(tuple(own))
    return parts, said


def _free(name: str, scenario: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    first = f"{scenario}-{name}"[: LONGEST["id"] - 3]
    return next(word for word in (first, *(f"{first}-{n}" for n in range(2, 100))) if word not in taken)


def _paid_in_its_years(action: Action, horizon: Horizon) -> Action:
    """Write the years of a recurring cost, so that a longer horizon does not add to it."""
    cost = action.cost
    if cost is None or cost.recurring is None or cost.recurring.years is not None:
        return action
    paid = cost.recurring.model_copy(update={"years": (horizon.start, horizon.end)})
    return action.model_copy(update={"cost": cost.model_copy(update={"recurring": paid})})


def _health(scenarios: Sequence[Scenario]) -> tuple[HealthLink, ...]:
    links = {link.outcome: link for scenario in reversed(scenarios) for link in reversed(scenario.health)}
    return tuple(reversed(links.values()))


def _analysis(scenarios: Sequence[Scenario]) -> Analysis:
    parts = [scenario.analysis for scenario in scenarios]
    return Analysis(
        draws=max(part.draws for part in parts),
        seed=parts[0].seed,
        intervals=tuple(sorted({level for part in parts for level in part.intervals})),
        inequality=tuple(dict.fromkeys(name for part in parts for name in part.inequality)),
        memory=max(part.memory for part in parts),
    )


def _evaluation(scenarios: Sequence[Scenario]) -> EvaluationPlan | None:
    plans = _different([scenario.evaluation for scenario in scenarios if scenario.evaluation is not None])
    return plans[0] if len(plans) == 1 else None


def _different(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _differing_rules(scenarios: Sequence[Scenario]) -> Iterator[tuple[str, str]]:
    """Say how the scenarios were joined where they differ in more than their actions."""
    whole = _analysis(scenarios)
    horizons = _different([(s.horizon.start, s.horizon.end) for s in scenarios])
    if len(horizons) > 1:
        start, end = min(start for start, _ in horizons), max(end for _, end in horizons)
        words = some([f"{first} to {last}" for first, last in horizons])
        whole_span = f"the whole runs from {start} to {end}, and every change goes on as its phasing says"
        yield "horizon", f"the files differ ({words}); {whole_span}"
    if len({s.analysis.seed for s in scenarios}) > 1:
        yield "analysis.seed", f"the files differ; {whole.seed} of {scenarios[0].id} is used"
    if len({s.analysis.draws for s in scenarios}) > 1:
        yield "analysis.draws", f"the files differ; the largest is used, {whole.draws}"
    outcomes = [{link.outcome for link in s.health} for s in scenarios]
    if len(_different(outcomes)) > 1:
        names = [link.outcome for link in _health(scenarios)]
        yield "health", f"the files differ in their outcomes; the whole has all of them ({some(names, len(names))})"
    if len(_different([s.evaluation for s in scenarios if s.evaluation is not None])) > 1:
        yield "evaluation", "the files plan different evaluations; the whole has none"


def _shocks_over(
    scenarios: Sequence[Scenario], actions: Sequence[Sequence[Action]], edition: Edition
) -> Iterator[tuple[str, str]]:
    """Name the shocks that are over before the last year, since another file runs longer."""
    end = max(scenario.horizon.end for scenario in scenarios)
    for scenario, part in zip(scenarios, actions, strict=True):
        for action in part:
            if action.change.kind != "shock" or scenario.horizon.end == end:
                continue
            over = last_year(action, edition, scenario.horizon.start)
            if over < end:
                yield (
                    f"actions.{action.id}",
                    f"the shock of {scenario.id} is over after {over}, and the whole runs to {end}: its results of "
                    "that year do not show it",
                )


def _meetings(
    scenarios: Sequence[Scenario], actions: Sequence[Sequence[Action]], edition: Edition
) -> Iterator[tuple[str, str]]:
    """Name what two files change in the same areas."""
    baseline = draw_baseline(edition, LEAST_DRAWS, scenarios[0].analysis.seed)
    reached = [
        [select(action.target, edition, baseline, action=action.id).treated for action in part] for part in actions
    ]
    for i, j in combinations(range(len(scenarios)), 2):
        for first, here in zip(actions[i], reached[i], strict=True):
            for second, there in zip(actions[j], reached[j], strict=True):
                both = here & there
                if _subject(first) == _subject(second) and both.any():
                    files = f"{first.id} ({scenarios[i].id}) and {second.id} ({scenarios[j].id})"
                    yield f"actions.{second.id}", _conflict(first, second, files, both, edition)


def _subject(action: Action) -> str:
    return action.indicator or action.condition or ""


def _conflict(first: Action, second: Action, files: str, both: NDArray[np.bool_], edition: Edition) -> str:
    names = [name for name, hit in zip(edition.areas.name, both, strict=True) if hit]
    where = some(names)
    alike = {"id", "evidence", "cost", "draws_of"}
    if first.model_dump(exclude=alike) == second.model_dump(exclude=alike):
        return f"{files} are the same action, so it counts twice ({where})"
    text = f"{files} both change {_subject(first)} in the same areas ({where})"
    goals = [action.id for action in (first, second) if action.change.kind in GOALS]
    if len(goals) == 2:
        return (
            f"{text}; each brings it to a goal of its own from the level before, and they add up, so goals are passed"
        )
    if goals:
        return f"{text}; {goals[0]} brings it to a goal from the level before, and the other comes on top"
    return f"{text}; their changes add up"


def _joined_id(names: Sequence[str]) -> str:
    whole = "-and-".join(names)
    if len(whole) <= LONGEST["id"]:
        return whole
    tail = f"-and-{len(names) - 1}-more"
    return names[0][: LONGEST["id"] - len(tail)] + tail


def _cut(text: str, part: str) -> str:
    most = LONGEST[part]
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."
