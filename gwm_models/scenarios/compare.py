"""Several scenarios on common draws: which is better, how surely, and what choosing another would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import DataError, ModelError, some
from gwm_models.scenarios.compare_terms import check_measures, link_texts, same_links, same_terms, usual_measures
from gwm_models.scenarios.costs import cost_draws
from gwm_models.scenarios.inputs import draw_inputs
from gwm_models.scenarios.league import Standings, standings
from gwm_models.scenarios.measured import better_is, measure_draws, measure_label
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.spec import Measured, Scenario
from gwm_models.scenarios.spread import Row, one
from gwm_models.scenarios.targets import select

Floats = NDArray[np.float64]

NOTHING = ("nothing", "no action", "nothing is done")
"""Names of the reference in which nothing is done; the first that is not taken."""
LEAST_DRAWS = 100
"""Draws of a measure that must have a value for it to be compared."""


@dataclass(frozen=True)
class Entrant:
    """One scenario of a comparison.

    Attributes
    ----------
    label : str
        Its name there, unlike any other.
    title : str
    scenario : Scenario or None
        As it was run; None for the reference in which nothing is done.
    n_areas : int
        Areas that its actions reach.
    """

    label: str
    title: str
    scenario: Scenario | None
    n_areas: int


@dataclass(frozen=True, eq=False)
class League(Frozen):
    """One measure of all scenarios.

    Attributes
    ----------
    measured : Measured
    label, unit : str
    better : {1, -1}
        1 where more is better.
    values : ndarray, shape (n_scenarios, n)
        In the draws in which every scenario has a value.
    standings : Standings
    """

    measured: Measured
    label: str
    unit: str
    better: int
    values: Floats
    standings: Standings


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scenarios held against each other on common draws.

    Attributes
    ----------
    entrants : tuple of Entrant
        In the order given; the reference last, unless one of them does nothing.
    reference : int
        Place of the scenario in which nothing is done.
    edition : Edition
    year, draws, seed : int
    level : float
        Of the intervals.
    leagues : tuple of League
    costs : tuple of dict
        A row for each scenario whose actions have a cost.
    notes : tuple of str
        What a reader must know.
    """

    entrants: tuple[Entrant, ...]
    reference: int
    edition: Edition
    year: int
    draws: int
    seed: int
    level: float
    leagues: tuple[League, ...]
    costs: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the scenarios."""
        return tuple(entrant.label for entrant in self.entrants)

    def __repr__(self) -> str:
        """Return one line: scenarios, measures, draws."""
        return f"Comparison({len(self.entrants)} scenarios, {len(self.leagues)} measures, {self.draws} draws)"


def compare(
    scenarios: Sequence[Scenario],
    *,
    labels: Sequence[str] | None = None,
    measures: Sequence[Measured] | None = None,
    draws: int | None = None,
    seed: int | None = None,
    year: int | None = None,
    counterfactual: str | None = None,
    edition: Edition | None = None,
    each: Callable[[str], None] = lambda label: None,
) -> Comparison:
    """Hold scenarios against each other, and against doing nothing.

    They are projected one after another on the same draws, and of each only the measures are kept, so that memory does
    not grow with what a projection holds.

    Parameters
    ----------
    scenarios : sequence of Scenario
        Two or more, or one that is held against doing nothing. Checked.
    labels : sequence of str, optional
        A name for each; their ids by default.
    measures : sequence of Measured, optional
        See `gwm_models.scenarios.compare_terms.usual_measures` for the default.
    draws, seed, year : int, optional
        For all of them, instead of their own.
    counterfactual : {"held", "trend"}, optional
        Likewise.
    edition : Edition, optional
        The one they name by default.
    each : callable
        Called with the label of each scenario before it is projected.

    Raises
    ------
    DataError
        If they cannot be compared as they stand.
    ModelError
        If a measure has no value in most draws.
    """
    if not scenarios:
        raise DataError("There is no scenario to compare. Name one or more.")
    if len(scenarios) == 1 and not scenarios[0].actions:
        raise DataError(f"{scenarios[0].id} does nothing, so there is nothing to hold it against. Name another file.")
    names = unique_labels(labels or [scenario.id for scenario in scenarios])
    terms = same_terms(scenarios, names, draws=draws, seed=seed, year=year, counterfactual=counterfactual)
    alike = _with_health(terms)
    edition = edition or load_edition(alike[0].baseline.edition)
    analysis = alike[0].analysis
    same_targets = _same_targets(alike, edition)
    asked = tuple(usual_measures(alike, edition, same_targets=same_targets) if measures is None else measures)
    check_measures(asked, alike, names, edition, same_targets=same_targets)
    entrants: list[Entrant] = []
    values: list[list[Floats]] = []
    costs: list[Row] = []
    nothing: list[Floats] = []
    some_act = any(scenario.actions for scenario in alike)
    for scenario, label in zip(alike, names, strict=True):
        entrants.append(Entrant(label, scenario.title, scenario, 0))
        values.append([])
        if some_act and not scenario.actions:
            continue
        each(label)
        projection = project(scenario, edition, variance=False)
        entrants[-1] = replace(entrants[-1], n_areas=int(projection.treated.sum()))
        values[-1] = [measure_draws(projection, measured) for measured in asked]
        nothing = nothing or [_untouched(projection, measured) for measured in asked]
        costs += _cost(projection, label, max(analysis.intervals))
    idle = next((place for place, scenario in enumerate(alike) if not scenario.actions), None)
    if idle is None:
        label = next(name for name in NOTHING if name not in names)
        entrants.append(Entrant(label, "Nothing is done", None, 0))
        values.append([])
    values = [found or nothing for found in values]
    leagues = tuple(
        _league(measured, np.array([found[m] for found in values]), edition, max(analysis.intervals))
        for m, measured in enumerate(asked)
    )
    return Comparison(
        entrants=tuple(entrants),
        reference=len(alike) if idle is None else idle,
        edition=edition,
        year=alike[0].horizon.end,
        draws=analysis.draws,
        seed=analysis.seed,
        level=max(analysis.intervals),
        leagues=leagues,
        costs=tuple(costs),
        notes=_notes(alike, names, leagues, analysis.draws),
    )


def unique_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels of which no two are the same: a later one gets its number.

    Examples
    --------
    >>> unique_labels(["drive", "other", "drive"])
    ('drive', 'other', 'drive (2)')
    """
    seen: Counter[str] = Counter()
    found: list[str] = []
    for label in labels:
        seen[label] += 1
        found.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return tuple(found)


def _with_health(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """Give scenarios that do nothing the health rules of the others: none of them changes a zero."""
    rules = next((scenario.health for scenario in scenarios if scenario.actions), None)
    if rules is None:
        return tuple(scenarios)
    return tuple(s if s.actions else s.model_copy(update={"health": rules}) for s in scenarios)


def _same_targets(scenarios: Sequence[Scenario], edition: Edition) -> bool:
    """Tell whether all scenarios that do something reach the same areas, and some do."""
    reached: set[bytes] = set()
    for scenario in scenarios:
        if scenario.actions:
            baseline = draw_inputs(edition, scenario.analysis.draws, scenario.analysis.seed).baseline
            chosen = [select(action.target, edition, baseline, action=action.id).treated for action in scenario.actions]
            reached.add(np.any(chosen, axis=0).tobytes())
    return len(reached) == 1


def _untouched(projection: Projection, measured: Measured) -> Floats:
    """Return what a measure would be if nothing were done: no change, or the level before."""
    if measured.state != "scenario":
        return np.zeros(projection.scenario.analysis.draws)
    change = measured.model_copy(update={"state": "difference"})
    return measure_draws(projection, measured) - measure_draws(projection, change)


def _league(measured: Measured, values: Floats, edition: Edition, level: float) -> League:
    label, unit = measure_label(edition, measured)
    better = better_is(measured)
    if better == 0:
        raise ModelError(f"{label}: neither more nor less of it is better, so it ranks nothing. Measure another.")
    kept = values[:, np.isfinite(values).all(axis=0)]
    if kept.shape[1] < LEAST_DRAWS:
        raise ModelError(
            f"{label}: has a value in all scenarios in only {kept.shape[1]} of {values.shape[1]} draws. Measure its "
            "difference instead."
        )
    return League(measured, label, unit, better, kept, standings(better * kept, level))


def _cost(projection: Projection, label: str, level: float) -> list[Row]:
    """Return the cost of a scenario, or of each price base where its actions have several."""
    found: dict[int, list[Floats]] = {}
    for a, action in enumerate(projection.scenario.actions):
        draws = cost_draws(projection, a)
        if draws is not None and action.cost is not None:
            found.setdefault(action.cost.price_base, []).append(draws)
    return [
        {"scenario": label, "price_base": price_base, "unit": "GBP"}
        | one(np.sum(costs, axis=0), level)
        | {"level": level, "n": projection.scenario.analysis.draws, "n_costed": len(costs)}
        | {"n_actions": len(projection.scenario.actions)}
        for price_base, costs in found.items()
    ]


def _notes(
    scenarios: Sequence[Scenario], labels: Sequence[str], leagues: Sequence[League], n_draws: int
) -> tuple[str, ...]:
    acting = [(s, label) for s, label in zip(scenarios, labels, strict=True) if s.actions]
    found = []
    shared = Counter(action.id for scenario, _ in acting for action in scenario.actions)
    twice = [name for name, n in shared.items() if n > 1]
    if twice:
        found.append(
            f"Actions of one name in several files ({some(twice)}) share their draws: where the size of the effect is "
            "uncertain, they turn out large or small together."
        )
    for outcome, same in same_links([s for s, _ in acting]).items() if acting else ():
        if not same:
            named = link_texts([s for s, _ in acting], [label for _, label in acting], outcome)
            found.append(f"{outcome} is not compared, since the files link it in different ways: {named}.")
    starts = {scenario.horizon.start for scenario in scenarios}
    if len(starts) > 1:
        found.append(
            f"The horizons start in different years ({some(sorted(starts))}); costs without years of their own cover "
            "the years of each file."
        )
    uncosted = [label for s, label in acting if any(action.cost is None for action in s.actions)]
    if uncosted and any(action.cost for s, _ in acting for action in s.actions):
        found.append(f"Some actions have no cost ({some(uncosted)}), so costs are not those of the whole.")
    if any(league.measured.quantity == "total" for league in leagues):
        found.append("A mean score counts every area the same; a mean of a health outcome counts residents.")
    found += [
        f"{league.label}: compared in {league.values.shape[1]} of {n_draws} draws, in which every scenario has a value."
        for league in leagues
        if league.values.shape[1] < n_draws
    ]
    if len(leagues) > 1:
        found.append("Each measure is judged on its own; no measure weighs them together.")
    return tuple(found)
