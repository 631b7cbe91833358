"""The folder of a run as far as reading it back goes: a scenario without actions, and its manifest."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

PLAIN = """\
schema: gwm-scenario/1
id: any
title: Nothing is done
question: What changes if nothing is done?
baseline: {edition: monitor-2021}
horizon: {start: 2026, end: 2027}
actions: []
"""
KEPT: dict[str, Any] = {
    "schema": "gwm-manifest/1",
    "toolkit_version": "0.1.0",
    "scenario": "any",
    "command": "gwm run any.yaml",
    "created": "2026-01-01T00:00:00+00:00",
    "seed": 20260101,
    "draws": 4000,
    "edition": "monitor-2021",
    "scenario_sha256": sha256(PLAIN.encode()).hexdigest(),
    "resolved_sha256": sha256(PLAIN.encode()).hexdigest(),
    "data_sha256": "0" * 64,
    "code_sha256": "1" * 64,
    "python": "3.11.7",
    "platform": "Linux x86_64",
    "package_versions": {"numpy": "2.1.0", "scipy": "1.15.0"},
    "file_warnings": ["horizon: 50 years is a long horizon"],
    "results_sha256": {"areas.csv": "2" * 64, "summary.json": "3" * 64},
}


def run_folder(folder: Path) -> Path:
    """Write the scenario of a run into a new folder; its manifest is for the caller to write."""
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(PLAIN, encoding="utf-8")
    return folder
