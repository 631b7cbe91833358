"""Rank sets where the errors of some areas go together, at the ends of double precision, and between seeds."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError
from gwm_models.index.sampling import sampling_error
from gwm_models.ranks.edition import edition_sets, shared_unit_note, total_covariance
from gwm_models.ranks.sets import rank_sets
from gwm_models.ranks.sets_input import check_errors
from gwm_models.ranks.sets_pairs import Pairs, _both_below

SIDES = ["both", "best", "worst"]


def spans(sets):
    return list(zip(sets.lower.tolist(), sets.upper.tolist(), strict=True))


def paired(n, correlation, seed=0):
    """Return a covariance in which areas 1 and 2, and 6 and 10, are correlated."""
    sd = np.random.default_rng(seed).uniform(8, 22, n)
    cov = np.diag(sd**2)
    for i, j, sign in ((0, 1, 1), (5, 9, -1)):
        cov[i, j] = cov[j, i] = sign * correlation * sd[i] * sd[j]
    return cov


# Pairs


@pytest.mark.parametrize("correlation", [-0.9999, -0.5, 0.0, 0.3, 0.99])
def test_the_bivariate_normal_distribution_is_that_of_scipy(correlation):
    at = np.random.default_rng(2).normal(size=(12, 2)) * 2
    at[0] = 0, 0
    at[1] = 0, -1
    reference = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]])
    assert _both_below(*at.T, correlation) == pytest.approx([reference.cdf(point) for point in at], abs=1e-9)


@pytest.mark.parametrize("correlation", [-0.8, 0.6, 0.99])
@pytest.mark.parametrize("side", ["both", "worst"])
def test_marginal_sets_of_paired_areas_are_exact(correlation, side):
    """Against 200,000 plain draws: 0.05 with a standard error of 0.0005."""
    cov = paired(14, correlation)
    sets = rank_sets(np.linspace(0, 150, 14), cov, simultaneous=False, side=side)
    assert (sets.method, sets.n_draws) == ("exact: one-dimensional integral", 0)
    assert sets.settled.all() and (sets.critical_error == 0).all()
    errors = np.random.default_rng(1).standard_normal((200_000, 14)) @ np.linalg.cholesky(cov).T
    variance = np.diag(cov)
    for i in range(14):
        se = np.sqrt(np.where(np.arange(14) == i, 1, variance[i] + variance - 2 * cov[i]))
        gap = (errors[:, [i]] - errors) / se
        largest = (np.abs(gap) if side == "both" else gap).max(axis=1)
        assert (largest > sets.critical[i]).mean() == pytest.approx(0.05, abs=0.0022)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("stepdown", [False, True])
def test_pairs_next_to_independent_give_the_sets_of_independent_areas(side, stepdown):
    options = {"simultaneous": False, "side": side, "stepdown": stepdown}
    plain = rank_sets(np.linspace(0, 150, 14), np.sqrt(np.diag(paired(14, 0.0))), **options)
    nearly = rank_sets(np.linspace(0, 150, 14), paired(14, 1e-9), **options)
    assert nearly.critical == pytest.approx(plain.critical, abs=1e-7)
    assert spans(nearly) == spans(plain)


def test_larger_groups_and_errors_nearly_the_same_are_simulated():
    group, one = paired(14, 0.5), paired(14, 0.99999)
    group[0, 3] = group[3, 0] = 1.0
    one[5, 9] = one[9, 5] = 0
    one[2, 3] = one[3, 2] = 0.5 * np.sqrt(one[2, 2] * one[3, 3])
    for cov in (group, paired(14, 0.99999), one):
        found = rank_sets(np.arange(14.0), cov, simultaneous=False, draws=1000)
        assert found.method == "1,000 draws"
        assert found.critical_error.min() > 0


def test_many_pairs_are_simulated():
    n = 30
    cov = np.eye(n)
    for i in range(0, n, 2):
        cov[i, i + 1] = cov[i + 1, i] = 0.1 + i / n / 2
    assert rank_sets(np.arange(30.0), cov, simultaneous=False, draws=1000).n_draws == 1000


# The ends of double precision


def test_what_is_left_of_a_drowning_common_error_is_not_taken_for_none():
    with pytest.raises(DataError, match="all but 1e-09 of their variance in common: what is left is lost in rounding"):
        rank_sets([0, 1, 2, 3], 1e10 * np.ones((4, 4)) + np.eye(4))
    with pytest.raises(DataError, match="The errors of A and B have all but 1e-09"):
        rank_sets([0, 1, 5], [[1, 1 - 4e-10, 0], [1 - 4e-10, 1, 0], [0, 0, 1]], area=["A", "B", "C"])
    with pytest.raises(DataError, match="The errors of 1 and 2 have all but 1e-09"):
        rank_sets([0, 1, 5], [[1e-6, 1e-6 - 4e-16, 0], [1e-6 - 4e-16, 1e-6, 0], [0, 0, 1]])


def test_areas_nearly_of_one_error_are_told_apart_by_what_is_left():
    """Errors with a correlation of 1 - 1e-8 have a difference of sd 0.000141."""
    rho = 1 - 1e-8
    cov = np.array([[1, rho, 0], [rho, 1, 0], [0, 0, 1]])
    for simultaneous in (True, False):
        near, far = (rank_sets([0, gap, 9], cov, simultaneous=simultaneous) for gap in (1.41e-4, 7.1e-4))
        assert spans(near) == [(2, 3), (2, 3), (1, 1)]
        assert spans(far) == [(3, 3), (2, 2), (1, 1)]


def test_rows_that_agree_to_rounding_are_one_error():
    root = np.random.default_rng(3).normal(size=(5, 5))
    root[3] = root[1]
    cov = (3.7 * root) @ (3.7 * root).T
    cov[3] *= 1 + 1e-15
    sets = rank_sets([0, 1, 2, 1.001, 4], (cov + cov.T) / 2)
    assert sets.lower[1] > sets.lower[3]


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1e-60, 1.0, 1e150, 1e290])
def test_units_at_the_ends_of_double_precision_change_nothing(unit):
    for errors in (np.array([1.0, 2, 1]), np.array([1.0, 1, 1])):
        for simultaneous in (True, False):
            sets = rank_sets(np.array([0.0, 1, 5]) * unit, errors * unit, simultaneous=simultaneous)
            plain = rank_sets([0.0, 1, 5], errors, simultaneous=simultaneous)
            assert spans(sets) == spans(plain)
            assert sets.critical == pytest.approx(plain.critical, abs=0.02)


def test_a_covariance_in_small_or_large_units_gives_the_same_sets():
    cov = paired(14, 0.6)
    for unit in (1e-120, 1e120):
        for simultaneous in (True, False):
            plain = rank_sets(np.linspace(0, 150, 14), cov, simultaneous=simultaneous)
            sets = rank_sets(np.linspace(0, 150, 14) * unit, cov * unit * unit, simultaneous=simultaneous)
            assert sets.critical == pytest.approx(plain.critical, abs=0.02)


def test_one_standard_error_stands_for_all():
    assert spans(rank_sets([10, 5, 4, -20], 2.0)) == spans(rank_sets([10, 5, 4, -20], [2, 2, 2, 2]))


# Between seeds


def test_bounds_said_to_be_settled_are_those_of_other_seeds():
    rng = np.random.default_rng(4)
    estimate, sd = rng.normal(0, 25, 60), rng.uniform(8, 22, 60)
    first = rank_sets(estimate, sd, draws=2000)
    assert 0 < first.settled.sum() < 60
    for seed in range(1, 6):
        other = rank_sets(estimate, sd, draws=2000, rng=seed)
        moved = (other.lower != first.lower) | (other.upper != first.upper)
        assert not (moved & first.settled & other.settled).any()


def test_a_generator_is_used_as_given():
    sets = [rank_sets([0, 1, 5], [1, 2, 3], draws=1000, rng=np.random.default_rng(8)) for _ in range(2)]
    assert sets[0].critical.tolist() == sets[1].critical.tolist()
    assert sets[0].critical[0] != rank_sets([0, 1, 5], [1, 2, 3], draws=1000, rng=8).critical[0]


# The pair of the Monitor


@pytest.fixture(scope="module")
def monitor():
    return load_edition()


@pytest.fixture(scope="module")
def pair(monitor):
    return tuple(monitor.areas.name.index(name) for name in ("Bournemouth", "Poole"))


def test_areas_of_one_survey_unit_share_the_error_of_the_score_they_share_only(monitor, pair):
    """Bournemouth and Poole have one access score; the other two domains are of each on its own."""
    i, j = pair
    cov, domains = total_covariance(monitor), sampling_error(monitor).domain_cov
    same = monitor.domain_scores[i] == monitor.domain_scores[j]
    assert same.tolist() == [True, False, False]
    assert cov[i, j] == cov[j, i] == pytest.approx(domains[i, 0, 0], rel=1e-12)
    np.testing.assert_allclose(np.diag(cov), domains.sum(axis=(1, 2)))
    cov[i, j] = cov[j, i] = 0
    assert np.count_nonzero(cov) == len(monitor.areas)


def test_areas_of_one_survey_unit_may_come_in_either_order(monitor, pair):
    i, j = pair
    sets = edition_sets(monitor, level=0.9)
    assert sets.n_draws == 0 and sets.settled.all()
    assert sets.lower[i] < sets.upper[j]
    difference = np.sqrt(2 * (total_covariance(monitor)[i, i] - total_covariance(monitor)[i, j]))
    assert difference == pytest.approx(np.sqrt(2 * (43.34527498 + 47.78375696)), rel=1e-8)


def test_the_marginal_sets_of_the_monitor_are_those_of_large_samples(monitor):
    """Against simulation of the same errors, in which a third area goes a shade with the pair."""
    cov = total_covariance(monitor)
    i, j = np.argwhere(np.triu(cov, 1))[0]
    k = 50
    assert k not in (i, j)
    cov[i, k] = cov[k, i] = 1e-6 * cov[i, i]
    assert Pairs.of(check_errors(cov, monitor.areas.code, np.arange(len(cov)))) is None
    drawn = rank_sets(monitor.total, cov, level=0.9, simultaneous=False)
    exact = edition_sets(monitor, level=0.9)
    assert (np.abs(drawn.critical - exact.critical) < 5 * drawn.critical_error).all()


def test_the_page_of_an_area_says_what_it_shares(monitor):
    note = shared_unit_note(monitor, "E06000028")
    assert note == shared_unit_note(monitor, "E06000029")
    assert note.startswith("Poole and Bournemouth belong to one survey unit")
    assert "They share one figure for Labour market access: confidence sets count its error once" in note
    assert shared_unit_note(monitor, monitor.areas.code[0]) == ""
