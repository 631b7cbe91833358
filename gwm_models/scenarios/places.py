"""The areas a target names: they must exist, and some must be left to act on."""

from __future__ import annotations

from collections.abc import Callable

from gwm_models.data.area_names import meaning_of
from gwm_models.scenarios.checks_where import check_rule, none_passes
from gwm_models.scenarios.findings import advice, escaped, listed, suggestion
from gwm_models.scenarios.known import group_members, group_names, spelled
from gwm_models.scenarios.view import View

FILTERS = ("areas", "regions", "clusters", "where")
PICKS = ("worst", "best")
OTHER_AREA = "use a name or a code that gwm index scores lists"


def check_target(target: View) -> set[str] | None:
    """Check which areas one action reaches; return them, None where that is unsound or takes a computation."""
    if not isinstance(target.value, dict):
        return None
    words = target.vocabulary
    found = {
        "areas": _names(target, "areas", "area", words.area_code, list(words.areas.values())),
        "regions": _names(target, "regions", "region", lambda name: spelled(name, words.regions), words.regions),
        "exclude": _names(target, "exclude", "area", words.area_code, list(words.areas.values())),
    }
    groups = group_names(words)
    clusters = _names(target, "clusters", "group", lambda name: spelled(name, groups), groups)
    if "clusters" in target:
        found["clusters"] = None if clusters is None else group_members(clusters, words)
    rules = [check_rule(rule) for rule in target.parts("where")]
    picks = [word for word in PICKS if word in target]
    for word in picks:
        _check_pick(target / word)
    _check_together(target, picks)
    unsure = "everyone" in target and not isinstance((target / "everyone").value, bool)
    if not picks and not any(word in target for word in FILTERS) and not _everyone(target) and not unsure:
        target.error("names no areas", "add areas, regions, clusters, where, worst, best or everyone")
        return None
    left = _candidates(target, found, rules)
    if left is None:
        return None
    if not left:
        _report_empty(target, found, rules)
    for word in picks:
        n = (target / word).whole("n")
        if n is not None and left and n > len(left):
            what = f"asks for {n} areas; only {len(left)} {'is' if len(left) == 1 else 'are'} left to choose from"
            (target / word / "n").error(what, f"write a number up to {len(left)}")
    return None if picks or unsure else left


def _everyone(target: View) -> bool:
    return (target / "everyone").value is True


def _check_together(target: View, picks: list[str]) -> None:
    """Report parts of a target that contradict each other."""
    if len(picks) == 2:
        target.error("worst and best cannot stand together", "keep one; write two actions to reach both ends")
    narrower = [word for word in (*FILTERS, *picks) if word in target]
    if _everyone(target) and narrower:
        what = f"everyone means all areas, but {_joined(narrower)} would leave some out"
        (target / "everyone").error(what, f"remove everyone, or remove {_joined(narrower)}")


def _joined(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _report_empty(target: View, found: dict[str, set[str] | None], rules: list[set[str] | None]) -> None:
    """Report a target that leaves no area: at the rule of `where` that passes none of those left, if there is one."""
    region_of = target.vocabulary.area_regions
    areas, regions, exclude = (found[key] for key in ("areas", "regions", "exclude"))
    left = set(region_of) if areas is None else areas
    left = {code for code in left if regions is None or region_of[code] in regions} - (exclude or set())
    left &= found.get("clusters") or left
    for rule, passing in zip(target.parts("where"), rules, strict=True):
        if left and passing is not None and not left & passing:
            rule.error(*none_passes(rule, left))
            return
        left = left & (passing or set())
    places = "areas, regions or clusters" if "clusters" in target else "areas or regions"
    shorter = ", or shorten exclude" if "exclude" in target else ""
    target.error("matches no area", f"widen {places}{shorter}")


Find = Callable[[str], str | None]


def _names(target: View, key: str, noun: str, find: Find, among: list[str] | tuple[str, ...]) -> set[str] | None:
    """Return what a list of names stands for; None if there is no list, or something in it is unsound."""
    found: dict[str, str] = {}
    sound = isinstance((target / key).value, list)
    for item in target.items(key):
        name = item.value
        if not isinstance(name, str) or not name.strip():
            sound = False
            continue
        code = find(name)
        if code is None:
            sound = False
            if noun == "area":
                item.error(*_unknown_area(name, target))
                continue
            meant = suggestion(name, among, most=3, cutoff=0.7)
            fix = advice(name, among) if meant else _other(noun, among)
            item.error(f"unknown {noun} '{escaped(name)}'{meant}", fix)
        elif code in found:
            item.warning(f"'{escaped(name)}' is named twice and counts once", "remove one of the two")
        else:
            found[code] = name
    return set(found) if sound else None


def _unknown_area(name: str, target: View) -> tuple[str, str]:
    """Return what is wrong with the name of an area, and what to write: a file names areas in full."""
    words = target.vocabulary
    meant = meaning_of(name, words.areas, edition=words.edition, regions=words.regions)
    names = meant.names if meant.code is None else (words.areas[meant.code],)
    if not names:
        return f"unknown area '{escaped(name)}'", f"{OTHER_AREA}{f'. {meant.note}' if meant.note else ''}"
    what = f"unknown area '{escaped(name)}' (did you mean {listed(names)}?){f'. {meant.note}' if meant.note else ''}"
    return what, f"write {listed(names)}{', quotes included' if any(',' in each for each in names) else ''}"


def _other(noun: str, among: list[str] | tuple[str, ...]) -> str:
    if noun == "group":
        return f"use {listed(among)}"
    return "use a region of England outside London, such as North East"


def _candidates(target: View, found: dict[str, set[str] | None], rules: list[set[str] | None]) -> set[str] | None:
    """Return the areas that the filters leave; None if a filter is unsound, or is known only once it is computed."""
    unsound = any(key in target and codes is None for key, codes in found.items())
    if unsound or len(rules) < len(list(target.items("where"))):
        return None
    areas, regions, exclude = (found[key] for key in ("areas", "regions", "exclude"))
    region_of = target.vocabulary.area_regions
    left = set(region_of) if areas is None else set(areas)
    outside = {code for code in left if regions is not None and region_of[code] not in regions}
    if areas is not None:
        _report_outside(target, outside)
    left -= outside
    left &= left if (members := found.get("clusters")) is None else members
    for rule in rules:
        if rule is None:
            return None
        left &= rule
    _report_needless(target, left)
    return left - (exclude or set())


def _report_outside(target: View, outside: set[str]) -> None:
    for item in target.items("areas"):
        code = target.vocabulary.area_code(item.value)
        if code in outside:
            region = target.vocabulary.area_regions[str(code)]
            what = f"'{escaped(item.value)}' lies in {region}, which is not among the regions of this target"
            item.error(what, "remove it or regions: an area must pass both; write two actions to reach either")


def _report_needless(target: View, left: set[str]) -> None:
    for item in target.items("exclude"):
        if target.vocabulary.area_code(item.value) not in left:
            what = f"'{escaped(item.value)}' is not among the areas reached, so leaving it out changes nothing"
            item.warning(what, "remove it, or check the name")


def _check_pick(pick: View) -> None:
    if not isinstance(pick.value, dict):
        return
    given = [key for key in ("n", "quantile") if key in pick]
    if not given:
        pick.error("needs n or quantile", "add n: 20 or quantile: 0.25")
    elif len(given) == 2:
        pick.error("has both n and quantile", "keep one of the two")
    by, words = pick.text("by"), pick.vocabulary
    known = ["total", *words.domains, *words.indicators]
    if by is None:
        return
    if by not in known:
        what = f"unknown score or indicator '{escaped(by)}'{suggestion(by, known)}"
        (pick / "by").error(what, advice(by, known))
    elif by in words.indicators and words.indicators[by].unit == "points":
        (pick / "by").error(
            f"no figures by area are open for {by}, so areas cannot be ranked by it",
            "use its domain or total",
        )
