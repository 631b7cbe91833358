"""What a user calls an area, on the command line and in a scenario file."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gwm_models.cli import run_command
from gwm_models.cli.area import place_of
from gwm_models.data.area_names import meaning_of, words_of
from gwm_models.data.edition import load_edition
from gwm_models.data.vocabulary import EDITIONS, load_vocabulary
from gwm_models.errors import DataError, GwmError
from gwm_models.scenarios.compare_terms import parse_measure
from gwm_models.scenarios.reader import check_mapping

MONITOR = load_edition()
HULL, DURHAM = "Kingston upon Hull, City of", "County Durham"


def found(text, edition=MONITOR):
    return edition.areas.name[place_of(edition, text)]


def refused(text, edition=MONITOR):
    with pytest.raises(DataError) as caught:
        place_of(edition, text)
    message = str(caught.value)
    assert "\n" not in message and message.isprintable()
    return message


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("st helens", "St. Helens"),
        ("Saint Helens", "St. Helens"),
        ("STOKE ON TRENT", "Stoke-on-Trent"),
        ("Stoke", "Stoke-on-Trent"),
        ("Kingston upon Hull", HULL),
        ("Kingston upon Hull, City of", HULL),
        ("hull", HULL),
        ("Hull City Council", HULL),
        ("e06000010", HULL),
        ("Durham", DURHAM),
        ("durham county council", DURHAM),
        ("Brístol", "Bristol, City of"),
        ("City of Bristol", "Bristol, City of"),
        ("County of Herefordshire", "Herefordshire, County of"),
        ("Bournemouth", "Bournemouth"),
        ("Newcastle", "Newcastle upon Tyne"),
        ("NE Lincs", "North East Lincolnshire"),
        ("n lincs", "North Lincolnshire"),
        ("Bath & North East Somerset", "Bath and North East Somerset"),
        ("BANES", "Bath and North East Somerset"),
        ("Isle of W", "Isle of Wight"),
        ("York", "York"),
        ("Derby", "Derby"),
        ("Somerset", "Somerset"),
        ("Essex County Council", "Essex"),
        ("\uff2c\uff45\uff45\uff44\uff53", "Leeds"),
    ],
)
def test_an_area_is_found_by_what_people_call_it(text, name):
    assert found(text) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Sussex", "'Sussex' may be West Sussex or East Sussex. Name one of them."),
        ("Yorkshire", "'Yorkshire' may be North Yorkshire or East Riding of Yorkshire. Name one of them."),
        ("City of", f'\'City of\' may be "Bristol, City of" or "{HULL}". Name one of them.'),
        ("Stockpot", "There is no area 'Stockpot' in monitor-2021. Did you mean Stockport?"),
        ("Newcastel", "There is no area 'Newcastel' in monitor-2021. Did you mean Newcastle upon Tyne?"),
        (
            "Oxford",
            "There is no area 'Oxford' in monitor-2021. Did you mean Oxfordshire? A district within a county has no "
            "figure of its own.",
        ),
        ("North East", "There is no area 'North East' in monitor-2021. North East is a region; name one of its areas."),
        (
            "Bournemouth, Christchurch and Poole",
            "There is no area 'Bournemouth, Christchurch and Poole' in monitor-2021. Did you mean Poole or "
            "Bournemouth? Bournemouth, Christchurch and Poole (E06000058) is not an area of its own here.",
        ),
        (" ", "The name of the area is empty. Write a name or a code; gwm index scores lists them."),
    ],
)
def test_what_is_not_clear_is_refused_with_what_to_write(text, message):
    assert refused(text) == message


@pytest.mark.parametrize("text", ["London", "Cardiff", "Caerdydd", "Ynys Môn", "Camden", "Isles of Scilly", "Exeter"])
def test_a_place_without_figures_is_told_what_the_editions_cover(text):
    message = refused(text)
    assert message.startswith(
        f"There is no area '{text}' in monitor-2021. Shipped editions have upper-tier authorities"
    )
    assert "Did you mean" not in message


@pytest.mark.parametrize(
    "text", ["😀", "\x1b[31mHull\x07", "Hull\nLeeds", "\u202eHull", "=cmd()", "<b>", "'; drop", "%s{0}"]
)
def test_emoji_and_control_characters_are_one_harmless_line(text):
    try:
        assert found(text) in MONITOR.areas.name
    except DataError as error:
        assert "\n" not in str(error) and "\x1b" not in str(error) and len(str(error)) < 400


def test_a_name_of_other_boundaries_says_which_areas_carry_its_figures():
    open_edition = load_edition("open-2019")
    assert found("Bournemouth, Christchurch and Poole", open_edition).startswith("Bournemouth, C")
    assert "Bournemouth (E06000028) is not an area of its own here" in refused("Bournemouth", open_edition)
    assert "Dorset (E10000009) has other boundaries here" in refused("E10000009", open_edition)
    assert "Did you mean Poole or Bournemouth?" in refused("Christchurch")


def test_a_guess_is_named_on_standard_error_and_a_name_in_any_spelling_is_not(capsys):
    place_of(MONITOR, "st helens")
    assert capsys.readouterr().err == ""
    place_of(MONITOR, "hull")
    assert capsys.readouterr().err == f"'hull' is taken to be {HULL} (E06000010).\n"


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_name_and_code_of_an_edition_means_itself_in_any_case(edition):
    words = load_vocabulary(edition)
    for code, name in words.areas.items():
        bare = name.replace(",", "").replace(".", "").replace("-", " ")
        for text in (code, code.lower(), name, name.upper(), name.lower(), f"  {name}  ", bare):
            meant = meaning_of(text, words.areas, edition=edition, regions=words.regions)
            assert (meant.code, meant.sure) == (code, True), text


def test_no_name_hides_behind_another_when_only_its_own_words_are_given():
    """Every area can be named by its whole words without office: the resolver never sends one to another."""
    for code, name in zip(MONITOR.areas.code, MONITOR.areas.name, strict=True):
        assert MONITOR.areas.code[place_of(MONITOR, " ".join(words_of(name)))] == code


NAMES = st.sampled_from(MONITOR.areas.name)


@given(st.one_of(st.text(max_size=200), st.lists(NAMES, max_size=3).map(" ".join), NAMES.map(lambda name: name[2:9])))
@example("")
@example("of")
@example("\ud800")
def test_any_text_gives_an_area_or_an_error_of_one_line(text):
    try:
        place = place_of(MONITOR, text)
    except GwmError as error:
        message = str(error)
        assert error.exit_code == 1 and message.isprintable() and len(message) < 700
    else:
        assert 0 <= place < len(MONITOR.areas)


@given(NAMES, st.randoms(use_true_random=False))
def test_accents_and_cases_do_not_matter(name, luck):
    marks = ("\u0301", "\u0308", "")
    text = "".join(
        unicodedata.normalize(
            "NFC", luck.choice((char.upper(), char.lower())) + (luck.choice(marks) if char.isalpha() else "")
        )
        for char in name
    )
    assert found(text) == name


def test_a_slip_of_the_pen_is_suggested_and_never_taken():
    """One letter left out inside a name: an area is found only where the text still begins or is a word of a name."""
    taken = 0
    for name in MONITOR.areas.name:
        text = name[:3] + name[4:]
        try:
            assert found(text) == name, text
            taken += 1
        except DataError as error:
            assert name in str(error), text
    assert taken <= 3


def test_an_edition_of_the_users_own_says_nothing_of_boundaries_it_does_not_know():
    areas = {"A": "Alder", "B": "Birch"}
    assert meaning_of("London", areas, edition="./mine").note == ""
    assert meaning_of("Bournemouth", areas, edition="./mine").note == ""
    assert meaning_of("ald", areas, edition="./mine").code == "A"


def scenario(**target):
    return {
        "schema": "gwm-scenario/1",
        "id": "names",
        "title": "Names",
        "question": "Are they known?",
        "baseline": {"edition": "monitor-2021"},
        "horizon": {"start": 2026, "end": 2030},
        "actions": [
            {
                "id": "a",
                "indicator": "economic_activity_rate",
                "change": {"kind": "absolute", "value": 1.0, "unit": "pp"},
                "target": target,
                "phasing": {"start": 2026, "full_by": 2027},
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("Hull", f"(did you mean '{HULL}'?)", f"write '{HULL}', quotes included"),
        ("st helens", "(did you mean 'St. Helens'?)", "write 'St. Helens'"),
        (
            "Oxford",
            "(did you mean 'Oxfordshire'?). A district within a county has no figure of its own",
            "'Oxfordshire'",
        ),
        ("Christchurch", "(did you mean 'Poole' or 'Bournemouth'?)", "write 'Poole' or 'Bournemouth'"),
        (
            "London",
            "unknown area 'London'",
            "use a name or a code that gwm index scores lists. Shipped editions have upper-tier authorities of England",
        ),
    ],
)
def test_a_scenario_file_suggests_by_the_same_rules_and_does_not_guess(name, what, fix):
    for target in ({"areas": [name]}, {"everyone": True, "exclude": [name]}):
        checked, problems = check_mapping(scenario(**target), load_vocabulary())
        (problem,) = [each for each in problems if each.severity == "error"]
        assert checked is None
        assert problem.what.startswith(f"unknown area '{name}'") and what in problem.what
        assert fix in problem.fix


def test_a_measure_of_an_area_takes_its_short_form():
    assert parse_measure("total@hull", MONITOR).group == HULL
    with pytest.raises(DataError, match="unknown group 'sussex'"):
        parse_measure("total@sussex", MONITOR)


@pytest.mark.parametrize(
    "words",
    [
        ["ranks", "--draws", "200"],
        ["index", "scores"],
        ["index", "peers", "--draws", "100"],
        ["index", "reproduce"],
        ["index", "series"],
    ],
)
def test_every_command_with_an_area_takes_the_same_names(words, monkeypatch, capsys):
    shows = "E06000021,Stoke-on-Trent," if "peers" in words else f'E06000010,"{HULL}",'
    monkeypatch.setattr("sys.argv", ["gwm", *words, "--area", "hull", "--format", "csv"])
    assert run_command() == 0
    shown = capsys.readouterr()
    assert shows in shown.out.splitlines()[1]
    assert shown.err == f"'hull' is taken to be {HULL} (E06000010).\n"
    monkeypatch.setattr("sys.argv", ["gwm", *words, "--area", "Lundy"])
    assert run_command() == 1
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("There is no area 'Lundy' in ") and shown.err.count("\n") == 1


def test_a_new_file_takes_short_names_on_the_command_line_and_refuses_unclear_ones(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["gwm", "init", "new.yaml", "--change", "median_pay"]
    monkeypatch.setattr("sys.argv", [*words, "--area", "Sussex"])
    assert run_command() == 1 and list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == "'Sussex' may be West Sussex or East Sussex. Name one of them.\n"
    monkeypatch.setattr("sys.argv", [*words, "--area", "hull", "--area", "durham"])
    assert run_command() == 0
    assert f'areas: ["{HULL}", "{DURHAM}"]' in (tmp_path / "new.yaml").read_text()


def test_two_areas_are_compared_by_short_names(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["gwm", "ranks", "--compare", "hull", "stoke", "--draws", "200"])
    assert run_command() == 0
    shown = capsys.readouterr()
    assert HULL in shown.out and "Stoke-on-Trent" in shown.out and shown.err.count("is taken to be") == 2
