"""`gwm init`: write a commented scenario file, by questions on a terminal or by options."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import write_line

if TYPE_CHECKING:
    from gwm_models.data.vocabulary import Vocabulary
    from gwm_models.scenarios.starter import Answers

WHERE = ("worst", "regions", "areas", "everyone")


def init(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="The file to write.")] = Path("scenario.yaml"),
    title: Annotated[str | None, typer.Option("--title", help="One line for people.")] = None,
    question: Annotated[str | None, typer.Option("--question", help="The question that it answers.")] = None,
    change: Annotated[str | None, typer.Option("--change", help="Indicator or condition that is changed.")] = None,
    size: Annotated[float | None, typer.Option("--size", help="Size of the change, in its unit.")] = None,
    area: Annotated[list[str] | None, typer.Option("--area", help="An area by name or code; may be repeated.")] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="A region; may be repeated.")] = None,
    worst: Annotated[int | None, typer.Option("--worst", min=1, help="This many of the worst areas.")] = None,
    by: Annotated[
        str, typer.Option("--by", help="What they are the worst by: total, a domain, an indicator.")
    ] = "total",
    everyone: Annotated[bool, typer.Option("--everyone", help="All areas.")] = False,
    start: Annotated[int, typer.Option("--start", help="First year.")] = 2026,
    full_by: Annotated[int | None, typer.Option("--full-by", help="First year of the whole change.")] = None,
    end: Annotated[int | None, typer.Option("--end", help="Last year.")] = None,
    cost: Annotated[float | None, typer.Option("--cost", help="Pounds a year for each resident aged 16 to 64.")] = None,
    edition: EditionOption = MONITOR,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write a commented scenario file that can be checked and run.

    On a terminal it asks for what no option says; elsewhere the rest takes defaults. A folder in FILE that does not
    exist is made.

    Example: gwm init northern-pay.yaml --change median_pay --region "North East"
    """
    from gwm_models.data.vocabulary import load_vocabulary
    from gwm_models.errors import OutputError
    from gwm_models.files import check_file, write_text
    from gwm_models.scenarios.starter import Answers, default_id, starter_text

    if file.exists() and not force:
        raise OutputError(f"{file} exists. Name another file, or add --force to replace it.")
    check_file(file)
    _check_options(size, cost, [name for name, given in _places(area, region, worst, everyone) if given])
    words = load_vocabulary(edition)
    named = bool(area or region)
    answers = Answers(
        id=default_id(file),
        title=title or "",
        question=question or "",
        edition=edition,
        change=change or "",
        value=size,
        areas=tuple(_area(each, words) for each in area or ()),
        regions=tuple(region or ()),
        worst=worst if worst is not None or named or everyone else 20,
        by=by,
        start=start,
        full_by=start + 3 if full_by is None else full_by,
        end=start + 9 if end is None else end,
        cost=cost,
    )
    if _asks():
        answers = _ask(answers, words, where=not (named or everyone or worst is not None))
    text = starter_text(_with_defaults(answers, words), words)
    folder = None if file.parent.exists() else file.parent
    write_text(file, text)
    if folder is not None:
        write_line(f"Made the folder {folder}.")
    name = shlex.quote(str(file))
    write_line(f"Wrote {file}. Next: gwm check {name}, gwm explain {name}, gwm run {name}")


def _places(
    area: list[str] | None, region: list[str] | None, worst: int | None, everyone: bool
) -> tuple[tuple[str, bool], ...]:
    return ("--area", bool(area)), ("--region", bool(region)), ("--worst", worst is not None), ("--everyone", everyone)


def _check_options(size: float | None, cost: float | None, where: list[str]) -> None:
    """Refuse options that no scenario can have.

    Raises
    ------
    DataError
        For a number that is none, a cost below 0, or all areas together with some.
    """
    from gwm_models.errors import DataError

    for name, value in (("--size", size), ("--cost", cost)):
        if value is not None and not math.isfinite(value):
            raise DataError(f"{name} {value:g} is no number. Write one, such as 2.5.")
    if cost is not None and cost < 0:
        raise DataError(f"--cost {cost:g} is below 0. Write the pounds a year for each resident, or leave it out.")
    if "--everyone" in where and len(where) > 1:
        raise DataError(f"--everyone means all areas, but {where[0]} names some. Keep one of the two.")


def _asks() -> bool:
    """Tell whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _with_defaults(answers: Answers, words: Vocabulary) -> Answers:
    """Fill in what nobody said."""
    from dataclasses import replace

    from gwm_models.scenarios.starter import levers

    change = answers.change or next(iter(words.indicators))
    label = levers(words)[change].label if change in levers(words) else change
    title = answers.title or f"A change of {label[:1].lower()}{label[1:]}"
    question = answers.question or f"What does it change by {answers.end}, where, and how sure is that?"
    return replace(answers, change=change, title=title[:200], question=question)


def _ask(answers: Answers, words: Vocabulary, *, where: bool) -> Answers:
    """Ask for what no option said."""
    from dataclasses import replace

    from gwm_models.scenarios.starter import first_size, levers, unit_of

    known = levers(words)
    if not answers.change:
        for name, spec in known.items():
            write_line(f"  {name}: {spec.label}")
        change = _until("What is changed", next(iter(known)), lambda text: text if text in known else None)
        answers = replace(answers, change=change)
    if answers.value is None and answers.change in known:
        lever = known[answers.change]
        size = typer.prompt(f"By how much ({unit_of(lever)})", default=first_size(lever), type=float)
        answers = replace(answers, value=size)
    if where:
        answers = _ask_where(answers, words)
    filled = _with_defaults(answers, words)
    return replace(
        filled,
        title=answers.title or typer.prompt("Title", default=filled.title),
        question=answers.question or typer.prompt("Question", default=filled.question),
    )


def _ask_where(answers: Answers, words: Vocabulary) -> Answers:
    from dataclasses import replace

    kind = _until(f"Where ({', '.join(WHERE)})", "worst", lambda text: text if text in WHERE else None)
    if kind == "worst":
        return replace(answers, worst=typer.prompt("How many", default=20, type=int))
    if kind == "everyone":
        return replace(answers, worst=None)
    if kind == "regions":
        write_line(f"  {'; '.join(words.regions)}")
        regions = {name.casefold(): name for name in words.regions}
        found = _names("Regions, with semicolons between", words.regions[0], lambda text: regions.get(text.casefold()))
        return replace(answers, worst=None, regions=found)
    first = next(iter(words.areas.values()))
    found = _names("Areas, with semicolons between", first, lambda text: _known_area(text, words))
    return replace(answers, worst=None, areas=tuple(_area(each, words) for each in found))


def _area(text: str, words: Vocabulary) -> str:
    """Return the full name of the area that a text means: a file names areas in full.

    Raises
    ------
    DataError
        If it is not clear which one is meant.
    """
    from gwm_models.data.area_names import meaning_of, refusal
    from gwm_models.errors import DataError

    meant = meaning_of(text, words.areas, edition=words.edition, regions=words.regions)
    if meant.code is None:
        raise DataError(refusal(text, meant, words.edition))
    return words.areas[meant.code]


def _known_area(text: str, words: Vocabulary) -> str | None:
    from gwm_models.errors import DataError

    try:
        return _area(text, words)
    except DataError as error:
        write_line(f"  {error}")
        return None


def _names(question: str, default: str, find: Callable[[str], str | None]) -> tuple[str, ...]:
    """Ask for names until each is known."""

    def every(text: str) -> tuple[str, ...] | None:
        parts = [part.strip() for part in text.split(";") if part.strip()]
        unknown = [part for part in parts if find(part) is None]
        if unknown:
            write_line(f"  Not known: {', '.join(unknown)}")
        return None if unknown or not parts else tuple(parts)

    return tuple(_until(question, default, every))


def _until(question: str, default: str, accept: Callable[[str], Any]) -> Any:
    """Ask until an answer is accepted."""
    while True:
        found = accept(str(typer.prompt(question, default=default)).strip())
        if found is not None:
            return found
        write_line("  Not among the choices; write one as it stands above, or press Enter for the one in brackets.")
