"""Ranks inside draws by packed keys: equal to a stable sort, whatever the scores; and rank distributions."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gwm_models.errors import DataError
from gwm_models.ranks import counting
from gwm_models.ranks.counting import CountedRanks, SortedRanks, rank_distributions, rank_order, ranks_of
from gwm_models.ranks.pairs import compare
from gwm_models.ranks.table import fifth, parts, rank_areas, rank_draws, table_of

SHAPES = st.tuples(st.integers(1, 30), st.integers(1, 12))
ANY = st.floats(allow_nan=False, allow_infinity=False)
NEAR = st.integers(-40, 40).map(lambda steps: float(np.float64(300.0) + steps * np.spacing(300.0)))
AROUND_ZERO = st.integers(-20, 20).map(lambda steps: steps * 5e-324)
TIED = st.sampled_from([-1.5, -0.0, 0.0, 2.0])
HARD = st.one_of(*(arrays(float, SHAPES, elements=each) for each in (ANY, NEAR, AROUND_ZERO, TIED)))


def codes(n):
    return tuple(f"area-{i}" for i in range(n))


def by_argsort(scores):
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.argsort(order, axis=1) + 1


@given(HARD)
def test_ranks_are_those_of_a_stable_sort(scores):
    kept = scores.copy()
    order = np.argsort(-scores, axis=1, kind="stable")
    assert np.array_equal(rank_order(scores), order)
    assert np.array_equal(ranks_of(order), by_argsort(scores))
    assert np.array_equal(rank_draws(scores), by_argsort(scores))
    assert np.array_equal(scores, kept)


def alike(scores):
    """Return for each column which columns equal it in every draw."""
    return (scores[:, :, None] == scores[:, None, :]).all(axis=0)


@given(HARD, st.integers(1, 7))
def test_histograms_are_those_of_the_ranks_shared_by_areas_tied_throughout(scores, rows):
    n = scores.shape[1]
    ranks = by_argsort(scores)
    expected = np.array([np.bincount(ranks[:, i], minlength=n + 1)[1:] for i in range(n)])
    expected = np.array([expected[same].mean(axis=0) for same in alike(scores)])
    blocks = [scores[first : first + rows] for first in range(0, len(scores), rows)]
    for draws in (scores, iter(blocks), lambda: blocks):
        found = rank_distributions(draws, codes(n))
        counts = np.array([found.counts_of(i) for i in range(n)])
        assert counts == pytest.approx(expected, abs=1e-9)
        assert found.n_draws == len(scores)
    assert counts.sum(axis=1) == pytest.approx(np.full(n, len(scores)))
    assert counts.sum(axis=0) == pytest.approx(np.full(n, len(scores)))


@given(HARD, st.floats(0.001, 0.999))
def test_both_ways_of_keeping_ranks_give_numpys_quantiles_and_moments(scores, prob):
    n = scores.shape[1]
    ranks = by_argsort(scores)
    orders, untied = [rank_order(scores)], counting._Tied(np.arange(n))
    for found in (counting._counted([orders[0].copy()], codes(n), untied), counting._sorted(orders, codes(n), untied)):
        assert np.array_equal(found.quantile(prob), np.quantile(ranks, prob, axis=0, method="inverted_cdf"))
        mean, sd = found.moments()
        assert mean == pytest.approx(ranks.mean(axis=0), rel=1e-12)
        assert sd == pytest.approx(ranks.std(axis=0), abs=1e-6)
        for rank in range(n + 1):
            assert np.array_equal(found.at_most(rank), (ranks <= rank).mean(axis=0))
            assert np.array_equal(found.beyond(rank), (ranks > rank).mean(axis=0))
        assert found.of("area-0") == pytest.approx([(ranks[:, 0] == r).mean() for r in range(1, n + 1)])
        assert found.held(1).dtype == found.counts_of(0).dtype == np.int64, "whole, as no areas are tied throughout"


def test_scores_that_share_a_sort_key_are_put_right():
    """With 118 areas a key gives up seven bits: these scores differ only there, and run against the column order."""
    step = np.spacing(300.0)
    scores = 300 + step * np.arange(118)[None]
    assert rank_draws(scores).tolist() == [list(range(118, 0, -1))]
    assert rank_draws(-scores).tolist() == [list(range(1, 119))]
    assert rank_draws(scores[:, ::-1]).tolist() == [list(range(1, 119))]


def test_ties_go_by_column_order_and_signed_zeros_are_tied():
    assert rank_draws([[5, 5, 5], [-5, -5, -5], [0.0, -0.0, 0.0]]).tolist() == [[1, 2, 3]] * 3


def test_areas_tied_in_every_draw_have_one_row_between_them():
    """A and C are tied behind B in three draws of five, before it in one, and behind it, apart from D, in the last."""
    draws = [[2, 3, 2, 1], [2, 3, 2, 1], [2, 3, 2, 1], [4, 3, 4, 1], [2, 3, 2, 2.5]]
    found = rank_distributions((draws[i : i + 2] for i in (0, 2, 4)), ["A", "B", "C", "D"])
    assert found.of("A").tolist() == found.of("C").tolist() == pytest.approx([0.1, 0.4, 0.4, 0.1])
    assert found.of("B").tolist() == [0.8, 0, 0.2, 0]
    table = table_of(found, level=0.7, n_ends=2)
    assert table.expected.tolist() == pytest.approx([2.5, 1.4, 2.5, 3.6])
    assert (table.lower[0], table.estimate[0], table.upper[0]) == (2, 2, 3)
    assert [table.lower[2], table.estimate[2], table.upper[2]] == [2, 2, 3]
    assert table.prob_top.tolist() == pytest.approx([0.5, 0.8, 0.5, 0.2])


def test_two_areas_that_are_always_tied_are_placed_alike_and_not_apart():
    draws = [[1.0, 1.0], [5.0, 5.0], [2.0, 2.0]]
    table = rank_areas(draws, ["A", "B"], n_ends=1)
    assert table.prob_top.tolist() == table.prob_bottom.tolist() == [0.5, 0.5]
    assert (table.lower.tolist(), table.upper.tolist()) == ([1, 1], [2, 2])
    pair = compare(draws, ["A", "B"], "A", "B")
    assert (pair.prob_above, pair.rank_estimate, pair.rank_lower, pair.rank_upper) == (0.5, 0, 0, 0)


def test_areas_alike_at_first_only_are_ranked_each_on_its_own(monkeypatch):
    first = np.ones((3, 4))
    then = np.array([[4.0, 1, 4, 1], [4, 1, 4, 2]])
    for most in (counting.MOST_COUNTED, 3):
        monkeypatch.setattr(counting, "MOST_COUNTED", most)
        found = rank_distributions(iter([first, then]), codes(4))
        assert np.array_equal(found.of("area-0"), found.of("area-2")), "tied throughout"
        assert not np.array_equal(found.of("area-1"), found.of("area-3")), "tied until the last draw"
        assert found.of("area-3")[3] == pytest.approx(0.8)


def test_many_areas_tied_throughout_share_their_ranks_to_within_a_draw(monkeypatch):
    draws = np.random.default_rng(6).normal(size=(1000, 6))
    draws[:, 4] = draws[:, 2] = draws[:, 1]
    exact = rank_distributions(draws, codes(6))
    monkeypatch.setattr(counting, "MOST_COUNTED", 5)
    dealt = rank_distributions(draws, codes(6))
    for i in range(6):
        assert np.cumsum(dealt.counts_of(i)) == pytest.approx(np.cumsum(exact.counts_of(i)), abs=1)
    assert np.array_equal(dealt.counts_of(1), dealt.counts_of(4))


def test_infinite_scores_are_ranked_at_the_ends():
    assert rank_draws([[np.inf, 1.0, -np.inf]]).tolist() == [[1, 2, 3]]


def test_many_areas_are_kept_as_ranks_and_agree_with_counts(monkeypatch):
    draws = np.random.default_rng(1).normal(size=(300, 40))
    counted = rank_distributions(draws, codes(40))
    monkeypatch.setattr(counting, "MOST_COUNTED", 39)
    kept = rank_distributions((draws[i : i + 7] for i in range(0, 300, 7)), codes(40))
    assert isinstance(counted, CountedRanks)
    assert isinstance(kept, SortedRanks)
    first, second = table_of(counted), table_of(kept)
    for name in ("estimate", "lower", "upper", "prob_top", "prob_bottom", "prob_fifth", "prob_third"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert first.expected == pytest.approx(second.expected, rel=1e-12)
    assert first.sd == pytest.approx(second.sd, rel=1e-9)
    assert np.array_equal(counted.of("area-7"), kept.of("area-7"))


@pytest.mark.parametrize("name", ["BLOCK_BYTES", "FEW"])
def test_the_size_of_a_block_and_the_way_of_counting_change_nothing(monkeypatch, name):
    scores = np.random.default_rng(3).normal(size=(101, 13)).round(1)
    whole, order = rank_distributions(scores, codes(13)), rank_order(scores)
    monkeypatch.setattr(counting, name, 500 if name == "BLOCK_BYTES" else 12)
    assert np.array_equal(rank_distributions(scores, codes(13)).cumulative, whole.cumulative)
    assert np.array_equal(rank_order(scores), order)


def test_the_whole_distribution_of_one_area_as_rows():
    rows = rank_distributions([[3, 2, 1], [1, 2, 3], [2, 3, 1], [3, 2, 1]], ["A", "B", "C"]).to_rows("A")
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert [row["prob"] for row in rows] == [0.5, 0.25, 0.25]
    assert [row["prob_at_most"] for row in rows] == [0.5, 0.75, 1.0]
    assert rows[0]["area_code"] == "A"


def test_streaming_needs_memory_for_the_counts_and_a_block_only():
    rng = np.random.default_rng(2)
    rank_distributions(rng.normal(size=(4, 100)), codes(100))
    tracemalloc.start()
    found = rank_distributions(lambda: (rng.normal(size=(500, 100)) for _ in range(40)), codes(100))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.n_draws == 20_000
    assert peak < 4e6  # the draws together are 16 MB


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        (lambda: [], r"shape \(0, 2\); expected \(n_draws, 2\)"),
        (lambda: [[[1.0, 2.0]], [[1.0, np.inf]]], r"not finite for 1 of 2 areas \(B\)"),
        (lambda: [[[1.0, 2.0]], [[1.0]]], r"shape \(1, 1\)"),
        ([1.0, 2.0], r"shape \(2,\)"),
    ],
)
def test_blocks_that_cannot_be_ranked_are_refused(draws, message):
    with pytest.raises(DataError, match=message):
        rank_distributions(draws, ["A", "B"])


def test_no_areas_are_refused():
    with pytest.raises(DataError, match=r"shape \(3, 0\)"):
        rank_areas(np.empty((3, 0)), [])


def test_an_unknown_area_is_named():
    with pytest.raises(DataError, match="no area 'C' among the 2 ranked"):
        rank_distributions([[1.0, 2.0]], ["A", "B"]).of("C")


@pytest.mark.parametrize("n", range(1, 200))
def test_fifths_and_thirds_share_out_the_areas_evenly(n):
    for k in (3, 5):
        sizes = np.diff(parts(n, k))
        assert sizes.sum() == n
        assert sizes.min() >= 0
        assert np.abs(sizes - n / k).max() <= 1
    assert np.diff(parts(n, 5))[-1] == fifth(n)
    assert n == 1 or np.diff(parts(n, 5))[0] == fifth(n)


def test_one_area_is_always_first_and_last():
    row = rank_areas([[3.0], [4.0]], ["A"], n_ends=1).to_rows(full=True)[0]
    assert (row["estimate"], row["lower"], row["upper"], row["expected_rank"], row["sd_rank"]) == (1, 1, 1, 1.0, 0.0)
    assert (row["prob_top_1"], row["prob_bottom_1"], row["prob_bottom_fifth"], row["prob_fifth_5"]) == (1, 1, 1, 1)


def test_two_areas_share_the_ends():
    table = rank_areas([[1.0, 2.0], [3.0, 2.0], [3.0, 1.0], [4.0, 0.0]], ["A", "B"], n_ends=1)
    assert table.prob_fifth.tolist() == [[0.75, 0, 0, 0, 0.25], [0.25, 0, 0, 0, 0.75]]
    assert table.prob_third.tolist() == [[0.75, 0, 0.25], [0.25, 0, 0.75]]
    assert table.prob_bottom_fifth.tolist() == [0.25, 0.75]
    assert table.sd == pytest.approx(np.sqrt([0.1875, 0.1875]))


def test_the_default_ends_of_a_short_table_are_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match="n_ends must lie between 1 and 2"):
        rank_areas([[1.0, 2.0]], ["A", "B"])


@given(arrays(float, st.tuples(st.integers(1, 40), st.integers(5, 12)), elements=ANY))
def test_probabilities_of_the_parts_add_up_both_ways(scores):
    n = scores.shape[1]
    table = rank_areas(scores, codes(n), n_ends=1)
    for prob, k in ((table.prob_fifth, 5), (table.prob_third, 3)):
        assert prob.sum(axis=1) == pytest.approx(np.ones(n))
        assert prob.sum(axis=0) == pytest.approx(np.diff(parts(n, k)))
    assert np.array_equal(table.prob_bottom_fifth, table.prob_fifth[:, 4])
    assert table.expected.sum() == pytest.approx(n * (n + 1) / 2)


def test_a_table_keeps_its_own_read_only_copies():
    table = rank_areas([[1.0, 2.0]], ["A", "B"], n_ends=1)
    with pytest.raises(ValueError, match="read-only"):
        table.prob_fifth[0, 0] = 1
    assert list(table.to_rows()[0]) == [
        *("area_code", "estimate", "lower", "upper", "expected_rank"),
        *("prob_top_1", "prob_bottom_1", "prob_bottom_fifth", "level", "n"),
    ]
