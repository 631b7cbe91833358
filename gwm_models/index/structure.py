"""Structure of an index: how its parts go together, and how much of that sampling error hides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.data.edition import Areas, Edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError, some
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import sampling_error
from gwm_models.index.structure_estimates import DRAWS, LEVEL, SEED, Estimate, Maker

Floats = NDArray[np.float64]

LEAST_UNITS = 10


@dataclass(frozen=True, eq=False)
class Items:
    """Parts of an index, higher is better, one row a unit.

    Attributes
    ----------
    kind : str
    term : tuple of str, length n_items
    values : ndarray, shape (n_units, n_items)
        In score points, up to a constant.
    error_cov : ndarray, shape (n_units, n_items, n_items)
        Covariance of their sampling errors, in squared points.
    unit : tuple of str, length n_units
    total : ndarray, shape (n_units,)
        The published total of each unit.
    missing : tuple of str
        Items of the index that have no open figures.
    notes : tuple of str
    """

    kind: str
    term: tuple[str, ...]
    values: Floats
    error_cov: Floats
    unit: tuple[str, ...]
    total: Floats
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, k = self.values.shape
        if k < 2 or n < LEAST_UNITS:
            raise DataError(f"{self.kind}: {k} items of {n} units; structure needs two items and {LEAST_UNITS} units.")
        constant = [name for name, span in zip(self.term, np.ptp(self.values, axis=0), strict=True) if not span > 0]
        if constant:
            raise DataError(f"{self.kind}: the same value everywhere ({some(constant)}); it correlates with nothing.")

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.values)

    def pick(self, terms: Sequence[str], kind: str) -> Items:
        """Return some of the items as a set of their own."""
        place = [self.term.index(term) for term in terms]
        error = self.error_cov[:, place][:, :, place]
        return Items(kind, tuple(terms), self.values[:, place], error, self.unit, self.total)


def indicator_items(edition: Edition) -> Items:
    """Return the indicators that have open figures, in score points, areas that share a unit merged by population.

    Levels are multiplied by the points of a unit, so that every item is better when higher; an indicator without
    open figures is left out and named, and so is a unit without a figure for one that is kept.
    """
    spec, areas = edition.spec, edition.areas
    unit, weights = areas.units()
    kept = [j for j in range(len(spec.indicators)) if not np.isnan(edition.values[:, j]).all()]
    points = points_per_unit(edition).estimate[kept]
    values = weights @ (edition.values[:, kept] * points)
    error = np.einsum("un,njk->ujk", weights, sampling_error(edition).cov_points[:, kept][:, :, kept])
    whole = np.asarray(np.isfinite(values).all(axis=1))
    missing = tuple(name for j, name in enumerate(spec.indicator_ids) if j not in kept)
    present = tuple(code for code, fine in zip(unit, whole, strict=True) if fine)
    left_out = [code for code in unit if code not in present]
    notes = [_merged(areas)]
    notes += [f"No open figures, left out: {', '.join(missing)}."] if missing else []
    notes += [f"Units without a figure, left out: {', '.join(left_out)}."] if left_out else []
    return Items(
        kind="indicators",
        term=tuple(spec.indicator_ids[j] for j in kept),
        values=values[whole],
        error_cov=error[whole],
        unit=present,
        total=(weights @ edition.total)[whole],
        missing=missing,
        notes=tuple(notes),
    )


def domain_items(edition: Edition) -> Items:
    """Return the published domain scores, areas that share a unit merged by population."""
    unit, weights = edition.areas.units()
    return Items(
        kind="domains",
        term=edition.spec.domain_ids,
        values=weights @ edition.domain_scores,
        error_cov=np.einsum("un,njk->ujk", weights, sampling_error(edition).domain_cov),
        unit=unit,
        total=weights @ edition.total,
        notes=(_merged(edition.areas),),
    )


def shared_areas(areas: Areas) -> list[str]:
    """Return the names of the areas that share a unit with another, and so its survey figures."""
    of_unit = Counter(areas.unit)
    return [name for name, unit in zip(areas.name, areas.unit, strict=True) if of_unit[unit] > 1]


def _merged(areas: Areas) -> str:
    same = shared_areas(areas)
    merged = f", {' and '.join(same)} merged by population" if same else ""
    return f"{len(areas)} areas are {len(set(areas.unit))} units{merged}."


def correlations(items: Items, *, level: float = LEVEL, n_draws: int = DRAWS, seed: int = SEED) -> list[Estimate]:
    """Correlate the items: Pearson, Spearman, and Pearson of the true values behind the sampling error.

    Pearson's r has Fisher's interval, Spearman's that of Bonett & Wright. The third takes the mean covariance of the
    sampling errors out of the covariance of the items, the errors of two items of one survey together, and has an
    interval over resampled units. The noise share of each item is the part of its variance that is
    sampling error. The correlation with the total is of a part with its whole: it shows what an equally weighted
    item really weighs.

    References
    ----------
    Spearman (1904), American Journal of Psychology 15, 72-101 (attenuation). Fuller (1987), Measurement Error Models,
    section 1.2. Bonett & Wright (2000), Psychometrika 65, 23-28. Paruolo, Saisana & Saltelli (2013), JRSS A 176,
    609-634.
    """
    cov, error = covariance(items.values), items.error_cov.mean(axis=0)
    resampled = resample(items, n_draws, seed)
    maker = Maker(items.kind, len(items), level)
    found = []
    for j, term in enumerate(items.term):
        drawn = resampled.error[:, j, j] / resampled.cov[:, j, j]
        found.append(maker.drawn("noise_share", error[j, j] / cov[j, j], drawn, term))
    observed, ranked = correlation(cov), correlation(covariance(midranks(items.values)))
    true, true_drawn = correlation(cov - error), correlation(resampled.cov - resampled.error)
    for i, j in combinations(range(len(items.term)), 2):
        pair = (items.term[i], items.term[j])
        found.append(maker.fisher("pearson", float(observed[i, j]), *pair))
        found.append(maker.fisher("spearman", float(ranked[i, j]), *pair))
        found.append(maker.correlated("pearson_true", true[i, j], true_drawn[:, i, j], *pair))
    for j, term in enumerate(items.term):
        with_total = float(np.corrcoef(items.values[:, j], items.total)[0, 1])
        found.append(maker.fisher("pearson", with_total, term, "published total"))
    return found


@dataclass(frozen=True, eq=False)
class Resampled:
    """Covariances of resampled units: of the items, and the mean of their sampling errors, (n_draws, k, k) each."""

    cov: Floats
    error: Floats


def resample(items: Items, n_draws: int, seed: int) -> Resampled:
    """Draw units with replacement and return the covariances of each draw.

    Draws in which an item does not vary are left out.
    """
    n, k = items.values.shape
    counts = keyed_rng(seed, "structure", items.kind).multinomial(n, np.full(n, 1 / n), size=n_draws).astype(float)
    x = items.values - items.values.mean(axis=0)
    mean = counts @ x / n
    square = (counts @ np.einsum("nj,nk->njk", x, x).reshape(n, -1)).reshape(-1, k, k) / n
    cov = (square - mean[:, :, None] * mean[:, None, :]) * n / (n - 1)
    error = (counts @ items.error_cov.reshape(n, -1)).reshape(-1, k, k) / n
    varies = np.diagonal(cov, axis1=1, axis2=2).min(axis=1) > 1e-9 * np.diag(covariance(x)).min()
    return Resampled(cov[varies], error[varies])


def covariance(values: Floats) -> Floats:
    """Return the covariance of columns, divisor n - 1."""
    return np.asarray(np.atleast_2d(np.cov(values, rowvar=False)))


def correlation(cov: Floats) -> Floats:
    """Return the correlations of one covariance matrix or a stack of them.

    A variance of 0 or less, as the removal of a large error leaves, gives NaN; a correlation beyond 1 is 1.

    Examples
    --------
    >>> correlation(np.array([[4.0, 3.0], [3.0, 9.0]])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    scale = np.sqrt(np.where(variance > 0, variance, np.nan))
    return np.asarray(np.clip(cov / (scale[..., :, None] * scale[..., None, :]), -1, 1))


def midranks(values: Floats) -> Floats:
    """Return ranks by column, ties sharing their mean rank."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=0))


def alpha(cov: ArrayLike) -> Floats:
    """Return Cronbach's alpha of one covariance matrix or a stack of them.

    ``k / (k - 1) (1 - sum of variances / variance of the sum)``.

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297-334.

    Examples
    --------
    >>> round(float(alpha([[2, 1], [1, 2]])), 4)
    0.6667
    """
    matrix = np.asarray(cov, dtype=float)
    k = matrix.shape[-1]
    return np.asarray(k / (k - 1) * (1 - np.trace(matrix, axis1=-2, axis2=-1) / matrix.sum(axis=(-2, -1))))


def feldt_interval(estimate: float, n: int, k: int, level: float = LEVEL) -> tuple[float, float]:
    """Return Feldt's interval of Cronbach's alpha.

    ``(1 - true) / (1 - estimate)`` is F with n - 1 and (n - 1)(k - 1) degrees of freedom if the items are normal, with
    one variance and one covariance.

    References
    ----------
    Feldt (1965), Psychometrika 30, 357-370.
    """
    from scipy.stats import f

    low, high = f.ppf([(1 + level) / 2, (1 - level) / 2], n - 1, (n - 1) * (k - 1))
    return float(1 - (1 - estimate) * low), float(1 - (1 - estimate) * high)


def reliability(items: Items, *, level: float = LEVEL, n_draws: int = DRAWS, seed: int = SEED) -> list[Estimate]:
    """Work out how far the items measure one thing, and how far each survives its sampling error.

    Alpha is given in points (Feldt's interval, and one over resampled units that assumes no form), standardised, with
    sampling error taken out, and with each item left out. Sampling reliability is the part of the variance that is
    not sampling error: of each item, and of their sum. An index defined by its parts needs no high alpha: the numbers
    describe it and do not judge it.
    """
    cov, error = covariance(items.values), items.error_cov.mean(axis=0)
    again, maker = resample(items, n_draws, seed), Maker(items.kind, len(items), level)
    k = len(items.term)
    whole, drawn = float(alpha(cov)), alpha(again.cov)
    found = [
        maker.bounded("alpha", whole, np.nan, *feldt_interval(whole, len(items), k, level), "Feldt"),
        maker.drawn("alpha", whole, drawn),
        maker.drawn("alpha_standardised", float(alpha(correlation(cov))), alpha(correlation(again.cov))),
        maker.drawn("alpha_true", float(alpha(cov - error)), alpha(again.cov - again.error)),
    ]
    for j, term in enumerate(items.term):
        rest = [i for i in range(k) if i != j]
        found.append(maker.correlated("item_rest", *_both(_item_rest, cov, again.cov, j, rest), term))
        if k > 2:
            found.append(maker.drawn("alpha_if_dropped", *_both(_alpha_of, cov, again.cov, j, rest), term))
    for j, term in enumerate(items.term):
        clean = 1 - again.error[:, j, j] / again.cov[:, j, j]
        found.append(maker.drawn("sampling_reliability", 1 - error[j, j] / cov[j, j], clean, term))
    summed = 1 - again.error.sum(axis=(1, 2)) / again.cov.sum(axis=(1, 2))
    found.append(maker.drawn("sampling_reliability", 1 - error.sum() / cov.sum(), summed, "sum of the items"))
    return found


def domain_pairs(edition: Edition, items: Items) -> list[Items]:
    """Return the indicators of each domain that has two or more open ones, each domain a set of its own."""
    named = [(spec.id, spec.domain) for spec in edition.spec.indicators if spec.id in items.term]
    by_domain = {domain: [name for name, of in named if of == domain] for domain in edition.spec.domain_ids}
    return [items.pick(terms, f"indicators of {domain}") for domain, terms in by_domain.items() if len(terms) > 1]


def _both(
    rule: Callable[[Floats, int, list[int]], Floats], cov: Floats, drawn: Floats, j: int, rest: list[int]
) -> tuple[float, Floats]:
    return float(rule(cov, j, rest)), rule(drawn, j, rest)


def _item_rest(cov: Floats, j: int, rest: list[int]) -> Floats:
    """Return the correlation of item `j` with the sum of the others."""
    others = cov[..., rest, :][..., :, rest].sum(axis=(-2, -1))
    return np.asarray(cov[..., j, rest].sum(axis=-1) / np.sqrt(cov[..., j, j] * others))


def _alpha_of(cov: Floats, _j: int, rest: list[int]) -> Floats:
    return alpha(cov[..., rest, :][..., :, rest])
