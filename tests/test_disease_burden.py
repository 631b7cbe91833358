"""The printed table of disease burden: what follows from it, and what cannot be known."""

import csv

import numpy as np
import pytest
from scipy import stats

from gwm_models.data.edition import load_edition
from gwm_models.data.tables import Table, read_table
from gwm_models.models.association.disease_burden import SPECS, published_rows, sample_size_rows
from gwm_models.models.outcomes import OUTCOMES, TOPICS, find_subject


@pytest.fixture(scope="module")
def rows():
    return published_rows()


@pytest.fixture(scope="module")
def fit():
    return SPECS[0].make(load_edition(), find_subject("disease_burden"), n_draws=10, seed=1)


def test_the_first_row_by_hand(rows):
    first = rows[0]
    assert first["term"] == "Chronic obstructive pulmonary disease"
    r = -8.12 / np.sqrt(116 + 8.12**2)
    assert first["estimate"] == pytest.approx(r, abs=1e-12)
    assert first["r_squared"] == pytest.approx(8.12**2 / (116 + 8.12**2), abs=1e-12)
    bounds = np.tanh(np.arctanh(r) + np.array([-1, 1]) * stats.norm.isf(0.025) / np.sqrt(115))
    assert [first["lower"], first["upper"]] == pytest.approx([*bounds], abs=1e-12)
    assert first["p_value"] == pytest.approx(2 * stats.t.sf(8.12, 116), rel=1e-10)


def test_all_printed_values_follow_from_the_printed_t_over_118_areas_and_no_other_number(rows):
    assert len(rows) == 15
    assert all(row["r_agrees"] and row["r_squared_agrees"] for row in rows)
    sizes = sample_size_rows()
    assert [row["n"] for row in sizes if row["r_agree"] == 15] == [118]
    assert [row["n"] for row in sizes if row["r_possible"] == 15] == [118]
    assert [row["r_agree"] for row in sizes] == [10, 11, 13, 15, 14]


def test_a_printed_value_that_does_not_follow_is_found():
    table = read_table("disease_correlations")
    wrong = table["pearson_r"].copy()
    wrong[2] = -0.59
    changed = Table("changed", {**table.columns, "pearson_r": wrong})
    assert [row["r_agree"] for row in sample_size_rows(changed)] == [9, 10, 12, 14, 13]
    assert max(row["r_possible"] for row in sample_size_rows(changed)) == 14


def test_q_values_are_those_of_benjamini_and_hochberg(rows):
    p = [row["p_value"] for row in rows]
    assert [row["q_value"] for row in rows] == pytest.approx([*stats.false_discovery_control(p)], rel=1e-10)
    assert sum(row["q_value"] <= 0.05 for row in rows) == 11
    assert sum(row["p_value"] <= 0.05 for row in rows) == 12


def test_robustness_values_are_the_known_ones(rows, known):
    with (known / "sensemakr_fig9_reference.csv").open(encoding="utf-8") as file:
        reference = list(csv.DictReader(file))
    for ours, theirs in zip(rows, reference, strict=True):
        assert ours["t_statistic"] == float(theirs["report_t"])
        assert ours["partial_r2"] == pytest.approx(float(theirs["partial_r2"]), abs=1e-12)
        assert ours["robustness_value"] == pytest.approx(float(theirs["RV_q1"]), abs=1e-12)
        assert ours["robustness_value_5pc"] == pytest.approx(float(theirs["RV_q1_alpha05"]), abs=1e-10)


def test_e_values_grow_with_the_correlation_and_are_one_where_chance_is_enough(rows):
    r = np.array([abs(row["estimate"]) for row in rows])
    e = np.array([row["e_value_approximate"] for row in rows])
    assert (np.diff(e[np.argsort(r)]) > 0).all()
    for row in rows:
        assert (row["e_value_limit_approximate"] == 1) == (row["lower"] < 0 < row["upper"])
    ratio = np.exp(-0.91 * rows[0]["estimate"])
    assert e[0] == pytest.approx(ratio + np.sqrt(ratio * (ratio - 1)), rel=1e-12)


def test_the_fit_does_not_pretend_to_hold_the_figures(fit):
    assert fit.sample == ()
    assert fit.n == 118
    assert fit.draws is None
    assert fit.influence is None
    assert "not open" in fit.found
    assert "not against its data" in fit.not_shown
    assert np.isnan(fit.cov[0, 1])
    assert np.sqrt(fit.cov[0, 0]) == pytest.approx((1 - fit.estimate[0] ** 2) / np.sqrt(115))
    assert fit.diagnostics["n_that_all_rows_agree_with"] == "118"
    assert fit.source == "Institute for the Future of Work: The Good Work Monitor"


def test_only_the_topic_of_disease_burden_has_the_printed_table(fit):
    assert [one.id for one in (*OUTCOMES, *TOPICS) if SPECS[0].applies(one)] == ["disease_burden"]
    assert fit.term == tuple(row["term"] for row in fit.tables["published"])
    assert "over 118 areas, whose figures are not open" in fit.found
    assert "11 of 15 diseases" in fit.found
