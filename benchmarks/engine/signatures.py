"""MinHash signatures against rensa and datasketch, one thread.

    python benchmarks/engine/signatures.py [--rows 200000] [--runs 5] [--hashes 128]

Sets of 30 partners on average. rensa gets its one flat call over 64-bit hashes, made beforehand;
datasketch gets lists of Python integers, made beforehand, with `int` for a hash function, its best
call, and once more bytes to hash as it does by default; both on a part of the sets, scaled. chanfp
gets its checked rows, and once more, "from SciPy", a matrix that it has to check first. Every
instruction set that the machine has is measured.
"""

from __future__ import annotations

import argparse
import os
import sys

import numpy as np
from made_sets import make_hub_sets
from ratios import describe_machine, print_ratios

import chanfp
from chanfp import _core
from chanfp.csr import check_csr

AIMS = {"rensa": 5.0, "datasketch": 250.0, "datasketch that hashes": 250.0}
DATASKETCH_SETS = 2000


def main() -> int:
    """Run the comparisons; 0 if the fastest instruction set reaches every aim."""
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    import datasketch
    import rensa

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--hashes", type=int, default=128)
    wanted = parser.parse_args()
    print(describe_machine("rensa", "datasketch"))
    _, matrix = make_hub_sets(1, wanted.rows)
    rows = check_csr(matrix, "matrix", with_values=False)
    hashes, offsets = rows.indices.astype(np.uint64), rows.indptr.astype(np.uint64)
    n_part = min(DATASKETCH_SETS, wanted.rows)
    lists = [part.tolist() for part in np.split(rows.indices, rows.indptr[1:-1])[:n_part]]

    texts = [[str(column).encode() for column in row] for row in lists]

    def run_rensa() -> object:
        return rensa.RMinHash.digest_matrix_from_flat_token_hashes(
            hashes, offsets, wanted.hashes, 1
        )

    def run_datasketch() -> object:
        return datasketch.MinHash.bulk(lists, num_perm=wanted.hashes, hashfunc=int)

    def run_datasketch_hashing() -> object:
        return datasketch.MinHash.bulk(texts, num_perm=wanted.hashes)

    is_reached = True
    for backend in _core.usable_backends():
        os.environ["CHANFP_BACKEND"] = backend
        for source, sets in (("checked rows", rows), ("from SciPy", matrix)):

            def run_chanfp(sets: object = sets) -> object:
                return chanfp.minhash(sets, wanted.hashes, n_threads=1)

            for peer, work, scale in (
                ("rensa", run_rensa, 1.0),
                ("datasketch", run_datasketch, wanted.rows / n_part),
                ("datasketch that hashes", run_datasketch_hashing, wanted.rows / n_part),
            ):
                print(f"{backend}, {source}, {wanted.rows:,} sets, against {peer}")
                ratio = print_ratios(
                    run_chanfp, work, n_runs=wanted.runs, aim=AIMS[peer], scale=scale
                )
                if backend == _core.usable_backends()[0] and source == "checked rows":
                    is_reached = is_reached and ratio >= AIMS[peer]
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
