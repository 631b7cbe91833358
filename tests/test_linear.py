"""Linear models on arrays against explicit matrices, other programs, refitting and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from gwm_models.errors import ModelError
from gwm_models.models.linear.checks import equal_slopes, influence_rows, left_out, residual_check
from gwm_models.models.linear.core import (
    corrected_for_noise,
    huber,
    huber_estimate,
    least_squares,
)
from gwm_models.models.linear.joint import CONTRASTS, stacked
from gwm_models.models.linear.meta import meta_weights, spread_between

N = 40
N_AREAS = 117


@pytest.fixture
def sample():
    """Return an outcome, a design with a constant, and weights, all uneven."""
    rng = np.random.default_rng(5)
    x, z = rng.normal(size=N), rng.gamma(2.0, size=N)
    y = 1 + 2 * x - z + rng.normal(size=N) * (1 + np.abs(x))
    return y, np.column_stack([np.ones(N), x, z]), rng.uniform(0.5, 4, N)


def explicit(y, x, w):
    """Return coefficients, bread, residuals and leverage of weighted least squares by the textbook formulas."""
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    params = bread @ x.T @ (w * y)
    return params, bread, y - x @ params, w * np.einsum("ij,jk,ik->i", x, bread, x)


def without_each(fit):
    """Return the coefficients without each unit, shape (n, k), as the influence says."""
    return fit.params - fit.influence


def test_hc3_fit_equals_explicit_matrices(sample):
    y, x, w = sample
    params, bread, left, leverage = explicit(y, x, w)
    meat = (x * (w * left / (1 - leverage))[:, None] ** 2).T @ (x)
    fit = least_squares(y, x, w)
    assert fit.params == pytest.approx(params, abs=1e-8)
    assert fit.cov == pytest.approx(bread @ meat @ bread, abs=1e-8)
    assert fit.residuals == pytest.approx(left, abs=1e-8)
    assert fit.leverage == pytest.approx(leverage, abs=1e-8)
    assert fit.leverage.sum() == pytest.approx(3, abs=1e-10)
    assert fit.freedom == N - 3
    mean = np.average(y, weights=w)
    assert fit.r_squared == pytest.approx(1 - w @ left**2 / (w @ (y - mean) ** 2), abs=1e-10)


def test_classical_covariance_equals_explicit_matrices(sample):
    y, x, w = sample
    _, bread, left, _ = explicit(y, x, w)
    fit = least_squares(y, x, w, "classical")
    assert fit.cov == pytest.approx(bread * (w @ left**2) / (N - 3), abs=1e-8)


def test_a_line_through_four_corners_worked_by_hand():
    x = np.repeat([0.0, 1.0], 6)
    y = np.tile([1.0, 3.0], 6) + 2 * x
    fit = least_squares(y, np.column_stack([np.ones(12), x]), covariance="classical")
    # Group means 2 and 4; every residual is 1 in size; s2 = 12 / 10; var = s2 (1/6 + 1/6).
    assert fit.params == pytest.approx([2, 2], abs=1e-12)
    assert fit.std_error[1] == pytest.approx(np.sqrt(1.2 / 3), abs=1e-12)
    # HC3 of a difference of two means: sum of (e / (1 - 1/6))^2 / 36 over the twelve.
    assert least_squares(y, np.column_stack([np.ones(12), x])).std_error[1] == pytest.approx(np.sqrt(12 * 1.44) / 6)


def test_least_squares_agrees_with_linearmodels(sample):
    iv = pytest.importorskip("linearmodels.iv")
    y, x, w = sample
    other = iv.IV2SLS(y, x, None, None, weights=w).fit(cov_type="unadjusted", debiased=True)
    fit = least_squares(y, x, w, "classical")
    assert fit.params == pytest.approx(other.params.to_numpy(), abs=1e-8)
    assert fit.cov == pytest.approx(other.cov.to_numpy(), abs=1e-8)
    assert fit.r_squared == pytest.approx(other.rsquared, abs=1e-8)


def test_stacked_outcomes_have_the_slopes_that_linearmodels_gives_them():
    system = pytest.importorskip("linearmodels.system")
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=N), rng.uniform(0.5, 2, (N, 2))
    y = np.column_stack([x, 2 * x]) + rng.normal(size=(N, 2))
    design = np.column_stack([np.ones(N), x])
    parts = {
        name: {"dependent": y[:, j], "exog": design, "weights": w[:, j]} for j, name in enumerate(("male", "female"))
    }
    other = system.SUR(parts).fit(method="ols").params.to_numpy()
    assert stacked(y, x, w).params == pytest.approx(other[[0, 2, 1, 3]], abs=1e-8)


def test_leaving_one_out_equals_refitting(sample):
    y, x, w = sample
    without = without_each(least_squares(y, x, w))
    for i in (0, 7, N - 1):
        rest = np.arange(N) != i
        assert without[i] == pytest.approx(explicit(y[rest], x[rest], w[rest])[0], abs=1e-10)


def test_clustered_covariance_is_that_of_leaving_out_one_group_at_a_time(sample):
    y, x, w = sample
    groups = np.arange(N) % 9
    fit = least_squares(y, x, w, "cluster", groups)
    without = np.array([explicit(y[groups != g], x[groups != g], w[groups != g])[0] for g in range(9)])
    assert without_each(fit) == pytest.approx(without, abs=1e-9)
    change = explicit(y, x, w)[0] - without
    assert fit.cov == pytest.approx(change.T @ change, abs=1e-8)
    assert fit.freedom == 8


def test_groups_of_one_row_give_hc3(sample):
    y, x, w = sample
    assert least_squares(y, x, w, "cluster", np.arange(N)).cov == pytest.approx(least_squares(y, x, w).cov, abs=1e-10)


def test_stacking_gives_each_outcome_the_standard_error_it_has_alone():
    rng = np.random.default_rng(8)
    x, w = rng.normal(size=N), rng.uniform(0.5, 2, (N, 2))
    y = np.column_stack([x, 2 * x]) + rng.normal(size=(N, 1)) + rng.normal(size=(N, 2))
    both = stacked(y, x, w)
    for j in range(2):
        alone = least_squares(y[:, j], np.column_stack([np.ones(N), x]), w[:, j])
        assert both.params[2 + j] == pytest.approx(alone.params[1], abs=1e-10)
        assert both.std_error[2 + j] == pytest.approx(alone.std_error[1], abs=1e-10)
    assert both.cov[2, 3] > 0


def test_the_sum_of_squared_influence_is_the_hc3_variance(sample):
    y, x, w = sample
    fit = least_squares(y, x, w)
    assert (fit.influence**2).sum(axis=0) == pytest.approx(np.diag(fit.cov), abs=1e-10)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.01, 100), st.floats(0.01, 100))
def test_slopes_follow_the_units_of_outcome_exposure_and_weights(seed, shift, stretch, weight):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=20), rng.uniform(0.5, 2, 20)
    y = x + rng.normal(size=20)
    plain = least_squares(y, np.column_stack([np.ones(20), x]), w)
    moved = least_squares(shift + stretch * y, np.column_stack([np.ones(20), x / stretch + shift]), weight * w)
    assert moved.params[1] == pytest.approx(stretch**2 * plain.params[1], rel=1e-6)
    assert moved.std_error[1] == pytest.approx(stretch**2 * plain.std_error[1], rel=1e-6)


def test_huber_hardly_moves_with_an_outlier_that_moves_least_squares():
    rng = np.random.default_rng(9)
    x = np.linspace(-2, 2, N)
    y = 3 * x + rng.normal(size=N)
    design = np.column_stack([np.ones(N), x])
    wild = y.copy()
    wild[-1] -= 60
    assert abs(huber(wild, design).params[1] - huber(y, design).params[1]) < 0.2
    assert abs(least_squares(wild, design).params[1] - least_squares(y, design).params[1]) > 1.5


def test_huber_solves_its_own_estimating_equation(sample):
    y, x, _ = sample
    fit = huber(y, x)
    scale = np.median(np.abs(fit.residuals)) / 0.6744897501960817
    assert x.T @ np.clip(fit.residuals / scale, -1.345, 1.345) == pytest.approx(np.zeros(3), abs=1e-4)
    rest = np.arange(N) != 3
    assert without_each(fit)[3] == pytest.approx(huber_estimate(y[rest], x[rest])[0], abs=1e-12)


def test_a_slope_with_known_noise_worked_by_hand():
    x = np.array([0.0, 2.0] * 6)
    y = np.array([0.0, 3.0] * 6) + np.array([1.0, 1.0, -1.0, -1.0] * 3)
    # Sxx = 12, Sxy = 18; noise of variance 0.5 gives 12 x 0.5 x (1 - 1/12) = 5.5 of Sxx.
    fit = corrected_for_noise(y, x, np.full(12, 0.5))
    assert fit.params == pytest.approx([1.5 - 18 / 6.5, 18 / 6.5], abs=1e-12)
    assert fit.reliability == pytest.approx([6.5 / 12], abs=1e-12)


def test_without_noise_the_correction_is_least_squares_with_hc3(sample):
    y, x, w = sample
    fit, plain = corrected_for_noise(y, x[:, 2], np.zeros(N), covariates=x[:, 1:2], weights=w), least_squares(y, x, w)
    assert fit.params == pytest.approx(plain.params, abs=1e-9)
    assert fit.cov == pytest.approx(plain.cov, abs=1e-9)
    assert fit.influence == pytest.approx(plain.influence, abs=1e-9)
    assert fit.reliability == pytest.approx([1], abs=1e-12)


def test_leaving_one_out_of_a_corrected_fit_equals_refitting():
    rng = np.random.default_rng(10)
    y, x, z, w = rng.normal(size=N), rng.normal(size=(N, 2)), rng.normal(size=(N, 1)), rng.uniform(0.5, 2, N)
    root = rng.normal(size=(N, 2, 2)) * 0.3
    noise = root @ root.transpose(0, 2, 1)
    fit = corrected_for_noise(y + x[:, 0], x, noise, covariates=z, weights=w)
    for i in (0, 11, N - 1):
        rest = np.arange(N) != i
        again = corrected_for_noise((y + x[:, 0])[rest], x[rest], noise[rest], covariates=z[rest], weights=w[rest])
        assert without_each(fit)[i] == pytest.approx(again.params, abs=1e-9)


def test_two_noisy_exposures_are_corrected_together_as_explicit_matrices_say():
    rng = np.random.default_rng(11)
    x, w = rng.normal(size=(N, 2)), rng.uniform(0.5, 2, N)
    y = x @ [1.0, -1.0] + rng.normal(size=N)
    root = rng.normal(size=(N, 2, 2)) * 0.3
    noise = root @ root.transpose(0, 2, 1)
    centred = x - np.average(x, axis=0, weights=w)
    share = 1 - w / w.sum()
    seen = centred.T @ (w[:, None] * centred) - np.einsum("n,n,nij->ij", w, share, noise)
    slopes = np.linalg.solve(seen, centred.T @ (w * y))
    fit = corrected_for_noise(y, x, noise, weights=w)
    assert fit.params[1:] == pytest.approx(slopes, abs=1e-10)
    assert fit.params[0] == pytest.approx(np.average(y - x @ slopes, weights=w), abs=1e-10)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.05, 20))
def test_a_corrected_slope_follows_the_units_of_its_exposure(seed, shift, stretch):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 20))
    noise = rng.uniform(0, 0.2, 20)
    plain = corrected_for_noise(y + x, x, noise)
    moved = corrected_for_noise(y + x, shift + stretch * x, stretch**2 * noise)
    assert moved.params[1] * stretch == pytest.approx(plain.params[1], rel=1e-6)
    assert moved.reliability == pytest.approx(plain.reliability, rel=1e-6)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.1, 3))
def test_the_spread_between_units_makes_the_weighted_squares_what_is_expected(seed, size):
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.1, 2, 30)
    x = np.column_stack([np.ones(30), rng.normal(size=30)])
    y = rng.normal(size=30) * np.sqrt(variance + size)
    spread = spread_between(y, x, variance)
    left = explicit(y, x, 1 / (variance + spread))[2]
    squares = (left**2 / (variance + spread)).sum()
    assert squares == pytest.approx(28, rel=1e-6) if spread > 0 else squares <= 28
    assert meta_weights(y, x, 1 / variance) == pytest.approx(1 / (variance + spread))


def test_equal_slopes_of_two_is_the_square_of_their_t_test():
    estimate, cov = np.array([1.0, 2.0]), np.array([[0.04, 0.01], [0.01, 0.09]])
    expected = 2 * t_distribution.sf(1 / np.sqrt(0.11), 50)
    assert equal_slopes(estimate, cov, 50) == pytest.approx(expected, abs=1e-12)
    three, wide = np.array([1.0, 2.0, 4.0]), np.diag([1.0, 1.0, 1.0])
    # Squared distance of (1, 2, 4) from its mean 7/3 is 14/3, over two contrasts.
    assert equal_slopes(three, wide, 50) == pytest.approx(f_distribution.sf(7 / 3, 2, 50), abs=1e-12)


def test_the_units_that_matter_most_are_named():
    influence = np.array([[0.1], [-0.4], [0.2]])
    rows = influence_rows(("a", "b", "c"), ("Ash", "Birch", "Cedar"), ("total",), np.array([2.0]), influence)
    assert [row["area_name"] for row in rows] == ["Birch", "Cedar", "Ash"]
    assert rows[0] == {"term": "total", "area_code": "b", "area_name": "Birch", "without": 2.4, "change": -0.4}
    found = left_out(("Ash", "Birch", "Cedar"), 2.0, influence[:, 0])
    assert found == {"leave_one_out_lower": 1.8, "leave_one_out_upper": 2.4, "most_influential": "Birch"}


def test_neighbours_that_share_what_is_left_out_are_found_in_the_residuals():
    rng = np.random.default_rng(12)
    borders = np.column_stack([np.arange(N - 1), np.arange(1, N)])
    x = rng.normal(size=N)
    design = np.column_stack([np.ones(N), x])
    shared = x + np.sin(np.arange(N) / 4) * 2 + rng.normal(size=N) * 0.3
    for fit in (least_squares(shared, design), corrected_for_noise(shared, x, np.zeros(N))):
        assert residual_check(fit, np.ones(N), design, borders)["residual_moran_p"] < 0.01
    assert residual_check(least_squares(shared, design), np.ones(N), design, borders[:0]) == {}


X = np.arange(12.0)
ONE = np.ones(12)
NOISY = X**2 % 7


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: least_squares(X[:5], np.column_stack([ONE, X])[:5]), "2 coefficients needs 10 areas or more.*are 5"),
        (
            lambda: least_squares(NOISY, np.column_stack([ONE, X, ONE * 3]), names=("constant", "age", "pay")),
            "'pay' is the same in every area",
        ),
        (
            lambda: least_squares(NOISY, np.column_stack([ONE, X, X**2, X + 2]), names=("constant", "a", "b", "pay")),
            "'pay' follows from other columns",
        ),
        (lambda: least_squares(ONE, np.column_stack([ONE, X])), "The outcome is the same in every area"),
        (lambda: least_squares(np.where(X == 3, np.nan, NOISY), np.column_stack([ONE, X])), "A figure is missing"),
        (lambda: least_squares(NOISY, np.column_stack([ONE, X]), np.where(X == 3, 0, 1.0)), "needs a positive weight"),
        (
            lambda: least_squares(NOISY, np.column_stack([ONE, X, X == 3]), names=("constant", "a", "island")),
            "'island' rests on one area alone",
        ),
        (lambda: huber(2 * X, np.column_stack([ONE, X])), "Half of the areas lie exactly on a line"),
        (lambda: corrected_for_noise(NOISY, X, ONE * 20, names=("total",)), "The noise in total is as large as"),
        (lambda: corrected_for_noise(NOISY, X, ONE, covariates=(X == 3)[:, None] * 1.0), "rests on one area alone"),
        (lambda: corrected_for_noise(NOISY, ONE, ONE, names=("total",)), "'total' is the same in every area"),
    ],
)
def test_a_fit_that_cannot_be_made_is_refused_in_one_line(fit, message):
    with pytest.raises(ModelError, match=message) as refused:
        fit()
    assert "\n" not in str(refused.value)


def reach(fit):
    """Return the half-width of 95% intervals."""
    return t_distribution.ppf(0.975, fit.freedom) * fit.std_error


def covered(simulate, n=2000):
    """Return how often each interval of a simulation holds the truth."""
    return np.mean([simulate() for _ in range(n)], axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("meta", [False, True], ids=["precision", "meta"])
def test_intervals_of_weighted_slopes_cover_as_often_as_they_say(meta):
    rng = np.random.default_rng(21)

    def simulate():
        x, error = rng.normal(size=N_AREAS), rng.uniform(0.4, 1.8, N_AREAS)
        design = np.column_stack([np.ones(N_AREAS), x])
        y = 3 * x + rng.normal(size=N_AREAS) * np.sqrt(error**2 + 1.5**2)
        fit = least_squares(y, design, meta_weights(y, design, error**-2) if meta else error**-2)
        return abs(fit.params[1] - 3) < reach(fit)[1]

    assert 0.93 <= covered(simulate) <= 0.97


@pytest.mark.slow
def test_classical_and_hc3_intervals_cover_under_equal_and_unequal_variances():
    rng = np.random.default_rng(22)

    def simulate():
        x = rng.normal(size=N_AREAS)
        design = np.column_stack([np.ones(N_AREAS), x])
        even, uneven = 3 * x + rng.normal(size=N_AREAS), 3 * x + rng.normal(size=N_AREAS) * (0.3 + np.abs(x))
        fits = (
            least_squares(even, design, covariance="classical"),
            least_squares(even, design),
            least_squares(uneven, design),
            least_squares(uneven, design, covariance="classical"),
        )
        return [abs(fit.params[1] - 3) < reach(fit)[1] for fit in fits]

    classical, plain, robust, naive = covered(simulate)
    assert 0.93 <= min(classical, plain, robust) <= max(classical, plain, robust) <= 0.97
    assert naive < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("errors", ["normal", "heavy tails", "outliers"])
def test_huber_intervals_cover_as_often_as_they_say(errors):
    rng = np.random.default_rng(23)
    draw = {
        "normal": lambda: rng.normal(size=N_AREAS),
        "heavy tails": lambda: rng.standard_t(3, size=N_AREAS),
        "outliers": lambda: rng.normal(size=N_AREAS) * np.where(rng.random(N_AREAS) < 0.1, 5, 1),
    }[errors]

    def simulate():
        x = rng.normal(size=N_AREAS)
        params, cov, _ = huber_estimate(3 * x + draw(), np.column_stack([np.ones(N_AREAS), x]))
        return abs(params[1] - 3) < t_distribution.ppf(0.975, N_AREAS - 2) * np.sqrt(cov[1, 1])

    assert 0.93 <= covered(simulate) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("adjusted", [False, True])
def test_the_correction_recovers_a_slope_that_the_naive_fit_misses(adjusted):
    rng = np.random.default_rng(24)

    def simulate():
        z = rng.normal(size=(N_AREAS, 1))
        error, sd = rng.uniform(0.6, 1.6, N_AREAS), rng.uniform(0.25, 0.75, N_AREAS)
        true = rng.normal(size=N_AREAS) + 0.5 * z[:, 0]
        y = 1 + 3 * true + adjusted * z[:, 0] + rng.normal(size=N_AREAS) * np.sqrt(error**2 + 1.5**2)
        seen = true + rng.normal(size=N_AREAS) * sd
        design = np.column_stack([np.ones(N_AREAS), *([z] if adjusted else []), seen])
        fit = corrected_for_noise(y, seen, sd**2, covariates=z if adjusted else None, weights=error**-2)
        naive = least_squares(y, design, error**-2)
        slopes = fit.params[-1], naive.params[-1]
        return abs(slopes[0] - 3) < reach(fit)[-1], abs(slopes[1] - 3) < reach(naive)[-1], *slopes

    corrected, naive, slope, naive_slope = covered(simulate)
    assert 0.93 <= corrected <= 0.97
    assert naive < 0.5
    assert slope == pytest.approx(3, abs=0.03)
    assert naive_slope < 2.6


@pytest.mark.slow
def test_three_noisy_domains_are_corrected_with_the_coverage_that_is_said():
    rng = np.random.default_rng(25)
    between = np.linalg.cholesky(np.array([[1, 0.6, 0.4], [0.6, 1, 0.5], [0.4, 0.5, 1]]))
    truth = np.array([2.0, 1.0, -0.5])

    def simulate():
        true = rng.normal(size=(N_AREAS, 3)) @ between.T
        root = np.eye(3) * rng.uniform(0.2, 0.4, (N_AREAS, 1, 1)) + 0.1
        seen = true + np.einsum("nij,nj->ni", root, rng.normal(size=(N_AREAS, 3)))
        y = true @ truth + rng.normal(size=N_AREAS)
        fit = corrected_for_noise(y, seen, root @ root.transpose(0, 2, 1))
        return np.abs(fit.params[1:] - truth) < reach(fit)[1:]

    rates = covered(simulate)
    assert 0.93 <= rates.min() <= rates.max() <= 0.97


@pytest.mark.slow
def test_intervals_of_outcomes_fitted_together_cover_as_often_as_they_say():
    rng = np.random.default_rng(26)

    def simulate():
        x, error = rng.normal(size=N_AREAS), rng.uniform(0.6, 1.6, (N_AREAS, 2))
        shared = 1.5 * rng.normal(size=(N_AREAS, 1)) * (0.7 + 0.3 * np.abs(x))[:, None]
        y = np.column_stack([3 * x, 3.5 * x]) + shared + rng.normal(size=(N_AREAS, 2)) * error
        fit = stacked(y, x, error**-2)
        error_of = np.sqrt(np.diag(CONTRASTS @ fit.cov[2:, 2:] @ CONTRASTS.T))
        wide = t_distribution.ppf(0.975, fit.freedom) * error_of
        return np.abs(CONTRASTS @ fit.params[2:] - [3, 3.5, 3.25, 0.5]) < wide

    rates = covered(simulate)
    assert 0.93 <= rates.min() <= rates.max() <= 0.97
