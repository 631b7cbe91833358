"""Deaths of spring 2020 against those expected for the ages of residents: rate ratios by negative binomial regression.

Ages are taken in without figures by age. All-cause deaths over the all-cause age-standardised rate of the same unit
are its effective population: how many people of the standard population would have as many deaths at the unit's rate.
Covid-19 deaths are expected in proportion to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, unit_values
from gwm_models.models.association.moran import residual_moran
from gwm_models.models.counts.sample import Columns, region_columns, total_column
from gwm_models.models.counts.specs import (
    CITATION,
    CountFit,
    negative_binomial,
    overdispersion,
    poisson,
    rate_ratios,
    ratio_rows,
    ratio_words,
)
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.fit import Fit, wald
from gwm_models.models.outcomes import SPRING_2020, Outcome, find_outcome, source_of

Floats = NDArray[np.float64]
Adjust = Callable[[CrossSection], Columns]

SEED = 20260101
ENGLAND = ("E92000001",)
CAUSES = ("covid19", "non_covid19", "all_cause")
AGES = (
    "Expected deaths are in proportion to an effective population: all-cause deaths of March to June 2020 over their "
    "age-standardised rate, which puts the ages of residents in without figures by age. It is exact for Covid-19 where "
    "its death rates rise with age as those of all causes do.",
    "Deaths of the sample's areas are expected at the rate of all of them together, so expected deaths add up to those "
    "observed; 1 is the average of these areas, which leave out London.",
)
SCORE = "The score is taken as it is published; survey error in it makes the association look weaker than it is."
NEIGHBOURS = (
    "Areas are taken as independent. The first wave spread from place to place, so neighbours are alike beyond their "
    "scores (Moran's I, in the diagnostics); where that is clearly above zero, intervals are too narrow."
)


@dataclass(frozen=True, eq=False)
class Toll(Frozen):
    """Deaths of spring 2020 by unit.

    Attributes
    ----------
    section, other : CrossSection
        All units; the outcomes are the age-standardised rates with and without Covid-19.
    kept : ndarray of bool, shape (n_units,)
    excluded : tuple of str
        Units left out, each with the reason.
    deaths : ndarray, shape (3, n)
        With Covid-19, without it, and all, in the order of `CAUSES`.
    effective : ndarray, shape (3, n)
        Effective population, from deaths and rate of each cause.
    """

    section: CrossSection
    other: CrossSection
    kept: NDArray[np.bool_]
    excluded: tuple[str, ...]
    deaths: Floats
    effective: Floats

    @property
    def n(self) -> int:
        """Number of units in the sample."""
        return int(self.kept.sum())

    @property
    def code(self) -> tuple[str, ...]:
        """Codes of the units in the sample."""
        return tuple(self.section.code[i] for i in np.flatnonzero(self.kept))

    def expected(self, cause: int) -> Floats:
        """Return expected deaths, shape (n,), at the rate of all units together."""
        return expected_deaths(self.deaths[cause], self.effective[2])


def effective_population(deaths: Floats, rate_per_100k: Floats) -> Floats:
    """Return deaths over their age-standardised rate, in people.

    With residents ``P_a`` and death rates ``m_a`` by age, and standard weights ``w_a`` that sum to one, it is
    ``sum(P_a m_a) / sum(w_a m_a)``. Times the standardised rate of a reference it gives the deaths expected by indirect
    standardisation, if rates by age are those of the reference times a constant.

    References
    ----------
    Breslow & Day (1987), Statistical Methods in Cancer Research II, chapter 2.

    Examples
    --------
    >>> effective_population(np.array([300.0]), np.array([600.0])).tolist()
    [50000.0]
    """
    return np.asarray(deaths / rate_per_100k * 1e5)


def expected_deaths(deaths: Floats, effective: Floats) -> Floats:
    """Share the deaths of all units out in proportion to effective population.

    Examples
    --------
    >>> expected_deaths(np.array([10.0, 50.0]), np.array([1000.0, 2000.0])).tolist()
    [20.0, 40.0]
    """
    return np.asarray(effective * deaths.sum() / effective.sum())


def read_toll(edition: Edition) -> Toll:
    """Read deaths and rates of spring 2020, a row for each unit.

    Deaths, rates and scores are of the same units, so none has to be counted together with another.

    Raises
    ------
    ModelError
        If fewer than ten units have all figures.
    """
    section, other = (cross_section(edition, find_outcome(f"{cause}_mortality")) for cause in CAUSES[:2])
    deaths, rate = _figures(section.code)
    kept, excluded = section.keep(
        (deaths.T, "no published deaths"),
        (np.where(rate > 0, rate, np.nan).T, "no published rate above zero"),
        (section.error + other.error, "no published limits"),
        (section.density, "no land area"),
    )
    return Toll(section, other, kept, excluded, deaths[:, kept], effective_population(deaths[:, kept], rate[:, kept]))


def _figures(units: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Return deaths and age-standardised rates of each cause, each of shape (3, n_units)."""
    deaths, rate = (
        np.array(
            [unit_values("outcomes", f"{cause}_mortality_{kind}", SPRING_2020, units)["value"] for cause in CAUSES]
        )
        for kind in ("deaths", "asmr")
    )
    return deaths.astype(float), rate.astype(float)


def _density(c: CrossSection) -> Columns:
    return (("density", "log rate for each doubling of residents per square kilometre", np.log2(c.density)),)


def total_density(c: CrossSection) -> Columns:
    """Return the total and the density, in doublings."""
    return (*total_column(c), *_density(c))


def total_density_region(c: CrossSection) -> Columns:
    """Return the total, the density and a column for each region but the first."""
    return (*region_columns(c), *_density(c))


ADJUSTMENTS: dict[str, tuple[str, Adjust]] = {
    "total": ("", total_column),
    "density": ("at the same density", total_density),
    "region": ("within regions", region_columns),
    "density-region": ("at the same density within regions", total_density_region),
}
"""Specifications: what is held equal, and the terms; the total comes first."""


def title_of(spec: str) -> str:
    """Say what a specification is.

    Examples
    --------
    >>> title_of("density")
    'deaths against those expected, on the total, at the same density'
    """
    return ", ".join(filter(None, ("deaths against those expected, on the total", ADJUSTMENTS[spec][0])))


def design_of(columns: Columns, kept: NDArray[np.bool_]) -> Floats:
    """Return the terms as centred columns and the constant as the last, shape (n, k)."""
    values = np.column_stack([column for _, _, column in columns])[kept]
    return np.column_stack([values - values.mean(axis=0), np.ones(len(values))])


def make_deaths(edition: Edition, subject: Outcome, *, spec: str, n_draws: int = 0, seed: int = SEED) -> Fit:
    """Fit Covid-19 deaths against those expected; `n_draws` is not used by a classical fit.

    Raises
    ------
    ModelError
        If too few units have all figures, or all are of one density or region.
    """
    held, adjust = ADJUSTMENTS[spec]
    toll = read_toll(edition)
    columns = adjust(toll.section)
    design = design_of(columns, toll.kept)
    fit = negative_binomial(toll.deaths[0], design, toll.expected(0))
    bounds, ratios = wald(fit.params, fit.cov, fit.df), rate_ratios(fit.params, fit.cov, fit.df)
    term = (*(name for name, _, _ in columns), "intercept")
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec=spec,
        title=title_of(spec),
        method=f"{fit.law} regression with expected deaths as offset, robust standard errors",
        citation=CITATION,
        period=subject.period,
        source=source_of(subject),
        term=term,
        unit=(*(unit for _, unit, _ in columns), "log of observed over expected deaths at the mean of the sample"),
        estimate=fit.params,
        cov=fit.cov,
        lower=bounds["lower"],
        upper=bounds["upper"],
        p_value=bounds["p_value"],
        sample=toll.code,
        n=toll.n,
        excluded=toll.excluded,
        focus="total",
        found=(
            f"{subject.label}, against those expected for the ages of residents: {ratio_words(*ratios[[0, 2, 3], 0])} "
            f"for each 100 points more of the total{f' {held}' if held else ''}, over {toll.n} areas and "
            f"{toll.deaths[0].sum():,.0f} deaths."
        ),
        not_shown=(
            "This compares areas in the first wave only: it does not show what deaths would have been had scores "
            "differed, and where the wave arrived first, care homes and health before it are not held equal."
        ),
        influence=fit.influence[:, 0],
        diagnostics=_diagnostics(toll, fit, design, seed),
        assumptions=(*AGES, SCORE, NEIGHBOURS),
        tables={"rate_ratios": ratio_rows(term, ratios, toll.n)},
    )


def _diagnostics(toll: Toll, fit: CountFit, design: Floats, seed: int) -> dict[str, float | str]:
    plain = fit if fit.law == "Poisson" else poisson(toll.deaths[0], design, toll.expected(0))
    z, p_value = overdispersion(toll.deaths[0], plain.expected)
    strongest = int(np.flatnonzero(toll.kept)[int(np.argmax(np.abs(fit.influence[:, 0])))])
    return {
        "degrees_of_freedom": float(fit.df),
        "dispersion": fit.dispersion,
        "overdispersion_z": z,
        "overdispersion_p": p_value,
        "log_likelihood": fit.log_likelihood,
        "most_influential": toll.section.name[strongest],
        **_near(toll, fit, design, seed),
        **offset_checks(toll, design),
    }


def _near(toll: Toll, fit: CountFit, design: Floats, seed: int) -> dict[str, float]:
    borders = toll.section.borders_of(toll.kept)
    if not len(borders):
        return {}
    working = np.sqrt(fit.expected / (1 + fit.dispersion * fit.expected))
    near = residual_moran(fit.residuals, design * working[:, None], borders, seed=seed)
    return {"residual_moran": near.statistic, "residual_moran_p": near.p_value}


def offset_checks(toll: Toll, design: Floats) -> dict[str, float]:
    """Return what expected deaths add up to at England's rate, and the rate ratio with effective population of others.

    Effective population of deaths without Covid-19 does not contain the deaths that are modelled.
    """
    checks = {"observed_deaths": float(toll.deaths[0].sum())}
    _, england = _figures(ENGLAND)
    if np.isfinite(england).all():
        checks["expected_at_england_rate"] = float(toll.effective[2].sum() * england[0, 0] / 1e5)
    spread = np.log(toll.effective[0] / toll.effective[2]).std()
    without = negative_binomial(toll.deaths[0], design, expected_deaths(toll.deaths[0], toll.effective[1]))
    return {
        **checks,
        "effective_population_spread": float(spread),
        "rate_ratio_other_offset": float(np.exp(without.params[0])),
    }
