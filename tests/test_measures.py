"""Gap measures: by hand, the official example, and laws."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gwm_models.scenarios.measures import coefficient_of_variation, gap_of_tenths, slope_index, theil_between

SCORES = arrays(float, (3, 20), elements=st.floats(10, 600))


def test_slope_index_of_the_official_example(known):
    """Ten groups of the published example of the English method: SII 6.934616, RII 1.088818."""
    with (known / "slope_index_example.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    population, life = (np.array([float(row[name]) for row in rows]) for name in ("population", "life_expectancy"))
    slope, relative = slope_index(life[None], population, np.arange(10.0))
    assert slope[0] == pytest.approx(6.934616, abs=5e-7)
    assert relative[0] == pytest.approx(1.088818, abs=5e-7)


def test_slope_index_of_a_straight_line_is_its_slope_whatever_the_weights():
    population = np.array([1.0, 5.0, 2.0, 4.0])
    middle = (np.cumsum(population) - population / 2) / population.sum()
    slope, relative = slope_index((60 + 8 * middle)[None], population, np.array([1.0, 2.0, 3.0, 4.0]))
    assert slope[0] == pytest.approx(8)
    assert relative[0] == pytest.approx(68 / 60)


def test_slope_index_equals_weighted_least_squares():
    rng = np.random.default_rng(2)
    scores, population, order = rng.normal(100, 10, 12), rng.uniform(1, 9, 12), rng.permutation(12).astype(float)
    sequence = np.argsort(order)
    weight = population[sequence] / population.sum()
    x = np.column_stack([np.ones(12), np.cumsum(weight) - weight / 2])
    slope = np.linalg.solve(x.T @ (weight[:, None] * x), x.T @ (weight * scores[sequence]))
    assert slope_index(scores[None], population, order)[0][0] == pytest.approx(slope[1])


@given(SCORES, st.floats(-5, 5), st.floats(0.5, 3))
def test_gaps_scale_with_the_scores_and_ignore_a_shift(scores, shift, scale):
    moved = scale * scores + shift
    assert gap_of_tenths(moved) == pytest.approx(scale * gap_of_tenths(scores), abs=1e-6)
    population = np.arange(1.0, 21)
    order = np.arange(20.0)
    assert slope_index(moved, population, order)[0] == pytest.approx(
        scale * slope_index(scores, population, order)[0], abs=1e-6
    )
    assert coefficient_of_variation(scale * scores) == pytest.approx(coefficient_of_variation(scores), abs=1e-9)


def test_gap_of_tenths_takes_whole_areas():
    assert gap_of_tenths(np.array([[5.0, 1.0, 9.0]])).tolist() == [8.0]
    scores = np.arange(118.0)[None]
    assert gap_of_tenths(scores).tolist() == [106.0]


def test_theil_between_by_hand():
    scores, population, region = np.array([[1.0, 1.0, 3.0, 3.0]]), np.ones(4), np.array([0, 0, 1, 1])
    expected = 0.5 * (0.5 * np.log(0.5)) + 0.5 * (1.5 * np.log(1.5))
    assert theil_between(scores, population, region)[0] == pytest.approx(expected)


@given(SCORES)
def test_theil_between_is_never_negative_and_at_most_the_whole(scores):
    population = np.arange(1.0, 21)
    region = np.arange(20) % 4
    weight = population / population.sum()
    relative = scores / (scores @ weight)[:, None]
    whole = (weight * relative * np.log(relative)).sum(axis=1)
    between = theil_between(scores, population, region)
    assert (between >= -1e-12).all() and (between <= whole + 1e-12).all()


def test_ratios_that_have_no_meaning_are_missing_without_a_word():
    population, order = np.ones(4), np.arange(4.0)
    scores = np.array([[0.0, 0.0, 0.0, 0.0], [-5.0, -5.0, 9.0, 9.0], [1.0, 1.0, 3.0, 3.0]])
    slope, relative = slope_index(scores, population, order)
    assert np.isfinite(slope).all() and np.isnan(relative).tolist() == [True, True, False]
    assert np.isnan(coefficient_of_variation(scores - 3)).all()
    between = theil_between(scores, population, np.array([0, 0, 1, 1]))
    assert np.isnan(between).tolist() == [True, True, False]
