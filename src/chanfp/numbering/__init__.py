"""Normalise and classify phone numbers; the rules are data files, one per region."""

from .hashes import IdSample, sample_ids
from .plan import OPAQUE, NumberingPlan
from .prefixes import international_prefix, key_ranges

__all__ = [
    "OPAQUE",
    "IdSample",
    "NumberingPlan",
    "international_prefix",
    "key_ranges",
    "sample_ids",
]
