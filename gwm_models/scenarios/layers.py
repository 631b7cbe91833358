"""The layers of uncertainty of a scenario: drawn together, or at their central values."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_normals, keyed_rng
from gwm_models.index.calibration import points_per_unit
from gwm_models.models.health import health_models
from gwm_models.models.links import SlopeDraws, central_links, draw_links
from gwm_models.scenarios.baseline import Baseline
from gwm_models.scenarios.engine import Layers
from gwm_models.scenarios.spec import Action, CausalShare, Scenario

Floats = NDArray[np.float64]


def draw_layers(scenario: Scenario, edition: Edition, baseline: Baseline) -> Layers:
    """Draw every layer together; each draw is keyed by what it is of, not by its place in the file."""
    n_draws, seed = scenario.analysis.draws, scenario.analysis.seed
    points = points_per_unit(edition)
    normals = keyed_rng(seed, "points").standard_normal((n_draws, len(points.estimate)))
    value, vector = np.linalg.eigh(points.cov)
    spread = (vector * np.sqrt(np.maximum(value, 0))) @ vector.T
    slopes = _of_outcomes(draw_links(health_models(edition).links, n_draws=n_draws, seed=seed), scenario)
    return Layers(
        level=baseline.level,
        score=baseline.score,
        points=points.estimate + normals @ spread,
        effect=tuple(draw_effect(action, edition.areas.code, n_draws, seed) for action in scenario.actions),
        full=slopes.between,
        stated=stated_slopes(scenario, edition, slopes, n_draws),
    )


def central_layers(scenario: Scenario, edition: Edition, baseline: Baseline) -> Layers:
    """Return every layer at its central value, as one draw."""
    slopes = _of_outcomes(central_links(health_models(edition).links), scenario)
    return Layers(
        level=baseline.shrunk_level[None],
        score=baseline.shrunk_score[None],
        points=points_per_unit(edition).estimate[None],
        effect=tuple(np.full((1, len(edition.areas)), central_effect(action)) for action in scenario.actions),
        full=slopes.between,
        stated=stated_slopes(scenario, edition, slopes, None),
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


def stated_slopes(scenario: Scenario, edition: Edition, slopes: SlopeDraws, n_draws: int | None) -> Floats:
    """Return the years per point of each domain that each outcome's link states, shape (n_draws or 1, n_outcomes, d).

    ``within`` is the corrected slope within areas for points of the access domain, where it is measured; for the other
    domains it is the same share of the association between areas. A stated causal share is one number for all outcomes
    of a draw.
    """
    access = np.array([name == "access" for name in edition.spec.domain_ids])
    rng = keyed_rng(scenario.analysis.seed, "causal-share")
    luck = rng.standard_normal(n_draws) if n_draws else np.zeros(1)
    stated = np.zeros((len(slopes.between), len(scenario.health), len(access)))
    for o, link in enumerate(scenario.health):
        full = slopes.between[:, o, None]
        if isinstance(link.link, CausalShare):
            share = link.link.causal_share
            stated[:, o] = (share.mean + share.sd * luck)[:, None] * full
        elif link.link == "between":
            stated[:, o] = full
        else:
            elsewhere = slopes.within_share[:, o, None] * full
            stated[:, o] = np.where(access, slopes.within_access[:, o, None], elsewhere)
    return stated


def _of_outcomes(slopes: SlopeDraws, scenario: Scenario) -> SlopeDraws:
    """Keep the outcomes of a scenario, in its order; draws do not depend on which those are."""
    places = [slopes.outcome.index(link.outcome) for link in scenario.health]
    return SlopeDraws(
        tuple(link.outcome for link in scenario.health),
        slopes.between[:, places],
        slopes.within_access[:, places],
        slopes.within_share[:, places],
    )
