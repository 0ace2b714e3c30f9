import numpy as np
import numpy.typing as npt

Offsets = npt.NDArray[np.int32] | npt.NDArray[np.int64]

def parse_times(
    offsets: Offsets,
    data: npt.NDArray[np.uint8],
    seconds: npt.NDArray[np.int64],
    status: npt.NDArray[np.uint8],
) -> None: ...
def parse_durations(
    offsets: Offsets, data: npt.NDArray[np.uint8], seconds: npt.NDArray[np.int32]
) -> None: ...
def scatter_calls(
    rows: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    seconds: npt.NDArray[np.int32],
    outgoing: npt.NDArray[np.uint8],
    cursor: npt.NDArray[np.int64],
    words: npt.NDArray[np.uint64],
) -> None: ...
def merge_calls(
    indptr: npt.NDArray[np.int64],
    words: npt.NDArray[np.uint64],
    start: int,
    stop: int,
    n_partners: npt.NDArray[np.int64],
    calls: npt.NDArray[np.int32],
    seconds: npt.NDArray[np.int64],
    outgoing: npt.NDArray[np.int32],
) -> None: ...
