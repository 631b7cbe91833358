"""The report of a run: its numbers in words, its charts as specs, and the page as one safe file."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_fixture import made_up_run

from gwm_models import plots
from gwm_models import report as report_room
from gwm_models.errors import OutputError
from gwm_models.plots.words import interval, number
from gwm_models.report import report_html, write_report
from gwm_models.report.keyfigures import key_figures

ASSETS = Path(report_room.__file__).parent / "assets"
NASTY = "</script><script>alert(1)</script> \"quoted\" & 'single' <b>bold</b> 🙂 =cmd()"
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """A page as a flat list of elements, checked for tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.wrong: list[str] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def run():
    return made_up_run()


@pytest.fixture(scope="module")
def page(run):
    return report_html(*run)


def specs_of(page: str) -> dict[str, dict]:
    found = re.search(r'<script type="application/json" id="specs">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


# Words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "places", "sign", "words"),
    [
        (-0.04, 1, False, "0.0"),
        (-0.05001, 1, True, "−0.1"),
        (0.0, 2, True, "0.00"),
        (12345.678, 1, False, "12,345.7"),
        (float("nan"), 1, False, "–"),
        (None, 0, True, "–"),
    ],
)
def test_a_number_is_written_as_a_reader_expects(value, places, sign, words):
    assert number(value, places, sign=sign) == words


def test_an_interval_is_written_a_to_b_and_an_absent_one_is_left_out():
    assert interval(-3, 4, 0) == "−3 to 4"
    assert interval(None, 4, 0) == ""
    assert interval(1.0, float("nan"), 0) == ""


# Specs ------------------------------------------------------------------------------------------------------------


def test_making_charts_leaves_the_rows_as_they_were(run):
    summary, areas, _ = run
    before = copy.deepcopy((summary, areas))
    for specs in (
        plots.caterpillar(areas),
        plots.before_after(areas),
        plots.change_over_years(summary["path"]),
        plots.health_lines(summary["health"]),
        plots.variance_layers(summary["variance"]),
    ):
        assert specs
        json.dumps(specs, allow_nan=False)
    assert (summary, areas) == before


def test_the_caterpillar_shows_every_area_once_and_the_scenario_for_targets_only(run):
    (spec,) = plots.caterpillar(run[1])
    values = spec["data"]["values"]
    assert [value["code"] for value in values if value["kind"] in ("other", "target")] == spec["encoding"]["y"][
        "scale"
    ]["domain"]
    assert {value["code"] for value in values if value["kind"] == "scenario"} == {
        row["area_code"] for row in run[1] if row["treated"]
    }


def test_the_caterpillar_of_many_areas_is_shared_out_over_charts_on_one_scale():
    specs = plots.caterpillar(made_up_run(118, 20)[1])
    assert [len(spec["encoding"]["y"]["scale"]["domain"]) for spec in specs] == [59, 59]
    assert {tuple(spec["encoding"]["x"]["scale"]["domain"]) for spec in specs} == {(0.5, 118.5)}


def test_the_dumbbell_is_sorted_by_the_score_before(run):
    (spec,) = plots.before_after(run[1])
    before = [value["estimate"] for value in spec["data"]["values"] if value["kind"] == "baseline"]
    assert len(before) == 6
    assert before == sorted(before, reverse=True)


def test_charts_of_health_share_one_scale_that_holds_zero(run):
    specs = plots.health_lines(run[0]["health"])
    domains = {tuple(spec["encoding"]["x"]["scale"]["domain"]) for spec in specs}
    assert len(specs) == 2
    assert len(domains) == 1
    assert min(min(domain) for domain in domains) == 0


@pytest.mark.parametrize("rows", [[], None])
def test_nothing_to_draw_gives_no_chart(rows):
    rows = made_up_run(n_treated=0)[0]["path"] if rows is None else rows
    assert plots.caterpillar([]) == plots.before_after([]) == plots.change_over_years(rows) == []
    assert plots.health_lines([]) == plots.variance_layers([]) == []


def test_a_health_chart_without_any_change_is_not_drawn():
    assert plots.health_lines(made_up_run(n_treated=0)[0]["health"], group="All areas") == []


def test_names_of_areas_are_data_and_never_part_of_an_expression():
    specs = plots.caterpillar(made_up_run(names=["\"'+alert(1)+'\""])[1])
    assert specs and all("alert" in json.dumps(spec["data"]) for spec in specs)
    for spec in specs:
        axis = spec["encoding"]["y"]["axis"]
        assert "alert" not in json.dumps([axis, spec["layer"]])


def test_a_spec_can_be_given_plain_colours(run):
    text = json.dumps(plots.with_colours(plots.before_after(run[1]), "dark"))
    assert "var(" not in text
    assert plots.THEMES["dark"]["after"] in text


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", plots.THEMES.values(), ids=list(plots.THEMES))
def test_colours_have_the_contrast_that_wcag_asks_for(theme):
    for paper in ("paper", "raised"):
        assert min(contrast(theme[name], theme[paper]) for name in ("ink", "soft", "focus")) >= 4.5
    assert contrast(theme["alert"], theme["alert-paper"]) >= 4.5
    assert contrast(theme["ink"], theme["alert-paper"]) >= 4.5
    assert min(contrast(theme[name], theme["paper"]) for name in ("neutral", "before", "after")) >= 3


# Page -------------------------------------------------------------------------------------------------------------


def test_the_vendored_files_are_the_ones_named_in_the_list_of_versions():
    listed = re.findall(r"^\| `([\w.-]+)` \|.*\| (\d+) \| `([0-9a-f]{64})`", (ASSETS / "VERSIONS.md").read_text(), re.M)
    assert [name for name, _, _ in listed] == ["vega.min.js", "vega-lite.min.js"]
    for name, size, digest in listed:
        content = (ASSETS / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (int(size), digest)


def test_tags_of_the_page_match_and_ids_are_unique(page):
    parsed = Page(page)
    assert not parsed.wrong
    assert not parsed.open
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in parsed.elements:
        for name in ("aria-labelledby", "aria-controls"):
            assert set((attributes.get(name) or "").split()) <= set(ids)


def test_the_page_asks_for_nothing_from_outside(page):
    parsed = Page(page)
    for _, attributes in parsed.elements:
        for name in ("src", "href", "srcset", "action", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), attributes
    style = (ASSETS / "report.css").read_text()
    assert "url(" not in style
    assert "@import" not in style
    assert "sourceMappingURL" not in page


def test_the_policy_of_the_page_names_exactly_its_own_scripts(page):
    (policy,) = [each["content"] for each in Page(page).all("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("'sha256-") == page.count("<script>") == 3
    assert "script-src 'unsafe-inline'" not in policy


def test_the_headline_comes_first_and_the_key_figures_have_unit_and_interval(page):
    text = " ".join("".join(part) for part in Page(page).texts["span"])
    assert page.index('class="headline"') < page.index('class="keys"') < page.index("<main")
    assert "By 2035 the 6 areas score 9.6 points more (90% interval 4.9 to 14.3)" in page
    assert "+9.6" in text
    assert "90% interval 4.9\u00a0to\u00a014.3" in text
    assert "£1.23" in text


def test_the_people_under_the_headline_have_an_interval_only_where_their_number_is_unsure():
    row = {"kind": "people", "group": "All areas", "label": "Employed residents", "estimate": 11590.0, "level": 0.9}
    (certain,) = key_figures({"year": 2030, "sums": [row | {"lower": 11590.0, "upper": 11590.0, "std_error": 0.0}]})
    (unsure,) = key_figures({"year": 2030, "sums": [row | {"lower": 9000.0, "upper": 14000.0, "std_error": 1500.0}]})
    assert (certain.text, certain.span) == ("+11,600", "")
    assert unsure.span == "90% interval 9,000\u00a0to\u00a014,000"


def test_every_table_has_a_caption_and_headings_with_scope(page):
    parsed = Page(page)
    assert len(parsed.all("table")) == len(parsed.all("caption")) > 10
    assert all(attributes.get("scope") in ("col", "row", "colgroup") for attributes in parsed.all("th"))


def test_every_chart_has_a_spoken_description_and_the_table_of_its_data(page):
    specs, parsed = specs_of(page), Page(page)
    drawn = [each for each in parsed.all("div") if "data-chart" in each]
    assert [each["data-chart"] for each in drawn] == list(specs)
    assert all(each["role"] == "img" and each["aria-label"] for each in drawn)
    tables = {each["id"] for each in parsed.all("table")}
    assert {f"data-{name}-table" for name in specs} <= tables
    for name, spec in specs.items():
        table = re.search(rf'<table id="data-{name}-table".*?</table>', page, re.S)
        assert table
        assert table[0].count('scope="row"') == len(spec["data"]["values"])


def test_negative_numbers_carry_a_typographic_minus(page):
    assert not re.search(r"<(td|th|small|span)[^>]*>-\d", page)
    assert "−0.00038" in page


def test_an_area_without_a_health_figure_gets_a_dash(page):
    row = re.search(r'<th scope="row"[^>]*>Coldwater</th>.*?</tr>', page[page.index('id="areas-table"') :], re.S)
    assert row
    assert row[0].count(">–</td>") >= 6


@pytest.mark.parametrize("place", ["title", "question", "area", "warning", "evidence", "manifest", "source"])
def test_text_from_a_file_is_shown_as_text(place):
    names = [NASTY] if place == "area" else ["Ashby", "Birchwood"]
    summary, areas, manifest = made_up_run(names=names)
    if place in ("title", "question"):
        summary["scenario"][place] = NASTY
    elif place == "warning":
        summary["warnings"] = [NASTY]
    elif place == "evidence":
        summary["actions"][0]["evidence"]["source"] = NASTY
    elif place == "manifest":
        manifest["command"] = NASTY
    elif place == "source":
        summary["sources"][0]["title"] = NASTY
    text = report_html(summary, areas, manifest)
    assert "<script>alert" not in text
    assert "<b>bold" not in text
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in text
    assert not Page(text).wrong
    specs_of(text)


def test_the_null_scenario_says_that_nothing_is_done(run):
    text = report_html(*made_up_run(n_treated=0))
    assert "This scenario has no action" in text
    assert "Nothing is changed" in text
    assert set(specs_of(text)) == {"ranks-1"}
    assert 'id="affected"' not in text


def test_a_cost_carries_its_interval_and_costs_of_one_price_base_are_told_once():
    summary, areas, manifest = made_up_run()
    first = summary["costs"][0]
    summary["costs"] = [first, {**first, "action": "jobs"}, {**first, "action": "all actions", "estimate": 2.5e9}]
    text = "".join(report_html(summary, areas, manifest).split())
    assert text.count("Costoftheactions") == 1
    assert "£2.5" in text
    assert "£1.07billionto£1.4billion" in text.replace("\u00a0", "")


def test_sums_and_chances_of_each_area_are_in_the_tables(page):
    sums = re.search(r'<table id="sums-table".*?</table>', page, re.S)
    assert sums
    assert "+38,400" in sums[0]
    assert "Years of healthy life in the year" in sums[0]
    row = re.search(r'<th scope="row"[^>]*>Yarmoor</th>.*?</tr>', page[page.index('id="decision-table"') :], re.S)
    assert row
    assert row[0].count("%</td>") == 3
    assert "31%</td>" in row[0]


def test_domains_that_change_have_a_table_of_their_own_and_others_have_none(page):
    assert 'id="domains-table"' in page
    assert 'id="group-domains-table"' in page
    none = report_html(*made_up_run(n_treated=0))
    assert 'id="domains-table"' not in none
    assert 'id="group-domains-table"' not in none


def test_the_split_of_the_gini_is_told_with_its_parts(page):
    split = re.search(r'<table id="inequality-split-table".*?</table>', page, re.S)
    assert split
    assert [
        word for word in ("before", "after", "difference", "Progressivity", "Re-ranking") if word not in split[0]
    ] == []
    assert 'id="inequality-split-table"' not in report_html(*made_up_run(n_treated=0))


def test_a_run_without_cost_has_no_key_figure_for_it():
    assert "Cost of the actions" not in report_html(*made_up_run(cost=False))


def test_absent_parts_are_left_out():
    text = report_html({"scenario": {"title": "Bare"}}, [], {})
    assert "Bare" in text
    assert not Page(text).wrong
    assert specs_of(text) == {}


@pytest.mark.parametrize(
    "part",
    [
        *("groups", "health", "inequality", "inequality_split", "sums", "costs", "variance", "path", "models"),
        *("break_even", "renormalised", "sources"),
    ],
)
def test_the_page_stands_without_any_one_part(part):
    summary, areas, manifest = made_up_run()
    for value in ([], None):
        assert not Page(report_html({**summary, part: value}, areas, manifest)).wrong


def test_the_same_run_gives_the_same_page(run, page):
    assert report_html(*copy.deepcopy(run)) == page


def test_a_page_of_118_areas_is_small():
    assert len(report_html(*made_up_run(118, 20)).encode()) < 1_500_000


@pytest.mark.bench
def test_a_page_of_118_areas_takes_little_time():
    rows, seconds = made_up_run(118, 20), []
    for _ in range(3):
        start = time.process_time()
        report_html(*rows)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.4


def test_the_report_loads_none_of_the_heavy_libraries():
    heavy = "{'pandas', 'scipy', 'statsmodels', 'pymc', 'arviz', 'shapely'}"
    code = f"import sys, gwm_models.report; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_writing_replaces_the_file_and_leaves_nothing_else_behind(tmp_path, run, page):
    path = tmp_path / "report.html"
    path.write_text("old")
    write_report(path, *run)
    assert path.read_text(encoding="utf-8") == page
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_written_is_one_clear_error(tmp_path, run):
    (tmp_path / "report.html").mkdir()
    (tmp_path / "report.html" / "kept").write_text("kept")
    with pytest.raises(OutputError, match=r"report\.html cannot be written"):
        write_report(tmp_path / "report.html", *run)
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
