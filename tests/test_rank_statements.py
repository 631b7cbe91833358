"""What draws say about pairs, groups, ends of the table and selected areas; and the words for it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.optimize import brentq

from gwm_models.errors import DataError
from gwm_models.ranks import pairs
from gwm_models.ranks.pairs import alike_groups, compare, prob_above
from gwm_models.ranks.selected import selected_scores
from gwm_models.ranks.statements import list_bottom_fifth, list_members
from gwm_models.ranks.table import rank_areas, rank_draws
from gwm_models.ranks.words import ordinal, times_in, words_for

ROUND = st.integers(-3, 3).map(float)
DRAWS = arrays(float, st.tuples(st.integers(1, 40), st.integers(2, 7)), elements=ROUND)


def codes(n):
    return tuple(f"area-{i}" for i in range(n))


@given(DRAWS, st.integers(1, 9))
def test_pairs_are_compared_draw_by_draw_with_ties_counted_half(draws, rows):
    n = draws.shape[1]
    expected = np.array(
        [
            [np.mean((draws[:, i] > draws[:, j]) + 0.5 * (draws[:, i] == draws[:, j])) for j in range(n)]
            for i in range(n)
        ]
    )
    assert prob_above(draws, codes(n)) == pytest.approx(expected, abs=1e-12)
    blocks = (draws[first : first + rows] for first in range(0, len(draws), rows))
    assert np.array_equal(prob_above(blocks, codes(n)), prob_above(draws, codes(n)))


UNTIED = arrays(float, st.tuples(st.integers(1, 40), st.integers(1, 7)), elements=st.floats(-9, 9), unique=True)


@given(UNTIED)
def test_pairs_without_ties_are_compared_as_those_with(draws):
    n = draws.shape[1]
    expected = (draws[:, :, None] > draws[:, None, :]).mean(axis=0) + 0.5 * np.eye(n)
    assert prob_above(draws, codes(n)) == pytest.approx(expected, abs=1e-12)


def test_more_draws_than_a_block_are_counted_once(monkeypatch):
    draws = np.random.default_rng(1).normal(size=(1000, 5))
    whole = prob_above(draws, codes(5))
    monkeypatch.setattr(pairs, "ROWS", 33)
    assert np.array_equal(prob_above(draws, codes(5)), whole)
    assert np.array_equal(whole + whole.T, np.ones((5, 5)))


@given(DRAWS, st.sampled_from([0.5, 0.8, 0.9]))
def test_two_areas_are_compared_as_their_draws_say(draws, level):
    n = draws.shape[1]
    found = compare(draws, codes(n), "area-0", f"area-{n - 1}", level=level)
    gap, ranks = draws[:, 0] - draws[:, n - 1], rank_draws(draws)
    places = np.where(gap == 0, 0, ranks[:, 0] - ranks[:, n - 1])
    assert found.prob_above == pytest.approx(prob_above(draws, codes(n))[0, n - 1])
    assert ((found.lower <= gap) & (gap <= found.upper)).mean() >= level - 1e-9
    assert ((found.rank_lower <= places) & (places <= found.rank_upper)).mean() >= level - 1e-9
    for middle, moved in ((found.estimate, gap), (found.rank_estimate, places)):
        assert middle in moved
        assert (moved < middle).mean() < 0.5 <= (moved <= middle).mean()
    assert found.std_error == pytest.approx(gap.std(), abs=1e-12)
    turned = compare(draws, codes(n), f"area-{n - 1}", "area-0", level=level)
    assert turned.prob_above == pytest.approx(1 - found.prob_above)


def test_a_shared_error_cancels_in_a_comparison():
    """Both scores move together: their own intervals overlap, yet one is above the other in every draw."""
    shared = np.random.default_rng(2).normal(scale=50, size=(500, 1))
    draws = np.hstack([shared + 5, shared, np.zeros((500, 1))])
    found = compare(draws, ["A", "B", "C"], "A", "B")
    assert (found.prob_above, found.estimate) == (1.0, pytest.approx(5))
    assert found.upper - found.lower < 1e-9
    rows = found.to_rows()
    assert [row["quantity"] for row in rows] == ["score", "rank"]
    assert rows[1]["upper"] == -1


@pytest.mark.parametrize(
    ("first", "second", "level", "error", "message"),
    [
        ("A", "C", 0.9, DataError, "no area 'C'"),
        ("A", "A", 0.9, ValueError, "two different areas"),
        ("A", "B", 1, ValueError, "level must lie"),
    ],
)
def test_comparisons_that_cannot_be_made_are_refused(first, second, level, error, message):
    with pytest.raises(error, match=message):
        compare([[1.0, 2.0]], ["A", "B"], first, second, level=level)


def alike(above, order, first, last, prob):
    return all(max(above[a, b], above[b, a]) <= prob for a, b in itertools.combinations(order[first : last + 1], 2))


@given(DRAWS, st.sampled_from([0.5, 0.7, 0.95]))
def test_groups_are_all_the_longest_runs_without_a_pair_told_apart(draws, prob):
    n = draws.shape[1]
    above, table = prob_above(draws, codes(n)), rank_areas(draws, codes(n), n_ends=1)
    order = np.argsort(table.expected, kind="stable")
    runs = {(i, j) for i in range(n) for j in range(i, n) if alike(above, order, i, j, prob)}
    longest = [run for run in sorted(runs) if not any(o != run and o[0] <= run[0] and run[1] <= o[1] for o in runs)]
    found = alike_groups(above, table.expected, codes(n), prob=prob)
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == longest
    assert found.groups == tuple(tuple(f"area-{k}" for k in order[i : j + 1]) for i, j in longest)
    assert {code for group in found.groups for code in group} == set(codes(n))
    numbered = [(k, code) for k, group in enumerate(found.groups) for code in group]
    assert [(row["group"] - 1, row["area_code"]) for row in found.to_rows()] == numbered


@pytest.mark.parametrize(
    ("above", "expected", "prob", "error", "message"),
    [
        ([[0.5]], [1, 2], 0.9, DataError, "do not fit 2 areas"),
        ([[0.5, 2], [0, 0.5]], [1, 2], 0.9, DataError, "must hold probabilities"),
        ([[0.5, np.nan], [0, 0.5]], [1, 2], 0.9, DataError, "must hold probabilities"),
        ([[0.5, 1], [0, 0.5]], [1, 2], 0.4, ValueError, "prob must lie between 0.5 and 1"),
    ],
)
def test_groups_that_cannot_be_made_are_refused(above, expected, prob, error, message):
    with pytest.raises(error, match=message):
        alike_groups(above, expected, ["A", "B"], prob=prob)


PROBS = arrays(float, st.integers(1, 12), elements=st.sampled_from([0.0, 0.2, 0.5, 0.8, 0.9, 0.95, 1.0]))


@given(PROBS, st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.5]))
def test_as_many_areas_are_listed_as_the_error_rate_allows(prob, error):
    found = list_members(prob, codes(len(prob)), error=error)
    named = [int(code[5:]) for code in found.area]
    chances = np.array(sorted({float(p) for p in prob}, reverse=True))
    lists = [np.flatnonzero(prob >= least) for least in chances]
    allowed = [chosen for chosen in lists if (1 - prob[chosen]).mean() <= error + 1e-12]
    assert sorted(named) == (allowed[-1].tolist() if allowed else [])
    assert found.expected_members + found.missed == pytest.approx(prob.sum())
    assert found.false_discovery_rate <= error + 1e-12
    if named:
        assert found.false_discovery_rate == pytest.approx((1 - prob[named]).mean())
        assert found.to_rows()[-1]["false_discovery_rate"] == pytest.approx(found.false_discovery_rate)


def test_areas_with_one_probability_are_listed_together_or_not_at_all():
    assert list_members([0.9, 1.0, 0.9], ["A", "B", "C"], error=0.05).area == ("B",)
    assert list_members([0.9, 1.0, 0.9], ["A", "B", "C"], error=0.07).area == ("B", "A", "C")


def test_the_bottom_of_a_table_in_words():
    rng = np.random.default_rng(3)
    draws = np.arange(10)[::-1] * 3 + rng.normal(size=(4000, 10))
    table = rank_areas(draws, codes(10), n_ends=1)
    bottom = list_bottom_fifth(table)
    assert set(bottom.area) == {"area-8", "area-9"}
    assert bottom.words().startswith("2 areas are listed for the bottom fifth (2 of 10): ")
    assert "2 areas listed for the bottom fifth" in repr(bottom)
    even = rank_areas(rng.normal(size=(4000, 10)), codes(10), n_ends=1)
    assert list_bottom_fifth(even).words() == (
        "No area can be listed for the bottom fifth (2 of 10) with an expected error of at most 5%."
    )
    assert list_bottom_fifth(even).missed == pytest.approx(2)
    assert list_members([1.0, 0.5], ["A", "B"]).words().startswith("1 area is listed")


def test_the_only_area_is_in_both_ends():
    table = rank_areas([[1.0]], ["A"], n_ends=1)
    assert list_bottom_fifth(table).area == list_members(table.prob_top_fifth, table.area).area == ("A",)


@pytest.mark.parametrize(
    ("prob", "error", "kind", "message"),
    [
        ([0.5], 0.05, DataError, r"shape \(1,\); expected \(2,\)"),
        ([0.5, np.nan], 0.05, DataError, "between 0 and 1"),
        ([0.5, 1.5], 0.05, DataError, "between 0 and 1"),
        ([0.5, 0.5], 1, ValueError, "error must lie"),
    ],
)
def test_members_that_cannot_be_named_are_refused(prob, error, kind, message):
    with pytest.raises(kind, match=message):
        list_members(prob, ["A", "B"], error=error)


@pytest.mark.slow
def test_as_many_of_the_areas_named_are_wrong_as_expected():
    """Truth from the model: the realised share of wrong names agrees with the expected one, and keeps to the rate."""
    rng, n = np.random.default_rng(4), 50
    wrong, expected, missed, missing = [], [], [], []
    for _ in range(600):
        truth = rng.normal(0, 20, n)
        error = rng.uniform(5, 15, n)
        gain = 400 / (400 + error**2)
        draws = gain * (truth + rng.normal(size=n) * error) + rng.normal(size=(800, n)) * error * np.sqrt(gain)
        found = list_bottom_fifth(rank_areas(draws, codes(n)), error=0.1)
        low = {f"area-{i}" for i in np.flatnonzero(rank_draws(truth[None])[0] > 40)}
        wrong.append(np.mean([code not in low for code in found.area]) if found.area else 0.0)
        expected.append(found.false_discovery_rate)
        missed.append(len(low - set(found.area)))
        missing.append(found.missed)
    assert np.mean(wrong) <= 0.1
    assert np.mean(wrong) == pytest.approx(np.mean(expected), abs=0.015)
    assert np.mean(missed) == pytest.approx(np.mean(missing), abs=0.15)


def truncated_cdf(value, truth, error, cut, reach):
    low, high = truth - reach * error, min(truth + reach * error, cut)
    inside = stats.norm.cdf(high, truth, error) - stats.norm.cdf(low, truth, error)
    return (stats.norm.cdf(value, truth, error) - stats.norm.cdf(low, truth, error)) / inside


def test_the_hybrid_of_the_worst_area_by_root_finding():
    scores, error = [100.0, 112.0, 140.0, 150.0], [10.0, 12.0, 9.0, 8.0]
    found = selected_scores(scores, error, codes(4), level=0.9)
    reach = stats.norm.ppf((1 + 0.99**0.25) / 2)
    tail = (0.1 - 0.01) / 0.99 / 2
    roots = [
        brentq(
            lambda truth, p=p: truncated_cdf(100, truth, 10, 112, reach) - p,
            100 - reach * 10 + 1e-9,
            100 + reach * 10 - 1e-9,
            xtol=1e-11,
        )
        for p in (1 - tail, 0.5, tail)
    ]
    assert found.area == ("area-0",)
    assert [found.lower[0], found.estimate[0], found.upper[0]] == pytest.approx(roots, abs=1e-7)
    assert found.to_rows()[0]["published_score"] == 100.0


def test_far_from_the_rest_nothing_needs_correction():
    found = selected_scores([0.0, 1000.0, 1010.0], [10.0] * 3, codes(3), level=0.95)
    assert found.estimate[0] == pytest.approx(0, abs=1e-6)
    outside = (1 - 0.995 ** (1 / 3)) / 2  # of the simultaneous interval, on one side
    tail = outside + 0.045 / 0.995 / 2 * (1 - 2 * outside)
    assert found.upper[0] == pytest.approx(10 * stats.norm.isf(tail), rel=1e-9)
    assert found.lower[0] == pytest.approx(-found.upper[0], rel=1e-6)


FINE = st.floats(1, 30)
SCORES = st.lists(st.integers(-500, 500), min_size=2, max_size=10, unique=True).map(lambda v: np.array(v, dtype=float))


@given(SCORES, st.data())
def test_correction_moves_scores_back_and_mirrors(scores, data):
    n = len(scores)
    error = np.array(data.draw(st.lists(FINE, min_size=n, max_size=n)))
    k = data.draw(st.integers(1, n))
    worst = selected_scores(scores, error, codes(n), n_selected=k)
    best = selected_scores(-scores, error, codes(n), n_selected=k, end="best")
    assert worst.area == best.area
    assert best.estimate == pytest.approx(-worst.estimate)
    assert best.lower == pytest.approx(-worst.upper)
    assert (worst.estimate >= worst.published - 1e-6).all()
    assert ((worst.lower <= worst.estimate) & (worst.estimate <= worst.upper)).all()
    wider = selected_scores(scores, error, codes(n), n_selected=k, level=0.99)
    moved = selected_scores(2 * scores + 7, 2 * error, codes(n), n_selected=k)
    assert moved.estimate == pytest.approx(2 * worst.estimate + 7)
    assert (wider.upper - wider.lower > worst.upper - worst.lower).all()


def test_the_corrected_estimate_of_one_of_many_alike_is_far_out_and_its_interval_holds():
    """What the notes say: median-unbiased, and yet of larger squared error than the published score."""
    rng, error = np.random.default_rng(9), np.full(40, 10.0)
    truth = rng.normal(0, 20, (400, 40))
    found, last = [], []
    for true in truth:
        found.append(selected_scores(true + rng.normal(size=40) * 10, error, codes(40), n_selected=4, level=0.9))
        last.append(true[[int(code[5:]) for code in found[-1].area]])
    true = np.array(last)
    corrected, published = (np.array([getattr(f, name) for f in found]) for name in ("estimate", "published"))
    assert ((corrected - true) ** 2).mean() > 1.3 * ((published - true) ** 2).mean()
    assert (corrected > true).mean() == pytest.approx(0.5, abs=0.05)
    low, high = (np.array([getattr(f, name) for f in found]) for name in ("lower", "upper"))
    assert ((low <= true) & (true <= high)).mean() >= 0.88


def test_scores_known_exactly_stay_as_they_are():
    found = selected_scores([1.0, 1.0, 5.0, 9.0], [0, 0, 0, 3.0], codes(4), n_selected=3)
    for part in (found.estimate, found.lower, found.upper):
        assert part.tolist() == [1, 1, 5]
    alone = selected_scores([3.0], [2.0], ["A"])
    assert alone.estimate[0] == pytest.approx(3)


@pytest.mark.parametrize(
    ("scores", "error", "options", "kind", "message"),
    [
        ([1, 1, 2], [1, 1, 1], {}, DataError, "A and B have the same score"),
        ([1, 1, 2], [0, 1, 1], {}, DataError, "A and B have the same score"),
        ([1, 1, 2], [1, 0, 1], {}, DataError, "A and B have the same score"),
        ([1, 2, np.nan], [1, 1, 1], {}, DataError, r"1 of 3 areas \(C\)"),
        ([1, 2, 3], [1, -1, np.inf], {}, DataError, r"2 of 3 areas \(B, C\)"),
        ([1, 2], [1, 1], {}, DataError, "do not fit 3 areas"),
        ([1, 2, 3], [1, 1, 1], {"n_selected": 4}, ValueError, "between 1 and 3"),
        ([1, 2, 3], [1, 1, 1], {"n_selected": 1.5}, ValueError, "between 1 and 3"),
        ([1, 2, 3], [1, 1, 1], {"level": 0}, ValueError, "level must lie"),
        ([1, 2, 3], [1, 1, 1], {"level": 1}, ValueError, "level must lie"),
        ([1, 2, 3], [1, 1, 1], {"end": "last"}, ValueError, "'worst' or 'best'"),
    ],
)
def test_selections_that_cannot_be_corrected_are_refused(scores, error, options, kind, message):
    with pytest.raises(kind, match=message):
        selected_scores(scores, error, ["A", "B", "C"], **options)


TRUTHS = {
    "all equal": np.zeros(20),
    "two at the end": np.append(np.full(18, 60.0), [0.0, 2.0]),
    "spread out": np.linspace(0, 100, 20),
}


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
@pytest.mark.parametrize("end", ["worst", "best"])
def test_the_interval_of_the_area_at_the_end_holds_its_true_score(truth, end):
    rng, error = np.random.default_rng(5), np.linspace(8, 16, 20)
    held, high, plain = [], [], []
    for _ in range(2000):
        found = selected_scores(truth + rng.normal(size=20) * error, error, codes(20), level=0.9, end=end)
        true = truth[int(found.area[0][5:])]
        held.append(found.lower[0] <= true <= found.upper[0])
        high.append(found.estimate[0] > true)
        plain.append(abs(found.published[0] - true) <= 1.6449 * found.std_error[0])
    assert 0.9 - 0.02 <= np.mean(held) <= 0.9 / 0.99 + 0.02  # three simulation errors
    assert np.mean(high) == pytest.approx(0.5, abs=0.04)
    if not truth.any():
        assert np.mean(plain) < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_the_share_of_intervals_of_the_worst_five_that_miss_is_as_stated(truth):
    rng, error = np.random.default_rng(6), np.linspace(8, 16, 20)
    missed = []
    for _ in range(1500):
        found = selected_scores(truth + rng.normal(size=20) * error, error, codes(20), n_selected=5, level=0.9)
        true = truth[[int(code[5:]) for code in found.area]]
        missed.append(np.mean((true < found.lower) | (true > found.upper)))
    assert 0.08 <= np.mean(missed) <= 0.112


@pytest.mark.slow
def test_a_posterior_needs_no_correction_for_an_area_that_came_last():
    """Truth from the model: its interval holds for the worst of 40, where the published score's own does not."""
    rng, error = np.random.default_rng(8), 20.0
    truth = rng.normal(0, 15, (20_000, 40))
    published = truth + rng.normal(size=truth.shape) * error
    last = published.argmin(axis=1)[:, None]
    true, score = np.take_along_axis(truth, last, axis=1), published.min(axis=1, keepdims=True)
    gain = 15**2 / (15**2 + error**2)
    held = np.abs(gain * score - true) <= 1.6449 * error * np.sqrt(gain)
    assert held.mean() == pytest.approx(0.9, abs=0.01)
    assert (np.abs(score - true) <= 1.6449 * error).mean() < 0.5


ORDINALS = {
    "st": (1, 21, 91, 101, 1001),
    "nd": (2, 22, 102, 112_002),
    "rd": (3, 83, 103),
    "th": (4, 10, 11, 12, 13, 20, 111, 112, 113, 118, 1011),
}


@pytest.mark.parametrize("ending", ORDINALS)
def test_ordinals_end_as_in_english(ending):
    assert [ordinal(number) for number in ORDINALS[ending]] == [f"{number}{ending}" for number in ORDINALS[ending]]


TIMES = {
    **{0.9: "9 times in 10", 0.8: "8 times in 10", 0.5: "5 times in 10", 0.1: "once in 10", 0.95: "19 times in 20"},
    **{0.99: "99 times in 100", 0.05: "once in 20", 0.999: "99.9% of the time", 1 / 3: "33.3333% of the time"},
}


@pytest.mark.parametrize("level", TIMES)
def test_levels_are_said_in_times(level):
    assert times_in(level) == TIMES[level]


@pytest.mark.parametrize("level", [0, 1])
def test_a_level_without_odds_is_refused(level):
    with pytest.raises(ValueError, match="level must lie between 0 and 1"):
        times_in(level)


def row(lower, upper, fifths, thirds, level=0.9):
    named = {f"prob_fifth_{k}": p for k, p in enumerate(fifths, start=1)}
    return {"lower": lower, "upper": upper, "level": level, **named} | {
        f"prob_third_{k}": p for k, p in enumerate(thirds, start=1)
    }


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (
            row(98, 115, (0, 0, 0, 0.03, 0.97), (0, 0.001, 0.999)),
            "Between 98th and 115th, 9 times in 10; almost surely in the lowest third, very likely in the lowest "
            "fifth.",
        ),
        (
            row(27, 41, (0.01, 0.98, 0.01, 0, 0), (0.94, 0.06, 0)),
            "Between 27th and 41st, 9 times in 10; almost surely in the upper two thirds, very likely in the second "
            "fifth.",
        ),
        (
            row(50, 66, (0, 0.005, 0.99, 0.005, 0), (0, 1, 0)),
            "Between 50th and 66th, 9 times in 10; almost surely in the middle fifth.",
        ),
        (
            row(60, 90, (0, 0, 0.2, 0.7, 0.1), (0, 0.75, 0.25)),
            "Between 60th and 90th, 9 times in 10; almost surely in the lower two thirds.",
        ),
        (row(1, 1, (1, 0, 0, 0, 0), (1, 0, 0)), "1st, 9 times in 10; almost surely in the highest fifth."),
        (
            row(42, 78, (0, 0.2, 0.6, 0.2, 0), (0.04, 0.92, 0.04), 0.95),
            "Between 42nd and 78th, 19 times in 20; very likely in the middle third.",
        ),
        (
            row(3, 111, (0.2, 0.2, 0.2, 0.2, 0.2), (0.36, 0.3, 0.34)),
            "Between 3rd and 111th, 9 times in 10; likely in the upper two thirds.",
        ),
        (
            row(1, 60, (0.65, 0.25, 0.1, 0, 0), (0.9, 0.05, 0.05)),
            "Between 1st and 60th, 9 times in 10; very likely in the highest third.",
        ),
        (
            row(9, 118, (0.1, 0.1, 0.3, 0.3, 0.2), (0.2, 0.46, 0.34)),
            "Between 9th and 118th, 9 times in 10; likely in the upper two thirds.",
        ),
        (
            row(1, 118, (0.4, 0.05, 0.1, 0.05, 0.4), (0.44, 0.12, 0.44)),
            "Between 1st and 118th, 9 times in 10; it could be in any third of the table.",
        ),
    ],
)
def test_one_area_in_plain_words(known, words):
    assert words_for(known) == words


def test_shares_of_methods_are_not_told_as_probabilities():
    known = row(27, 41, (0.01, 0.98, 0.01, 0, 0), (0.94, 0.06, 0))
    assert words_for(known, methods=True) == (
        "Between 27th and 41st with 9 in 10 of the methods drawn; in the upper two thirds with 99% of them or more, "
        "in the second fifth with 90% of them or more."
    )
    open_still = row(1, 118, (0.4, 0.05, 0.1, 0.05, 0.4), (0.44, 0.12, 0.44), 0.875)
    assert words_for(open_still, methods=True) == (
        "Between 1st and 118th with 87.5% of the methods drawn; they leave open which third of the table it is in."
    )


def test_words_of_a_table_claim_no_more_than_its_probabilities():
    rng = np.random.default_rng(7)
    draws = np.linspace(50, 0, 30) + rng.normal(scale=np.repeat([3, 12, 3], 10), size=(500, 30))
    ranks, table, said = rank_draws(draws), rank_areas(draws, codes(30)), set()
    least = {"almost surely": 0.99, "very likely": 0.9, "likely": 0.66}
    reach = {
        f"{name} fifth": (6 * k, 6 * k + 6)
        for k, name in enumerate(["highest", "second", "middle", "fourth", "lowest"])
    }
    reach |= {f"{name} third": (10 * k, 10 * k + 10) for k, name in enumerate(["highest", "middle", "lowest"])}
    reach |= {"upper two thirds": (0, 20), "lower two thirds": (10, 30)}
    for i, known in enumerate(table.to_rows(full=True)):
        interval, _, claims = words_for(known).rstrip(".").partition("; ")
        assert interval.startswith(f"Between {ordinal(int(table.lower[i]))} and {ordinal(int(table.upper[i]))}, ")
        for phrase, place in (claim.split(" in the ") for claim in claims.split(", ")):
            after, up_to = reach[place]
            assert ((after < ranks[:, i]) & (ranks[:, i] <= up_to)).mean() >= least[phrase]
            said.add((phrase, place))
    assert {("almost surely", "lowest fifth"), ("very likely", "highest fifth"), ("likely", "upper two thirds")} <= said


def test_words_need_the_full_row():
    short = rank_areas([[1.0, 2.0]], ["A", "B"], n_ends=1).to_rows()[0]
    with pytest.raises(DataError, match=r"no prob_fifth_1, .*to_rows\(full=True\)"):
        words_for(short)
    with pytest.raises(DataError, match="lower must be a number; got 'x'"):
        words_for(row("x", 2, (1, 0, 0, 0, 0), (1, 0, 0)))
