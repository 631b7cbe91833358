"""Names that a scenario may use beyond those of its edition: conditions, fields of an area, groups, evidence, measures.

Light enough for the checker: only small tables are read, as text.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import get_args

from gwm_models.data.home import data_home
from gwm_models.data.index_spec import IndicatorSpec, read_index
from gwm_models.data.vocabulary import EDITIONS, MONITOR, Vocabulary
from gwm_models.errors import DataError
from gwm_models.scenarios.spec import Inequality
from gwm_models.scenarios.usual import GROUPS as GROUP_NAMES
from gwm_models.scenarios.usual import MEMBERS, USUAL_CHANGE

NUMBER_FIELDS = {
    "population": "residents",
    "population_16_64": "residents aged 16 to 64",
    "density": "residents per square kilometre",
    "deprivation": "Index of Multiple Deprivation 2019, average score",
}
TEXT_FIELDS = {"region": "region", "area_type": "type of authority"}
DEPRIVATION = "imd2019_average_score"
"""The variable behind the field of that name."""
SHIPPED_FIELDS = ("density", "area_type")
"""Fields that only the shipped table of areas has."""
MORTALITY = {
    "preventable_cvd_mortality": "Preventable cardiovascular mortality under 75",
    "drug_poisoning_deaths": "Deaths from drug poisoning",
}
"""Rates of deaths that a scenario on the Monitor may name beside the outcomes of its definition."""
DEATH_RATE = "deaths per 100,000 a year"
NOT_WITHIN = ("drug_poisoning_deaths",)
"""Outcomes whose slope inside areas has the other sign than between them, so that it is no effect of good work."""
CLUSTERS = ("highest", "rural", "urban", "lowest", "middle 1", "middle 2")
"""The names that `gwm_models.index.groups.name_groups` gives to four groups; which of them there are is computed."""
MEASURES = get_args(Inequality)
MONITOR_YEAR = 2018
"""Of most levels behind the Monitor of January 2021."""
SHOCKS = ("2009", "2020")
SHOCK_YEARS = 2
"""Years after its first that a shock needs figures of."""
GROUPS = ("target areas", "all areas")
EVIDENCE = "evidence"
HEALTHY_YEARS = "healthy_years"
"""What a portfolio may measure besides what a goal may: years lived in good health, added up over areas."""


@lru_cache(maxsize=1)
def conditions() -> dict[str, IndicatorSpec]:
    """Return the conditions for good work that an open figure stands in for, by id.

    With the limits of the figure; the usual change is infinite where the figure has no second year to tell it by.
    """
    home = data_home()
    limits = {row["variable"]: (row["lower_limit"], row["upper_limit"]) for row in table_rows(home / "variables.csv")}
    found = {}
    for spec in read_index(home / "conditions.yaml").indicators:
        if not spec.values:
            continue
        low, high = limits.get(spec.values["variable"], ("", ""))
        ends = (float(low) if low else spec.hard_limits[0], float(high) if high else spec.hard_limits[1])
        found[spec.id] = replace(spec, hard_limits=ends, usual_change=USUAL_CHANGE.get(spec.id, math.inf))
    return found


def condition(name: str) -> IndicatorSpec | None:
    """Return the condition of that id, or whose figure is the variable of that name; None if there is none.

    Examples
    --------
    >>> condition("nvq4plus_share_16_64").id, condition("sunshine")
    ('nvq4plus_share', None)
    """
    by_variable = {spec.values["variable"]: spec for spec in conditions().values()}
    return conditions().get(name) or by_variable.get(name)


def has_conditions(vocabulary: Vocabulary) -> bool:
    """Tell whether figures of conditions belong to the areas of an edition: the shipped ones."""
    return vocabulary.edition in EDITIONS


def outcomes_of(vocabulary: Vocabulary) -> dict[str, str]:
    """Return the health outcomes that a scenario may name, with their labels.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> "drug_poisoning_deaths" in outcomes_of(load_vocabulary()), outcomes_of(load_vocabulary("open-2019"))
    (True, {})
    """
    more = MORTALITY if vocabulary.edition == MONITOR and vocabulary.outcomes else {}
    return {**vocabulary.outcomes, **more}


def group_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the names of the groups of similar areas: those of a shipped edition, all there can be of another one.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> group_names(load_vocabulary("open-2021"))
    ('highest', 'middle 1', 'middle 2', 'lowest')
    """
    return GROUP_NAMES.get(vocabulary.edition, CLUSTERS)


def group_members(names: set[str], vocabulary: Vocabulary) -> set[str] | None:
    """Return the codes of the areas in groups of those names; None for an edition of one's own.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> len(group_members({"highest"}, load_vocabulary()))
    36
    """
    members, known = MEMBERS.get(vocabulary.edition), group_names(vocabulary)
    if members is None:
        return None
    return {code for code, place in zip(vocabulary.areas, members, strict=True) if known[int(place)] in names}


def condition_levels(name: str, vocabulary: Vocabulary) -> dict[str, float] | None:
    """Return the figure of a condition for every area that has one, by its code; None where there are none.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> round(condition_levels("nvq4plus_share", load_vocabulary())["E06000001"], 1)
    25.1
    """
    spec = condition(name)
    if spec is None or not has_conditions(vocabulary):
        return None
    periods = {str(period): float(weight) for period, weight in spec.values["periods"].items()}
    figures: dict[str, dict[str, float]] = {}
    for row in _rows_of(data_home() / "indicators.csv", spec.values["variable"]):
        if row["period"] in periods and row["sex"] == "Persons" and row["value"]:
            figures.setdefault(row["unit_code"], {})[row["period"]] = float(row["value"])
    level = {
        unit: sum(weight * figures[unit][period] for period, weight in periods.items())
        for unit in figures
        if len(figures[unit]) == len(periods)
    }
    units = {row["area_code"]: row["unit_code"] for row in table_rows(data_home() / "areas.csv")}
    own = {code: units.get(code, code) for code in vocabulary.areas}
    return {code: level[unit] for code, unit in own.items() if unit in level}


def first_year(variable: str) -> int | None:
    """Return the first year of the figures of a variable, None if that is not stated.

    Examples
    --------
    >>> first_year("economic_activity_rate_16_64")
    2004
    """
    years = {row["variable"]: row["periods"] for row in table_rows(data_home() / "variables.csv")}
    found = re.search(r"\d{4}", years.get(variable, ""))
    return None if found is None else int(found.group())


def shocks_of(spec: IndicatorSpec) -> tuple[str, ...]:
    """Return the shocks whose years an indicator has figures of; none where it is known against others only.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> indicators = load_vocabulary().indicators
    >>> shocks_of(indicators["unemployment_rate"]), shocks_of(indicators["median_pay"])
    (('2009', '2020'), ())
    """
    variable = spec.values.get("variable") or spec.sampling.get("variable")
    periods = {row["variable"]: row["periods"] for row in table_rows(data_home() / "variables.csv")}.get(
        variable or "", ""
    )
    years = [int(year) for year in re.findall(r"\d{4}", periods)]
    if spec.unit != "percent" or not years:
        return ()
    return tuple(name for name in SHOCKS if years[0] < int(name) and int(name) + SHOCK_YEARS <= max(years[:2]))


def figures_year(vocabulary: Vocabulary) -> int | None:
    """Return the year of the figures of a shipped edition, None for another.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> figures_year(load_vocabulary()), figures_year(load_vocabulary("open-2020"))
    (2018, 2020)
    """
    if vocabulary.edition == MONITOR:
        return MONITOR_YEAR
    return int(vocabulary.edition.removeprefix("open-")) if vocabulary.edition in EDITIONS else None


def number_fields(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the fields of an area that are numbers: its own, then conditions, then indicators."""
    shipped = has_conditions(vocabulary)
    own = [name for name in NUMBER_FIELDS if shipped or name not in SHIPPED_FIELDS]
    return (*own, *(conditions() if shipped else ()), *vocabulary.indicators)


def is_number(field: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a field of an area is a number; a condition also goes by the variable of its figure."""
    shipped = has_conditions(vocabulary)
    if field in vocabulary.indicators or (field in NUMBER_FIELDS and (shipped or field not in SHIPPED_FIELDS)):
        return True
    return shipped and condition(field) is not None


def text_fields(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the fields of an area that are texts."""
    shipped = has_conditions(vocabulary)
    return tuple(name for name in TEXT_FIELDS if shipped or name not in SHIPPED_FIELDS)


def field_texts(field: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the texts that a field can have."""
    if field == "region":
        return vocabulary.regions
    return tuple(sorted({row["area_type"] for row in table_rows(data_home() / "areas.csv")}))


def field_values(field: str, vocabulary: Vocabulary) -> dict[str, float | str] | None:
    """Return a field of every area by its code, where that takes no computation; None where it does."""
    if field == "region":
        return dict(vocabulary.area_regions)
    levels = None if field in vocabulary.indicators else condition_levels(field, vocabulary)
    if levels is not None:
        return dict(levels)
    if vocabulary.edition not in EDITIONS:
        return None
    rows = _area_rows(vocabulary)
    if field == "density":
        return {code: 1e6 * _sum(own, "population") / _sum(own, "land_area_m2") for code, own in rows.items()}
    if field == "area_type":
        return {code: own[0]["area_type"] for code, own in rows.items()}
    if field in ("population", "population_16_64"):
        return {code: _sum(own, field) for code, own in rows.items()}
    if field == "deprivation":
        figures = _rows_of(data_home() / "indicators.csv", DEPRIVATION)
        score = {row["unit_code"]: float(row["value"]) for row in figures}
        return {code: score[own[0]["unit_code"]] for code, own in rows.items()}
    return None


def _area_rows(vocabulary: Vocabulary) -> dict[str, list[dict[str, str]]]:
    """Return the rows of the shipped table of areas that each area of a shipped edition stands for."""
    by_code: dict[str, list[dict[str, str]]] = {}
    by_unit: dict[str, list[dict[str, str]]] = {}
    for row in table_rows(data_home() / "areas.csv"):
        by_code.setdefault(row["area_code"], []).append(row)
        by_unit.setdefault(row["unit_code"], []).append(row)
    return {code: by_code.get(code) or by_unit[code] for code in vocabulary.areas}


def _sum(rows: list[dict[str, str]], column: str) -> float:
    return sum(float(row[column]) for row in rows)


def field_span(field: str, vocabulary: Vocabulary) -> tuple[float, float] | None:
    """Return the smallest and the largest published figure of a field, over all places and years.

    None where the field is not a figure as published: no area can then be told to be out of reach.
    """
    if vocabulary.edition not in EDITIONS:
        return None
    if field == "deprivation":
        return _span(data_home() / "indicators.csv", DEPRIVATION)
    spec = vocabulary.indicators.get(field) or condition(field)
    values = {} if spec is None else spec.values
    if spec is None or "variable" not in values or "deflate" in values or values.get("table") != "indicators":
        return None
    return _span(data_home() / "indicators.csv", values["variable"])


def evidence_ids() -> tuple[str, ...] | None:
    """Return the ids of the evidence library, sorted; None if there is no library."""
    folder = data_home() / EVIDENCE
    if not folder.is_dir():
        return None
    found = (re.search(r"^id:\s*([a-z0-9-]+)", path.read_text("utf-8"), re.MULTILINE) for path in folder.glob("*.yaml"))
    return tuple(sorted(match.group(1) for match in found if match))


def spelled(text: str, among: tuple[str, ...]) -> str | None:
    """Return the name that a text means, whatever its case and spaces; None if there is none.

    Examples
    --------
    >>> spelled("north  east", ("North East", "North West"))
    'North East'
    """
    key = " ".join(text.casefold().split())
    return next((name for name in among if name.casefold() == key), None)


@lru_cache(maxsize=32)
def _span(path: Path, variable: str) -> tuple[float, float] | None:
    found = [float(row["value"]) for row in _rows_of(path, variable) if row["value"]]
    return (min(found), max(found)) if found else None


@lru_cache(maxsize=16)
def _rows_of(path: Path, variable: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one variable; of a long table far sooner than by reading every row."""
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Reinstall the toolkit.") from error
    return tuple(csv.DictReader([head, *(line for line in lines if f",{variable}," in line)]))


@lru_cache(maxsize=4)
def table_rows(path: Path) -> tuple[dict[str, str], ...]:
    """Return the rows of a small CSV file of the data package, every cell as text."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Reinstall the toolkit.") from error
