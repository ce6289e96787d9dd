"""Counters that outlive their worker: a memory-mapped file of (key, float64) a process, and the sum of those that ended.

    FOLDER/
        lock              held while files are added, summed up or removed
        <name>.cells      one living process's; locked as long as it lives, however it ends
        ended.json        the sums of the files of processes that ended, and the names of these files

A file is a header (magic, bytes in use), then entries: length of the key, the key, filled up with zeros to 8 bytes, and
the value. An entry is complete before the bytes in use cover it, and a value is one aligned store: whoever is killed at
any moment leaves a file that can be read. Sums are written to a new file that names what it holds and then replaces the
old one, so that nothing is counted twice or lost in between.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import orjson

try:
    import fcntl
except ImportError:  # Windows: nobody can tell which processes ended, so every file stays
    fcntl = None  # type: ignore[assignment]

_MAGIC = b"NDCELLS1"
_HEADER = struct.Struct("=8sQ")
_LENGTH = struct.Struct("=Q")
_VALUE = struct.Struct("=d")
_SIZE = 65536
_LOST = (
    _HEADER.size + _LENGTH.size
) // _VALUE.size  # the first cell: of those for which the disk had no room

Values = dict[bytes, float]


class Cells:
    """The counters of this process: cells that are found by key and added to. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._open()

    def _open(self) -> None:
        self._pid = os.getpid()
        self._places: dict[bytes, int] = {}
        with _locked(self._folder):
            path = self._folder / f"{self._pid}-{token_hex(6)}.cells"
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            weakref.finalize(self, os.close, self._file)
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX)
            self._used, self._size = _HEADER.size, 0
            self._grow(_SIZE)
            self._map[: _HEADER.size] = _HEADER.pack(_MAGIC, self._used)
        self._place(b"")  # the lost ones
        self._places.clear()

    def _grow(self, size: int) -> None:
        # Blocks that are only missing once they are written to would kill the process.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._file, 0, size)
        else:
            os.ftruncate(self._file, size)
        self._map = mmap.mmap(self._file, size)
        self._values = memoryview(self._map).cast("d")
        self._size = size

    def add(self, amounts: Iterable[tuple[bytes, float]]) -> None:
        """Add to the cells of these keys."""
        if self._pid != os.getpid():  # forked: the file is the parent's
            self._lock = threading.Lock()
            self._open()
        with self._lock:
            places = self._places
            for key, amount in amounts:
                place = places.get(key)
                if place is None:
                    place = self._place(key)
                self._values[place] += amount

    def put(self, key: bytes, value: float) -> None:
        """Give the cell of this key a value."""
        with self._lock:
            place = self._places.get(key)
            self._values[self._place(key) if place is None else place] = value

    def _place(self, key: bytes) -> int:
        padded = key + bytes(-len(key) % 8)
        end = self._used + _LENGTH.size + len(padded) + _VALUE.size
        if end > self._size:
            try:
                self._grow(max(2 * self._size, end))
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                self._places[key] = _LOST
                return _LOST
        self._map[self._used : end] = _LENGTH.pack(len(key)) + padded + _VALUE.pack(0.0)
        self._map[8:16] = _LENGTH.pack(end)
        self._used = end
        self._places[key] = end // _VALUE.size - 1
        return self._places[key]


def collect(folder: Path) -> tuple[Values, Values]:
    """The sums over all processes that ever counted in this folder, and those over the living ones."""
    everything: Values = {}
    living: Values = {}
    with _locked(folder):
        ended = _sum_up(folder)
        _add(everything, ended)
        for path in folder.glob("*.cells"):
            own = read_cells(path)
            _add(everything, own.items())
            _add(living, own.items())
    return everything, living


def read_cells(path: Path) -> Values:
    """What a file holds; nothing where it was left before its header was written."""
    data = path.read_bytes()
    if len(data) < _HEADER.size or data[:8] != _MAGIC:
        return {}
    return dict(_entries(data, _HEADER.unpack_from(data)[1]))


def _entries(data: bytes, used: int) -> Iterator[tuple[bytes, float]]:
    at = _HEADER.size
    while at < used:
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        value = at + length + -length % 8
        if length:
            yield data[at : at + length], _VALUE.unpack_from(data, value)[0]
        at = value + _VALUE.size


def _sum_up(folder: Path) -> list[tuple[bytes, float]]:
    """Sum up and remove the files of processes that ended; all sums so far. The folder is locked."""
    path = folder / "ended.json"
    kept = orjson.loads(path.read_bytes()) if path.exists() else {"files": [], "values": []}
    values: Values = {key.encode(): value for key, value in kept["values"]}
    for name in kept["files"]:  # a process that wrote them was killed before it removed these
        (folder / name).unlink(missing_ok=True)
    ended = [path for path in folder.glob("*.cells") if _has_ended(path)]
    if ended:
        for own in ended:
            _add(values, read_cells(own).items())
        new = folder / f"ended-{token_hex(6)}.new"
        new.write_bytes(
            orjson.dumps(
                {
                    "files": [own.name for own in ended],
                    "values": [[key.decode(), value] for key, value in values.items()],
                }
            )
        )
        new.replace(path)
        for own in ended:
            own.unlink()
    return list(values.items())


def _has_ended(path: Path) -> bool:
    if fcntl is None:
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _add(sums: Values, values: Iterable[tuple[bytes, float]]) -> None:
    for key, value in values:
        sums[key] = sums.get(key, 0.0) + value


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):
            os.close(descriptor)
