"""Where the figures of a page come from: who published them, of what time, and under what licence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.edition import Edition
from gwm_models.data.home import data_home
from gwm_models.data.tables import read_table

OPEN_LICENCE = "Open Government Licence v3.0, © Crown copyright"
UNSAID = "no licence stated by the publisher"


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from."""

    producer: str
    title: str
    period: str
    licence: str


def source_words(sources: Sequence[Source]) -> str:
    """Write sources in one line, each with its licence.

    Examples
    --------
    >>> source_words([Source("ONS", "Deaths", "2020", "Open Government Licence v3.0")])
    'ONS: Deaths, 2020. Open Government Licence v3.0.'
    """
    by_licence: dict[str, list[str]] = {}
    for one in {(each.producer, each.title): each for each in reversed(sources)}.values():
        by_licence.setdefault(one.licence, []).insert(0, f"{one.producer}: {one.title}, {one.period}".rstrip(", "))
    return " ".join(
        f"{'; '.join(told)}. {licence[:1].upper()}{licence[1:]}." for licence, told in sorted(by_licence.items())
    )


def sources_of(tables: Sequence[str] = (), variables: Sequence[str] = ()) -> tuple[Source, ...]:
    """Return who published some tables and variables of the data package, and under what licence."""
    package = read_descriptor(data_home())
    found = [
        Source(one.producer, one.title, one.period, _licence(package.table(name).licence))
        for name in tables
        for one in package.table(name).sources
    ]
    if variables:
        rows = read_table("variables", where={"variable": set(variables)}).rows()
        found += [Source(row["producer"], row["title"], row["periods"], _licence(row["licence"])) for row in rows]
    return tuple(dict.fromkeys(found))


def _licence(words: str) -> str:
    return OPEN_LICENCE if words.startswith(("Open Government Licence", "OGL")) else UNSAID


def area_sources(edition: Edition) -> tuple[Source, ...]:
    """Return the sources of the places of areas; none for areas that are not in the shipped table."""
    table = read_table("areas")
    known = {*map(str, table["area_code"]), *map(str, table["unit_code"])}
    return sources_of(("areas",)) if known.issuperset(edition.areas.code) else ()


def edition_sources(edition: Edition) -> tuple[Source, ...]:
    """Return the sources of an edition's scores and of their sampling error."""
    if edition.published:
        used = [str(one.sampling.get("variable") or "") for one in edition.spec.indicators]
        return (*sources_of(("monitor_scores",)), *sources_of((), [name for name in used if name]))
    named = [str(one.values.get("variable") or "") for one in edition.spec.indicators]
    known = sources_of((), [name for name in named if name])
    return known or tuple(
        Source(edition.spec.publisher, one.source, one.period, "licence as its producer states")
        for one in edition.spec.indicators
    )
