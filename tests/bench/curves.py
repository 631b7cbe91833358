"""Curves of cost against size: areas, draws, actions, points of a sweep, workers; and the distance to stated limits.

python tests/bench/curves.py [--quick] [FOLDER]

writes ``curves.csv``, ``slopes.csv`` and ``limits.csv`` into FOLDER, by default results/benchmarks. Each size is
measured in a process of its own, on one thread, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curves_cases import FAMILIES, Family

import gwm_models
from gwm_models.files import csv_text

Row = dict[str, Any]
Progress = Callable[[str], None]

HERE = Path(__file__).resolve().parent
MOST_MIB, MOST_SECONDS = 4096, 120.0
"""A size that would take more is left out, and the row says so."""
LEAST_MIB = 4.0
"""Memory above that of the loaded program from which it is told apart from the program's own ups and downs."""
LEAST_SECONDS = 2e-5
COSTS = {"cpu_seconds": LEAST_SECONDS, "above_start_mib": LEAST_MIB}
COLUMNS = (
    "curve",
    "axis",
    "setting",
    "size",
    "rounds",
    "cpu_seconds",
    "cpu_min",
    "cpu_max",
    "wall_seconds",
    "start_mib",
    "peak_mib",
    "above_start_mib",
    "left_out",
)


@dataclass(frozen=True)
class Curves:
    """What was measured.

    Attributes
    ----------
    points : list of dict
        A row for each curve and size: CPU seconds (median, smallest, largest), wall seconds (median), memory of the
        process when loaded, at its peak, and the difference; or why the size was left out.
    slopes : list of dict
        A row for each curve and cost: slope of the logarithm of cost on that of size, its standard error, the range.
    limits : list of dict
        A row for each piece of work that has a limit: how many times the limit it takes.
    """

    points: list[Row]
    slopes: list[Row]
    limits: list[Row]


def measure(quick: bool, progress: Progress) -> Curves:
    """Measure all curves and limits.

    Parameters
    ----------
    quick : bool
        Small sizes, several to a process: a look at whether all works, not a measurement.
    progress : callable
        Told what is being measured.
    """
    points: list[Row] = []
    if quick:
        progress("small sizes of all curves")
        points += child("quick")
    else:
        for name, family in FAMILIES.items():
            progress(name)
            points += _family(name, family)
    progress("workers")
    workers = child("workers", rounds=1 if quick else 3, points=4 if quick else 200)
    shared = efficiency(workers)
    progress("limits")
    limits = child("limits", rounds=1 if quick else 7, quick=quick) + shared
    rows = [{name: row.get(name, "") for name in COLUMNS} for row in points + workers]
    return Curves(rounded(rows), rounded(slopes(points)), rounded(limits))


def _family(name: str, family: Family) -> list[Row]:
    """Measure one size after another, and leave out those that would take too much."""
    rows: list[Row] = []
    for size in family.sizes:
        why = too_large(family, size, rows)
        if why:
            curves = dict.fromkeys(row["curve"] for row in rows)
            head = {"axis": family.axis, "setting": family.setting, "size": size, "left_out": why}
            rows += [{"curve": curve, **head} for curve in curves]
        else:
            rows += child("family", name=name, sizes=[size])
    return rows


def too_large(family: Family, size: int, rows: Sequence[Row]) -> str:
    """Say why a size is left out, from the memory that it needs or the time that smaller ones took; empty if not."""
    mib = family.needs(size) if family.needs else 0.0
    if mib > MOST_MIB:
        return f"needs {mib / 1024:.1f} GiB of memory or more"
    seconds_of: dict[int, float] = {}
    for row in (row for row in rows if "cpu_seconds" in row):
        seconds_of[row["size"]] = seconds_of.get(row["size"], 0.0) + row["cpu_seconds"]
    if len(seconds_of) < 3:
        return ""
    (small, less), (large, more) = sorted(seconds_of.items())[-2:]
    seconds = more * (size / large) ** (math.log(more / less) / math.log(large / small))
    return f"would take about {seconds / 60:.0f} minutes of CPU by the slope so far" if seconds > MOST_SECONDS else ""


def child(kind: str, **asked: Any) -> list[Row]:
    """Run one measuring process, on one thread, and return its rows."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    root = str(Path(gwm_models.__file__).resolve().parents[1])
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, str(HERE / "curves_child.py"), json.dumps({"kind": kind, **asked})]
    done = subprocess.run(
        command, env={**environment, **threads, "PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"measuring {kind} {asked} failed:\n{done.stderr}")
    rows: list[Row] = json.loads(done.stdout)
    return rows


def slopes(points: Iterable[Row]) -> list[Row]:
    """Fit the slope of every curve, but of workers: there are too few, and `limits` has their efficiency."""
    curves: dict[tuple[str, str, str], list[Row]] = {}
    for row in points:
        if row["axis"] != "workers":
            curves.setdefault((row["curve"], row["axis"], row["setting"]), []).append(row)
    return [_slope(curve, cost, rows) for curve, rows in curves.items() for cost in COSTS]


def _slope(curve: tuple[str, str, str], cost: str, rows: Sequence[Row]) -> Row:
    found = sorted((row["size"], row[cost]) for row in rows if not row.get("left_out"))
    told = [(size, value) for size, value in found if value >= COSTS[cost]]
    head = dict(zip(("curve", "axis", "setting"), curve, strict=True)) | {"cost": cost, "sizes": len(told)}
    empty = dict.fromkeys(("slope", "std_error", "slope_at_end", "from", "to"), "")
    if len(told) < 3:
        (largest, most), unit = found[-1], "MiB" if cost == "above_start_mib" else "CPU seconds"
        note = f"fewer than three sizes took {COSTS[cost]:g} {unit} or more; {largest:,.0f} took {most:.3g}"
        return {**head, **empty, "note": note}
    slope, error = fit(*zip(*told, strict=True))
    end, _ = fit(*zip(*told[-2:], strict=True))
    return {
        **head,
        "slope": slope,
        "std_error": error,
        "slope_at_end": end,
        "from": told[0][0],
        "to": told[-1][0],
        "note": "",
    }


def fit(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
    """Return the least-squares slope of log cost on log size, and its standard error (NaN from two points).

    Examples
    --------
    >>> slope, error = fit([1, 10, 100], [3, 300, 30_000])
    >>> round(slope, 12), round(error, 12)
    (2.0, 0.0)
    """
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    slope, start = statistics.linear_regression(x, y)
    spread = sum((a - statistics.fmean(x)) ** 2 for a in x)
    left = sum((b - start - slope * a) ** 2 for a, b in zip(x, y, strict=True))
    return slope, math.sqrt(left / (len(x) - 2) / spread) if len(x) > 2 else math.nan


def efficiency(workers: Sequence[Row]) -> list[Row]:
    """Return how many times as long a sweep takes as if processes shared the work of one without loss."""
    alone, found = workers[0]["walls"], []
    for row in workers[1:]:
        least = [wall / row["size"] for wall in alone]
        times = [wall / limit for wall, limit in zip(row["walls"], least, strict=True)]
        found.append(
            {
                "work": f"sweep by {row['size']} workers, wall seconds",
                "limit": "that of one, divided by their number",
                "setting": f"{row['setting']}, {os.cpu_count()} cores",
                "seconds": statistics.median(row["walls"]),
                "limit_seconds": statistics.median(least),
                "times_limit": statistics.median(times),
                "times_limit_min": min(times),
                "times_limit_max": max(times),
                "rounds": len(times),
            }
        )
    return found


def write(found: Curves, folder: Path) -> None:
    """Write the three tables."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("points", "slopes", "limits"):
        file = folder / ("curves.csv" if name == "points" else f"{name}.csv")
        file.write_text(csv_text(getattr(found, name)), encoding="utf-8")


def rounded(rows: Iterable[Row]) -> list[Row]:
    """Return rows with numbers of four digits."""
    return [
        {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    ]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Curves of cost against size, and the distance to stated limits.")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE.parents[1] / "results" / "benchmarks")
    parser.add_argument("--quick", action="store_true", help="small sizes: a look at whether all works")
    asked = parser.parse_args()
    write(measure(asked.quick, lambda line: print(line, file=sys.stderr, flush=True)), asked.folder)


if __name__ == "__main__":
    main()
