"""CPU time of searches: of a goal, of a portfolio, and of a sweep of a thousand points shared by two processes.

    python -m pytest -m bench

Seconds are user plus system time of all processes.
"""

from __future__ import annotations

import pytest
from pairs import child_seconds, gwm
from promises import keep, start
from ruamel.yaml import YAML

pytestmark = pytest.mark.bench

GOAL_SECONDS = 5.0
PORTFOLIO_SECONDS = 10.0
SWEEP_SECONDS = 120.0
PROCESSES = 2


def cpu_seconds(words: list[str]) -> float:
    """Run a command to its end and return the CPU seconds that it and its workers took."""
    return child_seconds(gwm(*words))[0]


def test_a_goal_is_found_in_5_seconds_of_cpu(benchmark, capsys, shipped, tmp_path):
    words = ["goal", str(shipped.scenario("participation-goal")), "--out", str(tmp_path / "goal")]
    assert keep(benchmark, capsys, "gwm goal", lambda: cpu_seconds(words), GOAL_SECONDS, start(), rounds=2)


@pytest.mark.parametrize("quantity", ["total", "gap_10_10"])
def test_a_portfolio_of_twelve_options_takes_10_seconds_of_cpu(benchmark, capsys, shipped, tmp_path, quantity):
    content = YAML(typ="safe").load(shipped.scenario("portfolio-participation-and-jobs").read_text("utf-8"))
    content["portfolio"]["objective"] = {"measure": {"quantity": quantity}}
    with (tmp_path / "portfolio.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(content, file)
    words = ["portfolio", str(tmp_path / "portfolio.yaml"), "--draws", "500", "--out", str(tmp_path / "out")]
    name = f"gwm portfolio, {quantity}"
    assert keep(benchmark, capsys, name, lambda: cpu_seconds(words), PORTFOLIO_SECONDS, start(), rounds=1)


def test_a_thousand_points_take_2_minutes_of_each_of_two_cores(benchmark, capsys, shipped, tmp_path):
    content = YAML(typ="safe").load(shipped.scenario("participation-sweep").read_text("utf-8"))
    content["sweep"] |= {"design": "latin_hypercube", "points": 1000}
    with (tmp_path / "sweep.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(content, file)
    words = ["sweep", str(tmp_path / "sweep.yaml"), "--jobs", str(PROCESSES), "--out", str(tmp_path / "sweep")]
    most = SWEEP_SECONDS * PROCESSES
    assert keep(benchmark, capsys, "gwm sweep, 1,000 points", lambda: cpu_seconds(words), most, start(), rounds=1)
