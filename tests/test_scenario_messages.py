"""Every message of the checker is said by some file of the corpus, and no other edition's limits are forgotten."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest
from scenario_corpus import BROKEN, FILES, OK, checked, with_change

import gwm_models.scenarios
from gwm_models.data.home import data_home
from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.errors import DataError
from gwm_models.scenarios import known, reader, shape
from gwm_models.scenarios.findings import Findings
from gwm_models.scenarios.reader import check_scenario, check_text
from gwm_models.scenarios.spec import Scenario

ROOM = Path(gwm_models.scenarios.__file__).parent
SPEAKERS = [
    path
    for path in sorted(ROOM.glob("*.py"))
    if path.stem.startswith("checks") or path.stem in ("changes", "places", "reader", "shape", "source", "view")
]
MINE = replace(load_vocabulary(), edition="mine", panel_variables=())


def lines_in(folder, text, vocabulary=None):
    path = folder / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return [str(problem).removeprefix(f"{path}:") for problem in check_scenario(path, vocabulary)[1]]


def own_edition(name):
    text = (FILES / "ok" / f"{name}.yaml").read_text(encoding="utf-8")
    return text.replace("edition: monitor-2021", "edition: mine")


def test_an_edition_without_yearly_figures_has_no_trend_no_shock_and_no_conditions(tmp_path):
    lines = lines_in(tmp_path, own_edition("every-new-part"), MINE)
    assert [line.split(". Fix: ")[0] for line in lines if "yearly" in line or "conditions for" in line] == [
        "6:43: error: baseline.counterfactual: mine has no yearly figures to take a trend from",
        "23:20: error: actions.recession.change.kind: mine has no yearly figures, so it has no shocks",
        "50:16: error: actions.skills.condition: mine has no figures of conditions for good work",
        "56:16: error: actions.output.condition: mine has no figures of conditions for good work",
    ]
    assert any("unknown field 'area_type'" in line for line in lines)
    assert any("unknown field 'nvq4plus_share_16_64'" in line for line in lines)


def library(folder, monkeypatch, *ids):
    copy(data_home() / "variables.csv", folder)
    monkeypatch.setattr(known, "data_home", lambda: folder)
    (folder / "evidence").mkdir()
    for name in ids:
        (folder / "evidence" / f"{name}.yaml").write_text(f"# A study\nid: {name}\ntitle: 'id: other'\n")


def with_entry(name):
    return with_change('source: "programme evaluation", grade: moderate', f"entry: {name}")


def test_an_entry_of_evidence_must_be_in_the_library(tmp_path, monkeypatch):
    library(tmp_path, monkeypatch, "income-2020", "places-2022")
    place = "19:23: error: actions.participation.evidence.entry: unknown entry of the evidence library"
    assert lines_in(tmp_path, with_entry("income-2020")) == []
    assert lines_in(tmp_path, with_entry("incme-2020")) == [
        f"{place} 'incme-2020' (did you mean 'income-2020'?). Fix: write 'income-2020'."
    ]
    assert lines_in(tmp_path, with_entry("quite-other")) == [
        f"{place} 'quite-other'. Fix: use one of 'income-2020' or 'places-2022'."
    ]


def damaged_edition(monkeypatch):
    def refuse(edition=None):
        if edition is None:
            return MINE
        raise DataError("open-2020 cannot be read.")

    monkeypatch.setattr(reader, "load_vocabulary", refuse)


def test_an_edition_that_cannot_be_read_is_a_fault_of_the_file(tmp_path, monkeypatch):
    damaged_edition(monkeypatch)
    text = (FILES / "ok" / "nothing-is-done.yaml").read_text(encoding="utf-8").replace("monitor-2021", "open-2020")
    assert lines_in(tmp_path, text) == [
        "6:21: error: baseline.edition: open-2020 cannot be read. Fix: run gwm data build on it again."
    ]


# Every message


def calls() -> dict[tuple[str, int, int], str]:
    """Return every place in the checker that says something, by its file and lines."""
    found = {}
    for path in SPEAKERS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in ("error", "warning", "need", "_refuse"):
                    found[path.name, node.lineno, node.end_lineno or 0] = ast.unparse(node)
    return found


@pytest.fixture
def said(monkeypatch):
    """Record the lines of the checker that are running whenever a fault is found."""
    lines: set[tuple[str, int]] = set()
    add = Findings._add

    def recording(self, *fault):
        frame = sys._getframe(1)
        while frame is not None:
            lines.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
            frame = frame.f_back
        return add(self, *fault)

    monkeypatch.setattr(Findings, "_add", recording)
    return lines


def test_every_message_of_the_checker_is_said_by_some_file(said, tmp_path, monkeypatch):
    for path in [*OK, *BROKEN, tmp_path, tmp_path / "none.yaml", Path("/dev/null"), Path("x" * 5000)]:
        check_scenario(path)
    lines_in(tmp_path, own_edition("every-new-part"), MINE)
    odd = ["#" * 1_000_001, "a: [" + "1, " * 20_001 + "]", '"a\\u200b": 1', 'a: "\\U0011FFFF"', "a: ]"]
    for text in odd:
        checked(tmp_path, text)
    for text in ("kind: sweep", "#" * 1_000_001):
        check_text(text, load_vocabulary())
    with monkeypatch.context() as patch:
        library(tmp_path, patch, "income-2020")
        lines_in(tmp_path, with_entry("x"))
    damaged_edition(monkeypatch)
    lines_in(tmp_path, (FILES / "ok" / "nothing-is-done.yaml").read_text("utf-8").replace("monitor-2021", "open-2020"))
    silent = {
        place: text
        for place, text in calls().items()
        if not any(file == place[0] and place[1] <= line <= place[2] for file, line in said)
    }
    assert not silent


def test_every_kind_of_fault_that_pydantic_can_find_has_plain_words(monkeypatch):
    found: set[str] = set()
    worded = shape._in_words

    def recording(fault, findings):
        found.add(fault["type"])
        return worded(fault, findings)

    monkeypatch.setattr(shape, "_in_words", recording)
    for path in BROKEN:
        check_scenario(path)
    assert found - {"missing"} <= set(shape.WORDS)
    assert set(shape.WORDS) - found <= {"string_unicode", "model_attributes_type"}


def keys_of(model) -> set[str]:
    """Return every key that a part of a scenario, or a part of it, may have."""
    keys = set()
    for name, (_, inner) in shape.fields_of(model).items():
        keys |= {name} | (keys_of(inner) if inner is not None else set())
    return keys


def test_some_sound_file_uses_every_key_of_the_format():
    text = "\n".join(path.read_text(encoding="utf-8") for path in OK)
    assert not {key for key in keys_of(Scenario) if not re.search(rf"\b{key}:", text)}
