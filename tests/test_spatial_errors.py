"""Standard errors that allow for neighbours being alike: by hand, in their words, and by simulation."""

import numpy as np
import pytest

from gwm_models.data.edition import load_edition
from gwm_models.models.association.core import border_steps
from gwm_models.models.association.spatial_errors import spatial_numbers, spatial_std_error, with_neighbours
from gwm_models.models.cross_section import cross_section
from gwm_models.models.linear.core import least_squares
from gwm_models.models.outcomes import find_outcome

LINE = np.array([[0, 1], [1, 2], [2, 3]])


def test_four_units_on_a_line_by_hand():
    steps = border_steps(LINE, 4)
    # Squares 1 + 4 + 1 + 4; pairs one apart 2 + 2 + 2, two apart 1 + 4, three apart 2.
    influence = np.array([1.0, 2.0, 1.0, 2.0])
    assert spatial_std_error(influence, steps, reach=0) ** 2 == pytest.approx(10)
    assert spatial_std_error(influence, steps, reach=1) ** 2 == pytest.approx(10 + 2 * 6 / 2)
    assert spatial_std_error(influence, steps, reach=2) ** 2 == pytest.approx(10 + 2 * (6 * 2 / 3 + 5 / 3))
    assert spatial_std_error(influence, steps) ** 2 == pytest.approx(10 + 2 * (6 * 0.8 + 5 * 0.6 + 2 * 0.4))


def test_units_out_of_reach_count_as_independent():
    steps = border_steps(LINE[:1], 4)
    assert spatial_std_error(np.ones(4), steps) ** 2 == pytest.approx(4 + 2 * 0.8)


def test_neighbours_that_are_opposite_do_not_make_the_error_smaller():
    star = border_steps(np.array([[0, j] for j in range(1, 9)]), 9)
    influence = np.array([4.0, *[-1.0] * 8])
    # 24 less 2 x 8 x 4 x 1/2: the sum itself is below nought.
    assert influence @ np.clip(1 - star / 2, 0, 1) @ influence == pytest.approx(-8)
    assert spatial_std_error(influence, star, reach=1) ** 2 == pytest.approx(24)


def test_the_interval_is_that_of_students_t_and_absent_without_borders():
    numbers = spatial_numbers(2.0, np.ones(4), LINE[:1], 10.0)
    reach = 2.2281388519649385 * np.sqrt(5.6)
    assert [numbers["spatial_lower"], numbers["spatial_upper"]] == pytest.approx([2 - reach, 2 + reach], abs=1e-9)
    assert spatial_numbers(2.0, np.ones(4), np.empty((0, 2), dtype=int), 10.0) == {}


@pytest.mark.parametrize(
    ("moran", "p_value", "interval", "said"),
    [
        (
            0.31,
            0.001,
            "1 to 2 years",
            "No; neighbours are alike (Moran's I 0.31): counting that, the interval is 1 to 2 years.",
        ),
        (
            0.31,
            0.001,
            "",
            "No; neighbours are alike (Moran's I 0.31): the intervals do not count that, and are likely to be too "
            "narrow.",
        ),
        (0.31, 0.05, "1 to 2 years", "No."),
        (np.nan, np.nan, "", "No."),
    ],
)
def test_it_is_said_only_where_neighbours_are_clearly_alike(moran, p_value, interval, said):
    assert with_neighbours("No.", moran, p_value, interval) == said


@pytest.mark.slow
def test_intervals_hold_a_slope_more_often_than_those_for_independent_units():
    c = cross_section(load_edition(), find_outcome("life_expectancy_male"))
    n = len(c)
    joined = np.zeros((n, n))
    joined[c.borders[:, 0], c.borders[:, 1]] = joined[c.borders[:, 1], c.borders[:, 0]] = 1
    pull = np.linalg.inv(np.eye(n) - 0.6 * joined / np.maximum(joined.sum(axis=1, keepdims=True), 1))
    rng, n_samples = np.random.default_rng(20260101), 1500
    inside = {}
    for name, mixing in (("alike", pull), ("independent", np.eye(n))):
        held = np.zeros((n_samples, 2), dtype=bool)
        for k, (x, y) in enumerate(rng.normal(size=(n_samples, 2, n)) @ mixing.T):
            found = least_squares(y, np.column_stack([np.ones(n), x]))
            numbers = spatial_numbers(float(found.params[1]), found.influence[:, 1], c.borders, found.freedom)
            reach = 1.9809 * found.std_error[1]
            held[k] = abs(found.params[1]) < reach, numbers["spatial_lower"] < 0 < numbers["spatial_upper"]
        inside[name] = held.mean(axis=0)
    naive, spatial = inside["alike"]
    assert naive < 0.875
    assert 0.87 < spatial < 0.95
    assert spatial > naive + 0.02
    assert ((inside["independent"] > 0.93) & (inside["independent"] < 0.975)).all()
