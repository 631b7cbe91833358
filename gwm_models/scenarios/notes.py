"""What a projection assumes, in plain words."""

from __future__ import annotations

from collections import Counter

from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import sampling_error
from gwm_models.scenarios.known import MORTALITY
from gwm_models.scenarios.layers import draw_additional
from gwm_models.scenarios.projection import Projection, domain_scales
from gwm_models.scenarios.rows import link_words
from gwm_models.scenarios.shortfall import GOALS
from gwm_models.scenarios.spec import Action, Amount, CausalShare, UncertainShare
from gwm_models.scenarios.sums import sum_words
from gwm_models.scenarios.variance import variance_of
from gwm_models.scenarios.words import MINUS, level_unit, number, share_words, signed, span, subject_of

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


APART = (
    "Rates of deaths are drawn apart from healthy life expectancy: their slopes are fitted by themselves, and how the "
    "two go together is not measured. Areas without a published rate are left out of its level, not of its change."
)
TREND = (
    "Along the trend, levels that a change is worked out from (relative, target, close_gap, to_quantile) are those of "
    "each year, and ranks and gaps before are those of the last. Scores move with the levels, by the points per unit. "
    "The true levels of the edition, the observed change since and the trends are drawn independently, though levels "
    "and observed change share the survey noise of the edition's year."
)
ONE_UNIT = {"percent": "percentage point", "GBP": "pound"}
CUT = 0.01
"""Share of draws and areas cut by a limit from which it is said."""
OFTEN_CUT = 0.2
"""The share from which a reader must know what is left."""


def assumptions(projection: Projection) -> list[str]:
    """List what the results assume, in plain words."""
    lines = [*_baseline_lines(projection), *sampling_error(projection.edition).notes, *_trend_lines(projection)]
    used = {action.indicator for action in projection.scenario.actions}
    lines += _points_lines(projection, used)
    lines += _pay_assumption(projection, used)
    lines += _condition_lines(projection)
    lines += [_action_assumption(projection, a) for a in range(len(projection.scenario.actions))]
    lines += _certain_line(projection)
    lines += _shock_lines(projection)
    subjects = [action.indicator or action.condition for action in projection.scenario.actions]
    if len(subjects) > len(set(subjects)):
        lines.append("Actions on one indicator add up, each worked out from the level without any of them.")
    return [*lines, *_health_lines(projection), *sum_words(projection)]


def limit_notes(projection: Projection) -> list[str]:
    """Say which actions a hard limit of levels cuts, the most cut first; where it is often, what is left of them.

    The share is that of draws and areas together, in the last year.
    """
    shares = [
        (float(projection.clamped[a][:, chosen.treated].mean()), a) for a, chosen in enumerate(projection.selections)
    ]
    return [_limit_note(projection, a, share) for share, a in sorted(shares, reverse=True) if share > CUT]


def _limit_note(projection: Projection, a: int, share: float) -> str:
    action, treated = projection.scenario.actions[a], projection.selections[a].treated
    text = f"{action.id}: a hard limit cuts the change in {share:.0%} of draws and areas"
    asked, delivered = (float(part[a][:, treated].mean()) for part in (projection.asked, projection.delivered))
    if share < OFTEN_CUT or not asked:
        return f"{text}."
    unit = level_unit(subject_of(action, projection.edition.spec.indicators))
    kept = _kept_share(action)
    rest = f", of which {kept:.0%} is additional" if kept < 1 else ""
    return (
        f"{text}: it asks for {signed(asked)} {unit} on average{rest}, and {signed(delivered)} is delivered. Results "
        "are for what is delivered; more of it changes little."
    )


def _baseline_lines(projection: Projection) -> list[str]:
    title, last = projection.edition.spec.title, projection.years[-1]
    trend = projection.scenario.baseline.counterfactual == "trend"
    course = f"its indicators going on along their trends to {last}" if trend else f"held as it is to {last}"
    ends = domain_scales(projection.edition).tolist()
    scales = dict.fromkeys(f"{number(low, 0)} to {number(high, 0)}" for low, high in ends)
    of = f"each domain ({next(iter(scales))} points)" if len(scales) == 1 else "its domain"
    lines = [
        f"Baseline: {title}, {course}; bounds are frozen at that edition, so a gain is a gain, within the printed "
        f"scale of {of}: a change that would pass an end of it is cut there. True scores are drawn given the sampling "
        "error of the indicators, shrunk towards their region; one drawn beyond the scale stays, and moves no farther "
        "out."
    ]
    areas = projection.edition.areas
    of_unit = Counter(areas.unit)
    shared = [name for name, unit in zip(areas.name, areas.unit, strict=True) if of_unit[unit] > 1]
    if shared:
        lines.append(
            "Drawn levels agree with each area's own score, so areas that share published figures "
            f"({', '.join(sorted(shared))}) can differ in them, and in a change that is worked out from them."
        )
    return lines


def _certain_line(projection: Projection) -> list[str]:
    """Say that the change of the total is certain, where it is and there is one."""
    change = projection.change[:, projection.treated]
    if not change.any() or variance_of(change.mean(axis=1)):
        return []
    return [
        "The mean change of the total over the target areas is certain: no layer of uncertainty bears on it, so its "
        "variance has no shares."
    ]


def _trend_lines(projection: Projection) -> list[str]:
    """Say what the trend assumes, where the scenario goes on along it."""
    scenario = projection.scenario
    if scenario.baseline.counterfactual == "held":
        return []
    from gwm_models.models.trend_error import widened_trend

    return [TREND, *widened_trend(projection.edition, scenario.analysis.draws, scenario.analysis.seed).notes]


def _points_lines(projection: Projection, used: set[str | None]) -> list[str]:
    """Say what a unit of each indicator that an action changes is worth."""
    points, lines = points_per_unit(projection.edition), []
    for j, indicator in enumerate(projection.edition.spec.indicators):
        if indicator.id in used:
            error = f"standard error {points.std_error[j]:.3g}" if points.std_error[j] else "exact"
            lines.append(
                f"{indicator.label}: stated in score points, since no figures are published; limited by the range of "
                "its domain."
                if indicator.unit == "points"
                else f"{indicator.label}: one unit is worth {number(points.estimate[j], 3)} points "
                f"({points.status[j]}, {error})."
            )
    return lines


def _health_lines(projection: Projection) -> list[str]:
    lines = []
    for effect in projection.health:
        lag = effect.link.lag
        when = f"after {lag.years} years, building up over {lag.build_up}" if lag.years or lag.build_up else "at once"
        lines.append(f"{effect.model.outcome.label}: link {link_words(effect)}; health responds {when}.")
    within = [effect.model.outcome for effect in projection.health if effect.link.link == "within"]
    if within:
        lines.append(WITHIN)
    if any(outcome.unit == "years" for outcome in within):
        lines += [SHARED_SURVEY, SPAN]
    if any(outcome.id in MORTALITY for outcome in (effect.model.outcome for effect in projection.health)):
        lines.append(APART)
    return lines


def _pay_assumption(projection: Projection, used: set[str | None]) -> list[str]:
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
    """Say how much of an action's change is kept, whom it reaches, what neighbours receive and what it costs."""
    action = projection.scenario.actions[a]
    if action.change.profile is not None:
        return _shock_action(action)
    parts = [_kept_words(action)]
    if action.reach < 1:
        parts.append(
            f"it reaches {action.reach:.0%} of the residents, so an area changes by that share of the size stated"
        )
    if action.spillover is not None:
        parts.append(
            f"untreated neighbours receive {share_words(action.spillover.share).replace('-', MINUS)} of the mean "
            "additional change of their neighbours over shared borders, those without the action counted with none; "
            "treated areas receive nothing"
        )
    if action.change.path is not None:
        parts.append("its uncertainty is that of the largest size, and the whole path scales with it")
    if action.cost is not None:
        parts += _cost_words(action)
    if action.uncertainty is None:
        parts.append("its size is taken as certain, since the file states no uncertainty")
    return f"{action.id}: {'; '.join(parts)}."


def _shock_action(action: Action) -> str:
    """Say how sure a shock is."""
    times = "once over" if action.change.value == 1 else f"{number(action.change.value or 0.0, 2)} times over"
    own = "; its stated uncertainty is that of how many times" if action.uncertainty is not None else ""
    return (
        f"{action.id}: the shock of {action.change.profile}, {times}; its mean is drawn with its standard error over "
        f"areas, and each area's departure with what survey noise leaves uncertain of it{own}."
    )


def _kept_words(action: Action) -> str:
    """Say what share of a change is additional."""
    extra = action.additionality
    shares = {"deadweight": extra.deadweight, "displacement": extra.displacement, "leakage": extra.leakage}
    kept = _kept_share(action)
    drawn = any(isinstance(share, UncertainShare) for share in shares.values())
    named = ", ".join(f"{name} {share_words(share)}" for name, share in shares.items())
    text = f"{kept:.0%} of the change is additional{' on average' if drawn else ''} ({named})"
    if drawn:
        text += ", uncertain shares drawn from beta distributions with these means and standard deviations"
    elif kept < 1:
        text += ", shares taken as certain"
    if kept < 1 and action.change.kind in GOALS:
        text += "; the level reached is short of the one asked for by what is not additional"
    return text


def _kept_share(action: Action) -> float:
    """Return the mean share of a change that is additional."""
    return float(draw_additional(action, None, 0)[0])


def _cost_words(action: Action) -> list[str]:
    """Say what a cost leaves out and how sure it is."""
    if action.cost is None:
        return []
    amounts: list[Amount] = [amount for amount in (action.cost.fixed, action.cost.recurring) if amount is not None]
    parts = [f"costs are undiscounted, at {action.cost.price_base} prices"]
    if any(amount.unit == "GBP_per_job" for amount in amounts):
        parts.append(
            "a cost per job counts the people whose work the action changes, before additionality: the percentage "
            "points asked for of the people that the indicator is a percentage of, once at their largest number for a "
            "fixed cost, year by year for a recurring one"
        )
    if any(amount.unit != "GBP_per_job" for amount in amounts):
        parts.append("costs in all, by area and by resident do not depend on phasing")
    if not any(amount.low is not None for amount in amounts):
        parts.append("amounts are taken as certain")
    else:
        parts.append("amounts with an interval are drawn from a split normal with it as its central 90%")
    return parts


def _condition_lines(projection: Projection) -> list[str]:
    """Say what the links from conditions to scores are and assume, for the conditions that actions change."""
    actions = [action for action in projection.scenario.actions if action.condition is not None]
    if not actions:
        return []
    from gwm_models.models.conditions_link import condition_links

    links = condition_links(projection.edition)
    lines = [f"{action.id}: {_link_words(action)}" for action in actions]
    for place in sorted({links.place(str(action.condition)) for action in actions}):
        slopes = ", ".join(
            f"{signed(slope, 3)} ({label[0].lower() + label[1:]})"
            for slope, (_, label) in zip(links.between[place], projection.edition.spec.domains, strict=True)
        )
        lines.append(
            f"{links.labels[place]} ({links.periods[place]}; {links.sources[place]}): between areas, one "
            f"{ONE_UNIT.get(links.units[place], links.units[place].replace('_', ' '))} goes with {slopes} points."
        )
    return [*lines, *links.words()]


def _link_words(action: Action) -> str:
    """Say how much of a condition's association with the scores is taken as effect."""
    link = action.link or "within"
    if isinstance(link, CausalShare):
        share = link.causal_share
        kept = f"a causal share of the slope between areas (mean {share.mean:g}, standard deviation {share.sd:g})"
    else:
        kept = f"the slope {link} areas"
    return f"scores follow the condition '{action.condition}' at once, by {kept}; an association is no proof of cause."


def _shock_lines(projection: Projection) -> list[str]:
    """Say where the shocks come from and what their use assumes, each only once."""
    shocks = [action for action in projection.scenario.actions if action.change.profile is not None]
    if not shocks:
        return []
    from gwm_models.models.shocks import shock_profile

    lines: list[str] = []
    for action in shocks:
        shock = shock_profile(projection.edition, str(action.indicator), str(action.change.profile))
        lines += [f"{action.id}: {shock.source}.", *shock.notes]
    return list(dict.fromkeys(lines))
