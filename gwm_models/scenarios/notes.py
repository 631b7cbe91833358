"""What a projection assumes and what a reader should be warned of, in plain words."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from gwm_models.errors import some
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import sampling_error
from gwm_models.scenarios.projection import Projection
from gwm_models.scenarios.rows import link_words
from gwm_models.scenarios.spec import CausalShare
from gwm_models.scenarios.words import counted, number, signed, span

WITHIN = (
    "The within slope is measured on the access domain, true access being modelled behind the survey: how much of its "
    "noise lasts from year to year is estimated with it. The other domains count with the same share of the "
    "association. Association over time is still not proof of cause."
)
SHARED_SURVEY = (
    "Healthy life expectancy and access come from one survey, so a chance move of one can come with a chance move of "
    "the other; the correlation of their errors is not published and is drawn evenly between 0 and 0.3, which lowers "
    "the within slope."
)
SPAN = (
    "Healthy life expectancy spans three years and the access set against it one, which brings the within slope nearer "
    "to zero by an unknown amount; `gwm fit` has the slope on access over the same three years beside it."
)


def assumptions(projection: Projection) -> list[str]:
    """List what the results assume, in plain words."""
    scenario, edition = projection.scenario, projection.edition
    lines = [
        f"Baseline: {edition.spec.title}, held as it is to {projection.years[-1]}; bounds are frozen at that edition, "
        "so a gain is a gain. True scores are drawn given the sampling error of the indicators, shrunk towards their "
        "region.",
        *sampling_error(edition).notes,
    ]
    used = {action.indicator for action in scenario.actions}
    points = points_per_unit(edition)
    for j, indicator in enumerate(edition.spec.indicators):
        if indicator.id in used:
            error = f"standard error {points.std_error[j]:.3g}" if points.std_error[j] else "exact"
            lines.append(
                f"{indicator.label}: stated in score points, since no figures are published; limited by the range of "
                "its domain."
                if indicator.unit == "points"
                else f"{indicator.label}: one unit is worth {number(points.estimate[j], 3)} points "
                f"({points.status[j]}, {error})."
            )
    lines += _pay_assumption(projection, used)
    lines += [_action_assumption(projection, a) for a in range(len(scenario.actions))]
    if len(scenario.actions) > len(used):
        lines.append("Actions on one indicator add up, each worked out from the baseline level.")
    for effect in projection.health:
        lag = effect.link.lag
        when = f"after {lag.years} years, building up over {lag.build_up}" if lag.years or lag.build_up else "at once"
        lines.append(f"{effect.model.outcome.label}: link {link_words(effect)}; health responds {when}.")
    if any(effect.link.link == "within" for effect in projection.health):
        lines += [WITHIN, SHARED_SURVEY, SPAN]
    return lines


def _pay_assumption(projection: Projection, used: set[str]) -> list[str]:
    """Say what the domains show when fitted together, where an action changes pay or hours."""
    if not any(i.domain == "pay" for i in projection.edition.spec.indicators if i.id in used):
        return []
    found = [
        f"{effect.model.outcome.label} {signed(slope['estimate'])} years per 100 points "
        f"({span(slope['lower'], slope['upper'])})"
        for effect in projection.health
        for domain, slope in effect.model.domains.items()
        if domain == "pay"
    ]
    return (
        [
            "The full association is that of the total, one slope for every domain. With all domains fitted together, "
            f"pay and conditions goes with: {'; '.join(found)}. Health results of an action on pay or hours rest on "
            "the one slope."
        ]
        if found
        else []
    )


def _action_assumption(projection: Projection, a: int) -> str:
    action = projection.scenario.actions[a]
    extra = action.additionality
    kept = (1 - extra.deadweight) * (1 - extra.displacement) * (1 - extra.leakage)
    text = f"{action.id}: {kept:.0%} of the change is additional"
    text += f" (deadweight {extra.deadweight:.0%}, displacement {extra.displacement:.0%}, leakage {extra.leakage:.0%})"
    if kept < 1:
        text += ", shares taken as certain"
    if kept < 1 and action.change.kind in ("target", "close_gap"):
        text += "; the level reached is short of the one asked for by what is not additional"
    if action.spillover is not None:
        text += f"; untreated neighbours receive {action.spillover.share:.0%} of the mean change of their neighbours"
    if action.cost is not None:
        text += f"; costs are undiscounted, at {action.cost.price_base} prices, and do not depend on phasing"
    if action.uncertainty is None:
        text += "; its size is taken as certain, since the file states no uncertainty"
    return text + "."


def warnings_of(projection: Projection) -> list[str]:
    """Return what only the projection can find: limits that bind, goals that collide, scores beyond the scale."""
    found = []
    scenario, last = projection.scenario, projection.years[-1]
    for a, action in enumerate(scenario.actions):
        treated = projection.selections[a].treated
        clamped = float(projection.effects.clamped[a][:, treated].mean())
        if clamped > 0.01:
            found.append(f"{action.id}: a hard limit cuts the change in {clamped:.0%} of draws and areas.")
        if not np.any(projection.effects.asked[a][:, treated]) and action.change.value:
            begun = action.phasing.start < last and (action.phasing.shape == "linear" or action.phasing.full_by <= last)
            why = "every area it reaches is already there" if begun else f"it has not begun by {last}"
            found.append(f"{action.id}: changes nothing: {why}.")
    found += _collisions(projection) + _beyond_scale(projection) + _link_warnings(projection)
    tail = scenario.analysis.draws * (1 - max(scenario.analysis.intervals)) / 2
    if tail < 10:
        found.append(f"The widest interval rests on about {tail:.1f} draws beyond each end; ask for more draws.")
    if "sii" in scenario.analysis.inequality and not np.isfinite(projection.edition.areas.deprivation).all():
        found.append("The slope index of inequality is left out: the edition holds no deprivation of its areas.")
    if scenario.evaluation is not None:
        found.append("The evaluation block is checked and stored; a projection does not run it.")
    return found


def _collisions(projection: Projection) -> list[str]:
    """Name actions with a goal (target, close_gap) that meet on one indicator and area: their changes add up."""
    goals = [
        (action, chosen.treated)
        for action, chosen in zip(projection.scenario.actions, projection.selections, strict=True)
        if action.change.kind in ("target", "close_gap")
    ]
    found = []
    for i, (first, here) in enumerate(goals):
        for second, there in goals[i + 1 :]:
            both = int((here & there).sum())
            if first.indicator == second.indicator and both:
                found.append(
                    f"{first.id} and {second.id} both set a goal for {first.indicator} in {counted(both, 'area')}: "
                    "each is worked out from the baseline and they add up, so the goals are passed."
                )
    return found


def _beyond_scale(projection: Projection) -> list[str]:
    """Name areas whose changed domain scores leave the frozen scale."""
    spec, domain = projection.edition.spec, projection.effects.domain
    after = projection.baseline.shrunk_score + domain.mean(axis=0)
    members = np.bincount(spec.domain_of())
    low, high = (edge * members for edge in spec.scale)
    found = []
    for words, outside in (("Above", after > high), ("Below", after < low)):
        areas = (domain.any(axis=0) & outside).any(axis=1)
        if areas.any():
            names = [name for name, over in zip(projection.edition.areas.name, areas, strict=True) if over]
            found.append(f"{words} the frozen scale in {counted(len(names), 'area')}: {some(names, 5)}.")
    return found


def _link_warnings(projection: Projection) -> list[str]:
    """Warn of stated causal shares that cannot be shares."""
    found = []
    for link in projection.scenario.health:
        if isinstance(link.link, CausalShare):
            share = link.link.causal_share
            normal = NormalDist(share.mean, share.sd or 1e-9)
            outside = normal.cdf(0) + 1 - normal.cdf(1)
            if outside > 0.1:
                found.append(
                    f"{link.outcome}: {outside:.0%} of the stated causal share lies outside 0 to 1 "
                    f"(mean {share.mean:g}, standard deviation {share.sd:g})."
                )
    return found
