"""Forecasts from earlier years, on made-up figures that go on as their trends say: each rule is known by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gwm_models.data.open_editions import open_edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.evaluation import backtest_health, backtest_origins, backtest_shocks, backtest_total, backtests
from gwm_models.evaluation.backtest_health import Later, health_forecasts
from gwm_models.evaluation.backtest_origins import (
    RULES,
    Indicator,
    indicator_forecasts,
    layout,
    origin_of,
    then_of,
    trend_until,
    widened_until,
)
from gwm_models.evaluation.backtest_shocks import shock_forecasts, shock_rows
from gwm_models.evaluation.backtest_total import total_forecasts
from gwm_models.evaluation.backtests import backtest, headline
from gwm_models.index.sampling import sampling_error
from gwm_models.models.damped import Damped
from gwm_models.models.shocks import shock_profile
from gwm_models.models.trend_errors_past import FURTHEST, Origin, PastErrors
from gwm_models.models.trend_scale import Scale
from gwm_models.models.yearly import PAY, Yearly

ACTIVITY, UNEMPLOYMENT, MEDIAN_PAY = "economic_activity_rate", "unemployment_rate", "median_pay"
YEARS = tuple(range(2008, 2023))
ORIGINS = range(2016, 2021)
N = 117
SLOPE = np.linspace(-6, 6, N)
"""What each unit gains a year on the scale of its trend."""


def steady(slope: np.ndarray) -> Damped:
    """A trend that is known and does not fade: its forecasts have no spread."""
    return Damped(np.array([[1.0, 0, 0, 0, 0]]), np.ones(1), slope[None], np.zeros((1, len(slope))))


def made(name: str, kind: Any, figure: np.ndarray, slope: np.ndarray, *, memory: float, error: float) -> Indicator:
    """An indicator with these figures on the scale of its trend, and these slopes as all that is known of it."""
    edition = layout()
    unit, place = edition.areas.units()[0], np.unique(edition.areas.unit, return_inverse=True)[1]
    scale, noise = Scale(kind), np.full(figure.shape, error)
    variable = PAY if kind == "log" else f"{name}_16_64"
    scaled = Yearly(variable, unit, YEARS, figure, noise)
    published = 100 / (1 + np.exp(-figure / 100)) if kind == "logit" else figure
    origins = tuple(
        Origin(
            year, steady(slope), None, figure[:, YEARS.index(year)], noise[:, 0], memory ** np.arange(1.0, FURTHEST + 2)
        )
        for year in ORIGINS
    )
    one, zero = np.ones(len(ORIGINS)), np.zeros(len(ORIGINS))
    own = np.full((len(ORIGINS), N), 2.0)
    past = PastErrors(
        variable,
        scale,
        origins,
        np.array(ORIGINS),
        np.ones(len(ORIGINS), dtype=int),
        2 * one,
        one,
        zero,
        own,
        own / 2,
        0 * own,
    )
    unit_of = next(spec.unit for spec in edition.spec.indicators if spec.id == name)
    return Indicator(name, unit_of, Yearly(variable, unit, YEARS, published, noise), scaled, past, np.asarray(place))


def country(slope: np.ndarray = SLOPE, *, memory: float = 1.0, error: float = 2.0) -> tuple[Indicator, ...]:
    time = np.array(YEARS) - 2015.0
    start = {ACTIVITY: 120.0, UNEMPLOYMENT: -280.0, MEDIAN_PAY: 0.0}
    spread = 10 * keyed_rng(1, "made-up").standard_normal(N)
    return tuple(
        made(
            name,
            "log" if name == MEDIAN_PAY else "logit",
            at + spread[:, None] + slope[:, None] * time,
            slope,
            memory=memory,
            error=error,
        )
        for name, at in start.items()
    )


def since(year: int, one: Indicator) -> Indicator:
    """The same with trends from that year on only."""
    return replace(one, past=replace(one.past, origins=one.past.origins[year - ORIGINS[0] :]))


@pytest.fixture
def take(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Put made-up indicators in the place of those of England."""

    def forget() -> None:
        trend_until.cache_clear()
        widened_until.cache_clear()

    def use(*made_up: Indicator) -> None:
        forget()
        for module in (backtest_origins, backtest_total, backtest_shocks, backtests):
            monkeypatch.setattr(module, "indicators", lambda: made_up)

    yield use
    forget()


# One indicator


def test_levels_are_published_figures_and_those_of_pay_per_cent_of_the_median():
    activity, _, pay = country()
    k = YEARS.index(2019)
    assert activity.level(np.array([0.0, 100 * np.log(3)])).tolist() == pytest.approx([50, 75])  # odds of 1 and of 3
    assert activity.published(2019) == pytest.approx(activity.level(activity.scaled.value[activity.place, k]))
    assert pay.published(2019) == pytest.approx(100 * np.exp(pay.series.value[pay.place, k] / 100))
    assert np.array_equal(pay.at(2019), pay.scaled.value[pay.place, k])
    assert activity.change(np.array([1.0])) == pytest.approx(100 * np.log(2))  # odds that double
    level = np.array([0.5, 40.0, 99.0])
    assert activity.level(activity.figure_of(level)) == pytest.approx(level)
    assert np.isfinite(activity.figure_of(np.array([-3.0, 0.0, 100.0, 120.0]))).all()
    assert replace(activity, past=replace(activity.past, scale=Scale("linear"))).level(level).tolist() == level.tolist()


def test_a_figure_that_goes_on_along_its_trend_is_forecast_exactly_by_it(take):
    """The same households are asked again, with the same error: nothing but the trend comes between the figures."""
    _, unemployment, pay = country()
    take(since(2018, unemployment), since(2018, pay))
    found = list(indicator_forecasts((1, 3), 30, 1))
    assert {one.rule for one in found} == set(RULES)
    for one in found:
        assert one.horizon in (1, 3) and one.origin + one.horizon <= YEARS[-1]
        if one.rule in ("trend", "trend_widened"):
            assert one.draws == pytest.approx(np.broadcast_to(one.came, one.draws.shape))
        elif one.rule in ("held", "last_figure"):
            assert one.draws == pytest.approx(np.broadcast_to(one.before, one.draws.shape))
    assert {(one.quantity, one.direction) for one in found} == {(UNEMPLOYMENT, -1), (MEDIAN_PAY, 1)}
    spans = [(one.origin, one.horizon) for one in found if (one.quantity, one.rule) == (MEDIAN_PAY, "trend")]
    assert spans == [(2018, 1), (2018, 3), (2019, 1), (2019, 3), (2020, 1)]


def test_the_line_is_that_of_least_squares_through_the_last_five_levels(take):
    activity = country()[0]
    take(activity)
    line = next(
        one
        for one in indicator_forecasts((2,), 5, 1)
        if (one.quantity, one.rule, one.origin) == (ACTIVITY, "line", 2016)
    )
    levels = np.array([activity.published(year) for year in range(2012, 2017)])
    slope = np.polyfit(np.arange(5), levels, 1)[0]
    assert line.draws[0] == pytest.approx(levels[-1] + 2 * slope)


def test_an_area_without_a_figure_is_left_out_and_a_line_is_drawn_through_what_there_is(take):
    activity = country()[0]
    gaps = activity.series.value.copy()
    gaps[0, YEARS.index(2014)] = np.nan  # a year of its line
    gaps[1, YEARS.index(2016)] = np.nan  # the year forecast from
    gaps[2, YEARS.index(2017)] = np.nan  # the year judged
    scaled = np.where(np.isnan(gaps), np.nan, activity.scaled.value)
    take(replace(activity, series=replace(activity.series, value=gaps), scaled=replace(activity.scaled, value=scaled)))
    one = next(
        each for each in indicator_forecasts((1,), 5, 1) if (each.rule, each.origin, each.horizon) == ("line", 2016, 1)
    )
    assert len(one.came) == N - 2 and np.isfinite(one.draws).all()
    (first,) = np.flatnonzero(np.asarray(layout().areas.unit) == activity.series.unit[0])
    place = np.flatnonzero(~np.isin(activity.place, [1, 2])).tolist().index(first)
    time, level = np.array([2012.0, 2013, 2015, 2016]), activity.series.value[0, [4, 5, 7, 8]]
    assert one.draws[0, place] == pytest.approx(level[-1] + np.polyfit(time, level, 1)[0])


def test_another_sample_scatters_by_its_own_error_and_by_what_is_not_known_of_the_level(take):
    pay = country(0 * SLOPE, memory=0.0, error=3.0)[2]
    origin = origin_of(pay, 2016)
    then = then_of(pay, origin, 4000, 1)
    later = 100 * np.log(then.later(np.zeros((1, 1)), 1) / 100)
    assert later.mean(axis=0) == pytest.approx(then.level, abs=0.35)
    assert later.var(axis=0).mean() == pytest.approx(np.mean(then.level_variance) + 9, rel=0.02)
    assert (then.level_variance < 9).all() and (then.level_variance > 4).all()


def test_before_the_first_trend_there_is_none(take):
    take(*country())
    assert origin_of(country()[0], 2015) is None
    with pytest.raises(ModelError, match="No indicator has yearly figures of three years up to 2015"):
        trend_until(2015, 10, 1)


def test_a_trend_starts_from_the_figures_of_its_year_and_names_who_has_none(take):
    activity, unemployment, _ = country()
    late = since(2018, unemployment)
    take(activity, late)
    found = trend_until(2017, 10, 1)
    assert found.without == (UNEMPLOYMENT,) and found.edition.period == "2017"
    assert found.edition.values[:, 0] == pytest.approx(activity.published(2017))
    assert np.isnan(found.edition.values[:, 1]).all()
    assert trend_until(2018, 10, 1).without == ()


def test_the_indicators_judged_are_those_with_a_series_on_the_scale_of_their_trend(monkeypatch):
    shown = {one.past.variable: one.past for one in country()[:1]}
    monkeypatch.setattr(backtest_origins, "panel_errors", lambda _: tuple(shown.values()))
    (found,) = backtest_origins.indicators.__wrapped__()
    assert (found.id, found.series.variable, found.unit) == (ACTIVITY, "economic_activity_rate_16_64", "percent")
    rate = found.series.value[:, 5]
    assert found.scaled.value[:, 5] == pytest.approx(100 * np.log(rate / (100 - rate)), nan_ok=True)
    assert [found.series.unit[k] for k in found.place] == list(layout().areas.unit)


# The total


def totals(year: int) -> dict[str, float]:
    edition = open_edition(year)
    return dict(zip(edition.areas.code, edition.total.tolist(), strict=True))


def test_totals_are_those_of_the_areas_of_both_editions_and_a_flat_trend_is_no_trend(take):
    take(*country(0 * SLOPE)[1:])
    found = {(one.rule, one.origin, one.horizon): one for one in total_forecasts((2, 4), 20, 3)}
    spans = [(2017, 2), (2017, 4), (2018, 2), (2019, 2)]  # none ends with an edition from 2020
    assert sorted({(origin, horizon) for _, origin, horizon in found}) == spans
    for origin, horizon in ((2019, 2), (2017, 4)):
        first, last = totals(origin), totals(origin + horizon)
        both = [code for code in first if code in last]
        held = found["held", origin, horizon]
        assert held.before == pytest.approx([first[code] for code in both])
        assert held.came == pytest.approx([last[code] for code in both])
        for rule in ("trend", "trend_widened"):
            assert found[rule, origin, horizon].draws == pytest.approx(held.draws)
        assert np.array_equal(found["last_figure", origin, horizon].draws[0], held.before)
    assert ("line", 2018, 2) not in found  # two editions are no line
    several = [totals(year) for year in (2017, 2018, 2019)]
    line, code = found["line", 2019, 2], "E06000010"
    value = [each[code] for each in several]
    slope = np.polyfit([2017, 2018, 2019], value, 1)[0]
    place = [each for each in several[-1] if each in totals(2021)].index(code)
    assert line.draws[0, place] == pytest.approx(value[-1] + 2 * slope)


def test_errors_of_later_totals_are_those_of_new_households_where_levels_are_known(take):
    """With the published figures true, what is left is the share of the later error that is not the earlier one's."""
    take(*country(0 * SLOPE))
    edition, later = open_edition(2018), open_edition(2019)
    both = [code for code in edition.areas.code if code in later.areas.code]
    mine, theirs = (
        np.array([each.areas.code.index(code) for code in both], dtype=np.int64) for each in (edition, later)
    )
    noise = backtest_total._later_noise(edition, later, mine, theirs, edition.values[mine], 4000, 5)
    error = sampling_error(later).std_error[theirs]
    kept = backtest_total.wave_correlation(2, backtest_total.RHO)[0, 1]
    assert 0 < kept < 1
    share = (noise.std(axis=0) / error)[:, :4]
    assert share.mean() == pytest.approx(np.sqrt(1 - kept**2), rel=0.005)
    assert share.std() < 0.02
    assert np.abs(noise.mean(axis=0) / error).max() < 0.08
    pay = edition.spec.indicator_ids.index(MEDIAN_PAY)
    stays = backtest_total._pay_kept(edition, later, mine, theirs, pay)
    swing = 2.0 / 100 * edition.values[mine, pay]  # of the made-up pay, in per cent of the level
    middle = np.sqrt(sampling_error(edition).std_error[mine, pay] * error[:, pay])
    assert stays == pytest.approx(np.clip(1 - (swing / middle) ** 2, 0, 0.999))
    assert 0 < stays.mean() < 0.999


# Shocks


def shocked() -> Indicator:
    """Unemployment near 5% that rises by 1, 2 and 3 points from 2009 and falls so from 2020, most in the last units."""
    base = country(0 * SLOPE, error=1e-4)[1]
    apart = np.linspace(-0.5, 0.5, N)[:, None]
    level = np.repeat(5 + keyed_rng(2, "made-up").standard_normal((N, 1)) / 2, len(YEARS), axis=1)
    for first, way in ((2009, 1), (2020, -1)):
        k = YEARS.index(first)
        level[:, k : k + 3] += way * (np.array([1.0, 2.0, 3.0]) + apart)
    series = replace(base.series, value=level)
    return replace(base, series=series, scaled=replace(base.scaled, value=base.figure_of(level)))


def test_a_shock_that_is_the_other_turned_round_has_its_path_and_departures_turned_round(take):
    take(country()[0], shocked())
    rows = [row for row in shock_rows() if row["quantity"] == UNEMPLOYMENT]
    assert [row["year_of_shock"] for row in rows] == [1, 2, 3]
    assert [row["path_2009"] for row in rows] == pytest.approx([1, 2, 3])
    assert [row["path_2020"] for row in rows] == pytest.approx([-1, -2, -3])
    spread = np.linspace(-0.5, 0.5, N).std()
    for row in rows:
        assert row["departure_correlation"] == pytest.approx(-1)
        assert (row["spread_2009"], row["spread_2020"]) == pytest.approx((spread, spread), rel=0.02)


def test_areas_that_all_move_alike_have_no_departures_to_compare(take):
    flat = shocked()
    same = np.repeat(flat.series.value.mean(axis=0)[None], N, axis=0)
    take(replace(flat, series=replace(flat.series, value=same, error=0 * same)))
    assert {row["departure_correlation"] for row in shock_rows()} == {None}


def test_2020_is_forecast_as_the_figures_of_2019_and_what_2009_did(take):
    one = shocked()
    take(one)
    shock = shock_profile(layout(), UNEMPLOYMENT, "2009")
    found = list(shock_forecasts(400, 2))
    assert [(each.rule, each.origin, each.horizon) for each in found] == [("shock_2009", 2019, h) for h in (1, 2, 3)]
    for t, each in enumerate(found):
        assert each.came == pytest.approx(one.published(2020 + t)) and each.direction == -1
        hit = one.published(2019) + shock.path[t] + shock.persistence[t] * shock.deviation
        slack = 4 * shock.persistence[t] * shock.deviation_sd / 20 + 0.01
        assert (np.abs(each.draws.mean(axis=0) - hit) < slack).all()
    take(since(2021, one))
    assert list(shock_forecasts(10, 2)) == []


# All together


def test_a_back_test_pools_every_forecast_and_its_headline_is_that_of_its_rows(take, monkeypatch):
    ones = np.ones(20)
    later = Later("life", "years", 2013, 3, 0 * ones, ones, 0.1 * ones, 0.1, np.linspace(0, 1, 20), 0 * ones)
    slopes = {"none": np.zeros(9), "within": np.ones(9), "between": np.full(9, 50.0)}
    monkeypatch.setattr(backtests, "health_forecasts", lambda seed: iter([(later, slopes)]))
    monkeypatch.setattr(backtests, "HORIZONS", (1, 4))
    take(since(2019, shocked()), since(2017, country()[2]))
    found = backtest(n_draws=12, seed=4)
    rows = {(row["quantity"], row["rule"], row["horizon"]): row for row in found.horizons}
    assert {key[0] for key in rows} == {UNEMPLOYMENT, MEDIAN_PAY, "total"}
    assert rows[MEDIAN_PAY, "trend", 4]["mae"] == pytest.approx(0, abs=1e-9)
    assert (rows[MEDIAN_PAY, "trend", 4]["origins"], rows[MEDIAN_PAY, "trend", 4]["n"]) == (2, 2 * N)
    assert {row["rule"] for row in found.ranks} == {"trend", "trend_widened", "held"}
    assert {row["horizon"] for row in found.worst} == {1}
    assert [row["outcome"] for row in found.health_slopes] == ["life"]
    assert {row["rule"] for row in found.health} == {"none", "within", "between"}
    told = {(row["rule"], row["horizon"]) for row in found.shocks}
    assert {(rule, 1) for rule in (*RULES, "shock_2009")} <= told and ("trend", 4) not in told
    assert len(found.shock_paths) == 3
    assert found.factors[-1]["part"] == "mean of the areas"
    short = headline(found)
    assert short["origins"] == [2017, 2020]
    assert short["forecasts"] == sum(row["n"] for row in found.horizons if row["rule"] == "held")
    assert short["links"] == {"within_holds": 0, "between_holds": 0, "trials": 1}
    scores = {(row["quantity"], row["rule"]): row for row in short["scores"]}
    near = [rows[MEDIAN_PAY, "held", h] for h in (1, 4)]
    by_hand = np.average([row["mae"] for row in near], weights=[row["origins"] for row in near])
    assert scores[MEDIAN_PAY, "held"]["mae"] == pytest.approx(by_hand)
    assert scores["indicators", "held"]["mae"] is None and scores["indicators", "held"]["coverage_90"] is not None
    with pytest.raises(TypeError, match="a whole number is wanted, got '3'"):
        headline(replace(found, origins=[{"origin": "3"}]))


def test_links_are_fitted_to_no_year_after_their_origin_and_judged_on_windows_apart(monkeypatch):
    seen: list[tuple[int, ...]] = []

    def panel_of(edition: Any, panel: Any) -> Any:
        seen.append(panel.year)
        return panel

    drawn = SimpleNamespace(of=lambda link: np.full(7, {"within": 1.0, "between": 2.0}[link]))
    monkeypatch.setattr(backtest_health, "panel_data", panel_of)
    monkeypatch.setattr(backtest_health, "sample_outcome", lambda *asked: drawn)
    found = list(health_forecasts(1))
    assert [years[-1] for years in seen] == [2013, 2016, 2013, 2016]
    assert [(later.origin, later.horizon) for later, _ in found] == 2 * [(2013, 3), (2013, 6), (2016, 3)]
    assert [later.outcome[24:] for later, _ in found] == 3 * ["male"] + 3 * ["female"]
    for _, slopes in found:
        assert {link: slope.tolist() for link, slope in slopes.items()} == {
            "none": [0.0] * 7,
            "within": [1.0] * 7,
            "between": [2.0] * 7,
        }
