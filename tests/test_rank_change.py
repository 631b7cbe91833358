"""Change of rank between two sets of draws: by hand, by law, and for editions that are independent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gwm_models.errors import DataError
from gwm_models.ranks import change as module
from gwm_models.ranks.change import change_of_ranks, independent_pairs, rank_change
from gwm_models.ranks.table import rank_areas, rank_draws

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 8))
BOTH = SHAPES.flatmap(lambda shape: st.tuples(*(arrays(float, shape, elements=st.floats(-9, 9)) for _ in range(2))))


def codes(n):
    return tuple(f"area-{i}" for i in range(n))


def test_a_change_by_hand():
    """Five areas, so that the bottom fifth is the last place; E climbs past D in two of four draws, once to first."""
    before = [[5, 4, 3, 2, 1]] * 4
    after = [[5, 4, 3, 2, 1], [5, 4, 3, 2, 1], [5, 4, 3, 2, 2.5], [5, 4, 3, 2, 6]]
    found = rank_change(before, after, list("ABCDE"), pairing="joint", level=0.5)
    assert found.expected.tolist() == [0.25, 0.25, 0.25, 0.5, -1.25]
    assert found.estimate.tolist() == [0, 0, 0, 0, -1]
    assert (found.lower[4], found.upper[4]) == (-4, 0)
    assert found.rank_before.tolist() == [1, 2, 3, 4, 5]
    assert found.rank_after.tolist() == [1, 2, 3, 4, 4]
    assert found.prob_improves.tolist() == [0, 0, 0, 0, 0.5]
    assert found.prob_worsens.tolist() == [0.25, 0.25, 0.25, 0.5, 0]
    assert found.prob_bottom_fifth_before.tolist() == [0, 0, 0, 0, 1]
    assert found.prob_leaves_bottom_fifth.tolist() == [0, 0, 0, 0, 0.5]
    assert found.prob_enters_bottom_fifth.tolist() == [0, 0, 0, 0.5, 0]
    row = found.to_rows()[4]
    assert (row["area_code"], row["estimate"], row["prob_leaves_bottom_fifth"], row["n"]) == ("E", -1, 0.5, 4)


@given(BOTH, st.sampled_from([0.5, 0.9]))
def test_laws_of_a_joint_change(both, level):
    before, after = both
    n = before.shape[1]
    found = rank_change(before, after, codes(n), pairing="joint", level=level)
    change = rank_draws(after) - rank_draws(before)
    assert found.expected.sum() == pytest.approx(0, abs=1e-9)
    assert found.expected == pytest.approx(change.mean(axis=0))
    assert ((found.lower <= change) & (change <= found.upper)).mean(axis=0).min() >= level - 1e-9
    still = (change == 0).mean(axis=0)
    assert found.prob_improves + found.prob_worsens + still == pytest.approx(np.ones(n))
    assert found.prob_bottom_fifth_after == pytest.approx(
        found.prob_bottom_fifth_before - found.prob_leaves_bottom_fifth + found.prob_enters_bottom_fifth
    )
    turned = rank_change(after, before, codes(n), pairing="joint", level=level)
    assert np.array_equal(turned.prob_improves, found.prob_worsens)
    assert np.array_equal(turned.prob_leaves_bottom_fifth, found.prob_enters_bottom_fifth)
    table = rank_areas(before, codes(n), n_ends=1)
    own = [i for i in range(n) if np.count_nonzero((before == before[:, [i]]).all(axis=0)) == 1]  # not tied throughout
    assert np.array_equal(found.rank_before[own], table.estimate[own])
    assert np.array_equal(found.prob_bottom_fifth_before[own], table.prob_bottom_fifth[own])
    assert change_of_ranks(rank_draws(before), rank_draws(after), codes(n), level=level).to_rows() == found.to_rows()


@given(BOTH)
def test_nothing_done_changes_no_rank(both):
    found = rank_change(both[0], both[0], codes(both[0].shape[1]), pairing="joint")
    assert not found.lower.any()
    assert not found.upper.any()
    assert not found.prob_improves.any()


def test_areas_taken_a_few_at_a_time_give_the_same_quantiles(monkeypatch):
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=(2, 50, 9))
    whole = rank_change(before, after, codes(9), pairing="joint")
    monkeypatch.setattr(module, "AREAS", 2)
    parts = rank_change(before, after, codes(9), pairing="joint")
    for name in ("estimate", "lower", "upper", "rank_after"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name))


def test_editions_drawn_with_one_seed_are_not_taken_for_joint():
    """Two editions with the same posterior and the same random numbers: row by row nothing seems to move."""
    rng = np.random.default_rng(2)
    draws = np.linspace(0, 2, 10) + rng.normal(size=(4000, 10))
    together = rank_change(draws, draws, codes(10), pairing="joint")
    apart = rank_change(draws, draws, codes(10), pairing="independent")
    assert not together.prob_improves.any()
    ranks = rank_draws(draws)
    share = np.array([np.bincount(ranks[:, i], minlength=11)[1:] / 4000 for i in range(10)])
    better = [share[i] @ np.append(0, np.cumsum(share[i])[:-1]) for i in range(10)]  # of two independent ranks
    assert apart.prob_improves == pytest.approx(better, abs=0.03)
    assert apart.prob_worsens == pytest.approx(better, abs=0.03)
    assert apart.prob_leaves_bottom_fifth == pytest.approx(
        apart.prob_bottom_fifth_before * (1 - apart.prob_bottom_fifth_after), abs=0.03
    )


def test_independent_rows_stay_whole_and_are_cut_to_the_shorter_set():
    before, after = np.arange(10.0).reshape(5, 2), np.arange(100.0, 114).reshape(7, 2)
    first, second = independent_pairs(before, after, seed=3)
    assert np.array_equal(first, before)
    assert len(second) == 5
    assert {tuple(row) for row in second} < {tuple(row) for row in after}
    assert np.array_equal(second, independent_pairs(before, after, seed=3)[1])
    assert len(independent_pairs(after, before)[0]) == 5
    found = rank_change(before, after, ["A", "B"], pairing="independent")
    assert (found.n_draws, found.pairing) == (5, "independent")
    assert repr(found) == "RankChange(2 areas, 0 move at 90%, independent draws)"


def test_the_seed_of_a_change_is_that_of_its_pairing():
    before, after = np.random.default_rng(5).normal(size=(2, 50, 4))
    paired = rank_change(*independent_pairs(before, after, seed=3), codes(4), pairing="joint")
    found, other = (rank_change(before, after, codes(4), pairing="independent", seed=seed) for seed in (3, 4))
    assert np.array_equal(found.prob_improves, paired.prob_improves)
    assert not np.array_equal(found.prob_improves, other.prob_improves)


def test_columns_are_matched_by_code_and_areas_of_one_set_only_are_left_out():
    before, after = [[4, 3, 2, 1]], [[9, 1, 2, 3]]
    found = rank_change(before, after, list("ABCD"), pairing="joint", after_area=list("XDCB"))
    assert found.area == ("B", "C", "D")
    assert found.left_out == ("A", "X")
    assert found.rank_before.tolist() == found.rank_after.tolist() == [1, 2, 3]
    turned = rank_change(before, [[1, 2, 3, 4]], list("ABCD"), pairing="joint", after_area=list("DCBA"))
    assert not turned.expected.any()
    assert turned.left_out == ()


@pytest.mark.parametrize("after_area", [["X", "Y"], ["A", "A"]])
def test_areas_that_cannot_be_matched_are_refused(after_area):
    with pytest.raises(DataError, match="cannot be matched"):
        rank_change([[1, 2]], [[1, 2]], ["A", "B"], pairing="joint", after_area=after_area)


def test_errors_shared_by_two_editions_make_an_independent_interval_too_wide():
    """What the notes say of dependence: the same area's error in both editions cancels in its change."""
    rng = np.random.default_rng(4)
    shared = rng.normal(size=(4000, 12)) * 2
    before = np.arange(12) + shared + rng.normal(size=(4000, 12))
    after = np.arange(12) + shared + rng.normal(size=(4000, 12))
    joint, apart = (rank_change(before, after, codes(12), pairing=pairing) for pairing in ("joint", "independent"))
    assert (apart.upper - apart.lower > joint.upper - joint.lower)[2:10].all()


def test_a_less_precise_second_edition_seems_to_move_the_ends_to_the_middle():
    """What the notes say of shrinkage: true scores stay, errors double, and each edition is shrunk on its own."""
    rng, n = np.random.default_rng(6), 60
    up = np.zeros(n)
    for _ in range(40):
        truth = rng.normal(0, 20, n)
        draws = []
        for error in (10.0, 20.0):
            gain = 400 / (400 + error**2)
            middle = gain * (truth + rng.normal(size=n) * error)
            draws.append(middle + rng.normal(size=(400, n)) * error * np.sqrt(gain))
        found = rank_change(*draws, codes(n), pairing="independent")
        up += (found.prob_improves - found.prob_worsens)[np.argsort(found.rank_before)] / 40
    assert up[-n // 5 :].mean() > 0.05 and up[: n // 5].mean() < -0.05


@pytest.mark.parametrize(
    ("before", "after", "options", "error", "message"),
    [
        ([[1, 2]], [[1, 2], [2, 1]], {"pairing": "joint"}, DataError, "1 draws before and 2 after are not joint"),
        ([[1, 2]], [[1, 2, 3]], {"pairing": "independent"}, DataError, r"shape \(1, 3\)"),
        ([[1, 2]], [[1, np.nan]], {"pairing": "joint"}, DataError, "not finite"),
        ([[1, 2]], [[1, 2]], {"pairing": "paired"}, ValueError, "'joint' or 'independent'; got 'paired'"),
        ([[1, 2]], [[1, 2]], {"pairing": "joint", "level": 1}, ValueError, "level must lie"),
        ([[1, 2]], [[1, 2]], {"pairing": "joint", "level": 0}, ValueError, "level must lie"),
    ],
)
def test_changes_that_cannot_be_told_are_refused(before, after, options, error, message):
    with pytest.raises(error, match=message):
        rank_change(before, after, ["A", "B"], **options)


@pytest.mark.parametrize("kind", [np.int64, np.int16, np.uint8])
def test_ranks_at_hand_change_by_as_much_in_however_few_bytes_they_are_kept(kind):
    """A falls from first to last of three in both draws, B and C rise: B by one or none, C by one or two."""
    before, after = np.array([[1, 2, 3]] * 2, dtype=kind), np.array([[3, 1, 2], [3, 2, 1]], dtype=kind)
    found = change_of_ranks(before, after, codes(3))
    assert repr(found) == "RankChange(3 areas, 2 move at 90%, joint draws)"
    assert found.expected.tolist() == [2, -0.5, -1.5]
    assert (found.lower.tolist(), found.upper.tolist()) == ([2, -1, -2], [2, 0, -1])
    assert (found.rank_after - found.rank_before).tolist() == [2, -1, -2]
    assert found.prob_improves.tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("after", [np.array([[1, 2]]), np.array([[1, 2, 3]] * 2), np.array([1, 2])])
def test_ranks_that_do_not_fit_are_refused(after):
    with pytest.raises(DataError, match="do not fit"):
        change_of_ranks(np.array([[1, 2], [2, 1]]), after, ["A", "B"])
