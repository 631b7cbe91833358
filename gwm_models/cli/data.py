"""`gwm data`: look at the tables of the data package, and check them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gwm_models.cli import data_build, data_lint, data_tiles
from gwm_models.cli.output import Format, emit, write_json, write_line

app = typer.Typer(no_args_is_help=True, help="Look at the tables of figures, and check them.")

FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]
FolderOption = Annotated[
    Path | None,
    typer.Option("--folder", help="A folder with a datapackage.json; the shipped data by default."),
]


@app.command()
def check(format: FormatOption = Format.table, folder: FolderOption = None) -> None:
    """Check every table; print known faults of the published tables as warnings.

    Exit code 1 if there is an error; warnings alone give 0.

    Example: gwm data check
    """
    from gwm_models.data.package import examine_package

    result = examine_package(folder)
    problems = (*result.warnings, *result.errors)
    if format is Format.table:
        for problem in problems:
            write_line(str(problem))
        write_line(str(result))
    else:
        columns = ["file", "line", "column", "severity", "path", "what", "fix"]
        emit([asdict(problem) for problem in problems], format=format, columns=columns)
        sys.stderr.write(f"{result}\n")
    if result.errors:
        raise typer.Exit(1)


@app.command("list")
def list_(format: FormatOption = Format.table, folder: FolderOption = None) -> None:
    """List the tables: name, rows, columns, title; CSV and JSON add producer and licence.

    Example: gwm data list
    """
    from gwm_models.data.package import list_tables

    shown = ["table", "rows", "columns", "title"]
    columns = shown if format is Format.table else [*shown, "producer", "licence"]
    emit(list_tables(folder), format=format, columns=columns)


@app.command()
def describe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a table; see: gwm data list")],
    format: FormatOption = Format.table,
    folder: FolderOption = None,
) -> None:
    """Describe a table: its columns, units, allowed values, keys, sources, licence, variables.

    CSV holds the columns only, JSON everything.

    Example: gwm data describe outcomes
    """
    from gwm_models.data.package import describe_table

    description = describe_table(name, folder)
    if format is Format.json:
        write_json(description)
    elif format is Format.csv:
        emit(description["fields"], format=format)
    else:
        _print_description(description)


def _print_description(description: dict[str, Any]) -> None:
    write_line(f"{description['table']}: {description['title']}")
    write_line(description["description"])
    write_line(f"Rows: {description['rows']:,}. Key: {', '.join(description['primary_key'])}.")
    write_line(f"Licence: {description['licence']}.")
    write_line("Sources:")
    for source in description["sources"]:
        write_line(f"  {source['producer']}: {source['title']}, {source['period']}")
    write_line()
    emit(description["fields"], format=Format.table, title="Columns")
    if description["variables"]:
        write_line()
        columns = ["variable", "unit", "lower_limit", "upper_limit", "periods", "label", "notes"]
        emit(description["variables"], format=Format.table, title="Variables", columns=columns)


app.command()(data_lint.lint)
app.command()(data_build.build)
app.command()(data_tiles.tiles)
