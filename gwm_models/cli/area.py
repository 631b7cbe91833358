"""Areas as words on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwm_models.data.edition import Edition


def area_code(edition: Edition, text: str) -> str:
    """Return the code of an area named by code or name, whatever its case and spaces.

    Raises
    ------
    DataError
        If the edition has no such area, with the nearest names.
    """
    from gwm_models.data.descriptor import nearest
    from gwm_models.errors import DataError

    wanted = " ".join(text.casefold().split())
    for code, name in zip(edition.areas.code, edition.areas.name, strict=True):
        if wanted in (code.casefold(), name.casefold()):
            return code
    raise DataError(f"There is no area '{text}' in {edition.name}.{nearest(text, edition.areas.name)}")
