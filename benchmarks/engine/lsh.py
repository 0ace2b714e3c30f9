"""Join by locality-sensitive hashing against rensa and datasketch, one thread.

    python benchmarks/engine/lsh.py [--new 50000] [--departed 200000] [--runs 5] [--shape hubs]
        [--no-peers] [--thresholds 0.3] [--recalls 0.95] [--seeds 20]

Jaccard >= 0.3 at a recall of 0.95. chanfp plans, signs, verifies and measures its recall within
the time. The peers get two rows per band and the fewest bands that find a pair right at the
threshold with a chance of 0.95, which is what chanfp holds itself to, too; with `--tune pairs` the
fewest with which the expected recall over the true pairs, as if their similarities were known
beforehand, is 0.95. rensa gets its hashes of the departed made beforehand, and its candidates
verified by a product of SciPy rows; once more without verifying. datasketch, unverified, gets a
part of both sides, scaled as if its work grew only with the rows. The report ends with chanfp's own
recall over twenty seeds, at least the stated one in nineteen of them, for each of the thresholds
and recalls asked for; `--no-peers` prints nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys

import numpy as np
from made_sets import SHAPES
from ratios import describe_machine, print_ratios
from scipy.sparse import csr_array

from chanfp import jaccard_join
from chanfp.lsh import lsh_join

MIN_JACCARD = 0.3
RECALL = 0.95
BAND_ROWS = 2
AIMS = {"rensa, verified": 15.0, "rensa": 0.0, "datasketch": 100.0}
PARTS = 40  # datasketch gets one


def tune_bands(jaccard: np.ndarray) -> int:
    """Return the fewest bands with which the expected recall over these pairs is reached."""
    n_bands = 1
    while np.mean(1 - (1 - jaccard**BAND_ROWS) ** n_bands) < RECALL:
        n_bands += 1
    return n_bands


def as_texts(matrix: csr_array) -> list[list[bytes]]:
    """Return the columns of each row as tokens."""
    return [
        [b"%d" % column for column in row] for row in np.split(matrix.indices, matrix.indptr[1:-1])
    ]


class Rensa:
    """Insert the departed, look all the new up, verify if wanted."""

    def __init__(self, new: csr_array, departed: csr_array, n_bands: int) -> None:
        import rensa

        self.sides = new, departed
        self.rensa, self.n_bands = rensa, n_bands
        self.new = as_texts(new)
        hashed = rensa.RMinHash.hash_token_sets(as_texts(departed))
        self.hashes = np.concatenate([np.array(row, dtype=np.uint64) for row in hashed])
        self.offsets = departed.indptr.astype(np.uint64)

    def find_candidates(self) -> list[list[int]]:
        """Return the departed rows that each new row meets."""
        rensa, n_slots = self.rensa, BAND_ROWS * self.n_bands
        index = rensa.RMinHashLSH(MIN_JACCARD, n_slots, self.n_bands)
        index.insert_matrix(
            rensa.RMinHash.digest_matrix_from_flat_token_hashes(
                self.hashes, self.offsets, n_slots, 1
            )
        )
        return index.query_all(rensa.RMinHash.from_token_sets(self.new, n_slots, 1))

    def find_pairs(self) -> int:
        """Return how many candidates are similar."""
        new, departed = self.sides
        answers = self.find_candidates()
        a_rows = np.repeat(np.arange(len(answers)), [len(found) for found in answers])
        b_rows = np.concatenate([np.array(found, dtype=np.int64) for found in answers])
        sizes = np.diff(new.indptr)[a_rows] + np.diff(departed.indptr)[b_rows]
        n_similar = 0
        for start in range(0, len(a_rows), 1 << 16):
            part = slice(start, start + (1 << 16))
            shared = new[a_rows[part]].multiply(departed[b_rows[part]]).sum(axis=1)
            n_similar += int(np.count_nonzero(shared / (sizes[part] - shared) >= MIN_JACCARD))
        return n_similar


class Datasketch:
    """Insert a part of the departed, look a part of the new up."""

    def __init__(self, new: csr_array, departed: csr_array, n_bands: int) -> None:
        self.n_bands = n_bands
        self.new, self.departed = (
            [row.tolist() for row in np.split(side.indices, side.indptr[1:-1])]
            for side in (new[: new.shape[0] // PARTS], departed[: departed.shape[0] // PARTS])
        )

    def find_candidates(self) -> list[list[int]]:
        """Return the departed rows that each new row meets."""
        from datasketch import MinHash, MinHashLSH

        n_slots = BAND_ROWS * self.n_bands
        index = MinHashLSH(num_perm=n_slots, params=(self.n_bands, BAND_ROWS))
        with index.insertion_session() as session:
            for row, signature in enumerate(
                MinHash.generator(self.departed, num_perm=n_slots, hashfunc=int)
            ):
                session.insert(row, signature, check_duplication=False)
        return [
            index.query(signature)
            for signature in MinHash.generator(self.new, num_perm=n_slots, hashfunc=int)
        ]


def check_recall(
    new: csr_array, departed: csr_array, min_jaccard: float, recall: float, n_seeds: int
) -> bool:
    """Print the recall of several seeds; True if at least 19 of 20 reach the stated one.

    The interval of the recall that each run measures ought to hold the true one as often.
    """
    n_true = len(jaccard_join(new, departed, min_jaccard, method="exact"))
    shares, n_reached, n_held = [], 0, 0
    for seed in range(n_seeds):
        pairs = lsh_join(new, departed, min_jaccard, recall, seed)
        share = len(pairs) / max(n_true, 1)
        low, high = pairs.measured_recall.interval
        shares.append(share)
        n_reached += share >= recall
        n_held += low <= share <= high
    print(
        f"jaccard >= {min_jaccard:g}, stated {recall:g}: {min(shares):.4f} to {max(shares):.4f} "
        f"over {n_seeds} seeds, reached in {n_reached}; interval held the truth in {n_held}; "
        f"{n_true:,} true pairs, {pairs.plan.bands.n_bands} bands of {pairs.plan.bands.band_rows}",
        flush=True,
    )
    return n_reached >= 0.95 * n_seeds


def compare(new: csr_array, departed: csr_array, wanted: argparse.Namespace) -> bool:
    """Run the peers in turn with chanfp; True if every aim is reached."""
    true = jaccard_join(new, departed, MIN_JACCARD, method="exact")
    n_bands = tune_bands(true.jaccard if wanted.tune == "pairs" else np.array([MIN_JACCARD]))
    print(f"{wanted.shape}: {len(true):,} true pairs; peers get {n_bands} bands of {BAND_ROWS}")
    rensa = Rensa(new, departed, n_bands)
    answers = rensa.find_candidates()
    n_found = sum(int(b in answers[a]) for a, b in zip(true.a_rows, true.b_rows, strict=True))
    print(f"  rensa's recall           {n_found / max(len(true), 1):.4f}")
    is_reached = True
    for peer, work, scale in (
        ("rensa, verified", rensa.find_pairs, 1),
        ("rensa", rensa.find_candidates, 1),
        ("datasketch", Datasketch(new, departed, n_bands).find_candidates, PARTS),
    ):
        print(f"against {peer}")
        ratio = print_ratios(
            lambda: lsh_join(new, departed, MIN_JACCARD, RECALL, 1, 1),
            work,
            n_runs=wanted.runs,
            aim=AIMS[peer],
            scale=scale,
        )
        is_reached = is_reached and ratio >= AIMS[peer]
    return is_reached


def main() -> int:
    """Run the comparisons; 0 if every aim is reached."""
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--new", type=int, default=50_000)
    parser.add_argument("--departed", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--shape", choices=SHAPES, default="hubs")
    parser.add_argument("--no-peers", action="store_true", help="only the recall over seeds")
    parser.add_argument("--thresholds", nargs="+", type=float, default=[MIN_JACCARD])
    parser.add_argument("--recalls", nargs="+", type=float, default=[RECALL])
    parser.add_argument("--tune", choices=["threshold", "pairs"], default="threshold")
    parser.add_argument("--seeds", type=int, default=20)
    wanted = parser.parse_args()
    print(describe_machine(*(() if wanted.no_peers else ("rensa", "datasketch"))))
    new, departed = SHAPES[wanted.shape](wanted.new, wanted.departed)
    is_reached = True if wanted.no_peers else compare(new, departed, wanted)
    for least in wanted.thresholds:
        for recall in wanted.recalls:
            is_reached &= check_recall(new, departed, least, recall, wanted.seeds)
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
