"""The answer in words: the sign of an estimate and of its interval go together, whichever way a change goes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from gwm_models.scenarios.headline import headline
from gwm_models.scenarios.projection import Projection, project
from gwm_models.scenarios.reader import read_scenario, shipped_scenarios
from gwm_models.scenarios.rows import group_rows, health_rows, inequality_rows, path_rows
from gwm_models.scenarios.spec import HealthLink
from gwm_models.scenarios.sums import sum_rows

LEVEL = 0.9
HEARTS = "preventable_cvd_mortality"


@pytest.fixture(scope="module")
def drive() -> Projection:
    scenario = read_scenario(shipped_scenarios()["northern-participation-2026"]).scenario
    analysis = scenario.analysis.model_copy(update={"draws": 100})
    link = HealthLink.model_validate({"outcome": HEARTS, "link": "between"})
    return project(scenario.model_copy(update={"analysis": analysis, "health": (link,)}), variance=False)


@pytest.fixture(scope="module")
def rows(drive: Projection) -> dict[str, list[dict[str, Any]]]:
    return {
        "groups": group_rows(drive, LEVEL),
        "health": health_rows(drive, LEVEL),
        "inequality": inequality_rows(drive, LEVEL),
        "sums": sum_rows(drive, LEVEL),
        "path": path_rows(drive, LEVEL),
    }


def said(drive, rows, table: str, numbers: tuple[float, float, float], **wanted: object) -> str:
    """Return the headline where one row has other numbers: estimate, lower, upper."""
    made = dict(zip(("estimate", "lower", "upper"), numbers, strict=True))
    changed = [row | made if all(row.get(k) == v for k, v in wanted.items()) else row for row in rows[table]]
    assert changed != rows[table]
    return headline(drive, rows | {table: changed}, LEVEL)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((-0.003, -0.013, 0.005), "a change there of −0.003 {unit} under the stated link (−0.013 to 0.005), of "),
        ((0.003, -0.005, 0.013), "a change there of +0.003 {unit} under the stated link (−0.005 to 0.013), of "),
        ((-0.003, -0.005, -0.001), "a fall there of 0.003 {unit} under the stated link (0.001 to 0.005), of 0.020 if"),
        ((0.003, 0.001, 0.005), "a change there of +0.003 {unit} under the stated link (0.001 to 0.005), of −0.020 if"),
    ],
)
def test_a_rate_of_deaths_has_one_sign_for_estimate_and_interval(drive, rows, numbers, words):
    whole = [
        row | {"estimate": -0.02} if row["line"] == "full association" and row["group"] == "Target areas" else row
        for row in rows["health"]
    ]
    text = said(drive, rows | {"health": whole}, "health", numbers, line="stated link", group="Target areas")
    assert words.format(unit="deaths per 100,000 a year") in text


def test_a_rate_that_rises_with_certainty_is_a_rise(drive, rows):
    whole = [row | {"estimate": 2.5} if row["line"] == "full association" else row for row in rows["health"]]
    numbers = (1.5, 0.25, 3.0)
    text = said(drive, rows | {"health": whole}, "health", numbers, line="stated link", group="Target areas")
    assert "a rise there of 1.50 deaths per 100,000 a year under the stated link (0.25 to 3.00), of 2.50 if" in text


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((4.0, 1.0, 7.0), "rises by 4.0 points (90% interval 1.0 to 7.0) from"),
        ((-4.0, -7.0, -1.0), "falls by 4.0 points (90% interval 1.0 to 7.0) from"),
        ((-4.0, -7.0, 1.0), "changes by −4.0 points (90% interval −7.0 to 1.0) from"),
        ((4.0, -1.0, 7.0), "changes by +4.0 points (90% interval −1.0 to 7.0) from"),
        ((0.01, -1.0, 1.0), "does not change (90% interval −1.0 to 1.0 points) from"),
    ],
)
def test_a_score_whose_interval_reaches_over_zero_changes_and_neither_rises_nor_falls(drive, rows, numbers, words):
    text = said(drive, rows, "groups", numbers, group="Target areas", quantity="total", state="difference")
    assert words in text


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((-4.0, -7.0, -1.0), "narrows by 4.0 points (1.0 to 7.0)."),
        ((4.0, 1.0, 7.0), "widens by 4.0 points (1.0 to 7.0)."),
        ((-4.0, -7.0, 1.0), "changes by −4.0 points (−7.0 to 1.0)."),
    ],
)
def test_a_gap_that_may_go_either_way_changes(drive, rows, numbers, words):
    text = said(drive, rows, "inequality", numbers, measure="gap_10_10", state="difference")
    assert f"The gap between the best and the worst tenth of areas {words}" in text


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((-3000.0, -9000.0, -1000.0), "3,000 (1,000 to 9,000) fewer economically active residents"),
        ((3000.0, 1000.0, 9000.0), "3,000 (1,000 to 9,000) more economically active residents"),
        ((-3000.0, -9000.0, 1000.0), "a change of −3,000 (−9,000 to 1,000) in economically active residents"),
        ((3000.0, -1000.0, 9000.0), "a change of +3,000 (−1,000 to 9,000) in economically active residents"),
    ],
)
def test_people_who_may_be_more_or_fewer_are_a_change(drive, rows, numbers, words):
    assert words in said(drive, rows, "sums", numbers, kind="people", group="All areas")


def test_ranks_that_may_go_either_way_say_which_sign_is_up(drive, rows):
    assert re.search(r"they move up by \d+\.\d ranks on average \(\d", headline(drive, rows, LEVEL))
    after = drive.rank_before.copy()
    after[:50, drive.treated] -= 9
    after[50:, drive.treated] += 3
    swapped = replace(drive, rank_after=after)
    assert "they move by +3.0 ranks on average (−3.0 to 9.0; plus is up)" in headline(swapped, rows, LEVEL)


def test_nothing_that_has_begun_has_no_direction(drive):
    """By the first year of its phasing nothing of an action is in place."""
    start = min(action.phasing.start for action in drive.scenario.actions)
    horizon = drive.scenario.horizon.model_copy(update={"start": start, "end": start})
    early = project(drive.scenario.model_copy(update={"horizon": horizon}), variance=False)
    assert not early.change.any()
    found = {
        "groups": group_rows(early, LEVEL),
        "health": health_rows(early, LEVEL),
        "inequality": inequality_rows(early, LEVEL),
        "sums": sum_rows(early, LEVEL),
        "path": path_rows(early, LEVEL),
    }
    text = headline(early, found, LEVEL)
    assert f"By {start} the mean Monitor total of the 20 target areas does not change from " in text
    assert text.endswith("does not change.") and "0.0" not in text
    assert not re.search(r"ranks|move|interval", text)
