"""How much of an association moves within areas over time: the latent panel as a fit, with its checks and choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.models.fit import Fit, Spec, of_draws
from gwm_models.models.latent.checks import autocovariance_check, observed_reliability, reliability
from gwm_models.models.latent.core import (
    BETA_SD,
    MOST,
    PARAMETERS,
    LatentDraws,
    sample_latent_panel,
)
from gwm_models.models.latent.data import panel_data
from gwm_models.models.latent.likelihood import LatentData, spread
from gwm_models.models.linear.words import decimals, difference
from gwm_models.models.outcomes import Outcome, Subject, source_of
from gwm_models.models.panel.table import ACCESS, Panel, find_exposure, has_panel, load_panel
from gwm_models.models.panel.within import fixed_effects

Floats = NDArray[np.float64]
Row = dict[str, Any]

NOISE_CORRELATIONS = (0.0, 0.3, 0.6)
SHARED_ERRORS = (0.0, 0.1, 0.2, 0.3)
CHECKS = 1000
"""Draws of the posteriors under other choices."""
SURVEY_OUTCOME = "healthy_life"
"""How the outcomes that come from the survey behind access begin."""
TERMS = (
    "within",
    "between",
    "share",
    "reliability",
    *(name for name in PARAMETERS if name not in ("within", "between")),
)
NOTHING: Mapping[str, float] = MappingProxyType({})
METHOD = "Bayesian latent panel with survey noise of known size, sampled by importance"
CITATION = (
    "Bell & Jones (2015), Political Science Research and Methods 3, 133-153; Griliches & Hausman (1986), Journal of "
    "Econometrics 31, 93-118; Cornuet et al. (2012), Scandinavian Journal of Statistics 39, 798-812"
)


def make_latent_panel(edition: Edition, outcome: Outcome, *, n_draws: int = 4000, seed: int = 20260101) -> Fit:
    """Fit an outcome on true access between and within areas over time.

    Parameters
    ----------
    edition : Edition
    outcome : Outcome
        One that is published year by year.
    n_draws, seed : int

    Returns
    -------
    Fit
        Draws of the slopes (outcome units per 100 access points), their ratio and the other parameters. Its tables:
        ``noise``, the slopes with other correlations of survey noise; ``choices``, with exposure over three years, and
        with survey errors that access and outcome share; ``within_autocovariance``, the figures against the model;
        ``priors``.

    Raises
    ------
    ModelError
        If the outcome or the edition has no yearly figures, or the posterior cannot be explored.
    """
    panel = load_panel(edition, outcome)
    data = panel_data(edition, panel)
    found = sample_outcome(data, outcome, n_draws, seed)
    terms = tuple(name for name in TERMS if name not in _known(outcome))
    draws = np.column_stack([_term(found, data, name) for name in terms])
    summary = of_draws(draws)
    place = {name: j for j, name in enumerate(terms)}
    plain = fixed_effects(data.outcome, data.exposure[None])
    noise, choices = _other_noise(data, outcome, seed), _other_choices(edition, panel, data, outcome, seed)
    return Fit(
        outcome=outcome.id,
        label=outcome.label,
        spec="latent-panel",
        title="Between and within areas, survey noise taken out by a latent panel",
        method=METHOD,
        citation=CITATION,
        period=panel.period(),
        source=source_of(outcome),
        term=terms,
        unit=_units(outcome, terms),
        sample=panel.unit,
        n=int((np.isfinite(data.outcome) & np.isfinite(data.exposure)).sum()),
        excluded=panel.excluded,
        focus="within",
        found=_found(outcome, summary, place),
        not_shown=_not_shown(outcome, noise, choices),
        diagnostics={
            "efficiency": found.efficiency,
            "effective_draws": found.effective,
            "pareto_tail": found.tail,
            "reliability_within": float(draws[:, place["reliability"]].mean()),
            "reliability_within_independent_noise": observed_reliability(data),
            "noise_correlation": float(found.of("rho_noise").mean()),
            "shared_survey_error": float(found.of("shared").mean()),
            "prob_within_above_zero": float((found.of("within") > 0).mean()),
            "uncorrected_within": float(plain.coef[0]),
            "uncorrected_within_std_error": float(plain.std_error[0]),
        },
        assumptions=_assumptions(panel, data, outcome, found),
        tables={
            "noise": noise,
            "choices": choices,
            "within_autocovariance": autocovariance_check(data, found, seed, find_exposure(ACCESS).step),
            "priors": _priors(data, outcome),
        },
        seed=seed,
        estimate=summary["estimate"],
        cov=summary["cov"],
        lower=summary["lower"],
        upper=summary["upper"],
        draws=draws,
    )


def sample_outcome(
    data: LatentData, outcome: Outcome, n_draws: int, seed: int, known: Mapping[str, float] = NOTHING
) -> LatentDraws:
    """Draw the latent panel of one outcome; the same figures, number of draws and seed give the same draws.

    Errors of access and outcome have a correlation in common only where one survey gives both.

    Parameters
    ----------
    data : LatentData
    outcome : Outcome
    n_draws, seed : int
    known : mapping of str to float
        Correlations of errors taken as known, ``rho_noise`` and ``shared``.
    """
    key, known = f"latent-panel:{outcome.id}", {**_known(outcome), **known}
    return sample_latent_panel(data, known, n_draws=n_draws, seed=seed, key=key, what=outcome.label)


def _known(outcome: Outcome) -> dict[str, float]:
    """Return what is known of the correlations of errors: an outcome that is not from a survey has none with access."""
    return {} if _of_survey(outcome) else {"shared": 0.0}


def _of_survey(outcome: Outcome) -> bool:
    return outcome.id.startswith(SURVEY_OUTCOME)


def _term(found: LatentDraws, data: LatentData, name: str) -> Floats:
    """Return draws of one coefficient of the fit; deviations of access in points."""
    if name == "share":
        return found.of("within") / found.of("between")
    if name == "reliability":
        return reliability(found, data)
    return found.of(name) * (find_exposure(ACCESS).step if name in ("sd_lasting", "sd_moving") else 1.0)


def _units(outcome: Outcome, terms: tuple[str, ...]) -> tuple[str, ...]:
    slope = f"{outcome.unit} per 100 points"
    known = {"within": slope, "between": slope, "sd_lasting": "points", "sd_moving": "points"}
    known |= {"sd_outcome": outcome.unit, "sd_rest": outcome.unit}
    known |= {"share": "share of the slope between areas", "reliability": "share of variance"}
    known |= {"shared": "correlation of errors within a year"}
    return tuple(known.get(name, "correlation of neighbouring years") for name in terms)


def _other_noise(data: LatentData, outcome: Outcome, seed: int) -> list[Row]:
    """Return the slopes with the correlation of survey noise taken as known."""
    rows = [
        {"noise_correlation": rho} | _checked(data, outcome, seed, {"rho_noise": rho}) for rho in NOISE_CORRELATIONS
    ]
    return _against_best(rows)


def _other_choices(edition: Edition, panel: Panel, data: LatentData, outcome: Outcome, seed: int) -> list[Row]:
    """Return the slopes with exposure over three years, another shape of noise, and errors access and outcome share."""
    rows: list[Row] = [
        {"choice": name} | _checked(each, outcome, seed, {})
        for name, each in {
            "access averaged over three years": panel_data(edition, panel, window=True),
            "survey noise that fades by one factor": replace(data, waves=0),
        }.items()
    ]
    fixed: list[Row] = [
        {"choice": f"survey errors of access and outcome correlated {shared:g}", "shared": shared}
        | _checked(data, outcome, seed, {"shared": shared})
        for shared in (SHARED_ERRORS if _of_survey(outcome) else ())
    ]
    for row in rows:
        row.pop("log_evidence", None)
    return [*rows, *_against_best(fixed)]


def _against_best(rows: list[Row]) -> list[Row]:
    """Set the log evidence of fits of the same figures under different known correlations against the largest."""
    best = max((row["log_evidence"] for row in rows if "log_evidence" in row), default=0.0)
    for row in rows:
        if "log_evidence" in row:
            row["log_evidence_below_best"] = best - row.pop("log_evidence")
    return rows


def _checked(data: LatentData, outcome: Outcome, seed: int, known: Mapping[str, float]) -> Row:
    """Return the slopes under another choice as a row, or why there are none."""
    try:
        found = sample_outcome(data, outcome, CHECKS, seed, known)
    except ModelError as error:
        return {"problem": str(error)}
    return _row(found, data) | {"log_evidence": found.log_evidence}


def _row(found: LatentDraws, data: LatentData) -> Row:
    row: Row = {}
    for name in ("within", "between", "share", "reliability", "phi"):
        draws = _term(found, data, name)
        row[name] = float(draws.mean())
        if name in ("within", "between", "share"):
            low, high = np.quantile(draws, [0.025, 0.975])
            row |= {f"{name}_lower": float(low), f"{name}_upper": float(high)}
    return row | {"efficiency": found.efficiency, "effective_draws": found.effective, "pareto_tail": found.tail}


def _priors(data: LatentData, outcome: Outcome) -> list[Row]:
    """Return the prior of every parameter, on the scale of the figures."""
    step, exposure, size = find_exposure(ACCESS).step, spread(data.exposure), spread(data.outcome)
    slope = BETA_SD * size / exposure
    unit = outcome.unit
    named = {
        "sd_lasting, sd_moving": f"half-normal, scale {step * exposure:.3g} points",
        "sd_outcome, sd_rest": f"half-normal, scale {size:.3g} {unit}",
        "between, within": f"normal, mean 0, standard deviation {slope:.3g} {unit} per 100 points",
        "phi, phi_rest": "uniform, 0 to 1",
        "rho_noise": f"uniform, 0 to {MOST['rho_noise']:g}",
        "year effects": "flat",
    }
    if _of_survey(outcome):
        named["shared"] = f"uniform, 0 to {MOST['shared']:g}"
    return [{"parameter": name, "prior": prior} for name, prior in named.items()]


def _found(outcome: Outcome, summary: dict[str, Floats], place: dict[str, int]) -> str:
    def three(name: str) -> tuple[float, float, float]:
        estimate, low, high = (float(summary[column][place[name]]) for column in ("estimate", "lower", "upper"))
        return estimate, low, high

    within = difference(outcome.label, *three("within"), outcome.unit, "in years when an area's access stands 100")
    between, low, high = three("between")
    places = decimals((high - low) / 4)
    across = f"{between:+.{places}f} ({low:+.{places}f} to {high:+.{places}f})"
    share, least, most = (f"{100 * value:.0f}%" for value in three("share"))
    return (
        f"{within} points higher, survey noise taken out; that is {share} ({least} to {most}) of the difference "
        f"between areas that stand 100 points apart for good, {across}."
    )


def _not_shown(outcome: Outcome, noise: list[Row], choices: list[Row]) -> str:
    each = f"how alike survey noise is from year to year ({_listed(noise, 'noise_correlation')})"
    if _of_survey(outcome):
        each = f"{each} and on how far its errors in access and health go together ({_listed(choices, 'shared')})"
    return (
        "It does not show what a policy would bring: other things changed in the same areas at the same time, and the "
        f"slope rests on {each}."
    )


def _listed(rows: list[Row], name: str) -> str:
    """List the slopes within areas by the value of a correlation."""
    return ", ".join(f"{row['within']:+.1f} at {row[name]:g}" for row in rows if name in row and "within" in row)


def _assumptions(panel: Panel, data: LatentData, outcome: Outcome, found: LatentDraws) -> tuple[str, ...]:
    limits, unpublished = np.isfinite(panel.error_at(ACCESS)), ~np.isfinite(panel.value_error)
    figures = np.isfinite(data.exposure)
    lines = [
        "True access of an area is a year effect, a lasting level and a movement that fades at a steady rate; the "
        "outcome goes with each of the last two by a slope of its own.",
        "Survey noise in access has the published size. Households stay for up to four yearly waves, so noise of "
        "neighbouring years is alike, less so with every year between, not at all after four. How alike is found "
        "together with the rest, and rests on the steady rate above.",
        f"{int((figures & ~limits).sum())} of {int(figures.sum())} figures of access have no published limits of "
        "unemployment (counties, mostly); their noise is binomial at the effective sample size of activity.",
    ]
    if not data.error.any():
        lines.append("The outcome has no published limits: all that access does not go with counts as real movement.")
    else:
        gaps = int((unpublished & np.isfinite(data.outcome)).sum())
        lines.append(
            f"The outcome's own noise has the published size, shared between windows by the years they share; {gaps} "
            f"of {int(np.isfinite(data.outcome).sum())} figures have no published limits and take the area's mean over "
            "other years."
        )
    if _of_survey(outcome):
        low, high = np.quantile(found.of("shared"), [0.025, 0.975])
        lines.append(
            "One survey gives access and health, so their errors go together by an amount that is not published. "
            "We judge that being active and being in good health have a correlation of 0.2 to 0.35 from person to "
            "person, less once people over 64 count towards health: the prior is uniform from 0 to "
            f"{MOST['shared']:g}. The figures move it to {found.of('shared').mean():.2f} ({low:.2f} to {high:.2f}), "
            "which rests on the model of how health moves. The table of choices shows the slopes at fixed values."
        )
    else:
        lines.append("The outcome does not come from the survey behind access: their errors are independent.")
    return (*lines, "Area, year and what stays the same in an area are taken out; nothing else is held fixed.")


def _applies(subject: Subject) -> bool:
    return isinstance(subject, Outcome) and has_panel(subject) and subject.kind == "level"


SPECS: tuple[Spec, ...] = (
    Spec(
        id="latent-panel",
        title="Between and within areas, survey noise taken out by a latent panel",
        applies=_applies,
        make=make_latent_panel,
        module="models.latent.specs",
        bayes=True,
        stored=True,
        family="panel",
    ),
)
