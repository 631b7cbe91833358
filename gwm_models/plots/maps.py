"""Maps: one equal tile for each area, or true shapes where a boundary file is given, in classes with printed bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gwm_models.plots.classes import Classes, diverging, groups, sequential
from gwm_models.plots.ranking import by_area
from gwm_models.plots.theme import Spec, colour, column, key, spec_of
from gwm_models.plots.words import drawn, interval, level_words, number, places_for, unit_words, with_unit

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition
    from gwm_models.data.tiles import Tile
    from gwm_models.plots.boundaries import Boundaries

Row = Mapping[str, Any]
Kind = Literal["sequential", "diverging", "groups"]

WIDEST = 44
"""Pixels of a tile at most."""
WIDEST_SHAPES = 560
"""Pixels of a map of shapes at most."""
SLANTS = (0.2, 0.4)
"""Where hatching meets the sides of a tile; its middle stays free for the label."""
NO_FIGURE = "no figure"
SHAPE_FIELDS = ("name", "region", "class", "tip")
TILE = f"min({WIDEST}, width / columns)"


def tile_map(
    rows: Sequence[Row],
    *,
    value: str,
    title: str,
    description: str,
    unit: str,
    places: int,
    kind: Kind,
    reference: float = 0.0,
    label: str,
    note: str = "",
    edition: Edition | None = None,
    boundaries: Boundaries | None = None,
    breaks: Sequence[float] | None = None,
) -> list[Spec]:
    """Draw a map of the areas: an equal square each, or their shapes.

    Parameters
    ----------
    rows : sequence of mapping
        One an area, with ``area_code, area_name, region_name``, the value, and maybe ``lower`` and ``upper``.
    value : str
        Field of the value; None or NaN is drawn as no figure. A group is any word or number.
    title : str
        What tells this map from its neighbours in the same figure; may be empty.
    description : str
        What the map shows, a sentence. The highest, the lowest and the number of areas are added.
    unit : str
        Unit of the value.
    places : int
        Decimals of printed values.
    kind : {"sequential", "diverging", "groups"}
        Low to high; both sides of `reference`; or names without order.
    reference : float
        Middle of a diverging map. Values are written with a sign where it is zero.
    label : str
        Name of the value, in the table and when an area is pointed at.
    note : str
        Added to the description.
    edition : Edition, optional
        All its areas are drawn; those without a row have no figure.
    boundaries : Boundaries, optional
        Shapes to draw instead of tiles; an area without one is left out, which the description says.
    breaks : sequence of float, optional
        Of a sequential map, rising, for several maps with one key; found from the values by default.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without rows, or where no tile can be placed and no shapes are given.

    Raises
    ------
    ValueError
        If an area has two rows.
    """
    shown = _areas(rows, edition)
    if not shown:
        return []
    if len({row["area_code"] for row in shown}) < len(shown):
        raise ValueError("rows has an area more than once; expected one row an area.")
    classes = _classes(shown, value, kind, reference=reference, places=places, unit=unit, breaks=breaks)
    signs = kind == "diverging" and not reference
    data = [
        _datum(row, value, kind, places=places, unit=unit, signs=signs, level=classes.of[i])
        for i, row in enumerate(shown)
    ]
    said = (
        description,
        _spoken(data, kind, places, signs=signs, unit=unit),
        note,
        *(boundaries.notes if boundaries else ()),
    )
    layers = _shapes(data, classes, boundaries, label) if boundaries else _tiles(data, classes, label)
    if layers is None:
        return []
    return [
        spec_of(
            " ".join(part for part in said if part),
            title=title,
            values=data,
            legend=_legend(classes, data, "ring" if boundaries else "hatch", whole=breaks is not None),
            table=_columns(data, kind, label, places, signs=signs, unit=unit),
            **layers,
        )
    ]


def change_map(areas: Sequence[Row], boundaries: Boundaries | None = None) -> list[Spec]:
    """Draw the change of the total that a scenario makes in each area.

    Parameters
    ----------
    areas : sequence of mapping
        Rows of ``areas.csv`` of a run; the quantity ``total`` in the state ``difference`` is used.
    boundaries : Boundaries, optional
        Shapes to draw instead of tiles.

    Returns
    -------
    list of dict
        One Vega-Lite spec; empty without such rows.
    """
    found = [states["difference"] for states in by_area(areas, "total").values() if "difference" in states]
    if not found:
        return []
    unit, name = str(found[0]["unit"]), str(found[0].get("label") or "Total score")
    words = name[:1].lower() + name[1:]
    return tile_map(
        [{**row, "change": row["estimate"]} for row in found],
        value="change",
        title="",
        description=f"Map of the change of the {words} in each area, with {level_words(found[0].get('level'))}.",
        unit=unit,
        places=places_for(unit, change=True),
        kind="diverging",
        label=f"Change of the {words}",
        boundaries=boundaries,
    )


def _areas(rows: Sequence[Row], edition: Edition | None) -> list[Row]:
    """Return a row for each area: of the edition, if one is given."""
    if edition is None or not rows:
        return list(rows)
    given = {str(row["area_code"]): row for row in rows}
    areas = edition.areas
    return [
        {"area_code": code, "area_name": name, "region_name": region, **given.get(code, {})}
        for code, name, region in zip(areas.code, areas.name, areas.region, strict=True)
    ]


def _classes(
    rows: Sequence[Row],
    value: str,
    kind: Kind,
    *,
    reference: float,
    places: int,
    unit: str,
    breaks: Sequence[float] | None,
) -> Classes:
    if kind == "groups":
        return groups([_group(row.get(value)) for row in rows])
    numbers = [_figure(row.get(value)) for row in rows]
    if kind == "diverging":
        return diverging(numbers, reference=reference, places=places, unit=unit)
    return sequential(numbers, places=places, unit=unit, breaks=breaks)


def _group(value: Any) -> str | None:
    """Return the name of a group, or None for no figure."""
    if value is None or value == "" or value != value:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _figure(value: Any) -> float | None:
    """Return a number, or None for no figure."""
    return None if value is None or not math.isfinite(value) else float(value)


def _datum(row: Row, value: str, kind: Kind, *, places: int, unit: str, signs: bool, level: int) -> Spec:
    """Make the drawn row of one area."""
    datum: Spec = {
        "code": str(row["area_code"]),
        "name": str(row["area_name"]),
        "region": str(row.get("region_name") or ""),
        "class": level,
    }
    if kind == "groups":
        name = _group(row.get(value))
        return datum | {"value": name, "tip": name or NO_FIGURE}
    one = _figure(row.get(value))
    span = interval(row.get("lower"), row.get("upper"), places)
    words = NO_FIGURE if one is None else with_unit(number(one, places, sign=signs), unit)
    return datum | {
        "value": drawn(one),
        "interval": span if one is not None else "",
        "tip": f"{words} ({span})" if span and one is not None else words,
    }


def _spoken(data: Sequence[Row], kind: Kind, places: int, *, signs: bool, unit: str) -> str:
    """Say the highest, the lowest and how many, or the size of each group."""
    known = [row for row in data if row["value"] is not None]
    lost = len(data) - len(known)
    missing = f" {lost} {'has' if lost == 1 else 'have'} no figure." if lost else ""
    count = f"{len(data)} {'area' if len(data) == 1 else 'areas'}.{missing}"
    if not known:
        return count
    if kind == "groups":
        names = dict.fromkeys(sorted(row["value"] for row in known))
        sizes = [f"{name}: {sum(row['value'] == name for row in known)}" for name in names]
        return f"{count} {'; '.join(sizes)}."
    ends = []
    for word, pick in (("Highest", max), ("lowest", min)):
        end = pick(row["value"] for row in known)
        same = [row["name"] for row in known if round(row["value"], places) == round(end, places)]
        who = same[0] if len(same) == 1 else f"{len(same)} areas"
        ends.append(f"{word}: {who}, {with_unit(number(end, places, sign=signs), unit)}")
    return f"{count} {'; '.join(ends)}."


def _columns(data: Sequence[Row], kind: Kind, label: str, places: int, *, signs: bool, unit: str) -> list[Spec]:
    """Give the columns of the table of the map's data."""
    words = unit_words(unit)
    heading = f"{label} ({words})" if words else label
    first = [column("name", "Area"), column("region", "Region")]
    if kind == "groups":
        return [*first, column("value", label)]
    spans = [column("interval", "Interval")] if any(row["interval"] for row in data) else []
    return [*first, column("value", heading, places, sign=signs), *spans]


def _legend(classes: Classes, data: Sequence[Row], missing: str, *, whole: bool) -> list[Spec]:
    """Give a key of every class from the lowest to the highest that has an area, or of all, and of no figure."""
    shown = range(len(classes.labels)) if whole else classes.shown()
    keys = [key(classes.labels[i], classes.colours[i], "bar") for i in shown]
    return [*keys, key(NO_FIGURE, "neutral", missing)] if any(row["class"] < 0 for row in data) else keys


def _by_class(classes: Classes, missing: str, suffix: str) -> Spec:
    """Encode the colour of a class, or of the text on it; `missing` is that of no figure."""
    names = [missing, *(f"{name}{suffix}" for name in classes.colours)]
    scale = {"domain": list(range(-1, len(classes.colours))), "range": [colour(name) for name in names]}
    return {"field": "class", "type": "ordinal", "scale": scale, "legend": None}


def _tooltip(label: str) -> list[Spec]:
    return [
        {"field": "name", "title": "Area"},
        {"field": "region", "title": "Region"},
        {"field": "tip", "title": label},
    ]


def _tiles(data: list[Spec], classes: Classes, label: str) -> Spec | None:
    """Draw squares, their labels, lines between regions and hatching; adds the places of tiles to the data."""
    from gwm_models.data.tiles import tiles_of
    from gwm_models.errors import DataError

    try:
        tiles = tiles_of({row["code"]: (row["name"], row["region"]) for row in data})
    except DataError:
        return None
    for row, tile in zip(data, tiles, strict=True):
        row |= {"column": tile.column, "row": tile.row, "label": tile.label}
    columns, rows = max(tile.column for tile in tiles), max(tile.row for tile in tiles)
    missing = [(row["column"], row["row"]) for row in data if row["class"] < 0]
    across = {"scale": {"domain": [0.5, columns + 0.5], "range": [0, {"expr": "columns * tile"}], "nice": False}}
    down = {"scale": {"domain": [0.5, rows + 0.5], "range": [0, {"expr": "rows * tile"}], "nice": False}}
    return {
        "params": [
            {"name": "columns", "value": columns},
            {"name": "rows", "value": rows},
            {"name": "tile", "expr": TILE},
            {"name": "height", "expr": "ceil(rows * tile)"},
        ],
        "height": WIDEST * rows,
        "transform": [
            {"calculate": f"datum.{axis} + {half}", "as": f"{axis}{name}"}
            for axis in ("column", "row")
            for name, half in (("From", -0.5), ("To", 0.5))
        ],
        "encoding": {},
        "layer": [
            {
                "mark": {"type": "rect", "stroke": colour("paper"), "strokeWidth": 1},
                "encoding": {
                    "x": {"field": "columnFrom", "type": "quantitative", "axis": None, **across},
                    "x2": {"field": "columnTo"},
                    "y": {"field": "rowFrom", "type": "quantitative", "axis": None, **down},
                    "y2": {"field": "rowTo"},
                    "fill": _by_class(classes, "raised", ""),
                    "tooltip": _tooltip(label),
                },
            },
            *([_lines(_hatching(missing), "neutral", 1)] if missing else []),
            _lines(_region_lines(tiles), "ink", 1.5),
            {
                "mark": {
                    "type": "text",
                    "fontSize": {"expr": "max(8, min(13, tile * 0.31))"},
                    "fontWeight": 500,
                    "baseline": "middle",
                },
                "encoding": {
                    "x": {"field": "column", "type": "quantitative", "axis": None, **across},
                    "y": {"field": "row", "type": "quantitative", "axis": None, **down},
                    "text": {"field": "label"},
                    "color": _by_class(classes, "ink", "-text"),
                    "tooltip": _tooltip(label),
                },
            },
        ],
    }


def _lines(segments: Sequence[tuple[float, float, float, float]], name: str, width: float) -> Spec:
    """Draw straight lines between points of the grid."""
    names = ("x", "y", "x2", "y2")
    return {
        "data": {"values": [dict(zip(names, ends, strict=True)) for ends in segments]},
        "transform": [],
        "mark": {"type": "rule", "color": colour(name), "strokeWidth": width, "strokeCap": "square"},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "axis": None},
            "y": {"field": "y", "type": "quantitative", "axis": None},
            "x2": {"field": "x2"},
            "y2": {"field": "y2"},
        },
    }


def _hatching(cells: Sequence[tuple[int, int]]) -> list[tuple[float, float, float, float]]:
    """Give an outline and slanting lines over some tiles."""
    slants = [(-0.5, k - 0.5, k - 0.5, -0.5) for k in SLANTS] + [(0.5, 0.5 - k, 0.5 - k, 0.5) for k in SLANTS]
    slants += [(-0.5, y, 0.5, y) for y in (-0.5, 0.5)] + [(x, -0.5, x, 0.5) for x in (-0.5, 0.5)]
    return [(x + a, y + b, x + c, y + d) for x, y in cells for a, b, c, d in slants]


def _region_lines(tiles: Sequence[Tile]) -> list[tuple[float, float, float, float]]:
    """Give the sides at which two regions meet."""
    region = {(tile.column, tile.row): tile.region for tile in tiles}
    found = []
    for (x, y), name in sorted(region.items()):
        if region.get((x + 1, y), name) != name:
            found.append((x + 0.5, y - 0.5, x + 0.5, y + 0.5))
        if region.get((x, y + 1), name) != name:
            found.append((x - 0.5, y + 0.5, x + 0.5, y + 0.5))
    return found


def _shapes(data: Sequence[Row], classes: Classes, boundaries: Boundaries, label: str) -> Spec:
    """Draw true shapes; those without a figure come last, with a broken outline."""
    shapes = boundaries.shapes
    features = [
        {"type": "Feature", "geometry": shapes[row["code"]], **{name: row[name] for name in SHAPE_FIELDS}}
        for row in sorted(data, key=lambda row: row["class"] < 0)
        if row["code"] in shapes
    ]
    missing = "datum['class'] < 0"
    return {
        "params": [
            {
                "name": "height",
                "expr": f"ceil(min({WIDEST_SHAPES}, width) * {boundaries.height / boundaries.width:.4f})",
            }
        ],
        "height": WIDEST_SHAPES,
        "layer": [
            {
                "data": {"values": features},
                "projection": {"type": "identity"},
                "mark": {"type": "geoshape", "strokeJoin": "round"},
                "encoding": {
                    "fill": _by_class(classes, "raised", ""),
                    "stroke": {"condition": {"test": missing, "value": colour("ink")}, "value": colour("neutral")},
                    "strokeWidth": {"condition": {"test": missing, "value": 1}, "value": 0.4},
                    "strokeDash": {"condition": {"test": missing, "value": [2, 2]}, "value": [1, 0]},
                    "tooltip": _tooltip(label),
                },
            }
        ],
    }
