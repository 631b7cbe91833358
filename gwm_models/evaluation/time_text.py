"""Times written as text: brought into a form that sorts, and refused where no order can be told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gwm_models.errors import DataError
from gwm_models.evaluation.effect import Time

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
QUARTER_FIRST = re.compile(r"[Qq]([1-4])[ -]?(\d{4})")
QUARTER = re.compile(r"(\d{4})[ -]?[Qq]([1-4])")
MONTH_NAME = re.compile(r"([A-Za-z]{3,9})[ .-]*(\d{4})")
MONTH = re.compile(r"(\d{4})(?:[mM]|-(?=\d$))(\d{1,2})")
DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
DAY_FIRST = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2})")
YEAR_FIRST = re.compile(r"\d{4}\D.*")


def plain_text(text: str) -> str:
    """Return a time that is written in a usual form in one that sorts; other text as it is.

    Examples
    --------
    >>> [plain_text(text) for text in ("Q3 2001", "2001 Q3", "Sept 2001", "2001m9", "2001-9-1", "2001-03")]
    ['2001Q3', '2001Q3', '2001-09', '2001-09', '2001-09-01', '2001-03']
    """
    if found := QUARTER_FIRST.fullmatch(text):
        return f"{found[2]}Q{found[1]}"
    if found := QUARTER.fullmatch(text):
        return f"{found[1]}Q{found[2]}"
    if found := DAY.fullmatch(text):
        return f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}"
    if found := MONTH.fullmatch(text):
        return f"{found[1]}-{int(found[2]):02d}"
    if (found := MONTH_NAME.fullmatch(text)) and found[1][:3].lower() in MONTHS:
        return f"{found[2]}-{MONTHS.index(found[1][:3].lower()) + 1:02d}"
    return text


def check_order(texts: Sequence[str], column: str) -> None:
    """Refuse times whose order in the alphabet is not their order in time, or may not be.

    Raises
    ------
    DataError
        If days come first, there is no number in a time, or numbers of different length would be misplaced.
    """
    alphabet = sorted(set(texts))
    odd = next((text for text in alphabet if DAY_FIRST.fullmatch(text) or not re.search(r"\d", text)), None)
    if odd is None and sorted(alphabet, key=_by_number) != alphabet:
        odd = alphabet[0]
    if odd is not None:
        raise DataError(
            f"column '{column}' has times such as {odd!r}, whose order cannot be told. Write them as numbers or with "
            "the year first, such as 2001, 2001-09, 2001Q3 or 2001-09-30."
        )


def _by_number(text: str) -> list[tuple[int, int, str]]:
    """Return a key by which numbers within a text sort by size."""
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.split(r"(\d+)", text)]


def in_form(first: Time, times: Sequence[Time]) -> Time:
    """Return a time in the form of others: a year as text where they are text that begins with the year.

    Raises
    ------
    DataError
        If it is a number and they are text, or the other way round; or if it is below zero and no time is.

    Examples
    --------
    >>> in_form(2010, ("2009-01", "2010-01")), in_form(2010, (2009, 2010))
    ('2010', 2010)
    """
    if isinstance(first, int) and all(isinstance(at, str) and YEAR_FIRST.fullmatch(at) for at in times):
        first = str(first)
    if isinstance(first, str) != isinstance(times[0], str) or first == "":
        told = repr(first) if first != "" else "missing"
        raise DataError(f"the start is {told}, but times are such as {times[0]!r}. Give it in the same form.")
    if isinstance(first, int | float) and first < 0 and not any(at < 0 for at in times):  # type: ignore[operator]
        raise DataError(
            f"the start is {first}, but times begin at {times[0]}. Leave it empty, or write never, for what is not "
            "treated."
        )
    return first
