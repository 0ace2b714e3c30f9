"""The layout of a CSV file, found out from its first megabyte: encoding, delimiter, header."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from ..errors import DataError, ParameterError
from .bytestreams import UTF8, open_bytes, open_text, read_fully
from .columns import check_names, first_line

__all__ = ["CsvLayout", "check_delimiter", "check_encoding"]

DELIMITERS = (",", ";", "\t", "|")
HEAD_BYTES = 1 << 20
MOSTLY = 0.9
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: UTF8, codecs.BOM_UTF16_LE: "utf-16",
                    codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip
# GB 18030 holds all of the older standards.
SUPERSETS = {"gbk": "gb18030", "gb2312": "gb18030", "utf-8-sig": UTF8, "ascii": UTF8}


@dataclass(frozen=True)
class CsvLayout:
    """How to read one CSV file.

    Parameters
    ----------
    encoding : str
        A Python codec.
    delimiter : str
        One character.
    names : list of str
        The columns.
    header_bytes : int
        Length of the header, with byte-order mark and line end, once turned into UTF-8.
    """

    encoding: str
    delimiter: str
    names: list[str]
    header_bytes: int

    @classmethod
    def of(cls, path: str, encoding: str | None = None, delimiter: str | None = None) -> CsvLayout:
        """Find out the layout of a file; what is given is not guessed.

        The encoding is UTF-8, else GB 18030, if the text or nearly all of it is valid in it; a
        byte-order mark settles it (`detect_encoding` tells the rule). The delimiter is the one of
        ``, ; tab |`` that gives the header the most columns.

        Raises
        ------
        DataError
            If there is no header, or the text is in neither encoding.
        """
        with _reading_head(path, encoding):
            if encoding is None:
                with open_bytes(path) as file:
                    encoding = detect_encoding(path, read_fully(file, HEAD_BYTES))
            with open_text(path, encoding) as file:
                head = read_fully(file, HEAD_BYTES)
            line, newline, _ = head.partition(b"\n")
            header = line.decode()
        if not newline and len(head) == HEAD_BYTES:
            raise DataError(
                f"{path}, row 1: a header with column names is needed, found a first line of more "
                f"than {HEAD_BYTES:,} bytes; export it again."
            )
        header = header.removeprefix("\ufeff").removesuffix("\r")
        if "\r" in header:
            raise DataError(
                f"{path}, row 1: lines must end in \\n or \\r\\n, found \\r alone; convert it."
            )
        delimiter = _detect_delimiter(header) if delimiter is None else delimiter
        names = _split_header(path, header, delimiter)
        return cls(encoding, delimiter, names, len(line) + len(newline))


@contextmanager
def _reading_head(path: str, encoding: str | None) -> Iterator[None]:
    """Turn what goes wrong while a header is read into one line."""
    try:
        yield
    except UnicodeError as error:
        tried = "UTF-8, GB18030 or UTF-16" if encoding is None else encoding
        raise DataError(
            f"{path}: the beginning of the file is no text in {tried}; export it again as UTF-8 "
            "(of CDRs another encoding can be named with `encoding`)."
        ) from error
    except (pa.ArrowException, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise DataError(
            f"{path}: damaged at its beginning: {first_line(error)}; export or copy the file again."
        ) from error


def detect_encoding(path: str, head: bytes) -> str:
    """Return the encoding of a text by its first megabyte.

    A byte-order mark settles it. Else it is UTF-8, or if not, GB 18030, if the whole text is valid
    in it. A file may also hold a few lines in another encoding, which are rejected one by one
    later. So it will do if a header with bytes beyond ASCII is valid, or, under a header that is
    ASCII, nine in ten of the lines that have such bytes.

    Raises
    ------
    DataError
        If it is neither UTF-8 nor GB 18030, nor marked as UTF-16.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    is_whole = len(head) < HEAD_BYTES
    for encoding in (UTF8, "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            decoder.decode(head, is_whole)
        except UnicodeDecodeError as error:
            fault = error
            if _is_mostly(head, encoding):
                return encoding
        else:
            return encoding
    raise DataError(
        f"{path}: text must be UTF-8, GB18030, or UTF-16 with a byte-order mark, found byte "
        f"0x{fault.object[fault.start]:02x} near position {fault.start:,} that none of them "
        "allows there; export it again as UTF-8 (of CDRs another encoding can be named with "
        "`encoding`)."
    )


def _is_mostly(head: bytes, encoding: str) -> bool:
    """Return whether the header is in an encoding or, if it is ASCII, nearly all lines are."""
    header, *lines = head.split(b"\n")
    if not header.isascii():
        return _is_valid(header, encoding)
    # The last one may be cut off.
    voters = [line for line in lines[:-1] if not line.isascii()]
    n_valid = sum(_is_valid(line, encoding) for line in voters)
    return n_valid > 0 and n_valid >= MOSTLY * len(voters)


def _is_valid(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def check_encoding(encoding: str | None) -> str | None:
    """Return the codec for an encoding named by a user; None stays None.

    Raises
    ------
    ParameterError
        If there is no such encoding of text.
    """
    if encoding is None:
        return None
    try:
        "".encode(encoding)
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise ParameterError(
            f"`encoding` must be an encoding of text that Python knows, got {encoding!r}; leave it "
            "out to detect UTF-8, GB18030 and UTF-16."
        ) from error
    return SUPERSETS.get(name, name)


def check_delimiter(delimiter: str | None) -> str | None:
    """Return a delimiter given by a user; None stays None.

    Raises
    ------
    ParameterError
        If it isn't one ASCII character that may stand between fields.
    """
    if delimiter is None:
        return None
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise ParameterError(
            f"`delimiter` must be one ASCII character and no quote or line end, got {delimiter!r}; "
            "leave it out to detect comma, semicolon, tab and bar."
        )
    return delimiter


def _detect_delimiter(header: str) -> str:
    counts = [len(next(csv.reader([header], delimiter=sign), [])) for sign in DELIMITERS]
    return DELIMITERS[counts.index(max(counts))]


def _split_header(path: str, header: str, delimiter: str) -> list[str]:
    names = next(csv.reader([header], delimiter=delimiter), [])
    if not any(name.strip() for name in names):
        raise DataError(f"{path}, row 1: a header with column names is needed, found none.")
    check_names(f"{path}, row 1", names)
    return names
