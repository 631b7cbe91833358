"""Yearly panels: an outcome and the work of the same units, year by year, as models of change over time need them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, price_level, published_std_error
from gwm_models.data.open_editions import unit_areas
from gwm_models.data.tables import read_table
from gwm_models.errors import ModelError, some
from gwm_models.index.scoring import exact_points_per_unit, indicator_score
from gwm_models.models.outcomes import Outcome, Subject

Floats = NDArray[np.float64]

PANEL_YEARS = tuple(range(2009, 2020))
"""Years an outcome is taken for, where it is published."""
EXPOSURE_YEARS = tuple(range(2004, 2020))
"""Years the exposures are read for: from five before the first outcome until the survey changed its method in 2020."""
PANEL_OUTCOMES = (
    "healthy_life_expectancy_male",
    "healthy_life_expectancy_female",
    "life_expectancy_male",
    "life_expectancy_female",
    "preventable_cvd_mortality",
    "drug_poisoning_deaths",
)
PARTS = (
    ("economic_activity_rate", "economic_activity_rate_16_64"),
    ("unemployment_rate", "unemployment_rate_16_64"),
)
"""Indicators of the access domain that have yearly figures, and the variable of each."""
ACCESS = "access"
PAY = "median_gross_weekly_pay"
MODELLED = "unemployment_rate_16plus_model_based"
CLAIMANTS = "claimant_count_rate_annual"


@dataclass(frozen=True, eq=False)
class AccessPanel(Frozen):
    """Access points by April 2019 unit and calendar year.

    Attributes
    ----------
    unit : tuple of str, length n_units
    year : tuple of int, length n_years
    access : ndarray, shape (n_units, n_years)
        Score points on the frozen bounds of the index; NaN where a rate has no figure.
    std_error : ndarray, shape (n_units, n_years)
        From the published limits of both rates; NaN where either has none.
    """

    unit: tuple[str, ...]
    year: tuple[int, ...]
    access: Floats
    std_error: Floats


@dataclass(frozen=True, slots=True)
class Exposure:
    """One exposure of a panel, as a coefficient on it is told.

    Attributes
    ----------
    id, label : str
    step : float
        The difference a coefficient stands for, in the unit of the exposure.
    per : str
        That difference in words, such as ``100 points``.
    """

    id: str
    label: str
    step: float
    per: str


EXPOSURES: tuple[Exposure, ...] = (
    Exposure(ACCESS, "Labour market access, score points", 100.0, "100 points"),
    Exposure("economic_activity_rate", "Economic activity rate, ages 16-64", 1.0, "percentage point"),
    Exposure("unemployment_rate", "Unemployment rate, ages 16-64", 1.0, "percentage point"),
    Exposure("median_pay", "Median weekly pay at regional prices", 10.0, "10% of pay"),
    Exposure("claimant_rate", "Claimant count, share of residents 16-64", 1.0, "percentage point"),
    Exposure("modelled_unemployment", "Unemployment rate 16 and over, model-based", 1.0, "percentage point"),
)


@dataclass(frozen=True, eq=False)
class Panel(Frozen):
    """One outcome and the exposures of the same units over years.

    Attributes
    ----------
    outcome : Outcome
    unit, name : tuple of str, length n_units
        Units with a figure of the outcome in at least one year.
    year : tuple of int, length n_years
        Of the outcome: the middle year of each window.
    window : int
        Length of the outcome's windows in years; windows of neighbouring years overlap where it is above 1.
    value, value_error : ndarray, shape (n_units, n_years)
        The outcome and its standard error from published limits; NaN where there is none.
    exposure_year : tuple of int, length n_exposure_years
    exposure, exposure_error : ndarray, shape (n_exposures, n_units, n_exposure_years)
        In the order of `EXPOSURES`, each in its own unit (pay: 100 times the logarithm of pay at regional prices over
        that of the median unit in the year). NaN where there is no figure, or no published limits.
    population : ndarray, shape (n_units,)
        Residents, mid-2019, of the edition's areas in each unit.
    excluded : tuple of str
        Units that are not in the panel, each with the reason.
    """

    outcome: Outcome
    unit: tuple[str, ...]
    name: tuple[str, ...]
    year: tuple[int, ...]
    window: int
    value: Floats
    value_error: Floats
    exposure_year: tuple[int, ...]
    exposure: Floats
    exposure_error: Floats
    population: Floats
    excluded: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.unit)

    def __repr__(self) -> str:
        """Return one line: outcome, units, years."""
        return f"Panel({self.outcome.id}: {len(self)} units, {self.year[0]}-{self.year[-1]})"

    def at(self, name: str, shift: int = 0) -> Floats:
        """Return one exposure in the years of the outcome, `shift` years later (earlier where negative).

        Returns
        -------
        ndarray, shape (n_units, n_years)
            NaN where the panel holds no exposure of that year.
        """
        return self._of_years(self.exposure[place_of(name)], shift)

    def error_at(self, name: str, shift: int = 0) -> Floats:
        """Return the standard errors of `at`."""
        return self._of_years(self.exposure_error[place_of(name)], shift)

    def over_window(self, name: str) -> Floats:
        """Return one exposure averaged over the years of the outcome's own window, NaN where a year is missing."""
        reach = self.window // 2
        return np.asarray(np.mean([self.at(name, shift) for shift in range(-reach, reach + 1)], axis=0))

    def apart(self) -> NDArray[np.int64]:
        """Return the places of years whose windows do not overlap, from the first year on."""
        return np.arange(0, len(self.year), self.window)

    def gaps(self) -> tuple[str, ...]:
        """Return the units without a figure of the outcome in some years, each with those years."""
        missing = [(name, np.flatnonzero(np.isnan(row))) for name, row in zip(self.name, self.value, strict=True)]
        return tuple(
            f"{name} ({', '.join(str(self.year[t]) for t in gone.tolist())})" for name, gone in missing if len(gone)
        )

    def period(self, years: tuple[int, ...] | None = None) -> str:
        """Say which windows of the outcome stand against which years of the exposure."""
        first, last = (years or self.year)[0], (years or self.year)[-1]
        if self.window == 1:
            return f"{first} to {last}"
        return f"{window_name(first)} to {window_name(last)} on {first} to {last}"

    def _of_years(self, values: Floats, shift: int) -> Floats:
        found = np.full((len(self), len(self.year)), np.nan)
        place = {year: t for t, year in enumerate(self.exposure_year)}
        for t, year in enumerate(self.year):
            if year + shift in place:
                found[:, t] = values[:, place[year + shift]]
        return found


def has_panel(subject: Subject) -> bool:
    """Return whether an outcome is published year by year."""
    return subject.id in PANEL_OUTCOMES


def find_exposure(name: str) -> Exposure:
    """Return the exposure of that id."""
    return EXPOSURES[place_of(name)]


def access_panel(edition: Edition, years: tuple[int, ...]) -> AccessPanel:
    """Build access points from yearly survey rates, on the frozen bounds of the edition's index.

    Parameters
    ----------
    edition : Edition
    years : tuple of int

    Raises
    ------
    ModelError
        If the edition does not score both rates on known bounds, or has none of the units with yearly figures.
    """
    unit, _ = edition.areas.units()
    points = exact_points_per_unit(edition.spec)
    missing = [name for name, _ in PARTS if name not in points]
    if missing:
        raise ModelError(
            f"Edition {edition.name} has no indicator {some(missing)} on known bounds, so it has no yearly access "
            "points; panels are made from monitor-2021 and the open editions."
        )
    access, variance = np.zeros((2, len(unit), len(years)))
    for name, variable in PARTS:
        level, error = _survey(variable, unit, years)
        access += indicator_score(edition.spec, name, level)
        variance += (points[name] * error) ** 2
    if not np.isfinite(access).any():
        raise ModelError(
            f"None of the {len(unit)} units of edition {edition.name} has yearly survey rates; panels are made for the "
            "English upper-tier units of April 2019."
        )
    return AccessPanel(unit, tuple(years), access, np.sqrt(variance))


@lru_cache(maxsize=16)
def load_panel(edition: Edition, outcome: Outcome) -> Panel:
    """Set one outcome beside the exposures, year by year.

    Raises
    ------
    ModelError
        If the outcome is not published year by year, or the edition has no yearly access points.

    Examples
    --------
    >>> from gwm_models.data.edition import load_edition
    >>> from gwm_models.models.outcomes import find_outcome
    >>> load_panel(load_edition(), find_outcome("life_expectancy_male"))
    Panel(life_expectancy_male: 117 units, 2009-2017)
    """
    if not has_panel(outcome):
        raise ModelError(
            f"{outcome.label} is not published year by year for long enough; panels are made for: "
            f"{', '.join(PANEL_OUTCOMES)}."
        )
    access = access_panel(edition, EXPOSURE_YEARS)
    window = 3 if re.fullmatch(r"\d{4}-\d{2}", outcome.periods[0]) else 1
    name = {year: window_name(year) if window == 3 else str(year) for year in PANEL_YEARS}
    value, error = yearly_figures(outcome.table, outcome.variable, outcome.sex, access.unit, tuple(name.values()))
    years = np.asarray(np.isfinite(value).any(axis=0))
    known = np.isfinite(value).any(axis=1)
    exposure, exposure_error = _exposures(access)
    table = read_table("units")
    named = dict(zip(table["unit_code"].tolist(), table["unit_name"].tolist(), strict=True))
    units = np.array(access.unit)
    return Panel(
        outcome=outcome,
        unit=tuple(units[known].tolist()),
        name=tuple(str(named.get(code, code)) for code in units[known].tolist()),
        year=tuple(year for year, there in zip(PANEL_YEARS, years.tolist(), strict=True) if there),
        window=window,
        value=value[known][:, years],
        value_error=error[known][:, years],
        exposure_year=access.year,
        exposure=exposure[:, known],
        exposure_error=exposure_error[:, known],
        population=_population(edition)[known],
        excluded=tuple(f"{named.get(code, code)} (no figure in any year)" for code in units[~known].tolist()),
    )


def together(panel: Panel, codes: tuple[str, ...]) -> Panel:
    """Count units together as one: outcomes and populations are summed, exposures averaged by population.

    For counts set against populations of areas that had other borders. Standard errors are left out.

    Raises
    ------
    ModelError
        If the outcome is not a count.
    """
    if panel.outcome.kind != "count":
        raise ModelError(f"{panel.outcome.label} is not a count, so units cannot be counted together.")
    parts = [panel.unit.index(code) for code in codes if code in panel.unit]
    if len(parts) < 2:
        return panel
    rest = [i for i in range(len(panel)) if i not in parts]
    share = panel.population[parts] / panel.population[parts].sum()

    def joined(values: Floats, weight: Floats) -> Floats:
        one = np.tensordot(weight, values[..., parts, :], axes=([0], [-2]))
        return np.asarray(np.concatenate([values[..., rest, :], np.expand_dims(one, -2)], axis=-2))

    return replace(
        panel,
        unit=(*(panel.unit[i] for i in rest), "+".join(panel.unit[i] for i in parts)),
        name=(*(panel.name[i] for i in rest), " with ".join(panel.name[i] for i in parts)),
        value=joined(panel.value, np.ones(len(parts))),
        value_error=np.full((len(rest) + 1, len(panel.year)), np.nan),
        exposure=joined(panel.exposure, share),
        exposure_error=np.full((len(EXPOSURES), len(rest) + 1, len(panel.exposure_year)), np.nan),
        population=np.append(panel.population[rest], panel.population[parts].sum()),
    )


def window_name(year: int) -> str:
    """Name the three-year window around a year, as the outcomes table does.

    Examples
    --------
    >>> window_name(2017)
    '2016-18'
    """
    return f"{year - 1}-{(year + 1) % 100:02d}"


def yearly_figures(
    table: str, variable: str, sex: str, unit: tuple[str, ...], periods: tuple[str, ...]
) -> tuple[Floats, Floats]:
    """Return published values and standard errors, shape (n_units, n_periods), NaN where there is no figure."""
    rows = read_table(table, where={"variable": variable, "sex": sex, "period": set(periods)})
    row, column = ({key: i for i, key in enumerate(keys)} for keys in (unit, periods))
    keep = np.array([code in row for code in rows["unit_code"]], dtype=bool)
    i = np.array([row[code] for code in rows["unit_code"][keep]], dtype=np.int64)
    t = np.array([column[period] for period in rows["period"][keep]], dtype=np.int64)
    value, error = np.full((2, len(unit), len(periods)), np.nan)
    value[i, t] = rows["value"][keep]
    error[i, t] = published_std_error(rows)[keep]
    return value, error


def _survey(variable: str, unit: tuple[str, ...], years: tuple[int, ...]) -> tuple[Floats, Floats]:
    return yearly_figures("indicators", variable, "Persons", unit, tuple(f"{year}-01/{year}-12" for year in years))


def _exposures(access: AccessPanel) -> tuple[Floats, Floats]:
    """Return all exposures and their standard errors, in the order of `EXPOSURES`."""
    unit, years = access.unit, access.year
    rates = [_survey(variable, unit, years) for _, variable in PARTS]
    pay, pay_error = yearly_figures("indicators", PAY, "Persons", unit, tuple(f"{year}-04" for year in years))
    pay_level = relative_log(pay / _prices(unit)[:, None])
    claimants = yearly_figures("indicators", CLAIMANTS, "Persons", unit, tuple(map(str, years)))
    parts = [
        (access.access, access.std_error),
        *rates,
        (pay_level, np.where(np.isfinite(pay_level), 100 * pay_error / pay, np.nan)),
        claimants,
        _survey(MODELLED, unit, years),
    ]
    values, errors = zip(*parts, strict=True)
    return np.array(values), np.array(errors)


def relative_log(pay: Floats) -> Floats:
    """Return 100 times the logarithm of pay over the median unit's in the same year, shape (n_units, n_years).

    National prices drop out. A year with figures for fewer than half of the units is left missing, since its median is
    of other units.
    """
    enough = np.isfinite(pay).mean(axis=0) >= 0.5
    logs = np.full(pay.shape, np.nan)
    logs[:, enough] = 100 * np.log(pay[:, enough])
    logs[:, enough] -= np.nanmedian(logs[:, enough], axis=0)
    return logs


def _population(edition: Edition) -> Floats:
    """Return residents by unit, in the order of ``Areas.units``."""
    _, place = np.unique(edition.areas.unit, return_inverse=True)
    return np.bincount(place, weights=edition.areas.population).astype(float)


def _prices(unit: tuple[str, ...]) -> Floats:
    """Return regional consumer prices by unit, NaN for a unit outside the Monitor."""
    areas = unit_areas()
    level = dict(zip(areas.unit, price_level(areas).tolist(), strict=True))
    return np.array([level.get(code, np.nan) for code in unit])


def place_of(name: str) -> int:
    """Return the place of an exposure in a panel."""
    return [exposure.id for exposure in EXPOSURES].index(name)
