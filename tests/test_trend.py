"""Damped trends of the yearly panel: the model on made-up series, and what it gives for the Monitor's areas."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.data.edition import Edition, load_edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.models.damped import COARSE, Damped, _ahead, fit_damped, forecast
from gwm_models.models.panel.noise import noise_cov, wave_correlation
from gwm_models.models.store import read_record, write_record
from gwm_models.models.trend import Trend, _order, draw_trend
from gwm_models.models.trend_fit import DIMS, KNOWN_DIMS, _fit_all, _unpack, fit_series, trends_record
from gwm_models.models.trend_observed import observed_since
from gwm_models.models.trend_scale import Scale
from gwm_models.models.yearly import PAY, Yearly, yearly_series

DRAWS, SEED = 1200, 7


@pytest.fixture(scope="module")
def edition() -> Edition:
    return load_edition()


@pytest.fixture(scope="module")
def trend(edition: Edition) -> Trend:
    return draw_trend(edition, DRAWS, SEED)


@pytest.fixture(scope="module")
def path(trend: Trend) -> np.ndarray:
    return path_of(trend, [0, 1, 5, 10])


def path_of(trend: Trend, years: list[int], rows: slice = slice(None)) -> np.ndarray:
    """Return changes of published levels, shape (n_years, n_draws, n_areas, n_indicators)."""
    levels = trend.edition.values.T
    later = [trend.grown(j, level, trend.growth(j, years, rows)) for j, level in enumerate(levels)]
    change = np.stack([np.broadcast_to(each, later[0].shape) for each in later], axis=-1) - trend.edition.values
    return np.nan_to_num(change)


def simulated(
    rng: np.random.Generator, n: int, years: int, scales: tuple[float, float, float, float, float], noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return true figures and those with noise, series by series, worked out year by year."""
    damping, slope, step, swing, memory = scales
    true = np.empty((n, years))
    for i in range(n):
        b, u, level = slope * rng.standard_normal(), swing * rng.standard_normal(), 10 * rng.standard_normal()
        for t in range(years):
            if t:
                b = damping * b + slope * np.sqrt(1 - damping**2) * rng.standard_normal()
                u = memory * u + swing * np.sqrt(1 - memory**2) * rng.standard_normal()
                level += b + step * rng.standard_normal()
            true[i, t] = level + u
    errors = np.array([rng.multivariate_normal(np.zeros(years), one) for one in noise])
    return true, true + errors


def test_a_straight_line_without_noise_goes_on_as_far_as_its_damping_lets_it():
    value = np.array([[0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0.0, -1, -2, -3, -4, -5, -6, -7, -8, -9]])
    fit = fit_damped(value, np.zeros((2, 10, 10)))
    assert (fit.weight @ fit.mean).round(2).tolist() == pytest.approx([1, -1], abs=0.05)
    reach = (fit.scales[:, 0] + fit.scales[:, 0] ** 2) * fit.weight
    assert fit.central(2)[0] == pytest.approx(float(reach @ fit.mean[:, 0]))
    assert fit.central(0).tolist() == [0, 0]


def test_the_likelihood_of_a_node_is_that_of_the_differences_of_a_series():
    rng = np.random.default_rng(3)
    value = np.cumsum(rng.standard_normal((3, 5)), axis=1)
    noise = np.broadcast_to(0.3 * np.eye(5), (3, 5, 5))
    fit = fit_damped(value, noise)
    usual = np.sqrt(np.mean(np.diff(value, axis=1) ** 2))
    away = np.diff(np.eye(5), axis=0)
    found = {}
    for damping, slope, step, swing, memory in fit.scales.tolist():
        covariance = 0.3 * np.eye(5) + 1e-8 * usual**2 * np.eye(5)
        for s, t in itertools.product(range(5), range(5)):
            pairs = itertools.product(range(1, s + 1), range(1, t + 1))
            covariance[s, t] += sum(slope**2 * damping ** abs(u - v) + step**2 * (u == v) for u, v in pairs)
            covariance[s, t] += swing**2 * memory ** abs(s - t)
        of_differences = away @ covariance @ away.T
        change = value @ away.T
        quadratic = np.einsum("nt,tu,nu->", change, np.linalg.inv(of_differences), change)
        found[damping, slope, step, swing, memory] = -0.5 * (3 * np.linalg.slogdet(of_differences)[1] + quadratic)
    expected = np.exp(np.array(list(found.values())) - max(found.values()))
    assert np.allclose(fit.weight, expected / expected.sum(), atol=1e-6)


def test_no_node_with_weight_is_left_out():
    rng = np.random.default_rng(5)
    value = np.cumsum(rng.standard_normal((1, 12)), axis=1)
    fit = fit_damped(value, np.zeros((1, 12, 12)))
    assert fit.weight.min() >= np.exp(-7.01) * fit.weight.max()
    sizes = [len(set(column)) for column in fit.scales.T.tolist()]
    assert all(size <= len(axis) for size, axis in zip(sizes, COARSE, strict=True))
    assert fit.weight.sum() == pytest.approx(1)


def test_a_forecast_spreads_as_its_scales_say():
    scales = np.array([[0.8, 0.5, 0.3, 0.4, 0.6]])
    fit = Damped(scales, np.ones(1), np.array([[0.2]]), np.array([[0.1]]))
    rng, n, years = np.random.default_rng(11), 400_000, 3
    drawn = forecast(fit, np.zeros(n), rng.standard_normal((1 + years, n, 1)), [0, 1, 3])[..., 0]
    assert (drawn[0] == 0).all()
    b = 0.2 + 0.1 * rng.standard_normal(n)
    u0 = 0.4 * rng.standard_normal(n)
    u, level = u0.copy(), np.zeros(n)
    for _ in range(years):
        b = 0.8 * b + 0.5 * 0.6 * rng.standard_normal(n)
        u = 0.6 * u + 0.4 * 0.8 * rng.standard_normal(n)
        level += b + 0.3 * rng.standard_normal(n)
    expected = level + u - u0
    assert drawn[2].mean() == pytest.approx(0.2 * (0.8 + 0.64 + 0.512), abs=0.01)
    assert drawn[2].std() == pytest.approx(expected.std(), rel=0.01)


@given(st.integers(0, 10**6), st.floats(0.1, 50), st.floats(-100, 100))
@settings(max_examples=5)
def test_another_unit_of_measurement_changes_no_trend(seed, factor, shift):
    rng = np.random.default_rng(seed)
    value = np.cumsum(rng.standard_normal((4, 6)), axis=1)
    noise = np.broadcast_to(0.2 * np.eye(6), (4, 6, 6))
    one, other = fit_damped(value, noise), fit_damped(factor * value + shift, factor**2 * noise)
    assert np.allclose(other.central(5), factor * one.central(5), atol=1e-6 * factor)


def test_a_jump_that_all_series_share_is_no_trend():
    value = np.array([[0.0, 0.1, -0.1, 0, 0.1, 5.0, 5.1, 4.9, 5, 5.1]])
    jump = np.array([0.0] * 5 + [1.0] * 5)
    kept, taken = (fit_damped(value, np.zeros((1, 10, 10)), each) for each in (None, jump))
    assert taken.summary()["step"] < 0.2 < kept.summary()["step"]


def test_a_missing_year_is_no_figure_at_all():
    rng = np.random.default_rng(8)
    value = np.cumsum(rng.standard_normal((6, 10)), axis=1)
    noise = np.broadcast_to(0.1 * np.eye(10), (6, 10, 10)).copy()
    value[2, 4] = np.nan
    fit = fit_damped(value, noise)
    noise[2, 4, 4] = 1e9
    again = fit_damped(value, noise)
    assert np.allclose(fit.central(3), again.central(3))
    assert np.isfinite(fit.central(3)).all()


def test_the_spread_of_a_forecast_does_not_depend_on_the_years_after_it():
    scales = np.array([[0.8, 0.5, 0.3, 0.4, 0.6], [0.9, 0.1, 0.0, 0.0, 0.0], [0.6, 0.0, 0.0, 0.0, 0.4]])
    fit = Damped(scales, np.ones(3) / 3, np.zeros((3, 1)), np.zeros((3, 1)))
    (short, few), (long, many) = _ahead(fit, (1, 2, 3, 4)), _ahead(fit, tuple(range(1, 10)))
    assert (few == many[:, :4, :4]).all()
    assert (short == long[:, :4]).all()
    year = np.arange(1, 10)
    steps = 0.09 * np.minimum.outer(year, year)
    swings = 0.16 * (0.6 ** np.abs(np.subtract.outer(year, year)) - 0.6**year - 0.6 ** year[:, None] + 1)
    slopes = np.zeros((9, 9))
    for s, t in itertools.product(range(1, 10), range(1, 10)):
        pairs = itertools.product(range(1, s + 1), range(1, t + 1))
        slopes[s - 1, t - 1] = 0.25 * sum(0.8 ** abs(u - v) - 0.8 ** (u + v) for u, v in pairs)
    assert np.allclose(many[0] @ many[0].T, steps + swings + slopes)
    assert (many[2] == 0).all()
    order = (7, 2, 9, 1)
    reach, mixed = _ahead(fit, order)
    place = np.array(order) - 1
    assert np.allclose(mixed[0] @ mixed[0].T, (steps + swings + slopes)[np.ix_(place, place)])
    assert np.allclose(reach, long[:, place])
    assert (mixed[:, :2, :2] == _ahead(fit, (7, 2))[1]).all()


def test_years_drawn_out_of_order_spread_and_go_together_as_in_order():
    scales = np.array([[0.8, 0.5, 0.3, 0.4, 0.6], [0.9, 0.1, 0.2, 0.0, 0.0]])
    fit = Damped(scales, np.array([0.3, 0.7]), np.array([[0.2], [0.1]]), np.array([[0.1], [0.3]]))
    rng, n = np.random.default_rng(12), 300_000
    normals, uniform = rng.standard_normal((5, n, 1)), rng.random(n)
    plain = forecast(fit, uniform, normals, [1, 4])[..., 0]
    mixed = forecast(fit, uniform, normals, [1, 4], (4, 2, 1, 3))[..., 0]
    assert mixed.mean(axis=1) == pytest.approx(plain.mean(axis=1), abs=0.01)
    assert np.cov(mixed) == pytest.approx(np.cov(plain), rel=0.02)


def test_round_years_are_drawn_first_and_no_more_years_than_are_needed():
    assert _order(2022, [13]) == (8, 13)
    assert _order(2022, [4, 0]) == (8, 13, 18, 23, 28, 1, 2, 3, 4)
    assert _order(2036, [2, 9]) == (4, 9, 14, 1, 2)
    assert _order(2022, [0]) == ()


def test_the_mean_of_units_is_that_of_units_compared_with_themselves():
    whole = np.arange(1.0, 5) + np.array([[0.0], [10], [20], [30]])
    gaps = whole.copy()
    gaps[2, 0] = gaps[3, 2] = np.nan
    fits = [fit_series(Yearly("made_up", tuple("abcd"), (2001, 2002, 2003, 2004), y, 0 * y)) for y in (whole, gaps)]
    (_, complete), (units, common) = fits
    assert complete is not None
    assert common is not None
    assert common.central(1)[0] > 0.3
    assert common.central(5) == pytest.approx(complete.central(5), abs=1e-6)
    assert np.abs(units.central(5)).max() < 1e-6


def test_no_years_ahead_is_no_change_at_all(path):
    assert (path[0] == 0).all()


def test_areas_of_one_unit_share_its_trend(edition, path):
    pair = [edition.areas.name.index(name) for name in ("Bournemouth", "Poole")]
    rates = path[..., :4]
    assert (rates[:, :, pair[0]] == rates[:, :, pair[1]]).all()


def test_an_indicator_without_figures_is_held_and_named(edition, trend, path):
    assert trend.without == ("satisfactory_hours",)
    assert (path[..., edition.spec.indicator_ids.index("satisfactory_hours")] == 0).all()
    assert any("Satisfactory hours" in note for note in trend.notes)


@pytest.mark.parametrize(
    ("start", "stop", "years"), [(0, 1, [5]), (499, 501, [0, 5]), (700, 1200, [3, 12, 5]), (20, 20, [5])]
)
def test_neither_the_block_of_draws_nor_the_years_asked_for_change_a_number(trend, path, start, stop, years):
    block = path_of(trend, years, slice(start, stop))
    assert (block[-1] == path[2, start:stop]).all()
    assert block.shape[1] == stop - start


def test_the_same_seed_gives_the_same_bytes_and_more_draws_the_same_first_ones(edition, trend, path):
    again = path_of(draw_trend(edition, DRAWS + 800, SEED), [10], slice(0, DRAWS))
    assert again.tobytes() == np.ascontiguousarray(path[3:]).tobytes()
    other = path_of(draw_trend(edition, DRAWS, SEED + 1), [10])
    assert not np.allclose(other, path[3:])


def test_draws_lie_around_the_expected_change(edition, trend, path):
    years = [1, 5, 10]
    for j in range(len(trend.parts)):
        drawn = np.log1p(trend.growth(j, years))
        off = np.abs(drawn.mean(axis=1) - np.log1p(trend.expected(j, years)))
        assert (off <= 4.5 * drawn.std(axis=1) / np.sqrt(DRAWS) + 1e-12).mean() > 0.99
        level = edition.values[:, j]
        middle = level + np.median(path[1:, :, :, j], axis=1)
        assert np.abs(middle - trend.grown(j, level, trend.expected(j, years))).mean() < 0.01 * level.mean()


def test_no_draw_of_a_rate_is_at_a_limit_and_none_of_pay_below_nothing(edition, trend):
    for j, indicator in enumerate(edition.spec.indicators[:5]):
        low, high = indicator.hard_limits
        level = trend.grown(j, edition.values[:, j], trend.growth(j, [10, 22]))
        assert low < level.min() and level.max() < high


@given(st.integers(0, 4), st.floats(0.1, 99.9), st.integers(0, 30))
@settings(max_examples=20, deadline=None)
def test_wherever_a_rate_starts_its_trend_keeps_it_inside_its_limits(place, start, years):
    trend = draw_trend(load_edition(), DRAWS, SEED)
    levels = trend.grown(place, np.full(1, start), trend.growth(place, [years], slice(0, 50))[0])
    assert levels.min() > 0
    assert levels.max() < 100 or trend.parts[place].scale.kind == "log"
    if years == 0:
        assert (levels == start).all()


def test_uncertainty_grows_with_the_horizon(path):
    spread = path[..., :5].std(axis=1).mean(axis=1)
    assert (spread[3] > spread[2]).all()
    assert (spread[2, :4] > spread[1, :4]).all()


def made_up_rate(first: int, value: list[list[float]], error: float = 0.0) -> Yearly:
    figures = np.array(value)
    years = tuple(range(first, first + figures.shape[1]))
    return Yearly("unemployment_rate_16_64", tuple("abcd"[: len(value)]), years, figures, np.full(figures.shape, error))


def test_without_noise_the_observed_change_is_the_one_of_the_figures():
    series = made_up_rate(2016, [[9, 9, 5, 6, 8], [9, 9, 1, 4, 8], [9, 9, 3, 5, np.nan]])
    known = observed_since(series, 2018)
    assert (known.year, known.last) == ((2019, 2020), 2020)
    assert known.central(0).tolist() == [0, 0, 0]
    assert known.central(1) == pytest.approx([1, 3, 2])
    assert known.central(2) == pytest.approx([3, 7, 5])
    assert known.central(9) == pytest.approx([3, 7, 5])
    assert [known.beyond(years) for years in (0, 2, 3, 8)] == [0, 0, 1, 6]
    normals = np.ones((2, 3))
    assert known.drawn(1, np.ones((2, 1)), normals) == pytest.approx(np.array([[1, 3, 2]] * 2))
    assert known.own_sd[1].tolist() == pytest.approx([0, 0, np.sqrt(8)])


def test_an_observed_change_that_noise_accounts_for_is_that_of_the_mean():
    known = observed_since(made_up_rate(2018, [[5, 6.1], [1, 1.9], [3, 4], [2, 3]], error=1.0), 2018)
    assert known.central(1) == pytest.approx([1, 1, 1, 1])
    assert known.own_sd.tolist() == [[0] * 4]
    noise = made_up_rate(2018, [[5, 6.1]] * 4, error=1.0).noise()[0]
    of_change = noise[0, 0] + noise[1, 1] - 2 * noise[0, 1]
    assert known.mean_sd[0] == pytest.approx(np.sqrt(of_change / 4))


def test_a_series_that_ends_before_the_edition_has_nothing_known_after_it():
    known = observed_since(made_up_rate(2012, [[5, 6, 7], [1, 2, 3]]), 2018)
    assert (known.year, known.central(4).tolist(), known.beyond(0), known.beyond(3)) == ((), [0, 0], 4, 7)


def test_a_trend_starts_from_the_last_figure_of_its_series_not_from_the_edition(edition, trend):
    j = edition.spec.indicator_ids.index("unemployment_rate")
    assert trend.parts[1].indicator == "unemployment_rate"
    series = yearly_series(edition, "unemployment_rate_16_64")
    change = series.between(2018, 2022).value
    part = trend.parts[1]
    log_odds = 100 * np.log(change / (100 - change))
    seen = np.nanmean(log_odds[:, -1] - log_odds[:, 0])
    central = 100 * np.log1p(trend.expected(j, [3, 4, 5]))
    by_unit = np.bincount(part.place, central[1]) / np.bincount(part.place)
    assert by_unit == pytest.approx(part.known.central(4))
    assert by_unit.mean() == pytest.approx(seen, abs=1)  # shrinkage moves noisy units more
    assert central[2] - central[1] == pytest.approx((part.units.central(1) + part.common.central(1))[part.place])
    drawn = np.log1p(trend.growth(j, [4, 5]))
    assert drawn[0].mean() == pytest.approx(central[1].mean() / 100, abs=0.01)
    assert drawn[1].std(axis=0).mean() > drawn[0].std(axis=0).mean()


def test_pay_moves_against_the_median_unit_and_so_not_on_the_whole(edition, trend):
    j = edition.spec.indicator_ids.index("median_pay")
    growth = trend.expected(j, [10])[0]
    assert abs(growth.mean()) < 0.01
    assert np.abs(growth).max() > 0


def test_open_editions_have_the_same_trends():
    trend = draw_trend(load_edition("open-2019"), 50, SEED)
    assert trend.without == ()
    assert path_of(trend, [3]).shape == (1, 50, 117, 5)


def test_an_edition_without_yearly_figures_has_no_trend(edition):
    from dataclasses import replace

    bare = tuple(replace(one, values={}, sampling={}) for one in edition.spec.indicators)
    own = replace(edition, name="own", spec=replace(edition.spec, indicators=bare))
    with pytest.raises(ModelError, match="counterfactual: held"):
        draw_trend(own, 10, 1)


def test_years_before_the_edition_are_refused(trend):
    with pytest.raises(ValueError, match="from 0 up"):
        trend.growth(0, [-1])
    with pytest.raises(ValueError, match="one after another"):
        trend.growth(0, [1], slice(0, 10, 2))


def test_noise_of_a_rate_is_published_and_of_a_share_binomial(edition):
    series = yearly_series(edition, "economic_activity_rate_16_64")
    assert np.isfinite(series.error[np.isfinite(series.value)]).all()
    share = yearly_series(edition, "nvq4plus_share_16_64")
    activity = series.between(2017, 2021)
    people = activity.value * (100 - activity.value) / activity.error**2
    binomial = np.sqrt(share.value * (100 - share.value) / people)
    assert np.isclose(share.error, binomial).all(axis=1).sum() == 115  # two units have no limits in some of these years


def test_pay_is_relative_and_its_changes_have_no_published_noise(edition):
    pay = yearly_series(edition, PAY)
    assert pay.relative
    assert pay.year[0] == 2008
    assert np.allclose(np.nanmedian(pay.value, axis=0), 0)
    assert (pay.noise() == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("scales", [(0.8, 0.15, 0.2, 0.8, 0.4), (0.9, 0.3, 0.0, 0.5, 0.0), (0.7, 0.0, 0.4, 0.0, 0.0)])
def test_forecast_intervals_hold_the_truth_as_often_as_they_say(scales):
    inside, asked = [], 0.9
    for run in range(8):
        rng = np.random.default_rng([2026, run])
        error = rng.uniform(0.7, 1.6, (100, 18))
        noise = noise_cov(error, wave_correlation(18, 0.35))
        true, seen = simulated(rng, 100, 18, scales, noise)
        fit = fit_damped(seen[:, :13], noise[:, :13, :13])
        drawn = forecast(fit, rng.random(2000), rng.standard_normal((6, 2000, 100)), [1, 5])
        low, high = np.quantile(drawn, [0.05, 0.95], axis=1)
        change = np.stack([true[:, 13] - true[:, 12], true[:, 17] - true[:, 12]])
        inside.append(((low <= change) & (change <= high)).mean(axis=1))
    assert np.mean(inside, axis=0).tolist() == pytest.approx([asked, asked], abs=0.04)


def held_out(edition: Edition, variable: str, scale: Scale, last: int, year: int) -> dict[str, float]:
    """Fit a series to `last` and judge its draws of the figures of `year`, survey noise in them, mean change given."""
    printed = yearly_series(edition, variable)
    series = scale.on(printed)
    units, _ = fit_series(scale.on(printed.between(2004, last)))
    base, then, ahead = series.year.index(last), series.year.index(year), year - last
    rng = keyed_rng(1, variable, str(last), str(year))
    drawn = forecast(units, rng.random(3000), rng.standard_normal((1 + ahead, 3000, 117)), [ahead])[0]
    both = series.noise()
    noise = both[:, then, then] + both[:, base, base] - 2 * both[:, base, then]
    drawn = drawn + np.sqrt(noise) * rng.standard_normal(drawn.shape)
    change = series.value[:, then] - series.value[:, base]
    own = change - np.nanmean(change)
    levels = scale.grown(printed.value[:, base], scale.growth(drawn + np.nanmean(change)))
    seen = np.isfinite(change)
    levels, truth = np.sort(levels[:, seen], axis=0), printed.value[seen, then]
    rank = (2 * np.arange(1, len(levels) + 1) - len(levels) - 1)[:, None]
    found = {"crps": float((np.abs(levels - truth).mean(axis=0) - (rank * levels).mean(axis=0) / len(levels)).mean())}
    for share in (0.5, 0.9):
        low, high = np.quantile(levels, [0.5 - share / 2, 0.5 + share / 2], axis=0)
        found[f"within {share}"] = float(((low <= truth) & (truth <= high)).mean())
    found["at a limit"] = float(((levels <= 0) | (levels >= 100)).mean())
    found["against held"] = float(np.nanstd(own - units.central(ahead)) / np.nanstd(own))
    return found


WINDOWS = ((2012, 2013), (2012, 2015), (2012, 2018), (2015, 2018), (2018, 2019), (2018, 2022))


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["economic_activity_rate_16_64", "unemployment_rate_16_64"])
def test_held_out_years_lie_within_intervals_on_log_odds_no_less_than_on_the_rate_itself(edition, variable):
    odds, plain = (
        [held_out(edition, variable, Scale(kind), *window) for window in WINDOWS] for kind in ("logit", "linear")
    )

    def mean(found: list[dict[str, float]], name: str) -> float:
        return float(np.mean([each[name] for each in found]))

    assert mean(odds, "within 0.9") == pytest.approx(0.9, abs=0.05)
    assert mean(odds, "within 0.5") == pytest.approx(0.5, abs=0.05)
    assert min(each["within 0.9"] for each in odds) > 0.8
    assert max(each["at a limit"] for each in odds) == 0
    assert mean(odds, "crps") < 1.005 * mean(plain, "crps")
    assert all(0.95 < each["against held"] < 1.1 for each in odds)
    if variable == "unemployment_rate_16_64":
        assert max(each["at a limit"] for each in plain) > 0.05
        assert mean(odds, "crps") < 0.85 * mean(plain, "crps")
        assert max(abs(each["within 0.5"] - 0.5) for each in odds) < 0.06
        assert min(each["within 0.5"] for each in plain) < 0.42


def test_stored_trends_come_back_bit_for_bit(edition, tmp_path):
    record = trends_record(edition)
    write_record(tmp_path / "trends.nc", "k", record)
    (parts, without), (again, still) = _fit_all(edition), _unpack(edition, read_record(tmp_path / "trends.nc", "k"))
    assert (without, [part.indicator for part in parts]) == (still, [part.indicator for part in again])
    for part, back in zip(parts, again, strict=True):
        assert (part.period, part.common is None) == (back.period, back.common is None)
        assert (part.scale, part.known.base, part.known.last) == (back.scale, back.known.base, back.known.last)
        assert part.known.year == back.known.year
        assert all(np.array_equal(getattr(part.known, name), getattr(back.known, name)) for name in KNOWN_DIMS)
        for fit, other in ((part.units, back.units), (part.common or part.units, back.common or back.units)):
            assert all(np.array_equal(getattr(fit, name), getattr(other, name)) for name in DIMS)
    assert (tmp_path / "trends.nc").stat().st_size < 1_000_000
    assert record.facts["models"]["median_pay"].keys() == {"units"}
