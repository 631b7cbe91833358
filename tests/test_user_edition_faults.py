"""Faults of the tables of an edition of one's own, each by its message."""

import re
from pathlib import Path

import pytest
from made_up_country import country, replace_line

from gwm_models.data.user_editions import EditionError, build_edition

OUTCOME = "{id: a, label: a, unit: a, period: a, table: {variable: a, sex: a}}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return country(tmp_path / "land").relative_to(tmp_path)


def faults(folder):
    """Return the problems of a folder as lines, without its name; nothing may have been written."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(EditionError) as caught:
        build_edition(folder, Path("made"))
    assert sorted(Path().rglob("*")) == before
    return [str(problem).removeprefix("land/") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("file", "line", "text", "message"),
    [
        (
            *("areas.csv", 3, "Z00,Town 1,Coast,10100,6100"),
            "areas.csv:3:1: error: area_code: 'Z00' is already on line 2. Fix: give each area one row, and its own "
            "code and name.",
        ),
        (
            *("areas.csv", 3, "Z01,town  0,Coast,10100,6100"),
            "areas.csv:3:2: error: area_name: 'town  0' is already on line 2. Fix: give each area one row, and its own "
            "code and name.",
        ),
        (
            *("areas.csv", 4, "Z02,Town 2,Plain,many,6200"),
            "areas.csv:4:4: error: population: expected a number, found 'many'. Fix: write digits, with a point for "
            "decimals.",
        ),
        (
            *("areas.csv", 4, "Z02,Town 2,Plain,6000,6200"),
            "areas.csv:4:5: error: population_16_64: expected more than 0 and at most the population, found 6200. Fix: "
            "correct it.",
        ),
        (
            *("areas.csv", 4, "Z02,Town 2,,10200,6200"),
            "areas.csv:4:3: error: region_name: the cell is empty, expected a value. Fix: give the value, or drop the "
            "row.",
        ),
        (
            *("areas.csv", 1, "area_code,area_name,region_name,poplation,population_16_64"),
            "areas.csv:1:1: error: the column population is missing. Fix: the first line must have area_code,area_name,"
            "region_name,population.",
        ),
        (
            *("indicators.csv", 2, "Z77,jobless,2,1,3"),
            "indicators.csv:2:1: error: area_code: unknown area 'Z77'. Did you mean Z27 or Z17 or Z07?. Fix: use one "
            "of areas.csv, or add it.",
        ),
        (
            *("indicators.csv", 2, "Z00,joblss,2,1,3"),
            "indicators.csv:2:2: error: indicator: unknown indicator 'joblss'. Did you mean jobless?. Fix: use one of "
            "index.yaml, or add it.",
        ),
        (
            *("indicators.csv", 2, "Z00,jobless,,1,3"),
            "indicators.csv:2:3: error: value: the value is missing. Fix: give it: nothing is filled in, and nothing "
            "left out.",
        ),
        (
            *("indicators.csv", 2, "Z00,jobless,2,2.5,3"),
            "indicators.csv:2:3: error: value: the limits 2.5 to 3 do not hold the value 2. Fix: correct one of the "
            "three.",
        ),
        (
            *("indicators.csv", 2, "Z00,jobless,2,1,"),
            "indicators.csv:2:5: error: upper_95: one limit without the other. Fix: give both limits, or neither.",
        ),
        (
            *("indicators.csv", 2, "Z00,jobless,nan,1,3"),
            "indicators.csv:2:3: error: value: expected a number, found 'nan'. Fix: write digits, with a point for "
            "decimals.",
        ),
        (
            *("indicators.csv", 2, '"Z00,jobless",2,1,3'),
            "indicators.csv:2:1: error: the row has 4 cells, expected 5. Fix: give every cell of the row, and quote "
            "one that holds a comma.",
        ),
        (
            *("indicators.csv", 2, "Z00,jobless,102,101,103"),
            "indicators.csv:2:3: error: value: 'jobless' cannot be 102: its hard limits are 0 to 100. Fix: correct the "
            "value, or hard_limits in index.yaml.",
        ),
        (
            *("indicators.csv", 5, "Z00,jobless,2,1,3\nZ01,jobless,5.5,5,6"),
            "indicators.csv:5:1: error: area_code: 'jobless' of Z00 is already on line 2. Fix: keep one of the two "
            "rows.",
        ),
        (
            *("indicators.csv", 2, None),
            "indicators.csv: error: no value of 'jobless' for Z00. Fix: add a row for each area: nothing is filled in.",
        ),
        (
            *("borders.csv", 2, "Z00,Z00"),
            "borders.csv:2:2: error: area_code_2: Z00 borders itself. Fix: drop the row.",
        ),
        (
            *("borders.csv", 3, "Z01,Z00"),
            "borders.csv:3:1: error: area_code_1: this pair is already on line 2. Fix: give each pair once.",
        ),
        (
            *("index.yaml", 17, "    bounds: {from: dta}"),
            "index.yaml:17:5: error: indicators.jobless.bounds: bounds from data are {from: data} and nothing else. "
            "Fix: write that.",
        ),
        (
            *("index.yaml", 17, "    bounds: {status: calibrated}"),
            "index.yaml:17:5: error: indicators.jobless.bounds: the bounds of an edition are stated, not calibrated. "
            "Fix: write {status: stated, low: ..., high: ...} or {from: data}.",
        ),
        (
            *("index.yaml", 17, "    bounds: {status: stated, low: 20, high: 20}"),
            "index.yaml:17:5: error: indicators.jobless.bounds: low 20 must be below high 20: equal bounds leave "
            "nothing to score. Fix: correct the bounds.",
        ),
        (
            *("index.yaml", 8, "  - {id: reward, label: Reward}\n  - {id: hours, label: Hours}"),
            "index.yaml:9:5: error: domains.hours: domain 'hours' has no indicator. Fix: give it one, or drop it.",
        ),
        (
            *("index.yaml", 8, "  - {id: reward, label: Reward, parent: access}"),
            "index.yaml:8:33: error: domains.reward.parent: domains of an edition are not nested. Fix: drop parent.",
        ),
        (
            *("index.yaml", 1, f"schema: gwm-index/1\noutcomes: [{OUTCOME}]"),
            "index.yaml:2:1: error: outcomes: a folder of an edition holds no outcomes. Fix: drop outcomes.",
        ),
        (
            *("index.yaml", 16, "    source: made up\n    sampling: {kind: assumed}"),
            "index.yaml:17:5: error: indicators.jobless.sampling: an edition takes its sampling errors from "
            "indicators.csv. Fix: drop sampling.",
        ),
        (
            *("index.yaml", 5, "scale: {low: 0, high: 100"),
            "index.yaml:6:8: error: expected ',' or '}', but got ':'. Fix: correct the YAML here.",
        ),
    ],
)
def test_a_fault_is_named_with_its_place_and_its_mend(folder, file, line, text, message):
    replace_line(folder / file, line, text)
    assert [found for found in faults(folder) if found.startswith(message)], faults(folder)


def test_all_faults_of_all_files_come_at_once(folder):
    replace_line(folder / "areas.csv", 3, "Z01,Town 1,Coast,-1,6100")
    replace_line(folder / "indicators.csv", 2, "Z00,jobless,x,1,3")
    replace_line(folder / "indicators.csv", 3, "Z00,active,60,61,62")
    replace_line(folder / "borders.csv", 2, "Z00,Z99")
    replace_line(folder / "index.yaml", 13, "    direction: up")
    found = faults(folder)
    assert [line.split(": ")[0] for line in found] == [
        "areas.csv:3:4",
        "areas.csv:3:5",
        "borders.csv:2:2",
        "index.yaml:13:5",
        "indicators.csv:2:3",
        "indicators.csv:3:3",
    ]


def test_an_indicator_that_is_the_same_everywhere_is_refused(folder):
    text = (folder / "indicators.csv").read_text(encoding="utf-8")
    (folder / "indicators.csv").write_text(re.sub(r"(pay),\d+", r"\1,500", text), encoding="utf-8")
    assert faults(folder) == [
        "indicators.csv: error: 'pay' is 500 in every area: it tells no area from another. Fix: correct its values, or "
        "drop it from index.yaml."
    ]


@pytest.mark.parametrize("name", ["areas.csv", "indicators.csv", "borders.csv", "index.yaml"])
def test_a_file_that_is_not_utf8_or_is_empty_is_named_alone(folder, name):
    path = folder / name
    kept = path.read_bytes()
    path.write_bytes(kept[:20] + b"\xe9" + kept[20:])
    line = kept[:20].count(b"\n") + 1
    column = 20 - kept[:20].rfind(b"\n")
    assert faults(folder) == [f"{name}:{line}:{column}: error: byte 0xe9 is not UTF-8. Fix: save the file as UTF-8."]
    path.write_bytes(b"")
    assert [found.split(" Fix")[0] for found in faults(folder)] == [f"{name}:1:1: error: the file is empty."]


@pytest.mark.parametrize("name", ["areas.csv", "indicators.csv", "index.yaml"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert faults(folder) == [
        f"{name}: error: the file is missing. Fix: a folder of an edition holds index.yaml, areas.csv, indicators.csv."
    ]
