"""`gwm index`: the index itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.output import Format, emit

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition

app = typer.Typer(no_args_is_help=True, help="The index: scores, and points per unit of its indicators.")

FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]


@app.command()
def scores(format: FormatOption = Format.table) -> None:
    """Print published scores, with the access domain recomputed from rates and each total's sampling error.

    Example: gwm index scores --format csv
    """
    from gwm_models.data.edition import load_edition

    emit(score_rows(load_edition()), format=format, title="Scores, points; std_error is the total's sampling error")


@app.command()
def units(format: FormatOption = Format.table) -> None:
    """Print what one unit of each indicator is worth in score points, and how that is known.

    Example: gwm index units
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.index.calibration import points_per_unit

    emit(points_per_unit(load_edition()).rows(), format=format, title="Score points per unit of each indicator")


def score_rows(edition: Edition) -> list[dict[str, Any]]:
    """Return one row an area: published scores, the recomputed access domain, the total's standard error."""
    from gwm_models.index.sampling import sampling_error
    from gwm_models.index.scoring import access_scores

    error, access = sampling_error(edition).total_std_error, access_scores(edition)
    return [
        {
            "rank": int(edition.rank[i]),
            "area_code": code,
            "area_name": edition.areas.name[i],
            **{d: float(edition.domain_scores[i, k]) for k, d in enumerate(edition.spec.domain_ids)},
            "total": float(edition.total[i]),
            "access_recomputed": round(float(access[i]), 2),
            "std_error": round(float(error[i]), 2),
        }
        for i, code in enumerate(edition.areas.code)
    ]
