"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

MONITOR = "monitor-2021"
EditionOption = Annotated[
    str, typer.Option("--edition", help="monitor-2021, open-2017 to open-2021, or the folder of a built edition.")
]
