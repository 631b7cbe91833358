"""CPU time of whole commands, beside a bare ``import numpy`` taken in the same rounds.

    python -m pytest -m bench

Seconds are user plus system time of the child process, imports included, code compiled beforehand. The ratio
to the baseline is what to compare between machines.
"""

from __future__ import annotations

import statistics
import sys

import pytest
from pairs import child_seconds, gwm
from pairs_scenario import everywhere
from pairs_startup import SCENARIO

pytestmark = pytest.mark.bench

BASELINE = [sys.executable, "-c", "import numpy"]


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
    command = gwm(words[0], *(str(shipped.scenario(name)) for name in words[1:]))

    def time_baseline():
        baseline.append(child_seconds(BASELINE, tmp_path)[0])
        out = ["--out", str(tmp_path / f"run-{len(baseline)}")] if words[0] == "run" else []
        return ([*command, *out],), {}

    def time_ours(full_command):
        ours.append(child_seconds(full_command, tmp_path)[0])

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


def test_a_projection_of_every_area_keeps_to_its_promised_cpu_time(benchmark, capsys, tmp_path):
    """After imports: 1.5 s with everything drawn anew and the variance split, 0.15 s with the baseline at hand."""
    first, again = [], []

    def once():
        _, printed = child_seconds([sys.executable, "-c", PROJECTION.format(content=everywhere())], tmp_path)
        seconds = [float(word) for word in printed.split()]
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
