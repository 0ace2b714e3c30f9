"""Sparse tables for tests: made by hypothesis, and laid down in every form a caller may bring."""

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from chanfp.csr import SparseRows

KINDS = ["csr_matrix", "csr_array", "int64", "memmap"]


def tables(n_cols, *, max_rows=9, calls=None):
    """Rows as dicts, {column: calls}: few columns, so that rows overlap, repeat and tie."""
    if calls is None:
        calls = st.one_of(st.integers(1, 4).map(float), st.floats(1e-3, 1e6))
    if n_cols == 0:
        return st.lists(st.just({}), max_size=max_rows)
    row = st.dictionaries(st.integers(0, n_cols - 1), calls, max_size=n_cols)
    return st.lists(row, max_size=max_rows).map(
        lambda rows: [dict(sorted(row.items())) for row in rows]
    )


@st.composite
def pairs_of_tables(draw):
    """Two tables over the same columns, with a rarity for each column."""
    n_cols = draw(st.integers(0, 12))
    weights = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1e3))
    rarity = draw(st.lists(weights, min_size=n_cols, max_size=n_cols))
    return draw(tables(n_cols)), draw(tables(n_cols, max_rows=40)), rarity


def pack(rows, n_cols):
    """Make checked rows out of dicts."""
    indptr = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in rows], out=indptr[1:])
    indices = np.array([column for row in rows for column in row], dtype=np.int32)
    values = np.array([calls for row in rows for calls in row.values()], dtype=np.float64)
    return SparseRows(indptr, indices, values, n_cols)


def widen(rows):
    """Give rows 64-bit columns, as a universe of more than 2**31 - 1 columns has."""
    object.__setattr__(rows, "indices", rows.indices.astype(np.int64))
    return rows


def as_matrix(rows, kind="csr_array", folder=None):
    """Make a SciPy matrix of one of `KINDS` out of checked rows."""
    wide = np.int64 if kind == "int64" else np.int32
    arrays = [rows.values, rows.indices.astype(wide), rows.indptr.astype(wide)]
    if kind == "memmap":
        arrays = [read_only_map(array, folder / f"{i}.bin") for i, array in enumerate(arrays)]
    make = sparse.csr_matrix if kind == "csr_matrix" else sparse.csr_array
    matrix = make((len(rows.indptr) - 1, rows.n_cols), dtype=np.float64)
    matrix.data, matrix.indices, matrix.indptr = arrays
    return matrix


def read_only_map(array, path):
    array.tofile(path)
    return np.memmap(path, dtype=array.dtype, mode="r", shape=array.shape)


def random_rows(rng, n_rows, n_cols, mean_size):
    """Rows of random columns with one to nine calls each."""
    sizes = np.minimum(rng.poisson(mean_size, n_rows), n_cols)
    columns = [np.sort(rng.choice(n_cols, size, replace=False)) for size in sizes]
    return pack([{int(c): float(rng.integers(1, 10)) for c in row} for row in columns], n_cols)
