"""Inputs that a fuzzer found are read as they should be, and the fuzzer itself runs where it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import is_dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from fuzz import run
from fuzz.kept_run import KEPT, PLAIN
from fuzz.second import same_json, same_numbers
from fuzz.seeds import SEEDS
from fuzz.targets import BREAK, CORPUS, TARGETS, as_bytes, as_line, kept_inputs
from hypothesis import given
from hypothesis import strategies as st

SECONDS = int(os.environ.get("GWM_FUZZ_SECONDS", "60"))
"""For each target in the slow suite; a search worth its name takes 600 and more."""


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_that_is_kept_is_answered_or_refused_clearly(name):
    kept = kept_inputs(name)
    assert len(kept) >= 10, f"the corpus of {name} is gone"
    for raw in kept:
        TARGETS[name](raw)


def test_the_corpus_is_small_and_text():
    files = list(CORPUS.rglob("*.txt"))
    assert {path.parent.name for path in files} == {*TARGETS} == {*SEEDS} == {*run.NAMES}
    assert sum(path.stat().st_size for path in files) < 200_000
    assert all(path.read_bytes().isascii() for path in files)


@given(st.binary(max_size=60))
def test_an_input_is_kept_as_one_line_and_read_back(raw):
    line = as_line(raw)
    assert line.isascii() and line.isprintable() and not line.startswith("#")
    assert as_bytes(line) == raw


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("scenario", b"schema: gwm-scenario/1\n"),
        ("panel", b"--unit a --time t --outcome y --treated A --start 2 --design did" + BREAK + b"a,t,y\nA,1,x\n"),
        ("manifest", b'{"schema": "gwm-manifest/1", "resolved_sha256": 5}'),
        ("form", b'{"form": {"id": 5}}'),
        ("edition", b"schema: x" + BREAK + b"area_code\n"),
    ],
)
def test_a_target_fails_on_what_is_no_clear_error(monkeypatch, name, raw):
    """A reader that breaks, and a message that hides something, are both found."""
    TARGETS[name](raw)
    from fuzz import targets

    def broken(*_: object, **__: object) -> None:
        raise KeyError("id")

    reader = {"scenario": "check_scenario", "edition": "build_edition", "panel": "read_spec"}
    reader |= {"manifest": "read_run", "form": "check_sent"}
    with monkeypatch.context() as patch:
        patch.setattr(targets, reader[name], broken)
        with pytest.raises(KeyError):
            TARGETS[name](raw)
    monkeypatch.setattr(targets, "LONGEST", 10)
    with pytest.raises(AssertionError):
        TARGETS[name](raw)


PANEL = b"--unit a --time t --outcome y --treated A --start 2 --design did" + BREAK + b"a,t,y\nA,1,5\nA,2,6\n"
LOSSES = {
    "another year": ("scenario", "check_scenario", lambda told: (with_part(told[0], "horizon", end=2028), told[1])),
    "a title that turns": (
        "scenario",
        "check_scenario",
        lambda told: (told[0].model_copy(update={"title": "a\u202e"}), told[1]),
    ),
    "another level": ("edition", "build_edition", lambda told: replace(told, values=told.values + 1e-9)),
    "another name": ("edition", "build_edition", lambda told: with_part(told, "areas", name=told.areas.name[::-1])),
    "a row less": ("panel", "read_spec", lambda told: {name: column[1:] for name, column in told.items()}),
    "another figure": ("panel", "read_spec", lambda told: told | {"y": [5.0, 6.5]}),
    "another time": ("panel", "read_spec", lambda told: told | {"t": [1, 20]}),
    "another seed": ("manifest", "read_run", lambda told: (told[0], told[1] | {"seed": 7}, *told[2:])),
}


def with_part(whole, name, /, **changed):
    """Return a scenario or an edition with a change in one of its parts."""
    part = getattr(whole, name)
    if is_dataclass(whole):
        return replace(whole, **{name: replace(part, **changed)})
    return whole.model_copy(update={name: part.model_copy(update=changed)})


@pytest.mark.parametrize("loss", LOSSES)
def test_a_target_fails_on_an_answer_that_is_not_what_the_file_says(monkeypatch, tmp_path, loss):
    from fuzz import targets

    name, reader, change = LOSSES[loss]
    sound = {"scenario": PLAIN.encode(), "panel": PANEL, "manifest": json.dumps(KEPT).encode()}
    raw = sound[name] if name in sound else SEEDS[name](tmp_path)[0]
    TARGETS[name](raw)
    read = getattr(targets, reader)
    monkeypatch.setattr(targets, reader, lambda *asked: change(read(*asked)))
    with pytest.raises(AssertionError):
        TARGETS[name](raw)


def test_a_name_that_does_not_show_is_noticed_in_a_sound_answer(monkeypatch):
    raw = PANEL + "B\u202e,1,3\nB\u202e,2,4\n".encode()
    TARGETS["panel"](raw)
    monkeypatch.setattr("gwm_models.evaluation.table_file._check_texts", lambda *_: None)
    with pytest.raises(AssertionError):
        TARGETS["panel"](raw)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"a": {"b": 1}}, {"a": {}}),
        ({"a": "b"}, {}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": [{"b": 1}, 2]}, {"a": [{"b": 1}, 3]}),
        ({"a": True}, {"a": False}),
        ({"a": 1.5}, {"a": 1.6}),
        ({"a": 1.5}, {"a": None}),
        ({"a": "1_0"}, {"a": 10}),
    ],
)
def test_a_number_a_switch_or_a_key_that_is_lost_is_noticed(told, found):
    same_numbers(told, told)
    with pytest.raises(AssertionError):
        same_numbers(told, found)


def test_a_key_given_twice_is_noticed_and_a_name_spelled_otherwise_is_none():
    same_numbers({"a": ".5e3", "areas": ["Hull"], "b": None}, {"a": 500.0, "areas": ["E06000010"]})
    with pytest.raises(AssertionError, match="a"):
        same_json(b'{"a": 1, "a": 2}', {"a": 2})


def test_an_input_that_takes_too_long_or_too_much_is_kept_as_one_that_breaks(tmp_path, monkeypatch):
    import resource

    def hang(raw: bytes) -> None:
        while raw:
            with suppress(Exception):
                raw = bytes(raw)

    monkeypatch.setattr(run, "MOST_SECONDS", 0.05)
    run.lasting(hang, tmp_path)(b"slow")
    peaks = iter((100, 100 + run.MOST_GROWTH, 700, 700))
    monkeypatch.setattr(resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=1024 * next(peaks, 0)))
    monkeypatch.setattr(run, "MOST_SECONDS", 5)
    for raw in (b"large", b"small"):
        run.lasting(lambda _: None, tmp_path)(raw)
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"large", b"slow"]


def test_changes_of_an_input_follow_from_the_seed_and_stay_short(tmp_path):
    change = run.mutator(lambda raw, most: raw[:most])
    for name in ("edition", "panel", "manifest"):
        raw = SEEDS[name](tmp_path / name)[0]
        found = [change(raw, 3000, seed) for seed in range(20)]
        assert found == [change(raw, 3000, seed) for seed in range(20)]
        assert len({*found}) > 5 and max(map(len, found)) <= 3000, name


def test_inputs_are_cut_down_to_those_that_reach_more(tmp_path, monkeypatch):
    from fuzz import targets

    monkeypatch.setattr(targets, "CORPUS", tmp_path / "corpus")
    folder = tmp_path / "found"
    folder.mkdir()
    good, same = json.dumps(KEPT).encode(), json.dumps(KEPT | {"seed": 7}).encode()
    for number, raw in enumerate((b"[]", b"[ ]", good, same, b"{")):
        (folder / str(number)).write_bytes(raw)
    run.keep("manifest", folder)
    kept = [as_bytes(line) for line in (tmp_path / "corpus" / "manifest" / "found.txt").read_text().splitlines()]
    assert b"{" in kept and len({good, same} & {*kept}) == 1 and len({b"[]", b"[ ]"} & {*kept}) <= 1
    for path in folder.iterdir():
        path.rename(folder / f"{run.SEED}{path.name}")
    run.keep("manifest", folder)
    again = (tmp_path / "corpus" / "manifest" / "found.txt").read_text().splitlines()
    assert [as_bytes(line) for line in again] == kept


def test_a_target_that_breaks_goes_on_and_keeps_the_shortest_input_for_each_place(tmp_path):
    def target(raw: bytes) -> None:
        if raw.startswith(b"a"):
            raise KeyError
        if raw.startswith(b"b"):
            raise ValueError

    lasting = run.lasting(target, tmp_path)
    for raw in (b"along", b"a", b"b", b"along"):
        lasting(raw)
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"a", b"b"]


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_fuzzer_guided_by_coverage_breaks_no_promise(name):
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed (pip install atheris)")
    words = [sys.executable, Path(run.__file__), name, "--seconds", str(SECONDS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    runs = int(done.stdout.split(": ", 1)[1].split()[0])
    assert runs > len(kept_inputs(name)), done.stdout
