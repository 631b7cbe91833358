"""Spatial regression: the map, exact conditionals against whole matrices, islands, and coverage by simulation."""

import numpy as np
import pytest
from binomial_band import may_be_within
from scipy.special import logsumexp

from gwm_models.data.edition import load_edition
from gwm_models.errors import ModelError
from gwm_models.models.gaussian.bym2 import PRIOR_SD, Figures, Point
from gwm_models.models.gaussian.graph import icar
from gwm_models.models.gaussian.spatial import spatial_elpd, spatial_regression
from gwm_models.models.gaussian.specs import SPECS
from gwm_models.models.gaussian.words import sample_of
from gwm_models.models.outcomes import find_outcome

MALE = "healthy_life_expectancy_male"


def lattice(rows, columns):
    place = np.arange(rows * columns).reshape(rows, columns)
    across = np.column_stack([place[:, :-1].ravel(), place[:, 1:].ravel()])
    return np.concatenate([across, np.column_stack([place[:-1].ravel(), place[1:].ravel()])])


def whole_cov(graph):
    """Covariance of the scaled autoregression by a dense pseudo-inverse."""
    return np.linalg.pinv(graph.precision.toarray(), rcond=1e-10, hermitian=True)


def simulated(rng, borders, n, slope=3.0, sigma_b=1.5, rho=0.5, noise=True):
    value, vector = np.linalg.eigh(whole_cov(icar(borders, n)))
    # By the symmetric root, which does not hang on the signs of the axes that the library gives.
    phi = (vector * np.sqrt(np.maximum(value, 0))) @ (vector.T @ rng.normal(size=n))
    own = sigma_b * (np.sqrt(rho) * phi + np.sqrt(1 - rho) * rng.normal(size=n))
    x_error = rng.uniform(0.12, 0.38, n) * noise
    y_error, true = rng.uniform(0.6, 1.3, n), 3 + 0.85 * rng.normal(size=n)
    outcome = 52 + slope * true + own + y_error * rng.normal(size=n)
    return outcome, y_error, true + x_error * rng.normal(size=n), x_error


@pytest.fixture(scope="module")
def health():
    return sample_of(load_edition(), find_outcome(MALE))


def test_three_units_in_a_row_by_hand():
    """The pseudo-inverse of the path's Laplacian has diagonal 5/9, 2/9, 5/9."""
    graph = icar(np.array([[0, 1], [1, 2]]), 3)
    scale = np.exp(np.log([5 / 9, 2 / 9, 5 / 9]).mean())
    laplacian = np.array([[1, -1, 0], [-1, 2, -1], [0, -1, 1]])
    assert graph.precision.toarray() == pytest.approx(scale * laplacian)
    assert graph.log_det == pytest.approx(np.log(scale * 1 * scale * 3))
    assert not graph.islands.any()


def test_every_part_of_a_map_is_scaled_and_islands_stand_alone():
    borders = np.concatenate([lattice(3, 4), 12 + lattice(1, 5)])
    graph = icar(borders[:, ::-1], 19)
    cov = whole_cov(graph)
    for part in (slice(0, 12), slice(12, 17)):
        assert np.exp(np.log(np.diag(cov)[part]).mean()) == pytest.approx(1)
        assert cov[part].sum(axis=0) == pytest.approx(np.zeros(19), abs=1e-9)
    assert graph.islands.tolist() == [False] * 17 + [True] * 2
    assert cov[17:, 17:] == pytest.approx(np.eye(2))
    above = np.linalg.eigvalsh(graph.precision.toarray())
    assert graph.log_det == pytest.approx(np.log(above[above > 1e-9]).sum())
    assert graph.null.T @ graph.null == pytest.approx(np.eye(2))


def test_the_map_of_england_has_one_island(health):
    graph = icar(health.borders, len(health.code))
    assert [health.name[i] for i in np.flatnonzero(graph.islands)] == ["Isle of Wight"]


def test_one_point_of_the_grid_equals_the_whole_covariance():
    rng = np.random.default_rng(1)
    borders = lattice(4, 5)
    y, v, x, _ = simulated(rng, borders, 22)
    design = np.column_stack([np.ones(22), x])
    graph = icar(borders, 22)
    for sigma_b, rho in ((0.7, 0.2), (1.9, 0.9)):
        point = Point(Figures(y, v**2, design, graph), sigma_b, rho)
        cov = sigma_b**2 * (rho * whole_cov(graph) + (1 - rho) * np.eye(22)) + np.diag(v**2)
        inverse = np.linalg.inv(cov)
        bread = design.T @ inverse @ design
        mean = np.linalg.solve(bread, design.T @ inverse @ y)
        left = y @ inverse @ y - mean @ bread @ mean
        log_det = np.linalg.slogdet(cov)[1] + np.linalg.slogdet(bread)[1]
        prior = np.log(sigma_b) - 0.5 * (sigma_b / PRIOR_SD) ** 2
        assert point.log_posterior == pytest.approx(-0.5 * (log_det + left) + prior, abs=1e-8)
        assert point.coefficients == pytest.approx(mean, abs=1e-8)
        assert point.bread == pytest.approx(np.linalg.inv(bread), abs=1e-8)
        projected = inverse - inverse @ design @ np.linalg.solve(bread, design.T @ inverse)
        assert point.projected == pytest.approx(projected, abs=1e-8)
        drawn, structured = point.draw(40_000, np.random.default_rng(2))
        shared = sigma_b**2 * rho * whole_cov(graph)
        assert structured.mean(axis=0) == pytest.approx(shared @ inverse @ (y - design @ mean), abs=0.03)
        assert np.cov(structured.T) == pytest.approx(shared - shared @ projected @ shared, abs=0.04)
        assert drawn.mean(axis=0) == pytest.approx(mean, abs=0.03)
        assert structured[:, :20].sum(axis=1) == pytest.approx(np.zeros(40_000), abs=1e-8)


@pytest.mark.slow
def test_draws_agree_with_fine_integration_and_weights_bring_exposure_error_in():
    """Everything normal given four parameters: weight draws from a wide proposal by the whole density of y and x."""
    rng = np.random.default_rng(3)
    borders, n = lattice(5, 6), 31
    y, v, x, s = simulated(rng, borders, n)
    s = 2 * s
    x = x + np.sqrt(3) * s / 2 * rng.normal(size=n)
    fit = spatial_regression(y, v, x, s, borders, n_draws=20_000)
    m = 60_000
    b = fit.slope.mean() + 2 * fit.slope.std() * rng.standard_t(6, m)
    tau = fit.exposure_sd.mean() * np.exp(0.3 * rng.standard_t(6, m))
    sigma, rho = y.std(ddof=1) * PRIOR_SD * np.abs(rng.normal(size=m)) * 0.5, rng.random(m)
    prior = -0.5 * (sigma / (PRIOR_SD * y.std(ddof=1))) ** 2 + 0.5 * (2 * sigma / (PRIOR_SD * y.std(ddof=1))) ** 2
    prior -= 0.5 * (tau / (PRIOR_SD * x.std(ddof=1))) ** 2
    t_b, t_tau = (b - fit.slope.mean()) / (2 * fit.slope.std()), np.log(tau / fit.exposure_sd.mean()) / 0.3
    log_weight = prior + 3.5 * (np.log1p(t_b**2 / 6) + np.log1p(t_tau**2 / 6)) + np.log(tau)
    shared, z, w, i = whole_cov(icar(borders, n)), np.kron(np.eye(2), np.ones((n, 1))), np.concatenate([x, y]), range(n)
    for part in np.array_split(np.arange(m), 60):
        cov = np.zeros((len(part), 2 * n, 2 * n))
        cov[:, n:, n:] = (sigma**2 * rho)[part, None, None] * shared
        cov[:, i, i] = tau[part, None] ** 2 + s**2
        cov[:, i, np.arange(n) + n] = cov[:, np.arange(n) + n, i] = (b * tau**2)[part, None]
        cov[:, np.arange(n) + n, np.arange(n) + n] += ((b * tau) ** 2 + sigma**2 * (1 - rho))[part, None] + v**2
        solved = np.linalg.solve(cov, np.column_stack([z, w])[None])
        bread, cross = z.T @ solved[:, :, :2], solved[:, :, 2] @ z
        left = solved[:, :, 2] @ w - (cross * np.linalg.solve(bread, cross[..., None])[..., 0]).sum(axis=1)
        log_weight[part] -= 0.5 * (np.linalg.slogdet(cov)[1] + np.linalg.slogdet(bread)[1] + left)
    weight = np.exp(log_weight - logsumexp(log_weight))
    assert 1 / (weight**2).sum() > 1500
    for name, reference in (("slope", b), ("sigma_b", sigma), ("rho", rho), ("exposure_sd", tau)):
        mean = weight @ reference
        sd = np.sqrt(weight @ (reference - mean) ** 2)
        assert getattr(fit, name).mean() == pytest.approx(mean, abs=0.12 * sd), name
        assert getattr(fit, name).std() == pytest.approx(sd, rel=0.09), name


def test_prediction_of_unseen_units_equals_leaving_each_out():
    """Refit without a unit on a fine grid of its own, with whole matrices, and predict it."""
    rng, borders = np.random.default_rng(4), lattice(4, 5)
    y, v, x, s = simulated(rng, borders, 20, noise=False)
    elpd, error = spatial_elpd(y, v, x, s, borders)
    shared, design = whole_cov(icar(borders, 20)), np.column_stack([np.ones(20), x])
    scale = y.std(ddof=1)
    expected = np.empty(20)
    for i in range(20):
        rest = np.delete(np.arange(20), i)
        log_density, log_unseen = [], []
        for sigma_b in np.exp(np.linspace(np.log(0.02), np.log(4), 40)) * scale:
            for rho in (np.arange(15) + 0.5) / 15:
                cov = sigma_b**2 * (rho * shared + (1 - rho) * np.eye(20)) + np.diag(v**2)
                inverse, cross = np.linalg.inv(cov[np.ix_(rest, rest)]), cov[i, rest]
                known = design[rest]
                bread = known.T @ inverse @ known
                mean = np.linalg.solve(bread, known.T @ inverse @ y[rest])
                left = y[rest] - known @ mean
                log_det = np.linalg.slogdet(inverse)[1] - np.linalg.slogdet(bread)[1]
                prior = np.log(sigma_b) - 0.5 * (sigma_b / (PRIOR_SD * scale)) ** 2
                log_density.append(0.5 * (log_det - left @ inverse @ left) + prior)
                gain = design[i] - cross @ inverse @ known
                variance = cov[i, i] - cross @ inverse @ cross + gain @ np.linalg.solve(bread, gain)
                missed = y[i] - design[i] @ mean - cross @ inverse @ left
                log_unseen.append(-0.5 * (np.log(2 * np.pi * variance) + missed**2 / variance))
        expected[i] = logsumexp(np.add(log_density, log_unseen)) - logsumexp(log_density)
    assert elpd == pytest.approx(expected.sum(), abs=0.05)
    assert error == pytest.approx(np.sqrt(20) * expected.std(ddof=1), rel=0.02)


def test_smooth_residuals_are_found_spatial_and_independent_ones_are_not():
    rng, borders = np.random.default_rng(5), lattice(10, 12)
    smooth = spatial_regression(*simulated(rng, borders, 120, sigma_b=3, rho=0.95), borders, n_draws=1000)
    rough = spatial_regression(*simulated(rng, borders, 120, sigma_b=3, rho=0.0), borders, n_draws=1000)
    assert smooth.rho.mean() > 0.7
    assert rough.rho.mean() < 0.35
    assert smooth.spatial_share.mean() > 0.6 > rough.spatial_share.mean()
    assert (smooth.efficiency > 0.5) and (rough.efficiency > 0.5)


def test_a_change_of_unit_changes_nothing_but_the_unit(health):
    y, v, x, s = health.value, health.error, health.total, health.total_error
    first = spatial_regression(y, v, x, s, health.borders, n_draws=300)
    moved = spatial_regression(7 + 4 * y, 4 * v, 50 + 100 * x, 100 * s, health.borders, n_draws=300)
    assert moved.slope == pytest.approx(first.slope * 4 / 100, rel=1e-6)
    assert moved.sigma_b == pytest.approx(first.sigma_b * 4, rel=1e-6)
    assert moved.rho == pytest.approx(first.rho, abs=1e-8)
    line = 7 + 4 * first.coefficients[:, 0] - 50 * moved.slope
    assert moved.coefficients[:, 0] == pytest.approx(line, rel=1e-5)


def test_the_same_seed_gives_the_same_draws(health):
    figures = (health.value, health.error, health.total, health.total_error, health.borders)
    first, again, other = (spatial_regression(*figures, n_draws=200, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.structured, again.structured)
    assert not np.array_equal(first.slope, other.slope)


def test_an_island_has_no_neighbours_to_borrow_from(health):
    """Its structured effect depends on its own residual only."""
    figures = (health.value, health.error, health.total, 0 * health.total_error)
    island = health.name.index("Isle of Wight")
    plain = spatial_regression(*figures, health.borders, n_draws=2000)
    value = health.value.copy()
    value[island] -= 3
    moved = spatial_regression(value, *figures[1:], health.borders, n_draws=2000)
    change = (moved.structured - plain.structured).mean(axis=0)
    assert change[island] < -0.1
    assert np.abs(np.delete(change, island)).max() < 0.5 * abs(change[island])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"borders": np.zeros((0, 2), dtype=int)}, "No two units share a border"),
        ({"outcome": np.ones(30)}, "the same in every unit"),
        ({"exposure_error": np.full(30, np.nan)}, "exposure error has shape"),
    ],
)
def test_a_fit_that_cannot_be_made_is_refused(change, message):
    y, v, x, s = simulated(np.random.default_rng(6), lattice(5, 6), 30)
    given = {"outcome": y, "outcome_error": v, "exposure": x, "exposure_error": s, "borders": lattice(5, 6)}
    with pytest.raises(ModelError, match=message):
        spatial_regression(**(given | change))


def test_the_fit_of_real_figures_takes_the_pattern_out_of_the_residuals():
    spec = next(spec for spec in SPECS if spec.id == "spatial")
    fit = spec.make(load_edition(), find_outcome(MALE), n_draws=2000)
    assert fit.diagnostics["moran_without_neighbours_p"] < 0.05 < fit.diagnostics["residual_moran_p"]
    assert fit.estimate[0] == pytest.approx(3.10, abs=0.04)
    assert any("Isle of Wight" in note for note in fit.assumptions)
    spatial, published, apart = (row["estimate"] for row in fit.tables["compared"])
    assert published < spatial < apart


@pytest.mark.slow
def test_intervals_hold_the_true_slope_and_parameters_as_often_as_they_say():
    """A replicate whose sample is refused counts as one whose intervals miss."""
    rng, borders = np.random.default_rng(20261121), lattice(9, 11)
    held, refused = {"slope": [], "rho": [], "sigma_b": []}, 0
    for replicate in range(100):
        truth = {"slope": rng.uniform(1, 5), "rho": rng.uniform(0, 1), "sigma_b": rng.uniform(0.7, 2.5)}
        figures = simulated(rng, borders, 101, **truth)
        try:
            fit = spatial_regression(*figures, borders, n_draws=1000, seed=replicate)
        except ModelError:
            refused += 1
            fit = None
        for name, value in truth.items():
            low, high = np.quantile(getattr(fit, name), [0.025, 0.975]) if fit else (np.inf, -np.inf)
            held[name].append(low <= value <= high)
    assert refused <= 1
    for name in truth:
        assert may_be_within(held[name], 0.93, 0.97), (name, np.mean(held[name]))


@pytest.mark.slow
def test_draws_agree_with_a_markov_chain_of_the_same_model(health):
    pytest.importorskip("pymc")
    pytest.importorskip("nutpie")
    from pymc_reference import sample_spatial

    figures = (health.value, health.error, health.total, health.total_error, health.borders)
    graph = icar(health.borders, len(health.code))
    scale = graph.precision.diagonal()[0] / np.bincount(health.borders.ravel())[0]
    chain = sample_spatial(*figures, graph.islands, scale, draws=4000, seed=1)
    exact = spatial_regression(*figures, n_draws=20_000)
    for name in ("slope", "sigma_b", "rho", "exposure_sd"):
        draws = getattr(exact, name)
        assert chain[name].mean() == pytest.approx(draws.mean(), abs=0.12 * draws.std()), name
        assert chain[name].std() == pytest.approx(draws.std(), rel=0.1), name
