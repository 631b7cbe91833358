"""Treated units named by a column of the panel that says who was treated, or from when on."""

from __future__ import annotations

from typing import Any

from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.cohorts import starts_of
from gwm_models.evaluation.columns import as_columns
from gwm_models.evaluation.panel import PanelMatrix, label


def treated_and_start(
    panel: Any, matrix: PanelMatrix, unit: str, time: str, treated: object, start: object
) -> tuple[object, object]:
    """Return treated units and the start, read from a column where `treated` names one.

    Parameters
    ----------
    panel : DataFrame, Table or mapping of column to array
    matrix : PanelMatrix
        Of the same panel.
    unit, time : str
    treated : object
        Returned as it is unless it is the name of a column and of no unit.
    start : object
        May be None where the column says it.

    Raises
    ------
    DataError
        If the column gives another start than `start`.
    ModelError
        If the column names no unit, or units start at different times.
    """
    columns = as_columns(panel)
    known = getattr(columns, "columns", columns)
    if not isinstance(treated, str) or label(treated) in matrix.unit or treated not in list(known):
        return treated, start
    first = starts_of(columns, matrix, unit, time, treated)
    rows = [k for k, at in enumerate(first.tolist()) if at < len(matrix.time)]
    if not rows:
        raise ModelError(f"column '{treated}' names no treated unit. Mark those that were treated with 1.")
    found = sorted({int(first[k]) for k in rows})
    if len(found) > 1:
        raise ModelError(
            f"column '{treated}' gives units {len(found)} different starts, from {matrix.time[found[0]]} to "
            f"{matrix.time[found[-1]]}. Use staggered, or evaluate those of one start at a time."
        )
    names = [matrix.unit[k] for k in rows]
    if found[0] == 0:  # a flag, the same at all times
        return names, start
    if start is not None and matrix.start_column(start) != found[0]:
        raise DataError(
            f"start is {start}, but by column '{treated}' it is {matrix.time[found[0]]}. Correct one, or leave start "
            "as None."
        )
    return names, matrix.time[found[0]]
