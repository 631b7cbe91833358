"""The manifest of a run as it is read back: its size, its JSON and the kind of every entry are checked first."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Callable
from errno import EINVAL
from pathlib import Path
from typing import Any

from gwm_models.errors import DataError, is_hidden
from gwm_models.files.strict_json import read_strict_json
from gwm_models.report.run_folder import MANIFEST_SCHEMA
from gwm_models.scenarios.findings import escaped, shown

MOST_BYTES = 4_000_000
SHA256 = re.compile(r"[0-9a-f]{64}")
HASHES = (
    *("scenario_sha256", "resolved_sha256", "data_sha256", "code_sha256"),
    *("health_links_sha256", "mortality_links_sha256"),
)
TEXTS = ("toolkit_version", "scenario", "command", "created", "edition", "python", "platform")
NUMBERS = ("seed", "draws")
NAME_IT = "Name the manifest.json of a run, or its folder."


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a run.

    Parameters
    ----------
    path : Path
        UTF-8 JSON of 4 MB at most, without a key twice, a number that is none or one beyond 64 bits.

    Returns
    -------
    dict
        Entries that the toolkit does not know are kept as they are.

    Raises
    ------
    DataError
        If there is none, it is not that of a run, or an entry is not of its kind; line and column are named where
        there are any.
    """
    text = _text(path)
    found = _json(path, text)
    kind = found.get("kind") if isinstance(found, dict) else None
    if isinstance(found, dict) and kind is not None:
        raise _of_another_kind(path, found)
    if not isinstance(found, dict) or found.get("schema") != MANIFEST_SCHEMA or "resolved_sha256" not in found:
        raise DataError(f"{path}: is not the manifest of a run ({MANIFEST_SCHEMA}). Name one that gwm run wrote.")
    for names, is_right, expected in CHECKS:
        for name in names:
            if name in found and not is_right(found[name]):
                raise _wrong(path, text, name, f"expected {expected}; found {_told(found[name])}")
    return found


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, of any size.

    Raises
    ------
    OSError
        If it cannot be read, or is no regular file: a pipe would be waited for.
    """
    if not path.is_file():
        path.stat()
        raise OSError(EINVAL, "not a regular file", str(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(path: Path) -> str:
    try:
        if not path.exists():
            raise DataError(f"{path}: no such file. {NAME_IT}")
        if not path.is_file():
            raise DataError(f"{path}: is not a regular file. {NAME_IT}")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{escaped(str(path), most=4096)}: cannot be read as a manifest ({why}). {NAME_IT}") from error
    if len(raw) > MOST_BYTES:
        raise DataError(f"{path}: has over {MOST_BYTES // 10**6} MB, and a manifest has some kilobytes. {NAME_IT}")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(raw[: error.start].decode("utf-8", "replace"))
        why = f"byte 0x{raw[error.start]:02x} is not UTF-8 text"
        raise DataError(f"{path}:{line}:{column}: cannot be read as a manifest ({why}). {NAME_IT}") from error


def _json(path: Path, text: str) -> Any:
    try:
        return read_strict_json(text)
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise DataError(f"{place}: cannot be read as a manifest ({error.msg}). {NAME_IT}") from error
    except (ValueError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else escaped(str(error), 120)
        raise DataError(f"{path}: cannot be read as a manifest ({why}). {NAME_IT}") from error


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and SHA256.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_lines(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(line, str) and not any(map(is_hidden, line)) and line.isprintable() for line in value
    )


def _are_versions(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(version, str) for version in value.values())


def _are_hashes(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_hash, value.values()))


CHECKS: tuple[tuple[tuple[str, ...], Callable[[Any], bool], str], ...] = (
    (HASHES, _is_hash, "a SHA-256 of 64 hexadecimal digits"),
    (TEXTS, _is_text, "a text"),
    (NUMBERS, _is_number, "a whole number"),
    (("file_warnings",), _are_lines, "a list of texts without hidden characters"),
    (("package_versions",), _are_versions, "a version for each package, as text"),
    (("results_sha256",), _are_hashes, "a SHA-256 of 64 hexadecimal digits for each file"),
)
"""Entries, what they must be, and that in words."""


def _told(value: Any) -> str:
    """Return what was found, with what stands inside a list or a mapping where that is what is wrong."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    odd = next((item for item in inner if not isinstance(item, str)), next(iter(inner), None))
    return f"{shown(value)} with {shown(odd)}" if inner else shown(value)


def _wrong(path: Path, text: str, name: str, what: str) -> DataError:
    found = re.search(rf'"{name}"\s*:', text)
    line, column = _place(text[: found.start()]) if found else (1, 1)
    return DataError(f"{path}:{line}:{column}: {name}: {what}. Keep the manifest as gwm run wrote it.")


def _place(before: str) -> tuple[int, int]:
    """Return line and column, from 1, of what stands after a text."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _of_another_kind(path: Path, manifest: dict[str, Any]) -> DataError:
    kind = manifest["kind"]
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z][a-z -]{0,30}", kind):
        return DataError(f"{path}: is not the manifest of a run: its kind is {shown(kind)}. {NAME_IT}")
    article = "an" if kind[0] in "aeiou" else "a"
    again = _again(path, manifest)
    how = f" Run it again with: {again}" if again else ""
    return DataError(f"{path}: is the manifest of {article} {kind}, not of a run.{how}")


def _again(path: Path, manifest: dict[str, Any]) -> str:
    """Return the command that gives the folder of a goal, a sweep or a comparison once more; empty if not told."""
    file, command = manifest.get("file"), manifest.get("command")
    if isinstance(file, str) and file.isprintable() and file == Path(file).name:
        return shlex.join(["gwm", manifest["kind"], str(path.parent / file), "--out", "again"])
    return escaped(command, most=1000) if file is None and isinstance(command, str) else ""
