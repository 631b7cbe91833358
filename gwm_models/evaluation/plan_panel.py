"""Published figures of the Monitor's units, year by year, as the evaluation block of a scenario needs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError, ModelError, some
from gwm_models.evaluation.panel import PanelMatrix
from gwm_models.scenarios.words import counted

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TABLES = ("indicators", "outcomes")
MOST_GAPS = 0.5
"""Share of its times that a treated unit may lack before it is left out."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One variable, for one sex, of the tables by unit and period.

    Attributes
    ----------
    variable, sex : str
    label, unit : str
        In words; the unit as the data package names it.
    """

    variable: str
    sex: str
    label: str
    unit: str

    @property
    def id(self) -> str:
        """The variable, and the sex where it is not all persons."""
        return self.variable if self.sex == "Persons" else f"{self.variable}_{self.sex.lower()}"


@dataclass(frozen=True, eq=False)
class YearlySeries(Frozen):
    """One measure of the units of the Monitor.

    Attributes
    ----------
    measure : Measure
    unit : tuple of str, length n_units
        Unit codes.
    period : tuple of str, length n_periods
        As published, in order.
    first, last, year : tuple of int, length n_periods
        Calendar years in which a period begins and ends, and the middle one, which names it.
    value : ndarray, shape (n_units, n_periods)
        NaN where there is no figure.
    """

    measure: Measure
    unit: tuple[str, ...]
    period: tuple[str, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    year: tuple[int, ...]
    value: Floats

    def __repr__(self) -> str:
        """Return measure, units and periods in one line."""
        return f"YearlySeries({self.measure.id}: {len(self.unit)} units, {self.period[0]} to {self.period[-1]})"

    def names(self) -> dict[int, str]:
        """Return the periods by the year that names them: calendar years as such, others as published."""
        parts = zip(self.year, self.period, self.first, self.last, strict=True)
        return {year: str(year) if first == last else period for year, period, first, last in parts}

    def split(self, before: tuple[int, int], start: int, end: int) -> tuple[Bools, Bools]:
        """Return which periods lie wholly before, and wholly from the start on.

        Parameters
        ----------
        before : tuple of int
            First and last year that may be used of those before the start.
        start, end : int
            First and last year after it.

        Returns
        -------
        before, after : ndarray of bool, shape (n_periods,)
            A period that holds years of both sides is in neither.
        """
        first, last = np.array(self.first), np.array(self.last)
        return (first >= before[0]) & (last <= before[1]) & (last < start), (first >= start) & (last <= end)


def measures_of(variable: str) -> tuple[Measure, ...]:
    """Return the measures of a variable: one, or one for each sex.

    Raises
    ------
    DataError
        If no table has figures of it by unit and period.
    """
    for table in TABLES:
        rows = read_table(table, where={"variable": variable})
        if len(rows):
            named = read_table("variables", where={"variable": variable}).rows()[0]
            label, unit = str(named["label"]), str(named["unit"])
            sexes = sorted(set(rows["sex"].tolist()))
            words = {"Persons": label, "Male": f"{label}, men", "Female": f"{label}, women"}
            return tuple(Measure(variable, sex, words.get(sex, f"{label}, {sex}"), unit) for sex in sexes)
    raise DataError(f"'{variable}' has no figures by unit and period. See gwm data describe variables.")


@lru_cache(maxsize=8)
def yearly_series(measure: Measure, units: tuple[str, ...]) -> YearlySeries:
    """Read one measure of some units, one period for each year.

    Of periods of several kinds (calendar years, years to September) the most frequent is taken.

    Raises
    ------
    DataError
        If none of the units has a figure.
    """
    where = {"variable": measure.variable, "sex": measure.sex}
    rows = next(found for table in TABLES if len(found := read_table(table, where=where)))
    place = {code: k for k, code in enumerate(units)}
    mine = np.array([code in place for code in rows["unit_code"].tolist()], dtype=bool)
    known = _periods(measure.variable, set(rows["period"][mine].tolist()))
    if not known:
        raise DataError(f"{measure.label} has no figure of any of the {len(units)} units evaluated.")
    order = sorted(known, key=lambda period: known[period])
    column = {period: t for t, period in enumerate(order)}
    value = np.full((len(units), len(order)), np.nan)
    for code, period, figure in zip(rows["unit_code"], rows["period"], rows["value"], strict=True):
        if code in place and period in column:
            value[place[code], column[period]] = figure
    ends = [known[period] for period in order]
    return YearlySeries(
        measure,
        units,
        tuple(order),
        tuple(first for first, _ in ends),
        tuple(last for _, last in ends),
        tuple(_middle(first, last) for first, last in ends),
        value,
    )


def plan_matrix(series: YearlySeries, periods: Bools, treated: Sequence[str]) -> tuple[PanelMatrix, tuple[str, ...]]:
    """Return the figures of some periods without gaps, and the treated units that are left in it.

    Treated units that lack most figures are left out, then times at which another treated unit has none, then other
    units with gaps.

    Raises
    ------
    ModelError
        If no treated unit or no time is left.
    """
    value, years = series.value[:, periods], np.array(series.year)[periods].tolist()
    own = np.array([code in set(treated) for code in series.unit], dtype=bool)
    gone = np.isnan(value)
    poor = own & (gone.mean(axis=1) > MOST_GAPS)
    names = unit_names(series.unit)
    excluded = [f"{name}: treated, without most figures" for name, out in zip(names, poor, strict=True) if out]
    own &= ~poor
    if not own.any():
        raise ModelError(f"{series.measure.label}: no treated unit has figures. Evaluate another outcome.")
    late = gone[own].any(axis=0)
    excluded += [f"{year}: no figure for a treated unit" for year, out in zip(years, late, strict=True) if out]
    if late.all():
        raise ModelError(f"{series.measure.label}: treated units have no time in common. Evaluate another outcome.")
    value, gone = value[:, ~late], gone[:, ~late]
    stays = (own | ~gone.any(axis=1)) & ~poor
    short = [name for name, out in zip(names, ~stays & ~poor, strict=True) if out]
    excluded += [f"{counted(len(short), 'unit')} with gaps ({some(short)})"] if short else []
    return PanelMatrix(
        series.measure.label,
        tuple(code for code, there in zip(series.unit, stays, strict=True) if there),
        tuple(year for year, out in zip(years, late, strict=True) if not out),
        value[stays].copy(),
        {},
        tuple(excluded),
    ), tuple(code for code, there in zip(series.unit, own, strict=True) if there)


@lru_cache(maxsize=1)
def _unit_names() -> dict[str, str]:
    table = read_table("units")
    return dict(zip(table["unit_code"].tolist(), table["unit_name"].tolist(), strict=True))


def unit_names(codes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of units by code; a code without a name stays as it is."""
    return tuple(str(_unit_names().get(code, code)) for code in codes)


def as_rows(matrix: PanelMatrix, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return a panel as columns ``unit``, ``time`` and ``value``, with names instead of codes."""
    n, t = matrix.value.shape
    return {
        "unit": [name for name in names for _ in range(t)],
        "time": list(matrix.time) * n,
        "value": matrix.value.ravel().tolist(),
    }


def _periods(variable: str, seen: set[str]) -> dict[str, tuple[int, int]]:
    """Return first and last year of the periods of the most frequent kind; of equal ones, the later."""
    table = read_table("periods", where={"variable": variable})
    months = {
        str(row["period"]): (_month(str(row["first_month"])), _month(str(row["last_month"])))
        for row in table.rows()
        if row["period"] in seen
    }
    kind = {period: (last - first, first % 12) for period, (first, last) in months.items()}
    if not kind:
        return {}
    counts = Counter(kind.values())
    most = max(counts, key=lambda each: (counts[each], max(months[p][1] for p in kind if kind[p] == each)))
    return {p: (first // 12, last // 12) for p, (first, last) in months.items() if kind[p] == most}


def _month(text: str) -> int:
    """Return the number of a month, such as ``2018-04``, counted from January of year 0."""
    year, month = text.split("-")[:2]
    return 12 * int(year) + int(month) - 1


def _middle(first: int, last: int) -> int:
    return first if last - first == 1 else (first + last) // 2
