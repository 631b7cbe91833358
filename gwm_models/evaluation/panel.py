"""A checked panel: one outcome by unit and time, and the refusals that keep an evaluation honest."""

from __future__ import annotations

import math
import numbers
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError, ModelError, some
from gwm_models.evaluation.columns import as_columns, named
from gwm_models.evaluation.effect import Time
from gwm_models.evaluation.time_text import check_order, in_form, plain_text

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PanelMatrix(Frozen):
    """One outcome by unit and time.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    unit : tuple of str, length n_units
        By name, so that the order of the rows changes no answer.
    time : tuple of int, float or str, length n_times
        Every time that appears, in order: numbers by size, text by alphabet (dates as ISO text, months as 2001-09,
        quarters as 2001Q3).
    value : ndarray, shape (n_units, n_times)
        NaN where the panel has no figure.
    columns : mapping of str to ndarray, shape (n_units, n_times)
        Further numeric columns that were asked for.
    excluded : tuple of str
        What was left out, each with the reason.
    """

    outcome: str
    unit: tuple[str, ...]
    time: tuple[Time, ...]
    value: Floats
    columns: Mapping[str, Floats]
    excluded: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.unit)

    def __repr__(self) -> str:
        """Return outcome, units and times in one line."""
        return f"PanelMatrix({self.outcome}: {len(self)} units, {self.time[0]} to {self.time[-1]})"

    def place(self, unit: object) -> int:
        """Return the row of a unit; an unknown one is a `DataError`."""
        name = label(unit)
        if name not in self.unit:
            raise DataError(
                f"treated or donor unit {name!r} is not in the panel, which has {len(self)} units "
                f"({some(self.unit)}). Name a unit as the panel does."
            )
        return self.unit.index(name)

    def start_column(self, start: object) -> int:
        """Return the column of the first time at or after `start`.

        Raises
        ------
        ModelError
            If the start is after the last time, or leaves no time before it.
        """
        first = in_form(as_time(start), self.time)
        after = [t for t, time in enumerate(self.time) if time >= first]  # type: ignore[operator]
        if not after:
            raise ModelError(
                f"start {start} is after the last time of the panel, {self.time[-1]}: there is nothing to evaluate yet."
            )
        if after[0] == 0:
            raise ModelError(
                f"start {start} leaves no time before it: the panel begins at {self.time[0]}. Add earlier times."
            )
        return after[0]

    def take(self, units: Sequence[int] | NDArray[np.int64], times: slice = slice(None)) -> PanelMatrix:
        """Return the panel of some units, by row, and of a run of times."""
        rows = np.asarray(units, dtype=np.int64)
        return replace(
            self,
            unit=tuple(self.unit[i] for i in rows.tolist()),
            time=self.time[times],
            value=self.value[rows][:, times].copy(),
            columns={name: values[rows][:, times].copy() for name, values in self.columns.items()},
        )

    def gaps(self) -> list[str]:
        """Return the units without a figure at some time, each with those times."""
        found = []
        for unit, row in zip(self.unit, self.value, strict=True):
            gone = np.flatnonzero(np.isnan(row)).tolist()
            if gone:
                found.append(f"{unit} ({some([self.time[t] for t in gone])})")
        return found

    def balanced(self, *, keep: Iterable[str] = (), missing: str = "raise") -> PanelMatrix:
        """Return a panel without gaps.

        Parameters
        ----------
        keep : iterable of str
            Units that must stay, such as the treated.
        missing : {"raise", "drop_units", "drop_times"}
            Refuse a panel with gaps, leave out units with gaps, or leave out times at which any unit has one.

        Raises
        ------
        DataError
            If there are gaps and `missing` is "raise", or a unit of `keep` has one and units would be dropped, or
            nothing is left.
        """
        if missing not in ("raise", "drop_units", "drop_times"):
            raise ValueError(f"missing must be 'raise', 'drop_units' or 'drop_times'; got {missing!r}.")
        gaps, bad = self.gaps(), np.isnan(self.value)
        if not gaps:
            return self
        if missing == "raise":
            raise DataError(
                f"{self.outcome} has no figure for {len(gaps)} of {len(self)} units at some time: {some(gaps)}. Fill "
                "the gaps, or leave out the units (missing: drop_units) or the times (missing: drop_times)."
            )
        if missing == "drop_times":
            return self._without_times(np.asarray(bad.any(axis=0)))
        held = [unit for unit in keep if bad[self.place(unit)].any()]
        if held:
            raise DataError(
                f"treated unit {some(held)} has no figure of {self.outcome} at some time, so it cannot be left out. "
                "Fill the gap, or leave out those times (missing: drop_times)."
            )
        kept = self.take(np.flatnonzero(~bad.any(axis=1)))
        return replace(kept, excluded=(*self.excluded, *(f"{gap}: no figure" for gap in gaps)))

    def _without_times(self, gone: NDArray[np.bool_]) -> PanelMatrix:
        if gone.all():
            raise DataError(f"{self.outcome} has a gap at every time, so none is left. Leave out units instead.")
        stays = ~gone
        return replace(
            self,
            time=tuple(time for time, there in zip(self.time, stays.tolist(), strict=True) if there),
            value=self.value[:, stays],
            columns={name: values[:, stays] for name, values in self.columns.items()},
            excluded=(
                *self.excluded,
                *(
                    f"{time}: no figure for some unit"
                    for time, out in zip(self.time, gone.tolist(), strict=True)
                    if out
                ),
            ),
        )


def read_panel(panel: Any, *, unit: str, time: str, outcome: str, columns: Sequence[str] = ()) -> PanelMatrix:
    """Read a long panel into a matrix.

    Parameters
    ----------
    panel : DataFrame, Table or mapping of column to array
        One row per unit and time. Not modified.
    unit, time, outcome : str
        Names of its columns. Times are numbers, dates, or text with the year first, such as ``2016-18``; quarters and
        months may come before the year.
    columns : sequence of str
        Further numeric columns to read.

    Returns
    -------
    PanelMatrix
        A unit and time that do not appear are NaN.

    Raises
    ------
    DataError
        If a column is missing, units or times are empty, times cannot be put in order, a unit has two rows for a time,
        a figure is not a number or is infinite, or no figure is left.

    Examples
    --------
    >>> rows = {"area": ["A", "A", "B", "B"], "year": [1, 2, 1, 2], "rate": [3.0, 4.0, 5.0, 6.0]}
    >>> read_panel(rows, unit="area", time="year", outcome="rate").value.tolist()
    [[3.0, 4.0], [5.0, 6.0]]
    """
    panel = as_columns(panel)
    units = [label(value) for value in _column(panel, unit)]
    times = _times(_column(panel, time), time)
    if not units:
        raise DataError("the panel has no rows. Give one row per unit and time.")
    if len(units) != len(times):
        raise DataError(f"column '{unit}' has {len(units)} rows and '{time}' {len(times)}; they must be equally long.")
    if "" in units:
        raise DataError(
            f"column '{unit}' is empty in {units.count('')} of {len(units)} rows. Name the unit of each row."
        )
    _no_duplicates(units, times)
    order, rows = sorted(set(times)), sorted(set(units))
    row_of, column_of = {name: k for k, name in enumerate(rows)}, {at: k for k, at in enumerate(order)}
    i, t = np.array([row_of[name] for name in units]), np.array([column_of[at] for at in times])

    def matrix(name: str) -> Floats:
        found = np.full((len(rows), len(order)), np.nan)
        found[i, t] = _numbers(_column(panel, name), name, len(units))
        return found

    value = matrix(outcome)
    if not np.isfinite(value).any():
        raise DataError(f"column '{outcome}' has no figure at all.")
    return PanelMatrix(outcome, tuple(rows), tuple(order), value, {name: matrix(name) for name in columns})


def treated_rows(panel: PanelMatrix, treated: object) -> list[int]:
    """Return the rows of one treated unit or of several, in the order given."""
    rows = list(dict.fromkeys(panel.place(unit) for unit in named(treated)))
    if not rows:
        raise ModelError("no treated unit was named. Name at least one.")
    return rows


def label(value: object) -> str:
    """Return the name of a unit as text: numbers without a needless ``.0``, nothing for a missing name.

    Examples
    --------
    >>> label(7.0), label("Leeds"), label(None)
    ('7', 'Leeds', '')
    """
    if is_missing(value):
        return ""
    if isinstance(value, numbers.Real):
        number = float(value)
        return str(int(number)) if number.is_integer() else str(number)
    return str(value).strip()


def as_time(value: object) -> Time:
    """Return a time as a number where it is one, else as text that sorts; dates become ISO text.

    Examples
    --------
    >>> as_time("1989"), as_time(1989.0), as_time("2016-18")
    (1989, 1989, '2016-18')
    """
    if is_missing(value):
        return ""
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[D]"))
    if isinstance(value, numbers.Real):
        number = float(value)
    else:
        text = value.isoformat() if hasattr(value, "isoformat") else str(value).strip()
        text = text.removesuffix("T00:00:00")
        try:
            number = float(text if "_" not in text else "")  # no figure of a table has what Python's may have
        except ValueError:
            return plain_text(text)
    if not math.isfinite(number):
        return str(value)
    return int(number) if number.is_integer() else number


def is_missing(value: object) -> bool:
    """Return whether a cell is None, NaN or one of the missing values of pandas and NumPy."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (numbers.Real, np.datetime64)) and bool(value != value)


def _column(panel: Any, name: str) -> list[Any]:
    known = getattr(panel, "columns", None)
    known = list(panel if known is None else known)
    if name not in known:
        raise DataError(f"the panel has no column '{name}'; it has {some([str(k) for k in known], 8)}.")
    column = panel[name]
    return list(column.tolist() if hasattr(column, "tolist") else column)


def _times(column: list[Any], name: str) -> list[Time]:
    times = [as_time(value) for value in column]
    empty = times.count("")
    if empty:
        raise DataError(f"column '{name}' is empty in {empty} of {len(times)} rows. Give the time of each row.")
    if len({isinstance(value, str) for value in times}) > 1:
        odd = next(value for value in times if isinstance(value, str))
        raise DataError(f"column '{name}' mixes numbers and text such as {odd!r}. Write every time in one form.")
    check_order([at for at in times if isinstance(at, str)], name)
    return times


def _numbers(column: list[Any], name: str, rows: int) -> Floats:
    if len(column) != rows:
        raise DataError(f"column '{name}' has {len(column)} rows; expected {rows}, as the units.")
    found = np.empty(rows)
    for k, value in enumerate(column):
        try:
            found[k] = math.nan if is_missing(value) or value == "" else float(value)
        except (TypeError, ValueError):
            raise DataError(f"column '{name}' has {value!r} in row {k + 1}; expected a number.") from None
    if np.isinf(found).any():
        raise DataError(f"column '{name}' is infinite in {int(np.isinf(found).sum())} of {rows} rows.")
    return found


def _no_duplicates(units: list[str], times: list[Time]) -> None:
    twice = [f"{unit} at {time}" for (unit, time), n in Counter(zip(units, times, strict=True)).items() if n > 1]
    if twice:
        raise DataError(
            f"{len(twice)} unit-times have more than one row: {some(twice)}. Keep one row for each unit and time."
        )
