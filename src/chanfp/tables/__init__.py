"""Tables: files and Arrow streams in, as record batches with known places; files out, whole or not.

A *place* is how messages name a cell: file, row, column. Rows count as a text editor numbers the
lines of a CSV file, so the header is row 1 and the first record row 2; elsewhere the first record
is row 1.
"""

from .batches import Batch, Reject, TableSource
from .columns import as_label, as_text, describe_columns, is_whole
from .folders import make_folder, write_tables
from .layout import check_delimiter, check_encoding
from .outputs import PartFile, check_output, write_table
from .paths import Sources, find_sources
from .rejects import RejectFile, check_survival, csv_lines, open_rejects, reject_table

__all__ = [
    "Batch",
    "PartFile",
    "Reject",
    "RejectFile",
    "Sources",
    "TableSource",
    "as_label",
    "as_text",
    "check_delimiter",
    "check_encoding",
    "check_output",
    "check_survival",
    "csv_lines",
    "describe_columns",
    "find_sources",
    "is_whole",
    "make_folder",
    "open_rejects",
    "reject_table",
    "write_table",
    "write_tables",
]
