"""Whole commands, killed: run, sweep, reproduce, data build. What is slow and writes nothing is worked out once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

if os.name == "nt":
    pytest.skip("needs fork", allow_module_level=True)

from fault_tools import FULL, Child, content, forked, put_back, states
from made_up_country import country

from gwm_models.cli import run_command
from gwm_models.files.together import FILES, GONE, JOURNAL
from gwm_models.report import backtest, reference, reference_fits, run_folder, sweep
from gwm_models.scenarios import sweep as points

pytestmark = pytest.mark.slow

RANDOM_KILLS = 6


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have functions work each answer out once, and have it at hand in every child."""

    def remember(module: Any, *names: str) -> None:
        for name in names:
            monkeypatch.setattr(module, name, kept(getattr(module, name)))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(run_folder, "datetime", Clock)
    remember(run_folder, "code_hash", "data_hash", "report_html", "resolved_yaml")
    return remember


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    answers: dict[str, Any] = {}

    def ask(*args: Any, **options: Any) -> Any:
        key = sha256(repr((args, sorted(options.items(), key=str))).encode()).hexdigest()
        if key not in answers:
            answers[key] = function(*args, **options)
        return answers[key]

    return ask


def gwm(*words: object) -> Callable[[], int]:
    def ask() -> int:
        sys.argv = ["gwm", *map(str, words)]
        return run_command()

    return ask


def digest(found: dict[str, bytes]) -> str:
    whole = sha256()
    for name, text in sorted(found.items()):
        whole.update(f"{name}/{len(text)}/".encode())
        whole.update(text)
    return whole.hexdigest() if found else ""


def shown(folder: Path) -> dict[str, bytes]:
    """Return a result as the next command finds it: without temporary files, and with what waits to be moved."""
    found = content(folder) or {}
    waiting = {name: text for name, text in found.items() if name.startswith(f"{JOURNAL}/")}
    found = {name: text for name, text in found.items() if not name.startswith(".") and "/." not in name}
    found.pop(sweep.UNFINISHED, None)
    for name in json.loads(waiting.get(f"{JOURNAL}/{GONE}", b"[]")):
        found.pop(name, None)
    start = f"{JOURNAL}/{FILES}/"
    return found | {name.removeprefix(start): text for name, text in waiting.items() if name.startswith(start)}


def whole_at_any_step(folder: Path, old: Callable[[], object], work: Callable[[], int], kills: int) -> None:
    """Kill a command, and have it again: each of its steps is looked at, some are the last."""
    old()
    before = content(folder.parent)
    assert forked(work).code == 0
    ends = digest({name: text for name, text in shown_of(before, folder)}), digest(shown(folder))
    assert ends[0] != ends[1]
    put_back_files(folder, before)
    seen = states(work, lambda: digest(shown(folder)))
    assert [one for one in seen if one not in ends] == []
    assert set(seen) == {*ends} and seen == sorted(seen, key=ends.index)
    turn = seen.index(ends[1])
    spread = {1, len(seen), turn, turn + 1, *np.random.default_rng(5).integers(1, len(seen), kills).tolist()}
    for at in sorted(spread):
        put_back_files(folder, before)
        assert forked(work, at).killed
        assert digest(shown(folder)) in ends, at
        assert forked(work).code == 0
        assert digest(shown(folder)) == ends[1], at
        assert [path.name for path in folder.parent.rglob("*") if path.name.startswith(".")] == [], at
    put_back_files(folder, before)
    end = forked(work, turn // 2, FULL)
    assert (end.code, digest(shown(folder))) == (1, ends[0])
    assert end.said.count("\n") == 1 and "No space left on device" in end.said
    assert forked(work).code == 0 and digest(shown(folder)) == ends[1]


def shown_of(before: dict[str, bytes], folder: Path) -> list[tuple[str, bytes]]:
    start = f"{folder.name}/"
    return [(name.removeprefix(start), text) for name, text in before.items() if name.startswith(start)]


def put_back_files(folder: Path, files: dict[str, bytes]) -> None:
    put_back(folder.parent, {})
    for name, text in files.items():
        (folder.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.parent / name).write_bytes(text)


def test_gwm_run(tmp_path, known):
    known(run_folder, "project", "summarise", "area_rows_at")
    folder = tmp_path / "in" / "run"
    words = ["run", "northern-participation-2026", "--draws", 100, "--out", folder, "--seed"]
    for seed in (1, 2):
        assert gwm(*words, seed)() == 0
    whole_at_any_step(folder, gwm(*words, 1), gwm(*words, 2), kills=6)


def test_gwm_sweep(tmp_path, known, monkeypatch):
    known(sweep, "sweep_html", "toolkit_version", "parquet_bytes", "_basis")
    known(points, "evaluate_points")
    folder = tmp_path / "in" / "swept"
    words = ["sweep", "participation-sweep", "--jobs", 1, "--out", folder, "--draws", 100, "--seed"]
    for seed in (1, 2):
        assert gwm(*words, seed)() == 0
    whole_at_any_step(folder, gwm(*words, 1), gwm(*words, 2), kills=3)


def test_gwm_data_build(tmp_path, known):
    tables = {one: country(tmp_path / one, working_age=one == "new") for one in ("old", "new")}
    folder = tmp_path / "in" / "made"
    build = {one: gwm("data", "build", tables[one], "--out", folder) for one in tables}
    whole_at_any_step(folder, build["old"], build["new"], kills=12)


def test_gwm_reproduce(tmp_path, known, monkeypatch, checkout):
    """The back-test is the stored one, and fits are those that travel with the toolkit; none is made anew."""
    stored = {name: backtest.read_backtest(checkout / "results", name) for name in backtest.TABLES}
    monkeypatch.setattr(backtest, "backtest", lambda: SimpleNamespace(**stored))
    monkeypatch.setattr(backtest, "headline", lambda _: {"words": "the stored ones"})
    known(run_folder, "project", "summarise", "area_rows_at")
    known(reference, "score_rows", "points_per_unit", "classical_fits", "rank_rows")
    few = list(reference_fits.stored_results())[:2]
    monkeypatch.setattr(reference_fits, "stored_results", lambda: iter(few))
    folder = tmp_path / "in" / "results"
    work = gwm("reproduce", "--folder", folder)

    def old() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("scores.csv", "ranks.csv", "backtest/worst.csv", f"fits/{few[0].name}.nc", "mine.txt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("old")
        shutil.copy(checkout / "results" / "fits" / f"{few[1].name}.nc", folder / "fits" / "of-before.nc")
        (folder / reference.SCENARIO).mkdir()
        (folder / reference.SCENARIO / "draws.nc").write_text("old")

    assert work() == 0
    assert {path.name for path in (folder / "fits").iterdir()} == {f"{one.name}.nc" for one in few}
    whole_at_any_step(folder, old, work, kills=1)
    assert (folder / "mine.txt").read_text() == "old" and not (folder / "fits" / "of-before.nc").exists()
    assert not (folder / reference.SCENARIO / "draws.nc").exists()


def test_gwm_run_killed_at_a_time_that_nobody_chose(tmp_path):
    folder = tmp_path / "in" / "run"
    words = ["run", "northern-participation-2026", "--draws", 100, "--out", folder, "--seed"]
    assert gwm(*words, 1)() == 0
    old = content(folder)
    started = time.monotonic()
    assert forked(gwm(*words, 2)).code == 0
    lasts = time.monotonic() - started
    numbers = {name: text for name, text in content(folder).items() if name in ("areas.csv", "summary.json")}
    for share in np.random.default_rng(7).uniform(0.5, 1.2, RANDOM_KILLS):
        put_back_files(folder, {f"run/{name}": text for name, text in old.items()})
        child = Child(gwm(*words, 2))
        child.is_waiting(lasts * share)
        os.kill(child.pid, signal.SIGKILL)
        child.end()
        found = content(folder)
        assert found == old or {name: found[name] for name in numbers} == numbers
    assert forked(gwm(*words, 2)).code == 0
    assert {name: content(folder)[name] for name in numbers} == numbers
    assert [path.name for path in folder.parent.iterdir()] == ["run"]
