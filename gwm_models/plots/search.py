"""Charts of searches: the probability of a goal by value, the tornado of a sweep, and its responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, label_axis, spec_of
from gwm_models.plots.words import chance, drawn, interval, is_missing, level_words, number, places_for, unit_words

Row = Mapping[str, Any]

MOST_POINTS = 300
"""Points of a sweep that are drawn, evenly chosen; all are in its table."""


def goal_curve(summary: Row) -> list[Spec]:
    """Draw the probability of a goal by the value of the free number, with the probability asked for.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.scenarios.goal_words.summarise_goal`.

    Returns
    -------
    list of dict
        One Vega-Lite spec.
    """
    values = [
        {"value": drawn(row["value"]), "probability": drawn(row["probability"]), "words": chance(row["probability"])}
        for row in summary["curve"]
    ]
    unit = unit_words(summary["value_unit"])
    axis = f"{summary['path']} ({unit})" if unit else summary["path"]
    x: Spec = {"type": "quantitative", "scale": {"zero": False, "nice": False}}
    x["axis"] = {"title": axis, "grid": False, "tickCount": {"expr": "narrow ? 4 : 8"}}
    across = {"field": "value", "type": "quantitative"}
    y = {"field": "probability", "type": "quantitative"}
    layers: list[Spec] = [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "color": colour("neutral"), "strokeDash": [4, 3]},
            "encoding": {"x": None, "y": {"datum": summary["probability_asked"]}},
        },
        {"mark": {"type": "line", "color": colour("after"), "strokeWidth": 2.5}, "encoding": {"x": across, "y": y}},
        {
            "mark": {"type": "point", "filled": True, "size": 40, "color": colour("after"), "opacity": 1},
            "encoding": {
                "x": across,
                "y": y,
                "tooltip": [{"field": "value", "title": axis}, {"field": "words", "title": "Probability"}],
            },
        },
    ]
    legend = [key("Probability of the goal", "after", "line"), key("Asked for", "neutral", "line")]
    if summary["value"] is not None:
        layers.append(_upright(summary["value"]))
        legend.append(key("Value found", "before", "line"))
    return [
        spec_of(
            f"Probability of the goal by {axis}. {summary['headline']}",
            values=values,
            legend=legend,
            table=[column("value", axis, 3), column("words", "Probability of the goal")],
            height=260,
            encoding={
                "x": x,
                "y": {
                    "axis": {"title": "Probability", "format": ".0%", "tickCount": 5},
                    "scale": {"domain": [0, 1]},
                },
            },
            layer=layers,
        )
    ]


def tornado_chart(rows: Sequence[Row]) -> list[Spec]:
    """Draw what one measure is with each number at its ends and the others as in the file, the widest span first.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of one measure from `gwm_models.scenarios.sweep_results.tornado_rows`.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty when nothing moves the measure.
    """
    known = [row for row in rows if not is_missing(row["at_low"]) and not is_missing(row["at_high"])]
    if not known or all(row["at_low"] == row["at_high"] for row in known):
        return []
    first = known[0]
    places = places_for(first["unit"], [row[end] for row in known for end in ("at_low", "at_high")], change=True)
    values = [_bar(str(place), row, places) for place, row in enumerate(known, start=1)]
    unit = unit_words(first["unit"])
    axis = f"{first['label']} ({unit})" if unit else str(first["label"])
    spoken = "; ".join(f"{value['name']} {value['span']}" for value in values[:5])
    ends = [value[end] for value in values for end in ("at_low", "at_high")]
    tips = [
        {"field": "name", "title": "Number"},
        {"field": "low_words", "title": "At its low end"},
        {"field": "high_words", "title": "At its high end"},
    ]
    bar = {"type": "bar", "height": 14, "cornerRadius": 2}
    return [
        spec_of(
            f"{axis} with each number at its ends, the others as in the file; the widest span first: {spoken}.",
            values=values,
            legend=[key("Low end of the number", "before", "bar"), key("High end", "after", "bar")],
            table=[
                column("name", "Number"),
                column("low_words", "At its low end"),
                column("high_words", "At its high end"),
            ],
            params=[{"name": "names", "value": {value["code"]: value["name"] for value in values}}],
            height=34 * len(values),
            encoding={
                "x": {
                    "type": "quantitative",
                    "scale": {"domain": [min(ends), max(ends)], "nice": True, "zero": False},
                    "axis": {"title": axis, "grid": True, "tickCount": {"expr": "narrow ? 4 : 6"}},
                },
                "y": label_axis([value["code"] for value in values], grid=False),
            },
            layer=[
                _tornado_side("at_low", "before", bar, tips),
                _tornado_side("at_high", "after", bar, tips),
                {
                    "data": {"values": [{}]},
                    "mark": {"type": "rule", "color": colour("neutral")},
                    "encoding": {"x": {"datum": drawn(first["as_in_file"])}, "y": None},
                },
            ],
        )
    ]


def response_charts(rows: Sequence[Row], lines: Sequence[Row], path: str) -> list[Spec]:
    """Draw one measure at the points of a sweep against one number, with its mean over the other numbers.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of one measure of the table of the sweep.
    lines : sequence of mapping
        Rows with ``path, value, mean`` of the same measure.
    path : str
        The number.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty when no point has a value.
    """
    known = [row for row in rows if not is_missing(row["estimate"])]
    if not known:
        return []
    step = -(-len(known) // MOST_POINTS)
    first = known[0]
    level = level_words(first["level"])
    places = places_for(first["unit"], [row["estimate"] for row in known], change=True)
    values = [_point(row, path, places, level) for row in known[::step]]
    line = [
        {"value": drawn(row["value"]), "mean": drawn(row["mean"])}
        for row in lines
        if row["path"] == path and not is_missing(row["mean"])
    ]
    unit = unit_words(first["unit"])
    axis = f"{first['label']} ({unit})" if unit else str(first["label"])
    tips = [{"field": "value", "title": path}, {"field": "tip", "title": first["label"]}]
    legend = [key("A point of the sweep", "before", "dot")]
    layers: list[Spec] = [
        {
            "mark": {"type": "point", "filled": True, "size": 26, "color": colour("before"), "opacity": 0.55},
            "encoding": {"y": {"field": "estimate", "type": "quantitative"}, "tooltip": tips},
        }
    ]
    if line:
        legend.append(key("Mean over the other numbers", "after", "line"))
        layers.append(
            {
                "data": {"values": line},
                "mark": {"type": "line", "color": colour("after"), "strokeWidth": 2.5},
                "encoding": {"y": {"field": "mean", "type": "quantitative"}},
            }
        )
    return [
        spec_of(
            f"{axis} by {path}: {len(values)} points of the sweep.",
            title=path,
            values=values,
            legend=legend,
            table=[column("value", path, 3), column("words", axis), column("interval", level)],
            height=220,
            encoding={
                "x": {
                    "field": "value",
                    "type": "quantitative",
                    "scale": {"zero": False, "nice": False},
                    "axis": {"title": path, "grid": False, "tickCount": {"expr": "narrow ? 3 : 5"}},
                },
                "y": {"scale": {"zero": False}, "axis": {"title": unit.capitalize() or "Estimate", "tickCount": 5}},
            },
            layer=layers,
        )
    ]


def _upright(value: float) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour("before"), "strokeWidth": 1.5},
        "encoding": {"x": {"datum": drawn(value)}, "y": None},
    }


def _bar(code: str, row: Row, places: int) -> Spec:
    low, high, middle = row["at_low"], row["at_high"], row["as_in_file"]
    return {
        "code": code,
        "name": str(row["path"]),
        "at_low": drawn(low),
        "at_high": drawn(high),
        "middle": drawn(middle),
        "low_words": f"{number(low, places)} (at {row['low']:g})",
        "high_words": f"{number(high, places)} (at {row['high']:g})",
        "span": interval(min(low, high), max(low, high), places),
    }


def _tornado_side(field: str, name: str, bar: Spec, tips: list[Spec]) -> Spec:
    span = {"x": {"field": "middle", "type": "quantitative"}, "x2": {"field": field}, "tooltip": tips}
    return {"mark": {**bar, "color": colour(name)}, "encoding": span}


def _point(row: Row, path: str, places: int, level: str) -> Spec:
    words, span = number(row["estimate"], places), interval(row["lower"], row["upper"], places)
    return {
        "value": drawn(row[path]),
        "estimate": drawn(row["estimate"]),
        "words": words,
        "interval": span,
        "tip": f"{words} ({level} {span})",
    }
