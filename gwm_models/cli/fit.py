"""`gwm fit`: the outcome models."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit, write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gwm_models.data.edition import Edition
    from gwm_models.models.fit import Fit, Spec
    from gwm_models.models.outcomes import Outcome, Subject

LIST = "list"
SHOWN = ("spec", "term", "estimate", "lower", "upper", "p", "n", "title")
COEFFICIENTS = ("term", "estimate", "std_error", "lower", "upper", "p_value", "unit")
FAMILIES = {
    "cross-section": "between areas",
    "panel": "within areas over time",
    "topic": "several outcomes together",
}
KEPT = ("unit", "n")
MOST = 12
"""Rows of a long table that are printed on a terminal; JSON has them all."""


def fit(
    outcome: Annotated[
        str | None, typer.Argument(metavar="[OUTCOME]", help="One outcome or topic; `list` (or nothing) lists them.")
    ] = None,
    of: Annotated[
        str | None, typer.Argument(metavar="[OF]", help="After `list`: one outcome, to see how it can be fitted.")
    ] = None,
    spec: Annotated[
        str | None, typer.Option("--spec", help="One specification, in full. `gwm fit list OUTCOME` has them.")
    ] = None,
    bayes: Annotated[bool, typer.Option("--bayes", help="Bayesian fits too (stored, or sampled anew).")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write a page with the slope under every specification (HTML).")
    ] = None,
    name: EditionOption = MONITOR,
    draws: Annotated[int, typer.Option("--draws", min=400, max=100_000, help="Draws of a posterior.")] = 4000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 20260101,
    fresh: Annotated[bool, typer.Option("--fresh", help="Fit anew, whatever is stored.")] = False,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Fit an outcome on the index: between areas, within areas over time, and how sure anyone can be.

    JSON is a list of whole fits, with sample, exclusions and assumptions. CSV has a row for each coefficient.

    Example: gwm fit healthy_life_expectancy_male
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.errors import DataError
    from gwm_models.models.catalogue import find_spec, specs_of
    from gwm_models.models.outcomes import Outcome, find_subject

    if outcome in (None, LIST):
        if spec is not None or plot is not None:
            raise DataError("--spec and --plot need an outcome, such as healthy_life_expectancy_male.")
        write_list(of, format)
        return
    if of is not None:
        raise DataError(f"Expected one outcome, got '{outcome}' and '{of}'. Fit one at a time.")
    subject = find_subject(str(outcome))
    if plot is not None:
        check_plot(plot, subject, spec)
    edition = load_edition(name)
    if spec is not None:
        chosen: Sequence[Spec] = [find_spec(subject, spec)]
    else:
        chosen = [one for one in specs_of(subject) if bayes or not one.bayes]
        chosen = chosen or specs_of(subject)
    fits = make_fits(edition, subject, chosen, draws=draws, seed=seed, fresh=fresh)
    if plot is not None and isinstance(subject, Outcome):
        from gwm_models.report.specification import write_specification_page

        write_specification_page(plot, edition, subject, fits, command=shlex.join(["gwm", *sys.argv[1:]]))
        sys.stderr.write(f"Wrote {plot}\n")
    if format is Format.json:
        write_json([found.to_json() for found in fits])
    elif format is Format.csv:
        emit([row for found in fits for row in found.rows()], format=format)
    elif spec is not None or not isinstance(subject, Outcome):
        for found in fits:
            write_fit(found)
    else:
        write_outcome(edition, subject, fits, chosen)


def check_plot(path: Path, subject: Subject, spec: str | None) -> None:
    """Refuse a plot that cannot be drawn or written, before anything is fitted.

    Raises
    ------
    DataError
        If one specification is asked for, or the subject is no outcome with a level.
    OutputError
        If the file cannot be written.
    """
    from gwm_models.errors import DataError
    from gwm_models.files import check_file
    from gwm_models.models.outcomes import Outcome

    if spec is not None:
        raise DataError("--plot draws every specification: leave out --spec.")
    if not isinstance(subject, Outcome):
        raise DataError(f"--plot draws one outcome; '{subject.id}' is several together.")
    if subject.kind == "count":
        raise DataError(f"--plot draws slopes of levels; '{subject.id}' is a count, fitted as rates.")
    check_file(path)


def write_list(of: str | None, format: Format) -> None:
    """Print every outcome and topic, or every way to fit one of them."""
    from gwm_models.models.catalogue import specs_of, subjects
    from gwm_models.models.outcomes import Outcome, find_subject

    if of is not None:
        subject = find_subject(of)
        rows = [
            {"spec": one.id, "title": one.title, "compares": FAMILIES[one.family], "bayesian": one.bayes}
            for one in specs_of(subject)
        ]
        emit(rows, format=format, title=f"{subject.label}: specifications")
        return
    rows = []
    for subject in subjects():
        one = subject if isinstance(subject, Outcome) else None
        specs: object = [spec.id for spec in specs_of(subject)]
        if format is Format.table:
            specs = len(specs_of(subject))
        about = {"unit": one.unit if one else "", "period": one.period if one else ""}
        rows.append({"outcome": subject.id, "label": subject.label, **about, "specifications": specs})
    emit(rows, format=format, title="Outcomes and topics; `gwm fit list OUTCOME` has the specifications of one")


def make_fits(
    edition: Edition, subject: Subject, specs: Sequence[Spec], *, draws: int, seed: int, fresh: bool
) -> list[Fit]:
    """Fit each specification. Where several are asked for, one that cannot be fitted is said and left out.

    Raises
    ------
    ModelError
        If none can be fitted.
    """
    from gwm_models.errors import ModelError
    from gwm_models.models.catalogue import fit_model, stored_fit

    fits: list[Fit] = []
    refused: list[str] = []
    known = {} if fresh else {one.id: stored_fit(edition, subject, one, n_draws=draws, seed=seed) for one in specs}
    new = [one for one in specs if one.stored and known.get(one.id) is None]
    if new and not sys.stderr.isatty():
        sys.stderr.write(f"Sampling, which can take minutes: {', '.join(one.id for one in new)}\n")
    for one in progress(specs, subject.label):
        try:
            fits.append(known.get(one.id) or fit_model(edition, subject, one, n_draws=draws, seed=seed, fresh=True))
        except ModelError as error:
            if len(specs) == 1:
                raise
            refused.append(f"{one.id}: {error}")
    if not fits:
        raise ModelError(refused[0].partition(": ")[2])
    for line in refused:
        sys.stderr.write(f"Not fitted: {line}\n")
    return fits


def progress(specs: Sequence[Spec], label: str) -> Iterable[Spec]:
    """Show a progress bar over the specifications on a terminal, none in a pipe."""
    if not sys.stderr.isatty() or len(specs) < 2:
        return specs
    from rich.console import Console
    from rich.progress import track

    return track(specs, description=label, console=Console(stderr=True), transient=True)


def write_outcome(edition: Edition, outcome: Outcome, fits: Sequence[Fit], specs: Sequence[Spec]) -> None:
    """Print the slopes of one outcome side by side, what it would take to explain them away, and two sentences."""
    from gwm_models.models.association.sensitivity import benchmark_rows, sensitivity_rows

    main = fits[0]
    family = {spec.id: spec.family for spec in specs}
    for kind, words in FAMILIES.items():
        shown = [one for one in fits if family[one.spec] == kind and one.focus]
        for unit in dict.fromkeys(str(one.focus_row()["unit"]) for one in shown):
            rows = [slope_row(one) for one in shown if one.focus_row()["unit"] == unit]
            emit(
                rows,
                format=Format.table,
                columns=SHOWN,
                title=f"{main.label}, {words}: {unit}, {main.level:.0%} intervals",
            )
            write_line()
    if "degrees_of_freedom" in main.diagnostics:
        title = "What a confounder that is not measured would have to be, to explain the main slope away"
        emit(sensitivity_rows(main), format=Format.table, columns=("measure", "value", "meaning"), title=title)
        write_line()
        write_rows(benchmark_rows(edition, outcome), "The same, set against what is measured")
        write_line()
    write_line(f"{main.title}, {main.period}; {main.method}. Source: {main.source}")
    write_words(main)


def slope_row(fit: Fit) -> dict[str, Any]:
    """Return the main coefficient of a fit, rounded for a reader."""
    row = fit.focus_row()
    numbers = {name: float(f"{row[name]:.3g}") for name in ("estimate", "lower", "upper")}
    p = row["p_value"]
    told = "" if not isinstance(p, float) else "<0.001" if p < 0.001 else f"{p:.3f}"
    return {"spec": fit.spec, "term": fit.focus, **numbers, "p": told, "n": fit.n, "title": fit.title}


def write_fit(fit: Fit) -> None:
    """Print one fit in full."""
    about = f"{fit.label}: {fit.title}. {fit.period}; n = {fit.n}; {fit.level:.0%} intervals"
    emit(fit.rows(), format=Format.table, columns=COEFFICIENTS, title=about)
    write_line()
    for name, rows in fit.tables.items():
        title = name.replace("_", " ").capitalize()
        if len(rows) > MOST:
            title += f", the first {MOST} of {len(rows)} (all with --format json)"
        write_rows(rows[:MOST], title)
        write_line()
    checks = "; ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in fit.diagnostics.items())
    lines = [
        f"Method: {fit.method}. {fit.citation}",
        f"Source: {fit.source}",
        *([f"Checks: {checks}"] if checks else []),
        *(f"Assumed: {line}" for line in fit.assumptions),
    ]
    for line in lines:
        write_line(line)
    write_words(fit)


def write_rows(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """Print a table without the columns that say the same in every row, units excepted."""
    seen = dict.fromkeys(name for row in rows for name in row)
    told = [name for name in seen if name in KEPT or len(rows) < 2 or len({str(row.get(name)) for row in rows}) > 1]
    emit(rows, format=Format.table, columns=told, title=title)


def write_words(fit: Fit) -> None:
    """Print who was left out, what was found and what that does not show."""
    if fit.excluded:
        write_line(f"Left out: {'; '.join(fit.excluded)}.")
    write_line(f"Found: {fit.found}")
    write_line(f"Not shown: {fit.not_shown}")


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
