"""How a page was made, where it has no folder with a manifest of its own."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import Any

from gwm_models import __version__
from gwm_models.data.edition import Edition
from gwm_models.data.home import data_home
from gwm_models.report.run_folder import code_hash, data_hash


def page_manifest(edition: Edition, command: str, **facts: Any) -> dict[str, Any]:
    """Return what is needed to make a page again: command, version, hashes of data and code.

    Parameters
    ----------
    edition : Edition
    command : str
        How the page was asked for.
    **facts
        What else its numbers hang on, such as ``draws`` and ``seed``.
    """
    return {
        "toolkit_version": __version__,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **facts,
        "edition": edition.name,
        "data_sha256": data_hash(data_home()),
        "code_sha256": code_hash(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
