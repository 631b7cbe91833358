"""Where the uncertainty of ranks comes from: sampling error, the method, both; and the covariance behind the sets."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError
from gwm_models.index.aggregate import composite
from gwm_models.index.normalise import ranks_of
from gwm_models.index.rebuild import RobustnessSpec, draw_choices, index_data, rebuild_ranks
from gwm_models.index.sampling import sampling_error
from gwm_models.ranks.change import rank_change
from gwm_models.ranks.edition import (
    assumed_indicators,
    domain_errors,
    edition_sets,
    hours_words,
    rank_rows,
    total_covariance,
)
from gwm_models.ranks.sources import (
    SOURCES,
    SourceDraws,
    edition_sources,
    method_shift,
    method_totals,
    paired_sources,
)
from gwm_models.ranks.table import rank_draws

DOMAIN = ("access", "access", "quality", "quality", "quality")


@pytest.fixture(scope="module")
def monitor():
    return load_edition("monitor-2021")


@pytest.fixture(scope="module")
def figures():
    levels = np.random.default_rng(5).normal(size=(14, 5))
    return index_data(levels, [1, -1, 1, 1, -1], DOMAIN)


def by_area(found, total=None):
    n = found.shape[1]
    middle = np.zeros(n) if total is None else total
    area = tuple(f"area-{i}" for i in range(n))
    return lambda shift: SourceDraws(area, middle, found, shift, middle, (), (("access", "x"),))


# The method ---------------------------------------------------------------------------------------------------------


def test_every_drawn_index_ranks_as_the_robustness_analysis_ranks_it(figures):
    spec = RobustnessSpec(data_error=False, seed=3)
    choices = draw_choices(figures, spec, 300)
    reference = method_totals(figures, choices)[-1]
    shift = method_shift(figures, 40 + 2.5 * reference, n_draws=300, seed=3)
    rows = np.repeat(np.arange(300)[:, None], 4, axis=1)
    ranks = ranks_of(40 + 2.5 * reference + shift)  # tied areas share the better rank, as in the analysis
    assert (ranks == rebuild_ranks(figures, choices, rows)).all()
    assert len(np.unique(ranks, axis=0)) > 50


def test_the_last_row_is_the_index_by_the_published_method(figures):
    totals = method_totals(figures, draw_choices(figures, RobustnessSpec(data_error=False), 20))
    levels = figures.levels
    scored = 1 + 99 * (levels - levels.min(axis=1, keepdims=True)) / np.ptp(levels, axis=1, keepdims=True)
    by_hand = (scored[:2].mean(axis=0) + scored[2:].mean(axis=0)) / 2
    np.testing.assert_allclose(totals[-1], by_hand, rtol=1e-12)


@pytest.mark.parametrize("aggregation", ["geometric", "harmonic"])
@pytest.mark.parametrize("normalisation", ["z", "rank"])
def test_one_chosen_method_shifts_as_its_index_differs(figures, normalisation, aggregation):
    spec = RobustnessSpec(normalisations=(normalisation,), weightings=("equal",), aggregations=(aggregation,))
    total = np.linspace(100, 400, 14)
    shift = method_shift(figures, total, n_draws=3, seed=1, spec=spec)

    def standard(x):
        return (x - x.mean()) / x.std()

    other = composite(figures.levels.T, np.ones(5), DOMAIN, normalisation=normalisation, aggregation=aggregation)
    published = composite(figures.levels.T, np.ones(5), DOMAIN)
    expected = total.std() * (standard(other) - standard(published))
    np.testing.assert_allclose(shift, np.tile(expected, (3, 1)), rtol=1e-8, atol=1e-8)


def test_the_published_method_alone_shifts_nothing(figures):
    spec = RobustnessSpec(normalisations=("min_max",), weightings=("equal",), aggregations=("arithmetic",))
    assert (method_shift(figures, np.arange(14.0), n_draws=5, seed=1, spec=spec) == 0).all()


def test_shifts_move_the_areas_apart_and_not_all_together(figures):
    shift = method_shift(figures, np.arange(14.0), n_draws=200, seed=1)
    np.testing.assert_allclose(shift.mean(axis=1), 0, atol=1e-10)
    assert (shift == method_shift(figures, np.arange(14.0), n_draws=200, seed=1)).all()
    assert (shift != method_shift(figures, np.arange(14.0), n_draws=200, seed=2)).any()


# Both ---------------------------------------------------------------------------------------------------------------


def test_draws_of_a_source_are_what_it_says():
    sampling, shift = np.array([[5.0, 3.0], [4.0, 3.5]]), np.array([[0.0, 1.0], [-2.0, 2.0]])
    draws = by_area(sampling, np.array([10.0, 9.0]))(shift)
    assert draws.of("sampling").tolist() == sampling.tolist()
    assert draws.of("method").tolist() == [[10, 10], [8, 11]]
    assert draws.of("both").tolist() == [[5, 4], [2, 5.5]]


def test_a_source_that_does_not_vary_has_no_share():
    moving = np.random.default_rng(1).normal(size=(4000, 6))
    still = np.zeros_like(moving)
    sampling, method = by_area(moving)(still).shares(1).overall.first_order
    assert sampling == pytest.approx(1, abs=0.05) and method == pytest.approx(0, abs=1e-12)
    sampling, method = by_area(still)(moving).shares(1).overall.first_order
    assert sampling == pytest.approx(0, abs=1e-12) and method == pytest.approx(1, abs=0.05)


def test_two_sources_of_one_size_have_equal_shares_and_the_larger_has_more():
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(2, 20_000, 5))
    overall = by_area(one)(other).shares(1).overall
    gap = overall.first_order[0] - overall.first_order[1]
    assert abs(gap) < 4 * np.hypot(*overall.first_order_se)
    larger = by_area(one)(3 * other).shares(1).overall.first_order
    assert larger[1] > 3 * larger[0] > 0


def test_shares_of_each_area_and_of_all_add_up_to_one(monitor):
    found = edition_sources(monitor, n_draws=400, seed=1)
    shares = found.shares(1)
    rows = shares.to_rows()
    assert [row["area_code"] for row in rows] == [None, *monitor.areas.code]
    for row in rows:
        assert row["share_sampling"] + row["share_method"] + row["share_together"] == pytest.approx(1)
    assert shares.words().startswith("Of the variance of all ranks, ")


def test_an_area_that_never_moves_has_no_shares():
    sampling = np.random.default_rng(1).normal([100, 0, 0], size=(200, 3))
    rows = by_area(sampling)(np.zeros((200, 3))).shares(1).to_rows()
    assert rows[1]["share_sampling"] == rows[1]["share_method"] == rows[1]["share_together"] == 0


def test_shares_need_a_few_draws():
    with pytest.raises(DataError, match="need 4 draws or more; there are 3"):
        by_area(np.zeros((3, 2)))(np.zeros((3, 2))).shares(1)


def test_the_sources_of_an_edition_widen_each_other(monitor):
    found = edition_sources(monitor, n_draws=600, seed=7)
    assert found.left_out == ("satisfactory_hours",)
    spread = {source: rank_draws(found.of(source)).std(axis=0).mean() for source in SOURCES}
    assert spread["both"] > max(spread["sampling"], spread["method"]) > 1
    published = rank_rows(monitor, level=0.9, n_draws=600, seed=7)
    np.testing.assert_allclose(found.shrunk.round(1), [row["shrunk_score"] for row in published])
    assert list(published[0]) == [
        *("area_code", "area_name", "region_name", "published_score", "published_rank", "shrunk_score"),
        *("estimate", "lower", "upper", "expected_rank", "prob_top_10", "prob_bottom_10", "prob_bottom_fifth"),
        *("level", "n"),
    ]


# Two editions ------------------------------------------------------------------------------------------------------


def test_one_method_in_a_row_serves_both_editions_and_sampling_errors_are_independent():
    """Two editions alike, drawn with one seed: by method nothing moves, by both only the sampling error does."""
    found = edition_sources(load_edition("open-2017"), n_draws=600, seed=7)
    before, after = paired_sources(found, found, "method", seed=7)
    assert np.array_equal(before, after) and np.array_equal(before, found.of("method"))
    change = rank_change(before, after, found.area, pairing="joint")
    assert not change.lower.any() and not change.upper.any()
    before, after = paired_sources(found, found, "both", seed=7)
    sampling = after - found.shift
    assert np.array_equal(before, found.of("both")) and not np.allclose(sampling, found.sampling)
    np.testing.assert_allclose(np.sort(sampling, axis=0), np.sort(found.sampling, axis=0), rtol=1e-12)
    joint = rank_change(before, after, found.area, pairing="joint")
    apart = rank_change(found.of("both"), found.of("both"), found.area, pairing="independent", seed=7)
    assert (joint.upper - joint.lower).mean() < (apart.upper - apart.lower).mean() - 2


def test_the_shorter_of_two_editions_sets_how_many_draws_are_paired():
    rng = np.random.default_rng(3)
    long, short = (by_area(rng.normal(size=(n, 3)))(rng.normal(size=(n, 3))) for n in (9, 5))
    for source in ("method", "both"):
        before, after = paired_sources(long, short, source, seed=1)
        assert before.shape == after.shape == (5, 3)


def test_methods_for_other_indicators_are_not_one_method():
    one = by_area(np.zeros((4, 2)))(np.zeros((4, 2)))
    with pytest.raises(DataError, match="varied for other indicators"):
        paired_sources(one, replace(one, varied=(("access", "y"),)), "both", seed=1)


# Errors -------------------------------------------------------------------------------------------------------------


def test_areas_of_one_survey_unit_have_one_error_in_what_they_share_and_others_none_in_common(monitor):
    cov, names = total_covariance(monitor), monitor.areas.name
    i, j = names.index("Bournemouth"), names.index("Poole")
    found = sampling_error(monitor)
    np.testing.assert_allclose(np.diag(cov), found.total_std_error**2)
    scores, access = monitor.domain_scores, monitor.spec.domain_ids.index("access")
    assert (scores[i] == scores[j]).tolist() == [d == access for d in range(3)]  # one figure for access, two for others
    assert cov[i, j] == cov[j, i] == pytest.approx(found.domain_cov[i, access, access])
    cov[i, j] = cov[j, i] = 0
    assert np.count_nonzero(cov) == len(names)


def test_areas_of_one_survey_unit_can_be_in_either_order_where_their_own_errors_allow_it(monitor):
    """Their totals differ by 54.9 points, which is less than the single-step critical value of standard errors."""
    sets = edition_sets(monitor, level=0.9, simultaneous=True)
    i, j = (monitor.areas.name.index(name) for name in ("Bournemouth", "Poole"))
    own = sampling_error(monitor).domain_cov[[i, j], 1:, 1:]  # of the two domains that each has for itself
    gap, gap_se = monitor.total[j] - monitor.total[i], np.sqrt(own.sum())
    assert gap == pytest.approx(54.9, abs=0.05) and gap_se == pytest.approx(13.5, abs=0.05)
    assert 0 < gap < sets.critical[i] * gap_se
    assert sets.lower[i] <= sets.upper[j] < len(monitor.areas) and sets.lower[i] > 1


def test_an_assumed_error_takes_the_place_of_the_one_it_stands_for(monitor):
    (j,) = assumed_indicators(monitor)
    domain = monitor.spec.domain_ids.index(monitor.spec.indicators[j].domain)
    before, after = sampling_error(monitor), domain_errors(monitor, 11.0)
    expected = np.array(before.domain_cov)
    expected[:, domain, domain] += 121 - before.cov_points[:, j, j]
    np.testing.assert_allclose(after, expected)
    assert domain_errors(monitor) is before.domain_cov
    assert (domain_errors(monitor, 0.0)[:, domain, domain] < before.domain_cov[:, domain, domain]).all()


def test_without_its_assumed_error_a_domain_keeps_the_least_that_stands_for_none(monkeypatch):
    """Scores from 1 to 101: a hundred-thousandth of 100 points, squared, where the assumed indicator stands alone."""
    assumed, other = (SimpleNamespace(sampling={"kind": kind}) for kind in ("assumed", "limits"))
    members = {"a": [0], "b": [1]}
    spec = SimpleNamespace(domain_ids=("a", "b"), members=members.get, indicators=(assumed, other), scale=(1, 101))
    cov = np.array([np.diag([16.0, 9.0])])
    monkeypatch.setattr(
        "gwm_models.ranks.edition.sampling_error", lambda edition: SimpleNamespace(domain_cov=cov, cov_points=cov)
    )
    for points, left in ((0.0, 1e-6), (5.0, 25.0)):
        found = domain_errors(SimpleNamespace(name="made", spec=spec), points)
        np.testing.assert_allclose(found, [np.diag([left, 9.0])])


def test_a_larger_assumed_error_widens_the_sets(monitor):
    width = [
        np.mean(s.upper - s.lower) for s in (edition_sets(monitor, simultaneous=True, hours_error=h) for h in (0, 30))
    ]
    assert width[1] > width[0] + 5


@pytest.mark.parametrize("points", [-1.0, float("nan"), float("inf")])
def test_an_impossible_assumed_error_is_refused(monitor, points):
    with pytest.raises(DataError, match="expected a finite number of points, 0 or more"):
        domain_errors(monitor, points)


def test_an_edition_that_assumes_nothing_has_nothing_to_set():
    edition = load_edition("open-2021")
    assert hours_words(edition) == ""
    with pytest.raises(DataError, match="open-2021: no sampling error is assumed there"):
        domain_errors(edition, 3.0)


def test_what_is_assumed_is_said_with_its_size(monitor):
    (j,) = assumed_indicators(monitor)
    median = np.median(sampling_error(monitor).std_error[:, j])
    assert f"(median {median:.1f})" in hours_words(monitor)
    assert "7.5 score points in every area for Satisfactory hours" in hours_words(monitor, 7.5)
