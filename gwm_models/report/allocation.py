"""The folder of an allocation: what each area gets and what that gains, the tables, and one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwm_models.evaluation.allocation import Allocated
from gwm_models.evaluation.allocation_words import summarise_allocation
from gwm_models.evaluation.portfolio_words import portfolio_assumptions
from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text, new_folder
from gwm_models.plots.maps import tile_map
from gwm_models.plots.portfolio import effect_places, frontier_chart
from gwm_models.plots.words import level_words, money, unit_words
from gwm_models.report.keyfigures import allocation_figures
from gwm_models.report.limits import NONE as NO_LIMIT
from gwm_models.report.limits import limit_rows, limit_table
from gwm_models.report.portfolio import QUESTION, made_by
from gwm_models.report.run_folder import resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.report.views import Cell, Column, TableView, figure_of, number_cell, sentence, text_cell
from gwm_models.scenarios.cautions import warnings_of
from gwm_models.scenarios.sources import sources_of
from gwm_models.scenarios.spread import all_steady

Row = Mapping[str, Any]

FILE = "allocation.json"
TABLES = ("areas", "regions", "frontier")
"""Rows of the summary that are written as tables of their own."""
ALLOCATION = FolderKind(
    "an allocation",
    FILE,
    '"gwm-allocation/1"',
    (FILE, LANDMARK, QUESTION, "report.html", *(f"{name}.csv" for name in TABLES)),
)


def check_allocation_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_allocation` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not an allocation.
    """
    check_folder(folder, ALLOCATION)


def write_allocation(folder: Path, found: Allocated, *, command: str) -> dict[str, Any]:
    """Write the folder of an allocation, whole or not at all.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds an allocation.
    found : Allocated
    command : str
        How it was asked for.

    Returns
    -------
    dict
        The summary, as `gwm_models.evaluation.allocation_words.summarise_allocation` gives it.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not an allocation.
    """
    summary: dict[str, Any] = summarise_allocation(found) | {
        "assumptions": portfolio_assumptions(found.projection),
        "warnings": warnings_of(found.projection, ()),
        "sources": sources_of(found.projection),
    }
    summary = all_steady(summary)
    made = made_by(command)
    numbers = {FILE: json_text(summary | made), **{f"{name}.csv": csv_text(summary[name]) for name in TABLES}}
    manifest = search_manifest("portfolio", found.scenario, command=command, numbers=numbers, file=QUESTION)
    texts = numbers | {
        "report.html": allocation_html(summary | {"cuts": limit_rows(found.projection)}, manifest),
        QUESTION: resolved_yaml(found.scenario),
        LANDMARK: json_text(manifest),
    }
    with new_folder(folder, ALLOCATION) as fresh:
        for name, text in texts.items():
            (fresh / name).write_text(text, encoding="utf-8", newline="")
    return summary


def allocation_html(summary: Row, manifest: Row) -> str:
    """Return the page of an allocation as text.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.evaluation.allocation_words.summarise_allocation`.
    manifest : mapping
        Version, command, time and hashes.
    """
    frontier = figure_of("frontier", frontier_chart(summary, "Spread"))
    drawn_map = figure_of("map", _map(summary))
    specs = {
        name: spec
        for drawn in (frontier, drawn_map)
        if drawn is not None
        for (name, _, _), spec in zip(drawn.charts, drawn.specs, strict=True)
    }
    return render(
        "allocation.html.j2",
        specs,
        summary=summary,
        manifest=manifest,
        answer=(str(summary["headline"]), ""),
        cuts=limit_table(summary.get("cuts") or []),
        no_limit=NO_LIMIT,
        key_figures=allocation_figures(summary),
        level=level_words(summary["level"]),
        frontier=frontier,
        map=drawn_map,
        effect=_effect(summary),
        areas=_areas(summary),
        regions=_regions(summary),
        sources=source_table(summary.get("sources") or [], "Data behind this answer."),
    )


def _map(summary: Row) -> list[dict[str, Any]]:
    """Map the amount for each resident."""
    base = summary["budget"]["price_base"]
    return tile_map(
        [{**row, "region_name": row["region"]} for row in summary["areas"]],
        value="per_resident_16_64",
        title="",
        description=f"Amount for each resident aged 16 to 64 in every area, {base} prices.",
        unit="",
        places=2,
        kind="sequential",
        label="Pounds for each resident aged 16 to 64",
    )


def _effect(summary: Row) -> TableView:
    ends = [row[name] for row in summary["effect"] for name in ("estimate", "lower", "upper")]
    places = effect_places(summary["measure"]["unit"], ends)
    unit = unit_words(summary["measure"]["unit"])
    return TableView(
        key="effect",
        caption=f"{summary['measure']['label']} ({unit}) in {summary['year']}; {level_words(summary['level'])} below.",
        columns=[Column("How", numeric=False), Column("Estimate")],
        rows=[
            [text_cell(sentence(row["what"])), number_cell(row, places=places, change=True)]
            for row in summary["effect"]
        ],
        sortable=False,
    )


def _areas(summary: Row) -> TableView:
    rows = sorted(summary["areas"], key=lambda row: -row["amount"])
    return TableView(
        key="areas",
        caption=f"What each area gets, {summary['budget']['price_base']} prices; an even spread beside it.",
        columns=[
            Column("Area", numeric=False),
            Column("Region", numeric=False),
            Column("Amount"),
            Column("Even spread"),
            Column("Per resident aged 16 to 64"),
            Column("Share of the stated effect"),
            Column("At a limit", numeric=False),
        ],
        rows=[
            [
                text_cell(row["area_name"]),
                text_cell(row["region"]),
                Cell(money(row["amount"]), "", row["amount"]),
                Cell(money(row["amount_even"]), "", row["amount_even"]),
                Cell(f"£{row['per_resident_16_64']:.2f}", "", row["per_resident_16_64"]),
                Cell(f"{row['share_of_stated_effect']:.2f}", "", row["share_of_stated_effect"]),
                text_cell(sentence(row["limit"] or "")),
            ]
            for row in rows
        ],
        tall=True,
    )


def _regions(summary: Row) -> TableView:
    return TableView(
        key="regions",
        caption=f"What each region gets, {summary['budget']['price_base']} prices.",
        columns=[
            Column("Region", numeric=False),
            Column("Areas"),
            Column("Amount"),
            Column("Even spread"),
            Column("Least"),
        ],
        rows=[
            [
                text_cell(row["region"]),
                Cell(str(row["areas"]), "", row["areas"]),
                Cell(money(row["amount"]), "", row["amount"]),
                Cell(money(row["amount_even"]), "", row["amount_even"]),
                Cell(money(row["least_cost"])),
            ]
            for row in summary["regions"]
        ],
    )
