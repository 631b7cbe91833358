"""`gwm diff`: what differs between two scenario files in meaning."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped

if TYPE_CHECKING:
    from gwm_models.scenarios.spec import Scenario

EFFECTS = {
    "results": "Results can differ for this",
    "presentation": "Only what is shown differs for this",
    "words": "No result differs for this (words, plans of evaluation)",
}


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A scenario file, or the name of a shipped one.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Show what differs between two scenarios in meaning, whatever their layout, order and spelling.

    Actions are matched by their id. Values that a file leaves out count as their defaults.
    Long values are wrapped to the terminal; elsewhere each difference is one line.

    Example: gwm diff nothing northern-participation-2026
    """
    from dataclasses import asdict

    from gwm_models.data.vocabulary import load_vocabulary
    from gwm_models.scenarios.difference import differences

    scenarios = [_read(name) for name in (first, second)]
    names = {code: name for one in scenarios for code, name in load_vocabulary(one.baseline.edition).areas.items()}
    found = differences(scenarios[0], scenarios[1], names)
    if format is Format.json:
        write_json({"same": not found, "differences": [asdict(one) for one in found]})
    elif format is Format.csv:
        emit([asdict(one) for one in found], format=format, columns=("path", "kind", "first", "second", "effect"))
    elif not found:
        write_line("The two scenarios mean the same.")
    for effect, words in EFFECTS.items() if format is Format.table else ():
        lines = [str(one) for one in found if one.effect == effect]
        if lines:
            write_line(f"{words}:")
            for line in lines:
                if sys.stdout.isatty():
                    write_wrapped(line, "  ")
                else:
                    write_line(f"  {line}")


def _read(name: str) -> Scenario:
    from gwm_models.scenarios.reader import read_scenario, resolve_scenario_path

    return read_scenario(resolve_scenario_path(name)).scenario
