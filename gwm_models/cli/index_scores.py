"""`gwm index scores`: the scores of an edition, of the Monitor or of its conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.area import place_of
from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition


class IndexName(StrEnum):
    """The two indices of the report."""

    monitor = "monitor"
    conditions = "conditions"


IndexOption = Annotated[IndexName, typer.Option("--index", help="Good work itself, or the conditions for it.")]
AreaOption = Annotated[str | None, typer.Option("--area", help="One area, by name or code.")]


def scores(
    edition: EditionOption = MONITOR,
    index: IndexOption = IndexName.monitor,
    area: AreaOption = None,
    sort: Annotated[
        str, typer.Option("--sort", help="Order by a column: scores from the highest, ranks and text upwards.")
    ] = "rank",
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Print the scores of every area: published, with what can be recomputed beside them.

    Of the Monitor, access_recomputed is scored from rates (for 72 areas those rates were inferred from the score: see
    gwm index reproduce) and std_error is the total's sampling error. Of the conditions, DOMAIN_open is the mean score,
    1-100, of the open figures that stand in for indicators of the domain.

    Example: gwm index scores --sort pay
    """
    from gwm_models.index.rows import score_rows

    chosen = load_index(edition, index)
    rows = score_rows(chosen)
    kept = rows if area is None else [rows[place_of(chosen, area)]]
    emit(sorted_rows(kept, sort), format=format, title=score_title(chosen))


def load_index(edition: str, index: IndexName) -> Edition:
    """Load an edition of the Monitor, or the conditions published with it.

    Raises
    ------
    DataError
        If the edition has no conditions.
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.errors import DataError

    if index is IndexName.monitor:
        return load_edition(edition)
    if edition != MONITOR:
        what = f"Edition '{edition}' has no Conditions for Good Work"
        raise DataError(f"{what}; they were published with {MONITOR} only.")
    from gwm_models.index.conditions import load_conditions

    return load_conditions()


def score_title(edition: Edition) -> str:
    """Say the unit, the period and what is missing."""
    spec = edition.spec
    low, high = spec.score_range()
    ranges = sorted({spec.score_range(name) for name in spec.domain_ids})
    domain = " or ".join(f"{lowest:g}-{highest:g}" for lowest, highest in ranges)
    how = "as published" if edition.published else "computed from the levels, not published"
    points = f"score points (domain {domain}, total {low:g}-{high:g}), {how}."
    return f"{spec.title}: {points}{figure_words(edition)}"


def figure_words(edition: Edition) -> str:
    """Say the period of the figures, and which indicators have none, as the end of a title."""
    import numpy as np

    empty = [s.id for j, s in enumerate(edition.spec.indicators) if not np.isfinite(edition.values[:, j]).any()]
    period = f" Figures of {edition.period}." if edition.period else ""
    return period + (f" No open figures: {', '.join(empty)}." if empty else "")


def sorted_rows(rows: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Order rows by a column: figures from the highest, ranks and text upwards, missing last.

    Raises
    ------
    DataError
        If there is no such column.
    """
    from gwm_models.data.descriptor import nearest
    from gwm_models.errors import DataError

    if column not in rows[0]:
        raise DataError(f"There is no column '{column}' to sort by.{nearest(column, rows[0])}")
    if column == "rank":
        return sorted(rows, key=lambda row: row["rank"] if row["rank"] > 0 else math.inf)
    if isinstance(rows[0][column], str):
        return sorted(rows, key=lambda row: row[column])
    return sorted(rows, key=lambda row: math.inf if math.isnan(row[column]) else -row[column])
