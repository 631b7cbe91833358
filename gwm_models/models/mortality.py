"""Deaths that can be avoided as outcomes of a scenario: their models, and their levels in each area."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.data.index_spec import OutcomeSpec
from gwm_models.models.cross_section import cross_section
from gwm_models.models.health import HealthModel, HealthModels
from gwm_models.models.mortality_links import HUNDRED_THOUSAND, UNIT, mortality_links, stored_links
from gwm_models.models.outcomes import find_outcome

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DeathRate(Frozen):
    """Deaths per 100,000 a year in each area.

    Attributes
    ----------
    unit : tuple of str, length n_areas
        The unit, or units, whose figure an area has; areas of one share its error.
    value, error : ndarray, shape (n_areas,)
        Published rate, or deaths over residents; its standard error. NaN where there is no figure.
    """

    unit: tuple[str, ...]
    value: Floats
    error: Floats


@lru_cache(maxsize=4)
def mortality_models(edition: Edition) -> HealthModels:
    """Return the models of the outcomes that are rates of deaths, in the form of those of the index definition.

    Raises
    ------
    ModelError
        If a slope cannot be fitted.
    """
    links, facts = mortality_links(edition), stored_links(edition).facts["models"]
    models = [HealthModel(outcome_spec(name), plain={}, domains={}, **facts[name]) for name in links.outcome]
    return HealthModels(tuple(models), links)


def outcome_spec(name: str) -> OutcomeSpec:
    """Return an outcome as the index definition describes its own: a rate, whatever it is published as."""
    outcome = find_outcome(name)
    return OutcomeSpec(outcome.id, outcome.label, UNIT, outcome.period, outcome.variable, outcome.sex)


@lru_cache(maxsize=4)
def death_rate(edition: Edition, name: str) -> DeathRate:
    """Return the rate of deaths in each area.

    A count is a rate on residents of mid-2019 with a Poisson error, a year; units whose residents are only known
    together have one rate.

    Parameters
    ----------
    edition : Edition
    name : str
        One of `gwm_models.models.mortality_links.MORTALITY`.
    """
    outcome = find_outcome(name)
    found = cross_section(edition, outcome)
    value, error = found.value, found.error
    if outcome.kind == "count":
        residents = found.population * len(outcome.periods)
        error = HUNDRED_THOUSAND * np.sqrt(np.maximum(value, 1.0)) / residents
        value = HUNDRED_THOUSAND * value / residents
    row = {unit: i for i, code in enumerate(found.code) for unit in code.split("+")}
    place = [row[unit] for unit in edition.areas.unit]
    return DeathRate(tuple(found.code[i] for i in place), value[place], error[place])
