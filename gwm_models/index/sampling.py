"""Sampling error of the indicators, carried through the scoring to domain scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition, published_std_error, unit_values
from gwm_models.errors import DataError
from gwm_models.index.calibration import points_per_unit

Floats = NDArray[np.float64]

ACTIVITY = "economic_activity_rate_16_64"
EMPLOYMENT = "employment_rate_16_64"
LEAST_ERROR = 1e-5
"""Share of the scale of an indicator that stands for no error at all, so that a covariance can be inverted."""


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


@lru_cache(maxsize=16)
def sampling_error(edition: Edition) -> SamplingError:
    """Work out the sampling error of every indicator score of an edition.

    Published 95% limits are used where they exist (width / 3.92). A rate without limits, and a share of employed
    residents, takes a binomial error with the effective number of respondents that the area's published activity
    limits imply, scaled to agree with the units that do have limits. Shares of one area are negatively correlated, as
    parts of one multinomial sample. The hours indicator has no open figures: it takes the standard error of another
    indicator, in points.

    An edition of your own has its limits and nothing else: a level without them is taken as exact.

    Raises
    ------
    DataError
        If an indicator does not say where its sampling error comes from.
    """
    spec = edition.spec
    unsaid = [indicator.id for indicator in spec.indicators if not indicator.sampling]
    if unsaid:
        raise DataError(f"{edition.name} does not say where the sampling error of '{unsaid[0]}' comes from.")
    kinds = {indicator.sampling["kind"] for indicator in spec.indicators}
    points = points_per_unit(edition).estimate
    if kinds == {"limits"}:
        error, employed = np.nan_to_num(edition.level_errors), np.ones(len(edition.areas))
        notes = _limit_notes(edition)
    else:
        respondents = effective_respondents(edition)
        employed = respondents * unit_values("indicators", EMPLOYMENT, *_survey(edition))["value"] / 100
        error, filled = _survey_errors(edition, respondents, employed, points)
        notes = _survey_notes(edition, filled)
    cov = _covariance(edition, error, points, employed)
    domain_cov, floored = _domain_covariance(edition, cov)
    if floored:
        stand_in = f"{_least(edition):.2g} points stand in, so that ranks can be worked out"
        notes = (*notes, f"Domain scores without any known error, area by area: {floored}; {stand_in}.")
    return SamplingError(std_error=error, cov_points=cov, domain_cov=domain_cov, notes=notes)


def _survey_errors(edition: Edition, respondents: Floats, employed: Floats, points: Floats) -> tuple[Floats, int]:
    """Return standard errors of the levels, and how many rates without limits were given one."""
    spec = edition.spec
    error, filled = np.array(edition.level_errors), 0
    for j, indicator in enumerate(spec.indicators):
        level, how = edition.values[:, j], indicator.sampling
        if how["kind"] == "published_limits" and indicator.unit == "percent":
            filled += int(np.isnan(error[:, j]).sum())
            error[:, j] = _fill(error[:, j], level, respondents)
        elif how["kind"] == "effective_sample":
            error[:, j] = _binomial(level, employed)
    for j, indicator in enumerate(spec.indicators):
        if indicator.sampling["kind"] == "assumed":
            twin = spec.indicator_ids.index(indicator.sampling["same_points_as"])
            error[:, j] = np.abs(error[:, twin] * points[twin])
    return error, filled


def _survey_notes(edition: Edition, filled: int) -> tuple[str, ...]:
    """Say where the errors of an edition that rests on the Annual Population Survey come from."""
    spec, areas = edition.spec, edition.areas
    kinds = [indicator.sampling["kind"] for indicator in spec.indicators]
    rates = sum(s.unit == "percent" and s.sampling["kind"] == "published_limits" for s in spec.indicators)
    notes = [
        f"Standard errors of activity, unemployment and pay come from published 95% limits; {filled} of "
        f"{rates * len(areas)} rates have none and take a binomial error at the area's effective sample size.",
        "Job shares have no published limits: their errors are binomial, at the effective number of employed "
        f"respondents implied by the activity limits of {edition.survey_period[:4]}.",
    ]
    if "assumed" in kinds:
        notes.append(
            "Satisfactory hours has no open figures: its sampling error is assumed equal, in score points, to that of "
            "the professional share."
        )
    if any("relative" in indicator.values for indicator in spec.indicators):
        notes.append("The error of the median that pay is relative to is not counted.")
    apart = "Errors of different surveys, of activity and unemployment, and of different areas are taken as independent"
    shared = len(set(areas.unit)) < len(areas)
    same = "; areas that share a unit (Bournemouth and Poole) carry the same rates, so theirs are not" if shared else ""
    return (*notes, f"{apart}{same}.")


def _limit_notes(edition: Edition) -> tuple[str, ...]:
    """Say of an edition of one's own which levels have limits and which are taken as exact."""
    notes = ["Standard errors come from the 95% limits of the indicators table: their width / 3.92."]
    gaps = np.isnan(edition.level_errors).sum(axis=0).tolist()
    for name, gap in zip(edition.spec.indicator_ids, gaps, strict=True):
        if gap:
            where = (
                "has no limits"
                if gap == len(edition.areas)
                else f"has no limits in {gap} of {len(edition.areas)} areas"
            )
            notes.append(f"'{name}' {where} and is taken as exact there.")
    return (*notes, "Errors of different indicators and of different areas are taken as independent.")


def _survey(edition: Edition) -> tuple[str, tuple[str, ...]]:
    if not edition.survey_period:
        raise DataError(f"{edition.name} names no survey period, so it has no effective sample size.")
    return edition.survey_period, edition.areas.unit


def effective_respondents(edition: Edition) -> Floats:
    """Return the effective number of survey respondents aged 16-64 by area, in the survey period of the edition.

    ``a (100 - a) / se(a)^2`` from the published activity rate and limits; units without limits take the value that a
    log-log line on population gives.
    """
    areas = edition.areas
    rows = unit_values("indicators", ACTIVITY, *_survey(edition))
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


def _covariance(edition: Edition, error: Floats, points: Floats, employed: Floats) -> Floats:
    spec = edition.spec
    scored = error * np.abs(points)
    same = np.eye(len(points), dtype=bool)
    cov = np.where(same, (scored**2)[:, :, None], 0.0)
    shares = [j for j, indicator in enumerate(spec.indicators) if indicator.sampling["kind"] == "effective_sample"]
    for a in shares:
        for b in shares:
            if a != b:
                together = -edition.values[:, a] * edition.values[:, b] / employed
                cov[:, a, b] = together * points[a] * points[b]
    return np.asarray(cov)


def _domain_covariance(edition: Edition, cov: Floats) -> tuple[Floats, int]:
    """Sum the covariance of indicator scores by domain; NaN only where an indicator of the domain has no figure.

    Returns
    -------
    domain_cov : ndarray, shape (n_areas, n_domains, n_domains)
    floored : int
        Variances that were nothing and are now that of `LEAST_ERROR`.
    """
    spec = edition.spec
    members = [list(spec.members(name)) for name in spec.domain_ids]
    summed = np.empty((len(cov), len(members), len(members)))
    for d, rows in enumerate(members):
        for e, columns in enumerate(members):
            summed[:, d, e] = cov[:, rows][:, :, columns].sum(axis=(1, 2))
    variance = np.einsum("ndd->nd", summed)
    nothing = variance < _least(edition) ** 2
    variance[nothing] = _least(edition) ** 2
    return summed, int(nothing.sum())


def _least(edition: Edition) -> float:
    low, high = edition.spec.scale
    return LEAST_ERROR * (high - low)
