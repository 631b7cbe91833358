"""Posterior of the scores beside PyMC's default sampler: cost of a thousand effective draws."""

from __future__ import annotations

import itertools
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from pairs import Contest, Pair

from gwm_models.data.edition import load_edition
from gwm_models.index.sampling import sampling_error
from gwm_models.ranks.one_score import total_posterior
from gwm_models.ranks.posterior import score_posterior

ERROR, PRIOR_SD = 15.0, 100.0
"""Of a published score; and the scale of the half-normal prior of the spread between areas, on both sides."""
CHAINS, DRAWS, TUNE = 4, 1000, 1000
"""PyMC's own defaults, with four chains on one core."""


def cpu() -> float:
    """Return CPU seconds of this process and of those it has started, such as compilers."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@lru_cache
def domains(n: int = 118) -> Any:
    """Return the Monitor's scores and errors, or simulated ones of many areas."""
    if n == 118:
        edition = load_edition()
        cov = sampling_error(edition).domain_cov
        return edition.domain_scores, cov, edition.areas.region_index(), edition.areas.code
    rng = np.random.default_rng(n)
    cov = rng.uniform(6, 20, (n, 1, 3)) ** 2 * np.eye(3)
    return rng.normal(100, 30, (n, 3)), cov, np.arange(n) % 9, tuple(map(str, range(n)))


def one(n: int, n_draws: int, seed: int = 1) -> Any:
    """Return our posterior of one score with equal errors."""
    scores, _, _, area = domains(n)
    return total_posterior(scores.sum(axis=1), ERROR, area, prior_sd=PRIOR_SD, n_draws=n_draws, seed=seed)


def three(n: int, n_draws: int, seed: int = 1) -> Any:
    """Return our posterior of the scores of three domains."""
    return score_posterior(*domains(n), prior_sd=PRIOR_SD, n_draws=n_draws, seed=seed)


def one_score_model() -> Any:
    """Return PyMC's model of one score, with starting values."""
    import pymc as pm

    y = domains()[0].sum(axis=1)
    with pm.Model() as model:
        between, mean = pm.HalfNormal("between", PRIOR_SD), pm.Flat("mean", initval=y.mean())
        true = pm.Normal("true", mean, between, shape=len(y), initval=y)
        pm.Normal("published", true, ERROR, observed=y)
    return model


def three_domain_model() -> Any:
    """Return PyMC's model of three domains, with starting values and errors taken together."""
    if (tests := str(Path(__file__).resolve().parents[1])) not in sys.path:
        sys.path.insert(0, tests)
    from pymc_reference import scores_model

    scores, cov, region, _ = domains()
    return scores_model(scores, cov, region)


def sampled(model: Any, seed: int = 1, draws: int = DRAWS, tune: int = TUNE) -> tuple[Any, float]:
    """Sample with PyMC's default settings; return the draws and CPU seconds, tuning included."""
    import pymc as pm

    with model, _silence():
        start = cpu()
        trace = pm.sample(draws=draws, tune=tune, chains=CHAINS, cores=1, random_seed=seed, progressbar=False)
        return trace, cpu() - start


@contextmanager
def _silence() -> Iterator[None]:
    """Keep PyMC from telling of its progress, and of the shortest runs that they are short."""
    log = logging.getLogger("pymc")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def compiled(model: Any) -> float:
    """Compile a model by a shortest run; return its CPU seconds."""
    import pymc as pm

    with model, _silence():
        start = cpu()
        pm.sample(draws=1, tune=1, chains=1, cores=1, random_seed=1, progressbar=False)
        return cpu() - start


def effective(trace: Any) -> float:
    """Return effective draws (bulk) by the parameter that has the fewest."""
    import arviz as az

    # nan: the diagonal of a correlation
    return min(float(np.nanmin(part)) for part in az.ess(trace).data_vars.values())


def totals(draws: Any) -> Any:
    """Return draws of the total, shape (n_draws, n_areas), from draws of it or of the domains."""
    draws = np.asarray(draws)
    return draws if draws.ndim == 2 else draws.sum(axis=2)


def _build(quick: bool, *, work: Callable[..., Any], model: Callable[..., Any], n_draws: int) -> Contest:
    asked, seeds, size = model(), itertools.count(1), (250, 250) if quick else (DRAWS, TUNE)
    compiled(asked)
    beside_sampling = compiled(asked)
    work(118, n_draws)

    def ours() -> tuple[float, Any]:
        start = time.process_time()
        found = work(118, n_draws)
        seconds = time.process_time() - start
        return 1000 * seconds / (n_draws * getattr(found, "efficiency", 1.0)), totals(found.draws)

    def theirs() -> tuple[float, Any]:
        trace, seconds = sampled(asked, next(seeds), *size)
        true = np.concatenate(list(np.asarray(trace.posterior["true"])))
        return 1000 * (seconds - beside_sampling) / effective(trace), totals(true)

    return Contest(ours, theirs, _apart, warm=False)


def _apart(ours: Any, theirs: Any) -> float:
    """Return how far posterior means and standard deviations of true totals are apart, in standard deviations."""
    spread, other = ours.std(axis=0), theirs.std(axis=0)
    means = np.abs(ours.mean(axis=0) - theirs.mean(axis=0))
    return float((np.maximum(means, np.abs(spread - other)) / spread).max())


PAIRS = tuple(
    Pair(
        name=f"posterior-{name}",
        compared=f"posterior of true scores: exact draws of {what} beside the default NUTS of PyMC",
        size=f"118 areas; 100,000 draws of ours, {CHAINS} chains x {DRAWS:,} draws after {TUNE:,} of tuning",
        checked="posterior mean and standard deviation of the total of every area, in standard deviations",
        peer="pymc",
        build=partial(_build, work=work, model=model, n_draws=100_000),
        tolerance=0.15,
        rounds=3,
        unit="CPU s per 1,000 effective draws",
        notes=(
            "effective draws by the parameter that has the fewest; PyMC with starting values and tuning included, "
            "compiling and what a shortest run costs left out"
        ),
    )
    for name, what, work, model in (
        ("one-score", "one score with equal errors", one, one_score_model),
        ("three-domains", "three correlated domains with region means", three, three_domain_model),
    )
)
