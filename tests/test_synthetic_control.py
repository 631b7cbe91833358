"""Synthetic control and its kin: by hand, the published case, laws, refusals, and the real panel under no effect."""

import csv
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwm_models.data.tables import read_table
from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.checks import fit_check, ratio_check
from gwm_models.evaluation.designs import Data, fit_design
from gwm_models.evaluation.inference import conformal_p, invert_placebos, jackknife_error
from gwm_models.evaluation.neighbours import neighbour_pairs
from gwm_models.evaluation.placebo import Placebos, expected_size, placebo_sets, placebos_in_space
from gwm_models.evaluation.synthetic import synthetic_control, synthetic_controls

COLUMNS = {"unit": "area", "time": "year", "outcome": "rate"}


def table(value, first=2001):
    """Return a long table of units A, B, ... from a matrix of units by years."""
    value = np.asarray(value, dtype=float)
    n, t = value.shape
    names = [f"U{k:03d}" if n > 26 else chr(65 + k) for k in range(n)]
    return {
        "area": np.repeat(names, t),
        "year": np.tile(np.arange(first, first + t), n),
        "rate": value.ravel(),
    }


def walk(seed, units=12, times=10):
    rng = np.random.default_rng(seed)
    return rng.normal(size=times).cumsum() + rng.normal(size=(units, times)).cumsum(axis=1) * 0.3


def evaluate(value, treated="A", start=2007, **options):
    return synthetic_control(table(value), **COLUMNS, treated=treated, start=start, **options)


# By hand


def test_difference_in_differences_of_three_units_by_hand():
    """A rises from 1 to 7, B from 2 to 3, C from 4 to 7: 6 - (1 + 3) / 2 = 4."""
    found = evaluate([[1, 7], [2, 3], [4, 7]], start=2002, method="did")
    assert found.att == pytest.approx(4)
    assert found.weights == {"B": 0.5, "C": 0.5}
    assert found.time_weights == {2001: 1.0}
    assert [row.counterfactual for row in found.path] == pytest.approx([1, 3])


def test_synthetic_control_of_a_mix_of_two_units_by_hand():
    """A is a quarter of B and three quarters of C before the start, and 2 above it after."""
    b, c = np.array([0.0, 4, 8, 4, 0]), np.array([8.0, 0, 4, 8, 4])
    a = 0.25 * b + 0.75 * c + np.array([0, 0, 0, 2, 2])
    found = evaluate([a, b, c, b + 50], start=2004)
    assert found.att == pytest.approx(2)
    assert found.weights["B"] == pytest.approx(0.25)
    assert found.weights["C"] == pytest.approx(0.75)
    assert found.weights["D"] == pytest.approx(0, abs=1e-9)
    assert [row.effect for row in found.path] == pytest.approx([0, 0, 0, 2, 2], abs=1e-9)
    assert found.time_weights == {}


def test_synthetic_difference_in_differences_follows_a_level_that_no_donor_reaches():
    value = walk(1)
    value[0] = value[1:].mean(axis=0) + 100
    value[0, 6:] += 3
    assert evaluate(value, method="sdid").att == pytest.approx(3, abs=0.3)
    assert evaluate(value, method="sc").att > 90


def test_the_placebo_interval_is_made_of_ranked_gaps_by_hand():
    """Twenty-one sets at 90%: the interval reaches the second largest of the other sizes, times the own scale."""
    att, scale = np.arange(21.0), np.full(21, 2.0)
    att[0], scale[0] = 50.0, 1.0
    ones = np.ones(21)
    found = Placebos(tuple(np.array([k]) for k in range(21)), att, ones, ones, scale, ones, np.ones((21, 3)), False)
    bounds = invert_placebos(found, 0.9)
    assert (bounds.lower, bounds.upper) == (50 - 19 / 2, 50 + 19 / 2)
    assert bounds.p_value == pytest.approx(1 / 21)
    assert invert_placebos(found, 0.99).lower is None


def test_the_size_to_expect_grows_with_the_misfit_only_where_effects_do():
    rng = np.random.default_rng(1)
    square = rng.uniform(0.1, 10, 400)
    follows = expected_size(np.sqrt(square) * rng.normal(size=400), [square])
    flat = expected_size(rng.normal(size=400), [square])
    assert follows[np.argmax(square)] / follows[np.argmin(square)] > 3
    assert flat[np.argmax(square)] / flat[np.argmin(square)] < 1.6


def test_the_jackknife_error_equals_leaving_out_one_unit_at_a_time():
    data = Data(walk(4), 6, walk(4)[:, :6].copy())
    own, pool = np.arange(3), np.arange(3, 12)
    fit = fit_design("sdid", data, own, pool)
    change = data.value[:, 6:].mean(axis=1) - data.value[:, :6] @ fit.time_weight
    att = []
    for out in range(12):
        left = [k for k in own if k != out]
        weight = np.where(pool == out, 0, fit.weight)
        att.append(change[left].mean() - weight @ change[pool] / weight.sum())
    assert jackknife_error(data, own, pool, fit) == pytest.approx(np.sqrt(11 / 12 * np.sum((att - np.mean(att)) ** 2)))
    assert jackknife_error(data, np.array([0]), pool, fit_design("sdid", data, np.array([0]), pool)) is None


def test_a_conformal_p_value_counts_the_shifts_that_are_as_large():
    """One donor of zeros: residuals are the series itself, and the last two of six are the largest run but one."""
    value = np.array([[1.0, -1, 4, 5, 3, 4], [0.0] * 6])
    data = Data(value, 4, value[:, :4].copy())
    means = [3.5, (4 + 1) / 2, 1, 2.5, 4.5, 4]
    assert conformal_p("sc", data, np.array([0]), np.array([1])) == np.mean([m >= 3.5 for m in means])


# Proposition 99


@pytest.fixture(scope="module")
def cigarettes(known):
    path = known / "prop99_cigarette_sales.csv"
    if not path.is_file():
        pytest.skip(f"no {path.name} among the reference numbers")
    with path.open() as lines:
        rows = list(csv.DictReader(lines))
    return {name: [row[name] for row in rows] for name in ("state", "year", "cigsale")}


def california(cigarettes, **options):
    return synthetic_control(
        cigarettes, unit="state", time="year", outcome="cigsale", treated="California", start=1989, **options
    )


def test_proposition_99_by_synthetic_control(cigarettes):
    found = california(cigarettes)
    assert found.att == pytest.approx(-19.514, abs=5e-4)
    mine = next(row for row in found.placebo if row.treated)
    assert mine.rmspe_pre == pytest.approx(1.656, abs=5e-4)
    assert (mine.rank, len(found.placebo)) == (3, 39)
    published = {
        "Utah": 0.394,
        "Montana": 0.232,
        "Nevada": 0.205,
        "Connecticut": 0.109,
        "New Hampshire": 0.045,
        "Colorado": 0.015,
    }
    assert {state: round(weight, 3) for state, weight in found.weights.items() if weight > 1e-6} == published
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_proposition_99_by_the_other_two_designs(cigarettes):
    assert california(cigarettes, method="did").att == pytest.approx(-27.349, abs=5e-4)
    assert california(cigarettes, method="sdid").att == pytest.approx(-15.604, abs=0.02)


def test_proposition_99_with_its_own_weights_fixed_gives_the_same_effect_and_no_interval(cigarettes):
    free = california(cigarettes)
    fixed = california(cigarettes, weights=free.weights)
    assert fixed.att == pytest.approx(free.att, abs=1e-9)
    assert fixed.lower is None
    assert not fixed.valid


# Laws

PANELS = st.builds(walk, st.integers(0, 10**6), units=st.integers(4, 9), times=st.integers(9, 12))
METHOD = st.sampled_from(["sc", "sdid", "did"])


@settings(max_examples=15, deadline=None)
@given(PANELS, METHOD, st.floats(-5, 5))
def test_an_effect_added_after_the_start_moves_the_estimate_by_as_much(value, method, effect):
    moved = value.copy()
    moved[0, 6:] += effect
    first, second = evaluate(value, method=method), evaluate(moved, method=method)
    assert second.att - first.att == pytest.approx(effect, abs=1e-8)
    assert second.weights == pytest.approx(first.weights, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(PANELS, st.sampled_from(["sc", "did"]))
def test_a_common_shock_changes_nothing(value, method):
    shock = np.random.default_rng(1).normal(size=value.shape[1]) * 10
    assert evaluate(value + shock, method=method).att == pytest.approx(evaluate(value, method=method).att, abs=1e-5)


@settings(max_examples=10, deadline=None)
@given(PANELS, METHOD)
def test_the_order_of_units_and_rows_changes_nothing(value, method):
    plain = table(value)
    order = np.random.default_rng(2).permutation(len(plain["rate"]))
    mixed = {name: column[order] for name, column in plain.items()}
    first = evaluate(value, method=method)
    second = synthetic_control(mixed, **COLUMNS, treated="A", start=2007, method=method)
    assert second.att == pytest.approx(first.att, abs=1e-8)
    assert second.p_value == first.p_value


@settings(max_examples=10, deadline=None)
@given(PANELS, METHOD, st.floats(0.01, 100))
def test_the_unit_of_the_outcome_does_not_matter(value, method, times):
    first, second = evaluate(value, method=method), evaluate(value * times, method=method)
    assert second.att == pytest.approx(times * first.att, rel=1e-5, abs=1e-6 * times)


@pytest.mark.parametrize("method", ["sc", "sdid", "did"])
def test_the_interval_leaves_out_zero_exactly_where_the_p_value_says_so(method):
    seen = set()
    for seed in range(12):
        value = walk(seed, units=30)
        value[0, 6:] += seed / 4
        found = evaluate(value, treated="U000", method=method, level=0.9)
        outside = not found.lower <= 0 <= found.upper
        assert outside == (found.p_value <= 0.1)
        seen.add(outside)
    assert seen == {True, False}


def test_the_same_seed_gives_the_same_bytes_and_treated_units_are_told_one_by_one():
    value = walk(7, units=30)
    options = {"treated": ["U000", "U003"], "n_placebo": 50}
    first, second = (evaluate(value, **options) for _ in range(2))
    assert json.dumps(first.to_dict()) == json.dumps(second.to_dict())
    assert first.seed is not None
    each = [row for row in first.rows() if str(row["term"]).startswith("treated")]
    assert [row["term"] for row in each] == ["treated U000", "treated U003"]
    alone = evaluate(value, treated="U003", donors=[f"U{k:03d}" for k in range(30) if k not in (0, 3)])
    assert each[1]["estimate"] == pytest.approx(alone.att)


def test_sets_of_placebos_are_distinct_and_all_of_them_where_they_are_few():
    few, drawn = placebo_sets(np.arange(5), 2, 20, 1)
    assert (len(few), drawn) == (10, False)
    many, drawn = placebo_sets(np.arange(30), 5, 40, 1)
    assert drawn
    assert len({tuple(rows) for rows in many}) == 40


# Donors


def test_neighbours_are_no_donors_of_the_treated_nor_of_each_placebo():
    value = walk(3)
    value[1] = value[0]
    near = evaluate(value, neighbours=[("A", "B"), ("C", "D")])
    assert "B" not in near.weights
    assert near.excluded == ("B: neighbour of a treated unit",)
    assert near.check("neighbours").words == "1 neighbour of the treated is no donor."
    assert "may have been touched" in evaluate(value).check("neighbours").words
    by_hand = fit_design("sc", Data(value, 6, value[:, :6].copy()), np.array([2]), np.arange(4, 12))
    assert next(row for row in near.placebo if row.unit == "C").att == pytest.approx(by_hand.att)


def test_without_its_own_copy_a_unit_is_judged_by_the_others():
    value = walk(3)
    value[1] = value[0]
    found = evaluate(value)
    assert found.weights["B"] == pytest.approx(1)
    row = next(row for row in found.rows() if row["term"] == "without B")
    assert row["estimate"] == pytest.approx(evaluate(value, donors=list("CDEFGHIJKL")).att)


def test_covariates_pull_the_weights_towards_donors_that_are_alike():
    value = walk(5)
    columns = table(value)
    columns["rural"] = np.repeat([1.0, 1.0, *range(3, 13)], 10)
    plain, with_rural = (
        synthetic_control(columns, **COLUMNS, treated="A", start=2007, covariates=names) for names in ([], ["rural"])
    )

    def rural(effect):
        return sum(w * columns["rural"][10 * (ord(u) - 65)] for u, w in effect.weights.items())

    assert abs(rural(with_rural) - 1) < abs(rural(plain) - 1)
    with pytest.raises(ModelError, match="covariates are matched by method 'sc' only"):
        synthetic_control(columns, **COLUMNS, treated="A", start=2007, covariates=["rural"], method="did")


def test_several_outcomes_share_one_set_of_weights():
    columns = table(walk(6))
    columns["other"] = table(walk(7))["rate"] * 100
    found = synthetic_controls(columns, unit="area", time="year", outcomes=["rate", "other"], treated="A", start=2007)
    assert found["rate"].weights == found["other"].weights
    gap = columns["other"].reshape(12, 10)
    by_hand = gap[0] - np.array(list(found["other"].weights.values())) @ gap[1:]
    assert found["other"].att == pytest.approx(by_hand[6:].mean())


# Refusals


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start": 2050}, ModelError, "after the last time of the panel, 2010"),
        ({"start": 1990}, ModelError, "leaves no time before it"),
        ({"start": 2002}, ModelError, "needs at least two times before the start"),
        ({"treated": "Z"}, DataError, "'Z' is not in the panel"),
        ({"donors": []}, ModelError, "no donor is left"),
        ({"donors": ["A", "B"]}, ModelError, "A is named both as treated and as donor"),
        ({"treated": list("ABCDEFGHIJKL")}, ModelError, "no donor is left"),
        ({"neighbours": [("A", k) for k in "BCDEFGHIJKL"]}, ModelError, "no donor is left"),
        ({"weights": {"B": 0.7}}, DataError, "sum to 0.7"),
        ({"weights": {"Z": 1.0}}, DataError, "which is no donor here"),
        ({"method": "magic"}, ValueError, "method must be one of sc, sdid, did"),
        ({"inference": "magic"}, ValueError, "inference must be one of"),
        ({"level": 95}, ValueError, "level must lie between 0 and 1"),
        ({"n_placebo": 0}, ValueError, "n_placebo must be at least 1"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(options, error, message):
    with pytest.raises(error) as caught:
        evaluate(walk(1), **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("method", ["sc", "sdid", "did"])
def test_a_constant_outcome_is_refused(method):
    with pytest.raises(ModelError, match="rate is 3 everywhere"):
        evaluate(np.full((5, 10), 3.0), method=method)


@pytest.mark.parametrize("method", ["sc", "sdid", "did"])
def test_donors_that_never_move_are_no_reason_to_fail(method):
    value = np.tile(np.arange(30.0)[:, None], 10)
    value[0] = 5.0
    value[0, 6:] = 9.0
    found = evaluate(value, treated="U000", method=method)
    assert found.att == pytest.approx(4)
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_gaps_are_refused_or_left_out_and_told():
    value = walk(1)
    value[3, 2] = np.nan
    with pytest.raises(DataError, match="no figure for 1 of 12 units"):
        evaluate(value)
    found = evaluate(value, missing="drop_units")
    assert found.excluded == ("D (2003): no figure",)
    assert "D" not in found.weights
    assert found.att == pytest.approx(evaluate(walk(1), donors=list("BCEFGHIJKL")).att)


@pytest.mark.parametrize("method", ["sc", "sdid", "did"])
def test_with_one_donor_there_is_an_effect_but_no_interval(method):
    found = evaluate(walk(1)[:2], method=method)
    assert np.isfinite(found.att)
    assert found.lower is None
    assert found.p_value is None
    assert "needs 19 placebos; there are 0" in found.valid_why


def test_too_few_placebos_for_the_level_are_said_to_be_so():
    found = evaluate(walk(1, units=15), level=0.95)
    assert (found.lower, found.valid) == (None, False)
    assert found.check("pre_trend").words == "14 placebos are too few to test for a gap that opened before the start."
    coarse = evaluate(walk(1, units=15), level=0.9)
    assert coarse.lower is not None
    assert coarse.valid_why.endswith("So few sets allow a test at 6.7%, not 10.0%.")
    assert "So few" not in evaluate(walk(1, units=20), treated="A", level=0.9).valid_why


def test_with_three_times_before_the_start_no_earlier_gap_is_looked_for():
    found = evaluate(walk(1, units=25), start=2004)
    assert found.check("pre_trend").verdict == "warn"
    assert "3 times before the start are too few" in found.check("pre_trend").words


@pytest.mark.parametrize(("sets", "learnt"), [(29, False), (30, True)])
def test_what_fit_says_of_size_is_learnt_from_thirty_sets(sets, learnt):
    rng = np.random.default_rng(2)
    square = rng.gamma(2, size=sets)
    found = expected_size(rng.normal(size=sets), [square])
    assert (found != pytest.approx(np.sqrt(square + np.median(square)))) == learnt


def test_a_unit_that_fits_worse_than_every_placebo_gets_no_valid_interval():
    value = walk(2, units=30)
    value[0] += np.linspace(60, 90, 10)
    found = evaluate(value, treated="U000")
    assert found.check("pre_fit").verdict == "fail"
    assert not found.valid


def test_units_unlike_every_placebo_get_no_valid_interval():
    value = walk(2, units=30) + 3 * np.arange(30)[:, None]
    for treated in ["U000", ["U000", "U001", "U002", "U003"]]:
        found = evaluate(value, treated=treated, method="did", n_placebo=100)
        check = found.check("comparable_placebos")
        assert (check.verdict, check.value) == ("fail", 0)
        assert not found.valid
    middle = evaluate(value, treated="U015", method="did").check("comparable_placebos")
    assert middle.verdict == "pass"
    assert middle.value > 0.1


def test_regression_to_the_mean_is_seen_and_makes_an_interval_invalid():
    """Units fall back to zero after the start: the lowest rises by as much as it was low."""
    rng = np.random.default_rng(3)
    value = rng.normal(size=(60, 10)) * 0.2
    value[:, :6] += np.sort(rng.normal(size=60))[:, None]
    found = evaluate(value, treated="U000", method="did")
    check = found.check("regression_to_the_mean")
    assert check.value == pytest.approx(found.att, rel=0.3)
    assert check.verdict == "fail"
    assert not found.valid


def test_a_gap_that_opened_before_the_start_fails_the_hold_out():
    value = walk(9, units=40, times=14)
    value[0, 8:] += 6
    assert evaluate(value, treated="U000", start=2013).check("pre_trend").verdict == "fail"
    clean = evaluate(walk(9, units=40, times=14), treated="U000", start=2013).check("pre_trend")
    assert clean.verdict != "fail"
    assert "80% power" in clean.words


def test_the_power_of_the_hold_out_is_the_share_of_placebos_that_would_be_found():
    value = walk(9, units=100, times=14)
    words = evaluate(value, treated="U000", start=2013).check("pre_trend").words
    smallest = float(words.split("a gap of ")[1].split(" ")[0])
    data = Data(value[:, :12].copy(), 8, value[:, :8].copy())
    found = placebos_in_space("sc", data, np.array([0]), np.arange(1, 100))
    t = found.att / found.scale
    critical = np.sort(np.abs(t[1:]))[-5]
    share = np.mean(t[1:] + smallest / found.scale[0] >= critical * 0.999)
    assert share == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("inference", ["conformal", "jackknife"])
def test_other_intervals_are_offered_only_where_they_hold_on_placebos(inference):
    value = walk(11, units=40, times=24)
    treated = "U000" if inference == "conformal" else ["U000", "U001", "U002"]
    found = evaluate(value, treated=treated, start=2021, method="sdid", inference=inference, level=0.9, n_placebo=60)
    size = found.check("size_on_placebos")
    assert found.valid == (0.06 - 1e-9 <= size.value <= 0.14 + 1e-9 and found.lower is not None)


def test_a_conformal_interval_holds_the_effects_that_are_not_rejected():
    value = walk(12, units=8, times=24)
    value[0, 20:] += 5
    found = evaluate(value, start=2021, method="did", inference="conformal", level=0.8)
    data = Data(value, 20, value[:, :20].copy())
    for effect, kept in [
        (found.lower, True),
        (found.upper, True),
        (found.lower - 0.1 * abs(found.att), False),
        (found.upper + 0.1 * abs(found.att), False),
    ]:
        p = conformal_p("did", data, np.array([0]), np.arange(1, 8), effect)
        assert (p > 0.2) == kept


# The real panel


def real(variable, sex="Persons", logs=False):
    name = "outcomes" if variable.endswith("asmr") or "life" in variable else "indicators"
    rows = read_table(name, where={"variable": variable, "sex": sex})
    keep = np.array([code.startswith("E") for code in rows["unit_code"]]) & np.isfinite(rows["value"])
    value = np.log(rows["value"]) * 100 if logs else rows["value"]
    return {"area": rows["unit_code"][keep], "year": rows["period"][keep], "rate": value[keep]}


def test_a_real_area_is_evaluated_without_its_neighbours():
    columns = real("claimant_count_rate_annual")
    found = synthetic_control(columns, **COLUMNS, treated="E08000003", start=2017, neighbours=neighbour_pairs())
    assert found.sample["donors"] + 1 + len(found.excluded) == 115
    assert 3 <= len(found.excluded) <= 12
    assert found.lower < found.att < found.upper


def test_all_placebos_of_one_outcome_take_less_than_two_seconds():
    columns = real("economic_activity_rate_16_64")
    options = {"treated": "E08000003", "start": "2017-01/2017-12", "missing": "drop_units"}
    synthetic_control(columns, **COLUMNS, **options)
    for method in ("sc", "sdid", "did"):
        begun = time.process_time()
        found = synthetic_control(columns, **COLUMNS, **options, method=method)
        assert len(found.placebo) == 115
        assert time.process_time() - begun < 2


def exact(seed):
    """Return placebos of a panel in which forty donors fit five times before the start, each to rounding alone."""
    value = walk(seed, units=41)
    data = Data(value, 5, value[:, :5].copy())
    return placebos_in_space("sc", data, np.array([0]), np.arange(1, 41))


def test_rounding_before_the_start_sets_no_size_to_expect_and_no_ratio():
    found = exact(1)
    fitted = found.rmspe_pre == 0
    assert fitted.any()
    assert not ((found.rmspe_pre > 0) & (found.rmspe_pre < 1e-9)).any()
    assert len(set(found.scale[fitted])) == 1


def test_an_exact_fit_passes_and_says_that_it_says_little():
    value = np.vstack([np.zeros(12), walk(3, units=40, times=12)])
    value[0] = value[1:4].mean(axis=0)
    found = placebos_in_space("sc", Data(value, 8, value[:, :8].copy()), np.array([0]), np.arange(1, 41))
    fit, ratio = fit_check(found), ratio_check(found)
    assert fit.verdict == "pass" and fit.value == 0 and "fit every figure before the start exactly" in fit.words
    assert ratio.value is None and "no gap before the start" in ratio.words
