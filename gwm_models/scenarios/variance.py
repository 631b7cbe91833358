"""Which layer of uncertainty the spread of a result comes from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.scenarios.engine import apply_actions
from gwm_models.scenarios.engine_parts import ActionPlan, Layers, Setting, rows_of
from gwm_models.scenarios.layers import varied_alone

Floats = NDArray[np.float64]

DRAWS = 1000
"""Draws that shares of variance rest on."""
OFFSET = 0.05
"""How far below the sum of the layers their joint variance is before they are said to offset each other."""
ROUNDING = 1e-12
"""A variance below this part of the square of the mean change is rounding, and counts as none."""


def variance_shares(
    plans: Sequence[ActionPlan],
    layers: Layers,
    central: Layers,
    setting: Setting,
    edition: Edition,
    outcomes: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return shares of the variance of the mean change over target areas: each layer varied alone, and what is left.

    The mean is that of the headline: areas weigh the same for the score, residents for health. What the layers together
    add to the sum of their separate variances is given as interactions.

    Parameters
    ----------
    plans : sequence of ActionPlan
    layers, central : Layers
        Drawn and central values.
    setting : Setting
    edition : Edition
    outcomes : sequence of str
        Names of the outcomes, in the order of the layers.

    Returns
    -------
    dict
        ``total`` or outcome to layer to share. Interactions below 0 are what layers that offset each other take off the
        sum of their variances, as a share of it. A quantity whose change is certain is left out.
    """
    if not plans:
        return {}
    every = rows_of(layers, slice(DRAWS))
    reached = np.zeros(len(edition.areas), dtype=bool)
    for plan in plans:
        reached[plan.places] = True
    residents = edition.areas.population * reached / edition.areas.population[reached].sum()
    variance: dict[str, dict[str, float]] = {}
    for name, varied in (varied_alone(central, every) | {"together": every}).items():
        effects = apply_actions(plans, varied, setting, before=False)
        variance.setdefault("total", {})[name] = variance_of(effects.total[:, reached].mean(axis=1))
        for outcome, change in zip(outcomes, effects.stated, strict=True):
            variance.setdefault(outcome, {})[name] = variance_of(change @ residents)
    return {quantity: _as_shares(parts) for quantity, parts in variance.items() if any(parts.values())}


def variance_of(change: Floats) -> float:
    """Return the variance of a change over draws, shape (n_draws,); 0 where it is no more than rounding."""
    found = float(change.var())
    return found if found > ROUNDING * float(change.mean()) ** 2 else 0.0


def _as_shares(variance: dict[str, float]) -> dict[str, float]:
    """Turn variances by layer, and of all together, into shares, interactions last.

    They add up to 1; where the layers offset each other, those of the layers alone do, and interactions are below 0.
    """
    together = variance.pop("together")
    alone = sum(variance.values())
    met = together - alone
    parts = variance | {"interactions": met if met > 0 or met < -OFFSET * alone else 0.0}
    total = max(together, alone)
    return {name: part / total if total > 0 else 0.0 for name, part in parts.items()}
