"""The page of the remade figures: chapters, charts, facts, numbers and sources."""

from __future__ import annotations

from typing import Any

from gwm_models.errors import DataError
from gwm_models.plots.words import level_words, number
from gwm_models.report.figures_parts import FigureSet, Made, Planned, heading
from gwm_models.report.pictures import alike
from gwm_models.report.shell import render
from gwm_models.report.views import Cell, Column, TableView, figure_of, text_cell

ABOUT = (
    "The figures follow the chapters of the report of January 2021. Figures 3, 4 and 7 to 13 carry the report's own "
    "numbers; 1, 2, 5 and 6 follow its chapters, and 14 goes beyond it. We do not hold its pictures or its captions: "
    "the titles, the choice of charts and the captions are ours, and none claims to copy a published picture. Every "
    "figure is remade from open data and from the models of this toolkit; published scores are used as printed."
)

BEYOND = "Beyond the report"
CHAPTER_NOTES = {
    BEYOND: "The report has no such figure: what follows is ours, the index over several years from open figures."
}


def figures_html(figures: FigureSet, manifest: dict[str, Any]) -> str:
    """Return the page of a set of figures as text."""
    views = [_view(planned, made) for planned, made in figures.made]
    specs = {
        name: spec
        for view in views
        for (name, _, _), spec in zip(view["drawn"].charts, view["drawn"].specs, strict=True)
    }
    chapters = dict.fromkeys(planned.chapter for planned, _ in figures.made)
    return render(
        "figures.html.j2",
        specs,
        title="The figures of the Good Work Monitor report, remade",
        edition=figures.edition.spec.title,
        headline=_headline(figures),
        about=ABOUT,
        chapters=[
            (
                f"chapter-{place}",
                chapter,
                CHAPTER_NOTES.get(chapter, ""),
                [view for view in views if view["chapter"] == chapter],
            )
            for place, chapter in enumerate(chapters, start=1)
        ],
        left_out=[f"Figure {planned.number}: {why}" for planned, why in figures.left_out],
        sources=_source_table(figures),
        manifest=manifest,
        again=f"Run `{manifest['command']}` with the toolkit in the version below to get the same page.",
    )


def _headline(figures: FigureSet) -> str:
    n = len(figures.made)
    what = "One figure" if n == 1 else f"{n} figures"
    return f"{what} from open data and our own models, each with its interval and its source"


def _view(planned: Planned, made: Made) -> dict[str, Any]:
    drawn = figure_of(f"{planned.number:02d}", made.specs)
    if drawn is None:
        raise DataError(f"Figure {planned.number} has nothing to draw.")
    return {
        "chapter": planned.chapter,
        "key": drawn.key,
        "number": planned.number,
        "heading": heading(planned, made),
        "title": made.title,
        "drawn": drawn,
        "charts": [
            {"name": name, "title": title, "description": words, "legend": spec["usermeta"]["legend"]}
            for (name, title, words), spec in zip(drawn.charts, drawn.specs, strict=True)
        ],
        "apart": not alike([spec["usermeta"]["legend"] for spec in drawn.specs]),
        "reading": made.reading,
        "facts": made.facts,
        "numbers": _number_table(planned, made),
    }


def _number_table(planned: Planned, made: Made) -> TableView:
    names = ("Number", "Estimate", "Interval", "Level", "Unit", "n")
    return TableView(
        key=f"numbers-{planned.number:02d}",
        caption=f"The numbers of figure {planned.number}, with their intervals.",
        columns=[Column(name, numeric=name in ("Estimate", "Interval", "n")) for name in names],
        rows=[
            [
                text_cell(one.what),
                Cell(number(one.estimate, one.places), "", one.estimate),
                Cell(one.span),
                text_cell("Range" if one.level is None else level_words(one.level)),
                text_cell(one.unit),
                Cell(number(one.n, 0), "", one.n),
            ]
            for one in made.numbers
        ],
        sortable=False,
    )


def _source_table(figures: FigureSet) -> TableView:
    found: dict[Any, list[int]] = {}
    for planned, made in figures.made:
        for source in dict.fromkeys(made.sources):
            found.setdefault(source, []).append(planned.number)
    names = ("Producer", "Title", "Period", "Licence", "Figures")
    return TableView(
        key="sources",
        caption="Where the figures come from.",
        columns=[Column(name, numeric=False) for name in names],
        rows=[
            [
                text_cell(source.producer),
                text_cell(source.title),
                text_cell(source.period),
                text_cell(source.licence),
                text_cell(", ".join(map(str, own))),
            ]
            for source, own in found.items()
        ],
    )
