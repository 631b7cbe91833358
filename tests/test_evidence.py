"""The evidence library: every entry is whole, says where it was read, and is shown as it stands."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from gwm_models.cli.evidence import evidence
from gwm_models.data.evidence import Effect, effect_rows, evidence_home, evidence_library, find_entry, read_entry
from gwm_models.errors import DataError
from gwm_models.scenarios.known import evidence_ids

GOOD = """\
schema: gwm-evidence/1
id: a-study
title: A study
authors: [Doe J]
year: 2020
journal: A Journal
doi: null
url: https://example.org/study
place: A town
period: 2010 to 2015
design: difference-in-differences
population: residents
effects:
  - {outcome: work, size: 1.0, unit: points, low: 0.5, high: 2.0, level: 0.95, interval: confidence}
grade: weak
grade_reason: One town.
supports: [a size]
not_supports: [another place]
read_at: {what: abstract, url: "https://example.org/study"}
licence: restated
"""


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(evidence)
    return app


def test_the_three_studies_that_the_library_starts_from_are_there():
    assert {"greater-manchester-devolution-2022", "preston-wealth-building-2023", "triple-i-income-2020"} <= set(
        evidence_library()
    )


def test_the_checker_knows_the_entries_that_the_library_reads():
    assert evidence_ids() == tuple(evidence_library())


@pytest.mark.parametrize("path", sorted(evidence_home().glob("*.yaml")), ids=lambda path: path.stem)
def test_every_entry_says_where_it_was_read_and_what_it_cannot_support(path):
    entry = read_entry(path)
    assert entry.read_at.url.startswith("http")
    assert entry.supports and entry.not_supports
    for effect in entry.effects:
        assert effect.low is not None or effect.reason


def test_the_numbers_of_greater_manchester_are_those_of_the_abstract():
    rows = {row["group"]: row for row in effect_rows(find_entry("greater-manchester-devolution-2022"))}
    assert [rows["all"][name] for name in ("estimate", "lower", "upper", "level")] == [0.196, 0.182, 0.21, 0.95]
    assert [rows["men"][name] for name in ("estimate", "lower", "upper")] == [0.338, 0.315, 0.362]
    assert [rows["women"][name] for name in ("estimate", "lower", "upper")] == [0.057, 0.04, 0.074]


def test_a_number_that_was_not_found_is_missing_with_its_reason():
    rows = {row["outcome"]: row for row in effect_rows(find_entry("preston-wealth-building-2023"))}
    assert rows["employment"]["estimate"] is None
    assert "abstract" in str(rows["employment"]["note"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("grade: weak", "grade: good", "grade"),
        ("journal: A Journal\n", "", "journal"),
        ("year: 2020", "year: 2020\ncolour: red", "colour"),
        ("low: 0.5, ", "", "low and high belong together"),
        ("size: 1.0", "size: 3.0", "size 3 is not between low 0.5 and high 2"),
        ("size: 1.0", "size: null", "an interval needs a size"),
        (", low: 0.5, high: 2.0, level: 0.95, interval: confidence", "", "needs a reason"),
        ("id: a-study", "id: another", "Name the file another.yaml"),
        ("doi: null", "doi: nonsense", "doi"),
        ("year: 2020", "year: 2020\nyear: 2021", "cannot be read"),
    ],
)
def test_a_faulty_entry_is_refused_with_what_is_wrong(tmp_path, old, new, words):
    file = tmp_path / "a-study.yaml"
    file.write_text(GOOD)
    assert read_entry(file).id == "a-study"
    assert GOOD.count(old) == 1
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(DataError, match=words):
        read_entry(file)


def test_an_effect_without_interval_and_without_reason_is_refused():
    with pytest.raises(ValueError, match="needs a reason"):
        Effect(outcome="work", size=1.0, unit="points")


def test_an_unknown_entry_is_told_the_nearest():
    with pytest.raises(DataError, match="Did you mean triple-i-income-2020"):
        find_entry("triple-income-2020")


def test_an_empty_folder_is_no_library(tmp_path):
    with pytest.raises(DataError, match="no evidence library"):
        evidence_library(tmp_path)


def test_the_list_and_one_entry_are_printed_in_every_format(app):
    listed = CliRunner().invoke(app, ["--format", "json"])
    assert [row["id"] for row in json.loads(listed.stdout)] == list(evidence_library())
    one = CliRunner().invoke(app, ["preston-wealth-building-2023"])
    assert one.exit_code == 0
    assert "Grade: weak." in one.stdout and "Read in: abstract, https://" in one.stdout
    whole = json.loads(CliRunner().invoke(app, ["preston-wealth-building-2023", "--format", "json"]).stdout)
    assert whole["effects"][3]["size"] == 11
    rows = CliRunner().invoke(app, ["preston-wealth-building-2023", "--format", "csv"]).stdout.splitlines()
    assert rows[0].startswith("entry,outcome,group,estimate,lower,upper") and len(rows) == 7
