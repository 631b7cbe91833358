"""A sweep as result rows and in words: its table, what matters most, and the ends of each number."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import load_edition
from gwm_models.scenarios.inequality import MEASURES
from gwm_models.scenarios.measured import better_is, measure_label, measured_plain
from gwm_models.scenarios.spec import Measured
from gwm_models.scenarios.spread import Row
from gwm_models.scenarios.sweep import NUMBERS, SweepResult
from gwm_models.scenarios.sweep_design import rounded
from gwm_models.scenarios.sweep_indices import Indices, variance_indices

GOOD = 0.95
"""Share of variance that a polynomial must predict at points left out for its indices to need no warning."""
PLACES = 12
"""Decimals of a number, beside its ten digits: what is smaller is noise of the arithmetic."""


class SweepSummary:
    """A finished sweep, summarised.

    Parameters
    ----------
    result : SweepResult
    """

    def __init__(self, result: SweepResult) -> None:
        self.result = result
        self.paths = result.design.paths
        self.edition = load_edition(result.scenario.baseline.edition)

    @cached_property
    def indices(self) -> list[Indices | None]:
        """Indices of the estimate of each measure."""
        estimates = self.result.numbers[:, :, 0]
        return [variance_indices(self.result.design, estimates[:, m]) for m in range(estimates.shape[1])]

    def table(self) -> list[Row]:
        """Return a row for each point and measure.

        Columns: ``point``, the numbers varied by their paths, ``measure, quantity, group, state, label, unit``, the
        usual numbers, ``level``, ``n`` and ``prob_better`` (than doing nothing).
        """
        rows: list[Row] = []
        for point, (values, numbers) in enumerate(
            zip(self.result.design.points.tolist(), self.result.numbers, strict=True), start=1
        ):
            varied = dict(zip(self.paths, map(figure, values), strict=True))
            for measured, found in zip(self.result.job.measures, numbers, strict=True):
                rows.append({"point": point, **varied, **self._head(measured), **self._numbers(found)})
        return rows

    def index_rows(self) -> list[Row]:
        """Return a row for each measure and number: its shares of variance with errors, the largest first.

        Empty for a measure that does not vary, or has too few points.
        """
        rows: list[Row] = []
        for measured, found in zip(self.result.job.measures, self.indices, strict=True):
            if found is None:
                continue
            for i in np.argsort(-found.total, kind="stable").tolist():
                rows.append(
                    {
                        **self._head(measured),
                        "path": self.paths[i],
                        "first": figure(found.first[i]),
                        "first_error": figure(found.first_error[i]),
                        "total": figure(found.total[i]),
                        "total_error": figure(found.total_error[i]),
                        "fit": figure(found.fit),
                    }
                )
        return rows

    def tornado_rows(self) -> list[Row]:
        """Return a row for each measure and number: the estimate at its ends, the widest span first."""
        rows: list[Row] = []
        for m, measured in enumerate(self.result.job.measures):
            ends = self.result.ends[:, :, m, 0]
            spans = np.nan_to_num(np.abs(ends[:, 1] - ends[:, 0]), nan=-1.0)
            for i in np.argsort(-spans, kind="stable").tolist():
                factor = self.result.design.factors[i]
                rows.append(
                    {
                        **self._head(measured),
                        "path": factor.path,
                        "low": figure(factor.low),
                        "high": figure(factor.high),
                        "in_file": figure(factor.base),
                        "at_low": figure(ends[i, 0]),
                        "at_high": figure(ends[i, 1]),
                        "as_in_file": figure(self.result.base[m, 0]),
                    }
                )
        return rows

    def line_rows(self) -> list[Row]:
        """Return the mean of each measure over the other numbers, by value of each number."""
        return [
            {"measure": measure_key(measured), "path": path, "value": figure(value), "mean": figure(mean)}
            for measured, found in zip(self.result.job.measures, self.indices, strict=True)
            if found is not None
            for path, line in zip(self.paths, found.lines, strict=True)
            for value, mean in zip(*line, strict=True)
        ]

    def whole(self) -> dict[str, Any]:
        """Return the sweep as plain values, JSON-ready; its points are in the table."""
        scenario, design = self.result.scenario, self.result.design
        return {
            "id": scenario.id,
            "title": scenario.title,
            "question": scenario.question,
            "edition": {"name": self.edition.name, "title": self.edition.spec.title},
            "year": scenario.horizon.end,
            "draws": scenario.analysis.draws,
            "seed": scenario.analysis.seed,
            "level": self.result.job.level,
            "design": design.kind,
            "n_points": len(design.points),
            "numbers": [
                {
                    "path": factor.path,
                    "low": factor.low,
                    "high": factor.high,
                    "in_file": factor.base,
                    "values": len(factor.levels) if factor.levels else None,
                }
                for factor in design.factors
            ],
            "headline": self.headline(),
            "measures": [self._measure(m) for m in range(len(self.result.job.measures))],
            "indices": self.index_rows(),
            "tornado": self.tornado_rows(),
            "notes": self.notes(),
        }

    def headline(self) -> str:
        """Say which number matters most for the first measure."""
        first = measure_label(self.edition, self.result.job.measures[0])[0]
        found = self.indices[0]
        if found is None:
            return f"{len(self.result.design.points):,} points; “{first}” cannot be split by the numbers varied."
        leading = int(np.argmax(found.total))
        return (
            f"“{first}” hangs most on {self.paths[leading]}: {_share(found.total[leading])} of its variance over "
            f"{len(self.result.design.points):,} points, {_share(found.first[leading])} by itself."
        )

    def notes(self) -> list[str]:
        """Say what the indices rest on, and where they are weak."""
        said = [
            "Each number is taken as evenly spread over its range or values, apart from the others: the shares say "
            "what matters within these ranges, not how likely they are."
        ]
        if self.result.design.kind == "grid":
            said.append("Every combination of a grid is there, so its variance is split exactly.")
        else:
            said.append(
                "The shares are those of a polynomial through the points; errors come from leaving out groups of "
                "points. What share of variance it predicts at points left out stands in indices.csv, in column fit."
            )
        for measured, found in zip(self.result.job.measures, self.indices, strict=True):
            label = measure_label(self.edition, measured)[0]
            if found is None:
                said.append(
                    f"{label}: no shares, since it does not vary, is not known everywhere, or points are too few."
                )
            elif found.fit < GOOD:
                said.append(
                    f"{label}: the polynomial predicts only {_share(max(found.fit, 0.0))} of the variance, so its "
                    "shares are rough. Ask for more points."
                )
        return said

    def _measure(self, m: int) -> Row:
        measured = self.result.job.measures[m]
        estimates = self.result.numbers[:, m, 0]
        known = estimates[np.isfinite(estimates)]
        return {
            **self._head(measured),
            "better": {1: "more", -1: "less"}.get(better_is(measured), ""),
            "as_in_file": figure(self.result.base[m, 0]),
            "least": figure(known.min()) if len(known) else None,
            "most": figure(known.max()) if len(known) else None,
        }

    def _head(self, measured: Measured) -> Row:
        label, unit = measure_label(self.edition, measured)
        return {"measure": measure_key(measured), **measured_plain(measured), "label": label, "unit": unit}

    def _numbers(self, found: NDArray[np.float64]) -> Row:
        told = dict(zip(NUMBERS, map(figure, found[:4]), strict=True))
        head = {"level": self.result.job.level, "n": self.result.scenario.analysis.draws}
        return {**told, **head, "prob_better": figure(found[4])}


def error_words(error: float) -> str:
    """Write the standard error of a share; empty where there is none.

    Examples
    --------
    >>> error_words(0.0123), error_words(1e-5), error_words(0.0)
    ('± 0.012', '± under 0.001', '')
    """
    if not error:
        return ""
    return f"± {error:.3f}" if error >= 0.0005 else "± under 0.001"


def measure_key(measured: Measured) -> str:
    """Write a measured number in a word, such as ``total@target areas:difference``."""
    group = "" if measured.quantity in MEASURES else f"@{measured.group}"
    return f"{measured.quantity}{group}:{measured.state}"


def figure(value: float) -> float | None:
    """Return a number with the digits that are kept, noise of the arithmetic as zero; None where it is not finite."""
    return rounded(round(float(value), PLACES)) if np.isfinite(value) else None


def _share(value: float) -> str:
    return f"{100 * value:.1f}%"
