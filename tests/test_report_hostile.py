"""Words that try to be code: shown as text in every page, kept from being formulas in every CSV."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_country import country
from test_report_browser import browser as browser
from test_report_browser import looked_at

NAMES = (
    "<script>document.title='hacked'</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "+44 Town & 'Sons'",
    "-Hamlet {{7*7}} ${7*7}",
    "Ynys Môn 🙂 שלום",
    "`code` and <b>bold</b>",
)
EVIL = "</title></script><script>alert(2)</script> \"x\" 'y' <b>b</b> & =HYPERLINK(1) שלום 🙂"
SCENARIO = """\
schema: gwm-scenario/1
id: hostile
title: {evil}
question: {evil}
source: {evil}
baseline: {{edition: land-edition, rescale: frozen}}
horizon: {{start: 2026, end: 2030}}
actions:
  - id: drive
    indicator: active
    change: {{kind: absolute, value: 2.0, unit: pp}}
    uncertainty: {{low: 1.0, high: 3.0, level: 0.9}}
    phasing: {{start: 2026, full_by: 2028}}
    target: {{everyone: true}}
    cost: {{fixed: {{value: 1000000, unit: GBP}}, price_base: 2025}}
    evidence: {{source: {evil}, grade: assumed}}
analysis: {{draws: 100, seed: 1, intervals: [0.9], inequality: [gap_10_10, cv]}}
"""


def gwm(*words: object, cwd: Path) -> str:
    """Run a command of the toolkit as a user does."""
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": os.pathsep.join(sys.path)}
    start = [sys.executable, "-c", "from gwm_models.cli import main; main()"]
    done = subprocess.run([*start, *map(str, words)], capture_output=True, text=True, cwd=cwd, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Build a user's edition whose areas have hostile names, and run, compare and rank in it."""
    home = tmp_path_factory.mktemp("hostile")
    country(home / "land")
    with (home / "land" / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    for row, name in zip(rows[1:], NAMES, strict=False):
        row[1] = name
    with (home / "land" / "areas.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    gwm("data", "build", "land", cwd=home)
    (home / "hostile.yaml").write_text(SCENARIO.format(evil=json.dumps(EVIL, ensure_ascii=False)), encoding="utf-8")
    gwm("run", "hostile.yaml", "--out", "run", cwd=home)
    gwm("compare", "hostile.yaml", "--out", "compared", cwd=home)
    gwm("ranks", "--edition", "land-edition", "--draws", "200", "--plot", "ranks.html", cwd=home)
    yield home


PAGES = ("run/report.html", "compared/report.html", "ranks.html")


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_hostile_words_are_text_in_the_page(browser, folder, name):
    with looked_at(browser, (folder / name).as_uri(), {"width": 1440, "scheme": "light"}) as (page, noise):
        assert page.locator("img, iframe, object, embed, body b, main script").count() == 0
        assert page.evaluate("document.scripts.length") == 4
        assert page.title() != "hacked"
        heads = page.eval_on_selector_all("tbody th", "(all) => all.map((each) => each.firstChild.textContent)")
        shown = [one for one in NAMES if one in heads]
        assert shown == list(NAMES)
        if name == "run/report.html":
            assert page.inner_text("h1") == " ".join(EVIL.split())
            assert EVIL in page.inner_text(".question") and EVIL in page.inner_text("#actions dl")
        for mark in ("#tip", "#spoken"):
            assert page.locator(mark).count() == 1
        assert noise == []


@pytest.mark.browser
def test_a_hostile_name_is_text_in_the_box_at_the_pointer(browser, folder):
    with looked_at(browser, (folder / "ranks.html").as_uri(), {"width": 1440, "scheme": "light"}) as (page, noise):
        chart = page.locator("[data-chart=caterpillar-1]")
        chart.scroll_into_view_if_needed()
        for mark in chart.locator("svg .mark-symbol path").all():
            mark.hover()
            if "<img" in page.inner_text("#tip") or "<script>" in page.inner_text("#tip"):
                break
        else:
            pytest.fail("no hostile name was pointed at")
        assert page.locator("#tip img, #tip script").count() == 0
        assert noise == []


def test_no_cell_of_a_table_of_results_can_be_run_as_a_formula(folder):
    tables = sorted(folder.glob("*/*.csv"))
    written = [path for path in tables if path.parent.name in ("run", "compared")]
    assert {path.name for path in written} >= {"areas.csv", "league.csv"}
    risky = 0
    for path in written:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    risky += cell.startswith("'")
                    assert not cell.startswith(("=", "@", "\t", "\r")), (path.name, cell)
                    if cell.startswith(("+", "-")):
                        float(cell)
    assert risky > 20


def test_the_table_on_the_terminal_as_csv_is_safe_as_well(folder):
    text = gwm("ranks", "--edition", "land-edition", "--draws", "200", "--format", "csv", cwd=folder)
    cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
    assert "'=cmd|' /C calc'!A0" in cells and "'@SUM(1+1)*cmd" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]
