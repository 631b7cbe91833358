"""Figures of one area over the years: indicators, scores of the open editions, and health."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.open_editions import BREAK_YEAR, open_edition
from gwm_models.data.vocabulary import EDITIONS, OPEN_YEARS
from gwm_models.explore.area_figures import COMPUTED, LIMITS, PLACES, PUBLISHED
from gwm_models.explore.area_panel import Panel, read_panel, region_units, variables
from gwm_models.explore.areas import HEALTHY_LIFE, LEVEL, SEXES
from gwm_models.index.sampling import sampling_error
from gwm_models.index.series import index_series
from gwm_models.plots.area_time import over_time
from gwm_models.plots.words import places_for
from gwm_models.scenarios.spread import plain

Floats = NDArray[np.float64]
Json = dict[str, Any]

YEARLY = re.compile(r"(\d{4})-(?:01/\1-12|04)")
"""A calendar year, or an April."""
COUNTS = "deaths"
UNITS = {"percent_of_employed": "percent"}
SCORES = "Total of the open editions"
BROKEN = {"economic_activity_rate_16_64", "unemployment_rate_16_64"} | {
    "professional_managerial_share_soc1_3",
    "operative_elementary_share_soc8_9",
}
"""Variables of the survey that changed method in 2020."""


def variable_of(edition: Edition, j: int) -> str:
    """Return the yearly variable behind an indicator; empty where there is none."""
    spec = edition.spec.indicators[j]
    name = spec.values.get("variable") or spec.sampling.get("variable") or ""
    return str(name) if edition.name in EDITIONS and name in variables() else ""


def history_rows(edition: Edition, place: int) -> list[Json]:
    """Return a row for each indicator and year of its open figures, with limits and medians.

    Parameters
    ----------
    edition : Edition
    place : int
        Of the area.

    Returns
    -------
    list of dict
        ``indicator, variable, label, unit, year, period, value, lower, upper, limits, region, whole``. Figures are as
        published: pay is in pounds of each April, at no common prices. Where no limits are published, those of job
        shares come from the effective sample size of that year. Empty for an edition of one's own.
    """
    rows: list[Json] = []
    for j, spec in enumerate(edition.spec.indicators):
        variable = variable_of(edition, j)
        if variable:
            panel = read_panel(variable)
            head = {"indicator": spec.id, "variable": variable, "label": panel.label, "unit": unit_of(panel)}
            found = [row for row in panel_rows(edition, place, panel) if YEARLY.fullmatch(row["period"])]
            rows += [head | _limited(edition, place, spec.id, row) | {"period": str(row["year"])} for row in found]
    return rows


def unit_of(panel: Panel) -> str:
    """Return the unit of a variable in the words of the index."""
    return UNITS.get(panel.unit, panel.unit)


def panel_rows(edition: Edition, place: int, panel: Panel) -> list[Json]:
    """Return one row a period of a variable, for the unit of an area, with the medians of region and all areas."""
    areas = edition.areas
    unit, region = areas.unit[place], region_units(areas, areas.region[place])
    if unit not in panel.code:
        return []
    at = panel.code.index(unit)
    middle = dict.fromkeys(("region", "whole"), np.full(len(panel.period), np.nan))
    if panel.unit != COUNTS:
        middle = {"region": panel.median(region), "whole": panel.median(areas.unit)}
    return [
        {
            "year": int(panel.end[t][:4]),
            "period": period,
            "value": plain(panel.value[t, at]),
            "lower": plain(panel.lower[t, at]),
            "upper": plain(panel.upper[t, at]),
            "limits": PUBLISHED if np.isfinite(panel.lower[t, at]) else "",
            **{name: plain(values[t]) for name, values in middle.items()},
        }
        for t, period in enumerate(panel.period)
    ]


def _limited(edition: Edition, place: int, indicator: str, row: Json) -> Json:
    """Give a share without published limits those of its effective sample size, in the years that have one."""
    year = row["year"]
    if row["value"] is None or row["lower"] is not None or year not in OPEN_YEARS:
        return row
    made = open_edition(year, complete=False)
    if indicator not in made.spec.indicator_ids:
        return row
    error = sampling_error(made).std_error[
        made.areas.code.index(edition.areas.unit[place]), made.spec.indicator_ids.index(indicator)
    ]
    if not error > 0:
        return row
    ends = {"lower": plain(row["value"] - LIMITS * error), "upper": plain(row["value"] + LIMITS * error)}
    return {**row, **ends, "limits": COMPUTED}


def score_rows(edition: Edition, place: int) -> list[Json]:
    """Return the totals of the open editions by year, on their one frozen scale, as `gwm index series` gives them.

    Intervals are of sampling error, at the level of the page. Empty for an edition of one's own.
    """
    if edition.name not in EDITIONS:
        return []
    found, areas = index_series(), edition.areas
    at = found.areas.code.index(areas.unit[place])
    region = [found.areas.code.index(code) for code in region_units(areas, areas.region[place])]
    own = [row for row in found.rows(level=LEVEL) if row["area_code"] == found.areas.code[at]]
    return [
        {
            "year": row["year"],
            "period": str(row["year"]),
            "value": plain(row["estimate"]),
            "lower": plain(row["lower"]),
            "upper": plain(row["upper"]),
            "region": _middle(found.estimate[t, region]),
            "whole": _middle(found.estimate[t]),
        }
        for t, row in enumerate(own)
    ]


def _middle(values: Floats) -> float | None:
    return plain(np.nanmedian(values)) if np.isfinite(values).any() else None


def history_charts(
    edition: Edition, place: int, rows: Sequence[Json], scores: Sequence[Json], whole: str
) -> list[Json]:
    """Return a chart for each indicator over the years, and one of the scores of the open editions."""
    charts: list[Json] = []
    for spec in edition.spec.indicators:
        own = [row for row in rows if row["indicator"] == spec.id]
        if own:
            variable = own[0]["variable"]
            charts += over_time(
                own,
                **_names(edition, place, whole),
                title=own[0]["label"] + (", pounds of each April" if own[0]["unit"].startswith("GBP") else ""),
                unit=own[0]["unit"],
                places=PLACES.get(own[0]["unit"], 1),
                level=0.95,
                direction=spec.direction,
                broken=BREAK_YEAR if variable in BROKEN else None,
            )
    return charts + over_time(
        scores,
        **_names(edition, place, whole),
        title=f"{SCORES} (5-500), without satisfactory hours",
        unit="points",
        places=1,
        level=LEVEL,
        direction=1,
        broken=BREAK_YEAR,
    )


def _names(edition: Edition, place: int, whole: str) -> Json:
    return {"area": edition.areas.name[place], "region": edition.areas.region[place], "whole": whole}


def health_rows(edition: Edition, place: int) -> list[Json]:
    """Return the latest figure of every health outcome of an area, with its period and published limits.

    Medians are over the areas of the region and over all areas, of the same period; counts of deaths have none. Empty
    for an edition of one's own.
    """
    rows: list[Json] = []
    for variable in (name for name, about in variables().items() if about["table"] == "outcomes"):
        for sex in ("Persons", *SEXES.values()) if edition.name in EDITIONS else ():
            rows += _latest(edition, place, variable, sex)
    first = [row for row in rows if row["variable"] == HEALTHY_LIFE]
    return first + [row for row in rows if row["variable"] != HEALTHY_LIFE]


def _latest(edition: Edition, place: int, variable: str, sex: str) -> list[Json]:
    panel = read_panel(variable, sex)
    known = [row for row in panel_rows(edition, place, panel) if row["value"] is not None]
    if not known:
        return []
    last = known[-1]
    who = "" if sex == "Persons" else f", {sex.lower()}"
    return [
        {
            "variable": variable,
            "label": f"{panel.label}{who}",
            "sex": sex,
            "unit": panel.unit,
            "places": 0 if panel.unit == COUNTS else 2 if variable == "life_satisfaction_mean" else 1,
            "period": last["period"],
            **{name: last[name] for name in ("value", "lower", "upper", "limits", "region", "whole")},
            "level": None if last["lower"] is None else 0.95,
            "source": panel.source,
            "note": panel.notes,
        }
    ]


def health_charts(edition: Edition, place: int, whole: str) -> list[Json]:
    """Return healthy life expectancy of men and of women over the periods."""
    charts: list[Json] = []
    for sex, column in SEXES.items() if edition.name in EDITIONS else ():
        charts += over_time(
            panel_rows(edition, place, read_panel(HEALTHY_LIFE, column)),
            **_names(edition, place, whole),
            title=f"Healthy life expectancy at birth, {sex}",
            unit="years",
            places=places_for("years"),
            level=0.95,
            direction=1,
        )
    return charts
