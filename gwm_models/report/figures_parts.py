"""What every remade figure of the report is made of: its numbers, its sources, and the words around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gwm_models.data.edition import Edition
from gwm_models.models.total_line import TotalLine
from gwm_models.plots.labels import plain_name
from gwm_models.plots.scatter import Axis, Line, scatter
from gwm_models.plots.words import SPACE, interval, level_words, number
from gwm_models.report.figures_sources import Source, source_words

if TYPE_CHECKING:
    from gwm_models.plots.boundaries import Boundaries

Row = Mapping[str, Any]
Spec = dict[str, Any]

LEVEL = 0.95
RANK_LEVEL = 0.9
SEED, DRAWS = 20260101, 4000
NOT_CAUSE = (
    "Areas that differ in score differ in much else as well: this is an association between areas, and does not show "
    "what would happen in an area whose score rose."
)
LINES = "HC3 standard errors for the lines, Fisher's for r"
STEPS = 24
"""Points of a line and its band."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What every figure is made from."""

    edition: Edition
    boundaries: Boundaries | None = None

    @property
    def shapeless(self) -> tuple[str, ...]:
        """What is to be said of the shapes that maps draw: which areas have none."""
        return tuple(note.rstrip(".") for note in self.boundaries.notes) if self.boundaries else ()


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a figure, with its interval.

    Attributes
    ----------
    what, unit : str
    estimate : float
    lower, upper, level : float or None
        None where no interval can be given; the figure says why.
    n : int
        Areas or units behind it.
    places : int
        Decimals.
    """

    what: str
    unit: str
    estimate: float
    lower: float | None
    upper: float | None
    level: float | None
    n: int
    places: int = 2

    @classmethod
    def of(cls, what: str, unit: str, row: Row, n: int, *, level: float = LEVEL, places: int = 2) -> Number:
        """Make a number of a row with its estimate and limits."""
        estimate, lower, upper = (float(row[end]) for end in ("estimate", "lower", "upper"))
        return cls(what, unit, estimate, lower, upper, level, n, places)

    @property
    def span(self) -> str:
        """The interval in words."""
        return interval(self.lower, self.upper, self.places)


@dataclass(frozen=True, slots=True)
class Made:
    """One remade figure.

    Attributes
    ----------
    title : str
        The finding, in a sentence.
    specs : list of dict
        Charts.
    reading : tuple of str
        How to read them.
    interval, period, unit, n : str
        What the intervals are; the time of the figures; their unit; how many areas.
    numbers : tuple of Number
    sources : tuple of Source
    left_out : tuple of str
        Who is left out, and why.
    caution : str
        What the figure does not show.
    columns : int
        Charts side by side in a picture.
    """

    title: str
    specs: list[Spec]
    reading: tuple[str, ...]
    interval: str
    period: str
    unit: str
    n: str
    numbers: tuple[Number, ...]
    sources: tuple[Source, ...]
    left_out: tuple[str, ...] = ()
    caution: str = ""
    columns: int = 2

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What stands under the charts, each with its name."""
        named = (
            ("Interval", self.interval),
            ("Period", self.period),
            ("Unit", self.unit),
            ("Areas", self.n),
            ("Left out", "; ".join(self.left_out)),
            ("Source", source_words(self.sources)),
            ("Caution", self.caution),
        )
        return [(name, words) for name, words in named if words]


Maker = Callable[[Asked], Made]


@dataclass(frozen=True, slots=True)
class Planned:
    """A figure that can be made: its number, its chapter, a name that stays, and how it is made."""

    number: int
    chapter: str
    id: str
    make: Maker


@dataclass(frozen=True)
class FigureSet:
    """The figures of one edition.

    Attributes
    ----------
    edition : Edition
    made : tuple of (Planned, Made)
    left_out : tuple of (Planned, str)
        Figures that cannot be made for this edition, each with the reason.
    """

    edition: Edition
    made: tuple[tuple[Planned, Made], ...]
    left_out: tuple[tuple[Planned, str], ...]


def heading(planned: Planned, made: Made) -> str:
    """Return the number and the finding of a figure."""
    return f"Figure {planned.number}. {made.title}"


def edition_period(edition: Edition) -> str:
    """Return the time that an edition's scores are of."""
    return f"{edition.spec.title}; figures of {edition.period}" if edition.period else edition.spec.title


def score_unit(edition: Edition, name: str | None = None) -> str:
    """Return the unit of scores, with their range."""
    low, high = edition.spec.score_range() if name is None else edition.spec.score_range(name)
    return f"score points, {low:g} to {high:g}"


def by_level(level: float, what: str) -> str:
    """Say what the intervals of a figure are: '95% intervals: ...'."""
    return f"{level_words(level)}s: {what}"


def r_number(line: TotalLine) -> Number:
    """Return the correlation of a line."""
    return Number(
        f"Correlation with the total: {line.label}",
        "Pearson's r",
        line.r,
        line.r_lower,
        line.r_upper,
        line.level,
        len(line),
    )


def slope_number(line: TotalLine, places: int) -> Number:
    """Return the slope of a line."""
    return Number(
        f"Slope: {line.label}",
        f"{line.unit} for 100 points of the total",
        line.slope,
        line.slope_lower,
        line.slope_upper,
        line.level,
        len(line),
        places,
    )


def total_scatter(line: TotalLine, axis: Axis, *, title: str, limits: bool = False) -> list[Spec]:
    """Draw an outcome against the total with its line and band, and name the areas that are furthest from the line."""
    import numpy as np

    xs = np.linspace(line.total.min(), line.total.max(), STEPS)
    height, low, high = line.at(xs)
    band = [
        {"x": x, "y": y, "lower": a, "upper": b}
        for x, y, a, b in zip(xs.tolist(), height.tolist(), low.tolist(), high.tolist(), strict=True)
    ]
    reach = 1.96 * line.error
    rows = [
        {
            "area_code": line.code[i],
            "area_name": plain_name(line.name[i]),
            "x": float(line.total[i]),
            "y": float(line.value[i]),
            **({"lower": float(line.value[i] - reach[i]), "upper": float(line.value[i] + reach[i])} if limits else {}),
        }
        for i in range(len(line))
    ]
    r = f"{number(line.r, 2)} ({level_words(line.level)} {interval(line.r_lower, line.r_upper, 2)})"
    return scatter(
        rows,
        Axis("Total of the index, points", "Total", 1),
        axis,
        description=f"{line.label}, {line.period}, against the index total, {len(line)} areas: correlation {r}.",
        title=title,
        lines=[Line("Least-squares line", band, f"{level_words(line.level)} of the line")],
        limits="95% limits as published" if limits else "",
        outliers=np.argsort(-np.abs(line.studentised), kind="stable").tolist(),
    )


def r_words(r: float, lower: float, upper: float) -> str:
    """Write a correlation with its interval.

    Examples
    --------
    >>> r_words(0.7116, 0.609, 0.791).replace("\u00a0", " ")
    'r 0.71 (0.61 to 0.79)'
    """
    return f"{r_only(r)} ({interval(lower, upper, 2)})".replace(" to ", f"{SPACE}to{SPACE}")


def r_only(r: float) -> str:
    """Write a correlation: 'r 0.71', in one piece."""
    return f"r{SPACE}{number(r, 2)}"


def r_title(name: str, line: TotalLine) -> str:
    """Head a scatter: 'Suicide: r −0.33 (−0.49 to −0.16)'."""
    return f"{name}: {r_words(line.r, line.r_lower, line.r_upper)}"


def longer(value: float, more: str = "higher", less: str = "lower") -> str:
    """Give the word for the direction of a difference."""
    return more if value > 0 else less


def left_out_of(lines: Sequence[TotalLine]) -> tuple[str, ...]:
    """Return who is left out of some lines; where not of all, of which."""
    found: dict[str, list[str]] = {}
    for line in lines:
        for words in line.excluded:
            found.setdefault(words, []).append(line.label)
    return tuple(words if len(own) == len(lines) else f"{words}: {', '.join(own)}" for words, own in found.items())


def n_words(lines: Sequence[TotalLine]) -> str:
    """Write how many areas there are in some lines."""
    sizes = sorted({len(line) for line in lines})
    return f"{sizes[0]} areas" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} areas"
