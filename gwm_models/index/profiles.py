"""Profiles of areas: one standardised score an indicator, with sampling error, for groups and peers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_normals
from gwm_models.errors import DataError, some
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import sampling_error

Floats = NDArray[np.float64]

LEAST_SHARE = 1e-3
"""Least variance of the true profile in any direction, as a share of one standard deviation squared."""


@dataclass(frozen=True, eq=False)
class Profiles:
    """Indicator profiles of the units of an edition; a unit is one area, or areas that share their figures.

    An indicator without open figures for every area is not made up: its column holds the published score of its
    domain instead (the Monitor's hours indicator: pay and conditions). So every domain keeps as many columns as it
    has indicators. Places, regions and borders are no part of a profile.

    Attributes
    ----------
    unit, name : tuple of str, length n_units
        Unit code, and the names of its areas.
    indicator : tuple of str, length n_indicators
    measured : ndarray of bool, shape (n_indicators,)
        False where the column holds the published domain score.
    level : ndarray, shape (n_units, n_indicators)
        In the indicator's unit; score points where it is a domain score.
    points : ndarray, shape (n_indicators,)
        Score points of one unit of `level`, signed by direction.
    spread : ndarray, shape (n_indicators,)
        Standard deviation of `level` over the units.
    scores : ndarray, shape (n_units, n_indicators)
        Standardised over the units: mean 0, standard deviation 1, higher is better. A change of unit leaves them.
    cov : ndarray, shape (n_units, n_indicators, n_indicators)
        Sampling covariance of `scores`.
    place : ndarray of int, shape (n_areas,)
        Each area's unit.
    weights : ndarray, shape (n_units, n_areas)
        Merge areas into units by population; rows sum to one.
    """

    unit: tuple[str, ...]
    name: tuple[str, ...]
    indicator: tuple[str, ...]
    measured: NDArray[np.bool_]
    level: Floats
    points: Floats
    spread: Floats
    scores: Floats
    cov: Floats
    place: NDArray[np.int64]
    weights: Floats

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.unit)

    def to_levels(self, scores: Floats) -> Floats:
        """Turn standardised scores, (..., n_indicators), back into levels."""
        return np.asarray(self.level.mean(axis=0) + scores * self.spread * np.sign(self.points))


@lru_cache(maxsize=4)
def area_profiles(edition: Edition) -> Profiles:
    """Standardise the indicator levels of an edition, over units that carry their own figures.

    Areas that share a unit are merged by population, so that nothing counts them twice; units are in the order of
    their codes, whatever the order of the areas.

    Raises
    ------
    DataError
        If a column of the profile is the same for every unit, or an area lacks both a figure and a domain score.
    """
    areas = edition.areas
    unit, weights = areas.units()
    place = np.array([unit.index(code) for code in areas.unit])
    measured = np.asarray(np.isfinite(edition.values).all(axis=0))
    domain = np.array(edition.spec.domain_of())
    figures = np.where(measured, edition.values, edition.domain_scores[:, domain])
    gaps = [name for name, row in zip(areas.name, figures, strict=True) if not np.isfinite(row).all()]
    if gaps:
        raise DataError(f"{some(gaps)}: neither a figure nor a domain score for every indicator, so no profile.")
    level = weights @ figures
    spread = level.std(axis=0)
    flat = [name for name, sd in zip(edition.spec.indicator_ids, spread, strict=True) if not sd > 1e-12]
    if flat:
        raise DataError(f"{some(flat)}: every area has the same figure, so areas cannot be told apart by it.")
    points = np.where(measured, points_per_unit(edition).estimate, 1.0)
    whole_domain = domain[:, None] == domain[None]
    carried = np.where(measured[:, None], np.eye(len(points)), whole_domain) / (np.abs(points) * spread)[:, None]
    cov_points = np.tensordot(weights, sampling_error(edition).cov_points, axes=1)
    return Profiles(
        unit=unit,
        name=tuple(
            " and ".join(sorted(name for name, own in zip(areas.name, areas.unit, strict=True) if own == code))
            for code in unit
        ),
        indicator=edition.spec.indicator_ids,
        measured=measured,
        level=level,
        points=points,
        spread=spread,
        scores=np.sign(points) * (level - level.mean(axis=0)) / spread,
        cov=np.einsum("ij,njk,lk->nil", carried, cov_points, carried),
        place=place,
        weights=weights,
    )


def profile_draws(profiles: Profiles, *, n_draws: int, seed: int) -> Floats:
    """Draw the true profiles given the published ones and their sampling error.

    Published profiles are ``z_i ~ N(theta_i, D_i)`` with known `D_i`, true ones ``theta_i ~ N(0, T)``; `T` is the
    covariance of the published profiles less the mean of `D_i`, kept positive. Draws condition a joint simulation on
    what was published (Matheron's rule). Adding a second dose of error to published figures would instead overstate
    the noise. The spread `T` is taken as known, and no area is drawn towards its region.

    Returns
    -------
    ndarray, shape (n_draws, n_units, n_indicators)
        Standardised scores. Each unit has its own stream, keyed by seed and code.

    References
    ----------
    Efron & Morris (1975), Journal of the American Statistical Association 70, 311-319 (empirical Bayes).
    """
    scores, cov = profiles.scores, profiles.cov
    k = scores.shape[1]
    between, between_root = _positive(scores.T @ scores / len(scores) - cov.mean(axis=0))
    gain = np.linalg.solve(between + cov, np.broadcast_to(between, cov.shape)).transpose(0, 2, 1)
    white = keyed_normals(seed, "profile", profiles.unit, n_draws, 2 * k)
    true = white[..., :k] @ between_root.T
    error = np.einsum("njk,snk->snj", _roots(cov), white[..., k:])
    return np.asarray(true + np.einsum("njk,snk->snj", gain, scores - true - error))


def figure_years(edition: Edition) -> str:
    """Return the first and last year of an edition's indicators, as in ``2017-2018``."""
    years = sorted(re.findall(r"\b(?:19|20)\d\d\b", " ".join(spec.period for spec in edition.spec.indicators)))
    return "-".join(dict.fromkeys((years[0], years[-1]))) if years else "years not stated"


def _positive(matrix: Floats) -> tuple[Floats, Floats]:
    """Return the nearest covariance with no variance below `LEAST_SHARE`, and a root of it."""
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, LEAST_SHARE))
    return root @ root.T, root


def _roots(cov: Floats) -> Floats:
    """Return roots of sampling covariances that may be singular (a figure without error)."""
    values, vectors = np.linalg.eigh(cov)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0))[:, None, :])
