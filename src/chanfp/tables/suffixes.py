"""Suffixes: what a file is by its name."""

from __future__ import annotations

__all__ = ["CSV_SUFFIXES", "PARQUET_SUFFIXES", "TABLE_SUFFIXES", "is_parquet"]

CSV_SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz", ".tsv.zst")
PARQUET_SUFFIXES = (".parquet", ".pq")
TABLE_SUFFIXES = (*CSV_SUFFIXES, *PARQUET_SUFFIXES)


def is_parquet(path: str) -> bool:
    """Return whether a file is Parquet by its name."""
    return path.lower().endswith(PARQUET_SUFFIXES)
