"""Diseases of despair and avoidable deaths together: one factor that they share, and the areas that stand out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.errors import ModelError
from gwm_models.models.association.spatial_errors import with_neighbours
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.despair.checks import Predictive, check_correlations, check_neighbours, check_prior, predict_each
from gwm_models.models.despair.model import DespairData, DespairDraws, sample_despair, without
from gwm_models.models.fit import LEVEL, Fit, Spec, of_draws
from gwm_models.models.outcomes import Outcome, Subject, Topic, find_outcome, source_of

Floats = NDArray[np.float64]

GROUPS = (
    ("drug_misuse_admissions", "alcohol_related_admissions", "self_harm_admissions"),
    ("avoidable_mortality", "preventable_cvd_mortality"),
)
"""Outcomes alike beyond the factor: how hospitals admit and record; deaths, the second of which are in the first."""
LEAST_UNITS = 20
N_NAMED = 5

CONTAINER = "avoidable_mortality"
"""Holds deaths that other outcomes count as well: the model is fitted without it too."""

FACTOR_UNIT = "standard deviations of the shared factor among all areas, per 100 points"
LOADING_UNIT = "log level per standard deviation of the shared factor among all areas"
SLOPE_UNIT = "log level per 100 points"

ASSUMPTIONS = (
    "Outcomes go with the score only through one shared factor; each has a residual of its own besides.",
    "The three kinds of hospital admission share a second factor (how hospitals admit and record), and avoidable and "
    "preventable cardiovascular deaths a third (the second are part of the first); neither goes with the score.",
    "Every outcome rises with the factor, none falls: what they share is what makes them worse together.",
    "The scale of the factor is its standard deviation among all areas; what an area lies above the line by is in "
    "standard deviations among areas of the same score. Higher is worse.",
    "The outcomes overlap: avoidable mortality contains suicide, drug poisoning and preventable cardiovascular deaths "
    "(besides others, of alcohol too), and deaths from drug poisoning contain suicides by poisoning. Part of what they "
    "share is the same deaths counted twice; the checks give the slope of the factor without avoidable mortality.",
    "Areas are independent given their scores, neighbours too; Moran's I of the deviations checks that.",
    "Published totals are true scores with survey error of known size; the errors of preventable cardiovascular "
    "mortality are known, those of the other published rates are part of their residual.",
    "Drug deaths are Poisson counts around a log-normal rate; person-years are the residents of mid-2019 times three. "
    "Bournemouth, Christchurch and Poole and Dorset have no count of their own, as Christchurch moved between them.",
    "Priors, with outcomes on the log scale over their spread: slope normal (0, 2), loadings half-normal "
    "with a common size that is half-normal (1), those of groups half-normal (1), residual deviations gamma (2, 3), "
    "levels normal (0, 1).",
)
CITATION = (
    "Skrondal & Rabe-Hesketh (2004), Generalized Latent Variable Modeling; "
    "Hogan & Tchernis (2004), Journal of the American Statistical Association 99, 314-324; "
    "Hoffman & Gelman (2014), Journal of Machine Learning Research 15, 1593-1623 (sampler)"
)
NOT_SHOWN = (
    "It compares areas at one time: it does not show that these outcomes would change in an area whose score changed, "
    "nor why an area stands out, and a rate of admissions tells of hospitals as well as of people."
)


@dataclass(frozen=True, eq=False)
class DespairFrame:
    """The outcomes of a topic side by side.

    Attributes
    ----------
    data : DespairData
    outcomes : tuple of Outcome
    code, name : tuple of str
        Of the units in the fit.
    excluded : tuple of str
        Units or single figures left out, each with the reason.
    borders : ndarray of int, shape (n_pairs, 2)
        Places of units that share a border.
    """

    data: DespairData
    outcomes: tuple[Outcome, ...]
    code: tuple[str, ...]
    name: tuple[str, ...]
    excluded: tuple[str, ...]
    borders: NDArray[np.int64]


def despair_frame(edition: Edition, topic: Topic) -> DespairFrame:
    """Set the outcomes of a topic side by side, a row for each unit that has two figures or more.

    Raises
    ------
    ModelError
        If the edition has too few units, or an outcome has no figures.
    """
    outcomes = tuple(find_outcome(name) for name in topic.members)
    sections = [cross_section(edition, outcome) for outcome in outcomes]
    base = next(c for c in sections if c.outcome.kind == "level")
    row = {code: i for i, code in enumerate(base.code)}
    figures = np.full((4, len(base), len(outcomes)), np.nan)
    for j, section in enumerate(sections):
        here = [i for i, code in enumerate(section.code) if code in row]
        figures[:, [row[section.code[i]] for i in here], j] = _figures(section)[:, here]
    kept = np.isfinite(figures[[0, 2]]).any(axis=0).sum(axis=1) >= 2
    if kept.sum() < LEAST_UNITS:
        raise ModelError(f"{topic.label}: {kept.sum()} units have two figures or more; a fit needs {LEAST_UNITS}.")
    places = np.flatnonzero(kept)
    return DespairFrame(
        data=_standardised(figures[:, kept], base, kept, outcomes),
        outcomes=outcomes,
        code=tuple(base.code[i] for i in places),
        name=tuple(base.name[i] for i in places),
        excluded=_missing(figures, base, outcomes),
        borders=base.borders_of(kept),
    )


def _figures(c: CrossSection) -> Floats:
    """Return log level, its known error, count and person-years, shape (4, n)."""
    nothing = np.full(len(c), np.nan)
    if c.outcome.kind == "count":
        return np.array([nothing, nothing, c.value, c.population * len(c.outcome.periods)])
    return np.array([np.log(c.value), c.error / c.value, nothing, nothing])


def _standardised(
    figures: Floats, base: CrossSection, kept: NDArray[np.bool_], outcomes: tuple[Outcome, ...]
) -> DespairData:
    level, error, count, years = figures
    crude = np.where(np.isfinite(level), level, np.log((count + 0.5) / years))
    centre, scale = np.nanmean(crude, axis=0), np.nanstd(crude, axis=0)
    groups = np.full(len(outcomes), -1)
    for number, members in enumerate(GROUPS):
        groups[[outcome.id in members for outcome in outcomes]] = number
    score = base.total[kept] / 100
    return DespairData(
        levels=(level - centre) / scale,
        errors=np.where(np.isfinite(error), error, 0.0) / scale,
        counts=count,
        person_years=years,
        centre=centre,
        scale=scale,
        score=score - score.mean(),
        score_error=base.total_error[kept] / 100,
        groups=groups,
    )


def _missing(figures: Floats, base: CrossSection, outcomes: tuple[Outcome, ...]) -> tuple[str, ...]:
    gone = ~np.asarray(np.isfinite(figures[[0, 2]]).any(axis=0))
    said = []
    for j, outcome in enumerate(outcomes):
        why = dict(outcome.unreliable)
        said += [
            f"{base.name[i]} ({outcome.label.lower()} only: {why.get(base.code[i], 'no published figure of its own')})"
            for i in np.flatnonzero(gone[:, j])
        ]
    return tuple(said)


def area_rows(frame: DespairFrame, deviation: Floats) -> list[dict[str, Any]]:
    """Return a row for each unit, the furthest above the line first.

    Parameters
    ----------
    frame : DespairFrame
    deviation : ndarray, shape (n_draws, n)
        Of the factor from the line that goes with the score, in standard deviations.
    """
    low, high = np.quantile(deviation, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    mean = deviation.mean(axis=0)
    return [
        {
            "area_code": frame.code[i],
            "area_name": frame.name[i],
            "estimate": float(mean[i]),
            "std_error": float(deviation[:, i].std(ddof=1)),
            "lower": float(low[i]),
            "upper": float(high[i]),
            "prob_above": float((deviation[:, i] > 0).mean()),
            "prob_far_above": float((deviation[:, i] > 1).mean()),
            "level": LEVEL,
        }
        for i in np.argsort(-mean, kind="stable")
    ]


def outcome_rows(frame: DespairFrame, draws: DespairDraws, checked: Predictive) -> list[dict[str, Any]]:
    """Return a row for each outcome: its ratio per 100 points, and how much of it the factor is."""
    data = frame.data
    slope = draws.loading * draws.beta[:, None] * data.scale
    ratio = np.exp(slope)
    low, high = np.quantile(ratio, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    loading = draws.loading * draws.spread[:, None]
    common = loading**2
    share = common / (common + draws.group**2 + draws.residual**2)
    return [
        {
            "outcome": outcome.id,
            "label": outcome.label,
            "estimate": float(ratio[:, j].mean()),
            "std_error": float(ratio[:, j].std(ddof=1)),
            "lower": float(low[j]),
            "upper": float(high[j]),
            "level": LEVEL,
            "unit": "ratio of levels per 100 points",
            "n": int(data.seen[:, j].sum()),
            "loading": float((loading[:, j] * data.scale[j]).mean()),
            "shared_variance": float(share[:, j].mean()),
            "correlation_with_total": float(checked.with_score[j]),
            "correlation_expected": float(checked.expected[j]),
            "p_predictive": float(checked.p_score[j]),
        }
        for j, outcome in enumerate(frame.outcomes)
    ]


def _make(edition: Edition, subject: Topic, *, n_draws: int = 4000, seed: int = 20260101) -> Fit:
    frame = despair_frame(edition, subject)
    draws, chains = sample_despair(frame.data, n_draws=n_draws, seed=seed)
    checked, left_out = check_correlations(frame.data, draws, seed), predict_each(frame.data, draws)
    scale = frame.data.scale
    beta, loading = slope_among_all(draws), draws.loading * draws.spread[:, None] * scale
    summary = of_draws(np.column_stack([beta, loading * beta[:, None], loading]))
    names, k = [outcome.id for outcome in frame.outcomes], len(scale)
    areas = area_rows(frame, draws.deviation)
    near = check_neighbours(draws.deviation, frame.borders, seed)
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec=SHARED,
        title="one factor shared by all outcomes, on the total with its survey error; areas that stand out",
        method="Bayesian factor model of log levels and Poisson-lognormal counts, No-U-Turn sampler",
        citation=CITATION,
        period="; ".join(f"{outcome.label.lower()}: {outcome.period}" for outcome in frame.outcomes),
        source="; ".join(dict.fromkeys(source_of(outcome) for outcome in frame.outcomes)),
        term=("factor", *(f"slope: {name}" for name in names), *(f"loading: {name}" for name in names)),
        unit=(FACTOR_UNIT, *[SLOPE_UNIT] * k, *[LOADING_UNIT] * k),
        estimate=summary["estimate"],
        cov=summary["cov"],
        lower=summary["lower"],
        upper=summary["upper"],
        draws=summary["draws"],
        sample=frame.code,
        n=len(frame.code),
        excluded=frame.excluded,
        focus="factor",
        found=_found(summary, areas, len(frame.code)),
        not_shown=with_neighbours(NOT_SHOWN, near["residual_moran"], near["residual_moran_p"]),
        diagnostics={
            **chains.diagnostics,
            "figures": float(frame.data.seen.sum()),
            "share_of_factor_with_score": float((1 - draws.spread**-2).mean()),
            "p_predictive_correlations": checked.p_all,
            **check_prior(frame.data, seed),
            **near,
            **_without_container(frame, draws, n_draws, seed),
            "elpd_loo": left_out.elpd,
            "elpd_loo_std_error": left_out.std_error,
            "p_loo": left_out.n_effective,
            "pareto_k_largest": left_out.worst_tail,
            "pareto_k_over_0.7": float(left_out.n_bad),
        },
        assumptions=ASSUMPTIONS,
        tables={"areas": areas, "outcomes": outcome_rows(frame, draws, checked)},
        seed=seed,
    )


def slope_among_all(draws: DespairDraws) -> Floats:
    """Return the slope of the factor in its standard deviations among all areas per 100 points, shape (n_draws,)."""
    return np.asarray(draws.beta / draws.spread)


def _without_container(frame: DespairFrame, draws: DespairDraws, n_draws: int, seed: int) -> dict[str, float]:
    """Fit the outcomes again without the one that contains others, and compare the slope and the areas."""
    place = [outcome.id for outcome in frame.outcomes].index(CONTAINER)
    again, _ = sample_despair(without(frame.data, place), n_draws=n_draws, seed=seed, key=f"despair:no {CONTAINER}")
    slope = slope_among_all(again)
    low, high = np.quantile(slope, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    alike = np.corrcoef(draws.deviation.mean(axis=0), again.deviation.mean(axis=0))[0, 1]
    return {
        f"factor_without_{CONTAINER}": float(slope.mean()),
        f"factor_without_{CONTAINER}_lower": float(low),
        f"factor_without_{CONTAINER}_upper": float(high),
        f"correlation_of_areas_without_{CONTAINER}": float(alike),
    }


def _found(summary: dict[str, Floats], areas: list[dict[str, Any]], n: int) -> str:
    middle, low, high = (float(summary[name][0]) for name in ("estimate", "lower", "upper"))
    way = "lower" if middle < 0 else "higher"
    bounds = (
        f"{low:+.2f} to {high:+.2f}" if low < 0 < high else "{:.2f} to {:.2f}".format(*sorted((abs(low), abs(high))))
    )
    named = ", ".join(f"{row['area_name']} ({_chance(row['prob_above'])})" for row in areas[:N_NAMED])
    return (
        f"Over {n} units, what these outcomes share is {abs(middle):.2f} standard deviations (among all areas) {way} "
        f"({LEVEL:.0%} interval {bounds}) for each 100 points more of the total, and the areas furthest above the line "
        f"that goes with their score, each with the probability that it lies above, are {named}."
    )


def _chance(probability: float) -> str:
    return "over 99%" if probability > 0.99 else f"{probability:.0%}"


SHARED = "shared-factor"


def _applies(subject: Subject) -> bool:
    return isinstance(subject, Topic) and subject.id == "despair"


SPECS: tuple[Spec, ...] = (
    Spec(
        SHARED,
        "joint model of all outcomes with one shared factor; areas that stand out",
        _applies,
        _make,
        "models.despair.specs",
        bayes=True,
        stored=True,
        family="topic",
    ),
)
