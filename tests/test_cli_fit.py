"""`gwm fit` as an analyst uses it: lists, tables, one fit in full, refusals in one line."""

import csv
import io
import json
import re

import pytest

from gwm_models.cli import run_command
from gwm_models.models.catalogue import specs_of, subjects
from gwm_models.models.outcomes import OUTCOMES, TOPICS

CAUSAL = re.compile(r"\b(causes?|caused|effects? of|impacts?|leads? to|improves? health|because of good work)\b", re.I)


@pytest.fixture
def gwm(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["gwm", *map(str, words)])
        code = run_command()
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize("words", [("fit",), ("fit", "list")])
def test_the_list_names_every_outcome_and_how_it_can_be_fitted(gwm, words):
    code, out, err = gwm(*words, "--format", "json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert [row["outcome"] for row in rows] == [subject.id for subject in (*OUTCOMES, *TOPICS)]
    assert all(row["specifications"] for row in rows)
    assert {"total", "within", "errors-in-variables", "latent-panel"} <= set(rows[0]["specifications"])


def test_the_list_of_one_outcome_says_what_each_specification_is(gwm):
    code, out, _ = gwm("fit", "list", "healthy_life_expectancy_male", "--format", "json")
    rows = {row["spec"]: row for row in json.loads(out)}
    assert code == 0 and rows["spatial"]["bayesian"] and not rows["huber"]["bayesian"]
    assert rows["leads"] == {
        "spec": "leads",
        "title": "Placebo: access of later years",
        "compares": "within areas over time",
        "bayesian": False,
    }
    table = gwm("fit", "list")[1]
    assert max(map(len, table.splitlines())) < 170


def test_specifications_of_one_subject_have_names_of_their_own():
    for subject in subjects():
        names = [spec.id for spec in specs_of(subject)]
        assert len(names) == len(set(names)) > 0


def test_an_outcome_is_told_by_its_slopes_its_sensitivity_and_two_sentences(gwm):
    code, out, err = gwm("fit", "healthy_life_expectancy_male")
    assert (code, err) == (0, "")
    for words in ("between areas", "within areas over time", "robustness_value", "deprivation", "no-shared", "lags"):
        assert words in out
    *_, left_out, found, not_shown = out.strip().splitlines()
    assert left_out == "Left out: Northamptonshire (no published limits)."
    assert found.startswith("Found: Healthy life expectancy at birth, male, 2016-18: 3.17 years higher")
    assert not_shown.startswith("Not shown: ")


def test_one_specification_is_told_in_full(gwm):
    code, out, _ = gwm("fit", "healthy_life_expectancy_female", "--spec", "no-shared")
    assert code == 0
    for words in ("3.52", "0.247", "Method: ", "Source: Office for National Statistics", "Checks: ", "Assumed: "):
        assert words in out
    assert out.count("Found: ") == out.count("Not shown: ") == 1


def test_json_holds_sample_exclusions_and_assumptions_and_csv_every_coefficient(gwm):
    code, out, _ = gwm("fit", "suicide", "--spec", "deprivation", "--format", "json")
    (fit,) = json.loads(out)
    assert code == 0 and fit["n"] == len(fit["sample"]) == 116
    assert fit["excluded"] == ["Rutland (few deaths, published as unreliable)"]
    assert [row["term"] for row in fit["coefficients"]] == ["total", "deprivation"]
    assert fit["assumptions"] and fit["citation"] and fit["source"] and fit["found"] and fit["not_shown"]
    _, out, _ = gwm("fit", "suicide", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {"outcome", "spec", "term", "estimate", "std_error", "lower", "upper", "unit", "n"} <= set(rows[0])
    assert {row["spec"] for row in rows} >= {"total", "unweighted", "region", "log"}


def test_a_stored_posterior_is_read_and_told(gwm, monkeypatch):
    monkeypatch.setattr("gwm_models.models.catalogue.fit_record", None)
    code, out, err = gwm("fit", "healthy_life_expectancy_male", "--spec", "errors-in-variables")
    assert (code, err) == (0, "")
    assert "efficiency" in out and "Assumed: " in out and "Found: " in out


@pytest.mark.parametrize("topic", [topic.id for topic in TOPICS])
def test_every_topic_is_told(gwm, topic):
    code, out, _ = gwm("fit", topic)
    assert code == 0 and out.count("Found: ") == out.count("Not shown: ") >= 1


@pytest.mark.parametrize("outcome", [outcome.id for outcome in OUTCOMES])
def test_every_outcome_can_be_fitted_and_no_sentence_speaks_of_a_cause(gwm, outcome):
    code, out, _ = gwm("fit", outcome, "--spec", "total", "--format", "json")
    (fit,) = json.loads(out)
    assert code == 0
    assert not CAUSAL.search(fit["found"])
    assert fit["found"].endswith(".") and "interval" in fit["found"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["fit", "happiness"], "There is no outcome 'happiness'"),
        (["fit", "suicde"], "Did you mean suicide?"),
        (["fit", "suicide", "--spec", "totl"], "There is no specification 'totl' of suicide. Did you mean total?"),
        (["fit", "furlough_takeup", "--spec", "precision"], "no limits are published"),
        (["fit", "covid", "--plot", "x.html"], "'covid' is several together"),
        (["fit", "covid19_deaths", "--plot", "x.html"], "'covid19_deaths' is a count, fitted as rates"),
        (["fit", "suicide", "--spec", "log", "--plot", "x.html"], "leave out --spec"),
        (["fit", "suicide", "--plot", "."], "is a folder. Name a file in it."),
        (["fit", "suicide", "--plot", "/proc/x/curve.html"], "cannot be written"),
        (["fit", "suicide", "covid"], "Expected one outcome, got 'suicide' and 'covid'"),
        (["fit", "list", "happiness"], "There is no outcome 'happiness'"),
        (["fit", "disease_burden", "--edition", "open-2019"], "printed beside monitor-2021"),
        (["fit", "--plot", "x.html"], "--spec and --plot need an outcome"),
        (["fit", "suicide", "--edition", "open-2019", "--spec", "conditions"], "no total of Conditions for Good Work"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_what_cannot_be_fitted_is_refused_in_one_line_that_says_why(gwm, words, why, tmp_path):
    code, out, err = gwm(*words)
    assert (code, out, err.count("\n")) == (1, "", 1) and why in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("outcome", "edition", "words"),
    [
        ("healthy_life_expectancy_male", "monitor-2021", "Northamptonshire"),
        ("suicide", "monitor-2021", "Not fitted"),
        ("avoidable_mortality", "open-2019", "Avoidable mortality"),
    ],
)
def test_a_page_of_all_specifications_is_written_whole(gwm, tmp_path, outcome, edition, words):
    code, _, err = gwm("fit", outcome, "--edition", edition, "--plot", tmp_path / "curve.html")
    page = (tmp_path / "curve.html").read_text()
    assert code == 0 and err.endswith("curve.html\n")
    assert "under every specification" in page and words in page and "Open Government Licence" in page
    assert page.rstrip().endswith("</html>")
