"""The folder of one run: the scenario as resolved, the manifest, the results and the report."""

from __future__ import annotations

import hashlib
import io
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwm_models import __version__
from gwm_models.data.edition import load_edition
from gwm_models.data.home import PACKAGE, data_home
from gwm_models.files import RUN, Content, csv_text, json_text
from gwm_models.models.health import links_key
from gwm_models.report.draws_file import DRAWS_FILE, write_draws
from gwm_models.report.page import report_html
from gwm_models.report.result_folder import write_result
from gwm_models.report.run_part import run_part
from gwm_models.scenarios.known import MORTALITY
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.reader import CheckedScenario
from gwm_models.scenarios.rows import Row, area_rows_at
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.summary import summarise

if TYPE_CHECKING:
    from gwm_models.plots.boundaries import Boundaries

MANIFEST_SCHEMA = "gwm-manifest/1"
NUMBERS = ("areas.csv", "summary.json")
"""The files whose hashes are kept, so that a later run can be held against this one."""
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "pymc", "h5netcdf", "pydantic", "ruamel.yaml")


def run_scenario(
    checked: CheckedScenario,
    scenario: Scenario,
    folder: Path,
    *,
    command: str,
    draws_file: bool = False,
    boundaries: Boundaries | None = None,
) -> tuple[dict[str, Any], list[Row]]:
    """Project a checked scenario and write its folder.

    Parameters
    ----------
    checked : CheckedScenario
        The file as read.
    scenario : Scenario
        What is run: that of the file, perhaps with other draws or seed.
    folder : Path
    command : str
    draws_file : bool
        Whether to keep every draw as well, in ``draws.nc``.
    boundaries : Boundaries, optional
        True shapes of the areas, for the map of the report.

    Returns
    -------
    summary : dict
    areas : list of dict
        The rows of ``areas.csv`` at the widest level.
    """
    projection = project(scenario)
    warnings = tuple(f"{w.path}: {w.what}" for w in checked.warnings)
    summary = summarise(projection, warnings)
    rows = write_run(
        folder,
        projection,
        summary,
        command=command,
        scenario_text=checked.text,
        warnings=warnings,
        draws_file=draws_file,
        boundaries=boundaries,
    )
    return summary, rows


def write_run(
    folder: Path,
    projection: Projection,
    summary: dict[str, Any],
    *,
    command: str,
    scenario_text: str,
    warnings: tuple[str, ...] = (),
    draws_file: bool = False,
    boundaries: Boundaries | None = None,
) -> list[Row]:
    """Write the folder of one run, whole or not at all.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds a run.
    projection : Projection
    summary : dict
        From `gwm_models.scenarios.summary.summarise`.
    command, scenario_text : str
        How the run was asked for, and the scenario file as it was read.
    warnings : tuple of str
        What the checker found unusual in that file.
    draws_file : bool
        Whether to keep every draw as well, in ``draws.nc``.
    boundaries : Boundaries, optional
        True shapes of the areas, for the map of the report.

    Returns
    -------
    list of dict
        The rows of ``areas.csv`` at the widest level.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a run.
    """
    scenario = projection.scenario
    levels = sorted(scenario.analysis.intervals)
    rows = area_rows_at(projection, levels)
    widest = rows[levels[-1]]
    listed = [row for level in levels for row in rows[level] if row["state"] != "published" or level == levels[-1]]
    numbers = {"areas.csv": csv_text(listed), "summary.json": json_text(summary)}
    manifest = run_manifest(scenario, command=command, scenario_text=scenario_text)
    page = report_html(summary | run_part(projection), widest, manifest, boundaries=boundaries)
    manifest |= {"file_warnings": list(warnings), "results_sha256": hashes_of(numbers)}
    files: dict[str, Content] = {"scenario.yaml": resolved_yaml(scenario), **numbers, "report.html": page}
    if draws_file:
        files[DRAWS_FILE] = lambda path: write_draws(path, projection)
    write_result(folder, RUN, files, manifest)
    return widest


def hashes_of(texts: dict[str, str]) -> dict[str, str]:
    """Return the hash of each file as it is written."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def run_manifest(scenario: Scenario, *, command: str, scenario_text: str) -> dict[str, Any]:
    """Return what is needed to get the same numbers again: seed, hashes of scenario and data, versions."""
    return {
        "schema": MANIFEST_SCHEMA,
        "toolkit_version": __version__,
        "scenario": scenario.id,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": scenario.analysis.seed,
        "draws": scenario.analysis.draws,
        "edition": scenario.baseline.edition,
        "scenario_sha256": hashlib.sha256(scenario_text.encode()).hexdigest(),
        "resolved_sha256": hashlib.sha256(resolved_yaml(scenario).encode()).hexdigest(),
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
        **_links_used(scenario),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "package_versions": {name: _version(name) for name in PACKAGES},
    }


def search_manifest(
    kind: str, scenario: Scenario, *, command: str, numbers: dict[str, str], file: str | None = None
) -> dict[str, Any]:
    """Return the manifest of a goal, a sweep or a comparison: that of a run, its kind, and the file to run again."""
    found = run_manifest(scenario, command=command, scenario_text=resolved_yaml(scenario)) | {"kind": kind}
    return found | ({"file": file} if file else {}) | {"results_sha256": hashes_of(numbers)}


def _links_used(scenario: Scenario) -> dict[str, str]:
    """Return the fingerprints of the slopes that a scenario draws its health outcomes from."""
    edition = load_edition(scenario.baseline.edition)
    found = {}
    if any(link.outcome not in MORTALITY for link in scenario.health):
        found["health_links_sha256"] = links_key(edition)
    if any(link.outcome in MORTALITY for link in scenario.health):
        from gwm_models.models import mortality_links

        found["mortality_links_sha256"] = mortality_links.links_key(edition)
    return found


def data_hash(folder: Path) -> str:
    """Return one hash of every table and definition in a data folder, names included."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.[cjy]*")):
        digest.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def code_hash() -> str:
    """Return one hash of the source of the toolkit, which may change without its version."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("_shipped"):
            digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def resolved_yaml(scenario: Scenario) -> str:
    """Write a scenario as it was run, defaults filled in and areas as codes; it reads back as the same scenario."""
    from ruamel.yaml import YAML

    plain = json.loads(scenario.model_dump_json(by_alias=True, exclude_none=True))
    for action in plain["actions"]:
        if not action["target"].get("exclude"):
            action["target"].pop("exclude", None)
    buffer = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 100_000  # no line is broken: versions of the writer break lines in different places
    yaml.dump(plain, buffer)
    return buffer.getvalue()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
