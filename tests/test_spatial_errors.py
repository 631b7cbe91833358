"""Intervals that allow for neighbours being alike: against explicit matrices, by hand, in words, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as at_most
from hypothesis import strategies as st
from scipy.linalg import null_space
from scipy.stats import multivariate_normal

from gwm_models.data.edition import load_edition
from gwm_models.models.association.spatial_errors import (
    SHARES,
    Neighbours,
    Regression,
    alike_neighbours,
    spatial_numbers,
    with_neighbours,
)
from gwm_models.models.cross_section import cross_section
from gwm_models.models.gaussian.graph import icar
from gwm_models.models.linear.core import least_squares
from gwm_models.models.outcomes import find_outcome


def lattice(rows, columns):
    place = np.arange(rows * columns).reshape(rows, columns)
    across = np.column_stack([place[:, :-1].ravel(), place[:, 1:].ravel()])
    return np.concatenate([across, np.column_stack([place[:-1].ravel(), place[1:].ravel()])])


SQUARE = lattice(6, 7)


def whole_cov(borders, n, share):
    """Covariance of the errors by a dense pseudo-inverse."""
    field = np.linalg.pinv(icar(borders, n).precision.toarray(), rcond=1e-10, hermitian=True)
    return (1 - share) * np.eye(n) + share * field


def regression(seed, n=44):
    """A lattice of 42 units and two islands, with two columns beside the constant."""
    rng = np.random.default_rng(seed)
    smooth = np.linalg.cholesky(whole_cov(SQUARE, n, 0.9)) @ rng.normal(size=(n, 2))
    design = np.column_stack([np.ones(n), smooth[:, 0], rng.normal(size=n)])
    return Regression(design, smooth[:, 1] + 0.5 * rng.normal(size=n), 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_share_is_that_of_the_highest_likelihood_of_contrasts_that_hold_no_coefficient(seed):
    given = regression(seed)
    contrast = null_space(given.design.T)
    seen = contrast.T @ given.residuals

    def height(share):
        cov = contrast.T @ whole_cov(SQUARE, 44, share) @ contrast
        scale = seen @ np.linalg.solve(cov, seen) / len(seen)
        return multivariate_normal.logpdf(seen, np.zeros(len(seen)), scale * cov)

    best = SHARES[::8][int(np.argmax([height(share) for share in SHARES[::8]]))]
    found = alike_neighbours(given, SQUARE).share
    assert height(found) >= height(best) - 1e-9
    assert 0 < found < SHARES[-1]


def test_a_robust_error_falls_short_by_what_simulation_says_and_the_reach_holds_the_slope():
    given = regression(1)
    found, n = alike_neighbours(given, SQUARE), 44
    rng = np.random.default_rng(6)
    errors = np.linalg.cholesky(whole_cov(SQUARE, n, found.share)) @ rng.normal(size=(n, 40_000))
    effect = np.linalg.inv(given.design.T @ given.design) @ given.design.T
    slope = (effect @ errors)[1]
    free = 1 - np.diag(given.design @ effect)
    robust = ((effect[1] / free)[:, None] * (errors - given.design @ (effect @ errors))) ** 2
    variance = robust.sum(axis=0)
    assert found.variance == pytest.approx(slope.var() / variance.mean(), rel=0.03)
    assert found.variance > 1.4
    # The regression of the robust variance on the squared slope, both over their means.
    along = np.cov(variance / variance.mean(), slope**2 / slope.var())
    assert found.along == pytest.approx(along[0, 1] / along[1, 1], abs=0.005)
    ratio = np.abs(slope) / np.sqrt(variance)
    assert found.reach(np.inf) == pytest.approx(np.quantile(ratio, 0.95), rel=0.03)
    assert found.reach(np.inf, 0.8) == pytest.approx(np.quantile(ratio, 0.8), rel=0.03)
    assert found.reach(5.0) > found.reach(np.inf)


def test_a_mean_of_units_with_nothing_in_common_has_the_freedom_of_the_usual_variance():
    rows, columns = np.divmod(np.arange(42), 7)
    checkers = np.where((rows + columns) % 2, 1.0, -1.0)
    found = alike_neighbours(Regression(np.ones((42, 1)), checkers, 0), SQUARE)
    # HC3 is the sum of squares of independent residuals over (n - 1)^2: chi-squared with n - 1 degrees of freedom, its
    # mean 1 / (n - 1) where the variance of the mean is 1 / n.
    assert found.share == 0
    assert found.variance == pytest.approx(41 / 42)
    assert found.along == pytest.approx(0, abs=1e-12)
    assert found.freedom == pytest.approx(41)


def test_a_slope_across_a_field_that_rises_with_it_has_a_much_larger_error():
    place = np.arange(42) % 7 - 3.0
    field = place**2 + np.arange(42) // 7
    found = alike_neighbours(Regression(np.column_stack([np.ones(42), place]), field, 1), SQUARE)
    assert found.share > 0.9
    assert found.variance > 4
    assert found.freedom < 20


@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-5, 5))
@at_most(max_examples=15, deadline=None)
def test_units_of_measurement_and_what_the_design_explains_change_nothing(seed, scale, slope):
    plain = regression(seed)
    moved = Regression(scale * plain.design, 3 * plain.residuals + slope * plain.design[:, 2], 1)
    first, again = alike_neighbours(plain, SQUARE), alike_neighbours(moved, SQUARE[::-1, ::-1])
    assert again.share == pytest.approx(first.share, abs=1e-12)
    assert [again.variance, again.freedom] == pytest.approx([first.variance, first.freedom], rel=1e-6)
    assert again.along == pytest.approx(first.along, rel=1e-5, abs=1e-12)


def test_the_interval_by_hand_and_absent_without_borders():
    # t at 10 degrees of freedom is 2.2281, its square 4.9646: half is t sqrt(3 / (1 + 0.1 x 3.9646)).
    assert Neighbours(0.5, 3.0, 0.1, 20.0).reach(10.0) == pytest.approx(2.2281388519649385 * np.sqrt(3 / 1.396460274))
    given = regression(1)
    found = alike_neighbours(given, SQUARE)
    numbers = spatial_numbers(2.0, 0.5, given, SQUARE, 41.0)
    assert numbers["spatial_share"] == found.share
    assert numbers["spatial_std_error"] == pytest.approx(0.5 * np.sqrt(found.variance))
    reach = 0.5 * found.reach(41.0)
    assert [numbers["spatial_lower"], numbers["spatial_upper"]] == pytest.approx([2 - reach, 2 + reach], abs=1e-9)
    assert spatial_numbers(2.0, 0.5, given, np.empty((0, 2), dtype=int), 10.0) == {}


def test_neighbours_that_are_opposite_do_not_make_the_interval_narrower():
    rows, columns = np.divmod(np.arange(42), 7)
    checkers = np.where((rows + columns) % 2, 1.0, -1.0)
    numbers = spatial_numbers(0.0, 1.0, Regression(np.ones((42, 1)), checkers, 0), SQUARE, 10.0)
    assert numbers["spatial_share"] == 0
    assert numbers["spatial_std_error"] == 1
    assert numbers["spatial_upper"] == pytest.approx(2.2281388519649385)


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
@pytest.mark.parametrize("adjusted", [False, True])
def test_intervals_cover_as_often_as_they_say_from_nothing_in_common_to_nearly_all(adjusted):
    """On the map of the units with the Monitor total, alone and within regions."""
    c = cross_section(load_edition(), find_outcome("life_expectancy_male"))
    kept = np.isfinite(c.total)
    n, borders = int(kept.sum()), c.borders_of(kept)
    region = np.unique(np.array(c.region)[kept], return_inverse=True)[1]
    controls = np.eye(region.max() + 1)[region][:, 1:] if adjusted else np.empty((n, 0))
    design = np.column_stack([np.ones(n), c.total[kept] / 100, controls])
    rng, number = np.random.default_rng(20260101), 1500
    for share in (0.0, 0.1, 0.4, 0.95):
        root = np.linalg.cholesky(whole_cov(borders, n, share))
        held = np.zeros((number, 2), dtype=bool)
        for k, y in enumerate((root @ rng.normal(size=(n, number))).T):
            found = least_squares(y, design)
            slope, error = float(found.params[1]), float(found.std_error[1])
            near = Regression(design, found.residuals, 1)
            numbers = spatial_numbers(slope, error, near, borders, found.freedom)
            held[k] = numbers["spatial_lower"] < 0 < numbers["spatial_upper"], abs(slope) < 1.98 * error
        spatial, plain = held.mean(axis=0)
        # A share of 1,500 has a standard error of 0.6 points.
        assert 0.93 <= spatial <= 0.97, (share, spatial)
        assert adjusted or share < 0.3 or plain < 0.82
