"""The explorer in a real browser: every view is silent, whole and accessible, and its numbers are those of gwm run."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from explore_server import page_on_socket
from test_report_browser import FLAGS, executable, missing

from gwm_models.cli import run_command
from gwm_models.plots.words import SPACE, interval, number

pytestmark = pytest.mark.browser

VIEWS = {
    "areas": "#/areas?region=North+East",
    "map": "#/map?show=total",
    "area": "#/area/E06000010",
    "scenario": "#/scenario",
    "compare": "#/compare?a=northern-participation-2026&b=lowest-scoring-support",
}
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"> \"quoted\" 'twice' & \U0001f600 =cmd|' /C calc'!A0"
ODD = base64.urlsafe_b64encode(b'{"actions": 3}').decode().rstrip("=")
HEADLINE = ".results .headline"
SCALED = re.compile(r"\+?\u2212?[0-9.,]+")


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
def address(browser) -> Iterator[str]:
    with page_on_socket() as (found, _):
        yield found


@contextmanager
def looked_at(browser, address: str, view: str, *, width: int = 1440) -> Iterator[tuple]:
    """Open a view; give its page, and all that it said or asked of another address."""
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    noise: list[str] = []
    own = (f"{address}/", "data:", f"blob:{address}/")
    page.on("console", lambda message: noise.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: noise.append(f"error: {error}"))
    page.on("request", lambda sent: None if sent.url.startswith(own) else noise.append(sent.url))
    page.on("dialog", lambda dialog: noise.append(f"dialog: {dialog.message}"))
    page.goto(f"{address}/{view}")
    settled(page)
    yield page, noise
    context.close()


def settled(page) -> None:
    """Wait until a view is there, with its projection where it has one."""
    page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
    if page.locator(".desk").count():
        page.wait_for_selector(".desk[data-turn] .results[data-stale=no]", timeout=60_000)


def projected(page, act) -> None:
    """Do something that changes the form, and wait for the answer to it."""
    before = int(page.get_attribute(".desk", "data-turn"))
    act()
    page.wait_for_function(f"Number(document.querySelector('.desk').dataset.turn) > {before}", timeout=60_000)
    page.wait_for_selector(".results:not([aria-busy])", timeout=60_000)


def faults_of(page) -> list[str]:
    """Return what axe-core holds for serious or worse."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    grave = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    return [f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:4]]}" for fault in grave]


def scrolled_through(page) -> None:
    """Bring one figure after another into sight until all are drawn; the page grows on the way."""
    page.wait_for_function(
        """() => {
            const boxes = [...document.querySelectorAll(".chart")].filter((box) => box.offsetParent);
            const next = boxes.find((box) => !box.dataset.drawn);
            next?.scrollIntoView({ block: "center" });
            return !next;
        }""",
        timeout=60_000,
    )


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_silent_whole_and_accessible_in_light_and_dark(browser, address, view, width, scheme):
    with looked_at(browser, address, VIEWS[view], width=width) as (page, noise):
        page.emulate_media(color_scheme=scheme)
        scrolled_through(page)
        assert page.locator("h1").count() == 1
        assert page.locator(".chart[data-drawn=no]").count() == 0
        assert overflow(page) == 0
        assert faults_of(page) == []
        page.set_viewport_size({"width": 768, "height": 900})
        scrolled_through(page)
        assert overflow(page) == 0
        assert noise == []


def overflow(page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


# Areas


def names(page) -> list[str]:
    return page.locator("table.areas tbody th a").all_inner_texts()


def test_areas_are_sorted_by_keyboard_and_the_address_keeps_it(browser, address):
    with looked_at(browser, address, "#/areas") as (page, noise):
        assert names(page)[0] == "Wokingham" and len(names(page)) == 118
        heading = page.locator("table.areas thead th").filter(has_text="Residents")
        heading.locator("button").press("Enter")
        assert heading.get_attribute("aria-sort") == "descending"
        cells = page.locator("table.areas tbody td:last-child").all_inner_texts()
        people = [int(text.replace(",", "")) for text in cells]
        assert people == sorted(people, reverse=True)
        assert "descending" in page.inner_text("#spoken")
        largest = names(page)[0]
        page.reload()
        settled(page)
        assert names(page)[0] == largest and "sort=population" in page.url
        assert noise == []


def test_areas_are_found_by_name_and_region(browser, address):
    with looked_at(browser, address, "#/areas") as (page, noise):
        page.fill("#find", "hull kingston")
        assert names(page) == ["Kingston upon Hull, City of"]
        assert page.inner_text("#spoken") == "1 of 118 areas shown."
        page.fill("#find", "zzz")
        assert names(page) == [] and page.locator(".none").is_visible()
        page.fill("#find", "")
        page.select_option("#region", "North East")
        regions = page.locator("table.areas tbody th small").all_inner_texts()
        assert len(regions) == 12 and set(regions) == {"North East"}
        page.reload()
        settled(page)
        assert len(names(page)) == 12
        assert noise == []


def test_a_name_leads_to_the_page_of_the_area_and_back(browser, address):
    with looked_at(browser, address, "#/areas?find=kingston") as (page, noise):
        page.get_by_role("link", name="Kingston upon Hull, City of").click()
        page.wait_for_function("document.activeElement.tagName === 'H1'")
        assert page.inner_text("h1") == "Kingston upon Hull, City of"
        assert page.title().startswith("Kingston upon Hull")
        figures = page.locator(".area .keys .value").all_inner_texts()
        assert figures[0] == "116\u00a0of 118"
        page.go_back()
        page.wait_for_selector("table.areas")
        assert names(page) == ["Kingston upon Hull, City of"]
        assert noise == []


def test_the_map_is_chosen_by_field_and_walked_by_keyboard(browser, address):
    with looked_at(browser, address, VIEWS["map"]) as (page, noise):
        page.select_option("#show", "population")
        page.wait_for_function("location.hash.includes('show=population')")
        first = page.locator("ol.ordered a").first
        name = first.inner_text()
        assert name == "Kent"
        first.press("Enter")
        page.wait_for_selector(".view.area")
        assert page.inner_text("h1") == name
        page.go_back()
        page.wait_for_selector(".chart[data-drawn=yes] svg")
        assert page.input_value("#show") == "population"
        drawn = page.locator(".chart svg .mark-rect path").first
        drawn.scroll_into_view_if_needed()
        tile = drawn.bounding_box()
        page.mouse.click(tile["x"] + tile["width"] / 2, tile["y"] + tile["height"] / 2)
        page.wait_for_selector(".view.area")
        assert noise == []


def test_a_view_or_area_that_is_not_there_is_told_in_words(browser, address):
    with looked_at(browser, address, "#/nowhere") as (page, noise):
        assert "no view named 'nowhere'" in page.inner_text("[role=alert]")
        assert noise == []
        page.goto(f"{address}/#/area/E99999999")
        page.get_by_text("There is no area of this code").wait_for()
        page.goto(f"{address}/#/scenario?s=zbroken")
        page.get_by_text("part of the link is missing or changed").wait_for()
        page.goto(f"{address}/#/scenario?s=j{ODD}")
        page.get_by_text("it is not one that this page wrote").wait_for()
        page.get_by_role("link", name="Areas").first.click()
        page.wait_for_selector("table.areas")


# Scenario


def size_of(page):
    return page.locator(".card").first.get_by_label("Size", exact=False).and_(page.locator("input[type=number]")).first


def test_moving_a_slider_changes_the_result_and_a_pasted_address_gives_the_same(browser, address):
    with looked_at(browser, address, VIEWS["scenario"]) as (page, noise):
        before = page.inner_text(HEADLINE)
        slider = page.get_by_label("Size, slider").first
        projected(page, lambda: slider.press("PageUp"))
        after = page.inner_text(HEADLINE)
        assert after != before
        assert float(size_of(page).input_value()) == float(slider.input_value()) > 2
        page.wait_for_function("location.hash.includes('s=')")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy link").click()
        page.get_by_text("The link is copied").first.wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == page.url
        figures = page.locator(".results .keys .value").all_inner_texts()
        page.reload()
        settled(page)
        assert page.inner_text(HEADLINE) == after
        pasted = page.url.removeprefix(f"{address}/")
        assert noise == []
    with looked_at(browser, address, pasted) as (page, noise):
        assert page.inner_text(HEADLINE) == after
        assert page.locator(".results .keys .value").all_inner_texts() == figures
        assert noise == []


def test_a_wrong_number_is_told_at_its_field_and_the_last_result_stays(browser, address):
    with looked_at(browser, address, VIEWS["scenario"]) as (page, noise):
        before = page.inner_text(HEADLINE)
        count = page.get_by_label("How many areas", exact=True)
        projected(page, lambda: count.fill("900"))
        fault = page.locator(f"#{count.get_attribute('aria-describedby').split()[-1]}")
        assert count.get_attribute("aria-invalid") == "true" and fault.is_visible()
        assert "900" in fault.inner_text()
        assert page.inner_text(HEADLINE) == before
        assert page.get_attribute(".results", "data-stale") == "yes"
        page.locator(".findings button").first.click()
        assert page.evaluate("document.activeElement.value") == "900"
        projected(page, lambda: count.fill(""))
        assert page.locator(".side .fault .error").is_visible()
        projected(page, lambda: count.fill("20"))
        assert not fault.is_visible() and not page.locator(".findings").is_visible()
        assert page.inner_text(HEADLINE) == before
        assert noise == []


def test_the_file_that_is_downloaded_gives_the_same_numbers_from_the_command_line(
    browser, address, tmp_path, monkeypatch, capsys
):
    with looked_at(browser, address, VIEWS["scenario"]) as (page, noise):
        projected(page, lambda: size_of(page).fill("1.7"))
        page.get_by_text("How much of it is a gain").first.click()
        projected(page, lambda: page.get_by_label("Would have happened anyway", exact=False).last.fill("35"))
        with page.expect_download() as loaded:
            page.get_by_role("button", name="Download the file").click()
        path = tmp_path / loaded.value.suggested_filename
        loaded.value.save_as(path)
        with page.expect_download() as loaded:
            page.get_by_role("button", name="Download the report").click()
        loaded.value.save_as(tmp_path / "report.html")
        told = " ".join(page.locator(f"{HEADLINE}, .answer .lead").all_inner_texts())
        rows = page.locator(".results table").last.locator("tbody tr")
        shown = {row.locator("a").inner_text(): row.locator("td").nth(2).inner_text().split("\n") for row in rows.all()}
        # What was changed is no longer the shipped scenario, nor backed by its source.
        assert path.name == "northern-participation-2026-changed.yaml" and noise == []
        assert page.get_by_label("Title").input_value().endswith(" (changed)")
        assert "source:" not in path.read_text("utf-8").split("actions:")[0]
    monkeypatch.setattr(sys, "argv", ["gwm", "run", str(path), "--out", str(tmp_path / "run")])
    assert run_command() == 0
    capsys.readouterr()
    summary = json.loads((tmp_path / "run" / "summary.json").read_text("utf-8"))
    assert told == summary["headline"]
    assert summary["headline"].split(". ")[0] in (tmp_path / "report.html").read_text("utf-8")
    changes = differences(tmp_path / "run" / "areas.csv")
    assert len(shown) == sum(len(texts) == 2 for texts in changes.values()) >= 20
    assert {name: changes[name] for name in shown} == shown


def differences(path: Path) -> dict[str, list[str]]:
    """Return the change of the total of each area and its interval, as the page writes them."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if (row["quantity"], row["state"]) == ("total", "difference")]
    ends = {row["area_name"]: [float(row[name]) for name in ("estimate", "lower", "upper")] for row in rows}
    return {
        name: [number(estimate, 1, sign=True)] + ([interval(low, high).replace(" ", SPACE)] if low < high else [])
        for name, (estimate, low, high) in ends.items()
    }


def test_actions_are_added_changed_and_removed_without_losing_the_place(browser, address):
    with looked_at(browser, address, VIEWS["scenario"]) as (page, noise):
        page.get_by_label("What a new action changes").select_option("unemployment_rate")
        projected(page, lambda: page.get_by_role("button", name="Add an action").click())
        assert page.locator(".card").count() == 2
        kind = page.locator(".card").nth(1).get_by_label("What it does")
        kind.focus()
        projected(page, lambda: kind.select_option("close_gap"))
        assert page.evaluate("document.activeElement.selectedOptions[0].value") == "close_gap"
        assert "kind: close_gap" in page.locator(".file code").text_content()
        projected(page, lambda: page.get_by_role("button", name="Remove action 1").click())
        assert page.locator(".card").count() == 1
        assert "participation" not in page.locator(".file code").text_content().split("actions:")[1].split("health")[0]
        headline = page.inner_text(HEADLINE)
        projected(page, lambda: page.select_option("#from", "empty"))
        assert "nothing changes" in page.locator(".form .none").inner_text()
        assert page.inner_text(HEADLINE) != headline
        page.go_back()
        page.wait_for_function("document.querySelectorAll('.card').length === 1")
        settled(page)
        assert page.inner_text(HEADLINE) == headline
        assert noise == []


def test_a_share_of_the_areas_is_brought_to_a_place_among_all(browser, address):
    with looked_at(browser, address, VIEWS["scenario"]) as (page, noise):
        before = page.inner_text(HEADLINE)
        projected(page, lambda: page.get_by_label("Given as").select_option("quantile"))
        assert page.inner_text(HEADLINE) == before
        assert page.get_by_label("Share of the areas", exact=False).last.input_value() == "40"
        projected(page, lambda: page.get_by_label("Share of the areas", exact=False).last.fill("25"))
        told = page.locator(".card .told").first
        assert "lowest 25%" in told.inner_text()
        projected(page, lambda: page.get_by_label("What it does").select_option("to_quantile"))
        text = page.locator(".file code").text_content()
        assert "quantile: 0.25" in text and "kind: to_quantile" in text and " n: " not in text
        assert not page.locator(".findings").is_visible()
        projected(page, lambda: page.get_by_label("Given as").select_option("n"))
        assert "lowest 13" in told.inner_text()
        projected(page, lambda: page.select_option("#from", "everyone-to-the-median"))
        assert page.locator(".card").count() == 5
        rows = page.locator(".results table").last.locator("tbody tr")
        texts = rows.first.locator("td").all_inner_texts()
        assert [len(text.split("\n")) for text in texts] == [2, 2, 2, 1, 2, 2]
        assert noise == []


def test_hostile_words_are_shown_as_text_everywhere(browser, address, tmp_path):
    with looked_at(browser, address, VIEWS["scenario"]) as (page, noise):
        projected(page, lambda: page.get_by_label("Title", exact=True).fill(HOSTILE))
        with page.expect_download() as loaded:
            page.get_by_role("button", name="Download the file").click()
        loaded.value.save_as(tmp_path / "hostile.yaml")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Open a file").click()
        projected(page, lambda: chooser.value.set_files(tmp_path / "hostile.yaml"))
        assert page.get_by_label("Title", exact=True).input_value() == HOSTILE
        page.get_by_role("button", name="Compare with").click()
        page.wait_for_selector(".compared .headline")
        assert HOSTILE in page.locator("#slot-a option:checked").inner_text()
        assert HOSTILE in page.locator(".measures").inner_text()
        scrolled_through(page)
        assert "hacked" not in page.title() and page.locator("img").count() == 0
        assert noise == []


def test_a_file_that_the_form_cannot_show_is_told_in_words(browser, address, tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("schema: gwm-scenario/1\nid: [", encoding="utf-8")
    with looked_at(browser, address, VIEWS["scenario"]) as (page, noise):
        before = page.inner_text(HEADLINE)
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Open a file").click()
        chooser.value.set_files(path)
        page.wait_for_selector(".status [role=alert]")
        assert page.inner_text(HEADLINE) == before
        assert page.inner_text(HEADLINE) == before
        page.wait_for_selector("#from option[value=routine-work-transitions][disabled]", state="attached")
        assert not page.locator("#from option[value=lowest-scoring-support]").is_disabled()
        projected(page, lambda: page.select_option("#from", "lowest-scoring-support"))
        assert noise == []


def test_a_fault_of_the_server_is_told_and_the_page_lives_on(browser, address):
    with looked_at(browser, address, VIEWS["scenario"]) as (page, _):
        words = json.dumps({"error": "All workers are busy. Try again in a moment."})
        page.route("**/api/project", lambda route: route.fulfill(status=503, body=words))
        projected(page, lambda: size_of(page).fill("1.1"))
        assert "All workers are busy" in page.inner_text(".status")
        page.unroute("**/api/project")
        projected(page, lambda: size_of(page).fill("1.2"))
        assert page.inner_text(".status") == ""
        assert page.get_attribute(".results", "data-stale") == "no"


def test_a_lever_of_an_area_opens_as_a_scenario(browser, address):
    with looked_at(browser, address, VIEWS["area"]) as (page, noise):
        page.get_by_role("button", name="Try this in a scenario").first.click()
        page.wait_for_selector(".desk[data-turn]", timeout=60_000)
        assert "Kingston upon Hull, City of" in page.locator(".results").inner_text()
        assert "1 named" in page.locator(".card .told").first.inner_text()
        assert "+26" in page.locator(".results .keys .value").first.inner_text()
        assert noise == []


# Compare


def test_two_scenarios_are_held_against_each_other_and_no_winner_is_made_up(browser, address):
    with looked_at(browser, address, VIEWS["compare"]) as (page, noise):
        rows = page.locator(".measures tbody tr")
        assert rows.count() == 7
        first = rows.first.locator("td").all_inner_texts()
        assert len(SCALED.findall(first[2])) == 3 and first[3].endswith("%") and first[4].startswith("No winner")
        with page.expect_response("**/api/compare"):
            page.select_option("#slot-b", "northern-participation-2026")
        page.wait_for_function("document.querySelector('.measures tbody td:nth-child(5)').textContent === 'the same'")
        assert page.url.endswith("a=northern-participation-2026&b=northern-participation-2026")
        page.reload()
        settled(page)
        assert page.locator(".measures tbody td:nth-child(4)").first.inner_text().startswith("0.0")
        assert noise == []


def test_the_first_stop_of_the_keyboard_skips_to_the_content(browser, address):
    with looked_at(browser, address, "#/areas") as (page, _):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
