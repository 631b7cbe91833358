"""CPU time of the robustness analysis, on 118 areas.

OPENBLAS_NUM_THREADS=1 python -m pytest -m bench tests/bench/test_bench_robustness.py
"""

from __future__ import annotations

import numpy as np
import pytest
from promises import cpu, keep, sort

from gwm_models.data.edition import load_edition
from gwm_models.index.rebuild import RobustnessSpec, draw_choices, rebuild_ranks
from gwm_models.index.robustness import edition_index_data, probe, rank_runs
from gwm_models.index.sobol import sobol_indices

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def data():
    return edition_index_data(load_edition("monitor-2021"))[0]


def joint_rebuilds(data):
    choices = draw_choices(data, RobustnessSpec(), 10_000)
    rebuild_ranks(data, choices, np.repeat(np.arange(10_000)[:, None], 4, axis=1))


def indices_by_area(data):
    runs = rank_runs(data, RobustnessSpec(data_error=False, draws=8192))
    found = sobol_indices(runs.joint[:8192], runs.joint[8192:], runs.swapped)
    assert found.total.shape == (3, 118)


def whole_analysis(data):
    probe(data, RobustnessSpec(draws=8192))


@pytest.mark.parametrize(
    ("work", "most_seconds"),
    [
        pytest.param(joint_rebuilds, 1.0, id="10,000 joint rebuilds"),
        pytest.param(indices_by_area, 2.0, id="indices by area from 40,960 rebuilds"),
        pytest.param(whole_analysis, 5.0, id="whole joint analysis from 98,305 rebuilds"),
    ],
)
def test_the_analysis_keeps_to_its_promised_cpu_time(benchmark, capsys, request, data, work, most_seconds):
    assert keep(benchmark, capsys, request.node.callspec.id, cpu(lambda: work(data)), most_seconds, sort())
