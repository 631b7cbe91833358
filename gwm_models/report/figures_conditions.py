"""Remade figures of the conditions for good work."""

from __future__ import annotations

from typing import Any

import numpy as np

from gwm_models.data.edition import Edition
from gwm_models.data.vocabulary import MONITOR
from gwm_models.errors import DataError
from gwm_models.index.conditions import load_conditions
from gwm_models.index.sampling import sampling_error
from gwm_models.index.series import critical
from gwm_models.index.structure_conditions import DOMAINS, ConditionsFit, conditions_fit
from gwm_models.index.structure_estimates import Estimate
from gwm_models.plots.forest import Words, forest
from gwm_models.plots.labels import plain_name
from gwm_models.plots.maps import tile_map
from gwm_models.plots.scatter import Axis, Line, scatter
from gwm_models.plots.words import interval, number
from gwm_models.report.figures_index import outside
from gwm_models.report.figures_parts import LEVEL, NOT_CAUSE, Asked, Made, Number, by_level, r_words
from gwm_models.report.figures_sources import edition_sources, sources_of
from gwm_models.scenarios.words import MINUS


def conditions_map(asked: Asked) -> Made:
    """Map the printed total of Conditions for Good Work, with what each of its domains has to do with good work."""
    fit = _conditions(asked.edition)
    index = load_conditions()
    rows: list[dict[str, Any]] = [
        {"area_code": code, "area_name": plain_name(name), "region_name": region, "total": float(total)}
        for code, name, region, total in zip(
            index.areas.code, index.areas.name, index.areas.region, index.total, strict=True
        )
    ]
    high, low = max(rows, key=lambda row: row["total"]), min(rows, key=lambda row: row["total"])
    labels = dict(index.spec.domains)
    found = [one for one in fit.line if one.statistic == "pearson" and one.term in DOMAINS]
    parts: list[dict[str, Any]] = [
        {"name": labels[one.term], "estimate": one.estimate, "lower": one.lower, "upper": one.upper} for one in found
    ]
    strong, weak = (pick(parts, key=lambda row: row["estimate"]) for pick in (max, min))
    words = Words("Domain of the conditions", "Pearson's r", "Correlation", "95% interval")
    return Made(
        title=(
            f"Conditions for good work are best in {high['area_name']} and worst in {low['area_name']}; "
            f"{strong['name'].lower()} goes with good work most closely, {weak['name'].lower()} hardly at all"
        ),
        specs=[
            *tile_map(
                rows,
                value="total",
                title="Conditions for Good Work",
                description="Map of the conditions total.",
                unit="points",
                places=1,
                kind="sequential",
                label="Conditions total",
                edition=asked.edition,
                boundaries=asked.boundaries,
            ),
            *forest(
                parts,
                words,
                description="Correlation of each conditions domain with the Monitor total: "
                + "; ".join(f"{row['name']} {number(row['estimate'], 2)}" for row in parts)
                + ".",
                title="Its domains against the Monitor total",
            ),
        ],
        reading=("Darker areas have better conditions, as printed in January 2021.",),
        interval=by_level(
            LEVEL, "of the correlations, by Fisher; the sampling error of a conditions score is not known"
        ),
        period="Conditions for Good Work, January 2021, as printed",
        unit="score points, up to 1,200; Pearson's r",
        n=f"{len(rows)} areas",
        numbers=tuple(_correlation(one, f"{labels[one.term]} with the Monitor total") for one in found),
        sources=sources_of(("conditions_scores", "monitor_scores", "areas")),
        left_out=(*outside(asked.edition), *asked.shapeless),
        caution=f"{_note(fit)} {NOT_CAUSE}",
    )


def conditions_scatter(asked: Asked) -> Made:
    """Set the Monitor total against the printed conditions total."""
    edition = asked.edition
    fit = _conditions(edition)
    order = np.argsort(fit.conditions, kind="stable")
    band = [
        {
            "x": float(fit.conditions[i]),
            "y": float(fit.fitted[i]),
            "lower": float(fit.fitted_lower[i]),
            "upper": float(fit.fitted_upper[i]),
        }
        for i in order
    ]
    reach = critical(LEVEL) * sampling_error(edition).total_std_error
    rows = [
        {
            "area_code": fit.area_code[i],
            "area_name": plain_name(fit.area_name[i]),
            "x": float(fit.conditions[i]),
            "y": float(fit.monitor[i]),
            "lower": float(fit.monitor[i] - reach[i]),
            "upper": float(fit.monitor[i] + reach[i]),
        }
        for i in range(len(fit.area_code))
    ]
    r, slope = _estimate(fit, "pearson"), _estimate(fit, "slope")
    told = f"{number(r.estimate, 2)} ({interval(r.lower, r.upper, 2)})"
    furthest = [plain_name(fit.area_name[i]) for i in np.argsort(-np.abs(fit.studentised), kind="stable")[:2]]
    out = [plain_name(fit.area_name[i]) for i in range(len(rows)) if fit.q_value[i] < 1 - LEVEL]
    return Made(
        title=(
            f"Good work goes with conditions for it, {r_words(r.estimate, r.lower, r.upper)}; "
            f"{' and '.join(furthest)} are furthest from the line"
        ),
        specs=scatter(
            rows,
            Axis("Conditions total, points", "Conditions", 1),
            Axis("Total of the index, points", "Total", 1),
            description=f"The Monitor total against the conditions total, {len(rows)} areas: correlation {told}.",
            lines=[Line("Least-squares line", band, "95% interval of the line")],
            limits="95% sampling error of the total",
            outliers=np.argsort(-np.abs(fit.studentised), kind="stable").tolist(),
            height=420,
        ),
        reading=(
            "An area above the line does better on good work than its conditions suggest. At a false discovery rate of "
            f"5%, {', '.join(out) if out else 'no area'} {'stand' if len(out) > 1 else 'stands'} out.",
        ),
        interval=by_level(LEVEL, "Fisher's for the correlation; HC3 standard errors for the line"),
        period="Good Work Monitor and Conditions for Good Work, January 2021, as printed",
        unit="score points: Monitor 6 to 600, conditions up to 1,200",
        n=f"{r.n} areas",
        numbers=(
            _correlation(r, "Conditions total with the Monitor total"),
            _correlation(_estimate(fit, "pearson_true"), "The same, sampling error of the Monitor taken out"),
            Number(
                "Slope: points of the Monitor for 100 points of conditions",
                "points",
                100 * slope.estimate,
                100 * slope.lower,
                100 * slope.upper,
                slope.level,
                slope.n,
                1,
            ),
        ),
        sources=(*sources_of(("conditions_scores",)), *edition_sources(edition)),
        left_out=outside(edition),
        caution=(
            f"{_note(fit)} A residual is a difference from the line, not an effect of anything an area did. {NOT_CAUSE}"
        ),
    )


def _conditions(edition: Edition) -> ConditionsFit:
    if not edition.published:
        raise DataError(f"{edition.name} has no Conditions for Good Work: they were published with {MONITOR} only.")
    return conditions_fit(edition, n_draws=400)


def _note(fit: ConditionsFit) -> str:
    """Say that the printed conditions total is not the sum of its domains."""
    return fit.notes[0].replace(" -", f" {MINUS}")


def _estimate(fit: ConditionsFit, statistic: str) -> Estimate:
    return next(one for one in fit.line if one.statistic == statistic)


def _correlation(one: Estimate, what: str) -> Number:
    return Number(what, "Pearson's r", one.estimate, one.lower, one.upper, one.level, one.n)
