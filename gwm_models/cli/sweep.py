"""`gwm sweep`: many versions of a scenario, and which of its numbers matter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gwm_models.cli.goal import read_kind
from gwm_models.cli.options import DrawsOption, SeedOption
from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped
from gwm_models.cli.run import command_line, with_analysis


def sweep(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A file of kind sweep, or the name of a shipped one.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the sweep; results/runs/ID here if left out.")
    ] = None,
    draws: DrawsOption = None,
    seed: SeedOption = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, max=1024, help="Processes; as many as there are cores if left out.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option("--dask", help="Address of a Dask scheduler to use, such as tcp://10.0.0.1:8786.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print; CSV is the table of points.")] = (
        Format.table
    ),
) -> None:
    """Vary numbers of a scenario, project every version on the same draws, and say which numbers matter.

    Stopped in the middle, the same command goes on where it was.

    Example: gwm sweep participation-sweep
    """
    from gwm_models.errors import OutputError
    from gwm_models.report.sweep import check_sweep_folder, write_sweep

    checked = read_kind(scenario, "sweep")
    asked = with_analysis(checked.scenario, draws, seed)
    folder = out or Path("results") / "runs" / asked.id
    check_sweep_folder(folder)
    options = {"--out": out, "--draws": draws, "--seed": seed, "--jobs": jobs, "--dask": dask}
    command = command_line("sweep", [scenario], options)
    try:
        with progress() as report:
            summary, table = write_sweep(folder, asked, command=command, jobs=jobs, dask=dask, report=report)
    except KeyboardInterrupt:
        raise OutputError(f"Stopped. Finished points are kept in {folder}; the same command goes on there.") from None
    if format is Format.json:
        write_json({"summary": summary, "table": table})
    elif format is Format.csv:
        emit(table, format=format)
    else:
        _print(summary, folder)


@contextmanager
def progress() -> Iterator[Callable[[int, int], None] | None]:
    """Show how many points are done, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Points"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("points", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _print(summary: dict[str, Any], folder: Path) -> None:
    from gwm_models.plots.search import end_words
    from gwm_models.plots.words import number, places_for

    write_line(summary["title"])
    write_line()
    write_wrapped(summary["headline"])
    for measure in summary["measures"]:
        own = [row for row in summary["tornado"] if row["measure"] == measure["measure"]]
        shares = {row["path"]: row for row in summary["indices"] if row["measure"] == measure["measure"]}
        places = places_for(measure["unit"], [row[end] for row in own for end in ("at_low", "at_high")], change=True)
        write_line()
        shown = [
            {
                "number": row["path"],
                "low": row["low"],
                "at low": end_words(row, "low", places),
                "high": row["high"],
                "at high": end_words(row, "high", places),
                **_shares(shares.get(row["path"])),
            }
            for row in own
        ]
        title = f"{measure['label']}, {measure['unit']}; as in the file {number(measure['as_in_file'], places)}"
        title += f"; {100 * summary['level']:g}% intervals"
        emit(shown, format=Format.table, title=title)
    write_line()
    for note in summary["notes"]:
        write_wrapped(f"Note: {note}")
    write_line()
    write_line(f"Table: {folder / 'table.csv'}")
    write_line(f"Report: {folder / 'report.html'}")


def _shares(row: dict[str, Any] | None) -> dict[str, str]:
    """Return the shares of variance with their errors, as text."""
    if row is None:
        return {"first-order": "", "total": ""}
    from gwm_models.scenarios.sweep_results import error_words

    told = {}
    for name, title in (("first", "first-order"), ("total", "total")):
        told[title] = f"{row[name]:.3f} {error_words(row[f'{name}_error'])}".rstrip()
    return told
