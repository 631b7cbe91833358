"""One block of draws of the engine: what all actions change, year by year; nothing as large as all years is kept.

Shapes are those of `gwm_models.scenarios.engine_parts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gwm_models.scenarios.engine_parts import ActionPlan, Effects, Layers, Setting, Spread, rows_of
from gwm_models.scenarios.limits import Moved, within_limits
from gwm_models.scenarios.sizes import change_of_level

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = slice | Ints


@dataclass(frozen=True, eq=False)
class State:
    """Years in which the same is in place.

    Attributes
    ----------
    phase : ndarray, shape (n_actions, 2)
        Share of each action's change that is in place, and of what its areas add by themselves.
    years : tuple of int
    """

    phase: Floats
    years: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Job:
    """What all blocks have in common: the areas that anything reaches, and the results as they fill up.

    Attributes
    ----------
    plans : sequence of ActionPlan
    setting : Setting
    n_active : int
        Number of areas that any action changes.
    active : slice or ndarray of int
        Their places; a slice where it is all of them.
    at, near : tuple of slice or ndarray of int
        Columns among those that each action reaches, and those that receive spillover from it.
    order : tuple of int
        Actions in the order of their ids.
    moved : frozenset of int
        Quantities that actions change, and the other indicators of the domains that they change; of the rest only the
        last year is looked at.
    groups : tuple of ndarray of int
        Columns that are in each group.
    states : tuple of State
        Years of one kind; years in which nothing is in place are left out.
    lags : ndarray, shape (n_lags, T)
        The different rows of `Setting.responses`.
    lag_of : tuple of int
        The row of each outcome.
    found : Effects
    """

    plans: Sequence[ActionPlan]
    setting: Setting
    n_active: int
    active: Columns
    at: tuple[Columns, ...]
    near: tuple[Ints, ...]
    order: tuple[int, ...]
    moved: frozenset[int]
    groups: tuple[Ints, ...]
    states: tuple[State, ...]
    lags: Floats
    lag_of: tuple[int, ...]
    found: Effects


@dataclass(frozen=True, eq=False)
class Change:
    """What one action changes when it is whole.

    Attributes
    ----------
    asked : tuple of ndarray, shape (B, m)
        Asked of its areas: the change, and what they add by themselves where they do.
    own : tuple of ndarray, shape (B, m)
        The same, additional there.
    received : tuple of ndarray, shape (B, r)
        Received by neighbours; empty for no spillover.
    """

    asked: tuple[Floats, ...]
    own: tuple[Floats, ...]
    received: tuple[Floats, ...]


def _in_place(parts: tuple[Floats, ...], phase: Floats) -> Floats:
    """Return what is in place of the parts of a change."""
    now = parts[0] * phase[0]
    for part, share in zip(parts[1:], phase[1:], strict=False):
        now = now + part * share
    return np.asarray(now)


def run_block(job: Job, every: Layers, part: slice) -> None:
    """Fill in the results of some draws.

    Parameters
    ----------
    job : Job
    every : Layers
        Of all draws.
    part : slice
    """
    block = Block(job, rows_of(every, part), part)
    for state in job.states:
        block.year(state)
    block.respond()
    if job.found.level_before is not every.level:
        block.counterfactual()


@dataclass(eq=False)
class Block:
    """Some draws at work.

    Attributes
    ----------
    job : Job
    layers : Layers
        Of the draws of this block.
    part : slice
        Their places among all.
    now : int
        Place of the year that is worked on.
    growth : dict
        Growth by itself of each indicator looked at: in every year where actions change it, else in the last.
    changes : list of Change
        Of every action when it is whole; the same for all years unless levels move.
    levels, scores : dict
        Levels by quantity and scores by domain without any action, in the columns of `Job.active`.
    lagged : dict
        Lag and domain to what of its change has come through by the last year.
    """

    job: Job
    layers: Layers
    part: slice
    now: int = 0
    growth: dict[int, Floats] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    levels: dict[int, Floats] = field(default_factory=dict)
    scores: dict[int, Floats] = field(default_factory=dict)
    lagged: dict[tuple[int, int], Floats] = field(default_factory=dict)

    def year(self, state: State) -> None:
        """Work out one kind of year, and add it to what is kept of all years."""
        job, found, years = self.job, self.job.found, list(state.years)
        if not self.changes or self.layers.trend is not None:
            self.now, self.levels, self.scores = years[0], {}, {}
            self.changes = [self._change(a) for a in range(len(job.plans))]
        moved = self._moved(state)
        by_domain = self._domains(state, moved)
        total = sum((by_domain[d].by for d in sorted(by_domain)), np.zeros((1, job.n_active)))
        by_area = np.ascontiguousarray(total.T)
        for columns, group, history in zip(job.groups, job.setting.groups, found.history, strict=True):
            history[years, self.part] = by_area[columns].sum(axis=0) / group.sum()
        self._count_people(state)
        self._keep_for_response(years, by_domain)
        if years[-1] == job.setting.n_years - 1:
            self._last(state, moved, by_domain, total)

    def _level(self, quantity: int) -> Floats:
        """Return the level of a quantity without any action, shape (B or 1, n)."""
        k = self.layers.level.shape[2]
        if quantity >= k:
            return self.job.setting.conditions[None, :, quantity - k]
        level, trend = self.layers.level[:, :, quantity], self.layers.trend
        if trend is None:
            return level
        last = self.job.setting.n_years - 1
        every = quantity in self.job.moved
        if quantity not in self.growth:
            years = tuple(range(last + 1)) if every else (last,)
            self.growth[quantity] = trend.growth(slice(0, trend.n_draws), quantity, years)
        later = trend.grown(quantity, level, self.growth[quantity][self.now if every else 0])
        return np.asarray(np.clip(later, *self.job.setting.limits[quantity]))

    def _change(self, a: int) -> Change:
        plan, layers = self.job.plans[a], self.layers
        level = self._level(plan.quantity) if plan.size.from_level else layers.level[:, :, 0]
        points = layers.points[:, plan.quantity] if plan.quantity < layers.points.shape[1] else np.ones(1)
        full = [change_of_level(plan.size, layers.effect[a], level, plan.places, points)]
        by_area = layers.own[a]
        full += [] if by_area is None else [by_area]
        asked = tuple(np.broadcast_to(part, (len(part), len(plan.places))) * plan.reach for part in full)
        own = tuple(part * layers.additional[a][:, None] for part in asked)
        spread = plan.spread
        received = () if spread is None or not len(spread.places) else tuple(_received(spread, part) for part in own)
        return Change(asked, own, received)

    def _moved(self, state: State) -> dict[int, Moved]:
        """Add up what is asked of each quantity, and keep it inside its limits."""
        job = self.job
        asked: dict[int, Floats] = {}
        for a in job.order:
            if not state.phase[a].any():
                continue
            in_place, quantity = self._spread_out(a, state), job.plans[a].quantity
            asked[quantity] = asked[quantity] + in_place if quantity in asked else in_place
        found = {}
        for quantity, change in asked.items():
            if quantity not in self.levels:
                self.levels[quantity] = np.ascontiguousarray(self._level(quantity)[:, job.active])
            found[quantity] = within_limits(self.levels[quantity], change, job.setting.limits[quantity])
        return found

    def _count_people(self, state: State) -> None:
        """Count the people whose work each action changes, before additionality.

        They are no more than there are: what all actions on an indicator ask for is cut at its limits.
        """
        job, found = self.job, self.job.found
        asked: dict[int, dict[int, Floats]] = {}
        for a in job.order:
            if state.phase[a].any():
                asked.setdefault(job.plans[a].quantity, {})[a] = _in_place(self.changes[a].asked, state.phase[a])
        for quantity, changes in asked.items():
            counted = [a for a in changes if found.people[a] is not None]
            kept = self._kept_of(quantity, changes) if counted else np.ones((1, 1))
            for a in counted:
                own = kept if kept.shape[1] == 1 else kept[:, job.at[a]]
                people, weight = found.people[a], job.plans[a].people
                if people is not None and weight is not None:
                    moved = np.ascontiguousarray(np.abs(changes[a] * own) * weight)
                    people[list(state.years), self.part] = moved.sum(axis=1)

    def _kept_of(self, quantity: int, changes: dict[int, Floats]) -> Floats:
        """Return the share of what actions ask of a quantity that its limits leave, in the columns of `Job.active`."""
        asked = np.zeros((max(len(change) for change in changes.values()), self.job.n_active))
        for a, change in changes.items():
            asked[:, self.job.at[a]] += change
        return within_limits(self.levels[quantity], asked, self.job.setting.limits[quantity]).kept

    def _spread_out(self, a: int, state: State) -> Floats:
        """Return what one action puts in place, additional and received, in the columns of `Job.active`."""
        own = _in_place(self.changes[a].own, state.phase[a])
        if own.shape[1] == self.job.n_active:
            return own
        change = np.zeros((len(own), self.job.n_active))
        change[:, self.job.at[a]] = own
        if self.changes[a].received:
            change[:, self.job.near[a]] = _in_place(self.changes[a].received, state.phase[a])
        return change

    def _domains(self, state: State, moved: dict[int, Moved]) -> dict[int, Moved]:
        """Turn changes of levels into changes of domain scores, and keep them inside the scale."""
        by_domain: dict[int, Floats] = {}

        def add(d: int, change: Floats) -> None:
            by_domain[d] = by_domain[d] + change if d in by_domain else change

        k = self.layers.level.shape[2]
        for quantity in sorted(moved):
            if quantity < k:
                add(self.job.setting.domain[quantity], moved[quantity].by * self.layers.points[:, quantity, None])
        for a in self.job.order:
            slopes, quantity = self.layers.slopes[a], self.job.plans[a].quantity
            if slopes is None or quantity not in moved:
                continue
            delivered = self._spread_out(a, state) * moved[quantity].kept
            for d in range(slopes.shape[1]):
                add(d, delivered * slopes[:, d, None])
        scale = self.job.setting.scale
        return {d: within_limits(self._score_here(d), change, scale[d]) for d, change in by_domain.items()}

    def _score_here(self, d: int) -> Floats:
        """Return a domain score without any action in the columns of `Job.active`."""
        if d not in self.scores:
            self.scores[d] = np.ascontiguousarray(self._score(d)[:, self.job.active])
        return self.scores[d]

    def _score(self, d: int) -> Floats:
        """Return a domain score without any action, shape (B or 1, n): it moves with its levels, inside the scale."""
        layers, score = self.layers, self.layers.score[:, :, d]
        if layers.trend is None:
            return score
        drift = np.zeros((1, 1))
        for j in [j for j, domain in enumerate(self.job.setting.domain) if domain == d]:
            drift = drift + (self._level(j) - layers.level[:, :, j]) * layers.points[:, j, None]
        return np.asarray(score + within_limits(score, drift, self.job.setting.scale[d]).by)

    def _keep_for_response(self, years: list[int], by_domain: dict[int, Moved]) -> None:
        """Add what of these years has come through by the last year."""
        for r, weights in enumerate(self.job.lags):
            share = weights[years].sum()
            for d, change in by_domain.items() if share else ():
                so_far = self.lagged.get((r, d))
                self.lagged[r, d] = share * change.by if so_far is None else so_far + share * change.by

    def _last(self, state: State, moved: dict[int, Moved], by_domain: dict[int, Moved], total: Floats) -> None:
        """Keep the last year by area."""
        job, found, part, active = self.job, self.job.found, self.part, self.job.active
        found.total[part][:, active] = total
        for d, change in by_domain.items():
            found.domain[part][:, active, d] = change.by
            found.beyond[part][:, active, d] = change.beyond
        moved = {quantity: self._in_points(quantity, one, by_domain) for quantity, one in moved.items()}
        for quantity, one in moved.items():
            if quantity < self.layers.level.shape[2]:
                found.level[part][:, active, quantity] = one.by
        for a, plan in enumerate(job.plans):
            if plan.quantity in moved:
                one = moved[plan.quantity]
                found.asked[a][part][:, plan.places] = _in_place(self.changes[a].asked, state.phase[a])
                found.delivered[a][part][:, active] = self._spread_out(a, state) * one.kept
                found.clamped[a][part][:, plan.places] = one.beyond[:, job.at[a]]

    def _in_points(self, quantity: int, one: Moved, by_domain: dict[int, Moved]) -> Moved:
        """Cut the change of an indicator known only in points, which has no limits of its own, as its domain is cut."""
        if not np.isinf(self.job.setting.limits[quantity]).all():
            return one
        cut = by_domain[self.job.setting.domain[quantity]]
        return Moved(one.by * cut.kept, one.beyond | cut.beyond, one.kept * cut.kept)

    def respond(self) -> None:
        """Turn what is kept of all years into changes of the outcomes."""
        job, layers, lagged = self.job, self.layers, self.lagged
        for o, r in enumerate(job.lag_of):
            total: Floats | None = None
            for d in sorted(d for lag, d in lagged if lag == r):
                change = lagged[r, d]
                total = change if total is None else total + change
                job.found.stated[o][self.part][:, job.active] += change * layers.stated[:, o, d, None]
            if total is not None:
                job.found.full[o][self.part][:, job.active] = total * layers.full[:, o, None]

    def counterfactual(self) -> None:
        """Keep levels and scores of the last year without any action."""
        self.now, found = self.job.setting.n_years - 1, self.job.found
        for j in range(self.layers.level.shape[2]):
            found.level_before[self.part][:, :, j] = self._level(j)
        for d in range(self.layers.score.shape[2]):
            found.score_before[self.part][:, :, d] = self._score(d)


def _received(spread: Spread, own: Floats) -> Floats:
    """Return what untreated neighbours receive, shape (B, r); added up one neighbour at a time, in order."""
    received = np.zeros((len(own), len(spread.places)))
    for column, weight in zip(spread.neighbour.T, spread.weight.T, strict=True):
        received += np.take(own, column, axis=1) * weight
    return spread.share * received
