"""The latent panel: its likelihood against explicit matrices, its priors, its sampler, its data, and its coverage."""

from dataclasses import replace

import numpy as np
import pytest
from binomial_band import may_be_within
from hypothesis import given
from hypothesis import settings as at_most
from hypothesis import strategies as st
from scipy.special import gammaln

from gwm_models.data.edition import load_edition
from gwm_models.errors import ModelError
from gwm_models.models.catalogue import fit_model
from gwm_models.models.latent import core, specs
from gwm_models.models.latent.checks import (
    autocovariance,
    autocovariance_check,
    demeaned,
    observed_reliability,
    reliability,
)
from gwm_models.models.latent.core import PARAMETERS, LatentDraws, sample_latent_panel
from gwm_models.models.latent.data import access_noise, outcome_error, panel_data
from gwm_models.models.latent.likelihood import LatentData, log_likelihood, noise_correlation
from gwm_models.models.latent.likelihood import latent_panel as ready_panel
from gwm_models.models.latent.sampler import sample_adapted
from gwm_models.models.outcomes import find_outcome, find_subject
from gwm_models.models.panel.table import load_panel
from gwm_models.models.panel.within import fixed_effects

TRUTH = {
    "sd_lasting": 0.35,
    "sd_moving": 0.15,
    "phi": 0.7,
    "sd_outcome": 1.0,
    "sd_rest": 0.5,
    "phi_rest": 0.5,
    "between": 7.0,
    "within": 2.0,
    "rho_noise": 0.2,
    "shared": 0.15,
}
RANGES = {
    "sd_lasting": (0.25, 0.45),
    "sd_moving": (0.12, 0.25),
    "phi": (0.3, 0.9),
    "sd_outcome": (0.5, 1.5),
    "sd_rest": (0.4, 1.0),
    "phi_rest": (0.3, 0.8),
    "between": (4.0, 9.0),
    "within": (0.0, 4.0),
    "rho_noise": (0.0, 0.5),
    "shared": (0.0, 0.3),
}
"""Truths of the coverage simulation: evenly between these, around what the figures of the Monitor suggest."""


def waves(years, rho):
    """Noise correlation written out: rho, 2/3 rho, 1/3 rho, 0."""
    steps = [1.0, rho, 2 * rho / 3, rho / 3]
    return np.array([[steps[abs(s - t)] if abs(s - t) < 4 else 0.0 for s in range(years)] for t in range(years)])


def moving(rng, years, n_units, correlation):
    apart = np.abs(np.subtract.outer(np.arange(years), np.arange(years)))
    return rng.standard_normal((n_units, years)) @ np.linalg.cholesky(correlation**apart).T


def survey_errors(years, rho, shared):
    """Correlation of the errors of exposure and of three-year windows of the outcome, year by year."""
    apart = np.abs(np.subtract.outer(np.arange(years), np.arange(years)))
    both = shared / np.sqrt(3) * (apart <= 1)
    return np.block([[waves(years, rho), both], [both, np.maximum(0, 1 - apart / 3)]]) + 1e-9 * np.eye(2 * years)


def made_up(rng, n_units=117, years=6, truth=TRUTH):
    """A panel drawn from the model itself, three sizes of survey."""
    s = np.repeat(rng.choice([0.09, 0.13, 0.17], n_units)[:, None], years, axis=1)
    v = np.full((n_units, years), 0.8)
    mu = truth["sd_lasting"] * rng.standard_normal((n_units, 1))
    w = truth["sd_moving"] * moving(rng, years, n_units, truth["phi"])
    alike = survey_errors(years, truth["rho_noise"], truth["shared"])
    noise = rng.standard_normal((n_units, 2 * years)) @ np.linalg.cholesky(alike).T
    e, n = s * noise[:, :years], v * noise[:, years:]
    a = truth["sd_outcome"] * rng.standard_normal((n_units, 1))
    u = truth["sd_rest"] * moving(rng, years, n_units, truth["phi_rest"])
    y = 60 + np.arange(years) + a + truth["between"] * mu + truth["within"] * w + u + n
    return LatentData(outcome=y, error=v, exposure=3 + rng.standard_normal(years) + mu + w + e, noise=s)


@pytest.fixture(scope="module")
def panel():
    return load_panel(load_edition(), find_outcome("healthy_life_expectancy_male"))


def explicit_log_likelihood(data, theta, unit):
    """Restricted likelihood of all figures in one vector, covariances written out pair by pair."""
    p = dict(zip(PARAMETERS, theta, strict=True))
    x, y = data.exposure / unit[0], data.outcome / unit[1]
    s, v = data.noise / unit[0], data.error / unit[1]
    n_units, years = y.shape
    reach = data.averaged
    cells = [
        *[("x", i, t) for i in range(n_units) for t in range(years + 2 * reach) if np.isfinite(x[i, t])],
        *[("y", i, t) for i in range(n_units) for t in range(years) if np.isfinite(y[i, t])],
    ]

    def loads(cell):
        kind, _, t = cell
        if kind == "x":
            return 1.0, {t: 1.0}
        span = range(t, t + 2 * reach + 1)
        return p["between"], {k: p["within"] / len(span) for k in span}

    def noise(a, b):
        (ka, i, t), (kb, _, u) = a, b
        if ka == kb == "x":
            apart = abs(t - u)
            alike = 1.0 if not apart else p["rho_noise"] * max(0, data.waves - apart) / (data.waves - 1)
            return s[i, t] * s[i, u] * alike
        if ka == kb == "y":
            rest = p["sd_outcome"] ** 2 + p["sd_rest"] ** 2 * p["phi_rest"] ** abs(t - u)
            return rest + v[i, t] * v[i, u] * max(0, 1 - abs(t - u) / data.window)
        t, u = (t, u) if ka == "x" else (u, t)
        inside = abs(t - reach - u) <= data.window // 2
        return p["shared"] * s[i, t] * v[i, u] / np.sqrt(data.window) * inside

    def cov(a, b):
        if a[1] != b[1]:
            return 0.0
        (la, wa), (lb, wb) = loads(a), loads(b)
        moves = sum(f * g * p["phi"] ** abs(t - u) for t, f in wa.items() for u, g in wb.items())
        return la * lb * p["sd_lasting"] ** 2 + p["sd_moving"] ** 2 * moves + noise(a, b)

    full = np.array([[cov(a, b) for b in cells] for a in cells]) + 1e-9 * np.eye(len(cells))
    columns = sorted({(kind, t) for kind, _, t in cells})
    design = np.array([[float((kind, t) == column) for column in columns] for kind, _, t in cells])
    z = np.array([(x if kind == "x" else y)[i, t] for kind, i, t in cells])
    inverse = np.linalg.inv(full)
    cross = design.T @ inverse @ design
    left = z - design @ np.linalg.solve(cross, design.T @ inverse @ z)
    return -0.5 * (np.linalg.slogdet(full)[1] + np.linalg.slogdet(cross)[1] + left @ inverse @ left)


@pytest.mark.parametrize(
    "change",
    [{}, {"averaged": 1}, {"averaged": 1, "window": 1}, {"window": 5}],
    ids=str,
)
def test_likelihood_equals_that_of_all_figures_in_one_vector(change):
    rng = np.random.default_rng(5)
    years, wide = 5, 5 + 2 * change.get("averaged", 0)
    y, v = rng.normal(size=(7, years)), rng.uniform(0.2, 0.5, (7, years))
    x, s = rng.normal(size=(7, wide)), rng.uniform(0.2, 0.5, (7, wide))
    v[:3], s[:3] = v[0], s[0]
    x[4, 1] = y[5, 2] = x[5, :2] = y[1, 4] = np.nan
    data = LatentData(y, v, x, s, **change)
    ready = ready_panel(data)
    theta = np.array(
        [[0.8, 0.4, 0.6, 0.7, 0.5, 0.3, 1.2, -0.4, 0.35, 0.0], [0.5, 0.2, 0.9, 0.3, 0.6, 0.1, 0.2, 0.9, 0.0, 0.25]]
    )
    assert len(ready.count) < 7
    expected = [explicit_log_likelihood(data, row, ready.unit) for row in theta]
    assert log_likelihood(ready, theta) == pytest.approx(expected, abs=1e-7)


def test_noise_that_fades_by_one_factor_is_a_choice():
    apart = np.arange(6)
    assert noise_correlation(np.array([0.6]), apart, 0) == pytest.approx(0.6**apart)
    assert noise_correlation(np.array([0.6]), apart, 4) == pytest.approx([1, 0.6, 0.4, 0.2, 0, 0])


def test_errors_can_be_as_alike_as_the_priors_allow():
    most = survey_errors(10, core.MOST["rho_noise"], core.MOST["shared"])
    assert np.linalg.eigvalsh(most).min() > 0.01


@pytest.mark.parametrize("known", [{}, {"rho_noise": 0.3}, {"shared": 0.0}, {"rho_noise": 0.3, "shared": 0.2}], ids=str)
def test_prior_of_the_sampled_parameters_is_the_stated_one_with_its_change_of_variable(known):
    rng = np.random.default_rng(1)
    ready = ready_panel(made_up(rng, n_units=20))
    begin = core.start(known)
    size, step = len(begin), 1e-5
    drawn = [j for j, name in enumerate(PARAMETERS) if name not in known]
    assert size == len(drawn)

    def stated(theta):
        sds, slopes = theta[[0, 1, 3, 4]], theta[[6, 7]]
        return -0.5 * (sds**2).sum() - 0.5 * (slopes**2).sum() / 2.5**2

    difference = []
    for point in begin + 0.4 * rng.standard_normal((6, size)):
        theta, log_prior = core.natural(ready, point[None], known)
        assert dict(zip(PARAMETERS, theta[0], strict=True)).items() >= known.items()
        ends = [core.natural(ready, point + sign * step * np.eye(size), known)[0][:, drawn] for sign in (1, -1)]
        jacobian = (ends[0] - ends[1]) / (2 * step)
        difference.append(log_prior[0] - stated(theta[0]) - np.linalg.slogdet(jacobian)[1])
    assert np.ptp(difference) < 1e-6


def test_errors_in_common_shift_the_sampled_slope_as_they_shift_the_plain_one():
    rng = np.random.default_rng(12)
    strong = {**TRUTH, "shared": 0.3, "within": 0.0}
    data = made_up(rng, n_units=20_000, truth=strong)
    ready = ready_panel(data)
    years, near = 6, np.abs(np.subtract.outer(np.arange(6), np.arange(6))) <= 1
    each = 0.8 * data.noise[:, 0].mean() / np.sqrt(3) * (1 - near.sum() / years**2)
    assert core.mean_shared_error(ready) * ready.unit.prod() == pytest.approx(each, rel=1e-9)
    left = demeaned(data.exposure)
    assert fixed_effects(data.outcome, data.exposure[None]).coef[0] == pytest.approx(
        0.3 * each / np.mean(left**2), rel=0.1
    )


def test_share_of_a_moving_series_left_in_its_mean_by_hand():
    assert core.shared_in_mean(np.array([0.0, 1.0, 0.5]), 2) == pytest.approx([0.5, 1.0, 0.75])


def test_year_effects_change_nothing_and_units_of_measurement_only_the_unit():
    rng = np.random.default_rng(8)
    data = made_up(rng, n_units=40, years=5)
    shifts = rng.normal(size=(2, 5)) * 20
    moved = replace(data, outcome=data.outcome + shifts[0], exposure=data.exposure + shifts[1])
    scaled = replace(data, outcome=10 * data.outcome, error=10 * data.error)
    points = core.start({}) + 0.3 * rng.standard_normal((20, 10))
    first, again, other = (ready_panel(each) for each in (data, moved, scaled))
    expected = core.log_posterior(first, points, {})
    assert core.log_posterior(again, points, {}) == pytest.approx(expected, abs=1e-6)
    assert core.log_posterior(other, points, {}) == pytest.approx(expected, abs=1e-6)
    assert other.unit / first.unit == pytest.approx([1, 10])


def test_order_of_units_changes_nothing():
    rng = np.random.default_rng(9)
    data = made_up(rng, n_units=30, years=4)
    order = rng.permutation(30)
    turned = LatentData(*(values[order] for values in (data.outcome, data.error, data.exposure, data.noise)))
    points = core.start({"rho_noise": 0.2}) + 0.3 * rng.standard_normal((5, 9))
    first, again = (core.log_posterior(ready_panel(each), points, {"rho_noise": 0.2}) for each in (data, turned))
    assert again == pytest.approx(first, abs=1e-8)


def test_points_far_out_have_next_to_no_density_and_lie_below_all_nearer_ones():
    ready = ready_panel(made_up(np.random.default_rng(9), n_units=30, years=4))
    begin = core.start({})
    far = np.array([begin, begin + 11, begin + 20, begin - 50])
    values = core.log_posterior(ready, far, {})
    assert np.isfinite(values).all()
    assert values[0] > -1e4
    assert (np.diff(values) < -1e6).all()


def test_a_large_panel_gives_back_its_parameters_and_the_plain_slope_is_pulled_to_zero():
    rng = np.random.default_rng(2)
    data = made_up(rng, n_units=3000)
    found = sample_latent_panel(data, {}, n_draws=500, seed=1, key="large", what="a panel")
    for name, truth in TRUTH.items():
        draws = found.of(name)
        assert abs(draws.mean() - truth) < 3.5 * draws.std(), name
    assert found.of("within").std() < 0.3
    assert fixed_effects(data.outcome, data.exposure[None]).coef[0] < 1.2


def test_a_panel_without_noise_gives_the_plain_slope():
    rng = np.random.default_rng(6)
    n_units, years = 300, 5
    w, mu = rng.normal(size=(n_units, years)), rng.normal(size=(n_units, 1))
    y = 2 * w + 5 * mu + rng.normal(size=(n_units, 1)) + 0.5 * rng.normal(size=(n_units, years))
    nothing = np.zeros((n_units, years))
    data = LatentData(y, nothing, mu + w, nothing)
    found = sample_latent_panel(
        data, {"rho_noise": 0.0, "shared": 0.0}, n_draws=1000, seed=1, key="exact", what="a panel"
    )
    left = w - w.mean(axis=0) - w.mean(axis=1, keepdims=True) + w.mean()
    assert found.of("within").mean() == pytest.approx(fixed_effects(y, (mu + w)[None]).coef[0], abs=0.01)
    assert found.of("within").std() == pytest.approx(0.5 / np.sqrt((left**2).sum()), rel=0.1)


def test_the_same_seed_gives_the_same_draws():
    data = made_up(np.random.default_rng(4), n_units=30, years=4)
    first, again, other = (
        sample_latent_panel(data, {"shared": 0.0}, n_draws=50, seed=seed, key="seed", what="a panel").draws
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_markov_chain_leaves_the_draws_where_they_are():
    ready, rng = ready_panel(made_up(np.random.default_rng(21), years=8)), np.random.default_rng(22)

    def height_of(points):
        return core.log_posterior(ready, points, {})

    settings = {"along": core.RHO, "slices": core.RHO_SLICES, "split": core.LASTING_REST, "what": "a panel"}
    draws = sample_adapted(height_of, core.start({}), n_draws=3000, seed=1, key="chain", **settings).draws
    points, height = draws[:400], height_of(draws[:400])
    step = 0.6 * np.linalg.cholesky(np.cov(draws, rowvar=False))
    for _ in range(100):
        there = points + rng.standard_normal(points.shape) @ step.T
        other = height_of(there)
        moves = np.log(rng.random(len(points))) < other - height
        points, height = np.where(moves[:, None], there, points), np.where(moves, other, height)
    assert (points != draws[:400]).any(axis=1).mean() > 0.99
    before, after = (core.natural(ready, each, {})[0][:, [core.BETWEEN, core.WITHIN]] for each in (draws, points))
    assert np.abs(after.mean(axis=0) - before.mean(axis=0)) / before.std(axis=0) == pytest.approx(np.zeros(2), abs=0.2)
    assert after.std(axis=0) == pytest.approx(before.std(axis=0), rel=0.2)


def test_figures_without_a_standard_error_are_refused():
    data = made_up(np.random.default_rng(4), n_units=12, years=4)
    holes = np.array(data.noise)
    holes[3, 1] = np.nan
    with pytest.raises(ModelError, match="Every figure of the exposure needs a standard error"):
        replace(data, noise=holes)
    with pytest.raises(ModelError, match="A latent panel needs errors"):
        replace(data, averaged=1)
    with pytest.raises(ModelError, match="same everywhere"):
        sample_latent_panel(
            replace(data, exposure=np.ones((12, 4))), {}, n_draws=10, seed=1, key="flat", what="a panel"
        )


def bent(points):
    """A normal first coordinate, the second normal around its square."""
    return -0.5 * points[:, 0] ** 2 - 0.5 * (points[:, 1] - points[:, 0] ** 2) ** 2 / 0.25


def test_a_bent_posterior_is_sampled_exactly():
    settings = {"slices": (-2, -1, 0, 1, 2), "n_draws": 8000, "seed": 1, "key": "bent", "what": "a curve"}
    found = sample_adapted(bent, np.array([0.1, 0.1]), along=0, **settings)
    x, y = found.draws.T
    assert found.tail < 0.7
    assert x.mean() == pytest.approx(0, abs=0.06)
    assert x.var() == pytest.approx(1, abs=0.08)
    assert y.mean() == pytest.approx(1, abs=0.1)
    assert np.cov(x**2, y)[0, 1] == pytest.approx(2, abs=0.35)
    assert (y - x**2).std() == pytest.approx(0.5, abs=0.03)


@given(shift=st.floats(-50, 50))
@at_most(max_examples=5)
def test_evidence_moves_with_the_density(shift):
    settings = {"along": 0, "slices": (-2, 0, 2), "n_draws": 200, "seed": 1, "key": "bent", "what": "a curve"}
    first = sample_adapted(bent, np.array([0.1, 0.1]), **settings)
    again = sample_adapted(lambda points: bent(points) + shift, np.array([0.1, 0.1]), **settings)
    assert again.log_evidence - first.log_evidence == pytest.approx(shift, abs=1e-6)


def test_two_peaks_far_apart_are_both_found():
    def peaks(points):
        each = [-0.5 * ((points - centre) ** 2).sum(axis=1) / 0.3**2 for centre in (-1.5, 1.5)]
        return np.logaddexp(each[0], each[1] + np.log(3))

    found = sample_adapted(
        peaks, np.zeros(2), along=0, slices=(-1.5, 0, 1.5), n_draws=4000, seed=1, key="two", what="peaks"
    )
    assert np.mean(found.draws[:, 0] > 0) == pytest.approx(0.75, abs=0.04)
    assert found.log_evidence - np.log(2 * np.pi * 0.3**2 * 4) == pytest.approx(constant_of(2), abs=0.05)


def constant_of(size):
    """What the density of a Student t with six degrees of freedom leaves out in the weights."""
    return gammaln((6 + size) / 2) - gammaln(3) - size / 2 * np.log(6 * np.pi)


def test_it_draws_until_enough_draws_are_effective():
    settings = {"along": 0, "slices": (-2, -1, 0, 1, 2), "seed": 1, "key": "bent", "what": "a curve"}
    for n_draws, least in ((100, 400), (3000, 1500)):
        found = sample_adapted(bent, np.array([0.1, 0.1]), n_draws=n_draws, **settings)
        assert len(found.draws) == n_draws
        assert found.effective >= least


def test_a_density_without_a_peak_is_refused():
    with pytest.raises(ModelError, match="no clear peak"):
        sample_adapted(
            lambda points: 0 * points[:, 0], np.zeros(2), along=0, n_draws=50, seed=1, key="x", what="a plain"
        )


def test_weights_that_cannot_be_trusted_are_refused():
    def heavy(points):
        return -0.5 * (points**2).sum(axis=1) + 3 * np.sin(40 * points).sum(axis=1)

    with pytest.raises(ModelError, match=r"a comb is poorly explored \(effective draws \d+, least 400"):
        sample_adapted(heavy, np.zeros(12), along=0, n_draws=50, seed=1, key="x", what="a comb")


def test_autocovariances_by_hand():
    values = np.array([[1.0, 3.0, 5.0], [5.0, 3.0, 1.0]])
    assert demeaned(values) == pytest.approx(np.array([[-2, 0, 2], [2, 0, -2]]))
    padded = np.hstack([values, np.zeros((2, 3))])
    assert autocovariance(padded)[:3] == pytest.approx([16 / 12, 0, -8 / 8])


def test_reliability_of_draws_equals_the_observed_share_in_a_large_panel():
    data = made_up(np.random.default_rng(3), n_units=20_000)
    plain = replace(
        data, exposure=np.random.default_rng(1).normal(size=data.exposure.shape), noise=0.6 + 0 * data.noise
    )
    assert observed_reliability(plain) == pytest.approx(0.64, abs=0.01)
    draws = np.array([[TRUTH[name] for name in PARAMETERS]])
    left, years = demeaned(data.exposure), data.exposure.shape[1]
    alike = 1 - waves(years, TRUTH["rho_noise"]).mean()
    noise = np.mean(data.noise**2) * alike * years / (years - 1)
    expected = 1 - noise * (years - 1) / years / np.mean(left**2)
    assert reliability(LatentDraws(draws, 1.0, 0.0, 0.0, 1.0), data)[0] == pytest.approx(expected, abs=0.01)


def test_figures_of_the_model_pass_its_own_check_and_others_do_not():
    data = made_up(np.random.default_rng(9), n_units=500)
    draws = LatentDraws(np.tile([TRUTH[name] for name in PARAMETERS], (400, 1)), 1.0, 0.0, 0.0, 400.0)
    good = autocovariance_check(data, draws, seed=1)
    assert [row["lag"] for row in good] == [0, 1, 2, 3, 4]
    assert all(0.005 < row["p_value"] < 0.995 for row in good)
    steady = replace(data, exposure=np.random.default_rng(1).normal(size=data.exposure.shape))
    assert autocovariance_check(steady, draws, seed=1)[0]["p_value"] == 0.0


def test_published_noise_is_kept_and_counties_take_a_binomial_error(panel):
    edition = load_edition()
    noise = access_noise(edition, panel)
    published = panel.error_at("access") / 100
    known = np.isfinite(published)
    assert noise[known] == pytest.approx(published[known])
    assert np.isfinite(noise).all()
    kent = panel.unit.index("E10000016")
    assert not known[kent].any()
    rate, unemployed = panel.at("economic_activity_rate")[kent, 5], panel.at("unemployment_rate")[kent, 5]
    error = panel.error_at("economic_activity_rate")[kent, 5]
    asked = rate * (100 - rate) / error**2
    by_hand = (
        np.hypot(99 / 19.3 * error, 99 / 8.1 * np.sqrt(unemployed * (100 - unemployed) / (asked * rate / 100))) / 100
    )
    assert noise[kent, 5] == pytest.approx(by_hand, rel=0.03)


def test_outcome_errors_fill_years_without_limits_from_the_unit(panel):
    error = outcome_error(panel)
    known = np.isfinite(panel.value_error)
    assert error[known] == pytest.approx(panel.value_error[known])
    assert not known[:, 0].any()
    some = known.sum(axis=1) > 0
    assert error[some, 0] == pytest.approx([row[np.isfinite(row)].mean() for row in panel.value_error[some]])
    life = load_panel(load_edition(), find_outcome("life_expectancy_male"))
    assert not outcome_error(life).any()


def test_exposure_over_three_years_starts_earlier_and_leaves_the_new_survey_out(panel):
    edition = load_edition()
    same, wide = (panel_data(edition, panel, window=window) for window in (False, True))
    assert wide.exposure.shape == (117, 12)
    assert wide.exposure[:, 1:-1] == pytest.approx(same.exposure)
    assert wide.exposure[:, 0] == pytest.approx(panel.at("access", -1)[:, 0] / 100)
    assert np.isnan(wide.exposure[:, -1]).all()
    assert not np.isnan(same.exposure).any()


def test_it_is_offered_for_yearly_levels_only():
    (spec,) = specs.SPECS
    assert spec.applies(find_subject("life_expectancy_female"))
    assert not spec.applies(find_subject("drug_poisoning_deaths"))
    assert not spec.applies(find_subject("suicide"))
    assert not spec.applies(find_subject("despair"))


def test_errors_are_shared_only_where_one_survey_gives_both(panel):
    data = made_up(np.random.default_rng(4), n_units=40, years=4)
    health, life = (
        specs.sample_outcome(data, find_outcome(name), 50, 1)
        for name in ("healthy_life_expectancy_male", "life_expectancy_male")
    )
    assert 0 < health.of("shared").min() < health.of("shared").max() < 0.3
    assert not life.of("shared").any()
    fixed = specs.sample_outcome(data, find_outcome("healthy_life_expectancy_male"), 50, 1, {"shared": 0.2})
    assert (fixed.of("shared") == 0.2).all()


@pytest.mark.slow
def test_healthy_life_goes_with_access_within_areas_by_less_than_between_them():
    fit = fit_model(load_edition(), find_outcome("healthy_life_expectancy_male"), specs.SPECS[0])
    assert fit.n == 1164
    assert fit.draws.shape == (4000, len(fit.term))
    assert fit.diagnostics["uncorrected_within"] == pytest.approx(0.81, abs=0.005)
    assert fit.diagnostics["efficiency"] > 0.2
    assert fit.diagnostics["effective_draws"] > 2000
    assert fit.diagnostics["pareto_tail"] < 0.7
    within, between, share = (fit.place(term) for term in ("within", "between", "share"))
    assert fit.upper[within] < fit.lower[between]
    assert -0.2 < fit.lower[share] < fit.estimate[share] < fit.upper[share] < 0.6
    assert fit.found.count(". ") == 0
    assert ("not clearly different" in fit.found) == (fit.lower[within] <= 0 <= fit.upper[within])
    noise, choices = fit.tables["noise"], fit.tables["choices"]
    assert [row["noise_correlation"] for row in noise] == [0.0, 0.3, 0.6]
    assert noise[0]["within"] > noise[1]["within"] > noise[2]["within"]
    slopes = [row["within"] for row in choices if "shared" in row]
    assert [row["shared"] for row in choices if "shared" in row] == [0.0, 0.1, 0.2, 0.3]
    assert slopes == sorted(slopes, reverse=True)
    assert slopes[-1] < fit.estimate[within] < slopes[0]
    assert "uniform, 0 to 0.3" in {row["prior"] for row in fit.tables["priors"]}


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say_where_those_of_the_plain_slope_do_not():
    """Panels of the size of the Monitor's."""
    number, covered = 150, {"within": [], "between": [], "plain": []}
    for each in range(number):
        rng = np.random.default_rng([771, 117, 10, each])
        truth = {name: rng.uniform(low, high) for name, (low, high) in RANGES.items()}
        data = made_up(rng, years=10, truth=truth)
        plain = fixed_effects(data.outcome, data.exposure[None])
        covered["plain"].append(abs(plain.coef[0] - truth["within"]) < 1.96 * plain.std_error[0])
        found = sample_latent_panel(data, {}, n_draws=800, seed=each, key="coverage", what="a panel")
        for name in ("within", "between"):
            low, high = np.quantile(found.of(name), [0.025, 0.975])
            covered[name].append(low < truth[name] < high)
    for name in ("within", "between"):
        assert may_be_within(covered[name], 0.93, 0.97), (name, np.mean(covered[name]))
    assert np.mean(covered["plain"]) < 0.6
