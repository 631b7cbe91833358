"""The trends of an edition's indicators: fitted to the yearly panel, stored, and read again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.files import plain
from gwm_models.models.damped import Damped, fit_damped
from gwm_models.models.panel.within import two_way
from gwm_models.models.store import Record, find, fingerprint, remember
from gwm_models.models.trend_observed import Observed, edition_year, nothing_known, observed_since
from gwm_models.models.trend_scale import Scale, scale_of
from gwm_models.models.yearly import Yearly, indicator_variable, yearly_series

Floats = NDArray[np.float64]

MODULE = "models.trend_fit"
FILE = "trends"
"""Name of the stored trends, without its ending."""
DIMS = {"scales": ("node", "scale"), "weight": ("node",), "mean": ("node", "series"), "sd": ("node", "series")}
"""Parts of a posterior, and their dimensions."""
KNOWN_DIMS = {"mean": ("year",), "mean_sd": ("year",), "own": ("year", "unit"), "own_sd": ("year", "unit")}
"""Parts of what is known since the year of the edition, and their dimensions."""
NEW_SURVEY = 2020
"""First year of the survey's new method: what all units have in common may jump there."""


@dataclass(frozen=True, eq=False)
class IndicatorTrend(Frozen):
    """The trend of one indicator; all numbers are on its scale.

    Attributes
    ----------
    indicator : str
    period : str
        First and last year of its series.
    scale : Scale
    units : Damped
        Of each unit less the mean of the units.
    common : Damped or None
        Of that mean, as one series; None where values are relative to the median unit.
    known : Observed
        What is already known since the year of the edition.
    place : ndarray of int, shape (n_areas,)
        Each area's unit.
    """

    indicator: str
    period: str
    scale: Scale
    units: Damped
    common: Damped | None
    known: Observed
    place: NDArray[np.int64]

    def summary(self) -> dict[str, dict[str, float]]:
        """Return posterior means of the scales of the units, and of their mean."""
        fits = {"units": self.units, "common": self.common}
        return {name: fit.summary() for name, fit in fits.items() if fit is not None}


@lru_cache(maxsize=4)
def trends_of(edition: Edition) -> tuple[tuple[IndicatorTrend, ...], tuple[str, ...]]:
    """Return the trend of every indicator with a yearly series, stored or fitted anew; name the others."""
    if not any(map(indicator_variable, edition.spec.indicators)):
        return (), edition.spec.indicator_ids
    key = trends_key(edition)
    record = find(FILE, key)
    if record is None:
        record = trends_record(edition)
        remember(key, record)
    return _unpack(edition, record)


def trends_key(edition: Edition) -> str:
    """Return the fingerprint of an edition's trends."""
    return fingerprint(MODULE, edition, FILE, str(edition_year(edition)))


def trends_record(edition: Edition) -> Record:
    """Fit the trends anew, in the form in which they are stored: posteriors node by node, no draws."""
    arrays: dict[str, tuple[tuple[str, ...], Floats]] = {}

    def keep(name: str, dims: dict[str, tuple[str, ...]], found: object) -> None:
        for field, own in dims.items():
            arrays[f"{name}_{field}"] = (tuple(f"{name}_{dim}" for dim in own), getattr(found, field))

    parts, without = _fit_all(edition)
    for part in parts:
        keep(f"{part.indicator}_units", DIMS, part.units)
        if part.common is not None:
            keep(f"{part.indicator}_common", DIMS, part.common)
        if part.known.year:
            keep(f"{part.indicator}_known", KNOWN_DIMS, part.known)
    facts = {
        "periods": {part.indicator: part.period for part in parts},
        "known": {part.indicator: [part.known.base, part.known.last, *part.known.year] for part in parts},
        "without": without,
        "models": {part.indicator: part.summary() for part in parts},
    }
    return Record(arrays, plain(facts, keep_nan=True))


def _unpack(edition: Edition, record: Record) -> tuple[tuple[IndicatorTrend, ...], tuple[str, ...]]:
    def parts_of(name: str, dims: dict[str, tuple[str, ...]]) -> dict[str, Floats]:
        return {field: record.arrays[f"{name}_{field}"][1] for field in dims}

    parts = []
    for indicator, period in record.facts["periods"].items():
        units = Damped(**parts_of(f"{indicator}_units", DIMS))
        has_common = f"{indicator}_common_weight" in record.arrays
        common = Damped(**parts_of(f"{indicator}_common", DIMS)) if has_common else None
        base, last, *years = record.facts["known"][indicator]
        known = nothing_known(base, last, units.mean.shape[1])
        if years:
            known = Observed(base, tuple(years), last, **parts_of(f"{indicator}_known", KNOWN_DIMS))
        parts.append(_part(edition, indicator, period, units, common, known))
    return tuple(parts), tuple(record.facts["without"])


def _part(
    edition: Edition, indicator: str, period: str, units: Damped, common: Damped | None, known: Observed
) -> IndicatorTrend:
    """Set the trends of units among the areas; without a mean of their own, they are relative to the level."""
    _, place = np.unique(edition.areas.unit, return_inverse=True)
    spec = edition.spec.indicators[edition.spec.indicator_ids.index(indicator)]
    scale = scale_of(spec, relative=common is None)
    return IndicatorTrend(indicator, period, scale, units, common, known, np.asarray(place, dtype=np.int64))


def _fit_all(edition: Edition) -> tuple[tuple[IndicatorTrend, ...], tuple[str, ...]]:
    parts, without, base = [], [], edition_year(edition)
    for indicator in edition.spec.indicators:
        variable = indicator_variable(indicator)
        try:
            series = yearly_series(edition, variable)
        except ModelError:
            without.append(indicator.id)
            continue
        scaled = scale_of(indicator, relative=series.relative).on(series)
        units, common = fit_series(scaled)
        period, known = f"{series.year[0]} to {series.year[-1]}", observed_since(scaled, base)
        parts.append(_part(edition, indicator.id, period, units, common, known))
    return tuple(parts), tuple(without)


def fit_series(series: Yearly) -> tuple[Damped, Damped | None]:
    """Fit the trends of one series, on its scale: of the units less their mean, and of the mean.

    The mean is that of units compared with themselves: units without a figure in some years do not shift it. Swings of
    pay are smaller than its published limits allow for by chance, so they are not projected.
    """
    seen = np.isfinite(series.value)
    effects = two_way(np.asarray(seen))
    own = np.where(seen, effects.residual(series.value), np.nan)
    units = fit_damped(own, series.noise())
    if series.relative:
        return units.without_swings(), None
    number = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    centred = np.where(seen, series.value - np.where(seen, series.value, 0.0).sum(axis=1, keepdims=True) / number, 0.0)
    flat = effects.years.reshape(seen.size, -1)
    mean = (centred.ravel() @ flat) @ effects.inverse
    sampling = np.nanmean(series.noise().transpose(1, 2, 0), axis=2) / len(series.unit)
    jump = np.array([float(year >= NEW_SURVEY) for year in series.year])
    jumps = 0 < jump.sum() < len(jump)
    return units, fit_damped(mean[None], sampling[None], jump if jumps else None)
