"""Charts of an evaluation: observed against counterfactual, the gap with its interval, the placebos, and the power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, spec_of
from gwm_models.plots.words import chance, drawn, interval, is_missing, level_words, number, places_for

Row = Mapping[str, Any]

AT: Spec = {"field": "time"}
MOST_PLACEBOS = 300
"""Placebos that are drawn, evenly chosen by size; all are in the table of placebos."""


def path_charts(result: Row) -> list[Spec]:
    """Draw the treated against their counterfactual, and the gap between them.

    Parameters
    ----------
    result : mapping
        One of the results of `gwm_models.evaluation.answer.summarise_plan`, with an effect.

    Returns
    -------
    list of dict
        One or two Vega-Lite specs: designs without a counterfactual have the gap only.
    """
    effect, rows = result["effect"], result["effect"]["path"]
    places = _places(rows)
    whole = [row for row in rows if not is_missing(row["observed"]) and not is_missing(row["counterfactual"])]
    specs = [_levels(whole, result, places)] if whole else []
    gaps = [row for row in rows if not is_missing(row["effect"])]
    return specs + ([_gap(gaps, result, places, effect)] if gaps else [])


def placebo_chart(result: Row) -> list[Spec]:
    """Draw the effects of placebos with that of the treated.

    Parameters
    ----------
    result : mapping
        As for `path_charts`.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty where there are no placebos.
    """
    rows = sorted(result["effect"]["placebo"], key=lambda row: float(row["att"]))
    own = [row for row in rows if row["treated"]]
    others = [row for row in rows if not row["treated"]]
    if not own or not others:
        return []
    step = -(-len(others) // MOST_PLACEBOS)
    places = places_for("", [row["att"] for row in rows], change=True)
    values = [
        {
            "att": drawn(row["att"]),
            "pre": drawn(row["rmspe_pre"]),
            "name": str(row["unit"])[:120],
            "kind": "treated" if row["treated"] else "placebo",
            "words": number(row["att"], places, sign=True),
        }
        for row in [*others[::step], *own]
    ]
    axis = _axis("Effect", result)
    paint = {"domain": ["placebo", "treated"], "range": [colour("neutral"), colour("after")]}
    return [
        spec_of(
            f"Effect of {len(others)} placebos and of the treated ({number(own[0]['att'], places, sign=True)}), by the "
            "size of the gap before the start.",
            values=values,
            legend=[key("Treated", "after", "dot"), key("Placebo", "neutral", "dot")],
            table=[column("name", "Unit"), column("words", axis), column("pre", "Gap before the start", places)],
            height=260,
            encoding={
                "x": {
                    "field": "pre",
                    "type": "quantitative",
                    "scale": {"zero": False},
                    "axis": {"title": "Gap before the start", "grid": False, "tickCount": {"expr": "narrow ? 4 : 7"}},
                },
                "y": {"field": "att", "type": "quantitative", "axis": {"title": axis, "tickCount": 6}},
            },
            layer=[
                _level_line(0),
                {
                    "mark": {"type": "point", "filled": True},
                    "encoding": {
                        "color": {"field": "kind", "type": "nominal", "legend": None, "scale": paint},
                        "size": {"condition": {"test": "datum.kind === 'treated'", "value": 130}, "value": 32},
                        "opacity": {"condition": {"test": "datum.kind === 'treated'", "value": 1}, "value": 0.5},
                        "tooltip": [{"field": "name", "title": "Unit"}, {"field": "words", "title": axis}],
                    },
                },
            ],
        )
    ]


def power_chart(found: Row) -> list[Spec]:
    """Draw the power of a design by size of effect, with the smallest effect seen surely enough and the one projected.

    Parameters
    ----------
    found : mapping
        One row of ``power`` of `gwm_models.evaluation.answer.summarise_plan`.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty where there is no curve.
    """
    curve = found.get("curve") or []
    if not curve:
        return []
    places = places_for("", [row["effect"] for row in curve], change=True)
    values = [
        {"effect": drawn(row["effect"]), "power": drawn(row["power"]), "words": chance(row["power"])} for row in curve
    ]
    axis = _axis("True effect", found)
    layers: list[Spec] = [
        _level_line(found["power_asked"]),
        {
            "mark": {"type": "line", "color": colour("after"), "strokeWidth": 2.5, "point": {"color": colour("after")}},
            "encoding": {
                "x": {"field": "effect", "type": "quantitative"},
                "y": {"field": "power", "type": "quantitative"},
                "tooltip": [{"field": "effect", "title": axis}, {"field": "words", "title": "Power"}],
            },
        },
    ]
    legend = [key("Power", "after", "line"), key(f"{found['power_asked']:.0%} power", "neutral", "line")]
    if not is_missing(found["projected"]):
        layers.append(_upright(found["projected"]))
        legend.append(key("Effect projected, on average", "before", "line"))
    return [
        spec_of(
            f"Probability that an effect is seen, by its size. {found['words']}",
            values=values,
            legend=legend,
            table=[column("effect", axis, places, sign=True), column("words", "Power")],
            title=str(found["label"]),
            height=240,
            encoding={
                "x": {"type": "quantitative", "axis": {"title": axis, "grid": False, "tickCount": 6}},
                "y": {"scale": {"domain": [0, 1]}, "axis": {"title": "Power", "format": ".0%", "tickCount": 5}},
            },
            layer=layers,
        )
    ]


def p_words(value: float | None) -> str:
    """Write a p value with three decimals; one that rounds to zero is under 0.001.

    Examples
    --------
    >>> p_words(0.0512), p_words(0.00001), p_words(None)
    ('0.051', 'under 0.001', '–')
    """
    return "under 0.001" if value is not None and value < 0.0005 else number(value, 3)


def _levels(rows: Sequence[Row], result: Row, places: int) -> Spec:
    values = [
        {
            "time": row["time"],
            "when": str(row["period"]),
            "observed": drawn(row["observed"]),
            "counterfactual": drawn(row["counterfactual"]),
            "observed_words": number(row["observed"], places),
            "counterfactual_words": number(row["counterfactual"], places),
        }
        for row in rows
    ]
    tips = [
        {"field": "when", "title": "Time"},
        {"field": "observed_words", "title": "Observed"},
        {"field": "counterfactual_words", "title": "Without it"},
    ]
    last = rows[-1]
    return spec_of(
        f"{result['label']}: in {last['period']} the treated stood at {number(last['observed'], places)}, and would "
        f"have stood at {number(last['counterfactual'], places)} without the intervention.",
        values=values,
        legend=[key("Observed", "after", "line"), key("Without it, by the design", "before", "line")],
        table=[
            column("when", "Time"),
            column("observed_words", "Observed"),
            column("counterfactual_words", "Without it"),
        ],
        title="Observed and counterfactual",
        height=280,
        encoding={
            "x": _time(rows),
            "y": {"scale": {"zero": False}, "axis": {"title": _level_axis(result), "tickCount": 6}},
        },
        layer=[
            *_start(result, rows),
            {
                "mark": {"type": "line", "color": colour("before"), "strokeWidth": 2, "strokeDash": [5, 3]},
                "encoding": {"x": AT, "y": {"field": "counterfactual", "type": "quantitative"}, "tooltip": tips},
            },
            {
                "mark": {
                    "type": "line",
                    "color": colour("after"),
                    "strokeWidth": 2.5,
                    "point": {"color": colour("after")},
                },
                "encoding": {"x": AT, "y": {"field": "observed", "type": "quantitative"}, "tooltip": tips},
            },
        ],
    )


def _gap(rows: Sequence[Row], result: Row, places: int, effect: Row) -> Spec:
    level = level_words(effect["level"])
    values = [
        {
            "time": row["time"],
            "when": str(row["period"]),
            "effect": drawn(row["effect"]),
            "lower": drawn(row["lower"]),
            "upper": drawn(row["upper"]),
            "words": number(row["effect"], places, sign=True),
            "interval": interval(row["lower"], row["upper"], places),
        }
        for row in rows
    ]
    tips = [
        {"field": "when", "title": "Time"},
        {"field": "words", "title": "Gap"},
        {"field": "interval", "title": level},
    ]
    bounded = any(value["lower"] is not None for value in values)
    layers: list[Spec] = [_level_line(0), *_start(result, rows)]
    if bounded:
        layers.append(
            {
                "transform": [{"filter": "isValid(datum.lower)"}],
                "mark": {"type": "rule", "color": colour("after"), "opacity": 0.45, "strokeWidth": 3},
                "encoding": {
                    "x": AT,
                    "y": {"field": "lower", "type": "quantitative"},
                    "y2": {"field": "upper"},
                    "tooltip": tips,
                },
            }
        )
    layers.append(
        {
            "mark": {"type": "line", "color": colour("after"), "strokeWidth": 2, "point": {"color": colour("after")}},
            "encoding": {"x": AT, "y": {"field": "effect", "type": "quantitative"}, "tooltip": tips},
        }
    )
    last = rows[-1]
    return spec_of(
        f"Observed less counterfactual: {number(last['effect'], places, sign=True)} in {last['period']}.",
        values=values,
        legend=[key("Gap", "after", "line"), *([key(level, "after", "band")] if bounded else [])],
        table=[column("when", "Time"), column("words", "Gap"), column("interval", level)],
        title="The gap",
        height=280,
        encoding={"x": _time(rows), "y": {"axis": {"title": _axis("Gap", result), "tickCount": 6}}},
        layer=layers,
    )


def _time(rows: Sequence[Row]) -> Spec:
    """Encode time: years without thousands commas, text in the order it comes."""
    if all(isinstance(row["time"], (int, float)) for row in rows):
        axis = {"title": None, "grid": False, "format": "d", "tickCount": {"expr": "narrow ? 4 : 8"}}
        return {"type": "quantitative", "scale": {"zero": False, "nice": False}, "axis": axis}
    flat: Spec = {"title": None, "grid": False, "labelOverlap": True, "labelAngle": 0}
    return {"type": "ordinal", "sort": None, "axis": flat}


def _start(result: Row, rows: Sequence[Row]) -> list[Spec]:
    """Mark the start, between the last time before it and the first after."""
    before = [row["time"] for row in rows if not row["post"]]
    after = [row["time"] for row in rows if row["post"]]
    if not before or not after or isinstance(after[0], str):
        return []
    return [_upright((before[-1] + after[0]) / 2, "neutral")]


def _upright(value: float, name: str = "before") -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour(name), "strokeDash": [4, 3]},
        "encoding": {"x": {"datum": drawn(value)}, "y": None},
    }


def _level_line(value: float) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": colour("neutral")},
        "encoding": {"x": None, "y": {"datum": value}},
    }


def _axis(word: str, result: Row) -> str:
    return f"{word} ({result['unit']})" if result["unit"] else word


def _level_axis(result: Row) -> str:
    return "%" if result["unit"] == "percentage points" else str(result["unit"]) or "Level"


def _places(rows: Sequence[Row]) -> int:
    return places_for("", [row["effect"] for row in rows if not is_missing(row["effect"])], change=True)
