"""Options that many commands share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gwm_models.plots.boundaries import Boundaries

MONITOR = "monitor-2021"
EditionOption = Annotated[
    str, typer.Option("--edition", help="monitor-2021, open-2017 to open-2021, or the folder of a built edition.")
]
DrawsOption = Annotated[
    int | None, typer.Option("--draws", min=100, max=100_000, help="Number of draws, instead of the file's.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed, instead of the file's.")]
BoundariesOption = Annotated[
    Path | None,
    typer.Option(
        "--boundaries", metavar="FILE", help="GeoJSON with the shapes of the areas: maps draw them, not tiles."
    ),
]


def check_regular(path: Path) -> None:
    """Make sure that a file that somebody names is one: a pipe would be waited for, and a device may have no end.

    Raises
    ------
    DataError
        If something else is there; a folder, and what is not there, are told of by who reads it.
    """
    from gwm_models.errors import DataError

    if path.exists() and not path.is_file() and not path.is_dir():
        raise DataError(f"{path} is not a regular file. Name one.")


def shapes_of(file: Path | None, codes: Sequence[str]) -> Boundaries | None:
    """Read the shapes that --boundaries names and say what they lack, or return None without it."""
    if file is None:
        return None
    from gwm_models.plots.boundaries import read_boundaries

    check_regular(file)
    found = read_boundaries(file, codes)
    for note in found.notes:
        sys.stderr.write(f"{note}\n")
    return found
