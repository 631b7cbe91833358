"""What the parts of a scenario must mean together: each check runs on what is sound, whatever else is not."""

from __future__ import annotations

from gwm_models.scenarios.changes import SELF_TIMED, check_change, points_of
from gwm_models.scenarios.checks_action import (
    check_additionality,
    check_causal_share,
    check_cost,
    check_course,
    check_evidence,
    check_lever,
    check_name,
)
from gwm_models.scenarios.checks_figures import check_figures
from gwm_models.scenarios.checks_portfolio import check_portfolio
from gwm_models.scenarios.checks_search import check_search
from gwm_models.scenarios.checks_time import check_times
from gwm_models.scenarios.findings import escaped
from gwm_models.scenarios.known import NOT_WITHIN, figures_year, first_year, outcomes_of
from gwm_models.scenarios.places import check_target
from gwm_models.scenarios.view import View

LONG_HORIZON = 40


def check_meaning(scenario: View) -> None:
    """Check everything that a single value cannot show."""
    horizon = scenario / "horizon"
    _check_horizon(horizon, evaluated="evaluation" in scenario)
    _check_trend(scenario / "baseline")
    _check_ids(scenario, "actions", "id", "action id")
    _check_ids(scenario, "health", "outcome", "outcome")
    for action in scenario.parts("actions"):
        check_lever(action)
        check_change(action, horizon)
        check_figures(action, check_target(action / "target"))
        check_course(action, horizon)
        check_additionality(action)
        check_cost(action, horizon)
        check_evidence(action)
        _check_spillover(action)
    for link in scenario.parts("health"):
        check_name(link / "outcome", "health outcome", list(outcomes_of(scenario.vocabulary)))
        _check_within(link)
        check_causal_share(link / "link")
    _check_lists(scenario / "analysis")
    _check_evaluation(scenario)
    check_search(scenario)
    check_portfolio(scenario / "portfolio", scenario)
    check_times(scenario)


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


def _check_horizon(horizon: View, *, evaluated: bool) -> None:
    start, end = horizon.whole("start"), horizon.whole("end")
    if start is None or end is None:
        return
    if end < start:
        (horizon / "end").error(f"end {end} is before start {start}", f"write a year from {start} on, or mend start")
    elif end - start > LONG_HORIZON:
        what = f"{end - start + 1} years is a long horizon for figures of a few years"
        (horizon / "end").warning(what, "shorten it, or keep it")
    since = figures_year(horizon.vocabulary)
    if since is not None and start < since and not evaluated:
        what = f"start {start} is before the figures it starts from, which are of {since}"
        (horizon / "start").warning(what, f"write a year from {since} on, or keep it")


def _check_trend(baseline: View) -> None:
    if baseline.text("counterfactual") == "trend" and not baseline.vocabulary.panel_variables:
        what = f"{escaped(baseline.vocabulary.edition)} has no yearly figures to take a trend from"
        (baseline / "counterfactual").error(what, "write held, or a shipped edition")


def _check_spillover(action: View) -> None:
    target = action / "target"
    if "spillover" in action and (target / "everyone").value is True and "exclude" not in target:
        what = "no area is left to receive anything: the action reaches all of them"
        (action / "spillover").warning(what, "remove spillover, or keep it")


def _check_within(link: View) -> None:
    """Report the slope inside areas where it is no effect: deaths that rose where work became better."""
    if link.text("outcome") not in NOT_WITHIN or ("link" in link and link.text("link") != "within"):
        return
    what = (
        f"'{link.text('outcome')}' has no slope within areas to use: it was measured to have the other sign than that "
        "between them (deaths rose where access rose), which tells of what else changed and is no effect of good work"
    )
    fix = "write link: between, or a share of it, link: {causal_share: {mean: 0.3, sd: 0.15}}"
    (link / "link" if "link" in link else link).error(what, fix)


def _check_lists(analysis: View) -> None:
    """Check that no interval and no measure of inequality is asked for twice."""
    measures: set[str] = set()
    for item in analysis.items("inequality"):
        if isinstance(item.value, str) and item.value in measures:
            item.error(f"'{escaped(item.value)}' is asked for twice", "remove one of the two")
        if isinstance(item.value, str):
            measures.add(item.value)
    seen = set()
    for item in analysis.items("intervals"):
        if isinstance(item.value, float) and item.value in seen:
            item.error(f"interval {item.value:g} is asked for twice", "remove one of the two")
        if isinstance(item.value, float):
            seen.add(item.value)


def _check_evaluation(scenario: View) -> None:
    plan = scenario / "evaluation"
    for outcome in plan.items("outcomes"):
        check_name(outcome, "variable", list(scenario.vocabulary.panel_variables))
    pre = plan.pair("pre")
    if pre is None:
        return
    if pre[1] < pre[0]:
        (plan / "pre").error(f"ends in {pre[1]}, before it starts in {pre[0]}", "swap the two years")
        return
    _check_figures_of(plan, pre)
    known = [start for action in scenario.parts("actions") if (start := _first_year(action)) is not None]
    if known and pre[1] >= min(known):
        what = f"the years before the action run to {pre[1]}, but an action starts in {min(known)}"
        (plan / "pre").error(what, f"end it in {min(known) - 1} or earlier")


def _check_figures_of(plan: View, pre: tuple[int, int]) -> None:
    """Check that there are figures of the years before the action."""
    since = {}
    for outcome in plan.items("outcomes"):
        name = outcome.value if isinstance(outcome.value, str) else ""
        first = first_year(name) if name in plan.vocabulary.panel_variables else None
        if first is None:
            continue
        since[name] = first
        if pre[1] < first:
            what = f"figures of {name} begin in {first}, after the last year before the action, {pre[1]}"
            outcome.error(what, f"write pre: [{first}, ...] or later, or remove the outcome")
    earliest = min(since.values(), default=pre[0])
    if pre[0] < earliest <= pre[1]:
        what = f"begins in {pre[0]}, before the figures: those of its outcomes begin in {earliest}"
        (plan / "pre").warning(what, f"write pre: [{earliest}, {pre[1]}], or keep it")


def _first_year(action: View) -> int | None:
    """Return the year in which an action begins, None if that is not known."""
    kind = (action / "change").text("kind")
    if kind not in SELF_TIMED:
        return (action / "phasing").whole("start")
    if kind == "shock":
        return action.whole("start")
    years = [year for _, year, _ in points_of(action / "change")]
    return years[0] if years else None
