"""Find the faults of a published table of scores: sums, ranks, ties, regions, areas, ranges, and text against table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gwm_models.data.claims import SCORE_TABLES, claim_faults
from gwm_models.data.consistency import LONG_TABLES, consistency_problems
from gwm_models.data.constraints import foreign_key_problems, place_table
from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.faults import (
    find_faults,
    order_faults,
    rank_faults,
    region_disagreements,
    region_gaps,
    tie_faults,
)
from gwm_models.data.home import data_home
from gwm_models.data.index_spec import IndexSpec, read_index
from gwm_models.data.lint_checks import (
    area_problems,
    duplicate_problems,
    matched,
    range_problems,
    sum_problems,
    text_problems,
)
from gwm_models.data.placed import PlacedTable
from gwm_models.data.published import place_raw, printed_decimals, read_raw
from gwm_models.data.roles import SCORES, Roles, find_roles
from gwm_models.errors import DataError, Problem, some

INDICES = {"monitor": "index.yaml", "conditions": "conditions.yaml"}
AREAS = "areas"


@dataclass(frozen=True, slots=True)
class Lint:
    """What was found in a table.

    Attributes
    ----------
    table, roles : str
        The table, and what its columns were taken for.
    rows : int
    problems : tuple of Problem
        Warnings first, then errors, each by line.
    """

    table: str
    roles: str
    rows: int
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the table wrong; the others are warnings."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    def __str__(self) -> str:
        """Return the result in one line."""
        many = {"error": len(self.errors), "warning": len(self.problems) - len(self.errors)}
        counts = ", ".join(f"{number} {word}{'s' * (number != 1)}" for word, number in many.items())
        return f"{self.table}: {self.rows:,} rows ({self.roles}): {counts}"


@dataclass(frozen=True, slots=True)
class LintOptions:
    """What a table is checked against; what is None is found by the names of the columns.

    Attributes
    ----------
    key, total, rank, region : str or None
        Columns; an empty text says the table has none.
    parts : sequence of str or None
        Columns that add up to the total.
    best : {"high", "low"}
        Which end of the total has rank 1.
    index : str or None
        ``monitor``, ``conditions`` or the path of an index definition, whose ranges hold.
    limits : tuple of float or None
        Lowest and highest value of a part, where there is no index definition.
    against : sequence of str
        Shipped tables or paths: the first gives the areas there should be, all give regions.
    claims : Path or None
        Statements of a text, in the columns of the shipped report_claims.
    """

    key: str | None = None
    total: str | None = None
    parts: Sequence[str] | None = None
    rank: str | None = None
    region: str | None = None
    best: str = "high"
    index: str | None = None
    limits: tuple[float, float] | None = None
    against: Sequence[str] = ()
    claims: Path | None = None


def lint_table(table: str | Path, options: LintOptions | None = None, *, folder: Path | None = None) -> Lint:
    """Check a published table of scores.

    Errors are: cells that are not numbers, an area on two lines, areas that are missing, values outside the range of
    the index, and totals that are not the sum of their parts. Where most totals are not, the table adds up in another
    way, and one warning says so. Warnings are: ties with different ranks, ranks that do not follow the score, regions
    that differ from another table, unknown areas, and statements of a text that the table contradicts. In a shipped
    table, everything that `gwm_models.data.package.examine_package` finds is there as well.

    Parameters
    ----------
    table : str or Path
        Name of a shipped table, or path of a CSV.
    options : LintOptions, optional
    folder : Path, optional
        Folder with a datapackage.json; the shipped data by default.

    Returns
    -------
    Lint

    Raises
    ------
    DataError
        If the table or something to check it against cannot be read, or a named column is not there.

    Examples
    --------
    >>> print(lint_table("monitor_scores"))
    monitor_scores: 118 rows (areas by area_code, total = access + status + pay, rank rank, region region_as_printed):
    0 errors, 7 warnings
    """
    options, home = options or LintOptions(), data_home() if folder is None else folder
    if options.best not in ("high", "low"):
        raise ValueError(f"best must be 'high' or 'low'; got {options.best!r}.")
    shipped = not _is_path(table)
    placed, roles, problems = _place_shipped(str(table), options, home) if shipped else _place_file(table, options)
    if roles is not None:
        problems += _structure(placed, roles, options, shipped, home)
        if options.claims is not None:
            problems += text_problems(placed, roles, options.claims, best=options.best)
    unique = {(p.line, p.column, p.severity, p.path, p.what): p for p in problems}
    ordered = sorted(unique.values(), key=lambda p: (p.severity == "error", p.file != placed.cells.file, p.line))
    words = str(roles) if roles is not None else "checked as part of the data package"
    return Lint(placed.resource.name, words, len(placed), tuple(ordered))


def _is_path(table: str | Path) -> bool:
    return isinstance(table, Path) or bool(Path(table).suffix) or len(Path(table).parts) > 1


def _place_file(path: str | Path, options: LintOptions) -> tuple[PlacedTable, Roles | None, list[Problem]]:
    raw = read_raw(Path(path))
    numeric = raw.numeric()
    roles = _roles(raw.columns, numeric, options)
    needed = {*numeric, *roles.figures, *filter(None, (roles.rank,))}
    placed, problems = place_raw(raw, numeric=needed, texts=roles.texts, rank=roles.rank)
    return placed, roles, problems


def _place_shipped(name: str, options: LintOptions, home: Path) -> tuple[PlacedTable, Roles | None, list[Problem]]:
    """Read a table of the data package with all its checks; roles only where it holds one row an area."""
    package = read_descriptor(home)
    resource = package.table(name)
    tables: dict[str, PlacedTable] = {}
    problems: list[Problem] = []
    for other, described in package.resources.items():
        if other not in LONG_TABLES or name in (other, "variables"):
            table, found = place_table(home, described)
            problems += found if other == name else []
            if table is not None:
                tables[other] = table
    if name not in tables:
        raise DataError("\n".join(map(str, problems)))
    placed = tables[name]
    for key in resource.foreign_keys:
        problems += foreign_key_problems(placed, key, tables)
    mine = [*consistency_problems(tables), *find_faults({n: t for n, t in tables.items() if n != "report_claims"})]
    problems += [problem for problem in mine if problem.file == placed.cells.file]
    problems += claim_faults(tables, about=name)
    if name in SCORE_TABLES and all(other in tables for other in SCORE_TABLES):
        problems += region_disagreements(tables)
    if len(resource.primary_key) != 1 or not {"area_code", "area_name"} <= {*resource.columns}:
        return placed, None, problems
    numeric = [field.name for field in resource.fields if field.type != "string"]
    return placed, _roles(resource.columns, numeric, options), problems


def _roles(columns: Sequence[str], numeric: Sequence[str], options: LintOptions) -> Roles:
    domains = [_tops(_index(name)) for name in ([options.index] if options.index else INDICES)]
    if options.index and options.parts is None:
        absent = [name for name in domains[0] if name not in columns]
        if absent:
            raise DataError(f"The table has no column {some(absent)} for a domain of {options.index}.")
    return find_roles(
        columns,
        numeric,
        domains,
        key=options.key,
        total=options.total,
        parts=options.parts,
        rank=options.rank,
        region=options.region,
    )


def _structure(table: PlacedTable, roles: Roles, options: LintOptions, shipped: bool, home: Path) -> list[Problem]:
    """Run the checks that need to know what the columns are; texts for shipped tables say what the toolkit does."""
    problems = [] if shipped else duplicate_problems(table, roles)
    problems += range_problems(table, roles, _ranges(roles, options))
    if roles.total:
        decimals = printed_decimals(table, roles.total)
        if roles.parts and not shipped:
            problems += sum_problems(table, roles, decimals)
        if roles.rank:
            problems += rank_faults(table, roles, best=options.best)
            if not (shipped and roles.total == SCORES.total):
                problems += tie_faults(table, roles, decimals=decimals, kept="")
                problems += order_faults(table, roles, best=options.best, decimals=decimals, kept="")
    for place, other in enumerate(_others(table, roles, options, shipped, home)):
        keys, theirs = matched(table, roles, *other)
        if not place:
            problems += area_problems(table, roles, keys, other)
        compare = bool(options.against) or not shipped
        if compare and roles.region and other[1].region and other[0].resource.name != table.resource.name:
            regions = dict(zip(theirs, other[0][other[1].region], strict=True))
            whose = f"in {other[0].resource.path} it is in"
            problems += region_gaps(table, regions, keys=keys, roles=roles, whose=whose, kept="")
    return problems


def _ranges(roles: Roles, options: LintOptions) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest possible value of each part and of the total."""
    if options.limits is not None:
        low, high = options.limits
        number = len(roles.parts)
        total = {roles.total: (number * low, number * high)} if roles.total and number else {}
        return {**dict.fromkeys(roles.parts, options.limits), **total}
    for spec in map(_index, [options.index] if options.index else INDICES):
        if {*_tops(spec)} <= {*roles.parts}:
            ranges = {name: spec.score_range(name) for name in roles.parts if name in spec.domain_ids}
            return {**ranges, roles.total: spec.score_range()} if roles.total else ranges
    return {}


def _others(
    table: PlacedTable, roles: Roles, options: LintOptions, shipped: bool, home: Path
) -> list[tuple[PlacedTable, Roles]]:
    """Return the tables to compare areas and regions with: those named, or the shipped areas where they fit."""
    if options.against:
        return [_other(name, home) for name in options.against]
    areas = _other(AREAS, home)
    keys, theirs = matched(table, roles, *areas)
    fits = 2 * len({*keys} & {*theirs}) > len(keys)
    return [areas] if shipped or fits else []


def _other(name: str, home: Path) -> tuple[PlacedTable, Roles]:
    if _is_path(name):
        raw = read_raw(Path(name))
        roles = find_roles(raw.columns, (), total="", rank="")
        return place_raw(raw, numeric=(), texts=raw.columns)[0], roles
    resource = read_descriptor(home).table(name)
    table, problems = place_table(home, resource)
    if table is None:
        raise DataError("\n".join(map(str, problems)))
    return table, find_roles(resource.columns, (), total="", rank="")


def _index(name: str) -> IndexSpec:
    return read_index(data_home() / INDICES[name] if name in INDICES else Path(name))


def _tops(spec: IndexSpec) -> tuple[str, ...]:
    return tuple(name for name, above in zip(spec.domain_ids, spec.parents, strict=True) if above is None)
