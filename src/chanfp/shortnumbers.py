"""Short numbers inside a family or company group, turned into the real ones."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .errors import DataError, ParameterError
from .keys import KeyTable
from .numbering import NumberingPlan
from .sidetables import Column, Schema, SideTable, read_table

__all__ = ["ShortNumbers"]

SCHEMA = Schema(
    "table of short numbers",
    (
        Column("subscriber", "number", "member of the group", is_required=True),
        Column("group", "text", "family or company", is_required=True),
        Column("short", "text", "what members dial"),
        Column("number", "number", "whom they reach; empty: the subscriber of the row"),
    ),
)
SHORT = re.compile(r"[0-9]{3,6}")
# Some switches write the country code in front; only a plan of China calls that a short number.
LEAD = re.compile(r"^(\+|00)86(?=[0-9]{3,6}$)")
SEPARATORS = re.compile(r"[\s\-.()]")
# A key of group and short number: the top bit, 42 bits of the group's hash, and the digits behind
# a 1, at most 1,999,999, so that the short number can be read from the key.
SHORT_BITS = 21
SHORT_MASK = np.uint64((1 << SHORT_BITS) - 1)
GROUP_MASK = np.uint64(((1 << 42) - 1) << SHORT_BITS)
MARK = np.uint64(1 << 63)

Keys = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ShortNumbers:
    """Who is in which group, and whom the short numbers of a group reach.

    Made by `ShortNumbers.read`.

    Attributes
    ----------
    plan : NumberingPlan
    groups : list of str
        The groups, sorted.
    group_keys : uint64 array
        For each group what its keys have in common.
    members : KeyTable
        Place of each member in `first_groups`.
    first_groups : int64 array, one longer than there are members
        The groups of member ``i`` are entries ``first_groups[i]`` to ``first_groups[i + 1]`` of
        `groups_of`, ascending.
    groups_of : int64 array
    shorts : KeyTable
        Place of each key of group and short number in `numbers`.
    numbers : uint64 array
        The real numbers, and 0 behind them for a key that isn't there.
    codes : frozenset of int
        Reason codes of texts that may be short numbers.
    """

    plan: NumberingPlan
    groups: list[str]
    group_keys: Keys
    members: KeyTable
    first_groups: npt.NDArray[np.int64]
    groups_of: npt.NDArray[np.int64]
    shorts: KeyTable
    numbers: Keys
    codes: frozenset[int]

    def __repr__(self) -> str:
        return (
            f"<ShortNumbers: {len(self.groups):,} groups, {len(self.first_groups) - 1:,} members, "
            f"{len(self.numbers) - 1:,} short numbers>"
        )

    @classmethod
    def read(cls, source: Any, plan: NumberingPlan) -> ShortNumbers:
        """Read the table of short numbers.

        Parameters
        ----------
        source : whatever `chanfp.read_subscribers` takes
            With the columns ``subscriber`` (a member of the group), ``group``, and optionally
            ``short`` and ``number``: the number that members reach by it; empty means the
            subscriber of the row. A row without a short number only says who is a member.
        plan : NumberingPlan

        Returns
        -------
        ShortNumbers

        Raises
        ------
        ColumnError
            If a required column is missing.
        DataError
            If a number is none, a short number hasn't 3 to 6 digits, or one subscriber would reach
            two numbers by the same short number; the rows are named.
        ParameterError
            If the plan is opaque.
        """
        if plan.is_opaque:
            raise ParameterError(
                "`short_numbers` can't be told from other ids under the plan 'opaque'; leave them "
                "out or name the region in `numbers`."
            )
        table = read_table(source, SCHEMA)
        return _Rows.of(table, plan).indexed(plan)

    def resolve(
        self, own_keys: Keys, other_texts: pa.Array, other_codes: Codes
    ) -> tuple[Keys, Codes]:
        """Return whom short numbers mean, dialled by or shown to the other party of each row.

        Parameters
        ----------
        own_keys : uint64 array
            Key of one party of each row; 0 where it is no subscriber number.
        other_texts : pyarrow.Array of text, dictionary-encoded or not
            The other party as it stands in the record.
        other_codes : uint8 array
            Its reason code under the plan.

        Returns
        -------
        keys : uint64 array
            The real number; where the group is known but not the short number, a key that stands
            for both, above 2**63; 0 where there is nothing to say.
        codes : uint8 array
            `other_codes`, but 0 (an ordinary partner) where there is a key, and ``group-short``
            where the text looks like a short number and the group isn't known.

        Notes
        -----
        A real number in the table goes before what the plan calls the text; emergency numbers stay
        what they are. Any thread may call this.
        """
        keys, codes = np.zeros(len(own_keys), np.uint64), other_codes.copy()
        rows = np.flatnonzero(np.isin(other_codes, sorted(self.codes)) & (own_keys != 0))
        if not len(rows):
            return keys, codes
        shorts = _short_words(other_texts, rows)
        rows, shorts = rows[shorts != 0], shorts[shorts != 0]
        member = self.members.find(own_keys[rows], n_threads=1).astype(np.int64)
        is_plain = codes[rows] == self.plan.reasons.index("short-number")
        codes[rows[(member < 0) & is_plain]] = self.plan.reasons.index("group-short")
        known = member >= 0
        rows, shorts, is_plain, member = rows[known], shorts[known], is_plain[known], member[known]
        found = self._look_up(member, shorts)
        first = self.group_keys[self.groups_of[self.first_groups[member]]] | shorts
        found = np.where((found == 0) & is_plain, first, found).astype(np.uint64)
        keys[rows] = found
        codes[rows[found != 0]] = 0
        return keys, codes

    def format(self, keys: Keys) -> list[str]:
        """Return keys as text: ``group:short`` for those made here, else as the plan does."""
        name_of = dict(zip(self.group_keys.tolist(), self.groups, strict=True))
        names = list(self.plan.format(keys))
        for row in np.flatnonzero(keys >= MARK).tolist():
            key = int(keys[row])
            group = name_of.get(key & ~int(SHORT_MASK))
            if group is not None:
                names[row] = f"{group}:{str(key & int(SHORT_MASK))[1:]}"
        return names

    def _look_up(self, member: npt.NDArray[np.int64], shorts: Keys) -> Keys:
        """Return the real number that a member reaches by a short number, 0 where unknown."""
        found = np.zeros(len(member), np.uint64)
        at, ends = self.first_groups[member], self.first_groups[member + 1]
        while True:  # as often as the member of most groups is in one
            rows = np.flatnonzero((found == 0) & (at < ends))
            if not len(rows):
                return found
            keys = self.group_keys[self.groups_of[at[rows]]] | shorts[rows]
            places = self.shorts.find(keys, n_threads=1)
            found[rows] = self.numbers[places]  # the last one for -1
            at[rows] += 1


def _keys_of(groups: list[str]) -> Keys:
    """Return for each group the key that its short numbers are written into.

    The top bit, so that it is no E.164 number, and 42 bits of the BLAKE2b hash of the name: the
    same whatever other groups there are.
    """
    hashes = [
        int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
        for name in groups
    ]
    return (np.array(hashes, np.uint64) & GROUP_MASK) | MARK


def _short_words(texts: pa.Array, rows: npt.NDArray[np.int64]) -> Keys:
    """Return the texts of some rows as 1 and their digits, 0 for what is no short number."""
    chosen = texts.take(pa.array(rows))
    if not pa.types.is_dictionary(chosen.type):
        chosen = chosen.dictionary_encode()
    words = [_short_word(text) for text in chosen.dictionary.to_pylist()]
    places = chosen.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*words, 0], np.uint64)[places.astype(np.int64)], np.uint64)


def _short_word(text: str | None) -> int:
    """Return 1 and the digits of a short number, 0 for any other text."""
    if text is None:
        return 0
    digits = LEAD.sub("", SEPARATORS.sub("", unicodedata.normalize("NFKC", text)))
    return int("1" + digits) if SHORT.fullmatch(digits) else 0


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of a table of short numbers, as arrays of one length.

    `groups` are places in `names`; `shorts` are 0 where a row names none.
    """

    table: SideTable
    names: list[str]
    groups: npt.NDArray[np.int64]
    members: Keys
    shorts: Keys
    numbers: Keys

    @classmethod
    def of(cls, table: SideTable, plan: NumberingPlan) -> _Rows:
        names = table.table.column("group").to_pylist()
        distinct = sorted(set(names))
        place_of = {name: place for place, name in enumerate(distinct)}
        members = table.number_keys("subscriber", plan)
        numbers = table.number_keys("number", plan)
        texts = table.table.column("short").to_pylist()
        shorts = np.array([_short_word(text) for text in texts], np.uint64)
        for row in np.flatnonzero(shorts == 0).tolist():
            if texts[row] is not None:
                raise DataError(
                    f"{table.place(row)}, column 'short': a short number has 3 to 6 digits, found "
                    f"{texts[row]!r}; correct the cell or delete the row."
                )
        return cls(
            table,
            distinct,
            np.array([place_of[name] for name in names], np.int64),
            members,
            shorts,
            np.where(numbers == 0, members, numbers),
        )

    def indexed(self, plan: NumberingPlan) -> ShortNumbers:
        """Return the look-up that these rows make."""
        group_keys = _keys_of(self.names)
        named = np.flatnonzero(self.shorts)
        keys = group_keys[self.groups[named]] | self.shorts[named]
        distinct, first = np.unique(keys, return_index=True)
        self._check_one_number(named, named[first[np.searchsorted(distinct, keys)]])
        pairs = np.unique(np.stack([self.members, self.groups.astype(np.uint64)]), axis=1)
        members, begins = np.unique(pairs[0], return_index=True)
        short_numbers = ShortNumbers(
            plan=plan,
            groups=self.names,
            group_keys=group_keys,
            members=KeyTable.of(members, np.arange(len(members))),
            first_groups=np.append(begins, pairs.shape[1]).astype(np.int64),
            groups_of=pairs[1].astype(np.int64),
            shorts=KeyTable.of(distinct, np.arange(len(distinct))),
            numbers=np.append(self.numbers[named[first]], np.uint64(0)),
            codes=self._codes(plan),
        )
        self._check_members(short_numbers, distinct, named[first])
        return short_numbers

    def _codes(self, plan: NumberingPlan) -> frozenset[int]:
        """Return the reasons that the short numbers listed have under the plan, and its own."""
        listed = self.table.table.column("short").drop_null()
        _, codes = plan.resolve(listed)
        return frozenset({*codes.tolist(), plan.reasons.index("short-number")}) - {
            0,
            plan.reasons.index("emergency"),
        }

    def _check_members(self, found: ShortNumbers, keys: Keys, rows: npt.NDArray[np.int64]) -> None:
        """Refuse groups with a member in common in which a short number means two numbers."""
        one, other = _shared_pairs(found)
        begins = np.searchsorted(keys, found.group_keys[one])
        n_shorts = np.searchsorted(keys, found.group_keys[one] | SHORT_MASK, "right") - begins
        pair = np.repeat(np.arange(len(one)), n_shorts)
        places = np.arange(len(pair)) + np.repeat(begins - np.cumsum(n_shorts) + n_shorts, n_shorts)
        sought = found.group_keys[other[pair]] | (keys[places] & SHORT_MASK)
        at = found.shorts.find(sought, n_threads=1)
        self._check_one_number(rows[places[at >= 0]], rows[at[at >= 0]])

    def _check_one_number(self, rows: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> None:
        """Refuse rows whose number differs from that of the row at the same place of `others`."""
        clash = np.flatnonzero(self.numbers[rows] != self.numbers[others])
        if len(clash):
            # Of all clashes the one whose later row comes first.
            first = clash[np.argmin(np.maximum(rows[clash], others[clash]))]
            one, two = sorted((int(rows[first]), int(others[first])))
            cells = self.table.table.select(["subscriber", "group", "short"]).take([one, two])
            early, late = cells.to_pylist()
            raise DataError(
                f"{self.table.place(one)} and {self.table.place(two)}: a subscriber reaches one "
                f"number by a short number, {early['short']} of group {early['group']!r} and "
                f"{late['short']} of group {late['group']!r} are different numbers and have "
                "members in common; correct one."
            )


def _shared_pairs(found: ShortNumbers) -> npt.NDArray[np.int64]:
    """Return the pairs of groups that have a member in common, each once; shape (2, n_pairs)."""
    n_groups = np.diff(found.first_groups)
    ends = np.repeat(found.first_groups[1:], n_groups)
    pairs = [np.zeros((2, 0), np.int64)]
    for apart in range(1, int(n_groups.max(initial=1))):
        at = np.flatnonzero(np.arange(len(ends)) + apart < ends)
        pairs.append(np.stack([found.groups_of[at], found.groups_of[at + apart]]))
    return np.unique(np.concatenate(pairs, axis=1), axis=1)
