"""How many ids were there before, about, in fixed memory.

On one machine by a Bloom filter (Bloom 1970) of two bits an id among 2^29: 64 MB however many articles. Ids that it takes
for known by chance are expected at the square of its filled share; they are subtracted, and what that leaves unsure is
told. On many machines by HyperLogLog (Flajolet et al. 2007), which can be merged: 2^14 registers, a standard error of
0.8 % of the articles.
"""

from __future__ import annotations

import base64
import math
import zlib

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_BITS = 29
_REGISTERS = 14  # bits
_TOO_FULL = 0.99  # the share of new ids that look known from which on nothing can be told
_MOST_BYTES = 512  # of an id that are looked at
_PRIME = np.uint64(0x9E3779B97F4A7C15)

Hashes = NDArray[np.uint64]


class SeenIds:
    """Ids seen so far, as their hashes."""

    def __init__(self) -> None:
        self._bits = np.zeros(1 << (_BITS - 3), np.uint8)
        self._distinct = 0.0
        self._count = 0.0
        self._variance = 0.0
        self._known = True

    def add(self, hashes: Hashes) -> None:
        """Look for ids (n,), then remember them."""
        unique = np.unique(hashes)
        places = [unique & np.uint64((1 << _BITS) - 1), unique >> np.uint64(64 - _BITS)]
        at = [((own >> np.uint64(3)).astype(np.int64), _bit(own)) for own in places]
        known = np.ones(len(unique), np.bool_)
        for byte, bit in at:
            known &= self._bits[byte] & bit != 0
        for byte, bit in at:
            np.bitwise_or.at(self._bits, byte, bit)
        chance = (1.0 - math.exp(-2.0 * self._distinct / (1 << _BITS))) ** 2
        self._known &= chance < _TOO_FULL
        if self._known:
            before = (int(known.sum()) - len(unique) * chance) / (1.0 - chance)
            self._count += before + len(hashes) - len(unique)
            self._variance += len(unique) * chance / (1.0 - chance)
            self._distinct += len(unique) - before

    def estimate(self) -> tuple[int, int] | None:
        """Articles whose id one before has, and the standard error of that; None after too many ids."""
        if not self._known:
            return None
        return max(0, round(self._count)), round(math.sqrt(self._variance))


class Distinct:
    """How many different ids there are; those of several parts can be merged."""

    def __init__(self) -> None:
        self._registers = np.zeros(1 << _REGISTERS, np.uint8)

    def add(self, hashes: Hashes) -> None:
        rest = hashes >> np.uint64(_REGISTERS)
        # The place of the lowest bit that is set, counted from 1: frexp of that bit alone.
        low = (rest & (~rest + np.uint64(1))).astype(np.float64)
        rank = np.where(rest == 0, 64 - _REGISTERS + 1, np.frexp(low)[1]).astype(np.uint8)
        np.maximum.at(self._registers, (hashes & np.uint64((1 << _REGISTERS) - 1)).astype(np.int64), rank)

    def packed(self) -> str:
        return base64.b64encode(zlib.compress(self._registers.tobytes())).decode()

    def merge(self, packed: str) -> None:
        other = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8)
        np.maximum(self._registers, other, out=self._registers)

    def count(self) -> float:
        """The estimate; few ids are counted by the registers that none has touched."""
        size = len(self._registers)
        found = 0.7213 / (1 + 1.079 / size) * size**2 / float(np.exp2(-self._registers.astype(float)).sum())
        empty = int((self._registers == 0).sum())
        return size * math.log(size / empty) if empty and found <= 2.5 * size else found

    def duplicates(self, articles: int) -> tuple[int, int]:
        """Of so many articles, those whose id one before has, and the standard error of that."""
        return max(0, round(articles - self.count())), round(
            1.04 / math.sqrt(len(self._registers)) * articles
        )


def _bit(places: Hashes) -> NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (places & np.uint64(7)).astype(np.uint8))


def hash_ids(column: pa.Array) -> Hashes:
    """(n,) 64 bits for each string, of its length and its first bytes."""
    if not len(column):
        return np.empty(0, np.uint64)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32, len(column) + 1, 4 * column.offset).astype(np.int64)
    raw = bytes(memoryview(data)[ends[0] : ends[-1]]) if data else b""
    padded = raw + bytes(8)
    words = np.ndarray((len(raw) + 1,), "<u8", padded, strides=(1,))
    starts, lengths = ends[:-1] - ends[0], np.diff(ends)
    found = lengths.astype(np.uint64) * _PRIME
    left = np.minimum(lengths, _MOST_BYTES)
    for at in range(0, int(left.max()), 8):
        rows = np.flatnonzero(left > at)
        spare = np.uint64(8) * np.maximum(at + 8 - left[rows], 0).astype(np.uint64)
        word = words[starts[rows] + at] << spare  # of the last word only what belongs to the id
        found[rows] = _mixed(found[rows] ^ word)
    return _mixed(found)


def _mixed(values: Hashes) -> Hashes:
    values = (values ^ values >> np.uint64(32)) * _PRIME
    return np.asarray(values ^ values >> np.uint64(29))
