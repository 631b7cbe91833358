"""Every kind of page for every reader: contrast, axe-core, keyboard, 320 pixels, no script, no motion, print, size."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import report_pages
from report_pages import KINDS, contrast, linear
from test_report_browser import LOOKED_AT, looked_at
from test_report_browser import browser as browser

from gwm_models.plots import THEMES
from gwm_models.report.views import number_cell

MOST_BYTES = 3_000_000
LARGEST = "raise-the-floor"
"""The shipped scenario whose report is largest."""
SHOWN = [("light", 1440), ("dark", 360)]
OTHERS = [("light", 360), ("dark", 1440)]
"""Themes and widths of the check with the first rows of tables, and of the slow one on whole pages."""
MACHADO = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""How colours look without one kind of cone: Machado, Oliveira & Fernandes (2009), IEEE TVCG 15, 1291-1298."""
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""From linear sRGB (IEC 61966-2-1)."""

# Colours


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("paper", ["paper", "raised"])
@pytest.mark.parametrize("text", ["ink", "soft", "focus"])
def test_text_stands_out_from_what_it_is_written_on(theme, paper, text):
    assert contrast(THEMES[theme][text], THEMES[theme][paper]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_a_warning_and_a_tip_stand_out(theme):
    colours = THEMES[theme]
    assert contrast(colours["alert"], colours["alert-paper"]) >= 4.5
    assert contrast(colours["ink"], colours["alert-paper"]) >= 4.5
    assert contrast(colours["paper"], colours["ink"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", ["neutral", "before", "after", "focus", "alert"])
def test_marks_of_charts_and_the_focus_ring_stand_out(theme, mark):
    assert contrast(THEMES[theme][mark], THEMES[theme]["paper"]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_a_class_of_a_map_stands_out(theme):
    colours = THEMES[theme]
    pairs = [(name, name.removesuffix("-text")) for name in colours if name.endswith("-text")]
    assert pairs
    assert {pair: contrast(colours[pair[0]], colours[pair[1]]) >= 4.5 for pair in pairs} == dict.fromkeys(pairs, True)


def lab(light: np.ndarray) -> np.ndarray:
    """Return the CIELAB coordinates of linear sRGB, white point of sRGB."""
    ratio = XYZ @ light / XYZ.sum(axis=1)
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sight", MACHADO)
def test_before_and_after_are_told_apart_without_one_kind_of_cone(theme, sight):
    seen = [lab(np.clip(np.array(MACHADO[sight]) @ linear(THEMES[theme][name]), 0, 1)) for name in ("before", "after")]
    assert float(np.linalg.norm(seen[0] - seen[1])) >= 25


# Pages


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for kind in KINDS:
        (folder / kind).mkdir()
        found[kind] = report_pages.page(kind, folder / kind)
    return found


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


def test_every_page_is_small_enough_to_send(pages, kind):
    assert pages[kind].stat().st_size < MOST_BYTES


def test_the_report_of_the_largest_shipped_scenario_is_small_enough_to_send(tmp_path):
    assert report_pages.run_page(LARGEST, tmp_path).stat().st_size < MOST_BYTES


def test_every_page_says_whose_figures_it_uses_and_how_to_make_it_again(pages, kind):
    text = pages[kind].read_text("utf-8")
    if kind != "evaluation":  # its figures are of a made-up file
        assert "Contains public sector information licensed under the Open Government Licence v3.0" in text
    for part in ("<h3>Manifest</h3>", "<dt>command</dt>", "<dt>toolkit version</dt>", "<dt>code sha256</dt>"):
        assert part in text
    assert re.search(r"<dt>(data|panel) sha256</dt>", text)


def test_no_negative_number_of_a_table_has_a_hyphen_for_a_minus(pages, kind):
    text = pages[kind].read_text("utf-8").partition('<section id="sources"')[0].partition("<body>")[2]
    cells = re.findall(r"<t[dh][^>]*>([^<]+)(?:<small>([^<]*)</small>)?", text)
    assert cells
    assert not [word for cell in cells for word in cell if re.search(r"(?:^|[\s(])-\d", word)]


def test_mean_ranks_have_one_decimal_whatever_their_change():
    row = {"estimate": 109.96, "lower": 108.2, "upper": 112.0, "unit": "ranks"}
    assert number_cell(row, change=False).text == "110.0"
    assert number_cell(row | {"estimate": -0.0004}, change=True).text == "0.0"


# Pages in a browser


AXE = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
}
SOLID = ".scroll { background: none !important; }"
"""The shadow at the edge of a wide table hides from axe what is behind its cells; the paper is."""


FEW = """() => {
    for (const body of document.querySelectorAll("tbody")) [...body.rows].slice(8).forEach((row) => row.remove());
}"""
"""Leave the first rows of every table: the others are made by the same lines of the template."""


def violations(page, *, whole: bool) -> list[str]:
    """Return what axe-core finds wrong with a page, with all its tables open."""
    from axe_playwright_python.sync_playwright import Axe

    page.add_style_tag(content=SOLID)
    if not whole:
        page.evaluate(FEW)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = Axe().run(page, options=AXE).response["violations"]
    return [f"{one['impact']} {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def opened_without_policy(browser, address: str, width: int, scheme: str):
    """Open a page so that a checker may run in it, which its own policy forbids."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
    return context, page


def checked_by_axe(browser, path: Path, scheme: str, width: int, *, whole: bool) -> list[str]:
    if importlib.util.find_spec("axe_playwright_python") is None:
        if os.environ.get("GWM_REQUIRE_BROWSER") == "1":
            pytest.fail("GWM_REQUIRE_BROWSER=1, but the Python package axe-playwright-python is not installed")
        pytest.skip("the Python package axe-playwright-python is not installed")
    context, page = opened_without_policy(browser, path.as_uri(), width, scheme)
    found = violations(page, whole=whole)
    context.close()
    return found


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), SHOWN)
def test_axe_finds_nothing_wrong(browser, pages, kind, scheme, width):
    assert checked_by_axe(browser, pages[kind], scheme, width, whole=False) == []


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), OTHERS)
def test_axe_finds_nothing_wrong_in_whole_pages(browser, pages, kind, scheme, width):
    assert checked_by_axe(browser, pages[kind], scheme, width, whole=True) == []


STRUCTURE = """() => {
    const all = (what, root = document) => [...root.querySelectorAll(what)];
    const levels = all("h1, h2, h3, h4").map((each) => Number(each.tagName[1]));
    return {
        h1: all("h1").length,
        skipped: levels.filter((level, i) => level > (i ? levels[i - 1] : 0) + 1).length,
        landmarks: ["header", "main", "footer", "nav"].map((name) => all(name).length),
        mute: all("[role=img]").filter((each) => !each.getAttribute("aria-label").trim()).length,
        untold: all("figure").filter((each) => !each.querySelector("details.data table, .data table")).length,
        uncaptioned: all("table").filter((each) => !each.caption?.textContent.trim()).length,
        unscoped: all("th").filter((each) => !each.scope).length,
        twice: all("[id]").length - new Set(all("[id]").map((each) => each.id)).size,
        moving: all("*").filter((each) => {
            const style = getComputedStyle(each);
            return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
        }).length,
        broken: all("a[href^='#']").filter((each) => !document.getElementById(each.hash.slice(1))).map((a) => a.hash),
        leaving: all("a").filter((each) => !each.getAttribute("href").startsWith("#")).length,
    };
}"""


@pytest.mark.browser
def test_a_page_is_ordered_labelled_still_and_reflows_at_320_pixels(browser, pages, kind):
    with looked_at(browser, pages[kind].as_uri(), {"width": 320, "scheme": "light"}) as (page, noise):
        found = page.evaluate(STRUCTURE)
        assert found.pop("landmarks") == [1, 1, 1, 1]
        assert found == {
            "h1": 1,
            "skipped": 0,
            "mute": 0,
            "untold": 0,
            "uncaptioned": 0,
            "unscoped": 0,
            "twice": 0,
            "moving": 0,
            "broken": [],
            "leaving": 0,
        }
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        assert noise == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_charts_of_a_run_are_whole_and_none_of_their_words_meet(browser, pages, width):
    wanted = {"map-1", "scores-1", "years-1", "ranks-1", "ranks-2", "health-1", "health-2", "tenths-1", "tenths-2"}
    wanted |= {"layers-1", "layers-2", "layers-3", "plane-1-1", "curve-1-1"}
    with looked_at(browser, pages["run"].as_uri(), {"width": width, "scheme": "light"}) as (page, noise):
        seen = page.evaluate(LOOKED_AT)
        assert set(seen["charts"]) == wanted
        for name, chart in seen["charts"].items():
            assert chart["drawn"] == "yes" and chart["plot"] >= 90, (name, chart)
            # Names that are too long for a phone end in dots; the table of the chart has them whole.
            assert not [word for word in chart["cut"] if "\u2026" not in word], (name, chart)
            assert not chart["over"], (name, chart)
        assert seen["beyond"] == 0 and seen["small"] == []
        assert noise == []


@pytest.mark.browser
def test_the_stop_of_the_keyboard_is_always_seen(browser, pages):
    look = """() => {
        const at = document.activeElement;
        const style = getComputedStyle(at);
        const box = at.getBoundingClientRect();
        return [at.tagName, style.outlineStyle, parseFloat(style.outlineWidth), box.width > 0 && box.height > 0];
    }"""
    with looked_at(browser, pages["run"].as_uri(), {"width": 1440, "scheme": "light"}) as (page, _):
        seen = set()
        for _ in range(45):
            page.keyboard.press("Tab")
            tag, style, width, shown = page.evaluate(look)
            assert (style, shown) == ("solid", True) and width >= 3, (tag, style, width)
            seen.add(tag)
        assert {"A", "DIV", "BUTTON", "SUMMARY"} <= seen


@pytest.mark.browser
def test_a_page_is_read_without_scripts(browser, pages, kind):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(pages[kind].as_uri())
    assert page.locator(".headline").inner_text()
    assert "scripts are off" in page.locator("noscript").inner_text()
    assert not page.locator(".charts").first.is_visible()
    if page.locator("figure details.data").count():
        page.locator("figure details.data summary").first.click()
        assert page.locator("figure details.data tbody tr").first.is_visible()
    assert page.locator("main table:visible").count()
    context.close()


# Print

PRINTED = """() => {
    const high = (each) => each.getBoundingClientRect().height;
    const all = (what) => [...document.querySelectorAll(what)];
    return {
        hidden: all("nav.contents, .skip, .finder, #tip, .figure details").filter((each) => high(each)).length,
        closed: all("main details").filter((each) => !each.closest("figure") && !each.closest("details details"))
            .filter((each) => each.lastElementChild && !high(each.lastElementChild)).length,
        cut: all(".scroll").filter((each) => getComputedStyle(each).overflow !== "visible").length,
        splits: all("tr, .chart").filter((each) => getComputedStyle(each).breakInside !== "avoid").length,
        wide: all(".chart svg").filter((each) => each.getBoundingClientRect().right > innerWidth + 1).length,
        shown: ["h1", ".headline", "#sources h2", ".manifest"].every((what) => high(document.querySelector(what)) > 0),
        paper: getComputedStyle(document.body).backgroundColor,
    };
}"""


@pytest.mark.browser
def test_a_page_prints_whole_on_several_sheets(browser, pages, kind, tmp_path):
    with looked_at(browser, pages[kind].as_uri(), {"width": 1000, "scheme": "dark"}) as (page, noise):
        headline = page.inner_text(".headline")
        page.emulate_media(media="print", color_scheme="dark")
        found = page.evaluate(PRINTED)
        assert found == {
            "hidden": 0,
            "closed": 0,
            "cut": 0,
            "splits": 0,
            "wide": 0,
            "shown": True,
            "paper": "rgb(255, 255, 255)",
        }
        page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True, print_background=True)
        assert noise == []
    sheets = len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "page.pdf").read_bytes()))
    assert 1 < sheets < 60
    if shutil.which("pdftotext"):
        done = subprocess.run(["pdftotext", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True)
        words, wanted = (re.sub(r"\W", "", text) for text in (done.stdout, headline))
        assert wanted in words
        assert "Sourceslicenceandhowtorunthisagain" in words
        headed = [sheet for sheet in done.stdout.split("\f") if "points, 6–600" in sheet]
        assert all("Before" in sheet and "Difference" in sheet for sheet in headed)
        assert len(headed) > 3 or kind != "run"
