"""Run a scenario again from the folder of an earlier run, and say whether the numbers are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwm_models.errors import DataError
from gwm_models.files import LANDMARK, scratch_folder
from gwm_models.report.manifest import hash_of, read_manifest
from gwm_models.report.run_folder import NUMBERS, write_run
from gwm_models.scenarios.findings import escaped
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import CheckedScenario, read_scenario
from gwm_models.scenarios.summary import summarise

SCENARIO = "scenario.yaml"
WORDS = {
    "toolkit_version": "version of the toolkit",
    "code_sha256": "code of the toolkit",
    "data_sha256": "shipped data",
    "health_links_sha256": "health links",
    "mortality_links_sha256": "mortality links",
    "python": "Python",
    "platform": "platform",
}


@dataclass(frozen=True)
class Rerun:
    """An earlier run held against the same scenario run now.

    Attributes
    ----------
    scenario : str
        Its id.
    same : bool
        Whether every number of the new run is the one that the manifest keeps, bit for bit.
    files : dict of str to bool
        Whether each file of numbers is the same.
    differs : tuple of (str, str, str)
        What is not as it was then: name, then, now.
    changed : tuple of str
        Numbers of the summary that differ, by their place; empty where the earlier ones are not at hand.
    edited : tuple of str
        What in the folder is missing, or no longer as the run left it.
    """

    scenario: str
    same: bool
    files: dict[str, bool]
    differs: tuple[tuple[str, str, str], ...]
    changed: tuple[str, ...]
    edited: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The finding in a few sentences."""
        if self.edited:
            return f"The folder was changed after the run: {'; '.join(self.edited)}. {self._numbers}"
        return self._numbers

    @property
    def _numbers(self) -> str:
        """What came of the numbers, held against the hashes that the manifest keeps."""
        if self.same and self.edited:
            return "A fresh run gives the numbers that the manifest keeps, so the run itself can be had again."
        named = ", ".join(f"{name} ({then} then, {now} now)" for name, then, now in self.differs)
        if self.same:
            return f"The numbers are the same, bit for bit{f', though these differ: {named}' if named else ''}."
        files = ", ".join(name for name, same in self.files.items() if not same)
        why = "Nothing that the manifest keeps differs, so this is a fault of the toolkit; please report it."
        if named:
            why = f"What differs: {named}."
        elif self.edited:
            why = "Keep the folder of a run as it was written, and run the scenario again."
        return f"The numbers differ ({files}). {why}"


def rerun(manifest: Path, folder: Path | None = None, *, command: str = "") -> Rerun:
    """Run the scenario of an earlier run again.

    Parameters
    ----------
    manifest : Path
        The ``manifest.json`` of a run, or its folder.
    folder : Path, optional
        Where to keep the new run; it is not kept by default.
    command : str
        How this was asked for.

    Raises
    ------
    DataError
        If the manifest is not that of a run, or its scenario is missing or was changed since.
    """
    path, then, checked, before = read_run(manifest)
    projection = project(checked.scenario)
    warnings = tuple(then.get("file_warnings", ()))
    summary = summarise(projection, warnings)
    edited, changed = [*_edited(path, before)], _changed(path, summary)  # the new run may take the place of the old
    with scratch_folder() as place:
        out = folder or place / "run"
        write_run(out, projection, summary, command=command, scenario_text=checked.text, warnings=warnings)
        now = read_manifest(out / LANDMARK)
    edited += [
        f"the manifest says {key} {_short(then[key])}, the scenario that was run says {now[key]}"
        for key in ("edition", "draws", "seed")
        if key in then and then[key] != now[key]
    ]
    files = {name: now["results_sha256"][name] == before[name] for name in NUMBERS}
    return Rerun(
        scenario=checked.scenario.id,
        same=all(files.values()),
        files=files,
        differs=tuple(_differences(then, now)),
        changed=() if files["summary.json"] and not edited else changed,
        edited=tuple(edited),
    )


def read_run(manifest: Path) -> tuple[Path, dict[str, Any], CheckedScenario, dict[str, str]]:
    """Read the folder of an earlier run: its manifest, the scenario that was run, and the hashes of its numbers.

    Parameters
    ----------
    manifest : Path
        The ``manifest.json`` of a run, or its folder.

    Returns
    -------
    path : Path
        The manifest.
    then : dict
    checked : CheckedScenario
    before : dict of str to str

    Raises
    ------
    DataError
        As `rerun`.
    ScenarioError
        If the scenario is no longer sound.
    """
    path = manifest / LANDMARK if manifest.is_dir() else manifest
    then = read_manifest(path)
    return path, then, read_scenario(_scenario_of(path, then)), _hashes_then(path, then)


def _scenario_of(path: Path, then: dict[str, Any]) -> Path:
    """Return the scenario beside a manifest, if it is the one that was run."""
    scenario = path.parent / SCENARIO
    try:
        found = hash_of(scenario)
    except OSError as error:
        raise DataError(f"{scenario}: cannot be read ({error.strerror}). Keep the folder of a run whole.") from error
    if found != then["resolved_sha256"]:
        raise DataError(
            f"{scenario}: is not the scenario of this run (its hash differs). Use gwm run for a changed one."
        )
    return scenario


def _hashes_then(path: Path, then: dict[str, Any]) -> dict[str, str]:
    """Return the hashes of the earlier numbers: as kept, else of the files beside the manifest."""
    kept = then.get("results_sha256")
    if kept is not None and all(name in kept for name in NUMBERS):
        return {name: str(kept[name]) for name in NUMBERS}
    try:
        return {name: hash_of(path.parent / name) for name in NUMBERS}
    except OSError as error:
        raise DataError(
            f"{path}: keeps no hash of the numbers, and {error.filename} cannot be read. Run gwm run again instead."
        ) from error


def _edited(path: Path, kept: dict[str, str]) -> Iterator[str]:
    """Name the files of numbers that are gone or not those of the run."""
    for name in NUMBERS:
        try:
            found = hash_of(path.parent / name)
        except FileNotFoundError:
            yield f"{name} is missing"
        except OSError as error:
            yield f"{name} cannot be read ({error.strerror})"
        else:
            if found != kept[name]:
                yield f"{name} is not the file that was written"


def _differences(then: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = [
        (words, _short(then.get(key)), _short(now.get(key)))
        for key, words in WORDS.items()
        if then.get(key) != now.get(key) and (key in then or key in now)
    ]
    before, after = then.get("package_versions", {}), now["package_versions"]
    return found + [
        (name, _short(before.get(name)), _short(after[name])) for name in after if before.get(name) != after[name]
    ]


def _short(value: object) -> str:
    text = "unknown" if value is None else str(value)
    return text[:12] if len(text) == 64 else escaped(text)


def _changed(path: Path, summary: dict[str, Any]) -> tuple[str, ...]:
    """Return the places of the summary that differ from the one beside the manifest."""
    if not (path.parent / "summary.json").is_file():
        return ()
    try:
        earlier = json.loads((path.parent / "summary.json").read_text(encoding="utf-8"))
        return tuple(escaped(place, most=200) for place in _places(earlier, json.loads(json.dumps(summary)), ""))
    except (OSError, ValueError, RecursionError):
        return ()


def _places(then: Any, now: Any, place: str) -> list[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        keys = dict.fromkeys([*then, *now])
        return [
            found for key in keys for found in _places(then.get(key), now.get(key), f"{place}.{key}" if place else key)
        ]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        pairs = enumerate(zip(then, now, strict=True), start=1)
        return [found for number, (old, new) in pairs for found in _places(old, new, f"{place}.{number}")]
    return [] if then == now else [place]
