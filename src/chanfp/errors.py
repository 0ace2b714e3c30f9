"""Every error chanfp raises on purpose, each also a child of the fitting built-in.

A message gives the rule, the value found, the place and the way out, on one line, so that the
command line can print it as it is.
"""

from __future__ import annotations

__all__ = [
    "ChanfpError",
    "ChanfpWarning",
    "ColumnError",
    "DataError",
    "MissingExtraError",
    "ParameterError",
]


class ChanfpError(Exception):
    """Parent of every error chanfp raises on purpose."""


class DataError(ChanfpError, ValueError):
    """A file or table holds something that can't be used; the message says what and where."""


class ColumnError(DataError):
    """A table lacks a column, or a column has a type that would lose data."""


class ParameterError(ChanfpError, ValueError):
    """An argument is outside its range or contradicts another."""


class MissingExtraError(ChanfpError, ImportError):
    """A package that only an optional extra brings is missing; the message says which extra."""


class ChanfpWarning(UserWarning):
    """Input that was accepted, with a loss the user should know of."""
