"""Moran's I: whether neighbouring units are more alike than chance makes them, for values and for residuals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.draws import keyed_rng
from gwm_models.errors import ModelError

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Kind = Literal["two-sided", "greater"]

SEED = 20260101
N_PERMUTATIONS = 9999
CELLS_AT_ONCE = 4_000_000
TIE = 1e-12
"""Relative rounding below which a permuted statistic counts as equal to the observed one."""


@dataclass(frozen=True, slots=True)
class Moran:
    """Moran's I of one variable over shared borders.

    Attributes
    ----------
    statistic : float
        Moran's I.
    expected, std_error_under_normality : float
        Its exact mean and standard deviation if the values were independent and normal.
    z, p_normal : float
        Distance from `expected` in those standard deviations, and the p value of the normal distribution.
    p_value : float
        Permutation p value, (1 + k) / (1 + m); NaN where no permutations were asked for.
    n, islands : int
        Units, and how many of them have no neighbour.
    """

    statistic: float
    expected: float
    std_error_under_normality: float
    z: float
    p_normal: float
    p_value: float
    n: int
    islands: int


@dataclass(frozen=True, slots=True, eq=False)
class _Links:
    """Row-standardised weights as a list of pairs.

    ``weight`` is w_ij + w_ji of each pair, so that the sum over i and j of w_ij a_i a_j is its sum over pairs.
    """

    n: int
    first: Places
    second: Places
    weight: Floats
    degree: Places

    @property
    def total(self) -> float:
        """Sum of all weights, S0: a one for each unit that has a neighbour."""
        return float((self.degree > 0).sum())

    def products(self, values: Floats) -> Floats:
        """Return the sum of w_ij a_i a_j along the last axis."""
        return np.asarray((values[..., self.first] * values[..., self.second]) @ self.weight)

    def symmetric_lag(self, columns: Floats) -> Floats:
        """Return (W + W') / 2 times a matrix of shape (n, k)."""
        out = np.zeros_like(columns)
        half = self.weight[:, None] / 2
        np.add.at(out, self.first, half * columns[self.second])
        np.add.at(out, self.second, half * columns[self.first])
        return out


def moran(
    values: ArrayLike,
    borders: ArrayLike,
    *,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = SEED,
    kind: Kind = "two-sided",
) -> Moran:
    """Return Moran's I of values over shared borders.

    Each unit's weights over its neighbours sum to one. A unit without neighbours (an island) keeps a row of zeros: it
    counts in n, the mean and the sum of squares, and adds nothing to the sum of weights S0. The stated mean
    -1 / (n - 1) and variance are exact under this rule. It is that of esda, and of spdep with ``zero.policy = TRUE,
    adjust.n = FALSE``; spdep's default makes I smaller by the share of units that are linked.

    Parameters
    ----------
    values : array_like of float, shape (n,)
    borders : array_like of int, shape (n_pairs, 2)
        Places of neighbours, in either order; a pair that is given twice counts once.
    n_permutations : int
        Values are dealt out anew to all units so many times; 0 for no permutation p.
    seed : int
    kind : {"two-sided", "greater"}
        Alternative: further from the mean in either direction, or more alike than chance.

    Returns
    -------
    Moran

    Raises
    ------
    ModelError
        If a value is missing, all are the same, or no units share a border.

    References
    ----------
    Moran (1950), Biometrika 37, 17-23. Cliff & Ord (1981), Spatial Processes, chapters 1 and 2. Phipson & Smyth
    (2010), Statistical Applications in Genetics and Molecular Biology 9, 39 (the one added to both counts).

    Examples
    --------
    >>> found = moran([1.0, 2.0, 3.0, 4.0], [[0, 1], [1, 2], [2, 3]], n_permutations=0)
    >>> round(found.statistic, 12), round(found.expected, 12)
    (0.4, -0.333333333333)
    """
    _check_kind(kind)
    a = _checked(values)
    links = _links(borders, len(a))
    centred = a - a.mean()
    if not np.ptp(a) > TIE * np.abs(a).max():
        raise ModelError("Moran's I needs values that differ between areas; all are the same.")
    statistic = float(_ratio(centred, links))
    expected = -1 / (len(a) - 1)

    def deal(n_rows: int) -> Floats:
        return rng.permuted(np.tile(centred, (n_rows, 1)), axis=1)

    rng = keyed_rng(seed, "moran")
    permuted = _statistics(deal, links, n_permutations)
    return _result(statistic, expected, _std_error(links), permuted, links, kind)


def residual_moran(
    residuals: ArrayLike,
    design: ArrayLike,
    borders: ArrayLike,
    *,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = SEED,
    kind: Kind = "two-sided",
) -> Moran:
    """Return Moran's I of least-squares residuals, against what residuals of that design have by themselves.

    Residuals are correlated because the design was fitted, so mean and variance are those of Cliff and Ord for normal
    errors. Permuted residuals are fitted to the design again before their statistic is taken (Freedman & Lane).

    Parameters
    ----------
    residuals : array_like of float, shape (n,)
    design : array_like of float, shape (n, k)
        As fitted, with the constant. For weighted least squares give both times the root of the weights.
    borders, n_permutations, seed, kind
        See `moran`; islands are treated alike.

    Raises
    ------
    ModelError
        As `moran`, and if there are no more units than columns, or all residuals are zero.
    ValueError
        If the residuals are not those of that design.

    References
    ----------
    Cliff & Ord (1972), Geographical Analysis 4, 267-284. Freedman & Lane (1983), Journal of Business & Economic
    Statistics 1, 292-298.
    """
    _check_kind(kind)
    left, x = _checked(residuals), np.asarray(design, dtype=float)
    links = _links(borders, len(left))
    basis = _basis(x, left)
    statistic = float(_ratio(left, links))
    expected, error = _residual_moments(basis, links)

    def deal(n_rows: int) -> Floats:
        dealt = rng.permuted(np.tile(left, (n_rows, 1)), axis=1)
        return np.asarray(dealt - (dealt @ basis) @ basis.T)

    rng = keyed_rng(seed, "moran:residual")
    permuted = _statistics(deal, links, n_permutations)
    return _result(statistic, expected, error, permuted, links, kind)


def _check_kind(kind: str) -> None:
    if kind not in ("two-sided", "greater"):
        raise ValueError(f"kind must be 'two-sided' or 'greater'; got {kind!r}.")


def _checked(values: ArrayLike) -> Floats:
    a = np.asarray(values, dtype=float)
    if a.ndim != 1 or len(a) < 3:
        raise ModelError(f"Moran's I needs one value for each of three areas or more; got shape {a.shape}.")
    if not np.isfinite(a).all():
        missing = int((~np.isfinite(a)).sum())
        raise ModelError(f"Moran's I needs a value for every area; {missing} of {len(a)} are missing. Leave them out.")
    return a


def _links(borders: ArrayLike, n: int) -> _Links:
    pairs = np.asarray(borders, dtype=np.int64).reshape(-1, 2)
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    if not len(pairs):
        raise ModelError("Moran's I needs areas that share a border; none of these do.")
    if pairs.min() < 0 or pairs.max() >= n:
        raise ValueError(f"borders names place {pairs.max()}; there are {n} values.")
    degree = np.bincount(pairs.ravel(), minlength=n)
    share = 1 / degree[pairs]
    return _Links(n, pairs[:, 0], pairs[:, 1], share.sum(axis=1), degree)


def _ratio(values: Floats, links: _Links) -> Floats:
    return np.asarray(links.n / links.total * links.products(values) / (values**2).sum(axis=-1))


def _statistics(deal: Callable[[int], Floats], links: _Links, n_permutations: int) -> Floats:
    """Return the statistic of so many permutations, a batch at a time to bound the memory."""
    at_once = max(1, CELLS_AT_ONCE // max(links.n, len(links.first)))
    sizes = [min(at_once, n_permutations - done) for done in range(0, n_permutations, at_once)]
    return np.concatenate([_ratio(deal(size), links) for size in sizes]) if sizes else np.empty(0)


def _std_error(links: _Links) -> float:
    """Return the standard deviation of I for independent normal values."""
    n, s0 = links.n, links.total
    column = np.bincount(links.first, 1 / links.degree[links.second], n)
    column += np.bincount(links.second, 1 / links.degree[links.first], n)
    s1 = float((links.weight**2).sum())
    s2 = float((((links.degree > 0) + column) ** 2).sum())
    variance = (n**2 * s1 - n * s2 + 3 * s0**2) / ((n**2 - 1) * s0**2) - 1 / (n - 1) ** 2
    return float(np.sqrt(max(variance, 0.0)))


def _basis(design: Floats, residuals: Floats) -> Floats:
    """Return an orthonormal basis of the columns of a design, after checking that the residuals are its own."""
    if design.ndim != 2 or len(design) != len(residuals):
        raise ValueError(f"design has shape {design.shape}; expected ({len(residuals)}, k).")
    left, size, _ = np.linalg.svd(design, full_matrices=False)
    basis = left[:, size > size.max() * max(design.shape) * np.finfo(float).eps]
    if basis.shape[1] >= len(design) - 1:
        raise ModelError(f"Residuals of {len(design)} areas and {basis.shape[1]} coefficients leave nothing to test.")
    norm = float(np.linalg.norm(residuals))
    if not norm > 0:
        raise ModelError("Moran's I needs residuals that differ between areas; all are zero.")
    if np.abs(basis.T @ residuals).max() > 1e-6 * norm:
        raise ValueError("residuals are not those of a least-squares fit to this design.")
    return np.asarray(basis)


def _residual_moments(basis: Floats, links: _Links) -> tuple[float, float]:
    """Return mean and standard deviation of I for residuals of independent normal errors.

    With M = I - QQ', U = (W + W') / 2 and K = MUM, the ratio e'Ke / e'e has mean tr(K) / f and variance
    2 (f tr(K^2) - tr(K)^2) / (f^2 (f + 2)), with f = n - k.
    """
    freedom = links.n - basis.shape[1]
    lagged = links.symmetric_lag(basis)
    inner = basis.T @ lagged
    trace = -float(np.trace(inner))
    squares = float((links.weight**2).sum()) / 2 - 2 * float((lagged**2).sum()) + float((inner**2).sum())
    scale = links.n / links.total
    variance = 2 * (freedom * squares - trace**2) / (freedom**2 * (freedom + 2))
    return scale * trace / freedom, scale * float(np.sqrt(max(variance, 0.0)))


def _result(statistic: float, expected: float, error: float, permuted: Floats, links: _Links, kind: Kind) -> Moran:
    from scipy.special import ndtr

    z = (statistic - expected) / error if error > 0 else float("nan")
    both = kind == "two-sided"
    observed = abs(statistic - expected) if both else statistic
    against = np.abs(permuted - expected) if both else permuted
    reached = int((against >= observed - TIE * max(1.0, abs(observed))).sum())
    return Moran(
        statistic=statistic,
        expected=expected,
        std_error_under_normality=error,
        z=z,
        p_normal=float(2 * ndtr(-abs(z)) if both else ndtr(-z)),
        p_value=(1 + reached) / (1 + len(permuted)) if len(permuted) else float("nan"),
        n=links.n,
        islands=int((links.degree == 0).sum()),
    )
