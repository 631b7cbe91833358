"""Tools for those who write scenarios: a file to begin with, a scenario in words, what differs between two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import made_scenario
import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from typer.testing import CliRunner

from gwm_models.cli import init as init_module
from gwm_models.cli.diff import diff
from gwm_models.cli.explain import explain as explain_command
from gwm_models.cli.init import init
from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.errors import OutputError, ScenarioError
from gwm_models.scenarios.difference import differences
from gwm_models.scenarios.explain import explain
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping, read_scenario, shipped_scenarios
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.starter import Answers, levers, slug, starter_text

WORDS = load_vocabulary()
LEVERS = tuple(levers(WORDS))


@lru_cache
def shipped(name: str) -> Scenario:
    return read_scenario(shipped_scenarios()[name]).scenario


def parsed(text: str) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(text))


def resolved(content: dict[str, Any]) -> Scenario:
    scenario, problems = check_mapping(content)
    assert scenario is not None, problems
    return scenario


def content_of(name: str) -> dict[str, Any]:
    return parsed(shipped_scenarios()[name].read_text("utf-8"))


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    for command in (init, explain_command, diff):
        app.command()(command)
    return app


# gwm init


@pytest.mark.parametrize("change", LEVERS)
def test_a_first_file_of_every_lever_is_sound_without_a_warning_and_runs(tmp_path, change):
    file = tmp_path / "first.yaml"
    file.write_text(starter_text(Answers(id="first", title="First", question="What then?", change=change), WORDS))
    checked = read_scenario(file)
    assert checked.warnings == ()
    analysis = checked.scenario.analysis.model_copy(update={"draws": 100})
    found = project(checked.scenario.model_copy(update={"analysis": analysis}), variance=False)
    assert found.treated.sum() == 20
    assert found.change[:, found.treated].any()


def test_a_first_size_is_in_the_better_direction():
    for name, sign in (("unemployment_rate", -1), ("economic_activity_rate", 1), ("median_pay", 1)):
        text = starter_text(Answers(id="a", title="A", question="B?", change=name), WORDS)
        assert np.sign(parsed(text)["actions"][0]["change"]["value"]) == sign


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=80)


@settings(max_examples=25)
@given(title=TEXTS.filter(str.strip), question=TEXTS.filter(str.strip))
def test_any_title_and_question_come_back_as_they_were_said(title, question):
    text = starter_text(Answers(id="any", title=title, question=question), WORDS)
    assert (parsed(text)["title"], parsed(text)["question"]) == (title, question)


def test_answers_that_make_no_scenario_are_refused_with_the_fault_and_write_nothing(tmp_path, app):
    file = tmp_path / "new.yaml"
    result = CliRunner().invoke(app, ["init", str(file), "--region", "Sout East"])
    assert isinstance(result.exception, ScenarioError)
    assert "unknown region 'Sout East' (did you mean 'South East'" in str(result.exception)
    assert not file.exists()
    with pytest.raises(ScenarioError, match="did you mean 'median_pay'"):
        starter_text(Answers(id="a", title="A", question="B?", change="median_pey"), WORDS)
    with pytest.raises(ScenarioError, match="hidden character"):
        starter_text(Answers(id="a", title="A\u200bB", question="B?"), WORDS)


def test_options_say_everything_without_a_terminal(tmp_path, app):
    file = tmp_path / "North pay.yaml"
    options = ["--change", "median_pay", "--size", "15", "--area", "Kingston upon Hull, City of", "--area", "Halton"]
    result = CliRunner().invoke(app, ["init", str(file), *options, "--start", "2027", "--end", "2034", "--cost", "12"])
    assert result.exit_code == 0, result.exception
    assert result.stdout.startswith(f"Wrote {file}. Next: gwm check '{file}'")
    scenario = read_scenario(file).scenario
    action = scenario.actions[0]
    assert (scenario.id, scenario.horizon.start, scenario.horizon.end) == ("north-pay", 2027, 2034)
    assert (action.change.value, action.change.unit) == (15, "GBP_per_week")
    assert action.target.areas == ("E06000010", "E06000006") and action.target.worst is None
    assert action.cost is not None and action.cost.recurring is not None and action.cost.recurring.value == 12


def test_an_existing_file_is_kept_unless_it_is_to_be_replaced(tmp_path, app):
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    result = CliRunner().invoke(app, ["init", str(file)])
    assert isinstance(result.exception, OutputError) and "--force" in str(result.exception)
    assert file.read_text() == "mine"
    assert CliRunner().invoke(app, ["init", str(file), "--force", "--everyone"]).exit_code == 0
    assert read_scenario(file).scenario.actions[0].target.everyone


def test_on_a_terminal_it_asks_again_until_an_answer_is_known(tmp_path, app, monkeypatch):
    monkeypatch.setattr(init_module, "_asks", lambda: True)
    file = tmp_path / "asked.yaml"
    answers = ["pay", "median_pay", "much", "25", "regions", "North Eest", "north east; North West", "A title", ""]
    result = CliRunner().invoke(app, ["init", str(file)], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "Not known: North Eest" in result.output
    scenario = read_scenario(file).scenario
    action = scenario.actions[0]
    assert (scenario.title, action.indicator, action.change.value) == ("A title", "median_pay", 25)
    assert action.target.regions == ("North East", "North West")
    assert scenario.question == "What does it change by 2035, where, and how sure is that?"


@pytest.mark.parametrize(
    ("answers", "target"),
    [
        (["worst", "7"], {"worst": {"by": "total", "n": 7}}),
        (["everyone"], {"everyone": True}),
        (["areas", "Hartlepool; e06000010"], {"areas": ["E06000001", "E06000010"]}),
    ],
)
def test_each_answer_to_where_becomes_its_target(tmp_path, app, monkeypatch, answers, target):
    monkeypatch.setattr(init_module, "_asks", lambda: True)
    file = tmp_path / "asked.yaml"
    options = ["--change", "unemployment_rate", "--size", "-1", "--title", "T", "--question", "Q?"]
    result = CliRunner().invoke(app, ["init", str(file), *options], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    found = read_scenario(file).scenario.actions[0].target.model_dump(mode="json", exclude_none=True)
    assert {key: value for key, value in found.items() if value} == target


def test_a_folder_that_is_made_is_named(tmp_path, app):
    file = tmp_path / "new" / "deep" / "first.yaml"
    lines = CliRunner().invoke(app, ["init", str(file)]).stdout.splitlines()
    assert lines[0] == f"Made the folder {file.parent}."
    assert lines[1].startswith(f"Wrote {file}.")
    again = CliRunner().invoke(app, ["init", str(file.with_name("second.yaml"))]).stdout
    assert again.startswith("Wrote ")


def test_a_text_becomes_an_id_that_a_scenario_may_have():
    assert slug("Züge & 2026 – more") == "z-ge-2026-more"


# gwm explain


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_the_areas_explained_are_those_that_the_run_reaches(name):
    scenario = shipped(name)
    found = explain(scenario)
    analysis = scenario.analysis.model_copy(update={"draws": 100})
    run = project(scenario.model_copy(update={"analysis": analysis}), variance=False)
    assert len(found.actions) == len(run.selections)
    for action, chosen in zip(found.actions, run.selections, strict=True):
        assert [code for code, _, _ in action.areas] == [
            run.edition.areas.code[i] for i in np.flatnonzero(chosen.treated)
        ]


def test_the_example_of_the_design_is_said_in_plain_english():
    found = explain(shipped("northern-participation-2026"))
    action = found.actions[0]
    assert action.what == (
        "Economic activity rate, ages 16-64: +2 percentage points (90% range 0.5 to 3.2; standard deviation between "
        "areas 0.5); linear from 2026, full by 2029."
    )
    assert action.who == (
        "The worst 20 by the total among the areas of North East, North West and Yorkshire and the Humber: 20 areas."
    )
    assert "Not additional: deadweight 20%, displacement 10%, leakage 5%." in action.lines
    assert "Neighbours that it does not reach receive 10% of the mean additional change around them." in action.lines
    assert any(line.startswith("Cost: £40 for each resident aged 16 to 64") for line in action.lines)
    assert any("published mean of the total would be expected to move by +6.0 points" in line for line in action.lines)
    assert any("Median gross weekly pay" in line for line in found.left_out)


def test_what_is_taken_for_granted_is_said():
    stoke = explain(shipped("stoke-to-the-average"))
    assert any(line.startswith("Sizes taken as certain") for line in stoke.assumed)
    assert any(line.startswith("Nothing would have happened anyway") for line in stoke.assumed)
    assert any(line.startswith("Costs of: economic-activity-rate") for line in stoke.left_out)
    skills = explain(shipped("skills-nvq4"))
    assert any("an association is no proof of cause" in line for line in skills.assumed)
    assert "go on along their damped trends" in skills.setting[1]
    pay = explain(shipped("wealth-building-pay"))
    assert any("what was found elsewhere (Preston" in line for line in pay.assumed)
    assert any(
        "Rose TC" in line and "gwm evidence preston-wealth-building-2023" in line for line in pay.actions[0].lines
    )
    shock = explain(shipped("recession-2009"))
    assert any("falls on the same areas" in line for line in shock.assumed)
    assert not any(line.startswith("Costs of") for line in shock.left_out)


def test_goals_and_sweeps_say_what_they_look_for():
    goal = explain(shipped("participation-goal")).search
    assert goal[:2] == (
        "One number is free: Participation: size of change, pp (actions.participation.change.value), from 0 to 12; the "
        "file has 2.",
        "Wanted, with a probability of 80% or more: Gap between the best and the worst tenth of areas: fall of 10% or "
        "more in 2035.",
    )
    assert goal[-1] == "The interval of a size keeps its proportion to it."
    sweep = explain(shipped("participation-sweep")).search
    assert sweep[0].startswith("The scenario is run 64 times, spread evenly over the ranges together (Sobol sequence).")
    assert sweep[0].endswith("3 numbers are free together:")
    assert sweep[3].endswith(
        "share of residents reached (actions.participation.reach), from 0.3 to 1; the file has 0.8."
    )
    assert sweep[-1].startswith("Recorded for 2035 in each run: Total, mean of the target areas: change (points); ")


def free(goal: dict[str, Any] | None = None, sweep: dict[str, Any] | None = None) -> tuple[str, ...]:
    push = {
        "id": "push",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
        "target": {"regions": ["North East"]},
        "phasing": {"start": 2026, "full_by": 2028},
    }
    block = {"goal": goal} if goal else {"sweep": sweep}
    return explain(made_scenario.scenario(push, kind="goal" if goal else "sweep", **block)).search


def test_a_year_that_is_free_is_said_as_a_year_and_a_level_as_what_is_reached():
    vary = {"path": "actions.push.phasing.full_by", "low": 2026, "high": 2030}
    measure = {"quantity": "rank", "group": "North East", "state": "scenario"}
    said = free(goal={"vary": vary, "measure": measure, "at_most": 70.0, "probability": 0.5})
    assert said[0].endswith(
        "year of the whole change (actions.push.phasing.full_by), from 2026 to 2030; the file has 2028."
    )
    assert said[1].endswith("Rank (1 is best), mean of North East: 70 or less in 2030.")
    assert len(said) == 3


def test_a_grid_is_said_by_its_values_or_its_steps():
    size = {"path": "actions.push.change.value", "values": [2.0]}
    assert free(sweep={"vary": [size]})[:2] == (
        "The scenario is run once. One number is free:",
        "Push: size of change, pp (actions.push.change.value), is 2; the file has 2.",
    )
    many = size | {"values": [float(n) / 4 for n in range(1, 13)]}
    kept = {"path": "actions.push.reach", "low": 0.5, "high": 1.0}
    said = free(sweep={"vary": [many, kept], "steps": 3})
    assert said[0].startswith("The scenario is run 36 times, every combination of their values. 2 numbers are free")
    assert "one of 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5 and 2 more; the file has 2." in said[1]
    assert "from 0.5 to 1 in 3 steps; the file has 1." in said[2]


def test_a_null_is_explained_as_what_it_is():
    assert explain(shipped("nothing")).left_out == ("There is no action, so nothing changes.",)


def test_the_command_prints_words_rows_and_json(app):
    words = CliRunner().invoke(app, ["explain", "northern-participation-2026"]).stdout
    assert "North East: Redcar and Cleveland; " in words.replace("\n    ", " ")
    assert max(map(len, words.splitlines())) <= 100
    counted = CliRunner().invoke(app, ["explain", "recession-2009"]).stdout
    assert "North West 23" in counted
    rows = CliRunner().invoke(app, ["explain", "northern-participation-2026", "--format", "csv"]).stdout.splitlines()
    assert rows[0] == "action,area_code,area_name,region" and len(rows) == 21
    told = json.loads(CliRunner().invoke(app, ["explain", "northern-participation-2026", "--format", "json"]).stdout)
    assert len(told["actions"][0]["areas"]) == 20 and told["id"] == "northern-participation-2026"


# gwm diff


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_a_scenario_does_not_differ_from_itself(name):
    assert differences(shipped(name), shipped(name)) == []


def test_layout_spelling_order_and_defaults_are_no_difference():
    first = content_of("lowest-scoring-support")
    second = dict(reversed(first.items())) | {"actions": first["actions"][::-1], "health": first["health"][::-1]}
    second["actions"] = [dict(reversed(action.items())) | {"reach": 1.0} for action in second["actions"]]
    assert differences(resolved(first), resolved(second)) == []
    north = content_of("northern-participation-2026")
    target = {"regions": ["yorkshire and the humber", "North West", "north east"], "worst": {"by": "total", "n": 20}}
    again = north | {"actions": [north["actions"][0] | {"target": target}]}
    assert differences(resolved(north), resolved(again)) == []


def test_each_difference_is_named_once_with_its_place_and_what_it_can_change():
    first = content_of("northern-participation-2026")
    action = first["actions"][0]
    changed = action | {
        "change": action["change"] | {"value": 3.0},
        "target": action["target"] | {"regions": ["North East"], "exclude": ["Kingston upon Hull, City of"]},
        "evidence": {"source": "a study", "grade": "weak"},
    }
    second = first | {"title": "Another", "actions": [changed], "analysis": first["analysis"] | {"intervals": [0.9]}}
    # exclude must lie inside the regions left, so name an area of the North East
    changed["target"]["exclude"] = ["Hartlepool"]
    changed["target"]["worst"] = {"by": "total", "n": 5}
    found = {str(one): one.effect for one in differences(resolved(first), resolved(second), WORDS.areas)}
    assert found == {
        "title: Participation drive in the weakest northern areas -> Another": "words",
        "actions.participation.change.value: 2 -> 3": "results",
        "actions.participation.target.regions: only in first: [North West, Yorkshire and the Humber]": "results",
        "actions.participation.target.worst.n: 20 -> 5": "results",
        "actions.participation.target.exclude: only in second: [Hartlepool]": "results",
        "actions.participation.evidence.source: size and cost are assumptions of this illustration, not results of a "
        "study -> a study": "words",
        "actions.participation.evidence.grade: assumed -> weak": "words",
        "analysis.intervals: only in first: [0.5]": "presentation",
    }


def test_an_action_that_only_changed_its_id_is_one_difference():
    first = content_of("lowest-scoring-support")
    second = first | {"actions": [first["actions"][0] | {"id": "renamed"}, first["actions"][1]]}
    found = differences(resolved(first), resolved(second))
    assert [str(one) for one in found] == ["actions: into-work -> renamed"]


def test_actions_of_one_file_only_are_shown_whole():
    found = differences(shipped("nothing"), shipped("northern-participation-2026"))
    added = next(one for one in found if one.path == "actions.participation")
    assert added.kind == "only in second"
    assert "change: {kind: absolute, value: 2, unit: pp}" in str(added)


@given(data=st.data())
def test_the_difference_turned_round_is_the_same_seen_from_the_other_side(data):
    names = sorted(shipped_scenarios())
    one, other = (shipped(data.draw(st.sampled_from(names))) for _ in range(2))
    there, back = differences(one, other), differences(other, one)
    assert {found.path for found in there} == {found.path for found in back}


def test_the_command_groups_differences_by_what_they_can_change(app, tmp_path):
    text = shipped_scenarios()["northern-participation-2026"].read_text("utf-8")
    file = tmp_path / "other.yaml"
    file.write_text(text.replace("value: 2.0", "value: 2.5").replace("title: Part", "title: A part"))
    result = CliRunner().invoke(app, ["diff", "northern-participation-2026", str(file)])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == [
        "Results can differ for this:",
        "  actions.participation.change.value: 2 -> 2.5",
    ]
    same = CliRunner().invoke(app, ["diff", "nothing", "nothing"])
    assert same.stdout == "The two scenarios mean the same.\n"
    told = json.loads(CliRunner().invoke(app, ["diff", "nothing", str(file), "--format", "json"]).stdout)
    assert not told["same"] and told["differences"]


def test_long_differences_are_wrapped_on_a_terminal_and_one_line_elsewhere(app, monkeypatch, capsys):
    words = ["diff", "nothing", "northern-participation-2026"]
    piped = CliRunner().invoke(app, words).stdout.splitlines()
    assert any(len(line) > 300 for line in piped)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    diff(words[1], words[2])
    wrapped = capsys.readouterr().out.splitlines()
    assert max(map(len, wrapped)) <= 60
    assert " ".join(" ".join(wrapped).split()) == " ".join(" ".join(piped).split())


def test_the_tools_load_no_library_of_tables(tmp_path):
    code = (
        "import sys; from pathlib import Path; from gwm_models.cli.init import init;"
        "from gwm_models.cli.diff import diff;"
        "from gwm_models.cli.output import Format;"
        "init(Path('a.yaml'), None, None, None, None, None, None, None, 'total', False, 2026, None, None, None, "
        "'monitor-2021', False); diff('nothing', 'a.yaml', Format.table);"
        "print(sorted({'pandas', 'scipy', 'statsmodels', 'pymc'} & set(sys.modules)))"
    )
    root = str(Path(init_module.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout.splitlines()[-1] == "[]"
