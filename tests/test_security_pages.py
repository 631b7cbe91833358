"""Hostile words in every kind of question: no page takes them for HTML, no table for a formula."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_country import country
from test_report_hostile import EVIL, SCENARIO
from test_report_hostile import NAMES as HOSTILE
from test_same_bytes import started

from gwm_models.files import FORMULA, csv_text

NAMES = [name for name in HOSTILE if "\u202e" not in name]
"""Those that a table of areas may hold: hidden characters are refused."""
HEAD, _, REST = SCENARIO.format(evil=json.dumps(EVIL, ensure_ascii=False)).partition("id: hostile")
PARTS = {
    "run": ("scenario", ""),
    "goal": (
        "goal",
        "goal: {vary: {path: actions.drive.change.value, low: 0.0, high: 9.0}, measure: {quantity: gap_10_10, "
        "state: percent_change}, at_most: -0.2, probability: 0.5}\n",
    ),
    "sweep": (
        "sweep",
        "sweep: {vary: [{path: actions.drive.change.value, values: [1.0, 3.0]}], design: grid, "
        "measures: [{quantity: total, group: all areas, state: difference}]}\n",
    ),
    "portfolio": (
        "portfolio",
        "portfolio: {budget: {total: 2000000, price_base: 2025}, options: [{id: one, actions: [drive]}], "
        "objective: {measure: {quantity: total, group: all areas, state: difference}, statistic: mean}}\n",
    ),
}
CODE = {"script", "style"}
BARRED = {"img", "iframe", "object", "embed", "form", "base", "b", "audio", "video", "applet"}


class Page(HTMLParser):
    """The elements of a page, their attributes, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.code: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag in CODE:
            self.code.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in CODE:
            self.code[-1] += data
        else:
            self.words.append(data)


def hostile_panel(folder: Path) -> list[str]:
    """Write a panel with hostile units and columns; return the words that evaluate it."""
    rng, rows = np.random.default_rng(4), [["=unit", "time", "<b>rate</b>"]]
    for k, name in enumerate([*NAMES, *(f"=Town {k}" for k in range(12))]):
        level = 50.0 + k
        for t in range(12):
            level += rng.normal()
            rows.append([name, str(2001 + t), f"{level + (5 if k == 0 and t > 7 else 0):.4f}"])
    with (folder / "panel.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    columns = ["--unit", "=unit", "--time", "time", "--outcome", "<b>rate</b>"]
    asked = ["--treated", NAMES[0], "--start", "2009", "--design", "sc", "--out", "place/evaluation"]
    return ["evaluate", "--panel", "../panel.csv", *columns, *asked]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Ask every kind of question in a country whose names are hostile; return every file of the answers."""
    home = tmp_path_factory.mktemp("hostile")
    country(home / "land")
    with (home / "land" / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    for row, name in zip(rows[1:], NAMES, strict=False):
        row[1], row[2] = name, f"{row[2]} <i>"
    for row in rows[1:]:
        row[2] = f"{row[2].removesuffix(' <i>')} <i>"
    with (home / "land" / "areas.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    index = (home / "land" / "index.yaml").read_text("utf-8")
    (home / "land" / "index.yaml").write_text(
        index.replace("label: Activity rate", 'label: "<b>=Activity</b>"'), "utf-8"
    )
    commands = [["data", "build", "../land", "--out", "../land-edition"]]
    for name, (kind, part) in PARTS.items():
        file = home / f"{name}.yaml"
        text = f"{HEAD}kind: {kind}\nid: hostile{REST}{part}".replace(
            "edition: land-edition", "edition: ../land-edition"
        )
        file.write_text(text, encoding="utf-8")
        commands.append([name, f"../{name}.yaml", "--out", f"place/{name}"])
    commands += [["compare", "../run.yaml", "--out", "place/compare"], hostile_panel(home)]
    commands.append(["ranks", "--edition", "../land-edition", "--draws", "200", "--plot", "place/ranks.html"])
    return started(home / "here", {}, *commands, python=sys.executable)


@pytest.mark.slow
def test_hostile_words_add_no_element_attribute_or_script_to_any_page(made):
    pages = {name: content.decode() for name, content in made.items() if name.endswith(".html")}
    assert pages.keys() == {f"place/{kind}/report.html" for kind in (*PARTS, "compare", "evaluation")} | {
        "place/ranks.html"
    }
    codes = set()
    for name, text in pages.items():
        page = Page(text)
        assert not set(page.elements) & BARRED, name
        assert page.elements.count("script") == 4 and page.elements.count("style") == 1, name
        assert page.elements.count("title") == 1 and page.elements.count("input") <= 1, name
        assert not [attribute for attribute, _ in page.attributes if attribute.startswith("on")], name
        links = [value for attribute, value in page.attributes if attribute in ("href", "src", "action")]
        assert all(re.match(r"#|data:,$|https://", link) for link in links), (name, links)
        specs = json.loads(page.code[1])
        assert specs and not re.search("[<>&]", page.code[1]), name
        codes.add(tuple(page.code[2:]))
        words = " ".join(page.words)
        assert any(hostile in words for hostile in (*NAMES, EVIL)), name
    assert len(codes) == 1, "scripts are the same in every page"


@pytest.mark.slow
def test_no_cell_of_any_table_or_of_standard_output_begins_a_formula(made):
    tables = {name: content.decode() for name, content in made.items() if name.endswith(".csv")}
    assert {Path(name).parent.name for name in tables} == {*PARTS, "compare", "evaluation"}
    disarmed = 0
    for name, text in tables.items():
        for row in csv.reader(io.StringIO(text, newline="")):
            for cell in row:
                disarmed += cell.startswith("'")
                assert not cell.startswith(FORMULA) or float(cell) is not None, (name, cell)
    assert disarmed > 50


# ---------------------------------------------------------------- cells

STARTS = st.sampled_from([*"=+-@\t\r\n\0", "\uff1d", "\uff0b", "\uff0d", "\uff20", "", " ", "'", '"', ",", "1"])
CELLS = st.one_of(
    st.builds(lambda start, rest: start + rest, STARTS, st.text(max_size=12)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
)


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=4), names=st.tuples(STARTS, STARTS))
def test_text_never_begins_a_formula_and_numbers_stay_numbers(rows, names):
    names = (f"{names[0]}a", f"{names[1]}b")
    written = csv_text([dict(zip(names, row, strict=True)) for row in rows])
    head, *read = csv.reader(io.StringIO(written, newline=""))
    assert not [cell for cell in head if cell.startswith(FORMULA)]
    for row, cells in zip(rows, read, strict=True):
        for value, cell in zip(row, cells, strict=True):
            if isinstance(value, str):
                text = value.replace("\r\n", "\n").replace("\r", "\n")
                assert cell in (text, f"'{text}")
                assert not cell.startswith(FORMULA) or float(cell) == float(value)
            else:
                assert type(value)(cell) == value


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_each_sign_that_may_begin_a_formula_is_disarmed(start):
    cells = next(csv.reader(io.StringIO(csv_text([{"a": f"{start}SUM(A1)"}]).partition("\n")[2], newline="")))
    assert cells == [f"'{start}SUM(A1)".replace("\r", "\n")]


def test_a_line_break_in_a_name_begins_no_row_of_its_own():
    """The writer of Python 3.11 and 3.12 leaves a carriage return unquoted, which readers take for the end of a row."""
    written = csv_text([{"area": "Hull\r=cmd|' /C calc'!A0", "change": 1.5}])
    assert list(csv.reader(io.StringIO(written, newline=""))) == [
        ["area", "change"],
        ["Hull\n=cmd|' /C calc'!A0", "1.5"],
    ]
