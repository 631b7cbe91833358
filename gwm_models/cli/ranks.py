"""`gwm ranks`: how sure a rank is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gwm_models.cli.options import MONITOR, EditionOption
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
        float,
        typer.Option("--level", "--prob", min=0.01, max=0.999, help="Probability of the intervals; level of the sets."),
    ] = 0.9,
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
    bottom_fifth: Annotated[
        bool, typer.Option("--bottom-fifth", help="Which areas are surely in the bottom fifth.")
    ] = False,
    error: Annotated[
        float | None,
        typer.Option("--error", min=0.001, max=0.5, help="Error rate of --bottom-fifth; 0.05 by default."),
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
    draws: Annotated[int, typer.Option("--draws", min=100, max=100_000, help="Number of draws.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 20260101,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Rank the areas with intervals that carry the sampling error of the indicators.

    Two kinds of statement: posterior intervals (--method bayes) and confidence sets (--method sets); see both side by
    side with --method both. --sources method draws normalisation, weights and aggregation instead of sampling error.

    Examples: gwm ranks --area Blackpool; gwm ranks --compare Blackpool Knowsley; gwm ranks --bottom-fifth
    """
    from gwm_models.cli import ranks_print, ranks_statements
    from gwm_models.cli.ranks_found import Asked, find
    from gwm_models.data.edition import load_edition
    from gwm_models.data.lookup import find_area

    asked = Asked(
        level=level,
        method=method.value,
        simultaneous=simultaneous,
        stepdown=stepdown,
        side=side.value,
        source=sources.value,
        hours_error=hours_error,
        error=error,
        draws=draws,
        seed=seed,
    )
    asked.check(area=area is not None, compare=compare is not None, to=to is not None, fifth=bottom_fifth, plot=plot)
    edition = load_edition(name)
    place = None if area is None else find_area(edition, area)
    if compare is not None:
        first, second = (find_area(edition, text) for text in compare)
        ranks_statements.print_comparison(edition, asked, first, second, format)
    elif to is not None:
        ranks_statements.print_change(edition, load_edition(to), asked, place, format)
    elif bottom_fifth:
        ranks_statements.print_bottom_fifth(edition, asked, format)
    elif method is Method.sets:
        ranks_print.print_sets(edition, asked, place, format)
    else:
        found = find(edition, asked, with_sets=place is not None)
        if plot is not None:
            ranks_print.write_page(found, place, plot)
        ranks_print.print_ranks(found, place, format)
        if plot is not None and format is Format.table:
            ranks_print.say_written(plot)
