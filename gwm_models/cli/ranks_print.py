"""The rank tables that `gwm ranks` prints, and the page of charts."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gwm_models.cli.output import Format, emit, write_line
from gwm_models.cli.ranks_found import Asked, Found
from gwm_models.plots.words import chance
from gwm_models.scenarios.words import level_words

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition
    from gwm_models.plots.boundaries import Boundaries
    from gwm_models.ranks.sets_result import RankSets

SHOWN = ("estimate", "lower", "upper")
SOURCE_WORDS = {
    "sampling": "sampling error of the indicators",
    "method": "normalisation, weights and aggregation drawn at random, the figures as they are",
    "both": "sampling error, and normalisation, weights and aggregation drawn at random",
}
OFFICIAL = "Official figures are used under the Open Government Licence v3.0, (c) Crown copyright."
INTERVAL_QUESTION = (
    "Interval (estimate, lower, upper): where the true rank lies, given these figures and a model in which the true "
    "scores of a region spread around its mean."
)
METHOD_SHARES = (
    "Methods are drawn evenly from those named, which is a choice: percentages are shares of the methods drawn, not "
    "probabilities of being right."
)
BOTH_SHARES = "Methods are drawn evenly from those named, which is a choice: probabilities and intervals rest on it."
TIES = (
    "Where true scores come in tied clumps, an interval often misses part of the tied ranks and only the set keeps its "
    "promise; where they do not, the set is wider than it need be."
)


def print_ranks(found: Found, place: int | None, format: Format) -> None:
    """Print all areas, or what is known about the one at `place`."""
    from gwm_models.cli.ranks_area import area_row, print_area

    if place is None:
        rows = rows_of(found)
        columns = _columns(found, rows[0]) if format is Format.table else None
        _print(rows, columns, _title(found), notes(found), format)
    elif format is Format.table:
        print_area(found, place)
    else:
        emit([area_row(found, place)], format=format)


def print_sets(edition: Edition, asked: Asked, place: int | None, format: Format) -> None:
    """Print confidence sets alone, of all areas or of the one at `place`."""
    from gwm_models.cli.ranks_found import sets_of
    from gwm_models.ranks.edition import hours_words, with_scores

    sets = sets_of(edition, asked)
    rows = with_scores(edition, sets.to_rows())
    shown = rows if place is None else [rows[place]]
    level = level_words(asked.level)
    title = f"{edition.spec.title}: {level} confidence sets for the rank of the total (1 is best); {set_kind(sets)}"
    lines = [set_question(sets), set_basis(edition), hours_words(edition, asked.hours_error)]
    _print(shown, _first_columns(edition) if format is Format.table else None, title, lines, format)


def _print(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | None,
    title: str,
    lines: Sequence[str],
    format: Format,
) -> None:
    emit(in_words(rows) if format is Format.table else rows, format=format, columns=columns, title=title)
    if format is Format.table:
        write_line()
        for line in lines:
            if line:
                write_line(line)


def in_words(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write the probabilities of rows as percentages, none of them certain: they are counted over draws."""
    return [
        {
            name: chance(value) if isinstance(value, float) and name.startswith("prob") else value
            for name, value in row.items()
        }
        for row in rows
    ]


def rows_of(found: Found) -> list[dict[str, Any]]:
    """Return one row an area: intervals, sets beside them, and where the method is drawn the shares of the sources.

    `rank_of_expected` is the place of the area by expected rank, a whole number that few areas share, where many may
    have one median rank: Laird & Louis (1989), Empirical Bayes ranking methods, Journal of Educational Statistics.
    """
    from gwm_models.ranks.edition import table_rows

    rows = table_rows(found.edition, found.table, found.shrunk, full=True)
    more, expected = _by_source(found), found.table.expected
    for i, row in enumerate(rows):
        row["rank_of_expected"] = 1 + int((expected < expected[i]).sum())
        row["source"] = found.asked.source
        row.update(set_columns(found, i))
        row.update(more[i] if more else {})
    return rows


def set_columns(found: Found, i: int) -> dict[str, object]:
    """Return the confidence set of one area in columns of its own; empty without sets."""
    sets = found.sets
    if sets is None:
        return {}
    return {
        "set_lower": int(sets.lower[i]),
        "set_upper": int(sets.upper[i]),
        "set_level": sets.level,
        "set_simultaneous": sets.simultaneous,
        "set_stepdown": sets.stepdown,
        "set_side": sets.side,
        "set_method": sets.method,
        "set_n": sets.n_draws,
    }


def _by_source(found: Found) -> list[dict[str, object]]:
    """Return the intervals of either source alone and the shares of the variance of each rank, if both are drawn."""
    from gwm_models.ranks.sources import SOURCES
    from gwm_models.ranks.table import rank_areas

    parts = found.parts
    if parts is None or found.asked.source != "both":
        return []
    area, level = found.edition.areas.code, found.asked.level
    alone = {name: rank_areas(parts.of(name), area, level=level, n_ends=1) for name in SOURCES[:2]}
    shares = parts.shares(found.asked.seed).to_rows()[1:]
    return [
        {
            **{f"{name}_lower": int(table.lower[i]) for name, table in alone.items()},
            **{f"{name}_upper": int(table.upper[i]) for name, table in alone.items()},
            **{name: value for name, value in share.items() if name != "area_code"},
        }
        for i, share in enumerate(shares)
    ]


def _columns(found: Found, row: dict[str, Any]) -> list[str]:
    first = _first_columns(found.edition)
    if found.sets is not None:
        return [*first, "set_lower", "set_upper"]
    if found.asked.source == "both":
        alone = [f"{name}_{end}" for name in ("sampling", "method") for end in ("lower", "upper")]
        return [*first, *alone, "share_sampling", "share_method"]
    return [*first, *(name for name in row if name.startswith(("prob_top_", "prob_bottom_")) and name[-1].isdigit())]


def _first_columns(edition: Edition) -> list[str]:
    basis = "published" if edition.published else "computed"
    return ["area_name", f"{basis}_score", f"{basis}_rank", *SHOWN]


def _title(found: Found) -> str:
    what, level = found.edition.spec.title, level_words(found.asked.level)
    if found.asked.source == "method":
        return f"{what}: ranks of the total (1 is best) under other methods, {level} intervals"
    if found.asked.source == "both":
        return f"{what}: posterior ranks of the total (1 is best), under other methods as well, {level} intervals"
    return f"{what}: posterior ranks of the total (1 is best), {level} intervals"


def set_kind(sets: RankSets) -> str:
    """Say which confidence sets these are."""
    words = ["simultaneous" if sets.simultaneous else "marginal", "stepdown" if sets.stepdown else "single step"]
    if sets.side != "both":
        words.append(f"{sets.side} rank bounded only")
    return f"{', '.join(words)}; {sets.method}"


def set_question(sets: RankSets) -> str:
    """Say which question the confidence sets answer."""
    promise = "all sets at once hold the true ranks" if sets.simultaneous else "each set holds its true rank"
    return (
        "Confidence set: which ranks the figures leave open, with no model of the true scores; if the sampling errors "
        f"are as stated, {promise} at least {100 * sets.level:g}% of the time over repeated surveys ({set_kind(sets)})."
    )


def set_basis(edition: Edition) -> str:
    """Say what is taken as known of the sampling errors; what is assumed for want of figures is said elsewhere."""
    from gwm_models.index.sampling import sampling_error
    from gwm_models.ranks.edition import assumed_indicators, short_label

    assumed = [short_label(edition, edition.spec.indicator_ids[j]) for j in assumed_indicators(edition)]
    stated = [note for note in sampling_error(edition).notes if not note.startswith(tuple(assumed))]
    return " ".join(["Errors stated: normal, and of known size.", *stated])


def notes(found: Found) -> list[str]:
    """Say what the numbers mean and what they rest on."""
    from gwm_models.ranks.edition import hours_words

    lines = []
    if found.sets is not None:
        wide = float(np.mean(found.table.upper - found.table.lower + 1))
        wider = float(np.mean(found.sets.upper - found.sets.lower + 1))
        lines += [INTERVAL_QUESTION, set_question(found.sets), set_basis(found.edition), TIES]
        lines.append(f"Mean width of {len(found.table.area)} ranks: interval {wide:.0f}, confidence set {wider:.0f}.")
    lines += [f"Uncertainty: {SOURCE_WORDS[found.asked.source]}.", *_method_notes(found)]
    if found.asked.source != "method":
        lines.append(hours_words(found.edition, found.asked.hours_error))
    return [line for line in lines if line]


def _method_notes(found: Found) -> list[str]:
    from gwm_models.ranks.edition import short_label

    if found.parts is None:
        return []
    lines = [METHOD_SHARES if found.asked.source == "method" else BOTH_SHARES]
    if found.asked.source == "both":
        lines.append(found.parts.shares(found.asked.seed).words())
        lines.append("What a method does to the figures as published is added to draws of the true totals.")
    if found.parts.left_out:
        names = " and ".join(short_label(found.edition, name) for name in found.parts.left_out)
        lines.append(f"{names}: no open figures by area, so methods are varied over the other indicators.")
    return lines


def write_page(found: Found, place: int | None, path: Path, boundaries: Boundaries | None = None) -> None:
    """Write the page of charts, its map of true shapes where they are given."""
    from gwm_models.cli.ranks_area import area_lines
    from gwm_models.data.vocabulary import EDITIONS
    from gwm_models.report.made import page_manifest
    from gwm_models.report.ranks import write_rank_page
    from gwm_models.scenarios.sources import edition_sources

    edition = found.edition
    prob = np.stack([found.spread.of(code) for code in edition.areas.code])
    lead = [] if place is None else area_lines(found, place)
    write_rank_page(
        path,
        rows_of(found),
        prob,
        title="Ranks and how sure they are" if place is None else f"{edition.areas.name[place]}: its rank",
        lead=lead,
        facts=f"{edition.spec.title}. {len(edition.areas)} areas, {found.asked.draws:,} draws, "
        f"seed {found.asked.seed}. Intervals: {level_words(found.asked.level)}.",
        notes=[
            *notes(found),
            *([OFFICIAL] if edition.name in EDITIONS else []),
        ],
        area=None if place is None else edition.areas.code[place],
        boundaries=boundaries,
        sources=edition_sources(edition),
        manifest=page_manifest(
            edition, shlex.join(["gwm", *sys.argv[1:]]), draws=found.asked.draws, seed=found.asked.seed
        ),
    )


def say_written(path: Path) -> None:
    """Say where the page is."""
    write_line(f"Page: {path}")
