"""`gwm data tiles`: the tile-grid layout of the areas, its measures, and whether the stored one is still it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped

if TYPE_CHECKING:
    from gwm_models.data.tiles import Measures, Tile

COLUMNS = ("area_code", "area_name", "column", "row", "label")


def tiles(
    write: Annotated[Path | None, typer.Option("--write", metavar="FILE.csv", help="Write the layout.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare it with the stored layout; exit code 1 if they differ.")
    ] = False,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Compute the tile map of the Monitor's areas: one equal square each, each region in one piece.

    Prints the layout, how far tiles are from their areas and how many borders they keep.

    Example: gwm data tiles --check
    """
    from gwm_models.data.tiles import measure, shipped_layout, shipped_places, stored_layout

    places, borders, _ = shipped_places()
    layout = shipped_layout()
    found = measure(places, layout, borders)
    rows = rows_of(layout)
    if write is not None:
        from gwm_models.files import csv_text, write_text

        write_text(write, csv_text(rows, COLUMNS))
    if format is Format.csv:
        emit(rows, format=format)
    elif format is Format.json:
        write_json({"tiles": rows, "measures": measure_row(found)})
    else:
        _print(layout, found)
    if write is not None and format is Format.table:
        write_line(f"Written: {write}")
    if check:
        _check(rows, rows_of(stored_layout()))


def rows_of(layout: tuple[Tile, ...]) -> list[dict[str, Any]]:
    """Return the rows of the table of tiles."""
    return [dict(zip(COLUMNS, (one.code, one.name, one.column, one.row, one.label), strict=True)) for one in layout]


def measure_row(found: Measures) -> dict[str, Any]:
    """Return the measures as one row."""
    from dataclasses import asdict

    return asdict(found)


def picture(layout: tuple[Tile, ...]) -> list[str]:
    """Draw the layout in letters, a line for each row of tiles.

    Examples
    --------
    >>> from gwm_models.data.tiles import Tile
    >>> picture((Tile("A", "Alder", "North", 1, 1, "Alde"), Tile("B", "Birch", "North", 2, 1, "Birc")))
    ['Alde Birc']
    """
    label = {(one.column, one.row): one.label for one in layout}
    columns = range(1, max(one.column for one in layout) + 1)
    rows = range(1, max(one.row for one in layout) + 1)
    return [" ".join(label.get((column, row), "").ljust(4) for column in columns).rstrip() for row in rows]


def _print(layout: tuple[Tile, ...], found: Measures) -> None:
    for line in picture(layout):
        write_line(line)
    write_line()
    size = f"{found.columns} columns and {found.rows} rows"
    mean = f"{found.mean_km:.1f} km ({found.mean_tiles:.2f} tiles)"
    farthest = f"{found.largest_km:.0f} km ({found.largest_tiles:.1f} tiles: {found.farthest})"
    write_wrapped(
        f"{len(layout)} tiles on a grid of {size}; a tile is {found.tile_km:.1f} km wide. Tiles are {mean} from their "
        f"areas on average, at most {farthest}."
    )
    write_wrapped(
        f"Of {found.borders} borders {found.side_by_side:.0%} are sides of two tiles, {found.touching:.0%} sides or "
        f"corners, {found.within_two:.0%} at most two steps. Rank correlation with the map: {found.west_east:.3f} from "
        f"west to east, {found.north_south:.3f} from north to south."
    )


def _check(computed: list[dict[str, Any]], stored: list[dict[str, Any]]) -> None:
    from gwm_models.errors import DataError, some

    if computed == stored:
        write_line("The stored layout is the one computed.")
        return
    old = {row["area_code"]: row for row in stored}
    other = [row["area_name"] for row in computed if old.get(row["area_code"]) != row]
    raise DataError(
        f"maps/tiles.csv is not the layout computed: {len(other)} of {len(computed)} areas differ ({some(other)}). "
        "Write it again: gwm data tiles --write data/maps/tiles.csv, and put its bytes and hash into datapackage.json."
    )
