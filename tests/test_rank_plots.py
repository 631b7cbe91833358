"""Charts and page of ranks: every area readable, every probability drawn, words and data apart."""

import copy
import json
import re

import numpy as np
import pytest

from gwm_models.errors import OutputError
from gwm_models.plots.rank_charts import LEAST_SHOWN, rank_caterpillar, rank_distribution, rank_heat_map
from gwm_models.ranks.counting import rank_distributions
from gwm_models.ranks.table import table_of
from gwm_models.report.ranks import rank_html, write_rank_page

NASTY = "</script><b>\"'+alert(1)+'\""


def made_up(n=118, *, sets=True, name="Area"):
    rng = np.random.default_rng(4)
    codes = tuple(f"E{i:03}" for i in range(n))
    draws = np.linspace(500, 100, n)[rng.permutation(n)] + rng.normal(0, 20, (300, n))
    found = rank_distributions(draws, codes)
    rows = []
    for i, row in enumerate(table_of(found, n_ends=1).to_rows(full=True)):
        ends = {"set_lower": max(row["lower"] - 5, 1), "set_upper": min(row["upper"] + 5, n), "set_level": 0.95}
        named = {"area_name": f"{name} {i}", "published_score": 300.0, "published_rank": i + 1}
        rows.append({**row, **named, **(ends if sets else {})})
    prob = np.stack([found.of(code) for code in codes])
    return rows, prob, codes, [row["area_name"] for row in rows]


def values(specs):
    return [value for spec in specs for value in spec["data"]["values"]]


def cells(specs):
    return [cell for spec in specs for layer in spec["layer"] for cell in layer["data"]["values"]]


def test_the_caterpillar_shows_each_of_118_areas_once_on_one_scale():
    rows, *_ = made_up()
    specs = rank_caterpillar(rows)
    assert [len(spec["encoding"]["y"]["scale"]["domain"]) for spec in specs] == [59, 59]
    assert all(spec["height"] == 14 * 59 for spec in specs)
    assert {tuple(spec["encoding"]["x"]["scale"]["domain"]) for spec in specs} == {(0.5, 118.5)}
    drawn = values(specs)
    assert sorted(value["code"] for value in drawn) == [row["area_code"] for row in rows]
    estimates = [value["estimate"] for value in drawn]
    assert estimates == sorted(estimates)
    assert "areas 60 to 118 of 118" in specs[1]["description"]


def test_confidence_sets_are_drawn_behind_the_intervals_where_there_are_some():
    rows, *_ = made_up(30)
    (spec,) = rank_caterpillar(rows)
    first, *others = spec["layer"]
    assert (first["mark"]["type"], first["encoding"]["x"]["field"]) == ("bar", "set_lower")
    assert all(layer["mark"]["type"] in ("rule", "point") for layer in others)
    by_code = {row["area_code"]: row for row in rows}
    for value in spec["data"]["values"]:
        row = by_code[value["code"]]
        assert value["set_lower"] == row["set_lower"] - 0.5 and value["set_upper"] == row["set_upper"] + 0.5
    assert [entry["label"] for entry in spec["usermeta"]["legend"]] == ["Rank with 90% interval", "95% confidence set"]
    assert [one["field"] for one in spec["usermeta"]["table"]] == ["name", "estimate", "interval", "set"]
    (plain,) = rank_caterpillar(made_up(30, sets=False)[0])
    assert len(plain["layer"]) == len(others) and "set" not in plain["data"]["values"][0]


def test_the_heat_map_holds_every_probability_worth_showing():
    _, prob, codes, names = made_up()
    specs = rank_heat_map(prob, codes, names)
    assert [len(spec["data"]["values"]) for spec in specs] == [59, 59]
    drawn = {(cell["code"], int(cell["from"] + 0.5)): cell["prob"] for cell in cells(specs)}
    for i, code in enumerate(codes):
        for rank in range(1, 119):
            found = drawn.get((code, rank), 0)
            assert found == pytest.approx(prob[i, rank - 1] if prob[i, rank - 1] >= LEAST_SHOWN else 0, abs=1e-4)
    expected = [value["expected"] for value in values(specs)]
    assert expected == sorted(expected)
    assert {spec["layer"][0]["encoding"]["opacity"]["scale"]["domain"][1] for spec in specs} == {prob.max()}
    likeliest = {value["code"]: value["likeliest"] for value in values(specs)}
    assert [likeliest[code] for code in codes] == (prob.argmax(axis=1) + 1).tolist()


def test_one_area_is_drawn_rank_by_rank_with_its_interval_apart():
    rows, prob, *_ = made_up(20)
    (spec,) = rank_distribution(rows[3], prob[3])
    drawn = spec["data"]["values"]
    assert sum(value["prob"] for value in drawn) == pytest.approx(100, abs=1e-3)
    inside = [value["rank"] for value in drawn if value["inside"]]
    assert rows[3]["lower"] <= min(inside) and max(inside) <= rows[3]["upper"]
    assert all(value["to"] - value["from"] == 1 for value in drawn)
    assert rows[3]["area_name"] in spec["description"]


def test_making_charts_leaves_the_rows_as_they_were_and_is_plain_json():
    rows, prob, codes, names = made_up(12)
    before, kept = copy.deepcopy(rows), prob.copy()
    specs = [*rank_caterpillar(rows), *rank_heat_map(prob, codes, names), *rank_distribution(rows[0], prob[0])]
    json.dumps(specs, allow_nan=False)
    assert rows == before and (prob == kept).all() and len(specs) == 3


def test_nothing_to_draw_gives_no_chart():
    assert rank_caterpillar([]) == rank_heat_map(np.empty((0, 0)), [], []) == []
    assert rank_distribution({"area_name": "A", "lower": 1, "upper": 1, "level": 0.9}, []) == []


def test_one_area_alone_can_be_drawn():
    (spec,) = rank_heat_map([[1.0]], ["A"], ["Alone"])
    assert spec["layer"][0]["encoding"]["x"]["axis"]["values"] == [1]


def test_probabilities_that_do_not_fit_the_areas_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 3\); expected \(2, 2\)"):
        rank_heat_map(np.ones((2, 3)), ["A", "B"], ["A", "B"])


def test_names_are_data_and_never_part_of_an_expression():
    rows, prob, codes, names = made_up(5, name=NASTY)
    for spec in (*rank_caterpillar(rows), *rank_heat_map(prob, codes, names)):
        assert "alert" not in json.dumps([spec["encoding"], [layer["encoding"] for layer in spec["layer"]]])


def test_the_page_is_one_safe_file_with_all_charts_and_all_areas(tmp_path):
    rows, prob, codes, _ = made_up(name=NASTY)
    write_rank_page(
        tmp_path / "page.html", rows, prob, title=f"Ranks {NASTY}", lead=["One."], notes=["Two."], area=codes[2]
    )
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert NASTY not in text and "Content-Security-Policy" in text
    assert not re.search(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=[\"']?https?:", text)
    charts = re.findall(r'data-chart="([^"]+)"', text)
    assert charts == ["one-1", "caterpillar-1", "caterpillar-2", "heat-1", "heat-2"]
    specs = json.loads(re.search(r'id="specs">(.*?)</script>', text, re.S)[1])
    assert sorted(specs) == sorted(charts)
    table = text[text.index('id="ranks-table"') :]
    assert table[: table.index("</table>")].count("<tr>") == 119
    assert "Confidence set" in table


def test_a_page_without_sets_and_without_an_area_leaves_them_out():
    rows, prob, *_ = made_up(8, sets=False)
    text = rank_html(rows, prob, title="Ranks")
    assert 'data-chart="one-1"' not in text and "Confidence set" not in text


def test_a_page_that_cannot_be_written_is_one_clear_error(tmp_path):
    rows, prob, *_ = made_up(4)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError):
        write_rank_page(tmp_path / "file" / "page.html", rows, prob, title="Ranks")
