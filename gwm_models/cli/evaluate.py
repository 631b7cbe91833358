"""`gwm evaluate`: what an intervention changed, what was projected before, and what the design could see."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.goal import read_kind
from gwm_models.cli.output import Format, emit, write_json, write_line, write_wrapped
from gwm_models.cli.run import busy, command_line

if TYPE_CHECKING:
    from gwm_models.evaluation.panel_spec import PanelSpec

NEEDED = ("--time", "--outcome", "--design")
VERDICTS = ("fail", "warn", "info", "pass")
MOST_WEIGHTS, LEAST_WEIGHT = 12, 0.0005


def evaluate(
    scenario: Annotated[
        str | None, typer.Argument(metavar="[SCENARIO]", help="A scenario file, or the name of a shipped one.")
    ] = None,
    as_if_start: Annotated[
        int | None,
        typer.Option("--as-if-start", help="Rehearse on past figures, with a start in this year, when none was."),
    ] = None,
    common_weights: Annotated[
        bool, typer.Option("--common-weights", help="Synthetic control: one set of donor weights for all outcomes.")
    ] = False,
    power: Annotated[
        bool, typer.Option("--power", help="Also measure the smallest effect that the design could see.")
    ] = False,
    years_after: Annotated[
        int | None, typer.Option("--years-after", min=1, help="For the power: times after the start.")
    ] = None,
    panel: Annotated[
        Path | None, typer.Option("--panel", help="Evaluate a CSV file of your own instead: a row per unit and time.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Panel: column of the unit.")] = None,
    time: Annotated[str | None, typer.Option("--time", help="Panel: column of the time.")] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Panel: column of the outcome.")] = None,
    treated: Annotated[
        str | None,
        typer.Option("--treated", help="Panel: treated units, with commas; for staggered the column of their starts."),
    ] = None,
    start: Annotated[str | None, typer.Option("--start", help="Panel: first treated time.")] = None,
    design: Annotated[
        str | None,
        typer.Option("--design", help="Panel: sc, sdid, did, event-study, staggered, its or structural."),
    ] = None,
    donors: Annotated[
        str | None, typer.Option("--donors", help="Panel: controls, with commas; all others by default.")
    ] = None,
    exclude: Annotated[str | None, typer.Option("--exclude", help="Panel: units that are no controls.")] = None,
    population: Annotated[
        str | None, typer.Option("--population", help="Panel: column of what counts are out of.")
    ] = None,
    covariates: Annotated[str | None, typer.Option("--covariates", help="Panel: columns, with commas.")] = None,
    inference: Annotated[
        str | None, typer.Option("--inference", help="Panel, sc, sdid, did: placebo, conformal or jackknife.")
    ] = None,
    missing: Annotated[
        str | None, typer.Option("--missing", help="Panel, sc, sdid, did: raise, drop_units or drop_times.")
    ] = None,
    family: Annotated[
        str | None, typer.Option("--family", help="Panel, its: gaussian, poisson or negative_binomial.")
    ] = None,
    seasonality: Annotated[
        str | None, typer.Option("--seasonality", help="Panel, its, structural: none, dummies or fourier.")
    ] = None,
    period: Annotated[int | None, typer.Option("--period", help="Panel: times in a cycle of seasons; 12.")] = None,
    level: Annotated[
        float | None, typer.Option("--level", help="Of intervals; the file's widest, or 0.95 for a panel, by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of the draws.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the answer; results/runs/evaluate-ID here if left out.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="How to print; CSV is the effects.")] = Format.table,
) -> None:
    """Estimate what an intervention changed, by the design of a scenario's evaluation block or on any panel.

    A scenario without figures after its start is rehearsed on past figures instead, and what its design could see is
    measured against what it projects.

    Examples: gwm evaluate evaluate-greater-manchester-2015

    gwm evaluate --panel FILE.csv --unit state --time year --outcome sales --treated Utah --start 1989 --design sc
    """
    from gwm_models.errors import InfeasibleError

    own: dict[str, Any] = {"--as-if-start": as_if_start, "--common-weights": common_weights or None}
    theirs: dict[str, Any] = {
        "--unit": unit,
        "--time": time,
        "--outcome": outcome,
        "--treated": treated,
        "--start": start,
        "--design": design,
        "--donors": donors,
        "--exclude": exclude,
        "--population": population,
        "--covariates": covariates,
        "--inference": inference,
        "--missing": missing,
        "--family": family,
        "--seasonality": seasonality,
        "--period": period,
    }
    shared = {"--power": power, "--years-after": years_after, "--level": level, "--seed": seed, "--out": out}
    _check_words(scenario, panel, own, theirs, shared)
    if panel is None:
        summary, folder = _plan(str(scenario), own, shared)
    else:
        spec = _spec(panel, theirs, level, seed)
        words = command_line("evaluate", [], {"--panel": panel, **theirs, **shared})
        summary, folder = _panel(spec, power, years_after, out, words)
    if format is Format.json:
        write_json(summary)
    elif format is Format.csv:
        from gwm_models.evaluation.answer import effect_rows

        emit(effect_rows(summary), format=format)
    else:
        _print(summary, folder)
    if all(result["status"] == "refused" for result in summary["results"]):
        sys.stdout.flush()
        raise InfeasibleError("No outcome can be evaluated by this design; the reasons stand with the outcomes.")


def _check_words(
    scenario: str | None, panel: Path | None, own: dict[str, Any], theirs: dict[str, Any], shared: dict[str, Any]
) -> None:
    """Refuse words that do not go together, all of them at once."""
    from gwm_models.errors import DataError

    wrong, level = [], shared["--level"]
    if (scenario is None) == (panel is None):
        wrong.append("gwm evaluate takes a SCENARIO, or --panel FILE.csv with its columns: one of the two.")
    elif panel is None:
        given = [name for name, value in theirs.items() if value is not None]
        wrong += [f"{_go(given)} with --panel, not with a scenario: its evaluation block says it."] if given else []
    else:
        given = [name for name, value in own.items() if value is not None]
        wrong += [f"{_go(given)} with a scenario, not with --panel."] if given else []
        gone = [name for name in NEEDED if theirs[name] is None]
        wrong += [f"--panel needs {', '.join(gone)} as well."] if gone else []
    if level is not None and not 0 < level < 1:
        wrong.append(f"--level must lie between 0 and 1, such as 0.9; got {level:g}.")
    if panel is not None and shared["--years-after"] is not None and not shared["--power"]:
        wrong.append("--years-after is for the power alone: give --power as well.")
    if wrong:
        raise DataError("\n".join(wrong))


def _go(names: list[str]) -> str:
    return f"{', '.join(names)} {'goes' if len(names) == 1 else 'go'}"


def _plan(name: str, own: dict[str, Any], shared: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    from gwm_models.cli.run import with_analysis
    from gwm_models.evaluation.answer import answer_plan, summarise_plan
    from gwm_models.report.evaluation import check_evaluation_folder, write_evaluation

    asked = with_analysis(read_kind(name, "scenario").scenario, None, shared["--seed"])
    folder = shared["--out"] or Path("results") / "runs" / f"evaluate-{asked.id}"
    check_evaluation_folder(folder)
    with busy("Evaluating"):
        answer = answer_plan(
            asked,
            as_if_start=own["--as-if-start"],
            level=shared["--level"],
            common_weights=bool(own["--common-weights"]),
            power=shared["--power"],
            years_after=shared["--years-after"],
        )
        summary = summarise_plan(answer)
        write_evaluation(folder, summary, command=command_line("evaluate", [name], own | shared), scenario=asked)
    return summary, folder


def _panel(
    spec: PanelSpec, power: bool, years_after: int | None, out: Path | None, command: str
) -> tuple[dict[str, Any], Path]:
    from gwm_models.evaluation.answer import summarise_panel
    from gwm_models.evaluation.panel_design import evaluate_panel, panel_power, read_spec
    from gwm_models.report.evaluation import check_evaluation_folder, write_evaluation

    folder = out or Path("results") / "runs" / f"evaluate-{spec.file.stem}"
    check_evaluation_folder(folder)
    with busy("Evaluating"):
        columns = read_spec(spec)
        effect = evaluate_panel(columns, spec)
        found = panel_power(columns, spec, years_after=years_after) if power else None
        summary = summarise_panel(effect, spec, found)
        write_evaluation(folder, summary, command=command, panel=spec.file)
    return summary, folder


def _spec(panel: Path, words: dict[str, Any], level: float | None, seed: int | None) -> PanelSpec:
    from gwm_models.evaluation.panel_spec import PanelSpec

    more: dict[str, Any] = {
        name.removeprefix("--"): words[name]
        for name in ("--inference", "--missing", "--family", "--seasonality", "--period")
        if words[name] is not None
    }
    more |= {} if level is None else {"level": level}
    more |= {} if seed is None else {"seed": seed}
    return PanelSpec(
        panel,
        words["--unit"],
        words["--time"],
        words["--outcome"],
        _names(words["--treated"]),
        words["--start"],
        words["--design"],
        donors=_names(words["--donors"]),
        exclude=_names(words["--exclude"]),
        population=words["--population"],
        covariates=_names(words["--covariates"]),
        **more,
    )


def _names(text: str | None) -> tuple[str, ...]:
    """Split names at commas; a name with a comma of its own stands in double quotes."""
    try:
        cells = next(csv.reader([text or ""], skipinitialspace=True), [])
    except csv.Error as error:
        from gwm_models.errors import DataError, printable

        raise DataError(
            f"'{printable(str(text), 60)}' is no list of names ({error}). Write a,b,c on one line."
        ) from error
    return tuple(dict.fromkeys(cell.strip() for cell in cells if cell.strip()))


def _print(summary: dict[str, Any], folder: Path) -> None:
    from gwm_models.evaluation.answer import effect_rows
    from gwm_models.plots.evaluation import p_words
    from gwm_models.plots.words import interval, number, places_for

    write_line(summary["title"])
    write_line()
    for words in (summary["headline"], *summary["more"]):
        write_wrapped(words)
    write_line()
    shown = []
    for row in effect_rows(summary):
        ends = [row[end] for end in ("estimate", "lower", "upper", "predicted")]
        places = places_for("", ends, change=True)
        shown.append(
            {
                "outcome": f"{row['label']}{' (rehearsal)' if row['rehearsal'] else ''}",
                "unit": row["unit"],
                "estimate": number(row["estimate"], places, sign=True),
                "interval": interval(row["lower"], row["upper"], places),
                "valid": "" if row["valid"] is None else "yes" if row["valid"] else "no",
                "p": p_words(row["p_value"]),
                "projected": number(row["predicted"], places, sign=True),
                "projected interval": interval(row["predicted_lower"], row["predicted_upper"], places),
                "z": number(row["z"], 1, sign=True),
            }
        )
    emit(shown, format=Format.table, title=f"Effects by {summary['design']}, {100 * summary['level']:g}% intervals")
    write_line()
    alone = len(summary["results"]) == 1
    for result in summary["results"]:
        _print_checks(result, VERDICTS if alone else VERDICTS[:2])
    if alone and summary["results"][0]["effect"] is not None:
        _print_weights(summary["results"][0]["effect"])
    for found in summary["power"]:
        write_wrapped(f"Power, {found['label']}: {found['words']}")
    for note in summary["notes"]:
        write_wrapped(f"Note: {note}")
    write_line()
    write_line(f"Report: {folder / 'report.html'}")


def _print_checks(result: dict[str, Any], verdicts: tuple[str, ...]) -> None:
    """Write the checks of a result, what speaks against it first, or why there is no effect."""
    effect = result["effect"]
    if effect is None:
        write_wrapped(f"{result['status'].replace('_', ' ').capitalize()}. {result['why']}")
        return
    shown = [check for check in effect["checks"] if check["verdict"] in verdicts]
    for check in sorted(shown, key=lambda check: VERDICTS.index(check["verdict"])):
        write_wrapped(f"{result['label']}: {check['name'].replace('_', ' ')}, {check['verdict']}: {check['words']}")
    if not effect["valid"] and not any(check["verdict"] == "fail" for check in shown):
        write_wrapped(f"{result['label']}: the interval is not offered as valid. {effect['valid_why']}")


def _print_weights(effect: dict[str, Any]) -> None:
    """Write the donors that carry the counterfactual, the largest weight first."""
    weights = {name: weight for name, weight in effect["weights"].items() if weight > LEAST_WEIGHT}
    order = sorted(weights, key=lambda name: -weights[name])[:MOST_WEIGHTS]
    if order:
        more = len(weights) - len(order)
        rest = f" and {more} more in weights.csv" if more else ""
        write_wrapped(f"Weights: {', '.join(f'{name} {weights[name]:.3f}' for name in order)}{rest}.")
