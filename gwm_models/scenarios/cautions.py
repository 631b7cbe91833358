"""What a projection should warn a reader of: limits that bind, goals that collide, scores beyond the scale."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from gwm_models.errors import some
from gwm_models.scenarios.inequality import BY_DEPRIVATION, ordered_by_deprivation
from gwm_models.scenarios.notes import limit_notes
from gwm_models.scenarios.phases import along_path
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.shock import last_year
from gwm_models.scenarios.shortfall import GOALS, projected_shortfall
from gwm_models.scenarios.spec import Action, CausalShare
from gwm_models.scenarios.spread import Row
from gwm_models.scenarios.words import counted

OFTEN = 0.01
"""Share of draws and areas at a limit that is worth a warning."""


def warnings_of(projection: Projection, gaps: Sequence[Row]) -> list[str]:
    """Return what only the projection can find: limits that bind, goals that collide, scores beyond the scale.

    Parameters
    ----------
    projection : Projection
    gaps : sequence of dict
        Rows of `inequality_rows`.
    """
    scenario, last = projection.scenario, projection.years[-1]
    found = limit_notes(projection)
    for a, action in enumerate(scenario.actions):
        treated = projection.selections[a].treated
        short = projected_shortfall(projection, a)
        found += [f"{action.id}: {short.words()}"] if short is not None and short.order else []
        over = action.change.profile is not None and int(action.start or 0) <= last
        if not over and not np.any(projection.asked[a][:, treated]) and _asks(action):
            found.append(f"{action.id}: changes nothing: {_why_nothing(action, last)}.")
    found += _collisions(projection) + _beyond_scale(projection) + _link_warnings(projection)
    found += _trend_limits(projection) + _shocks_over(projection)
    tail = scenario.analysis.draws * (1 - max(scenario.analysis.intervals)) / 2
    if tail < 10:
        found.append(f"The widest interval rests on about {tail:.1f} draws beyond each end; ask for more draws.")
    ordered = set(BY_DEPRIVATION) & set(scenario.analysis.inequality)
    if ordered and not ordered_by_deprivation(projection.edition.areas):
        found.append(
            f"Measures by deprivation are left out ({', '.join(sorted(ordered))}): the edition holds no deprivation of "
            "its areas."
        )
    found += _undefined(gaps, scenario.analysis.draws)
    if scenario.evaluation is not None:
        found.append("The evaluation block is checked and stored; a projection does not run it.")
    return found


def _undefined(gaps: Sequence[Row], n_draws: int) -> list[str]:
    """Name measures of inequality that have no meaning in some draws."""
    short = {str(row["label"]): n_draws - int(str(row["n"])) for row in gaps}
    return [
        f"{label}: left out of {number} of {n_draws} draws, where a score that it needs positive is not."
        for label, number in short.items()
        if number
    ]


def _asks(action: Action) -> bool:
    """Tell whether an action states a change at all."""
    return any(size for _, size in action.change.path or ()) or bool(action.change.value)


def _why_nothing(action: Action, year: int) -> str:
    """Say why nothing of an action is in place in a year."""
    if action.change.profile is not None:
        return f"it has not begun by {year}"
    path = action.change.path or (action.phasing.path if action.phasing is not None else None)
    if path is not None and not along_path([year], path)[0]:
        over = any(when < year and size for when, size in path)
        return f"its path has come back to nothing by {year}" if over else f"it has not begun by {year}"
    phasing = action.phasing
    begun = phasing is None or phasing.full_by <= year or (phasing.shape != "step" and phasing.start < year)
    return "every area it reaches is already there" if begun else f"it has not begun by {year}"


def _collisions(projection: Projection) -> list[str]:
    """Name actions that change what another brings to a level in the same areas: their changes add up."""
    actions = list(zip(projection.scenario.actions, projection.selections, strict=True))
    found = []
    for i, (first, here) in enumerate(actions):
        for second, there in actions[i + 1 :]:
            both = int((here.treated & there.treated).sum())
            subject = first.indicator or first.condition
            goals = [action.id for action in (first, second) if action.change.kind in GOALS]
            if not goals or not both or subject != (second.indicator or second.condition):
                continue
            where = f"{subject} in {counted(both, 'area')}"
            if len(goals) == 2:
                found.append(
                    f"{first.id} and {second.id} both set a goal for {where}: each is worked out from the baseline and "
                    "they add up, so the goals are passed."
                )
            else:
                other = second.id if goals == [first.id] else first.id
                found.append(
                    f"{goals[0]} sets a goal for {where}, which {other} changes too: the goal is worked out from the "
                    "baseline and the two add up, so the level reached is not the goal."
                )
    return found


def _beyond_scale(projection: Projection) -> list[str]:
    """Name areas whose domain scores the actions take off the frozen scale, and in what share of draws."""
    spec, before = projection.edition.spec, projection.score_before
    members = np.bincount(spec.domain_of())
    low, high = (edge * members for edge in spec.scale)
    after = before + projection.domain_change
    found = []
    for words, left in (("Above", (after > high) & (before <= high)), ("Below", (after < low) & (before >= low))):
        share = left.any(axis=2).mean(axis=0)
        areas = [int(i) for i in np.argsort(-share, kind="stable") if share[i] > OFTEN]
        if areas:
            names = [f"{projection.edition.areas.name[i]} ({share[i]:.0%})" for i in areas]
            found.append(
                f"{words} the frozen scale in {counted(len(names), 'area')} (a domain score, in this share of draws): "
                f"{some(names, 5)}. The change there is counted in full."
            )
    return found


def _trend_limits(projection: Projection) -> list[str]:
    """Warn of a baseline that its trends bring to the limits of levels, or out of the scale of scores."""
    if projection.scenario.baseline.counterfactual == "held":
        return []
    spec, last = projection.edition.spec, projection.years[-1]
    found = []
    for j, indicator in enumerate(spec.indicators):
        low, high = indicator.hard_limits
        level = projection.level_before[:, :, j]
        share = float(((level <= low) | (level >= high)).mean()) if indicator.unit != "points" else 0.0
        if share > OFTEN:
            found.append(
                f"{indicator.label}: by {last} the trend itself brings {share:.0%} of draws and areas to a limit of "
                "its level, before any action; the mean is drawn away from the limit, and changes towards it are cut."
            )
    members = np.bincount(spec.domain_of())
    low_edge, high_edge = (edge * members for edge in spec.scale)
    outside = (projection.score_before < low_edge) | (projection.score_before > high_edge)
    for (_, label), share in zip(spec.domains, outside.mean(axis=(0, 1)).tolist(), strict=True):
        if share > OFTEN:
            off = f"{share:.0%} of draws and areas off the frozen scale"
            found.append(f"{label}: by {last} the trend itself takes {off}.")
    return found


def _shocks_over(projection: Projection) -> list[str]:
    """Say which shocks are over before the horizon ends."""
    found = []
    for action in projection.scenario.actions:
        if action.change.profile is not None:
            end, last = last_year(action, projection.edition, projection.years[0]), projection.years[-1]
            if end < last:
                found.append(f"{action.id}: the shock is over after {end}; nothing is left of it in {last}.")
    return found


def _link_warnings(projection: Projection) -> list[str]:
    """Warn of stated causal shares that cannot be shares."""
    scenario, found = projection.scenario, []
    links = [(link.outcome, link.link) for link in scenario.health]
    links += [(action.id, action.link) for action in scenario.actions if action.link is not None]
    for name, link in links:
        if isinstance(link, CausalShare):
            share = link.causal_share
            normal = NormalDist(share.mean, share.sd or 1e-9)
            outside = normal.cdf(0) + 1 - normal.cdf(1)
            if outside > 0.1:
                found.append(
                    f"{name}: {outside:.0%} of the stated causal share lies outside 0 to 1 "
                    f"(mean {share.mean:g}, standard deviation {share.sd:g})."
                )
    return found
