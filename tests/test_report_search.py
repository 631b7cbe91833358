"""Pages and folders of goals, sweeps and comparisons: what they rest on, in words, and how to make them again."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from html import unescape
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from search_fixture import COMMANDS, COMPARED, asked, made

from gwm_models.cli.app import app_for
from gwm_models.errors import DataError
from gwm_models.plots.search import goal_curve, response_charts, tornado_chart
from gwm_models.report.basis import basis_of, shared_basis
from gwm_models.report.comparison import comparison_html, summarise_comparison, titles
from gwm_models.report.rerun import rerun
from gwm_models.report.run_folder import run_scenario
from gwm_models.scenarios.compare import compare
from gwm_models.scenarios.measured import measure_draws
from gwm_models.scenarios.number_words import PARTS, in_words, number_words
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios
from gwm_models.scenarios.vary import PathError, find_number
from gwm_models.scenarios.versions import plain_content, version_of

FILES = {"goal": "goal.json", "sweep": "sweep.json", "comparison": "comparison.json"}
KINDS = tuple(FILES)
PATHS = (
    "actions.participation.change.value",
    "actions.participation.additionality.deadweight",
    "actions.participation.reach",
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("search")
    return {kind: made(kind, place / kind) for kind in KINDS}


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text("utf-8")


def text_of(page: str) -> str:
    """Return the words of a page, without its scripts, styles and tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def as_shown(line: str) -> str:
    """Return a line as the page shows it: commands set as code instead of between backticks."""
    return " ".join(line.replace("`", "").split())


# What an answer rests on


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_has_assumptions_sources_licence_and_manifest(folders, kind):
    words = text_of(page_of(folders[kind]))
    kept = json.loads((folders[kind] / FILES[kind]).read_text("utf-8"))
    manifest = json.loads((folders[kind] / "manifest.json").read_text("utf-8"))
    assert len(kept["assumptions"]) > 5 and all(as_shown(line) in words for line in kept["assumptions"])
    assert all(as_shown(line) in words for line in kept["warnings"])
    assert "Sources, licence and how to run this again" in words
    assert "Open Government Licence v3.0, (c) Crown copyright" in words
    assert "Annual Population Survey" in words and kept["sources"]
    for name in ("seed", "draws", "created", "command", "data_sha256", "code_sha256", "python"):
        assert str(manifest[name]) in words, name
    assert manifest["package_versions"]["numpy"] in words


def test_a_sweep_rests_on_what_its_scenario_rests_on_when_it_is_run(folders):
    scenario = asked("participation-sweep")
    own = basis_of(project(version_of(plain_content(scenario), {}), variance=False))
    kept = json.loads((folders["sweep"] / "sweep.json").read_text("utf-8"))
    assert {name: kept[name] for name in own} == own
    assert any("72% of the change is additional" in line for line in kept["assumptions"])


def test_a_comparison_says_once_what_all_share_and_of_each_what_is_its_own(folders):
    kept = json.loads((folders["comparison"] / "comparison.json").read_text("utf-8"))
    own = {one["scenario"]: one for one in kept["own"]}
    assert set(own) == set(COMPARED)
    for name in COMPARED:
        whole = basis_of(project(asked(name), variance=False))
        for part in ("assumptions", "warnings"):
            assert sorted(kept[part] + own[name][part]) == sorted(whole[part])
    assert not set(own[COMPARED[0]]["assumptions"]) & set(own[COMPARED[1]]["assumptions"])
    assert (
        "The evaluation block is no part of a projection: run it with gwm evaluate and this file."
        in own[COMPARED[0]]["warnings"]
    )


def test_what_the_checker_finds_unusual_is_a_warning_of_the_page(tmp_path):
    content = plain_content(asked("participation-sweep"))
    content["actions"][0]["change"]["value"] = 9.0
    content["actions"][0]["uncertainty"] |= {"low": 8.0, "high": 10.0}
    found = basis_of(project(version_of(content, {}), variance=False))["warnings"]
    assert any(line.startswith("actions.participation.change.value: 9 pp is unusual") for line in found)
    quiet = basis_of(project(version_of(content, {}), variance=False), said="actions.participation.change.value")
    assert not any("9 pp" in line for line in quiet["warnings"])


def test_nothing_is_shared_where_nothing_is_compared():
    assert shared_basis({}) == {"assumptions": [], "warnings": [], "cuts": [], "sources": [], "own": []}


# How to make it again


@pytest.mark.parametrize(("kind", "file"), [("goal", "question.yaml"), ("sweep", "scenario.yaml")])
def test_a_rerun_of_a_goal_or_sweep_names_a_command_that_gives_the_same_numbers(folders, kind, file, tmp_path, capsys):
    with pytest.raises(DataError) as caught:
        rerun(folders[kind])
    message = str(caught.value)
    assert "\n" not in message
    words = shlex.split(message.partition("Run it again with: ")[2])
    assert words == ["gwm", kind, str(folders[kind] / file), "--out", "again"]
    words[-1] = str(tmp_path / "again")
    app_for(words[1:2])(words[1:], standalone_mode=False)
    if kind == "sweep":
        told = capsys.readouterr().out
        assert "90% intervals" in told and re.search(r"value +0\.5 +\d\.\d \(\d\.\d to \d\.\d\) +4 +\d+\.\d \(", told)
    numbers = json.loads((folders[kind] / "manifest.json").read_text("utf-8"))["results_sha256"]
    assert json.loads((tmp_path / "again" / "manifest.json").read_text("utf-8"))["results_sha256"] == numbers


def test_a_rerun_of_a_comparison_gives_its_command_in_one_line(folders):
    with pytest.raises(DataError) as caught:
        rerun(folders["comparison"])
    assert str(caught.value).endswith(f"Run it again with: {COMMANDS['comparison']}")
    assert "\n" not in str(caught.value)


def test_a_comparison_written_twice_keeps_the_same_numbers_and_says_nothing(folders, tmp_path, capsys):
    first, again = (made("comparison", tmp_path / "x") for _ in range(2))
    assert capsys.readouterr().err == ""
    assert (again / "comparison.json").read_bytes() == (folders["comparison"] / "comparison.json").read_bytes()
    assert first == again


# What a run replaces


def run_into(folder: Path, name: str = COMPARED[0], seed: int = 1, *, keep: bool = False) -> None:
    checked = read_scenario(shipped_scenarios()[name])
    analysis = checked.scenario.analysis.model_copy(update={"draws": 100, "seed": seed})
    scenario = checked.scenario.model_copy(update={"analysis": analysis})
    run_scenario(checked, scenario, folder, command="gwm run", draws_file=keep)


def test_the_same_run_again_replaces_itself_in_silence(tmp_path, capsys):
    run_into(tmp_path / "a")
    run_into(tmp_path / "a")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("other", [{"seed": 2}, {"name": COMPARED[1]}])
def test_a_run_says_in_one_line_which_other_run_it_replaced(tmp_path, capsys, other):
    run_into(tmp_path / "a")
    created = json.loads((tmp_path / "a" / "manifest.json").read_text())["created"]
    run_into(tmp_path / "a", **other)
    said = capsys.readouterr().err
    assert said == (
        f"{tmp_path / 'a'}: replaced what was there: {COMPARED[0]} (seed 1, 100 draws, made {created}). Use --out to "
        "keep both.\n"
    )


def test_draws_that_were_kept_and_are_gone_are_named(tmp_path, capsys):
    run_into(tmp_path / "a", keep=True)
    run_into(tmp_path / "a", keep=True)
    assert capsys.readouterr().err == ""
    run_into(tmp_path / "a")
    assert ", with draws.nc). Use --out to keep both." in capsys.readouterr().err


def test_a_run_that_cannot_be_written_says_nothing_of_replacing(tmp_path, capsys, monkeypatch):
    run_into(tmp_path / "a")

    def full(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("gwm_models.report.result_folder.write_folder", full)
    with pytest.raises(RuntimeError):
        run_into(tmp_path / "a", seed=2)
    assert capsys.readouterr().err == ""
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["seed"] == 1


# Titles


def test_a_comparison_is_headed_by_titles_and_its_table_gives_the_files(folders):
    page = page_of(folders["comparison"])
    heading = unescape(re.search(r"<h1>(.*?)</h1>", page).group(1))
    names = [asked(name).title for name in COMPARED]
    assert heading == " / ".join(names)
    before = page.partition('<section id="scenarios"')[0]
    assert all(name not in before.partition("<body>")[2] for name in COMPARED)
    table = re.search(r'<table id="scenarios-table".*?</table>', page, re.DOTALL).group(0)
    assert all(name in table for name in (*COMPARED, *names))


def test_scenarios_of_one_title_are_told_apart_by_their_names():
    found = compare([asked(name) for name in COMPARED])
    called = (*(replace(one, title="A plan") for one in found.entrants[:2]), *found.entrants[2:])
    alike = replace(found, entrants=called)
    summary = summarise_comparison(alike)
    assert titles(summary["scenarios"]) == {
        **{name: f"A plan ({name})" for name in COMPARED},
        "nothing": "Nothing is done",
    }
    page = comparison_html(summary, {"seed": 1})
    assert f"<h1>A plan ({COMPARED[0]}) / A plan ({COMPARED[1]})</h1>" in page
    assert all(text in page for text in summary["verdict_titles"])


def test_many_scenarios_are_headed_by_the_first_and_their_number():
    rows = summarise_comparison(compare([asked(COMPARED[0])] * 5))
    assert f"<h1>{asked(COMPARED[0]).title} ({COMPARED[0]}), and 4 others</h1>" in comparison_html(rows, {})


# Numbers in words


@pytest.mark.parametrize("kind", ["goal", "sweep"])
def test_charts_and_headings_have_words_for_the_numbers_of_a_file(folders, kind):
    page = page_of(folders[kind])
    head = page.partition("<header")[2].partition("</header>")[0]
    specs = json.loads(re.search(r'id="specs">(.*?)</script>', page, re.DOTALL).group(1))
    said = json.dumps(specs, ensure_ascii=False)
    assert "actions." not in head and "actions." not in said
    assert "Participation: size of change" in said and "“Participation: size of change" in unescape(head)
    assert PATHS[0] in text_of(page)


def test_a_number_has_words_and_its_unit():
    content = plain_content(asked("participation-sweep"))
    assert [number_words(content, path) for path in PATHS] == [
        "Participation: size of change, pp",
        "Participation: share that would have happened anyway",
        "Participation: share of residents reached",
    ]
    assert number_words(content, PATHS[0], unit=False) == "Participation: size of change"
    assert number_words(content, "actions.participation.uncertainty.high") == "Participation: high end of the size, pp"
    assert (
        number_words(content, "health.healthy_life_expectancy_male.lag.years")
        == "Healthy life expectancy at birth, male: years before it responds"
    )
    cost = {"fixed": {"value": 3, "unit": "GBP_per_resident_16_64"}}
    bare = {"actions": [{"id": "pay", "change": {"path": [[2028, 2.0]], "unit": "GBP_per_week"}, "cost": cost}]}
    assert number_words(bare, "actions.pay.change.path.2028") == "Pay: size of change in 2028, £ a week"
    assert number_words(bare, "actions.pay.cost.fixed.value") == "Pay: fixed cost, £ per resident aged 16 to 64"
    assert number_words(bare, "actions.pay.target.where.1.at_least") == "Pay: target, where, 1, at least"


def test_words_are_for_numbers_that_a_file_can_have(checkout):
    """Every name is that of a number in some sound file, but one that mirrors its twin."""
    files = [*shipped_scenarios().values(), *(checkout / "tests" / "files" / "ok").glob("*.yaml")]
    found = {part for file in files for part in _parts(plain_content(read_scenario(file).scenario))}
    assert set(PARTS) - found == {"target.best.n"}


def _parts(content: dict) -> Iterator[str]:
    """Yield the names that stand for a number of a scenario, or for a share with a mean."""
    tops = ["horizon", *(f"actions.{action['id']}" for action in content["actions"])]
    tops += [f"health.{link['outcome']}" for link in content["health"]]
    for part, top, moment in product(PARTS, tops, ("", ".mean")):
        with suppress(PathError):
            find_number(content, f"{top}.{part}{moment}")
            yield part


def test_a_path_that_begins_another_is_left_whole():
    names = {"actions.a.change.path.2029": "in 2029", "actions.a.change.path.20": "in 20"}
    assert in_words("actions.a.change.path.2029 and actions.a.change.path.20", names) == "“in 2029” and “in 20”"


# The ends of a sweep


def test_the_results_at_the_ends_have_the_intervals_of_the_scenario_there(folders):
    scenario = asked("participation-sweep")
    content, level = plain_content(scenario), max(scenario.analysis.intervals)
    with (folders["sweep"] / "tornado.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(PATHS) * len(scenario.sweep.measures)
    measured = scenario.sweep.measures[0]
    for row in rows[: len(PATHS)]:
        for side in ("low", "high"):
            there = project(version_of(content, {row["path"]: float(row[side])}), variance=False)
            draws = measure_draws(there, measured)
            ends = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
            found = [float(row[f"{side}_{end}"]) for end in ("lower", "upper")]
            assert found == pytest.approx(ends.tolist(), rel=1e-6)
            assert float(row[f"at_{side}"]) == pytest.approx(draws.mean(), rel=1e-6)
    words = text_of(page_of(folders["sweep"]))
    first = rows[0]
    assert f"{float(first['low_lower']):.1f} to {float(first['low_upper']):.1f}" in words


def test_charts_of_nothing_are_not_drawn_and_a_gap_is_passed_over():
    row = {"path": "a", "unit": "points", "label": "L", "level": 0.9, "low": 0, "high": 1, "in_file": 0.5}
    ends = dict.fromkeys(("low_lower", "low_upper", "high_lower", "high_upper"), 1.0)
    same = {**row, **ends, "at_low": 1.0, "at_high": 1.0, "as_in_file": 1.0}
    assert tornado_chart([same], {"a": "A"}) == []
    (spec,) = tornado_chart([same | {"at_high": 2.0}, same | {"at_low": None, "path": "b"}], {"a": "A", "b": "B"})
    assert [value["name"] for value in spec["data"]["values"]] == ["A"]
    assert spec["data"]["values"][0]["high_words"] == "2.0 (1.0 to 1.0) at 1"
    assert response_charts([{"estimate": None}], [], "a", {"a": "A"}) == []


def test_the_axis_of_a_goal_is_broken_into_lines(folders):
    summary = json.loads((folders["goal"] / "goal.json").read_text("utf-8"))
    (spec,) = goal_curve(summary | {"path_words": "A very long name of an action: size of change"})
    title = spec["encoding"]["x"]["axis"]["title"]
    assert len(title) > 1 and max(map(len, title)) <= 30
