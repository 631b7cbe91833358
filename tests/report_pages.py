"""A real page of every kind that the toolkit writes, made from shipped data with few draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import search_fixture
import test_report_evaluation_browser as choices
from search_fixture import asked

from gwm_models.cli.ranks_found import Asked, find
from gwm_models.cli.ranks_print import write_page
from gwm_models.data.edition import load_edition
from gwm_models.models.catalogue import fit_model, specs_of
from gwm_models.models.outcomes import find_subject
from gwm_models.report.run_folder import run_scenario
from gwm_models.report.specification import write_specification_page
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios

KINDS = (
    "run",
    "comparison",
    "goal",
    "sweep",
    "ranks",
    "specification",
    "appraisal",
    "portfolio",
    "allocation",
    "evaluation",
)


def page(kind: str, folder: Path) -> Path:
    """Write the page of one kind; return its path."""
    if kind == "run":
        return run_page("northern-participation-2026", folder)
    if kind in search_fixture.COMMANDS:
        return search_fixture.made(kind, folder / kind) / "report.html"
    if kind == "ranks":
        return ranks_page(folder / "ranks.html")
    if kind == "specification":
        return specification_page(folder / "specification.html")
    return choices.made(kind, folder) / "report.html"


def run_page(name: str, folder: Path) -> Path:
    """Run a shipped scenario with few draws; return its page."""
    checked = read_scenario(shipped_scenarios()[name])
    run_scenario(checked, asked(name), folder / name, command=f"gwm run {name}")
    return folder / name / "report.html"


def ranks_page(path: Path) -> Path:
    """Write the page of ranks with intervals and confidence sets beside them."""
    edition = load_edition("monitor-2021")
    wanted = Asked(
        level=0.9,
        method="both",
        simultaneous=False,
        stepdown=False,
        side="both",
        source="sampling",
        hours_error=None,
        error=None,
        draws=400,
        seed=1,
    )
    write_page(find(edition, wanted, with_sets=True), None, path)
    return path


def specification_page(path: Path) -> Path:
    """Write the page of the slopes of one outcome, but for those that take minutes."""
    edition, outcome = load_edition("monitor-2021"), find_subject("healthy_life_expectancy_male")
    quick = [one for one in specs_of(outcome) if not one.bayes and not one.stored]
    fits = [fit_model(edition, outcome, one, n_draws=400, seed=1) for one in quick]
    write_specification_page(path, edition, outcome, fits, command="gwm fit healthy_life_expectancy_male")
    return path


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21.

    References
    ----------
    W3C (2023), Web Content Accessibility Guidelines 2.2, relative luminance and contrast ratio.
    """
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def linear(colour: str) -> np.ndarray:
    """Return the linear light of a colour such as ``#0072b2``, shape (3,)."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour."""
    return float(linear(colour) @ (0.2126, 0.7152, 0.0722))
