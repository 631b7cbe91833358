"""A series to be evaluated, with or without a control: read from a panel, and refused where it cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError, ModelError, some
from gwm_models.evaluation.columns import as_columns, named
from gwm_models.evaluation.effect import Words
from gwm_models.evaluation.panel import PanelMatrix, read_panel, treated_rows
from gwm_models.evaluation.series_time import positions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_BEFORE, LEAST_AFTER = 8, 3
SERIES = "series"


@dataclass(frozen=True, eq=False)
class Series(Frozen):
    """One or two series stacked, the treated first.

    Attributes
    ----------
    outcome : ndarray, shape (n,)
    offset : ndarray, shape (n,)
        Logarithm of the population; zero without one.
    covariates : ndarray, shape (n, k)
    position, column : ndarray of int, shape (n,)
        Steps from the first time, and place among the panel's times.
    series : ndarray of int, shape (n,)
        0 treated, 1 control.
    start : int
        Position of the first treated time.
    """

    outcome: Floats
    offset: Floats
    covariates: Floats
    position: Ints
    column: Ints
    series: Ints
    start: int


def read_series(
    panel: Any,
    *,
    time: str,
    outcome: str,
    start: object,
    unit: str | None,
    treated: object,
    controls: Sequence[object],
    population: str | None,
    covariates: Sequence[str],
    counts: bool,
) -> tuple[Series, PanelMatrix, tuple[str, ...]]:
    """Read the treated series and, if there is one, the control; refuse what cannot be used.

    Returns
    -------
    Series, PanelMatrix, tuple of str
        The data, the panel as read, and the treated units.
    """
    columns = (*((population,) if population else ()), *covariates)
    panel = as_columns(panel)
    if unit is None:
        names = (time, outcome, *columns)
        known = [name for name in names if name in list(panel.columns if hasattr(panel, "columns") else panel)]
        panel = {name: panel[name] for name in known}
        panel |= {SERIES: [SERIES] * len(panel[time])} if time in panel else {}
        unit, treated = SERIES, SERIES
    matrix = read_panel(panel, unit=unit, time=time, outcome=outcome, columns=columns)
    if treated is None:
        if len(matrix) > 1:
            raise DataError(f"there are {len(matrix)} units: name the treated one with treated=.")
        treated = matrix.unit[0]
    rows = treated_rows(matrix, treated)
    others = list(dict.fromkeys(matrix.place(name) for name in named(controls)))
    if set(rows) & set(others):
        raise DataError(f"{some([matrix.unit[i] for i in rows if i in others])} is both treated and a control.")
    first, steps = matrix.start_column(start), positions(matrix.time)
    parts = [_one(matrix, group, population, covariates, counts) for group in (rows, others) if group]
    kept = [np.flatnonzero(np.isfinite(value) & np.isfinite(more).all(axis=1)) for value, _, more in parts]
    data = Series(
        outcome=np.concatenate([value[k] for (value, _, _), k in zip(parts, kept, strict=True)]),
        offset=np.concatenate([offset[k] for (_, offset, _), k in zip(parts, kept, strict=True)]),
        covariates=np.concatenate([more[k] for (_, _, more), k in zip(parts, kept, strict=True)]),
        position=np.concatenate([steps[k] for k in kept]),
        column=np.concatenate(kept),
        series=np.repeat(np.arange(len(kept)), [len(k) for k in kept]),
        start=int(steps[first]),
    )
    _refuse(data, matrix, counts)
    return data, matrix, tuple(matrix.unit[i] for i in rows)


def _one(
    matrix: PanelMatrix, rows: Sequence[int], population: str | None, covariates: Sequence[str], counts: bool
) -> tuple[Floats, Floats, Floats]:
    """Return outcome, offset and covariates of units taken together; NaN at times when one has no figure."""
    value = matrix.value[list(rows)]
    more = np.array([matrix.columns[name][list(rows)].mean(axis=0) for name in covariates]).reshape(
        len(covariates), value.shape[1]
    )
    if not counts:
        if population:
            raise ValueError("population is for counts: give family='poisson' or 'negative_binomial', or leave it out.")
        return value.mean(axis=0), np.zeros(value.shape[1]), more.T
    if (value < 0).any():
        raise DataError(f"{matrix.outcome} has a negative figure, so it is not a count. Use family='gaussian'.")
    odd = value[np.isfinite(value) & (value != np.round(value))]
    if odd.size:
        raise DataError(
            f"{matrix.outcome} has figures that are not whole, such as {odd[0]:g}, so it is not a count. Give the "
            "counts themselves, with population= for what they are out of, or use family='gaussian'."
        )
    if population is None:
        return value.sum(axis=0), np.zeros(value.shape[1]), more.T
    people = matrix.columns[population][list(rows)]
    if (people <= 0).any():
        raise DataError(f"column '{population}' must be positive; it is {np.nanmin(people):g} somewhere.")
    offset = np.log(people.sum(axis=0))
    return np.where(np.isfinite(offset), value.sum(axis=0), np.nan), np.nan_to_num(offset), more.T


def _refuse(data: Series, matrix: PanelMatrix, counts: bool) -> None:
    for s in (0, 1) if (data.series == 1).any() else (0,):
        place = data.position[data.series == s]
        before, after = int((place < data.start).sum()), int((place >= data.start).sum())
        if before < LEAST_BEFORE or after < LEAST_AFTER:
            raise ModelError(
                f"the {('treated', 'control')[s]} series has {before} times before the start and {after} from it on; "
                f"{LEAST_BEFORE} and {LEAST_AFTER} are needed. Add times, or compare with other units (event_study)."
            )
        own, after_it = data.outcome[data.series == s], place >= data.start
        if np.ptp(own) == 0:
            raise ModelError(f"{matrix.outcome} is the same at every time, so there is nothing to estimate.")
        if counts and not (own[after_it].any() and own[~after_it].any()):
            raise ModelError(f"{matrix.outcome} has no event on one side of the start, so no rate ratio can be told.")


def words_of(controlled: bool) -> Words:
    """Say what an interrupted time series estimates, assumes and cannot say."""
    against = "the change of the control series is taken off" if controlled else "there is no control series"
    return Words(
        f"The mean effect per time from the start on: the series less what it would have been, had it gone on as "
        f"before; {against}.",
        "What went before would have gone on"
        + (", changed as the control changed" if controlled else "")
        + "; nothing was felt before the start; what is counted, and how, did not change at that time.",
        "Whether something else happened at the same time"
        + (" to the treated alone." if controlled else ": a single series cannot tell two causes apart.")
        + " The further from the start, the more the counterfactual rests on the line it is drawn with.",
    )
