"""Conditions for good work against good work: the line, and who does better or worse than it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.data.tables import read_table
from gwm_models.draws import keyed_rng
from gwm_models.errors import DataError, some
from gwm_models.index.sampling import sampling_error
from gwm_models.index.structure import Floats, midranks, shared_areas
from gwm_models.index.structure_estimates import DRAWS, LEVEL, SEED, Estimate, Maker

DOMAINS = ("prosperity", "demand", "education", "inequality")
SPREADS = 400
WIDEST = 5.0
"""The spread about the line is searched up to this many residual standard deviations."""


@dataclass(frozen=True, eq=False)
class ConditionsFit(Frozen):
    """The Monitor total against the printed conditions total, over areas as published.

    Attributes
    ----------
    line : tuple of Estimate
        Correlations, the line and what it is sensitive to.
    area_code, area_name : tuple of str, length n_areas
    conditions, monitor : ndarray, shape (n_areas,)
        Printed totals: conditions of 1200, Monitor 6-600.
    fitted, fitted_lower, fitted_upper : ndarray
        The least-squares line and the interval of its height at each area.
    studentised, p_value, q_value : ndarray
        Residual over its own standard error with the area left out; two-sided p; Benjamini-Hochberg q.
    gap : GapPosterior
        How far the true total is from what the conditions suggest, given the sampling error of the total.
    level : float
    notes : tuple of str
    """

    line: tuple[Estimate, ...]
    area_code: tuple[str, ...]
    area_name: tuple[str, ...]
    conditions: Floats
    monitor: Floats
    fitted: Floats
    fitted_lower: Floats
    fitted_upper: Floats
    studentised: Floats
    p_value: Floats
    q_value: Floats
    gap: GapPosterior
    level: float
    notes: tuple[str, ...]

    def area_rows(self) -> list[dict[str, object]]:
        """Return one row an area, the one furthest above the line first."""
        columns = {
            "area_code": self.area_code,
            "area_name": self.area_name,
            "conditions_total": self.conditions.tolist(),
            "monitor_total": self.monitor.tolist(),
            "fitted": self.fitted.tolist(),
            "fitted_lower": self.fitted_lower.tolist(),
            "fitted_upper": self.fitted_upper.tolist(),
            "residual": (self.monitor - self.fitted).tolist(),
            "studentised": self.studentised.tolist(),
            "p_value": self.p_value.tolist(),
            "q_value": self.q_value.tolist(),
            "estimate": self.gap.estimate.tolist(),
            "std_error": self.gap.std_error.tolist(),
            "lower": self.gap.lower.tolist(),
            "upper": self.gap.upper.tolist(),
            "n": [len(self.area_code)] * len(self.area_code),
            "level": [self.level] * len(self.area_code),
            "prob_above": self.gap.prob_above.tolist(),
        }
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return [rows[i] for i in np.argsort(-self.studentised, kind="stable")]


@dataclass(frozen=True, eq=False)
class GapPosterior(Frozen):
    """Distance of each area's true value from a line, given the standard error of its measurement.

    Attributes
    ----------
    estimate, std_error, lower, upper : ndarray, shape (n,)
        Posterior mean, standard deviation and interval of the distance.
    prob_above : ndarray, shape (n,)
        Posterior probability that it is above 0.
    coef, coef_error : ndarray, shape (n_columns,)
        Posterior mean and standard deviation of the line.
    spread : float
        Posterior mean of the standard deviation of true values about the line.
    """

    estimate: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    prob_above: Floats
    coef: Floats
    coef_error: Floats
    spread: float


def conditions_fit(edition: Edition, *, level: float = LEVEL, n_draws: int = DRAWS, seed: int = SEED) -> ConditionsFit:
    """Set the Monitor total against the conditions total (Figure 7) and find who departs from the line.

    The line is ordinary least squares with HC3 standard errors. Residuals are studentised with the area left out.
    The probability of being above the line counts the known sampling error of the Monitor total: a large residual of
    an area with a small sample says less. The conditions total is taken as printed and as if it had no error.

    Raises
    ------
    DataError
        If an area of the edition has no conditions total.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29, 305-325 (HC3). Cook & Weisberg (1982), Residuals and
    Influence in Regression, section 2.2 (studentised residuals). Benjamini & Hochberg (1995), JRSS B 57, 289-300.
    """
    from scipy.stats import false_discovery_control, t

    areas, monitor = edition.areas, edition.total
    parts, conditions = _conditions(areas.code)
    n = len(monitor)
    design = np.column_stack([np.ones(n), conditions])
    coef, cov, residual, leverage = hc3_line(design, monitor)
    reach = t.ppf((1 + level) / 2, n - 2) * np.sqrt(np.einsum("ij,jk,ik->i", design, cov, design))
    studentised = external_residuals(residual, leverage, 2)
    p_value = 2 * t.sf(np.abs(studentised), n - 3)
    error = sampling_error(edition).total_std_error
    gap = gap_posterior(monitor, design, error, level=level)
    line = _line(edition, conditions, parts, gap, level=level, n_draws=n_draws, seed=seed)
    return ConditionsFit(
        line=line,
        area_code=areas.code,
        area_name=areas.name,
        conditions=conditions,
        monitor=np.array(monitor),
        fitted=design @ coef,
        fitted_lower=design @ coef - reach,
        fitted_upper=design @ coef + reach,
        studentised=studentised,
        p_value=np.asarray(p_value),
        q_value=np.asarray(false_discovery_control(p_value)),
        gap=gap,
        level=level,
        notes=_notes(conditions, parts, shared_areas(areas)),
    )


def hc3_line(design: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return coefficients, HC3 covariance, residuals and leverage of a least-squares fit.

    Examples
    --------
    >>> coef, _, residual, _ = hc3_line(np.array([[1.0, 0], [1, 1], [1, 2]]), np.array([1.0, 3, 5]))
    >>> coef.round(6).tolist(), bool(abs(residual).max() < 1e-12)
    ([1.0, 2.0], True)
    """
    bread = np.linalg.inv(design.T @ design)
    coef = np.asarray(np.linalg.solve(design.T @ design, design.T @ outcome), dtype=float)
    residual = outcome - design @ coef
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    scores = design * (residual / (1 - leverage))[:, None]
    return coef, np.asarray(bread @ (scores.T @ scores) @ bread), residual, np.asarray(leverage)


def external_residuals(residual: Floats, leverage: Floats, n_coef: int) -> Floats:
    """Return residuals over their standard error in the fit that leaves each one out."""
    left = (residual @ residual - residual**2 / (1 - leverage)) / (len(residual) - n_coef - 1)
    return np.asarray(residual / np.sqrt(left * (1 - leverage)))


def gap_posterior(outcome: Floats, design: Floats, std_error: ArrayLike, *, level: float = LEVEL) -> GapPosterior:
    """Find how far true values lie from a line when the outcome is measured with known error.

    True values are normal about the line; the measured outcome is normal about the true value. The line and the
    spread about it have flat priors. Given the spread everything is normal, so the posterior is a mixture over a grid
    of spreads: no simulation.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
    design : ndarray, shape (n, n_columns)
    std_error : array_like, broadcast to (n,)
        Of each outcome.

    References
    ----------
    Fay & Herriot (1979), JASA 74, 269-277. Rao & Molina (2015), Small Area Estimation, section 10.3.
    """
    variance = np.broadcast_to(np.asarray(std_error, dtype=float) ** 2, outcome.shape)
    rough = hc3_line(design, outcome)[2].std()
    spread = np.linspace(0, WIDEST * rough, SPREADS + 1)[1:] - WIDEST * rough / SPREADS / 2
    total = spread[:, None] ** 2 + variance
    information = np.einsum("ij,si,ik->sjk", design, 1 / total, design)
    cov = np.linalg.inv(information)
    coef = np.einsum("sjk,ik,si,i->sj", cov, design, 1 / total, outcome)
    residual = outcome - coef @ design.T
    log_density = -0.5 * (
        np.log(total).sum(axis=1) + np.linalg.slogdet(information)[1] + (residual**2 / total).sum(axis=1)
    )
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    kept = spread[:, None] ** 2 / total
    mean = kept * residual
    sd = np.sqrt(kept * variance + kept**2 * np.einsum("ij,sjk,ik->si", design, cov, design))
    centre, middle = weight @ mean, weight @ coef
    quantile = partial(_mixture_quantile, weight, mean, sd)
    return GapPosterior(
        estimate=centre,
        std_error=np.sqrt(weight @ (sd**2 + mean**2) - centre**2),
        lower=quantile((1 - level) / 2),
        upper=quantile((1 + level) / 2),
        prob_above=_mixture_above(weight, mean, sd, np.zeros(len(outcome))),
        coef=middle,
        coef_error=np.sqrt(weight @ (np.diagonal(cov, axis1=1, axis2=2) + coef**2) - middle**2),
        spread=float(weight @ spread),
    )


def _mixture_above(weight: Floats, mean: Floats, sd: Floats, at: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(weight @ ndtr((mean - at) / sd))


def _mixture_quantile(weight: Floats, mean: Floats, sd: Floats, prob: float) -> Floats:
    """Return a quantile of each column's mixture of normals, by halving."""
    low, high = (mean - 9 * sd).min(axis=0), (mean + 9 * sd).max(axis=0)
    for _ in range(60):
        middle = (low + high) / 2
        below = 1 - _mixture_above(weight, mean, sd, middle) < prob
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def _conditions(code: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Return the printed domain scores and totals of the conditions index, in the order of the areas."""
    table = read_table("conditions_scores")
    row = {str(area): i for i, area in enumerate(table["area_code"])}
    missing = [area for area in code if area not in row]
    if missing:
        raise DataError(f"conditions_scores has no row for {len(missing)} areas ({some(missing)}).")
    place = [row[area] for area in code]
    return np.column_stack([table[domain][place] for domain in DOMAINS]), table["total"][place].astype(float)


def _line(
    edition: Edition, conditions: Floats, parts: Floats, gap: GapPosterior, *, level: float, n_draws: int, seed: int
) -> tuple[Estimate, ...]:
    from scipy.stats import norm, t

    monitor, n = edition.total, len(edition.total)
    coef, cov, residual, _ = hc3_line(np.column_stack([np.ones(n), conditions]), monitor)
    pair = ("conditions_total", "monitor_total")
    make = Maker("conditions", n, level)
    counts = keyed_rng(seed, "conditions").multinomial(n, np.full(n, 1 / n), size=n_draws)
    r, drawn = float(np.corrcoef(conditions, monitor)[0, 1]), _weighted_r(conditions, monitor, counts)
    error = sampling_error(edition).total_std_error ** 2
    clean = np.sqrt(1 - error.mean() / monitor.var(ddof=1))
    drawn_clean = np.sqrt(1 - (counts @ error / n) / _weighted_variance(monitor, counts))
    ranks = midranks(np.column_stack([conditions, monitor]))
    _, weights = edition.areas.units()
    merged = float(np.corrcoef(weights @ conditions, weights @ monitor)[0, 1])
    residual_sd = float(residual @ residual / (n - 2)) ** 0.5
    made = [
        make.fisher("pearson", r, *pair),
        make.correlated("pearson", r, drawn, *pair),
        make.fisher("spearman", float(np.corrcoef(ranks[:, 0], ranks[:, 1])[0, 1]), *pair),
        make.correlated("pearson_true", r / clean, np.minimum(drawn / drawn_clean, 1), *pair),
        replace(make, n=len(weights)).fisher("pearson_units_merged", merged, *pair),
    ]
    for name, part in (("sum of domains", parts.sum(axis=1)), *zip(DOMAINS, parts.T, strict=True)):
        made.append(make.fisher("pearson", float(np.corrcoef(part, monitor)[0, 1]), name, pair[1]))
    by_error = "areas weighted by their sampling error"
    for i, name in enumerate(("intercept", "slope")):
        quantile = float(t.ppf((1 + level) / 2, n - 2))
        made.append(make.wald(name, coef[i], cov[i, i] ** 0.5, quantile, "HC3", *pair))
    for i, name in enumerate(("intercept_weighted", "slope_weighted")):
        quantile = float(norm.ppf((1 + level) / 2))
        made.append(make.wald(name, gap.coef[i], gap.coef_error[i], quantile, by_error, *pair))
    about, clear = "points about the line", "points about the line, sampling error taken out"
    return (
        *made,
        make.bounded("r_squared", r**2, term=pair[0], other=pair[1]),
        make.bounded("residual_sd", residual_sd, method=about, term=pair[1]),
        make.bounded("true_sd", gap.spread, method=clear, term=pair[1]),
    )


def _weighted_r(x: Floats, y: Floats, counts: NDArray[np.int64]) -> Floats:
    """Return the correlation of each resample, given how often it holds each area."""
    spread_of = [_weighted_variance(values, counts) for values in (x + y, x, y)]
    return np.asarray((spread_of[0] - spread_of[1] - spread_of[2]) / 2 / np.sqrt(spread_of[1] * spread_of[2]))


def _weighted_variance(x: Floats, counts: NDArray[np.int64]) -> Floats:
    """Return the variance of each resample, divisor n - 1."""
    n, centred = len(x), x - x.mean()
    return np.asarray((counts @ centred**2 - (counts @ centred) ** 2 / n) / (n - 1))


def _notes(conditions: Floats, parts: Floats, shared: Sequence[str]) -> tuple[str, ...]:
    gap = conditions - parts.sum(axis=1)
    agree = int((np.abs(gap) <= 0.2 + 1e-9).sum())
    notes = [
        f"The conditions total is as printed: it is not the sum of its four domains (agreement within 0.2 in {agree} "
        f"of {len(gap)} areas; total minus sum {gap.mean():+.2f} on average, {gap.min():+.1f} to {gap.max():+.1f}).",
        "The sampling error of the conditions total is not known; it flattens the line and widens the residuals.",
        "A residual is a difference from the line, not an effect of anything an area did.",
    ]
    if shared:
        notes.append(f"Areas are taken as published; {' and '.join(shared)} share survey rates: not independent.")
    return tuple(notes)
