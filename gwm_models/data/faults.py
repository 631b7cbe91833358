"""Known faults of the published tables, found by computing on them: each is a warning, none is mended."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np

from gwm_models.data.claims import SCORE_TABLES, claim_faults
from gwm_models.data.consistency import domain_gaps
from gwm_models.data.constraints import place_table
from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.home import data_home
from gwm_models.data.placed import Placed, PlacedTable
from gwm_models.errors import Problem

CONDITIONS_DOMAINS = ("prosperity", "demand", "education", "inequality")
NO_REGION = ("", "#N/A")
AGREES = 0.2  # points between a total and the sum of four domains, each printed to one decimal
DISEASE_AREAS = 118


def known_faults(folder: Path | None = None) -> list[Problem]:
    """Find the faults of the published tables.

    Parameters
    ----------
    folder : path, optional
        Folder with a datapackage.json; the shipped data by default. Tables it does not have, or that cannot
        be read, are passed over: `gwm_models.data.package.check_package` reports those.

    Returns
    -------
    list of Problem
        Warnings: what is printed, what disagrees with it, what the toolkit does about it.
    """
    home = data_home() if folder is None else folder
    placed = {}
    for name, resource in read_descriptor(home).resources.items():
        table, _ = place_table(home, resource)
        if table is not None:
            placed[name] = table
    return find_faults(placed)


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
    gaps = domain_gaps(conditions, CONDITIONS_DOMAINS)
    agree = int((np.abs(gaps) <= AGREES).sum())
    if agree == len(gaps):
        return []
    low, high = int(gaps.argmin()), int(gaps.argmax())
    names = conditions["area_name"]
    with np.errstate(over="ignore"):  # a figure of the wrong size is an error of its own
        mean, sd = float(gaps.mean()), float(gaps.std(ddof=1))
    what = (
        f"the printed total is not the sum of the four printed domains: {agree} of {len(gaps)} areas agree "
        f"within {AGREES}; total minus sum has mean {'+' * (mean > 0)}{_tenth(mean)}, sd {_tenth(sd)}, from "
        f"{gaps[low]:+.1f} ({names[low]}) to {gaps[high]:+.1f} ({names[high]}). Kept as printed: the toolkit "
        "never assumes that these domains add up to the total"
    )
    return [conditions.warning("total", what)]


def region_faults(tables: Placed) -> list[Problem]:
    """Compare the region printed for each area with its ONS region."""
    areas = tables["areas"]
    official = dict(zip(areas["area_code"], areas["region_name"], strict=True))
    faults = []
    for name in SCORE_TABLES:
        table = tables.get(name)
        if table is None:
            continue
        for row, code in enumerate(table["area_code"]):
            printed, true = table["region_as_printed"][row], official.get(code)
            if true is not None and printed != true:
                what = (
                    f"{table['area_name'][row]} is printed in '{printed}'; its ONS region is {true}. "
                    "Kept as printed: the toolkit takes regions from the table areas"
                )
                faults.append(table.warning("region_as_printed", what, row))
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


def tie_faults(table: PlacedTable) -> list[Problem]:
    """Find areas with the same printed total and different ranks."""
    total, rank, names = table["total"], table["rank"], table["area_name"]
    faults = []
    for value in np.unique(total)[::-1]:
        tied = sorted(np.flatnonzero(total == value), key=lambda row: int(rank[row]))
        if len({int(rank[row]) for row in tied}) > 1:
            areas, ranks = (" and ".join(str(column[row]) for row in tied) for column in (names, rank))
            what = (
                f"{areas} tie at the printed total, {value:.1f}, with ranks {ranks}. Kept as printed: the "
                "order rests on decimals that are not published"
            )
            faults.append(table.warning("rank", what, int(tied[0])))
    return faults


def order_faults(table: PlacedTable) -> list[Problem]:
    """Find areas ranked below an area with a lower printed total."""
    order = np.argsort(table["rank"], kind="stable")
    total, names = table["total"], table["area_name"]
    faults = []
    for better, worse in pairwise(order):
        if total[worse] > total[better]:
            what = (
                f"{names[worse]} ({total[worse]:.1f}) is ranked below {names[better]} ({total[better]:.1f}). "
                "Kept as printed: the toolkit ranks by score"
            )
            faults.append(table.warning("rank", what, int(worse)))
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
