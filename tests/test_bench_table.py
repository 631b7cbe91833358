"""The command of benchmarks: its arithmetic, its refusals, what it writes, and the ratios that the README quotes."""

from __future__ import annotations

import csv
import getpass
import json
import platform
import re
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "bench"))

import columns
import pairs
import promises
import quotes
import table

from gwm_models.errors import OutputError
from gwm_models.files import csv_text


def contest(ours, theirs, answers=(1.0, 1.0), warm=True):
    """Return a contest whose turns cost what the lists say, in their order."""
    left, right = iter(ours), iter(theirs)
    return pairs.Contest(
        ours=lambda: (next(left), answers[0]),
        theirs=lambda: (next(right), answers[1]),
        difference=lambda own, other: abs(own - other),
        warm=warm,
    )


def pair(made, **changes):
    known = pairs.Pair("made-up", "nothing", "1 area", "one number", "python", lambda quick: made, 0.1, rounds=3)
    return replace(known, **changes)


@pytest.fixture
def alone(monkeypatch):
    """Let the command know the given pairs only, and leave this process as it is."""
    monkeypatch.setattr(table, "prepare", lambda: None)
    return lambda *known: monkeypatch.setattr(table, "all_pairs", lambda: list(known))


# The harness


def test_ratio_median_and_spread_by_hand():
    """The first turns warm up; then ratios are 10 / 2, 12 / 4 and 30 / 3, medians 12 and 3."""
    row = pairs.measure(pair(contest([99, 2, 4, 3], [1, 10, 12, 30])))
    assert (row["ours_median"], row["ours_min"], row["ours_max"]) == (3, 2, 4)
    assert (row["theirs_median"], row["theirs_min"], row["theirs_max"]) == (12, 10, 30)
    assert (row["ratio"], row["ratio_min"], row["ratio_max"]) == (4, 3, 10)
    assert (row["status"], row["rounds"], row["difference"]) == ("measured", 3, 0)
    assert row["peer_version"] == ".".join(map(str, sys.version_info[:3]))


def test_turns_alternate_and_begin_with_the_peer():
    order = []
    sides = {name: (lambda name=name: (order.append(name), (1.0, 0.0))[1]) for name in ("ours", "theirs")}
    pairs.measure(pair(pairs.Contest(**sides, difference=lambda own, other: 0.0), rounds=2))
    assert order == ["theirs", "ours"] * 3


def test_a_costly_first_turn_counts_as_a_round_where_nothing_has_to_warm_up():
    row = pairs.measure(pair(contest([2, 2], [6, 10], warm=False), rounds=2))
    assert (row["ratio"], row["ratio_min"], row["ratio_max"], row["rounds"]) == (4, 3, 5, 2)


def test_short_work_is_repeated_and_its_cost_is_that_of_once(monkeypatch):
    clock, calls = [0.0], []
    monkeypatch.setattr(pairs.time, "process_time", lambda: clock[0])

    def work():
        calls.append(None)
        clock[0] += 0.001
        return "done"

    turn = pairs.timed(work)
    assert turn() == (pytest.approx(0.001), "done") and len(calls) == 1
    assert turn()[0] == pytest.approx(0.001) and len(calls) > 15


@pytest.mark.parametrize("answers", [(1.0, 1.2), (1.0, float("nan"))])
def test_answers_that_differ_stop_the_pair_before_it_is_timed(answers):
    row = pairs.measure(pair(contest([1], [1], answers)))
    assert row["status"] == "answers differ"
    assert row["ratio"] is None and row["ours_median"] is None


def test_answers_that_differ_end_the_command_with_1_and_are_told(alone, tmp_path, capsys):
    alone(pair(contest([1], [1], (1.0, 1.5))), pair(contest([1] * 4, [2] * 4), name="fine"))
    assert table.main(["--only", "peers", "--out", str(tmp_path / "out")]) == 1
    assert "answers differ" in capsys.readouterr().out
    found = quotes.read_rows(tmp_path / "out" / "peers.csv")
    assert (found["made-up"]["status"], found["made-up"]["difference"]) == ("answers differ", "0.5")
    assert (found["fine"]["status"], found["fine"]["ratio"]) == ("measured", "2.0")


def missing_module(quick):
    raise ImportError("No module named 'elsewhere'")


def missing_data(quick):
    raise pairs.DataNotHereError("no such table")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"peer": "no-such-distribution"}, "not installed"),
        ({"build": missing_module}, "not installed: No module named 'elsewhere'"),
        ({"build": missing_data}, "no data: no such table"),
    ],
)
def test_what_is_missing_is_a_row_and_no_failure(alone, capsys, changes, status):
    alone(pair(contest([1], [1]), **changes))
    assert table.main(["--only", "peers", "--quick"]) == 0
    assert "made-up" in capsys.readouterr().out
    assert pairs.measure(pair(None, **changes))["status"] == status


# Promises


@pytest.mark.parametrize(
    ("ours", "yardstick", "stretch", "kept"),
    [
        ((0.4, 0.9), (0.1, 0.1, 0.1), 1.0, True),  # the quickest round counts
        ((0.6, 0.9), (0.1, 0.1, 0.1), 1.0, False),
        ((0.6, 0.9), (0.2, 0.2, 0.3), 2.0, True),  # all of the machine is half as quick
        ((0.6, 0.9), (0.1, 0.1, 0.3), 1.0, False),  # one slow moment is no excuse
        ((0.45, 0.9), (0.05, 0.05, 0.05), 1.0, True),  # a quicker machine has no less time
    ],
)
def test_a_promise_is_stretched_where_known_work_takes_longer_too(ours, yardstick, stretch, kept):
    found = promises.Kept(ours, yardstick, promised=0.5, known=0.1)
    assert (found.stretch, bool(found)) == (pytest.approx(stretch), kept)


@pytest.mark.parametrize(
    ("costs", "rounds", "kept"), [([9, 9, 1], 3, True), ([9, 9, 9, 1], 3, False), ([1, 9], 1, True)]
)
def test_a_promise_is_broken_only_after_further_rounds(costs, rounds, kept):
    """One round asked for, and two more before it counts as broken."""
    turns = iter(costs)

    def pedantic(work, setup, rounds):
        for _ in range(rounds):
            setup(), work()

    yardstick = promises.Yardstick(promises.SORT, lambda: 1e-9)
    benchmark, capsys = SimpleNamespace(pedantic=pedantic, extra_info={}), SimpleNamespace(disabled=nullcontext)
    found = promises.keep(benchmark, capsys, "made-up", lambda: next(turns), 5.0, yardstick, rounds=1)
    assert (bool(found), len(found.ours)) == (kept, rounds)


def test_the_length_of_a_yardstick_is_that_of_the_stored_limits():
    for known in (promises.SORT, promises.START):
        assert 0.001 < promises.Yardstick(known, lambda: 1.0).seconds() < 1


# What is written


def test_a_part_measured_alone_keeps_the_files_and_the_machine_of_the_other(tmp_path):
    out = tmp_path / "benchmarks"
    table.write_results(out, {"curves.csv": "size\n1\n"}, {"curves": {"cores": 2}})
    table.write_results(out, {"peers.csv": "pair\nx\n"}, {"peers": {"cores": 4}})
    assert sorted(path.name for path in out.iterdir()) == ["curves.csv", "machine.json", "peers.csv"]
    machine = json.loads((out / "machine.json").read_text("utf-8"))
    assert machine == {"schema": "gwm-benchmarks/1", "curves": {"cores": 2}, "peers": {"cores": 4}}


def test_curves_that_were_made_alone_are_no_reason_to_lose_the_table(tmp_path):
    (tmp_path / "curves.csv").write_text("size\n1\n")
    table.write_results(tmp_path, {"peers.csv": "pair\nx\n"}, {"peers": {}})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.csv", "machine.json", "peers.csv"]


def test_results_are_written_whole_or_not_at_all(alone, tmp_path, monkeypatch):
    out = tmp_path / "benchmarks"
    table.write_results(out, {"peers.csv": "old\n"}, {"peers": {}})
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError):
            table.write_results(out, {"peers.csv": "new\n"}, {"peers": {}})
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["benchmarks"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    alone(pair(None, build=lambda quick: pytest.fail("measured before the folder was looked at")))
    with pytest.raises(OutputError, match=r"thesis\.txt"):
        table.main(["--only", "peers", "--out", str(tmp_path / "mine")])


def test_the_machine_is_told_without_names_or_paths():
    found = table.machine()
    words = set(re.findall(r"[\w.-]+", json.dumps({**found, "versions": {}})))
    assert not words & {platform.node(), getpass.getuser()}
    assert str(Path.home()) not in json.dumps(found) and str(table.CHECKOUT) not in json.dumps(found)
    assert {"processor", "cores", "memory_gb", "system", "python", "versions", "date"} <= set(found)


def test_a_busy_machine_is_told_and_kept(alone, tmp_path, monkeypatch, capsys):
    alone(pair(contest([1] * 4, [2] * 4)))
    for busy in (0.1, 2.0):
        monkeypatch.setattr(table.os, "getloadavg", lambda busy=busy: (busy, 0.0, 0.0))
        assert table.main(["--only", "peers", "--quick", "--out", str(tmp_path / f"{busy:g}")]) == 0
        assert ("this machine is busy (load 2" in capsys.readouterr().err) == (busy == 2.0)
        assert json.loads((tmp_path / f"{busy:g}" / "machine.json").read_text("utf-8"))["peers"]["load_before"] == busy
        alone(pair(contest([1] * 4, [2] * 4)))


@pytest.mark.parametrize("name", sorted(columns.EXPLAINED))
def test_every_column_of_the_stored_tables_is_explained(checkout, name):
    with (checkout / "results" / "benchmarks" / name).open(encoding="utf-8", newline="") as lines:
        header = tuple(next(csv.reader(lines)))
    assert columns.unexplained(name, header) == []
    assert columns.unexplained(name, (*header, "made_up")) == ["made_up"]


# The stored table, and the README


@pytest.fixture(scope="module")
def stored(checkout):
    path = checkout / "results" / "benchmarks" / "peers.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        assert tuple(next(csv.reader(lines))) == pairs.COLUMNS
    return quotes.read_rows(path)


def test_the_stored_table_has_every_pair_that_the_command_knows_in_its_order(stored):
    known = table.all_pairs()
    assert len({one.name for one in known}) == len(known) > 20
    assert list(stored) == [one.name for one in known]
    for one in known:
        row = stored[one.name]
        assert [row[name] for name in ("compared", "size", "unit", "peer")] == [
            one.compared,
            one.size,
            one.unit,
            one.peer,
        ]


def test_every_stored_pair_was_measured_with_equal_answers(stored):
    for row in stored.values():
        assert row["status"] == "measured", row["pair"]
        assert float(row["difference"]) <= float(row["tolerance"])
        low, ratio, high = (float(row[name]) for name in ("ratio_min", "ratio", "ratio_max"))
        assert ratio == pytest.approx(float(row["theirs_median"]) / float(row["ours_median"]), rel=1e-3)
        assert 0 < low <= high
        assert row["peer_version"] and int(row["rounds"]) >= 3


def test_the_readme_quotes_only_ratios_of_the_stored_table(checkout, stored):
    assert quotes.faults((checkout / "README.md").read_text("utf-8"), stored) == []


def test_no_topic_of_the_help_claims_to_be_faster_than_anything(checkout):
    topics = sorted((checkout / "gwm_models" / "cli" / "topics").glob("*.md"))
    assert len(topics) > 5
    assert {path.name: quotes.claims(path.read_text("utf-8")) for path in topics} == {path.name: [] for path in topics}


# Quotes

ROWS = {
    "fast": {"ratio": "786.3", "status": "measured"},
    "slow": {"ratio": "0.5", "status": "measured"},
    "gone": {"ratio": "", "status": "not installed"},
}
GOOD = """Before, 7.

<!-- benchmarks -->
It is 790<!-- fast --> times as fast, or 2.0<!-- 1/slow --> as slow.

After 9.
"""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD, None),
        (GOOD.replace("790", "800"), "fast: the text says 800, the table 790"),
        (GOOD.replace("2.0<", "0.5<"), "slow: the text says 0.5, the table 2.0"),
        (GOOD.replace("-- fast", "-- gone"), "gone is no measured pair of the table"),
        (GOOD.replace("-- fast", "-- other"), "other is no measured pair of the table"),
        (GOOD.replace("<!-- fast -->", ""), "790 is quoted from no pair"),
        (GOOD + "It is 30 times as fast as R.\n", "'times as fast' outside the passage"),
        (GOOD.replace("Before, 7.", "Twice as fast."), "'Twice as fast' outside the passage"),
        (GOOD.replace("After 9.", "Nine times faster."), "'faster' outside the passage"),
        (GOOD.replace("<!-- benchmarks -->\n", ""), "there is no passage after a line '<!-- benchmarks -->'"),
    ],
)
def test_a_quote_that_is_not_the_ratio_of_the_table_is_found(text, fault):
    found = quotes.faults(text, ROWS)
    assert [fault is not None and one.startswith(fault) for one in found] == ([] if fault is None else [True])


def test_quotes_are_written_anew_from_the_table(tmp_path, capsys):
    place, source = tmp_path / "README.md", tmp_path / "peers.csv"
    place.write_text(GOOD.replace("790", "3"), encoding="utf-8")
    source.write_text(csv_text([{"pair": name, **row} for name, row in ROWS.items()]), encoding="utf-8")
    assert quotes.main([str(place), str(source)]) == 0
    assert place.read_text("utf-8") == GOOD
