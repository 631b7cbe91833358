"""The evaluation block of a scenario, worked out: who is treated, when, by which design, and what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition
from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.errors import DataError
from gwm_models.evaluation.plan_panel import Measure, measures_of
from gwm_models.scenarios.costs import start_of
from gwm_models.scenarios.known import figures_year
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.spec import EvaluationPlan, Scenario

Floats = NDArray[np.float64]

HEALTH = {
    ("healthy_life_expectancy_at_birth", "Male"): "healthy_life_expectancy_male",
    ("healthy_life_expectancy_at_birth", "Female"): "healthy_life_expectancy_female",
    ("preventable_cvd_mortality_u75_asmr", "Persons"): "preventable_cvd_mortality",
}
"""Measures that are outcomes of the engine, in the same unit."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What an evaluation block asks for.

    Attributes
    ----------
    scenario : Scenario
    edition : Edition
    design : str
        ``did``, ``synthetic_control``, ``synthetic_did`` or ``interrupted_series``.
    measures : tuple of Measure
        Of every outcome, one for each sex that is published apart.
    before : tuple of int
        First and last year used of those before the start.
    start, end : int
        First year of the action, and last of the horizon.
    treated, units : tuple of str
        Codes of the units that any action reaches, and of all units of the edition.
    exclude_neighbours : bool
    level : float
        Of every interval: the widest of the file unless another is asked for.
    seed : int
    shift : int
        Years that the plan was moved back for a rehearsal; 0 for the plan itself.
    notes : tuple of str
    """

    scenario: Scenario
    edition: Edition
    design: str
    measures: tuple[Measure, ...]
    before: tuple[int, int]
    start: int
    end: int
    treated: tuple[str, ...]
    units: tuple[str, ...]
    exclude_neighbours: bool
    level: float
    seed: int
    shift: int
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return design, units and years in one line."""
        return f"Plan({self.design}: {len(self.treated)} units from {self.start}, {self.before[0]}-{self.before[1]})"


def make_plan(scenario: Scenario, *, as_if_start: int | None = None, level: float | None = None) -> Plan:
    """Work out the evaluation block of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Checked: areas as codes.
    as_if_start : int, optional
        Rehearse: move the whole plan to a start in this year, in which nothing of the kind was done.
    level : float, optional

    Raises
    ------
    DataError
        If there is no evaluation block, no action, or the edition has no figures by unit and period.
    """
    block = scenario.evaluation
    if block is None:
        raise DataError(
            f"{scenario.id} has no evaluation block. Add one, such as: evaluation: {{design: synthetic_did, outcomes: "
            "[economic_activity_rate_16_64], pre: [2012, 2025], donors: {exclude_neighbours: true}}."
        )
    if not scenario.actions:
        raise DataError(f"{scenario.id} has no action, so there is nothing to evaluate.")
    edition = load_edition(scenario.baseline.edition)
    reached = treated_areas(scenario, edition)
    unit = np.array(edition.areas.unit)
    treated, units = tuple(sorted(set(unit[reached].tolist()))), tuple(sorted(set(unit.tolist())))
    starts = [start_of(action, scenario.horizon.start) for action in scenario.actions]
    start = min(starts)
    shift = 0 if as_if_start is None else start - as_if_start
    if as_if_start is not None and shift <= 0:
        raise DataError(f"A rehearsal must start before the action does, in {start}; asked for {as_if_start}.")
    measures = tuple(measure for name in block.outcomes for measure in measures_of(name))
    return Plan(
        scenario=scenario,
        edition=edition,
        design=block.design,
        measures=measures,
        before=(block.pre[0] - shift, block.pre[1] - shift),
        start=start - shift,
        end=scenario.horizon.end - shift,
        treated=treated,
        units=units,
        exclude_neighbours=block.donors is not None and block.donors.exclude_neighbours,
        level=max(scenario.analysis.intervals) if level is None else level,
        seed=scenario.analysis.seed,
        shift=shift,
        notes=tuple(_notes(scenario, block, starts)),
    )


def treated_areas(scenario: Scenario, edition: Edition) -> NDArray[np.bool_]:
    """Return the areas that any action of a scenario reaches, as a projection of it chooses them."""
    return _until(scenario, scenario.horizon.start, edition).treated


def predicted(plan: Plan, measure: Measure, treated: Sequence[str], years: Sequence[int]) -> Floats | None:
    """Return draws of the change that the scenario predicts for the mean of some units, shape (n_years, n_draws).

    Parameters
    ----------
    plan : Plan
    measure : Measure
    treated : sequence of str
        Unit codes.
    years : sequence of int
        Calendar years of the plan, moved back with it in a rehearsal.

    Returns
    -------
    ndarray or None
        None where the engine says nothing about the measure.
    """
    found = []
    for year in years:
        then = _until(plan.scenario, year + plan.shift, plan.edition)
        change = _change(then, measure)
        if change is None:
            return None
        found.append(change @ _unit_weights(plan.edition, treated))
    return np.array(found)


def _change(projection: Projection, measure: Measure) -> Floats | None:
    """Return the change of one measure by area in the last year, shape (n_draws, n_areas)."""
    for j, indicator in enumerate(projection.edition.spec.indicators):
        named = {indicator.values.get("variable"), indicator.sampling.get("variable")}
        if measure.variable in named and measure.sex == "Persons" and "deflate" not in indicator.values:
            return projection.level_change[:, :, j]
    outcome = HEALTH.get((measure.variable, measure.sex))
    for health in projection.health:
        if health.link.outcome == outcome:
            return health.stated
    return None


def _unit_weights(edition: Edition, treated: Sequence[str]) -> Floats:
    """Return weights of areas that give the plain mean of units, each the mean of its areas by residents."""
    unit, residents = np.array(edition.areas.unit), np.array(edition.areas.population, dtype=float)
    weight = np.zeros(len(unit))
    for code in treated:
        mine = unit == code
        weight[mine] = residents[mine] / residents[mine].sum() / len(treated)
    return weight


def _until(scenario: Scenario, year: int, edition: Edition) -> Projection:
    """Project a scenario up to one year; draws are those of the whole, since they do not depend on the years."""
    horizon = scenario.horizon.model_copy(update={"end": year})
    return project(scenario.model_copy(update={"horizon": horizon, "evaluation": None}), edition, variance=False)


def _notes(scenario: Scenario, block: EvaluationPlan, starts: Sequence[int]) -> list[str]:
    notes = []
    since = figures_year(load_vocabulary(scenario.baseline.edition))
    if since is not None and min(starts) < since:
        notes.append(
            f"The projection starts from levels of {since}, though the action starts in {min(starts)}: it was not made "
            "before the event, but by the same rules."
        )
    if len(set(starts)) > 1:
        notes.append(
            f"Actions start in {min(starts)} to {max(starts)}: the effect is counted from the first, in all areas that "
            "any action reaches."
        )
    spills = [action.id for action in scenario.actions if action.spillover is not None]
    if spills and not (block.donors and block.donors.exclude_neighbours):
        notes.append("Neighbours receive spillover and are donors, which draws the estimate towards zero.")
    return notes
