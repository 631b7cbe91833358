"""The folder of an appraisal: what a run's effects cost, and how surely they are worth it, with one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwm_models import __version__
from gwm_models.data.home import data_home
from gwm_models.evaluation.appraisal import Appraisal
from gwm_models.evaluation.appraisal_effects import DEATHS, HEALTHY, POINT_YEARS
from gwm_models.evaluation.appraisal_words import summarise_appraisal
from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text, new_folder
from gwm_models.plots.words import level_words, number
from gwm_models.report.appraisal_charts import measure_section
from gwm_models.report.appraisal_tables import benefit_table, break_even_table, cost_table, effect_table, ratio_table
from gwm_models.report.keyfigures import appraisal_figures
from gwm_models.report.limits import NONE as NO_LIMIT
from gwm_models.report.limits import limit_rows, limit_table
from gwm_models.report.page import answer_of
from gwm_models.report.run_folder import code_hash, data_hash, resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.scenarios.cautions import warnings_of
from gwm_models.scenarios.notes import assumptions
from gwm_models.scenarios.sources import sources_of
from gwm_models.scenarios.spread import all_steady

Row = Mapping[str, Any]

SCHEMA = "gwm-appraisal/1"
FILE, QUESTION = "appraisal.json", "scenario.yaml"
TABLES = {
    "ratios.csv": "ratios",
    "costs.csv": "costs",
    "effects.csv": "effects",
    "net_benefit.csv": "net_benefit",
    "break_even.csv": "break_even",
    "by_year.csv": "by_year",
    "curve.csv": "curve",
    "plane.csv": "plane",
}
"""Files of rows, and where the summary holds them."""
APPRAISAL = FolderKind("an appraisal", FILE, f'"{SCHEMA}"', (FILE, LANDMARK, QUESTION, "report.html", *TABLES))
DRAWN = (HEALTHY, POINT_YEARS)
"""Measures with charts on the page, besides deaths averted and those that a value was given for."""


def check_appraisal_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_appraisal` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not an appraisal.
    """
    check_folder(folder, APPRAISAL)


def write_appraisal(folder: Path, found: Appraisal, *, command: str) -> dict[str, Any]:
    """Write the folder of an appraisal, whole or not at all.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds an appraisal.
    found : Appraisal
    command : str
        How it was asked for.

    Returns
    -------
    dict
        The summary, as `gwm_models.evaluation.appraisal_words.summarise_appraisal` gives it.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not an appraisal.
    """
    projection = found.projection
    summary: dict[str, Any] = summarise_appraisal(found) | {
        "assumptions": assumptions(projection),
        "warnings": warnings_of(projection, ()),
        "sources": sources_of(projection),
    }
    summary = all_steady(summary)
    made = {
        "toolkit_version": __version__,
        "command": command,
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
    }
    tables = {name: csv_text(summary[part]) for name, part in TABLES.items()}
    manifest = search_manifest("cost appraisal", projection.scenario, command=command, numbers=tables)
    texts = {
        FILE: json_text(summary | made),
        "report.html": appraisal_html(summary | {"cuts": limit_rows(projection)}, manifest),
        **tables,
        QUESTION: resolved_yaml(projection.scenario),
        LANDMARK: json_text(manifest | {"terms": summary["terms"]}),
    }
    with new_folder(folder, APPRAISAL) as fresh:
        for name, text in texts.items():
            (fresh / name).write_text(text, encoding="utf-8", newline="")
    return summary


def appraisal_html(summary: Row, manifest: Row) -> str:
    """Return the page of an appraisal as text.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.evaluation.appraisal_words.summarise_appraisal`.
    manifest : mapping
        Version, command, time and hashes.
    """
    sections = [measure_section(summary, place, measure) for place, measure in enumerate(_drawn(summary), start=1)]
    specs = {
        name: spec
        for section in sections
        for figure in (section["plane"], section["curve"])
        if figure is not None
        for (name, _, _), spec in zip(figure.charts, figure.specs, strict=True)
    }
    return render(
        "appraisal.html.j2",
        specs,
        summary=summary,
        manifest=manifest,
        cuts=limit_table(summary.get("cuts") or []),
        no_limit=NO_LIMIT,
        key_figures=appraisal_figures(summary),
        level=level_words(summary["level"]),
        answer=answer_of(str(summary["headline"])),
        sections=sections,
        ratios=ratio_table(summary["ratios"], _foot(summary)),
        costs=cost_table(summary["costs"]),
        effects=effect_table(summary["effects"]),
        benefits=benefit_table(summary["net_benefit"]),
        break_even=break_even_table(summary["break_even"]),
        sources=source_table(summary.get("sources") or [], "Data behind this answer."),
    )


def _foot(summary: Row) -> str:
    terms = summary["terms"]
    return (
        f"{level_words(summary['level'])} below each estimate, from {number(summary['draws'], 0)} draws, seed "
        f"{summary['seed']}; {terms['price_base']} prices, discounted to {terms['discounted_to']}."
    )


def _drawn(summary: Row) -> list[Row]:
    """Return the measures that get charts."""
    valued = {row["measure"] for row in summary["net_benefit"]}
    return [
        measure
        for measure in summary["measures"]
        if measure["measure"] in valued or measure["measure"] in DRAWN or str(measure["measure"]).startswith(DEATHS)
    ]
