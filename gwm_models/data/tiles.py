"""A tile-grid map: one equal square for each area, near its place, each region in one piece.

Steps: areas are pushed apart as equal discs, while links along borders keep their direction (a Dorling cartogram);
each gets a cell of a grid by the assignment with the least squared displacement; moves and swaps lower a stated cost.
See `gwm_models.data.tile_search`.

References
----------
Dorling (1996), Area cartograms: their use and creation, Concepts and Techniques in Modern Geography 59.
Slingsby, Dykes & Wood (2010), Rectangular hierarchical cartograms for socio-economic data, Journal of Maps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.tables import read_table
from gwm_models.data.tile_labels import short_labels
from gwm_models.data.tile_search import place_tiles, spread
from gwm_models.errors import DataError, some

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Pair = tuple[str, str]

TABLE = "tiles"
LONDON_RING = ("E10000015", "E10000030", "E06000034", "E06000039")
"""Hertfordshire, Surrey, Thurrock, Slough: London, which has no scores, lies in their middle."""
LONDON_CELLS, LONDON_RADIUS = 3, 0.8
"""Cells left empty for London, and the radius of its disc in tiles (an area has 0.5)."""
TIGHT = 0.9
"""Width of a tile, relative to the median distance of areas that share a border."""
WIDEST = 2.5
"""A map is at most so many tiles wide as this times the root of their number, before tiles are pushed apart."""
NEAREST = 4
"""Areas that each is linked to where no borders are given."""
FARTHEST = 1e8
"""Coordinates beyond it, in metres, are on no map of the Earth."""
ENOUGH = 0.9
"""Share of the stored tiles that must be used for the stored layout to be taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """An area and its centroid, metres east and north (or any other plane coordinates)."""

    code: str
    name: str
    region: str
    easting: float
    northing: float


@dataclass(frozen=True, slots=True)
class Tile:
    """The square of an area: column from 1 in the west, row from 1 in the north, and a short label of its own."""

    code: str
    name: str
    region: str
    column: int
    row: int
    label: str


@dataclass(frozen=True, slots=True)
class Measures:
    """How true a layout is to the map, after the shift and scale that fit best (least squares).

    Attributes
    ----------
    tile_km : float
        Width of a tile on that scale.
    mean_km, largest_km, mean_tiles, largest_tiles : float
        Distance of tiles from their centroids.
    farthest : str
        Name of the area with the largest.
    borders : int
        Pairs that share a border.
    side_by_side, touching, within_two : float
        Share of them whose tiles share a side; share a side or a corner; are at most two steps of a side apart.
        NaN without borders.
    west_east, north_south : float
        Spearman's rank correlation of columns with eastings, of rows with northings (north first); NaN where all are
        equal.
    columns, rows : int
        Size of the grid.
    """

    tile_km: float
    mean_km: float
    largest_km: float
    mean_tiles: float
    largest_tiles: float
    farthest: str
    borders: int
    side_by_side: float
    touching: float
    within_two: float
    west_east: float
    north_south: float
    columns: int
    rows: int


def lay_out(
    places: Sequence[Place], borders: Iterable[Pair] = (), *, holes: Sequence[tuple[float, float, int]] = ()
) -> tuple[Tile, ...]:
    """Give each area a tile. The order in which areas and borders come makes no difference.

    Parameters
    ----------
    places : sequence of Place
        Any number; codes are unique.
    borders : iterable of (code, code)
        Areas that share a border; without any, each area is linked to its four nearest.
    holes : sequence of (easting, northing, cells)
        Places about which so many cells are left empty.

    Returns
    -------
    tuple of Tile
        In the order of `places`. No two share a cell, and the tiles of a region are joined by sides.

    Raises
    ------
    DataError
        If a centroid is missing or absurd, a code comes twice, or a border names an unknown area.

    Examples
    --------
    >>> a, b = Place("A", "Alder", "North", 0, 1000), Place("B", "Birch", "North", 0, 0)
    >>> [(tile.name, tile.column, tile.row) for tile in lay_out([b, a], [("A", "B")])]
    [('Birch', 1, 2), ('Alder', 1, 1)]
    """
    if not places:
        return ()
    ordered = sorted(places, key=lambda place: place.code)
    _check(ordered)
    points = np.array([[place.easting, place.northing] for place in ordered], dtype=float)
    pairs = _pairs([place.code for place in ordered], borders)
    links = pairs if len(pairs) else _nearest(points)
    region = np.unique([place.region for place in ordered], return_inverse=True)[1].astype(np.int64)
    cells = _cells(points, region, pairs, links, holes)
    column = cells[:, 0] - cells[:, 0].min() + 1
    row = cells[:, 1].max() - cells[:, 1] + 1
    labels = short_labels({place.code: place.name for place in ordered})
    found = {
        place.code: Tile(place.code, place.name, place.region, int(x), int(y), labels[place.code])
        for place, x, y in zip(ordered, column, row, strict=True)
    }
    return tuple(found[place.code] for place in places)


def _check(places: Sequence[Place]) -> None:
    """Refuse centroids that are no places, and codes that come twice."""
    lost = [
        place.name
        for place in places
        if not (math.isfinite(place.easting) and math.isfinite(place.northing))
        or max(abs(place.easting), abs(place.northing)) > FARTHEST
    ]
    if lost:
        raise DataError(
            f"{len(lost)} of {len(places)} areas have no usable centroid ({some(lost)}); a tile map needs an easting "
            "and a northing of each, in metres. Add them."
        )
    codes = [place.code for place in places]
    twice = sorted({first for first, second in pairwise(codes) if first == second})
    if twice:
        raise DataError(f"An area has one tile; {some(twice)} come more than once. Give each area one row.")


def _pairs(codes: Sequence[str], borders: Iterable[Pair]) -> Ints:
    """Return borders as sorted pairs of positions, each once."""
    at = {code: i for i, code in enumerate(codes)}
    listed = list(borders)
    unknown = sorted({code for pair in listed for code in pair if code not in at})
    if unknown:
        raise DataError(f"Borders name {len(unknown)} unknown areas ({some(unknown)}). Drop them, or add the areas.")
    pairs = {(min(at[a], at[b]), max(at[a], at[b])) for a, b in listed if a != b}
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _nearest(points: Floats) -> Ints:
    """Link each point to its nearest, where no borders are known."""
    from scipy.spatial import cKDTree

    if len(points) == 1:
        return np.zeros((0, 2), dtype=np.int64)
    near = cKDTree(points).query(points, k=min(NEAREST + 1, len(points)))[1]
    pairs = {(min(i, j), max(i, j)) for i, row in enumerate(near.tolist()) for j in row if i != j}
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _cells(points: Floats, region: Ints, pairs: Ints, links: Ints, holes: Sequence[tuple[float, float, int]]) -> Ints:
    """Push points and holes apart, then place them."""
    n = len(points)
    width = _tile_width(points, links)
    gaps = np.array([hole[:2] for hole in holes], dtype=float).reshape(-1, 2)
    scaled = np.round((np.vstack([points, gaps]) - points.mean(axis=0)) / width, 9)
    radius = np.r_[np.full(n, 0.5), [LONDON_RADIUS * math.sqrt(cells / LONDON_CELLS) for _, _, cells in holes]]
    round_holes = [
        (i, n + k)
        for k, gap in enumerate(gaps)
        for i in np.argsort(((points - gap) ** 2).sum(axis=1), kind="stable")[:4]
    ]
    more = np.array(round_holes, dtype=np.int64).reshape(-1, 2)
    apart = spread(scaled, np.vstack([links, more]), radius)
    return place_tiles(apart[:n], region, pairs, [(apart[n + k], cells) for k, (_, _, cells) in enumerate(holes)])


def _tile_width(points: Floats, links: Ints) -> float:
    """Return the width of a tile, in the unit of the points; 1 where all points are one."""
    lengths = np.linalg.norm(points[links[:, 0]] - points[links[:, 1]], axis=1)
    near = TIGHT * float(np.median(lengths)) if lengths.size else 0.0
    return max(near, float(np.ptp(points, axis=0).max()) / (WIDEST * math.sqrt(len(points)))) or 1.0


def measure(places: Sequence[Place], tiles: Sequence[Tile], borders: Iterable[Pair] = ()) -> Measures:
    """Measure how far tiles are from their places, and which borders are kept.

    Parameters
    ----------
    places : sequence of Place
    tiles : sequence of Tile
        Of the same areas, in any order.
    borders : iterable of (code, code)
    """
    at = {tile.code: (float(tile.column), -float(tile.row)) for tile in tiles}
    points = np.array([[place.easting, place.northing] for place in places], dtype=float) / 1000
    cells = np.array([at[place.code] for place in places])
    points, cells = points - points.mean(axis=0), cells - cells.mean(axis=0)
    scale = float((points * cells).sum() / max((cells**2).sum(), 1e-12))
    km = np.linalg.norm(points - scale * cells, axis=1)
    farthest = int(km.argmax())
    pairs = _pairs([place.code for place in places], borders)
    steps = np.abs(cells[pairs[:, 0]] - cells[pairs[:, 1]])
    return Measures(
        tile_km=scale,
        mean_km=float(km.mean()),
        largest_km=float(km[farthest]),
        mean_tiles=float(km.mean()) / scale if scale > 0 else math.nan,
        largest_tiles=float(km[farthest]) / scale if scale > 0 else math.nan,
        farthest=places[farthest].name,
        borders=len(pairs),
        side_by_side=_share(steps.sum(axis=1) < 1.5),
        touching=_share(steps.max(axis=1, initial=0.0) < 1.5),
        within_two=_share(steps.sum(axis=1) < 2.5),
        west_east=_rank_correlation(cells[:, 0], points[:, 0]),
        north_south=_rank_correlation(cells[:, 1], points[:, 1]),
        columns=max(tile.column for tile in tiles),
        rows=max(tile.row for tile in tiles),
    )


def _share(holds: NDArray[np.bool_]) -> float:
    return float(holds.mean()) if holds.size else math.nan


def _rank_correlation(left: Floats, right: Floats) -> float:
    """Return Spearman's rank correlation, ties at their middle rank; NaN where one side is constant."""
    from scipy.stats import rankdata

    first, second = (rankdata(np.round(one, 9)) - (len(one) + 1) / 2 for one in (left, right))
    size = math.sqrt(float((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / size if size > 0 else math.nan


def shipped_places() -> tuple[list[Place], list[Pair], list[tuple[float, float, int]]]:
    """Return the Monitor's areas with their centroids, their borders, and the hole where London is."""
    table = read_table("areas").rows()
    places = [
        Place(row["area_code"], row["area_name"], row["region_name"], float(row["easting"]), float(row["northing"]))
        for row in table
    ]
    borders = [(row["area_code_1"], row["area_code_2"]) for row in read_table("borders").rows()]
    ring = [place for place in places if place.code in LONDON_RING]
    east, north = (sum(values) / len(ring) for values in zip(*((p.easting, p.northing) for p in ring), strict=True))
    return places, borders, [(east, north, LONDON_CELLS)]


@lru_cache(maxsize=1)
def shipped_layout() -> tuple[Tile, ...]:
    """Compute the layout of the Monitor's areas, as it is stored in the table ``tiles``."""
    places, borders, holes = shipped_places()
    return lay_out(places, borders, holes=holes)


def stored_layout() -> tuple[Tile, ...]:
    """Read the stored layout of the Monitor's areas, in the order of its ranking."""
    region = {row["area_code"]: row["region_name"] for row in read_table("areas").rows()}
    return tuple(
        Tile(row["area_code"], row["area_name"], region[row["area_code"]], row["column"], row["row"], row["label"])
        for row in read_table(TABLE).rows()
    )


def tiles_of(areas: Mapping[str, tuple[str, str]]) -> tuple[Tile, ...]:
    """Give the tiles of a list of areas by code: the stored ones, or a layout of their own.

    The stored layout serves areas of the Monitor and units of April 2019, if nine in ten of its tiles are used: a unit
    made of two areas takes the tile of the first. Fewer areas get a layout of their own from the same centroids.

    Parameters
    ----------
    areas : mapping of str to (str, str)
        Name and region by code.

    Raises
    ------
    DataError
        If an area is neither of the Monitor nor one of the units, so that its centroid is not known.
    """
    places, borders, _ = shipped_places()
    known = {place.code: [place] for place in places}
    of_unit: dict[str, list[Place]] = {}
    for row in read_table("areas").rows():
        of_unit.setdefault(row["unit_code"], []).append(known[row["area_code"]][0])
    found = {code: known.get(code) or of_unit.get(code) or [] for code in areas}
    lost = [areas[code][0] for code, parts in found.items() if not parts]
    if lost:
        raise DataError(
            f"{len(lost)} of {len(areas)} areas have no known centroid ({some(lost)}), so they cannot be placed as "
            "tiles. Draw their true shapes with --boundaries FILE."
        )
    stored = {tile.code: tile for tile in stored_layout()}
    tiles = {code: stored[parts[0].code] for code, parts in found.items()}
    if len({tile.code for tile in tiles.values()}) == len(areas) and len(areas) >= ENOUGH * len(stored):
        labels = short_labels({code: areas[code][0] for code in areas}) if set(areas) - set(stored) else {}
        return tuple(
            Tile(code, name, region, tiles[code].column, tiles[code].row, labels.get(code, tiles[code].label))
            for code, (name, region) in areas.items()
        )
    return _own_layout(areas, found, borders)


def _own_layout(
    areas: Mapping[str, tuple[str, str]], found: Mapping[str, list[Place]], borders: Iterable[Pair]
) -> tuple[Tile, ...]:
    """Lay out some of the areas, at the mean centroid of their parts."""
    part_of = {part.code: code for code, parts in found.items() for part in parts}
    places = [
        Place(code, *areas[code], *(sum(values) / len(parts) for values in zip(*_points(parts), strict=True)))
        for code, parts in found.items()
    ]
    joined = [(part_of[a], part_of[b]) for a, b in borders if a in part_of and b in part_of]
    return _cached_layout(tuple(places), tuple(sorted(joined)))


def _points(parts: Iterable[Place]) -> list[tuple[float, float]]:
    return [(part.easting, part.northing) for part in parts]


@lru_cache(maxsize=8)
def _cached_layout(places: tuple[Place, ...], borders: tuple[Pair, ...]) -> tuple[Tile, ...]:
    return lay_out(places, borders)
