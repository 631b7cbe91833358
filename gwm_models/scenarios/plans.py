"""The actions of a scenario as the arrays of the engine need them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.scenarios.bases import base_population
from gwm_models.scenarios.conditions import Conditions
from gwm_models.scenarios.engine_parts import ActionPlan, neighbour_lists, spread_to
from gwm_models.scenarios.phases import along_path, faded, peak, phase_in
from gwm_models.scenarios.shock import shock_course
from gwm_models.scenarios.sizes import Size
from gwm_models.scenarios.spec import Action, Amount
from gwm_models.scenarios.targets import Selection
from gwm_models.scenarios.words import subject_of

Floats = NDArray[np.float64]


def make_plans(
    actions: Sequence[Action],
    selections: Sequence[Selection],
    edition: Edition,
    conditions: Conditions | None,
    years: Sequence[int],
) -> tuple[ActionPlan, ...]:
    """Return the plan of every action.

    Parameters
    ----------
    actions, selections : sequence
        The actions of a checked scenario, and the areas they reach.
    edition : Edition
    conditions : Conditions or None
        None where no action changes a condition.
    years : sequence of int

    Returns
    -------
    tuple of ActionPlan
        Spillover of an action goes to areas that no action reaches which changes the same; a shock is no programme, so
        areas that one reaches still receive it.

    Raises
    ------
    ModelError
        If an action needs figures that the edition does not have.
    """
    neighbours = neighbour_lists(edition.areas.borders, len(edition.areas))
    having = _having(actions, selections)
    return tuple(
        _plan(action, chosen, edition, conditions, years, neighbours, having.get(_subject(action), set()))
        for action, chosen in zip(actions, selections, strict=True)
    )


def _subject(action: Action) -> str:
    """Name what an action changes."""
    return str(action.indicator or action.condition)


def _having(actions: Sequence[Action], selections: Sequence[Selection]) -> dict[str, set[int]]:
    """Return the places of the areas that have a programme on each indicator or condition."""
    found: dict[str, set[int]] = {}
    for action, chosen in zip(actions, selections, strict=True):
        if action.change.kind != "shock":
            found.setdefault(_subject(action), set()).update(np.flatnonzero(chosen.treated).tolist())
    return found


def _plan(
    action: Action,
    chosen: Selection,
    edition: Edition,
    conditions: Conditions | None,
    years: Sequence[int],
    neighbours: list[list[int]],
    having: set[int],
) -> ActionPlan:
    places = np.flatnonzero(chosen.treated)
    if action.condition is None or conditions is None:
        quantity = edition.spec.indicator_ids.index(str(action.indicator))
    else:
        c = conditions.place(action.condition)
        quantity = len(edition.spec.indicators) + c
        _check_levels(action, conditions.levels[places, c], [edition.areas.name[i] for i in places])
    spill = action.spillover
    shock = shock_course(action, edition, years) if action.change.profile is not None else None
    return ActionPlan(
        id=action.id,
        quantity=quantity,
        size=size_of(action, edition),
        places=places,
        phase=phase_of(action, years) if shock is None else shock.mean,
        own_phase=None if shock is None else shock.departures,
        reach=action.reach,
        spread=spread_to(neighbours, places, spill.share, having) if spill is not None and spill.share else None,
        people=_people(action, edition, places),
    )


def size_of(action: Action, edition: Edition) -> Size:
    """Return what a change asks for, with its benchmark and the direction in which a level is better."""
    direction = subject_of(action, edition.spec.indicators).direction
    return Size(_kind(action), direction, _benchmark(action, edition))


def _kind(action: Action) -> str:
    if action.change.unit == "points":
        return "points"
    return "absolute" if action.change.kind in ("path", "shock") else action.change.kind


def _check_levels(action: Action, level: Floats, names: Sequence[str]) -> None:
    """Refuse a change that is worked out from a figure that an area does not have."""
    missing = [name for name, known in zip(names, np.isfinite(level), strict=True) if not known]
    if missing and Size(_kind(action)).from_level:
        raise ModelError(
            f"{action.id}: {missing[0]} has no figure of '{action.condition}', so a change of kind "
            f"'{action.change.kind}' cannot be worked out there. Exclude it, or write kind: absolute."
        )


def _benchmark(action: Action, edition: Edition) -> str | Floats:
    """Return a named benchmark, or the weights of the areas whose mean it is: residents, so that people weigh the same.

    A single area has the weight 1.
    """
    to, areas = action.change.to, edition.areas
    if action.change.kind != "close_gap" or to is None or to in ("median", "best_quintile"):
        return to or ""
    if to == "mean":
        weight = areas.population.astype(float)
    elif to in areas.code:
        weight = np.array([float(code == to) for code in areas.code])
    else:
        weight = areas.population * np.array([region == to for region in areas.region])
    if not weight.any():
        raise ModelError(
            f"{action.id}: '{to}' is no benchmark of {edition.name}. Write median, best_quintile, mean, a region, or "
            "an area's code."
        )
    return np.asarray(weight / weight.sum())


def phase_of(action: Action, years: Sequence[int]) -> Floats:
    """Return the share of an action's change in place in each year; of a path, the share of its largest size.

    Raises
    ------
    ModelError
        If the action says nothing of when it comes.
    """
    change = action.change
    if change.path is not None:
        top = peak([size for _, size in change.path])
        return along_path(years, change.path) / top if top else np.zeros(len(years))
    phasing = action.phasing
    if phasing is None:
        raise ModelError(f"{action.id}: a change of kind '{change.kind}' needs phasing: {{start: ..., full_by: ...}}.")
    half_life = phasing.fade.half_life if phasing.fade else None
    if phasing.path is None:
        return phase_in(years, phasing.start, phasing.full_by, shape=phasing.shape, half_life=half_life)
    share = along_path(years, phasing.path)
    return share if half_life is None else share * faded(np.asarray(years, float), phasing.full_by, half_life)


def _people(action: Action, edition: Edition, places: NDArray[np.int64]) -> Floats | None:
    """Return the people that one percentage point stands for, where a cost is counted for each of them."""
    cost = action.cost
    amounts: list[Amount | None] = [] if cost is None else [cost.fixed, cost.recurring]
    if not any(amount is not None and amount.unit == "GBP_per_job" for amount in amounts):
        return None
    base = base_population(edition, action.indicator) if action.indicator else None
    if base is None:
        raise ModelError(
            f"{action.id}: a cost per job needs an indicator that is a percentage of people; "
            f"'{action.indicator or action.condition}' is none. Give the cost per resident instead."
        )
    return np.asarray(base.people[places] / 100)
