"""The index built again and again: one row of choices, one ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError, some
from gwm_models.index.aggregate import (
    AGGREGATIONS,
    WEIGHTINGS,
    average_terms,
    flat_weights,
    leave_one_out_weights,
    membership,
    pca_weights,
    random_weights,
)
from gwm_models.index.normalise import NORMALISATIONS, Floats, normalise, ranks_of

Ints = NDArray[np.int64]

REFERENCE = ("min_max", "equal", "arithmetic")
"""The published method: normalisation, weights, aggregation."""
BLOCK = 256
"""Rebuilds worked on at a time, so that they stay in the processor's cache."""
NORMALISATION, WEIGHTS, AGGREGATION, DATA = range(4)
"""Columns of a design: which drawn row each input of a rebuild is taken from."""


@dataclass(frozen=True, slots=True)
class RobustnessSpec:
    """What is varied, and how often.

    Attributes
    ----------
    normalisations, weightings, aggregations : tuple of str
        Taken with equal probability; see `normalise`, `WEIGHTINGS` and `AGGREGATIONS`. A single choice varies nothing.
    concentration : float
        Of the Dirichlet distribution behind ``random`` weights; 1 is uniform over the simplex.
    data_error : bool
        Whether indicators are drawn with their standard errors.
    draws : int
        Size of the base sample N. Indices take N (inputs + 2) rebuilds, intervals the 2 N independent ones of them.
    seed : int
    level : float
        Probability of the intervals.
    """

    normalisations: tuple[str, ...] = NORMALISATIONS
    weightings: tuple[str, ...] = WEIGHTINGS
    aggregations: tuple[str, ...] = AGGREGATIONS
    concentration: float = 1.0
    data_error: bool = True
    draws: int = 4096
    seed: int = 20260101
    level: float = 0.9

    def __post_init__(self) -> None:
        """Refuse unknown or empty choices, and numbers out of range."""
        known = {"normalisations": NORMALISATIONS, "weightings": WEIGHTINGS, "aggregations": AGGREGATIONS}
        for name, names in known.items():
            chosen = getattr(self, name)
            if not chosen or not set(chosen) <= set(names) or len(set(chosen)) < len(chosen):
                raise ValueError(f"{name} must be different words out of {', '.join(names)}; got {chosen!r}.")
        if not 0.01 <= self.concentration <= 1e6:
            raise ValueError(f"concentration must lie between 0.01 and 1e6; got {self.concentration!r}.")
        if self.draws < 2:
            raise ValueError(f"draws must be at least 2; got {self.draws!r}.")
        if not 0 < self.level < 1:
            raise ValueError(f"level must lie between 0 and 1; got {self.level!r}.")

    def varies(self) -> tuple[bool, bool, bool, bool]:
        """Return whether normalisation, weights, aggregation and data vary."""
        one_way = self.weightings in (("equal",), ("pca",))
        return len(self.normalisations) > 1, not one_way, len(self.aggregations) > 1, self.data_error


@dataclass(frozen=True, eq=False)
class IndexData:
    """The figures of an index, checked and turned so that higher is better.

    Attributes
    ----------
    area, indicator, domain : tuple of str
        Codes of areas; names of indicators; the domain of each indicator.
    levels : ndarray, shape (n_indicators, n_areas)
        Levels times direction.
    error_root : ndarray, shape (n_areas, n_indicators, n_indicators)
        Lower triangular roots of the error covariances of `levels`; zero without standard errors.
    limits : ndarray, shape (n_indicators, 2)
        Impossible levels lie beyond them, times direction, in rising order.
    unit : tuple of str
        The survey unit whose figures an area carries: areas of one unit share their errors.
    """

    area: tuple[str, ...]
    indicator: tuple[str, ...]
    domain: tuple[str, ...]
    levels: Floats
    error_root: Floats
    limits: Floats
    unit: tuple[str, ...]


def index_data(
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
) -> IndexData:
    """Check the figures of an index; parameters as in `robustness.robustness`."""
    x, sign = np.array(levels, dtype=float), np.asarray(direction, dtype=float)
    if x.ndim == 2 and x.shape[0] < 3:
        raise DataError(f"Robustness of ranks needs 3 areas or more; there are {x.shape[0]}.")
    if x.ndim != 2 or sign.shape != x.shape[1:] or len(domain) != x.shape[-1]:
        raise DataError(f"levels {x.shape}, direction {sign.shape} and {len(domain)} domains do not fit together.")
    n, k = x.shape
    names = tuple(indicator) if indicator is not None else tuple(f"indicator {j + 1}" for j in range(k))
    codes = tuple(area) if area is not None else tuple(f"area {i + 1}" for i in range(n))
    carried = tuple(unit) if unit is not None else codes
    if len(names) != k or len(codes) != n or len(carried) != n or len(set(codes)) != n:
        raise DataError(f"Expected {n} different areas, {n} units and {k} indicators.")
    if not np.isin(sign, (1, -1)).all():
        raise DataError(f"direction must be 1 or -1 for each indicator; got {sign.tolist()}.")
    bad = [name for name, fine in zip(names, np.isfinite(x).all(axis=0), strict=True) if not fine]
    if bad:
        raise DataError(f"{some(bad)}: not every area has a figure. Leave the indicator or the areas out.")
    flat = [name for name, span in zip(names, np.ptp(x, axis=0), strict=True) if not span > 0]
    if flat:
        raise DataError(f"{some(flat)}: all areas have the same value, so it cannot be put on a scale.")
    error = np.zeros((n, k)) if std_error is None else np.asarray(std_error, dtype=float)
    corr = np.eye(k) if error_corr is None else np.asarray(error_corr, dtype=float)
    if error.shape != (n, k) or not (np.isfinite(error) & (error >= 0)).all() or corr.shape[-2:] != (k, k):
        raise DataError(f"std_error must be finite, zero or more, shape {(n, k)}; error_corr {(k, k)} or {(n, k, k)}.")
    try:
        root = np.broadcast_to(np.linalg.cholesky(corr), (n, k, k))
    except np.linalg.LinAlgError as fault:
        raise DataError("error_corr must be a positive definite correlation matrix for each area.") from fault
    bounds = np.tile([-np.inf, np.inf], (k, 1)) if limits is None else np.asarray(limits, dtype=float)
    if bounds.shape != (k, 2) or ((x < bounds[:, 0]) | (x > bounds[:, 1])).any():
        raise DataError(f"limits must have shape {(k, 2)} and hold every level.")
    return IndexData(
        area=codes,
        indicator=names,
        domain=tuple(domain),
        levels=(x * sign).T,
        error_root=(error * sign)[..., None] * root,
        limits=np.sort(bounds * sign[:, None], axis=1),
        unit=carried,
    )


@dataclass(frozen=True, eq=False)
class Choices:
    """Drawn inputs, one row each; the last row is the reference: the published method on the published figures.

    Attributes
    ----------
    normalisation, weighting, aggregation : ndarray of int, shape (n_rows,)
        Places in `NORMALISATIONS`, `WEIGHTINGS` and `AGGREGATIONS`.
    weights : ndarray, shape (n_rows, n_indicators)
        Weights in the total; not used where they come from principal components.
    error : ndarray, shape (n_rows, n_indicators, n_areas) or (1, n_indicators, 1)
        Added to the levels; the short form is no error at all.
    """

    normalisation: Ints
    weighting: Ints
    weights: Floats
    aggregation: Ints
    error: Floats


def draw_choices(data: IndexData, spec: RobustnessSpec, n_rows: int) -> Choices:
    """Draw `n_rows` independent rows of inputs, each input from its own stream, and add the reference."""
    member, k = membership(data.domain), len(data.indicator)
    method = [
        _pick(spec.seed, "normalisation", spec.normalisations, NORMALISATIONS, REFERENCE[0], n_rows),
        _pick(spec.seed, "weighting", spec.weightings, WEIGHTINGS, REFERENCE[1], n_rows),
        _pick(spec.seed, "aggregation", spec.aggregations, AGGREGATIONS, REFERENCE[2], n_rows),
    ]
    rng = keyed_rng(spec.seed, "robustness", "weights")
    weights = np.tile(flat_weights(np.ones(k), np.ones(member.shape[1]), member), (n_rows + 1, 1))
    random = np.flatnonzero(method[1] == WEIGHTINGS.index("random"))
    weights[random] = random_weights(rng, len(random), member, spec.concentration)
    without = np.flatnonzero(method[1] == WEIGHTINGS.index("leave_one_out"))
    if len(without) and k > 1:
        weights[without] = leave_one_out_weights(member)[rng.integers(k, size=len(without))]
    error = draw_errors(data, spec.seed, n_rows) if spec.data_error else np.zeros((1, k, 1))
    return Choices(method[0], method[1], weights, method[2], error)


def draw_errors(data: IndexData, seed: int, n_rows: int) -> Floats:
    """Draw errors of the levels, one stream for each survey unit; a row of zeros is added, the reference."""
    n, k = data.error_root.shape[:2]
    error = np.zeros((n_rows + 1, k, n))
    for unit in dict.fromkeys(data.unit):
        white = keyed_rng(seed, "robustness:data", unit).standard_normal((n_rows, k))
        for i in (i for i, name in enumerate(data.unit) if name == unit):
            error[:-1, :, i] = white @ data.error_root[i].T
    return error


def _pick(seed: int, key: str, chosen: Sequence[str], known: Sequence[str], reference: str, n_rows: int) -> Ints:
    places = np.array([known.index(name) for name in chosen])
    drawn = places[keyed_rng(seed, "robustness", key).integers(len(chosen), size=n_rows)]
    return np.append(drawn, known.index(reference))


def rebuild_ranks(data: IndexData, choices: Choices, design: Ints) -> NDArray[np.int32]:
    """Build the index once for each row of a design and rank the areas.

    Parameters
    ----------
    data : IndexData
    choices : Choices
    design : ndarray of int, shape (n_rebuilds, 4)
        Row of `choices` from which normalisation, weights, aggregation and data error are taken; -1 is the reference.

    Returns
    -------
    ndarray of int32, shape (n_rebuilds, n_areas)
        Ranks, 1 is best; tied areas share the better rank.
    """
    member = membership(data.domain)
    ranks = np.empty((len(design), len(data.area)), dtype=np.int32)
    static = len(choices.error) == 1 or bool((design[:, DATA] == -1).all())
    kind = choices.normalisation[design[:, NORMALISATION]] * len(AGGREGATIONS)
    kind += choices.aggregation[design[:, AGGREGATION]]
    for code in np.unique(kind):
        normalisation, aggregation = divmod(int(code), len(AGGREGATIONS))
        rows = np.flatnonzero(kind == code)
        for block in np.array_split(rows, -(-len(rows) // BLOCK)):
            levels = data.levels[None] if static else _measured_again(data, choices.error, design[block, DATA])
            scores = normalise(levels, NORMALISATIONS[normalisation])
            weights = _weights_of(choices, design[block, WEIGHTS], scores, member)
            terms = average_terms(scores, AGGREGATIONS[aggregation])
            total = weights[:, :1] * terms[:, 0]
            for j in range(1, terms.shape[1]):
                total += weights[:, j, None] * terms[:, j]
            ranks[block] = ranks_of(total)
    return ranks


def _measured_again(data: IndexData, error: Floats, rows: Ints) -> Floats:
    levels = error[rows]
    levels += data.levels
    return np.clip(levels, data.limits[:, :1], data.limits[:, 1:], out=levels)


def _weights_of(choices: Choices, rows: Ints, scores: Floats, member: Floats) -> Floats:
    weights = choices.weights[rows]
    from_data = choices.weighting[rows] == WEIGHTINGS.index("pca")
    if from_data.any():
        weights[from_data] = pca_weights(scores if len(scores) == 1 else scores[from_data], member)
    return weights
