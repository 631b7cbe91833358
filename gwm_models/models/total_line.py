"""The plain line of one outcome on the index total, with its band and the areas that stand out, for a scatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.index.correlation import fisher_interval
from gwm_models.index.structure_conditions import external_residuals
from gwm_models.models.cross_section import cross_section
from gwm_models.models.fit import LEVEL
from gwm_models.models.linear.core import least_squares
from gwm_models.models.outcomes import Outcome

Floats = NDArray[np.float64]

UNIT = 100.0
"""Slopes are for so many points of the total."""


@dataclass(frozen=True, eq=False)
class TotalLine(Frozen):
    """A least-squares line of an outcome on the total, every unit counting the same.

    Attributes
    ----------
    label, unit, period : str
        Of the outcome.
    code, name : tuple of str, length n
    total, value : ndarray, shape (n,)
        Score points and the outcome.
    error : ndarray, shape (n,)
        Standard errors of the outcome from published limits, NaN where there are none.
    coef : ndarray, shape (2,)
        Level at a total of 0, and slope for 100 points.
    cov : ndarray, shape (2, 2)
        HC3 covariance.
    freedom : float
    slope_lower, slope_upper : float
    r, r_lower, r_upper : float
        Pearson's correlation with Fisher's interval.
    studentised : ndarray, shape (n,)
        Residual over its standard error in the fit without the unit.
    excluded : tuple of str
        Units left out, each with the reason.
    level : float
    """

    label: str
    unit: str
    period: str
    code: tuple[str, ...]
    name: tuple[str, ...]
    total: Floats
    value: Floats
    error: Floats
    coef: Floats
    cov: Floats
    freedom: float
    slope_lower: float
    slope_upper: float
    r: float
    r_lower: float
    r_upper: float
    studentised: Floats
    excluded: tuple[str, ...]
    level: float

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.code)

    @property
    def slope(self) -> float:
        """The outcome in areas 100 points higher, less that in the others."""
        return float(self.coef[1])

    def at(self, total: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return the height of the line at some totals, and the interval of that height at each alone."""
        from scipy.stats import t

        x = np.asarray(total, dtype=float)
        design = np.column_stack([np.ones(x.size), x.ravel() / UNIT])
        height = design @ self.coef
        reach = t.ppf((1 + self.level) / 2, self.freedom) * np.sqrt(np.einsum("ij,jk,ik->i", design, self.cov, design))
        return height, height - reach, height + reach


def line_on_total(edition: Edition, outcome: Outcome, *, level: float = LEVEL) -> TotalLine:
    """Fit an outcome on the index total by least squares with HC3 standard errors.

    Units that stand for several areas of the index are left out, as the report did with its Covid figures: it is the
    specification ``no-shared`` of `gwm_models.models.catalogue.fit_outcome`.

    Parameters
    ----------
    edition : Edition
    outcome : Outcome
        Of kind "level".
    level : float

    Raises
    ------
    ModelError
        If fewer than ten units have both figures.

    References
    ----------
    MacKinnon & White (1985), Journal of Econometrics 29, 305-325 (HC3). Fisher (1921), Metron 1, 3-32.

    Examples
    --------
    >>> from gwm_models.data.edition import load_edition
    >>> from gwm_models.models.outcomes import find_outcome
    >>> line = line_on_total(load_edition(), find_outcome("healthy_life_expectancy_male"))
    >>> len(line), round(line.slope, 2), round(line.r, 2)
    (116, 3.16, 0.82)
    """
    c = cross_section(edition, outcome)
    kept, excluded = c.keep(
        (c.value, "no published figure"), (c.total, "no score"), (~c.shared, "several areas of the index in one unit")
    )
    places = np.flatnonzero(kept)
    return straight_line(
        c.total[kept],
        c.value[kept],
        code=[c.code[i] for i in places],
        name=[c.name[i] for i in places],
        label=outcome.label,
        unit=outcome.level_unit,
        period=outcome.period,
        error=c.error[kept],
        excluded=excluded,
        level=level,
    )


def straight_line(
    total: Floats,
    value: Floats,
    *,
    code: Sequence[str],
    name: Sequence[str],
    label: str,
    unit: str,
    period: str,
    error: Floats | None = None,
    excluded: Sequence[str] = (),
    level: float = LEVEL,
) -> TotalLine:
    """Fit any figure of units on their totals; see `line_on_total`.

    Parameters
    ----------
    total, value : ndarray, shape (n,)
        Finite.
    code, name : sequence of str, length n
    label, unit, period : str
        Of the figure.
    error : ndarray, shape (n,), optional
        Its standard errors; none by default.
    excluded : sequence of str
        Units left out, each with the reason.
    level : float
    """
    from scipy.stats import t

    fit = least_squares(value, np.column_stack([np.ones(len(total)), total / UNIT]), names=("constant", "total"))
    reach = float(t.ppf((1 + level) / 2, fit.freedom)) * float(fit.std_error[1])
    r = float(np.corrcoef(total, value)[0, 1])
    low, high = fisher_interval(r, len(total), level)
    return TotalLine(
        label=label,
        unit=unit,
        period=period,
        code=tuple(code),
        name=tuple(name),
        total=np.array(total),
        value=np.array(value),
        error=np.full(len(total), np.nan) if error is None else np.array(error),
        coef=np.array(fit.params),
        cov=np.array(fit.cov),
        freedom=float(fit.freedom),
        slope_lower=float(fit.params[1]) - reach,
        slope_upper=float(fit.params[1]) + reach,
        r=r,
        r_lower=float(low),
        r_upper=float(high),
        studentised=external_residuals(fit.residuals, fit.leverage, 2),
        excluded=tuple(excluded),
        level=level,
    )
