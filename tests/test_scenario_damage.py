"""Scenario files that cannot be read, or were made to do harm."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_corpus import OK, checked, lines_of, with_change

from gwm_models.errors import ScenarioError
from gwm_models.scenarios.reader import check_scenario, read_scenario


def test_a_missing_file_is_one_line(tmp_path):
    path = tmp_path / "none.yaml"
    assert lines_of(path) == [f"{path}: error: no such file. Fix: check the name and the folder."]


def test_a_folder_is_one_line(tmp_path):
    fix = "Fix: name a .yaml file inside it."
    assert lines_of(tmp_path) == [f"{tmp_path}: error: is a folder, not a scenario file. {fix}"]


def test_a_pipe_is_refused_without_waiting(tmp_path):
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    assert lines_of(path) == [f"{path}: error: is not a regular file. Fix: name a .yaml file."]


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_name_that_no_file_can_have_is_one_line(name):
    lines = lines_of(Path(name))
    assert len(lines) == 1
    assert " error: " in lines[0]


def test_a_file_without_permission_is_one_line(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "closed.yaml"
    path.write_text("schema: gwm-scenario/1\n")
    monkeypatch.setattr(Path, "open", refuse)
    findings = "cannot be read (Permission denied). Fix: check its name and permissions."
    assert lines_of(path) == [f"{path}: error: {findings}"]


def test_a_file_over_a_megabyte_is_refused(tmp_path):
    fix = "a scenario is a few kilobytes; check that this is one"
    assert checked(tmp_path, "#" * 1_000_001) == [f"error: is larger than 1 MB. Fix: {fix}."]


BOMBS = {
    "aliases that multiply": "a: &a [x, x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)),
    "an anchor inside itself": "a: &a [*a, *a]\n",
    "brackets": "a: " + "[" * 200_000,
    "braces": "{a: " * 100_000,
    "questions": "? " * 200_000,
    "many keys": "".join(f"k{i}: 1\n" for i in range(60_000)),
    "one key many times": "k: 1\n" * 100_000,
    "many tags": "a:\n" + "- !x 1\n" * 60_000,
    "many documents": "---\n" * 100_000,
    "a long word": "a: " + "x" * 900_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_file_made_to_exhaust_is_refused_soon(tmp_path, text):
    started = time.process_time()
    lines = checked(tmp_path, text)
    assert time.process_time() - started < 3
    assert 0 < len(lines) <= 201


@pytest.mark.parametrize(
    "text",
    [
        'a: "\\U0011FFFF"',
        'a: "\\UFFFFFFFF"',
        "%YAML 1.20\n---\na: 1",
        "%YAML 3.0\n---\na: 1",
        "a: \ufffe\n: *",
    ],
)
def test_a_fault_inside_the_yaml_parser_is_one_line_with_a_place(tmp_path, text):
    lines = checked(tmp_path, text)
    assert re.match(r"\d+:\d+: error: ", lines[0])


def test_hidden_characters_are_found_wherever_they_stand(tmp_path):
    text = with_change("id: northern", 'id: "north\\u200bern')
    text = text.replace("participation-2026\n", 'participation-2026"\n', 1).replace("weakest", "weak\u2066est")
    text = text.replace("# absolute", "# abso\u200dlute")
    lines = checked(tmp_path, text)
    assert [re.sub(r"\. Fix.*", "", line) for line in lines] == [
        "2:5: error: id: hidden character \\u200b in a text",
        "3:39: error: hidden character \\u2066",
        "10:65: error: hidden character \\u200d",
    ]


GOOD = [path.read_text(encoding="utf-8") for path in OK]
SCRAPS = [
    "[",
    "}",
    ":",
    "- ",
    "'",
    '"',
    "\\",
    "&a ",
    "*a",
    "!x ",
    "\t",
    "---\n",
    "%",
    "null",
    "1e999",
    "true",
    "\x00",
    "é",
]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_good_file_raises_anything_but_a_scenario_error(tmp_path_factory, data):
    lines = data.draw(st.sampled_from(GOOD)).splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["delete", "repeat", "replace", "insert", "cut"])):
            case "delete" if len(lines) > 1:
                del lines[place]
            case "repeat":
                lines.insert(place, lines[data.draw(st.integers(0, len(lines) - 1))])
            case "replace":
                lines[place] = lines[data.draw(st.integers(0, len(lines) - 1))]
            case "insert":
                at = data.draw(st.integers(0, len(lines[place])))
                scrap = data.draw(st.sampled_from(SCRAPS) | st.text(max_size=3))
                lines[place] = lines[place][:at] + scrap + lines[place][at:]
            case _:
                lines[place] = lines[place][: data.draw(st.integers(0, len(lines[place])))]
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_bytes("".join(lines).encode("utf-8", "surrogatepass"))
    scenario, problems = check_scenario(path)
    assert (scenario is None) == any(problem.severity == "error" for problem in problems)
    assert problems == sorted(problems)
    assert all(str(problem).isprintable() for problem in problems)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_scenario_error(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(raw)
    with pytest.raises(ScenarioError):
        read_scenario(path)
