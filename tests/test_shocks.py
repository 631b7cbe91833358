"""What 2009 and 2020 did to an indicator: paths by hand, departures with known noise, the Monitor's areas."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import ModelError
from gwm_models.models.shocks import changes_since, departures, shock_profile, spread_between, years_of_harm
from gwm_models.models.yearly import Yearly, yearly_series
from gwm_models.scenarios.shock import last_year, shock_course, shock_size


@pytest.fixture(scope="module")
def edition() -> Edition:
    return load_edition()


def test_changes_are_from_the_first_year_and_carry_its_noise():
    value = np.array([[1.0, 4, 6]])
    series = Yearly("economic_activity_rate_16_64", ("a",), (2008, 2009, 2010), value, np.array([[1.0, 2, 3]]))
    change, noise = changes_since(series)
    assert change.tolist() == [[3, 5]]
    both = series.noise()[0]
    assert noise[0, 0, 0] == pytest.approx(1 + 4 - 2 * both[0, 1])
    assert noise[0, 0, 1] == pytest.approx(both[1, 2] - both[0, 1] - both[0, 2] + 1)


def test_without_noise_a_departure_is_what_is_seen():
    change = np.array([[1.0, 2, 3, 1], [3, 4, 5, 1], [5, 6, 7, 1]])
    found = departures(change, np.zeros((3, 4, 4)))
    assert found.path.tolist() == [3, 4, 5, 1]
    assert found.deviation.tolist() == pytest.approx([-2, 0, 2])
    assert found.deviation_sd.tolist() == pytest.approx([0, 0, 0])
    assert found.persistence.tolist() == pytest.approx([1, 1, 1, 0])


def test_departures_that_noise_accounts_for_are_none():
    rng = np.random.default_rng(2)
    noise = np.broadcast_to(4 * np.eye(3), (60, 3, 3))
    found = departures(1.9 * rng.standard_normal((60, 3)), noise)
    assert found.deviation.tolist() == [0] * 60
    assert found.persistence.tolist() == [0, 0, 0]


def test_a_unit_without_a_figure_departs_by_nothing_known():
    change = np.array([[1.0, 2, 3], [3, 4, 5], [5, 6, 7], [np.nan, 4, 5]])
    found = departures(change, np.zeros((4, 3, 3)))
    assert found.deviation[3] == 0
    assert found.deviation_sd[3] == pytest.approx(2)


def test_equal_noise_leaves_the_variance_less_the_noise():
    value = np.array([1.0, 5, 2, 8, 4])
    assert spread_between(value, np.full(5, 2.0)) == pytest.approx(value.var(ddof=1) - 2)


@given(st.integers(0, 10**6), st.floats(0.01, 100))
@settings(max_examples=25)
def test_the_spread_between_units_keeps_its_unit(seed, factor):
    rng = np.random.default_rng(seed)
    value, variance = rng.standard_normal(20) * 2, rng.uniform(0.2, 2, 20)
    one = spread_between(value, variance)
    assert spread_between(factor * value, factor**2 * variance) == pytest.approx(factor**2 * one, rel=1e-6, abs=1e-9)


def test_the_path_of_2009_is_the_mean_change_since_2008(edition):
    shock = shock_profile(edition, "unemployment_rate", "2009")
    series = yearly_series(edition, "unemployment_rate_16_64")
    mean = series.value.mean(axis=0, where=np.isfinite(series.value))
    start = series.year.index(2008)
    assert shock.year == tuple(range(2009, 2015))
    assert np.allclose(shock.path, mean[start + 1 : start + 7] - mean[start])
    assert mean[start + 7] < mean[start] < mean[start + 6]
    assert shock.path[2] == shock.path.max() > 2


def test_departures_are_shrunk_and_shared_within_a_unit(edition):
    shock = shock_profile(edition, "economic_activity_rate", "2009")
    series = yearly_series(edition, "economic_activity_rate_16_64").between(2008, 2011)
    seen = (series.value[:, 1:] - series.value[:, :1]).mean(axis=1)
    place = np.unique(edition.areas.unit, return_inverse=True)[1]
    assert np.std(shock.deviation) < 0.8 * np.std(seen)
    assert np.corrcoef(shock.deviation, seen[place])[0, 1] > 0.95
    pair = [edition.areas.name.index(name) for name in ("Bournemouth", "Poole")]
    assert shock.deviation[pair[0]] == shock.deviation[pair[1]]
    drawn = shock.draw_deviation(50, 3)
    assert (drawn[:, pair[0]] == drawn[:, pair[1]]).all()
    assert drawn.tobytes() == shock.draw_deviation(50, 3).tobytes()


def test_an_area_follows_the_path_and_its_lasting_departure(edition):
    shock = shock_profile(edition, "unemployment_rate", "2009")
    by_area = shock.by_area()
    assert by_area.shape == (6, 118)
    assert np.allclose(by_area[3], shock.path[3] + shock.persistence[3] * shock.deviation)
    assert shock.persistence.min() >= 0
    assert shock.persistence.max() <= 1


@pytest.mark.parametrize(
    ("gain", "years"),
    [
        ([-0.1, -0.6, -0.3, 0.2, -0.9, 1.0], 5),
        ([-1.0, -2.0, -0.5], 3),
        ([0.2, -1.0, 0.0], 2),
        ([-2.0, -1.0, 0.3, -0.5], 2),
        ([0.3, 0.4], 1),
    ],
)
def test_a_shock_is_over_once_the_mean_is_back_after_its_worst_year(gain, years):
    assert years_of_harm(np.array(gain)) == years


def test_no_recession_brings_a_gain(edition):
    for name, sign in (("unemployment_rate", 1), ("economic_activity_rate", -1)):
        shock = shock_profile(edition, name, "2009")
        assert (sign * shock.path > 0).all()
        assert f"lasts {len(shock.year)} years" in shock.notes[0]
    assert shock.year == (2009, 2010, 2011)


def test_the_shock_of_2020_says_that_the_survey_changed(edition):
    shock = shock_profile(edition, "economic_activity_rate", "2020")
    assert shock.base == 2019
    assert shock.year[-1] == 2023
    assert any("method in 2020" in note for note in shock.notes)


@pytest.mark.parametrize(
    ("indicator", "profile", "words"),
    [
        ("satisfactory_hours", "2009", "has no yearly figures"),
        ("median_pay", "2009", "against the median unit only"),
        ("professional_share", "2009", "needs 2008 to 2011"),
        ("routine_share", "2020", "needs 2019 to 2022"),
    ],
)
def test_an_indicator_without_figures_of_the_shock_is_refused(edition, indicator, profile, words):
    with pytest.raises(ModelError, match=words):
        shock_profile(edition, indicator, profile)


def test_an_unknown_indicator_or_profile_is_refused(edition):
    with pytest.raises(ValueError, match="no indicator 'sunshine'"):
        shock_profile(edition, "sunshine", "2009")
    with pytest.raises(ValueError, match="profile must be one of 2009, 2020"):
        shock_profile(edition, "unemployment_rate", "1979")


@pytest.mark.slow
def test_shrunk_departures_hold_the_truth_as_often_as_they_say():
    inside = []
    for run in range(300):
        rng = np.random.default_rng([2009, run])
        true = 0.8 * rng.standard_normal(117)
        error = rng.uniform(0.6, 1.5, 117)
        noise = error[:, None, None] ** 2 * (0.5 + 0.5 * np.eye(3))
        seen = true[:, None] + np.array([rng.multivariate_normal(np.zeros(3), one) for one in noise]) + [1, 2, 3]
        found = departures(seen, noise)
        inside.append(np.mean(np.abs(found.deviation - (true - true.mean())) <= 1.645 * found.deviation_sd))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03)


# A shock as the change of an action


@pytest.fixture
def slump(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three years of a shock, of which the second is the worst."""
    made = SimpleNamespace(
        indicator="pay",
        profile="2009",
        path=np.array([-1.0, -4, -2]),
        path_sd=np.array([9.0, 0.5, 9]),
        persistence=np.array([1.0, 0.8, 0.5]),
        deviation=np.array([0.1, 0.2, 0.3]),
        draw_deviation=lambda n_draws, seed: np.tile([1.0, 2.0, 3.0], (n_draws, 1)),
    )
    monkeypatch.setattr("gwm_models.scenarios.shock.shock_profile", lambda edition, indicator, profile: made)


def repeats(start: int | None) -> SimpleNamespace:
    return SimpleNamespace(indicator="pay", change=SimpleNamespace(profile="2009"), start=start)


@pytest.mark.usefixtures("slump")
def test_a_shock_begins_with_its_first_year_and_is_over_after_its_last(edition: Edition) -> None:
    course = shock_course(repeats(2027), edition, range(2026, 2032))
    assert course.mean.tolist() == [0, 0.25, 1, 0.5, 0, 0]
    assert course.departures.tolist() == [0, 1, 0.8, 0.5, 0, 0]
    at_once = shock_course(repeats(None), edition, range(2026, 2032))
    assert at_once.mean.tolist() == [0.25, 1, 0.5, 0, 0, 0]
    before = shock_course(repeats(2025), edition, range(2026, 2028))
    assert before.mean.tolist() == [1, 0.5]
    assert [last_year(repeats(start), edition, 2026) for start in (2027, None)] == [2029, 2028]


@pytest.mark.usefixtures("slump")
def test_the_size_of_a_shock_is_that_of_its_worst_year_with_its_error(edition: Edition) -> None:
    places = np.array([2, 0])
    mean, departure = shock_size(repeats(None), edition, places, None, 1)
    assert mean.tolist() == [[-4.0]] and departure.tolist() == [[0.3, 0.1]]
    mean, departure = shock_size(repeats(None), edition, places, 4000, 1)
    assert mean.shape == (4000, 1) and departure.shape == (4000, 2) and departure[0].tolist() == [3, 1]
    assert mean.mean() == pytest.approx(-4, abs=0.04)
    assert mean.std() == pytest.approx(0.5, rel=0.06)
    again, _ = shock_size(repeats(None), edition, places, 4000, 1)
    other, _ = shock_size(repeats(None), edition, places, 4000, 2)
    assert np.array_equal(again, mean) and not np.array_equal(other, mean)
