"""What a run costs year by year, at one price base, discounted to the first year of its horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError, some
from gwm_models.evaluation.appraisal_arrays import discount_factors
from gwm_models.evaluation.appraisal_terms import Terms, prices_factor
from gwm_models.scenarios.costs import CostDraws, cost_by_year
from gwm_models.scenarios.projection import Projection

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CostStream(Frozen):
    """Costs of all actions with a cost, in GBP at one price base.

    Attributes
    ----------
    price_base : int
    first : int
        Year that everything is discounted to.
    years : tuple of int
        Years of payment, in order; they may lie outside the horizon.
    by_year : ndarray, shape (n_years, n_draws)
        Undiscounted.
    discounted : ndarray, shape (n_draws,)
    actions : tuple of str
        With a cost, in the order of `each`.
    each : ndarray, shape (n_actions, n_draws)
        Discounted, by action.
    uncosted : tuple of str
        Actions without a cost.
    converted : tuple of int
        Price bases that were converted.
    """

    price_base: int
    first: int
    years: tuple[int, ...]
    by_year: Floats
    discounted: Floats
    actions: tuple[str, ...]
    each: Floats
    uncosted: tuple[str, ...]
    converted: tuple[int, ...]

    @property
    def total(self) -> Floats:
        """Return the undiscounted cost, shape (n_draws,)."""
        return np.asarray(self.by_year.sum(axis=0))


def cost_stream(projection: Projection, terms: Terms) -> CostStream:
    """Add up the costs of a run by year, at one price base.

    Parameters
    ----------
    projection : Projection
    terms : Terms

    Raises
    ------
    DataError
        If no action has a cost, or costs have several price bases and no deflator brings them together.
    """
    found = {}
    for a, action in enumerate(projection.scenario.actions):
        paid = cost_by_year(projection, a)
        if paid is not None:
            found[action.id] = paid
    if not found:
        raise DataError(
            f"{projection.scenario.id}: no action has a cost, so there is nothing to appraise. Add a cost block to an "
            "action (gwm schema)."
        )
    price_base = _price_base(found, terms)
    first = projection.years[0]
    years = tuple(sorted({year for paid in found.values() for year in _years_of(paid)}))
    parts = np.array(
        [_by_year(paid, years) * prices_factor(terms, paid.price_base, price_base) for paid in found.values()]
    )
    factors = discount_factors(years, first, terms.cost_rate)
    each = np.einsum("ayn,y->an", parts, factors)
    return CostStream(
        price_base=price_base,
        first=first,
        years=years,
        by_year=parts.sum(axis=0),
        discounted=each.sum(axis=0),
        actions=tuple(found),
        each=each,
        uncosted=tuple(action.id for action in projection.scenario.actions if action.id not in found),
        converted=tuple(sorted({paid.price_base for paid in found.values()} - {price_base})),
    )


def _price_base(found: dict[str, CostDraws], terms: Terms) -> int:
    """Return the price base of all costs: the one asked for, or the one they share."""
    bases = sorted({paid.price_base for paid in found.values()})
    if terms.price_base is not None:
        return terms.price_base
    if len(bases) > 1 and not terms.deflator:
        named = [f"{name} {paid.price_base}" for name, paid in found.items()]
        raise DataError(
            f"The costs are at prices of different years ({some(named)}) and no price index is shipped. State them at "
            "one price base, or give a deflator (a CSV file with columns year, index)."
        )
    return bases[-1]


def _years_of(paid: CostDraws) -> set[int]:
    return set(paid.years) | ({paid.start} if paid.fixed.any() else set())


def _by_year(paid: CostDraws, years: tuple[int, ...]) -> Floats:
    """Return what one action costs in each year, shape (n_years, n_draws), at its own price base."""
    place = {year: t for t, year in enumerate(years)}
    found = np.zeros((len(years), len(paid.fixed)))
    if paid.start in place:
        found[place[paid.start]] += paid.fixed
    for year, amount in zip(paid.years, paid.recurring, strict=True):
        found[place[year]] += amount
    return found
