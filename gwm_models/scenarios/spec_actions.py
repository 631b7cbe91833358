"""What a scenario file may say about an action: its change, the areas it reaches, its course, cost and evidence."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from gwm_models.scenarios.spec_health import LinkForm
from gwm_models.scenarios.spec_parts import (
    Count,
    Name,
    Number,
    Part,
    Probability,
    Share,
    Slug,
    Text,
    Year,
    YearValue,
    absent,
    given,
    one_of,
    rules,
    some_of,
    units,
    when,
)

SIZE_UNITS = ("pp", "GBP_per_week", "GBP", "share", "points")
LEVEL_UNITS = ("percent", "GBP_per_week", "GBP", "share")
PHASED = ("absolute", "relative", "target", "close_gap", "to_quantile")
"""Kinds of change that need phasing; a path and a shock say themselves when they come."""


def _when_change(kinds: tuple[str, ...], *then: dict[str, Any]) -> dict[str, Any]:
    """Return what an action must meet when its change is of one of these kinds."""
    change = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": list(kinds)}}}
    return {"if": {"required": ["change"], "properties": {"change": change}}, "then": {"allOf": list(then)}}


CHANGE_RULES = rules(
    when("kind", ("absolute",), given("value"), absent("path", "profile", "to"), units(*SIZE_UNITS)),
    when("kind", ("path",), given("path"), absent("value", "profile", "to"), units(*SIZE_UNITS)),
    when("kind", ("relative",), given("value"), absent("path", "profile", "to"), units("percent")),
    when("kind", ("target",), given("value"), absent("path", "profile", "to"), units(*LEVEL_UNITS)),
    when("kind", ("close_gap",), given("value", "to"), absent("path", "profile"), units("percent", "share")),
    when("kind", ("to_quantile",), given("value"), absent("path", "profile", "to"), units("quantile")),
    when("kind", ("shock",), given("value", "profile"), absent("path", "to"), units("times")),
)
TARGET_RULES = rules(
    some_of("areas", "regions", "clusters", "where", "worst", "best", "everyone"),
    {"not": given("worst", "best")},
)
PATH_SHAPE = {"required": ["shape"], "properties": {"shape": {"const": "path"}}}
EITHER_EVIDENCE = {
    "oneOf": [
        {"allOf": [given("entry"), absent("source", "grade")]},
        {"allOf": [given("source", "grade"), absent("entry")]},
    ]
}
ACTION_RULES = rules(
    one_of("indicator", "condition"),
    {"if": given("indicator"), "then": absent("link")},
    _when_change(("path",), absent("phasing", "start")),
    _when_change(("shock",), given("start"), absent("phasing", "condition")),
    _when_change(PHASED, given("phasing"), absent("start")),
)


class Change(Part):
    """What an action does to its indicator or condition in the areas it reaches."""

    model_config = ConfigDict(json_schema_extra=CHANGE_RULES)

    kind: Literal["absolute", "relative", "target", "close_gap", "to_quantile", "path", "shock"] = Field(
        description="absolute: add the value. relative: change by a percentage of the level. "
        "target: bring to a level. close_gap: close part of the gap to a benchmark. to_quantile: bring to the level of "
        "a quantile of the areas. path: add a size given year by year. shock: what happened to the indicator from one "
        "year on, as the data have it.",
        examples=["absolute"],
    )
    value: Number | None = Field(
        None, description="Size of the change, in the unit stated; not for a path.", examples=[2.0]
    )
    unit: Literal["pp", "percent", "share", "points", "GBP_per_week", "GBP", "quantile", "times"] = Field(
        description="absolute and path: pp for indicators in percent, GBP_per_week for pay, or points (score points) "
        "for any. relative: percent (20 is a fifth more). target: the unit of the level, percent or "
        "GBP_per_week. close_gap: percent (50) or share (0.5). to_quantile: quantile (0.5 is the median, 0.8 the level "
        "of the best fifth). shock: times (1 is the shock as it was).",
        examples=["pp"],
    )
    to: Name | None = Field(
        None,
        description="close_gap only: median, best_quintile, mean (of all areas, by population), a region, or an "
        "area's name or code.",
        examples=["median"],
    )
    path: Annotated[tuple[YearValue, ...], Field(min_length=1)] | None = Field(
        None,
        description="path only: years and sizes; straight lines between them, the last one held.",
        examples=[[[2026, 0.5], [2029, 2.0]]],
    )
    profile: Literal["2009", "2020"] | None = Field(
        None, description="shock only: first year of the shock in the data.", examples=["2009"]
    )


class Uncertainty(Part):
    """How sure the size of the change is, in the unit of the change."""

    low: Number = Field(description="Lower end of the interval.", examples=[0.5])
    high: Number = Field(description="Upper end of the interval.", examples=[3.2])
    level: Probability = Field(0.9, description="Probability that the interval holds the true size.", examples=[0.9])
    across_areas: Annotated[Number, Field(ge=0)] = Field(
        0.0, description="Standard deviation of the true size between areas.", examples=[0.5]
    )


class Pick(Part):
    """The most extreme areas by a score or an indicator; give exactly one of n and quantile."""

    model_config = ConfigDict(json_schema_extra=rules(one_of("n", "quantile")))

    by: Name = Field(description="total, a domain or an indicator.", examples=["total"])
    n: Count | None = Field(None, description="How many areas.", examples=[20])
    quantile: Probability | None = Field(
        None, description="Share of the areas left, 0.25 for a quarter.", examples=[0.25]
    )


class Where(Part):
    """A rule on one field of an area; give at least one limit."""

    model_config = ConfigDict(json_schema_extra=rules(some_of("at_least", "at_most", "equals")))

    field: Name = Field(
        description="population, population_16_64, density (residents per square kilometre), deprivation (average "
        "score of 2019), region, area_type, a condition or an indicator.",
        examples=["population"],
    )
    at_least: Number | None = Field(None, description="Areas with this value or more.", examples=[100000])
    at_most: Number | None = Field(None, description="Areas with this value or less.", examples=[500000])
    equals: Name | None = Field(None, description="Areas with this text.", examples=["Unitary authority"])


class Target(Part):
    """The areas an action reaches: all filters must hold, then worst or best picks among what they leave."""

    model_config = ConfigDict(json_schema_extra=TARGET_RULES)

    areas: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None,
        description="Areas by name or ONS code (boundaries before April 2019).",
        examples=[["Blackpool"]],
    )
    regions: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="Regions by name.", examples=[["North East"]]
    )
    clusters: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None,
        description="Groups of similar areas, of `gwm index groups`; on the Monitor highest, rural, urban, lowest.",
        examples=[["urban"]],
    )
    where: Annotated[tuple[Where, ...], Field(min_length=1)] | None = Field(
        None,
        description="Rules on fields of an area; all must hold.",
        examples=[[{"field": "population", "at_least": 100000}]],
    )
    worst: Pick | None = Field(None, description="The worst areas.", examples=[{"by": "total", "n": 20}])
    best: Pick | None = Field(None, description="The best areas.", examples=[{"by": "total", "n": 20}])
    everyone: Annotated[bool, Field(strict=True)] = Field(False, description="true: all areas.", examples=[True])
    exclude: tuple[Name, ...] = Field((), description="Areas left out, by name or code.", examples=[["Blackpool"]])


class Fade(Part):
    """Loss of the effect once it is full."""

    half_life: Annotated[Number, Field(gt=0)] = Field(description="Years until half is left.", examples=[8])


class Phasing(Part):
    """When the change comes."""

    model_config = ConfigDict(
        json_schema_extra=rules(when("shape", ("path",), given("path")), {"if": given("path"), "then": PATH_SHAPE})
    )

    start: Year = Field(description="Year in which it begins.", examples=[2026])
    full_by: Year = Field(description="First year with the whole change.", examples=[2029])
    shape: Literal["linear", "step", "s_curve", "path"] = Field(
        "linear",
        description="linear: evenly; step: all at once in full_by; s_curve: slow, fast, slow; path: shares by year.",
    )
    path: Annotated[tuple[YearValue, ...], Field(min_length=1)] | None = Field(
        None,
        description="Shape path only: years and shares of the change in place; straight lines between them.",
        examples=[[[2026, 0.2], [2029, 1.0]]],
    )
    fade: Fade | None = Field(None, description="How the effect fades after full_by.", examples=[{"half_life": 8}])


class UncertainShare(Part):
    """A share that is not known for certain: drawn from a beta distribution."""

    mean: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, lt=1)] = Field(
        description="Mean.", examples=[0.2]
    )
    sd: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, lt=0.5)] = Field(
        description="Standard deviation.", examples=[0.05]
    )


def _share_form(value: object) -> str:
    return "form: unsure" if isinstance(value, dict | UncertainShare) else "form: number"


ShareOrUnsure = Annotated[
    Annotated[Share, Tag("form: number")] | Annotated[UncertainShare, Tag("form: unsure")], Discriminator(_share_form)
]


class Additionality(Part):
    """Shares of the change that are not a gain to the area; each a number, or a mean with a standard deviation."""

    deadweight: ShareOrUnsure = Field(0.0, description="Share that would have happened anyway.", examples=[0.2])
    displacement: ShareOrUnsure = Field(0.0, description="Share taken from others in the area.", examples=[0.1])
    leakage: ShareOrUnsure = Field(0.0, description="Share that goes to people outside the area.", examples=[0.05])


class Spillover(Part):
    """What areas that the action does not reach receive from neighbours that it does."""

    weights: Literal["contiguity"] = Field(
        description="Neighbours are areas that share a border.", examples=["contiguity"]
    )
    share: Annotated[Number, Field(ge=-1, le=1)] = Field(
        description="Share of the mean change of its neighbours; negative where neighbours lose.",
        examples=[0.1],
    )


class Amount(Part):
    """An amount of money, with who it is counted for and when it is paid."""

    model_config = ConfigDict(json_schema_extra=rules({"anyOf": [given("low", "high"), absent("low", "high")]}))

    value: Number = Field(description="Amount in pounds; a negative amount is a saving.", examples=[40])
    unit: Literal["GBP", "GBP_per_area", "GBP_per_resident", "GBP_per_resident_16_64", "GBP_per_job"] = Field(
        description="In all, or per area or resident reached, or per person whose work the action changes.",
        examples=["GBP_per_resident_16_64"],
    )
    years: tuple[Year, Year] | None = Field(
        None, description="First and last year of payment; the horizon if left out.", examples=[[2026, 2035]]
    )
    low: Number | None = Field(None, description="Lower end of its 90% interval.", examples=[30])
    high: Number | None = Field(None, description="Upper end of its 90% interval.", examples=[55])


class Cost(Part):
    """What the action costs."""

    model_config = ConfigDict(json_schema_extra=rules(some_of("fixed", "recurring")))

    fixed: Amount | None = Field(None, description="Paid once.", examples=[{"value": 1000000, "unit": "GBP"}])
    recurring: Amount | None = Field(
        None, description="Paid every year.", examples=[{"value": 40, "unit": "GBP_per_resident_16_64"}]
    )
    price_base: Year = Field(description="Year whose prices the amounts are in.", examples=[2025])


class Evidence(Part):
    """Where the size of the change comes from: an entry of the evidence library, or a source with its grade."""

    model_config = ConfigDict(json_schema_extra=rules(EITHER_EVIDENCE))

    entry: Slug | None = Field(
        None, description="Entry of the evidence library (gwm evidence).", examples=["triple-i-income-2020"]
    )
    source: Text | None = Field(None, description="Study, evaluation or judgement.", examples=["programme evaluation"])
    grade: Literal["strong", "moderate", "weak", "assumed"] | None = Field(
        None, description="How well it is supported.", examples=["moderate"]
    )


class Action(Part):
    """One change of one indicator, or of a condition behind it, in a set of areas.

    Actions on one indicator and area add up.
    """

    model_config = ConfigDict(json_schema_extra=ACTION_RULES)

    id: Slug = Field(description="Short name, unique in the file.", examples=["participation"])
    indicator: Name | None = Field(
        None, description="Indicator that the action changes.", examples=["economic_activity_rate"]
    )
    condition: Name | None = Field(
        None,
        description="Instead of an indicator: a condition for good work, which moves the scores through its fitted "
        "association.",
        examples=["nvq4plus_share"],
    )
    link: LinkForm | None = Field(
        None,
        description="For a condition only: how much of its association with the scores is taken as effect; within if "
        "left out.",
        examples=["within"],
    )
    change: Change = Field(description="What it does.", examples=[{"kind": "absolute", "value": 2.0, "unit": "pp"}])
    uncertainty: Uncertainty | None = Field(
        None,
        description="How sure its size is; none: exactly as stated. For a path: of its largest size.",
        examples=[{"low": 0.5, "high": 3.2}],
    )
    target: Target = Field(description="The areas it reaches.", examples=[{"regions": ["North East"]}])
    phasing: Phasing | None = Field(
        None,
        description="When it comes; not for a path or a shock, which say so themselves.",
        examples=[{"start": 2026, "full_by": 2029}],
    )
    start: Year | None = Field(None, description="For a shock only: the year in which it begins.", examples=[2027])
    reach: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1)] = Field(
        1.0, description="Share of the residents of each area that it reaches.", examples=[0.6]
    )
    additionality: Additionality = Field(
        Additionality(deadweight=0.0, displacement=0.0, leakage=0.0),
        description="Shares that are no gain to the area.",
        examples=[{"deadweight": 0.2}],
    )
    spillover: Spillover | None = Field(
        None, description="What neighbours receive.", examples=[{"weights": "contiguity", "share": 0.1}]
    )
    cost: Cost | None = Field(None, description="What it costs.")
    evidence: Evidence | None = Field(None, description="Where its size comes from.")
    draws_of: Slug | None = Field(
        None,
        description="Name that its random draws go by; its id if left out. Actions of one name are large or small "
        "together. gwm run --stack writes it for an action that it renames.",
        examples=["participation"],
    )

    @property
    def drawn_as(self) -> str:
        """Name that keys its random draws."""
        return self.draws_of or self.id
