"""Where the shipped data and scenarios are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from gwm_models.errors import DataError

PACKAGE = Path(__file__).resolve().parents[1]


def data_home() -> Path:
    """Return the folder of the shipped data package."""
    return _shipped("data", "datapackage.json")


def scenario_home() -> Path:
    """Return the folder of the shipped scenario files."""
    return _shipped("scenarios", "northern-participation-2026.yaml")


def _shipped(folder: str, landmark: str) -> Path:
    for parent in (PACKAGE / "_shipped", PACKAGE.parent):
        if (parent / folder / landmark).is_file():
            return parent / folder
    raise DataError(f"The shipped folder '{folder}' is missing ({landmark} not found). Reinstall the toolkit.")
