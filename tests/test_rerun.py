"""A run folder can be run again: the same numbers bit for bit, or a reason why not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import h5netcdf
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from gwm_models.cli.rerun import rerun as rerun_command
from gwm_models.errors import DataError
from gwm_models.report.draws_file import quantities
from gwm_models.report.rerun import rerun
from gwm_models.report.run_folder import code_hash, run_scenario
from gwm_models.scenarios.measured import measure_draws
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.reader import CheckedScenario, read_scenario, shipped_scenarios
from gwm_models.scenarios.spec import Measured, Scenario

NAME = "northern-participation-2026"


def checked(draws: int = 100) -> tuple[CheckedScenario, Scenario]:
    found = read_scenario(shipped_scenarios()[NAME])
    analysis = found.scenario.analysis.model_copy(update={"draws": draws})
    return found, found.scenario.model_copy(update={"analysis": analysis})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    run_scenario(*checked(), folder, command="gwm run", draws_file=True)
    return folder


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(rerun_command)
    return app


def copied(run: Path, place: Path) -> Path:
    place.mkdir()
    for file in run.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    return place


def changed(folder: Path, **entries: object) -> Path:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
    return path


def test_the_manifest_keeps_the_hash_of_the_numbers_as_they_lie_in_the_folder(run):
    kept = json.loads((run / "manifest.json").read_text())
    assert kept["results_sha256"] == {
        name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in ("areas.csv", "summary.json")
    }
    assert kept["code_sha256"] == code_hash()


def test_a_run_comes_out_the_same_bit_for_bit(run, tmp_path):
    again = tmp_path / "again"
    found = rerun(run / "manifest.json", again)
    assert found.same and found.files == {"areas.csv": True, "summary.json": True}
    for name in ("areas.csv", "summary.json", "scenario.yaml"):
        assert (run / name).read_bytes() == (again / name).read_bytes()


def test_a_folder_stands_for_its_manifest_and_nothing_is_left_behind(run):
    before = sorted(path.name for path in run.parent.iterdir())
    assert rerun(run).same
    assert sorted(path.name for path in run.parent.iterdir()) == before


def test_another_version_with_the_same_numbers_is_named_and_no_failure(run, tmp_path, app):
    path = changed(copied(run, tmp_path / "run"), python="3.0.0", package_versions={"numpy": "0.1"})
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 0
    assert "the same, bit for bit, though these differ: Python (3.0.0 then" in result.stdout
    assert "numpy (0.1 then" in result.stdout


def test_other_numbers_fail_with_what_differs_and_where(run, tmp_path, app):
    folder = copied(run, tmp_path / "run")
    summary = json.loads((folder / "summary.json").read_text())
    summary["groups"][0]["estimate"] += 1
    (folder / "summary.json").write_text(json.dumps(summary))
    kept = json.loads((folder / "manifest.json").read_text())["results_sha256"]
    path = changed(folder, results_sha256=kept | {"summary.json": "0" * 64}, data_sha256="1" * 64)
    result = CliRunner().invoke(app, [str(path)])
    assert result.exit_code == 1
    assert "The numbers differ (summary.json). What differs: shipped data (111111111111 then" in result.stdout
    assert "  groups.1.estimate" in result.stdout
    told = json.loads(CliRunner().invoke(app, [str(path), "--format", "json"]).stdout)
    assert not told["same"] and told["files"] == {"areas.csv": True, "summary.json": False}
    assert told["changed"] == ["groups.1.estimate"]


def test_other_numbers_with_nothing_else_different_are_our_fault(run, tmp_path):
    folder = copied(run, tmp_path / "run")
    kept = json.loads((folder / "manifest.json").read_text())["results_sha256"]
    (folder / "areas.csv").write_text("other numbers")
    other = hashlib.sha256(b"other numbers").hexdigest()
    path = changed(folder, results_sha256=kept | {"areas.csv": other}, code_sha256=code_hash())
    found = rerun(path)
    assert not found.same and not found.edited
    assert "fault of the toolkit" in found.words


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("areas.csv", "areas.csv is not the file that was written"),
        ("summary.json", "summary.json is not the file that was written"),
        ("manifest.json", "the manifest says seed 7, the scenario that was run says 20260101"),
    ],
)
def test_a_folder_that_was_changed_after_the_run_is_not_vouched_for(run, tmp_path, app, file, words):
    folder = copied(run, tmp_path / "run")
    if file == "manifest.json":
        changed(folder, seed=7)
    else:
        (folder / file).write_text((folder / file).read_text().replace("1", "2"))
    result = CliRunner().invoke(app, [str(folder)])
    assert result.exit_code == 1
    assert f"The folder was changed after the run: {words}" in result.stdout
    assert "bit for bit" not in result.stdout
    assert result.stdout.count("A fresh run gives the numbers that the manifest keeps") == 1
    assert "fault of the toolkit" not in result.stdout
    told = json.loads(CliRunner().invoke(app, [str(folder), "--format", "json", "--out", str(folder)]).stdout)
    assert told["same"] and told["edited"] == [words], "where the new run takes the place of the old"


@pytest.mark.parametrize("file", ["areas.csv", "summary.json"])
@pytest.mark.parametrize("how", ["is missing", "cannot be read"])
def test_a_file_that_is_gone_is_named_and_fails(run, tmp_path, app, file, how):
    folder = copied(run, tmp_path / "run")
    (folder / file).unlink()
    if how != "is missing":
        (folder / file).mkdir()
    result = CliRunner().invoke(app, [str(folder)])
    assert result.exit_code == 1
    assert f"The folder was changed after the run: {file} {how}" in result.stdout
    assert "bit for bit" not in result.stdout


@pytest.mark.parametrize(("kind", "file"), [("goal", "question.yaml"), ("comparison", None)])
def test_the_manifest_of_another_kind_of_folder_says_what_to_run(tmp_path, kind, file):
    path = tmp_path / "manifest.json"
    content = {"schema": "gwm-manifest/1", "kind": kind, "command": "gwm compare a b"}
    content |= {"file": file} if file else {}
    path.write_text(json.dumps(content))
    command = f"gwm goal {tmp_path / 'question.yaml'} --out again" if file else "gwm compare a b"
    with pytest.raises(DataError, match=f"manifest of a {kind}, not of a run. Run it again with: {command}$"):
        rerun(path)


def test_a_run_of_an_earlier_version_is_held_against_the_files_beside_it(run, tmp_path):
    folder = copied(run, tmp_path / "run")
    path = folder / "manifest.json"
    kept = json.loads(path.read_text())
    del kept["results_sha256"], kept["code_sha256"]
    path.write_text(json.dumps(kept))
    assert rerun(path).same
    (folder / "areas.csv").unlink()
    with pytest.raises(DataError, match="keeps no hash of the numbers"):
        rerun(path)


def test_a_scenario_that_was_changed_since_is_refused(run, tmp_path):
    folder = copied(run, tmp_path / "run")
    text = (folder / "scenario.yaml").read_text()
    assert "value: 2.0" in text
    (folder / "scenario.yaml").write_text(text.replace("value: 2.0", "value: 2.5"))
    with pytest.raises(DataError, match="is not the scenario of this run"):
        rerun(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("{", "cannot be read as a manifest"),
        ("[]", "is not the manifest of a run"),
        ('{"schema": "gwm-comparison/1"}', "is not the manifest of a run"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path, text, words):
    path = tmp_path / "manifest.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=words):
        rerun(path)


@pytest.fixture(scope="module")
def projection() -> Projection:
    return project(checked()[1], variance=False)


def test_the_draws_file_holds_every_draw_of_every_quantity_under_its_name(run, projection):
    with h5netcdf.File(run / "draws.nc", "r", decode_vlen_strings=True) as file:
        assert file["baseline"].dimensions == ("draw", "area", "quantity")
        assert list(file["area"][...]) == list(projection.edition.areas.code)
        names = list(file["quantity"][...])
        assert names[0] == "total" and {"rank", "healthy_life_expectancy_male", "median_pay"} <= set(names)
        change = file["difference"][...]
        for quantity in quantities(projection):
            assert np.array_equal(change[:, :, names.index(quantity.id)], quantity.change.astype("f4"))
        assert list(file["year"][...]) == list(projection.years)
        groups = list(file["group"][...])
        assert np.allclose(
            file["group_change"][groups.index("Target areas"), -1], projection.history["Target areas"][-1], atol=1e-4
        )


def test_a_measure_can_be_worked_out_again_from_the_draws_file(run, projection):
    with h5netcdf.File(run / "draws.nc", "r", decode_vlen_strings=True) as file:
        names = list(file["quantity"][...])
        total = file["difference"][:, projection.treated, names.index("total")]
    ours = measure_draws(projection, Measured(quantity="total"))
    assert np.allclose(total.mean(axis=1), ours, atol=1e-3)


def test_the_draws_file_opens_in_xarray_whole(run):
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(run / "draws.nc", engine="h5netcdf") as opened:
        assert opened["difference"].sel(quantity="total").shape == (100, 118)
        assert opened["unit"].sel(quantity="median_pay").item() == "GBP_per_week"


def test_a_run_without_health_and_without_draws_file_has_neither(tmp_path):
    found, scenario = checked()
    run_scenario(found, scenario.model_copy(update={"health": ()}), tmp_path / "a", command="x", draws_file=True)
    with h5netcdf.File(tmp_path / "a" / "draws.nc", "r") as file:
        assert "outcome" not in file.dimensions
    run_scenario(found, scenario, tmp_path / "a", command="x")
    assert not (tmp_path / "a" / "draws.nc").exists()
