"""The evidence library: published effects, what they can support, and where each number was read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gwm_models.data.descriptor import nearest
from gwm_models.data.home import data_home
from gwm_models.errors import DataError

FOLDER = "evidence"

Text = Annotated[str, Field(strict=True, pattern=r"\S")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Address = Annotated[str, Field(strict=True, pattern=r"^https?://\S+$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Effect(_Part):
    """One published effect.

    Attributes
    ----------
    outcome, group, unit : str
        What changed, among whom (empty: all who were studied), in what unit; a fall is negative.
    size : float or None
        None where no number could be read.
    low, high : float or None
        Ends of the published interval.
    level : float or None
        Probability of the interval; None where the text read does not say.
    interval : str
        ``confidence``, ``credible``, or empty where the text read does not say.
    note, reason : str
        What else to know; why a size or an interval is missing.
    """

    outcome: Text
    group: str = ""
    size: Number | None
    unit: Text
    low: Number | None = None
    high: Number | None = None
    level: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    interval: Literal["", "confidence", "credible"] = ""
    note: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Effect:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high belong together; give both or neither")
        if self.size is None and self.low is not None:
            raise ValueError("an interval needs a size")
        if self.size is not None and self.low is not None and self.high is not None:
            if not self.low <= self.size <= self.high:
                raise ValueError(f"size {self.size:g} is not between low {self.low:g} and high {self.high:g}")
        elif not self.reason.strip():
            raise ValueError("a size without an interval, or no size at all, needs a reason")
        return self


class ReadAt(_Part):
    """What part of a publication the numbers were read in, and where."""

    what: Text
    url: Address


class Entry(_Part):
    """One publication, as one file of the library says it."""

    schema_: Literal["gwm-evidence/1"] = Field(alias="schema")
    id: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Text
    authors: Annotated[tuple[Text, ...], Field(min_length=1)]
    year: Annotated[int, Field(strict=True, ge=1900, le=2200)]
    journal: Text
    doi: Annotated[str, Field(strict=True, pattern=r"^10\.\S+/\S+$")] | None
    url: Address
    place: Text
    period: Text
    design: Text
    population: Text
    effects: Annotated[tuple[Effect, ...], Field(min_length=1)]
    grade: Literal["strong", "moderate", "weak"]
    grade_reason: Text
    supports: Annotated[tuple[Text, ...], Field(min_length=1)]
    not_supports: Annotated[tuple[Text, ...], Field(min_length=1)]
    read_at: ReadAt
    licence: Text


def evidence_home() -> Path:
    """Return the folder of the evidence library."""
    return data_home() / FOLDER


def read_entry(path: Path) -> Entry:
    """Read one file of the library.

    Raises
    ------
    DataError
        If it cannot be read, is not of the form of an entry, or is not named after its id.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        raw: Any = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise DataError(f"{path}: the entry cannot be read ({str(error).splitlines()[0]}).") from error
    try:
        entry = Entry.model_validate(raw)
    except ValidationError as error:
        faults = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False)]
        raise DataError(f"{path}: not an entry of the evidence library: {'; '.join(faults)}.") from error
    if path.stem != entry.id:
        raise DataError(f"{path}: holds the entry '{entry.id}'. Name the file {entry.id}.yaml.")
    return entry


def _place(loc: tuple[str | int, ...]) -> str:
    return ".".join(str(key + 1) if isinstance(key, int) else key for key in loc) or "the file"


def evidence_library(folder: Path | None = None) -> dict[str, Entry]:
    """Return every entry by its id, in the order of the ids.

    Parameters
    ----------
    folder : Path, optional
        The shipped library by default.

    Raises
    ------
    DataError
        If there is no library, or an entry is faulty.
    """
    home = evidence_home() if folder is None else folder
    entries = [read_entry(path) for path in sorted(home.glob("*.yaml"))]
    if not entries:
        raise DataError(f"There is no evidence library at {home}. Reinstall the toolkit.")
    return {entry.id: entry for entry in entries}


def find_entry(name: str, folder: Path | None = None) -> Entry:
    """Return the entry of that id.

    Raises
    ------
    DataError
        If there is none; the message has the nearest ids.
    """
    library = evidence_library(folder)
    if name not in library:
        raise DataError(f"There is no entry '{name}' in the evidence library.{nearest(name, library)}")
    return library[name]


def effect_rows(entry: Entry) -> list[dict[str, object]]:
    """Return the effects of an entry as rows of a table."""
    return [
        {
            "entry": entry.id,
            "outcome": effect.outcome,
            "group": effect.group,
            "estimate": effect.size,
            "lower": effect.low,
            "upper": effect.high,
            "level": effect.level,
            "interval": effect.interval,
            "unit": effect.unit,
            "note": "; ".join(filter(None, (effect.note, effect.reason))),
        }
        for effect in entry.effects
    ]


def authors_of(entry: Entry) -> str:
    """Name the authors as a citation does: three, then "and others".

    Examples
    --------
    >>> authors_of(find_entry("poor-quality-work-2018"))
    'Chandola T, Zhang N'
    """
    most = 3
    shown = ", ".join(entry.authors[:most])
    return shown if len(entry.authors) <= most else f"{shown} and others"
