"""Partially pooled regions with known errors: fine integration, limits, and coverage by simulation."""

import numpy as np
import pytest
from binomial_band import may_be_within

from gwm_models.data.edition import load_edition
from gwm_models.errors import ModelError
from gwm_models.models.gaussian.errors_in_variables import GROUP_PRIOR_SD, PRIOR_SD, errors_in_variables
from gwm_models.models.gaussian.regions import region_fits
from gwm_models.models.gaussian.specs import SPECS
from gwm_models.models.outcomes import find_outcome

NAMES = np.array(["North", "South", "East", "West", "Mid", "Far", "High", "Low"])


def simulated(rng, n=116, slope=3.0, sd=1.4, region_sd=0.8, score_sd=0.5):
    region = np.arange(n) % 8
    x_error, y_error = rng.uniform(0.12, 0.38, n), rng.uniform(0.6, 1.3, n)
    true = 3 + (score_sd * rng.normal(size=8))[region] + 0.75 * rng.normal(size=n)
    outcome = 52 + slope * true + (region_sd * rng.normal(size=8))[region] + sd * rng.normal(size=n)
    return outcome + y_error * rng.normal(size=n), y_error, true + x_error * rng.normal(size=n), x_error, region


@pytest.mark.slow
def test_without_exposure_error_the_spread_between_regions_is_that_of_fine_integration():
    rng = np.random.default_rng(1)
    y, _, x, _, region = simulated(rng, n=64)
    fit = errors_in_variables(y, np.zeros(64), x, np.zeros(64), groups=region, n_draws=40_000)
    scale = y.std(ddof=1)
    own, shared = (a.ravel() for a in np.meshgrid(np.linspace(0.02, 1, 150), np.linspace(0.005, 2, 200), indexing="ij"))
    members = np.eye(8)[region]
    design, w = np.column_stack([np.ones(64), (x - x.mean()) / x.std(ddof=1)]), (y - y.mean()) / scale
    log_density, slope, slope_var = (np.empty(len(own)) for _ in range(3))
    for g in range(len(own)):
        inner = members.T @ members / own[g] ** 2 + np.eye(8) / shared[g] ** 2
        inverse = np.eye(64) / own[g] ** 2 - members @ np.linalg.inv(inner) @ members.T / own[g] ** 4
        log_det = 128 * np.log(own[g]) + 16 * np.log(shared[g]) + np.linalg.slogdet(inner)[1]
        bread = design.T @ inverse @ design
        mean = np.linalg.solve(bread, design.T @ inverse @ w)
        left = w @ inverse @ w - mean @ bread @ mean
        log_density[g] = -0.5 * (log_det + np.linalg.slogdet(bread)[1] + left)
        slope[g], slope_var[g] = mean[1], np.linalg.inv(bread)[1, 1]
    log_density -= 0.5 * ((own / PRIOR_SD) ** 2 + (shared / GROUP_PRIOR_SD) ** 2)
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    assert fit.group_sd.mean() / scale == pytest.approx(weight @ shared, rel=0.02)
    assert fit.residual_sd.mean() / scale == pytest.approx(weight @ own, rel=0.01)
    unit = scale / x.std(ddof=1)
    middle = weight @ slope
    assert fit.slope.mean() / unit == pytest.approx(middle, abs=0.005)
    assert fit.slope.std() / unit == pytest.approx(np.sqrt(weight @ (slope_var + (slope - middle) ** 2)), rel=0.03)


def test_regions_that_differ_widely_are_hardly_pooled_and_like_ones_nearly_wholly():
    rng = np.random.default_rng(2)
    y, v, x, s, region = simulated(rng, region_sd=0.0)
    apart = region_fits(y + 40.0 * region, v, x, s, NAMES[region], n_draws=1500)
    assert apart.pooled.slope.mean() == pytest.approx(apart.fixed.slope.mean(), abs=0.05)
    alike = region_fits(y, v, x, s, NAMES[region], n_draws=1500)
    assert np.abs(alike.pooled.group_effects.mean(axis=0)).max() < 0.6
    between = sorted((alike.fixed.slope.mean(), alike.without.slope.mean()))
    assert between[0] - 0.06 < alike.pooled.slope.mean() < between[1] + 0.06


def test_effects_of_regions_are_those_of_their_own_names():
    y, v, x, s, region = simulated(np.random.default_rng(3), region_sd=0.0)
    fits = region_fits(y + 6.0 * (NAMES[region] == "East"), v, x, s, NAMES[region], n_draws=1000)
    assert fits.region == tuple(sorted(NAMES))
    assert fits.region[int(fits.pooled.group_effects[:, :, 0].mean(axis=0).argmax())] == "East"


def test_too_few_regions_are_refused():
    y, v, x, s, region = simulated(np.random.default_rng(4), n=20)
    with pytest.raises(ModelError, match="needs 3 regions or more; there are 2 \\(North, South\\)"):
        region_fits(y, v, x, s, NAMES[region % 2])


def test_the_fit_of_real_figures_sets_three_treatments_of_regions_side_by_side():
    spec = next(spec for spec in SPECS if spec.id == "regions-pooled")
    fit = spec.make(load_edition(), find_outcome("healthy_life_expectancy_male"), n_draws=2000)
    pooled, fixed, without = (row["estimate"] for row in fit.tables["compared"])
    assert fixed < pooled < without
    assert pooled == pytest.approx(fit.estimate[0])
    assert fixed == pytest.approx(3.14, abs=0.04)
    assert len(fit.tables["regions"]) == 8
    assert fit.diagnostics["residual_moran_p"] > 0.05


def of_the_priors(rng, n=116, spread=(0.9, 3.0)):
    """Figures whose parameters are drawn from their priors for figures of this spread, and that have it (to a tenth).

    Priors are scaled by the spread of the figures: intervals cover exactly where truths come from the priors for a
    spread, and only figures that have it count. All slopes that such figures can have are as likely.
    """
    scale, region = np.array(spread), np.arange(n) % 8
    while True:
        own, shared = (most * scale * np.abs(rng.normal(size=2)) for most in (PRIOR_SD, GROUP_PRIOR_SD))
        slope = rng.uniform(-8, 8)
        x_error, y_error = rng.uniform(0.12, 0.38, n), rng.uniform(0.6, 1.3, n)
        true = (shared[0] * rng.normal(size=8))[region] + own[0] * rng.normal(size=n)
        outcome = slope * true + (shared[1] * rng.normal(size=8))[region] + own[1] * rng.normal(size=n)
        x, y = true + x_error * rng.normal(size=n), outcome + y_error * rng.normal(size=n)
        if (np.abs([x.std(ddof=1), y.std(ddof=1)] / scale - 1) < 0.1).all():
            return (slope, shared[1], own[1]), (y, y_error, x, x_error, region)


@pytest.mark.slow
def test_intervals_hold_the_true_slope_and_spread_as_often_as_they_say():
    rng = np.random.default_rng(41)
    held = []
    for replicate in range(300):
        truth, (*figures, region) = of_the_priors(rng)
        fit = errors_in_variables(*figures, groups=region, n_draws=1000, seed=replicate)
        drawn = np.column_stack([each.ravel() for each in (fit.slope, fit.group_sd, np.sqrt(fit.residual_cov))])
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        held.append((low <= truth) & (truth <= high))
    for each in np.transpose(held):
        assert may_be_within(each, 0.93, 0.97), np.mean(held, axis=0)
