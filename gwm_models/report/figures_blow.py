"""Remade figure of the areas that spring 2020 hit twice: by deaths with Covid-19 and by lost work."""

from __future__ import annotations

from typing import Any

import numpy as np

from gwm_models.models.catalogue import fit_outcome
from gwm_models.models.covid.jobs import JOBS_PERIOD, RISE, TAKEUP
from gwm_models.models.fit import Fit
from gwm_models.models.outcomes import find_outcome
from gwm_models.plots.labels import plain_name
from gwm_models.plots.scatter import Axis, Kind, Line, scatter
from gwm_models.plots.strips import strips
from gwm_models.plots.words import interval, number, percent
from gwm_models.report.figures_parts import LEVEL, Asked, Made, Number, Row, Spec, by_level, edition_period, longer
from gwm_models.report.figures_sources import edition_sources, sources_of

DEATHS = "covid19_mortality"
SURE = 0.95
"""Probability from which an area counts as surely hit twice."""
POSSIBLE = 0.05
"""Probability from which an area that was not hit twice, as published, is named as possibly so."""
MOST = 0.999
"""No area is told to be hit twice for certain."""
BOTH, UNSURE, OTHERS = range(3)
KINDS = (
    Kind(f"Hit by both, probability {SURE:g} or more", "after"),
    Kind("Hit by both, less sure", "after", filled=False),
    Kind("Not hit by both", "before"),
)
HIT, SPARED = "Hit by both", "Others"
ROOM = 0.06


def both_blows(asked: Asked) -> Made:
    """Set Covid-19 deaths against the labour market of spring 2020, with the areas that both hit above average."""
    edition = asked.edition
    fit = fit_outcome("covid", "double-blow", edition=edition)
    rows = [_point(row) for row in fit.tables["areas"]]
    hit = [row for row in rows if row["double_blow"]]
    place = fit.place()
    gap, least, most = (float(ends[place]) for ends in (fit.estimate, fit.lower, fit.upper))
    span = f" ({interval(min(abs(least), abs(most)), max(abs(least), abs(most)), 0)})" if least * most > 0 else ""
    found, expected, low, high = _counts(fit)
    n = len(rows)
    points, way = number(abs(gap), 0), longer(gap)
    return Made(
        title=(
            f"{found} of {n} areas were hit above average by both, Covid-19 deaths and lost work, where about "
            f"{number(expected, 0)} would be by chance; their totals are {points} points{span} {way} on average"
        ),
        specs=[*_quadrants(rows, found), *_totals(rows, f"{points} points {way}")],
        reading=(
            "Top left are the areas with more deaths and more loss of work than the average area; the names in the "
            f"chart are those with most of both. All {found}, with the probability that the area truly belongs, given "
            f"the published limits of its death rate: {_named(hit)}.",
            *_possible([row for row in rows if not row["double_blow"]]),
        ),
        interval=by_level(
            LEVEL,
            "Welch's for the difference of mean totals; the published limits of deaths for who belongs; for the number "
            f"by chance the exact distribution if the blows were independent (Fisher's exact test, p {_p(fit)})",
        ),
        period=f"Deaths 1 March to 30 June 2020; {JOBS_PERIOD}; scores: {edition_period(edition)}",
        unit="age-standardised deaths per 100,000 in four months; index points, 2 to 200; score points",
        n=f"{n} areas",
        numbers=(
            Number(
                "Areas hit by both; the interval is of those that truly belong",
                "areas",
                float(found),
                float(fit.diagnostics["areas_hit_twice_lower"]),
                float(fit.diagnostics["areas_hit_twice_upper"]),
                LEVEL,
                n,
                0,
            ),
            Number("Areas hit by both if the two were independent", "areas", expected, low, high, LEVEL, n, 1),
            Number("Mean total of areas hit by both less that of the others", "points", gap, least, most, LEVEL, n, 1),
        ),
        sources=(
            *sources_of((), [find_outcome(name).variable for name in (DEATHS, RISE, TAKEUP)]),
            *edition_sources(edition),
        ),
        left_out=fit.excluded,
        caution=f"{fit.not_shown} {fit.assumptions[0]} {fit.assumptions[2]} {fit.assumptions[5]}",
    )


def _point(row: Row) -> dict[str, Any]:
    """Make the drawn row of one area."""
    sure = float(row["prob_double_blow"])
    half = 1.96 * float(row["mortality_std_error"])
    return {
        **row,
        "area_name": plain_name(str(row["area_name"])),
        "x": float(row["labour_market_index"]),
        "y": float(row["mortality"]),
        "lower": float(row["mortality"]) - half,
        "upper": float(row["mortality"]) + half,
        "z": sure,
        "kind": OTHERS if not row["double_blow"] else BOTH if sure >= SURE else UNSURE,
        "group": HIT if row["double_blow"] else SPARED,
    }


def _counts(fit: Fit) -> tuple[int, float, float, float]:
    """Return how many were hit twice, and how many would be if the blows were independent, with an exact interval."""
    from scipy.stats import hypergeom

    rows = fit.tables["areas"]
    deadly, hard = (sum(bool(row[name]) for row in rows) for name in ("mortality_above", "hit_harder"))
    chance = hypergeom(len(rows), deadly, hard)
    low, high = chance.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    found, expected = int(fit.diagnostics["areas_hit_twice"]), float(fit.diagnostics["expected_if_independent"])
    return found, expected, float(low), float(high)


def _p(fit: Fit) -> str:
    value = float(fit.diagnostics["p_independent"])
    return "below 0.001" if value < 0.001 else number(value, 3)


def _quadrants(rows: list[dict[str, Any]], found: int) -> list[Spec]:
    """Draw deaths against the labour-market index, cut at both averages."""
    x, y = (np.array([row[name] for row in rows]) for name in "xy")
    ends = [row[end] for row in rows for end in ("lower", "upper")]
    room_x, room_y = ROOM * np.ptp(x), ROOM * (max(ends) - min(ends))
    across = [{"x": end, "y": float(y.mean())} for end in (x.min() - room_x, x.max() + room_x)]
    upright = [{"x": float(x.mean()), "y": end} for end in (min(ends) - room_y, max(ends) + room_y)]
    worst = (y - y.mean()) / y.std() + (x.mean() - x) / x.std()
    inside = np.array([bool(row["double_blow"]) for row in rows])
    order = [int(i) for i in np.argsort(-worst, kind="stable") if inside[i]]
    return scatter(
        rows,
        Axis("Labour-market index (higher: less affected)", "Labour-market index", 1),
        Axis("Covid-19 deaths per 100,000 in four months", "Covid-19 deaths", 1),
        description=(
            f"Deaths with Covid-19 against the labour-market index of spring 2020, {len(rows)} areas: {found} had more "
            "deaths and a lower index than the average area."
        ),
        title="Deaths and lost work",
        lines=[
            Line("Average of the areas", across, name="ink", dashed=True),
            Line("", upright, name="ink", dashed=True),
        ],
        limits="95% limits as published",
        outliers=order,
        kinds=KINDS,
        more=Axis("Probability of both", "Probability of both", 2),
        height=420,
    )


def _totals(rows: list[dict[str, Any]], told: str) -> list[Spec]:
    """Draw the totals of the areas that were hit twice, and of the others."""
    return strips(
        rows,
        group="group",
        value="total",
        axis="Total of the index, points",
        places=1,
        mean=float(np.mean([row["total"] for row in rows])),
        description=f"Totals of the areas hit by both and of the others: those hit by both are {told} on average.",
        title="Good work in the areas hit by both, and in the others",
        group_word="Spring 2020",
        order=[HIT, SPARED],
    )


def _named(rows: list[dict[str, Any]]) -> str:
    """Name areas with the probability of each, the same probability once."""
    told: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: -row["z"]):
        told.setdefault(percent(min(row["z"], MOST)), []).append(row["area_name"])
    return "; ".join(f"{', '.join(sorted(names))} ({words})" for words, names in told.items())


def _possible(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Name the areas that were not hit twice, as published, and yet may have been."""
    near = [row for row in rows if row["z"] >= POSSIBLE]
    return (f"Not hit by both as published, but possibly so: {_named(near)}.",) if near else ()
