"""Results that are kept and shared: their arrays cannot be written to."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np


def freeze(result: Any) -> None:
    """Make every array field of a frozen dataclass read-only, so that a shared result stays what it was."""
    for field in fields(result):
        value = getattr(result, field.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)


class Frozen:
    """Base of dataclasses whose arrays are read-only from the start."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        freeze(self)
