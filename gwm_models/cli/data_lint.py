"""`gwm data lint`: find the faults of a published table of scores."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gwm_models.cli.options import check_regular
from gwm_models.cli.output import Format, emit, write_line

COLUMNS = ["file", "line", "column", "severity", "path", "what", "fix"]


class Best(StrEnum):
    """Which end of the total has rank 1."""

    high = "high"
    low = "low"


def lint(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A shipped table (gwm data list), or a CSV.")],
    key: Annotated[str | None, typer.Option("--key", help="Column that identifies an area.")] = None,
    total: Annotated[str | None, typer.Option("--total", help="Column of the total score.")] = None,
    parts: Annotated[str | None, typer.Option("--parts", help="Columns that add up to it: a,b,c")] = None,
    rank: Annotated[str | None, typer.Option("--rank", help="Column of the rank.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="Column of the region.")] = None,
    best: Annotated[Best, typer.Option("--best", help="Which total has rank 1.")] = Best.high,
    index: Annotated[
        str | None, typer.Option("--index", help="monitor, conditions or an index definition: its ranges hold.")
    ] = None,
    range_: Annotated[
        str | None, typer.Option("--range", metavar="LOW:HIGH", help="Range of a part, without an index.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help="A shipped table or a CSV: its areas should be there; regions agree."),
    ] = None,
    claims: Annotated[
        Path | None, typer.Option("--claims", help="Statements of the text, in the columns of report_claims.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="A folder with a datapackage.json; the shipped data by default.")
    ] = None,
) -> None:
    """Check a published table: sums, ranks, ties, regions, areas, ranges, and what the text says of it.

    Columns are known by their names (area_code, area_name, total, rank, region); the last line says what they were
    taken for. Exit code 1 if there is an error; warnings alone give 0.

    Example: gwm data lint conditions_scores
    """
    from gwm_models.data.lint import LintOptions, lint_table

    options = LintOptions(
        key=key,
        total=total,
        parts=None if parts is None else [name.strip() for name in parts.split(",") if name.strip()],
        rank=rank,
        region=region,
        best=best.value,
        index=index,
        limits=None if range_ is None else _limits(range_),
        against=against or (),
        claims=claims,
    )
    for name in (table, *(against or ()), *([] if claims is None else [claims])):
        check_regular(Path(name))
    result = lint_table(table, options, folder=folder)
    if format is Format.table:
        for problem in result.problems:
            write_line(str(problem))
        write_line(str(result))
    else:
        emit([asdict(problem) for problem in result.problems], format=format, columns=COLUMNS)
        sys.stderr.write(f"{result}\n")
    if result.errors or (strict and result.problems):
        raise typer.Exit(1)


def _limits(text: str) -> tuple[float, float]:
    from gwm_models.errors import DataError

    low, _, high = text.partition(":")
    try:
        limits = float(low), float(high)
    except ValueError:
        limits = (0.0, 0.0)
    if not limits[0] < limits[1]:
        raise DataError(f"--range is '{text}'; expected LOW:HIGH, such as 1:100.")
    return limits
