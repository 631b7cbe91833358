"""What a scenario file may say about health: its outcomes, links and lags."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from gwm_models.scenarios.spec_parts import Name, Number, Part


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
    return "form: share" if isinstance(value, dict | CausalShare) else "form: word"


LinkForm = Annotated[
    Annotated[Literal["within", "between"], Tag("form: word")] | Annotated[CausalShare, Tag("form: share")],
    Discriminator(_link_form),
]


class HealthLink(Part):
    """How a health outcome follows the total."""

    outcome: Name = Field(
        description="Health outcome of the edition; on the Monitor also preventable_cvd_mortality and "
        "drug_poisoning_deaths (the latter not with within).",
        examples=["healthy_life_expectancy_male"],
    )
    link: LinkForm = Field(
        "within",
        description="within: the slope inside areas over time. between: the slope between areas. "
        "causal_share: a share of the slope between areas.",
        examples=["within"],
    )
    lag: Lag = Field(
        Lag(years=0, build_up=0), description="Delay of the response.", examples=[{"years": 2, "build_up": 5}]
    )
