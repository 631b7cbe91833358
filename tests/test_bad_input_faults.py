"""An edition of a stranger: faults without end, and a record that is nested without end, within bounds."""

from __future__ import annotations

import pytest
from limited import run_limited
from made_up_country import INDEX, country

from gwm_models.data import user_checks
from gwm_models.data.user_definition import read_definition
from gwm_models.data.user_editions import EditionError, build_edition, load_user_edition
from gwm_models.errors import DataError


def test_a_million_faults_are_told_as_two_hundred(tmp_path):
    folder = country(tmp_path / "land")
    (folder / "areas.csv").write_text("area_code,area_name,region_name,population\n" + ",,,\n" * 50_000)
    many = country(tmp_path / "many")
    areas = "".join(f"A{i},n{i},N,{i + 1}\n" for i in range(20_000))
    (many / "areas.csv").write_text("area_code,area_name,region_name,population\n" + areas)
    for told in run_limited([["data", "build", folder], ["data", "build", many]], tmp_path):
        assert told.code == 1 and told.out.count("\n") < 250
        assert told.seconds < 6 and told.peak < 700


def test_the_nearest_name_is_sought_for_faults_that_are_told_only(tmp_path, monkeypatch):
    folder, sought = country(tmp_path / "land"), []
    monkeypatch.setattr(user_checks, "nearest", lambda text, _: sought.append(text) or "")
    (folder / "indicators.csv").write_text("area_code,indicator,value\n" + "Z9,active,5\n" * 1_000)
    with pytest.raises(EditionError):
        build_edition(folder, tmp_path / "made")
    assert 100 <= len(sought) <= 201


def test_a_definition_that_grows_is_refused_without_the_command_as_well(tmp_path):
    folder = country(tmp_path / "land")
    (folder / "index.yaml").write_text(INDEX + "notes: &a [*a]\n")
    with pytest.raises(EditionError, match="anchors and aliases"):
        build_edition(folder, tmp_path / "made")
    assert "nested more than" in read_definition("f", b"[" * 5_000)[1][0].what
    assert "missing" in read_definition("f", b"domains: [{label: d}]\nindicators: [{label: j}]")[1][0].what


def test_a_record_that_is_nested_without_end_is_refused(tmp_path):
    made = tmp_path / "made"
    build_edition(country(tmp_path / "land"), made)
    (made / "edition.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match="cannot be read as the record of an edition"):
        load_user_edition(made, "made")
