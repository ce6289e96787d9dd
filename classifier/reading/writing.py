"""Tables to files: JSON Lines, CSV, Parquet, Arrow. A file appears whole, or not at all."""

from __future__ import annotations

import glob
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa

from classifier.errors import OutputError
from classifier.reading.columns import conform
from classifier.reading.encoders import GROUP_ROWS, STDOUT, encoder_for, plain_schema, written_suffixes


class _Grouped:
    """Hands rows on in batches of GROUP_ROWS, however they come."""

    def __init__(self) -> None:
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        while self._rows + len(batch) >= GROUP_ROWS:
            room = GROUP_ROWS - self._rows
            self._waiting.append(batch.slice(0, room))
            yield from self.rest()
            batch = batch.slice(room)
        if len(batch):
            self._waiting.append(batch)
            self._rows += len(batch)

    def rest(self) -> Iterator[pa.RecordBatch]:
        if self._waiting:
            found = joined(self._waiting)
            self._waiting, self._rows = [], 0
            yield found


def joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of several."""
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


class Writer:
    """Writes batches of one schema; use it in a `with` statement. The file is there once the block has ended well."""

    def __init__(self, path: str, schema: pa.Schema, *, force: bool) -> None:
        self._schema = plain_schema(schema)
        self._encoder = encoder_for(path, schema)
        self._path = path
        self._target = None if path == STDOUT else resolve_target(path, force=force)
        self._force = force
        self._grouped = _Grouped()
        self._entries: list[bytes] = []
        self._at = 0
        self.rows = 0

    def __enter__(self) -> Self:
        with self._named():
            header = self._encoder.header()
            if self._target is None:
                self._file: BinaryIO = sys.stdout.buffer
            else:
                _remove_stale(self._target)
                name = f".{self._target.name}.{secrets.token_hex(4)}.part"
                self._temporary = self._target.with_name(name)
                self._file = self._temporary.open("xb")
                lock(self._file.fileno())
            self._put(header)
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
                made = conform(batch, self._schema)
                for block in self._grouped.add(made) if self._encoder.grouped else [made]:
                    self._put_block(block)
                self.rows += len(batch)

    def _put_block(self, batch: pa.RecordBatch) -> None:
        block = self._encoder.block(batch)
        self._entries.append(self._encoder.entry(block, self._at, len(self._entries)))
        self._put(block.data)

    def _put(self, data: bytes | pa.Buffer) -> None:
        self._file.write(data)
        self._at += len(data)

    def _end(self) -> None:
        for batch in self._grouped.rest():
            self._put_block(batch)
        for part in self._encoder.end(self._entries, len(self._entries), self.rows):
            self._put(part)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._target is None:
            if kind is None:
                with self._named():
                    self._end()
                    self._file.flush()
            return
        try:
            if kind is None:
                with self._named():
                    self._commit(self._target)
        finally:
            self._abandon()

    def _commit(self, target: Path) -> None:
        self._end()
        self._file.flush()
        os.fsync(self._file.fileno())
        refuse_existing(target, self._path, force=self._force)
        self._temporary.replace(target)
        sync_folder(target.parent)

    def _abandon(self) -> None:
        """Close what is open and remove what is left; after `_commit` there is nothing of either."""
        # The first error is the one to tell of: what follows from it, such as a disk that is still full, is not.
        with suppress(OSError, ValueError):
            self._file.close()
        with suppress(OSError):
            self._temporary.unlink()

    @contextmanager
    def _named(self) -> Iterator[None]:
        with writing_to(self._path):
            yield


@contextmanager
def writing_to(path: str) -> Iterator[None]:
    """A system's error becomes an `OutputError`; a reader of stdout that has gone stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or error
        raise OutputError(
            f"cannot be written: {why}", where=path, remedy="check the folder, its rights and its space"
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
    _, compression = written_suffixes(name)
    end = len(name) - len(compression)
    stem, suffix = os.path.splitext(name[:end])
    return f"{stem}.{what}{suffix}{name[end:]}"


def resolve_target(path: str, *, force: bool) -> Path:
    """The file to write; behind a symbolic link, the one that it leads to."""
    target = Path(path).resolve()
    refuse_existing(target, path, force=force)
    if not target.parent.is_dir():
        raise OutputError(
            f'the folder "{Path(path).parent}" does not exist', where=path, remedy="create it first"
        )
    return target


def refuse_existing(target: Path, path: str, *, force: bool) -> None:
    """An existing target stays, unless `force`.

    Raises:
        OutputError: it is there, or is no file.
    """
    if not target.exists():
        return
    if not target.is_file():
        raise OutputError("is there and is no file", where=path, remedy="give another name")
    if not force:
        raise OutputError(
            "is there already", where=path, remedy="give another name, or --force to replace it"
        )


def sync_folder(folder: Path) -> None:
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


def lock(handle: int) -> bool:
    """Take the lock of an open file, which ends with the process; whether nobody else had it. Where there are no such locks
    nobody ever has."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_stale(target: Path) -> None:
    """Remove what processes that were killed have left of this target: nobody has its lock."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 8}.part"):
        with suppress(OSError), left.open("rb") as file:
            if lock(file.fileno()):
                left.unlink()
