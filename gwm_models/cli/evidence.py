"""`gwm evidence`: published effects that a scenario can rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gwm_models.cli.output import Format, emit, write_json, write_line

if TYPE_CHECKING:
    from gwm_models.data.evidence import Entry

COLUMNS = ("id", "year", "place", "grade", "title")
SHOWN = ("outcome", "group", "estimate", "lower", "upper", "level", "unit")


def evidence(
    entry: Annotated[
        str | None, typer.Argument(metavar="[ENTRY]", help="Id of an entry; the list of all if left out.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Show the evidence library: published effects, what they can support, where each number was read.

    Example: gwm evidence preston-wealth-building-2023
    """
    from gwm_models.data.evidence import effect_rows, evidence_library, find_entry

    if entry is None:
        library = evidence_library()
        emit([_row(found) for found in library.values()], format=format, columns=COLUMNS)
        return
    found = find_entry(entry)
    if format is Format.json:
        write_json(found.model_dump(by_alias=True))
    elif format is Format.csv:
        emit(effect_rows(found), format=format)
    else:
        _print_entry(found)


def _row(entry: Entry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in COLUMNS}


def _print_entry(entry: Entry) -> None:
    from gwm_models.data.evidence import authors_of, effect_rows

    write_line(entry.title)
    write_line(f"{authors_of(entry)} ({entry.year}), {entry.journal}. {entry.url}")
    for label, text in (
        ("Place", entry.place),
        ("Period", entry.period),
        ("Design", entry.design),
        ("People", entry.population),
        ("Grade", f"{entry.grade}. {entry.grade_reason}"),
    ):
        write_line(f"{label}: {text}")
    for label, texts in (("It can support", entry.supports), ("It cannot support", entry.not_supports)):
        write_line(f"{label}:")
        for text in texts:
            write_line(f"  {text}")
    write_line()
    rows = effect_rows(entry)
    emit(rows, format=Format.table, title="Effects", columns=SHOWN)
    for row in rows:
        if row["note"]:
            write_line(f"{row['outcome']}: {row['note']}.")
    write_line(f"Read in: {entry.read_at.what}, {entry.read_at.url}")
    write_line(f"Licence: {entry.licence}")
