"""Regional inequality: worked by hand, identities, the published shares, and noise taken out by simulation."""

import csv
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gwm_models.cli.index_regions import regions as command
from gwm_models.data.edition import load_edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError
from gwm_models.index.regional import (
    ALL,
    quantities,
    regional_counts,
    regional_inequality,
    regional_spread,
    regions,
    report_statements,
    spread,
)
from gwm_models.index.regional_parts import MEASURES, Quantity, decompose, decompose_quantity
from gwm_models.index.sampling import sampling_error

VALUES = st.lists(
    st.tuples(st.floats(0.5, 500), st.sampled_from("ABC"), st.integers(1, 9)), min_size=4, max_size=20
).filter(lambda rows: np.ptp([row[0] for row in rows]) > 0.01)
Z = 1.959963984540054
METHODS = pytest.mark.parametrize("measure", MEASURES)


@pytest.fixture(scope="module")
def edition():
    return load_edition("monitor-2021")


def split(rows):
    values, region, people = zip(*rows, strict=True)
    return np.array(values), region, np.array(people, dtype=float)


def test_variance_by_hand():
    """Means 2 and 6 about 4: 4 between; each value 1 from its own mean: 1 within."""
    assert decompose([1, 3, 5, 7], "AABB") == (5.0, 1.0, 4.0)


def test_theil_by_hand():
    """1 and 3 in regions of their own: all between. T: (0.5 ln 0.5 + 1.5 ln 1.5) / 2; L: (ln 2 - ln 1.5) / 2."""
    log = np.log
    t, l_measure = (0.5 * log(0.5) + 1.5 * log(1.5)) / 2, (log(2) + log(1 / 1.5)) / 2
    assert decompose([1, 3], "AB", measure="theil_t") == pytest.approx((t, 0, t))
    assert decompose([1, 3], "AB", measure="theil_l") == pytest.approx((l_measure, 0, l_measure))
    assert decompose([1, 3, 1, 3], "AABB", measure="theil_t") == pytest.approx((t, t, 0))


def test_theil_within_is_the_regions_own_theil_weighed_by_their_part_of_the_sum():
    x, region, people = np.array([2.0, 5, 9, 4, 4, 1]), "AABBBC", np.array([1.0, 3, 2, 2, 1, 4])
    p = people / people.sum()
    mean = p @ x
    within = t_between = 0.0
    for name in "ABC":
        own = np.array([r == name for r in region])
        share, local = p[own].sum(), p[own] @ x[own] / p[own].sum()
        theil = (p[own] / share) @ (x[own] / local * np.log(x[own] / local))
        within += share * local / mean * theil
        t_between += share * local / mean * np.log(local / mean)
    total = p @ (x / mean * np.log(x / mean))
    assert decompose(x, region, weights=people, measure="theil_t") == pytest.approx((total, within, t_between))


@METHODS
@given(rows=VALUES)
def test_within_and_between_make_the_total_and_neither_is_negative(measure, rows):
    values, region, people = split(rows)
    for weights in (None, people):
        total, within, between = decompose(values, region, weights=weights, measure=measure)
        assert within + between == pytest.approx(total, rel=1e-6, abs=1e-12)
        assert min(within, between) >= -1e-12


@METHODS
@given(rows=VALUES, seed=st.integers(0, 99))
def test_the_order_of_the_areas_and_the_names_of_the_regions_do_not_matter(measure, rows, seed):
    values, region, people = split(rows)
    order = np.random.default_rng(seed).permutation(len(values))
    renamed = [f"region {region[i]}" for i in order]
    first = decompose(values, region, weights=people, measure=measure)
    assert decompose(values[order], renamed, weights=people[order], measure=measure) == pytest.approx(
        first, rel=1e-9, abs=1e-12
    )


@given(rows=VALUES, scale=st.floats(0.01, 100))
def test_theil_does_not_depend_on_the_unit_and_variance_not_on_the_zero(rows, scale):
    values, region, people = split(rows)
    for measure in ("theil_t", "theil_l"):
        first = decompose(values, region, weights=people, measure=measure)
        assert decompose(scale * values, region, weights=people, measure=measure) == pytest.approx(first, abs=1e-9)
    first = decompose(values, region, weights=people)
    assert decompose(values + 100 * scale, region, weights=people) == pytest.approx(first, rel=1e-6, abs=1e-6)


@METHODS
@given(rows=VALUES)
def test_a_weight_of_three_is_an_area_three_times(measure, rows):
    values, region, people = split(rows)
    times = people.astype(int)
    copied = decompose(np.repeat(values, times), np.repeat(region, times), measure=measure)
    assert decompose(values, region, weights=people, measure=measure) == pytest.approx(copied, rel=1e-9, abs=1e-12)


@METHODS
@pytest.mark.parametrize("people", [None, np.array([1.0, 3, 2, 2, 1, 4])])
def test_a_quantity_is_split_by_the_measure_and_the_people_asked_for(measure, people):
    x, region = np.array([2.0, 5, 9, 4, 4, 1]), "AABBBC"
    found = decompose_quantity(Quantity("x", "total", "points", x, np.eye(6)), region, people, measure=measure)
    parts = decompose(x, region, weights=people, measure=measure)
    assert (found.total, found.within, found.between) == pytest.approx(parts)
    assert found.share_between == pytest.approx(parts[2] / parts[0])
    assert (found.measure, found.weights) == (measure, "areas" if people is None else "population")
    assert (found.n, found.n_regions, found.level) == (6, 3, 0.95)
    assert np.isfinite(found.estimate) == np.isfinite(found.noise_within) == (measure == "variance")
    rng = np.random.default_rng(5)
    chance = []
    for _ in range(1000):
        order = rng.permutation(6)
        moved = None if people is None else people[order]
        chance.append(decompose(x[order], region, weights=moved, measure=measure)[2])
    assert found.share_by_chance == pytest.approx(np.mean(chance) / parts[0], abs=0.03)
    assert found.p_value == pytest.approx(np.mean(np.array(chance) >= parts[2] - 1e-12), abs=0.05)


def test_values_and_measures_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="1 of 3 values are not above 0: theil_l needs positive values"):
        decompose([0, 1, 2], "AAB", measure="theil_l")
    with pytest.raises(ValueError, match="measure must be one of variance, theil_t, theil_l; got 'gini'"):
        decompose([1, 2], "AB", measure="gini")
    with pytest.raises(DataError, match="2 regions for values of shape"):
        decompose([1, 2, 3], "AB")
    with pytest.raises(DataError, match="'x' is the same in every area"):
        decompose_quantity(Quantity("x", "total", "points", np.ones(4), np.zeros((4, 4))), "AABB")


def test_between_region_shares_are_the_published_ones_with_regions_as_printed(edition):
    found = regional_inequality(edition, as_printed=True, n_draws=200)
    shares = {x.quantity: x.share_between for x in found if (x.measure, x.weights) == ("variance", "areas")}
    known = {"total": 0.302, "access": 0.309, "status": 0.288, "pay": 0.196}
    for name, share in known.items():
        assert round(shares[name], 3) == share
    assert {x.n for x in found} == {118} and {x.n_regions for x in found} == {8}


def test_true_regions_change_the_shares_by_one_area(edition):
    printed, true = regions(edition, as_printed=True), regions(edition)
    moved = [name for name, a, b in zip(edition.areas.name, printed, true, strict=True) if a != b]
    assert moved == ["South Gloucestershire"]
    share = next(x for x in regional_inequality(edition, by="total", n_draws=200) if x.weights == "areas")
    assert share.share_between == pytest.approx(0.295, abs=5e-4)


def test_regional_counts_are_the_known_ones_printed_and_true(edition):
    rows = {row["region"]: (row["n"], row["n_as_printed"]) for row in regional_counts(edition)}
    assert rows == {
        "North West": (23, 23),
        "South East": (19, 20),
        "Yorkshire and the Humber": (15, 15),
        "West Midlands": (14, 14),
        "South West": (15, 14),
        "North East": (12, 12),
        "East of England": (11, 11),
        "East Midlands": (9, 9),
    }
    moved = {
        row["region"]: (row["printed_elsewhere"], row["printed_here_wrongly"])
        for row in regional_counts(edition)
        if row["printed_elsewhere"] or row["printed_here_wrongly"]
    }
    assert moved == {"South West": (["South Gloucestershire"], []), "South East": ([], ["South Gloucestershire"])}


def test_spread_of_all_areas_is_the_known_one(edition):
    row = next(row for row in regional_spread(edition, by="total") if row["region"] == ALL)
    assert (row["n"], row["min_area"], row["max_area"]) == (118, "Stoke-on-Trent", "Wokingham")
    assert row["mean"] == pytest.approx(307.456, abs=5e-4)
    assert row["sd"] == pytest.approx(86.435, abs=5e-4)
    assert row["range"] == pytest.approx(502.0 - 123.4)
    printed = [
        row["n"] for row in regional_spread(edition, by="total", as_printed=True) if row["region"] == "South East"
    ]
    assert printed == [20]


def test_spread_by_hand():
    """Variance 5 with divisor n; errors of 1: (1 - 1/4) of noise."""
    found = spread(np.array([1.0, 3, 5, 7]), np.eye(4), ["a", "b", "c", "d"])
    assert found["sd"] == pytest.approx(np.sqrt(5)) and found["cv"] == pytest.approx(np.sqrt(5) / 4)
    assert (found["range"], found["iqr"], found["min_area"], found["max_area"]) == (6.0, 3.0, "a", "d")
    assert found["noise_share"] == pytest.approx(0.75 / 5)
    assert found["sd_true"] == pytest.approx(np.sqrt(4.25))
    # The noise in the variance has variance 2 tr(AVAV) + 4 (y'AVAy - tr(AVAV)) = 2 x 3/16 + 4 (5/4 - 3/16) = 4.625.
    reach = 1.6448536269514722 * np.sqrt(4.625)
    found = spread(np.array([1.0, 3, 5, 7]), np.eye(4), ["a", "b", "c", "d"], level=0.9)
    assert (found["lower"], found["upper"]) == pytest.approx((np.sqrt(4.25 - reach), np.sqrt(4.25 + reach)))


def test_a_spread_that_is_all_noise_or_has_no_mean_above_zero_is_said_to_be():
    """Differences of 2 with errors of 3: variance 1, noise 9/2, so nothing is left; the lower end stops at 0."""
    found = spread(np.array([-1.0, 1]), 9 * np.eye(2), ["a", "b"])
    assert (found["sd"], found["noise_share"], found["sd_true"], found["lower"]) == (1.0, 4.5, 0.0, 0.0)
    # Here y'AVAy = 9/2 is less than tr(AVAV) = 81/4, so the noise has variance 2 x 81/4 alone.
    assert found["upper"] == pytest.approx(np.sqrt(1 - 4.5 + 1.959963984540054 * np.sqrt(40.5)))
    assert np.isnan(found["cv"])
    assert np.isnan(spread(np.full(2, 3.0), np.zeros((2, 2)), ["a", "b"])["noise_share"])


def test_a_spread_does_not_depend_on_the_unit():
    values, cov, names = np.array([1.0, 3, 5, 7]), np.diag([1.0, 0.5, 2, 1]), ["a", "b", "c", "d"]
    plain, small = spread(values, cov, names), spread(0.01 * values, 1e-4 * cov, names)
    for name in ("cv", "noise_share"):
        assert small[name] == pytest.approx(plain[name])
    for name in ("sd", "range", "iqr", "mean", "sd_true", "lower", "upper"):
        assert small[name] == pytest.approx(0.01 * plain[name])
    nothing = [spread(unit * values, unit**2 * 9 * cov, names) for unit in (1, 0.01)]
    assert [found["sd_true"] for found in nothing] == [0, 0]
    assert nothing[1]["upper"] == pytest.approx(0.01 * nothing[0]["upper"])


def test_spreads_and_splits_are_of_the_regions_the_level_and_the_draws_asked_for(edition):
    total = quantities(edition, "total")[0]
    rows = {row["region"]: row for row in regional_spread(edition, by="total", level=0.8)}
    assert (rows["South East"]["n"], rows["South West"]["n"]) == (19, 15)
    inside = np.array([name == "South West" for name in regions(edition)])
    names = [name for name, own in zip(edition.areas.name, inside, strict=True) if own]
    expected = spread(total.values[inside], total.error_cov[np.ix_(inside, inside)], names, level=0.8)
    assert {name: rows["South West"][name] for name in expected} == expected
    (found, *_) = regional_inequality(edition, by="total", level=0.8, n_draws=50, seed=3)
    assert found == decompose_quantity(total, regions(edition), level=0.8, n_draws=50, seed=3)


def test_an_area_that_the_table_does_not_print_has_no_printed_region(edition):
    unknown = SimpleNamespace(areas=SimpleNamespace(code=(edition.areas.code[0], "X1")))
    with pytest.raises(DataError, match=r"No region is printed for 1 areas \(X1\)"):
        regions(unknown, as_printed=True)


def test_areas_that_share_a_unit_share_its_error(edition):
    total = quantities(edition, "total")[0]
    first, second = (edition.areas.name.index(name) for name in ("Bournemouth", "Poole"))
    error = sampling_error(edition).total_std_error
    assert total.error_cov[first, second] == pytest.approx(error[first] * error[second])
    assert np.count_nonzero(total.error_cov) == 118 + 2
    pair = np.ix_([first, second], [first, second])
    assert spread(total.values[[first, second]], total.error_cov[pair], ["a", "b"])["noise_share"] == pytest.approx(
        0, abs=1e-12
    )


def test_noise_within_regions_is_that_of_errors_added_again(edition):
    total, region = quantities(edition, "total")[0], regions(edition)
    found = decompose_quantity(total, region, n_draws=200)
    rng, error = np.random.default_rng(1), np.sqrt(np.diag(total.error_cov))
    extra = [decompose(total.values + error * rng.normal(size=118), region)[1] - found.within for _ in range(3000)]
    assert found.noise_within == pytest.approx(np.mean(extra), rel=0.06)
    assert found.noise_share_within == pytest.approx(0.06, abs=5e-4)


def test_the_share_by_chance_of_a_variance_is_regions_less_one_over_areas_less_one(edition):
    found = decompose_quantity(quantities(edition, "total")[0], regions(edition), n_draws=4000)
    assert found.share_by_chance == pytest.approx(7 / 117, abs=0.002)
    assert found.p_value < 0.001


def test_the_share_by_chance_and_the_p_value_are_those_of_all_regions_that_could_have_been_drawn():
    """One of four areas is a region of its own. Alone, the area with 5 leaves 3 between, any other 1/3; in all 3."""
    x = Quantity("x", "total", "points", np.array([1.0, 1, 1, 5]), np.zeros((4, 4)))
    found = decompose_quantity(x, "AAAB", n_draws=399)
    assert (found.total, found.within, found.between) == pytest.approx((3, 0, 3))
    drawn = found.p_value * 400
    assert drawn == pytest.approx(round(drawn)) and found.p_value == pytest.approx(0.25, abs=0.07)
    apart = (drawn - 1) / 399
    assert found.share_by_chance == pytest.approx(apart + (1 - apart) / 9)
    assert decompose_quantity(x, "BAAA", n_draws=399).p_value == 1.0
    assert np.isnan(found.noise_share_within)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2, 3, 1, 2, 3, 1, 2])])
def test_the_error_of_a_share_without_noise_is_its_spread_over_errors_drawn_again(weights):
    x, region = np.array([9.0, 1, 5, 30, 21, 14, 26, 40]), "AAABBBCC"
    cov = np.diag(np.arange(1.0, 9))
    cov[0, 1] = cov[1, 0] = 1.0
    found = decompose_quantity(Quantity("x", "total", "points", x, cov), region, weights, level=0.9, n_draws=4000)
    rng, plain = np.random.default_rng(8), np.array(decompose(x, region, weights=weights)[:2])
    moved = rng.multivariate_normal(x, cov, size=4000)
    parts = np.array([decompose(one, region, weights=weights)[:2] for one in moved])
    noise = parts.mean(axis=0) - plain
    share = 1 - (parts - 2 * noise)[:, 1] / (parts - 2 * noise)[:, 0]
    assert found.noise_within == pytest.approx(noise[1], rel=0.05)
    assert found.estimate == pytest.approx(1 - (plain - noise)[1] / (plain - noise)[0], abs=0.005)
    assert found.std_error == pytest.approx(share.std(), rel=0.06)
    # To more places, from the same random numbers.
    p = np.full(8, 1 / 8) if weights is None else weights / weights.sum()
    exact = np.array([p @ np.diag(cov) - p @ cov @ p, found.noise_within])
    luck = keyed_rng(1, "error", "x").standard_normal((300, 8)) @ np.linalg.cholesky(cov).T
    parts = np.array([decompose(x + one, region, weights=weights)[:2] for one in luck]) - 2 * exact
    short = decompose_quantity(Quantity("x", "total", "points", x, cov), region, weights, n_draws=300, seed=1)
    assert short.std_error == pytest.approx((1 - parts[:, 1] / parts[:, 0]).std(), rel=1e-4)
    reach = 1.6448536269514722 * found.std_error
    ends = (found.estimate - reach, min(found.estimate + reach, 1))
    assert (found.lower, found.upper) == pytest.approx(ends)


def test_a_split_without_noise_does_not_depend_on_the_unit():
    x, cov = np.array([9.0, 1, 5, 30, 21, 14, 26, 40]), np.diag(np.arange(1.0, 9))
    plain, small = (
        decompose_quantity(Quantity("x", "total", "points", unit * x, unit**2 * cov), "AAABBBCC", n_draws=200)
        for unit in (1.0, 0.01)
    )
    for name in ("estimate", "std_error", "lower", "upper", "noise_share_within", "share_between", "p_value"):
        assert getattr(small, name) == pytest.approx(getattr(plain, name), rel=1e-6)
    assert small.noise_within == pytest.approx(1e-4 * plain.noise_within)


def test_a_variance_that_is_no_more_than_noise_has_no_share_between():
    """1 and 3 with errors of variance 2: the variance of 1 is all noise, and only some draws of it leave any."""
    x = Quantity("x", "total", "points", np.array([1.0, 3]), 2 * np.eye(2))
    found = decompose_quantity(x, "AB", n_draws=200)
    assert (found.total, found.between, found.noise_within) == pytest.approx((1, 1, 0))
    assert np.isnan([found.estimate, found.lower, found.upper]).all() and np.isfinite(found.std_error)


def test_an_interval_of_a_share_ends_at_one():
    """Within are a variance of 1 and a noise of 1, so without noise all of it lies between."""
    x = Quantity("x", "total", "points", np.array([1.0, 3, 11, 13]), 2 * np.eye(4))
    found = decompose_quantity(x, "AABB", n_draws=400)
    assert found.estimate == pytest.approx(1) and found.std_error > 0.01 and found.upper == 1
    assert found.lower == pytest.approx(1 - Z * found.std_error)


def test_what_is_left_out_of_a_split_is_two_thousand_draws_of_one_seed():
    x = Quantity("x", "total", "points", np.array([1.0, 3, 5, 8]), np.eye(4))
    assert decompose_quantity(x, "AABB") == decompose_quantity(x, "AABB", n_draws=2000, seed=20260101)


def test_regions_drawn_at_random_are_not_found_different():
    rng = np.random.default_rng(2)
    p_values = []
    for run in range(200):
        x = Quantity("x", "total", "points", rng.normal(size=40), np.zeros((40, 40)))
        p_values.append(decompose_quantity(x, rng.choice(list("ABCD"), 40), n_draws=100, seed=run).p_value)
    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.1, abs=0.06)


def test_without_sampling_error_nothing_is_taken_out():
    x = Quantity("x", "total", "points", np.array([1.0, 3, 5, 8]), np.zeros((4, 4)))
    found = decompose_quantity(x, "AABB", n_draws=100)
    assert found.noise_within == 0
    assert found.estimate == pytest.approx(found.share_between)
    assert found.std_error == pytest.approx(0, abs=1e-6)


def test_statements_of_the_report_hold(edition):
    for as_printed in (True, False):
        york, share, narrowest = report_statements(edition, as_printed=as_printed)
        assert york["figure"] == 2.3 and york["holds"] is True
        place = edition.areas.name.index("York"), edition.spec.indicator_ids.index("unemployment_rate")
        reach = 1.96 * sampling_error(edition).std_error[place]
        assert (york["lower"], york["upper"]) == pytest.approx((2.3 - reach, 2.3 + reach)) and reach > 0.3
        own = edition.values[np.array(regions(edition)) == "Yorkshire and the Humber", place[1]]
        ends = f"{own.min():.1f} to {own.max():.1f} over 15 areas"
        assert york["note"] == f"Yorkshire and the Humber: {ends}; York has the lowest"
        assert share["holds"] and share["figure"] == pytest.approx(0.70, abs=0.006)
        assert 0.5 < share["lower"] < share["figure"] < share["upper"] < 0.95
        assert narrowest["holds"] and narrowest["note"] == "South West"
        own = {}
        for name, total in zip(regions(edition, as_printed=as_printed), edition.total, strict=True):
            own.setdefault(name, []).append(total)
        apart = np.ptp([np.mean(totals) for totals in own.values()])
        assert narrowest["stated"] == f"more than {apart:.1f}, the range of the regions' means"
        assert narrowest["figure"] == pytest.approx(np.ptp(own["South West"])) and narrowest["figure"] > apart > 50


def with_level(edition, area, level):
    values = np.array(edition.values)
    values[edition.areas.name.index(area), edition.spec.indicator_ids.index("unemployment_rate")] = level
    return replace(edition, values=values)


@pytest.mark.parametrize(("level", "holds"), [(2.24, False), (2.26, True), (2.34, True), (2.36, False)])
def test_a_figure_printed_to_one_decimal_holds_if_it_rounds_to_it(edition, level, holds):
    york = report_statements(with_level(edition, "York", level))[0]
    assert (york["stated"], york["figure"], york["holds"]) == ("2.3", level, holds)


def test_a_statement_of_an_area_that_an_edition_has_not_is_left_open(edition):
    elsewhere = replace(edition.areas, name=tuple(name.replace("York", "Selby") for name in edition.areas.name))
    york = report_statements(replace(edition, areas=elsewhere))[0]
    assert (york["statement"], york["stated"]) == ("York: unemployment_rate, percent", "2.3")
    assert (york["holds"], york["note"]) == (None, "not in this edition") and np.isnan(york["figure"])


def test_an_indicator_without_a_figure_of_every_area_has_no_spread(edition):
    kept = [quantity.name for quantity in quantities(edition)]
    holed = [quantity.name for quantity in quantities(with_level(edition, "York", np.nan))]
    assert set(kept) - set(holed) == {"unemployment_rate"}


@pytest.mark.parametrize("unknown", [np.nan, np.inf])
def test_where_one_error_is_not_known_the_noise_is_not_and_the_split_stands(unknown):
    x, error = np.array([1.0, 3, 5, 8]), np.diag([1.0, unknown, 1, 1])
    found = decompose_quantity(Quantity("x", "total", "points", x, error), "AABB", n_draws=20)
    assert found.share_between == pytest.approx(decompose(x, "AABB")[2] / decompose(x, "AABB")[0])
    assert np.isnan([found.noise_within, found.noise_share_within, found.estimate, found.lower, found.upper]).all()


def test_statements_are_of_the_regions_as_printed_unless_asked_for_the_true_ones(edition):
    shares = [report_statements(edition, **asked)[1]["figure"] for asked in ({}, {"as_printed": False})]
    assert [round(1 - share, 3) for share in shares] == [0.302, 0.295]


def test_statements_of_differences_within_regions_fail_where_regions_are_far_apart(edition, monkeypatch):
    """Regions 10 apart, their areas at most 0.5: nearly all of the variance lies between."""
    region = np.unique(regions(edition), return_inverse=True)[1]
    made = Quantity("total", "total", "points", 10.0 * region + np.arange(118) % 2 / 2, np.zeros((118, 118)))
    monkeypatch.setattr("gwm_models.index.regional.quantities", lambda edition, by=None: [made])
    _, share, narrowest = report_statements(edition, as_printed=False)
    assert (share["holds"], narrowest["holds"]) == (False, False) and share["figure"] < 0.01
    apart = np.ptp([made.values[region == place].mean() for place in range(8)])
    assert narrowest["stated"] == f"more than {apart:.1f}, the range of the regions' means"
    made = Quantity("total", "total", "points", region + 4.0 * (np.arange(118) % 2), np.zeros((118, 118)))
    _, share, _ = report_statements(edition, as_printed=False)
    parts = decompose(made.values, regions(edition))
    assert 0.5 < parts[2] / parts[0] < 0.75 and share["holds"] is False


def test_a_quantity_with_a_value_of_nothing_is_split_by_its_variance_alone(edition, monkeypatch):
    values = np.arange(118.0)
    made = Quantity("x", "total", "points", values, np.zeros((118, 118)))
    monkeypatch.setattr("gwm_models.index.regional.quantities", lambda edition, by: [made])
    found = regional_inequality(edition, n_draws=20)
    assert [(x.measure, x.weights, x.n_regions) for x in found] == [("variance", w, 8) for w in ("areas", "population")]
    assert found[0].total == pytest.approx(values.var())
    assert found[0].p_value * 21 == pytest.approx(round(found[0].p_value * 21))
    made = Quantity("x", "total", "points", values + 1, np.zeros((118, 118)))
    assert [x.measure for x in regional_inequality(edition, n_draws=20)] == 2 * list(MEASURES)


def test_hours_have_no_spread_and_a_wrong_name_is_answered_with_the_nearest(edition):
    assert "satisfactory_hours" not in {row["quantity"] for row in regional_spread(edition)}
    with pytest.raises(DataError, match="'satisfactory_hours' has no open figures by area"):
        regional_spread(edition, by="satisfactory_hours")
    with pytest.raises(DataError, match=r"no quantity 'unemployment'.*Did you mean unemployment_rate"):
        regional_inequality(edition, by="unemployment")


def run(*words):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(words))


def test_the_command_prints_unit_period_gap_and_every_table_as_json():
    found = json.loads(run("--format", "json", "--draws", "100", "--as-printed").stdout)
    assert found["regions"] == "as printed" and found["missing"] == ["satisfactory_hours"]
    assert len(found["spread"]) == 9 * 9 and len(found["decomposition"]) == 9 * 2 * 3
    assert len(found["statements"]) == 3 and len(found["counts"]) == 8
    rows = list(csv.DictReader(io.StringIO(run("--by", "pay", "--format", "csv", "--draws", "100").stdout)))
    assert {row["quantity"] for row in rows} == {"pay"} and len(rows) == 9
    title = run("--by", "unemployment_rate", "--draws", "100").stdout.splitlines()[0]
    assert "percent" in title and "October 2017 to September 2018" in title and "missing: satisfactory_hours" in title


@pytest.mark.slow
def test_the_share_without_noise_finds_the_true_share_and_its_interval_covers_it():
    rng = np.random.default_rng(3)
    region = np.arange(118) % 8
    true = rng.normal(0, 20, 8)[region] + rng.normal(0, 25, 118)
    total, _, between = decompose(true, region)
    error = rng.uniform(8, 25, 118)
    found = [
        decompose_quantity(
            Quantity("x", "total", "points", true + error * rng.normal(size=118), np.diag(error**2)),
            region,
            n_draws=500,
            seed=run,
        )
        for run in range(600)
    ]
    share = between / total
    assert np.mean([x.share_between for x in found]) < share - 0.04
    assert np.mean([x.estimate for x in found]) == pytest.approx(share, abs=0.01)
    assert np.mean([x.lower <= share <= x.upper for x in found]) == pytest.approx(0.955, abs=0.03)


@pytest.mark.slow
def test_the_interval_of_a_regions_spread_covers_the_true_one():
    rng = np.random.default_rng(4)
    true = rng.normal(0, 30, 15)
    error = rng.uniform(8, 20, 15)
    found = [spread(true + error * rng.normal(size=15), np.diag(error**2), [""] * 15) for _ in range(4000)]
    inside = [row["lower"] <= true.std() <= row["upper"] for row in found]
    assert np.mean(inside) == pytest.approx(0.945, abs=0.02)
    assert np.mean([row["sd_true"] ** 2 for row in found]) == pytest.approx(true.var(), rel=0.02)
