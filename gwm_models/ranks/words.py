"""What is known about an area's rank, in plain words with stated thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from gwm_models.errors import DataError

VOCABULARY: tuple[tuple[str, float], ...] = (
    ("almost surely", 0.99),
    ("very likely", 0.9),
    ("likely", 0.66),
)
"""Least probability of each phrase that a place is claimed with, the surest first.

The thresholds are those of the guidance to authors of the Intergovernmental Panel on Climate Change (Mastrandrea et
al. 2010, table 1), whose "virtually certain" is "almost surely" here. Each phrase begins at its threshold: 0.66 is
likely.
"""
VERY_LIKELY = 0.9
"""Least probability of a narrower place that is said beside what is surer of a wider one."""
PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("in the highest fifth", ("prob_fifth_1",)),
    ("in the second fifth", ("prob_fifth_2",)),
    ("in the middle fifth", ("prob_fifth_3",)),
    ("in the fourth fifth", ("prob_fifth_4",)),
    ("in the lowest fifth", ("prob_fifth_5",)),
    ("in the highest third", ("prob_third_1",)),
    ("in the middle third", ("prob_third_2",)),
    ("in the lowest third", ("prob_third_3",)),
    ("in the upper two thirds", ("prob_third_1", "prob_third_2")),
    ("in the lower two thirds", ("prob_third_2", "prob_third_3")),
)
"""Parts of the table an area is placed in, the narrowest first, and the columns whose sum is their probability."""


def ordinal(number: int) -> str:
    """Write an ordinal.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 21, 112, 1103)]
    ['1st', '2nd', '3rd', '4th', '11th', '21st', '112th', '1103rd']
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def times_in(level: float) -> str:
    """Write a level as so many times in ten, in twenty or in a hundred, whichever says it exactly; else in percent.

    Raises
    ------
    ValueError
        If `level` is outside (0, 1).

    Examples
    --------
    >>> times_in(0.9), times_in(0.95), times_in(0.1), times_in(0.99), times_in(0.875)
    ('9 times in 10', '19 times in 20', 'once in 10', '99 times in 100', '87.5% of the time')
    """
    odds = _odds(level)
    if odds is None:
        return f"{100 * level:g}% of the time"
    times, base = odds
    return f"once in {base}" if times == 1 else f"{times} times in {base}"


def _odds(level: float) -> tuple[int, int] | None:
    """Return a level as so many in ten, in twenty or in a hundred; None if none of them says it exactly."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    exact = Fraction(level).limit_denominator(10**6)
    for base in (10, 20, 100):
        times = exact * base
        if times.denominator == 1 and abs(float(exact) - level) < 1e-9:
            return int(times), base
    return None


def words_for(row: Mapping[str, object], *, methods: bool = False) -> str:
    """Say what is known about one area's rank.

    The interval first; then where in the table the area is: the surest phrase of `VOCABULARY` that holds for some
    part of the table, with the narrowest part it holds for; and where that is "almost surely", the narrowest part in
    which the area very likely is, if it is narrower.

    Parameters
    ----------
    row : mapping
        A row of ``RankTable.to_rows(full=True)``.
    methods : bool
        Whether the draws are methods of making the index: their shares are no probabilities, and are said as shares.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> from gwm_models.ranks.table import rank_areas
    >>> table = rank_areas([[3, 2, 1], [3, 1, 2], [2, 3, 1]], ["A", "B", "C"], n_ends=1)
    >>> words_for(table.to_rows(full=True)[2])
    'Between 2nd and 3rd, 9 times in 10; almost surely in the lower two thirds.'
    >>> words_for(table.to_rows(full=True)[2], methods=True)
    'Between 2nd and 3rd with 9 in 10 of the methods drawn; in the lower two thirds with 99% of them or more.'
    """
    needed = ("lower", "upper", "level", *dict.fromkeys(name for _, names in PLACES for name in names))
    missing = [name for name in needed if name not in row]
    if missing:
        raise DataError(f"the row has no {', '.join(missing)}. Make it with RankTable.to_rows(full=True).")
    lower, upper = int(_number(row, "lower")), int(_number(row, "upper"))
    rank = f"Between {ordinal(lower)} and {ordinal(upper)}" if lower < upper else f"{ordinal(lower).capitalize()}"
    level, places = _number(row, "level"), _places(row)
    if not methods:
        where = ", ".join(f"{phrase} {place}" for phrase, _, place in places)
        return f"{rank}, {times_in(level)}; {where or 'it could be in any third of the table'}."
    odds = _odds(level)
    share = f"{100 * level:g}%" if odds is None else f"{odds[0]} in {odds[1]}"
    where = ", ".join(f"{place} with {100 * least:g}% of them or more" for _, least, place in places)
    return f"{rank} with {share} of the methods drawn; {where or 'they leave open which third of the table it is in'}."


def _places(row: Mapping[str, object]) -> list[tuple[str, float, str]]:
    """Return phrase, threshold and place of what is surest, and of a narrower place that is very likely."""
    found: list[tuple[str, float, str]] = []
    widest = float("inf")
    for phrase, least in VOCABULARY:
        for place, names in PLACES if not found or least >= VERY_LIKELY else ():
            width = len(names) / (5 if names[0].startswith("prob_fifth") else 3)
            if width < widest and sum(_number(row, name) for name in names) >= least - 1e-9:
                found.append((phrase, least, place))
                widest = width
                break
    return found


def _number(row: Mapping[str, object], name: str) -> float:
    value = row[name]
    if not isinstance(value, int | float):
        raise DataError(f"{name} must be a number; got {value!r}.")
    return float(value)
