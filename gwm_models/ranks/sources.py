"""Where the uncertainty of a rank comes from: the sampling error of the figures, the method of the index, or both.

The method is drawn as in the robustness analysis: normalisation, weights and aggregation at random. What a drawn method
does to an area is kept as a shift in score points, on the scale of the published totals, so that it can be added to the
published totals (method alone) or to draws of the true ones (both).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError
from gwm_models.index.aggregate import (
    AGGREGATIONS,
    WEIGHTINGS,
    average_inverse,
    average_terms,
    membership,
    pca_weights,
)
from gwm_models.index.normalise import NORMALISATIONS, normalise
from gwm_models.index.rebuild import Choices, IndexData, RobustnessSpec, draw_choices
from gwm_models.index.robustness import edition_index_data
from gwm_models.index.sobol import SobolIndices, sobol_indices
from gwm_models.ranks.change import independent_pairs
from gwm_models.ranks.edition import edition_posterior
from gwm_models.ranks.table import rank_draws

Floats = NDArray[np.float64]
Source = Literal["sampling", "method", "both"]
SOURCES: tuple[Source, ...] = ("sampling", "method", "both")


@dataclass(frozen=True, eq=False)
class SourceDraws(Frozen):
    """Draws of the totals of an edition, by where their uncertainty comes from.

    Attributes
    ----------
    area : tuple of str
    total : ndarray, shape (n_areas,)
        As published or computed.
    sampling : ndarray, shape (n_draws, n_areas)
        Draws of the true totals, given the published ones and their sampling error.
    shift : ndarray, shape (n_draws, n_areas)
        What a drawn method adds to the total of each area, in its unit.
    shrunk : ndarray, shape (n_areas,)
    left_out : tuple of str
        Indicators without open figures: no method is varied for them, and they keep their place in the total.
    varied : tuple of (str, str)
        Domain and id of each indicator that methods are varied for.
    """

    area: tuple[str, ...]
    total: Floats
    sampling: Floats
    shift: Floats
    shrunk: Floats
    left_out: tuple[str, ...]
    varied: tuple[tuple[str, str], ...]

    def of(self, source: Source) -> Floats:
        """Return the draws of one source alone, or of both together, shape (n_draws, n_areas)."""
        if source == "sampling":
            return self.sampling
        return (self.total if source == "method" else self.sampling) + self.shift

    def shares(self, seed: int) -> SourceShares:
        """Return which source moves the ranks, by pick and freeze on two halves of the draws.

        Raises
        ------
        DataError
            If there are fewer than 4 draws.
        """
        n = len(self.sampling) // 2
        if n < 2:
            raise DataError(f"shares of variance need 4 draws or more; there are {len(self.sampling)}.")
        order = keyed_rng(seed, "rank-sources").permutation(len(self.sampling))
        true, shift = self.sampling[order], self.shift[order]
        first, second = slice(0, n), slice(n, 2 * n)
        pairs = [(first, first), (second, second), (second, first), (first, second)]
        a, b, *swapped = (rank_draws(true[one] + shift[other]).astype(float) for one, other in pairs)
        moved = np.stack(swapped)
        return SourceShares(self.area, sobol_indices(a, b, moved, pooled=True), sobol_indices(a, b, moved))


@dataclass(frozen=True, eq=False)
class SourceShares:
    """Shares of the variance of ranks that come from the sampling error and from the method; inputs in that order.

    Attributes
    ----------
    area : tuple of str
    overall : SobolIndices
        Of all ranks together, arrays (2,).
    by_area : SobolIndices
        Of each rank, arrays (2, n_areas).
    """

    area: tuple[str, ...]
    overall: SobolIndices
    by_area: SobolIndices

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for all areas (no code) and one an area.

        Shares of either source alone, with their simulation standard errors, and of the two acting together.
        """
        one = self.overall
        rows: list[dict[str, object]] = [{"area_code": None, **_shares(one.first_order, one.first_order_se)}]
        found, errors = self.by_area.first_order.T, self.by_area.first_order_se.T
        for code, first_order, error in zip(self.area, found, errors, strict=True):
            rows.append({"area_code": code, **_shares(first_order, error)})
        return rows

    def words(self) -> str:
        """Say it in one sentence."""
        sampling, method = self.overall.first_order.tolist()
        error = self.overall.first_order_se.tolist()
        return (
            f"Of the variance of all ranks, {100 * sampling:.0f}% comes from sampling error alone (standard error "
            f"{100 * error[0]:.1f}), {100 * method:.0f}% from the method alone ({100 * error[1]:.1f}), and "
            f"{100 * (1 - sampling - method):.0f}% from the two acting together."
        )


def _shares(first_order: Floats, error: Floats) -> dict[str, object]:
    sampling, method = first_order.tolist()
    moves = sampling != 0 or method != 0
    together = 1 - sampling - method if moves else 0.0
    return {
        "share_sampling": sampling,
        "share_sampling_se": float(error[0]),
        "share_method": method,
        "share_method_se": float(error[1]),
        "share_together": together,
    }


def edition_sources(
    edition: Edition, *, n_draws: int, seed: int, hours_error: float | None = None, spec: RobustnessSpec | None = None
) -> SourceDraws:
    """Draw the totals of an edition by source.

    Parameters
    ----------
    edition : Edition
    n_draws, seed : int
    hours_error : float, optional
        Assumed sampling error of indicators without open figures, in points; see `domain_errors`.
    spec : RobustnessSpec, optional
        Which methods are drawn; all of them by default. Its `draws`, `seed` and `data_error` are not used.

    Raises
    ------
    DataError
        If there are fewer than 3 areas, or an indicator has no spread.
    """
    data, left_out = edition_index_data(edition, data_error=False)
    posterior = edition_posterior(edition, n_draws=n_draws, seed=seed, hours_error=hours_error)
    return SourceDraws(
        area=edition.areas.code,
        total=np.asarray(edition.total, dtype=float),
        sampling=posterior.draws.sum(axis=2),
        shift=method_shift(data, edition.total, n_draws=n_draws, seed=seed, spec=spec),
        shrunk=posterior.shrunk.sum(axis=1),
        left_out=left_out,
        varied=tuple(zip(data.domain, data.indicator, strict=True)),
    )


def paired_sources(
    before: SourceDraws, after: SourceDraws, source: Literal["method", "both"], *, seed: int
) -> tuple[Floats, Floats]:
    """Pair the draws of two editions: one drawn method for both in each row, sampling errors independent.

    Parameters
    ----------
    before, after : SourceDraws
        Drawn with one seed, so that row `d` of both is the same method.
    source : {"method", "both"}
    seed : int
        Of the pairing of sampling errors.

    Returns
    -------
    before, after : ndarray, shape (n_draws, n_areas_before) and (n_draws, n_areas_after)
        Joint, as many rows as the shorter of the two has.

    Raises
    ------
    DataError
        If methods are varied for different indicators, so that no method is the same for both.
    """
    if before.varied != after.varied:
        raise DataError("methods are varied for other indicators in the second edition; pair the two independently.")
    n = min(len(before.shift), len(after.shift))
    if source == "method":
        return before.total + before.shift[:n], after.total + after.shift[:n]
    first, second = independent_pairs(before.sampling, after.sampling, seed=seed)
    return first + before.shift[:n], second + after.shift[:n]


def method_shift(
    data: IndexData, total: Floats, *, n_draws: int, seed: int, spec: RobustnessSpec | None = None
) -> Floats:
    """Draw what other methods would add to each area's total, in its unit, shape (n_draws, n_areas).

    Each drawn index and that of the published method are put on one scale, mean and standard deviation over areas
    those of `total`; their difference is the shift. If `total` is a straight line of the index that the published
    method makes of `data`, ranks of ``total + shift`` are those of the drawn index itself. Otherwise, as where an
    indicator has no open figures, what the method does to the figures at hand is added to what is published.

    Parameters
    ----------
    data : IndexData
    total : ndarray, shape (n_areas,)
    n_draws, seed : int
    spec : RobustnessSpec, optional

    References
    ----------
    Saisana, Saltelli & Tarantola (2005), Uncertainty and sensitivity analysis techniques as tools for the quality
    assessment of composite indicators, JRSS A 168(2), 307-323, doi:10.1111/j.1467-985X.2005.00350.x.
    """
    chosen = spec or RobustnessSpec()
    asked = RobustnessSpec(
        normalisations=chosen.normalisations,
        weightings=chosen.weightings,
        aggregations=chosen.aggregations,
        concentration=chosen.concentration,
        data_error=False,
        seed=seed,
    )
    scores = _standardised(method_totals(data, draw_choices(data, asked, n_draws)))
    return np.asarray(np.std(total) * (scores[:-1] - scores[-1]))


def method_totals(data: IndexData, choices: Choices) -> Floats:
    """Build the index once for each row of `choices`, without error of the figures, shape (n_rows, n_areas)."""
    member = membership(data.domain)
    total = np.empty((len(choices.weights), len(data.area)))
    for n, normalisation in enumerate(NORMALISATIONS):
        chosen = choices.normalisation == n
        if not chosen.any():
            continue
        scores = normalise(data.levels, normalisation)
        weights = choices.weights.copy()
        from_data = chosen & (choices.weighting == WEIGHTINGS.index("pca"))
        if from_data.any():
            weights[from_data] = pca_weights(scores, member)
        for k, aggregation in enumerate(AGGREGATIONS):
            rows = np.flatnonzero(chosen & (choices.aggregation == k))
            total[rows] = average_inverse(weights[rows] @ average_terms(scores, aggregation), aggregation)
    return total


def _standardised(total: Floats) -> Floats:
    centred = total - total.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    return np.asarray(centred / np.where(spread > 0, spread, 1))
