"""Links for the scenario engine: exact margins, joint draws, what is stored, and what each link says."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as at_most
from hypothesis import strategies as st

from gwm_models.data.edition import load_edition
from gwm_models.errors import DataError, ModelError
from gwm_models.models import links as module
from gwm_models.models.latent.link_words import shared_note
from gwm_models.models.links import (
    SLOPES,
    AccessDraws,
    HealthLinks,
    central_links,
    draw_links,
    explain_links,
    fit_links,
    joint_correlation,
    links_from_arrays,
    links_to_arrays,
    no_links,
    normal_correlation,
)


def correlation_of(n_outcomes, seed=0):
    raw = np.random.default_rng(seed).normal(size=(3 * n_outcomes, 3 * n_outcomes + 2))
    cov = raw @ raw.T
    sd = np.sqrt(np.diag(cov))
    return cov / np.outer(sd, sd)


def made_up(n_outcomes=2, n_stored=500, seed=0):
    rng = np.random.default_rng(seed)
    return HealthLinks(
        outcome=tuple(f"outcome_{o}" for o in range(n_outcomes)),
        label=tuple(f"Outcome {o}" for o in range(n_outcomes)),
        unit=("years",) * n_outcomes,
        note=("", "One survey gives both.", "")[:n_outcomes],
        between=0.03 + 0.002 * rng.gamma(2, size=(n_stored, n_outcomes)),
        between_access=0.08 + 0.005 * rng.normal(size=(n_stored, n_outcomes)),
        within_access=0.02 + 0.01 * rng.normal(size=(n_stored, n_outcomes)),
        correlation=correlation_of(n_outcomes, seed),
    )


def test_as_many_draws_as_are_stored_are_the_stored_draws_in_another_order():
    links = made_up()
    drawn = draw_links(links, n_draws=500, seed=7)
    for name in ("between", "within_access"):
        stored = np.sort(getattr(links, name), axis=0)
        assert np.sort(getattr(drawn, name), axis=0) == pytest.approx(stored, abs=1e-15)
        assert not np.array_equal(getattr(drawn, name), getattr(links, name))


@given(n_draws=st.integers(1, 700), seed=st.integers(0, 100))
@at_most(max_examples=25)
def test_draws_stay_inside_the_stored_ones_and_keep_their_median(n_draws, seed):
    links = made_up(n_stored=101)
    drawn = draw_links(links, n_draws=n_draws, seed=seed)
    assert drawn.between.shape == drawn.within_access.shape == drawn.within_share.shape == (n_draws, 2)
    assert (drawn.between >= links.between.min(axis=0)).all()
    assert (drawn.between <= links.between.max(axis=0)).all()
    if n_draws % 2:
        assert np.median(drawn.between, axis=0) == pytest.approx(np.median(links.between, axis=0))


def test_the_share_is_the_within_slope_over_the_slope_between_areas_of_the_same_draw():
    links = made_up()
    drawn = draw_links(links, n_draws=500, seed=3)
    across = drawn.within_access / drawn.within_share
    assert np.sort(across, axis=0) == pytest.approx(np.sort(links.between_access, axis=0))
    centre = central_links(links)
    assert centre.between == pytest.approx(links.between.mean(axis=0)[None])
    assert centre.within_share == pytest.approx(
        links.within_access.mean(axis=0)[None] / links.between_access.mean(axis=0)[None]
    )


def test_slopes_move_together_as_the_correlation_says():
    rng = np.random.default_rng(1)
    links = made_up()
    normal = replace(links, **{name: rng.normal(size=(20_000, 2)) for name in SLOPES})
    drawn = draw_links(normal, n_draws=20_000, seed=1)
    across = drawn.within_access / drawn.within_share
    columns = np.stack([drawn.between, across, drawn.within_access], axis=-1).reshape(20_000, 6)
    assert np.corrcoef(columns, rowvar=False) == pytest.approx(links.correlation, abs=0.03)


def test_the_same_seed_gives_the_same_draws():
    links = made_up()
    first, again, other = (draw_links(links, n_draws=50, seed=seed).within_share for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_links_come_back_from_their_arrays():
    links = made_up()
    arrays = links_to_arrays(links)
    assert {array.dtype.kind for array in arrays.values()} == {"U", "f"}
    back = links_from_arrays(arrays)
    for name in ("outcome", "label", "unit", "note"):
        assert getattr(back, name) == getattr(links, name)
    for name in (*SLOPES, "correlation"):
        assert np.array_equal(getattr(back, name), getattr(links, name))
    assert not back.between.flags.writeable
    del arrays["within_access"]
    with pytest.raises(DataError, match="hold no 'within_access'"):
        links_from_arrays(arrays)


def test_links_that_do_not_fit_together_are_refused():
    links = made_up()
    with pytest.raises(DataError, match=r"2 outcomes need draws of one shape \(n, 2\)"):
        replace(links, between=links.between[:10])
    with pytest.raises(DataError, match=r"correlation of \(6, 6\); got .* and \(3, 3\)"):
        replace(links, correlation=np.eye(3))


def test_an_edition_without_outcomes_has_empty_links():
    edition = SimpleNamespace(spec=SimpleNamespace(outcomes=()))
    links = fit_links(edition)
    assert links.outcome == ()
    for drawn in (draw_links(links, n_draws=5, seed=1), draw_links(no_links(), n_draws=5, seed=1)):
        assert drawn.outcome == ()
        assert drawn.between.shape == drawn.within_access.shape == drawn.within_share.shape == (5, 0)
    assert central_links(links).between.shape == (1, 0)
    assert explain_links(links) == []
    assert links_from_arrays(links_to_arrays(links)).outcome == ()


def test_every_link_of_every_outcome_is_explained_with_its_numbers():
    links = made_up()
    rows = explain_links(links)
    assert [(row["outcome"], row["link"]) for row in rows] == [
        (f"outcome_{o}", link) for o in range(2) for link in ("between", "within", "none")
    ]
    for row in rows:
        assert row["lower"] <= row["estimate"] <= row["upper"]
    between, within = rows[0], rows[1]
    assert between["estimate"] == pytest.approx(100 * links.between[:, 0].mean())
    assert f"{between['estimate']:.1f} years for 100 points" in between["words"]
    assert f"{within['estimate']:.1f} years for 100 access points" in within["words"]
    assert within["words"].endswith("at the same time.")
    assert rows[4]["words"].endswith("at the same time. One survey gives both.")


def test_the_note_on_errors_in_common_gives_the_slope_at_both_ends_of_their_prior():
    shared = np.linspace(0.02, 0.28, 27)
    words = shared_note("years", shared, 3.0 - 5.0 * shared, 0.3)
    assert words.endswith("The slope would be about 3.0 years at 0 and 1.5 at 0.3.")
    assert shared_note("years", 0 * shared, shared, 0.3) == ""


def test_an_outcome_whose_slopes_cannot_be_fitted_is_refused_in_one_line():
    edition = load_edition()
    named = SimpleNamespace(id="suicide")
    odd = replace(edition, spec=replace(edition.spec, outcomes=(named,)))
    with pytest.raises(ModelError, match=r"The links of 'suicide' cannot be fitted\. .+") as refused:
        fit_links(odd, n_draws=20)
    assert "\n" not in str(refused.value)


def test_a_share_of_a_slope_that_may_be_zero_is_refused(monkeypatch):
    rng = np.random.default_rng(2)
    nothing = AccessDraws(rng.normal(size=500), rng.normal(size=500), rng.normal(size=(500, 5)))
    edition = load_edition()
    n_units = len(edition.areas.units()[0])
    monkeypatch.setattr(module, "_on_access", lambda *_: (nothing, (np.zeros(n_units), np.zeros(n_units))))
    with pytest.raises(ModelError, match="Its slope between areas on access may be zero"):
        fit_links(edition, n_draws=100)


def plain_panel(rng, n=4000, on_access=0.0):
    exposure = rng.normal(size=(n, 3))
    noise = rng.normal(size=(n, 2))
    through = exposure[:, :1] * on_access
    both = through + np.sqrt(1 - on_access**2) * noise
    return AccessDraws(both[:, 0], both[:, 1], exposure)


def test_joint_correlation_by_hand_is_that_of_influence_where_access_plays_no_part():
    rng = np.random.default_rng(3)
    influence = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0.6, 0.8, 0, 0], [0, 0, 0, 1], [0, 0, 0.5, 1]])
    found = joint_correlation(influence, [plain_panel(rng), plain_panel(rng)])
    assert np.diag(found) == pytest.approx(np.ones(6))
    assert found[0, 3] == pytest.approx(0.6, abs=0.03)
    assert found[1, 3] == pytest.approx(0.8, abs=0.03)
    assert found[2, 5] == pytest.approx(0.5 / np.sqrt(1.25), abs=0.03)
    assert found[0, 4] == pytest.approx(0, abs=0.03)
    assert found[4, 5] == pytest.approx(0, abs=0.05)


def test_what_is_not_known_of_access_moves_the_slopes_of_all_outcomes_together():
    rng = np.random.default_rng(4)
    influence = np.eye(6)
    found = joint_correlation(influence, [plain_panel(rng, on_access=0.6), plain_panel(rng, on_access=0.6)])
    assert found[2, 5] == pytest.approx(0.36, abs=0.04)
    assert found[1, 5] == pytest.approx(0.36, abs=0.04)
    assert found[1, 2] == pytest.approx(0.36, abs=0.05)
    assert found[0, 3] == pytest.approx(0, abs=0.02)
    assert np.linalg.eigvalsh(found).min() > -1e-12


def test_correlation_of_normal_scores_does_not_see_the_shape_of_a_margin():
    rng = np.random.default_rng(5)
    first = rng.normal(size=4000)
    second = 0.6 * first + 0.8 * rng.normal(size=4000)
    plain = normal_correlation(first, second)
    assert plain == pytest.approx(0.6, abs=0.04)
    assert normal_correlation(np.exp(first), second**3) == pytest.approx(plain, abs=1e-12)


def test_drawing_stored_links_loads_no_fitting_library():
    code = (
        "import sys, numpy as np; from gwm_models.models.links import HealthLinks, draw_links, central_links;"
        "one = np.ones((9, 1));"
        "links = HealthLinks(('a',), ('A',), ('years',), ('',), one, one, one, np.eye(3));"
        "draw_links(links, n_draws=9, seed=1); central_links(links);"
        "print(sorted({'scipy', 'statsmodels', 'pymc', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_links_of_the_monitor_agree_with_the_classical_slopes():
    links = fit_links(load_edition(), n_draws=1000, seed=1)
    assert links.outcome == ("healthy_life_expectancy_male", "healthy_life_expectancy_female")
    between, across, within = (100 * getattr(links, name).mean(axis=0) for name in SLOPES)
    assert between == pytest.approx([3.21 / 0.955, 3.64 / 0.955], rel=0.05)
    assert across == pytest.approx([6.73 / 0.896, 7.71 / 0.896], rel=0.2)
    assert (within > [0.81, 0.96]).all()
    assert (within < 0.5 * across).all()
    assert 0.3 < links.correlation[0, 3] < 0.9
    assert np.linalg.eigvalsh(links.correlation).min() > -1e-12
    share = draw_links(links, n_draws=1000, seed=1).within_share
    assert (np.abs(share) < 1).all()
    assert (np.quantile(share, 0.05, axis=0) < 0.15).all()
    assert (np.quantile(share, 0.975, axis=0) > 0.3).all()
    assert all("any correlation from 0 to 0.3 is taken as equally likely" in note for note in links.note)
