"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

MONITOR = "monitor-2021"
EditionOption = Annotated[
    str, typer.Option("--edition", help="monitor-2021, open-2017 to open-2021, or the folder of a built edition.")
]
DrawsOption = Annotated[
    int | None, typer.Option("--draws", min=100, max=100_000, help="Number of draws, instead of the file's.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed, instead of the file's.")]
