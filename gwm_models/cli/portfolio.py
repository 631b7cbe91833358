"""`gwm portfolio`: the best set of options, or of amounts for areas, within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.goal import read_kind
from gwm_models.cli.options import DrawsOption, SeedOption
from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped
from gwm_models.cli.run import busy, command_line, with_analysis

if TYPE_CHECKING:
    from gwm_models.scenarios.spec import Scenario


def portfolio(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A file of kind portfolio, or the name of a shipped one.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the answer; results/runs/ID here if left out.")
    ] = None,
    draws: DrawsOption = None,
    seed: SeedOption = None,
    format: Annotated[
        Format, typer.Option("--format", help="How to print; CSV is the options, or the areas.")
    ] = Format.table,
) -> None:
    """Choose the best set of options within a budget, or spread an amount of money over areas.

    Exit code 2 if nothing keeps to the budget and the constraints; what binds is then named.

    Example: gwm portfolio portfolio-participation-and-jobs
    """
    checked = read_kind(scenario, "portfolio")
    asked = with_analysis(checked.scenario, draws, seed)
    folder = out or Path("results") / "runs" / asked.id
    options = {"--out": out, "--draws": draws, "--seed": seed}
    command = command_line("portfolio", [scenario], options)
    spread = asked.portfolio is not None and asked.portfolio.options is None
    summary = _allocated(asked, folder, command) if spread else _chosen(asked, folder, command)
    if format is Format.json:
        write_json(summary)
    elif format is Format.csv:
        emit(summary["areas" if spread else "options"], format=format)
    else:
        _print(summary, folder)


def _chosen(asked: Scenario, folder: Path, command: str) -> dict[str, Any]:
    from gwm_models.evaluation.portfolio import choose_portfolio
    from gwm_models.report.portfolio import check_portfolio_folder, write_portfolio

    check_portfolio_folder(folder)
    with busy("Choosing"):
        return write_portfolio(folder, choose_portfolio(asked), command=command)


def _allocated(asked: Scenario, folder: Path, command: str) -> dict[str, Any]:
    from gwm_models.evaluation.allocation import allocate
    from gwm_models.report.allocation import check_allocation_folder, write_allocation

    check_allocation_folder(folder)
    with busy("Spreading"):
        return write_allocation(folder, allocate(asked), command=command)


def _print(summary: dict[str, Any], folder: Path) -> None:
    write_line(summary["title"])
    write_line()
    write_wrapped(summary["headline"])
    for line in summary["binding"]:
        write_wrapped(line)
    write_line()
    if "options" in summary:
        _print_options(summary)
    else:
        _print_areas(summary)
    for note in summary["notes"]:
        write_wrapped(f"Note: {note}")
    write_line()
    write_line(f"Report: {folder / 'report.html'}")


def _print_options(summary: dict[str, Any]) -> None:
    from gwm_models.plots.portfolio import effect_places
    from gwm_models.plots.words import chance, interval, money, number

    rows, measure = summary["options"], summary["measure"]
    places = effect_places(measure["unit"], [row["estimate"] for row in rows])
    shown = [
        {
            "": "<" if row["chosen"] else "",
            "option": row["option"],
            "size": f"{row['size']:g}",
            "cost": money(row["cost"]),
            "effect": number(row["estimate"], places),
            "interval": interval(row["lower"], row["upper"], places),
            "in best": chance(row["prob_in_best"]),
        }
        for row in rows
    ]
    emit(shown, format=Format.table, title=f"{measure['label']}, {measure['unit']}; chosen options are marked")
    write_line()
    worth = [
        {"layer": row["label"], "worth knowing": number(row["estimate"], places)} for row in summary["information"]
    ]
    emit(worth, format=Format.table, title=f"What knowing more would be worth, {measure['unit']}")


def _print_areas(summary: dict[str, Any]) -> None:
    from gwm_models.plots.words import money

    rows = sorted(summary["areas"], key=lambda row: -row["amount"])[:20]
    shown = [
        {
            "area": row["area_name"],
            "region": row["region"],
            "amount": money(row["amount"]),
            "per resident 16-64": f"{row['per_resident_16_64']:.2f}",
            "at": row["limit"] or "",
        }
        for row in rows
    ]
    emit(shown, format=Format.table, title=f"Largest amounts ({len(shown)} of {len(summary['areas'])} areas)")
