"""On what terms scenarios can be compared: one edition, one set of draws, one year, and measures that mean the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gwm_models.data.area_names import meaning_of
from gwm_models.data.edition import Edition
from gwm_models.errors import DataError, some
from gwm_models.scenarios.findings import escaped, listed, suggestion
from gwm_models.scenarios.groups import ALL, TARGETS
from gwm_models.scenarios.inequality import BY_DEPRIVATION, MEASURES, ordered_by_deprivation
from gwm_models.scenarios.known import spelled
from gwm_models.scenarios.outcomes import outcome_specs
from gwm_models.scenarios.spec import Action, Amount, HealthLink, Measured, Scenario

STATES = ("difference", "percent_change", "scenario")


def same_terms(
    scenarios: Sequence[Scenario],
    labels: Sequence[str],
    *,
    draws: int | None = None,
    seed: int | None = None,
    year: int | None = None,
    counterfactual: str | None = None,
) -> tuple[Scenario, ...]:
    """Return scenarios on the same edition, draws and last year.

    Parameters
    ----------
    scenarios : sequence of Scenario
    labels : sequence of str
        Their names in messages.
    draws, seed, year : int, optional
        For all of them, instead of their own; results are of the last year.
    counterfactual : {"held", "trend"}, optional
        For all of them, instead of their own.

    Raises
    ------
    DataError
        If they differ in something that is not given, or one is a goal or a sweep, or ends before the year.
    """
    for scenario, label in zip(scenarios, labels, strict=True):
        if scenario.kind != "scenario":
            raise DataError(
                f"{label} is a {scenario.kind}, not a scenario. Run gwm {scenario.kind} on it, and compare a file with "
                "the numbers filled in."
            )
    _one(scenarios, labels, "edition", lambda s: s.baseline.edition, "Compare scenarios on one edition")
    if counterfactual is None:
        _one(scenarios, labels, "counterfactual", lambda s: s.baseline.counterfactual, "Give one with --counterfactual")
    if draws is None:
        _one(scenarios, labels, "number of draws", lambda s: s.analysis.draws, "Give one with --draws")
    if seed is None:
        _one(scenarios, labels, "seed", lambda s: s.analysis.seed, "Give one with --seed")
    if year is None:
        _one(scenarios, labels, "last year", lambda s: s.horizon.end, "Give one with --year")
    changed = {name: value for name, value in (("draws", draws), ("seed", seed)) if value is not None}
    found = []
    for scenario, label in zip(scenarios, labels, strict=True):
        baseline = scenario.baseline.model_copy(
            update={"counterfactual": counterfactual or scenario.baseline.counterfactual}
        )
        analysis = scenario.analysis.model_copy(update=changed)
        found.append(_until(scenario, year, label).model_copy(update={"baseline": baseline, "analysis": analysis}))
    return tuple(found)


def _one(
    scenarios: Sequence[Scenario], labels: Sequence[str], noun: str, value: Callable[[Scenario], Any], fix: str
) -> None:
    """Make sure that scenarios share a value."""
    found: dict[Any, str] = {}
    for scenario, label in zip(scenarios, labels, strict=True):
        found.setdefault(value(scenario), label)
    if len(found) > 1:
        named = some([f"{word} in {label}" for word, label in found.items()])
        raise DataError(f"The scenarios differ in their {noun} ({named}), so they cannot be compared. {fix}.")


def _until(scenario: Scenario, year: int | None, label: str) -> Scenario:
    """Return a scenario that ends in a year, its costs too."""
    horizon = scenario.horizon
    if year is None or year == horizon.end:
        return scenario
    if not horizon.start <= year <= horizon.end:
        raise DataError(
            f"{label} runs from {horizon.start} to {horizon.end}, so it has no {year}. Choose a year that all reach."
        )
    actions = tuple(_paid_until(action, year) for action in scenario.actions)
    return scenario.model_copy(
        update={"actions": actions, "horizon": horizon.model_copy(update={"end": year}), "evaluation": None}
    )


def _paid_until(action: Action, year: int) -> Action:
    if action.cost is None:
        return action
    amounts = {name: _amount_until(getattr(action.cost, name), year) for name in ("fixed", "recurring")}
    cost = action.cost.model_copy(update=amounts) if any(amounts.values()) else None
    return action.model_copy(update={"cost": cost})


def _amount_until(amount: Amount | None, year: int) -> Amount | None:
    if amount is None or amount.years is None or amount.years[1] <= year:
        return amount
    first = amount.years[0]
    return None if first > year else amount.model_copy(update={"years": (first, year)})


def parse_measure(text: str, edition: Edition) -> Measured:
    """Read a measure written as QUANTITY, QUANTITY@GROUP or either with :STATE after it.

    Parameters
    ----------
    text : str
        Such as ``total``, ``total@North East`` or ``gap_10_10:percent_change``; by default the difference over all
        areas.
    edition : Edition
        Whose names it may use.

    Raises
    ------
    DataError
        If it names something that there is not.
    """
    rest, _, state = text.partition(":")
    quantity, _, group = rest.partition("@")
    spec, areas = edition.spec, edition.areas
    known = ("total", *spec.domain_ids, "rank", *(outcome.id for outcome in outcome_specs(edition)), *MEASURES)
    _known(quantity.strip(), known, f"--measure {text}: unknown quantity", listed(known, len(known)))
    state = state.strip() or STATES[0]
    _known(state, STATES, f"--measure {text}: unknown state", listed(STATES))
    if group.strip() and quantity.strip() in MEASURES:
        raise DataError(
            f"--measure {escaped(text)}: {quantity.strip()} is over all areas and has no group. Write "
            f"{quantity.strip()}, or measure the total of a group."
        )
    group = group.strip() or ALL.lower()
    groups = (TARGETS, ALL, *dict.fromkeys(areas.region), *areas.name, *areas.code)
    if spelled(group, groups) is None:
        names = dict(zip(areas.code, areas.name, strict=True))
        code = meaning_of(group, names, edition=edition.name, regions=areas.region).code
        if code is not None:
            return Measured(quantity=quantity.strip(), group=names[code], state=state)
        words = f"{TARGETS.lower()}, {ALL.lower()}, a region or an area"
        raise DataError(
            f"--measure {escaped(text)}: unknown group '{escaped(group)}'{suggestion(group, groups)}. Use {words}."
        )
    return Measured(quantity=quantity.strip(), group=group, state=state)


def _known(word: str, among: Sequence[str], what: str, words: str) -> None:
    if word not in among:
        raise DataError(f"{escaped(what)} '{escaped(word)}'{suggestion(word, among)}. Use one of {words}.")


def usual_measures(scenarios: Sequence[Scenario], edition: Edition, *, same_targets: bool) -> tuple[Measured, ...]:
    """Return what is measured where nothing else is asked for.

    The total over all areas, the total and the rank of the target areas where all scenarios reach the same ones, every
    measure of inequality that all files ask for, and every health outcome that all files link in the same way.
    """
    acting = [scenario for scenario in scenarios if scenario.actions] or list(scenarios)
    found = [Measured(quantity="total", group=ALL.lower())]
    if same_targets:
        found += [Measured(quantity=name, group=TARGETS.lower()) for name in ("total", "rank")]
    ordered = ordered_by_deprivation(edition.areas)
    for name in acting[0].analysis.inequality:
        asked = all(name in scenario.analysis.inequality for scenario in acting)
        if asked and (ordered or name not in BY_DEPRIVATION):
            found.append(Measured(quantity=name, group=ALL.lower()))
    links = same_links(acting)
    found += [Measured(quantity=name, group=ALL.lower()) for name, same in links.items() if same]
    return tuple(found)


def same_links(scenarios: Sequence[Scenario]) -> dict[str, bool]:
    """Tell for every health outcome named whether all scenarios link it to the total in the same way."""
    rules = [{link.outcome: link for link in scenario.health} for scenario in scenarios]
    names = dict.fromkeys(name for rule in rules for name in rule)
    return {name: all(rule.get(name) == rules[0].get(name) for rule in rules) for name in names}


def check_measures(
    measures: Sequence[Measured],
    scenarios: Sequence[Scenario],
    labels: Sequence[str],
    edition: Edition,
    *,
    same_targets: bool,
) -> None:
    """Refuse measures that would not mean the same in every scenario.

    Raises
    ------
    DataError
        For target areas that differ between scenarios, and for health outcomes that they link in different ways.
    """
    acting = [(s, label) for s, label in zip(scenarios, labels, strict=True) if s.actions]
    links = same_links([s for s, _ in acting] or scenarios)
    outcomes = {outcome.id for outcome in outcome_specs(edition)}
    for measured in measures:
        if measured.quantity not in MEASURES and measured.group.casefold() == TARGETS.casefold() and not same_targets:
            raise DataError(
                f"The scenarios reach different areas, so {measured.quantity} of the target areas is not one measure. "
                f"Measure {ALL.lower()}, a region or an area."
            )
        if links.get(measured.quantity) is False:
            named = link_texts([s for s, _ in acting], [label for _, label in acting], measured.quantity)
            raise DataError(
                f"The scenarios link {measured.quantity} in different ways ({named}), so it would compare the "
                "assumptions. Write one link and lag in all files."
            )
        if measured.quantity in outcomes and measured.quantity not in links:
            raise DataError(f"No scenario has the health outcome {measured.quantity}. Add it to health in all files.")


def link_texts(scenarios: Sequence[Scenario], labels: Sequence[str], outcome: str) -> str:
    """Say in which ways scenarios link an outcome, and which of them do so."""
    found: dict[str, list[str]] = {}
    for scenario, label in zip(scenarios, labels, strict=True):
        found.setdefault(link_text(scenario, outcome), []).append(label)
    return "; ".join(f"{text} in {some(named)}" for text, named in found.items())


def link_text(scenario: Scenario, outcome: str) -> str:
    """Say how a scenario links an outcome."""
    link: HealthLink | None = next((link for link in scenario.health if link.outcome == outcome), None)
    if link is None:
        return "not at all"
    share = None if isinstance(link.link, str) else link.link.causal_share
    words = str(link.link) if share is None else f"causal share {share.mean:g} (sd {share.sd:g})"
    return f"{words}, lag {link.lag.years} + {link.lag.build_up} years"
