"""Inequality split within and between groups of areas, and how much of it sampling error makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError

Floats = NDArray[np.float64]

SEED = 20260101
LEVEL = 0.95
DRAWS = 2000
MEASURES = ("variance", "theil_t", "theil_l")
"""Ways to measure inequality: variance; Theil's T, which weighs the top more; Theil's L, which weighs the bottom."""


@dataclass(frozen=True, eq=False)
class Quantity(Frozen):
    """One figure of every area: an indicator, a domain or the total.

    Attributes
    ----------
    name, kind, unit : str
        `kind` is ``indicator``, ``domain`` or ``total``.
    values : ndarray, shape (n_areas,)
    error_cov : ndarray, shape (n_areas, n_areas)
        Covariance of sampling errors: areas that share a unit share its error, others are independent.
    """

    name: str
    kind: str
    unit: str
    values: Floats
    error_cov: Floats


@dataclass(frozen=True, slots=True)
class Decomposition:
    """Inequality of one quantity, split within and between regions.

    Attributes
    ----------
    quantity, measure, weights : str
        `weights` is ``areas`` (each counts the same) or ``population`` (each resident does).
    total, within, between : float
        within + between = total.
    share_between : float
        between / total.
    share_by_chance, p_value : float
        The share that regions drawn at random from the same areas have on average, and how often theirs is as large.
    noise_within, noise_share_within : float
        The sampling error in `within`, in its unit and as a part of it; NaN for Theil, whose logarithms break on
        noise near 0.
    estimate, std_error, lower, upper : float
        `share_between` with sampling error taken out of both parts, and its interval over the sampling error alone:
        the areas are all there are, not a sample of areas. NaN for Theil.
    n, n_regions : int
    level : float
    """

    quantity: str
    measure: str
    weights: str
    total: float
    within: float
    between: float
    share_between: float
    share_by_chance: float
    p_value: float
    noise_within: float
    noise_share_within: float
    estimate: float
    std_error: float
    lower: float
    upper: float
    n: int
    n_regions: int
    level: float

    def to_row(self) -> dict[str, object]:
        """Return the decomposition as one row."""
        return asdict(self)


def decompose(
    values: ArrayLike, region: Sequence[str], *, weights: ArrayLike | None = None, measure: str = "variance"
) -> tuple[float, float, float]:
    """Split the inequality of some values exactly into the parts within and between regions.

    Parameters
    ----------
    values : array_like, shape (n,)
        Above 0 for Theil's measures.
    region : sequence of str, length n
    weights : array_like, shape (n,), optional
        People of each area; each area counts the same by default.
    measure : {"variance", "theil_t", "theil_l"}

    Returns
    -------
    total, within, between : float
        ``theil_t``: sum of p (x / m) log(x / m); within weighs each region by its part of the sum of values.
        ``theil_l``: sum of p log(m / x); within weighs each region by its part of the people.

    Raises
    ------
    DataError
        If there is not one region for each value, or a Theil measure is asked of values that are not all above 0.

    References
    ----------
    Theil (1967), Economics and Information Theory. Shorrocks (1980), Econometrica 48, 613-625.

    Examples
    --------
    >>> decompose([1, 3, 5, 7], ["A", "A", "B", "B"])
    (5.0, 1.0, 4.0)
    """
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}; got {measure!r}.")
    x, member = np.asarray(values, dtype=float), _member(region)
    if x.shape != (len(member),):
        raise DataError(f"{len(member)} regions for values of shape {x.shape}; expected one region for each value.")
    p = np.full(len(x), 1.0) if weights is None else np.asarray(weights, dtype=float)
    p = p / p.sum()
    if measure != "variance" and not (x > 0).all():
        raise DataError(f"{int((x <= 0).sum())} of {len(x)} values are not above 0: {measure} needs positive values.")
    mean = p @ x
    between = float(_between(p @ member, (p * x) @ member, mean, measure))
    local = member @ (((p * x) @ member) / (p @ member))
    if measure == "variance":
        total, within = p @ (x - mean) ** 2, p @ (x - local) ** 2
    elif measure == "theil_t":
        total, within = p @ (x / mean * np.log(x / mean)), p @ (x / mean * np.log(x / local))
    else:
        total, within = p @ np.log(mean / x), p @ np.log(local / x)
    return float(total), float(within), between


def _member(region: Sequence[str]) -> Floats:
    """Return which region each area is in, (n_areas, n_regions), as 0 and 1."""
    place = np.unique(list(region), return_inverse=True)[1]
    return np.asarray(np.eye(place.max() + 1)[place])


def _between(people: Floats, summed: Floats, mean: float, measure: str) -> Floats:
    """Return the part between regions from each region's people and sum of values; over the last axis."""
    local = summed / people
    if measure == "variance":
        terms = people * (local - mean) ** 2
    elif measure == "theil_t":
        terms = summed / mean * np.log(local / mean)
    else:
        terms = people * np.log(mean / local)
    return np.asarray(terms.sum(axis=-1))


def decompose_quantity(
    quantity: Quantity,
    region: Sequence[str],
    people: Floats | None = None,
    *,
    measure: str = "variance",
    level: float = LEVEL,
    n_draws: int = DRAWS,
    seed: int = SEED,
) -> Decomposition:
    """Split one quantity's inequality, set it against chance, and take sampling error out of a variance.

    Parameters
    ----------
    quantity : Quantity
    region : sequence of str, length n_areas
    people : ndarray, shape (n_areas,), optional
        Residents as weights; each area counts the same by default.
    measure : {"variance", "theil_t", "theil_l"}
    n_draws : int
        Regions drawn by shuffling areas, and draws of sampling error.

    Raises
    ------
    DataError
        As `decompose`, or if all values are the same.
    """
    x, member = quantity.values, _member(region)
    p = np.full(len(x), 1.0) if people is None else people
    p = p / p.sum()
    total, within, between = decompose(x, region, weights=p, measure=measure)
    if not total > 0:
        raise DataError(f"'{quantity.name}' is the same in every area: there is no inequality to split.")
    order = keyed_rng(seed, "regions").random((n_draws, len(x))).argsort(axis=1)
    by_chance = _between(p[order] @ member, (p * x)[order] @ member, float(p @ x), measure)
    nothing = (np.nan,) * 4
    noise, without = np.nan, nothing
    if measure == "variance" and np.isfinite(quantity.error_cov).all():
        noise, without = _without_noise(quantity, member, p, (within, between), level, n_draws, seed)
    return Decomposition(
        quantity=quantity.name,
        measure=measure,
        weights="areas" if people is None else "population",
        total=total,
        within=within,
        between=between,
        share_between=between / total,
        share_by_chance=float(by_chance.mean() / total),
        p_value=float((1 + (by_chance >= between * (1 - 1e-12)).sum()) / (1 + n_draws)),
        noise_within=noise,
        noise_share_within=noise / within if within > 0 else np.nan,
        estimate=without[0],
        std_error=without[1],
        lower=without[2],
        upper=without[3],
        n=len(x),
        n_regions=member.shape[1],
        level=level,
    )


def _without_noise(
    quantity: Quantity, member: Floats, p: Floats, parts: tuple[float, float], level: float, n_draws: int, seed: int
) -> tuple[float, tuple[float, float, float, float]]:
    """Return the noise in the variance within, and the share between without noise, with its interval.

    A part is a form ``y' A y`` of the values, so its noise is ``tr(A V)`` exactly. The error of the corrected share is
    its spread when the values are given one more helping of their sampling error, and two are taken out.
    """
    from scipy.stats import norm

    own = member * p[:, None]
    inside, whole = np.diag(p) - own / own.sum(axis=0) @ own.T, np.diag(p) - np.outer(p, p)
    noise_within = float((inside * quantity.error_cov).sum())
    noise = float((whole * quantity.error_cov).sum())
    within, total = parts[0] - noise_within, sum(parts) - noise
    share = 1 - within / total if total > 0 else np.nan
    root = np.linalg.cholesky(quantity.error_cov + 1e-9 * max(quantity.error_cov.max(), 1e-12) * np.eye(len(p)))
    again = quantity.values + keyed_rng(seed, "error", quantity.name).standard_normal((n_draws, len(p))) @ root.T
    within_again = np.einsum("di,ij,dj->d", again, inside, again, optimize=True) - 2 * noise_within
    total_again = np.einsum("di,ij,dj->d", again, whole, again, optimize=True) - 2 * noise
    usable = total_again > 0
    error = float((1 - within_again[usable] / total_again[usable]).std()) if usable.any() else np.nan
    reach = float(norm.ppf((1 + level) / 2)) * error
    bounds = np.clip([share - reach, share + reach], 0, 1)
    return noise_within, (share, error, float(bounds[0]), float(bounds[1]))
