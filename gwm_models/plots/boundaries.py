"""True shapes of areas from a GeoJSON file: read, checked, laid flat and simplified.

References
----------
Butler et al. (2016), The GeoJSON format, RFC 7946.
Visvalingam & Whyatt (1993), Line generalisation by repeated elimination of points, The Cartographic Journal 30(1).
Snyder (1987), Map projections: a working manual, US Geological Survey Professional Paper 1395.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.tables import read_table
from gwm_models.errors import DataError, some

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

MOST_READ = 200_000_000
"""Bytes of a file at most."""
MOST_KEPT = 300_000
"""Bytes of the shapes in a page at most."""
ASTRAY, FEWEST = 60_000.0, 10
"""Metres that a shape may lie from its area, as the largest counties have their middle there, and areas it takes."""
LOST = 0.1
"""Share of the areas that may lack a shape."""
GRID = 4000
"""Steps of the longer side of the map: coordinates are whole numbers of steps."""
FINEST, COARSER, COARSEST = 0.5, 1.6, 200.0
"""First tolerance of the simplification, in steps, by how much each next one is larger at least, and where it ends."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SNAP = 0.1
"""Steps to which points are rounded first, so that neighbours that were saved apart meet again."""
DEGREES = (-180.0, -90.0, 180.0, 90.0)
NATIONAL_GRID = (0.0, 0.0, 700_000.0, 1_300_000.0)
"""Extent of the British National Grid, metres."""
SUITABLE = (
    "Files of the Office for National Statistics' Open Geography Portal fit: counties and unitary authorities, with "
    "boundaries before April 2019 for the Monitor and of April 2019 for the open editions, saved as GeoJSON in "
    "longitude and latitude or in the British National Grid"
)


@dataclass(frozen=True, eq=False)
class Boundaries:
    """Shapes of areas on a flat map, ready to be drawn.

    Attributes
    ----------
    shapes : mapping of str to dict
        GeoJSON geometry by area code. Coordinates are whole numbers, x to the right and y down.
    width, height : int
        Size of the map in the same steps.
    notes : tuple of str
        What was assumed, and which areas have no shape.
    """

    shapes: Mapping[str, dict[str, Any]]
    width: int
    height: int
    notes: tuple[str, ...] = ()


def read_boundaries(path: Path, codes: Sequence[str]) -> Boundaries:
    """Read the shapes of areas from a GeoJSON file.

    The property that holds the codes is found by its values. Degrees of longitude and latitude (WGS 84) are laid flat
    by the transverse Mercator projection about their middle; metres of the British National Grid are taken as they are.
    Shapes are simplified together, so that neighbours still meet, until they take less than 300 kB. Those of areas that
    the toolkit knows must lie where the areas are.

    Parameters
    ----------
    path : Path
    codes : sequence of str
        Of the areas to be drawn. Shapes of other areas are dropped.

    Returns
    -------
    Boundaries
        Up to a tenth of the areas may lack a shape, which a note says.

    Raises
    ------
    DataError
        One sentence: where, what was expected, what was found, what to do.
    """
    features = _features(path)
    found = _matched(path, features, codes)
    shapes = {code: _shape(path, code, feature.get("geometry")) for code, feature in found.items()}
    lost = [code for code in codes if code not in shapes]
    notes = [f"{len(lost)} of {len(codes)} areas have no shape in {path.name}: {some(lost, 10)}."] if lost else []
    flat = _flat(path, list(shapes.values()))
    _check_places(path, dict(zip(shapes, flat, strict=True)))
    kept, width, height, slits = _simplified(flat)
    if slits:
        notes.append(f"Shapes in {path.name} overlap or leave slits between neighbours; they are drawn as they are.")
    return Boundaries(dict(zip(shapes, kept, strict=True)), width, height, tuple(notes))


def _features(path: Path) -> list[dict[str, Any]]:
    """Read the features of a file."""
    try:
        size = path.stat().st_size
        if size > MOST_READ:
            raise DataError(
                f"{path}: {size / 1e6:,.0f} MB, expected at most {MOST_READ / 1e6:.0f} MB. Take a generalised version."
            )
        content = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_no_number)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Give a GeoJSON file.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start + 1} is not UTF-8, expected GeoJSON. {SUITABLE}.") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}:{error.colno}: not JSON ({error.msg}). {SUITABLE}.") from error
    except RecursionError as error:
        raise DataError(f"{path}: nested too deeply for GeoJSON. {SUITABLE}.") from error
    kind = content.get("type") if isinstance(content, dict) else type(content).__name__
    features = content.get("features") if isinstance(content, dict) else None
    if kind != "FeatureCollection" or not isinstance(features, list):
        raise DataError(f"{path}: expected a GeoJSON FeatureCollection, found {str(kind)[:40]!r}. {SUITABLE}.")
    good = [one for one in features if isinstance(one, dict) and isinstance(one.get("properties"), dict)]
    if not good:
        raise DataError(f"{path}: none of {len(features)} features has properties, expected codes there. {SUITABLE}.")
    return good


def _plain(name: str) -> str:
    """Write a name of a file on one line, without what could move the cursor of a terminal."""
    return " ".join(CONTROL.sub(" ", name).split())[:40]


def _no_number(name: str) -> float:
    """Refuse NaN and Infinity, which are not JSON."""
    raise json.JSONDecodeError(f"{name} is not a number", "", 0)


def _matched(path: Path, features: Sequence[dict[str, Any]], codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Find the property that holds the codes, and the feature of each area."""
    wanted = set(codes)
    hits: dict[str, int] = {}
    for feature in features:
        for name, value in feature["properties"].items():
            if isinstance(value, str) and value.strip() in wanted:
                hits[name] = hits.get(name, 0) + 1
    if not hits:
        names = sorted({_plain(name) for feature in features for name in feature["properties"]})
        raise DataError(
            f"{path}: no property holds a code of the areas, such as {codes[0]}; found {some(names, 6) or 'none'}. "
            f"{SUITABLE}."
        )
    best = max(sorted(hits), key=lambda name: hits[name])
    found: dict[str, dict[str, Any]] = {}
    for feature in features:
        code = str(feature["properties"].get(best, "")).strip()
        if code in found:
            raise DataError(
                f"{path}: {_plain(best)} {code} comes twice, expected one feature an area. Merge or drop one."
            )
        if code in wanted:
            found[code] = feature
    lost = [code for code in codes if code not in found]
    if len(lost) > LOST * len(codes):
        raise DataError(
            f"{path}: {len(lost)} of {len(codes)} areas have no shape ({some(lost)}), codes taken from {_plain(best)}. "
            f"{SUITABLE}."
        )
    return {code: found[code] for code in codes if code in found}


def _shape(path: Path, code: str, geometry: object) -> BaseGeometry:
    """Read the polygons of one area."""
    import shapely
    from shapely.errors import GEOSException
    from shapely.geometry import shape

    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise DataError(
            f"{path}: {code} is {kind or 'without geometry'}, expected Polygon or MultiPolygon. {SUITABLE}."
        )
    try:
        with np.errstate(all="ignore"):
            found = shapely.force_2d(shape(geometry))
        if not np.isfinite(shapely.get_coordinates(found)).all():
            raise ValueError("a coordinate is infinite")
        solid = found if shapely.is_valid(found) else _polygons(shapely.make_valid(found))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, GEOSException) as error:
        why = " ".join(str(error).split())[:80]
        raise DataError(f"{path}: the shape of {code} is broken ({why}). Save the file again.") from error
    if solid.is_empty or solid.area <= 0:
        raise DataError(f"{path}: the shape of {code} has no area. Save the file again.")
    return solid


def _polygons(found: BaseGeometry) -> BaseGeometry:
    """Keep the polygons of a mended shape; lines and points without area are dropped."""
    import shapely

    parts = [part for part in shapely.get_parts(shapely.get_parts(found)) if part.geom_type == "Polygon"]
    return shapely.union_all(parts) if parts else shapely.MultiPolygon()


def _flat(path: Path, shapes: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """Lay shapes flat, metres or radians of the globe, y upwards; the kind of coordinates is known by their size."""
    import shapely

    x0, y0, x1, y1 = (float(v) for v in shapely.total_bounds(shapes))

    def inside(box: tuple[float, float, float, float]) -> bool:
        return box[0] <= x0 and box[1] <= y0 and x1 <= box[2] and y1 <= box[3]

    if inside(DEGREES):
        middle = np.radians((x0 + x1) / 2)

        def project(points: Floats) -> Floats:
            return _transverse_mercator(points, middle)

        return list(shapely.transform(shapes, project))
    if inside(NATIONAL_GRID):
        return list(shapes)
    raise DataError(
        f"{path}: coordinates run from ({x0:.6g}, {y0:.6g}) to ({x1:.6g}, {y1:.6g}); expected degrees of longitude and "
        "latitude (WGS 84) or metres of the British National Grid. Save the file in one of them."
    )


def _check_places(path: Path, shapes: Mapping[str, BaseGeometry]) -> None:
    """Refuse shapes that lie elsewhere than their areas: turned over, mirrored, or under the codes of others.

    Both sets of points are held against each other after the shift and the scale, but no turn, that bring them nearest.
    """
    import shapely

    rows = read_table("areas", where={"area_code": set(shapes)}).rows()
    places = {str(row["area_code"]): (float(row["easting"]), float(row["northing"])) for row in rows}
    both = [code for code in shapes if code in places]
    if len(both) < FEWEST:
        return
    there = np.array([places[code] for code in both])
    here = shapely.get_coordinates(shapely.point_on_surface([shapes[code] for code in both]))
    here, there = here - np.median(here, axis=0), there - np.median(there, axis=0)
    away = np.hypot(*(here * _stretch(here, there) - there).T)
    astray = [code for code, far in zip(both, away.tolist(), strict=True) if far > ASTRAY]
    if len(astray) > LOST * len(both):
        turned = here[:, ::-1]
        swapped = np.hypot(*(turned * _stretch(turned, there) - there).T) > ASTRAY
        why = " Longitude and latitude look exchanged." if swapped.sum() < len(astray) / 2 else ""
        raise DataError(
            f"{path}: shapes of {len(astray)} of {len(both)} areas lie over {ASTRAY / 1000:.0f} km from where the "
            f"areas are ({some(astray)}).{why} Check codes and coordinates, and save the file again."
        )


def _stretch(here: Floats, there: Floats) -> float:
    """Return by how much to stretch points so that they are as far apart as others."""
    size = float(np.median(np.abs(here).sum(axis=1)))
    return float(np.median(np.abs(there).sum(axis=1))) / size if size > 0 else 0.0


def _transverse_mercator(points: Floats, middle: float) -> Floats:
    """Project degrees on a sphere of radius 1 about a meridian in radians (Snyder 1987, equations 8-1 and 8-3)."""
    away, north = np.radians(points[:, 0]) - middle, np.radians(points[:, 1])
    x = np.arctanh(np.clip(np.cos(north) * np.sin(away), -0.999, 0.999))
    return np.column_stack([x, np.arctan2(np.tan(north), np.cos(away))])


def _simplified(shapes: Sequence[BaseGeometry]) -> tuple[list[dict[str, Any]], int, int, bool]:
    """Put shapes on the grid of whole steps, y down, as finely as the room in a page allows."""
    import shapely

    x0, y0, x1, y1 = (float(v) for v in shapely.total_bounds(shapes))
    step = max(x1 - x0, y1 - y0) / GRID
    placed = shapely.transform(np.array(shapes, dtype=object), lambda points: (points - [x0, y1]) / [step, -step])
    placed = shapely.set_precision(placed, SNAP)
    slits = not bool(shapely.coverage_is_valid(placed))
    tolerance, coarse = FINEST, placed
    while True:
        coarse = shapely.coverage_simplify(coarse, tolerance)
        kept = [_whole(shape, tolerance) for shape in coarse]
        size = len(json.dumps(kept, separators=(",", ":")))
        if tolerance > COARSEST or size <= MOST_KEPT:
            return kept, round((x1 - x0) / step), round((y1 - y0) / step), slits
        tolerance *= max(COARSER, size / MOST_KEPT)


def _whole(shape: BaseGeometry, tolerance: float) -> dict[str, Any]:
    """Write a shape in whole steps, without repeated points, specks and holes too small to be seen."""
    import shapely

    parts = sorted(shapely.get_parts(shape), key=lambda part: -part.area)
    rings = []
    for place, part in enumerate(parts):
        if place and part.area < 4 * tolerance**2:
            continue
        holes = [ring for ring in part.interiors if shapely.Polygon(ring).area >= 4 * tolerance**2]
        rings.append([_ring(part.exterior), *(_ring(ring) for ring in holes)])
    return {"type": "MultiPolygon", "coordinates": rings}


def _ring(ring: BaseGeometry) -> list[list[int]]:
    """Round a ring to whole steps, each point once in a row; a ring that shrinks to a line keeps four points."""
    import shapely

    points = np.rint(shapely.get_coordinates(ring)).astype(int)
    fresh = np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)]
    short = points[fresh]
    kept: list[list[int]] = (short if len(short) >= 4 else points).tolist()
    return kept
