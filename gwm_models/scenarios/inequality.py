"""Measures of inequality by name: what each is called, and its value in every draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Areas
from gwm_models.errors import ModelError
from gwm_models.scenarios.measures import (
    coefficient_of_variation,
    gap_of_tenths,
    ratio_of_fifths,
    slope_index,
    theil_between,
    theil_within,
)

Floats = NDArray[np.float64]

MEASURES = {
    "sii": ("Slope index of inequality, most to least deprived", "points"),
    "rii": ("Relative index of inequality, most to least deprived", "ratio"),
    "gap_10_10": ("Gap between the best and the worst tenth of areas", "points"),
    "ratio_80_20": ("Ratio of the best to the worst fifth of residents, by their area's score", "ratio"),
    "cv": ("Coefficient of variation over areas", "ratio"),
    "theil_region": ("Theil index between regions, population-weighted", "index"),
    "theil_within": ("Theil index within regions, population-weighted", "index"),
}
"""Label and unit of each measure of inequality of the total."""
BY_DEPRIVATION = ("sii", "rii")


def inequality(name: str, scores: Floats, areas: Areas) -> Floats:
    """Return one measure of inequality of a score over areas, in each draw.

    Parameters
    ----------
    name : str
        A key of `MEASURES`.
    scores : ndarray, shape (n_draws, n_areas)
    areas : Areas

    Returns
    -------
    ndarray, shape (n_draws,)
        NaN in a draw where the measure has no meaning (a ratio to a mean that is not positive).

    Raises
    ------
    ModelError
        If the areas carry no deprivation, by which `sii` and `rii` order them.
    """
    if name in BY_DEPRIVATION and not ordered_by_deprivation(areas):
        raise ModelError(
            f"'{name}' orders areas by deprivation, and this edition holds none. Ask for gap_10_10 or cv instead."
        )
    if name in BY_DEPRIVATION:
        return slope_index(scores, areas.population, -areas.deprivation)[BY_DEPRIVATION.index(name)]
    if name == "gap_10_10":
        return gap_of_tenths(scores)
    if name == "ratio_80_20":
        return ratio_of_fifths(scores, areas.population)
    if name == "cv":
        return coefficient_of_variation(scores)
    theil = theil_between if name == "theil_region" else theil_within
    return theil(scores, areas.population, areas.region_index())


def ordered_by_deprivation(areas: Areas) -> bool:
    """Tell whether every area has a deprivation score, which the slope and the relative index need."""
    return bool(np.isfinite(areas.deprivation).all())


def narrower(name: str, before: Floats, after: Floats) -> NDArray[np.bool_]:
    """Tell in which draws a gap is smaller after than before: nearer to 1 for ratios of two ends, to 0 for others."""
    if name in ("rii", "ratio_80_20"):
        return np.asarray(np.abs(np.log(after)) < np.abs(np.log(before)))
    return np.asarray(np.abs(after) < np.abs(before))
