"""The rule of a target in plain English."""

from __future__ import annotations

from gwm_models.data.edition import Edition
from gwm_models.scenarios.known import condition
from gwm_models.scenarios.spec import Action, Pick, Target, Where
from gwm_models.scenarios.words import level_words, short


def target_words(target: Target, edition: Edition) -> str:
    """Return the rule by which areas are chosen, in words."""
    if target.everyone:
        words = "All areas"
    else:
        pool = _pool(target, edition)
        picks = [(word, pick) for word, pick in (("worst", target.worst), ("best", target.best)) if pick is not None]
        words = "".join(f"The {_pick(word, pick, edition)} among " for word, pick in picks) + (
            pool if picks else pool[:1].upper() + pool[1:]
        )
    return words + (f", without {_names(target.exclude, edition)}" if target.exclude else "")


def _pool(target: Target, edition: Edition) -> str:
    """Name the areas that the filters leave."""
    parts = []
    if target.areas:
        parts.append(_names(target.areas, edition))
    if target.regions:
        parts.append(f"the areas of {_joined(target.regions)}")
    if target.clusters:
        parts.append(f"the similar areas called {_joined(target.clusters)}")
    parts += [f"areas with {_rule(rule, edition)}" for rule in target.where or ()]
    return " that are also ".join(parts) if parts else "all areas"


def _names(codes: tuple[str, ...], edition: Edition) -> str:
    known = dict(zip(edition.areas.code, edition.areas.name, strict=True))
    return _joined(tuple(known.get(code, code) for code in codes))


def named_benchmark(action: Action, edition: Edition) -> Action:
    """Return an action whose gap is measured to an area with the name of the area for its code, for words."""
    known = dict(zip(edition.areas.code, edition.areas.name, strict=True))
    change = action.change.model_copy(update={"to": known.get(str(action.change.to), action.change.to)})
    return action.model_copy(update={"change": change})


def _joined(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _pick(word: str, pick: Pick, edition: Edition) -> str:
    size = f"{pick.n}" if pick.n is not None else f"{level_words(pick.quantile or 0)}"
    return f"{word} {size} by {inside(field_label(pick.by, edition))}"


def field_label(name: str, edition: Edition) -> str:
    """Name what areas are chosen by: the total, a domain, an indicator, a condition or a field of an area."""
    spec = edition.spec
    labels = {"total": "the total"} | dict(spec.domains) | {i.id: i.label for i in spec.indicators}
    known = condition(name)
    return labels.get(name, known.label if known is not None else name.replace("_", " "))


def _rule(rule: Where, edition: Edition) -> str:
    limits = (("at least", rule.at_least), ("at most", rule.at_most), ("equal to", rule.equals))
    said = [
        f"{word} {limit if isinstance(limit, str) else short(limit)}" for word, limit in limits if limit is not None
    ]
    return f"{inside(field_label(rule.field, edition))} {' and '.join(said)}"


def inside(label: str) -> str:
    """Return a label as it stands inside a sentence; one that begins with capitals keeps them."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
