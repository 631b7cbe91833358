"""The folder of a sweep: its points as one table, what matters most, and one self-contained page."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gwm_models import __version__
from gwm_models.data.home import data_home
from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text, new_folder, write_text
from gwm_models.plots.search import response_charts, tornado_chart
from gwm_models.plots.words import level_words, number, places_for, unit_words
from gwm_models.report.run_folder import code_hash, data_hash, resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.views import Cell, Column, Figure, TableView, figure_of, text_cell
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.sweep import Report, run_sweep
from gwm_models.scenarios.sweep_results import SweepSummary, error_words
from gwm_models.scenarios.sweep_store import PointStore
from gwm_models.scenarios.words import short

Row = Mapping[str, Any]

SCHEMA = "gwm-sweep/1"
FILE, POINTS, QUESTION = "sweep.json", "points.jsonl", "scenario.yaml"
SWEEP = FolderKind(
    "a sweep",
    FILE,
    f'"{SCHEMA}"',
    (FILE, LANDMARK, POINTS, QUESTION, "indices.csv", "report.html", "table.csv", "table.parquet", "tornado.csv"),
)


def check_sweep_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_sweep` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a sweep.
    """
    check_folder(folder, SWEEP)


def toolkit_version() -> str:
    """Return one hash of the toolkit and its data, on which the numbers of a sweep depend."""
    return f"{code_hash()}-{data_hash(data_home())}"


def write_sweep(
    folder: Path,
    scenario: Scenario,
    *,
    command: str,
    jobs: int | None = None,
    dask: str | None = None,
    report: Report | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a sweep and write its folder; points that an interrupted run left there are kept.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds a sweep.
    scenario : Scenario
        Checked, of kind sweep.
    command : str
        How it was asked for.
    jobs, dask, report
        As for `gwm_models.scenarios.sweep.run_sweep`.

    Returns
    -------
    summary : dict
    table : list of dict
        A row for each point and measure.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a sweep.
    """
    check_sweep_folder(folder)
    result = run_sweep(
        scenario,
        version=toolkit_version,
        store=lambda key: _store(folder, key, scenario, command),
        jobs=jobs,
        dask=dask,
        report=report,
    )
    summary = SweepSummary(result)
    table = summary.table()
    made = {
        "toolkit_version": __version__,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
    }
    whole = {"schema": SCHEMA, "finished": True, **summary.whole()}
    as_run = json.loads(scenario.model_dump_json(by_alias=True, exclude_none=True))
    texts = {
        FILE: json_text(whole | made | {"scenario_as_run": as_run}),
        "table.csv": csv_text(table),
        "indices.csv": csv_text(whole["indices"]),
        "tornado.csv": csv_text(whole["tornado"]),
        "report.html": sweep_html(whole, table, summary.line_rows(), made),
    }
    manifest = search_manifest(
        "sweep", scenario, command=command, numbers={name: texts[name] for name in (FILE, "table.csv")}, file=QUESTION
    )
    texts |= {QUESTION: resolved_yaml(scenario), LANDMARK: json_text(manifest)}
    with new_folder(folder, SWEEP) as fresh:
        shutil.copyfile(folder / POINTS, fresh / POINTS)
        for name, text in texts.items():
            (fresh / name).write_text(text, encoding="utf-8", newline="")
        parquet = parquet_bytes(table)
        if parquet is not None:
            (fresh / "table.parquet").write_bytes(parquet)
    return whole, table


def _store(folder: Path, key: str, scenario: Scenario, command: str) -> PointStore:
    """Open the place of finished points; the folder is marked as that of a sweep from the start."""
    if not (folder / FILE).exists():
        head = {"schema": SCHEMA, "finished": False, "id": scenario.id, "command": command}
        write_text(folder / FILE, json_text(head))
    return PointStore(folder / POINTS, key)


def parquet_bytes(rows: Sequence[Row]) -> bytes | None:
    """Return rows as a Parquet file; None where the package pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return None
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), buffer)
    return buffer.getvalue()


def sweep_html(summary: Row, table: Sequence[Row], lines: Sequence[Row], made: Row) -> str:
    """Return the page of a sweep as text.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.scenarios.sweep_results.SweepSummary.whole`.
    table, lines : sequence of mapping
        Its rows of points, and of means over the other numbers.
    made : mapping
        Version, command, time and hashes.
    """
    sections: list[dict[str, Any]] = []
    specs: dict[str, Any] = {}
    for place, measure in enumerate(summary["measures"], start=1):
        own = [row for row in summary["tornado"] if row["measure"] == measure["measure"]]
        indices = [row for row in summary["indices"] if row["measure"] == measure["measure"]]
        points = [row for row in table if row["measure"] == measure["measure"]]
        curves = [row for row in lines if row["measure"] == measure["measure"]]
        charts = [chart for row in own for chart in response_charts(points, curves, row["path"])]
        figures = [figure_of(f"tornado-{place}", tornado_chart(own)), figure_of(f"response-{place}", charts)]
        for drawn in figures:
            specs |= _specs(drawn)
        sections.append(
            {
                "key": f"measure-{place}",
                "label": measure["label"],
                "tornado": figures[0],
                "response": figures[1],
                "indices": _index_table(f"indices-{place}", indices) if indices else None,
                "span": _span_words(measure),
            }
        )
    return render(
        "sweep.html.j2",
        specs,
        summary=summary,
        made=made,
        level=level_words(summary["level"]),
        sections=sections,
        numbers=_number_table(summary),
        parquet=find_spec("pyarrow") is not None,
    )


def _specs(drawn: Figure | None) -> dict[str, Any]:
    if drawn is None:
        return {}
    return {name: spec for (name, _, _), spec in zip(drawn.charts, drawn.specs, strict=True)}


def _span_words(measure: Row) -> str:
    """Say between which values the estimate lies."""
    if measure["least"] is None:
        return "No point has a value."
    ends = [measure["least"], measure["most"], measure["as_in_file"] or 0.0]
    places = places_for(measure["unit"], ends, change=True)
    unit = unit_words(measure["unit"])
    return (
        f"Over the points the estimate goes from {number(measure['least'], places)} to "
        f"{number(measure['most'], places)}{' ' + unit if unit else ''}; with the numbers of the file it is "
        f"{number(measure['as_in_file'], places)}."
    )


def _number_table(summary: Row) -> TableView:
    rows = [
        [
            text_cell(row["path"]),
            Cell(short(row["low"]), "", row["low"]),
            Cell(short(row["high"]), "", row["high"]),
            Cell(short(row["in_file"]), "", row["in_file"]),
            text_cell(row["values"] or "any"),
        ]
        for row in summary["numbers"]
    ]
    titles = ("Smallest", "Largest", "In the file", "Values")
    columns = [Column("Number", numeric=False), *(Column(title) for title in titles)]
    return TableView("numbers", "The numbers varied.", columns, rows)


def _index_table(key: str, rows: Sequence[Row]) -> TableView:
    return TableView(
        key=key,
        caption=f"Share of the variance of the estimate over the points: {rows[0]['label']}. Standard error below.",
        columns=[
            Column("Number", numeric=False),
            Column("By itself (first-order index)"),
            Column("With all it acts with (total index)"),
        ],
        rows=[[text_cell(row["path"]), _share_cell(row, "first"), _share_cell(row, "total")] for row in rows],
        note=f"Share of variance predicted at points left out: {rows[0]['fit']:.3f}." if rows[0]["fit"] < 1 else "",
    )


def _share_cell(row: Row, name: str) -> Cell:
    return Cell(f"{row[name]:.3f}", error_words(row[f"{name}_error"]), row[name])
