"""How far the toolkit is from limits that can be stated: the same array sorted, the same bytes copied or hashed.

Both sides take turns, so that a slow minute of the machine meets both; a ratio is that of one turn.
"""

from __future__ import annotations

import csv
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import curves_made as made
import numpy as np
from curves_cases import MONITOR

import gwm_models
from gwm_models.data.home import PACKAGE, data_home
from gwm_models.data.user_editions import build_edition
from gwm_models.ranks.table import rank_draws
from gwm_models.report.run_folder import code_hash, data_hash
from gwm_models.report.sweep import toolkit_version

Side = Callable[[], float]
"""Do the work once and return its seconds."""
GWM = (sys.executable, "-c", "import sys; from gwm_models.cli import main; sys.exit(main())")
NUMPY = (sys.executable, "-c", "import numpy")
AREAS = 118


def measure(rounds: int, quick: bool) -> list[dict[str, Any]]:
    """Hold each piece of work against its limit.

    Parameters
    ----------
    rounds : int
    quick : bool
        Fewer draws, and no editions of many areas.
    """
    scale = 10 if quick else 1
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, limit, setting, ours, bare in _limits(scale, Path(folder)):
            ours(), bare()
            turns = [(bare(), ours()) for _ in range(rounds)]
            limits, costs = zip(*turns, strict=True)
            ratios = [cost / least for least, cost in turns]
            rows.append(
                {
                    "work": name,
                    "limit": limit,
                    "setting": setting,
                    "seconds": statistics.median(costs),
                    "limit_seconds": statistics.median(limits),
                    "times_limit": statistics.median(ratios),
                    "times_limit_min": min(ratios),
                    "times_limit_max": max(ratios),
                    "rounds": rounds,
                }
            )
    return rows


def _limits(scale: int, folder: Path) -> Iterator[tuple[str, str, str, Side, Side]]:
    yield from _ranks(100_000 // scale)
    yield from _posteriors(20_000 // scale)
    yield from _engine(4_000 // scale)
    yield from _sweep(50 // scale)
    yield from _files(folder, 10_000 // scale)
    yield from _hashes()
    yield from _starts()


def _ranks(n_draws: int) -> Iterator[tuple[str, str, str, Side, Side]]:
    draws, area = made.scores(AREAS, n_draws), made.codes(AREAS)
    setting = f"{AREAS} areas, {n_draws:,} draws"
    sort, ranks = cpu(lambda: np.sort(draws, axis=1)), cpu(lambda: rank_draws(draws))
    yield "ranks inside draws", "NumPy sort of the same array", setting, ranks, sort
    twice = cpu(lambda: np.argsort(np.argsort(-draws, axis=1, kind="stable"), axis=1))
    yield "ranks inside draws", "NumPy argsort twice, which gives the same ranks", setting, ranks, twice
    statements = cpu(lambda: gwm_models.rank_areas(draws, area))
    yield "rank statements, draws at hand", "NumPy sort of the same array", setting, statements, sort


def _posteriors(n_draws: int) -> Iterator[tuple[str, str, str, Side, Side]]:
    limit, setting = "NumPy's normals, as many as scores", f"{AREAS} areas, {n_draws:,} draws"
    published, error, area = made.scores(AREAS, 1)[0], made.errors(AREAS), made.codes(AREAS)
    inputs, rng = made.domain_scores(AREAS), np.random.default_rng(1)
    one = cpu(lambda: gwm_models.total_posterior(published, error, area, n_draws=n_draws))
    yield "posterior of one score", limit, setting, one, cpu(lambda: rng.standard_normal((n_draws, AREAS)))
    three = cpu(lambda: gwm_models.score_posterior(*inputs, n_draws=n_draws))
    normals = cpu(lambda: rng.standard_normal((n_draws, AREAS, 3)))
    yield "posterior of three domain scores", limit, setting, three, normals


def _engine(n_draws: int) -> Iterator[tuple[str, str, str, Side, Side]]:
    asked = made.scenario("monitor-2021", n_draws, indicators=MONITOR)
    size = array_bytes(gwm_models.project(asked, variance=False))
    source = np.ones(2**24)
    target = np.empty_like(source)

    def copied() -> float:
        """Return the seconds that the bytes of the result take at the speed of a copy: each read or written once."""
        start = time.process_time()
        np.copyto(target, source)
        return (time.process_time() - start) * size / (2 * source.nbytes)

    setting = f"{AREAS} areas, {n_draws:,} draws, 10 years, {size / 2**20:.0f} MiB"
    project = cpu(lambda: gwm_models.project(asked, variance=False))
    yield "scenario, inputs at hand", "memory copy: every array of the result touched once", setting, project, copied


def array_bytes(thing: object, seen: set[int] | None = None) -> int:
    """Return the bytes of all arrays that a result holds, each counted once."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return thing.nbytes if thing.base is None else array_bytes(thing.base, seen)
    if isinstance(thing, dict):
        return sum(array_bytes(value, seen) for value in thing.values())
    if isinstance(thing, tuple):
        return sum(array_bytes(value, seen) for value in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        return sum(array_bytes(getattr(thing, field.name), seen) for field in fields(thing))
    return 0


def _sweep(n_points: int) -> Iterator[tuple[str, str, str, Side, Side]]:
    asked, n_others = made.sweep(n_points, 1_000), 1 + 2 * 2  # as in the file, and either end of two numbers
    sweep = cpu(lambda: gwm_models.run_sweep(asked, version=toolkit_version, jobs=1))
    projections = cpu(lambda: [gwm_models.project(asked, variance=False) for _ in range(n_points + n_others)])
    setting = f"{n_points} points and {n_others} more, 1,000 draws"
    yield "sweep", "as many projections, inputs at hand", setting, sweep, projections


def _files(folder: Path, n: int) -> Iterator[tuple[str, str, str, Side, Side]]:
    land = made.country(folder / "land", n)

    def parsed() -> None:
        for table in sorted(land.glob("*.csv")):
            with table.open(encoding="utf-8", newline="") as file:
                for _ in csv.DictReader(file):
                    pass

    setting = f"{n:,} areas, 6 indicators"
    limit = "the csv module reading its tables once"
    yield "edition build", limit, setting, cpu(lambda: build_edition(land, folder / "made")), cpu(parsed)


def _hashes() -> Iterator[tuple[str, str, str, Side, Side]]:
    paths = [*PACKAGE.rglob("*.py"), *data_home().glob("*.[cjy]*")]
    content = b"".join(path.read_bytes() for path in paths)
    setting = f"{len(paths)} files, {len(content) / 2**20:.1f} MiB"
    ours = cpu(lambda: (code_hash(), data_hash(data_home())))
    yield (
        "hashes of a manifest",
        "hashlib on the same bytes in memory",
        setting,
        ours,
        cpu(lambda: hashlib.sha256(content).digest()),
    )


def _starts() -> Iterator[tuple[str, str, str, Side, Side]]:
    limit = "Python that imports NumPy"
    yield "gwm --help", limit, "whole process", lambda: spawned(*GWM, "--help"), lambda: spawned(*NUMPY)
    check = (*GWM, "check", "northern-participation-2026")
    yield "gwm check", limit, "whole process", lambda: spawned(*check), lambda: spawned(*NUMPY)


def cpu(work: Callable[[], object]) -> Side:
    """Return some work with its CPU seconds as result."""

    def side() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return side


def spawned(*command: str) -> float:
    """Run a command to its end and return the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=os.environ, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
