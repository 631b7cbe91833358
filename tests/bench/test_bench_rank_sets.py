"""CPU time and memory of rank confidence sets; table.py has ratios to the Python package multiple-inference.

OPENBLAS_NUM_THREADS=1 python -m pytest -m bench tests/bench/test_bench_rank_sets.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pairs import child_seconds
from pairs_ranks import joint_errors, scores
from promises import cpu, keep, sort

from gwm_models.ranks.sets import rank_sets

pytestmark = pytest.mark.bench

LARGE = """
import time
import numpy as np
from gwm_models.ranks.sets import rank_sets
rng, n = np.random.default_rng(1), 3000
score, sd = rng.normal(300, 86, n), rng.uniform(8, 22, n)
joint = {joint}
if joint:
    loading = rng.standard_normal((n, 30))
    sd = 225 * (0.6 * np.eye(n) + 0.4 * loading @ loading.T / 30)
start = time.process_time()
rank_sets(score, sd, draws=1000)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time() - start, peak / 2**20)
"""
"""Peak resident memory of the child itself: getrusage would count what its parent held when it was started."""
ON_LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


def equal_errors_exact():
    for simultaneous in (False, True):
        assert rank_sets(scores(), np.full(118, 15.0), simultaneous=simultaneous).n_draws == 0


def unequal_errors_exact():
    sd = np.random.default_rng(3).uniform(8, 22, 118)
    for stepdown in (False, True):
        assert rank_sets(scores(), sd, simultaneous=False, stepdown=stepdown).n_draws == 0


def joint_errors_drawn():
    for simultaneous in (False, True):
        assert rank_sets(scores(), joint_errors(), simultaneous=simultaneous).n_draws == 10_000


def simultaneous_stepdown_drawn():
    assert rank_sets(scores(), joint_errors(), stepdown=True).n_draws == 10_000


@pytest.mark.parametrize(
    ("work", "most_seconds"),
    [
        pytest.param(equal_errors_exact, 1.0, id="equal errors, marginal and simultaneous, exact"),
        pytest.param(unequal_errors_exact, 2.0, id="unequal errors, marginal, single step and stepdown, exact"),
        pytest.param(joint_errors_drawn, 2.0, id="covariance, marginal and simultaneous, 10,000 draws"),
        pytest.param(simultaneous_stepdown_drawn, 2.0, id="covariance, simultaneous stepdown, 10,000 draws"),
    ],
)
def test_sets_of_118_areas_keep_to_their_promised_cpu_time(benchmark, capsys, request, work, most_seconds):
    assert keep(benchmark, capsys, request.node.callspec.id, cpu(work), most_seconds, sort())


@ON_LINUX
@pytest.mark.parametrize("joint", [False, True], ids=["independent errors", "covariance"])
def test_3000_areas_keep_to_their_promised_cpu_time_and_memory(benchmark, capsys, joint):
    peaks = []

    def ours():
        seconds, gib = map(float, child_seconds([sys.executable, "-c", LARGE.format(joint=joint)])[1].split())
        peaks.append(gib)
        return seconds

    name = f"3,000 areas, simultaneous, 1,000 draws, {'covariance' if joint else 'independent errors'}"
    assert keep(benchmark, capsys, name, ours, 10.0, sort(), rounds=1)
    with capsys.disabled():
        print(f"{peaks[0]:.2f} GiB")
    assert peaks[0] < 1
