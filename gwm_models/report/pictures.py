"""Pictures of charts for a document: PNG and SVG, complete with title, legend and source, made without a network."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from gwm_models.errors import OutputError
from gwm_models.files import write_bytes, write_text
from gwm_models.plots.theme import FONT, THEMES, with_colours
from gwm_models.report.png import packed

Spec = Mapping[str, Any]

KINDS = ("svg", "png")
WIDTH = 900
SCALE = 14 / 9
"""Pixels of a PNG for each unit of its width: a figure is 1,400 wide, sharp on paper and on a screen."""
MARGIN, GUTTER = 28, 32
NARROW = 520
"""A chart narrower than this is drawn as on a phone; the pages use the same number."""
COLUMNS_FROM = 700
"""Least width of a picture whose charts stand side by side."""
SLIM, WIDE_LETTERS = frozenset("iljtfrI.,:;'|()[] -"), frozenset("mwMW%@")
SIZE = re.compile(r'<svg[^>]*?\bwidth="([\d.]+)"[^>]*?\bheight="([\d.]+)"')
NAMES = re.compile(r'(\bid="|url\(#|href="#)')
VARIABLE = re.compile(r"var\(--gwm-([a-z-]+)\)")


def write_picture(
    specs: Spec | Sequence[Spec],
    path: Path,
    theme: str = "light",
    width: int = WIDTH,
    *,
    title: str = "",
    notes: Sequence[str] = (),
    columns: int = 2,
) -> None:
    """Write charts as one picture, the kind by the ending of the path.

    Parameters
    ----------
    specs : dict or sequence of dict
        In the form of the house; several stand side by side where there is room.
    path : Path
        Ending in ``.png`` or ``.svg``.
    theme : {"light", "dark"}
    width : int
        Of the picture, in units of its letters; a PNG has more pixels.
    title : str
    notes : sequence of str
        Under the charts: interval, period, source.
    columns : int
        Charts side by side; the last one takes what is left of its line.

    Raises
    ------
    OutputError
        If the path has another ending, or cannot be written.
    """
    kind = path.suffix.removeprefix(".").casefold()
    if kind not in KINDS:
        raise OutputError(f"{path}: a picture ends in .png or .svg.")
    text = picture_svg(specs, theme, width, title=title, notes=notes, columns=columns)
    if kind == "svg":
        write_text(path, text)
        return
    write_bytes(path, png_of(text))


def picture_svg(
    specs: Spec | Sequence[Spec],
    theme: str = "light",
    width: int = WIDTH,
    *,
    title: str = "",
    notes: Sequence[str] = (),
    columns: int = 2,
) -> str:
    """Return charts as the text of one SVG picture; parameters as in `write_picture`."""
    charts = [specs] if isinstance(specs, Mapping) else list(specs)
    ink = THEMES[theme]
    inner = width - 2 * MARGIN
    columns = min(columns, len(charts)) if width >= COLUMNS_FROM else 1
    apart = not alike([chart["usermeta"]["legend"] for chart in charts])
    parts: list[str] = []
    y = float(MARGIN)
    if title:
        y = _paragraph(parts, title, MARGIN, y, inner, size=19, colour=ink["ink"], weight=600) + 8
    if not apart:
        y = _legend(parts, charts[0], MARGIN, y, inner, theme)
    for start in range(0, len(charts), columns):
        row = charts[start : start + columns]
        each = (inner - GUTTER * (len(row) - 1)) / len(row)
        shared = apart and len(row) > 1 and alike([chart["usermeta"]["legend"] for chart in row])
        if shared:
            y = _legend(parts, row[0], MARGIN, y, inner, theme) + 6
        ends = []
        for place, chart in enumerate(row):
            x = MARGIN + place * (each + GUTTER)
            ends.append(_chart(parts, chart, f"c{start + place}-", x, y, each, theme, legend=apart and not shared))
        y = max(ends) + 14
    for note in notes:
        y = _paragraph(parts, note, MARGIN, y, inner, size=11.5, colour=ink["soft"]) + 2
    height = round(y + MARGIN - 10)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="{escape(FONT)}">'
        f"<title>{escape(title)}</title>"
        f"<desc>{escape(' '.join(str(chart['description']) for chart in charts))}</desc>"
        f'<rect width="{width}" height="{height}" fill="{ink["paper"]}"/>{"".join(parts)}</svg>\n'
    )


def png_of(svg: str) -> bytes:
    """Return a picture as PNG, with a palette so that it stays small."""
    import vl_convert

    return packed(bytes(vl_convert.svg_to_png(svg, scale=SCALE)))


def chart_svg(spec: Spec, theme: str, width: float) -> str:
    """Return one chart of a fixed width as SVG text; nothing is fetched."""
    import vl_convert

    whole = with_colours(copy.deepcopy(dict(spec)), theme)
    whole["width"] = round(width)
    for param in whole["params"]:
        if param["name"] == "narrow":
            param["value"] = width < NARROW
    text = str(vl_convert.vegalite_to_svg(whole, allowed_base_urls=[]))
    return VARIABLE.sub(lambda found: THEMES[theme][found[1]], text)


def alike(legends: Sequence[Sequence[Mapping[str, Any]]]) -> bool:
    """Tell whether charts share one legend."""
    return all(list(one) == list(legends[0]) for one in legends)


def length_of(text: str, size: float) -> float:
    """Return about how long a line of text is, in pixels.

    Examples
    --------
    >>> length_of("mill", 10) < length_of("wham", 10)
    True
    """
    widths = (0.29 if one in SLIM else 0.86 if one in WIDE_LETTERS else 0.68 if one.isupper() else 0.55 for one in text)
    return size * sum(widths)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Break a text into lines no longer than a width, at plain spaces."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and length_of(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _chart(
    parts: list[str], spec: Spec, prefix: str, x: float, y: float, width: float, theme: str, *, legend: bool
) -> float:
    """Add one chart with its own title, and its legend if charts differ, and return where it ends."""
    heading = str(spec["usermeta"]["title"])
    if heading:
        y = _paragraph(parts, heading, x, y, width, size=13, colour=THEMES[theme]["ink"], weight=600) + 2
    if legend:
        y = _legend(parts, spec, x, y, width, theme)
    text = chart_svg(spec, theme, width)
    found = SIZE.search(text)
    height = float(found[2]) if found else 0.0
    body = NAMES.sub(lambda name: name[1] + prefix, text[text.index("<svg") :])
    parts.append(body.replace("<svg", f'<svg x="{x:g}" y="{y:g}"', 1))
    return y + height


def _paragraph(
    parts: list[str],
    text: str,
    x: float,
    y: float,
    width: float,
    *,
    size: float,
    colour: str,
    weight: int = 400,
) -> float:
    """Add a text in as many lines as it needs, and return where it ends."""
    for line in wrapped(text, size * (1.06 if weight > 400 else 1.0), width):
        y += size * 1.35
        parts.append(
            f'<text x="{x:g}" y="{y - size * 0.3:.1f}" font-size="{size:g}" font-weight="{weight}" fill="{colour}">'
            f"{escape(line)}</text>"
        )
    return y


def _legend(parts: list[str], spec: Spec, x: float, y: float, width: float, theme: str) -> float:
    """Add the keys of a chart, in as many lines as they need, and return where they end."""
    keys = spec["usermeta"]["legend"]
    if not keys:
        return y
    at, line, size = x, y + 12, 12.0
    for entry in keys:
        length = 28 + length_of(entry["label"], size) + 16
        if at > x and at + length > x + width:
            at, line = x, line + 20
        parts.append(_mark(entry, at, line, THEMES[theme]))
        parts.append(
            f'<text x="{at + 28:.1f}" y="{line + 4:.1f}" font-size="{size:g}" fill="{THEMES[theme]["ink"]}">'
            f"{escape(entry['label'])}</text>"
        )
        at += length
    return line + 18


def _mark(entry: Mapping[str, Any], x: float, y: float, ink: Mapping[str, str]) -> str:
    """Draw one key of a legend."""
    fill, shape = ink.get(entry["colour"], str(entry["colour"])), entry["shape"]
    if shape == "ring":
        return f'<circle cx="{x + 12:.1f}" cy="{y:.1f}" r="4.5" fill="none" stroke="{fill}" stroke-width="2"/>'
    if shape == "dot":
        return f'<circle cx="{x + 12:.1f}" cy="{y:.1f}" r="5" fill="{fill}"/>'
    wide, tall, opacity = {"band": (22, 8, 0.35), "line": (22, 3, 1.0), "tick": (2.5, 14, 1.0)}.get(
        shape, (12, 12, 1.0)
    )
    return (
        f'<rect x="{x + 12 - wide / 2:.1f}" y="{y - tall / 2:.1f}" width="{wide}" height="{tall}" fill="{fill}" '
        f'opacity="{opacity}"/>'
    )
