"""Healthy life expectancy on the Monitor: between areas, within areas over time, and joint draws of both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, published_std_error, unit_values
from gwm_models.data.index_spec import OutcomeSpec
from gwm_models.data.tables import read_table
from gwm_models.draws import keyed_rng
from gwm_models.index.scoring import exact_points_per_unit, indicator_score
from gwm_models.models.slopes import (
    Slope,
    SlopeFit,
    cross_section,
    cross_sections,
    joint_correlation,
    two_way_residual,
    within_units,
)

Floats = NDArray[np.float64]

PANEL_YEARS = tuple(range(2010, 2020))
CROSS_SECTION_YEAR = 2017
ACTIVITY, UNEMPLOYMENT = "economic_activity_rate_16_64", "unemployment_rate_16_64"


@dataclass(frozen=True, eq=False)
class HealthFit:
    """Slopes of one outcome, and how noisy the exposure behind the within slope is.

    Attributes
    ----------
    outcome : OutcomeSpec
    between : Slope
        On the Monitor total, precision-weighted: the full association.
    between_access, within_access : Slope
        On access points of yearly survey rates: one year across areas, and within areas over 2010-2019.
    reliability_between, reliability_within : float
        Share of the variance of access points that is not survey noise, taking the noise of each year as
        independent.
    alternatives : tuple of Slope
        The between slope under other reasonable choices.
    domains : tuple of Slope
        Between slopes on the domain scores, fitted together.
    """

    outcome: OutcomeSpec
    between: Slope
    between_access: Slope
    within_access: Slope
    reliability_between: float
    reliability_within: float
    alternatives: tuple[Slope, ...]
    domains: tuple[Slope, ...]

    def slopes(self) -> tuple[Slope, ...]:
        """Return every slope, the main ones first."""
        return (self.between, self.between_access, self.within_access, *self.alternatives, *self.domains)


@dataclass(frozen=True, eq=False)
class SlopeDraws:
    """Joint draws for the scenario engine, shape (n_draws, n_outcomes).

    Attributes
    ----------
    outcome : tuple of str
    between : ndarray
        Full association, years per point of the total.
    within_access : ndarray
        Within areas over time, years per point of the access domain, corrected for survey noise.
    within_share : ndarray
        `within_access` over the slope between areas on access points: the share of that association that moves with
        an area over time.
    """

    outcome: tuple[str, ...]
    between: Floats
    within_access: Floats
    within_share: Floats


@dataclass(frozen=True, eq=False)
class AccessPanel(Frozen):
    """Access points by April 2019 unit and calendar year, shape (n_units, n_years), and their standard errors."""

    unit: tuple[str, ...]
    year: tuple[int, ...]
    access: Floats
    std_error: Floats


@lru_cache(maxsize=4)
def fit_health(edition: Edition) -> tuple[HealthFit, ...]:
    """Fit every health outcome of an edition.

    Returns
    -------
    tuple of HealthFit
        In the order of the edition's outcomes.
    """
    if not edition.spec.outcomes:
        return ()
    panel = access_panel(edition, PANEL_YEARS)
    return tuple(_fit(edition, outcome, panel) for outcome in edition.spec.outcomes)


def draw_slopes(fits: tuple[HealthFit, ...], *, n_draws: int, seed: int) -> SlopeDraws:
    """Draw the slopes of all outcomes jointly.

    Between and within slopes of all outcomes are jointly normal, with the correlation of their influence by unit. Each
    is corrected for survey noise in access points. The noise of one year is partly that of the next (the survey keeps
    households for several waves), by how much is not known here, so the reliability of the within slope is drawn
    evenly between its value under independent noise and 1: from the full classical correction to none.

    References
    ----------
    Fuller (1987), Measurement Error Models, section 1.2. Griliches & Hausman (1986), Journal of Econometrics 31,
    93-118.
    """
    if not fits:
        return _no_slopes(n_draws)
    slopes = [slope for fit in fits for slope in (fit.between, fit.between_access, fit.within_access)]
    sd = np.array([slope.std_error for slope in slopes])
    spread = _root(joint_correlation(slopes) * np.outer(sd, sd))
    normals = keyed_rng(seed, "health:slopes").standard_normal((n_draws, len(slopes)))
    drawn = np.array([slope.estimate for slope in slopes]) + normals @ spread.T
    drawn = drawn.reshape(n_draws, len(fits), 3) / 100
    luck = keyed_rng(seed, "health:reliability").random((n_draws, 1))
    low = np.array([fit.reliability_within for fit in fits])
    within = drawn[..., 2] / (low + luck * (1 - low))
    across = drawn[..., 1] / np.array([fit.reliability_between for fit in fits])
    return SlopeDraws(tuple(fit.outcome.id for fit in fits), drawn[..., 0], within, within / across)


def central_slopes(fits: tuple[HealthFit, ...]) -> SlopeDraws:
    """Return the point estimates in the shape of one draw."""
    if not fits:
        return _no_slopes(1)
    between, within, across = (
        np.array([[slope.estimate / 100 for slope in slopes]])
        for slopes in zip(*((fit.between, fit.within_access, fit.between_access) for fit in fits), strict=True)
    )
    within = within / np.array([(1 + fit.reliability_within) / 2 for fit in fits])
    across = across / np.array([fit.reliability_between for fit in fits])
    return SlopeDraws(tuple(fit.outcome.id for fit in fits), between, within, within / across)


def _no_slopes(n_draws: int) -> SlopeDraws:
    """Return the draws of an edition that holds no health outcomes."""
    nothing = np.zeros((n_draws, 0))
    return SlopeDraws((), nothing, nothing, nothing)


def access_panel(edition: Edition, years: tuple[int, ...]) -> AccessPanel:
    """Build access points from yearly survey rates.

    Standard errors come from the published limits of both rates, NaN where either has none.
    """
    unit, _ = edition.areas.units()
    access, variance = np.zeros((2, len(unit), len(years)))
    points = exact_points_per_unit(edition.spec)
    for name, variable in (("economic_activity_rate", ACTIVITY), ("unemployment_rate", UNEMPLOYMENT)):
        level, error = _yearly(variable, unit, years)
        access += indicator_score(edition.spec, name, level)
        variance += (points[name] * error) ** 2
    return AccessPanel(unit, years, access, np.sqrt(variance))


def _yearly(variable: str, unit: tuple[str, ...], years: tuple[int, ...]) -> tuple[Floats, Floats]:
    periods = {f"{year}-01/{year}-12": t for t, year in enumerate(years)}
    return _panel("indicators", variable, "Persons", unit, periods)


def _panel(
    table: str, variable: str, sex: str, unit: tuple[str, ...], periods: dict[str, int]
) -> tuple[Floats, Floats]:
    """Return values and standard errors, shape (n_units, n_periods), NaN where there is no figure."""
    rows = read_table(table, where={"variable": variable, "sex": sex, "period": set(periods)})
    place = {code: i for i, code in enumerate(unit)}
    keep = np.array([code in place for code in rows["unit_code"]])
    i = np.array([place[code] for code in rows["unit_code"][keep]])
    t = np.array([periods[period] for period in rows["period"][keep]])
    value, error = (np.full((len(unit), len(periods)), np.nan) for _ in range(2))
    value[i, t] = rows["value"][keep]
    error[i, t] = published_std_error(rows)[keep]
    return value, error


@dataclass(frozen=True, eq=False)
class _Naming:
    """What the slopes of one outcome are called, and the units they are fitted over."""

    outcome: OutcomeSpec
    unit: tuple[str, ...]
    unit_name: dict[str, str]

    def published(self) -> tuple[Floats, Floats]:
        """Return the outcome by unit and its standard error, NaN where not published."""
        outcome = self.outcome
        rows = unit_values("outcomes", outcome.variable, outcome.period, self.unit, sex=outcome.sex)
        return np.asarray(rows["value"], dtype=float), published_std_error(rows)

    def slope(
        self, fit: SlopeFit, keep: NDArray[np.bool_], *, exposure: str, method: str, why_out: str, period: str = ""
    ) -> Slope:
        """Name a slope between the units that `keep` marks."""
        units = np.array(self.unit)
        return Slope(
            term="between",
            outcome=self.outcome.id,
            label=self.outcome.label,
            exposure=exposure,
            period=period or self.outcome.period,
            method=method,
            estimate=fit.estimate,
            std_error=fit.std_error,
            n=int(keep.sum()),
            cluster=tuple(units[keep].tolist()),
            influence=fit.influence,
            excluded=tuple(f"{self.unit_name[code]} ({why_out})" for code in units[~keep].tolist()),
        )


def _fit(edition: Edition, outcome: OutcomeSpec, panel: AccessPanel) -> HealthFit:
    table = read_table("units")
    names = dict(zip(table["unit_code"].tolist(), table["unit_name"].tolist(), strict=True))
    naming = _Naming(outcome, edition.areas.units()[0], names)
    between, *alternatives = _between_total(edition, naming)
    domains = _between_domains(edition, naming)
    history = _outcome_panel(outcome, panel.unit)
    return HealthFit(
        outcome=outcome,
        between=between,
        between_access=_between_access(naming, panel, history),
        within_access=_within_access(outcome, panel, history),
        reliability_between=_reliability_between(panel, panel.year.index(CROSS_SECTION_YEAR)),
        reliability_within=_reliability_within(panel),
        alternatives=tuple(alternatives),
        domains=tuple(domains),
    )


def _between_total(edition: Edition, naming: _Naming) -> list[Slope]:
    """Fit the outcome on the Monitor total: precision-weighted first, then other reasonable choices.

    Areas that share a unit enter once, their scores merged by population.
    """
    weights = edition.areas.units()[1]
    value, error = naming.published()
    total = weights @ edition.total / 100
    ready = np.isfinite(value)
    exact = ready & np.isfinite(error)
    single = ready & ((weights > 0).sum(axis=1) == 1)
    return [
        naming.slope(
            cross_section(value[exact], total[exact], 1 / error[exact] ** 2),
            exact,
            exposure="total",
            method="least squares weighted by published precision, HC3 standard errors",
            why_out="no published limits",
        ),
        naming.slope(
            cross_section(value[ready], total[ready], robust=False),
            ready,
            exposure="total",
            method="ordinary least squares, classical standard errors",
            why_out="no published value",
        ),
        naming.slope(
            cross_section(value[single], total[single], robust=False),
            single,
            exposure="total",
            method="ordinary least squares, classical standard errors, no merged areas",
            why_out="two Monitor areas in one unit",
        ),
    ]


def _between_domains(edition: Edition, naming: _Naming) -> list[Slope]:
    """Fit the outcome on all domain scores together, precision-weighted."""
    weights = edition.areas.units()[1]
    value, error = naming.published()
    scores = weights @ edition.domain_scores / 100
    exact = np.isfinite(value) & np.isfinite(error)
    return [
        naming.slope(
            fit,
            exact,
            exposure=domain,
            method="least squares on all domains together, weighted by published precision, HC3 standard errors",
            why_out="no published limits",
        )
        for domain, fit in zip(
            edition.spec.domain_ids, cross_sections(value[exact], scores[exact], 1 / error[exact] ** 2), strict=True
        )
    ]


def _between_access(naming: _Naming, panel: AccessPanel, history: Floats) -> Slope:
    year = panel.year.index(CROSS_SECTION_YEAR)
    access, value = panel.access[:, year] / 100, history[:, year]
    here = np.isfinite(access) & np.isfinite(value)
    return naming.slope(
        cross_section(value[here], access[here], robust=False),
        here,
        exposure="access",
        method="ordinary least squares, classical standard errors",
        why_out="no published value",
        period=f"{_window(CROSS_SECTION_YEAR)} on {CROSS_SECTION_YEAR}",
    )


def _within_access(outcome: OutcomeSpec, panel: AccessPanel, history: Floats) -> Slope:
    fit = within_units(history, panel.access / 100)
    return Slope(
        term="within",
        outcome=outcome.id,
        label=outcome.label,
        exposure="access",
        period=f"{_window(panel.year[0])} to {_window(panel.year[-1])} on {panel.year[0]}-{panel.year[-1]}",
        method="area and year effects, standard errors clustered by area",
        estimate=fit.estimate,
        std_error=fit.std_error,
        n=int((np.isfinite(history) & np.isfinite(panel.access)).sum()),
        cluster=panel.unit,
        influence=fit.influence,
        excluded=(),
    )


def _window(year: int) -> str:
    """Name the three-year window around a year, as the outcomes table does."""
    return f"{year - 1}-{(year + 1) % 100:02d}"


def _outcome_panel(outcome: OutcomeSpec, unit: tuple[str, ...]) -> Floats:
    """Return the outcome by unit and middle year of its three-year window."""
    periods = {_window(year): t for t, year in enumerate(PANEL_YEARS)}
    return _panel("outcomes", outcome.variable, outcome.sex, unit, periods)[0]


def _reliability_between(panel: AccessPanel, year: int) -> float:
    access, error = panel.access[:, year], panel.std_error[:, year]
    return float(1 - np.nanmean(error**2) / np.nanvar(access, ddof=1))


def _reliability_within(panel: AccessPanel) -> float:
    """Return the share of within-unit variance that is not noise, noise independent between years."""
    left = two_way_residual(panel.access)
    n_units, n_years = left.shape
    kept = (1 - 1 / n_units) * (1 - 1 / n_years)
    return float(1 - kept * np.nanmean(panel.std_error**2) / np.nanmean(left**2))


def _root(cov: Floats) -> Floats:
    """Return a square root of a covariance that may be singular."""
    value, vector = np.linalg.eigh(cov)
    return np.asarray(vector * np.sqrt(np.maximum(value, 0)))
