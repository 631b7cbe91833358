"""One scenario run as one self-contained HTML page: no request leaves it, and it reads offline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwm_models import plots
from gwm_models.files import write_text
from gwm_models.plots.maps import change_map
from gwm_models.plots.tenths import tenth_charts
from gwm_models.plots.words import level_words, number
from gwm_models.report import appraisal_tables, area_tables, tables
from gwm_models.report.appraisal_charts import measure_section
from gwm_models.report.keyfigures import key_figures
from gwm_models.report.limits import NONE as NO_LIMIT
from gwm_models.report.limits import limit_table
from gwm_models.report.shell import render
from gwm_models.report.views import Figure, TableView, figure_of

if TYPE_CHECKING:
    from gwm_models.plots.boundaries import Boundaries

Row = Mapping[str, Any]

WHOLE = ("total", "rank", "areas_in_bottom_fifth")
"""Quantities of a group that are about the whole score; the others are its domains and health."""
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def report_html(summary: Row, areas: Sequence[Row], manifest: Row, *, boundaries: Boundaries | None = None) -> str:
    """Write the report of one scenario run as the text of one HTML page.

    Parameters
    ----------
    summary : mapping
        What ``summary.json`` holds, and the parts of `gwm_models.report.run_part.run_part`. Parts that are absent or
        empty are left out of the page.
    areas : sequence of mapping
        What ``areas.csv`` holds: one row for each area, quantity and state.
    manifest : mapping
        What ``manifest.json`` holds: versions, seed, hashes and command.
    boundaries : Boundaries, optional
        True shapes of the areas, for the map; a tile each without them.

    Returns
    -------
    str
        The page, with its scripts, styles and data inside it. All words from the run are escaped.
    """
    figures = _figures(summary, areas, boundaries)
    specs = {
        name: spec
        for figure in figures.values()
        if figure
        for (name, _, _), spec in zip(figure.charts, figure.specs, strict=True)
    }
    return render(
        "run.html.j2",
        specs,
        summary=summary,
        manifest=manifest,
        figures=figures,
        tables=_tables(summary, areas),
        targets=[tables.target_table(action, f"targets-{place}") for place, action in _numbered(summary)],
        key_figures=key_figures(summary),
        answer=answer_of(str(summary.get("headline", ""))),
        level=level_words(summary.get("level")),
        no_limit=NO_LIMIT,
        boundaries=boundaries,
    )


def write_report(
    path: Path, summary: Row, areas: Sequence[Row], manifest: Row, *, boundaries: Boundaries | None = None
) -> None:
    """Write the report under a temporary name, then rename it: half a page is never seen.

    Parameters
    ----------
    path : Path
        Where the page goes.
    summary, areas, manifest, boundaries
        As for `report_html`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(Path(path), report_html(summary, areas, manifest, boundaries=boundaries))


def answer_of(headline: str) -> tuple[str, str]:
    """Split a headline into its first sentence, for large type, and the rest."""
    first, *rest = SENTENCE_END.split(headline, maxsplit=1)
    return first, "".join(rest)


def _numbered(summary: Row) -> Iterable[tuple[int, Row]]:
    """Count the actions from 1."""
    return enumerate(summary.get("actions") or [], start=1)


def _figures(summary: Row, areas: Sequence[Row], boundaries: Boundaries | None) -> dict[str, Figure | None]:
    """Draw every figure of the page; None where there is nothing to draw."""
    health = summary.get("health") or []
    group = "Target areas" if any(row["group"] == "Target areas" for row in health) else "All areas"
    return {
        "map": figure_of("map", _change_map(summary, areas, boundaries)),
        "scores": figure_of("scores", plots.before_after(areas)),
        "years": figure_of("years", plots.change_over_years(summary.get("path") or [])),
        "ranks": figure_of("ranks", plots.caterpillar(areas)),
        "health": figure_of("health", plots.health_lines(health, group=group)),
        "layers": figure_of("layers", plots.variance_layers(summary.get("variance") or [])),
        "tenths": figure_of("tenths", tenth_charts(summary.get("tenths") or [])),
        **_cost_figures(summary.get("appraisal") or {}),
    }


def _change_map(summary: Row, areas: Sequence[Row], boundaries: Boundaries | None) -> list[dict[str, Any]]:
    """Map the change of the score; nothing where nothing is changed."""
    return change_map(areas, boundaries) if summary.get("actions") else []


def _cost_figures(appraisal: Row) -> dict[str, Figure | None]:
    """Draw cost against effect and how surely it is worth it; nothing where nothing is costed."""
    measure = appraisal.get("measure")
    if measure is None:
        return {"plane": None, "curve": None}
    section = measure_section(appraisal, 1, measure)
    return {name: section[name] for name in ("plane", "curve")}


def _tables(summary: Row, areas: Sequence[Row]) -> dict[str, Any]:
    """Build every table of the page; None where there are no rows."""
    level, year = level_words(summary.get("level")), summary.get("year", "")
    foot = f"{level} from {number(summary.get('draws'), 0)} draws, seed {summary.get('seed', '')}. "
    edition = (summary.get("edition") or {}).get("title") or "the edition"
    before = f"{year} along the trend" if summary.get("counterfactual") == "trend" else edition
    scope = f"before: {before}; after: {year}; {level} below each estimate"
    return {
        **_area_tables(summary, areas, scope, foot),
        **_group_tables(summary, scope, foot),
        "renormalised": tables.rescaled_table(
            summary.get("renormalised") or [],
            f"Change of the mean score by {year} on the frozen scale and on a new one ({level} below).",
            foot,
        ),
        "health": tables.health_table(
            summary.get("health") or [],
            f"Change by {year} in each outcome ({level} below each estimate).",
            foot,
        ),
        "inequality": tables.inequality_table(
            summary.get("inequality") or [], f"Measures of inequality ({scope}).", foot
        ),
        "split": tables.split_table(
            summary.get("inequality_split") or [],
            f"The change of the Gini coefficient is re-ranking minus progressivity ({level} below).",
            foot,
        ),
        "appraisal": _appraisal_table((summary.get("appraisal") or {}).get("ratios") or [], foot),
        "actions": tables.action_table(
            summary.get("actions") or [],
            f"Asked of each target area, and delivered in {year}, mean of the areas ({level} below).",
            foot,
        ),
        "models": tables.model_table(
            summary.get("models") or [],
            "Slopes of health on good work, with their sample and method.",
            "",
        ),
        "cuts": limit_table(summary.get("cuts") or []),
        "sources": tables.source_table(summary.get("sources") or [], "Data behind this report."),
    }


def _appraisal_table(rows: Sequence[Row], foot: str) -> TableView | None:
    """Build the table of what one unit of each effect costs; None where nothing is costed."""
    return appraisal_tables.ratio_table(rows, f"Intervals below. {foot}", key="appraisal") if rows else None


def _area_tables(summary: Row, areas: Sequence[Row], scope: str, foot: str) -> dict[str, Any]:
    """Build the tables that have a row for each area."""
    found = area_tables.collect(areas)
    codes, n_changed = area_tables.most_affected(found)
    climb = f"For ranks, a negative difference is a climb. {area_tables.MEDIANS}"
    shown = "" if len(codes) == n_changed else f" The {len(codes)} largest of {n_changed} areas that change."
    caption = f"Most affected areas ({scope}).{shown}"
    return {
        "decision": area_tables.decision_table(found, codes, caption, foot + climb) if codes else None,
        "areas": area_tables.full_table(found, f"All areas ({scope}).", foot + climb) if found else None,
        "domains": area_tables.domain_table(areas, f"Domain scores of all areas ({scope}).", foot),
    }


def _group_tables(summary: Row, scope: str, foot: str) -> dict[str, Any]:
    """Build the tables of groups of areas: score and rank, domains, and sums."""
    rows = summary.get("groups") or []
    first = [row for row in rows if row["quantity"] in WHOLE]
    parts = [row for row in rows if row["quantity"] not in WHOLE and "expectancy" not in row["quantity"]]
    changed = any(row.get("estimate") for row in parts if row["state"] == "difference")
    return {
        "groups": tables.group_table("groups", first, f"Means of groups ({scope}).", foot),
        "group_domains": tables.group_table("group-domains", parts, f"Mean domain scores of groups ({scope}).", foot)
        if changed
        else None,
        "sums": tables.sum_table(
            summary.get("sums") or [],
            f"Sums over the areas of each group, difference in {summary.get('year', '')} "
            f"({level_words(summary.get('level'))} below).",
            foot + "Each sum is taken within a draw, so bounds do not add up over groups.",
        ),
    }
