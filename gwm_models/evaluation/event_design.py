"""The regressors of an event study, and the refusals that come before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError, some
from gwm_models.evaluation.columns import named
from gwm_models.evaluation.neighbours import REASON, rows_apart
from gwm_models.evaluation.panel import PanelMatrix, treated_rows
from gwm_models.models.panel.within import TwoWay, two_way

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class EventDesign(Frozen):
    """Cells in use, and the regressors of an event study.

    Attributes
    ----------
    panel : PanelMatrix
        Units and times in use.
    treated : ndarray of bool, shape (n_units,)
    start : int
        Column of the first treated time.
    bins : ndarray of int, shape (n_events,)
        Event times with a coefficient: all but the reference.
    of_time : ndarray of int, shape (n_times,)
        Event time of each column.
    reference : int
    effects : TwoWay
        Unit and time effects over the cells in use.
    covariates : ndarray, shape (n_covariates, n_units, n_times)
    """

    panel: PanelMatrix
    treated: Mask
    start: int
    bins: NDArray[np.int64]
    of_time: NDArray[np.int64]
    reference: int
    effects: TwoWay
    covariates: Floats

    @property
    def post(self) -> Mask:
        """Which event times are at or after the start."""
        return np.asarray(self.bins >= 0)

    def exposures(self, treated: Mask) -> Floats:
        """Return event-time dummies of these units and the covariates, shape (k, n_units, n_times)."""
        events = (self.of_time == self.bins[:, None])[:, None, :] & treated[None, :, None]
        return np.concatenate([events.astype(float), self.covariates])

    def average(self) -> Floats:
        """Return the weights on event times that make the average after the start less that before it."""
        times = np.array([(self.of_time == k).sum() for k in self.bins], dtype=float)
        before = times[~self.post].sum() + (self.of_time == self.reference).sum()
        weights = np.where(self.post, times / times[self.post].sum(), -times / before)
        return np.concatenate([weights, np.zeros(len(self.covariates))])

    def dip(self) -> Floats | None:
        """Return the weights that set the last time before the start against those before it, if there are any."""
        if self.reference != -1 or not (~self.post).any():
            return None
        return np.concatenate([np.where(self.post, 0.0, -1.0 / (~self.post).sum()), np.zeros(len(self.covariates))])


def design_of(
    matrix: PanelMatrix,
    treated: object,
    start: object,
    donors: Sequence[object] | None,
    neighbours: Iterable[tuple[object, object]],
    leads: int | None,
    lags: int | None,
    reference: int,
) -> EventDesign:
    """Choose units, times and event times, and refuse what cannot be estimated."""
    rows = treated_rows(matrix, treated)
    others = [i for i in range(len(matrix)) if i not in rows]
    if donors is not None:
        others = [i for i in dict.fromkeys(matrix.place(name) for name in named(donors)) if i not in rows]
    apart = rows_apart(matrix.unit, neighbours)
    near = {j for i in rows for j in apart.get(i, ())}
    gone = tuple(f"{matrix.unit[i]}: {REASON}" for i in others if i in near)
    others = [i for i in others if i not in near]
    if not others:
        raise ModelError(
            "there are no donors: every unit is treated, next to a treated one, or left out. Add units that "
            "the intervention did not reach."
        )
    first = matrix.start_column(start)
    matrix = _usable(replace(matrix, excluded=(*matrix.excluded, *gone)).take([*rows, *others]), len(rows), first)
    is_treated = np.isin(matrix.unit, [name for name in _names(matrix, treated)])
    seen = _seen(matrix, is_treated)
    if np.ptp(matrix.value[seen]) == 0:
        raise ModelError(f"{matrix.outcome} is the same everywhere, so there is nothing to estimate.")
    event = np.arange(len(matrix.time)) - first
    low, high = event[0] if leads is None else -leads, event[-1] if lags is None else lags
    if not low <= reference < 0 or reference < event[0] or high < 0:
        raise ValueError(
            f"reference {reference}, leads and lags must leave event times on both sides of the start; the panel has "
            f"{event[0]} to {event[-1]}."
        )
    of_time = np.clip(event, low, high)
    held: Mask = np.asarray(seen[is_treated].any(axis=0))
    if not held[of_time == reference].any():
        raise ModelError(f"no treated unit has a figure at the reference, event time {reference}. Choose another one.")
    bins = np.array([k for k in np.unique(of_time[held]) if k != reference])
    if not (bins >= 0).any():
        raise ModelError("no treated unit and control have figures at one time from the start on.")
    columns = np.array([np.where(seen, values, 0.0) for values in matrix.columns.values()]).reshape(-1, *seen.shape)
    return EventDesign(matrix, is_treated, first, bins, of_time, reference, two_way(seen), columns)


def _names(matrix: PanelMatrix, treated: object) -> list[str]:
    return [matrix.unit[i] for i in treated_rows(matrix, treated)]


def _usable(matrix: PanelMatrix, n_treated: int, first: int) -> PanelMatrix:
    """Leave out units without two figures, or treated ones without figures on both sides of the start."""
    there = np.isfinite(matrix.value)
    for values in matrix.columns.values():
        there &= np.isfinite(values)
    both = there[:, :first].any(axis=1) & there[:, first:].any(axis=1)
    treated = np.arange(len(matrix)) < n_treated
    keep = np.where(treated, both, there.sum(axis=1) >= 2)
    gone = [matrix.unit[i] for i in np.flatnonzero(treated & ~keep)]
    if gone:
        raise ModelError(
            f"treated unit {some(gone)} has no figure of {matrix.outcome} on one side of the start. Leave it out."
        )
    if not keep[~treated].any():
        raise ModelError("there are no donors with two figures. Add units that the intervention did not reach.")
    out = tuple(f"{matrix.unit[i]}: fewer than two figures" for i in np.flatnonzero(~keep))
    values = np.where(there, matrix.value, np.nan)
    kept = replace(matrix, value=values).take(np.flatnonzero(keep))
    return replace(kept, excluded=(*kept.excluded, *out))


def _seen(matrix: PanelMatrix, treated: Mask) -> Mask:
    """Return the cells in use: figures at times when a treated unit and a control have one, controls apart."""
    seen = np.isfinite(matrix.value)
    seen &= seen[~treated].any(axis=0)
    return np.asarray(seen)
