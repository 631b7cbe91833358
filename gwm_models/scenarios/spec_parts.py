"""Types that parts of a scenario file share: numbers, names and years, and the base of every part."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Slug = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)]
Name = Annotated[str, Field(strict=True, pattern=r"\S", max_length=200)]
Text = Annotated[str, Field(strict=True, pattern=r"\S", max_length=2000)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Year = Annotated[int, Field(strict=True, ge=1900, le=2200)]
Count = Annotated[int, Field(strict=True, ge=1)]
Share = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, lt=1)]
Probability = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, lt=1)]
YearValue = tuple[Year, Number]


class Part(BaseModel):
    """Base of every part of a scenario: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def rules(*parts: dict[str, Any]) -> dict[str, Any]:
    """Return conditions on the keys of a part, for its JSON Schema; the checker says the same in words."""
    return {"allOf": list(parts)}


def given(*keys: str) -> dict[str, Any]:
    """Return the schema of a part in which these keys are given, with anything but an empty value."""
    return {"required": list(keys), "properties": {key: {"not": {"type": "null"}} for key in keys}}


def absent(*keys: str) -> dict[str, Any]:
    """Return the schema of a part in which these keys are missing or empty."""
    return {"properties": {key: {"type": "null"} for key in keys}}


def one_of(*keys: str) -> dict[str, Any]:
    """Return the schema of a part in which exactly one of these keys is given."""
    return {"oneOf": [given(key) for key in keys]}


def some_of(*keys: str) -> dict[str, Any]:
    """Return the schema of a part in which at least one of these keys is given."""
    return {"anyOf": [given(key) for key in keys]}


def when(key: str, words: tuple[str, ...], *then: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a part that must meet others when a key has one of these words."""
    return {"if": {"required": [key], "properties": {key: {"enum": list(words)}}}, "then": {"allOf": list(then)}}


def units(*words: str) -> dict[str, Any]:
    """Return the schema of a part whose unit is one of these words."""
    return {"properties": {"unit": {"enum": list(words)}}}
