"""A projection: a checked scenario carried through the engine on common draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition
from gwm_models.models.health import HealthModel
from gwm_models.ranks.table import rank_draws
from gwm_models.scenarios.baseline import Baseline
from gwm_models.scenarios.conditions import Conditions, edition_conditions
from gwm_models.scenarios.engine import apply_actions
from gwm_models.scenarios.engine_parts import Effects, Layers, Setting
from gwm_models.scenarios.groups import ALL, TARGETS
from gwm_models.scenarios.inputs import Inputs, draw_inputs
from gwm_models.scenarios.layers import NAMES as LAYERS
from gwm_models.scenarios.layers import central_layers, draw_layers
from gwm_models.scenarios.memory import block_of_draws
from gwm_models.scenarios.outcomes import model_of, outcome_level
from gwm_models.scenarios.phases import response_weights
from gwm_models.scenarios.plans import make_plans
from gwm_models.scenarios.renormalised import renormalised_change
from gwm_models.scenarios.spec import HealthLink, Scenario
from gwm_models.scenarios.targets import Selection, select
from gwm_models.scenarios.variance import variance_shares

__all__ = ["LAYERS", "HealthEffect", "Projection", "group_masks", "project"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


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
    """What a scenario does, on common draws of baseline and scenario; of the last year unless a year is named.

    Attributes
    ----------
    scenario : Scenario
    edition : Edition
    years : tuple of int
    selections : tuple of Selection
        The areas each action reaches.
    baseline : Baseline
        True scores and levels of the edition.
    conditions : Conditions or None
        The conditions of the areas, where an action changes one.
    score_before, level_before : ndarray, shape (n_draws, n_areas, n_domains or n_indicators)
        Without the actions: those of the baseline, moved along the trend where the scenario asks for it.
    total_before : ndarray, shape (n_draws, n_areas)
    domain_change, level_change : ndarray, shape (n_draws, n_areas, n_domains or n_indicators)
        Scenario minus baseline, bounds frozen, levels inside their hard limits, scores inside the printed scale.
    change : ndarray, shape (n_draws, n_areas)
        Of the total.
    rank_before, rank_after : ndarray of int, shape (n_draws, n_areas)
        Ranks of the total inside each draw.
    renormalised : ndarray, shape (n_draws, n_areas)
        Change of the total that the next edition would print, with bounds moved to the new smallest and largest
        values of each indicator.
    asked, delivered : tuple of ndarray, shape (n_draws, n_areas)
        Each action's change, in the unit of what it changes: before additionality and limits (reach counted), and
        after, with what neighbours receive.
    clamped : tuple of ndarray of bool, shape (n_draws, n_areas)
        Where a hard limit cut an action's change.
    beyond : ndarray of bool, shape (n_draws, n_areas, n_domains)
        Where an end of the printed scale cut the change of a domain score.
    people : tuple of ndarray, shape (n_years, n_draws), or None
        People whose work each action changes, by year, before additionality; where its cost is counted for them.
    history : dict of ndarray, shape (n_years, n_draws)
        Mean change of the total by year for each group of areas that results are given for.
    health : tuple of HealthEffect
    variance : dict
        Quantity to layer to its share of variance; empty where it was not asked for.
    """

    scenario: Scenario
    edition: Edition
    years: tuple[int, ...]
    selections: tuple[Selection, ...]
    baseline: Baseline
    conditions: Conditions | None
    score_before: Floats
    level_before: Floats
    total_before: Floats
    domain_change: Floats
    level_change: Floats
    change: Floats
    rank_before: Ints
    rank_after: Ints
    renormalised: Floats
    asked: tuple[Floats, ...]
    delivered: tuple[Floats, ...]
    clamped: tuple[Bools, ...]
    beyond: Bools
    people: tuple[Floats | None, ...]
    history: dict[str, Floats]
    health: tuple[HealthEffect, ...]
    variance: dict[str, dict[str, float]]

    @property
    def treated(self) -> Bools:
        """Areas that any action reaches."""
        return _reached(self.selections, self.edition)

    def __repr__(self) -> str:
        """Return one line: scenario, areas, draws."""
        return f"Projection({self.scenario.id}: {int(self.treated.sum())} areas, {self.scenario.analysis.draws} draws)"


def group_masks(edition: Edition, treated: Bools) -> dict[str, Bools]:
    """Return the groups of areas that results are given for: target areas, all areas and every region."""
    region = np.array(edition.areas.region)
    found = {TARGETS: treated} if treated.any() else {}
    found |= {ALL: np.ones(len(treated), dtype=bool)}
    return found | {name: region == name for name in sorted(set(region.tolist()))}


def _reached(selections: tuple[Selection, ...], edition: Edition) -> Bools:
    reached = np.zeros(len(edition.areas), dtype=bool)
    for selection in selections:
        reached |= selection.treated
    return reached


def project(scenario: Scenario, edition: Edition | None = None, *, variance: bool = True) -> Projection:
    """Project a scenario.

    Parameters
    ----------
    scenario : Scenario
        Checked: areas as codes.
    edition : Edition, optional
        The one named in the scenario by default.
    variance : bool
        Whether to split the variance by layer; searches and sweeps do without.

    Returns
    -------
    Projection
        Frozen bounds; ranks inside each draw; draws keyed by seed, quantity and area, so a scenario without actions
        changes nothing, exactly.

    Raises
    ------
    ModelError
        If the scenario needs more memory than it allows, or figures that the edition does not have.
    """
    edition = edition or load_edition(scenario.baseline.edition)
    block = block_of_draws(scenario, edition)
    inputs = draw_inputs(edition, scenario.analysis.draws, scenario.analysis.seed)
    conditions = edition_conditions(edition) if any(action.condition for action in scenario.actions) else None
    selections = tuple(select(action.target, edition, inputs.baseline, action=action.id) for action in scenario.actions)
    years = tuple(range(scenario.horizon.start, scenario.horizon.end + 1))
    plans = make_plans(scenario.actions, selections, edition, conditions, years)
    masks = group_masks(edition, _reached(selections, edition))
    layers = draw_layers(scenario, edition, inputs, selections, conditions)
    setting = setting_of(scenario, edition, conditions, inputs, tuple(masks.values()), len(years), block)
    effects = apply_actions(plans, layers, setting)
    held = layers.trend is None
    before = inputs.total if held else effects.score_before.sum(axis=2)
    shares: dict[str, dict[str, float]] = {}
    if variance:
        central = central_layers(scenario, edition, inputs.baseline, selections, conditions)
        shares = variance_shares(plans, layers, central, setting, edition, [link.outcome for link in scenario.health])
    return Projection(
        scenario=scenario,
        edition=edition,
        years=years,
        selections=selections,
        baseline=inputs.baseline,
        conditions=conditions,
        score_before=effects.score_before,
        level_before=effects.level_before,
        total_before=before,
        domain_change=effects.domain,
        level_change=effects.level,
        change=effects.total,
        rank_before=inputs.rank if held else rank_draws(before),
        rank_after=rank_draws(before + effects.total),
        renormalised=renormalised_change(edition, _before_the_scale(effects, layers, edition), layers, plans),
        asked=effects.asked,
        delivered=effects.delivered,
        clamped=effects.clamped,
        beyond=effects.beyond,
        people=effects.people,
        history=dict(zip(masks, effects.history, strict=True)),
        health=_health(scenario, edition, effects),
        variance=shares,
    )


def setting_of(
    scenario: Scenario,
    edition: Edition,
    conditions: Conditions | None,
    inputs: Inputs,
    groups: tuple[Bools, ...],
    n_years: int,
    block: int,
) -> Setting:
    """Return what does not vary between draws."""
    spec, limits = edition.spec, inputs.baseline.limits.copy()
    limits[[indicator.unit == "points" for indicator in spec.indicators]] = -np.inf, np.inf
    responses = [response_weights(n_years, link.lag.years, link.lag.build_up)[::-1] for link in scenario.health]
    return Setting(
        domain=tuple(spec.domain_of()),
        limits=limits if conditions is None else np.concatenate([limits, conditions.links.limits]),
        scale=domain_scales(edition),
        conditions=np.empty((len(edition.areas), 0)) if conditions is None else conditions.levels,
        groups=groups,
        responses=np.array(responses).reshape(len(responses), n_years),
        n_years=n_years,
        block=block,
    )


def domain_scales(edition: Edition) -> Floats:
    """Return the ends of the printed scale of each domain, shape (n_domains, 2), such as 2 and 200 for two scores."""
    spec = edition.spec
    return np.outer(np.bincount(spec.domain_of(), minlength=len(spec.domains)), spec.scale)


def _before_the_scale(effects: Effects, layers: Layers, edition: Edition) -> Effects:
    """Return effects with what conditions change before the scale cuts it: a printed score has a scale of its own."""
    if all(slopes is None for slopes in layers.slopes) or not effects.beyond.any():
        return effects
    domain = np.zeros_like(effects.domain)
    for j, d in enumerate(edition.spec.domain_of()):
        domain[:, :, d] += effects.level[:, :, j] * layers.points[:, j, None]
    for delivered, slopes in zip(effects.delivered, layers.slopes, strict=True):
        if slopes is not None:
            domain += delivered[:, :, None] * slopes[:, None, :]
    return replace(effects, domain=domain)


def _health(scenario: Scenario, edition: Edition, effects: Effects) -> tuple[HealthEffect, ...]:
    found = []
    for link, full, stated in zip(scenario.health, effects.full, effects.stated, strict=True):
        model = model_of(edition, link.outcome)
        level = outcome_level(edition, model.outcome, scenario.analysis.draws, scenario.analysis.seed)
        found.append(HealthEffect(link, model, level.published, level.draws, full, stated))
    return tuple(found)
