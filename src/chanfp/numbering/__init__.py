"""Normalise and classify phone numbers; the rules are data files, one per region."""

from .plan import NumberingPlan
from .prefixes import international_prefix, key_ranges

__all__ = ["NumberingPlan", "international_prefix", "key_ranges"]
