"""A projection: a checked scenario carried through the engine on common draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition, published_std_error, unit_values
from gwm_models.draws import keyed_normals, keyed_rng
from gwm_models.index.calibration import points_per_unit
from gwm_models.models.healthy_life import HealthFit, SlopeDraws, central_slopes, draw_slopes, fit_health
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
from gwm_models.scenarios.spec import Action, CausalShare, HealthLink, Scenario
from gwm_models.scenarios.targets import Selection, select

Floats = NDArray[np.float64]

VARIANCE_DRAWS = 1000
LAYERS = {
    "sampling": "Sampling error of the indicators",
    "points": "Points per unit of the indicators",
    "effect": "Size of the actions' effects",
    "health": "Health slopes and their causal share",
}


@dataclass(frozen=True, eq=False)
class HealthEffect:
    """Change of one outcome in the last year, shape (n_draws, n_areas), under the full association and the link.

    Attributes
    ----------
    link : HealthLink
    fit : HealthFit
    baseline : ndarray, shape (n_draws, n_areas)
        The outcome's published value with its sampling error.
    full, stated : ndarray, shape (n_draws, n_areas)
    """

    link: HealthLink
    fit: HealthFit
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
    fits = {fit.outcome.id: fit for fit in fit_health(edition)}
    chosen_fits = tuple(fits[link.outcome] for link in scenario.health)
    layers = _draw_layers(scenario, edition, baseline, chosen_fits)
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
            _health(link, fit, edition, effects, layers, o, scenario)
            for o, (link, fit) in enumerate(zip(scenario.health, chosen_fits, strict=True))
        ),
        variance=_variance(scenario, edition, plans, layers, baseline, chosen_fits),
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


def _draw_layers(scenario: Scenario, edition: Edition, baseline: Baseline, fits: tuple[HealthFit, ...]) -> Layers:
    n_draws, seed = scenario.analysis.draws, scenario.analysis.seed
    points = points_per_unit(edition)
    normals = keyed_rng(seed, "points").standard_normal((n_draws, len(points.estimate)))
    value, vector = np.linalg.eigh(points.cov)
    spread = (vector * np.sqrt(np.maximum(value, 0))) @ vector.T
    slopes = draw_slopes(fits, n_draws=n_draws, seed=seed)
    return Layers(
        level=baseline.level,
        score=baseline.score,
        points=points.estimate + normals @ spread,
        effect=tuple(draw_effect(action, edition.areas.code, n_draws, seed) for action in scenario.actions),
        slope=slopes.between,
        share=_shares(scenario, slopes, n_draws),
    )


def _central_layers(scenario: Scenario, edition: Edition, baseline: Baseline, fits: tuple[HealthFit, ...]) -> Layers:
    slopes = central_slopes(fits)
    return Layers(
        level=baseline.shrunk_level[None],
        score=baseline.shrunk_score[None],
        points=points_per_unit(edition).estimate[None],
        effect=tuple(np.full((1, len(edition.areas)), central_effect(action)) for action in scenario.actions),
        slope=slopes.between,
        share=_shares(scenario, slopes, None),
    )


def central_effect(action: Action) -> float:
    """Return the stated size of a change, a percentage of a gap as a share."""
    return action.change.value / _scale(action)


def _scale(action: Action) -> float:
    return 100.0 if action.change.kind == "close_gap" and action.change.unit == "percent" else 1.0


def draw_effect(action: Action, area: tuple[str, ...], n_draws: int, seed: int) -> Floats:
    """Draw the size of an action's change by area, shape (n_draws, n_areas).

    A split normal with the stated value as median and the stated limits as quantiles, common to all areas, plus a
    normal deviation of each area. Draws are keyed by the action's id.

    References
    ----------
    Wallis (2014), Statistical Science 29, 106-112 (two-piece normal).
    """
    unsure = action.uncertainty
    size = np.full((n_draws, len(area)), action.change.value)
    if unsure is not None:
        tail = NormalDist().inv_cdf((1 + unsure.level) / 2)
        common = keyed_rng(seed, "effect", action.id).standard_normal(n_draws)
        below, above = (action.change.value - unsure.low) / tail, (unsure.high - action.change.value) / tail
        size += (common * np.where(common < 0, below, above))[:, None]
        if unsure.across_areas:
            size += unsure.across_areas * keyed_normals(seed, f"effect-of-area:{action.id}", area, n_draws)
    return size / _scale(action)


def _shares(scenario: Scenario, slopes: SlopeDraws, n_draws: int | None) -> Floats:
    """Return the causal share that each outcome's link states, shape (n_draws or 1, n_outcomes)."""
    columns = []
    for o, link in enumerate(scenario.health):
        if isinstance(link.link, CausalShare):
            stated = link.link.causal_share
            normals = (
                keyed_rng(scenario.analysis.seed, "causal-share", link.outcome).standard_normal(n_draws)
                if n_draws
                else np.zeros(1)
            )
            columns.append(stated.mean + stated.sd * normals)
        elif link.link == "between":
            columns.append(np.ones(len(slopes.between)))
        else:
            columns.append(slopes.within_share[:, o])
    return np.column_stack(columns) if columns else np.zeros((n_draws or 1, 0))


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
    link: HealthLink, fit: HealthFit, edition: Edition, effects: Effects, layers: Layers, o: int, scenario: Scenario
) -> HealthEffect:
    weights = response_weights(len(effects.total), link.lag.years, link.lag.build_up)
    full = lagged(effects.total, weights) * layers.slope[:, o, None]
    return HealthEffect(
        link=link,
        fit=fit,
        baseline=_outcome_draws(fit, edition, scenario.analysis.draws, scenario.analysis.seed),
        full=full,
        stated=full * layers.share[:, o, None],
    )


def _outcome_draws(fit: HealthFit, edition: Edition, n_draws: int, seed: int) -> Floats:
    """Draw the outcome's present level by area; areas of one unit share the draw, a unit without limits has none."""
    outcome, areas = fit.outcome, edition.areas
    rows = unit_values("outcomes", outcome.variable, outcome.period, areas.unit, sex=outcome.sex)
    error = published_std_error(rows)
    draws = rows["value"] + error * keyed_normals(seed, f"outcome:{outcome.id}", areas.unit, n_draws)
    return np.asarray(draws)


def _variance(
    scenario: Scenario,
    edition: Edition,
    plans: tuple[ActionPlan, ...],
    layers: Layers,
    baseline: Baseline,
    fits: tuple[HealthFit, ...],
) -> dict[str, dict[str, float]]:
    """Return the share of variance of the mean change over target areas by layer, each varied alone."""
    if not plans:
        return {}
    central = _central_layers(scenario, edition, baseline, fits)
    few = slice(VARIANCE_DRAWS)
    alone = {
        "sampling": replace(central, level=layers.level[few], score=layers.score[few]),
        "points": replace(central, points=layers.points[few]),
        "effect": replace(central, effect=tuple(effect[few] for effect in layers.effect)),
        "health": replace(central, slope=layers.slope[few], share=layers.share[few]),
    }
    reached = np.any([plan.treated for plan in plans], axis=0)
    variance: dict[str, dict[str, float]] = {}
    for name, varied in alone.items():
        history = _apply(plans, varied, edition, len(plans[0].phase), baseline.limits).total[:, :, reached]
        variance.setdefault("total", {})[name] = float(history[-1].mean(axis=1).var())
        for o, link in enumerate(scenario.health):
            weights = response_weights(len(history), link.lag.years, link.lag.build_up)
            years = lagged(history, weights).mean(axis=1) * varied.slope[:, o] * varied.share[:, o]
            variance.setdefault(link.outcome, {})[name] = float(years.var())
    return {quantity: _as_shares(parts) for quantity, parts in variance.items()}


def _as_shares(parts: dict[str, float]) -> dict[str, float]:
    total = sum(parts.values())
    return {name: part / total if total > 0 else 0.0 for name, part in parts.items()}
