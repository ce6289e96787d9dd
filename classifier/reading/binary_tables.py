"""Parquet and Arrow files by blocks.

Each block is made by PyArrow as a file of its own, whose bytes are taken over; what the end of the whole must tell of it
is moved to where it lies.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from classifier.reading import thrift


class Block(NamedTuple):
    """A block's bytes, and what the end of the file must know of it."""

    data: bytes | pa.Buffer
    note: Any = None


class Parquet:
    """A row group a block. A block is made as a file of its own, of which header and footer are left out; the footer of the
    whole holds their descriptions, moved to where the groups lie."""

    grouped = True
    _MAGIC = b"PAR1"
    _ROWS, _GROUPS = 3, 4  # fields of FileMetaData
    _COLUMNS, _TOTAL, _FILE_OFFSET, _ORDINAL = 1, 3, 5, 7  # of RowGroup
    _CHUNK = frozenset((2, 4, 6))  # of ColumnChunk: offsets in the file
    _META, _META_OFFSETS = 3, frozenset((9, 10, 11, 14))  # of ColumnChunk; of ColumnMetaData: the same

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._dictionary = _repeating(schema)

    def header(self) -> bytes:
        return self._MAGIC

    def block(self, batch: pa.RecordBatch) -> Block:
        data, footer = self._file([batch])
        return Block(
            pa.py_buffer(data).slice(len(self._MAGIC), footer - len(self._MAGIC)), self._group(data, footer)
        )

    def _file(self, batches: list[pa.RecordBatch]) -> tuple[pa.Buffer, int]:
        """A file, and where its footer begins."""
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(
            sink, self._schema, compression="zstd", use_dictionary=self._dictionary
        ) as writer:
            for batch in batches:
                writer.write_batch(batch, row_group_size=max(len(batch), 1))
        data = sink.getvalue()
        (length,) = struct.unpack("<I", data[-8:-4])
        return data, len(data) - 8 - length

    def _group(self, data: pa.Buffer, footer: int) -> thrift.Fields:
        fields = {number: value for number, _, value in thrift.Reader(memoryview(data), footer).fields()}
        _, (group,) = fields[self._GROUPS]
        return list(group)

    def entry(self, block: Block, at: int, number: int) -> bytes:
        shift = at - len(self._MAGIC)
        return thrift.write_fields([self._moved(field, shift, number) for field in block.note])

    def _moved(self, field: tuple[int, int, Any], shift: int, number: int) -> tuple[int, int, Any]:
        own, kind, value = field
        if own == self._COLUMNS:
            return own, kind, (value[0], [self._moved_chunk(chunk, shift) for chunk in value[1]])
        if own == self._FILE_OFFSET:
            return own, kind, value + shift
        return (own, kind, number % (1 << 15)) if own == self._ORDINAL else field

    def _moved_chunk(self, chunk: thrift.Fields, shift: int) -> thrift.Fields:
        moved: thrift.Fields = []
        for own, kind, value in chunk:
            if own == self._META:
                value = _shifted(value, self._META_OFFSETS, shift)
            moved.append((own, kind, value))
        return _shifted(moved, self._CHUNK, shift)

    def end(self, entries: Iterable[bytes], blocks: int, rows: int) -> Iterator[bytes]:
        data, footer = self._file([])
        fields = thrift.Reader(memoryview(data), footer).fields()
        length = 0
        for part in self._footer(fields, entries, blocks, rows):
            length += len(part)
            yield part
        yield struct.pack("<I", length) + self._MAGIC

    def _footer(
        self, fields: thrift.Fields, entries: Iterable[bytes], blocks: int, rows: int
    ) -> Iterator[bytes]:
        before = [(n, k, rows if n == self._ROWS else v) for n, k, v in fields if n < self._GROUPS]
        after = [field for field in fields if field[0] > self._GROUPS]
        # The list of groups is the next field after that of the rows.
        yield thrift.write_fields(before)[:-1] + bytes([(self._GROUPS - self._ROWS) << 4 | thrift.LIST])
        yield thrift.list_head(thrift.STRUCT, blocks)
        yield from entries
        yield thrift.write_fields(after, self._GROUPS)


def _shifted(fields: thrift.Fields, which: frozenset[int], shift: int) -> thrift.Fields:
    """Offsets of 0 say that there is nothing."""
    return [(own, kind, value + shift if own in which and value else value) for own, kind, value in fields]


def _repeating(schema: pa.Schema) -> list[str]:
    """Columns of text whose values may repeat: dictionaries of others only cost."""
    unique = {"id", "url", "headline", "summary", "body"}
    found = [field.name for field in schema if types.is_string(field.type) and field.name not in unique]
    for field in schema:
        if types.is_list(field.type):
            found += _inside(f"{field.name}.list.element", field.type.value_type)
    return found


def _inside(path: str, kind: pa.DataType) -> list[str]:
    if types.is_struct(kind):
        return [f"{path}.{field.name}" for field in kind if types.is_string(field.type)]
    return [path] if types.is_string(kind) else []


class Arrow:
    """An IPC file, a record batch a block; its footer is that of a file with as many empty batches, the places changed."""

    grouped = True
    _MAGIC = b"ARROW1"
    _PLACE = struct.Struct("<qi4xq")  # offset, bytes of metadata, bytes of the body

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._start = self._stream([])

    def _stream(self, batches: list[pa.RecordBatch]) -> pa.Buffer:
        """A stream's schema and batches, without its end mark."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._schema, options=self._options) as writer:
            for batch in batches:
                writer.write_batch(batch)
        data = sink.getvalue()
        return data.slice(0, len(data) - 8)

    def header(self) -> bytes:
        return self._MAGIC + b"\0\0" + bytes(self._start)

    def block(self, batch: pa.RecordBatch) -> Block:
        # Of a slice Arrow writes some bytes behind its end too. Concatenation copies, so that nothing is there.
        empty = self._schema.empty_table()
        table = pa.concat_tables([empty, pa.Table.from_batches([batch]), empty]).combine_chunks()
        data = self._stream(table.to_batches())
        data = data.slice(len(self._start))
        (metadata,) = struct.unpack("<i", data[4:8])
        return Block(data, 8 + metadata)

    def entry(self, block: Block, at: int, number: int) -> bytes:
        return self._PLACE.pack(at, block.note, len(block.data) - block.note)

    def end(self, entries: Iterable[bytes], blocks: int, rows: int) -> Iterator[bytes]:
        sink, ends = pa.BufferOutputStream(), [len(self.header())]
        with pa.ipc.new_file(sink, self._schema, options=self._options) as writer:
            for _ in range(blocks):
                writer.write_batch(pa.RecordBatch.from_pylist([], self._schema))
                ends.append(sink.tell())
        data = sink.getvalue().to_pybytes()
        old = b""
        for start, stop in pairwise(ends):
            (metadata,) = struct.unpack_from("<i", data, start + 4)
            old += self._PLACE.pack(start, 8 + metadata, stop - start - 8 - metadata)
        yield data[ends[-1] :].replace(old, b"".join(entries), 1)
