from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Offsets: TypeAlias = NDArray[np.int32] | NDArray[np.int64]

def resolve_numbers(
    text: NDArray[np.uint8],
    offsets: _Offsets,
    validity: NDArray[np.uint8],
    first_bit: int,
    symbol_of_byte: NDArray[np.uint8],
    transitions: NDArray[np.uint16],
    code_of_state: NDArray[np.uint8],
    modulus_of_state: NDArray[np.uint64],
    base_of_state: NDArray[np.uint64],
    missing_code: int,
    invalid_code: int,
    start: int,
    stop: int,
    keys: NDArray[np.uint64],
    codes: NDArray[np.uint8],
) -> None: ...
def hash_texts(
    text: NDArray[np.uint8],
    offsets: _Offsets,
    validity: NDArray[np.uint8],
    first_bit: int,
    key_low: int,
    key_high: int,
    missing_code: int,
    start: int,
    stop: int,
    keys: NDArray[np.uint64],
    codes: NDArray[np.uint8],
) -> None: ...
