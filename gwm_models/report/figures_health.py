"""Remade figures of the report's chapter on good work and health."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gwm_models.data.edition import Edition
from gwm_models.data.vocabulary import MONITOR
from gwm_models.errors import DataError
from gwm_models.index.correlation import fisher_interval
from gwm_models.models.catalogue import find_spec, fit_outcome, stored_fit
from gwm_models.models.fit import Fit
from gwm_models.models.outcomes import find_outcome, find_subject
from gwm_models.models.total_line import TotalLine, line_on_total
from gwm_models.plots.forest import Words, forest
from gwm_models.plots.scatter import Axis
from gwm_models.plots.words import interval, number
from gwm_models.report.figures_parts import (
    LEVEL,
    LINES,
    NOT_CAUSE,
    Asked,
    Made,
    Number,
    Row,
    Spec,
    by_level,
    edition_period,
    left_out_of,
    longer,
    n_words,
    r_number,
    r_title,
    r_words,
    slope_number,
    total_scatter,
)
from gwm_models.report.figures_sources import edition_sources, sources_of

SEXES = {"male": "Men", "female": "Women"}
HEALTHY = "healthy_life_expectancy"
DESPAIR = (
    ("suicide", "Suicide", "Deaths per 100,000 a year", 1),
    ("alcohol_related_admissions", "Alcohol, admissions", "Admissions per 100,000 a year", 0),
    ("drug_misuse_admissions", "Drug misuse, admissions", "Admissions per 100,000 a year", 0),
    ("self_harm_admissions", "Self-harm, admissions", "Admissions per 100,000 a year", 0),
)
MODELLED = "Slope within areas on access, survey noise modelled, as scenarios use it"
SLOPES = (
    ("between-within", "between", "Slope between areas on access"),
    ("within", "access", "Slope within areas on access"),
    ("within-corrected", "access", "Slope within areas on access over three years, noise taken out by correction"),
)
SHORT = (
    "between areas, access",
    "within areas, access",
    "within areas, three-year access, noise corrected",
    "within areas, access, noise modelled, as scenarios use it",
)
NEIGHBOURS = "Neighbouring areas are alike, so that the areas are worth fewer independent ones than they are."


def healthy_life(asked: Asked) -> Made:
    """Set healthy life expectancy against the total, with the slope between areas and the one within them."""
    edition = asked.edition
    lines = {sex: line_on_total(edition, find_outcome(f"{HEALTHY}_{sex}")) for sex in SEXES}
    within = {sex: fit_outcome(f"{HEALTHY}_{sex}", "within", edition=edition) for sex in SEXES}
    slopes = {sex: _panel_slopes(edition, sex) for sex in SEXES}
    numbers = [
        number_of for sex in SEXES for number_of in (r_number(lines[sex]), slope_number(lines[sex], 2), *slopes[sex])
    ]
    modelled = [one for one in numbers if one.what.startswith(MODELLED)]
    between = " and ".join(f"{number(abs(lines[sex].slope), 1)} years ({SEXES[sex].lower()})" for sex in SEXES)
    access = " and ".join(number(slopes[sex][0].estimate, 1) for sex in SEXES)
    inside = " and ".join(f"{number(a, 1)} ({interval(b, c, 1)})" for a, b, c in map(_focus, within.values()))
    specs: list[Spec] = []
    for sex, line in lines.items():
        specs += total_scatter(
            line,
            Axis("Healthy life expectancy at birth, years", "Years", 1),
            title=r_title(SEXES[sex], line),
            limits=True,
        )
    rows = [row for sex in SEXES for row in _slope_rows(lines[sex], slopes[sex], SEXES[sex])]
    words = Words("Slope", "Years for 100 points", "Slope", "95% interval", places=2)
    told = "; ".join(f"{row['name']} {number(row['estimate'], 2)}" for row in rows)
    specs += forest(
        rows,
        words,
        description=f"Slopes of healthy life, in years for 100 points: {told}.",
        title="The slopes beside each other",
    )
    return Made(
        title=(
            f"Healthy life is {between} {longer(lines['male'].slope, 'longer', 'shorter')} where the total is 100 "
            f"points higher; for 100 points of access it is {access} years between areas, but {inside} within the same "
            "areas over time"
        ),
        specs=specs,
        reading=(
            "A dot is an area with its published limits; the line is that of all areas with its interval. Slopes "
            "between areas and within the same areas over time answer different questions: taking the line for the "
            "effect of a policy can overstate it several times.",
            f"Survey noise pulls the slope within areas towards zero. {_noise_words(modelled, edition)}",
        ),
        interval=by_level(
            LEVEL,
            f"{LINES}; clustered by area for slopes over time, of the posterior where noise is modelled; dots have "
            "their published limits",
        ),
        period=f"2016-18 against {edition_period(edition)}; within areas {within['male'].period}",
        unit="years of healthy life expectancy at birth; slopes for 100 points",
        n=(
            f"{n_words(list(lines.values()))}; within areas {len(within['male'].sample)} units with "
            f"{within['male'].n:,} figures"
        ),
        numbers=tuple(numbers),
        sources=(*sources_of((), ("healthy_life_expectancy_at_birth",)), *edition_sources(edition)),
        left_out=left_out_of(list(lines.values())),
        caution=(
            f"{NOT_CAUSE} Slopes within areas are of the access domain, the only one with long yearly figures; compare "
            f"them with those between areas on access, not on the total. {NEIGHBOURS} {_spatial_words(edition)}"
        ).strip(),
    )


def disease_correlations(asked: Asked) -> Made:
    """Set the printed correlations with disease burden beside those of open figures."""
    edition = asked.edition
    if edition.name != MONITOR:
        raise DataError(f"The table of disease burden was printed with {MONITOR} and says nothing of {edition.name}.")
    printed = fit_outcome("disease_burden", edition=edition)
    opened = fit_outcome("despair", "correlations", edition=edition)
    table: list[dict[str, Any]] = [
        {
            "name": row["term"],
            "estimate": row["estimate"],
            "lower": row["lower"],
            "upper": row["upper"],
            "other": row["printed_r"],
        }
        for row in printed.tables["published"]
    ]
    own = [_near(row) for row in opened.tables["correlations"]]
    sure = [row for row in printed.tables["published"] if row["q_value"] < 1 - LEVEL]
    first = min(table, key=lambda row: row["estimate"])
    apart = sum(row["wide_lower"] > 0 or row["wide_upper"] < 0 for row in own)
    axis = "Pearson's r"
    words = Words("Disease", axis, "Recomputed from the printed t", "95% interval", other="As printed")
    ours = Words("Outcome", axis, "From open figures", "95% interval", wide="95% interval, neighbours alike")
    low = min(0.0, *(row["lower"] for row in table), *(row["wide_lower"] for row in own))
    high = max(0.0, *(row["upper"] for row in table), *(row["wide_upper"] for row in own))
    ends = (np.floor(10 * low) / 10, np.ceil(10 * high) / 10)
    return Made(
        title=(
            f"The burden of {len(sure)} of {len(table)} diseases is lower where good work is higher, "
            f"{_lower_first(str(first['name']))} most ({r_words(first['estimate'], first['lower'], first['upper'])}); "
            f"of {len(own)} open figures, {apart} are told from zero once neighbours count as alike"
        ),
        specs=[
            *forest(
                table,
                words,
                description="Correlations of disease burden with the Monitor total, recomputed from the printed t: "
                + "; ".join(f"{row['name']} {number(row['estimate'], 2)}" for row in table)
                + ".",
                title="The report's table, checked against itself",
                domain=ends,
            ),
            *forest(
                own,
                ours,
                description="Correlations of open outcomes with the Monitor total: "
                + "; ".join(f"{row['name']} {number(row['estimate'], 2)}" for row in own)
                + ".",
                title="Our correlations with open outcomes",
                domain=ends,
            ),
        ],
        reading=(
            "First each printed correlation, worked out again from its printed t over 118 areas: "
            f"{printed.diagnostics['printed_r_that_agree']} of {len(table)} agree with the printed one. Then what open "
            "figures give; the grey bar counts only as many areas as independent ones would be worth.",
            "A disease counts in the title where its q value (Benjamini and Hochberg) is below 0.05, over all of the "
            "table. Bournemouth and Poole, which share their open figures, count as one unit here; the next figure "
            "leaves them out, so its correlations can differ in the second decimal.",
        ),
        interval=by_level(LEVEL, "Fisher's, for each correlation alone"),
        period=f"Disease burden: {printed.period}; open outcomes: {opened.period}",
        unit="Pearson's r, from −1 to 1",
        n=f"{printed.n} areas (table), {_sizes(opened)} units (open figures)",
        numbers=tuple(
            Number(
                f"{row['name']} with the total", "Pearson's r", row["estimate"], row["lower"], row["upper"], LEVEL, n
            )
            for row, n in (
                *((row, printed.n) for row in table),
                *zip(own, (int(row["n"]) for row in opened.tables["correlations"]), strict=True),
            )
        )
        + tuple(
            Number(
                f"{row['name']} with the total, neighbours alike (n: effective number of units)",
                "Pearson's r",
                row["estimate"],
                row["wide_lower"],
                row["wide_upper"],
                LEVEL,
                round(float(found["effective_n"])),
                places=2 if min(abs(row["wide_lower"]), abs(row["wide_upper"])) >= 0.005 else 4,
            )
            for row, found in zip(own, opened.tables["correlations"], strict=True)
        ),
        sources=(
            *sources_of(("disease_correlations",)),
            *sources_of((), [find_outcome(str(row["term"])).variable for row in opened.tables["correlations"]]),
        ),
        left_out=opened.excluded,
        caution=f"{printed.not_shown} {NEIGHBOURS}",
    )


def despair(asked: Asked) -> Made:
    """Set suicide and admissions of despair against the total."""
    edition = asked.edition
    outcomes = [find_outcome(name) for name, _, _, _ in DESPAIR]
    lines = [line_on_total(edition, one) for one in outcomes]
    variables = [one.variable for one in outcomes]
    specs = [
        spec
        for line, (_, label, axis, places) in zip(lines, DESPAIR, strict=True)
        for spec in total_scatter(line, Axis(axis, label, places), title=r_title(label, line))
    ]
    place = int(np.argmax([abs(line.r) for line in lines]))
    strong, weak = lines[place], lines[int(np.argmin([abs(line.r) for line in lines]))]
    alike = len({line.r > 0 for line in lines}) == 1
    way = longer(strong.r, "more", "less") if alike else "differently"
    return Made(
        title=(
            f"Despair is {way} common where good work is higher: from {_r_of(weak)} for {_lower_first(weak.label)} "
            f"to {_r_of(strong)} for {_lower_first(strong.label)}, areas taken as independent"
        ),
        specs=specs,
        reading=(
            "A dot is an area; those furthest from each line are named. No limits are published for these rates.",
        ),
        interval=by_level(LEVEL, LINES),
        period=f"{'; '.join(dict.fromkeys(line.period for line in lines))} against {edition_period(edition)}",
        unit="deaths or admissions per 100,000 residents a year",
        n=n_words(lines),
        numbers=tuple(one for line in lines for one in (r_number(line), slope_number(line, 1))),
        sources=(*sources_of((), variables), *edition_sources(edition)),
        left_out=left_out_of(lines),
        caution=(
            f"{NOT_CAUSE} {NEIGHBOURS} Admissions also differ with how hospitals record them, and with who seeks help."
        ),
    )


def _focus(fit: Fit) -> tuple[float, float, float]:
    place = fit.place()
    return float(fit.estimate[place]), float(fit.lower[place]), float(fit.upper[place])


def _panel_slopes(edition: Edition, sex: str) -> tuple[Number, ...]:
    """Return the slopes on access, between areas and within them; that of scenarios only where it is stored."""
    outcome = f"{HEALTHY}_{sex}"
    fits = [(fit_outcome(outcome, spec, edition=edition), term, what) for spec, term, what in SLOPES]
    subject = find_subject(outcome)
    stored = stored_fit(edition, subject, find_spec(subject, "latent-panel"))
    fits += [(stored, "within", MODELLED)] if stored is not None else []
    found = []
    for fit, term, what in fits:
        i = fit.place(term)
        ends = (float(fit.estimate[i]), float(fit.lower[i]), float(fit.upper[i]))
        found.append(Number(f"{what}: {fit.label}", "years for 100 points of access", *ends, fit.level, fit.n))
    return tuple(found)


def _slope_rows(line: TotalLine, slopes: Sequence[Number], who: str) -> list[dict[str, Any]]:
    first = {"estimate": line.slope, "lower": line.slope_lower, "upper": line.slope_upper}
    return [{"name": f"{who}: between areas, total", **first}] + [
        {"name": f"{who}: {name}", "estimate": one.estimate, "lower": one.lower, "upper": one.upper}
        for name, one in zip(SHORT, slopes, strict=False)
    ]


def _noise_words(modelled: Sequence[Number], edition: Edition) -> str:
    """Say how two rows take survey noise out, the second only where it is there."""
    first = "One row takes the noise out by a correction of exposure over three years, at the price of a wide interval."
    if not modelled:
        command = f"gwm fit {HEALTHY}_male --spec latent-panel"
        command += "" if edition.name == MONITOR else f" --edition {edition.name}"
        return (
            f"{first} The slope that scenarios use is not fitted for this edition: `{command}` fits it, in minutes; "
            "women likewise."
        )
    spans = " and ".join(f"{number(one.estimate, 1)} ({interval(one.lower, one.upper, 1)})" for one in modelled)
    return f"{first} The last row models the noise: {spans} years, men and women, which scenarios use."


def _spatial_words(edition: Edition) -> str:
    """Say how wide the intervals of the slopes are once neighbours are counted as alike."""
    told = []
    for sex, who in SEXES.items():
        checks = fit_outcome(f"{HEALTHY}_{sex}", "no-shared", edition=edition).diagnostics
        if "spatial_lower" in checks:
            ends = (float(checks["spatial_lower"]), float(checks["spatial_upper"]))
            told.append(f"{interval(*ends, 2)} ({who.lower()})")
    return f"Counting that, the slope between areas is {' and '.join(told)}." if told else ""


def _near(row: Row) -> dict[str, Any]:
    """Return one correlation with its interval, and the wider one that counts neighbours as alike."""
    low, high = fisher_interval(row["estimate"], max(float(row["effective_n"]), 4.0))
    return {
        "name": row["label"],
        "estimate": row["estimate"],
        "lower": row["lower"],
        "upper": row["upper"],
        "wide_lower": float(low),
        "wide_upper": float(high),
    }


def _r_of(line: TotalLine) -> str:
    return r_words(line.r, line.r_lower, line.r_upper)


def _sizes(fit: Fit) -> str:
    sizes = sorted({int(row["n"]) for row in fit.tables["correlations"]})
    return f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
