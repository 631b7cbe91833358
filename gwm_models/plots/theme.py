"""Colours and the common look of every chart.

The blue and orange are close to those of Okabe and Ito, which the colour-blind can tell apart; the orange is
darker on white, for contrast.
"""

from __future__ import annotations

from typing import Any

from gwm_models.plots.palette import MAP_COLOURS
from gwm_models.plots.words import lines

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
THEMES: dict[str, dict[str, str]] = {
    "light": {
        "paper": "#ffffff",
        "raised": "#f5f6f7",
        "ink": "#16202a",
        "soft": "#4d5966",
        "grid": "#e3e6e9",
        "line": "#c5cbd1",
        "neutral": "#77818c",
        "before": "#0072b2",
        "after": "#c65100",
        "focus": "#0b57d0",
        "alert": "#8a4b00",
        "alert-paper": "#fff6e5",
    },
    "dark": {
        "paper": "#12171c",
        "raised": "#1b2229",
        "ink": "#eef1f4",
        "soft": "#aeb8c2",
        "grid": "#2a333c",
        "line": "#46515c",
        "neutral": "#8d99a5",
        "before": "#56b4e9",
        "after": "#f2a03d",
        "focus": "#8ab4f8",
        "alert": "#f5c26b",
        "alert-paper": "#2b2415",
    },
}
for _theme, _shades in MAP_COLOURS.items():
    THEMES[_theme] |= _shades


def colour(name: str) -> str:
    """Name a colour of the theme as a CSS variable, so that one drawing serves light, dark and print."""
    if name not in THEMES["light"]:
        raise ValueError(f"colour must be one of {', '.join(THEMES['light'])}; got {name!r}.")
    return f"var(--gwm-{name})"


def with_colours(spec: Any, theme: str = "light") -> Any:
    """Replace the CSS variables of a spec by plain colours, for a viewer that knows no CSS.

    Parameters
    ----------
    spec : dict, list or scalar
        A spec or a part of one. Not modified.
    theme : {"light", "dark"}
        Whose colours to use.

    Examples
    --------
    >>> with_colours({"mark": {"type": "bar", "color": "var(--gwm-before)"}})
    {'mark': {'type': 'bar', 'color': '#0072b2'}}
    """
    names = {colour(name): value for name, value in THEMES[theme].items()}
    if isinstance(spec, dict):
        return {key: with_colours(value, theme) for key, value in spec.items()}
    if isinstance(spec, list):
        return [with_colours(value, theme) for value in spec]
    return names.get(spec, spec) if isinstance(spec, str) else spec


def config() -> Spec:
    """Give the Vega-Lite configuration that every chart shares."""
    return {
        "background": None,
        "font": FONT,
        "aria": False,
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "ticks": False,
            "labelColor": colour("soft"),
            "labelFontSize": 12,
            "labelPadding": 6,
            "labelFlush": False,
            "titleColor": colour("soft"),
            "titleFontSize": 12,
            "titleFontWeight": 400,
            "titlePadding": 8,
            "gridColor": colour("grid"),
        },
        "text": {"color": colour("ink"), "fontSize": 12},
        "rule": {"color": colour("line")},
    }


def spec_of(
    description: str,
    *,
    values: list[Spec],
    legend: list[Spec],
    table: list[Spec],
    title: str = "",
    **parts: Any,
) -> Spec:
    """Assemble a single-view spec with the look of the house.

    Parameters
    ----------
    description : str
        What the chart shows, in a sentence a listener can follow.
    values : list of dict
        The data, drawn and tabled from the same rows.
    legend : list of dict
        ``label``, ``colour`` and ``shape`` of each key; written in HTML: it wraps and can be read aloud.
    table : list of dict
        ``field``, ``title`` and, for numbers, ``places`` and ``sign`` of each column of its table.
    title : str
        What tells this chart from its neighbours in the same figure; written in HTML as well.
    **parts
        Vega-Lite properties: ``layer``, ``encoding``, ``height`` and so on.
    """
    params = [{"name": "narrow", "value": False}, *parts.pop("params", [])]
    return {
        "$schema": SCHEMA,
        "description": description,
        "usermeta": {"title": title, "legend": legend, "table": table},
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": config(),
        "params": params,
        "data": {"values": values},
        **parts,
    }


def key(label: str, name: str, shape: str) -> Spec:
    """Make one entry of a legend: shape is ``dot``, ``ring``, ``bar``, ``band`` or ``tick``."""
    return {"label": label, "colour": name, "shape": shape}


def column(field: str, title: str, places: int | None = None, *, sign: bool = False) -> Spec:
    """Make one column of the table of a chart's data; text unless `places` is given."""
    return {"field": field, "title": title, "places": places, "sign": sign}


LETTERS, LETTERS_NARROW = 40, 20
"""Letters of a line of a long label, and of one on a phone."""
LINE = 15
"""Height of a line of a label, in pixels."""
LONG = "(narrow ? short : names)[datum.value]"


def long_names(names: dict[str, str]) -> tuple[list[Spec], int]:
    """Break long labels into lines, for `long_label_axis`.

    Parameters
    ----------
    names : dict of str to str
        Labels by code.

    Returns
    -------
    params : list of dict
        Of the spec.
    height : int
        Pixels that a row needs.
    """
    wide, narrow = ({code: lines(name, width) for code, name in names.items()} for width in (LETTERS, LETTERS_NARROW))
    most = max((len(name) for name in narrow.values()), default=1)
    return [{"name": "names", "value": wide}, {"name": "short", "value": narrow}], max(34, LINE * most + 12)


def number_axis(title: str | list[str] | None, *, narrow: int, wide: int, **more: Any) -> Spec:
    """Make the axis of a number: about so many ticks on a phone and elsewhere, none of whose labels touch."""
    ticks = {"expr": f"narrow ? {narrow:d} : {wide:d}"}
    return {"title": title, "tickCount": ticks, "labelOverlap": "greedy", "labelSeparation": 4, **more}


def label_axis(codes: list[str], *, narrow: int = 140, **more: Any) -> Spec:
    """Encode one row per code, labelled by the `names` parameter; a phone has `narrow` pixels for a label."""
    axis = {
        "title": None,
        "labelExpr": "names[datum.value]",
        "labelLimit": {"expr": f"narrow ? {narrow:d} : 260"},
        "labelColor": colour("ink"),
        "labelPadding": 10,
        "grid": True,
        "gridDash": [1, 3],
        "minExtent": {"expr": "narrow ? 60 : 150"},
        **more,
    }
    return {"field": "code", "type": "nominal", "scale": {"domain": codes}, "axis": axis}


def long_label_axis(codes: list[str]) -> Spec:
    """Encode one row per code, labelled in several lines by the parameters from `long_names`, each in its middle."""
    middle = {"expr": f"-{LINE / 2} * ({LONG}.length - 1)"}
    return label_axis(codes, grid=False, labelExpr=LONG, labelLineHeight=LINE, labelOffset=middle, narrow=150)
