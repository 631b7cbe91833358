"""Fits that are slow to make are kept as netCDF, and used again while data and code are the same.

A stored fit carries a fingerprint: a hash of the shipped figures (or of the edition's own), of the source of its module
and of all that this imports from the toolkit, of the numbers of draws and of the seed. Fits of the default edition
travel with the toolkit; others go to a cache in the home folder, or where ``GWM_CACHE`` says.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition
from gwm_models.data.home import PACKAGE, data_home
from gwm_models.data.vocabulary import edition_folder
from gwm_models.errors import OutputError
from gwm_models.files import plain
from gwm_models.files.place import clear_leftovers, flush, temporary_folder
from gwm_models.models.fit import Fit

SCHEMA = "gwm-fit/1"
SEAL = 32
"""Bytes at the end of a file: the hash of what is before them, which netCDF readers do not look at."""
IMPORT = re.compile(r"^\s*from gwm_models\.([\w.]+) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
PLUMBING = frozenset({"errors", "arrays", "files"})
"""Modules without a number in them: a change there leaves every fit what it was."""
FACTS = "facts"
DIMS = {
    "estimate": ("term",),
    "cov": ("term", "other"),
    "lower": ("term",),
    "upper": ("term",),
    "p_value": ("term",),
    "draws": ("draw", "term"),
    "influence": ("unit",),
}
Arrays = Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]


def fingerprint(module: str, edition: Edition, *words: str) -> str:
    """Return the hash of all that a stored result depends on.

    Parameters
    ----------
    module : str
        Where its code is, below ``gwm_models``, such as ``models.gaussian.spatial``.
    edition : Edition
    *words : str
        What else decides it: outcome, specification, number of draws, seed.
    """
    parts = (SCHEMA, edition.name, _data_hash(edition.name), _scores_hash(edition), _code_hash(module), *words)
    return sha256("\x1f".join(parts).encode()).hexdigest()


def _data_hash(name: str) -> str:
    """Hash the shipped figures, and the files of an edition of one's own, which may be built again at any time."""
    own = edition_folder(name)
    return _folder_hash(data_home()) + ("" if own is None else _folder_hash.__wrapped__(own))


@lru_cache(maxsize=4)
def _folder_hash(folder: Path) -> str:
    files = [path for path in sorted(folder.iterdir()) if path.suffix in {".csv", ".yaml"}]
    digest = sha256()
    for path in files:
        digest.update(f"{path.name}\x1f{path.stat().st_size}\x1f".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _scores_hash(edition: Edition) -> str:
    """Hash what an edition holds in memory: one that was changed there is another one, whatever its name."""
    digest = sha256("\x1f".join((*edition.areas.code, *edition.areas.unit, *edition.areas.region)).encode())
    arrays = (edition.total, edition.domain_scores, edition.values, edition.level_errors, edition.areas.population)
    for array in (*arrays, edition.areas.borders):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@lru_cache(maxsize=32)
def _code_hash(module: str) -> str:
    """Hash the source of a module and of what it imports from the toolkit, at any depth."""
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = PACKAGE.joinpath(*name.split(".")).with_suffix(".py")
        if name in seen or name.partition(".")[0] in PLUMBING or not path.is_file():
            continue
        seen[name] = path.read_text(encoding="utf-8")
        for source, names in IMPORT.findall(seen[name]):
            waiting += [source, *(f"{source}.{part}" for part in re.findall(r"\w+", names))]
    return sha256("\x1f".join(f"{name}\x1f{text}" for name, text in sorted(seen.items())).encode()).hexdigest()


def reference_folder() -> Path | None:
    """Return the folder of the fits that travel with the toolkit, or None where there is none."""
    for folder in (PACKAGE / "_shipped" / "fits", PACKAGE.parent / "results" / "fits"):
        if folder.is_dir():
            return folder
    return None


def cache_folder() -> Path:
    """Return the folder of fits made on this machine: ``GWM_CACHE``, or a folder in the home folder."""
    named = os.environ.get("GWM_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "gwm-models"


@dataclass(frozen=True, eq=False)
class Record:
    """What one netCDF file holds.

    Attributes
    ----------
    arrays : mapping of str to (dimensions, array)
    facts : dict
        Everything that is not an array, as plain data.
    """

    arrays: Arrays
    facts: dict[str, Any]


def find(name: str, key: str) -> Record | None:
    """Return a stored result with that fingerprint: one that travels with the toolkit, or one made here earlier."""
    folder = reference_folder()
    places = [] if folder is None else [folder / f"{name}.nc"]
    for path in (*places, _cached(key)):
        found = read_sound(path, key)
        if found is not None:
            return found
    return None


def read_sound(path: Path, key: str) -> Record | None:
    """Return a stored result of that fingerprint; None where there is none, or none that can be read whole."""
    with suppress(Exception):  # a damaged HDF5 file fails in every way there is
        if path.is_file():
            return read_record(path, key)
    return None


def remember(key: str, record: Record) -> None:
    """Keep a result in the cache of this machine; a cache that cannot be written is done without."""
    with suppress(OutputError):
        write_record(_cached(key), key, record)


def _cached(key: str) -> Path:
    return cache_folder() / f"{key[:24]}.nc"


def read_record(path: Path, key: str | None = None) -> Record | None:
    """Read a stored result; None if it is of another fingerprint than `key`.

    Raises
    ------
    Exception
        Of any kind, if the file is damaged or not one of ours.
    """
    import h5py

    content = path.read_bytes()
    if sha256(content[:-SEAL]).digest() != content[-SEAL:]:
        raise ValueError(f"{path} is damaged.")  # HDF5 may search a damaged file for ever
    with h5py.File(io.BytesIO(content), "r") as file:
        if file.attrs["schema"] != SCHEMA or key not in (None, file.attrs["fingerprint"]):
            return None
        told = json.loads(file[FACTS].asstr()[()])
        arrays = {name: (tuple(dims), file[name][...].astype(float)) for name, dims in told["dims"].items()}
    return Record(arrays, told["facts"])


def is_ours(path: Path) -> bool:
    """Tell whether a file is a stored result, of whatever fingerprint."""
    with suppress(Exception):
        return read_record(path) is not None
    return False


def write_record(path: Path, key: str, record: Record) -> None:
    """Write a result as netCDF-4 under a temporary name, then rename it. Draws are kept in single precision.

    Raises
    ------
    OutputError
        If the file cannot be written; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(path)
        with temporary_folder(path) as folder:  # a lock on the file itself would keep HDF5 out
            fresh = folder / path.name
            _write(fresh, key, record)
            flush(fresh)
            fresh.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}). Choose another place.") from error


def _write(path: Path, key: str, record: Record) -> None:
    """Write a result as netCDF-4, sealed."""
    import h5netcdf
    import h5py

    content = io.BytesIO()  # a disk that is full would be the end of HDF5, and of the program with it
    with h5netcdf.File(content, "w") as file:
        file.attrs["schema"], file.attrs["fingerprint"] = SCHEMA, key
        file.dimensions = {
            dim: size for dims, values in record.arrays.values() for dim, size in zip(dims, values.shape, strict=True)
        }
        for variable, (dims, values) in record.arrays.items():
            kind = "f4" if "draw" in dims else "f8"
            file.create_variable(variable, dims, kind, data=values.astype(kind), compression="gzip", shuffle=True)
        text = file.create_variable(FACTS, (), dtype=h5py.string_dtype())
        dims_of = {variable: list(dims) for variable, (dims, _) in record.arrays.items()}
        text[...] = json.dumps({"dims": dims_of, "facts": record.facts}, ensure_ascii=False)
    path.write_bytes(content.getvalue() + sha256(content.getbuffer()).digest())


def pack(fit: Fit) -> Record:
    """Take a fit apart into arrays and facts; draws are cut to the precision in which they are kept."""
    arrays = {name: (DIMS[name], getattr(fit, name)) for name in DIMS if getattr(fit, name) is not None}
    if fit.draws is not None:
        arrays["draws"] = (DIMS["draws"], fit.draws.astype("f4").astype(float))
    facts = {field.name: getattr(fit, field.name) for field in fields(fit) if field.name not in DIMS}
    facts["diagnostics"] = dict(fit.diagnostics)
    facts["tables"] = {name: [dict(row) for row in rows] for name, rows in fit.tables.items()}
    return Record(arrays, plain(facts, keep_nan=True))


def unpack(record: Record) -> Fit:
    """Put a fit together again."""
    parts: dict[str, Any] = {name: values for name, (_, values) in record.arrays.items()}
    for name, value in record.facts.items():
        parts[name] = tuple(value) if isinstance(value, list) else value
    parts["diagnostics"] = MappingProxyType(parts["diagnostics"])
    parts["tables"] = MappingProxyType(parts["tables"])
    return Fit(**parts)
