"""The scenario engine: pure functions on arrays of draws, in blocks of draws.

Shapes are those of `gwm_models.scenarios.engine_parts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gwm_models.scenarios.block import Job, State, run_block
from gwm_models.scenarios.engine_parts import ActionPlan, Effects, Layers, Setting

Floats = NDArray[np.float64]


def apply_actions(plans: Sequence[ActionPlan], layers: Layers, setting: Setting, *, before: bool = True) -> Effects:
    """Apply all actions together, year by year, in blocks of draws.

    Changes of one quantity add up, each worked out from the level without any action; hard limits are applied to the
    sum, in each draw and year, and the ends of the scale to each domain score. The size of a block changes no number.

    Parameters
    ----------
    plans : sequence of ActionPlan
    layers : Layers
    setting : Setting
    before : bool
        Whether to keep where levels and scores go along a trend without the actions; else they are those of the layers.

    Returns
    -------
    Effects
        All zero, exactly, where there is no action.
    """
    found = _nothing(plans, layers, setting, moving=before and layers.trend is not None)
    job = _job(plans, layers, setting, found)
    for part in _blocks(len(found.total), setting.block):
        run_block(job, layers, part)
    return found


def _blocks(n_draws: int, size: int) -> Iterator[slice]:
    """Cut draws into blocks of one size; a single draw left over goes with the last block."""
    start = 0
    while start < n_draws:
        stop = n_draws if n_draws - start <= size + 1 else start + size
        yield slice(start, stop)
        start = stop


def _job(plans: Sequence[ActionPlan], layers: Layers, setting: Setting, found: Effects) -> Job:
    """Find what can be found once for all blocks."""
    reached = np.zeros(layers.level.shape[1], dtype=bool)
    for plan in plans:
        reached[plan.places] = True
        if plan.spread is not None:
            reached[plan.spread.places] = True
    active = np.flatnonzero(reached)
    column = np.cumsum(reached) - 1
    none = np.zeros(0, dtype=np.int64)
    lags, lag_of = np.unique(setting.responses, axis=0, return_inverse=True)
    return Job(
        plans=plans,
        setting=setting,
        n_active=len(active),
        active=slice(None) if reached.all() else active,
        at=tuple(slice(None) if len(plan.places) == len(active) else column[plan.places] for plan in plans),
        near=tuple(none if plan.spread is None else column[plan.spread.places] for plan in plans),
        order=tuple(sorted(range(len(plans)), key=lambda a: plans[a].id)),
        moved=_looked_at(plans, setting.domain),
        groups=tuple(np.flatnonzero(group[active]) for group in setting.groups),
        states=_states(plans, setting.n_years, apart=layers.trend is not None),
        lags=lags,
        lag_of=tuple(np.ravel(lag_of).tolist()),
        found=found,
    )


def _looked_at(plans: Sequence[ActionPlan], domain: tuple[int, ...]) -> frozenset[int]:
    """Return the quantities that actions change and the indicators of the domains they change: of a condition, all."""
    changed = {plan.quantity for plan in plans}
    domains = set(domain) if any(q >= len(domain) for q in changed) else {domain[q] for q in changed}
    return frozenset(changed | {j for j, d in enumerate(domain) if d in domains})


def _states(plans: Sequence[ActionPlan], n_years: int, *, apart: bool) -> tuple[State, ...]:
    """Group the years in which the same is in place; every year is apart where levels move by themselves."""
    found: dict[bytes, tuple[Floats, list[int]]] = {}
    for t in range(n_years):
        phase = np.array([(plan.phase[t], 0.0 if plan.own_phase is None else plan.own_phase[t]) for plan in plans])
        if phase.any():
            key = phase.tobytes() + (t.to_bytes(2) if apart else b"")
            found.setdefault(key, (phase, []))[1].append(t)
    return tuple(State(phase, tuple(years)) for phase, years in found.values())


def _nothing(plans: Sequence[ActionPlan], layers: Layers, setting: Setting, *, moving: bool) -> Effects:
    """Return results that are zero everywhere."""
    n_draws, (n, k), d = layers.n_draws, layers.level.shape[1:], layers.score.shape[2]
    outcomes = range(layers.full.shape[1])
    return Effects(
        total=np.zeros((n_draws, n)),
        domain=np.zeros((n_draws, n, d)),
        level=np.zeros((n_draws, n, k)),
        asked=tuple(np.zeros((n_draws, n)) for _ in plans),
        delivered=tuple(np.zeros((n_draws, n)) for _ in plans),
        clamped=tuple(np.zeros((n_draws, n), dtype=bool) for _ in plans),
        history=tuple(np.zeros((setting.n_years, n_draws)) for _ in setting.groups),
        people=tuple(None if plan.people is None else np.zeros((setting.n_years, n_draws)) for plan in plans),
        beyond=np.zeros((n_draws, n, d), dtype=bool),
        full=tuple(np.zeros((n_draws, n)) for _ in outcomes),
        stated=tuple(np.zeros((n_draws, n)) for _ in outcomes),
        level_before=np.zeros((n_draws, n, k)) if moving else layers.level,
        score_before=np.zeros((n_draws, n, d)) if moving else layers.score,
    )
