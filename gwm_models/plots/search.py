"""Charts of searches: the probability of a goal by value, the tornado of a sweep, and its responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, long_label_axis, long_names, number_axis, spec_of
from gwm_models.plots.words import (
    chance,
    drawn,
    interval,
    is_missing,
    level_words,
    lines,
    number,
    places_for,
    unit_words,
)
from gwm_models.scenarios.words import short

Row = Mapping[str, Any]

ENDS = ("low_lower", "low_upper", "high_lower", "high_upper")
AXIS = 30
"""Letters of a line of an axis title, short enough for a phone."""
MOST_POINTS = 300
"""Points of a sweep that are drawn, evenly chosen; all are in its table."""


def goal_curve(summary: Row) -> list[Spec]:
    """Draw the probability of a goal by the value of the free number, with the probability asked for.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.scenarios.goal_words.summarise_goal`, with ``path_words``, the free number in words.

    Returns
    -------
    list of dict
        One Vega-Lite spec.
    """
    values = [
        {
            "value": drawn(row["value"]),
            "value_words": short(row["value"]),
            "probability": drawn(row["probability"]),
            "words": chance(row["probability"]),
        }
        for row in summary["curve"]
    ]
    unit = unit_words(summary["value_unit"])
    axis = f"{summary['path_words']} ({unit})" if unit else summary["path_words"]
    x: Spec = {"type": "quantitative", "scale": {"zero": False, "nice": False}}
    x["axis"] = number_axis(lines(axis, AXIS), narrow=4, wide=8, grid=False)
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
                "tooltip": [{"field": "value_words", "title": axis}, {"field": "words", "title": "Probability"}],
            },
        },
    ]
    legend = [key("Probability of the goal", "after", "line"), key("Asked for", "neutral", "line")]
    if summary["value"] is not None:
        layers.append(_upright(summary["value"]))
        legend.append(key("Value found", "before", "line"))
    return [
        spec_of(
            f"Probability of the goal by {axis}: {summary['goal']}.",
            values=values,
            legend=legend,
            table=[column("value_words", axis), column("words", "Probability of the goal")],
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


def tornado_chart(rows: Sequence[Row], names: Mapping[str, str]) -> list[Spec]:
    """Draw what one measure is with each number at its ends and the others as in the file, the widest span first.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of one measure of ``tornado.csv``, with the intervals at the ends.
    names : mapping of str to str
        Words of each number, by its path.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty when nothing moves the measure.
    """
    known = [row for row in rows if not is_missing(row["at_low"]) and not is_missing(row["at_high"])]
    if not known or all(row["at_low"] == row["at_high"] for row in known):
        return []
    first = known[0]
    level = level_words(first["level"])
    places = places_for(first["unit"], [row[end] for row in known for end in ENDS], change=True)
    values = [_bar(str(place), row, names[row["path"]], places) for place, row in enumerate(known, start=1)]
    unit = unit_words(first["unit"])
    axis = f"{first['label']} ({unit})" if unit else str(first["label"])
    spoken = "; ".join(f"{value['name']} {value['span']}" for value in values[:5])
    ends = [value[end] for value in values for end in ("at_low", "at_high")]
    told = [("name", "Number"), ("low_words", f"Low end ({level})"), ("high_words", f"High end ({level})")]
    tips = [{"field": field, "title": title} for field, title in told]
    params, height = long_names({value["code"]: value["name"] for value in values})
    bar = {"type": "bar", "height": 14, "cornerRadius": 2}
    return [
        spec_of(
            f"{axis} with each number at its ends, the others as in the file; the widest span first: {spoken}.",
            values=values,
            legend=[key("Low end of the number", "before", "bar"), key("High end", "after", "bar")],
            table=[column(field, title) for field, title in told],
            params=params,
            height=height * len(values),
            encoding={
                "x": {
                    "type": "quantitative",
                    "scale": {"domain": [min(ends), max(ends)], "nice": True, "zero": False},
                    "axis": number_axis(unit.capitalize() or None, narrow=4, wide=6),
                },
                "y": long_label_axis([value["code"] for value in values]),
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


def end_words(row: Row, side: str, places: int) -> str:
    """Write what a measure is at one end of a number, with its interval.

    Parameters
    ----------
    row : mapping
        Of ``tornado.csv``.
    side : {"low", "high"}
    places : int
        Decimals kept.

    Examples
    --------
    >>> end_words({"at_low": 1.42, "low_lower": 0.7, "low_upper": 2.2}, "low", 1)
    '1.4 (0.7 to 2.2)'
    """
    span = interval(row[f"{side}_lower"], row[f"{side}_upper"], places)
    return f"{number(row[f'at_{side}'], places)}{f' ({span})' if span else ''}"


def response_charts(rows: Sequence[Row], means: Sequence[Row], path: str, names: Mapping[str, str]) -> list[Spec]:
    """Draw one measure at the points of a sweep against one number, with its mean over the other numbers.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of one measure of the table of the sweep.
    means : sequence of mapping
        Rows with ``path, value, mean`` of the same measure.
    path : str
        The number.
    names : mapping of str to str
        Words of each number, by its path.

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
        for row in means
        if row["path"] == path and not is_missing(row["mean"])
    ]
    unit = unit_words(first["unit"])
    axis = f"{first['label']} ({unit})" if unit else str(first["label"])
    words = names[path]
    tips = [{"field": "value_words", "title": words}, {"field": "tip", "title": first["label"]}]
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
            f"{axis} by {words}: {len(values)} points of the sweep.",
            title=words,
            values=values,
            legend=legend,
            table=[column("value_words", words), column("words", axis), column("interval", level)],
            height=220,
            encoding={
                "x": {
                    "field": "value",
                    "type": "quantitative",
                    "scale": {"zero": False, "nice": False},
                    "axis": number_axis(None, narrow=3, wide=5, grid=False),
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


def _bar(code: str, row: Row, name: str, places: int) -> Spec:
    low, high, middle = row["at_low"], row["at_high"], row["as_in_file"]
    return {
        "code": code,
        "name": name,
        "at_low": drawn(low),
        "at_high": drawn(high),
        "middle": drawn(middle),
        "low_words": f"{end_words(row, 'low', places)} at {short(row['low'])}",
        "high_words": f"{end_words(row, 'high', places)} at {short(row['high'])}",
        "span": interval(min(low, high), max(low, high), places),
    }


def _tornado_side(field: str, name: str, bar: Spec, tips: list[Spec]) -> Spec:
    span = {"x": {"field": "middle", "type": "quantitative"}, "x2": {"field": field}, "tooltip": tips}
    return {"mark": {**bar, "color": colour(name)}, "encoding": span}


def _point(row: Row, path: str, places: int, level: str) -> Spec:
    words, span = number(row["estimate"], places), interval(row["lower"], row["upper"], places)
    return {
        "value": drawn(row[path]),
        "value_words": short(row[path]),
        "estimate": drawn(row["estimate"]),
        "words": words,
        "interval": span,
        "tip": f"{words} ({level} {span})",
    }
