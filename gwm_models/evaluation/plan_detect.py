"""Before launch: the smallest effect that the design of a scenario's evaluation block could see, on past figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.evaluation.detect import (
    Chosen,
    Detectability,
    Run,
    any_set,
    detectability,
    extreme_set,
    synthetic_run,
    windows,
)
from gwm_models.evaluation.detect_runs import series_run
from gwm_models.evaluation.neighbours import neighbour_pairs, rows_apart
from gwm_models.evaluation.panel import PanelMatrix
from gwm_models.evaluation.plan import Plan, make_plan, predicted
from gwm_models.evaluation.plan_panel import Measure, YearlySeries, plan_matrix, yearly_series
from gwm_models.evaluation.planned import METHODS
from gwm_models.scenarios.inputs import draw_inputs
from gwm_models.scenarios.spec import Pick, Scenario, Target
from gwm_models.scenarios.targets import pick_values, select

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

N_PLACEBO, N_SETS = 120, 99


@dataclass(frozen=True, eq=False)
class PlannedPower:
    """The power of a plan on one measure.

    Attributes
    ----------
    measure : Measure
    found : Detectability or None
    why : str
        Why there is none; empty where there is one.
    asked_before, asked_after : int
        Times before and after the start in the plan.
    years : tuple of int
        First and last of the figures used.
    chosen : str
        How the treated of placebos were chosen, in words.
    """

    measure: Measure
    found: Detectability | None
    why: str
    asked_before: int
    asked_after: int
    years: tuple[int, int]
    chosen: str

    def __repr__(self) -> str:
        """Return the measure and what was found."""
        return f"PlannedPower({self.measure.id}: {self.found!r})"


def plan_power(
    scenario: Scenario,
    *,
    years_after: int | None = None,
    level: float | None = None,
    n_placebo: int = N_PLACEBO,
    n_sets: int = N_SETS,
) -> tuple[Plan, tuple[PlannedPower, ...]]:
    """Measure the power of a scenario's design by simulation on past figures, against the effect projected.

    Windows of the real panel in which nothing of the kind was done are treated as if it had been: the same number of
    units, chosen in the same way where it can be done, as many years before and after as the figures allow, and the
    design of the file with its own intervals.

    Parameters
    ----------
    scenario : Scenario
        Checked: areas as codes.
    years_after : int, optional
        Times after the start; those of the horizon by default, cut to a third of the figures.
    level : float, optional
    n_placebo, n_sets : int
        Windows, and placebo sets in each.

    Returns
    -------
    Plan
    tuple of PlannedPower
        One for each measure of the plan.

    References
    ----------
    O'Hagan, Stevens & Campbell (2005), Assurance in clinical trial design, Pharmaceutical Statistics 4(3), 187-201.
    """
    plan = make_plan(scenario, level=level)
    parts = [_power(plan, measure, years_after, n_placebo, n_sets) for measure in plan.measures]
    return plan, tuple(parts)


def _power(plan: Plan, measure: Measure, years_after: int | None, n_placebo: int, n_sets: int) -> PlannedPower:
    series = yearly_series(measure, plan.units)
    length = max(b - a for a, b in zip(series.first, series.last, strict=True))
    asked_before = plan.before[1] - plan.before[0] + 1 - length
    asked_after = (plan.end - plan.start + 1 - length) if years_after is None else years_after
    past = np.array(series.last) < plan.start
    chosen_words = ""
    try:
        if asked_after < 1 or asked_before < 2:
            raise ModelError(
                f"{measure.label}: the plan holds {max(asked_before, 0)} times before and {max(asked_after, 0)} after "
                "the start; at least two before and one after are needed. Widen pre or the horizon."
            )
        matrix, treated = plan_matrix(series, past, plan.treated)
        starts, before, after = windows(len(matrix.time), asked_before, asked_after, length)
        chosen, chosen_words = _chosen(plan, measure, matrix, len(treated))
        found = detectability(
            matrix.value,
            chosen,
            _run(plan, matrix, n_sets),
            starts=starts,
            n_before=before,
            n_after=after,
            n_placebo=n_placebo,
            level=plan.level,
            seed=plan.seed,
            gap=length,
            projected=_projected(plan, series, treated, after),
        )
    except ModelError as error:
        return PlannedPower(measure, None, str(error), asked_before, asked_after, (0, 0), chosen_words)
    ends = (int(matrix.time[0]), int(matrix.time[-1]))
    return PlannedPower(measure, found, "", asked_before, asked_after, ends, chosen_words)


def _run(plan: Plan, matrix: PanelMatrix, n_sets: int) -> Run:
    if plan.design == "interrupted_series":
        return series_run(plan.level)
    pairs = neighbour_pairs() if plan.exclude_neighbours else ()
    return synthetic_run(METHODS[plan.design], rows_apart(matrix.unit, pairs), plan.level, n_sets)


def _projected(plan: Plan, series: YearlySeries, treated: Sequence[str], after: int) -> Floats | None:
    """Return draws of the effect projected, averaged over the first periods that lie wholly after the start."""
    length = max(b - a for a, b in zip(series.first, series.last, strict=True)) + 1
    last = min(plan.start + after + length - 2, plan.end)
    years = list(range(plan.start, last + 1))
    if len(years) < length:
        return None
    draws = predicted(plan, series.measure, treated, years)
    if draws is None:
        return None
    periods = [draws[k : k + length].mean(axis=0) for k in range(len(years) - length + 1)]
    return np.asarray(np.mean(periods, axis=0))


def _chosen(plan: Plan, measure: Measure, matrix: PanelMatrix, size: int) -> tuple[Chosen, str]:
    """Return how the treated of a placebo are drawn, as near to the rule of the file as past figures allow."""
    n = len(matrix)
    if size >= n:
        raise ModelError(f"All {n} units are treated, so no placebo can be made. Use design: interrupted_series.")
    targets = [action.target for action in plan.scenario.actions]
    pick = targets[0].worst or targets[0].best
    if pick is None or any(target != targets[0] for target in targets):
        return any_set(n, size), f"{size} units at random"
    among = _candidates(plan, matrix, targets[0])
    if len(among) < size + 2:
        return any_set(n, size), f"{size} units at random"
    end, sign = ("worst", 1.0) if targets[0].worst is not None else ("best", -1.0)
    own, direction = _same_figure(plan.edition, pick, measure)
    words = f"the {size} {end} of a random two thirds of the {len(among)} units that could be chosen"
    if own:
        return extreme_set(sign * direction * matrix.value, among, size), f"{words}, by {measure.label} at the time"
    score = _scores(plan, pick, matrix)
    return extreme_set(sign * score, among, size), f"{words}, by {pick.by} of {plan.edition.name}"


def _candidates(plan: Plan, matrix: PanelMatrix, target: Target) -> Ints:
    """Return the rows of units that pass the filters of a target, before anything is picked."""
    scenario, edition = plan.scenario, plan.edition
    inputs = draw_inputs(edition, scenario.analysis.draws, scenario.analysis.seed)
    left = select(target.model_copy(update={"worst": None, "best": None}), edition, inputs.baseline).treated
    codes = set(np.array(edition.areas.unit)[left].tolist())
    return np.array([k for k, code in enumerate(matrix.unit) if code in codes], dtype=np.int64)


def _same_figure(edition: Edition, pick: Pick, measure: Measure) -> tuple[bool, float]:
    """Return whether areas were picked by the measure itself, and the direction in which more of it is better."""
    for indicator in edition.spec.indicators:
        if indicator.id == pick.by:
            named = {indicator.values.get("variable"), indicator.sampling.get("variable")}
            return measure.variable in named, float(indicator.direction)
    return False, 1.0


def _scores(plan: Plan, pick: Pick, matrix: PanelMatrix) -> Floats:
    """Return what areas were picked by, by unit, more being better."""
    inputs = draw_inputs(plan.edition, plan.scenario.analysis.draws, plan.scenario.analysis.seed)
    value, _, direction = pick_values(pick, plan.edition, inputs.baseline)
    unit = np.array(plan.edition.areas.unit)
    return np.array([direction * float(value[unit == code].mean()) for code in matrix.unit])
