"""JSON Lines cut into columns by the compiled kernel (json.c), without an object a line; other threads run meanwhile."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from weakref import finalize

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifier.text.native import ERROR_MEMORY, PAD, kernel

LINE_ROW, LINE_BLANK, LINE_DOUBTFUL = range(3)


class Kinds(IntFlag):
    """What the values of a column are; bits as json.c sets them."""

    NULL = 1
    STRING = 2
    INT = 4
    FLOAT = 8
    BOOL = 16
    NESTED = 32


@dataclass(frozen=True, slots=True)
class CellColumn:
    """A name of a cut: its number in the kernel, the kinds of its values, the most bytes that they may take."""

    number: int
    kinds: Kinds
    size: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Some whole lines: `lines` (n, 3) holds start, length and state of each, `columns` those names that a row has.

    `columns` is None where two spellings are of one name, or one is no Unicode text.
    """

    data: Block
    start: int
    used: int
    lines: npt.NDArray[np.uint32]
    rows: int
    columns: Mapping[str, CellColumn] | None

    def line(self, number: int) -> bytes:
        """Line `number` of these, without its line break."""
        start, length, _ = self.lines[number].tolist()
        return self.data.bytes[self.start + start : self.start + start + length]


class Block:
    """Bytes with room behind them, as the kernel wants them."""

    def __init__(self, *parts: bytes) -> None:
        self.bytes = b"".join((*parts, bytes(PAD)))
        self.size = len(self.bytes) - PAD
        self._view = np.frombuffer(self.bytes, np.uint8)

    def address(self, start: int) -> int:
        """Where the bytes from `start` on are."""
        return int(self._view.ctypes.data) + start


class Scanner:
    """Cuts one file, block by block; it remembers the names that it has seen, `most_names` of them."""

    def __init__(self, most_names: int) -> None:
        self._handle = kernel.nd_json_new(most_names)
        if not self._handle:
            raise MemoryError("no memory for reading JSON Lines")
        finalize(self, kernel.nd_json_free, self._handle)
        self._names: list[str | None] = []

    def cut(self, data: Block, start: int, most: int, *, ended: bool) -> Cut:
        """Whole lines from `start` on, until there are `most` rows or the data ends (its last line may lack a line break
        where the file has `ended`)."""
        found = (ctypes.c_int64 * 3)()
        used = kernel.nd_json_scan(
            self._handle, data.address(start), data.size - start, most, int(ended), found
        )
        if used == ERROR_MEMORY:
            raise MemoryError("no memory for reading JSON Lines")
        lines = np.empty((found[0], 3), np.uint32)
        kernel.nd_json_lines(self._handle, lines.ctypes.data)
        return Cut(data, start, used, lines, found[1], self._columns(found[2]))

    def _columns(self, count: int) -> dict[str, CellColumn] | None:
        columns: dict[str, CellColumn] = {}
        about = (ctypes.c_int64 * 4)()
        sound = True
        for number in range(count):
            address = kernel.nd_json_name(self._handle, number, about)
            length, kinds, cells, size = about
            if number == len(self._names):
                self._names.append(_decoded(ctypes.string_at(address, length)))
            if cells:
                name = self._names[number]
                sound &= name is not None and name not in columns
                columns[name or ""] = CellColumn(number, Kinds(kinds), size)
        return columns if sound else None

    def strings(self, cut: Cut, column: CellColumn, *, raw: bool = False) -> pa.Array:
        """The column as strings (rows,): strings as they are meant, other values as they are written; `raw`: all as
        they are written.

        Only of the last cut.
        """
        rows = cut.rows
        offsets = np.empty(rows + 1, np.int32)
        valid = np.zeros((rows + 7) // 8, np.uint8)
        data = np.empty(column.size, np.uint8)
        size = kernel.nd_json_column(
            self._handle,
            cut.data.address(cut.start),
            column.number,
            int(raw),
            offsets.ctypes.data,
            valid.ctypes.data,
            data.ctypes.data,
        )
        buffers = [pa.py_buffer(part) for part in (valid, offsets, data[:size])]
        return pa.StringArray.from_buffers(rows, buffers[1], buffers[2], buffers[0])


def _decoded(name: bytes) -> str | None:
    """A name as it is meant; None where it is no text (it came from a line that is not good either)."""
    try:
        meant: str = json.loads(b'"%b"' % name)
        meant.encode()
    except ValueError:
        return None
    return meant
