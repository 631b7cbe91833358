"""Panels for evaluation: what is read, in which order, and what is refused with which words."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from gwm_models.errors import DataError, ModelError
from gwm_models.evaluation.effect import Check, Effect, PathRow, PlaceboRow, Words
from gwm_models.evaluation.neighbours import neighbour_pairs, rows_apart
from gwm_models.evaluation.panel import read_panel, treated_rows

COLUMNS = {"unit": "area", "time": "year", "outcome": "rate"}


def rows(**changes):
    plain = {"area": ["A", "A", "B", "B"], "year": [2001, 2002, 2001, 2002], "rate": [1.0, 2.0, 3.0, 4.0]}
    return {**plain, **changes}


def test_rows_in_any_order_become_units_by_name_and_times_in_order():
    panel = read_panel(
        {"area": ["B", "A", "A", "B"], "year": [2002, 2001, 2002, 2001], "rate": [4, 1, 2, 3]}, **COLUMNS
    )
    assert panel.unit == ("A", "B")
    assert panel.time == (2001, 2002)
    assert panel.value.tolist() == [[1, 2], [3, 4]]


def test_a_data_frame_and_a_mapping_give_the_same_panel():
    assert read_panel(pd.DataFrame(rows()), **COLUMNS).value.tolist() == read_panel(rows(), **COLUMNS).value.tolist()


@pytest.mark.parametrize(
    ("times", "start", "column"),
    [
        (["2001", "2002", "2001", "2002"], 2002, 1),
        (["2001-03", "2002-04", "2001-03", "2002-04"], "2002-04", 1),
        ([dt.date(2001, 1, 1), dt.date(2002, 1, 1)] * 2, dt.date(2001, 6, 1), 1),
        (pd.to_datetime(["2001-01-01", "2002-01-01"] * 2), "2002-01-01", 1),
        (np.array(["2001", "2002"] * 2, dtype="datetime64[Y]"), "2002-01-01", 1),
        ([2001.0, 2002.5, 2001.0, 2002.5], 2001.5, 1),
    ],
)
def test_times_are_numbers_dates_or_text_and_a_start_may_lie_between_two(times, start, column):
    assert read_panel(rows(year=times), **COLUMNS).start_column(start) == column


def test_units_may_be_numbers_and_are_found_by_number_or_text():
    panel = read_panel(rows(area=[3.0, 3.0, 7.0, 7.0]), **COLUMNS)
    assert panel.unit == ("3", "7")
    assert treated_rows(panel, 7) == treated_rows(panel, ["7"]) == [1]


def test_a_unit_time_that_is_not_there_is_a_gap():
    panel = read_panel({"area": ["A", "A", "B"], "year": [1, 2, 2], "rate": [1.0, 2.0, 3.0]}, **COLUMNS)
    assert np.isnan(panel.value[1, 0])
    assert panel.gaps() == ["B (1)"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"year": [2001, 2001, 2001, 2002]}, "1 unit-times have more than one row: A at 2001"),
        ({"rate": [1.0, "x", 3.0, 4.0]}, "column 'rate' has 'x' in row 2; expected a number"),
        ({"rate": [1.0, np.inf, 3.0, 4.0]}, "column 'rate' is infinite in 1 of 4 rows"),
        ({"rate": [np.nan, None, "", pd.NA]}, "column 'rate' has no figure at all"),
        ({"rate": [1.0, 2.0]}, "column 'rate' has 2 rows; expected 4"),
        ({"area": ["A", None, "B", "B"]}, "column 'area' is empty in 1 of 4 rows"),
        ({"year": [2001, None, 2001, 2002]}, "column 'year' is empty in 1 of 4 rows"),
        ({"year": [2001, "spring", 2001, 2002]}, "column 'year' mixes numbers and text such as 'spring'"),
        ({"year": [2001, 2002]}, "column 'area' has 4 rows and 'year' 2"),
        ({"area": [], "year": [], "rate": []}, "the panel has no rows"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(changes, message):
    with pytest.raises(DataError) as caught:
        read_panel(rows(**changes), **COLUMNS)
    assert message in str(caught.value)


def test_a_missing_column_is_named_beside_those_there_are():
    with pytest.raises(DataError, match="no column 'pay'; it has area, year, rate"):
        read_panel(rows(), unit="area", time="year", outcome="pay")


def test_a_start_needs_a_time_before_it_and_one_from_it_on():
    panel = read_panel(rows(), **COLUMNS)
    with pytest.raises(ModelError, match=r"start 2003 is after the last time of the panel, 2002"):
        panel.start_column(2003)
    with pytest.raises(ModelError, match=r"start 2001 leaves no time before it"):
        panel.start_column(2001)
    with pytest.raises(DataError, match="Give it in the same form"):
        panel.start_column("spring")


def test_an_unknown_treated_unit_is_refused():
    with pytest.raises(DataError, match="unit 'C' is not in the panel, which has 2 units"):
        treated_rows(read_panel(rows(), **COLUMNS), "C")
    with pytest.raises(ModelError, match="no treated unit was named"):
        treated_rows(read_panel(rows(), **COLUMNS), [])


def gappy():
    return read_panel(
        {"area": list("AAABBBCC"), "year": [1, 2, 3, 1, 2, 3, 1, 3], "rate": [1.0, 2, 3, 4, 5, 6, 7, 9]}, **COLUMNS
    )


def test_gaps_are_refused_unless_units_or_times_are_to_be_left_out():
    with pytest.raises(DataError, match=r"no figure for 1 of 3 units at some time: C \(2\)"):
        gappy().balanced()
    units = gappy().balanced(missing="drop_units")
    assert units.unit == ("A", "B")
    assert units.excluded == ("C (2): no figure",)
    times = gappy().balanced(missing="drop_times")
    assert times.time == (1, 3)
    assert times.value.tolist() == [[1, 3], [4, 6], [7, 9]]
    assert times.excluded == ("2: no figure for some unit",)


def test_a_treated_unit_with_a_gap_is_never_left_out():
    with pytest.raises(DataError, match="treated unit C has no figure"):
        gappy().balanced(keep=["C"], missing="drop_units")
    with pytest.raises(ValueError, match="missing must be"):
        gappy().balanced(missing="ignore")


def test_times_that_all_have_a_gap_are_refused():
    panel = read_panel({"area": ["A", "B"], "year": [1, 2], "rate": [1.0, 2.0]}, **COLUMNS)
    with pytest.raises(DataError, match="a gap at every time"):
        panel.balanced(missing="drop_times")


def test_a_panel_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        read_panel(rows(), **COLUMNS).value[0, 0] = 9


# Neighbours


def test_neighbours_are_pairs_of_units_of_the_real_borders():
    pairs = neighbour_pairs()
    assert pairs == tuple(sorted(set(pairs)))
    assert all(a < b for a, b in pairs)
    units = {unit for pair in pairs for unit in pair}
    assert 100 < len(units) <= 117


def test_pairs_of_units_that_are_not_in_the_panel_are_refused_when_none_is():
    assert rows_apart(["A", "B"], [("B", "A")]) == {0: frozenset({1}), 1: frozenset({0})}
    assert rows_apart(["A", "B"], []) == {}
    with pytest.raises(DataError, match="none of the 1 pairs of neighbours"):
        rows_apart(["A", "B"], [("X", "Y")])


# The result


def effect():
    return Effect(
        method="sc",
        outcome="rate",
        treated=("A",),
        start=2,
        att=np.float64(1.5),
        std_error=None,
        lower=1.0,
        upper=2.0,
        level=0.95,
        p_value=float("nan"),
        interval="by hand",
        valid=True,
        valid_why="by hand",
        path=(PathRow(1, 2.0, 2.0, 0.0, post=False), PathRow(2, 3.5, 2.0, 1.5)),
        words=Words("a", "b", "c"),
        weights={"B": 1.0},
        time_weights={1: 1.0},
        placebo=(PlaceboRow("A", 1.5, 0.0, 1.5, float("inf"), 1, True),),
        checks=(Check("fit", 0.0, "pass", "it fits."),),
        terms=({"term": "without B", "estimate": np.float64(2.0)},),
        sample={"units": 2},
    )


def test_an_effect_is_ready_for_json_with_numbers_that_are_not_finite_left_empty():
    found = json.loads(json.dumps(effect().to_dict(), allow_nan=False))
    assert found["att"] == 1.5
    assert found["p_value"] is None
    assert found["placebo"][0]["ratio"] is None
    assert found["time_weights"] == [{"time": 1, "weight": 1.0}]
    assert found["words"] == {"estimates": "a", "assumes": "b", "cannot_say": "c"}


def test_the_rows_of_an_effect_begin_with_the_effect_itself():
    first, second = effect().rows()
    assert (first["term"], first["estimate"], first["lower"], first["upper"], first["n"]) == ("att", 1.5, 1.0, 2.0, 2)
    assert second == {"term": "without B", "estimate": 2.0}


def test_an_effect_is_told_in_one_line_and_its_checks_are_found_by_name():
    assert repr(effect()) == "Effect(sc rate: 1.5, 95% 1 to 2)"
    assert effect().check("fit").verdict == "pass"
    with pytest.raises(KeyError, match="there are fit"):
        effect().check("power")
