"""The page of `gwm ranks` on one area, in plain words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.cli.output import write_line
from gwm_models.cli.ranks_found import Found
from gwm_models.cli.ranks_print import SOURCE_WORDS, notes, rows_of, set_kind
from gwm_models.errors import DataError
from gwm_models.plots.words import chance
from gwm_models.scenarios.words import level_words, number, span

APART = 0.95
"""Two areas are told apart if one is above the other with more than this probability."""
NEAREST = 8
PARTS = 24
"""A rank distribution is told in no more parts than that."""
SEEN = 0.01
"""Parts of a rank distribution that are less probable are left out."""
SCORES = {
    "sampling": "true score",
    "method": "under other methods",
    "both": "true score, under other methods as well,",
}
FIFTHS = ("highest", "second", "middle", "fourth", "lowest")


def area_row(found: Found, place: int) -> dict[str, Any]:
    """Return everything known about one area as one row."""
    from gwm_models.ranks.words import words_for

    row = rows_of(found)[place]
    low, high = _score(found, place)
    alike = _alike(found, place)
    code = found.edition.areas.code
    row |= {
        "words": words_for(found.table.to_rows(full=True)[place], methods=found.asked.source == "method"),
        "score_lower": low,
        "score_upper": high,
        "n_alike": len(alike),
        "alike": "; ".join(code[i] for i in alike),
        "alike_prob": APART,
    }
    row |= {f"prob_rank_{rank}": prob for rank, prob in enumerate(found.spread.of(code[place]).tolist(), start=1)}
    selected, _ = _selected(found, place)
    if selected is not None:
        row |= {f"selected_{name}": selected[name] for name in ("lower", "upper", "level", "end")}
    return row


def area_lines(found: Found, place: int) -> list[str]:
    """Say what is known about one area, a sentence a line, the most important first."""
    from gwm_models.ranks.edition import shared_unit_note
    from gwm_models.ranks.words import ordinal, words_for

    edition, table, level = found.edition, found.table, level_words(found.asked.level)
    methods = found.asked.source == "method"
    n, basis = len(edition.areas), "published" if edition.published else "computed"
    low, high = _score(found, place)
    shrunk = "" if found.shrunk is None else f", shrunk towards its region {found.shrunk[place]:.1f}"
    draws = SCORES[found.asked.source]
    fifths = ", ".join(
        f"{name} {chance(float(prob))}" for name, prob in zip(FIFTHS, table.prob_fifth[place], strict=True)
    )
    first, last = (f"{chance(float(prob[place]))}" for prob in (table.prob_top, table.prob_bottom))
    lines = [
        words_for(table.to_rows(full=True)[place], methods=methods),
        f"{basis.capitalize()} {ordinal(int(edition.rank[place]))} of {n}, score {edition.total[place]:.1f}; {draws} "
        f"{span(low, high)} ({level}){shrunk}.",
        f"Rank: median {table.estimate[place]}, mean {table.expected[place]:.1f}, standard deviation "
        f"{table.sd[place]:.1f}, {level} {table.lower[place]} to {table.upper[place]}; among the best {table.n_ends} "
        f"{first}, among the worst {table.n_ends} {last}.",
        f"{'Share of the methods drawn that put it in' if methods else 'Probability of'} each fifth of the table: "
        f"{fifths}.",
        f"Of its ranks: {distribution_words(found.spread.of(edition.areas.code[place]))}.",
        _alike_words(found, place),
        *_set_lines(found, place),
    ]
    if found.asked.source != "method" and (note := shared_unit_note(edition, edition.areas.code[place])):
        lines.append(note)
    selected, reason = _selected(found, place)
    if selected is not None and found.shrunk is not None:
        lines.append(
            f"It is among the {selected['n_selected']} {selected['end']}, and such scores are extreme partly by "
            f"chance. The shrunk score, {number(float(found.shrunk[place]))}, allows for that; corrected for the "
            f"selection without a model of the true scores, the {level} interval is "
            f"{span(selected['lower'], selected['upper'])}, errors of areas taken as independent."
        )
    return [*lines, reason] if reason else lines


def distribution_words(prob: NDArray[np.float64]) -> str:
    """Say a rank distribution in few words: neighbouring ranks together, those that are hardly possible left out.

    Parameters
    ----------
    prob : ndarray, shape (n_areas,)
        Probability of each rank, 1 first.

    Examples
    --------
    >>> distribution_words(np.array([0.7, 0.296, 0.004]))
    '1 70%, 2 30%; any other under 1%'
    """
    n = len(prob)
    width = -(-n // PARTS)
    parts = [
        (first + 1, min(first + width, n), float(prob[first : first + width].sum())) for first in range(0, n, width)
    ]
    kept = [(low, high, share) for low, high, share in parts if share >= SEEN]
    words = ", ".join(f"{low if low == high else f'{low}-{high}'} {chance(share)}" for low, high, share in kept)
    left = 1 - sum(share for *_, share in kept)
    return f"{words}; any other {chance(left)}" if len(kept) < len(parts) else words


def print_area(found: Found, place: int) -> None:
    """Print the page of one area."""
    areas = found.edition.areas
    write_line(f"{areas.name[place]} ({areas.region[place]}). {found.edition.spec.title}.")
    for line in area_lines(found, place):
        write_line(f"  {line}")
    write_line()
    for line in notes(found):
        write_line(line)


def _score(found: Found, place: int) -> tuple[float, float]:
    tails = [(1 - found.asked.level) / 2, (1 + found.asked.level) / 2]
    low, high = np.quantile(found.draws[:, place], tails)
    return float(low), float(high)


def _alike(found: Found, place: int) -> list[int]:
    """Return the areas that cannot be told from one, the nearest by expected rank first."""
    own = found.draws[:, [place]]
    above = ((found.draws > own).mean(axis=0) + (found.draws >= own).mean(axis=0)) / 2
    distance = np.abs(found.table.expected - found.table.expected[place])
    order = np.argsort(distance, kind="stable")
    return [i for i in order.tolist() if i != place and max(above[i], 1 - above[i]) <= APART]


def _alike_words(found: Found, place: int) -> str:
    alike, names = _alike(found, place), found.edition.areas.name
    methods = found.asked.source == "method"
    if not alike and methods:
        return f"More than {APART:.0%} of the methods drawn agree on which side of it every other area is."
    if not alike:
        return f"It can be told from every other area (either way more probable than {APART:.0%})."
    nearest = ", ".join(names[i] for i in alike[:NEAREST])
    which = "" if len(alike) <= NEAREST else ", the nearest"
    many = f"{len(alike)} of {len(names) - 1} other areas{which}: {nearest}"
    if methods:
        return f"No more than {APART:.0%} of the methods drawn agree on whether it is above each of {many}."
    return f"It cannot be told (at {APART:.0%}) from {many}."


def _set_lines(found: Found, place: int) -> list[str]:
    """Say the confidence set of the area; nothing without sampling error."""
    if found.sets is None:
        return []
    low, high = int(found.sets.lower[place]), int(found.sets.upper[place])
    both = "" if found.asked.source == "sampling" else f", for the {SOURCE_WORDS['sampling']} only"
    return [f"Confidence set ({100 * found.sets.level:g}%{both}; {set_kind(found.sets)}): ranks {low} to {high}."]


def _selected(found: Found, place: int) -> tuple[dict[str, Any] | None, str]:
    """Return the score corrected for selection where the area is at an end of the table, or why there is none."""
    from gwm_models.ranks.edition import n_ends, total_covariance
    from gwm_models.ranks.selected import End, selected_scores

    edition = found.edition
    n, size = len(edition.areas), n_ends(edition)
    rank = int(edition.rank[place])
    if found.asked.source == "method" or size == n or size < rank <= n - size:
        return None, ""
    end: End = "best" if rank <= size else "worst"
    error = np.sqrt(np.diag(total_covariance(edition, found.asked.hours_error)))
    try:
        scores = selected_scores(
            edition.total, error, edition.areas.code, n_selected=size, end=end, level=found.asked.level
        )
    except DataError as reason:
        return None, f"Not corrected for selection: {reason}"
    by_code = {row["area_code"]: row for row in scores.to_rows()}
    row = by_code.get(edition.areas.code[place])
    return (None, "") if row is None else ({**row, "n_selected": size}, "")
