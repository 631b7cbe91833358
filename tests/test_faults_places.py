"""Where results go: who may read them, names that lead elsewhere, places that cannot be replaced, no locks.

Each is refused before slow work begins, or before the first file is moved, in one line.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

if os.name == "nt":
    pytest.skip("needs fork", allow_module_level=True)

import made_scenario
from fault_tools import FULL, content, forked
from test_faults_kept import small_disk  # noqa: F401

from gwm_models.errors import OutputError
from gwm_models.files import RUN, check_file, check_folder, place, write_folder, write_text
from gwm_models.files.place import OLD, clear_leftovers, temporary_folder
from gwm_models.files.together import FILES, GONE, JOURNAL, finish, written_together
from gwm_models.report import sweep
from gwm_models.report.draws_file import write_draws
from gwm_models.report.result_folder import replaced
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.sweep_store import PointStore

MARK = '{"schema": "gwm-manifest/1"}'
OF_RUN = {RUN.landmark: MARK, "areas.csv": "old"}


def refused(work, words: str, folder: Path) -> None:
    """Check that something is refused in one line, and that a folder is as it was."""
    before = content(folder)
    with pytest.raises(OutputError) as found:
        work()
    assert words in str(found.value) and "\n" not in str(found.value)
    assert content(folder) == before


# Who may read


@pytest.mark.parametrize(("mask", "folder", "file"), [(0o077, 0o700, 0o600), (0o002, 0o775, 0o664)])
def test_results_are_read_by_whom_the_user_lets_read_new_files_and_earlier_results(tmp_path, mask, folder, file):
    (tmp_path / "shut").mkdir(mode=0o700)
    (tmp_path / "shut.csv").touch(mode=0o600)
    before = os.umask(mask)
    try:
        for name in ("run", "shut"):
            write_folder(tmp_path / name, RUN, OF_RUN)
            write_text(tmp_path / f"{name}.csv", "text")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (*tmp_path.iterdir(), tmp_path / "run" / "areas.csv")}
    assert modes == {"run": folder, "run.csv": file, "areas.csv": file, "shut": 0o700, "shut.csv": 0o600}


def test_what_its_owner_may_not_write_is_left_alone():
    def work() -> int:
        if os.getuid() == 0:
            os.setuid(65534)
        os.umask(0o022)
        write_folder(top / "run", RUN, OF_RUN)
        write_text(top / "file", "old")
        (top / "run").chmod(0o555)
        (top / "file").chmod(0o444)
        for again in (
            *(lambda: check_folder(top / "run", RUN), lambda: write_folder(top / "run", RUN, OF_RUN)),
            *(lambda: check_file(top / "file"), lambda: write_text(top / "file", "new")),
        ):
            refused(again, "cannot be written (Permission denied). Choose another place", top)
        return len(list(top.iterdir())) - 2

    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        top.chmod(0o777)
        end = forked(work)
        assert end.code == 0, end
        (top / "run").chmod(0o755)


# Places that cannot be replaced


def test_the_folder_that_the_user_is_in_is_never_pulled_away(tmp_path, monkeypatch):
    write_folder(tmp_path / "run", RUN, OF_RUN)
    monkeypatch.chdir(tmp_path / "run")
    for name in (".", "../run", tmp_path / "run"):
        refused(lambda name=name: check_folder(Path(name), RUN), "the folder that you are in", tmp_path)
        refused(lambda name=name: write_folder(Path(name), RUN, OF_RUN), "the folder that you are in", tmp_path)
    assert os.getcwd() == str(tmp_path / "run")


def test_a_link_to_where_nothing_can_be_written_is_found_out_before_slow_work(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file" / "run")
    refused(lambda: check_folder(tmp_path / "link", RUN), "(Not a directory)", tmp_path)
    refused(lambda: check_file(tmp_path / "link"), "(Not a directory)", tmp_path)


def test_a_mounted_disk_is_refused_as_a_result_and_within_results_that_are_moved_together(small_disk, tmp_path):  # noqa: F811
    refused(lambda: check_folder(small_disk, RUN), "where a disk is mounted", small_disk)
    (tmp_path / "a.csv").write_text("old")
    refused(lambda: together_into(tmp_path, "a.csv", "disk/b.csv"), "'disk/b.csv' is on another disk", tmp_path)


@pytest.mark.parametrize("letter", ["a", "\u96ea", "\U0001f600"])
def test_the_longest_name_that_a_disk_takes_is_taken(tmp_path, letter):
    name = letter * (255 // len(letter.encode()))
    write_folder(tmp_path / name, RUN, OF_RUN)
    write_text(tmp_path / name[1:], "text")
    assert content(tmp_path).keys() == {f"{name}/areas.csv", f"{name}/{RUN.landmark}", name[1:]}


# Files that are written together


def together_into(folder: Path, *names: str, gone: str = "") -> None:
    with written_together(folder) as new:
        for name in names:
            (new.files / name).parent.mkdir(parents=True, exist_ok=True)
            (new.files / name).write_text("new")
        new.gone |= {gone} if gone else set()


def test_a_folder_in_the_place_of_a_file_is_found_before_the_first_file_is_moved(tmp_path):
    (tmp_path / "b.csv").mkdir()
    (tmp_path / "a.csv").write_text("old")
    refused(lambda: together_into(tmp_path, "a.csv", "b.csv"), "'b.csv' is a folder", tmp_path)
    refused(lambda: together_into(tmp_path, "a.csv", gone="b.csv"), "'b.csv' is a folder", tmp_path)
    together_into(tmp_path, "a.csv")
    assert content(tmp_path) == {"a.csv": b"new"}


@pytest.mark.parametrize(
    ("files", "gone"),
    [
        (["a.csv", "link/key"], []),
        (["a.csv"], ["../mine"]),
        (["a.csv"], ["link/mine"]),
        (["a.csv"], ["HERE/mine"]),
        (["a.csv"], ["mine\0"]),
        (["a.csv"], ["\ud800"]),
        (["a.csv"], [5]),
        (["a.csv"], {"a.csv": 1}),
        (["a.csv"], "{"),
        (["a.csv"], "[" * 100_000),
    ],
)
def test_a_folder_from_somebody_else_never_has_files_moved_or_removed_outside_it(tmp_path, files, gone):
    folder = tmp_path / "results"
    (tmp_path / "mine").write_text("mine")
    for name in files:
        (folder / JOURNAL / FILES / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / JOURNAL / FILES / name).write_text("theirs")
    (folder / "link").symlink_to(tmp_path)
    text = gone if isinstance(gone, str) else json.dumps(gone)
    (folder / JOURNAL / GONE).write_text(text.replace("HERE", str(tmp_path)))
    refused(lambda: finish(folder), JOURNAL, tmp_path)
    refused(lambda: together_into(folder, "b.csv"), JOURNAL, tmp_path)


def test_a_journal_that_is_a_link_has_nothing_moved_from_where_it_leads(tmp_path):
    folder = tmp_path / "results"
    (tmp_path / "mine" / FILES).mkdir(parents=True)
    (tmp_path / "mine" / FILES / "letter").write_text("mine")
    (folder / JOURNAL).mkdir(parents=True)
    (folder / JOURNAL / FILES).symlink_to(tmp_path / "mine" / FILES)
    refused(lambda: finish(folder), "it is a link", tmp_path)


def test_results_behind_a_link_are_moved_by_one_program_at_a_time(tmp_path, monkeypatch):
    locks = []
    monkeypatch.setattr(
        "gwm_models.files.together.taken", lambda folder: (locks.append(folder), temporary_folder(folder))[1]
    )
    (tmp_path / "real" / JOURNAL / FILES).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert finish(tmp_path / "link")
    assert locks == [tmp_path / "real"]


# Folders from somebody else


def test_points_of_a_sweep_are_never_added_through_a_link(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "points.jsonl").symlink_to(tmp_path / "mine")
    kept = PointStore(tmp_path / "points.jsonl", "key")
    refused(lambda: kept.add([(1.0,)], [[[1.0]]]), "(it is a link)", tmp_path)
    assert kept.found == {}


def test_a_pipe_in_the_place_of_a_file_is_never_waited_for(tmp_path):
    for name in (RUN.landmark, "points.jsonl"):
        os.mkfifo(tmp_path / name)
    signal.alarm(5)
    try:
        assert replaced(tmp_path, {}, ()) == ""
        refused(lambda: PointStore(tmp_path / "points.jsonl", "key"), "(it is not a file)", tmp_path)
        (tmp_path / "points.jsonl").unlink()
        refused(lambda: check_folder(tmp_path, RUN), "its manifest.json is not that of a run", tmp_path)
    finally:
        signal.alarm(0)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (f'{MARK[:-1]}, "x": {"[" * 100_000}', ""),
        (json.dumps({"scenario": "a\n\x1b]0;b", "seed": "\u202e"}), "a\\n\\x1b]0;b (seed \\u202e, None draws"),
    ],
)
def test_whatever_the_manifest_of_an_earlier_result_holds_the_new_one_is_written(tmp_path, manifest, words):
    write_folder(tmp_path / "run", RUN, OF_RUN | {RUN.landmark: f"{manifest}\n"})
    found = replaced(tmp_path / "run", {"kind": "run"}, OF_RUN)
    assert words in found and found.isprintable()


# Systems without a swap of folders, without locks


def test_ctrl_c_while_the_earlier_folder_is_aside_puts_it_back(tmp_path, monkeypatch):
    write_folder(tmp_path / "run", RUN, OF_RUN)
    monkeypatch.setattr(place, "swap", lambda *_: False)
    rename = Path.rename

    def pressed(path: Path, goal: Path) -> Path:
        found = rename(path, goal)
        if goal.name == OLD:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(Path, "rename", pressed)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "run", RUN, OF_RUN | {"areas.csv": "new"})
    assert content(tmp_path) == {f"run/{name}": text.encode() for name, text in OF_RUN.items()}


def test_an_earlier_folder_left_aside_is_put_back_where_there_are_no_locks_either(tmp_path, monkeypatch):
    monkeypatch.setattr(place, "_lock", lambda *_, **__: None)
    aside = tmp_path / ".run.gwm.abcdefgh"
    aside.mkdir()
    write_folder(aside / OLD, RUN, OF_RUN)
    check_folder(tmp_path / "run", RUN)
    assert content(tmp_path) == {f"run/{name}": text.encode() for name, text in OF_RUN.items()}
    write_folder(aside / OLD, RUN, OF_RUN | {"areas.csv": "of a program that has not ended"})
    check_folder(tmp_path / "run", RUN)
    assert (tmp_path / "run" / "areas.csv").read_text() == "old" and (aside / OLD).is_dir()


def test_a_leftover_that_cannot_be_removed_keeps_no_other_one(tmp_path, monkeypatch):
    left = [tmp_path / f".run.gwm.abcdefg{n}" for n in range(4)]
    for path in left:
        path.touch()
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path in left[:2]:
            raise PermissionError(errno.EPERM, "not yours")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    clear_leftovers(tmp_path / "run")
    assert sorted(tmp_path.iterdir()) == left[:2]
    assert all(place._lock(path) is not False for path in left[:2]), "a lock is kept"


# Programs at the same time


def test_the_mark_of_a_sweep_that_begins_never_takes_the_place_of_one_that_ended_meanwhile(tmp_path, monkeypatch):
    write, file = write_text, tmp_path / "swept" / sweep.FILE

    def late(path: Path, text: str, **options: bool) -> None:
        write(path, "of the other program")
        write(path, text, **options)

    monkeypatch.setattr(sweep, "write_text", late)
    sweep._store(tmp_path / "swept", "key", SimpleNamespace(id="x"), "gwm sweep x")
    assert file.read_text() == "of the other program"
    assert [path.name for path in file.parent.iterdir()] == [sweep.FILE]


def test_a_file_that_is_only_made_where_there_is_none_is_made_without_second_names_too(tmp_path, monkeypatch):
    def none(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", none)
    write_text(tmp_path / "a", "text", replace=False)
    assert content(tmp_path) == {"a": b"text"}


# A disk that is full


def test_draws_on_a_full_disk_are_one_line_and_not_the_end_of_the_program(tmp_path):
    projection = project(made_scenario.scenario(draws=100))
    files = OF_RUN | {"draws.nc": lambda path: write_draws(path, projection)}
    end = forked(lambda: write_folder(tmp_path / "run", RUN, files), fate=FULL, most=20_000)
    words = f"{tmp_path / 'run'} cannot be written (File too large). Choose another place with --out."
    assert (end.code, end.said) == (1, words), end
    assert list(tmp_path.iterdir()) == []
