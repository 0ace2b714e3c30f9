"""A partner index on disk: one Arrow file per array, and a header that vouches for them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from .csr import index_dtype
from .errors import DataError, ParameterError
from .postings import OrderedPostings
from .segments import Segment

__all__ = ["FORMAT_VERSION", "HASH_VERSION", "read_index", "write_index"]

FORMAT_VERSION = 2  # 1 was one segment, its files beside the header
HASH_VERSION = 1  # of the number keys that columns stand for; see `chanfp.keys`
_FORMAT = "chanfp partner index"
_HEADER = "header.json"
_ARRAYS = ("order", "starts", "columns", "used", "offsets", "places")


def write_index(folder: Path, segments: tuple[Segment, ...]) -> None:
    """Write an index into a new folder, which appears complete or not at all.

    Raises
    ------
    ParameterError
        If the folder exists already.
    """
    if folder.exists():
        raise ParameterError(
            f"`folder` must not exist yet, got {folder}; remove it or take another."
        )
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        header = {
            "format": _FORMAT,
            "format_version": FORMAT_VERSION,
            "hash_version": HASH_VERSION,
            "n_rows": sum(segment.n_rows for segment in segments),
            "n_cols": segments[0].postings.n_cols,
            "segments": [
                _write_segment(unfinished / _segment_name(number), segment)
                for number, segment in enumerate(segments)
            ],
        }
        (unfinished / _HEADER).write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")
        unfinished.chmod(0o755)
        os.rename(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def read_index(folder: Path, *, verify: bool) -> tuple[Segment, ...]:
    """Return the segments of a saved index, memory-mapped.

    Raises
    ------
    DataError
        If files are missing or damaged, or of a newer format or another hash version.
    """
    header = _read_header(folder)
    is_first = header["format_version"] == 1
    segments = tuple(
        _read_segment(
            folder if is_first else folder / _segment_name(number),
            known,
            header["n_cols"],
            verify=verify,
        )
        for number, known in enumerate(header["segments"])
    )
    types = {segment.ids.type for segment in segments}
    if len(types) != 1 or sum(segment.n_rows for segment in segments) != header["n_rows"]:
        raise DataError(f"The segments in {folder} don't fit together; save the index anew.")
    return segments


def _segment_name(number: int) -> str:
    return f"segment-{number}"


def _write_segment(folder: Path, segment: Segment) -> dict[str, Any]:
    """Write a segment's arrays, one file each, and return what the header says of it."""
    folder.mkdir()
    postings = segment.postings
    arrays = {name: pa.array(getattr(postings, name)) for name in _ARRAYS} | {"ids": segment.ids}
    if segment.dead is not None:
        arrays["dead"] = pa.array(segment.dead)
    files = {}
    for name, array in arrays.items():
        path = folder / f"{name}.arrow"
        batch = pa.record_batch({name: array})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        files[path.name] = {"bytes": path.stat().st_size, "sha256": _digest(path)}
    return {
        "n_rows": postings.n_rows,
        "n_dead": segment.n_dead,
        "n_entries": len(postings.places),
        "files": files,
    }


def _read_segment(folder: Path, known: dict[str, Any], n_cols: int, *, verify: bool) -> Segment:
    """Return a segment of which the header knows sizes and files."""
    arrays = {
        name: _read_array(folder / f"{name}.arrow", known["files"], name, verify=verify)
        for name in (*_ARRAYS, "ids")
    }
    ids = arrays.pop("ids")
    vectors: dict[str, Any] = {name: array.to_numpy() for name, array in arrays.items()}
    dead = None
    if known.get("n_dead"):
        bits = _read_array(folder / "dead.arrow", known["files"], "dead", verify=verify)
        dead = bits.to_numpy(zero_copy_only=False)
    segment = Segment(ids, OrderedPostings(**vectors, n_cols=n_cols), dead)
    if not _fits(known, segment):
        raise DataError(f"The arrays in {folder} don't fit together; save the index anew.")
    return segment


def _read_array(path: Path, files: dict[str, Any], name: str, *, verify: bool) -> pa.Array:
    """Return the one column of a file, memory-mapped."""
    known = files.get(path.name, {})
    if not path.is_file() or path.stat().st_size != known.get("bytes"):
        raise DataError(f"{path} is missing or cut short; save the index anew.")
    if verify and _digest(path) != known.get("sha256"):
        raise DataError(f"{path} doesn't have the checksum of its header; save the index anew.")
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is no Arrow file ({error}); save the index anew.") from error
    column = table.column(name)
    return column.chunk(0) if column.num_chunks else column.combine_chunks()


def _read_header(folder: Path) -> dict[str, Any]:
    """Return the header of a version that can be read, in the form of the newest one."""
    path = folder / _HEADER
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        if header["format"] != _FORMAT:
            raise KeyError(_FORMAT)
        versions = header["format_version"], header["hash_version"]
        _check_counts(*versions)
        if versions[0] == 1:
            header["segments"] = [header]
        if versions[0] <= FORMAT_VERSION:
            _check_sizes(header)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not the header of a partner index ({error}).") from error
    if versions[0] > FORMAT_VERSION:
        raise DataError(
            f"{path} has format version {versions[0]}, this chanfp reads up to {FORMAT_VERSION}; "
            f"install a newer one."
        )
    if versions[1] != HASH_VERSION:
        raise DataError(
            f"{path} has hash version {versions[1]}, this chanfp has {HASH_VERSION}; "
            f"build the index anew."
        )
    return header  # type: ignore[no-any-return]


def _check_sizes(header: dict[str, Any]) -> None:
    """Raise what says that a header isn't one, unless it has all that is read later."""
    _check_counts(header["n_rows"], header["n_cols"])
    if not header["segments"]:
        raise ValueError("no segments")
    for known in header["segments"]:
        _check_counts(known["n_rows"], known["n_entries"], known.get("n_dead", 0))
        known["files"].items()


def _check_counts(*values: object) -> None:
    if not all(isinstance(value, int) and value >= 0 for value in values):
        raise TypeError("not a whole number")


def _fits(known: dict[str, Any], segment: Segment) -> bool:
    n_rows, n_entries, postings = known["n_rows"], known["n_entries"], segment.postings
    return (
        len(segment.ids) == len(postings.order) == n_rows
        and len(postings.starts) == n_rows + 1
        and len(postings.columns) == len(postings.places) == n_entries
        and len(postings.used) == 2 * (postings.n_cols // 64 + 1)
        and len(postings.offsets) > 0
        and int(postings.starts[-1]) == int(postings.offsets[-1]) == n_entries
        and postings.starts.dtype == postings.offsets.dtype == np.int64
        and postings.order.dtype == postings.places.dtype == np.int32
        and postings.columns.dtype == index_dtype(postings.n_cols)
        and (segment.dead is None or len(segment.dead) == n_rows)
        and segment.n_dead == known.get("n_dead", 0)
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
