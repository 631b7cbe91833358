"""Editions of one's own: a made-up country of 30 areas, its scores by hand, its ranks, its files."""

import csv
import inspect
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from made_up_country import INDEX, REGIONS, N, country, replace_line, write
from ruamel.yaml import YAML
from typer.testing import CliRunner

from gwm_models.cli.data_build import build as build_command
from gwm_models.data.edition import load_edition
from gwm_models.data.user_editions import EditionError, build_edition
from gwm_models.data.vocabulary import load_vocabulary
from gwm_models.errors import DataError, OutputError
from gwm_models.index.calibration import points_per_unit
from gwm_models.index.sampling import LEAST_ERROR, sampling_error
from gwm_models.ranks.posterior import score_posterior
from gwm_models.ranks.table import rank_areas


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return country(tmp_path / "land").relative_to(tmp_path)


@pytest.fixture
def built(folder):
    return build_edition(folder, Path("made"))


def test_scores_are_those_worked_by_hand(built):
    # Z07: jobless 2 + (49 mod 30) / 2 = 11.5, active 67, pay 400 + 10 x (77 mod 30) = 570. Scale 0 to 100.
    # access 100 (20 - 11.5) / 20 + 100 (67 - 60) / 29 = 42.5 + 24.137931; reward 100 (570 - 400) / 290 = 58.620690.
    assert built.values[7].tolist() == [11.5, 67, 570]
    assert built.domain_scores[7] == pytest.approx([66.637931, 58.620690], abs=1e-6)
    assert built.total[7] == pytest.approx(125.258621, abs=1e-6)
    assert built.rank[np.argmax(built.total)] == 1
    assert not built.published
    assert repr(built) == "Edition(made: 30 areas, 3 indicators)"


def test_bounds_from_data_are_those_of_the_data_and_are_kept_as_numbers(built):
    assert [(one.low, one.high) for one in built.spec.indicators] == [(0, 20), (60, 89), (400, 690)]
    kept = YAML(typ="safe").load(Path("made/index.yaml"))
    assert kept["indicators"][1]["bounds"] == {"status": "stated", "low": 60.0, "high": 89.0}
    assert json.loads(Path("made/edition.json").read_text())["bounds_from_data"] == ["active", "pay"]
    assert points_per_unit(built).estimate == pytest.approx([-5, 100 / 29, 100 / 290])


def test_sampling_errors_come_from_the_limits_and_an_indicator_without_them_is_exact(built):
    error = sampling_error(built)
    # Limits of 0.98 and 1.96 either side are standard errors of 0.5 and 1; points per unit are -5 and 100/29.
    assert error.std_error[3] == pytest.approx([0.5, 1, 0], abs=1e-12)
    assert error.domain_cov[3, 0, 0] == pytest.approx(2.5**2 + (100 / 29) ** 2, abs=1e-9)
    assert error.domain_cov[3, 1, 1] == pytest.approx((100 * LEAST_ERROR) ** 2, rel=1e-12)
    assert error.cov_points[3, 2, 2] == 0
    assert "'pay' has no limits and is taken as exact there." in error.notes
    assert "Domain scores without any known error, area by area: 30" in error.notes[-1]
    assert "'pay' has no limits: taken as exact there." in built.notes


def test_residents_of_working_age_are_all_residents_where_not_given_and_that_is_said(tmp_path):
    edition = build_edition(country(tmp_path / "land", working_age=False), tmp_path / "made")
    assert edition.areas.population_16_64.tolist() == edition.areas.population.tolist()
    assert "population_16_64 is not given: taken equal to population." in edition.notes
    assert "deprivation is not given for 30 of 30 areas." in edition.notes
    assert np.isnan(edition.areas.deprivation).all()


@pytest.mark.parametrize(
    "regions",
    [REGIONS, ("All",), ("Upland",) * 14 + ("Coast",) * 14 + ("Island", "Rock"), tuple(f"R{i}" for i in range(24))],
    ids=["three", "one", "two-of-one-area", "18-of-one-area"],
)
def test_ranks_come_out_with_three_regions_one_region_and_regions_of_one_area(tmp_path, regions):
    edition = build_edition(country(tmp_path / "land", regions=regions), tmp_path / "made")
    error, region = sampling_error(edition), edition.areas.region_index()
    assert region.max() + 1 == len(set(regions))
    posterior = score_posterior(
        edition.domain_scores, error.domain_cov, region, edition.areas.code, n_draws=1000, seed=3
    )
    table = rank_areas(posterior.draws.sum(axis=2), edition.areas.code, level=0.9)
    assert posterior.efficiency > 0.3
    assert np.isfinite(posterior.draws).all()
    # Pay is exact, so its draws are the scores; access moves by its error.
    assert np.abs(posterior.draws[:, :, 1] - edition.domain_scores[:, 1]).max() < 6 * 100 * LEAST_ERROR
    assert posterior.draws[:, 5, 0].std() == pytest.approx(np.sqrt(error.domain_cov[5, 0, 0]), rel=0.3)
    assert len(table.to_rows()) == N


@pytest.mark.parametrize("exact", [False, True])
def test_ranks_come_out_of_one_domain_and_of_figures_that_are_all_exact(folder, exact):
    text = INDEX.replace("  - {id: reward, label: Reward}\n", "").replace("domain: reward", "domain: access")
    (folder / "index.yaml").write_text(text, encoding="utf-8")
    if exact:
        rows = csv.reader(io.StringIO((folder / "indicators.csv").read_text(encoding="utf-8")))
        write(folder / "indicators.csv", [row[:3] for row in rows])
    edition = build_edition(folder, Path("made"))
    error = sampling_error(edition)
    posterior = score_posterior(
        edition.domain_scores, error.domain_cov, edition.areas.region_index(), edition.areas.code, n_draws=500
    )
    gap = np.abs(posterior.shrunk.sum(axis=1) - edition.total).max()
    assert bool(gap < 1e-3) is exact


def test_an_edition_is_loaded_by_its_path_and_kept_until_it_is_built_again(folder, built):
    assert load_edition("made") is built
    assert load_edition(str(Path("made").resolve())).total.tolist() == built.total.tolist()
    words = load_vocabulary("made")
    assert words.area_code("town 7") == "Z07"
    assert words.regions == tuple(sorted(REGIONS))
    assert list(words.indicators) == ["jobless", "active", "pay"]
    assert (words.outcomes, words.panel_variables) == ({}, ())
    replace_line(folder / "indicators.csv", 4, "Z00,pay,800,,")
    again = build_edition(folder, Path("made"))
    assert again.spec.indicator("pay").high == 800
    assert load_edition("made") is again


def test_borders_are_read_once_each(built):
    assert built.areas.borders.tolist() == [[i, i + 1] for i in range(N - 1)]


def test_an_edition_without_borders_has_none(folder):
    (folder / "borders.csv").unlink()
    assert build_edition(folder, Path("made")).areas.borders.shape == (0, 2)


def test_an_edition_can_be_built_from_an_edition_with_the_same_scores(built):
    again = build_edition(Path("made"), Path("made-again"))
    assert again.domain_scores.tolist() == built.domain_scores.tolist()


def test_a_mark_before_utf8_and_spaces_around_cells_do_no_harm(folder, built):
    text = (folder / "areas.csv").read_text(encoding="utf-8").replace("Z03,Town 3", " Z03 , Town 3")
    (folder / "areas.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert build_edition(folder, Path("other")).total.tolist() == built.total.tolist()


@pytest.mark.parametrize("name", ["areas.csv", "indicators.csv", "index.yaml", "borders.csv"])
def test_an_edition_whose_files_changed_is_refused(built, name):
    path = Path("made") / name
    path.write_bytes(path.read_bytes() + b"\n")
    message = f"^made: {re.escape(name)} changed since the edition was built. Run gwm data build again.$"
    for load in (load_edition, load_vocabulary):
        with pytest.raises(DataError, match=message):
            load("made")


def test_a_record_that_is_damaged_is_refused(built):
    Path("made/edition.json").write_text('{"schema": "gwm-edi', encoding="utf-8")
    with pytest.raises(DataError, match=r"edition.json cannot be read as the record of an edition. Run gwm data build"):
        load_edition("made")
    Path("made/edition.json").write_text('{"schema": "other", "files": {}}', encoding="utf-8")
    with pytest.raises(DataError, match=r"edition.json is not the record of an edition \(gwm-edition/1\)."):
        load_edition("made")


def test_a_file_that_is_gone_is_named(built):
    Path("made/borders.csv").unlink()
    with pytest.raises(DataError, match=r"^made/borders.csv cannot be read \(No such file or directory\)"):
        load_edition("made")


def test_a_level_beyond_its_stated_bounds_scores_beyond_the_scale_and_that_is_said(folder):
    replace_line(folder / "indicators.csv", 2, "Z00,jobless,22,21,23")
    edition = build_edition(folder, Path("made"))
    # 100 (20 - 22) / 20 = -10 for jobless, 0 for the least active area.
    assert edition.domain_scores[0, 0] == pytest.approx(-10)
    assert "'jobless' lies beyond its stated bounds in 1 of 30 areas: scores beyond the scale." in edition.notes


def test_what_is_there_is_not_written_over(folder, built):
    for out in (folder, Path("."), folder / ".."):
        with pytest.raises(OutputError, match=r"holds the tables themselves|exists and is not"):
            build_edition(folder, out)
    with pytest.raises(OutputError, match="holds the tables themselves"):
        build_edition(Path("made"), Path("made"))
    Path("full").mkdir()
    Path("full/letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(OutputError, match=r"^full exists and is not"):
        build_edition(folder, Path("full"))
    assert load_edition("made") is built


def test_a_faulty_folder_leaves_the_edition_that_was_built_before(folder, built):
    replace_line(folder / "areas.csv", 3, "Z01,Town 1,Coast,-1,6100")
    with pytest.raises(EditionError):
        build_edition(folder, Path("made"))
    assert load_edition("made") is built
    assert {path.name for path in Path().iterdir()} == {"land", "made"}


def run(*words):
    app = typer.Typer(rich_markup_mode=None)
    app.command()(build_command)
    return CliRunner().invoke(app, [*words])


def test_the_command_writes_beside_the_folder_and_says_what_is_assumed(folder):
    result = run("land")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Written to land-edition; use it with --edition land-edition. Period: 2030; missing: nothing"
    assert "'pay' has no limits: taken as exact there." in lines
    assert load_edition("land-edition").total[7] == pytest.approx(125.258621, abs=1e-6)
    row = json.loads(run("land", "--format", "json", "--out", "land-edition").stdout)[0]
    assert (row["areas"], row["regions"], row["indicators"], row["domains"], row["borders"]) == (30, 3, 3, 2, 29)


def test_the_command_ends_with_exit_code_1_on_any_error_and_prints_each(folder):
    replace_line(folder / "indicators.csv", 2, "Z00,jobless,2,2.5,3")
    replace_line(folder / "areas.csv", 3, "Z01,Town 1,Coast,-1,6100")
    result = run("land")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "land: 3 problems; nothing was written"
    assert lines[-1].startswith("land/indicators.csv:2:3: error: value: the limits 2.5 to 3 do not hold the value 2.")
    rows = list(csv.DictReader(io.StringIO(run("land", "--format", "csv").stdout)))
    assert [(row["file"], row["line"]) for row in rows][-1] == ("land/indicators.csv", "2")
    assert not Path("land-edition").exists()


def test_the_worked_example_of_the_docstring_is_a_sound_edition_with_the_scores_it_gives(tmp_path):
    text = inspect.cleandoc(build_edition.__doc__)
    blocks = [inspect.cleandoc(block) for block in re.findall(r"::\n\n((?: {4}.*\n|\n)+)", text)]
    (tmp_path / "woods").mkdir()
    for name, block in zip(("areas.csv", "indicators.csv", "index.yaml"), blocks, strict=True):
        (tmp_path / "woods" / name).write_text(block, encoding="utf-8")
    edition = build_edition(tmp_path / "woods", tmp_path / "made")
    assert edition.domain_scores[0].tolist() == [75.25, 100]
    assert edition.total[0] == 175.25
    assert sampling_error(edition).std_error[0] == pytest.approx([0.51, 0], abs=0.001)
