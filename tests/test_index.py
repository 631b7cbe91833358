"""Scoring, points per unit and sampling error, on the shipped edition and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.data.index_spec import read_index
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import effective_respondents, sampling_error
from gwm_models.index.scoring import (
    access_scores,
    descending_rank,
    exact_points_per_unit,
    indicator_score,
    min_max_score,
    score_index,
)

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=20).filter(lambda x: max(x) - min(x) > 1e-3)


@pytest.fixture(scope="module")
def edition():
    return load_edition("monitor-2021")


def test_published_facts_of_the_edition(edition):
    assert len(edition.areas) == 118
    assert edition.total.mean() == pytest.approx(307.456, abs=5e-4)
    assert edition.total.std() == pytest.approx(86.435, abs=5e-4)
    assert edition.areas.name[0] == "Wokingham" and edition.total[0] == 502.0
    assert edition.areas.name[-1] == "Stoke-on-Trent" and edition.total[-1] == 123.4
    assert np.abs(edition.domain_scores.sum(axis=1) - edition.total).max() <= 0.1 + 1e-9


def test_arrays_of_an_edition_cannot_be_changed(edition):
    for array in (edition.total, edition.values, edition.domain_scores, edition.areas.population):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_access_domain_from_rates_matches_every_published_score_to_the_printed_decimal(edition):
    difference = np.abs(access_scores(edition) - edition.domain_scores[:, 0])
    assert difference.max() <= 0.05 + 1e-9


def test_access_matches_where_rates_were_published_independently(edition):
    table = read_table("access_domain_reproduction")
    independent = np.char.startswith(table["basis_1dp"].astype(str), "published")
    assert independent.sum() == 46
    order = [edition.areas.code.index(code) for code in table["area_code"][independent]]
    assert np.abs(access_scores(edition) - edition.domain_scores[:, 0])[order].max() <= 0.05 + 1e-9


def test_bournemouth_and_poole_share_a_unit_and_its_rates(edition):
    first, second = (edition.areas.name.index(name) for name in ("Bournemouth", "Poole"))
    assert edition.areas.unit[first] == edition.areas.unit[second]
    assert np.array_equal(edition.values[first, :2], edition.values[second, :2])
    unit, weights = edition.areas.units()
    assert len(unit) == 117
    assert weights.sum(axis=1) == pytest.approx(np.ones(117))
    merged = weights[unit.index(edition.areas.unit[first])] @ edition.total
    population = edition.areas.population[[first, second]]
    assert merged == pytest.approx(edition.total[[first, second]] @ population / population.sum())


def test_exact_points_per_unit_follow_from_the_bounds():
    points = exact_points_per_unit(read_index())
    assert points == {
        "economic_activity_rate": pytest.approx(99 / 19.3),
        "unemployment_rate": pytest.approx(-99 / 8.1),
    }


def test_calibrated_points_agree_with_the_range_of_the_open_figures_within_two_standard_errors(edition):
    points = points_per_unit(edition)
    assert list(points.status).count("calibrated") == 3
    for j, status in enumerate(points.status):
        if status == "calibrated":
            assert abs(points.estimate[j] - points.range_based[j]) < 2 * points.std_error[j]
            assert points.n[j] == 117
        else:
            assert points.std_error[j] == 0


def test_calibration_equals_least_squares_written_out(edition):
    _, weights = edition.areas.units()
    columns = [edition.spec.indicator_ids.index(name) for name in ("professional_share", "routine_share")]
    x = np.column_stack([np.ones(117), weights @ edition.values[:, columns]])
    y = weights @ edition.domain_scores[:, 1]
    bread = np.linalg.inv(x.T @ x)
    slope = bread @ x.T @ y
    leverage = np.einsum("ij,jk,ik->i", x, bread, x)
    meat = (x * ((y - x @ slope) / (1 - leverage))[:, None] ** 2).T @ x
    points = points_per_unit(edition)
    assert points.estimate[columns] == pytest.approx(slope[1:], abs=1e-8)
    assert points.cov[np.ix_(columns, columns)] == pytest.approx((bread @ meat @ bread)[1:, 1:], abs=1e-8)


def test_sampling_error_of_a_rate_is_the_width_of_its_published_limits(edition):
    error = sampling_error(edition)
    area = edition.areas.code.index("E06000021")
    rows = read_table(
        "indicators",
        where={"variable": "unemployment_rate_16_64", "period": "2018-01/2018-12", "unit_code": "E06000021"},
    )
    expected = (rows["upper_95"][0] - rows["lower_95"][0]) / 3.92
    assert error.std_error[area, 1] == pytest.approx(expected)
    access = (99 / 19.3 * error.std_error[area, 0]) ** 2 + (99 / 8.1 * error.std_error[area, 1]) ** 2
    assert error.domain_cov[area, 0, 0] == pytest.approx(access)


def test_sampling_error_is_about_what_the_published_half_widths_say(edition):
    where = {"variable": "unemployment_rate_16_64", "period": "2018-01/2018-12"}
    rows = read_table("indicators", where=where)
    with_limits = set(rows["unit_code"][np.isfinite(rows["lower_95"])])
    keep = [unit in with_limits for unit in edition.areas.unit]
    half_widths = 1.96 * np.median(np.sqrt(sampling_error(edition).cov_points[keep][:, [0, 1], [0, 1]]), axis=0)
    assert half_widths == pytest.approx([14, 20], abs=0.6)


def test_sampling_covariances_are_symmetric_and_positive_definite(edition):
    cov = sampling_error(edition).cov_points
    assert cov == pytest.approx(cov.transpose(0, 2, 1), rel=1e-12)
    assert np.linalg.eigvalsh(cov).min() > 0


def test_a_binomial_share_has_the_error_of_its_effective_sample(edition):
    respondents = effective_respondents(edition)
    assert 250 < respondents.min() < respondents.max() < 2000
    error = sampling_error(edition)
    j = edition.spec.indicator_ids.index("professional_share")
    employed = edition.values[:, j] * (100 - edition.values[:, j]) / error.std_error[:, j] ** 2
    assert (employed / respondents).min() > 0.5 and (employed / respondents).max() < 0.9


@given(VALUES, st.floats(0.1, 50), st.floats(-100, 100))
def test_scores_do_not_depend_on_the_unit(values, scale, shift):
    x = np.array(values)
    y = scale * x + shift
    assert min_max_score(x, x.min(), x.max()) == pytest.approx(min_max_score(y, y.min(), y.max()), abs=1e-6)


@given(VALUES)
def test_reversing_the_direction_mirrors_the_scores(values):
    x = np.array(values)
    up, down = (min_max_score(x, x.min(), x.max(), direction=d) for d in (1, -1))
    assert up + down == pytest.approx(np.full(len(x), 101))
    assert up.min() == pytest.approx(1) and up.max() == pytest.approx(100)


def test_a_constant_indicator_cannot_be_scored():
    with pytest.raises(DataError, match="lower bound must lie below"):
        min_max_score([1, 1], 1, 1)
    with pytest.raises(DataError, match="lower bound must lie below"):
        min_max_score([1, 1], [0, 1], [2, 1])


def test_levels_of_any_type_of_number_are_scored_and_ranked_and_none_is_missing():
    """From 20 to 40, a level of 10 scores 1 - 99 / 2: with unsigned whole numbers 10 - 20 would be 246."""
    low, high = np.uint8(20), np.uint8(40)
    assert min_max_score(np.array([10, 30], dtype=np.uint8), low, high).tolist() == [-48.5, 50.5]
    assert np.isnan(min_max_score([30, None], 20, 40)).tolist() == [False, True]
    assert descending_rank([50, None, 70]).tolist() == [2, 0, 1]


def test_an_index_on_another_scale_is_scored_on_it():
    """From 67.1 to 86.4 on a scale from 0 to 10: 9.65 above the lower bound is half of the way."""
    spec = replace(read_index(), scale=(0, 10))
    name = "economic_activity_rate"
    assert indicator_score(spec, name, [67.1, 76.75]).tolist() == pytest.approx([0, 5])
    levels = np.full((2, 6), np.nan)
    levels[:, 0] = [86.4, 76.75]
    assert score_index(spec, levels).indicator[:, 0].tolist() == pytest.approx([10, 5])
    assert exact_points_per_unit(spec)[name] == pytest.approx(10 / 19.3)


def test_an_unknown_edition_is_refused_by_name():
    with pytest.raises(DataError, match=r"Unknown edition 'monitor-2020'; expected one of monitor-2021"):
        load_edition("monitor-2020")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("direction: 1\n", "direction: 2\n", "direction must be 1 or -1; found 2"),
        ("domain: status", "domain: statu", "unknown domain 'statu'; expected one of access, status, pay"),
        ("low: 67.1, high: 86.4", "low: 86.4, high: 86.4", "low 86.4 must be below high 86.4"),
        (", low: 1.4, high: 9.5", "", "reproduced bounds need both low and high"),
        ("id: unemployment_rate\n", "id: economic_activity_rate\n", "'economic_activity_rate' is defined twice"),
        ("bounds: {status: unknown}", "bounds: {status: guess}", "unknown bounds status 'guess'"),
    ],
)
def test_a_faulty_index_definition_is_refused(tmp_path, old, new, message):
    from gwm_models.data.home import data_home

    text = (data_home() / "index.yaml").read_text()
    assert old in text
    path = tmp_path / "index.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=message.replace("(", r"\(")):
        read_index(path)
