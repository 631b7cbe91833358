"""Areas of each group on a line of their own, with the mean of the group and the names of its ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, label_axis, number_axis, spec_of
from gwm_models.plots.words import drawn, number

Row = Mapping[str, Any]

STEP = 44
ROOM = 0.04
ABOVE, BELOW = -14, 19
"""Pixels from the line of a group to the names of its ends."""
LETTERS = 70
"""Letters that fit across a chart in half a page."""


def strips(
    rows: Sequence[Row],
    *,
    group: str,
    value: str,
    axis: str,
    places: int,
    description: str,
    title: str = "",
    mean: float | None = None,
    group_word: str = "Region",
    order: Sequence[str] | None = None,
) -> list[Spec]:
    """Draw each area of each group on the line of the group.

    Parameters
    ----------
    rows : sequence of mapping
        With ``area_code, area_name`` and the two fields named next.
    group, value : str
        Fields of the group and of the number.
    axis : str
        What the number is, with its unit.
    places : int
    description : str
        What the chart shows, for a listener.
    title : str
    mean : float, optional
        Of all areas, drawn as an upright line.
    group_word : str
        What a group is.
    order : sequence of str, optional
        Of the groups from the top; by default from the highest mean down.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without rows.
    """
    if not rows:
        return []
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row[group]), []).append(row)
    means = {name: sum(float(row[value]) for row in own) / len(own) for name, own in groups.items()}
    order = list(order) if order is not None else sorted(groups, key=lambda name: -means[name])
    values = [_datum(row, name, value, places) for name in order for row in _sorted(groups[name], value)]
    centres = [{"code": name, "mean": drawn(means[name]), "words": number(means[name], places)} for name in order]
    low, high = min(v["value"] for v in values), max(v["value"] for v in values)
    room = ROOM * (high - low)
    ends = [end for name in order for end in _ends(_sorted(groups[name], value), name, value, high - low)]
    tips = [{"field": "name", "title": "Area"}, {"field": "words", "title": axis}]
    legend = [key("An area", "before", "dot"), key("Mean of its areas", "after", "tick")]
    legend += [key("Mean of all areas", "neutral", "line")] if mean is not None else []
    return [
        spec_of(
            description,
            values=values,
            legend=legend,
            table=[column("name", "Area"), column("code", group_word), column("value", axis, places)],
            title=title,
            params=[{"name": "names", "value": {name: name for name in order}}],
            height=STEP * len(order),
            encoding={
                "x": {
                    "type": "quantitative",
                    "scale": {"domain": [low - room, high + room], "zero": False, "nice": False},
                    "axis": number_axis(axis, narrow=4, wide=8),
                },
                "y": label_axis(order, narrow=175),
            },
            layer=[
                *([_mean(mean)] if mean is not None else []),
                {
                    "mark": {
                        "type": "point",
                        "filled": True,
                        "size": 46,
                        "color": colour("before"),
                        "opacity": 0.55,
                    },
                    "encoding": {"x": {"field": "value", "type": "quantitative"}, "tooltip": tips},
                },
                {
                    "data": {"values": centres},
                    "mark": {"type": "tick", "thickness": 3, "size": 24, "color": colour("after"), "opacity": 1},
                    "encoding": {"x": {"field": "mean", "type": "quantitative"}},
                },
                _names(ends),
            ],
        )
    ]


def _sorted(rows: Sequence[Row], value: str) -> list[Row]:
    return sorted(rows, key=lambda row: float(row[value]))


def _datum(row: Row, name: str, value: str, places: int) -> Spec:
    return {
        "code": name,
        "name": row["area_name"],
        "value": drawn(row[value]),
        "words": number(row[value], places),
    }


def _ends(own: Sequence[Row], name: str, value: str, across: float) -> list[Spec]:
    """Name the lowest and the highest area of a group above its line; the highest below it where the two would meet.

    The lowest name begins at its dot and the highest ends at its own, so they meet where they are longer together than
    the dots are apart.
    """
    if len(own) < 2:
        return []
    low, high = own[0], own[-1]
    letters = len(low["area_name"]) + len(high["area_name"]) + 1
    meet = (float(high[value]) - float(low[value])) * LETTERS < letters * across
    return [
        {"code": name, "value": drawn(row[value]), "name": row["area_name"], "align": align, "dy": dy}
        for row, align, dy in ((low, "left", ABOVE), (high, "right", BELOW if meet else ABOVE))
    ]


def _names(ends: list[Spec]) -> Spec:
    return {
        "data": {"values": ends},
        "transform": [{"filter": "!narrow"}],
        "mark": {
            "type": "text",
            "fontSize": 10.5,
            "align": {"expr": "datum.align"},
            "dx": {"expr": "datum.align === 'left' ? -5 : 5"},
            "dy": {"expr": "datum.dy"},
            "color": colour("soft"),
        },
        "encoding": {"x": {"field": "value", "type": "quantitative"}, "text": {"field": "name"}},
    }


def _mean(value: float) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour("neutral"), "strokeDash": [4, 3]},
        "encoding": {"x": {"datum": drawn(value)}, "y": None},
    }
