"""Statements of `gwm ranks`: one area against another, areas listed for the bottom fifth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gwm_models.cli.output import Format, emit, write_line
from gwm_models.cli.ranks_found import Asked, draws_of
from gwm_models.cli.ranks_print import BOTH_SHARES, METHOD_SHARES, SOURCE_WORDS, in_words, set_basis
from gwm_models.errors import DataError
from gwm_models.plots.words import chance
from gwm_models.scenarios.words import level_words, signed, span

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition


def print_comparison(edition: Edition, asked: Asked, first: int, second: int, format: Format) -> None:
    """Set one area against another: score and rank."""
    from gwm_models.ranks.pairs import compare

    name, code = edition.areas.name, edition.areas.code
    if first == second:
        raise DataError(f"--compare needs two different areas; got {name[first]} twice.")
    draws, _, parts = draws_of(edition, asked)
    pair = compare(draws, code, code[first], code[second], level=asked.level)
    rows = [
        {**row, "area_name": name[first], "other_area_name": name[second], "source": asked.source}
        for row in pair.to_rows()
    ]
    level = level_words(asked.level)
    title = f"{edition.spec.title}: {name[first]} less {name[second]}, {level} intervals"
    columns = ("quantity", "estimate", "lower", "upper", "prob_above", "n") if format is Format.table else None
    emit(in_words(rows) if format is Format.table else rows, format=format, columns=columns, title=title)
    if format is not Format.table:
        return
    write_line()
    above = chance(pair.prob_above)
    how_often = f"with {above} of the methods drawn" if asked.source == "method" else f"with probability {above}"
    write_line(
        f"{name[first]} is above {name[second]} {how_often}: score "
        f"{signed(pair.estimate)} points ({span(pair.lower, pair.upper)}), rank {signed(pair.rank_estimate, 0)} places "
        f"({span(pair.rank_lower, pair.rank_upper, 0)}; a negative difference is a better rank)."
    )
    shared = shared_words(edition, first, second)
    if shared and asked.source != "method":
        write_line(shared)
    if parts is not None and (parts.shift[:, first] == parts.shift[:, second]).all():
        write_line(
            f"{name[first]} and {name[second]} have the same figures in every indicator that methods are varied for: "
            "no method drawn changes the difference between their scores."
        )
    print_basis([edition], asked)


def shared_words(edition: Edition, first: int, second: int) -> str:
    """Say which scores of two areas come from one survey of both; empty where they were surveyed apart."""
    areas, spec = edition.areas, edition.spec
    if areas.unit[first] != areas.unit[second]:
        return ""
    pairs = zip(spec.domain_ids, edition.domain_scores[first], edition.domain_scores[second], strict=True)
    same = [name for name, one, other in pairs if one == other]
    if not same:
        return ""
    return (
        f"{areas.name[first]} and {areas.name[second]} carry one figure for {' and '.join(same)}, which cannot tell "
        "them apart. Draws take all errors of the two areas as independent, so the probability is drawn towards a "
        "half; confidence sets count the error of what they share once."
    )


def print_bottom_fifth(edition: Edition, asked: Asked, format: Format) -> None:
    """Print the areas listed for the bottom fifth, those that confidence sets place there, or both."""
    lines: list[str] = []
    rows: list[dict[str, Any]] = []
    if asked.method != "sets":
        found, words = _named(edition, asked)
        rows, lines = found, [words]
    if asked.method != "bayes":
        found, words = _certain(edition, asked)
        rows = _joined(rows, found) if asked.method == "both" else found
        lines += [words, set_basis(edition)]
    title = f"{edition.spec.title}: {_list_title(asked)}"
    hidden = {"area_code", "group", "error", "level", "tau", "end", "n", "method", "source"}
    shown = [name for name in (rows[0] if rows else ()) if name not in hidden]
    if rows or format is not Format.table:
        tidy = in_words(rows) if format is Format.table else rows
        emit(tidy, format=format, columns=shown if format is Format.table else None, title=title)
    if format is Format.table:
        if rows:
            write_line()
        for line in lines:
            write_line(line)
        print_basis([edition], asked)


def _list_title(asked: Asked) -> str:
    share = f"{100 * asked.error_rate:g}%"
    listed = f"list of areas of which at most {share} are expected not to belong to the bottom fifth"
    placed = f"areas that may belong to the bottom fifth, at {100 * (1 - asked.error_rate):g}% confidence"
    return {"bayes": listed, "sets": placed, "both": f"{listed}; {placed}"}[asked.method]


def _named(edition: Edition, asked: Asked) -> tuple[list[dict[str, Any]], str]:
    """Return the areas listed at an expected share of error."""
    from gwm_models.ranks.edition import n_ends
    from gwm_models.ranks.statements import list_bottom_fifth
    from gwm_models.ranks.table import rank_areas

    draws, _, _ = draws_of(edition, asked)
    table = rank_areas(draws, edition.areas.code, level=asked.level, n_ends=n_ends(edition))
    found = list_bottom_fifth(table, error=asked.error_rate)
    rows = [_with_name(edition, row) | {"source": asked.source} for row in found.to_rows()]
    return rows, f"{found.words()} The error is of the list as a whole: one area of it may be less sure."


def _certain(edition: Edition, asked: Asked) -> tuple[list[dict[str, Any]], str]:
    """Return the areas that may be among the worst, and which of them are at the level asked, by confidence sets."""
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
        f"Confidence sets: at {100 * worst.level:g}% confidence {worst.certain.sum()} areas are among the {worst.tau} "
        f"worst, and {worst.possible.sum()} may be, no others. If the sampling errors are as stated, both lists are "
        f"right for all areas at once at least that often over repeated surveys ({worst.method})."
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


def print_basis(editions: Sequence[Edition], asked: Asked, *, advice: bool = True) -> None:
    """Say where the uncertainty comes from and what is assumed, with `advice` how to assume something else."""
    from gwm_models.ranks.edition import hours_words

    write_line(f"Uncertainty: {SOURCE_WORDS[asked.source]}.")
    if asked.source != "sampling":
        write_line(METHOD_SHARES if asked.source == "method" else BOTH_SHARES)
    for edition in editions if asked.source != "method" else ():
        words = hours_words(edition, asked.hours_error, advice=advice)
        if words:
            write_line(words)
