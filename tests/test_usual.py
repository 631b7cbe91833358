"""What the checker takes as usual or known without a computation is what the tables and a run have."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from gwm_models.data.edition import load_edition
from gwm_models.data.tables import read_table
from gwm_models.data.vocabulary import EDITIONS, load_vocabulary
from gwm_models.models.conditions_link import condition_links
from gwm_models.scenarios.baseline import draw_baseline
from gwm_models.scenarios.fields import area_clusters
from gwm_models.scenarios.known import (
    condition_levels,
    conditions,
    field_values,
    first_year,
    group_members,
    group_names,
)
from gwm_models.scenarios.usual import LEVELS, USUAL_CHANGE


def groups_agree(edition):
    found, words = area_clusters(load_edition(edition)), load_vocabulary(edition)
    code = load_edition(edition).areas.code
    assert group_names(words) == found.name
    for g, name in enumerate(found.name):
        assert group_members({name}, words) == {code[i] for i in np.flatnonzero(found.label == g)}
    return True


def test_the_groups_of_the_monitor_in_the_checker_are_those_that_a_run_has():
    assert groups_agree("monitor-2021")


@pytest.mark.slow
@pytest.mark.parametrize("edition", EDITIONS[1:])
def test_the_groups_of_an_open_edition_in_the_checker_are_those_that_a_run_has(edition):
    assert groups_agree(edition)


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_levels_of_an_edition_in_the_checker_are_those_that_a_run_has(edition):
    found = load_edition(edition)
    level = draw_baseline(found, 100, 1).shrunk_level
    known = [j for j, spec in enumerate(found.spec.indicators) if spec.unit != "points"]
    assert LEVELS[edition].keys() == {found.spec.indicator_ids[j] for j in known}
    for j in known:
        low, middle, high = LEVELS[edition][found.spec.indicator_ids[j]]
        least, most = level[:, j].min(), level[:, j].max()
        assert least * 0.998 < low <= least <= most <= high < most * 1.002
        assert middle == pytest.approx(np.median(level[:, j]), rel=0.006)


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_figures_of_conditions_in_the_checker_are_those_that_a_run_has(edition):
    found, words = load_edition(edition), load_vocabulary(edition)
    links = condition_links(found)
    for c, name in enumerate(links.conditions):
        own = condition_levels(name, words)
        assert [own.get(code, np.nan) for code in found.areas.code] == pytest.approx(links.level[:, c], nan_ok=True)
        assert field_values(name, words) == own


def yearly_moves(variable):
    """Return the changes of a variable from one year to the next, over units and years."""
    table = read_table("indicators", where={"variable": variable})
    value = {}
    for unit, period, number in zip(table["unit_code"], table["period"], table["value"], strict=True):
        years = [int(year) for year in re.findall(r"\d{4}", period)]
        # Survey years to September overlap calendar years: of the former none, so that no month counts twice.
        if "-" not in period or (period.endswith("-12") and years[0] == years[1]):
            value[unit, years[-1]] = number
    moves = [value[unit, year + 1] - now for (unit, year), now in value.items() if (unit, year + 1) in value]
    return np.array(moves, dtype=float)


def test_the_usual_changes_of_conditions_are_those_of_the_yearly_figures():
    for name, spec in conditions().items():
        moves = yearly_moves(spec.values["variable"])
        moves = np.abs(moves[np.isfinite(moves)])
        assert (name in USUAL_CHANGE) == (len(moves) > 0)
        if len(moves):
            assert USUAL_CHANGE[name] == pytest.approx(np.quantile(moves, 0.99), rel=0.005)
            assert spec.usual_change == USUAL_CHANGE[name]
        else:
            assert math.isinf(spec.usual_change)


def test_the_first_year_of_a_variable_is_that_of_its_first_figure():
    for variable in load_vocabulary().panel_variables:
        years = []
        for name in ("indicators", "outcomes"):
            table = read_table(name, where={"variable": variable})
            years += [int(found.group()) for period in table["period"] if (found := re.search(r"\d{4}", period))]
        assert first_year(variable) == min(years)
