"""Yearly panels: figures against the files they are from, gaps, windows, and editions that have none."""

import csv
from dataclasses import replace

import made_up_country
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.data.user_editions import build_edition
from gwm_models.errors import ModelError
from gwm_models.models.outcomes import TOPICS, find_outcome
from gwm_models.models.panel.table import (
    EXPOSURES,
    PANEL_OUTCOMES,
    access_panel,
    find_exposure,
    has_panel,
    load_panel,
    relative_log,
    together,
    window_name,
)

HARTLEPOOL = "E06000001"


def cell(shipped, table, **where):
    with open(shipped.data / f"{table}.csv", encoding="utf-8") as file:
        (row,) = [row for row in csv.DictReader(file) if all(row[key] == text for key, text in where.items())]
    return float(row["value"]), (float(row["upper_95"]) - float(row["lower_95"])) / 3.92 if row["upper_95"] else np.nan


def rate(shipped, variable, year, unit=HARTLEPOOL):
    return cell(shipped, "indicators", unit_code=unit, variable=variable, period=f"{year}-01/{year}-12")


@pytest.fixture(scope="module")
def male():
    return load_panel(load_edition(), find_outcome("healthy_life_expectancy_male"))


def test_access_points_and_their_error_follow_from_the_published_rates(shipped):
    active, active_error = rate(shipped, "economic_activity_rate_16_64", 2013)
    jobless, jobless_error = rate(shipped, "unemployment_rate_16_64", 2013)
    panel = access_panel(load_edition(), (2012, 2013))
    i = panel.unit.index(HARTLEPOOL)
    assert panel.access[i, 1] == pytest.approx(2 + 99 * (active - 67.1) / 19.3 + 99 * (9.5 - jobless) / 8.1, abs=1e-9)
    error = np.hypot(99 / 19.3 * active_error, 99 / 8.1 * jobless_error)
    assert panel.std_error[i, 1] == pytest.approx(error, abs=1e-9)


def test_a_rate_without_limits_gives_points_without_an_error(shipped):
    panel = access_panel(load_edition(), tuple(range(2010, 2020)))
    assert np.isfinite(panel.access).all()
    assert 85 <= np.isfinite(panel.std_error).sum(axis=0).min() <= np.isfinite(panel.std_error).sum(axis=0).max() < 117
    i, t = np.argwhere(np.isnan(panel.std_error))[0]
    assert np.isnan(rate(shipped, "unemployment_rate_16_64", panel.year[t], panel.unit[i])[1])


def test_years_stand_against_the_windows_around_them(shipped, male):
    i, t = male.unit.index(HARTLEPOOL), male.year.index(2015)
    where = {"unit_code": HARTLEPOOL, "sex": "Male", "period": "2014-16"}
    value, error = cell(shipped, "outcomes", variable="healthy_life_expectancy_at_birth", **where)
    assert male.value[i, t] == value
    assert male.value_error[i, t] == pytest.approx(error)
    assert window_name(2008) == "2007-09"
    assert male.window == 3
    assert male.period() == "2009-11 to 2018-20 on 2010 to 2019"


def test_the_panel_of_healthy_life_expectancy_has_the_known_gaps(male):
    assert male.value.shape == (117, 10)
    assert np.isfinite(male.value).sum() == 1164
    short = {male.name[i] for i in np.flatnonzero(np.isnan(male.value).any(axis=1))}
    assert short == {"Bournemouth, Christchurch and Poole", "Dorset", "Northamptonshire"}
    assert "Northamptonshire (2018, 2019)" in male.gaps()
    assert len(male.gaps()) == 3


@pytest.mark.parametrize(
    ("name", "years", "window", "units", "lost"),
    [
        ("life_expectancy_female", (2009, 2017), 3, 117, ()),
        ("preventable_cvd_mortality", (2009, 2017), 3, 115, ("Cumbria", "Northamptonshire")),
        ("drug_poisoning_deaths", (2009, 2019), 1, 116, ("Northamptonshire",)),
    ],
)
def test_each_outcome_has_its_own_years_and_units_without_a_figure_are_said(name, years, window, units, lost):
    panel = load_panel(load_edition(), find_outcome(name))
    assert (panel.year[0], panel.year[-1], panel.window, len(panel)) == (*years, window, units)
    assert panel.excluded == tuple(f"{unit} (no figure in any year)" for unit in lost)
    assert len(set(panel.unit)) == len(panel.unit)


def test_an_exposure_can_be_taken_from_earlier_and_later_years(male):
    now, before, after = (male.at("access", shift) for shift in (0, -1, 1))
    assert np.array_equal(before[:, 1:], now[:, :-1])
    assert np.array_equal(after[:, :-1], now[:, 1:])
    assert np.isnan(after[:, -1]).all()
    assert np.isfinite(before[:, 0]).all()
    assert np.array_equal(male.at("access"), access_panel(load_edition(), male.year).access)


def test_exposure_over_the_window_is_the_mean_of_its_years_and_missing_beyond_the_survey(male):
    over = male.over_window("access")
    t = male.year.index(2014)
    plain = male.at("access")
    assert over[:, t] == pytest.approx(plain[:, t - 1 : t + 2].mean(axis=1))
    assert np.isnan(over[:, male.year.index(2019)]).all()
    deaths = load_panel(load_edition(), find_outcome("drug_poisoning_deaths"))
    assert np.array_equal(deaths.over_window("access"), deaths.at("access"))


def test_windows_apart_share_no_year(male):
    assert [male.year[t] for t in male.apart()] == [2010, 2013, 2016, 2019]
    deaths = load_panel(load_edition(), find_outcome("drug_poisoning_deaths"))
    assert len(deaths.apart()) == len(deaths.year)


def test_every_exposure_has_figures_and_its_errors_where_limits_are_published(male):
    for k, exposure in enumerate(EXPOSURES):
        assert np.isfinite(male.at(exposure.id)).mean() > 0.94, exposure.id
        assert (np.isfinite(male.exposure_error[k]) <= np.isfinite(male.exposure[k])).all()
        assert find_exposure(exposure.id) is exposure
    assert np.isnan(male.error_at("claimant_rate")).all()
    assert np.nanmean(male.error_at("median_pay")) == pytest.approx(4.4, abs=1)


@given(st.lists(st.floats(0.5, 2), min_size=4, max_size=4))
def test_pay_that_rises_everywhere_by_one_factor_does_not_move(factors):
    pay = np.random.default_rng(1).uniform(300, 700, (9, 4))
    assert relative_log(pay * np.array(factors)) == pytest.approx(relative_log(pay), abs=1e-9)


def test_relative_pay_is_in_log_per_cent_of_the_median_unit_and_thin_years_are_missing():
    pay = np.array([[400.0, np.nan], [500.0, np.nan], [600.0, 700.0]])
    found = relative_log(pay)
    assert found[:, 0] == pytest.approx([100 * np.log(0.8), 0, 100 * np.log(1.2)])
    assert np.isnan(found[:, 1]).all()


def test_open_editions_have_the_same_panel_on_their_own_bounds(male):
    other = load_panel(load_edition("open-2019"), male.outcome)
    assert set(other.unit) == set(male.unit)
    place = [other.unit.index(code) for code in male.unit]
    assert np.array_equal(other.value[place], male.value, equal_nan=True)
    activity = male.at("economic_activity_rate")
    jobless = male.at("unemployment_rate")
    points = 2 + 99 * (activity - 62.5) / (87.7 - 62.5) + 99 * (11.5 - jobless) / (11.5 - 1.07)
    assert other.at("access")[place] == pytest.approx(points, abs=1e-9)


def test_an_edition_of_another_country_is_refused_in_one_line(tmp_path, male):
    build_edition(made_up_country.country(tmp_path / "source"), tmp_path / "made")
    with pytest.raises(ModelError, match="has no indicator economic_activity_rate, unemployment_rate on known bounds"):
        load_panel(load_edition(str(tmp_path / "made")), male.outcome)
    areas = load_edition().areas
    elsewhere = replace(load_edition(), areas=replace(areas, unit=tuple(f"X{code}" for code in areas.unit)))
    with pytest.raises(
        ModelError, match="None of the 117 units of edition monitor-2021 has yearly survey rates"
    ) as error:
        access_panel(elsewhere, (2015,))
    assert "\n" not in str(error.value)


def test_units_counted_together_are_one_row_with_both_counts():
    deaths = load_panel(load_edition(), find_outcome("drug_poisoning_deaths"))
    pair = ("E06000058", "E06000059")
    one = together(deaths, pair)
    first, second = (deaths.unit.index(code) for code in pair)
    assert len(one) == len(deaths) - 1
    assert one.unit[-1] == "E06000058+E06000059"
    assert one.value[-1] == pytest.approx(deaths.value[first] + deaths.value[second])
    people = deaths.population[[first, second]]
    assert one.population[-1] == people.sum()
    both = deaths.at("access")[[first, second]]
    assert one.at("access")[-1] == pytest.approx(people @ both / people.sum())
    assert one.value.sum() == deaths.value.sum()
    assert together(one, pair) is one


def test_levels_cannot_be_counted_together(male):
    with pytest.raises(ModelError, match="is not a count"):
        together(male, ("E06000058", "E06000059"))


def test_an_outcome_of_one_year_has_no_panel():
    assert not has_panel(find_outcome("furlough_takeup"))
    assert not any(has_panel(topic) for topic in TOPICS)
    assert all(has_panel(find_outcome(name)) for name in PANEL_OUTCOMES)
    with pytest.raises(ModelError, match="not published year by year for long enough"):
        load_panel(load_edition(), find_outcome("furlough_takeup"))


def test_a_panel_cannot_be_written_to(male):
    with pytest.raises(ValueError, match="read-only"):
        male.value[0, 0] = 0
    assert repr(male) == "Panel(healthy_life_expectancy_male: 117 units, 2010-2019)"
