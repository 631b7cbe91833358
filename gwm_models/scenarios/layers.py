"""The layers of uncertainty of a scenario: drawn together, or at their central values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.index.calibration import points_per_unit
from gwm_models.models.links import SlopeDraws
from gwm_models.models.trend_observed import edition_year
from gwm_models.scenarios.baseline import Baseline
from gwm_models.scenarios.conditions import Conditions
from gwm_models.scenarios.engine_parts import Layers, TrendLayer
from gwm_models.scenarios.inputs import Inputs, area_normals, trend_draws
from gwm_models.scenarios.outcomes import slopes_of
from gwm_models.scenarios.phases import peak
from gwm_models.scenarios.spec import Action, CausalShare, Scenario, ShareOrUnsure, UncertainShare
from gwm_models.scenarios.targets import Selection

Floats = NDArray[np.float64]

NAMES = {
    "sampling": "Sampling error of the indicators",
    "points": "Points per unit of the indicators",
    "effect": "Size of the actions' effects",
    "additionality": "Shares that are no gain to the area",
    "conditions": "Slopes of the scores on the conditions",
    "trend": "Where the indicators go by themselves",
    "health": "Health slopes and their causal share",
    "interactions": "Interactions of these layers",
}
"""Layers of uncertainty and what they are, in the order in which shares of variance are given."""


def draw_layers(
    scenario: Scenario,
    edition: Edition,
    inputs: Inputs,
    selections: Sequence[Selection],
    conditions: Conditions | None,
) -> Layers:
    """Draw every layer together; each draw is keyed by what it is of, not by its place in the file."""
    n_draws, seed = scenario.analysis.draws, scenario.analysis.seed
    slopes = slopes_of(edition, [link.outcome for link in scenario.health], n_draws, seed)
    sizes = [
        _sizes(action, edition, chosen, n_draws, seed)
        for action, chosen in zip(scenario.actions, selections, strict=True)
    ]
    return Layers(
        level=inputs.baseline.level,
        score=inputs.baseline.score,
        points=inputs.points,
        effect=tuple(effect for effect, _ in sizes),
        own=tuple(own for _, own in sizes),
        additional=tuple(draw_additional(action, n_draws, seed) for action in scenario.actions),
        slopes=tuple(_condition_slopes(action, conditions, n_draws, seed) for action in scenario.actions),
        full=slopes.between,
        stated=stated_slopes(scenario, edition, slopes, n_draws),
        trend=trend_layer(scenario, edition, n_draws),
    )


def central_layers(
    scenario: Scenario,
    edition: Edition,
    baseline: Baseline,
    selections: Sequence[Selection],
    conditions: Conditions | None,
) -> Layers:
    """Return every layer at its central value, as one draw."""
    seed = scenario.analysis.seed
    slopes = slopes_of(edition, [link.outcome for link in scenario.health], None, seed)
    sizes = [
        _sizes(action, edition, chosen, None, seed) for action, chosen in zip(scenario.actions, selections, strict=True)
    ]
    return Layers(
        level=baseline.shrunk_level[None],
        score=baseline.shrunk_score[None],
        points=points_per_unit(edition).estimate[None],
        effect=tuple(effect for effect, _ in sizes),
        own=tuple(own for _, own in sizes),
        additional=tuple(draw_additional(action, None, seed) for action in scenario.actions),
        slopes=tuple(_condition_slopes(action, conditions, None, seed) for action in scenario.actions),
        full=slopes.between,
        stated=stated_slopes(scenario, edition, slopes, None),
        trend=trend_layer(scenario, edition, None),
    )


def varied_alone(central: Layers, every: Layers) -> dict[str, Layers]:
    """Return the layers with one of them drawn and the others central, for each that is uncertain at all.

    Sampling error, points, effects and health stand there always; the others where the scenario has them.
    """
    found = {
        "sampling": replace(central, level=every.level, score=every.score),
        "points": replace(central, points=every.points),
        "effect": replace(central, effect=every.effect, own=every.own),
        "additionality": replace(central, additional=every.additional),
        "conditions": replace(central, slopes=every.slopes),
        "trend": replace(central, trend=every.trend),
        "health": replace(central, full=every.full, stated=every.stated),
    }
    if all(len(share) == 1 for share in every.additional):
        del found["additionality"]
    if all(slopes is None for slopes in every.slopes):
        del found["conditions"]
    if every.trend is None:
        del found["trend"]
    return found


def central_effect(action: Action) -> float:
    """Return the stated size of a change, a percentage of a gap as a share; of a path its largest size."""
    return _stated_size(action) / _scale(action)


def _stated_size(action: Action) -> float:
    change = action.change
    return peak([size for _, size in change.path]) if change.path is not None else float(change.value or 0.0)


def _scale(action: Action) -> float:
    return 100.0 if action.change.kind == "close_gap" and action.change.unit == "percent" else 1.0


def draw_effect(action: Action, area: tuple[str, ...], n_draws: int, seed: int) -> Floats:
    """Draw the size of an action's change by area, shape (n_draws, n_areas), or (n_draws, 1) where areas share it.

    A split normal with the stated value as median and the stated limits as quantiles, common to all areas, plus a
    normal deviation of each area. Draws are keyed by the action's `drawn_as` and the area.

    References
    ----------
    Wallis (2014), Statistical Science 29, 106-112 (two-piece normal).
    """
    unsure, stated = action.uncertainty, _stated_size(action)
    size = np.full((n_draws, 1), stated)
    if unsure is not None:
        tail = NormalDist().inv_cdf((1 + unsure.level) / 2)
        common = keyed_rng(seed, "effect", action.drawn_as).standard_normal(n_draws)
        below, above = (stated - unsure.low) / tail, (unsure.high - stated) / tail
        size += (common * np.where(common < 0, below, above))[:, None]
        if unsure.across_areas:
            size = size + unsure.across_areas * area_normals(seed, f"effect-of-area:{action.drawn_as}", area, n_draws)
    return size / _scale(action)


def _sizes(
    action: Action, edition: Edition, chosen: Selection, n_draws: int | None, seed: int
) -> tuple[Floats, Floats | None]:
    """Return the size of an action's change, drawn or central, and what its areas add by themselves."""
    places = np.flatnonzero(chosen.treated)
    if n_draws is None:
        size = np.full((1, 1), central_effect(action))
    else:
        size = draw_effect(action, tuple(edition.areas.code[i] for i in places), n_draws, seed)
    if action.change.profile is None:
        return size, None
    from gwm_models.scenarios.shock import shock_size

    mean, departure = shock_size(action, edition, places, n_draws, seed)
    return size * mean, size * departure


def draw_additional(action: Action, n_draws: int | None, seed: int) -> Floats:
    """Return the share of an action's change that is a gain to the area: drawn, or at its mean.

    Parameters
    ----------
    action : Action
    n_draws : int, optional
        The mean, as one draw, if left out.
    seed : int

    Returns
    -------
    ndarray, shape (n_draws,), or (1,) where nothing in it is uncertain
        One less each share, multiplied. A share with a standard deviation is drawn from the beta distribution with
        that mean and standard deviation, keyed by the action's `drawn_as`.
    """
    kept = np.ones(1)
    for name in ("deadweight", "displacement", "leakage"):
        share: ShareOrUnsure = getattr(action.additionality, name)
        if not isinstance(share, UncertainShare):
            kept = kept * (1 - share)
        elif n_draws is None:
            kept = kept * (1 - share.mean)
        else:
            size = share.mean * (1 - share.mean) / share.sd**2 - 1
            rng = keyed_rng(seed, "additionality", action.drawn_as, name)
            kept = kept * (1 - rng.beta(share.mean * size, (1 - share.mean) * size, n_draws))
    return kept


def _condition_slopes(action: Action, conditions: Conditions | None, n_draws: int | None, seed: int) -> Floats | None:
    """Return the points of each domain per unit of an action's condition, shape (n_draws or 1, d)."""
    if action.condition is None or conditions is None:
        return None
    between, within = conditions.slopes(action.condition, n_draws, seed)
    link = action.link or "within"
    if isinstance(link, CausalShare):
        luck = _luck(seed, n_draws, "condition", action.condition)
        return np.asarray((link.causal_share.mean + link.causal_share.sd * luck)[:, None] * between)
    return between if link == "between" else within


def _luck(seed: int, n_draws: int | None, *key: str) -> Floats:
    return keyed_rng(seed, "causal-share", *key).standard_normal(n_draws) if n_draws else np.zeros(1)


def trend_layer(scenario: Scenario, edition: Edition, n_draws: int | None) -> TrendLayer | None:
    """Return where the levels go without any action, drawn or expected; None where the scenario holds them."""
    if scenario.baseline.counterfactual == "held":
        return None
    since = edition_year(edition)
    ahead = tuple(max(year - since, 0) for year in range(scenario.horizon.start, scenario.horizon.end + 1))
    analysis = scenario.analysis
    if n_draws is not None:
        draws = trend_draws(edition, n_draws, analysis.seed, ahead)
        return TrendLayer(n_draws, draws.growth, draws.trend.grown)
    from gwm_models.models.trend import draw_trend

    trend = draw_trend(edition, analysis.draws, analysis.seed)

    def expected(rows: slice, place: int, years: tuple[int, ...]) -> Floats:
        return trend.expected(place, [ahead[t] for t in years])[:, None]

    return TrendLayer(1, expected, trend.grown)


def stated_slopes(scenario: Scenario, edition: Edition, slopes: SlopeDraws, n_draws: int | None) -> Floats:
    """Return what each outcome's link states per point of each domain, shape (n_draws or 1, n_outcomes, d).

    ``within`` is the corrected slope within areas for points of the access domain, where it is measured; for the other
    domains it is the same share of the association between areas. A stated causal share is one number for all outcomes
    of a draw.
    """
    access = np.array([name == "access" for name in edition.spec.domain_ids])
    stated = np.zeros((len(slopes.between), len(scenario.health), len(access)))
    for o, health in enumerate(scenario.health):
        full, link = slopes.between[:, o, None], health.link
        if isinstance(link, CausalShare):
            luck = _luck(scenario.analysis.seed, n_draws)
            stated[:, o] = (link.causal_share.mean + link.causal_share.sd * luck)[:, None] * full
        elif link == "between":
            stated[:, o] = full
        else:
            elsewhere = slopes.within_share[:, o, None] * full
            stated[:, o] = np.where(access, slopes.within_access[:, o, None], elsewhere)
    return stated
