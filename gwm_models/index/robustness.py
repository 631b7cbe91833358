"""How far the ranks of an index hang on its method and on the error of its figures.

Four inputs are drawn independently of each other: normalisation, weights, aggregation, and the sampling error of the
figures. Every rebuild ranks the areas; variance-based indices say which input moves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import DataError
from gwm_models.index.normalise import Floats
from gwm_models.index.rebuild import (
    AGGREGATION,
    DATA,
    NORMALISATION,
    WEIGHTS,
    IndexData,
    Ints,
    RobustnessSpec,
    draw_choices,
    index_data,
    rebuild_ranks,
)
from gwm_models.index.sobol import SobolIndices, sobol_indices

CHOICES = {"normalisation": (NORMALISATION,), "weights": (WEIGHTS,), "aggregation": (AGGREGATION,)}
WITH_DATA = {**CHOICES, "data": (DATA,), "method": (NORMALISATION, AGGREGATION)}
"""Sources of variance; ``method`` is normalisation and aggregation together."""


@dataclass(frozen=True, slots=True, eq=False)
class Robustness:
    """What moves the ranks of an index; arrays by area are in the order of `area`.

    Attributes
    ----------
    spec : RobustnessSpec
    area, indicator : tuple of str
        Codes; the indicators used.
    source : tuple of str
        ``normalisation``, ``weights``, ``aggregation``; with data error also ``data`` and ``method`` (normalisation and
        aggregation together).
    reference : ndarray of int, shape (n_areas,)
        Rank by the published method (min-max, equal weights, arithmetic) on the figures as they are; ties share the
        better rank, here and everywhere.
    estimate, lower, upper : ndarray of int, shape (n_areas,)
        Median rank and its interval over the joint rebuilds.
    rank_sd : ndarray, shape (n_areas,)
        Standard deviation of the rank over the joint rebuilds.
    by_area : SobolIndices
        Of each area's rank, arrays (n_sources, n_areas).
    of_shift : SobolIndices
        Of the mean absolute rank shift from the reference, arrays (n_sources,).
    of_variance : SobolIndices
        Of all ranks together: the share of the rank variance of all areas, arrays (n_sources,).
    shift : ndarray, shape (3,)
        Mean of that shift over joint rebuilds, and its interval.
    alone_sd : ndarray, shape (n_sources, n_areas)
        Standard deviation of the rank when this source alone varies, the others at the reference.
    alone_shift : ndarray, shape (n_sources, 3)
        As `shift`, when this source alone varies.
    n_joint, n_rebuilds : int
        Independent joint rebuilds behind medians and intervals; all rebuilds made.
    """

    spec: RobustnessSpec
    area: tuple[str, ...]
    indicator: tuple[str, ...]
    source: tuple[str, ...]
    reference: Ints
    estimate: Ints
    lower: Ints
    upper: Ints
    rank_sd: Floats
    by_area: SobolIndices
    of_shift: SobolIndices
    of_variance: SobolIndices
    shift: Floats
    alone_sd: Floats
    alone_shift: Floats
    n_joint: int
    n_rebuilds: int

    def __post_init__(self) -> None:
        """Keep read-only copies."""
        for name in ("reference", "estimate", "lower", "upper", "rank_sd", "shift", "alone_sd", "alone_shift"):
            own = np.array(getattr(self, name))
            own.setflags(write=False)
            object.__setattr__(self, name, own)

    def __repr__(self) -> str:
        """Return one line: areas, rebuilds, mean shift."""
        return f"Robustness({len(self.area)} areas, {self.n_rebuilds} rebuilds, mean rank shift {self.shift[0]:.2f})"

    @property
    def alone_share(self) -> Floats:
        """Rank variance of each source alone over the joint one, all areas together; 0 where nothing moves."""
        joint = float((self.rank_sd**2).sum())
        return np.asarray((self.alone_sd**2).sum(axis=1) / joint if joint > 0 else np.zeros(len(self.source)))

    def to_rows(self) -> list[dict[str, object]]:
        """Return one tidy row a number: area_code (None for all areas together), quantity, source, estimate and so on.

        Quantities of an area: ``rank_reference``; ``rank`` (median, standard deviation and interval over joint
        rebuilds); ``first_order`` and ``total_order``, the Sobol indices of its rank; ``rank_sd_alone``. Of all areas:
        ``rank_shift`` and ``rank_shift_alone``, the mean absolute rank shift; ``first_order`` and ``total_order`` of
        that shift, as ``shift_first_order`` and so on; the same of all ranks together, as ``variance_first_order`` and
        so on, the share of rank variance by source; ``variance_alone``, a source's variance alone over the joint one.
        The source of a joint quantity is ``all``.
        """
        rows = self._overall_rows()
        for i, code in enumerate(self.area):
            rows.append(self._row(code, "rank_reference", "none", float(self.reference[i]), n=1))
            bounds = (float(self.rank_sd[i]), float(self.lower[i]), float(self.upper[i]))
            rows.append(self._row(code, "rank", "all", float(self.estimate[i]), *bounds))
            for s, source in enumerate(self.source):
                rows += self._index_rows(code, "", source, self.by_area, (s, i))
                rows.append(self._row(code, "rank_sd_alone", source, float(self.alone_sd[s, i]), n=self.spec.draws))
        return rows

    def _overall_rows(self) -> list[dict[str, object]]:
        mean, low, high = self.shift.tolist()
        rows = [self._row(None, "rank_shift", "all", mean, None, low, high)]
        for s, source in enumerate(self.source):
            mean, low, high = self.alone_shift[s].tolist()
            rows.append(self._row(None, "rank_shift_alone", source, mean, None, low, high, n=self.spec.draws))
            rows += self._index_rows(None, "shift_", source, self.of_shift, (s,))
            rows += self._index_rows(None, "variance_", source, self.of_variance, (s,))
            rows.append(self._row(None, "variance_alone", source, float(self.alone_share[s]), n=self.spec.draws))
        return rows

    def _index_rows(
        self, code: str | None, kind: str, source: str, found: SobolIndices, place: tuple[int, ...]
    ) -> list[dict[str, object]]:
        z = NormalDist().inv_cdf((1 + self.spec.level) / 2)
        rows = []
        for name, value, error in (
            ("first_order", found.first_order[place], found.first_order_se[place]),
            ("total_order", found.total[place], found.total_se[place]),
        ):
            bounds = (float(error), float(value - z * error), float(value + z * error))
            rows.append(self._row(code, kind + name, source, float(value), *bounds, n=found.n))
        return rows

    def _row(
        self,
        code: str | None,
        quantity: str,
        source: str,
        estimate: float,
        std_error: float | None = None,
        lower: float | None = None,
        upper: float | None = None,
        n: int | None = None,
    ) -> dict[str, object]:
        return {
            "area_code": code,
            "quantity": quantity,
            "source": source,
            "estimate": estimate,
            "std_error": std_error,
            "lower": lower,
            "upper": upper,
            "n": self.n_joint if n is None else n,
            "level": None if lower is None else self.spec.level,
        }


def robustness(
    levels: ArrayLike,
    direction: ArrayLike,
    domain: Sequence[str],
    *,
    std_error: ArrayLike | None = None,
    error_corr: ArrayLike | None = None,
    limits: ArrayLike | None = None,
    area: Sequence[str] | None = None,
    indicator: Sequence[str] | None = None,
    unit: Sequence[str] | None = None,
    spec: RobustnessSpec | None = None,
) -> Robustness:
    """Rank areas by many rebuilds of an index, and say what moves the ranks.

    Parameters
    ----------
    levels : array_like, shape (n_areas, n_indicators)
        In any unit, no gaps.
    direction : array_like of {1, -1}, shape (n_indicators,)
        -1 where less is better.
    domain : sequence of str, length n_indicators
        Domain of each indicator: indicators are averaged into domains, domains into the total.
    std_error : array_like, shape (n_areas, n_indicators), optional
        Sampling error of `levels`; none by default.
    error_corr : array_like, shape (n_areas, n_indicators, n_indicators) or (n_indicators, n_indicators), optional
        Correlation of the errors of one area; independent by default.
    limits : array_like, shape (n_indicators, 2), optional
        A drawn level stops at its limits.
    area, indicator : sequence of str, optional
        Codes and names.
    unit : sequence of str, length n_areas, optional
        Areas that carry the figures of one survey unit share its errors; each area its own by default.
    spec : RobustnessSpec, optional

    Returns
    -------
    Robustness

    Raises
    ------
    DataError
        If an array has the wrong shape, a gap, or an indicator without spread.

    Notes
    -----
    Errors are added to the published figures: this is how far the ranking would move if the surveys were taken again,
    not where the true ranks lie. A source that exists in one form only has index 0, as has a rank that never moves.

    References
    ----------
    Saisana, Saltelli & Tarantola (2005), JRSS A 168, 307-323. OECD/JRC (2008), Handbook on Constructing Composite
    Indicators, section 7.
    """
    data = index_data(
        levels,
        direction,
        domain,
        std_error=std_error,
        error_corr=error_corr,
        limits=limits,
        area=area,
        indicator=indicator,
        unit=unit,
    )
    return probe(data, spec or RobustnessSpec())


def edition_index_data(edition: Edition, *, data_error: bool = True) -> tuple[IndexData, tuple[str, ...]]:
    """Return the figures of an edition's indicators, and the ids of those left out for want of open figures.

    Without `data_error` the figures carry no sampling error.
    """
    spec, kept = edition.spec, np.flatnonzero(np.isfinite(edition.values).all(axis=0))
    used = [spec.indicators[j] for j in kept]
    sign = np.array([indicator.direction for indicator in used])
    std_error, corr = _sampling(edition, kept, sign) if data_error else (None, None)
    data = index_data(
        edition.values[:, kept],
        sign,
        [indicator.domain for indicator in used],
        std_error=std_error,
        error_corr=corr,
        limits=[indicator.hard_limits for indicator in used],
        area=edition.areas.code,
        indicator=[indicator.id for indicator in used],
        unit=edition.areas.unit,
    )
    return data, tuple(name for j, name in enumerate(spec.indicator_ids) if j not in kept)


def _sampling(edition: Edition, kept: Ints, sign: Ints) -> tuple[Floats, Floats]:
    """Return standard errors of levels and their correlations within an area."""
    from gwm_models.index.sampling import sampling_error

    error = sampling_error(edition)
    points = error.cov_points[:, kept[:, None], kept] * np.outer(sign, sign)
    if not np.isfinite(points).all():
        raise DataError(
            f"{edition.name}: an indicator has no sampling error. Vary the method alone (--sources method)."
        )
    sd = np.sqrt(np.einsum("njj->nj", points))
    sd = np.where(sd > 0, sd, 1.0)
    corr = points / (sd[:, :, None] * sd[:, None, :])
    corr[:, np.arange(len(kept)), np.arange(len(kept))] = 1.0
    return error.std_error[:, kept], corr


@dataclass(frozen=True, slots=True, eq=False)
class RankRuns:
    """Ranks of all rebuilds, 1 is best, int32.

    Attributes
    ----------
    source : tuple of str
    reference : ndarray, shape (n_areas,)
    joint : ndarray, shape (2 n, n_areas)
        All inputs drawn: the two base samples, A then B.
    swapped : ndarray, shape (n_sources, n, n_areas)
        Sample A with one source taken from B; A itself for a source that does not vary.
    alone : tuple of ndarray, shape (n, n_areas) each
        One source drawn, the others at the reference; one row for a source that does not vary.
    n_rebuilds : int
    """

    source: tuple[str, ...]
    reference: NDArray[np.int32]
    joint: NDArray[np.int32]
    swapped: NDArray[np.int32]
    alone: tuple[NDArray[np.int32], ...]
    n_rebuilds: int


def rank_runs(data: IndexData, spec: RobustnessSpec) -> RankRuns:
    """Rebuild the index at two base samples, with one swap for each source, and with each source alone."""
    n, varies = spec.draws, spec.varies()
    choices = draw_choices(data, spec, 2 * n)
    groups = WITH_DATA if spec.data_error else CHOICES
    moving = [any(varies[place] for place in places) for places in groups.values()]
    rows = np.arange(2 * n)
    joint = np.repeat(rows[:, None], 4, axis=1)
    nothing = np.full((n, 4), -1)
    designs = [joint, nothing[:1]]
    for places, moves in zip(groups.values(), moving, strict=True):
        if moves:
            designs += [_swap(joint[:n], places, rows[n:]), _swap(nothing, places, rows[:n])]
    ranks = rebuild_ranks(data, choices, np.concatenate(designs))
    base, reference = ranks[:n], ranks[2 * n]
    pairs = iter(ranks[2 * n + 1 :].reshape(-1, 2, n, len(data.area)))
    found = [next(pairs) if moves else (base, reference[None]) for moves in moving]
    swapped = np.stack([swap for swap, _ in found])
    return RankRuns(tuple(groups), reference, ranks[: 2 * n], swapped, tuple(one for _, one in found), len(ranks))


def probe(data: IndexData, spec: RobustnessSpec) -> Robustness:
    """Run `robustness` on checked figures."""
    runs, n = rank_runs(data, spec), spec.draws
    base, other, reference = runs.joint[:n], runs.joint[n:], runs.reference
    tails = [(1 - spec.level) / 2, 0.5, (1 + spec.level) / 2]
    lower, median, upper = np.quantile(runs.joint.T, tails, axis=1, method="inverted_cdf").astype(np.int64)
    return Robustness(
        spec=spec,
        area=data.area,
        indicator=data.indicator,
        source=runs.source,
        reference=reference.astype(np.int64),
        estimate=median,
        lower=lower,
        upper=upper,
        rank_sd=runs.joint.std(axis=0),
        by_area=sobol_indices(base, other, runs.swapped),
        of_shift=sobol_indices(*(_shift(part, reference) for part in (base, other, runs.swapped))),
        of_variance=sobol_indices(base, other, runs.swapped, pooled=True),
        shift=_summary(_shift(runs.joint, reference), spec.level),
        alone_sd=np.stack([part.std(axis=0) for part in runs.alone]),
        alone_shift=np.stack([_summary(_shift(part, reference), spec.level) for part in runs.alone]),
        n_joint=2 * n,
        n_rebuilds=runs.n_rebuilds,
    )


def _swap(design: Ints, places: Sequence[int], rows: Ints) -> Ints:
    """Return a design with some inputs taken from other rows."""
    swapped = design.copy()
    swapped[:, list(places)] = rows[:, None]
    return swapped


def _shift(ranks: NDArray[np.int32], reference: NDArray[np.int32]) -> Floats:
    """Return the mean absolute rank shift over areas of each rebuild."""
    return np.asarray(np.abs(ranks - reference).mean(axis=-1))


def _summary(values: Floats, level: float) -> Floats:
    """Return the mean and the interval that holds `level` of the values."""
    return np.array([values.mean(), *np.quantile(values, [(1 - level) / 2, (1 + level) / 2])])
