"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from gwm_models.data.home import data_home, scenario_home

CHECKOUT = Path(__file__).resolve().parents[1]

# The same examples every time, so that a red test is a change of ours; HYPOTHESIS_PROFILE=search draws new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@dataclass(frozen=True)
class Shipped:
    """The folders that travel with the toolkit."""

    data: Path
    scenarios: Path

    def scenario(self, name: str) -> Path:
        """Return the shipped scenario file of that name."""
        return self.scenarios / f"{name}.yaml"


@pytest.fixture(scope="session", autouse=True)
def fits_of_this_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep fits made by tests, and by programs they start, out of the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GWM_CACHE", str(tmp_path_factory.mktemp("fits")))
        yield


@pytest.fixture(scope="session")
def shipped() -> Shipped:
    """Return the shipped data and scenarios."""
    return Shipped(data_home(), scenario_home())


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the root of the checkout under test."""
    return CHECKOUT


@pytest.fixture(scope="session")
def known() -> Path:
    """Return the folder of reference numbers made by other programs, or skip.

    It is not part of the project: ``GWM_KNOWN`` names it, else ``../shared/known`` beside the checkout.
    """
    folder = Path(os.environ.get("GWM_KNOWN") or CHECKOUT.parent / "shared" / "known")
    if not folder.is_dir():
        pytest.skip(f"no reference numbers at {folder}; set GWM_KNOWN to their folder")
    return folder
