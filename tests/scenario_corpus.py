"""The scenario files of the tests, sound and broken, and how their faults are compared."""

from __future__ import annotations

from pathlib import Path

from gwm_models.scenarios.reader import check_scenario

FILES = Path(__file__).parent / "files"
OK = sorted((FILES / "ok").glob("*.yaml"))
BROKEN = sorted((FILES / "broken").glob("*.yaml"))
DESIGN = FILES / "ok" / "design.yaml"
EIGHT = FILES / "broken" / "eight-faults.yaml"


def lines_of(path: Path) -> list[str]:
    return [str(problem) for problem in check_scenario(path)[1]]


def expected_of(path: Path) -> list[str]:
    expected = path.with_suffix(".txt")
    text = expected.read_text(encoding="utf-8") if expected.exists() else ""
    return text.replace("{file}", str(path)).splitlines()


def checked(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "scenario.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [line.removeprefix(f"{path}:").lstrip() for line in lines_of(path)]


def with_change(old: str, new: str, source: Path = DESIGN) -> str:
    text = source.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    return text.replace(old, new)
