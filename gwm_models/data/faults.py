"""Known faults of the published tables, found by computing on them: each is a warning, none is mended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from gwm_models.data.claims import SCORE_TABLES, claim_faults
from gwm_models.data.consistency import domain_gaps
from gwm_models.data.placed import Placed, PlacedTable
from gwm_models.data.roles import SCORES, Roles
from gwm_models.errors import Problem, some

CONDITIONS_DOMAINS = ("prosperity", "demand", "education", "inequality")
NO_REGION = ("", "#N/A")
AGREES = 0.2  # points between a total and the sum of four domains, each printed to one decimal
DISEASE_AREAS = 118
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def find_faults(tables: Placed) -> list[Problem]:
    """Run every search whose tables are present."""
    faults: list[Problem] = []
    if "conditions_scores" in tables:
        faults += conditions_total_faults(tables["conditions_scores"])
    if "areas" in tables:
        faults += region_faults(tables)
    if all(name in tables for name in SCORE_TABLES):
        faults += region_disagreements(tables)
    for name in SCORE_TABLES:
        if name in tables:
            faults += tie_faults(tables[name]) + order_faults(tables[name])
    if "disease_correlations" in tables:
        faults += correlation_faults(tables["disease_correlations"])
    return faults + claim_faults(tables)


def conditions_total_faults(conditions: PlacedTable) -> list[Problem]:
    """Compare the printed conditions totals with the sums of the four printed domains."""
    kept = "Kept as printed: the toolkit never assumes that these domains add up to the total"
    return sum_faults(conditions, CONDITIONS_DOMAINS, most=AGREES, kept=kept)


def sum_faults(
    table: PlacedTable, parts: Sequence[str], *, most: float, roles: Roles = SCORES, kept: str = ""
) -> list[Problem]:
    """Compare printed totals with the sums of their printed parts, in one warning for the whole table.

    Parameters
    ----------
    table : PlacedTable
    parts : sequence of str
    most : float
        Differences up to this are rounding.
    roles : Roles
    kept : str
        What is done about it, as the end of the warning.
    """
    gaps = domain_gaps(table, tuple(parts), roles.total)
    known = np.flatnonzero(np.isfinite(gaps))
    agree = int((np.abs(gaps[known]) <= most).sum())
    if agree == len(known):
        return []
    low, high = (int(known[place]) for place in (gaps[known].argmin(), gaps[known].argmax()))
    names = table[roles.name]
    with np.errstate(over="ignore", invalid="ignore"):  # a figure of the wrong size is an error of its own
        mean, sd = float(gaps[known].mean()), float(gaps[known].std(ddof=1)) if len(known) > 1 else 0.0
    what = (
        f"the printed total is not the sum of the {NUMBERS.get(len(parts), len(parts))} printed domains: {agree} of "
        f"{len(known)} areas agree within {most:g}; total minus sum has mean {'+' * (mean > 0)}{_tenth(mean)}, "
        f"sd {_tenth(sd)}, from {gaps[low]:+.1f} ({names[low]}) to {gaps[high]:+.1f} ({names[high]})"
    )
    return [table.warning(roles.total, _ended(what, kept))]


def region_faults(tables: Placed) -> list[Problem]:
    """Compare the region printed for each area with its ONS region."""
    areas = tables["areas"]
    official = dict(zip(areas["area_code"], areas["region_name"], strict=True))
    faults = []
    for name in SCORE_TABLES:
        if name in tables:
            faults += region_gaps(tables[name], official)
    return faults


def region_gaps(
    table: PlacedTable,
    true: Mapping[str, str],
    *,
    keys: Sequence[str] | None = None,
    roles: Roles = SCORES,
    whose: str = "its ONS region is",
    kept: str = "Kept as printed: the toolkit takes regions from the table areas",
) -> list[Problem]:
    """Find areas printed in another region than theirs.

    Parameters
    ----------
    table : PlacedTable
    true : mapping
        Region by key; areas it does not have are passed over.
    keys : sequence of str, optional
        Key of each row in `true`; the key column by default.
    roles : Roles
    whose, kept : str
        Words before the true region, and the end of the warning.
    """
    faults = []
    for row, code in enumerate(table[roles.key] if keys is None else keys):
        printed, region = table[roles.region][row], true.get(code)
        if region is not None and printed.casefold() != region.casefold():
            what = f"{table[roles.name][row]} is printed in '{printed}'; {whose} {region}"
            faults.append(table.warning(roles.region, _ended(what, kept), row))
    return faults


def region_disagreements(tables: Placed) -> list[Problem]:
    """Find areas that the two score tables print in different regions."""
    monitor, conditions = (tables[name] for name in SCORE_TABLES)
    other = dict(zip(conditions["area_code"], conditions["region_as_printed"], strict=True))
    faults = []
    for row, code in enumerate(monitor["area_code"]):
        here, there = monitor["region_as_printed"][row], other.get(code, "")
        if here != there and not {here, there} & {*NO_REGION}:
            what = (
                f"the two tables disagree on {monitor['area_name'][row]}: {here} in the Monitor table, "
                f"{there} in the conditions table. Kept as printed: the toolkit uses neither"
            )
            faults.append(monitor.warning("region_as_printed", what, row))
    return faults


def tie_faults(
    table: PlacedTable,
    roles: Roles = SCORES,
    *,
    decimals: int = 1,
    kept: str = "Kept as printed: the order rests on decimals that are not published",
) -> list[Problem]:
    """Find areas with the same printed total and different ranks."""
    total, rank, names = table[roles.total], table[roles.rank], table[roles.name]
    faults = []
    for value in np.unique(total[np.isfinite(total)])[::-1]:
        rows = np.flatnonzero((total == value) & np.isfinite(rank))
        tied = sorted(rows, key=lambda row: float(rank[row]))
        if len({float(rank[row]) for row in tied}) > 1:
            areas = _and([str(names[row]) for row in tied])
            ranks = _and([f"{rank[row]:g}" for row in tied])
            what = f"{areas} tie at the printed total, {value:.{decimals}f}, with ranks {ranks}"
            faults.append(table.warning(roles.rank, _ended(what, kept), int(tied[0])))
    return faults


def order_faults(
    table: PlacedTable,
    roles: Roles = SCORES,
    *,
    best: str = "high",
    decimals: int = 1,
    kept: str = "Kept as printed: the toolkit ranks by score",
) -> list[Problem]:
    """Find areas ranked below an area with a lower printed total (a higher one, where the lowest is best)."""
    total, rank, names = table[roles.total], table[roles.rank], table[roles.name]
    order = [int(i) for i in np.argsort(rank, kind="stable") if np.isfinite(rank[i]) and np.isfinite(total[i])]
    sign = 1 if best == "high" else -1
    faults = []
    for better, worse in pairwise(order):
        if sign * total[worse] > sign * total[better] and rank[worse] > rank[better]:
            what = (
                f"{names[worse]} ({total[worse]:.{decimals}f}) is ranked below "
                f"{names[better]} ({total[better]:.{decimals}f})"
            )
            faults.append(table.warning(roles.rank, _ended(what, kept), worse))
    return faults


def rank_faults(table: PlacedTable, roles: Roles = SCORES, *, best: str = "high") -> list[Problem]:
    """Find ranks that areas with different totals share, and ranks that are left out.

    Equal totals may share the better rank, the worse one, their mean, or a rank without a gap after it.
    """
    total, rank, names = table[roles.total], table[roles.rank], table[roles.name]
    known = np.flatnonzero(np.isfinite(total) & np.isfinite(rank))
    faults = []
    for value in np.unique(rank[known]):
        rows = [int(row) for row in known if rank[row] == value]
        if len({float(total[row]) for row in rows}) > 1:
            sharing = _and([f"{names[row]} ({total[row]:g})" for row in rows])
            faults.append(table.warning(roles.rank, f"{sharing} share rank {value:g}", rows[0]))
    if len(known) == len(total) and not faults:
        score = total if best == "low" else -total
        below = (score[:, None] > score).sum(axis=1)
        same = (score[:, None] == score).sum(axis=1)
        dense = np.unique(score, return_inverse=True)[1]
        ways = (below + 1, below + same, below + (same + 1) / 2, dense + 1)
        plain = sorted(rank.tolist()) == [place + 1 for place in range(len(rank))]
        if not plain and not any(np.array_equal(rank, way) for way in ways):
            missing = sorted({*range(1, len(rank) + 1)} - {*np.floor(rank), *np.ceil(rank)})
            first = int(np.flatnonzero(rank != below + 1)[0])
            left = f"; no area has rank {some(missing)}" if missing else ""
            what = f"{names[first]} has rank {rank[first]:g}; {int(below[first])} areas are above it{left}"
            faults.append(table.warning(roles.rank, what, first))
    return faults


def correlation_faults(diseases: PlacedTable, n_areas: int = DISEASE_AREAS) -> list[Problem]:
    """Find published correlations that do not agree with their own square or t statistic at two decimals."""
    r, square, t = diseases["pearson_r"], diseases["r_squared"], diseases["t_statistic"]
    from_t = t / np.hypot(t, math.sqrt(n_areas - 2))
    faults = []
    for row, name in enumerate(diseases["disease"]):
        if abs(from_t[row] - r[row]) > 0.005 + 1e-9:
            what = f"{name}: t {t[row]:g} over {n_areas} areas gives r {from_t[row]:.2f}, printed {r[row]:g}"
            faults.append(diseases.warning("t_statistic", f"{what}. Kept as printed", row))
        if abs(from_t[row] ** 2 - square[row]) > 0.005 + 1e-9:
            what = f"{name}: the square of r is {from_t[row] ** 2:.2f}, printed {square[row]:g}"
            faults.append(diseases.warning("r_squared", f"{what}. Kept as printed", row))
    return faults


def _tenth(number: float) -> str:
    """Write a number to one decimal, halves rounded away from zero as a reader of a printed table does."""
    return f"{number + math.copysign(1e-9, number):.1f}"


def _ended(what: str, kept: str) -> str:
    return f"{what}. {kept}" if kept else what


def _and(words: Sequence[str]) -> str:
    return " and ".join(words)
