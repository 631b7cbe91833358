"""One scenario run as one self-contained HTML page: no request leaves it, and it reads offline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gwm_models import plots
from gwm_models.files import write_text
from gwm_models.plots.words import level_words, number
from gwm_models.report import tables
from gwm_models.report.keyfigures import key_figures
from gwm_models.report.shell import render
from gwm_models.report.views import Figure, figure_of

Row = Mapping[str, Any]

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def report_html(summary: Row, areas: Sequence[Row], manifest: Row) -> str:
    """Write the report of one scenario run as the text of one HTML page.

    Parameters
    ----------
    summary : mapping
        What ``summary.json`` holds. Parts that are absent or empty are left out of the page.
    areas : sequence of mapping
        What ``areas.csv`` holds: one row for each area, quantity and state.
    manifest : mapping
        What ``manifest.json`` holds: versions, seed, hashes and command.

    Returns
    -------
    str
        The page, with its scripts, styles and data inside it. All words from the run are escaped.
    """
    figures = _figures(summary, areas)
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
        answer=_answer(str(summary.get("headline", ""))),
        level=level_words(summary.get("level")),
    )


def write_report(path: Path, summary: Row, areas: Sequence[Row], manifest: Row) -> None:
    """Write the report under a temporary name, then rename it: half a page is never seen.

    Parameters
    ----------
    path : Path
        Where the page goes.
    summary, areas, manifest
        As for `report_html`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_text(Path(path), report_html(summary, areas, manifest))


def _answer(headline: str) -> tuple[str, str]:
    """Split a headline into its first sentence, for large type, and the rest."""
    first, *rest = SENTENCE_END.split(headline, maxsplit=1)
    return first, "".join(rest)


def _numbered(summary: Row) -> Iterable[tuple[int, Row]]:
    """Count the actions from 1."""
    return enumerate(summary.get("actions") or [], start=1)


def _figures(summary: Row, areas: Sequence[Row]) -> dict[str, Figure | None]:
    """Draw every figure of the page; None where there is nothing to draw."""
    health = summary.get("health") or []
    group = "Target areas" if any(row["group"] == "Target areas" for row in health) else "All areas"
    return {
        "scores": figure_of("scores", plots.before_after(areas)),
        "years": figure_of("years", plots.change_over_years(summary.get("path") or [])),
        "ranks": figure_of("ranks", plots.caterpillar(areas)),
        "health": figure_of("health", plots.health_lines(health, group=group)),
        "layers": figure_of("layers", plots.variance_layers(summary.get("variance") or [])),
    }


def _tables(summary: Row, areas: Sequence[Row]) -> dict[str, Any]:
    """Build every table of the page; None where there are no rows."""
    found = tables.collect(areas)
    codes, n_changed = tables.most_affected(found)
    level, year = level_words(summary.get("level")), summary.get("year", "")
    foot = f"{level} from {number(summary.get('draws'), 0)} draws, seed {summary.get('seed', '')}. "
    edition = (summary.get("edition") or {}).get("title") or "the edition"
    scope = f"before: {edition}; after: {year}; {level} below each estimate"
    climb = "For ranks, a negative difference is a climb."
    shown = "" if len(codes) == n_changed else f" The {len(codes)} largest of {n_changed} areas that change."
    return {
        "decision": tables.decision_table(found, codes, f"Most affected areas ({scope}).{shown}", foot + climb)
        if codes
        else None,
        "areas": tables.full_table(found, f"All areas ({scope}).", foot + climb) if found else None,
        "groups": tables.group_table("groups", summary.get("groups") or [], f"Means of groups ({scope}).", foot),
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
        "sources": tables.source_table(summary.get("sources") or [], "Data behind this report."),
    }
