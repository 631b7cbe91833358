"""Whether counted shares can come from a rate within a band: small simulations judged by the binomial, not by luck."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom


def may_be_within(hits: Sequence[bool], low: float, high: float, doubt: float = 0.01) -> bool:
    """Return whether some rate from `low` to `high` gives as few and as many hits with a probability above `doubt`.

    Examples
    --------
    >>> may_be_within([True] * 8 + [False] * 92, 0.03, 0.07), may_be_within([True] * 16 + [False] * 84, 0.03, 0.07)
    (True, False)
    """
    n, k = len(hits), int(np.sum(hits))
    return bool(binom.sf(k - 1, n, high) > doubt and binom.cdf(k, n, low) > doubt)
