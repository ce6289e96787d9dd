"""Counting the n-grams of texts, batch after batch: what scikit-learn's CountVectorizer does, in the kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from classifier.errors import UsageError
from classifier.text import native
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Weighting
from classifier.text.native import kernel
from classifier.text.sparse import SparseRows
from classifier.text.strings import Texts, check, is_arrow, iterate
from classifier.text.vocabulary import Terms

Floats = NDArray[np.float64]

_ANEW = "count anew with another one"
_BATCH = 1 << 22  # characters of strings, or rows of Arrow columns, that are read at once
_OBJECT = 64  # what a string counts at least, so that batches of empty ones end, too


class TermCounter:
    """Tables that grow with every batch of texts; use it as a context, so that its memory is given back.

    Terms are told apart by their 64-bit hashes alone (see `classifier.text.vocabulary`).

    Raises:
        UsageError: it is used after `finish`, after an error, or closed.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer  # the kernel reads its tables
        self._finished = False
        self._counter: int | None = kernel.nd_counter_new(analyzer.struct, analyzer.chars)
        if not self._counter:
            raise MemoryError("no memory was left to count in")

    def __enter__(self) -> TermCounter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        if self._counter:
            kernel.nd_counter_free(self._counter)
            self._counter = None

    def add(self, texts: Texts) -> None:
        """Count further texts.

        Raises:
            FieldError: a text that cannot be read; nothing more can be counted then.
        """
        counter, failed = self._open(), ctypes.c_int64()
        found = kernel.nd_counter_add(counter, texts.columns, texts.count, 0, len(texts), failed)
        if found < 0:
            self.close()
        check(found, texts.first + failed.value)

    @property
    def sizes(self) -> list[int]:
        """Texts, different n-grams, entries; and of what was kept: terms, entries, bytes of the terms."""
        if not self._counter:
            raise UsageError("the counter is closed", remedy=_ANEW)
        sizes = (ctypes.c_int64 * 6)()
        kernel.nd_counter_sizes(self._counter, sizes)
        return list(sizes)

    def _open(self) -> int:
        if self._finished or not self._counter:
            raise UsageError("the counter is closed, or has finished", remedy=_ANEW)
        return self._counter

    def finish(
        self,
        min_df: int = 1,
        max_df: int = 2**62,
        max_features: int | None = None,
        *,
        binary: bool = False,
        by_frequency: bool = False,
    ) -> tuple[Terms, sp.csr_matrix]:
        """The terms in code-point order that at least `min_df` and at most `max_df` texts have, of these the
        `max_features` most frequent (of equally frequent ones those first in order), and the counts (texts, terms), int32.

        `binary`: the most frequent are those that most texts have, however often. `by_frequency`: terms that more texts
        have come first. What is looked up most then lies together in memory, which makes scoring a fifth faster.

        Raises:
            MemoryError: there was none left.
        """
        most = -1 if max_features is None else max_features
        counter, self._finished = self._open(), True
        check(kernel.nd_counter_finish(counter, min_df, max_df, most, binary, by_frequency), 0)
        rows, _, _, kept, entries, size = self.sizes
        indptr, offsets = np.empty(rows + 1, np.int64), np.empty(kept + 1, np.int64)
        indices, counts = np.empty(entries, np.int32), np.empty(entries, np.int32)
        data = np.zeros(size + native.PAD, np.uint8)
        arrays = (indptr, indices, counts, data, offsets)
        check(kernel.nd_counter_export(counter, *[array.ctypes.data for array in arrays]), 0)
        table = sp.csr_matrix((rows, kept), dtype=np.int32)
        table.data, table.indices, table.indptr = counts, indices, narrow(indptr)
        return Terms(data, offsets), table


def batches_of(batches: Iterable[Any]) -> Iterator[Texts]:
    """`text_batches` of each of them."""
    first = 0
    for batch in iterate(batches):
        for texts in text_batches(batch, first):
            yield texts
            first += len(texts)


def text_batches(given: Any, first: int = 0) -> Iterator[Texts]:
    """Strings in any iterable, or an Arrow column of strings, some of them at a time; errors number the first `first`.

    Raises:
        UsageError: it holds something else.
    """
    if is_arrow(given):
        for chunk in getattr(given, "chunks", None) or [given]:
            for start in range(0, max(len(chunk), 1), _BATCH):
                yield Texts.from_arrow(chunk.slice(start, _BATCH), first=first + start)
            first += len(chunk)
        return
    batch: list[Any] = []
    size = 0
    for text in iterate(given):
        batch.append(text)
        size += _OBJECT + (len(text) if isinstance(text, str) else 0)
        if size >= _BATCH:
            yield Texts.from_strings(batch, first=first)
            first += len(batch)
            batch, size = [], 0
    if batch:
        yield Texts.from_strings(batch, first=first)


def stacked(parts: Sequence[SparseRows], width: int) -> sp.csr_matrix:
    """One below the other, (n, width) float64."""
    lengths = [np.diff(part.indptr) for part in parts]
    indptr = np.zeros(sum(map(len, lengths)) + 1, np.int64)
    np.cumsum(np.concatenate([*lengths, np.empty(0, np.int64)]), out=indptr[1:])
    indices = np.concatenate([*(part.indices for part in parts), np.empty(0, np.int32)])
    values = np.concatenate([*(part.values for part in parts), np.empty(0)])
    return sp.csr_matrix((values, indices, narrow(indptr)), shape=(len(indptr) - 1, width))


def narrow(indptr: NDArray[np.int64]) -> NDArray[np.signedinteger]:
    """With the type of the indices where it fits, as SciPy and scikit-learn want it."""
    return indptr.astype(np.int32) if indptr[-1] < 2**31 else indptr


def weigh(counts: sp.csr_matrix, idf: Floats, weighting: Weighting, weight: float = 1.0) -> sp.csr_matrix:
    """TF-IDF (n, width) float64 of counts; terms whose idf is 0 are left out."""
    indptr, indices = counts.indptr.astype(np.int64, copy=False), counts.indices.astype(np.int32, copy=False)
    data, idf = counts.data.astype(np.int32, copy=False), np.ascontiguousarray(idf, np.float64)
    starts, places = np.empty(len(indptr), np.int64), np.empty(len(indices), np.int32)
    values = np.empty(len(indices))
    kept = kernel.nd_weigh(
        indptr.ctypes.data,
        indices.ctypes.data,
        data.ctypes.data,
        counts.shape[0],
        idf.ctypes.data,
        weighting.struct(weight),
        starts.ctypes.data,
        places.ctypes.data,
        values.ctypes.data,
    )
    found = sp.csr_matrix(counts.shape, dtype=np.float64)
    found.data, found.indices, found.indptr = values[:kept], places[:kept], narrow(starts)
    return found


def document_frequencies(counts: sp.csr_matrix, texts: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """(width,) in how many of the texts of a mask (n,) each term of `counts` (n, width) is; by default of all."""
    indptr, indices = counts.indptr.astype(np.int64, copy=False), counts.indices.astype(np.int32, copy=False)
    chosen = None if texts is None else np.ascontiguousarray(texts, np.bool_)
    found = np.zeros(counts.shape[1], np.int64)
    kernel.nd_frequencies(
        indptr.ctypes.data,
        indices.ctypes.data,
        None if chosen is None else chosen.ctypes.data,
        counts.shape[0],
        found.ctypes.data,
    )
    return found


def inverse_frequency(frequencies: NDArray[np.integer], texts: int, *, smooth: bool = True) -> Floats:
    """log((1 + n) / (1 + df)) + 1 of document frequencies (width,), without the ones inside unless `smooth`: as
    scikit-learn. 0 where nothing has the term."""
    seen = frequencies > 0
    extra = 1 if smooth else 0
    found = np.zeros(len(frequencies))
    found[seen] = np.log((texts + extra) / (frequencies[seen] + extra)) + 1.0
    return found
