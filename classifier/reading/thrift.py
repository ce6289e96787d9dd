"""Thrift's compact protocol, as far as a Parquet footer needs it: bytes to fields and back.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. A struct is a list of (field id, type,
value), so that what is not understood here is written back as it was.
"""

from __future__ import annotations

import struct
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)

Fields = list[tuple[int, int, Any]]


class Reader:
    """Values one after the other, from `at` on."""

    def __init__(self, data: bytes | memoryview, at: int = 0) -> None:
        self._data = memoryview(data).cast("B")  # Arrow's are of signed bytes
        self.at = at

    def fields(self) -> Fields:
        """A struct."""
        found: Fields = []
        number = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            number = number + step if step else self._signed()
            found.append((number, kind, self.value(kind)))
        return found

    def value(self, kind: int) -> Any:
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind in (I16, I32, I64):
            return self._signed()
        if kind == BINARY:
            return self._take(self._unsigned())
        if kind in (LIST, SET):
            return self._list()
        if kind == STRUCT:
            return self.fields()
        return self._take({BYTE: 1, DOUBLE: 8}[kind])

    def _list(self) -> tuple[int, list[Any]]:
        head = self._byte()
        kind, count = head & 15, head >> 4
        count = self._unsigned() if count == 15 else count
        if kind in (TRUE, FALSE):  # in a list a byte each
            return kind, [self._byte() for _ in range(count)]
        return kind, [self.value(kind) for _ in range(count)]

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _take(self, count: int) -> bytes:
        self.at += count
        return bytes(self._data[self.at - count : self.at])

    def _unsigned(self) -> int:
        found = shift = 0
        while (byte := self._byte()) & 128:
            found |= (byte & 127) << shift
            shift += 7
        return found | byte << shift

    def _signed(self) -> int:
        found = self._unsigned()
        return found >> 1 ^ -(found & 1)


def write_fields(fields: Fields, last: int = 0) -> bytes:
    """A struct's bytes, or the rest of one behind its field `last`."""
    out = bytearray()
    for number, kind, value in fields:
        if kind in (TRUE, FALSE):
            kind = TRUE if value else FALSE
        if 0 < number - last < 16:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            out += _signed(number)
        last = number
        if kind not in (TRUE, FALSE):
            out += _value(kind, value)
    out.append(0)
    return bytes(out)


def list_head(kind: int, count: int) -> bytes:
    """What stands before the items of a list."""
    return bytes([count << 4 | kind]) if count < 15 else bytes([15 << 4 | kind]) + _unsigned(count)


def _value(kind: int, value: Any) -> bytes:
    if kind in (I16, I32, I64):
        return _signed(value)
    if kind == BINARY:
        return _unsigned(len(value)) + bytes(value)
    if kind in (LIST, SET):
        own, items = value
        if own in (TRUE, FALSE):
            return list_head(own, len(items)) + bytes(items)
        return list_head(own, len(items)) + b"".join(_value(own, item) for item in items)
    if kind == STRUCT:
        return write_fields(value)
    found: bytes = value
    return found


def _signed(value: int) -> bytes:
    return _unsigned((value << 1 ^ value >> 63) & 0xFFFF_FFFF_FFFF_FFFF)


def _unsigned(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def length(data: bytes) -> bytes:
    """A length as four bytes, as Parquet and Arrow have it before their end."""
    return struct.pack("<I", len(data))
