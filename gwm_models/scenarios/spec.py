"""What a scenario file may say: the shape of every part, frozen and closed.

The models hold shape only: types, single ranges and allowed words. What the parts mean together (units that
fit an indicator, years in order, areas that exist) is checked by `gwm_models.scenarios.checks`, so use
`gwm_models.scenarios.reader` to make a `Scenario` from a file or a mapping.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from gwm_models.scenarios.spec_actions import (
    Action,
    Additionality,
    Amount,
    Change,
    Cost,
    Evidence,
    Fade,
    Phasing,
    Pick,
    ShareOrUnsure,
    Spillover,
    Target,
    UncertainShare,
    Uncertainty,
    Where,
)
from gwm_models.scenarios.spec_health import CausalShare, HealthLink, Lag, LinkForm, Normal
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
    given,
    rules,
    when,
)
from gwm_models.scenarios.spec_portfolio import Allocation, Budget, Constraints, Objective, Option, Portfolio
from gwm_models.scenarios.spec_search import Goal, Measured, Sweep, Vary

__all__ = [
    "DEFAULT_HEALTH",
    "Action",
    "Additionality",
    "Allocation",
    "Amount",
    "Analysis",
    "Baseline",
    "Budget",
    "CausalShare",
    "Change",
    "Constraints",
    "Cost",
    "Count",
    "Donors",
    "EvaluationPlan",
    "Evidence",
    "Fade",
    "Goal",
    "HealthLink",
    "Horizon",
    "Inequality",
    "Lag",
    "LinkForm",
    "Measured",
    "Name",
    "Normal",
    "Number",
    "Objective",
    "Option",
    "Part",
    "Phasing",
    "Pick",
    "Portfolio",
    "Probability",
    "Scenario",
    "Share",
    "ShareOrUnsure",
    "Slug",
    "Spillover",
    "Sweep",
    "Target",
    "Text",
    "UncertainShare",
    "Uncertainty",
    "Vary",
    "Where",
    "Year",
    "YearValue",
    "scenario_schema",
]

Inequality = Literal["sii", "rii", "gap_10_10", "ratio_80_20", "cv", "theil_region", "theil_within"]


class Baseline(Part):
    """What the scenario is compared with."""

    edition: Name = Field(description="Edition of the index whose areas start the scenario.", examples=["monitor-2021"])
    rescale: Literal["frozen"] = Field("frozen", description="Scores keep the bounds of the edition: a gain is a gain.")
    counterfactual: Literal["held", "trend"] = Field(
        "held",
        description="held: without the actions everything stays as it is. trend: indicators go on along the damped "
        "trend of the yearly panel, with its own uncertainty.",
    )


class Horizon(Part):
    """The years projected, first and last included."""

    start: Year = Field(description="First year.", examples=[2026])
    end: Year = Field(description="Last year, in which results are reported.", examples=[2035])


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
    inequality: tuple[Inequality, ...] = Field(
        ("sii", "gap_10_10", "cv", "theil_region"), description="Measures of inequality.", examples=[["sii"]]
    )
    memory: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0.25, le=64)] = Field(
        1.0, description="Memory that a run may take, in GiB; it changes no result.", examples=[1.0]
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

SCENARIO_RULES = rules(
    when("kind", ("goal",), given("goal")),
    when("kind", ("sweep",), given("sweep")),
    when("kind", ("portfolio",), given("portfolio")),
    {"if": given("goal"), "then": {"required": ["kind"], "properties": {"kind": {"const": "goal"}}}},
    {"if": given("sweep"), "then": {"required": ["kind"], "properties": {"kind": {"const": "sweep"}}}},
    {"if": given("portfolio"), "then": {"required": ["kind"], "properties": {"kind": {"const": "portfolio"}}}},
)


class Scenario(Part):
    """A question about good work: what is done, where and when, and how results are worked out."""

    model_config = ConfigDict(json_schema_extra=SCENARIO_RULES)

    schema_: Literal["gwm-scenario/1"] = Field(
        alias="schema", description="Format of this file.", examples=["gwm-scenario/1"]
    )
    kind: Literal["scenario", "goal", "sweep", "portfolio"] = Field(
        "scenario",
        description="scenario: project it. goal: find the number that reaches a goal. sweep: try many numbers. "
        "portfolio: choose the best of several options within a budget.",
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
    goal: Goal | None = Field(None, description="For kind goal: what is to be reached.")
    sweep: Sweep | None = Field(None, description="For kind sweep: what is varied.")
    portfolio: Portfolio | None = Field(None, description="For kind portfolio: what can be chosen, and within what.")
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
