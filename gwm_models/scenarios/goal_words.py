"""The answer to a goal in words and rows: what is needed, what it gives, and what stands in the way."""

from __future__ import annotations

import textwrap
from typing import Any

from gwm_models.data.edition import Edition
from gwm_models.scenarios.goal import SLACK, GoalFound, GoalPoint, least_changing
from gwm_models.scenarios.measured import measure_label, measured_plain
from gwm_models.scenarios.reader import check_mapping
from gwm_models.scenarios.spec import Goal
from gwm_models.scenarios.spread import Row
from gwm_models.scenarios.vary import find_number
from gwm_models.scenarios.versions import plain_content, unit_at
from gwm_models.scenarios.words import level_words, short, singular

UNITS = {"pp": " percentage points", "percent": "%", "GBP_per_week": " pounds a week", "": ""}
CUT = 0.01
"""Share of changes cut by a hard limit from which the limit is named."""
FLAT = 0.01
"""Gain of probability over the last step of the range below which it counts as levelled off."""


def value_words(found: GoalFound, value: float) -> str:
    """Write a value of the free number with its unit."""
    if found.whole:
        return f"{value:.0f}"
    unit = value_unit(found)
    return short(value) + singular(value, UNITS.get(unit, f" {unit.replace('_', ' ')}"))


def value_unit(found: GoalFound) -> str:
    """Return the unit of the free number as the file writes it; empty where it has none."""
    return unit_at(plain_content(found.scenario), found.goal.vary.path)


def goal_words(found: GoalFound) -> str:
    """Say what is to be reached."""
    return wanted_words(found.goal, found.projection.edition, found.projection.years[-1])


def wanted_words(goal: Goal, edition: Edition, year: int) -> str:
    """Say what a goal is to reach in a year.

    Such as ``Total, mean of the target areas: change of 5 points or more in 2035``.
    """
    label, unit = measure_label(edition, goal.measure)
    least, most = goal.at_least, goal.at_most
    level = float((least if least is not None else most) or 0.0)
    more = least is not None
    if goal.measure.state != "scenario" and level < 0:
        label, level, more = label.removesuffix("change") + "fall", -level, not more
    end = f"or {'more' if more else 'less'} in {year}"
    if goal.measure.state == "scenario":
        return f"{label.removesuffix(': after')}: {_with_unit(level, '' if unit == 'ranks' else unit)} {end}"
    return f"{label} of {_with_unit(level, unit)} {end}"


def _with_unit(value: float, unit: str) -> str:
    return f"{short(value)}{'%' if unit == 'percent' else f' {singular(value, unit)}' if unit else ''}"


def headline(found: GoalFound) -> str:
    """Give the answer in one or two sentences."""
    asked, path, words = level_words(found.goal.probability), found.goal.vary.path, goal_words(found)
    if found.value is None:
        return (
            f"Out of reach: no value of {path} from {value_words(found, _low(found))} to "
            f"{value_words(found, _high(found))} gives a probability of {asked} for: {words}. The best is "
            f"{value_words(found, found.best.value)}{_estimate_words(found)}: the probability there is "
            f"{_chance(found.best.probability)}."
        )
    odd = f" Mind: {unusual(found)[0]}." if unusual(found) else ""
    if found.value == found.start:
        return (
            f"Reached at {path} = {value_words(found, found.start)}, {_why_there(found)}: the probability is "
            f"{_chance(found.best.probability)}, {asked} was asked, for: {words}.{odd}"
        )
    span = ""
    if found.value_lower is not None and found.value_upper is not None:
        span = f" (simulation error: {short(found.value_lower)} to {short(found.value_upper)})"
    return f"A probability of {asked} needs {path} = {value_words(found, found.value)}{span}, for: {words}.{odd}"


def _why_there(found: GoalFound) -> str:
    """Say why the value found is the one the search went from, and whether every other value does as well."""
    grid = [point for point in found.points if point.coarse]
    alike, span = least_changing(grid), f"from {value_words(found, _low(found))} to {value_words(found, _high(found))}"
    every = all(point.probability >= found.goal.probability - SLACK for point in grid)
    which = "the last of them is taken" if found.later else "the one nearest 0 is taken"
    if len(alike) < len(grid):
        where = "where the scenario changes least"
        where += f", as at {len(alike) - 1} other values ({which})" if len(alike) > 1 else ""
        return f"{where}; every value {span} reaches it" if every else where
    last = found.projection.years[-1]
    return f"as at every value {span}: all of them change the scenario alike by {last}, and {which}"


def unusual(found: GoalFound) -> list[str]:
    """Return what the checker finds unusual in the free number at the value found, or at the best one."""
    _, problems = check_mapping(plain_content(found.projection.scenario))
    return [problem.what for problem in problems if problem.path == found.goal.vary.path]


def _estimate_words(found: GoalFound) -> str:
    estimate = found.best.estimate
    if estimate is None:
        return ""
    unit = measure_label(found.projection.edition, found.goal.measure)[1]
    return f", with an estimate of {_with_unit(estimate, unit)}"


def notes(found: GoalFound) -> list[str]:
    """Say how the value was found and what to keep in mind."""
    said = []
    if found.value is not None and not found.whole:
        draws = found.projection.scenario.analysis.draws
        said.append(
            f"The value is found to {short(found.tolerance)}; its interval is that of simulation error alone, from "
            f"{draws:,} draws. What is unsure about the effect is in the probability."
        )
    if not found.rises:
        said.append(
            "The probability falls again on the way: more is not always surer here. The value is the nearest to the "
            "one that changes least; see the curve for where else the goal is reached."
        )
    said += [f"Mind the value: {what}." for what in unusual(found)]
    keys = find_number(plain_content(found.scenario), found.goal.vary.path).keys
    if keys[2:] == ("change", "value") and found.projection.scenario.actions[int(keys[1])].uncertainty:
        said.append("The interval of the change keeps its proportion to the value, as it does in the file.")
    return said


def binding(found: GoalFound) -> list[str]:
    """Say what keeps the goal out of reach; empty where it is reached."""
    if found.value is not None:
        return []
    said = [
        f"A hard limit cuts the change of {subject} ({action}) in {_chance(share)} of areas and draws: more of it "
        "changes little."
        for action, subject, share in _cuts(found)
        if share >= CUT
    ]
    curve = [point.probability for point in found.points]
    if max(curve) == min(curve) and len({point.estimate for point in found.points}) == 1:
        said.append("The number has no part in what is measured: every value gives the same.")
    elif _leads_away(found):
        said.append(
            "Every change goes the other way: the goal is furthest off where the scenario changes most, and nearest "
            f"at {value_words(found, found.best.value)}. Change something else, or mend the side of the goal."
        )
    elif _still_rises(found):
        said.append(
            f"The range searched ends at {value_words(found, found.best.value)}, where it still gets better: widen "
            "goal.vary if more can be done."
        )
    elif max(curve) == 0:
        said.append(
            f"The estimate gets no better than at {value_words(found, found.best.value)}{_estimate_words(found)}: more "
            "of the same does not reach the goal."
        )
    else:
        said.append(
            f"The probability levels off at {_chance(found.best.probability)}: what is unsure does not go away with "
            "more of the same."
        )
    if found.best.estimate is not None and found.goal.probability > 0.5 and _holds(found, found.best.estimate):
        said.append("The estimate itself reaches the goal there; it is the certainty asked for that is out of reach.")
    return said


def limit_rows(found: GoalFound) -> list[Row]:
    """Return a row for each action: what it changes, and the share of its areas and draws that a hard limit cuts."""
    return [{"action": action, "subject": subject, "share": round(share, 6)} for action, subject, share in _cuts(found)]


def _cuts(found: GoalFound) -> list[tuple[str, str, float]]:
    projection = found.projection
    parts = zip(projection.scenario.actions, projection.selections, projection.clamped, strict=True)
    return [
        (
            action.id,
            action.indicator or action.condition or "",
            float(cut[:, selection.treated].mean()) if selection.treated.any() else 0.0,
        )
        for action, selection, cut in parts
    ]


def curve_rows(found: GoalFound) -> list[Row]:
    """Return a row for each value tried: the probability with its error, the measure with its interval."""
    n = found.scenario.analysis.draws
    return [
        {
            "value": point.value,
            "probability": point.probability,
            "probability_error": round((point.probability * (1 - point.probability) / n) ** 0.5, 6),
            **point_row(point),
            "level": found.level,
            "n": n,
            "grid": point.coarse,
        }
        for point in found.points
    ]


def point_row(point: GoalPoint) -> Row:
    """Return the measure at a point."""
    return {name: getattr(point, name) for name in ("estimate", "std_error", "lower", "upper")}


def summarise_goal(found: GoalFound) -> dict[str, Any]:
    """Return an answer as plain values, JSON-ready."""
    projection, goal = found.projection, found.goal
    label, unit = measure_label(projection.edition, goal.measure)
    return {
        "schema": "gwm-goal/1",
        "id": found.scenario.id,
        "title": found.scenario.title,
        "question": found.scenario.question,
        "edition": {"name": projection.edition.name, "title": projection.edition.spec.title},
        "year": projection.years[-1],
        "draws": found.scenario.analysis.draws,
        "seed": found.scenario.analysis.seed,
        "level": found.level,
        "headline": headline(found),
        "goal": goal_words(found),
        "path": goal.vary.path,
        "low": _low(found),
        "high": _high(found),
        "value_unit": value_unit(found),
        "measure": {**measured_plain(goal.measure), "label": label, "unit": unit},
        "at_least": goal.at_least,
        "at_most": goal.at_most,
        "probability_asked": goal.probability,
        "reached": found.value is not None,
        "value": found.value,
        "value_lower": found.value_lower,
        "value_upper": found.value_upper,
        "tolerance": found.tolerance,
        "start": found.start,
        "whole": found.whole,
        "best": {"value": found.best.value, "probability": found.best.probability, **point_row(found.best)},
        "rises": found.rises,
        "binding": binding(found),
        "limits": limit_rows(found),
        "notes": notes(found),
        "curve": curve_rows(found),
    }


def one_line(found: GoalFound) -> str:
    """Give what is out of reach, and why, as one line of an error."""
    return textwrap.shorten(" ".join([headline(found), *binding(found)]), 2000)


def _low(found: GoalFound) -> float:
    return found.points[0].value


def _high(found: GoalFound) -> float:
    return found.points[-1].value


def _still_rises(found: GoalFound) -> bool:
    """Tell whether the best value is an end of the range, away from the start, and the last step made it better."""
    grid = [point for point in found.points if point.coarse]
    if len(grid) < 2 or found.best.value == found.start:
        return False
    for last, before in ((grid[-1], grid[-2]), (grid[0], grid[1])):
        if found.best.value == last.value:
            never = last.probability == 0
            return last.estimate != before.estimate if never else last.probability - before.probability > FLAT
    return False


def _leads_away(found: GoalFound) -> bool:
    """Tell whether the best value is where the scenario changes least, and every estimate is further from the goal."""
    if found.best.value != found.start or found.best.estimate is None:
        return False
    toward, least = (1 if found.goal.at_least is not None else -1), found.best.estimate
    estimates = [point.estimate for point in found.points if point.value != found.start]
    return all(estimate is not None and toward * estimate < toward * least for estimate in estimates)


def _holds(found: GoalFound, estimate: float) -> bool:
    least, most = found.goal.at_least, found.goal.at_most
    return estimate >= least if least is not None else most is not None and estimate <= most


def _chance(p: float) -> str:
    return f"{100 * p:.1f}%"
