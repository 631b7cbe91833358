"""What the workers of the local page do, called here: answers are those of the engine, asked in plain data."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError
from gwm_models.explore import pages, project
from gwm_models.explore.start import first_form
from gwm_models.scenarios.projection import project as project_scenario
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios

EDITION = "monitor-2021"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def form() -> Json:
    return first_form(EDITION) | {"draws": 100}


@pytest.fixture(scope="module")
def answer(form: Json) -> Json:
    return dict(json.loads(project.project_form(form, EDITION)))


def test_areas_change_as_the_engine_says_on_the_file_that_is_shown(answer, tmp_path):
    path = tmp_path / "shown.yaml"
    path.write_text(answer["yaml"], encoding="utf-8")
    scenario = read_scenario(path).scenario
    assert scenario is not None and answer["ok"] and answer["draws"] == scenario.analysis.draws == 100
    projection = project_scenario(scenario, load_edition(EDITION), variance=False)
    rows = {row["area_code"]: row for row in answer["areas"]}
    assert list(rows) == list(projection.edition.areas.code)
    for place, row in enumerate(rows.values()):
        change, before = projection.change[:, place], projection.total_before[:, place]
        assert row["difference"] == pytest.approx(change.mean(), abs=1e-6)
        assert row["after"] - row["before"] == pytest.approx(row["difference"], abs=1e-5)
        assert row["before"] == pytest.approx(before.mean(), abs=1e-6)
        assert row["rank_before"] == np.quantile(projection.rank_before[:, place], 0.5, method="inverted_cdf")
        assert row["prob_better"] == pytest.approx((change > 0).mean())
        assert row["treated"] == bool(projection.treated[place])
    reached = {area["area_code"] for action in answer["targets"] for area in action["areas"]}
    assert reached == {code for code, row in rows.items() if row["treated"]} != set()
    assert all(answer["charts"][name] for name in ("map", "scores", "years", "ranks")) and answer["key_figures"]


def test_a_form_with_an_error_is_not_projected_and_its_first_error_is_said(form):
    wrong = form | {"id": ""}
    for work in (project.check, project.project_form):
        found = json.loads(work(wrong, EDITION))
        assert not found["ok"] and "areas" not in found
        assert any(finding["severity"] == "error" for finding in found["findings"])
    for work in (project.file, project.report):
        with pytest.raises(DataError, match=r"^Mend the form first: "):
            work(wrong, EDITION)
    refused = json.loads(project.compare(form, wrong, EDITION))
    assert not refused["ok"] and refused["findings_b"] and "league" not in refused


def test_a_sound_form_is_a_file_that_reads_back_as_the_form(form):
    assert json.loads(project.check(form, EDITION))["ok"]
    file = json.loads(project.file(form, EDITION))
    assert file["id"] == form["id"]
    back = json.loads(project.read(file["yaml"], EDITION))
    assert back["why"] == "" and back["form"] is not None
    assert json.loads(project.file(back["form"], EDITION))["yaml"] == file["yaml"]


def test_a_form_against_itself_is_the_same_and_neither_wins(form):
    found = json.loads(project.compare(form, form | {"id": "other"}, EDITION))
    assert found["ok"] and set(found["charts"]) == {row["measure"] for row in found["measures"]} != set()
    for row in found["measures"]:
        assert row["a"] == row["b"] and row["difference"] == {"estimate": 0, "lower": 0, "upper": 0}
        assert (row["prob_same"], row["prob_better"]) == (1, 0.5)


def test_the_list_names_every_scenario_and_leaves_out_what_is_none(tmp_path):
    files = tuple((name, str(path)) for name, path in shipped_scenarios().items())
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    listed = json.loads(pages.list_scenarios((*files, ("broken", str(tmp_path / "broken.yaml")))))
    assert [row["id"] for row in listed] == [name for name, _ in files]
    goal = next(row for row in listed if row["id"] == "participation-goal")
    assert goal["kind"] == "goal" and len(goal["question"]) > 20
    with pytest.raises(DataError, match=r"^none\.yaml cannot be read"):
        pages.read_scenario_file(str(tmp_path / "none.yaml"), EDITION)


def test_an_area_its_field_and_the_table_agree():
    areas = json.loads(pages.areas(EDITION))["rows"]
    hull = next(row for row in areas if row["area_code"] == "E06000010")
    page = json.loads(pages.area(EDITION, "E06000010"))
    assert page["area"] == hull
    drawn = json.dumps(json.loads(pages.field_map(EDITION, "total")))
    assert hull["area_name"] in drawn
