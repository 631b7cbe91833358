"""The words a scenario file may use: areas, regions, indicators, outcomes. Light enough for the checker."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from gwm_models.data.home import data_home
from gwm_models.data.index_spec import IndicatorSpec, read_index
from gwm_models.errors import DataError, some

EDITIONS = ("monitor-2021",)


@dataclass(frozen=True)
class Vocabulary:
    """The names of one edition, without its figures.

    Attributes
    ----------
    edition : str
        The edition's name.
    areas, area_regions : dict
        Area code to area name, and to region name.
    regions : tuple of str
        Region names, sorted.
    indicators : dict
        Indicator id to its definition.
    domains, outcomes : dict
        Id to label.
    panel_variables : tuple of str
        Variables by unit and period that an evaluation can use.
    """

    edition: str
    areas: dict[str, str]
    area_regions: dict[str, str]
    regions: tuple[str, ...]
    indicators: dict[str, IndicatorSpec]
    domains: dict[str, str]
    outcomes: dict[str, str]
    panel_variables: tuple[str, ...]

    @cached_property
    def _codes(self) -> dict[str, str]:
        by_name = {_key(name): code for code, name in self.areas.items()}
        return by_name | {_key(code): code for code in self.areas}

    def area_code(self, text: str) -> str | None:
        """Return the code of an area named by code or by name, whatever its case and spaces; None if unknown."""
        return self._codes.get(_key(text))


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


@lru_cache(maxsize=8)
def load_vocabulary(edition: str = "monitor-2021") -> Vocabulary:
    """Load the words of an edition.

    Raises
    ------
    DataError
        If the edition is unknown or its tables cannot be read.
    """
    if edition not in EDITIONS:
        raise DataError(f"Unknown edition '{edition}'; expected one of {some(EDITIONS)}.")
    home = data_home()
    spec = read_index(home / "index.yaml")
    areas = _rows(home / "areas.csv", ("area_code", "area_name", "region_name"))
    regions = {row["area_code"]: row["region_name"] for row in areas}
    return Vocabulary(
        edition=edition,
        areas={row["area_code"]: row["area_name"] for row in areas},
        area_regions=regions,
        regions=tuple(sorted(set(regions.values()))),
        indicators={indicator.id: indicator for indicator in spec.indicators},
        domains=dict(spec.domains),
        outcomes={outcome.id: outcome.label for outcome in spec.outcomes},
        panel_variables=tuple(row["variable"] for row in _rows(home / "variables.csv", ("variable",))),
    )


def _rows(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Reinstall the toolkit.") from error
    missing = [name for name in needed if not rows or name not in rows[0]]
    if missing:
        raise DataError(f"{path} has no column {some(missing)}. Reinstall the toolkit.")
    return rows
