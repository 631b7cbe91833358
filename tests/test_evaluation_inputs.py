"""Panels as people have them: any kind of table, times in any usual form, treated units named in any way."""

import numpy as np
import pandas as pd
import pytest

from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation import event_study, interrupted_series, staggered, synthetic_control
from gwm_models.evaluation.panel import read_panel
from gwm_models.evaluation.time_text import check_order, in_form, plain_text

COLUMNS = {"unit": "area", "time": "year", "outcome": "rate"}
TIMES = 10


def frame(units=24, times=None):
    rng = np.random.default_rng(5)
    value = rng.normal(size=(units, TIMES)).cumsum(axis=1) + rng.normal(size=TIMES).cumsum()
    value[0, 6:] += 3
    return pd.DataFrame(
        {
            "area": np.repeat([f"area {k}" for k in range(units)], TIMES),
            "year": np.tile(np.array(list(range(2001, 2001 + TIMES)) if times is None else times, dtype=object), units),
            "rate": value.ravel(),
        }
    )


def evaluate(panel, treated="area 0", start=2007, **options):
    return synthetic_control(panel, **COLUMNS, treated=treated, start=start, method="did", **options)


@pytest.fixture(scope="module")
def plain():
    return evaluate(frame())


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.set_index(["area", "year"]),
        lambda f: f.set_index("area"),
        lambda f: f.set_index(np.arange(len(f))[::-1]),
        lambda f: f.sample(frac=1, random_state=1),
        lambda f: f.to_dict("list"),
        lambda f: f.to_dict("records"),
        lambda f: f.to_records(index=False),
        lambda f: f.astype({"area": "category", "rate": "Float64"}),
        lambda f: f.astype({"year": str, "rate": str}),
        lambda f: f.assign(area="  " + f["area"]),
    ],
)
def test_any_kind_of_table_gives_the_same(change, plain):
    found = evaluate(change(frame()))
    assert found.att == pytest.approx(plain.att, abs=1e-12)
    assert found.p_value == plain.p_value


@pytest.mark.parametrize(
    "answer",
    [
        lambda f: event_study(f, **COLUMNS, treated=[f"area {k}" for k in range(5)], start=2006),
        lambda f: synthetic_control(f, **COLUMNS, treated=["area 0", "area 1", "area 2"], start=2007, n_placebo=99),
        lambda f: staggered(f, **COLUMNS, treated={f"area {k}": 2004 + k // 3 for k in range(6)}),
    ],
    ids=["event_study", "synthetic_control", "staggered"],
)
def test_the_order_of_the_rows_changes_no_answer(answer):
    plain, shuffled = answer(frame()), answer(frame().sample(frac=1, random_state=1))
    assert shuffled.to_dict() == plain.to_dict()


@pytest.mark.parametrize("panel", [None, 5, "panel.csv", [1, 2]])
def test_what_is_no_table_is_refused(panel):
    for run in (
        lambda: evaluate(panel),
        lambda: interrupted_series(panel, time="year", outcome="rate", start=2007),
        lambda: staggered(panel, **COLUMNS, treated={"area 0": 2007}),
    ):
        with pytest.raises(DataError, match=r"the panel is a \w+; expected a DataFrame"):
            run()


QUARTERS = [(2001 + k // 4, k % 4 + 1) for k in range(TIMES)]
DATES = [pd.Timestamp(2001, 1, 1) + pd.DateOffset(months=k) for k in range(TIMES)]


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ([f"{y}Q{q}" for y, q in QUARTERS], "2002Q3"),
        ([f"Q{q} {y}" for y, q in QUARTERS], "Q3 2002"),
        ([f"{y} Q{q}" for y, q in QUARTERS], "2002Q3"),
        ([d.strftime("%b %Y") for d in DATES], "Jul 2001"),
        ([d.strftime("%B %Y") for d in DATES], "2001-07"),
        ([f"2001-{d.month}" for d in DATES], "2001-07"),
        ([f"2001m{d.month}" for d in DATES], "2001-7"),
        (DATES, "2001-07-01"),
        (DATES, pd.Timestamp(2001, 7, 1)),
        (list(pd.period_range("2001-01", periods=TIMES, freq="M")), "2001-07"),
        ([f"{y}-{(y + 2) % 100:02d}" for y in range(2001, 2011)], "2007-09"),
        ([f"{y}/{(y + 1) % 100:02d}" for y in range(2001, 2011)], 2007),
        ([pd.Timestamp(y, 4, 1) for y in range(2001, 2011)], "2007"),
        ([float(y) for y in range(2001, 2011)], "2007"),
    ],
)
def test_times_in_any_usual_form_are_put_in_order(times, start, plain):
    panel = frame(times=times).sample(frac=1, random_state=2)
    assert evaluate(panel, start=start).att == pytest.approx(plain.att, abs=1e-12)


@pytest.mark.parametrize(
    "times",
    [
        [f"{k + 1:02d}/01/2001" for k in range(TIMES)],
        [f"wave {k + 1}" for k in range(TIMES)],
        [f"2001 week {k + 1}" for k in range(TIMES)],
        list("abcdefghij"),
    ],
)
def test_times_whose_order_cannot_be_told_are_refused(times):
    with pytest.raises(DataError, match="whose order cannot be told"):
        evaluate(frame(times=times), start=times[6])


def test_the_alphabet_is_enough_where_numbers_are_as_long_as_each_other():
    check_order(["wave 01", "wave 02", "wave 10"], "year")
    check_order(["2016-18", "2017-19"], "year")
    assert plain_text("2016-18") == "2016-18"
    assert plain_text("Lune 2001") == "Lune 2001"
    with pytest.raises(DataError, match="the start is missing"):
        in_form("", (2001, 2002))


def test_a_start_below_zero_is_no_way_of_saying_never():
    starts = {"area 0": 2005, "area 1": 2006} | {f"area {k}": -1 for k in range(2, 24)}
    with pytest.raises(DataError, match=r"the start of area 2 is -1, but times begin at 2001\. Leave it empty"):
        staggered(frame(), **COLUMNS, treated=starts)
    assert in_form(-3, (-5, -4, 0)) == -3


@pytest.mark.parametrize(
    "treated",
    [
        ["area 0", "area 3"],
        ("area 0", "area 3"),
        np.array(["area 0", "area 3"]),
        pd.Series(["area 0", "area 3"]),
        pd.Index(["area 0", "area 3"]),
        {"area 0": 1, "area 3": 2}.keys(),
    ],
)
def test_several_treated_units_may_come_as_any_collection(treated):
    assert evaluate(frame(), treated=treated, n_placebo=20).treated == ("area 0", "area 3")


@pytest.mark.parametrize("kind", [bool, int, float, str, "boolean"])
def test_treated_units_may_be_marked_in_a_column(kind, plain):
    panel = frame()
    mine = panel["area"] == "area 0"
    flag, status = panel.assign(flag=mine.astype(kind)), panel.assign(on=(mine & (panel["year"] >= 2007)).astype(kind))
    assert evaluate(flag, treated="flag").att == plain.att
    assert evaluate(status, treated="on", start=None).att == plain.att
    assert event_study(status, **COLUMNS, treated="on", start=None).start == 2007
    with pytest.raises(DataError, match="start is 2005, but by column 'on' it is 2007"):
        evaluate(status, treated="on", start=2005)


def test_a_column_without_treated_units_or_with_several_starts_is_refused():
    panel = frame()
    first = panel["area"].map({"area 0": 2005, "area 1": 2007}).fillna(0)
    with pytest.raises(ModelError, match="names no treated unit"):
        evaluate(panel.assign(on=0), treated="on")
    with pytest.raises(ModelError, match="2 different starts, from 2005 to 2007"):
        evaluate(panel.assign(first=first), treated="first")


def test_the_name_of_a_unit_comes_before_that_of_a_column(plain):
    panel = frame()
    panel["area 0"] = 0
    assert evaluate(panel).att == plain.att


@pytest.mark.parametrize("never", [0, np.nan, np.inf, pd.NA, None, "never", ""])
def test_never_treated_may_be_written_in_any_usual_way(never):
    panel = frame()
    starts = {f"area {k}": 2005 if k < 3 else 2007 for k in range(6)}
    column = np.array([starts.get(area, never) for area in panel["area"]], dtype=object)
    found = staggered(panel.assign(first=column), **COLUMNS, treated="first")
    assert found.att == staggered(panel, **COLUMNS, treated=starts).att
    assert found.sample["donors"] == 18


def test_one_donor_or_control_may_be_named_alone():
    panel = frame()
    assert list(evaluate(panel, donors="area 7").weights) == ["area 7"]
    assert event_study(panel, **COLUMNS, treated="area 0", start=2007, donors="area 7").sample["donors"] == 1


def test_without_controls_to_stand_in_there_is_no_p_value():
    assert event_study(frame(units=2), **COLUMNS, treated="area 0", start=2007).p_value is None


def test_a_bare_index_is_no_column():
    with pytest.raises(DataError, match="the panel has no column 'year'"):
        read_panel(frame().drop(columns="year"), **COLUMNS)
