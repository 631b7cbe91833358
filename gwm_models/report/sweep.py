"""The folder of a sweep: its points as one table, what matters most, and one self-contained page."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gwm_models.data.home import data_home
from gwm_models.files import LANDMARK, Content, FolderKind, check_folder, csv_text, json_text, write_text
from gwm_models.plots.search import response_charts, tornado_chart
from gwm_models.plots.words import level_words, number, places_for, with_unit
from gwm_models.report.basis import basis_of
from gwm_models.report.limits import NONE as NO_LIMIT
from gwm_models.report.limits import limit_table
from gwm_models.report.page import answer_of
from gwm_models.report.result_folder import write_result
from gwm_models.report.run_folder import code_hash, data_hash, resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.sweep_tables import SIDES, end_table, index_table, number_table
from gwm_models.report.tables import source_table
from gwm_models.report.views import Figure, figure_of
from gwm_models.scenarios.number_words import in_words, number_words
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.spec import Scenario
from gwm_models.scenarios.sweep import NUMBERS, Report, SweepResult, run_sweep
from gwm_models.scenarios.sweep_results import SweepSummary, figure, measure_key
from gwm_models.scenarios.sweep_store import PointStore
from gwm_models.scenarios.versions import plain_content, version_of

Row = Mapping[str, Any]

SCHEMA = "gwm-sweep/1"
FILE, POINTS, QUESTION = "sweep.json", "points.jsonl", "scenario.yaml"
UNFINISHED = "unfinished.jsonl"
"""Points of a sweep that is under way, or was stopped, in the folder that it will replace."""
SWEEP = FolderKind(
    "a sweep",
    FILE,
    f'"{SCHEMA}"',
    (
        *(FILE, LANDMARK, POINTS, UNFINISHED, QUESTION),
        *("indices.csv", "report.html", "table.csv", "table.parquet", "tornado.csv"),
    ),
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
        Replaced if it already holds a sweep, once the new one is finished; until then only `UNFINISHED` is added to it.
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
    kept: list[PointStore] = []

    def opened(key: str) -> PointStore:
        kept.append(_store(folder, key, scenario, command))
        return kept[0]

    result = run_sweep(
        scenario,
        version=toolkit_version,
        store=opened,
        jobs=jobs,
        dask=dask,
        report=report,
    )
    summary = SweepSummary(result)
    table = summary.table()
    whole = {"schema": SCHEMA, "finished": True, **summary.whole(), **_basis(scenario)}
    whole["tornado"] = with_intervals(whole["tornado"], result)
    as_run = json.loads(scenario.model_dump_json(by_alias=True, exclude_none=True))
    numbers = {FILE: json_text(whole | {"scenario_as_run": as_run}), "table.csv": csv_text(table)}
    manifest = search_manifest("sweep", scenario, command=command, numbers=numbers, file=QUESTION)
    files: dict[str, Content] = {
        **numbers,
        "indices.csv": csv_text(whole["indices"]),
        "tornado.csv": csv_text(whole["tornado"]),
        QUESTION: resolved_yaml(scenario),
        POINTS: kept[0].text(),
        "report.html": sweep_html(whole, table, summary.line_rows(), manifest),
    }
    parquet = parquet_bytes(table)
    if parquet is not None:
        files["table.parquet"] = parquet
    write_result(folder, SWEEP, files, manifest, passing=(UNFINISHED,))
    return whole, table


def _basis(scenario: Scenario) -> dict[str, Any]:
    """Return what a sweep rests on: its scenario with the numbers of the file, and words for the numbers varied."""
    content = plain_content(scenario)
    paths = [vary.path for vary in scenario.sweep.vary] if scenario.sweep is not None else []
    projection = project(version_of(content, {}), variance=False)
    words = {path: number_words(content, path) for path in paths}
    return basis_of(projection) | {"source": scenario.source, "number_words": words}


def with_intervals(rows: Sequence[Row], result: SweepResult) -> list[dict[str, Any]]:
    """Add the interval at each end to the rows of a tornado.

    Parameters
    ----------
    rows : sequence of mapping
        From `gwm_models.scenarios.sweep_results.SweepSummary.tornado_rows`.
    result : SweepResult

    Returns
    -------
    list of dict
        With ``low_lower, low_upper, high_lower, high_upper`` and ``level`` as well.
    """
    measures = [measure_key(measured) for measured in result.job.measures]
    lower, upper = NUMBERS.index("lower"), NUMBERS.index("upper")
    found = []
    for row in rows:
        ends = result.ends[result.design.paths.index(row["path"]), :, measures.index(row["measure"])]
        spans = {
            f"{side}_{name}": figure(ends[place, which])
            for place, side in enumerate(SIDES)
            for name, which in (("lower", lower), ("upper", upper))
        }
        found.append({**row, **spans, "level": result.job.level})
    return found


def _store(folder: Path, key: str, scenario: Scenario, command: str) -> PointStore:
    """Open the place of finished points; the folder is marked as that of a sweep from the start."""
    if not (folder / FILE).exists():
        head = {"schema": SCHEMA, "finished": False, "id": scenario.id, "command": command}
        write_text(folder / FILE, json_text(head), replace=False)  # another program may finish now
    return PointStore(folder / UNFINISHED, key, folder / POINTS)


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


def sweep_html(summary: Row, table: Sequence[Row], lines: Sequence[Row], manifest: Row) -> str:
    """Return the page of a sweep as text.

    Parameters
    ----------
    summary : mapping
        From `gwm_models.scenarios.sweep_results.SweepSummary.whole`, with what it rests on.
    table, lines : sequence of mapping
        Its rows of points, and of means over the other numbers.
    manifest : mapping
    """
    names = summary["number_words"]
    sections: list[dict[str, Any]] = []
    specs: dict[str, Any] = {}
    for place, measure in enumerate(summary["measures"], start=1):
        own = [row for row in summary["tornado"] if row["measure"] == measure["measure"]]
        indices = [row for row in summary["indices"] if row["measure"] == measure["measure"]]
        points = [row for row in table if row["measure"] == measure["measure"]]
        curves = [row for row in lines if row["measure"] == measure["measure"]]
        charts = [chart for row in own for chart in response_charts(points, curves, row["path"], names)]
        figures = [figure_of(f"tornado-{place}", tornado_chart(own, names)), figure_of(f"response-{place}", charts)]
        for drawn in figures:
            specs |= _specs(drawn)
        sections.append(
            {
                "key": f"measure-{place}",
                "label": measure["label"],
                "tornado": figures[0],
                "response": figures[1],
                "indices": index_table(f"indices-{place}", indices, names) if indices else None,
                "ends": end_table(f"ends-{place}", own, names, summary["year"]),
                "span": _span_words(measure),
            }
        )
    return render(
        "sweep.html.j2",
        specs,
        summary=summary,
        manifest=manifest,
        answer=answer_of(in_words(summary["headline"], names)),
        cuts=limit_table(summary.get("cuts") or []),
        no_limit=NO_LIMIT,
        sources=source_table(summary["sources"], "Data behind this sweep."),
        level=level_words(summary["level"]),
        sections=sections,
        numbers=number_table(summary["numbers"], names),
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
    return (
        f"Over the points the estimate goes from {number(measure['least'], places)} to "
        f"{with_unit(number(measure['most'], places), measure['unit'])}; with the numbers of the file it is "
        f"{number(measure['as_in_file'], places)}."
    )
