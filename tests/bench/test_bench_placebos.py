"""CPU time of every placebo in space of one outcome of the real panel, by each design.

OPENBLAS_NUM_THREADS=1 python -m pytest -m bench tests/bench/test_bench_placebos.py
"""

from __future__ import annotations

import numpy as np
import pytest
from promises import cpu, keep, sort

from gwm_models.data.tables import read_table
from gwm_models.evaluation import synthetic_control

pytestmark = pytest.mark.bench

MOST_SECONDS = 2.0
START = {"economic_activity_rate_16_64": "2017-01/2017-12", "gva_per_head_current": "2012"}


@pytest.fixture(scope="module", params=list(START))
def outcome(request):
    rows = read_table("indicators", where={"variable": request.param, "sex": "Persons"})
    keep = np.char.startswith(rows["unit_code"].astype(str), "E") & np.isfinite(rows["value"])
    return {
        "panel": {"area": rows["unit_code"][keep], "year": rows["period"][keep], "rate": rows["value"][keep]},
        "start": START[request.param],
    }


@pytest.mark.parametrize("method", ["sc", "sdid", "did"])
def test_every_placebo_of_one_outcome_takes_less_than_two_seconds(benchmark, capsys, outcome, method):
    columns = {"unit": "area", "time": "year", "outcome": "rate", "treated": "E08000003", "missing": "drop_units"}

    def work():
        found = synthetic_control(outcome["panel"], **columns, start=outcome["start"], method=method)
        assert len(found.placebo) >= 115

    assert keep(benchmark, capsys, f"{method}, every placebo with all checks", cpu(work), MOST_SECONDS, sort(), 3)
