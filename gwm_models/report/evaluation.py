"""The folder of an evaluation: effects, paths, weights, placebos, checks, scores and power, and one page."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gwm_models import __version__
from gwm_models.data.home import data_home
from gwm_models.evaluation.answer import SCHEMA, effect_rows, part_rows
from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text, new_folder
from gwm_models.plots.evaluation import p_words, path_charts, placebo_chart, power_chart
from gwm_models.plots.words import is_missing, level_words, number, places_for, typographic
from gwm_models.report.run_folder import (
    MANIFEST_SCHEMA,
    code_hash,
    data_hash,
    hashes_of,
    resolved_yaml,
    search_manifest,
)
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.report.views import Cell, Column, TableView, figure_of, number_cell, sentence, text_cell
from gwm_models.scenarios.spec import Scenario

Row = Mapping[str, Any]

FILE = "evaluation.json"
PARTS = ("path", "placebo", "checks", "terms", "weights", "score", "curve")
EVALUATION = FolderKind(
    "an evaluation",
    FILE,
    f'"{SCHEMA}"',
    (FILE, LANDMARK, "effects.csv", *(f"{part}.csv" for part in PARTS), "report.html", "scenario.yaml"),
)
MOST_WEIGHTS = 30
LEAST_WEIGHT = 0.0005
CHECKS = {
    "pre_fit": "Fit before the start",
    "pre_trend": "Trends before the start",
    "rmspe_ratio": "Gap after against gap before",
    "placebo_start": "Made-up starts",
    "level_before": "Level before the start",
    "last_before": "Last time before the start",
    "gaps": "Missing figures",
}
"""Words for checks of a design whose names do not speak for themselves."""
VERDICTS = {"pass": "Pass", "fail": "Fail", "warn": "Warning", "info": "For information"}


def check_evaluation_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_evaluation` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not an evaluation.
    """
    check_folder(folder, EVALUATION)


def write_evaluation(
    folder: Path, summary: dict[str, Any], *, command: str, scenario: Scenario | None = None, panel: Path | None = None
) -> None:
    """Write the folder of an evaluation, whole or not at all.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds an evaluation.
    summary : dict
        From `gwm_models.evaluation.answer.summarise_plan` or `summarise_panel`.
    command : str
        How it was asked for.
    scenario : Scenario, optional
        The scenario evaluated.
    panel : Path, optional
        The panel file evaluated.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not an evaluation.
    """
    made = {
        "toolkit_version": __version__,
        "command": command,
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
    }
    if panel is not None:
        made["panel_sha256"] = hashlib.sha256(panel.read_bytes()).hexdigest()
    texts = {FILE: json_text(summary | made), "effects.csv": csv_text(effect_rows(summary))}
    for part in PARTS:
        rows = part_rows(summary, part)
        if rows:
            texts[f"{part}.csv"] = csv_text(rows)
    numbers = dict(texts)
    if scenario is not None:
        manifest = search_manifest("evaluation", scenario, command=command, numbers=numbers)
        texts["scenario.yaml"] = resolved_yaml(scenario)
    else:
        manifest = {
            "schema": MANIFEST_SCHEMA,
            "kind": "evaluation",
            **made,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "seed": summary["seed"],
            "python": platform.python_version(),
            "results_sha256": hashes_of(numbers),
        }
    texts["report.html"] = evaluation_html(summary, manifest)
    texts[LANDMARK] = json_text(manifest)
    with new_folder(folder, EVALUATION) as fresh:
        for name, text in texts.items():
            (fresh / name).write_text(text, encoding="utf-8", newline="")


def evaluation_html(summary: Row, manifest: Row) -> str:
    """Return the page of an evaluation as text.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.evaluation.answer.summarise_plan` or `summarise_panel`.
    manifest : mapping
        Version, command, time and hashes.
    """
    specs: dict[str, Any] = {}
    sections = []
    for place, result in enumerate(summary["results"], start=1):
        key = f"outcome-{place}"
        section: dict[str, Any] = {"key": key, **result}
        if result["effect"] is not None:
            section |= _section(key, result, specs)
        sections.append(section)
    power = []
    for place, found in enumerate(summary["power"], start=1):
        drawn = _drawn(f"power-{place}", power_chart(found), specs)
        power.append({**found, "key": f"power-{place}", "drawn": drawn})
    return render(
        "evaluation.html.j2",
        specs,
        summary=summary,
        manifest=manifest,
        level=level_words(summary["level"]),
        sections=sections,
        power=power,
        effects=_effect_table(summary),
        sources=source_table(summary["sources"], "Figures behind this evaluation."),
    )


def _section(key: str, result: Row, specs: dict[str, Any]) -> dict[str, Any]:
    effect = result["effect"]
    return {
        "path": _drawn(f"{key}-path", path_charts(result), specs),
        "placebo": _drawn(f"{key}-placebo", placebo_chart(result), specs),
        "checks": _check_table(key, effect),
        "weights": _weight_table(key, effect),
        "scores": _score_table(key, result),
        "terms": _term_table(key, effect),
        "words": effect["words"],
        "interval": effect["interval"],
        "valid": effect["valid"],
        "valid_why": effect["valid_why"],
        "excluded": effect["excluded"],
        "sample": [f"{sentence(name.replace('_', ' '))}: {count}" for name, count in effect["sample"].items()],
    }


def _drawn(key: str, charts: Sequence[Row], specs: dict[str, Any]) -> Any:
    drawn = figure_of(key, charts)
    if drawn is not None:
        specs |= {name: spec for (name, _, _), spec in zip(drawn.charts, drawn.specs, strict=True)}
    return drawn


def _effect_table(summary: Row) -> TableView:
    rows = effect_rows(dict(summary))
    lines = []
    for row in rows:
        places = places_for("", [row[end] for row in rows for end in ("estimate", "lower", "upper")], change=True)
        predicted = {"estimate": row["predicted"], "lower": row["predicted_lower"], "upper": row["predicted_upper"]}
        lines.append(
            [
                text_cell(row["label"], "rehearsal" if row["rehearsal"] else ""),
                text_cell(row["unit"]),
                number_cell(row, places=places, change=True),
                text_cell("" if row["valid"] is None else _yes(row["valid"])),
                Cell(p_words(row["p_value"]), "", row["p_value"]),
                number_cell(predicted, places=places, change=True),
                Cell(number(row["z"], 1, sign=True), "", row["z"]),
            ]
        )
    return TableView(
        key="effects",
        caption=f"Effects on the treated, on average after the start; {level_words(summary['level'])} below each.",
        columns=[
            Column("Outcome", numeric=False),
            Column("Unit", numeric=False),
            Column("Estimate"),
            Column("Interval offered as valid", numeric=False),
            Column("p of no effect"),
            Column("Projected before"),
            Column("Difference in standard errors"),
        ],
        rows=lines,
        note="A dash: not estimated, or nothing was projected. The p value is that of the method named below.",
    )


def _check_table(key: str, effect: Row) -> TableView | None:
    rows = [
        [
            text_cell(CHECKS.get(check["name"], sentence(check["name"].replace("_", " ")))),
            text_cell(VERDICTS.get(check["verdict"], check["verdict"])),
            text_cell(typographic(check["words"])),
        ]
        for check in effect["checks"]
    ]
    columns = [Column(title, numeric=False) for title in ("Check", "Verdict", "What was found")]
    return TableView(f"{key}-checks", "Checks of the design.", columns, rows, sortable=False) if rows else None


def _weight_table(key: str, effect: Row) -> TableView | None:
    weights = {name: weight for name, weight in effect["weights"].items() if weight and weight > LEAST_WEIGHT}
    if not weights:
        return None
    order = sorted(weights, key=lambda name: -weights[name])[:MOST_WEIGHTS]
    rest = len(weights) - len(order)
    return TableView(
        f"{key}-weights",
        "Weights of the donors, the largest first.",
        [Column("Donor", numeric=False), Column("Weight")],
        [[text_cell(name), Cell(number(weights[name], 3), "", weights[name])] for name in order],
        f"{rest} more are in weights.csv." if rest else "",
        tall=True,
    )


def _score_table(key: str, result: Row) -> TableView | None:
    rows = result["score"]
    if not rows:
        return None
    values = [row[name] for row in rows for name in ("predicted", "estimate") if not is_missing(row[name])]
    places = places_for("", values, change=True)
    lines = []
    for row in rows:
        predicted = {"estimate": row["predicted"], "lower": row["predicted_lower"], "upper": row["predicted_upper"]}
        lines.append(
            [
                text_cell("All" if row["time"] == "all" else row["period"]),
                number_cell(predicted, places=places, change=True),
                number_cell(row, places=places, change=True),
                Cell(number(row["z"], 1, sign=True), "", row["z"]),
                text_cell(_yes(row["prediction_in_interval"])),
                text_cell(_yes(row["covered"])),
            ]
        )
    titles = ("Projected", "Estimated", "Difference in standard errors")
    words = ("Projection inside the estimate's interval", "Estimate where projection and its error put it")
    return TableView(
        f"{key}-score",
        f"What was projected and what was estimated ({result['unit']}).",
        [Column("Time", numeric=False), *map(Column, titles), *(Column(word, numeric=False) for word in words)],
        lines,
        "Rows by time share data, so they are not independent.",
        sortable=False,
    )


def _yes(value: bool | None) -> str:
    return "" if value is None else "Yes" if value else "No"


def _term_table(key: str, effect: Row) -> TableView | None:
    if not effect["terms"]:
        return None
    ends = [term.get(end) for term in effect["terms"] for end in ("estimate", "lower", "upper")]
    places = places_for("", [end for end in ends if end is not None], change=True)
    rows = [
        [text_cell(sentence(term["term"])), number_cell(term, places=places, change=True)] for term in effect["terms"]
    ]
    titles = [Column("What", numeric=False), Column("Estimate")]
    return TableView(f"{key}-terms", "Further estimates.", titles, rows, tall=len(rows) > 12)
