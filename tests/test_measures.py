"""Gap measures: by hand, the official example, and laws."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gwm_models.scenarios.measures import (
    coefficient_of_variation,
    gap_of_tenths,
    gini,
    progressivity_and_reranking,
    ratio_of_fifths,
    slope_index,
    theil,
    theil_between,
    theil_within,
)

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


def test_gap_of_tenths_is_that_of_the_sorted_scores():
    scores = np.random.default_rng(9).normal(300, 80, (40, 118))
    ordered = np.sort(scores, axis=1)
    assert gap_of_tenths(scores) == pytest.approx(ordered[:, -12:].mean(axis=1) - ordered[:, :12].mean(axis=1))


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


def test_a_measure_that_divides_by_nothing_is_missing():
    """A worst fifth of 0, and scores that cancel: neither a ratio to the one nor to the mean of the other exists."""
    people = np.ones(5)
    assert np.isnan(ratio_of_fifths(np.array([[0.0, 1, 2, 3, 4]]), people))[0]
    level = np.array([[-2.0, -1, 0, 1, 2]])
    assert np.isnan(coefficient_of_variation(level))[0] and np.isnan(gini(level, people))[0]
    assert np.isnan(theil(np.array([[0.0, 1, 2, 3, 4]]), people))[0]
    # The line through 1 at a quarter and 3 at three quarters starts at 0.
    slope, relative = slope_index(np.array([[1.0, 3]]), np.ones(2), np.arange(2.0))
    assert slope[0] == 4 and np.isnan(relative[0])
    region = np.array([0, 0, 0, 1, 1])
    assert np.isnan(theil_between(np.array([[-1.0, 0, 1, 2, 3]]), people, region))[0]


def test_measures_of_two_draws_are_those_of_each_alone():
    scores, people, region = np.array([[1.0, 3, 5], [2, 2, 2]]), np.array([1.0, 2, 1]), np.array([0, 0, 1])
    assert coefficient_of_variation(scores) == pytest.approx([np.sqrt(8 / 3) / 3, 0])
    for measure in (gap_of_tenths, coefficient_of_variation):
        assert measure(scores) == pytest.approx([measure(one[None])[0] for one in scores])
    for measure in (gini, theil, ratio_of_fifths):
        assert measure(scores, people) == pytest.approx([measure(one[None], people)[0] for one in scores])
    for measure in (theil_between, theil_within):
        assert measure(scores, people, region) == pytest.approx([measure(o[None], people, region)[0] for o in scores])


def test_a_draw_without_a_measure_takes_none_from_the_others():
    assert np.isnan(theil(np.array([[1.0, 3], [0, 3], [2, 2]]), np.ones(2))).tolist() == [False, True, False]


def test_ratio_of_fifths_splits_the_area_across_the_edge():
    """Ten residents, fifths of two: worst (2 of the area with 3), best (1 at 9, and 1 of the 3 at 6)."""
    population = np.array([3.0, 1.0, 3.0, 3.0])
    scores = np.array([[2.0, 9.0, 6.0, 4.0]])
    assert ratio_of_fifths(scores, population)[0] == pytest.approx((9 + 6) / 2 / 2)
    assert np.isnan(ratio_of_fifths(scores - 3, population))[0]


@given(SCORES, st.floats(0.5, 3))
def test_ratio_of_fifths_is_at_least_one_and_ignores_the_scale(scores, scale):
    population = np.arange(1.0, 21)
    ratio = ratio_of_fifths(scores, population)
    assert (ratio >= 1 - 1e-12).all()
    assert ratio_of_fifths(scale * scores, population) == pytest.approx(ratio)


@given(SCORES)
def test_theil_within_and_between_add_up_to_the_whole(scores):
    population = np.arange(1.0, 21)
    region = np.arange(20) % 4
    parts = theil_within(scores, population, region) + theil_between(scores, population, region)
    assert parts == pytest.approx(theil(scores, population), abs=1e-12)


def test_theil_within_by_hand():
    """Two regions with means 2 and 2: all of it lies within, half of it in each."""
    scores, population, region = np.array([[1.0, 3.0, 2.0, 2.0]]), np.ones(4), np.array([0, 0, 1, 1])
    own = 0.5 * (0.5 * np.log(0.5) + 1.5 * np.log(1.5))
    assert theil_within(scores, population, region)[0] == pytest.approx(own / 2)
    assert np.isnan(theil_within(scores - 1, population, region))[0]


def test_the_gini_is_half_the_mean_difference_of_two_residents_over_the_mean():
    rng = np.random.default_rng(5)
    scores, population = rng.uniform(50, 500, 9), rng.integers(1, 6, 9).astype(float)
    people = np.repeat(scores, population.astype(int))
    apart = np.abs(people[:, None] - people[None, :]).mean()
    assert gini(scores[None], population)[0] == pytest.approx(apart / 2 / people.mean())


def test_progressivity_and_reranking_by_hand():
    """Three areas of one resident: 1, 2, 6 become 4, 2, 6, so the first overtakes the second.

    Gini before: 2 (1 x -1/3 + 6 x 1/3) / 9 = 10/27, after: 2 (2 x -1/3 + 6 x 1/3) / 12 = 2/9. In the old order the
    concentration is 2 (4 x -1/3 + 6 x 1/3) / 12 = 1/9.
    """
    before, after, people = np.array([[1.0, 2.0, 6.0]]), np.array([[4.0, 2.0, 6.0]]), np.ones(3)
    favours, overtakes = progressivity_and_reranking(before, after, people)
    assert gini(before, people)[0] == pytest.approx(10 / 27)
    assert favours[0] == pytest.approx(10 / 27 - 1 / 9)
    assert overtakes[0] == pytest.approx(2 / 9 - 1 / 9)


@given(SCORES, arrays(float, (3, 20), elements=st.floats(-9, 90)), arrays(float, 20, elements=st.floats(1, 50)))
def test_the_change_of_the_gini_is_reranking_minus_progressivity(before, change, population):
    after = before + change
    favours, overtakes = progressivity_and_reranking(before, after, population)
    moved = gini(after, population) - gini(before, population)
    assert overtakes - favours == pytest.approx(moved, abs=1e-12)
    assert (overtakes >= -1e-12).all()


def test_areas_that_were_level_overtake_no_one():
    """Two of three were level, none, and all: what they become is in the old order, whatever their places."""
    before = np.array([[5.0, 9, 9], [1, 2, 3], [4, 4, 4]])
    after = np.array([[5.0, 12, 10], [1, 2, 3], [3, 1, 2]])
    favours, overtakes = progressivity_and_reranking(before, after, np.ones(3))
    assert overtakes == pytest.approx(np.zeros(3), abs=1e-15)
    # Ginis of 2 (9 - 5) / 3 / 23 and 2 (12 - 5) / 3 / 27; nothing; 0 and 2 (3 - 1) / 3 / 6.
    assert favours == pytest.approx([8 / 69 - 14 / 81, 0, -2 / 9])


def test_relative_measures_do_not_depend_on_the_unit():
    scores, people, region = np.array([[10.0, 12, 15, 18]]), np.array([1.0, 2, 1, 2]), np.array([0, 0, 1, 1])
    for measure in (gini, theil, ratio_of_fifths):
        assert measure(0.01 * scores, people) == pytest.approx(measure(scores, people))
    for measure in (theil_between, theil_within):
        assert measure(0.01 * scores, people, region) == pytest.approx(measure(scores, people, region))
    assert coefficient_of_variation(0.01 * scores) == pytest.approx(coefficient_of_variation(scores))
    relative = [slope_index(unit * scores, people, np.arange(4.0))[1] for unit in (1, 0.01)]
    assert relative[1] == pytest.approx(relative[0])


def test_groups_as_favoured_as_each_other_keep_their_places():
    rng = np.random.default_rng(6)
    scores, people, order = rng.normal(100, 10, (1, 90)), np.ones(90), rng.integers(0, 5, 90).astype(float)
    placed = np.lexsort((np.arange(90), order))
    assert slope_index(scores, people, order) == slope_index(scores[:, placed], people, np.arange(90.0))


def test_a_change_that_keeps_the_order_is_all_progressivity_and_no_change_is_neither():
    scores, population = np.array([[5.0, 9.0, 9.0, 40.0]]), np.array([1.0, 2.0, 3.0, 4.0])
    for change in ([4.0, 2.0, 3.0, 0.0], [4.0, 3.0, 2.0, 0.0]):  # whoever of the two tied comes out ahead
        favours, overtakes = progressivity_and_reranking(scores, scores + np.array(change), population)
        assert favours[0] > 0
        assert overtakes[0] == pytest.approx(0, abs=1e-15)
    assert [float(part[0]) for part in progressivity_and_reranking(scores, scores, population)] == [0.0, 0.0]
