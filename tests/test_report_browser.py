"""The report in a real browser: it draws, stays silent, loads nothing, sorts by keyboard and fits a phone."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from report_fixture import made_up_run
from search_fixture import made

from gwm_models.report import write_report

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
TITLE = "Half </title><script>document.title='hacked'</script> & \"quoted\" 'title'"
CHARTS = {"scores-1", "years-1", "ranks-1", "health-1", "health-2", "layers-1", "layers-2", "layers-3"}


def missing() -> str:
    """Say what is missing for these tests; empty when nothing is."""
    if importlib.util.find_spec("playwright") is None:
        return "the Python package playwright is not installed"
    return "" if executable() else f"no browser found ({', '.join(NAMES)})"


def executable() -> str | None:
    """Find the system's Chromium."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    reason = missing()
    if reason and os.environ.get("GWM_REQUIRE_BROWSER") == "1":
        pytest.fail(f"GWM_REQUIRE_BROWSER=1, but {reason}")
    if reason:
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=executable(), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, *made_up_run(title=TITLE))
    return path.as_uri()


@contextmanager
def looked_at(browser, address: str, asked: dict) -> Iterator[tuple]:
    """Open a page at the size asked for; give it and everything it said or asked for."""
    context = browser.new_context(
        viewport={"width": asked["width"], "height": 900},
        color_scheme=asked["scheme"],
        reduced_motion="reduce",
    )
    page = context.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: noise.append(f"error: {error}"))
    page.on("request", lambda sent: None if sent.url.startswith(("file:", "data:")) else noise.append(sent.url))
    page.on("dialog", lambda dialog: noise.append(f"dialog: {dialog.message}"))
    page.goto(address)
    page.wait_for_selector("html[data-ready=yes]", timeout=30_000)
    yield page, noise
    context.close()


@pytest.fixture
def opened(browser, address, request):
    """Open the report at the size asked for; give the page and everything it said or asked for."""
    with looked_at(browser, address, {"width": 1440, "scheme": "light", **getattr(request, "param", {})}) as found:
        yield found


SIZES = [{"width": width, "scheme": scheme} for width in (360, 768, 1440) for scheme in ("light", "dark")]


@pytest.mark.parametrize("opened", SIZES, indirect=True, ids=lambda size: f"{size['width']}-{size['scheme']}")
def test_the_report_draws_every_chart_in_silence_and_fits_its_window(opened):
    page, noise = opened
    drawn = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("[data-chart]")].map((box) => {
            const svg = box.querySelector("svg");
            return [box.dataset.chart, {
                drawn: box.dataset.drawn,
                marks: svg ? svg.querySelectorAll(".role-mark path, .role-mark line, .role-mark text").length : 0,
                fits: svg ? svg.getBoundingClientRect().right <= document.documentElement.clientWidth : false,
                cut: svg ? [...svg.querySelectorAll("text")].filter((text) => {
                    const [word, whole] = [text.getBoundingClientRect(), svg.getBoundingClientRect()];
                    return word.right > whole.right + 1 || word.left < whole.left - 1;
                }).map((text) => text.textContent) : ["all"],
            }];
        }))"""
    )
    assert set(drawn) == CHARTS
    assert all(chart["drawn"] == "yes" and chart["marks"] >= 3 and chart["fits"] for chart in drawn.values()), drawn
    assert not [word for chart in drawn.values() for word in chart["cut"]]
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert noise == []


def test_a_title_with_markup_is_shown_as_text(opened):
    page, noise = opened
    assert page.inner_text("h1") == TITLE
    assert page.title().startswith(TITLE)
    assert noise == []


def test_a_column_is_sorted_by_keyboard_and_says_so(opened):
    page, noise = opened
    heading = page.locator("#decision-table thead tr:last-child th").nth(1)
    heading.locator("button").focus()

    def column() -> list[float]:
        return page.eval_on_selector_all(
            "#decision-table tbody tr", "(rows) => rows.map((row) => Number(row.cells[1].dataset.v))"
        )

    before = column()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert column() == sorted(before, reverse=True)
    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert column() == sorted(before)
    assert "ascending" in page.inner_text("#spoken")
    assert noise == []


def test_a_missing_value_sorts_last_either_way(opened):
    page, _ = opened
    headings = page.locator("#areas-table thead tr:last-child th")
    button = headings.nth(13).locator("button")
    for _ in range(2):
        button.press("Enter")
        assert page.inner_text("#areas-table tbody tr:last-child th").startswith("Coldwater")


def test_areas_can_be_found_by_name(opened):
    page, noise = opened
    page.fill("#find", "vale of")
    shown = page.locator("#areas-table tbody tr:visible th")
    assert [text.split("\n")[0] for text in shown.all_inner_texts()] == ["Vale of Wend"]
    assert page.inner_text("#spoken") == "1 of 24 areas shown."
    assert noise == []


def test_pointing_at_a_mark_tells_its_value_and_interval(opened):
    page, noise = opened
    chart = page.locator("[data-chart=scores-1]")
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    box = chart.locator("svg .mark-symbol path").last.bounding_box()
    page.mouse.move(box["x"] - 40, box["y"] - 40)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = page.locator("#tip")
    tip.get_by_text("90% interval").wait_for(timeout=5_000)
    assert "After:" in tip.inner_text()
    assert noise == []


def test_charts_follow_the_colour_scheme_and_print_in_light(opened):
    page, noise = opened
    colour = "() => getComputedStyle(document.querySelector('[data-chart=layers-1] svg .mark-rect path')).fill"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(colour)
    page.emulate_media(color_scheme="dark", media="print")
    assert light == page.evaluate(colour) != dark
    assert noise == []


@pytest.mark.parametrize("opened", [{"width": 360}], indirect=True, ids=["360"])
def test_charts_are_drawn_anew_for_a_window_that_grows(opened):
    page, noise = opened
    page.set_viewport_size({"width": 1200, "height": 900})
    page.wait_for_function(
        "[...document.querySelectorAll('[data-chart]')].every((box) => box.dataset.narrow === 'false')",
        timeout=10_000,
    )
    page.wait_for_function("document.querySelector('[data-chart=scores-1] svg').clientWidth > 600", timeout=10_000)
    assert noise == []


def test_the_first_stop_of_the_keyboard_skips_to_the_report(opened):
    page, _ = opened
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_data_of_a_chart_open_below_it(opened):
    page, _ = opened
    details = page.locator("#figure-years details")
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert details.locator("tbody tr").count() == 10
    assert details.locator("tbody tr").last.inner_text().split()[:2] == ["2035", "+9.6"]


# Goals, sweeps and comparisons

SEARCHES = {
    "goal": ({"curve-1"}, {"curve-table-table", "source-list-table"}),
    "sweep": (
        {f"tornado-{m}-1" for m in (1, 2, 3)} | {f"response-{m}-{number}" for m in (1, 2, 3) for number in (1, 2, 3)},
        {"numbers-table", "source-list-table"} | {f"ends-{m}-table" for m in (1, 2, 3)} | {"indices-1-table"},
    ),
    "comparison": (
        {"map-1"} | {f"league-{m}-1" for m in range(1, 8)},
        {"overview-table", "scenarios-table", "areas-table", "source-list-table"}
        | {f"league-table-{m}-table" for m in range(1, 8)},
    ),
}
LOOKED_AT = """() => {
    const all = (root, what) => [...root.querySelectorAll(what)];
    const charts = all(document, "[data-chart]").map((chart) => {
        const svg = chart.querySelector("svg");
        const edge = svg.getBoundingClientRect();
        const words = all(svg, "text")
            .map((text) => [text.textContent, text.getBoundingClientRect(), getComputedStyle(text).opacity])
            .filter(([text, box, seen]) => text && box.width && Number(seen) > 0);
        const outside = words.filter(([text, box]) => text.includes("\u2026") || box.right > edge.right + 1
            || box.left < edge.left - 1 || box.top < edge.top - 1 || box.bottom > edge.bottom + 1);
        const over = words.flatMap(([one, a], i) => words.slice(i + 1)
            .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
            .map(([other]) => `${one} / ${other}`));
        const plot = svg.querySelector(".background")?.getBoundingClientRect().width ?? 0;
        return [chart.dataset.chart, { drawn: chart.dataset.drawn, plot, cut: outside.map(([text]) => text), over }];
    });
    const small = all(document, "main p, main li, main td, main th")
        .filter((part) => part.getClientRects().length && parseFloat(getComputedStyle(part).fontSize) < 12);
    return {
        charts: Object.fromEntries(charts),
        tables: Object.fromEntries(all(document, "table").map((table) => [table.id, table.tBodies[0].rows.length])),
        beyond: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        small: small.map((part) => part.textContent.slice(0, 40)),
    };
}"""


@pytest.fixture(scope="module", params=list(SEARCHES))
def search(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = made(request.param, tmp_path_factory.mktemp("search") / request.param)
    return request.param, (folder / "report.html").as_uri()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_of_a_search_is_silent_whole_and_readable(browser, search, width):
    kind, page_address = search
    charts, tables = SEARCHES[kind]
    with looked_at(browser, page_address, {"width": width, "scheme": "light"}) as (page, noise):
        seen = page.evaluate(LOOKED_AT)
        assert set(seen["charts"]) == charts
        for name, chart in seen["charts"].items():
            assert chart["drawn"] == "yes" and chart["plot"] >= 90, (name, chart)
            assert not chart["cut"] and not chart["over"], (name, chart)
        assert tables <= set(seen["tables"]) and all(seen["tables"].values())
        assert seen["beyond"] == 0
        assert seen["small"] == []
        assert noise == []


def test_the_table_of_a_sweep_is_sorted_and_its_chart_tells_the_interval(browser, tmp_path):
    address = (made("sweep", tmp_path / "sweep") / "report.html").as_uri()
    with looked_at(browser, address, {"width": 1440, "scheme": "light"}) as (page, noise):
        heading = page.locator("#ends-1-table thead tr:last-child th").nth(2)
        heading.locator("button").press("Enter")
        values = "(rows) => rows.map((row) => Number(row.cells[2].dataset.v))"
        cells = page.eval_on_selector_all("#ends-1-table tbody tr", values)
        assert cells == sorted(cells, reverse=True) and len(cells) == 3
        chart = page.locator("[data-chart=tornado-1-1]")
        chart.scroll_into_view_if_needed()
        bar = chart.locator("svg .mark-rect path").first.bounding_box()
        page.mouse.move(bar["x"] - 30, bar["y"] - 30)
        page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
        tip = page.locator("#tip")
        tip.get_by_text("Low end (90% interval)").wait_for(timeout=5_000)
        assert " to " in tip.inner_text()
        assert noise == []
