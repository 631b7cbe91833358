"""How long a shock lasts by the yearly figures, read as text: light enough for the checker."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

from gwm_models.data.home import data_home
from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.scenarios.known import shocks_of, table_rows

LONGEST = 10
"""Years of a shock at most, as `gwm_models.models.shocks` has them."""
CALENDAR = re.compile(r"(\d{4})(?:-01/\1-12|-04)?")
"""Periods that stand for a calendar year."""


@dataclass(frozen=True)
class ShockYears:
    """How long a shock lasts.

    Attributes
    ----------
    first, last : int
        Its years in the figures.
    returned : bool
        Whether the mean was back where it started in the year after; otherwise the figures end.
    """

    first: int
    last: int
    returned: bool

    @property
    def number(self) -> int:
        """How many years it lasts."""
        return self.last - self.first + 1


def shock_years(spec: IndicatorSpec, profile: str) -> ShockYears | None:
    """Return the years of a shock, None where its indicator has no figures of them.

    They are those of `gwm_models.models.shocks.shock_profile`: up to the year before the mean over units is back where
    it was in the year before the shock, after its worst year, or to the end of the figures.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> shock_years(load_vocabulary().indicators["unemployment_rate"], "2020")
    ShockYears(first=2020, last=2021, returned=True)
    """
    if profile not in shocks_of(spec):
        return None
    return _years(spec.values.get("variable") or spec.sampling.get("variable") or "", spec.direction, int(profile))


@lru_cache(maxsize=16)
def _years(variable: str, direction: int, first: int) -> ShockYears:
    by_year = _figures(variable)
    base = by_year[first - 1]
    recorded = [year for year in range(first, first - 1 + LONGEST) if year in by_year]
    gain = [
        direction * fmean(value - base[unit] for unit, value in by_year[year].items() if unit in base)
        for year in recorded
    ]
    worst = gain.index(min(gain))
    back = next((place for place in range(worst, len(gain)) if gain[place] >= 0), None)
    lasts = len(gain) if back is None else max(back, 1)
    return ShockYears(recorded[0], recorded[lasts - 1], returned=lasts < len(recorded))


def _figures(variable: str) -> dict[int, dict[str, float]]:
    """Return the yearly figures of a variable by year and unit; years with less than half of the units are left out."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for row in table_rows(data_home() / "indicators.csv"):
        year = CALENDAR.fullmatch(row["period"]) if row["variable"] == variable else None
        if year and row["value"] and row["sex"] == "Persons":
            found[int(year[1])][row["unit_code"]] = float(row["value"])
    units = {unit for figures in found.values() for unit in figures}
    return {year: figures for year, figures in found.items() if 2 * len(figures) >= len(units)}
