"""The table of areas of the explorer, and its map: scores, ranks and how sure they are, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition
from gwm_models.data.vocabulary import EDITIONS, MONITOR
from gwm_models.errors import DataError
from gwm_models.explore.area_panel import Panel, read_panel
from gwm_models.index.sampling import sampling_error
from gwm_models.ranks.counting import RankDistributions, rank_distributions
from gwm_models.ranks.edition import edition_posterior, hours_words, n_ends
from gwm_models.ranks.table import RankTable, fifth, table_of
from gwm_models.scenarios.spread import plain

Floats = NDArray[np.float64]
Json = dict[str, Any]

LEVEL, DRAWS, SEED = 0.9, 4000, 20260101
"""Those of `gwm ranks`, so that its numbers are these."""
HEALTHY_LIFE = "healthy_life_expectancy_at_birth"
SEXES = {"male": "Male", "female": "Female"}
MAP_UNITS = {"probability": "percent", "rank": ""}
OFFICIAL = "Official figures are used under the Open Government Licence v3.0, (c) Crown copyright."
INTERVALS = (
    "Intervals of scores and ranks (90%) and probabilities say where the true ones lie given the sampling error of the "
    "indicators, in a model in which the true scores of a region spread around its mean: a score may lie outside its "
    "own interval."
)


@dataclass(frozen=True, eq=False)
class Standing:
    """Where the areas of an edition stand, and how sure that is.

    Attributes
    ----------
    edition : Edition
    spread : RankDistributions
    table : RankTable
    lower, upper : ndarray, shape (n_areas,)
        Of the true total, at `LEVEL`.
    """

    edition: Edition
    spread: RankDistributions
    table: RankTable
    lower: Floats
    upper: Floats


@lru_cache(maxsize=8)
def standing(edition: Edition) -> Standing:
    """Draw the ranks of an edition as `gwm ranks` does; kept."""
    draws = edition_posterior(edition, n_draws=DRAWS, seed=SEED).draws.sum(axis=2)
    spread = rank_distributions(draws, edition.areas.code)
    lower, upper = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Standing(edition, spread, table_of(spread, level=LEVEL, n_ends=n_ends(edition)), lower, upper)


@dataclass(frozen=True, eq=False)
class HealthyLife:
    """Healthy life expectancy of one sex in the period that goes with an edition.

    Attributes
    ----------
    panel : Panel
    row : int
        Place of the period.
    value, lower, upper : ndarray, shape (n_areas,)
        Years, with the published 95% limits; NaN where there is none.
    """

    panel: Panel
    row: int
    value: Floats
    lower: Floats
    upper: Floats

    @property
    def period(self) -> str:
        """The three years."""
        return self.panel.period[self.row]


def healthy_life(edition: Edition, sex: str) -> HealthyLife | None:
    """Return healthy life expectancy by area: of the three years that end with the figures of the edition.

    None for an edition of one's own, whose areas have no health figures.

    Parameters
    ----------
    edition : Edition
    sex : {"male", "female"}
    """
    if edition.name not in EDITIONS:
        return None
    panel = read_panel(HEALTHY_LIFE, SEXES[sex])
    row = max(i for i, end in enumerate(panel.end) if int(end[:4]) <= figures_year(edition))
    place = [panel.code.index(code) if code in panel.code else -1 for code in edition.areas.unit]
    known = np.array(place) >= 0
    figures = (np.where(known, grid[row, place], np.nan) for grid in (panel.value, panel.lower, panel.upper))
    return HealthyLife(panel, row, *figures)


def figures_year(edition: Edition) -> int:
    """Return the last year of the figures behind a shipped edition."""
    return 2018 if edition.name == MONITOR else int(edition.name.removeprefix("open-"))


def areas_table(edition_name: str = MONITOR) -> Json:
    """Return the table of areas: a row for each, what its fields are, and what has to be known to read it.

    Parameters
    ----------
    edition_name : str
        As for `load_edition`.

    Returns
    -------
    dict
        ``level`` of the intervals of scores and ranks; ``rows`` in the order of the edition; ``fields`` with id,
        label, unit, places, source, period, direction (1 where more is better, -1 where less is, 0 where neither is)
        and the fields that hold the limits; ``notes``. Plain data without NaN: what is missing is None.

    Raises
    ------
    DataError
        If there is no such edition.
    """
    edition = load_edition(edition_name)
    return {
        "edition": edition_name,
        "level": LEVEL,
        "rows": [area_row(edition, place) for place in range(len(edition.areas))],
        "fields": fields(edition),
        "notes": table_notes(edition),
    }


def area_row(edition: Edition, place: int) -> Json:
    """Return the row of one area in the table."""
    found, areas = standing(edition), edition.areas
    table = found.table
    return {
        "area_code": areas.code[place],
        "area_name": areas.name[place],
        "region_name": areas.region[place],
        "total": plain(edition.total[place]),
        "total_lower": plain(found.lower[place]),
        "total_upper": plain(found.upper[place]),
        "rank": int(edition.rank[place]),
        "rank_median": int(table.estimate[place]),
        "rank_lower": int(table.lower[place]),
        "rank_upper": int(table.upper[place]),
        "prob_bottom_fifth": plain(table.prob_bottom_fifth[place]),
        "prob_top_fifth": plain(table.prob_top_fifth[place]),
        **dict(zip(edition.spec.domain_ids, map(plain, edition.domain_scores[place]), strict=True)),
        "population": plain(areas.population[place]),
        **_healthy_row(edition, place),
    }


def _healthy_row(edition: Edition, place: int) -> Json:
    row: Json = {}
    for sex in SEXES:
        found = healthy_life(edition, sex)
        if found is not None:
            name = f"healthy_life_expectancy_{sex}"
            row[name] = plain(found.value[place])
            row[f"{name}_lower"], row[f"{name}_upper"] = plain(found.lower[place]), plain(found.upper[place])
    return row


def fields(edition: Edition) -> list[Json]:
    """Return what each field of the table is."""
    spec, basis = edition.spec, "Published" if edition.published else "Computed"
    n, drawn = len(edition.areas), f"{DRAWS:,} draws of the true scores, as gwm ranks"
    last = fifth(n)
    points: Json = {"unit": "points", "places": 1, "source": spec.publisher, "period": edition.period}
    ranks: Json = {"unit": "rank", "places": 0, "period": edition.period, "direction": -1}
    chances: Json = {"unit": "probability", "places": 2, "period": edition.period, "source": drawn}
    low, high = spec.score_range()
    found = [
        _field("total", f"{basis} total ({low:g}-{high:g})", limits="total", direction=1, **points),
        _field("rank", f"{basis} rank, 1 is best", source=spec.publisher, **ranks),
        _field("rank_median", "Median rank", limits="rank", source=drawn, **ranks),
        _field("prob_bottom_fifth", f"Probability of the lowest fifth (last {last} of {n})", direction=-1, **chances),
        _field("prob_top_fifth", f"Probability of the highest fifth (first {last} of {n})", direction=1, **chances),
    ]
    found += [_field(name, f"{label}, {basis.lower()} score", direction=1, **points) for name, label in spec.domains]
    mid_2019 = "mid-2019" if edition.name in EDITIONS else edition.period
    found.append(
        _field("population", "Residents", unit="people", places=0, source=_population_source(edition), period=mid_2019)
    )
    return [*found, *_healthy_fields(edition)]


def _field(name: str, label: str, *, limits: str = "", direction: int = 0, **more: Any) -> Json:
    ends = [f"{limits}_lower", f"{limits}_upper"] if limits else None
    return {"id": name, "label": label, **more, "direction": direction, "limits": ends}


def _healthy_fields(edition: Edition) -> list[Json]:
    made = []
    for sex in SEXES:
        found = healthy_life(edition, sex)
        if found is not None:
            name = f"healthy_life_expectancy_{sex}"
            about = {"unit": "years", "places": 1, "source": found.panel.source, "period": found.period}
            made.append(
                _field(name, f"Healthy life expectancy at birth, {sex}", limits=name, direction=1, level=0.95, **about)
            )
    return made


def _population_source(edition: Edition) -> str:
    return "Office for National Statistics" if edition.name in EDITIONS else edition.spec.publisher


def table_notes(edition: Edition) -> list[str]:
    """Return what has to be known to read the table."""
    notes = [edition.spec.title + ".", INTERVALS, hours_words(edition, advice=False), *edition.notes]
    notes += sampling_error(edition).notes
    life = healthy_life(edition, "male")
    if life is not None:
        without = [name for name, gap in zip(edition.areas.name, np.isnan(life.value), strict=True) if gap]
        bare = [name for name, gap in zip(edition.areas.name, np.isnan(life.lower), strict=True) if gap]
        notes.append(f"Healthy life expectancy is of {life.period}, with published 95% limits.")
        notes += [f"No healthy life expectancy: {', '.join(without)}."] if without else []
        notes += [f"No limits of it are published for {', '.join(bare)}."] if bare else []
        notes.append(_shared_words(edition))
    return list(dict.fromkeys(note for note in [*notes, OFFICIAL if life else ""] if note))


def _shared_words(edition: Edition) -> str:
    """Say which areas carry the figures of one survey unit."""
    names: dict[str, list[str]] = {}
    for name, unit in zip(edition.areas.name, edition.areas.unit, strict=True):
        names.setdefault(unit, []).append(name)
    same = [" and ".join(sorted(own)) for own in names.values() if len(own) > 1]
    return f"{'; '.join(same)} share the figures of one unit of April 2019." if same else ""


def map_spec(edition_name: str, field: str) -> Json:
    """Return the map of one field of the table: a chart, and what has to be known to read it.

    Parameters
    ----------
    edition_name : str
    field : str
        Id of a field of `areas_table`.

    Returns
    -------
    dict
        ``spec``: a Vega-Lite spec, None where nothing can be drawn; ``notes``.

    Raises
    ------
    DataError
        If the table has no such field.
    """
    from gwm_models.plots.maps import tile_map

    table = areas_table(edition_name)
    about = next((one for one in table["fields"] if one["id"] == field), None)
    if about is None:
        names = ", ".join(one["id"] for one in table["fields"])
        raise DataError(f"The table of areas has no field '{field}'; expected one of {names}.")
    share, period = about["unit"] == "probability", about["period"]
    drawn = f" Of {DRAWS:,} draws: 0% and 100% are not certain." if share else ""
    specs = tile_map(
        [_map_row(row, about, percent=share) for row in table["rows"]],
        value=field,
        title=f"{about['label']}, {period.partition(' (')[0]}",
        description=f"{about['label']}, {period}.",
        unit=MAP_UNITS.get(about["unit"], about["unit"]),
        places=0 if share else about["places"],
        kind="sequential",
        label=about["label"],
        note=f"Source: {about['source']}.{drawn}",
        edition=load_edition(edition_name),
    )
    spec = specs[0] if specs else None
    gap = [] if spec else ["There is no map of the areas of this edition: no tiles are known for them."]
    return {"spec": spec, "notes": [*gap, *table["notes"]]}


def _map_row(row: Mapping[str, Any], about: Json, *, percent: bool) -> Json:
    names = ("area_code", "area_name", "region_name")
    limits = about["limits"] or []
    value = row[about["id"]]
    return {
        **{name: row[name] for name in names},
        about["id"]: 100 * value if percent and value is not None else value,
        **dict(zip(("lower", "upper"), (row[name] for name in limits), strict=False)),
    }
