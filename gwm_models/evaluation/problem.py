"""A panel, its treated units and its donors, checked and ready for a design."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.errors import DataError, ModelError, some
from gwm_models.evaluation.columns import named
from gwm_models.evaluation.designs import Data, Method
from gwm_models.evaluation.effect import Time
from gwm_models.evaluation.neighbours import REASON, rows_apart
from gwm_models.evaluation.panel import PanelMatrix, label, treated_rows
from gwm_models.evaluation.placebo import Apart

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Problem:
    """What one evaluation is made of.

    Attributes
    ----------
    method : {"sc", "sdid", "did"}
    data : Data
    treated, donors : ndarray of int
        Rows of `data`.
    time : tuple, length n_times
    unit : tuple of str, length n_units
    apart : mapping of row to rows
        Neighbours, which are not donors of that row.
    seed : int
    """

    method: Method
    data: Data
    treated: Rows
    donors: Rows
    time: tuple[Time, ...]
    unit: tuple[str, ...]
    apart: Apart
    seed: int


def make_problem(
    matrix: PanelMatrix,
    treated: object,
    start: object,
    donors: Sequence[object] | None,
    neighbours: Iterable[tuple[object, object]],
    missing: str,
    method: Method,
    seed: int,
) -> tuple[PanelMatrix, Problem]:
    """Check a panel and choose its donors; return the balanced panel of treated and donors, and the problem."""
    own = [matrix.unit[row] for row in treated_rows(matrix, treated)]
    listed = list(matrix.unit) if donors is None else [matrix.unit[matrix.place(unit)] for unit in named(donors)]
    if donors is not None and (both := [unit for unit in listed if unit in own]):
        raise ModelError(f"{some(both)} is named both as treated and as donor. Name it once.")
    apart = rows_apart(matrix.unit, neighbours)
    near = {matrix.unit[k] for unit in own for k in apart.get(matrix.place(unit), ())} - set(own)
    pool = [unit for unit in dict.fromkeys(listed) if unit not in own and unit not in near]
    if not pool:
        raise ModelError(
            f"no donor is left for {some(own)}: all {len(matrix) - len(own)} other units are treated, neighbours or "
            "not named. Name more donors."
        )
    used = matrix.take([matrix.place(unit) for unit in own + pool]).balanced(keep=own, missing=missing)
    if len(used) == len(own):
        raise ModelError(
            "every donor has a gap, so none is left. Fill gaps, or leave out the times (missing: drop_times)."
        )
    gone = [f"{unit}: {REASON}" for unit in listed if unit in near]
    used = replace(used, excluded=(*used.excluded, *gone))
    cut = used.start_column(start)
    _enough(used, cut, method)
    rows = np.arange(len(used))
    place = {unit: k for k, unit in enumerate(used.unit)}
    kept = {
        place[matrix.unit[k]]: frozenset(place[matrix.unit[n]] for n in near_k if matrix.unit[n] in place)
        for k, near_k in apart.items()
        if matrix.unit[k] in place
    }
    data = Data(used.value, cut, used.value[:, :cut].copy())
    return used, Problem(method, data, rows[: len(own)], rows[len(own) :], used.time, used.unit, kept, seed)


def _enough(panel: PanelMatrix, cut: int, method: Method) -> None:
    if np.ptp(panel.value) == 0:
        raise ModelError(f"{panel.outcome} is {panel.value.flat[0]:g} everywhere, so no effect can be told from none.")
    if cut < 2 and method != "did":
        raise ModelError(
            f"method {method} needs at least two times before the start; there is one, {panel.time[0]}. "
            "Add earlier times, or use did."
        )


def covariate_match(panel: PanelMatrix, problem: Problem, names: Sequence[str]) -> Floats:
    """Return what weights are to match: the outcome before the start, and the covariates' means on its scale."""
    if problem.method != "sc":
        raise ModelError(f"covariates are matched by method 'sc' only; method is '{problem.method}'. Leave them out.")
    cut, size, extra = problem.data.cut, float(problem.data.match.std(axis=0).mean()), []
    for name in names:
        before = panel.columns[name][:, :cut]
        empty = [unit for unit, row in zip(panel.unit, before, strict=True) if np.isnan(row).all()]
        if empty:
            raise DataError(f"covariate '{name}' has no figure before the start for {len(empty)} units: {some(empty)}.")
        mean = np.nanmean(before, axis=1)
        spread = float(mean.std())
        extra.append(size * (mean - mean.mean()) / (spread if spread > 0 else 1.0))
    return np.column_stack([problem.data.match, *extra])


def fixed_weights(problem: Problem, weights: Mapping[Any, float]) -> Floats:
    """Return fixed donor weights in the order of the donors; weights that are not on the simplex are refused."""
    given = {label(unit): float(weight) for unit, weight in weights.items() if weight != 0}
    pool = [problem.unit[k] for k in problem.donors.tolist()]
    unknown = [unit for unit in given if unit not in pool]
    if unknown:
        raise DataError(f"weights name {some(unknown)}, which is no donor here. Weight donors only.")
    found = np.array([given.get(unit, 0.0) for unit in pool])
    if (found < 0).any() or abs(found.sum() - 1) > 1e-6:
        raise DataError(f"weights must be at least 0 and sum to 1; they sum to {found.sum():.6g}.")
    return np.asarray(found / found.sum())
