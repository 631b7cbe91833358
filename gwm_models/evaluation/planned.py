"""A scenario after the event: the design of its evaluation block on real figures, and what was predicted before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import ModelError, some
from gwm_models.evaluation.designs import Method
from gwm_models.evaluation.effect import Effect, Row
from gwm_models.evaluation.interrupted import interrupted_series
from gwm_models.evaluation.neighbours import neighbour_pairs
from gwm_models.evaluation.panel import PanelMatrix
from gwm_models.evaluation.plan import Plan, make_plan, predicted
from gwm_models.evaluation.plan_panel import Measure, YearlySeries, as_rows, plan_matrix, unit_names, yearly_series
from gwm_models.evaluation.plan_score import score_rows
from gwm_models.evaluation.synthetic import synthetic_control, synthetic_controls
from gwm_models.scenarios.spec import Scenario

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

METHODS: dict[str, Method] = {"did": "did", "synthetic_control": "sc", "synthetic_did": "sdid"}
SERIES = "treated areas"
"""Name of the mean of the treated units, where it is evaluated as one series."""
FEWEST_BEFORE, REHEARSED = 4, 3
"""Times before a made-up start, and years after it, of the rehearsal that is named when no figures are there yet."""


@dataclass(frozen=True, eq=False)
class PlannedEffect:
    """One measure of a plan.

    Attributes
    ----------
    measure : Measure
    status : {"estimated", "no_data_after_start", "refused"}
    why : str
        Why there is no effect; empty where there is one.
    effect : Effect or None
    score : tuple of dict
        Predicted against estimated, one row by time and one for all of them; empty where nothing was predicted.
    period : mapping of int to str
        Periods as published, by the year that names them.
    last : str
        Last period that has figures.
    rehearse : int or None
        A year at which a rehearsal can start, where there is no figure after the start of the plan.
    """

    measure: Measure
    status: str
    why: str
    effect: Effect | None
    score: tuple[Row, ...]
    period: Mapping[int, str]
    last: str
    rehearse: int | None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The evaluation of a scenario.

    Attributes
    ----------
    plan : Plan
    results : tuple of PlannedEffect
    """

    plan: Plan
    results: tuple[PlannedEffect, ...]

    @property
    def estimated(self) -> tuple[PlannedEffect, ...]:
        """The measures with an effect."""
        return tuple(found for found in self.results if found.effect is not None)

    @property
    def rehearse(self) -> int | None:
        """A year at which a rehearsal of the plan can start; None where there is none, or it has been evaluated."""
        return next((found.rehearse for found in self.results if found.rehearse is not None), None)

    def __repr__(self) -> str:
        """Return the plan and the number of measures evaluated."""
        return f"Evaluation({self.plan!r}, {len(self.estimated)} of {len(self.results)} measures)"


def evaluate_plan(
    scenario: Scenario, *, as_if_start: int | None = None, level: float | None = None, common_weights: bool = False
) -> Evaluation:
    """Run the design of a scenario's evaluation block on the figures by unit and year, and score its projection.

    Parameters
    ----------
    scenario : Scenario
        Checked: areas as codes.
    as_if_start : int, optional
        Rehearse the plan with a start in an earlier year, in which nothing of the kind was done.
    level : float, optional
        Of intervals; the widest of the file by default.
    common_weights : bool
        One set of donor weights for all outcomes, by synthetic control.

    Returns
    -------
    Evaluation
        A measure without figures after the start has no effect, which is no error.

    Raises
    ------
    DataError
        If there is no evaluation block or no action, or the rehearsal would not start before the plan does.
    ModelError
        If common weights are asked for another design than synthetic control.
    """
    plan = make_plan(scenario, as_if_start=as_if_start, level=level)
    if common_weights and plan.design != "synthetic_control":
        raise ModelError(
            f"Common weights are those of a synthetic control; the design is {plan.design}. Leave them out, or write "
            "design: synthetic_control."
        )
    cases = [_case(plan, measure) for measure in plan.measures]
    ready = [case for case in cases if isinstance(case, _Case)]
    effects: dict[str, Effect | str]
    if common_weights and len(ready) > 1:
        effects = dict(_together(plan, ready))
    else:
        effects = {case.measure.id: _alone(plan, case) for case in ready}
    return Evaluation(plan, tuple(c if isinstance(c, PlannedEffect) else _found(plan, c, effects) for c in cases))


@dataclass(frozen=True, eq=False)
class _Case:
    """A measure that has figures on both sides of the start."""

    measure: Measure
    series: YearlySeries
    matrix: PanelMatrix
    treated: tuple[str, ...]
    after: Bools


def _case(plan: Plan, measure: Measure) -> _Case | PlannedEffect:
    series = yearly_series(measure, plan.units)
    before, after = series.split(plan.before, plan.start, plan.end)
    period = series.names()
    if not after.any() or not before.any():
        early = plan.start > max(series.first)
        status = "no_data_after_start" if early else "refused"
        rehearse = rehearsal_year(plan, series) if early else None
        return PlannedEffect(
            measure, status, _why_not(plan, series), None, (), period, period[series.year[-1]], rehearse
        )
    try:
        matrix, treated = plan_matrix(series, before | after, plan.treated)
    except ModelError as error:
        return PlannedEffect(measure, "refused", str(error), None, (), period, period[series.year[-1]], None)
    return _Case(measure, series, matrix, treated, after)


def rehearsal_year(plan: Plan, series: YearlySeries) -> int | None:
    """Return the last year at which the plan could have started with some years of figures after it."""
    last = max(series.last)
    length = max(b - a for a, b in zip(series.first, series.last, strict=True))
    for start in (last - length - REHEARSED + 1, last - length):
        if sum(each < start for each in series.last) >= FEWEST_BEFORE and start < plan.start:
            return start
    return None


def _why_not(plan: Plan, series: YearlySeries) -> str:
    label, names = series.measure.label, series.names()
    if plan.start > max(series.first):
        length = max(b - a for a, b in zip(series.first, series.last, strict=True)) + 1
        span = f"the year {plan.start}" if length == 1 else f"{plan.start} to {plan.start + length - 1}"
        return (
            f"{label}: figures end with {names[series.year[-1]]}, and the action starts in {plan.start}. "
            f"The first figure from its start on is that of {span}."
        )
    return (
        f"{label}: no figure lies between {plan.before[0]} and {plan.before[1]}, the years before; they "
        f"run from {names[series.year[0]]} to {names[series.year[-1]]}. Change pre."
    )


def _alone(plan: Plan, case: _Case) -> Effect | str:
    """Return the effect on one measure, or why there is none."""
    try:
        return _series(plan, case) if plan.design == "interrupted_series" else _synthetic(plan, case)
    except ModelError as error:
        return str(error)


def _synthetic(plan: Plan, case: _Case) -> Effect:
    names = unit_names(case.matrix.unit)
    found = synthetic_control(
        as_rows(case.matrix, names),
        unit="unit",
        time="time",
        outcome="value",
        treated=list(unit_names(case.treated)),
        start=_first_after(case),
        method=METHODS[plan.design],
        neighbours=_pairs(plan, case.matrix.unit),
        level=plan.level,
        seed=plan.seed,
    )
    return _named(found, case)


def _series(plan: Plan, case: _Case) -> Effect:
    rows = [case.matrix.unit.index(code) for code in case.treated]
    mean = case.matrix.value[rows].mean(axis=0)
    columns = {"unit": [SERIES] * len(mean), "time": list(case.matrix.time), "value": mean.tolist()}
    found = interrupted_series(
        columns, unit="unit", time="time", outcome="value", start=_first_after(case), level=plan.level, seed=plan.seed
    )
    return replace(_named(found, case), treated=unit_names(case.treated))


def _together(plan: Plan, cases: Sequence[_Case]) -> dict[str, Effect | str]:
    shared = set.intersection(*(set(case.matrix.unit) for case in cases))
    treated = set.intersection(*(set(case.treated) for case in cases))
    starts = {_first_after(case) for case in cases}
    times = {case.matrix.time for case in cases}
    if len(times) > 1 or len(starts) > 1:
        raise ModelError(
            f"Common weights need outcomes of the same times; {some([case.measure.id for case in cases])} have "
            "different ones. Evaluate them apart, or choose pre so that they agree."
        )
    keep = [code for code in cases[0].matrix.unit if code in shared and (code in treated or code not in plan.treated)]
    columns: dict[str, list[Any]] = {}
    for case in cases:
        rows = case.matrix.take([case.matrix.unit.index(code) for code in keep])
        found = as_rows(rows, unit_names(keep))
        columns |= {"unit": found["unit"], "time": found["time"], case.measure.id: found["value"]}
    effects = synthetic_controls(
        columns,
        unit="unit",
        time="time",
        outcomes=[case.measure.id for case in cases],
        treated=list(unit_names(sorted(treated))),
        start=starts.pop(),
        neighbours=_pairs(plan, keep),
        level=plan.level,
        seed=plan.seed,
    )
    return {case.measure.id: _named(effects[case.measure.id], case) for case in cases}


def _named(effect: Effect, case: _Case) -> Effect:
    """Name the outcome in words, and say what was left out on the way to the panel."""
    words = replace(effect.words, estimates=effect.words.estimates.replace(effect.outcome, case.measure.label, 1))
    return replace(effect, outcome=case.measure.label, words=words, excluded=(*case.matrix.excluded, *effect.excluded))


def _pairs(plan: Plan, units: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of neighbours by name, where donors leave them out."""
    if not plan.exclude_neighbours:
        return []
    name = dict(zip(units, unit_names(units), strict=True))
    return [(name[a], name[b]) for a, b in neighbour_pairs() if a in name and b in name]


def _first_after(case: _Case) -> int:
    years = {year for year, there in zip(case.series.year, case.after.tolist(), strict=True) if there}
    left = [int(time) for time in case.matrix.time if time in years]
    if not left:
        raise ModelError(f"{case.measure.label}: no time after the start is left once gaps are taken out.")
    return left[0]


def _found(plan: Plan, case: _Case, effects: Mapping[str, Effect | str]) -> PlannedEffect:
    period = case.series.names()
    found, last = effects[case.measure.id], period[case.series.year[-1]]
    if isinstance(found, str):
        return PlannedEffect(case.measure, "refused", found, None, (), period, last, None)
    return PlannedEffect(case.measure, "estimated", "", found, _score(plan, case, found), period, last, None)


def _score(plan: Plan, case: _Case, effect: Effect) -> tuple[Row, ...]:
    """Set what was predicted for the mean of the treated, averaged over each period, against what was estimated."""
    span = {year: range(a, b + 1) for year, a, b in zip(*_ends(case.series), strict=True)}
    after = [row for row in effect.path if row.post]
    years = sorted({year for row in after for year in span[int(row.time)]})
    draws = predicted(plan, case.measure, case.treated, years)
    if draws is None:
        return ()
    place = {year: k for k, year in enumerate(years)}
    by_time = np.array([draws[[place[year] for year in span[int(row.time)]]].mean(axis=0) for row in after])
    return tuple(score_rows(effect, by_time))


def _ends(series: YearlySeries) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    return series.year, series.first, series.last
