"""Run `gwm` commands in one child process that may use little memory and time: a program and the call of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
MOST_MEMORY = 3 * 2**30
"""Of addresses: the libraries themselves take a good part of it."""
MOST_SECONDS = 60
"""Of CPU, for all commands together."""
MOST_WAITED = 400
"""Seconds until a process that waits for something, such as a pipe, is given up."""


@dataclass(frozen=True)
class Told:
    """What a command did: its exit code, what it wrote, its seconds of CPU, and the peak of memory so far in MB."""

    code: int
    out: str
    seconds: float
    peak: float


def run_limited(commands: Sequence[Sequence[str | Path]], folder: Path) -> list[Told]:
    """Run commands one after another in one process, in a folder.

    A process that is stopped by a limit fails the test that started it.
    """
    words = json.dumps([[str(word) for word in command] for command in commands])
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__],
        input=words,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_WAITED,
    )
    found = [Told(*json.loads(line)) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(found) == len(commands), (done.returncode, len(found), done.stderr[-2000:])
    return found


def main() -> None:
    """Run the commands that stand on the input, and write what each did as a line of JSON."""
    import contextlib
    import io
    import resource
    import time

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    from gwm_models.cli import run_command

    for words in json.load(sys.stdin):
        text = io.StringIO()
        sys.argv = ["gwm", *words]
        started = time.process_time()
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            code = run_command()
        seconds = time.process_time() - started
        sys.stdout.write(f"{json.dumps([code, text.getvalue(), seconds, highest()])}\n")


def highest() -> float:
    """Return the most memory that this program used so far, in MB.

    The account of `getrusage` begins with what the process held that started this one: it is for other systems only.
    """
    import resource

    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
