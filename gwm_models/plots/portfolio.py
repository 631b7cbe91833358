"""Charts of portfolios: the efficient frontier, and how often the best set of a draw holds each option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from gwm_models.plots.search import AXIS
from gwm_models.plots.theme import (
    LETTERS,
    LETTERS_NARROW,
    LINE,
    Spec,
    colour,
    column,
    key,
    long_label_axis,
    number_axis,
    spec_of,
)
from gwm_models.plots.words import chance, drawn, is_missing, lines, money, number, places_for, unit_words

Row = Mapping[str, Any]

MILLION = 1e6


def effect_places(unit: str, values: Sequence[float | None]) -> int:
    """Give the decimals for effects that are set against each other: three below 1, two below 10.

    Examples
    --------
    >>> effect_places("points", [0.155, -0.08]), effect_places("points", [2.5]), effect_places("points", [12.3])
    (3, 2, 1)
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return 3 if largest < 1 else max(places_for(unit, values, change=True), 2 if largest < 10 else 0)


def frontier_chart(summary: Row, best: str = "Set") -> list[Spec]:
    """Draw the best that can be had for each amount of money, with the budget and what is chosen.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.evaluation.portfolio_words.summarise_portfolio`.
    best : {"Set", "Spread"}
        What there is one of for each amount: sets go in steps, spreads along a line.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty for fewer than two points.
    """
    rows = [row for row in summary["frontier"] if not is_missing(row["objective"])]
    if len(rows) < 2:
        return []
    measure, budget = summary["measure"], summary["budget"]["total"]
    places = effect_places(measure["unit"], [row["objective"] for row in rows])
    unit = unit_words(measure["unit"])
    axis = f"{measure['label']}, {summary['statistic_words']}" + (f" ({unit})" if unit else "")
    values = [
        {
            "cost": drawn(row["cost"] / MILLION),
            "objective": drawn(row["objective"]),
            "cost_words": money(row["cost"]),
            "words": number(row["objective"], places),
            "chosen": row["chosen"] or "nothing",
        }
        for row in rows
    ]
    across = {"field": "cost", "type": "quantitative"}
    up = {"field": "objective", "type": "quantitative"}
    steps = best == "Set"
    tips = [
        {"field": "cost_words", "title": "Expected cost"},
        {"field": "words", "title": measure["label"]},
        *([{"field": "chosen", "title": best}] if steps else []),
    ]
    interpolate = "step-after" if steps else "linear"
    step = {"type": "line", "interpolate": interpolate, "color": colour("after"), "strokeWidth": 2}
    dot = {"type": "point", "filled": True, "size": 36, "opacity": 1, "color": colour("after")}
    layers: list[Spec] = [
        {"mark": step, "encoding": {"x": across, "y": up}},
        {"mark": dot, "encoding": {"x": across, "y": up, "tooltip": tips}},
    ]
    legend = [key(f"Best {best.lower()} for the money", "after", "line")]
    if budget is not None:
        legend.append(key("Budget", "neutral", "line"))
        layers.append(_upright(budget / MILLION, "neutral"))
    chosen = {"cost": drawn(summary["cost"]["estimate"] / MILLION), "objective": drawn(summary["objective"])}
    ring = {"type": "point", "size": 140, "strokeWidth": 2.5, "color": colour("before"), "opacity": 1}
    layers.append({"data": {"values": [chosen]}, "mark": ring, "encoding": {"x": across, "y": up}})
    legend.append(key(f"{best} chosen", "before", "ring"))
    price = f"£ million at {summary['budget']['price_base']} prices"
    return [
        spec_of(
            f"{axis} by expected cost: {len(rows)} {best.lower()}s. {summary['headline']}",
            values=values,
            legend=legend,
            table=[
                column("cost_words", "Expected cost"),
                column("words", axis),
                *([column("chosen", best)] if steps else []),
            ],
            height=300,
            encoding={
                "x": {
                    "type": "quantitative",
                    "axis": number_axis(
                        lines(f"Expected discounted cost ({price})", AXIS), narrow=4, wide=8, grid=False
                    ),
                    "scale": {"zero": False},
                },
                "y": {
                    "type": "quantitative",
                    "axis": {"title": lines(axis, 2 * AXIS), "tickCount": 6},
                    "scale": {"zero": False},
                },
            },
            layer=layers,
        )
    ]


def inclusion_chart(rows: Sequence[Row]) -> list[Spec]:
    """Draw the share of draws whose own best set holds each option, the most often held first.

    Parameters
    ----------
    rows : sequence of mapping
        Options of `gwm_models.evaluation.portfolio_words.summarise_portfolio`.

    Returns
    -------
    list of dict
        One Vega-Lite spec.
    """
    options = {row["option"]: row["prob_option_in_best"] for row in rows}
    chosen = {row["option"] for row in rows if row["chosen"]}
    order = sorted(options, key=lambda name: -options[name])
    values = [
        {
            "code": name,
            "share": drawn(options[name]),
            "words": chance(options[name]),
            "taken": "chosen" if name in chosen else "not chosen",
        }
        for name in order
    ]
    # Names of options have hyphens in place of spaces, so lines end at them.
    wide, narrow = ({name: wrap(name, width) for name in order} for width in (LETTERS, LETTERS_NARROW))
    most = max(len(name) for name in narrow.values())
    tint = {"condition": {"test": "datum.taken === 'chosen'", "value": colour("after")}, "value": colour("before")}
    return [
        spec_of(
            "Share of draws whose own best set holds each option: "
            + "; ".join(f"{value['code']} {value['words']}" for value in values[:6])
            + ".",
            values=values,
            legend=[key("Chosen", "after", "bar"), key("Not chosen", "before", "bar")],
            table=[column("code", "Option"), column("words", "Share of draws"), column("taken", "Set")],
            params=[{"name": "names", "value": wide}, {"name": "short", "value": narrow}],
            height=max(26, LINE * most + 6) * len(values),
            mark={"type": "bar", "height": 13, "cornerRadius": 2},
            encoding={
                "x": {
                    "field": "share",
                    "type": "quantitative",
                    "scale": {"domain": [0, 1]},
                    "axis": {"title": "Share of draws", "format": ".0%", "tickCount": 5},
                },
                "y": long_label_axis(order),
                "color": tint,
                "tooltip": [{"field": "code", "title": "Option"}, {"field": "words", "title": "Share of draws"}],
            },
        )
    ]


def _upright(value: float, name: str) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour(name), "strokeDash": [4, 3], "strokeWidth": 1.5},
        "encoding": {"x": {"datum": value}, "y": None},
    }
