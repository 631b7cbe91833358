"""The chart of a comparison: one measure of every scenario with its interval, the best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, long_label_axis, long_names, number_axis, spec_of
from gwm_models.plots.words import chance, drawn, interval, level_words, number, places_for, unit_words

Row = Mapping[str, Any]

ENDS = ("estimate", "lower", "upper")
FRONT, BEHIND = "front", "behind"


def league_chart(rows: Sequence[Row], reference: str, names: Mapping[str, str]) -> list[Spec]:
    """Draw one measure of every scenario, the best first, against doing nothing.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of one measure as `gwm_models.scenarios.compare_rows.league_rows` gives them.
    reference : str
        The scenario in which nothing is done.
    names : mapping of str to str
        What each scenario is called in the chart.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty when there are no rows.
    """
    if not rows:
        return []
    first, level = rows[0], level_words(rows[0]["level"])
    places = places_for(first["unit"], [row[end] for row in rows for end in ENDS], change=True)
    sign = not str(first["measure"]).endswith(":scenario")
    values = [_line(row, names[row["scenario"]], places, level, sign=sign) for row in rows]
    still = next(float(row["estimate"]) for row in rows if row["scenario"] == reference)
    unit = unit_words(first["unit"])
    bracket = f" ({unit})" if unit else ""
    axis = f"{'Change' if sign else 'Level'}{bracket}"
    params, height = long_names({value["code"]: value["name"] for value in values})
    spoken = "; ".join(f"{value['name']} {value['tip']}" for value in values[:5])
    return [
        spec_of(
            f"{first['label']}{bracket}, {first['better']} is better, by scenario, the best first: {spoken}.",
            values=values,
            legend=[
                key("Not to be told apart from the first", "after", "dot"),
                key("Behind the first", "before", "dot"),
                key(level, "neutral", "line"),
            ],
            table=[
                column("name", "Scenario"),
                column("words", axis),
                column("interval", level),
                column("best", "P(best)"),
            ],
            params=params,
            height=height * len(values),
            encoding=_encoding(values, axis, still),
            layer=_layers(axis, still),
        )
    ]


def _line(row: Row, name: str, places: int, level: str, *, sign: bool) -> Spec:
    """Make the drawn row of one scenario."""
    words, span = number(row["estimate"], places, sign=sign), interval(row["lower"], row["upper"], places)
    return {
        "code": str(row["place"]),
        "name": name,
        "kind": FRONT if row["level_with_leader"] else BEHIND,
        **{end: drawn(row[end]) for end in ENDS},
        "words": words,
        "interval": span,
        "best": chance(row["prob_best"]),
        "tip": f"{words} ({level} {span})",
    }


def _encoding(values: list[Spec], axis: str, still: float) -> Spec:
    ends = [value[end] for value in values for end in ENDS]
    colours = {"domain": [FRONT, BEHIND], "range": [colour("after"), colour("before")]}
    return {
        "x": {
            "type": "quantitative",
            "scale": {"domain": [min(still, *ends), max(still, *ends)], "nice": True, "zero": False},
            "axis": number_axis(axis, narrow=4, wide=6),
        },
        "y": long_label_axis([value["code"] for value in values]),
        "color": {"field": "kind", "type": "nominal", "legend": None, "scale": colours},
    }


def _layers(axis: str, still: float) -> list[Spec]:
    tips = [
        {"field": "name", "title": "Scenario"},
        {"field": "tip", "title": axis},
        {"field": "best", "title": "P(best)"},
    ]
    span = {"x": {"field": "lower", "type": "quantitative"}, "x2": {"field": "upper"}, "tooltip": tips}
    return [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "color": colour("neutral")},
            "encoding": {"x": {"datum": still}, "y": None, "color": None},
        },
        {"mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.6}, "encoding": span},
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {"x": {"field": "estimate"}, "tooltip": tips},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 10, "color": colour("ink")},
            "encoding": {"x": {"value": {"expr": "width"}}, "text": {"field": "words"}, "color": None},
        },
    ]
