"""Start-up of commands beside bare Python, alone and with NumPy imported; whole processes, code compiled before."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from pairs import Contest, Pair, child_seconds, gwm

from gwm_models.data.home import scenario_home

SCENARIO = "northern-participation-2026"
COMMANDS = {"help": ("--help",), "check": ("check", SCENARIO), "schema": ("schema",)}
BARE = {"python": "pass", "numpy": "import numpy"}


def words(name: str) -> list[str]:
    """Return the words of a command, a shipped scenario as its file."""
    return [str(scenario_home() / f"{word}.yaml") if word == SCENARIO else word for word in COMMANDS[name]]


def _build(quick: bool, *, command: str, peer: str) -> Contest:
    return Contest(
        ours=partial(child_seconds, gwm(*words(command))),
        theirs=partial(child_seconds, [sys.executable, "-c", BARE[peer]]),
        difference=_printed,
    )


def _printed(ours: Any, theirs: Any) -> float:
    """Return 0 where both did their work: ours printed something, theirs nothing."""
    return float(not ours or bool(theirs))


PAIRS = tuple(
    Pair(
        name=f"start-{command}-{peer}",
        compared=f"whole process: gwm {COMMANDS[command][0]}{' FILE' if len(COMMANDS[command]) > 1 else ''} beside "
        f"python -c '{BARE[peer]}'",
        size="1 file" if command == "check" else "1 start",
        checked="both end with exit code 0, ours prints and theirs does not",
        peer=peer,
        build=partial(_build, command=command, peer=peer),
        tolerance=0,
        rounds=11,
        notes="imports included on both sides; ours does all of its work, theirs none: the least that it could take",
    )
    for command in COMMANDS
    for peer in BARE
)
