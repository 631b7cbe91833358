"""Every part of a scenario file as it is read: names made whole, the JSON Schema, and what random damage does."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_corpus import BROKEN, FILES, OK, expected_of

from gwm_models.data.edition import load_edition
from gwm_models.data.vocabulary import EDITIONS, load_vocabulary
from gwm_models.errors import GwmError, ModelError
from gwm_models.scenarios.fields import number_field, text_field
from gwm_models.scenarios.findings import Findings, Stop
from gwm_models.scenarios.known import CLUSTERS, SHOCKS, conditions, field_values, number_fields, shocks_of
from gwm_models.scenarios.reader import check_mapping, read_scenario, shipped_scenarios
from gwm_models.scenarios.source import read_source
from gwm_models.scenarios.spec import scenario_schema


def content_of(path):
    findings = Findings(str(path))
    read_source(path, findings)
    return findings.data


PARTS = FILES / "ok" / "every-new-part.yaml"

# What is read


def test_names_of_every_new_part_come_back_as_the_edition_writes_them():
    actions = {action.id: action for action in read_scenario(PARTS).scenario.actions}
    assert actions["path"].target.clusters == ("rural", "urban")
    rules = actions["level-up"].target.where
    assert [rule.field for rule in rules] == ["population", "area_type", "nvq4plus_share"]
    assert rules[1].equals == "Unitary authority"
    assert actions["to-the-mean"].target.where[0].equals == "North East"
    assert actions["to-the-mean"].change.to == "mean"
    assert actions["to-the-region"].change.to == "South East"
    assert actions["skills"].condition == "nvq4plus_share"


def test_a_scenario_that_was_read_is_sound_when_it_is_read_again():
    for path in OK:
        scenario = read_scenario(path).scenario
        again, problems = check_mapping(scenario.model_dump(by_alias=True))
        assert again == scenario
        assert not [problem for problem in problems if problem.severity == "error"]


def test_a_share_may_be_a_number_or_uncertain_and_keeps_its_form():
    extra = read_scenario(PARTS).scenario.actions[2].additionality
    assert (extra.deadweight.mean, extra.displacement, extra.leakage.sd) == (0.2, 0.1, 0.02)


def test_the_shocks_known_to_the_checker_are_those_that_the_data_have():
    from gwm_models.models.shocks import shock_profile

    edition = load_edition()
    for spec in edition.spec.indicators:
        for profile in SHOCKS:
            try:
                shock_profile(edition, spec.id, profile)
            except ModelError:
                assert profile not in shocks_of(spec)
            else:
                assert profile in shocks_of(spec)


def test_the_groups_known_to_the_checker_are_all_that_the_rule_of_names_can_give():
    from gwm_models.index.groups import name_groups

    by_place = [name_groups([4, 3, 2, 1], [5, d, 9 - d, 5], [0.1, c, 0.5 - c, 0]) for d in (1, 8) for c in (0.1, 0.4)]
    assert {name for names in by_place for name in names} == set(CLUSTERS)


@pytest.mark.parametrize("edition", EDITIONS)
def test_fields_of_an_area_are_read_as_the_edition_has_them(edition):
    words, areas = load_vocabulary(edition), load_edition(edition).areas
    for field in ("population", "population_16_64", "deprivation"):
        values = field_values(field, words)
        assert [values[code] for code in areas.code] == getattr(areas, field).tolist()
    density, kind = field_values("density", words), field_values("area_type", words)
    assert [density[code] for code in areas.code] == number_field("density", load_edition(edition), None).tolist()
    assert tuple(kind[code] for code in areas.code) == text_field("area_type", load_edition(edition))
    assert field_values("region", words) == dict(zip(areas.code, areas.region, strict=True))
    assert max(field_values("density", words).values()) < 20_000
    assert {"deprivation", "nvq4plus_share", "median_pay"} <= set(number_fields(words))
    assert field_values("median_pay", words) is None


def test_an_edition_without_health_outcomes_says_so():
    content = content_of(FILES / "ok" / "design.yaml")
    content["baseline"]["edition"] = "open-2020"
    scenario, problems = check_mapping(content)
    assert scenario is None
    assert [str(problem) for problem in problems] == [
        "scenario: error: health.1.outcome: unknown health outcome 'healthy_life_expectancy_male'. "
        "Fix: remove it: there is none to choose from."
    ]


def test_conditions_have_the_limits_of_their_figures():
    assert conditions()["nvq4plus_share"].hard_limits == (0, 100)
    assert conditions()["gva_per_head"].hard_limits == (0, float("inf"))


# The JSON Schema

NEEDS_DATA = (
    "unknown", "too-", "impossible", "beyond", "outside", "matches", "twice", "backwards", "upside-down", "equal",
)  # fmt: skip


@pytest.fixture(scope="module")
def validator():
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", [*OK, *shipped_scenarios().values()], ids=lambda path: path.stem)
def test_the_schema_passes_every_sound_file(validator, path):
    assert [error.message for error in validator.iter_errors(content_of(path))] == []


@pytest.mark.parametrize(
    "name",
    [
        "indicator-and-condition", "neither-indicator-nor-condition", "link-of-an-indicator", "change-without-value",
        "path-with-value", "path-without-path", "path-of-another-kind", "profile-of-another-kind", "gap-to-nothing",
        "shock-without-profile", "shock-of-a-condition", "shock-without-start", "shock-with-phasing", "no-phasing",
        "start-beside-phasing", "path-with-phasing", "unit-of-a-quantile", "unit-of-a-shock", "unit-of-a-path",
        "shape-path-without-path", "path-without-its-shape", "where-without-limit", "target-names-nothing",
        "worst-and-best", "pick-without-size", "pick-with-two-sizes", "cost-without-amount", "share-without-sd",
        "cost-with-half-an-interval", "evidence-entry-and-source", "evidence-without-grade", "evidence-of-nothing",
        "goal-without-goal", "goal-of-a-scenario", "goal-without-ends", "goal-with-values", "goal-of-nothing",
        "goal-both-ways", "sweep-without-sweep", "sweep-of-a-goal", "sweep-with-values-and-ends",
        "sweep-without-values", "sweep-values-of-sobol",
        "sweep-grid-with-points", "sweep-sobol-with-steps", "sweep-sobol-without-points",
        "portfolio-of-nothing", "portfolio-both-ways", "portfolio-without-amount", "portfolio-option-both-ways",
        "portfolio-option-of-nothing", "portfolio-region-asks-nothing", "portfolio-probability-of-a-mean",
        "portfolio-quantile-without-probability", "portfolio-allocation-without-response", "portfolio-of-a-scenario",
        "portfolio-allocation-with-two-responses", "portfolio-without-portfolio",
        "reach-as-percent", "unknown-counterfactual", "path-is-empty", "path-point-without-size",
    ],
)  # fmt: skip
def test_the_schema_refuses_what_is_wrong_without_looking_at_any_figure(validator, name):
    assert list(validator.iter_errors(content_of(FILES / "broken" / f"{name}.yaml")))


def test_the_examples_of_the_schema_agree_with_their_own_part(validator):
    schema, tried = scenario_schema(), 0
    for part in [schema, *schema["$defs"].values()]:
        for field in part["properties"].values():
            for example in field.get("examples", []):
                rule = {**{key: value for key, value in field.items() if key != "examples"}, "$defs": schema["$defs"]}
                assert not list(type(validator)(rule).iter_errors(example)), (field, example)
                tried += 1
    assert tried > 50


# Random damage

GOOD = [content_of(path) for path in [*OK, *shipped_scenarios().values()]]
POOL = [
    "a\u200bb", "x" * 300,
    None, True, False, 0, 1, -1, 2, 0.5, -0.3, 80, 2026, 2030, 1e300, float("nan"), float("inf"), -1e-300, 10**400, "",
    " ", "median", "mean", "total", "rural", "path", "shock", "relative", "to_quantile", "close_gap", "points", "pp",
    "percent", "quantile", "times", "2009", "Blackpool", "North East", "within", "between", "trend", "nvq4plus_share",
    "economic_activity_rate", "satisfactory_hours", "actions.participation.change.value", "actions", "goal", "sweep",
    "sobol", [], {}, [[2026, 1.0], [2030, 2.0]], [2026, 2035], {"mean": 0.2, "sd": 0.1}, {"by": "total", "n": 5},
    {"field": "population", "at_least": 1}, {"low": 0, "high": 3}, {"start": 2026, "full_by": 2030}, {"half_life": 2},
]  # fmt: skip


def at(content, keys):
    """Return what stands at these keys."""
    for key in keys:
        content = content[key]
    return content


def spots(part, keys=()):
    """Return the keys of everything in a content."""
    found = [keys] if keys else []
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        found += spots(value, (*keys, key))
    return found


ALL_SPOTS = [(content, keys) for content in GOOD for keys in spots(content)]


@st.composite
def mutants(draw):
    """Draw a good content with a few parts removed, replaced, moved, renamed, or borrowed from another."""
    content = copy.deepcopy(draw(st.sampled_from(GOOD)))
    ways = draw(st.sampled_from([("borrow", "scale"), ("borrow",), ("remove", "replace", "copy", "rename", "scale")]))
    for _ in range(draw(st.integers(1, 4))):
        places = spots(content)
        if not places:
            break
        keys = draw(st.sampled_from(places))
        part, key = at(content, keys[:-1]), keys[-1]
        match draw(st.sampled_from(ways)):
            case "borrow":
                same = [(other, spot) for other, spot in ALL_SPOTS if spot[-1] == key and len(spot) == len(keys)]
                other, spot = draw(st.sampled_from(same or [(content, keys)]))
                part[key] = copy.deepcopy(at(other, spot))
            case "remove":
                del part[key]
            case "replace":
                part[key] = copy.deepcopy(draw(st.sampled_from(POOL)))
            case "copy":
                part[key] = copy.deepcopy(at(content, draw(st.sampled_from(places))))
            case "rename" if isinstance(part, dict):
                names = [place[-1] for place in places if isinstance(place[-1], str)]
                part[draw(st.sampled_from(names))] = part.pop(key)
            case "scale" if isinstance(part[key], int | float):
                part[key] = part[key] * draw(st.sampled_from([-1, 0, 0.01, 0.5, 1.2, 100]))
            case _:
                pass
    return content


def judged(content):
    scenario, problems = check_mapping(content)
    assert (scenario is None) == any(problem.severity == "error" for problem in problems)
    assert problems == sorted(problems)
    assert all(str(problem).isprintable() and problem.fix for problem in problems)
    return scenario


@settings(max_examples=250, deadline=None)
@given(mutants())
def test_no_mutation_of_a_good_scenario_crashes_the_checker(content):
    before = copy.deepcopy(content)
    scenario = judged(content)
    assert repr(content) == repr(before)
    if scenario is not None:
        again, _ = check_mapping(scenario.model_dump(by_alias=True))
        assert again == scenario


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(mutants())
def test_what_passes_the_checker_can_be_projected(content):
    from gwm_models.scenarios.projection import project

    scenario = judged(content)
    if scenario is None:
        return
    scenario = scenario.model_copy(update={"analysis": scenario.analysis.model_copy(update={"draws": 100})})
    try:
        projection = project(scenario, variance=False)
    except GwmError as error:
        assert "matches no area" in str(error) or "no group" in str(error) or "no figure" in str(error)
    else:
        assert projection.change.shape == (100, len(projection.edition.areas))
        assert np.isfinite(projection.change).all()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_never_more_than_faults(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "raw.yaml"
    path.write_bytes(raw)
    findings = Findings(str(path))
    try:
        read_source(path, findings)
    except Stop:
        assert findings.faulty


# The cost of checking


def test_checking_every_new_part_loads_nothing_heavy_and_takes_little_time():
    code = (
        "import sys, time; from pathlib import Path; from gwm_models.scenarios.reader import check_scenario; "
        f"files = sorted(Path({str(FILES / 'ok')!r}).glob('*.yaml')); [check_scenario(file) for file in files]; "
        "print(sorted({'numpy', 'pandas', 'scipy', 'pymc', 'arviz'} & set(sys.modules)), time.process_time())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, seconds = done.stdout.rsplit(" ", 1)
    assert json.loads(heavy.replace("'", '"')) == []
    assert float(seconds) < 2.0


def test_every_fault_of_the_corpus_is_named_in_one_pass():
    text = "\n".join(line for path in BROKEN for line in expected_of(path))
    assert len(BROKEN) >= 180
    assert text.count(": error: ") > len(BROKEN)
