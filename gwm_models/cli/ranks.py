"""`gwm ranks`: how sure a rank is."""

from __future__ import annotations

from typing import Annotated

import typer

from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit

SHOWN = ("estimate", "lower", "upper")


def ranks(
    name: EditionOption = MONITOR,
    level: Annotated[
        float, typer.Option("--level", min=0.01, max=0.999, help="Probability of the rank intervals.")
    ] = 0.9,
    area: Annotated[str | None, typer.Option("--area", help="One area, by name or code.")] = None,
    draws: Annotated[int, typer.Option("--draws", min=100, max=100_000, help="Number of draws.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 20260101,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Rank the areas with intervals that carry the sampling error of the indicators.

    Example: gwm ranks --area Blackpool
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.data.lookup import find_area
    from gwm_models.ranks.edition import rank_rows
    from gwm_models.scenarios.words import level_words

    edition = load_edition(name)
    code = None if area is None else edition.areas.code[find_area(edition, area)]
    rows = rank_rows(edition, level=level, n_draws=draws, seed=seed)
    rows = [row for row in rows if code in (None, row["area_code"])]
    basis = "published" if edition.published else "computed"
    ends = [name for name in rows[0] if name.startswith(("prob_top_", "prob_bottom_")) and name[-1].isdigit()]
    columns = ["area_name", f"{basis}_score", f"{basis}_rank", *SHOWN, *ends] if format is Format.table else None
    emit(
        rows,
        format=format,
        columns=columns,
        title=f"{edition.spec.title}: posterior ranks of the total (1 is best), {level_words(level)} intervals",
    )
