"""CPU time of ranks inside draws, beside NumPy's plain argsort taken twice in the same rounds; and memory of a stream.

OPENBLAS_NUM_THREADS=1 python -m pytest -m bench tests/bench/test_bench_ranks.py
"""

from __future__ import annotations

import statistics
import time
import tracemalloc

import numpy as np
import pytest

from gwm_models.ranks.pairs import prob_above
from gwm_models.ranks.table import rank_areas

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def draws():
    rng = np.random.default_rng(1)
    return rng.normal(307, 86, 118) + rng.normal(size=(100_000, 118)) * 15


def codes(n):
    return tuple(f"area-{i}" for i in range(n))


def cpu(work, *arguments):
    start = time.process_time()
    work(*arguments)
    return time.process_time() - start


def plain_ranks(scores):
    return np.argsort(np.argsort(-scores, axis=1), axis=1)


def plain_table(scores):
    ranks = plain_ranks(scores) + 1
    np.quantile(ranks, [0.05, 0.5, 0.95], axis=0, method="inverted_cdf")
    return (ranks <= 10).mean(axis=0)


def our_table(scores):
    rank_areas(scores, codes(118))


def our_pairs(scores):
    prob_above(scores, codes(118))


@pytest.mark.parametrize(
    ("work", "plain", "most_seconds", "least_ratio"),
    [
        pytest.param(our_table, plain_ranks, 0.3, 1.2, id="table of 118 areas x 100,000 draws, beside argsort twice"),
        pytest.param(our_table, plain_table, 0.3, 4.0, id="the same, beside argsort twice with quantiles"),
        pytest.param(our_pairs, plain_ranks, 2.0, 0.3, id="all pairs of 118 areas x 100,000 draws"),
    ],
)
def test_ranks_keep_to_their_promised_cpu_time(
    benchmark, capsys, request, draws, work, plain, most_seconds, least_ratio
):
    ours: list[float] = []
    theirs: list[float] = []

    def one_round():
        theirs.append(cpu(plain, draws))
        ours.append(cpu(work, draws))

    benchmark.pedantic(one_round, rounds=7, warmup_rounds=1)
    seconds, floor = statistics.median(ours[1:]), statistics.median(theirs[1:])
    # Round by round, so that a neighbour who takes the cache slows both sides of a ratio.
    ratio = statistics.median(plain / own for plain, own in zip(theirs[1:], ours[1:], strict=True))
    benchmark.extra_info.update(cpu_seconds=ours[1:], plain_cpu_seconds=theirs[1:], ratio_to_plain=ratio)
    spread = f"{min(ours[1:]):.3f} to {max(ours[1:]):.3f}"
    with capsys.disabled():
        print(
            f"\n{request.node.callspec.id}: median {seconds:.3f} CPU s ({spread}, {len(ours) - 1} rounds); "
            f"NumPy {floor:.3f} CPU s; {ratio:.1f} times faster"
        )
    assert seconds < most_seconds
    assert ratio > least_ratio


def test_a_stream_of_33755_areas_stays_under_a_gibibyte(benchmark, capsys):
    rng = np.random.default_rng(1)

    def stream():
        rank_areas(lambda: (rng.normal(size=(20, 33_755)) for _ in range(50)), codes(33_755))

    seconds = benchmark.pedantic(cpu, args=(stream,), rounds=1)
    tracemalloc.start()
    stream()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    benchmark.extra_info.update(peak_mebibytes=peak, cpu_seconds=seconds)
    with capsys.disabled():
        print(f"\n33,755 areas x 1,000 draws: {peak:.0f} MiB at most, {seconds:.1f} CPU s, normals included")
    assert peak < 900  # leaves room under 1 GiB for Python and NumPy themselves
