"""Near-duplicates: wire copy, corrections and reprints, which must stay on one side of a split.

Texts are compared by the Jaccard similarity of their sets of three-word shingles (`classifier.similar`). Candidates
come from MinHash signatures cut into bands (Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter
3); every candidate is then verified exactly, so a pair is never joined for a similarity it does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from classifier.errors import UsageError
from classifier.similar import FACTORS, THRESHOLD, Words, mixed, shingle_hashes

Rows = npt.NDArray[np.int64]

_PERMUTATIONS = 128
_RECALL = 0.999
_WINDOW = 8
_CHUNK = 1 << 16  # pairs verified at a time: about 50 MB of texts of 40 words


def near_duplicates(texts: Sequence[str], *, threshold: float = THRESHOLD, seed: int = 0) -> Rows:
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


def _shingle_sets(texts: Sequence[str]) -> tuple[csr_array, Words]:
    """The texts as rows of a binary matrix (n, shingles), and the hash of each shingle."""
    shingles, lengths = shingle_hashes(texts)
    hashes, columns = np.unique(shingles, return_inverse=True)
    cells = np.repeat(np.arange(len(texts)), lengths) * len(hashes) + columns
    # Sorting: np.unique without an inverse hashes, which is ten times slower here.
    cells.sort()
    cells = cells[np.insert(cells[1:] != cells[:-1], 0, True)]
    starts = np.searchsorted(cells, np.arange(len(texts) + 1) * len(hashes))
    cells %= len(hashes)
    ones = np.ones(len(cells), dtype=np.int8)
    return csr_array((ones, cells, starts), shape=(len(texts), len(hashes))), hashes


def _equal_sets(sets: csr_array, hashes: Words) -> tuple[Rows, Rows]:
    """Texts with the same set: the group of each text (n,), and a text of each group.

    Sets are the same if two sums of their hashes are: 128 bits, so chance does not matter.
    Groups are ordered by these sums, whatever the order of the texts.
    """
    flat = hashes[sets.indices]
    sums = np.add.reduceat(flat, sets.indptr[:-1])
    others = np.add.reduceat(mixed(flat * FACTORS[1]), sets.indptr[:-1])
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
            bucket = mixed(bucket ^ least)
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
