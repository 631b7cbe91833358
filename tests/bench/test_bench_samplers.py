"""CPU time of the exact samplers, 4,000 draws, on the Monitor's units and on maps of 3,000.

OPENBLAS_NUM_THREADS=1 python -m pytest -m bench tests/bench/test_bench_samplers.py
"""

from __future__ import annotations

import numpy as np
import pytest
from promises import cpu, keep, sort

from gwm_models.data.edition import load_edition
from gwm_models.models.gaussian.errors_in_variables import errors_in_variables
from gwm_models.models.gaussian.spatial import spatial_regression
from gwm_models.models.gaussian.words import sample_of
from gwm_models.models.outcomes import find_outcome

pytestmark = pytest.mark.bench


def monitor():
    s = sample_of(load_edition(), find_outcome("healthy_life_expectancy_male"))
    return (s.value, s.error, s.total, s.total_error), s.borders, np.unique(s.c.region, return_inverse=True)[1][s.kept]


def lattice(side=55):
    """Return figures and borders of 3,025 units, smooth residuals from a walk over rows and columns."""
    place, rng = np.arange(side * side).reshape(side, side), np.random.default_rng(1)
    across = np.column_stack([place[:, :-1].ravel(), place[:, 1:].ravel()])
    borders = np.concatenate([across, np.column_stack([place[:-1].ravel(), place[1:].ravel()])])
    walk = rng.normal(size=(2, side)).cumsum(axis=1) / 4
    n = side * side
    true, x_error, y_error = rng.normal(size=n), rng.uniform(0.1, 0.4, n), rng.uniform(0.5, 1, n)
    outcome = 3 * true + (walk[0][:, None] + walk[1]).ravel() + 0.6 * rng.normal(size=n) + y_error * rng.normal(size=n)
    return (outcome, y_error, true + x_error * rng.normal(size=n), x_error), borders, place.ravel() % 8


def plain(figures, borders, groups):
    errors_in_variables(*figures)


def pooled(figures, borders, groups):
    errors_in_variables(*figures, groups=groups)


def spatial(figures, borders, groups):
    spatial_regression(*figures, borders)


@pytest.mark.parametrize(
    ("data", "work", "most_seconds", "rounds"),
    [
        pytest.param(monitor, plain, 0.2, 5, id="errors in variables, 116 units"),
        pytest.param(monitor, pooled, 0.5, 5, id="pooled regions, 116 units"),
        pytest.param(monitor, spatial, 1.0, 5, id="BYM2 with exposure error, 116 units"),
        pytest.param(lattice, plain, 5.0, 3, id="errors in variables, 3,025 units"),
        pytest.param(lattice, spatial, 20.0, 1, id="BYM2 with exposure error, 3,025 units"),
    ],
)
def test_the_samplers_keep_to_their_promised_cpu_time(benchmark, capsys, request, data, work, most_seconds, rounds):
    given = data()
    ours = cpu(lambda: work(*given))
    assert keep(benchmark, capsys, request.node.callspec.id, ours, most_seconds, sort(), rounds)
