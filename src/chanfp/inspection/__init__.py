"""Inspection: a first look at call records, before anything is matched.

One pass over the records, in bounded memory; only counts are kept, and pairs of subscriber and
partner, which go to disk where there are many.
"""

from ..terminal import Line, Piece, plain
from .inspect import inspect_cdrs
from .result import Inspection
from .text import inspection_lines

__all__ = ["Inspection", "Line", "Piece", "inspect_cdrs", "inspection_lines", "plain"]
