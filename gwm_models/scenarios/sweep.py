"""Sweeps: many versions of a scenario on common draws, over all cores or a cluster, with points that are kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError, ModelError
from gwm_models.models.health import links_key
from gwm_models.scenarios.league import TIE
from gwm_models.scenarios.measured import better_is, measure_draws
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.spec import Measured, Scenario
from gwm_models.scenarios.spread import spreads
from gwm_models.scenarios.sweep_design import Design, make_design
from gwm_models.scenarios.sweep_store import Numbers, PointStore, Values
from gwm_models.scenarios.versions import Content, plain_content, version_of

Version = Callable[[], str]
Report = Callable[[int, int], None]

CHUNK = 8
"""Points of one piece of work."""
WORTH = 100
"""Points for which one more process pays."""
NUMBERS = ("estimate", "std_error", "lower", "upper")
WAIT = 10
"""Seconds to wait for a cluster."""


@dataclass(frozen=True)
class SweepJob:
    """What a process needs to work out points of a sweep.

    Attributes
    ----------
    content : dict
        The scenario as plain data, without the sweep.
    paths : tuple of str
        The numbers varied.
    measures : tuple of Measured
    level : float
        Of the intervals.
    version : str
        Hash of the toolkit and its data.
    """

    content: Content
    paths: tuple[str, ...]
    measures: tuple[Measured, ...]
    level: float
    version: str

    @property
    def key(self) -> str:
        """Hash of all that the numbers of a point depend on."""
        links = links_key(load_edition(self.content["baseline"]["edition"])) if self.content["health"] else ""
        asked = [measured.model_dump() for measured in self.measures]
        whole = [self.content, self.paths, asked, self.level, self.version, links]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class SweepResult:
    """A finished sweep.

    Attributes
    ----------
    scenario : Scenario
    design : Design
    job : SweepJob
    numbers : ndarray, shape (n_points, n_measures, 5)
        ``estimate, std_error, lower, upper, prob_better``; NaN where there is none.
    base : ndarray, shape (n_measures, 5)
        With all numbers as in the file.
    ends : ndarray, shape (n_factors, 2, n_measures, 5)
        With one number at its smallest and largest value and the others as in the file.
    """

    scenario: Scenario
    design: Design
    job: SweepJob
    numbers: NDArray[np.float64]
    base: NDArray[np.float64]
    ends: NDArray[np.float64]


def sweep_job(scenario: Scenario, design: Design, version: str) -> SweepJob:
    """Return what a process needs for the points of a sweep.

    Parameters
    ----------
    scenario : Scenario
        Checked, of kind sweep.
    design : Design
    version : str
        Hash of the toolkit and its data, as every worker must have them.
    """
    sweep = scenario.sweep
    if sweep is None:
        raise ModelError(f"{scenario.id} has no sweep. Use kind: sweep with a block 'sweep', or gwm run.")
    return SweepJob(plain_content(scenario), design.paths, sweep.measures, max(scenario.analysis.intervals), version)


def run_sweep(
    scenario: Scenario,
    *,
    version: Version,
    store: Callable[[str], PointStore] | None = None,
    jobs: int | None = None,
    dask: str | None = None,
    report: Report | None = None,
) -> SweepResult:
    """Project every point of a sweep; the numbers do not depend on how many processes share the work.

    Besides the points of the design, the scenario is projected as it is in the file, and with each number at its ends.

    Parameters
    ----------
    scenario : Scenario
        Checked, of kind sweep.
    version : callable
        Returns the hash of the toolkit and its data where it is called; a worker on which it differs is refused. A
        function of a module, so that workers can call it.
    store : callable, optional
        Opens the place where finished points are kept under a key; points found there are not worked out again.
    jobs : int, optional
        Processes on this machine. By default all cores, but no more than there is work for.
    dask : str, optional
        Address of a Dask scheduler to use instead, such as ``tcp://10.0.0.1:8786``.
    report : callable, optional
        Told how many points are done, and of how many.

    Raises
    ------
    ModelError
        If the scenario has no sweep.
    ScenarioError
        If a point makes no sound scenario.
    DataError
        If the cluster cannot be reached, or its workers have another toolkit or other data.
    """
    design = make_design(scenario)
    job = sweep_job(scenario, design, version())
    kept = store(job.key) if store is not None else None
    found = dict(kept.found) if kept is not None else {}
    base, ends = _outside(design)
    points = [tuple(row) for row in design.points.tolist()]
    wanted = list(dict.fromkeys([*points, base, *(end for pair in ends for end in pair)]))
    missing = [values for values in wanted if values not in found]
    done = len(wanted) - len(missing)
    if report is not None:
        report(done, len(wanted))
    for values, numbers in _worked_out(job, version, missing, jobs, dask):
        found.update(zip(values, numbers, strict=True))
        if kept is not None:
            kept.add(values, numbers)
        done += len(values)
        if report is not None:
            report(done, len(wanted))
    return SweepResult(
        scenario=scenario,
        design=design,
        job=job,
        numbers=_array([found[values] for values in points]),
        base=_array([found[base]])[0],
        ends=np.array([_array([found[end] for end in pair]) for pair in ends]),
    )


def _outside(design: Design) -> tuple[Values, list[tuple[Values, Values]]]:
    """Return the values in the file, and those with one number at its ends."""
    base = tuple(factor.base for factor in design.factors)
    ends = []
    for i, factor in enumerate(design.factors):
        low, high = ((*base[:i], end, *base[i + 1 :]) for end in (factor.low, factor.high))
        ends.append((low, high))
    return base, ends


def _array(numbers: Sequence[Numbers]) -> NDArray[np.float64]:
    return np.array(numbers, dtype=np.float64)


def _worked_out(
    job: SweepJob, version: Version, missing: list[Values], jobs: int | None, dask: str | None
) -> Iterator[tuple[list[Values], list[Numbers]]]:
    """Yield pieces of work as they are finished, in any order."""
    if not missing:
        return
    pieces = [missing[start : start + CHUNK] for start in range(0, len(missing), CHUNK)]
    n_jobs = jobs or min(os.cpu_count() or 1, -(-len(missing) // WORTH))
    if dask is None and n_jobs == 1:
        for piece in pieces:
            yield piece, evaluate_points(job, piece)
        return
    import joblib

    with _backend(dask, n_jobs):
        parallel = joblib.Parallel(return_as="generator_unordered", n_jobs=-1 if dask else n_jobs)
        yield from parallel(joblib.delayed(_piece)(job, version, piece) for piece in pieces)


@contextmanager
def _backend(dask: str | None, n_jobs: int) -> Iterator[None]:
    """Choose where work is done."""
    import joblib

    if dask is None:
        with joblib.parallel_config(backend="loky", n_jobs=n_jobs):
            yield
        return
    with _client(dask) as client, joblib.parallel_config(backend="dask", client=client):
        yield


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """Connect to a Dask cluster."""
    try:
        from distributed import Client
    except ImportError as error:
        raise DataError(
            "--dask needs the package distributed. Install it with: pip install 'dask[distributed]'."
        ) from error
    connect: Any = Client
    try:
        client = connect(address, timeout=WAIT)
    except (OSError, ValueError, TimeoutError) as error:
        raise DataError(
            f"No Dask scheduler answers at {address}. Check the address; it looks like tcp://10.0.0.1:8786."
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise DataError(f"The Dask cluster at {address} has no workers. Start some with: dask worker {address}.")
        yield client


def _piece(job: SweepJob, version: Version, piece: list[Values]) -> tuple[list[Values], list[Numbers]]:
    """Work out some points on a worker."""
    if _version_here(version) != job.version:
        raise DataError(
            "A worker has another version of gwm-models or of its data, so its numbers would differ. Install the same "
            "on all workers."
        )
    return piece, evaluate_points(job, piece)


@lru_cache(maxsize=1)
def _version_here(version: Version) -> str:
    """Return the version of this process, found once."""
    return version()


def evaluate_points(job: SweepJob, points: Sequence[Values]) -> list[Numbers]:
    """Project some versions of a scenario and measure them.

    Parameters
    ----------
    job : SweepJob
    points : sequence of tuple of float
        Values of the numbers varied.

    Returns
    -------
    list
        For each point and measure: ``estimate, std_error, lower, upper, prob_better``; None where there is none.
    """
    edition = load_edition(job.content["baseline"]["edition"])
    found = []
    for values in points:
        scenario = version_of(job.content, dict(zip(job.paths, values, strict=True)))
        projection = project(scenario, edition, variance=False)
        found.append([_numbers(projection, measured, job.level) for measured in job.measures])
    return found


def _numbers(projection: Projection, measured: Measured, level: float) -> list[float | None]:
    draws = measure_draws(projection, measured)
    told = spreads(draws[:, None], [level])[level]
    numbers = [float(told[name][0]) for name in NUMBERS]
    return [value if np.isfinite(value) else None for value in (*numbers, _better(projection, measured))]


def _better(projection: Projection, measured: Measured) -> float:
    """Return the probability that the scenario is better than nothing in this number; a draw without it is not."""
    sign = better_is(measured)
    if sign == 0:
        return np.nan
    change = measure_draws(projection, measured.model_copy(update={"state": "difference"}))
    return float((sign * change > TIE).mean())
