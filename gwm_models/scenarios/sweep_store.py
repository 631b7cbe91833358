"""Finished points of a sweep on disk, so that one that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from errno import EINVAL, ELOOP
from pathlib import Path
from typing import Any

from gwm_models.errors import OutputError

Values = tuple[float, ...]
Numbers = list[list[float | None]]
"""For each measure: estimate, std_error, lower, upper, prob_better."""


class PointStore:
    """Finished points in a file to which lines are only ever added, by any number of programs.

    Each line holds points of one sweep under a seal: the hash of these points and of the key of the sweep. A line of
    another sweep, one that was cut off by a full disk or a process that was killed, and one that was changed are passed
    over.

    Parameters
    ----------
    path : Path
        Made with the first points.
    key : str
        Hash of all that the numbers depend on. Points kept under another key are of another question.
    *earlier : Path
        Further files in which points are looked for.

    Attributes
    ----------
    found : dict
        Values of a point to its numbers.
    """

    def __init__(self, path: Path, key: str, *earlier: Path) -> None:
        self.path = path
        self.key = key
        self.found: dict[Values, Numbers] = {}
        for place in (*earlier, path):
            for line in _lines(place):
                self.found.update(self._points(line))

    def add(self, values: Sequence[Values], numbers: Sequence[Numbers]) -> None:
        """Keep some points, at once on disk.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        # The line begins with a break as well, so that a line cut off before it spoils only itself.
        text = f"\n{self._line(zip(values, numbers, strict=True))}"
        try:
            if self.path.is_symlink():  # in a folder from somebody else it may lead to any file
                raise OSError(ELOOP, "it is a link")
            with self.path.open("ab") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror}). Choose another place.") from error
        self.found.update(zip(values, numbers, strict=True))

    def text(self) -> str:
        """Return all points that were found or added, in order of their values."""
        return "".join(self._line([point]) for point in sorted(self.found.items(), key=lambda point: point[0]))

    def _line(self, points: Iterable[tuple[Values, Numbers]]) -> str:
        listed = [[list(values), numbers] for values, numbers in points]
        return json.dumps({"points": listed, "seal": self._seal(listed)}, allow_nan=False, separators=(",", ":")) + "\n"

    def _seal(self, points: object) -> str:
        return hashlib.sha256(json.dumps([self.key, points]).encode()).hexdigest()

    def _points(self, line: Mapping[str, Any]) -> dict[Values, Numbers]:
        points = line.get("points")
        if points is None or line.get("seal") != self._seal(points):
            return {}
        return {tuple(values): numbers for values, numbers in points}


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a file; none where there is no file."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(EINVAL, "it is not a file")
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror}). Choose another place.") from error
    found = []
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            read = json.loads(line)
            if isinstance(read, dict):
                found.append(read)
    return found
