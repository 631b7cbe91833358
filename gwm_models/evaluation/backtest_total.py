"""Totals of the open editions, forecast from one edition to the next ones as the engine would have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.open_editions import domain_scores, open_edition
from gwm_models.data.vocabulary import OPEN_YEARS
from gwm_models.draws import keyed_normals
from gwm_models.evaluation.backtest_origins import indicators, layout, origin_of, trend_until, widened_until
from gwm_models.evaluation.backtest_scores import Forecast
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import sampling_error
from gwm_models.models.panel.noise import wave_correlation
from gwm_models.models.trend import Trend
from gwm_models.models.yearly import RHO
from gwm_models.scenarios.baseline import draw_baseline

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

TOTAL = "total"
FEWEST = 3
"""Editions that a straight line needs."""


def total_forecasts(horizons: Sequence[int], n_draws: int, seed: int) -> Iterator[Forecast]:
    """Yield forecasts of the totals of later open editions from every earlier one.

    The bounds that turn levels into scores are frozen over the five years, so they are of later years too; they are the
    same for what was forecast and for what came, and set only how many points a unit is worth.
    """
    for year in OPEN_YEARS[:-1]:
        ahead = [h for h in horizons if year + h in OPEN_YEARS]
        if ahead:
            yield from _from_edition(year, ahead, n_draws, seed)


def _from_edition(year: int, ahead: list[int], n_draws: int, seed: int) -> Iterator[Forecast]:
    edition = open_edition(year)
    baseline = draw_baseline(edition, n_draws, seed)
    place = np.array([layout().areas.code.index(code) for code in edition.areas.code])
    paths = {
        "trend": _grown(trend_until(year, n_draws, seed), baseline.level, place, ahead),
        "trend_widened": _grown(widened_until(year, n_draws, seed), baseline.level, place, ahead),
        "held": np.broadcast_to(baseline.level, (len(ahead), *baseline.level.shape)),
    }
    for t, h in enumerate(ahead):
        later = open_edition(year + h)
        both = [code for code in edition.areas.code if code in later.areas.code]
        mine, theirs = _places(edition, both), _places(later, both)
        noise = _later_noise(edition, later, mine, theirs, baseline.level[:, mine], n_draws, seed)
        before, came = edition.total[mine], later.total[theirs]
        draws = {rule: _totals(edition, levels[t][:, mine] + noise) for rule, levels in paths.items()}
        draws["last_figure"] = before[None]
        line = _line(year, both)
        if line is not None:
            draws["line"] = (before + h * line)[None]
        for rule, drawn in draws.items():
            yield Forecast(TOTAL, "points", rule, year, h, drawn, before, came, 1)


def _grown(trend: Trend, level: Floats, place: Places, ahead: list[int]) -> Floats:
    """Return levels along a trend, shape (n_years, n_draws, n_areas, n_indicators)."""
    found = [trend.grown(j, level[..., j], trend.growth(j, ahead)[..., place]) for j in range(level.shape[-1])]
    return np.stack(np.broadcast_arrays(*found), axis=-1)


def _places(edition: Edition, codes: list[str]) -> Places:
    return np.array([edition.areas.code.index(code) for code in codes])


def _totals(edition: Edition, levels: Floats) -> Floats:
    """Return totals of drawn levels, shape (n_draws, n_areas)."""
    draws, areas, k = levels.shape
    return np.asarray(domain_scores(edition.spec, levels.reshape(-1, k)).sum(axis=1).reshape(draws, areas))


def _later_noise(
    edition: Edition, later: Edition, mine: Places, theirs: Places, true: Floats, n_draws: int, seed: int
) -> Floats:
    """Draw the survey errors of the later figures, shape (n_draws, n_areas, n_indicators).

    Part of an error is that of the earlier figure: people asked again, or for pay, what published limits allow beyond
    what comes and goes.
    """
    years = int(later.survey_period[:4]) - int(edition.survey_period[:4])
    before, after = sampling_error(edition).std_error[mine], sampling_error(later)
    error = after.std_error[theirs]
    kept = np.full(error.shape, wave_correlation(years + 1, RHO)[0, years])
    for one in indicators():
        if one.series.relative:
            j = edition.spec.indicator_ids.index(one.id)
            kept[:, j] = _pay_kept(edition, later, mine, theirs, j)
    stays = kept * np.divide(error, before, out=np.zeros_like(error), where=before > 0)
    points = points_per_unit(later).estimate
    cov = after.cov_points[theirs] / np.outer(points, points)
    new = np.sqrt(1 - kept**2)
    root = np.linalg.cholesky(cov * new[:, :, None] * new[:, None, :])
    codes = [edition.areas.code[i] for i in mine]
    normals = keyed_normals(seed, f"backtest:total:{edition.name}:{years}", codes, n_draws, len(points))
    return np.asarray(stays * (edition.values[mine] - true) + np.einsum("njk,snk->snj", root, normals))


def _pay_kept(edition: Edition, later: Edition, mine: Places, theirs: Places, j: int) -> Floats:
    """Return the share of pay's error that stays: all but the swings that were seen up to the year of the edition."""
    pay = next(one for one in indicators() if one.series.relative)
    origin = origin_of(pay, int(edition.survey_period[:4]))
    swing = 0.0 if origin is None else float(origin.error.mean())
    error = np.sqrt(sampling_error(edition).std_error[mine, j] * sampling_error(later).std_error[theirs, j])
    moved = swing / 100 * edition.values[mine, j]
    return np.asarray(np.clip(1 - (moved / error) ** 2, 0.0, 0.999))


def _line(year: int, codes: list[str]) -> Floats | None:
    """Return the slope a year of the line through the totals of the editions so far, None where there are too few."""
    years = [y for y in OPEN_YEARS if y <= year]
    if len(years) < FEWEST:
        return None
    values = []
    for y in years:
        edition = open_edition(y)
        total = dict(zip(edition.areas.code, edition.total.tolist(), strict=True))
        values.append([total.get(code, np.nan) for code in codes])
    value, time = np.array(values), np.array(years, dtype=float)
    apart = np.where(np.isfinite(value), (time - time.mean())[:, None], 0.0)
    return np.asarray((apart * np.nan_to_num(value)).sum(axis=0) / (apart**2).sum(axis=0))
