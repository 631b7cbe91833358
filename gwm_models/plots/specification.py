"""The specification curve: one slope under every reasonable choice, with its interval, sorted by size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor, log10
from typing import Any

from gwm_models.plots.theme import Spec, colour, column, key, label_axis, spec_of
from gwm_models.plots.words import drawn, interval, is_missing, level_words, number

Row = Mapping[str, Any]

MAIN = "total"
ENDS = ("estimate", "lower", "upper")


def specification_curve(rows: Iterable[Row], *, main: str = MAIN) -> Spec:
    """Draw the slope of every specification with its interval, smallest first, the main one in colour.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of a specification table: ``spec, title, label, unit, estimate, lower, upper, level, n_units, period,
        source``. A row without an estimate is left out and counted in the caption.
    main : str
        The specification to set off.

    Returns
    -------
    dict
        A Vega-Lite spec with its title and caption (what is drawn, unit, period, source) in ``usermeta``.

    Raises
    ------
    ValueError
        If no row has an estimate, a specification is there twice, or rows are of several outcomes or units.
    """
    everything = list(rows)
    fitted = [row for row in everything if not is_missing(row.get("estimate"))]
    if not fitted:
        raise ValueError("rows must hold one estimate or more; none has any.")
    for field in ("label", "unit", "period", "level"):
        kinds = sorted({str(row[field]) for row in fitted})
        if len(kinds) > 1:
            raise ValueError(f"rows must share one {field}; got {' and '.join(kinds[:3])}.")
    codes = [str(row["spec"]) for row in fitted]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise ValueError(f"rows must name each specification once; '{twice[0]}' is there more than once.")
    first = fitted[0]
    places = _places(fitted)
    level = level_words(first["level"])
    values = [_line(row, places, level, main) for row in sorted(fitted, key=lambda row: float(row["estimate"]))]
    title = f"{first['label']}: the slope under {len(values)} specifications"
    caption = _caption(first, fitted, len(everything) - len(fitted), level)
    spec = _drawing(values, f"Slope ({first['unit']})", f"{title}. {_spoken(values, main)} {caption}", title, level)
    return {**spec, "usermeta": {**spec["usermeta"], "caption": caption}}


def _places(rows: list[Row]) -> int:
    """Give the decimals that show the narrowest interval, over four, with two figures."""
    narrowest = min(
        (float(row["upper"]) - float(row["lower"]) for row in rows if not is_missing(row.get("lower"))), default=0.0
    )
    return max(0, 1 - floor(log10(narrowest / 4))) if narrowest > 0 else 2


def _caption(first: Row, rows: list[Row], n_missing: int, level: str) -> str:
    units = sorted({int(row["n_units"]) for row in rows})
    span = str(units[0]) if len(units) == 1 else f"{units[0]} to {units[-1]}"
    missing = f" Not fitted: {n_missing}." if n_missing else ""
    return (
        f"Points are estimates, lines their {level}, {first['unit']} of the index total, over {span} units.{missing} "
        f"Period: {first['period']}. Source: {first['source']}."
    )


def _spoken(values: list[Spec], main: str) -> str:
    """Tell a listener the range of the estimates, and the main one."""
    chosen = next((value for value in values if value["code"] == main), None)
    ends = f"Estimates run from {values[0]['words']} ({values[0]['name']}) to {values[-1]['words']}"
    return f"{ends} ({values[-1]['name']})" + (f"; the main one is {chosen['tip']}." if chosen else ".")


def _line(row: Row, places: int, level: str, main: str) -> Spec:
    """Make the drawn row of one specification."""
    words = number(row["estimate"], places, sign=True)
    span = interval(row.get("lower"), row.get("upper"), places)
    return {
        "code": str(row["spec"]),
        "name": str(row["title"]),
        "kind": "main" if row["spec"] == main else "other",
        **{end: drawn(row.get(end)) for end in ENDS},
        "units": int(row["n_units"]),
        "words": words,
        "interval": span,
        "tip": f"{words} ({level} {span})" if span else words,
    }


def _drawing(values: list[Spec], axis: str, description: str, title: str, level: str) -> Spec:
    codes = [value["code"] for value in values]
    ends = [value[end] for value in values for end in ENDS if value[end] is not None]
    tips = [
        {"field": "name", "title": "Specification"},
        {"field": "tip", "title": axis},
        {"field": "units", "title": "Units"},
    ]
    paint = {"field": "kind", "type": "nominal", "legend": None} | {
        "scale": {"domain": ["main", "other"], "range": [colour("after"), colour("before")]}
    }
    figure = {"type": "text", "align": "left", "dx": 10, "color": colour("ink")}
    return spec_of(
        description,
        values=values,
        legend=[key("Main specification", "after", "dot"), key("Other specifications", "before", "dot")],
        table=[
            column("name", "Specification"),
            column("words", axis),
            column("interval", level),
            column("units", "Units", 0),
        ],
        title=title,
        params=[{"name": "names", "value": {value["code"]: value["name"] for value in values}}],
        height=26 * len(values),
        encoding={
            "x": {
                "type": "quantitative",
                "scale": {"domain": [min(0.0, *ends), max(0.0, *ends)], "nice": True},
                "axis": {"title": axis, "grid": True, "tickCount": {"expr": "narrow ? 4 : 6"}},
            },
            "y": label_axis(codes, narrow=170, grid=False, labelFontSize=11.5),
            "color": paint,
        },
        layer=[
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "color": colour("neutral")},
                "encoding": {"x": {"datum": 0}, "y": None, "color": None},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.6},
                "encoding": {
                    "x": {"field": "lower", "type": "quantitative"},
                    "x2": {"field": "upper"},
                    "tooltip": tips,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"x": {"field": "estimate"}, "tooltip": tips},
            },
            {
                "mark": figure,
                "encoding": {"x": {"value": {"expr": "width"}}, "text": {"field": "words"}, "color": None},
            },
        ],
    )
