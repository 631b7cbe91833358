"""Components and one common factor of the items of an index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.draws import keyed_rng
from gwm_models.index.structure import Floats, Items, correlation, covariance, resample
from gwm_models.index.structure_estimates import DRAWS, LEVEL, SEED, Estimate, Maker

PARALLEL = 0.95
"""Quantile of the eigenvalues of unrelated items that a component must exceed."""
FLOOR = 0.005
"""Least uniqueness: an item at it is explained without remainder, which no real item is (a Heywood case)."""
FINE, COARSE = 1e-11, 1e-7
MOST_STEPS = 20_000


def components(items: Items, *, level: float = LEVEL, n_draws: int = DRAWS, seed: int = SEED) -> list[Estimate]:
    """Find the principal components of the items' correlations, and how many are more than chance.

    A loading is the correlation of an item with a component, signed so that a component's loadings sum to more than
    0. Kaiser's rule keeps eigenvalues above 1; parallel analysis keeps the leading components whose eigenvalue is
    above the 95th percentile of that of items shuffled independently, which keeps each item's distribution. Loadings
    of components beyond those have no interval: they swap places between resamples. ``share_true`` is the share of
    the first component with sampling error taken out of the correlations.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185; Buja & Eyuboglu (1992), Multivariate Behavioral Research 27, 509-540
    (parallel analysis, by shuffling). Kaiser (1974), Psychometrika 39, 31-36 (measure of sampling adequacy).
    """
    cov, error = covariance(items.values), items.error_cov.mean(axis=0)
    matrix, again, maker = correlation(cov), resample(items, n_draws, seed), Maker(items.kind, len(items), level)
    drawn_matrices = correlation(again.cov)
    values, loadings = principal(matrix)
    drawn_values, drawn_loadings = principal(drawn_matrices)
    k = len(items.term)
    shuffled = shuffled_eigenvalues(items.values, n_draws, seed)
    threshold = np.quantile(shuffled, PARALLEL, axis=0)
    kept = leading(values > threshold)
    found = []
    for c in range(k):
        name = f"component {c + 1}"
        found.append(maker.drawn("eigenvalue", values[c], drawn_values[:, c], name))
        found.append(maker.drawn("share", values[c] / k, drawn_values[:, c] / k, name))
        so_far = drawn_values[:, : c + 1].sum(axis=1) / k
        found.append(maker.drawn("share_so_far", values[: c + 1].sum() / k, so_far, name))
        method = f"items shuffled, {PARALLEL:.0%} quantile"
        found.append(maker.bounded("parallel_eigenvalue", threshold[c], method=method, term=name))
    for c in range(k):
        facing = np.sign(np.einsum("dj,j->d", drawn_loadings[:, :, c], loadings[:, c]))
        for j, term in enumerate(items.term):
            if c < kept:
                drawn = drawn_loadings[:, j, c] * facing
                found.append(maker.drawn("loading", loadings[j, c], drawn, term, f"component {c + 1}"))
            else:
                method, other = "no interval: not above chance", f"component {c + 1}"
                found.append(maker.bounded("loading", loadings[j, c], method=method, term=term, other=other))
    found.append(maker.bounded("kept_kaiser", leading(values > 1), method="eigenvalue above 1"))
    found.append(maker.bounded("kept_parallel", kept, method="eigenvalue above chance"))
    true, true_drawn = first_share(correlation(cov - error)[None]), first_share(correlation(again.cov - again.error))
    found.append(maker.drawn("share_true", float(true[0]), true_drawn, "component 1"))
    overall, each = adequacy(matrix)
    found.append(maker.bounded("adequacy", overall, method="Kaiser-Meyer-Olkin"))
    found += [
        maker.bounded("adequacy", each[j], method="Kaiser-Meyer-Olkin", term=term) for j, term in enumerate(items.term)
    ]
    found += _sphericity(maker, matrix)
    scores = standardised(items.values) @ loadings[:, 0]
    found.append(
        maker.fisher("pearson", float(np.corrcoef(scores, items.total)[0, 1]), "component 1", "published total")
    )
    return found


def principal(matrix: Floats) -> tuple[Floats, Floats]:
    """Return eigenvalues, largest first, and loadings (item, component) of one correlation matrix or a stack.

    A loading is an eigenvector's entry times the root of its eigenvalue; each component faces the way its loadings
    sum to more than 0.
    """
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = values[..., ::-1], vectors[..., ::-1]
    facing = np.where(vectors.sum(axis=-2, keepdims=True) < 0, -1.0, 1.0)
    return values, vectors * facing * np.sqrt(np.maximum(values, 0))[..., None, :]


def shuffled_eigenvalues(values: Floats, n_draws: int, seed: int) -> Floats:
    """Return the eigenvalues of the correlations of independently shuffled columns, (n_draws, n_items)."""
    z = standardised(values)
    n, k = z.shape
    order = keyed_rng(seed, "parallel").random((n_draws, n, k)).argsort(axis=1)
    shuffled = np.take_along_axis(np.broadcast_to(z, order.shape), order, axis=1)
    return np.linalg.eigvalsh(np.swapaxes(shuffled, 1, 2) @ shuffled / (n - 1))[:, ::-1]


def leading(passed: NDArray[np.bool_]) -> int:
    """Return how many hold before the first that does not.

    Examples
    --------
    >>> leading(np.array([True, True, False, True]))
    2
    """
    return int(np.logical_and.accumulate(passed).sum())


def standardised(values: Floats) -> Floats:
    """Return columns with mean 0 and standard deviation 1, divisor n - 1."""
    return np.asarray((values - values.mean(axis=0)) / values.std(axis=0, ddof=1))


def adequacy(matrix: Floats) -> tuple[float, Floats]:
    """Return Kaiser's measure of sampling adequacy, overall and by item.

    The sum of squared correlations, over that sum with the squared partial correlations added.

    Examples
    --------
    >>> overall, each = adequacy(np.array([[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]))
    >>> round(overall, 4), each.round(4).tolist()
    (0.6923, [0.6923, 0.6923, 0.6923])
    """
    inverse = np.linalg.inv(matrix)
    scale = np.sqrt(np.diag(inverse))
    apart = 1 - np.eye(len(matrix))
    simple, partial = (matrix * apart) ** 2, (inverse / np.outer(scale, scale) * apart) ** 2
    each = simple.sum(axis=0) / (simple.sum(axis=0) + partial.sum(axis=0))
    return float(simple.sum() / (simple.sum() + partial.sum())), each


def _sphericity(maker: Maker, matrix: Floats) -> list[Estimate]:
    """Return Bartlett's test that no two items are correlated."""
    from scipy.stats import chi2

    n, k = maker.n, len(matrix)
    statistic = -(n - 1 - (2 * k + 5) / 6) * np.linalg.slogdet(matrix)[1]
    freedom = k * (k - 1) // 2
    method = f"Bartlett, {freedom} degrees of freedom"
    return [
        maker.bounded("sphericity_chi2", statistic, method=method),
        maker.bounded("sphericity_p", float(chi2.sf(statistic, freedom)), method=method),
    ]


def first_share(matrices: Floats) -> Floats:
    """Return the share of the first component of each matrix, NaN where a correlation is not known."""
    known = np.isfinite(matrices).all(axis=(1, 2))
    share = np.full(len(matrices), np.nan)
    share[known] = np.linalg.eigvalsh(matrices[known])[:, -1] / matrices.shape[-1]
    return share


@dataclass(frozen=True, eq=False)
class Factor(Frozen):
    """One common factor: loadings and uniquenesses of one matrix, (k,), or a stack of them, (m, k)."""

    loading: Floats
    uniqueness: Floats

    @property
    def implied(self) -> Floats:
        """Correlations that the factor implies."""
        together = self.loading[..., :, None] * self.loading[..., None, :]
        return np.asarray(together + self.uniqueness[..., None] * np.eye(self.loading.shape[-1]))

    @property
    def omega(self) -> Floats:
        """McDonald's omega: the factor's part of the variance of the sum of the standardised items."""
        common = self.loading.sum(axis=-1) ** 2
        return np.asarray(common / (common + self.uniqueness.sum(axis=-1)))


def one_factor(matrix: Floats, *, tolerance: float = FINE) -> Factor:
    """Fit one common factor to a correlation matrix, or to each of a stack, by maximum likelihood.

    Expectation-maximisation for all matrices at once, from the first principal component, its steps squared where
    that does not lower the likelihood, until no loading or uniqueness moves by more than `tolerance`. A uniqueness
    stops at 0.005. Loadings sum to more than 0.

    References
    ----------
    Rubin & Thayer (1982), Psychometrika 47, 69-76. Varadhan & Roland (2008), Scandinavian Journal of Statistics 35,
    335-353 (squared steps). Joreskog (1967), Psychometrika 32, 443-482 (the likelihood).
    """
    stack = matrix[None] if matrix.ndim == 2 else matrix
    loading = principal(stack)[1][:, :, 0]
    state = np.stack([loading, np.maximum(1 - loading**2, FLOOR)], axis=1)
    active = np.arange(len(stack))
    for _ in range(MOST_STEPS):
        fresh, moved = _squared_step(stack[active], state[active])
        state[active] = fresh
        active = active[moved > tolerance]
        if not len(active):
            break
    facing = np.where(state[:, 0].sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    loading, uniqueness = state[:, 0] * facing, state[:, 1]
    return Factor(loading[0], uniqueness[0]) if matrix.ndim == 2 else Factor(loading, uniqueness)


def _squared_step(matrix: Floats, state: Floats) -> tuple[Floats, Floats]:
    """Return the state (loadings, uniquenesses) after two steps and a leap, and how far a last step moved it."""
    first = _em_step(matrix, state)
    second = _em_step(matrix, first)
    step, bend = first - state, second - 2 * first + state
    length = np.sqrt((step**2).sum(axis=(1, 2)) / np.maximum((bend**2).sum(axis=(1, 2)), 1e-300))
    reach = np.maximum(length, 1.0)[:, None, None]
    leap = state + 2 * reach * step + reach**2 * bend
    leap[:, 1] = np.clip(leap[:, 1], FLOOR, 1)
    better = _misfit(matrix, leap) <= _misfit(matrix, second)
    near = np.where(better[:, None, None], leap, second)
    fresh = _em_step(matrix, near)
    return fresh, np.abs(fresh - near).max(axis=(1, 2))


def _em_step(matrix: Floats, state: Floats) -> Floats:
    """Return the state after one step; `weight` gives the factor's mean from the items, `size` its mean square."""
    loading, uniqueness = state[:, 0], state[:, 1]
    precise = loading / uniqueness
    left = 1 / (1 + (precise * loading).sum(axis=1, keepdims=True))
    weight = precise * left
    shared = (matrix @ weight[:, :, None])[:, :, 0]
    fresh = shared / (left + (weight * shared).sum(axis=1, keepdims=True))
    spread = np.diagonal(matrix, axis1=1, axis2=2) - fresh * shared
    return np.stack([fresh, np.maximum(spread, FLOOR)], axis=1)


def _misfit(matrix: Floats, state: Floats) -> Floats:
    """Return ``log |implied| + tr(matrix implied^-1)`` of each matrix, by the inverse of a diagonal and one vector."""
    loading, uniqueness = state[:, 0], state[:, 1]
    precise = loading / uniqueness
    size = 1 + (precise * loading).sum(axis=1)
    shared = (precise * (matrix @ precise[:, :, None])[:, :, 0]).sum(axis=1)
    trace = (np.diagonal(matrix, axis1=1, axis2=2) / uniqueness).sum(axis=1) - shared / size
    return np.asarray(np.log(uniqueness).sum(axis=1) + np.log(size) + trace)


def factor(items: Items, *, level: float = LEVEL, n_draws: int = DRAWS, seed: int = SEED) -> list[Estimate]:
    """Fit one common factor to the items' correlations and say how well it fits.

    Chi-square is (n - 1) times the discrepancy of the likelihood, with k (k - 1) / 2 - k degrees of freedom: with
    three items there are none, so the fit cannot be tested. A uniqueness at its floor is a Heywood case: no proper
    one-factor model fits, and the loadings are those of the best improper one.

    References
    ----------
    Lawley & Maxwell (1971), Factor Analysis as a Statistical Method. McDonald (1999), Test Theory (omega). Steiger
    (1990), Multivariate Behavioral Research 25, 173-180 (RMSEA). Hu & Bentler (1999), Structural Equation Modeling 6,
    1-55 (fit indices).
    """
    matrix, maker = correlation(covariance(items.values)), Maker(items.kind, len(items), level)
    fit = one_factor(matrix)
    again = one_factor(correlation(resample(items, n_draws, seed).cov), tolerance=COARSE)
    at_floor = again.uniqueness <= FLOOR * (1 + 1e-9)
    found = []
    for j, term in enumerate(items.term):
        found.append(maker.drawn("loading", fit.loading[j], again.loading[:, j], term))
        found.append(maker.drawn("uniqueness", fit.uniqueness[j], again.uniqueness[:, j], term))
    found.append(maker.drawn("omega", float(fit.omega), again.omega))
    shares = (again.loading**2).mean(axis=1)
    found.append(maker.drawn("share", float((fit.loading**2).mean()), shares))
    improper = [term for term, u in zip(items.term, fit.uniqueness, strict=True) if u <= FLOOR * (1 + 1e-9)]
    method = f"uniqueness at its floor: {', '.join(improper)}" if improper else "no uniqueness at its floor"
    found.append(maker.bounded("heywood", len(improper), method=method))
    found.append(maker.bounded("heywood_share", float(at_floor.any(axis=1).mean()), method="of resampled units"))
    found += _fit_statistics(maker, matrix, fit)
    return found + _residual_pairs(maker, items, matrix - fit.implied) + [_score_with_total(maker, items, fit)]


def _fit_statistics(maker: Maker, matrix: Floats, fit: Factor) -> list[Estimate]:
    from scipy.stats import chi2

    n, k = maker.n, len(matrix)
    freedom, freedom_0 = k * (k - 1) // 2 - k, k * (k - 1) // 2
    statistic = max(0.0, (n - 1) * discrepancy(matrix, fit.implied))
    statistic_0 = -(n - 1) * float(np.linalg.slogdet(matrix)[1])
    residual = (matrix - fit.implied)[np.triu_indices(k, 1)]
    found = [
        maker.bounded("chi2", statistic, method="(n - 1) x discrepancy"),
        maker.bounded("degrees_of_freedom", max(freedom, 0), method="cannot be tested" if freedom < 1 else ""),
        maker.bounded("srmr", float(np.sqrt((residual**2).sum() / (k * (k + 1) / 2)))),
    ]
    if freedom < 1:
        return found
    excess, excess_0 = max(statistic - freedom, 0), max(statistic_0 - freedom_0, statistic - freedom, 1e-12)
    ratio, ratio_0 = statistic / freedom, statistic_0 / freedom_0
    low, high = (np.sqrt(bound / freedom / (n - 1)) for bound in noncentrality(statistic, freedom, 0.9))
    rmsea = float(np.sqrt(excess / freedom / (n - 1)))
    return [
        *found,
        maker.bounded("chi2_p", float(chi2.sf(statistic, freedom))),
        maker.bounded("rmsea", rmsea, np.nan, low, high, "90% interval, noncentral chi-square"),
        maker.bounded("cfi", 1 - excess / excess_0),
        maker.bounded("tli", (ratio_0 - ratio) / (ratio_0 - 1)),
    ]


def discrepancy(matrix: Floats, implied: Floats) -> float:
    """Return ``log |implied| - log |matrix| + tr(matrix implied^-1) - k``, 0 where they are equal."""
    logs = np.linalg.slogdet(implied)[1] - np.linalg.slogdet(matrix)[1]
    return float(logs + np.trace(np.linalg.solve(implied, matrix)) - len(matrix))


def noncentrality(statistic: float, freedom: int, level: float) -> tuple[float, float]:
    """Return the interval of a chi-square's noncentrality, 0 where even the central one is not that small."""
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    bounds = []
    for tail in ((1 + level) / 2, (1 - level) / 2):
        if chi2.cdf(statistic, freedom) <= tail:
            bounds.append(0.0)
        else:
            top = 4 * statistic + 100
            bounds.append(float(brentq(lambda x, tail=tail: ncx2.cdf(statistic, freedom, x) - tail, 1e-9, top)))
    return bounds[0], bounds[1]


def _residual_pairs(maker: Maker, items: Items, residual: Floats) -> list[Estimate]:
    """Return the correlation of each pair that the factor leaves over, largest first."""
    pairs = sorted(zip(*np.triu_indices(len(residual), 1), strict=True), key=lambda pair: -abs(residual[pair]))
    return [
        maker.bounded("residual_correlation", residual[i, j], term=items.term[i], other=items.term[j]) for i, j in pairs
    ]


def _score_with_total(maker: Maker, items: Items, fit: Factor) -> Estimate:
    """Return the correlation of the regression scores of the factor with the published total."""
    scores = standardised(items.values) @ np.linalg.solve(fit.implied, fit.loading)
    return maker.fisher("pearson", float(np.corrcoef(scores, items.total)[0, 1]), "factor", "published total")
