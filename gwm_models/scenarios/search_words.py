"""What a goal, a sweep or a portfolio looks for, in plain English."""

from __future__ import annotations

from typing import Any

from gwm_models.data.edition import Edition
from gwm_models.scenarios.goal_words import wanted_words
from gwm_models.scenarios.measured import measure_label
from gwm_models.scenarios.number_words import number_words
from gwm_models.scenarios.portfolio_explain import portfolio_lines
from gwm_models.scenarios.spec import Goal, Scenario, Sweep, Vary
from gwm_models.scenarios.vary import count_points, find_number
from gwm_models.scenarios.versions import plain_content
from gwm_models.scenarios.words import counted, level_words, short

SPREAD = {
    "sobol": "spread evenly over the ranges together (Sobol sequence)",
    "latin_hypercube": "spread evenly over each range (Latin hypercube)",
}


def search_words(scenario: Scenario, edition: Edition) -> tuple[str, ...]:
    """Say what a search leaves free, what it tries and what it looks for; nothing for an ordinary scenario."""
    content = plain_content(scenario)
    if scenario.goal is not None:
        return _goal(scenario.goal, content, edition, scenario.horizon.end)
    if scenario.portfolio is not None:
        return portfolio_lines(scenario.portfolio, edition)
    return () if scenario.sweep is None else _sweep(scenario.sweep, content, edition, scenario.horizon.end)


def _goal(goal: Goal, content: dict[str, Any], edition: Edition, year: int) -> tuple[str, ...]:
    surely = level_words(goal.probability)
    lines = [
        f"One number is free: {_free(goal.vary, content)}.",
        f"Wanted, with a probability of {surely} or more: {wanted_words(goal, edition, year)}.",
        "The answer is the value nearest to changing nothing that gives it; if there is none, the best there is and "
        "what stands in the way. All else stays as in the file.",
    ]
    return (*lines, *_proportion([goal.vary], content))


def _sweep(sweep: Sweep, content: dict[str, Any], edition: Edition, year: int) -> tuple[str, ...]:
    points, numbers = count_points(sweep), len(sweep.vary)
    free = "One number is free" if numbers == 1 else f"{numbers} numbers are free together"
    how = SPREAD.get(sweep.design, "every combination of their values" if numbers > 1 else "")
    runs = "once" if points == 1 else f"{points:,} times"
    lines = [f"The scenario is run {runs}{f', {how}' if how and points > 1 else ''}. {free}:"]
    lines += [f"{_free(vary, content, sweep.steps)}." for vary in sweep.vary]
    lines += _proportion(sweep.vary, content)
    measured = [f"{label} ({unit})" if unit else label for label, unit in _labels(sweep, edition)]
    return (*lines, f"Recorded for {year} in each run: {'; '.join(measured)}.")


def _labels(sweep: Sweep, edition: Edition) -> list[tuple[str, str]]:
    return [measure_label(edition, measure) for measure in sweep.measures]


def _free(vary: Vary, content: dict[str, Any], steps: int | None = None) -> str:
    """Name a free number, the values that it may have, and its value in the file."""
    found = find_number(content, vary.path)

    def said(value: float | None) -> str:
        return f"{value:.0f}" if found.whole else short(value or 0.0)

    if vary.values:
        values = ", ".join(map(said, vary.values[:10])) + (
            f" and {len(vary.values) - 10} more" if len(vary.values) > 10 else ""
        )
        among = f"{'is' if len(vary.values) == 1 else 'one of'} {values}"
    else:
        among = f"from {said(vary.low)} to {said(vary.high)}"
        among += f" in {counted(steps, 'step')}" if steps else ""
    return f"{number_words(content, vary.path)} ({vary.path}), {among}; the file has {said(found.value)}"


def _proportion(varied: list[Vary] | tuple[Vary, ...], content: dict[str, Any]) -> list[str]:
    """Say that the interval of a size goes with it, where a size that has one is free."""
    for vary in varied:
        keys = find_number(content, vary.path).keys
        if keys[0] == "actions" and keys[2:3] == ("change",) and content["actions"][keys[1]].get("uncertainty"):
            return ["The interval of a size keeps its proportion to it."]
    return []
