"""What a fuzzer starts from: files of the kind that each reader is for, sound and broken."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from made_up_country import country
from scenario_corpus import BROKEN, OK

from fuzz.kept_run import KEPT
from fuzz.targets import BREAK, EDITION
from gwm_models.explore.forms import form_of
from gwm_models.scenarios.reader import check_scenario, shipped_scenarios


def scenarios(_: Path) -> list[bytes]:
    """Return every shipped scenario file, and those of the tests."""
    return [path.read_bytes() for path in (*shipped_scenarios().values(), *OK, *BROKEN)]


def editions(place: Path) -> list[bytes]:
    """Return a small made-up country, and one without what may be left out."""
    found = []
    for number, options in enumerate(({}, {"working_age": False}, {"regions": ("All",)})):
        folder = country(place / str(number), **options)
        tables = {file.name: file.read_text("utf-8").splitlines() for file in folder.iterdir()}
        few = [line for line in tables["indicators.csv"] if line[:3] in ("are", "Z00", "Z01", "Z02", "Z03")]
        parts = (tables["index.yaml"], tables["areas.csv"][:5], few, tables["borders.csv"][:4])
        found.append(BREAK.join("\n".join(lines).encode() for lines in parts[: 4 - number % 2]))
    return found


def panels(_: Path) -> list[bytes]:
    """Return a panel for each design, with times of several forms."""
    found = []
    years, quarters, months = ("2001", "2002", "2003"), ("2001Q1", "Q2 2001", "2001-Q3"), ("2001-01", "2001-02")
    for mark, times, start in ((",", years, "2002"), (";", quarters, "2001Q2"), ("\t", months, "2001-02")):
        rows = [
            f"{unit},{time},{i + j}.5,{100 + i},2002" for i, unit in enumerate("ABC") for j, time in enumerate(times)
        ]
        table = "\n".join(["area,year,rate,people,first", *rows]).replace(",", mark)
        columns = "--unit area --time year --outcome rate"
        for design in ("sc", "did", "its", "structural", "event-study"):
            words = f"{columns} --treated A --start {start} --design {design} --population people"
            found.append(words.encode() + BREAK + table.encode())
        words = f"{columns} --treated first --design staggered --covariates people"
        found.append(words.encode() + BREAK + table.encode())
    series = b"year,rate\n2001,1\n2002,NA\n2003,2\n"
    return [*found, b"--time year --outcome rate --start 2002 --design its" + BREAK + series]


def manifests(_: Path) -> list[bytes]:
    """Return the manifest of a run, of a search, and of a run of an earlier version."""
    early = {name: value for name, value in KEPT.items() if not name.startswith(("code", "results"))}
    goal = KEPT | {"kind": "goal", "file": "question.yaml"}
    return [json.dumps(content, indent=1).encode() for content in (KEPT, early, goal)]


def forms(_: Path) -> list[bytes]:
    """Return the form of every sound scenario file, and some files as they are sent to be read."""
    found = []
    for path in (*shipped_scenarios().values(), *OK):
        scenario = check_scenario(path)[0]
        if scenario is not None and scenario.baseline.edition == EDITION:
            found.append(json.dumps({"form": form_of(scenario)}).encode())
            found.append(json.dumps({"yaml": path.read_text("utf-8")}).encode())
    return found


SEEDS: dict[str, Callable[[Path], list[bytes]]] = {
    "scenario": scenarios,
    "edition": editions,
    "panel": panels,
    "manifest": manifests,
    "form": forms,
}
