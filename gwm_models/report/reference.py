"""The reference results of the toolkit: written by one command, and compared with fresh ones."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import DataError
from gwm_models.files import cell_text, csv_text, write_text
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.rows import score_rows
from gwm_models.models.catalogue import fit_model, specs_of
from gwm_models.models.fit import Fit
from gwm_models.models.outcomes import find_subject
from gwm_models.ranks.edition import rank_rows
from gwm_models.report.run_folder import run_scenario
from gwm_models.scenarios.reader import read_scenario, resolve_scenario_path

SCENARIO = "northern-participation-2026"
TABLES = ("scores.csv", "points_per_unit.csv", "models.csv", "ranks.csv", f"{SCENARIO}/areas.csv")
PARTS = ("groups", "health", "inequality", "variance", "path", "renormalised")
KEYS = (
    *("area_name", "group", "quantity", "measure", "layer", "scaling", "line", "state", "year", "level"),
    *("term", "outcome", "spec", "exposure", "method", "indicator"),
)
"""Columns that name a row in a message."""

SUBJECTS = (
    "healthy_life_expectancy_male",
    "healthy_life_expectancy_female",
    "healthy_life_expectancy",
    "drug_poisoning_deaths",
    "covid19_deaths",
    "covid",
    "disease_burden",
    "all",
)
"""Outcomes and topics of the models table."""

EXACT = 1e-6
"""Relative tolerance of numbers without simulation."""
SIMULATED = 0.1
"""Tolerance of simulated estimates and standard errors, in standard errors; twice that for bounds."""
PROBABILITY = 0.02
"""Absolute tolerance of simulated probabilities and shares."""
RANK = 1.0
"""Tolerance of simulated ranks and their bounds; a third of it for expected ranks."""
SHRUNK = 0.11
"""Absolute tolerance of shrunk scores, printed to one decimal."""


def write_results(folder: Path) -> None:
    """Write every reference result into a folder: scores, points per unit, models, ranks, one scenario run."""
    edition = load_edition()
    checked = read_scenario(resolve_scenario_path(SCENARIO))
    asked = checked.scenario.analysis
    rows = {
        "scores.csv": score_rows(edition),
        "points_per_unit.csv": points_per_unit(edition).rows(),
        "models.csv": [row for fit in classical_fits(edition) for row in fit.rows()],
        "ranks.csv": rank_rows(edition, level=0.9, n_draws=asked.draws, seed=asked.seed),
    }
    for name, table in rows.items():
        write_text(folder / name, csv_text(table))
    run_scenario(checked, checked.scenario, folder / SCENARIO, command="gwm reproduce")


def classical_fits(edition: Edition) -> list[Fit]:
    """Fit the subjects of the models table in every way that needs no posterior."""
    subjects = [find_subject(name) for name in SUBJECTS]
    return [fit_model(edition, subject, spec) for subject in subjects for spec in specs_of(subject) if not spec.bayes]


def compare_results(reference: Path, fresh: Path) -> tuple[list[str], int]:
    """Compare two folders of results.

    Words, and numbers without simulation, must be the same; simulated numbers may differ by the tolerances above.

    Returns
    -------
    differences : list of str
        One line for each cell outside tolerance, or file that does not match.
    cells : int
        Cells compared.
    """
    differences: list[str] = []
    cells = 0
    for name in TABLES:
        found, n = _compare(name, _csv_rows(reference / name), _csv_rows(fresh / name))
        differences, cells = differences + found, cells + n
    for part in PARTS:
        name = f"{SCENARIO}/summary.json"
        found, n = _compare(f"{name}: {part}", _json_rows(reference / name, part), _json_rows(fresh / name, part))
        differences, cells = differences + found, cells + n
    name = f"{SCENARIO}/scenario.yaml"
    if _text(reference / name) != _text(fresh / name):
        differences.append(f"{name}: the resolved scenario is not the same")
    return differences, cells + 1


Rows = list[dict[str, str]]


def _compare(name: str, old: Rows, new: Rows) -> tuple[list[str], int]:
    shape = [list(row) for row in old], [list(row) for row in new]
    if shape[0] != shape[1]:
        return [f"{name}: {len(old)} rows, fresh {len(new)}, or other columns. Run `gwm reproduce`."], 0
    exact = name in ("scores.csv", "points_per_unit.csv", "models.csv")
    found = [
        f"{name}: {_label(before)}: {column} is {before[column]}, fresh {after[column]}"
        for before, after in zip(old, new, strict=True)
        for column in before
        if not _agree(before[column], after[column], 0.0 if exact else _tolerance(column, before))
    ]
    return found, sum(map(len, old))


def _agree(first: str, second: str, allowed: float) -> bool:
    if first == second:
        return True
    try:
        one, other = float(first), float(second)
    except ValueError:
        return False
    return abs(one - other) <= allowed + EXACT * max(1, abs(one))


def _tolerance(column: str, row: Mapping[str, str]) -> float:
    """Return how far a simulated cell may move; 0 for what is not simulated."""
    if row.get("state") == "published":
        return 0.0
    if column.startswith("prob_") or column == "share":
        return PROBABILITY
    if column == "shrunk_score":
        return SHRUNK
    if column == "expected_rank":
        return RANK / 3
    if column not in ("estimate", "std_error", "lower", "upper"):
        return 0.0
    if "expected_rank" in row or row.get("quantity") == "rank":
        return RANK
    error = float(row.get("std_error") or 0)
    return SIMULATED * error * (2 if column in ("lower", "upper") else 1)


def _label(row: Mapping[str, str]) -> str:
    return " ".join(row[key] for key in KEYS if row.get(key))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Run `gwm reproduce` to write it.") from error


def _csv_rows(path: Path) -> Rows:
    return list(csv.DictReader(_text(path).splitlines()))


def _json_rows(path: Path, part: str) -> Rows:
    try:
        rows = json.loads(_text(path))[part]
        return [{name: cell_text(value) for name, value in row.items()} for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not a summary ({error!r}). Run `gwm reproduce` to write it.") from error
