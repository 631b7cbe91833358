"""Bayesian cross-section fits of level outcomes, all sampled exactly."""

from __future__ import annotations

from collections.abc import Callable

from gwm_models.models.fit import Fit, Spec
from gwm_models.models.gaussian.exposure import make_domains, make_errors_in_variables, make_joint, make_with_conditions
from gwm_models.models.gaussian.fit import TITLES
from gwm_models.models.gaussian.places import make_regions, make_spatial
from gwm_models.models.outcomes import Outcome, Subject, Topic


def _is_level(subject: Subject) -> bool:
    return isinstance(subject, Outcome) and subject.kind == "level"


def _is_both_sexes(subject: Subject) -> bool:
    return isinstance(subject, Topic) and subject.id == "healthy_life_expectancy"


def _spec(name: str, make: Callable[..., Fit], applies: Callable[[Subject], bool] = _is_level) -> Spec:
    family = "cross-section" if applies is _is_level else "topic"
    return Spec(name, TITLES[name], applies, make, "models.gaussian.specs", bayes=True, stored=True, family=family)


SPECS: tuple[Spec, ...] = (
    _spec("errors-in-variables", make_errors_in_variables),
    _spec("errors-in-variables-conditions", make_with_conditions),
    _spec("errors-in-variables-domains", make_domains),
    _spec("regions-pooled", make_regions),
    _spec("spatial", make_spatial),
    _spec("joint-errors-in-variables", make_joint, _is_both_sexes),
)
