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

from .errors import DataError, ParameterError
from .postings import OrderedPostings

__all__ = ["FORMAT_VERSION", "HASH_VERSION", "read_index", "write_index"]

FORMAT_VERSION = 1
HASH_VERSION = 1  # of the number keys that columns stand for; see `chanfp.keys`
_FORMAT = "chanfp partner index"
_HEADER = "header.json"
_ARRAYS = ("order", "starts", "columns", "used", "offsets", "places")


def write_index(folder: Path, ids: pa.Array, postings: OrderedPostings) -> None:
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
        arrays = {name: pa.array(getattr(postings, name)) for name in _ARRAYS} | {"ids": ids}
        files = {}
        for name, array in arrays.items():
            path = unfinished / f"{name}.arrow"
            batch = pa.record_batch({name: array})
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
                writer.write_batch(batch)
            files[path.name] = {"bytes": path.stat().st_size, "sha256": _digest(path)}
        header = {
            "format": _FORMAT,
            "format_version": FORMAT_VERSION,
            "hash_version": HASH_VERSION,
            "n_rows": postings.n_rows,
            "n_cols": postings.n_cols,
            "n_entries": len(postings.places),
            "files": files,
        }
        (unfinished / _HEADER).write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")
        unfinished.chmod(0o755)
        os.rename(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def read_index(folder: Path, *, verify: bool) -> tuple[pa.Array, OrderedPostings]:
    """Return the ids and posting lists of a saved index, memory-mapped.

    Raises
    ------
    DataError
        If files are missing or damaged, or of a newer format or another hash version.
    """
    header = _read_header(folder)
    arrays = {}
    for name in (*_ARRAYS, "ids"):
        path = folder / f"{name}.arrow"
        known = header["files"].get(path.name, {})
        if not path.is_file() or path.stat().st_size != known.get("bytes"):
            raise DataError(f"{path} is missing or cut short; save the index anew.")
        if verify and _digest(path) != known.get("sha256"):
            raise DataError(f"{path} doesn't have the checksum of its header; save the index anew.")
        try:
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        except pa.ArrowInvalid as error:
            raise DataError(f"{path} is no Arrow file ({error}); save the index anew.") from error
        column = table.column(name)
        arrays[name] = column.chunk(0) if column.num_chunks else column.combine_chunks()
    ids = arrays.pop("ids")
    vectors: dict[str, Any] = {name: array.to_numpy() for name, array in arrays.items()}
    postings = OrderedPostings(**vectors, n_cols=header["n_cols"])
    if not _fits(header, ids, postings):
        raise DataError(f"The arrays in {folder} don't fit together; save the index anew.")
    return ids, postings


def _read_header(folder: Path) -> dict[str, Any]:
    path = folder / _HEADER
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        if header["format"] != _FORMAT:
            raise KeyError(_FORMAT)
        versions = header["format_version"], header["hash_version"]
        sizes = [header[name] for name in ("n_rows", "n_cols", "n_entries")]
        if not all(isinstance(value, int) for value in (*versions, *sizes)):
            raise TypeError("not a number")
        header["files"].items()
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


def _fits(header: dict[str, Any], ids: pa.Array, postings: OrderedPostings) -> bool:
    n_rows, n_entries = header["n_rows"], header["n_entries"]
    return (
        len(ids) == len(postings.order) == n_rows
        and len(postings.starts) == n_rows + 1
        and len(postings.columns) == len(postings.places) == n_entries
        and len(postings.used) == 2 * (header["n_cols"] // 64 + 1)
        and len(postings.offsets) > 0
        and int(postings.starts[-1]) == int(postings.offsets[-1]) == n_entries
        and postings.starts.dtype == postings.offsets.dtype == np.int64
        and postings.order.dtype == postings.places.dtype == np.int32
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
