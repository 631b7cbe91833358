"""A made-up country and one made-up run of a scenario over it, in the shape of summary.json and areas.csv."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

STEMS = (
    "Ashby",
    "Birchwood",
    "Coldwater",
    "Dunmere",
    "Eastfold",
    "Fernley",
    "Greyport",
    "Hollin",
    "Ivelchester",
    "Jessop and Upper Marl",
    "Kelsea",
    "Lowmoor",
    "Merrow",
    "Northwick",
    "Oxcombe",
    "Pellham",
    "Quarley",
    "Ravensby and the Holmes",
    "Saltmarsh",
    "Teasel Vale",
    "Underhill",
    "Vale of Wend",
    "Westering",
    "Yarmoor",
)
REGIONS = ("Northmarch", "Midvale", "Southshore")
HEALTH = {
    "healthy_life_expectancy_male": "Healthy life expectancy, men",
    "healthy_life_expectancy_female": "Healthy life expectancy, women",
}
LAYERS = {
    "size_of_effect": "Size of the effect",
    "points_per_unit": "Points per unit",
    "additionality": "Additionality",
    "indicator_sampling": "Sampling error of the indicators",
    "health_slope": "Health slope",
}


def spread(estimate: float, std_error: float, **more: Any) -> Row:
    """Give one estimate with a 90% normal interval, as result rows hold it."""
    return {
        "estimate": estimate,
        "std_error": std_error,
        "lower": estimate - 1.645 * std_error,
        "upper": estimate + 1.645 * std_error,
        "level": 0.9,
        **more,
    }


def noise(number: float) -> float:
    """Give a number from -1 to 1 that looks random and is always the same."""
    return math.sin(12.9898 * number) * math.cos(78.233 * number)


def made_up_areas(n_areas: int, names: Sequence[str]) -> list[Row]:
    """List the areas of a made-up country, best score first."""
    return [
        {
            "area_code": f"X{number:08d}",
            "area_name": names[number % len(names)] + ("" if number < len(names) else f" {number // len(names) + 1}"),
            "region_name": REGIONS[number % len(REGIONS)],
            "total": 500.0 - 380.0 * number / max(n_areas - 1, 1),
        }
        for number in range(n_areas)
    ]


def area_rows(areas: Sequence[Row], treated: set[str], gain: float, year: int) -> list[Row]:
    """Give the long rows of areas.csv for a gain of `gain` points in the treated areas."""
    rows: list[Row] = []
    for place, area in enumerate(areas, start=1):
        hit = area["area_code"] in treated
        own = gain * (1 + 0.2 * noise(place)) if hit else 0.0
        base = {name: area[name] for name in ("area_code", "area_name", "region_name")} | {"treated": hit}
        for quantity, label, unit, states in (
            ("total", "Monitor total", "points (6-600)", score_states(area["total"], own, place)),
            ("access", "Labour market access", "points (2-200)", score_states(area["total"] / 3, own, place)),
            ("rank", "Rank (1 is best)", "rank", rank_states(place, round(own / 4), len(areas))),
            *health_states(area["total"], own, place),
        ):
            named = {**base, "year": year, "quantity": quantity, "label": label, "unit": unit}
            rows += [{**named, "state": state, **value} for state, value in states.items()]
    return rows


def printed(estimate: float) -> Row:
    """Give a published figure: no interval, no draws."""
    return dict.fromkeys(("std_error", "lower", "upper", "level", "n")) | {"estimate": estimate}


def score_states(total: float, own: float, place: int) -> dict[str, Row]:
    """Give the score of one area as published, before, after and its change by `own` points."""
    start = total + 5 * noise(place)
    return {
        "published": printed(total),
        "baseline": spread(start, 16.0),
        "scenario": spread(start + own, 16.5),
        "difference": spread(own, 0.35 * own, prob_better=0.987 if own else 0.0),
    }


def rank_states(place: int, climb: int, count: int) -> dict[str, Row]:
    """Give the rank of one area as published, before, after and its change."""
    half = 2 + 7 * math.sin(math.pi * place / count)

    def around(middle: int) -> Row:
        middle = min(max(middle, 1), count)
        ends = {"lower": max(1, round(middle - half)), "upper": min(count, round(middle + half))}
        return {"estimate": middle, "std_error": half / 1.6, "level": 0.9, **ends}

    low = float(place > 0.8 * count)
    chances = {"prob_better": 0.9, "prob_rank_improves": 0.9, "prob_leaves_bottom_fifth": 0.31 * low} if climb else {}
    return {
        "published": printed(place),
        "baseline": around(place) | {"prob_bottom_fifth": low},
        "scenario": around(place - climb) | {"prob_bottom_fifth": 0.69 * low},
        "difference": spread(-climb, 1.5 if climb else 0.0, **chances),
    }


def health_states(total: float, own: float, place: int) -> list[tuple[str, str, str, dict[str, Row]]]:
    """Give the health of one area before, after and its change; the third area has no figure."""
    years = 56 + 12 * total / 500 + noise(place)
    states = {
        "baseline": spread(years, 0.8),
        "scenario": spread(years + own * 0.008, 0.9),
        "difference": spread(own * 0.008, own * 0.004, prob_better=0.97 if own else 0.0),
    }
    if place == 3:
        states = {state: dict.fromkeys(value) for state, value in states.items()}
    return [(outcome, label, "years (baseline 2016-18)", states) for outcome, label in HEALTH.items()]


def group_rows(names: Sequence[str], gain: float) -> list[Row]:
    """Give the group rows: score, domain and rank of each group before, after and the difference."""
    rows = []
    for group in names:
        own = gain if group == "Target areas" else gain / 4
        for quantity, label, unit, start, change in (
            ("total", "Mean Monitor total", "points (6-600)", 240.0, own),
            ("access", "Mean labour market access", "points (2-200)", 90.0, own),
            ("rank", "Mean rank (1 is best)", "rank", 60.0, -own / 4),
        ):
            named = {"group": group, "n_areas": 8, "quantity": quantity, "label": label, "unit": unit, "n": 4000}
            rows += [
                {**named, "state": "baseline", **spread(start, 5.0)},
                {**named, "state": "scenario", **spread(start + change, 6.0)},
                {**named, "state": "difference", **spread(change, 0.3 * abs(change), prob_better=0.98)},
            ]
    return rows


def sum_rows(groups: Sequence[str], gain: float) -> list[Row]:
    """Give the people and the years of healthy life behind a gain in each group."""
    return [
        {"group": group, "kind": kind, "quantity": quantity, "label": label, "unit": unit, "state": "difference"}
        | spread(each * gain, 0.4 * each * gain, n=4000)
        for kind, quantity, label, unit, each in (
            ("people", "economic_activity_rate", "Economically active residents", "people", 4000.0),
            ("healthy_years", "both", "Years of healthy life in the year", "years of healthy life", 600.0),
        )
        for group in groups
    ]


def split_rows(gain: float) -> list[Row]:
    """Give the Gini coefficient before and after, and the parts of its change."""
    change = 0.0002 * gain
    return [
        {"measure": measure, "label": label, "unit": "index", "state": state, **spread(estimate, abs(estimate) / 9)}
        for measure, label, state, estimate in (
            ("gini", "Gini coefficient", "baseline", 0.13),
            ("gini", "Gini coefficient", "scenario", 0.13 - 0.9 * change),
            ("gini", "Gini coefficient", "difference", -0.9 * change),
            ("progressivity", "Progressivity", "difference", change),
            ("reranking", "Re-ranking", "difference", 0.1 * change),
        )
    ]


def renormalised_rows(names: Sequence[str], gain: float) -> list[Row]:
    """Give the change of each group on the frozen scale and on a scale drawn anew."""
    return [
        {"group": group, "scaling": scaling, "quantity": "total", "label": "Mean Monitor total"}
        | {"unit": "points (6-600)", "state": "difference", **spread(gain * share, 0.3 * gain)}
        for group in names
        for scaling, share in (("frozen", 1.0), ("renormalised", 0.9))
    ]


def health_rows(groups: Sequence[str], gain: float) -> list[Row]:
    """Give the three lines of each outcome for each group."""
    slopes = {"full association": 0.033, "stated link": 0.008, "none": 0.0}
    return [
        {"outcome": outcome, "label": label, "unit": "years", "group": group, "line": line}
        | {"link": "within: the share that has moved with an area over time", "n": 4000}
        | spread(gain * slope * scale, gain * slope * scale * 0.4)
        for outcome, label in HEALTH.items()
        for group, scale in zip(groups, (1.0, 0.25), strict=False)
        for line, slope in slopes.items()
    ]


def action(areas: Sequence[Row], *, cost: bool) -> Row:
    """Give one action as the summary tells it."""
    return {
        "id": "participation",
        "indicator": "economic_activity_rate",
        "indicator_label": "Economic activity rate, ages 16 to 64",
        "unit": "percentage points",
        "change": "Economic activity rate: +2 percentage points (90% range 0.5 to 3.2); linear from 2026",
        "n_targets": len(areas),
        "picked_by": "total",
        "targets": [
            {"area_code": area["area_code"], "area_name": area["area_name"]}
            | {"value": area["total"] + 5.5, "published": area["total"]}
            for area in areas
        ],
        "asked": {"estimate": 2.0, "lower": 0.5, "upper": 3.2},
        "delivered": {"estimate": 1.36, "lower": 0.33, "upper": 2.19},
        "prob_clamped": 0.004,
        "points_per_unit": {"estimate": 5.1295, "std_error": 0.0, "status": "reproduced"},
        "regression_to_mean": {"estimate": 4.2, "unit": "points", "note": "Not counted as an effect."},
        "cost": {"total": 1.234e9, **spread(1.234e9, 1e8), "unit": "GBP", "price_base": 2025, "words": "recurring: £40"}
        if cost
        else None,
        "evidence": {"source": "Programme evaluation", "grade": "moderate"},
    }


def model_row(outcome: str, label: str) -> Row:
    """Give one outcome model with its slope between and within areas."""
    unit = {"unit": "years per 100 points", "level": 0.95}
    between = {"term": "between", "exposure": "total", "n": 115, "n_clusters": 115, "period": "2016-18"}
    within = {"term": "within", "exposure": "access", "n": 1150, "n_clusters": 115, "period": "2010-2019"}
    return {
        "outcome": outcome,
        "label": label,
        "equation": f"{label} = a + b x Monitor total, areas weighted by published precision",
        "slope_between": spread(3.16, 0.2) | between | unit | {"method": "HC3 standard errors", "excluded": "Greyport"},
        "slope_within": spread(0.81, 0.36) | within | unit | {"method": "area and year effects", "excluded": ""},
        "share": {"estimate": 0.26, "words": "within: the share that has moved with an area over time"},
        "exclusions": ["Greyport (no published limits)"],
    }


def inequality_rows(gain: float) -> list[Row]:
    """Give two measures of inequality before, after and the difference."""
    rows = []
    for measure, label, unit, start, change in (
        ("sii", "Slope index of inequality", "points", 322.0, -0.4 * gain),
        ("theil_region", "Theil index between regions", "ratio", 0.0123, -0.00004 * gain),
    ):
        shared = {"measure": measure, "label": label, "unit": unit}
        rows += [
            {**shared, "state": "baseline", **spread(start, abs(start) * 0.03)},
            {**shared, "state": "scenario", **spread(start + change, abs(start) * 0.03)},
            {
                **shared,
                "state": "difference",
                **spread(change, abs(change) * 0.4),
                "prob_narrower": 0.993 if gain else 0.0,
            },
        ]
    return rows


def made_up_run(
    n_areas: int = 24,
    n_treated: int = 6,
    *,
    names: Sequence[str] = STEMS,
    title: str = "Participation drive in the weakest northern areas",
    cost: bool = True,
) -> tuple[Row, list[Row], Row]:
    """Give ``(summary, areas, manifest)`` of one run; ``n_treated=0`` is the null scenario."""
    areas = made_up_areas(n_areas, names)
    chosen = areas[len(areas) - n_treated :] if n_treated else []
    gain = 9.6 if n_treated else 0.0
    groups = ["Target areas", "All areas"] if n_treated else ["All areas"]
    summary: Row = {
        "schema": "gwm-summary/1",
        "scenario": {
            "id": "participation-drive",
            "title": title,
            "question": "How far does it close the gap in good work and healthy life by 2035?",
            "source": "Made up for this example",
        },
        "edition": {"name": "made-up", "title": "Made-up Monitor, January 2021", "n_areas": n_areas},
        "year": 2035,
        "start": 2026,
        "level": 0.9,
        "draws": 4000,
        "seed": 20260101,
        "headline": (
            f"By 2035 the {n_treated} areas score 9.6 points more (90% interval 4.9 to 14.3), "
            "and a man born there can expect 0.08 more years in good health (0.03 to 0.13)."
            if n_treated
            else "Nothing is changed: every difference is zero."
        ),
        "actions": [action(chosen, cost=cost)] if n_treated else [],
        "groups": group_rows([*groups, *REGIONS], gain),
        "health": health_rows(groups, gain),
        "inequality": inequality_rows(gain),
        "inequality_split": split_rows(gain),
        "sums": sum_rows(groups, gain),
        "costs": [{"action": "participation", "unit": "GBP", "price_base": 2025, **spread(1.234e9, 1e8)}]
        if cost and n_treated
        else [],
        "variance": [
            {"quantity": quantity, "label": label, "layer": layer, "label_layer": words, "share": share}
            for quantity, label in {"total": "Monitor total", **HEALTH}.items()
            for (layer, words), share in zip(LAYERS.items(), (0.95, 0.0, 0.04, 0.01, 0.0), strict=True)
        ]
        if n_treated
        else [],
        "path": [
            {"group": "Target areas", "quantity": "total", "year": year, "state": "difference"}
            | spread(gain * min(1, (year - 2025) / 4), 0.3 * gain * min(1, (year - 2025) / 4))
            for year in range(2026, 2036)
        ]
        if n_treated
        else [],
        "models": [model_row(outcome, label) for outcome, label in HEALTH.items()],
        "break_even": [
            {
                "outcome": outcome,
                "label": label,
                "text": "A tenth of the association would have to be causal.",
            }
            for outcome, label in HEALTH.items()
        ],
        "renormalised": renormalised_rows(groups, gain),
        "assumptions": [
            "Areas that are not targets stay as they were.",
            "Bounds are frozen at this edition.",
        ],
        "warnings": ["The status of the points per unit is calibrated for pay."],
        "sources": [
            {
                "table": "monitor_scores",
                "producer": "Office of Made-up Statistics",
                "title": "Good Work Monitor",
                "period": "January 2021",
                "licence": "Open Government Licence v3.0",
                "attribution": "Contains public sector information.",
            }
        ],
    }
    manifest: Row = {
        "schema": "gwm-manifest/1",
        "toolkit_version": "0.1.0",
        "command": "gwm run scenarios/participation-drive.yaml",
        "created": "2026-01-01T09:00:00Z",
        "seed": 20260101,
        "draws": 4000,
        "python": "3.11.9",
        "numpy": "2.1.0",
        "platform": "Linux-x86_64",
        "scenario_sha256": "a" * 64,
        "data_sha256": "b" * 64,
        "package_versions": {"numpy": "2.1.0", "jinja2": "3.1.6"},
    }
    return summary, area_rows(areas, {area["area_code"] for area in chosen}, gain, 2035), manifest
