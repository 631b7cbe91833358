"""Sums over areas from joint draws: people, years of healthy life, deaths."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, unit_values
from gwm_models.data.index_spec import OutcomeSpec
from gwm_models.errors import DataError
from gwm_models.scenarios.bases import CONDITION_COUNTS, base_population
from gwm_models.scenarios.projection import HealthEffect, Projection
from gwm_models.scenarios.rows import groups
from gwm_models.scenarios.spread import Row, interval_rows

Floats = NDArray[np.float64]

LIFE_EXPECTANCY = "life_expectancy_at_birth"
HALF = 0.5
"""Share of the residents taken to be of each sex: the tables of areas do not tell them apart."""
HARMS = ("mortality", "death", "suicide")
STANDARDISED = ("_asmr", "_asr")
"""How the variables of age-standardised rates end."""
HEALTHY_YEARS = (
    "Years of healthy life are counted for the last year alone: residents of that sex (half of all) times the change "
    "in healthy life expectancy over the life expectancy at birth of {period}. That is how many more residents would "
    "be in good health in that year if all ages had lived at its rates, which takes a lifetime to come about; life "
    "expectancy itself is held. The sexes add up within a draw."
)
NO_DEATHS = (
    "Deaths are not counted: no outcome of the scenario is a crude rate of deaths (a standardised rate times the "
    "residents is no number of deaths)."
)
NO_NUMBER = "{labels}: standardised for age, so times residents it is not a number of deaths, and none is given."
DEATHS = "Deaths are the change of a crude rate under the stated link times the residents, for the last year alone."


def sum_rows(projection: Projection, level: float) -> list[Row]:
    """Return what changes in all over each group of areas in the last year: people, healthy years, deaths.

    Parameters
    ----------
    projection : Projection
    level : float
        Of the intervals.

    Returns
    -------
    list of dict
        A row for each quantity and group, of kind ``people``, ``healthy_years`` or ``deaths``. Sums are taken over
        areas within each draw, so what the areas share is in the interval.
    """
    masks = groups(projection)
    member = np.column_stack([mask.astype(float) for mask in masks.values()])
    rows: list[Row] = []
    for head, change in _changes(projection):
        rows += interval_rows(head, list(masks), change @ member, level)
    return rows


def _changes(projection: Projection) -> Iterator[tuple[Row, Floats]]:
    """Give every quantity that adds up over areas: its names, and its change by draw and area."""
    yield from _people(projection)
    years = [
        (effect, healthy_years(effect, projection.edition))
        for effect in projection.health
        if _in_years(effect.model.outcome)
    ]
    for effect, change in years:
        label = f"Years of healthy life in the year, {effect.model.outcome.sex.lower()}"
        yield _head("healthy_years", effect.link.outcome, label, "years of healthy life"), change
    if len(years) == 2:
        label = "Years of healthy life in the year, both sexes"
        yield _head("healthy_years", "both", label, "years of healthy life"), years[0][1] + years[1][1]
    for effect in projection.health:
        if counts_deaths(effect.model.outcome):
            people = projection.edition.areas.population
            yield (
                _head("deaths", effect.link.outcome, f"{effect.model.outcome.label} in the year", "deaths"),
                effect.stated * people / 100_000,
            )


def _head(kind: str, quantity: str, label: str, unit: str) -> Row:
    return {"kind": kind, "quantity": quantity, "label": label, "unit": unit, "state": "difference"}


def _people(projection: Projection) -> Iterator[tuple[Row, Floats]]:
    """Give the people behind each indicator that changes: percentage points of those it is a percentage of."""
    for j, indicator in enumerate(projection.edition.spec.indicators):
        moved = projection.level_change[:, :, j]
        base = base_population(projection.edition, indicator.id)
        if base is None or not moved.any():
            continue
        label = base.counted[0].upper() + base.counted[1:]
        yield _head("people", indicator.id, label, "people"), moved / 100 * base.people
    working_age = projection.edition.areas.population_16_64
    for name, counted in CONDITION_COUNTS.items():
        actions = enumerate(projection.scenario.actions)
        moved = sum((projection.delivered[a] for a, action in actions if action.condition == name), np.zeros(()))
        if moved.any():
            yield _head("people", name, counted[0].upper() + counted[1:], "people"), moved / 100 * working_age


def healthy_years(effect: HealthEffect, edition: Edition) -> Floats:
    """Return years lived in good health in the last year, more than without the actions; shape (n_draws, n_areas).

    Residents of the outcome's sex times the change in healthy life expectancy (stated link) over life expectancy: in a
    population that has lived at these rates at all ages, the share in good health is healthy over whole life
    expectancy.

    References
    ----------
    Sullivan (1971), HSMHA Health Reports 86, 347-354.
    """
    life = life_expectancy(edition, effect.model.outcome)
    return np.asarray(effect.stated * (HALF * edition.areas.population / life))


@lru_cache(maxsize=8)
def life_expectancy(edition: Edition, outcome: OutcomeSpec) -> Floats:
    """Return the published life expectancy at birth of an outcome's sex and period by area, in years.

    Raises
    ------
    DataError
        If an area has none.
    """
    life = np.array(
        unit_values("outcomes", LIFE_EXPECTANCY, outcome.period, edition.areas.unit, sex=outcome.sex)["value"]
    )
    if not np.isfinite(life).all():
        place = int(np.flatnonzero(~np.isfinite(life))[0])
        raise DataError(
            f"outcomes: no life expectancy of {edition.areas.name[place]} ({outcome.sex}, {outcome.period})."
        )
    life.setflags(write=False)
    return life


def counts_deaths(outcome: OutcomeSpec) -> bool:
    """Tell whether an outcome is a crude rate of deaths per 100,000 residents and year."""
    crude = not outcome.variable.endswith(STANDARDISED)
    return crude and "100" in outcome.unit and any(word in outcome.id for word in HARMS)


def _in_years(outcome: OutcomeSpec) -> bool:
    return outcome.unit == "years" and outcome.variable.startswith("healthy_life_expectancy")


def sum_words(projection: Projection) -> list[str]:
    """Say what the sums assume, in plain words."""
    said = []
    for j, indicator in enumerate(projection.edition.spec.indicators):
        base = base_population(projection.edition, indicator.id)
        if base is not None and projection.level_change[:, :, j].any():
            said.append(
                f"People behind {indicator.label}: percentage points of {base.of}{base.words and f', {base.words}'}; "
                "their number is held at the edition's."
            )
    outcomes = [effect.model.outcome for effect in projection.health]
    if any(_in_years(outcome) for outcome in outcomes):
        period = next(outcome.period for outcome in outcomes if _in_years(outcome))
        said.append(HEALTHY_YEARS.format(period=period))
    said.append(DEATHS if any(counts_deaths(outcome) for outcome in outcomes) else NO_DEATHS)
    standardised = [outcome.label for outcome in outcomes if outcome.variable.endswith(STANDARDISED)]
    if standardised and len(standardised) < len(outcomes):
        said.append(NO_NUMBER.format(labels=" and ".join(standardised)))
    return said
