"""Slopes within areas: known answers, explicit matrices, other programs, laws, and simulation."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.models.outcomes import OUTCOMES, TOPICS, find_outcome
from gwm_models.models.panel.counts import poisson_effects, poisson_within_between
from gwm_models.models.panel.fits import (
    ONE_YEAR,
    OVER_WINDOW,
    RHO,
    RHOS,
    access_error,
    access_over_window,
    corrected,
    corrected_window,
    every_error,
)
from gwm_models.models.panel.noise import (
    corrected_within,
    difference_reliability,
    fill_errors,
    mean_reliability,
    noise_cov,
    shared_error_slope,
    simex,
    wave_correlation,
)
from gwm_models.models.panel.parts import THREE_TO_ONE, access, moves, signed
from gwm_models.models.panel.specs import SPECS
from gwm_models.models.panel.table import ACCESS, PANEL_OUTCOMES, load_panel, place_of
from gwm_models.models.panel.within import (
    PanelFit,
    differences,
    fixed_effects,
    leave_one_out,
    two_way,
    within_between,
)

SPEC = {spec.id: spec for spec in SPECS}
CAUSAL = re.compile(r"\b(effect|impact|leads? to|causes?|caused|because of|thanks to|improves)\b", re.IGNORECASE)


def panel(seed=1, units=14, years=6, k=2, gaps=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(k, units, years)) + rng.normal(size=(k, units, 1))
    y = x.sum(axis=0) + rng.normal(size=(units, 1)) + rng.normal(size=years) + rng.normal(size=(units, years))
    if gaps:
        y[rng.random(y.shape) < 0.12] = np.nan
        x[0, 3, 1] = np.nan
    return y, x


def long_form(y, x):
    """Return the cells with all figures as rows: outcome, exposures, unit, year, dummies of both."""
    seen = np.isfinite(y) & np.isfinite(x).all(axis=0)
    unit, year = np.nonzero(seen)
    dummies = np.column_stack([np.eye(y.shape[0])[unit], np.eye(y.shape[1])[year][:, 1:]])
    return y[seen], x[:, seen].T, unit, year, dummies


def clustered(design, error, bread, unit):
    scores = np.array([design[unit == u].T @ error[unit == u] for u in np.unique(unit)])
    g, n, p = len(scores), len(error), design.shape[1]
    return g / (g - 1) * (n - 1) / (n - p) * bread @ scores.T @ scores @ bread


@pytest.mark.parametrize(
    ("name", "slope", "error"),
    [("healthy_life_expectancy_male", 0.81, 0.36), ("healthy_life_expectancy_female", 0.96, 0.37)],
)
def test_the_known_slopes_within_areas_come_out(name, slope, error):
    fit = SPEC["within"].make(load_edition(), find_outcome(name))
    assert fit.n == 1164
    assert len(fit.sample) == 117
    assert fit.estimate[0] == pytest.approx(slope, abs=0.005)
    assert fit.std_error[0] == pytest.approx(error, abs=0.005)
    assert fit.period == "2009-11 to 2018-20 on 2010 to 2019"


def test_fixed_effects_equal_explicit_matrices():
    y, x = panel(seed=2)
    found, nested = fixed_effects(y, x), fixed_effects(y, x, count_units=False)
    outcome, exposure, unit, _, dummies = long_form(y, x)
    design = np.column_stack([exposure, dummies])
    bread = np.linalg.inv(design.T @ design)
    coef = bread @ design.T @ outcome
    cov = clustered(design, outcome - design @ coef, bread, unit)
    assert found.coef == pytest.approx(coef[:2], abs=1e-8)
    assert found.cov == pytest.approx(cov[:2, :2], abs=1e-8)
    assert found.n == len(outcome)
    factor, fewer = (one.cov[0, 0] / (found.influence[0] ** 2).sum() for one in (found, nested))
    assert factor == pytest.approx(14 / 13 * (found.n - 1) / (found.n - 2 - 14 - 5), abs=1e-10)
    assert fewer == pytest.approx(14 / 13 * (found.n - 1) / (found.n - 2 - 1 - 5), abs=1e-10)


def test_a_unit_seen_once_is_not_used_and_not_counted():
    y, x = panel(seed=2)
    y[5, 1:] = np.nan
    rest = np.arange(14) != 5
    found, without = fixed_effects(y, x), fixed_effects(y[rest], x[:, rest])
    assert not found.used[5]
    assert found.n == without.n
    assert found.freedom == without.freedom == 12
    assert found.coef == pytest.approx(without.coef, abs=1e-10)
    assert found.cov == pytest.approx(without.cov, abs=1e-10)


def test_fixed_effects_on_real_data_equal_another_program():
    linear = pytest.importorskip("linearmodels.panel")
    pd = pytest.importorskip("pandas")
    real = load_panel(load_edition(), find_outcome("healthy_life_expectancy_female"))
    x = access(real)[None]
    outcome, exposure, unit, year, _ = long_form(real.value, x)
    index = pd.MultiIndex.from_arrays([unit, year])
    theirs = linear.PanelOLS(
        pd.Series(outcome, index), pd.DataFrame({"x": exposure[:, 0]}, index), entity_effects=True, time_effects=True
    ).fit(cov_type="clustered", cluster_entity=True, debiased=True, group_debias=True)
    found = fixed_effects(real.value, x)
    assert found.coef[0] == pytest.approx(theirs.params["x"], abs=1e-8)
    assert found.std_error[0] == pytest.approx(theirs.std_errors["x"], rel=1e-8)


def test_fixed_effects_equal_statsmodels_with_dummies():
    sm = pytest.importorskip("statsmodels.api")
    y, x = panel(seed=2)
    outcome, exposure, unit, _, dummies = long_form(y, x)
    theirs = sm.OLS(outcome, np.column_stack([exposure, dummies])).fit(
        method="qr", cov_type="cluster", cov_kwds={"groups": unit}
    )
    found = fixed_effects(y, x)
    assert found.coef == pytest.approx(theirs.params[:2], abs=1e-8)
    assert found.std_error == pytest.approx(theirs.bse[:2], abs=1e-8)


def test_with_two_years_fixed_effects_are_the_slope_of_the_changes():
    y, x = panel(years=2, k=1, gaps=False)
    change, moved = np.diff(y)[:, 0], np.diff(x[0])[:, 0]
    slope = np.cov(moved, change)[0, 1] / moved.var(ddof=1)
    assert fixed_effects(y, x).coef[0] == pytest.approx(slope, abs=1e-10)
    assert differences(y, x[0], 1).coef[0] == pytest.approx(slope, abs=1e-10)


def test_differences_equal_explicit_matrices():
    y, x = panel(seed=3, k=1)
    dy, dx = y[:, 3:] - y[:, :-3], x[0][:, 3:] - x[0][:, :-3]
    seen = np.isfinite(dy) & np.isfinite(dx)
    unit, year = np.nonzero(seen)
    design = np.column_stack([dx[seen], np.eye(3)[year]])
    bread = np.linalg.inv(design.T @ design)
    coef = bread @ design.T @ dy[seen]
    cov = clustered(design, dy[seen] - design @ coef, bread, unit)
    found = differences(y, x[0], 3)
    assert found.coef[0] == pytest.approx(coef[0], abs=1e-10)
    assert found.cov[0, 0] == pytest.approx(cov[0, 0], abs=1e-10)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(0.1, 50))
def test_what_is_constant_in_a_unit_or_a_year_does_not_matter_and_units_of_measure_scale(seed, a, b):
    y, x = panel(seed)
    rng = np.random.default_rng(seed)
    plain = fixed_effects(y, x)
    shift = rng.normal(size=(14, 1)) * 9 + rng.normal(size=6) * 9
    moved = fixed_effects(a * y + shift, b * x + rng.normal(size=(2, 14, 1)) + rng.normal(size=(2, 1, 6)))
    assert moved.coef == pytest.approx(a / b * plain.coef, rel=1e-6, abs=1e-7 * a / b)
    assert moved.std_error == pytest.approx(a / b * plain.std_error, rel=1e-6)


def test_the_projection_block_of_each_unit_is_that_of_the_whole_projection():
    y, _ = panel()
    seen = np.isfinite(y)
    effects = two_way(seen)
    *_, dummies = long_form(y, np.zeros((1, *y.shape)))
    whole = np.eye(seen.sum()) - dummies @ np.linalg.pinv(dummies)
    unit, year = np.nonzero(seen)
    for u in range(len(y)):
        rows = np.flatnonzero(unit == u)
        block = effects.blocks()[u][np.ix_(year[rows], year[rows])]
        assert block == pytest.approx(whole[np.ix_(rows, rows)], abs=1e-10)
    assert effects.rank == np.linalg.matrix_rank(dummies)


def test_within_in_the_joint_model_is_the_fixed_effects_slope_when_nothing_is_missing():
    y, x = panel(k=1, gaps=False)
    joint = within_between(y, x[0])
    assert joint.coef[0] == pytest.approx(fixed_effects(y, x).coef[0], abs=1e-10)
    means, level = x[0].mean(axis=1), y.mean(axis=1)
    across = np.cov(means, level)[0, 1] / means.var(ddof=1)
    assert joint.coef[1] == pytest.approx(across, abs=1e-10)
    assert joint.coef[2] == pytest.approx(across - joint.coef[0], abs=1e-12)
    contrast = joint.cov[0, 0] + joint.cov[1, 1] - 2 * joint.cov[0, 1]
    assert joint.cov[2, 2] == pytest.approx(contrast, abs=1e-12)


def test_the_joint_model_equals_generalised_least_squares_written_out():
    y, x = panel(seed=5, k=1)
    outcome, exposure, unit, year, dummies = long_form(y, x)
    number = np.bincount(unit)
    mean = (np.bincount(unit, exposure[:, 0]) / number)[unit]
    years = np.eye(6)[year]
    design = np.column_stack([exposure[:, 0] - mean, mean, years])
    inner = np.column_stack([exposure[:, 0], dummies])
    left = outcome - inner @ np.linalg.lstsq(inner, outcome, rcond=None)[0]
    own = left @ left / (len(outcome) - inner.shape[1])
    average = np.array([design[unit == u].mean(axis=0) for u in range(14)])[:, 1:]
    level = np.bincount(unit, outcome) / number
    spread = level - average @ np.linalg.lstsq(average, level, rcond=None)[0]
    between = spread @ spread / (14 - np.linalg.matrix_rank(average)) - own * np.mean(1 / number)
    assert between > 0
    weight = np.linalg.inv(own * np.eye(len(unit)) + between * (unit[:, None] == unit))
    bread = np.linalg.inv(design.T @ weight @ design)
    coef = bread @ design.T @ weight @ outcome
    error = weight @ (outcome - design @ coef)
    cov = clustered(design, error, bread, unit)
    found = within_between(y, x[0])
    assert found.coef[:2] == pytest.approx(coef[:2], abs=1e-8)
    assert found.cov[:2, :2] == pytest.approx(cov[:2, :2], abs=1e-8)


def counts(seed=1, units=15, years=7):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, units, years))
    rate = np.exp(2 + rng.normal(size=(units, 1)) + 0.2 * rng.normal(size=years) + 0.3 * x[0] - 0.1 * x[1])
    y = rng.poisson(rate).astype(float)
    y[0] = 0
    y[2, 3] = np.nan
    return y, x


def test_counts_within_units_equal_a_poisson_model_with_dummies():
    sm = pytest.importorskip("statsmodels.api")
    y, x = counts()
    outcome, exposure, unit, _, dummies = long_form(y[1:], x[:, 1:])
    design = np.column_stack([exposure, dummies])
    theirs = sm.GLM(outcome, design, family=sm.families.Poisson()).fit(
        tol=1e-14, cov_type="cluster", cov_kwds={"groups": unit}
    )
    found = poisson_effects(y, x)
    assert found.coef == pytest.approx(theirs.params[:2], abs=1e-8)
    assert found.std_error == pytest.approx(theirs.bse[:2], abs=1e-8)
    assert not found.used[0]
    assert found.n == len(outcome)


def test_a_population_that_stays_the_same_does_not_matter_to_counts():
    y, x = counts()
    many = np.where(np.arange(15)[:, None] < 5, 7.0, 1.0)
    two_way_sum = poisson_effects(y, x + many)
    assert two_way_sum.coef == pytest.approx(poisson_effects(y, x).coef, abs=1e-8)
    assert poisson_effects(y, 10 * x).coef == pytest.approx(poisson_effects(y, x).coef / 10, abs=1e-9)


def test_counts_within_and_between_equal_a_poisson_model_with_means():
    sm = pytest.importorskip("statsmodels.api")
    y, x = counts()
    people = np.random.default_rng(2).uniform(1e4, 1e6, 15)
    outcome, exposure, unit, year, _ = long_form(y, x[:1])
    mean = (np.bincount(unit, exposure[:, 0]) / np.bincount(unit))[unit]
    design = np.column_stack([exposure[:, 0] - mean, mean, np.eye(7)[year]])
    model = sm.GLM(outcome, design, family=sm.families.Poisson(), offset=np.log(people)[unit])
    theirs = model.fit(tol=1e-14, cov_type="cluster", cov_kwds={"groups": unit})
    found = poisson_within_between(y, x[0], people)
    assert found.coef[:2] == pytest.approx(theirs.params[:2], abs=1e-8)
    assert found.std_error[:2] == pytest.approx(theirs.bse[:2], abs=1e-8)
    assert found.coef[2] == pytest.approx(theirs.params[1] - theirs.params[0], abs=1e-8)


def test_sums_of_coefficients_have_the_variance_of_the_sum():
    y, x = panel()
    fit = fixed_effects(y, x)
    both = fit.combine(np.ones((1, 2)))
    assert both.coef[0] == pytest.approx(fit.coef.sum())
    assert both.cov[0, 0] == pytest.approx(fit.cov.sum())
    assert both.influence[0] == pytest.approx(fit.influence.sum(axis=0))


def test_leaving_one_out_is_fitting_the_others():
    y, x = panel(k=1)
    without = leave_one_out(y, x)
    rest = np.arange(14) != 4
    assert without[4] == fixed_effects(y[rest], x[:, rest]).coef[0]
    assert len(without) == 14


@pytest.mark.parametrize("fit", [fixed_effects, poisson_effects])
def test_a_fit_that_cannot_be_made_is_refused(fit):
    y, x = counts()
    with pytest.raises(ModelError, match=r"needs 10 units or more .* there are 5"):
        fit(y[1:6], x[:, 1:6])
    with pytest.raises(ModelError, match="does not move within units"):
        fit(y, np.array([x[0], x[0].mean(axis=1, keepdims=True) + 0 * x[0]]))
    with pytest.raises(ModelError, match="does not move within units"):
        fit(y, np.array([x[0], 2 * x[0] + np.arange(7)]))
    with pytest.raises(ModelError, match="there are 0"):
        fit(np.full(y.shape, np.nan), x)


def test_changes_without_both_years_are_refused():
    y, x = panel(k=1)
    y[:, :3] = np.nan
    with pytest.raises(ModelError, match="changes over 4 years needs 10 units or more"):
        differences(y, x[0], 4)


def test_without_noise_the_correction_is_the_fixed_effects_slope():
    y, x = panel(k=1)
    plain = fixed_effects(y, x)
    found = corrected_within(y, x[0], np.zeros((14, 6, 6)))
    assert found.reliability == 1
    assert found.fit.coef == pytest.approx(plain.coef, abs=1e-12)
    assert found.fit.cov == pytest.approx(plain.cov, abs=1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_the_noise_taken_out_is_what_the_projection_leaves_of_it(rho):
    y, x = panel(k=1)
    error = np.random.default_rng(2).uniform(0.1, 0.5, y.shape)
    correlation = wave_correlation(6, rho)
    _, exposure, unit, year, dummies = long_form(y, x)
    seen = np.isfinite(y) & np.isfinite(x[0])
    project = np.eye(len(unit)) - dummies @ np.linalg.pinv(dummies)
    spread = error[seen]
    cov = np.outer(spread, spread) * correlation[np.ix_(year, year)] * (unit[:, None] == unit)
    reliability = 1 - np.trace(project @ cov) / (exposure[:, 0] @ project @ exposure[:, 0])
    found = corrected_within(y, x[0], noise_cov(error, correlation))
    assert found.reliability == pytest.approx(reliability, abs=1e-10)
    assert found.fit.coef[0] == pytest.approx(fixed_effects(y, x).coef[0] / reliability, abs=1e-10)


def test_the_more_lasting_the_noise_the_less_is_left_of_it():
    real = load_panel(load_edition(), find_outcome("healthy_life_expectancy_male"))
    x, error = access(real), access_error(real)
    shares = [corrected_within(real.value, x, noise_cov(error, wave_correlation(10, rho))).reliability for rho in RHOS]
    assert (np.diff(shares) > 0).all()
    assert shares[0] == pytest.approx(0.297, abs=0.001)
    six = [difference_reliability(real.value, x, error, 6, wave_correlation(10, rho)) for rho in (0, 0.7)]
    assert six[0] == six[1]


def test_the_noise_of_an_area_mean_is_that_of_its_years_together():
    x = np.array([[1.0, 3.0], [4.0, 4.0], [9.0, np.nan], [np.nan, np.nan]])
    correlation = np.array([[1.0, 0.5], [0.5, 1.0]])
    error = np.array([[0.2, 0.4], [0.6, 0.2], [0.8, np.nan], [0.1, 0.1]])
    noise = [(0.04 + 0.16 + 0.08) / 4, (0.36 + 0.04 + 0.12) / 4, 0.64]
    expected = 1 - np.mean(noise) / np.var([2, 4, 9], ddof=1)
    assert mean_reliability(x, error, correlation) == pytest.approx(expected, abs=1e-12)


def test_noise_that_explains_all_movement_is_refused():
    y, x = panel(k=1)
    with pytest.raises(ModelError, match="the slope without noise cannot be told"):
        corrected_within(y, x[0], noise_cov(np.full_like(y, 1.2), np.eye(6)))


def test_noise_of_neighbouring_years_is_correlated_as_households_stay_four_waves():
    for rho in (0.0, 0.3, 0.75):
        matrix = wave_correlation(12, rho)
        assert np.linalg.eigvalsh(matrix).min() > -1e-12
        assert matrix[0, :5] == pytest.approx([1, rho, 2 / 3 * rho, rho / 3, 0])
    with pytest.raises(ValueError, match=r"rho must lie between 0 and 0.75; got 0.9"):
        wave_correlation(5, 0.9)


def test_units_without_limits_take_the_noise_that_a_related_figure_suggests():
    error = np.array([[2.0, 4.0], [6.0, np.nan], [np.nan, np.nan]])
    guide = np.array([[1.0, 2.0], [3.0, 5.0], [7.0, np.nan]])
    filled = fill_errors(error, guide)
    assert filled[:, 0].tolist() == [2.0, 6.0, 14.0]
    assert filled[1, 1] == 10.0
    assert filled[2, 1] == pytest.approx(np.sqrt((16 + 100) / 2))


def test_the_rational_curve_of_simulated_noise_ends_near_the_classical_correction():
    real = load_panel(load_edition(), find_outcome("healthy_life_expectancy_male"))
    figures = (real.value, access(real), noise_cov(access_error(real), wave_correlation(10, RHO)))
    second = simex(*figures, keyed_rng(1, "simex"))
    exact = corrected_within(*figures).fit.coef[0]
    naive = fixed_effects(real.value, access(real)[None]).coef[0]
    assert second.slope[0] == pytest.approx(naive, abs=1e-10)
    assert (np.diff(second.slope) < 0).all()
    assert second.rational == pytest.approx(exact, rel=0.03)
    assert naive < second.quadratic < exact


def test_simulated_noise_of_no_size_changes_nothing():
    y, x = panel(k=1)
    found = simex(y, x[0], np.zeros((14, 6, 6)), keyed_rng(1, "simex"), n_draws=3)
    assert found.slope == pytest.approx(np.full(5, fixed_effects(y, x).coef[0]), abs=1e-10)
    assert found.quadratic == pytest.approx(found.slope[0], abs=1e-8)
    assert np.isnan(found.rational)


@pytest.mark.parametrize("name", PANEL_OUTCOMES)
def test_every_specification_of_every_outcome_explains_itself(name):
    outcome = find_outcome(name)
    offered = [spec for spec in SPECS if spec.applies(outcome)]
    assert len(offered) == (5 if outcome.kind == "count" else 9)
    for spec in offered:
        fit = spec.make(load_edition(), outcome)
        assert (fit.spec, spec.family) == (spec.id, "panel")
        assert np.isfinite(fit.estimate).all()
        assert (fit.lower < fit.upper).all()
        assert len(set(fit.sample)) == len(fit.sample) == len(fit.influence)
        for text in (fit.found, fit.not_shown):
            assert text.endswith(".")
            assert text.count(". ") == 0
            assert not CAUSAL.search(text), text
        assert re.search(r"\d", fit.found)
        assert len(fit.rows()) == len(fit.term) == len(fit.unit)
        if fit.focus:
            focus = fit.place()
            factor = fit.cov[focus, focus] / (fit.influence**2).sum()
            assert 1 < factor < 1.3


def test_a_specification_that_does_not_apply_is_refused():
    counted, one_year = find_outcome("drug_poisoning_deaths"), find_outcome("furlough_takeup")
    assert not SPEC["windows"].applies(counted)
    assert not any(spec.applies(subject) for spec in SPECS for subject in (one_year, *TOPICS))
    assert {outcome.id for outcome in OUTCOMES if SPEC["within"].applies(outcome)} == set(PANEL_OUTCOMES)
    with pytest.raises(ModelError, match=r"cannot be fitted as 'windows'"):
        SPEC["windows"].make(load_edition(), counted)


def test_the_same_seed_gives_the_same_bootstrap_and_another_nearly_the_same():
    outcome = find_outcome("healthy_life_expectancy_male")
    one, again, other = (
        SPEC["within"].make(load_edition(), outcome, seed=seed).diagnostics["wild_lower"] for seed in (1, 1, 2)
    )
    assert one == again != other
    assert one == pytest.approx(other, abs=0.05)


def test_the_corrected_slope_is_shown_under_every_assumption():
    fit = SPEC["within-corrected"].make(load_edition(), find_outcome("healthy_life_expectancy_male"))
    rows = {(row["access"], row["noise_correlation"]): row for row in fit.tables["noise"]}
    assert set(rows) == {(which, rho) for which in (OVER_WINDOW, ONE_YEAR) for rho in RHOS}
    assert rows[OVER_WINDOW, RHO]["estimate"] == fit.estimate[0]
    real = load_panel(load_edition(), find_outcome("healthy_life_expectancy_male"))
    for which, x in ((OVER_WINDOW, access_over_window(real)), (ONE_YEAR, access(real))):
        plain = fixed_effects(real.value, x[None]).coef[0]
        for rho in RHOS:
            row = rows[which, rho]
            assert row["estimate"] == pytest.approx(plain / row["reliability"], rel=1e-9)
    assert signed(real, corrected(real, RHO).fit, 0) in fit.found
    assert f"{fit.estimate[0]:.1f} years higher" in fit.found
    assert fit.period == "2009-11 to 2017-19 on 2010 to 2018"
    shared = fit.tables["shared_survey_error"]
    assert shared[0]["estimate"] == pytest.approx(fit.estimate[0])
    per = (shared[0]["estimate"] - shared[1]["estimate"]) / 0.05
    x, pad = access_over_window(real), np.full((117, 1), np.nan)
    error = np.hstack([every_error(real)[:, real.exposure_year.index(2009) :], pad])
    alone = shared_error_slope(real.value, x, real.value_error, error, RHO, 3, averaged=True)
    assert per == pytest.approx(alone / rows[OVER_WINDOW, RHO]["reliability"], rel=1e-9)
    enough = fit.diagnostics["error_correlation_that_gives_the_slope"]
    assert shared[0]["estimate"] - enough * per == pytest.approx(0, abs=1e-9)
    assert f"errors correlated {enough:.2f} would give it alone" in " ".join(fit.assumptions)
    assert (
        "shared_survey_error"
        not in SPEC["within-corrected"].make(load_edition(), find_outcome("life_expectancy_male")).tables
    )


def test_the_noise_of_a_three_year_average_is_that_of_its_years():
    outcome = find_outcome("healthy_life_expectancy_male")
    real = load_panel(load_edition(), outcome)
    rows = SPEC["window-exposure"].make(load_edition(), outcome).tables["survey_noise_taken_out"]
    average = np.zeros((8, 10))
    for t in range(8):
        average[t, t : t + 3] = 1 / 3
    inner = slice(1, 9)
    x, each = access(real) @ average.T, noise_cov(access_error(real), wave_correlation(10, RHO))
    found = corrected_within(real.value[:, inner], x, average @ each @ average.T)
    full = corrected_within(real.value[:, :9], real.over_window("access")[:, :9] / 100, np.zeros((117, 9, 9)))
    (row,) = [row for row in rows if row["noise_correlation"] == RHO]
    assert row["estimate"] == pytest.approx(full.fit.coef[0] / row["reliability"], rel=1e-9)
    assert row["reliability"] == pytest.approx(found.reliability, abs=0.03)
    assert 0.4 < row["reliability"] < 0.6


def test_counts_are_told_in_per_cent_of_their_rate_with_decimals_of_the_interval_that_is_told():
    counted = load_panel(load_edition(), find_outcome("drug_poisoning_deaths"))
    influence, used = np.zeros((1, 117)), np.ones(117, dtype=bool)
    one = PanelFit(np.array([-0.8]), np.array([[0.04]]), influence, used, 1000)
    reach = 1.980626 * 0.2
    told = [100 * (np.exp(value) - 1) for value in (-0.8, -0.8 - reach, -0.8 + reach)]
    assert told == pytest.approx([-55.1, -69.8, -33.2], abs=0.05)
    assert signed(counted, one, 0) == "-55.1% (-69.8 to -33.2)"
    wide = PanelFit(np.array([0.8]), np.array([[0.16]]), influence, used, 1000)
    assert signed(counted, wide, 0) == "+123% (+1 to +391)"
    level = load_panel(load_edition(), find_outcome("life_expectancy_male"))
    assert signed(level, one, 0) == "-0.80 years (-1.20 to -0.40)"


def test_slopes_for_100_points_say_how_far_areas_move():
    y, x = panel(k=1, gaps=False)
    left = x[0] - x[0].mean(axis=0) - x[0].mean(axis=1, keepdims=True) + x[0].mean()
    assert moves(y, x[0]).endswith(f"areas move by about {100 * left.std():.0f}")
    assert moves(y, 3 * x[0]).endswith(f"areas move by about {300 * left.std():.0f}")
    for name in PANEL_OUTCOMES:
        outcome = find_outcome(name)
        found = SPEC["within"].make(load_edition(), outcome).found
        size = int(re.search(r"scaled up: beyond what moves everywhere, areas move by about (\d+)\)", found)[1])
        assert 14 <= size <= 16


def test_three_years_of_outcome_on_one_of_access_are_declared():
    level, counted = find_outcome("healthy_life_expectancy_male"), find_outcome("drug_poisoning_deaths")
    for name in ("within", "between-within", "windows", "long-differences"):
        assert THREE_TO_ONE in SPEC[name].make(load_edition(), level).assumptions
    for name in ("within-corrected", "window-exposure"):
        assert THREE_TO_ONE not in SPEC[name].make(load_edition(), level).assumptions
    assert THREE_TO_ONE not in SPEC["within"].make(load_edition(), counted).assumptions


def test_the_cumulative_slope_is_the_sum_of_its_lags():
    fit = SPEC["lags"].make(load_edition(), find_outcome("healthy_life_expectancy_female"))
    assert fit.estimate[-1] == pytest.approx(fit.estimate[:-1].sum())
    assert fit.cov[-1, -1] == pytest.approx(fit.cov[:-1, :-1].sum())
    profile = {row["access_years_later"]: row for row in fit.tables["one_year_at_a_time"]}
    within = SPEC["within"].make(load_edition(), find_outcome("healthy_life_expectancy_female"))
    assert profile[0]["estimate"] == within.estimate[0]


def country(rng, units=117, years=10, slope=0.5):
    """Return an outcome in overlapping windows, an exposure that lasts, and slopes that differ between units."""
    x = rng.normal(size=(units, years)) + rng.normal(size=(units, 1)) + 0.3 * rng.normal(size=years)
    each = rng.normal(size=(units, years + 2))
    noise = (each[:, :-2] + each[:, 1:-1] + each[:, 2:]) / 1.7 + 0.3 * rng.normal(size=(units, 1)) * x
    return slope * x + 2 * rng.normal(size=(units, 1)) + noise, x


@pytest.mark.slow
def test_intervals_within_areas_cover_as_often_as_they_say():
    rng = np.random.default_rng(11)
    covered = []
    for _ in range(2000):
        y, x = country(rng)
        y[rng.random(y.shape) < 0.02] = np.nan
        found = fixed_effects(y, x[None])
        changes = differences(y, x, 6)
        apart = fixed_effects(y[:, 1::3], x[None][:, :, 1::3], count_units=False)
        covered.append([abs(one.coef[0] - 0.5) < 1.98 * one.std_error[0] for one in (found, changes, apart)])
    assert ((np.mean(covered, axis=0) >= 0.93) & (np.mean(covered, axis=0) <= 0.97)).all()


@pytest.mark.slow
def test_intervals_of_within_and_between_together_cover_as_often_as_they_say():
    rng = np.random.default_rng(12)
    covered = []
    for _ in range(2000):
        y, x = country(rng)
        y = y + 1.5 * x.mean(axis=1, keepdims=True)
        y[rng.random(y.shape) < 0.05] = np.nan
        found = within_between(y, x)
        covered.append(np.abs(found.coef - [0.5, 2.0, 1.5]) < 1.98 * found.std_error)
    assert ((np.mean(covered, axis=0) >= 0.93) & (np.mean(covered, axis=0) <= 0.97)).all()


@pytest.mark.slow
def test_intervals_of_rate_ratios_cover_where_counts_vary_more_than_poisson():
    rng = np.random.default_rng(13)
    covered = []
    for _ in range(1000):
        x = rng.normal(size=(110, 10)) + rng.normal(size=(110, 1))
        rate = np.exp(2.5 + 0.5 * rng.normal(size=(110, 1)) + 0.1 * np.arange(10) + 0.1 * x)
        y = rng.poisson(rate * rng.gamma(8, 1 / 8, rate.shape)).astype(float)
        fits = (poisson_effects(y, x[None]), poisson_within_between(y, x, np.ones(110)))
        truth = ((0, 0.1), (1, 0.1))
        hit = [abs(fit.coef[j] - b) < 1.98 * fit.std_error[j] for fit, (j, b) in zip(fits, truth, strict=True)]
        covered.append(hit)
    assert ((np.mean(covered, axis=0) >= 0.93) & (np.mean(covered, axis=0) <= 0.97)).all()


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_the_correction_finds_a_known_slope_where_the_plain_one_does_not(rho):
    rng = np.random.default_rng(14)
    correlation = wave_correlation(10, rho)
    root = np.linalg.cholesky(correlation)
    error = rng.uniform(0.6, 1.4, (117, 10))
    covered, slopes, missed = [], [], []
    for _ in range(1000):
        y, true = country(rng, slope=2.0)
        x = true + error * (rng.normal(size=(117, 10)) @ root.T)
        found = corrected_within(y, x, noise_cov(error, correlation))
        plain = fixed_effects(y, x[None])
        covered.append(abs(found.fit.coef[0] - 2) < 1.98 * found.fit.std_error[0])
        missed.append(abs(plain.coef[0] - 2) < 1.98 * plain.std_error[0])
        slopes.append(found.fit.coef[0])
    assert 0.93 <= np.mean(covered) <= 0.97
    assert np.mean(slopes) == pytest.approx(2.0, abs=0.02)
    assert np.mean(missed) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("lasting", [0.3, 0.8])
def test_the_main_correction_finds_a_yearly_slope_behind_three_year_figures_and_one_year_of_access_does_not(lasting):
    real = load_panel(load_edition(), find_outcome("healthy_life_expectancy_male"))
    rng = np.random.default_rng(16)
    error, years = every_error(real), len(real.exposure_year)
    root = np.linalg.cholesky(wave_correlation(years, RHO))
    apart = np.abs(np.subtract.outer(np.arange(years + 1), np.arange(years + 1)))
    moved = np.linalg.cholesky(lasting**apart)
    first = real.exposure_year.index(real.year[0])
    slopes, covered = [], []
    for _ in range(2000):
        true = 0.6 * rng.normal(size=(117, 1)) + 0.12 * rng.normal(size=(117, years + 1)) @ moved.T
        seen = true[:, :-1] + error * (rng.normal(size=(117, years)) @ root.T)
        health = 2 * true + rng.normal(size=(117, 1)) + 0.5 * rng.normal(size=(117, years + 1))
        window = sum(health[:, first + shift : first + shift + 10] for shift in (-1, 0, 1)) / 3
        exposure = real.exposure.copy()
        exposure[place_of(ACCESS)] = 100 * seen
        made = replace(real, value=np.where(np.isfinite(real.value), window, np.nan), exposure=exposure)
        found = [corrected_window(made, access_over_window(made), RHO).fit, corrected(made, RHO).fit]
        slopes.append([one.coef[0] for one in found])
        covered.append([abs(one.coef[0] - 2) < 1.98 * one.std_error[0] for one in found])
    (over, single), (share, missed) = np.median(slopes, axis=0), np.mean(covered, axis=0)
    assert over == pytest.approx(2, abs=0.1)
    # A share of 2,000 has a standard error of 0.5 points.
    assert 0.93 <= share <= 0.97
    assert single < 1.6
    assert missed < 0.65


@pytest.mark.slow
@pytest.mark.parametrize("averaged", [False, True])
def test_errors_that_outcome_and_exposure_share_make_the_slope_that_is_said(averaged):
    rng = np.random.default_rng(15)
    rho, share = 0.35, 0.4
    root = np.linalg.cholesky(wave_correlation(12, rho))
    moving = rng.normal(size=(117, 10))
    naive, predicted = [], []
    for _ in range(600):
        asked = rng.normal(size=(117, 12)) @ root.T
        other = rng.normal(size=(117, 12)) @ root.T
        health = share * asked + np.sqrt(1 - share**2) * other
        window = (health[:, :-2] + health[:, 1:-1] + health[:, 2:]) / 3
        size = np.sqrt((3 + 4 * rho + 2 * rho * 2 / 3) / 9)
        mean = (asked[:, :-2] + asked[:, 1:-1] + asked[:, 2:]) / 3
        y, x = window, moving + (mean if averaged else asked[:, 1:-1])
        naive.append(fixed_effects(y, x[None]).coef[0])
        alone = shared_error_slope(y, x, np.full_like(y, size), np.ones((117, 12)), rho, 3, averaged=averaged)
        predicted.append(share * alone)
    assert np.mean(naive) == pytest.approx(np.mean(predicted), abs=4 * np.std(naive) / np.sqrt(600))
    assert np.mean(naive) > 0.05
