"""What a staggered adoption found: numbers of group-time effects put into an `Effect`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import some
from gwm_models.evaluation.cohorts import Cohorts
from gwm_models.evaluation.effect import Check, Effect, PathRow, Row, Words
from gwm_models.evaluation.group_time import (
    Aggregate,
    Average,
    Base,
    Control,
    GroupTime,
    average,
    cell_weights,
    freedom,
    simultaneous,
)
from gwm_models.evaluation.imputation import Imputed, event_weights
from gwm_models.evaluation.neighbours import neighbour_check
from gwm_models.evaluation.permutation import Permuted, permute_groups
from gwm_models.evaluation.pre_trend import APART, PARTED, joint_test, level_check, levels_apart, trend_checks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Estimator = Literal["callaway_santanna", "imputation"]

LEAST_FREEDOM = 4.0
N_DEALS = 999
"""Satterthwaite freedom below which an interval is not offered as valid."""
HOW: tuple[Aggregate, ...] = ("simple", "group", "event", "calendar")
OVER = {
    "simple": "over treated units and times",
    "group": "over cohorts, each averaged over its times",
    "event": "over times since the start, equally",
    "calendar": "over times, equally",
}
ASSUMES = (
    "Without the intervention every cohort would have moved as the controls did{given}; nothing was felt before the "
    "start; once treated, a unit stays treated; controls are not touched by it."
)
CANNOT = (
    "Whether trends would have stayed alike after the start; what the intervention would do elsewhere or at other "
    "times. Cohorts that started late are seen for a short time only, so later event times rest on fewer units."
)


@dataclass(frozen=True, eq=False)
class Result(Frozen):
    """An average with its parts by event time, and what each unit adds to their errors.

    Attributes
    ----------
    overall : float
    influence : ndarray, shape (n_units,)
    event : ndarray of int, shape (m,)
    effect : ndarray, shape (m,)
    by_event : ndarray, shape (m, n_units)
    """

    overall: float
    influence: Floats
    event: Ints
    effect: Floats
    by_event: Floats


def of_cells(cells: GroupTime, aggregate: Aggregate) -> Result:
    """Average cell effects."""
    chosen, by_event = average(cells, aggregate), average(cells, "event")
    return Result(chosen.overall, chosen.overall_influence, by_event.label, by_event.estimate, by_event.influence)


def of_imputation(filled: Imputed) -> Result:
    """Average imputed effects, over all treated cells and by event time."""
    event = np.unique(filled.event[np.isfinite(filled.effect)])
    overall, influence = filled.average(event_weights(filled))
    parts = [filled.average(event_weights(filled, int(k))) for k in event]
    return Result(overall, influence, event, np.array([p[0] for p in parts]), np.array([p[1] for p in parts]))


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Puts numbers into an `Effect`.

    Attributes
    ----------
    cohorts : Cohorts
    cells : GroupTime
    filled : Imputed
    result : Result
        Of the estimator that was asked for.
    estimator, aggregate, control, base : str
        See `staggered`.
    level : float
    seed : int
    """

    cohorts: Cohorts
    cells: GroupTime
    filled: Imputed
    result: Result
    estimator: Estimator
    aggregate: Aggregate
    control: Control
    base: Base
    level: float
    seed: int

    def effect(self) -> Effect:
        """Return the effect with its checks."""
        panel, start = self.cohorts.panel, self.cohorts.start
        numbers = self.numbers(self.result.overall, self.result.influence)
        dealt = self.dealt()
        trend = self.trend()
        ok, why = self.judge(numbers["freedom"], dealt is not None, trend[0])
        interval = f"influence functions by unit, Student's t with {numbers['freedom']:.1f} degrees of freedom"
        if dealt is not None:
            known = bool(np.isfinite([dealt.lower, dealt.upper]).all())
            numbers |= {"p_value": dealt.p_value, "lower": dealt.lower, "upper": dealt.upper} if known else {}
            interval = f"starts dealt out again among the units, {dealt.n_draws} ways, studentised; t by event time"
        treated = start < len(panel.time)
        given = " given the covariates" if len(self.cohorts.covariates) else ""
        return Effect(
            method="staggered",
            outcome=panel.outcome,
            treated=tuple(panel.unit[i] for i in np.flatnonzero(treated)),
            start=None,
            att=self.result.overall,
            std_error=numbers["std_error"],
            lower=numbers["lower"],
            upper=numbers["upper"],
            level=self.level,
            p_value=numbers["p_value"],
            interval=interval,
            valid=ok,
            valid_why=why,
            path=tuple(self.path()),
            words=Words(
                f"The average effect on treated units from their start on, {OVER[self.aggregate]}.",
                ASSUMES.format(given=given),
                CANNOT,
            ),
            checks=(*trend, level_check(self.apart()), self.agreement(), *self.limits()),
            terms=tuple(self.terms()),
            sample=self.sample(treated),
            excluded=panel.excluded,
            seed=self.seed,
        )

    def numbers(self, estimate: float, influence: Floats) -> dict[str, Any]:
        """Return the standard error, freedom, bounds and p value of an estimate."""
        from scipy.stats import t as student

        error, left = float(np.sqrt((influence**2).sum())), freedom(influence, self.cohorts.start)
        if not (error > 0 and left > 0):
            return {"std_error": None, "lower": None, "upper": None, "p_value": None, "freedom": left}
        reach = float(student.isf((1 - self.level) / 2, left)) * error
        p_value = 2 * float(student.sf(abs(estimate) / error, left))
        return {
            "std_error": error,
            "lower": estimate - reach,
            "upper": estimate + reach,
            "p_value": p_value,
            "freedom": left,
        }

    def dealt(self) -> Permuted | None:
        """Deal the starts out again, where there is no gap, no cohort of one unit, and some units never start.

        An effect of one everywhere adds one to each treated cell of a unit, which tells what to take off.
        """
        start, value, n_times = self.cohorts.start, self.cohorts.panel.value, self.cohorts.panel.value.shape[1]
        sizes = np.unique(start, return_counts=True)[1]
        simple = self.estimator == "callaway_santanna" and self.control == "never" and not len(self.cohorts.covariates)
        if not simple or sizes.min() < 2 or not np.isfinite(value).all():
            return None
        names = np.unique(start[start < n_times])
        weights, on = cell_weights(self.cells, self.aggregate), (np.arange(n_times) >= start[:, None]).astype(float)
        loads = np.zeros((n_times, len(names)))
        for g, t, weight in zip(self.cells.cohort, self.cells.time, weights, strict=True):
            place = int(np.searchsorted(names, g))
            loads[t, place] += weight
            loads[g - 1, place] -= weight
        group = np.where(start < n_times, np.searchsorted(names, start) + 1, 0)
        rng = keyed_rng(self.seed, "staggered:permutation")
        return permute_groups(value @ loads, on @ loads, group, rng, self.level, N_DEALS)

    def judge(self, left: float, dealt: bool, trend: Check) -> tuple[bool, str]:
        """Say whether the interval is offered, and why."""
        single = self.single()
        if single and self.estimator == "callaway_santanna":
            return False, (
                f"{len(single)} cohorts are of one unit ({some(single)}), whose own noise cannot be told from the "
                "effect. estimator='imputation' takes them together."
            )
        if left < LEAST_FREEDOM and not dealt:
            return False, f"{left:.1f} degrees of freedom are too few for Student's t to hold its level."
        if self.apart() < 0.05:
            return False, APART.format(self.apart())
        if trend.verdict == "fail":
            return False, PARTED.format(trend.value)
        return True, f"The cohorts and their controls leave {left:.0f} degrees of freedom."

    def apart(self) -> float:
        """Return the p value of treated and never treated having the same level before the first start."""
        start, n_times = self.cohorts.start, len(self.cohorts.panel.time)
        return min(levels_apart(self.cohorts.panel.value[:, : start.min()], start < n_times))

    def single(self) -> list[str]:
        """Return the starts of cohorts of one unit."""
        start = self.cohorts.start
        names, size = np.unique(start[start < len(self.cohorts.panel.time)], return_counts=True)
        return [str(self.cohorts.time(g)) for g in names[size == 1]]

    def path(self) -> list[PathRow]:
        """Return the effects by event time."""
        rows = []
        for k, effect, own in zip(self.result.event.tolist(), self.result.effect, self.result.by_event, strict=True):
            numbers = self.numbers(float(effect), own)
            observed = self.observed(k)
            counterfactual = None if observed is None else observed - float(effect)
            rows.append(
                PathRow(k, observed, counterfactual, float(effect), numbers["lower"], numbers["upper"], post=k >= 0)
            )
        return rows

    def observed(self, event: int) -> float | None:
        """Return the mean outcome of treated units at one event time, of the cohorts in the estimate."""
        values = self.cohorts.panel.value[self.filled.event == event]
        return float(np.nanmean(values)) if np.isfinite(values).any() else None

    def trend(self) -> tuple[Check, ...]:
        """Test the event times before the start."""
        by_event = average(self.cells, "event")
        before = by_event.label < 0
        reach = float(by_event.label[~before].mean() + 1)
        if not before.any():
            return trend_checks(None, reach)
        distance = by_event.label[before] + 1.0 if self.base == "universal" else np.ones(int(before.sum()))
        own = by_event.influence[before]
        line = (distance @ own) / float(distance @ distance)
        left = np.array([freedom(row, self.cohorts.start) for row in (*own, line)])
        return trend_checks(joint_test(by_event.estimate[before], own @ own.T, np.asarray(distance), left), reach)

    def agreement(self) -> Check:
        """Set the two estimators side by side, over all treated units and times."""
        one, two = average(self.cells, "simple"), of_imputation(self.filled)
        gap = two.overall - one.overall
        error = float(np.sqrt(((two.influence - one.overall_influence) ** 2).sum()))
        far = abs(gap) > 2 * error + 1e-9 * abs(one.overall)
        words = f"Imputation gives {two.overall:.4g}, Callaway-Sant'Anna {one.overall:.4g}: {gap:+.3g} apart, "
        words += f"with a standard error of {error:.3g}."
        if far:
            words += " Trends before the start are not parallel, or a cell is missing in one of them."
        return Check("imputation", two.overall, "warn" if far else "pass", words)

    def limits(self) -> list[Check]:
        """Say which neighbours were left out, which effects could not be estimated, and where the panel has gaps."""
        checks = [neighbour_check(self.cohorts.panel.excluded, self.cohorts.neighbours)]
        if self.cells.skipped:
            named = some([f"{self.cohorts.time(g)} at {self.cohorts.time(t)}" for g, t in self.cells.skipped])
            words = f"{len(self.cells.skipped)} effects of a cohort at a time have no control or figure: {named}."
            checks.append(Check("not_estimated", float(len(self.cells.skipped)), "warn", words))
        gaps = self.cohorts.panel.gaps()
        if gaps:
            words = f"{len(gaps)} units have gaps: {some(gaps)}. Each costs the comparisons that need it."
            checks.append(Check("gaps", float(len(gaps)), "info", words))
        return checks

    def terms(self) -> list[Row]:
        """Return every average with its parts, and every cohort at every time."""
        rows: list[Row] = []
        for how in HOW:
            found = average(self.cells, how)
            rows.append(self.term(f"average {OVER[how]}", found.overall, found.overall_influence))
            rows.extend(self.parts(how, found))
        for j, (g, t) in enumerate(zip(self.cells.cohort.tolist(), self.cells.time.tolist(), strict=True)):
            name = f"cohort {self.cohorts.time(g)} at {self.cohorts.time(t)}"
            n = int(self.cells.n_treated[j])
            rows.append({**self.term(name, float(self.cells.att[j]), self.cells.influence[j]), "n": n})
        return rows

    def parts(self, how: Aggregate, found: Average) -> list[Row]:
        """Return the parts of an average; by event time with bands that hold at all of them at once."""
        names = {
            "group": lambda k: f"cohort {self.cohorts.time(k)}",
            "event": lambda k: f"event time {k}",
            "calendar": lambda k: f"time {self.cohorts.time(k)}",
        }
        if how == "simple":
            return []
        rows = [
            self.term(names[how](int(k)), float(estimate), own)
            for k, estimate, own in zip(found.label, found.estimate, found.influence, strict=True)
        ]
        if how != "event":
            return rows
        times = simultaneous(found.influence, keyed_rng(self.seed, "staggered:bands"), self.level)
        for row, estimate, own in zip(rows, found.estimate, found.influence, strict=True):
            reach = times * float(np.sqrt((own**2).sum()))
            row |= {"band_lower": float(estimate) - reach, "band_upper": float(estimate) + reach}
        return rows

    def term(self, name: str, estimate: float, influence: Floats) -> Row:
        """Return one estimate as a row."""
        numbers = self.numbers(estimate, influence)
        row: Row = {"term": name, "estimate": estimate}
        return row | {key: numbers[key] for key in ("std_error", "lower", "upper")}

    def sample(self, treated: NDArray[np.bool_]) -> dict[str, int]:
        """Return counts."""
        return {
            "units": len(self.cohorts.panel),
            "treated": int(treated.sum()),
            "donors": int((~treated).sum()),
            "cohorts": len(np.unique(self.cohorts.start[treated])),
            "times": len(self.cohorts.panel.time),
        }
