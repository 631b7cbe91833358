"""`gwm ranks` as an analyst uses it: tables, one area in words, statements, sources, a page, refusals in one line."""

import csv
import io
import json
import re
from pathlib import Path

import made_up_country
import numpy as np
import pytest

from gwm_models.cli import run_command
from gwm_models.cli.ranks_area import distribution_words
from gwm_models.data.user_editions import build_edition
from gwm_models.ranks.change import change_of_ranks
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import read_scenario

QUICK = ("--draws", "400")
FIRST = [
    *("area_code", "area_name", "region_name", "published_score", "published_rank", "shrunk_score"),
    *("estimate", "lower", "upper", "expected_rank", "prob_top_10", "prob_bottom_10", "prob_bottom_fifth"),
]


@pytest.fixture
def gwm(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["gwm", "ranks", *map(str, words)])
        code = run_command()
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def rows(gwm):
    def run(*words):
        quick = () if "sets" in words else QUICK  # sets have no draws to set
        code, out, err = gwm(*quick, *words, "--format", "json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return run


# All areas ----------------------------------------------------------------------------------------------------------


def test_all_areas_have_rank_interval_and_probabilities(gwm, rows):
    found = rows()
    assert len(found) == 118 and [name for name in found[0] if name in FIRST] == FIRST
    for row in found:
        assert 1 <= row["lower"] <= row["estimate"] <= row["upper"] <= 118
        assert sum(row[f"prob_fifth_{k}"] for k in range(1, 6)) == pytest.approx(1)
    code, out, err = gwm(*QUICK, "--format", "csv")
    (first, *_), (names, *_) = csv.DictReader(io.StringIO(out)), csv.reader(io.StringIO(out))
    assert (code, err, list(found[0])) == (0, "", names)
    assert float(first["published_score"]) == found[0]["published_score"]


def test_the_table_says_where_the_uncertainty_comes_from_and_what_is_assumed(gwm):
    code, out, err = gwm(*QUICK)
    assert (code, err) == (0, "")
    assert "posterior ranks of the total (1 is best), 90% intervals" in out
    assert "Uncertainty: sampling error of the indicators." in out
    assert "Assumed: Satisfactory hours has no open figures" in out
    assert len(out.splitlines()) == 1 + 1 + 118 + 1 + 2


def test_prob_is_another_name_of_level(rows):
    assert rows("--prob", "0.5") == rows("--level", "0.5") != rows()


def test_the_rank_of_the_expected_rank_orders_the_areas(rows):
    found = rows()
    expected = np.array([row["expected_rank"] for row in found])
    assert [row["rank_of_expected"] for row in found] == [1 + int((expected < own).sum()) for own in expected]
    assert len({row["rank_of_expected"] for row in found}) > len({row["estimate"] for row in found})


def test_no_probability_counted_over_draws_is_printed_as_certain(gwm):
    for words in ((), ("--compare", "Wokingham", "Blackpool"), ("--bottom-fifth",), ("--to", "open-2018")):
        _, out, _ = gwm(*QUICK, *words)
        _, names, *lines = out.splitlines()
        columns = re.split(r"  +", names.strip())
        for line in lines[: lines.index("")]:
            cells = dict(zip(columns, re.split(r"  +", line.strip()), strict=True))
            probs = [cell for name, cell in cells.items() if name.startswith("prob")]
            assert probs and all(cell.endswith("%") and cell not in ("0%", "100%") for cell in probs)


def test_a_larger_error_of_hours_widens_the_intervals(gwm, rows):
    width = [sum(row["upper"] - row["lower"] for row in rows("--hours-error", points)) for points in (0, 40)]
    assert width[1] > 1.15 * width[0]
    _, out, _ = gwm(*QUICK, "--hours-error", "12.5")
    assert "a sampling error of 12.5 score points in every area for Satisfactory hours" in out


# Confidence sets ----------------------------------------------------------------------------------------------------


def test_sets_are_wider_the_more_they_promise(rows):
    kinds = [(), ("--simultaneous",), ("--simultaneous", "--stepdown")]
    marginal, simultaneous, stepped = (rows("--method", "sets", *kind) for kind in kinds)
    assert len(marginal) == 118 and {"critical", "method", "simultaneous", "stepdown", "side"} <= set(marginal[0])
    for one, all_at_once, narrowed in zip(marginal, simultaneous, stepped, strict=True):
        assert all_at_once["lower"] <= one["lower"] <= one["published_rank"] <= one["upper"] <= all_at_once["upper"]
        assert all_at_once["lower"] <= narrowed["lower"] and narrowed["upper"] <= all_at_once["upper"]
    assert not simultaneous[0]["stepdown"] and stepped[0]["stepdown"] and stepped != simultaneous
    width = [sum(row["upper"] - row["lower"] for row in kind) for kind in (stepped, simultaneous)]
    assert width[0] < width[1]


def test_a_one_sided_set_is_open_at_the_other_end(rows):
    best, worst = (rows("--method", "sets", "--side", side) for side in ("best", "worst"))
    assert {row["upper"] for row in best} == {118} and {row["lower"] for row in worst} == {1}
    assert min(row["lower"] for row in best) == 1 < max(row["lower"] for row in best)


def test_both_kinds_stand_side_by_side_with_the_question_each_answers(gwm, rows):
    found = rows("--method", "both")
    alone = rows("--method", "sets")
    for row, one in zip(found, alone, strict=True):
        assert (row["set_lower"], row["set_upper"]) == (one["lower"], one["upper"])
    assert sum(row["set_upper"] - row["set_lower"] for row in found) > sum(r["upper"] - r["lower"] for r in found)
    code, out, _ = gwm(*QUICK, "--method", "both")
    assert code == 0
    for words in (
        "Interval (estimate, lower, upper): where",
        "Confidence set: which ranks",
        "tied clumps",
        "Mean width",
    ):
        assert sum(words in line for line in out.splitlines()) == 1


def test_sets_alone_say_their_question_and_kind(gwm):
    _, out, _ = gwm("--method", "sets", "--side", "worst", "--area", "Poole")
    assert "marginal, single step, worst rank bounded only; " in out
    assert "if the sampling errors are as stated, each set holds its true rank at least 90% of the time" in out
    assert "Errors stated: normal, and of known size." in out and "28 of 236 rates have none" in out
    assert out.count("no open figures") == 1
    assert "Poole" in out and "Blackpool" not in out


# One area -----------------------------------------------------------------------------------------------------------


def test_one_area_is_told_in_plain_words(gwm):
    code, out, err = gwm("--area", "blackpool", "--draws", "2000")
    assert (code, err) == (0, "")
    head, words, score, *_ = out.splitlines()
    assert head == "Blackpool (North West). Good Work Monitor, January 2021."
    assert words.startswith("  Between ") and words.endswith("9 times in 10; almost surely in the lowest fifth.")
    assert score.startswith("  Published 112th of 118, score 174.3; true score ")
    for part in (
        "Probability of each fifth",
        "cannot be told (at 95%) from",
        "Confidence set (90%; marginal, single step; ",
    ):
        assert part in out
    (picked,) = [line for line in out.splitlines() if "among the 10 worst, and" in line]
    assert "The shrunk score, " in picked and "the 90% interval is " in picked


def test_a_score_corrected_for_selection_is_an_interval_and_the_point_is_the_shrunk_score(gwm, rows):
    (row,) = rows("--area", "Rutland")
    assert row["selected_level"] == 0.9 and "selected_estimate" not in row
    _, out, _ = gwm(*QUICK, "--area", "Rutland")
    (line,) = [line for line in out.splitlines() if "among the 10 best, and" in line]
    assert f"The shrunk score, {row['shrunk_score']:.1f}, allows for that" in line
    assert f"the 90% interval is {row['selected_lower']:.1f} to {row['selected_upper']:.1f}," in line


def test_areas_of_one_survey_unit_are_said_to_have_too_small_an_error(gwm):
    for name in ("Bournemouth", "Poole"):
        _, out, _ = gwm(*QUICK, "--area", name)
        assert out.count("belong to one survey unit") == 1
    for words in (("--area", "Bury"), ("--area", "Poole", "--sources", "method")):
        _, out, _ = gwm(*QUICK, *words)
        assert "belong to one survey unit" not in out


def test_the_set_of_an_area_says_which_kind_it_is(gwm):
    _, out, _ = gwm(*QUICK, "--area", "Poole", "--simultaneous")
    assert "Confidence set (90%; simultaneous, single step; " in out


def test_an_area_in_the_middle_was_not_picked_for_its_place(gwm, rows):
    _, out, _ = gwm(*QUICK, "--area", "Suffolk")
    assert "corrected for the selection" not in out
    (row,) = rows("--area", "Suffolk")
    assert not any(name.startswith("selected_") for name in row)


def test_the_row_of_one_area_holds_what_the_page_says(rows):
    (row,) = rows("--area", "Stoke-on-Trent")
    (same,) = [one for one in rows() if one["area_name"] == "Stoke-on-Trent"]
    assert {name: row[name] for name in same} == same
    assert row["words"].startswith("Between ") and row["set_lower"] <= row["set_upper"]
    assert row["n_alike"] == len(row["alike"].split("; ")) and row["area_code"] not in row["alike"]
    assert row["selected_end"] == "worst" and row["selected_lower"] < row["shrunk_score"] < row["selected_upper"]
    assert row["score_lower"] < row["shrunk_score"] < row["score_upper"]


def test_one_area_has_the_probability_of_every_rank(gwm, rows):
    (row,) = rows("--area", "Blackpool")
    prob = [row[f"prob_rank_{rank}"] for rank in range(1, 119)]
    assert sum(prob) == pytest.approx(1) and "prob_rank_119" not in row
    assert sum(prob[108:]) == pytest.approx(row["prob_bottom_10"])
    assert sum(rank * share for rank, share in enumerate(prob, start=1)) == pytest.approx(row["expected_rank"])
    _, out, _ = gwm(*QUICK, "--area", "Blackpool", "--format", "csv")
    (line,) = csv.DictReader(io.StringIO(out))
    assert [float(line[f"prob_rank_{rank}"]) for rank in range(1, 119)] == prob
    _, out, _ = gwm(*QUICK, "--area", "Blackpool")
    (told,) = [text for text in out.splitlines() if "Of its ranks: " in text]
    assert f"106-110 {100 * sum(prob[105:110]):.0f}%" in told and "; any other under 1%." in told


def test_a_rank_distribution_is_told_in_two_dozen_parts_at_most():
    told = distribution_words(np.full(118, 1 / 118))
    assert told.startswith("1-5 4%, 6-10 4%, ") and told.endswith(", 116-118 3%") and told.count("%") == 24
    assert distribution_words(np.array([1.0])) == "1 over 99%"


# Sources ------------------------------------------------------------------------------------------------------------


def test_sources_together_are_wider_than_apart_and_their_shares_are_said(gwm, rows):
    both = rows("--sources", "both")
    one, other = rows("--sources", "sampling"), rows("--sources", "method")

    def total(table, low="lower", high="upper"):
        return sum(row[high] - row[low] for row in table)

    assert total(both) > max(total(one), total(other))
    assert total(both, "sampling_lower", "sampling_upper") == total(one)
    assert total(both, "method_lower", "method_upper") == total(other)
    assert {row["source"] for row in (*both, *one, *other)} == {"both", "sampling", "method"}
    assert all(row["shrunk_score"] is None for row in other)
    for row in both:
        assert row["share_sampling"] + row["share_method"] + row["share_together"] == pytest.approx(1)
    _, out, _ = gwm(*QUICK, "--sources", "both")
    assert "Of the variance of all ranks" in out and "methods are varied over the other indicators" in out


def test_method_alone_rests_on_no_sampling_error(gwm):
    _, out, _ = gwm(*QUICK, "--sources", "method", "--area", "Blackpool")
    assert "under other methods" in out and "with 9 in 10 of the methods drawn; in the lowest " in out
    assert "percentages are shares of the methods drawn" in out
    for word in (
        "Confidence set",
        "Assumed",
        "corrected",
        "shrunk",
        "times in",
        "surely",
        "robability of each",
        "be told",
    ):
        assert word not in out
    _, out, _ = gwm(*QUICK, "--sources", "method", "--compare", "Wokingham", "Blackpool")
    assert "Wokingham is above Blackpool with over 99% of the methods drawn: " in out and "same figures" not in out


def test_a_difference_that_no_method_can_change_is_said_to_be_one(gwm):
    _, out, _ = gwm(*QUICK, "--sources", "method", "--compare", "Bournemouth", "Poole")
    assert "Bournemouth and Poole have the same figures in every indicator that methods are varied for" in out


# Statements ---------------------------------------------------------------------------------------------------------


def test_two_areas_are_set_against_each_other(gwm, rows):
    score, rank = rows("--compare", "Wokingham", "Blackpool")
    assert (score["quantity"], rank["quantity"]) == ("score", "rank")
    assert score["prob_above"] == 1 and score["lower"] > 0 > rank["upper"]
    back, _ = rows("--compare", "Blackpool", "Wokingham")
    assert back["prob_above"] == 0 and back["estimate"] == pytest.approx(-score["estimate"], abs=1)
    _, out, _ = gwm(*QUICK, "--compare", "Wokingham", "Blackpool")
    assert "Wokingham is above Blackpool with probability over 99%" in out


def test_a_score_that_two_areas_share_is_said_not_to_tell_them_apart(gwm):
    _, out, _ = gwm(*QUICK, "--compare", "Bournemouth", "Poole")
    assert "Bournemouth and Poole carry one figure for access, which cannot tell them apart" in out
    _, out, _ = gwm(*QUICK, "--compare", "Bournemouth", "Poole", "--sources", "method")
    assert "carry one figure" not in out
    _, out, _ = gwm(*QUICK, "--compare", "Bury", "Leeds")
    assert "carry one figure" not in out


def test_a_change_of_rank_is_among_the_areas_of_both_editions(gwm, rows):
    found = rows("--to", "open-2021")
    assert len(found) == 114 and {row["pairing"] for row in found} == {"independent"}
    assert sum(row["expected_change"] for row in found) == pytest.approx(0, abs=1e-9)
    _, out, _ = gwm(*QUICK, "--to", "open-2021", "--area", "Blackpool", "--hours-error", "3")
    for words in ("Only in monitor-2021, and left out before ranking:", "Poole", "not have the same indicators"):
        assert words in out
    assert "two editions are taken as independent" in out and "is shrunk by as much as its own errors ask" in out
    assert "% of the spread of scores in monitor-2021 and " in out
    assert out.count("3 score points in every area") == 1
    (one,) = rows("--to", "open-2021", "--area", "Blackpool")
    assert one in found


def test_the_same_index_in_two_years_is_not_said_to_differ(gwm):
    _, out, _ = gwm(*QUICK, "--edition", "open-2018", "--to", "open-2020")
    assert "same indicators" not in out and "Only in" not in out and "earlier of the two" not in out


def test_a_change_back_in_time_is_said_to_be_one(gwm):
    _, out, _ = gwm(*QUICK, "--to", "open-2017", "--area", "Bury")
    assert "open-2017 is the earlier of the two" in out and "Swap --edition and --to" in out


def test_an_area_with_another_code_in_the_other_edition_is_named_with_both(gwm):
    _, out, _ = gwm(*QUICK, "--to", "open-2021", "--area", "Bury")
    assert "Dorset (E10000009, another code in open-2021)" in out
    assert "Dorset (E06000059, another code in monitor-2021)" in out


def test_one_method_serves_both_editions(gwm, rows):
    found = rows("--edition", "open-2017", "--to", "open-2021", "--sources", "method")
    assert {row["pairing"] for row in found} == {"joint"}
    _, out, _ = gwm(*QUICK, "--edition", "open-2017", "--to", "open-2021", "--sources", "method", "--area", "Bury")
    assert "Each method drawn is applied to both editions." in out and "independent" not in out
    _, out, _ = gwm(*QUICK, "--edition", "open-2017", "--to", "open-2021", "--sources", "both", "--area", "Bury")
    assert "Each method drawn is applied to both editions." in out and "taken as independent" in out


def test_the_bottom_fifth_is_named_at_a_stated_error_rate(gwm, rows):
    few, many = rows("--bottom-fifth", "--error", "0.01"), rows("--bottom-fifth", "--error", "0.2")
    assert 0 < len(few) < len(many)
    assert many[: len(few)] == [row | {"error": 0.2} for row in few]
    assert few[-1]["false_discovery_rate"] <= 0.01 and many[-1]["false_discovery_rate"] <= 0.2
    _, out, _ = gwm(*QUICK, "--bottom-fifth")
    assert "list of areas of which at most 5% are expected not to belong to the bottom fifth" in out
    assert "areas are listed for the bottom fifth (24 of 118)" in out and "surely" not in out


def test_the_bottom_fifth_by_both_kinds_has_every_area_of_either(gwm, rows):
    named, possible = rows("--bottom-fifth"), rows("--bottom-fifth", "--method", "sets")
    both = rows("--bottom-fifth", "--method", "both")
    codes = {row["area_code"] for row in (*named, *possible)}
    assert {row["area_code"] for row in both} == codes and len(both) == len(codes)
    assert sum(row["named"] for row in both) == len(named)
    assert sum(row["possible"] for row in both) == len(possible)
    _, out, _ = gwm(*QUICK, "--bottom-fifth", "--method", "both")
    assert "at 95% confidence" in out and "both lists are right for all areas at once" in out
    assert "are expected not to belong" in out and "If the sampling errors are as stated" in out
    assert "certainly" not in out


# A scenario ---------------------------------------------------------------------------------------------------------

LATE = """\
schema: gwm-scenario/1
id: late
title: Pay rises in one area, after 2028
question: Which ranks change?
source: made up
baseline: {edition: monitor-2021}
horizon: {start: 2026, end: 2030}
actions:
  - id: pay
    indicator: median_pay
    change: {kind: absolute, value: 100, unit: GBP_per_week}
    uncertainty: {low: 50, high: 150, level: 0.9}
    target: {areas: [Blackpool]}
    phasing: {start: 2028, full_by: 2030, shape: linear}
    evidence: {source: made up, grade: assumed}
analysis: {draws: 300, seed: 7}
"""


@pytest.fixture
def late(tmp_path):
    path = tmp_path / "late.yaml"
    path.write_text(LATE, encoding="utf-8")
    return path


def test_the_change_of_rank_that_a_scenario_makes_is_that_of_its_projection(gwm, late):
    code, out, _ = gwm("--scenario", late, "--format", "json")
    found = json.loads(out)
    projection = project(read_scenario(late).scenario)
    change = change_of_ranks(projection.rank_before, projection.rank_after, projection.edition.areas.code)
    assert code == 0 and [
        {name: row[name] for name in one} for row, one in zip(found, change.to_rows(), strict=True)
    ] == (change.to_rows())
    assert {(row["before"], row["after"], row["year"], row["n"]) for row in found} == {("baseline", "late", 2030, 300)}
    (blackpool,) = [row for row in found if row["area_name"] == "Blackpool"]
    assert blackpool["prob_improves"] > 0.9 and blackpool["upper"] < 0
    assert all(row["prob_improves"] == 0 for row in found if row is not blackpool)
    assert sum(row["expected_change"] for row in found) == pytest.approx(0, abs=1e-9)


def test_no_rank_changes_before_a_scenario_starts(gwm, late):
    moved = []
    for year in (2028, 2029, 2030):
        _, out, _ = gwm("--scenario", late, "--year", year, "--area", "blackpool", "--format", "json")
        (row,) = json.loads(out)
        moved.append(row["expected_change"])
    assert moved[0] == 0 > moved[1] > moved[2]


def test_a_scenario_is_told_in_words_and_takes_other_draws(gwm, late):
    code, out, err = gwm("--scenario", late, "--draws", "200", "--seed", "3", "--area", "Blackpool")
    assert code == 0 and "high: 150 GBP_per_week is unusual" in err
    assert "Change of rank by 2030, baseline to late (negative is better), 90% intervals" in out
    assert "200 joint draws, seed 3:" in out and "--hours-error" not in out
    assert "With a probability above 50%, 1 area would gain places and " in out


# Editions of one's own -----------------------------------------------------------------------------------------------


@pytest.fixture
def land(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build_edition(made_up_country.country(tmp_path / "land").relative_to(tmp_path), Path("made"))
    return "made"


def test_an_edition_of_ones_own_gets_every_answer(gwm, land):
    for words in ([], ["--area", "Town 1"], ["--method", "both"], ["--sources", "both"], ["--bottom-fifth"]):
        code, out, err = gwm(*QUICK, "--edition", land, *words)
        assert (code, err) == (0, "") and "Town 1" in out
        assert "Monitor" not in out and "Assumed" not in out


def test_a_page_of_ones_own_edition_claims_no_official_figures(gwm, land, tmp_path):
    for edition in (land, "open-2021"):
        assert gwm(*QUICK, "--edition", edition, "--plot", f"{edition}.html")[0] == 0
        text = (tmp_path / f"{edition}.html").read_text(encoding="utf-8")
        assert ("Crown copyright" in text) == (edition != land) and "Good Work Monitor" not in text


def test_editions_that_share_no_area_cannot_be_compared(gwm, land):
    code, out, err = gwm(*QUICK, "--edition", land, "--to", "open-2021")
    assert (code, out, err.count("\n")) == (1, "", 1) and "cannot be matched" in err


# The page -----------------------------------------------------------------------------------------------------------


def test_the_page_has_the_charts_of_the_table_printed(gwm, tmp_path):
    code, out, err = gwm(*QUICK, "--area", "Blackpool", "--method", "both", "--plot", "page.html")
    assert (code, err) == (0, "") and out.endswith("Page: page.html\n")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    for words in ("Blackpool: its rank", 'data-chart="one-1"', 'data-chart="heat-2"', "Confidence set"):
        assert words in text


def test_the_page_leaves_json_alone(gwm, tmp_path):
    code, out, _ = gwm(*QUICK, "--plot", "page.html", "--format", "json")
    assert code == 0 and len(json.loads(out)) == 118 and (tmp_path / "page.html").exists()


# Refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--simultaneous"], "--simultaneous, --stepdown and --side shape confidence sets: add --method sets or both."),
        (["--side", "best", "--compare", "Bury", "Leeds"], "--side shape confidence sets"),
        (["--method", "sets", "--sources", "both"], "confidence sets know sampling error only"),
        (["--sources", "method", "--hours-error", "3"], "--sources method has no sampling error"),
        (["--compare", "Bury", "Leeds", "--to", "open-2021"], "--compare and --to are 2 questions"),
        (["--area", "Bury", "--bottom-fifth"], "--area does not go with --bottom-fifth"),
        (["--error", "0.1"], "--error is the error rate of --bottom-fifth"),
        (["--bottom-fifth", "--method", "sets", "--simultaneous"], "--bottom-fifth is one statement about all areas"),
        (["--compare", "Bury", "Leeds", "--method", "both"], "--compare is answered on draws"),
        (["--method", "sets", "--plot", "a.html"], "--plot does not go with --method sets"),
        (["--scenario", "late", "--to", "open-2021"], "--to and --scenario are 2 questions"),
        (["--scenario", "jobs-shock-2009", "--year", "2050"], "--year 2050 is not a year of jobs-shock-2009: it runs"),
        (["--scenario", "jobs-shock-2009", "--edition", "open-2021"], "--edition open-2021 is not the edition of jobs"),
        (["--scenario", "jobs-shock-2009", "--hours-error", "3"], "leave --sources and --hours-error out"),
        (["--scenario", "jobs-shock-2009", "--method", "sets"], "--scenario is answered on draws"),
        (["--scenario", "jobs-shok-2009"], "no such file, nor a shipped scenario"),
        (["--year", "2030"], "--year is a year of --scenario"),
        (["--to", "open-2021", "--plot", "a.html"], "--plot does not go with --to"),
        (["--compare", "Bury", "Burry"], "There is no area 'Burry' in monitor-2021. Did you mean"),
        (["--compare", "Bury", "bury"], "--compare needs two different areas; got Bury twice."),
        (["--to", "monitor-2021"], "--to names the edition that is changed from (monitor-2021)"),
        (["--to", "open-2021", "--area", "Poole"], "Poole is not an area of open-2021, which has Bournemouth, Chr"),
        (["--to", "open-2021", "--area", "Dorset"], "which has Dorset (E06000059): another code"),
        (["--edition", "open-2017", "--to", "open-2021", "--area", "Poole"], "only open-2021 has Bournemouth, Christ"),
        (["--to", "open-2021", "--area", "Blackpol"], "Did you mean Blackpool?"),
        (["--bottom-fifth", "--level", "0.99"], "--bottom-fifth is held to an error rate, not a level: use --error."),
        (["--method", "sets", "--draws", "100", "--seed", "7"], "confidence sets do not use --draws and --seed"),
        (["--area", "Poole", "--sources", "method", "--simultaneous"], "--sources method has no confidence sets"),
        (["--plot", "missing/page.html"], "there is no folder missing"),
        (["--edition", "open-2021", "--hours-error", "3"], "open-2021: no sampling error is assumed there"),
        (["--area", "Blackpol"], "Did you mean Blackpool?"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(gwm, tmp_path, words, message):
    code, out, err = gwm(*(() if "sets" in words else QUICK), *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert message in err and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--level", "0.05"], ["--prob", "1"], ["--hours-error", "-1"], ["--error", "0.9"]])
def test_a_number_out_of_range_names_its_option(gwm, words):
    code, out, err = gwm(*words)
    assert (code, out) == (1, "") and words[0] in err and "Traceback" not in err
