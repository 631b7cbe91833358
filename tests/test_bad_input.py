"""Files made to do harm: each is refused soon, within little memory, in a line with its place and exit code 1."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.kept_run import KEPT, run_folder
from limited import Told, run_limited
from made_up_country import INDEX, country
from scenario_corpus import DESIGN, with_change

MOST_PEAK = 700
"""MB of memory for a whole process; its libraries alone take 100 to 250."""
MOST_SECONDS = 6
"""Of CPU for one command, many times what it takes."""
LAUGHS = "a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{f'*{chr(97 + i)}, ' * 9}]\n" for i in range(20))
DEEP = "x: " + "[" * 10_000 + "]" * 10_000
BIDI, HIDDEN, CYRILLIC = "\u202e", "\u200b", "\u0430"


def refused(told: Told, name: str, words: str) -> None:
    """Expect exit code 1, the words, lines that can be read, no traceback, and a bound on time and memory."""
    assert told.code == 1, (name, told.code, told.out[-600:])
    assert words in told.out, (name, told.out[:600])
    assert "Traceback" not in told.out and told.out.replace("\n", "").isprintable(), name
    assert all(len(line) <= 6_000 for line in told.out.splitlines()) and told.out.count("\n") <= 250, name
    assert told.seconds < MOST_SECONDS and told.peak < MOST_PEAK, (name, told.seconds, told.peak)


def design(old: str, new: str) -> str:
    return with_change(old, new)


SOUND = DESIGN.read_text(encoding="utf-8")
SCENARIOS: dict[str, tuple[str | bytes, str]] = {
    "aliases that multiply": (LAUGHS + SOUND, ":1:4: error: anchors and aliases (&name, *name) are not read"),
    "an anchor inside itself": (SOUND + "question: &q [*q]\n", "anchors and aliases"),
    "a merge key": (SOUND + "<<: {id: other}\n", "error: <<: unknown key '<<'"),
    "ten thousand levels": (SOUND + DEEP, ": error: is nested more than 50 deep"),
    "a million keys": ("".join(f"k{i}: 1\n" for i in range(1_000_000)), ": error: is larger than 1 MB"),
    "ten megabytes": (SOUND + "#" * 10_000_000, ": error: is larger than 1 MB"),
    "an infinite number": (
        design("value: 2.0", "value: 1e400"),
        "change.value: expected a finite number; found the number inf",
    ),
    "a number of 10,000 digits": (
        design("value: 2.0", f"value: {'9' * 10_000}"),
        "change.value: expected a finite number",
    ),
    "no number": (design("value: 2.0", "value: .nan"), "change.value: expected a finite number"),
    "a python object": (design("value: 2.0", "value: !!python/object/apply:os.system [ls]"), "tag '!!python/object"),
    "two documents": (f"{SOUND}\n---\n{SOUND}", ": error: a second document begins here"),
    "utf-16": (SOUND.encode("utf-16"), ": error: is UTF-16 text, not UTF-8"),
    "latin-1": (SOUND.encode() + b"# \xe9\n", "error: byte 0xe9 is not UTF-8 text"),
    "nul": (SOUND + "# \0\n", ": error: is binary, not text"),
    "right to left in an id": (design("id: northern", f"id: nor{BIDI}thern"), ":2:8: error: hidden character \\u202e"),
    "no width in an id": (design("id: northern", f"id: nor{HIDDEN}thern"), ":2:8: error: hidden character \\u200b"),
    "another alphabet in an id": (design("id: northern", f"id: nor{CYRILLIC}thern"), ":2:5: error: id: must be lower"),
    "a duplicate key": (SOUND + "id: other\n", "error: id: duplicate key 'id' (first at line 2)"),
    "a surrogate": (design("id: northern", 'id: "\\ud800northern'), "error: "),
}


def index(old: str, new: str) -> str:
    assert old in INDEX
    return INDEX.replace(old, new, 1)


AREAS = "area_code,area_name,region_name,population\n"
EDITIONS: dict[str, tuple[str, str | bytes, str]] = {
    "aliases that multiply": ("index.yaml", LAUGHS + INDEX, "index.yaml:1:4: error: anchors and aliases"),
    "an anchor inside itself": ("index.yaml", INDEX + "notes: &a [*a]\n", "index.yaml:34:8: error: anchors and"),
    "a merge key": ("index.yaml", index("- id: active", "- <<: {id: active}"), ":18:5: error: merge keys (<<)"),
    "ten thousand levels": ("index.yaml", INDEX + DEEP, "error: nested more than 30 deep"),
    "ten megabytes": ("index.yaml", INDEX + "#" * 10_000_000, ":1:1: error: the file has over 2 MB"),
    "100,000 keys": ("index.yaml", INDEX + "".join(f"k{i}: 1\n" for i in range(100_000)), "more than 20,000 values"),
    "a long text": ("index.yaml", index("Good", "x" * 10**5), "error: a text of 100,0"),
    "an infinite number": ("index.yaml", index("high: 20", "high: 1e400"), ":17:44: error: '1e400' is too large"),
    "a number of 10,000 digits": ("index.yaml", index("high: 20", f"high: {'9' * 10_000}"), ":17:44: error: '999"),
    "no number": ("index.yaml", index("high: 20", "high: .nan"), ":17:44: error: '.nan' is too large, or no number"),
    "a python object": ("index.yaml", index("high: 20", "high: !!python/name:os.system x"), ":17:44: error: tag '"),
    "a set": ("index.yaml", INDEX + "notes: !!set {a, b}\n", ":34:8: error: tag '"),
    "a directive": ("index.yaml", "%YAML 1.1\n---\n" + INDEX, "error: directives (%) are not read"),
    "a version that is none": ("index.yaml", "%YAML 1.20\n---\n" + INDEX, "error: version minor part"),
    "two documents": ("index.yaml", INDEX + "---\na: 1\n", ":34:1: error: but found another document"),
    "a duplicate key": ("index.yaml", INDEX + "title: x\n", ':34:1: error: found duplicate key "title"'),
    "a list as a key": ("index.yaml", INDEX + "? {a: b}\n: 1\n", ":34:3: error: found unhashable key"),
    "utf-16": ("index.yaml", INDEX.encode("utf-16"), "index.yaml:1:1: error: byte 0xff is not UTF-8"),
    "nul": ("index.yaml", INDEX + "notes: a\0b\n", ":34:9: error: hidden character \\x00"),
    "right to left in a title": ("index.yaml", index("Good", f"G{BIDI}ood"), ":3:9: error: hidden character \\u202e"),
    "an escape in a title": (
        "index.yaml",
        index("Good work", '"\\e[31m" #'),
        ":3:8: error: hidden character in a text",
    ),
    "a surrogate in a title": ("index.yaml", index("Good work", '"\\ud800" #'), ":3:8: error: hidden character in"),
    "a character that is none": ("index.yaml", index("Good work", '"\\U0011FFFF" #'), "error: chr() arg not in range"),
    "another alphabet in an id": ("index.yaml", index("- id: active", f"- id: {CYRILLIC}ctive"), "is not an id"),
    "a number for an id": ("index.yaml", index("- id: active", "- id: 1"), "'1' is not an id. Fix: use letters"),
    "a letter that shows as nothing": ("areas.csv", f"{AREAS}A,a\u3164,N,1\n", ":2:2: error: hidden character \\u3164"),
    "a field of a megabyte": (
        "areas.csv",
        f"{AREAS}A,{'x' * 10**6},N,1\nB,b,N,2\n",
        "areas.csv:2:1: error: the row is",
    ),
    "a long field": ("areas.csv", f"{AREAS}A,{'x' * 10**5},N,1\nB,b,N,2\n", ":2:2: error: a cell of 100,000 char"),
    "nul in a name": ("areas.csv", f"{AREAS}A,a\0,N,1\nB,b,N,2\n", "areas.csv:2:2: error: hidden character \\x00"),
    "right to left in a name": (
        "areas.csv",
        f"{AREAS}A,a{BIDI},N,1\nB,b,N,2\n",
        ":2:2: error: hidden character \\u202",
    ),
    "no width in a code": ("areas.csv", f"{AREAS}A{HIDDEN},a,N,1\nB,b,N,2\n", ":2:1: error: hidden character \\u200b"),
    "a line in a code": ("areas.csv", f'{AREAS}"A\nB",a,N,1\nB,b,N,2\n', "areas.csv:3:1: error: hidden character \\n"),
    "100,000 columns": ("areas.csv", ",".join("abcde" * 20_000), ":1:1: error: the first line has 100,000 columns"),
    "rows of many widths": ("areas.csv", f"{AREAS}A\nB,b,N,2,3,4\n\n", "areas.csv:2:1: error: the row has 1 cells"),
    "a column twice": ("areas.csv", AREAS.replace("region_name", "area_name"), ": error: the column area_name comes"),
    "an infinite population": (
        "areas.csv",
        f"{AREAS}A,a,N,1e999\nB,b,N,2\n",
        ":2:4: error: population: expected a num",
    ),
    "a population of 100 digits": (
        "areas.csv",
        f"{AREAS}A,a,N,{'9' * 100}\nB,b,N,2\n",
        "expected a number below 1e+15",
    ),
    "a quote that does not end": ("areas.csv", f'{AREAS}"{"x" * 10**7}', "areas.csv:2:1: error: the row is not CSV"),
    "latin-1": ("areas.csv", AREAS.encode() + b"A,K\xf6ln,N,1\n", "areas.csv:2:4: error: byte 0xf6 is not UTF-8"),
}


HEAD = "area,year,rate\n"
ROWS = "".join(f"{unit},{year},{i + j}\n" for i, unit in enumerate("ABCD") for j, year in enumerate(range(2001, 2007)))
PANELS: dict[str, tuple[str | bytes, str]] = {
    "a field of a megabyte": (f"{HEAD}{'x' * 10**6},2001,1\n", ".csv:2:1: cannot be read as CSV (field larger"),
    "nul in a unit": (HEAD + ROWS + "A\0,2001,1\n", ":26:1: error: area: 1 cell is with hidden characters ('A\\x00')"),
    "no width in a unit": (f"{HEAD}{ROWS}A{HIDDEN},2001,1\n", ":26:1: error: area: 1 cell is with hidden characters"),
    "right to left in a time": (f"{HEAD}{ROWS}A,{BIDI}2007,1\n", ":26:2: error: year: 1 cell is with hidden char"),
    "rows of many widths": (f"{HEAD}{ROWS}A\nA,2007,1,1,1\n", ":26:1: error: 2 lines without the 3 cells"),
    "a column twice": ("area,year,rate,rate\n" + ROWS, ":1:1: error: column rate stands twice in the header"),
    "a formula for a figure": (HEAD + ROWS + "A,2007,=1+1\n", ":26:1: error: rate: 1 cell is no finite number ('=1+1'"),
    "an infinite figure": (HEAD + ROWS + "A,2007,1e400\n", "error: rate: 1 cell is no finite number ('1e400'"),
    "a figure of 10,000 digits": (f"{HEAD}{ROWS}A,2007,{'9' * 10_000}\n", "error: rate: 1 cell is no finite number"),
    "a figure next to nothing": (HEAD + ROWS + "A,2007,5e-324\n", "write 0 or numbers of 1e-30 to 1e+30 in size"),
    "latin-1": (HEAD.encode() + b"K\xf6ln,2001,1\n", ".csv:2:2: is not UTF-8 text (byte 16)"),
    "utf-16": ((HEAD + ROWS).encode("utf-16"), ".csv:1:1: is not UTF-8 text (byte 0)"),
    "100,000 columns": (",".join(f"c{i}" for i in range(100_000)) + "\n1\n", ":1:1: error: there is no column 'area'"),
    "one name for 100,000 columns": (",".join("abcde" * 20_000) + "\n1\n", "column a, b, c and 2 more stands twice"),
    "nothing": (b"", "is empty; expected a header"),
    "zeros": (b"\0" * 100_000, "has a header and no rows"),
    "a unit twice": (HEAD + ROWS + "A,2001,1\n", "error: 1 unit-time is given twice (A at 2001"),
    "a year of 10,000 digits": (f"{HEAD}{ROWS}A,{'9' * 10_000},1\n", "error: year: mixes numbers and text"),
}


def evaluate(path: Path, out: Path) -> list[str | Path]:
    columns = ["--unit", "area", "--time", "year", "--outcome", "rate"]
    design = ["--treated", "A", "--start", "2004", "--design", "did"]
    return ["evaluate", "--panel", path, *columns, *design, "--out", out]


def manifest(**entries: object) -> str:
    return json.dumps(KEPT | entries, indent=1)


MANIFESTS: dict[str, tuple[str | bytes, str]] = {
    "ten thousand levels": ("[" * 10_000 + "]" * 10_000, "cannot be read as a manifest (it is nested too deep)"),
    "ten megabytes": (manifest(command="x" * 10_000_000), "has over 4 MB"),
    "a list": ("[]", "is not the manifest of a run"),
    "half a file": (manifest()[:-40], "manifest.json:25:19: cannot be read"),
    "no number": (manifest(seed=float("nan")), "NaN is no number"),
    "an infinite number": (manifest(draws=float("inf")), "Infinity is no number"),
    "a number of 10,000 digits": (manifest().replace("20260101", "9" * 10_000), "a number is too large"),
    "a key twice": (manifest()[:-1] + ',"seed": 1}', "the key 'seed' is given twice"),
    "utf-16": (manifest().encode("utf-16"), "manifest.json:1:1: cannot be read as a manifest (byte 0xff"),
    "a text for the seed": (manifest(seed="1"), ":7:2: seed: expected a whole number; found the text '1'"),
    "true for the draws": (manifest(draws=True), ":8:2: draws: expected a whole number; found true"),
    "a list for the versions": (manifest(package_versions=[1]), "package_versions: expected a version for each pack"),
    "a number for the warnings": (manifest(file_warnings=5), "file_warnings: expected a list of texts"),
    "numbers for warnings": (manifest(file_warnings=[5]), "file_warnings: expected a list of texts"),
    "a warning that does not show": (manifest(file_warnings=["\u202ex"]), "without hidden characters; found a list"),
    "half a character": (manifest(file_warnings=["\ud800"]), "cannot be read as a manifest ('utf-8' codec"),
    "a hash of another kind": (manifest(resolved_sha256="0" * 32), "resolved_sha256: expected a SHA-256 of 64"),
    "another hash": (manifest(resolved_sha256="0" * 64), "scenario.yaml: is not the scenario of this run"),
    "a mapping for a hash": (
        manifest(resolved_sha256={"a": 1}),
        "resolved_sha256: expected a SHA-256 of 64 hexadecimal",
    ),
    "a list for the hashes": (manifest(results_sha256=["a"]), "results_sha256: expected a SHA-256 of 64"),
    "no hash, no files": (manifest(results_sha256={}), "keeps no hash of the numbers, and"),
    "a kind that is a list": (manifest(kind=["goal"]), "its kind is a list"),
    "a kind that is a command": (manifest(kind="x; rm -r /"), "its kind is the text 'x; rm -r /'"),
    "a file outside": (manifest(kind="goal", file="../../etc/passwd"), "is the manifest of a goal, not of a run.\n"),
    "a command that moves the cursor": (manifest(kind="goal", command="\x1b[2J"), "again with: \\x1b[2J"),
}

RUN = ("aliases that multiply", "ten megabytes", "an infinite number", "utf-16", "right to left in an id")
"""Those that are run as well; a run reads them as a check does."""


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


Command = list[str | Path]


def scenario_commands(place: Path) -> Iterator[tuple[str, Command]]:
    for number, (name, (text, _)) in enumerate(SCENARIOS.items()):
        path = place / f"scenario-{number}.yaml"
        path.write_bytes(as_bytes(text))
        yield f"check {name}", ["check", path]
        if name in RUN:
            yield f"run {name}", ["run", path]
    for name, raw in {"ends of lines": SOUND.replace("\n", "\r\n"), "byte order mark": f"\ufeff{SOUND}"}.items():
        path = place / f"{name}.yaml"
        path.write_bytes(raw.encode())
        yield f"sound {name}", ["check", path]


def edition_commands(place: Path) -> Iterator[tuple[str, Command]]:
    for number, (name, (file, text, _)) in enumerate(EDITIONS.items()):
        folder = country(place / f"land-{number}")
        (folder / file).write_bytes(as_bytes(text))
        yield f"build {name}", ["data", "build", folder, "--out", place / f"made-{number}"]
    folder = country(place / "land", regions=("=1+1", "@x"))
    for table in folder.iterdir():
        table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    yield "sound formulas, ends of lines and byte order marks", ["data", "build", folder]


def panel_commands(place: Path) -> Iterator[tuple[str, Command]]:
    for number, (name, (text, _)) in enumerate(PANELS.items()):
        path = place / f"panel-{number}.csv"
        path.write_bytes(as_bytes(text))
        yield f"evaluate {name}", evaluate(path, place / f"made-panel-{number}")
    path = place / "panel.csv"
    path.write_text(HEAD + ROWS, encoding="utf-8")
    words: Command = ["evaluate", "--panel", path, "--unit", "area", "--time", "year", "--outcome", "rate", "--treated"]
    yield "words column twice", [*words, "year", "--design", "staggered"]
    yield "words line in a name", [*words, "A\nB", "--start", "2004", "--design", "did"]


def manifest_commands(place: Path) -> Iterator[tuple[str, Command]]:
    for number, (name, (text, _)) in enumerate(MANIFESTS.items()):
        path = run_folder(place / f"run-{number}") / "manifest.json"
        path.write_bytes(as_bytes(text))
        yield f"rerun {name}", ["rerun", path]


def endless_commands(place: Path) -> Iterator[tuple[str, Command]]:
    folder, run = country(place / "piped"), run_folder(place / "piped-run")
    (folder / "areas.csv").unlink()
    os.mkfifo(folder / "areas.csv")
    os.mkfifo(run / "manifest.json")
    yield "endless build", ["data", "build", folder]
    yield "endless rerun", ["rerun", run]
    yield "endless rerun of a device", ["rerun", "/dev/zero"]
    yield "endless check", ["check", "/dev/zero"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """Return what every command of this module did: all run in one process, since starting one is what takes long."""
    place = tmp_path_factory.mktemp("hostile")
    every = (scenario_commands, edition_commands, panel_commands, manifest_commands, endless_commands)
    commands = dict(pair for some in every for pair in some(place))
    found = dict(zip(commands, run_limited(list(commands.values()), place), strict=True))
    assert not list(place.glob("made-*"))
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_hostile_scenario_is_refused_soon_in_one_line_with_its_place(told, name):
    refused(told[f"check {name}"], name, SCENARIOS[name][1])


@pytest.mark.parametrize("name", RUN)
def test_a_hostile_scenario_is_not_run(told, name):
    refused(told[f"run {name}"], name, SCENARIOS[name][1])


@pytest.mark.parametrize("name", EDITIONS)
def test_a_hostile_edition_is_refused_soon_in_one_line_with_its_place(told, name):
    refused(told[f"build {name}"], name, EDITIONS[name][2])


@pytest.mark.parametrize("name", PANELS)
def test_a_hostile_panel_is_refused_soon_in_one_line_with_its_place(told, name):
    refused(told[f"evaluate {name}"], name, PANELS[name][1])


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_hostile_manifest_is_refused_soon_in_one_line_with_its_place(told, name):
    refused(told[f"rerun {name}"], name, MANIFESTS[name][1])


def test_words_that_name_no_columns_are_refused(told):
    refused(told["words column twice"], "a column for two things", "--time and --treated both name the column 'year'")
    refused(told["words line in a name"], "a line in a name", "'A\\nB' is no list of names")


def test_a_device_without_end_and_a_pipe_without_a_writer_are_not_waited_for(told):
    for name, found in told.items():
        if name.startswith("endless"):
            refused(found, name, "not a regular file")


def test_formulas_other_ends_of_lines_and_a_byte_order_mark_are_sound(told):
    codes = {name: found.code for name, found in told.items() if name.startswith("sound")}
    assert len(codes) == 3 and set(codes.values()) == {0}, codes


@pytest.mark.slow
def test_tables_of_ten_megabytes_are_read_or_refused_within_bounds(tmp_path):
    many = country(tmp_path / "many")
    (many / "indicators.csv").write_text("area_code,indicator,value\n" + "Z00,jobless,1\n" * 700_000)
    panel = tmp_path / "panel.csv"
    panel.write_text(HEAD + "".join(f"u{i},{2001 + j},{i % 97 + j}\n" for i in range(100_000) for j in range(6)))
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(HEAD + "A,2001,x\n" * 1_000_000)
    told = run_limited([["rerun", "none"], evaluate(wrong, tmp_path / "made")], tmp_path)[1]
    assert told.code == 1 and "1000000 cells are no finite number" in told.out.replace(",", "")
    assert told.seconds < 30 and told.peak < 2_000


def test_a_message_never_writes_what_does_not_show():
    from gwm_models.errors import DataError, Problem

    assert str(DataError("a\x1b[31m\u202eb\nc")) == "a\\x1b[31m\\u202eb\nc"
    assert str(Problem("f", 1, 2, "error", "", "a\nb\u200b", "c")) == "f:1:2: error: a\\nb\\u200b. Fix: c."
    assert len(str(DataError("x" * 10**6))) == 5_000
    assert re.fullmatch(r"x+\.\.\.", Problem("f", 0, 0, "error", "", "x" * 10**6).what)
