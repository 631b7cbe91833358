"""Parts of the explorer that work in its workers or only when something goes wrong, called here one by one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from statistics import NormalDist
from typing import Any

import explore_work
import httpx
import numpy as np
import pytest

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError, ScenarioError
from gwm_models.explore import app, area_figures, area_history, area_page, pages, pool, project, start
from gwm_models.explore.area_levers import lever_scenario
from gwm_models.explore.guard import FAULT, HEADERS, Guard, Refused
from gwm_models.explore.pool import DONE, FAILED, READY, REFUSED, Pool
from gwm_models.explore.serve import has_screen
from gwm_models.index.calibration import points_per_unit
from gwm_models.scenarios.reader import shipped_scenarios
from gwm_models.scenarios.starter import first_size

EDITION = "monitor-2021"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def form() -> Json:
    return start.first_form(EDITION) | {"draws": 100}


# What the page begins with


def test_the_start_names_every_area_and_what_a_unit_of_each_indicator_is_worth() -> None:
    edition, found = load_edition(EDITION), json.loads(start.start(EDITION))
    assert {row["area_code"]: row["area_name"] for row in found["areas"]} == dict(
        zip(edition.areas.code, edition.areas.name, strict=True)
    )
    assert [row["area_name"] for row in found["areas"]] == sorted(edition.areas.name)
    assert [row["id"] for row in found["indicators"]] == list(edition.spec.indicator_ids)
    worth = {row["indicator"]: row for row in points_per_unit(edition).rows()}
    reach = NormalDist().inv_cdf(0.95)
    seen = set()
    for row in found["indicators"]:
        own, points = worth[row["id"]], row["points_per_unit"]
        if own["status"] == "unknown":
            assert points is None
            continue
        seen.add(points["lower"] is None)
        assert points["estimate"] == pytest.approx(own["estimate"], abs=1e-6)
        if points["lower"] is not None:
            ends = (own["estimate"] - reach * own["std_error"], own["estimate"] + reach * own["std_error"])
            assert (points["lower"], points["upper"]) == pytest.approx(ends, abs=1e-6)
    assert seen and len(found["conditions"]) > 3
    assert {tuple(row["usual"]) for row in found["indicators"] if None in row["usual"]} <= {(None, None)}


def test_a_press_of_a_key_is_a_tenth_of_a_first_size() -> None:
    spec = load_edition(EDITION).spec.indicators[0]
    assert start.first_step(spec) == abs(first_size(spec)) / 10 > 0
    assert (start._finite(2.5), start._finite(float("inf")), start._finite(-float("inf"))) == (2.5, None, None)


def test_an_estimate_without_an_error_has_no_interval() -> None:
    row = {"status": "proxy", "estimate": 2.0, "std_error": float("nan")}
    assert start._points(row) == {"estimate": 2.0, "lower": None, "upper": None, "status": "proxy"}


def test_a_worker_warms_up_by_projecting_the_first_form(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(start, "project_form", lambda *args: asked.append(args) or b"warm")
    assert start.warm(EDITION) == b"warm"
    [(first, edition)] = asked
    assert (edition, first["draws"], first["id"]) == (EDITION, start.DRAWS, "my-scenario")
    assert first["actions"][0]["indicator"] == "economic_activity_rate"


# Workers


def test_a_worker_answers_each_piece_of_work_until_the_pipe_is_closed() -> None:
    ours, theirs = Pipe()
    answers: list[Any] = []

    def ask(pipe: Connection) -> None:
        answers.append(pipe.recv())
        for work in (explore_work.own_pid, explore_work.refuse, explore_work.fail, explore_work.own_pid):
            pipe.send((work, ()))
            answers.append(pipe.recv())
        pipe.close()

    asking = threading.Thread(target=ask, args=(ours,))
    before = signal.getsignal(signal.SIGINT)
    asking.start()
    try:
        pool._serve(theirs, explore_work.fail, ())  # a worker that cannot warm up works all the same
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
        asking.join(10)
        theirs.close()
    own = (DONE, str(os.getpid()).encode())
    ready, first, refused, (kind, words), last = answers
    assert (ready, first, refused, last) == (READY, own, (REFUSED, "Name another."), own)
    assert kind == FAILED and words.rstrip().endswith("RuntimeError: secret detail")


# The guard


def ask_guard(
    inner: Any, *messages: Json, method: str = "POST", more: tuple[tuple[bytes, bytes], ...] = ()
) -> tuple[int, Json]:
    """Send messages through the guard to an application; return status and answer."""
    sent: list[Any] = []
    waiting = list(messages)

    async def receive() -> Json:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost:1"), (b"x-gwm", b"1"), (b"content-type", b"application/json"), *more]
    scope = {"type": "http", "method": method, "path": "/api/check", "headers": headers}
    asyncio.run(Guard(inner, 1)(scope, receive, send))
    assert set(HEADERS) <= set(sent[0]["headers"])
    return sent[0]["status"], json.loads(sent[1]["body"])


async def unasked(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the application is not asked")


@pytest.mark.parametrize("length", [b"2x", b"-1", b"", b"1e3", "\u00b2".encode("latin-1")])
def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    body = {"type": "http.request", "body": b"{}"}
    found = ask_guard(unasked, body, more=((b"content-length", length),))
    assert found == (400, {"error": "Send the length of the body as a number."})


def test_half_a_body_is_refused() -> None:
    half = {"type": "http.request", "body": b'{"form": ', "more_body": True}
    assert ask_guard(unasked, half) == (400, {"error": "Send the whole body."})


def test_who_waits_while_the_explorer_is_ended_is_told_so() -> None:
    async def ended(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    status, found = ask_guard(ended, {"type": "http.request", "body": b"{}"})
    assert status == 503 and found["error"].startswith("The explorer was ended.")


# The application


class Here(Pool):
    """A pool that works in this process."""

    async def run(self, work: Callable[..., bytes], *args: Any, client: str = "", seconds: float = 1.0) -> bytes:
        try:
            return work(*args)
        except DataError as error:
            raise Refused(400, str(error)) from None


def post(path: str, body: Json, workers: Pool) -> httpx.Response:
    """Send a form to the page, in this process."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app.make_app(EDITION, 80, {}, workers), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(path, json=body, headers={"X-GWM": "1"})

    return asyncio.run(asked())


def test_the_file_and_the_report_of_a_form_are_downloads_named_after_it(
    form: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = post("/api/file", {"form": form}, Here(0))
    assert (found.status_code, found.headers["content-type"].partition(";")[0]) == (200, "application/yaml")
    assert found.headers["content-disposition"] == 'attachment; filename="my-scenario.yaml"'
    assert json.loads(project.read(found.text, EDITION))["form"]["actions"] == form["actions"]
    monkeypatch.setattr(project, "report", lambda form, edition: b'{"id": "x", "html": "<p>%d</p>"}' % form["draws"])
    page = post("/api/report", {"form": form}, Here(0))
    assert (page.text, page.headers["content-type"]) == ("<p>100</p>", "text/html; charset=utf-8")
    assert page.headers["content-disposition"] == 'attachment; filename="x.html"'
    refused = post("/api/file", {"form": form | {"id": ""}}, Here(0))
    assert refused.status_code == 400 and refused.json()["error"].startswith("Mend the form first: ")


def test_a_fault_inside_the_page_is_told_without_its_detail(form: Json, capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(Pool):
        async def run(self, work: Any, *args: Any, client: str = "", seconds: float = 1.0) -> bytes:
            raise RuntimeError("secret detail")

    found = post("/api/check", {"form": form}, Broken(0))
    assert (found.status_code, found.json()) == (500, {"error": FAULT})
    assert "secret detail" in capfd.readouterr().err


def test_who_goes_away_is_not_waited_for(form: Json) -> None:
    stopped: list[str] = []

    class Slow(Pool):
        async def run(self, work: Any, *args: Any, client: str = "", seconds: float = 1.0) -> bytes:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                stopped.append(client)
                raise
            return b"{}"

    body = {"type": "http.request", "body": json.dumps({"form": form}).encode(), "more_body": False}
    inner = app.make_app(EDITION, 1, {}, Slow(0)).app
    status, found = ask_guard(inner, body, more=((b"x-gwm-client", b"tab-1"),))
    assert (status, found) == (499, {"error": "Nobody waits for the answer."})
    assert stopped == ["tab-1 /api/check"]


def test_a_report_of_a_form_is_written_from_its_own_run(form: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr("gwm_models.report.page.report_html", lambda *parts: given.append(parts) or "<p>page</p>")
    assert json.loads(project.report(form, EDITION)) == {"id": "my-scenario", "html": "<p>page</p>"}
    [(summary, rows, manifest)] = given
    answer = json.loads(project.project_form(form, EDITION))
    assert summary["headline"] == answer["headline"]
    told = {
        row["area_code"]: row["estimate"] for row in rows if row["quantity"] == "total" and row["state"] == "difference"
    }
    assert {row["area_code"]: row["difference"] for row in answer["areas"]} == pytest.approx(told, abs=1e-6)
    assert manifest["command"] == "gwm run my-scenario.yaml"


def test_a_screen_is_taken_for_granted_where_there_always_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    shown = {}
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr("sys.platform", platform)
        shown[platform] = has_screen()
    assert shown == {"linux": False, "darwin": True, "win32": True}


def test_forms_of_different_years_or_baselines_are_not_compared(form: Json) -> None:
    later, moving = form | {"end": 2040}, form | {"counterfactual": "trend"}
    end = form["end"]
    for a, b, words in (
        (form, later, f"One form looks at {end}, the other at 2040."),
        (later, form, f"One form looks at 2040, the other at {end}."),
        (form, moving, "One form holds everything else as it is"),
        (moving, form, "One form holds everything else as it is"),
    ):
        with pytest.raises(DataError, match=f"^{words}"):
            project.compare(a, b, EDITION)


def test_a_scenario_file_of_the_list_is_read_as_its_text(tmp_path: Any) -> None:
    path = shipped_scenarios()["northern-participation-2026"]
    assert pages.read_scenario_file(str(path), EDITION) == project.read(path.read_text(encoding="utf-8"), EDITION)
    (tmp_path / "none.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"none\.yaml cannot be read"):
        pages.read_scenario_file(str(tmp_path / "none.yaml"), EDITION)


# Why there is no form


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "kind: goal\n",
            "The form cannot show this scenario: kind: the text 'goal' is not for the form. Use gwm on the file.",
        ),
        (
            "schema: gwm-scenario/1\nanalysis:\n  intervals: [0.8]\n",
            "The form cannot show this scenario: analysis.intervals: the form shows the usual ones only. Use gwm on the"
            " file.",
        ),
        ("id: [\n", "The file has faults. The first: line "),
    ],
)
def test_why_a_file_has_no_form_is_one_sentence(text: str, words: str) -> None:
    found = json.loads(project.read(text, EDITION))
    assert found["form"] is None
    assert found["why"].startswith(words)


# Areas


def test_an_edition_whose_areas_have_no_profiles_has_no_similar_areas(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(edition: Any) -> Any:
        raise DataError("no indicator tells areas apart.")

    monkeypatch.setattr(area_figures, "area_profiles", none)
    edition = replace(load_edition(EDITION), name="of-one's-own")
    assert area_figures.setting(edition).profiles is None
    assert area_figures.peers_of(edition, 0) is None
    assert area_figures.peer_table(edition, None) == []
    assert area_figures.profile_charts(edition, 0, [], None, "England") == []


def test_a_share_gets_limits_only_in_years_whose_sample_is_known() -> None:
    edition = load_edition(EDITION)
    row = {"year": 2019, "value": 30.0, "lower": None, "upper": None, "limits": ""}
    found = area_history._limited(edition, 0, "professional_share", row)
    half = found["upper"] - 30.0
    assert half > 0 and found["lower"] == pytest.approx(30.0 - half) and found["limits"] == area_figures.COMPUTED
    for other in (
        area_history._limited(edition, 0, "satisfactory_hours", row),
        area_history._limited(edition, 0, "professional_share", row | {"year": 2005}),
        area_history._limited(edition, 0, "professional_share", row | {"value": None}),
    ):
        assert (other["lower"], other["limits"]) == (None, "")
    known = row | {"lower": 29.0, "upper": 31.0}
    assert area_history._limited(edition, 0, "professional_share", known) is known


def test_a_figure_that_is_taken_as_exact_gets_no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = type("Exact", (), {"std_error": np.zeros((200, 10))})
    monkeypatch.setattr(area_history, "sampling_error", lambda edition: exact)
    row = {"year": 2019, "value": 30.0, "lower": None, "upper": None, "limits": ""}
    assert area_history._limited(load_edition(EDITION), 0, "professional_share", row) is row


def test_the_figures_furthest_from_the_mean_stand_out_and_one_alone_does_not() -> None:
    def row(label: str, score: float | None) -> Json:
        limits = {"lower": 68.0, "upper": 72.0, "whole_median": 75.0}
        return {"label": label, "score": score, "value": 70.0, "unit": "percent", "places": 1} | limits

    def said(*scores: float | None) -> list[str]:
        rows = [row(label, score) for label, score in zip(("Work", "Pay", "Skills"), scores, strict=False)]
        return area_page._outstanding(rows, "England")

    assert said(1.0, None) == []
    (mixed,), (worse,), (better,) = said(-1.0, 0.5, 2.0), said(-1.0, -3.0, -2.0), said(1.0, 3.0, 2.0)
    assert mixed.startswith("Beside England it is weakest in work (70.0") and " and strongest in skills (" in mixed
    assert worse.startswith("Beside England it is worse than the mean in all figures: most in pay (")
    assert ", least in work (" in worse
    assert better.startswith("Beside England it is better than the mean in all figures: most in pay (")
    assert ", least in work (" in better and "; median 75.0" in better


def test_a_move_without_open_figures_cannot_be_stated() -> None:
    with pytest.raises(ScenarioError, match="satisfactory_hours"):
        lever_scenario(load_edition(EDITION), "satisfactory_hours", 0)
