"""What is measured at each size: families of steps that share their inputs, run in a process of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import curves_made as made

import gwm_models
from gwm_models.data.user_editions import build_edition
from gwm_models.index.scoring import score_index
from gwm_models.ranks.table import rank_draws
from gwm_models.report.sweep import toolkit_version

Work = Callable[[], object]
Steps = Iterator[tuple[str, Work]]
"""Names of curves and the work to time, one after another; what a step needs is made ready before it is yielded."""

AREAS = (118, 1_000, 10_000, 33_755)
"""Areas of the Monitor, thousands, and the lower layer super output areas of England (Census 2021)."""
PAIRS = (118, 1_000, 3_000, 10_000, 33_755)
DRAWS = (1_000, 4_000, 10_000, 100_000)
ACTIONS = (1, 2, 5, 10, 20, 50)
POINTS = (10, 100, 1_000)
WORKERS = (1, 2)

AREA_DRAWS, SCENARIO_DRAWS, POINT_DRAWS = 1_000, 200, 200
BLOCK = 20
"""Draws of one block of a stream."""
MONITOR = ("economic_activity_rate", "unemployment_rate")
KEPT = 2**20
"""Bytes of a mebibyte."""


@dataclass(frozen=True)
class Family:
    """Curves over one axis that are measured together.

    Attributes
    ----------
    axis : str
        areas, draws, actions or points.
    setting : str
        What does not vary.
    sizes, quick : tuple of int
        Sizes measured, and those of a quick look.
    steps : callable
        From a size to its steps.
    needs : callable or None
        From a size to the mebibytes that it takes at least, where a size may be too large to try.
    """

    axis: str
    setting: str
    sizes: tuple[int, ...]
    quick: tuple[int, ...]
    steps: Callable[[int], Steps]
    needs: Callable[[int], float] | None = None


def ranks_by_areas(n: int) -> Steps:
    """State ranks from a stream of draws, and rank inside draws that are at hand."""
    block = made.scores(n, BLOCK)
    yield "rank statements, streamed", lambda: _streamed(block, AREA_DRAWS)
    draws = made.scores(n, AREA_DRAWS)
    yield "ranks inside draws", lambda: rank_draws(draws)


def ranks_by_draws(n: int) -> Steps:
    """State ranks of the number of areas of the Monitor from a stream of draws, and from draws that are at hand."""
    block, area = made.scores(AREAS[0], BLOCK), made.codes(AREAS[0])
    yield "rank statements, streamed", lambda: _streamed(block, n)
    draws = made.scores(AREAS[0], n)
    yield "rank statements, draws at hand", lambda: gwm_models.rank_areas(draws, area)


def _streamed(block: made.Floats, n_draws: int) -> object:
    return gwm_models.rank_areas(lambda: made.stream(block, n_draws), made.codes(block.shape[1]))


def one_score_by_areas(n: int) -> Steps:
    """Draw one true score an area."""
    yield "posterior of one score", _one_score(n, AREA_DRAWS)


def three_scores_by_areas(n: int) -> Steps:
    """Draw three true scores an area."""
    yield "posterior of three domain scores", _three_scores(n, AREA_DRAWS)


def posteriors_by_draws(n: int) -> Steps:
    """Draw true scores of the number of areas of the Monitor."""
    yield "posterior of one score", _one_score(AREAS[0], n)
    yield "posterior of three domain scores", _three_scores(AREAS[0], n)


def _one_score(n: int, n_draws: int) -> Work:
    published, error, area = made.scores(n, 1)[0], made.errors(n), made.codes(n)
    return lambda: gwm_models.total_posterior(published, error, area, n_draws=n_draws)


def _three_scores(n: int, n_draws: int) -> Work:
    inputs = made.domain_scores(n)
    return lambda: gwm_models.score_posterior(*inputs, n_draws=n_draws)


def equal_sets(n: int) -> Steps:
    """Find simultaneous rank sets for equal errors, without draws."""
    published = made.scores(n, 1)[0]
    yield "rank sets, equal errors, exact", lambda: gwm_models.rank_sets(published, 15.0)


def simulated_sets(n: int) -> Steps:
    """Find simultaneous rank sets for unequal errors, with draws."""
    published, error = made.scores(n, 1)[0], made.errors(n)
    yield "rank sets, unequal errors, simulated", lambda: gwm_models.rank_sets(published, error, draws=AREA_DRAWS)


def marginal_sets(n: int) -> Steps:
    """Find a rank set for each area on its own, for unequal errors, without draws."""
    published, error = made.scores(n, 1)[0], made.errors(n)
    yield "rank sets, marginal, exact", lambda: gwm_models.rank_sets(published, error, simultaneous=False)


def country_by_areas(n: int) -> Steps:
    """Build an edition, score it, and carry a scenario through it."""
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        land, home = made.country(here / "land", n), here / "made"
        yield "edition build", lambda: build_edition(land, home)
        edition = gwm_models.load_edition(str(home))
        yield "scoring of an edition", lambda: score_index(edition.spec, edition.values)
        indicators = tuple(name for name, _, direction in made.INDICATORS if direction > 0)
        yield from _scenario(made.scenario(str(home), SCENARIO_DRAWS, indicators=indicators))


def monitor_by_draws(n: int) -> Steps:
    """Carry a scenario through the Monitor."""
    yield from _scenario(made.scenario("monitor-2021", n, indicators=MONITOR))


def _scenario(asked: gwm_models.Scenario) -> Steps:
    """Project with all drawn anew, by another seed each time, then with the last inputs at hand, then sum up."""
    seeds = count(1)
    latest = [asked]

    def anew() -> object:
        analysis = asked.analysis.model_copy(update={"seed": next(seeds)})
        latest[:] = [asked.model_copy(update={"analysis": analysis})]
        return gwm_models.project(latest[0], variance=False)

    yield "scenario, all drawn anew", anew
    yield "scenario, inputs at hand", lambda: gwm_models.project(latest[0], variance=False)
    projection = gwm_models.project(latest[0], variance=False)
    yield "summary of a scenario", lambda: gwm_models.summarise(projection)


def scenario_by_actions(n: int) -> Steps:
    """Carry many actions through the Monitor, inputs at hand."""
    asked = made.scenario("monitor-2021", AREA_DRAWS, n_actions=n, indicators=MONITOR)
    gwm_models.project(asked, variance=False)
    yield "scenario, inputs at hand", lambda: gwm_models.project(asked, variance=False)


def sweep_by_points(n: int) -> Steps:
    """Work out the points of a sweep one after another."""
    asked = made.sweep(n, POINT_DRAWS)
    yield "sweep, one worker", lambda: gwm_models.run_sweep(asked, version=toolkit_version, jobs=1)


def sweep_by_workers(n: int, *, points: int = 200, draws: int = 1_000) -> Work:
    """Return a sweep shared by `n` processes that are started for it and ended with it."""
    asked = made.sweep(points, draws)

    def work() -> None:
        gwm_models.run_sweep(asked, version=toolkit_version, jobs=n)
        if n > 1:
            from joblib.externals.loky import get_reusable_executor

            get_reusable_executor().shutdown(wait=True)

    return work


def pairs_of(bytes_each: float) -> Callable[[int], float]:
    """Return how many mebibytes a table of all pairs of areas takes."""
    return lambda n: n * n * bytes_each / KEPT


FAMILIES = {
    "ranks": Family("areas", f"{AREA_DRAWS:,} draws", AREAS, (118, 500, 3_000), ranks_by_areas),
    "one score": Family("areas", f"{AREA_DRAWS:,} draws", AREAS, (118, 300, 1_000), one_score_by_areas),
    "three scores": Family("areas", f"{AREA_DRAWS:,} draws", AREAS, (118, 300, 600), three_scores_by_areas),
    # Standard errors of all differences and the differences themselves, 8 bytes each, and which count.
    "equal sets": Family("areas", "simultaneous, 95%", PAIRS, (118, 500, 1_500), equal_sets, pairs_of(18)),
    # Those, a list of the pairs to pick from, and one over each standard error.
    "simulated sets": Family(
        "areas", f"simultaneous, 95%, {AREA_DRAWS:,} draws", PAIRS, (118, 300, 1_000), simulated_sets, pairs_of(33)
    ),
    "marginal sets": Family("areas", "95%", (118, 300, 1_000, 10_000), (40, 80, 118), marginal_sets, pairs_of(18)),
    "country": Family(
        "areas", f"6 indicators, {SCENARIO_DRAWS} draws, 10 years", AREAS, (60, 118, 300), country_by_areas
    ),
    "ranks by draws": Family("draws", f"{AREAS[0]} areas", DRAWS, (1_000, 4_000, 10_000), ranks_by_draws),
    "posteriors by draws": Family("draws", f"{AREAS[0]} areas", DRAWS, (1_000, 2_000, 4_000), posteriors_by_draws),
    "monitor by draws": Family("draws", f"{AREAS[0]} areas, 10 years", DRAWS, (500, 1_000, 2_000), monitor_by_draws),
    "actions": Family(
        "actions", f"{AREAS[0]} areas, {AREA_DRAWS:,} draws, 10 years", ACTIONS, (1, 2, 5), scenario_by_actions
    ),
    "points": Family("points", f"{AREAS[0]} areas, {POINT_DRAWS} draws", POINTS, (5, 10, 20), sweep_by_points),
}
WARM = {"areas": 40, "draws": 200, "actions": 1, "points": 2}
"""Sizes run first, so that modules are loaded and memory that is not of the size is not counted as such."""
