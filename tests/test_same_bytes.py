"""The same question gives the same bytes: whatever the place, the words, the clock, the threads and the processor."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from gwm_models.data.home import scenario_home
from gwm_models.models.collapse import BITS, coarse
from gwm_models.ranks.bent_t import BentT
from gwm_models.report.run_folder import resolved_yaml
from gwm_models.scenarios.reader import read_scenario
from gwm_models.scenarios.spread import all_steady, plain, steady

NAME = "northern-participation-2026"
CREATED = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
MADE_WITH = re.compile(rb"<dt>([\w.]+)</dt><dd><code>[^<]*</code></dd>")
CHILD = """
import json, sys
from gwm_models.cli import main

for words in json.loads(sys.argv[1]):
    sys.argv = ["gwm", *words]
    try:
        code = main()
    except SystemExit as stop:
        code = stop.code
    if code:
        sys.exit(code)
"""
PLAIN = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
OTHER = {
    "PYTHONHASHSEED": "1",
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "tr_TR.UTF-8",
    "LANGUAGE": "tr",
    "OPENBLAS_NUM_THREADS": "2",
    "OMP_NUM_THREADS": "2",
}
RUN = ["run", NAME, "--out", "run"]


def started(
    place: Path, environment: Mapping[str, str], *commands: list[str], python: str = sys.executable
) -> dict[str, bytes]:
    """Run commands in a new process in a folder; return what they printed and every file they left there."""
    place.mkdir(parents=True)
    code_of = str(Path(__file__).resolve().parents[1])
    around = {name: os.environ[name] for name in ("PATH", "HOME", "GWM_CACHE", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [python, "-c", CHILD, json.dumps(commands)],
        cwd=place,
        env=around | {"PYTHONPATH": code_of, "COLUMNS": "100"} | dict(environment),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    files = {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
    return {"printed": done.stdout} | files


def undated(found: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: CREATED.sub(b"CREATED", content) for name, content in found.items()}


def test_words_clock_hashes_threads_and_place_change_no_byte(tmp_path):
    """Only the moment at which it was made differs."""
    commands = [[*RUN, "--draws", "100"], ["ranks", "--draws", "100", "--format", "csv"]]
    one = started(tmp_path / "one", PLAIN, *commands)
    other = started(tmp_path / "another place" / "Ünï", OTHER, *commands)
    assert {"printed", "run/summary.json", "run/areas.csv", "run/scenario.yaml", "run/report.html"} <= one.keys()
    assert undated(other) == undated(one)
    for name in ("printed", "run/summary.json", "run/areas.csv", "run/scenario.yaml"):
        assert other[name] == one[name], name


# ---------------------------------------------------------------- other processors, other versions


def without_instructions() -> dict[str, str]:
    """Return the environment in which NumPy and OpenBLAS do without the instructions of newer processors."""
    core = np._core._multiarray_umath  # type: ignore[attr-defined]
    extra = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(extra), "OPENBLAS_CORETYPE": "Nehalem"}


@pytest.mark.slow
def test_an_older_processor_gives_the_same_bytes(tmp_path):
    """Sums and exponentials then differ in their last bits; what is told stops short of them."""
    new = undated(started(tmp_path / "new", PLAIN, RUN, ["ranks", "--format", "csv"]))
    old = undated(started(tmp_path / "old", PLAIN | without_instructions(), RUN, ["ranks", "--format", "csv"]))
    assert {name for name in new if new[name] != old[name]} == set()


def small_sweep(folder: Path) -> str:
    """Write a shipped sweep with few draws and points; return its place."""
    text = (scenario_home() / "participation-sweep.yaml").read_text("utf-8")
    assert "draws: 4000" in text and "points: 64" in text
    place = folder / "sweep.yaml"
    place.write_text(text.replace("draws: 4000", "draws: 200").replace("points: 64", "points: 8"), "utf-8")
    return str(place)


@pytest.mark.slow
def test_another_python_with_its_own_libraries_gives_the_same_bytes(tmp_path):
    """Only the versions that the manifest and the report tell may differ, and when it was made.

    Up to 2,000 draws come from another proposal than more; a sweep has its own sums.
    """
    python = os.environ.get("GWM_OTHER_PYTHON")
    if not python:
        pytest.skip("no other Python: GWM_OTHER_PYTHON names one of an environment that has the toolkit's dependencies")
    few = ["run", NAME, "--draws", "500", "--out", "few"]
    sweep = ["sweep", small_sweep(tmp_path), "--jobs", "1", "--out", "sweep"]
    commands = [[*RUN, "--draws", "2500"], few, sweep]
    one = undated(started(tmp_path / "one", PLAIN, *commands))
    other = undated(started(tmp_path / "other", PLAIN, *commands, python=python))
    same = {f"{run}/{name}" for run in ("run", "few") for name in ("summary.json", "areas.csv", "scenario.yaml")}
    same |= {f"sweep/{name}" for name in ("sweep.json", "table.csv", "indices.csv", "tornado.csv", "scenario.yaml")}
    assert {name for name in {"printed", *same} if one[name] != other[name]} == set()
    told = [json.loads(found.pop("run/manifest.json")) for found in (one, other)]
    differs = {name for name in told[0] if told[0][name] != told[1][name]}
    assert differs <= {"python", "package_versions"}
    pages = [found.pop("run/report.html").splitlines() for found in (one, other)]
    assert len(pages[0]) == len(pages[1])
    unlike = [(a, b) for a, b in zip(*pages, strict=True) if a != b]
    assert all(MADE_WITH.fullmatch(a.strip()) and MADE_WITH.fullmatch(b.strip()) for a, b in unlike), unlike[:3]
    assert told[0]["results_sha256"] == told[1]["results_sha256"]


# ---------------------------------------------------------------- what makes it so


def test_no_text_of_a_scenario_is_broken_into_lines():
    """Versions of the writer would break them in different places."""
    for path in scenario_home().glob("*.yaml"):
        lines = resolved_yaml(read_scenario(path).scenario).splitlines()
        assert all(re.match(r"\s*(- )*(\S+:( |$)|- )", line) for line in lines), path.name
        assert max(map(len, lines)) > 130 or path.stem == "nothing"


def test_numbers_that_differ_in_their_last_bits_are_told_alike():
    value = np.array([251.59833272816405, 0.3545134893277934, 18934520207.994278, -6.7e-13])
    for shift in (1 - 1e-14, 1 + 1e-14):
        assert [steady(x) for x in value * shift] == [steady(x) for x in value]
        assert [plain(x) for x in value * shift] == [plain(x) for x in value]
    assert plain(18934520207.994278) == 18934520210.0 and plain(-6.7e-13) == 0.0 and plain(float("nan")) is None


def test_all_numbers_of_plain_data_are_cut_and_nothing_else():
    data = {"a": [0.1 + 0.2, 3, True, None, "0.30000000000000004"], "b": {"c": (1 / 3,)}}
    assert all_steady(data) == {"a": [0.3, 3, True, None, "0.30000000000000004"], "b": {"c": (0.3333333333,)}}
    assert type(all_steady(3)) is int and all_steady(True) is True


def test_a_proposal_matched_to_a_sample_forgets_the_samples_last_digits():
    sample = np.random.default_rng(1).gamma(4.0, size=(500, 3)) * [1.0, 1e-3, 50.0]
    shaken = sample * (1 + 1e-10 * np.random.default_rng(2).standard_normal(sample.shape))
    one, other = BentT.like(sample), BentT.like(shaken)
    for name in ("centre", "width", "bend", "mean", "spread"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert np.abs(one.width / sample.std(axis=0) - 1).max() < 2.0**-BITS
    assert np.abs(one.centre - sample.mean(axis=0)).max() < (sample.std(axis=0) * 2.0**-BITS).max()


def test_numbers_are_cut_to_binary_digits_of_their_size():
    assert coarse(np.array([1.0, 1 + 2.0**-13, 1 + 2.0**-11]), np.ones(3)).tolist() == [1.0, 1.0, 1 + 2.0**-11]
    assert coarse(np.array([3000.3]), np.array([2048.0])).tolist() == [3000.5]
