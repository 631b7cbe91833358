"""Outcome models against published answers, explicit matrices and simulation."""

import numpy as np
import pytest

from gwm_models.data.edition import load_edition, published_std_error, unit_values
from gwm_models.errors import ModelError
from gwm_models.models.healthy_life import central_slopes, draw_slopes, fit_health
from gwm_models.models.slopes import cross_section, joint_correlation, two_way_residual, within_units


@pytest.fixture(scope="module")
def fits():
    return fit_health(load_edition())


@pytest.mark.parametrize(("sex", "slope", "error"), [(0, 3.16, 0.20), (1, 3.52, 0.25)], ids=["male", "female"])
def test_plain_cross_section_on_116_units_gives_the_known_slopes(fits, sex, slope, error):
    plain = fits[sex].alternatives[1]
    assert plain.n == 116
    assert plain.estimate == pytest.approx(slope, abs=0.005)
    assert plain.std_error == pytest.approx(error, abs=0.005)


@pytest.mark.parametrize(
    ("sex", "between", "within", "error"), [(0, 6.7, 0.81, 0.36), (1, 7.7, 0.96, 0.37)], ids=["male", "female"]
)
def test_slopes_on_access_points_between_and_within_areas(fits, sex, between, within, error):
    fit = fits[sex]
    assert fit.between_access.estimate == pytest.approx(between, abs=0.05)
    assert fit.within_access.estimate == pytest.approx(within, abs=0.005)
    assert fit.within_access.std_error == pytest.approx(error, abs=0.005)
    assert fit.within_access.n == 1164


def test_weighted_slope_equals_explicit_matrices():
    edition = load_edition()
    unit, merge = edition.areas.units()
    for fit in fit_health(edition):
        outcome = fit.outcome
        rows = unit_values("outcomes", outcome.variable, outcome.period, unit, sex=outcome.sex)
        error = published_std_error(rows)
        keep = np.isfinite(error)
        y, w = rows["value"][keep], 1 / error[keep] ** 2
        x = np.column_stack([np.ones(keep.sum()), (merge @ edition.total)[keep] / 100])
        bread = np.linalg.inv(x.T @ (w[:, None] * x))
        slope = bread @ x.T @ (w * y)
        leverage = w * np.einsum("ij,jk,ik->i", x, bread, x)
        meat = (x * (w * (y - x @ slope) / (1 - leverage))[:, None] ** 2).T @ x
        assert fit.between.estimate == pytest.approx(slope[1], abs=1e-8)
        assert fit.between.std_error == pytest.approx(np.sqrt((bread @ meat @ bread)[1, 1]), abs=1e-8)
        assert np.sum(fit.between.influence**2) == pytest.approx(fit.between.std_error**2)


def test_no_fit_counts_a_shared_unit_twice_and_exclusions_are_named(fits):
    for fit in fits:
        for slope in fit.slopes():
            assert len(set(slope.cluster)) == len(slope.cluster) <= 117
        assert fit.between.n == 116
        assert fit.between.excluded == ("Northamptonshire (no published limits)",)


def test_within_slope_of_a_balanced_panel_is_the_demeaned_one():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(30, 6))
    y = 2 * x + rng.normal(size=(30, 1)) + rng.normal(size=6) + rng.normal(size=(30, 6))

    def demean(a):
        return a - a.mean(0) - a.mean(1, keepdims=True) + a.mean()

    fit = within_units(y, x)
    left, right = demean(x), demean(y)
    slope = (left * right).sum() / (left**2).sum()
    assert fit.estimate == pytest.approx(slope, abs=1e-10)
    score = (left * (right - slope * left)).sum(axis=1) / (left**2).sum()
    factor = 30 / 29 * (180 - 1) / (180 - 36)
    assert fit.std_error == pytest.approx(np.sqrt(factor * (score**2).sum()), abs=1e-10)
    assert fit.influence == pytest.approx(score, abs=1e-10)
    assert two_way_residual(x) == pytest.approx(left, abs=1e-10)


def test_within_slope_ignores_what_is_constant_in_an_area_or_a_year():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 25, 5))
    plain = within_units(y, x)
    moved = within_units(y + rng.normal(size=(25, 1)) * 50 + np.arange(5) * 9, x + rng.normal(size=(25, 1)))
    assert moved.estimate == pytest.approx(plain.estimate, abs=1e-9)


def test_slopes_of_one_population_are_drawn_together(fits):
    slopes = [fit.between for fit in fits]
    correlation = joint_correlation(slopes)
    assert np.diag(correlation) == pytest.approx([1, 1])
    assert 0.3 < correlation[0, 1] < 0.9
    draws = draw_slopes(fits, n_draws=20_000, seed=1)
    assert 100 * draws.between.mean(axis=0) == pytest.approx([s.estimate for s in slopes], abs=0.01)
    assert 100 * draws.between.std(axis=0) == pytest.approx([s.std_error for s in slopes], rel=0.03)
    assert np.corrcoef(draws.between.T)[0, 1] == pytest.approx(correlation[0, 1], abs=0.02)


def test_the_within_share_lies_between_no_correction_and_the_classical_one(fits):
    draws = draw_slopes(fits, n_draws=4000, seed=1)
    for o, fit in enumerate(fits):
        across = fit.between_access.estimate / fit.reliability_between
        none = fit.within_access.estimate / across
        full = none / fit.reliability_within
        assert none < np.median(draws.within_share[:, o]) < full
        assert none < central_slopes(fits).within_share[0, o] < full


def test_the_same_seed_gives_the_same_slopes(fits):
    first, again, other = (draw_slopes(fits, n_draws=50, seed=seed).within_share for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("x", "message"),
    [(np.arange(5.0), "needs 10 areas or more with figures; there are 5"), (np.ones(20), "same in every area")],
)
def test_a_fit_that_cannot_be_made_is_refused(x, message):
    with pytest.raises(ModelError, match=message):
        cross_section(np.arange(float(len(x))), x)


@pytest.mark.slow
def test_intervals_of_the_within_slope_cover_as_often_as_they_say():
    rng = np.random.default_rng(11)
    covered = []
    for _ in range(400):
        x = rng.normal(size=(117, 10)) + rng.normal(size=(117, 1))
        noise = rng.normal(size=(117, 10)) + 0.7 * rng.normal(size=(117, 1)) * x
        fit = within_units(0.5 * x + rng.normal(size=(117, 1)) + noise, x)
        covered.append(abs(fit.estimate - 0.5) < 1.96 * fit.std_error)
    assert 0.92 <= np.mean(covered) <= 0.98


@pytest.mark.slow
def test_intervals_of_the_weighted_slope_cover_as_often_as_they_say():
    rng = np.random.default_rng(12)
    covered = []
    for _ in range(1000):
        x, error = rng.normal(size=116), rng.uniform(0.6, 1.6, 116)
        y = 3 * x + rng.normal(size=116) * np.sqrt(error**2 + 1.5**2)
        fit = cross_section(y, x, 1 / error**2)
        covered.append(abs(fit.estimate - 3) < 1.96 * fit.std_error)
    assert 0.93 <= np.mean(covered) <= 0.97
