"""`gwm index`: the index itself."""

from __future__ import annotations

from typing import Annotated

import typer

from gwm_models.cli import index_regions, index_robustness, index_structure
from gwm_models.cli.output import Format, emit

app = typer.Typer(no_args_is_help=True, help="The index: scores, units, and how far ranks hang on its method.")

FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]


@app.command()
def scores(format: FormatOption = Format.table) -> None:
    """Print published scores, with the access domain recomputed from rates and each total's sampling error.

    Example: gwm index scores --format csv
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.index.rows import score_rows

    emit(score_rows(load_edition()), format=format, title="Scores, points; std_error is the total's sampling error")


@app.command()
def units(format: FormatOption = Format.table) -> None:
    """Print what one unit of each indicator is worth in score points, and how that is known.

    Example: gwm index units
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.index.calibration import points_per_unit

    emit(points_per_unit(load_edition()).rows(), format=format, title="Score points per unit of each indicator")


app.command()(index_robustness.robustness)
app.command()(index_structure.structure)
app.command()(index_regions.regions)
