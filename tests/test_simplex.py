"""Weights on the simplex: by hand, against another solver, and by the conditions of a minimum."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gwm_models.errors import ModelError
from gwm_models.evaluation.simplex import kkt_gap, simplex_fit


def example(seed, rows, columns, *, near=1.0, digits=None, size=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns)) * size
    if digits is not None:
        x = x.round(digits)
    return x, x.mean(axis=1) + near * size * rng.normal(size=rows)


EXAMPLES = st.builds(
    example,
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 12),
    columns=st.integers(1, 40),
    near=st.sampled_from([0.0, 0.2, 1.0, 5.0]),
    digits=st.sampled_from([None, 0, 1]),
    size=st.sampled_from([1e-4, 1.0, 1e5]),
)


def value(x, y, weight, ridge=0.0):
    return float(np.sum((y - x @ weight) ** 2) + ridge * np.sum(weight**2))


def test_a_target_between_two_points_is_met_by_the_two_of_least_norm():
    found = simplex_fit(np.array([[0.0, 4.0]]), np.array([1.0]))
    assert found.weight == pytest.approx([0.75, 0.25], abs=1e-12)
    assert found.unique


def test_a_target_beyond_every_point_takes_the_nearest():
    found = simplex_fit(np.array([[1.0, 4.0, 2.0]]), np.array([9.0]))
    assert found.weight.tolist() == [0, 1, 0]


def test_two_equal_columns_share_their_weight_and_are_said_not_to_be_unique():
    found = simplex_fit(np.array([[1.0, 1.0, 5.0], [0.0, 0.0, 2.0]]), np.array([-1.0, -1.0]))
    assert found.weight == pytest.approx([0.5, 0.5, 0.0], abs=1e-9)
    assert not found.unique


def test_a_target_inside_the_hull_has_the_weights_of_least_norm():
    """Corners of a square and its centre: all four corners alike is the least of all sums of squares."""
    found = simplex_fit(np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), np.array([0.5, 0.5]))
    assert found.weight == pytest.approx([0.25] * 4, abs=1e-10)
    assert not found.unique


def test_a_ridge_weighs_fit_against_evenness():
    """Minimise (1 - a)^2 + r (a^2 + (1 - a)^2): a = (1 + r) / (1 + 2 r)."""
    found = simplex_fit(np.array([[1.0, 0.0]]), np.array([1.0]), ridge=0.5)
    assert found.weight == pytest.approx([0.75, 0.25], abs=1e-12)


def test_one_column_has_all_the_weight_and_none_is_refused():
    assert simplex_fit(np.ones((3, 1)), np.zeros(3)).weight.tolist() == [1.0]
    with pytest.raises(ModelError, match="no donor is left"):
        simplex_fit(np.ones((3, 0)), np.zeros(3))


def test_columns_equal_to_the_target_share_alike():
    assert simplex_fit(np.full((2, 4), 7.0), np.full(2, 7.0)).weight.tolist() == [0.25] * 4


@settings(max_examples=150, deadline=None)
@given(EXAMPLES, st.sampled_from([0.0, 1e-12, 1e-3, 1.0]))
def test_weights_meet_the_conditions_of_a_minimum(data, ridge):
    x, y = data
    ridge *= float(np.abs(x).max()) ** 2
    weight = simplex_fit(x, y, ridge=ridge).weight
    assert weight.min() >= 0
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    assert kkt_gap(x, y, weight, ridge=ridge) < 1e-8


@settings(max_examples=60, deadline=None)
@given(EXAMPLES)
def test_no_other_weights_that_fit_as_well_have_a_smaller_norm(data):
    """Of all weights with the same fitted values, a linear programme finds none that lie nearer to the origin."""
    from scipy.optimize import linprog

    x, y = data
    size = float(np.abs(x - y[:, None]).max()) or 1.0
    weight = simplex_fit(x, y).weight
    system = np.vstack([(x - y[:, None]) / size, np.ones(x.shape[1])])
    other = linprog(weight, A_eq=system, b_eq=system @ weight, bounds=(0, 1), method="highs")
    assert other.status == 0
    assert other.fun >= weight @ weight - 1e-5


@settings(max_examples=40, deadline=None)
@given(EXAMPLES, st.floats(-100, 100), st.floats(0.1, 10))
def test_weights_do_not_change_with_the_unit_of_the_outcome(data, shift, times):
    x, y = data
    size = float(np.abs(x).max())
    assume(size > 0)
    x, y = x / size, y / size
    first, second = simplex_fit(x, y).weight, simplex_fit(times * x + shift, times * y + shift).weight
    assert x @ first == pytest.approx(x @ second, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_weights_equal_those_of_a_general_solver(seed, ridge):
    from scipy.optimize import minimize

    x, y = example(seed, 14, 9, near=0.5)
    found = simplex_fit(x, y, ridge=ridge)
    other = minimize(
        lambda w: value(x, y, w, ridge),
        np.full(9, 1 / 9),
        jac=lambda w: 2 * x.T @ (x @ w - y) + 2 * ridge * w,
        bounds=[(0, 1)] * 9,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    assert found.weight == pytest.approx(other.x, abs=1e-6)
    assert value(x, y, found.weight, ridge) <= other.fun + 1e-9


def test_conditions_of_a_minimum_fail_away_from_it():
    x, y = example(3, 8, 5)
    weight = simplex_fit(x, y).weight
    moved = 0.9 * weight + 0.1 / 5
    assert kkt_gap(x, y, moved) > 1e-4
