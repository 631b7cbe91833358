"""What the parts of a scenario must mean together: each check runs on what is sound, whatever else is not."""

from __future__ import annotations

from gwm_models.scenarios.changes import check_change
from gwm_models.scenarios.findings import advice, escaped, suggestion
from gwm_models.scenarios.places import check_target
from gwm_models.scenarios.view import View

LONG_HORIZON = 40


def check_meaning(scenario: View) -> None:
    """Check everything that a single value cannot show."""
    _check_horizon(scenario / "horizon")
    _check_ids(scenario, "actions", "id", "action id")
    _check_ids(scenario, "health", "outcome", "outcome")
    for action in scenario.parts("actions"):
        _check_indicator(action)
        check_change(action)
        check_target(action / "target")
        _check_phasing(action / "phasing", scenario / "horizon")
        _check_cost(action / "cost", scenario / "horizon")
    for link in scenario.parts("health"):
        _check_name(link / "outcome", "health outcome", list(scenario.vocabulary.outcomes))
    _check_intervals(scenario / "analysis")
    _check_evaluation(scenario)


def _check_name(at: View, noun: str, known: list[str]) -> None:
    name = at.value
    if isinstance(name, str) and name.strip() and name not in known:
        at.error(f"unknown {noun} '{escaped(name)}'{suggestion(name, known)}", advice(name, known))


def _check_indicator(action: View) -> None:
    _check_name(action / "indicator", "indicator", list(action.vocabulary.indicators))


def _check_ids(scenario: View, key: str, name: str, noun: str) -> None:
    first: dict[str, View] = {}
    for part in scenario.parts(key):
        word = part.text(name)
        if word is None:
            continue
        if word in first:
            line = part.findings.place((*first[word].keys, name))[0]
            since = f" (first at line {line})" if line else ""
            fix = f"rename one, such as '{word}-2'" if name == "id" else "keep one of the two"
            (part / name).error(f"{noun} '{escaped(word)}' is used twice{since}", fix)
        first.setdefault(word, part)


def _check_horizon(horizon: View) -> None:
    start, end = horizon.whole("start"), horizon.whole("end")
    if start is None or end is None:
        return
    if end < start:
        (horizon / "end").error(f"end {end} is before start {start}", f"write a year from {start} on, or mend start")
    elif end - start > LONG_HORIZON:
        what = f"{end - start + 1} years is a long horizon for figures of a few years"
        (horizon / "end").warning(what, "shorten it, or keep it")


def _check_phasing(phasing: View, horizon: View) -> None:
    start, full_by = phasing.whole("start"), phasing.whole("full_by")
    first, last = horizon.whole("start"), horizon.whole("end")
    sound = first is not None and last is not None and first <= last
    if start is not None and full_by is not None:
        if full_by < start:
            what = f"full_by {full_by} is before start {start}"
            (phasing / "full_by").error(what, f"write a year from {start} on, or mend start")
        elif phasing.text("shape") == "step" and full_by != start:
            what = f"a step comes all at once in full_by {full_by}; start {start} changes nothing"
            (phasing / "start").warning(what, f"write start: {full_by}, or shape: linear")
    if not sound or first is None or last is None:
        return
    if start is not None and not first <= start <= last:
        what = f"start {start} is outside the horizon {first} to {last}"
        (phasing / "start").error(what, f"write a year from {first} to {last}, or mend the horizon")
    elif full_by is not None and full_by > last:
        what = f"full_by {full_by} is after the end of the horizon {last}: the whole change is never seen"
        (phasing / "full_by").warning(what, "lengthen the horizon, or keep it")


def _check_cost(cost: View, horizon: View) -> None:
    if not isinstance(cost.value, dict):
        return
    if "fixed" not in cost and "recurring" not in cost:
        cost.error("has no amount", "add fixed: {value: 1000000, unit: GBP} or recurring")
    first, last = horizon.whole("start"), horizon.whole("end")
    for name in ("fixed", "recurring"):
        amount = cost / name
        value, years = amount.number("value"), amount.pair("years")
        if value is not None and value < 0:
            (amount / "value").warning("a negative cost counts as a saving", "remove the sign, or keep it")
        if years is None:
            continue
        if years[1] < years[0]:
            (amount / "years").error(f"ends in {years[1]}, before it starts in {years[0]}", "swap the two years")
        elif first is not None and last is not None and first <= last and not first <= years[0] <= years[1] <= last:
            what = f"{years[0]} to {years[1]} reaches outside the horizon {first} to {last}"
            (amount / "years").warning(what, f"write years from {first} to {last}, or keep it")


def _check_intervals(analysis: View) -> None:
    seen = set()
    for item in analysis.items("intervals"):
        if isinstance(item.value, float) and item.value in seen:
            item.error(f"interval {item.value:g} is asked for twice", "remove one of the two")
        if isinstance(item.value, float):
            seen.add(item.value)


def _check_evaluation(scenario: View) -> None:
    plan = scenario / "evaluation"
    for outcome in plan.items("outcomes"):
        _check_name(outcome, "variable", list(scenario.vocabulary.panel_variables))
    pre = plan.pair("pre")
    if pre is None:
        return
    if pre[1] < pre[0]:
        (plan / "pre").error(f"ends in {pre[1]}, before it starts in {pre[0]}", "swap the two years")
        return
    starts = [(action / "phasing").whole("start") for action in scenario.parts("actions")]
    known = [start for start in starts if start is not None]
    if known and pre[1] >= min(known):
        what = f"the years before the action run to {pre[1]}, but an action starts in {min(known)}"
        (plan / "pre").error(what, f"end it in {min(known) - 1} or earlier")
