"""A scenario in plain English: what is done where, when, at what cost, what is assumed and what is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gwm_models.data.edition import Edition, load_edition
from gwm_models.data.evidence import authors_of, find_entry
from gwm_models.scenarios.baseline import draw_baseline
from gwm_models.scenarios.outcomes import outcome_specs
from gwm_models.scenarios.search_words import search_words
from gwm_models.scenarios.shortfall import LEAST, Shortfall, expected_shortfall
from gwm_models.scenarios.spec import Action, CausalShare, HealthLink, Scenario, UncertainShare
from gwm_models.scenarios.target_words import field_label, inside, named_benchmark, target_words
from gwm_models.scenarios.targets import Selection, select
from gwm_models.scenarios.words import (
    amount_words,
    change_words,
    counted,
    level_unit,
    level_words,
    number,
    share_words,
    signed,
    subject_of,
)

LEAST_DRAWS = 100
"""Draws made to choose the areas; shrunk scores do not depend on their number."""
WITHIN = (
    "The slope inside areas over time is measured for labour market access; other domains take the same share of their "
    "association between areas."
)


@dataclass(frozen=True)
class ExplainedAction:
    """One action in words.

    Attributes
    ----------
    id, what, who : str
        Its name, its change, and the rule by which its areas are chosen.
    areas : tuple of (str, str, str)
        Code, name and region of each area it reaches, as the edition orders them.
    lines : tuple of str
        What else the file says of it.
    """

    id: str
    what: str
    who: str
    areas: tuple[tuple[str, str, str], ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """A scenario in words; every attribute but `actions` is a text or a tuple of sentences."""

    id: str
    title: str
    question: str
    source: str
    setting: tuple[str, ...]
    actions: tuple[ExplainedAction, ...]
    health: tuple[str, ...]
    search: tuple[str, ...]
    assumed: tuple[str, ...]
    left_out: tuple[str, ...]


def explain(scenario: Scenario, edition: Edition | None = None) -> Explanation:
    """Put a checked scenario into words, with the areas that it reaches.

    Parameters
    ----------
    scenario : Scenario
    edition : Edition, optional
        The one named in the scenario by default.
    """
    edition = edition or load_edition(scenario.baseline.edition)
    return Explanation(
        id=scenario.id,
        title=scenario.title,
        question=scenario.question,
        source=scenario.source,
        setting=_setting(scenario, edition),
        actions=_actions(scenario, edition),
        health=tuple(_health_line(link, edition) for link in scenario.health),
        search=search_words(scenario, edition),
        assumed=_assumed(scenario, edition),
        left_out=_left_out(scenario, edition),
    )


def _setting(scenario: Scenario, edition: Edition) -> tuple[str, ...]:
    spec, horizon, trend = edition.spec, scenario.horizon, scenario.baseline.counterfactual == "trend"
    course = "go on along their damped trends" if trend else "stay as they are"
    lines = [
        f"It starts from {spec.title} ({counted(len(edition.areas), 'area')}) and runs from {horizon.start} to "
        f"{horizon.end}; results are for {horizon.end}.",
        f"Without it, the indicators {course}. A gain is measured on the bounds of that edition.",
    ]
    analysis = scenario.analysis
    levels = " and ".join(level_words(level) for level in analysis.intervals)
    return (*lines, f"Results rest on {analysis.draws:,} draws with seed {analysis.seed}, with {levels} intervals.")


def _actions(scenario: Scenario, edition: Edition) -> tuple[ExplainedAction, ...]:
    if not scenario.actions:
        return ()
    baseline = draw_baseline(edition, LEAST_DRAWS, scenario.analysis.seed)
    found = []
    for action in scenario.actions:
        chosen = select(action.target, edition, baseline, action=action.id)
        short = expected_shortfall(action, edition, baseline, chosen, scenario.horizon.end)
        found.append(_action(action, chosen, edition, short))
    return tuple(found)


def _action(action: Action, chosen: Selection, edition: Edition, short: Shortfall | None) -> ExplainedAction:
    areas = edition.areas
    reached = np.flatnonzero(chosen.treated)
    said = [*_shock_sizes(action, edition), *_goal(short), *_kept(action), *_neighbours(action), *_costs(action)]
    lines = [*said, *_evidence(action), *_regression(chosen, edition)]
    return ExplainedAction(
        id=action.id,
        what=change_words(named_benchmark(action, edition), subject_of(action, edition.spec.indicators)) + ".",
        who=f"{target_words(action.target, edition)}: {counted(len(reached), 'area')}.",
        areas=tuple((areas.code[i], areas.name[i], areas.region[i]) for i in reached),
        lines=tuple(lines),
    )


def _goal(short: Shortfall | None) -> list[str]:
    """Say how far areas are from the level that a change brings them to, and who stays short of it."""
    if short is None:
        return []
    far = [int(i) for i in np.argsort(-short.needed, kind="stable") if short.needed[i] > LEAST]
    there = len(short.name) - len(far)
    if not far:
        return ["No area that it reaches is to change: all are at the level asked for already, by shrunk levels."]
    most, least = (f"{number(float(short.needed[i]))} ({short.name[i]})" for i in (far[0], far[-1]))
    ends = most if len(far) == 1 else f"{least} to {most}"
    said = f"What it takes, {short.unit}, by shrunk levels: {ends}"
    said += f"; {there} of {len(short.name)} areas are there already" if there else ""
    left = short.words()
    return [f"{said}.", *([left[:1].upper() + left[1:]] if left else [])]


def _kept(action: Action) -> list[str]:
    extra = action.additionality
    shares = {"deadweight": extra.deadweight, "displacement": extra.displacement, "leakage": extra.leakage}
    said = [
        f"{name} {share_words(share)}" for name, share in shares.items() if isinstance(share, UncertainShare) or share
    ]
    if said:
        return [f"Not additional: {', '.join(said)}."]
    return [] if _is_shock(action) else ["All of the change counts as additional."]


def _is_shock(action: Action) -> bool:
    return action.change.kind == "shock"


def _shock_sizes(action: Action, edition: Edition) -> list[str]:
    """Give a shock year by year, mean over areas, and how long it lasts."""
    if not _is_shock(action):
        return []
    from gwm_models.scenarios.shock import profile_of

    shock = profile_of(action, edition)
    first, times = int(action.start or 0), action.change.value or 0.0
    sizes = ", ".join(f"{signed(times * size, 2)} in {first + t}" for t, size in enumerate(shock.path.tolist()))
    spread = signed(float(abs(times) * shock.deviation.std()), 1).lstrip("+")
    unit = level_unit(subject_of(action, edition.spec.indicators))
    apart = f"Areas depart from it with a standard deviation of {spread}."
    return [f"Mean over areas, {unit}: {sizes}; over after that. {apart}"]


def _neighbours(action: Action) -> list[str]:
    if action.spillover is None:
        return []
    share = share_words(abs(action.spillover.share))
    verb = "lose" if action.spillover.share < 0 else "receive"
    return [f"Neighbours that it does not reach {verb} {share} of the mean additional change around them."]


def _costs(action: Action) -> list[str]:
    cost = action.cost
    if cost is None:
        return []
    said = [
        f"{amount_words(amount)} {word}"
        for word, amount in (("once", cost.fixed), ("every year", cost.recurring))
        if amount is not None
    ]
    return [f"Cost: {' and '.join(said)}, at {cost.price_base} prices."]


def _evidence(action: Action) -> list[str]:
    evidence = action.evidence
    if evidence is None:
        return ["Evidence: none is named."]
    if evidence.entry is None:
        return [f"Evidence ({evidence.grade}): {str(evidence.source).rstrip('.')}."]
    entry = find_entry(evidence.entry)
    return [
        f"Evidence ({entry.grade}): {authors_of(entry)} ({entry.year}), {entry.title}; see gwm evidence {entry.id}."
    ]


def _regression(chosen: Selection, edition: Edition) -> list[str]:
    size = chosen.regression_to_mean if chosen.by else float("nan")
    if not np.isfinite(size):
        return []
    known = {indicator.id: level_unit(indicator) for indicator in edition.spec.indicators}
    by = inside(field_label(chosen.by, edition))
    return [
        f"The areas were picked for being extreme: their published mean of {by} would be expected to move "
        f"by {signed(size)} {known.get(chosen.by, 'points')} with no policy at all. That is not counted as effect."
    ]


def _health_line(link: HealthLink, edition: Edition) -> str:
    label = next(outcome.label for outcome in outcome_specs(edition) if outcome.id == link.outcome)
    lag = link.lag
    when = f"from {counted(lag.years, 'year')} later, in full after {lag.build_up} more" if lag.years else "at once"
    if not lag.years and lag.build_up:
        when = f"building up over {counted(lag.build_up, 'year')}"
    return f"{label}: follows the total by {link_form(link.link)}, {when}."


def link_form(link: str | CausalShare) -> str:
    """Say how much of an association is taken as effect."""
    if isinstance(link, CausalShare):
        share = link.causal_share
        return f"an uncertain share of the slope between areas (mean {share.mean:g}, standard deviation {share.sd:g})"
    return "the slope inside areas over time" if link == "within" else "the whole slope between areas"


def _assumed(scenario: Scenario, edition: Edition) -> tuple[str, ...]:
    """List what the file takes for granted."""
    lines = []
    certain = [a.id for a in scenario.actions if a.uncertainty is None and not _is_shock(a)]
    if certain:
        lines.append(f"Sizes taken as certain, since no uncertainty is stated: {', '.join(certain)}.")
    graded = [a.id for a in scenario.actions if a.evidence is not None and a.evidence.grade == "assumed"]
    if graded:
        lines.append(f"Sizes assumed rather than found by a study: {', '.join(graded)}.")
    found = {a.id: find_entry(a.evidence.entry) for a in scenario.actions if a.evidence and a.evidence.entry}
    lines += [f"{name}: what was found elsewhere ({entry.place}) holds here." for name, entry in found.items()]
    whole = [a.id for a in scenario.actions if not any(a.additionality.model_dump().values()) and not _is_shock(a)]
    if whole:
        lines.append(f"Nothing would have happened anyway, and nobody loses by it: {', '.join(whole)}.")
    levers = [a for a in scenario.actions if a.condition is not None]
    lines += [
        f"{a.id}: scores follow the condition by {link_form(a.link or 'within')}; an association is no proof of cause."
        for a in levers
    ]
    if any((a.link or "within") == "within" for a in levers):
        from gwm_models.models.conditions_link import condition_links

        lines.append(condition_links(edition).share.words())
    if any(map(_is_shock, scenario.actions)):
        lines.append("A shock falls on the same areas as it did, by what the yearly figures show of each.")
    if scenario.health and scenario.actions:
        lines.append("Health follows the score alone, by an association that may not be causal.")
        if any(link.link == "within" for link in scenario.health):
            lines.append(WITHIN)
    return tuple(lines)


def _left_out(scenario: Scenario, edition: Edition) -> tuple[str, ...]:
    """List what the scenario does not take into account."""
    if not scenario.actions:
        return ("There is no action, so nothing changes.",)
    lines = []
    free = [action.id for action in scenario.actions if action.cost is None and not _is_shock(action)]
    if free:
        lines.append(f"Costs of: {', '.join(free)}.")
    if all(action.spillover is None for action in scenario.actions):
        lines.append("Effects on neighbours: areas that are not reached do not change.")
    moved = {action.indicator for action in scenario.actions}
    still = [indicator.label for indicator in edition.spec.indicators if indicator.id not in moved]
    if still and not any(action.condition for action in scenario.actions):
        lines.append(f"Knock-on effects: no action changes these, so they stay as without it: {'; '.join(still)}.")
    if not scenario.health:
        lines.append("Health.")
    lines.append("People who move between areas, and anything else that may happen in these years.")
    return tuple(lines)
