"""Where code may live, which way it may import, and what the quick paths must not load."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gwm_models

PACKAGE = Path(gwm_models.__file__).resolve().parent
# Left to right, as data flows; `arrays`, `files` and `draws` hold what several rooms to their right share.
ROOMS = (
    "errors",
    "arrays",
    "files",
    "draws",
    "data",
    "index",
    "models",
    "ranks",
    "scenarios",
    "evaluation",
    "plots",
    "report",
    "explore",
    "cli",
)
BEYOND_ROOMS = {"__init__", "__main__", "_shipped", "__pycache__", "py.typed"}
MOST_LINES = 400

HEAVY = {"pandas", "scipy", "statsmodels", "sklearn", "networkx", "pymc", "arviz"}
SAMPLERS = {"pymc", "arviz", "nutpie", "pytensor"}
PROBE = """
import json, sys
from pathlib import Path
out, sys.argv = Path(sys.argv[1]), ["gwm", *sys.argv[2:]]
code = None
if len(sys.argv) == 1:
    import gwm_models
else:
    from gwm_models.cli import main
    try:
        code = main()
    except SystemExit as stop:
        code = stop.code
loaded = sorted({name.partition(".")[0] for name in sys.modules})
out.write_text(json.dumps({"code": code or 0, "loaded": loaded}))
"""


def rooms_that_exist() -> list[str]:
    return [room for room in ROOMS if (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file()]


def files_of(room: str) -> list[Path]:
    one = PACKAGE / f"{room}.py"
    return [one] if one.is_file() else sorted((PACKAGE / room).rglob("*.py"))


def all_files() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "_shipped" not in path.parts]


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything imported, at any depth of the code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and "import_module" in ast.dump(node.func):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def forbidden_imports(source: str, room: str) -> list[str]:
    """Return the imports of a room's source that reach beyond the rooms before it."""
    allowed = {*ROOMS[: ROOMS.index(room) + 1], "__version__"}
    found = []
    for line, name in imports_of(source):
        top, _, rest = name.partition(".")
        if name.startswith(".") or (top == "gwm_models" and rest.partition(".")[0] not in allowed):
            found.append(f"line {line}: {name}")
    return found


@pytest.mark.parametrize("room", rooms_that_exist())
def test_a_room_imports_only_rooms_before_it(room):
    wrong = {str(file): forbidden_imports(file.read_text("utf-8"), room) for file in files_of(room)}
    assert not {file: found for file, found in wrong.items() if found}


@pytest.mark.parametrize(
    "source",
    [
        "import gwm_models",
        "import gwm_models.report",
        "from gwm_models import report",
        "from gwm_models.scenarios.spec import Scenario",
        "def inner():\n    from gwm_models.cli import main",
        "if TYPE_CHECKING:\n    from gwm_models.ranks import RankTable",
        "import importlib\nimportlib.import_module('gwm_models.report')",
        "from . import spec",
        "from ..data import tables",
    ],
)
def test_the_check_of_imports_finds_every_form_of_a_wrong_one(source):
    assert forbidden_imports(source, "index")


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np",
        "from gwm_models import __version__",
        "from gwm_models.errors import DataError",
        "from gwm_models.data.tables import read_table",
        "from gwm_models.index.scoring import score",
    ],
)
def test_the_check_of_imports_passes_what_is_allowed(source):
    assert not forbidden_imports(source, "index")


def test_every_module_of_the_package_belongs_to_a_room():
    names = {path.stem if path.suffix == ".py" else path.name for path in PACKAGE.iterdir()}
    assert names - BEYOND_ROOMS <= set(ROOMS)


def test_no_module_is_longer_than_a_reader_can_hold():
    lengths = {str(path): len(path.read_text("utf-8").splitlines()) for path in all_files()}
    assert not {path: length for path, length in lengths.items() if length > MOST_LINES}


def test_every_public_name_of_the_package_exists_and_says_what_it_is():
    assert gwm_models.__all__
    for name in gwm_models.__all__:
        value = getattr(gwm_models, name)
        assert isinstance(value, str) or value.__doc__, name
    assert set(gwm_models.__all__) <= set(dir(gwm_models))


def modules_loaded_by(folder: Path, *words: str) -> set[str]:
    """Return the top-level modules loaded by a `gwm` command (no words: by ``import gwm_models``)."""
    out = folder / "loaded.json"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-c", PROBE, str(out), *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text("utf-8"))
    assert result["code"] == 0, done.stdout + done.stderr
    return set(result["loaded"])


def test_importing_the_package_loads_nothing_heavy(tmp_path):
    assert not modules_loaded_by(tmp_path) & (HEAVY | {"numpy", "pydantic", "typer"})


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["schema"]], ids=" ".join)
def test_a_command_that_only_answers_loads_nothing_heavy(tmp_path, words):
    assert not modules_loaded_by(tmp_path, *words) & HEAVY


def test_checking_a_scenario_loads_nothing_heavy(tmp_path, shipped):
    file = shipped.scenario("northern-participation-2026")
    assert not modules_loaded_by(tmp_path, "check", str(file)) & HEAVY


def test_running_a_scenario_loads_no_sampler_and_no_library_of_models(tmp_path, shipped):
    file = shipped.scenario("northern-participation-2026")
    loaded = modules_loaded_by(tmp_path, "run", str(file), "--out", str(tmp_path / "out"))
    assert not loaded & {*SAMPLERS, "statsmodels", "sklearn"}
