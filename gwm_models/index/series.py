"""Scores of the open editions by year, and who moved between two years beyond sampling error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.descriptor import nearest
from gwm_models.data.edition import Areas, Edition
from gwm_models.data.open_editions import BREAK_YEAR, NOTES, open_edition, open_spec
from gwm_models.data.scale import min_max_score
from gwm_models.data.vocabulary import OPEN_YEARS
from gwm_models.errors import DataError
from gwm_models.index.sampling import sampling_error

Floats = NDArray[np.float64]

TOTAL = "total"


@dataclass(frozen=True, eq=False)
class Series(Frozen):
    """Scores of the 117 units over the years, on frozen bounds.

    Attributes
    ----------
    by : str
        ``total``, a domain or an indicator.
    years : tuple of int
    areas : Areas
    estimate : ndarray, shape (n_years, n_areas)
        Score points; NaN where a figure is missing.
    std_error : ndarray, shape (n_years, n_areas)
        Sampling error of the score, in points.
    value : ndarray, shape (n_years, n_areas)
        The level where `by` is an indicator, in its unit; NaN otherwise.
    """

    by: str
    years: tuple[int, ...]
    areas: Areas
    estimate: Floats
    std_error: Floats
    value: Floats

    def __repr__(self) -> str:
        """Return one line: what, years, areas."""
        return f"Series({self.by}: {len(self.areas)} areas, {self.years[0]} to {self.years[-1]})"

    def rows(self, *, level: float = 0.95) -> list[dict[str, object]]:
        """Return one row an area and year, areas in order, with intervals of that confidence."""
        half = critical(level) * self.std_error
        known = np.isfinite(self.estimate).sum(axis=1)
        return [
            {
                "area_code": code,
                "area_name": self.areas.name[i],
                "region_name": self.areas.region[i],
                "year": year,
                "quantity": self.by,
                **({} if np.isnan(self.value).all() else {"value": float(self.value[t, i])}),
                "estimate": float(self.estimate[t, i]),
                "std_error": float(self.std_error[t, i]),
                "lower": float(self.estimate[t, i] - half[t, i]),
                "upper": float(self.estimate[t, i] + half[t, i]),
                "n": int(known[t]),
                "level": level,
            }
            for i, code in enumerate(self.areas.code)
            for t, year in enumerate(self.years)
        ]


@dataclass(frozen=True, eq=False)
class Movers(Frozen):
    """Changes of the areas between two years.

    Attributes
    ----------
    by : str
    first, last : int
        The years.
    areas : Areas
    estimate : ndarray, shape (n_areas,)
        Change of the score, in points; NaN where a figure is missing in either year.
    std_error, lower, upper : ndarray, shape (n_areas,)
        From the sampling errors of both years; each interval holds for its area alone.
    relative : ndarray, shape (n_areas,)
        The change less the mean change of the areas: what they have in common, such as a change of method, taken out.
    prob_rise : ndarray, shape (n_areas,)
        Probability that the true score rose, given a flat prior.
    q_value : ndarray, shape (n_areas,)
        Share of false finds to expect among changes at least as sure (Benjamini-Hochberg).
    verdict : tuple of str
        ``rose`` or ``fell`` where `q_value` is at most 1 - `level`; ``within sampling error``; ``no figure``.
    level : float
    """

    by: str
    first: int
    last: int
    areas: Areas
    estimate: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    relative: Floats
    prob_rise: Floats
    q_value: Floats
    verdict: tuple[str, ...]
    level: float

    @property
    def across_break(self) -> bool:
        """Whether the break of 2020 (survey method; furlough pay) lies between the two years."""
        return self.first < BREAK_YEAR <= self.last

    def __repr__(self) -> str:
        """Return one line: years, and how many rose and fell beyond sampling error."""
        rose, fell = self.verdict.count("rose"), self.verdict.count("fell")
        return f"Movers({self.by}, {self.first} to {self.last}: {rose} rose, {fell} fell of {self.n})"

    @property
    def n(self) -> int:
        """Areas with a figure in both years."""
        return int(np.isfinite(self.estimate).sum())

    def rows(self) -> list[dict[str, object]]:
        """Return one row an area, the largest rise first, areas without a figure last."""
        order = np.argsort(-self.estimate, kind="stable")
        return [
            {
                "area_code": self.areas.code[i],
                "area_name": self.areas.name[i],
                "region_name": self.areas.region[i],
                "quantity": self.by,
                "first": self.first,
                "last": self.last,
                "estimate": float(self.estimate[i]),
                "std_error": float(self.std_error[i]),
                "lower": float(self.lower[i]),
                "upper": float(self.upper[i]),
                "n": self.n,
                "level": self.level,
                "relative_change": float(self.relative[i]),
                "prob_rise": float(self.prob_rise[i]),
                "q_value": float(self.q_value[i]),
                "verdict": self.verdict[i],
                "across_break": self.across_break,
            }
            for i in order.tolist()
        ]

    def notes(self) -> tuple[str, ...]:
        """Return what has to be known to read the changes."""
        outside = int(((self.lower > 0) | (self.upper < 0)).sum())
        chance = (1 - self.level) * self.n
        notes = [
            f"{self.verdict.count('rose')} rose and {self.verdict.count('fell')} fell beyond sampling error, of "
            f"{self.n} areas with figures in both years (false discovery rate {1 - self.level:.2g}). Single intervals "
            f"leave out zero in {outside} areas; chance alone would do so in about {chance:.0f}.",
            "Errors of the two years are taken as independent. The survey's boost sample keeps some addresses for up "
            "to four years, and the survey of pay follows the same employees, so the same people can be in both years: "
            "intervals are then too wide, not too narrow.",
        ]
        if self.across_break:
            notes.append(
                "THE FIGURES BREAK BETWEEN THESE YEARS (2020: survey method changed; furlough pay): part of every "
                "change is that, and the intervals do not cover it. relative_change takes out what is common to all "
                "areas."
            )
        return tuple(notes)


def index_series(*, by: str = TOTAL, first: int = OPEN_YEARS[0], last: int = OPEN_YEARS[-1]) -> Series:
    """Score the 117 units in each year from open figures, on bounds frozen over 2017 to 2021.

    Parameters
    ----------
    by : str
        ``total``, or the id of a domain or an indicator.
    first, last : int
        First and last year, 2017 to 2021.

    Raises
    ------
    DataError
        If a year has no open edition, the years are not in order, or `by` is unknown.

    Examples
    --------
    >>> index_series(by="access", first=2018, last=2019)
    Series(access: 117 areas, 2018 to 2019)
    """
    for year in (first, last):
        open_spec(year)
    if first > last:
        raise DataError(f"The first year ({first}) must not come after the last ({last}).")
    years = tuple(year for year in OPEN_YEARS if first <= year <= last)
    editions = [open_edition(year, complete=False) for year in years]
    scored = [_quantity(edition, by) for edition in editions]
    estimate, std_error, value = (np.array(part) for part in zip(*scored, strict=True))
    return Series(by, years, editions[0].areas, estimate, np.where(np.isfinite(estimate), std_error, np.nan), value)


def movers(series: Series, *, level: float = 0.95) -> Movers:
    """Compare the first and the last year of a series, area by area.

    Parameters
    ----------
    series : Series
        Two years or more.
    level : float in (0, 1)
        Of the intervals; 1 - level is the false discovery rate of the verdicts.

    Raises
    ------
    DataError
        If the series has one year only.
    ValueError
        If `level` is not between 0 and 1.

    References
    ----------
    Benjamini & Hochberg (1995), JRSS B 57(1), 289-300.
    """
    from scipy.special import ndtr

    if len(series.years) < 2:
        raise DataError(f"A change needs two years; the series has {series.years[0]} only.")
    change = series.estimate[-1] - series.estimate[0]
    error = np.hypot(series.std_error[-1], series.std_error[0])
    half = critical(level) * error
    z = change / error
    q_value = benjamini_hochberg(2 * ndtr(-np.abs(z)))
    return Movers(
        by=series.by,
        first=series.years[0],
        last=series.years[-1],
        areas=series.areas,
        estimate=change,
        std_error=error,
        lower=change - half,
        upper=change + half,
        relative=change - np.nanmean(change),
        prob_rise=np.asarray(ndtr(z)),
        q_value=q_value,
        verdict=tuple(_verdict(c, q, level) for c, q in zip(change.tolist(), q_value.tolist(), strict=True)),
        level=level,
    )


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjust p values so that those at most q hold a share of q false finds at most, on average.

    ``q_(i) = min over j >= i of p_(j) m / j``. Missing p values stay missing and are not counted.

    References
    ----------
    Benjamini & Hochberg (1995), JRSS B 57(1), 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, float("nan")]).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    p = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    stepped = p[order] * len(order) / np.arange(1, len(order) + 1)
    q = np.full(p.shape, np.nan)
    q[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1)
    return q


def critical(level: float) -> float:
    """Return how many standard errors a two-sided normal interval of that level reaches.

    Examples
    --------
    >>> round(critical(0.95), 4)
    1.96
    """
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    return float(ndtri((1 + level) / 2))


def series_title(series: Series, *, level: float) -> str:
    """Say the unit, the period, what is missing and where the survey broke."""
    spec = open_spec(series.years[-1])
    what, (low, high) = series.by, spec.scale
    if series.by == TOTAL:
        low, high = spec.score_range()
    elif series.by in spec.domain_ids:
        low, high = spec.score_range(series.by)
    years = f"{series.years[0]} to {series.years[-1]}"
    return (
        f"Open editions {years}: {what}, score points ({low:g}-{high:g}) on bounds frozen over 2017 to 2021, "
        f"{level:.0%} intervals of sampling error; satisfactory hours missing; survey changed method in 2020; pay of "
        "2020 and 2021 includes furlough pay"
    )


def series_notes(series: Series) -> tuple[str, ...]:
    """Return what has to be known to read the scores, the units without a figure included."""
    gaps = [
        f"{series.areas.name[i]} has no figure for {year}."
        for t, year in enumerate(series.years)
        for i in np.flatnonzero(np.isnan(series.estimate[t])).tolist()
    ]
    return (*NOTES, *gaps)


def _quantity(edition: Edition, by: str) -> tuple[Floats, Floats, Floats]:
    """Return score, standard error and level of one quantity."""
    spec, error = edition.spec, sampling_error(edition)
    nothing = np.full(len(edition.areas), np.nan)
    if by == TOTAL:
        return edition.total, error.total_std_error, nothing
    if by in spec.domain_ids:
        d = spec.domain_ids.index(by)
        return edition.domain_scores[:, d], np.sqrt(error.domain_cov[:, d, d]), nothing
    if by not in spec.indicator_ids:
        names = (TOTAL, *spec.domain_ids, *spec.indicator_ids)
        close = nearest(by, names)
        raise DataError(f"The open editions have no '{by}'.{close} Expected one of {', '.join(names)}.")
    j = spec.indicator_ids.index(by)
    one, level = spec.indicators[j], edition.values[:, j]
    score = min_max_score(level, *one.bounds, direction=one.direction, scale=spec.scale)
    return score, np.sqrt(error.cov_points[:, j, j]), level


def _verdict(change: float, q_value: float, level: float) -> str:
    if np.isnan(change):
        return "no figure"
    if q_value > 1 - level:
        return "within sampling error"
    return "rose" if change > 0 else "fell"
