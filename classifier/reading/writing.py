"""Tables to files: JSON Lines, CSV, Parquet, Arrow. A file appears whole, or not at all."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from gzip import GzipFile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, cast

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from pyarrow import types

from classifier.errors import FormatError, OutputError
from classifier.reading.columns import as_text, conform, json_text, to_values
from classifier.reading.compressed import CODECS

STDOUT = "-"
# Rows of a Parquet row group and of an Arrow batch: the same file however the rows were handed over.
GROUP_ROWS = 16_384


class _Sink(Protocol):
    def write(self, batch: pa.RecordBatch) -> None: ...

    def close(self) -> None: ...


class _JsonLines:
    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        self._stream = stream
        self._names = schema.names

    def write(self, batch: pa.RecordBatch) -> None:
        rows = zip(*map(to_values, batch.columns), strict=True)
        lines = [json_text(dict(zip(self._names, row, strict=True))) + "\n" for row in rows]
        self._stream.write("".join(lines).encode())

    def close(self) -> None:
        pass


class _Csv:
    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        self._schema = pa.schema([(field.name, _csv_type(field.type)) for field in schema])
        self._writer = pa_csv.CSVWriter(stream, self._schema)

    def write(self, batch: pa.RecordBatch) -> None:
        columns = [
            as_text(column) if types.is_string(kind) else column
            for column, kind in zip(batch.columns, self._schema.types, strict=True)
        ]
        self._writer.write(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _csv_type(kind: pa.DataType) -> pa.DataType:
    return kind if types.is_integer(kind) or types.is_boolean(kind) else pa.string()


class _Grouped:
    """Collects rows until a group is full."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        while self._rows + len(batch) >= GROUP_ROWS:
            room = GROUP_ROWS - self._rows
            self._waiting.append(batch.slice(0, room))
            self._flush()
            batch = batch.slice(room)
        if len(batch):
            self._waiting.append(batch)
            self._rows += len(batch)

    def _flush(self) -> None:
        table = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
        self._waiting, self._rows = [], 0
        self._write_group(table)

    def _write_group(self, table: pa.Table) -> None:
        raise NotImplementedError

    def close(self) -> None:
        if self._waiting:
            self._flush()


class _Parquet(_Grouped):
    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        super().__init__(schema)
        self._writer = pq.ParquetWriter(stream, schema, compression="zstd")

    def _write_group(self, table: pa.Table) -> None:
        self._writer.write_table(table, row_group_size=GROUP_ROWS)

    def close(self) -> None:
        super().close()
        self._writer.close()


class _Arrow(_Grouped):
    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        super().__init__(schema)
        self._writer = pa.ipc.new_file(stream, schema, options=pa.ipc.IpcWriteOptions(compression="zstd"))

    def _write_group(self, table: pa.Table) -> None:
        # Of a slice Arrow writes some bytes behind its end too. Concatenation copies, so that nothing is there.
        empty = self._schema.empty_table()
        self._writer.write_table(pa.concat_tables([empty, table, empty]).combine_chunks())

    def close(self) -> None:
        super().close()
        self._writer.close()


_SINKS: dict[str, type[_JsonLines | _Csv | _Parquet | _Arrow]] = {
    ".jsonl": _JsonLines,
    ".ndjson": _JsonLines,
    ".csv": _Csv,
    ".parquet": _Parquet,
    ".arrow": _Arrow,
    ".feather": _Arrow,
}
_COMPRESSIBLE = (_JsonLines, _Csv)


class Writer:
    """Writes batches of one schema; use it in a `with` statement. The file is there once the block has ended well."""

    def __init__(self, path: str, schema: pa.Schema, *, force: bool) -> None:
        self._schema = _plain_schema(schema)
        self._make_sink, self._compression = _sink_for(path)
        self._path = path
        self._target = None if path == STDOUT else _target(path, force=force)
        self._force = force
        self.rows = 0

    def __enter__(self) -> Self:
        with self._named():
            if self._target is None:
                self._file: BinaryIO = sys.stdout.buffer
            else:
                name = f".{self._target.name}.{secrets.token_hex(4)}.part"
                self._temporary = self._target.with_name(name)
                self._file = self._temporary.open("xb")
            stream = _compressing(self._file, self._compression)
            self._stream = stream
            self._sink: _Sink = self._make_sink(stream, self._schema)
        return self

    def write(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Append rows; missing columns are null.

        Raises:
            OutputError: a column that the schema lacks, or the target cannot be written.
        """
        if unknown := [name for name in rows.schema.names if name not in self._schema.names]:
            raise OutputError(
                f'the column "{unknown[0]}" turned up after writing had begun',
                where=self._path,
                remedy="give all rows the same columns",
            )
        batches = rows.to_batches() if isinstance(rows, pa.Table) else [rows]
        with self._named():
            for batch in batches:
                self._sink.write(conform(batch, self._schema))
                self.rows += len(batch)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._target is None:
            if kind is None:
                self._sink.close()
                self._file.flush()
            return
        try:
            if kind is None:
                with self._named():
                    self._commit(self._target)
        finally:
            self._abandon()

    def _commit(self, target: Path) -> None:
        self._close()
        with self._temporary.open("rb+") as written:
            os.fsync(written.fileno())
        _refuse_existing(target, self._path, force=self._force)
        self._temporary.replace(target)
        _sync_folder(target.parent)

    def _close(self) -> None:
        self._sink.close()
        self._stream.close()
        self._file.close()

    def _abandon(self) -> None:
        """Close what is open and remove what is left; after `_commit` there is nothing of either."""
        # The first error is the one to tell of: what follows from it, such as a disk that is still full, is not.
        with suppress(OSError, ValueError, pa.ArrowException):
            self._close()
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._temporary.unlink()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """A system's error becomes an `OutputError`; a reader of stdout that has gone stays what it is."""
        try:
            yield
        except BrokenPipeError:
            raise
        except (OSError, pa.ArrowException) as error:
            why = getattr(error, "strerror", None) or error
            raise OutputError(
                f"cannot be written: {why}",
                where=self._path,
                remedy="check the folder, its rights and its space",
            ) from error


def open_writer(path: str | os.PathLike[str], schema: pa.Schema, *, force: bool = False) -> Writer:
    """A writer to `path`, in the format of its suffix; "-" is JSON Lines on stdout.

    Parquet and Arrow files of the same rows are the same byte for byte. In CSV, lists and structs are JSON text, times ISO
    8601 with their offset. NaN and infinity are null in CSV and JSON.

    Raises:
        FormatError: an unknown suffix.
        OutputError: the target exists (and `force` is false), or cannot be written.
    """
    return Writer(os.fspath(path), schema, force=force)


def boxes_target(path: str | os.PathLike[str]) -> str:
    """Where the ranking boxes of an output go: beside it, "a.jsonl.gz" to "a.rankings.jsonl.gz".

    Raises:
        FormatError: an unknown suffix.
    """
    return _beside(path, "rankings")


def clicks_target(path: str | os.PathLike[str]) -> str:
    """Where the clicks of an output go: beside it, "a.jsonl.gz" to "a.clicks.jsonl.gz".

    Raises:
        FormatError: an unknown suffix.
    """
    return _beside(path, "clicks")


def _beside(path: str | os.PathLike[str], what: str) -> str:
    name = os.fspath(path)
    _, compression = _sink_for(name)
    end = len(name) - len(compression)
    stem, suffix = os.path.splitext(name[:end])
    return f"{stem}.{what}{suffix}{name[end:]}"


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without metadata, text as text where memory holds it as dictionaries."""
    fields = [
        field.with_type(field.type.value_type) if types.is_dictionary(field.type) else field
        for field in schema
    ]
    return pa.schema(fields).remove_metadata()


def _sink_for(path: str) -> tuple[type[_JsonLines | _Csv | _Parquet | _Arrow], str]:
    if path == STDOUT:
        return _JsonLines, ""
    *_, last, end = ["", "", *[suffix.lower() for suffix in Path(path).suffixes]]
    if end in CODECS and _SINKS.get(last) in _COMPRESSIBLE:
        return _SINKS[last], end
    if end not in _SINKS:
        raise FormatError(
            f'"{end}" is no suffix of a format that can be written',
            where=path,
            remedy=f"use one of {', '.join(_SINKS)} (.jsonl and .csv also with {' or '.join(CODECS)} behind)",
        )
    return _SINKS[end], ""


def _compressing(file: BinaryIO, suffix: str) -> BinaryIO:
    if suffix == ".gz":
        # No name and no time in the header: the same rows give the same bytes.
        return cast(BinaryIO, GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0))
    if suffix:
        return cast(BinaryIO, pa.CompressedOutputStream(pa.PythonFile(file, "w"), CODECS[suffix]))
    return file


def _target(path: str, *, force: bool) -> Path:
    """The file to write; behind a symbolic link, the one that it leads to."""
    target = Path(path).resolve()
    _refuse_existing(target, path, force=force)
    if not target.parent.is_dir():
        raise OutputError(
            f'the folder "{Path(path).parent}" does not exist', where=path, remedy="create it first"
        )
    return target


def _refuse_existing(target: Path, path: str, *, force: bool) -> None:
    if not target.exists():
        return
    if not target.is_file():
        raise OutputError("is there and is no file", where=path, remedy="give another name")
    if not force:
        raise OutputError(
            "is there already", where=path, remedy="give another name, or --force to replace it"
        )


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut; not every system lets folders be synced."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
