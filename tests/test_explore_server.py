"""The server of the explorer: what it answers, that it answers as the command line does, and that it survives."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from explore_server import EDITION, OWN, children_of, new_pool, page_in_process, page_on_socket
from explore_work import die, die_once, fail, own_pid, refuse, sleep_for
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gwm_models import __version__
from gwm_models.cli import run_command
from gwm_models.errors import DataError
from gwm_models.explore import pool as pools
from gwm_models.explore import project
from gwm_models.explore.forms import (
    HOMES,
    check_form,
    field_of,
    file_content,
    file_text,
    form_of,
    vocabulary,
    why_no_form,
)
from gwm_models.explore.guard import Refused
from gwm_models.explore.pool import Pool, Worker, workers_for_machine
from gwm_models.explore.serve import ServeError, bind, has_screen, scenario_files, serve
from gwm_models.explore.start import first_form
from gwm_models.scenarios.reader import check_scenario, check_text, read_scenario, shipped_scenarios

NORTHERN = "northern-participation-2026"
BY_FORM = (
    "evaluate-greater-manchester-2015",
    "everyone-to-the-median",
    "jobs-shock-2009",
    "lowest-scoring-support",
    "north-east-to-south-east",
    NORTHERN,
    "nothing",
    "professional-jobs-gap",
    "public-employment-standards",
    "raise-the-floor",
    "stoke-to-the-average",
)
"""The shipped scenarios that the form shows."""

Json = dict[str, Any]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with page_in_process(new_pool(1)) as found:
        yield found


@pytest.fixture
def form() -> Json:
    return first_form(EDITION)


def northern(draws: int = 500) -> Json:
    scenario = read_scenario(shipped_scenarios()[NORTHERN]).scenario
    return form_of(scenario) | {"draws": draws}


def rich_form() -> Json:
    """A form that uses every part that the page has a control for."""
    actions = [
        {
            "id": "pay",
            "indicator": "median_pay",
            "change": {"kind": "relative", "value": 3.0, "unit": "percent"},
            "uncertainty": {"low": 1.0, "high": 5.0, "level": 0.8},
            "target": {"areas": ["Hull", "E06000009"], "exclude": ["Blackpool"]},
            "phasing": {"start": 2027, "full_by": 2030, "shape": "s_curve", "fade": {"half_life": 8}},
            "additionality": {"deadweight": 0.2, "displacement": 0.1, "leakage": 0.05},
            "spillover": None,
        },
        {
            "id": "unemployment",
            "indicator": "unemployment_rate",
            "change": {"kind": "target", "value": 4.0, "unit": "percent"},
            "target": {"best": {"by": "access", "n": 30}},
            "phasing": {"start": 2026, "full_by": 2026, "shape": "step"},
        },
        {
            "id": "professional",
            "indicator": "professional_share",
            "change": {"kind": "close_gap", "value": 50, "unit": "percent", "to": "median"},
            "target": {"worst": {"by": "professional_share", "n": 12}},
            "phasing": {"start": 2026, "full_by": 2030, "shape": "linear"},
            "spillover": {"weights": "contiguity", "share": 0.1},
        },
        {
            "id": "skills",
            "condition": "nvq4plus_share",
            "link": {"causal_share": {"mean": 0.3, "sd": 0.15}},
            "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
            "target": {"everyone": True},
            "phasing": {"start": 2026, "full_by": 2030, "shape": "linear"},
        },
    ]
    actions[0]["target"] = {"areas": ["E06000010", "E06000002"], "exclude": ["E06000002"]}
    return {
        "id": "rich-form",
        "title": 'Pay & "work" in <Hull>: =1+1 🙂',
        "question": "Does it help?\nAnd whom: - or #1?",
        "edition": EDITION,
        "rescale": "frozen",
        "counterfactual": "trend",
        "start": 2026,
        "end": 2034,
        "actions": actions,
        "health": [
            {
                "outcome": "healthy_life_expectancy_male",
                "link": {"causal_share": {"mean": 0.3, "sd": 0.15}},
                "lag": {"years": 1, "build_up": 3},
            },
            {"outcome": "healthy_life_expectancy_female", "link": "between"},
        ],
        "draws": 200,
        "seed": 7,
    }


def run_of(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Json:
    """Run a scenario file from the command line; give summary and areas as written."""
    folder.mkdir(parents=True)
    path = folder / "downloaded.yaml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["gwm", "run", str(path), "--out", str(folder / "run"), "--format", "csv"])
    assert run_command() == 0
    return {
        "summary": json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8")),
        "areas": (folder / "run" / "areas.csv").read_text(encoding="utf-8"),
        "report": (folder / "run" / "report.html").read_text(encoding="utf-8"),
    }


# ---------------------------------------------------------------- what it gives


def test_the_page_and_its_files_are_given_with_their_media_types(client: httpx.Client) -> None:
    kinds = {"/": "text/html", "/static/main.js": "text/javascript", "/static/theme.css": "text/css"}
    for address, kind in kinds.items():
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert "--gwm-before" in client.get("/static/theme.css").text
    assert "sourceMappingURL" not in client.get("/static/vega.min.js").text
    assert "sourceMappingURL" not in client.get("/static/vega-lite.min.js").text


def test_every_file_that_the_page_names_is_there(client: httpx.Client) -> None:
    import re

    named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/").text))
    assert "/static/main.js" in named
    for address in named:
        assert client.get(address).status_code == 200, address


def test_the_start_names_what_the_controls_need(client: httpx.Client) -> None:
    found = client.get("/api/start").json()
    assert found["version"] == __version__
    assert found["edition"] == {"id": EDITION, "title": "Good Work Monitor, January 2021", "n_areas": 118}
    assert len(found["areas"]) == 118
    assert found["regions"] == sorted(set(vocabulary(EDITION).area_regions.values()))
    rate = next(row for row in found["indicators"] if row["id"] == "economic_activity_rate")
    assert rate["units_by_kind"]["absolute"] == ["pp", "points"]
    assert rate["units_by_kind"]["target"] == ["percent"]
    assert rate["points_per_unit"]["lower"] == rate["points_per_unit"]["estimate"] == pytest.approx(99 / 19.3, abs=0.01)
    assert {row["domain"] for row in found["indicators"]} == {row["id"] for row in found["domains"]}
    assert {row["id"] for row in found["scenarios"]} == set(shipped_scenarios())
    assert check_form(found["form"], EDITION).scenario is not None


def test_a_shipped_scenario_comes_as_its_form_or_says_why_not(client: httpx.Client) -> None:
    shown = set()
    for name, path in shipped_scenarios().items():
        found = client.get(f"/api/scenario/{name}").json()
        assert found["yaml"] == path.read_text(encoding="utf-8")
        assert (found["form"] is None) == bool(found["why"]), name
        if found["form"]:
            shown.add(name)
            own, again = read_scenario(path).scenario, check_form(found["form"], EDITION).scenario
            assert again is not None
            assert again.actions == own.actions and again.health == own.health and again.horizon == own.horizon
            assert again == own
        else:
            assert "form" in found["why"] and found["why"].endswith(".")
    assert shown == set(BY_FORM)


def test_an_unknown_scenario_area_or_field_is_named_as_such(client: httpx.Client) -> None:
    for address in ("/api/scenario/none", "/api/area/E99999999", "/api/map?show=none", "/nowhere", "/static/none.js"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert answer.json()["error"].endswith(".")


def test_the_pages_of_areas_come_as_json(client: httpx.Client) -> None:
    table = client.get("/api/areas").json()
    assert len(table["rows"]) == 118
    field = table["fields"][0]["id"]
    assert set(client.get("/api/map", params={"show": field}).json()) >= {"spec", "notes"}
    area = client.get(f"/api/area/{table['rows'][0]['area_code']}").json()
    assert {"area", "words", "charts", "tables", "notes", "sources"} <= set(area)


# ---------------------------------------------------------------- form and file


def test_a_form_and_its_file_are_one_mapping() -> None:
    checked = check_form(rich_form(), EDITION)
    assert checked.problems == () or all(problem.severity == "warning" for problem in checked.problems)
    assert checked.scenario is not None
    read = check_text(checked.yaml, vocabulary(EDITION))[0]
    assert read == checked.scenario
    again = check_form(form_of(checked.scenario), EDITION)
    assert again.scenario == checked.scenario
    assert form_of(checked.scenario) == form_of(again.scenario)


def test_a_sound_form_is_read_back_from_its_file(client: httpx.Client) -> None:
    text = client.post("/api/file", json={"form": rich_form()}).text
    found = client.post("/api/read", json={"yaml": text}).json()
    assert found["why"] == ""
    assert found["form"]["title"] == rich_form()["title"]
    assert check_form(found["form"], EDITION).scenario == check_form(rich_form(), EDITION).scenario


def test_the_file_of_a_form_finds_what_gwm_check_finds(tmp_path: Path) -> None:
    wrong = northern()
    wrong["end"] = 2020
    wrong["actions"][0]["change"]["unit"] = "GBP"
    wrong["actions"][0]["target"]["regions"] = ["Noth East"]
    wrong["health"][0]["lag"]["years"] = -1
    wrong["title"] = ""
    found = check_form(wrong, EDITION)
    path = tmp_path / "form.yaml"
    path.write_text(found.yaml, encoding="utf-8")
    own = check_scenario(path)[1]
    assert len(own) >= 5
    assert [(p.line, p.column, p.path, p.what, p.fix) for p in found.problems] == [
        (p.line, p.column, p.path, p.what, p.fix) for p in own
    ]
    places = {row["path"]: row["field"] for row in found.findings}
    assert places["horizon.end"] == "end"
    assert places["actions.participation.change.unit"] == "actions.participation.change.unit"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda form: form | {"goal": {"measure": "total"}}, "goal"),
        (lambda form: form | {"schema": "gwm-scenario/2"}, "schema"),
        (lambda form: form | {"edition": "open-2021"}, "baseline.edition"),
        (lambda form: form | {"edition": "/etc"}, "baseline.edition"),
        (lambda form: form | {"draws": 20_000}, "analysis.draws"),
        (lambda form: form | {"draws": 99}, "analysis.draws"),
        (lambda form: form | {"seed": -1}, "analysis.seed"),
        (lambda form: form | {"start": None}, "horizon.start"),
        (lambda form: form | {"actions": "none"}, "actions"),
        (lambda form: form | {"actions": [None]}, "actions.1"),
        (lambda form: _in_action(form, indicator=None), "actions.participation"),
        (lambda form: _in_action(form, change={"kind": "shock", "value": 1, "unit": "times"}), "actions.participation"),
        (lambda form: _in_action(form, target={"clusters": ["urban"]}), "actions.participation.target.clusters"),
        (
            lambda form: _in_action(form, target={"worst": {"by": "total", "n": 20, "quantile": 0.2}}),
            "actions.participation.target.worst",
        ),
        (
            lambda form: _in_action(form, target={"best": {"by": "total", "quantile": 1.2}}),
            "actions.participation.target.best.quantile",
        ),
        (
            lambda form: _in_action(form, change={"kind": "to_quantile", "value": 50, "unit": "quantile"}),
            "actions.participation.change.value",
        ),
        (lambda form: _in_action(form, draws_of="others"), "actions.participation.draws_of"),
    ],
)
def test_what_a_form_may_not_hold_is_found_by_its_path(change: Any, path: str) -> None:
    found = check_form(change(northern()), EDITION)
    assert found.scenario is None
    errors = [problem for problem in found.problems if problem.severity == "error"]
    assert any(problem.path.startswith(path) for problem in errors), errors
    assert all(row["path"] and row["what"] and row["fix"] for row in found.findings)


def _in_action(form: Json, **parts: Any) -> Json:
    found = copy.deepcopy(form)
    found["actions"][0] |= parts
    return found


def test_every_key_of_a_form_has_a_place_of_its_own_in_the_file() -> None:
    assert len(set(HOMES.values())) == len(HOMES)
    assert all(field_of(".".join(home)) == key for key, home in HOMES.items())


def test_a_file_of_another_kind_or_with_faults_has_no_form(client: httpx.Client) -> None:
    goal = shipped_scenarios()["participation-goal"].read_text(encoding="utf-8")
    for text, words in ((goal, "goal"), ("a: [", "ends too early"), ("", "empty"), ("kind: portfolio", "portfolio")):
        found = client.post("/api/read", json={"yaml": text}).json()
        assert found["form"] is None
        assert words in found["why"], found["why"]
        assert found["findings"]


def test_a_portfolio_that_names_a_file_opens_none(client: httpx.Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("secret: words\n", encoding="utf-8")
    text = shipped_scenarios()["portfolio-participation-and-jobs"].read_text(encoding="utf-8")
    text = text.replace("kind: portfolio", "kind: portfolio", 1) + f"\n# {secret}\n"
    found = client.post(
        "/api/read", json={"yaml": f"kind: portfolio\nportfolio: {{options: [{{scenario: {secret}}}]}}\n"}
    )
    assert "secret.yaml:" not in found.text and "words" not in found.json()["why"]
    assert client.post("/api/read", json={"yaml": text}).json()["form"] is None


def test_a_scenario_on_another_edition_is_told_apart() -> None:
    text = shipped_scenarios()[NORTHERN].read_text(encoding="utf-8").replace("monitor-2021", "open-2021")
    found = json.loads(project.read(text, EDITION))
    assert found["form"] is None
    assert found["why"] == "This scenario is about open-2021; this page shows monitor-2021."


words_of_yaml = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=300)
plain_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words_of_yaml,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words_of_yaml, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=30, deadline=None)
@given(content=st.dictionaries(words_of_yaml, plain_json, max_size=5))
def test_a_file_reads_back_as_what_was_written(content: Json) -> None:
    from gwm_models.scenarios.findings import Findings, is_hidden
    from gwm_models.scenarios.source import read_text

    text = file_text({"a": 1, **content})
    findings = Findings("test")
    read_text(text, findings)
    assume(not any(is_hidden(char) for char in text) and not findings.problems())
    assert findings.data == {"a": 1, **content}


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_form_with_anything_in_it_is_checked_and_never_a_fault(data: st.DataObject) -> None:
    form = northern()
    places = [("actions", 0, part) for part in form["actions"][0]] + [(key,) for key in HOMES] + [("health", 0, "lag")]
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places))
        part: Any = form
        for step in way:
            part = (
                part[step]
                if isinstance(part, dict) and step in part
                else part[0]
                if isinstance(part, list) and part
                else {}
            )
        if isinstance(part, dict):
            part[last] = data.draw(plain_json)
    found = json.loads(project.check(form, EDITION))
    assert found["ok"] == (not any(row["severity"] == "error" for row in found["findings"]))
    assert all(row["what"] and isinstance(row["line"], int) for row in found["findings"])


# ---------------------------------------------------------------- numbers


def shares_and_quantiles() -> Json:
    """A form that picks a share of the areas and brings them to a place among all."""
    form = northern(300)
    form["id"] = "shares-and-quantiles"
    form["actions"][0] |= {
        "change": {"kind": "to_quantile", "value": 0.5, "unit": "quantile"},
        "target": {"worst": {"by": "economic_activity_rate", "quantile": 0.25}},
        "uncertainty": None,
    }
    return form


@pytest.mark.parametrize("make", [pytest.param(northern, marks=pytest.mark.slow), rich_form, shares_and_quantiles])
def test_the_numbers_are_those_of_gwm_run_on_the_downloaded_file(
    client: httpx.Client, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    form = make()
    answer = client.post("/api/project", json={"form": form}).json()
    assert answer["ok"], answer["findings"]
    download = client.post("/api/file", json={"form": form})
    assert download.headers["content-disposition"] == f'attachment; filename="{form["id"]}.yaml"'
    assert download.text == answer["yaml"]
    ran = run_of(download.text, tmp_path / "own", monkeypatch)
    capsys.readouterr()
    summary = ran["summary"]
    for part in (*project.SHARED, "level", "draws", "seed", "start", "year", "counterfactual"):
        assert answer[part] == summary[part], part
    _same_areas(answer["areas"], ran["areas"])
    reached = {action["id"]: [area["area_code"] for area in action["targets"]] for action in summary["actions"]}
    assert {row["action"]: [area["area_code"] for area in row["areas"]] for row in answer["targets"]} == reached


def _same_areas(rows: list[Json], text: str) -> None:
    import csv

    table = {
        (line["area_code"], line["quantity"], line["state"]): line
        for line in csv.DictReader(text.splitlines())
        if line["level"] in ("0.9", "")
    }
    assert len(rows) == 118
    for row in rows:
        code = row["area_code"]
        for quantity, names in (("total", project.SCORES), ("rank", project.RANKS)):
            for state, name in names.items():
                own = table[code, quantity, state]
                found = [row[name], row[f"{name}_lower"], row[f"{name}_upper"]]
                assert found == [float(own[end]) for end in ("estimate", "lower", "upper")]
        assert row["prob_better"] == float(table[code, "total", "difference"]["prob_better"])
        assert row["prob_rank_improves"] == float(table[code, "rank", "difference"]["prob_rank_improves"])


@pytest.mark.slow
def test_the_report_is_that_of_a_run(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    form = northern(200)
    answer = client.post("/api/report", json={"form": form})
    assert answer.headers["content-disposition"] == f'attachment; filename="{NORTHERN}.html"'
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    ran = run_of(client.post("/api/file", json={"form": form}).text, tmp_path / "own", monkeypatch)
    capsys.readouterr()

    def told(page: str) -> str:
        page = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "TIME", page)
        page = re.sub(r"gwm run [^<\"]*", "gwm run", page)
        return re.sub(r"(<dt>code sha256</dt><dd><code>)[0-9a-f]{64}", r"\1HASH", page)

    assert "HASH</code>" in told(answer.text)
    assert told(answer.text) == told(ran["report"])


def test_a_comparison_is_that_of_the_command_line(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = northern(300), first_form(EDITION) | {"draws": 300}
    answer = client.post("/api/compare", json={"a": a, "b": b}).json()
    assert answer["ok"]
    names = []
    for name, form in (("a", a), ("b", b)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(check_form(form, EDITION).yaml, encoding="utf-8")
        names.append(str(path))
    monkeypatch.setattr(sys, "argv", ["gwm", "compare", *names, "--out", str(tmp_path / "compared")])
    assert run_command() == 0
    capsys.readouterr()
    own = json.loads((tmp_path / "compared" / "comparison.json").read_text(encoding="utf-8"))
    pairs = {row["measure"]: row for row in own["pairs"] if row["other"] == b["id"] and row["scenario"] == a["id"]}
    assert [row["measure"] for row in answer["measures"]] == [row["measure"] for row in own["verdicts"]]
    for row in answer["measures"]:
        assert row["difference"] == {key: pairs[row["measure"]][key] for key in ("estimate", "lower", "upper")}
        assert row["prob_better"] == pairs[row["measure"]]["prob_better"]
        assert row["difference"]["estimate"] == pytest.approx(row["a"]["estimate"] - row["b"]["estimate"], abs=2e-6)
    assert answer["headline"] == own["headline_titles"]
    assert set(answer["charts"]) == {row["measure"] for row in answer["measures"]}


def test_forms_that_cannot_be_compared_say_why(client: httpx.Client) -> None:
    a, b = northern(200), northern(200) | {"end": 2040}
    answer = client.post("/api/compare", json={"a": a, "b": b})
    assert answer.status_code == 400
    assert answer.json()["error"] == (
        "One form looks at 2035, the other at 2040. Set the same year of the result in both."
    )
    moving = client.post("/api/compare", json={"a": a, "b": a | {"counterfactual": "trend"}})
    assert moving.status_code == 400
    assert "Choose the same under 'Without the actions' in both." in moving.json()["error"]
    wrong = client.post("/api/compare", json={"a": a, "b": b | {"start": 2041}}).json()
    assert wrong["ok"] is False
    assert wrong["findings_a"] == [] and wrong["findings_b"]


def test_along_a_trend_the_layers_are_left_to_the_report(client: httpx.Client, form: Json) -> None:
    held = client.post("/api/project", json={"form": form | {"draws": 200}}).json()
    moving = client.post("/api/project", json={"form": form | {"draws": 200, "counterfactual": "trend"}}).json()
    assert held["charts"]["layers"] and not held["notes"]
    assert not moving["charts"]["layers"] and "report" in moving["notes"][0]
    assert all(moving["charts"][name] for name in ("map", "scores", "ranks", "years", "health"))


def test_a_form_with_faults_is_an_answer_and_gives_no_file(client: httpx.Client) -> None:
    wrong = northern() | {"end": 2020}
    answer = client.post("/api/project", json={"form": wrong})
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert [row["path"] for row in answer.json()["findings"]] == ["horizon.end"]
    for address in ("/api/file", "/api/report"):
        refused = client.post(address, json={"form": wrong})
        assert refused.status_code == 400
        assert "horizon.end" in refused.json()["error"]


def test_a_run_that_needs_too_much_memory_is_refused_in_words(client: httpx.Client, form: Json) -> None:
    many = [copy.deepcopy(form["actions"][0]) | {"id": f"a{place}"} for place in range(60)]
    answer = client.post("/api/project", json={"form": form | {"actions": many, "draws": 10_000}})
    assert answer.status_code == 400
    assert "memory" in answer.json()["error"]


def test_a_change_of_a_slider_is_answered_in_under_half_a_second(client: httpx.Client, form: Json) -> None:
    client.post("/api/project", json={"form": form})
    taken = []
    for step in range(5):
        form["actions"][0]["change"]["value"] = 0.6 + step / 10
        began = time.perf_counter()
        answer = client.post("/api/project", json={"form": form})
        taken.append(time.perf_counter() - began)
        assert answer.json()["ok"]
    assert min(taken) < 0.5


# ---------------------------------------------------------------- the workers


@pytest.fixture(scope="module")
def shared() -> Iterator[Any]:
    """Run coroutines with one pool of one worker, which all of them leave as they found it."""
    with asyncio.Runner() as runner:
        pool = Pool(1)
        runner.run(_started(pool))
        yield lambda work: runner.run(work(pool))
        pool.stop()


async def _started(pool: Pool) -> None:
    pool.start()


def in_pool(work: Any, size: int = 1) -> Any:
    """Run a coroutine with a pool of its own that is not warmed up."""

    async def whole() -> Any:
        pool = Pool(size)
        pool.start()
        try:
            return await work(pool)
        finally:
            pool.stop()

    return asyncio.run(whole())


def test_a_request_that_is_given_up_as_the_next_arrives_stops_neither_the_next_nor_the_queue() -> None:
    """As a slider does: the page drops its last question and asks the next in one turn of the loop."""

    async def both() -> list[Any]:
        pool, busy = Pool(1), Worker.__new__(Worker)
        pool._all = [busy]
        first = asyncio.ensure_future(pool._free_worker("page"))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(pool._free_worker("page"))
        first.cancel()
        await asyncio.sleep(0.01)
        pool._release(busy)
        return await asyncio.gather(first, second, return_exceptions=True)

    given_up, served = asyncio.run(both())
    assert isinstance(given_up, asyncio.CancelledError)
    assert isinstance(served, Worker)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_the_work_done(tmp_path: Path) -> None:
    async def work(pool: Pool) -> tuple[bytes, list[int], list[int]]:
        before = pool.process_ids
        found = await pool.run(die_once, str(tmp_path / "mark"))
        return found, before, pool.process_ids

    found, before, after = in_pool(work)
    assert found == b"lived"
    assert len(after) == 1 and after != before


@pytest.mark.slow
def test_work_that_kills_every_worker_is_given_up_and_the_next_is_done() -> None:
    async def work(pool: Pool) -> tuple[int, bytes]:
        with pytest.raises(Refused) as refused:
            await pool.run(die)
        return refused.value.status, await pool.run(own_pid)

    status, pid = in_pool(work)
    assert status == 503
    assert int(pid) > 0


@pytest.mark.slow
def test_an_idle_worker_that_was_killed_is_not_asked() -> None:
    async def work(pool: Pool) -> tuple[list[int], int]:
        pids = pool.process_ids
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.3)
        return pids, int(await pool.run(own_pid))

    pids, pid = in_pool(work, 2)
    assert pid not in pids


@pytest.mark.slow
def test_a_machine_without_room_for_a_worker_is_told_of_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*args: Any) -> None:
        raise OSError("no room")

    async def work(pool: Pool) -> tuple[list[int], bytes]:
        await pool.run(own_pid)
        own = pools.Worker
        monkeypatch.setattr(pools, "Worker", no_room)
        asked = [asyncio.ensure_future(pool.run(task)) for task in (die, own_pid)]
        refused = await asyncio.gather(*asked, return_exceptions=True)
        monkeypatch.setattr(pools, "Worker", own)
        assert all(isinstance(each, Refused) for each in refused), refused
        return [each.status for each in refused], await pool.run(own_pid)

    statuses, pid = in_pool(work)
    assert statuses == [503, 503]
    assert int(pid) > 0


@pytest.mark.slow
def test_work_that_takes_too_long_is_killed() -> None:
    async def work(pool: Pool) -> tuple[int, str, list[int], bytes]:
        await pool.run(own_pid)
        before = pool.process_ids
        with pytest.raises(Refused) as refused:
            await pool.run(sleep_for, 60.0, seconds=0.3)
        return refused.value.status, refused.value.words, before, await pool.run(own_pid)

    status, words, before, pid = in_pool(work)
    assert status == 504
    assert "0.3 seconds" in words
    assert int(pid) not in before
    for old in before:
        with pytest.raises(ProcessLookupError):
            os.kill(old, 0)


def test_more_than_may_wait_is_refused(monkeypatch: pytest.MonkeyPatch, shared: Any) -> None:
    monkeypatch.setattr(pools, "MOST_WAITING", 2)

    async def work(pool: Pool) -> list[Any]:
        asked = [asyncio.ensure_future(pool.run(sleep_for, 0.3)) for _ in range(4)]
        return await asyncio.gather(*asked, return_exceptions=True)

    found = shared(work)
    assert found[:3] == [b"slept"] * 3
    assert isinstance(found[3], Refused) and found[3].status == 429


def test_of_what_one_client_has_waiting_only_the_latest_is_done(shared: Any) -> None:
    async def work(pool: Pool) -> list[Any]:
        busy = asyncio.ensure_future(pool.run(sleep_for, 0.5))
        await asyncio.sleep(0.05)
        asked = []
        for client in ("one", "two", "one", "one", ""):
            asked.append(asyncio.ensure_future(pool.run(sleep_for, 0.0, client=client)))
            await asyncio.sleep(0.01)
        return await asyncio.gather(busy, *asked, return_exceptions=True)

    found = shared(work)
    assert [item if isinstance(item, bytes) else item.status for item in found] == [
        b"slept",
        409,
        b"slept",
        409,
        b"slept",
        b"slept",
    ]


def test_work_that_nobody_waits_for_any_more_leaves_its_worker_free(shared: Any) -> None:
    async def work(pool: Pool) -> bytes:
        await pool.run(own_pid)
        running = asyncio.ensure_future(pool.run(sleep_for, 0.3))
        await asyncio.sleep(0.05)
        waiting = asyncio.ensure_future(pool.run(sleep_for, 30.0))
        await asyncio.sleep(0.05)
        waiting.cancel()
        running.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        return await asyncio.wait_for(pool.run(own_pid), 10)

    assert int(shared(work)) > 0


def test_what_the_toolkit_refuses_is_told_and_a_fault_is_not(capfd: pytest.CaptureFixture[str], shared: Any) -> None:
    async def work(pool: Pool) -> list[Refused]:
        found = []
        for task in (refuse, fail):
            with pytest.raises(Refused) as refused:
                await pool.run(task)
            found.append(refused.value)
        return found

    told, fault = shared(work)
    assert (told.status, told.words) == (400, "Name another.")
    assert fault.status == 500
    assert "secret" not in fault.words
    assert "secret detail" in capfd.readouterr().err


def test_there_are_workers_for_two_people_at_least() -> None:
    assert 2 <= workers_for_machine() <= 4


# ---------------------------------------------------------------- the whole, on a socket


on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads what Linux says of processes")


@pytest.mark.slow
@on_linux
def test_a_real_server_serves_two_users_survives_a_killed_run_and_ends_quietly() -> None:
    with page_on_socket() as (base, process):
        headers = {**OWN, "Origin": base}
        forms = {name: northern(200) | {"seed": seed} for name, seed in (("first", 1), ("second", 2))}

        def ask(name: str) -> Json:
            found = httpx.post(f"{base}/api/project", json={"form": forms[name]}, headers=headers, timeout=60)
            assert found.status_code == 200, found.text
            return dict(found.json())

        with ThreadPoolExecutor(8) as threads:
            together = list(threads.map(ask, ["first", "second"] * 3))
        assert [answer["seed"] for answer in together] == [1, 2] * 3
        headlines = {answer["headline"] for answer in together}
        assert len(headlines) == 2
        assert {ask("first")["headline"], ask("second")["headline"]} == headlines

        workers = [pid for pid in children_of(process.pid) if b"spawn_main" in _command(pid)]
        assert len(workers) >= 2
        gone = threading.Event()

        def kill() -> None:
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            gone.set()

        forms["large"] = northern(4_000)
        timer = threading.Timer(0.4, kill)
        timer.start()
        assert ask("large")["draws"] == 4_000
        gone.wait(5)
        assert ask("first")["headline"] in headlines
        remaining = children_of(process.pid)
        waiting = ThreadPoolExecutor(1)
        forms["long"] = northern(10_000) | {"seed": 3}
        last = waiting.submit(
            httpx.post, f"{base}/api/project", json={"form": forms["long"]}, headers=headers, timeout=60
        )
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert err == ""
        assert last.result().status_code in (200, 503)
        waiting.shutdown()
        for pid in remaining:
            assert _ended(pid), pid


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _ended(pid: int, seconds: float = 10) -> bool:
    """Tell whether a process is gone, or goes within a moment."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not _command(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
@on_linux
def test_workers_end_when_the_server_is_killed() -> None:
    with page_on_socket() as (base, process):
        assert httpx.get(f"{base}/", timeout=30).status_code == 200
        workers = children_of(process.pid)
        assert workers
        process.kill()
        process.wait(10)
        assert all(_ended(pid, 60) for pid in workers)


def test_a_port_that_is_taken_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServeError, match=rf"^Port {port} cannot be used \(.+\)\. Name another with --port"):
            bind(port)
        monkeypatch.setattr(sys, "argv", ["gwm", "explore", "--port", str(port), "--no-browser"])
        assert run_command() == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1 and told.err.startswith(f"Port {port} cannot be used")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--port", "99999"), "65535"),
        (("--port", "http"), "valid integer"),
        (("--edition", "none"), "Unknown edition 'none'"),
        (("--scenarios", "none"), "none cannot be read as a folder"),
    ],
)
def test_a_wrong_option_is_told_and_no_page_starts(
    options: tuple[str, str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gwm", "explore", "--no-browser", *options])
    assert run_command() == 1
    told = capsys.readouterr()
    assert told.out == "" and words in told.err.splitlines()[-1]


@pytest.mark.slow
@on_linux
def test_files_of_ones_own_folder_are_opened_and_an_interrupt_is_quiet(tmp_path: Path) -> None:
    text = shipped_scenarios()["raise-the-floor"].read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("id: raise-the-floor", "id: mine"), encoding="utf-8")
    with page_on_socket("--scenarios", str(tmp_path)) as (base, process):
        found = httpx.get(f"{base}/api/start", headers=OWN, timeout=60).json()
        assert [row["id"] for row in found["scenarios"]] == ["mine"]
        assert httpx.get(f"{base}/api/scenario/mine", headers=OWN, timeout=60).json()["form"]["id"] == "mine"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_a_page_whose_workers_cannot_start_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(pool: Pool) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(Pool, "start", start)
    with pytest.raises(ServeError, match="could not be started"):
        serve(EDITION, port=0, browser=False)
    assert capsys.readouterr().err == ""


def test_an_unknown_edition_or_folder_is_told_before_the_page_starts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Unknown edition 'none'"):
        serve("none", port=0, browser=False)
    with pytest.raises(ServeError, match="cannot be read as a folder"):
        serve(EDITION, port=0, scenarios=tmp_path / "none", browser=False)


def test_the_page_is_bound_to_this_machine_only() -> None:
    with bind(0) as found:
        assert found.getsockname()[0] == "127.0.0.1"


def test_scenario_files_come_from_the_folder_named(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("id: own\n", encoding="utf-8")
    (tmp_path / "other.txt").write_text("no", encoding="utf-8")
    assert scenario_files(tmp_path) == {"own": tmp_path / "own.yaml"}
    with pytest.raises(ServeError, match="cannot be read as a folder"):
        scenario_files(tmp_path / "none")
    assert scenario_files(None) == shipped_scenarios()


def test_a_browser_is_opened_only_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_screen()


@pytest.mark.parametrize(("screen", "asked", "opened"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_the_browser_is_opened_at_the_address_unless_told_not_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], screen: bool, asked: bool, opened: int
) -> None:
    import webbrowser

    found: list[str] = []
    seen = threading.Event()

    def note(address: str) -> None:
        found.append(address)
        seen.set()

    monkeypatch.setattr(webbrowser, "open", note)
    monkeypatch.setattr("gwm_models.explore.serve.has_screen", lambda: screen)
    monkeypatch.setattr(Pool, "start", lambda pool: (_ for _ in ()).throw(OSError("no more processes")))
    with pytest.raises(ServeError):
        serve(EDITION, port=0, browser=asked)
    assert seen.wait(10 if opened else 0.1) == bool(opened)
    assert len(found) == opened
    assert all(address in capsys.readouterr().out for address in found)


@pytest.mark.slow
def test_an_edition_of_ones_own_is_shown_and_no_other(tmp_path: Path) -> None:
    from made_up_country import country

    from gwm_models.data.user_editions import build_edition
    from gwm_models.explore.start import start

    edition = str(tmp_path / "made")
    build_edition(country(tmp_path / "land"), tmp_path / "made")
    found = json.loads(start(edition))
    assert found["edition"] == {"id": edition, "title": "Good work in a made-up country, 2030", "n_areas": 30}
    assert found["outcomes"] == [] and found["conditions"] == []
    answer = json.loads(project.project_form(found["form"] | {"draws": 200}, edition))
    assert answer["ok"] and len(answer["areas"]) == 30
    other = json.loads(project.check(found["form"] | {"edition": EDITION}, edition))
    assert [row["field"] for row in other["findings"]] == ["edition"]


def test_why_there_is_no_form_is_empty_where_there_is_one() -> None:
    assert why_no_form(check_form(northern(), EDITION), EDITION) == ""
    assert file_content({"id": "a", "start": 2026}) == {
        "schema": "gwm-scenario/1",
        "id": "a",
        "horizon": {"start": 2026},
    }
    assert new_pool().size == 2
