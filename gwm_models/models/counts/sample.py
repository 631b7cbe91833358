"""Deaths, person-years and terms of a count regression, a row for each unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.models.cross_section import CrossSection

Floats = NDArray[np.float64]

ASSUMPTIONS = (
    "Person-years are the residents of mid-2019 times the years pooled: populations of the years themselves are not in "
    "the data, and an area whose population grew has slightly too low a rate.",
    "Rates are not standardised for age: areas with more people of the ages that die of this have higher rates.",
    "Bournemouth, Christchurch and Poole and Dorset are one unit, because Christchurch moved between them in 2019.",
    "The score is taken as it is published; survey error in it makes the association look weaker than it is.",
    "Units are taken as independent given their scores; Moran's I of the residuals checks that.",
)
OVERLAP = (
    "Deprivation contains employment and income, so adjusting for it also takes out part of what the index measures: "
    "the adjusted association is weaker than that of good work as a whole."
)
NOT_SHOWN = (
    "This compares areas at one time: it does not show that {what} would change in an area whose score changed, and "
    "areas differ in age, deprivation, services and much else that is not held equal here."
)


@dataclass(frozen=True, eq=False)
class CountSample(Frozen):
    """Units of a count regression.

    Attributes
    ----------
    kept : ndarray of bool, shape (n_units,)
        Units of the cross-section that are used; the other arrays hold these only.
    count, person_years : ndarray, shape (n,)
    design : ndarray, shape (n, k)
        Terms in the order of `term`, the constant last; levels are taken from their sample mean.
    term, unit, excluded : tuple of str
    """

    kept: NDArray[np.bool_]
    count: Floats
    person_years: Floats
    design: Floats
    term: tuple[str, ...]
    unit: tuple[str, ...]
    excluded: tuple[str, ...]


Columns = tuple[tuple[str, str, Floats], ...]
"""Terms of a specification: name, unit, and the value of each unit."""

PER_100 = "log rate per 100 points"


def total_column(c: CrossSection) -> Columns:
    """Return the total."""
    return (("total", PER_100, c.total / 100),)


def domain_columns(c: CrossSection) -> Columns:
    """Return the score of each domain."""
    return tuple((name, PER_100, c.domains[:, j] / 100) for j, name in enumerate(c.domain_ids))


def deprivation_columns(c: CrossSection) -> Columns:
    """Return the total and the Index of Multiple Deprivation."""
    return (
        *total_column(c),
        ("deprivation", "log rate per 10 points of the Index of Multiple Deprivation", c.deprivation / 10),
    )


def region_columns(c: CrossSection) -> Columns:
    """Return the total and a column for each region but the first by name, which the others are compared with."""
    first, *others = sorted(set(c.region))
    here = np.array(c.region)
    unit = f"log rate against {first}"
    return (*total_column(c), *((f"region: {name}", unit, (here == name).astype(float)) for name in others))


def count_sample(c: CrossSection, columns: Columns) -> CountSample:
    """Set deaths, person-years and terms side by side for the units that have all of them.

    Person-years are the residents of mid-2019 times the number of years that are pooled.
    """
    values = np.column_stack([column for _, _, column in columns])
    kept, excluded = c.keep((c.value, "no published count"), (values, "no figure of a covariate"))
    levels = values[kept]
    dummies = ((levels == 0) | (levels == 1)).all(axis=0)
    centred = levels - np.where(dummies, 0.0, levels.mean(axis=0))
    return CountSample(
        kept=kept,
        count=c.value[kept],
        person_years=c.population[kept] * len(c.outcome.periods),
        design=np.column_stack([centred, np.ones(kept.sum())]),
        term=(*(name for name, _, _ in columns), "intercept"),
        unit=(*(unit for _, unit, _ in columns), "log deaths per person-year at the mean of the sample"),
        excluded=excluded,
    )
