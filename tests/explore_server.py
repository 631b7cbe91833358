"""The local page of the explorer as a test has it: in this process, or served on a socket by a program of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gwm_models.explore.app import make_app
from gwm_models.explore.pool import Pool
from gwm_models.explore.serve import bind, scenario_files, server_of
from gwm_models.explore.start import warm

ROOT = Path(__file__).resolve().parents[1]
EDITION = "monitor-2021"
OWN = {"X-GWM": "1"}


def new_pool(size: int = 2, *, warmed: bool = True) -> Pool:
    return Pool(size, warm if warmed else None, (EDITION,) if warmed else ())


@contextmanager
def page_in_process(pool: Pool | None = None) -> Iterator[httpx.Client]:
    """Serve the page in a thread of this process; give a client of it that asks as the page does."""
    with bind(0) as found:
        port = found.getsockname()[1]
        server = server_of(make_app(EDITION, port, scenario_files(None), pool or new_pool()))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [found]}, daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{port}"
        try:
            with httpx.Client(base_url=base, headers=OWN, timeout=90, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(30)


SCRIPT = """\
import sys
from gwm_models.cli import main
if __name__ == "__main__":
    sys.exit(main())
"""
"""What an installer writes for the command, as a file: workers are started by reading it anew."""


@contextmanager
def page_on_socket(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the page as a program of its own; give its address."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "gwm"
        script.write_text(SCRIPT, encoding="utf-8")
        program = [sys.executable, str(script), "explore", "--port", "0", "--no-browser", *options]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), *sys.path]))}
        process = subprocess.Popen(
            program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
            assert found is not None, line
            yield found.group(), process
        finally:
            process.kill()
            process.communicate(timeout=30)


def children_of(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started, by what Linux says of each."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after[1]) == pid and after[0] != "Z":
                found.append(int(entry.name))
    return found
