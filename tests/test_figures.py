"""The remade figures of the report: their numbers against separate computations, their words, their files."""

import csv
import io
import json
import re
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_country import country

from gwm_models.cli import run_command
from gwm_models.data.edition import load_edition
from gwm_models.data.tables import read_table
from gwm_models.data.user_editions import build_edition
from gwm_models.errors import DataError, InfeasibleError, OutputError
from gwm_models.files import LANDMARK
from gwm_models.models.catalogue import fit_outcome
from gwm_models.models.outcomes import find_outcome
from gwm_models.models.total_line import line_on_total
from gwm_models.plots.forest import Words, forest
from gwm_models.plots.labels import LETTER, LINE, place_labels
from gwm_models.plots.scatter import Axis, Kind, scatter
from gwm_models.plots.strips import strips
from gwm_models.plots.years import changes, year_lines
from gwm_models.report.figures import (
    FIGURES,
    NUMBERS,
    PAGE,
    chosen_figures,
    chosen_formats,
    heading,
    make_figures,
    number_rows,
    picture_of,
    write_figures,
)
from gwm_models.report.figures_page import figures_html
from gwm_models.report.figures_parts import FigureSet
from gwm_models.report.figures_sources import OPEN_LICENCE
from gwm_models.report.pictures import length_of, png_of, wrapped, write_picture
from gwm_models.report.png import packed

CAUSAL = re.compile(r"\b(caused|effects? of good work|leads? to|because of good work|improves? health)\b", re.I)
N_FIGURES = 14
COMMUNITIES = 3
"""Takes longer to make than all others together."""
DRAWN = (4, 13)
"""Figures whose pictures are looked at in every run."""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def figures():
    """Return the figures that are quick to make, made once."""
    return make_figures(load_edition(), [one.number for one in FIGURES if one.number != COMMUNITIES])


@pytest.fixture(scope="module")
def communities():
    """Return the one that is not."""
    ((_, made),) = make_figures(load_edition(), [COMMUNITIES]).made
    return made


@pytest.fixture(scope="module")
def found(figures):
    """Return every figure by its name."""
    return {planned.id: made for planned, made in figures.made}


@pytest.fixture(scope="module")
def numbers(figures):
    """Return every number by its figure and what it is."""
    return {(planned.id, one.what): one for planned, made in figures.made for one in made.numbers}


@pytest.fixture(scope="module")
def pictures(figures):
    """Return some figures as the text of a picture, by number."""
    return {planned.number: picture_of(planned, made) for planned, made in figures.made if planned.number in DRAWN}


@pytest.fixture
def gwm(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["gwm", *map(str, words)])
        code = run_command()
        out, err = capsys.readouterr()
        return code, out, err

    return run


def scores():
    """Read the printed Monitor totals by unit; the two areas that share a unit's figures are left out."""
    unit = {row["area_code"]: row["unit_code"] for row in read_table("areas").rows()}
    shared = [code for code in unit.values() if list(unit.values()).count(code) > 1]
    rows = read_table("monitor_scores").rows()
    return {unit[row["area_code"]]: float(row["total"]) for row in rows if unit[row["area_code"]] not in shared}


def outcome(table, variable, period, sex="Persons"):
    """Read one published figure of every unit that has it."""
    rows = read_table(table, where={"variable": variable, "period": period, "sex": sex}).rows()
    return {row["unit_code"]: float(row["value"]) for row in rows if np.isfinite(row["value"])}


def pair(table, variable, period, sex="Persons", without=()):
    """Return totals and one figure over the units that have both."""
    total, value = scores(), outcome(table, variable, period, sex)
    units = sorted((set(total) & set(value)) - set(without))
    return np.array([total[unit] for unit in units]), np.array([value[unit] for unit in units])


def one(numbers, figure, start):
    """Find the one number of a figure whose name starts so."""
    matches = [number for (name, what), number in numbers.items() if name == figure and what.startswith(start)]
    assert len(matches) == 1, (figure, start, [what for name, what in numbers if name == figure])
    return matches[0]


def fisher(r, n):
    reach = 1.959964 / np.sqrt(n - 3)
    return np.tanh(np.arctanh(r) - reach), np.tanh(np.arctanh(r) + reach)


# Words ----------------------------------------------------------------------------------------------------------------


def test_thirteen_figures_follow_the_report_and_one_goes_beyond_it(figures):
    assert [planned.number for planned in FIGURES] == list(range(1, N_FIGURES + 1))
    chapters = [planned.chapter for planned in FIGURES]
    assert list(dict.fromkeys(chapters)) == [
        "Good Work Monitor",
        "Good work and health",
        "The impact of Covid-19",
        "Beyond the report",
    ]
    assert chapters.count("Beyond the report") == 1
    assert [planned.number for planned, _ in figures.made] == [n for n in range(1, N_FIGURES + 1) if n != COMMUNITIES]
    assert figures.left_out == ()


def test_figures_carry_the_numbers_of_the_report_where_they_are_known():
    numbers = {planned.id: planned.number for planned in FIGURES}
    known = {"communities": 3, "regions": 4, "conditions": 7, "healthy-life": 8, "diseases": 9, "despair": 10}
    known |= {"labour-market": 11, "mortality": 12, "both-blows": 13}
    assert {name: numbers[name] for name in known} == known


def test_every_figure_says_its_interval_period_unit_areas_source_and_licence(figures):
    for planned, made in figures.made:
        facts = dict(made.facts)
        assert {"Interval", "Period", "Unit", "Areas", "Left out", "Source", "Caution"} <= set(facts), planned.id
        assert "interval" in facts["Interval"] and re.search(r"\d{4}", facts["Period"]), planned.id
        assert re.search(r"\d+ (areas|units)", facts["Areas"]), planned.id
        licences = {source.licence for source in made.sources}
        assert OPEN_LICENCE in licences, planned.id
        assert all(source.producer and source.title for source in made.sources)
        assert OPEN_LICENCE in facts["Source"] and "v3.0, © Crown copyright" in OPEN_LICENCE


def test_every_number_lies_within_its_interval_and_has_a_level_or_is_a_range(figures):
    for planned, made in figures.made:
        assert made.numbers, planned.id
        assert any(number.level for number in made.numbers), planned.id
        for number in made.numbers:
            assert number.lower <= number.estimate <= number.upper, number
            assert number.n >= 20 and number.unit and number.level in (None, 0.9, 0.95)


def test_titles_state_a_finding_and_no_cause(figures):
    for planned, made in figures.made:
        title = heading(planned, made)
        assert title.startswith(f"Figure {planned.number}. ") and len(made.title) > 40
        assert not made.title.endswith(".")
        assert not CAUSAL.search(made.title), title


def test_figures_of_associations_say_that_they_show_no_cause(found):
    for name in ("conditions", "healthy-life", "diseases", "despair", "labour-market", "mortality", "both-blows"):
        assert re.search(r"does not show|not an effect|does not show why", found[name].caution), name


def test_every_chart_has_a_description_a_legend_and_a_table_of_its_data(figures):
    for planned, made in figures.made:
        assert made.specs, planned.id
        for spec in made.specs:
            about = spec["usermeta"]
            assert len(spec["description"]) > 30 and spec["description"].endswith("."), planned.id
            assert about["legend"] and about["table"]
            fields = set(spec["data"]["values"][0])
            assert all(column["field"] in fields for column in about["table"]), planned.id


# Numbers against separate computations --------------------------------------------------------------------------------


def test_the_map_and_its_ends_are_the_printed_totals(found, numbers):
    printed = {row["area_name"]: float(row["total"]) for row in read_table("monitor_scores").rows()}
    drawn = {row["name"]: row["value"] for row in found["monitor-map"].specs[0]["data"]["values"]}
    assert sorted(drawn.values()) == sorted(printed.values()) and len(drawn) == 118
    best, worst = one(numbers, "monitor-map", "Total: Wokingham"), one(numbers, "monitor-map", "Total: Stoke")
    assert (best.estimate, worst.estimate) == (502.0, 123.4)
    assert best.upper - best.estimate == pytest.approx(best.estimate - best.lower)


def test_rank_intervals_hold_the_printed_rank_of_most_areas(found):
    printed = {row["area_code"]: int(row["rank"]) for row in read_table("monitor_scores").rows()}
    drawn = [row for spec in found["ranks"].specs for row in spec["data"]["values"]]
    inside = [row["lower"] <= printed[row["code"]] <= row["upper"] for row in drawn]
    assert len(drawn) == 118 and np.mean(inside) > 0.9


def test_the_share_of_the_variance_within_regions_is_worked_out_again_by_hand(found, numbers):
    true = {row["area_code"]: row["region_name"] for row in read_table("areas").rows()}
    table = list(read_table("monitor_scores").rows())
    total = np.array([float(row["total"]) for row in table])

    def within(region):
        names = np.array(region)
        means = np.array([total[names == name].mean() for name in names])
        return float(((total - means) ** 2).sum() / ((total - total.mean()) ** 2).sum())

    as_printed, truly = (
        within([row["region_as_printed"] for row in table]),
        within([true[row["area_code"]] for row in table]),
    )
    assert as_printed == pytest.approx(0.698, abs=5e-4)
    assert f"{as_printed:.3f}" in found["regions"].caution
    shares = found["regions"].specs[1]["data"]["values"]
    assert shares[0]["other"] == pytest.approx(truly, abs=1e-4)
    number = one(numbers, "regions", "Share of the variance within regions: Total")
    assert number.estimate == pytest.approx(0.70, abs=0.01) and number.lower < truly < number.upper


def test_conditions_against_the_monitor_give_the_published_correlation(numbers, found):
    monitor = {row["area_code"]: float(row["total"]) for row in read_table("monitor_scores").rows()}
    conditions = {row["area_code"]: float(row["total"]) for row in read_table("conditions_scores").rows()}
    codes = sorted(monitor)
    x, y = np.array([conditions[code] for code in codes]), np.array([monitor[code] for code in codes])
    number = one(numbers, "conditions", "Conditions total with")
    r = np.corrcoef(x, y)[0, 1]
    assert number.estimate == pytest.approx(r) and round(r, 2) == 0.71 and number.n == 118
    assert (number.lower, number.upper) == pytest.approx(fisher(r, 118), abs=1e-4)
    slope = one(numbers, "conditions", "Slope")
    assert slope.estimate == pytest.approx(100 * np.polyfit(x, y, 1)[0])
    assert "not the sum of its" in found["conditions"].caution and "3 of 118" in found["conditions"].caution


@pytest.mark.parametrize(("sex", "r", "slope"), [("male", 0.82, 3.16), ("female", 0.80, 3.52)])
def test_healthy_life_between_areas_is_as_known_and_as_a_plain_line_gives(numbers, sex, r, slope):
    x, y = pair("outcomes", "healthy_life_expectancy_at_birth", "2016-18", sex.capitalize())
    label = f"Healthy life expectancy at birth, {sex}"
    correlation = one(numbers, "healthy-life", f"Correlation with the total: {label}")
    line = one(numbers, "healthy-life", f"Slope: {label}")
    assert correlation.n == line.n == len(x) == 116
    assert correlation.estimate == pytest.approx(np.corrcoef(x, y)[0, 1]) and round(correlation.estimate, 2) == r
    assert line.estimate == pytest.approx(100 * np.polyfit(x, y, 1)[0]) and round(line.estimate, 2) == slope
    design = np.column_stack([np.ones(116), x / 100])
    bread = np.linalg.inv(design.T @ design)
    residual = y - design @ (bread @ design.T @ y)
    scale = residual / (1 - np.einsum("ij,jk,ik->i", design, bread, design))
    error = np.sqrt((bread @ (design.T * scale**2) @ design @ bread)[1, 1])
    assert line.upper - line.estimate == pytest.approx(1.98099 * error, rel=1e-4)


@pytest.mark.parametrize(("sex", "slope"), [("male", 0.81), ("female", 0.96)])
def test_healthy_life_within_areas_stands_beside_it_and_is_what_area_and_year_effects_give(numbers, sex, slope):
    years = range(2010, 2020)
    rows = []
    for year in years:
        period = f"{year}-01/{year}-12"
        activity = outcome("indicators", "economic_activity_rate_16_64", period)
        unemployed = outcome("indicators", "unemployment_rate_16_64", period)
        window = f"{year - 1}-{(year + 1) % 100:02d}"
        healthy = outcome("outcomes", "healthy_life_expectancy_at_birth", window, sex.capitalize())
        for unit in set(activity) & set(unemployed) & set(healthy) - {"E92000001"}:
            access = 99 / 19.3 * activity[unit] - 99 / 8.1 * unemployed[unit]
            rows.append((unit, year, access / 100, healthy[unit]))
    number = one(numbers, "healthy-life", f"Slope within areas on access: Healthy life expectancy at birth, {sex}")
    assert number.n == len(rows)
    unit, year = (np.unique([row[i] for row in rows], return_inverse=True)[1] for i in (0, 1))
    effects = np.column_stack([np.eye(unit.max() + 1)[unit], np.eye(year.max() + 1)[year][:, 1:]])
    design = np.column_stack([[row[2] for row in rows], effects])
    estimate = np.linalg.lstsq(design, np.array([row[3] for row in rows]), rcond=None)[0][0]
    assert number.estimate == pytest.approx(estimate, abs=1e-6) and round(estimate, 2) == slope
    assert number.lower > 0


def test_the_first_slope_is_never_shown_without_the_second(found):
    made = found["healthy-life"]
    assert "for 100 points of access it is 6.8 and 7.2 years between areas" in made.title
    assert made.title.endswith("but 0.8 (0.1 to 1.5) and 1.0 (0.2 to 1.7) within the same areas over time")
    names = [row["name"] for row in made.specs[-1]["data"]["values"]]
    assert sum("between areas" in name for name in names) == 4
    assert sum("within areas" in name for name in names) == 6
    assert "not on the total" in made.caution


@pytest.mark.parametrize(("sex", "who"), [("male", "Men"), ("female", "Women")])
def test_the_slope_that_scenarios_use_is_the_stored_latent_panel(found, numbers, sex, who):
    fit = fit_outcome(f"healthy_life_expectancy_{sex}", "latent-panel")
    within = fit.draws[:, fit.place("within")]
    label = f"Healthy life expectancy at birth, {sex}"
    number = one(
        numbers, "healthy-life", f"Slope within areas on access, survey noise modelled, as scenarios use it: {label}"
    )
    assert number.estimate == pytest.approx(within.mean(), rel=1e-4)
    assert (number.lower, number.upper) == pytest.approx(np.quantile(within, [0.025, 0.975]), rel=1e-3)
    rows = {row["name"]: row for row in found["healthy-life"].specs[-1]["data"]["values"]}
    assert (
        rows[f"{who}: within areas, access, noise modelled, as scenarios use it"]["words"] == f"{number.estimate:.2f}"
    )
    assert f"{number.estimate:.1f} (" in " ".join(found["healthy-life"].reading)
    corrected = one(
        numbers,
        "healthy-life",
        f"Slope within areas on access over three years, noise taken out by correction: {label}",
    )
    assert rows[f"{who}: within areas, three-year access, noise corrected"]["words"] == f"{corrected.estimate:.2f}"
    assert corrected.n < number.n


@pytest.mark.slow
def test_an_edition_without_a_stored_panel_says_how_to_fit_it(monkeypatch):
    monkeypatch.setattr("gwm_models.report.figures_health.stored_fit", lambda *_: None)
    ((_, made),) = make_figures(load_edition(), [8]).made
    assert "gwm fit healthy_life_expectancy_male --spec latent-panel" in made.reading[1]
    assert "scenarios use it" not in " ".join(number.what for number in made.numbers)
    assert "but 0.8 (0.1 to 1.5) and 1.0 (" in made.title


def test_the_disease_table_is_worked_out_again_from_its_printed_t(found, numbers):
    table = list(read_table("disease_correlations").rows())
    for row in table:
        t = float(row["t_statistic"])
        r = t / np.sqrt(116 + t**2)
        number = one(numbers, "diseases", f"{row['disease']} with the total")
        assert number.estimate == pytest.approx(r) and (number.lower, number.upper) == pytest.approx(
            fisher(r, 118), abs=1e-4
        )
        assert round(number.estimate, 2) == float(row["pearson_r"]) and number.n == 118
    drawn = found["diseases"].specs[0]["data"]["values"]
    assert [row["other"] for row in drawn] == [float(row["pearson_r"]) for row in table]


def test_neighbours_alike_make_intervals_of_open_correlations_wider(found):
    rows = found["diseases"].specs[1]["data"]["values"]
    assert len(rows) == 7
    assert all(row["wide_lower"] < row["lower"] < row["upper"] < row["wide_upper"] for row in rows)


@pytest.mark.parametrize(
    ("figure", "name", "known"),
    [
        ("despair", "alcohol_related_admissions", -0.59),
        ("despair", "drug_misuse_admissions", -0.53),
        ("despair", "self_harm_admissions", -0.26),
        ("labour-market", "furlough_takeup", -0.29),
        ("labour-market", "universal_credit_rise", -0.64),
        ("mortality", "covid19_mortality", -0.24),
        ("mortality", "non_covid19_mortality", -0.71),
    ],
)
def test_correlations_of_other_outcomes_are_as_known(numbers, figure, name, known):
    about = find_outcome(name)
    x, y = pair(about.table, about.variable, about.periods[0], about.sex)
    number = one(numbers, figure, f"Correlation with the total: {about.label}")
    assert number.estimate == pytest.approx(np.corrcoef(x, y)[0, 1]) and number.n == len(x)
    assert number.estimate == pytest.approx(known, abs=0.0051)
    slope = one(numbers, figure, f"Slope: {about.label}")
    assert slope.estimate == pytest.approx(100 * np.polyfit(x, y, 1)[0])


def test_suicide_leaves_out_rutland_and_says_so(numbers, found):
    x, y = pair("outcomes", "suicide_asmr", "2016-18", without=("E06000017",))
    number = one(numbers, "despair", "Correlation with the total: Suicide")
    assert number.estimate == pytest.approx(np.corrcoef(x, y)[0, 1]) and number.n == 115
    assert any("Rutland" in words for words in found["despair"].left_out)


def test_the_labour_market_index_is_built_again_by_hand(numbers):
    total = scores()
    rise = outcome("indicators", "uc_households_increase_share_16_64", "2020-01/2020-06")
    takeup = outcome("indicators", "furlough_takeup_rate", "to 2020-07-31")
    units = sorted(set(total) & set(rise) & set(takeup))
    figures = np.array([[rise[unit], takeup[unit]] for unit in units])
    low, high = figures.min(axis=0), figures.max(axis=0)
    index = (1 + 99 * (high - figures) / (high - low)).sum(axis=1)
    r = np.corrcoef(index, [total[unit] for unit in units])[0, 1]
    number = one(numbers, "labour-market", "Correlation with the total: Labour-market index")
    assert number.estimate == pytest.approx(r) and number.n == len(units) == 115


def test_covid_and_other_deaths_differ_in_how_closely_they_follow(numbers):
    covid, other = (
        one(numbers, "mortality", f"Correlation with the total: {label}")
        for label in ("Covid-19 mortality", "Mortality not involving")
    )
    difference = one(numbers, "mortality", "Difference of the correlations")
    assert difference.estimate == pytest.approx(covid.estimate - other.estimate) and difference.lower > 0.3


def test_no_area_moved_beyond_sampling_error_before_the_break(found, numbers):
    made = found["over-time"]
    assert made.title.startswith("No area moved by more than chance gives among 116 areas from 2017 to 2019")
    first, last = load_edition("open-2017"), load_edition("open-2019")
    then = dict(zip(first.areas.name, first.total, strict=True))
    change = {
        name: float(now - then[name])
        for name, now in zip(last.areas.name, last.total, strict=True)
        if name in then and np.isfinite(now - then[name])
    }
    rise, fall = one(numbers, "over-time", "Largest rise"), one(numbers, "over-time", "Largest fall")
    assert rise.estimate == pytest.approx(max(change.values())) and max(change, key=change.get) in rise.what
    assert fall.estimate == pytest.approx(min(change.values())) and min(change, key=change.get) in fall.what
    assert rise.n == len(change)
    risen = one(numbers, "over-time", "Change over the break")
    assert risen.lower > 0 and "rose" in risen.what
    assert {row["verdict"] for row in made.specs[1]["data"]["values"]} == {"within sampling error"}


def test_the_areas_hit_twice_are_counted_again_by_hand(found, numbers):
    total = scores()
    rise = outcome("indicators", "uc_households_increase_share_16_64", "2020-01/2020-06")
    takeup = outcome("indicators", "furlough_takeup_rate", "to 2020-07-31")
    about = find_outcome("covid19_mortality")
    deaths = outcome(about.table, about.variable, about.periods[0], about.sex)
    units = sorted(set(total) & set(rise) & set(takeup) & set(deaths))
    hit_by = np.array([[rise[unit], takeup[unit]] for unit in units])
    index = ((hit_by.max(axis=0) - hit_by) / np.ptp(hit_by, axis=0)).sum(axis=1)
    rate, score = (np.array([table[unit] for unit in units]) for table in (deaths, total))
    deadly, hard = rate > rate.mean(), index < index.mean()
    both = deadly & hard
    made = found["both-blows"]
    count, chance, gap = (
        one(numbers, "both-blows", start) for start in ("Areas hit by both;", "Areas hit by both if", "Mean total")
    )
    assert count.estimate == both.sum() == 33 and count.n == len(units) == 115
    assert count.lower < both.sum() < count.upper
    assert chance.estimate == pytest.approx(deadly.sum() * hard.sum() / 115)
    assert made.title.startswith("33 of 115 areas") and "about 24 would be by chance" in made.title
    assert gap.estimate == pytest.approx(score[both].mean() - score[~both].mean())
    error = np.sqrt(score[both].var(ddof=1) / both.sum() + score[~both].var(ddof=1) / (~both).sum())
    assert 1.96 * error < gap.upper - gap.estimate < 2.01 * error
    values = made.specs[0]["data"]["values"]
    assert sum(row["kind"] < 2 for row in values) == 33
    assert {row["code"] for row in values if row["kind"] < 2} == {units[i] for i in np.flatnonzero(both)}
    assert all((row["kind"] == 0) == (row["z"] >= 0.95) for row in values if row["kind"] < 2)


def test_the_number_of_areas_by_chance_has_the_interval_of_shuffled_blows(found, numbers):
    values = found["both-blows"].specs[0]["data"]["values"]
    deadly, hard = (np.array([row[axis] for row in values]) for axis in "yx")
    deadly, hard = deadly > deadly.mean(), hard < hard.mean()
    rng = np.random.default_rng(1)
    counts = [int((rng.permutation(deadly) & hard).sum()) for _ in range(4000)]
    chance = one(numbers, "both-blows", "Areas hit by both if")
    assert np.quantile(counts, [0.025, 0.975]) == pytest.approx([chance.lower, chance.upper], abs=1)
    assert np.mean(counts) == pytest.approx(chance.estimate, abs=0.2)


def test_every_area_hit_twice_is_named_with_its_probability(found):
    made = found["both-blows"]
    hit, possible = made.reading
    named = {row["name"]: row for row in made.specs[0]["data"]["values"]}
    assert all((name in hit) == (row["kind"] < 2) for name, row in named.items() if name != "Staffordshire")
    assert "(100%)" not in hit and "Blackpool (67%)" in hit
    assert "Stoke-on-Trent (41%)" in possible


@pytest.mark.slow
def test_communities_hold_every_area_once_with_how_sure_its_membership_is(communities):
    first, second = (spec["data"]["values"] for spec in communities.specs)
    assert len({row["code"] for row in first}) == len(first) == 118
    assert len({row["value"] for row in first}) == 4
    assert all(0 < row["value"] <= 1 for row in second) and len(second) == 118
    sizes = [number.n for number in communities.numbers if "Mean prob" in number.what]
    assert sum(sizes) == 117
    assert "not published as a table" in communities.caution
    assert "interval" in communities.interval and not CAUSAL.search(communities.title)
    assert all(number.lower <= number.estimate <= number.upper for number in communities.numbers)


def test_the_domains_are_the_printed_scores_and_their_correlations(found, numbers):
    table = list(read_table("monitor_scores").rows())
    for spec, name in zip(found["domains"].specs[:3], ("access", "status", "pay"), strict=True):
        assert sorted(row["value"] for row in spec["data"]["values"]) == sorted(float(row[name]) for row in table)
    keys = [[entry["label"] for entry in spec["usermeta"]["legend"]] for spec in found["domains"].specs[:3]]
    assert keys[0] == keys[1] == keys[2] and 4 <= len(keys[0]) <= 7
    unit = {row["area_code"]: row["unit_code"] for row in read_table("areas").rows()}
    merged = [row for row in table if list(unit.values()).count(unit[row["area_code"]]) == 1]
    r = np.corrcoef([float(row["access"]) for row in merged], [float(row["status"]) for row in merged])[0, 1]
    assert one(numbers, "domains", "Access and status").estimate == pytest.approx(r, abs=0.003)


def test_the_line_of_a_figure_is_the_stored_specification_without_merged_areas():
    edition = load_edition()
    for name in ("healthy_life_expectancy_female", "suicide", "furlough_takeup"):
        line, fit = line_on_total(edition, find_outcome(name)), fit_outcome(name, "no-shared")
        row = fit.focus_row()
        assert (line.slope, line.slope_lower, line.slope_upper) == pytest.approx(
            (row["estimate"], row["lower"], row["upper"])
        )
        assert len(line) == fit.n and set(line.code) == set(fit.sample)
        height, lower, upper = line.at(line.total.mean())
        assert height[0] == pytest.approx(line.value.mean()) and lower[0] < height[0] < upper[0]


# Other editions -------------------------------------------------------------------------------------------------------


def test_another_edition_leaves_out_with_reasons_what_belongs_to_the_monitor():
    figures = make_figures(load_edition("open-2019"), [1, 6, 7, 9, 10])
    assert [planned.number for planned, _ in figures.made] == [1, 10]
    reasons = {planned.number: why for planned, why in figures.left_out}
    assert set(reasons) == {6, 7, 9} and all("open-2019" in why for why in reasons.values())
    page = figures_html(figures, {"command": "gwm figures"})
    assert all(f"Figure {number}: " in page for number in reasons)
    assert figures.made[0][1].unit == "score points, 5 to 500"


def test_an_edition_of_your_own_is_named_by_its_title_where_a_figure_cannot_be_made(tmp_path):
    folder = tmp_path / "made"
    build_edition(country(tmp_path / "land"), folder)
    edition = load_edition(str(folder))
    figures = make_figures(edition, [1, 6, 8, 11, 14])
    assert [planned.number for planned, _ in figures.made] == [1]
    reasons = [why for _, why in figures.left_out]
    assert all(edition.spec.title in why for why in reasons) and str(tmp_path) not in " ".join(reasons)
    with pytest.raises(InfeasibleError) as error:
        make_figures(edition, [6])
    assert edition.spec.title in str(error.value) and str(tmp_path) not in str(error.value)


@pytest.mark.slow
def test_an_edition_of_a_made_up_country_says_what_it_lacks(tmp_path):
    edition = build_edition(country(tmp_path / "land"), tmp_path / "made")
    figures = make_figures(edition)
    assert {planned.id for planned, _ in figures.made} == {"monitor-map", "ranks", "domains", "regions", "communities"}
    reasons = {planned.id: why for planned, why in figures.left_out}
    assert "no other years" in reasons["over-time"] and "no unit of" in reasons["healthy-life"]
    assert "Monitor" not in " ".join(source.title for _, made in figures.made for source in made.sources)
    assert "</html>" in figures_html(figures, {"command": "gwm figures"})


# Pictures and pages ---------------------------------------------------------------------------------------------------


def parsed(text):
    return ElementTree.fromstring(text)  # noqa: S314  made here


def check_whole(number, text):
    """Make sure that a picture says what it must, and holds nothing from outside."""
    root = parsed(text)
    words = " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
    assert f"Figure {number}. " in words and "Source: " in words and "Open Government Licence v3.0" in words
    assert "var(--" not in text and not re.search(r'(href|src)="(?!#)', text)
    names = re.findall(r'\bid="([^"]+)"', text)
    assert len(names) == len(set(names)), number
    assert root.get("width") == "900"


def check_words(number, text):
    """Make sure that no line of words is cut or stands on another."""
    lines = [each for each in parsed(text).findall(f"{SVG}text") if each.text]
    boxes = [
        (float(each.get("x")), float(each.get("y")), length_of(each.text, float(each.get("font-size"))))
        for each in lines
    ]
    assert all(x + length < 900 - 10 for x, _, length in boxes), number
    for i, (x, y, length) in enumerate(boxes):
        for other_x, other_y, other_length in boxes[i + 1 :]:
            apart = x + length < other_x or other_x + other_length < x or abs(y - other_y) > 10
            assert apart, (number, lines[i].text)


def test_a_picture_is_whole_without_anything_from_outside_and_no_word_is_cut(pictures):
    assert set(pictures) == set(DRAWN)
    for number, text in pictures.items():
        check_whole(number, text)
        check_words(number, text)


@pytest.mark.slow
def test_every_figure_is_a_whole_and_small_picture(figures, communities):
    made = [*figures.made, (FIGURES[COMMUNITIES - 1], communities)]
    assert len(made) == N_FIGURES
    for planned, one_made in made:
        text = picture_of(planned, one_made)
        check_whole(planned.number, text)
        check_words(planned.number, text)
        assert len(png_of(text)) < 350_000, planned.number


@pytest.fixture
def spec():
    rows = [{"area_code": f"E{i}", "area_name": f"Area {i}", "x": float(i), "y": float(i % 4)} for i in range(9)]
    return scatter(rows, Axis("X", "X"), Axis("Y", "Y"), description="Nine areas.", outliers=[8, 0])[0]


def test_a_picture_is_written_by_the_ending_of_its_name(spec, tmp_path):
    write_picture(spec, tmp_path / "a.png", title="A <title> & more")
    write_picture(spec, tmp_path / "a.svg", "dark", 500, title="A <title> & more")
    content = (tmp_path / "a.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n") and int.from_bytes(content[16:20]) == 1400
    root = parsed((tmp_path / "a.svg").read_text(encoding="utf-8"))
    assert root.get("width") == "500" and root.find(f"{SVG}title").text == "A <title> & more"
    assert root.find(f"{SVG}rect").get("fill") == "#12171c"
    with pytest.raises(OutputError, match=r"ends in \.png or \.svg"):
        write_picture(spec, tmp_path / "a.pdf")
    with pytest.raises(OutputError, match="cannot be written"):
        write_picture(spec, tmp_path / "a.svg" / "a.png")


def test_a_picture_fetches_nothing(spec, tmp_path):
    strange = {**spec, "data": {"url": "https://example.org/rows.json"}}
    with pytest.raises(ValueError, match=r"example\.org|not allowed|denied"):
        write_picture(strange, tmp_path / "a.svg")


def test_the_same_figure_gives_the_same_bytes(spec):
    from gwm_models.report.pictures import picture_svg

    assert picture_svg(spec, title="A") == picture_svg(spec, title="A")
    assert png_of(picture_svg(spec, width=300)) == png_of(picture_svg(spec, width=300))


def test_a_folder_of_figures_is_whole_and_says_how_it_was_made(figures, tmp_path):
    some = FigureSet(figures.edition, tuple(both for both in figures.made if both[0].number in (4, 7)), ())
    place = tmp_path / "out"
    names = write_figures(place, some, command="gwm figures --only 4 --only 7")
    files = {path.name for path in place.iterdir()}
    assert set(names) == files
    assert files == {PAGE, NUMBERS, LANDMARK, *(f"figure-0{n}.{kind}" for n in (4, 7) for kind in ("png", "svg"))}
    manifest = json.loads((place / LANDMARK).read_text(encoding="utf-8"))
    assert manifest["figures"] == [4, 7] and manifest["edition"] == "monitor-2021" and manifest["data_sha256"]
    rows = list(csv.DictReader(io.StringIO((place / NUMBERS).read_text(encoding="utf-8"))))
    assert all(path.stat().st_size < 350_000 for path in place.glob("*.png"))
    assert len(rows) == len(number_rows(some)) and {row["figure"] for row in rows} == {"4", "7"}
    write_figures(place, some, command="gwm figures", formats=("html",))
    assert {path.name for path in place.iterdir()} == {PAGE, NUMBERS, LANDMARK}
    (place / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        write_figures(place, some, command="gwm figures", formats=("html",))


def test_the_page_is_complete_under_three_megabytes_and_says_whose_captions_they_are(figures):
    page = figures_html(figures, {"command": "gwm figures", "edition": "monitor-2021"})
    assert len(page.encode()) < 3_000_000
    assert len(re.findall(r'<figure class="figure wide" id="figure-\d\d">', page)) == len(figures.made)
    assert "Figures 3, 4 and 7 to 13 carry the report&#39;s own numbers" in page.replace("'", "&#39;")
    beyond = page.index(">Beyond the report</h2>")
    assert page.index("The report has no such figure", beyond) < page.index("Figure 14. ", beyond)
    assert "captions are ours" in page and "none claims to copy a published picture" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert all(made.title.replace("'", "&#39;") in page for _, made in figures.made)


# Small files ----------------------------------------------------------------------------------------------------------


def png(pixels, *, filtered=False, channels=3):
    """Write a PNG by hand, each row as it is or as differences from the pixel to the left."""
    height, width, _ = pixels.shape
    left = np.concatenate([np.zeros((height, 1, channels), dtype=np.uint8), pixels[:, :-1]], axis=1)
    rows = (pixels - left if filtered else pixels).reshape(height, -1)
    raw = b"".join(bytes([filtered]) + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def shown(content):
    """Read the colours of a PNG with a palette by hand, checking every sum."""
    at, chunks = 8, {}
    while at < len(content):
        size = int.from_bytes(content[at : at + 4])
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        assert int.from_bytes(content[at + 8 + size : at + 12 + size]) == zlib.crc32(name + body)
        chunks[name] = body
        at += size + 12
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour) == (8, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    palette = np.frombuffer(chunks[b"PLTE"], dtype=np.uint8).reshape(-1, 3)
    assert len(palette) <= 256
    return palette[rows[:, 1:]]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 12), st.booleans())
def test_a_picture_of_few_colours_is_packed_without_loss(seed, width, height, filtered):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert (shown(packed(png(pixels, filtered=filtered))) == pixels).all()
    opaque = np.concatenate([pixels, np.full((height, width, 1), 255, dtype=np.uint8)], axis=2)
    assert (shown(packed(png(opaque, filtered=filtered, channels=4))) == pixels).all()


def test_of_many_colours_the_frequent_are_kept_and_the_others_become_the_nearest():
    ramp = np.arange(64, dtype=np.uint8) * 4
    pixels = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.uint8(0)), axis=2)
    pixels = np.concatenate([pixels, np.full((64, 64, 3), 201, dtype=np.uint8)])
    drawn = shown(packed(png(pixels, filtered=True)))
    assert (drawn[64:] == 201).all()
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 256


def test_a_picture_of_another_form_stays_as_it_is():
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    for content in (b"GIF89a", png(pixels, channels=4)):
        assert packed(content) == content


# Small charts and labels ----------------------------------------------------------------------------------------------


def test_the_name_of_the_highest_area_steps_below_the_line_where_it_would_meet_that_of_the_lowest():
    def heights(top):
        rows = [
            {"area_code": str(i), "area_name": name, "g": group, "v": value}
            for i, (name, group, value) in enumerate(
                [
                    ("Plymouth", "South", 0.0),
                    ("South Gloucestershire", "South", top),
                    ("A", "All", 0.0),
                    ("B", "All", 100.0),
                ]
            )
        ]
        [spec] = strips(rows, group="g", value="v", axis="V", places=0, description="Two groups.")
        names = next(layer for layer in spec["layer"] if "align" in str(layer["mark"]))
        return {each["name"]: each["dy"] for each in names["data"]["values"]}

    # 30 letters of 70 that fit across: they meet where the dots are less than 42.9 of 100 apart.
    near, far = heights(42.5), heights(43.0)
    assert near == {"Plymouth": -14, "South Gloucestershire": 19, "A": -14, "B": -14}
    assert far == {"Plymouth": -14, "South Gloucestershire": -14, "A": -14, "B": -14}


def test_charts_without_rows_are_not_drawn():
    words = Words("Row", "Axis", "Estimate", "Interval")
    assert scatter([], Axis("X", "X"), Axis("Y", "Y"), description="None.") == []
    assert forest([], words, description="None.") == []
    assert strips([], group="g", value="v", axis="A", places=0, description="None.") == []
    assert year_lines([], named={}, keys={}, axis="A", description="None.") == []
    assert changes([], axis="A", description="None.") == []


def test_points_of_several_kinds_have_a_key_each_and_are_drawn_once():
    rows = [
        {"area_code": f"E{i}", "area_name": f"Area {i}", "x": float(i), "y": 1.0 + i, "kind": i % 2, "z": i / 4}
        for i in range(4)
    ]
    kinds = (Kind("Sure", "after"), Kind("Unsure", "after", filled=False))
    (spec,) = scatter(
        rows, Axis("X", "X"), Axis("Y", "Y"), description="Four.", kinds=kinds, more=Axis("P", "Probability", 2)
    )
    assert [(entry["label"], entry["shape"]) for entry in spec["usermeta"]["legend"]] == [
        ("Sure", "dot"),
        ("Unsure", "ring"),
    ]
    filters = [layer["transform"][0]["filter"] for layer in spec["layer"]]
    assert filters == ["datum.kind === 0", "datum.kind === 1"]
    assert [column["title"] for column in spec["usermeta"]["table"]] == ["Area", "X", "Y", "Probability"]
    assert [value["tip_z"] for value in spec["data"]["values"]] == ["0.00", "0.25", "0.50", "0.75"]


points = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=25)


@given(points, st.integers(60, 500), st.integers(60, 400))
def test_names_of_points_stay_inside_and_apart(at, width, height):
    names = [f"Area number {i}" for i in range(len(at))]
    boxes = []
    for spot in place_labels(at, names, range(len(at)), width=width, height=height):
        x, y = at[spot.place][0] * width + spot.dx, at[spot.place][1] * height + spot.dy
        length = LETTER * len(names[spot.place])
        left = {"left": x, "right": x - length, "center": x - length / 2}[spot.align]
        boxes.append((left, y - LINE / 2, left + length, y + LINE / 2))
    for i, box in enumerate(boxes):
        assert box[0] >= -1 and box[2] <= width + 1 and box[1] >= -2 and box[3] <= height + 2
        for other in boxes[i + 1 :]:
            assert box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] + 2 or other[3] <= box[1] + 2


@given(st.text(alphabet="abc WM.", max_size=80), st.integers(40, 300))
def test_lines_of_a_picture_keep_all_words_and_their_width(text, width):
    lines = wrapped(text, 12, width)
    assert " ".join(lines) == text
    assert all(length_of(line, 12) <= width or " " not in line for line in lines)


# The command ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_writes_one_figure_and_says_what_it_found(gwm, tmp_path):
    code, out, err = gwm("figures", "--only", 4, "--only", 12, "--out", tmp_path / "f", "--format", "svg,html")
    assert (code, err) == (0, "")
    assert out.startswith("Figure 4. ") and "Figure 12. " in out
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == sorted(
        ["figure-04.svg", "figure-12.svg", PAGE, LANDMARK, NUMBERS]
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--only", "15"), "There is no figure 15: figures are 1 to 14."),
        (("--only", "0"), "There is no figure 0: figures are 1 to 14."),
        (("--only", "eight"), "--only takes the number of a figure, 1 to 14, such as --only 8; got 'eight'."),
        (("--only", "8", "--only", "99", "--only", "77"), "There is no figure 99, 77: figures are 1 to 14."),
        (("--format", "pdf"), "'pdf' is not a format: use one or more of html, png, svg, with commas."),
        (("--format", ","), "no format is given: use one or more of html, png, svg, with commas."),
        (("--edition", "open-1999"), "open-1999"),
        (("--boundaries", "nowhere.geojson"), "nowhere.geojson"),
    ],
)
def test_a_wrong_option_is_one_clear_line_and_writes_nothing(gwm, tmp_path, words, told):
    code, out, err = gwm("figures", *words)
    assert code == 1 and out == "" and told in err and len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_cannot_be_made_alone_is_impossible_and_not_a_fault(gwm):
    code, out, err = gwm("figures", "--only", "9", "--edition", "open-2018")
    assert code == 2 and out == "" and "None of these figures can be made. Figure 9: " in err


def test_numbers_and_formats_are_read_in_any_order():
    assert [one.number for one in chosen_figures([8, 2, 8])] == [2, 8]
    assert chosen_formats(["svg", " HTML "]) == ("html", "svg")
    with pytest.raises(DataError, match="figures are 1 to 14"):
        chosen_figures([-1])
