"""Every draw of a projection as netCDF, laid out for xarray: draw, area, quantity."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gwm_models import __version__
from gwm_models.scenarios.measured import outcome_level
from gwm_models.scenarios.projection import Projection

if TYPE_CHECKING:
    import h5netcdf

Floats = NDArray[np.float64]

DRAWS_FILE = "draws.nc"
SCHEMA = "gwm-draws/1"
AREAS = ("draw", "area", "quantity")


@dataclass(frozen=True, eq=False)
class Quantity:
    """One quantity of a projection: before the actions, and its change; shape (n_draws, n_areas) each."""

    id: str
    label: str
    unit: str
    before: Floats
    change: Floats


def quantities(projection: Projection) -> Iterator[Quantity]:
    """Yield what a projection holds for each area in the last year: total, domains, indicators, rank, health."""
    spec = projection.edition.spec
    yield Quantity("total", "Total", "points", projection.total_before, projection.change)
    for d, (name, label) in enumerate(dict(spec.domains).items()):
        yield Quantity(name, label, "points", projection.score_before[:, :, d], projection.domain_change[:, :, d])
    for j, indicator in enumerate(spec.indicators):
        change, before = projection.level_change[:, :, j], projection.level_before[:, :, j]
        if indicator.unit == "points":
            before = np.full_like(change, np.nan)
        yield Quantity(indicator.id, indicator.label, indicator.unit, before, change)
    rank = projection.rank_before.astype(float)
    yield Quantity("rank", "Rank (1 is best)", "ranks", rank, projection.rank_after - rank)
    for effect in projection.health:
        outcome = effect.model.outcome
        yield Quantity(outcome.id, f"{outcome.label} (stated link)", outcome.unit, outcome_level(effect), effect.stated)


def write_draws(path: Path, projection: Projection) -> None:
    """Write every draw of a projection as netCDF-4, in single precision.

    Parameters
    ----------
    path : Path
    projection : Projection

    Notes
    -----
    ``baseline`` and ``difference`` have dimensions (draw, area, quantity), in the last year; an indicator known only in
    points has no baseline of its own, which is missing;
    ``difference_full_association`` (draw, area, outcome) is the change of health if the whole association were causal;
    ``group_change`` (group, year, draw) is the mean change of the total by year. Codes, names, units and years are
    coordinates, so ``xarray.open_dataset`` reads it whole.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    import h5netcdf

    content = io.BytesIO()  # a disk that is full would be the end of HDF5, and of the program with it
    with h5netcdf.File(content, "w") as file:
        _fill(file, projection)
    path.write_bytes(content.getbuffer())


def _fill(file: h5netcdf.File, projection: Projection) -> None:
    found, areas = list(quantities(projection)), projection.edition.areas
    n_draws = len(projection.change)
    groups, outcomes = list(projection.history), [effect.link.outcome for effect in projection.health]
    file.attrs["schema"], file.attrs["toolkit_version"] = SCHEMA, __version__
    file.attrs["scenario"], file.attrs["edition"] = projection.scenario.id, projection.edition.name
    file.attrs["year"], file.attrs["seed"] = projection.years[-1], np.int64(projection.scenario.analysis.seed)
    file.dimensions = {
        "draw": n_draws,
        "area": len(areas),
        "quantity": len(found),
        "group": len(groups),
        "year": len(projection.years),
        **({"outcome": len(outcomes)} if outcomes else {}),
    }
    file.create_variable("year", ("year",), "i4", data=np.array(projection.years, dtype="i4"))
    _texts(file, "area", "area", areas.code)
    _texts(file, "area_name", "area", areas.name)
    _texts(file, "region", "area", areas.region)
    _texts(file, "quantity", "quantity", [quantity.id for quantity in found])
    _texts(file, "label", "quantity", [quantity.label for quantity in found])
    _texts(file, "unit", "quantity", [quantity.unit for quantity in found])
    _texts(file, "group", "group", groups)
    before, change = (_numbers(file, name, AREAS) for name in ("baseline", "difference"))
    for q, quantity in enumerate(found):
        before[:, :, q], change[:, :, q] = quantity.before.astype("f4"), quantity.change.astype("f4")
    by_group = _numbers(file, "group_change", ("group", "year", "draw"))
    for g, name in enumerate(groups):
        by_group[g] = projection.history[name].astype("f4")
    if outcomes:
        _texts(file, "outcome", "outcome", outcomes)
        full = _numbers(file, "difference_full_association", ("draw", "area", "outcome"))
        for h, effect in enumerate(projection.health):
            full[:, :, h] = effect.full.astype("f4")
    for name in ("baseline", "difference"):
        file[name].attrs["coordinates"] = "area_name region label unit"


def _numbers(file: h5netcdf.File, name: str, dims: tuple[str, ...]) -> Any:
    return file.create_variable(name, dims, "f4", compression="gzip", compression_opts=1, shuffle=True)


def _texts(file: h5netcdf.File, name: str, dim: str, values: Any) -> None:
    import h5py

    variable = file.create_variable(name, (dim,), dtype=h5py.string_dtype())
    variable[...] = np.array(list(values), dtype=object)
