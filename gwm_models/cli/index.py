"""`gwm index`: the index itself."""

from __future__ import annotations

from typing import Annotated

import typer

from gwm_models.cli import (
    index_groups,
    index_peers,
    index_regions,
    index_reproduce,
    index_robustness,
    index_scores,
    index_series,
    index_structure,
)
from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit

app = typer.Typer(no_args_is_help=True, help="The index: scores, units, and how far ranks hang on its method.")

FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]

app.command()(index_scores.scores)


@app.command()
def units(name: EditionOption = MONITOR, format: FormatOption = Format.table) -> None:
    """Print what one unit of each indicator is worth in score points, and how that is known.

    Example: gwm index units
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.index.calibration import points_per_unit

    emit(points_per_unit(load_edition(name)).rows(), format=format, title="Score points per unit of each indicator")


app.command()(index_robustness.robustness)
app.command()(index_structure.structure)
app.command()(index_regions.regions)
app.command()(index_groups.groups)
app.command()(index_peers.peers)
app.command()(index_reproduce.reproduce)
app.command()(index_series.series)
