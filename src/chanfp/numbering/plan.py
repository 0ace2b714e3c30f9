"""Numbering plans: phone numbers as typed, sent or logged, to 64-bit keys and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .. import _core
from ..blocks import Progress
from ..errors import ParameterError
from ..keys import KeyTable
from ..text import TextBuffers
from . import worldwide
from .automaton import Automaton, compile_families, symbol_of_byte
from .grammar import build_families, default_verdict
from .hashes import sample_ids
from .reasons import CODES, FAULT_REASONS, REASONS, UNRESOLVED
from .rulebook import load_rulebook, load_world
from .texts import text_chunks

__all__ = ["OPAQUE", "NumberingPlan"]

OPAQUE = "opaque"
DEFAULT_KEY = b"chanfp-opaque-id"
CACHED_TEXTS = 1_000_000
PROGRESS_STEP = 1_000

Keys = NDArray[np.uint64]
Codes = NDArray[np.uint8]


class NumberingPlan:
    """The numbering plan of one region, or of ids that aren't phone numbers.

    Parameters
    ----------
    region : str
        ISO 3166 code of the country the records come from (``"CN"``, ``"GB"``, ...), or
        ``"opaque"`` for hashed or otherwise non-numeric ids, which are told apart but not read.
    area_code : str, optional
        Where landlines typed without an area code belong, with or without the trunk prefix
        (``"010"`` or ``"10"``). Without it they have the reason ``no-area-code``.
    key : bytes, optional
        16 secret bytes for the keyed hash of an opaque plan; default ``b"chanfp-opaque-id"``.
        Whoever knows the key can find the id behind a 64-bit key by trying.

    Raises
    ------
    ParameterError
        If the region or area code doesn't exist, or the key isn't 16 bytes.

    Notes
    -----
    A key is the E.164 number as an integer (+86 139 1234 5678 is 8613912345678), so it is below
    10**15 and every spelling of a number has the same key. Key 0 means that there is no ordinary
    number; the reason says why. Opaque keys use all 64 bits (SipHash-2-4, Aumasson and Bernstein
    2012, of the UTF-8 text without outer ASCII white space; 0 becomes 1).

    China is read by compiled rules alone (tens of nanoseconds a number). Elsewhere compiled rules
    come first and phonenumbers answers for the rest, once per distinct text; the last million
    answers are kept.

    A plan may be shared by threads and pickled; the same text always has the same result.

    Examples
    --------
    >>> plan = NumberingPlan("CN")
    >>> keys, codes = plan.resolve(["139-1234-5678", "0086 13912345678", "10086", None])
    >>> plan.format(keys)
    ['+8613912345678', '+8613912345678', '', '']
    >>> [plan.reasons[code] for code in codes]
    ['', '', 'operator-hotline', 'missing']
    """

    def __init__(
        self, region: str, *, area_code: str | None = None, key: bytes | None = None
    ) -> None:
        self._region = OPAQUE if region.lower() == OPAQUE else region.upper()
        self._area_code = _checked_area_code(self._region, area_code)
        self._key = _checked_key(self._region, key)
        self._placeholder_keys: KeyTable | None = None
        if self.is_opaque:
            self._placeholder_keys = self._hash_placeholders()
        else:
            self._automaton = _automaton_of(self._region, self._area_code)
            self._ask_worldwide = lru_cache(CACHED_TEXTS)(self._resolve_worldwide)

    @property
    def region(self) -> str:
        """Region code in upper case, or ``"opaque"``."""
        return self._region

    @property
    def is_opaque(self) -> bool:
        """Whether ids are told apart only: hashed or made-up ones."""
        return self._region == OPAQUE

    @property
    def area_code(self) -> str | None:
        """Where landlines without an area code belong, without the trunk prefix."""
        return self._area_code

    @property
    def reasons(self) -> tuple[str, ...]:
        """Names of the reason codes, the same for every region; the first is ``""``, ordinary."""
        return REASONS

    @property
    def fault_reasons(self) -> frozenset[str]:
        """Reasons that make a row unusable; every other one is a partner to be filtered."""
        return FAULT_REASONS

    def resolve(self, numbers: Any, *, progress: Progress | None = None) -> tuple[Keys, Codes]:
        """Return key and reason of every number, in one pass.

        Parameters
        ----------
        numbers : sequence of str or None, numpy array of text, pyarrow Array or ChunkedArray
            Any Arrow text type, dictionaries of text and anything that speaks the Arrow C data or
            stream interface too.
        progress : callable, optional
            Called as ``progress("numbering", done, total)`` over the distinct texts that
            phonenumbers is asked about.

        Returns
        -------
        keys : uint64 array, one per number
            0 where the number isn't ordinary.
        codes : uint8 array, one per number
            Indices into `reasons`.

        Raises
        ------
        ColumnError
            If the numbers aren't text.
        """
        chunks = text_chunks(numbers)
        n_rows = sum(len(chunk) for chunk in chunks)
        keys, codes = np.zeros(n_rows, np.uint64), np.zeros(n_rows, np.uint8)
        begin = 0
        for chunk in chunks:
            end = begin + len(chunk)
            self._resolve_chunk(chunk, keys[begin:end], codes[begin:end], progress)
            begin = end
        return keys, codes

    def normalise(self, numbers: Any) -> Keys:
        """Return the key of every number, 0 where there is no ordinary number; see `resolve`."""
        return self.resolve(numbers)[0]

    def classify(self, numbers: Any) -> NDArray[np.object_]:
        """Return the reason of every number as an object array of str; see `resolve`."""
        reasons: NDArray[np.object_] = np.array(REASONS, object)[self.resolve(numbers)[1]]
        return reasons

    def format(self, keys: Sequence[int] | Keys) -> list[str]:
        """Return keys as text: ``+8613912345678``, ``#0123456789abcdef`` (opaque), ``""`` for 0.

        ``plan.normalise(plan.format(keys))`` gives the keys back.
        """
        values = np.asarray(keys, np.uint64).tolist()
        if self.is_opaque:
            return [f"#{key:016x}" if key else "" for key in values]
        return [
            f"+{key}" if 0 < key < worldwide.KEY_LIMIT else f"#{key:016x}" if key else ""
            for key in values
        ]

    def looks_opaque(self, numbers: Any) -> float:
        """Return the share of values that look like hashes and not like numbers, 0 to 1.

        Such a value has at least 8 signs, letters and digits mixed, and no blank. The first
        10,000 values that aren't null or empty are looked at; 0 where there are none. A share
        strictly between 0 and 1 means that a column mixes hashed and plain numbers (a few parts
        in a hundred may be the names of SMS senders); near 1, use the region ``"opaque"``.

        Raises
        ------
        ColumnError
            If the numbers aren't text.
        """
        sample = sample_ids(numbers)
        return sample.n_hashed / sample.n if sample.n else 0.0

    def _resolve_chunk(
        self, chunk: pa.Array, keys: Keys, codes: Codes, progress: Progress | None
    ) -> None:
        if pa.types.is_null(chunk.type):
            codes[:] = CODES["missing"]
        elif pa.types.is_dictionary(chunk.type) and len(chunk.dictionary) > len(chunk):
            # A slice of a long column: most of its dictionary stands in other slices.
            texts = text_chunks(chunk.dictionary_decode())[0]
            self._resolve_chunk(texts, keys, codes, progress)
        elif pa.types.is_dictionary(chunk.type):
            values = text_chunks(chunk.dictionary)[0]
            # One slot more, for rows whose index is null.
            value_keys = np.zeros(len(values) + 1, np.uint64)
            value_codes = np.full(len(values) + 1, CODES["missing"], np.uint8)
            self._resolve_chunk(values, value_keys[:-1], value_codes[:-1], progress)
            rows = pc.fill_null(chunk.indices.cast(pa.int64()), len(values)).to_numpy()
            keys[:], codes[:] = value_keys[rows], value_codes[rows]
        elif self.is_opaque:
            self._hash(TextBuffers.of(chunk), keys, codes)
        else:
            self._walk(TextBuffers.of(chunk), keys, codes)
            self._settle_rest(chunk, keys, codes, progress)

    def _hash(self, column: TextBuffers, keys: Keys, codes: Codes) -> None:
        low, high = (int.from_bytes(half, "little") for half in (self._key[:8], self._key[8:]))
        _core.hash_texts(
            column.text, column.offsets, column.validity, column.first_bit, low, high,
            CODES["missing"], 0, len(keys), keys, codes,
        )  # fmt: skip
        if self._placeholder_keys is not None:
            is_missing = self._placeholder_keys.find(keys, n_threads=1) >= 0
            keys[is_missing], codes[is_missing] = 0, CODES["missing"]

    def _hash_placeholders(self) -> KeyTable:
        """Return the keys of words such as NULL, which would all be one very busy partner."""
        words = {
            spelt
            for word in load_world().placeholders
            for spelt in (word, word.upper(), word.capitalize(), "NaN")
        }
        keys, codes = np.zeros(len(words), np.uint64), np.zeros(len(words), np.uint8)
        self._hash(TextBuffers.of(pa.array(sorted(words))), keys, codes)
        return KeyTable.of(np.unique(keys), np.arange(len(np.unique(keys))))

    def _walk(self, column: TextBuffers, keys: Keys, codes: Codes) -> None:
        tables = self._automaton
        _core.resolve_numbers(
            column.text, column.offsets, column.validity, column.first_bit,
            SYMBOL_OF_BYTE, tables.transitions, tables.shortcuts, tables.codes, tables.moduli,
            tables.bases, CODES["missing"], CODES["invalid"], 0, len(keys), keys, codes,
        )  # fmt: skip

    def _settle_rest(
        self, chunk: pa.Array, keys: Keys, codes: Codes, progress: Progress | None
    ) -> None:
        """Settle what the automaton leaves open: words such as `unknown`, and other regions."""
        words = np.flatnonzero(codes == CODES["alphanumeric"])
        if len(words):
            texts, rows = _distinct(chunk, words)
            placeholders = load_world().placeholders
            missing = np.array([text.strip().lower() in placeholders for text in texts], bool)
            codes[words[missing[rows]]] = CODES["missing"]
        rest = np.flatnonzero(codes == UNRESOLVED)
        if len(rest):
            texts, rows = _distinct(chunk, rest)
            answers = np.zeros((len(texts), 2), np.uint64)
            for done, text in enumerate(texts, start=1):
                answers[done - 1] = self._ask_worldwide(text)
                if progress is not None and (done % PROGRESS_STEP == 0 or done == len(texts)):
                    progress("numbering", done, len(texts))
            keys[rest] = answers[rows, 0]
            codes[rest] = answers[rows, 1]

    def _resolve_worldwide(self, text: str) -> tuple[int, int]:
        return worldwide.resolve_text(text, self._region, self._area_code)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self._region, self._area_code, self._key)

    def __repr__(self) -> str:
        area = "" if self._area_code is None else f", area_code={self._area_code!r}"
        return f"NumberingPlan({self._region!r}{area})"


SYMBOL_OF_BYTE = symbol_of_byte()


def _rebuilt(region: str, area_code: str | None, key: bytes) -> NumberingPlan:
    return NumberingPlan(region, area_code=area_code, key=key if region == OPAQUE else None)


def _distinct(chunk: pa.Array, rows: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct texts of some rows, and for each row which of them it holds."""
    encoded = chunk.take(pa.array(rows)).dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()


@cache
def _automaton_of(region: str, area_code: str | None) -> Automaton:
    book = load_rulebook(region)
    return compile_families(build_families(book, load_world(), area_code), default_verdict(book))


def _checked_area_code(region: str, area_code: str | None) -> str | None:
    book = None if region == OPAQUE else load_rulebook(region)
    if region != OPAQUE and (book is None or not book.complete):
        worldwide.check_region(region)
    if area_code is None:
        return None
    if region == OPAQUE:
        raise ParameterError(
            f"`area_code` must be left out of an opaque plan, got {area_code!r}; "
            "give the region that the numbers belong to."
        )
    code = area_code if book is None else area_code.removeprefix(book.trunk_prefix)
    known = book.area_codes if book is not None else ()
    if not code.isascii() or not code.isdigit() or (known and code not in known):
        raise ParameterError(
            f"`area_code` must be one of region {region}, got {area_code!r}; "
            "write it as it is dialled, such as 010 for Beijing."
        )
    return code


def _checked_key(region: str, key: bytes | None) -> bytes:
    if key is None:
        return DEFAULT_KEY
    if region != OPAQUE:
        raise ParameterError(
            f"`key` belongs to opaque plans only, got one for region {region}; leave it out."
        )
    if len(key) != 16:
        raise ParameterError(f"`key` must be 16 bytes, got {len(key)}; `os.urandom(16)` makes one.")
    return bytes(key)
