"""What all scenarios on one edition share: drawn once for a number of draws and a seed, and used again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_normals, keyed_rng
from gwm_models.index.calibration import points_per_unit
from gwm_models.models.trend import Trend
from gwm_models.models.trend_error import widened_trend
from gwm_models.ranks.table import rank_draws
from gwm_models.scenarios.baseline import Baseline, draw_baseline

Floats = NDArray[np.float64]

KEPT = 2**28
"""Bytes of drawn trends that are kept for the next scenario."""


@dataclass(frozen=True, eq=False)
class Inputs(Frozen):
    """Draws that no action has a part in.

    Attributes
    ----------
    baseline : Baseline
    total : ndarray, shape (n_draws, n_areas)
        True totals.
    rank : ndarray of int, shape (n_draws, n_areas)
    points : ndarray, shape (n_draws, n_indicators)
        Score points per unit.
    """

    baseline: Baseline
    total: Floats
    rank: NDArray[np.int64]
    points: Floats


@lru_cache(maxsize=1)
def draw_inputs(edition: Edition, n_draws: int, seed: int) -> Inputs:
    """Draw what all scenarios on an edition share; keyed by what it is of."""
    baseline = draw_baseline(edition, n_draws, seed)
    total = baseline.score.sum(axis=2)
    points = points_per_unit(edition)
    normals = keyed_rng(seed, "points").standard_normal((n_draws, len(points.estimate)))
    value, vector = np.linalg.eigh(points.cov)
    spread = (vector * np.sqrt(np.maximum(value, 0))) @ vector.T
    return Inputs(
        baseline=baseline,
        total=total,
        rank=rank_draws(total),
        points=points.estimate + normals @ spread,
    )


@lru_cache(maxsize=8)
def area_normals(seed: int, quantity: str, area: tuple[str, ...], n_draws: int) -> Floats:
    """Return standard normals by area, kept for the next scenario with the same action; read-only."""
    normals = keyed_normals(seed, quantity, area, n_draws)
    normals.setflags(write=False)
    return normals


@dataclass(frozen=True, eq=False)
class TrendDraws:
    """Drawn trends of the indicators over the years of a horizon; the first blocks asked for are kept.

    Attributes
    ----------
    trend : Trend
    ahead : tuple of int
        Years since the edition.
    blocks : dict
        First and last draw, indicator and places of years to their growth.
    """

    trend: Trend
    ahead: tuple[int, ...]
    blocks: dict[tuple[int, int, int, tuple[int, ...]], Floats] = field(default_factory=dict)

    def growth(self, part: slice, place: int, years: tuple[int, ...]) -> Floats:
        """Return the growth of an indicator in some years, shape (len(years), n_draws of the part, n_areas)."""
        key = (part.start, part.stop, place, years)
        found = self.blocks.get(key)
        if found is None:
            found = self.trend.growth(place, [self.ahead[t] for t in years], part)
            if sum(block.nbytes for block in self.blocks.values()) + found.nbytes <= KEPT:
                self.blocks[key] = found
        return found


@lru_cache(maxsize=1)
def trend_draws(edition: Edition, n_draws: int, seed: int, ahead: tuple[int, ...]) -> TrendDraws:
    """Return drawn trends of an edition's indicators, shared by scenarios on the same years."""
    return TrendDraws(widened_trend(edition, n_draws, seed), ahead)
