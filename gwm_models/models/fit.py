"""One shape for every fitted model: coefficients, their covariance or draws, the sample, and what it all means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.errors import DataError
from gwm_models.files import plain
from gwm_models.models.outcomes import Subject

Floats = NDArray[np.float64]

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Fit(Frozen):
    """One model of one outcome, whatever the method.

    Attributes
    ----------
    outcome, label : str
        Id and name of the outcome.
    spec, title : str
        Id of the specification, as ``gwm fit --spec`` takes it, and what it is in words.
    method, citation : str
        Estimator and standard errors; where they are described.
    period, source : str
        Of the figures.
    term, unit : tuple of str, length k
        Coefficients and the unit of each, such as ``years per 100 points``.
    estimate : ndarray, shape (k,)
        Estimates; posterior means where there are draws.
    cov : ndarray, shape (k, k)
        Their covariance, or that of the draws.
    lower, upper : ndarray, shape (k,)
        Bounds of the interval at `level`: equal-tailed quantiles where there are draws.
    sample : tuple of str, length n_units
        Codes of the units in the fit, each once.
    n : int
        Observations: units, or units by years.
    excluded : tuple of str
        Units left out, each with the reason.
    focus : str
        The term that the model is about; "" for none.
    found, not_shown : str
        Two plain sentences: what was found, what it does not show.
    p_value : ndarray, shape (k,), optional
        Two-sided, of no association; absent in a Bayesian fit.
    draws : ndarray, shape (n_draws, k), optional
        Joint posterior draws of the coefficients.
    influence : ndarray, shape (n_units,), optional
        What each unit adds to the error of the focus: the sum of squares is its robust variance, before small-sample
        factors. Fits of overlapping samples are set against each other through it.
    diagnostics : mapping of str to number or str
        Checks of the fit: residual Moran's I, efficiency of an importance sample, R-hat, reliability.
    assumptions : tuple of str
        What the numbers stand on, in words for a reader of policy.
    tables : mapping of str to list of rows
        Further results, such as the areas that stand out.
    seed : int, optional
        Of the draws.
    level : float
    """

    outcome: str
    label: str
    spec: str
    title: str
    method: str
    citation: str
    period: str
    source: str
    term: tuple[str, ...]
    unit: tuple[str, ...]
    estimate: Floats
    cov: Floats
    lower: Floats
    upper: Floats
    sample: tuple[str, ...]
    n: int
    excluded: tuple[str, ...]
    focus: str
    found: str
    not_shown: str
    p_value: Floats | None = None
    draws: Floats | None = None
    influence: Floats | None = None
    diagnostics: Mapping[str, float | str] = field(default_factory=lambda: MappingProxyType({}))
    assumptions: tuple[str, ...] = ()
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=lambda: MappingProxyType({}))
    seed: int | None = None
    level: float = LEVEL

    @property
    def std_error(self) -> Floats:
        """Standard errors, or posterior standard deviations, of the coefficients."""
        return np.asarray(np.sqrt(np.diag(self.cov)))

    def place(self, term: str | None = None) -> int:
        """Return the place of a term, the focus by default."""
        name = self.focus if term is None else term
        if name not in self.term:
            raise DataError(f"This fit has no term '{name}'. It has: {', '.join(self.term)}.")
        return self.term.index(name)

    def rows(self) -> list[dict[str, object]]:
        """Return one row for each coefficient, in the toolkit's column names."""
        shared = {
            "level": self.level,
            "n": self.n,
            "n_units": len(self.sample),
            "period": self.period,
            "method": self.method,
        }
        return [
            {
                "outcome": self.outcome,
                "spec": self.spec,
                "term": term,
                "estimate": float(self.estimate[j]),
                "std_error": float(self.std_error[j]),
                "lower": float(self.lower[j]),
                "upper": float(self.upper[j]),
                "p_value": None if self.p_value is None else float(self.p_value[j]),
                "unit": self.unit[j],
                **shared,
            }
            for j, term in enumerate(self.term)
        ]

    def focus_row(self) -> dict[str, object]:
        """Return the row of the coefficient the model is about."""
        return self.rows()[self.place()]

    def to_json(self) -> dict[str, object]:
        """Return everything but draws and influence as plain data for JSON: NaN and infinity are None."""
        content: dict[str, object] = {
            "outcome": self.outcome,
            "label": self.label,
            "spec": self.spec,
            "title": self.title,
            "method": self.method,
            "citation": self.citation,
            "period": self.period,
            "source": self.source,
            "focus": self.focus,
            "coefficients": self.rows(),
            "covariance": self.cov.tolist(),
            "n": self.n,
            "sample": list(self.sample),
            "excluded": list(self.excluded),
            "diagnostics": dict(self.diagnostics),
            "assumptions": list(self.assumptions),
            "tables": {name: [dict(row) for row in rows] for name, rows in self.tables.items()},
            "found": self.found,
            "not_shown": self.not_shown,
            "seed": self.seed,
            "n_draws": None if self.draws is None else len(self.draws),
            "level": self.level,
        }
        return {name: plain(value) for name, value in content.items()}


@dataclass(frozen=True, slots=True)
class Spec:
    """One way to fit an outcome, or several together.

    Attributes
    ----------
    id, title : str
        What ``--spec`` takes, and what it is in words.
    applies : callable
        Whether an outcome or topic can be fitted this way.
    make : callable
        Fits it: ``make(edition, subject, n_draws=..., seed=...)``. A classical fit looks at neither number.
    module : str
        Where the code is, below ``gwm_models``: a stored fit is reused while this code and all it imports are the same.
    bayes : bool
        Whether it gives posterior draws.
    stored : bool
        Whether it is slow enough to be kept.
    family : {"cross-section", "panel", "topic"}
    """

    id: str
    title: str
    applies: Callable[[Subject], bool]
    make: Callable[..., Fit]
    module: str
    bayes: bool = False
    stored: bool = False
    family: str = "cross-section"


def wald(estimate: Floats, cov: Floats, freedom: float = np.inf, level: float = LEVEL) -> dict[str, Floats]:
    """Return Wald bounds and two-sided p values, ready to be passed to `Fit`.

    Parameters
    ----------
    estimate : ndarray, shape (k,)
    cov : ndarray, shape (k, k)
    freedom : float
        Degrees of freedom of Student's t; infinite for the normal distribution.
    level : float

    Returns
    -------
    dict of ndarray
        ``lower``, ``upper``, ``p_value``.
    """
    from scipy.stats import t

    error = np.sqrt(np.diag(cov))
    reach = float(t.ppf((1 + level) / 2, freedom)) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = np.asarray(2 * t.sf(np.abs(estimate / error), freedom))
    return {"lower": estimate - reach, "upper": estimate + reach, "p_value": p_value}


def of_draws(draws: Floats, level: float = LEVEL) -> dict[str, Floats]:
    """Return mean, covariance and equal-tailed bounds of posterior draws, ready to be passed to `Fit`.

    Parameters
    ----------
    draws : ndarray, shape (n_draws, k)
    level : float

    Returns
    -------
    dict of ndarray
        ``estimate``, ``cov``, ``lower``, ``upper``, ``draws``.
    """
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    cov = np.atleast_2d(np.cov(draws, rowvar=False))
    return {"estimate": draws.mean(axis=0), "cov": cov, "lower": low, "upper": high, "draws": draws}
