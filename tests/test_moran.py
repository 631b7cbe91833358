"""Moran's I against hand calculations, explicit matrices, another program, and simulation."""

import csv
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.data.tables import read_table
from gwm_models.errors import ModelError
from gwm_models.models.association.moran import moran, residual_moran
from gwm_models.models.cross_section import cross_section
from gwm_models.models.outcomes import find_outcome

LINE = np.array([[0, 1], [1, 2], [2, 3]])
RING = np.array([[i, (i + 1) % 12] for i in range(12)])
VALUES = st.lists(st.integers(-1000, 1000), min_size=12, max_size=12).filter(lambda v: len(set(v)) > 1)


def weights_of(borders, n):
    """Return the row-standardised weights as a matrix, zero rows for islands."""
    joined = np.zeros((n, n))
    joined[borders[:, 0], borders[:, 1]] = joined[borders[:, 1], borders[:, 0]] = 1
    return joined / np.maximum(joined.sum(axis=1, keepdims=True), 1)


def pairs_within(groups):
    """Return every pair of places of one group, as neighbours."""
    return np.array([pair for pair in combinations(range(len(groups)), 2) if groups[pair[0]] == groups[pair[1]]])


@pytest.fixture(scope="module")
def england():
    """Return the units of one outcome; the Isle of Wight has no neighbour."""
    return cross_section(load_edition(), find_outcome("healthy_life_expectancy_male"))


# By hand


def test_four_units_on_a_line_by_hand():
    # Deviations -1.5, -0.5, 0.5, 1.5; means of neighbours' -0.5, -0.5, 0.5, 0.5: sum 2, over the sum of squares 5.
    found = moran([1, 2, 3, 4], LINE)
    assert found.statistic == pytest.approx(0.4, abs=1e-12)
    assert found.expected == pytest.approx(-1 / 3, abs=1e-12)
    # w: 1; 1/2, 1/2; 1/2, 1/2; 1. S0 = 4, S1 = 2 (3/2)^2 + 1 = 5.5, S2 = (1 + 1/2)^2 2 + (1 + 3/2)^2 2 = 17.
    variance = (16 * 5.5 - 4 * 17 + 3 * 16) / (15 * 16) - 1 / 9
    assert found.std_error_under_normality == pytest.approx(np.sqrt(variance), abs=1e-12)
    assert (found.n, found.islands) == (4, 0)


def test_an_island_counts_in_the_mean_but_not_in_the_sum_of_weights():
    # Deviations -1, 0, 1, 0: neighbours' means 0, 0, 0 on the line of three; S0 = 3.
    assert moran([1, 2, 3, 2], LINE[:2]).statistic == pytest.approx(0.0, abs=1e-12)
    # Deviations -2, -1, 0, 3: products -2 x -1, -1 x -1, 0 x -1 = 3, sum of squares 14, times 4 / 3.
    found = moran([1, 2, 3, 6], LINE[:2])
    assert found.statistic == pytest.approx(4 / 3 * 3 / 14, abs=1e-12)
    assert found.islands == 1


def test_permutation_p_is_that_of_all_permutations():
    values = np.array([1.0, 2.0, 4.0, 7.0, 5.0, 9.0])
    line = np.array([[i, i + 1] for i in range(5)])
    found = moran(values, line, n_permutations=20_000, seed=5, kind="greater")
    each = [moran(np.array(order), line, n_permutations=0).statistic for order in permutations(values)]
    exact = np.mean(np.array(each) >= found.statistic - 1e-9)
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_mean_and_variance_hold_with_an_island_for_normal_values():
    rng = np.random.default_rng(1)
    expected = moran(rng.normal(size=6), LINE, n_permutations=0)
    drawn = np.array([moran(row, LINE, n_permutations=0).statistic for row in rng.normal(size=(4000, 6))])
    assert drawn.mean() == pytest.approx(expected.expected, abs=4 * drawn.std() / np.sqrt(4000))
    assert drawn.std() == pytest.approx(expected.std_error_under_normality, rel=0.05)


# Other programs


def test_scores_by_region_give_the_known_answers(known):
    with (known / "moran_regionblock_reference.csv").open(encoding="utf-8") as file:
        reference = list(csv.DictReader(file))
    scores = read_table("monitor_scores")
    borders = pairs_within(scores["region_as_printed"])
    for row, column in zip(reference, ("access", "status", "pay", "total"), strict=True):
        found = moran(scores[column], borders, kind="greater")
        both = moran(scores[column], borders, n_permutations=0)
        assert found.statistic == pytest.approx(float(row["I"]), abs=1e-12)
        assert found.expected == pytest.approx(float(row["EI"]), abs=1e-14)
        assert found.z == pytest.approx(float(row["z_norm"]), abs=1e-9)
        assert both.p_normal == pytest.approx(float(row["p_norm"]), rel=1e-6)
        assert found.p_value == pytest.approx(float(row["p_sim"]), abs=0.001)


def test_the_statistic_is_that_of_esda_on_the_map_with_an_island(england):
    esda = pytest.importorskip("esda")
    libpysal = pytest.importorskip("libpysal")
    neighbours = {i: [] for i in range(len(england))}
    for i, j in england.borders.tolist():
        neighbours[i].append(j)
        neighbours[j].append(i)
    theirs = esda.Moran(england.total, libpysal.weights.W(neighbours, silence_warnings=True), permutations=0)
    ours = moran(england.total, england.borders, n_permutations=0)
    assert ours.islands == 1
    assert ours.statistic == pytest.approx(theirs.I, abs=1e-12)
    assert ours.std_error_under_normality == pytest.approx(theirs.seI_norm, abs=1e-12)
    assert ours.p_normal == pytest.approx(theirs.p_norm, rel=1e-8)


def test_explicit_matrices_give_the_same_for_values_and_residuals(england):
    n, w = len(england), weights_of(england.borders, len(england))
    centred = england.total - england.total.mean()
    s0 = w.sum()
    plain = moran(england.total, england.borders, n_permutations=0)
    assert plain.statistic == pytest.approx(n / s0 * centred @ w @ centred / (centred @ centred), abs=1e-12)
    design = np.column_stack([np.ones(n), england.total, england.deprivation])
    maker = np.eye(n) - design @ np.linalg.pinv(design)
    left = maker @ england.value
    found = residual_moran(left, design, england.borders, n_permutations=0)
    # Cliff & Ord (1981), chapter 8, with weights made symmetric.
    inverse, both = np.linalg.inv(design.T @ design), w + w.T
    a = inverse @ design.T @ both @ design / 2
    b = inverse @ design.T @ both @ both @ design
    freedom = n - 3
    mean = -n * np.trace(a) / (freedom * s0)
    s1 = (both**2).sum() / 2
    total = s1 + 2 * np.trace(a @ a) - np.trace(b) - 2 * np.trace(a) ** 2 / freedom
    variance = (n / s0) ** 2 * total / (freedom * (freedom + 2))
    assert found.statistic == pytest.approx(n / s0 * left @ w @ left / (left @ left), abs=1e-12)
    assert found.expected == pytest.approx(mean, abs=1e-12)
    assert found.std_error_under_normality == pytest.approx(np.sqrt(variance), abs=1e-12)


def test_residuals_of_a_mean_alone_are_values(england):
    centred = england.total - england.total.mean()
    plain = moran(england.total, england.borders, n_permutations=0)
    residual = residual_moran(centred, np.ones((len(england), 1)), england.borders, n_permutations=0)
    assert residual.statistic == pytest.approx(plain.statistic, abs=1e-12)
    assert residual.expected == pytest.approx(plain.expected, abs=1e-12)
    assert residual.std_error_under_normality == pytest.approx(plain.std_error_under_normality, abs=1e-12)


# Laws


@given(VALUES, st.floats(0.01, 100), st.floats(-100, 100))
def test_shift_and_scale_change_nothing(values, scale, shift):
    first = moran(values, RING, n_permutations=0)
    second = moran(np.array(values) * scale + shift, RING, n_permutations=0)
    mirrored = moran(-np.array(values), RING, n_permutations=0)
    assert second.statistic == pytest.approx(first.statistic, abs=1e-7)
    assert mirrored.statistic == pytest.approx(first.statistic, abs=1e-12)
    assert -1 - 1e-9 <= first.statistic <= 1 + 1e-9


@given(VALUES, st.permutations(range(12)))
def test_order_of_units_and_direction_of_borders_do_not_matter(values, order):
    place = np.argsort(order)
    moved = moran(np.array(values)[list(order)], np.vstack([place[RING], place[RING[:3, ::-1]]]), n_permutations=0)
    assert moved.statistic == pytest.approx(moran(values, RING, n_permutations=0).statistic, abs=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_permutation_p_lies_between_one_over_m_plus_one_and_one(seed, m):
    found = moran(np.arange(12.0), RING, n_permutations=m, seed=seed)
    assert 1 / (1 + m) <= found.p_value <= 1
    assert found.p_value == moran(np.arange(12.0), RING, n_permutations=m, seed=seed).p_value


def test_memory_is_bounded_and_batches_do_not_change_the_answer(monkeypatch):
    values = np.random.default_rng(4).normal(size=12)
    whole = moran(values, RING, n_permutations=500, seed=2).p_value
    monkeypatch.setattr("gwm_models.models.association.moran.CELLS_AT_ONCE", 120)
    assert moran(values, RING, n_permutations=500, seed=2).p_value == whole


# Refusals


def test_what_cannot_be_tested_is_refused_in_one_line():
    with pytest.raises(ModelError, match="all are the same"):
        moran([2, 2, 2, 2], LINE)
    with pytest.raises(ModelError, match="1 of 4 are missing"):
        moran([2, np.nan, 2, 3], LINE)
    with pytest.raises(ModelError, match="none of these do"):
        moran([1, 2, 3, 4], [])
    with pytest.raises(ModelError, match="three areas or more"):
        moran([1, 2], [[0, 1]])
    with pytest.raises(ModelError, match="all are zero"):
        residual_moran(np.zeros(4), np.ones((4, 1)), LINE)
    with pytest.raises(ModelError, match="leave nothing to test"):
        residual_moran([1, -1, 0, 0], np.eye(4)[:, :3], LINE)
    with pytest.raises(ValueError, match="place 3; there are 3"):
        moran([1, 2, 3], LINE)
    with pytest.raises(ValueError, match="not those of a least-squares fit"):
        residual_moran([1, 2, 3, 4], np.ones((4, 1)), LINE)
    with pytest.raises(ValueError, match="'two-sided' or 'greater'"):
        moran([1, 2, 3, 4], LINE, kind="less")


# Simulation


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["two-sided", "greater"])
def test_p_values_are_uniform_where_neighbours_are_not_alike(england, kind):
    rng = np.random.default_rng(20260101)
    design = np.column_stack([np.ones(len(england)), england.total, england.degrees, england.deprivation])
    maker = np.eye(len(england)) - design @ np.linalg.pinv(design)
    drawn = rng.standard_exponential((1000, len(england)))
    plain = [moran(row, england.borders, n_permutations=199, seed=i, kind=kind) for i, row in enumerate(drawn)]
    left = [
        residual_moran(maker @ row, design, england.borders, n_permutations=199, seed=i, kind=kind)
        for i, row in enumerate(rng.standard_normal((1000, len(england))))
    ]
    for found in (plain, left):
        for bound in (0.05, 0.25, 0.5, 0.75):
            share = np.mean([one.p_value <= bound for one in found])
            assert share == pytest.approx(bound, abs=3.5 * np.sqrt(bound * (1 - bound) / 1000))
    normal = np.mean([one.p_normal <= 0.05 for one in left])
    assert normal == pytest.approx(0.05, abs=0.024)


@pytest.mark.slow
def test_likeness_of_neighbours_is_found(england):
    rng = np.random.default_rng(8)
    pull = np.linalg.inv(np.eye(len(england)) - 0.5 * weights_of(england.borders, len(england)))
    found = [moran(pull @ rng.normal(size=len(england)), england.borders, n_permutations=199) for _ in range(200)]
    assert np.mean([one.p_value <= 0.05 for one in found]) > 0.9
