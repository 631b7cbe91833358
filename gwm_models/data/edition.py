"""An edition of the index: its areas, published scores and indicator levels, checked once and immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.home import data_home
from gwm_models.data.index_spec import IndexSpec, IndicatorSpec, read_index
from gwm_models.data.tables import Table, read_table
from gwm_models.data.vocabulary import MONITOR, OPEN_YEARS, edition_folder
from gwm_models.errors import DataError, some

Floats = NDArray[np.float64]
MONITOR_SURVEY = "2018-01/2018-12"


@dataclass(frozen=True, eq=False)
class Areas:
    """The areas of an edition, all arrays in the same order.

    Attributes
    ----------
    code, name, region : tuple of str, length n_areas
        ONS code (boundaries before April 2019 in the Monitor, of April 2019 in the open editions), name and region.
    unit : tuple of str, length n_areas
        The April 2019 unit whose figures the area carries; in the Monitor Bournemouth and Poole share one.
    population, population_16_64 : ndarray of float, shape (n_areas,)
        Residents, mid-2019.
    deprivation : ndarray of float, shape (n_areas,)
        Index of Multiple Deprivation 2019, average score of the unit; higher is more deprived. NaN where not given.
    borders : ndarray of int, shape (n_pairs, 2)
        Positions of areas that share a border.
    """

    code: tuple[str, ...]
    name: tuple[str, ...]
    region: tuple[str, ...]
    unit: tuple[str, ...]
    population: Floats
    population_16_64: Floats
    deprivation: Floats
    borders: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of areas."""
        return len(self.code)

    def region_index(self) -> NDArray[np.int64]:
        """Return each area's place among the sorted region names."""
        return np.unique(self.region, return_inverse=True)[1]

    def units(self) -> tuple[tuple[str, ...], Floats]:
        """Return the distinct units and the weights that merge areas into them by population.

        Returns
        -------
        unit : tuple of str, length n_units
        weights : ndarray, shape (n_units, n_areas)
            Rows sum to one.
        """
        unit, place = np.unique(self.unit, return_inverse=True)
        weights = np.zeros((len(unit), len(self)))
        weights[place, np.arange(len(self))] = self.population
        return tuple(str(code) for code in unit), weights / weights.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Edition:
    """One edition of the index.

    Attributes
    ----------
    name : str
    spec : IndexSpec
    areas : Areas
    domain_scores : ndarray, shape (n_areas, n_domains)
        Domain scores: as published, 2-200 in the Monitor; computed from the levels where `published` is False.
    total : ndarray, shape (n_areas,)
        Totals, 6-600 in the Monitor.
    rank : ndarray of int, shape (n_areas,)
        Ranks by total, 1 is best.
    values : ndarray, shape (n_areas, n_indicators)
        Indicator levels in their own units; NaN where no open figure exists.
    period : str
        Of the levels.
    published : bool
        Whether scores and ranks are as published; otherwise they are computed here.
    level_errors : ndarray, shape (n_areas, n_indicators)
        Standard errors of the levels from published limits, in the unit of the level; NaN where there are none.
    survey_period : str
        Period of the survey that gives the effective sample size, as in the indicators table; empty for none.
    notes : tuple of str
        What a reader of any result of this edition has to know.
    """

    name: str
    spec: IndexSpec
    areas: Areas
    domain_scores: Floats
    total: Floats
    rank: NDArray[np.int64]
    values: Floats
    period: str = ""
    published: bool = True
    level_errors: Floats = field(default_factory=lambda: np.empty((0, 0)))
    survey_period: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take levels without errors as levels whose errors are not published."""
        if not self.level_errors.size:
            object.__setattr__(self, "level_errors", own(np.full(self.values.shape, np.nan)))

    def __repr__(self) -> str:
        """Return one line: name, areas, indicators."""
        return f"Edition({self.name}: {len(self.areas)} areas, {len(self.spec.indicators)} indicators)"


def load_edition(name: str = MONITOR) -> Edition:
    """Load a shipped edition, or one of your own.

    Parameters
    ----------
    name : str
        ``monitor-2021``: the published Good Work Monitor of January 2021. ``open-2017`` to ``open-2021``: rebuilt from
        open figures on frozen bounds, without satisfactory hours. Else a folder that `gwm data build` wrote.

    Returns
    -------
    Edition
        Areas in the order of the published ranking (or of the folder's areas.csv); arrays are read-only.

    Raises
    ------
    DataError
        If the edition is unknown, its tables do not fit together, or a file of the folder has changed since it was
        built.

    Examples
    --------
    >>> load_edition("monitor-2021")
    Edition(monitor-2021: 118 areas, 6 indicators)
    >>> load_edition("open-2019")
    Edition(open-2019: 117 areas, 5 indicators)
    """
    folder = edition_folder(name)
    if folder is not None:
        from gwm_models.data.user_editions import load_user_edition

        return load_user_edition(folder, name)
    return _shipped_edition(name)


@lru_cache(maxsize=1 + len(OPEN_YEARS))
def _shipped_edition(name: str) -> Edition:
    if name != MONITOR:
        from gwm_models.data.open_editions import open_edition

        return open_edition(int(name.removeprefix("open-")))
    spec = read_index(data_home() / "index.yaml")
    areas = monitor_areas()
    scores = read_table("monitor_scores")
    place = _places(scores, "area_code", areas.code, "monitor_scores")
    values = np.column_stack([indicator_levels(indicator, areas) for indicator in spec.indicators])
    return Edition(
        name=name,
        spec=spec,
        areas=areas,
        domain_scores=own(np.column_stack([scores[domain][place] for domain in spec.domain_ids])),
        total=own(scores["total"][place]),
        rank=own(scores["rank"][place]),
        values=own(values),
        period="2018 (activity and unemployment: October 2017 to September 2018)",
        level_errors=own(limit_errors(spec, areas, values)),
        survey_period=MONITOR_SURVEY,
        notes=("Satisfactory hours has no open figures by area.",),
    )


def unit_values(table: str, variable: str, period: str, units: tuple[str, ...], *, sex: str = "Persons") -> Table:
    """Return one variable of one period, a row for each unit in the order given, NaN where it has no figure.

    Raises
    ------
    DataError
        If no unit has a figure for that variable, sex and period.
    """
    found = read_table(table, where={"variable": variable, "period": period, "sex": sex})
    if not len(found):
        raise DataError(f"{table} has no '{variable}' ({sex}) for {period}. See `gwm data describe {table}`.")
    row = {str(code): i for i, code in enumerate(found["unit_code"])}
    place = np.array([row.get(code, -1) for code in units])
    columns: dict[str, NDArray[np.generic]] = {"unit_code": np.array(units, dtype=object)}
    for name in ("value", "lower_95", "upper_95"):
        columns[name] = np.where(place >= 0, found[name][place], np.nan)
    return Table(f"{table}: {variable}, {sex}, {period}", columns)


def published_std_error(rows: Mapping[str, Floats] | Table) -> Floats:
    """Return standard errors from published 95% limits: their width over 2 x 1.96; NaN where not published."""
    return np.asarray((rows["upper_95"] - rows["lower_95"]) / 3.92, dtype=float)


def monitor_areas() -> Areas:
    """Return the 118 areas of the Monitor, in the order of its ranking."""
    table = read_table("areas")
    code = tuple(str(text) for text in table["area_code"])
    unit = tuple(str(text) for text in table["unit_code"])
    pairs = read_table("borders")
    ends = [_index(pairs[column], code, "borders") for column in ("area_code_1", "area_code_2")]
    return Areas(
        code=code,
        name=tuple(str(text) for text in table["area_name"]),
        region=tuple(str(text) for text in table["region_name"]),
        unit=unit,
        population=own(table["population"].astype(float)),
        population_16_64=own(table["population_16_64"].astype(float)),
        deprivation=own(unit_values("indicators", "imd2019_average_score", "2019", unit)["value"]),
        borders=own(np.column_stack(ends)),
    )


def indicator_levels(indicator: IndicatorSpec, areas: Areas) -> Floats:
    """Return an indicator's level by area, NaN where the definition names no figures or a unit has none."""
    source = indicator.values
    if not source:
        return np.full(len(areas), np.nan)
    if "column" in source:
        table = read_table(source["table"])
        return np.asarray(table[source["column"]][_places(table, "area_code", areas.code, table.name)], dtype=float)
    level = np.zeros(len(areas))
    for period, weight in source["periods"].items():
        level += weight * unit_values(source["table"], source["variable"], str(period), areas.unit)["value"]
    if "deflate" in source:
        level = level / price_level(areas)
    return 100 * level / np.nanmedian(level) if "relative" in source else level


def limit_errors(spec: IndexSpec, areas: Areas, values: Floats) -> Floats:
    """Return standard errors of the levels from published 95% limits, in the unit of each level; NaN where none.

    The limits are of the figure as published: where prices were taken out, or the level is relative to a median, the
    error is scaled as the level is. The error of the median itself is not counted.

    Parameters
    ----------
    spec : IndexSpec
    areas : Areas
    values : ndarray, shape (n_areas, n_indicators)
    """
    errors = np.full(values.shape, np.nan)
    for j, indicator in enumerate(spec.indicators):
        how = indicator.sampling
        if how.get("kind") == "published_limits":
            limits = unit_values("indicators", how["variable"], str(how["period"]), areas.unit)
            scaled = {"deflate", "relative"} & {*indicator.values}
            errors[:, j] = published_std_error(limits) / (limits["value"] / values[:, j] if scaled else 1.0)
    return errors


def price_level(areas: Areas) -> Floats:
    """Return regional consumer prices by area, UK = 1 (ONS, 2016)."""
    table = read_table("regional_price_levels")
    level = dict(zip(table["region_name"], table["price_level"], strict=True))
    return np.array([level[region] / 100 for region in areas.region])


def _places(table: Table, key: str, wanted: tuple[str, ...], name: str) -> NDArray[np.int64]:
    return _index(np.array(wanted, dtype=object), tuple(str(code) for code in table[key]), name)


def _index(values: NDArray[np.generic], within: tuple[str, ...], name: str) -> NDArray[np.int64]:
    place = {code: i for i, code in enumerate(within)}
    missing = [str(value) for value in values if str(value) not in place]
    if missing:
        raise DataError(f"{name}: {len(missing)} area codes do not match ({some(missing)}). Run `gwm data check`.")
    return np.array([place[str(value)] for value in values], dtype=np.int64)


def own(array: NDArray[np.generic]) -> NDArray:  # type: ignore[type-arg]
    """Return a read-only copy."""
    copy = np.array(array)
    copy.setflags(write=False)
    return copy
