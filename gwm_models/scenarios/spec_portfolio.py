"""What a scenario file may say about a portfolio: options, a budget, constraints, what is to be best, an allocation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gwm_models.scenarios.spec_parts import (
    Count,
    Name,
    Part,
    Probability,
    Share,
    Slug,
    Year,
    YearValue,
    absent,
    given,
    one_of,
    rules,
    some_of,
    when,
)
from gwm_models.scenarios.spec_search import Measured

Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
Pounds = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Group = Annotated[tuple[Slug, ...], Field(min_length=2)]


class Option(Part):
    """Something that can be chosen, at one size or not at all."""

    model_config = ConfigDict(json_schema_extra=rules(one_of("actions", "file")))

    id: Slug = Field(description="Short name, unique among the options.", examples=["into-work"])
    actions: Annotated[tuple[Slug, ...], Field(min_length=1)] | None = Field(
        None, description="Actions of this file that it carries out together.", examples=[["participation"]]
    )
    file: Name | None = Field(
        None,
        description="Instead of actions: a scenario file beside this one, or a shipped scenario, whose actions it "
        "carries out.",
        examples=["skills-nvq4"],
    )
    sizes: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=20)] = Field(
        (1.0,),
        description="Sizes it can have: multiples of the change of each of its actions, intervals included.",
        examples=[[0.5, 1.0, 1.5]],
    )
    costs: Annotated[tuple[Pounds, ...], Field(min_length=1, max_length=20)] | None = Field(
        None,
        description="What each size costs, as a multiple of the cost of its actions as they stand; in proportion to "
        "the size if left out.",
        examples=[[0.6, 1.0, 1.7]],
    )


class Budget(Part):
    """How much money there is. Expected costs are held against it."""

    model_config = ConfigDict(json_schema_extra=rules(some_of("total", "years")))

    total: Pounds | None = Field(
        None,
        description="In GBP over all years, discounted to the first year of the horizon.",
        examples=[400_000_000],
    )
    years: Annotated[tuple[YearValue, ...], Field(min_length=1)] | None = Field(
        None,
        description="Most that may be paid in a year, GBP, not discounted; other years have no limit of their own.",
        examples=[[[2026, 60_000_000], [2027, 80_000_000]]],
    )
    price_base: Year = Field(description="Year whose prices the amounts are in.", examples=[2025])
    discount_rate: Share = Field(0.0, description="Rate a year by which later payments count less.", examples=[0.035])


class RegionFloor(Part):
    """What a region must get at least."""

    model_config = ConfigDict(json_schema_extra=rules(some_of("spend", "options")))

    region: Name = Field(description="Region.", examples=["North East"])
    spend: Pounds | None = Field(
        None, description="Least expected cost spent there, GBP, discounted.", examples=[10_000_000]
    )
    options: Count | None = Field(None, description="Least number of chosen options that reach it.", examples=[1])


class Requirement(Part):
    """An option that may be chosen only with others."""

    option: Slug = Field(description="The option that depends on others.", examples=["better-jobs"])
    needs: Annotated[tuple[Slug, ...], Field(min_length=1)] = Field(
        description="Options that must be chosen with it, at any size.", examples=[["into-work"]]
    )


class Constraints(Part):
    """What a choice must keep to, besides the budget."""

    floors: tuple[RegionFloor, ...] = Field(
        (), description="What regions must get.", examples=[[{"region": "North East", "options": 1}]]
    )
    exclusive: tuple[Group, ...] = Field(
        (), description="Groups of options of which at most one is chosen.", examples=[[["into-work", "skills"]]]
    )
    requires: tuple[Requirement, ...] = Field(
        (), description="Options that need others.", examples=[[{"option": "better-jobs", "needs": ["into-work"]}]]
    )
    include: tuple[Slug, ...] = Field((), description="Options that must be chosen.", examples=[["into-work"]])
    at_least: Count | None = Field(None, description="Least number of options chosen.", examples=[2])
    at_most: Count | None = Field(None, description="Most options chosen.", examples=[5])


class Objective(Part):
    """What is to be as good as it can be: more is better for scores and healthy years, less for gaps and ranks."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            {
                **when("statistic", ("quantile", "tail_mean"), given("probability")),
                "else": absent("probability"),
            }
        )
    )

    measure: Measured = Field(
        description="As for a goal, and healthy_years: years lived in good health in the last year, all areas together."
        " Target areas are those that any option reaches.",
        examples=[{"quantity": "total", "group": "all areas"}],
    )
    statistic: Literal["mean", "quantile", "tail_mean"] = Field(
        "mean",
        description="mean: over the draws. quantile: what is reached with all but this probability. tail_mean: the "
        "mean over that share of draws, the worst ones.",
    )
    probability: Probability | None = Field(
        None, description="For quantile and tail_mean: the share of the worst draws.", examples=[0.1]
    )


class Response(Part):
    """How the effect in an area grows with the money spent there; give exactly one."""

    model_config = ConfigDict(json_schema_extra=rules(one_of("elasticity", "half_saturation")))

    elasticity: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1)] | None = Field(
        None,
        description="The effect goes with the money to this power: 1 is in proportion, 0.5 with the square root.",
        examples=[0.5],
    )
    half_saturation: Positive | None = Field(
        None,
        description="The effect is half of the most it can be at this many times the action's own cost.",
        examples=[1.0],
    )


class Allocation(Part):
    """An amount of money spread over the areas of one action, with diminishing returns in each."""

    action: Slug = Field(
        description="Action whose stated change comes about in an area for its stated cost there.",
        examples=["participation"],
    )
    response: Response = Field(description="Effect by money.", examples=[{"elasticity": 0.5}])
    floor: Pounds = Field(0.0, description="Least for each area, GBP per resident aged 16 to 64.", examples=[5.0])
    cap: Positive | None = Field(
        None, description="Most for each area, GBP per resident aged 16 to 64.", examples=[100.0]
    )
    smallest_grant: Pounds = Field(
        0.0, description="An area gets nothing or at least this, GBP per resident aged 16 to 64.", examples=[10.0]
    )
    equity: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=10)] = Field(
        0.0,
        description="Weight of an area: the mean total over its own, to this power; 0 weighs areas alike.",
        examples=[1.3],
    )


class Portfolio(Part):
    """A choice of options, or of the amounts for areas, that is the best within a budget."""

    model_config = ConfigDict(json_schema_extra=rules(one_of("options", "allocation")))

    options: Annotated[tuple[Option, ...], Field(min_length=1, max_length=60)] | None = Field(
        None, description="What can be chosen.", examples=[[{"id": "into-work", "actions": ["participation"]}]]
    )
    allocation: Allocation | None = Field(None, description="Instead of options: money spread over areas.")
    budget: Budget = Field(description="How much money there is.", examples=[{"total": 1e8, "price_base": 2025}])
    constraints: Constraints = Field(
        Constraints(), description="What the choice must keep to.", examples=[{"at_most": 3}]
    )
    objective: Objective = Field(
        description="What is to be best.",
        examples=[{"measure": {"quantity": "total", "group": "all areas"}}],
    )
