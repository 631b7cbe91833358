"""`gwm rerun`: run again what a manifest says, and hold the numbers against the earlier ones."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from gwm_models.cli.output import Format, emit, write_json, write_line

MOST = 5


def rerun(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The manifest.json of a run, or its folder.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to keep the new run in; not kept if left out.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Run a scenario again from the folder of a run, and say whether the numbers are the same, bit for bit.

    Exit code 1 if they are not, or if a file of numbers is missing or was changed after the run.

    Example: gwm rerun results/runs/northern-participation-2026/manifest.json
    """
    from gwm_models.files import check_run_folder
    from gwm_models.report.rerun import rerun as run_again

    if out is not None:
        check_run_folder(out)
    words = ["gwm", "rerun", str(manifest), *(["--out", str(out)] if out is not None else [])]
    found = run_again(manifest, out, command=shlex.join(words))
    rows = [{"what": name, "then": then, "now": now} for name, then, now in found.differs]
    if format is Format.json:
        write_json(
            {
                "scenario": found.scenario,
                "same": found.same,
                "files": found.files,
                "differs": rows,
                "changed": found.changed,
                "edited": found.edited,
                "words": found.words,
            }
        )
    elif format is Format.csv:
        emit([{"file": name, "same": same} for name, same in found.files.items()], format=format)
    else:
        write_line(f"{found.scenario}: {found.words}")
        for place in found.changed[:MOST]:
            write_line(f"  {place}")
        if len(found.changed) > MOST:
            write_line(f"  and {len(found.changed) - MOST} more")
    if not found.same or found.edited:
        raise typer.Exit(code=1)
