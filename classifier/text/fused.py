"""Texts straight to scores: every text block of a head, or of several, in one pass over the text, without a matrix
between them.

A block's table holds for each term its idf and its weights side by side, so that one memory access fetches both:
(width, stride) bytes, a float64, then a float32 an output. A cross lies by the term that it crosses.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, take_array
from classifier.text import native
from classifier.text.blocks import Block, CrossBlock, TextBlock
from classifier.text.memory import cleared
from classifier.text.native import kernel
from classifier.text.rows import Rows
from classifier.text.single import RowSums, Seat
from classifier.text.sparse import Floats, Integers, address
from classifier.text.strings import Texts, check

Bytes = NDArray[np.uint8]

_IDF = 8  # bytes
_THREADED = 256  # rows from which on several threads are worth it, and the least that one of them gets


def pack_table(idf: Floats, weights: NDArray[Any]) -> Bytes:
    """The table of a text block, of `idf` (width,) and `weights` (width, k)."""
    width, outputs = weights.shape
    stride = table_stride(outputs)
    table = cleared(width * stride).reshape(width, stride)
    table[:, :_IDF] = np.ascontiguousarray(idf, np.float64).view(np.uint8).reshape(width, _IDF)
    narrow = np.ascontiguousarray(weights, np.float32).view(np.uint8).reshape(width, 4 * outputs)
    table[:, _IDF : _IDF + 4 * outputs] = narrow
    return table


def table_stride(outputs: int) -> int:
    """Bytes a term: a multiple of 8."""
    return _IDF + (4 * outputs + 7) // 8 * 8


def table_idf(table: Bytes) -> Floats:
    """(width,) where it lies."""
    return np.asarray(table.view(np.float64)[:, 0])


def table_weights(table: Bytes, outputs: int) -> NDArray[np.float32]:
    """(width, outputs) where they lie."""
    return np.asarray(table.view(np.float32)[:, _IDF // 4 : _IDF // 4 + outputs])


def load_table(arrays: Arrays, outputs: int) -> Bytes:
    """A text block's table.

    Raises:
        ArtifactDamaged: it is missing, of another shape, or holds a number that is not finite.
    """
    table = take_array(arrays, "rows", np.uint8, (None, table_stride(outputs)))
    if not np.isfinite(table_idf(table)).all() or not np.isfinite(table_weights(table, outputs)).all():
        raise ArtifactDamaged("holds a number that is not finite", where=arrays.file("rows"))
    return table


@dataclass(frozen=True, slots=True)
class CrossTable:
    """A cross by the term that it crosses: its entries lie from starts[term] to starts[term + 1] (width of the
    crossed + 1), `categories` (n,) rising among them, `weights` (n, k)."""

    starts: Integers
    categories: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, block: CrossBlock, weights: NDArray[Any]) -> CrossTable:
        """Of weights (width, k) in the block's own order."""
        width = block.inner.width
        order = cross_order(block)
        starts = np.zeros(width + 1, np.int64)
        np.cumsum(np.bincount(block.pairs % max(width, 1), minlength=width)[:width], out=starts[1:])
        categories = (block.pairs[order] // max(width, 1)).astype(np.int32)
        return cls(starts, categories, np.ascontiguousarray(weights[order], np.float32))

    def weights_at(self, block: CrossBlock, features: NDArray[Any]) -> Floats:
        """(m, k) of some features of the block, in its own order."""
        category, term = np.divmod(block.pairs[features], max(block.inner.width, 1))
        at = [
            low + int(np.searchsorted(self.categories[low:high], own))
            for low, high, own in zip(self.starts[term], self.starts[term + 1], category, strict=True)
        ]
        return self.weights[at].astype(np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"starts": self.starts, "of": self.categories, "weights": self.weights}

    @classmethod
    def load(cls, block: CrossBlock, arrays: Arrays, outputs: int) -> CrossTable:
        """The inverse of `arrays`.

        Raises:
            ArtifactDamaged: entries that are not there.
        """
        starts = take_array(arrays, "starts", np.int64, (block.inner.width + 1,))
        categories = take_array(arrays, "of", np.int32, (block.width,))
        weights = take_array(arrays, "weights", np.float32, (block.width, outputs))
        if starts[0] or starts[-1] != block.width or (np.diff(starts) < 0).any():
            raise ArtifactDamaged("leads to an entry that is not there", where=arrays.file("starts"))
        return cls(starts, categories, weights)


def is_text_cross(block: Block) -> bool:
    """Whether it crosses a text block: then it is scored with it."""
    return isinstance(block, CrossBlock) and isinstance(block.inner, TextBlock)


def cross_order(block: CrossBlock) -> Integers:
    """(width,) the block's features by crossed term, then by category."""
    return np.argsort(block.pairs % max(block.inner.width, 1), kind="stable")


@dataclass(frozen=True, slots=True)
class HeadTables:
    """The blocks of a head and their tables, in the same order, and how many scores they add up to."""

    blocks: Sequence[Block]
    tables: Sequence[Any]
    outputs: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A text block of the head with that `number`, its table, and the crosses of it."""

    number: int
    outputs: int
    block: TextBlock
    table: Bytes
    crosses: tuple[tuple[CrossBlock, CrossTable], ...]


class TextSums(NamedTuple):
    """What the texts of n rows add to the k scores of a head, `scores` (n, k), and how many terms each row has, `known`
    (n,)."""

    scores: Floats
    known: NDArray[np.int32]

    @classmethod
    def of(cls, row: RowSums) -> TextSums:
        """Of a single row."""
        scores, known = row
        return cls(np.array([scores]), np.array([known], np.int32))


class FusedText:
    """The text blocks of heads and the crosses of them, grouped by what can be shared: a column read once, cut once.

    What a head's scores are does not depend on the heads beside it, to the bit: groups have an order of their own.
    """

    def __init__(self, *heads: HeadTables) -> None:
        self._outputs = [head.outputs for head in heads]
        groups: dict[Any, dict[Any, list[_Part]]] = {}
        for number, head in enumerate(heads):
            for block, table in zip(head.blocks, head.tables, strict=True):
                if not isinstance(block, TextBlock):
                    continue
                crosses = tuple(
                    (other, own)
                    for other, own in zip(head.blocks, head.tables, strict=True)
                    if isinstance(other, CrossBlock) and other.inner is block
                )
                analyzer = block.analyzer
                cut = (analyzer.kind, analyzer.ngrams, analyzer.seed, analyzer.stop_words)
                read = (block.column, analyzer.lowercase, analyzer.strip_accents)
                part = _Part(number, head.outputs, block, table, crosses)
                groups.setdefault(read, {}).setdefault(cut, []).append(part)
        self._groups = [
            Group(read[0], [groups[read][cut] for cut in sorted(groups[read], key=str)])
            for read in sorted(groups, key=str)
        ]
        self._seats = threading.local()

    def sums(self, rows: Rows) -> list[TextSums]:
        """Those of each head.

        Raises:
            FieldError: a text that cannot be read.
        """
        count = len(rows)
        found = [TextSums(np.zeros((count, outputs)), np.zeros(count, np.int32)) for outputs in self._outputs]
        places = [(address(own.scores), address(own.known)) for own in found]
        for group in self._groups:
            targets, keep = group.filled(places, partial(_categories, rows=rows))
            texts = rows.kernel_texts(group.column)

            def run(
                start: int, stop: int, group: Group = group, texts: Texts = texts, targets: Any = targets
            ) -> None:
                group.score(texts, targets, start, stop)

            in_threads(run, count)
            del keep
        return found

    def one(self, rows: Rows) -> list[RowSums]:
        """`sums` of a single row, without what arrays cost.

        Raises:
            FieldError: the text cannot be read.
        """
        seat = getattr(self._seats, "own", None)
        if seat is None:
            seat = self._seats.own = Seat(self._groups, self._outputs)
        return seat.score(rows)


class Group:
    """The text blocks that read the same column, by how they cut it, and what does not change from call to call."""

    def __init__(self, column: str, cuts: Sequence[list[_Part]]) -> None:
        self.column = column
        self._parts = [part for parts in cuts for part in parts]
        first = [parts[0].block.analyzer for parts in cuts]
        ends = np.cumsum([len(parts) for parts in cuts]).tolist()
        self._chars = first[0].chars
        self._analyses = (native.Analysis * len(first))(*[analyzer.struct for analyzer in first])
        self._ends = (ctypes.c_int64 * len(first))(*ends)
        self._targets = (native.Target * len(self._parts))()
        for target, part in zip(self._targets, self._parts, strict=True):
            target.table, target.weighting = part.block.vocabulary.struct, part.block.struct
            target.width, target.outputs = part.block.width, part.outputs
            target.rows, target.stride = address(part.table), table_stride(part.outputs)
            target.score_stride = part.outputs
            target.cross_count = len(part.crosses)
        self._crosses = [_crosses_of(part) for part in self._parts]

    @property
    def fixed(self) -> tuple[Any, Any, Any]:
        """What every call takes: the table of characters, the analyses, and the ends of their targets."""
        return self._chars, self._analyses, self._ends

    def filled(
        self, places: Sequence[tuple[int, int]], categories: Callable[[CrossBlock], tuple[int, Any]]
    ) -> tuple[Any, list[Any]]:
        """The targets, and what they point to: `places` are those of each head's scores and known terms, `categories`
        gives the place of a cross' categories of the rows and what holds them."""
        targets = type(self._targets).from_buffer_copy(self._targets)
        keep: list[Any] = []
        for target, part, fixed in zip(targets, self._parts, self._crosses, strict=True):
            target.scores, target.known = places[part.number]
            if not part.crosses:
                continue
            crosses = type(fixed).from_buffer_copy(fixed)
            for cross, (block, _) in zip(crosses, part.crosses, strict=True):
                cross.of_row, own = categories(block)
                keep.append(own)
            target.crosses = ctypes.addressof(crosses)
            keep.append(crosses)
        return targets, keep

    def score(self, texts: Texts, targets: Any, start: int, stop: int) -> None:
        """Score rows [start, stop)."""
        failed = ctypes.c_int64()
        analyses, ends = self._analyses, self._ends
        found = kernel.nd_score(
            self._chars, texts.columns, texts.count, analyses, ends, len(ends), targets, start, stop, failed
        )
        check(found, failed.value)


def _crosses_of(part: _Part) -> Any:
    """The kernel's structures, but for the rows' categories."""
    crosses = (native.Cross * len(part.crosses))()
    for cross, (block, table) in zip(crosses, part.crosses, strict=True):
        cross.starts, cross.categories = address(table.starts), address(table.categories)
        cross.weights, cross.weight = address(table.weights), block.weight
    return crosses


def _categories(block: CrossBlock, rows: Rows) -> tuple[int, Any]:
    found = block.category_ids(rows).astype(np.int32)
    return address(found), found


def in_threads(run: Any, count: int) -> None:
    """`run(start, stop)` over [0, count), on all processors where that pays. Rows do not know of each other, so how
    they are divided changes nothing."""
    threads = min(_processors(), count // _THREADED)
    if threads < 2:
        run(0, count)
        return
    # Smaller parts than threads, so that one slow part does not keep the others waiting.
    step = max(_THREADED, -(-count // (threads * 4)))
    parts = [_pool().submit(run, start, min(start + step, count)) for start in range(0, count, step)]
    try:
        wait(parts)
    finally:  # also when interrupted: what they read and write must live until the last of them has ended
        for part in parts:
            part.cancel()
        wait(parts)
    for part in parts:
        part.result()


@cache
def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # on Linux: those that this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_processors(), "newsdesk-scoring")


if hasattr(os, "register_at_fork"):  # a child has the pool but none of its threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
