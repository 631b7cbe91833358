"""The scales of trends: back-transformation by hand, levels inside their limits, noise carried over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.models.trend_scale import Scale, scale_of
from gwm_models.models.yearly import Yearly

RATE = Scale("logit")


def rate_of(log_odds: float) -> float:
    return 100 / (1 + np.exp(-log_odds))


def made_up(value, error=0.0) -> Yearly:
    figures = np.array(value, dtype=float)
    unit, year = tuple("abcdefgh"[: len(figures)]), tuple(range(2001, 2001 + figures.shape[1]))
    return Yearly("unemployment_rate_16_64", unit, year, figures, np.where(np.isfinite(figures), error, np.nan))


def test_a_rate_is_taken_to_its_log_odds_and_back_by_hand():
    """4% is odds of 1 to 24; two thirds of them are 1 to 36, which is 100 / 37 = 2.7027%."""
    change = 100 * np.log(2 / 3)
    growth = RATE.growth(np.array([change, 0.0]))
    assert growth == pytest.approx([-1 / 3, 0])
    assert RATE.grown(np.array([4.0, 4.0]), growth) == pytest.approx([100 / 37, 4])
    series = RATE.on(made_up([[4, 100 / 37, 50]]))
    assert series.value[0] == pytest.approx([100 * np.log(1 / 24), 100 * np.log(1 / 36), 0])
    assert rate_of(series.value[0, 1] / 100) == pytest.approx(100 / 37)


def test_a_rate_between_other_limits_has_its_odds_between_them():
    """30 between 20 and 60 has odds of 1 to 3; doubled they are 2 to 3, two fifths of the way: 36."""
    scale = Scale("logit", 20, 60)
    assert scale.grown(np.array([30.0]), np.array([1.0])) == pytest.approx([36])
    assert scale.on(made_up([[30, 36, 40]])).value[0] == pytest.approx(
        [100 * np.log(odds) for odds in (1 / 3, 2 / 3, 1)]
    )


def test_pay_grows_by_a_share_of_itself_and_all_else_by_its_own_unit():
    """400 pounds that grow by 5 log points: 400 exp(0.05) = 420.508."""
    pay, other = Scale("log"), Scale("linear")
    assert pay.grown(np.array([400.0]), pay.growth(np.array([5.0]))) == pytest.approx([420.508], abs=1e-3)
    assert other.grown(np.array([400.0]), other.growth(np.array([5.0]))).tolist() == [405]
    series = made_up([[1, 2, 3]], 0.5)
    assert pay.on(series) is series and other.on(series) is series


@given(st.floats(0, 100), st.floats(-3000, 3000))
def test_no_change_of_log_odds_takes_a_rate_out_of_its_limits(level, change):
    after = RATE.grown(np.array([level]), RATE.growth(np.array([change])))[0]
    assert -1e-9 <= after <= 100 + 1e-9
    if 0.01 < level < 99.99 and abs(change) < 500:
        assert 0 < after < 100
        assert after == pytest.approx(rate_of(np.log(level / (100 - level)) + change / 100), rel=1e-9)


@given(st.floats(0.1, 99.9), st.floats(-300, 300), st.floats(-300, 300))
def test_growth_in_two_steps_is_growth_in_one(level, first, second):
    start = np.array([level])
    twice = RATE.grown(RATE.grown(start, RATE.growth(np.array([first]))), RATE.growth(np.array([second])))
    assert twice == pytest.approx(RATE.grown(start, RATE.growth(np.array([first + second]))), rel=1e-9)


@given(st.sampled_from(["logit", "log", "linear"]), st.floats(0, 100))
def test_a_level_without_a_change_stays_exactly_what_it_is(kind, level):
    scale, start = Scale(kind), np.array([level])
    assert scale.grown(start, scale.growth(np.zeros(1))).tolist() == [level]


@given(st.lists(st.floats(0, 100), min_size=2, max_size=6, unique=True), st.floats(-400, 400))
def test_the_same_growth_keeps_the_order_of_areas(levels, change):
    start = np.sort(levels)
    assert (np.diff(RATE.grown(start, RATE.growth(np.full(len(levels), change)))) >= -1e-9).all()


def test_a_rate_printed_as_none_at_all_is_half_a_digit():
    series = RATE.on(made_up([[0, 1, 100]], 0.5))
    assert series.value[0] == pytest.approx(
        [100 * np.log(0.05 / 99.95), 100 * np.log(1 / 99), 100 * np.log(99.95 / 0.05)]
    )
    assert np.isfinite(series.error).all()


def test_years_and_units_without_figures_stay_without_them():
    series = RATE.on(made_up([[5, np.nan, 6], [np.nan] * 3, [4, np.nan, 3]], 0.5))
    assert np.isfinite(series.value).tolist() == [[True, False, True], [False] * 3, [True, False, True]]
    assert (np.isfinite(series.error) == np.isfinite(series.value)).all()


def test_noise_on_log_odds_is_that_of_the_rate_over_the_slope_of_the_scale():
    """Where all figures are 10%, the slope is 10 x 90 / 100 = 9 points per unit of log odds."""
    series = RATE.on(made_up([[10, 10, 10]] * 3, 0.9))
    assert series.error == pytest.approx(np.full((3, 3), 100 * 0.9 / 9))


def test_noise_on_log_odds_hardly_depends_on_the_luck_of_a_figure():
    """Binomial figures of 400 people and a true rate of 5%: the error on log odds is 1 / sqrt(400 x 0.05 x 0.95)."""
    rng = np.random.default_rng(4)
    people, truth = 400, 0.05
    drawn = 100 * rng.binomial(people, truth, (8, 4000)) / people
    error = np.sqrt(drawn * (100 - drawn) / people)
    series = RATE.on(replace(made_up(drawn), error=error))
    true_error = 100 / np.sqrt(people * truth * (1 - truth))
    assert series.error.mean() == pytest.approx(true_error, rel=0.02)
    assert series.error.std() < 0.05 * true_error
    assert series.value.std() == pytest.approx(true_error, rel=0.05)


def test_rates_move_on_log_odds_pay_on_logs_and_what_has_no_limits_as_it_is():
    indicators = load_edition().spec.indicators
    assert [scale_of(one, relative=one.id == "median_pay").kind for one in indicators] == [
        *["logit"] * 4,
        "log",
        "linear",
    ]
    rate = indicators[1]
    assert scale_of(replace(rate, hard_limits=(2.0, 50.0)), relative=False) == Scale("logit", 2.0, 50.0)
    assert scale_of(replace(rate, hard_limits=(0.0, np.inf)), relative=False).kind == "linear"
    assert scale_of(replace(rate, unit="days"), relative=False).kind == "linear"
