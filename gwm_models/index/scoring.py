"""Scores of an index: indicators on a common scale, summed into domains and a total."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.index_spec import IndexSpec
from gwm_models.data.scale import descending_rank as descending_rank
from gwm_models.data.scale import min_max_score as min_max_score
from gwm_models.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of every area on one index, and the definition that made them.

    Attributes
    ----------
    spec : IndexSpec
    indicator : ndarray, shape (n_areas, n_indicators)
        On the scale of the index; NaN where there is no figure, or no bounds to score it by.
    domain : ndarray, shape (n_areas, n_domains)
        Sum of its indicators and of the domains within it; NaN where one of them is missing.
    total : ndarray, shape (n_areas,)
        Sum of all indicators; NaN where one is missing.
    """

    spec: IndexSpec
    indicator: Floats
    domain: Floats
    total: Floats

    def __repr__(self) -> str:
        """Return one line: index, areas, how many have a total."""
        whole = int(np.isfinite(self.total).sum())
        return f"Scores({self.spec.id}: {len(self.total)} areas, {whole} with a total)"

    def open_mean(self, domain: str) -> Floats:
        """Return the mean score of a domain's indicators that have figures, on the scale of one indicator."""
        scores = self.indicator[:, list(self.spec.members(domain))]
        known = np.isfinite(scores)
        number = known.sum(axis=1)
        return np.where(number > 0, np.where(known, scores, 0).sum(axis=1) / np.maximum(number, 1), np.nan)


def score_index(spec: IndexSpec, values: ArrayLike, *, own_range: bool = False) -> Scores:
    """Score areas on an index from the levels of its indicators: the one engine for every index and edition.

    Nothing missing is filled: a domain with an indicator that has no figure, or no bounds, has no score.

    Parameters
    ----------
    spec : IndexSpec
    values : array_like, shape (n_areas, n_indicators)
        Levels in the order of `spec.indicators`; NaN where there is no figure.
    own_range : bool
        Score an indicator without bounds by the smallest and the largest of its own values. Such a score stands in for
        the published one, and does not reproduce it.

    Returns
    -------
    Scores

    Raises
    ------
    DataError
        If `values` has another shape, or `own_range` meets an indicator that is the same everywhere.

    Examples
    --------
    >>> from gwm_models.data.index_spec import read_index
    >>> score_index(read_index(), [[86.4, 1.4, 50, 15, 500, float("nan")]]).domain.tolist()
    [[200.0, nan, nan]]
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 2 or x.shape[1] != len(spec.indicators):
        raise DataError(f"values has shape {x.shape}; expected (n_areas, {len(spec.indicators)}), one per indicator.")
    scores = np.full(x.shape, np.nan)
    for j, indicator in enumerate(spec.indicators):
        low, high = indicator.low, indicator.high
        known = np.isfinite(x[:, j])
        if own_range and (low is None or high is None) and known.any():
            low, high = float(x[known, j].min()), float(x[known, j].max())
        if low is not None and high is not None:
            scores[:, j] = min_max_score(x[:, j], low, high, direction=indicator.direction, scale=spec.scale)
    domains = [scores[:, list(spec.members(name))].sum(axis=1) for name in spec.domain_ids]
    return Scores(spec, scores, np.column_stack(domains), scores.sum(axis=1))


def access_scores(edition: Edition) -> Floats:
    """Recompute the labour market access domain from the published rates.

    Returns
    -------
    ndarray of float, shape (n_areas,)
        ``[1 + 99 (a - 67.1) / 19.3] + [1 + 99 (9.5 - u) / 8.1]``, 2-200.
    """
    scores = [
        indicator_score(edition.spec, spec.id, edition.values[:, j])
        for j, spec in enumerate(edition.spec.indicators)
        if spec.domain == "access"
    ]
    return np.asarray(np.sum(scores, axis=0))


def indicator_score(spec: IndexSpec, name: str, values: ArrayLike) -> Floats:
    """Score the levels of an indicator whose bounds are reproduced.

    Raises
    ------
    DataError
        If its bounds are not known.
    """
    indicator = spec.indicator(name)
    return min_max_score(values, *indicator.bounds, direction=indicator.direction, scale=spec.scale)


def exact_points_per_unit(spec: IndexSpec) -> dict[str, float]:
    """Return score points per unit of each indicator whose bounds are exact, signed by direction.

    Examples
    --------
    >>> from gwm_models.data.index_spec import read_index
    >>> {name: round(points, 3) for name, points in exact_points_per_unit(read_index()).items()}
    {'economic_activity_rate': 5.13, 'unemployment_rate': -12.222}
    """
    span = spec.scale[1] - spec.scale[0]
    return {
        indicator.id: indicator.direction * span / (indicator.bounds[1] - indicator.bounds[0])
        for indicator in spec.indicators
        if indicator.exact
    }
