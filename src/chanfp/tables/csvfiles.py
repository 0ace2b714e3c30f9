"""CSV files: clean blocks at the speed of pyarrow's parser, dirty ones row by row."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from ..blocks import usable_threads
from .batches import NO_ROWS, Batch, Piece, Reject, TableSource
from .bytestreams import open_text, read_fully
from .fields import cut_records
from .layout import CsvLayout
from .lineblocks import MOST_ROW_BYTES, LineBlock, line_blocks
from .rescue import DirtyBlock, count_fields

__all__ = ["CsvSource"]

BLOCK_BYTES = 1 << 22
MOST_READ_AHEAD = 4
MOST_SPARE = 4
RAGGED = "ragged-row"


class CsvSource(TableSource):
    """A CSV file, plain or compressed; all of its columns are text, an empty field is "".

    Parameters
    ----------
    path : str
        The file.
    layout : CsvLayout
        Its encoding, delimiter and columns.
    partition : mapping, optional
        Columns told by the folder names.
    """

    first_row = 2

    def __init__(
        self, path: str, layout: CsvLayout, partition: Mapping[str, str | None] | None = None
    ) -> None:
        self.layout = layout
        schema = pa.schema([(name, pa.string()) for name in layout.names])
        super().__init__(path, schema, None, partition)

    def _pieces(self, columns: list[str]) -> Iterator[Piece]:
        with open_text(self.name, self.layout.encoding) as stream:
            read_fully(stream, self.layout.header_bytes)
            spare: deque[bytearray] = deque(maxlen=MOST_SPARE)
            for block in line_blocks(stream, self.first_row, BLOCK_BYTES, spare):
                yield Piece(block.first_line, partial(self._parse, block, columns, spare))

    def _sequence(self, columns: list[str]) -> Iterator[Batch]:
        """Yield batch by batch, while a few threads parse the next blocks already."""
        n_threads = min(usable_threads(None), MOST_READ_AHEAD)
        pool = ThreadPoolExecutor(n_threads, thread_name_prefix="chanfp-csv")
        in_flight: deque[Future[list[Batch]]] = deque()
        try:
            for unit in self.units(columns):
                in_flight.append(pool.submit(unit))
                if len(in_flight) > n_threads:
                    yield from in_flight.popleft().result()
            while in_flight:
                yield from in_flight.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _parse(self, block: LineBlock, columns: list[str], spare: deque[bytearray]) -> list[Batch]:
        parser, line = RecordParser(self.layout, columns), block.first_line
        is_safe = block.is_even and is_orderly(block.text, self.layout)
        if is_safe:
            records = cut_records(block.text, block.n_lines, self.layout, columns)
            if records is not None:
                spare.append(block.text)
                return [Batch(self, line, records)]
        parsed = parser.parse(block.text) if is_safe else None
        if parsed is None or parsed.n_rows != block.n_lines:
            return [self._parse_dirty(DirtyBlock(block.text, self.layout), parser, line)]
        rejects = [Reject(line + number, RAGGED, text) for number, text in parsed.ragged]
        numbers = np.array([number for number, _ in parsed.ragged], np.int64)
        missing = numbers - np.arange(len(numbers)) if rejects else NO_ROWS
        return [Batch(self, line, parsed.records, rejects, missing)]

    def _parse_dirty(self, dirty: DirtyBlock, parser: RecordParser, line: int) -> Batch:
        for clean in dirty.attempts():
            parsed = None if clean.is_open else parser.parse(clean.text)
            if parsed is not None and parsed.n_rows == len(clean.starts):
                break
        else:
            raise pa.ArrowInvalid("the lines after it can't be told apart")
        has_record = np.zeros(dirty.n_lines, bool)
        has_record[clean.starts] = True
        rejects = [Reject(line + at, reason, text) for at, reason, text in clean.rejects]
        for number, text in parsed.ragged:
            has_record[clean.starts[number]] = False
            rejects.append(Reject(line + int(clean.starts[number]), RAGGED, text))
        missing = np.cumsum(has_record)[~has_record]
        return Batch(self, line, parsed.records, sorted(rejects), missing)


@dataclass(frozen=True)
class ParsedText:
    """Records of a text, and index and text of each that has too few or too many fields."""

    records: pa.RecordBatch
    ragged: list[tuple[int, str]]

    @property
    def n_rows(self) -> int:
        """Records good and ragged."""
        return int(self.records.num_rows) + len(self.ragged)


class RecordParser:
    """pyarrow's CSV parser for a few columns of one layout."""

    def __init__(self, layout: CsvLayout, columns: list[str]) -> None:
        self._names = layout.names
        self._delimiter = layout.delimiter
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._convert = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=columns,
            strings_can_be_null=False,
            check_utf8=False,
        )

    def parse(self, text: bytes | bytearray) -> ParsedText | None:
        """Return the records of a text of valid UTF-8, or None if pyarrow refuses it."""
        ragged: list[tuple[int, str]] = []

        def set_aside(row: pa_csv.InvalidRow) -> str:
            ragged.append((row.number - 1, row.text))
            return "skip"

        if not text:
            return ParsedText(pa.RecordBatch.from_pylist([], schema=self._schema), ragged)
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(text),
                # One thread and one block, or the rows set aside would have no number.
                read_options=pa_csv.ReadOptions(
                    column_names=self._names, block_size=len(text) + 1, use_threads=False
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=self._delimiter, invalid_row_handler=set_aside
                ),
                convert_options=self._convert,
            )
        except pa.ArrowInvalid:
            return None
        batches = table.to_batches()
        if len(batches) > 1:
            batches = table.combine_chunks().to_batches()
        empty = pa.RecordBatch.from_pylist([], schema=self._schema)
        return ParsedText(batches[0] if batches else empty, ragged)


def is_orderly(block: bytearray, layout: CsvLayout) -> bool:
    """Return whether a block with an even number of quotes may be parsed as it is.

    No row is too long, no byte is NUL, the last line leaves no quote open, line ends are of one
    kind and the text is UTF-8. Then a parser finds as many rows as lines, or there is dirt.
    """
    half = MOST_ROW_BYTES // 2
    return (
        all(block.find(b"\n", at, at + half) >= 0 for at in range(0, len(block) - half, half))
        and 0 not in block
        and (b"\r" not in block or block.count(b"\r") == block.count(b"\r\n"))
        and count_fields(last_line_of(block), layout.delimiter.encode()) is not None
        and is_utf8(block)
    )


def last_line_of(block: bytearray) -> bytes:
    """Return the last line without its line feed."""
    return bytes(block[block.rfind(b"\n", 0, -1) + 1 : -1])


def is_utf8(block: bytearray) -> bool:
    """Return whether bytes are valid UTF-8; Arrow looks while other threads run."""
    buffers = [None, pa.py_buffer(np.array([0, len(block)], np.int64)), pa.py_buffer(block)]
    try:
        pa.Array.from_buffers(pa.large_string(), 1, buffers).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
