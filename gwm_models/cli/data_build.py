"""`gwm data build`: a folder of tables as a checked edition."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gwm_models.cli.output import Format, emit, write_line

MOST = 200
"""Faults that are printed: who mends so many will check again anyway."""
COLUMNS = ("file", "line", "column", "severity", "path", "what", "fix")


def build(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Holds areas.csv, indicators.csv, index.yaml.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; FOLDER-edition if not given.")] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    r"""Check a folder of tables and write it as an edition that --edition takes by its path.

    \b
    areas.csv       area_code,area_name,region_name,population
                    and may have population_16_64,deprivation
    indicators.csv  area_code,indicator,value
                    and may have lower_95,upper_95: 95% limits; without them a value is taken as exact
    index.yaml      as the shipped data/index.yaml (schema gwm-index/1), each indicator with
                    bounds: {status: stated, low: 2, high: 10}   or   bounds: {from: data}
    borders.csv     area_code_1,area_code_2; may be left out

    An example, two of three areas and one of two indicators:

    \b
    areas.csv                                   indicators.csv
    area_code,area_name,region_name,population  area_code,indicator,value,lower_95,upper_95
    A,Alder,North,1000                          A,jobless,4,3,5
    B,Birch,North,2000                          B,jobless,6,5,7

    \b
    index.yaml
    schema: gwm-index/1
    id: trees-2024
    title: Good work in three woods, 2024
    publisher: the Woods Office
    scale: {low: 1, high: 100}
    domains:
      - {id: access, label: Access to work}
    indicators:
      - id: jobless
        label: Unemployment rate
        domain: access
        direction: -1
        unit: percent
        period: "2024"
        source: Woods Labour Survey
        bounds: {status: stated, low: 2, high: 10}

    Alder scores 1 + 99 (10 - 4) / (10 - 2) = 75.25, with a standard error of 99 / 8 x (5 - 3) / 3.92 = 6.3 points.

    Every fault is printed as file:line:column. With any, nothing is written and the exit code is 1.

    Example: gwm data build my-country --out my-edition
    """
    from gwm_models.data.user_editions import EditionError, build_edition
    from gwm_models.files import check_links

    beside = folder if folder.name not in ("", "..") else Path(os.path.abspath(folder))
    target = out if out is not None else beside.parent / f"{beside.name}-edition"
    check_links(target)
    try:
        edition = build_edition(folder, target)
    except EditionError as error:
        if format is Format.table:
            write_line(str(error).splitlines()[0])
            for problem in error.problems[:MOST]:
                write_line(str(problem))
            if len(error.problems) > MOST:
                write_line(f"and {len(error.problems) - MOST:,} more; --format json has them all")
        else:
            emit([asdict(problem) for problem in error.problems], format=format, columns=COLUMNS)
        raise typer.Exit(1) from error
    row = {
        "edition": edition.name,
        "title": edition.spec.title,
        "areas": len(edition.areas),
        "regions": len(set(edition.areas.region)),
        "indicators": len(edition.spec.indicators),
        "domains": len(edition.spec.domains),
        "borders": len(edition.areas.borders),
        "notes": list(edition.notes),
    }
    if format is not Format.table:
        emit([row], format=format)
        return
    title = f"Written to {target}; use it with --edition {target}. Period: {edition.period}; missing: nothing"
    emit([row], format=format, columns=[name for name in row if name != "notes"], title=title)
    for note in edition.notes:
        write_line(note)


# The mark that keeps the lines of a paragraph of help as they are is a control character: written here, not above.
build.__doc__ = (build.__doc__ or "").replace(r"\b", "\b")
