"""Find an area by the words a user gives."""

from __future__ import annotations

from gwm_models.data.descriptor import nearest
from gwm_models.data.edition import Edition
from gwm_models.errors import DataError


def find_area(edition: Edition, text: str) -> int:
    """Return the place of an area named by code or by name, whatever its case and spaces.

    Raises
    ------
    DataError
        If there is none; the message has the nearest names.
    """
    wanted = " ".join(text.casefold().split())
    for i, (code, name) in enumerate(zip(edition.areas.code, edition.areas.name, strict=True)):
        if wanted in (code.casefold(), name.casefold()):
            return i
    raise DataError(f"There is no area '{text}' in {edition.name}.{nearest(text, edition.areas.name)}")
