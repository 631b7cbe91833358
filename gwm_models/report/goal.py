"""The folder of a goal: the answer, the curve, the scenario that reaches it, and one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text
from gwm_models.plots.search import goal_curve
from gwm_models.plots.words import chance, level_words, places_for, unit_words
from gwm_models.report.basis import basis_of
from gwm_models.report.limits import NONE as NO_LIMIT
from gwm_models.report.limits import limit_table
from gwm_models.report.page import answer_of
from gwm_models.report.result_folder import write_result
from gwm_models.report.run_folder import resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.report.views import Cell, Column, TableView, figure_of, number_cell
from gwm_models.scenarios.goal import GoalFound
from gwm_models.scenarios.goal_words import summarise_goal
from gwm_models.scenarios.number_words import in_words, number_words
from gwm_models.scenarios.versions import plain_content
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
    path = found.goal.vary.path
    words = number_words(plain_content(found.scenario), path, unit=False)
    summary = summarise_goal(found) | {"path_words": words, "source": found.scenario.source}
    summary |= basis_of(found.projection, said=path)
    numbers = {FILE: json_text(summary), "curve.csv": csv_text(summary["curve"])}
    manifest = search_manifest("goal", found.scenario, command=command, numbers=numbers, file=QUESTION)
    files = {
        **numbers,
        "scenario.yaml": resolved_yaml(found.projection.scenario),
        QUESTION: resolved_yaml(found.scenario),
        "report.html": goal_html(summary, manifest),
    }
    write_result(folder, GOAL, files, manifest)
    return summary


def goal_html(summary: Row, manifest: Row) -> str:
    """Return the page of a goal as text.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.scenarios.goal_words.summarise_goal`, with what it rests on.
    manifest : mapping
    """
    names = {summary["path"]: summary["path_words"]}
    drawn = figure_of("curve", goal_curve(summary))
    specs = {} if drawn is None else {name: spec for (name, _, _), spec in zip(drawn.charts, drawn.specs, strict=True)}
    return render(
        "goal.html.j2",
        specs,
        summary=summary,
        manifest=manifest,
        answer=answer_of(in_words(summary["headline"], names)),
        binding=[in_words(line, names) for line in summary["binding"]],
        level=level_words(summary["level"]),
        drawn=drawn,
        asked=chance(summary["probability_asked"]),
        table_of_curve=_curve_table(summary),
        sources=source_table(summary.get("sources") or [], "Data behind this answer."),
        cuts=limit_table(summary.get("cuts") or []),
        no_limit=NO_LIMIT,
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
        caption=f"{measure['label']}, by value of “{summary['path_words']}” ({summary['path']} in the file). "
        f"{level_words(summary['level'])} below each estimate.",
        columns=[
            Column(_with_unit("Value", unit_words(summary["value_unit"]))),
            Column("Probability"),
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
