"""Finished points of a sweep on disk, so that one that was interrupted goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gwm_models.errors import OutputError
from gwm_models.files import write_text

Values = tuple[float, ...]
Numbers = list[list[float | None]]
"""For each measure: estimate, std_error, lower, upper, prob_better."""


class PointStore:
    """Finished points in a file to which lines are only ever added.

    The first line names the sweep by its key; each further line holds the points of one piece of work. A line that was
    cut off, by a full disk or a process that was killed, is passed over.

    Parameters
    ----------
    path : Path
    key : str
        Hash of all that the numbers depend on. Points kept under another key are of another question: the file is begun
        anew.

    Attributes
    ----------
    found : dict
        Values of a point to its numbers.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.found: dict[Values, Numbers] = {}
        lines = _lines(path)
        if lines and lines[0].get("key") == key:
            for line in lines[1:]:
                self.found.update(_points(line))
        else:
            write_text(path, json.dumps({"key": key}) + "\n")

    def add(self, values: Sequence[Values], numbers: Sequence[Numbers]) -> None:
        """Keep some points, at once on disk.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        points = [[list(value), number] for value, number in zip(values, numbers, strict=True)]
        # The line begins with a break as well, so that a line cut off before it spoils only itself.
        text = "\n" + json.dumps({"points": points}, allow_nan=False, separators=(",", ":")) + "\n"
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror}). Choose another place.") from error
        self.found.update(zip(values, numbers, strict=True))


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a file; none where there is no file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror}). Choose another place.") from error
    found = []
    for line in text.splitlines():
        with suppress(ValueError):
            read = json.loads(line)
            if isinstance(read, dict):
                found.append(read)
    return found


def _points(line: Mapping[str, Any]) -> dict[Values, Numbers]:
    with suppress(TypeError, ValueError):
        return {tuple(map(float, values)): numbers for values, numbers in line["points"]}
    return {}
