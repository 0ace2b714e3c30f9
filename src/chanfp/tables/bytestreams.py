"""Bytes of text files: decompressed, and turned into UTF-8, without holding the file."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa

__all__ = ["UTF8", "open_bytes", "open_text", "read_fully", "read_into"]

UTF8 = "utf-8"
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
TRANSCODE_BYTES = 1 << 20
# What stands for undecodable bytes. It is no valid UTF-8, so that the row is found and rejected.
BAD_BYTES = "\udcff"

codecs.register_error("chanfp.bad-bytes", lambda error: (BAD_BYTES, error.end))  # type: ignore


@contextmanager
def open_bytes(path: str) -> Iterator[Any]:
    """Open a file for reading, decompressed by its suffix (``.gz``, ``.zst``).

    The stream has ``readinto``. A cut or corrupt file raises OSError while it is read.
    """
    with open(path, "rb", buffering=0) as raw:
        for suffix, compression in COMPRESSIONS.items():
            if path.lower().endswith(suffix):
                with pa.CompressedInputStream(pa.PythonFile(raw, "r"), compression) as stream:
                    yield stream
                return
        yield raw


@contextmanager
def open_text(path: str, encoding: str) -> Iterator[Any]:
    """Open a text file for reading as UTF-8; undecodable bytes become invalid UTF-8."""
    with open_bytes(path) as stream:
        yield stream if encoding == UTF8 else Utf8Stream(stream, encoding)


class Utf8Stream(io.RawIOBase):
    """A text stream in another encoding, read as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("chanfp.bad-bytes")
        self._ready = memoryview(b"")
        self._is_ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill a buffer as far as text is ready; 0 at the end."""
        while not self._ready and not self._is_ended:
            raw = self._stream.read(TRANSCODE_BYTES)
            self._is_ended = not raw
            text = self._decoder.decode(raw, self._is_ended)
            self._ready = memoryview(text.encode(UTF8, "surrogatepass"))
        n_bytes = min(len(target), len(self._ready))
        target[:n_bytes] = self._ready[:n_bytes]
        self._ready = self._ready[n_bytes:]
        return n_bytes


def read_into(stream: Any, target: memoryview) -> int:
    """Fill a buffer from a stream; return fewer bytes than fit only at its end."""
    n_read = 0
    while n_read < len(target):
        n_more = stream.readinto(target[n_read:])
        if not n_more:
            break
        n_read += n_more
    return n_read


def read_fully(stream: Any, n_bytes: int) -> bytes:
    """Return the next bytes of a stream, fewer only at its end."""
    found = bytearray(n_bytes)
    with memoryview(found) as target:
        n_read = read_into(stream, target)
    return bytes(found[:n_read])
