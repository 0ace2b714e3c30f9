"""Explanations: why a new number was matched with an old one, as text, as a picture, in a file."""

from __future__ import annotations

from .belonging import explain_files
from .explanation import Explanation, explain_pair
from .saved import (
    NESTED,
    SavedExplanations,
    explanations_beside,
    read_explanations,
    write_explanations,
)
from .text import explanation_lines

__all__ = [
    "NESTED",
    "Explanation",
    "SavedExplanations",
    "explain_files",
    "explain_pair",
    "explanation_lines",
    "explanations_beside",
    "read_explanations",
    "write_explanations",
]
