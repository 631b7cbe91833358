"""The folder of a goal: the answer, the curve, the scenario that reaches it, and one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gwm_models import __version__
from gwm_models.data.home import data_home
from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text, new_folder
from gwm_models.plots.search import goal_curve
from gwm_models.plots.words import chance, level_words, places_for, unit_words
from gwm_models.report.run_folder import code_hash, data_hash, resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.report.views import Cell, Column, TableView, figure_of, number_cell
from gwm_models.scenarios.cautions import warnings_of
from gwm_models.scenarios.goal import GoalFound
from gwm_models.scenarios.goal_words import summarise_goal
from gwm_models.scenarios.notes import assumptions
from gwm_models.scenarios.sources import sources_of
from gwm_models.scenarios.words import short

Row = Mapping[str, Any]

SCHEMA = "gwm-goal/1"
FILE = "goal.json"
QUESTION = "question.yaml"
"""The goal itself, as it was run."""
GOAL = FolderKind(
    "a goal", FILE, f'"{SCHEMA}"', (FILE, LANDMARK, QUESTION, "curve.csv", "report.html", "scenario.yaml")
)


def check_goal_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_goal` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a goal.
    """
    check_folder(folder, GOAL)


def write_goal(folder: Path, found: GoalFound, *, command: str) -> dict[str, Any]:
    """Write the folder of a goal, whole or not at all.

    ``scenario.yaml`` is the scenario with the value found, or with the best one, ready for ``gwm run``;
    ``question.yaml`` is the goal as it was run, ready for ``gwm goal``.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds a goal.
    found : GoalFound
    command : str
        How it was asked for.

    Returns
    -------
    dict
        The summary, as `gwm_models.scenarios.goal_words.summarise_goal` gives it.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a goal.
    """
    summary = summarise_goal(found) | {
        "assumptions": assumptions(found.projection),
        "warnings": warnings_of(found.projection, ()),
        "sources": sources_of(found.projection),
    }
    made = {
        "toolkit_version": __version__,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
    }
    texts = {
        FILE: json_text(summary | made),
        "curve.csv": csv_text(summary["curve"]),
        "scenario.yaml": resolved_yaml(found.projection.scenario),
        "report.html": goal_html(summary, made),
    }
    numbers = {name: texts[name] for name in (FILE, "curve.csv")}
    manifest = search_manifest("goal", found.scenario, command=command, numbers=numbers, file=QUESTION)
    texts |= {QUESTION: resolved_yaml(found.scenario), LANDMARK: json_text(manifest)}
    with new_folder(folder, GOAL) as fresh:
        for name, text in texts.items():
            (fresh / name).write_text(text, encoding="utf-8", newline="")
    return summary


def goal_html(summary: Row, made: Row) -> str:
    """Return the page of a goal as text.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.scenarios.goal_words.summarise_goal`.
    made : mapping
        Version, command, time and hashes.
    """
    drawn = figure_of("curve", goal_curve(summary))
    specs = {} if drawn is None else {name: spec for (name, _, _), spec in zip(drawn.charts, drawn.specs, strict=True)}
    return render(
        "goal.html.j2",
        specs,
        summary=summary,
        made=made,
        level=level_words(summary["level"]),
        drawn=drawn,
        asked=chance(summary["probability_asked"]),
        table_of_curve=_curve_table(summary),
        sources=source_table(summary.get("sources") or [], "Data behind this answer."),
        cut=[row for row in summary["limits"] if row["share"] > 0],
    )


def _curve_table(summary: Row) -> TableView:
    rows = [row for row in summary["curve"] if row["grid"] or row["value"] == summary["best"]["value"]]
    measure = summary["measure"]
    unit = unit_words(measure["unit"])
    ends = [row[end] for row in rows for end in ("estimate", "lower", "upper")]
    places = places_for(measure["unit"], ends, change=True)
    change = measure["state"] != "scenario"
    return TableView(
        key="curve-table",
        caption=f"{measure['label']} by value of the free number; {level_words(summary['level'])} below each estimate.",
        columns=[
            Column(_with_unit("Value", unit_words(summary["value_unit"]))),
            Column("Probability of the goal"),
            Column(_with_unit("Estimate", unit)),
        ],
        rows=[
            [
                Cell(_plain(row["value"], summary), "", row["value"]),
                Cell(chance(row["probability"]), "", row["probability"]),
                number_cell(row, places=places, change=change),
            ]
            for row in rows
        ],
        note="All values that were tried are in curve.csv.",
    )


def _with_unit(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title


def _plain(value: float, summary: Row) -> str:
    return f"{value:.0f}" if summary["whole"] else short(value)
