"""The tables and series behind the results of a projection."""

from __future__ import annotations

from collections.abc import Collection

from gwm_models.data.descriptor import Package, read_descriptor
from gwm_models.data.edition import Edition
from gwm_models.data.home import data_home
from gwm_models.data.tables import read_table
from gwm_models.scenarios.projection import Projection


def sources_of(projection: Projection) -> list[dict[str, str]]:
    """Return the tables and series behind the results, with producer, period and licence."""
    return edition_sources(projection.edition, [effect.model.outcome.variable for effect in projection.health])


def edition_sources(edition: Edition, variables: Collection[str] = ()) -> list[dict[str, str]]:
    """Return the tables and series behind an edition, with producer, period and licence.

    Parameters
    ----------
    edition : Edition
    variables : collection of str
        Series used besides its indicators and outcomes.
    """
    package, spec = read_descriptor(data_home()), edition.spec
    used = {str(indicator.values.get("variable")) for indicator in spec.indicators}
    used |= {str(indicator.sampling.get("variable")) for indicator in spec.indicators} | set(variables)
    if edition.published:
        used |= {outcome.variable for outcome in spec.outcomes} | {"imd2019_average_score", "employment_rate_16_64"}
        rows = _published_tables(package)
    else:
        rows = [
            {"table": i.id, "producer": spec.publisher, "title": i.source, "period": i.period, "licence": ""}
            for i in spec.indicators
            if "variable" not in i.values
        ]
    official = package.table("indicators").licence
    for row in read_table("variables", where={"variable": used}).rows():
        rows.append(
            {
                "table": f"{row['table']}: {row['variable']}",
                "producer": row["producer"],
                "title": row["title"],
                "period": row["periods"],
                "licence": official,
            }
        )
    return rows


def _published_tables(package: Package) -> list[dict[str, str]]:
    """Return the sources of the tables behind the published scores."""
    return [
        {
            "table": table,
            "producer": source.producer,
            "title": source.title,
            "period": source.period,
            "licence": package.table(table).licence,
        }
        for table in ("monitor_scores", "access_domain_reproduction", "areas", "regional_price_levels")
        for source in package.table(table).sources
    ]
