"""The area that a word of the command line means."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwm_models.data.edition import Areas, Edition


def place_of(edition: Edition, text: str) -> int:
    """Return the place of an area in an edition, by code, name, short form or part of a name; see `place_among`."""
    return place_among(edition.areas, text, edition=edition.name)


def place_among(areas: Areas, text: str, *, edition: str, where: str = "") -> int:
    """Return the place of an area among those of an edition, which `where` names to a reader.

    Where the text is not the area's own name, the area taken is named on standard error.

    Raises
    ------
    DataError
        If it is not clear which one is meant.
    """
    from gwm_models.data.area_names import area_place, shown

    place, sure = area_place(areas, text, edition=edition, where=where)
    if not sure:
        taken = f"{areas.name[place]} ({areas.code[place]})"
        sys.stderr.write(f"'{shown(text)}' is taken to be {taken}.\n")
    return place


def code_of(edition: Edition, text: str | None) -> str | None:
    """Return the code of an area as `place_of` finds it; None for None."""
    return None if text is None else edition.areas.code[place_of(edition, text)]
