"""Tables of any kind as columns by name, and names given as one or as many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gwm_models.errors import DataError


def as_columns(panel: Any) -> Any:
    """Return a table as something with columns by name.

    Parameters
    ----------
    panel : DataFrame, Table, mapping of column to array, structured array, or list of rows
        Named levels of the index of a DataFrame count as columns; rows are mappings.

    Raises
    ------
    DataError
        If it is none of these.

    Examples
    --------
    >>> as_columns([{"area": "A", "rate": 1.0}, {"area": "B"}])
    {'area': ['A', 'B'], 'rate': [1.0, None]}
    """
    if isinstance(panel, np.ndarray) and panel.dtype.names:
        return {name: panel[name] for name in panel.dtype.names}
    if isinstance(panel, (list, tuple)) and panel and all(isinstance(row, Mapping) for row in panel):
        names = dict.fromkeys(name for row in panel for name in row)
        return {name: [row.get(name) for row in panel] for name in names}
    if isinstance(panel, Mapping):
        return panel
    if not hasattr(panel, "columns"):
        raise DataError(
            f"the panel is a {type(panel).__name__}; expected a DataFrame, a table or a mapping of column to values. "
            "Give one row per unit and time."
        )
    index = getattr(getattr(panel, "index", None), "names", ())
    levels = [name for name in index if name is not None and name not in panel.columns]
    return panel.reset_index(level=levels) if levels else panel


def named(value: object) -> list[Any]:
    """Return one name, or each of many, as a list; nothing where there is none.

    Examples
    --------
    >>> named("Leeds"), named(["Leeds", 7]), named(None)
    (['Leeds'], ['Leeds', 7], [])
    """
    if value is None:
        return []
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return [value]
    return list(value)
