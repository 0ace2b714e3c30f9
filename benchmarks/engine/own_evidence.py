"""Evidence of one's own against the built-in columns and a loop in Python, one thread.

    python benchmarks/engine/own_evidence.py [--new 20000] [--departed 200000] [--pairs 1000000]
        [--runs 5]

The function is the Jaccard index, written once and compiled by numba. Nanoseconds per pair of
processor time, all in turn in each run; the Python loop gets a hundredth of the pairs, as lists.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median

import numpy as np
import numpy.typing as npt
from made_sets import make_hub_sets
from numba import cfunc, types
from ratios import describe_machine, seconds, spread
from scipy.sparse import csr_array

from chanfp import measure_pairs

LOOPED_SHARE = 100


def jaccard(new_partners, new_calls, n_new, old_partners, old_calls, n_old, user_data):
    """Merge two ascending rows."""
    i = j = shared = 0
    while i < n_new and j < n_old:
        if new_partners[i] < old_partners[j]:
            i += 1
        elif new_partners[i] > old_partners[j]:
            j += 1
        else:
            shared += 1
            i += 1
            j += 1
    union = n_new + n_old - shared
    return shared / union if union > 0 else np.nan


def compile_for(partner: types.Type) -> object:
    """Compile the function for 32- or 64-bit partners."""
    row = (types.CPointer(partner), types.CPointer(types.float64), types.int64)
    return cfunc(types.float64(*row, *row, types.voidptr))(jaccard)


def loop(
    new: csr_array,
    departed: csr_array,
    new_rows: npt.NDArray[np.int64],
    departed_rows: npt.NDArray[np.int64],
) -> list[float]:
    """Call the Python function pair by pair."""
    found = []
    for i, j in zip(new_rows, departed_rows, strict=True):
        one = new.indices[new.indptr[i] : new.indptr[i + 1]].tolist()
        other = departed.indices[departed.indptr[j] : departed.indptr[j + 1]].tolist()
        found.append(jaccard(one, None, len(one), other, None, len(other), None))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--new", type=int, default=20_000)
    parser.add_argument("--departed", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    wanted = parser.parse_args()
    new, departed = (m.astype(np.float64) for m in make_hub_sets(wanted.new, wanted.departed))
    rng = np.random.default_rng(1)
    new_rows = np.sort(rng.integers(0, wanted.new, wanted.pairs))
    departed_rows = rng.integers(0, wanted.departed, wanted.pairs)
    rarity = np.ones(new.shape[1])

    def measure(**own: object) -> Callable[[], object]:
        return lambda: measure_pairs(
            new, departed, new_rows, departed_rows, partner_rarity=rarity, n_threads=1,
            own_evidence=own,
        )  # fmt: skip

    few = slice(0, wanted.pairs, LOOPED_SHARE)
    works = {
        "built-in columns": measure(),
        "and own, 32 bit": measure(mine=compile_for(types.int32)),
        "and own, 64 bit": measure(mine=compile_for(types.int64)),
        "Python loop": lambda: loop(new, departed, new_rows[few], departed_rows[few]),
    }
    evidence = works["and own, 64 bit"]()
    if evidence.own["mine"].tobytes() != evidence.jaccard.tobytes():
        raise SystemExit("the compiled function and the built-in one differ")
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(wanted.runs):
        for name, work in works.items():
            n_pairs = len(range(*few.indices(wanted.pairs))) if "loop" in name else wanted.pairs
            times[name].append(1e9 * seconds(work)[1] / n_pairs)
    print(describe_machine("numba"))
    for name, found in times.items():
        print(f"{name:18} {spread(found, 1)} ns per pair")
    alone = [
        a - b for a, b in zip(times["and own, 32 bit"], times["built-in columns"], strict=True)
    ]
    ratio = median(a / b for a, b in zip(times["Python loop"], alone, strict=True))
    print(f"own, 32 bit, alone {spread(alone, 1)} ns per pair; Python loop {ratio:.0f} x")


if __name__ == "__main__":
    main()
