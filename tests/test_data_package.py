"""The data package: what is shipped, what its check finds, and that it finds it by computing."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from data_copy import make_small, read_rows, replace_line, write_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwm_models.data.claims import claim_faults
from gwm_models.data.constraints import place_table
from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.faults import find_faults
from gwm_models.data.home import data_home
from gwm_models.data.package import describe_table, examine_package, list_tables
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError

FILES = Path(__file__).parent / "files"


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("small") / "data")


@pytest.fixture
def copy(small, tmp_path, monkeypatch):
    """Return a fresh copy of the small package as the folder `data` below the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(small, tmp_path / "data")
    return tmp_path / "data"


def errors_of(folder):
    return [str(problem) for problem in examine_package(folder).problems if problem.severity == "error"]


def warnings_of(folder=None):
    return [str(problem) for problem in examine_package(folder).problems if problem.severity == "warning"]


# What is shipped


def test_the_shipped_package_has_no_error_and_says_how_much_was_checked():
    result = examine_package()
    assert result.errors == ()
    assert str(result) == ("15 tables, 47,329 rows, 316,529 values checked: 0 errors, 17 warnings")


def test_every_table_in_the_folder_is_described_and_the_package_is_small():
    home = data_home()
    described = {resource.path for resource in read_descriptor(home).resources.values()}
    assert {path.relative_to(home).as_posix() for path in home.rglob("*.csv")} == described
    assert sum(path.stat().st_size for path in home.rglob("*")) < 6_000_000
    assert all(b"\r" not in path.read_bytes() for path in home.rglob("*.csv"))


def test_every_number_has_a_unit_and_every_table_a_key_producer_period_and_licence():
    for resource in read_descriptor(data_home()).resources.values():
        assert resource.primary_key, resource.name
        assert resource.licence, resource.name
        assert resource.sources, resource.name
        assert all(source.title and source.producer and source.period for source in resource.sources)
        assert len(resource.sha256) == 64, resource.name
        for field in resource.fields:
            assert field.type == "string" or field.unit or field.name == "rank", (resource.name, field.name)


def test_shipped_figures_give_the_known_answers():
    monitor = read_table("monitor_scores")
    assert len(monitor) == 118
    assert monitor["total"].mean() == pytest.approx(307.456, abs=5e-4)
    assert monitor["total"].std() == pytest.approx(86.435, abs=5e-4)
    assert (monitor["area_name"][0], monitor["total"][0]) == ("Wokingham", 502.0)
    assert (monitor["area_name"][-1], monitor["total"][-1]) == ("Stoke-on-Trent", 123.4)
    printed = Counter(monitor["region_as_printed"])
    official = Counter(read_table("areas")["region_name"])
    assert printed == {
        "North West": 23, "South East": 20, "Yorkshire and the Humber": 15, "West Midlands": 14,
        "South West": 14, "North East": 12, "East of England": 11, "East Midlands": 9,
    }  # fmt: skip
    assert {name: official[name] - printed[name] for name in printed if official[name] != printed[name]} == {
        "South East": -1,
        "South West": 1,
    }
    other = {row["area_code"]: row["total"] for row in read_table("conditions_scores").rows()}
    matched = [other[code] for code in monitor["area_code"]]
    assert np.corrcoef(monitor["total"], matched)[0, 1] == pytest.approx(0.71, abs=5e-3)


def test_shipped_rates_say_which_were_published_and_which_inferred():
    rates = read_table("access_domain_reproduction")
    kinds = Counter(text.partition(" ")[0] for text in rates["basis_1dp"])
    assert kinds == {"published": 46, "decoded:": 72}
    score = (
        1 + 99 * (rates["economic_activity_rate_16_64_1dp"] - 67.1) / 19.3
        + 1 + 99 * (9.5 - rates["unemployment_rate_16_64_1dp"]) / 8.1
    )  # fmt: skip
    gaps = np.abs(score - rates["access_score_published"])
    assert gaps.max() < 0.0505  # half of the printed decimal


def test_the_published_t_statistics_give_back_r_only_for_118_areas():
    diseases = read_table("disease_correlations")
    fits = []
    for n in range(115, 120):
        r = diseases["t_statistic"] / np.sqrt(diseases["t_statistic"] ** 2 + n - 2)
        fits.append(bool((np.abs(r - diseases["pearson_r"]) <= 0.005).all()))
    assert fits == [False, False, False, True, False]


def test_a_period_label_means_a_month_in_one_variable_and_three_years_in_another():
    rows = read_table("periods", where={"period": "2002-04"}).rows()
    months = {row["variable"]: (row["first_month"], row["last_month"]) for row in rows}
    assert months["median_gross_weekly_pay"] == ("2002-04", "2002-04")
    assert months["life_expectancy_at_birth"] == ("2002-01", "2004-12")


def test_nothing_was_changed_on_the_way_from_the_figures_as_supplied():
    source = Path(__file__).parents[2] / "shared" / "data"
    if not source.is_dir():
        pytest.skip("the figures as supplied are not beside the checkout; hashes guard the shipped ones")
    texts = {row["basis"]: row["description"] for row in read_table("bases").rows()}
    for name in ("indicators", "outcomes"):
        supplied, shipped = read_rows(source / f"{name}.csv")[1:], read_table(name)
        assert len(supplied) == len(shipped)
        for place, column in enumerate(("unit_code", "variable", "sex", "period")):
            assert [row[place] for row in supplied] == shipped[column].tolist()
        assert [row[7] for row in supplied] == [texts[code] for code in shipped["basis"]]
        for place, column in ((4, "value"), (5, "lower_95"), (6, "upper_95")):
            figures = np.array([float(row[place] or "nan") for row in supplied])
            np.testing.assert_allclose(shipped[column], figures, rtol=1e-9, atol=0)
    for old, new, columns in (
        ("monitor_scores_2021", "monitor_scores", range(8)),
        ("conditions_scores_2021", "conditions_scores", (0, 1, 2, 4, 5, 6, 7, 8)),
        ("disease_correlations_2021", "disease_correlations", range(4)),
        ("access_domain_reproduction", "access_domain_reproduction", range(14)),
    ):
        supplied, shipped = read_rows(source / f"{old}.csv")[1:], read_rows(data_home() / f"{new}.csv")[1:]
        order = [0, 1, 2, *range(3, 14)] if new.startswith("access") else columns
        assert [[row[i] for i in order] for row in supplied] == [[row[i] for i in order] for row in shipped]
    pairs = [row[:2] for row in read_rows(source / "adjacency.csv")]
    assert pairs == [row[:2] for row in read_rows(data_home() / "borders.csv")]
    areas = read_rows(source / "areas.csv")[1:]
    shipped = read_table("areas")
    measured = {5: "easting", 6: "northing", 7: "longitude", 8: "latitude", 10: "land_area_m2"}
    for place, column in measured.items():
        assert [float(row[place]) for row in areas] == shipped[column].tolist()
    assert [float(row[11]) for row in areas] == shipped["population"].tolist()
    assert [row[13] for row in areas] == shipped["unit_code"].tolist()


# Planted faults: one corruption each, and the message it must give


PLANTED = ("table", "line", "old", "new", "message")


def planted(name):
    """Return the rows of a file of planted faults: table, line, old text, new text, message."""
    rows = read_rows(FILES / name)
    assert tuple(rows[0]) == PLANTED
    return [(table, int(line), old, new, message) for table, line, old, new, message in rows[1:]]


def test_the_small_copy_has_no_error(copy):
    assert errors_of(Path("data")) == []


@pytest.mark.parametrize(PLANTED, planted("planted_errors.csv"))
def test_a_planted_fault_gives_exactly_its_message(copy, table, line, old, new, message):
    replace_line(copy / f"{table}.csv", line, old, new)
    assert errors_of(Path("data")) == [message]


@pytest.mark.parametrize(PLANTED, planted("planted_errors_with_others.csv"))
def test_a_planted_fault_that_breaks_other_rows_is_named_among_them(copy, table, line, old, new, message):
    replace_line(copy / f"{table}.csv", line, old, new)
    assert message in errors_of(Path("data"))


def test_faults_in_several_tables_are_all_reported_in_one_pass(copy):
    replace_line(copy / "monitor_scores.csv", 3, "171.8", "high")
    replace_line(copy / "monitor_scores.csv", 4, "174.9", "274.9")
    replace_line(copy / "borders.csv", 3, "E06000041,", "")
    (copy / "units.csv").unlink()
    found = errors_of(Path("data"))
    assert found == [
        "data/units.csv: error: the file cannot be read (No such file or directory). Fix: restore the file.",
        "data/borders.csv:3:1: error: the row has 2 cells, expected 3. Fix: give every cell of the row, and "
        "quote one that holds a comma.",
        "data/monitor_scores.csv:3:5: error: access: expected a number, found 'high'. Fix: correct it.",
        "data/monitor_scores.csv:4:6: error: status: 274.9 is outside 2 to 200 points. Fix: correct the figure.",
    ]


def test_a_table_without_rows_is_an_error(copy):
    rows = read_rows(copy / "borders.csv")
    write_rows(copy / "borders.csv", rows[:1])
    [error] = errors_of(Path("data"))
    assert error == "data/borders.csv: error: the table has no rows. Fix: restore the file."


def test_a_changed_file_does_not_match_its_hash(tmp_path):
    home = tmp_path / "data"
    shutil.copytree(data_home(), home)
    replace_line(home / "monitor_scores.csv", 5, "183.7,146.8", "183.6,146.9")
    [error] = errors_of(home)
    assert "monitor_scores.csv: error: the file is not the one described: it has 7341 bytes" in error
    assert "if the change is meant put its bytes and hash into datapackage.json." in error


def test_a_folder_without_a_description_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match=r"A data folder needs a datapackage\.json"):
        examine_package(tmp_path)


NAMES = sorted(path.relative_to(data_home()).as_posix() for path in data_home().rglob("*.csv"))
BREAKS = st.sampled_from([b"", b"\x00", b'"', b",", b"\n", b"\xff", b"9e300", b"-", b"nan"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), at=st.floats(0, 1), new=BREAKS)
def test_no_corruption_of_a_file_ends_the_check_before_its_last_line(copy, name, at, new):
    whole = (copy / name).read_bytes()
    place = int(at * (len(whole) - 1))
    (copy / name).write_bytes(whole[:place] + new + whole[place + 1 :])
    result = examine_package(copy)
    (copy / name).write_bytes(whole)
    assert str(result).startswith("15 tables, ")
    assert all(problem.what and problem.file for problem in result.problems)


# Known faults of the published tables, with the figures of the method notes


def test_the_known_faults_are_all_found_and_nothing_else():
    expected = (FILES / "known_faults.txt").read_text(encoding="utf-8").splitlines()
    assert len(expected) == 17
    assert [text.partition("warning: ")[2] for text in warnings_of()] == expected


MENDED = [  # a fault that is mended is no longer found: nothing is a list of names
    ("monitor_scores", 13, "South East", "South West", "South Gloucestershire"),
    ("conditions_scores", 15, "East Midlands", "West Midlands", "Warwickshire"),
    ("conditions_scores", 29, "#N/A", "South West", "Poole is printed"),
    ("monitor_scores", 74, "287.4", "287.5", "Torbay and Swindon"),
    ("conditions_scores", 57, "553.0", "553.1", "Wiltshire and Staffordshire"),
    ("report_claims", 2, ",119,", ",118,", "areas_collected"),
    ("report_claims", 3, ",110,", ",112,", "blackpool_rank"),
    ("report_claims", 4, "Manchester;Rutland", "Cheshire East;Manchester;Trafford", "conditions_outside"),
    ("report_claims", 6, ",59.4,", ",57.4,", "stoke_male_healthy_life"),
]


@pytest.mark.parametrize(("table", "line", "old", "new", "gone"), MENDED)
def test_a_fault_that_is_mended_is_no_longer_found(copy, table, line, old, new, gone):
    assert any(gone in text for text in warnings_of(copy))
    replace_line(copy / f"{table}.csv", line, old, new)
    assert not any(gone in text for text in warnings_of(copy))


def test_a_claim_that_holds_gives_nothing(copy):
    replace_line(copy / "report_claims.csv", 5, "North Tyneside", "Darlington")
    replace_line(copy / "report_claims.csv", 5, ",41,", ",73,")
    assert not any("conditions_first_in_north_east" in text for text in warnings_of(copy))


@pytest.mark.parametrize(PLANTED, planted("planted_warnings.csv"))
def test_a_fault_of_a_known_kind_is_found_anywhere(copy, table, line, old, new, message):
    replace_line(copy / f"{table}.csv", line, old, new)
    assert message in warnings_of(Path("data"))


def test_faults_are_searched_for_only_in_the_tables_there_are():
    home = data_home()
    resource = read_descriptor(home).table("monitor_scores")
    table, problems = place_table(home, resource)
    assert problems == []
    assert [problem.path for problem in find_faults({"monitor_scores": table})] == ["rank", "rank"]
    assert claim_faults({"monitor_scores": table}) == []


# List and describe


def test_every_table_is_listed_with_its_size_producer_and_licence():
    rows = {row["table"]: row for row in list_tables()}
    assert len(rows) == 15
    assert (rows["indicators"]["rows"], rows["outcomes"]["rows"]) == (30079, 15714)
    assert rows["monitor_scores"]["producer"] == "Institute for the Future of Work"
    assert rows["outcomes"]["licence"] == "Open Government Licence v3.0, (c) Crown copyright"


def test_a_table_is_described_with_its_fields_keys_sources_and_variables():
    found = describe_table("outcomes")
    assert found["primary_key"] == ["unit_code", "variable", "sex", "period"]
    fields = {row["column"]: row for row in found["fields"]}
    assert fields["unit_code"]["refers_to"] == "units.unit_code"
    assert fields["sex"]["allowed"] == "Persons | Female | Male; required"
    assert (fields["lower_95"]["missing"], fields["value"]["missing"]) == (9988, 0)
    assert len(found["variables"]) == 16
    assert {row["unit"] for row in found["variables"]} == {"years", "per_100k", "deaths", "points_0_10"}
    scores = {row["column"]: row["allowed"] for row in describe_table("monitor_scores")["fields"]}
    assert scores["total"] == "6 to 600; required"


def test_an_unknown_name_is_answered_with_the_nearest_or_with_its_table():
    with pytest.raises(DataError, match=r"There is no table 'outcome' in .*\. Did you mean outcomes\?"):
        describe_table("outcome")
    with pytest.raises(DataError, match=r"'suicide_asmr' is a variable of the table 'outcomes', not a table"):
        describe_table("suicide_asmr")


def test_a_broken_table_is_not_listed_as_empty(copy):
    (copy / "borders.csv").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"borders\.csv:1:1: error: byte 0xff is not UTF-8"):
        list_tables(copy)
