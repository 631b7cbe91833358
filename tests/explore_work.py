"""Work for the workers of a pool, in a module that a fresh process reads in no time."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gwm_models.errors import DataError


def sleep_for(seconds: float) -> bytes:
    time.sleep(seconds)
    return b"slept"


def own_pid() -> bytes:
    return str(os.getpid()).encode()


def die() -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b"never"


def die_once(path: str) -> bytes:
    if not Path(path).exists():
        Path(path).write_text("died", encoding="utf-8")
        die()
    return b"lived"


def refuse() -> bytes:
    raise DataError("Name another.")


def fail() -> bytes:
    raise RuntimeError("secret detail")
