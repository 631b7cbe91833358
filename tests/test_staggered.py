"""Staggered adoption: worked by hand, against other programs and dummies, its laws, refusals, coverage."""

import itertools
import json
import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from binomial_band import may_be_within
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from gwm_models.data.tables import read_table
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.group_time import average, cell_weights, freedom, group_time, simultaneous
from gwm_models.evaluation.imputation import event_weights, impute
from gwm_models.evaluation.staggered_design import of_cells, of_imputation
from gwm_models.evaluation.staggered_starts import staggered

COLUMNS = {"unit": "area", "time": "year", "outcome": "rate"}


def long(value, gaps=(), **more):
    """Return a long panel of units a00, a01, ... by years 2000, 2001, ..., without the cells named."""
    cells = [(i, t) for i, t in itertools.product(*map(range, value.shape)) if (i, t) not in set(gaps)]
    panel = {
        "area": [f"a{i:02d}" for i, _ in cells],
        "year": [2000 + t for _, t in cells],
        "rate": [float(value[i, t]) for i, t in cells],
    }
    return panel | {name: [float(column[i, t]) for i, t in cells] for name, column in more.items()}


def starts(start, times):
    return {f"a{i:02d}": 2000 + int(g) for i, g in enumerate(start) if g < times}


def noise(seed, start, times=8, effect=0.0, growth=0.0, covariate=0.0):
    """Return outcomes with unit and time effects, effects that grow, and a covariate that bends trends."""
    rng = np.random.default_rng(seed)
    n, since = len(start), np.arange(times) - np.asarray(start)[:, None]
    x = rng.normal(size=(n, 1)) + 0.5 * (np.asarray(start) < times)[:, None]
    value = 2 * rng.normal(size=(n, 1)) + rng.normal(size=times) + rng.normal(size=(n, times))
    value += covariate * x * np.arange(times) + (since >= 0) * (effect + growth * since)
    return value, np.broadcast_to(x, (n, times)).copy()


START = np.repeat([3, 5, 6, 8], [7, 6, 8, 15])


def test_two_cohorts_are_worked_by_hand():
    value = np.array([[1.0, 4, 6, 7], [3, 4, 6, 11], [0, 2, 9, 9], [2, 2, 3, 5], [1, 3, 4, 4]])
    start = np.array([1, 1, 2, 4, 4])
    cells = group_time(value, start)
    found = {(int(g), int(t)): att for g, t, att in zip(cells.cohort, cells.time, cells.att, strict=True)}
    # Cohort 1 at 1: (3 + 1) / 2 - (0 + 2) / 2; cohort 2 at 3: 7 - (3 + 1) / 2.
    assert found[1, 1] == pytest.approx(1.0)
    assert found[2, 3] == pytest.approx(7 - (3 + 1) / 2)
    # Cohort 2 before its start: 0 - 2 against (2 - 2, 1 - 3).
    assert found[2, 0] == pytest.approx(-2 - (0 - 2) / 2)
    post = {key: att for key, att in found.items() if key[1] >= key[0]}
    sizes = {1: 2, 2: 1}
    simple = sum(sizes[g] * att for (g, _), att in post.items()) / sum(sizes[g] for g, _ in post)
    assert average(cells, "simple").overall == pytest.approx(simple)
    later = average(cells, "event")
    assert later.estimate[later.label == 1][0] == pytest.approx((2 * found[1, 2] + found[2, 3]) / 3)


def test_not_yet_treated_units_are_controls_only_until_they_are_treated():
    value = np.array([[0.0, 0, 5, 5], [0, 0, 0, 7], [1, 2, 3, 4]])
    start = np.array([2, 3, 4])
    cells = group_time(value, start, control="not_yet")
    found = {
        (int(g), int(t)): (att, c)
        for g, t, att, c in zip(cells.cohort, cells.time, cells.att, cells.n_control, strict=True)
    }
    assert found[2, 2] == (pytest.approx(5 - 0.5), 2)
    assert found[2, 3] == (pytest.approx(5 - 2), 1)


def doubly_robust(change, treated, x):
    """Return the normalised doubly robust estimate of Sant'Anna and Zhao (2020), section 3.1."""
    line = sm.OLS(change[~treated], x[~treated]).fit().params
    chance = sm.Logit(treated.astype(float), x).fit(disp=0, tol=1e-12).predict()
    left = change - x @ line
    weight = chance[~treated] / (1 - chance[~treated])
    return left[treated].mean() - (weight * left[~treated]).sum() / weight.sum()


def test_with_covariates_the_estimate_is_doubly_robust_and_its_error_that_of_the_jackknife():
    start = np.repeat([2, 4], [160, 240])
    value, x = noise(1, start, times=4, covariate=0.5)
    cells = group_time(value, start, method="dr", covariates=x[None], small_sample=False)
    j = int(np.flatnonzero(cells.time == 3)[0])
    change, treated = value[:, 3] - value[:, 1], start == 2
    design = np.column_stack([np.ones(400), x[:, 0]])
    assert cells.att[j] == pytest.approx(doubly_robust(change, treated, design), abs=1e-8)
    rest = ~np.eye(400, dtype=bool)
    without = np.array([doubly_robust(change[k], treated[k], design[k]) for k in rest])
    jackknife = np.sqrt(399 / 400 * ((without - without.mean()) ** 2).sum())
    assert np.sqrt((cells.influence[j] ** 2).sum()) == pytest.approx(jackknife, rel=0.02)


def test_trends_that_follow_a_covariate_are_taken_out():
    start = np.repeat([3, 6], [400, 600])
    value, x = noise(2, start, times=6, effect=1.0, covariate=0.6)
    plain = average(group_time(value, start), "simple").overall
    assert abs(plain - 1) > 0.3
    for method in ("dr", "ipw", "reg"):
        found = average(group_time(value, start, method=method, covariates=x[None]), "simple").overall
        assert found == pytest.approx(1.0, abs=0.25), method


def test_effects_averages_and_errors_equal_those_of_diff_diff():
    package = pytest.importorskip("diff_diff", reason="diff-diff is not installed")
    pandas = pytest.importorskip("pandas")
    value, x = noise(3, START, effect=1.0, growth=0.2, covariate=0.1)
    first = np.where(START < 8, 2000 + START, 0)
    frame = pandas.DataFrame(long(value, x=x))
    frame["first"] = [int(first[int(name[1:])]) for name in frame["area"]]
    names = {"outcome": "rate", "unit": "area", "time": "year", "first_treat": "first"}
    options = itertools.product(("never", "not_yet"), ("reg", "ipw"), (None, ["x"]))
    for control, method, covariates in options:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own, about arguments that will move
            theirs = package.CallawaySantAnna(
                control_group=f"{control}_treated", estimation_method=method, base_period="varying", pscore_trim=1e-9
            ).fit(frame, **names, covariates=covariates, aggregate="all")
        ours = group_time(
            value,
            START,
            control=control,
            base="varying",
            method=method,
            covariates=x[None] if covariates else None,
            small_sample=False,
        )
        for g, t, att, own in zip(ours.cohort, ours.time, ours.att, ours.influence, strict=True):
            cell = theirs.group_time_effects[2000 + int(g), 2000 + int(t)]
            assert att == pytest.approx(cell["effect"], abs=1e-8)
            assert np.sqrt((own**2).sum()) == pytest.approx(cell["se"], abs=1e-8)
        simple, event = average(ours, "simple"), average(ours, "event")
        assert simple.overall == pytest.approx(theirs.overall_att, abs=1e-8)
        assert np.sqrt((simple.overall_influence**2).sum()) == pytest.approx(theirs.overall_se, abs=1e-8)
        for k, effect, own in zip(event.label, event.estimate, event.influence, strict=True):
            assert effect == pytest.approx(theirs.event_study_effects[int(k)]["effect"], abs=1e-8)
            assert np.sqrt((own**2).sum()) == pytest.approx(theirs.event_study_effects[int(k)]["se"], abs=1e-8)


def test_imputation_and_its_error_equal_those_of_diff_diff():
    package = pytest.importorskip("diff_diff", reason="diff-diff is not installed")
    pandas = pytest.importorskip("pandas")
    value, _ = noise(4, START, effect=1.0, growth=0.2)
    frame = pandas.DataFrame(long(value))
    frame["first"] = [int(np.where(START < 8, 2000 + START, 0)[int(name[1:])]) for name in frame["area"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about arguments that will move
        theirs = package.ImputationDiD().fit(frame, "rate", "area", "year", "first", aggregate="event_study")
    found = impute(value, START)
    overall, own = found.average(event_weights(found), small_sample=False)
    assert overall == pytest.approx(theirs.overall_att, abs=1e-8)
    assert np.sqrt((own**2).sum()) == pytest.approx(theirs.overall_se, abs=1e-8)
    for k in range(5):
        effect, own = found.average(event_weights(found, k), small_sample=False)
        assert effect == pytest.approx(theirs.event_study_effects[k]["effect"], abs=1e-8)
        assert np.sqrt((own**2).sum()) == pytest.approx(theirs.event_study_effects[k]["se"], abs=1e-8)


def test_imputation_is_what_dummies_fitted_to_untreated_cells_foretell():
    value, _ = noise(5, START)
    value[2, 1] = value[20, 7] = np.nan
    found = impute(value, START)
    i, t = np.nonzero(np.isfinite(value))
    design = np.column_stack([np.eye(36)[i], np.eye(8)[t][:, 1:]])
    free = t < START[i]
    coef = sm.OLS(value[i, t][free], design[free]).fit().params
    expected = value[i, t][~free] - design[~free] @ coef
    assert found.effect[i, t][~free] == pytest.approx(expected, abs=1e-8)
    assert found.average(event_weights(found))[0] == pytest.approx(expected.mean(), abs=1e-8)


@pytest.mark.parametrize("how", ["simple", "group", "event", "calendar"])
def test_every_average_is_its_cells_by_their_weights(how):
    cells = group_time(noise(30, START)[0], START)
    assert cell_weights(cells, how) @ cells.att == pytest.approx(average(cells, how).overall, abs=1e-12)


def test_dealing_the_starts_out_again_equals_refits_one_by_one():
    start = np.repeat([2, 4, 5], [3, 3, 6])
    value, _ = noise(31, start, times=5, effect=0.5)
    found = staggered(long(value), **COLUMNS, treated=starts(start, 5), seed=4)
    orders = np.argsort(keyed_rng(4, "staggered:permutation").random((999, 12)), axis=1)

    def size(start):
        cells = group_time(value, start)
        weights = cell_weights(cells, "simple")
        own = weights @ cells.influence
        return abs(weights @ cells.att) / np.sqrt((own**2).sum())

    groups = np.sort(np.where(start == 5, -1, start))
    own, others = size(start), []
    for order in orders[:999]:
        dealt = np.empty(12, dtype=int)
        dealt[order] = groups
        others.append(size(np.where(dealt == -1, 5, dealt)))
    assert found.p_value == pytest.approx((1 + np.sum(np.array(others) >= own * (1 - 1e-9))) / 1000, abs=1e-12)


def test_the_interval_moves_with_the_effect():
    value, _ = noise(32, START)
    moved = value + 2.5 * (np.arange(8) >= START[:, None])
    one, two = (staggered(long(v), **COLUMNS, treated=starts(START, 8)) for v in (value, moved))
    assert (two.lower, two.att, two.upper) == pytest.approx((one.lower + 2.5, one.att + 2.5, one.upper + 2.5), abs=1e-6)


def test_both_estimators_find_an_effect_that_is_the_same_everywhere_exactly():
    rng = np.random.default_rng(6)
    value = rng.normal(size=(36, 1)) + rng.normal(size=8) + 1.5 * (np.arange(8) >= START[:, None])
    for how in ("simple", "group", "event", "calendar"):
        assert average(group_time(value, START), how).overall == pytest.approx(1.5, abs=1e-12)
    filled = impute(value, START)
    assert filled.average(event_weights(filled))[0] == pytest.approx(1.5, abs=1e-10)


def test_effects_that_grow_do_not_contaminate_later_cohorts():
    rng = np.random.default_rng(7)
    since = np.arange(8) - START[:, None]
    value = rng.normal(size=(36, 1)) + rng.normal(size=8) + (since >= 0) * (1.0 + since)
    panel = long(value)
    found = staggered(panel, **COLUMNS, treated=starts(START, 8), aggregate="event")
    assert [row.effect for row in found.path if row.post] == pytest.approx([1, 2, 3, 4, 5], abs=1e-10)
    assert [row.effect for row in found.path if not row.post] == pytest.approx([0] * 5, abs=1e-10)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-5, 5), st.floats(0.1, 4))
def test_unit_and_time_effects_drop_out_and_scale_carries_over(seed, slope, scale):
    value, _ = noise(seed, START)
    moved = scale * value + slope * np.arange(36)[:, None] + slope * np.arange(8) ** 2
    one, two = (average(group_time(v, START), "simple") for v in (value, moved))
    assert two.overall == pytest.approx(scale * one.overall, abs=1e-7)
    sizes = [float(np.sqrt((a.overall_influence**2).sum())) for a in (one, two)]
    assert sizes[1] == pytest.approx(scale * sizes[0], rel=1e-6)


def test_a_column_of_starts_a_status_and_a_mapping_say_the_same():
    value, _ = noise(8, START, effect=1.0)
    when = np.broadcast_to(np.where(START < 8, 2000.0 + START, np.nan)[:, None], value.shape)
    on = (np.arange(8) >= START[:, None]).astype(float)
    panel = long(value, when=when, on=on)
    found = [staggered(panel, **COLUMNS, treated=how) for how in ("when", "on", starts(START, 8))]
    assert len({json.dumps(f.to_dict(), allow_nan=False) for f in found}) == 1
    assert found[0].sample["cohorts"] == 3


def test_a_start_after_the_last_time_counts_as_never_treated():
    value, _ = noise(9, START)
    late = starts(START, 8) | {"a35": 2050, "a34": None, "a33": float("inf")}
    assert staggered(long(value), **COLUMNS, treated=late).att == pytest.approx(
        staggered(long(value), **COLUMNS, treated=starts(START, 8)).att
    )


def test_neighbours_of_the_treated_are_not_controls():
    value, _ = noise(33, START)
    found = staggered(long(value), **COLUMNS, treated=starts(START, 8), neighbours=[("a30", "a00"), ("a01", "a02")])
    keep = np.arange(36) != 30
    assert found.att == pytest.approx(average(group_time(value[keep], START[keep]), "simple").overall, abs=1e-12)
    assert found.excluded == ("a30: neighbour of a treated unit",)


def test_units_treated_all_along_are_left_out_and_named():
    value, _ = noise(10, START)
    found = staggered(long(value), **COLUMNS, treated=starts(START, 8) | {"a20": 1999})
    assert "a20: treated from the first time on" in found.excluded
    assert found.sample["units"] == 35


@pytest.mark.parametrize("estimator", ["callaway_santanna", "imputation"])
def test_cohorts_of_one_unit_have_no_interval_and_are_sent_to_designs_with_placebos(estimator):
    start = np.array([3, 4, 5, 6, *[8] * 20])
    value, _ = noise(11, start)
    found = staggered(long(value), **COLUMNS, treated=starts(start, 8), estimator=estimator)
    assert (found.std_error, found.lower, found.upper, found.p_value, found.valid) == (None, None, None, None, False)
    assert "4 cohorts are of one unit (2003, 2004, 2005 and 1 more)" in found.valid_why
    assert "synthetic_control or event_study" in found.valid_why
    known = {row.time: row.lower is not None for row in found.path if row.post}
    # Imputation takes single units together by event time; at event time 4 one of them is left.
    together = estimator == "imputation"
    assert known == {0: together, 1: together, 2: together, 3: together, 4: False}


@pytest.mark.parametrize("estimator", ["callaway_santanna", "imputation"])
@pytest.mark.parametrize(("n_treated", "n_controls"), [(1, 20), (20, 1), (1, 1)])
def test_one_treated_unit_or_one_control_has_no_interval_however_calm_it_is(estimator, n_treated, n_controls):
    start = np.repeat([4, 8], [n_treated, n_controls])
    value, _ = noise(40, start)
    value[0] = 1.0
    found = staggered(long(value), **COLUMNS, treated=starts(start, 8), estimator=estimator)
    assert (found.std_error, found.lower, found.upper, found.p_value, found.valid) == (None, None, None, None, False)
    assert all(row.lower is None and row.upper is None for row in found.path)
    assert {row.get("lower") for row in found.terms} == {None}
    expected = "synthetic_control or event_study" if n_treated == 1 else "one control"
    assert expected in found.valid_why


def test_times_with_figures_of_one_unit_of_a_cohort_have_no_interval():
    start = np.repeat([4, 8], [6, 20])
    value, _ = noise(41, start)
    gaps = [(i, 7) for i in range(5)]
    for estimator in ("callaway_santanna", "imputation"):
        found = staggered(long(value, gaps), **COLUMNS, treated=starts(start, 8), estimator=estimator)
        assert not found.valid
        assert "times with figures of one unit" in found.valid_why
        assert found.lower is None
        assert [row.lower is None for row in found.path if row.post] == [False, False, False, True]


@pytest.mark.parametrize("estimator", ["callaway_santanna", "imputation"])
def test_what_the_estimators_take_of_each_figure_makes_up_their_estimate(estimator):
    value, _ = noise(42, START, effect=1.0)
    value[1, 4] = value[33, 2] = np.nan
    cells, filled = group_time(value, START), impute(value, START)
    loads = cells.loads(cell_weights(cells, "simple"))
    expected = average(cells, "simple").overall
    if estimator == "imputation":
        loads, expected = filled.loads(event_weights(filled)), filled.average(event_weights(filled))[0]
    assert np.nansum(loads * value) == pytest.approx(expected, abs=1e-9)


def test_the_freedom_of_the_design_is_that_of_means_with_one_variance():
    start = np.repeat([3, 8], [5, 20])
    cells = group_time(noise(43, start)[0], start)
    # Variances of 1/5 and 1/20, with 4 and 19 degrees of freedom.
    expected = (1 / 5 + 1 / 20) ** 2 / ((1 / 5) ** 2 / 4 + (1 / 20) ** 2 / 19)
    assert of_cells(cells, "simple").overall.support(start) == pytest.approx(expected)
    filled = impute(noise(44, start)[0], start)
    assert of_imputation(filled).overall.support(start) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sizes", "enough"), [((3,), False), ((2, 2), False), ((4,), False), ((5,), True), ((4, 4), True)]
)
def test_whether_an_interval_can_be_valid_is_the_same_whatever_the_outcomes(sizes, enough):
    start = np.repeat([*range(3, 3 + len(sizes)), 8], [*sizes, 30])
    told = set()
    for seed in range(12):
        found = staggered(long(noise(seed, start)[0]), **COLUMNS, treated=starts(start, 8), estimator="imputation")
        told.add("too few for Student's t" in found.valid_why)
    assert told == {not enough}


def test_callaway_and_santanna_with_few_units_to_a_cohort_send_to_imputation():
    start = np.repeat([3, 4, 5, 6, 8], [3, 3, 3, 3, 30])
    panel = long(noise(46, start)[0], [(41, 0)])
    found = staggered(panel, **COLUMNS, treated=starts(start, 8))
    assert not found.valid
    assert "12 treated units in 4 cohorts are fewer than 4 to a cohort" in found.valid_why
    assert staggered(panel, **COLUMNS, treated=starts(start, 8), estimator="imputation").valid
    assert staggered(long(noise(46, start)[0]), **COLUMNS, treated=starts(start, 8)).interval.startswith("starts dealt")


@pytest.mark.parametrize("estimator", ["callaway_santanna", "imputation"])
def test_the_small_sample_factor_can_be_left_off_to_have_published_errors(estimator):
    start = np.repeat([4, 8], [6, 6])
    panel, treated = long(noise(45, start)[0]), starts(start, 8)
    one, two = (
        staggered(panel, **COLUMNS, treated=treated, estimator=estimator, small_sample=s) for s in (True, False)
    )
    assert one.att == two.att
    assert one.std_error == pytest.approx(two.std_error * np.sqrt(6 / 5))
    if estimator == "imputation":
        assert not two.valid
        assert "small_sample=True" in two.valid_why


def test_bands_hold_at_all_event_times_at_once_and_are_wider():
    value, _ = noise(12, START)
    rows = [row for row in staggered(long(value), **COLUMNS, treated=starts(START, 8)).terms if "band_lower" in row]
    assert len(rows) == 10
    assert all(row["band_upper"] - row["band_lower"] > 0 for row in rows)
    # Independent estimates: the quantile of the largest of 200 absolute normals is 3.66 at 95%.
    one_each = np.kron(np.eye(200), np.ones(60))
    assert simultaneous(one_each, keyed_rng(1, "b"), 0.95, 499) == pytest.approx(3.66, abs=0.15)


def test_the_freedom_of_two_means_is_that_of_welch():
    rng = np.random.default_rng(13)
    a, b = rng.normal(size=6), 3 * rng.normal(size=9)
    own = np.concatenate([(a - a.mean()) / 6 * np.sqrt(6 / 5), -(b - b.mean()) / 9 * np.sqrt(9 / 8)])
    va, vb = a.var(ddof=1) / 6, b.var(ddof=1) / 9
    assert freedom(own, np.repeat([3, 9], [6, 9])) == pytest.approx((va + vb) ** 2 / (va**2 / 5 + vb**2 / 8))


def test_the_two_estimators_are_set_side_by_side():
    value, _ = noise(14, START, effect=2.0)
    found = staggered(long(value), **COLUMNS, treated=starts(START, 8))
    other = staggered(long(value), **COLUMNS, treated=starts(START, 8), estimator="imputation")
    assert found.check("imputation").value == pytest.approx(other.att, abs=1e-10)
    assert found.check("imputation").verdict == "pass"


def test_trends_that_part_before_the_start_are_seen():
    value, _ = noise(15, START)
    value += (START < 8)[:, None] * np.arange(8) * 1.0
    assert staggered(long(value), **COLUMNS, treated=starts(START, 8)).check("pre_trend").verdict == "fail"


@pytest.mark.parametrize(
    ("treated", "more", "error", "text"),
    [
        ({"a00": 2050}, {}, ModelError, "no unit is treated within the panel"),
        ({"a00": 1990}, {}, ModelError, "treated from the first time on"),
        ({"zz": 2003}, {}, DataError, "not in the panel"),
        ({"a00": "May"}, {}, DataError, "same form"),
        ("nothing", {}, DataError, "no column 'nothing'"),
        ({f"a{i:02d}": 2003 for i in range(10)}, {}, ModelError, "every unit is treated"),
        ({f"a{i:02d}": 2003 + i % 2 for i in range(10)}, {"control": "never"}, ModelError, "no donors"),
        ({"a00": 2003}, {"control": "later"}, ValueError, "control must be one of"),
        ({"a00": 2003}, {"level": 0.0}, ValueError, "level must lie"),
    ],
)
def test_what_cannot_be_estimated_is_refused(treated, more, error, text):
    value, _ = noise(16, np.full(10, 8))
    with pytest.raises(error, match=text):
        staggered(long(value), **COLUMNS, treated=treated, **more)


def test_treatment_that_is_switched_off_and_two_starts_are_refused():
    value, _ = noise(17, np.full(6, 8))
    on = np.zeros((6, 8))
    on[1, 3:6] = 1
    with pytest.raises(ModelError, match="switched off again in a01"):
        staggered(long(value, on=on), **COLUMNS, treated="on")
    when = np.where(on == 1, 2003.0, 2004.0)
    with pytest.raises(DataError, match="gives a01 two starts"):
        staggered(long(value, when=when), **COLUMNS, treated="when")


def test_a_constant_outcome_and_covariates_that_tell_groups_apart_are_refused():
    with pytest.raises(ModelError, match="the same everywhere"):
        staggered(long(np.ones((8, 5))), **COLUMNS, treated={"a00": 2003, "a01": 2003})
    value, x = noise(18, START)
    x[:] = np.where(START < 8, 5.0, 0.0)[:, None] + np.random.default_rng(1).normal(size=(36, 1))
    with pytest.raises(ModelError, match="apart"):
        staggered(long(value, x=x), **COLUMNS, treated=starts(START, 8), covariates=["x"], method="ipw")


def test_gaps_cost_only_the_comparisons_that_need_them():
    value, _ = noise(19, START)
    found = staggered(long(value, [(0, 5), (30, 2)]), **COLUMNS, treated=starts(START, 8))
    assert found.check("gaps").value == 2
    assert found.sample["units"] == 36


@pytest.mark.slow
@pytest.mark.parametrize("how", ["simple", "event"])
def test_intervals_cover_when_effects_differ_between_cohorts(how):
    start = np.repeat([3, 5, 6, 8], [6, 8, 6, 20])
    inside = {0.95: 0, 0.9: 0}
    for seed in range(600):
        value, _ = noise(10_000 + seed, start, effect=1.0, growth=0.5)
        cells = average(group_time(value, start), how)
        since = np.arange(8) - start[:, None]
        truth = (1 + 0.5 * (since[since >= 0] if how == "simple" else np.arange(5))).mean()
        own = cells.overall_influence
        for level in inside:
            reach = student.isf((1 - level) / 2, freedom(own, start)) * np.sqrt((own**2).sum())
            inside[level] += abs(cells.overall - truth) <= reach
    assert 0.93 <= inside[0.95] / 600 <= 0.97
    assert 0.87 <= inside[0.9] / 600 <= 0.93


@pytest.mark.slow
def test_where_nothing_happened_on_the_real_panel_the_offered_interval_rejects_as_often_as_it_says():
    rows = read_table("outcomes", where={"variable": "preventable_cvd_mortality_u75_asmr", "sex": "Persons"})
    unit, period = sorted(set(rows["unit_code"])), sorted(set(rows["period"]))
    value = np.full((len(unit), len(period)), np.nan)
    place = [{key: k for k, key in enumerate(keys)} for keys in (unit, period)]
    value[[place[0][u] for u in rows["unit_code"]], [place[1][p] for p in rows["period"]]] = rows["value"]
    panel, rejected = long(value), []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        chosen = rng.choice(len(unit), 24, replace=False)
        when = {f"a{i:02d}": 2000 + int(g) for i, g in zip(chosen, np.repeat([5, 8, 11], 8), strict=True)}
        found = staggered(panel, **COLUMNS, treated=when)
        if found.valid:
            rejected.append(found.p_value <= 0.05)
    assert len(rejected) > 150
    assert may_be_within(rejected, 0.03, 0.07)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["callaway_santanna", "imputation"])
def test_with_few_treated_units_an_interval_is_not_offered_or_rejects_as_often_as_it_says(estimator):
    offered, covered = {}, {}
    for sizes in [(1,), (3,), (2, 2), (5,), (4, 4)]:
        start = np.repeat([*range(4, 4 + len(sizes)), 8], [*sizes, 40 - sum(sizes)])
        rejected, inside = [], []
        for seed in range(60 if sum(sizes) > 4 else 15):
            rng = np.random.default_rng([seed, *sizes])
            value = 2 * rng.normal(size=(40, 1)) + rng.normal(size=(40, 8))
            for t in range(1, 8):
                value[:, t] += 0.5 * (value[:, t - 1] - value[:, 0])
            gaps = [(39, 0)]  # So that the starts are not dealt out again.
            found = staggered(
                long(value, gaps), **COLUMNS, treated=starts(start, 8), estimator=estimator, level=0.9, seed=seed
            )
            if found.valid:
                rejected.append(found.p_value <= 0.05)
                inside.append(found.lower <= 0 <= found.upper)
        offered[sizes], covered[sizes] = rejected, inside
    assert [len(offered[sizes]) for sizes in [(1,), (3,), (2, 2)]] == [0, 0, 0]
    assert min(len(offered[sizes]) for sizes in [(5,), (4, 4)]) > 45
    assert may_be_within([r for some in offered.values() for r in some], 0.03, 0.07)
    assert may_be_within([i for some in covered.values() for i in some], 0.87, 0.93)
