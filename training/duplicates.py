"""Near-duplicates: wire copy, corrections and reprints, which must stay on one side of a split.

Texts are compared by the Jaccard similarity of their sets of three-word shingles (Broder 1997). Candidates
come from MinHash signatures cut into bands (Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter
3); every candidate is then verified exactly, so a pair is never joined for a similarity it does not have.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from classifier.errors import UsageError

Words = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

SHINGLE = 3
SHORT = 5
_PERMUTATIONS = 128
_RECALL = 0.999
_WINDOW = 8
_CHUNK = 1 << 16  # pairs verified at a time: about 50 MB of texts of 40 words
_WORD = re.compile(r"\w+")
# Odd constants of 64 bits: fractional parts of square roots of primes.
_FACTORS = np.array([0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B], dtype=np.uint64)


def near_duplicates(texts: Sequence[str], *, threshold: float = 0.7, seed: int = 0) -> Rows:
    """The cluster of each text, (n,), numbered from 0 in the order in which clusters first occur.

    Texts are casefolded and split into words (`\\w+`). Two texts are near-duplicates if their sets of
    three-word shingles have a Jaccard similarity of `threshold` or more; texts under five words only if their
    words are the same. Clusters are the connected components. A pair just at the threshold comes into a
    common bucket with a probability of 0.999 or more (for thresholds from 0.06 on), a more similar one more
    surely.

    Time is linear in the text, whatever its duplicates: texts of equal shingles are merged first, and within
    a bucket each text is verified against its next eight, in an order that is shuffled anew in each band.
    That is every pair of a bucket up to nine texts; a larger one is a chain of neighbours, in which a rare
    similar pair among many texts that are not similar enough may be missed. Neither the order of the texts
    nor the hash seed changes the clusters.

    Raises:
        UsageError: `threshold` is not above 0 and at most 1, or a text is no string.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold is {threshold}", remedy="give a similarity above 0 and at most 1")
    if not len(texts):
        return np.empty(0, dtype=np.int64)
    sets, hashes = _shingle_sets(texts)
    merged, first = _equal_sets(sets, hashes)
    labels = _clusters(sets[first], hashes, threshold, seed)[merged]
    _, occurs, inverse = np.unique(labels, return_index=True, return_inverse=True)
    number = np.empty(len(occurs), dtype=np.int64)
    number[np.argsort(occurs)] = np.arange(len(occurs))
    return number[inverse]


class _WordHashes(dict[str, int]):
    """A 64-bit hash of each word, the same in every process."""

    def __missing__(self, word: str) -> int:
        digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self[word] = value = int.from_bytes(digest, "little")
        return value


def _shingle_sets(texts: Sequence[str]) -> tuple[csr_array, Words]:
    """The texts as rows of a binary matrix (n, shingles), and the hash of each shingle."""
    shingles, lengths = _shingles(*_hashed_words(texts))
    hashes, columns = np.unique(shingles, return_inverse=True)
    cells = np.repeat(np.arange(len(texts)), lengths) * len(hashes) + columns
    # Sorting: np.unique without an inverse hashes, which is ten times slower here.
    cells.sort()
    cells = cells[np.insert(cells[1:] != cells[:-1], 0, True)]
    starts = np.searchsorted(cells, np.arange(len(texts) + 1) * len(hashes))
    cells %= len(hashes)
    ones = np.ones(len(cells), dtype=np.int8)
    return csr_array((ones, cells, starts), shape=(len(texts), len(hashes))), hashes


def _shingles(words: Words, lengths: Rows) -> tuple[Words, Rows]:
    """The hashes of all shingles behind each other, and how many each text has."""
    ends = np.cumsum(lengths)
    # A short text keeps its one hash, of all its words, which no shingle of a longer text equals.
    short = lengths == 1
    shingles = words.copy()
    shingles[:-2] = _mixed(words[:-2] * _FACTORS[0] + words[1:-1] * _FACTORS[1] + words[2:] * _FACTORS[2])
    shingles[ends[short] - 1] = words[ends[short] - 1]
    inside = np.ones(len(words), dtype=np.bool_)
    for back in range(1, SHINGLE):
        inside[ends[~short] - back] = False
    return shingles[inside], np.where(short, 1, lengths - SHINGLE + 1)


def _hashed_words(texts: Sequence[str]) -> tuple[Words, Rows]:
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
    return np.frombuffer(words, dtype=np.uint64), np.frombuffer(lengths, dtype=np.int64)


def _equal_sets(sets: csr_array, hashes: Words) -> tuple[Rows, Rows]:
    """Texts with the same set: the group of each text (n,), and a text of each group.

    Sets are the same if two sums of their hashes are: 128 bits, so chance does not matter.
    Groups are ordered by these sums, whatever the order of the texts.
    """
    flat = hashes[sets.indices]
    sums = np.add.reduceat(flat, sets.indptr[:-1])
    others = np.add.reduceat(_mixed(flat * _FACTORS[1]), sets.indptr[:-1])
    order = np.lexsort((others, sums))
    changes = (np.diff(sums[order]) != 0) | (np.diff(others[order]) != 0)
    group_of = np.concatenate([[0], np.cumsum(changes)])
    merged = np.empty(len(order), dtype=np.int64)
    merged[order] = group_of
    return merged, order[np.concatenate([[True], changes])]


def _clusters(sets: csr_array, hashes: Words, threshold: float, seed: int) -> Rows:
    """The cluster of each of some different sets, which are in an order of their own (`_equal_sets`)."""
    n = sets.shape[0]
    sizes = np.diff(sets.indptr)
    labels: Rows = np.arange(n)
    random = np.random.default_rng(seed)
    flat, starts = hashes[sets.indices], sets.indptr[:-1]
    work = np.empty_like(flat)
    bands, depth = _banding(threshold)
    for _ in range(bands):
        bucket = np.zeros(n, dtype=np.uint64)
        for factor in random.integers(2**64, size=depth, dtype=np.uint64) | np.uint64(1):
            np.multiply(flat, factor, out=work)
            least: Words = np.minimum.reduceat(work, starts)
            bucket = _mixed(bucket ^ least)
        for a, b in _candidates(bucket, random.permutation(n)):
            apart = labels[a] != labels[b]
            a, b = a[apart], b[apart]
            similar = _similarity(sets, sizes, a, b) >= threshold
            if similar.any():
                edges = (labels[a[similar]], labels[b[similar]])
                graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(n, n))
                labels = connected_components(graph, directed=False)[1].astype(np.int64)[labels]
    return labels


def _banding(threshold: float) -> tuple[int, int]:
    """The number of bands and of hashes a band: the most selective that still finds a pair at `threshold`.

    A pair of similarity s shares a bucket with the probability 1 − (1 − s^depth)^bands.
    """
    best = (_PERMUTATIONS, 1)
    for depth in range(2, _PERMUTATIONS + 1):
        bands = _PERMUTATIONS // depth
        if 1 - (1 - threshold**depth) ** bands >= _RECALL:
            best = (bands, depth)
    return best


def _candidates(bucket: Words, shuffle: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Pairs that share a bucket: each text with the next eight in the order of `shuffle`."""
    order = np.lexsort((shuffle, bucket))
    equal = bucket[order][1:] == bucket[order][:-1]
    order = order[np.append(equal, False) | np.insert(equal, 0, False)]
    keys = bucket[order]
    for distance in range(1, min(_WINDOW, len(keys) - 1) + 1):
        shared = np.flatnonzero(keys[distance:] == keys[:-distance])
        yield order[shared], order[shared + distance]


def _similarity(sets: csr_array, sizes: npt.NDArray[Any], a: Rows, b: Rows) -> npt.NDArray[np.float64]:
    """The Jaccard similarity of each pair of rows."""
    common = np.empty(len(a), dtype=np.int64)
    for start in range(0, len(a), _CHUNK):
        part = slice(start, start + _CHUNK)
        common[part] = np.diff(sets[a[part]].multiply(sets[b[part]]).indptr)
    jaccard: npt.NDArray[np.float64] = common / (sizes[a] + sizes[b] - common)
    return jaccard


def _mixed(values: Words) -> Words:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014): every bit in moves every bit out."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
