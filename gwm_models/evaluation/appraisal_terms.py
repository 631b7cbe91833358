"""The terms of an appraisal: discount rates, price base, values for a unit of effect, and where each comes from."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gwm_models.errors import DataError, printable, some
from gwm_models.files import read_bytes

COST_RATE, HEALTH_RATE, ELASTICITY = 0.035, 0.015, 1.3
RATE_SOURCE = (
    "HM Treasury, The Green Book (2022), annex A6: 3.5% a year in real terms, and 1.5% for risks to health and life, "
    "for the first 30 years"
)
WEIGHT_SOURCE = (
    "HM Treasury, The Green Book (2022), annex A3, paragraphs A3.12-A3.22: (median income of all / median income of "
    "the group) to the power of 1.3, from Layard, Mayraz & Nickell (2008), Journal of Public Economics 92, 1846-1857; "
    "to be shown beside the unweighted figures"
)
QALY_POUNDS, QALY_YEARS = 70_000.0, (2020, 2021)
QALY_WORDS = "the Green Book's figure for a quality-adjusted life year"
QALY_SOURCE = (
    "HM Treasury, written answer HL5283 in the House of Lords: the Green Book's value of a quality-adjusted life year "
    "is £70,000 at 2020-21 prices"
)
MOST_BYTES = 1_000_000
"""Of a price index; one of a century takes two thousand."""
LONG = 30
"""Years after which the Green Book lowers its rates."""


@dataclass(frozen=True, slots=True)
class Value:
    """What one unit of an effect is taken to be worth.

    Attributes
    ----------
    measure : str
    pounds : float
        For one unit, at the price base of the costs.
    source : str
        Who says so; never empty.
    stated : bool
        Whether it was asked for; the reference was not.
    words : str
        What it is, in a few words, where it was not asked for.
    """

    measure: str
    pounds: float
    source: str
    stated: bool = True
    words: str = ""


@dataclass(frozen=True)
class Terms:
    """How costs and effects are weighed.

    Attributes
    ----------
    cost_rate, health_rate : float
        Discount rates a year: of costs and scores, and of health.
    elasticity : float
        Of the marginal utility of income, for equity weights.
    values : tuple of Value
        Values for a unit of effect, each with its source.
    level : float or None
        Of the intervals; the widest of the scenario if None.
    price_base : int or None
        Year whose prices everything is brought to; needs `deflator` where a cost is in others.
    deflator : mapping of year to index
        Price index, such as the GDP deflator.
    deflator_source : str
    """

    cost_rate: float = COST_RATE
    health_rate: float = HEALTH_RATE
    elasticity: float = ELASTICITY
    values: tuple[Value, ...] = ()
    level: float | None = None
    price_base: int | None = None
    deflator: Mapping[int, float] = field(default_factory=dict)
    deflator_source: str = ""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises
        ------
        DataError
            If a rate is no share a year, the elasticity or a value is no number of use, a value has no source, or two
            are for one measure.
        """
        for name, rate in (("cost_rate", self.cost_rate), ("health_rate", self.health_rate)):
            if not 0 <= rate < 0.5:
                hint = f" Did you mean {rate / 100:g}?" if 0.5 <= rate <= 50 else ""
                raise DataError(f"{name}: expected a share a year from 0 to 0.5 (0.035 is 3.5%); found {rate:g}.{hint}")
        if not (math.isfinite(self.elasticity) and 0 <= self.elasticity <= 10):
            raise DataError(
                f"elasticity: expected a number from 0 to 10 (0 weighs all alike); found {self.elasticity}."
            )
        if self.level is not None and not 0 < self.level < 1:
            raise DataError(f"level: expected a probability between 0 and 1, such as 0.9; found {self.level:g}.")
        for value in self.values:
            _check_value(value)
        named = [value.measure for value in self.values]
        twice = [name for name in dict.fromkeys(named) if named.count(name) > 1]
        if twice:
            raise DataError(f"value of {some(twice)}: is given more than once. Give one of them.")


def _check_value(value: Value) -> None:
    if not (math.isfinite(value.pounds) and value.pounds >= 0):
        raise DataError(f"value of {value.measure}: expected pounds of zero or more; found {value.pounds}.")
    if not value.source.strip():
        raise DataError(f"value of {value.measure}: has no source. Say where £{value.pounds:,.0f} comes from.")


def prices_factor(terms: Terms, of: int, to: int) -> float:
    """Return the factor that brings an amount at the prices of one year to those of another.

    Raises
    ------
    DataError
        If the years differ and the deflator lacks one of them.
    """
    if of == to:
        return 1.0
    if not terms.deflator:
        raise DataError(
            f"Prices of {of} and of {to} cannot be added: no price index is shipped. State all costs at one price "
            "base, or give a deflator (a CSV file with columns year, index)."
        )
    missing = [year for year in (of, to) if year not in terms.deflator]
    if missing:
        years = sorted(terms.deflator)
        raise DataError(
            f"The deflator has no index of {some(missing)}; it covers {years[0]} to {years[-1]}. Give one that does."
        )
    return terms.deflator[to] / terms.deflator[of]


def read_deflator(path: Path) -> tuple[dict[int, float], str]:
    """Read a price index from a CSV file with columns ``year`` and ``index``.

    Returns
    -------
    deflator : dict of int to float
    source : str
        The file's name and the start of its hash.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or holds an index that is not above zero or a year twice.
    """
    try:
        raw = read_bytes(path, MOST_BYTES)
        reader = csv.DictReader(raw.decode("utf-8-sig").splitlines(), strict=True)
        names, rows = list(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not CSV in UTF-8"
        raise DataError(f"{path}: cannot be read ({why}). Name a CSV file with columns year, index.") from error
    if not rows or not {"year", "index"} <= {*names} or len({*names}) < len(names):
        told = printable(", ".join(names), 100) if rows else "no row"
        raise DataError(f"{path}: expected columns year, index once each and a row for each year; found {told}.")
    found: dict[int, float] = {}
    for line, row in enumerate(rows, start=2):
        try:
            if None in row or "_" in f"{row['year']}{row['index']}":  # 1,234 and 1_234 are no numbers of a table
                raise ValueError
            year, index = int(row["year"]), float(row["index"])
        except (TypeError, ValueError) as error:
            cells = [row["year"], row["index"], *row.get(None, ())]
            told = printable(", ".join(map(str, cells)), 100)
            raise DataError(f"{path}:{line}: expected a year and a number; found {told}.") from error
        if not (math.isfinite(index) and index > 0) or year in found:
            fault = f"{year} stands there twice" if year in found else f"found the index {index:g}"
            raise DataError(f"{path}:{line}: expected one index above zero for each year; {fault}.")
        found[year] = index
    return found, f"{path.name} (sha256 {hashlib.sha256(raw).hexdigest()[:12]})"
