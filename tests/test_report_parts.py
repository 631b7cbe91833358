"""What pages show beyond the numbers of a folder: tenths, limits that cut, areas of a comparison, ranks as a whole."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_fixture import COMPARED, DRAWS, asked

from gwm_models.plots.boundaries import Boundaries
from gwm_models.plots.tenths import tenth_charts
from gwm_models.report.comparison import comparison_html, summarise_comparison
from gwm_models.report.comparison_areas import MOST, area_table, comparison_map, study
from gwm_models.report.comparison_tables import leading_words, overview_table
from gwm_models.report.limits import LEVEL, SCALE, limit_rows, limit_table
from gwm_models.report.page import report_html
from gwm_models.report.ranks import whole_words
from gwm_models.report.run_part import run_part, tenth_edges, tenth_rows
from gwm_models.report.shell import marked
from gwm_models.scenarios.compare import compare
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.rows import area_rows
from gwm_models.scenarios.summary import summarise
from gwm_models.scenarios.versions import plain_content, version_of

DRIVE = COMPARED[0]


@pytest.fixture(scope="module")
def drive():
    return project(asked(DRIVE), variance=False)


def with_change(value: float, **more):
    """Return the drive with another size of its change, certain and the same in all areas."""
    content = plain_content(asked(DRIVE))
    action = content["actions"][0]
    action["change"]["value"] = value
    action.pop("uncertainty")
    action.pop("spillover")
    return version_of(content | more, {})


# Tenths


@given(st.integers(20, 2000))
def test_tenths_hold_every_area_once_and_are_alike_from_either_end(n):
    edges = tenth_edges(n)
    sizes = np.diff(edges)
    assert edges[0] == 0 and edges[-1] == n and len(sizes) == 10
    assert (sizes > 0).all() and np.ptp(sizes) <= 2
    assert sizes[:4].tolist() == sizes[:5:-1].tolist()
    assert sizes[0] == max(1, round(n / 10))


def test_the_ends_of_the_tenths_are_the_gap_that_the_summary_gives(drive):
    rows = {(row["state"], row["tenth"]): row for row in tenth_rows(drive, 0.9)}
    gap = {row["state"]: row for row in summarise(drive)["inequality"] if row["measure"] == "gap_10_10"}
    for state in ("baseline", "scenario", "difference"):
        best, worst = rows[state, 10], rows[state, 1]
        assert best["estimate"] - worst["estimate"] == pytest.approx(gap[state]["estimate"], abs=2e-6)
    # The middle tenth, worked out once more by sorting: places 48 to 59 of 118.
    fifth = np.sort(drive.total_before, axis=1)[:, 47:59].mean(axis=1)
    assert rows["baseline", 5]["estimate"] == pytest.approx(fifth.mean(), abs=1e-6)
    assert rows["baseline", 5]["upper"] == pytest.approx(np.quantile(fifth, 0.95), abs=1e-6)


def test_tenths_are_drawn_best_first_with_their_difference_and_not_where_nothing_changes(drive):
    levels, change = tenth_charts(tenth_rows(drive, 0.9))
    assert [value["name"] for value in change["data"]["values"]][::9] == ["Best tenth", "Worst tenth"]
    assert len(levels["data"]["values"]) == 20
    assert "in the best" in levels["description"] and "in the worst" in change["description"]
    nothing = project(version_of(plain_content(asked(DRIVE)) | {"actions": []}, {}), variance=False)
    assert tenth_charts(tenth_rows(nothing, 0.9)) == []
    assert tenth_charts([]) == []


# Limits


def test_a_change_beyond_every_limit_is_cut_in_all_draws_and_areas():
    action, domain = limit_rows(project(with_change(95.0), variance=False))
    assert action == {
        "name": "Economic activity rate, ages 16-64",
        "action": "participation",
        "limit": LEVEL,
        "n_areas": 20,
        "n_cut": 20,
        "share": 1.0,
        "most": 1.0,
    }
    assert (domain["limit"], domain["action"], domain["n_areas"]) == (SCALE, None, 20)
    table = limit_table([action, domain])
    assert [cell.text for cell in table.rows[0]][:5] == [action["name"], LEVEL, "20", "20", "100%"]


def test_shares_of_cut_changes_are_counted_over_draws_and_areas():
    projection = project(with_change(35.0), variance=False)
    row = limit_rows(projection)[0]
    cut = projection.clamped[0][:, projection.treated]
    assert 0 < row["share"] < 1
    assert row["share"] == pytest.approx(cut.sum() / cut.size)
    assert row["most"] == pytest.approx(max(cut[:, i].sum() / DRAWS for i in range(20)))
    assert row["n_cut"] == sum(bool(cut[:, i].any()) for i in range(20))


def test_where_no_limit_cuts_the_page_says_so():
    projection = project(with_change(0.1), variance=False)
    assert [row["n_cut"] for row in limit_rows(projection)] == [0, 0]
    assert limit_table(limit_rows(projection)) is None
    page = report_html(summarise(projection) | run_part(projection), [], {})
    assert "No limit cut any change, in any draw or area." in page


# Comparisons


@pytest.fixture(scope="module")
def compared():
    return compare([asked(name) for name in COMPARED])


def test_areas_of_a_comparison_are_those_of_its_scenarios_on_common_draws(compared):
    areas = study(compared).areas
    first, second = (project(asked(name), variance=False) for name in COMPARED)
    apart = second.change - first.change
    head = [row for row in areas if row["other"] == COMPARED[0]]
    assert len(areas) == 3 * 118 and len(head) == 118
    for i in (0, 50, 117):
        assert head[i]["area_code"] == compared.edition.areas.code[i]
        assert head[i]["estimate"] == pytest.approx(apart[:, i].mean(), abs=1e-6)
        assert head[i]["lower"] == pytest.approx(np.quantile(apart[:, i], 0.05), abs=1e-6)
        better = ((apart[:, i] > 0) + 0.5 * (apart[:, i] == 0)).mean()
        assert head[i]["prob_better"] == pytest.approx(better)


def test_two_scenarios_get_a_map_of_their_difference_and_one_a_map_of_its_change(compared):
    names = {"nothing": "Nothing", COMPARED[0]: "The drive", COMPARED[1]: "The gap"}
    heading, specs = comparison_map(study(compared).areas, "nothing", names)
    assert heading == "The gap minus The drive" and len(specs) == 1
    alone = compare([asked(DRIVE)])
    heading, specs = comparison_map(study(alone).areas, "nothing", names)
    assert heading == "Change under The drive" and len(specs) == 1


def test_many_scenarios_get_neither_a_map_nor_a_column_each():
    many = compare([asked(DRIVE)] * (MOST + 1))
    areas, names = study(many).areas, {label: label for label in many.labels}
    assert comparison_map(areas, "nothing", names) == ("", [])
    assert area_table(areas, "nothing", names) is None
    summary = summarise_comparison(many)
    table = overview_table(summary, names, MOST)
    assert [column.title for column in table.columns] == ["Measure", "Leads", "Chance that it is best"]
    assert leading_words(summary, names, MOST) == ""
    assert '<section id="areas"' not in comparison_html(summary, {}, areas)


def test_the_table_at_a_glance_has_every_measure_and_who_leads(compared):
    summary = summarise_comparison(compared)
    names = {label: label for label in compared.labels}
    table = overview_table(summary, names, MOST)
    assert len(table.rows) == len(summary["verdicts"])
    for line, verdict in zip(table.rows, summary["verdicts"], strict=True):
        league = {row["scenario"]: row for row in summary["league"] if row["measure"] == verdict["measure"]}
        assert [cell.sort for cell in line[1:3]] == [league[name]["estimate"] for name in COMPARED]
        assert line[3].text == verdict["leader"]
        assert line[4].sort == league[verdict["leader"]]["prob_best"]
    words = leading_words(summary, names, MOST)
    assert all(name in words for name in COMPARED) and "90% interval" in words


# Ranks and words


def test_the_headline_of_ranks_counts_areas_at_either_end():
    fifths = [(0.99, 0.0), (0.95, 0.01), (0.3, 0.1), (0.0, 0.96), (0.0, 0.94)]
    rows = [
        {"level": 0.9, "lower": 1, "upper": 1 + width, "prob_fifth_1": top, "prob_fifth_5": low}
        for width, (top, low) in enumerate(fifths)
    ]
    assert whole_words(rows) == (
        "The 90% interval of a rank is 3 places wide for the middle area of 5; 2 areas are in the best fifth and 1 in "
        "the worst with a probability of 95% or more."
    )


@given(st.text())
def test_marked_words_never_hold_an_element_but_code(text):
    bare = str(marked(text)).replace("<code>", "").replace("</code>", "")
    assert "<" not in bare and ">" not in bare


# Boundaries


def test_true_shapes_are_drawn_in_every_page_with_a_map_where_they_are_given(drive, compared):
    corners = [[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]]
    found = {
        code: {"type": "Polygon", "coordinates": [[[x + 10 * i, y] for x, y in corners]]}
        for i, code in enumerate(drive.edition.areas.code)
    }
    shapes = Boundaries(found, width=1180, height=10, notes=("Coordinates were made up.",))
    rows = area_rows(drive, 0.9)
    pages = {
        "tiles": report_html(summarise(drive), rows, {}),
        "run": report_html(summarise(drive), rows, {}, boundaries=shapes),
        "comparison": comparison_html(summarise_comparison(compared), {}, study(compared).areas, boundaries=shapes),
    }
    drawn = {kind: json.loads(re.search(r'id="specs">(.*?)</script>', page, re.S)[1]) for kind, page in pages.items()}
    kinds = {kind: "geoshape" in json.dumps(specs["map-1"]) for kind, specs in drawn.items()}
    assert kinds == {"tiles": False, "run": True, "comparison": True}
    assert "Every area has its own shape." in pages["run"] and "Every area has one tile" in pages["tiles"]
    assert {kind: "<p>Coordinates were made up.</p>" in page for kind, page in pages.items()} == kinds
