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
from gwm_models.models.trend_observed import edition_year

Floats = NDArray[np.float64]

CHUNK = 500
"""Draws that share a stream; a matter of speed, part of what a seed means."""
ROUND = (2030, 2035, 2040, 2045, 2050)
"""Calendar years that are drawn first, the others given them: many horizons end in one, and where only the last year is
asked for, few numbers are drawn. A matter of speed, part of what a seed means; the distribution is the same."""


@dataclass(frozen=True, eq=False)
class Trend:
    """Where the levels of an edition go by its areas' own trends.

    Attributes
    ----------
    edition : Edition
    n_draws, seed : int
    parts : tuple of IndicatorTrend
        Of the indicators that have a yearly series.
    without : tuple of str
        Ids of the indicators that have none: they are held.
    notes : tuple of str
        What is assumed, in plain words.
    """

    edition: Edition
    n_draws: int
    seed: int
    parts: tuple[IndicatorTrend, ...]
    without: tuple[str, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return one line: edition, indicators with and without a trend."""
        return f"Trend({self.edition.name}: {len(self.parts)} indicators with a trend, {len(self.without)} without)"

    def growth(self, place: int, years_ahead: Sequence[int], rows: slice = slice(None)) -> Floats:
        """Draw the growth of one indicator: what is known of it up to the last figure, and from there a forecast.

        Parameters
        ----------
        place : int
            Of the indicator in the edition.
        years_ahead : sequence of int
            Years since the levels of the edition hold, 0 for none: no growth at all.
        rows : slice
            The draws asked for. A draw is the same whichever are asked for together, and whatever years.

        Returns
        -------
        ndarray, shape (n_years, n_rows, n_areas)
            As `Scale.grown` takes it: of the odds of a rate, of pay, or a change in the indicator's unit. Zero for an
            indicator without a series.

        Raises
        ------
        ValueError
            If a year is negative, or draws are skipped by a step.
        """
        ahead, (start, stop) = _checked(years_ahead), self._bounds(rows)
        found = np.zeros((len(ahead), stop - start, len(self.edition.areas)))
        part = self._part(place)
        if part is not None:
            cuts = [start, *range((start // CHUNK + 1) * CHUNK, stop, CHUNK), stop]
            for first, last in pairwise(cuts):
                found[:, first - start : last - start] = self._drawn(part, ahead, first, last)
        return found

    def expected(self, place: int, years_ahead: Sequence[int]) -> Floats:
        """Return the growth of one indicator that is expected on its scale, shape (n_years, n_areas).

        About half the draws of a level lie on either side of it; the mean of a rate lies further from its nearer limit.
        """
        ahead, part = _checked(years_ahead), self._part(place)
        found = np.zeros((len(ahead), len(self.edition.areas)))
        if part is not None:
            found[:] = [_expected(part, years) for years in ahead]
        return found

    def grown(self, place: int, level: Floats, growth: Floats) -> Floats:
        """Return levels of one indicator after growth, inside its limits; those without a trend as they are."""
        part = self._part(place)
        return level if part is None else part.scale.grown(level, growth)

    def _part(self, place: int) -> IndicatorTrend | None:
        name = self.edition.spec.indicator_ids[place]
        return next((part for part in self.parts if part.indicator == name), None)

    def _bounds(self, rows: slice) -> tuple[int, int]:
        start, stop, step = rows.indices(self.n_draws)
        if step != 1:
            raise ValueError(f"rows must be draws one after another; got {rows!r}.")
        return start, max(start, stop)

    def _drawn(self, part: IndicatorTrend, ahead: list[int], start: int, stop: int) -> Floats:
        """Return draws of one indicator's growth, shape (n_years, n_rows, n_areas)."""
        units, known = self.edition.areas.units()[0], part.known
        key = f"trend:{part.indicator}"
        beyond = [*map(known.beyond, ahead), known.beyond(0)]
        order = _order(known.last, beyond)
        luck = _normals(self.seed, key, units, 2 + len(order), start, stop)
        common = _normals(self.seed, f"{key}:mean", ("mean",), 2 + len(order), start, stop)
        change = self._forecast(part.units, key, luck[1:], beyond, order, start)
        if part.common is not None:
            change += self._forecast(part.common, f"{key}:mean", common[1:], beyond, order, start)
        change = change[:-1] - change[-1] if beyond[-1] else change[:-1]
        for t, years in enumerate(ahead if known.year else ()):
            change[t] += known.drawn(years, common[0], luck[0])
        return part.scale.growth(change)[..., part.place]

    def _forecast(
        self, fit: Damped, key: str, normals: Floats, ahead: list[int], order: tuple[int, ...], start: int
    ) -> Floats:
        uniform = keyed_rng(self.seed, f"{key}:scales").random(self.n_draws)[start : start + normals.shape[1]]
        return forecast(fit, uniform, normals, ahead, order)


def _checked(years_ahead: Sequence[int]) -> list[int]:
    ahead = [int(years) for years in years_ahead]
    if not ahead or min(ahead) < 0:
        raise ValueError(f"years_ahead must be whole numbers from 0 up, one or more; got {list(years_ahead)!r}.")
    return ahead


def _order(last: int, years: list[int]) -> tuple[int, ...]:
    """Return years since the last figure in the order in which they are drawn, as far as some of them need it."""
    first = [year - last for year in ROUND if year > last]
    order = [*first, *(year for year in range(1, max(years) + 1) if year not in first)]
    return tuple(order[: max((1 + order.index(year) for year in years if year), default=0)])


def _normals(seed: int, key: str, names: tuple[str, ...], width: int, start: int, stop: int) -> Floats:
    """Return standard normals of some draws of one chunk, shape (width, n_rows, n_names).

    Each name has a stream for every `CHUNK` draws, in the order of `width`: so neither the draws nor the years asked
    for together change a number. In memory the draws of a name lie side by side, as they were drawn.
    """
    chunk = start // CHUNK
    found = np.empty((len(names), width, CHUNK))
    for i, name in enumerate(names):
        keyed_rng(seed, key, name, str(chunk)).standard_normal(out=found[i])
    rows = slice(start - chunk * CHUNK, stop - chunk * CHUNK)
    return found[:, :, rows].transpose(1, 2, 0)


def _expected(part: IndicatorTrend, years: int) -> Floats:
    """Return the growth that is expected on the scale of an indicator, shape (n_areas,)."""
    start, end = part.known.beyond(0), part.known.beyond(years)
    change = part.known.central(years) + part.units.central(end) - part.units.central(start)
    if part.common is not None:
        change = change + part.common.central(end) - part.common.central(start)
    return part.scale.growth(change)[part.place]


@lru_cache(maxsize=4)
def draw_trend(edition: Edition, n_draws: int, seed: int) -> Trend:
    """Return the trends of an edition's indicators, ready to be drawn.

    A series is the yearly figures of an indicator, from the first year in which half of the units have one until the
    last, rates as the logarithm of their odds and pay as its logarithm (`Scale`), so that no draw leaves its limits.
    Each unit has a trend of its own beside that of the mean of the units. Published limits say how much of its movement
    is survey noise; what is left is split into slopes that last and steps that do not by one model for all units
    (`fit_damped`), so a unit's slope is shrunk towards the mean's the more, the noisier it is. Slopes fade by the
    damping that the panel shows. All years are used: the change of survey method in 2020 is a jump of unknown size in
    the mean, and units are compared with the mean of their own year.

    The fade starts from the last figure of each series. What happened between the edition and that figure is not
    forecast: it is the observed change, less what noise accounts for (`observed_since`).

    Parameters
    ----------
    edition : Edition
    n_draws, seed : int

    Raises
    ------
    ModelError
        If no indicator of the edition has a yearly series.

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
    return Trend(edition, n_draws, seed, parts, without, _notes(edition, parts, without))


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
    if any(part.scale.kind == "logit" for part in parts):
        notes.append(
            "Rates move by the logarithm of their odds, so none passes a limit, and moves near a limit are small. The "
            "middle of the draws of a rate is that of its trend; their mean lies further from the nearer limit."
        )
    if any(part.scale.kind == "log" for part in parts):
        notes.append("Pay moves against that of the median unit: national pay and prices are held.")
    if without:
        notes.append(f"Without yearly figures, and held: {'; '.join(label[name] for name in without)}.")
    return tuple(notes)
