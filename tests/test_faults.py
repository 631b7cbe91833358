"""Killed, full, forbidden, at the same time, at another time: the old result or the new one, never half of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

if os.name == "nt":
    pytest.skip("needs fork", allow_module_level=True)

import made_scenario
from fault_tools import FORBIDDEN, FULL, READ_ONLY, Child, content, everything, forked, put_back, states
from made_up_country import country

from gwm_models.data import user_editions
from gwm_models.data.user_editions import build_edition
from gwm_models.files import RUN, check_folder, json_text, place, write_folder, write_text
from gwm_models.files.together import JOURNAL, finish
from gwm_models.report import reference_set, sweep
from gwm_models.scenarios import sweep as points

Work = Callable[[], object]


@dataclass(frozen=True)
class Writer:
    """One way in which the toolkit writes, and what came of it.

    Attributes
    ----------
    folder : Path
        Where it writes.
    work : dict of str to callable
        Writes the old result, and the new one.
    """

    folder: Path
    work: dict[str, Work]

    def result(self) -> dict[str, bytes] | None:
        """Return the result that the next command would find."""
        return content(self.folder)


class FileWriter(Writer):
    """One file: a table, a picture, a scenario."""

    def result(self) -> dict[str, bytes] | None:
        found = content(self.folder) or {}
        return {name: text for name, text in found.items() if not name.startswith(".")} or None


class SweepWriter(Writer):
    """A sweep, which keeps its finished points in the folder while it runs."""

    def result(self) -> dict[str, bytes] | None:
        found = content(self.folder) or {}
        found = {name: text for name, text in found.items() if name != sweep.UNFINISHED and not name.startswith(".")}
        return found if b'"finished": true' in found.get("sweep.json", b"") else None


class SetWriter(Writer):
    """The reference results, which are moved to their places from one rename on."""

    def result(self) -> dict[str, bytes] | None:
        finish(self.folder)
        found = content(self.folder) or {}
        return {name: text for name, text in found.items() if not name.startswith(".")} or None


def a_file(root: Path, patch: pytest.MonkeyPatch) -> Writer:
    return FileWriter(
        root / "in", {one: lambda one=one: write_text(root / "in" / "table.csv", one) for one in ("old", "new")}
    )


def a_run(root: Path, patch: pytest.MonkeyPatch) -> Writer:
    def write(one: str) -> None:
        mark = json_text({"schema": "gwm-manifest/1", "of": one})
        texts = {"areas.csv": one, "summary.json": one, "scenario.yaml": one} | (
            {"report.html": one} if one == "old" else {}
        )
        write_folder(
            root / "in" / "run", RUN, {**texts, "draws.nc": lambda path: path.write_text(one), RUN.landmark: mark}
        )

    return Writer(root / "in" / "run", {one: lambda one=one: write(one) for one in ("old", "new")})


def an_edition(root: Path, patch: pytest.MonkeyPatch) -> Writer:
    tables = {one: country(root.parent / f"{root.name}-{one}", working_age=one == "old") for one in ("old", "new")}
    out = root / "in" / "made"
    checks, known = user_editions._check, {}

    def check(folder: Path, raw: dict[str, bytes], missing: list[object]) -> object:
        key = tuple(sorted(raw.items()))
        if key not in known:
            known[key] = checks(folder, raw, missing)
        return known[key]

    patch.setattr(user_editions, "_check", check)
    for one in tables:
        build_edition(tables[one], root.parent / "known")
    return Writer(out, {one: lambda one=one: build_edition(tables[one], out) for one in tables})


def a_sweep(root: Path, patch: pytest.MonkeyPatch) -> Writer:
    patch.setattr(points, "evaluate_points", lambda job, asked: [numbers(job.content, values) for values in asked])
    patch.setattr(sweep, "toolkit_version", lambda: "as now")
    patch.setattr(sweep, "sweep_html", lambda whole, *_: f"<p>{whole['draws']}</p>")
    patch.setattr(sweep, "_basis", lambda scenario: {"draws": scenario.analysis.draws})
    patch.setattr(sweep, "parquet_bytes", lambda _: None)
    patch.setattr(sweep, "search_manifest", lambda kind, scenario, **_: {"kind": kind, "seed": scenario.analysis.seed})
    asked = {one: question(draws) for one, draws in (("old", 100), ("new", 120))}
    out = root / "in" / "swept"
    return SweepWriter(
        out, {one: lambda one=one: sweep.write_sweep(out, asked[one], command="gwm sweep x") for one in asked}
    )


def numbers(asked: dict[str, object], values: tuple[float, ...]) -> list[list[float | None]]:
    """Return made-up numbers of a point, other ones for every question."""
    draws = asked["analysis"]["draws"]
    return [[sum(values) + draws, 1.0 / draws, -1.0, 1.0, 0.5]]


def question(draws: int) -> object:
    push = {
        "id": "push",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
        "uncertainty": {"low": 1.0, "high": 3.0, "level": 0.9},
        "target": {"worst": {"by": "total", "n": 5}},
        "phasing": {"start": 2026, "full_by": 2030, "shape": "linear"},
        "evidence": {"source": "made up for a test", "grade": "assumed"},
    }
    vary = [{"path": "actions.push.change.value", "low": 1.0, "high": 4.0}]
    asked = {"measures": [{"quantity": "total"}], "vary": vary, "steps": 9}
    return made_scenario.scenario(push, name="a-sweep", draws=draws, kind="sweep", health=[], sweep=asked)


def a_set(root: Path, patch: pytest.MonkeyPatch) -> Writer:
    out = root / "in" / "results"

    def write(one: str) -> None:
        def write_in(folder: Path, *names: str) -> None:
            for name in names:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(one)

        def fits(folder: Path, new: object) -> int:
            write_in(new.files, "fits/a.nc", *(["fits/old.nc"] if one == "old" else []))
            new.gone |= {"fits/old.nc"} if one == "new" else set()
            return 1

        def results(folder: Path) -> None:
            name = reference_set.SCENARIO
            write_in(folder, "scores.csv", f"{name}/areas.csv", *([f"{name}/draws.nc"] if one == "old" else []))

        with pytest.MonkeyPatch.context() as context:
            context.setattr(reference_set, "add_fits", fits)
            context.setattr(reference_set, "write_results", results)
            context.setattr(reference_set, "write_backtest", lambda folder: write_in(folder, "backtest/a.csv"))
            reference_set.write_reference(out)

    return SetWriter(out, {one: lambda one=one: write(one) for one in ("old", "new")})


WRITERS = {"file": a_file, "run": a_run, "edition": an_edition, "sweep": a_sweep, "set": a_set}


QUICK = ("file", "run")


def every(main: object, *others: object) -> list[object]:
    """Return every writer with the main thing, and the quick ones with others; what takes long is slow."""
    slow = pytest.mark.slow
    cases = [pytest.param(name, main, marks=[] if name in QUICK else slow) for name in WRITERS]
    return [*cases, *(pytest.param(name, one, marks=slow) for name in QUICK for one in others)]


@pytest.fixture
def writer(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Writer:
    return WRITERS[request.param](tmp_path / "root", monkeypatch)


@dataclass(frozen=True)
class Before:
    """The old result as all that is on disk, and as it is read; the new result; the steps from one to the other."""

    disk: dict[str, bytes | None]
    old: dict[str, bytes] | None
    new: dict[str, bytes]
    steps: int


def made(writer: Writer, before: str = "old") -> Before:
    top = writer.folder.parent
    top.mkdir(parents=True, exist_ok=True)
    if before == "old":
        assert forked(writer.work["old"]).code == 0
    disk, old = everything(top), writer.result()
    end = forked(writer.work["new"])
    assert end.code == 0, end.said
    assert writer.result() and old != writer.result()
    return Before(disk, old, writer.result(), end.steps)


def left_over(writer: Writer) -> list[str]:
    """Name what is there that is no result."""
    return [path.name for path in writer.folder.parent.rglob("*") if path.name.startswith(".")]


# Killed


@pytest.mark.parametrize("writer", WRITERS, indirect=True)
def test_what_is_on_disk_at_any_step_is_the_old_result_or_the_new_and_the_next_program_cleans_up(writer):
    one, top = made(writer), writer.folder.parent
    put_back(top, one.disk)
    seen = states(writer.work["new"], lambda: everything(top))
    assert len(seen) == one.steps
    which = []
    for at, state in enumerate(seen):
        put_back(top, state)
        found = writer.result()
        assert found in (one.old, one.new), (at, sorted(state))
        which.append(found == one.new)
        if at in (len(seen) // 2, len(seen) - 1):
            assert forked(writer.work["new"]).code == 0
            assert (writer.result(), left_over(writer)) == (one.new, []), at
    assert which == sorted(which) and set(which) == {False, True}


@pytest.mark.parametrize(("writer", "before"), every("old", "nothing"), indirect=["writer"])
def test_a_program_killed_at_any_step_leaves_the_old_result_or_the_new_and_the_next_one_cleans_up(writer, before):
    one = made(writer, before)
    seen = set()
    for at in range(1, one.steps + 1):
        put_back(writer.folder.parent, one.disk)
        assert forked(writer.work["new"], at).killed, at
        found = writer.result()
        assert found in (one.old, one.new), (at, left_over(writer))
        seen.add(found == one.new)
        if at % 5 == 0 or at > one.steps - 5:
            again = forked(writer.work["new"])
            assert (again.code, writer.result(), left_over(writer)) == (0, one.new, []), (at, again)
    assert seen == {True, False}


@pytest.mark.parametrize("writer", WRITERS, indirect=True)
def test_a_program_killed_in_the_middle_of_a_write_leaves_the_old_result(writer):
    one = made(writer)
    put_back(writer.folder.parent, one.disk)
    assert forked(writer.work["new"], most=1).killed
    assert writer.result() == one.old
    assert forked(writer.work["new"]).code == 0 and writer.result() == one.new


def test_an_earlier_folder_moved_aside_is_put_back_where_folders_cannot_be_swapped(tmp_path, monkeypatch):
    monkeypatch.setattr(place, "swap", lambda *_: False)
    writer = a_run(tmp_path / "root", monkeypatch)
    one = made(writer)
    aside = 0
    for at in range(1, one.steps + 1):
        put_back(writer.folder.parent, one.disk)
        forked(writer.work["new"], at)
        aside += writer.result() is None
        check_folder(writer.folder, RUN)
        assert writer.result() in (one.old, one.new), at
        assert left_over(writer) == []
    assert aside > 0


# Full, read-only, forbidden


@pytest.mark.parametrize(("writer", "why"), every(FULL, READ_ONLY, FORBIDDEN), indirect=["writer"])
def test_a_disk_that_refuses_from_any_step_on_leaves_the_old_result_and_one_line_that_says_so(writer, why):
    one = made(writer)
    for at in range(1, one.steps + 1):
        put_back(writer.folder.parent, one.disk)
        end = forked(writer.work["new"], at, why)
        waits = (writer.folder / JOURNAL).is_dir()
        assert (end.code, writer.result()) in ((0, one.new), (1, one.new if waits else one.old)), (at, end)
        if end.code:
            assert "\n" not in end.said and str(writer.folder) in end.said, (at, end)
            assert f"({os.strerror(why)})" in end.said, (at, end)
            assert end.said.endswith((". Choose another place.", " with --out.", "have all files written again.")), (
                at,
                end,
            )
            assert (JOURNAL in end.said) == waits
        if why == FULL:
            assert end.code == 0 or left_over(writer) == [], at


# At the same time


@pytest.mark.parametrize(
    "writer", ["file", *(pytest.param(one, marks=pytest.mark.slow) for one in ("run", "sweep", "set"))], indirect=True
)
def test_another_program_at_any_step_of_the_first_leaves_the_folder_whole_and_that_of_one_of_them(writer):
    one = made(writer)
    for at in range(1, one.steps + 1):
        put_back(writer.folder.parent, one.disk)
        first = Child(writer.work["old"], at, "stop")
        stopped = first.stops()
        second = Child(writer.work["new"])
        waits = stopped and second.is_waiting(0.4 if isinstance(writer, SetWriter) else 5.0)
        if not waits:
            assert writer.result() in (one.old, one.new), at
        if stopped:
            first.go_on()
        ends = first.end(waited=not stopped), second.end()
        assert [end.code for end in ends] == [0, 0], (at, ends)
        assert writer.result() in (one.old, one.new), at
        assert left_over(writer) == [], at
