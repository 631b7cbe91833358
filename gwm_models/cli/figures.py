"""`gwm figures`: the figures of the report of January 2021, remade, and one more."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gwm_models.cli.options import MONITOR, BoundariesOption, EditionOption, shapes_of
from gwm_models.cli.output import write_line, write_wrapped


def figures(
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Number of a figure, 1 to 14; may be given several times.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the figures; results/figures here if left out.")
    ] = None,
    format: Annotated[
        str, typer.Option("--format", help="What to write, with commas: html (one page), png, svg.")
    ] = "html,png,svg",
    name: EditionOption = MONITOR,
    boundaries: BoundariesOption = None,
) -> None:
    """Remake the thirteen figures of the Good Work Monitor report from open data and the models, and one more.

    Figures 3, 4 and 7 to 13 carry the report's own numbers; 14, the open editions over time, is not in it. Captions
    are ours. Writes one page, pictures, and a table of every number with its interval. Figures that an edition has no
    figures for are left out, with the reason.

    Examples: gwm figures; gwm figures --only 8 --format png; gwm figures --edition open-2019 --format html
    """
    from gwm_models.cli.run import command_line
    from gwm_models.data.edition import load_edition
    from gwm_models.report.figures import (
        check_figures_folder,
        chosen_figures,
        chosen_formats,
        make_figures,
        write_figures,
    )

    numbers = _numbers(only or [])
    chosen_figures(numbers)
    formats = chosen_formats(format.split(","))
    folder = out or Path("results") / "figures"
    check_figures_folder(folder)
    edition = load_edition(name)
    shapes = shapes_of(boundaries, edition.areas.code)
    options = {"--only": list(map(str, numbers)), "--out": out, "--format": format, "--boundaries": boundaries}
    command = command_line("figures", [], options | ({} if name == MONITOR else {"--edition": name}))
    with progress("Figures") as report:
        found = make_figures(edition, numbers, boundaries=shapes, report=report)
    with progress("Pictures") as report:
        names = write_figures(folder, found, command=command, formats=formats, report=report)
    for planned, made in found.made:
        write_wrapped(f"Figure {planned.number}. {made.title}.", "")
    for planned, why in found.left_out:
        write_wrapped(f"Left out: figure {planned.number}. {why}", "")
    write_line()
    for file in names[:2] if "html" in formats else names[:1]:
        write_line(f"{'Page' if file.endswith('html') else 'Numbers'}: {folder / file}")
    pictures = sum(file.endswith((".png", ".svg")) for file in names)
    if pictures:
        write_line(f"Pictures: {pictures} in {folder}")


def _numbers(texts: list[str]) -> list[int]:
    """Read the numbers of figures; several may stand in one text, with commas."""
    from gwm_models.errors import DataError

    words = [word.strip() for text in texts for word in text.split(",") if word.strip()]
    wrong = next((word for word in words if not (word.isascii() and word.isdigit())), None)
    if wrong is not None or (texts and not words):
        raise DataError(f"--only takes the number of a figure, 1 to 14, such as --only 8; got '{wrong or ''}'.")
    return [int(word) for word in words]


@contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show how many are done, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
