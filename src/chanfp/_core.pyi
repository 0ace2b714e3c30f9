from typing import TypeAlias

import numpy as np
import numpy.typing as npt

_Offsets: TypeAlias = npt.NDArray[np.int32] | npt.NDArray[np.int64]

def parse_times(
    offsets: _Offsets,
    data: npt.NDArray[np.uint8],
    seconds: npt.NDArray[np.int64],
    status: npt.NDArray[np.uint8],
) -> None: ...
def parse_durations(
    offsets: _Offsets, data: npt.NDArray[np.uint8], seconds: npt.NDArray[np.int32]
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
def resolve_numbers(
    text: npt.NDArray[np.uint8],
    offsets: _Offsets,
    validity: npt.NDArray[np.uint8],
    first_bit: int,
    symbol_of_byte: npt.NDArray[np.uint8],
    transitions: npt.NDArray[np.uint16],
    code_of_state: npt.NDArray[np.uint8],
    modulus_of_state: npt.NDArray[np.uint64],
    base_of_state: npt.NDArray[np.uint64],
    missing_code: int,
    invalid_code: int,
    start: int,
    stop: int,
    keys: npt.NDArray[np.uint64],
    codes: npt.NDArray[np.uint8],
) -> None: ...
def hash_texts(
    text: npt.NDArray[np.uint8],
    offsets: _Offsets,
    validity: npt.NDArray[np.uint8],
    first_bit: int,
    key_low: int,
    key_high: int,
    missing_code: int,
    start: int,
    stop: int,
    keys: npt.NDArray[np.uint64],
    codes: npt.NDArray[np.uint8],
) -> None: ...
