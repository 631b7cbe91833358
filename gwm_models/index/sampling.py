"""Sampling error of the indicators, carried through the scoring to domain scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, published_std_error, unit_values
from gwm_models.index.calibration import points_per_unit

Floats = NDArray[np.float64]

ACTIVITY = "economic_activity_rate_16_64"
EMPLOYMENT = "employment_rate_16_64"
SURVEY_YEAR = "2018-01/2018-12"


@dataclass(frozen=True, eq=False)
class SamplingError(Frozen):
    """What surveying a sample leaves unsure in each area's scores.

    Attributes
    ----------
    std_error : ndarray, shape (n_areas, n_indicators)
        Of each level, in its unit (score points for an indicator without open figures).
    cov_points : ndarray, shape (n_areas, n_indicators, n_indicators)
        Covariance of an area's indicator scores, in squared score points.
    domain_cov : ndarray, shape (n_areas, n_domains, n_domains)
        The same for its domain scores.
    notes : tuple of str
        What is taken from where, and what is assumed.
    """

    std_error: Floats
    cov_points: Floats
    domain_cov: Floats
    notes: tuple[str, ...]

    @property
    def total_std_error(self) -> Floats:
        """Standard error of each area's total, in score points."""
        return np.asarray(np.sqrt(self.domain_cov.sum(axis=(1, 2))))


@lru_cache(maxsize=4)
def sampling_error(edition: Edition) -> SamplingError:
    """Work out the sampling error of every indicator score of an edition.

    Published 95% limits are used where they exist (width / 3.92). A rate without limits, and a share of employed
    residents, takes a binomial error with the effective number of respondents that the area's published activity
    limits imply, scaled to agree with the units that do have limits. Shares of one area are negatively correlated, as
    parts of one multinomial sample. The hours indicator has no open figures: it takes the standard error of another
    indicator, in points.
    """
    spec, areas = edition.spec, edition.areas
    respondents = effective_respondents(edition)
    employed = respondents * unit_values("indicators", EMPLOYMENT, SURVEY_YEAR, areas.unit)["value"] / 100
    points = points_per_unit(edition).estimate
    error, filled = np.full(edition.values.shape, np.nan), 0
    for j, indicator in enumerate(spec.indicators):
        level, how = edition.values[:, j], indicator.sampling
        if how["kind"] == "published_limits":
            limits = unit_values("indicators", how["variable"], str(how["period"]), areas.unit)
            error[:, j] = published_std_error(limits) / _deflator(edition, j, limits["value"])
            if indicator.unit == "percent":
                filled += int(np.isnan(error[:, j]).sum())
                error[:, j] = _fill(error[:, j], level, respondents)
        elif how["kind"] == "effective_sample":
            error[:, j] = _binomial(level, employed)
        else:
            twin = spec.indicator_ids.index(how["same_points_as"])
            error[:, j] = np.abs(error[:, twin] * points[twin])
    cov = _covariance(edition, error, points, employed)
    member = np.eye(len(spec.domains))[list(spec.domain_of())]
    return SamplingError(
        std_error=error,
        cov_points=cov,
        domain_cov=np.einsum("jd,njk,ke->nde", member, cov, member),
        notes=(
            f"Standard errors of activity, unemployment and pay come from published 95% limits; {filled} of "
            f"{2 * len(areas)} rates have none and take a binomial error at the area's effective sample size.",
            "Job shares have no published limits: their errors are binomial, at the effective number of employed "
            "respondents implied by the activity limits of 2018.",
            "Satisfactory hours has no open figures: its sampling error is assumed equal, in score points, to that of "
            "the professional share.",
            "Errors of different surveys, of activity and unemployment, and of different areas are taken as "
            "independent; areas that share a unit (Bournemouth and Poole) carry the same rates, so theirs are not.",
        ),
    )


def effective_respondents(edition: Edition) -> Floats:
    """Return the effective number of survey respondents aged 16-64 by area, calendar year 2018.

    ``a (100 - a) / se(a)^2`` from the published activity rate and limits; units without limits take the value that a
    log-log line on population gives.
    """
    areas = edition.areas
    rows = unit_values("indicators", ACTIVITY, SURVEY_YEAR, areas.unit)
    rate, error = rows["value"], published_std_error(rows)
    respondents = rate * (100 - rate) / error**2
    known = np.isfinite(respondents)
    slope, level = np.polyfit(np.log(areas.population_16_64[known]), np.log(respondents[known]), 1)
    return np.asarray(np.where(known, respondents, np.exp(level + slope * np.log(areas.population_16_64))))


def _binomial(percent: Floats, respondents: Floats) -> Floats:
    return np.sqrt(percent * (100 - percent) / respondents)


def _fill(error: Floats, level: Floats, respondents: Floats) -> Floats:
    """Fill missing errors by binomial ones, scaled by the median ratio where both exist."""
    model = _binomial(level, respondents)
    ratio = np.nanmedian(error / model)
    return np.where(np.isnan(error), ratio * model, error)


def _deflator(edition: Edition, j: int, nominal: Floats) -> Floats:
    """Return what turned the published value into the edition's level (1 unless prices were taken out)."""
    return nominal / edition.values[:, j] if "deflate" in edition.spec.indicators[j].values else np.ones(len(nominal))


def _covariance(edition: Edition, error: Floats, points: Floats, employed: Floats) -> Floats:
    spec = edition.spec
    scored = error * np.abs(points)
    cov = np.einsum("nj,jk->njk", scored**2, np.eye(len(points)))
    shares = [j for j, indicator in enumerate(spec.indicators) if indicator.sampling["kind"] == "effective_sample"]
    for a in shares:
        for b in shares:
            if a != b:
                together = -edition.values[:, a] * edition.values[:, b] / employed
                cov[:, a, b] = together * points[a] * points[b]
    return np.asarray(cov)
