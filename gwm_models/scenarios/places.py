"""The areas a target names: they must exist, and some must be left to act on."""

from __future__ import annotations

from collections.abc import Callable

from gwm_models.data.vocabulary import Vocabulary
from gwm_models.scenarios.findings import advice, escaped, suggestion
from gwm_models.scenarios.view import View


def region_name(text: str, vocabulary: Vocabulary) -> str | None:
    """Return the region of that name, whatever its case and spaces; None if unknown."""
    key = " ".join(text.casefold().split())
    return next((name for name in vocabulary.regions if name.casefold() == key), None)


def check_target(target: View) -> None:
    """Check which areas one action reaches."""
    if not isinstance(target.value, dict):
        return
    areas = _names(target, "areas", "area", target.vocabulary.area_code, list(target.vocabulary.areas.values()))
    regions = _names(
        target,
        "regions",
        "region",
        lambda name: region_name(name, target.vocabulary),
        target.vocabulary.regions,
    )
    exclude = _names(target, "exclude", "area", target.vocabulary.area_code, list(target.vocabulary.areas.values()))
    picks = [word for word in ("worst", "best") if word in target]
    for word in picks:
        _check_pick(target / word)
    if len(picks) == 2:
        target.error("worst and best cannot stand together", "keep one; write two actions to reach both ends")
    if not picks and not any(word in target for word in ("areas", "regions")):
        target.error("names no areas", "add areas, regions, worst or best")
        return
    left = _candidates(target, areas, regions, exclude)
    if left is None:
        return
    if not left:
        target.error("matches no area", "widen areas or regions, or shorten exclude")
    for word in picks:
        n = (target / word).whole("n")
        if n is not None and left and n > len(left):
            what = f"asks for {n} areas; only {len(left)} are left to choose from"
            (target / word / "n").error(what, f"write a number up to {len(left)}")


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
            meant = suggestion(name, among, most=3, cutoff=0.7)
            item.error(f"unknown {noun} '{escaped(name)}'{meant}", advice(name, among) if meant else _other(noun))
        elif code in found:
            item.warning(f"'{escaped(name)}' is named twice and counts once", "remove one of the two")
        else:
            found[code] = name
    return set(found) if sound else None


def _other(noun: str) -> str:
    if noun == "region":
        return "use a region of England outside London, such as North East"
    return "use a name or code of gwm data describe areas (boundaries before April 2019, London left out)"


def _candidates(
    target: View, areas: set[str] | None, regions: set[str] | None, exclude: set[str] | None
) -> set[str] | None:
    """Return the areas that the filters leave; None if a filter is unsound."""
    by_key = {"areas": areas, "regions": regions, "exclude": exclude}
    if any(key in target and found is None for key, found in by_key.items()):
        return None
    region_of = target.vocabulary.area_regions
    left = set(region_of) if areas is None else set(areas)
    outside = {code for code in left if regions is not None and region_of[code] not in regions}
    if areas is not None:
        _report_outside(target, outside)
    left -= outside
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
