"""`gwm index series`: scores of the open editions by year, and who moved."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.area import place_among
from gwm_models.cli.output import Format, emit, write_json, write_line

if TYPE_CHECKING:
    from gwm_models.index.series import Movers, Series

MOVED = (
    *("area_name", "estimate", "std_error", "lower", "upper", "relative_change", "prob_rise", "q_value", "verdict"),
    *("across_break", "n", "level"),
)


UNITS = "the open editions (units of April 2019)"


class Show(StrEnum):
    """Which of the two tables to write."""

    all = "all"
    scores = "scores"
    movers = "movers"


def series(
    area: Annotated[str | None, typer.Option("--area", help="One unit, by name or code; all if not given.")] = None,
    first: Annotated[int, typer.Option("--from", help="First year, 2017 to 2021.")] = 2017,
    last: Annotated[int, typer.Option("--to", help="Last year, 2017 to 2021.")] = 2021,
    by: Annotated[str, typer.Option("--by", help="total, a domain or an indicator.")] = "total",
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.999, help="Of the intervals.")] = 0.95,
    show: Annotated[Show, typer.Option("--show", help="Which table; CSV holds the scores unless movers.")] = Show.all,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Show scores by year from open figures, and who rose or fell between two years beyond sampling error.

    Satisfactory hours is missing, and the survey changed method in 2020: every title says so. JSON is one object.

    Example: gwm index series --by access --from 2017 --to 2019
    """
    from gwm_models.index.series import index_series, movers, series_notes, series_title

    found = index_series(by=by, first=first, last=last)
    place = None if area is None else place_among(found.areas, area, edition="open-2021", where=UNITS)
    moved = movers(found, level=level) if first < last else None
    if moved is None and show is Show.movers:
        movers(found, level=level)
    title = series_title(found, level=level)
    scores = _of(found.rows(level=level), found, place)
    changes = _of(moved.rows(), found, place) if moved else []
    notes = [*series_notes(found), *(moved.notes() if moved else ())]
    if format is Format.json:
        parts: dict[str, Any] = {"title": title}
        parts |= {} if show is Show.movers else {"scores": scores}
        parts |= {} if show is Show.scores else {"movers": changes}
        write_json({**parts, "notes": notes})
    elif format is Format.csv:
        emit(changes if show is Show.movers else scores, format=format)
    else:
        if show is not Show.movers:
            emit(scores if place is not None else _wide(found), format=format, title=title)
            write_line()
        if moved and show is not Show.scores:
            emit(changes, format=format, columns=MOVED, title=_movers_title(moved, title))
            write_line()
        for note in notes:
            write_line(note)


def _of(rows: list[dict[str, object]], found: Series, place: int | None) -> list[dict[str, object]]:
    return rows if place is None else [row for row in rows if row["area_code"] == found.areas.code[place]]


def _wide(found: Series) -> list[dict[str, object]]:
    """Return one row an area, with the score and its standard error in each year."""
    return [
        {
            "area_code": code,
            "area_name": found.areas.name[i],
            **{str(year): float(found.estimate[t, i]) for t, year in enumerate(found.years)},
            **{f"std_error_{year}": float(found.std_error[t, i]) for t, year in enumerate(found.years)},
        }
        for i, code in enumerate(found.areas.code)
    ]


def _movers_title(moved: Movers, title: str) -> str:
    flag = "; ACROSS THE BREAK OF 2020, so partly a change of method" if moved.across_break else ""
    return f"Change {moved.first} to {moved.last}{flag}. {title}"
