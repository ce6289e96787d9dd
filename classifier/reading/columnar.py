"""Parquet and Arrow IPC (files and streams)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from classifier.errors import FormatError
from classifier.reading.base import BATCH_ROWS, Chunk, ReadOptions, Source
from classifier.reading.casting import Where, is_text, plain, wrong_type
from classifier.reading.layout import lay_out

_IPC_FILE = b"ARROW1"
_WITHOUT_CLASS = (pa.lib.Type_INTERVAL_MONTHS, pa.lib.Type_INTERVAL_DAY_TIME)


def read_parquet(
    source: Source, options: ReadOptions, groups: Sequence[int] | None = None
) -> Iterator[Chunk]:
    """Batches of a Parquet file, or of some of its row groups that lie behind each other.

    Raises:
        FormatError: damaged, or columns that do not fit.
    """
    with source.open() as stream, _damage_named(source.name, "a Parquet file"):
        # Read ahead, PyArrow would keep all that it has read until the file ends.
        file = pq.ParquetFile(stream, pre_buffer=False)
        first = 1 + sum(file.metadata.row_group(number).num_rows for number in range(min(groups or (0,))))
        batches = file.iter_batches(BATCH_ROWS, row_groups=groups)
        yield from _chunks(file.schema_arrow, batches, source.name, options, first)


def read_arrow(source: Source, options: ReadOptions) -> Iterator[Chunk]:
    """Batches of an Arrow IPC file (also known as Feather) or stream; which of them, its first bytes say.

    Raises:
        FormatError: damaged, or columns that do not fit.
    """
    with source.open() as stream, _damage_named(source.name, "an Arrow file or stream"):
        if _starts_with(stream, _IPC_FILE):
            reader = pa.ipc.open_file(stream)
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
            yield from _chunks(reader.schema, batches, source.name, options)
        else:
            with pa.ipc.open_stream(stream) as reader:
                yield from _chunks(reader.schema, iter(reader), source.name, options)


def _starts_with(stream: BinaryIO, magic: bytes) -> bool:
    if not stream.seekable():
        return False  # then only a stream can be read
    found = stream.read(len(magic))
    stream.seek(0)
    return found == magic


@contextmanager
def _damage_named(file: str, expected: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        first_line = str(error).split("\n")[0][:200]
        raise FormatError(
            f"not {expected} that can be read: {first_line}",
            where=file,
            remedy="is it complete, and of the format that its name says?",
        ) from error


def _chunks(
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    file: str,
    options: ReadOptions,
    row: int = 1,
) -> Iterator[Chunk]:
    layout = lay_out(schema.names, options, file)
    picked = [(our, schema.get_field_index(name)) for our, name in layout.renamed(schema.names)]
    for field in [schema.field(at) for _, at in picked]:
        if not _is_readable(field.type):
            raise wrong_type(field.name, field.type, file, "of a type that PyArrow can read")
    for whole in batches:
        for start in range(0, len(whole), BATCH_ROWS):
            batch = whole.slice(start, BATCH_ROWS)
            columns = [_sound(batch.column(at)) for _, at in picked]
            made = pa.RecordBatch.from_arrays(columns, names=[our for our, _ in picked])
            yield layout.chunk(made, Where(file, first=row))
            row += len(batch)


def _is_readable(kind: pa.DataType) -> bool:
    """Whether PyArrow has a class for values of that type and of those within it."""
    inner = [kind.field(at).type for at in range(kind.num_fields)]
    if pa.types.is_dictionary(kind):
        inner.append(kind.value_type)
    elif isinstance(kind, pa.BaseExtensionType):
        inner.append(kind.storage_type)
    return kind.id not in _WITHOUT_CLASS and all(map(_is_readable, inner))


def _sound(column: pa.Array) -> pa.Array:
    """The column, checked to the last byte; text that is not UTF-8 comes back as bytes, to be named row by row."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        column.validate()
        column = plain(column)
        if not is_text(column.type) or pa.types.is_string_view(column.type):
            raise
        kind = pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()
        column = column.cast(kind)
        column.validate(full=True)
    return column
