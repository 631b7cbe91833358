"""Regional inequality: worked by hand, identities, the published shares, and noise taken out by simulation."""

import csv
import io
import json

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gwm_models.cli.index_regions import regions as command
from gwm_models.data.edition import load_edition
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


def test_spread_of_all_areas_is_the_known_one(edition):
    row = next(row for row in regional_spread(edition, by="total") if row["region"] == ALL)
    assert (row["n"], row["min_area"], row["max_area"]) == (118, "Stoke-on-Trent", "Wokingham")
    assert row["mean"] == pytest.approx(307.456, abs=5e-4)
    assert row["sd"] == pytest.approx(86.435, abs=5e-4)
    assert row["range"] == pytest.approx(502.0 - 123.4)


def test_spread_by_hand():
    """Variance 5 with divisor n; errors of 1: (1 - 1/4) of noise."""
    found = spread(np.array([1.0, 3, 5, 7]), np.eye(4), ["a", "b", "c", "d"])
    assert found["sd"] == pytest.approx(np.sqrt(5)) and found["cv"] == pytest.approx(np.sqrt(5) / 4)
    assert (found["range"], found["iqr"], found["min_area"], found["max_area"]) == (6.0, 3.0, "a", "d")
    assert found["noise_share"] == pytest.approx(0.75 / 5)
    assert found["sd_true"] == pytest.approx(np.sqrt(4.25))
    assert found["lower"] < found["sd_true"] < found["upper"]


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
        assert york["lower"] < 2.3 < york["upper"] and "York has the lowest" in york["note"]
        assert share["holds"] and share["figure"] == pytest.approx(0.70, abs=0.006)
        assert share["lower"] > 0.5
        assert narrowest["holds"] and narrowest["note"] == "South West"


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
