"""Charts of an appraisal: the cost-effectiveness plane and the acceptability curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.search import AXIS
from gwm_models.plots.theme import Spec, colour, column, key, spec_of
from gwm_models.plots.words import chance, drawn, lines, money, number, places_for

Row = Mapping[str, Any]

POINTS = 6
"""Decimals kept of what is drawn."""


def cost_plane(rows: Sequence[Row], measure: Row, quadrants: Row, value: float | None = None) -> list[Spec]:
    """Draw cost against effect, a dot for each draw shown; what does good lies to the right, what costs money above.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of one measure with ``draw, effect, cost``.
    measure : mapping
        Its ``label`` and ``units``.
    quadrants : mapping
        Shares of all draws in each quarter: ``prob_costs_more_does_good`` and so on.
    value : float, optional
        Of one unit of the effect: draws below the line through zero with this slope are worth their cost.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty when there is no draw.
    """
    if not rows:
        return []
    places = places_for("", [row["effect"] for row in rows], change=True)
    values = [_draw(row, places) for row in rows]
    effects, costs = [value["effect"] for value in values], [value["cost"] for value in values]
    axis = f"{measure['label']} ({measure['units']})"
    legend = [key("A draw", "before", "dot")]
    layers = [_rule("x"), _rule("y")]
    if value is not None:
        layers.append(_worth_line(effects, value))
        legend.append(key(f"Worth its cost below, at {money(value)} for one", "after", "line"))
    tips = [{"field": "tip", "title": measure["label"]}, {"field": "money", "title": "Cost"}]
    layers.append(
        {
            "mark": {"type": "point", "filled": True, "size": 22, "color": colour("before"), "opacity": 0.5},
            "encoding": {
                "x": {"field": "effect", "type": "quantitative"},
                "y": {"field": "cost", "type": "quantitative"},
                "tooltip": tips,
            },
        }
    )
    return [
        spec_of(
            f"Cost, £ million, against {axis}: {len(values)} draws, evenly chosen. Of all draws {_spoken(quadrants)}.",
            values=values,
            legend=legend,
            table=[column("draw", "Draw"), column("tip", axis), column("money", "Cost")],
            height=300,
            encoding={
                "x": {
                    "type": "quantitative",
                    "scale": {"domain": _span(effects), "nice": True},
                    "axis": {"title": lines(axis, AXIS), "grid": False, "tickCount": {"expr": "narrow ? 4 : 7"}},
                },
                "y": {
                    "type": "quantitative",
                    "scale": {"domain": _span(costs), "nice": True},
                    "axis": {"title": "Cost (£ million)", "tickCount": 5},
                },
            },
            layer=layers,
        )
    ]


def _draw(row: Row, places: int) -> Spec:
    return {
        "draw": str(row["draw"]),
        "effect": drawn(row["effect"], POINTS),
        "cost": drawn(row["cost"] / 1e6, POINTS),
        "tip": number(row["effect"], places, sign=True),
        "money": money(row["cost"]),
    }


def _span(values: Sequence[float]) -> list[float]:
    """Give the ends of an axis that holds zero and all values."""
    return [min(0.0, *values), max(0.0, *values) or 1.0]


def _rule(axis: str) -> Spec:
    """Draw the line on which an axis is zero."""
    other = "y" if axis == "x" else "x"
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour("neutral")},
        "encoding": {axis: {"datum": 0}, other: None},
    }


def _worth_line(effects: Sequence[float], value: float) -> Spec:
    ends = [{"effect": end, "cost": drawn(end * value / 1e6, POINTS)} for end in _span(effects)]
    return {
        "data": {"values": ends},
        "mark": {"type": "line", "color": colour("after"), "strokeWidth": 2, "clip": True},
        "encoding": {
            "x": {"field": "effect", "type": "quantitative"},
            "y": {"field": "cost", "type": "quantitative"},
        },
    }


def _spoken(quadrants: Row) -> str:
    """Say where the draws lie."""
    words = {
        "prob_costs_more_does_good": "cost money and do good",
        "prob_costs_less_does_good": "cost nothing and do good",
        "prob_costs_more_does_harm": "cost money and do harm",
        "prob_costs_less_does_harm": "cost nothing and do harm",
        "prob_no_effect": "have no effect",
    }
    return ", ".join(f"{chance(quadrants[name])} {text}" for name, text in words.items() if quadrants[name])


def acceptability_curve(rows: Sequence[Row], measure: Row, values: Sequence[float] = ()) -> list[Spec]:
    """Draw the probability of being worth its cost by the value of a unit of effect, plain and weighted by income.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of one measure with ``equity, value, prob_positive, net_benefit, evpi``.
    measure : mapping
        Its ``label`` and ``unit``.
    values : sequence of float
        Values to mark.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty when there are no rows.
    """
    kinds = list(dict.fromkeys(str(row["equity"]) for row in rows))
    if not kinds:
        return []
    curves = {kind: [_point(row) for row in rows if row["equity"] == kind] for kind in kinds}
    first = curves[kinds[0]]
    beside = curves[kinds[1]] if len(kinds) > 1 else []
    for point, other in zip(first, beside, strict=False):
        point["beside"] = other["words"]
    axis = f"Value of one {measure['unit']} (£)"
    legend = [key("Unweighted", "after", "line")]
    layers = [_upright(value) for value in values]
    if values:
        legend.append(key("Value given", "neutral", "line"))
    if beside:
        legend.append(key("Weighted by income", "before", "line"))
        layers.append({"data": {"values": beside}, **_curve("before", [6, 3])})
    layers.append(_curve("after", [1, 0]))
    table = [column("money", axis), column("words", "Probability of being worth its cost")]
    table += [column("beside", "The same, weighted by income")] if beside else []
    table += [column("net", "Expected net benefit"), column("evpi", "Value of perfect information")]
    return [
        spec_of(
            f"Probability that the run is worth its cost by the value of one {measure['unit']}: "
            f"{first[0]['words']} at {first[0]['money']}, {first[-1]['words']} at {first[-1]['money']}.",
            values=first,
            legend=legend,
            table=table,
            height=260,
            encoding={
                "x": {
                    "type": "quantitative",
                    "scale": {"nice": False},
                    "axis": {"title": axis, "grid": False, "format": "~s", "tickCount": {"expr": "narrow ? 4 : 8"}},
                },
                "y": {
                    "type": "quantitative",
                    "axis": {"title": "Probability", "format": ".0%", "tickCount": 5},
                    "scale": {"domain": [0, 1]},
                },
            },
            layer=layers,
        )
    ]


def _point(row: Row) -> Spec:
    return {
        "value": drawn(row["value"]),
        "probability": drawn(row["prob_positive"]),
        "words": chance(row["prob_positive"]),
        "money": money(row["value"]),
        "net": money(row["net_benefit"]),
        "evpi": money(row["evpi"]),
    }


def _curve(name: str, dash: list[int]) -> Spec:
    tips = [
        {"field": "money", "title": "Value"},
        {"field": "words", "title": "Probability"},
        {"field": "net", "title": "Expected net benefit"},
    ]
    return {
        "mark": {"type": "line", "color": colour(name), "strokeWidth": 2.5, "strokeDash": dash},
        "encoding": {
            "x": {"field": "value", "type": "quantitative"},
            "y": {"field": "probability", "type": "quantitative"},
            "tooltip": tips,
        },
    }


def _upright(value: float) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour("neutral"), "strokeDash": [4, 3]},
        "encoding": {"x": {"datum": drawn(value)}, "y": None},
    }
