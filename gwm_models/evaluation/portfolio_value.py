"""What knowing more would be worth to a choice: of everything, and of each layer of uncertainty by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gwm_models.evaluation.portfolio_menu import Menu, actions_of, is_additive, measured
from gwm_models.scenarios.conditions import edition_conditions
from gwm_models.scenarios.engine import apply_actions
from gwm_models.scenarios.engine_parts import Effects, rows_of
from gwm_models.scenarios.inequality import MEASURES, inequality
from gwm_models.scenarios.inputs import draw_inputs
from gwm_models.scenarios.layers import central_layers, draw_layers, varied_alone
from gwm_models.scenarios.plans import make_plans
from gwm_models.scenarios.projection import Projection, project, setting_of
from gwm_models.scenarios.targets import select

Floats = NDArray[np.float64]

DEGREE = 3
"""Of the polynomial that a choice's effect is regressed on."""
BLOCK = 2**22
"""Numbers worked on at a time."""
MOVES_BEFORE = ("sampling", "trend")
"""Layers that the totals without any action depend on."""


@dataclass(frozen=True)
class Information:
    """What it is worth to know a layer of uncertainty before choosing, in the unit of what is measured.

    Attributes
    ----------
    layer : str
        A layer, or ``everything``.
    value : float
        Expected gain in what is measured, 0 or more.
    n : int
        Draws it rests on.
    """

    layer: str
    value: float
    n: int


def best_of(benefit: Floats, sets: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Return the best set in every draw, for benefits of choices that add up.

    Parameters
    ----------
    benefit : ndarray, shape (S, J)
    sets : ndarray of 0 and 1, shape (C, J)
        The first of equal ones is taken.

    Returns
    -------
    best : ndarray, shape (S,)
    place : ndarray of int, shape (S,)
    mean : ndarray, shape (C,)
        Mean of each set over the draws.
    """
    best, place = np.full(len(benefit), -np.inf), np.zeros(len(benefit), dtype=np.int64)
    step = max(BLOCK // len(benefit), 1)
    for start in range(0, len(sets), step):
        values = benefit @ sets[start : start + step].T
        top = values.argmax(axis=1)
        found = values[np.arange(len(values)), top]
        better = found > best
        best, place = np.where(better, found, best), np.where(better, start + top, place)
    return best, place, sets @ benefit.mean(axis=0)


def worth_knowing(menu: Menu, sets: Floats, values: Floats | None, n: int) -> list[Information]:
    """Return the value of perfect information on each layer.

    The effect of every choice is regressed on what its option would do if the layer alone were uncertain; the fitted
    values are its expected effect given the layer, and the best set by them is taken in each draw.

    Parameters
    ----------
    menu : Menu
    sets : ndarray of 0 and 1, shape (C, J)
        Sets that may be chosen.
    values : ndarray, shape (n, C), or None
        What is measured under each; None where effects add up.
    n : int
        Draws used, the first ones.

    Returns
    -------
    list of Information
        In the order of the layers.

    References
    ----------
    Strong, Oakley and Brennan (2014), Medical Decision Making 34(3), 311-326 (regression on the parameters of
    interest).
    """
    features = _features(menu, n)
    found = []
    for layer in dict.fromkeys(name for own in features for name in own):
        columns = [own.get(layer, np.zeros(n)) for own in features]
        if values is None:
            assert menu.effect is not None  # noqa: S101 - effects add up
            effect = menu.sign * menu.effect[:n]
            fitted = np.column_stack(
                [_fitted(effect[:, j], _powers(columns[int(k)])) for j, k in enumerate(menu.option)]
            )
            best, _, mean = best_of(fitted, sets)
            gain = best.mean() - mean.max()
        else:
            fitted = _fitted(menu.sign * values, _standardised(np.column_stack(columns)))
            gain = fitted.max(axis=1).mean() - fitted.mean(axis=0).max()
        found.append(Information(layer, max(float(gain), 0.0), n))
    return found


def _features(menu: Menu, n: int) -> list[dict[str, Floats]]:
    """Return, for each option, what it does by layer when that layer alone is uncertain; shape (n,) each."""
    measure = menu.portfolio.objective.measure.model_copy(update={"state": "difference"})
    found = []
    for k, option in enumerate(menu.options):
        actions = actions_of(menu.scenario, option)
        scenario = menu.scenario.model_copy(update={"kind": "scenario", "portfolio": None, "actions": actions})
        whole = replace(project(scenario, menu.edition, variance=False), selections=menu.selections)
        own = {}
        for name, effects in _alone(whole, n):
            if is_additive(measure):
                own[name] = measured(_with_effects(whole, effects), measure)
            else:
                own[name] = _of_gap(menu, k, name, effects, n)
        found.append(own)
    return found


def _alone(whole: Projection, n: int) -> Iterator[tuple[str, Effects]]:
    """Give what a scenario does when one layer is drawn and the others are at their central values."""
    scenario, edition = whole.scenario, whole.edition
    inputs = draw_inputs(edition, scenario.analysis.draws, scenario.analysis.seed)
    conditions = edition_conditions(edition) if any(action.condition for action in scenario.actions) else None
    selections = tuple(select(action.target, edition, inputs.baseline) for action in scenario.actions)
    plans = make_plans(scenario.actions, selections, edition, conditions, whole.years)
    every = rows_of(draw_layers(scenario, edition, inputs, selections, conditions), slice(n))
    central = central_layers(scenario, edition, inputs.baseline, selections, conditions)
    setting = setting_of(scenario, edition, conditions, inputs, (), len(whole.years), n)
    for name, layers in varied_alone(central, every).items():
        yield name, apply_actions(plans, layers, setting)


def _with_effects(whole: Projection, effects: Effects) -> Projection:
    health = tuple(replace(effect, stated=stated) for effect, stated in zip(whole.health, effects.stated, strict=True))
    return replace(whole, change=effects.total, domain_change=effects.domain, health=health)


def _of_gap(menu: Menu, k: int, layer: str, effects: Effects, n: int) -> Floats:
    """Return the change of a gap, or for a rank of the mean total where the option is."""
    quantity = menu.portfolio.objective.measure.quantity
    if quantity not in MEASURES:
        return np.asarray(effects.total[:, menu.reached[k]].mean(axis=1))
    before = menu.total_before[:n] if layer in MOVES_BEFORE else menu.total_before.mean(axis=0, keepdims=True)
    after = inequality(quantity, before + effects.total, menu.edition.areas)
    return np.asarray(after - inequality(quantity, before, menu.edition.areas))


def _standardised(columns: Floats) -> Floats:
    """Return columns with mean 0 and standard deviation 1; those that do not vary are left out."""
    spread = columns.std(axis=0)
    varies = spread > 1e-9 * np.maximum(np.abs(columns).max(axis=0), 1e-300)
    return np.asarray((columns[:, varies] - columns[:, varies].mean(axis=0)) / spread[varies])


def _powers(column: Floats) -> Floats:
    """Return the powers of one number, up to `DEGREE`; no column where it does not vary."""
    z = _standardised(column[:, None])
    return np.hstack([z**power for power in range(1, DEGREE + 1)]) if z.shape[1] else z


def _fitted(outcome: Floats, columns: Floats) -> Floats:
    """Return the least-squares fit of an outcome, or of several, on columns and a constant."""
    design = np.hstack([np.ones((len(outcome), 1)), columns])
    basis = np.linalg.qr(design)[0]
    return np.asarray(basis @ (basis.T @ outcome))
