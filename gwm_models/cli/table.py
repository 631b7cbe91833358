"""A table on a terminal of any width: columns wrapped by words, then left out, then row by row.

Words are never folded letter by letter, and what is left out is said.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

NARROWEST = 20
MOST_LINES = 4
"""Lines of one cell from which on a table is no longer read as one."""
FEW_ROWS = 12
"""Rows up to which they are written one by one rather than with columns left out."""
LESS = ("_code", "level", "n", "seed", "std_error", "_std_error", "region_name", "period", "_status", "note")
"""Columns that are left out first: names or their ends."""
KEPT = ("rank", "total", "value", "estimate", "lower", "upper")
"""Columns that are left out last."""
TOGETHER = (frozenset({"estimate", "lower", "upper"}), frozenset({"rank_lower", "rank_upper"}))
"""Columns of which none is shown without the others: no estimate without its interval."""
HEADINGS = ("area_name", "area", "name", "spec", "label", "term", "table", "quantity", "measure")
"""Columns that name a row, the best first."""
LONG_WORD = 12
"""Characters from which on a word may go on in a new line after a hyphen, a slash or an underscore."""


@dataclass(frozen=True)
class Layout:
    """Columns of text, the header first in each, and how wide they are shown."""

    names: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    widths: tuple[int, ...] = ()
    bordered: bool = False

    def only(self, kept: Sequence[str]) -> Layout:
        """Return the layout with these columns alone."""
        places = [place for place, name in enumerate(self.names) if name in kept]
        return Layout(
            tuple(self.names[place] for place in places),
            tuple(self.columns[place] for place in places),
            tuple(self.right[place] for place in places),
        )


def terminal_width() -> int:
    """Return the columns of the terminal, or what COLUMNS says."""
    return max(NARROWEST, shutil.get_terminal_size((100, 24)).columns)


def write_table(names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], title: str) -> None:
    """Write a table on the terminal, in the form that its width allows.

    Parameters
    ----------
    names : sequence of str
        Names of the columns.
    rows : sequence of sequences of str
        Cells as they are shown, without control characters.
    right : sequence of bool
        Which columns stand to the right.
    title : str
        Heading, may be empty.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, width=terminal_width(), height=25, highlight=False)
    if title:
        console.print(Text(title, style="italic"))
    columns = tuple(tuple(row[place] for row in rows) for place in range(len(names)))
    whole = Layout(tuple(names), columns, tuple(right))
    fitted = _fitted(whole, console.width)
    if fitted is not None and fitted.bordered:
        _print_table(fitted, console)
        return
    rest, said = _told_once(whole)
    fitted = _fitted(rest, console.width) or (None if len(rows) <= FEW_ROWS else _cut(rest, console.width))
    if fitted is None:
        _print_records(rest, console)
    else:
        _print_table(fitted, console)
        hidden = [name for name in rest.names if name not in fitted.names]
        if hidden:
            said.append(f"Not shown for want of width: {', '.join(hidden)}. --format csv has every column.")
    for line in said:
        console.print(Text("\n".join(_wrapped(line, console.width)), style="italic"))


def _told_once(layout: Layout) -> tuple[Layout, list[str]]:
    """Return a layout without the columns that are the same in every row, and a sentence with what they say."""
    key = _heading(layout)
    same = {
        name: cells[0]
        for name, cells in zip(layout.names, layout.columns, strict=True)
        if name != key and len(cells) > 1 and len(set(cells)) == 1
    }
    kept = [name for name in layout.names if name not in same]
    if not same or len(kept) < 2:
        return layout, []
    told = "; ".join(f"{name} {cell or 'missing'}" for name, cell in same.items())
    return layout.only(kept), [f"In every row: {told}."]


def _fitted(layout: Layout, width: int) -> Layout | None:
    """Return the layout with the widths of its columns, or None where it cannot be read at this width.

    Where it fits as it is it has borders; elsewhere two blanks between its columns.
    """
    natural = [max(map(_length, (name, *cells))) for name, cells in zip(layout.names, layout.columns, strict=True)]
    if sum(natural) <= width - 3 * len(layout.names) - 1:
        return replace(layout, widths=tuple(natural), bordered=True)
    room = width - 2 * (len(layout.names) - 1)
    least = [
        max(_longest(name, 0), *(_longest(cell) for cell in cells), 1)
        for name, cells in zip(layout.names, layout.columns, strict=True)
    ]
    for most in range(max(natural), 0, -1):
        widths = [max(low, min(high, most)) for low, high in zip(least, natural, strict=True)]
        if sum(widths) <= room:
            return replace(layout, widths=tuple(widths)) if _short(layout, widths) else None
    return None


def _short(layout: Layout, widths: Sequence[int]) -> bool:
    """Tell whether no cell takes more than a few lines at these widths."""
    return all(
        _length(cell) <= width or len(_wrapped(cell, width)) <= MOST_LINES
        for cells, width in zip(layout.columns, widths, strict=True)
        for cell in cells
    )


def _cut(layout: Layout, width: int) -> Layout | None:
    """Return the layout without the columns that matter least, or None where fewer than two would be left."""
    kept = list(layout.names)
    for group in _by_want(layout):
        kept = [name for name in kept if name not in group]
        if len(kept) < 2:
            return None
        fitted = _fitted(layout.only(kept), width)
        if fitted is not None:
            return fitted
    return None


def _by_want(layout: Layout) -> list[set[str]]:
    """Return groups of columns in the order in which they are left out; the one that names a row is none of them."""
    key, names = _heading(layout), layout.names
    less = [name for name in names if any(name == end or (end[0] == "_" and name.endswith(end)) for end in LESS)]
    order = [*reversed(less), *(name for name in reversed(names) if name not in (*less, *KEPT))]
    order += [name for name in reversed(names) if name in KEPT and name not in order]
    groups = []
    for name in order:
        pair = next((pair for pair in TOGETHER if name in pair), frozenset({name}))
        groups.append(set(pair) - {key})
    return [group for group in groups if group]


def _heading(layout: Layout) -> str:
    """Return the column that names a row: one that differs between rows, if there is any."""
    found = [name for name in (*HEADINGS, *layout.names) if name in layout.names]
    apart = {name for name, cells in zip(layout.names, layout.columns, strict=True) if len(set(cells)) == len(cells)}
    return next((name for name in found if name in apart), found[0])


def _print_table(layout: Layout, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    bare = Table(header_style="bold", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table = Table(header_style="bold") if layout.bordered else bare
    for name, width, right in zip(layout.names, layout.widths, layout.right, strict=True):
        heading = Text("\n".join(_wrapped(name, width, 0)))
        table.add_column(heading, justify="right" if right else "left", width=width, overflow="fold")
    for row in zip(*layout.columns, strict=True):
        cells = zip(row, layout.widths, strict=True)
        table.add_row(
            *(Text(cell if _length(cell) <= wide else "\n".join(_wrapped(cell, wide))) for cell, wide in cells)
        )
    console.print(table)


def _print_records(layout: Layout, console: Console) -> None:
    """Write each row as lines of name and value, its first value as the heading."""
    from rich.text import Text

    first = layout.names.index(_heading(layout))
    for number, row in enumerate(zip(*layout.columns, strict=True)):
        if number:
            console.print()
        console.print(Text(row[first] or layout.names[first], style="bold"))
        for place, (name, cell) in enumerate(zip(layout.names, row, strict=True)):
            if place != first and cell:
                lines = _wrapped(f"{name}: {cell}", console.width - 4)
                console.print(Text("\n".join(f"{'  ' if not k else '    '}{line}" for k, line in enumerate(lines))))


def _wrapped(text: str, width: int, long: int = LONG_WORD) -> list[str]:
    """Return a text in lines of at most `width` columns of the terminal, broken where a word may be."""
    lines, line = [], ""
    for piece, apart in _pieces(text, long):
        joined = f"{line}{' ' if line and apart else ''}{piece}"
        if line and _length(joined) > width:
            lines.append(line)
            line = piece
        else:
            line = joined
    return [*lines, line]


def _pieces(text: str, long: int = LONG_WORD) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text that stay on one line, each with whether a blank stands before it."""
    for word in text.split():
        for place, piece in enumerate(re.split(r"(?<=[-_/])(?=\w)", word) if len(word) > long else [word]):
            yield piece, place == 0


def _longest(text: str, long: int = LONG_WORD) -> int:
    return max((_length(piece) for piece, _ in _pieces(text, long)), default=0)


def _length(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
