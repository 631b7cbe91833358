"""What the engine would have drawn at the end of an earlier year: levels of that year and their trends, from its past.

No figure after the year goes into the trends, the shrinkage of levels or the factors on their spread. What is not
undone: the structure of the model was chosen with all years in sight; a survey error for which no limits are published
is filled from those of all years, later ones too (of 1,053 errors of unemployment up to 2012 it moves 230, of activity
18, by up to 8%); and the survey error of the later figure, which is no part of a projection, is that of the later
figure's own published limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.data.open_editions import open_edition
from gwm_models.draws import keyed_normals
from gwm_models.errors import ModelError
from gwm_models.evaluation.backtest_scores import Forecast
from gwm_models.models.trend import Trend
from gwm_models.models.trend_error import panel_errors, widen, widening
from gwm_models.models.trend_errors_past import Origin, PastErrors
from gwm_models.models.trend_fit import IndicatorTrend
from gwm_models.models.trend_observed import nothing_known
from gwm_models.models.trend_scale import HUNDRED, PRINTED
from gwm_models.models.yearly import Yearly, indicator_variable, yearly_series
from gwm_models.ranks.posterior import shrink

Floats = NDArray[np.float64]

LAYOUT = 2019
"""Year of the open edition whose areas and indicators stand for every year's."""
LINE = 5
"""Years that the straight line of a naive rule is drawn through, at most."""
RULES = ("trend", "trend_widened", "held", "last_figure", "line")
"""The engine's trend, the same with the spread of its past errors, levels held; and the naive rules: the last figure
again, and a straight line through the last five."""


@dataclass(frozen=True, eq=False)
class Indicator(Frozen):
    """One indicator's yearly figures as they are judged: in the unit of its level, area by area.

    Attributes
    ----------
    id, unit : str
    series, scaled : Yearly
        As published, and on the scale of its trend.
    past : PastErrors
    place : ndarray of int, shape (n_areas,)
        Each area's unit in the series.
    """

    id: str
    unit: str
    series: Yearly
    scaled: Yearly
    past: PastErrors
    place: NDArray[np.int64]

    def level(self, figures: Floats) -> Floats:
        """Turn figures on the scale of the trend into levels; pay becomes per cent of the median unit."""
        scale = self.past.scale
        if scale.kind == "logit":
            return np.asarray(scale.low + (scale.high - scale.low) / (1 + np.exp(-figures / HUNDRED)))
        return HUNDRED * np.exp(figures / HUNDRED) if scale.kind == "log" else figures

    def figure_of(self, level: Floats) -> Floats:
        """Turn levels of a rate into figures on the scale of the trend; those beyond its limits are set at them."""
        scale = self.past.scale
        inside = np.clip(level, scale.low + PRINTED, scale.high - PRINTED)
        return np.asarray(HUNDRED * np.log((inside - scale.low) / (scale.high - inside)))

    def change(self, growth: Floats) -> Floats:
        """Turn growth, as trends give it, into changes on their scale."""
        return growth if self.past.scale.kind == "linear" else HUNDRED * np.log1p(growth)

    def published(self, year: int) -> Floats:
        """Return the published levels of a year by area."""
        figure = self.series.value[self.place, self.series.year.index(year)]
        return self.level(figure) if self.series.relative else np.asarray(figure)

    def at(self, year: int) -> Floats:
        """Return the figures of a year by area, on the scale of the trend."""
        return np.asarray(self.scaled.value[self.place, self.series.year.index(year)])


def layout() -> Edition:
    """Return the edition whose areas and indicators every origin takes."""
    return open_edition(LAYOUT, complete=False)


@lru_cache(maxsize=1)
def indicators() -> tuple[Indicator, ...]:
    """Return the indicators with a yearly series, and the past errors of their trends."""
    edition = layout()
    place = np.unique(edition.areas.unit, return_inverse=True)[1]
    past = {each.variable: each for each in panel_errors(edition)}
    found = []
    for spec in edition.spec.indicators:
        variable = indicator_variable(spec)
        if variable in past:
            series = yearly_series(edition, variable)
            scaled = past[variable].scale.on(series)
            found.append(Indicator(spec.id, spec.unit, series, scaled, past[variable], np.asarray(place)))
    return tuple(found)


def origin_of(indicator: Indicator, year: int) -> Origin | None:
    """Return what was known of an indicator's trend at the end of a year; None before it had one."""
    return next((one for one in indicator.past.origins if one.year == year), None)


@lru_cache(maxsize=64)
def trend_until(year: int, n_draws: int, seed: int) -> Trend:
    """Return the trends of all indicators from figures up to a year alone, starting there.

    Raises
    ------
    ModelError
        If no indicator has a trend by then.
    """
    edition, parts, without = layout(), [], []
    values = np.full(edition.values.shape, np.nan)
    for one in indicators():
        j, origin = edition.spec.indicator_ids.index(one.id), origin_of(one, year)
        if origin is None:
            without.append(one.id)
            continue
        values[:, j] = one.published(year)
        period, known = f"{one.series.year[0]} to {year}", nothing_known(year, year, len(one.series.unit))
        parts.append(IndicatorTrend(one.id, period, one.past.scale, origin.units, origin.common, known, one.place))
    if not parts:
        raise ModelError(f"No indicator has yearly figures of three years up to {year}.")
    then = replace(edition, name=f"panel-{year}", values=values, period=str(year))
    return Trend(then, n_draws, seed, tuple(parts), tuple(without), ())


@lru_cache(maxsize=64)
def widened_until(year: int, n_draws: int, seed: int) -> Trend:
    """Return the same with the spread that errors seen by that year give it."""
    found = widening([one.past for one in indicators()], until=year)
    return widen(trend_until(year, n_draws, seed), found)


@dataclass(frozen=True, eq=False)
class Then(Frozen):
    """Draws of one indicator from one year, as later figures would show it.

    Attributes
    ----------
    indicator : Indicator
    origin : Origin
    seen : ndarray of bool, shape (n_areas,)
        Areas with a figure in that year.
    level, level_variance : ndarray, shape (n_seen,)
        True figures of that year, shrunk towards their region, on the scale of the trend.
    normals : ndarray, shape (2, n_draws, n_seen)
        Of the true level, and of the later figure's survey error.
    """

    indicator: Indicator
    origin: Origin
    seen: NDArray[np.bool_]
    level: Floats
    level_variance: Floats
    normals: Floats

    @property
    def figure(self) -> Floats:
        """Published figures of the year, on the scale of the trend."""
        return self.indicator.at(self.origin.year)[self.seen]

    def true_draws(self) -> Floats:
        """Return draws of the true figures of the year."""
        return np.asarray(self.level + np.sqrt(self.level_variance) * self.normals[0])

    def later(self, change: Floats, years_ahead: int) -> Floats:
        """Return draws of later figures in the unit of the level, given draws of the change on the scale of the trend.

        The survey asks some households again, so part of an error stays: see `Origin.memory`.
        """
        one, kept = self.indicator, self.origin.memory[years_ahead]
        error, later_error = self._errors(years_ahead)
        true = self.true_draws()
        stays = kept * np.divide(later_error, error, out=np.zeros_like(error), where=error > 0)
        noise = stays * (self.figure - true) + np.sqrt(1 - kept**2) * later_error * self.normals[1]
        return one.level(true + change + noise)

    def _errors(self, years_ahead: int) -> tuple[Floats, Floats]:
        one, error = self.indicator, self.origin.error[self.indicator.place][self.seen]
        if one.series.relative:
            return error, error
        place = one.series.year.index(self.origin.year + years_ahead)
        return error, np.nan_to_num(one.scaled.error[one.place, place][self.seen])


def then_of(indicator: Indicator, origin: Origin, n_draws: int, seed: int) -> Then:
    """Shrink the figures of a year towards their region, as baselines of scenarios are."""
    areas = layout().areas
    figure, error = indicator.at(origin.year), origin.error[indicator.place]
    seen = np.isfinite(figure)
    sd = float(figure[seen].std())
    true = shrink(figure[seen, None], (error[seen] ** 2)[:, None, None], areas.region_index()[seen], prior_sd=2 * sd)
    codes = [code for code, here in zip(areas.code, seen.tolist(), strict=True) if here]
    normals = keyed_normals(seed, f"backtest:{indicator.id}:{origin.year}", codes, n_draws, 2)
    return Then(indicator, origin, seen, true.mean[:, 0], true.cov[:, 0, 0], np.moveaxis(normals, 2, 0))


def indicator_forecasts(horizons: Sequence[int], n_draws: int, seed: int) -> Iterator[Forecast]:
    """Yield every indicator's forecasts from every year by every rule, with what came."""
    for one in indicators():
        for origin in one.past.origins:
            yield from _forecasts(one, origin, horizons, n_draws, seed)


def _forecasts(one: Indicator, origin: Origin, horizons: Sequence[int], n_draws: int, seed: int) -> Iterator[Forecast]:
    year = origin.year
    ahead = [h for h in horizons if year + h in one.series.year]
    if not ahead:
        return
    then = then_of(one, origin, n_draws, seed)
    spec = layout().spec
    j = spec.indicator_ids.index(one.id)
    paths = {"trend": trend_until(year, n_draws, seed), "trend_widened": widened_until(year, n_draws, seed)}
    change = {rule: one.change(trend.growth(j, ahead)[:, :, then.seen]) for rule, trend in paths.items()}
    change["held"] = np.zeros((len(ahead), 1, 1))
    before, slope = one.published(year)[then.seen], _line(one, year)[then.seen]
    for t, h in enumerate(ahead):
        came = one.published(year + h)[then.seen]
        here = np.isfinite(came)
        draws = {rule: then.later(moved[t], h) for rule, moved in change.items()}
        draws |= {"last_figure": before[None], "line": (before + h * slope)[None]}
        for rule, drawn in draws.items():
            yield Forecast(
                one.id, one.unit, rule, year, h, drawn[:, here], before[here], came[here], spec.indicators[j].direction
            )


def _line(one: Indicator, year: int) -> Floats:
    """Return the slope a year of the least-squares line through each area's last figures, up to `LINE` of them."""
    years = [y for y in one.series.year if year - LINE < y <= year]
    value = np.column_stack([one.published(y) for y in years])
    time = np.array(years, dtype=float)
    seen = np.isfinite(value)
    number = np.maximum(seen.sum(axis=1), 1)
    apart = np.where(seen, time - (seen @ time / number)[:, None], 0.0)
    square = (apart**2).sum(axis=1)
    return np.asarray(np.divide((apart * np.nan_to_num(value)).sum(axis=1), square, out=0 * square, where=square > 0))
