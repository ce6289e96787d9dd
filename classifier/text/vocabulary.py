"""The terms of a block and the table that finds them: n-grams are known by keyed 64-bit hashes.

Two n-grams with the same hash would count as one. Among a million terms that happens with a probability of 3 in a hundred
million (n² / 2⁶⁵). Of the table at least 61 bits must agree: an n-gram that is no term is taken for one of a million with a
probability of 4 in 10¹³. The key comes from the training data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged, UsageError
from classifier.spec import Arrays, take_array
from classifier.text import native
from classifier.text.analyzer import Analyzer
from classifier.text.memory import cleared
from classifier.text.native import kernel

MOST_REACH = 8  # buckets beyond its own in which a term may be; a table that would need more is made larger
MOST_GROWTH = 1024  # times as large as needed: with hashes of n-grams that never happens
MOST_TERMS = 2**31 - 2

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Terms:
    """n strings as one: UTF-8 `data` end to end (with native.PAD zeros behind) and `offsets` (n + 1,)."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> str:
        start, end = self.offsets[number], self.offsets[number + 1]
        return self.data[start:end].tobytes().decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        # Decoded at once, and cut where characters end: bytes that go on with a character are 10xxxxxx.
        text = self.data[: self.offsets[-1]].tobytes().decode("utf-8", "surrogatepass")
        before = np.zeros(len(self.data) + 1, np.int64)
        np.cumsum((self.data & 0xC0) != 0x80, out=before[1:])
        return (text[start:end] for start, end in pairwise(before[self.offsets].tolist()))

    @classmethod
    def of(cls, strings: Sequence[str]) -> Terms:
        encoded = [text.encode("utf-8", "surrogatepass") for text in strings]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(data) for data in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded) + bytes(native.PAD), np.uint8), offsets)

    def take(self, numbers: NDArray[np.int64]) -> Terms:
        return Terms.of([self[number] for number in numbers.tolist()])

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        return {f"{name}.bytes": self.data, f"{name}.offsets": self.offsets}

    @classmethod
    def load(cls, arrays: Arrays, name: str) -> Terms:
        """The inverse of `arrays`; formats before 4 had nothing behind the last term.

        Raises:
            ArtifactDamaged: offsets that do not fit the bytes, or bytes that are no UTF-8.
        """
        # As plain arrays: a slice of one costs a fifth of a memory map's.
        data = take_array(arrays, f"{name}.bytes", np.uint8, (None,)).view(np.ndarray)
        offsets = take_array(arrays, f"{name}.offsets", np.int64, (None,)).view(np.ndarray)
        if not len(offsets) or offsets[0] or offsets[-1] > len(data) or (np.diff(offsets) < 0).any():
            raise ArtifactDamaged("offsets do not fit the bytes", where=arrays.file(f"{name}.offsets"))
        found = cls(data, offsets)
        if len(data) - offsets[-1] < native.PAD:
            padded = np.concatenate([data[: offsets[-1]], np.zeros(native.PAD, np.uint8)])
            found = cls(padded, offsets)
        # A term begins where a character begins, and the whole is UTF-8: so is each of them.
        starts = found.data[offsets[:-1]]
        try:
            found.data[: offsets[-1]].tobytes().decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise ArtifactDamaged(
                "holds bytes that are no UTF-8", where=arrays.file(f"{name}.bytes")
            ) from error
        if ((starts & 0xC0) == 0x80).any():
            raise ArtifactDamaged("offsets do not fit the bytes", where=arrays.file(f"{name}.offsets"))
        return found


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`terms` (width), found by `slots`, a table of 64-bit words in buckets of BUCKET (see kernel.h); a search looks at its
    bucket and at most `reach` beyond it."""

    analyzer: Analyzer
    terms: Terms
    slots: Hashes
    reach: int
    struct: native.Table = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        buckets = len(self.slots) // native.BUCKET
        table = native.Table(self.slots.ctypes.data, buckets - 1, _id_mask(len(self.terms)), self.reach)
        object.__setattr__(self, "struct", table)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.analyzer, self.terms, self.slots, self.reach)

    def __len__(self) -> int:
        return len(self.terms)

    @classmethod
    def of(cls, analyzer: Analyzer, terms: Terms, hashes: Hashes | None = None) -> Vocabulary:
        """Build the table, at most half full.

        Raises:
            UsageError: a term stands there twice, or too many hashes are too alike.
        """
        if hashes is None:
            hashes = hash_terms(analyzer, terms)
        buckets = 2
        while buckets * native.BUCKET < 2 * len(terms):
            buckets *= 2
        most = buckets * MOST_GROWTH
        while buckets <= most:
            slots = cleared(buckets * native.BUCKET * 8).view(np.uint64)
            reach = kernel.nd_build_table(
                hashes.ctypes.data,
                len(terms),
                slots.ctypes.data,
                buckets - 1,
                _id_mask(len(terms)),
                MOST_REACH,
            )
            if reach >= 0:
                return cls(analyzer, terms, slots, reach)
            if reach != native.ERROR_MEMORY:
                number = native.ERROR_LENGTH - 1 - reach
                raise UsageError(
                    f'the term "{terms[number]}" stands twice in the vocabulary', remedy="give each term once"
                )
            buckets *= 2
        raise UsageError(
            f"the hashes of {len(terms)} terms are too alike for a table", remedy="use another hash key"
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {**self.terms.arrays("terms"), "slots": self.slots}

    @classmethod
    def load(cls, analyzer: Analyzer, reach: int, arrays: Arrays) -> Vocabulary:
        """The inverse of `arrays`.

        Raises:
            ArtifactDamaged: a table that leads to no term.
        """
        terms = Terms.load(arrays, "terms")
        slots = take_array(arrays, "slots", np.uint64, (None,))
        size = len(slots)
        if size < 2 * native.BUCKET or size & (size - 1) or not 0 <= reach <= MOST_REACH:
            raise ArtifactDamaged("is no table of terms", where=arrays.file("slots"))
        if len(terms) > MOST_TERMS or int((slots & np.uint64(_id_mask(len(terms)))).max()) > len(terms):
            raise ArtifactDamaged("leads to a term that is not there", where=arrays.file("slots"))
        return cls(analyzer, terms, slots, reach)


def hash_terms(analyzer: Analyzer, terms: Terms) -> Hashes:
    """(n,) as the n-grams of texts are hashed."""
    hashes = np.empty(len(terms), np.uint64)
    kernel.nd_hash_terms(
        analyzer.struct, terms.data.ctypes.data, terms.offsets.ctypes.data, len(terms), hashes.ctypes.data
    )
    return hashes


def _id_mask(terms: int) -> int:
    """The bits that hold a term's number + 1."""
    return int((1 << int(terms).bit_length()) - 1)
