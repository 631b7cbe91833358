"""Sweeps: the points, the numbers at each, what matters, and that a stopped one goes on where it was."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import made_scenario
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from scipy.stats import qmc

from gwm_models.cli import run_command
from gwm_models.errors import DataError, ModelError, OutputError
from gwm_models.report.sweep import UNFINISHED, check_sweep_folder, toolkit_version, write_sweep
from gwm_models.scenarios.measured import measure_draws
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import read_scenario
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.sweep import run_sweep
from gwm_models.scenarios.sweep_design import Design, Factor, make_design
from gwm_models.scenarios.sweep_indices import variance_indices
from gwm_models.scenarios.sweep_results import SweepSummary
from gwm_models.scenarios.sweep_store import PointStore
from gwm_models.scenarios.versions import plain_content, version_of

CHECKOUT = Path(__file__).resolve().parents[1]
SIZE = "actions.push.change.value"
LOST = "actions.push.additionality.deadweight"
START = "actions.push.phasing.start"
TWO = [{"path": SIZE, "low": 1.0, "high": 4.0}, {"path": LOST, "low": 0.0, "high": 0.5}]


def question(sweep: dict[str, Any], draws: int = 100) -> Scenario:
    push = {
        "id": "push",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
        "uncertainty": {"low": 1.0, "high": 3.0, "level": 0.9},
        "target": {"worst": {"by": "total", "n": 5}},
        "phasing": {"start": 2026, "full_by": 2030, "shape": "linear"},
        "additionality": {"deadweight": 0.2},
        "evidence": {"source": "made up for a test", "grade": "assumed"},
    }
    return made_scenario.scenario(
        push,
        name="a-sweep",
        draws=draws,
        seed=5,
        kind="sweep",
        horizon={"start": 2026, "end": 2032},
        health=[],
        sweep={"measures": [{"quantity": "total"}, {"quantity": "gap_10_10", "state": "percent_change"}]} | sweep,
    )


def here() -> str:
    return "here"


def elsewhere() -> str:
    return str(os.getpid())


def of_function(points: np.ndarray, low: float, high: float, kind: str = "sobol") -> Design:
    return Design(kind, tuple(Factor(f"x{i}", low, high, 0.0, None) for i in range(points.shape[1])), points)


# The points


def test_a_grid_is_every_combination_the_last_number_fastest():
    vary = [{"path": SIZE, "values": [3.0, 1.0]}, {"path": LOST, "low": 0.0, "high": 0.5}]
    design = make_design(question({"vary": vary, "steps": 3}))
    assert design.points.tolist() == [list(point) for point in product([1.0, 3.0], [0.0, 0.25, 0.5])]
    assert design.paths == (SIZE, LOST)


@pytest.mark.parametrize("kind", ["sobol", "latin_hypercube"])
@pytest.mark.parametrize("n", [2, 20, 64])
def test_points_spread_through_the_space_fill_every_part_of_each_range(kind, n):
    design = make_design(question({"vary": TWO, "design": kind, "points": n}))
    unit = (design.points - [1.0, 0.0]) / [3.0, 0.5]
    assert design.points.shape == (n, 2)
    assert ((unit >= 0) & (unit <= 1)).all()
    if kind == "latin_hypercube" or n == 64:
        assert [len(set(np.floor(column * n).astype(int).tolist())) for column in unit.T] == [n, n]


def test_the_same_seed_gives_the_same_points_and_numbers_that_must_be_whole_are():
    vary = [*TWO, {"path": START, "low": 2026, "high": 2029}]
    scenario = question({"vary": vary, "design": "sobol", "points": 64})
    design = make_design(scenario)
    other = scenario.model_copy(update={"analysis": scenario.analysis.model_copy(update={"seed": 6})})
    assert (design.points == make_design(scenario).points).all()
    assert not (design.points == make_design(other).points).all()
    years, counts = np.unique(design.points[:, 2], return_counts=True)
    assert years.tolist() == [2026, 2027, 2028, 2029]
    assert (counts == 16).all()


# What matters


def ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


ISHIGAMI_FIRST, ISHIGAMI_TOTAL = [0.3139, 0.4424, 0.0], [0.5576, 0.4424, 0.2437]


def test_indices_of_the_function_of_ishigami_and_homma_are_the_known_ones():
    """Worked out from its moments with a = 7 and b = 0.1: Ishigami and Homma (1990), ISUMA 90, 398-403."""
    a, b, pi = 7.0, 0.1, np.pi
    own = 0.5 * (1 + b * pi**4 / 5) ** 2
    shared = b**2 * pi**8 * (1 / 18 - 1 / 50)
    variance = a**2 / 8 + own + shared
    first = np.array([own, a**2 / 8, 0]) / variance
    total = np.array([own + shared, a**2 / 8, shared]) / variance
    np.testing.assert_allclose([first, total], [ISHIGAMI_FIRST, ISHIGAMI_TOTAL], atol=5e-5)
    points = qmc.scale(qmc.Sobol(3, rng=1).random_base2(9), -np.pi, np.pi)
    found = variance_indices(of_function(points, -np.pi, np.pi), ishigami(points))
    assert found is not None
    np.testing.assert_allclose(found.first, first, atol=0.001)
    np.testing.assert_allclose(found.total, total, atol=0.001)
    assert found.fit > 0.999


def test_indices_agree_with_those_of_salib_from_its_own_design():
    analyze = pytest.importorskip("SALib.analyze.sobol", reason="SALib is not installed")
    sample = pytest.importorskip("SALib.sample.sobol", reason="SALib is not installed")
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[-np.pi, np.pi]] * 3}
    design = sample.sample(problem, 4096, calc_second_order=False, seed=2)
    theirs = analyze.analyze(problem, ishigami(design), calc_second_order=False, seed=2)
    points = qmc.scale(qmc.LatinHypercube(3, rng=3).random(600), -np.pi, np.pi)
    ours = variance_indices(of_function(points, -np.pi, np.pi), ishigami(points))
    assert ours is not None
    np.testing.assert_allclose(ours.first, theirs["S1"], atol=0.02)
    np.testing.assert_allclose(ours.total, theirs["ST"], atol=0.02)


def test_the_error_of_indices_covers_what_other_points_would_give():
    rng = np.random.default_rng(8)
    found = []
    for _ in range(40):
        points = rng.uniform(-1, 1, (80, 2))
        noisy = points[:, 0] + 0.5 * points[:, 1] + 0.3 * rng.standard_normal(80)
        found.append(variance_indices(of_function(points, -1, 1, "latin_hypercube"), noisy))
    first = np.array([one.first for one in found])
    error = np.array([one.first_error for one in found])
    assert (error.mean(axis=0) / first.std(axis=0) > 0.5).all()
    assert (error.mean(axis=0) / first.std(axis=0) < 2).all()


@settings(max_examples=30)
@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.integers(0, 2**16))
def test_parts_of_a_sum_and_a_product_are_split_exactly_on_a_grid(weights, seed):
    a, b, c, d = weights
    levels = tuple(np.sort(np.random.default_rng(seed).normal(size=4)).tolist())
    factors = tuple(Factor(f"x{i}", levels[0], levels[-1], 0.0, levels) for i in range(2))
    x, y = (np.array(list(product(levels, levels)))[:, i] for i in range(2))
    z = np.array(levels) - np.mean(levels)
    own = np.array([(a + c * np.mean(levels)) ** 2, (b + c * np.mean(levels)) ** 2]) * (z**2).mean()
    shared = c**2 * (z**2).mean() ** 2
    found = variance_indices(Design("grid", factors, np.column_stack([x, y])), a * x + b * y + c * x * y + d)
    assume(own.sum() + shared >= 1e-9)
    assert found is not None
    np.testing.assert_allclose(found.first, own / (own.sum() + shared), atol=1e-7)
    np.testing.assert_allclose(found.total, (own + shared) / (own.sum() + shared), atol=1e-7)
    mean = a * np.array(levels) + (b + c * np.array(levels)) * np.mean(levels) + d
    np.testing.assert_allclose(found.lines[0][1], mean, atol=1e-9)


def test_a_polynomial_over_whole_numbers_gives_what_all_of_them_give():
    levels = (1.0, 2.0, 3.0, 6.0)
    factors = tuple(Factor(f"x{i}", 1.0, 6.0, 1.0, levels) for i in range(2))
    grid = np.array(list(product(levels, levels)))
    points = np.repeat(grid, 3, axis=0)
    exact = variance_indices(Design("grid", factors, grid), grid[:, 0] ** 2 * grid[:, 1])
    found = variance_indices(Design("latin_hypercube", factors, points), points[:, 0] ** 2 * points[:, 1])
    assert exact is not None
    assert found is not None
    np.testing.assert_allclose(found.first, exact.first, atol=1e-9)
    np.testing.assert_allclose(found.total, exact.total, atol=1e-9)


def test_what_does_not_vary_or_has_too_few_points_is_not_split():
    points = qmc.Sobol(2, rng=1).random_base2(4)
    assert variance_indices(of_function(points, 0, 1), np.full(16, 2.0)) is None
    assert variance_indices(of_function(points, 0, 1), np.where(points[:, 0] > 0.5, np.nan, 1.0)) is None
    assert variance_indices(of_function(points[:4], 0, 1), points[:4, 0]) is None


# The numbers at each point


def test_each_point_is_the_projection_of_its_version():
    scenario = question({"vary": TWO, "steps": 2})
    found = run_sweep(scenario, version=here)
    rows = SweepSummary(found).table()
    assert len(rows) == 8
    assert scenario.sweep is not None
    for row in rows:
        version = version_of(plain_content(scenario), {SIZE: row[SIZE], LOST: row[LOST]})
        measured = next(one for one in scenario.sweep.measures if one.quantity == row["quantity"])
        draws = measure_draws(project(version, variance=False), measured)
        assert row["estimate"] == pytest.approx(draws.mean(), rel=1e-9)
        assert row["std_error"] == pytest.approx(draws.std(), rel=1e-9)
        assert row["lower"] == pytest.approx(np.quantile(draws, 0.05), rel=1e-9)
        better = draws > 0 if row["quantity"] == "total" else draws < 0
        assert row["prob_better"] == pytest.approx(better.mean())


def test_a_product_of_size_and_what_is_lost_has_the_indices_of_the_product():
    """The change of the total is size times one less what is lost, as long as no limit is met."""
    result = run_sweep(question({"vary": TWO, "steps": 5}), version=here)
    size, kept = np.linspace(1, 4, 5), 1 - np.linspace(0, 0.5, 5)
    v, w, m, k = size.var(), kept.var(), size.mean(), kept.mean()
    whole = v * k**2 + w * m**2 + v * w
    found = SweepSummary(result).indices[0]
    assert found is not None
    np.testing.assert_allclose(found.first, [v * k**2 / whole, w * m**2 / whole], rtol=1e-6)
    np.testing.assert_allclose(found.total, [1 - w * m**2 / whole, 1 - v * k**2 / whole], rtol=1e-6)


def test_a_column_that_the_notes_name_is_in_the_file_that_they_name(tmp_path, monkeypatch, capsys):
    vary = [{"path": SIZE, "low": 1.0, "high": 4.0}, {"path": LOST, "low": 0.0, "high": 0.5}]
    file = written(question({"vary": vary, "design": "sobol", "points": 32}), tmp_path / "sweep.yaml")
    assert ask(monkeypatch, "sweep", file, "--out", tmp_path / "out") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "'fit'" not in said and "stands in indices.csv, in column fit" in said
    assert "fit" in (tmp_path / "out" / "indices.csv").read_text("utf-8").splitlines()[0].split(",")


def test_the_ends_of_a_number_leave_the_others_as_in_the_file():
    result = run_sweep(question({"vary": TWO, "steps": 2}), version=here)
    rows = [row for row in SweepSummary(result).tornado_rows() if row["quantity"] == "total"]
    assert [row["path"] for row in rows] == [SIZE, LOST]
    assert rows[0]["at_low"] == pytest.approx(rows[0]["as_in_file"] / 2)
    assert rows[0]["at_high"] == pytest.approx(rows[0]["as_in_file"] * 2)
    assert rows[1]["at_low"] == pytest.approx(rows[1]["as_in_file"] / 0.8)
    assert rows[1]["at_high"] == pytest.approx(rows[1]["as_in_file"] * 0.5 / 0.8)


def test_the_number_of_processes_changes_no_number():
    scenario = question({"vary": TWO, "steps": 4})
    alone, shared = (run_sweep(scenario, version=here, jobs=jobs) for jobs in (1, 2))
    assert (alone.numbers == shared.numbers).all()
    assert (alone.ends == shared.ends).all()


def test_a_worker_with_another_toolkit_is_refused():
    with pytest.raises(DataError, match="another version of gwm-models"):
        run_sweep(question({"vary": TWO, "steps": 4}), version=elsewhere, jobs=2)


def test_a_cluster_gives_the_same_numbers(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    scenario = question({"vary": TWO, "steps": 4})
    script = (
        "import sys\nfrom distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n"
        "        sys.stdin.read()\n"
    )
    (tmp_path / "cluster.py").write_text(script, encoding="utf-8")
    path = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])
    command = [sys.executable, str(tmp_path / "cluster.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, **pipes) as cluster:
        try:
            address = cluster.stdout.readline().strip()
            with distributed.Client(address, timeout=30) as client:
                client.wait_for_workers(2, timeout=60)
            far = run_sweep(scenario, version=toolkit_version, dask=address)
        finally:
            cluster.stdin.close()
            cluster.wait(30)
    near = run_sweep(scenario, version=toolkit_version, jobs=1)
    assert (near.numbers == far.numbers).all()


def test_a_cluster_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    monkeypatch.setattr("gwm_models.scenarios.sweep.WAIT", 1)
    with pytest.raises(DataError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_sweep(question({"vary": TWO, "steps": 2}), version=here, dask="tcp://127.0.0.1:9")


# The folder


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_finished_points_are_not_worked_out_again(tmp_path, monkeypatch):
    scenario = question({"vary": TWO, "steps": 2})
    summary, table = write_sweep(tmp_path / "a", scenario, command="gwm sweep x")
    kept = (tmp_path / "a" / "points.jsonl").read_bytes()
    monkeypatch.setattr("gwm_models.scenarios.sweep.project", None)
    again, same = write_sweep(tmp_path / "a", scenario, command="gwm sweep x")
    assert (again, same) == (summary, table)
    assert (tmp_path / "a" / "points.jsonl").read_bytes() == kept
    assert {"indices.csv", "report.html", "sweep.json", "table.csv", "tornado.csv"} <= names(tmp_path / "a")
    assert read_scenario(tmp_path / "a" / "scenario.yaml").scenario == scenario
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text("utf-8"))
    assert (manifest["kind"], manifest["file"]) == ("sweep", "scenario.yaml")


def test_points_of_another_question_are_not_used(tmp_path):
    write_sweep(tmp_path / "a", question({"vary": TWO, "steps": 2}), command="gwm sweep x")
    _, table = write_sweep(tmp_path / "a", question({"vary": TWO, "steps": 2}, draws=120), command="gwm sweep x")
    _, fresh = write_sweep(tmp_path / "b", question({"vary": TWO, "steps": 2}, draws=120), command="gwm sweep x")
    assert table == fresh
    assert (tmp_path / "a" / "table.csv").read_bytes() == (tmp_path / "b" / "table.csv").read_bytes()


def test_a_line_that_was_cut_off_is_passed_over(tmp_path):
    path = tmp_path / "points.jsonl"
    store = PointStore(path, "key")
    store.add([(1.0, 2.0)], [[[1.0, None]]])
    store.add([(3.0, 4.0)], [[[2.0, 0.5]]])
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    again = PointStore(path, "key")
    assert again.found == {(1.0, 2.0): [[1.0, None]]}
    again.add([(5.0, 6.0)], [[[3.0, 0.1]]])
    assert PointStore(path, "key").found == {(1.0, 2.0): [[1.0, None]], (5.0, 6.0): [[3.0, 0.1]]}
    assert PointStore(path, "another").found == {}


def test_parquet_holds_the_rows_of_the_table(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    _, table = write_sweep(tmp_path / "a", question({"vary": TWO, "steps": 2}), command="gwm sweep x")
    assert parquet.read_table(tmp_path / "a" / "table.parquet").to_pylist() == table
    with (tmp_path / "a" / "table.csv").open(encoding="utf-8", newline="") as file:
        assert [float(row["estimate"]) for row in csv.DictReader(file)] == [row["estimate"] for row in table]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not just a sweep"):
        check_sweep_folder(tmp_path)


def test_an_ordinary_scenario_has_no_sweep():
    scenario = question({"vary": TWO, "steps": 2})
    with pytest.raises(ModelError, match="has no sweep"):
        make_design(version_of(plain_content(scenario), {}))


# The command


def written(scenario: Scenario, place: Path) -> Path:
    plain = json.loads(scenario.model_dump_json(by_alias=True, exclude_none=True))
    plain["actions"][0]["target"].pop("exclude", None)
    with place.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(plain, file)
    return place


def ask(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["gwm", *map(str, words)])
    return run_command()


def test_the_command_prints_what_matters_and_writes_the_folder(tmp_path, monkeypatch, capsys):
    file = written(question({"vary": TWO, "steps": 3}), tmp_path / "sweep.yaml")
    assert ask(monkeypatch, "sweep", file, "--out", tmp_path / "out") == 0
    told = capsys.readouterr()
    assert f"hangs most on {SIZE}" in told.out
    assert "Points" not in told.err
    assert ask(monkeypatch, "sweep", file, "--out", tmp_path / "out", "--format", "csv") == 0
    assert capsys.readouterr().out == (tmp_path / "out" / "table.csv").read_text("utf-8")
    assert ask(monkeypatch, "sweep", "nothing", "--out", tmp_path / "other") == 1
    assert "is a scenario, not a sweep. Use gwm run nothing." in capsys.readouterr().err


def test_a_sweep_that_is_stopped_by_hand_says_where_its_points_are(tmp_path, monkeypatch, capsys):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    file = written(question({"vary": TWO, "steps": 3}), tmp_path / "sweep.yaml")
    monkeypatch.setattr("gwm_models.report.sweep.write_sweep", stopped)
    assert ask(monkeypatch, "sweep", file, "--out", tmp_path / "out") == 1
    assert f"Finished points are kept in {tmp_path / 'out'}; the same command goes on" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_shows_how_many_points_are_done(tmp_path):
    file = written(question({"vary": TWO, "steps": 3}), tmp_path / "sweep.yaml")
    terminal, end = os.openpty()
    start = "from gwm_models.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", start, "sweep", str(file), "--out", str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.DEVNULL,
        stderr=end,
        check=True,
        timeout=120,
    )
    shown = os.read(terminal, 100_000).decode(errors="replace")
    os.close(end)
    os.close(terminal)
    assert "Points" in shown
    assert "/14" in shown


def killed_in_the_middle(command: list[str], points: Path) -> None:
    """Start a sweep, and kill it as soon as some of its points are on disk."""
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(CHECKOUT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as started:
        until = time.monotonic() + 120
        while not (points.exists() and points.read_text("utf-8").count("points") >= 2):
            assert started.poll() is None, "the sweep ended before it could be killed"
            assert time.monotonic() < until, "no points were finished"
            time.sleep(0.01)
        os.kill(started.pid, signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_sweep_that_was_killed_goes_on_and_gives_the_same_table(tmp_path, monkeypatch):
    file = written(question({"vary": TWO, "steps": 12}, draws=500), tmp_path / "sweep.yaml")
    words = ["sweep", str(file), "--jobs", "1", "--out"]
    start = "from gwm_models.cli import main; main()"
    killed_in_the_middle([sys.executable, "-c", start, *words, str(tmp_path / "a")], tmp_path / "a" / UNFINISHED)
    assert names(tmp_path / "a") == {UNFINISHED, "sweep.json"}
    n_kept = sum(len(json.loads(line)["points"]) for line in _whole(tmp_path / "a" / UNFINISHED))
    assert 0 < n_kept < 144
    assert ask(monkeypatch, *words, tmp_path / "a") == 0
    assert ask(monkeypatch, *words, tmp_path / "b") == 0
    for name in ("table.csv", "indices.csv", "tornado.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def _whole(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.startswith('{"points"') and line[-1] == "}"]
