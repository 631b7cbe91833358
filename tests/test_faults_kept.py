"""What is kept between programs: fits, points of sweeps, runs. Damaged, shared, of another time, on a full disk."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

if os.name == "nt":
    pytest.skip("needs fork", allow_module_level=True)

import test_faults
from fault_tools import Child, content, forked
from test_faults import a_run, a_sweep, made
from typer.testing import CliRunner

from gwm_models.cli import run_command
from gwm_models.cli.reproduce import reproduce
from gwm_models.cli.rerun import rerun as rerun_command
from gwm_models.errors import GwmError, OutputError
from gwm_models.files import RUN, scratch_folder, together, write_folder, write_text
from gwm_models.files.place import clear_leftovers, is_temporary, temporary_file, temporary_folder
from gwm_models.models import store
from gwm_models.report import run_folder, sweep
from gwm_models.report.run_folder import run_scenario
from gwm_models.scenarios import sweep as points
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios
from gwm_models.scenarios.sweep_store import PointStore

PACKAGE = Path(store.__file__).parents[1]
KEY = "0123456789abcdef" * 4
NAME = "northern-participation-2026"


# Fits


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GWM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(store, "reference_folder", lambda: None)
    return tmp_path / "cache"


def record(seed: int) -> store.Record:
    draws = np.random.default_rng(seed).normal(size=(50, 2)).astype("f4").astype(float)
    return store.Record({"draws": (("draw", "term"), draws)}, {"seed": seed})


def sealed(content: bytes) -> bytes:
    return content + store.sha256(content).digest()


def damages(sound: bytes) -> dict[str, bytes]:
    half = len(sound) // 2
    return {
        "empty": b"",
        "one byte": b"\x89",
        "cut off": sound[:half],
        "seal cut off": sound[:-1],
        "zero bytes": bytes(len(sound)),
        "one bit in the middle": sound[:half] + bytes([sound[half] ^ 1]) + sound[half + 1 :],
        "garbage": np.random.default_rng(3).bytes(len(sound)),
        "text": b"area_code,estimate\nE06000001,1\n",
        "sealed text": sealed(b"not netCDF"),
        "sealed nothing": sealed(b""),
        "sealed half": sealed(sound[:half]),
        "longer": sound + b"\0",
    }


def test_a_damaged_fit_is_never_used_and_made_anew(cache):
    store.remember(KEY, record(1))
    (file,) = cache.iterdir()
    sound = file.read_bytes()
    for what, damage in damages(sound).items():
        file.write_bytes(damage)
        assert store.find("x", KEY) is None, what
        store.remember(KEY, record(1))
        assert store.find("x", KEY).facts == {"seed": 1}, what
    assert file.read_bytes() == sound


def test_a_fit_of_another_fingerprint_in_its_place_is_never_used(cache):
    store.remember(KEY, record(1))
    (file,) = cache.iterdir()
    other = KEY[:24] + "f" * 40  # the name of the file is the same
    assert store.find("x", other) is None
    store.remember(other, record(2))
    assert store.find("x", KEY) is None and store.find("x", other).facts == {"seed": 2}
    assert [path.name for path in cache.iterdir()] == [file.name]


def test_what_is_no_file_in_the_place_of_a_fit_is_done_without(cache):
    cache.mkdir()
    place = cache / f"{KEY[:24]}.nc"
    for make in (place.mkdir, lambda: os.mkfifo(place), lambda: place.symlink_to(place)):
        make()
        assert store.find("x", KEY) is None
        assert store.read_sound(place, KEY) is None
        place.rmdir() if place.is_dir() else place.unlink()


def test_two_programs_that_write_one_fit_leave_a_whole_one_at_any_step(cache):
    steps = forked(lambda: store.remember(KEY, record(1))).steps
    assert steps > 3
    for at in range(1, steps + 1):
        shutil.rmtree(cache)
        first = Child(lambda: store.remember(KEY, record(1)), at, "stop")
        assert first.stops()
        assert forked(lambda: store.remember(KEY, record(2))).code == 0
        assert store.find("x", KEY).facts == {"seed": 2}
        first.go_on()
        assert first.end().code == 0
        assert store.find("x", KEY).facts["seed"] in (1, 2)


def test_a_fit_that_does_not_fit_on_the_disk_is_done_without(cache):
    """HDF5 itself would take the program with it at its end."""
    for most in (1, 5_000):
        assert forked(lambda: store.remember(KEY, record(1)), fate=28, most=most).code == 0
    assert store.find("x", KEY) is None
    store.remember(KEY, record(1))
    assert store.find("x", KEY).facts == {"seed": 1}


def test_a_program_killed_while_it_keeps_a_fit_leaves_the_old_one_or_the_new(cache):
    steps, seen = forked(lambda: store.remember(KEY, record(1))).steps, set()
    for at in range(1, steps + 1):
        shutil.rmtree(cache)
        store.remember(KEY, record(1))
        assert forked(lambda: store.write_record(store._cached(KEY), KEY, record(2)), at).killed
        seen.add(store.find("x", KEY).facts["seed"])
        store.remember(KEY, record(3))
        assert store.find("x", KEY).facts == {"seed": 3}
    assert 1 in seen and seen <= {1, 2}


# Points of a sweep


def test_points_that_were_changed_cut_off_or_mixed_are_worked_out_again(tmp_path):
    path = tmp_path / "points.jsonl"
    kept = PointStore(path, "one")
    kept.add([(1.0,), (2.0,)], [[[1.5, None]], [[2.5, 0.5]]])
    kept.add([(3.0,)], [[[3.5, None]]])
    sound = path.read_bytes()
    assert PointStore(path, "one").found == kept.found
    for damage in (b"", bytes(len(sound)), b"\xff\xfe", b"[" * 100_000, b'{"points": 7, "seal": 8}', b"null\n[]\n1"):
        path.write_bytes(damage)
        assert PointStore(path, "one").found == {}
    whole = 0
    for at in range(0, len(sound), 3):
        path.write_bytes(sound[:at])
        assert PointStore(path, "one").found.items() <= kept.found.items()
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        found = PointStore(path, "one").found
        assert found.items() <= kept.found.items(), at
        whole += len(found) == 3
    assert whole < 5  # only a break between two lines can change unseen


def test_points_of_two_sweeps_in_one_file_are_told_apart(tmp_path):
    path = tmp_path / "points.jsonl"
    one, other = PointStore(path, "one"), PointStore(path, "other")
    one.add([(1.0,)], [[[1.0, None]]])
    other.add([(1.0,)], [[[2.0, None]]])
    one.add([(3.0,)], [[[3.0, None]]])
    assert PointStore(path, "one").found == {(1.0,): [[1.0, None]], (3.0,): [[3.0, None]]}
    assert PointStore(path, "other").found == {(1.0,): [[2.0, None]]}


def test_a_sweep_into_the_folder_of_another_leaves_that_as_it_was_until_it_is_finished(tmp_path, monkeypatch):
    writer = a_sweep(tmp_path / "root", monkeypatch)
    writer.work["old"]()
    old = content(writer.folder)
    asked = stopped_half_way(writer, monkeypatch)
    found = content(writer.folder)
    assert found.pop(sweep.UNFINISHED).count(b"seal") == 1
    assert found == old
    writer.work["new"]()
    assert len(asked) == len({*asked}) == 10
    assert sweep.UNFINISHED not in content(writer.folder) and writer.result() != old


def stopped_half_way(writer, patch) -> list[tuple[float, ...]]:
    """Stop the new sweep after its first piece of work, and return the list of the points worked out by all later."""
    asked, whole = [], points.evaluate_points

    def work_out(job, some):
        asked.extend(some)
        return whole(job, some)

    def stopped(job, some):
        if asked:
            raise KeyboardInterrupt
        return work_out(job, some)

    patch.setattr(points, "evaluate_points", stopped)
    with pytest.raises(KeyboardInterrupt):
        writer.work["new"]()
    assert len(asked) == 8
    patch.setattr(points, "evaluate_points", work_out)
    return asked


def test_a_finished_sweep_says_nothing_of_the_points_it_kept(tmp_path, monkeypatch, capsys):
    writer = a_sweep(tmp_path / "root", monkeypatch)
    writer.work["old"]()
    writer.work["new"]()
    assert sweep.UNFINISHED not in capsys.readouterr().err


# Runs


@pytest.mark.parametrize(
    "damage",
    [
        *(b"", b"{", b"null", b"[]", b'{"schema": "gwm-manifest/1"}', b"\xff\xfe\x00", b"[" * 100_000),
        *(b'{"schema": "gwm-manifest/1", "resolved_sha256": 5}', "zeros", "half", "types"),
    ],
    ids=str,
)
def test_a_damaged_manifest_is_refused_in_one_line(checkout, tmp_path, damage):
    folder = Path(shutil.copytree(checkout / "results" / NAME, tmp_path / "run"))
    path = folder / "manifest.json"
    sound = path.read_bytes()
    whole = json.loads(sound)
    types = {"file_warnings": 5, "package_versions": [], "results_sha256": 7}
    made = {"zeros": bytes(len(sound)), "half": sound[: len(sound) // 2], "types": json.dumps(whole | types).encode()}
    path.write_bytes(made[damage] if isinstance(damage, str) else damage)
    before = content(folder)
    app = rerun_app()
    found = CliRunner().invoke(app, [str(folder)])
    assert isinstance(found.exception, GwmError) and found.exception.exit_code == 1, found.exception
    assert "\n" not in str(found.exception) and str(path) in str(found.exception)
    assert content(folder) == before


def rerun_app():
    import typer

    app = typer.Typer()
    app.command()(rerun_command)
    return app


@pytest.mark.slow
def test_a_run_at_another_time_has_the_same_numbers_and_finds_what_was_kept(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("GWM_CACHE", str(cache))
    checked = read_scenario(shipped_scenarios()[NAME])
    analysis = checked.scenario.analysis.model_copy(update={"draws": 100})
    asked = checked.scenario.model_copy(update={"analysis": analysis})
    run = tmp_path / "now"
    run_scenario(checked, asked, run, command="gwm run")
    store.remember(KEY, record(1))
    for year in (1970, 2099):
        at = datetime(year, 1, 1, 0, 0, 1, tzinfo=UTC)
        for path in (*run.iterdir(), *cache.iterdir()):
            os.utime(path, (at.timestamp(),) * 2)

        class Clock(datetime):
            @classmethod
            def now(cls, tz=None, at=at):
                return at

        monkeypatch.setattr(run_folder, "datetime", Clock)
        monkeypatch.setattr("time.time", at.timestamp)
        folder = tmp_path / str(year)
        run_scenario(checked, asked, folder, command="gwm run")
        then, now = (json.loads((one / "manifest.json").read_text()) for one in (run, folder))
        assert now["created"].startswith(str(year))
        assert now["results_sha256"] == then["results_sha256"]
        for name in ("areas.csv", "summary.json", "scenario.yaml"):
            assert (folder / name).read_bytes() == (run / name).read_bytes(), name
        assert store.find("x", KEY) is not None


def test_a_stopped_sweep_goes_on_after_the_clock_went_back(tmp_path, monkeypatch):
    writer = a_sweep(tmp_path / "root", monkeypatch)
    asked = stopped_half_way(writer, monkeypatch)
    os.utime(writer.folder / sweep.UNFINISHED, (0, 0))
    monkeypatch.setattr("time.time", lambda: 1.0)
    writer.work["new"]()
    kept = writer.result()
    assert len(asked) == len({*asked}) == 10
    shutil.rmtree(writer.folder)
    writer.work["new"]()
    assert len(asked) == 20 and writer.result() == kept


# Reference results that wait to be moved


@pytest.mark.parametrize("by", ["written_together", "check"])
def test_files_that_a_killed_program_left_to_be_moved_are_moved_before_anything_else(tmp_path, monkeypatch, by):
    (tmp_path / together.JOURNAL / together.FILES / "fits").mkdir(parents=True)
    (tmp_path / together.JOURNAL / together.FILES / "fits" / "a.nc").write_text("new")
    (tmp_path / together.JOURNAL / together.GONE).write_text('["b.csv"]')
    (tmp_path / "b.csv").write_text("old")

    def look() -> None:
        assert content(tmp_path) == {"fits/a.nc": b"new"}
        raise ZeroDivisionError

    monkeypatch.setattr("gwm_models.files.scratch_folder", look)
    with pytest.raises(ZeroDivisionError):
        if by == "check":
            reproduce(tmp_path, check=True, every=False)
        with together.written_together(tmp_path) as new:
            assert new.files.is_dir()
            shutil.rmtree(new.files.parent)
            look()


# Leftovers


def test_a_leftover_is_told_from_a_file_in_use_by_its_lock_and_from_others_by_its_name(tmp_path):
    mine = [
        ".run.gwm.abcdefgh",
        ".run.gwm.abc",
        ".run.swp",
        "run.gwm.abcdefgh",
        ".runs.gwm.abcdefgh",
        ".run.gwm.ABCDEFGH",
    ]
    for name in mine:
        (tmp_path / name).write_text("mine")
    with temporary_folder(tmp_path / "run") as folder, temporary_file(tmp_path / "run") as file:
        assert is_temporary(folder.name, "run") and is_temporary(file.name, "run")
        forked(lambda: clear_leftovers(tmp_path / "run"))
        assert folder.is_dir() and file.is_file()
    assert {path.name for path in tmp_path.iterdir()} == {*mine[1:]}


def test_a_sweep_killed_before_it_marked_its_folder_does_not_bar_the_next_one(tmp_path):
    (tmp_path / "swept").mkdir()
    (tmp_path / "swept" / ".sweep.json.gwm.abcdefgh").write_text("half")
    sweep.check_sweep_folder(tmp_path / "swept")
    (tmp_path / "swept" / ".mine").write_text("mine")
    with pytest.raises(OutputError, match=r"it holds \.mine"):
        sweep.check_sweep_folder(tmp_path / "swept")


def test_content_is_on_disk_before_a_rename_says_that_it_is_there(tmp_path):
    files = {
        RUN.landmark: '{"schema": "gwm-manifest/1"}',
        "areas.csv": "a",
        "draws.nc": lambda path: path.write_text("d"),
    }
    for work, turn, flushed in (
        (lambda: write_folder(tmp_path / "run", RUN, files), "os.rename", 4),  # three files and the folder
        (lambda: write_folder(tmp_path / "run", RUN, files), "swap", 4),
        (lambda: write_text(tmp_path / "table.csv", "text"), "os.rename", 1),
    ):
        names = forked(work).names
        at = names.index(turn)
        assert (names[:at].count("flush"), names[at:].count("flush")) == (flushed, 1), names


def test_a_file_put_into_the_folder_while_a_result_is_written_is_not_lost(tmp_path):
    files = {RUN.landmark: '{"schema": "gwm-manifest/1"}', "areas.csv": "old"}
    write_folder(tmp_path / "run", RUN, files)

    def late(path: Path) -> None:
        path.write_text("new")
        (tmp_path / "run" / "thesis.txt").write_text("mine")

    with pytest.raises(OutputError, match=r"it holds thesis\.txt"):
        write_folder(tmp_path / "run", RUN, files | {"areas.csv": late})
    assert content(tmp_path / "run") == {name: text.encode() for name, text in (files | {"thesis.txt": "mine"}).items()}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_no_file_is_never_replaced_by_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to-pipe").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "to-pipe"):
        with pytest.raises(OutputError, match=r"cannot be written \(it is not a file\)\. Choose another place\."):
            write_text(tmp_path / name, "text")
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "to-pipe").is_symlink()
    (tmp_path / "link").symlink_to(tmp_path / "table.csv")
    write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "table.csv").read_text() == "text"


def test_without_a_temporary_folder_one_line_says_what_to_do(monkeypatch):
    def none(**_):
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("tempfile.TemporaryDirectory", none)
    words = r"^No temporary folder can be made \(No usable .+\)\. Name one .+ in TMPDIR\.$"
    with pytest.raises(OutputError, match=words), scratch_folder():
        pass


def test_a_program_that_was_started_without_an_output_does_its_work(tmp_path):
    def work() -> int:
        sys.stdout = sys.stderr = None
        sys.argv = ["gwm", "init", str(tmp_path / "mine.yaml")]
        return run_command()

    assert forked(work).code == 0
    assert (tmp_path / "mine.yaml").read_text().startswith("#")


# Disks that are really full, and really read-only


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 64 kB, or skip."""
    disk = tmp_path / "disk"
    disk.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if os.getuid() or shutil.which("mount") is None or subprocess.run(asked, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk; the same errors are raised at every step in test_faults.py")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_run_on_a_disk_that_is_really_full_leaves_the_old_one(small_disk, monkeypatch):
    page = os.sysconf("SC_PAGE_SIZE")
    mark = '{"schema": "gwm-manifest/1"}'
    old = {RUN.landmark: mark, "areas.csv": "old"}
    new = {RUN.landmark: mark, "areas.csv": "new" * page, "summary.json": "new", "scenario.yaml": "new"}
    write_folder(small_disk / "run", RUN, old)
    before, seen = content(small_disk / "run"), set()
    for free in range(16):
        ballast = (os.statvfs(small_disk).f_bavail - free) * page
        if ballast <= 0:
            break
        (small_disk / "ballast").write_bytes(bytes(ballast))
        end = forked(lambda: write_folder(small_disk / "run", RUN, new))
        seen.add(end.code)
        if end.code:
            assert (
                end.said
                == f"{small_disk}/run cannot be written (No space left on device). Choose another place with --out."
            )
            assert content(small_disk / "run") == before
        assert {path.name for path in small_disk.iterdir()} == {"run", "ballast"}
        (small_disk / "ballast").unlink()
        write_folder(small_disk / "run", RUN, old)
    assert seen == {0, 1}


def test_a_folder_that_is_really_read_only_is_left_as_it_was_and_said_so(small_disk, monkeypatch, tmp_path):
    writer = a_run(small_disk, monkeypatch)
    one = made(writer)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for work in (writer.work["old"], lambda: test_faults.check_folder(writer.folder, RUN)):
        end = forked(work)
        assert end.code == 1
        assert (
            end.said == f"{writer.folder} cannot be written (Read-only file system). Choose another place with --out."
        )
    assert writer.result() == one.new
    monkeypatch.setenv("GWM_CACHE", str(small_disk / "cache"))
    store.remember(KEY, record(1))  # done without
    assert not (small_disk / "cache").exists()


# Every place that writes

WRITERS = {
    "cli/__init__.py": {"open"},  # an output that leads nowhere
    "evaluation/portfolio_programme.py": {"open"},  # the same, around a solver that prints
    "files/__init__.py": {"write_bytes", "mkdir", "replace"},
    "files/place.py": {"open", "rename", "rmtree", "unlink"},
    "files/together.py": {"mkdir", "replace", "rename", "rmtree", "unlink", "write_text"},
    "models/store.py": {"File", "mkdir", "replace", "write_bytes"},
    "report/appraisal.py": {"write_text"},
    "report/evaluation.py": {"write_text"},
    "report/portfolio.py": {"write_text"},
    "report/allocation.py": {"write_text"},
    "report/draws_file.py": {"File", "write_bytes"},
    "data/user_editions.py": {"write_bytes", "write_text"},
    "scenarios/sweep_store.py": {"open"},
}
"""Modules that write by themselves: into a temporary folder of `new_folder`, or under a lock, a seal or a rename."""

MAY_WRITE = re.compile(
    r"open\(|File\(|\.(write_text|write_bytes|mkdir|makedirs|unlink|rmdir|save\w*|rmtree|copy\w+|move|rename)\("
    r"|\.replace\([^,()]*(\([^()]*\))?[^,()]*\)"
)
"""To spare the time of parsing all modules."""


def writes(source: str) -> set[str]:
    """Name the calls in a source that make, change or remove a file."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        method = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        texts = [
            arg.value for arg in (*node.args, *(key.value for key in node.keywords)) if isinstance(arg, ast.Constant)
        ]
        modes = [text for text in texts if isinstance(text, str) and 0 < len(text) <= 3 and set(text) <= set("rwaxbt+")]
        owner = ast.unparse(node.func)
        opens = any({*mode} & set("wax+") for mode in modes) or "O_WRONLY" in ast.unparse(node)
        if (method == "open" and opens) or (method == "File" and "w" in texts):
            found.add(method)
        elif method in ("write_text", "write_bytes", "mkdir", "makedirs", "unlink", "rmdir", "savez", "savefig") or (
            method in ("rmtree", "copyfile", "copy2", "copytree", "move") and owner.startswith("shutil.")
        ):
            found |= {method} if isinstance(node.func, ast.Attribute) else set()
        elif method in ("replace", "rename") and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
            found |= {method} if not node.keywords else set()
    return found


def test_every_module_that_writes_is_known_here():
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        text = path.read_text("utf-8")
        if not name.startswith("_shipped") and MAY_WRITE.search(text) and (calls := writes(text)):
            found[name] = calls
    assert found == WRITERS
