"""The ways to fit the outcomes of spring 2020: jobs, deaths, and both together."""

from __future__ import annotations

from functools import partial

from gwm_models.models.covid.deaths import ADJUSTMENTS, make_deaths, title_of
from gwm_models.models.covid.double import TITLE as DOUBLE_BLOW
from gwm_models.models.covid.double import make_double_blow
from gwm_models.models.covid.labour import TITLE as LABOUR_MARKET
from gwm_models.models.covid.labour import make_labour_market
from gwm_models.models.covid.mortality import TITLE as MORTALITY
from gwm_models.models.covid.mortality import make_mortality
from gwm_models.models.fit import Spec
from gwm_models.models.outcomes import Subject

TOPIC, DEATHS = "covid", "covid19_deaths"


def _is(name: str, subject: Subject) -> bool:
    return subject.id == name


SPECS: tuple[Spec, ...] = (
    *(
        Spec(name, title_of(name), partial(_is, DEATHS), partial(make_deaths, spec=name), "models.covid.deaths")
        for name in ADJUSTMENTS
    ),
    *(
        Spec(name, title, partial(_is, TOPIC), make, f"models.covid.{module}", family="topic")
        for name, title, make, module in (
            ("labour-market", LABOUR_MARKET, make_labour_market, "labour"),
            ("mortality", MORTALITY, make_mortality, "mortality"),
            ("double-blow", DOUBLE_BLOW, make_double_blow, "double"),
        )
    ),
)
