"""CPU time and memory of the posterior of scores; table.py has effective draws a second beside PyMC's default.

OPENBLAS_NUM_THREADS=1 python -m pytest -m bench tests/bench/test_bench_posterior.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pairs import child_seconds
from pairs_posterior import one, three
from promises import cpu, keep, sort

pytestmark = pytest.mark.bench

MEMORY = """
import numpy as np
from gwm_models.ranks.posterior import score_posterior
rng, n = np.random.default_rng(1), 3000
cov = rng.uniform(6, 20, (n, 1, 3)) ** 2 * np.eye(3)
score_posterior(rng.normal(100, 30, (n, 3)), cov, np.arange(n) % 9, tuple(map(str, range(n))))
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 2**20)
"""
"""Peak resident memory of the child itself: getrusage would count what its parent held when it was started."""
ON_LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


@pytest.mark.parametrize(
    ("work", "n", "n_draws", "most_seconds", "rounds"),
    [
        pytest.param(one, 118, 4000, 0.1, 9, id="one score, equal errors, 118 areas, 4,000 draws"),
        pytest.param(one, 118, 100_000, 2.0, 3, id="one score, equal errors, 118 areas, 100,000 draws"),
        pytest.param(one, 3000, 4000, 2.0, 3, id="one score, equal errors, 3,000 areas, 4,000 draws"),
        pytest.param(three, 118, 4000, 0.5, 9, id="three domains, 118 areas, 4,000 draws"),
        pytest.param(three, 118, 100_000, 8.0, 3, id="three domains, 118 areas, 100,000 draws"),
        pytest.param(three, 3000, 4000, 8.0, 3, id="three domains, 3,000 areas, 4,000 draws"),
    ],
)
def test_the_posterior_keeps_to_its_promised_cpu_time(
    benchmark, capsys, request, work, n, n_draws, most_seconds, rounds
):
    ours = cpu(lambda: work(n, n_draws))
    assert keep(benchmark, capsys, request.node.callspec.id, ours, most_seconds, sort(), rounds)


@ON_LINUX
def test_memory_is_little_more_than_the_draws_that_are_asked_for(capsys):
    peak = float(child_seconds([sys.executable, "-c", MEMORY])[1])
    draws = 4000 * 3000 * 3 * 8 / 2**30
    with capsys.disabled():
        print(f"\nthree domains, 3,000 areas: peak {peak:.2f} GiB, the draws themselves {draws:.2f}")
    assert peak < draws + 0.3
