"""Curves of cost against size: slopes by hand, what the stored ones hold, and laws of cost that no clock decides."""

import csv
import json
import math
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

import curves
import curves_made as made
from curves_cases import AREAS, DRAWS, Family
from curves_limits import array_bytes

from gwm_models.data.edition import load_edition
from gwm_models.ranks.edition import _same_unit
from gwm_models.ranks.sets_input import Independent
from gwm_models.ranks.sets_steps import PairTests
from gwm_models.ranks.table import rank_areas
from gwm_models.scenarios.notes import _baseline_lines

STORED = Path(__file__).resolve().parents[1] / "results" / "benchmarks"
WORDS = ("curve", "axis", "setting", "left_out", "cost", "note", "work", "limit")


def stored(name):
    with (STORED / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{key: text if key in WORDS or not text else float(text) for key, text in row.items()} for row in rows]


def point(size, seconds, mib, **more):
    return {
        "curve": "c",
        "axis": "areas",
        "setting": "s",
        "size": size,
        "cpu_seconds": seconds,
        "above_start_mib": mib,
        **more,
    }


def test_the_slope_and_its_standard_error_are_those_worked_by_hand():
    # Logarithms of cost 0, 1, 3 at those of size 0, 1, 2: slope 3/2, residuals 1/6, -1/3, 1/6, so that the variance of
    # the slope is (1/36 + 4/36 + 1/36) / (3 - 2) / 2 = 1/12.
    slope, error = curves.fit([1, math.e, math.e**2], [1, math.e, math.e**3])
    assert slope == pytest.approx(1.5)
    assert error == pytest.approx(math.sqrt(1 / 12))
    assert curves.fit([10, 100, 1000], [5, 500, 50_000]) == pytest.approx((2, 0), abs=1e-12)
    assert math.isnan(curves.fit([1, 10], [1, 10])[1])


def test_a_slope_is_of_the_sizes_measured_and_of_costs_that_can_be_told_from_none():
    rows = [point(10, 1.0, 0.5), point(100, 10.0, 20.0), point(1000, 1000.0, 400.0)]
    rows.append({"curve": "c", "axis": "areas", "setting": "s", "size": 10_000, "left_out": "needs 9 GiB"})
    seconds, mib = curves.slopes(rows)
    assert (seconds["slope"], seconds["slope_at_end"]) == pytest.approx((1.5, 2.0))
    assert (seconds["sizes"], seconds["from"], seconds["to"]) == (3, 10, 1000)
    assert (mib["sizes"], mib["slope"]) == (2, "")
    assert mib["note"] == "fewer than three sizes took 4 MiB or more; 1,000 took 400"


def test_a_size_that_takes_too_much_memory_or_time_is_left_out_and_the_row_says_why(monkeypatch):
    family = Family("areas", "s", (10, 100, 1000, 10_000), (), lambda n: iter(()), lambda n: n * 0.7)
    assert curves.too_large(family, 10_000, []) == "needs 6.8 GiB of memory or more"
    seconds = {10: 0.1, 100: 1.0, 1000: 100.0}
    rows = [point(size, cost / 2, 1.0) for size, cost in seconds.items() for _ in range(2)]  # two curves of a family
    # From 100 to 1000 a hundredfold, so 6000 areas would take 100 x 36 = 3600 seconds.
    assert curves.too_large(replace(family, needs=None), 6000, rows) == (
        "would take about 60 minutes of CPU by the slope so far"
    )
    monkeypatch.setattr(curves, "child", lambda kind, name, sizes: [point(sizes[0], seconds[sizes[0]], 1.0)])
    last = curves._family("made up", family)[-1]
    assert (last["curve"], last["size"], last["left_out"]) == ("c", 10_000, "needs 6.8 GiB of memory or more")


def test_workers_are_held_against_one_that_shares_its_work_without_loss():
    alone, shared = {"size": 1, "walls": [8.0, 10.0, 12.0]}, {"size": 2, "walls": [5.0, 6.0, 6.0]}
    (found,) = curves.efficiency([row | {"setting": "s"} for row in (alone, shared)])
    assert (found["times_limit"], found["times_limit_min"], found["times_limit_max"]) == (1.2, 1.0, 1.25)
    assert (found["seconds"], found["limit_seconds"]) == (6.0, 5.0)


def test_the_bytes_of_a_result_count_each_array_once_and_a_view_by_what_it_is_of():
    base = np.zeros((4, 100))
    result = SimpleNamespace()
    areas = replace(load_edition().areas, population=base[0], population_16_64=base[1])
    total = array_bytes((areas, {"a": base, "b": (base[:2], None)}, result))
    assert total == base.nbytes + areas.deprivation.nbytes + areas.borders.nbytes


def test_every_stored_curve_has_three_sizes_or_more_and_says_what_was_left_out():
    points = [row for row in stored("curves.csv") if row["axis"] != "workers"]
    found = {}
    for row in points:
        found.setdefault((row["curve"], row["axis"]), []).append(row)
    for rows in found.values():
        assert sum(not row["left_out"] for row in rows) >= 3
    for row in points:
        if not row["left_out"]:
            assert 0 < row["cpu_min"] <= row["cpu_seconds"] <= row["cpu_max"]
            assert row["start_mib"] + row["above_start_mib"] == pytest.approx(row["peak_mib"], rel=1e-3)
            assert row["peak_mib"] < 1.1 * curves.MOST_MIB
            assert row["rounds"] >= 3 or row["cpu_seconds"] > 3
    sizes = {key: [row["size"] for row in rows] for key, rows in found.items()}
    assert sizes["ranks inside draws", "areas"] == sizes["scenario, inputs at hand", "areas"] == list(AREAS)
    assert sizes["posterior of one score", "draws"] == sizes["rank statements, streamed", "draws"] == list(DRAWS)
    assert {axis for _, axis in found} == {"areas", "draws", "actions", "points"}


def test_the_stored_slopes_are_those_of_the_stored_points():
    points, slopes = stored("curves.csv"), stored("slopes.csv")
    again = curves.slopes(points)
    assert len(again) == len(slopes)
    for now, then in zip(again, slopes, strict=True):
        assert {name: now[name] for name in ("curve", "axis", "cost", "sizes")} == {
            name: then[name] for name in ("curve", "axis", "cost", "sizes")
        }
        for name in ("slope", "std_error", "slope_at_end"):
            assert then[name] == (pytest.approx(now[name], rel=0.01, abs=0.002) if now[name] != "" else "")


def test_the_stored_limits_hold_a_spread_and_both_sides():
    limits = stored("limits.csv")
    assert {"ranks inside draws", "scenario, inputs at hand", "hashes of a manifest", "gwm --help"} <= {
        row["work"] for row in limits
    }
    for row in limits:
        assert 0 < row["times_limit_min"] <= row["times_limit"] <= row["times_limit_max"]
        assert row["rounds"] >= 3
        assert row["seconds"] > 0 < row["limit_seconds"]


def peak_of(work):
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def streamed(n, n_draws):
    block, area = made.scores(n, 20), made.codes(n)
    return peak_of(lambda: rank_areas(lambda: made.stream(block, n_draws), area))


def test_memory_of_streamed_ranks_does_not_grow_with_the_draws():
    assert streamed(118, 4000) < 1.05 * streamed(118, 1000)


def test_memory_of_streamed_ranks_grows_with_the_areas_and_not_with_their_pairs():
    """Beyond 2,048 areas, where ranks are kept; a table of pairs would take four times as much for twice the areas."""
    assert streamed(4_200, 40) < 2.2 * streamed(2_100, 40)


def test_memory_of_rank_sets_is_that_of_two_tables_of_pairs_where_no_draw_is_needed():
    n = 500
    published, rng = np.sort(made.scores(n, 1)[0]), np.random.default_rng(1)

    def found():
        tests = PairTests.of(published, Independent(np.ones(n)), 0.05, 1000, rng)
        tests.bounds(np.full(n, 3.0))
        return tests.settled(np.full(n, 3.0), np.zeros(n))

    assert found().all()
    assert peak_of(found) < 19 * n * n


def test_words_on_areas_that_share_a_survey_unit_compare_a_unit_with_few_others():
    """A count for each area would compare all with all."""

    class Unit(str):
        compared = 0

        def __eq__(self, other):
            Unit.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    edition = load_edition()
    areas = replace(edition.areas, unit=tuple(map(Unit, edition.areas.unit)))
    held = SimpleNamespace(baseline=SimpleNamespace(counterfactual="held"))
    lines = _baseline_lines(SimpleNamespace(edition=replace(edition, areas=areas), scenario=held, years=(2026, 2035)))
    assert "(Bournemouth, Poole)" in lines[-1]
    assert Unit.compared < 2 * len(areas)


def test_pairs_of_one_survey_unit_are_found_in_order_without_a_table_of_all_pairs():
    def units(*names):
        return SimpleNamespace(areas=SimpleNamespace(unit=names))

    assert _same_unit(units("a", "b", "a", "c", "b", "a")) == [(0, 2), (0, 5), (1, 4), (2, 5)]
    n = 2_000
    country = units(*made.codes(n))
    assert peak_of(lambda: _same_unit(country)) < n * n / 4


def test_a_made_up_country_is_a_sound_edition_and_its_tables_have_the_size_asked_for(tmp_path):
    from gwm_models.data.user_editions import build_edition

    edition = build_edition(made.country(tmp_path / "land", 12), tmp_path / "made")
    assert (len(edition.areas), edition.values.shape, len(edition.areas.borders)) == (12, (12, 6), 11)
    assert json.loads((tmp_path / "made" / "edition.json").read_text())["areas"] == 12


def test_a_stream_has_the_draws_asked_for_in_blocks_that_differ():
    blocks = list(made.stream(made.scores(5, 20), 50))
    assert [len(block) for block in blocks] == [20, 20, 10]
    assert not np.array_equal(blocks[0], blocks[1])
