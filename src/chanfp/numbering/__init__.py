"""Normalise and classify phone numbers; the rules are data files, one per region."""

from .plan import NumberingPlan

__all__ = ["NumberingPlan"]
