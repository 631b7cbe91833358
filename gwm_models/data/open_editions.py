"""Open editions 2017 to 2021: the index rebuilt from open yearly figures, on bounds frozen over all five years."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Areas, Edition, indicator_levels, limit_errors, monitor_areas, own
from gwm_models.data.home import data_home
from gwm_models.data.index_spec import IndexSpec, IndicatorSpec, read_index
from gwm_models.data.scale import descending_rank, min_max_score
from gwm_models.data.tables import read_table
from gwm_models.data.vocabulary import OPEN_YEARS
from gwm_models.errors import DataError, some

Floats = NDArray[np.float64]

BREAK_YEAR = 2020
"""First year of the survey's new method."""
NOTES = (
    "Rebuilt from open yearly figures of the Office for National Statistics; not published by anyone.",
    "Satisfactory hours is missing: no open figures by area. Pay has one indicator (1-100), the total five (5-500).",
    "Operative and elementary jobs (SOC 8-9) stand in for routine occupations.",
    "Pay is at regional prices of 2016 and relative to the median of the units that year (= 100), since no index of "
    "national prices is at hand: a rise of pay everywhere is not seen.",
    "Bounds are the smallest and largest figure over the 117 units of April 2019 and 2017 to 2021 together, frozen: "
    "scores compare over time, not with the published Monitor.",
    "The survey changed method in 2020 (from homes to telephones): a change across 2019 and 2020 is partly that.",
    "Pay of April 2020 and 2021 includes furlough pay.",
)


@lru_cache(maxsize=2 * len(OPEN_YEARS))
def open_edition(year: int, *, complete: bool = True) -> Edition:
    """Rebuild the index of one year from open figures.

    Nothing missing is filled. A unit without a figure has no total: it is left out, which a note says, unless all 117
    units are asked for.

    Parameters
    ----------
    year : int
        2017 to 2021.
    complete : bool
        Leave out the units that lack a figure; otherwise they are kept, with NaN and rank 0.

    Returns
    -------
    Edition
        Units in the order in which their areas come in the Monitor, so the same in every year. `published` is False:
        domain scores and totals are sums of indicator scores.

    Raises
    ------
    DataError
        If there is no such year, or the tables do not fit together.

    Examples
    --------
    >>> open_edition(2020)
    Edition(open-2020: 117 areas, 5 indicators)
    >>> open_edition(2021).notes[-1]
    'Left out of open-2021 for want of a figure: Northamptonshire.'
    """
    spec, areas = open_spec(year), unit_areas()
    values = np.column_stack([indicator_levels(indicator, areas) for indicator in spec.indicators])
    errors = limit_errors(spec, areas, values)
    keep: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
    notes: tuple[str, ...] = NOTES
    if complete and not keep.all():
        left_out = [areas.name[i] for i in np.flatnonzero(~keep)]
        notes = (*NOTES, f"Left out of open-{year} for want of a figure: {some(left_out, len(left_out))}.")
        areas, values, errors = _kept(areas, keep), values[keep], errors[keep]
    domains = domain_scores(spec, values)
    total = domains.sum(axis=1)
    return Edition(
        name=f"open-{year}",
        spec=spec,
        areas=areas,
        domain_scores=own(domains),
        total=own(total),
        rank=own(descending_rank(np.round(total, 9))),
        values=own(values),
        period=f"calendar year {year} (pay: April {year})",
        published=False,
        level_errors=own(errors),
        survey_period=f"{year}-01/{year}-12",
        notes=notes,
    )


def domain_scores(spec: IndexSpec, values: Floats) -> Floats:
    """Score levels on the bounds of an index, and sum them by domain.

    Parameters
    ----------
    spec : IndexSpec
        Every indicator has bounds; domains are not nested.
    values : ndarray, shape (n_areas, n_indicators)

    Returns
    -------
    ndarray, shape (n_areas, n_domains)
        NaN where an indicator of the domain has no figure.
    """
    scores = [
        min_max_score(values[:, j], *indicator.bounds, direction=indicator.direction, scale=spec.scale)
        for j, indicator in enumerate(spec.indicators)
    ]
    return np.column_stack([np.sum([scores[j] for j in spec.members(name)], axis=0) for name in spec.domain_ids])


def open_spec(year: int) -> IndexSpec:
    """Return the definition in data/open.yaml with `{year}` filled in.

    Raises
    ------
    DataError
        If there is no open edition of that year.
    """
    if year not in OPEN_YEARS:
        raise DataError(f"There is no open edition of {year}; expected {OPEN_YEARS[0]} to {OPEN_YEARS[-1]}.")
    spec = read_index(data_home() / "open.yaml")
    return replace(
        spec,
        id=f"{spec.id}-{year}",
        title=_filled(spec.title, year),
        indicators=tuple(_of_year(indicator, year) for indicator in spec.indicators),
    )


def _of_year(indicator: IndicatorSpec, year: int) -> IndicatorSpec:
    return replace(
        indicator,
        period=_filled(indicator.period, year),
        values=_filled(indicator.values, year),
        sampling=_filled(indicator.sampling, year),
    )


def _filled(value: Any, year: int) -> Any:
    """Return text with `{year}` filled in, at any depth of lists and mappings."""
    if isinstance(value, dict):
        return {_filled(key, year): _filled(item, year) for key, item in value.items()}
    return value.replace("{year}", str(year)) if isinstance(value, str) else value


@lru_cache(maxsize=1)
def unit_areas() -> Areas:
    """Return the 117 units of April 2019 that the Monitor's areas belong to, each once.

    Residents are summed over the areas of a unit, borders carried over. A unit has the region and the deprivation
    score that its areas share.
    """
    parts = monitor_areas()
    unit = tuple(dict.fromkeys(parts.unit))
    place = np.array([unit.index(code) for code in parts.unit])
    first = [parts.unit.index(code) for code in unit]
    table = read_table("units")
    name = dict(zip(table["unit_code"], table["unit_name"], strict=True))
    pairs = np.sort(place[parts.borders], axis=1)
    return Areas(
        code=unit,
        name=tuple(str(name[code]) for code in unit),
        region=tuple(parts.region[i] for i in first),
        unit=unit,
        population=own(np.bincount(place, parts.population)),
        population_16_64=own(np.bincount(place, parts.population_16_64)),
        deprivation=own(parts.deprivation[first]),
        borders=own(np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)),
    )


def _kept(areas: Areas, keep: NDArray[np.bool_]) -> Areas:
    """Return some of the areas, with the borders between them."""
    chosen = np.flatnonzero(keep)
    place = np.cumsum(keep) - 1
    inside = keep[areas.borders].all(axis=1)
    return Areas(
        code=tuple(areas.code[i] for i in chosen),
        name=tuple(areas.name[i] for i in chosen),
        region=tuple(areas.region[i] for i in chosen),
        unit=tuple(areas.unit[i] for i in chosen),
        population=own(areas.population[keep]),
        population_16_64=own(areas.population_16_64[keep]),
        deprivation=own(areas.deprivation[keep]),
        borders=own(place[areas.borders[inside]]),
    )
