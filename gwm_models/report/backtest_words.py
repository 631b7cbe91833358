"""The back-test in a few sentences, every number taken from its tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwm_models.report.backtest import read_backtest, read_summary

Row = Mapping[str, Any]

NAMES = {"economic_activity_rate": "activity", "unemployment_rate": "unemployment", "median_pay": "pay"}
FURTHEST = "3"
"""Years ahead at which the regression of the worst areas is told."""
FAR = ("6", "7", "8")
"""Years ahead of which coverage of means and the error beside the last figure are told."""
YEARS_APART = "6"
"""Years between the windows of health that are told."""


def backtest_words(folder: Path) -> list[str]:
    """Sum the back-test in a folder of results up in sentences: indicators, points, totals, ranks, links, shocks.

    Raises
    ------
    DataError
        If a table cannot be read.
    """
    summary = read_summary(folder)
    scores = {(row["quantity"], row["rule"]): row for row in summary["scores"]}
    return [
        _coverage(summary, scores),
        _far(folder),
        _known(),
        _points(scores),
        _totals(scores),
        _ranks(folder),
        _worst(folder),
        _links(folder, summary["links"]),
        _shock(folder),
    ]


def _coverage(summary: Row, scores: Mapping[tuple[str, str], Row]) -> str:
    first, last = summary["origins"]
    trend, widened, held = (scores["indicators", rule] for rule in ("trend", "trend_widened", "held"))
    inside = [f"{row['coverage_90']:.0%} (means {row['coverage_90_of_mean']:.0%})" for row in (trend, widened, held)]
    return (
        f"From each year of {first} to {last}, with figures up to it alone, 90% intervals of the trends of activity, "
        f"unemployment and pay covered {inside[0]} of what areas had in the next {summary['years_ahead']} years; "
        f"widened by the errors seen until then {inside[1]}; levels held as they were {inside[2]}. 50% intervals of "
        f"the trends covered {trend['coverage_50']:.0%}, widened {widened['coverage_50']:.0%}."
    )


def _far(folder: Path) -> str:
    rows = {(row["quantity"], row["rule"], row["horizon"]): row for row in read_backtest(folder, "horizons")}

    def told(name: str, rule: str, column: str, form: str) -> list[str]:
        return [format(float(rows[name, rule, ahead][column]), form) for ahead in FAR]

    def errors(name: str, rule: str) -> list[float]:
        return [float(rows[name, rule, ahead]["rmse"]) for ahead in FAR]

    inside, beside = [], []
    for name, short in NAMES.items():
        inside.append(f"{short} {', '.join(told(name, 'trend_widened', 'coverage_90_of_mean', '.0%'))}")
        trend, last = (", ".join(told(name, rule, "rmse", ".2f")) for rule in ("trend_widened", "last_figure"))
        beside.append(f"{short} {trend} against {last}")
    worse = [
        short
        for name, short in NAMES.items()
        if all(a > b for a, b in zip(errors(name, "trend_widened"), errors(name, "last_figure"), strict=True))
    ]
    return (
        f"{', '.join(FAR[:-1])} and {FAR[-1]} years ahead the widened 90% intervals of the mean of areas covered what "
        f"came from this share of years: {'; '.join(inside)}; and the root mean squared error of the trend, against "
        f"that of the last published figure, was: {'; '.join(beside)}"
        + (f"; at each of them no change did better for {' and '.join(worse)}." if worse else ".")
    )


def _known() -> str:
    return (
        "Figures after a year are kept out, but not quite everything: a survey error for which no limits are published "
        "is filled from limits of all years, later ones too."
    )


def _points(scores: Mapping[tuple[str, str], Row]) -> str:
    def errors(rule: str) -> str:
        return ", ".join(f"{scores[name, rule]['mae']:.2f}" for name in NAMES)

    return (
        f"As a single number the trend tells no more than levels held: mean absolute error {errors('trend')} (points "
        f"of {' and '.join(list(NAMES.values())[:2])}, per cent of median pay) against {errors('held')}; the last "
        f"published figure {errors('last_figure')}, a straight line through the last five {errors('line')}."
    )


def _totals(scores: Mapping[tuple[str, str], Row]) -> str:
    rules = [scores["total", rule] for rule in ("trend", "trend_widened", "held")]
    inside = ", ".join(f"{row['coverage_90']:.0%}" for row in rules)
    errors = ", ".join(f"{row['mae']:.1f}" for row in rules)
    return (
        f"Totals of the open editions 2018 to 2021, from each earlier one: 90% intervals of trend, widened trend and "
        f"held levels covered {inside}; mean absolute error {errors} points, of the "
        f"last published total {scores['total', 'last_figure']['mae']:.1f}."
    )


def _ranks(folder: Path) -> str:
    rows = [row for row in read_backtest(folder, "reliability") if row["rule"] == "trend_widened"]
    low, high = ({row["chance_from"]: row for row in rows}[start] for start in ("0.3", "0.6"))
    skills = [float(row["skill"]) for row in read_backtest(folder, "ranks") if row["rule"] == "trend_widened"]
    return (
        f"Chances of a better rank mean what they say: of areas given 30 to 40% (mean {float(low['mean_chance']):.0%}) "
        f"{float(low['share_better']):.0%} rose, of those given 60 to 70% (mean {float(high['mean_chance']):.0%}) "
        f"{float(high['share_better']):.0%}; but they are seldom far from a half, so they beat a constant chance by "
        f"{min(skills):.0%} to {max(skills):.0%} only."
    )


def _worst(folder: Path) -> str:
    rows = {row["quantity"]: row for row in read_backtest(folder, "worst") if row["horizon"] == FURTHEST}
    told = ", ".join(
        f"{NAMES[name]} {float(rows[name]['share_forecast']):.0%} and {float(rows[name]['share_came']):.0%}"
        for name in NAMES
    )
    return (
        f"Of the published gap of the 20 worst areas to the mean, this share was forecast to be gone {FURTHEST} years "
        f"later by regression alone, and was gone: {told}."
    )


def _links(folder: Path, links: Row) -> str:
    bias = {
        (row["quantity"].removeprefix("healthy_life_expectancy_"), row["rule"]): float(row["bias"])
        for row in read_backtest(folder, "health")
        if row["horizon"] == YEARS_APART
    }

    def told(link: str) -> str:
        return f"{bias['male', link]:.1f} and {bias['female', link]:.1f}"

    far = [row for row in read_backtest(folder, "health_slopes") if row["horizon"] == YEARS_APART]
    access, moved = float(far[0]["mean_access"]), [_signed(row["mean_change"]) for row in far]
    return (
        f"From 2012-14 to 2018-20 mean access rose by {access:.0f} points and healthy life expectancy of men and women "
        f"moved by {' and '.join(moved)} years: the full association forecast {told('between')} years too much, the "
        f"within link {told('within')}, no link {told('none')}. How areas that gained more access differed in later "
        f"years agrees with the within slope fitted before in {links['within_holds']} of {links['trials']} trials, "
        f"with the full association in {links['between_holds']}."
    )


def _shock(folder: Path) -> str:
    rows = {(row["quantity"], row["year_of_shock"]): row for row in read_backtest(folder, "shock_paths")}
    jobs, active = rows["unemployment_rate", "1"], rows["economic_activity_rate", "1"]
    return (
        f"The recession of 2009 would have been a poor forecast of 2020: unemployment rose by "
        f"{float(jobs['path_2009']):.1f} points in its first year, then by {float(jobs['path_2020']):.1f}; areas hit "
        f"harder were not the same (correlation {_signed(jobs['departure_correlation'])} for unemployment, "
        f"{_signed(active['departure_correlation'])} for activity)."
    )


def _signed(text: str) -> str:
    return f"{float(text):.2f}".replace("-", "−")
