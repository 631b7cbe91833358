"""Where the indicators of each area go by themselves: damped trends of the yearly panel, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.models.damped import Damped, forecast
from gwm_models.models.trend_fit import IndicatorTrend, trends_of
from gwm_models.models.trend_observed import Observed, edition_year, observed_since
from gwm_models.models.yearly import indicator_variable, yearly_series

Floats = NDArray[np.float64]
Row = dict[str, object]

CHUNK = 500
"""Draws that share a stream; a matter of speed, part of what a seed means."""


@dataclass(frozen=True, eq=False)
class Trend:
    """Changes of the levels of an edition that its areas' own trends bring.

    Attributes
    ----------
    edition : Edition
    n_draws, seed : int
    parts : tuple of IndicatorTrend
        Of the indicators that have a yearly series.
    known : tuple of Observed
        What is already known of each of them since the year of the edition.
    without : tuple of str
        Ids of the indicators that have none: they are held.
    notes : tuple of str
        What is assumed, in plain words.
    """

    edition: Edition
    n_draws: int
    seed: int
    parts: tuple[IndicatorTrend, ...]
    known: tuple[Observed, ...]
    without: tuple[str, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return one line: edition, indicators with and without a trend."""
        return f"Trend({self.edition.name}: {len(self.parts)} indicators with a trend, {len(self.without)} without)"

    def path(self, years_ahead: Sequence[int], rows: slice = slice(None)) -> Floats:
        """Draw the change of every level: what is known of it up to the last figure, and from there a forecast.

        Parameters
        ----------
        years_ahead : sequence of int
            Years since the levels of the edition hold, 0 for none: no change at all.
        rows : slice
            The draws asked for. A draw is the same whichever are asked for together, and whatever years.

        Returns
        -------
        ndarray, shape (n_years, n_rows, n_areas, n_indicators)
            In each indicator's unit; zero for indicators without a series.

        Raises
        ------
        ValueError
            If a year is negative, or draws are skipped by a step.
        """
        ahead, (start, stop) = _checked(years_ahead), self._bounds(rows)
        shape = (len(self.edition.spec.indicators), len(ahead), stop - start, len(self.edition.areas))
        change = np.zeros(shape)
        cuts = [start, *range((start // CHUNK + 1) * CHUNK, stop, CHUNK), stop]
        for part, known in zip(self.parts, self.known, strict=True):
            j = self.edition.spec.indicator_ids.index(part.indicator)
            for first, last in pairwise(cuts):
                change[j, :, first - start : last - start] = self._drawn(part, known, ahead, first, last)
        return np.moveaxis(change, 0, -1)

    def central(self, years_ahead: Sequence[int]) -> Floats:
        """Return the expected change of every level, shape (n_years, n_areas, n_indicators)."""
        ahead = _checked(years_ahead)
        change = np.zeros((len(ahead), len(self.edition.areas), len(self.edition.spec.indicators)))
        for part, known in zip(self.parts, self.known, strict=True):
            j = self.edition.spec.indicator_ids.index(part.indicator)
            for t, years in enumerate(ahead):
                start, end = known.beyond(0), known.beyond(years)
                own = known.central(years) + part.units.central(end) - part.units.central(start)
                common = 0.0 if part.common is None else part.common.central(end) - part.common.central(start)
                change[t, :, j] = part.in_units(own[part.place] + common)
        return change

    def rows(self, years_ahead: int = 10) -> list[Row]:
        """Return a row for each trend: its window, its scales, and the spread of what it brings in that many years."""
        found: list[Row] = []
        for part in self.parts:
            j = self.edition.spec.indicator_ids.index(part.indicator)
            change = self.central([years_ahead])[0, :, j]
            scales = {f"{name}_of_areas": value for name, value in part.units.summary().items()}
            spread: Row = {"mean_change": float(change.mean()), "sd_of_change": float(change.std())}
            about: Row = {"indicator": part.indicator, "period": part.period, "years_ahead": years_ahead}
            found.append({**about, **spread, **scales})
        return found

    def _bounds(self, rows: slice) -> tuple[int, int]:
        start, stop, step = rows.indices(self.n_draws)
        if step != 1:
            raise ValueError(f"rows must be draws one after another; got {rows!r}.")
        return start, max(start, stop)

    def _drawn(self, part: IndicatorTrend, known: Observed, ahead: list[int], start: int, stop: int) -> Floats:
        """Return draws of one indicator's change, shape (n_years, n_rows, n_areas)."""
        units = self.edition.areas.units()[0]
        key = f"trend:{part.indicator}"
        beyond = [known.beyond(0), *map(known.beyond, ahead)]
        change = self._forecast(part.units, key, units, beyond, start, stop)
        if part.common is not None:
            change += self._forecast(part.common, f"{key}:mean", ("mean",), beyond, start, stop)
        change = change[1:] - change[0]
        if known.year:
            common = _normals(self.seed, f"{key}:known", ("mean",), 1, start, stop)[0]
            luck = _normals(self.seed, f"{key}:known", units, 1, start, stop)[0]
            for t, years in enumerate(ahead):
                change[t] += known.drawn(years, common, luck)
        return part.in_units(change[..., part.place])

    def _forecast(
        self, fit: Damped, key: str, names: tuple[str, ...], ahead: list[int], start: int, stop: int
    ) -> Floats:
        uniform = keyed_rng(self.seed, f"{key}:scales").random(self.n_draws)[start:stop]
        return forecast(fit, uniform, _normals(self.seed, key, names, 1 + max(ahead), start, stop), ahead)


def _checked(years_ahead: Sequence[int]) -> list[int]:
    ahead = [int(years) for years in years_ahead]
    if not ahead or min(ahead) < 0:
        raise ValueError(f"years_ahead must be whole numbers from 0 up, one or more; got {list(years_ahead)!r}.")
    return ahead


def _normals(seed: int, key: str, names: tuple[str, ...], width: int, start: int, stop: int) -> Floats:
    """Return standard normals of some draws of one chunk, shape (width, n_rows, n_names).

    Each name has a stream for every `CHUNK` draws, in the order of `width`: so neither the draws nor the years asked
    for together change a number.
    """
    chunk = start // CHUNK
    found = np.empty((len(names), width, CHUNK))
    for i, name in enumerate(names):
        keyed_rng(seed, key, name, str(chunk)).standard_normal(out=found[i])
    rows = slice(start - chunk * CHUNK, stop - chunk * CHUNK)
    return np.ascontiguousarray(found[:, :, rows].transpose(1, 2, 0))


@lru_cache(maxsize=4)
def draw_trend(edition: Edition, n_draws: int, seed: int) -> Trend:
    """Return the trends of an edition's indicators, ready to be drawn.

    A series is the yearly figures of an indicator, from the first year in which half of the units have one until the
    last. Each unit has a trend of its own beside that of the mean of the units. Published limits say how much of its
    movement is survey noise; what is left is split into slopes that last and steps that do not by one model for all
    units (`fit_damped`), so a unit's slope is shrunk towards the mean's the more, the noisier it is. Slopes fade by the
    damping that the panel shows. All years are used: the change of survey method in 2020 is a jump of unknown size in
    the mean, and units are compared with the mean of their own year.

    Parameters
    ----------
    edition : Edition
    n_draws, seed : int

    Raises
    ------
    ModelError
        If no indicator of the edition has a yearly series.

    The fade starts from the last figure of each series. What happened between the edition and that figure is not
    forecast: it is the observed change, less what noise accounts for (`observed_since`).

    References
    ----------
    Gardner & McKenzie (1985), Management Science 31, 1237-1246.
    """
    parts, without = trends_of(edition)
    if not parts:
        raise ModelError(
            f"Edition {edition.name} has no yearly figures of its indicators, so its areas have no trend; write "
            "`counterfactual: held`."
        )
    specs, base = {one.id: one for one in edition.spec.indicators}, edition_year(edition)
    known = tuple(
        observed_since(yearly_series(edition, indicator_variable(specs[part.indicator])), base) for part in parts
    )
    return Trend(edition, n_draws, seed, parts, known, without, _notes(edition, parts, without))


def _notes(edition: Edition, parts: tuple[IndicatorTrend, ...], without: tuple[str, ...]) -> tuple[str, ...]:
    label = dict(zip(edition.spec.indicator_ids, [one.label for one in edition.spec.indicators], strict=True))
    windows = "; ".join(f"{label[part.indicator]} {part.period}" for part in parts)
    notes = [
        f"Trends are those of the yearly figures: {windows}. Levels move from those of the edition "
        f"({edition_year(edition)}) by the observed change up to the last figure, survey noise taken out, and from "
        "there along slopes that fade.",
        "The change of survey method in 2020 is taken out of the slope of the mean of the areas as a jump of unknown "
        "size; the observed change since the edition holds it. An area's own trend is measured against the mean.",
        "Trends of different areas are drawn independently around that of the mean, those of different indicators too; "
        "areas that share a unit (Bournemouth and Poole) share its trend.",
        "Where such trends can be tested (fitted to 2012, judged on 2015 and 2018) they tell no more than levels that "
        "are held: what they add is mostly uncertainty.",
    ]
    if any(part.level.size for part in parts):
        notes.append("Pay moves against that of the median unit: national pay and prices are held.")
    if without:
        notes.append(f"Without yearly figures, and held: {'; '.join(label[name] for name in without)}.")
    return tuple(notes)
