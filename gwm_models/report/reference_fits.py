"""The posteriors that travel with the toolkit: written by one command, and compared with fresh ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gwm_models.data.edition import Edition, load_edition
from gwm_models.errors import ModelError
from gwm_models.files.together import Together, written_together
from gwm_models.models import health, mortality_links, trend_error, trend_fit
from gwm_models.models.catalogue import file_name, fit_key, fit_record, specs_of
from gwm_models.models.fit import Spec
from gwm_models.models.outcomes import Subject, find_subject
from gwm_models.models.store import Record, find, is_ours, read_sound, remember, write_record
from gwm_models.scenarios.fields import GROUPS_FILE, clusters_key, clusters_record

Floats = NDArray[np.float64]

FOLDER = "fits"
SUBJECTS = (
    "healthy_life_expectancy_male",
    "healthy_life_expectancy_female",
    "healthy_life_expectancy",
    "drug_poisoning_deaths",
    "despair",
)
SLOW = ("models.latent.specs", "models.despair.specs", "models.counts.posterior")
"""Modules whose posteriors take a minute or more each: the slow tests fit them."""
FACT = 0.02
"""Relative tolerance of the other numbers of a record: classical fits, and means and bounds of draws."""
CLOSE = 0.15
"""Standard deviations by which a posterior mean may move between two fits: chains keep no more than 400 good draws."""
CLOSE_TAIL = 0.3
"""The same for the bounds of its 95% interval."""


@dataclass(frozen=True)
class Stored:
    """One stored result: the name of its file, the fingerprint it should have, and how to make it anew."""

    name: str
    key: str
    edition: Edition
    subject: Subject | None = None
    spec: Spec | None = None
    fit: Callable[[Edition], Record] | None = None

    def make(self) -> Record:
        """Fit it anew."""
        if self.fit is not None:
            return self.fit(self.edition)
        if self.subject is None or self.spec is None:
            raise ModelError(f"{self.name}: nothing says how it is made. Name a subject and a specification, or a fit.")
        return fit_record(self.edition, self.subject, self.spec)


def stored_results() -> Iterator[Stored]:
    """Yield every result that is stored, all of the default edition: fits, and what scenarios draw from.

    The latter are the links with health and with deaths, the trends of the indicators, how far trends were off before,
    and the groups of similar areas.
    """
    edition = load_edition()
    for name in SUBJECTS:
        subject = find_subject(name)
        for spec in specs_of(subject):
            if spec.stored:
                yield Stored(file_name(subject, spec), fit_key(edition, subject, spec), edition, subject, spec)
    yield Stored(health.FILE, health.links_key(edition), edition, fit=health.links_record)
    yield Stored(mortality_links.FILE, mortality_links.links_key(edition), edition, fit=mortality_links.links_record)
    yield Stored(trend_fit.FILE, trend_fit.trends_key(edition), edition, fit=trend_fit.trends_record)
    yield Stored(trend_error.FILE, trend_error.widening_key(), edition, fit=trend_error.widening_record)
    yield Stored(GROUPS_FILE, clusters_key(edition), edition, fit=clusters_record)


def quick_names() -> tuple[str, ...]:
    """Return the names of the stored results that are quick to fit anew."""
    return tuple(each.name for each in stored_results() if each.spec is None or each.spec.module not in SLOW)


def write_fits(folder: Path) -> int:
    """Write every stored result whose data or code have changed, together; leave the others as they are.

    Returns
    -------
    int
        How many were fitted anew.
    """
    with written_together(folder) as new:
        return add_fits(folder, new)


def add_fits(folder: Path, new: Together) -> int:
    """Add every stored result whose data or code have changed to files that are written together.

    Those fitted anew are kept in the cache of this machine as well, so that what was stopped does not fit them again.

    Parameters
    ----------
    folder : Path
        Where those that have not changed are.
    new : Together

    Returns
    -------
    int
        How many were fitted anew.
    """
    made, names = 0, set()
    for each in stored_results():
        name = f"{each.name}.nc"
        names.add(name)
        if read_sound(folder / FOLDER / name, each.key) is not None:
            continue
        record = find(each.name, each.key)
        if record is None:
            record, made = each.make(), made + 1
            remember(each.key, record)
        write_record(new.files / FOLDER / name, each.key, record)
    new.gone |= {f"{FOLDER}/{path.name}" for path in (folder / FOLDER).glob("*.nc") if _stale(path, names)}
    return made


def _stale(path: Path, names: Collection[str]) -> bool:
    return path.name not in names and is_ours(path)


def compare_fits(folder: Path, names: Sequence[str] | None = None) -> tuple[list[str], int]:
    """Check that stored results are of today's data and code, and that fresh fits agree with them.

    Parameters
    ----------
    folder : Path
    names : sequence of str, optional
        Only these are fitted anew.

    Returns
    -------
    differences : list of str
    numbers : int
        Posterior means and bounds compared.
    """
    differences: list[str] = []
    numbers = 0
    for each in stored_results():
        path = folder / FOLDER / f"{each.name}.nc"
        record = read_sound(path, each.key)
        if record is None:
            what = "is of other data or code, or damaged" if path.is_file() else "is missing"
            differences.append(f"{FOLDER}/{each.name}.nc {what}. Run `gwm reproduce`.")
        elif names is None or each.name in names:
            found, n = compare_records(each.name, record, each.make())
            differences, numbers = differences + found, numbers + n
    return differences, numbers


def compare_records(name: str, old: Record, new: Record) -> tuple[list[str], int]:
    """Compare two sets of draws by the mean and the 95% bounds of every column, in standard deviations."""
    differences: list[str] = []
    numbers = 0
    for variable, (dims, draws) in old.arrays.items():
        if dims[0] != "draw":
            continue
        before, after = _summary(draws), _summary(new.arrays[variable][1])
        moved = np.abs(after - before) / draws.std(axis=0, ddof=1)
        numbers += moved.size
        for row, (label, most) in enumerate((("mean", CLOSE), ("lower", CLOSE_TAIL), ("upper", CLOSE_TAIL))):
            for column in np.flatnonzero(~(moved[row] <= most)):
                differences.append(
                    f"{FOLDER}/{name}.nc: {variable} {column}: {label} is {before[row, column]:.5g}, fresh "
                    f"{after[row, column]:.5g}"
                )
    before_facts, after_facts = (_numbers(record.facts.get("models", {})) for record in (old, new))
    for place in before_facts.keys() | after_facts.keys():
        one, other = before_facts.get(place, np.nan), after_facts.get(place, np.nan)
        numbers += 1
        if not abs(one - other) <= FACT * max(1.0, abs(one)):
            differences.append(f"{FOLDER}/{name}.nc: {place} is {one:.5g}, fresh {other:.5g}")
    return differences, numbers


def _numbers(facts: Any, place: str = "") -> dict[str, float]:
    """Return every number in nested facts by its place."""
    if isinstance(facts, dict):
        return {key: x for name, item in facts.items() for key, x in _numbers(item, f"{place}{name}.").items()}
    return {place.rstrip("."): float(facts)} if isinstance(facts, int | float) else {}


def _summary(draws: Floats) -> Floats:
    """Return mean and 95% bounds of each column, shape (3, k)."""
    return np.vstack([draws.mean(axis=0), np.quantile(draws, [0.025, 0.975], axis=0)])
