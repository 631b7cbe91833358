"""`gwm reproduce`: write the reference results, or check that fresh ones agree with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

MOST_SHOWN = 10


def reproduce(
    folder: Annotated[Path, typer.Option("--folder", help="Folder of the reference results.")] = Path("results"),
    check: Annotated[bool, typer.Option("--check", help="Compare fresh results; write nothing.")] = False,
    every: Annotated[
        bool, typer.Option("--every", help="With --check: fit the slow posteriors anew as well, which takes minutes.")
    ] = False,
) -> None:
    """Write the reference results: scores, points per unit, models, posteriors, ranks, one scenario run, back-test.

    Posteriors are fitted anew where data or code have changed, which takes minutes. All files are replaced together at
    the end; posteriors that were finished when it was stopped are kept in the cache. With --check all are looked at
    for the data and code they are of, and those that are quick are fitted anew.

    Example: gwm reproduce --check
    """
    from gwm_models.files import scratch_folder
    from gwm_models.files.together import finish
    from gwm_models.report.backtest import SCORE, compare_backtest, write_backtest
    from gwm_models.report.reference import EXACT, PROBABILITY, SIMULATED, compare_results, write_results
    from gwm_models.report.reference_fits import compare_fits, quick_names
    from gwm_models.report.reference_set import write_reference

    if not check:
        made = write_reference(folder)
        sys.stdout.write(f"Posteriors fitted anew: {made}\nReference results written to {folder}\n")
        return
    finish(folder)
    with scratch_folder() as fresh:
        write_results(fresh)
        write_backtest(fresh)
        differences, cells = compare_results(folder, fresh)
        found, numbers = compare_backtest(folder, fresh)
    differences, cells = differences + found, cells + numbers
    found, numbers = compare_fits(folder, None if every else quick_names())
    differences, cells = differences + found, cells + numbers
    for line in differences[:MOST_SHOWN]:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(
        f"{cells:,} cells compared with {folder}: {len(differences)} outside tolerance (words and exact numbers "
        f"{EXACT:g} relative; simulated {SIMULATED:g} standard errors, bounds twice that, ranks 1, probabilities "
        f"{PROBABILITY:g}; back-test {SCORE:g})\n"
    )
    if differences:
        raise typer.Exit(1)
