"""CPU time and memory of the posterior of scores, and independent draws a second beside PyMC's default.

OPENBLAS_NUM_THREADS=1 python -m pytest -m bench tests/bench/test_bench_posterior.py

The comparison takes minutes and wants PyMC: set GWM_BENCH_PYMC=1.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pairs_posterior import chain_rate, exact_rate, one, one_score_model, three, three_domain_model

import gwm_models

pytestmark = pytest.mark.bench

WITH_PYMC = pytest.mark.skipif("GWM_BENCH_PYMC" not in os.environ, reason="takes minutes: set GWM_BENCH_PYMC=1")
TIMES_PYMC, TIMES_SAMPLING = 500, 250
"""Least ratio of effective draws for each second of CPU to those of PyMC as a user would first write the model: to the
whole call of ``pm.sample()``, which compiles the model, and to its sampling and tuning alone."""

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
    seconds: list[float] = []

    def timed():
        start = time.process_time()
        work(n, n_draws)
        seconds.append(time.process_time() - start)

    work(n, 500)
    benchmark.pedantic(timed, rounds=rounds)
    middle = statistics.median(seconds)
    benchmark.extra_info.update(cpu_seconds=seconds, cpu_seconds_median=middle)
    name = request.node.callspec.id
    with capsys.disabled():
        print(f"\n{name}: median {middle:.3f} CPU s ({min(seconds):.3f} to {max(seconds):.3f}, {rounds} rounds)")
    assert middle < most_seconds


@ON_LINUX
def test_memory_is_little_more_than_the_draws_that_are_asked_for(capsys):
    env = {**os.environ, "PYTHONPATH": str(Path(gwm_models.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", MEMORY], env=env, capture_output=True, text=True, check=True)
    draws = 4000 * 3000 * 3 * 8 / 2**30
    with capsys.disabled():
        print(f"\nthree domains, 3,000 areas: peak {float(done.stdout):.2f} GiB, the draws themselves {draws:.2f}")
    assert float(done.stdout) < draws + 0.3


@WITH_PYMC
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("work", "model"), [(one, one_score_model), (three, three_domain_model)])
def test_effective_draws_a_second_are_many_times_those_of_pymc(capsys, work, model):
    pytest.importorskip("pymc")
    sampling, whole = {}, {}
    for tuned in (False, True):
        least, scores, seconds, compiling = chain_rate(model(tuned=tuned))
        how = "tuned by hand" if tuned else "as first written"
        lines = [
            f"{work.__name__}, PyMC {how}: {seconds:.1f} CPU s of sampling, {compiling:.1f} of compiling, {least:,.0f} "
            f"effective draws ({scores:,.0f})"
        ]
        for n_draws in (4000, 100_000):
            ours, our_scores, our_seconds = exact_rate(work, n_draws)
            sampling[tuned, n_draws] = ours / least * seconds
            whole[tuned, n_draws] = ours / least * (seconds + compiling)
            lines.append(
                f"{n_draws:,} exact draws: {our_seconds:.3f} CPU s, {ours:,.0f} effective ones a second: "
                f"{whole[tuned, n_draws]:,.0f} times as many as the whole call, {sampling[tuned, n_draws]:,.0f} times "
                f"as many as sampling alone ({our_scores / scores * seconds:,.0f})"
            )
        with capsys.disabled():
            print("\n" + "\n  ".join(lines))
    with capsys.disabled():
        print("By the parameter that has the fewest; in brackets by the median true score.")
    assert whole[False, 100_000] > TIMES_PYMC
    assert sampling[False, 100_000] > TIMES_SAMPLING
