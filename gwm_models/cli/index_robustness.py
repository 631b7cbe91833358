"""`gwm index robustness`: how far the ranks hang on the method, the weights and the error of the figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gwm_models.cli.area import code_of
from gwm_models.cli.options import MONITOR, EditionOption
from gwm_models.cli.output import Format, emit, write_line

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition
    from gwm_models.index.alternatives import Alternative, Exchange
    from gwm_models.index.rebuild import IndexData, RobustnessSpec
    from gwm_models.index.robustness import Robustness

COLUMNS = (
    "area_code",
    "area_name",
    "quantity",
    "source",
    "estimate",
    "std_error",
    "lower",
    "upper",
    "n",
    "level",
)


class Sources(StrEnum):
    """What is varied."""

    method = "method"
    data = "data"
    both = "both"


def robustness(
    name: EditionOption = MONITOR,
    draws: Annotated[
        int,
        typer.Option("--draws", min=100, max=20_000, help="Base sample N: intervals rest on 2 N joint rebuilds."),
    ] = 4096,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 20260101,
    area: Annotated[str | None, typer.Option("--area", help="One area, by name or code.")] = None,
    sources: Annotated[
        Sources, typer.Option("--sources", help="Vary the method (with the weights), the data, or both.")
    ] = Sources.both,
    concentration: Annotated[
        float, typer.Option("--concentration", min=0.01, max=1e6, help="Of random weights; 1 is uniform.")
    ] = 1.0,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Rebuild the index thousands of times and say what moves the ranks: method, weights or the error of the figures.

    Normalisation (min-max, z, rank, percentile bounds), weights (equal, random, principal components, leaving one
    indicator out), aggregation (arithmetic, geometric, harmonic) and sampling error are drawn independently. Columns
    first_* and total_* are Sobol indices: the share of variance due to a source alone, and with all its interactions.

    CSV and JSON are one tidy table, a row a number. quantity says which: of an area rank_published, rank_reference,
    rank (median, its sd as std_error, interval), first_order, total_order, rank_sd_alone; of all areas (no area_code)
    rank_shift, rank_shift_alone, shift_* and variance_* (Sobol indices of the mean rank shift, and shares of the rank
    variance of all areas), variance_alone, one_change_rank_shift, one_change_score_change (one other choice at a
    time); substitution_* (points of the second domain of source that make up for a point lost in its first).

    Example: gwm index robustness --area Blackpool
    """
    from gwm_models.data.edition import load_edition
    from gwm_models.index.alternatives import compensability, one_at_a_time
    from gwm_models.index.rebuild import RobustnessSpec
    from gwm_models.index.robustness import edition_index_data, probe

    edition = load_edition(name)
    code = code_of(edition, area)
    vary_data = sources is not Sources.method
    spec = RobustnessSpec(draws=draws, seed=seed, concentration=concentration, data_error=vary_data)
    if sources is Sources.data:
        spec = replace(spec, normalisations=("min_max",), weightings=("equal",), aggregations=("arithmetic",))
    data, left_out = edition_index_data(edition, data_error=spec.data_error)
    result, exchanges = probe(data, spec), compensability(data, code)
    if format is Format.table:
        _print_tables(edition, result, code, _basis(edition, data, left_out))
        _print_choices(edition, one_at_a_time(data), exchanges, code, _basis(edition, data, left_out))
    else:
        rows = tidy_rows(edition, result, one_at_a_time(data), exchanges)
        emit([row for row in rows if code in (None, row["area_code"])], format=format, columns=COLUMNS)


def tidy_rows(
    edition: Edition, result: Robustness, alternatives: Sequence[Alternative], exchanges: Sequence[Exchange]
) -> list[dict[str, Any]]:
    """Return every number of the analysis as one row of one table; see the command for the quantities."""
    names: dict[object, str] = dict(zip(edition.areas.code, edition.areas.name, strict=True))
    rows = list(result.to_rows())
    for i, code in enumerate(edition.areas.code):
        rows.append(_number(code, "rank_published", "published", float(edition.rank[i]), 1))
    for other in alternatives:
        source = f"{other.source}: {other.choice}"
        rows.append(_number(None, "one_change_rank_shift", source, other.mean_rank_shift, 1))
        rows.append(_number(None, "one_change_score_change", source, other.mean_score_change, 1))
    for exchange in exchanges:
        place = exchange.place if exchange.place in names else None
        pair = f"{exchange.lost} by {exchange.gained}"
        rows.append(_number(place, f"substitution_{exchange.aggregation}", pair, exchange.rate, 1))
    return [{"area_name": names.get(row["area_code"], "All areas"), **row} for row in rows]


def area_rows(edition: Edition, result: Robustness) -> list[dict[str, Any]]:
    """Return one row an area: its ranks, and the Sobol indices of its rank by source."""
    return [
        {
            "area_code": code,
            "area_name": edition.areas.name[i],
            "published": int(edition.rank[i]),
            "reference": int(result.reference[i]),
            "median": int(result.estimate[i]),
            "lower": int(result.lower[i]),
            "upper": int(result.upper[i]),
            **{f"first_{name}": float(result.by_area.first_order[s, i]) for s, name in _single(result)},
            **{f"total_{name}": float(result.by_area.total[s, i]) for s, name in _single(result)},
        }
        for i, code in enumerate(edition.areas.code)
    ]


def overall_rows(result: Robustness) -> list[dict[str, Any]]:
    """Return one row a source: Sobol indices of the mean rank shift and shares of the rank variance."""
    rows = [
        {
            "source": name,
            "shift_first": result.of_shift.first_order[s],
            "shift_first_se": result.of_shift.first_order_se[s],
            "shift_total": result.of_shift.total[s],
            "shift_total_se": result.of_shift.total_se[s],
            "variance_first": result.of_variance.first_order[s],
            "variance_total": result.of_variance.total[s],
            "variance_alone": result.alone_share[s],
            "mean_shift_alone": result.alone_shift[s, 0],
        }
        for s, name in enumerate(result.source)
    ]
    return [*rows, {"source": "all", "mean_shift_alone": result.shift[0]}]


def _single(result: Robustness) -> list[tuple[int, str]]:
    """Return the sources that are one input each."""
    return [(s, name) for s, name in enumerate(result.source) if name != "method"]


def _print_tables(edition: Edition, result: Robustness, code: str | None, basis: str) -> None:
    spec = result.spec
    rows = [row for row in area_rows(edition, result) if code in (None, row["area_code"])]
    shown = [{name: _rounded(value, 2) for name, value in row.items() if name != "area_code"} for row in rows]
    emit(
        shown,
        format=Format.table,
        title=f"{edition.spec.title}: rank (1 is best of {len(edition.areas)}) in {result.n_joint} joint rebuilds, "
        f"{spec.level:.0%} intervals; first_, total_: shares of the variance of the rank; {basis}",
    )
    write_line()
    emit(
        [{name: _rounded(value) for name, value in row.items()} for row in overall_rows(result)],
        format=Format.table,
        title="All areas: shares of the variance of the mean absolute rank shift and of all ranks; mean_shift_alone: "
        f"ranks moved with only that source varied ({result.n_rebuilds} rebuilds, seed {spec.seed}); {basis}",
    )
    write_line(_meaning(spec))


def _print_choices(
    edition: Edition, alternatives: Sequence[Alternative], exchanges: Sequence[Exchange], code: str | None, basis: str
) -> None:
    from gwm_models.index.alternatives import compensability_words

    name = dict(zip(edition.areas.code, edition.areas.name, strict=True))
    rows = [{**other.to_row(), "largest_shift_area": name[other.area_code]} for other in alternatives]
    for row in rows:
        del row["area_code"]
    write_line()
    emit(
        [{key: _rounded(value) for key, value in row.items()} for row in rows],
        format=Format.table,
        title=f"One other choice at a time: absolute shift in ranks, absolute change in score points (1-100); {basis}",
    )
    write_line()
    write_line("What one domain buys of another (points, scale 1-100):")
    for sentence in compensability_words(exchanges, "the mean area" if code is None else name[code]):
        write_line(f"  {sentence}")


def _meaning(spec: RobustnessSpec) -> str:
    weights = f"random weights: Dirichlet, concentration {spec.concentration:g}, over domains and inside each"
    error = "data: surveys taken again, errors added to the published figures; method: normalisation and aggregation"
    return f"{weights}; {error}." if spec.data_error else f"{weights}; the error of the figures is not varied."


def _basis(edition: Edition, data: IndexData, left_out: Sequence[str]) -> str:
    """Say which indicators and years the rebuilds use, and what is missing."""
    spec = edition.spec
    periods = " ".join(spec.indicator(name).period for name in data.indicator)
    years = sorted(set(re.findall(r"\b(?:19|20)\d\d\b", periods)))
    text = f"{len(data.indicator)} of {len(spec.indicators)} indicators"
    text += f", {years[0]} to {years[-1]}" if years else ""
    if not left_out:
        return text
    missing = "; ".join(
        f"{spec.indicator(name).domain} is {' and '.join(_rest(data, spec.indicator(name).domain)) or 'left out'}"
        for name in left_out
    )
    return f"{text}; without {', '.join(left_out)}, no open figures by area ({missing} alone)"


def _rest(data: IndexData, domain: str) -> list[str]:
    return [name for name, of in zip(data.indicator, data.domain, strict=True) if of == domain]


def _number(code: str | None, quantity: str, source: str, estimate: float, n: int) -> dict[str, Any]:
    return {"area_code": code, "quantity": quantity, "source": source, "estimate": estimate, "n": n}


def _rounded(value: Any, digits: int = 3) -> Any:
    return round(float(value), digits) + 0.0 if isinstance(value, float) else value
