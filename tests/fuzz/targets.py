"""What a fuzzer drives: for each reader a function of bytes that fails on anything but an answer or a clear error.

What is sound is read a second time by the plain readers of `fuzz.second`: no figure, key or row may be lost or changed.

An input is text of one or more parts, apart by a line of ``%%``: tables of an edition, or the words of a command and
its panel. Nothing here needs a fuzzer: the same functions replay the inputs that are kept.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.kept_run import run_folder
from fuzz.second import hidden_in, same_edition, same_json, same_numbers, same_panel, same_yaml
from gwm_models.cli.check import summary_line
from gwm_models.cli.evaluate import _spec
from gwm_models.data.user_editions import NEEDED, EditionError, build_edition
from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.errors import GwmError, Problem
from gwm_models.evaluation.panel import read_panel
from gwm_models.evaluation.panel_design import read_spec
from gwm_models.explore.bodies import form_in, read_json
from gwm_models.explore.forms import check_file, check_form, form_of
from gwm_models.explore.guard import Refused
from gwm_models.explore.project import check as check_sent
from gwm_models.explore.project import read as read_sent
from gwm_models.report.rerun import read_run
from gwm_models.report.run_folder import resolved_yaml
from gwm_models.scenarios.reader import check_scenario

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
CORPUS = HERE / "corpus"
BREAK = b"\n%%\n"
LONGEST, MOST_LINES = 6_000, 250
"""Of a message, in characters and lines: what a person can still read to the end."""
PANEL_WORDS = (
    *("--unit", "--time", "--outcome", "--treated", "--start", "--design", "--donors", "--exclude", "--population"),
    *("--covariates", "--inference", "--missing", "--family", "--seasonality", "--period"),
)
NEEDED_WORDS = ("--time", "--outcome", "--design")


def scenario(raw: bytes) -> None:
    """Check a scenario file; what is sound reads back as the same scenario from the file that a run keeps."""
    path = _place() / "scenario.yaml"
    path.write_bytes(raw)
    found, problems = check_scenario(path)
    _clear(map(str, problems))
    errors = [problem for problem in problems if problem.severity == "error"]
    assert (found is None) == bool(errors), problems
    assert all(problem.line and problem.column for problem in errors if _has_a_place(problem)), problems
    if found is not None:
        _clear([summary_line(found, problems)])
        content = found.model_dump(mode="json", by_alias=True)
        assert not hidden_in(content)
        same_yaml(raw, content)
        path.write_text(resolved_yaml(found), encoding="utf-8")
        again, problems = check_scenario(path)
        assert again == found, problems


def edition(raw: bytes) -> None:
    """Build an edition from four tables; what is refused leaves nothing, what is sound has a score for every area."""
    folder, made = _place() / "land", _place() / "made"
    folder.mkdir(exist_ok=True)
    parts = raw.split(BREAK)
    for name, part in zip((*NEEDED, "borders.csv"), [*parts, *[None] * 4][:4], strict=True):
        (folder / name).unlink(missing_ok=True)
        if part is not None:
            (folder / name).write_bytes(part)
    try:
        found = build_edition(folder, made)
    except EditionError as error:
        assert not made.exists()
        _clear(map(str, error.problems))
        return
    for file in made.iterdir():
        file.unlink()
    made.rmdir()
    assert len(found.areas) > 1 and np.isfinite(found.total).all(), found.total
    assert sorted(found.rank.tolist())[0] == 1
    assert not hidden_in([found.spec.title, *found.notes, *found.areas.code, *found.areas.name, *found.areas.region])
    same_edition(found, *[*parts, None][:4])


def panel(raw: bytes) -> None:
    """Read a panel as the words of a command say; what is sound is a matrix of finite figures and gaps."""
    words, _, content = raw.partition(BREAK)
    path = _place() / "panel.csv"
    path.write_bytes(content)
    given = _words_of(words.decode("utf-8", "replace"))
    if given is None:
        return
    try:
        asked = _spec(path, given, None, None)
        columns = read_spec(asked)
        found = read_panel(columns, unit=asked.column, time=asked.time, outcome=asked.outcome)
    except GwmError as error:
        _clear(str(error).splitlines() or [""])
        return
    assert found.value.shape == (len(found.unit), len(found.time)) and not np.isinf(found.value).any()
    assert len(set(found.unit)) == len(found.unit) and len(set(found.time)) == len(found.time)
    assert not hidden_in([*found.unit, *map(str, found.time)])
    same_panel(found, content, asked)
    if asked.start is not None:
        assert 0 < found.start_column(asked.start) < len(found.time)


def _words_of(line: str) -> dict[str, Any] | None:
    """Return the options of a command line, or None where it is none: that is refused before a panel is read."""
    try:
        told = shlex.split(line)
    except ValueError:
        return None
    given: dict[str, Any] = dict.fromkeys(PANEL_WORDS)
    given |= {name: value for name, value in zip(told[::2], told[1::2], strict=False) if name in given}
    period = given["--period"]
    if period is not None:
        given["--period"] = int(period[:9]) if period.isascii() and period[:9].isdigit() else None
    return given if all(given[name] is not None for name in NEEDED_WORDS) else None


def manifest(raw: bytes) -> None:
    """Read the folder of a run with this manifest; what is sound keeps hashes of both files of numbers."""
    path = _run_folder() / "manifest.json"
    path.write_bytes(raw)
    try:
        _, then, checked, hashes = read_run(path)
    except GwmError as error:
        _clear(str(error).splitlines() or [""])
        return
    assert checked.scenario.id == "any" and all(len(found) == 64 for found in hashes.values())
    json.dumps(then, ensure_ascii=False, allow_nan=False).encode("utf-8")
    same_json(raw, then)


def form(raw: bytes) -> None:
    """Answer a request of the page; a sound form gives a file that is sound and gives the form again."""
    try:
        body = read_json(raw)
        if isinstance(body, dict) and set(body) == {"yaml"} and isinstance(body["yaml"], str):
            told = json.loads(read_sent(body["yaml"], EDITION))
            sent = told["form"]
        else:
            [sent] = form_in(body, "form")
            told = json.loads(check_sent(sent, EDITION))
    except Refused as error:
        _clear([error.words])
        return
    _clear(f"{problem['path']}: {problem['what']}. Fix: {problem['fix']}" for problem in told["findings"])
    if sent is None or not told.get("ok", True):
        return
    found = check_form(sent, EDITION)
    assert found.scenario is not None, found.problems
    again = check_file(found.yaml, EDITION).scenario
    assert again == found.scenario == check_form(form_of(found.scenario), EDITION).scenario
    same_numbers(sent, form_of(found.scenario))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "scenario": scenario,
    "edition": edition,
    "panel": panel,
    "manifest": manifest,
    "form": form,
}
EDITION = load_vocabulary().edition


def _clear(lines: Iterable[str]) -> None:
    """Expect lines that a terminal shows as they are, none of them too long to be read."""
    told = list(lines)
    assert len(told) <= MOST_LINES, len(told)
    for line in told:
        assert line.isprintable() and len(line) <= LONGEST, ascii(line[:200])


def _has_a_place(problem: Problem) -> bool:
    """Tell whether a fault is of something in the file, and not of the file or of what it lacks."""
    return bool(problem.path) and not problem.what.startswith("missing key")


@lru_cache(maxsize=1)
def _holder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder of this process, in memory where there is one; it goes with the process."""
    memory = Path("/dev/shm")  # noqa: S108
    return tempfile.TemporaryDirectory(prefix="gwm-fuzz.", dir=memory if os.access(memory, os.W_OK) else None)


def _place() -> Path:
    return Path(_holder().name)


@lru_cache(maxsize=1)
def _run_folder() -> Path:
    return run_folder(_place() / "run")


def kept_inputs(name: str) -> list[bytes]:
    """Return the inputs that are kept for a target: a line each, bytes outside ASCII and ends of lines escaped."""
    lines = [line for file in sorted((CORPUS / name).glob("*.txt")) for line in file.read_text("ascii").splitlines()]
    return [as_bytes(line) for line in lines if line and not line.startswith("# ")]


def as_bytes(line: str) -> bytes:
    r"""Return an input from its line.

    Examples
    --------
    >>> as_bytes(as_line(b"a: \\n\n\xff")) == b"a: \\n\n\xff"
    True
    """
    return line.encode("ascii").decode("unicode_escape").encode("latin-1")


def as_line(raw: bytes) -> str:
    """Return an input as a line of ASCII."""
    line = raw.decode("latin-1").encode("unicode_escape").decode("ascii")
    return f"\\x{ord(line[0]):02x}{line[1:]}" if line.startswith("#") else line
