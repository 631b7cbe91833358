"""Fields of an area that a target may go by: its own, its group, its conditions and its indicators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.tables import Column, read_table
from gwm_models.errors import DataError, some
from gwm_models.models.store import Record, find, fingerprint, remember
from gwm_models.scenarios.baseline import Baseline
from gwm_models.scenarios.conditions import edition_conditions
from gwm_models.scenarios.known import NUMBER_FIELDS, TEXT_FIELDS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

GROUPS_FILE = "area-groups"
"""Name of the stored groups, without its ending."""


@dataclass(frozen=True, eq=False)
class AreaCluster:
    """Groups of similar areas: the group of each area, (n_areas,), and their names."""

    label: NDArray[np.int64]
    name: tuple[str, ...]

    def members(self, wanted: tuple[str, ...], edition: str) -> Bools:
        """Return the areas of the groups of those names.

        Raises
        ------
        DataError
            If the edition has no group of one of the names.
        """
        strange = [name for name in wanted if name not in self.name]
        if strange:
            raise DataError(
                f"{edition} has no group '{strange[0]}' of similar areas; it has {some(self.name, len(self.name))}. "
                "See gwm index groups."
            )
        return np.isin(self.label, [self.name.index(name) for name in wanted])


@lru_cache(maxsize=4)
def area_clusters(edition: Edition) -> AreaCluster:
    """Return the groups of similar areas that `gwm index groups` finds; kept once found, which takes ten seconds."""
    key = clusters_key(edition)
    record = find(GROUPS_FILE, key)
    if record is None:
        record = clusters_record(edition)
        remember(key, record)
    return AreaCluster(record.arrays["label"][1].astype(np.int64), tuple(record.facts["name"]))


def clusters_key(edition: Edition) -> str:
    """Return the fingerprint of an edition's groups."""
    return fingerprint("index.groups", edition, GROUPS_FILE)


def clusters_record(edition: Edition) -> Record:
    """Find the groups anew, in the form in which they are stored; slow."""
    from gwm_models.index.groups import find_groups

    groups = find_groups(edition, n_draws=1)
    size = {name: int((groups.area_labels == g).sum()) for g, name in enumerate(groups.name)}
    return Record({"label": (("area",), groups.area_labels)}, {"name": list(groups.name), "models": size})


def text_field(name: str, edition: Edition) -> tuple[str, ...]:
    """Return a field of every area that is a text: ``region`` or ``area_type``."""
    if name == "region":
        return edition.areas.region
    column, rows = _shipped(edition, name)
    return tuple(str(column[row[0]]) for row in rows)


def number_field(name: str, edition: Edition, baseline: Baseline) -> Floats:
    """Return a field of every area that is a number; NaN where an area has none.

    Indicators are shrunk levels, as those that worst and best go by; conditions are as published.

    Raises
    ------
    DataError
        If there is no such field.
    """
    areas, spec = edition.areas, edition.spec
    if name in ("population", "population_16_64", "deprivation"):
        return np.asarray(getattr(areas, name), dtype=float)
    if name == "density":
        return 1e6 * _shipped_sum(edition, "population") / _shipped_sum(edition, "land_area_m2")
    if name in spec.indicator_ids:
        return baseline.shrunk_level[:, spec.indicator_ids.index(name)]
    conditions = edition_conditions(edition)
    if name not in conditions.ids:
        known = [*NUMBER_FIELDS, *TEXT_FIELDS, *spec.indicator_ids, *conditions.ids]
        raise DataError(f"Areas of {edition.name} have no field '{name}'; they have {some(known, len(known))}.")
    return conditions.levels[:, conditions.place(name)]


def _shipped_sum(edition: Edition, name: str) -> Floats:
    """Return a column of the shipped table of areas, added up over the areas that one of another edition stands for."""
    column, rows = _shipped(edition, name)
    return np.array([float(column[row].sum()) for row in rows])


def _shipped(edition: Edition, name: str) -> tuple[Column, list[NDArray[np.int64]]]:
    """Return a column of the shipped table of areas, and the rows of each area of an edition."""
    table = read_table("areas")
    code, unit = table["area_code"], table["unit_code"]
    rows = [np.flatnonzero((code == own) | ((unit == own) & ~np.any(code == own))) for own in edition.areas.code]
    if not all(len(row) for row in rows):
        raise DataError(f"Areas of {edition.name} are not in the shipped table of areas, so they have no '{name}'.")
    return table[name], rows
