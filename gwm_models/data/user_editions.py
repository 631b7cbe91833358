"""Editions of one's own: a folder of tables, checked whole and kept with the hashes of its files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from errno import EFBIG, EINVAL
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Areas, Edition, own
from gwm_models.data.index_spec import IndexSpec, read_index
from gwm_models.data.open_editions import domain_scores
from gwm_models.data.scale import descending_rank
from gwm_models.data.tables import shown
from gwm_models.data.user_cells import cell_faults
from gwm_models.data.user_checks import Sheet, read_areas, read_borders, read_sheet, read_values
from gwm_models.data.user_definition import asked_of, read_definition, with_bounds, yaml_bytes
from gwm_models.data.vocabulary import LANDMARK
from gwm_models.errors import DataError, OutputError, Problem, some
from gwm_models.files import EDITION, json_text, new_folder

Floats = NDArray[np.float64]

SCHEMA = "gwm-edition/1"
INDEX = "index.yaml"
NEEDED = (INDEX, "areas.csv", "indicators.csv")
FILES = (*NEEDED, "borders.csv")
AGAIN = "Run gwm data build again."
LIMITS = {"kind": "limits"}
TOO_FEW = 2
MOST_BYTES = 200_000_000
"""Of a table; figures of 34,000 small areas take about a tenth."""


class EditionError(DataError):
    """A folder that cannot become an edition.

    Parameters
    ----------
    folder : Path
    problems : iterable of Problem
        Every fault found, by file and line.
    """

    def __init__(self, folder: Path, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        many = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{folder}: {many}; nothing was written", *map(str, self.problems)]))


@dataclass(frozen=True, eq=False)
class Draft:
    """A folder that was checked: everything an edition needs.

    Attributes
    ----------
    spec : IndexSpec
    areas : Areas
    values, errors : ndarray, shape (n_areas, n_indicators)
        Levels and their standard errors; NaN where an error is not known.
    notes : tuple of str
        What is assumed.
    """

    spec: IndexSpec
    areas: Areas
    values: Floats
    errors: Floats
    notes: tuple[str, ...]


def build_edition(folder: Path, out: Path) -> Edition:
    """Check a folder of tables and write it as an edition.

    Parameters
    ----------
    folder : Path
        Holds ``areas.csv`` (area_code, area_name, region_name, population; may have population_16_64,
        deprivation), ``indicators.csv`` (area_code, indicator, value; may have lower_95 and upper_95), ``index.yaml``
        (as the shipped one, with bounds ``{status: stated, low: ..., high: ...}`` or ``{from: data}``), and may hold
        ``borders.csv`` (area_code_1, area_code_2). All UTF-8. Other files are not looked at.
    out : Path
        Where the edition goes; replaced whole if it is one already.

    Returns
    -------
    Edition
        As `load_edition` reads it back.

    Raises
    ------
    EditionError
        With every fault of every file; nothing is written.
    OutputError
        If `out` cannot be written, holds something else, or is `folder` or around it.

    Examples
    --------
    Two indicators of three areas. First areas.csv::

        area_code,area_name,region_name,population
        A,Alder,North,1000
        B,Birch,North,2000
        C,Cedar,South,3000

    Then indicators.csv, in which pay has no limits::

        area_code,indicator,value,lower_95,upper_95
        A,jobless,4,3,5
        B,jobless,6,5,7
        C,jobless,8,7,9
        A,pay,500,,
        B,pay,400,,
        C,pay,450,,

    And index.yaml::

        schema: gwm-index/1
        id: trees-2024
        title: Good work in three woods, 2024
        publisher: the Woods Office
        scale: {low: 1, high: 100}
        domains:
          - {id: access, label: Access to work}
          - {id: reward, label: Reward}
        indicators:
          - id: jobless
            label: Unemployment rate
            domain: access
            direction: -1
            unit: percent
            period: "2024"
            source: Woods Labour Survey
            bounds: {status: stated, low: 2, high: 10}
          - id: pay
            label: Median weekly pay
            domain: reward
            direction: 1
            unit: GBP_per_week
            period: "2024"
            source: Woods Pay Survey
            bounds: {from: data}

    Alder scores ``1 + 99 (10 - 4) / (10 - 2) = 75.25`` on access and ``1 + 99 (500 - 400) / (500 - 400) = 100`` on
    reward, 175.25 in total. The standard error of its rate is ``(5 - 3) / 3.92 = 0.51``; pay, which has no limits,
    is taken as exact.
    """
    raw, missing = _read_files(folder)
    checked = _check(folder, raw, missing)
    here, there = folder.resolve(), out.resolve()
    if here == there or there in here.parents:
        raise OutputError(f"{out} holds the tables themselves. Choose another place with --out.")
    with new_folder(out, EDITION) as fresh:
        files = {name: _text(content) for name, content in raw.items()} | {INDEX: checked.definition}
        for name, text in files.items():
            (fresh / name).write_bytes(text)
        spec = _read_spec(fresh / INDEX)
        record = {
            "schema": SCHEMA,
            "id": spec.id,
            "title": spec.title,
            "areas": len(checked.areas),
            "indicators": list(spec.indicator_ids),
            "bounds_from_data": checked.from_data,
            "notes": list(_notes(spec, checked)),
            "files": {name: {"bytes": len(text), "sha256": _sha256(text)} for name, text in files.items()},
        }
        (fresh / LANDMARK).write_text(json_text(record), encoding="utf-8")
    return load_user_edition(out, str(out))


def load_user_edition(folder: Path, name: str) -> Edition:
    """Load an edition that `build_edition` wrote.

    Parameters
    ----------
    folder : Path
    name : str
        What the edition is called in results: as the caller named the folder.

    Raises
    ------
    DataError
        If a file of it has changed since, or it was written by another version of the toolkit.
    """
    _verified(folder)
    record = (folder / LANDMARK).read_bytes()
    return _load(folder.resolve(), name, _sha256(record))


@lru_cache(maxsize=8)
def _load(folder: Path, name: str, _record: str) -> Edition:
    """Load an edition once for each record of it, so that results that are kept for it are found again."""
    draft = read_edition_folder(folder)
    domains = domain_scores(draft.spec, draft.values)
    total = domains.sum(axis=1)
    return Edition(
        name=name,
        spec=draft.spec,
        areas=draft.areas,
        domain_scores=own(domains),
        total=own(total),
        rank=own(descending_rank(np.round(total, 9))),
        values=own(draft.values),
        period=some(sorted({indicator.period for indicator in draft.spec.indicators})),
        published=False,
        level_errors=own(draft.errors),
        notes=draft.notes,
    )


def read_edition_folder(folder: Path) -> Draft:
    """Read the tables of an edition that `build_edition` wrote, once their hashes are found to match.

    Raises
    ------
    DataError
        As `load_user_edition`.
    """
    raw = _verified(folder)
    try:
        checked = _check(folder, raw, [])
    except EditionError as error:
        what = f"{folder} was built by another version of the toolkit and does not pass its checks now"
        raise DataError(f"{what} ({error.problems[0].what}). {AGAIN}") from error
    spec = _read_spec(folder / INDEX)
    return Draft(spec, checked.areas, checked.values, checked.errors, _notes(spec, checked))


@dataclass(frozen=True, eq=False)
class _Checked:
    """What the checks of a folder give: tables, the definition with all bounds as numbers, and what was assumed."""

    areas: Areas
    values: Floats
    errors: Floats
    definition: bytes
    from_data: list[str]
    working_age: bool


def _read_files(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder. Give the folder that holds {', '.join(NEEDED)}.")
    raw, missing = {}, []
    for name in FILES:
        try:
            raw[name] = _bytes(folder / name)
        except FileNotFoundError:
            if name in NEEDED:
                what, fix = "the file is missing", f"a folder of an edition holds {', '.join(NEEDED)}"
                missing.append(Problem(shown(folder / name), 0, 0, "error", "", what, fix))
        except OSError as error:
            what = f"the file cannot be read ({error.strerror})"
            missing.append(Problem(shown(folder / name), 0, 0, "error", "", what, "mend its permissions"))
    return raw, missing


def _bytes(path: Path) -> bytes:
    """Return what a file holds, if it is one and holds no more than any edition could."""
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "not a regular file")
    with path.open("rb") as file:
        found = file.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise OSError(EFBIG, f"over {MOST_BYTES // 10**6} MB")
    return found


def _check(folder: Path, raw: dict[str, bytes], missing: list[Problem]) -> _Checked:
    """Check all files of a folder; raise EditionError with every fault."""
    found = list(missing)
    content, faults = read_definition(shown(folder / INDEX), raw.get(INDEX, b"")) if INDEX in raw else ({}, [])
    found += faults
    odd = [fault for name in raw if name != INDEX for fault in cell_faults(shown(folder / name), raw[name])]
    if odd:  # told alone: what else is wrong may come of it
        raise EditionError(folder, found + odd)
    sheets = {name: read_sheet(name, shown(folder / name), text) for name, text in raw.items() if name.endswith(".csv")}
    areas = read_areas(_whole(sheets, "areas.csv"))
    if 0 < len(areas) < TOO_FEW:
        sheets["areas.csv"].fault(0, 0, "one area cannot be compared with any other", "add the other areas")
    indicators = _whole(sheets, "indicators.csv")
    asked = asked_of(content)
    # Without areas or without a definition every row of the others would be a fault: those are named first.
    readable = len(areas) > 0 and bool(asked)
    values, errors = read_values(indicators, areas.code, asked) if readable else (np.empty((0, 0)),) * 2
    if len(areas) > 0 and "borders.csv" in sheets:
        areas = replace(areas, borders=own(read_borders(_whole(sheets, "borders.csv"), areas.code)))
    found += [problem for sheet in sheets.values() for problem in sheet.problems]
    if found:
        raise EditionError(folder, found)
    filled, from_data = with_bounds(content, values)
    working_age = "population_16_64" in sheets["areas.csv"].header
    return _Checked(areas, values, errors, yaml_bytes(filled), from_data, working_age)


def _whole(sheets: dict[str, Sheet], name: str) -> Sheet:
    """Return a sheet whose header is sound, or one without rows."""
    return sheets[name] if name in sheets and sheets[name].rows else Sheet(name)


def _read_spec(path: Path) -> IndexSpec:
    """Read a definition as it is now (not as it was kept), with its sampling errors from the limits."""
    spec = read_index.__wrapped__(path)
    return replace(spec, indicators=tuple(replace(one, sampling=dict(LIMITS)) for one in spec.indicators))


def _notes(spec: IndexSpec, checked: _Checked) -> tuple[str, ...]:
    notes = [f"An edition of your own, not the Monitor: {spec.title}, {spec.publisher}."]
    exact = np.isnan(checked.errors).sum(axis=0).tolist()
    for name, number in zip(spec.indicator_ids, exact, strict=True):
        if number:
            few = number < len(checked.areas)
            where = f"no limits in {number} of {len(checked.areas)} areas" if few else "no limits"
            notes.append(f"'{name}' has {where}: taken as exact there.")
    for one, level in zip(spec.indicators, checked.values.T, strict=True):
        low, high = one.bounds
        beyond = int(((level < low) | (level > high)).sum())
        if beyond:
            notes.append(
                f"'{one.id}' lies beyond its stated bounds in {beyond} of {len(level)} areas: scores beyond the scale."
            )
    if not checked.working_age:
        notes.append("population_16_64 is not given: taken equal to population.")
    gaps = int(np.isnan(checked.areas.deprivation).sum())
    if gaps:
        notes.append(f"deprivation is not given for {gaps} of {len(checked.areas)} areas.")
    return tuple(notes)


def _verified(folder: Path) -> dict[str, bytes]:
    """Return the files of an edition as bytes, once they are found as they were written."""
    try:
        record = json.loads(_bytes(folder / LANDMARK).decode("utf-8"))
        listed = {str(name): str(entry["sha256"]) for name, entry in record["files"].items()}
        known = record["schema"] == SCHEMA and {*NEEDED} <= {*listed} <= {*FILES}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{folder / LANDMARK} cannot be read as the record of an edition. {AGAIN}") from error
    if not known:
        raise DataError(f"{folder / LANDMARK} is not the record of an edition ({SCHEMA}). {AGAIN}")
    raw = {}
    for name in (name for name in FILES if name in listed or (folder / name).exists()):
        try:
            raw[name] = _bytes(folder / name)
        except OSError as error:
            raise DataError(f"{folder / name} cannot be read ({error.strerror}). {AGAIN}") from error
    changed = [name for name, content in raw.items() if listed.get(name) != _sha256(content)]
    if changed:
        raise DataError(f"{folder}: {some(changed)} changed since the edition was built. {AGAIN}")
    return raw


def _text(content: bytes) -> bytes:
    """Return a file without the mark that some programs put before UTF-8."""
    return content.removeprefix(b"\xef\xbb\xbf")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
