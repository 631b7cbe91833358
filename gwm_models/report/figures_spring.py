"""Remade figures of the report's chapter on Covid-19: the labour market and mortality of spring 2020."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gwm_models.models.catalogue import fit_outcome
from gwm_models.models.covid.jobs import JOBS_PERIOD, Jobs
from gwm_models.models.covid.jobs import labour_market as labour_market_index
from gwm_models.models.fit import Fit
from gwm_models.models.outcomes import find_outcome
from gwm_models.models.total_line import TotalLine, line_on_total, straight_line
from gwm_models.plots.scatter import Axis
from gwm_models.report.figures_health import NEIGHBOURS
from gwm_models.report.figures_parts import (
    LEVEL,
    LINES,
    Asked,
    Made,
    Number,
    by_level,
    edition_period,
    left_out_of,
    longer,
    n_words,
    r_number,
    r_only,
    r_title,
    r_words,
    slope_number,
    total_scatter,
)
from gwm_models.report.figures_sources import edition_sources, sources_of

JOBS = (
    ("universal_credit_rise", "Rise in Universal Credit", "Rise in households, % of people aged 16-64", 1),
    ("furlough_takeup", "Furlough", "Take-up, % of eligible employments", 1),
)
MORTALITY = (("covid19_mortality", "Covid-19"), ("non_covid19_mortality", "All other causes"))


def labour_market(asked: Asked) -> Made:
    """Set the labour market of spring 2020 against the total."""
    edition = asked.edition
    outcomes = [find_outcome(name) for name, _, _, _ in JOBS]
    lines = [line_on_total(edition, one) for one in outcomes]
    both = _jobs_line(labour_market_index(edition))
    fit = fit_outcome("covid", "labour-market", edition=edition)
    axes = [Axis(axis, label, places) for _, label, axis, places in JOBS]
    return Made(
        title=(
            f"Jobs were {longer(both.slope, 'hit less', 'hit more')} in spring 2020 where good work was higher: "
            f"{r_only(lines[0].r)} with the rise in Universal Credit, {r_only(lines[1].r)} with furlough"
        ),
        specs=[
            spec
            for line, axis, title in (
                *((line, axis, axis.short) for line, axis in zip(lines, axes, strict=True)),
                (both, Axis("Index points (higher: less affected)", "Labour-market index", 1), "Index of both"),
            )
            for spec in total_scatter(line, axis, title=r_title(title, line))
        ],
        reading=(
            "More households claiming, and more jobs furloughed, is worse. In the index of both, higher is better: "
            "each is scored from 1 (most affected) to 100 and the two are added, as in the report.",
        ),
        interval=by_level(LEVEL, LINES),
        period=f"{fit.period} against {edition_period(edition)}",
        unit="% of people aged 16-64; % of eligible employments; index points, 2 to 200",
        n=n_words([*lines, both]),
        numbers=tuple(one for line in (*lines, both) for one in (r_number(line), slope_number(line, 2))),
        sources=(*sources_of((), [one.variable for one in outcomes]), *edition_sources(edition)),
        left_out=left_out_of(lines),
        caution=f"{fit.not_shown} {fit.assumptions[0]} {fit.assumptions[1]} {NEIGHBOURS}",
    )


def _jobs_line(jobs: Jobs) -> TotalLine:
    """Fit the labour-market index on the total."""
    places = np.flatnonzero(jobs.kept)
    return straight_line(
        jobs.total,
        jobs.index,
        code=[jobs.section.code[i] for i in places],
        name=[jobs.section.name[i] for i in places],
        label="Labour-market index of spring 2020",
        unit="index points",
        period=JOBS_PERIOD,
        excluded=jobs.excluded,
    )


def spring_mortality(asked: Asked) -> Made:
    """Set Covid-19 and other mortality of spring 2020 against the total."""
    edition = asked.edition
    outcomes = [find_outcome(name) for name, _ in MORTALITY]
    lines = [line_on_total(edition, one) for one in outcomes]
    fit = fit_outcome("covid", "mortality", edition=edition)
    row = _difference(fit, len(lines[0]))
    ratios = [one for one in fit.tables["compared"] if one["measure"] == "rate ratio" and not one["held_equal"]]
    covid, other = (r_words(line.r, line.r_lower, line.r_upper) for line in lines)
    how = "only loosely" if abs(lines[0].r) < abs(lines[1].r) else "more closely"
    return Made(
        title=(
            f"In spring 2020 Covid-19 deaths followed good work {how}, {covid}; deaths from all other causes, {other}"
        ),
        specs=[
            spec
            for line, (_, label) in zip(lines, MORTALITY, strict=True)
            for spec in total_scatter(
                line, Axis("Deaths per 100,000 in four months", label, 1), title=r_title(label, line), limits=True
            )
        ],
        reading=(
            "A dot is an area with its published limits. Rates are standardised for age; the two charts have their own "
            "scales.",
        ),
        interval=by_level(LEVEL, f"{LINES}, Zou's for their difference; dots have their published limits"),
        period=f"Deaths 1 March to 30 June 2020 against {edition_period(edition)}",
        unit="age-standardised deaths per 100,000 in four months",
        n=n_words(lines),
        numbers=(
            *(one for line in lines for one in (r_number(line), slope_number(line, 1))),
            Number.of("Difference of the correlations, Covid-19 less other causes", "difference of r", row, row["n"]),
            *(
                Number.of(f"Ratio of deaths to those expected, for 100 points: {label}", "rate ratio", one, one["n"])
                for one, (_, label) in zip(ratios, MORTALITY, strict=False)
            ),
        ),
        sources=(*sources_of((), [one.variable for one in outcomes]), *edition_sources(edition)),
        left_out=left_out_of(lines),
        caution=f"{fit.not_shown} {NEIGHBOURS}",
    )


def _difference(fit: Fit, n: int) -> Mapping[str, Any]:
    """Return the row of the difference of both correlations over so many areas, or over all."""
    rows = [row for row in fit.tables["compared"] if row["outcome"] == "difference" and row["measure"] == "correlation"]
    return next((row for row in rows if row["n"] == n), rows[0])
