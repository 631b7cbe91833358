"""The outcomes that can be set against an index of good work, and where their figures are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gwm_models.data.descriptor import nearest
from gwm_models.data.tables import read_table
from gwm_models.errors import DataError

Kind = Literal["level", "count"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One outcome by unit.

    Attributes
    ----------
    id, label, unit : str
        A rate says what is counted, and over which time.
    table, variable, sex : str
        Name its rows in the data package.
    periods : tuple of str
        Periods of the main sample; more than one is summed (a count) over years.
    group : {"health", "despair", "covid", "panel"}
        What it is told with.
    kind : {"level", "count"}
        A count is modelled with an offset, a level as it is published.
    worse : bool
        Whether a higher value is worse for people.
    unreliable : tuple of (unit code, why)
        Published values that are not used.
    span : str
        The time that one period stands for, in words.
    """

    id: str
    label: str
    unit: str
    table: str
    variable: str
    sex: str
    periods: tuple[str, ...]
    group: str
    kind: Kind = "level"
    worse: bool = True
    unreliable: tuple[tuple[str, str], ...] = ()
    span: str = "a year"

    @property
    def is_rate(self) -> bool:
        """Whether it is published as a rate of residents."""
        return PER in self.unit

    @property
    def level_unit(self) -> str:
        """The unit of its level: that of a count is a rate of residents."""
        return f"{self.unit} {PER} {self.span}" if self.kind == "count" else self.unit

    @property
    def period(self) -> str:
        """The periods in words."""
        return self.periods[0] if len(self.periods) == 1 else f"{self.periods[0]} to {self.periods[-1]}"


@dataclass(frozen=True, slots=True)
class Topic:
    """Several outcomes that are told together: a joint model, a table over all of them.

    Attributes
    ----------
    id, label : str
    members : tuple of str
        Ids of outcomes; empty where the figures are not of areas.
    """

    id: str
    label: str
    members: tuple[str, ...]


Subject = Outcome | Topic

RUTLAND = "E06000017"
SPRING_2020 = "2020-03/2020-06"
FOUR_MONTHS = "in four months"
"""The published rates of spring 2020 are of those months, not of a year: deaths over residents give the same."""
PER = "per 100,000"
DEATHS = f"deaths {PER} a year"
DEATHS_OF_SPRING = f"deaths {PER} {FOUR_MONTHS}"
ADMISSIONS = f"admissions {PER} a year"


def _outcome(
    name: str,
    label: str,
    group: str,
    period: str | tuple[str, ...],
    *,
    unit: str,
    variable: str = "",
    sex: str = "Persons",
    table: str = "outcomes",
    kind: Kind = "level",
    worse: bool = True,
    unreliable: tuple[tuple[str, str], ...] = (),
    span: str = "a year",
) -> Outcome:
    periods = (period,) if isinstance(period, str) else period
    return Outcome(name, label, unit, table, variable or name, sex, periods, group, kind, worse, unreliable, span)


def _by_sex(name: str, label: str, group: str, period: str, variable: str) -> list[Outcome]:
    return [
        _outcome(
            f"{name}_{sex.lower()}",
            f"{label}, {sex.lower()}",
            group,
            period,
            unit="years",
            variable=variable,
            sex=sex,
            worse=False,
        )
        for sex in ("Male", "Female")
    ]


OUTCOMES: tuple[Outcome, ...] = (
    *_by_sex(
        "healthy_life_expectancy",
        "Healthy life expectancy at birth",
        "health",
        "2016-18",
        "healthy_life_expectancy_at_birth",
    ),
    *_by_sex("life_expectancy", "Life expectancy at birth", "health", "2016-18", "life_expectancy_at_birth"),
    _outcome(
        "suicide",
        "Suicide, ages 10 and over",
        "despair",
        "2016-18",
        unit=DEATHS,
        variable="suicide_asmr",
        unreliable=((RUTLAND, "few deaths, published as unreliable"),),
    ),
    _outcome(
        "drug_poisoning_deaths",
        "Deaths from drug poisoning",
        "despair",
        ("2016", "2017", "2018"),
        unit="deaths",
        kind="count",
    ),
    _outcome(
        "drug_misuse_admissions",
        "Hospital admissions for drug misuse",
        "despair",
        "2018/19",
        unit=ADMISSIONS,
        variable="drug_misuse_admissions_rate",
    ),
    _outcome(
        "alcohol_related_admissions",
        "Hospital admissions related to alcohol",
        "despair",
        "2018/19",
        unit=ADMISSIONS,
        variable="alcohol_related_admissions_asr",
    ),
    _outcome(
        "self_harm_admissions",
        "Hospital admissions for self-harm",
        "despair",
        "2018/19",
        unit=ADMISSIONS,
        variable="self_harm_admissions_asr",
    ),
    _outcome(
        "avoidable_mortality",
        "Avoidable mortality",
        "despair",
        "2018",
        unit=DEATHS,
        variable="avoidable_mortality_asmr",
    ),
    _outcome(
        "preventable_cvd_mortality",
        "Preventable cardiovascular mortality under 75",
        "despair",
        "2016-18",
        unit=DEATHS,
        variable="preventable_cvd_mortality_u75_asmr",
    ),
    _outcome(
        "covid19_mortality",
        "Covid-19 mortality, March to June 2020",
        "covid",
        SPRING_2020,
        unit=DEATHS_OF_SPRING,
        variable="covid19_mortality_asmr",
    ),
    _outcome(
        "non_covid19_mortality",
        "Mortality not involving Covid-19, March to June 2020",
        "covid",
        SPRING_2020,
        unit=DEATHS_OF_SPRING,
        variable="non_covid19_mortality_asmr",
    ),
    _outcome(
        "covid19_deaths",
        "Deaths involving Covid-19, March to June 2020",
        "covid",
        SPRING_2020,
        unit="deaths",
        variable="covid19_mortality_deaths",
        kind="count",
        span=FOUR_MONTHS,
    ),
    _outcome(
        "furlough_takeup",
        "Furlough take-up to July 2020",
        "covid",
        "to 2020-07-31",
        unit="% of eligible employments",
        variable="furlough_takeup_rate",
        table="indicators",
    ),
    _outcome(
        "universal_credit_rise",
        "Rise in households on Universal Credit, January to June 2020",
        "covid",
        "2020-01/2020-06",
        unit="% of people aged 16-64",
        variable="uc_households_increase_share_16_64",
        table="indicators",
    ),
)


def _ids_of(group: str) -> tuple[str, ...]:
    return tuple(outcome.id for outcome in OUTCOMES if outcome.group == group)


TOPICS: tuple[Topic, ...] = (
    Topic(
        "healthy_life_expectancy",
        "Healthy life expectancy at birth, male and female together",
        ("healthy_life_expectancy_male", "healthy_life_expectancy_female"),
    ),
    Topic("despair", "Diseases of despair and avoidable deaths, together", _ids_of("despair")),
    Topic("disease_burden", "Disease burden, as printed in the Monitor report", ()),
    Topic("covid", "Covid-19: jobs and deaths in spring 2020, together", _ids_of("covid")),
    Topic("all", "Every outcome, together", tuple(outcome.id for outcome in OUTCOMES)),
)


def find_outcome(name: str) -> Outcome:
    """Return one outcome of areas; see `find_subject`."""
    found = find_subject(name)
    if isinstance(found, Topic):
        raise DataError(f"'{name}' is several outcomes together. Name one of them: {', '.join(found.members)}.")
    return found


def find_subject(name: str) -> Subject:
    """Return an outcome or a topic.

    Raises
    ------
    DataError
        If there is none of that name, with the nearest one.
    """
    subjects: list[Subject] = [*OUTCOMES, *TOPICS]
    known = {subject.id: subject for subject in subjects}
    if name not in known:
        raise DataError(f"There is no outcome '{name}'.{nearest(name, known)} See `gwm fit list`.")
    return known[name]


def source_of(outcome: Outcome) -> str:
    """Return who published an outcome, and under what title; of a rate also which one it is."""
    table = read_table("variables", where={"variable": outcome.variable, "table": outcome.table})
    source = f"{table['producer'][0]}: {table['title'][0]}"
    return f"{source} ({table['label'][0]})" if outcome.is_rate else source
