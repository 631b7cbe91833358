"""One process of a measurement: a family of curves at some sizes, sweeps by workers, or the limits; rows as JSON.

python tests/bench/curves_child.py '{"kind": "family", "name": "ranks", "sizes": [118]}'
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import curves_limits
from curves_cases import FAMILIES, KEPT, WARM, WORKERS, Work, sweep_by_workers

STATUS = Path("/proc/self/status")
LONG, BRIEF, MOST = 5.0, 0.3, 25
"""Seconds of a round that is not repeated; seconds and rounds up to which brief ones are."""
LEAST = 3
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes of a unit of `ru_maxrss`."""
Row = dict[str, Any]


def measure(name: str, sizes: Sequence[int], *, most: int = MOST) -> list[Row]:
    """Measure a family of curves at some sizes, one after another."""
    family = FAMILIES[name]
    for _, work in family.steps(WARM[family.axis]):
        work()
    gc.collect()
    start = resident()
    rows = []
    for size in sizes:
        for curve, work in family.steps(size):
            rows.append({"curve": curve, "axis": family.axis, "setting": family.setting, "size": size})
            rows[-1] |= timed(work, start, most)
    return rows


def quick() -> list[Row]:
    """Measure small sizes of all families in this one process, so that memory holds what earlier ones left."""
    return [row for name, family in FAMILIES.items() for row in measure(name, family.quick, most=LEAST)]


def timed(work: Work, start: float, most: int) -> Row:
    """Return what some work costs: seconds over rounds, and memory in the first of them."""
    gc.collect()
    forget_peak()
    rounds = [cost(work)]
    peak = highest()
    while len(rounds) < most and rounds[0][0] < LONG and (len(rounds) < LEAST or sum(cpu for cpu, _ in rounds) < BRIEF):
        rounds.append(cost(work))
    return {**spread(rounds), **memory(start, peak)}


def memory(start: float, peak: float) -> Row:
    """Return the memory of the loaded program, its peak, and the difference, in mebibytes."""
    return {"start_mib": start, "peak_mib": peak, "above_start_mib": peak - start}


def spread(rounds: Sequence[tuple[float, float]]) -> Row:
    """Return median, smallest and largest CPU seconds, and the median of wall seconds."""
    cpu, wall = zip(*rounds, strict=True)
    return {
        "rounds": len(rounds),
        "cpu_seconds": statistics.median(cpu),
        "cpu_min": min(cpu),
        "cpu_max": max(cpu),
        "wall_seconds": statistics.median(wall),
    }


def cost(work: Work) -> tuple[float, float]:
    """Return CPU seconds, those of processes that it starts and ends among them, and wall seconds of some work."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    work()
    return cpu_seconds() - cpu, time.perf_counter() - wall


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _status(key: str) -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024 / KEPT


def resident() -> float:
    """Return the memory in use, in mebibytes; the most so far where the system does not tell."""
    return _status("VmRSS") if STATUS.exists() else highest()


def highest() -> float:
    """Return the most memory used since `forget_peak`, in mebibytes.

    The system's own account of the process: that of `getrusage` starts from what the parent held.
    """
    if STATUS.exists():
        return _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / KEPT


def forget_peak() -> None:
    """Set the highest memory use back to the present one, where the system can."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")


def by_workers(rounds: int, points: int) -> list[Row]:
    """Measure one sweep with one process and with several, in turns; a row has the wall seconds of all its rounds.

    Peak memory is that of this process and, for each worker, of the largest.
    """
    works = {n: sweep_by_workers(n, points=points) for n in WORKERS}
    sweep_by_workers(1, points=2)()
    start, peak = resident(), dict.fromkeys(WORKERS, 0.0)
    found: dict[int, list[tuple[float, float]]] = {n: [] for n in WORKERS}
    for _ in range(rounds):
        for n, work in works.items():
            forget_peak()
            found[n].append(cost(work))
            peak[n] = max(peak[n], highest() + (n * largest_child() if n > 1 else 0))
    head = {"curve": "sweep, shared out", "axis": "workers", "setting": f"118 areas, 1,000 draws, {points} points"}
    return [
        {**head, "size": n, **spread(found[n]), **memory(start, peak[n]), "walls": [wall for _, wall in found[n]]}
        for n in WORKERS
    ]


def largest_child() -> float:
    """Return the peak memory of the largest process that was started and has ended, in mebibytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * RSS_UNIT / KEPT


def main(asked: Row) -> None:
    """Do what is asked and print the rows."""
    kinds: dict[str, Callable[..., list[Row]]] = {
        "family": measure,
        "quick": quick,
        "workers": by_workers,
        "limits": curves_limits.measure,
    }
    print(json.dumps(kinds[asked.pop("kind")](**asked)))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
