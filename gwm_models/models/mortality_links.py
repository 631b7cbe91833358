"""Links between good work and deaths that can be avoided, in the form of the links with healthy life expectancy.

Kept apart from those: they are not outcomes of the index definition, and are fitted only where they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.draws import keyed_rng
from gwm_models.errors import GwmError, ModelError
from gwm_models.files import plain
from gwm_models.models.cross_section import CHRISTCHURCH, cross_section
from gwm_models.models.links import (
    AccessDraws,
    HealthLinks,
    SlopeDraws,
    draw_links,
    explain_links,
    joint_correlation,
    links_from_arrays,
    links_to_arrays,
)
from gwm_models.models.outcomes import Outcome, find_outcome
from gwm_models.models.panel.table import Panel, load_panel
from gwm_models.models.store import Record, find, fingerprint, remember

Floats = NDArray[np.float64]

MODULE = "models.mortality_links"
FILE = "mortality-links"
"""Name of the stored links, without its ending."""
DRAWS = 4000
SEED = 20260101
MORTALITY = ("preventable_cvd_mortality", "drug_poisoning_deaths")
"""Outcomes with yearly figures; counts as crude rates."""
UNIT = "deaths per 100,000 a year"
HUNDRED_THOUSAND = 1e5
LEVEL = 0.95
SURE = 0.9
"""Probability from which a slope within areas of the other sign is told."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One outcome against the total, and year by year against access.

    Attributes
    ----------
    outcome : Outcome
    code : tuple of str, length n
    value, error, total, total_error : ndarray, shape (n,)
        Deaths per 100,000 a year and their standard error; score points and theirs.
    panel : Panel
    """

    outcome: Outcome
    code: tuple[str, ...]
    value: Floats
    error: Floats
    total: Floats
    total_error: Floats
    panel: Panel


@lru_cache(maxsize=4)
def stored_links(edition: Edition) -> Record:
    """Return the links of both outcomes as they are stored for an edition, or fitted anew, which takes a minute."""
    key = links_key(edition)
    record = find(FILE, key)
    if record is None:
        record = links_record(edition)
        remember(key, record)
    return record


@lru_cache(maxsize=4)
def mortality_links(edition: Edition) -> HealthLinks:
    """Return the links of both outcomes: those stored for an edition, or fitted anew, which takes a minute.

    Slopes are in deaths per 100,000 a year and point: between areas on the total, corrected for its noise; between and
    within areas on access points, corrected for survey noise. They do not say how many deaths there would be where the
    rate is standardised for age (preventable cardiovascular mortality under 75).

    Raises
    ------
    ModelError
        If a slope cannot be fitted.
    """
    record = stored_links(edition)
    arrays: dict[str, NDArray[Any]] = {name: values for name, (_, values) in record.arrays.items()}
    return links_from_arrays(arrays | {name: np.array(words) for name, words in record.facts["words"].items()})


def links_key(edition: Edition) -> str:
    """Return the fingerprint of an edition's links."""
    return fingerprint(MODULE, edition, FILE, str(DRAWS), str(SEED))


def links_record(edition: Edition) -> Record:
    """Fit the links anew, in the form in which they are stored; slow."""
    links = fit_mortality(edition)
    arrays = links_to_arrays(links)
    words = {name: array.tolist() for name, array in arrays.items() if array.dtype.kind in "US"}
    dims = {"correlation": ("slope", "other")}
    numbers = {
        name: (dims.get(name, ("draw", "outcome")), array) for name, array in arrays.items() if name not in words
    }
    models = {name: _facts(edition, links, place) for place, name in enumerate(links.outcome)}
    return Record(numbers, plain({"words": words, "models": models}, keep_nan=True))


def _facts(edition: Edition, links: HealthLinks, place: int) -> dict[str, Any]:
    """Return everything about the model of one outcome that is not a draw."""
    from gwm_models.models.latent.data import panel_data
    from gwm_models.models.panel.within import observed

    sample = sample_of(edition, find_outcome(links.outcome[place]))
    data = panel_data(edition, sample.panel)
    n, clusters = int(observed(data.outcome, data.exposure[None]).sum()), len(data.outcome)
    about: dict[str, Any] = {"outcome": sample.outcome.id, "label": sample.outcome.label, "level": LEVEL}
    about["unit"] = f"{UNIT} per 100 points"
    across = {"n": len(sample.code), "n_clusters": len(sample.code), "period": sample.outcome.period}
    over_time = {"n": n, "n_clusters": clusters, "period": sample.panel.period()}
    noise = float((sample.total_error**2).mean() / sample.total.var(ddof=1))
    latent = "latent panel: true access behind the survey, integrated exactly"
    noisy = "errors in variables: true totals behind the survey, integrated exactly"
    slopes = {
        "between": (
            "between",
            "total",
            links.between,
            across | {"method": noisy, "excluded": _left_out(edition, sample)},
        ),
        "between_access": ("between", "access", links.between_access, over_time | {"method": latent}),
        "within_access": ("within", "access", links.within_access, over_time | {"method": latent}),
    }
    facts: dict[str, Any] = {
        name: about
        | {"term": term, "exposure": exposure, "excluded": "; ".join(sample.panel.excluded)}
        | sized
        | _posterior(draws[:, place])
        for name, (term, exposure, draws, sized) in slopes.items()
    }
    said = {row["link"]: row["words"] for row in explain_links(links) if row["outcome"] == sample.outcome.id}
    return facts | {"reliability_total": 1 - noise, "links": said}


def _left_out(edition: Edition, sample: Sample) -> str:
    """Name the units of the cross-section that a sample leaves out, each with the reason."""
    found = cross_section(edition, sample.outcome)
    return "; ".join(
        f"{name} ({'no figure' if np.isnan(value) else 'residents only known together with those of another unit'})"
        for name, code, value in zip(found.name, found.code, found.value, strict=True)
        if code not in sample.code
    )


def _posterior(draws: Floats) -> dict[str, float]:
    """Return draws, per point, as a slope for 100 points."""
    low, high = np.quantile(100 * draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {
        "estimate": float(100 * draws.mean()),
        "std_error": float(100 * draws.std(ddof=1)),
        "lower": float(low),
        "upper": float(high),
    }


def draw_mortality(links: HealthLinks, *, n_draws: int, seed: int) -> SlopeDraws:
    """Draw the slopes of both outcomes jointly, apart from those of other outcomes.

    See `gwm_models.models.links.draw_links`.
    """
    own = int(keyed_rng(seed, "mortality:slopes").integers(2**62))
    return draw_links(links, n_draws=n_draws, seed=own)


def fit_mortality(edition: Edition, *, n_draws: int = DRAWS, seed: int = SEED) -> HealthLinks:
    """Fit the slopes of both outcomes; slow.

    The slope between areas on the total is that of the errors-in-variables model; the slopes on access are those of the
    latent panel. How they move together goes by the influence of units on the classical fits.

    Parameters
    ----------
    edition : Edition
    n_draws, seed : int

    Raises
    ------
    ModelError
        If a slope cannot be fitted, or that between areas on access may be zero.

    References
    ----------
    Weesie (1999), Stata Technical Bulletin 52, 34-47 (seemingly unrelated estimation).
    """
    units = edition.areas.units()[0]
    samples = []
    for name in MORTALITY:
        try:
            samples.append(sample_of(edition, find_outcome(name)))
        except GwmError as error:
            raise ModelError(f"The links of '{name}' cannot be fitted. {error}") from error
    between = [_between_total(each, units, n_draws, seed) for each in samples]
    access = [_on_access(edition, each, units, n_draws, seed) for each in samples]
    for each, (draws, _) in zip(samples, access, strict=True):
        _check_clear(each.outcome, draws.between)
    influence = np.concatenate([np.array([one[1], *other[1]]) for one, other in zip(between, access, strict=True)])
    return HealthLinks(
        outcome=tuple(each.outcome.id for each in samples),
        label=tuple(each.outcome.label for each in samples),
        unit=(UNIT,) * len(samples),
        note=tuple(note_on(each.outcome, draws) for each, (draws, _) in zip(samples, access, strict=True)),
        between=np.column_stack([draws for draws, _ in between]) / 100,
        between_access=np.column_stack([draws.between for draws, _ in access]) / 100,
        within_access=np.column_stack([draws.within for draws, _ in access]) / 100,
        correlation=joint_correlation(influence, [draws for draws, _ in access]),
    )


def sample_of(edition: Edition, outcome: Outcome) -> Sample:
    """Return what an outcome is fitted on, counts as rates on residents of mid-2019.

    A count has a Poisson error, its mean that of the unit's years. Two units whose residents are only known together
    are left out of counts.
    """
    c, panel = cross_section(edition, outcome), load_panel(edition, outcome)
    if outcome.kind == "level":
        kept = c.keep((c.value, "no published value"), (c.error, "no published limits"), (c.total, "no score"))[0]
        value, error = c.value, c.error
    else:
        panel = as_rates(panel)
        years = len(outcome.periods)
        kept = c.keep((c.value, "no published value"), (c.total, "no score"))[0]
        kept &= np.array([not {*code.split("+")} & {*CHRISTCHURCH} for code in c.code])
        value = HUNDRED_THOUSAND * c.value / c.population / years
        error = HUNDRED_THOUSAND * np.sqrt(np.maximum(c.value, 1.0)) / c.population / years
    code = tuple(name for name, here in zip(c.code, kept, strict=True) if here)
    return Sample(outcome, code, value[kept], error[kept], c.total[kept], c.total_error[kept], panel)


def as_rates(panel: Panel) -> Panel:
    """Return a panel of counts as rates per 100,000 with Poisson errors, without units that cannot be told apart."""
    kept = np.array([code not in CHRISTCHURCH for code in panel.unit])
    count, people = panel.value[kept], panel.population[kept][:, None]
    expected = np.maximum(np.nanmean(count, axis=1, keepdims=True), 1.0)
    return replace(
        panel,
        outcome=replace(panel.outcome, kind="level", unit=UNIT),
        unit=tuple(np.array(panel.unit)[kept].tolist()),
        name=tuple(np.array(panel.name)[kept].tolist()),
        value=HUNDRED_THOUSAND * count / people,
        value_error=np.where(np.isfinite(count), HUNDRED_THOUSAND * np.sqrt(expected) / people, np.nan),
        exposure=panel.exposure[:, kept],
        exposure_error=panel.exposure_error[:, kept],
        population=panel.population[kept],
    )


def note_on(outcome: Outcome, slopes: AccessDraws) -> str:
    """Say what has to be known of an outcome's slope within areas."""
    notes = []
    opposite = float((slopes.within * np.sign(slopes.between.mean()) < 0).mean())
    if opposite > SURE:
        notes.append(
            f"Inside areas the slope has the other sign than between them (probability {opposite:.2f}): deaths rose "
            "where access rose. That tells of what else changed in those years, and is no effect of good work."
        )
    if outcome.kind == "level":
        notes.append("The rate is standardised for age, so times residents it is not a number of deaths.")
    return " ".join(notes)


def _between_total(sample: Sample, units: tuple[str, ...], n_draws: int, seed: int) -> tuple[Floats, Floats]:
    """Return draws of the slope per 100 points of the total, and the influence of every unit on it."""
    from gwm_models.models.gaussian.errors_in_variables import errors_in_variables
    from gwm_models.models.linear.core import least_squares

    total, error = sample.total / 100, sample.total_error / 100
    key = f"links:{sample.outcome.id}"
    found = errors_in_variables(sample.value, sample.error, total, error, n_draws=n_draws, seed=seed, key=key)
    design = np.column_stack([np.ones(len(total)), total])
    plain_fit = least_squares(sample.value, design, 1 / sample.error**2)
    return found.slope[:, 0, 0], _over(plain_fit.influence[:, 1], sample.code, units)


def _on_access(
    edition: Edition, sample: Sample, units: tuple[str, ...], n_draws: int, seed: int
) -> tuple[AccessDraws, tuple[Floats, Floats]]:
    """Return draws of the slopes between and within per 100 access points, and the influence of every unit on both."""
    from gwm_models.models.latent.data import panel_data
    from gwm_models.models.latent.specs import sample_outcome
    from gwm_models.models.panel.within import within_between

    data = panel_data(edition, sample.panel)
    found = sample_outcome(data, sample.outcome, n_draws, seed)
    plain_fit = within_between(data.outcome, data.exposure)
    within, between = (_over(plain_fit.influence[j], sample.panel.unit, units) for j in (0, 1))
    size = np.log(np.column_stack([found.of("sd_lasting"), found.of("sd_moving")]))
    exposure = np.column_stack([size, found.of("phi"), found.of("rho_noise"), found.of("shared")])
    return AccessDraws(found.of("between"), found.of("within"), exposure), (between, within)


def _over(influence: Floats, codes: tuple[str, ...], units: tuple[str, ...]) -> Floats:
    """Return the influence of every unit, zero for those that are not in the fit."""
    spread = np.zeros(len(units))
    spread[[units.index(code) for code in codes]] = influence
    return spread


def _check_clear(outcome: Outcome, between: Floats) -> None:
    low, high = np.quantile(between, [0.005, 0.995])
    if low <= 0 <= high:
        raise ModelError(
            f"The links of '{outcome.id}' cannot be fitted. Its slope between areas on access may be zero (99% "
            f"interval {low:.2f} to {high:.2f} per 100 points), so the share of it that moves within areas has no "
            "meaning."
        )
