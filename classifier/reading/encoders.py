"""Rows as bytes, block by block: what a block becomes depends on its rows alone, so that blocks can be made side by side,
put one behind the other, and gone on with after an interruption.

A file is its header, its blocks, and its end, which is made of what each block leaves as its `entry`.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
from pyarrow import types

from classifier.errors import FormatError
from classifier.reading.binary_tables import Arrow, Block, Parquet
from classifier.reading.compressed import CODECS
from classifier.reading.json_lines import csv_texts, json_lines

STDOUT = "-"
GROUP_ROWS = 16_384  # rows of a block, where blocks show in the file


class Encoder(Protocol):
    """Of one schema. `grouped`: another division into blocks gives other bytes."""

    grouped: bool

    def header(self) -> bytes: ...

    def block(self, batch: pa.RecordBatch) -> Block: ...

    def entry(self, block: Block, at: int, number: int) -> bytes:
        """What the end tells of a block that lies at that offset of the file, number from 0."""

    def end(self, entries: Iterable[bytes], blocks: int, rows: int) -> Iterator[bytes]: ...


class _Plain:
    """Rows stand one after the other, and the file just ends."""

    grouped = False

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema

    def header(self) -> bytes:
        return b""

    def entry(self, block: Block, at: int, number: int) -> bytes:
        return b""

    def end(self, entries: Iterable[bytes], blocks: int, rows: int) -> Iterator[bytes]:
        return iter(())


class JsonLines(_Plain):
    """One object a line."""

    def block(self, batch: pa.RecordBatch) -> Block:
        return Block(json_lines(batch))


class Csv(_Plain):
    """Comma-separated, with a header; lists and structs as JSON."""

    def __init__(self, schema: pa.Schema) -> None:
        super().__init__(pa.schema([(field.name, _csv_type(field.type)) for field in schema]))

    def header(self) -> bytes:
        return self._written(self._schema.empty_table().to_batches()[:1], header=True)

    def block(self, batch: pa.RecordBatch) -> Block:
        columns = [
            csv_texts(column) if types.is_string(kind) else column
            for column, kind in zip(batch.columns, self._schema.types, strict=True)
        ]
        rows = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        return Block(self._written([rows], header=False))

    def _written(self, batches: list[pa.RecordBatch], *, header: bool) -> bytes:
        sink = io.BytesIO()
        with pa_csv.CSVWriter(
            sink, self._schema, write_options=pa_csv.WriteOptions(include_header=header)
        ) as writer:
            for batch in batches:
                writer.write(batch)
        return sink.getvalue()


def _csv_type(kind: pa.DataType) -> pa.DataType:
    return kind if types.is_integer(kind) or types.is_boolean(kind) else pa.string()


class Compressed:
    """Text in gzip members or Zstandard frames, one a block."""

    grouped = True

    def __init__(self, inner: Encoder, suffix: str) -> None:
        self._inner = inner
        self._suffix = suffix

    def header(self) -> bytes:
        header = self._inner.header()
        return self._compressed(header) if header else b""

    def block(self, batch: pa.RecordBatch) -> Block:
        return Block(self._compressed(self._inner.block(batch).data))

    def entry(self, block: Block, at: int, number: int) -> bytes:
        return b""

    def end(self, entries: Iterable[bytes], blocks: int, rows: int) -> Iterator[bytes]:
        if not blocks and not self._inner.header():
            yield self._compressed(b"")  # so that an empty file can be decompressed, too

    def _compressed(self, data: bytes | pa.Buffer) -> bytes:
        if self._suffix == ".gz":
            # No name and no time in the header: the same rows give the same bytes.
            return gzip.compress(memoryview(data), 6, mtime=0)
        return bytes(pa.Codec(CODECS[self._suffix]).compress(data, asbytes=True))


ENCODERS: dict[str, type[JsonLines | Csv | Parquet | Arrow]] = {
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".csv": Csv,
    ".parquet": Parquet,
    ".arrow": Arrow,
    ".feather": Arrow,
}


def written_suffixes(path: str) -> tuple[str, str]:
    """The format's suffix and that of the compression ("" for none) of a name to write to; "-" is JSON Lines.

    Raises:
        FormatError: an unknown suffix.
    """
    if path == STDOUT:
        return ".jsonl", ""
    *_, last, end = ["", "", *[suffix.lower() for suffix in PurePath(path).suffixes]]
    if end in CODECS and ENCODERS.get(last) in (JsonLines, Csv):
        return last, end
    if end not in ENCODERS:
        raise FormatError(
            f'"{end}" is no suffix of a format that can be written',
            where=path,
            remedy=f"use one of {', '.join(ENCODERS)} (.jsonl and .csv also with {' or '.join(CODECS)} behind)",
        )
    return end, ""


def encoder_for(path: str, schema: pa.Schema) -> Encoder:
    """The encoder of a name's suffixes.

    Raises:
        FormatError: an unknown suffix.
    """
    suffix, compression = written_suffixes(path)
    encoder = ENCODERS[suffix](plain_schema(schema))
    return Compressed(encoder, compression) if compression else encoder


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without metadata, text as text where memory holds it as dictionaries."""
    fields = [
        field.with_type(field.type.value_type) if types.is_dictionary(field.type) else field
        for field in schema
    ]
    return pa.schema(fields).remove_metadata()
