"""What a worker does for the pages of areas and for scenario files; every answer is JSON."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from gwm_models.errors import DataError
from gwm_models.explore import project
from gwm_models.scenarios.findings import Findings, Stop
from gwm_models.scenarios.source import read_source


def areas(edition: str) -> bytes:
    """Return the table of areas."""
    from gwm_models.explore.areas import areas_table

    return project.as_json(areas_table(edition))


def area(edition: str, code: str) -> bytes:
    """Return the page of one area."""
    from gwm_models.explore.area_page import area_page

    return project.as_json(area_page(edition, code))


def field_map(edition: str, show: str) -> bytes:
    """Return the map of one field of the table of areas."""
    from gwm_models.explore.areas import map_spec

    return project.as_json(map_spec(edition, show))


def list_scenarios(files: tuple[tuple[str, str], ...]) -> bytes:
    """Return id, title, question and kind of each scenario file; one that cannot be read is left out."""
    return project.as_json([row for name, path in files if (row := _head(name, Path(path))) is not None])


def _head(name: str, path: Path) -> dict[str, Any] | None:
    findings = Findings(path.name)
    with suppress(Stop):
        read_source(path, findings)
        texts = {key: findings.data.get(key) for key in ("title", "question", "kind")}
        found = {key: text for key, text in texts.items() if isinstance(text, str)}
        return {"id": name, "title": name, "question": "", "kind": "scenario", **found}
    return None


def read_scenario_file(path: str, edition: str) -> bytes:
    """Return the form and text of a scenario file."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(
            f"{Path(path).name} cannot be read. Check its permissions and that it is UTF-8 text."
        ) from error
    return project.read(text, edition)
