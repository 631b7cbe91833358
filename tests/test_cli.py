"""The command line as a user meets it."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gwm_models.cli import run_command
from gwm_models.errors import DataError

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
    done = gwm("fit", "suicide", "--spec", "total", "--format", "json", check=0)
    assert json.loads(done.stdout)[0]["excluded"] == ["Rutland (few deaths, published as unreliable)"]
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


def test_paths_that_no_file_can_have_are_one_clear_line(tmp_path):
    for words in (["run", "x" * 300], ["check", "x" * 300]):
        done = gwm(*words, cwd=tmp_path, check=1)
        assert done.stderr.count("\n") == 1 and "cannot be read" in done.stderr


def test_a_narrow_encoding_and_a_full_disk_are_no_fault_of_the_toolkit(tmp_path):
    start = "import sys; sys.argv = ['gwm', {}]; from gwm_models.cli import main; main()"
    code = start.format("'run', 'jobs-shock-2009', '--draws', '200'")
    environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", start.format("'data', 'list'")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert done.returncode == 1 and "Traceback" not in done.stderr and "cannot be written" in done.stderr


def test_a_run_with_the_largest_seed_can_be_run_again(tmp_path):
    largest = str(2**63 - 1)
    gwm("run", "jobs-shock-2009", *QUICK, "--seed", largest, "--out", "a", cwd=tmp_path, check=0)
    gwm("run", "a/scenario.yaml", "--out", "b", cwd=tmp_path, check=0)
    assert (tmp_path / "a/areas.csv").read_bytes() == (tmp_path / "b/areas.csv").read_bytes()
    assert "--seed" in gwm("run", "jobs-shock-2009", "--seed", str(2**63), cwd=tmp_path, check=1).stderr


def test_kept_results_cannot_be_changed_by_their_readers():
    from gwm_models import load_edition, points_per_unit, sampling_error

    for array in (points_per_unit(load_edition()).estimate, sampling_error(load_edition()).domain_cov):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_faulty_scenario_writes_nothing(tmp_path):
    (tmp_path / "bad.yaml").write_text("schema: gwm-scenario/1\nid: bad\n")
    done = gwm("run", "bad.yaml", cwd=tmp_path, check=1)
    assert "bad.yaml" in done.stderr and "Traceback" not in done.stderr and done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


def test_a_fault_of_the_toolkit_keeps_its_traceback_and_leaves_with_3():
    code = (
        "import sys; sys.argv = ['gwm', 'fit', 'suicide']; import gwm_models.models.catalogue as c\n"
        "def broken(*_, **__): raise RuntimeError('boom')\n"
        "c.fit_model = broken\n"
        "from gwm_models.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 3
    assert "Traceback" in done.stderr and "boom" in done.stderr and "fault of the toolkit" in done.stderr


def test_a_goal_out_of_reach_is_one_line_and_leaves_with_2():
    code = (
        "import sys; sys.argv = ['gwm', 'fit', 'suicide']; import gwm_models.models.catalogue as c\n"
        "from gwm_models.errors import InfeasibleError\n"
        "def out_of_reach(*_, **__): raise InfeasibleError('Out of reach; the best is 3.')\n"
        "c.fit_model = out_of_reach\n"
        "from gwm_models.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "Out of reach; the best is 3.\n")


def test_reference_results_are_written_and_any_change_is_found(tmp_path, capsys):
    from gwm_models.report.reference import SCENARIO, compare_results, write_results

    folder, fresh = tmp_path / "results", tmp_path / "fresh"
    write_results(folder)
    shutil.copytree(folder, fresh)
    assert compare_results(folder, fresh) == ([], compare_results(folder, fresh)[1])
    for name, old, new in (
        ("models.csv", "3.1597", "3.1697"),
        ("models.csv", "precision", "guesswork"),
        ("ranks.csv", ",502.0,1,", ",502.0,2,"),
        ("ranks.csv", ",502.0,1,", ",501.1,1,"),
        ("ranks.csv", "prob_top_10", "prob_top_11"),
        (f"{SCENARIO}/areas.csv", "South East,false", "Mars,false"),
        (f"{SCENARIO}/areas.csv", ",true,", ",false,"),
        (f"{SCENARIO}/areas.csv", ",published,502.0", ",published,503.0"),
        (f"{SCENARIO}/summary.json", '"line": "none"', '"line": "all"'),
        (f"{SCENARIO}/scenario.yaml", "value: 2.0", "value: 3.0"),
    ):
        text = (folder / name).read_text()
        assert old in text, (name, old)
        (fresh / name).write_text(text.replace(old, new, 1))
        assert compare_results(folder, fresh)[0], (name, old)
        (fresh / name).write_text(text)
    (fresh / "ranks.csv").unlink()
    with pytest.raises(DataError, match=r"ranks\.csv cannot be read"):
        compare_results(folder, fresh)


def test_simulated_numbers_may_differ_by_their_stated_tolerance_only(tmp_path):
    from gwm_models.report.reference import _compare

    row = {"quantity": "total", "state": "difference", "estimate": "10.0", "std_error": "2.0", "lower": "6.7"}

    def differs(**changes):
        return bool(_compare("areas.csv", [row], [row | changes])[0])

    assert not differs(estimate="10.19") and differs(estimate="10.21")
    assert not differs(lower="7.09") and differs(lower="7.11")
    assert differs(state="scenario") and differs(estimate="")


def test_fresh_results_agree_with_the_shipped_ones(tmp_path):
    """Posteriors have a test of their own; `gwm reproduce --check` fits them all anew."""
    from gwm_models.report.reference import compare_results, write_results

    write_results(tmp_path)
    differences, cells = compare_results(Path(__file__).parents[1] / "results", tmp_path)
    assert differences == [] and cells > 10_000


def test_reproduce_says_what_is_missing_and_leaves_with_1(tmp_path):
    from gwm_models.report.reference_fits import compare_fits

    (tmp_path / "fits").mkdir()
    differences, numbers = compare_fits(tmp_path)
    assert numbers == 0 and all("is missing. Run `gwm reproduce`." in line for line in differences)


def test_every_command_of_the_readme_exists():
    text = (Path(__file__).parents[1] / "README.md").read_text()
    listed = gwm("--help", check=0).stdout.split("Commands:\n")[1].splitlines()
    commands = {line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "}
    assert {"run", "check", "compare", "goal", "sweep", "ranks", "fit", "index", "data", "reproduce"} <= commands
    table = [line for line in text.splitlines() if line.startswith("| `gwm ")]
    for name in commands:
        assert any(f"`gwm {name}" in line or f"`{name}" in line for line in table), name
    assert {line.split("`")[1].split()[1] for line in table} <= commands


def test_the_readme_quotes_the_answer_that_the_reference_run_gives():
    root = Path(__file__).parents[1]
    headline = json.loads((root / "results/northern-participation-2026/summary.json").read_text())["headline"]
    assert headline in " ".join((root / "README.md").read_text().split())


@pytest.mark.parametrize("left", [KeyboardInterrupt(), SystemExit(130)])
def test_stopping_it_is_said_in_one_line(left, monkeypatch, capsys):
    """Click turns the interrupt into an exit with code 130; outside of it, it comes as it is."""

    def app_for(words):
        raise left

    monkeypatch.setattr("gwm_models.cli.app.app_for", app_for)
    assert run_command() == 130
    assert capsys.readouterr().err == "Stopped; no results were written.\n"
