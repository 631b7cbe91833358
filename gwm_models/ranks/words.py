"""What is known about an area's rank, in plain words with stated thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from gwm_models.errors import DataError

VOCABULARY: tuple[tuple[str, float], ...] = (
    ("almost surely", 0.99),
    ("very likely", 0.9),
    ("likely", 0.66),
    ("about as likely as not", 0.33),
    ("unlikely", 0.1),
    ("very unlikely", 0.01),
    ("almost surely not", 0.0),
)
"""Least probability of each phrase, the highest first; the first three are the ones `words_for` claims a place with.

The thresholds are those of the guidance to authors of the Intergovernmental Panel on Climate Change (Mastrandrea et
al. 2010, table 1), whose "virtually certain" is "almost surely" here. Each phrase begins at its threshold: 0.66 is
likely, 0.33 about as likely as not.
"""
CLAIMS = VOCABULARY[:3]
PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("in the highest fifth", ("prob_fifth_1",)),
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


def likelihood(prob: float) -> str:
    """Return the phrase for a probability, by the thresholds of `VOCABULARY`.

    Raises
    ------
    ValueError
        If `prob` is not a probability.

    Examples
    --------
    >>> likelihood(0.995), likelihood(0.9), likelihood(0.5), likelihood(0.005)
    ('almost surely', 'very likely', 'about as likely as not', 'almost surely not')
    """
    if not 0 <= prob <= 1:
        raise ValueError(f"prob must lie between 0 and 1; got {prob!r}.")
    return next(phrase for phrase, least in VOCABULARY if prob >= least)


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
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level!r}.")
    exact = Fraction(level).limit_denominator(10**6)
    for base in (10, 20, 100):
        times = exact * base
        if times.denominator == 1 and abs(float(exact) - level) < 1e-9:
            return f"once in {base}" if times == 1 else f"{times} times in {base}"
    return f"{100 * level:g}% of the time"


def words_for(row: Mapping[str, object]) -> str:
    """Say what is known about one area's rank.

    The interval first; then where in the table the area is: the surest phrase of `VOCABULARY`, down to "likely",
    that holds for some part of the table, with the narrowest part it holds for.

    Parameters
    ----------
    row : mapping
        A row of ``RankTable.to_rows(full=True)``.

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
    """
    needed = ("lower", "upper", "level", *dict.fromkeys(name for _, names in PLACES for name in names))
    missing = [name for name in needed if name not in row]
    if missing:
        raise DataError(f"the row has no {', '.join(missing)}. Make it with RankTable.to_rows(full=True).")
    lower, upper = int(_number(row, "lower")), int(_number(row, "upper"))
    rank = f"Between {ordinal(lower)} and {ordinal(upper)}" if lower < upper else f"{ordinal(lower).capitalize()}"
    return f"{rank}, {times_in(_number(row, 'level'))}; {_place(row)}."


def _place(row: Mapping[str, object]) -> str:
    for phrase, least in CLAIMS:
        for place, names in PLACES:
            if sum(_number(row, name) for name in names) >= least - 1e-9:
                return f"{phrase} {place}"
    return "it could be in any third of the table"


def _number(row: Mapping[str, object], name: str) -> float:
    value = row[name]
    if not isinstance(value, int | float):
        raise DataError(f"{name} must be a number; got {value!r}.")
    return float(value)
