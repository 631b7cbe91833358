"""The page of figures in a real browser: it draws, stays silent, loads nothing and fits a phone."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from test_report_accessible import checked_by_axe
from test_report_browser import browser as browser  # a fixture
from test_report_browser import looked_at

from gwm_models.data.edition import load_edition
from gwm_models.index.groups import find_groups
from gwm_models.report import figures_groups
from gwm_models.report.figures import PAGE, make_figures, write_figures

pytestmark = pytest.mark.browser

SIZES = [(360, "light"), (768, "dark"), (1440, "light")]
CHARTS = """() => Object.fromEntries([...document.querySelectorAll("[data-chart]")].map((box) => {
    const svg = box.querySelector("svg");
    const whole = svg ? svg.getBoundingClientRect() : null;
    return [box.dataset.chart, {
        drawn: box.dataset.drawn,
        marks: svg ? svg.querySelectorAll(".role-mark path, .role-mark line, .role-mark text").length : 0,
        fits: svg ? whole.right <= document.documentElement.clientWidth : false,
        cut: svg ? [...svg.querySelectorAll("text")].filter((text) => {
            const word = text.getBoundingClientRect();
            return word.right > whole.right + 1 || word.left < whole.left - 1;
        }).map((text) => text.textContent) : ["all"],
    }];
}))"""


@pytest.fixture(scope="module")
def figures():
    """Return all figures, with few draws where many take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures_groups, "find_groups", partial(find_groups, n_draws=10))
        return make_figures(load_edition())


@pytest.fixture(scope="module")
def path(figures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("figures") / "out"
    write_figures(place, figures, command="gwm figures", formats=("html",))
    return place / PAGE


@pytest.fixture(scope="module")
def address(path: Path) -> str:
    return path.as_uri()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_page_draws_every_chart_in_silence_and_fits_its_window(browser, address, figures, width, scheme):
    with looked_at(browser, address, {"width": width, "scheme": scheme}) as (page, noise):
        drawn = page.evaluate(CHARTS)
        spilt = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    expected = {
        f"{planned.number:02d}-{place}" for planned, made in figures.made for place, _ in enumerate(made.specs, start=1)
    }
    assert set(drawn) == expected
    assert all(chart["drawn"] == "yes" and chart["marks"] >= 3 and chart["fits"] for chart in drawn.values()), drawn
    assert {name: chart["cut"] for name, chart in drawn.items() if chart["cut"]} == {}
    assert spilt == 0
    assert noise == []


def test_a_figure_is_reached_from_the_contents_and_its_data_are_in_tables(browser, address):
    with looked_at(browser, address, {"width": 1440, "scheme": "light"}) as (page, noise):
        page.click("#contents a[href='#figure-08']")
        assert page.evaluate("location.hash") == "#figure-08"
        assert page.inner_text("#figure-08 h3").startswith("Figure 8. Healthy life")
        assert not page.is_visible("#figure-08 details table >> nth=0")
        page.click("#figure-08 details summary")
        assert page.is_visible("#figure-08 details table >> nth=0")
        rows = page.locator("#figure-08 details table >> nth=0").locator("tbody tr")
        assert rows.count() == 116
        names = page.eval_on_selector_all(
            "[data-chart]", "(boxes) => boxes.map((box) => [box.getAttribute('role'), box.getAttribute('aria-label')])"
        )
        assert all(role == "img" and len(words) > 30 for role, words in names)
    assert noise == []


def test_what_is_pointed_at_is_named(browser, address):
    with looked_at(browser, address, {"width": 1440, "scheme": "light"}) as (page, noise):
        dot = page.locator("#figure-07 .chart svg .mark-symbol path").nth(5)
        dot.scroll_into_view_if_needed()
        page.wait_for_timeout(300)  # scrolling hides what is told
        dot.hover()
        page.wait_for_selector("#tip", state="visible")
        told = page.inner_text("#tip")
    assert "Conditions:" in told and "Total:" in told
    assert noise == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 360)])
def test_axe_finds_nothing_wrong(browser, path, scheme, width):
    assert checked_by_axe(browser, path, scheme, width, whole=False) == []
