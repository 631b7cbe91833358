"""Names of scenarios on the command line, ``gwm check`` and ``gwm schema``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from scenario_corpus import DESIGN, EIGHT, FILES, OK, expected_of
from typer.testing import CliRunner

from gwm_models.cli import app as commands
from gwm_models.cli.check import check, schema
from gwm_models.errors import ScenarioError
from gwm_models.scenarios.reader import resolve_scenario_path, shipped_scenarios
from gwm_models.scenarios.spec import Scenario, scenario_schema

# Names of scenarios


def test_a_shipped_scenario_goes_by_its_name_with_or_without_suffix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = shipped_scenarios()["northern-participation-2026"]
    assert resolve_scenario_path("northern-participation-2026") == shipped
    assert resolve_scenario_path("northern-participation-2026.yaml") == shipped


def test_a_file_comes_before_a_shipped_scenario_and_a_folder_after(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "northern-participation-2026").mkdir()
    assert resolve_scenario_path("northern-participation-2026").is_file()
    (tmp_path / "northern-participation-2026.yaml").write_text("")
    assert resolve_scenario_path("northern-participation-2026.yaml") == Path("northern-participation-2026.yaml")


def test_a_scenario_of_no_such_name_is_told_the_nearest():
    with pytest.raises(ScenarioError, match="did you mean 'northern-participation-2026'"):
        resolve_scenario_path("northern-participaton-2026")


# The commands


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(check)
    app.command()(schema)
    return app


def test_check_prints_one_line_for_a_sound_file(app):
    result = CliRunner().invoke(app, ["check", str(DESIGN)])
    summary = "ok (1 action; participation: worst 20 by total in 3 regions; 2026 to 2035)"
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{DESIGN}: {summary}\n", "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("goal", "participation: worst 12 by total; 2026 to 2035; goal over actions.participation.change.value"),
        ("sweep", "participation: worst 12 by total; 2026 to 2035; sweep of 72 points over 4 numbers"),
        ("unusual-grid", "2026 to 2035; sweep of 4 points over 1 number; 1 warning"),
        (
            "every-new-part",
            "path: 2 groups without 1 area; recession: everyone without 1 area; level-up: worst 2 by status",
        ),
        (
            "every-new-part",
            "areas with population at least 100,000 and at most 600,000 and areas with area_type equal to",
        ),
    ],
)
def test_check_says_what_a_search_runs_and_whom_a_rule_reaches(app, name, words):
    result = CliRunner().invoke(app, ["check", str(FILES / "ok" / f"{name}.yaml")])
    assert result.exit_code == 0
    assert words in result.stdout


def test_check_prints_every_fault_to_standard_error_and_fails(app):
    result = CliRunner().invoke(app, ["check", str(EIGHT), str(DESIGN)])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == expected_of(EIGHT)
    assert result.stdout.startswith(f"{DESIGN}: ok")


def test_check_takes_folders_and_names(app, tmp_path):
    result = CliRunner().invoke(app, ["check", str(FILES / "ok"), "northern-participation-2026"])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(OK) + 1
    empty = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert (empty.exit_code, empty.stderr) == (
        1,
        f"{tmp_path}: error: holds no scenario file (*.yaml). Fix: name another folder.\n",
    )


def test_check_prints_json_with_the_same_words(app):
    result = CliRunner().invoke(app, ["check", "--format", "json", str(EIGHT), "no-such-scenario"])
    broken, missing = json.loads(result.stdout)
    assert (result.exit_code, broken["ok"], len(broken["problems"])) == (1, False, 8)
    assert broken["problems"][0] == {
        "severity": "error",
        "line": 7,
        "column": 1,
        "path": "horizon",
        "what": "duplicate key 'horizon' (first at line 6)",
        "fix": "keep one of the two",
    }
    assert missing["problems"][0]["line"] == 0


def test_the_schema_names_every_key_and_is_closed_everywhere(app):
    result = CliRunner().invoke(app, ["schema"])
    printed = json.loads(result.stdout)
    assert printed == scenario_schema()
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(printed["required"]) == {"schema", "id", "title", "question", "baseline", "horizon", "actions"}
    parts = [printed, *printed["$defs"].values()]
    assert all(part["additionalProperties"] is False for part in parts)
    assert all("description" in field for part in parts for field in part["properties"].values())


def test_the_examples_of_the_schema_are_sound():
    fields = {name: field.examples[0] for name, field in Scenario.model_fields.items() if field.examples}
    assert Scenario.model_validate(fields).id == "northern-participation-2026"


def test_checking_loads_no_heavy_library():
    code = (
        "import sys; from pathlib import Path; from gwm_models.cli.check import check; "
        f"check([{str(DESIGN)!r}]); "
        "print(sorted({'numpy', 'pandas', 'scipy', 'statsmodels'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_that_is_named_is_built_alone_and_any_other_word_builds_all():
    def built(*words):
        found = commands.app_for(words)
        return len(found.registered_commands), len(found.registered_groups)

    every = (len(commands.app.registered_commands), len(commands.app.registered_groups))
    assert built("check", "run") == built("reproduce") == (1, 0)
    assert built("index", "groups") == (0, 1)
    assert built() == built("--help") == built("chekc") == every
    assert min(every) > 1
