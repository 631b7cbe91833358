"""Whatever stands in a file, near a sound one or far from it, a reader takes it or says what is wrong with it."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.kept_run import KEPT
from fuzz.seeds import SEEDS
from fuzz.targets import BREAK, TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_country import INDEX
from ruamel.yaml import YAML
from scenario_corpus import OK

from gwm_models.explore.forms import file_text
from gwm_models.scenarios.findings import Findings
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_scenario, shipped_scenarios
from gwm_models.scenarios.source import read_text

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2026, 10**18, 10**40, 0.5, -0.0, 5e-324, 1e308, float("inf"), float("nan")),
    *(
        "",
        " ",
        "x",
        "no",
        "2026",
        "1e400",
        ".inf",
        "~",
        "<<",
        "=1+1",
        "E06000001",
        "../../etc/passwd",
        "\u200b",
        "\u202ex",
    ),
    *(
        "\u0430ctive",
        "a\nb",
        "a\x1b[31m",
        "\ud800",
        "x" * 5_000,
        [],
        {},
        [[]],
        [None],
        {"a": {}},
        {"id": "x"},
        [1, "x"],
    ),
]
CELLS = [
    "",
    " ",
    "NA",
    "nan",
    "-inf",
    "1e400",
    "9" * 400,
    "=1+1",
    "x\u200b",
    '"',
    '"a\nb"',
    "2001",
    "Q1 2001",
    "Z00",
    ",",
]


def paths(tree: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the place of every part of a tree."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [here, *(place for key, part in inner for place in paths(part, (*here, key)))]


@st.composite
def near(draw: st.DrawFn, trees: st.SearchStrategy[Any], most: int = 3) -> Any:
    """Return a tree with a few parts replaced, removed, renamed, repeated or put in each other's place."""
    tree = copy.deepcopy(draw(trees))
    for _ in range(draw(st.integers(1, most))):
        places = paths(tree)[1:]
        if not places:
            break
        *before, last = draw(st.sampled_from(places))
        part = tree
        for key in before:
            part = part[key]
        match draw(st.sampled_from(["replace", "replace", "wrap", "remove", "rename", "repeat", "move"])):
            case "replace":
                part[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "wrap":
                part[last] = draw(st.sampled_from([[part[last]], {"a": part[last]}, str(part[last])]))
            case "remove":
                del part[last]
            case "rename" if isinstance(part, dict):
                part[draw(st.sampled_from(["id", "a", "<<", "\u200b", "kind", str(last).upper(), "x" * 300]))] = (
                    part.pop(last)
                )
            case "repeat" if isinstance(part, list):
                part.append(copy.deepcopy(part[last]))
            case _:
                other = tree
                for key in draw(st.sampled_from(places)):
                    other = other[key]
                part[last] = copy.deepcopy(other)
    return tree


@lru_cache(maxsize=1)
def scenario_trees() -> list[Any]:
    found = []
    for path in (*shipped_scenarios().values(), *OK):
        findings = Findings(path.name)
        read_text(path.read_text("utf-8"), findings)
        found.append(findings.data)
    return found


def as_yaml(tree: Any) -> bytes:
    """Write a tree as YAML; what cannot be written as text is left to the tests of bytes."""
    try:
        return file_text(tree).encode("utf-8", "surrogatepass")
    except (ValueError, TypeError):
        return b""


@settings(max_examples=30)
@given(near(st.deferred(lambda: st.sampled_from(scenario_trees()))))
def test_any_tree_near_a_scenario_is_taken_or_refused_clearly(tree):
    TARGETS["scenario"](as_yaml(tree))


@settings(max_examples=20)
@given(
    near(st.just({"form": {"id": "a", "title": "t", "start": 2026, "actions": [{"id": "b"}], "health": []}}), most=5)
)
def test_any_tree_near_a_form_is_answered(tree):
    TARGETS["form"](json.dumps(tree).encode())


@settings(max_examples=30)
@given(near(st.just(KEPT), most=2))
def test_any_tree_near_a_manifest_is_taken_or_refused_clearly(tree):
    TARGETS["manifest"](json.dumps(tree).encode())


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return SEEDS["edition"](tmp_path_factory.mktemp("tables"))[0].split(BREAK)[1:]


@settings(max_examples=20)
@given(near(st.just(YAML(typ="safe", pure=True).load(INDEX))))
def test_any_tree_near_an_index_definition_is_taken_or_refused_clearly(tables, tree):
    TARGETS["edition"](BREAK.join([as_yaml(tree), *tables]))


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """Return a table with some cells replaced, and some lines or cells removed or repeated."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.sampled_from(rows))
        place = draw(st.integers(0, max(len(row) - 1, 0)))
        match draw(st.sampled_from(["cell", "cell", "cell", "any", "drop", "repeat"])):
            case "cell" if row:
                row[place] = draw(st.sampled_from(CELLS))
            case "any" if row:
                row[place] = draw(st.text(max_size=6))
            case "drop" if row:
                del row[place]
            case _:
                rows.append([*draw(st.sampled_from(rows))])
    return draw(st.sampled_from(["\n", "\r\n"])).join(",".join(row) for row in rows)


@settings(max_examples=20)
@given(st.data(), st.integers(0, 2))
def test_any_damage_to_the_tables_of_an_edition_is_taken_or_refused_clearly(tables, data, which):
    parts = [INDEX.encode(), *tables]
    text = data.draw(damaged(parts[1 + which].decode()))
    parts[1 + which] = text.encode("utf-8", "surrogatepass")
    TARGETS["edition"](BREAK.join(parts))


@settings(max_examples=30)
@given(st.data(), st.sampled_from(SEEDS["panel"](Path())))
def test_any_damage_to_a_panel_is_taken_or_refused_clearly(data, seed):
    words, _, table = seed.partition(BREAK)
    text = data.draw(damaged(table.decode().replace(";", ",").replace("\t", ",")))
    TARGETS["panel"](words + BREAK + text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=15)
@given(raw=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_refused_clearly(name, raw):
    words = SEEDS["panel"](Path())[0].partition(BREAK)[0] + BREAK  # without these no panel is read at all
    TARGETS[name](words + raw if name == "panel" else raw)


@pytest.mark.slow
@settings(max_examples=25)
@given(near(st.deferred(lambda: st.sampled_from(scenario_trees())), most=1))
def test_whatever_the_checker_takes_is_projected(tmp_path_factory, tree):
    path = tmp_path_factory.getbasetemp() / "near.yaml"
    path.write_bytes(as_yaml(tree))
    scenario, _ = check_scenario(path)
    if scenario is None or scenario.kind != "scenario":
        return
    few = scenario.model_copy(update={"analysis": scenario.analysis.model_copy(update={"draws": 100})})
    found = project(few, variance=False)
    assert np.isfinite(found.total_before).all() and np.isfinite(found.change).all()
