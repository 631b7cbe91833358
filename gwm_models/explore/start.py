"""What the page needs before it can ask: the words of the edition, and a first form."""

from __future__ import annotations

from typing import Any

from gwm_models import __version__
from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.errors import ScenarioError
from gwm_models.explore.forms import KINDS, LEAST_DRAWS, MOST_DRAWS, check_file, form_of, vocabulary
from gwm_models.explore.project import as_json, project_form
from gwm_models.scenarios.changes import BENCHMARKS
from gwm_models.scenarios.checks_size import fitting_units
from gwm_models.scenarios.known import conditions, has_conditions, outcomes_of
from gwm_models.scenarios.starter import Answers, first_size, levers, starter_text

Row = dict[str, Any]

DRAWS = 1_000
"""Draws of a first look; a run from the command line takes more."""
LEVEL = 0.9


def start(edition: str) -> bytes:
    """Return the names, units and limits that the page builds its controls from."""
    from gwm_models.data.edition import load_edition
    from gwm_models.index.calibration import points_per_unit
    from gwm_models.scenarios.outcomes import outcome_specs

    words, found = vocabulary(edition), load_edition(edition)
    units = {outcome.id: outcome.unit for outcome in outcome_specs(found)}
    worth = {row["indicator"]: row for row in points_per_unit(found).rows()}
    return as_json(
        {
            "version": __version__,
            "edition": {"id": edition, "title": found.spec.title, "n_areas": len(found.areas)},
            "level": LEVEL,
            "regions": list(words.regions),
            "areas": [
                {"area_code": code, "area_name": name, "region_name": words.area_regions[code]}
                for code, name in sorted(words.areas.items(), key=lambda item: item[1])
            ],
            "domains": [{"id": name, "label": label} for name, label in words.domains.items()],
            "indicators": [_indicator(spec, worth[spec.id]) for spec in words.indicators.values()],
            "conditions": [_condition(spec) for spec in conditions().values()] if has_conditions(words) else [],
            "outcomes": [
                {"id": name, "label": label, "unit": units[name]} for name, label in outcomes_of(words).items()
            ],
            "benchmarks": list(BENCHMARKS),
            "draws": DRAWS,
            "draws_range": [LEAST_DRAWS, MOST_DRAWS],
            "form": first_form(edition),
        }
    )


def _indicator(spec: IndicatorSpec, worth: Row) -> Row:
    return _lever(spec, on_condition=False) | {"domain": spec.domain, "points_per_unit": _points(worth)}


def _condition(spec: IndicatorSpec) -> Row:
    return _lever(spec, on_condition=True)


def _lever(spec: IndicatorSpec, *, on_condition: bool) -> Row:
    units = {kind: list(fitting_units(kind, spec, on_condition=on_condition)) for kind in KINDS}
    return {
        "id": spec.id,
        "label": spec.label,
        "unit": spec.unit,
        "direction": spec.direction,
        "step": first_step(spec),
        "usual": [_finite(end) for end in spec.usual_range],
        "usual_change": _finite(spec.usual_change),
        "units": list(dict.fromkeys(unit for kind in KINDS for unit in units[kind])),
        "units_by_kind": units,
        "period": spec.period,
    }


def first_step(spec: IndicatorSpec) -> float:
    """Return how far one press of a slider's key moves a change: a tenth of a first size."""
    return abs(first_size(spec)) / 10


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None


def _points(worth: Row) -> Row | None:
    """Return the points that one unit is worth with a 90% interval, normal; None where that is not known."""
    from statistics import NormalDist

    if worth["status"] == "unknown":
        return None
    error = worth["std_error"]
    wide = NormalDist().inv_cdf((1 + LEVEL) / 2) * error if error == error else None
    ends = {"lower": worth["estimate"] - wide, "upper": worth["estimate"] + wide} if wide is not None else {}
    return {"estimate": worth["estimate"], "lower": None, "upper": None, **ends, "status": worth["status"]}


def first_form(edition: str) -> Row:
    """Return a form that can be projected as it stands."""
    words = vocabulary(edition)
    known = levers(words)
    change = "economic_activity_rate" if "economic_activity_rate" in known else next(iter(known))
    answers = Answers(
        id="my-scenario",
        title="My scenario",
        question="What would it change, where, and how sure can we be?",
        edition=edition,
        change=change,
        worst=min(20, len(words.areas)),
    )
    checked = check_file(starter_text(answers, words), edition)
    if checked.scenario is None:
        raise ScenarioError(checked.problems)
    return form_of(checked.scenario) | {"draws": DRAWS}


def warm(edition: str) -> bytes:
    """Do what a first projection does, so that the next one is fast."""
    return project_form(first_form(edition), edition)
