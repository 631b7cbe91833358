"""The linter of published tables: the known faults of the shipped ones, and planted faults in a made-up one."""

import json
from pathlib import Path

import pytest
import typer
from data_copy import make_small, replace_line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gwm_models.cli.data_lint import lint as command
from gwm_models.data.home import data_home
from gwm_models.data.lint import LintOptions, lint_table
from gwm_models.data.package import examine_package
from gwm_models.data.roles import find_roles
from gwm_models.errors import DataError

app = typer.Typer()
app.command()(command)

SOUND = """\
Rank,Area,Region,Work,Pay,Total
1,Ashby,North,90.1,80.2,170.3
2,Brook,North,85.0,75.0,160.0
3,Combe,South,80.0,79.9,159.9
4,Dunmow,South,60.5,70.5,131.0
5,Elham,East,55.0,50.0,105.0
6,Frome,East,50.0,49.9,99.9
7,Grange,West,30.0,20.0,50.0
8,Holt,West,20.0,15.0,35.0
"""
AREAS = """\
name,region
Ashby,North
Brook,North
Combe,South
Dunmow,South
Elham,East
Frome,East
Grange,West
Holt,West
"""
CLAIMS = """\
claim_id,check,area_name,region_name,top_n,column,stated
"""


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Return a writer of the made-up table below the current folder, and what its check finds there."""
    monkeypatch.chdir(tmp_path)
    Path("places.csv").write_text(AREAS, encoding="utf-8")
    options = LintOptions(limits=(1, 100), against=("places.csv",))

    def found(text=SOUND, **other):
        Path("made.csv").write_text(text, encoding="utf-8")
        result = lint_table("made.csv", LintOptions(**({"limits": (1, 100), "against": ("places.csv",)} | other)))
        return [str(problem).removeprefix("made.csv") for problem in result.problems]

    assert found() == [] and options.best == "high"
    return found


def gwm_lint(*words):
    return CliRunner().invoke(app, [*map(str, words)])


# The shipped tables


def test_the_known_faults_of_the_shipped_tables_are_all_found_by_the_table_they_are_in():
    tables = ("monitor_scores", "conditions_scores", "outcomes")
    found = {str(problem) for name in tables for problem in lint_table(name).problems}
    assert found == {str(problem) for problem in examine_package().problems}
    assert [len(lint_table(name).problems) for name in tables] == [7, 11, 1]


@pytest.mark.parametrize(
    "words",
    [
        "3 of 118 areas agree within 0.2; total minus sum has mean +8.9, sd 9.7, from -18.6 (Wokingham) to +42.0",
        "the two tables disagree on South Gloucestershire: South East in the Monitor table, South West in the",
        "Warwickshire is printed in 'East Midlands'; its ONS region is West Midlands",
        "Bournemouth is printed in '#N/A'; its ONS region is South West",
        "Poole is printed in '#N/A'; its ONS region is South West",
        "Poole and Bury tie at the printed total, 613.6, with ranks 28 and 29",
        "the text names Manchester and Rutland as the only top-10 areas outside the South East",
        "the text puts North Tyneside first of the North East, at 41st; in the conditions table Darlington is first",
    ],
)
def test_a_fault_of_the_conditions_table_is_found(words):
    assert any(words in problem.what for problem in lint_table("conditions_scores").problems)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("monitor_scores", "South Gloucestershire is printed in 'South East'; its ONS region is South West"),
        ("monitor_scores", "Torbay and Swindon tie at the printed total, 287.4, with ranks 73 and 74"),
        ("monitor_scores", "Blackburn with Darwen and North East Lincolnshire tie at the printed total, 187.2"),
        ("monitor_scores", "the text says 119 areas; the Monitor table has 118"),
        ("monitor_scores", "the text ranks Blackpool 110th; the Monitor table ranks it 112th"),
        ("outcomes", "the text gives 59.4 for Stoke-on-Trent (male, 2016-18); the official figure is 57.4"),
    ],
)
def test_a_fault_of_another_shipped_table_is_found(table, words):
    assert any(words in problem.what for problem in lint_table(table).problems)


@pytest.mark.parametrize("table", ["areas", "borders", "disease_correlations", "access_domain_reproduction", "units"])
def test_a_sound_shipped_table_has_nothing_to_tell(table):
    assert lint_table(table).problems == ()


def test_the_files_of_the_published_tables_have_the_same_faults_as_any_csv(shipped):
    options = LintOptions(claims=shipped.data / "report_claims.csv", against=("areas",))
    monitor = lint_table(shipped.data / "monitor_scores.csv", options)
    assert [problem.what for problem in monitor.problems] == [
        "South Gloucestershire is printed in 'South East'; in areas.csv it is in South West",
        "Torbay and Swindon tie at the printed total, 287.4, with ranks 73 and 74",
        "Blackburn with Darwen and North East Lincolnshire tie at the printed total, 187.2, with ranks 106 and 107",
        "areas_collected: the text says 119 areas; the Monitor table has 118",
        "blackpool_rank: the text ranks Blackpool 110th; the Monitor table ranks it 112th",
    ]
    assert monitor.errors == ()
    conditions = lint_table(shipped.data / "conditions_scores.csv", options)
    assert conditions.errors == () and len(conditions.problems) == 9
    assert "3 of 118 areas agree within 0.2" in conditions.problems[0].what
    assert conditions.roles.startswith("areas by area_code, total = prosperity + demand + education + inequality")


def test_a_fault_in_a_shipped_table_is_an_error_as_in_the_check_of_the_package(tmp_path, monkeypatch):
    home = make_small(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    replace_line(home / "monitor_scores.csv", 5, ",183.7,", ",283.7,")
    [first, second] = lint_table("monitor_scores", folder=home).errors
    assert str(first) == (
        "data/monitor_scores.csv:5:6: error: status: 283.7 is outside 2 to 200 points. Fix: correct the figure."
    )
    assert "Trafford: total 466.4 is not the sum of its domains, 566.4" in second.what
    result = gwm_lint("monitor_scores", "--folder", home)
    assert result.exit_code == 1 and result.stdout.rstrip().endswith(": 2 errors, 7 warnings")


# Planted faults, one at a time


PLANTED = [
    ("131.0", "132.0", ":5:6: error: Total: Dunmow: total 132 is not the sum of its domains, 131.0. "
     "Fix: correct the total or the domain."),
    ("8,Holt,West,20.0,15.0,35.0\n", "", ": error: Area: missing areas: Holt (1 of the 8 in places.csv). "
     "Fix: add their rows, or name the right table with --against."),
    ("90.1,80.2", "100.7,69.6", ":2:4: error: Work: Ashby: 100.7 is outside 1 to 100, the range of the index. "
     "Fix: correct the figure."),
    ("20.0,15.0", "34.6,0.4", ":9:5: error: Pay: Holt: 0.4 is outside 1 to 100, the range of the index. "
     "Fix: correct the figure."),
    ("80.0,79.9", "abc,79.9", ":4:4: error: Work: expected a number, found 'abc'. Fix: correct it."),
    ("80.0,79.9", ":,79.9", ":4:4: warning: Work: 1 of 8 rows have no figure (line 4): left out of the checks."),
    ("80.0,79.9,159.9", "80.0,80.0,160.0", ":3:1: warning: Rank: Brook and Combe tie at the printed total, 160.0, "
     "with ranks 2 and 3."),
    ("5,Elham,East,55.0,50.0,105.0\n6,Frome,East,50.0,49.9,99.9",
     "5,Elham,East,50.0,49.9,99.9\n6,Frome,East,55.0,50.0,105.0",
     ":7:1: warning: Rank: Frome (105.0) is ranked below Elham (99.9)."),
    ("4,Dunmow", "3,Dunmow", ":4:1: warning: Rank: Combe (159.9) and Dunmow (131) share rank 3."),
    ("8,Holt", "9,Holt", ":9:1: warning: Rank: Holt has rank 9; 7 areas are above it; no area has rank 8."),
    ("Combe,South", "Combe,North", ":4:3: warning: Region: Combe is printed in 'North'; in places.csv it is in South."),
    ("8,Holt,West,20.0,15.0,35.0\n", "8,Holt,West,20.0,15.0,35.0\n9,Isle,West,10.0,10.0,20.0\n",
     ":10:2: warning: Area: Isle is not in places.csv."),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), PLANTED)
def test_a_planted_fault_is_found_and_nothing_else(made_up, old, new, message):
    assert old in SOUND
    assert made_up(SOUND.replace(old, new, 1)) == [message]


def test_an_area_on_two_lines_is_found_with_what_it_brings(made_up):
    assert made_up(SOUND.replace("8,Holt", "8,Brook")) == [
        ":9:3: warning: Region: Brook is printed in 'West'; in places.csv it is in North.",
        ": error: Area: missing areas: Holt (1 of the 8 in places.csv). "
        "Fix: add their rows, or name the right table with --against.",
        ":9:2: error: Area: 'Brook' is already on line 3. Fix: keep one of the two rows, or correct the name.",
    ]
    assert made_up(SOUND.replace("8,Holt", "8, brook"))[-1] == (
        ":9:2: error: Area: 'brook' is already on line 3. Fix: keep one of the two rows, or correct the name."
    )


def test_all_planted_faults_at_once_are_all_found(made_up):
    text = SOUND
    for old, new, _ in (PLANTED[0], PLANTED[2], PLANTED[6], PLANTED[10], PLANTED[11]):
        text = text.replace(old, new, 1)
    found = made_up(text.replace("Combe,South", "Combe,North"))
    assert [line.split(": ")[1] for line in found] == ["warning"] * 3 + ["error"] * 2


def test_rounding_to_the_printed_decimal_is_no_fault(made_up):
    assert made_up(SOUND.replace("131.0", "131.1")) == []
    assert len(made_up(SOUND.replace("131.0", "131.2"))) == 1


@pytest.mark.parametrize("huge", ["9e300", "4.9e305", "1.7e308", "-1.7e308"])
def test_a_figure_far_too_large_is_told_as_one(made_up, huge):
    found = made_up(SOUND.replace("170.3", huge))
    assert any(line.startswith(":2:6: error: Total: Ashby: ") and "is outside 2 to 200" in line for line in found)
    assert any("is not the sum of its domains" in line for line in found)


def test_where_most_totals_are_no_sums_one_warning_says_so(made_up):
    text = SOUND
    for old, new in (
        ("170.3", "180.3"),
        ("160.0", "166.0"),
        ("159.9", "161.9"),
        ("105.0", "107.0"),
        ("50.0\n", "49.0\n"),
    ):
        text = text.replace(old, new)
    assert made_up(text) == [
        ": warning: Total: the printed total is not the sum of the two printed domains: 3 of 8 areas agree within 0.1; "
        "total minus sum has mean +2.4, sd 3.8, from -1.0 (Grange) to +10.0 (Ashby). Taken as its parts: Work, Pay; "
        "name others with --parts."
    ]
    assert [line.split(": ")[1] for line in made_up(text.replace("161.9", "159.9"))] == ["error"] * 4


def test_ties_may_share_a_rank_in_any_usual_way(made_up):
    tied = SOUND.replace("80.0,79.9,159.9", "80.0,80.0,160.0")
    for second, third, later in (("2=", "2=", 4), ("3", "3", 4), ("2.5", "2.5", 4), ("2", "2", 3)):
        text = tied.replace("2,Brook", f"{second},Brook").replace("3,Combe", f"{third},Combe")
        for place in range(4, 9):
            text = text.replace(f"\n{place},", f"\n{place - 4 + later},")
        assert made_up(text) == []


def test_the_lowest_total_may_be_the_best(made_up):
    lines = SOUND.splitlines()
    turned = [lines[0], *(f"{9 - int(line[0])}{line[1:]}" for line in lines[1:])]
    assert made_up("\n".join(turned) + "\n", best="low") == []
    assert len(made_up("\n".join(turned) + "\n")) == 7


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (
            "a,rank,Ashby,,,,2",
            "claims.csv:2:7: warning: stated: a: the text ranks Ashby 2nd; the table made ranks it 1st.",
        ),
        ("a,area_count,,,,,9", "claims.csv:2:7: warning: stated: a: the text says 9 areas; the table made has 8."),
        (
            "a,value,Elham,,,Pay,49.8",
            "claims.csv:2:7: warning: stated: a: the text gives 49.8 for Elham (Pay); the table made has 50.",
        ),
        (
            "a,first_in_region,Frome,East,,,5",
            "claims.csv:2:7: warning: stated: a: the text puts Frome first of the East, at 5th; in the table made "
            "Elham is first, at 5th, and Frome is 6th.",
        ),
        (
            "a,top_n_outside_region,,North,4,,Combe",
            "claims.csv:2:7: warning: stated: a: the text names Combe as the only top-4 areas outside the North; "
            "the table made has Combe 3rd, Dunmow 4th.",
        ),
        (
            "a,rank,Ashby,,,,first",
            "claims.csv:2:2: error: check: a: stated is 'first', expected a number. Fix: correct the row.",
        ),
        ("a,guess,Ashby,,,,1", "claims.csv:2:2: error: check: a: there is no check 'guess'. Fix: correct the row."),
        ("a,rank,Ashby,,,,1", None),
        ("a,value,Elham,,,Pay,50", None),
    ],
)
def test_text_is_held_against_the_table(made_up, claim, message):
    Path("claims.csv").write_text(f"{CLAIMS}{claim}\n", encoding="utf-8")
    assert made_up(claims=Path("claims.csv")) == ([message] if message else [])


def test_a_rank_in_the_text_is_held_against_the_scores_of_a_table_without_ranks(made_up):
    Path("claims.csv").write_text(f"{CLAIMS}a,rank,Combe,,,,4\nb,first_in_region,Elham,East,,,5\n", encoding="utf-8")
    bare = "\n".join(",".join(line.split(",")[1:2] + line.split(",")[3:]) for line in SOUND.splitlines()) + "\n"
    assert made_up(bare, claims=Path("claims.csv")) == [
        "claims.csv:2:7: warning: stated: a: the text ranks Combe 4th; the table made ranks it 3rd.",
        "claims.csv:3:2: warning: check: b: not checked, the table has no column of regions.",
    ]


def test_an_index_definition_gives_parts_and_ranges(made_up):
    definition = (data_home() / "conditions.yaml").read_text(encoding="utf-8")
    own = definition.replace("id: prosperity", "id: wealth").replace("domain: prosperity", "domain: wealth")
    Path("own.yaml").write_text(own, encoding="utf-8")
    text = (
        "area,wealth,demand,education,inequality,total\nAshby,300.1,10.0,20.0,30.0,360.1\n"
        "Brook,2.9,10.0,20.0,30.0,62.9\nCombe,3.0,5.0,6.0,7.0,21.0\n"
    )
    assert made_up(text, limits=None, index="own.yaml", against=()) == [
        ":2:2: error: wealth: Ashby: 300.1 is outside 3 to 300, the range of the index. Fix: correct the figure.",
        ":3:2: error: wealth: Brook: 2.9 is outside 3 to 300, the range of the index. Fix: correct the figure.",
    ]
    with pytest.raises(DataError, match="The table has no column prosperity for a domain of conditions"):
        made_up(text, limits=None, index="conditions")


# What the columns are


def test_columns_are_known_by_their_names_or_named():
    columns = ["LAD code", "LAD name", "Region", "Work", "Pay", "Population 2030", "Overall score", "Position"]
    numeric = columns[3:]
    roles = find_roles(columns, numeric)
    assert (roles.key, roles.name, roles.region) == ("LAD code", "LAD name", "Region")
    assert (roles.total, roles.parts, roles.rank) == ("Overall score", ("Work", "Pay"), "Position")
    assert find_roles(columns, numeric, total="Pay", parts=["Work"], rank="").parts == ("Work",)
    with pytest.raises(DataError, match=r"The table has no column 'Wrok'. Did you mean Work\?"):
        find_roles(columns, numeric, parts=["Wrok"])
    with pytest.raises(DataError, match=r"No column names the areas \(x, y\). Say which does, with --key."):
        find_roles(["x", "y"], ["x", "y"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table has no rows"),
        ("area,area\na,b\n", "two columns are called area"),
        ("area,\na,b\n", "a column has no name"),
        ("area,total\n", "the table has no rows"),
    ],
)
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        lint_table(path)


def test_numbers_with_parted_thousands_and_rows_of_another_length_are_dealt_with(made_up):
    text = 'area,total,work,pay\nAshby,"1,000.5",500.5,500.0\nBrook,20.0,10.0\nCombe,30.0,10.0,20.0\n'
    assert made_up(text, limits=None, against=()) == [
        ":3:1: error: the row has 3 cells, expected 4. "
        "Fix: give every cell of the row, and quote one that holds a comma.",
    ]


BREAKS = st.sampled_from([b"", b"\x00", b'"', b",", b"\n", b"\xff", b"9e300", b"-", b"nan", b"=", b"\xef\xbb\xbf"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), new=BREAKS)
def test_no_corruption_of_a_file_ends_the_check_without_an_answer(tmp_path, at, new):
    whole = SOUND.encode()
    place = int(at * (len(whole) - 1))
    path = tmp_path / f"{place}-{new.hex()}.csv"
    path.write_bytes(whole[:place] + new + whole[place + 1 :])
    try:
        result = lint_table(path, LintOptions(limits=(1, 100)))
    except DataError as error:
        assert len(str(error)) > 20
    else:
        assert result.rows == 8 or result.errors
        assert all(problem.what for problem in result.problems)


# The command


def test_the_command_leaves_with_1_for_errors_only_unless_strict(made_up):
    Path("made.csv").write_text(SOUND.replace("Combe,South", "Combe,North"), encoding="utf-8")
    words = ("made.csv", "--range", "1:100", "--against", "places.csv")
    assert gwm_lint(*words).exit_code == 0
    assert gwm_lint(*words, "--strict").exit_code == 1
    assert gwm_lint(*words).stdout.splitlines() == [
        "made.csv:4:3: warning: Region: Combe is printed in 'North'; in places.csv it is in South.",
        "made: 8 rows (areas by Area, Total = Work + Pay, rank Rank, region Region): 0 errors, 1 warning",
    ]
    Path("made.csv").write_text(SOUND.replace("131.0", "132.0"), encoding="utf-8")
    result = gwm_lint(*words, "--format", "json")
    assert result.exit_code == 1
    [row] = json.loads(result.stdout)
    assert (row["line"], row["column"], row["severity"], row["path"]) == (5, 6, "error", "Total")
    assert gwm_lint("monitor_scores").exit_code == 0


def test_columns_can_be_named_on_the_command_line(made_up):
    Path("made.csv").write_text(SOUND.replace("Total", "Sum").replace("Rank", "Place no."), encoding="utf-8")
    result = gwm_lint(
        "made.csv",
        "--key",
        "Area",
        "--total",
        "Sum",
        "--parts",
        "Work, Pay",
        "--rank",
        "Place no.",
        "--against",
        "places.csv",
    )
    assert result.stdout == (
        "made: 8 rows (areas by Area, Sum = Work + Pay, rank Place no., region Region): 0 errors, 0 warnings\n"
    )
    for words in ("100:1", "low", "1:"):
        found = gwm_lint("made.csv", "--range", words).exception
        assert str(found) == f"--range is '{words}'; expected LOW:HIGH, such as 1:100."
    assert "Did you mean monitor_scores" in str(gwm_lint("monitor_score").exception)
