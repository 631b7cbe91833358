"""What a projection should warn a reader of: limits that bind, goals that collide, scores at the ends of the scale."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import some
from gwm_models.scenarios.inequality import BY_DEPRIVATION, ordered_by_deprivation
from gwm_models.scenarios.notes import limit_notes
from gwm_models.scenarios.phases import along_path
from gwm_models.scenarios.projection import Projection, domain_scales
from gwm_models.scenarios.shock import last_year
from gwm_models.scenarios.shortfall import GOALS, projected_shortfall
from gwm_models.scenarios.spec import Action, CausalShare
from gwm_models.scenarios.spread import Row
from gwm_models.scenarios.words import counted

Bools = NDArray[np.bool_]

OFTEN = 0.01
"""Share of draws and areas at a limit that is worth a warning."""
ROUNDING = 1e-9
"""Points within which a score is at an end of the scale."""


def warnings_of(projection: Projection, gaps: Sequence[Row]) -> list[str]:
    """Return what only the projection can find: limits that bind, goals that collide, ends of the scale.

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
        found.append("The evaluation block is no part of a projection: run it with gwm evaluate and this file.")
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
    """Name areas where an end of the scale cuts the change of a domain score, and in what share of draws."""
    edition, found = projection.edition, []
    for end, sign in (("upper", 1), ("lower", -1)):
        cut = np.asarray((projection.beyond & _at_end(projection, sign)).any(axis=2))
        share = cut.mean(axis=0)
        areas = [int(i) for i in np.argsort(-share, kind="stable") if share[i] > OFTEN]
        if areas:
            names = [f"{edition.areas.name[i]} ({share[i]:.0%})" for i in areas]
            whole = float(cut[:, projection.treated].mean())
            found.append(
                f"A domain score meets the {end} end of its scale in {whole:.0%} of draws and target areas, and in "
                f"{counted(len(names), 'area')} in this share of draws: {some(names, 5)}. What the actions would take "
                "beyond it is cut, and results are for what is left."
            )
    return found


def _at_end(projection: Projection, sign: int) -> Bools:
    """Tell which scores after the actions stand at an end of their scale or beyond: the upper (1) or the lower (-1)."""
    ends = domain_scales(projection.edition)[:, max(sign, 0)]
    after = projection.score_before + projection.domain_change
    return np.asarray(sign * (after - ends) >= -ROUNDING)


def _trend_limits(projection: Projection) -> list[str]:
    """Warn of a baseline that its trends bring to the limits of levels, or to the ends of the scale of scores."""
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
    low_end, high_end = domain_scales(projection.edition).T
    before, start = projection.score_before, projection.baseline.score
    at_end = ((before <= low_end + ROUNDING) | (before >= high_end - ROUNDING)) & (before != start)
    for (_, label), share in zip(spec.domains, at_end.mean(axis=(0, 1)).tolist(), strict=True):
        if share > OFTEN:
            found.append(
                f"{label}: by {last} the trend itself brings {share:.0%} of draws and areas to an end of the scale, "
                "before any action; it is cut there, and so are changes towards that end."
            )
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
