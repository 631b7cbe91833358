"""CPU time of whole commands, beside a bare ``import numpy`` taken in the same rounds.

    python -m pytest -m bench

Seconds are user plus system time of the child process, imports included, code compiled beforehand. The ratio
to the baseline is what to compare between machines.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import gwm_models

pytestmark = pytest.mark.bench

SCENARIO = "northern-participation-2026"
GWM = [sys.executable, "-c", "import sys; from gwm_models.cli import main; sys.exit(main())"]
BASELINE = [sys.executable, "-c", "import numpy"]


def cpu_seconds(command: Sequence[str], folder: Path) -> float:
    """Run a command to its end and return the CPU seconds it took."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(Path(gwm_models.__file__).resolve().parents[1])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


@pytest.mark.parametrize(
    ("words", "most_seconds"),
    [
        pytest.param(["--help"], 0.3, id="help"),
        pytest.param(["check", SCENARIO], 0.5, id="check"),
        pytest.param(["run", SCENARIO], 3.0, id="run"),
        # Domain scores are kept on their scale, so along a trend every indicator of a domain is drawn for every year.
        pytest.param(["run", "skills-nvq4"], 7.0, id="run-along-a-trend"),
    ],
)
def test_a_command_keeps_to_its_promised_cpu_time(benchmark, capsys, shipped, tmp_path, words, most_seconds):
    ours: list[float] = []
    baseline: list[float] = []
    command = [*GWM, words[0], *(str(shipped.scenario(name)) for name in words[1:])]

    def time_baseline():
        baseline.append(cpu_seconds(BASELINE, tmp_path))
        out = ["--out", str(tmp_path / f"run-{len(baseline)}")] if words[0] == "run" else []
        return ([*command, *out],), {}

    def time_ours(full_command):
        ours.append(cpu_seconds(full_command, tmp_path))

    time_ours(time_baseline()[0][0])  # compiles the code and fills the disk's cache
    ours.clear()
    baseline.clear()
    benchmark.pedantic(time_ours, setup=time_baseline, rounds=5)

    seconds, floor = statistics.median(ours), statistics.median(baseline)
    benchmark.extra_info.update(
        cpu_seconds=ours,
        cpu_seconds_median=seconds,
        baseline_cpu_seconds=baseline,
        baseline_cpu_seconds_median=floor,
        ratio_to_import_numpy=seconds / floor,
    )
    spread = f"{min(ours):.2f} to {max(ours):.2f}"
    with capsys.disabled():
        print(
            f"\ngwm {words[0]}: median {seconds:.2f} CPU s ({spread}, {len(ours)} rounds); "
            f"import numpy {floor:.2f} CPU s; ratio {seconds / floor:.1f}"
        )
    assert seconds < most_seconds


PROJECTION = """
import sys, time
import numpy, scipy.optimize, scipy.linalg, scipy.special, h5py
import gwm_models.report.run_folder
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping, read_scenario

content = {content}
found, problems = check_mapping(content)
assert found is not None, problems
seconds = []
for variance in (True, False, False, False, False, False):
    start = time.process_time()
    project(found, variance=variance)
    seconds.append(time.process_time() - start)
print(*seconds)
"""


def everywhere():
    """All 118 areas, 4,000 draws, 10 years, every year different."""
    return {
        "schema": "gwm-scenario/1",
        "id": "everywhere",
        "title": "Every area",
        "question": "How fast is it?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": 2026, "end": 2035},
        "actions": [
            {
                "id": "activity",
                "indicator": "economic_activity_rate",
                "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
                "uncertainty": {"low": 0.5, "high": 3.2, "across_areas": 0.5},
                "target": {"everyone": True},
                "phasing": {"start": 2026, "full_by": 2030, "shape": "s_curve", "fade": {"half_life": 5}},
            }
        ],
        "analysis": {"draws": 4000, "seed": 1},
    }


def test_a_projection_of_every_area_keeps_to_its_promised_cpu_time(benchmark, capsys, tmp_path):
    """After imports: 1.5 s with everything drawn anew and the variance split, 0.15 s with the baseline at hand."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(Path(gwm_models.__file__).resolve().parents[1])
    first, again = [], []

    def once():
        command = [sys.executable, "-c", PROJECTION.format(content=everywhere())]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        seconds = [float(word) for word in done.stdout.split()]
        first.append(seconds[0])
        again.append(statistics.median(seconds[1:]))

    once()  # compiles the code and fills the disk's cache
    first.clear()
    again.clear()
    benchmark.pedantic(once, rounds=5)
    cold, warm = statistics.median(first), statistics.median(again)
    benchmark.extra_info.update(cpu_seconds_first=first, cpu_seconds_again=again)
    with capsys.disabled():
        print(f"\nproject, 118 areas, 4,000 draws, 10 years: {cold:.2f} CPU s, again {warm:.3f} CPU s")
    assert cold < 1.5
    assert warm < 0.15
