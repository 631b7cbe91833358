"""What a scenario file may say: the shape of every part, frozen and closed.

The models hold shape only: types, single ranges and allowed words. What the parts mean together (units that
fit an indicator, years in order, areas that exist) is checked by `gwm_models.scenarios.checks`, so use
`gwm_models.scenarios.reader` to make a `Scenario` from a file or a mapping.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Slug = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)]
Name = Annotated[str, Field(strict=True, pattern=r"\S", max_length=200)]
Text = Annotated[str, Field(strict=True, pattern=r"\S", max_length=2000)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Year = Annotated[int, Field(strict=True, ge=1900, le=2200)]
Count = Annotated[int, Field(strict=True, ge=1)]
Share = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, lt=1)]
Probability = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, lt=1)]


class Part(BaseModel):
    """Base of every part of a scenario: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Baseline(Part):
    """What the scenario is compared with."""

    edition: Name = Field(description="Edition of the index whose areas start the scenario.", examples=["monitor-2021"])
    rescale: Literal["frozen"] = Field("frozen", description="Scores keep the bounds of the edition: a gain is a gain.")


class Horizon(Part):
    """The years projected, first and last included."""

    start: Year = Field(description="First year.", examples=[2026])
    end: Year = Field(description="Last year, in which results are reported.", examples=[2035])


class Change(Part):
    """What an action does to its indicator in the areas it reaches."""

    kind: Literal["absolute", "relative", "target", "close_gap"] = Field(
        description="absolute: add the value. relative: change by a percentage of the level. "
        "target: bring to a level. close_gap: close part of the gap to a benchmark.",
        examples=["absolute"],
    )
    value: Number = Field(description="Size of the change, in the unit stated.", examples=[2.0])
    unit: Literal["pp", "percent", "share", "points", "GBP_per_week"] = Field(
        description="absolute: pp for indicators in percent, GBP_per_week for pay, or points (score points) "
        "for any. relative: percent (20 is a fifth more). target: the unit of the level, percent or "
        "GBP_per_week. close_gap: percent (50) or share (0.5).",
        examples=["pp"],
    )
    to: Name | None = Field(
        None,
        description="close_gap only: median, best_quintile, or an area's name or code.",
        examples=["median"],
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

    by: Name = Field(description="total, a domain or an indicator.", examples=["total"])
    n: Count | None = Field(None, description="How many areas.", examples=[20])
    quantile: Probability | None = Field(
        None, description="Share of the areas left, 0.25 for a quarter.", examples=[0.25]
    )


class Target(Part):
    """The areas an action reaches: areas, regions and exclude filter, then worst or best picks among them."""

    areas: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None,
        description="Areas by name or ONS code (boundaries before April 2019).",
        examples=[["Blackpool"]],
    )
    regions: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="Regions by name.", examples=[["North East"]]
    )
    worst: Pick | None = Field(None, description="The worst areas.", examples=[{"by": "total", "n": 20}])
    best: Pick | None = Field(None, description="The best areas.", examples=[{"by": "total", "n": 20}])
    exclude: tuple[Name, ...] = Field((), description="Areas left out, by name or code.", examples=[["Blackpool"]])


class Fade(Part):
    """Loss of the effect once it is full."""

    half_life: Annotated[Number, Field(gt=0)] = Field(description="Years until half is left.", examples=[8])


class Phasing(Part):
    """When the change comes."""

    start: Year = Field(description="Year in which it begins.", examples=[2026])
    full_by: Year = Field(description="First year with the whole change.", examples=[2029])
    shape: Literal["linear", "step"] = Field("linear", description="linear: evenly; step: all at once in full_by.")
    fade: Fade | None = Field(None, description="How the effect fades after full_by.", examples=[{"half_life": 8}])


class Additionality(Part):
    """Shares of the change that are not a gain to the area."""

    deadweight: Share = Field(0.0, description="Share that would have happened anyway.", examples=[0.2])
    displacement: Share = Field(0.0, description="Share taken from others in the area.", examples=[0.1])
    leakage: Share = Field(0.0, description="Share that goes to people outside the area.", examples=[0.05])


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

    value: Number = Field(description="Amount in pounds; a negative amount is a saving.", examples=[40])
    unit: Literal["GBP", "GBP_per_area", "GBP_per_resident", "GBP_per_resident_16_64"] = Field(
        description="In all, or per area or resident reached.", examples=["GBP_per_resident_16_64"]
    )
    years: tuple[Year, Year] | None = Field(
        None, description="First and last year of payment; the horizon if left out.", examples=[[2026, 2035]]
    )


class Cost(Part):
    """What the action costs."""

    fixed: Amount | None = Field(None, description="Paid once.", examples=[{"value": 1000000, "unit": "GBP"}])
    recurring: Amount | None = Field(
        None, description="Paid every year.", examples=[{"value": 40, "unit": "GBP_per_resident_16_64"}]
    )
    price_base: Year = Field(description="Year whose prices the amounts are in.", examples=[2025])


class Evidence(Part):
    """Where the size of the change comes from."""

    source: Text = Field(description="Study, evaluation or judgement.", examples=["programme evaluation"])
    grade: Literal["strong", "moderate", "weak", "assumed"] = Field(
        description="How well it is supported.", examples=["moderate"]
    )


class Action(Part):
    """One change of one indicator in a set of areas. Actions on one indicator and area add up."""

    id: Slug = Field(description="Short name, unique in the file.", examples=["participation"])
    indicator: Name = Field(description="Indicator that the action changes.", examples=["economic_activity_rate"])
    change: Change = Field(description="What it does.", examples=[{"kind": "absolute", "value": 2.0, "unit": "pp"}])
    uncertainty: Uncertainty | None = Field(
        None,
        description="How sure its size is; none: exactly as stated.",
        examples=[{"low": 0.5, "high": 3.2}],
    )
    target: Target = Field(description="The areas it reaches.", examples=[{"regions": ["North East"]}])
    phasing: Phasing = Field(description="When it comes.", examples=[{"start": 2026, "full_by": 2029}])
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


class Normal(Part):
    """A normal distribution."""

    mean: Number = Field(description="Mean.", examples=[0.3])
    sd: Annotated[Number, Field(ge=0)] = Field(description="Standard deviation.", examples=[0.15])


class CausalShare(Part):
    """The share of the association between areas that is taken as effect."""

    causal_share: Normal = Field(description="Share, uncertain.", examples=[{"mean": 0.3, "sd": 0.15}])


class Lag(Part):
    """How long health takes to follow."""

    years: Annotated[int, Field(strict=True, ge=0, le=100)] = Field(
        0, description="Years before it starts.", examples=[2]
    )
    build_up: Annotated[int, Field(strict=True, ge=0, le=100)] = Field(
        0, description="Years from its start until it is whole.", examples=[5]
    )


def _link_form(value: object) -> str:
    return "share" if isinstance(value, dict | CausalShare) else "word"


class HealthLink(Part):
    """How a health outcome follows the total."""

    outcome: Name = Field(description="Health outcome.", examples=["healthy_life_expectancy_male"])
    link: Annotated[
        Annotated[Literal["within", "between"], Tag("word")] | Annotated[CausalShare, Tag("share")],
        Discriminator(_link_form),
    ] = Field(
        "within",
        description="within: the slope inside areas over time. between: the slope between areas. "
        "causal_share: a share of the slope between areas.",
        examples=["within"],
    )
    lag: Lag = Field(
        Lag(years=0, build_up=0), description="Delay of the response.", examples=[{"years": 2, "build_up": 5}]
    )


class Analysis(Part):
    """How results are computed and shown."""

    draws: Annotated[int, Field(strict=True, ge=100, le=100_000)] = Field(
        4000, description="Number of draws.", examples=[4000]
    )
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = Field(
        20260101, description="Seed of the draws.", examples=[20260101]
    )
    intervals: Annotated[tuple[Probability, ...], Field(min_length=1)] = Field(
        (0.5, 0.9), description="Probabilities of the intervals shown.", examples=[[0.5, 0.9]]
    )
    inequality: tuple[Literal["sii", "gap_10_10", "cv", "theil_region"], ...] = Field(
        ("sii", "gap_10_10", "cv", "theil_region"), description="Measures of inequality.", examples=[["sii"]]
    )


class Donors(Part):
    """Areas that may stand in for the treated ones."""

    exclude_neighbours: Annotated[bool, Field(strict=True)] = Field(
        description="Leave out areas that share a border with a treated one.", examples=[True]
    )


class EvaluationPlan(Part):
    """How the effect is to be measured once data arrive."""

    design: Literal["did", "synthetic_control", "synthetic_did", "interrupted_series"] = Field(
        description="Design of the evaluation.", examples=["synthetic_did"]
    )
    outcomes: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(
        description="Variables that are to show the effect.", examples=[["economic_activity_rate_16_64"]]
    )
    pre: tuple[Year, Year] = Field(description="First and last year before the action.", examples=[[2012, 2025]])
    donors: Donors | None = Field(None, description="Choice of controls.", examples=[{"exclude_neighbours": True}])


DEFAULT_HEALTH = tuple(
    HealthLink(outcome=outcome, link="within", lag=Lag(years=0, build_up=0))
    for outcome in ("healthy_life_expectancy_male", "healthy_life_expectancy_female")
)


class Scenario(Part):
    """A question about good work: what is done, where and when, and how results are worked out."""

    schema_: Literal["gwm-scenario/1"] = Field(
        alias="schema", description="Format of this file.", examples=["gwm-scenario/1"]
    )
    id: Slug = Field(
        description="Short name; run folders are named after it.", examples=["northern-participation-2026"]
    )
    title: Name = Field(
        description="One line for people.", examples=["Participation drive in the weakest northern areas"]
    )
    question: Text = Field(
        description="The question that the scenario answers.",
        examples=["How far does it close the gap by 2035?"],
    )
    baseline: Baseline = Field(description="What it is compared with.", examples=[{"edition": "monitor-2021"}])
    horizon: Horizon = Field(description="The years projected.", examples=[{"start": 2026, "end": 2035}])
    actions: tuple[Action, ...] = Field(description="What is done; an empty list changes nothing.", examples=[[]])
    health: tuple[HealthLink, ...] = Field(
        DEFAULT_HEALTH, description="Health outcomes and how they follow the total.", examples=[[]]
    )
    analysis: Analysis = Field(
        Analysis(draws=4000, seed=20260101),
        description="How results are computed.",
        examples=[{"draws": 4000}],
    )
    evaluation: EvaluationPlan | None = Field(None, description="How the effect is to be measured.")
    source: Annotated[str, Field(strict=True, max_length=2000)] = Field(
        "", description="Where the idea comes from.", examples=["https://example.org/plan"]
    )


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, for editors that complete and check while typing.

    Examples
    --------
    >>> scenario_schema()["required"][:2]
    ['schema', 'id']
    """
    schema = Scenario.model_json_schema(by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Scenario of the Good Work Monitor toolkit (gwm-scenario/1)",
    }
    return head | {key: value for key, value in schema.items() if key not in head}
