"""What datapackage.json says of each table: fields, keys, sources, licence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from gwm_models.errors import DataError, some

DESCRIPTOR = "datapackage.json"
TYPES = ("string", "number", "integer")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table.

    Attributes
    ----------
    name, title, description : str
        Its name, and what it holds.
    type : {"string", "number", "integer"}
        An integer is always required; a number or a string may be empty unless `required`.
    unit : str
        Unit of the figures; empty for text.
    required, unique : bool
        Whether a cell may be empty, and whether a value may come twice.
    minimum, maximum : float or None
        Allowed range, ends included.
    enum : tuple of str
        Allowed values; empty for any.
    pattern : str
        Regular expression that a whole cell must match; empty for any.
    """

    name: str
    type: str
    title: str
    description: str
    unit: str
    required: bool
    unique: bool
    minimum: float | None
    maximum: float | None
    enum: tuple[str, ...]
    pattern: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns whose values must be found together in columns of another table."""

    fields: tuple[str, ...]
    table: str
    reference_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Who published figures of a table, under what title, for what period."""

    title: str
    producer: str
    period: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One table of the package as datapackage.json describes it."""

    name: str
    path: str
    title: str
    description: str
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    sources: tuple[Source, ...]
    licence: str
    bytes: int | None
    sha256: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> Field:
        """Return one field; an unknown name is a `DataError` that gives the nearest names."""
        for field in self.fields:
            if field.name == name:
                return field
        raise DataError(f"Table '{self.name}' has no column '{name}'.{nearest(name, self.columns)}")


@dataclass(frozen=True, slots=True)
class Package:
    """A folder of tables and their description."""

    folder: Path
    title: str
    resources: Mapping[str, Resource]

    def table(self, name: str) -> Resource:
        """Return one table's description; an unknown name is a `DataError` that gives the nearest names."""
        if name not in self.resources:
            raise DataError(f"There is no table '{name}' in {self.folder}.{nearest(name, self.resources)}")
        return self.resources[name]


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a sentence with the names most like `name`, or with all of them if none is near."""
    from difflib import get_close_matches

    known = list(names)
    close = get_close_matches(name, known, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(close)}?" if close else f" Known: {some(known, 20)}."


def read_descriptor(folder: Path) -> Package:
    """Read the datapackage.json of a folder; the parsed result is kept until the file changes.

    Raises
    ------
    DataError
        If the file is missing, is not JSON in UTF-8, or lacks a part that the toolkit needs.
    """
    path = folder / DESCRIPTOR
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). A data folder needs a {DESCRIPTOR}.") from error
    return _parse(folder, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _parse(folder: Path, _mtime_ns: int, _size: int) -> Package:
    path = folder / DESCRIPTOR
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start + 1} is not UTF-8. Save the file as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}.") from error
    try:
        resources = [_resource(item) for item in content["resources"]]
        tables = {resource.name: resource for resource in resources}
        _check_once("table", [resource.name for resource in resources])
        for resource in resources:
            _check_keys(resource, tables)
        return Package(folder, str(content.get("title", folder.name)), tables)
    except KeyError as error:
        raise DataError(f"{path}: {error.args[0]!r} is missing from the package or a table.") from error
    except (TypeError, AttributeError, ValueError, re.error) as error:
        raise DataError(f"{path}: not a tabular data package: {error}.") from error


def _resource(item: Mapping[str, Any]) -> Resource:
    schema = item["schema"]
    place = PurePosixPath(item["path"])
    if place.is_absolute() or ".." in place.parts:
        raise ValueError(f"path '{place}' leads out of the folder")
    licences = [str(one.get("title", one.get("name", ""))) for one in item.get("licenses", [])]
    return Resource(
        name=str(item["name"]),
        path=str(place),
        title=str(item.get("title", item["name"])),
        description=str(item.get("description", "")),
        fields=tuple(_field(field) for field in schema["fields"]),
        primary_key=_names(schema.get("primaryKey", ())),
        foreign_keys=tuple(_foreign_key(key, str(item["name"])) for key in schema.get("foreignKeys", ())),
        sources=tuple(
            Source(str(one.get("title", "")), str(one.get("producer", "")), str(one.get("period", "")))
            for one in item.get("sources", [])
        ),
        licence="; ".join(licences),
        bytes=item.get("bytes"),
        sha256=str(item.get("hash", "")).removeprefix("sha256:"),
    )


def _field(item: Mapping[str, Any]) -> Field:
    rules = item.get("constraints", {})
    re.compile(str(rules.get("pattern", "")))
    kind = item.get("type", "string")
    if kind not in TYPES:
        raise ValueError(f"field '{item['name']}' has type '{kind}', expected one of {', '.join(TYPES)}")
    return Field(
        name=str(item["name"]),
        type=kind,
        title=str(item.get("title", item["name"])),
        description=str(item.get("description", "")),
        unit=str(item.get("unit", "")),
        required=bool(rules.get("required", False)) or kind == "integer",
        unique=bool(rules.get("unique", False)),
        minimum=_number(rules.get("minimum")),
        maximum=_number(rules.get("maximum")),
        enum=tuple(map(str, rules.get("enum", ()))),
        pattern=str(rules.get("pattern", "")),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _check_keys(resource: Resource, tables: Mapping[str, Resource]) -> None:
    """Raise ValueError if a key names a table or a field that is not described, or a field comes twice."""
    _check_once(f"field of '{resource.name}'", resource.columns)
    named = [(resource, name) for name in resource.primary_key]
    for key in resource.foreign_keys:
        if key.table not in tables:
            raise ValueError(f"a key of '{resource.name}' refers to '{key.table}', a table not described")
        named += [(resource, name) for name in key.fields]
        named += [(tables[key.table], name) for name in key.reference_fields]
    for table, name in named:
        if name not in table.columns:
            raise ValueError(f"a key of '{resource.name}' names '{name}', not a field of '{table.name}'")


def _check_once(what: str, names: Sequence[str]) -> None:
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"{what} described twice: {some(twice)}")


def _foreign_key(item: Mapping[str, Any], own: str) -> ForeignKey:
    reference = item["reference"]
    table = str(reference["resource"]) or own
    return ForeignKey(_names(item["fields"]), table, _names(reference["fields"]))


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
