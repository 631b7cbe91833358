"""What a run brings, in every draw, in the units that costs are held against: points, years of healthy life, gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, unit_values
from gwm_models.evaluation.appraisal_arrays import discount_factors
from gwm_models.evaluation.appraisal_terms import Terms
from gwm_models.scenarios.inequality import inequality, ordered_by_deprivation
from gwm_models.scenarios.projection import HealthEffect, Projection, project
from gwm_models.scenarios.sums import HALF, counts_deaths, life_expectancy

Floats = NDArray[np.float64]

POINTS, POINT_YEARS, HEALTHY, DEATHS = "points_last_year", "point_years", "healthy_years", "deaths"
GAPS = {"gap_10_10": "gap between the best and the worst tenth of areas", "sii": "slope index by deprivation"}
INCOME = ("median_gross_weekly_pay", "2018-04")
INCOME_WORDS = "median gross weekly pay of residents, all employees, April 2018 (Annual Survey of Hours and Earnings)"
PER_100K = 100_000


@dataclass(frozen=True, eq=False)
class EffectDraws:
    """One effect of a run in every draw; above zero is good.

    Attributes
    ----------
    measure, label, unit, units : str
        `unit` names one unit of it, what a cost is for each of; `units` several.
    definition : str
    period : str
    rate : float or None
        Discount rate a year; None for an effect in the last year, which is not discounted.
    draws : ndarray, shape (n_draws,)
        Discounted where there is a rate.
    undiscounted : ndarray, shape (n_draws,)
    weighted : ndarray, shape (n_draws,), or None
        With equity weights; None for a gap, or where the income of an area is not known.
    full : ndarray, shape (n_draws,), or None
        With the whole association of health taken as effect; None where it is no effect on health summed over areas.
    by_year : ndarray, shape (n_years, n_draws), or None
        Undiscounted, in the years of the horizon.
    """

    measure: str
    label: str
    unit: str
    units: str
    definition: str
    period: str
    rate: float | None
    draws: Floats
    undiscounted: Floats
    weighted: Floats | None = None
    full: Floats | None = None
    by_year: Floats | None = None


@dataclass(frozen=True, eq=False)
class Weigher:
    """One sum over areas: a weight for each area, and whose change it weighs.

    Attributes
    ----------
    measure : str
    weights : tuple of ndarray, shape (n_areas,)
        For the change of the total, or for each health outcome in `outcomes`.
    outcomes : tuple of int
        Places of the outcomes; empty for the total.
    """

    measure: str
    weights: tuple[Floats, ...]
    outcomes: tuple[int, ...]

    def sum(self, projection: Projection, equity: Floats | float = 1.0, *, full: bool = False) -> Floats:
        """Return the sum in the last year of a projection, shape (n_draws,)."""
        if not self.outcomes:
            return np.asarray(projection.change @ (self.weights[0] * equity))
        parts = [
            (projection.health[o].full if full else projection.health[o].stated) @ (weight * equity)
            for o, weight in zip(self.outcomes, self.weights, strict=True)
        ]
        return np.asarray(sum(parts[1:], parts[0]))


def effect_draws(projection: Projection, terms: Terms) -> list[EffectDraws]:
    """Return every effect that the run has: points, years of healthy life, deaths averted, gaps closed.

    Sums over years come from the run projected to each year of its horizon in turn, on the same draws.

    Parameters
    ----------
    projection : Projection
    terms : Terms
    """
    equity = equity_weights(projection.edition, terms.elasticity)
    weighers = list(_weighers(projection))
    parts = [[_year_of(weigher, each, equity) for weigher in weighers] for each in _each_year(projection)]
    found = [_points(projection, weighers[0], equity)]
    for w, weigher in enumerate(weighers):
        found.append(_summed(projection, terms, weigher, [year[w] for year in parts]))
    return [*found, *_gaps(projection)]


def _each_year(projection: Projection) -> Iterator[Projection]:
    """Give the run projected to each year of its horizon, the last one as it is."""
    scenario, horizon = projection.scenario, projection.scenario.horizon
    for year in projection.years[:-1]:
        cut = scenario.model_copy(update={"horizon": horizon.model_copy(update={"end": year})})
        yield project(cut, projection.edition, variance=False)
    yield projection


def _weighers(projection: Projection) -> Iterator[Weigher]:
    """Give the sums over areas that are followed over the years."""
    edition = projection.edition
    population = edition.areas.population
    yield Weigher(POINT_YEARS, (population / population.mean(),), ())
    healthy = [o for o, effect in enumerate(projection.health) if is_healthy_life(effect)]
    if healthy:
        weights = tuple(_healthy_weight(projection.health[o], edition) for o in healthy)
        yield Weigher(HEALTHY, weights, tuple(healthy))
    for o, effect in enumerate(projection.health):
        if counts_deaths(effect.model.outcome):
            yield Weigher(f"{DEATHS}:{effect.link.outcome}", (-population / PER_100K,), (o,))


def _healthy_weight(effect: HealthEffect, edition: Edition) -> Floats:
    return np.asarray(HALF * edition.areas.population / life_expectancy(edition, effect.model.outcome))


def is_healthy_life(effect: HealthEffect) -> bool:
    """Tell whether an outcome is a healthy life expectancy in years."""
    outcome = effect.model.outcome
    return outcome.unit == "years" and outcome.variable.startswith("healthy_life_expectancy")


def _year_of(
    weigher: Weigher, projection: Projection, equity: Floats | None
) -> tuple[Floats, Floats | None, Floats | None]:
    """Return a sum in one year: plain, with equity weights, and under the full association."""
    plain = weigher.sum(projection)
    weighted = None if equity is None else weigher.sum(projection, equity)
    return plain, weighted, weigher.sum(projection, full=True) if weigher.outcomes else None


def _points(projection: Projection, weigher: Weigher, equity: Floats | None) -> EffectDraws:
    """Return the points in the last year."""
    plain, last = weigher.sum(projection), projection.years[-1]
    return EffectDraws(
        measure=POINTS,
        label=f"Score points in {last}",
        unit="area-point",
        units="area-points",
        definition=f"{_area_point(projection)} in {last}; not discounted.",
        period=str(last),
        rate=None,
        draws=plain,
        undiscounted=plain,
        weighted=None if equity is None else weigher.sum(projection, equity),
    )


def _area_point(projection: Projection) -> str:
    mean = projection.edition.areas.population.mean()
    return (
        "One area-point is one point of the total in an area of average size, "
        f"{mean:,.0f} residents: changes are added up over all areas, weighted by residents"
    )


Part = tuple[Floats, Floats | None, Floats | None]


def _summed(projection: Projection, terms: Terms, weigher: Weigher, parts: list[Part]) -> EffectDraws:
    """Add a sum over areas up over the years of the horizon."""
    label, unit, units, definition = _names(projection, weigher)
    health = bool(weigher.outcomes)
    rate = terms.health_rate if health else terms.cost_rate
    factors = discount_factors(projection.years, projection.years[0], rate)
    by_year = np.array([part[0] for part in parts])
    return EffectDraws(
        measure=weigher.measure,
        label=label,
        unit=unit,
        units=units,
        definition=definition,
        period=f"{projection.years[0]}-{projection.years[-1]}",
        rate=rate,
        draws=factors @ by_year,
        undiscounted=by_year.sum(axis=0),
        weighted=_discounted([part[1] for part in parts], factors),
        full=_discounted([part[2] for part in parts], factors),
        by_year=by_year,
    )


def _discounted(parts: list[Floats | None], factors: Floats) -> Floats | None:
    known = [part for part in parts if part is not None]
    return factors @ np.array(known) if len(known) == len(parts) else None


def _names(projection: Projection, weigher: Weigher) -> tuple[str, str, str, str]:
    """Return label, unit in singular and plural, and definition of a sum over areas and years."""
    first, last = projection.years[0], projection.years[-1]
    if not weigher.outcomes:
        definition = f"{_area_point(projection)}, and over the years {first}-{last}."
        return "Score points held, point-years", "area-point-year", "area-point-years", definition
    outcomes = [projection.health[o].model.outcome for o in weigher.outcomes]
    if weigher.measure == HEALTHY:
        sexes = "both sexes" if len(outcomes) > 1 else outcomes[0].sex.lower()
        definition = (
            f"Years lived in good health, {first}-{last}: residents of that sex (half of all) times the change in "
            "healthy life expectancy over life expectancy, added up over areas and years. It reads the rates of a year "
            "as if all ages had lived at them, which takes a lifetime to come about; life expectancy itself is held."
        )
        return f"Years of healthy life, {sexes}", "year of healthy life", "years of healthy life", definition
    label = outcomes[0].label
    definition = (
        f"Fall of the crude rate of {label[0].lower() + label[1:]} times the residents, added up, {first}-{last}."
    )
    return f"Deaths averted: {label[0].lower() + label[1:]}", "death averted", "deaths averted", definition


def _gaps(projection: Projection) -> Iterator[EffectDraws]:
    """Give how much gaps of the total and of healthy life expectancy close in the last year."""
    before = projection.total_before
    yield from _gap_of(projection, "total", "the total", "point", before, before + projection.change)
    for effect in projection.health:
        if is_healthy_life(effect):
            level = effect.published[None]
            if np.isfinite(level).all():
                outcome = effect.model.outcome
                name = outcome.label[0].lower() + outcome.label[1:]
                yield from _gap_of(projection, outcome.id, name, "year", level, level + effect.stated)


def _gap_of(
    projection: Projection, of: str, words: str, unit: str, before: Floats, after: Floats
) -> Iterator[EffectDraws]:
    areas, last = projection.edition.areas, projection.years[-1]
    fixed = " Levels before are as published." if unit == "year" else ""
    for name, label in GAPS.items():
        if name == "sii" and not ordered_by_deprivation(areas):
            continue
        closed = np.abs(inequality(name, before, areas)) - np.abs(inequality(name, after, areas))
        closed = np.where(np.abs(closed) < 1e-9, 0.0, closed)
        yield EffectDraws(
            measure=f"{name}:{of}",
            label=f"Gap closed: {words}, {label}",
            unit=f"{unit} of gap closed",
            units=f"{unit}s of gap closed",
            definition=f"Size of the {label} before less after, in {last}; not discounted.{fixed}",
            period=str(last),
            rate=None,
            draws=closed,
            undiscounted=closed,
        )


def equity_weights(edition: Edition, elasticity: float) -> Floats | None:
    """Return a weight for each area by the income of its residents; None where that is not known for all.

    The median of the areas' incomes, by residents, over the area's own, to the power of the elasticity.

    Parameters
    ----------
    edition : Edition
    elasticity : float
        Of the marginal utility of income; 0 weighs all areas alike.

    References
    ----------
    HM Treasury (2022), The Green Book, annex A3, A3.19-A3.20. Layard, Mayraz & Nickell (2008), Journal of Public
    Economics 92, 1846-1857.
    """
    income = np.array(unit_values("indicators", *INCOME, edition.areas.unit)["value"], dtype=float)
    if not np.isfinite(income).all():
        return None
    return weights_of_income(income, edition.areas.population, elasticity)


def weights_of_income(income: Floats, population: Floats, elasticity: float) -> Floats:
    """Return (median income by residents / income) to the power of the elasticity, shape (n_areas,).

    Examples
    --------
    >>> weights_of_income(np.array([200.0, 400.0, 800.0]), np.ones(3), 1.0).tolist()
    [2.0, 1.0, 0.5]
    """
    order = np.argsort(income, kind="stable")
    share = np.cumsum(population[order]) / population.sum()
    median = income[order][np.searchsorted(share, 0.5 - 1e-12)]
    return np.asarray((median / income) ** elasticity)
