"""Random draws keyed by seed, quantity and area, so that they do not depend on the order things are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def keyed_rng(seed: int, *key: str) -> np.random.Generator:
    """Return the generator that belongs to a seed and a key.

    The same seed and key always give the same stream; different keys give independent streams (Philox, a
    counter-based generator, with its 128-bit key hashed from both).

    References
    ----------
    Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC'11.

    Examples
    --------
    >>> bool(keyed_rng(1, "effect", "a").normal() == keyed_rng(1, "effect", "a").normal())
    True
    """
    digest = blake2b("\x1f".join((str(seed), *key)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def keyed_normals(
    seed: int, quantity: str, keys: Sequence[str], n_draws: int, width: int | None = None
) -> NDArray[np.float64]:
    """Draw standard normals, one independent stream for each key.

    Parameters
    ----------
    seed : int
    quantity : str
        What is drawn, such as ``effect:participation``.
    keys : sequence of str
        Area codes.
    n_draws : int
    width : int, optional
        Draw a vector of that length for each key and draw.

    Returns
    -------
    ndarray of float, shape (n_draws, n_keys) or (n_draws, n_keys, width)
    """
    shape = (n_draws,) if width is None else (n_draws, width)
    draws = np.empty((n_draws, len(keys), *shape[1:]))
    for i, key in enumerate(keys):
        draws[:, i] = keyed_rng(seed, quantity, key).standard_normal(shape)
    return draws
