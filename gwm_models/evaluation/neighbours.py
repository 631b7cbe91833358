"""Which units share a border, so that donors can leave out the neighbours of treated units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gwm_models.data.tables import read_table
from gwm_models.errors import DataError
from gwm_models.evaluation.effect import Check
from gwm_models.evaluation.panel import label

Pair = tuple[str, str]
REASON = "neighbour of a treated unit"


def neighbour_pairs() -> tuple[Pair, ...]:
    """Return the units of the Monitor that share a border, as pairs of unit codes, in order.

    Areas that share one unit are not neighbours of each other.

    Examples
    --------
    >>> ("E06000036", "E06000041") in neighbour_pairs()
    True
    """
    areas, borders = read_table("areas"), read_table("borders")
    unit = dict(zip(areas["area_code"].tolist(), areas["unit_code"].tolist(), strict=True))
    pairs = zip(borders["area_code_1"].tolist(), borders["area_code_2"].tolist(), strict=True)
    both = {tuple(sorted((unit[a], unit[b]))) for a, b in pairs if a in unit and b in unit}
    return tuple(sorted((a, b) for a, b in both if a != b))


def rows_apart(units: Sequence[str], pairs: Iterable[tuple[object, object]]) -> dict[int, frozenset[int]]:
    """Return the neighbours of each unit, by row.

    Parameters
    ----------
    units : sequence of str
        Units of the panel, in order.
    pairs : iterable of pairs of units
        In either order; pairs with a unit that is not in the panel are passed over.

    Raises
    ------
    DataError
        If there are pairs, and none is of units of the panel.

    Examples
    --------
    >>> rows_apart(["A", "B", "C"], [("A", "C"), ("B", "X")])
    {0: frozenset({2}), 2: frozenset({0})}
    """
    row = {name: k for k, name in enumerate(units)}
    found: dict[int, set[int]] = {}
    named = [(label(a), label(b)) for a, b in pairs]
    for a, b in named:
        if a in row and b in row and a != b:
            found.setdefault(row[a], set()).add(row[b])
            found.setdefault(row[b], set()).add(row[a])
    if named and not found:
        raise DataError(
            f"none of the {len(named)} pairs of neighbours, such as {named[0]}, is of two units of the panel. "
            "Name units as the panel does."
        )
    return {k: frozenset(found[k]) for k in sorted(found)}


def neighbour_check(excluded: Sequence[str], given: bool) -> Check:
    """Say how many neighbours of treated units were left out, or that none were named.

    Parameters
    ----------
    excluded : sequence of str
        What was left out, each with the reason.
    given : bool
        Whether pairs of neighbours were given.

    Examples
    --------
    >>> neighbour_check(["B: neighbour of a treated unit"], True).words
    '1 neighbour of the treated is no donor.'
    """
    gone = sum(line.endswith(REASON) for line in excluded)
    if not given:
        words = "No neighbours were named: donors next to the treated are in use, and may have been touched by it."
        return Check("neighbours", None, "info", words)
    told = (
        "1 neighbour of the treated is no donor." if gone == 1 else f"{gone} neighbours of the treated are no donors."
    )
    return Check("neighbours", float(gone), "pass", told)
