"""Correlation of the index with several outcomes: the report's table over open figures, with what it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.arrays import Frozen
from gwm_models.data.edition import Edition
from gwm_models.data.vocabulary import MONITOR
from gwm_models.index.correlation import fisher_interval, interval_of_z
from gwm_models.index.series import benjamini_hochberg
from gwm_models.models.association.confounding import strength_columns
from gwm_models.models.association.core import (
    LEAST_UNITS,
    Correlation,
    border_steps,
    correlate,
    effective_size,
    p_of_t,
    t_of_correlation,
)
from gwm_models.models.association.moran import residual_moran
from gwm_models.models.cross_section import CrossSection, cross_section
from gwm_models.models.fit import Fit, Spec
from gwm_models.models.outcomes import Outcome, Subject, Topic, find_outcome, source_of

Floats = NDArray[np.float64]
Row = dict[str, Any]

SEED = 20260101
RATE = 0.05
"""False discovery rate that `Fit.found` speaks of."""
ASSUMPTIONS = (
    "Areas that share a unit's figures are one unit, their scores merged by population; estimate_no_shared leaves them "
    "out. Each correlation has its own n; in the joint sample, units that any outcome counts together are one.",
    "A count is taken as a rate of the residents of mid-2019, and every unit counts the same, however large.",
    "Lower and upper (Fisher) and p take units as independent and both variables as normal; robust_lower and "
    "robust_upper, and the covariance between correlations, come from leaving out each unit in turn.",
    "p_spatial counts only as many units as independent ones would be worth (effective_n), given how alike units are "
    "that are so many borders apart.",
    "q_spatial is the Benjamini-Hochberg q of p_spatial, as q_value is of p_value.",
    "Corrected is the correlation with the score as it would be without the error of surveying a sample.",
)
CRUDE = {"covid19_deaths": "covid19_mortality"}
"""Counts whose deaths an age-standardised rate holds already: told beside it as a crude rate, and not counted twice."""
OVERLAPS = (
    (
        {"avoidable_mortality"},
        {"suicide", "drug_poisoning_deaths", "preventable_cvd_mortality"},
        "Avoidable mortality holds suicides, deaths from drug poisoning and from alcohol, and preventable "
        "cardiovascular deaths, so its correlation is partly theirs.",
    ),
    (
        {"drug_poisoning_deaths"},
        {"suicide"},
        "Deaths from drug poisoning hold suicides by poisoning, which suicide counts too.",
    ),
)
"""Outcomes that share deaths: if any of the first and any of the second are in a table, it says so."""


@dataclass(frozen=True, eq=False)
class _Pair(Frozen):
    """An outcome and the total over the units that have both."""

    c: CrossSection
    kept: NDArray[np.bool_]
    excluded: tuple[str, ...]
    values: Floats
    total: Floats
    found: Correlation
    whole: CrossSection

    @classmethod
    def of(cls, edition: Edition, outcome: Outcome) -> _Pair:
        c = cross_section(edition, outcome)
        whole = cross_section(edition, replace(outcome, unreliable=())) if outcome.unreliable else c
        values = level_values(c)
        kept, excluded = c.keep((values, "no published figure"), (c.total, "no score"))
        y, x = values[kept], c.total[kept]
        return cls(c, kept, excluded, y, x, correlate(y, x, c.total_error[kept] ** 2), whole)


def level_values(c: CrossSection) -> Floats:
    """Return the outcome as a level, in its `level_unit`: a count as a rate of residents."""
    if c.outcome.kind != "count":
        return c.value
    return np.asarray(1e5 * c.value / (c.population * len(c.outcome.periods)))


def correlation_rows(edition: Edition, outcomes: Sequence[Outcome], *, seed: int = SEED) -> list[Row]:
    """Return the table of correlations of a set of outcomes with the total.

    Parameters
    ----------
    edition : Edition
    outcomes : sequence of Outcome
        The q values are over all of them but crude rates of deaths that another one holds, whose own are NaN.
    seed : int
        Of the permutations behind Moran's I.

    Returns
    -------
    list of dict
        One row for each outcome: ``estimate`` (Pearson's r), its jackknife ``std_error``, Fisher's ``lower`` and
        ``upper``, ``r_squared``, ``t_statistic``, ``p_value``, Benjamini-Hochberg ``q_value``, ``n``; the same with
        other methods (``robust_*``, ``spearman*``, ``effective_n`` and ``p_spatial``), without noise in the score
        (``corrected*``), without shared units (``*_no_shared``), the same with figures published as
        unreliable (``*_with_unreliable``); ``q_spatial`` of ``p_spatial``; Moran's I of the residual; robustness
        values.

    Raises
    ------
    ModelError
        If an outcome has figures for fewer than ten units.
    """
    return _rows([_Pair.of(edition, outcome) for outcome in outcomes], seed)


def _rows(pairs: list[_Pair], seed: int) -> list[Row]:
    rows = [_row(pair, seed) for pair in pairs]
    crude = _twice([row["term"] for row in rows])
    for row in rows:
        row |= {"q_value": np.nan, "q_spatial": np.nan}
        row["label"] += " (crude rate)" * (row["term"] in crude)
    for q, p in (("q_value", "p_value"), ("q_spatial", "p_spatial")):
        counted = [row for row in rows if row["term"] not in crude and np.isfinite(row[p])]
        for row, value in zip(counted, benjamini_hochberg([row[p] for row in counted]) if counted else (), strict=True):
            row[q] = float(value)
    return rows


def _twice(terms: Sequence[str]) -> set[str]:
    """Return the outcomes whose deaths another one of a table holds, and which are not counted."""
    return {term for term in terms if CRUDE.get(term) in terms}


def _assumptions(terms: Sequence[str]) -> tuple[str, ...]:
    """Say what the table stands on, with the deaths that several of its outcomes hold."""
    here = set(terms)
    shared = [words for first, second, words in OVERLAPS if first & here and second & here]
    if _twice(terms):
        shared.append(
            "Covid-19 deaths are in the table twice, standardised for age and as a crude rate: the crude rate is shown "
            "but not counted among the outcomes, and has no q."
        )
    return (*ASSUMPTIONS, *shared)


def _row(pair: _Pair, seed: int) -> Row:
    outcome, found = pair.c.outcome, pair.found
    t = float(t_of_correlation(found.r, found.n))
    lower, upper = fisher_interval(found.r, found.n)
    return {
        "term": outcome.id,
        "label": outcome.label,
        "unit": outcome.level_unit,
        "estimate": found.r,
        "std_error": float((1 - found.r**2) * _error(found.influence)),
        "lower": float(lower),
        "upper": float(upper),
        "r_squared": found.r**2,
        "t_statistic": t,
        "p_value": float(p_of_t(t, found.n - 2)),
        "n": found.n,
        **_other_methods(pair),
        **_corrected(found),
        **_without_shared(pair),
        **_neighbours(pair, seed),
        **strength_columns(t, found.n - 2),
    }


def _error(influence: Floats) -> float:
    return float(np.sqrt((influence**2).sum()))


def _other_methods(pair: _Pair) -> Row:
    from scipy.stats import spearmanr

    lower, upper = interval_of_z(pair.found.r, _error(pair.found.influence))
    ranks = spearmanr(pair.values, pair.total)
    return {
        "robust_lower": float(lower),
        "robust_upper": float(upper),
        "spearman": float(ranks.statistic),
        "spearman_p": float(ranks.pvalue),
    }


def _corrected(found: Correlation) -> Row:
    usable = abs(found.corrected) < 1
    lower, upper = interval_of_z(found.corrected, _error(found.corrected_influence)) if usable else (np.nan, np.nan)
    return {
        "corrected": found.corrected,
        "corrected_lower": float(lower),
        "corrected_upper": float(upper),
        "reliability": found.reliability,
    }


def _without_shared(pair: _Pair) -> Row:
    apart = ~pair.c.shared[pair.kept]
    enough = apart.sum() >= LEAST_UNITS
    r = correlate(pair.values[apart], pair.total[apart]).r if enough else np.nan
    return {"estimate_no_shared": r, "n_no_shared": int(apart.sum()), **_with_unreliable(pair.whole)}


def _with_unreliable(c: CrossSection) -> Row:
    values = level_values(c)
    kept = ~c.shared & np.isfinite(values) & np.isfinite(c.total)
    r = correlate(values[kept], c.total[kept]).r if kept.sum() >= LEAST_UNITS else np.nan
    return {"estimate_with_unreliable": r, "n_with_unreliable": int(kept.sum())}


def _neighbours(pair: _Pair, seed: int) -> Row:
    """Return Moran's I of the residual on the total, and p for as many units as independent ones would be worth."""
    borders = pair.c.borders_of(pair.kept)
    if not len(borders):
        return dict.fromkeys(("effective_n", "p_spatial", "moran_i", "moran_p"), np.nan)
    design = np.column_stack([np.ones(pair.found.n), pair.total])
    left = pair.values - design @ np.linalg.lstsq(design, pair.values, rcond=None)[0]
    moran = residual_moran(left, design, borders, seed=seed)
    size = effective_size(pair.values, pair.total, border_steps(borders, pair.found.n))
    return {
        "effective_n": size,
        "p_spatial": float(p_of_t(t_of_correlation(pair.found.r, size), size - 2)),
        "moran_i": moran.statistic,
        "moran_p": moran.p_value,
    }


def _make(edition: Edition, subject: Subject, *, n_draws: int = 4000, seed: int = SEED) -> Fit:
    outcomes = [find_outcome(name) for name in _members(subject)]
    pairs = [_Pair.of(edition, outcome) for outcome in outcomes]
    rows = _rows(pairs, seed)
    sample, cov = _joint(pairs)
    number = {name: np.array([row[name] for row in rows], dtype=float) for name in ("lower", "upper", "p_value")}
    return Fit(
        outcome=subject.id,
        label=subject.label,
        spec="correlations",
        title="correlation of every outcome with the total",
        method="Pearson's r, Fisher's intervals, Student's t; standard errors by the jackknife, jointly over outcomes",
        citation="Fisher (1921), Metron 1, 3-32; Benjamini & Hochberg (1995), JRSS B 57, 289-300; Dutilleul (1993), "
        "Biometrics 49, 305-314",
        period="; ".join(dict.fromkeys(outcome.period for outcome in outcomes)),
        source="; ".join(dict.fromkeys(source_of(outcome) for outcome in outcomes)),
        term=tuple(outcome.id for outcome in outcomes),
        unit=("correlation",) * len(outcomes),
        estimate=np.array([pair.found.r for pair in pairs]),
        cov=cov,
        lower=number["lower"],
        upper=number["upper"],
        p_value=number["p_value"],
        sample=sample,
        n=len(sample),
        excluded=tuple(f"{pair.c.outcome.label}: {one}" for pair in pairs for one in pair.excluded),
        focus="",
        found=_found(edition, rows),
        not_shown=_not_shown(rows),
        diagnostics={
            "n_outcomes": len(rows) - len(_twice([row["term"] for row in rows])),
            "n_below_5pc_false_discovery": sum(row["q_value"] <= RATE for row in rows),
            "n_below_5pc_false_discovery_spatial": sum(row["q_spatial"] <= RATE for row in rows),
            "reliability_of_total": float(np.mean([pair.found.reliability for pair in pairs])),
            "least_effective_n": float(np.min([row["effective_n"] for row in rows])),
        },
        assumptions=_assumptions([outcome.id for outcome in outcomes]),
        tables={"correlations": rows},
    )


def _joint(pairs: list[_Pair]) -> tuple[tuple[str, ...], Floats]:
    """Return the units of all samples together, and the joint covariance of the correlations.

    Units that one outcome counts together are one unit throughout.
    """
    codes = {code for pair in pairs for code in _codes(pair)}
    whole = {part: code for code in codes for part in code.split("+") if "+" in code}
    sample = tuple(sorted({whole.get(code, code) for code in codes}))
    place = {code: i for i, code in enumerate(sample)}
    influence = np.zeros((len(pairs), len(sample)))
    for row, pair in zip(influence, pairs, strict=True):
        np.add.at(row, [place[whole.get(code, code)] for code in _codes(pair)], pair.found.influence)
    slope = 1 - np.array([pair.found.r for pair in pairs]) ** 2
    return sample, np.asarray(np.outer(slope, slope) * (influence @ influence.T))


def _codes(pair: _Pair) -> list[str]:
    return [code for code, kept in zip(pair.c.code, pair.kept, strict=True) if kept]


def _found(edition: Edition, rows: list[Row]) -> str:
    against = "the Monitor total" if edition.name == MONITOR else f"the total of {edition.name}"
    crude = _twice([row["term"] for row in rows])
    rows = [row for row in rows if row["term"] not in crude]
    ordered = sorted(rows, key=lambda row: -abs(row["estimate"]))
    sure, stay = (sum(row[q] <= RATE for row in rows) for q in ("q_value", "q_spatial"))
    near = any(np.isfinite(row["q_spatial"]) for row in rows)
    worth = f" ({stay} once neighbours that are alike count as fewer independent areas)" if near else ""
    sizes = " to ".join(str(n) for n in sorted({min(row["n"] for row in rows), max(row["n"] for row in rows)}))
    return (
        f"Over {sizes} units, {sure} of {len(rows)} outcomes are correlated with {against} at a false discovery rate "
        f"of {RATE:.0%}{worth}; strongest: {_words(ordered[0])}; weakest: {_words(ordered[-1])}."
    )


def _not_shown(rows: list[Row]) -> str:
    """Say what a correlation leaves open, with how many areas the sample is worth."""
    sizes = [row["effective_n"] for row in rows if np.isfinite(row["effective_n"])]
    opening = "A correlation between areas does not show that better work would change these outcomes"
    if not sizes:
        return f"{opening}: low-scoring areas differ in much else."
    return (
        f"{opening}: low-scoring areas differ in much else, and as neighbours are alike the sample is worth about "
        f"{min(sizes):.0f} to {max(sizes):.0f} independent areas."
    )


def _words(row: Row) -> str:
    interval = f"95% interval {row['lower']:.2f} to {row['upper']:.2f}"
    return f"{row['label']} (r = {row['estimate']:.2f}, {interval})"


def _members(subject: Subject) -> tuple[str, ...]:
    return subject.members if isinstance(subject, Topic) else (subject.id,)


def _applies(subject: Subject) -> bool:
    return isinstance(subject, Topic) and len(subject.members) > 1


SPECS: tuple[Spec, ...] = (
    Spec(
        "correlations",
        "correlation of every outcome with the total",
        _applies,
        _make,
        "models.association.specs",
        family="topic",
    ),
)
