"""Scores over the years, and who moved: by hand, by law, by simulation, on the command line."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import typer
from scipy.stats import false_discovery_control, norm
from typer.testing import CliRunner

from gwm_models.cli.index_series import series as series_command
from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError
from gwm_models.index.sampling import sampling_error
from gwm_models.index.series import benjamini_hochberg, critical, index_series, movers, series_notes, series_title

YORK = "E06000014"


@pytest.fixture(scope="module")
def totals():
    return index_series()


def made(estimate, std_error):
    """Return a series of two years of the first few units, with these scores."""
    base = index_series(by="access", first=2018, last=2019)
    n = len(estimate[0])
    few = replace(base.areas, code=base.areas.code[:n], name=base.areas.name[:n], region=base.areas.region[:n])
    gaps = np.full((2, n), np.nan)
    return replace(base, areas=few, estimate=np.array(estimate), std_error=np.array(std_error), value=gaps)


def test_scores_and_errors_of_a_year_are_those_of_its_edition(totals):
    for year in (2018, 2019, 2020):
        edition, t = load_edition(f"open-{year}"), totals.years.index(year)
        assert totals.areas.code == edition.areas.code
        assert totals.estimate[t] == pytest.approx(edition.total, abs=1e-12)
        assert totals.std_error[t] == pytest.approx(sampling_error(edition).total_std_error, abs=1e-9)


def test_parts_of_a_score_sum_to_it_and_their_errors_are_smaller(totals):
    parts = [index_series(by=name) for name in ("access", "status", "pay")]
    assert np.sum([part.estimate for part in parts], axis=0) == pytest.approx(totals.estimate, nan_ok=True, abs=1e-9)
    square = np.sum([part.std_error**2 for part in parts], axis=0)
    assert np.sqrt(square) == pytest.approx(totals.std_error, nan_ok=True, abs=1e-9)


def test_an_indicator_comes_with_its_level_and_a_unit_of_it_is_worth_the_same_in_every_year():
    rate = index_series(by="unemployment_rate")
    assert rate.estimate == pytest.approx(1 + 99 * (11.5 - rate.value) / 10.43, abs=1e-9)
    assert "value" in rate.rows()[0]
    assert "value" not in index_series(by="access").rows()[0]


def test_a_missing_figure_leaves_only_the_scores_that_need_it_empty(totals):
    gaps = [(totals.years[t], totals.areas.name[i]) for t, i in np.argwhere(np.isnan(totals.estimate))]
    assert gaps == [(2017, "Bournemouth, Christchurch and Poole"), (2021, "Northamptonshire")]
    assert np.isnan(totals.std_error).sum() == 2
    assert np.isfinite(index_series(by="access").estimate).all()
    assert "Northamptonshire has no figure for 2021." in series_notes(totals)
    assert {row["n"] for row in totals.rows() if row["year"] == 2017} == {116}


def test_movers_are_those_worked_by_hand():
    # Changes 20, -8, 1 with errors 5, 4 and 1 (3-4-5 triangles and zero): z = 4, -2, 1.
    found = movers(made([[100.0, 100, 100], [120.0, 92, 101]], [[3.0, 0, 1], [4.0, 4, 0]]))
    assert found.estimate.tolist() == [20, -8, 1]
    assert found.std_error.tolist() == [5, 4, 1]
    assert found.lower == pytest.approx([20 - 9.79982, -8 - 7.83986, 1 - 1.95996], abs=1e-4)
    assert found.upper == pytest.approx([20 + 9.79982, -8 + 7.83986, 1 + 1.95996], abs=1e-4)
    assert found.prob_rise == pytest.approx([0.999968, 0.022750, 0.841345], abs=1e-6)
    assert found.q_value == pytest.approx([3 * 0.0000633425, 3 / 2 * 0.0455003, 0.3173105], abs=1e-6)
    assert found.verdict == ("rose", "within sampling error", "within sampling error")
    assert found.relative == pytest.approx([20 - 13 / 3, -8 - 13 / 3, 1 - 13 / 3])
    assert [row["estimate"] for row in found.rows()] == [20, 1, -8]


def test_years_the_other_way_round_turn_rises_into_falls():
    there = made([[50.0, 80], [90.0, 20]], [[4.0, 5], [3.0, 6]])
    back = replace(there, estimate=there.estimate[::-1], std_error=there.std_error[::-1])
    one, two = movers(there), movers(back)
    assert one.verdict == ("rose", "fell")
    assert two.verdict == ("fell", "rose")
    assert two.lower == pytest.approx(-one.upper)
    assert two.prob_rise == pytest.approx(1 - one.prob_rise)


def test_a_missing_figure_has_no_verdict_and_is_not_counted():
    found = movers(made([[50.0, np.nan], [90.0, 20]], [[4.0, np.nan], [3.0, 6]]))
    assert found.verdict == ("rose", "no figure")
    assert found.n == 1
    assert found.rows()[-1]["verdict"] == "no figure"


def test_q_values_are_those_of_scipy():
    p = np.random.default_rng(1).random(200) ** 3
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p), rel=1e-12)


def test_without_any_true_change_one_interval_in_twenty_leaves_out_zero_and_almost_nobody_moves():
    rng = np.random.default_rng(5)
    base = index_series(by="access", first=2018, last=2019)
    outside, any_found = [], []
    for _ in range(200):
        noisy = replace(base, estimate=100 + base.std_error * rng.standard_normal(base.estimate.shape))
        found = movers(noisy)
        outside.append(((found.lower > 0) | (found.upper < 0)).mean())
        any_found.append(found.verdict.count("rose") + found.verdict.count("fell") > 0)
    assert np.mean(outside) == pytest.approx(0.05, abs=0.006)  # 23,400 intervals: standard error 0.0014
    assert np.mean(any_found) < 0.05 + 3 * 0.0155  # 200 runs


@pytest.mark.parametrize(
    ("first", "last", "broken"), [(2017, 2019, False), (2019, 2020, True), (2020, 2021, False), (2017, 2021, True)]
)
def test_a_change_across_2019_and_2020_is_flagged(first, last, broken):
    found = movers(index_series(by="access", first=first, last=last))
    assert found.across_break is broken
    assert all(row["across_break"] is broken for row in found.rows())
    assert any("THE FIGURES BREAK" in note for note in found.notes()) is broken


def test_few_areas_move_beyond_sampling_error_between_2017_and_2021(totals):
    found = movers(totals)
    assert (found.n, found.verdict.count("rose"), found.verdict.count("fell")) == (115, 1, 0)
    assert "1 rose and 0 fell beyond sampling error, of 115 areas" in found.notes()[0]
    assert "too wide, not too narrow" in found.notes()[1]


def test_the_title_says_unit_period_what_is_missing_and_the_break(totals):
    assert series_title(totals, level=0.9) == (
        "Open editions 2017 to 2021: total, score points (5-500) on bounds frozen over 2017 to 2021, 90% intervals of "
        "sampling error; satisfactory hours missing; survey changed method in 2020; pay of 2020 and 2021 includes "
        "furlough pay"
    )
    assert "pay, score points (1-100)" in series_title(index_series(by="pay"), level=0.9)
    assert critical(0.9) == pytest.approx(norm.ppf(0.95), abs=1e-12)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"by": "acess"}, "The open editions have no 'acess'. Did you mean access?"),
        ({"by": "satisfactory_hours"}, "The open editions have no 'satisfactory_hours'."),
        ({"first": 2016}, "There is no open edition of 2016; expected 2017 to 2021."),
        ({"first": 2020, "last": 2018}, r"The first year \(2020\) must not come after the last \(2018\)."),
    ],
)
def test_what_cannot_be_had_is_refused_with_a_reason(words, message):
    with pytest.raises(DataError, match=f"^{message}"):
        index_series(**words)


def test_one_year_has_no_movers_and_levels_lie_between_0_and_1(totals):
    with pytest.raises(DataError, match=r"^A change needs two years; the series has 2019 only.$"):
        movers(index_series(first=2019, last=2019))
    with pytest.raises(ValueError, match="level must lie between 0 and 1; got 95"):
        movers(totals, level=95)


def test_arrays_of_a_series_cannot_be_written_to(totals):
    with pytest.raises(ValueError, match="read-only"):
        totals.estimate[0, 0] = 0


def run(*words):
    app = typer.Typer()
    app.command()(series_command)
    return CliRunner().invoke(app, [*words])


def test_the_command_prints_both_tables_with_the_break_in_the_title():
    result = run("--area", "york", "--by", "access")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Open editions 2017 to 2021: access, score points (2-200)")
    assert sum(line.startswith(YORK) for line in lines) == 5
    assert any(line.startswith("Change 2017 to 2021; ACROSS THE BREAK OF 2020") for line in lines)


def test_the_command_writes_json_and_csv_for_all_areas():
    found = json.loads(run("--format", "json", "--to", "2019").stdout)
    assert list(found) == ["title", "scores", "movers", "notes"]
    assert (len(found["scores"]), len(found["movers"])) == (3 * 117, 117)
    assert list(found["scores"][0])[5:] == ["estimate", "std_error", "lower", "upper", "n", "level"]
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv", "--show", "movers").stdout)))
    assert len(rows) == 117
    assert {row["across_break"] for row in rows} == {"true"}
    assert len(list(csv.DictReader(io.StringIO(run("--format", "csv").stdout)))) == 5 * 117


def test_the_command_refuses_an_area_that_is_not_a_unit():
    result = run("--area", "Bournemouth")
    assert isinstance(result.exception, DataError)
    assert str(result.exception).startswith("There is no area 'Bournemouth' in the open editions")
