"""What a scenario file may say about a search: the numbers left free, the goal, the sweep, the measures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gwm_models.scenarios.spec_parts import Name, Number, Part, Probability, absent, given, one_of, rules, when

ENDS = {"allOf": [given("low", "high"), absent("values")]}
VALUES = {"allOf": [given("values"), absent("low", "high")]}
SPREAD = when(
    "design", ("sobol", "latin_hypercube"), given("points"), absent("steps"), {"properties": {"vary": {"items": ENDS}}}
)
SWEEP_RULES = rules(
    {"properties": {"vary": {"items": {"oneOf": [ENDS, VALUES]}}}}, {**SPREAD, "else": absent("points")}
)


class Vary(Part):
    """One number of the scenario that is left free."""

    path: Name = Field(
        description="Where it stands in the file; actions by their id.",
        examples=["actions.participation.change.value"],
    )
    low: Number | None = Field(None, description="Smallest value.", examples=[0.0])
    high: Number | None = Field(None, description="Largest value.", examples=[10.0])
    values: Annotated[tuple[Number, ...], Field(min_length=1, max_length=10_000)] | None = Field(
        None, description="Sweeps only: the values tried, instead of low and high.", examples=[[0.5, 1.0, 2.0]]
    )


class Measured(Part):
    """A number that a projection gives, in every draw."""

    quantity: Name = Field(
        description="total, a domain, rank, a health outcome, or a measure of inequality.", examples=["gap_10_10"]
    )
    group: Name = Field(
        "target areas",
        description="target areas, all areas, a region or an area; of no meaning for inequality.",
        examples=["target areas"],
    )
    state: Literal["difference", "percent_change", "scenario"] = Field(
        "difference",
        description="difference: scenario minus baseline. percent_change: the same as a percentage of the baseline. "
        "scenario: the level reached.",
    )


class Goal(Part):
    """What is to be reached, and how surely, by choosing one number of the scenario."""

    model_config = ConfigDict(json_schema_extra=rules(one_of("at_least", "at_most"), {"properties": {"vary": ENDS}}))

    vary: Vary = Field(
        description="The number that is free.",
        examples=[{"path": "actions.participation.change.value", "low": 0, "high": 10}],
    )
    measure: Measured = Field(description="What is to reach the goal.", examples=[{"quantity": "gap_10_10"}])
    at_least: Number | None = Field(None, description="The goal is this value or more.", examples=[5.0])
    at_most: Number | None = Field(None, description="The goal is this value or less.", examples=[-10.0])
    probability: Probability = Field(0.8, description="How sure it is to be.", examples=[0.8])


class Sweep(Part):
    """Many versions of the scenario: numbers varied over a grid or a space-filling design."""

    model_config = ConfigDict(json_schema_extra=SWEEP_RULES)

    vary: Annotated[tuple[Vary, ...], Field(min_length=1, max_length=20)] = Field(
        description="The numbers varied.",
        examples=[[{"path": "actions.participation.change.value", "low": 0, "high": 10}]],
    )
    design: Literal["grid", "sobol", "latin_hypercube"] = Field(
        "grid", description="grid: every combination. sobol, latin_hypercube: points spread evenly."
    )
    points: Annotated[int, Field(strict=True, ge=2, le=1_000_000)] | None = Field(
        None, description="Number of points of sobol and latin_hypercube.", examples=[256]
    )
    steps: Annotated[int, Field(strict=True, ge=2, le=10_000)] | None = Field(
        None, description="Values of each number in a grid between low and high.", examples=[11]
    )
    measures: Annotated[tuple[Measured, ...], Field(min_length=1)] = Field(
        (Measured(quantity="total", group="target areas", state="difference"),),
        description="What is recorded at each point.",
    )
