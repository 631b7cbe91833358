"""Who was treated from when on: starts of a staggered adoption, read and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError, ModelError, some
from gwm_models.evaluation.columns import as_columns
from gwm_models.evaluation.effect import Time
from gwm_models.evaluation.neighbours import REASON, rows_apart
from gwm_models.evaluation.panel import PanelMatrix, as_time, is_missing, label
from gwm_models.evaluation.time_text import in_form

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cohorts(Frozen):
    """Units by the time they were first treated.

    Attributes
    ----------
    panel : PanelMatrix
    start : ndarray of int, shape (n_units,)
        Column of the first treated time; the number of times for a unit that is never treated.
    covariates : ndarray, shape (n_covariates, n_units, n_times)
    neighbours : bool
        Whether pairs of neighbours were given.
    """

    panel: PanelMatrix
    start: Ints
    covariates: Floats
    neighbours: bool = False

    def time(self, column: int) -> Time:
        """Return the time of a column."""
        return self.panel.time[column]

    def trends(self) -> Floats:
        """Return each unit's first figure of each covariate in every time but the first, by which trends may differ.

        Returns
        -------
        ndarray, shape (n_covariates * (n_times - 1), n_units, n_times)
        """
        n_times = len(self.panel.time)
        first = np.array([x[np.arange(len(x)), np.isfinite(x).argmax(axis=1)] for x in self.covariates])
        first = first.reshape(len(self.covariates), 1, len(self.panel), 1)
        return (first * np.eye(n_times)[None, 1:, None, :]).reshape(-1, len(self.panel), n_times)


def starts_of(panel: Any, matrix: PanelMatrix, unit: str, time: str, treated: str | Mapping[Any, Any]) -> Ints:
    """Return the column of each unit's start, the number of times where it is never treated."""
    if isinstance(treated, str):
        given = _of_column(as_columns(panel), matrix, unit, time, treated)
    else:
        given = {matrix.unit[matrix.place(name)]: _first(start) for name, start in treated.items()}
    start = np.full(len(matrix), len(matrix.time))
    for name, first in given.items():
        if first in ("", "NaT", "nan", 0) and first not in matrix.time:
            continue
        try:
            first = in_form(first, matrix.time)
        except DataError as fault:
            raise DataError(str(fault).replace("the start is", f"the start of {name} is")) from None
        start[matrix.place(name)] = sum(at < first for at in matrix.time)  # type: ignore[operator]
    return start


def _of_column(panel: Any, matrix: PanelMatrix, unit: str, time: str, name: str) -> dict[str, Time]:
    if name not in list(panel.columns if hasattr(panel, "columns") else panel):
        raise DataError(f"the panel has no column '{name}'. Name the column with each unit's first treated time.")
    units, times = [*panel[unit]], [*panel[time]]
    values = [_first(value) for value in panel[name]]
    if not {0, 1} & set(matrix.time) and all(value in (0, 1) for value in values):
        return _of_status(units, times, values)
    found: dict[str, Time] = {}
    for who, first in zip(map(label, units), values, strict=True):
        if found.setdefault(who, first) != first:
            raise DataError(
                f"column '{name}' gives {who} two starts, {found[who]!r} and {first!r}. Give each unit one."
            )
    return found


def _first(value: Any) -> Time:
    """Return a start as a time; nothing where it is missing, infinite or "never"."""
    never = is_missing(value) or value in (float("inf"), "inf", "never", "Never")
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, str) and value in ("True", "False")):
        return int(value in (True, "True"))
    return "" if never else as_time(value)


def _of_status(units: list[Any], times: list[Any], values: list[Any]) -> dict[str, Time]:
    on: dict[str, list[Time]] = {}
    off: dict[str, list[Time]] = {}
    for who, at, value in zip(map(label, units), map(as_time, times), values, strict=True):
        (on if value == 1 else off).setdefault(who, []).append(at)
    back = [who for who, times_on in on.items() if any(_later(at, min(times_on, key=_key)) for at in off.get(who, []))]
    if back:
        raise ModelError(
            f"treatment is switched off again in {some(back)}; the design is for units that stay treated. Leave them "
            "out, or end their figures when it is switched off."
        )
    return {who: min(at, key=_key) for who, at in on.items()}


def _key(at: Time) -> tuple[float, str]:
    return (0.0, at) if isinstance(at, str) else (float(at), "")


def _later(at: Time, first: Time) -> bool:
    return _key(at) > _key(first)


def cohorts_of(matrix: PanelMatrix, start: Ints, neighbours: Iterable[tuple[object, object]] = ()) -> Cohorts:
    """Leave out units that say nothing, and refuse a panel without treated units or controls."""
    n_times = len(matrix.time)
    there = np.isfinite(matrix.value)
    for values in matrix.columns.values():
        there &= np.isfinite(values)
    before = (there & (np.arange(n_times) < start[:, None])).any(axis=1)
    reasons = {
        "treated from the first time on": start == 0,
        "no figure before its start": (start > 0) & (start < n_times) & ~before,
        "fewer than two figures": (start > 0) & (there.sum(axis=1) < 2),
    }
    apart = rows_apart(matrix.unit, neighbours)
    near = {j for i in np.flatnonzero(start < n_times).tolist() for j in apart.get(i, ())}
    reasons[REASON] = (start >= n_times) & np.isin(np.arange(len(start)), list(near))
    gone = np.any(list(reasons.values()), axis=0)
    out = tuple(f"{matrix.unit[i]}: {why}" for why, rows in reasons.items() for i in np.flatnonzero(rows))
    if not (start < n_times).any():
        raise ModelError(f"no unit is treated within the panel, which ends at {matrix.time[-1]}: nothing to evaluate.")
    if not ((start < n_times) & ~gone).any():
        raise ModelError(f"no treated unit can be used: {some(out)}. Add times before the starts.")
    kept = replace(matrix, value=np.where(there, matrix.value, np.nan)).take(np.flatnonzero(~gone))
    if np.ptp(kept.value[np.isfinite(kept.value)]) == 0:
        raise ModelError(f"{matrix.outcome} is the same everywhere, so there is nothing to estimate.")
    columns = np.array(list(kept.columns.values())).reshape(-1, *kept.value.shape)
    return Cohorts(replace(kept, excluded=(*matrix.excluded, *out)), start[~gone], columns, bool(apart))
