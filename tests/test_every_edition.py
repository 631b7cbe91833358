"""Every command takes every edition: shipped, open and built by a user; or says in one line why it cannot."""

import json
import sys

import made_up_country
import pytest

from gwm_models.cli import run_command
from gwm_models.data.user_editions import build_edition

COMMANDS = (
    ["ranks", "--draws", "200"],
    ["index", "scores"],
    ["index", "units"],
    ["index", "robustness", "--draws", "128"],
    ["index", "structure", "--draws", "200"],
    ["index", "regions", "--draws", "200"],
    ["index", "groups", "--groups", "3", "--draws", "20"],
)
SCENARIO = """\
schema: gwm-scenario/1
id: other-edition
title: Another edition
question: What would it change?
baseline: {{edition: {edition}}}
horizon: {{start: 2030, end: 2034}}
actions:
  - id: jobs
    indicator: {jobless}
    change: {{kind: absolute, value: -1, unit: pp}}
    target: {{worst: {{by: total, n: 5}}}}
    phasing: {{start: 2030, full_by: 2032}}
  - id: pay
    indicator: {pay}
    change: {{kind: close_gap, value: 50, unit: percent, to: median}}
    target: {{worst: {{by: {pay}, quantile: 0.2}}}}
    phasing: {{start: 2030, full_by: 2032}}
analysis: {{draws: 300, seed: 1}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("country")
    build_edition(made_up_country.country(place / "source"), place / "made")
    return place / "made"


@pytest.fixture
def gwm(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["gwm", *map(str, words)])
        code = run_command()
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("edition", ["monitor-2021", "open-2018", "made"])
def test_a_command_answers_for_every_edition(command, edition, made, gwm):
    name = made if edition == "made" else edition
    code, out, err = gwm(*command, "--edition", name, "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)


@pytest.mark.parametrize(("edition", "area"), [("open-2018", "York"), ("made", "Town 7")])
def test_peers_are_found_in_every_edition(edition, area, made, gwm):
    code, out, _ = gwm("index", "peers", "--area", area, "--edition", made if edition == "made" else edition)
    assert code == 0 and area in out


def test_an_outcome_of_other_places_cannot_be_fitted_on_an_edition_of_ones_own(made, gwm):
    code, out, err = gwm("fit", "suicide", "--edition", made)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "has a figure for 2016-18" in err


def test_an_open_edition_can_be_fitted(gwm):
    code, out, _ = gwm("fit", "suicide", "--spec", "total", "--edition", "open-2018")
    assert code == 0 and "Found: Suicide" in out


@pytest.mark.parametrize("edition", ["open-2018", "made"])
@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["index", "reproduce"], "there is nothing to reproduce"),
        (["index", "structure", "--part", "conditions"], "has no Conditions for Good Work"),
        (["index", "regions", "--as-printed"], "has no regions as printed"),
        (["index", "scores", "--index", "conditions"], "has no Conditions for Good Work"),
    ],
)
def test_what_only_the_published_edition_has_is_refused_in_one_line(edition, command, why, made, gwm):
    code, out, err = gwm(*command, "--edition", made if edition == "made" else edition)
    assert (code, out) == (1, "") and why in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("edition", "jobless", "pay"), [("open-2018", "unemployment_rate", "median_pay"), ("made", "jobless", "pay")]
)
def test_a_scenario_runs_on_every_edition(edition, jobless, pay, made, gwm, tmp_path):
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO.format(edition=made if edition == "made" else edition, jobless=jobless, pay=pay))
    code, out, err = gwm("run", file, "--out", tmp_path / "run")
    assert (code, err) == (0, ""), err
    assert "Monitor" not in out and "HLE" not in out
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    rise = next(row for row in summary["groups"] if row["state"] == "difference")
    assert rise["estimate"] > 0 and summary["health"] == []
    assert "interval" in summary["headline"]
    sii = {row["measure"] for row in summary["inequality"]}
    assert ("sii" in sii) == (edition != "made")


def test_a_target_in_a_unit_of_ones_own_is_refused_with_a_way_out(made, gwm, tmp_path):
    file = tmp_path / "scenario.yaml"
    text = SCENARIO.format(edition=made, jobless="jobless", pay="pay")
    file.write_text(text.replace("kind: close_gap, value: 50, unit: percent, to: median", "kind: target, value: 500"))
    code, _, err = gwm("check", file)
    assert code == 1
    assert "a target cannot be stated in the unit of pay, 'coins_per_week'" in err
    assert "write kind: absolute with unit: points, relative or close_gap" in err


@pytest.mark.parametrize("words", [["ranks"], ["index", "scores"], ["fit", "suicide"]])
def test_an_edition_that_is_none_is_refused_in_one_line(words, gwm, tmp_path):
    code, out, err = gwm(*words, "--edition", tmp_path / "nothing")
    assert (code, out) == (1, "") and "Unknown edition" in err and err.count("\n") == 1


def test_a_country_of_three_areas_and_one_domain_gets_what_it_can(gwm, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "areas.csv").write_text(
        "area_code,area_name,region_name,population\nA,Alder,North,1000\nB,Birch,North,2000\nC,Cedar,South,3000\n"
    )
    (source / "indicators.csv").write_text(
        "area_code,indicator,value,lower_95,upper_95\n"
        "A,balance,-4,-5,-3\nB,balance,0,-1,1\nC,balance,4,3,5\nA,pay,500,,\nB,pay,400,,\nC,pay,450,,\n"
    )
    (source / "index.yaml").write_text(
        made_up_country.INDEX.split("domains:")[0] + "domains:\n  - {id: work, label: Work}\nindicators:\n" + WOODS
    )
    assert gwm("data", "build", source, "--out", tmp_path / "woods")[0] == 0
    code, out, err = gwm("ranks", "--edition", tmp_path / "woods")
    assert (code, err) == (0, "") and "prob_top_3" in out
    code, out, err = gwm("index", "regions", "--by", "balance", "--edition", tmp_path / "woods", "--format", "json")
    assert code == 0, err
    whole = json.loads(out)["spread"][-1]
    assert whole["mean"] == 0 and whole["cv"] is None


WOODS = """\
  - {id: balance, label: Balance, domain: work, direction: 1, unit: points_of_balance, period: "2030", source: made up,
     bounds: {status: stated, low: -10, high: 10}}
  - {id: pay, label: Pay, domain: work, direction: 1, unit: coins, period: "2030", source: made up,
     bounds: {from: data}}
"""


def test_one_domain_still_has_its_indicators_examined(gwm, tmp_path):
    source = made_up_country.country(tmp_path / "source")
    text = (source / "index.yaml").read_text().replace("  - {id: reward, label: Reward}\n", "")
    (source / "index.yaml").write_text(text.replace("domain: reward", "domain: access"))
    build_edition(source, tmp_path / "made")
    code, out, err = gwm("index", "structure", "--draws", "200", "--edition", tmp_path / "made", "--format", "json")
    assert (code, err) == (0, "")
    assert {row["items"] for row in json.loads(out)["correlations"]["rows"]} == {"indicators"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{id: access,", "{id: name,", "the id 'name' is the name of a result"),
        ("- id: pay", "- id: reward", "the id 'reward' is that of a domain too"),
    ],
)
def test_an_id_that_would_hide_a_result_is_refused(old, new, words, gwm, tmp_path):
    source = made_up_country.country(tmp_path / "source")
    text = (source / "index.yaml").read_text()
    assert old in text
    (source / "index.yaml").write_text(text.replace(old, new))
    code, out, err = gwm("data", "build", source, "--out", tmp_path / "made")
    assert code == 1 and words in out + err and not (tmp_path / "made").exists()


def test_groups_of_a_country_of_ones_own_show_its_own_domains(made, gwm):
    code, out, _ = gwm("index", "groups", "--groups", "3", "--draws", "20", "--edition", made)
    assert code == 0
    header = next(line for line in out.splitlines() if line.startswith("name "))
    assert header.split()[:5] == ["name", "n", "total", "access", "reward"]
    assert "healthy life" not in out and "What the report says" not in out
    code, _, err = gwm("index", "groups", "--show", "report", "--edition", made)
    assert code == 1 and "The report says nothing of" in err
