"""The definition of an index: every fault has one clear message, with its line; several come at once."""

import copy
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gwm_models.data.home import data_home
from gwm_models.data.index_spec import DefinitionError, IndexSpec, read_index
from gwm_models.errors import DataError
from gwm_models.index.scoring import score_index

SOUND = """\
schema: gwm-index/1
id: island-2030
title: An island
publisher: Nobody
scale: {low: 1, high: 100}
domains:
  - {id: work, label: Work}
  - {id: hours, label: Hours, parent: work}
  - {id: pay, label: Pay}
indicators:
  - id: jobs
    label: Jobs
    domain: work
    direction: 1
    unit: percent
    period: "2030"
    source: census
    bounds: {status: stated, low: 50, high: 90}
  - id: long_hours
    label: Long hours
    domain: hours
    direction: -1
    unit: percent
    period: "2030"
    source: census
    bounds: {status: stated, low: 5, high: 25}
  - id: wage
    label: Wage
    domain: pay
    direction: 1
    unit: GBP_per_week
    period: "2030"
    source: employers
    bounds: {status: stated, low: 300, high: 700}
"""


def faults(folder, text):
    path = folder / "index.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        read_index(path)
    lines = str(caught.value).replace(str(folder) + "/", "").splitlines()
    many = "1 problem" if len(lines) == 2 else f"{len(lines) - 1} problems"
    assert lines[0] == f"index.yaml: {many}"
    assert [problem.severity for problem in caught.value.problems] == ["error"] * (len(lines) - 1)
    return [line.strip().removeprefix("index.yaml:") for line in lines[1:]]


def test_a_sound_definition_is_read_with_defaults_for_what_it_leaves_out(tmp_path):
    path = tmp_path / "index.yaml"
    path.write_text(SOUND, encoding="utf-8")
    spec = read_index(path)
    assert spec.domain_ids == ("work", "hours", "pay") and spec.parents == (None, "work", None)
    jobs, _, wage = spec.indicators
    assert jobs.exact and jobs.bounds == (50, 90)
    assert jobs.hard_limits == (0, 100) and jobs.usual_range == (50, 90) and jobs.usual_change == 40
    assert wage.hard_limits == (-math.inf, math.inf)
    assert spec.outcomes == () and wage.sampling == {}


def test_a_domain_within_another_counts_in_both_and_once_in_the_total(tmp_path):
    path = tmp_path / "index.yaml"
    path.write_text(SOUND, encoding="utf-8")
    spec = read_index(path)
    assert spec.members("work") == (0, 1) and spec.members("hours") == (1,) and spec.members("pay") == (2,)
    assert spec.score_range("work") == (2, 200) and spec.score_range() == (3, 300)
    scores = score_index(spec, [[90, 25, 500], [50, 5, 300]])
    assert scores.indicator.tolist() == [[100, 1, 50.5], [1, 100, 1]]
    assert scores.domain.tolist() == [[101, 1, 50.5], [101, 100, 1]]
    assert scores.total.tolist() == [151.5, 102]


ONE_FAULT = [
    (
        "label: Work}",
        "label: Work, parent: hours}",
        "7:29: error: domains.work.parent: the domains work > hours > work form a cycle. "
        "Fix: drop one of these parents: a domain needs a top.",
    ),
    (
        "label: Pay}",
        "label: Pay, parent: pay}",
        "9:27: error: domains.pay.parent: domain 'pay' is its own parent. "
        "Fix: drop one of these parents: a domain needs a top.",
    ),
    (
        "parent: work",
        "parent: wrok",
        "8:31: error: domains.hours.parent: unknown domain 'wrok'; expected one of work, hours, pay. "
        "Fix: name a domain of this index, or drop the parent.",
    ),
    (
        "domain: pay",
        "domain: [work, pay]",
        "29:5: error: indicators.wage.domain: indicator 'wage' is in 2 domains (work, pay); it would count 2 times. "
        "Fix: name the one domain it belongs to.",
    ),
    (
        "id: wage",
        "id: jobs",
        "29:5: error: indicators.jobs.domain: indicator 'jobs' is in 2 domains (work, pay); it would count 2 times. "
        "Fix: name the one domain it belongs to.",
    ),
    (
        "domain: pay",
        "domain: play",
        "29:5: error: indicators.wage.domain: unknown domain 'play'; expected one of work, hours, pay. "
        "Fix: name the one domain it belongs to.",
    ),
    (
        "direction: -1",
        "direction: down",
        "22:5: error: indicators.long_hours.direction: direction must be 1 or -1; found 'down'. "
        "Fix: write 1 where more is better, -1 where less is.",
    ),
    (
        "direction: -1",
        "direction: true",
        "22:5: error: indicators.long_hours.direction: direction must be 1 or -1; found True. "
        "Fix: write 1 where more is better, -1 where less is.",
    ),
    (
        "low: 300",
        "low: 700",
        "34:5: error: indicators.wage.bounds: low 700 must be below high 700: equal bounds leave nothing to score. "
        "Fix: correct the bounds.",
    ),
    (
        "low: 300",
        "low: 800",
        "34:5: error: indicators.wage.bounds: low 800 must be below high 700: they are upside down. "
        "Fix: correct the bounds.",
    ),
    (
        ", low: 300",
        "",
        "34:5: error: indicators.wage.bounds: stated bounds need both low and high; low missing. "
        "Fix: give the smallest and the largest value.",
    ),
    (
        ", low: 300, high: 700",
        "",
        "34:5: error: indicators.wage.bounds: stated bounds need both low and high; low and high missing. "
        "Fix: give the smallest and the largest value.",
    ),
    (
        "status: stated, low: 300",
        "status: stated, low: 300, hihg: 1",
        "34:40: error: indicators.wage.bounds.hihg: unknown key 'hihg'. Fix: write high, or drop it.",
    ),
    (
        "high: 700",
        "high: 7oo",
        "34:40: error: indicators.wage.bounds.high: high must be a number; found '7oo'. Fix: write it as a number.",
    ),
    (
        "high: 700",
        "high: .inf",
        "34:40: error: indicators.wage.bounds.high: high must be a number; found 'inf'. Fix: write it as a number.",
    ),
    (
        "stated, low: 300",
        "guess, low: 300",
        "34:14: error: indicators.wage.bounds.status: unknown bounds status 'guess'; expected one of reproduced, "
        "stated, calibrated, proxy, unknown. Fix: say how the bounds are known.",
    ),
    (
        "    direction: -1\n",
        "",
        "19:5: error: indicators.long_hours: 'direction' is missing. "
        "Fix: write 1 where more is better, -1 where less is.",
    ),
    (
        "direction: -1",
        "direction: -1\n    directon: 1",
        "23:5: error: indicators.long_hours.directon: unknown key 'directon'. Fix: write direction, or drop it.",
    ),
    (
        "scale: {low: 1, high: 100}",
        "scale: {low: 1}",
        "5:1: error: scale: the bounds of the scale need both low and high; high missing. "
        "Fix: give the smallest and the largest value.",
    ),
    (
        "gwm-index/1",
        "gwm-index/9",
        "1:1: error: schema: expected gwm-index/1, found 'gwm-index/9'. Fix: write gwm-index/1.",
    ),
    (
        "{id: pay, label: Pay}",
        "{id: total, label: Pay}\n  - {id: pay, label: Pay}",
        "9:6: error: domains.total.id: the id 'total' is the name of a result. Fix: choose another.",
    ),
    (
        "{id: pay, label: Pay}",
        "{id: pay, label: Pay}\n  - {id: pay, label: Wages}",
        "10:6: error: domains.pay.id: domain 'pay' is defined twice. Fix: drop or rename one of the two.",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), ONE_FAULT)
def test_one_fault_of_a_definition_gives_one_clear_error(tmp_path, old, new, message):
    assert old in SOUND
    assert faults(tmp_path, SOUND.replace(old, new, 1)) == [message]


def test_several_faults_are_told_at_once_in_the_order_of_the_file(tmp_path):
    text = SOUND.replace("label: Work}", "label: Work, parent: hours}").replace("direction: -1", "direction: 0")
    text = text.replace("high: 90", "high: 50").replace("domain: pay", "domain: [hours, pay]").replace(", low: 300", "")
    found = faults(tmp_path, text)
    assert [line.split(": ")[2] for line in found] == [
        "domains.work.parent",
        "indicators.jobs.bounds",
        "indicators.long_hours.direction",
        "indicators.wage.domain",
        "indicators.wage.bounds",
    ]


def test_three_domains_in_a_ring_are_one_error(tmp_path):
    text = SOUND.replace("label: Work}", "label: Work, parent: pay}").replace(
        "label: Pay}", "label: Pay, parent: hours}"
    )
    [found] = faults(tmp_path, text)
    assert "the domains work > pay > hours > work form a cycle" in found


def test_yaml_that_cannot_be_read_is_one_error_with_its_line(tmp_path):
    [found] = faults(tmp_path, SOUND.replace("id: jobs", "id: [jobs"))
    assert found.startswith("12:10: error: ") and found.endswith("Fix: correct the YAML here.")
    [found] = faults(tmp_path, SOUND.replace("    direction: -1\n", "    direction: -1\n    direction: 1\n"))
    assert found.startswith("23:5: error: found duplicate key")
    assert faults(tmp_path, "- id: one\n")[0].startswith("1:1: error: expected a mapping, found a list of 1.")


def places(raw, path=()):
    yield path
    items = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for step, part in items:
        yield from places(part, (*path, step))


RAW = YAML(typ="safe", pure=True).load(SOUND)
ODD = st.sampled_from(
    [None, "", "x", 0, -1, 2.5, True, [], {}, [1, 2], [[1]], {"low": 3}, {"id": "x"}, ["work", "pay"]]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.sampled_from(list(places(RAW))), odd=ODD, drop=st.booleans())
def test_whatever_is_wrong_in_a_definition_it_is_told_and_nothing_else_happens(tmp_path, where, odd, drop):
    raw = copy.deepcopy(RAW)
    inner = raw
    for step in where[:-1]:
        inner = inner[step]
    if not where:
        raw = odd
    elif drop:
        del inner[where[-1]]
    else:
        inner[where[-1]] = odd
    path = tmp_path / f"{abs(hash(str(raw)))}.yaml"
    path.write_text(json.dumps(raw), encoding="utf-8")
    try:
        spec = read_index(path)
    except DefinitionError as error:
        assert error.problems and all(problem.what and problem.fix and problem.line == 1 for problem in error.problems)
    else:
        assert all(indicator.direction in (1, -1) for indicator in spec.indicators)
        assert all(math.isfinite(end) for one in spec.indicators if one.exact for end in one.bounds)


def test_a_definition_that_is_not_there_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="the index definition cannot be read"):
        read_index(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", ["index.yaml", "conditions.yaml"])
def test_the_shipped_definitions_are_sound(name):
    spec = read_index(data_home() / name)
    assert isinstance(spec, IndexSpec) and spec.scale == (1, 100)
    assert spec.parents == (None,) * len(spec.domains)
