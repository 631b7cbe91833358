"""Made-up countries, scores and scenarios of any size, for curves of cost against size."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models import Scenario, check_mapping

Floats = NDArray[np.float64]

REGIONS = 9
INDICATORS = (
    ("jobless", "access", -1),
    ("active", "access", 1),
    ("pay", "reward", 1),
    ("hours", "reward", 1),
    ("skilled", "quality", 1),
    ("routine", "quality", -1),
)
DEFINITION = """\
schema: gwm-index/1
id: made-up-2030
title: Good work in a made-up country, 2030
publisher: nobody
scale: {low: 1, high: 100}
domains:
  - {id: access, label: Access to work}
  - {id: reward, label: Reward}
  - {id: quality, label: Quality}
indicators:
"""
LINE = (
    "  - {{id: {0}, label: Rate of {0}, domain: {1}, direction: {2}, unit: percent, period: '2030', source: made up, "
    "bounds: {{from: data}}}}\n"
)


def codes(n: int) -> tuple[str, ...]:
    """Return the codes of `n` areas."""
    return tuple(f"Z{i:05}" for i in range(n))


def country(folder: Path, n: int) -> Path:
    """Write the tables of a country of `n` areas in a row: three domains of two indicators, as in the Monitor."""
    folder.mkdir(parents=True)
    lines = "".join(LINE.format(*indicator) for indicator in INDICATORS)
    (folder / "index.yaml").write_text(DEFINITION + lines, encoding="utf-8")
    values = np.random.default_rng(n).uniform(20, 60, (n, len(INDICATORS))).round(3).tolist()
    areas = ((code, f"Town {i}", f"Region {i % REGIONS}", 10_000 + i, 6_000 + i) for i, code in enumerate(codes(n)))
    names = ("area_code", "area_name", "region_name", "population", "population_16_64")
    _write(folder / "areas.csv", names, areas)
    rows = (
        (code, indicator[0], value, round(value - 2, 3), round(value + 2, 3))
        for code, levels in zip(codes(n), values, strict=True)
        for indicator, value in zip(INDICATORS, levels, strict=True)
    )
    _write(folder / "indicators.csv", ("area_code", "indicator", "value", "lower_95", "upper_95"), rows)
    borders = zip(codes(n), codes(n)[1:], strict=False)
    _write(folder / "borders.csv", ("area_code_1", "area_code_2"), borders)
    return folder


def _write(path: Path, names: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def scores(n: int, n_draws: int) -> Floats:
    """Return draws of the scores of `n` areas, as far apart and as unsure as those of the Monitor."""
    rng = np.random.default_rng(n)
    found = rng.standard_normal((n_draws, n))
    found *= 15
    found += rng.normal(307, 86, n)
    return found


def stream(block: Floats, n_draws: int) -> Iterator[Floats]:
    """Yield draws block by block, each a stretched copy of one block, so that next to nothing is spent on them."""
    for first in range(0, n_draws, len(block)):
        yield block[: n_draws - first] * (1 + first / n_draws)


def errors(n: int) -> Floats:
    """Return standard errors of the totals of `n` areas, no two alike."""
    return np.random.default_rng(n + 1).uniform(8, 22, n)


def domain_scores(n: int) -> tuple[Floats, Floats, NDArray[np.int64], tuple[str, ...]]:
    """Return what `score_posterior` is given: domain scores of `n` areas, their errors, regions and codes."""
    rng = np.random.default_rng(n)
    cov = rng.uniform(6, 20, (n, 1, 3)) ** 2 * np.eye(3)
    return rng.normal(100, 30, (n, 3)), cov, np.arange(n) % REGIONS, codes(n)


def scenario(edition: str, n_draws: int, *, indicators: tuple[str, ...], n_actions: int = 1) -> Scenario:
    """Return a scenario of ten years in which each action changes an indicator of every area, a little and unsurely."""
    actions = [
        {
            "id": f"action-{i}",
            "indicator": indicators[i % len(indicators)],
            "change": {"kind": "absolute", "value": round(1 / n_actions, 3), "unit": "pp"},
            "uncertainty": {"low": round(0.5 / n_actions, 3), "high": round(1.5 / n_actions, 3), "across_areas": 0.01},
            "target": {"everyone": True},
            "phasing": {"start": 2026, "full_by": 2030, "shape": "s_curve"},
        }
        for i in range(n_actions)
    ]
    return checked(edition, n_draws, {"actions": actions})


def sweep(n_points: int, n_draws: int) -> Scenario:
    """Return a sweep over size and reach of one action in the 20 lowest areas of the Monitor."""
    action = {
        "id": "participation",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
        "target": {"worst": {"by": "total", "n": 20}},
        "phasing": {"start": 2026, "full_by": 2031, "shape": "linear"},
        "reach": 0.8,
    }
    asked = {
        "vary": [
            {"path": "actions.participation.change.value", "low": 0.5, "high": 4.0},
            {"path": "actions.participation.reach", "low": 0.3, "high": 1.0},
        ],
        "design": "latin_hypercube",
        "points": n_points,
        "measures": [{"quantity": "total", "state": "difference"}, {"quantity": "gap_10_10", "state": "difference"}],
    }
    return checked("monitor-2021", n_draws, {"kind": "sweep", "actions": [action], "sweep": asked})


def checked(edition: str, n_draws: int, content: dict[str, Any]) -> Scenario:
    """Check a scenario and return it."""
    found, problems = check_mapping(
        {
            "schema": "gwm-scenario/1",
            "id": "made-up",
            "title": "Made up",
            "question": "What does size cost?",
            "baseline": {"edition": edition},
            "horizon": {"start": 2026, "end": 2035},
            "analysis": {"draws": n_draws, "seed": 1, "memory": 4.0},
            **content,
        }
    )
    if found is None:
        raise ValueError(f"The made-up scenario does not pass its checks: {problems}.")
    return found
