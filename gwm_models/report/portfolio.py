"""The folder of a portfolio: what to choose and how sure it is, the tables, the scenario chosen, and one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gwm_models import __version__
from gwm_models.data.home import data_home
from gwm_models.evaluation.portfolio import PortfolioFound
from gwm_models.evaluation.portfolio_menu import together
from gwm_models.evaluation.portfolio_words import portfolio_assumptions, summarise_portfolio
from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text, new_folder
from gwm_models.plots.portfolio import effect_places, frontier_chart, inclusion_chart
from gwm_models.plots.words import chance, level_words, money, unit_words
from gwm_models.report.keyfigures import portfolio_figures
from gwm_models.report.limits import NONE as NO_LIMIT
from gwm_models.report.limits import limit_rows, limit_table
from gwm_models.report.page import answer_of
from gwm_models.report.run_folder import code_hash, data_hash, resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.report.views import Cell, Column, TableView, figure_of, number_cell, sentence, text_cell
from gwm_models.scenarios.cautions import warnings_of
from gwm_models.scenarios.sources import sources_of
from gwm_models.scenarios.spread import all_steady

Row = Mapping[str, Any]

FILE = "portfolio.json"
QUESTION = "question.yaml"
"""The portfolio itself, as it was run."""
TABLES = ("options", "frontier", "years", "regions", "information")
"""Rows of the summary that are written as tables of their own."""
PORTFOLIO = FolderKind(
    "a portfolio",
    FILE,
    '"gwm-portfolio/1"',
    (FILE, LANDMARK, QUESTION, "report.html", "scenario.yaml", *(f"{name}.csv" for name in TABLES)),
)


def check_portfolio_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_portfolio` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a portfolio.
    """
    check_folder(folder, PORTFOLIO)


def made_by(command: str) -> dict[str, Any]:
    """Return what a result says of how it was made, the same each time: version, command and hashes."""
    return {
        "toolkit_version": __version__,
        "command": command,
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
    }


def write_portfolio(folder: Path, found: PortfolioFound, *, command: str) -> dict[str, Any]:
    """Write the folder of a portfolio, whole or not at all.

    ``scenario.yaml`` is the scenario of the chosen set, ready for ``gwm run``; ``question.yaml`` is the portfolio as it
    was run, ready for ``gwm portfolio``.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds a portfolio.
    found : PortfolioFound
    command : str
        How it was asked for.

    Returns
    -------
    dict
        The summary, as `gwm_models.evaluation.portfolio_words.summarise_portfolio` gives it.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a portfolio.
    """
    summary: dict[str, Any] = summarise_portfolio(found) | {
        "assumptions": portfolio_assumptions(found.projection),
        "warnings": warnings_of(found.projection, ()),
        "sources": sources_of(found.projection),
    }
    summary = all_steady(summary)
    made = made_by(command)
    tables = {f"{name}.csv": csv_text(summary[name]) for name in TABLES}
    numbers = {FILE: json_text(summary | made), **tables}
    manifest = search_manifest("portfolio", found.menu.scenario, command=command, numbers=numbers, file=QUESTION)
    texts = numbers | {
        "scenario.yaml": resolved_yaml(together(found.menu, found.choices)),
        "report.html": portfolio_html(summary | {"cuts": limit_rows(found.projection)}, manifest),
        QUESTION: resolved_yaml(found.menu.scenario),
        LANDMARK: json_text(manifest),
    }
    with new_folder(folder, PORTFOLIO) as fresh:
        for name, text in texts.items():
            (fresh / name).write_text(text, encoding="utf-8", newline="")
    return summary


def portfolio_html(summary: Row, manifest: Row) -> str:
    """Return the page of a portfolio as text.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.evaluation.portfolio_words.summarise_portfolio`.
    manifest : mapping
        Version, command, time and hashes.
    """
    figures = {
        "frontier": figure_of("frontier", frontier_chart(summary)),
        "inclusion": figure_of("inclusion", inclusion_chart(summary["options"])),
    }
    specs = {
        name: spec
        for figure in figures.values()
        if figure is not None
        for (name, _, _), spec in zip(figure.charts, figure.specs, strict=True)
    }
    return render(
        "portfolio.html.j2",
        specs,
        summary=summary,
        manifest=manifest,
        answer=answer_of(str(summary["headline"])),
        cuts=limit_table(summary.get("cuts") or []),
        no_limit=NO_LIMIT,
        key_figures=portfolio_figures(summary),
        level=level_words(summary["level"]),
        figures=figures,
        options=_options(summary),
        effect=_effect(summary),
        years=_years(summary),
        regions=_regions(summary),
        information=_information(summary),
        sources=source_table(summary.get("sources") or [], "Data behind this answer."),
    )


def _unit(summary: Row) -> str:
    return unit_words(summary["measure"]["unit"])


def _price(summary: Row) -> str:
    return f"{summary['budget']['price_base']} prices"


def _options(summary: Row) -> TableView:
    places = effect_places(summary["measure"]["unit"], [row["estimate"] for row in summary["options"]])
    change = summary["measure"]["state"] != "scenario"
    return TableView(
        key="options",
        caption=f"What can be chosen: expected cost ({_price(summary)}, discounted) and effect alone, "
        f"{level_words(summary['level'])} below, and the share of draws whose own best set holds it.",
        columns=[
            Column("Option", numeric=False),
            Column("Size"),
            Column("Chosen", numeric=False),
            Column("Areas"),
            Column("Cost"),
            Column(f"Effect alone ({_unit(summary)})"),
            Column("In the best set"),
        ],
        rows=[
            [
                text_cell(row["option"]),
                Cell(f"{row['size']:g}", "", row["size"]),
                text_cell("Yes" if row["chosen"] else "No"),
                Cell(str(row["areas"]), "", row["areas"]),
                Cell(money(row["cost"]), f"{money(row['cost_lower'])} to {money(row['cost_upper'])}", row["cost"]),
                number_cell(row, places=places, change=change),
                Cell(chance(row["prob_in_best"]), "", row["prob_in_best"]),
            ]
            for row in summary["options"]
        ],
    )


def _effect(summary: Row) -> TableView:
    ends = [row[name] for row in summary["effect"] for name in ("estimate", "lower", "upper")]
    places = effect_places(summary["measure"]["unit"], ends)
    return TableView(
        key="effect",
        caption=f"{summary['measure']['label']} ({_unit(summary)}) in {summary['year']} under the chosen set; "
        f"{level_words(summary['level'])} below.",
        columns=[Column("How", numeric=False), Column("Estimate")],
        rows=[
            [text_cell(sentence(row["what"])), number_cell(row, places=places, change=True)]
            for row in summary["effect"]
        ],
        sortable=False,
    )


def _years(summary: Row) -> TableView:
    return TableView(
        key="years",
        caption=f"Expected cost of the chosen set by year, {_price(summary)}, not discounted.",
        columns=[Column("Year"), Column("Cost"), Column("Budget of the year")],
        rows=[
            [Cell(str(row["year"])), Cell(money(row["cost"]), "", row["cost"]), Cell(money(row["budget"]))]
            for row in summary["years"]
        ],
        sortable=False,
    )


def _regions(summary: Row) -> TableView:
    return TableView(
        key="regions",
        caption=f"Where the money goes: expected cost ({_price(summary)}, discounted) and chosen options by region.",
        columns=[
            Column("Region", numeric=False),
            Column("Cost"),
            Column("At least"),
            Column("Options"),
            Column("At least"),
        ],
        rows=[
            [
                text_cell(row["region"]),
                Cell(money(row["cost"]), "", row["cost"]),
                Cell(money(row["least_cost"])),
                Cell(str(row["options"]), "", row["options"]),
                text_cell(row["least_options"]),
            ]
            for row in summary["regions"]
        ],
    )


def _information(summary: Row) -> TableView:
    values = [row["estimate"] for row in summary["information"]]
    places = effect_places(summary["measure"]["unit"], values)
    return TableView(
        key="information",
        caption=f"What knowing a layer of uncertainty before choosing would be worth ({_unit(summary)}), on average.",
        columns=[Column("Layer", numeric=False), Column("Worth")],
        rows=[
            [text_cell(row["label"]), number_cell({"estimate": row["estimate"], "std_error": 0}, places=places)]
            for row in summary["information"]
        ],
        sortable=False,
    )
