"""What a worker does: a form in, JSON out. The numbers are those of `gwm run` on the same file."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gwm_models.errors import DataError
from gwm_models.explore.forms import Checked, check_file, check_form, form_of, why_no_form

if TYPE_CHECKING:
    from gwm_models.scenarios.spec import Scenario

Form = dict[str, Any]
Row = dict[str, Any]

SCORES = {"baseline": "before", "scenario": "after", "difference": "difference"}
RANKS = {"baseline": "rank_before", "scenario": "rank_after", "difference": "rank_change"}
SHARED = ("headline", "warnings", "assumptions", "groups", "health", "inequality", "sums", "costs", "sources")
"""Parts of a summary that the page shows as they are."""
LATER = "Along a trend, the layers of uncertainty take longer than the projection itself; the report shows them."


def as_json(value: object) -> bytes:
    """Write a value as JSON; NaN and infinity are refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def check(form: Form, edition: str) -> bytes:
    """Check a form and write its file."""
    found = check_form(form, edition)
    return as_json({"ok": found.scenario is not None, "findings": found.findings, "yaml": found.yaml})


def read(text: str, edition: str) -> bytes:
    """Return the form of a scenario file, or why there is none, and what the checker finds."""
    found = check_file(text, edition)
    why = why_no_form(found, edition)
    form = None if why or found.scenario is None else form_of(found.scenario)
    return as_json({"form": form, "why": why, "findings": found.findings, "yaml": text})


def file(form: Form, edition: str) -> bytes:
    """Return a sound form as the id and text of its file."""
    found, scenario = _sound(form, edition)
    return as_json({"id": scenario.id, "yaml": found.yaml})


def project_form(form: Form, edition: str) -> bytes:
    """Check and project a form; along a trend without the split of the variance, which takes longest by far."""
    from gwm_models.data.edition import load_edition
    from gwm_models.report.keyfigures import key_figures
    from gwm_models.scenarios.projection import project
    from gwm_models.scenarios.rows import area_rows
    from gwm_models.scenarios.summary import summarise

    began = time.perf_counter()
    found = check_form(form, edition)
    said = {"findings": found.findings, "yaml": found.yaml}
    if found.scenario is None:
        return as_json({"ok": False, **said})
    moving = found.scenario.baseline.counterfactual == "trend"
    projection = project(found.scenario, load_edition(edition), variance=not moving)
    summary = summarise(projection, found.warnings)
    rows = area_rows(projection, summary["level"])
    answer = {
        "ok": True,
        **said,
        **{name: summary[name] for name in SHARED},
        **{name: summary[name] for name in ("level", "draws", "seed", "start", "year", "counterfactual")},
        "key_figures": [asdict(figure) for figure in key_figures(summary)],
        "targets": _targets(summary),
        "charts": _charts(summary, rows),
        "areas": area_changes(rows),
        "notes": [LATER] if moving and found.scenario.actions else [],
    }
    return as_json(answer | {"milliseconds": round(1000 * (time.perf_counter() - began))})


def _targets(summary: Row) -> list[Row]:
    """Name the areas that each action reaches."""
    return [
        {
            "action": action["id"],
            "areas": [{name: area[name] for name in ("area_code", "area_name")} for area in action["targets"]],
        }
        for action in summary["actions"]
    ]


def _charts(summary: Row, rows: list[Row]) -> dict[str, list[Row]]:
    """Draw what a report of the run draws."""
    from gwm_models import plots
    from gwm_models.plots.maps import change_map

    health = summary["health"]
    group = "Target areas" if any(row["group"] == "Target areas" for row in health) else "All areas"
    return {
        "map": change_map(rows),
        "scores": plots.before_after(rows),
        "years": plots.change_over_years(summary["path"]),
        "ranks": plots.caterpillar(rows),
        "health": plots.health_lines(health, group=group),
        "layers": plots.variance_layers(summary["variance"]),
    }


def area_changes(rows: list[Row]) -> list[Row]:
    """Return a row for each area: total and rank before and after, and their differences, each with its interval.

    Parameters
    ----------
    rows : list of dict
        As of `gwm_models.scenarios.rows.area_rows`.

    Returns
    -------
    list of dict
        ``before, after, difference`` (points) and ``rank_before, rank_after, rank_change``, each with ``_lower`` and
        ``_upper``; ``prob_better`` of the total, ``prob_rank_improves``; whether the area is ``treated``.
    """
    found: dict[str, Row] = {}
    for row in rows:
        word = {"total": SCORES, "rank": RANKS}.get(row["quantity"], {}).get(row["state"])
        if word is None:
            continue
        line = found.setdefault(
            row["area_code"], {name: row[name] for name in ("area_code", "area_name", "region_name", "treated")}
        )
        line |= {word: row["estimate"], f"{word}_lower": row["lower"], f"{word}_upper": row["upper"]}
        if word == "difference":
            line["prob_better"] = row["prob_better"]
        elif word == "rank_change":
            line["prob_rank_improves"] = row["prob_rank_improves"]
    return list(found.values())


def report(form: Form, edition: str) -> bytes:
    """Return the report of a run of the form, the page that `gwm run` writes, as its id and text."""
    from gwm_models.data.edition import load_edition
    from gwm_models.report.page import report_html
    from gwm_models.report.run_folder import run_manifest
    from gwm_models.report.run_part import run_part
    from gwm_models.scenarios.projection import project
    from gwm_models.scenarios.rows import area_rows
    from gwm_models.scenarios.summary import summarise

    found, scenario = _sound(form, edition)
    projection = project(scenario, load_edition(edition))
    summary = summarise(projection, found.warnings)
    rows = area_rows(projection, summary["level"])
    name = scenario.id
    manifest = run_manifest(scenario, command=f"gwm run {name}.yaml", scenario_text=found.yaml)
    return as_json({"id": name, "html": report_html(summary | run_part(projection), rows, manifest)})


def compare(a: Form, b: Form, edition: str) -> bytes:
    """Hold two forms against each other, and against doing nothing, on the same draws."""
    from gwm_models.data.edition import load_edition
    from gwm_models.plots.comparison import league_chart
    from gwm_models.report.comparison import summarise_comparison, titles
    from gwm_models.scenarios.compare import compare as hold

    found = [check_form(form, edition) for form in (a, b)]
    said = {"findings_a": found[0].findings, "findings_b": found[1].findings}
    scenarios = [one.scenario for one in found if one.scenario is not None]
    if len(scenarios) < len(found):
        return as_json({"ok": False, **said})
    _comparable(*scenarios)
    analysis = scenarios[0].analysis
    comparison = hold(
        scenarios, labels=("a", "b"), draws=analysis.draws, seed=analysis.seed, edition=load_edition(edition)
    )
    summary = summarise_comparison(comparison)
    names = titles(summary["scenarios"])
    by_measure = {
        row["measure"]: [line for line in summary["league"] if line["measure"] == row["measure"]]
        for row in summary["verdicts"]
    }
    answer: Row = {
        "ok": True,
        **said,
        **{name: summary[name] for name in ("year", "draws", "seed", "level", "reference", "league", "costs", "notes")},
        **{name: summary[name] for name in ("warnings", "assumptions") if name in summary},
        "headline": summary["headline_titles"],
        "names": names,
        "measures": _measures(summary, by_measure),
        "charts": {name: league_chart(rows, summary["reference"], names) for name, rows in by_measure.items()},
    }
    return as_json(answer)


def _comparable(a: Scenario, b: Scenario) -> None:
    """Refuse two forms whose results belong to different years or baselines, in the words of the page."""
    if a.horizon.end != b.horizon.end:
        raise DataError(
            f"One form looks at {a.horizon.end}, the other at {b.horizon.end}. Set the same year of the result in both."
        )
    if a.baseline.counterfactual != b.baseline.counterfactual:
        raise DataError(
            "One form holds everything else as it is, the other lets it go on along its trend. Choose the same under "
            "'Without the actions' in both."
        )


def _measures(summary: Row, by_measure: dict[str, list[Row]]) -> list[Row]:
    """Return a row for each measure: both scenarios, the first minus the second, and the verdict in words."""
    pairs = {row["measure"]: row for row in summary["pairs"] if (row["scenario"], row["other"]) == ("a", "b")}
    numbers = ("estimate", "lower", "upper")
    rows = []
    for found, words in zip(summary["verdicts"], summary["verdict_titles"], strict=True):
        name = found["measure"]
        own = {line["scenario"]: {key: line[key] for key in numbers} for line in by_measure[name]}
        pair = pairs[name]
        rows.append(
            {
                **{key: pair[key] for key in ("measure", "label", "unit", "prob_better", "prob_same", "level")},
                "better": by_measure[name][0]["better"],
                "a": own["a"],
                "b": own["b"],
                "difference": {key: pair[key] for key in numbers},
                "words": words,
            }
        )
    return rows


def _sound(form: Form, edition: str) -> tuple[Checked, Scenario]:
    """Check a form that must have no error."""
    found = check_form(form, edition)
    if found.scenario is None:
        first = next(problem for problem in found.problems if problem.severity == "error")
        raise DataError(f"Mend the form first: {first.path}: {first.what}.")
    return found, found.scenario
