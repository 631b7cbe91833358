"""Who an indicator in percent counts: the people that one percentage point of it stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition

Floats = NDArray[np.float64]

ACTIVITY, UNEMPLOYMENT = "economic_activity_rate", "unemployment_rate"
WORKING_AGE, ACTIVE, EMPLOYED = "residents aged 16 to 64", "economically active residents", "employed residents"
BASES = {
    ACTIVITY: (WORKING_AGE, "economically active residents aged 16 to 64"),
    UNEMPLOYMENT: (ACTIVE, "unemployed residents aged 16 to 64"),
    "professional_share": (EMPLOYED, "residents in professional and managerial jobs"),
    "routine_share": (EMPLOYED, "residents in operative and elementary jobs"),
}
"""For each indicator: whom it is a percentage of, and whom it counts."""

CONDITION_COUNTS = {"nvq4plus_share": "residents aged 16 to 64 qualified to NVQ level 4 or above"}
"""Conditions that are percentages of the residents aged 16 to 64, and whom they count."""


@dataclass(frozen=True, eq=False)
class Base:
    """The people that an indicator is a percentage of.

    Attributes
    ----------
    people : ndarray, shape (n_areas,)
        Their number, mid-2019 in the shipped editions, at the edition's published rates.
    of, counted : str
        Who they are, and whom the indicator counts among them.
    words : str
        How their number comes about, where that needs saying.
    """

    people: Floats
    of: str
    counted: str
    words: str


def base_population(edition: Edition, indicator: str) -> Base | None:
    """Return the people that an indicator is a percentage of; None where it is no percentage.

    The economically active are the residents aged 16 to 64 times the published activity rate; the employed are those
    times one less the unemployment rate. An indicator that is not listed in `BASES`, or whose rates the edition lacks,
    is taken as a percentage of the residents aged 16 to 64, and its words say so.
    """
    spec = edition.spec.indicator(indicator)
    if spec.unit != "percent":
        return None
    working_age = edition.areas.population_16_64
    of, counted = BASES.get(indicator, ("", f"residents aged 16 to 64 counted by: {spec.label}"))
    active, unemployed = _rate(edition, ACTIVITY), _rate(edition, UNEMPLOYMENT)
    if of == ACTIVE and active is not None:
        return Base(working_age * active, of, counted, f"counted as {WORKING_AGE} times the published activity rate")
    if of == EMPLOYED and active is not None and unemployed is not None:
        words = f"counted as {WORKING_AGE} times the published activity rate, less the unemployed and older workers"
        return Base(working_age * active * (1 - unemployed), of, counted, words)
    assumed = "" if of == WORKING_AGE else "assumed to be whom it is a percentage of"
    return Base(working_age, WORKING_AGE, counted, assumed)


def _rate(edition: Edition, indicator: str) -> Floats | None:
    """Return the published levels of a rate as shares; None where the edition lacks one."""
    if indicator not in edition.spec.indicator_ids:
        return None
    share = edition.values[:, edition.spec.indicator_ids.index(indicator)] / 100
    return np.asarray(share) if np.isfinite(share).all() else None
