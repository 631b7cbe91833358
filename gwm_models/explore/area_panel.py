"""Figures by area and period of one variable, kept for every page that asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Areas
from gwm_models.data.tables import Table, read_table

Floats = NDArray[np.float64]

FIELDS = ("value", "lower_95", "upper_95")


@dataclass(frozen=True, eq=False)
class Panel(Frozen):
    """One variable by period and unit.

    Attributes
    ----------
    variable, sex : str
    label, unit, producer, title, notes : str
        From the table of variables.
    period : tuple of str, length n_periods
        In order of time.
    end : tuple of str, length n_periods
        Last month of each period, ``2018-12``.
    code : tuple of str, length n_units
        Units of April 2019, in order.
    value, lower, upper : ndarray, shape (n_periods, n_units)
        With the published 95% limits; NaN where there is none.
    """

    variable: str
    sex: str
    label: str
    unit: str
    producer: str
    title: str
    notes: str
    period: tuple[str, ...]
    end: tuple[str, ...]
    code: tuple[str, ...]
    value: Floats
    lower: Floats
    upper: Floats

    @property
    def source(self) -> str:
        """Who made the figures, and under which title."""
        return f"{self.producer}, {self.title.removesuffix(' (basis says)')}"

    def places(self, unit: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the columns of some units, without those that it does not hold."""
        row = {code: i for i, code in enumerate(self.code)}
        return np.array([row[code] for code in dict.fromkeys(unit) if code in row], dtype=np.int64)

    def median(self, unit: tuple[str, ...]) -> Floats:
        """Return the median over some units by period, shape (n_periods,); NaN where none has a figure."""
        return _median(self, unit)


@lru_cache(maxsize=2048)
def _median(panel: Panel, unit: tuple[str, ...]) -> Floats:
    """Work out a median once for all areas of a region."""
    found = np.full(len(panel.period), np.nan)
    figures = panel.value[:, panel.places(unit)]
    known = np.isfinite(figures).any(axis=1)
    found[known] = np.nanmedian(figures[known], axis=1)
    found.setflags(write=False)
    return found


@lru_cache(maxsize=1)
def variables() -> dict[str, dict[str, str]]:
    """Return the rows of the table of variables, by variable."""
    return {str(row["variable"]): {k: str(v) for k, v in row.items()} for row in read_table("variables").rows()}


@lru_cache(maxsize=1)
def last_months() -> dict[tuple[str, str], str]:
    """Return the last month of each variable and period."""
    rows = read_table("periods").rows()
    return {(str(row["variable"]), str(row["period"])): str(row["last_month"]) for row in rows}


@lru_cache(maxsize=64)
def read_panel(variable: str, sex: str = "Persons") -> Panel:
    """Return every period of one variable and sex.

    Parameters
    ----------
    variable : str
        In the table of variables.
    sex : {"Persons", "Male", "Female"}

    Raises
    ------
    DataError
        If the tables do not hold it.

    Examples
    --------
    >>> read_panel("median_gross_weekly_pay").period[:2]
    ('2002-04', '2003-04')
    """
    about = variables()[variable]
    rows = read_table(about["table"], where={"variable": variable, "sex": sex})
    ends = {str(period): last_months()[variable, str(period)] for period in dict.fromkeys(rows["period"])}
    period = tuple(sorted(ends, key=lambda text: (ends[text], text)))
    code = tuple(sorted({str(text) for text in rows["unit_code"]}))
    value, lower, upper = (_grid(rows, name, period, code) for name in FIELDS)
    return Panel(
        variable=variable,
        sex=sex,
        **{name: about[name] for name in ("label", "unit", "producer", "title", "notes")},
        period=period,
        end=tuple(ends[text] for text in period),
        code=code,
        value=value,
        lower=lower,
        upper=upper,
    )


def _grid(rows: Table, name: str, period: tuple[str, ...], code: tuple[str, ...]) -> Floats:
    grid = np.full((len(period), len(code)), np.nan)
    row, column = ({text: i for i, text in enumerate(texts)} for texts in (period, code))
    places = [(row[str(p)], column[str(c)]) for p, c in zip(rows["period"], rows["unit_code"], strict=True)]
    grid[tuple(np.array(places).T)] = rows[name]
    return grid


def region_units(areas: Areas, region: str) -> tuple[str, ...]:
    """Return the units of a region, each once."""
    pairs = zip(areas.unit, areas.region, strict=True)
    return tuple(dict.fromkeys(unit for unit, own in pairs if own == region))
