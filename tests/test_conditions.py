"""Conditions for Good Work: the second index as data, scored by the same engine, with nothing invented."""

import json

import numpy as np
import pytest
import typer
from hypothesis import assume, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gwm_models.cli.index_scores import scores
from gwm_models.data.edition import load_edition
from gwm_models.data.index_spec import IndexSpec, IndicatorSpec
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError
from gwm_models.index.conditions import load_conditions
from gwm_models.index.scoring import access_scores, descending_rank, score_index

app = typer.Typer()
app.command()(scores)


@pytest.fixture(scope="module")
def conditions():
    return load_conditions()


@pytest.fixture(scope="module")
def monitor():
    return load_edition()


def gwm_scores(*words):
    return CliRunner().invoke(app, [*words])


def rows_of(*words):
    return json.loads(gwm_scores(*words, "--format", "json").stdout)


def made_up(*indicators, parents=(None, None), domains=("work", "pay")):
    return IndexSpec(
        id="made-up",
        title="Made up",
        publisher="Nobody",
        scale=(1, 100),
        domains=tuple((name, name.title()) for name in domains),
        indicators=tuple(
            IndicatorSpec(
                id=name,
                label=name,
                domain=domain,
                direction=direction,
                unit="percent",
                bounds_status=status,
                low=low,
                high=high,
                hard_limits=(0, 100),
                usual_range=(0, 100),
                usual_change=10,
                period="2030",
                source="census",
            )
            for name, domain, direction, status, low, high in indicators
        ),
        outcomes=(),
        parents=parents,
    )


# What is known, and what is not


def test_the_conditions_are_four_domains_of_three_on_a_scale_to_1200(conditions):
    spec = conditions.spec
    assert spec.domain_ids == ("prosperity", "demand", "education", "inequality")
    assert [len(spec.members(name)) for name in spec.domain_ids] == [3, 3, 3, 3]
    assert spec.score_range() == (12, 1200)
    assert {spec.score_range(name) for name in spec.domain_ids} == {(3, 300)}


def test_eight_places_hold_an_open_figure_as_a_proxy_and_four_stay_empty(conditions):
    status = {indicator.id: indicator.bounds_status for indicator in conditions.spec.indicators}
    unknown = [name for name, word in status.items() if word == "unknown"]
    assert unknown == ["demand_3", "education_3", "inequality_2", "inequality_3"]
    assert {*status.values()} == {"proxy", "unknown"}
    for j, indicator in enumerate(conditions.spec.indicators):
        assert np.isfinite(conditions.values[:, j]).any() == (indicator.bounds_status == "proxy")
        assert (indicator.source == "not known") == (indicator.bounds_status == "unknown")


def test_the_bounds_of_a_proxy_are_the_range_of_its_open_figures_over_the_areas(conditions):
    proxies = [(j, each) for j, each in enumerate(conditions.spec.indicators) if each.bounds_status == "proxy"]
    assert len(proxies) == 8
    for j, indicator in proxies:
        assert indicator.bounds == (np.nanmin(conditions.values[:, j]), np.nanmax(conditions.values[:, j]))


def test_published_conditions_stand_in_the_order_of_the_monitors_areas(conditions, monitor):
    assert conditions.areas is monitor.areas
    table = {row["area_code"]: row for row in read_table("conditions_scores").rows()}
    for i in (0, 57, 117):
        row = table[conditions.areas.code[i]]
        assert conditions.total[i] == row["total"] and conditions.rank[i] == row["rank"]
        assert conditions.domain_scores[i].tolist() == [row[name] for name in conditions.spec.domain_ids]
    assert np.corrcoef(monitor.total, conditions.total)[0, 1] == pytest.approx(0.71, abs=5e-3)


def test_areas_without_an_open_figure_have_none(conditions):
    column = conditions.spec.indicator_ids.index("business_births")
    missing = {conditions.areas.name[i] for i in np.flatnonzero(np.isnan(conditions.values[:, column]))}
    assert missing == {"Dorset", "Bournemouth", "Poole"}
    jobs = conditions.spec.indicator_ids.index("gva_per_filled_job")
    assert np.isfinite(conditions.values[:, jobs]).sum() == 95


# One engine


def test_an_index_is_scored_as_by_hand():
    spec = made_up(
        ("jobs", "work", 1, "stated", 50, 90),
        ("idle", "work", -1, "stated", 5, 25),
        ("wage", "pay", 1, "stated", 0, 10),
    )
    made = score_index(spec, [[70, 10, 2], [90, 5, 10], [40, 25, 0]])
    assert made.indicator == pytest.approx(np.array([[50.5, 75.25, 20.8], [100, 100, 100], [-23.75, 1, 1]]))
    assert made.domain == pytest.approx(np.array([[125.75, 20.8], [200, 100], [-22.75, 1]]))
    assert made.total == pytest.approx([146.55, 300, -21.75])
    assert repr(made) == "Scores(made-up: 3 areas, 3 with a total)"


def test_a_domain_with_a_missing_indicator_has_no_score_and_its_open_mean_says_what_there_is():
    spec = made_up(
        ("jobs", "work", 1, "stated", 50, 90),
        ("idle", "work", -1, "unknown", None, None),
        ("wage", "pay", 1, "stated", 0, 10),
    )
    made = score_index(spec, [[70, 10, 2], [np.nan, 10, 10]])
    assert np.isnan(made.domain[:, 0]).all() and np.isnan(made.total).all()
    assert made.domain[:, 1].tolist() == pytest.approx([20.8, 100])
    assert made.open_mean("work").tolist() == pytest.approx([50.5, np.nan], nan_ok=True)
    own = score_index(spec, [[70, 10, 2], [50, 30, 10]], own_range=True)
    assert own.indicator.tolist() == [[50.5, 100, 20.8], [1, 1, 100]]


def test_an_open_mean_is_over_the_indicators_that_have_a_figure():
    spec = made_up(
        ("jobs", "work", 1, "stated", 50, 90),
        ("idle", "work", -1, "stated", 5, 25),
        ("wage", "pay", 1, "stated", 0, 10),
    )
    made = score_index(spec, [[70, 10, 2], [70, None, 2]])
    assert made.open_mean("work").tolist() == [(50.5 + 75.25) / 2, 50.5]
    assert np.isnan(made.domain[:, 0]).tolist() == [False, True]


def test_one_bound_alone_scores_nothing_and_its_own_range_is_that_of_the_areas_with_a_figure():
    """Figures of 10, 30 and 20, of which less is better: 100, 1 and half of the way between."""
    half = ("idle", "work", -1, "calibrated", 5, None)
    spec = made_up(half, domains=("work",), parents=(None,))
    levels = [[10], [np.nan], [30], [20]]
    assert np.isnan(score_index(spec, levels).indicator).all()
    own = score_index(spec, levels, own_range=True).total.tolist()
    assert own == pytest.approx([100, np.nan, 1, 50.5], nan_ok=True)


def test_the_engine_scores_the_access_domain_of_the_monitor(monitor):
    made = score_index(monitor.spec, monitor.values)
    assert made.domain[:, 0] == pytest.approx(access_scores(monitor))
    assert np.isnan(made.domain[:, 1:]).all()


@given(st.lists(st.floats(0, 100), min_size=3, max_size=8, unique=True), st.floats(0.1, 50), st.floats(-100, 100))
def test_scores_by_range_do_not_depend_on_the_unit_and_reversing_a_direction_reverses_ranks(values, scale, shift):
    assume(np.ptp(values) >= 1e-3)
    up, down = (
        made_up(("a", "work", d, "calibrated", None, None), domains=("work",), parents=(None,)) for d in (1, -1)
    )
    x = np.array(values)[:, None]
    first = score_index(up, x, own_range=True).total
    assert score_index(up, scale * x + shift, own_range=True).total == pytest.approx(first, abs=1e-6)
    mirrored = score_index(down, x, own_range=True).total
    assert mirrored + first == pytest.approx(np.full(len(x), 101))


def test_equal_scores_share_the_better_rank_and_a_missing_one_has_none():
    assert descending_rank([50, 70, 50, np.nan, 20]).tolist() == [2, 1, 2, 0, 4]


def test_values_of_another_shape_are_refused(monitor):
    with pytest.raises(DataError, match=r"values has shape \(2, 3\); expected \(n_areas, 6\), one per indicator"):
        score_index(monitor.spec, np.ones((2, 3)))


def test_an_edition_scored_here_is_the_engine_on_its_levels():
    edition = load_edition("open-2019")
    made = score_index(edition.spec, edition.values)
    known = np.isfinite(edition.total)
    assert made.domain[known] == pytest.approx(edition.domain_scores[known], abs=1e-6)
    assert made.total[known] == pytest.approx(edition.total[known], abs=1e-6)


# The command


def test_the_monitor_is_printed_with_the_columns_it_always_had(monitor):
    rows = rows_of()
    assert list(rows[0]) == [
        *("rank", "area_code", "area_name", "access", "status", "pay", "total", "access_recomputed", "std_error")
    ]
    assert len(rows) == 118
    assert rows[0] == {
        "rank": 1,
        "area_code": "E06000041",
        "area_name": "Wokingham",
        "access": 171.9,
        "status": 200.0,
        "pay": 130.1,
        "total": 502.0,
        "access_recomputed": 171.88,
        "std_error": 22.95,
    }


def test_the_conditions_are_printed_with_the_gap_between_total_and_domains():
    [row] = rows_of("--index", "conditions", "--area", "reading")
    assert (row["total"], row["sum_of_domains"], row["total_minus_sum"]) == (808.2, 766.2, 42.0)
    assert row["rank"] == 3
    title = gwm_scores("--index", "conditions").stdout.splitlines()[0]
    assert title == (
        "Conditions for Good Work, January 2021: score points (domain 3-300, total 12-1200), as published. "
        "Figures of 2018 (growth of gross value added: 2014 to 2016; deprivation: 2019). "
        "No open figures: demand_3, education_3, inequality_2, inequality_3."
    )


def test_scores_are_sorted_from_the_highest_and_ranks_and_names_upwards():
    assert [row["area_name"] for row in rows_of("--sort", "pay")[:2]] == ["Trafford", "Warrington"]
    assert rows_of("--index", "conditions")[0]["area_name"] == "Slough"
    assert rows_of("--sort", "area_name")[0]["area_name"] == "Barnsley"
    found = rows_of("--index", "conditions", "--sort", "inequality_open")
    assert found[0]["inequality_open"] == 100.0 and found[-1]["inequality_open"] == 1.0


def test_words_that_fit_nothing_are_answered_with_the_nearest():
    for words, message in (
        (("--sort", "acess"), "There is no column 'acess' to sort by. Did you mean access"),
        (("--area", "Wokinham"), "There is no area 'Wokinham' in monitor-2021. Did you mean Wokingham?"),
        (("--edition", "open-2019", "--index", "conditions"), "Edition 'open-2019' has no Conditions for Good Work"),
    ):
        found = gwm_scores(*words).exception
        assert isinstance(found, DataError) and message in str(found)
