"""The wild cluster bootstrap against refits one by one, another program, its own laws and simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError
from gwm_models.models.panel.wild_bootstrap import wild_cluster


def data(seed=1, clusters=6, years=4, slope=0.3):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(years, years + 3, clusters))
    n = len(cluster)
    x = rng.normal(size=n) + rng.normal(size=clusters)[cluster]
    y = slope * x + rng.normal(size=clusters)[cluster] + rng.normal(size=n) * (1 + cluster / 3)
    controls = np.column_stack([np.ones(n), rng.normal(size=n)])
    return y, x, controls, cluster


def slope_and_error(y, x, controls, cluster):
    """Return the slope and its clustered standard error by plain matrices."""
    design = np.column_stack([x, controls])
    bread = np.linalg.inv(design.T @ design)
    coef = bread @ design.T @ y
    scores = np.array([design[cluster == g].T @ (y - design @ coef)[cluster == g] for g in np.unique(cluster)])
    n, p, g = len(y), design.shape[1], len(scores)
    cov = g / (g - 1) * (n - 1) / (n - p) * bread @ scores.T @ scores @ bread
    return coef[0], np.sqrt(cov[0, 0])


@pytest.mark.parametrize("null", [0.0, 0.7])
def test_every_draw_equals_a_refit_of_its_own(null):
    y, x, controls, cluster = data()
    found = wild_cluster(y, x, controls, cluster, keyed_rng(1, "w"), null=null, n_draws=100)
    fitted = null * x + controls @ np.linalg.lstsq(controls, y - null * x, rcond=None)[0]
    refits = []
    for signs in itertools.product([-1, 1], repeat=6):
        again = fitted + (y - fitted) * np.array(signs)[cluster]
        slope, error = slope_and_error(again, x, controls, cluster)
        refits.append((slope - null) / error)
    assert np.sort(found.t_draws) == pytest.approx(np.sort(refits), abs=1e-8)
    slope, error = slope_and_error(y, x, controls, cluster)
    assert found.estimate == pytest.approx(slope, abs=1e-10)
    assert found.std_error == pytest.approx(error, abs=1e-10)
    own = abs((slope - null) / error)
    assert found.p_value == np.mean(np.abs(refits) >= own - 1e-9)


def test_the_interval_holds_the_slopes_that_are_not_rejected():
    y, x, controls, cluster = data(clusters=30)

    def p_value(null):
        return wild_cluster(y, x, controls, cluster, keyed_rng(1, "w"), null=null, n_draws=1999).p_value

    found = wild_cluster(y, x, controls, cluster, keyed_rng(1, "w"), n_draws=1999)
    assert found.lower < found.estimate < found.upper
    step = 1e-6 * found.std_error
    for bound, way in ((found.lower, 1), (found.upper, -1)):
        assert p_value(bound + way * step) > 0.05 >= p_value(bound - way * step)
    assert p_value(found.estimate) == 1


def test_p_values_of_drawn_signs_count_the_sample_itself_and_are_never_zero():
    y, x, controls, cluster = data(clusters=30)
    far = y + 50 * x
    for weights in ("rademacher", "webb"):
        found = wild_cluster(far, x, controls, cluster, keyed_rng(1, "w"), n_draws=199, weights=weights)
        assert found.p_value == pytest.approx(1 / 200, abs=1e-12)
    found = wild_cluster(y, x, controls, cluster, keyed_rng(1, "w"), n_draws=199)
    above = np.sum(np.abs(found.t_draws) >= abs(found.estimate / found.std_error) - 1e-9)
    assert found.p_value == pytest.approx((1 + above) / 200, abs=1e-12)


def test_few_clusters_can_leave_the_interval_open_and_say_so():
    y, x, controls, cluster = data(clusters=5)
    found = wild_cluster(y, x, controls, cluster, keyed_rng(1, "w"))
    assert len(found.t_draws) == 32
    assert (found.lower, found.upper) == (-np.inf, np.inf)


def test_fixed_effects_as_controls_may_be_dependent():
    y, x, _, cluster = data(clusters=12)
    dummies = np.eye(12)[cluster]
    year = np.arange(len(y)) % 4
    full = np.column_stack([dummies, np.eye(4)[year]])
    kept = full[:, :-1]
    one, other = (wild_cluster(y, x, c, cluster, keyed_rng(1, "w"), n_draws=999) for c in (full, kept))
    assert one.p_value == other.p_value
    assert one.std_error == pytest.approx(other.std_error, abs=1e-10)
    assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), abs=1e-6)
    assert one.std_error == pytest.approx(slope_and_error(y, x, kept, cluster)[1], abs=1e-9)


@settings(max_examples=20)
@given(st.floats(0.01, 100), st.floats(-50, 50), st.integers(0, 1000))
def test_units_and_shifts_change_the_slope_as_they_should(scale, shift, seed):
    y, x, controls, cluster = data(seed, clusters=14)
    plain = wild_cluster(y, x, controls, cluster, keyed_rng(1, "w"), n_draws=199)
    moved = wild_cluster(scale * y + shift * x, x, controls, cluster, keyed_rng(1, "w"), null=shift, n_draws=199)
    assert moved.p_value == pytest.approx(plain.p_value, abs=0.011)
    assert moved.estimate == pytest.approx(scale * plain.estimate + shift, rel=1e-8, abs=1e-8)
    reach = scale * plain.std_error
    assert (moved.lower - shift) / reach == pytest.approx(plain.lower / plain.std_error, abs=1e-4)
    assert (moved.upper - shift) / reach == pytest.approx(plain.upper / plain.std_error, abs=1e-4)


def test_webb_weights_give_nearly_the_same_answer_with_many_clusters():
    y, x, controls, cluster = data(clusters=40)
    two, six = (
        wild_cluster(y, x, controls, cluster, keyed_rng(1, "w"), n_draws=9999, weights=name)
        for name in ("rademacher", "webb")
    )
    assert six.p_value == pytest.approx(two.p_value, abs=0.03)
    assert six.upper - six.lower == pytest.approx(two.upper - two.lower, rel=0.08)
    assert not np.array_equal(two.t_draws, six.t_draws)


def test_the_same_seed_gives_the_same_draws():
    y, x, controls, cluster = data(clusters=20)
    one, again, other = (
        wild_cluster(y, x, controls, cluster, keyed_rng(seed, "w"), n_draws=99).t_draws for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_another_program_gives_the_same_p_value():
    program = pytest.importorskip("wildboottest.wildboottest")
    sm = pytest.importorskip("statsmodels.api")
    y, x, controls, cluster = data(seed=3, clusters=30)
    model = sm.OLS(y, np.column_stack([x, controls]))
    theirs = program.wildboottest(model, param="x1", cluster=cluster, B=9999, seed=1, show=False)
    ours = wild_cluster(y, x, controls, cluster, keyed_rng(1, "w"), n_draws=9999)
    assert float(np.asarray(theirs["p-value"])[0]) == pytest.approx(ours.p_value, abs=4 * np.sqrt(0.5 * 0.25 / 9999))


def test_a_test_that_cannot_be_made_is_refused():
    y, x, controls, cluster = data(clusters=5)
    with pytest.raises(ModelError, match="needs 5 clusters or more; there are 2"):
        wild_cluster(y, x, controls, cluster > 2, keyed_rng(1, "w"))
    with pytest.raises(ModelError, match="follows from the controls"):
        wild_cluster(y, controls[:, 1] + 3, controls, cluster, keyed_rng(1, "w"))


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say_where_clusters_are_few_and_uneven():
    rng = np.random.default_rng(5)
    sizes = np.arange(3, 15)
    cluster = np.repeat(np.arange(12), sizes)
    covered = []
    for _ in range(1500):
        x = rng.normal(size=len(cluster)) + rng.normal(size=12)[cluster]
        y = 0.5 * x + rng.normal(size=12)[cluster] + rng.normal(size=len(cluster))
        found = wild_cluster(y, x, np.ones((len(y), 1)), cluster, rng, null=0.5, n_draws=399)
        wald = abs(found.estimate - 0.5) < 1.96 * found.std_error
        covered.append((found.lower < 0.5 < found.upper, found.p_value > 0.05, wald))
    interval, test, normal = np.mean(covered, axis=0)
    assert 0.93 <= interval <= 0.97
    assert interval == pytest.approx(test, abs=0.005)
    assert normal < 0.92
