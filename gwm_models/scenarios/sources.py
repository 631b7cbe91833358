"""The tables and series behind the results of a projection."""

from __future__ import annotations

from gwm_models.data.descriptor import read_descriptor
from gwm_models.data.home import data_home
from gwm_models.data.tables import read_table
from gwm_models.scenarios.projection import Projection


def sources_of(projection: Projection) -> list[dict[str, str]]:
    """Return the tables and series behind the results, with producer, period and licence."""
    if not projection.edition.published:
        return [
            {
                "table": i.id,
                "producer": projection.edition.spec.publisher,
                "title": i.source,
                "period": i.period,
                "licence": "",
            }
            for i in projection.edition.spec.indicators
        ]
    package = read_descriptor(data_home())
    spec = projection.edition.spec
    used = {str(indicator.values.get("variable")) for indicator in spec.indicators}
    used |= {str(indicator.sampling.get("variable")) for indicator in spec.indicators}
    used |= {outcome.variable for outcome in spec.outcomes} | {e.model.outcome.variable for e in projection.health}
    used |= {"imd2019_average_score", "employment_rate_16_64"}
    rows = []
    for table in ("monitor_scores", "access_domain_reproduction", "areas", "regional_price_levels"):
        resource = package.table(table)
        rows += [
            {
                "table": table,
                "producer": source.producer,
                "title": source.title,
                "period": source.period,
                "licence": resource.licence,
            }
            for source in resource.sources
        ]
    official = package.table("indicators").licence
    variables = read_table("variables", where={"variable": used})
    for row in variables.rows():
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
