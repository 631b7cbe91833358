"""The options of a portfolio: actions of other files taken in, and actions at other sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gwm_models.errors import Problem
from gwm_models.scenarios.findings import escaped, number_text
from gwm_models.scenarios.spec import Action, Amount, Cost, Option, Scenario, Uncertainty
from gwm_models.scenarios.vary import without_search
from gwm_models.scenarios.view import View

Content = dict[str, Any]
Check = Callable[[Content], tuple[Scenario | None, list[Problem]]]
Read = Callable[[str], tuple[Scenario | None, list[Problem]]]


def with_files(file: View, scenario: Scenario, read: Read, check: Check) -> Scenario | None:
    """Take the actions of other files into a portfolio, whose horizon, baseline and health links hold for them.

    Parameters
    ----------
    file : View
        The whole file, to which faults are reported.
    scenario : Scenario
        As read; without a fault so far.
    read : callable
        Reads another scenario file by the name that an option gives.
    check : callable
        Checks plain data; returns the scenario, or None, and what is wrong.

    Returns
    -------
    Scenario or None
        With the ids of their actions in place of the files; None where a file cannot be used.
    """
    options = (scenario.portfolio.options if scenario.portfolio is not None else None) or ()
    if not any(option.file for option in options):
        return scenario
    content, at = plain_of(scenario), file / "portfolio" / "options"
    taken = {action.id for action in scenario.actions}
    for place, option in enumerate(options):
        found = None if option.file is None else _read(at / place / "file", option.file, scenario, read)
        if found is None:
            continue
        ids = [action.id for action in found.actions]
        twice = sorted(taken & set(ids))
        if twice:
            (at / place / "file").error(f"has an action '{twice[0]}', which is there already", "rename one of the two")
        taken |= set(ids)
        content["actions"] += plain_of(found)["actions"]
        content["portfolio"]["options"][place].pop("file")
        content["portfolio"]["options"][place]["actions"] = ids
    if file.findings.faulty:
        return None
    whole, problems = check(content)
    if whole is None:
        fault = next(problem for problem in problems if problem.severity == "error")
        at.error(f"with the actions of its files: {fault.path}: {fault.what}", fault.fix)
    return whole


def _read(at: View, name: str, scenario: Scenario, read: Read) -> Scenario | None:
    """Read the file of an option; report why it cannot be used."""
    found, problems = read(name)
    if found is None:
        fault = next(problem for problem in problems if problem.severity == "error")
        at.error(f"'{escaped(name)}' cannot be used: {fault.path or 'file'}: {fault.what}", fault.fix or "mend it")
    elif found.kind != "scenario":
        at.error(f"'{escaped(name)}' is a {found.kind}", "name a file of kind scenario")
    elif not found.actions:
        at.error(f"'{escaped(name)}' has no action", "name a scenario that does something")
    elif found.baseline.edition != scenario.baseline.edition:
        what = f"'{escaped(name)}' is on {escaped(found.baseline.edition)}, this file on {scenario.baseline.edition}"
        at.error(what, "name a scenario on the same edition")
    else:
        return found
    return None


def check_sizes(file: View, scenario: Scenario, check: Check) -> None:
    """Check the smallest and the largest size of every option: the scenario with its actions at that size is sound."""
    options = scenario.portfolio.options if scenario.portfolio is not None else None
    for place, option in enumerate(options or ()):
        for size in sorted({min(option.sizes), max(option.sizes)} - {1.0}):
            changed = plain_of(at_size(scenario, option, size))
            fault = next((each for each in check(changed)[1] if each.severity == "error"), None)
            if fault is not None:
                at = file / "portfolio" / "options" / place / "sizes"
                what = f"with size {number_text(size)}: {fault.path}: {fault.what}"
                at.error(what, "write sizes at which its actions are possible")
                break


def plain_of(scenario: Scenario) -> Content:
    """Return a scenario as plain data that reads back as the same."""
    return scenario.model_dump(mode="json", by_alias=True, exclude_none=True)


def at_size(scenario: Scenario, option: Option, size: float) -> Scenario:
    """Return the ordinary scenario of all actions of a file, those of one option at another size."""
    chosen = option.actions or ()
    actions = tuple(sized(each, size, size) if each.id in chosen else each for each in scenario.actions)
    plain = scenario.model_copy(update={"kind": "scenario", "portfolio": None, "actions": actions})
    return Scenario.model_validate(without_search(plain_of(plain)))


def sized(action: Action, size: float, cost: float) -> Action:
    """Return an action at another size: its change, its interval and its spread over areas times the size.

    Parameters
    ----------
    action : Action
    size : float
        1 leaves it as it is.
    cost : float
        What it costs, as a multiple. An amount per job is multiplied by the cost over the size, since the jobs
        themselves go with the size.

    Examples
    --------
    >>> action = Action.model_validate({"id": "a", "indicator": "unemployment_rate", "target": {"everyone": True},
    ...     "change": {"kind": "absolute", "value": -1.0, "unit": "pp"}, "uncertainty": {"low": -2.0, "high": 0.0}})
    >>> twice = sized(action, 2.0, 2.0)
    >>> twice.change.value, twice.uncertainty.low
    (-2.0, -4.0)
    """
    change, unsure = action.change, action.uncertainty
    update: Content = {}
    if size != 1:
        path = None if change.path is None else tuple((year, size * value) for year, value in change.path)
        value = None if change.value is None else size * change.value
        update["change"] = change.model_copy(update={"value": value, "path": path})
    if size != 1 and unsure is not None:
        update["uncertainty"] = Uncertainty(
            low=size * unsure.low,
            high=size * unsure.high,
            level=unsure.level,
            across_areas=size * unsure.across_areas,
        )
    if action.cost is not None and (size != 1 or cost != 1):
        update["cost"] = Cost(
            fixed=_times(action.cost.fixed, size, cost),
            recurring=_times(action.cost.recurring, size, cost),
            price_base=action.cost.price_base,
        )
    return action.model_copy(update=update)


def _times(amount: Amount | None, size: float, cost: float) -> Amount | None:
    if amount is None:
        return None
    factor = cost / size if amount.unit == "GBP_per_job" else cost
    ends = {name: None if end is None else factor * end for name, end in (("low", amount.low), ("high", amount.high))}
    return amount.model_copy(update={"value": factor * amount.value, **ends})
