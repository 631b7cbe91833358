"""The thirteen figures of the report of January 2021, remade from open data, and one more: a page, and pictures."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gwm_models import __version__
from gwm_models.data.edition import Edition
from gwm_models.data.home import data_home
from gwm_models.data.vocabulary import EDITIONS
from gwm_models.errors import DataError, GwmError, InfeasibleError, OutputError
from gwm_models.files import LANDMARK, Content, FolderKind, check_folder, csv_text
from gwm_models.report import (
    figures_blow,
    figures_conditions,
    figures_groups,
    figures_health,
    figures_index,
    figures_regions,
    figures_spring,
    figures_time,
)
from gwm_models.report.figures_page import BEYOND, figures_html
from gwm_models.report.figures_parts import DRAWS, SEED, Asked, FigureSet, Made, Planned, heading
from gwm_models.report.figures_sources import source_words
from gwm_models.report.pictures import picture_svg, png_of
from gwm_models.report.result_folder import write_result
from gwm_models.report.run_folder import PACKAGES, code_hash, data_hash, hashes_of

if TYPE_CHECKING:
    from gwm_models.plots.boundaries import Boundaries

SCHEMA = "gwm-figures/1"
PAGE, NUMBERS = "figures.html", "numbers.csv"
FORMATS = ("html", "png", "svg")
MONITOR, HEALTH, COVID = "Good Work Monitor", "Good work and health", "The impact of Covid-19"
Report = Callable[[int, int], None]


FIGURES = tuple(
    Planned(place, chapter, name, make)
    for place, (chapter, name, make) in enumerate(
        (
            (MONITOR, "monitor-map", figures_index.monitor_map),
            (MONITOR, "ranks", figures_index.all_ranks),
            (MONITOR, "communities", figures_groups.communities),
            (MONITOR, "regions", figures_regions.region_strips),
            (MONITOR, "domains", figures_regions.domain_maps),
            (MONITOR, "conditions-map", figures_conditions.conditions_map),
            (MONITOR, "conditions", figures_conditions.conditions_scatter),
            (HEALTH, "healthy-life", figures_health.healthy_life),
            (HEALTH, "diseases", figures_health.disease_correlations),
            (HEALTH, "despair", figures_health.despair),
            (COVID, "labour-market", figures_spring.labour_market),
            (COVID, "mortality", figures_spring.spring_mortality),
            (COVID, "both-blows", figures_blow.both_blows),
            (BEYOND, "over-time", figures_time.over_time),
        ),
        start=1,
    )
)
NUMBERED = range(1, len(FIGURES) + 1)
PICTURES = tuple(f"figure-{place:02d}.{kind}" for place in NUMBERED for kind in ("png", "svg"))
FOLDER = FolderKind("a set of figures", LANDMARK, f'"{SCHEMA}"', (PAGE, NUMBERS, LANDMARK, *PICTURES))


def chosen_figures(only: Sequence[int]) -> list[Planned]:
    """Return the figures of some numbers, all of them where none is given.

    Raises
    ------
    DataError
        If there is no figure of a number.
    """
    wrong = [str(one) for one in only if one not in NUMBERED]
    if wrong:
        raise DataError(f"There is no figure {', '.join(wrong)}: figures are 1 to {len(FIGURES)}.")
    return [one for one in FIGURES if not only or one.number in only]


def chosen_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """Return the formats asked for, each once, in a fixed order.

    Raises
    ------
    DataError
        If one is not known, or there is none.
    """
    given = [one.strip().casefold() for one in formats if one.strip()]
    wrong = [one for one in given if one not in FORMATS]
    if wrong or not given:
        what = f"'{wrong[0]}' is not a format" if wrong else "no format is given"
        raise DataError(f"{what}: use one or more of {', '.join(FORMATS)}, with commas.")
    return tuple(one for one in FORMATS if one in given)


def make_figures(
    edition: Edition,
    only: Sequence[int] = (),
    *,
    boundaries: Boundaries | None = None,
    report: Report | None = None,
) -> FigureSet:
    """Make the figures of an edition.

    Parameters
    ----------
    edition : Edition
    only : sequence of int
        Numbers of the figures to make; all by default.
    boundaries : Boundaries, optional
        True shapes of areas for the maps; tiles by default.
    report : callable, optional
        Told how many figures are done, and of how many.

    Raises
    ------
    DataError
        If there is no figure of a number.
    InfeasibleError
        If none of them can be made for this edition.
    """
    planned, asked = chosen_figures(only), Asked(edition, boundaries)
    made: list[tuple[Planned, Made]] = []
    left_out: list[tuple[Planned, str]] = []
    for place, one in enumerate(planned):
        if report is not None:
            report(place, len(planned))
        try:
            made.append((one, one.make(asked)))
        except OutputError:
            raise
        except GwmError as error:
            left_out.append((one, _reason(str(error), edition)))
    if not made:
        told = " ".join(f"Figure {one.number}: {why}" for one, why in left_out)
        raise InfeasibleError(f"None of these figures can be made. {told}")
    return FigureSet(edition, tuple(made), tuple(left_out))


def _reason(told: str, edition: Edition) -> str:
    """Name an edition that is a folder by its title."""
    return told if edition.name in EDITIONS else told.replace(edition.name, f"'{edition.spec.title}'")


def check_figures_folder(folder: Path) -> None:
    """Make sure, before slow work, that `write_figures` will be able to write here.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something that is not a set of figures.
    """
    check_folder(folder, FOLDER)


def write_figures(
    folder: Path, figures: FigureSet, *, command: str, formats: Sequence[str] = FORMATS, report: Report | None = None
) -> list[str]:
    """Write figures as a page, as pictures and as numbers: the folder is written whole or not at all.

    Parameters
    ----------
    folder : Path
        Replaced if it already holds a set of figures.
    figures : FigureSet
    command : str
        How they were asked for.
    formats : sequence of {"html", "png", "svg"}
    report : callable, optional
        Told how many pictures are done, and of how many.

    Returns
    -------
    list of str
        Names of the files.

    Raises
    ------
    OutputError
        If the folder cannot be written, or holds something else.
    """
    numbers = {NUMBERS: csv_text(number_rows(figures))}
    manifest = _manifest(figures, command, formats, numbers)
    files: dict[str, Content] = dict(numbers)
    if "html" in formats:
        files[PAGE] = figures_html(figures, manifest)
    kinds = [kind for kind in formats if kind != "html"]
    for place, (planned, made) in enumerate(figures.made if kinds else ()):
        if report is not None:
            report(place, len(figures.made))
        text = picture_of(planned, made)
        for kind in kinds:
            files[f"figure-{planned.number:02d}.{kind}"] = text if kind == "svg" else png_of(text)
    write_result(folder, FOLDER, files, manifest)
    return [*files, LANDMARK]


def picture_of(planned: Planned, made: Made) -> str:
    """Return a figure as the text of one SVG picture, with its number, finding, interval and sources."""
    notes = [f"{made.interval}. {made.period}. {made.n}.", f"Source: {source_words(made.sources)}"]
    notes += [f"Caution: {made.caution}"] if made.caution else []
    return picture_svg(made.specs, title=heading(planned, made), notes=notes, columns=made.columns)


def number_rows(figures: FigureSet) -> list[dict[str, Any]]:
    """Return one row for each number of each figure, with its interval."""
    return [
        {
            "figure": planned.number,
            "id": planned.id,
            "what": one.what,
            "unit": one.unit,
            "estimate": one.estimate,
            "lower": one.lower,
            "upper": one.upper,
            "level": one.level,
            "n": one.n,
        }
        for planned, made in figures.made
        for one in made.numbers
    ]


def _manifest(figures: FigureSet, command: str, formats: Sequence[str], numbers: dict[str, str]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "toolkit_version": __version__,
        "kind": "figures",
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": SEED,
        "draws": DRAWS,
        "edition": figures.edition.name,
        "figures": [planned.number for planned, _ in figures.made],
        "left_out": {str(planned.number): why for planned, why in figures.left_out},
        "formats": list(formats),
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
        "results_sha256": hashes_of(numbers),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "package_versions": {name: version(name) for name in (*PACKAGES, "vl-convert-python")},
    }
