"""The explorer's table of areas and area pages: plain data, equal to the tables and to the commands."""

import csv
import json
import re
import statistics
import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_country import country
from typer.testing import CliRunner

from gwm_models.cli.app import app
from gwm_models.data.edition import load_edition
from gwm_models.data.home import data_home
from gwm_models.data.user_editions import build_edition
from gwm_models.data.vocabulary import EDITIONS, MONITOR
from gwm_models.errors import DataError
from gwm_models.explore.area_figures import COMPUTED, PUBLISHED, indicator_rows, label_of
from gwm_models.explore.area_history import health_charts, history_charts, history_rows, score_rows
from gwm_models.explore.area_levers import UNKNOWN, lever_content, lever_rows, lever_scenario
from gwm_models.explore.area_page import LITTLE, area_page, gap_words, worthwhile
from gwm_models.explore.area_panel import read_panel
from gwm_models.explore.areas import areas_table, figures_year, healthy_life, map_spec
from gwm_models.plots.area import levers, profile
from gwm_models.plots.area_time import over_time
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.rows import area_rows

BLACKPOOL, BOURNEMOUTH, POOLE, NORTHAMPTONSHIRE = "E06000009", "E06000028", "E06000029", "E10000021"
HULL, WOKINGHAM = "E06000010", "E06000041"
CODES = load_edition(MONITOR).areas.code
SOME = sorted({*CODES[::6], BOURNEMOUTH, POOLE, NORTHAMPTONSHIRE, HULL, WOKINGHAM})
"""Areas whose whole page is looked at in every run: every sixth, and those that differ from the others."""
FILTER = re.compile(r"datum\.(\w+) (===|!==) null")
PAGE = {"edition", "level", "area", "words", "charts", "tables", "notes", "sources"}


def read(name):
    with (data_home() / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def printed(*words):
    found = CliRunner().invoke(app, [*words, "--format", "json"])
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


@cache
def page(code, edition=MONITOR):
    return area_page(edition, code)


@cache
def table(edition=MONITOR):
    return areas_table(edition)


def row_of(code, edition=MONITOR):
    return next(row for row in table(edition)["rows"] if row["area_code"] == code)


def place_of(code, edition=MONITOR):
    return load_edition(edition).areas.code.index(code)


def test_the_table_has_the_published_scores_and_ranks_of_every_area():
    published = {row["area_code"]: row for row in read("monitor_scores")}
    assert len(table()["rows"]) == len(published) == 118
    for row in table()["rows"]:
        own = published[row["area_code"]]
        assert row["rank"] == int(own["rank"])
        for name in ("access", "status", "pay", "total"):
            assert row[name] == float(own[name])


@pytest.mark.parametrize("edition", [MONITOR, "open-2021"])
def test_ranks_and_their_probabilities_are_those_of_gwm_ranks(edition):
    said = {row["area_code"]: row for row in printed("ranks", "--edition", edition)}
    assert len(said) == len(table(edition)["rows"])
    for row in table(edition)["rows"]:
        own = said[row["area_code"]]
        assert (row["rank_median"], row["rank_lower"], row["rank_upper"]) == (
            own["estimate"],
            own["lower"],
            own["upper"],
        )
        assert row["prob_bottom_fifth"] == pytest.approx(own["prob_bottom_fifth"], abs=1e-6)
        assert row["prob_top_fifth"] == pytest.approx(own["prob_fifth_1"], abs=1e-6)


def test_the_interval_of_a_total_and_the_chart_of_ranks_are_those_of_gwm_ranks_for_one_area():
    own = printed("ranks", "--area", "Blackpool")[0]
    row = row_of(BLACKPOOL)
    assert (row["total_lower"], row["total_upper"]) == pytest.approx((own["score_lower"], own["score_upper"]), abs=1e-6)
    drawn = page(BLACKPOOL)["charts"]["ranks"][0]["data"]["values"]
    for bar in drawn:
        assert bar["prob"] == pytest.approx(100 * own[f"prob_rank_{bar['rank']}"], abs=1e-4)
        assert bar["inside"] == (own["lower"] <= bar["rank"] <= own["upper"])
    assert sum(bar["prob"] for bar in drawn) == pytest.approx(100, abs=1e-3)


def test_the_expected_size_of_both_fifths_is_24_areas():
    rows = table()["rows"]
    for name in ("prob_bottom_fifth", "prob_top_fifth"):
        assert sum(row[name] for row in rows) == pytest.approx(24, abs=1e-4)


@pytest.mark.parametrize(
    ("edition", "period"), [(MONITOR, "2016-18"), ("open-2017", "2015-17"), ("open-2021", "2018-20")]
)
def test_healthy_life_expectancy_is_of_the_three_years_that_end_with_the_figures(edition, period):
    given_rows = {
        (row["unit_code"], row["sex"]): row
        for row in read("outcomes")
        if row["variable"] == "healthy_life_expectancy_at_birth" and row["period"] == period
    }
    areas = load_edition(edition).areas
    for code, unit in zip(areas.code, areas.unit, strict=True):
        for sex in ("male", "female"):
            own, row = given_rows[unit, sex.capitalize()], row_of(code, edition)
            name = f"healthy_life_expectancy_{sex}"
            assert row[name] == float(own["value"])
            for end in ("lower", "upper"):
                assert row[f"{name}_{end}"] == (float(own[f"{end}_95"]) if own[f"{end}_95"] else None)
    fields = {field["id"]: field for field in table(edition)["fields"]}
    assert fields["healthy_life_expectancy_male"]["period"] == period


def test_every_field_is_in_every_row_and_says_unit_source_period_and_direction():
    for edition in EDITIONS:
        for field in table(edition)["fields"]:
            assert field["unit"] and field["label"] and field["source"] and field["period"]
            assert field["direction"] in (-1, 0, 1)
            assert all({field["id"], *(field["limits"] or ())} <= set(row) for row in table(edition)["rows"])


def test_areas_without_limits_and_areas_that_share_figures_are_named():
    notes = " ".join(table()["notes"])
    assert "No limits of it are published for Northamptonshire." in notes
    assert "Bournemouth and Poole share the figures of one unit of April 2019." in notes
    assert row_of(NORTHAMPTONSHIRE)["healthy_life_expectancy_male_lower"] is None


@pytest.mark.parametrize("code", SOME)
def test_areas_of_the_monitor_have_a_whole_page_in_plain_data(code):
    is_whole(code, page(code))


@pytest.mark.slow
def test_every_area_of_the_monitor_has_a_whole_page_in_plain_data():
    for code in CODES:
        found = page(code)
        is_whole(code, found)
        for specs in found["charts"].values():
            assert [spec["description"] for spec in specs if empty_layers(spec)] == []


def test_no_chart_over_the_years_has_a_layer_without_data():
    edition = load_edition()
    for place in range(len(edition.areas)):
        rows = history_rows(edition, place)
        specs = history_charts(edition, place, rows, score_rows(edition, place), "all areas")
        specs += health_charts(edition, place, "all areas")
        assert len(specs) == 8
        assert [spec["description"] for spec in specs if empty_layers(spec)] == []
    bounded = [len(page(code)["charts"]["health"][0]["layer"]) for code in (HULL, NORTHAMPTONSHIRE)]
    assert bounded == [5, 4]


def empty_layers(spec):
    """Return the layers of a chart that draw numbers and have none: their scales would have no ends."""
    found = []
    for layer in spec.get("layer", [spec]):
        values = layer.get("data", spec["data"])["values"]
        for step in layer.get("transform", []):
            field, test = FILTER.fullmatch(step["filter"]).groups()
            values = [one for one in values if (one[field] is None) == (test == "===")]
        channels = [on for on in layer.get("encoding", {}).values() if isinstance(on, dict)]
        drawn = [on["field"] for on in channels if on.get("type") == "quantitative" and "field" in on]
        if drawn and not any(one[field] is not None for one in values for field in drawn):
            found.append(layer)
    return found


def is_whole(code, found):
    assert set(found) == PAGE
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert {name: len(specs) for name, specs in found["charts"].items() if name != "levers"} == {
        "profile": 1,
        "ranks": 1,
        "history": 6,
        "health": 2,
    }
    assert len(found["charts"]["levers"]) == worthwhile(found["tables"]["levers"])
    assert len(found["tables"]["indicators"]) == len(found["tables"]["levers"]) == 6
    assert len(found["tables"]["peers"]) == 10
    assert found["area"] == row_of(code)
    assert found["area"]["area_name"] in found["words"]
    assert all(specs["description"] for part in found["charts"].values() for specs in part)


@settings(max_examples=8, deadline=None)
@given(edition=st.sampled_from(EDITIONS[1:]), data=st.data())
def test_every_open_edition_has_pages_too(edition, data):
    code = data.draw(st.sampled_from(load_edition(edition).areas.code))
    found = page(code, edition)
    json.dumps(found, allow_nan=False)
    assert len(found["tables"]["indicators"]) == 5
    assert found["area"] == row_of(code, edition)
    assert len(found["charts"]["health"]) == 2


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SOME))
def test_intervals_hold_their_figures_and_scores_follow_the_direction(code):
    found = page(code)
    for row in found["tables"]["indicators"]:
        if row["value"] is None:
            continue
        assert row["lower"] < row["value"] < row["upper"]
        assert row["score_lower"] < row["score"] < row["score_upper"]
        ahead = (row["value"] - row["whole_median"]) * row["direction"]
        assert np.sign(ahead) == np.sign(row["score"] - row["whole_score"])
    for row in found["tables"]["levers"]:
        if row["points"] is not None:
            assert row["lower"] <= row["points"] <= row["upper"] or row["points"] < LITTLE
            assert row["points"] >= 0 and row["ranks_lower"] >= 0
    gains = [row["points"] for row in found["tables"]["levers"] if row["points"] is not None]
    assert gains == sorted(gains, reverse=True)


def test_indicators_are_the_figures_of_the_tables():
    rates, edition = {row["area_code"]: row for row in read("access_domain_reproduction")}, load_edition()
    for place, code in enumerate(CODES):
        rows = {row["indicator"]: row for row in indicator_rows(edition, place)}
        assert rows["economic_activity_rate"]["value"] == float(rates[code]["economic_activity_rate_16_64_1dp"])
        assert rows["unemployment_rate"]["value"] == float(rates[code]["unemployment_rate_16_64_1dp"])


def test_limits_of_an_open_edition_are_those_published():
    variable, period = "economic_activity_rate_16_64", "2019-01/2019-12"
    published = {
        row["unit_code"]: row for row in read("indicators") if (row["variable"], row["period"]) == (variable, period)
    }
    edition, seen = load_edition("open-2019"), 0
    for place, code in enumerate(edition.areas.code):
        own, row = published[code], indicator_rows(edition, place)[0]
        assert row["value"] == float(own["value"])
        assert row["limits"] == (PUBLISHED if own["lower_95"] else COMPUTED)
        if own["lower_95"]:
            seen += 1
            assert (row["lower"], row["upper"]) == pytest.approx(
                (float(own["lower_95"]), float(own["upper_95"])), abs=1e-5
            )
    assert 0 < seen < len(edition.areas)


def test_what_one_unit_is_worth_is_that_of_gwm_index_units():
    said = {row["indicator"]: row for row in printed("index", "units")}
    for row in page(HULL)["tables"]["indicators"]:
        own = said[row["indicator"]]
        assert row["points_status"] == own["status"]
        if own["status"] == "unknown":
            assert row["points_per_unit"] is None
        else:
            assert row["points_per_unit"] == pytest.approx(own["estimate"], abs=1e-6)
            assert row["points_per_unit_std_error"] == pytest.approx(own["std_error"], abs=1e-6)


def test_peers_are_those_of_gwm_index_peers():
    said = printed("index", "peers", "--area", "Blackpool", "--show", "peers")
    rows = page(BLACKPOOL)["tables"]["peers"]
    assert [row["area_name"] for row in rows] == [row["area_name"] for row in said]
    for row, own in zip(rows, said, strict=True):
        for name in ("published_distance", "estimate", "lower", "upper", "prob_nearest_10", "total_gap"):
            assert row[name] == pytest.approx(own[name], abs=1e-6)
    marked = {one["other"] for layer in page(BLACKPOOL)["charts"]["profile"][0]["layer"] for one in peers_drawn(layer)}
    assert marked == {row["area_name"] for row in rows}


def test_the_median_of_the_peers_is_worked_out_from_their_figures():
    edition = load_edition()
    level = dict(zip(edition.areas.code, edition.values[:, 1].tolist(), strict=True))
    found = page(BLACKPOOL)["tables"]
    assert all(len(row["area_codes"]) == 1 and row["area_code"] in CODES for row in found["peers"])
    median = statistics.median(level[row["area_code"]] for row in found["peers"])
    assert found["indicators"][1]["peers_median"] == pytest.approx(median, abs=1e-6)


def peers_drawn(layer):
    return [one for one in layer.get("data", {}).get("values", []) if one.get("peer")]


def test_medians_of_region_and_england_are_worked_out_from_the_units():
    edition = load_edition("open-2018")
    place = edition.areas.code.index(HULL)
    row = indicator_rows(edition, place)[1]
    level = dict(zip(edition.areas.code, edition.values[:, 1].tolist(), strict=True))
    near = [
        level[code]
        for code, region in zip(edition.areas.code, edition.areas.region, strict=True)
        if region == "Yorkshire and the Humber"
    ]
    assert row["region_median"] == pytest.approx(statistics.median(near), abs=1e-6)
    assert row["whole_median"] == pytest.approx(statistics.median(level.values()), abs=1e-6)
    assert row["whole_median"] != row["region_median"]


def test_satisfactory_hours_is_said_to_be_missing_and_not_filled():
    found = page(HULL)
    row = found["tables"]["indicators"][-1]
    assert row["indicator"] == "satisfactory_hours"
    assert row["value"] is row["lower"] is row["score"] is row["region_median"] is None
    assert row["missing"].startswith("no open figures")
    assert any(
        note.startswith("Satisfactory hours: no open figures; its domain, Pay and conditions")
        for note in found["notes"]
    )
    drawn = found["charts"]["profile"][0]["data"]["values"][-1]
    assert (drawn["figure"], drawn["score"]) == ("no open figures", None)
    lever = found["tables"]["levers"][-1]
    assert (lever["indicator"], lever["points"], lever["status_words"]) == ("satisfactory_hours", None, UNKNOWN)


@pytest.mark.parametrize("code", [BOURNEMOUTH, POOLE])
def test_bournemouth_and_poole_are_said_to_share_a_survey_unit_and_are_not_each_others_peers(code):
    found = page(code)
    assert any("Poole and Bournemouth belong to one survey unit" in note for note in found["notes"])
    assert not {BOURNEMOUTH, POOLE} & {one for row in found["tables"]["peers"] for one in row["area_codes"]}
    assert page(BOURNEMOUTH)["tables"]["health"] == page(POOLE)["tables"]["health"]


def test_no_page_but_that_of_the_two_speaks_of_a_shared_unit():
    notes = page(HULL)["notes"]
    assert notes and not any("survey unit" in note for note in notes)


@pytest.mark.parametrize("code", ["E06000053", "Isles of Scilly", "", "E09000001", "<script>", "../../etc/passwd"])
def test_an_area_that_the_edition_does_not_hold_has_no_page(code):
    with pytest.raises(DataError, match=r"There is no area"):
        area_page(MONITOR, code)
    assert code not in {row["area_code"] for row in table()["rows"]}


def test_an_unknown_area_gets_the_nearest_name():
    with pytest.raises(DataError, match="Blackpool"):
        area_page(MONITOR, "Blackpol")


def test_an_unknown_edition_is_refused():
    with pytest.raises(DataError, match="Unknown edition"):
        areas_table("monitor-1066")


def test_history_is_the_published_panel_with_its_limits():
    published = {
        (row["variable"], row["period"][:4]): row
        for row in read("indicators")
        if row["unit_code"] == HULL and row["sex"] == "Persons" and row["period"] != "2017-10/2018-09"
    }
    rows = page(HULL)["tables"]["history"]
    assert {row["indicator"] for row in rows} == set(load_edition().spec.indicator_ids) - {"satisfactory_hours"}
    seen = {PUBLISHED: 0, COMPUTED: 0}
    for row in rows:
        own = published.get((row["variable"], str(row["year"])))
        assert row["value"] == (float(own["value"]) if own else None)
        if own and own["lower_95"]:
            assert (row["lower"], row["upper"]) == (float(own["lower_95"]), float(own["upper_95"]))
            assert row["limits"] == PUBLISHED
        if row["limits"]:
            seen[row["limits"]] += 1
    assert seen[COMPUTED] == 10 and seen[PUBLISHED] >= 50


def test_yearly_medians_are_over_the_areas_of_the_region_and_all_areas():
    areas = load_edition().areas
    units = dict(zip(areas.unit, areas.region, strict=True))
    figures = {
        row["unit_code"]: float(row["value"])
        for row in read("indicators")
        if (row["variable"], row["period"]) == ("unemployment_rate_16_64", "2012-01/2012-12") and row["value"]
    }
    row = next(
        row for row in page(HULL)["tables"]["history"] if (row["indicator"], row["year"]) == ("unemployment_rate", 2012)
    )
    near = [value for unit, value in figures.items() if units.get(unit) == "Yorkshire and the Humber"]
    assert row["region"] == pytest.approx(statistics.median(near), abs=1e-6)
    assert row["whole"] == pytest.approx(
        statistics.median([figures[unit] for unit in units if unit in figures]), abs=1e-6
    )


def test_scores_over_the_years_are_those_of_gwm_index_series():
    said = printed("index", "series", "--area", "Blackpool", "--level", "0.9", "--show", "scores")["scores"]
    rows = page(BLACKPOOL)["tables"]["scores"]
    assert [row["year"] for row in rows] == [2017, 2018, 2019, 2020, 2021]
    for row, own in zip(rows, said, strict=True):
        assert (row["value"], row["lower"], row["upper"]) == pytest.approx(
            (own["estimate"], own["lower"], own["upper"]), abs=1e-6
        )
        edition = load_edition(f"open-{row['year']}")
        assert row["value"] == pytest.approx(edition.total[edition.areas.code.index(BLACKPOOL)], abs=1e-6)


def test_a_year_without_figures_is_missing_and_said():
    rows = page(NORTHAMPTONSHIRE)["tables"]["scores"]
    assert [row["year"] for row in rows if row["value"] is None] == [2021]
    said = page(NORTHAMPTONSHIRE)["notes"]
    assert "Economic activity rate, ages 16-64: no figure for 2023." in said
    assert "Median gross weekly pay, residents, all employees: no figure for 2021 to 2025." in said
    assert gap_words(read_panel("median_gross_weekly_pay"), "E06000058") == "2002 to 2017"
    assert gap_words(read_panel("economic_activity_rate_16_64"), HULL) == ""


def test_health_outcomes_are_the_latest_figures_with_their_limits():
    published = [row for row in read("outcomes") if row["unit_code"] == HULL]
    latest = {}
    for row in published:
        latest[row["variable"], row["sex"]] = max(row["period"], latest.get((row["variable"], row["sex"]), ""))
    rows = page(HULL)["tables"]["health"]
    assert len(rows) == len(latest) == 30
    figures = {(row["variable"], row["sex"], row["period"]): row for row in published}
    for row in rows:
        own = figures[row["variable"], row["sex"], latest[row["variable"], row["sex"]]]
        assert (row["period"], row["value"]) == (own["period"], pytest.approx(float(own["value"]), abs=1e-6))
        assert (row["lower"] is None) == (own["lower_95"] == "")
        assert (row["region"] is None) == (row["unit"] == "deaths")
        assert row["source"]


@pytest.mark.parametrize("indicator", load_edition().spec.indicator_ids[:5])
def test_a_move_brings_what_its_scenario_file_brings(indicator):
    edition, place = load_edition(), place_of(HULL)
    row = next(row for row in lever_rows(edition, place) if row["indicator"] == indicator)
    assert row["scenario"] == lever_content(edition, indicator, place)
    scenario = lever_scenario(edition, indicator, place)
    found = {
        (one["quantity"], one["state"]): one
        for one in area_rows(project(scenario, variance=False), 0.9)
        if one["area_code"] == HULL
    }
    total, rank = found["total", "difference"], found["rank", "difference"]
    assert (row["points"], row["lower"], row["upper"]) == (total["estimate"], total["lower"], total["upper"])
    assert (row["ranks"], row["ranks_lower"], row["ranks_upper"]) == (-rank["estimate"], -rank["upper"], -rank["lower"])
    assert row["prob_rank_improves"] == rank["prob_rank_improves"]


def test_points_of_an_exact_indicator_are_its_move_times_its_points_per_unit():
    rows = {row["indicator"]: row for row in page(HULL)["tables"]["levers"]}
    for indicator, points in (("economic_activity_rate", 99 / (86.4 - 67.1)), ("unemployment_rate", -99 / (9.5 - 1.4))):
        assert rows[indicator]["points"] == pytest.approx(points * rows[indicator]["move"], rel=1e-5)
        assert rows[indicator]["status"] == "reproduced"
    assert rows["professional_share"]["status_words"].startswith("calibrated")


def test_a_move_is_said_in_the_unit_of_its_indicator():
    words = {row["indicator"]: row["move_words"] for row in page(HULL)["tables"]["levers"]}
    assert words["unemployment_rate"].startswith("\u22121.6 percentage points (")
    assert words["median_pay"].startswith("+£") and " a week (£" in words["median_pay"]
    relative = {row["indicator"]: row["move_words"] for row in page(HULL, "open-2019")["tables"]["levers"]}
    assert "percentage points of the median (" in relative["median_pay"]


def test_a_move_goes_half_of_the_way_to_the_best_fifth():
    edition, place = load_edition(), place_of(HULL)
    level = project(lever_scenario(edition, "unemployment_rate", place), variance=False).level_before[:, :, 1]
    goal = np.quantile(level, 0.2, axis=1)
    half = np.minimum(goal - level[:, place], 0) / 2
    row = next(row for row in lever_rows(edition, place) if row["indicator"] == "unemployment_rate")
    assert row["move"] == pytest.approx(half.mean(), abs=1e-6)


def test_an_area_at_the_top_is_told_that_there_is_little_gap_to_close():
    found = page(WOKINGHAM)
    assert found["charts"]["levers"] == []
    assert "it is among the best fifth or close to it" in found["words"]
    assert "would add most in" in page(HULL)["words"]


def test_an_edition_of_ones_own_has_a_table_and_pages_without_health(tmp_path):
    build_edition(country(tmp_path / "raw"), tmp_path / "made")
    name = str(tmp_path / "made")
    found = areas_table(name)
    json.dumps(found, allow_nan=False)
    assert len(found["rows"]) == 30
    assert "healthy_life_expectancy_male" not in found["rows"][0]
    assert map_spec(name, "total")["spec"] is None
    assert map_spec(name, "total")["notes"][0].startswith("There is no map of the areas of this edition")
    one = area_page(name, "Z03")
    json.dumps(one, allow_nan=False)
    assert {part: len(specs) for part, specs in one["charts"].items()} == {
        "profile": 1,
        "ranks": 1,
        "history": 0,
        "health": 0,
        "levers": 1,
    }
    assert one["tables"]["health"] == one["tables"]["history"] == []
    assert any("holds no yearly figures and no health outcomes" in note for note in one["notes"])
    assert one["tables"]["indicators"][2]["limits"] == "no limits: taken as exact"


def test_names_with_markup_or_formulas_stay_text(tmp_path):
    folder = country(tmp_path / "raw")
    text = (folder / "areas.csv").read_text(encoding="utf-8").replace("Town 3,", "<b>=cmd|A1</b> &,")
    (folder / "areas.csv").write_text(text, encoding="utf-8")
    build_edition(folder, tmp_path / "made")
    found = area_page(str(tmp_path / "made"), "Z03")
    assert found["area"]["area_name"] == "<b>=cmd|A1</b> &"
    assert "<b>=cmd|A1</b> &" in found["words"]


@pytest.mark.parametrize("field", [field["id"] for field in table()["fields"]])
def test_every_field_has_a_map_of_all_areas_with_its_own_figures(field):
    found = map_spec(MONITOR, field)
    json.dumps(found, allow_nan=False)
    drawn = {row["code"]: row["value"] for row in found["spec"]["data"]["values"]}
    times = 100 if field.startswith("prob") else 1
    assert drawn == {row["area_code"]: pytest.approx(times * row[field], abs=1e-4) for row in table()["rows"]}
    assert found["notes"] == table()["notes"]


def test_a_map_of_a_field_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(DataError, match=r"no field 'sunshine'; expected one of total, rank, "):
        map_spec(MONITOR, "sunshine")


def test_the_map_of_an_open_edition_holds_its_own_areas_with_intervals():
    drawn = {row["code"]: row for row in map_spec("open-2017", "total")["spec"]["data"]["values"]}
    assert set(drawn) == set(load_edition("open-2017").areas.code)
    assert all(row["interval"] for row in drawn.values())


def test_the_period_of_healthy_life_never_ends_after_the_figures():
    for name in EDITIONS:
        edition = load_edition(name)
        found = healthy_life(edition, "female")
        assert int(found.panel.end[found.row][:4]) <= figures_year(edition)


def test_charts_without_figures_are_not_drawn():
    names = {"area": "A", "region": "R", "whole": "all areas"}
    empty = {"year": 2020, "period": "2020", "value": None, "lower": None, "upper": None, "region": 1.0, "whole": 1.0}
    about = {"title": "T", "unit": "percent", "places": 1, "level": 0.95, "direction": 1}
    assert over_time([empty], **names, **about) == []
    assert profile([{"value": None}], [], **names) == []
    assert levers([{"points": None}, {"points": 0.0}], area="A", move="m") == []


def test_the_change_of_method_is_drawn_only_where_both_sides_of_it_are():
    def drawn(years):
        rows = [
            dict.fromkeys(("value", "lower", "upper", "region", "whole"), 1.0) | {"year": year, "period": str(year)}
            for year in years
        ]
        names = {"area": "A", "region": "R", "whole": "all areas", "title": "T", "unit": "percent"}
        spec = over_time(rows, **names, places=1, level=0.95, direction=1, broken=2020)[0]
        return [layer["data"]["values"][0]["year"] for layer in spec["layer"] if "data" in layer]

    assert drawn([2018, 2019, 2020]) == [2019.5, 2019.5]
    assert drawn([2017, 2018]) == drawn([2020, 2021]) == []


@pytest.mark.parametrize("part", ["profile", "ranks", "history", "health", "levers"])
def test_every_chart_is_drawn_by_the_real_library(part):
    vl_convert = pytest.importorskip("vl_convert")
    from gwm_models.plots.theme import with_colours

    for spec in page(POOLE)["charts"][part]:
        text = vl_convert.vegalite_to_svg(json.dumps({**with_colours(spec), "width": 500}))
        assert text.startswith("<svg") and "NaN" not in text and len(text) > 3000


def test_a_warm_page_takes_less_than_a_second():
    page(HULL)
    start = time.process_time()
    area_page(MONITOR, "E06000002")
    assert time.process_time() - start < 1


def test_labels_are_short_enough_to_read():
    edition = load_edition()
    assert [label_of(edition, name) for name in edition.spec.indicator_ids] == [
        "Economic activity rate",
        "Unemployment rate",
        "Professional and managerial jobs",
        "Operative and elementary jobs",
        "Median gross weekly pay of residents, regional prices",
        "Satisfactory hours",
    ]
