"""`gwm reproduce`: write the reference results, or check that fresh ones agree with them."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

MOST_SHOWN = 10


def reproduce(
    folder: Annotated[Path, typer.Option("--folder", help="Folder of the reference results.")] = Path("results"),
    check: Annotated[bool, typer.Option("--check", help="Compare fresh results; write nothing.")] = False,
) -> None:
    """Write the reference results: scores, points per unit, models, ranks and one scenario run.

    Example: gwm reproduce --check
    """
    from gwm_models.report.reference import EXACT, PROBABILITY, SIMULATED, compare_results, write_results

    if not check:
        write_results(folder)
        sys.stdout.write(f"Reference results written to {folder}\n")
        return
    with TemporaryDirectory() as place:
        fresh = Path(place)
        write_results(fresh)
        differences, cells = compare_results(folder, fresh)
    for line in differences[:MOST_SHOWN]:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(
        f"{cells:,} cells compared with {folder}: {len(differences)} outside tolerance (words and exact numbers "
        f"{EXACT:g} relative; simulated {SIMULATED:g} standard errors, bounds twice that, ranks 1, probabilities "
        f"{PROBABILITY:g})\n"
    )
    if differences:
        raise typer.Exit(1)
