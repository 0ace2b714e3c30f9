"""Arrow streams: pandas, polars, DuckDB, pyarrow and whatever else hands over record batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from ..errors import ColumnError, DataError
from .batches import Batch, Piece, TableSource
from .columns import check_names, first_line

__all__ = ["StreamSource"]

# A data frame is often one batch of all its rows, which only one thread could work on.
BATCH_ROWS = 1 << 17


class StreamSource(TableSource):
    """An object with ``__arrow_c_stream__``; an iterator of batches can be read only once.

    Parameters
    ----------
    table : object with ``__arrow_c_stream__``
        It is asked for a stream at once, to learn the columns; the first pass uses that stream.
        A DuckDB relation is asked anew, because a connection can have but one stream open.
    """

    def __init__(self, table: Any) -> None:
        kind = type(table)
        name = f"<{kind.__module__.split('.')[0]}.{kind.__name__}>"
        self._table = table
        # An object of a kind unknown here may give its rows only once without saying so, and
        # then the stream that told the columns is the only one there is.
        self._waiting: Any = (
            table
            if isinstance(table, pa.RecordBatchReader)
            else _open_stream(table.limit(0) if _is_relation(table) else table, name)
        )
        schema = self._waiting.schema
        if _is_relation(table):
            self._waiting = None
        self._is_spent = False
        self._n_rows_read: int | None = None
        n_rows = table.num_rows if isinstance(table, pa.Table | pa.RecordBatch) else None
        super().__init__(name, schema, n_rows)
        self.is_rereadable = not hasattr(table, "__next__")

    def _pieces(self, columns: list[str]) -> Iterator[Piece]:
        reader = self._open()
        row = self.first_row
        for records in reader:
            chosen = records.select(columns)
            for begin in range(0, max(chosen.num_rows, 1), BATCH_ROWS):
                batch = Batch(self, row, chosen.slice(begin, BATCH_ROWS))
                yield Piece(row, lambda batch=batch: [batch])  # type: ignore[misc]
                row += batch.records.num_rows
        n_rows = row - self.first_row
        if self._n_rows_read not in (None, n_rows):
            raise DataError(
                f"{self.name}: a second pass must give the rows of the first, found {n_rows:,} "
                f"instead of {self._n_rows_read:,}; hand over a table or files."
            )
        self._n_rows_read = n_rows

    def _open(self) -> Any:
        if self._is_spent and not self.is_rereadable:
            raise DataError(
                f"{self.name}: a reader can be read only once, and this needs two passes; hand "
                "over the table (`reader.read_all()`) or files."
            )
        self._is_spent = True
        reader, self._waiting = self._waiting, None
        return _open_stream(self._table, self.name) if reader is None else reader


def _open_stream(table: Any, name: str) -> Any:
    """Return a reader of the rows of a table.

    Raises
    ------
    ColumnError
        If a data frame has two columns of one name, or columns that Arrow can't hold.
    """
    try:
        return pa.RecordBatchReader.from_stream(table)
    except (pa.ArrowException, ValueError, TypeError) as error:
        check_names(name, [str(column) for column in getattr(table, "columns", ())])
        raise ColumnError(
            f"{name}: the columns can't be read as Arrow: {first_line(error)}; convert them, such "
            "as to text."
        ) from error


def _is_relation(table: Any) -> bool:
    """Tell a DuckDB relation, without importing DuckDB."""
    return type(table).__name__ == "DuckDBPyRelation"
