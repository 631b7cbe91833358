"""The command line as a user meets it."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

START = "import sys; from gwm_models.cli import main; main()"
QUICK = ("--draws", "200")


def gwm(*words, cwd=None, check=None):
    environment = os.environ | {"COLUMNS": "200"}
    if cwd is not None:
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", START, *map(str, words)], capture_output=True, text=True, cwd=cwd, env=environment
    )
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    return folder, gwm("run", "northern-participation-2026", *QUICK, cwd=folder, check=0)


def test_a_run_prints_headline_table_and_report(ran):
    _, done = ran
    assert "By 2035 the mean Monitor total of the 20 target areas rises by" in done.stdout
    assert "90% interval" in done.stdout
    assert "Most affected areas" in done.stdout and "HLE male" in done.stdout
    assert "Report: results/runs/northern-participation-2026/report.html" in done.stdout
    assert "\x1b" not in done.stdout and done.stderr == ""


def test_a_run_writes_its_folder_from_any_place(ran):
    folder, _ = ran
    run = folder / "results/runs/northern-participation-2026"
    assert sorted(path.name for path in run.iterdir()) == [
        "areas.csv",
        "manifest.json",
        "report.html",
        "scenario.yaml",
        "summary.json",
    ]
    summary = json.loads((run / "summary.json").read_text())
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["seed"] == summary["seed"] == 20260101 and manifest["draws"] == 200
    assert len(manifest["scenario_sha256"]) == len(manifest["data_sha256"]) == 64
    with (run / "areas.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["area_code"] for row in rows}) == 118
    assert {row["level"] for row in rows} == {"", "0.5", "0.9"}
    for row in rows:
        if row["lower"] and row["quantity"] != "rank":
            assert float(row["lower"]) <= float(row["estimate"]) + 1e-6 or row["level"] == "0.5"
            assert float(row["lower"]) <= float(row["upper"])


def test_the_resolved_scenario_runs_to_the_same_numbers(ran, tmp_path):
    folder, _ = ran
    resolved = folder / "results/runs/northern-participation-2026/scenario.yaml"
    gwm("run", resolved, "--out", tmp_path / "again", check=0)
    first = json.loads((resolved.parent / "summary.json").read_text())
    again = json.loads((tmp_path / "again/summary.json").read_text())
    assert again["groups"] == first["groups"] and again["health"] == first["health"]


def test_json_and_csv_go_to_other_programs(tmp_path):
    done = gwm("run", "jobs-shock-2009", *QUICK, "--format", "json", "--out", tmp_path / "a", check=0)
    found = json.loads(done.stdout)
    assert found["summary"]["scenario"]["id"] == "jobs-shock-2009"
    assert {"area_code", "area_name", "estimate", "std_error", "lower", "upper", "n", "level"} <= set(found["areas"][0])
    done = gwm("ranks", *QUICK, "--format", "csv", check=0)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 118 and "prob_top_10" in rows[0]
    done = gwm("fit", "--format", "json", check=0)
    assert {row["term"] for row in json.loads(done.stdout)} == {"between", "within"}
    done = gwm("index", "units", "--format", "json", check=0)
    assert {row["status"] for row in json.loads(done.stdout)} == {"reproduced", "calibrated", "unknown"}
    done = gwm("index", "scores", "--format", "json", check=0)
    assert len(json.loads(done.stdout)) == 118


def test_an_area_can_be_named_in_any_case_and_is_suggested_when_misspelt():
    assert "Blackpool" in gwm("ranks", "--area", "  blackpool ", *QUICK, check=0).stdout
    done = gwm("ranks", "--area", "Blackpol", *QUICK, check=1)
    assert done.stderr == "There is no area 'Blackpol' in monitor-2021. Did you mean Blackpool?\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "no-such-scenario"], "no-such-scenario"),
        (["fit", "happiness"], "There is no outcome 'happiness'"),
        (["run", "northern-participation-2026", "--draws", "5"], "--draws"),
        (["nonsense"], "nonsense"),
        (["data", "describe", "nonsense"], "nonsense"),
    ],
)
def test_a_wrong_word_is_one_clear_error_and_exit_code_1(words, message, tmp_path):
    done = gwm(*words, cwd=tmp_path, check=1)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_used_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    for place in ("file", "full", "file/below", "/proc/gwm-run"):
        done = gwm("run", "northern-participation-2026", *QUICK, "--out", place, cwd=tmp_path, check=1)
        assert done.stderr.count("\n") == 1 and "Choose another" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]


def test_a_faulty_scenario_writes_nothing(tmp_path):
    (tmp_path / "bad.yaml").write_text("schema: gwm-scenario/1\nid: bad\n")
    done = gwm("run", "bad.yaml", cwd=tmp_path, check=1)
    assert "bad.yaml" in done.stderr and "Traceback" not in done.stderr and done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


def test_a_fault_of_the_toolkit_keeps_its_traceback_and_leaves_with_3():
    code = (
        "import sys; sys.argv = ['gwm', 'fit']; import gwm_models.models.healthy_life as h\n"
        "def broken(edition): raise RuntimeError('boom')\n"
        "h.fit_health = broken\n"
        "from gwm_models.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 3
    assert "Traceback" in done.stderr and "boom" in done.stderr and "fault of the toolkit" in done.stderr


def test_reference_results_are_written_and_a_changed_one_is_found(tmp_path):
    folder = tmp_path / "results"
    gwm("reproduce", "--folder", folder, check=0)
    done = gwm("reproduce", "--folder", folder, "--check", check=0)
    assert ": 0 outside tolerance" in done.stdout
    table = folder / "models.csv"
    table.write_text(table.read_text().replace("3.211", "3.212", 1))
    done = gwm("reproduce", "--folder", folder, "--check", check=1)
    assert "models.csv" in done.stderr and ": 1 outside tolerance" in done.stdout
    (folder / "ranks.csv").unlink()
    assert "ranks.csv cannot be read" in gwm("reproduce", "--folder", folder, "--check", check=1).stderr


def test_every_command_of_the_readme_exists():
    text = (Path(__file__).parents[1] / "README.md").read_text()
    commands = gwm("--help", check=0).stdout
    for name in ("run", "check", "schema", "ranks", "fit", "index", "data", "reproduce"):
        assert f"`gwm {name}" in text
        assert f"\n  {name} " in commands


def test_the_readme_quotes_the_answer_that_the_reference_run_gives():
    root = Path(__file__).parents[1]
    headline = json.loads((root / "results/northern-participation-2026/summary.json").read_text())["headline"]
    assert headline in " ".join((root / "README.md").read_text().split())
