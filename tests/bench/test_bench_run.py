"""CPU time of whole commands.

    python -m pytest -m bench

Seconds are user plus system time of the child process, imports included, code compiled beforehand.
"""

from __future__ import annotations

import statistics
import sys
from itertools import count

import pytest
from pairs import child_seconds, gwm
from pairs_scenario import everywhere
from pairs_startup import SCENARIO
from promises import keep, start

pytestmark = pytest.mark.bench


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
    command, places = gwm(words[0], *(str(shipped.scenario(name)) for name in words[1:])), count()

    def ours():
        out = ["--out", str(tmp_path / f"run-{next(places)}")] if words[0] == "run" else []
        return child_seconds([*command, *out], tmp_path)[0]

    assert keep(benchmark, capsys, " ".join(["gwm", *words]), ours, most_seconds, start())


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


@pytest.mark.parametrize(("again", "most_seconds"), [(False, 1.5), (True, 0.15)], ids=["all drawn anew", "again"])
def test_a_projection_of_every_area_keeps_to_its_promised_cpu_time(
    benchmark, capsys, request, tmp_path, again, most_seconds
):
    """After imports: with everything drawn anew and the variance split, and with the baseline at hand."""
    command = [sys.executable, "-c", PROJECTION.format(content=everywhere())]

    def ours():
        first, *others = map(float, child_seconds(command, tmp_path)[1].split())
        return statistics.median(others) if again else first

    name = f"project, 118 areas, 4,000 draws, 10 years, {request.node.callspec.id}"
    assert keep(benchmark, capsys, name, ours, most_seconds, start(), rounds=3)
