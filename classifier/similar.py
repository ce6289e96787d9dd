"""Near-duplicates: what texts are compared by, and which articles of a set are near to a given one.

Texts are compared by the Jaccard similarity of their sets of three-word shingles (Broder 1997). `training.duplicates`
clusters whole corpora by the same shingles; `NearDuplicates` answers about single articles, exactly.
"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from classifier.errors import UsageError

Words = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

THRESHOLD = 0.7  # from this similarity on, two texts are near-duplicates
SHINGLE = 3
SHORT = 5  # texts with fewer words are compared as a whole
_WORD = re.compile(r"\w+")
# Odd constants of 64 bits: fractional parts of square roots of primes.
FACTORS = np.array([0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B], dtype=np.uint64)
_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


class NearDuplicates:
    """An index of articles, given as their headlines and whole texts, that finds the near-duplicates of each.

    Two articles are near-duplicates if their headlines are the same once normalised (an empty one is like no other), or
    their texts have a similarity of `THRESHOLD` or more; texts under five words only if their words are the same. No pair
    is missed, and none is found that is not one (but for collisions of hashes). Texts without a word are like no other.
    """

    def __init__(self, headlines: Sequence[str], texts: Sequence[str]) -> None:
        self._same_headline: dict[str, list[int]] = {}
        for row, headline in enumerate(headlines):
            if key := normalise_title(headline):
                self._same_headline.setdefault(key, []).append(row)
        self._headlines = headlines
        self._wordless = [_WORD.search(text) is None for text in texts]
        self._hashes, self._lengths = shingle_hashes(texts)
        self._ends = np.cumsum(self._lengths)
        # The low bits of a hash make room for its text's position: one plain sort gives every shingle's texts side by side.
        self._low = np.uint64((1 << max(len(texts) - 1, 1).bit_length()) - 1)
        postings = (self._hashes & ~self._low) | np.repeat(
            np.arange(len(texts), dtype=np.uint64), self._lengths
        )
        postings.sort()
        self._postings = postings[np.insert(postings[1:] != postings[:-1], 0, [True] * len(postings[:1]))]
        self._sizes = np.bincount(self._rows(slice(None)), minlength=len(texts))

    def of(self, row: int) -> frozenset[int]:
        """The positions of the near-duplicates of the article at position `row`, itself among them."""
        found = {row, *self._same_headline.get(normalise_title(self._headlines[row]), ())}
        if not self._wordless[row]:
            found.update(self._similar(row))
        return frozenset(found)

    def _similar(self, row: int) -> list[int]:
        own = np.unique(self._hashes[self._ends[row] - self._lengths[row] : self._ends[row]] & ~self._low)
        starts = np.searchsorted(self._postings, own, side="left")
        ends = np.searchsorted(self._postings, own | self._low, side="right")
        # A similar text misses so few of these shingles that it has one of the rarest: most texts end here.
        rarest = np.argsort(ends - starts, kind="stable")[
            : len(own) - math.ceil(THRESHOLD * len(own) - 1e-9) + 1
        ]
        if (self._having(starts[rarest], ends[rarest]) == row).all():
            return [row]
        common = np.bincount(self._having(starts, ends), minlength=len(self._sizes))
        similarity = common / (len(own) + self._sizes - common)
        similar: list[int] = np.flatnonzero(similarity >= THRESHOLD).tolist()
        return similar

    def _having(self, starts: Counts, ends: Counts) -> Counts:
        """The texts behind each other that stand in these ranges of the postings."""
        ranges = zip(starts.tolist(), ends.tolist(), strict=True)
        rows: Counts = np.concatenate([self._rows(slice(start, end)) for start, end in ranges])
        return rows

    def _rows(self, part: slice) -> Counts:
        rows: Counts = (self._postings[part] & self._low).astype(np.int64)
        return rows


def normalise_title(title: str) -> str:
    """How titles are compared: NFKC, case folded, quotes straightened, white space squeezed."""
    return " ".join(unicodedata.normalize("NFKC", title).casefold().translate(_STRAIGHT).split())


def shingle_hashes(texts: Sequence[str]) -> tuple[Words, Counts]:
    """The hashes of the texts' shingles behind each other, in the order of the words, and how many each text has (n,).

    Texts are casefolded and split into words (`\\w+`); a text under five words has one hash, of all its words, which no
    shingle of a longer text equals. Hashes are the same in every process.

    Raises:
        UsageError: a text is no string.
    """
    words, lengths = _hashed_words(texts)
    ends = np.cumsum(lengths)
    short = lengths == 1
    shingles = words.copy()
    shingles[:-2] = mixed(words[:-2] * FACTORS[0] + words[1:-1] * FACTORS[1] + words[2:] * FACTORS[2])
    shingles[ends[short] - 1] = words[ends[short] - 1]
    inside = np.ones(len(words), dtype=np.bool_)
    for back in range(1, SHINGLE):
        inside[ends[~short] - back] = False
    return shingles[inside], np.where(short, 1, lengths - SHINGLE + 1)


def mixed(values: Words) -> Words:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014): every bit in moves every bit out."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class _WordHashes(dict[str, int]):
    """A 64-bit hash of each word, the same in every process."""

    def __missing__(self, word: str) -> int:
        digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self[word] = value = int.from_bytes(digest, "little")
        return value


def _hashed_words(texts: Sequence[str]) -> tuple[Words, Counts]:
    """The hashes of all words behind each other, and how many each text has; a short text has one hash."""
    hashes = _WordHashes()
    words, lengths = array("Q"), array("q")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise UsageError(
                f"text {row} is a {type(text).__name__}", remedy='give strings, "" where there is no text'
            )
        found = _WORD.findall(text.casefold())
        if len(found) < SHORT:
            found = [" ".join(found)]
        words.extend(map(hashes.__getitem__, found))
        lengths.append(len(found))
    return np.asarray(words, dtype=np.uint64), np.asarray(lengths, dtype=np.int64)
