"""A projection: a checked scenario carried through the engine on common draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition, published_std_error, unit_values
from gwm_models.draws import keyed_normals
from gwm_models.models.health import HealthModel, health_models
from gwm_models.ranks.table import rank_draws
from gwm_models.scenarios.baseline import Baseline, draw_baseline
from gwm_models.scenarios.engine import (
    ActionPlan,
    Effects,
    Layers,
    apply_actions,
    lagged,
    phase_in,
    response_weights,
    row_standardised,
)
from gwm_models.scenarios.layers import central_layers, draw_layers
from gwm_models.scenarios.spec import Action, HealthLink, Scenario
from gwm_models.scenarios.targets import Selection, select

Floats = NDArray[np.float64]

VARIANCE_DRAWS = 1000
LAYERS = {
    "sampling": "Sampling error of the indicators",
    "points": "Points per unit of the indicators",
    "effect": "Size of the actions' effects",
    "health": "Health slopes and their causal share",
    "interactions": "Interactions of these layers",
}


@dataclass(frozen=True, eq=False)
class HealthEffect:
    """Change of one outcome in the last year, shape (n_draws, n_areas), under the full association and the link.

    Attributes
    ----------
    link : HealthLink
    model : HealthModel
    published : ndarray, shape (n_areas,)
        The outcome's published value.
    baseline : ndarray, shape (n_draws, n_areas)
        The published value with its sampling error; NaN where no limits are published.
    full, stated : ndarray, shape (n_draws, n_areas)
    """

    link: HealthLink
    model: HealthModel
    published: Floats
    baseline: Floats
    full: Floats
    stated: Floats


@dataclass(frozen=True, eq=False)
class Projection:
    """What a scenario does, on common draws of baseline and scenario.

    Attributes
    ----------
    scenario : Scenario
    edition : Edition
    years : tuple of int
    selections : tuple of Selection
        The areas each action reaches.
    baseline : Baseline
    effects : Effects
    rank_before, rank_after : ndarray of int, shape (n_draws, n_areas)
        Ranks of the total inside each draw.
    renormalised : ndarray, shape (n_draws, n_areas)
        Change of the total that the next edition would print, with bounds moved to the new smallest and largest
        values of each indicator.
    health : tuple of HealthEffect
    variance : dict
        Quantity to layer to its share of variance.
    """

    scenario: Scenario
    edition: Edition
    years: tuple[int, ...]
    selections: tuple[Selection, ...]
    baseline: Baseline
    effects: Effects
    rank_before: NDArray[np.int64]
    rank_after: NDArray[np.int64]
    renormalised: Floats
    health: tuple[HealthEffect, ...]
    variance: dict[str, dict[str, float]]

    @property
    def treated(self) -> NDArray[np.bool_]:
        """Areas that any action reaches."""
        reached = np.zeros(len(self.edition.areas), dtype=bool)
        for selection in self.selections:
            reached |= selection.treated
        return reached

    @property
    def change(self) -> Floats:
        """Change of the total in the last year, shape (n_draws, n_areas)."""
        return np.asarray(self.effects.total[-1])

    def __repr__(self) -> str:
        """Return one line: scenario, areas, draws."""
        return f"Projection({self.scenario.id}: {int(self.treated.sum())} areas, {self.scenario.analysis.draws} draws)"


def project(scenario: Scenario, edition: Edition | None = None) -> Projection:
    """Project a scenario.

    Parameters
    ----------
    scenario : Scenario
        Checked: areas as codes.
    edition : Edition, optional
        The one named in the scenario by default.

    Returns
    -------
    Projection
        Frozen bounds; ranks inside each draw; draws keyed by seed, quantity and area, so a scenario without actions
        changes nothing, exactly.
    """
    edition = edition or load_edition(scenario.baseline.edition)
    n_draws, seed = scenario.analysis.draws, scenario.analysis.seed
    baseline = draw_baseline(edition, n_draws, seed)
    selections = tuple(select(action.target, edition, baseline) for action in scenario.actions)
    years = tuple(range(scenario.horizon.start, scenario.horizon.end + 1))
    plans = tuple(
        _plan(action, chosen, edition, years) for action, chosen in zip(scenario.actions, selections, strict=True)
    )
    models = health_models(edition)
    layers = draw_layers(scenario, edition, baseline)
    effects = _apply(plans, layers, edition, len(years), baseline.limits)
    before = layers.score.sum(axis=2)
    return Projection(
        scenario=scenario,
        edition=edition,
        years=years,
        selections=selections,
        baseline=baseline,
        effects=effects,
        rank_before=rank_draws(before),
        rank_after=rank_draws(before + effects.total[-1]),
        renormalised=renormalised_change(edition, effects),
        health=tuple(
            _health(link, models.of(link.outcome), edition, effects, layers, o, scenario)
            for o, link in enumerate(scenario.health)
        ),
        variance=_variance(scenario, edition, plans, layers, baseline),
    )


def _plan(action: Action, chosen: Selection, edition: Edition, years: tuple[int, ...]) -> ActionPlan:
    change, extra = action.change, action.additionality
    benchmark: str | int | None = change.to
    if benchmark in edition.areas.code:
        benchmark = edition.areas.code.index(str(benchmark))
    fade = action.phasing.fade
    return ActionPlan(
        indicator=edition.spec.indicator_ids.index(action.indicator),
        kind="points" if change.unit == "points" else change.kind,
        treated=chosen.treated,
        benchmark=benchmark,
        phase=phase_in(
            years,
            action.phasing.start,
            action.phasing.full_by,
            shape=action.phasing.shape,
            half_life=fade.half_life if fade else None,
        ),
        additional=(1 - extra.deadweight) * (1 - extra.displacement) * (1 - extra.leakage),
        spillover=action.spillover.share if action.spillover else 0.0,
    )


def _apply(plans: tuple[ActionPlan, ...], layers: Layers, edition: Edition, n_years: int, limits: Floats) -> Effects:
    spec = edition.spec
    return apply_actions(
        plans,
        layers,
        direction=[indicator.direction for indicator in spec.indicators],
        limits=limits,
        domain=spec.domain_of(),
        neighbours=row_standardised(edition.areas.borders, len(edition.areas)),
        n_years=n_years,
    )


def renormalised_change(edition: Edition, effects: Effects) -> Floats:
    """Return the change of the total that a new edition with moved bounds would print, shape (n_draws, n_areas).

    Each indicator with open figures is scored anew between its smallest and largest value over the areas, before and
    after the change, in every draw. An indicator known only in points keeps its frozen change. For calibrated
    indicators the bounds are those of the open figures, not the unpublished ones.
    """
    spec = edition.spec
    span = spec.scale[1] - spec.scale[0]
    change = np.zeros_like(effects.level[:, :, 0])
    for j, indicator in enumerate(spec.indicators):
        moved = effects.level[:, :, j]
        if not moved.any():
            continue
        if indicator.unit == "points":
            change += moved
        else:
            old = edition.values[:, j] * indicator.direction
            new = old + moved * indicator.direction
            low, width = new.min(axis=1, keepdims=True), np.ptp(new, axis=1, keepdims=True)
            change += span * ((new - low) / width - (old - old.min()) / np.ptp(old))
    return change


def _health(
    link: HealthLink, model: HealthModel, edition: Edition, effects: Effects, layers: Layers, o: int, scenario: Scenario
) -> HealthEffect:
    weights = response_weights(len(effects.total), link.lag.years, link.lag.build_up)
    published, draws = _outcome_draws(model, edition, scenario.analysis.draws, scenario.analysis.seed)
    return HealthEffect(
        link=link,
        model=model,
        published=published,
        baseline=draws,
        full=lagged(effects.total, weights) * layers.full[:, o, None],
        stated=_stated_change(effects, weights, layers.stated[:, o]),
    )


def _stated_change(effects: Effects, weights: Floats, slopes: Floats) -> Floats:
    """Return the change in years that the stated link takes as effect, shape (S, n)."""
    change = np.zeros(np.broadcast_shapes(effects.total.shape[1:], (len(slopes), 1)))
    for d, history in effects.by_domain.items():
        change += lagged(history, weights) * slopes[:, d, None]
    return change


def _outcome_draws(model: HealthModel, edition: Edition, n_draws: int, seed: int) -> tuple[Floats, Floats]:
    """Return the outcome's published level by area and draws of it.

    Areas of one unit share the draw; a unit without published limits has none.
    """
    outcome, areas = model.outcome, edition.areas
    rows = unit_values("outcomes", outcome.variable, outcome.period, areas.unit, sex=outcome.sex)
    error = published_std_error(rows)
    draws = rows["value"] + error * keyed_normals(seed, f"outcome:{outcome.id}", areas.unit, n_draws)
    return rows["value"], draws


def _variance(
    scenario: Scenario,
    edition: Edition,
    plans: tuple[ActionPlan, ...],
    layers: Layers,
    baseline: Baseline,
) -> dict[str, dict[str, float]]:
    """Return shares of the variance of the mean change over target areas: each layer varied alone, and what is left.

    The mean is that of the headline: areas weigh the same for the score, residents for health. What the layers together
    add to the sum of their separate variances is given as interactions.
    """
    if not plans:
        return {}
    central = central_layers(scenario, edition, baseline)
    few = slice(VARIANCE_DRAWS)
    every = replace(
        layers,
        level=layers.level[few],
        score=layers.score[few],
        points=layers.points[few],
        effect=tuple(effect[few] for effect in layers.effect),
        full=layers.full[few],
        stated=layers.stated[few],
    )
    alone = {
        "sampling": replace(central, level=every.level, score=every.score),
        "points": replace(central, points=every.points),
        "effect": replace(central, effect=every.effect),
        "health": replace(central, full=every.full, stated=every.stated),
    }
    reached = np.any([plan.treated for plan in plans], axis=0)
    residents = edition.areas.population * reached / edition.areas.population[reached].sum()
    variance: dict[str, dict[str, float]] = {}
    for name, varied in (alone | {"together": every}).items():
        effects = _apply(plans, varied, edition, len(plans[0].phase), baseline.limits)
        variance.setdefault("total", {})[name] = float(effects.total[-1][:, reached].mean(axis=1).var())
        for o, link in enumerate(scenario.health):
            weights = response_weights(len(effects.total), link.lag.years, link.lag.build_up)
            change = _stated_change(effects, weights, varied.stated[:, o]) @ residents
            variance.setdefault(link.outcome, {})[name] = float(change.var())
    return {quantity: _as_shares(parts) for quantity, parts in variance.items()}


def _as_shares(variance: dict[str, float]) -> dict[str, float]:
    """Turn variances by layer, and of all together, into shares that add up to 1, interactions last."""
    together = variance.pop("together")
    parts = variance | {"interactions": max(together - sum(variance.values()), 0.0)}
    total = sum(parts.values())
    return {name: part / total if total > 0 else 0.0 for name, part in parts.items()}
