"""What an unmeasured confounder would have to be to explain a fit away: rows for a fit, and against covariates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.models.association.confounding import (
    ALPHA,
    Adjusted,
    adjusted,
    benchmark_strength,
    e_value,
    e_value_of_interval,
    extreme_scenario,
    partial_r2,
    ratio_of_difference,
    robustness_value,
    strength_columns,
)
from gwm_models.models.association.specs import level_values
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.fit import Fit
from gwm_models.models.linear.core import least_squares
from gwm_models.models.linear.meta import meta_weights
from gwm_models.models.linear.words import decimals
from gwm_models.models.outcomes import Outcome

Floats = NDArray[np.float64]
Row = dict[str, Any]

SHARES = (1.0, 0.75, 0.5)
"""Shares of the outcome's unexplained variance that a confounder explains in the extreme scenarios."""
LOG_RATE = "log rate"
"""Start of the unit of a coefficient whose exponential is a rate ratio."""
TIMES = (0.25, 0.5, 1.0, 2.0, 3.0)
BENCHMARKS = {
    "deprivation": "Deprivation counts employment and income, so it is partly the exposure itself: a hard yardstick.",
    "degrees": "The share with a degree goes with the jobs that the index scores, so it is partly the exposure itself.",
}
"""Covariates a confounder is measured against, and what a reader has to know of each."""
NOTHING_LEFT = "No bound: a confounder so strong would explain all of the total that the covariates leave."
CEILING = "Worst case, without an interval: the confounder would explain all of the outcome."


def sensitivity_rows(fit: Fit) -> list[Row]:
    """Return what an unmeasured confounder would have to be, for the coefficient that a fit is about.

    A table of correlations gives rows for each of them. Shares of variance and robustness values come from
    ``classical_t`` among the fit's diagnostics, for which they are defined; a fit without one (not of least squares)
    gives counterparts from its own t. E-values come from the fit's own interval.

    Parameters
    ----------
    fit : Fit
        With ``degrees_of_freedom`` among its diagnostics, unless its focus is a log rate. With ``outcome_sd`` (standard
        deviation of the outcome) there is an approximate E-value too.

    Returns
    -------
    list of dict
        Columns: outcome, spec, term, measure, value, meaning, method.

    Raises
    ------
    ModelError
        If the fit has no degrees of freedom (draws of a posterior), or no coefficient that it is about.
    """
    if not fit.focus:
        return _table_rows(fit)
    j = fit.place()
    shared = {"outcome": fit.outcome, "spec": fit.spec, "term": fit.focus}
    if fit.unit[j].startswith(LOG_RATE):
        ratio, lower, upper = (float(np.exp(bound[j])) for bound in (fit.estimate, fit.lower, fit.upper))
        measures = _ratio_measures(ratio, lower, upper)
    else:
        measures = _share_measures(_t_of(fit, j), _freedom_of(fit))
        if "outcome_sd" in fit.diagnostics:
            measures += _difference_measures(fit, j)
    return [{**shared, **measure, "method": fit.method} for measure in measures]


def benchmark_rows(edition: Edition, outcome: Outcome, *, times: ArrayLike = TIMES) -> list[Row]:
    """Return what a confounder so many times as strong as deprivation, or as degrees, would leave of the slope.

    The outcome (a count as a rate) is fitted on the total, deprivation and degrees together, weighted by published
    precision and the spread between units where its standard errors are published, with classical standard errors, for
    which the bounds are defined. The confounder is one beyond both covariates.

    Parameters
    ----------
    edition : Edition
    outcome : Outcome
    times : array_like of float
        How many times as strong.

    Returns
    -------
    list of dict
        The slope at the same deprivation and degrees (times 0), then a row for each covariate and multiple; only the
        first where that slope has another sign than the one without covariates, or an interval that holds 0, as there
        is nothing left to explain away. Columns: outcome, benchmark, times,
        r2_exposure, r2_outcome, estimate, std_error, lower, upper, t, times_to_zero (the multiple at which nothing is
        left), unit, n, note. A value is NaN where there is no bound.

    Raises
    ------
    ModelError
        If too few units have every figure.

    References
    ----------
    Cinelli & Hazlett (2020), JRSS B 82, 39-67.
    """
    fit = _Benchmark.of(cross_section(edition, outcome))
    shared = {"unit": f"{outcome.level_unit} per 100 points", "n": fit.n}
    return [{"outcome": outcome.id, **row, **shared} for row in fit.rows(np.asarray(times, dtype=float))]


def _table_rows(fit: Fit) -> list[Row]:
    rows = [row for table in fit.tables.values() for row in table if "robustness_value" in row]
    if not rows:
        raise ModelError(f"{fit.outcome}, {fit.spec}: this fit is about no single coefficient. Choose another --spec.")
    return [
        {"outcome": fit.outcome, "spec": fit.spec, "term": row["term"], **measure, "method": fit.method}
        for row in rows
        for measure in _share_measures(row["t_statistic"], row["n"] - 2)
    ]


def _freedom_of(fit: Fit) -> float:
    found = fit.diagnostics.get("degrees_of_freedom")
    if found is None:
        raise ModelError(
            f"{fit.outcome}, {fit.spec}: robustness values need residual degrees of freedom, which this fit has not. "
            "Choose a cross-section --spec by least squares."
        )
    return float(found)


def _t_of(fit: Fit, j: int) -> float:
    return float(fit.diagnostics.get("classical_t", fit.estimate[j] / fit.std_error[j]))


def _share_measures(t: float, freedom: float) -> list[Row]:
    values = strength_columns(t, freedom)
    return [
        _measure(
            "partial_r2", values["partial_r2"], "share of the outcome's remaining variance that goes with the term"
        ),
        _measure(
            "robustness_value",
            values["robustness_value"],
            "a confounder that explains this share of what is left of both term and outcome takes all of the estimate",
        ),
        _measure(
            "robustness_value_half",
            float(robustness_value(t, freedom, q=0.5)),
            "the same, for half of the estimate",
        ),
        _measure(
            "robustness_value_5pc",
            values["robustness_value_5pc"],
            "the same, for an estimate that chance alone could give at the 5% level",
        ),
        *(
            _measure(
                f"extreme_scenario_{share:.0%}".rstrip("%"),
                float(extreme_scenario(t, freedom, share)),
                f"if it explained {share:.0%} of the outcome's remaining variance, this share of the term is enough",
            )
            for share in SHARES
        ),
    ]


def _ratio_measures(
    ratio: float,
    lower: float,
    upper: float,
    name: str = "rate_ratio",
    meaning: str = "the ratio of rates that goes with 100 points more",
) -> list[Row]:
    return [
        _measure(name, ratio, meaning),
        _measure(
            "e_value",
            float(e_value(ratio)),
            "a confounder that goes with both term and outcome by a ratio of this size could explain all of it",
        ),
        _measure("e_value_limit", e_value_of_interval(lower, upper), "the same, for the interval to reach 1"),
    ]


def _difference_measures(fit: Fit, j: int) -> list[Row]:
    sd = float(fit.diagnostics["outcome_sd"])
    centre, error = float(fit.estimate[j]) / sd, float(fit.std_error[j]) / sd
    ratio, lower, upper = (float(ratio_of_difference(centre + shift * 1.78 / 0.91 * error)) for shift in (0, -1, 1))
    meaning = "the risk ratio of being above the middle that goes with 100 points more"
    return [
        _measure(f"{row['measure']}_approximate", row["value"], f"approximately: {row['meaning']}")
        for row in _ratio_measures(ratio, lower, upper, "risk_ratio", meaning)
    ]


def _measure(name: str, value: float, meaning: str) -> Row:
    return {"measure": name, "value": value, "meaning": meaning}


@dataclass(frozen=True, eq=False)
class _Benchmark(Frozen):
    """A slope on the total given both covariates, and how strongly each covariate goes with total and outcome."""

    estimate: float
    std_error: float
    freedom: float
    n: int
    plain: float
    r2_exposure: Floats
    r2_outcome: Floats

    @classmethod
    def of(cls, c: CrossSection) -> _Benchmark:
        """Fit the outcome on total and covariates, and the total on the covariates."""
        y, precision = level_values(c), _precision(c)
        covariates = np.column_stack([getattr(c, name) for name in BENCHMARKS])
        kept, _ = c.keep(
            (y, "no published figure"), (precision, "no published limits"), (covariates, "no figure of a covariate")
        )
        y, total = y[kept], c.total[kept] / 100
        one = np.ones(len(y))
        rest = np.column_stack([one, covariates[kept]])
        design, alone = np.column_stack([rest, total]), np.column_stack([one, total])
        w, w_alone = (_weights(y, columns, precision[kept]) for columns in (design, alone))
        names = ("constant", *BENCHMARKS, "total")
        full = least_squares(y, design, w, "classical", names=names)
        exposed = least_squares(total, rest, w, "classical", names=names[:-1])
        return cls(
            estimate=float(full.params[-1]),
            std_error=float(full.std_error[-1]),
            freedom=full.freedom,
            n=len(y),
            plain=float(least_squares(y, alone, w_alone).params[-1]),
            r2_exposure=partial_r2((exposed.params / exposed.std_error)[1:], exposed.freedom),
            r2_outcome=partial_r2((full.params / full.std_error)[1:-1], full.freedom),
        )

    def rows(self, times: Floats) -> list[Row]:
        """Return the slope given the covariates, then what each confounder would leave of it, if anything is there."""
        t = self.estimate / self.std_error
        without = Adjusted(*map(np.asarray, (self.estimate, self.std_error, t)))
        found = [_bound_row("none", 0.0, (0.0, 0.0), without, self.freedom, np.nan, self._said())]
        if not self._is_clear():
            return found
        for j, (name, note) in enumerate(BENCHMARKS.items()):
            zero = self._times_to_zero(j)
            for k in times.tolist():
                strength, left = self._left(j, k)
                limit = NOTHING_LEFT if np.isnan(strength[0]) else CEILING if strength[1] == 1 else ""
                said = f"{limit} {note}".strip()
                found.append(_bound_row(name, k, strength, left, self.freedom - 1, zero, said))
        return found

    def _is_clear(self) -> bool:
        return self.estimate * self.plain > 0 and not self._holds_nought()

    def _holds_nought(self) -> bool:
        from scipy.stats import t

        return bool(abs(self.estimate) <= t.isf(ALPHA / 2, self.freedom) * self.std_error)

    def _said(self) -> str:
        places = decimals(self.std_error)
        words = (
            f"Slope at the same deprivation and degrees, {self.estimate:.{places}f}; "
            f"without them it is {self.plain:.{places}f}."
        )
        if self._is_clear():
            return words
        why = "its interval holds 0" if self._holds_nought() else "it has the other sign"
        return f"{words} As {why}, nothing is left for a confounder to explain away: no bounds are given."

    def _left(self, j: int, times: float) -> tuple[tuple[float, float], Adjusted]:
        strength = benchmark_strength(float(self.r2_exposure[j]), float(self.r2_outcome[j]), times)
        left = adjusted(self.estimate, self.std_error, self.freedom, *strength)
        return (float(strength[0]), float(strength[1])), left

    def _times_to_zero(self, j: int) -> float:
        """Return the multiple of a covariate's strength that takes all of the estimate; NaN if none does."""
        from scipy.optimize import brentq

        def left(k: float) -> float:
            return float(np.copysign(1.0, self.estimate) * self._left(j, k)[1].estimate)

        share = float(self.r2_exposure[j])
        most = (1 - share) / share * (1 - 1e-9)
        return float(brentq(left, 0.0, most)) if left(most) < 0 else np.nan


def _weights(y: Floats, design: Floats, precision: Floats) -> Floats:
    """Return weights as in the main linear fit; equal ones where no precision is published."""
    return meta_weights(y, design, precision) if np.ptp(precision) > 0 else precision


def _precision(c: CrossSection) -> Floats:
    """Return one over the squared standard error of the outcome; ones where none is published."""
    return 1 / c.error**2 if np.isfinite(c.error).any() else np.ones(len(c))


def _bound_row(
    name: str, times: float, strength: tuple[float, float], left: Adjusted, freedom: float, zero: float, note: str
) -> Row:
    from scipy.stats import t

    estimate = float(left.estimate)
    error = float(left.std_error) if left.std_error > 0 else np.nan
    reach = float(t.isf(ALPHA / 2, freedom)) * error
    return {
        "benchmark": name,
        "times": times,
        "r2_exposure": strength[0],
        "r2_outcome": strength[1],
        "estimate": estimate,
        "std_error": error,
        "lower": estimate - reach,
        "upper": estimate + reach,
        "t": estimate / error,
        "times_to_zero": zero,
        "note": note,
    }
