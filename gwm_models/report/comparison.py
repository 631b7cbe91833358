"""The folder of a comparison: league and pairs as tables, the scenarios as run, and one self-contained page."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwm_models.files import LANDMARK, FolderKind, check_folder, csv_text, json_text
from gwm_models.plots.comparison import league_chart
from gwm_models.plots.words import level_words
from gwm_models.report.comparison_areas import MOST, Studied, area_table, comparison_map, study
from gwm_models.report.comparison_tables import (
    MOST_IN_MATRIX,
    leading_words,
    league_table,
    overview_table,
    pair_table,
    scenario_table,
)
from gwm_models.report.limits import NONE as NO_LIMIT
from gwm_models.report.limits import limit_table
from gwm_models.report.result_folder import write_result
from gwm_models.report.run_folder import resolved_yaml, search_manifest
from gwm_models.report.shell import render
from gwm_models.report.tables import source_table
from gwm_models.report.views import figure_of
from gwm_models.scenarios.compare import Comparison
from gwm_models.scenarios.compare_rows import headline, league_rows, pair_rows, verdicts
from gwm_models.scenarios.league import SURE

if TYPE_CHECKING:
    from gwm_models.plots.boundaries import Boundaries

Row = Mapping[str, Any]

SCHEMA = "gwm-comparison/1"
FILE = "comparison.json"
COMPARISON = FolderKind(
    "a comparison",
    FILE,
    f'"{SCHEMA}"',
    (FILE, LANDMARK, "areas.csv", "costs.csv", "league.csv", "pairs.csv", "report.html"),
)
MOST_IN_TITLE = 3


def check_comparison_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_comparison` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a comparison.
    """
    check_folder(folder, COMPARISON)


def summarise_comparison(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values, JSON-ready.

    Parameters
    ----------
    comparison : Comparison
    """
    return _summary(comparison, study(comparison))


def _summary(comparison: Comparison, studied: Studied) -> dict[str, Any]:
    reference = comparison.entrants[comparison.reference].label
    scenarios: list[dict[str, Any]] = [
        {"scenario": entrant.label, "title": entrant.title, "n_areas": entrant.n_areas}
        for entrant in comparison.entrants
    ]
    return {
        "schema": SCHEMA,
        "edition": {"name": comparison.edition.name, "title": comparison.edition.spec.title},
        "year": comparison.year,
        "draws": comparison.draws,
        "seed": comparison.seed,
        "level": comparison.level,
        "reference": reference,
        "headline": headline(comparison),
        "scenarios": scenarios,
        "verdicts": verdicts(comparison),
        "league": league_rows(comparison),
        "pairs": pair_rows(comparison),
        "costs": list(comparison.costs),
        "notes": list(comparison.notes),
        **_told(comparison, titles(scenarios)),
        **studied.basis,
    }


def _told(comparison: Comparison, names: Mapping[str, str]) -> dict[str, Any]:
    """Return headline and verdicts with the scenarios by their titles, for a reader who does not know their files."""
    called = tuple(replace(entrant, label=names[entrant.label]) for entrant in comparison.entrants)
    told = replace(comparison, entrants=called)
    return {"headline_titles": headline(told), "verdict_titles": [row["text"] for row in verdicts(told)]}


def write_comparison(
    folder: Path, comparison: Comparison, *, command: str, boundaries: Boundaries | None = None
) -> dict[str, Any]:
    """Write the folder of a comparison, whole or not at all.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds a comparison.
    comparison : Comparison
    command : str
        How it was asked for.
    boundaries : Boundaries, optional
        True shapes of the areas, for the map; a tile each without them.

    Returns
    -------
    dict
        The summary, as `summarise_comparison` gives it.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a comparison.
    """
    studied = study(comparison)
    summary = _summary(comparison, studied)
    run = {entrant.label: entrant.scenario for entrant in comparison.entrants if entrant.scenario is not None}
    as_run = [json.loads(scenario.model_dump_json(by_alias=True, exclude_none=True)) for scenario in run.values()]
    numbers = {
        FILE: json_text(summary | {"scenarios_as_run": as_run}),
        "areas.csv": csv_text(studied.areas),
        "league.csv": csv_text(summary["league"]),
        "pairs.csv": csv_text(summary["pairs"]),
    }
    if summary["costs"]:
        numbers["costs.csv"] = csv_text(summary["costs"])
    manifest = search_manifest("comparison", next(iter(run.values())), command=command, numbers=numbers)
    del manifest["scenario_sha256"], manifest["resolved_sha256"]
    manifest["scenario"] = " / ".join(run)
    manifest["compared_sha256"] = {
        label: hashlib.sha256(resolved_yaml(scenario).encode()).hexdigest() for label, scenario in run.items()
    }
    page = comparison_html(summary, manifest, studied.areas, boundaries=boundaries)
    write_result(folder, COMPARISON, {**numbers, "report.html": page}, manifest)
    return summary


def titles(scenarios: Sequence[Row]) -> dict[str, str]:
    """Return what each scenario is called on the page: its title, with its name where titles are equal.

    Parameters
    ----------
    scenarios : sequence of mapping
        With ``scenario`` and ``title``.

    Returns
    -------
    dict of str to str
        By the name that it has in files and tables.

    Examples
    --------
    >>> titles([{"scenario": "a", "title": "A drive"}, {"scenario": "b", "title": "A drive"}])
    {'a': 'A drive (a)', 'b': 'A drive (b)'}
    """
    seen = Counter(row["title"] for row in scenarios)
    return {
        row["scenario"]: row["title"] if seen[row["title"]] == 1 else f"{row['title']} ({row['scenario']})"
        for row in scenarios
    }


def comparison_html(
    summary: Row, manifest: Row, areas: Sequence[Row] = (), *, boundaries: Boundaries | None = None
) -> str:
    """Return the page of a comparison as text.

    Parameters
    ----------
    summary : mapping
        From `summarise_comparison`.
    manifest : mapping
    areas : sequence of mapping
        From `gwm_models.report.comparison_areas.study`.
    boundaries : Boundaries, optional
        True shapes of the areas, for the map; a tile each without them.
    """
    names = titles(summary["scenarios"])
    sections: list[dict[str, Any]] = []
    specs: dict[str, Any] = {}
    told = zip(summary["verdicts"], summary["verdict_titles"], strict=True)
    for place, (found, text) in enumerate(told, start=1):
        rows = [row for row in summary["league"] if row["measure"] == found["measure"]]
        drawn = figure_of(f"league-{place}", league_chart(rows, summary["reference"], names))
        if drawn is not None:
            specs |= {name: spec for (name, _, _), spec in zip(drawn.charts, drawn.specs, strict=True)}
        pairs = [row for row in summary["pairs"] if row["measure"] == found["measure"]]
        sections.append(
            {
                **found,
                "text": text,
                "key": f"measure-{place}",
                "drawn": drawn,
                "table": league_table(f"league-table-{place}", rows, summary, names),
                "matrix": pair_table(f"pairs-{place}", rows, pairs, names),
            }
        )
    heading, charts = comparison_map(areas, summary["reference"], names, boundaries)
    drawn_map = figure_of("map", charts)
    if drawn_map is not None:
        specs |= {name: spec for (name, _, _), spec in zip(drawn_map.charts, drawn_map.specs, strict=True)}
    return render(
        "comparison.html.j2",
        specs,
        title=_heading(summary, names),
        summary=summary,
        manifest=manifest,
        names=names,
        sources=source_table(summary["sources"], "Data behind this comparison."),
        level=level_words(summary["level"]),
        sections=sections,
        scenarios=scenario_table(summary, names),
        most=MOST_IN_MATRIX,
        overview=overview_table(summary, names, MOST),
        leading=leading_words(summary, names, MOST),
        map=drawn_map,
        map_heading=heading,
        boundaries=boundaries,
        areas=area_table(areas, summary["reference"], names),
        cuts=limit_table(_told_cuts(summary, names)),
        no_limit=NO_LIMIT,
        sure=f"{SURE:.0%}",
    )


def _told_cuts(summary: Row, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the changes that limits cut, each with the name of its scenario."""
    return [
        {**row, "action": f"{names[row['scenario']]}{': ' + row['action'] if row['action'] else ''}"}
        for row in summary.get("cuts") or []
    ]


def _heading(summary: Row, names: Mapping[str, str]) -> str:
    """Name the scenarios held against each other; the one that does nothing goes without saying."""
    called = [name for label, name in names.items() if label != summary["reference"]]
    if len(called) > MOST_IN_TITLE:
        return f"{called[0]}, and {len(called) - 1} others"
    return " / ".join(called) or next(iter(names.values()))
