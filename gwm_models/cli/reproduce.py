"""`gwm reproduce`: write the reference results, or check that fresh ones agree with them."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

EXACT = 1e-6
"""Relative tolerance of tables without simulation."""
SIMULATED = 0.1
"""Tolerance of simulated numbers, in their own standard errors; twice that for bounds, and one rank for ranks."""
PROBABILITY = 0.02
"""Absolute tolerance of simulated probabilities and shares."""

SCENARIO = "northern-participation-2026"
KEYS = ("area_code", "area_name", "quantity", "state", "level", "term", "outcome", "exposure", "method", "indicator")
TABLES = ("scores.csv", "points_per_unit.csv", "models.csv", "ranks.csv", f"{SCENARIO}/areas.csv")
MOST_SHOWN = 10


def reproduce(
    folder: Annotated[Path, typer.Option("--folder", help="Folder of the reference results.")] = Path("results"),
    check: Annotated[
        bool, typer.Option("--check", help="Compare fresh results with the folder; write nothing.")
    ] = False,
) -> None:
    """Write the reference results: scores, points per unit, models, ranks and one scenario run.

    Example: gwm reproduce --check
    """
    if not check:
        write_results(folder)
        sys.stdout.write(f"Reference results written to {folder}\n")
        return
    with TemporaryDirectory() as place:
        fresh = Path(place)
        write_results(fresh)
        differences, cells = compare_results(folder, fresh)
    for line in differences[:MOST_SHOWN]:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(
        f"{len(TABLES)} tables, {cells:,} numbers compared with {folder}: {len(differences)} outside tolerance "
        f"(exact {EXACT:g} relative; simulated {SIMULATED:g} standard errors, bounds twice that, ranks 1, "
        f"probabilities {PROBABILITY:g})\n"
    )
    if differences:
        raise typer.Exit(1)


def write_results(folder: Path) -> None:
    """Write every reference result into a folder."""
    from gwm_models.cli.index import score_rows
    from gwm_models.cli.ranks import rank_rows
    from gwm_models.cli.run import project_and_write
    from gwm_models.data.edition import load_edition
    from gwm_models.files import csv_text, write_text
    from gwm_models.index.calibration import points_per_unit
    from gwm_models.models.healthy_life import fit_health
    from gwm_models.scenarios.reader import read_scenario, resolve_scenario_path

    edition = load_edition()
    checked = read_scenario(resolve_scenario_path(SCENARIO))
    seed, draws = checked.scenario.analysis.seed, checked.scenario.analysis.draws
    rows = {
        "scores.csv": score_rows(edition),
        "points_per_unit.csv": points_per_unit(edition).rows(),
        "models.csv": [slope.to_row() for fit in fit_health(edition) for slope in fit.slopes()],
        "ranks.csv": rank_rows(edition, level=0.9, n_draws=draws, seed=seed),
    }
    for name, table in rows.items():
        write_text(folder / name, csv_text(table))
    project_and_write(checked, checked.scenario, folder / SCENARIO, command="gwm reproduce")


def compare_results(reference: Path, fresh: Path) -> tuple[list[str], int]:
    """Compare two folders of results.

    Returns
    -------
    differences : list of str
        One line for each number outside tolerance, or table that does not match.
    cells : int
        Numbers compared.
    """
    differences: list[str] = []
    cells = 0
    for name in TABLES:
        old, new = _read(reference / name), _read(fresh / name)
        if [_label(row) for row in old] != [_label(row) for row in new]:
            differences.append(
                f"{reference / name}: {len(old)} rows, fresh {len(new)}, or other rows. Run `gwm reproduce`."
            )
            continue
        for before, after in zip(old, new, strict=True):
            for column in before:
                first, second = _as_number(before[column]), _as_number(after.get(column, ""))
                cells += first is not None
                if not _agree(column, before, first, second, simulated="areas" in name or "ranks" in name):
                    differences.append(
                        f"{name}: {_label(before)}: {column} is {before[column]}, fresh {after.get(column)}"
                    )
    return differences, cells


def _agree(column: str, row: dict[str, str], first: float | None, second: float | None, *, simulated: bool) -> bool:
    if first is None or second is None:
        return first is second
    if column in KEYS or not simulated:
        return abs(first - second) <= EXACT * max(1, abs(first))
    if column.startswith("prob_") or column == "share":
        return abs(first - second) <= PROBABILITY
    error = _as_number(row.get("std_error", "")) or 0.0
    allowed = SIMULATED * error * (2 if column in ("lower", "upper") else 1)
    if row.get("quantity", "rank") == "rank" and column != "shrunk_score":
        allowed = max(allowed, 1.0)
    return abs(first - second) <= allowed + EXACT * max(1, abs(first))


def _label(row: dict[str, str]) -> str:
    return " ".join(row[key] for key in KEYS if row.get(key))


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _read(path: Path) -> list[dict[str, str]]:
    from gwm_models.errors import DataError

    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Run `gwm reproduce` to write it.") from error
