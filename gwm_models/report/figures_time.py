"""A figure that the report has not: the open editions over the years."""

from __future__ import annotations

import numpy as np

from gwm_models.data.open_editions import BREAK_YEAR, open_edition
from gwm_models.data.vocabulary import MONITOR, OPEN_YEARS
from gwm_models.errors import DataError
from gwm_models.index.series import Movers, index_series, movers, series_notes
from gwm_models.plots.words import level_words
from gwm_models.plots.years import changes, year_lines
from gwm_models.report.figures_parts import LEVEL, Asked, Made, Number, by_level
from gwm_models.report.figures_sources import edition_sources

OURS = "The report has no such figure: this one is ours."
FEW = {0: "none", 1: "one", 2: "two", 3: "three"}
MOVED = ("rose", "fell")
NAMED = 2
"""Areas named at each end of the changes."""


def over_time(asked: Asked) -> Made:
    """Draw the open editions over the years, and who rose or fell beyond sampling error."""
    if asked.edition.name != MONITOR and asked.edition.name not in {f"open-{year}" for year in OPEN_YEARS}:
        raise DataError(f"{asked.edition.name} has no other years: the series is of the open editions of England.")
    series = index_series()
    before = movers(index_series(last=BREAK_YEAR - 1), level=LEVEL)
    whole = movers(series, level=LEVEL)
    rows = before.rows()
    known = [row for row in rows if np.isfinite(float(str(row["estimate"])))]
    named = {str(row["area_code"]): "before" for row in known[:NAMED]}
    named |= {str(row["area_code"]): "after" for row in known[-NAMED:]}
    rose, fell = before.verdict.count("rose"), before.verdict.count("fell")
    before_words, after_words = (_moved_words(found) for found in (before, whole))
    before_words = before_words[:1].upper() + before_words[1:]
    span = f"{before.first} to {before.last}"
    years = f"{series.years[0]} to {series.years[-1]}"
    return Made(
        title=(
            f"{before_words} by more than chance gives among {before.n} areas from {span}; across the break of "
            f"{BREAK_YEAR}, {after_words} by {whole.last}"
        ),
        specs=[
            *year_lines(
                series.rows(level=LEVEL),
                named=named,
                keys={"before": f"Rose most {span}", "after": f"Fell most {span}"},
                axis="Total of the open index, points",
                description=f"Totals of {len(series.areas)} areas in the open editions of {years}.",
                title="The open editions",
                break_at=BREAK_YEAR - 0.5,
                break_words=f"The survey changed method in {BREAK_YEAR}",
            ),
            *changes(
                rows,
                axis=f"Change {span}, points",
                description=(
                    f"Change of the total from {span} in {before.n} areas with its 95% interval: {rose} rose and "
                    f"{fell} fell beyond sampling error."
                ),
                title=f"Change {span}",
                level=level_words(LEVEL),
            ),
        ],
        reading=(
            "A pale line is an area; those that rose and fell most before the break are in colour, "
            "with the interval of each year. Then the same changes for all areas; a verdict allows for how many areas "
            "are looked at (false discovery rate 5%).",
            before.notes()[0],
        ),
        interval=by_level(LEVEL, "sampling error of both years, for each change alone"),
        period=f"Open editions {years}; changes {span}",
        unit="score points, 5 to 500, on bounds that are the same in all years",
        n=f"{before.n} areas with figures in {before.first} and {before.last}",
        numbers=(
            *_moved(before, known[:1], "Largest rise"),
            *_moved(before, known[-1:], "Largest fall"),
            *_moved(whole, [row for row in whole.rows() if row["verdict"] in MOVED], "Change over the break,"),
        ),
        sources=edition_sources(open_edition(OPEN_YEARS[-1])),
        left_out=tuple(note.rstrip(".") for note in series_notes(series) if "has no figure" in note),
        caution=" ".join([OURS, *series_notes(series)[:2], *series_notes(series)[5:7], before.notes()[1]]),
    )


def _moved_words(found: Movers) -> str:
    """Say how many rose and fell beyond sampling error."""
    rose, fell = found.verdict.count("rose"), found.verdict.count("fell")
    if not rose + fell:
        return "no area moved"
    told = [f"{FEW.get(n, str(n))} {word}" for n, word in ((rose, "rose"), (fell, "fell"))]
    return " and ".join(told)


def _moved(found: Movers, rows: list[dict[str, object]], what: str) -> tuple[Number, ...]:
    return tuple(
        Number.of(
            f"{what} {found.first} to {found.last}: {row['area_name']} ({_verdict(row, found)})",
            "points",
            row,
            found.n,
            level=found.level,
            places=1,
        )
        for row in rows
    )


def _verdict(row: dict[str, object], found: Movers) -> str:
    """Say what a change is told to be, allowing for how many areas are looked at."""
    verdict = str(row["verdict"])
    return verdict if verdict in MOVED else f"not told from chance among {found.n} areas"
