"""What is usual, worked out once from the shipped tables, for the checker, which has no time to do so.

Every number here is worked out anew, and compared, by the tests.
"""

from __future__ import annotations

from gwm_models.data.index_spec import IndicatorSpec
from gwm_models.data.vocabulary import Vocabulary

USUAL_CHANGE = {
    "gva_per_head": 2840.0,
    "gva_per_filled_job": 4040.0,
    "business_births": 542.0,
    "industry_concentration": 0.0384,
    "gcse_english_maths": 6.07,
    "nvq4plus_share": 7.3,
}
"""Of 100 changes of a condition from one year to the next, in any area and year of its figures, 99 are smaller: the
99th percentile of their magnitude to three figures, in the unit of the condition. A condition of one year has none."""

GROUPS = {
    "monitor-2021": ("highest", "rural", "urban", "lowest"),
    "open-2017": ("highest", "rural", "urban", "lowest"),
    "open-2018": ("highest", "rural", "urban", "lowest"),
    "open-2019": ("highest", "middle 1", "middle 2", "lowest"),
    "open-2020": ("highest", "rural", "urban", "lowest"),
    "open-2021": ("highest", "middle 1", "middle 2", "lowest"),
}
"""Names of the groups of similar areas of each shipped edition, as `gwm index groups` finds them."""

MEMBERS = {
    "monitor-2021": "000000000000000000010000001000001001021020112110222112121221"
    "2121212222121112122222222112222232333333333333333333333333",
    "open-2017": "000000010001000010110000001012101211221212111102321121213212"
    "31312222121112221223222122322232333333323333333333333333",
    "open-2018": "000000010001000100010010001012021001022020112110221111221221"
    "221212122122112222222222222222232322223223332333322333333",
    "open-2019": "000000010001000101011010111011111001112111111111122112121221"
    "221212212222222122222122222222133323323323323333232323333",
    "open-2020": "000000010000000000000010000010101001021000111110111113121321"
    "221211112121002122222212111313332322223313332322321322333",
    "open-2021": "000000010001000110111010001221111011122111123111133213211121"
    "33232323123211222321312321223233323333333323233233323332",
}
"""The place in `GROUPS` of the group of each area, a digit each, in the order of the areas of the edition."""

LEVELS: dict[str, dict[str, tuple[float, float, float]]] = {
    "monitor-2021": {
        "economic_activity_rate": (69.5, 78.6, 85.56),
        "unemployment_rate": (2.019, 4.14, 7.64),
        "professional_share": (31.21, 42.7, 62.91),
        "routine_share": (7.478, 18.4, 29.86),
        "median_pay": (361.4, 435, 568),
    },
    "open-2017": {
        "economic_activity_rate": (66.07, 78.5, 84.89),
        "unemployment_rate": (2.071, 4.41, 9.304),
        "professional_share": (29.51, 42, 61.08),
        "routine_share": (7.287, 18.6, 28.27),
        "median_pay": (86.29, 99.5, 124.8),
    },
    "open-2018": {
        "economic_activity_rate": (69.64, 78.3, 85.83),
        "unemployment_rate": (1.855, 4.24, 8.055),
        "professional_share": (31, 42.5, 63.57),
        "routine_share": (7.419, 18.1, 31.46),
        "median_pay": (84.94, 100, 124.8),
    },
    "open-2019": {
        "economic_activity_rate": (69.58, 79.6, 85.33),
        "unemployment_rate": (1.366, 3.77, 7.47),
        "professional_share": (29.98, 44, 65.47),
        "routine_share": (7.34, 17.8, 28.06),
        "median_pay": (85.87, 100, 125.3),
    },
    "open-2020": {
        "economic_activity_rate": (72.4, 78.9, 84.31),
        "unemployment_rate": (3.045, 4.35, 7.08),
        "professional_share": (33.41, 45.3, 67.54),
        "routine_share": (6.558, 16.9, 27.74),
        "median_pay": (83.41, 99.7, 122.5),
    },
    "open-2021": {
        "economic_activity_rate": (71.61, 78.1, 85.69),
        "unemployment_rate": (1.844, 4.04, 7.482),
        "professional_share": (30.33, 46.4, 66.56),
        "routine_share": (5.662, 17.1, 28.51),
        "median_pay": (85.41, 99.6, 121.5),
    },
}
"""Levels of each indicator that a target goes by, shrunk for sampling error, in each shipped edition: the lowest of any
area, rounded down to four figures; the median to three; the highest, rounded up to four."""


def level_span(indicator: str, vocabulary: Vocabulary) -> tuple[float, float] | None:
    """Return the lowest and the highest level of an indicator among the areas of an edition, None if not known.

    Examples
    --------
    >>> from gwm_models.data.vocabulary import load_vocabulary
    >>> level_span("median_pay", load_vocabulary())
    (361.4, 568)
    """
    found = LEVELS.get(vocabulary.edition, {}).get(indicator)
    return None if found is None else (found[0], found[2])


def typical_level(spec: IndicatorSpec, vocabulary: Vocabulary) -> float:
    """Return the median level of an indicator; the middle of its usual range where that is not known, in its unit."""
    found = LEVELS.get(vocabulary.edition, {}).get(spec.id)
    return sum(spec.usual_range) / 2 if found is None else found[1]
