"""What a run reads, writes and asks of the machine, watched from inside: the files it was given, and no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import gwm_models
from gwm_models.data.home import data_home, scenario_home
from gwm_models.errors import OutputError
from gwm_models.files import RUN, write_folder
from gwm_models.models.store import reference_folder
from gwm_models.scenarios.reader import check_mapping

PACKAGE = Path(gwm_models.__file__).resolve().parent
WATCHED = """
import json, os, sys

seen, log, commands = [], sys.argv[1], json.loads(sys.argv[2])
CALLS = ("os.", "socket.", "subprocess.", "shutil.", "tempfile.", "ctypes.dlopen", "pty.", "urllib.", "webbrowser.")
here = os.getcwd()

def place_of(path, args):
    # A path that is told from an open folder begins there.
    numbers = [each for each in args if type(each) is int and each > 2]
    start = os.readlink(f"/proc/self/fd/{numbers[-1]}") if numbers and os.path.exists("/proc/self/fd") else here
    return os.path.join(start, os.fsdecode(path))

def watch(event, args):
    if event == "open":
        path, mode, flags = args
        if isinstance(path, (str, bytes)) and not flags & getattr(os, "O_DIRECTORY", 0):
            writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))
            full = os.path.join(here, os.fsdecode(path))
            # One opened by number of its folder, as when a temporary folder is removed, is not there under its name.
            if writes or mode is not None or os.path.lexists(full):
                seen.append(("write" if writes else "read", full))
    elif event == "subprocess.Popen":
        seen.append((event, " ".join(map(os.fsdecode, args[1]))))
    elif event in ("os.remove", "os.rmdir"):
        seen.append((event, place_of(args[0], args[1:])))
    elif event.startswith(CALLS):
        paths = [os.path.join(here, os.fsdecode(each)) for each in args if isinstance(each, (str, bytes))]
        seen.append((event, *paths))

sys.addaudithook(watch)
from gwm_models.cli import main
codes = []
for words in commands:
    sys.argv = ["gwm", *words]
    try:
        codes.append(main() or 0)
    except SystemExit as stop:
        codes.append(stop.code or 0)
kept = list(seen)
with open(log, "w") as file:
    json.dump({"codes": codes, "seen": kept}, file)
"""
LOOKS = {"os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.putenv", "os.unsetenv", "os.getxattr", "os.listxattr"}
CHANGES = {
    *("os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate"),
    *("os.utime", "os.mkfifo", "os.mknod", "os.setxattr", "os.removexattr", "os.chflags", "os.chdir", "os.lockf"),
    *("shutil.rmtree", "shutil.move", "shutil.copyfile", "shutil.copytree", "tempfile.mkstemp", "tempfile.mkdtemp"),
}
DEVICES = {"/dev/null", "/dev/urandom"}
NAMES_THE_PROCESSOR = (["subprocess.Popen", "uname -p"], ["subprocess.Popen", "lscpu"])
"""Asked by libraries while they are loaded, the first through Python's own module `platform`."""


def under(path: str, *folders: Path) -> bool:
    """Tell whether a path lies in one of some folders, links followed."""
    found = Path(path).resolve()
    return any(found == folder or folder in found.parents for folder in (each.resolve() for each in folders))


def watched(place: Path, *commands: list[str], **environment: str) -> tuple[list[int], list[list[str]]]:
    """Run commands in a process that writes down each file it opens and each call to the system; return both."""
    place.mkdir()
    around = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    home, temporary = place / "home", place / "temporary"
    for folder in (home, temporary, place / "here", place / "out"):
        folder.mkdir()
    own = {
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "GWM_CACHE": str(place / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(place / "log.json"), json.dumps(commands)],
        cwd=place / "here",
        env=around | own | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    log = json.loads((place / "log.json").read_text())
    return log["codes"], log["seen"]


def outside(seen: list[list[str]], place: Path, *given: Path) -> list[list[str]]:
    """Return what a process did beyond reading its own code and data and what it was given, and writing its results."""
    libraries = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    fits = reference_folder()
    own = [PACKAGE, data_home(), scenario_home(), *libraries, Path(sys.prefix), Path(sys.base_prefix)]
    readable = [*own, *([fits] if fits else []), *given, Path("/proc"), Path("/sys"), Path("/etc/mime.types")]
    writable = [place / "out", place / "cache", place / "temporary", place / "log.json"]
    found = []
    for event, *paths in seen:
        if event == "read":
            fine = under(paths[0], *readable, *writable)
        elif event == "write":
            fine = paths[0] in DEVICES or under(paths[0], *writable)
        elif event in CHANGES:
            fine = all(under(path, *writable) for path in paths[: 2 if event == "os.rename" else 1])
        else:
            fine = event in LOOKS or event == "ctypes.dlopen" or [event, *paths] in NAMES_THE_PROCESSOR
        if not fine:
            found.append([event, *paths])
    return found


def test_a_run_opens_no_connection_starts_no_program_and_keeps_to_the_files_it_was_given(tmp_path):
    place = tmp_path / "watched"
    scenario = tmp_path / "given" / "mine.yaml"
    scenario.parent.mkdir()
    scenario.write_bytes((scenario_home() / "northern-participation-2026.yaml").read_bytes())
    codes, seen = watched(place, ["run", str(scenario), "--draws", "100", "--out", str(place / "out" / "run")])
    assert codes == [0]
    assert outside(seen, place, scenario) == []
    events = {event for event, *_ in seen}
    assert {"read", "write", "os.rename"} <= events
    assert ["read", str(scenario)] in seen
    assert any(each[1].endswith("report.html") for each in seen if each[0] == "write")
    assert sorted(path.name for path in (place / "out").iterdir()) == ["run"]
    assert list((place / "home").iterdir()) == list((place / "temporary").iterdir()) == []
    assert list((place / "here").iterdir()) == []


BEYOND = {
    "a connection": ("socket.connect", 'import socket\nsocket.socket().connect_ex(("127.0.0.1", 9))'),
    "a name looked up": ("socket.getaddrinfo", 'import socket\nsocket.getaddrinfo("localhost", 80)'),
    "a program": ("subprocess.Popen", 'import subprocess, sys\nsubprocess.run([sys.executable, "-c", ""])'),
    "a file written": ("write", 'open("beside", "w")'),
    "a file read": ("read", 'open("/etc/hostname")'),
    "a folder made": ("os.mkdir", 'import os\nos.mkdir("folder")'),
    "a file removed": ("os.remove", 'import os\nopen("x", "w")\nos.remove("x")'),
}


def test_whatever_lies_beyond_would_be_seen(tmp_path, monkeypatch):
    """The watch itself: each of these acts, done in place of a command, is found."""
    acts = "\n".join(text for _, text in BEYOND.values())
    monkeypatch.setitem(globals(), "WATCHED", WATCHED.replace("from gwm_models.cli import main", f"main = int\n{acts}"))
    _, seen = watched(tmp_path / "watched", [])
    found = {event for event, *_ in outside(seen, tmp_path / "watched")}
    assert {event for event, _ in BEYOND.values()} <= found


@pytest.mark.slow
def test_a_manifest_leads_to_no_file_but_those_beside_it(tmp_path):
    """Running again what a manifest from somebody else says opens the scenario beside it, whatever paths it holds."""
    first, second = tmp_path / "first", tmp_path / "second"
    assert watched(first, ["run", "nothing", "--draws", "100", "--out", str(first / "out" / "run")])[0] == [0]
    folder = tmp_path / "given"
    shutil.copytree(first / "out" / "run", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {name: "../../secret" for name in ("scenario", "command", "file", "edition", "resolved_yaml", "path")}
    manifest["results_sha256"] |= {"../secret": "0" * 64, "/etc/passwd": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "secret").write_text("secret")
    codes, seen = watched(second, ["rerun", str(folder)])
    assert codes in ([0], [1])
    assert outside(seen, second, folder) == []
    opened = {Path(each[1]).name for each in seen if each[0] == "read" and under(each[1], folder)}
    assert opened <= {"manifest.json", "scenario.yaml", "summary.json", "areas.csv"} and "manifest.json" in opened


# ---------------------------------------------------------------- names that are paths


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "a\\b", "/etc", "..", ".hidden", "a\n", "a\0", "C:a", "~", "", "a" * 81]
)
def test_an_id_that_could_lead_out_of_the_folder_of_runs_is_refused(name):
    content = {"schema": "gwm-scenario/1", "id": name, "title": "t", "question": "q", "actions": []}
    sound = {"baseline": {"edition": "monitor-2021"}, "horizon": {"start": 2026, "end": 2030}}
    scenario, problems = check_mapping(content | sound)
    assert scenario is None
    assert [problem.path for problem in problems if problem.severity == "error"] == ["id"]
    assert check_mapping(content | sound | {"id": "sound-1"})[0] is not None


def test_a_link_among_the_files_of_a_run_is_not_written_through(tmp_path):
    """A folder from somebody else may hold links: the new run takes their place, and what they led to stays."""
    victim, folder = tmp_path / "victim", tmp_path / "run"
    victim.write_text("mine")
    folder.mkdir()
    (folder / "manifest.json").write_text('{"schema": "gwm-manifest/1"}')
    (folder / "report.html").symlink_to(victim)
    write_folder(folder, RUN, {"manifest.json": '{"schema": "gwm-manifest/1"}', "report.html": "new"})
    assert victim.read_text() == "mine" and (folder / "report.html").read_text() == "new"
    assert not (folder / "report.html").is_symlink()


def test_a_folder_that_is_a_link_is_followed_to_where_the_user_led_it(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk" / "run")
    for text in ("one", "two"):
        write_folder(tmp_path / "run", RUN, {"manifest.json": '{"schema": "gwm-manifest/1"}', "report.html": text})
        assert (tmp_path / "disk" / "run" / "report.html").read_text() == text
    assert (tmp_path / "run").is_symlink() and not (tmp_path / "disk" / "run").is_symlink()
    assert sorted(path.name for path in tmp_path.rglob("*") if not path.is_dir()) == ["manifest.json", "report.html"]


def test_a_folder_with_something_else_in_it_is_left_alone_even_behind_a_link(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    (tmp_path / "run").symlink_to(tmp_path / "mine")
    with pytest.raises(OutputError, match=r"letter\.txt"):
        write_folder(tmp_path / "run", RUN, {"manifest.json": "{}"})
    assert (tmp_path / "mine" / "letter.txt").read_text() == "mine"
