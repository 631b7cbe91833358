"""Yearly figures of one variable by unit, with their survey noise: what trends, shocks and condition links rest on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.data.tables import read_table
from gwm_models.errors import ModelError
from gwm_models.models.panel.noise import noise_cov, wave_correlation
from gwm_models.models.panel.table import PAY, relative_log, yearly_figures

Floats = NDArray[np.float64]

CALENDAR = (re.compile(r"(\d{4})-01/\1-12"), re.compile(r"(\d{4})-04"), re.compile(r"(\d{4})"))
"""Periods that stand for a calendar year."""
ACTIVITY = "economic_activity_rate_16_64"
EMPLOYMENT = "employment_rate_16_64"
UNEMPLOYMENT = "unemployment_rate_16_64"
NVQ = "nvq4plus_share_16_64"
SHARES = ("professional_managerial_share_soc1_3", "operative_elementary_share_soc8_9")
"""Shares of employed residents in the same survey, without published limits."""
SURVEY = (ACTIVITY, UNEMPLOYMENT, *SHARES, NVQ)
"""Variables of the Annual Population Survey, whose yearly samples share households."""
RHO = 0.35
"""Correlation of survey noise between consecutive years; the one that panel models use."""
LEAST_YEARS = 3
"""Fewer years are no series."""


@dataclass(frozen=True, eq=False)
class Yearly(Frozen):
    """One variable by unit and year.

    Attributes
    ----------
    variable : str
    unit : tuple of str, length n_units
    year : tuple of int, length n_years
        Calendar years, or the year of the month of April; years with figures for fewer than half of the units are left
        out.
    value : ndarray, shape (n_units, n_years)
        In its own unit; pay as 100 times the logarithm of pay over that of the median unit in the year. NaN where there
        is no figure.
    error : ndarray, shape (n_units, n_years)
        Standard error of survey sampling wherever `value` is known; zero for figures that are not from a survey.
    """

    variable: str
    unit: tuple[str, ...]
    year: tuple[int, ...]
    value: Floats
    error: Floats

    def __repr__(self) -> str:
        """Return one line: variable, units, years."""
        return f"Yearly({self.variable}: {len(self.unit)} units, {self.year[0]} to {self.year[-1]})"

    @property
    def relative(self) -> bool:
        """Whether values are relative to the median unit, so that they hold no national movement."""
        return self.variable == PAY

    def between(self, first: int, last: int) -> Yearly:
        """Return the years from `first` to `last`."""
        kept = [t for t, year in enumerate(self.year) if first <= year <= last]
        years = tuple(self.year[t] for t in kept)
        return Yearly(self.variable, self.unit, years, self.value[:, kept], self.error[:, kept])

    def noise(self) -> Floats:
        """Return the covariance of each unit's noise between years, shape (n_units, n_years, n_years).

        Households stay in the Annual Population Survey for several years, so its noise is correlated between years.
        The survey of pay follows the same employees: its published limits are of a level, and say nothing of changes,
        which vary by a quarter of what independent errors would make them vary. Its noise is taken as none here.
        """
        if self.variable == PAY:
            return np.zeros((len(self.unit), len(self.year), len(self.year)))
        apart = np.array(self.year) - self.year[0]
        each = wave_correlation(int(apart[-1]) + 1, RHO)
        return noise_cov(np.nan_to_num(self.error), each[np.ix_(apart, apart)])


def indicator_variable(spec: IndicatorSpec) -> str:
    """Return the variable of the indicators table behind an indicator, "" where it names none."""
    return str(spec.values.get("variable") or spec.sampling.get("variable") or "")


@lru_cache(maxsize=32)
def yearly_series(edition: Edition, variable: str) -> Yearly:
    """Read one variable of the indicators table, year by year, for the units of an edition.

    Survey noise comes from published limits. A rate without limits takes a binomial error, as do the shares of employed
    residents and of qualified residents: with the effective number of respondents that the year's published limits of
    the activity rate imply.

    Raises
    ------
    ModelError
        If there are figures of fewer than three years for the units of the edition.

    Examples
    --------
    >>> from gwm_models.data.edition import load_edition
    >>> yearly_series(load_edition(), "economic_activity_rate_16_64")
    Yearly(economic_activity_rate_16_64: 117 units, 2004 to 2023)
    """
    unit = edition.areas.units()[0]
    periods = _periods(variable)
    value, error = yearly_figures("indicators", variable, "Persons", unit, tuple(periods.values()))
    enough = np.isfinite(value).mean(axis=0) >= 0.5
    years = tuple(year for year, kept in zip(periods, enough.tolist(), strict=True) if kept)
    if len(years) < LEAST_YEARS:
        raise ModelError(
            f"'{variable}' has figures in {len(years)} years for the {len(unit)} units of edition {edition.name}; a "
            f"series needs {LEAST_YEARS}."
        )
    value, error = value[:, enough], error[:, enough]
    if variable == PAY:
        error, value = 100 * error / value, relative_log(value)
    noise = _filled(variable, unit, years, value, error) if variable in (*SURVEY, PAY) else np.zeros(value.shape)
    return Yearly(variable, unit, years, value, np.where(np.isfinite(value), noise, np.nan))


def _periods(variable: str) -> dict[int, str]:
    """Return the periods of a variable that stand for a calendar year, in order."""
    found = {str(period) for period in read_table("indicators", where={"variable": variable})["period"]}
    matches = [match for period in found for one in CALENDAR if (match := one.fullmatch(period))]
    return {int(match[1]): match[0] for match in sorted(matches, key=lambda match: int(match[1]))}


def _filled(variable: str, unit: tuple[str, ...], years: tuple[int, ...], value: Floats, error: Floats) -> Floats:
    """Return standard errors of survey figures, binomial ones where none are published."""
    if variable in (ACTIVITY, PAY):
        return _by_unit(error)
    people = _respondents(unit, years)
    if variable == UNEMPLOYMENT:
        active = people * _rate(ACTIVITY, unit, years) / 100
        binomial = np.sqrt(value * (100 - value) / active)
        return _by_unit(np.where(np.isfinite(error), error, np.nanmedian(error / binomial) * binomial))
    asked = people * _rate(EMPLOYMENT, unit, years) / 100 if variable in SHARES else people
    return _by_unit(np.sqrt(value * (100 - value) / asked))


def _respondents(unit: tuple[str, ...], years: tuple[int, ...]) -> Floats:
    """Return effective respondents aged 16-64 from published limits of the activity rate, (n_units, n_years)."""
    rate, error = _survey(ACTIVITY, unit, years)
    return rate * (100 - rate) / _by_unit(error) ** 2


def _rate(variable: str, unit: tuple[str, ...], years: tuple[int, ...]) -> Floats:
    return _survey(variable, unit, years)[0]


def _survey(variable: str, unit: tuple[str, ...], years: tuple[int, ...]) -> tuple[Floats, Floats]:
    return yearly_figures("indicators", variable, "Persons", unit, tuple(f"{year}-01/{year}-12" for year in years))


def _by_unit(error: Floats) -> Floats:
    """Fill gaps by the root mean square of the unit's other years, or of all units."""
    known = np.isfinite(error)
    square = np.where(known, error, 0.0) ** 2
    number = known.sum(axis=1, keepdims=True)
    mean = square.sum(axis=1, keepdims=True) / np.maximum(number, 1)
    mean = np.where(number > 0, mean, square.sum() / max(int(known.sum()), 1))
    return np.where(known, error, np.sqrt(mean))
