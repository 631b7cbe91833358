"""What a staggered adoption found: numbers of group-time effects put into an `Effect`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
    simultaneous,
)
from gwm_models.evaluation.imputation import Imputed
from gwm_models.evaluation.neighbours import neighbour_check
from gwm_models.evaluation.permutation import Permuted, permute_groups
from gwm_models.evaluation.pre_trend import APART, PARTED, joint_test, level_check, levels_apart, trend_checks
from gwm_models.evaluation.staggered_design import (
    LEAST_FREEDOM,
    LEAST_PLAIN,
    LEAST_UNITS,
    MOST_LONE,
    Estimate,
    Result,
    of_imputation,
    overall_of,
    parts_of,
    weighted,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Estimator = Literal["callaway_santanna", "imputation"]

N_DEALS = 999
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
    small_sample : bool
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
    small_sample: bool

    def effect(self) -> Effect:
        """Return the effect with its checks."""
        panel, start = self.cohorts.panel, self.cohorts.start
        numbers = self.numbers(self.result.overall)
        dealt = self.dealt()
        trend = self.trend()
        ok, why = self.judge(numbers["lower"] is not None, dealt, trend[0])
        interval = f"influence functions by unit, Student's t with {numbers['freedom']:.1f} degrees of freedom"
        if numbers["lower"] is None:
            interval = "none"
        if dealt is not None:
            numbers |= {"p_value": dealt.p_value, "lower": dealt.lower, "upper": dealt.upper}
            interval = f"starts dealt out again among the units, {dealt.n_draws} ways, studentised; t by event time"
        treated = start < len(panel.time)
        given = " given the covariates" if len(self.cohorts.covariates) else ""
        return Effect(
            method="staggered",
            outcome=panel.outcome,
            treated=tuple(panel.unit[i] for i in np.flatnonzero(treated)),
            start=None,
            att=self.result.overall.value,
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

    def numbers(self, estimate: Estimate) -> dict[str, Any]:
        """Return the standard error, freedom, bounds and p value of an estimate."""
        from scipy.stats import t as student

        error, left = float(np.sqrt((estimate.influence**2).sum())), estimate.freedom(self.cohorts.start)
        if not (error > 0 and left > 0):
            return {"std_error": None, "lower": None, "upper": None, "p_value": None, "freedom": left}
        reach = float(student.isf((1 - self.level) / 2, left)) * error
        p_value = 2 * float(student.sf(abs(estimate.value) / error, left))
        return {
            "std_error": error,
            "lower": estimate.value - reach,
            "upper": estimate.value + reach,
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
        dealt = permute_groups(value @ loads, on @ loads, group, rng, self.level, N_DEALS)
        return dealt if np.isfinite([dealt.lower, dealt.upper]).all() else None

    def judge(self, known: bool, dealt: Permuted | None, trend: Check) -> tuple[bool, str]:
        """Say whether the interval is offered, by the design and the times before the starts, and why."""
        treated = self.cohorts.start < len(self.cohorts.panel.time)
        m, c = int(treated.sum()), int((~treated).sum())
        if self.result.overall.lone > MOST_LONE:
            return False, self.lone(m, c)
        if not known:
            return False, "The figures leave no noise to tell an error from."
        left = self.result.overall.support(self.cohorts.start)
        if dealt is None and left < LEAST_FREEDOM:
            return False, (
                f"The design leaves {left:.1f} degrees of freedom, too few for Student's t to hold its level: it takes "
                f"{LEAST_FREEDOM:.0f}, such as five treated units of one start beside many controls."
            )
        n_cohorts = len(np.unique(self.cohorts.start[treated]))
        if dealt is None and self.estimator == "callaway_santanna" and m < LEAST_UNITS * n_cohorts:
            return False, (
                f"{m} treated units in {n_cohorts} cohorts are fewer than {LEAST_UNITS} to a cohort: estimated shares "
                "of cohorts widen the interval too much. Use estimator='imputation'."
            )
        if dealt is None and not self.small_sample and left < LEAST_PLAIN:
            return False, f"With {left:.0f} degrees of freedom the error is too small without small_sample=True."
        if self.apart() < 0.05:
            return False, APART.format(self.apart())
        if trend.verdict == "fail":
            return False, PARTED.format(trend.value)
        if dealt is not None:
            return True, f"The starts of {m} treated units among {m + c} were dealt out again {dealt.n_draws} ways."
        return True, f"The cohorts and their controls leave {left:.0f} degrees of freedom."

    def lone(self, m: int, c: int) -> str:
        """Say which noise cannot be told from the effect, and what to do."""
        do = "Use synthetic_control or event_study, which set it against placebo units."
        if m == 1:
            return f"One unit is treated, whose own noise after the start cannot be told from the effect. {do}"
        single = self.single()
        if single:
            told = f"{len(single)} cohorts are of one unit" if len(single) > 1 else "a cohort is of one unit"
            return (
                f"{told[0].upper()}{told[1:]} ({some(single)}), whose own noise cannot be told from the effect. {do} "
                "Take one start at a time."
            )
        if c == 1:
            return (
                "There is one control, whose own noise cannot be told from the effect. Add units that are not treated."
            )
        return (
            f"{self.result.overall.lone:.0%} of the estimate rests on times with figures of one unit of a cohort, or "
            "of one control, whose noise cannot be told from the effect. Fill the gaps, or end the panel before them."
        )

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
        for k, estimate in zip(self.result.event.tolist(), self.result.by_event, strict=True):
            numbers, effect, observed = self.numbers(estimate), estimate.value, self.observed(k)
            counterfactual = None if observed is None else observed - effect
            rows.append(PathRow(k, observed, counterfactual, effect, numbers["lower"], numbers["upper"], post=k >= 0))
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
        seen = np.array([part.lone <= MOST_LONE for part in parts_of(self.cells, "event")])
        before &= seen
        if not before.any():
            return (Check("pre_trend", None, "warn", "Too few treated units to test trends before the start."),)
        distance = by_event.label[before] + 1.0 if self.base == "universal" else np.ones(int(before.sum()))
        own = by_event.influence[before]
        to_line = np.asarray(distance) / float(distance @ distance)
        rows = zip([*by_event.weights[before], to_line @ by_event.weights[before]], [*own, to_line @ own], strict=True)
        left = np.array([weighted(self.cells, w, 0.0, row).freedom(self.cohorts.start) for w, row in rows])
        return trend_checks(joint_test(by_event.estimate[before], own @ own.T, np.asarray(distance), left), reach)

    def agreement(self) -> Check:
        """Set the two estimators side by side, over all treated units and times."""
        one = overall_of(self.cells, "simple")
        two = of_imputation(self.filled, small_sample=self.small_sample).overall
        gap = two.value - one.value
        error = float(np.sqrt(((two.influence - one.influence) ** 2).sum()))
        far = abs(gap) > 2 * error + 1e-9 * abs(one.value)
        words = f"Imputation gives {two.value:.4g}, Callaway-Sant'Anna {one.value:.4g}: {gap:+.3g} apart, "
        words += f"with a standard error of {error:.3g}."
        if far:
            words += " Trends before the start are not parallel, or a cell is missing in one of them."
        return Check("imputation", two.value, "warn" if far else "pass", words)

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
            rows.append(self.term(f"average {OVER[how]}", overall_of(self.cells, how)))
            rows.extend(self.parts(how, average(self.cells, how)))
        for j, (g, t) in enumerate(zip(self.cells.cohort.tolist(), self.cells.time.tolist(), strict=True)):
            name = f"cohort {self.cohorts.time(g)} at {self.cohorts.time(t)}"
            n = int(self.cells.n_treated[j])
            only = (np.arange(len(self.cells.att)) == j).astype(float)
            cell = weighted(self.cells, only, float(self.cells.att[j]), self.cells.influence[j])
            rows.append({**self.term(name, cell), "n": n})
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
        parts = parts_of(self.cells, how)
        rows = [self.term(names[how](int(k)), part) for k, part in zip(found.label, parts, strict=True)]
        if how != "event":
            return rows
        times = simultaneous(found.influence, keyed_rng(self.seed, "staggered:bands"), self.level)
        for row, part in zip(rows, parts, strict=True):
            if row["lower"] is not None:
                reach = times * float(np.sqrt((part.influence**2).sum()))
                row |= {"band_lower": part.value - reach, "band_upper": part.value + reach}
        return rows

    def term(self, name: str, estimate: Estimate) -> Row:
        """Return one estimate as a row."""
        numbers = self.numbers(estimate)
        row: Row = {"term": name, "estimate": estimate.value}
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
