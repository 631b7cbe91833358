"""The tile map's layout: stored and computed alike, one tile an area, regions in one piece, near the map."""

import csv
import json
import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gwm_models.cli import data_tiles
from gwm_models.cli.data import app
from gwm_models.data.edition import load_edition
from gwm_models.data.home import data_home
from gwm_models.data.tile_labels import short_labels
from gwm_models.data.tile_search import pieces
from gwm_models.data.tiles import (
    Place,
    Tile,
    lay_out,
    measure,
    shipped_layout,
    shipped_places,
    stored_layout,
    tiles_of,
)
from gwm_models.errors import DataError

PLACES, BORDERS, HOLES = shipped_places()


def cells(tiles):
    return {(tile.column, tile.row) for tile in tiles}


def assert_lawful(places, tiles):
    """Check what holds for every layout, by a count of its own."""
    assert [tile.code for tile in tiles] == [place.code for place in places]
    assert len(cells(tiles)) == len(places)
    assert min((tile.column for tile in tiles), default=1) == min((tile.row for tile in tiles), default=1) == 1
    assert len({tile.label.casefold() for tile in tiles}) == len(places)
    assert all(1 <= len(tile.label) <= 4 for tile in tiles)
    for region in {tile.region for tile in tiles}:
        left = cells(tile for tile in tiles if tile.region == region)
        reached = {min(left)}
        while more := {(x, y) for x, y in left - reached if any(abs(x - a) + abs(y - b) == 1 for a, b in reached)}:
            reached |= more
        assert reached == left, region


# What is stored


def test_the_stored_layout_is_the_one_computed_and_every_area_has_a_tile():
    assert stored_layout() == shipped_layout()
    assert_lawful(PLACES, stored_layout())
    assert len(stored_layout()) == 118


def test_the_order_of_areas_and_borders_makes_no_difference():
    some = PLACES[:40]
    codes = {place.code for place in some}
    borders = [pair for pair in BORDERS if codes.issuperset(pair)]
    layout = lay_out(some, borders)
    turned = lay_out(some[::-1], [(b, a) for a, b in borders[::-1]])
    assert turned == layout[::-1]


def test_tiles_are_near_their_areas_and_most_borders_are_kept():
    found = measure(PLACES, stored_layout(), BORDERS)
    assert (found.columns, found.rows, found.borders) == (11, 19, 270)
    assert found.mean_tiles < 1.0
    assert found.largest_tiles < 4.0
    assert found.side_by_side > 0.45
    assert found.touching > 0.7
    assert found.within_two > 0.8
    assert found.west_east > 0.95
    assert found.north_south > 0.98


def test_borders_kept_are_those_of_a_count_by_hand():
    at = {tile.code: (tile.column, tile.row) for tile in stored_layout()}
    steps = [sum(abs(a - b) for a, b in zip(at[first], at[second], strict=True)) for first, second in BORDERS]
    found = measure(PLACES, stored_layout(), BORDERS)
    assert found.side_by_side == pytest.approx(sum(step == 1 for step in steps) / 270)
    assert found.within_two == pytest.approx(sum(step <= 2 for step in steps) / 270)


def test_london_is_a_hole_with_tiles_all_round_and_cornwall_is_in_the_far_south_west():
    tiles = stored_layout()
    at = {tile.name: tile for tile in tiles}
    surrey, herts = at["Surrey"], at["Hertfordshire"]
    hole = {(x, y) for x in range(8, 10) for y in range(herts.row + 1, surrey.row)} - cells(tiles)
    assert len(hole) == 3
    columns = sorted(tile.column for tile in tiles)
    assert at["Cornwall"].column == columns[0]
    assert at["Cornwall"].row >= 16
    assert at["Norfolk"].column >= columns[-1] - 1
    assert at["Northumberland"].row == 1


def test_a_gap_inside_the_map_is_rare():
    taken = cells(stored_layout())
    inside = {
        (x, y)
        for x in range(1, 12)
        for y in range(1, 20)
        if (x, y) not in taken and sum((x + i, y + j) in taken for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1))) >= 3
    }
    assert len(inside) <= 3  # of London's hole, or beside it


# Any list of areas

FAST = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""Without the explanation of a failure, which traces every line."""
POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=14)


def places_of(points):
    return [Place(f"A{i:02d}", f"Area {i}", f"R{r}", x * 1e4, y * 1e4) for i, (x, y, r) in enumerate(points)]


@settings(max_examples=20, deadline=None, phases=FAST)
@given(points=POINTS, seed=st.integers(0, 99))
def test_any_points_get_one_tile_each_in_whole_regions_whatever_their_order(points, seed):
    places = places_of(points)
    pairs = [(a.code, b.code) for a, b in combinations(places, 2) if math.dist(xy(a), xy(b)) <= 1.5e4]
    layout = lay_out(places, pairs)
    assert_lawful(places, layout)
    order = np.random.default_rng(seed).permutation(len(places))
    assert lay_out([places[i] for i in order], pairs) == tuple(layout[i] for i in order)


def xy(place):
    return (place.easting, place.northing)


@settings(max_examples=10, deadline=None, phases=FAST)
@given(points=POINTS, east=st.integers(-300, 300), north=st.integers(-300, 300))
def test_a_shift_of_the_whole_map_changes_nothing(points, east, north):
    places = places_of(points)
    moved = [Place(p.code, p.name, p.region, p.easting + east * 1e3, p.northing + north * 1e3) for p in places]
    assert cells(lay_out(moved)) == cells(lay_out(places))


def test_points_already_on_a_grid_stay_where_they_are():
    points = [(x, y, 0) for y in range(4) for x in range(3)]
    layout = lay_out(places_of(points))
    assert [(tile.column - 1, 4 - tile.row) for tile in layout] == [(x, y) for x, y, _ in points]
    found = measure(places_of(points), layout)
    assert (found.tile_km, found.mean_km) == (pytest.approx(10), pytest.approx(0, abs=1e-9))
    assert (found.west_east, found.north_south) == (pytest.approx(1), pytest.approx(1))
    assert math.isnan(found.side_by_side)


def test_regions_that_are_mixed_up_on_the_map_are_still_whole():
    rng = np.random.default_rng(5)
    places = places_of(
        [(x, y, int(r)) for (x, y), r in zip(rng.uniform(0, 9, (60, 2)), rng.integers(6, size=60), strict=True)]
    )
    assert_lawful(places, lay_out(places))


def test_areas_that_share_one_place_or_one_line_have_tiles_of_their_own():
    assert_lawful(one := [Place(f"A{i}", f"N{i}", "R", 1000, 1000) for i in range(9)], lay_out(one))
    line = [Place(f"A{i}", f"N{i}", "R", 1000 * i, 0) for i in range(7)]
    layout = lay_out(line)
    assert_lawful(line, layout)
    assert [tile.column for tile in layout] == sorted(tile.column for tile in layout)
    assert lay_out([]) == ()


def test_a_hole_is_left_empty():
    places = places_of([(x, y, 0) for x in range(5) for y in range(5) if (x, y) != (2, 2)])
    layout = lay_out(places, holes=[(2e4, 2e4, 1)])
    assert_lawful(places, layout)
    assert (3, 3) not in cells(layout)


@pytest.mark.slow
def test_a_thousand_areas_are_laid_out():
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 9, (1000, 2))
    places = [Place(f"A{i:04d}", f"Area {i}", f"R{int(x)}", x * 1e5, y * 1e5) for i, (x, y) in enumerate(points)]
    layout = lay_out(places)
    assert_lawful(places, layout)
    found = measure(places, layout)
    assert min(found.west_east, found.north_south) > 0.8


@pytest.mark.parametrize("lost", [math.nan, math.inf, 1e9])
def test_areas_without_a_centroid_are_named(lost):
    places = [Place("A", "Alder", "North", 0, 0), Place("B", "Birch", "North", lost, 0)]
    with pytest.raises(DataError, match=r"1 of 2 areas have no usable centroid \(Birch\).*Add them\."):
        lay_out(places)


def test_a_code_twice_and_a_border_with_a_stranger_are_refused():
    twice = [Place("A", "Alder", "North", 0, 0), Place("A", "Birch", "North", 5, 0)]
    with pytest.raises(DataError, match="A come more than once"):
        lay_out(twice)
    with pytest.raises(DataError, match=r"Borders name 1 unknown areas \(Z\)"):
        lay_out(twice[:1], [("A", "Z")])


# Tiles of an edition


def areas_of(name):
    areas = load_edition(name).areas
    return {code: (area, region) for code, area, region in zip(areas.code, areas.name, areas.region, strict=True)}


def test_the_monitor_and_the_open_editions_share_one_layout():
    stored = {tile.code: (tile.column, tile.row) for tile in stored_layout()}
    assert {tile.code: (tile.column, tile.row) for tile in tiles_of(areas_of("monitor-2021"))} == stored
    open_tiles = tiles_of(areas_of("open-2019"))
    assert len(cells(open_tiles)) == len(open_tiles) == 117
    same = [tile for tile in open_tiles if tile.code in stored]
    assert len(same) == 115
    assert all(stored[tile.code] == (tile.column, tile.row) for tile in same)
    assert cells(open_tiles) < cells(stored_layout())


def test_a_few_areas_get_a_layout_of_their_own():
    chosen = dict(list(areas_of("monitor-2021").items())[:9])
    layout = tiles_of(chosen)
    assert max(tile.column for tile in layout) <= 9
    own = [place for place in PLACES if place.code in chosen]
    assert_lawful(own, layout)


def test_areas_from_elsewhere_cannot_be_placed_and_are_named():
    with pytest.raises(DataError, match=r"1 of 1 areas have no known centroid \(Atlantis\).*--boundaries FILE"):
        tiles_of({"X1": ("Atlantis", "Sea")})


# Labels


def test_labels_of_names_that_start_alike_differ():
    names = ["Southampton", "Southend-on-Sea", "South Tyneside", "Northumberland", "Northamptonshire", "York", "Yorks"]
    labels = short_labels(dict(enumerate(names)))
    assert len(set(labels.values())) == 7
    assert (labels[5], labels[2]) == ("York", "STyn")
    assert short_labels({"E06000010": "Kingston upon Hull, City of"}) == {"E06000010": "Hull"}


@given(st.lists(st.text(max_size=8), max_size=30))
def test_any_names_get_labels_that_differ(names):
    labels = short_labels({f"C{i}": name for i, name in enumerate(names)})
    assert list(labels) == [f"C{i}" for i in range(len(names))]
    assert len({label.casefold() for label in labels.values()}) == len(names)
    assert all(1 <= len(label) <= 4 for label in labels.values())


def test_pieces_are_joined_by_sides_not_by_corners():
    assert pieces([]) == 0
    assert pieces([(0, 0), (1, 1), (2, 2)]) == 3
    assert pieces([(0, 0), (0, 1), (1, 1), (5, 5)]) == 2


# The command


def gwm_data(*words):
    return CliRunner().invoke(app, [*words])


def test_the_command_prints_the_map_its_measures_and_that_the_stored_one_is_it():
    result = gwm_data("tiles", "--check")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["Nort", "NTyn"]
    assert "118 tiles on a grid of 11 columns and 19 rows" in result.stdout
    assert lines[-1] == "The stored layout is the one computed."


def test_the_command_writes_the_stored_table_byte_for_byte(tmp_path):
    file = tmp_path / "tiles.csv"
    assert gwm_data("tiles", "--write", str(file)).exit_code == 0
    assert file.read_bytes() == (data_home() / "maps" / "tiles.csv").read_bytes()
    rows = list(csv.DictReader(gwm_data("tiles", "--format", "csv").stdout.splitlines()))
    assert rows == list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    content = json.loads(gwm_data("tiles", "--format", "json").stdout)
    assert (len(content["tiles"]), content["measures"]["columns"]) == (118, 11)


def test_a_stored_layout_that_is_another_one_is_an_error(monkeypatch):
    other = [*stored_layout()]
    other[0] = Tile(other[0].code, other[0].name, other[0].region, 1, 1, "Woki")
    monkeypatch.setattr("gwm_models.data.tiles.stored_layout", lambda: tuple(other))
    result = gwm_data("tiles", "--check")
    assert isinstance(result.exception, DataError)
    assert "1 of 118 areas differ (Wokingham)" in str(result.exception)
    assert data_tiles.picture(tuple(other[:1])) == ["Woki"]
