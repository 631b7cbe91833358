"""`gwm evaluate` on any panel file and on scenarios: the published case, every fault at once, and wrong words."""

import csv
import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gwm_models.cli import run_command
from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.answer_words import effect_words
from gwm_models.evaluation.panel_design import PER, evaluate_panel, panel_power, read_spec
from gwm_models.evaluation.panel_spec import PanelSpec
from gwm_models.evaluation.table_file import PanelFileError, Wanted, read_panel_file

COLUMNS = ("--unit", "area", "--time", "year", "--outcome", "rate")


@pytest.fixture
def gwm(monkeypatch, capsys, tmp_path):
    """Run a command in a folder of its own; return its exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["gwm", *map(str, words)])
        code = run_command()
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def panel(folder, *, units=25, times=12, effect=0.0, **columns):
    """Write a panel of areas A00, A01, ... over 2001 on; A00 has an effect from 2009."""
    rng = np.random.default_rng(2)
    value = 50 + rng.normal(size=(units, times)).cumsum(axis=1)
    value[0, 8:] += effect
    file = folder / "panel.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["area", "year", "rate", *columns])
        for k in range(units):
            for t in range(times):
                more = [make(k, 2001 + t, value[k, t]) for make in columns.values()]
                writer.writerow([f"A{k:02}", 2001 + t, value[k, t], *more])
    return file


def spec(file, **parts):
    base = {"unit": "area", "time": "year", "outcome": "rate", "treated": ("A00",), "start": "2009", "design": "did"}
    return PanelSpec(file, **(base | parts))


def evaluated(file, **parts):
    asked = spec(file, **parts)
    return evaluate_panel(read_spec(asked), asked)


# Any panel


def test_proposition_99_prints_the_published_numbers(known, gwm):
    words = ("--panel", known / "prop99_cigarette_sales.csv", "--unit", "state", "--time", "year")
    words += ("--outcome", "cigsale", "--treated", "California", "--start", 1989, "--format", "json", "--design")
    atts = {
        design: json.loads(gwm("evaluate", *words, design)[1])["results"][0]["effect"]
        for design in ("sc", "sdid", "did")
    }
    assert atts["did"]["att"] == pytest.approx(-27.349, abs=5e-4)
    assert atts["sdid"]["att"] == pytest.approx(-15.604, abs=0.02)
    control = atts["sc"]
    assert control["att"] == pytest.approx(-19.514, abs=5e-4)
    states = ("Utah", "Montana", "Nevada", "Connecticut", "New Hampshire", "Colorado")
    assert [round(control["weights"][state], 3) for state in states] == [0.394, 0.232, 0.205, 0.109, 0.045, 0.015]
    own = next(row for row in control["placebo"] if row["treated"])
    assert own["rank"] == 3 and len(control["placebo"]) == 39
    assert own["rmspe_pre"] == pytest.approx(1.656, abs=5e-4)


@pytest.mark.parametrize("design", ["sc", "sdid", "did", "event-study", "its", "structural"])
def test_every_design_finds_a_large_effect_in_a_file(tmp_path, design):
    found = evaluated(panel(tmp_path, effect=12.0, times=12), design=design)
    assert found.att == pytest.approx(12, abs=5)
    assert found.treated == ("A00",)


def test_staggered_reads_starts_from_a_column_of_years_or_of_true_and_false(tmp_path):
    def starts(k, year, value):
        return {0: 2009, 1: 2009, 2: 2007, 3: 2007}.get(k, "")

    def on(k, year, value):
        first = starts(k, year, value)
        return bool(first) and year >= first

    file = panel(tmp_path, first=starts, on=on)
    by_year, by_switch = (
        evaluated(file, design="staggered", treated=(name,), start=None).att for name in ("first", "on")
    )
    assert by_year == by_switch and np.isfinite(by_year)


def test_counts_are_taken_per_head_and_its_takes_them_as_counts(tmp_path):
    people = {"people": lambda k, year, value: 1000 * (k + 1), "deaths": lambda k, year, value: round(value * (k + 1))}
    file = panel(tmp_path, rate2=lambda k, year, value: PER * round(value * (k + 1)) / (1000 * (k + 1)), **people)
    rates = evaluated(file, outcome="rate2")
    counts = evaluated(file, outcome="deaths", population="people")
    assert counts.att == pytest.approx(rates.att, rel=1e-12)
    assert counts.outcome == "deaths per 100,000 of people"
    assert evaluated(file, outcome="deaths", population="people", design="its").outcome == "deaths"


def test_donors_are_those_named_without_those_excluded(tmp_path):
    file = panel(tmp_path)
    assert set(evaluated(file, donors=("A01", "A02", "A03"), exclude=("A02",)).weights) == {"A01", "A03"}
    assert "A05" not in evaluated(file, exclude=("A05",)).weights
    with pytest.raises(ModelError, match="no donor is left"):
        evaluated(file, donors=("A01",), exclude=("A01",))


def test_power_of_a_panel_is_measured_before_its_start_with_other_units(tmp_path):
    file = panel(tmp_path, effect=1000.0, units=30, times=16)
    asked = spec(file, level=0.9)
    found = panel_power(read_spec(asked), asked, n_placebo=30, n_sets=28)
    assert len(found) == 30 and found.n_treated == 1
    assert found.smallest()[0] < 20
    assert (found.n_before, found.n_after) == (4, 2)
    with pytest.raises(ModelError, match="the design is staggered"):
        panel_power({}, spec(file, design="staggered", treated=("first",), start=None))


def test_a_single_series_of_monthly_counts_needs_no_unit(tmp_path):
    """Counts of 1,000 with seasons fall by a fifth; months are text, cells are apart by semicolons."""
    rng = np.random.default_rng(4)
    file = tmp_path / "months.csv"
    lines = ["month;deaths;people"]
    for t in range(72):
        mean = 1000 * (1 + 0.2 * np.sin(2 * np.pi * t / 12)) * (0.8 if t >= 48 else 1.0)
        lines.append(f"{2001 + t // 12}-{t % 12 + 1:02};{rng.poisson(mean)};50000")
    file.write_text("\n".join(lines), encoding="utf-8")
    head = {"unit": None, "time": "month", "outcome": "deaths", "treated": (), "start": "2005-01", "design": "its"}
    asked = PanelSpec(file, **head, population="people", seasonality="fourier")
    found = evaluate_panel(read_spec(asked), asked)
    assert found.att == pytest.approx(-200, abs=40)
    assert found.lower < -200 * 0.9 and found.upper < 0
    with pytest.raises(ModelError, match="of figures, not of counts"):
        panel_power(read_spec(asked), asked)
    file.write_text("month,deaths\n1,5\n1,6\n", encoding="utf-8")
    with pytest.raises(PanelFileError, match=r"1 time is given twice \(1 in lines 2 and 3\)"):
        read_panel_file(file, Wanted(None, "month", "deaths"))


# Faults


def test_every_fault_of_a_file_is_named_at_once(tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text(
        "area,year,rate\nA,2001,1\nA,2001,2\n,2002,3\nB,soon,4\nB,2002,many\nB,2003\nC,2004,inf\n", encoding="utf-8"
    )
    wanted = Wanted("area", "year", "rate", ("beer",), (), (("Aa", "--treated"),), "2009")
    with pytest.raises(PanelFileError) as caught:
        read_panel_file(file, wanted)
    text = str(caught.value)
    for part in (
        "there is no column 'beer'; the file has area, year, rate",
        "1 line without the 3 cells of the header (line 7 has 2)",
        "area: is empty in 1 line (4)",
        "year: mixes numbers and text (1 of the rarer, such as 'soon')",
        "rate: 2 cells are no finite number ('many' in line 6, 'inf' in line 8)",
        "1 unit-time is given twice (A at 2001 in lines 2 and 3)",
        "--treated: there is no unit 'Aa' among 3. Fix: write A",
        "--start: 2009 is after the last time, 2004",
    ):
        assert part in text, part
    assert len(caught.value.problems) == 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("area,year,rate\n", "a header and no rows"),
        ("area,year,rate,rate\nA,1,2,3\n", "column rate stands twice"),
        ("area,year,rate\nA,1,\nB,1,NA\n", "has no figure at all"),
        ("area,year,rate\nA,,1\n", "year: is empty in 1 line"),
        ("area,year,rate\nA,2009,1\nB,2010,2\n", "2009 leaves no time before it"),
        ("area,year,rate\nA,01/02/2001,1\nA,03/02/2001,1\n", "such as '01/02/2001', whose order cannot be told"),
        ("area,year,rate\nA,Q1,1\nB,Q2,2\n", "is '2009', but times are such as 'Q1'"),
        ("area,year,rate\nA,2001-Q1,1\nB,2001-Q2,2\n", "2009 is after the last time, 2001Q2"),
    ],
)
def test_a_file_that_says_too_little_is_one_clear_fault(tmp_path, text, words):
    file = tmp_path / "bad.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(words)):
        read_panel_file(file, Wanted("area", "year", "rate", start="2009"))


def test_a_file_that_cannot_be_read_is_one_clear_fault(tmp_path):
    wanted = Wanted("area", "year", "rate")
    with pytest.raises(DataError, match=r"cannot be read \(No such file"):
        read_panel_file(tmp_path / "none.csv", wanted)
    with pytest.raises(DataError, match="is a folder"):
        read_panel_file(tmp_path, wanted)
    (tmp_path / "latin.csv").write_bytes(b"area,year,rate\nK\xf6ln,1,2\n")
    with pytest.raises(DataError, match=r"is not UTF-8 text \(byte 16\)"):
        read_panel_file(tmp_path / "latin.csv", wanted)


def test_missing_cells_and_a_byte_order_mark_are_read(tmp_path):
    file = tmp_path / "gaps.csv"
    file.write_text("\ufeffarea,year,rate\nA,1,NA\nA,2,3.5\n\nB,1,\nB,2,1e1\n", encoding="utf-8")
    found = read_panel_file(file, Wanted("area", "year", "rate"))
    assert found == {"area": ["A", "A", "B", "B"], "year": [1, 2, 1, 2], "rate": [None, 3.5, None, 10.0]}


def test_what_does_not_go_together_is_refused_at_once(tmp_path):
    with pytest.raises(DataError) as caught:
        spec(tmp_path / "x.csv", design="sdid", level=2.0, inference="magic", covariates=("a",), donors=("A00",))
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert "A00 is named both as treated and as donor" in str(caught.value)
    with pytest.raises(DataError, match="--start is not used by staggered"):
        spec(tmp_path / "x.csv", design="staggered", donors=("B",))
    with pytest.raises(DataError, match="--missing must be one of raise, drop_units, drop_times; got 'zero'"):
        spec(tmp_path / "x.csv", missing="zero")
    with pytest.raises(DataError) as caught:
        spec(tmp_path / "x.csv", family="poisson", seasonality="dummies", period=4)
    assert str(caught.value).splitlines() == [
        "--family is used by its only; the design is did.",
        "--seasonality, --period are used by its and structural only; the design is did.",
    ]
    with pytest.raises(DataError, match="--inference, --missing are used by sc, sdid and did only; the design is its"):
        spec(tmp_path / "x.csv", design="its", inference="jackknife", missing="drop_units")
    with pytest.raises(DataError, match="--period is the length of a cycle of seasons: give --seasonality as well"):
        spec(tmp_path / "x.csv", design="its", period=4)
    with pytest.raises(DataError, match="--unit is missing"):
        spec(tmp_path / "x.csv", unit=None)
    with pytest.raises(DataError, match="name their column with --unit"):
        spec(tmp_path / "x.csv", unit=None, design="its")
    with pytest.raises(DataError, match="--start is missing"):
        spec(tmp_path / "x.csv", start=None)


def test_populations_must_be_positive(tmp_path):
    file = panel(tmp_path, people=lambda k, year, value: k)
    with pytest.raises(DataError, match="populations that are not positive"):
        read_spec(spec(file, population="people"))


# The command


def test_a_panel_prints_its_effect_checks_and_weights_and_keeps_a_folder(gwm, tmp_path):
    file = panel(tmp_path, effect=12.0)
    code, out, _ = gwm(
        "evaluate", "--panel", file, *COLUMNS, "--treated", "A00", "--start", 2009, "--design", "sc", "--level", 0.9
    )
    assert code == 0
    assert "rate: +1" in out and "90% interval" in out and "Weights: A" in out and "pre fit" in out
    assert "Report: results/runs/evaluate-panel/report.html" in out
    manifest = json.loads((tmp_path / "results/runs/evaluate-panel/manifest.json").read_text("utf-8"))
    assert len(manifest["panel_sha256"]) == 64 and "--design sc" in manifest["command"]


def test_a_scenario_prints_what_was_projected_beside_what_was_estimated(gwm, tmp_path, shipped):
    text = shipped.scenario("evaluate-greater-manchester-2015").read_text("utf-8")
    start, end = text.index("  design:"), text.index("  pre:")
    block = "  design: did\n  outcomes: [economic_activity_rate_16_64]\n"
    file = tmp_path / "quick.yaml"
    file.write_text(f"{text[:start]}{block}{text[end:]}".replace("draws: 4000", "draws: 200"), "utf-8")
    code, out, _ = gwm("evaluate", file, "--format", "csv")
    assert code == 0
    first = next(csv.DictReader(out.splitlines()))
    assert first["outcome"] == "economic_activity_rate_16_64" and first["level"] == "0.9"
    assert float(first["predicted_lower"]) < float(first["predicted"]) < float(first["predicted_upper"])
    assert float(first["lower"]) < float(first["estimate"]) < float(first["upper"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "takes a SCENARIO, or --panel"),
        (("nothing", "--panel", "x.csv"), "one of the two"),
        (("northern-participation-2026", "--unit", "a", "--design", "sc"), "--unit, --design go with --panel"),
        (("--panel", "x.csv", "--unit", "a"), "--panel needs --time, --outcome, --design as well"),
        (
            ("--panel", "x.csv", *COLUMNS, "--treated", "A", "--design", "sc", "--as-if-start", "3"),
            "--as-if-start goes with a scenario",
        ),
        (
            ("--panel", "x.csv", *COLUMNS, "--treated", "A", "--start", "1", "--design", "sc", "--years-after", "3"),
            "--years-after is for the power alone: give --power as well",
        ),
        (("northern-participation-2026", "--level", "3"), "--level must lie between 0 and 1"),
        (("nothing",), "has no evaluation block"),
        (("participation-goal",), "is a goal, not a scenario"),
        (("--panel", "x.csv", *COLUMNS, "--treated", "A", "--start", "1", "--design", "sc"), "x.csv cannot be read"),
        (
            ("--panel", "x.csv", *COLUMNS, "--treated", "A", "--start", "1", "--design", "magic"),
            "--design must be one of",
        ),
        (("northern-participation-2026", "--as-if-start", "2026"), "must start before the action does"),
    ],
)
def test_wrong_words_are_one_clear_line_and_leave_with_1(gwm, words, message):
    code, out, err = gwm("evaluate", *words)
    assert code == 1 and message in err and "Traceback" not in err and out == ""


def test_a_design_that_no_outcome_allows_leaves_with_2_and_says_why(gwm, tmp_path, shipped):
    text = shipped.scenario("evaluate-greater-manchester-2015").read_text("utf-8")
    places = text.index("      areas: [Bolton"), text.index("    phasing:")
    file = tmp_path / "everyone.yaml"
    file.write_text(f"{text[: places[0]]}      everyone: true\n{text[places[1] :]}", "utf-8")
    code, out, err = gwm("evaluate", file)
    assert code == 2 and "no donor is left" in out and "No outcome can be evaluated" in err


def test_the_help_of_evaluate_and_the_room_itself_load_nothing_heavy(tmp_path):
    probe = (
        "import sys, gwm_models.evaluation; sys.argv = ['gwm', 'evaluate', '--help']\n"
        "from gwm_models.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'pandas', 'scipy', 'statsmodels', 'numpy'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def made_effect(att, lower, upper, level=0.95):
    row = {"time": 2001, "post": True}
    effect = SimpleNamespace(path=[SimpleNamespace(**row)], method="sc", start=2001, outcome="y", treated=("A",))
    vars(effect).update(att=att, lower=lower, upper=upper, level=level, valid=True)
    return effect_words(effect, "points")


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((-19.5136, -39.887, 0.85975), ("−19.5", "−39.9 to 0.9")),
        ((0.00021, 0.0001, 0.0003), ("+0.000210", "0.000100 to 0.000300")),
        ((1234.567, -2000.1, 4500.4), ("+1,235", "−2,000 to 4,500")),
        ((8.2, 0.0132, 16.4), ("+8.20", "0.01 to 16.40")),
        ((0.0, 0.0, 0.0), ("0.0", "0.0 to 0.0")),
    ],
)
def test_an_effect_and_its_interval_are_written_with_as_many_decimals_as_they_need(numbers, words):
    size, ends = words
    said = f"y: {size} points in A, 2001, against what it would have been (95% interval {ends})."
    assert made_effect(*numbers) == said


def test_an_interval_of_99_5_percent_is_not_called_one_of_100():
    assert "(99.5% interval" in made_effect(1.0, 0.5, 1.5, level=0.995)
