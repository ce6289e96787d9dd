"""What a text is cut into: scikit-learn's analyzers with their options, and the key of the hashes that n-grams go by."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from ctypes import c_uint64
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from classifier.text import native
from classifier.text.characters import Characters, StripAccents, characters

AnalyzerName = Literal["word", "char", "char_wb"]
ANALYZERS: tuple[AnalyzerName, ...] = ("word", "char", "char_wb")
MOST_NGRAM = 64

Span = tuple[int, int]

_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Analyzer:
    """What a text is cut into.

    `kind` is scikit-learn's `analyzer`, `ngrams` its `ngram_range`; `lowercase`, `strip_accents` and `stop_words` (of
    "word" alone) are its options of these names; the token pattern is its default. `seed` keys the hashes. `tables` say
    what characters are, by default as this Python sees them.
    """

    kind: AnalyzerName = "word"
    ngrams: tuple[int, int] = (1, 1)
    lowercase: bool = True
    strip_accents: StripAccents = None
    stop_words: tuple[str, ...] = ()
    seed: int = 0
    tables: Characters | None = field(default=None, repr=False, compare=False)
    struct: native.Analysis = field(init=False, repr=False, compare=False)
    _stop: NDArray[np.uint64] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.tables is None:  # looked up once
            object.__setattr__(self, "tables", characters(self.lowercase, self.strip_accents))
        kind = native.KINDS.index(self.kind)
        struct = native.Analysis(kind, *self.ngrams, 0, (c_uint64 * 4)(*secrets_of(self.seed)), None, 0)
        object.__setattr__(self, "struct", struct)
        stop = self._stop_table() if self.kind == "word" and self.stop_words else None
        object.__setattr__(self, "_stop", stop)
        if stop is not None:
            struct.stop, struct.stop_mask = stop.ctypes.data, len(stop) - 1

    @property
    def characters(self) -> Characters:
        """What characters are: `tables`, or those of this Python."""
        return self.tables or characters(self.lowercase, self.strip_accents)

    @property
    def chars(self) -> native.Chars:
        """The kernel's structure of `characters`."""
        return self.characters.struct

    def __reduce__(self) -> tuple[object, ...]:
        options = (self.kind, self.ngrams, self.lowercase, self.strip_accents, self.stop_words, self.seed)
        return type(self), (*options, self.tables)

    def _stop_table(self) -> NDArray[np.uint64]:
        from classifier.text.vocabulary import Terms, hash_terms

        words = sorted({word for word in self.stop_words if word and " " not in word})
        size = 1 << max(2 * len(words), 8).bit_length()
        table = np.zeros(size, np.uint64)
        for hash_ in hash_terms(self, Terms.of(words)).tolist():
            at = hash_ % size
            while table[at]:
                at = (at + 1) % size
            table[at] = hash_
        return table


def secrets_of(seed: int) -> Iterable[int]:
    """Four 64-bit numbers of one, by SplitMix64 (Steele, Lea and Flood 2014)."""
    for _ in range(4):
        seed = (seed + 0x9E3779B97F4A7C15) & _BITS
        mixed = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & _BITS
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _BITS
        yield mixed ^ (mixed >> 31)


class FieldLayout:
    """Where the non-empty of (field, text) `parts` lie in their join, a line break between each two."""

    def __init__(self, parts: Sequence[tuple[str, str]]) -> None:
        kept = [(name, text) for name, text in parts if text]
        self._names = [name for name, _ in kept]
        self._lengths = [len(text) for _, text in kept] or [0]
        self._starts = list(accumulate((length + 1 for length in self._lengths[:-1]), initial=0))

    def spans(self, start: int, end: int) -> list[tuple[str, int, int]]:
        """Where [start, end) of the join lies, field by field."""
        first = bisect_right(self._starts, start) - 1
        low, high = start - self._starts[first], end - self._starts[first]
        if low < high <= self._lengths[first]:  # nearly always
            return [(self._names[first], low, high)]
        found = []
        for at in range(first, len(self._names)):
            offset = self._starts[at]
            low, high = max(start - offset, 0), min(end - offset, self._lengths[at])
            if low < high:
                found.append((self._names[at], low, high))
        return found
