"""Parts of a projection: who is reached, what is drawn, what it may take."""

import csv
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import made_scenario
import numpy as np
import pytest

import gwm_models
from gwm_models.data.edition import load_edition
from gwm_models.data.home import data_home
from gwm_models.errors import DataError, ModelError
from gwm_models.models.conditions_link import condition_links
from gwm_models.models.shocks import shock_profile
from gwm_models.models.trend_observed import edition_year
from gwm_models.report.draws_file import quantities
from gwm_models.scenarios import fields
from gwm_models.scenarios.baseline import draw_baseline
from gwm_models.scenarios.bases import base_population
from gwm_models.scenarios.costs import cost_by_year, cost_draws
from gwm_models.scenarios.fields import AreaCluster, number_field, text_field
from gwm_models.scenarios.gap_rows import variance_rows
from gwm_models.scenarios.layers import draw_additional
from gwm_models.scenarios.memory import block_of_draws, memory_needed
from gwm_models.scenarios.notes import assumptions
from gwm_models.scenarios.plans import phase_of
from gwm_models.scenarios.projection import LAYERS, group_masks, project
from gwm_models.scenarios.spec import Target, Where
from gwm_models.scenarios.targets import select
from gwm_models.scenarios.variance import _as_shares, variance_of

DRAWS = 200


def action(**changes):
    base = {
        "id": "drive",
        "indicator": "economic_activity_rate",
        "change": {"kind": "absolute", "value": 2.0, "unit": "pp"},
        "target": {"regions": ["North East"]},
        "phasing": {"start": 2026, "full_by": 2028},
    }
    return {key: value for key, value in (base | changes).items() if value is not None}


scenario = partial(made_scenario.scenario, draws=DRAWS)


def chosen(target):
    edition = load_edition()
    found = select(scenario(action(target=target)).actions[0].target, edition, draw_baseline(edition, DRAWS, 1))
    return np.array(edition.areas.name)[found.treated]


# Targets


def test_everyone_is_every_area_and_exclude_takes_some_out():
    assert len(chosen({"everyone": True})) == 118
    assert set(chosen({"everyone": True})) - set(chosen({"everyone": True, "exclude": ["Leeds"]})) == {"Leeds"}


def test_rules_on_fields_hold_together():
    edition = load_edition()
    areas = edition.areas
    rules = [
        {"field": "population", "at_least": 300_000, "at_most": 600_000},
        {"field": "area_type", "equals": "Metropolitan district"},
        {"field": "unemployment_rate", "at_least": 4.0},
    ]
    names = chosen({"where": rules, "regions": ["North West"]})
    shrunk = draw_baseline(edition, DRAWS, 1).shrunk_level[:, 1]
    for i, name in enumerate(areas.name):
        kind = text_field("area_type", edition)[i]
        expected = (
            300_000 <= areas.population[i] <= 600_000
            and kind == "Metropolitan district"
            and shrunk[i] >= 4
            and areas.region[i] == "North West"
        )
        assert (name in names) == expected
    assert 0 < len(names) < 10


def test_fields_of_an_area_are_its_figures():
    edition = load_edition()
    baseline = draw_baseline(edition, DRAWS, 1)
    i = edition.areas.name.index("Blackpool")
    with (data_home() / "areas.csv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["area_name"] == "Blackpool")
    density = float(row["population"]) / (float(row["land_area_m2"]) / 1e6)
    assert number_field("density", edition, baseline)[i] == pytest.approx(density)
    assert number_field("deprivation", edition, baseline)[i] == edition.areas.deprivation[i]
    links = condition_links(edition)
    skills = number_field("nvq4plus_share", edition, baseline)
    assert np.array_equal(skills, links.level[:, links.place("nvq4plus_share")], equal_nan=True)
    assert text_field("region", edition)[i] == "North West"
    with pytest.raises(DataError, match="have no field 'sunshine'; they have population"):
        number_field("sunshine", edition, baseline)


def test_areas_of_an_open_edition_have_the_fields_of_those_they_stand_for():
    open_one, monitor = load_edition("open-2019"), load_edition()
    here, there = (text_field("area_type", edition) for edition in (open_one, monitor))
    assert len(here) == 117
    kinds = dict(zip(monitor.areas.code, there, strict=True))
    shared = [(kinds[code], kind) for code, kind in zip(open_one.areas.code, here, strict=True) if code in kinds]
    assert len(shared) > 110 and all(one == other for one, other in shared)
    baseline = draw_baseline(open_one, DRAWS, 1)
    assert np.isfinite(number_field("density", open_one, baseline)).all()


def test_a_group_of_similar_areas_is_reached_by_its_name(monkeypatch):
    made = AreaCluster(np.arange(118) % 3, ("highest", "middle 1", "lowest"))
    monkeypatch.setattr("gwm_models.scenarios.targets.area_clusters", lambda edition: made)
    names = chosen({"clusters": ["lowest", "highest"]})
    assert set(names) == {name for i, name in enumerate(load_edition().areas.name) if i % 3 != 1}
    with pytest.raises(DataError, match=r"no group 'urban' of similar areas; it has .*highest.*See gwm index groups"):
        chosen({"clusters": ["urban"]})


def test_groups_of_similar_areas_are_found_once_and_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("GWM_CACHE", str(tmp_path))
    searches = []

    class Groups:
        area_labels = np.arange(118) % 2
        name = ("highest", "lowest")

    def search(edition, *, n_draws):
        searches.append(n_draws)
        return Groups()

    monkeypatch.setattr("gwm_models.index.groups.find_groups", search)
    monkeypatch.setattr(fields, "find", lambda name, key: _cached(tmp_path, key))
    edition = replace(load_edition())
    first = fields.area_clusters.__wrapped__(edition)
    second = fields.area_clusters.__wrapped__(edition)
    assert len(searches) == 1
    assert np.array_equal(first.label, second.label) and first.name == second.name == ("highest", "lowest")
    assert second.members(("lowest",), "it").tolist() == [bool(i % 2) for i in range(118)]


def _cached(folder, key):
    from gwm_models.models.store import read_sound

    return read_sound(Path(folder) / f"{key[:24]}.nc", key)


def test_a_rule_that_no_area_passes_is_said():
    rule, edition = Where(field="economic_activity_rate", at_least=99.0), load_edition()
    with pytest.raises(DataError, match="matches no area"):
        select(Target(where=(rule,)), edition, draw_baseline(edition, DRAWS, 1))


def test_a_target_without_areas_names_action_rule_and_the_range_of_its_field():
    edition = load_edition()
    there = np.array(edition.areas.region) == "South East"
    level = draw_baseline(edition, DRAWS, 1).shrunk_level[:, 1]
    own, all_areas = (f"from {min(part):.3f} to {max(part):.3f}" for part in (level[there], level))
    most = round((max(level[there]) + max(level)) / 2, 2)
    rule = {"field": "unemployment_rate", "at_least": most}
    with pytest.raises(DataError) as error:
        project(scenario(action(target={"regions": ["South East"], "where": [rule]})))
    assert str(error.value) == (
        "drive: the target matches no area: none passes rule 1 of where, "
        f"'unemployment_rate at_least {most:g}': in the {there.sum()} areas that the rest leaves it goes {own} (levels "
        "shrunk for sampling error). Write a limit within that range, or widen the rest."
    )
    assert own != all_areas


def test_a_rule_on_a_text_or_on_what_an_area_has_no_figure_of_says_so():
    edition = load_edition()
    baseline = draw_baseline(edition, DRAWS, 1)
    text = Where(field="area_type", equals="Parish")
    with pytest.raises(DataError, match="it is County, Metropolitan district, Unitary authority"):
        select(Target(where=(text,)), edition, baseline)
    few = edition.areas.code[:2]
    bare = replace(edition, areas=replace(edition.areas, deprivation=np.full(len(edition.areas), np.nan)))
    rule = Where(field="deprivation", at_least=1.0)
    with pytest.raises(DataError, match=r"in the 2 areas that the rest leaves it has no figure\. Use another field"):
        select(Target(areas=few, where=(rule,)), bare, baseline)


# What is drawn


def test_additionality_has_the_mean_and_spread_that_are_stated():
    shares = {"deadweight": {"mean": 0.3, "sd": 0.1}, "displacement": 0.5, "leakage": {"mean": 0.1, "sd": 0.05}}
    drawn = scenario(action(additionality=shares)).actions[0]
    found = draw_additional(drawn, 40_000, 1)
    assert found.mean() == pytest.approx(0.7 * 0.5 * 0.9, abs=0.002)
    one = draw_additional(
        scenario(action(additionality={"deadweight": {"mean": 0.3, "sd": 0.1}})).actions[0], 40_000, 1
    )
    assert (1 - one).mean() == pytest.approx(0.3, abs=0.002) and one.std() == pytest.approx(0.1, rel=0.02)
    assert ((one > 0) & (one < 1)).all()
    assert draw_additional(drawn, None, 1) == pytest.approx([0.7 * 0.5 * 0.9])
    certain = scenario(action(additionality={"deadweight": 0.2})).actions[0]
    assert draw_additional(certain, 500, 1) == pytest.approx([0.8])


def test_drawn_additionality_is_a_layer_of_its_own():
    shares = {"deadweight": {"mean": 0.3, "sd": 0.1}}
    unsure = {"low": 1.0, "high": 3.0}
    certain, drawn = project(scenario(action(uncertainty=unsure))), project(scenario(action(additionality=shares)))
    assert certain.variance["total"]["effect"] > 0.9 and "additionality" not in certain.variance["total"]
    assert drawn.variance["total"]["additionality"] > 0.9
    assert sum(drawn.variance["total"].values()) == pytest.approx(1)
    assert project(scenario(action(additionality=shares)), variance=False).variance == {}


def test_a_condition_and_a_trend_are_layers_of_their_own():
    skills = action(
        indicator=None, condition="nvq4plus_share", change={"kind": "relative", "value": 5, "unit": "percent"}
    )
    shares = project(scenario(skills)).variance["total"]
    assert shares["conditions"] == pytest.approx(1) and "trend" not in shares
    goal = action(change={"kind": "target", "value": 85.0, "unit": "percent"})
    moving = project(scenario(goal, baseline={"edition": "monitor-2021", "counterfactual": "trend"}))
    assert moving.variance["total"]["trend"] > 0.05


def test_a_condition_brought_to_a_benchmark_starts_from_its_published_level():
    edition = load_edition()
    links = condition_links(edition)
    level = links.level[:, links.place("nvq4plus_share")]
    to_mean = action(
        indicator=None,
        condition="nvq4plus_share",
        change={"kind": "close_gap", "value": 1.0, "unit": "share", "to": "mean"},
    )
    projection = project(scenario(to_mean), variance=False)
    mean = np.average(level, weights=edition.areas.population)
    expected = np.where(projection.treated, np.maximum(mean - level, 0), 0)
    assert projection.asked[0] == pytest.approx(np.tile(expected, (DRAWS, 1)), abs=1e-9)


def test_an_area_without_a_figure_of_a_condition_cannot_be_brought_to_a_level():
    edition = load_edition()
    links = condition_links(edition)
    c = next(c for c in range(len(links.conditions)) if np.isnan(links.level[:, c]).any())
    missing = edition.areas.name[int(np.flatnonzero(np.isnan(links.level[:, c]))[0])]
    change = {"kind": "relative", "value": 5, "unit": "percent"}
    there = edition.areas.name[int(np.flatnonzero(np.isfinite(links.level[:, c]))[0])]
    found = scenario(action(indicator=None, condition=links.conditions[c], change=change, target={"areas": [there]}))
    elsewhere = found.actions[0].target.model_copy(
        update={"areas": (edition.areas.code[edition.areas.name.index(missing)],)}
    )
    gap = found.model_copy(update={"actions": (found.actions[0].model_copy(update={"target": elsewhere}),)})
    with pytest.raises(ModelError, match=f"{missing} has no figure of '{links.conditions[c]}'"):
        project(gap)


def test_a_region_as_benchmark_is_its_mean_by_residents():
    gap = action(change={"kind": "close_gap", "value": 1.0, "unit": "share", "to": "South East"})
    projection = project(scenario(gap), variance=False)
    areas, level = projection.edition.areas, projection.baseline.level[:, :, 0]
    south = np.array([region == "South East" for region in areas.region])
    goal = level[:, south] @ (areas.population[south] / areas.population[south].sum())
    treated = projection.treated
    expected = np.maximum(goal[:, None] - level[:, treated], 0)
    assert projection.asked[0][:, treated] == pytest.approx(expected, abs=1e-9)


def test_a_quantile_brings_areas_to_the_level_of_the_best_fifth():
    up = action(indicator="unemployment_rate", change={"kind": "to_quantile", "value": 0.8, "unit": "quantile"})
    projection = project(scenario(up), variance=False)
    level = projection.baseline.level[:, :, 1]
    goal = np.quantile(level, 0.2, axis=1, keepdims=True)
    after = (level + projection.level_change[:, :, 1])[:, projection.treated]
    assert after == pytest.approx(np.minimum(level[:, projection.treated], goal), abs=1e-9)


def test_a_shock_repeats_what_happened_area_by_area():
    change = {"kind": "shock", "value": 1.0, "unit": "times", "profile": "2009"}
    everyone = action(indicator="unemployment_rate", change=change, target={"everyone": True}, phasing=None, start=2027)
    projection = project(scenario(everyone, analysis={"draws": 2000, "seed": 1}), variance=False)
    shock = shock_profile(projection.edition, "unemployment_rate", "2009")
    points = projection.history["All areas"].mean(axis=1)
    per_point = -99 / 8.1
    assert points[0] == 0
    expected = shock.by_area()[:4].mean(axis=1) * per_point
    assert points[1:] == pytest.approx(expected, abs=1.0)
    asked = projection.asked[0].mean(axis=0)
    assert asked == pytest.approx(shock.by_area()[3], abs=0.25)
    error = projection.asked[0].std(axis=0)
    assert error.mean() == pytest.approx(
        np.sqrt((shock.persistence[3] * shock.deviation_sd) ** 2 + (shock.path_sd.max()) ** 2).mean(), rel=0.2
    )


def test_people_are_those_whose_work_changes_year_by_year():
    cost = {"recurring": {"value": 100, "unit": "GBP_per_job"}, "price_base": 2025}
    projection = project(scenario(action(cost=cost, reach=0.5)), variance=False)
    base = base_population(projection.edition, "economic_activity_rate").people[projection.treated].sum()
    assert projection.people[0].mean(axis=1) == pytest.approx(np.array([0, 0.5, 1, 1, 1]) * 0.01 * base)
    assert project(scenario(action()), variance=False).people == (None,)


def test_a_cost_per_job_pays_for_no_more_people_than_there_are():
    cost = {"recurring": {"value": 100, "unit": "GBP_per_job"}, "price_base": 2025}
    less = {"kind": "absolute", "value": -9.0, "unit": "pp"}
    asked = scenario(action(indicator="unemployment_rate", change=less, cost=cost))
    projection = project(asked, variance=False)
    base = base_population(projection.edition, "unemployment_rate").people[projection.treated]
    place = projection.edition.spec.indicator_ids.index("unemployment_rate")
    living = projection.level_before[:, projection.treated, place]
    assert projection.people[0][-1] == pytest.approx((np.minimum(living, 9) / 100) @ base, rel=1e-9)


def test_one_action_on_two_regions_is_the_same_as_one_on_each():
    """Areas that have either programme receive no spillover from the other."""
    spill = {"spillover": {"weights": "contiguity", "share": 0.3}}
    regions = ["North East", "North West"]
    whole = project(scenario(action(target={"regions": regions}, **spill)), variance=False)
    parts = [action(id=f"in-{i}", target={"regions": [name]}, **spill) for i, name in enumerate(regions)]
    split = project(scenario(*parts), variance=False)
    assert np.abs(whole.change).max() > 0
    assert split.change == pytest.approx(whole.change, abs=1e-9)


def test_a_shock_is_no_programme_that_keeps_spillover_out():
    shock = action(
        id="slump",
        change={"kind": "shock", "profile": "2009", "value": 1, "unit": "times"},
        target={"regions": ["North East", "North West"]},
        phasing=None,
        start=2026,
    )
    drive = action(spillover={"weights": "contiguity", "share": 0.3})
    alone = project(scenario(drive), variance=False).delivered[0]
    beside = project(scenario(drive, shock), variance=False).delivered[0]
    assert beside == pytest.approx(alone, abs=1e-6)


def test_costs_by_year_add_up_to_the_whole():
    cost = {
        "fixed": {"value": 1000, "unit": "GBP_per_job"},
        "recurring": {"value": 3, "unit": "GBP_per_resident", "years": [2027, 2029], "low": 2, "high": 6},
        "price_base": 2025,
    }
    projection = project(scenario(action(cost=cost, reach=0.5), analysis={"draws": 4000, "seed": 1}), variance=False)
    found = cost_by_year(projection, 0)
    assert (found.start, found.years, found.price_base) == (2026, (2027, 2028, 2029), 2025)
    assert found.fixed == pytest.approx(1000 * projection.people[0].max(axis=0))
    residents = 0.5 * projection.edition.areas.population[projection.treated].sum()
    assert found.recurring.shape == (3, 4000) and np.array_equal(found.recurring[0], found.recurring[2])
    assert np.quantile(found.recurring[0], [0.05, 0.5, 0.95]) == pytest.approx(
        residents * np.array([2, 3, 6]), rel=0.05
    )
    assert np.array_equal(found.total, cost_draws(projection, 0))
    assert found.total == pytest.approx(found.fixed + 3 * found.recurring[0])
    assert cost_by_year(project(scenario(action()), variance=False), 0) is None


def test_a_change_without_phasing_is_refused():
    late = scenario(action()).actions[0].model_copy(update={"phasing": None})
    with pytest.raises(ModelError, match="needs phasing"):
        phase_of(late, range(2026, 2030))


def test_the_year_of_an_edition_is_that_of_its_levels():
    assert edition_year(load_edition()) == 2018
    with pytest.raises(DataError, match="names no year"):
        edition_year(replace(load_edition(), period="lately"))


def test_groups_are_targets_all_areas_and_every_region():
    edition = load_edition()
    masks = group_masks(edition, np.arange(118) < 3)
    assert list(masks)[:2] == ["Target areas", "All areas"] and len(masks) == 2 + len(set(edition.areas.region))
    assert sum(mask.sum() for name, mask in masks.items() if name in edition.areas.region) == 118
    assert "Target areas" not in group_masks(edition, np.zeros(118, dtype=bool))


# Memory


def test_more_draws_than_the_memory_allows_are_refused_with_a_number_that_fits():
    many = scenario(action(), analysis={"draws": 100_000, "seed": 1, "memory": 1.0})
    with pytest.raises(ModelError, match=r"100,000 draws need about .* GiB .* allows 1\. Ask for [\d,]+ draws"):
        project(many)
    edition = load_edition()
    words = _refusal(many, edition).split("Ask for ")[1]
    fewer = int(words.split(" ")[0].replace(",", ""))
    fits = scenario(action(), analysis={"draws": fewer, "seed": 1, "memory": 1.0})
    assert memory_needed(fits, edition) <= 1.0
    assert block_of_draws(fits, edition) == 500
    crowd = [action(id=f"a{i}") for i in range(150)]
    small = scenario(*crowd, analysis={"draws": 100, "seed": 1, "memory": 0.25})
    assert _refusal(small, edition).endswith("allows 0.25. Allow 0.3 GiB.")


def _refusal(asked, edition):
    with pytest.raises(ModelError) as refused:
        block_of_draws(asked, edition)
    return str(refused.value)


def test_less_memory_means_smaller_blocks():
    edition = load_edition()
    moving = {"edition": "monitor-2021", "counterfactual": "trend"}
    sizes = [
        block_of_draws(
            scenario(action(), baseline=moving, analysis={"draws": 100, "seed": 1, "memory": memory}), edition
        )
        for memory in (0.25, 0.4, 4.0)
    ]
    assert sizes == sorted(sizes) and sizes[-1] == 500


LARGEST = """
import sys
from gwm_models.scenarios.projection import project
from gwm_models.scenarios.reader import check_mapping

for i in range({runs}):
    content = {content}
    content["actions"][0]["id"] = f"drive-{{i}}"
    found, problems = check_mapping(content)
    assert found is not None, problems
    project(found)
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("counterfactual", "runs"), [("held", 50), ("trend", 2)])
def test_the_largest_run_stays_below_the_memory_it_allows(tmp_path, counterfactual, runs):
    """10,000 draws, 118 areas, 15 years, scenario after scenario in one process; the default setting is 1 GiB."""
    everywhere = action(
        target={"everyone": True},
        uncertainty={"low": 0.5, "high": 3.2, "across_areas": 0.5},
        phasing={"start": 2026, "full_by": 2036, "fade": {"half_life": 5}},
    )
    baseline = {"edition": "monitor-2021", "counterfactual": counterfactual}
    horizon = {"start": 2026, "end": 2040}
    content = made_scenario.content(everywhere, draws=10_000, baseline=baseline, horizon=horizon)
    code = LARGEST.format(runs=runs, content=content)
    root = str(Path(gwm_models.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) / 2**20 < 1.0


def test_layers_that_offset_each_other_say_so():
    """Variances of 3 and 1 that come to 3 together: a quarter of their sum is taken off."""
    assert _as_shares({"level": 3.0, "effect": 1.0, "together": 3.0}) == {
        "level": 0.75,
        "effect": 0.25,
        "interactions": -0.25,
    }
    assert _as_shares({"level": 3.0, "effect": 1.0, "together": 5.0})["interactions"] == pytest.approx(0.2)
    assert _as_shares({"level": 3.0, "effect": 1.0, "together": 3.9})["interactions"] == 0
    found = project(scenario(action()))
    rows = variance_rows(replace(found, variance={"total": {"effect": 1.0, "points": 0.0, "interactions": -0.25}}))
    assert [row["share"] for row in rows] == [1.0, 0.0, 0.0]
    words = [row["label_layer"] for row in rows]
    assert words == [LAYERS["effect"], LAYERS["points"], f"{LAYERS['interactions']} (take off 25%)"]


def test_a_certain_change_has_no_shares_of_variance_and_says_so():
    """Draws of a certain change differ by rounding alone, which is no layer's."""
    certain = action(uncertainty=None, target={"areas": ["Blackpool", "Hartlepool"]})
    health = [{"outcome": "healthy_life_expectancy_male"}]
    projection = project(scenario(certain, health=health, analysis={"draws": 1000, "seed": 1}))
    assert projection.change[:, projection.treated].mean() == pytest.approx(2 * 99 / 19.3)
    assert set(projection.variance) == {"healthy_life_expectancy_male"}
    assert {row["quantity"] for row in variance_rows(projection)} == set(projection.variance)
    words = "the target areas is certain: no layer of uncertainty bears on it"
    assert any(words in line for line in assumptions(projection))
    unsure = project(scenario(action(uncertainty={"low": 1.0, "high": 3.0}), health=health))
    assert unsure.variance["total"]["health"] == 0 < unsure.variance["total"]["effect"]
    assert not any(words in line for line in assumptions(unsure))


def test_a_variance_of_rounding_is_none():
    assert variance_of(3.5 + 1e-13 * np.arange(9)) == 0
    assert variance_of(np.array([3.5, 3.6])) == pytest.approx(0.0025)
    assert variance_of(np.array([-1.0, 1.0])) == 1


def test_an_indicator_in_points_has_no_baseline_among_the_draws():
    points = {"kind": "absolute", "value": 6, "unit": "points"}
    hours = project(scenario(action(indicator="satisfactory_hours", change=points, uncertainty=None)), variance=False)
    found = {quantity.id: quantity for quantity in quantities(hours)}
    assert np.isnan(found["satisfactory_hours"].before).all()
    assert np.array_equal(found["satisfactory_hours"].change, found["pay"].change)
    assert np.isfinite(found["median_pay"].before).all() and np.isfinite(found["pay"].before).all()


def test_areas_that_share_published_figures_are_said_to_differ_in_drawn_levels():
    projection = project(scenario(action()), variance=False)
    one, other = (projection.edition.areas.name.index(name) for name in ("Bournemouth", "Poole"))
    level = projection.baseline.shrunk_level
    assert (projection.edition.values[one, :2] == projection.edition.values[other, :2]).all()
    assert abs(level[one] - level[other]).max() > 0.01
    words = "areas that share published figures (Bournemouth, Poole) can differ in them"
    assert any(words in line for line in assumptions(projection))


def test_a_printed_change_does_not_know_where_the_frozen_scale_ends():
    """An indicator that fills the scale leaves what a condition elsewhere changes as it was."""
    full = action(change={"kind": "absolute", "value": 15, "unit": "pp"}, uncertainty=None, target={"areas": ["Leeds"]})
    skills = action(
        id="skills",
        indicator=None,
        condition="nvq4plus_share",
        link="between",
        change={"kind": "absolute", "value": 1.0, "unit": "pp"},
        uncertainty=None,
        target={"areas": ["Blackpool"]},
    )
    alone, both = (project(scenario(*actions), variance=False) for actions in ((full,), (full, skills)))
    leeds = alone.edition.areas.name.index("Leeds")
    assert alone.beyond[:, leeds].any()
    assert both.renormalised[:, leeds] == pytest.approx(alone.renormalised[:, leeds], abs=1e-9)
