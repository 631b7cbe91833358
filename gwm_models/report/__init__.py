"""One self-contained HTML page for each run."""

from __future__ import annotations

from gwm_models.report.page import report_html, write_report

__all__ = ["report_html", "write_report"]
