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
        pytest.param(["--help"], 1.0, id="help"),
        pytest.param(["check", SCENARIO], 1.0, id="check"),
        pytest.param(["run", SCENARIO], 5.0, id="run"),
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
