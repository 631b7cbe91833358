"""Statements of `gwm ranks`: one area against another, change of rank between editions, the bottom fifth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gwm_models.cli.output import Format, emit, write_line
from gwm_models.cli.ranks_found import Asked, draws_of
from gwm_models.cli.ranks_print import SOURCE_WORDS
from gwm_models.errors import DataError
from gwm_models.plots.words import chance
from gwm_models.scenarios.words import level_words, signed, span

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition

CHANGE_COLUMNS = (
    "area_name",
    "rank_before",
    "rank_after",
    "estimate",
    "lower",
    "upper",
    "prob_improves",
    "prob_worsens",
)


def print_comparison(edition: Edition, asked: Asked, first: int, second: int, format: Format) -> None:
    """Set one area against another: score and rank."""
    from gwm_models.ranks.pairs import compare

    name, code = edition.areas.name, edition.areas.code
    if first == second:
        raise DataError(f"--compare needs two different areas; got {name[first]} twice.")
    draws, _, _ = draws_of(edition, asked)
    pair = compare(draws, code, code[first], code[second], level=asked.level)
    rows = [
        {**row, "area_name": name[first], "other_area_name": name[second], "source": asked.source}
        for row in pair.to_rows()
    ]
    level = level_words(asked.level)
    title = f"{edition.spec.title}: {name[first]} less {name[second]}, {level} intervals"
    columns = ("quantity", "estimate", "lower", "upper", "prob_above", "n") if format is Format.table else None
    emit(rows, format=format, columns=columns, title=title)
    if format is not Format.table:
        return
    write_line()
    write_line(
        f"{name[first]} is above {name[second]} with probability {chance(pair.prob_above)}: score "
        f"{signed(pair.estimate)} points ({span(pair.lower, pair.upper)}), rank {signed(pair.rank_estimate, 0)} places "
        f"({span(pair.rank_lower, pair.rank_upper, 0)}; a negative difference is a better rank)."
    )
    _basis([edition], asked)


def print_change(before: Edition, after: Edition, asked: Asked, place: int | None, format: Format) -> None:
    """Print the change of rank between two editions, among the areas they share."""
    from gwm_models.ranks.change import rank_change

    if before.name == after.name:
        raise DataError(f"--to names the edition that is changed from ({before.name}). Name another.")
    first, second = (_for_edition(edition, asked, before, after) for edition in (before, after))
    change = rank_change(
        draws_of(before, first)[0],
        draws_of(after, second)[0],
        before.areas.code,
        after_area=after.areas.code,
        pairing="independent",
        level=asked.level,
        seed=asked.seed,
    )
    name = dict(zip((*after.areas.code, *before.areas.code), (*after.areas.name, *before.areas.name), strict=True))
    rows = [
        {
            "area_code": row["area_code"],
            "area_name": name[str(row["area_code"])],
            "before": before.name,
            "after": after.name,
            **row,
            "source": asked.source,
        }
        for row in change.to_rows()
    ]
    if place is not None:
        rows = [row for row in rows if row["area_code"] == before.areas.code[place]]
        if not rows:
            raise DataError(f"{before.areas.name[place]} is not an area of {after.name}, so it has no change of rank.")
    columns = CHANGE_COLUMNS if format is Format.table else None
    title = f"Change of rank among {len(change.area)} areas, {before.name} to {after.name} (negative is better)"
    emit(rows, format=format, columns=columns, title=f"{title}, {level_words(asked.level)} intervals")
    if format is not Format.table:
        return
    write_line()
    for line in _change_notes(before, after):
        write_line(line)
    _basis([before, after], asked)


def _for_edition(edition: Edition, asked: Asked, before: Edition, after: Edition) -> Asked:
    """Drop the assumed error where one edition assumes none; if neither does it is refused later."""
    from gwm_models.ranks.edition import assumed_indicators

    if assumed_indicators(edition) or not (assumed_indicators(before) or assumed_indicators(after)):
        return asked
    return replace(asked, hours_error=None)


def _change_notes(before: Edition, after: Edition) -> list[str]:
    lines = []
    for one, other in ((before, after), (after, before)):
        rest = set(other.areas.code)
        only = [name for code, name in zip(one.areas.code, one.areas.name, strict=True) if code not in rest]
        if only:
            lines.append(f"Only in {one.name}, and left out before ranking: {', '.join(only)}.")
    if before.spec.indicator_ids != after.spec.indicator_ids:
        lines.append(
            "The two editions do not have the same indicators: part of a change is a change of what is ranked."
        )
    lines.append(
        "The sampling errors of the two editions are taken as independent; where they share respondents, intervals of "
        "the change are too wide rather than too narrow."
    )
    return lines


def print_bottom_fifth(edition: Edition, asked: Asked, format: Format) -> None:
    """Print which areas are surely in the bottom fifth."""
    lines: list[str] = []
    rows: list[dict[str, Any]] = []
    if asked.method != "sets":
        found, words = _named(edition, asked)
        rows, lines = found, [words]
    if asked.method != "bayes":
        found, words = _certain(edition, asked)
        rows = _joined(rows, found) if asked.method == "both" else found
        lines.append(words)
    title = f"{edition.spec.title}: areas that are in the bottom fifth, at an error rate of {asked.error_rate:g}"
    hidden = {"area_code", "group", "error", "level", "tau", "end", "n", "method", "source"}
    shown = [name for name in (rows[0] if rows else ()) if name not in hidden]
    if rows or format is not Format.table:
        emit(rows, format=format, columns=shown if format is Format.table else None, title=title)
    if format is Format.table:
        if rows:
            write_line()
        for line in lines:
            write_line(line)
        _basis([edition], asked)


def _named(edition: Edition, asked: Asked) -> tuple[list[dict[str, Any]], str]:
    """Return the areas named at an expected share of error."""
    from gwm_models.ranks.edition import n_ends
    from gwm_models.ranks.statements import sure_bottom_fifth
    from gwm_models.ranks.table import rank_areas

    draws, _, _ = draws_of(edition, asked)
    table = rank_areas(draws, edition.areas.code, level=asked.level, n_ends=n_ends(edition))
    sure = sure_bottom_fifth(table, error=asked.error_rate)
    rows = [_with_name(edition, row) | {"source": asked.source} for row in sure.to_rows()]
    return rows, sure.words()


def _certain(edition: Edition, asked: Asked) -> tuple[list[dict[str, Any]], str]:
    """Return the areas that may be, and those that surely are, among the worst, by confidence sets."""
    import numpy as np

    from gwm_models.ranks.edition import SET_DRAWS, SET_SEED, total_covariance
    from gwm_models.ranks.sets import tau_worst
    from gwm_models.ranks.table import fifth

    worst = tau_worst(
        edition.total,
        total_covariance(edition, asked.hours_error),
        fifth(len(edition.areas)),
        level=1 - asked.error_rate,
        stepdown=asked.stepdown,
        area=edition.areas.code,
        draws=SET_DRAWS,
        rng=SET_SEED,
    )
    every, order = worst.to_rows(), np.argsort(-edition.rank, kind="stable").tolist()
    rows = [_with_name(edition, every[i]) for i in order if worst.possible[i]]
    return rows, (
        f"Confidence sets: {worst.certain.sum()} areas are certainly among the {worst.tau} worst and "
        f"{worst.possible.sum()} may be; both lists are right at once at least {100 * worst.level:g}% of the time "
        f"({worst.method})."
    )


def _joined(named: Sequence[Mapping[str, Any]], possible: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each area that is named or possible; a figure that only one list has is missing."""
    codes = dict.fromkeys(row["area_code"] for row in (*named, *possible))
    by_code: list[dict[Any, Mapping[str, Any]]] = [
        {row["area_code"]: row for row in rows} for rows in (named, possible)
    ]
    rows = []
    for code in codes:
        one, other = (found.get(code, {}) for found in by_code)
        sets = {name: other.get(name, False) for name in ("possible", "certain")}
        shared = {"area_code": code, "area_name": (one or other)["area_name"]}
        bayes = {name: one.get(name) for name in ("prob", "false_discovery_rate")}
        rows.append({**shared, "named": bool(one), **bayes, **sets})
    return rows


def _with_name(edition: Edition, row: Mapping[str, Any]) -> dict[str, Any]:
    i = edition.areas.code.index(str(row["area_code"]))
    return {"area_code": row["area_code"], "area_name": edition.areas.name[i], **row}


def _basis(editions: Sequence[Edition], asked: Asked) -> None:
    """Say where the uncertainty comes from and what is assumed."""
    from gwm_models.ranks.edition import hours_words

    write_line(f"Uncertainty: {SOURCE_WORDS[asked.source]}.")
    for edition in editions if asked.source != "method" else ():
        words = hours_words(edition, asked.hours_error)
        if words:
            write_line(words)
