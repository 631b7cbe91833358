"""Regions three ways, with known errors in outcome and exposure: partially pooled, each on its own, and left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import ModelError
from gwm_models.models.gaussian.errors_in_variables import NoisyRegression, errors_in_variables

Floats = NDArray[np.float64]

LEAST_REGIONS = 3


@dataclass(frozen=True, eq=False)
class RegionFits(Frozen):
    """One outcome on one exposure, with regions treated three ways.

    Attributes
    ----------
    region : tuple of str
        In the order of the group effects.
    pooled : NoisyRegression
        Regional differences in outcome and exposure are normal, their spread is estimated.
    fixed : NoisyRegression
        A free intercept for each region: areas are compared with others of their own region only.
    without : NoisyRegression
        No regions.
    """

    region: tuple[str, ...]
    pooled: NoisyRegression
    fixed: NoisyRegression
    without: NoisyRegression


def region_fits(
    outcome: Floats,
    outcome_error: Floats,
    exposure: Floats,
    exposure_error: Floats,
    region: Sequence[str],
    covariates: Floats | None = None,
    *,
    n_draws: int = 4000,
    seed: int = 20260101,
) -> RegionFits:
    """Fit an outcome with regions pooled, fixed and left out.

    Parameters
    ----------
    outcome, outcome_error, exposure, exposure_error : ndarray, shape (n,)
        Figures and their known standard errors; 0 where there is none.
    region : sequence of str, length n
    covariates : ndarray, shape (n, q), optional
        Without the intercept.
    n_draws, seed : int

    Raises
    ------
    ModelError
        If there are too few regions for their spread to be estimated; see also `errors_in_variables`.

    References
    ----------
    Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models, ch. 12.
    """
    names, group = np.unique(np.asarray(region), return_inverse=True)
    if len(names) < LEAST_REGIONS:
        raise ModelError(
            f"The spread between regions needs {LEAST_REGIONS} regions or more; there are {len(names)} "
            f"({', '.join(names)}). Use a specification without regions."
        )
    dummies = np.eye(len(names))[group][:, 1:]
    fixed = dummies if covariates is None else np.column_stack([covariates, dummies])
    figures = (outcome, outcome_error, exposure, exposure_error)
    return RegionFits(
        region=tuple(map(str, names)),
        pooled=errors_in_variables(
            *figures, covariates, groups=group, n_draws=n_draws, seed=seed, key="regions-pooled"
        ),
        fixed=errors_in_variables(*figures, fixed, n_draws=n_draws, seed=seed, key="regions-fixed"),
        without=errors_in_variables(*figures, covariates, n_draws=n_draws, seed=seed),
    )
