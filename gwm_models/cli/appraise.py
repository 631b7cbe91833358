"""`gwm appraise`: what the effects of a scenario cost, and how surely they are worth it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.goal import read_kind
from gwm_models.cli.options import DrawsOption, SeedOption
from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped
from gwm_models.cli.run import busy, command_line, with_analysis

if TYPE_CHECKING:
    from gwm_models.evaluation.appraisal_terms import Terms, Value


def appraise(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A scenario file with costs, or the name of a shipped one.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the appraisal; results/runs/ID-appraisal here if left out.")
    ] = None,
    draws: DrawsOption = None,
    seed: SeedOption = None,
    value: Annotated[
        list[str] | None,
        typer.Option("--value", metavar="MEASURE=POUNDS", help="What one unit is worth, at the prices of the costs."),
    ] = None,
    value_source: Annotated[
        str | None, typer.Option("--value-source", help="Where the values come from; needed with --value.")
    ] = None,
    discount_cost: Annotated[
        float | None, typer.Option("--discount-cost", help="Rate a year for costs and scores; 0.035 if left out.")
    ] = None,
    discount_health: Annotated[
        float | None, typer.Option("--discount-health", help="Rate a year for health; 0.015 if left out.")
    ] = None,
    elasticity: Annotated[
        float | None, typer.Option("--elasticity", help="Of the equity weights by income; 1.3 if left out.")
    ] = None,
    deflator: Annotated[
        Path | None, typer.Option("--deflator", help="CSV file with columns year, index, to convert prices.")
    ] = None,
    price_base: Annotated[
        int | None,
        typer.Option("--price-base", help="Year whose prices to use; needs --deflator if costs are in others."),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="How to print; CSV is the cost for one unit.")
    ] = Format.table,
) -> None:
    """Hold the costs of a scenario against its effects: cost for one unit, net benefit, and how surely it is worth it.

    Effects are points_last_year, point_years, healthy_years, deaths:OUTCOME, and gaps closed such as gap_10_10:total.

    Example: gwm appraise northern-participation-2026
    """
    from gwm_models.evaluation.appraisal import appraise as appraise_run
    from gwm_models.report.appraisal import check_appraisal_folder, write_appraisal
    from gwm_models.scenarios.projection import project

    terms = _terms(value or [], value_source, discount_cost, discount_health, elasticity, deflator, price_base)
    asked = with_analysis(read_kind(scenario, "scenario").scenario, draws, seed)
    folder = out or Path("results") / "runs" / f"{asked.id}-appraisal"
    check_appraisal_folder(folder)
    options: dict[str, Any] = {"--out": out, "--draws": draws, "--seed": seed}
    options |= {"--value": value, "--value-source": value_source}
    options |= {"--discount-cost": discount_cost, "--discount-health": discount_health, "--elasticity": elasticity}
    options |= {"--deflator": deflator, "--price-base": price_base}
    with busy("Appraising"):
        found = appraise_run(project(asked, variance=False), terms)
        summary = write_appraisal(folder, found, command=command_line("appraise", [scenario], options))
    if format is Format.json:
        write_json(summary)
    elif format is Format.csv:
        emit(summary["ratios"], format=format)
    else:
        _print(summary, folder)


def _terms(
    values: list[str],
    source: str | None,
    cost_rate: float | None,
    health_rate: float | None,
    elasticity: float | None,
    deflator: Path | None,
    price_base: int | None,
) -> Terms:
    """Make the terms of an appraisal of the options given."""
    from gwm_models.errors import DataError
    from gwm_models.evaluation.appraisal_terms import Terms, read_deflator

    if source is not None and not values:
        raise DataError("--value-source goes with --value MEASURE=POUNDS: say what is worth how much.")
    given: dict[str, Any] = {"cost_rate": cost_rate, "health_rate": health_rate, "elasticity": elasticity}
    index, named = read_deflator(deflator) if deflator is not None else ({}, "")
    return Terms(
        **{name: number for name, number in given.items() if number is not None},
        values=tuple(_value(text, source or "") for text in values),
        price_base=price_base,
        deflator=index,
        deflator_source=named,
    )


def _value(text: str, source: str) -> Value:
    """Read ``MEASURE=POUNDS``."""
    from gwm_models.errors import DataError
    from gwm_models.evaluation.appraisal_terms import Value

    measure, _, amount = text.rpartition("=")
    try:
        pounds = float(amount.replace(",", "").removeprefix("£"))
    except ValueError as error:
        raise DataError(f"--value {text}: expected MEASURE=POUNDS, such as healthy_years=70000.") from error
    if not measure:
        raise DataError(f"--value {text}: says not of what. Write MEASURE=POUNDS, such as healthy_years={amount}.")
    if not source.strip():
        raise DataError(f"--value {text}: has no source. Say where it comes from with --value-source.")
    return Value(measure, pounds, source)


def _print(summary: dict[str, Any], folder: Path) -> None:
    from gwm_models.evaluation.appraisal_text import pounds, share

    write_line(summary["scenario"]["title"])
    write_line()
    write_wrapped(summary["headline"])
    write_line()
    shown = []
    for row in summary["ratios"]:
        ratio = row["verdict"] == "ratio"
        shown.append(
            {
                "measure": row["measure"],
                "equity": row["equity"],
                "cost for one": pounds(row["estimate"]) if ratio else f"none: {row['verdict'].replace('_', ' ')}",
                "interval": f"{pounds(row['lower'])} to {pounds(row['upper'])}" if ratio else "",
                "P(does good)": share(row["prob_costs_more_does_good"] + row["prob_costs_less_does_good"]),
                "one is": row["unit"].removeprefix("GBP per "),
            }
        )
    title = f"Cost for one unit, {summary['terms']['price_base']} prices, {100 * summary['level']:g}% intervals"
    emit(shown, format=Format.table, title=title)
    for note in summary["notes"]:
        write_wrapped(f"Note: {note}")
    sys.stdout.write(f"\nReport: {folder / 'report.html'}\n")
