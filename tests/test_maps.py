"""Maps: classes and their words, colours and contrast, tiles and true shapes drawn by a real renderer."""

import copy
import json
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape
from typer.testing import CliRunner

from gwm_models.cli import options, ranks
from gwm_models.cli.app import app
from gwm_models.data.edition import load_edition
from gwm_models.data.tables import read_table
from gwm_models.data.tiles import shipped_places, stored_layout
from gwm_models.errors import DataError
from gwm_models.plots import boundaries as shapes
from gwm_models.plots.boundaries import read_boundaries
from gwm_models.plots.classes import break_points, diverging, groups, sequential
from gwm_models.plots.maps import change_map, tile_map
from gwm_models.plots.palette import MAP_COLOURS, SHADES, contrast, luminance
from gwm_models.plots.theme import THEMES, with_colours
from gwm_models.report.figures import make_figures

EDITION = load_edition()
AREAS = EDITION.areas
SPACE = "\u00a0"
ASTRAY = shapes.ASTRAY


def rows(values=None, **more):
    values = EDITION.total.tolist() if values is None else values
    return [
        {"area_code": code, "area_name": name, "region_name": region, "score": value, **more}
        for code, name, region, value in zip(AREAS.code, AREAS.name, AREAS.region, values, strict=True)
    ]


def map_of(given, **changes):
    parts = {
        "value": "score",
        "title": "Total",
        "description": "Map of the total score.",
        "unit": "points (6-600)",
        "places": 1,
        "kind": "sequential",
        "label": "Total score",
    }
    return tile_map(given, **{**parts, **changes})


def svg(spec, width=900, theme="light"):
    """Draw a spec as the page does, at a width of its own."""
    plain = json.loads(json.dumps(with_colours(spec, theme)))
    return vl_convert.vegalite_to_svg({**plain, "width": width})


def texts(drawing):
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawing)


# Tiles


@pytest.mark.parametrize("width", [340, 900])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_area_is_a_square_with_its_label(width, theme):
    drawing = svg(map_of(rows())[0], width, theme)
    assert sorted(texts(drawing)) == sorted(tile.label for tile in stored_layout())
    squares = re.findall(r'<path [^>]*d="M[-\d.]+,[-\d.]+h([-\d.]+)v([-\d.]+)h-[-\d.]+Z" fill="(#\w{6})"', drawing)
    assert len(squares) == 118
    side = min(44, width / 11)
    sides = {round(abs(float(length)), 2) for one in squares for length in one[:2]}
    assert max(sides) - min(sides) < 0.02
    assert side - 2 < max(sides) <= side  # less the margin of the drawing
    fills = {SHADES[theme]["seq"][i] for i in range(7)}
    assert {fill for _, _, fill in squares} <= fills
    size = re.search(r'<svg [^>]*height="(\d+)"', drawing)
    assert float(size[1]) == pytest.approx(19 * side, abs=12)


def test_the_data_and_the_table_hold_what_was_given():
    given = rows()
    given[3] |= {"lower": 100.0, "upper": 200.0}
    [spec] = map_of(given)
    values = spec["data"]["values"]
    assert [value["code"] for value in values] == list(AREAS.code)
    assert [value["value"] for value in values] == [round(score, 5) for score in EDITION.total.tolist()]
    assert values[3]["tip"] == f"{EDITION.total[3]:.1f}{SPACE}points (100.0 to 200.0)"
    assert values[0]["tip"] == f"502.0{SPACE}points"
    assert [one["title"] for one in spec["usermeta"]["table"]] == ["Area", "Region", "Total score (points)", "Interval"]
    assert spec["usermeta"]["title"] == "Total"


def test_the_description_says_the_ends_and_how_many():
    values = EDITION.total.tolist()
    values[5] = None
    [spec] = map_of(rows(values), note="A note.")
    assert spec["description"] == (
        f"Map of the total score. 118 areas. 1 has no figure. Highest: Wokingham, 502.0{SPACE}points; "
        f"lowest: Stoke-on-Trent, 123.4{SPACE}points. A note."
    )


def test_a_missing_value_is_hatched_and_has_a_key():
    values = EDITION.total.tolist()
    values[5], values[7] = None, math.nan
    [spec] = map_of(rows(values))
    assert [value["tip"] for value in spec["data"]["values"] if value["value"] is None] == ["no figure", "no figure"]
    assert spec["usermeta"]["legend"][-1] == {"label": "no figure", "colour": "neutral", "shape": "hatch"}
    assert svg(spec).count(THEMES["light"]["raised"]) == 2
    whole = map_of(rows())[0]
    assert all(key["shape"] == "bar" for key in whole["usermeta"]["legend"])
    assert svg(spec).count(THEMES["light"]["neutral"]) > svg(whole).count(THEMES["light"]["neutral"]) == 0


def test_areas_of_the_edition_without_a_row_have_no_figure():
    [spec] = map_of(rows()[:100], edition=EDITION)
    assert len(spec["data"]["values"]) == 118
    assert "18 have no figure" in spec["description"]


def test_names_with_markup_are_drawn_and_told_as_text():
    given = rows()
    given[0] |= {"area_name": "<script>alert(1)</script>", "region_name": '"><b>=cmd'}
    [spec] = map_of(given, label="<i>Score</i>")
    assert spec["data"]["values"][0]["name"] == "<script>alert(1)</script>"
    assert "<script" not in svg(spec)
    assert "<i>" not in svg(spec)


def test_without_rows_or_places_there_is_no_map():
    assert map_of([]) == []
    assert change_map([]) == []
    assert map_of([{"area_code": "X", "area_name": "Atlantis", "region_name": "Sea", "score": 1.0}]) == []


def test_an_area_with_two_rows_is_refused():
    with pytest.raises(ValueError, match="an area more than once"):
        map_of(rows() + rows()[:1])


def test_the_open_edition_is_drawn_with_the_merged_units():
    areas = load_edition("open-2019").areas
    given = [
        {"area_code": code, "area_name": name, "region_name": region, "score": 1.0 + i}
        for i, (code, name, region) in enumerate(zip(areas.code, areas.name, areas.region, strict=True))
    ]
    drawn = texts(svg(map_of(given)[0]))
    assert len(drawn) == len(set(drawn)) == 117


def test_groups_have_a_colour_each_and_their_sizes_are_told():
    given = [{**row, "score": row["region_name"]} for row in rows()]
    [spec] = map_of(given, kind="groups", label="Region")
    assert [key["colour"] for key in spec["usermeta"]["legend"]] == [f"group-{i}" for i in range(1, 9)]
    assert "118 areas. East Midlands: 9;" in spec["description"]
    assert len(set(re.findall(r'Z" fill="(#\w{6})"', svg(spec)))) == 8


def test_groups_that_are_numbers_are_named_without_decimals():
    [spec] = map_of(rows([float(i % 3) if i else math.nan for i in range(118)]), kind="groups", label="Group")
    assert [key["label"] for key in spec["usermeta"]["legend"]] == ["0", "1", "2", "no figure"]


def test_the_map_of_change_shows_differences_only_with_their_signs():
    given = []
    for i, row in enumerate(rows()):
        change = 4.0 if i == 2 else 0.0
        for state, estimate in (("baseline", 300.0), ("scenario", 300.0 + change), ("difference", change)):
            given.append(
                {
                    **row,
                    "quantity": "total",
                    "state": state,
                    "estimate": estimate,
                    "lower": change - 1,
                    "upper": change + 1,
                    "level": 0.9,
                    "unit": "points",
                    "label": "Total score",
                }
            )
    [spec] = change_map(given)
    values = spec["data"]["values"]
    assert len(values) == 118
    assert [value["value"] for value in values if value["value"]] == [4.0]
    assert values[2]["tip"] == f"+4.0{SPACE}points (3.0 to 5.0)"
    assert "of the total score in each area, with 90% interval" in spec["description"]
    assert "lowest: 117 areas, 0.0" in spec["description"]
    assert {value["class"] for value in values} == {4, 8}


# Classes

NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6), st.floats(-1, 1))


@given(values=st.lists(NUMBERS, max_size=40), places=st.integers(0, 3))
def test_every_value_lies_in_the_class_that_names_it(values, places):
    found = sequential(values, places=places, unit="")
    assert len(found.labels) == len(found.colours) <= 7
    for value, one in zip(values, found.of, strict=True):
        assert (one == -1) == (value is None)
        if value is None or len(found.labels) == 1:
            continue
        ends = [
            float(number)
            for number in found.labels[one].replace("\u2212", "-").replace(",", "").split()
            if re.fullmatch(r"-?[\d.]+", number)
        ]
        shown = round(value, places)
        low = -math.inf if one == 0 else ends[0]
        high = math.inf if one == len(found.labels) - 1 else ends[-1]
        assert low <= shown < high


@given(values=st.lists(NUMBERS, max_size=40), places=st.integers(0, 3), reference=st.sampled_from([0.0, 1.0, -50.0]))
def test_classes_on_both_sides_follow_the_sign_and_the_size(values, places, reference):
    found = diverging(values, reference=reference, places=places, unit="")
    middle = found.colours.index("zero-1")
    assert len(found.labels) == len(found.colours) == 2 * middle + 1
    pairs = sorted((round(v, places), one) for v, one in zip(values, found.of, strict=True) if v is not None)
    assert [one for _, one in pairs] == sorted(one for _, one in pairs)
    for value, one in pairs:
        assert np.sign(one - middle) == np.sign(value - round(reference, places))


def test_break_points_are_round_and_named_with_the_unit():
    found = sequential(EDITION.total.tolist(), places=1, unit="points")
    assert found.labels == (
        f"under 200{SPACE}points",
        f"200 to 300{SPACE}points",
        f"300 to 400{SPACE}points",
        f"400 to 500{SPACE}points",
        f"500{SPACE}points or more",
    )
    assert [found.of.count(i) for i in range(5)] == [
        int(((low <= EDITION.total) & (EDITION.total < high)).sum())
        for low, high in ((0, 200), (200, 300), (300, 400), (400, 500), (500, 600))
    ]


def test_values_crowded_at_one_end_are_classed_by_quantiles():
    values = [1.0 + i / 100 for i in range(60)] + [100.0]
    found = sequential(values, places=2, unit="")
    assert max(found.of.count(i) for i in range(len(found.labels))) < 20


def test_equal_values_are_one_class_and_none_is_none():
    assert sequential([3.0, 3.0], places=0, unit="").labels == ("3",)
    assert sequential([None], places=0, unit="").labels == ()
    assert list(sequential([None], places=0, unit="").shown()) == []


def test_the_key_holds_only_classes_between_the_lowest_and_the_highest():
    found = diverging([0.0, 9.0, 2.0], reference=0.0, places=0, unit="points")
    assert [found.colours[i] for i in found.shown()] == ["zero-1", "above-1", "above-2", "above-3", "above-4"]
    assert [found.labels[i] for i in found.shown()] == [
        f"{words}{SPACE}points{more}"
        for words, more in (("0", ""), ("0 to +3", ""), ("+3 to +6", ""), ("+6 to +9", ""), ("+9", " or more"))
    ]


def test_more_than_eight_groups_share_the_last_colour():
    found = groups([str(i) for i in range(12)] + ["3"] * 5)
    assert len(found.labels) == 8
    assert found.labels[-1] == "other"
    assert "3" in found.labels
    assert found.of.count(7) == 5


# Colours


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_every_class(theme):
    colours = MAP_COLOURS[theme]
    grounds = [name for name in colours if not name.endswith("-text")]
    assert len(grounds) == 7 + 4 + 1 + 4 + 8
    assert min(contrast(colours[name], colours[f"{name}-text"]) for name in grounds) >= 4.5
    assert contrast(THEMES[theme]["raised"], THEMES[theme]["ink"]) >= 4.5


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert luminance("#ff0000") == pytest.approx(0.2126)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_classes_run_away_from_the_paper_in_even_lightness(theme):
    for family in ("seq", "below", "above"):
        away = [contrast(shade, THEMES[theme]["paper"]) for shade in SHADES[theme][family]]
        assert away == sorted(away)
        assert all(later / first > 1.15 for first, later in pairwise(away))


def seen_by(shade, matrix):
    """Return a colour as the colour-blind see it (Vienot, Brettel & Mollon 1999), in linear light."""
    parts = [int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return np.array(matrix) @ np.array([v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_sides_of_zero_differ_for_the_colour_blind(theme):
    protan = [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]
    deutan = [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]
    for below, above in zip(SHADES[theme]["below"], SHADES[theme]["above"], strict=True):
        for matrix in (protan, deutan):
            left, right = seen_by(below, matrix), seen_by(above, matrix)
            assert left[2] / left[1] < 0.75 * right[2] / right[1]


# True shapes


def squares(step=10_000.0, x0=200_000.0, y0=100_000.0, codes=AREAS.code, **more):
    """Give a square for each area, twelve a row, which share sides."""
    features = []
    for i, code in enumerate(codes):
        x, y = x0 + step * (i % 12), y0 + step * (i // 12)
        ring = [[x, y], [x + step, y], [x + step, y + step], [x, y + step], [x, y]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"OBJECTID": i, "ctyua18cd": code}, "geometry": geometry})
    return {"type": "FeatureCollection", **more, "features": features}


def about_their_places(**moved):
    """Give a square of 8 km about the centroid of each area, or about that of another one."""
    table = {row["area_code"]: (row["easting"], row["northing"]) for row in read_table("areas").rows()}
    features = squares(step=8_000.0, x0=0.0, y0=0.0)["features"]
    for feature in features:
        code = feature["properties"]["ctyua18cd"]
        x, y = table[moved.get(code, code)]
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
        feature["geometry"]["coordinates"] = [[[x + 4_000.0 * a, y + 4_000.0 * b] for a, b in corners]]
    return {"type": "FeatureCollection", "features": features}


@pytest.fixture
def anywhere(monkeypatch):
    """Let shapes lie where they like: most tests draw squares in a block."""
    monkeypatch.setattr(shapes, "ASTRAY", math.inf)


def test_shapes_where_their_areas_are_pass_and_those_elsewhere_are_refused(write, monkeypatch):
    monkeypatch.setattr(shapes, "ASTRAY", ASTRAY)
    good = about_their_places()
    assert len(read_boundaries(write(good), AREAS.code).shapes) == 118
    shuffled = about_their_places(**dict(zip(AREAS.code, AREAS.code[::-1], strict=True)))
    flipped, swapped = copy.deepcopy(good), copy.deepcopy(good)
    for feature in flipped["features"]:
        feature["geometry"]["coordinates"][0] = [[x, 700_000 - y] for x, y in feature["geometry"]["coordinates"][0]]
    for feature in swapped["features"]:
        feature["geometry"]["coordinates"][0] = [[y, x] for x, y in feature["geometry"]["coordinates"][0]]
    for wrong in (shuffled, flipped, swapped):
        with pytest.raises(DataError, match="from where the areas are") as caught:
            read_boundaries(write(wrong), AREAS.code)
        assert ("look exchanged" in str(caught.value)) == (wrong is swapped)


@pytest.fixture
def write(tmp_path, anywhere):
    def write(content, name="areas.geojson"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def test_shapes_in_the_national_grid_are_read_and_drawn(write):
    found = read_boundaries(write(squares()), AREAS.code)
    assert list(found.shapes) == list(AREAS.code)
    assert found.notes == ()
    assert found.width / found.height == pytest.approx(1.2, abs=0.01)
    assert (
        found.shapes[AREAS.code[0]]["coordinates"][0][0][0][1] > found.shapes[AREAS.code[-1]]["coordinates"][0][0][0][1]
    )
    values = EDITION.total.tolist()
    values[9] = None
    [spec] = map_of(rows(values), boundaries=found)
    drawing = svg(spec)
    fills = [fill for fill in re.findall(r'<path [^>]*fill="(#\w{6})"', drawing) if fill in SHADES["light"]["seq"]]
    assert len(fills) == 117
    assert "stroke-dasharray" in drawing
    classes = {one["name"]: one["class"] for one in spec["layer"][0]["data"]["values"]}
    tiles = {one["name"]: one["class"] for one in map_of(rows(values))[0]["data"]["values"]}
    assert classes == tiles


def test_shapes_in_degrees_are_laid_flat_about_their_middle(write):
    found = read_boundaries(write(squares(step=0.1, x0=-3.0, y0=52.0)), AREAS.code)
    middle = math.cos(math.radians(52.5))
    assert found.width / found.height == pytest.approx(1.2 * middle, rel=0.02)


def test_the_projection_is_that_of_the_textbook():
    flat = shapes._transverse_mercator(np.array([[-0.5, 40.5], [1.5, 40.5]]), math.radians(-0.5))
    assert flat[0] == pytest.approx([0.0, math.radians(40.5)])
    north, away = math.radians(40.5), math.radians(2.0)
    b = math.cos(north) * math.sin(away)
    assert flat[1] == pytest.approx([0.5 * math.log((1 + b) / (1 - b)), math.atan(math.tan(north) / math.cos(away))])


def test_the_codes_are_found_whatever_the_property_is_called_and_other_areas_are_dropped(write):
    content = squares()
    for feature in content["features"]:
        feature["properties"] = {"name": "E06", "Code ": f" {feature['properties']['ctyua18cd']} "}
    content["features"].append({**content["features"][0], "properties": {"Code ": "W06000001"}})
    content["features"].append({"type": "Feature", "properties": None, "geometry": None})
    assert len(read_boundaries(write(content), AREAS.code).shapes) == 118


def test_a_few_areas_without_a_shape_are_noted_and_many_are_an_error(write):
    found = read_boundaries(write(squares(codes=AREAS.code[3:])), AREAS.code)
    assert found.notes == (f"3 of 118 areas have no shape in areas.geojson: {', '.join(AREAS.code[:3])}.",)
    [spec] = map_of(rows(), boundaries=found)
    assert "3 of 118 areas have no shape" in spec["description"]
    assert len(spec["layer"][0]["data"]["values"]) == 115
    with pytest.raises(DataError, match=r"78 of 118 areas have no shape \(.*and 75 more\), codes taken from ctyua18cd"):
        read_boundaries(write(squares(codes=AREAS.code[:40])), AREAS.code)


def test_every_remade_figure_with_a_map_names_the_areas_that_have_no_shape(write, capsys):
    path = write(squares(codes=AREAS.code[1:]))
    found = options.shapes_of(path, AREAS.code)
    said = f"1 of 118 areas have no shape in areas.geojson: {AREAS.code[0]}"
    assert capsys.readouterr().err == f"{said}.\n"
    drawn = make_figures(load_edition(), [1, 5, 6, 8], boundaries=found).made
    assert [planned.number for planned, made in drawn if said in dict(made.facts).get("Left out", "")] == [1, 5, 6]


def broken(**changes):
    content = squares()
    content["features"][4] |= changes
    return content


RING = [[0, 0], [1, 0], [1, 1], [0, 0]]
FAULTS = [
    ("{", r"areas\.geojson:1:2: not JSON \(.*April 2019"),
    ("[]", "expected a GeoJSON FeatureCollection, found 'list'"),
    ({"type": "Topology"}, "FeatureCollection, found 'Topology'"),
    ({"type": "FeatureCollection", "features": [1]}, "none of 1 features has properties"),
    (
        squares(codes=["X1", "X2"]),
        "no property holds a code of the areas, such as E06000041; found OBJECTID, ctyua18cd",
    ),
    (broken(geometry={"type": "Point", "coordinates": [1, 2]}), "is Point, expected Polygon or MultiPolygon"),
    (broken(geometry=None), "is without geometry, expected Polygon"),
    (broken(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}), "is broken"),
    (broken(geometry={"type": "Polygon", "coordinates": "no"}), "is broken"),
    (broken(geometry={"type": "Polygon", "coordinates": []}), "has no area"),
    (broken(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}), "has no area"),
    (broken(properties={"ctyua18cd": AREAS.code[0]}), "ctyua18cd E06000041 comes twice"),
    (squares(step=10_000, x0=-600_000, y0=7_000_000), "expected degrees of longitude and latitude"),
    (
        {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"a\nb\x1b[31m": "x" * 900}}]},
        r"found a b \[31m\.",
    ),
    (
        json.dumps(broken(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 7e77], [0, 0]]]})).replace(
            "7e+77", "1e999"
        ),
        "infinite",
    ),
    ("[" * 100_000, "nested too deeply|not JSON"),
    (
        json.dumps(broken(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, math.nan], [0, 0]]]})),
        "broken|area",
    ),
]


@pytest.mark.parametrize(("content", "message"), FAULTS)
def test_a_faulty_file_is_one_sentence_that_says_what_to_do(write, content, message):
    path = write(content)
    with pytest.raises(DataError, match=message) as found:
        read_boundaries(path, AREAS.code)
    text = str(found.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert len(text) < 500


def test_a_file_that_is_missing_not_utf8_or_too_large_is_refused(write, tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"cannot be read \(No such file"):
        read_boundaries(tmp_path / "none.geojson", AREAS.code)
    path = tmp_path / "latin.geojson"
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(DataError, match="byte 8 is not UTF-8"):
        read_boundaries(path, AREAS.code)
    monkeypatch.setattr(shapes, "MOST_READ", 10)
    with pytest.raises(DataError, match=r"at most 0 MB\. Take a generalised version"):
        read_boundaries(write(squares()), AREAS.code)


def coast(i, points):
    """Give the ring of an area with a wild coast, which it shares with nobody."""
    turn = np.linspace(0, 2 * math.pi, points, endpoint=False)
    size = 4000 + 700 * np.sin(37 * turn) + 300 * np.sin(211 * turn + i)
    x, y = 200_000 + 10_000 * (i % 12) + size * np.cos(turn), 100_000 + 10_000 * (i // 12) + size * np.sin(turn)
    ring = np.column_stack([x, y]).tolist()
    return [*ring, ring[0]]


def test_fine_shapes_are_simplified_until_they_fit_a_page(write):
    content = squares()
    for i, feature in enumerate(content["features"]):
        feature["geometry"]["coordinates"] = [coast(i, 600)]
    found = read_boundaries(write(content), AREAS.code)
    size = len(json.dumps(dict(found.shapes), separators=(",", ":")))
    assert 50_000 < size <= 300_000
    given = [shape(feature["geometry"]) for feature in content["features"]]
    step = np.ptp(shapely.total_bounds(given)[[0, 2]]) / found.width
    for i in (0, 60, 117):
        before = given[i].area / step**2
        assert shape(found.shapes[AREAS.code[i]]).area == pytest.approx(before, rel=0.03)


def test_neighbours_still_meet_and_holes_and_islands_stay(write):
    content = squares()
    outer = content["features"][0]["geometry"]["coordinates"][0]
    x, y = outer[0]
    hole = [
        [x + 3000, y + 3000],
        [x + 3000, y + 6000],
        [x + 6000, y + 6000],
        [x + 6000, y + 3000],
        [x + 3000, y + 3000],
    ]
    island = [[[x - 30_000, y], [x - 20_000, y], [x - 20_000, y + 9000], [x - 30_000, y]]]
    content["features"][0]["geometry"] = {"type": "MultiPolygon", "coordinates": [[outer, hole], island]}
    found = read_boundaries(write(content), AREAS.code)
    parts = found.shapes[AREAS.code[0]]["coordinates"]
    assert [len(part) for part in parts] == [2, 1]
    second = {tuple(point) for point in found.shapes[AREAS.code[1]]["coordinates"][0][0]}
    assert len({tuple(point) for point in parts[0][0]} & second) == 2
    assert all(type(v) is int for part in parts for ring in part for point in ring for v in point)


def test_a_shape_that_crosses_itself_is_mended(write):
    x, y = 200_000.0 + 40_000, 100_000.0
    bow = [[x, y], [x + 9000, y + 9000], [x + 9000, y], [x, y + 9000], [x, y]]
    found = read_boundaries(write(broken(geometry={"type": "Polygon", "coordinates": [bow]})), AREAS.code)
    assert len(found.shapes[AREAS.code[4]]["coordinates"]) == 2


@settings(max_examples=20, deadline=None)
@given(east=st.floats(-170, 160), north=st.floats(-70, 60))
def test_any_place_on_the_globe_fits_its_frame(tmp_path_factory, east, north):
    path = tmp_path_factory.mktemp("globe") / "a.geojson"
    path.write_text(json.dumps(squares(step=0.2, x0=east, y0=north, codes=["A", "B", "C"])), encoding="utf-8")
    found = read_boundaries(path, ["A", "B", "C"])
    points = np.array(
        [p for one in found.shapes.values() for part in one["coordinates"] for ring in part for p in ring]
    )
    assert points.min() >= -1
    assert points[:, 0].max() <= found.width + 1
    assert points[:, 1].max() <= found.height + 1
    assert max(found.width, found.height) == 4000


def test_the_option_reads_shapes_and_goes_with_a_page_only(write):
    assert options.shapes_of(None, AREAS.code) is None
    assert len(options.shapes_of(write(squares()), AREAS.code).shapes) == 118
    with pytest.raises(DataError, match="--boundaries is for the map of --plot"):
        ranks.ranks(boundaries=Path("a.geojson"))


def gwm(*words):
    return CliRunner().invoke(app, [*words])


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (("run", "northern-participation-2026", "--draws", "100", "--out", "out"), "out/report.html"),
        (
            ("compare", "northern-participation-2026", "professional-jobs-gap", "--draws", "100", "--out", "out"),
            "out/report.html",
        ),
        (("ranks", "--draws", "100", "--plot", "ranks.html"), "ranks.html"),
    ],
)
def test_commands_draw_the_shapes_they_are_given(write, tmp_path, monkeypatch, words, page):
    monkeypatch.chdir(tmp_path)
    write(squares())
    result = gwm(*words, "--boundaries", "areas.geojson")
    assert result.exit_code == 0, result.output
    text = (tmp_path / page).read_text(encoding="utf-8")
    assert text.count('"type":"MultiPolygon"') >= 118
    assert len(text.encode()) < 3_000_000
    if words[0] == "run":
        assert "--boundaries areas.geojson" in json.loads((tmp_path / "out/manifest.json").read_text())["command"]


def test_a_faulty_boundary_file_stops_a_run_before_anything_is_written(write, tmp_path):
    out = tmp_path / "out"
    result = gwm("run", "northern-participation-2026", "--out", str(out), "--boundaries", str(write("{}")))
    assert isinstance(result.exception, DataError)
    assert "expected a GeoJSON FeatureCollection" in str(result.exception)
    assert not out.exists()


def test_places_of_the_shipped_areas_lie_in_the_national_grid():
    x0, y0, x1, y1 = shapes.NATIONAL_GRID
    places = shipped_places()[0]
    assert len(places) == 118
    assert all(x0 < place.easting < x1 and y0 < place.northing < y1 for place in places)


def test_maps_with_the_same_breaks_have_the_same_classes_and_one_key():
    low, high = [float(i % 40) for i in range(len(AREAS.code))], [float(60 + i % 40) for i in range(len(AREAS.code))]
    breaks = break_points([*low, *high], places=1)
    first, second = (map_of(rows(values), breaks=breaks)[0] for values in (low, high))
    assert first["usermeta"]["legend"] == second["usermeta"]["legend"]
    assert len(first["usermeta"]["legend"]) == len(breaks) + 1
    for spec in (first, second):
        for row in spec["data"]["values"]:
            assert row["class"] == sum(row["value"] >= one for one in breaks)
    assert {row["class"] for row in first["data"]["values"]}.isdisjoint(
        row["class"] for row in second["data"]["values"]
    )


def test_given_breaks_are_used_as_they_are():
    found = sequential([1.0, 7.0, 12.0, None], places=0, unit="points", breaks=[5, 10, 15])
    assert found.of == (0, 1, 2, -1)
    assert [label.replace(SPACE, " ") for label in found.labels] == [
        "under 5 points",
        "5 to 10 points",
        "10 to 15 points",
        "15 points or more",
    ]
    assert break_points([math.nan], places=0) == []
