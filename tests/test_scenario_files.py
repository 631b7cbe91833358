"""Scenario files: what is read, what is refused, and how every fault is said."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError
from scenario_corpus import BROKEN, DESIGN, EIGHT, FILES, OK, checked, expected_of, lines_of, with_change

from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.errors import ScenarioError
from gwm_models.scenarios.reader import check_mapping, check_scenario, read_scenario, shipped_scenarios
from gwm_models.scenarios.source import plain_value

# What is refused


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_is_refused_with_exactly_these_lines(path):
    assert lines_of(path) == expected_of(path)
    with pytest.raises(ScenarioError) as error:
        read_scenario(path)
    assert str(error.value).splitlines() == expected_of(path)


def test_every_broken_file_has_its_text_and_every_error_a_fix():
    assert {path.stem for path in BROKEN} == {path.stem for path in (FILES / "broken").glob("*.txt")}
    assert len(BROKEN) >= 230
    for path in BROKEN:
        assert all(problem.fix for problem in check_scenario(path)[1]), path


def test_eight_faults_at_once_are_all_named_with_line_column_and_fix():
    found = [(problem.line, problem.column, problem.path, problem.severity) for problem in check_scenario(EIGHT)[1]]
    assert found == [
        (7, 1, "horizon", "error"),
        (10, 16, "actions.participation.indicator", "error"),
        (12, 22, "actions.participation.target.areas.1", "error"),
        (13, 5, "actions.participation.phasng", "error"),
        (16, 5, "actions.jobs.change.unit", "error"),
        (18, 37, "actions.jobs.phasing.full_by", "error"),
        (19, 9, "actions.participation.id", "error"),
        (21, 37, "actions.participation.change.value", "error"),
    ]


def test_all_eight_faults_in_one_action_do_not_hide_each_other(tmp_path):
    lines = checked(
        tmp_path,
        """\
schema: gwm-scenario/1
id: crowded
title: One action, many faults
question: Are all named?
baseline: {edition: monitor-2021}
horizon: {start: 2026, end: 2035}
actions:
  - &first
    id: crowded
    id: again
    indicator: median_pai
    change: {kind: absolute, value: 9000}
    target: {areas: [Nowhere-on-Sea], wrost: {by: total, n: 0}}
    phasing: {start: 2029, full_by: 2026, shape: lineal}
    evidence: {source: none}
""",
    )
    assert [line.split(". Fix: ")[0] for line in lines] == [
        "8:5: error: anchors and aliases (&name, *name) are not read; this file has 1",
        "10:5: error: actions.crowded.id: duplicate key 'id' (first at line 9)",
        "11:16: error: actions.crowded.indicator: unknown indicator 'median_pai' (did you mean 'median_pay'?)",
        "12:5: error: actions.crowded.change.unit: missing key 'unit'",
        "12:37: error: actions.crowded.change.value: 9000 is impossible",
        "13:22: error: actions.crowded.target.areas.1: unknown area 'Nowhere-on-Sea'",
        "13:39: error: actions.crowded.target.wrost: unknown key 'wrost' (did you mean 'worst'?)",
        "13:61: error: actions.crowded.target.worst.n: must be at least 1; found the number 0",
        "14:37: error: actions.crowded.phasing.full_by: full_by 2026 is before start 2029",
        "14:50: error: actions.crowded.phasing.shape: expected 'linear', 'step', 's_curve' or 'path'; "
        "found the text 'lineal' (did you mean 'linear'?)",
        "15:5: error: actions.crowded.evidence.grade: missing key 'grade'",
    ]


KEYS = [
    (number, match.start(1) + 1, match.group(1))
    for number, line in enumerate(DESIGN.read_text(encoding="utf-8").splitlines(), start=1)
    for match in re.finditer(r"(?<![\w-])([a-z_0-9]{2,}):(?= |$)", line.split("#")[0])
]


@pytest.mark.parametrize(("line", "column", "key"), KEYS, ids=lambda value: str(value))
def test_a_key_that_loses_a_letter_is_named_where_it_stands(tmp_path, line, column, key):
    text = DESIGN.read_text(encoding="utf-8").splitlines()
    text[line - 1] = text[line - 1][: column - 1] + text[line - 1][column:]
    lines = checked(tmp_path, "\n".join(text))
    assert any(found.startswith(f"{line}:{column}: error: ") and "unknown key" in found for found in lines), lines
    if len(key) > 3:
        assert len(lines) == 1, lines
        assert f"did you mean '{key}'?" in lines[0]


def test_a_fault_of_shape_hides_no_fault_of_meaning_beside_it(tmp_path):
    text = with_change("start: 2026, full_by: 2029, shape: linear", "start: 2026, full_by: 2020, shape: 3")
    assert len(checked(tmp_path, text)) == 2


def test_more_than_two_hundred_faults_are_cut(tmp_path):
    text = with_change("regions: [North East, North West, Yorkshire and the Humber]", f"areas: [{'xyz, ' * 5000}]")
    lines = checked(tmp_path, text)
    assert len(lines) == 201
    assert lines[0].endswith("error: has more than 200 faults. Fix: mend these first.")


# What is accepted


@pytest.mark.parametrize("path", [*OK, *shipped_scenarios().values()], ids=lambda path: path.stem)
def test_a_sound_file_is_read_with_exactly_these_warnings(path):
    read = read_scenario(path)
    assert [str(warning) for warning in read.warnings] == expected_of(path)
    assert all(warning.severity == "warning" for warning in read.warnings)
    assert read.text == path.read_text(encoding="utf-8")
    assert read.path == path


def test_the_example_of_the_design_is_read_as_it_says():
    scenario = read_scenario(DESIGN).scenario
    action = scenario.actions[0]
    assert (scenario.schema_, scenario.id) == ("gwm-scenario/1", "northern-participation-2026")
    assert (action.change.value, action.change.unit) == (2.0, "pp")
    assert action.target.regions == ("North East", "North West", "Yorkshire and the Humber")
    assert (action.target.worst.by, action.target.worst.n) == ("total", 20)
    assert action.cost.recurring.years == (2026, 2035)
    assert scenario.health[0].lag.build_up == 5
    assert scenario.analysis.inequality == ("sii", "gap_10_10", "cv", "theil_region")
    assert scenario.evaluation.donors.exclude_neighbours is True


def test_names_of_areas_become_codes_and_regions_their_own_spelling():
    actions = read_scenario(FILES / "ok" / "every-kind-of-change.yaml").scenario.actions
    assert actions[0].target.areas == ("E06000009", "E06000010", "E06000047")
    assert actions[1].target.regions == ("Yorkshire and the Humber",)
    assert actions[2].target.exclude == ("E06000009",)
    assert [action.change.to for action in actions[4:]] == ["best_quintile", "E06000041"]


def test_a_scenario_without_health_gets_both_outcomes_by_the_within_slope():
    health = read_scenario(FILES / "ok" / "nothing-is-done.yaml").scenario.health
    assert [(link.outcome, link.link) for link in health] == [
        ("healthy_life_expectancy_male", "within"),
        ("healthy_life_expectancy_female", "within"),
    ]


def test_a_scenario_cannot_be_changed():
    scenario = read_scenario(DESIGN).scenario
    with pytest.raises(ValidationError, match="frozen"):
        scenario.actions[0].change.value = 3.0


def test_plain_data_is_checked_like_a_file_and_comes_back_the_same():
    scenario = read_scenario(DESIGN).scenario
    again, problems = check_mapping(scenario.model_dump(by_alias=True))
    assert (again, problems) == (scenario, [])
    content = scenario.model_dump(by_alias=True)
    content["actions"][0]["change"]["unit"] = "percent"
    broken, problems = check_mapping(content)
    assert broken is None
    assert str(problems[0]).startswith("scenario: error: actions.participation.change.unit: unit 'percent'")


def test_a_vocabulary_can_be_given_and_its_edition_is_the_one_known():
    vocabulary = load_vocabulary()
    assert check_scenario(DESIGN, vocabulary)[1] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", True),
        ("~", None),
        ("", None),
        ("0o17", 15),
        ("017", 17),
        ("-1.5e3", -1500.0),
        (".5", 0.5),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("-.inf", float("-inf")),
        ("9" * 400, float("inf")),
    ],
)
def test_plain_words_follow_the_core_schema_of_yaml_1_2(text, value):
    read = plain_value(text)
    assert (type(read), read) == (type(value), value)
