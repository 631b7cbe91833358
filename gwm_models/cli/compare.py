"""`gwm compare`: several scenarios on common draws, and which of them can be named as the best."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.options import BoundariesOption, shapes_of
from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped
from gwm_models.cli.run import busy, command_line, read_all

if TYPE_CHECKING:
    from gwm_models.scenarios.compare import Comparison
    from gwm_models.scenarios.reader import CheckedScenario

MOST_IN_NAME = 2


class Counterfactual(StrEnum):
    """What happens without the actions."""

    held = "held"
    trend = "trend"


def compare(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="Scenario files, or names of shipped ones.")
    ],
    measure: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            help="What to compare, as QUANTITY, QUANTITY@GROUP or either with :STATE (total, "
            '"total@North East", gap_10_10:percent_change); can be given again.',
        ),
    ] = None,
    year: Annotated[int | None, typer.Option("--year", help="Year of the results, if the files differ.")] = None,
    draws: Annotated[
        int | None, typer.Option("--draws", min=100, max=100_000, help="Number of draws, instead of the files'.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed, instead of the files'.")
    ] = None,
    counterfactual: Annotated[
        Counterfactual | None,
        typer.Option("--counterfactual", help="What happens without them, if the files differ."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the comparison; results/runs/compare-... if left out.")
    ] = None,
    boundaries: BoundariesOption = None,
    format: Annotated[Format, typer.Option("--format", help="How to print; CSV is the league.")] = Format.table,
) -> None:
    """Hold scenarios against each other, and against doing nothing, on the same draws.

    Example: gwm compare northern-participation-2026 professional-jobs-gap
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.report.comparison import check_comparison_folder, write_comparison
    from gwm_models.scenarios.compare import compare as hold
    from gwm_models.scenarios.compare_terms import parse_measure

    checked = read_all(scenarios)
    for one in checked:
        for warning in one.warnings:
            sys.stderr.write(f"{warning}\n")
    folder = out or Path("results") / "runs" / _folder_name(checked)
    check_comparison_folder(folder)
    edition = load_edition(checked[0].scenario.baseline.edition)
    shapes = shapes_of(boundaries, edition.areas.code)
    with busy("Projecting"):
        found = hold(
            [one.scenario for one in checked],
            measures=[parse_measure(text, edition) for text in measure] if measure else None,
            draws=draws,
            seed=seed,
            year=year,
            counterfactual=counterfactual and counterfactual.value,
        )
        options: dict[str, Any] = {"--measure": measure, "--year": year, "--draws": draws, "--seed": seed}
        options |= {"--counterfactual": counterfactual and counterfactual.value, "--out": out}
        options |= {"--boundaries": boundaries}
        command = command_line("compare", scenarios, options)
        summary = write_comparison(folder, found, command=command, boundaries=shapes)
    if format is Format.json:
        write_json(summary)
    elif format is Format.csv:
        emit(summary["league"], format=format)
    else:
        _print(summary, found, folder)


def _folder_name(checked: list[CheckedScenario]) -> str:
    names = [one.scenario.id for one in checked]
    shown = names if len(names) <= MOST_IN_NAME else [names[0], f"{len(names) - 1}-more"]
    return ("compare-" + "-and-".join(shown))[:200]


def _print(summary: dict[str, Any], found: Comparison, folder: Path) -> None:
    from gwm_models.scenarios.words import level_words

    write_line(summary["headline"])
    write_line(f"{found.year}, {found.draws:,} common draws, {level_words(found.level)} intervals.")
    for verdict in summary["verdicts"]:
        write_line()
        rows = [row for row in summary["league"] if row["measure"] == verdict["measure"]]
        unit = f", {rows[0]['unit']}" if rows[0]["unit"] else ""
        emit(
            _shown(rows, summary["reference"]),
            format=Format.table,
            title=f"{verdict['label']}{unit} ({rows[0]['better']} is better)",
        )
        write_wrapped(verdict["text"])
    write_line()
    if summary["costs"]:
        emit(_costs(summary["costs"]), format=Format.table, title="Cost in million pounds, whole and undiscounted")
        write_line()
    for note in summary["notes"]:
        write_wrapped(f"Note: {note}")
    write_line()
    write_line(f"Report: {folder / 'report.html'}")


def _shown(rows: list[dict[str, Any]], reference: str) -> list[dict[str, Any]]:
    """Return the columns of a league that fit a screen, probabilities as they are read."""
    from gwm_models.plots.words import GAP, chance, interval, number, places_for

    ends = [row[end] for row in rows for end in ("estimate", "lower", "upper")]
    places = places_for(rows[0]["unit"], ends, change=True)
    return [
        {
            "scenario": row["scenario"],
            "estimate": number(row["estimate"], places, sign=not row["measure"].endswith(":scenario")),
            "interval": interval(row["lower"], row["upper"], places),
            f"P(better than {reference})": GAP if row["scenario"] == reference else chance(row["prob_better"]),
            "P(best)": chance(row["prob_best"]),
            "regret": number(row["expected_regret"], places),
            "rank": number(row["expected_rank"], 1),
            "rank interval": interval(row["rank_lower"], row["rank_upper"], 0),
        }
        for row in rows
    ]


def _costs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from gwm_models.plots.words import interval, number

    return [
        {
            "scenario": row["scenario"],
            "cost": number(row["estimate"] / 1e6, 1),
            "interval": interval(row["lower"] / 1e6, row["upper"] / 1e6, 1) if row["std_error"] else "",
            "prices of": row["price_base"],
        }
        for row in rows
    ]
