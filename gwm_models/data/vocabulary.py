"""The words a scenario file may use: areas, regions, indicators, outcomes. Light enough for the checker."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from gwm_models.data.home import data_home
from gwm_models.data.index_spec import IndexSpec, IndicatorSpec, read_index
from gwm_models.errors import DataError, some

MONITOR = "monitor-2021"
OPEN_YEARS = (2017, 2018, 2019, 2020, 2021)
EDITIONS = (MONITOR, *(f"open-{year}" for year in OPEN_YEARS))
LANDMARK = "edition.json"
"""The file that makes a folder a checked edition."""


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


def edition_folder(edition: str) -> Path | None:
    """Return the folder of an edition that `gwm data build` wrote, or None for a shipped one.

    Raises
    ------
    DataError
        If it is neither.
    """
    if edition in EDITIONS:
        return None
    folder = Path(edition)
    if edition.strip() and "\0" not in edition and folder.is_dir():
        if (folder / LANDMARK).is_file():
            return folder
        raise DataError(f"{folder} is no edition (no {LANDMARK}). Run gwm data build on it first.")
    known = f"{some(EDITIONS, len(EDITIONS))}, or a folder that gwm data build wrote"
    raise DataError(f"Unknown edition '{edition}'; expected one of {known}.")


def load_vocabulary(edition: str = MONITOR) -> Vocabulary:
    """Load the words of an edition.

    Parameters
    ----------
    edition : str
        As for `load_edition`: the name of a shipped edition, or a folder that `gwm data build` wrote.

    Raises
    ------
    DataError
        If the edition is unknown, its tables cannot be read, or a file of the folder has changed since it was built.
    """
    folder = edition_folder(edition)
    if folder is None:
        return _shipped_vocabulary(edition)
    from gwm_models.data.user_editions import read_edition_folder

    draft = read_edition_folder(folder)
    rows = list(zip(draft.areas.code, draft.areas.name, draft.areas.region, strict=True))
    return _vocabulary(edition, draft.spec, rows, ())


@lru_cache(maxsize=len(EDITIONS))
def _shipped_vocabulary(edition: str) -> Vocabulary:
    home = data_home()
    panel = tuple(row["variable"] for row in _rows(home / "variables.csv", ("variable",)))
    if edition != MONITOR:
        from gwm_models.data.open_editions import open_edition

        made = open_edition(int(edition.removeprefix("open-")))
        return _vocabulary(
            edition, made.spec, list(zip(made.areas.code, made.areas.name, made.areas.region, strict=True)), panel
        )
    columns = ("area_code", "area_name", "region_name")
    areas = [(row[columns[0]], row[columns[1]], row[columns[2]]) for row in _rows(home / "areas.csv", columns)]
    return _vocabulary(edition, read_index(home / "index.yaml"), areas, panel)


def _vocabulary(
    edition: str, spec: IndexSpec, areas: list[tuple[str, str, str]], panel_variables: tuple[str, ...]
) -> Vocabulary:
    return Vocabulary(
        edition=edition,
        areas={code: name for code, name, _ in areas},
        area_regions={code: region for code, _, region in areas},
        regions=tuple(sorted({region for _, _, region in areas})),
        indicators={indicator.id: indicator for indicator in spec.indicators},
        domains=dict(spec.domains),
        outcomes={outcome.id: outcome.label for outcome in spec.outcomes},
        panel_variables=panel_variables,
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
