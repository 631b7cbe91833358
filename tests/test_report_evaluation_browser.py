"""Pages of evaluations, appraisals and portfolios in a real browser: drawn, silent, whole and readable at any width."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from search_fixture import asked
from test_report_browser import LOOKED_AT, looked_at
from test_report_browser import browser as browser

from gwm_models.evaluation.allocation import allocate
from gwm_models.evaluation.answer import summarise_panel
from gwm_models.evaluation.appraisal import appraise
from gwm_models.evaluation.panel_design import evaluate_panel, read_spec
from gwm_models.evaluation.panel_spec import PanelSpec
from gwm_models.evaluation.portfolio import choose_portfolio
from gwm_models.report.allocation import write_allocation
from gwm_models.report.appraisal import write_appraisal
from gwm_models.report.evaluation import write_evaluation
from gwm_models.report.portfolio import write_portfolio
from gwm_models.scenarios.projection import project

pytestmark = pytest.mark.browser

FOUND = {
    "evaluation": (
        {"outcome-1-path-1", "outcome-1-path-2", "outcome-1-placebo-1"},
        {"effects-table", "outcome-1-checks-table", "outcome-1-weights-table", "outcome-1-terms-table"},
    ),
    "appraisal": (
        {"plane-1-1", "curve-1-1", "plane-2-1", "curve-2-1"},
        {"ratios-table", "net-benefit-table", "break-even-table", "costs-table", "effects-table", "source-list-table"},
    ),
    "portfolio": (
        {"frontier-1", "inclusion-1"},
        {"options-table", "effect-table", "years-table", "regions-table", "information-table", "source-list-table"},
    ),
    "allocation": ({"frontier-1", "map-1"}, {"effect-table", "regions-table", "areas-table", "source-list-table"}),
}


def panel(folder: Path) -> Path:
    """Write twelve areas over sixteen years; the first falls by five from the twelfth year on."""
    file = folder / "panel.csv"
    rows = []
    for k, t in product(range(12), range(16)):
        rate = 50 + k + 0.5 * t + ((k * 7 + t * 5) % 11) / 5 - 5 * (k == 0 and t > 10)
        rows.append(f"Area of a rather long name {k},{2001 + t},{rate}")
    file.write_text("\n".join(["area,year,rate", *rows]) + "\n", "utf-8")
    return file


def made(kind: str, folder: Path) -> Path:
    """Write the folder of an evaluation, an appraisal, a portfolio or an allocation."""
    out, command = folder / kind, f"gwm {kind}"
    if kind == "evaluation":
        first = "Area of a rather long name 0"
        spec = PanelSpec(panel(folder), "area", "year", "rate", (first,), "2012", "sc")
        summary = summarise_panel(evaluate_panel(read_spec(spec), spec), spec, None)
        write_evaluation(out, summary, command=command, panel=spec.file)
    elif kind == "appraisal":
        write_appraisal(out, appraise(project(asked("northern-participation-2026"), variance=False)), command=command)
    elif kind == "portfolio":
        write_portfolio(out, choose_portfolio(asked("portfolio-participation-and-jobs")), command=command)
    else:
        write_allocation(out, allocate(asked("portfolio-fifty-million")), command=command)
    return out


@pytest.fixture(scope="module", params=list(FOUND))
def page_of(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = made(request.param, tmp_path_factory.mktemp("pages"))
    return request.param, (folder / "report.html").as_uri()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_is_silent_whole_and_readable(browser, page_of, width):
    kind, address = page_of
    charts, tables = FOUND[kind]
    with looked_at(browser, address, {"width": width, "scheme": "light"}) as (page, noise):
        seen = page.evaluate(LOOKED_AT)
        assert set(seen["charts"]) == charts
        for name, chart in seen["charts"].items():
            assert chart["drawn"] == "yes" and chart["plot"] >= 90, (name, chart)
            assert not chart["cut"] and not chart["over"], (name, chart)
        assert tables <= set(seen["tables"]) and all(seen["tables"].values())
        assert seen["beyond"] == 0
        assert seen["small"] == []
        assert noise == []
