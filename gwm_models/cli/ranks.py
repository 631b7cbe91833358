"""`gwm ranks`: how sure a rank is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gwm_models.cli.area import place_of
from gwm_models.cli.options import MONITOR, BoundariesOption, EditionOption, shapes_of
from gwm_models.cli.output import Format


class Method(StrEnum):
    """Which kind of statement is made."""

    bayes = "bayes"
    sets = "sets"
    both = "both"


class Side(StrEnum):
    """Which ends of a confidence set are bounded."""

    both = "both"
    best = "best"
    worst = "worst"


class Sources(StrEnum):
    """Where the uncertainty comes from."""

    sampling = "sampling"
    method = "method"
    both = "both"


def ranks(
    name: EditionOption = MONITOR,
    level: Annotated[
        float | None,
        typer.Option(
            "--level",
            "--prob",
            min=0.5,
            max=0.999,
            help="Probability of the intervals, or level of the sets; 0.9 by default.",
        ),
    ] = None,
    area: Annotated[
        str | None, typer.Option("--area", help="One area, by name or code: a page in plain words.")
    ] = None,
    method: Annotated[
        Method, typer.Option("--method", help="Posterior intervals, confidence sets, or the two side by side.")
    ] = Method.bayes,
    simultaneous: Annotated[
        bool, typer.Option("--simultaneous", help="Confidence sets that hold for all areas at once.")
    ] = False,
    stepdown: Annotated[bool, typer.Option("--stepdown", help="Narrow the confidence sets in steps.")] = False,
    side: Annotated[Side, typer.Option("--side", help="Bound both ends of the confidence sets, or one.")] = Side.both,
    compare: Annotated[
        tuple[str, str] | None, typer.Option("--compare", help="Two areas set against each other.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="EDITION", help="Change of rank from --edition to this one.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="SCENARIO", help="Change of rank that a scenario makes: a file, or a name."),
    ] = None,
    year: Annotated[int | None, typer.Option("--year", help="Year of --scenario; its last one if left out.")] = None,
    bottom_fifth: Annotated[
        bool, typer.Option("--bottom-fifth", help="List areas for the bottom fifth, with few expected not to be in it.")
    ] = False,
    error: Annotated[
        float | None,
        typer.Option(
            "--error", min=0.001, max=0.5, help="Share of the list of --bottom-fifth expected to be wrong; 0.05."
        ),
    ] = None,
    sources: Annotated[
        Sources, typer.Option("--sources", help="Sampling error of the figures, the method of the index, or both.")
    ] = Sources.sampling,
    hours_error: Annotated[
        float | None,
        typer.Option("--hours-error", min=0.0, max=100.0, metavar="POINTS", help="Assumed sampling error of hours."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.html", help="Write a page with charts as well.")
    ] = None,
    boundaries: BoundariesOption = None,
    draws: Annotated[
        int | None,
        typer.Option("--draws", min=100, max=100_000, help="Number of draws; 4000, or what --scenario says."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of the draws; 20260101, or what --scenario says.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Rank the areas with intervals that carry the sampling error of the indicators.

    Two kinds of statement: posterior intervals (--method bayes) and confidence sets (--method sets); see both side by
    side with --method both. --sources method draws normalisation, weights and aggregation instead of sampling error.

    Examples: gwm ranks --area Blackpool; gwm ranks --compare Blackpool Knowsley; gwm ranks --bottom-fifth;
    gwm ranks --scenario northern-participation-2026 --year 2030
    """
    from gwm_models.cli import ranks_change, ranks_print, ranks_statements
    from gwm_models.cli.ranks_found import DRAWS, LEVEL, SEED, Asked, find
    from gwm_models.data.edition import load_edition
    from gwm_models.errors import DataError

    asked = Asked(
        level=LEVEL if level is None else level,
        method=method.value,
        simultaneous=simultaneous,
        stepdown=stepdown,
        side=side.value,
        source=sources.value,
        hours_error=hours_error,
        error=error,
        draws=DRAWS if draws is None else draws,
        seed=SEED if seed is None else seed,
    )
    statements = (compare is not None, to is not None, scenario is not None, bottom_fifth)
    typed = {name for name, value in (("level", level), ("draws", draws), ("seed", seed)) if value is not None}
    asked.check(area=area is not None, statements=statements, year=year, plot=plot, typed=typed)
    if boundaries is not None and plot is None:
        raise DataError("--boundaries is for the map of --plot: add --plot FILE.html, or leave it out.")
    if scenario is not None:
        projected = ranks_change.scenario_draws(scenario, year, draws=draws, seed=seed)
        edition = ranks_change.edition_of(projected, name)
        place = None if area is None else place_of(edition, area)
        ranks_change.print_scenario(projected, asked, place, format)
        return
    edition = load_edition(name)
    if to is not None:
        ranks_change.print_editions(edition, load_edition(to), asked, area, format)
        return
    place = None if area is None else place_of(edition, area)
    if compare is not None:
        first, second = (place_of(edition, text) for text in compare)
        ranks_statements.print_comparison(edition, asked, first, second, format)
    elif bottom_fifth:
        ranks_statements.print_bottom_fifth(edition, asked, format)
    elif method is Method.sets:
        ranks_print.print_sets(edition, asked, place, format)
    else:
        shapes = shapes_of(boundaries, edition.areas.code)
        found = find(edition, asked, with_sets=place is not None)
        if plot is not None:
            ranks_print.write_page(found, place, plot, shapes)
        ranks_print.print_ranks(found, place, format)
        if plot is not None and format is Format.table:
            ranks_print.say_written(plot)
