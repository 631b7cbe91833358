"""The topics of `gwm help`: what they say is what the toolkit does."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gwm_models.cli import run_command
from gwm_models.cli.app import command_names
from gwm_models.cli.help import TOPICS, find_topic, plain_text, topic_text, topics
from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.home import data_home
from gwm_models.data.index_spec import read_index
from gwm_models.errors import DataError

CHECKOUT = Path(__file__).parents[1]
WANTED = {
    "appraisal",
    "data",
    "evaluation",
    "explorer",
    "health",
    "maps-and-figures",
    "methods",
    "portfolio",
    "ranks",
    "scenario",
    "trust",
    "uncertainty",
}


@pytest.fixture
def shown(monkeypatch, capsys):
    def answer(*words, terminal=False):
        monkeypatch.setattr("sys.argv", ["gwm", "help", *words])
        if terminal:
            monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        code = run_command()
        found = capsys.readouterr()
        return code, found.out, found.err

    return answer


def test_every_topic_is_listed_with_its_title(shown):
    code, out, _ = shown()
    assert code == 0 and set(topics()) == WANTED
    for name, title in topics().items():
        assert re.search(rf"^{name} +{re.escape(title)}$", out, flags=re.MULTILINE)


@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_topic_is_plain_text_in_a_pipe(shown, name):
    code, out, err = shown(name)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == topics()[name] and set(out.splitlines()[1]) == {"="}
    assert "```" not in out and "**" not in out and "\x1b" not in out and "<!--" not in out


def test_a_topic_is_drawn_on_a_terminal_within_its_width(shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    code, out, _ = shown("scenario", terminal=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert code == 0 and "Scenario files" in plain and "**" not in plain and "gwm init hull-pay.yaml" in plain
    assert all(len(line.rstrip()) <= 50 for line in plain.splitlines())


@pytest.mark.parametrize(
    ("word", "name"),
    [("methods", "methods"), ("Methods", "methods"), ("maps", "maps-and-figures"), ("port", "portfolio")],
)
def test_a_topic_is_found_by_its_name_or_a_part_of_it(word, name):
    assert find_topic(word) == name


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("rank", None),
        ("helth", "Did you mean health?"),
        ("run", "For the options of a command: gwm run --help."),
        ("e", "Did you mean evaluation or explorer?"),
        ("zzz", "There is no topic 'zzz'. Topics: appraisal, data,"),
        ("\x1b[1m\n", r"There is no topic '\x1b[1m\n'."),
        ("../../etc/passwd", "There is no topic '../../etc/passwd'."),
    ],
)
def test_a_word_that_is_no_topic_is_told_the_nearest(shown, word, words):
    code, out, err = shown(word)
    if words is None:
        assert code == 0
        return
    assert (code, out) == (1, "") and words in err and err.count("\n") == 1
    with pytest.raises(DataError):
        find_topic(word)


def test_help_needs_no_heavy_library(tmp_path):
    code = (
        "import sys; sys.argv = ['gwm', 'help', 'data']\n"
        "from gwm_models.cli import run_command\n"
        "assert run_command() == 0\n"
        "heavy = {'pandas', 'scipy', 'numpy', 'pymc', 'statsmodels', 'starlette'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr


def test_the_topic_on_data_has_every_table_with_producer_period_and_licence():
    text = topic_text("data")
    for table in read_descriptor(data_home()).resources.values():
        assert f"- **{table.name}**: {table.title}. {table.licence}." in text
        for source in table.sources:
            assert f"    - {source.producer}: {source.title}, {source.period}" in text


def test_the_topics_name_commands_that_exist():
    paths = list(TOPICS.glob("*.md"))
    assert {path.stem for path in paths} == set(topics())
    for path in paths:
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"\bgwm ([a-z]+)\b", text))
        assert named <= command_names(), path.name
        topics_named = set(re.findall(r"\bgwm help ([a-z-]+)", text))
        assert topics_named <= set(topics()), path.name


def test_the_formula_of_access_has_the_bounds_of_the_index():
    text = topic_text("methods")
    spec = read_index(data_home() / "index.yaml")
    activity, jobless = spec.indicator("economic_activity_rate"), spec.indicator("unemployment_rate")
    a, b, c, d = activity.low, activity.high, jobless.low, jobless.high
    assert f"access = [1 + 99 (a - {a}) / {b - a:.1f}] + [1 + 99 ({d} - u) / {d - c:.1f}]" in text
    assert f"99/{b - a:.1f} = {99 / (b - a):.3f} points" in text
    assert f"one of unemployment -99/{d - c:.1f} = {-99 / (d - c):.3f}." in " ".join(text.split())


def test_the_numbers_that_the_topics_tell_are_those_of_the_code():
    from gwm_models.evaluation import appraisal_terms as terms
    from gwm_models.evaluation.portfolio import MOST_SETS
    from gwm_models.scenarios.spec import Analysis

    appraisal, portfolio, uncertainty = (topic_text(name) for name in ("appraisal", "portfolio", "uncertainty"))
    assert f"{terms.COST_RATE:.1%} a year for costs and scores and {terms.HEALTH_RATE:.1%} for health" in appraisal
    assert f"elasticity {terms.ELASTICITY}" in appraisal and f"£{terms.QALY_POUNDS:,.0f} at 2020-21 prices" in appraisal
    assert f"(median income by residents / income of the area)^{terms.ELASTICITY}" in topic_text("methods")
    assert f"up to {MOST_SETS:,} of them" in portfolio
    assert f"({Analysis().draws:,} by default)" in uncertainty
    with (CHECKOUT / "results/points_per_unit.csv").open(newline="") as file:
        units = {row["n"] for row in csv.DictReader(file) if row["status"] == "calibrated"}
    assert units == {"117"} and "by least squares over 117 units" in " ".join(topic_text("methods").split())


def test_the_layers_of_uncertainty_are_those_of_the_engine():
    from gwm_models.scenarios.layers import NAMES

    named = set(re.findall(r"^- \*\*(\w+)\*\*:", topic_text("uncertainty"), flags=re.MULTILINE))
    assert named == set(NAMES) - {"interactions"}


def test_the_width_of_a_typical_rank_interval_is_the_one_told():
    """The topic on ranks tells the mean width of 90% intervals and the error of a typical total."""
    import numpy as np

    from gwm_models.data.edition import load_edition
    from gwm_models.index.sampling import sampling_error
    from gwm_models.ranks.edition import rank_rows

    told = " ".join(topic_text("ranks").split())
    edition = load_edition()
    error = float(np.median(sampling_error(edition).total_std_error))
    assert f"about {error:.0f} points in a typical area" in told
    rows = rank_rows(edition, level=0.9, n_draws=4000, seed=20260101)
    width = np.mean([row["upper"] - row["lower"] + 1 for row in rows])
    assert f"is {width:.0f} places wide on average" in told


def test_plain_text_keeps_every_word():
    words = "# Title\n\nSome `code`, **bold** and [a link](https://example.org).\n\n```bash\ngwm help\n```\n\n## Part\n"
    assert plain_text(words).split() == [
        *[
            "Title",
            "=====",
            "Some",
            "code,",
            "bold",
            "and",
            "a",
            "link",
            "(https://example.org).",
            "gwm",
            "help",
            "Part",
        ],
        "----",
    ]


def test_the_wheel_is_told_to_carry_the_topics():
    """Hatch takes everything under the package folder that git does not ignore."""
    import tomllib

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "/gwm_models" in wheel["include"] and "exclude" not in wheel
    assert TOPICS.is_relative_to(CHECKOUT / "gwm_models")
