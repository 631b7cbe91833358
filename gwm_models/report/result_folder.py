"""Writing the folder of a result, and saying what it replaced: a run, a goal, a sweep or a comparison."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gwm_models.files import LANDMARK, Content, FolderKind, json_text, write_folder
from gwm_models.scenarios.findings import escaped

ASKED = ("resolved_sha256", "compared_sha256")
"""Entries of a manifest that say what was asked."""


def write_result(
    folder: Path,
    kind: FolderKind,
    files: Mapping[str, Content],
    manifest: Mapping[str, Any],
    passing: Collection[str] = (),
) -> None:
    """Write the folder of a result whole or not at all; one line on standard error says if another one was there.

    Parameters
    ----------
    folder : Path
    kind : FolderKind
    files : mapping
        What each file holds, but the manifest; as for `gwm_models.files.write_folder`.
    manifest : mapping
    passing : collection of str
        Names of files that stand there only until the result is written.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something of another kind.
    """
    gone = replaced(folder, manifest, {*files, *passing})
    write_folder(folder, kind, {**files, LANDMARK: json_text(manifest)})
    if gone:
        sys.stderr.write(f"{gone}\n")


def replaced(folder: Path, manifest: Mapping[str, Any], files: Collection[str]) -> str:
    """Say in one line what a folder holds that is about to be replaced; empty where that is the same result.

    Parameters
    ----------
    folder : Path
    manifest : mapping
        That of the new result.
    files : collection of str
        Names of its files.
    """
    if not (folder / LANDMARK).is_file():  # a pipe would be waited for
        return ""
    try:
        then = json.loads((folder / LANDMARK).read_text(encoding="utf-8"))
        lost = {path.name for path in folder.iterdir()} - {*files, LANDMARK}
    except (OSError, ValueError, RecursionError):
        return ""
    if not isinstance(then, dict) or (_same(then, manifest) and not lost):
        return ""
    what = str(then.get("scenario") or "an earlier result")
    facts = [f"seed {then.get('seed')}", f"{then.get('draws')} draws", f"made {then.get('created')}"]
    facts += [f"with {name}" for name in sorted(lost)]
    told = escaped(f"{what} ({', '.join(facts)})", most=500)
    return f"{folder}: replaced what was there: {told}. Use --out to keep both."


def _same(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether two manifests are of one question with the same numbers."""
    asked = all(then.get(name) == now.get(name) for name in ("kind", *ASKED))
    return asked and then.get("results_sha256") == now.get("results_sha256")
