"""Rows scored one at a time: a thread makes what a call of the kernel takes once, and fills in what changes.

Making it anew for each article cost as much as scoring it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import accumulate
from struct import Struct
from typing import TYPE_CHECKING, Any

from classifier.text import native
from classifier.text.native import kernel
from classifier.text.rows import Rows
from classifier.text.strings import check

if TYPE_CHECKING:
    from classifier.text.blocks import CrossBlock
    from classifier.text.fused import Group

_PAIR = ctypes.c_int64 * 2
_SHORT = 32_768  # bytes of text up to which other threads can wait
_score_short = native.holding_lock("nd_score", ctypes.c_int64, 10)


# What the text of a single row adds to the k scores of a head, and how many terms it has.
RowSums = tuple[list[float], int]


class Seat:
    """One thread's sums of all groups: of each head its `outputs`, and how many terms are known."""

    def __init__(self, groups: Sequence[Group], outputs: Sequence[int]) -> None:
        ends = list(accumulate(outputs))
        numbers = Struct(f"={ends[-1]}d{len(outputs)}i")
        self._unpack = numbers.unpack_from
        self._zeros = bytes(numbers.size)
        self._sums = ctypes.create_string_buffer(numbers.size)
        self._place = ctypes.addressof(self._sums)
        self._parts = [
            (slice(end - own, end), ends[-1] + i)
            for i, (own, end) in enumerate(zip(outputs, ends, strict=True))
        ]
        known = self._place + 8 * ends[-1]
        places = [(self._place + 8 * own.start, known + 4 * i) for i, (own, _) in enumerate(self._parts)]
        self._calls = [_Call(group, places) for group in groups]

    def score(self, rows: Rows) -> list[RowSums]:
        """Those of a single row.

        Raises:
            FieldError: the text cannot be read.
        """
        ctypes.memmove(self._place, self._zeros, len(self._zeros))
        for call in self._calls:
            call.score(rows)
        sums = self._unpack(self._sums)
        return [(list(sums[scores]), sums[known]) for scores, known in self._parts]


class _Call:
    """What the kernel takes for a single row of one group."""

    def __init__(self, group: Group, places: Sequence[tuple[int, int]]) -> None:
        self._column = group.column
        self._crosses: list[tuple[CrossBlock, ctypes.c_int32]] = []
        targets, self._keep = group.filled(places, self._category)
        self._text = native.Column(None, None, None, 0, 1)
        self._range = _PAIR()
        self._text.offsets = ctypes.addressof(self._range)
        self._failed = ctypes.c_int64()
        chars, analyses, ends = group.fixed
        made = (chars, self._text, analyses, ends, targets, self._failed)
        self._objects = chars, self._text, 1, analyses, ends, len(ends), targets, 0, 1, self._failed
        chars_at, text, analyses_at, ends_at, targets_at, failed = map(ctypes.addressof, made)
        self._addresses = chars_at, text, 1, analyses_at, ends_at, len(ends), targets_at, 0, 1, failed

    def _category(self, block: CrossBlock) -> tuple[int, Any]:
        place = ctypes.c_int32()
        self._crosses.append((block, place))
        return ctypes.addressof(place), place

    def score(self, rows: Rows) -> None:
        for block, place in self._crosses:
            place.value = block.category_id(rows)
        data = rows.encoded(self._column)
        self._text.data, self._range[1] = data, len(data)
        short = len(data) <= _SHORT
        found = _score_short(*self._addresses) if short else kernel.nd_score(*self._objects)
        if found < 0:
            check(found, self._failed.value)
