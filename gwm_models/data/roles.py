"""What each column of a table of scores is: key, name, total, parts, rank, region; given, or known by its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gwm_models.data.descriptor import nearest
from gwm_models.errors import DataError

KEYS = ("area_code", "unit_code", "code", "gss_code", "geography_code", "id")
NAMES = ("area_name", "unit_name", "name", "area", "local_authority", "authority", "district", "place")
TOTALS = ("total", "total_score", "overall", "overall_score", "score", "index", "index_score", "composite")
RANKS = ("rank", "ranking", "position", "overall_rank", "total_rank")
REGIONS = ("region_as_printed", "region", "region_name")
NOT_PARTS = re.compile(
    r"(.*_)?(year|date|population.*|households|latitude|longitude|easting|northing|lower.*|upper.*|std_error|se|level|n)"
)
"""Figures that stand in a table of scores without being part of the total."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of columns by what they hold; empty where a table has none.

    Attributes
    ----------
    key, name : str
        What identifies an area, and what it is called; may be one column.
    total : str
    parts : tuple of str
        Domains that should add up to the total.
    rank, region : str
    """

    key: str
    name: str
    total: str = ""
    parts: tuple[str, ...] = ()
    rank: str = ""
    region: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns that hold text."""
        return tuple(dict.fromkeys(name for name in (self.key, self.name, self.region) if name))

    @property
    def figures(self) -> tuple[str, ...]:
        """Columns that hold figures: parts and total."""
        return tuple(dict.fromkeys((*self.parts, *filter(None, (self.total,)))))

    def __str__(self) -> str:
        """Return the roles in words, as they are told to the reader of a check."""
        words = [f"areas by {self.key}"]
        if self.total:
            words.append(f"{self.total} = {' + '.join(self.parts)}" if self.parts else f"score {self.total}")
        words += [f"{what} {name}" for what, name in (("rank", self.rank), ("region", self.region)) if name]
        return ", ".join(words)


SCORES = Roles("area_code", "area_name", "total", (), "rank", "region_as_printed")
"""The columns of the published tables of scores."""


def find_roles(
    columns: Sequence[str],
    numeric: Collection[str],
    domains: Sequence[Sequence[str]] = (),
    *,
    key: str | None = None,
    total: str | None = None,
    parts: Sequence[str] | None = None,
    rank: str | None = None,
    region: str | None = None,
) -> Roles:
    """Find what the columns of a table hold.

    Parameters
    ----------
    columns : sequence of str
    numeric : collection of str
        Columns whose cells are numbers.
    domains : sequence of sequences of str
        Domain ids of known indices: where a table has all of one index, these are its parts.
    key, total, parts, rank, region : optional
        Columns named by the user; an empty text means there is none. Others are known by their names.

    Raises
    ------
    DataError
        If a named column is not there, or no column names the areas.

    Examples
    --------
    >>> str(find_roles(["Rank", "Area", "Work", "Pay", "Total"], ["Rank", "Work", "Pay", "Total"]))
    'areas by Area, Total = Work + Pay, rank Rank'
    """
    for name in (*filter(None, (key, total, rank, region)), *(parts or ())):
        if name not in columns:
            raise DataError(f"The table has no column '{name}'.{nearest(name, columns)}")
    region = _named(columns, REGIONS) if region is None else region
    name = _named(columns, NAMES, ending="_name", without=(region,))
    code = (_named(columns, KEYS, ending="_code", without=(region,)) or name) if key is None else key
    if not code:
        raise DataError(f"No column names the areas ({', '.join(columns)}). Say which does, with --key.")
    rank = _named(columns, RANKS) if rank is None else rank
    total = _named([column for column in columns if column in numeric], TOTALS) if total is None else total
    if parts is None:
        taken = {code, name, rank, total, region}
        free = [column for column in columns if column in numeric and column not in taken]
        parts = _parts(columns, free, domains) if total else ()
    return Roles(code, name or code, total, tuple(parts), rank, region)


def _parts(columns: Sequence[str], free: Sequence[str], domains: Sequence[Sequence[str]]) -> tuple[str, ...]:
    for known in domains:
        if known and {*known} <= {*columns}:
            return tuple(known)
    guess = tuple(column for column in free if not NOT_PARTS.fullmatch(_plain(column)))
    return guess if len(guess) > 1 else ()


def _named(columns: Sequence[str], names: Sequence[str], *, ending: str = "", without: Collection[str] = ()) -> str:
    plain = {_plain(column): column for column in columns if column not in without}
    known = [plain[name] for name in names if name in plain]
    if ending and not known:
        known = [column for name, column in plain.items() if name.endswith(ending) and "region" not in name]
    return known[0] if known else ""


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")
