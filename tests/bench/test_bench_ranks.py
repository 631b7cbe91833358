"""CPU time of ranks inside draws, and memory of a stream; results/benchmarks has what NumPy takes for the same array.

OPENBLAS_NUM_THREADS=1 python -m pytest -m bench tests/bench/test_bench_ranks.py
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from promises import cpu, keep, sort

from gwm_models.ranks.pairs import prob_above
from gwm_models.ranks.table import rank_areas

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def draws():
    rng = np.random.default_rng(1)
    return rng.normal(307, 86, 118) + rng.normal(size=(100_000, 118)) * 15


def codes(n):
    return tuple(f"area-{i}" for i in range(n))


def our_table(scores):
    rank_areas(scores, codes(118))


def our_pairs(scores):
    prob_above(scores, codes(118))


@pytest.mark.parametrize(
    ("work", "most_seconds"),
    [
        pytest.param(our_table, 0.3, id="table of 118 areas x 100,000 draws"),
        pytest.param(our_pairs, 2.0, id="all pairs of 118 areas x 100,000 draws"),
    ],
)
def test_ranks_keep_to_their_promised_cpu_time(benchmark, capsys, request, draws, work, most_seconds):
    assert keep(benchmark, capsys, request.node.callspec.id, cpu(lambda: work(draws)), most_seconds, sort(), 7)


def test_a_stream_of_33755_areas_stays_under_a_gibibyte(benchmark, capsys):
    rng = np.random.default_rng(1)

    def stream():
        rank_areas(lambda: (rng.normal(size=(20, 33_755)) for _ in range(50)), codes(33_755))

    seconds = benchmark.pedantic(cpu(stream), rounds=1)
    tracemalloc.start()
    stream()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    benchmark.extra_info.update(peak_mebibytes=peak, cpu_seconds=seconds)
    with capsys.disabled():
        print(f"\n33,755 areas x 1,000 draws: {peak:.0f} MiB at most, {seconds:.1f} CPU s, normals included")
    assert peak < 900  # leaves room under 1 GiB for Python and NumPy themselves
