"""`gwm explore`: a page on this machine to look at areas and to try scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gwm_models.cli.options import MONITOR, EditionOption

PORT = 8765


def explore(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the page; 0 for any free one.")] = PORT,
    edition: EditionOption = MONITOR,
    scenarios: Annotated[
        Path | None, typer.Option("--scenarios", help="Folder of scenario files to open; the shipped ones if left out.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page in a browser.")] = False,
) -> None:
    """Look at areas and try scenarios on a page of this machine; nothing leaves it.

    Example: gwm explore --no-browser
    """
    from gwm_models.explore.serve import serve

    serve(edition, port=port, scenarios=scenarios, browser=not no_browser)
