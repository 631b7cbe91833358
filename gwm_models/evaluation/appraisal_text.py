"""Rows of an appraisal in plain words; nothing here computes, so a page may use it without the libraries that do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gwm_models.scenarios.words import GAP, MINUS, level_words

Row = Mapping[str, Any]

UNWEIGHTED, WEIGHTED = "unweighted", "weighted by income"
STEPS = ((1e9, " billion"), (1e6, " million"))
REASONS = {
    "dominant": "No ratio is needed: it does good and costs nothing, on balance",
    "dominated": "No ratio: it costs money and does harm",
    "saves_and_harms": "No ratio: it does harm, and may save money",
    "unsure": "No ratio: the interval of the effect holds zero, so cost over effect has no bounds",
    "no_effect": "No ratio: there is no effect, in any draw",
}
NO_SHARE = {
    "dominated": "the whole of it does harm",
    "saves_and_harms": "the whole of it does harm",
    "unsure": "the whole of it may do good or harm",
    "no_effect": "there is no effect",
}
QUARTERS = {
    "costs_more_does_good": "it costs money and does good",
    "costs_less_does_good": "it costs nothing and does good",
    "costs_more_does_harm": "it costs money and does harm",
    "costs_less_does_harm": "it costs nothing and does harm",
    "no_effect": "there is no effect",
}


def pounds(value: float | None) -> str:
    """Write a sum of money to three figures.

    Examples
    --------
    >>> pounds(52273.8), pounds(1.0069e9), pounds(-3.4e6), pounds(12.5)
    ('£52,300', '£1.01 billion', '−£3.4 million', '£12.50')
    """
    if value is None or not math.isfinite(value):
        return GAP
    sign, size = (MINUS if value < 0 else ""), float(f"{abs(value):.3g}")
    for step, name in STEPS:
        if size >= step:
            return f"{sign}£{size / step:.3g}{name}"
    return f"{sign}£{size:,.2f}" if 0 < size < 100 else f"{sign}£{size:,.0f}"


def share(value: float) -> str:
    """Write a probability from draws, which prove nothing certain.

    Examples
    --------
    >>> share(0.604), share(1.0), share(0.0)
    ('60%', 'over 99%', 'under 1%')
    """
    if value < 0.005:
        return "under 1%"
    return "over 99%" if value >= 0.995 else f"{value:.0%}"


def span_of(row: Row) -> str:
    """Write the interval of a row in pounds, with its level."""
    return f"{level_words(row['level'])} interval {pounds(row['lower'])} to {pounds(row['upper'])}"


def statement(row: Row) -> str:
    """Say what a row of `Appraisal.rows` holds: the ratio, or why there is none and where the draws lie."""
    unit = str(row["unit"]).removeprefix("GBP per ")
    if row["verdict"] == "ratio":
        return f"{pounds(row['estimate'])} for each {unit} ({span_of(row)})"
    places = [
        f"in {share(row[f'prob_{name}'])} of draws {words}" for name, words in QUARTERS.items() if row[f"prob_{name}"]
    ]
    return f"{REASONS[str(row['verdict'])]}; {', '.join(places)}"


def share_words(row: Row) -> str:
    """Say what share of the association would have to be causal for a row of `Appraisal.break_even_rows`."""
    unit, at = str(row["value_unit"]).removeprefix("GBP per "), pounds(row["value"])
    start = f"To be worth its cost at {at} for each {unit}"
    if row["verdict"] == "dominant":
        return f"{start}, no share of the association with health has to be causal: it costs nothing, on balance."
    if row["verdict"] != "ratio":
        return f"{start}, no share of the association with health can be named: {NO_SHARE[str(row['verdict'])]}."
    stated = "" if row["share_stated"] is None else f"; the stated link comes to {row['share_stated']:.0%}"
    beyond = ", which is more than there is" if row["estimate"] > 1 else ""
    return (
        f"{start}, {row['estimate']:.0%} of the association with health would have to be causal{beyond} "
        f"({level_words(row['level'])} interval {row['lower']:.0%} to {row['upper']:.0%}){stated}."
    )
