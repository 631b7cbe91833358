"""Event studies: worked by hand, against dummies and other programs, placebos, pre-trend power, refusals, coverage."""

import csv
import itertools
import json

import numpy as np
import pytest
import statsmodels.api as sm
from binomial_band import may_be_within
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_ind

from gwm_models.data.tables import read_table
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.clustered import fit_clustered
from gwm_models.evaluation.event_design import design_of
from gwm_models.evaluation.event_inference import estimate
from gwm_models.evaluation.event_studies import event_study
from gwm_models.evaluation.panel import PanelMatrix
from gwm_models.evaluation.permutation import permute
from gwm_models.evaluation.pre_trend import joint_test, levels_apart, placebo_test

COLUMNS = {"unit": "area", "time": "year", "outcome": "rate"}


def long(value, gaps=()):
    """Return a long panel of units a00, a01, ... by years 2000, 2001, ..., without the cells named."""
    cells = [(i, t) for i, t in itertools.product(*map(range, value.shape)) if (i, t) not in set(gaps)]
    return {
        "area": [f"a{i:02d}" for i, _ in cells],
        "year": [2000 + t for _, t in cells],
        "rate": [float(value[i, t]) for i, t in cells],
    }


def names(rows):
    return [f"a{i:02d}" for i in rows]


def noise(seed, n=30, times=9):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1)) * 3 + rng.normal(size=times) + rng.normal(size=(n, times))


def test_two_by_two_is_worked_by_hand():
    value = np.array([[1.0, 2.0, 9.0], [3.0, 5.0, 10.0], [4.0, 4.0, 6.0], [0.0, 2.0, 3.0]])
    found = event_study(long(value), **COLUMNS, treated=["a00", "a01"], start=2002)
    # Treated after less before: 9.5 - 2.75; controls: 4.5 - 2.5.
    assert found.att == pytest.approx(9.5 - 2.75 - (4.5 - 2.5), abs=1e-12)
    assert [row.time for row in found.path] == [-2, -1, 0]
    # Against 2001: (9.5 - 3.5) - (4.5 - 3), and in 2000 (2 - 3.5) - (2 - 3).
    assert [row.effect for row in found.path] == pytest.approx([-0.5, 0.0, 4.5], abs=1e-12)
    assert found.path[2].observed == 9.5
    assert found.path[2].counterfactual == pytest.approx(5.0, abs=1e-12)


def test_coefficients_equal_those_of_dummies_with_gaps_and_a_covariate():
    rng = np.random.default_rng(3)
    value, more = noise(1, 12, 6), rng.normal(size=(12, 6))
    gaps = [(0, 1), (5, 3), (9, 0), (10, 5)]
    panel = long(value, gaps)
    i = np.array([int(name[1:]) for name in panel["area"]])
    t = np.array(panel["year"]) - 2000
    panel["more"] = more[i, t].tolist()
    found = event_study(panel, **COLUMNS, treated=names(range(4)), start=2003, covariates=["more"])
    events = [((i < 4) & (t - 3 == k)).astype(float) for k in (-3, -2, 0, 1, 2)]
    dummies = [*events, more[i, t], *(i == j for j in range(12)), *(t == s for s in range(1, 6))]
    fit = sm.OLS(np.array(panel["rate"]), np.column_stack(dummies).astype(float)).fit()
    assert [row["estimate"] for row in found.terms] == pytest.approx(fit.params[:5].tolist(), abs=1e-8)
    assert found.att == pytest.approx(fit.params[2:5].mean() - fit.params[:2].sum() / 3, abs=1e-8)


def test_clustered_errors_equal_those_written_out_with_full_matrices():
    value, treated = noise(2, 9, 5), np.arange(9) < 3
    value[4, 2] = np.nan
    events = np.array([treated[:, None] & (np.arange(5) == t) for t in (0, 1, 3, 4)], dtype=float)
    fit = fit_clustered(value, events)
    seen = np.isfinite(value)
    i, t = np.nonzero(seen)
    design = np.column_stack([*(x[seen] for x in events), np.eye(9)[i], np.eye(5)[t][:, 1:]])
    # The same with unit effects taken out first, which leaves each unit's adjustment as it is.
    within = design - (np.eye(9)[i] @ np.linalg.lstsq(np.eye(9)[i], design, rcond=None)[0])
    keep = [0, 1, 2, 3, *range(13, 17)]
    bread = np.linalg.pinv(within[:, keep].T @ within[:, keep])
    left = value[seen] - design @ np.linalg.lstsq(design, value[seen], rcond=None)[0]
    rows, shapes = [], []
    for g in range(9):
        own = within[i == g][:, keep]
        size, vector = np.linalg.eigh(np.eye(len(own)) - own @ bread @ own.T)
        root = vector @ np.diag(size**-0.5) @ vector.T
        rows.append(bread @ own.T @ root @ left[i == g])
        shapes.append(bread @ own.T @ root)
    cov = np.array(rows).T @ np.array(rows)
    assert fit.cov == pytest.approx(cov[:4, :4], abs=1e-10)
    maker = np.eye(len(i)) - design @ np.linalg.pinv(design)
    weights = np.array([0.5, 0.0, -1.0, 2.0])
    loads = np.array([maker[:, i == g] @ (shape[:4].T @ weights) for g, shape in enumerate(shapes)])
    value_of = np.linalg.eigvalsh(loads @ loads.T)
    assert fit.contrast(weights)[2] == pytest.approx(value_of.sum() ** 2 / (value_of**2).sum(), abs=1e-8)


def test_without_gaps_the_clustered_error_is_that_of_welch():
    value = noise(4, 20, 8)
    found = event_study(long(value), **COLUMNS, treated=names(range(6)), start=2005, errors="clustered")
    change = value[:, 5:].mean(axis=1) - value[:, :5].mean(axis=1)
    welch = ttest_ind(change[:6], change[6:], equal_var=False)
    assert found.std_error == pytest.approx(abs(found.att / welch.statistic), abs=1e-10)
    assert found.seed is None


def test_every_way_to_deal_the_treated_is_counted_when_there_are_few():
    value, treated = np.array([5.0, 7.0, 1.0, 2.0, 0.0, 3.0]), np.array([True, True, False, False, False, False])
    found = permute(value, treated, keyed_rng(1, "p"), 0.8)
    own = abs(ttest_ind(value[:2], value[2:], equal_var=False).statistic)
    every = []
    for pair in itertools.combinations(range(6), 2):
        rest = [i for i in range(6) if i not in pair]
        every.append(abs(ttest_ind(value[list(pair)], value[rest], equal_var=False).statistic))
    assert found.n_draws == 15
    assert found.p_value == np.mean(np.array(every) >= own - 1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(-3, 3), st.floats(0.2, 5))
def test_the_permutation_interval_moves_with_shift_and_scale(seed, shift, scale):
    value, treated = np.random.default_rng(seed).normal(size=14), np.arange(14) < 5
    one = permute(value, treated, keyed_rng(2, "p"), 0.9, 199)
    two = permute(scale * value + shift * treated, treated, keyed_rng(2, "p"), 0.9, 199)
    assert (two.lower, two.upper) == pytest.approx((scale * one.lower + shift, scale * one.upper + shift), abs=1e-6)
    assert one.lower <= 0 <= one.upper or one.p_value <= 0.1 + 1e-9


def test_the_placebo_p_value_is_the_rank_of_the_treated():
    value = noise(5, 20, 8)
    value[3, 5:] += 1.0
    found = event_study(long(value), **COLUMNS, treated="a03", start=2005)
    change = value[:, 5:].mean(axis=1) - value[:, :5].mean(axis=1)
    rest = np.delete(change, 3)
    own = change[3] - rest.mean()
    others = np.array([x - (rest.sum() - x) / 18 for x in rest])
    assert found.att == pytest.approx(own, abs=1e-10)
    assert found.p_value == (1 + np.sum(np.abs(others) >= abs(own))) / 20
    reach = np.sort(np.abs(others))[18]
    assert (found.lower, found.upper) == pytest.approx((own - reach, own + reach), abs=1e-10)


def test_the_wild_bootstrap_tests_the_average_itself():
    value = noise(6, 16, 6)
    found = event_study(long(value), **COLUMNS, treated=names(range(7)), start=2003, errors="wild", level=0.9)
    assert found.lower < found.att < found.upper
    shifted = value.copy()
    shifted[:7, 3:] += 2.0
    again = event_study(long(shifted), **COLUMNS, treated=names(range(7)), start=2003, errors="wild", level=0.9)
    assert (again.lower, again.upper) == pytest.approx((found.lower + 2, found.upper + 2), abs=1e-6)


def test_proposition_99_has_the_published_difference_in_differences(known):
    text = (known / "prop99_cigarette_sales.csv").read_text("utf-8")
    dialect = ";" if ";" in text.splitlines()[0] else ","
    rows = list(csv.reader(text.splitlines(), delimiter=dialect))
    unit, time, outcome = rows[0][:3]
    panel = {name: [row[j] for row in rows[1:]] for j, name in enumerate((unit, time, outcome))}
    found = event_study(panel, unit=unit, time=time, outcome=outcome, treated="California", start=1989)
    # Arkhangelsky et al. (2021), American Economic Review 111, 4088-4118, table 1: -27.3.
    assert found.att == pytest.approx(-27.349, abs=5e-4)


def test_a_straight_difference_in_trend_is_found_as_often_as_the_power_says():
    rng = np.random.default_rng(7)
    distance, freedom = np.array([-3.0, -2.0, -1.0]), np.full(4, 1e6)
    root = np.array([[1.0, 0, 0], [0.6, 0.9, 0], [0.3, 0.4, 0.8]])
    cov = root @ root.T
    slopes = joint_test(np.zeros(3), cov, distance, freedom).slopes
    for slope, power in zip(slopes, (0.5, 0.8), strict=True):
        draws = slope * distance + rng.normal(size=(4000, 3)) @ root.T
        size = (draws @ np.linalg.inv(cov) * draws).sum(axis=1)
        assert np.mean(size > 7.814728) == pytest.approx(power, abs=0.03)  # chi-squared, 3 degrees of freedom, 5%


def test_with_few_treated_units_the_pre_trend_test_is_of_the_line():
    cov = np.eye(4)
    found = joint_test(np.array([4.0, 3.0, 2.0, 1.0]), cov, np.array([-4.0, -3.0, -2.0, -1.0]), np.full(5, 3.0))
    assert found.test == "slope"
    # The slope is -1 with a standard error of 1 / sqrt(30): t = 5.477 with 3 degrees of freedom.
    assert found.p_value == pytest.approx(2 * student.sf(np.sqrt(30), 3), abs=1e-10)


def test_placebo_leads_give_the_pre_trend_test_its_power():
    placebo = np.random.default_rng(8).normal(size=(199, 2))
    found = placebo_test(np.array([5.0, 5.0]), placebo, np.array([-2.0, -1.0]))
    assert found.p_value == 1 / 200
    limit = np.sort((placebo**2).sum(axis=1))[189]
    for slope, power in zip(found.slopes, (0.5, 0.8), strict=True):
        sizes = ((placebo + slope * np.array([-2.0, -1.0])) ** 2).sum(axis=1)
        assert np.mean(sizes > limit) == pytest.approx(power, abs=0.01)


def test_treated_that_stand_apart_take_the_offer_back():
    value = noise(9, 40, 8)
    value[:8] -= 12
    found = event_study(long(value), **COLUMNS, treated=names(range(8)), start=2005)
    assert not found.valid
    assert "stood apart" in found.valid_why
    assert found.check("level_before").verdict == "fail"


def test_a_dip_just_before_the_start_is_seen():
    value = noise(10, 40, 8) * 0.5
    value[::4, 4] -= 2
    found = event_study(long(value), **COLUMNS, treated=names(range(0, 40, 4)), start=2005)
    assert found.check("last_before").verdict == "warn"
    assert found.check("pre_trend").verdict == "fail"


def test_neighbours_of_the_treated_are_not_controls():
    value = noise(20, 12, 6)
    pairs = [("a00", "a05"), ("a09", "a01"), ("a07", "a08")]
    found = event_study(long(value), **COLUMNS, treated=names((0, 1)), start=2003, neighbours=pairs)
    rest = [i for i in range(2, 12) if i not in (5, 9)]
    same = event_study(long(value), **COLUMNS, treated=names((0, 1)), start=2003, donors=names(rest))
    assert found.att == pytest.approx(same.att, abs=1e-12)
    assert found.excluded == ("a05: neighbour of a treated unit", "a09: neighbour of a treated unit")


def test_far_leads_and_lags_share_the_last_event_time():
    value = noise(11, 20, 10)
    found = event_study(long(value), **COLUMNS, treated=names(range(6)), start=2005, leads=2, lags=1)
    whole = event_study(long(value), **COLUMNS, treated=names(range(6)), start=2005)
    assert [row.time for row in found.path] == [-2, -1, 0, 1]
    assert found.att == pytest.approx(whole.att, abs=1e-10)
    change = value[:, 6:].mean(axis=1) - value[:, 4]
    assert found.path[3].effect == pytest.approx(change[:6].mean() - change[6:].mean(), abs=1e-10)


def test_a_unit_shift_and_a_common_shock_change_nothing():
    value = noise(12, 20, 8)
    moved = value + np.arange(20)[:, None] ** 2 + np.sin(np.arange(8))
    one, two = (event_study(long(v), **COLUMNS, treated=names((1, 5, 9)), start=2004) for v in (value, moved))
    assert two.att == pytest.approx(one.att, abs=1e-9)
    assert two.std_error == pytest.approx(one.std_error, abs=1e-9)
    assert (two.lower, two.upper) == pytest.approx((one.lower, one.upper), abs=1e-7)


def test_the_same_seed_gives_the_same_result_and_it_is_ready_for_json():
    value = noise(13, 60, 8)
    one, two = (event_study(long(value), **COLUMNS, treated=names(range(9)), start=2004, seed=3) for _ in range(2))
    assert json.dumps(one.to_dict(), allow_nan=False) == json.dumps(two.to_dict(), allow_nan=False)
    assert one.seed == 3


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"start": 2030}, ModelError, "after the last time"),
        ({"start": 2000}, ModelError, "leaves no time before"),
        ({"treated": names(range(12))}, ModelError, "no donors"),
        ({"donors": ["a00"]}, ModelError, "no donors"),
        ({"treated": "zz"}, DataError, "not in the panel"),
        ({"reference": 0}, ValueError, "reference"),
        ({"leads": 1, "reference": -2}, ValueError, "reference"),
        ({"errors": "robust"}, ValueError, "errors must be one of"),
        ({"level": 1.0}, ValueError, "level must lie"),
        ({"errors": "permutation", "treated": "a00"}, ModelError, "two treated units"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, error, text):
    given = {"treated": names(range(3)), "start": 2003} | change
    with pytest.raises(error, match=text):
        event_study(long(noise(14, 12, 6)), **COLUMNS, **given)


def test_a_constant_outcome_and_a_treated_unit_without_figures_after_are_refused():
    with pytest.raises(ModelError, match="the same everywhere"):
        event_study(long(np.ones((6, 5))), **COLUMNS, treated="a00", start=2003)
    with pytest.raises(ModelError, match="a00 has no figure of rate on one side"):
        event_study(long(noise(15, 8, 5), [(0, 3), (0, 4)]), **COLUMNS, treated=["a00", "a01"], start=2003)


def test_gaps_cost_only_their_own_cells():
    found = event_study(long(noise(16, 12, 6), [(2, 1), (7, 5)]), **COLUMNS, treated=names(range(4)), start=2003)
    assert found.sample["observations"] == 70
    assert found.check("gaps").value == 2
    assert "CR2" in found.interval


def test_an_interval_with_little_freedom_is_not_offered():
    value = noise(17, 30, 6)
    found = event_study(long(value), **COLUMNS, treated=names(range(2)), start=2003, errors="clustered")
    assert not found.valid
    assert "degrees of freedom are too few" in found.valid_why


def test_levels_are_compared_by_ranks():
    value = np.tile(np.arange(10.0)[:, None], (1, 4)) + np.linspace(0, 1, 4)
    treated = np.arange(10) == 9
    assert levels_apart(value, treated) == pytest.approx((0.2, 0.2))
    # Rank sum 19 of an expected 11 with variance 2 * 8 * 11 / 12.
    assert levels_apart(value, np.arange(10) >= 8)[0] == pytest.approx(0.0366, abs=5e-4)


def real(variable, table="outcomes", sex="Persons"):
    rows = read_table(table, where={"variable": variable, "sex": sex})
    unit, period = sorted(set(rows["unit_code"])), sorted(set(rows["period"]))
    value = np.full((len(unit), len(period)), np.nan)
    place = [{key: k for k, key in enumerate(keys)} for keys in (unit, period)]
    value[[place[0][u] for u in rows["unit_code"]], [place[1][p] for p in rows["period"]]] = rows["value"]
    return value[:, np.isfinite(value).mean(axis=0) > 0.9]


REAL = [
    ("preventable_cvd_mortality_u75_asmr", "outcomes", "Persons"),
    ("healthy_life_expectancy_at_birth", "outcomes", "Male"),
    ("claimant_count_rate_annual", "indicators", "Persons"),
    ("drug_poisoning_deaths", "outcomes", "Persons"),
]


def on_real(value, size, worst, seed, effect=0.0, level=0.95):
    """Return the estimates for one made-up set of treated units and start."""
    rng = np.random.default_rng(seed)
    n, times = value.shape
    first = int(rng.integers(4, times - 2))
    if worst:
        pool = rng.choice(n, 2 * n // 3, replace=False)
        chosen = pool[np.argsort(value[pool, first - 1] * (1 if seed % 2 else -1))[:size]]
    else:
        chosen = rng.choice(n, size, replace=False)
    moved = value.copy()
    moved[chosen, first:] += effect
    panel = PanelMatrix("y", tuple(f"u{i}" for i in range(n)), tuple(range(times)), moved, {})
    return estimate(design_of(panel, [f"u{i}" for i in chosen], first, None, (), None, None, -1), "auto", level, seed)


@pytest.mark.slow
def test_where_nothing_happened_the_offered_interval_rejects_as_often_as_it_says():
    rejected = []
    for variable, table, sex in REAL:
        value = real(variable, table, sex)
        value = value[np.isfinite(value).all(axis=1)]
        found = [on_real(value, size, False, 100 * size + s) for size in (3, 10, 30) for s in range(40)]
        rejected += [f.p_value <= 0.05 for f in found if f.valid]
    assert len(rejected) > 320
    assert may_be_within(rejected, 0.03, 0.07)


@pytest.mark.slow
def test_areas_chosen_for_being_the_worst_are_not_offered_an_interval():
    offered, rejected = [], []
    for variable, table, sex in REAL:
        value = real(variable, table, sex)
        value = value[np.isfinite(value).all(axis=1)]
        found = [on_real(value, size, True, 100 * size + s) for size in (3, 10, 30) for s in range(12)]
        offered += [f.valid for f in found]
        rejected += [f.p_value <= 0.05 for f in found]
    assert np.mean(rejected) > 0.2  # which is why
    assert np.mean(offered) < 0.05


@pytest.mark.slow
def test_an_effect_put_into_the_real_panel_is_found_without_bias_and_covered():
    value = real("preventable_cvd_mortality_u75_asmr")
    value = value[np.isfinite(value).all(axis=1)]
    found = [on_real(value, 10, False, s, effect=-7.5, level=0.9) for s in range(300)]
    gap = np.array([f.estimate[0] + 7.5 for f in found])
    assert abs(gap.mean()) < 3 * gap.std() / np.sqrt(len(gap))
    assert may_be_within([f.lower[0] <= -7.5 <= f.upper[0] for f in found], 0.87, 0.93)
