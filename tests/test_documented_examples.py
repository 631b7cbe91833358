"""Every example of the README, of the help of each command and of the topics runs as it is printed."""

import csv
import inspect
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import typer
from made_up_country import country

from gwm_models.cli import run_command
from gwm_models.cli.app import app
from gwm_models.cli.help import TOPICS
from gwm_models.data.home import data_home

CHECKOUT = Path(__file__).parents[1]
START = "import sys; from gwm_models.cli import main; main()"
WITH_DRAWS = dict.fromkeys(("run", "compare", "goal", "appraise", "portfolio", "ranks", "index peers"), 200)
WITH_DRAWS["index groups"] = 10
"""Commands that are given few draws here, so that the examples take seconds."""
SLOW = {
    "gwm figures",
    "gwm figures --edition open-2019 --format html",
    "gwm sweep participation-sweep",
    "gwm evaluate evaluate-greater-manchester-2015",
    "gwm evaluate northern-participation-2026 --power",
}
BY_THE_CHECKS = {"gwm reproduce --check"}
"""Takes minutes, and is a step of the checks of the project as it stands."""
RUN = "results/runs/northern-participation-2026/manifest.json"


STATES = ("Utah", "Ohio", "Iowa", "Maine", "Texas", "Idaho", "Kansas", "Oregon", "Nevada")
YEARS = range(1970, 2001)


def sold(place: int, year: int) -> float:
    """Return made-up sales: a line of each state's own, a wobble, and 3 more in the first state from 1989 on."""
    own = 50 + place + 0.3 * (year - 1970) * (1 + place % 3)
    return own + (7 * year + place) % 5 + 3 * (place == 0 and year >= 1989)


def squares() -> dict:
    """Return a made-up square of land around the centroid of each area, as GeoJSON."""
    with (data_home() / "areas.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    features = []
    for row in rows:
        east, north = float(row["longitude"]), float(row["latitude"])
        ring = [[east + 0.05 * a, north + 0.05 * b] for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
        shape = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"code": row["area_code"]}, "geometry": shape})
    return {"type": "FeatureCollection", "features": features}


def commands(group: typer.Typer = app, before: str = "gwm"):
    """Yield the words and the function of each command."""
    for command in group.registered_commands:
        function = command.callback
        yield f"{before} {command.name or function.__name__.strip('_')}", function
    for part in group.registered_groups:
        yield from commands(part.typer_instance, f"{before} {part.name}")


def of_help(function) -> list[str]:
    """Return the examples of a docstring: after "Example:", one a line or with semicolons between."""
    _, found, rest = re.sub(r"Examples:", "Example:", inspect.getdoc(function)).partition("Example:")
    items = [item.strip() for line in rest.splitlines() for item in line.split(";")] if found else []
    return [item for item in items if item.startswith("gwm ")]


def of_page(path: Path) -> list[str]:
    """Return the lines of fenced blocks of commands that start with gwm."""
    blocks = re.findall(r"```bash\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.startswith("gwm ")]


def examples() -> dict[str, str]:
    """Return every example once, with where it stands."""
    found = {}
    for words, function in commands():
        found |= {example: f"{words} --help" for example in of_help(function)}
    for page in (CHECKOUT / "README.md", *sorted(TOPICS.glob("*.md"))):
        found |= {example: page.name for example in of_page(page)}
    return found


EXAMPLES = examples()
SERVED = {example for example in EXAMPLES if example.startswith("gwm explore")}


def marked(example: str):
    return pytest.param(example, marks=pytest.mark.slow) if example in SLOW else example


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Return a folder with the files of a user that examples name."""
    folder = tmp_path_factory.mktemp("desk")
    country(folder / "my-country")
    with (folder / "FILE.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["state", "year", "sales"])
        writer.writerows([state, year, sold(place, year)] for place, state in enumerate(STATES) for year in YEARS)
    (folder / "sales.csv").write_bytes((folder / "FILE.csv").read_bytes())
    (folder / "areas.geojson").write_text(json.dumps(squares()))
    return folder


@pytest.fixture
def at_the_desk(desk, monkeypatch):
    monkeypatch.chdir(desk)
    monkeypatch.setenv("COLUMNS", "120")
    return desk


def words_of(example: str) -> list[str]:
    """Return the words of an example, with few draws where the command takes a number of them."""
    words = shlex.split(example)[1:]
    draws = WITH_DRAWS.get(words[0]) or WITH_DRAWS.get(" ".join(words[:2]))
    takes_none = "--draws" in words or words[1:3] == ["--method", "sets"]
    return words if draws is None or takes_none else [*words, "--draws", str(draws)]


def run(words, monkeypatch) -> int:
    monkeypatch.setattr("sys.argv", ["gwm", *words])
    return run_command()


@pytest.mark.parametrize("words", [words for words, _ in commands()])
def test_the_help_of_each_command_has_an_example_of_it(words):
    function = dict(commands())[words]
    assert any(example.startswith(words) for example in of_help(function)), f"{words} --help shows no example"


def test_the_pages_have_examples_of_most_commands():
    pages = {example for page in TOPICS.glob("*.md") for example in of_page(page)}
    names = {words.split()[1] for words, _ in commands()}
    untold = {name for name in names if not any(example.split()[1] == name for example in pages)}
    assert untold <= {"evidence", "reproduce", "help"}


def prepared(example: str, folder: Path, monkeypatch) -> None:
    """Make what an example starts from, where it is the outcome of another one."""
    if RUN in example and not (folder / RUN).is_file():
        assert run(["run", "northern-participation-2026", "--draws", "200"], monkeypatch) == 0
    if example.startswith("gwm init"):
        (folder / shlex.split(example)[2]).unlink(missing_ok=True)
    elif "hull-pay.yaml" in example and not (folder / "hull-pay.yaml").is_file():
        assert run(["init", "hull-pay.yaml", "--change", "median_pay", "--area", "Hull"], monkeypatch) == 0
    if "--edition my-edition" in example and not (folder / "my-edition").is_dir():
        assert run(["data", "build", "my-country", "--out", "my-edition"], monkeypatch) == 0
    if example.startswith("gwm init"):
        (folder / shlex.split(example)[2]).unlink(missing_ok=True)
    elif "hull-pay.yaml" in example and not (folder / "hull-pay.yaml").is_file():
        assert run(["init", "hull-pay.yaml", "--change", "median_pay", "--area", "Hull"], monkeypatch) == 0
    if "--edition my-edition" in example and not (folder / "my-edition").is_dir():
        assert run(["data", "build", "my-country", "--out", "my-edition"], monkeypatch) == 0
    if example.startswith("gwm reproduce"):
        (folder / "results").mkdir(exist_ok=True)
        for path in (CHECKOUT / "results").iterdir():
            if not (folder / "results" / path.name).exists():
                (folder / "results" / path.name).symlink_to(path)
    if example.startswith("gwm init"):
        (folder / shlex.split(example)[2]).unlink(missing_ok=True)
    elif "hull-pay.yaml" in example and not (folder / "hull-pay.yaml").is_file():
        assert run(["init", "hull-pay.yaml", "--change", "median_pay", "--area", "Hull"], monkeypatch) == 0
    if "--edition my-edition" in example and not (folder / "my-edition").is_dir():
        assert run(["data", "build", "my-country", "--out", "my-edition"], monkeypatch) == 0
    if example.startswith("gwm reproduce") and not (folder / "results/scores.csv").is_file():
        (folder / "results").mkdir(exist_ok=True)
        for path in (CHECKOUT / "results").iterdir():
            (folder / "results" / path.name).symlink_to(path)


@pytest.mark.parametrize("example", [marked(example) for example in sorted(set(EXAMPLES) - SERVED - BY_THE_CHECKS)])
def test_the_example_runs(example, at_the_desk, monkeypatch, capsys):
    prepared(example, at_the_desk, monkeypatch)
    code = run(words_of(example), monkeypatch)
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert len(shown.out) > 20, "nothing is printed"
    assert "Traceback" not in shown.err


def test_examples_that_are_not_run_here_are_steps_of_the_checks():
    steps = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8").replace('"', "")
    assert set(EXAMPLES) >= BY_THE_CHECKS
    for example in BY_THE_CHECKS:
        assert f"/{example}\n" in steps


def test_a_file_that_init_writes_for_a_short_name_names_the_area_in_full_and_is_sound(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["init", "hull-pay.yaml", "--change", "median_pay", "--area", "Hull"], monkeypatch) == 0
    assert '"Kingston upon Hull, City of"' in Path("hull-pay.yaml").read_text()
    assert run(["check", "hull-pay.yaml"], monkeypatch) == 0


@pytest.mark.parametrize("example", sorted(SERVED))
def test_the_page_is_served_until_it_is_stopped(example, tmp_path):
    words = [*shlex.split(example)[1:], *(["--no-browser"] if "--no-browser" not in example else [])]
    words += [] if "--port" in words else ["--port", "0"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), *sys.path]), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", START, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env=environment,
    ) as server:
        try:
            address = next(found[0] for line in server.stdout if (found := re.findall(r"http://[\w.:\[\]]+", line)))
            with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310
                assert answer.status == 200 and "<html" in answer.read().decode().casefold()
        finally:
            server.send_signal(signal.SIGINT)
        rest = server.stdout.read()
        assert server.wait(timeout=30) in (0, 130), rest
        assert "Traceback" not in rest


def test_the_run_that_the_readme_shows_gives_its_answer(at_the_desk, monkeypatch):
    assert run(["run", "northern-participation-2026", "--out", "as-shown"], monkeypatch) == 0
    headline = json.loads(Path("as-shown/summary.json").read_text())["headline"]
    assert headline in " ".join((CHECKOUT / "README.md").read_text(encoding="utf-8").split())
