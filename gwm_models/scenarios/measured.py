"""One number of a projection in every draw: what goals, sweeps and comparisons look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.vocabulary import Vocabulary
from gwm_models.errors import ModelError, some
from gwm_models.scenarios.groups import ALL, TARGETS, one_group
from gwm_models.scenarios.inequality import MEASURES, inequality
from gwm_models.scenarios.known import DEATH_RATE, MORTALITY, outcomes_of
from gwm_models.scenarios.outcomes import outcome_specs
from gwm_models.scenarios.projection import HealthEffect, Projection
from gwm_models.scenarios.spec import Measured

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TOTAL, RANK = "total", "rank"
HARM = ("mortality", "death", "admission", "suicide", "harm", "despair")
"""Words in the name of an outcome that counts harm."""


def measure_draws(projection: Projection, measured: Measured) -> Floats:
    """Return a measured number of a projection in every draw.

    Parameters
    ----------
    projection : Projection
    measured : Measured

    Returns
    -------
    ndarray, shape (n_draws,)
        The mean over the group in the last year: areas weigh the same for scores and ranks, residents for health
        (stated link). A percentage is of the baseline of the same draw; NaN where that is zero.

    Raises
    ------
    ModelError
        If the projection has no such quantity or group.
    """
    if measured.quantity in MEASURES:
        return _in_state(measured, *_inequality(projection, measured.quantity))
    label, mask = one_group(projection.edition.areas, projection.treated, measured.group)
    if not mask.any():
        if measured.state == "scenario":
            raise ModelError(f"The scenario has no {label.lower()}. Measure all areas, a region or an area instead.")
        return np.zeros(len(projection.rank_before))
    if measured.quantity == RANK:
        before, after = (
            np.asarray(ranks[:, mask].mean(axis=1)) for ranks in (projection.rank_before, projection.rank_after)
        )
        return _in_state(measured, before, after - before)
    levels, change = _levels(projection, measured.quantity, mask)
    return _in_state(measured, levels, change)


def _in_state(measured: Measured, before: Floats, change: Floats) -> Floats:
    if measured.state == "difference":
        return change
    if measured.state == "scenario":
        return before + change
    return np.asarray(100 * change / np.where(before != 0, before, np.nan))


def _inequality(projection: Projection, name: str) -> tuple[Floats, Floats]:
    areas = projection.edition.areas
    before = inequality(name, projection.total_before, areas)
    return before, inequality(name, projection.total_before + projection.change, areas) - before


def _levels(projection: Projection, quantity: str, mask: Bools) -> tuple[Floats, Floats]:
    """Return the mean over a group before, and its change, of a score or a health outcome; shape (n_draws,) each."""
    spec = projection.edition.spec
    if quantity == TOTAL:
        return projection.total_before[:, mask].mean(axis=1), projection.change[:, mask].mean(axis=1)
    if quantity in spec.domain_ids:
        d = spec.domain_ids.index(quantity)
        return (
            projection.score_before[:, mask, d].mean(axis=1),
            projection.domain_change[:, mask, d].mean(axis=1),
        )
    effects = {effect.link.outcome: effect for effect in projection.health}
    if quantity not in effects:
        known = [TOTAL, *spec.domain_ids, RANK, *effects, *MEASURES]
        raise ModelError(f"The projection has no '{quantity}'; it has {some(known, len(known))}.")
    return _health(effects[quantity], projection.edition.areas.population, mask)


def _health(effect: HealthEffect, population: Floats, mask: Bools) -> tuple[Floats, Floats]:
    residents = population[mask] / population[mask].sum()
    levels = outcome_level(effect)[:, mask]
    known = np.isfinite(levels[0])
    if not known.all():
        levels, known_residents = levels[:, known], residents[known] / residents[known].sum()
        return levels @ known_residents, effect.stated[:, mask] @ residents
    return levels @ residents, effect.stated[:, mask] @ residents


def outcome_level(effect: HealthEffect) -> Floats:
    """Return draws of an outcome before the actions, shape (n_draws, n_areas); NaN where an area has no figure.

    An area whose limits are not published has its published value in every draw.
    """
    return np.where(np.isfinite(effect.baseline), effect.baseline, effect.published)


def measure_label(known: Projection | Edition | Vocabulary, measured: Measured) -> tuple[str, str]:
    """Name a measured number and its unit.

    Parameters
    ----------
    known : Projection, Edition or Vocabulary
        Where names are looked up.
    measured : Measured

    Returns
    -------
    label : str
        Such as ``Labour market access, mean of the target areas: change``.
    unit : str
        ``points``, ``ranks``, ``years``, ``ratio``, ``index`` or ``percent``.
    """
    names, outcomes, units = _names(known)
    label, unit = _base_label(measured.quantity, names, outcomes, units)
    if measured.quantity not in MEASURES:
        label += f", {'' if _is_one(known, measured.group) else 'mean of '}{_group_words(known, measured.group)}"
    if measured.state == "scenario":
        return f"{label}: after", unit
    return f"{label}: change", "percent" if measured.state == "percent_change" else unit


def _base_label(
    quantity: str, domains: dict[str, str], outcomes: dict[str, str], units: dict[str, str]
) -> tuple[str, str]:
    if quantity in MEASURES:
        return MEASURES[quantity]
    if quantity == TOTAL:
        return "Total", "points"
    if quantity == RANK:
        return "Rank (1 is best)", "ranks"
    if quantity in domains:
        return domains[quantity], "points"
    return f"{outcomes.get(quantity, quantity)} (stated link)", units.get(quantity, "years")


def _names(known: Projection | Edition | Vocabulary) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    if isinstance(known, Vocabulary):
        return known.domains, outcomes_of(known), {name: DEATH_RATE for name in MORTALITY}
    edition = known if isinstance(known, Edition) else known.edition
    specs = outcome_specs(edition)
    outcomes = {outcome.id: outcome.label for outcome in specs}
    return dict(edition.spec.domains), outcomes, {outcome.id: outcome.unit for outcome in specs}


def _area_names(known: Projection | Edition | Vocabulary) -> dict[str, str]:
    if isinstance(known, Vocabulary):
        return known.areas
    areas = (known if isinstance(known, Edition) else known.edition).areas
    return dict(zip(areas.code, areas.name, strict=True))


def _is_one(known: Projection | Edition | Vocabulary, group: str) -> bool:
    """Tell whether a group is a single area."""
    return group.casefold() in _known_areas(known)


def _group_words(known: Projection | Edition | Vocabulary, group: str) -> str:
    if group.casefold() in (TARGETS.casefold(), ALL.casefold()):
        return f"the {group.casefold()}" if group.casefold() == TARGETS.casefold() else group.casefold()
    return _known_areas(known).get(group.casefold(), group)


def _known_areas(known: Projection | Edition | Vocabulary) -> dict[str, str]:
    """Return the name of every area by its name and by its code, in lower case."""
    return {word.casefold(): name for code, name in _area_names(known).items() for word in (code, name)}


def measured_plain(measured: Measured) -> dict[str, Any]:
    """Return a measure as plain values; one of inequality, which is over all areas, has no group."""
    plain = measured.model_dump()
    return plain | {"group": None} if measured.quantity in MEASURES else plain


def better_is(measured: Measured | str) -> int:
    """Return 1 where more is better, -1 where less is: ranks, gaps, and outcomes that count harm.

    Health outcomes in years are better when they rise; an outcome whose name speaks of deaths, mortality, admissions or
    suicide is better when it falls.

    Parameters
    ----------
    measured : Measured or str
        A measured number, or its quantity.

    Examples
    --------
    >>> better_is("total"), better_is("rank"), better_is("drug_poisoning_deaths")
    (1, -1, -1)
    """
    quantity = measured if isinstance(measured, str) else measured.quantity
    if quantity == RANK or quantity in MEASURES:
        return -1
    return -1 if any(word in quantity for word in HARM) else 1
